// A message of RFC 5322 and MIME, read by GMime from memory: its fields and text as a Message, its other
// parts as members. Parts are decoded when they are asked for. Nesting ends where GMime ends it (1,024
// multiparts); parts, members and text are bounded here, and what is left out is in problems(). Takes any
// bytes; one thread.
#pragma once

#include <gmime/gmime.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "message.hpp"

namespace touchstone::mail {

struct MailProblem {
  std::string kind, text;
};

/// Where messages stand that are attached to another one.
inline constexpr std::string_view kAttachedFolder = "attached/";

class MimeMessage {
 public:
  /// Larger messages are not read. The host's own bound of a member is the same.
  static constexpr std::uint64_t kMaxBytes = 256ULL << 20U;
  static constexpr std::size_t kMaxParts = 10'000;
  static constexpr unsigned kMaxDepth = 200;
  /// Text of a body that is kept; the host cuts at 1 MiB, markup is more than its text.
  static constexpr std::size_t kMaxText = 8U << 20U;

  /// Takes `bytes`. Absent if GMime makes no message of them.
  static std::unique_ptr<MimeMessage> parse(GByteArray* bytes);
  ~MimeMessage();
  MimeMessage(const MimeMessage&) = delete;
  MimeMessage& operator=(const MimeMessage&) = delete;

  /// A part that is a member: an attachment, a picture inside, a message, a second form of the text.
  struct Part {
    std::string name, media_type;
    std::string path;           ///< unique in the message
    std::string external_path;  ///< of an .emlx whose attachments lie beside it; then there is no member
    bool is_body_form = false;  ///< the text again, as HTML: a member, not an attachment
    GMimeObject* object = nullptr;
  };

  const std::vector<Part>& parts() const { return parts_; }
  const std::vector<MailProblem>& problems() const { return problems_; }
  /// Fields, text, attachments; direction and what the place of the file tells are left to the caller.
  Message read();
  /// A page that a browser saved (MHTML): members, but no message that anybody sent.
  bool is_saved_page() const;
  /// First field of the name, decoded; empty without one.
  std::string field(const char* name) const;
  bool has_field(const char* name) const;

  /// Bytes of a part; `is_whole` is false where they could not all be decoded.
  std::string decode(const Part& part, bool& is_whole) const;

 private:
  explicit MimeMessage(GMimeMessage* message);
  void walk(GMimeObject* object, unsigned depth, const std::string& number);
  void walk_multipart(GMimeMultipart* multipart, unsigned depth, const std::string& number);
  void walk_alternative(GMimeMultipart* multipart, unsigned depth, const std::string& number);
  void leaf(GMimeObject* object, const std::string& number);
  void add_part(GMimeObject* object, const std::string& number, bool is_body_form);
  void add_body(GMimeObject* object, std::string_view subtype);
  void note(std::string kind, std::string text);
  void parties(Message& out) const;
  void times(Message& out) const;
  void thread(Message& out) const;

  GMimeMessage* message_ = nullptr;
  std::vector<Part> parts_;
  std::vector<MailProblem> problems_;
  std::string body_;
  std::size_t seen_ = 0;
  bool is_encrypted_ = false;
};

/// Text in UTF-8, of bytes in the charset that a mail names; where it names none, or one that is not known,
/// UTF-8 or Windows-1252 by their form.
std::string text_of_charset(std::string_view bytes, std::string_view charset);

}  // namespace touchstone::mail
