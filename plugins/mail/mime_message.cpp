#include "mime_message.hpp"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <utility>

#include "html_text.hpp"

namespace touchstone::mail {
namespace {

constexpr std::size_t kMaxIds = 1000;

std::string text_or_empty(const char* text) {
  return text ? std::string(text) : std::string();
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string type_of(GMimeObject* object) {
  GMimeContentType* type = g_mime_object_get_content_type(object);
  if (!type) return "text/plain";
  return lower(text_or_empty(g_mime_content_type_get_media_type(type)) + "/" +
               text_or_empty(g_mime_content_type_get_media_subtype(type)));
}

std::string parameter(GMimeObject* object, const char* name) {
  return text_or_empty(g_mime_object_get_content_type_parameter(object, name));
}

std::string disposition(GMimeObject* object) {
  return lower(text_or_empty(g_mime_object_get_disposition(object)));
}

std::string name_of(GMimeObject* object) {
  std::string name = text_or_empty(g_mime_object_get_content_disposition_parameter(object, "filename"));
  return name.empty() ? parameter(object, "name") : name;
}

/// Ending of a name that a part without one is given.
std::string_view ending_of(std::string_view type) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kEndings = {
      {{"image/jpeg", ".jpg"},
       {"image/png", ".png"},
       {"image/gif", ".gif"},
       {"image/heic", ".heic"},
       {"image/webp", ".webp"},
       {"text/plain", ".txt"},
       {"text/html", ".html"},
       {"text/calendar", ".ics"},
       {"text/vcard", ".vcf"},
       {"application/pdf", ".pdf"},
       {"video/mp4", ".mp4"},
       {"audio/mpeg", ".mp3"},
       {"application/zip", ".zip"},
       {"message/rfc822", ".eml"}}};
  for (const auto& [each, ending] : kEndings)
    if (each == type) return ending;
  return type.starts_with("message/") ? ".eml" : ".bin";
}

std::string decoded(GMimeObject* object, std::size_t limit) {
  GMimeDataWrapper* content = GMIME_IS_PART(object) ? g_mime_part_get_content(GMIME_PART(object)) : nullptr;
  if (!content) return {};
  GMimeStream* stream = g_mime_data_wrapper_get_stream(content);
  g_mime_stream_reset(stream);
  GMimeStream* filtered = g_mime_stream_filter_new(stream);
  const GMimeContentEncoding encoding = g_mime_data_wrapper_get_encoding(content);
  if (GMimeFilter* filter = g_mime_filter_basic_new(encoding, FALSE)) {
    g_mime_stream_filter_add(GMIME_STREAM_FILTER(filtered), filter);
    g_object_unref(filter);
  }
  std::string out;
  std::array<char, 16384> block{};
  while (out.size() < limit) {
    const ssize_t got = g_mime_stream_read(filtered, block.data(), block.size());
    if (got <= 0) break;
    out.append(block.data(), static_cast<std::size_t>(got));
  }
  g_object_unref(filtered);
  return out;
}

bool is_utf8(std::string_view text) {
  return g_utf8_validate_len(text.data(), text.size(), nullptr) != FALSE;
}

bool converted(std::string_view bytes, const char* charset, std::string& out) {
  const iconv_t converter = iconv_open("UTF-8", charset);
  if (converter == reinterpret_cast<iconv_t>(-1)) return false;
  std::string input(bytes);
  char* from = input.data();
  std::size_t left = input.size();
  std::array<char, 8192> block{};
  while (left > 0) {
    char* to = block.data();
    std::size_t room = block.size();
    const std::size_t result = iconv(converter, &from, &left, &to, &room);
    out.append(block.data(), block.size() - room);
    if (result != static_cast<std::size_t>(-1) || errno == E2BIG) continue;
    out += "\xEF\xBF\xBD";
    ++from, --left;
  }
  iconv_close(converter);
  return true;
}

std::optional<MailTime> time_of(GDateTime* date, bool has_zone) {
  if (!date) return std::nullopt;
  const std::int64_t seconds = g_date_time_to_unix(date);
  if (!has_zone)
    return MailTime{(seconds + g_date_time_get_utc_offset(date) / G_USEC_PER_SEC) * 1'000'000, false};
  return MailTime{seconds * 1'000'000};
}

/// Whether a date says its zone; GMime takes one without for UTC.
bool says_zone(std::string_view date) {
  const std::size_t clock = date.find(':');
  if (clock == std::string_view::npos) return false;
  const std::string_view rest = date.substr(clock);
  const std::size_t sign = rest.find_first_of("+-");
  if (sign != std::string_view::npos && sign + 1 < rest.size() && rest[sign + 1] >= '0' &&
      rest[sign + 1] <= '9')
    return true;
  static constexpr std::array<std::string_view, 11> kZones = {"UT",  "GMT", "UTC", "EST", "EDT", "CST",
                                                              "CDT", "MST", "MDT", "PST", "PDT"};
  return std::any_of(kZones.begin(), kZones.end(),
                     [&](auto zone) { return rest.find(zone) != std::string_view::npos; }) ||
         rest.ends_with('Z');
}

std::optional<MailTime> parse_date(const std::string& text) {
  if (text.empty() || text.size() > 1000) return std::nullopt;
  std::string date = text;
  // "16 May 2016 at 09:30:32 GMT+1", as phones write it.
  if (const std::size_t at = date.find(" at "); at != std::string::npos) date.erase(at, 3);
  if (const std::size_t zone = date.find("GMT"); zone != std::string::npos && zone + 4 < date.size() &&
                                                 (date[zone + 3] == '+' || date[zone + 3] == '-')) {
    const std::size_t digits = date.find_first_not_of("0123456789", zone + 4);
    const std::size_t end = std::min(digits, date.size());
    const std::string hours = date.substr(zone + 4, end - zone - 4);
    if (hours.size() == 1 || hours.size() == 2)
      date.replace(zone, end - zone, date[zone + 3] + std::string(2 - hours.size(), '0') + hours + "00");
  }
  GDateTime* parsed = g_mime_utils_header_decode_date(date.c_str());
  auto time = time_of(parsed, says_zone(date));
  if (parsed) g_date_time_unref(parsed);
  return time;
}

/// What stands between the commas of a list, white space made one space.
std::vector<std::string> parts_of_list(std::string_view list) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (const char c : list) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ',' || c == ';')) {
      parts.emplace_back();
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      if (!parts.back().empty() && parts.back().back() != ' ') parts.back() += ' ';
    } else {
      parts.back() += c;
    }
  }
  for (std::string& part : parts)
    while (part.ends_with(' ')) part.pop_back();
  return parts;
}

