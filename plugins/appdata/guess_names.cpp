#include "guess_names.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <utility>

namespace touchstone::appdata {
namespace {

/// Longer names are no column of a messenger.
constexpr std::size_t kMaxName = 64;

/// Words that names without separators are made of. Sorted.
constexpr std::array kWords{
    "account",   "action",    "address",     "arrival",      "at",       "attachment", "author",
    "body",      "by",        "channel",     "chat",         "client",   "code",       "compose",
    "contact",   "content",   "contents",    "conversation", "count",    "create",     "created",
    "creation",  "creator",   "data",        "date",         "delete",   "deleted",    "deliver",
    "delivered", "dialog",    "direction",   "display",      "edit",     "edited",     "email",
    "error",     "event",     "expiration",  "expire",       "expires",  "file",       "flag",
    "flags",     "from",      "group",       "handle",       "has",      "hash",       "id",
    "in",        "incoming",  "is",          "jid",          "key",      "last",       "local",
    "media",     "member",    "message",     "messages",     "mine",     "me",         "modified",
    "ms",        "msg",       "name",        "number",       "original", "out",        "outgoing",
    "owner",     "parent",    "participant", "path",         "peer",     "person",     "phone",
    "plain",     "push",      "quoted",      "read",         "receive",  "received",   "receiver",
    "recipient", "remote",    "reply",       "room",         "row",      "screen",     "section",
    "seen",      "send",      "sender",      "sent",         "sequence", "server",     "session",
    "sort",      "stamp",     "state",       "status",       "subject",  "text",       "thread",
    "time",      "timestamp", "title",       "to",           "type",     "uid",        "update",
    "updated",   "uri",       "url",         "user",         "version"};

using Words = std::vector<std::string>;

bool has_any(const Words& words, std::initializer_list<std::string_view> wanted) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(wanted.begin(), wanted.end(), word) != wanted.end();
  });
}
bool has_pair(const Words& words, std::string_view first, std::string_view second) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i)
    if (words[i] == first && words[i + 1] == second) return true;
  return false;
}
bool is_only(const Words& words, std::initializer_list<std::string_view> allowed) {
  return !words.empty() && std::all_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(allowed.begin(), allowed.end(), word) != allowed.end();
  });
}

/// A run of letters as the fewest words that make it up; the run itself where none do.
Words split_run(const std::string& run) {
  constexpr std::size_t kUnreached = std::numeric_limits<std::size_t>::max();
  std::vector<std::pair<std::size_t, std::size_t>> best(run.size() + 1,
                                                        {kUnreached, 0});  // words, last start
  best[0] = {0, 0};
  for (std::size_t end = 1; end <= run.size(); ++end) {
    for (const std::string_view word : kWords) {
      if (word.size() > end || best[end - word.size()].first == kUnreached) continue;
      if (run.compare(end - word.size(), word.size(), word) != 0) continue;
      const std::size_t count = best[end - word.size()].first + 1;
      if (count < best[end].first) best[end] = {count, end - word.size()};
    }
  }
  if (best[run.size()].first == kUnreached) return {run};
  Words words;
  for (std::size_t end = run.size(); end > 0; end = best[end].second)
    words.insert(words.begin(), run.substr(best[end].second, end - best[end].second));
  return words;
}

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

/// Core Data puts a Z before each name and writes it in capitals.
bool is_core_data(std::string_view name) {
  return name.size() > 1 && name[0] == 'Z' && std::none_of(name.begin(), name.end(), is_lower);
}

