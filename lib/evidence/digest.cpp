#include "evidence/digest.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace touchstone {
namespace {

struct ContextCloser {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextCloser>;

// Fetched once for the process: a fetch walks the providers and costs more than hashing a small file.
const EVP_MD* algorithm(std::size_t index) {
  static const std::array<EVP_MD*, 3> fetched = {EVP_MD_fetch(nullptr, "MD5", nullptr),
                                                 EVP_MD_fetch(nullptr, "SHA1", nullptr),
                                                 EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  if (fetched[index] == nullptr) throw std::runtime_error("OpenSSL offers no MD5, SHA-1 or SHA-256");
  return fetched[index];
}

std::string hex(const unsigned char* bytes, unsigned length) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * std::size_t{length});
  for (unsigned i = 0; i < length; ++i) {
    text.push_back(kDigits[bytes[i] >> 4]);
    text.push_back(kDigits[bytes[i] & 15]);
  }
  return text;
}

}  // namespace

struct Hasher::State {
  std::array<Context, 3> contexts;

  void start(std::size_t index) {
    if (EVP_DigestInit_ex2(contexts[index].get(), algorithm(index), nullptr) != 1) {
      throw std::runtime_error("OpenSSL could not start a digest");
    }
  }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  for (std::size_t i = 0; i < state_->contexts.size(); ++i) {
    state_->contexts[i].reset(EVP_MD_CTX_new());
    if (!state_->contexts[i]) throw std::bad_alloc();
    state_->start(i);
  }
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(std::span<const std::byte> bytes) {
  // In pieces that stay in the second-level cache, so that the three digests read memory once.
  constexpr std::size_t kPiece = 64 * 1024;
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    const auto piece = bytes.subspan(at, std::min(kPiece, bytes.size() - at));
    for (const Context& context : state_->contexts) {
      if (EVP_DigestUpdate(context.get(), piece.data(), piece.size()) != 1) {
        throw std::runtime_error("OpenSSL could not update a digest");
      }
    }
  }
}

Digests Hasher::finish() {
  std::array<std::string, 3> texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
    unsigned length = 0;
    if (EVP_DigestFinal_ex(state_->contexts[i].get(), raw.data(), &length) != 1) {
      throw std::runtime_error("OpenSSL could not finish a digest");
    }
    texts[i] = hex(raw.data(), length);
    state_->start(i);
  }
  return {texts[0], texts[1], texts[2]};
}

}  // namespace touchstone
