#include "evidence/secrets.hpp"

#include <fmt/format.h>

#include <fstream>

namespace touchstone {

Result<Secrets> load_secrets(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{ErrorCode::io, path + ": the password file cannot be read"};
  std::string text(kMaxSecrets * (kMaxSecretBytes + 2) + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return Error{ErrorCode::io, path + ": the password file cannot be read"};
  text.resize(static_cast<std::size_t>(in.gcount()));
  Secrets secrets;
  std::size_t line = 0;
  for (std::size_t at = 0; at < text.size();) {
    ++line;
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string candidate = text.substr(at, end - at);
    if (candidate.ends_with('\r')) candidate.pop_back();
    at = end + 1;
    if (candidate.empty()) continue;
    if (candidate.size() > kMaxSecretBytes)
      return Error{ErrorCode::invalid,
                   fmt::format("{}:{}: longer than {} bytes", path, line, kMaxSecretBytes)};
    if (secrets.candidates.size() == kMaxSecrets)
      return Error{ErrorCode::invalid, fmt::format("{}:{}: more than {} passwords", path, line, kMaxSecrets)};
    secrets.candidates.push_back(std::move(candidate));
  }
  return secrets;
}

}  // namespace touchstone