std::vector<std::string> message_ids(const std::string& text) {
  std::vector<std::string> ids;
  std::size_t at = 0;
  while (ids.size() < kMaxIds && (at = text.find('<', at)) != std::string::npos) {
    const std::size_t end = text.find('>', at);
    if (end == std::string::npos) break;
    std::string id;
    for (std::size_t i = at; i <= end; ++i)
      if (static_cast<unsigned char>(text[i]) > ' ') id += text[i];
    if (id.size() > 2) ids.push_back(std::move(id));
    at = end + 1;
  }
  return ids;
}

}  // namespace

std::string text_of_charset(std::string_view bytes, std::string_view charset) {
  const std::string name = lower(std::string(charset));
  const bool plain = name.empty() || name == "us-ascii" || name == "ascii" || name == "utf-8" ||
                     name == "x-unknown" || name == "unknown-8bit";
  std::string out;
  if (plain || name == "iso-8859-1") {
    if (is_utf8(bytes) && (plain || std::none_of(bytes.begin(), bytes.end(), [](char c) { return c < 0; })))
      return std::string(bytes);
    // Latin-1 is named where Windows-1252 is meant, which has letters in place of control characters.
    if (name != "utf-8" && converted(bytes, "WINDOWS-1252", out)) return out;
    out.clear();
    if (name == "utf-8" && converted(bytes, "UTF-8", out)) return out;
  }
  out.clear();
  // Its table of names is made by this call; further ones do nothing.
  static const bool ready = (g_mime_init(), true);
  if (ready && !plain && name != "iso-8859-1" &&
      converted(bytes, g_mime_charset_iconv_name(name.c_str()), out))
    return out;
  if (is_utf8(bytes)) return std::string(bytes);
  out.clear();
  converted(bytes, "WINDOWS-1252", out);
  return out;
}

