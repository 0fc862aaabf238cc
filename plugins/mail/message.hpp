// A message as any of the mail formats gives it, and how it becomes records: one `message`, and an
// `attachment` for each file with it. Texts are UTF-8; times are microseconds since 1970.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <vector>

namespace touchstone::mail {

/// A time as it stood: with its zone it is UTC, without it is a clock's reading.
struct MailTime {
  std::int64_t us = 0;
  bool has_zone = true;
  bool is_utc_count = false;  ///< a count since an epoch, as MAPI has it
};

struct Attached {
  std::string name, media_type;
  std::string path;  ///< of the member of the item; of a file of the exhibit where it is kept apart
};

struct Message {
  std::string sender;
  std::vector<std::string> recipients;  ///< To, Cc, Bcc, in this order, each once
  std::optional<MailTime> sent, received;
  std::string subject, body;
  std::string id;      ///< Message-ID with its angle brackets
  std::string thread;  ///< first of References, else In-Reply-To, else the id
  std::vector<std::string> status;
  std::string direction = "unknown";
  std::string account;
  std::optional<bool> deleted;
  bool recovered = false;
  std::string source_table = "message", source_row = "1";
  std::vector<Attached> attachments;
};

/// What the names of folders say: "out" of sent mail, "in" of an inbox, "" of others.
std::string_view direction_of_folder(std::string_view folder);
/// The innermost folder that says something, of a locator or path.
std::string_view direction_of_path(std::string_view path);

void add_recipient(Message& message, std::string address);
void emit_message(Job& job, const Message& message);

/// A name that can be one component of a member's path: never empty, no "/", no control characters, at most
/// 200 bytes.
std::string member_name(std::string_view name, std::string_view otherwise);

}  // namespace touchstone::mail