int text_rank(const Words& words) {
  if (has_any(words,
              {"type",      "id",       "ids",       "count",  "status",   "state",   "date",      "time",
               "timestamp", "at",       "url",       "uri",    "path",     "size",    "hash",      "key",
               "flag",      "flags",    "length",    "lang",   "language", "version", "color",     "colour",
               "last",      "latest",   "draft",     "is",     "has",      "file",    "media",     "push",
               "error",     "format",   "encrypted", "parent", "quoted",   "reply",   "search",    "index",
               "row",       "name",     "title",     "sort",   "mime",     "subtype", "number",    "by",
               "from",      "to",       "read",      "sent",   "code",     "html",    "direction", "selector",
               "payload",   "protocol", "class",     "cs",     "charset",  "secret",  "signature"}))
    return 0;
  const std::string& head = words.back();
  const auto head_is = [&](std::initializer_list<std::string_view> wanted) {
    return std::find(wanted.begin(), wanted.end(), head) != wanted.end();
  };
  if (has_any(words, {"snippet"})) return kWeakRank - 20;
  if (head_is({"body", "text", "plaintext", "txt"})) return words.size() == 1 ? 100 : 95;
  if (head_is({"message", "msg", "content", "contents", "sms"})) return words.size() == 1 ? 90 : 85;
  if ((head == "xml" || head == "html") && has_any(words, {"body", "message", "content", "text"})) return 75;
  if (head == "data" && has_any(words, {"text", "message", "body"})) return 80;
  return head == "data" || head_is({"comment", "words"}) ? kWeakRank : 0;
}

int time_rank(const Words& words) {
  if (has_any(words,
              {"edit",     "edited",    "update",    "updated",      "modified", "modify",   "changed",
               "delete",   "deleted",   "delivered", "deliver",      "expire",   "expires",  "expiration",
               "expiry",   "read",      "seen",      "last",         "latest",   "ttl",      "duration",
               "zone",     "timezone",  "timeout",   "offset",       "remind",   "reminder", "end",
               "schedule", "scheduled", "download",  "upload",       "sync",     "retry",    "notified",
               "notify",   "play",      "played",    "viewed",       "status",   "state",    "type",
               "format",   "id",        "is",        "has",          "count",    "age",      "failure",
               "failed",   "invited",   "muted",     "pinned",       "first",    "next",     "previous",
               "original", "revoke",    "revoked",   "forward",      "quoted",   "reply",    "parent",
               "user",     "indexed",   "locked",    "disappearing", "clear",    "init",     "media",
               "key"}))
    return 0;
  const bool moment = has_any(
      words, {"date", "time", "timestamp", "stamp", "datetime", "ts", "at", "when", "epoch", "millis"});
  if (moment && has_any(words, {"message", "msg"})) return 100;
  if (moment && has_any(words, {"sent", "send"})) return 95;
  if (is_only(words,
              {"date", "time", "timestamp", "stamp", "datetime", "ts", "ms", "utc", "unix", "millis", "in"}))
    return moment ? 90 : 0;
  if (has_any(words, {"created", "create", "creation", "compose"})) return 80;
  if (has_any(words, {"received", "receive", "arrival"})) return 70;
  if (words.size() == 1 && words[0] == "sent") return 65;
  if (moment && has_any(words, {"server", "client", "local"})) return 60;
  return moment ? 40 : 0;
}

ColumnGuess party_guess(const Words& words) {
  if (has_any(words,
              {"count",     "type",    "status", "state",  "is",       "has",      "date",      "time",
               "timestamp", "at",      "url",    "avatar", "photo",    "image",    "path",      "version",
               "flag",      "flags",   "read",   "last",   "quoted",   "reply",    "forwarded", "forward",
               "mention",   "me",      "ip",     "mac",    "list",     "label",    "service",   "center",
               "centre",    "deleted", "edited", "parent", "original", "admin",    "device",    "seen",
               "event",     "push",    "media",  "data",   "hash",     "timezone", "lookup",    "message",
               "msg",       "ts"}))
    return {};
  if (has_any(words, {"conversation", "thread", "chat", "room", "dialog", "dialogue", "channel"}) ||
      (words.size() > 1 && has_any(words, {"group", "session"}) &&
       has_any(words, {"id", "jid", "uid", "uuid"})))
    return has_any(words, {"sender", "author", "name", "title"}) ? ColumnGuess{ColumnRole::sender, 60}
                                                                 : ColumnGuess{ColumnRole::conversation, 100};
  const int named = has_any(words, {"name", "nick", "nickname", "display"}) ? -40 : 0;
  if (has_any(words, {"sender", "from", "author"})) return {ColumnRole::sender, 100 + named};
  if (has_any(words, {"recipient", "recipients", "to", "receiver"}))
    return {ColumnRole::recipient, 90 + named};
  if (has_any(words, {"address", "jid", "handle", "phone", "msisdn", "contact", "peer", "participant",
                      "buddy", "friend", "partner", "remote", "email", "person"}))
    return {ColumnRole::other_party,
            80 + named + (has_any(words, {"phone", "address", "jid", "number"}) ? 5 : 0)};
  if (has_any(words, {"user", "uid", "userid", "member", "creator", "account", "username"}))
    return {ColumnRole::sender, 50 + named};
  return {};
}