std::unique_ptr<MimeMessage> MimeMessage::parse(GByteArray* bytes) {
  static GMimeParserOptions* const options = [] {
    GMimeParserOptions* made = g_mime_parser_options_new();
    const char* charsets[] = {"utf-8", "windows-1252", nullptr};
    g_mime_parser_options_set_fallback_charsets(made, charsets);
    return made;
  }();
  GMimeStream* stream = g_mime_stream_mem_new_with_byte_array(bytes);
  g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), TRUE);
  GMimeParser* parser = g_mime_parser_new_with_stream(stream);
  g_mime_parser_set_format(parser, GMIME_FORMAT_MESSAGE);
  GMimeMessage* message = g_mime_parser_construct_message(parser, options);
  g_object_unref(parser);
  g_object_unref(stream);
  return message ? std::unique_ptr<MimeMessage>(new MimeMessage(message)) : nullptr;
}

MimeMessage::MimeMessage(GMimeMessage* message) : message_(message) {
  if (GMimeObject* root = g_mime_message_get_mime_part(message_)) walk(root, 0, "");
  if (body_.find("-----BEGIN PGP MESSAGE-----") != std::string::npos && !is_encrypted_) {
    is_encrypted_ = true;
    note("encrypted", "the text of the message is encrypted with PGP");
  }
}

MimeMessage::~MimeMessage() {
  g_object_unref(message_);
}

void MimeMessage::note(std::string kind, std::string text) {
  for (const MailProblem& each : problems_)
    if (each.text == text) return;
  problems_.push_back({std::move(kind), std::move(text)});
}

void MimeMessage::walk(GMimeObject* object, unsigned depth, const std::string& number) {
  if (++seen_ > kMaxParts)
    return note("limit", "the message has more than 10,000 parts: the others are left out");
  if (depth > kMaxDepth) {
    return note("limit", "parts of the message are nested more than 200 deep: what is in them is left out");
  }
  if (GMIME_IS_MULTIPART(object)) return walk_multipart(GMIME_MULTIPART(object), depth, number);
  leaf(object, number.empty() ? "1" : number);
}

void MimeMessage::walk_multipart(GMimeMultipart* multipart, unsigned depth, const std::string& number) {
  const std::string type = type_of(GMIME_OBJECT(multipart));
  if (type == "multipart/encrypted") {
    is_encrypted_ = true;
    note("encrypted",
         "the message is encrypted (" +
             text_or_empty(g_mime_object_get_content_type_parameter(GMIME_OBJECT(multipart), "protocol")) +
             "): its text and files cannot be read");
  }
  if (type == "multipart/alternative") return walk_alternative(multipart, depth, number);
  const int count = g_mime_multipart_get_count(multipart);
  for (int i = 0; i < count; ++i)
    walk(g_mime_multipart_get_part(multipart, i), depth + 1,
         number + (number.empty() ? "" : ".") + std::to_string(i + 1));
  if (count > 0) return;
  // A multipart that has lost its boundaries: its text is all there is.
  const std::string rest = text_or_empty(g_mime_multipart_get_prologue(multipart));
  if (!rest.empty()) {
    note("corrupt", "a multipart has no parts: what stands there is taken as text");
    if (body_.size() < kMaxText) body_ += text_of_charset(rest, "");
  }
}

