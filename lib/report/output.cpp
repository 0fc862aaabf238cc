#include "report/output.hpp"

#include <openssl/evp.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace touchstone::report {
namespace {

constexpr std::size_t kBufferSize = 1 << 18;

using Digest = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Digest start_digest() {
  Digest digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (digest) EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  return digest;
}

std::string finish_digest(const Digest& digest) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(digest.get(), bytes, &length);
  constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    hex += kHex[bytes[i] >> 4];
    hex += kHex[bytes[i] & 0xF];
  }
  return hex;
}

Error io_error(const std::filesystem::path& path, const char* doing) {
  return {ErrorCode::io, path.string() + ": " + std::strerror(errno) + " (" + doing + ")"};
}

}  // namespace

OutputFile::OutputFile(std::filesystem::path path) : path_(std::move(path)), temporary_(path_) {
  temporary_ += ".part";
  file_.reset(std::fopen(temporary_.c_str(), "wbe"));
  if (!file_) {
    fail("opening to write");
    return;
  }
  std::setvbuf(file_.get(), nullptr, _IOFBF, kBufferSize);
}

OutputFile::~OutputFile() {
  if (!file_) return;
  file_.reset();
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void OutputFile::fail(const char* doing) {
  if (status_) status_ = io_error(temporary_, doing);
}

void OutputFile::write(std::string_view bytes) {
  if (!status_ || bytes.empty()) return;
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) fail("writing");
}

Status OutputFile::finish() {
  if (!status_) return status_;
  if (std::fflush(file_.get()) != 0) fail("writing");
  if (status_ && std::fclose(file_.release()) != 0) fail("closing");
  if (status_ && std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("renaming");
  if (!status_) {
    file_.reset();
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
  }
  return status_;
}

Status write_file(const std::filesystem::path& path, std::string_view bytes) {
  OutputFile file(path);
  file.write(bytes);
  return file.finish();
}

Status make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Error{ErrorCode::io, path.string() + ": " + error.message() + " (making the folder)"};
  return {};
}

std::string sha256_hex(std::string_view bytes) {
  const Digest digest = start_digest();
  EVP_DigestUpdate(digest.get(), bytes.data(), bytes.size());
  return finish_digest(digest);
}

Result<std::string> sha256_of_file(const std::filesystem::path& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) return io_error(path, "opening");
  const Digest digest = start_digest();
  std::vector<char> buffer(kBufferSize);
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    EVP_DigestUpdate(digest.get(), buffer.data(), got);
  }
  if (std::ferror(file.get())) return io_error(path, "reading");
  return finish_digest(digest);
}

}  // namespace touchstone::report
