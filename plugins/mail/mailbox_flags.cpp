#include "mailbox_flags.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace touchstone::mail {
namespace {

void say(Message& message, bool holds, const char* word) {
  if (holds && std::find(message.status.begin(), message.status.end(), word) == message.status.end())
    message.status.emplace_back(word);
}

void set_deleted(Message& message, bool deleted) {
  message.deleted = deleted || message.deleted.value_or(false);
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data() + first, text.data() + text.size(), value, base);
  if (result.ec != std::errc()) return std::nullopt;
  return value;
}

void mozilla(Message& message, const MimeMessage& mime) {
  constexpr std::uint64_t kRead = 0x0001, kReplied = 0x0002, kMarked = 0x0004, kExpunged = 0x0008,
                          kForwarded = 0x1000;
  const auto flags = number(mime.field("X-Mozilla-Status"), 16);
  if (!flags) return;
  set_deleted(message, (*flags & kExpunged) != 0);
  say(message, (*flags & kRead) != 0, "read");
  say(message, (*flags & kRead) == 0, "unread");
  say(message, (*flags & kReplied) != 0, "replied");
  say(message, (*flags & kMarked) != 0, "marked");
  say(message, (*flags & kForwarded) != 0, "forwarded");
}

void mbox_status(Message& message, const MimeMessage& mime) {
  if (!mime.has_field("Status") && !mime.has_field("X-Status")) return;
  const std::string flags = mime.field("Status") + mime.field("X-Status");
  // Other programs use a field "Status" for words of their own.
  if (flags.find_first_not_of("ROUNDAFT \r\n") != std::string::npos) return;
  const auto has = [&](char flag) { return flags.find(flag) != std::string::npos; };
  say(message, has('R'), "read");
  say(message, has('A'), "replied");
  say(message, has('F'), "marked");
  say(message, has('T'), "draft");
  if (has('D')) set_deleted(message, true);
}

void maildir(Message& message, std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  std::size_t at = name.rfind(":2%2C");
  if (at == std::string_view::npos) return;
  const std::string_view flags = name.substr(at + 5);
  if (flags.find_first_not_of("DFPRSTabcdefghijklmnopqrstuvwxyz") != std::string_view::npos) return;
  const auto has = [&](char flag) { return flags.find(flag) != std::string_view::npos; };
  set_deleted(message, has('T'));
  say(message, has('S'), "read");
  say(message, !has('S'), "unread");
  say(message, has('R'), "replied");
  say(message, has('F'), "marked");
  say(message, has('P'), "forwarded");
  say(message, has('D'), "draft");
}

/// The number that stands behind a key of the property list.
std::optional<std::uint64_t> plist_number(std::string_view tail, std::string_view key) {
  const std::string marker = "<key>" + std::string(key) + "</key>";
  std::size_t at = tail.find(marker);
  if (at == std::string_view::npos) return std::nullopt;
  at = tail.find_first_not_of(" \t\r\n", at + marker.size());
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = tail.substr(at);
  for (const std::string_view open : {"<integer>", "<real>"})
    if (rest.starts_with(open)) return number(rest.substr(open.size()), 10);
  return std::nullopt;
}

void apple(Message& message, std::string_view tail) {
  const auto flags = plist_number(tail, "flags");
  if (flags) {
    const auto bit = [&](unsigned place) { return ((*flags >> place) & 1U) != 0; };
    set_deleted(message, bit(1));
    say(message, bit(0), "read");
    say(message, !bit(0), "unread");
    say(message, bit(2), "replied");
    say(message, bit(4), "marked");
    say(message, bit(6), "draft");
    say(message, bit(8), "forwarded");
  }
  const auto received = plist_number(tail, "date-received");
  if (received && *received > 0 && *received < (1ULL << 33U) && !message.received)
    message.received = MailTime{static_cast<std::int64_t>(*received) * 1'000'000};
}

void gmail_labels(Message& message, const MimeMessage& mime) {
  std::string labels = mime.field("X-Gmail-Labels");
  std::string_view rest = labels;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    std::string_view label = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (label.starts_with(' ') || label.starts_with('"')) label.remove_prefix(1);
    const std::string_view direction = direction_of_folder(label);
    if (!direction.empty() && message.direction != "out") message.direction = std::string(direction);
    if (label.starts_with("Trash") || label.starts_with("Bin")) set_deleted(message, true);
    say(message, label.starts_with("Unread"), "unread");
    say(message, label.starts_with("Opened"), "read");
  }
}

}  // namespace

void add_flags(Message& message, const MimeMessage& mime, std::string_view tail, std::string_view path) {
  mozilla(message, mime);
  mbox_status(message, mime);
  maildir(message, path);
  apple(message, tail);
  gmail_labels(message, mime);
  const bool draft = std::find(message.status.begin(), message.status.end(), "draft") != message.status.end();
  if (draft) message.direction = "out";
}

std::string_view emlx_number(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.find('.'));
}

}  // namespace touchstone::mail