/// Forms of the same text: the plain one is the body where it has words, the others are members.
void MimeMessage::walk_alternative(GMimeMultipart* multipart, unsigned depth, const std::string& number) {
  const std::string before = std::exchange(body_, {});
  const int count = g_mime_multipart_get_count(multipart);
  std::string chosen;
  for (int i = 0; i < count; ++i) {
    GMimeObject* part = g_mime_multipart_get_part(multipart, i);
    const std::string part_number = number + (number.empty() ? "" : ".") + std::to_string(i + 1);
    const std::string type = type_of(part);
    const bool has_words = chosen.find_first_not_of(" \t\r\n") != std::string::npos;
    if (has_words && type.starts_with("text/") && disposition(part) != "attachment") {
      if (++seen_ <= kMaxParts) add_part(part, part_number, true);
      continue;
    }
    walk(part, depth + 1, part_number);
    if (!has_words) chosen = body_;
    body_.clear();
  }
  body_ = before + (before.empty() || before.ends_with('\n') ? "" : "\n") + chosen;
}

void MimeMessage::leaf(GMimeObject* object, const std::string& number) {
  const std::string type = type_of(object);
  const bool is_text = type == "text/plain" || type == "text/html" || type == "text/enriched";
  if (type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime") {
    const std::string kind = lower(parameter(object, "smime-type"));
    if (kind != "signed-data" && kind != "certs-only") {
      is_encrypted_ = true;
      note("encrypted", "the message is encrypted with S/MIME: its text and files cannot be read");
    } else {
      note("unsupported",
           "the message stands inside an S/MIME signature, which is not opened; the signature is an item");
    }
  }
  if (is_text && GMIME_IS_PART(object) && disposition(object) != "attachment" && name_of(object).empty())
    return add_body(object, type);
  add_part(object, number, false);
}

void MimeMessage::add_body(GMimeObject* object, std::string_view type) {
  if (body_.size() >= kMaxText)
    return note("limit", "the text of the message is longer than 8 MiB and was cut");
  const std::string bytes = decoded(object, kMaxText);
  std::string text = text_of_charset(bytes, parameter(object, "charset"));
  if (type == "text/html") text = html_text(text);
  std::erase(text, '\r');
  if (!body_.empty() && !body_.ends_with('\n')) body_ += '\n';
  body_ += text;
}

void MimeMessage::add_part(GMimeObject* object, const std::string& number, bool is_body_form) {
  Part part;
  part.object = object;
  part.media_type = type_of(object);
  part.name = name_of(object);
  part.is_body_form = is_body_form;
  if (GMIME_IS_MESSAGE_PART(object) && part.name.empty()) {
    if (GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)))
      part.name = member_name(text_or_empty(g_mime_message_get_subject(inner)), "message") + ".eml";
  }
  part.path = member_name(part.name, "part-" + number + std::string(ending_of(part.media_type)));
  if (GMIME_IS_MESSAGE_PART(object)) part.path = std::string(kAttachedFolder) + part.path;
  const auto taken = [&](const Part& each) { return each.path == part.path; };
  // Parts of the same name are told apart by their place.
  if (parts_.size() > 500 || std::any_of(parts_.begin(), parts_.end(), taken))
    part.path = number + "/" + part.path;
  if (g_mime_object_get_header(object, "X-Apple-Content-Length"))
    part.external_path = number + "/" + member_name(part.name, "part");
  if (part.name.empty()) part.name = part.path;
  parts_.push_back(std::move(part));
}

std::string MimeMessage::field(const char* name) const {
  return text_or_empty(g_mime_object_get_header(GMIME_OBJECT(message_), name));
}

bool MimeMessage::has_field(const char* name) const {
  return g_mime_object_get_header(GMIME_OBJECT(message_), name) != nullptr;
}

bool MimeMessage::is_saved_page() const {
  const std::string from = field("From");
  return has_field("Snapshot-Content-Location") || from.starts_with("<Saved by ") ||
         from.starts_with("\"Saved by ") || from.starts_with("Saved by ");
}

