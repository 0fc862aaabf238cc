#include "content/functions/protobuf_fields.hpp"

#include <bit>
#include <charconv>
#include <map>
#include <optional>
#include <vector>

#include "content/functions/json_writer.hpp"
#include "content/functions/text_functions.hpp"

namespace touchstone::functions {
namespace {

enum Wire : unsigned { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroup = 3, kGroupEnd = 4, kFixed32 = 5 };

struct Field {
  std::uint32_t number = 0;
  unsigned wire = 0;
  std::uint64_t value = 0;  ///< of a varint or fixed number
  std::string_view bytes;   ///< of a length-delimited field or a group
  bool is_message() const { return wire == kBytes || wire == kGroup; }
};

/// Goes through the fields of one message.
class Reader {
 public:
  explicit Reader(std::string_view message) : rest_(message) {}
  /// Nothing at the end; ok() tells whether the message ended where its bytes do.
  std::optional<Field> next(int nesting = 0) {
    if (!ok_ || rest_.empty()) return std::nullopt;
    Field field;
    const auto tag = varint();
    if (!tag || *tag >> 3U == 0 || *tag >> 3U >= 1U << 29U) return fail();
    field.number = static_cast<std::uint32_t>(*tag >> 3U);
    field.wire = static_cast<unsigned>(*tag & 7U);
    switch (field.wire) {
      case kVarint: {
        const auto value = varint();
        if (!value) return fail();
        field.value = *value;
        return field;
      }
      case kFixed64:
        return fixed(field, 8);
      case kFixed32:
        return fixed(field, 4);
      case kBytes: {
        const auto size = varint();
        if (!size || *size > rest_.size()) return fail();
        field.bytes = rest_.substr(0, static_cast<std::size_t>(*size));
        rest_.remove_prefix(field.bytes.size());
        return field;
      }
      case kGroup:
        return group(field, nesting);
      default:
        return fail();
    }
  }
  bool ok() const { return ok_; }

 private:
  std::optional<Field> fail() {
    ok_ = false;
    return std::nullopt;
  }
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  std::optional<Field> fixed(Field field, std::size_t size) {
    if (rest_.size() < size) return fail();
    for (std::size_t i = 0; i < size; ++i)
      field.value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
    rest_.remove_prefix(size);
    return field;
  }
  std::optional<Field> group(Field field, int nesting) {
    if (nesting >= kMaxNesting) return fail();
    const std::string_view start = rest_;
    for (;;) {
      const std::string_view before = rest_;
      const auto tag = varint();
      if (!tag) return fail();
      if ((*tag & 7U) == kGroupEnd) {
        if (*tag >> 3U != field.number) return fail();
        field.bytes = start.substr(0, start.size() - before.size());
        return field;
      }
      rest_ = before;
      if (!next(nesting + 1)) return fail();
    }
  }

  std::string_view rest_;
  bool ok_ = true;
};

struct Step {
  std::uint32_t number = 0;
  std::size_t position = 0;
};

std::optional<std::vector<Step>> steps_of(std::string_view path) {
  std::vector<Step> steps;
  const char* at = path.data();
  const char* const end = at + path.size();
  while (steps.size() < kMaxNesting) {
    Step step;
    auto read = std::from_chars(at, end, step.number);
    if (read.ec != std::errc()) return std::nullopt;
    at = read.ptr;
    if (at != end && *at == '[') {
      read = std::from_chars(at + 1, end, step.position);
      if (read.ec != std::errc() || read.ptr == end || *read.ptr != ']') return std::nullopt;
      at = read.ptr + 1;
    }
    steps.push_back(step);
    if (at == end) return steps;
    if (*at++ != '.') return std::nullopt;
  }
  return std::nullopt;
}

/// The field of the message, if the message is one.
std::optional<Field> find(std::string_view message, const Step& step) {
  Reader reader(message);
  std::optional<Field> found;
  std::size_t position = 0;
  while (const auto field = reader.next())
    if (field->number == step.number && position++ == step.position) found = field;
  return reader.ok() ? found : std::nullopt;
}

/// The message that the last step of the path is looked up in.
std::optional<std::string_view> walk(std::string_view message, const std::vector<Step>& steps) {
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    const auto field = find(message, steps[i]);
    if (!field || !field->is_message()) return std::nullopt;
    message = field->bytes;
  }
  return message;
}

Decoded as_is(const Field& field) {
  if (!field.is_message()) return Decoded::of(std::bit_cast<std::int64_t>(field.value));
  if (field.bytes.size() > kMaxOutput) return {};
  return is_plain_text(field.bytes) ? Decoded::text(std::string(field.bytes))
                                    : Decoded::blob(std::string(field.bytes));
}

Decoded read_as(const Field& field, std::string_view as) {
  if (as == "auto") return as_is(field);
  if (as == "text" || as == "blob") {
    if (!field.is_message() || field.bytes.size() > kMaxOutput) return {};
    if (as == "blob") return Decoded::blob(std::string(field.bytes));
    return is_valid_utf8(field.bytes) ? Decoded::text(std::string(field.bytes)) : Decoded{};
  }
  if (as == "int" && field.wire == kFixed32)
    return Decoded::of(std::int64_t{std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(field.value))});
  if (as == "int" && !field.is_message()) return Decoded::of(std::bit_cast<std::int64_t>(field.value));
  if (as == "sint" && field.wire == kVarint)
    return Decoded::of(std::bit_cast<std::int64_t>(field.value >> 1U ^ (0 - (field.value & 1U))));
  if (as == "double" && field.wire == kFixed64) return Decoded::of(std::bit_cast<double>(field.value));
  if (as == "float" && field.wire == kFixed32)
    return Decoded::of(double{std::bit_cast<float>(static_cast<std::uint32_t>(field.value))});
  return {};
}

