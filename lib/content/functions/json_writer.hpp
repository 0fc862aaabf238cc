// JSON text within a bound. Strings must be valid UTF-8. Nothing recurses here; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace touchstone::functions {

class JsonWriter {
 public:
  explicit JsonWriter(std::size_t most) : most_(most) {}
  /// False once the bound was passed: what was written is then of no use.
  bool whole() const { return !over_; }
  std::string take() { return std::move(out_); }

  void raw(std::string_view text);
  void text(std::string_view text);
  void integer(std::int64_t value);
  void number(double value);  ///< null where JSON has no such number
  void hex(std::string_view bytes);
  void base64(std::string_view bytes);
  /// A comma unless `first`, which becomes false.
  void separate(bool& first);

 private:
  std::string out_;
  std::size_t most_;
  bool over_ = false;
};

}  // namespace touchstone::functions
