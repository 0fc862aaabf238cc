// Property lists of backups, read where they lie: nothing is built of them, so that a small list that refers
// to itself again and again costs nothing. Binary ones are read directly (form: CFBinaryPList.c of Apple's
// CF); XML ones are made binary by libplist first. A Plist owns its bytes; values point into it. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"
#include "model/types.hpp"

namespace touchstone {

/// A list larger than this is not read.
inline constexpr std::size_t kMaxPlist = std::size_t{64} << 20;

class Plist {
 public:
  /// One object of the list, or nothing: each question may be asked of it, and answers are absent where it is
  /// something else. Outlived by its Plist.
  class Value {
   public:
    explicit operator bool() const { return list_ != nullptr; }
    std::optional<std::int64_t> integer() const;
    std::optional<bool> boolean() const;
    std::optional<TimeUs> date() const;
    std::optional<std::string> text() const;  ///< valid UTF-8
    std::optional<std::span<const std::byte>> data() const;
    std::optional<std::uint64_t> uid() const;
    std::optional<double> real() const;
    bool is_array() const;
    bool is_dictionary() const;
    /// Of an array or dictionary; 0 for others.
    std::size_t size() const;
    Value at(std::size_t position) const;          ///< of an array
    Value operator[](std::string_view key) const;  ///< of a dictionary; its ASCII keys alone
    Value key(std::size_t position) const;         ///< of a dictionary
    Value entry(std::size_t position) const;       ///< of a dictionary: what belongs to that key

    Value() = default;
    /// Which object of the list it is: the same object may be referred to more than once.
    std::uint64_t number() const { return object_; }

   private:
    friend class Plist;
    Value(const Plist* list, std::uint64_t object) : list_(list), object_(object) {}
    const Plist* list_ = nullptr;
    std::uint64_t object_ = 0;
  };

  /// Errors: corrupt (no property list), limit (kMaxPlist).
  static Result<Plist> parse(std::vector<std::byte> bytes);
  /// The topmost value.
  Value root() const { return value(top_); }

 private:
  struct Object {
    unsigned type = 0;  ///< high half of its marker; 0 and 8 below have the whole marker in `count`
    std::uint64_t count = 0;
    std::uint64_t at = 0;  ///< where what it holds begins
  };
  Status read_trailer();
  Value value(std::uint64_t object) const { return object < objects_ ? Value(this, object) : Value(); }
  std::optional<Object> object(std::uint64_t number) const;
  std::uint64_t number_at(std::uint64_t offset, std::size_t size) const;
  /// Bytes that are there, or an empty span.
  std::span<const std::byte> bytes_at(std::uint64_t offset, std::uint64_t size) const;
  Value reference(const Object& container, std::uint64_t position) const;

  std::vector<std::byte> bytes_;
  std::uint64_t objects_ = 0, top_ = 0, table_ = 0;
  std::size_t offset_size_ = 0, reference_size_ = 0;
};

/// The object that a UID of an NSKeyedArchiver list names: an entry of $objects.
Plist::Value archived(Plist::Value objects, Plist::Value uid);

}  // namespace touchstone
