#include "mail_form.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace touchstone::mail {
namespace {

constexpr std::size_t kLongestName = 128;
/// Lines are kept up to here: what tells a message from the next stands at the start of a line.
constexpr std::size_t kLongestLine = 1024;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Name of the field that a line begins with, in small letters; empty if it begins none.
std::string field_name(std::string_view line) {
  std::size_t length = 0;
  while (length < line.size() && length < kLongestName && line[length] > ' ' && line[length] < '\x7F' &&
         line[length] != ':')
    ++length;
  if (length == 0) return {};
  std::size_t colon = length;
  while (colon < line.size() && (line[colon] == ' ' || line[colon] == '\t')) ++colon;  // of old programs
  if (colon >= line.size() || line[colon] != ':') return {};
  return lower(line.substr(0, length));
}

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find_first_of("\r\n");
  const std::string_view line = rest.substr(0, end);
  std::size_t next = std::min(end, rest.size());
  if (next < rest.size() && rest[next] == '\r') ++next;
  if (next < rest.size() && rest[next] == '\n') ++next;
  rest.remove_prefix(next);
  return line;
}

/// Fields that only mail and news have, or that they all have.
bool is_mail_field(std::string_view name) {
  static constexpr std::array<std::string_view, 24> kNames = {"from",
                                                              "to",
                                                              "cc",
                                                              "bcc",
                                                              "subject",
                                                              "date",
                                                              "received",
                                                              "message-id",
                                                              "return-path",
                                                              "reply-to",
                                                              "sender",
                                                              "delivered-to",
                                                              "in-reply-to",
                                                              "references",
                                                              "newsgroups",
                                                              "mime-version",
                                                              "x-mailer",
                                                              "envelope-to",
                                                              "dkim-signature",
                                                              "authentication-results",
                                                              "content-type",
                                                              "x-mozilla-status",
                                                              "sent",
                                                              "x-received"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

/// Whether the bytes begin with a block of fields that a mail would have.
bool begins_with_fields(std::string_view rest, bool is_likely) {
  std::set<std::string> known;
  bool has_party = false, has_field = false;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') {
      if (!has_field) return false;
      continue;
    }
    const std::string name = field_name(line);
    if (name.empty()) {
      // A "From " line may be quoted in front of the fields; other lines are no header.
      if (line.starts_with("From ") || line.starts_with(">From ")) continue;
      if (rest.empty()) break;  // the line that the head cuts off
      if (known.size() < 4) return false;
      break;
    }
    has_field = true;
    if (!is_mail_field(name)) continue;
    known.insert(name);
    has_party = has_party || name == "from" || name == "to" || name == "received" || name == "return-path" ||
                name == "delivered-to" || name == "message-id";
  }
  return has_party && known.size() >= (is_likely ? 1U : 2U);
}

/// "From jo@example.com Thu Jan  1 00:00:00 1970": it has a clock's time after the sender.
bool is_postmark(std::string_view line) {
  if (!line.starts_with("From ")) return false;
  for (std::size_t i = 6; i + 3 <= line.size(); ++i) {
    const auto digit = [&](std::size_t at) { return at < line.size() && line[at] >= '0' && line[at] <= '9'; };
    if (line[i] == ':' && digit(i - 1) && digit(i + 1) && digit(i + 2)) return true;
  }
  return false;
}

}  // namespace

std::optional<EmlxExtent> emlx_extent(std::string_view head) {
  EmlxExtent extent;
  const char* const end = head.data() + std::min<std::size_t>(head.size(), 20);
  const auto [after, error] = std::from_chars(head.data(), end, extent.length);
  if (error != std::errc() || after == head.data()) return std::nullopt;
  extent.offset = static_cast<std::size_t>(after - head.data());
  while (extent.offset < head.size() && head[extent.offset] == ' ') ++extent.offset;
  if (extent.offset >= head.size() || head[extent.offset] != '\n') return std::nullopt;
  ++extent.offset;
  return extent;
}

