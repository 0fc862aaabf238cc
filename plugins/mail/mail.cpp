// mail: messages of e-mail as records, their attachments and attached messages as members. Which kind of file
// it is is told from its bytes: one message (.eml, Maildir, .emlx of Apple Mail) or an mbox, whose messages
// are members that are read in turn. An Outlook message or data file gives
// records of all messages in it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>

#include "mail_form.hpp"
#include "mailbox_flags.hpp"
#include "message.hpp"
#include "mime_message.hpp"
#include "outlook_items.hpp"

namespace touchstone::mail {
namespace {

// As libmagic names them; mails are often told as text, or as what their first lines look like.
constexpr const char* kTypes[] = {"message/*",
                                  "text/*",
                                  "application/mbox",
                                  "application/mac-binhex40",
                                  "application/octet-stream",
                                  "application/vnd.ms-outlook",
                                  "application/x-ole-storage",
                                  "application/CDFV2*",
                                  nullptr};

constexpr std::size_t kBlock = 1U << 20U;
constexpr std::size_t kMaxProblems = 100;

std::string read_head(const Job& job) {
  std::string head(static_cast<std::size_t>(std::min<std::uint64_t>(job.size(), kFormHead)), '\0');
  const auto got = job.read_at(0, {reinterpret_cast<std::uint8_t*>(head.data()), head.size()});
  head.resize(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
  return head;
}

/// libmagic does not know a damaged .msg: then the names in it tell.
MailForm form_of_item(const Job& job, std::string_view head) {
  const MailForm form = form_of(head, job.media_type());
  return form == MailForm::none && is_outlook_message(job, head) ? MailForm::outlook_message : form;
}

/// A mail in memory, and what stands around it.
struct OpenedMail {
  std::unique_ptr<MimeMessage> mime;
  std::string tail;  ///< the property list of an .emlx
  bool is_cut = false;
};

OpenedMail open_mail(const Job& job, MailForm form, std::string_view head) {
  constexpr std::uint64_t kMostTail = 64 * 1024;
  std::uint64_t offset = 0, length = job.size();
  OpenedMail opened;
  if (const auto extent = form == MailForm::emlx ? emlx_extent(head) : std::nullopt) {
    offset = extent->offset;
    length = std::min(extent->length, job.size() - offset);
    const std::uint64_t end = offset + length;
    opened.tail.resize(static_cast<std::size_t>(std::min(job.size() - end, kMostTail)));
    const auto got =
        job.read_at(end, {reinterpret_cast<std::uint8_t*>(opened.tail.data()), opened.tail.size()});
    opened.tail.resize(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
  }
  opened.is_cut = length > MimeMessage::kMaxBytes;
  const auto want = static_cast<guint>(std::min(length, MimeMessage::kMaxBytes));
  GByteArray* bytes = g_byte_array_sized_new(want);
  g_byte_array_set_size(bytes, want);
  const auto got = job.read_at(offset, {bytes->data, want});
  g_byte_array_set_size(bytes, static_cast<guint>(std::max<std::int64_t>(got, 0)));
  opened.mime = MimeMessage::parse(bytes);
  return opened;
}

struct Piece {
  std::string_view bytes;
  static std::int64_t pull(void* context, std::uint8_t* out, std::size_t capacity) {
    auto& rest = static_cast<Piece*>(context)->bytes;
    const std::size_t count = std::min(capacity, rest.size());
    std::copy_n(rest.data(), count, reinterpret_cast<char*>(out));
    rest.remove_prefix(count);
    return static_cast<std::int64_t>(count);
  }
};

struct Range {
  const Job* job;
  std::uint64_t offset, left;
  static std::int64_t pull(void* context, std::uint8_t* out, std::size_t capacity) {
    auto& range = *static_cast<Range*>(context);
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(capacity, range.left));
    if (want == 0) return 0;
    const auto got = range.job->read_at(range.offset, {out, want});
    if (got <= 0) return -1;
    range.offset += static_cast<std::uint64_t>(got);
    range.left -= static_cast<std::uint64_t>(got);
    return got;
  }
};

struct Reading {
  const OutlookFile* file;
  std::uint64_t offset = 0;
  static std::int64_t pull(void* context, std::uint8_t* out, std::size_t capacity) {
    auto& reading = *static_cast<Reading*>(context);
    const std::int64_t got = reading.file->read(reading.offset, {out, capacity});
    if (got > 0) reading.offset += static_cast<std::uint64_t>(got);
    return got;
  }
};

ts_member member_of(std::uint32_t ordinal, std::string_view path, std::uint64_t size) {
  ts_member member{};
  member.struct_size = sizeof(ts_member);
  member.ordinal = ordinal;
  member.path = to_abi(path);
  member.size = size;
  return member;
}

class Mail final : public Plugin {
 public:
  static constexpr Manifest kManifest{.name = "mail",
                                      .version = "1.0",
                                      .summary = "Messages of e-mail, with their attachments as members",
                                      .licence = "Apache-2.0",
                                      .roles = TS_ROLE_EXTRACTOR,
                                      .scope = TS_SCOPE_ITEM,
                                      .inputs = TS_INPUT_MEMBERS,
                                      .media_types = kTypes,
                                      .min_size = 16};

  explicit Mail(Setup& setup) {
    g_mime_init();
    // The tables of iconv are loaded when they are first asked for.
    for (const char* charset : {"UTF-16", "WINDOWS-1252", "ISO-2022-JP", "GB18030", "KOI8-R"})
      text_of_charset("x", charset);
    setup.declare_rule("message", "1", "Messages of e-mail");
  }

  ts_status begin(Job&) override { return TS_OK; }

  ts_status finish(Job& job) override {
    const std::string head = read_head(job);
    const MailForm form = form_of_item(job, head);
    if (form == MailForm::message || form == MailForm::emlx) examine_message(job, form, head);
    if (is_outlook(form)) examine_outlook(job, form);
    return TS_OK;
  }

  ts_status list(Job& job) override {
    const std::string head = read_head(job);
    const MailForm form = form_of_item(job, head);
    if (form == MailForm::mbox) return list_mbox(job);
    if (is_outlook(form)) return list_outlook(job, form);
    if (form != MailForm::message && form != MailForm::emlx) return TS_OK;
    const OpenedMail opened = open_mail(job, form, head);
    if (!opened.mime) return TS_OK;
    std::uint32_t ordinal = 0;
    for (const auto& part : opened.mime->parts()) {
      bool is_whole = true;
      const std::uint32_t own = ordinal++;
      if (!part.external_path.empty()) continue;
      if (!job.emit_member(member_of(own, part.path, opened.mime->decode(part, is_whole).size()))) break;
    }
    return TS_OK;
  }

  ts_status extract(Job& job, std::uint32_t first, std::uint32_t count) override {
    const std::string head = read_head(job);
    const MailForm form = form_of_item(job, head);
    if (form == MailForm::mbox) return extract_mbox(job, first, count);
    if (is_outlook(form)) return extract_outlook(job, form, first, count);
    if (form != MailForm::message && form != MailForm::emlx) return TS_OK;
    const OpenedMail opened = open_mail(job, form, head);
    if (!opened.mime) return TS_CORRUPT;
    const auto& parts = opened.mime->parts();
    for (std::uint32_t i = first; i < parts.size() && i - first < count && !job.cancelled(); ++i) {
      if (!parts[i].external_path.empty()) continue;
      bool is_whole = true;
      const std::string bytes = opened.mime->decode(parts[i], is_whole);
      Piece piece{bytes};
      if (!job.emit_member_data(i, Piece::pull, &piece)) break;
    }
    return TS_OK;
  }

 private:
  static void examine_message(Job& job, MailForm form, std::string_view head) {
    const OpenedMail opened = open_mail(job, form, head);
    if (!opened.mime) return job.emit_problem("corrupt", "the mail has no form that can be read");
    if (opened.is_cut)
      job.emit_problem("limit", "the mail is larger than 256 MiB: only its first 256 MiB are read");
    if (opened.mime->is_saved_page()) return;
    Message message = opened.mime->read();
    const auto& parts = opened.mime->parts();
    add_flags(message, *opened.mime, opened.tail, job.path());
    std::size_t at = 0;
    for (const auto& part : parts) {
      if (part.is_body_form) continue;
      // Apple Mail keeps attachments beside the folder of messages, by the message's number.
      if (!part.external_path.empty())
        message.attachments.at(at).path =
            fmt::format("Attachments/{}/{}", emlx_number(job.path()), part.external_path);
      ++at;
    }
    if (message.direction == "unknown") message.direction = direction_of(job, *opened.mime);
    emit_message(job, message);
    for (const MailProblem& problem : opened.mime->problems()) job.emit_problem(problem.kind, problem.text);
  }

  /// Whose copy it is, as far as the folder or the transport tells. What is attached to another mail tells
  /// nothing.
  static std::string direction_of(const Job& job, const MimeMessage& mime) {
    const std::string_view locator = job.locator();
    const std::size_t inner = locator.rfind("!/");
    if (inner != std::string_view::npos &&
        locator.substr(inner + 2).find(kAttachedFolder) != std::string_view::npos)
      return "unknown";
    const std::string_view by_folder = direction_of_path(locator);
    if (!by_folder.empty()) return std::string(by_folder);
    return mime.has_field("Received") || mime.has_field("Delivered-To") ? "in" : "unknown";
  }

  /// Where the messages are; the last mbox is remembered, since it is asked for group after group.
  const std::vector<MboxEntry>& mbox_entries(Job& job) {
    const std::string digest(job.digest("sha256"));
    if (splitter_ && !digest.empty() && digest == digest_) return splitter_->finish();
    splitter_ = std::make_unique<MboxSplitter>();
    digest_ = digest;
    std::string block(kBlock, '\0');
    for (std::uint64_t offset = 0; offset < job.size() && !job.cancelled();) {
      const auto got = job.read_at(offset, {reinterpret_cast<std::uint8_t*>(block.data()), block.size()});
      if (got <= 0) break;
      splitter_->feed(std::string_view(block).substr(0, static_cast<std::size_t>(got)));
      offset += static_cast<std::uint64_t>(got);
    }
    return splitter_->finish();
  }

  ts_status list_mbox(Job& job) {
    const auto& entries = mbox_entries(job);
    for (std::uint32_t i = 0; i < entries.size(); ++i) {
      if (!job.emit_member(member_of(i, fmt::format("{:06}.eml", i + 1), entries[i].length))) break;
    }
    if (splitter_->is_cut()) {
      job.emit_problem("limit", fmt::format("the mailbox has more than {} messages: the others are left out",
                                            MboxSplitter::kMaxMessages));
    }
    return TS_OK;
  }

  ts_status extract_mbox(Job& job, std::uint32_t first, std::uint32_t count) {
    const auto& entries = mbox_entries(job);
    for (std::uint32_t i = first; i < entries.size() && i - first < count && !job.cancelled(); ++i) {
      Range range{&job, entries[i].offset, entries[i].length};
      if (!job.emit_member_data(i, Range::pull, &range)) break;
    }
    return TS_OK;
  }

  static bool is_outlook(MailForm form) {
    return form == MailForm::outlook_message || form == MailForm::personal_store;
  }
  static bool walk(const Job& job, MailForm form, const OutlookVisitor& visitor) {
    return form == MailForm::personal_store ? walk_personal_store(job, visitor)
                                            : walk_outlook_message(job, visitor);
  }

  static void examine_outlook(Job& job, MailForm form) {
    std::set<std::string> told;
    OutlookVisitor visitor;
    visitor.message = [&](const Message& message) {
      Message out = message;
      if (out.direction == "unknown" && form == MailForm::outlook_message && out.source_row == "root")
        out.direction = direction_or_unknown(direction_of_path(job.locator()));
      emit_message(job, out);
      return !job.cancelled();
    };
    visitor.problem = [&](std::string_view kind, const std::string& text) {
      if (told.size() < kMaxProblems && told.insert(text).second) job.emit_problem(kind, text);
    };
    walk(job, form, visitor);
  }
  static std::string direction_or_unknown(std::string_view direction) {
    return std::string(direction.empty() ? "unknown" : direction);
  }

  static ts_status list_outlook(Job& job, MailForm form) {
    OutlookVisitor visitor;
    visitor.file = [&](std::uint32_t ordinal, const OutlookFile& file) {
      return job.emit_member(member_of(ordinal, file.path, file.size));
    };
    visitor.problem = [](std::string_view, const std::string&) {};  // told when it was examined
    walk(job, form, visitor);
    return TS_OK;
  }

  static ts_status extract_outlook(Job& job, MailForm form, std::uint32_t first, std::uint32_t count) {
    OutlookVisitor visitor;
    visitor.file = [&](std::uint32_t ordinal, const OutlookFile& file) {
      if (ordinal < first) return true;
      if (ordinal - first >= count) return false;
      Reading reading{&file};
      return job.emit_member_data(ordinal, Reading::pull, &reading);
    };
    visitor.problem = [](std::string_view, const std::string&) {};
    walk(job, form, visitor);
    return TS_OK;
  }

  std::unique_ptr<MboxSplitter> splitter_;
  std::string digest_;
};

}  // namespace
}  // namespace touchstone::mail

TOUCHSTONE_PLUGIN(touchstone::mail::Mail)
