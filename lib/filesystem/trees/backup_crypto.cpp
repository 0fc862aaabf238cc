#include "filesystem/trees/backup_crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <climits>
#include <stdexcept>

namespace touchstone {
namespace {

constexpr std::size_t kBlock = 16;

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

Context make_context() {
  Context context(EVP_CIPHER_CTX_new());
  if (!context) throw std::bad_alloc();
  return context;
}

const unsigned char* raw(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

const EVP_CIPHER* cbc_cipher(std::size_t key_size) {
  switch (key_size) {
    case 16:
      return EVP_aes_128_cbc();
    case 24:
      return EVP_aes_192_cbc();
    case 32:
      return EVP_aes_256_cbc();
    default:
      return nullptr;
  }
}

const EVP_CIPHER* wrap_cipher(std::size_t key_size) {
  switch (key_size) {
    case 16:
      return EVP_aes_128_wrap();
    case 24:
      return EVP_aes_192_wrap();
    case 32:
      return EVP_aes_256_wrap();
    default:
      return nullptr;
  }
}

/// `out` and `in` are of the same length, whole blocks. False where OpenSSL refuses.
bool decrypt_blocks(std::span<const std::byte> key, std::span<const std::byte> iv,
                    std::span<const std::byte> in, std::span<std::byte> out) {
  const EVP_CIPHER* cipher = cbc_cipher(key.size());
  if (!cipher || iv.size() != kBlock || in.size() % kBlock != 0) return false;
  const Context context = make_context();
  if (EVP_DecryptInit_ex(context.get(), cipher, nullptr, raw(key), raw(iv)) != 1) return false;
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  constexpr std::size_t kPiece = std::size_t{1} << 24;  // OpenSSL counts in int
  for (std::size_t at = 0; at < in.size();) {
    const std::size_t piece = std::min(kPiece, in.size() - at);
    int written = 0;
    if (EVP_DecryptUpdate(context.get(), raw(out.subspan(at)), &written, raw(in.subspan(at)),
                          static_cast<int>(piece)) != 1)
      return false;
    at += piece;
  }
  return true;
}

class CbcSource : public ByteSource {
 public:
  CbcSource(std::unique_ptr<ByteSource> cipher, SecretBytes key, std::span<const std::byte> iv,
            std::uint64_t size)
      : cipher_(std::move(cipher)), key_(std::move(key)) {
    std::copy_n(iv.begin(), std::min(iv.size(), kBlock), iv_.begin());
    size_ = std::min(size, cipher_->size() / kBlock * kBlock);
  }
  std::uint64_t size() const override { return size_; }
  std::vector<Gap> gaps() const override { return cipher_->gaps(); }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset)));
    std::size_t done = 0;
    while (done < out.size()) {
      auto piece = read_piece(offset + done, out.subspan(done));
      if (!piece) return piece.error();
      if (*piece == 0) break;
      done += *piece;
    }
    return done;
  }

 private:
  static constexpr std::size_t kPiece = std::size_t{256} << 10;

  Result<std::size_t> read_piece(std::uint64_t offset, std::span<std::byte> out) {
    const std::uint64_t first = offset / kBlock * kBlock;
    const std::size_t skip = static_cast<std::size_t>(offset - first);
    std::size_t length = std::min(out.size() + skip, kPiece);
    length = (length + kBlock - 1) / kBlock * kBlock;
    cipher_text_.resize(length);
    plain_.resize(length);
    std::array<std::byte, kBlock> iv = iv_;
    if (first > 0) {
      auto got = cipher_->read_at(first - kBlock, iv);
      if (!got) return got.error();
      if (*got < kBlock) return std::size_t{0};
    }
    auto got = cipher_->read_at(first, cipher_text_);
    if (!got) return got.error();
    const std::size_t whole = *got / kBlock * kBlock;
    const auto plain = std::span(plain_).first(whole);
    if (!decrypt_blocks(key_.span(), iv, std::span<const std::byte>(cipher_text_).first(whole), plain))
      return Error{ErrorCode::unsupported,
                   "a key of " + std::to_string(key_.size() * 8) + " bits is none of AES"};
    if (whole <= skip) return std::size_t{0};
    const std::size_t count = std::min(out.size(), whole - skip);
    std::copy_n(plain.begin() + static_cast<std::ptrdiff_t>(skip), count, out.begin());
    return count;
  }

  std::unique_ptr<ByteSource> cipher_;
  SecretBytes key_;
  std::array<std::byte, kBlock> iv_{};
  std::uint64_t size_ = 0;
  std::vector<std::byte> cipher_text_, plain_;
};

}  // namespace

