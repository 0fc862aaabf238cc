// A message from its MAPI properties, which .msg files and Outlook's data files share. Numbers of properties:
// [MS-OXPROPS]. Texts in UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "message.hpp"
#include "mime_message.hpp"

namespace touchstone::mail {

/// Properties of one message, recipient or attachment, by their 16-bit number.
class MapiProperties {
 public:
  virtual ~MapiProperties() = default;
  /// Absent: not there, larger than what is read, or of another type.
  virtual std::optional<std::string> text(std::uint16_t number) const = 0;
  virtual std::optional<std::string> binary(std::uint16_t number) const = 0;
  virtual std::optional<std::int64_t> integer(std::uint16_t number) const = 0;
  /// Microseconds since 1970.
  virtual std::optional<std::int64_t> time(std::uint16_t number) const = 0;
};

namespace mapi {
inline constexpr std::uint16_t kMessageClass = 0x001A, kSubject = 0x0037, kSubmitTime = 0x0039,
                               kTopic = 0x0070, kIndex = 0x0071, kHeaders = 0x007D, kRecipientType = 0x0C15,
                               kDisplayTo = 0x0E04, kDeliveryTime = 0x0E06, kFlags = 0x0E07, kBody = 0x1000,
                               kRtf = 0x1009, kHtml = 0x1013, kMessageId = 0x1035, kReferences = 0x1039,
                               kReplyTo = 0x1042, kDisplayName = 0x3001, kAddress = 0x3003,
                               kAttachData = 0x3701, kShortName = 0x3704, kMethod = 0x3705,
                               kLongName = 0x3707, kMimeType = 0x370E, kSmtpAddress = 0x39FE,
                               kInternetPage = 0x3FDE, kMessagePage = 0x3FFD;
}  // namespace mapi

/// Fields, text and times; attachments, direction by folder and the row's name are left to the caller.
Message message_from_mapi(const MapiProperties& properties,
                          const std::vector<const MapiProperties*>& recipients,
                          std::vector<MailProblem>& problems);

/// The best address of a party: SMTP, else an address with "@", else its name.
std::string party_of(const MapiProperties& party);

/// Whether the class is one of things that people send: notes, meetings, reports, posts; not contacts, tasks
/// or appointments of a calendar.
bool is_sent_class(std::string_view message_class);

/// Microseconds since 1970 of 100-nanosecond steps since 1601; absent for 0 and what no clock shows.
std::optional<std::int64_t> time_of_filetime(std::uint64_t filetime);

}  // namespace touchstone::mail
