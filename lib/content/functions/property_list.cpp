#include "content/functions/property_list.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "content/functions/json_writer.hpp"
#include "content/functions/text_functions.hpp"
#include "filesystem/trees/itunes_plist.hpp"

namespace touchstone::functions {
namespace {

using Value = Plist::Value;

constexpr std::size_t kMaxKeysLookedAt = 1U << 20U;
/// Values written into one JSON text. An archive of a kilobyte, whose objects hold each other twice, would
/// fill the whole output with them, once for each row that has it.
constexpr std::size_t kMaxValues = 1U << 18U;

std::string_view view(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The object of an archive that the value names; XML writes a UID as a dictionary.
std::optional<std::uint64_t> uid_of(const Value& value) {
  if (const auto uid = value.uid()) return uid;
  if (!value.is_dictionary() || value.size() != 1) return std::nullopt;
  const auto number = value["CF$UID"].integer();
  return number && *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

/// What a value of an archive stands for.
struct Meaning {
  enum class Kind { plain, null, dictionary, array };
  Kind kind = Kind::plain;
  Value value;            ///< the plain one; of others the object with the entries
  Value keys, objects;    ///< of an archived dictionary or array
  bool archived = false;  ///< keys and objects are in use
};

class List {
 public:
  static std::optional<List> open(std::string_view bytes) {
    if (bytes.size() > kMaxInput) return std::nullopt;
    std::vector<std::byte> copy(bytes.size());
    std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), copy.begin());
    auto list = Plist::parse(std::move(copy));
    if (!list) return std::nullopt;
    return List(list.take());
  }

  Value root() const {
    if (!objects_) return list_.root();
    const Value top = list_.root()["$top"];
    const Value root = top["root"];
    return root ? root : top;
  }

  Meaning meaning(Value value) const {
    Meaning out;
    for (int hops = 0; objects_; ++hops) {
      const auto uid = uid_of(value);
      if (!uid) break;
      if (hops > kMaxNesting || *uid == 0) return null();  // object 0 is "$null"
      value = named(value);
    }
    out.value = value;
    if (!value) return null();
    if (value.is_array()) out.kind = Meaning::Kind::array;
    if (!value.is_dictionary()) return out;
    out.kind = Meaning::Kind::dictionary;
    if (!objects_ || !value["$class"]) return out;
    for (const char* plain : {"NS.string", "NS.time", "NS.data", "NS.bytes"})
      if (const Value inner = value[plain]) return plain_inner(inner, out);
    out.keys = value["NS.keys"];
    out.objects = value["NS.objects"];
    out.archived = bool(out.objects);
    if (out.archived && !out.keys) out.kind = Meaning::Kind::array;
    return out;
  }

  /// The member of a dictionary or array with this name.
  Value member(const Meaning& of, const std::string& name) const {
    if (of.kind == Meaning::Kind::array) {
      std::size_t position = 0;
      const char* const end = name.data() + name.size();
      const auto read = std::from_chars(name.data(), end, position);
      if (read.ec != std::errc() || read.ptr != end) return {};
      return (of.archived ? of.objects : of.value).at(position);
    }
    if (of.kind != Meaning::Kind::dictionary) return {};
    const std::size_t count = std::min(entries(of), kMaxKeysLookedAt);
    for (std::size_t i = 0; i < count; ++i)
      if (key(of, i) == name) return entry(of, i);
    return {};
  }

  static std::size_t entries(const Meaning& of) { return of.archived ? of.objects.size() : of.value.size(); }
  Value entry(const Meaning& of, std::size_t i) const {
    if (of.archived) return of.objects.at(i);
    return of.kind == Meaning::Kind::array ? of.value.at(i) : of.value.entry(i);
  }
  /// The name of an entry of a dictionary; keys that are no text are numbers.
  std::string key(const Meaning& of, std::size_t i) const {
    const Value value = of.archived ? meaning(of.keys.at(i)).value : of.value.key(i);
    if (auto text = value.text()) return std::move(*text);
    if (const auto number = value.integer()) return std::to_string(*number);
    return {};
  }
  /// The class of an archived object, for its "$class".
  std::optional<std::string> class_name(Value uid) const { return named(uid)["$classname"].text(); }
  bool is_archive() const { return bool(objects_); }

 private:
  explicit List(Plist list) : list_(std::move(list)) {
    const Value root = list_.root();
    if (root["$archiver"].text() == "NSKeyedArchiver" && root["$objects"].is_array() &&
        root["$top"].is_dictionary())
      is_archive_ = true;
    rebind();
  }

 public:
  // Values point to the list: it must not move behind their back.
  List(List&& other) noexcept : list_(std::move(other.list_)), is_archive_(other.is_archive_) { rebind(); }
  List& operator=(List&&) = delete;

 private:
  Value named(const Value& uid) const {
    const auto number = uid_of(uid);
    return number ? objects_.at(static_cast<std::size_t>(*number)) : Value();
  }
  void rebind() { objects_ = is_archive_ ? list_.root()["$objects"] : Value(); }
  static Meaning null() {
    Meaning out;
    out.kind = Meaning::Kind::null;
    return out;
  }
  Meaning plain_inner(Value inner, Meaning& out) const {
    for (int hops = 0; uid_of(inner) && hops < kMaxNesting; ++hops) inner = named(inner);
    out.kind = inner ? Meaning::Kind::plain : Meaning::Kind::null;
    out.value = inner;
    return out;
  }

  Plist list_;
  Value objects_;
  bool is_archive_ = false;
};

/// NULL for what is neither; data as text where it stands for NS.bytes of a string is left to the caller.
Decoded plain(const Value& value) {
  if (const auto truth = value.boolean()) return Decoded::of(std::int64_t{*truth});
  if (const auto number = value.integer()) return Decoded::of(*number);
  if (const auto number = value.real()) return Decoded::of(*number);
  if (const auto date = value.date()) return Decoded::of(std::int64_t{*date});
  if (auto text = value.text())
    return text->size() <= kMaxOutput ? Decoded::text(std::move(*text)) : Decoded{};
  if (const auto data = value.data())
    return data->size() <= kMaxOutput ? Decoded::blob(std::string(view(*data))) : Decoded{};
  return {};
}

class Writer {
 public:
  explicit Writer(const List& list) : list_(&list), out_(kMaxOutput) {}
  Decoded whole(Value value) {
    write(value, 0);
    return out_.whole() && !too_much_ ? Decoded::text(out_.take()) : Decoded{};
  }