SecretBytes& SecretBytes::operator=(const SecretBytes& other) {
  if (this != &other) {
    wipe();
    bytes_ = other.bytes_;
  }
  return *this;
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
  }
  return *this;
}

void SecretBytes::wipe() {
  if (!bytes_.empty()) OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

SecretBytes derive_key(Prf prf, std::span<const std::byte> password, std::span<const std::byte> salt,
                       std::uint32_t rounds, std::size_t size) {
  SecretBytes key(size);
  const EVP_MD* digest = prf == Prf::hmac_sha1 ? EVP_sha1() : EVP_sha256();
  if (rounds == 0 || rounds > INT_MAX || password.size() > INT_MAX || salt.size() > INT_MAX ||
      PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.data()), static_cast<int>(password.size()),
                        raw(salt), static_cast<int>(salt.size()), static_cast<int>(rounds), digest,
                        static_cast<int>(size), raw(key.span())) != 1)
    throw std::runtime_error("OpenSSL cannot derive keys");
  return key;
}

std::optional<SecretBytes> unwrap_key(std::span<const std::byte> kek, std::span<const std::byte> wrapped) {
  constexpr std::size_t kMost = 1024;
  const EVP_CIPHER* cipher = wrap_cipher(kek.size());
  if (!cipher || wrapped.size() < 24 || wrapped.size() > kMost || wrapped.size() % 8 != 0)
    return std::nullopt;
  const Context context = make_context();
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  if (EVP_DecryptInit_ex(context.get(), cipher, nullptr, raw(kek), nullptr) != 1) return std::nullopt;
  SecretBytes room(wrapped.size() + kBlock);
  int written = 0;
  if (EVP_DecryptUpdate(context.get(), raw(room.span()), &written, raw(wrapped),
                        static_cast<int>(wrapped.size())) != 1 ||
      written <= 0)
    return std::nullopt;
  return SecretBytes(std::span<const std::byte>(room.span()).first(static_cast<std::size_t>(written)));
}

std::optional<SecretBytes> decrypt_cbc(std::span<const std::byte> key, std::span<const std::byte> iv,
                                       std::span<const std::byte> cipher) {
  SecretBytes plain(cipher.size());
  if (!decrypt_blocks(key, iv, cipher, plain.span())) return std::nullopt;
  return plain;
}

std::size_t cbc_padding(ByteSource& cipher, std::span<const std::byte> key, std::span<const std::byte> iv) {
  const std::uint64_t blocks = cipher.size() / kBlock;
  if (blocks == 0 || iv.size() != kBlock) return 0;
  std::array<std::byte, 2 * kBlock> last{};
  std::span<std::byte> text = last;
  if (blocks == 1) {
    std::copy_n(iv.begin(), kBlock, text.begin());
    text = text.subspan(kBlock);
  }
  const auto got = cipher.read_at((blocks - text.size() / kBlock) * kBlock, text);
  if (!got || *got != text.size()) return 0;
  const auto plain = decrypt_cbc(key, std::span(last).first(kBlock), std::span(last).subspan(kBlock));
  if (!plain) return 0;
  const auto count = std::to_integer<std::size_t>(plain->span().back());
  if (count == 0 || count > kBlock) return 0;
  const auto tail = plain->span().last(count);
  const auto same = [&](std::byte each) { return std::to_integer<std::size_t>(each) == count; };
  return std::all_of(tail.begin(), tail.end(), same) ? count : 0;
}

std::unique_ptr<ByteSource> make_cbc_source(std::unique_ptr<ByteSource> cipher, SecretBytes key,
                                            std::span<const std::byte> iv, std::uint64_t size) {
  return std::make_unique<CbcSource>(std::move(cipher), std::move(key), iv, size);
}

}  // namespace touchstone