bool is_message(std::string_view bytes) {
  Reader reader(bytes);
  while (reader.next()) {
  }
  return reader.ok() && !bytes.empty();
}

void write(JsonWriter& out, std::string_view message, int nesting);

void write(JsonWriter& out, const Field& field, int nesting) {
  const bool may_nest = field.is_message() && nesting < kMaxNesting;
  const bool is_text =
      is_plain_text(field.bytes) && (!may_nest || !has_control(field.bytes) || !is_message(field.bytes));
  const bool is_group = field.wire == kGroup;
  if (!field.is_message()) {
    out.integer(std::bit_cast<std::int64_t>(field.value));
  } else if (may_nest && (is_group || (!is_text && is_message(field.bytes)))) {
    write(out, field.bytes, nesting);
  } else if (is_text && !is_group) {
    out.text(field.bytes);
  } else {
    out.raw("{\"hex\":\"");
    out.hex(field.bytes);
    out.raw("\"}");
  }
}

void write(JsonWriter& out, std::string_view message, int nesting) {
  // Fields of one number may stand apart: those are listed together.
  std::map<std::uint32_t, std::vector<Field>> fields;
  Reader reader(message);
  while (const auto field = reader.next()) fields[field->number].push_back(*field);
  out.raw("{");
  bool first = true;
  for (const auto& [number, all] : fields) {
    out.separate(first);
    out.text(std::to_string(number));
    out.raw(":[");
    bool first_value = true;
    for (const Field& field : all) {
      if (!out.whole()) return;
      out.separate(first_value);
      write(out, field, nesting + 1);
    }
    out.raw("]");
  }
  out.raw("}");
}

}  // namespace

Decoded protobuf_field(std::string_view message, std::string_view path, std::string_view as) {
  const auto steps = steps_of(path);
  if (!steps || message.size() > kMaxInput) return {};
  const auto inner = walk(message, *steps);
  const auto field = inner ? find(*inner, steps->back()) : std::nullopt;
  return field ? read_as(*field, as) : Decoded{};
}

Decoded protobuf_count(std::string_view message, std::string_view path) {
  const auto steps = steps_of(path);
  if (!steps || message.size() > kMaxInput) return {};
  const auto inner = walk(message, *steps);
  if (!inner) return is_message(message) ? Decoded::of(std::int64_t{0}) : Decoded{};
  Reader reader(*inner);
  std::int64_t count = 0;
  while (const auto field = reader.next()) count += field->number == steps->back().number;
  return reader.ok() ? Decoded::of(count) : Decoded{};
}

Decoded protobuf_json(std::string_view message) {
  if (message.size() > kMaxInput || !is_message(message)) return {};
  JsonWriter out(kMaxOutput);
  write(out, message, 0);
  return out.whole() ? Decoded::text(out.take()) : Decoded{};
}

}  // namespace touchstone::functions