ColumnGuess direction_guess(const Words& words) {
  if (has_any(words,
              {"count", "read", "deleted", "starred", "mention", "mentions", "status", "date", "time"}))
    return {};
  if (has_pair(words, "from", "me") || (has_pair(words, "by", "me") && has_any(words, {"sent"})) ||
      has_any(words, {"outgoing"}) || is_only(words, {"is", "mine", "out", "own"}))
    return {ColumnRole::outgoing, 100};
  if (has_any(words, {"incoming"})) return {ColumnRole::incoming, 100};
  if (is_only(words, {"direction", "message", "msg"}) && has_any(words, {"direction"}))
    return {ColumnRole::direction, 90};
  return {};
}

}  // namespace

std::vector<std::string> words_of(std::string_view name) {
  if (name.size() > kMaxName) return {};
  if (is_core_data(name)) name.remove_prefix(name[1] == '_' ? name.size() : 1);
  Words runs(1);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool hump = is_upper(c) && i > 0 && is_lower(name[i - 1]);
    if (hump || !(is_upper(c) || is_lower(c))) runs.emplace_back();
    if (is_upper(c)) runs.back() += static_cast<char>(c - 'A' + 'a');
    if (is_lower(c)) runs.back() += c;
  }
  Words words;
  for (const std::string& run : runs) {
    if (run.empty()) continue;
    Words parts = split_run(run);
    words.insert(words.end(), std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end()));
  }
  return words;
}

ColumnGuess guess_column(std::string_view name) {
  const Words words = words_of(name);
  if (words.empty()) return {};
  if (const ColumnGuess direction = direction_guess(words); direction.role != ColumnRole::none)
    return direction;
  if (const int rank = text_rank(words); rank > 0) return {ColumnRole::text, rank};
  if (const int rank = time_rank(words); rank > 0) return {ColumnRole::time, rank};
  return party_guess(words);
}

bool is_named_for_messages(std::string_view table) {
  const Words words = words_of(table);
  if (has_any(words, {"type", "types", "state", "receipt", "receipts", "draft", "drafts", "search", "index"}))
    return false;
  if (has_any(words, {"im", "dm", "dms", "mail", "letter", "letters"})) return true;
  // Apps put their own names before it, which no list has.
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    const auto has = [&](const char* part) { return word.find(part) != std::string::npos; };
    return has("message") || has("chat") || has("msg") || has("sms") || has("mms") || has("conversation");
  });
}

bool speaks_of_other_things(std::string_view table, const std::vector<std::string>& columns) {
  const Words words = words_of(table);
  if (has_any(words,
              {"feed",     "feeds",     "article",    "articles",    "episode",   "episodes",  "podcast",
               "search",   "fts",       "suggestion", "suggestions", "template",  "templates", "config",
               "cookies",  "crash",     "crashes",    "post",        "posts",     "story",     "stories",
               "tweet",    "tweets",    "review",     "reviews",     "quoted",    "quotes",    "quote",
               "reaction", "reactions", "revision",   "revisions",   "link",      "links",     "receipt",
               "receipts", "mention",   "mentions",   "thumbnail",   "thumbnails"}))
    return true;
  if (has_any(words, {"log", "logs", "event", "events", "trace", "telemetry", "analytics", "notification",
                      "notifications", "cache", "history"}) &&
      !is_named_for_messages(table))
    return true;
  return std::any_of(columns.begin(), columns.end(), [](const std::string& column) {
    const Words of = words_of(column);
    return is_only(of, {"level", "severity", "facility", "pid", "tid", "loglevel", "logger", "process",
                        "hostname", "log"}) ||
           has_any(of, {"stacktrace", "backtrace", "exception", "syslog", "enclosure", "rss"});
  });
}

}  // namespace touchstone::appdata
