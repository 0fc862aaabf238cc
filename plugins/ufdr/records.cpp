#include "records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>

namespace touchstone::ufdr {
namespace {

constexpr std::string_view kParsedBy = "as parsed by Cellebrite";
/// Types that are named in the problem about those that are no records.
constexpr std::size_t kTypesNamed = 30;
/// A report may forge any number of types.
constexpr std::size_t kTypesCounted = 1000;

std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string status_text(std::string_view said) {
  return said.empty() ? std::string(kParsedBy) : fmt::format("{}, {}", said, kParsedBy);
}

/// A party as one text: the identifier, or the name where there is none.
std::string party_text(const Model& party) {
  const std::string_view identifier = party.field("Identifier");
  return std::string(identifier.empty() ? party.field("Name") : identifier);
}

std::string_view first_of(const Model& model, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const std::string_view value = model.field(name); !value.empty()) return value;
  return {};
}

bool is_owner(const Model& party) {
  return parse_flag(party.field("IsPhoneOwner")) == true;
}

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace

/// Fields of one record; owns the texts it is given.
struct RecordMaker::Fields {
  std::vector<Field> list;
  std::deque<std::string> kept;  // a deque: views into it stay valid

  void text(std::string_view name, std::string value) {
    if (value.empty()) return;
    kept.push_back(std::move(value));
    list.push_back({name, Cell(std::string_view(kept.back()))});
  }
  void number(std::string_view name, std::int64_t value) { list.push_back({name, Cell(value)}); }
  void real(std::string_view name, double value) { list.push_back({name, Cell(value)}); }
};

/// Who is in a message: the owner of the phone, and the others.
struct RecordMaker::Parties {
  std::vector<std::string> all, owners;

