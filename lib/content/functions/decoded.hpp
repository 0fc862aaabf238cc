// What a helper function of app definitions gives, and the bounds that all of them keep. Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace touchstone::functions {

constexpr std::size_t kMaxInput = 64U << 20U;   ///< bytes of one argument
constexpr std::size_t kMaxOutput = 16U << 20U;  ///< bytes of one result
constexpr int kMaxNesting = 64;

/// NULL unless made otherwise.
struct Decoded {
  enum class Kind { null, integer, real, text, blob };
  Kind kind = Kind::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string bytes{};  ///< of a text (valid UTF-8) or blob

  static Decoded of(std::int64_t value) { return {Kind::integer, value}; }
  static Decoded of(double value) { return {Kind::real, 0, value}; }
  static Decoded text(std::string value) { return {Kind::text, 0, 0, std::move(value)}; }
  static Decoded blob(std::string value) { return {Kind::blob, 0, 0, std::move(value)}; }
};

}  // namespace touchstone::functions
