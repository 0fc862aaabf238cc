// What may fail because of evidence, rules, files or the user returns Result<T>; exceptions are kept for
// exhausted memory and for our own mistakes. Values; no thread rules.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace touchstone {

/// Why something could not be done. `problem` rows and exit codes are derived from it.
enum class ErrorCode {
  io,           ///< the operating system refused (message has path and reason)
  corrupt,      ///< the bytes contradict their own format
  unsupported,  ///< recognised, but nothing here reads it
  encrypted,    ///< recognised, needs a key
  limit,        ///< a bound of docs/limits.md was reached
  not_found,    ///< named thing does not exist
  invalid,      ///< a rule file, case file or argument is wrong (message has file:line:column)
  cancelled,    ///< asked to stop
  integrity,    ///< a stored hash or checksum differs
};

/// An error a person can act on: what, where, and what to do, in one line without a final stop.
struct Error {
  ErrorCode code = ErrorCode::io;
  std::string message;
};

/// Either a value or an Error. Check with `if (!result)` before dereferencing.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return std::holds_alternative<T>(state_); }
  T& operator*() { return std::get<T>(state_); }
  const T& operator*() const { return std::get<T>(state_); }
  T* operator->() { return &std::get<T>(state_); }
  const T* operator->() const { return &std::get<T>(state_); }
  const Error& error() const { return std::get<Error>(state_); }
  T take() { return std::move(std::get<T>(state_)); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return !error_; }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace touchstone
