#include "mapi_message.hpp"

#include <algorithm>
#include <array>

#include "html_text.hpp"
#include "rtf_text.hpp"

namespace touchstone::mail {
namespace {

bool has_words(const std::optional<std::string>& text) {
  return text && text->find_first_not_of(" \t\r\n") != std::string::npos;
}

std::string first_text(const MapiProperties& from, std::initializer_list<std::uint16_t> numbers) {
  for (const std::uint16_t number : numbers)
    if (auto text = from.text(number); text && !text->empty()) return *text;
  return {};
}

std::string sender_of(const MapiProperties& message) {
  constexpr std::uint16_t kSenderSmtp = 0x5D01, kForSmtp = 0x5D02, kSenderAddress = 0x0C1F,
                          kForAddress = 0x0065;
  constexpr std::uint16_t kSenderName = 0x0C1A, kForName = 0x0042;
  for (const std::uint16_t number : {kForSmtp, kSenderSmtp, kForAddress, kSenderAddress})
    if (auto text = message.text(number); text && text->find('@') != std::string::npos) return *text;
  return first_text(message, {kForName, kSenderName, kForAddress, kSenderAddress});
}

std::string body_of(const MapiProperties& message, std::vector<MailProblem>& problems) {
  if (auto text = message.text(mapi::kBody); has_words(text)) {
    std::erase(*text, '\r');
    return *text;
  }
  if (auto html = message.binary(mapi::kHtml); has_words(html))
    return html_text(text_of_code_page(*html, message.integer(mapi::kInternetPage).value_or(65001)));
  if (auto html = message.text(mapi::kHtml); has_words(html)) return html_text(*html);
  if (const auto packed = message.binary(mapi::kRtf); packed && !packed->empty()) {
    if (const auto rtf = unpack_rtf(*packed, MimeMessage::kMaxText))
      return rtf_text(*rtf, MimeMessage::kMaxText);
    problems.push_back({"corrupt", "the formatted text of the message cannot be unpacked"});
  }
  return {};
}

std::string first_id(const std::string& text) {
  const std::size_t open = text.find('<'), close = text.find('>', open == std::string::npos ? 0 : open);
  return open == std::string::npos || close == std::string::npos ? std::string()
                                                                 : text.substr(open, close - open + 1);
}

std::string hexadecimal(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15U];
  }
  return out;
}

void set_thread(const MapiProperties& properties, Message& out) {
  out.id = first_id(properties.text(mapi::kMessageId).value_or(""));
  for (const std::uint16_t number : {mapi::kReferences, mapi::kReplyTo})
    if (out.thread.empty()) out.thread = first_id(properties.text(number).value_or(""));
  if (!out.thread.empty()) return;
  // Exchange's own: the first 22 bytes are the same in all of a conversation.
  constexpr std::size_t kRoot = 22;
  if (const auto index = properties.binary(mapi::kIndex); index && index->size() > kRoot) {
    out.thread = "conversation " + hexadecimal(std::string_view(*index).substr(6, kRoot - 6));
  }
  if (out.thread.empty()) out.thread = out.id;
}

}  // namespace

std::optional<std::int64_t> time_of_filetime(std::uint64_t filetime) {
  constexpr std::uint64_t kAt1970 = 116'444'736'000'000'000, kAt2200 = 189'000'000'000'000'000;
  if (filetime == 0 || filetime > kAt2200) return std::nullopt;
  return (static_cast<std::int64_t>(filetime) - static_cast<std::int64_t>(kAt1970)) / 10;
}

std::string party_of(const MapiProperties& party) {
  for (const std::uint16_t number : {mapi::kSmtpAddress, mapi::kAddress})
    if (auto text = party.text(number); text && text->find('@') != std::string::npos) return *text;
  return first_text(party, {mapi::kDisplayName, mapi::kAddress});
}

bool is_sent_class(std::string_view message_class) {
  std::string name(message_class.substr(0, 64));
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  static constexpr std::array<std::string_view, 5> kEpt = {"ipm.note", "ipm.post", "ipm.schedule", "report.",
                                                           "ipm.outlook.recall"};
  return name.empty() || name == "ipm" ||
         std::any_of(kEpt.begin(), kEpt.end(), [&](auto each) { return name.starts_with(each); });
}

Message message_from_mapi(const MapiProperties& properties,
                          const std::vector<const MapiProperties*>& recipients,
                          std::vector<MailProblem>& problems) {
  constexpr std::int64_t kRead = 0x01, kUnsent = 0x08, kFromMe = 0x20;
  Message out;
  out.subject = properties.text(mapi::kSubject).value_or("");
  // Outlook puts 0x01 and a length before it, where a prefix such as "Re:" ends.
  if (out.subject.size() >= 2 && out.subject[0] == '\x01') out.subject.erase(0, 2);
  out.sender = sender_of(properties);
  for (std::int64_t type = 1; type <= 3; ++type) {
    for (const MapiProperties* each : recipients)
      if ((each->integer(mapi::kRecipientType).value_or(1) & 0xF) == type)
        add_recipient(out, party_of(*each));
  }
  if (const auto sent = properties.time(mapi::kSubmitTime)) out.sent = MailTime{*sent, true, true};
  if (const auto received = properties.time(mapi::kDeliveryTime))
    out.received = MailTime{*received, true, true};
  out.body = body_of(properties, problems);
  set_thread(properties, out);
  const std::int64_t flags = properties.integer(mapi::kFlags).value_or(0);
  if ((flags & kUnsent) != 0) out.status.emplace_back("draft");
  out.status.emplace_back((flags & kRead) != 0 ? "read" : "unread");
  if ((flags & (kUnsent | kFromMe)) != 0) out.direction = "out";
  const std::string kind = properties.text(mapi::kMessageClass).value_or("");
  if (kind.starts_with("IPM.Note.SMIME") && kind != "IPM.Note.SMIME.MultipartSigned") {
    out.status.emplace_back("encrypted");
    problems.push_back(
        {"encrypted", "the message is encrypted or signed with S/MIME: its text and files cannot be read"});
  }
  return out;
}

}  // namespace touchstone::mail