 private:
  void write(Value value, int nesting) {
    if (nesting > kMaxNesting || ++values_ > kMaxValues) too_much_ = true;
    if (too_much_ || !out_.whole()) return;
    const Meaning meaning = list_->meaning(value);
    const bool in_circle = std::find(open_.begin(), open_.end(), meaning.value.number()) != open_.end();
    switch (meaning.kind) {
      case Meaning::Kind::null:
        return out_.raw("null");
      case Meaning::Kind::plain:
        return plain_value(meaning.value);
      case Meaning::Kind::array:
      case Meaning::Kind::dictionary:
        if (in_circle) return out_.raw("null");
    }
    open_.push_back(meaning.value.number());
    entries(meaning, nesting);
    open_.pop_back();
  }

  void entries(const Meaning& meaning, int nesting) {
    const bool is_array = meaning.kind == Meaning::Kind::array;
    out_.raw(is_array ? "[" : "{");
    bool first = true;
    const std::size_t count = List::entries(meaning);
    for (std::size_t i = 0; i < count && out_.whole() && !too_much_; ++i) {
      const Value entry = list_->entry(meaning, i);
      out_.separate(first);
      if (!is_array) {
        const std::string key = list_->key(meaning, i);
        out_.text(key);
        out_.raw(":");
        if (key == "$class" && list_->is_archive()) {
          out_.text(list_->class_name(entry).value_or(""));
          continue;
        }
      }
      write(entry, nesting + 1);
    }
    out_.raw(is_array ? "]" : "}");
  }

  void plain_value(const Value& value) {
    if (const auto truth = value.boolean()) return out_.raw(*truth ? "true" : "false");
    if (const auto number = value.integer()) return out_.integer(*number);
    if (const auto number = value.real()) return out_.number(*number);
    if (const auto date = value.date()) return out_.integer(*date);
    if (const auto text = value.text()) return out_.text(*text);
    if (const auto data = value.data()) return out_.base64(view(*data));
    if (const auto uid = value.uid()) {
      out_.raw("{\"CF$UID\":");
      out_.integer(static_cast<std::int64_t>(*uid));
      return out_.raw("}");
    }
    out_.raw("null");
  }

  const List* list_;
  JsonWriter out_;
  std::vector<std::uint64_t> open_;  ///< objects being written
  std::size_t values_ = 0;
  bool too_much_ = false;
};

std::string unescaped(std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool escaped = part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1');
    out += !escaped ? part[i] : part[++i] == '1' ? '/' : '~';
  }
  return out;
}

}  // namespace

Decoded plist_value(std::string_view bytes, std::string_view path) {
  const auto list = List::open(bytes);
  if (!list) return {};
  Value value = list->root();
  for (int parts = 0; !path.empty(); ++parts) {
    if (parts >= kMaxNesting) return {};
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    value = list->member(list->meaning(value), unescaped(part));
    if (!value) return {};
  }
  const Meaning meaning = list->meaning(value);
  if (meaning.kind == Meaning::Kind::null) return {};
  if (meaning.kind == Meaning::Kind::plain) return plain(meaning.value);
  return Writer(*list).whole(value);
}

Decoded plist_json(std::string_view bytes) {
  const auto list = List::open(bytes);
  return list ? Writer(*list).whole(list->root()) : Decoded{};
}

}  // namespace touchstone::functions
