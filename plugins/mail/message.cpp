#include "message.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <nlohmann/json.hpp>

namespace touchstone::mail {
namespace {

constexpr std::size_t kMaxRecipients = 5000;
constexpr std::size_t kMaxName = 200;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Fields of a record; owns the texts it is given.
struct Fields {
  std::vector<Field> list;
  std::deque<std::string> kept;  // a deque: views into it stay valid

  void text(std::string_view name, std::string value) {
    if (value.empty()) return;
    kept.push_back(std::move(value));
    list.push_back({name, Cell(std::string_view(kept.back()))});
  }
  void number(std::string_view name, std::int64_t value) { list.push_back({name, Cell(value)}); }
  void time(std::string_view column, std::string_view local_column, const std::optional<MailTime>& time) {
    if (!time) return;
    if (!time->has_zone) return number(local_column, time->us);
    number(column, time->us);
    if (list.empty() || basis_given_) return;
    basis_given_ = true;
    text("time_basis", time->is_utc_count ? "utc" : "offset");
  }

 private:
  bool basis_given_ = false;
};

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

}  // namespace

std::string_view direction_of_folder(std::string_view folder) {
  // English names, and those of German, French, Spanish, Italian, Dutch, Polish and Portuguese programs.
  static constexpr std::array<std::string_view, 22> kSent = {
      "sent",          "outbox",         "draft",      "gesendet",
      "postausgang",   "entwürfe",       "envoyés",    "éléments envoyés",
      "enviados",      "inviata",        "inviati",    "verzonden",
      "wysłane",       "brouillons",     "borradores", "elementos enviados",
      "posta inviata", "itens enviados", "bozze",      "rascunhos",
      "concepten",     "robocze"};
  static constexpr std::array<std::string_view, 6> kReceived = {
      "inbox", "posteingang", "boîte de réception", "posta in arrivo", "postvak in", "entrada"};
  const std::string name = lower(folder);
  const auto starts = [&](std::string_view each) { return name.starts_with(each); };
  if (std::any_of(kSent.begin(), kSent.end(), starts)) return "out";
  if (std::any_of(kReceived.begin(), kReceived.end(), starts)) return "in";
  return {};
}

std::string_view direction_of_path(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    std::string_view name = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
    if (name.starts_with('.') && name.size() > 1) name.remove_prefix(1);  // Maildir++ and hidden ones
    const std::string_view found = direction_of_folder(name);
    if (!found.empty()) return found;
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return {};
}

void add_recipient(Message& message, std::string address) {
  if (address.empty() || message.recipients.size() >= kMaxRecipients) return;
  if (std::find(message.recipients.begin(), message.recipients.end(), address) != message.recipients.end())
    return;
  message.recipients.push_back(std::move(address));
}

void emit_message(Job& job, const Message& message) {
  Fields fields;
  fields.text("account", message.account);
  fields.text("conversation", message.thread);
  fields.time("sent", "sent_local", message.sent);
  fields.time("received", "received_local", message.received);
  fields.text("direction", message.direction);
  fields.text("sender", message.sender);
  fields.text(
      "recipients",
      nlohmann::json(message.recipients).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  const bool both = !message.subject.empty() && !message.body.empty();
  fields.text("body", message.subject + (both ? "\n" : "") + message.body);
  fields.text("status", joined(message.status));
  if (message.deleted) fields.number("deleted", *message.deleted ? 1 : 0);
  if (message.recovered) fields.number("recovered", 1);
  const std::string key =
      job.emit_record("message", "email", message.source_table, message.source_row, fields.list);
  std::int64_t ordinal = 0;
  for (const Attached& attached : message.attachments) {
    Fields file;
    file.text("name", attached.name);
    file.text("path", attached.path);
    file.text("media_type", attached.media_type);
    file.text("message_key", key);
    file.number("ordinal", ordinal);
    job.emit_record("attachment", "email", message.source_table,
                    message.source_row + "#" + std::to_string(ordinal + 1), file.list);
    ++ordinal;
  }
}

std::string member_name(std::string_view name, std::string_view otherwise) {
  std::string out;
  for (const char c : name) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == '\x7F';
    if (!control) out += c == '/' || c == '\\' ? '_' : c;
  }
  while (!out.empty() && (out.back() == ' ' || out.back() == '.')) out.pop_back();
  if (out.size() > kMaxName) {
    std::size_t end = kMaxName;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U) --end;
    out.resize(end);
  }
  return out.empty() ? std::string(otherwise) : out;
}

}  // namespace touchstone::mail
