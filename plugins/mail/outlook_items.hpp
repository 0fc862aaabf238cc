// What the two containers of Outlook have in common for the plugin: messages, each with its files, in a fixed
// order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <vector>

#include "message.hpp"
#include "mime_message.hpp"

namespace touchstone::mail {

/// An attachment as a member: its ordinal is its place in the order in which the walk comes to it.
struct OutlookFile {
  std::string path;
  std::uint64_t size = 0;
  /// Fills from an offset; how many bytes, fewer only at the end; negative: cannot be read. Valid during the
  /// call.
  std::function<std::int64_t(std::uint64_t, std::span<std::uint8_t>)> read;
};

/// What a walk gives. Either may be empty; false ends the walk.
struct OutlookVisitor {
  std::function<bool(const Message&)> message;
  std::function<bool(std::uint32_t ordinal, const OutlookFile&)> file;
  std::function<void(std::string_view kind, const std::string& text)> problem;
};

/// Whether a compound file that begins with `head` has the streams of an Outlook message.
bool is_outlook_message(const Job& job, std::string_view head);
/// Walks an Outlook message (.msg). False: nothing of it can be read, which is told as a problem.
bool walk_outlook_message(const Job& job, const OutlookVisitor& visitor);
/// Walks an Outlook data file (.pst, .ost) with its deleted items.
bool walk_personal_store(const Job& job, const OutlookVisitor& visitor);

/// How deep messages inside messages are followed.
inline constexpr unsigned kMaxNested = 12;

}  // namespace touchstone::mail
