// Which kind of mail file bytes are, told from them alone, and where the messages of an mbox stand.
// Takes any bytes. Sources: RFC 5322 (fields), RFC 4155 and the four habits of mbox (mboxo, mboxrd, mboxcl,
// mboxcl2).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace touchstone::mail {

enum class MailForm : std::uint8_t { none, message, mbox, emlx, outlook_message, personal_store };

/// Bytes from the start that form_of() wants to see.
inline constexpr std::size_t kFormHead = 64 * 1024;

/// `media_type` as libmagic has it: it knows some mails by their first field alone.
MailForm form_of(std::string_view head, std::string_view media_type);

/// Length of the message in an .emlx and where it begins; absent if it does not begin as one.
struct EmlxExtent {
  std::size_t offset = 0;
  std::uint64_t length = 0;
};
std::optional<EmlxExtent> emlx_extent(std::string_view head);

/// A message of an mbox without its "From " line, as it stands: nothing is unquoted.
struct MboxEntry {
  std::uint64_t offset = 0, length = 0;
};

/// Finds messages while the bytes go by; keeps 16 bytes for each, as many for those in doubt, and one line.
class MboxSplitter {
 public:
  /// Bytes that follow on those given before.
  void feed(std::string_view bytes);
  /// The end; what was found. More than `kMaxMessages` are left out, see is_cut().
  const std::vector<MboxEntry>& finish();
  bool is_cut() const { return is_cut_; }

  static constexpr std::size_t kMaxMessages = 1'000'000;

 private:
  void line(std::string_view text, std::uint64_t offset, std::uint64_t next);
  void begin(std::uint64_t offset);
  void end(std::uint64_t offset);

  /// Where a message may begin inside the length that the one before states.
  struct Held {
    std::uint64_t end = 0, begin = 0;
  };
  void settle(bool length_was_right);

  std::vector<MboxEntry> entries_;
  std::vector<Held> held_;
  std::string partial_;
  std::uint64_t offset_ = 0;         // of partial_
  std::uint64_t cut_bytes_ = 0;      // of a line too long to be kept
  std::uint64_t trusted_until_ = 0;  // end that Content-Length states for the message
  std::optional<std::uint64_t> stated_length_;
  std::uint64_t blank_before_ = 0;  // bytes of the empty line before this one
  bool in_header_ = false, is_open_ = false, is_cut_ = false;
};

}  // namespace touchstone::mail