MailForm form_of(std::string_view head, std::string_view media_type) {
  using namespace std::string_view_literals;
  head = head.substr(0, kFormHead);
  if (head.starts_with("!BDN")) return MailForm::personal_store;
  if (head.starts_with("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv)) {
    return media_type == "application/vnd.ms-outlook" ? MailForm::outlook_message : MailForm::none;
  }
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  if (head.starts_with("From ")) {
    std::string_view rest = head;
    const std::string_view first = take_line(rest);
    if (is_postmark(first) &&
        (rest.empty() || rest.front() == '\n' || rest.front() == '\r' ||
         !field_name(rest.substr(0, kLongestName)).empty() || rest.starts_with(">From ")))
      return MailForm::mbox;
  }
  if (const auto extent = emlx_extent(head); extent && begins_with_fields(head.substr(extent->offset), false))
    return MailForm::emlx;
  while (head.starts_with('\n') || head.starts_with("\r\n")) head.remove_prefix(head.front() == '\r' ? 2 : 1);
  return begins_with_fields(head, media_type.starts_with("message/")) ? MailForm::message : MailForm::none;
}

void MboxSplitter::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end == std::string_view::npos ? bytes.size() : end + 1);
    bytes.remove_prefix(part.size());
    const std::size_t room = kLongestLine - std::min(kLongestLine, partial_.size());
    if (end != std::string_view::npos && partial_.empty() && part.size() <= kLongestLine) {
      line(part, offset_, offset_ + part.size());  // the usual case is not copied
      offset_ += part.size();
      continue;
    }
    partial_ += part.substr(0, room);
    cut_bytes_ += part.size() - std::min(room, part.size());
    if (end == std::string_view::npos) continue;
    const std::uint64_t next = offset_ + partial_.size() + cut_bytes_;
    line(partial_, offset_, next);
    partial_.clear();
    cut_bytes_ = 0;
    offset_ = next;
  }
}

void MboxSplitter::line(std::string_view text, std::uint64_t offset, std::uint64_t next) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (!held_.empty() && offset >= trusted_until_ && !text.empty()) settle(is_postmark(text));
  if ((offset == 0 || blank_before_ > 0) && is_postmark(text)) {
    if (offset < trusted_until_) {
      if (held_.size() < kMaxMessages) held_.push_back({offset - blank_before_, next});
    } else {
      end(offset - blank_before_);
      begin(next);
    }
  } else if (in_header_) {
    if (text.empty()) {
      in_header_ = false;
      // As mboxcl has it, where "From " lines of the text are not quoted. Many stated lengths are wrong.
      trusted_until_ = stated_length_ ? next + *stated_length_ : 0;
    } else if (field_name(text) == "content-length") {
      std::string_view value = text.substr(text.find(':') + 1);
      value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
      std::uint64_t length = 0;
      if (std::from_chars(value.data(), value.data() + value.size(), length).ec == std::errc() &&
          length < (1ULL << 32U))
        stated_length_ = length;
    }
  }
  blank_before_ = text.empty() ? next - offset : 0;
}

/// The place that Content-Length stated is reached: if a message begins there, the "From " lines before it
/// were text of this one; if not, the length was wrong.
void MboxSplitter::settle(bool length_was_right) {
  if (!length_was_right) {
    for (const Held& each : held_) {
      end(each.end);
      begin(each.begin);
      in_header_ = false;
    }
  }
  held_.clear();
  trusted_until_ = 0;
}

void MboxSplitter::begin(std::uint64_t offset) {
  if (entries_.size() >= kMaxMessages) {
    is_cut_ = true;
    return;
  }
  entries_.push_back({offset, 0});
  is_open_ = true;
  in_header_ = true;
  stated_length_.reset();
  trusted_until_ = 0;
}

void MboxSplitter::end(std::uint64_t offset) {
  if (!is_open_) return;
  is_open_ = false;
  MboxEntry& entry = entries_.back();
  entry.length = offset > entry.offset ? offset - entry.offset : 0;
}

const std::vector<MboxEntry>& MboxSplitter::finish() {
  const std::uint64_t size = offset_ + partial_.size() + cut_bytes_;
  if (!partial_.empty()) line(partial_, offset_, size);
  // It may be asked again: what was counted is not counted twice.
  partial_.clear();
  cut_bytes_ = 0;
  offset_ = size;
  settle(trusted_until_ <= size && size - trusted_until_ <= 2);
  end(size - std::min(blank_before_, size));
  return entries_;
}

}  // namespace touchstone::mail
