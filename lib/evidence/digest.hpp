// MD5, SHA-1 and SHA-256 of the same bytes in one pass (OpenSSL EVP). A Hasher is reused: finish() gives the
// digests and starts afresh. One thread; throws std::runtime_error where OpenSSL lacks an algorithm (it
// cannot then do its work at all).
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "model/types.hpp"

namespace touchstone {

class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  void update(std::span<const std::byte> bytes);
  /// Digests of all bytes since the last finish(), lower-case hex.
  Digests finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace touchstone