std::string MimeMessage::decode(const Part& part, bool& is_whole) const {
  GMimeStream* memory = g_mime_stream_mem_new();
  is_whole = true;
  if (GMIME_IS_MESSAGE_PART(part.object)) {
    if (GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part.object)))
      is_whole = g_mime_object_write_to_stream(GMIME_OBJECT(inner), nullptr, memory) >= 0;
  } else if (GMIME_IS_PART(part.object)) {
    if (GMimeDataWrapper* content = g_mime_part_get_content(GMIME_PART(part.object)))
      is_whole = g_mime_data_wrapper_write_to_stream(content, memory) >= 0;
  }
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
  std::string out(reinterpret_cast<const char*>(bytes->data), bytes->len);
  g_object_unref(memory);
  return out;
}

void MimeMessage::parties(Message& out) const {
  const auto each = [&](InternetAddressList* list, const auto& take) {
    const auto walk_list = [&](InternetAddressList* addresses, const auto& self, int depth) -> void {
      const int count = addresses ? internet_address_list_length(addresses) : 0;
      for (int i = 0; i < count && i < 5000; ++i) {
        InternetAddress* address = internet_address_list_get_address(addresses, i);
        if (INTERNET_ADDRESS_IS_GROUP(address)) {
          if (depth < 4)
            self(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)), self, depth + 1);
        } else if (INTERNET_ADDRESS_IS_MAILBOX(address)) {
          std::string text =
              text_or_empty(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address)));
          if (text.empty()) text = text_or_empty(internet_address_get_name(address));
          take(text);
        }
      }
    };
    walk_list(list, walk_list, 0);
  };
  for (InternetAddressList* from : {g_mime_message_get_from(message_), g_mime_message_get_sender(message_)}) {
    if (out.sender.empty())
      each(from, [&](const std::string& text) {
        if (out.sender.empty()) out.sender = text;
      });
  }
  if (out.sender.empty()) out.sender = parts_of_list(field("From")).front();
  static constexpr std::array<std::pair<GMimeAddressType, const char*>, 3> kInds = {
      {{GMIME_ADDRESS_TYPE_TO, "To"}, {GMIME_ADDRESS_TYPE_CC, "Cc"}, {GMIME_ADDRESS_TYPE_BCC, "Bcc"}}};
  for (const auto& [kind, name] : kInds) {
    const std::size_t before = out.recipients.size();
    each(g_mime_message_get_addresses(message_, kind),
         [&](std::string text) { add_recipient(out, std::move(text)); });
    if (out.recipients.size() > before) continue;
    // Names without addresses, as exports of Exchange and Notes have them.
    for (std::string& part : parts_of_list(field(name))) add_recipient(out, std::move(part));
  }
}

void MimeMessage::times(Message& out) const {
  std::string date = field("Date");
  if (date.empty()) date = field("Sent");  // of what Outlook writes as text
  out.sent = parse_date(date);
  // The topmost Received is the last one, of the server that delivered it.
  const std::string received = field("Received");
  if (const std::size_t at = received.rfind(';'); at != std::string::npos)
    out.received =
        parse_date(received.substr(received.find_first_not_of(" \t\r\n", at + 1) == std::string::npos
                                       ? at + 1
                                       : received.find_first_not_of(" \t\r\n", at + 1)));
}

void MimeMessage::thread(Message& out) const {
  const auto own = message_ids(field("Message-ID"));
  if (!own.empty()) out.id = own.front();
  for (const char* name : {"References", "In-Reply-To"}) {
    const auto ids = message_ids(field(name));
    if (out.thread.empty() && !ids.empty()) out.thread = ids.front();
  }
  if (out.thread.empty()) out.thread = out.id;
}

Message MimeMessage::read() {
  Message out;
  parties(out);
  times(out);
  thread(out);
  out.subject = text_or_empty(g_mime_message_get_subject(message_));
  out.body = body_;
  out.source_row = out.id.empty() ? "1" : out.id;
  if (is_encrypted_) out.status.emplace_back("encrypted");
  for (const Part& part : parts_) {
    if (!part.is_body_form) out.attachments.push_back({part.name, part.media_type, part.path});
  }
  return out;
}

}  // namespace touchstone::mail