  void add(const std::vector<Model>& models) {
    for (const Model& model : models) {
      const std::string text = party_text(model);
      if (text.empty() || std::find(all.begin(), all.end(), text) != all.end()) continue;
      all.push_back(text);
      if (is_owner(model)) owners.push_back(text);
    }
  }
  bool has_owner(std::string_view text) const {
    return std::find(owners.begin(), owners.end(), text) != owners.end();
  }
  std::vector<std::string> without(std::string_view text) const {
    std::vector<std::string> rest;
    for (const std::string& each : all)
      if (each != text) rest.push_back(each);
    return rest;
  }
};

void RecordMaker::take(const Model& model) {
  if (model.type == "Chat") return chat(model);
  if (model.type == "InstantMessage") return message(model, nullptr, {});
  if (model.type == "SMS" || model.type == "MMS") return text_message(model);
  if (model.type == "Email") return email(model);
  if (model.type == "Call") return call(model);
  if (model.type == "Contact") return contact(model);
  if (model.type == "UserAccount") return account(model);
  if (model.type == "Location") return location(model);
  if (model.type == "VisitedPage") return visit(model, "visit");
  if (model.type == "SearchedItem") return visit(model, "search");
  if (model.type == "FileDownload") return visit(model, "download");
  if (not_taken_.size() < kTypesCounted || not_taken_.contains(model.type)) ++not_taken_[model.type];
}

void RecordMaker::tell() {
  const auto say = [&](std::string_view kind, std::uint64_t count, std::string_view what) {
    if (count > 0) job_->emit_problem(kind, fmt::format("the Cellebrite report: {} {}", count, what));
  };
  const ReadNotes& notes = reader_->notes();
  say("limit", notes.cut_texts, "texts are longer than 1 MiB and were cut");
  say("limit", notes.large_models, "entries have more than 64 MiB of text: what is behind it was left out");
  say("limit", notes.files_forgotten,
      "files are not remembered: attachments that only refer to them have no path");
  say("corrupt", bad_times_, "times have no form of one and were left empty");
  if (not_taken_.empty()) return;
  std::uint64_t count = 0;
  std::string types;
  std::size_t named = 0;
  for (const auto& [type, each] : not_taken_) {
    count += each;
    if (++named <= kTypesNamed) types += fmt::format("{}{} ({})", types.empty() ? "" : ", ", type, each);
  }
  say("unsupported", count,
      fmt::format("entries are of kinds that are no records here: {}{}", types,
                  named > kTypesNamed ? " and others" : ""));
}

void RecordMaker::add_time(Fields& fields, std::string_view column, std::string_view text) {
  if (text.empty()) return;
  const auto time = parse_time(text);
  if (!time) {
    ++bad_times_;
  } else if (time->local) {
    // The host makes it a time of the exhibit's zone, and marks it as assumed.
    fields.kept.push_back(std::string(column) + "_local");
    fields.list.push_back({fields.kept.back(), Cell(time->us)});
  } else {
    fields.number(column, time->us);
    fields.text("time_basis", time->offset ? "offset" : "utc");
  }
}

std::string RecordMaker::emit(std::string_view kind, const Model& model, std::string_view source,
                              Fields& fields) {
  const bool has_deleted = kind == "message" || kind == "call";
  if (has_deleted && model.deleted_state == "Deleted") fields.number("deleted", 1);
  if (has_deleted && model.deleted_state == "Intact") fields.number("deleted", 0);
  return job_->emit_record(kind, source.empty() ? std::string("ufdr") : fmt::format("ufdr:{}", source),
                           model.type, model.id, fields.list);
}

void RecordMaker::chat(const Model& model) {
  Parties participants;
  participants.add(model.list("Participants"));
  for (const Model& each : model.list("Messages")) message(each, &model, participants);
}

void RecordMaker::message(const Model& model, const Model* chat, const Parties& participants) {
  Fields fields;
  const auto& from = model.list("From");
  const std::string sender = from.empty() ? std::string() : party_text(from.front());
  const std::string_view account = chat ? chat->field("Account") : model.field("Account");
  const bool by_owner =
      !sender.empty() && (is_owner(from.front()) || participants.has_owner(sender) || sender == account);
  // Without a word on who owns the phone, a sender is just a sender.
  const bool owner_known = !participants.owners.empty() || !account.empty() ||
                           (!from.empty() && parse_flag(from.front().field("IsPhoneOwner")).has_value());
  Parties to;
  to.add(model.list("To"));
  std::vector<std::string> recipients = to.all.empty() ? participants.without(sender) : to.all;
  fields.text("account", std::string(account));
  if (chat) {
    const std::string_view thread = first_of(*chat, {"Id", "Name"});
    fields.text("conversation", thread.empty() ? chat->id : std::string(thread));
  }
  fields.text("direction", sender.empty() ? "unknown" : by_owner ? "out" : owner_known ? "in" : "unknown");
  fields.text("sender", sender);
  fields.text("recipients", dump(recipients));
  const std::string_view subject = model.field("Subject"), body = model.field("Body");
  fields.text("body", subject.empty() ? std::string(body) : fmt::format("{}\n{}", subject, body));
  fields.text("status", status_text(model.field("Status")));
  add_time(fields, "sent", model.field("TimeStamp"));
  std::string_view source = first_of(model, {"SourceApplication", "Source"});
  if (source.empty() && chat) source = chat->field("Source");
  attachments(model, emit("message", model, source, fields));
}

void RecordMaker::text_message(const Model& model) {
  Fields fields;
  std::vector<std::string> from, to, others;
  for (const Model& party : model.list("Parties")) {
    const std::string text = party_text(party), role = folded(party.field("Role"));
    if (text.empty()) continue;
    if (role == "from") from.push_back(text);
    if (role == "to") to.push_back(text);
    if (!is_owner(party)) others.push_back(text);
  }
  for (const Model& party : model.list("From")) from.push_back(party_text(party));
  for (const Model& party : model.list("To")) to.push_back(party_text(party));
  const std::string folder = folded(model.field("Folder")), status = folded(model.field("Status"));
  const bool sent = folder.find("sent") != std::string::npos || folder.find("outbox") != std::string::npos ||
                    folder.find("draft") != std::string::npos || status == "sent" || status == "unsent";
  const bool received = folder.find("inbox") != std::string::npos || status == "read" || status == "unread";
  const bool outgoing = sent || (!received && from.empty() && !to.empty());
  const bool incoming = !outgoing && (received || (!from.empty() && to.empty()));
  fields.text("direction", outgoing ? "out" : incoming ? "in" : "unknown");
  if (!from.empty()) fields.text("sender", from.front());
  fields.text("recipients", dump(to));
  std::sort(others.begin(), others.end());
  if (!others.empty()) fields.text("conversation", fmt::format("{}", fmt::join(others, ", ")));
  const std::string_view subject = model.field("Subject"), body = model.field("Body");
  fields.text("body", subject.empty() ? std::string(body) : fmt::format("{}\n{}", subject, body));
  const std::string_view said = model.field("Status"), box = model.field("Folder");
  fields.text("status", status_text(said.empty() || box.empty() ? fmt::format("{}{}", said, box)
                                                                : fmt::format("{}, {}", box, said)));
  add_time(fields, "sent", model.field("TimeStamp"));
  const std::string_view source = model.field("Source");
  attachments(model, emit("message", model, source.empty() ? std::string_view(model.type) : source, fields));
}

void RecordMaker::email(const Model& model) {
  Fields fields;
  Parties to;
  for (const char* list : {"To", "Cc", "Bcc"}) to.add(model.list(list));
  const auto& from = model.list("From");
  const std::string sender = from.empty() ? std::string() : party_text(from.front());
  const std::string account(model.field("Account")), folder = folded(model.field("Folder"));
  const bool outgoing = (!account.empty() && sender == account) || folder.find("sent") != std::string::npos;
  const bool incoming = !outgoing && (folder.find("inbox") != std::string::npos ||
                                      std::find(to.all.begin(), to.all.end(), account) != to.all.end());
  fields.text("account", account);
  fields.text("direction", outgoing ? "out" : incoming ? "in" : "unknown");
  fields.text("sender", sender);
  fields.text("recipients", dump(to.all));
  const std::string_view subject = model.field("Subject"), body = model.field("Body");
  fields.text("body", subject.empty() ? std::string(body) : fmt::format("{}\n{}", subject, body));
  fields.text("conversation", std::string(subject));
  fields.text("status", status_text(model.field("Status")));
  add_time(fields, "sent", model.field("TimeStamp"));
  const std::string_view source = model.field("Source");
  attachments(model, emit("message", model, source.empty() ? std::string_view("Email") : source, fields));
}

void RecordMaker::call(const Model& model) {
  Fields fields;
  std::vector<std::string> others;
  std::string role;
  for (const Model& party : model.list("Parties")) {
    if (is_owner(party)) continue;
    if (std::string text = party_text(party); !text.empty()) others.push_back(std::move(text));
    if (role.empty()) role = folded(party.field("Role"));
  }
  const std::string said = folded(first_of(model, {"Direction", "Type"}));
  std::string direction = said == "outgoing"                                             ? "out"
                          : said == "incoming" || said == "missed" || said == "rejected" ? "in"
                                                                                         : "unknown";
  if (direction == "unknown" && role == "to") direction = "out";
  if (direction == "unknown" && role == "from") direction = "in";
  fields.text("direction", direction);
  fields.text("account", std::string(model.field("Account")));
  fields.text("party", fmt::format("{}", fmt::join(others, ", ")));
  if (const auto seconds = parse_duration(model.field("Duration"))) fields.number("duration_s", *seconds);
  const std::string_view type = first_of(model, {"Type", "Status"});
  fields.text("status",
              status_text(parse_flag(model.field("VideoCall")) == true ? fmt::format("{}, video", type)
                                                                       : std::string(type)));
  add_time(fields, "started", model.field("TimeStamp"));
  emit("call", model, model.field("Source"), fields);
}

void RecordMaker::contact(const Model& model) {
  Fields fields;
  fields.text("name", std::string(model.field("Name")));
  auto identifiers = nlohmann::json::array();
  for (const Model& entry : model.list("Entries")) {
    const std::string_view value = entry.field("Value");
    if (value.empty()) continue;
    const std::string kind = entry.type == "PhoneNumber"    ? "phone"
                             : entry.type == "EmailAddress" ? "email"
                             : entry.type == "UserID"       ? "user id"
                             : entry.type == "WebAddress"   ? "url"
                                                            : folded(entry.type);
    identifiers.push_back({{"kind", kind}, {"value", std::string(value)}});
  }
  fields.text("identifiers", dump(identifiers));
  emit("contact", model, model.field("Source"), fields);
}

void RecordMaker::account(const Model& model) {
  Fields fields;
  fields.text("identifier", std::string(first_of(model, {"Username", "UserId", "Name"})));
  fields.text("name", std::string(model.field("Name")));
  emit("account", model, first_of(model, {"Source", "ServiceType"}), fields);
}

void RecordMaker::location(const Model& model) {
  const auto& position = model.list("Position");
  const auto latitude = position.empty() ? std::nullopt : parse_number(position.front().field("Latitude"));
  const auto longitude = position.empty() ? std::nullopt : parse_number(position.front().field("Longitude"));
  const bool is_place =
      latitude && longitude && *latitude >= -90 && *latitude <= 90 && *longitude >= -180 && *longitude <= 180;
  if (!is_place) {
    ++not_taken_["Location without coordinates"];
    return;
  }
  Fields fields;
  fields.real("latitude", *latitude);
  fields.real("longitude", *longitude);
  if (const auto accuracy = parse_number(first_of(model, {"Precision", "Accuracy"}));
      accuracy && *accuracy >= 0)
    fields.real("accuracy_m", *accuracy);
  const std::string_view source = first_of(model, {"Source", "Origin", "Category", "Type"});
  fields.text("source", status_text(source));
  add_time(fields, "taken", model.field("TimeStamp"));
  emit("location", model, source, fields);
}

void RecordMaker::visit(const Model& model, std::string_view kind) {
  Fields fields;
  fields.text("kind", std::string(kind));
  fields.text("url", std::string(first_of(model, {"Url", "URL"})));
  fields.text("title", std::string(first_of(model, {"Title", "Value", "Name"})));
  add_time(fields, "visited", first_of(model, {"LastVisited", "TimeStamp", "StartTime"}));
  emit("visit", model, first_of(model, {"Source", "Application"}), fields);
}

void RecordMaker::attachments(const Model& model, const std::string& message_key) {
  std::int64_t ordinal = 0;
  const auto one = [&](const Model& attachment) {
    Fields fields;
    std::string path(attachment.field("attachment_extracted_path"));
    std::replace(path.begin(), path.end(), '\\', '/');
    if (path.empty()) path = reader_->local_path(attachment.file_id);
    std::string name(first_of(attachment, {"Filename", "Title"}));
    if (name.empty()) name = path.substr(path.rfind('/') + 1);
    if (name.empty()) name = std::string(attachment.field("URL"));
    if (name.empty() && path.empty()) return;
    fields.text("name", std::move(name));
    fields.text("path", std::move(path));
    fields.text("media_type", std::string(attachment.field("ContentType")));
    fields.text("message_key", message_key);
    fields.number("ordinal", ordinal++);
    job_->emit_record("attachment", "ufdr", attachment.type, attachment.id, fields.list);
  };
  for (const char* list : {"Attachments", "Attachment"})
    for (const Model& attachment : model.list(list)) one(attachment);
}

}  // namespace touchstone::ufdr
