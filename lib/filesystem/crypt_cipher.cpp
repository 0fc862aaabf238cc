#include "filesystem/crypt_cipher.hpp"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdexcept>

namespace touchstone::crypt {
namespace {

const unsigned char* raw(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}
int length(std::size_t size) {
  return static_cast<int>(size);
}

struct ContextCloser {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextCloser>;

struct CipherCloser {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};

const EVP_MD* digest_of(const std::string& name) {
  return name.size() > 32 ? nullptr : EVP_get_digestbyname(name.c_str());
}

}  // namespace

KeyBytes& KeyBytes::operator=(KeyBytes&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
  }
  return *this;
}

void KeyBytes::wipe() {
  if (!bytes_.empty()) OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

bool KeyWork::spend(std::uint64_t units) {
  if (units > kMost - spent_) {
    exhausted_ = true;
    return false;
  }
  spent_ += units;
  return true;
}

std::optional<std::vector<std::byte>> digest(const std::string& name, std::span<const std::byte> bytes) {
  const EVP_MD* algorithm = digest_of(name);
  if (algorithm == nullptr) return std::nullopt;
  std::vector<std::byte> out(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), raw(std::span(out)), &size, algorithm, nullptr) != 1)
    return std::nullopt;
  out.resize(size);
  return out;
}

std::size_t digest_size(const std::string& name) {
  const EVP_MD* algorithm = digest_of(name);
  return algorithm == nullptr ? 0 : static_cast<std::size_t>(EVP_MD_get_size(algorithm));
}

bool pbkdf2(const std::string& name, std::span<const std::byte> password, std::span<const std::byte> salt,
            std::uint32_t iterations, std::span<std::byte> key) {
  const EVP_MD* algorithm = digest_of(name);
  if (algorithm == nullptr || iterations == 0 || iterations > KeyWork::kMost) return false;
  return PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(password.data()), length(password.size()), raw(salt),
                           length(salt.size()), static_cast<int>(iterations), algorithm, length(key.size()),
                           raw(key)) == 1;
}

Status argon2(const std::string& variant, const Argon2Cost& cost, std::span<const std::byte> password,
              std::span<const std::byte> salt, std::span<std::byte> key) {
  argon2_context context = {};
  context.out = raw(key);
  context.outlen = static_cast<std::uint32_t>(key.size());
  KeyBytes own_password(password);  // libargon2 takes it writable
  context.pwd = raw(own_password.span());
  context.pwdlen = static_cast<std::uint32_t>(password.size());
  std::vector<std::byte> own_salt(salt.begin(), salt.end());
  context.salt = raw(std::span(own_salt));
  context.saltlen = static_cast<std::uint32_t>(salt.size());
  context.t_cost = cost.passes;
  context.m_cost = cost.memory_kib;
  context.lanes = cost.lanes;
  context.threads = 1;  // a worker has one thread; the result does not depend on it
  context.version = ARGON2_VERSION_13;
  const int code = argon2_ctx(&context, variant == "argon2i" ? Argon2_i : Argon2_id);
  if (code == ARGON2_OK) return {};
  if (code == ARGON2_MEMORY_ALLOCATION_ERROR) {
    return Error{ErrorCode::limit,
                 "deriving the key needs " + std::to_string(cost.memory_kib / 1024) +
                     " MiB of memory, more than a worker may use (see --memory and --jobs)"};
  }
  return Error{ErrorCode::corrupt, std::string("the key cannot be derived: ") + argon2_error_message(code)};
}

std::optional<KeyBytes> open_ccm(std::span<const std::byte> key, std::span<const std::byte> nonce,
                                 std::span<const std::byte> tag, std::span<const std::byte> sealed) {
  if (key.size() != 32 || nonce.size() != 12 || tag.size() != 16 || sealed.empty()) return std::nullopt;
  const Context context(EVP_CIPHER_CTX_new());
  KeyBytes own_tag(tag);  // OpenSSL takes it writable
  KeyBytes out(sealed.size());
  int done = 0;
  const bool fits =
      context && EVP_DecryptInit_ex(context.get(), EVP_aes_256_ccm(), nullptr, nullptr, nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_CCM_SET_IVLEN, 12, nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_CCM_SET_TAG, 16, raw(own_tag.span())) == 1 &&
      EVP_DecryptInit_ex(context.get(), nullptr, nullptr, raw(key), raw(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &done, nullptr, length(sealed.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), raw(out.span()), &done, raw(sealed), length(sealed.size())) == 1;
  if (!fits) return std::nullopt;
  return out;
}

struct SectorCipher::State {
  Context decryptor, encryptor;
};

SectorCipher::SectorCipher(std::unique_ptr<State> state) : state_(std::move(state)) {}
SectorCipher::~SectorCipher() = default;

std::unique_ptr<SectorCipher> SectorCipher::make(const std::string& cipher, Chaining chaining,
                                                 std::span<const std::byte> key) {
  if (cipher != "aes" && cipher != "camellia") return nullptr;
  const std::size_t bits = key.size() * 8 / (chaining == Chaining::xts ? 2 : 1);
  const std::string mode = chaining == Chaining::ecb ? "ecb" : chaining == Chaining::cbc ? "cbc" : "xts";
  const std::string name = cipher + "-" + std::to_string(bits) + "-" + mode;
  const std::unique_ptr<EVP_CIPHER, CipherCloser> algorithm(EVP_CIPHER_fetch(nullptr, name.c_str(), nullptr));
  if (!algorithm || EVP_CIPHER_get_key_length(algorithm.get()) != length(key.size())) return nullptr;
  auto state = std::make_unique<State>();
  state->decryptor.reset(EVP_CIPHER_CTX_new());
  if (!state->decryptor ||
      EVP_DecryptInit_ex(state->decryptor.get(), algorithm.get(), nullptr, raw(key), nullptr) != 1)
    return nullptr;
  EVP_CIPHER_CTX_set_padding(state->decryptor.get(), 0);
  if (chaining == Chaining::ecb) {
    state->encryptor.reset(EVP_CIPHER_CTX_new());
    if (!state->encryptor ||
        EVP_EncryptInit_ex(state->encryptor.get(), algorithm.get(), nullptr, raw(key), nullptr) != 1)
      return nullptr;
    EVP_CIPHER_CTX_set_padding(state->encryptor.get(), 0);
  }
  return std::unique_ptr<SectorCipher>(new SectorCipher(std::move(state)));
}

void SectorCipher::decrypt(std::span<const std::byte, 16> iv, std::span<std::byte> bytes) {
  int done = 0;
  if (EVP_DecryptInit_ex(state_->decryptor.get(), nullptr, nullptr, nullptr,
                         raw(std::span<const std::byte>(iv))) != 1 ||
      EVP_DecryptUpdate(state_->decryptor.get(), raw(bytes), &done, raw(std::span<const std::byte>(bytes)),
                        length(bytes.size())) != 1)
    throw std::runtime_error("OpenSSL cannot decrypt");
}

void SectorCipher::encrypt_block(std::span<std::byte, 16> block) {
  int done = 0;
  unsigned char* bytes = raw(std::span<std::byte>(block));
  if (EVP_EncryptUpdate(state_->encryptor.get(), bytes, &done, bytes, 16) != 1)
    throw std::runtime_error("OpenSSL cannot encrypt");
}

}  // namespace touchstone::crypt
