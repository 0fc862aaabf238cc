#include "filesystem/trees/adb_backup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace touchstone {
namespace {

constexpr std::string_view kMagic = "ANDROID BACKUP\n", kMiuiMagic = "MIUI BACKUP\n";
/// Header lines are a few hundred bytes; MIUI's name the app.
constexpr std::size_t kMaxHeader = 8192;
constexpr int kNewestVersion = 5;
constexpr std::size_t kKeySize = 32, kBlock = 16;

std::string read_head(ByteSource& file, std::size_t size) {
  std::string head(size, '\0');
  const auto got = file.read_at(0, std::as_writable_bytes(std::span(head)));
  head.resize(got ? *got : 0);
  return head;
}

std::optional<std::string_view> next_line(std::string_view text, std::size_t& at) {
  const std::size_t end = text.find('\n', at);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(at, end - at);
  at = end + 1;
  return line;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::vector<std::byte>> parse_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    if (error != std::errc() || end != text.data() + i + 2) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

/// What Java makes of bytes that it takes for characters one by one and then writes as UTF-8. A byte is
/// signed there, so one from 0x80 becomes U+FF80 to U+FFFF.
SecretBytes as_java_utf8(std::span<const std::byte> bytes, bool sign_extended) {
  SecretBytes text(bytes.size() * 3);
  std::size_t size = 0;
  const auto put = [&](unsigned byte) { text.span()[size++] = static_cast<std::byte>(byte); };
  for (const std::byte each : bytes) {
    const unsigned byte = std::to_integer<unsigned>(each);
    const unsigned code = byte < 0x80 || !sign_extended ? byte : 0xff00U | byte;
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xc0U | code >> 6U), put(0x80U | (code & 0x3fU));
    } else {
      put(0xe0U | code >> 12U), put(0x80U | (code >> 6U & 0x3fU)), put(0x80U | (code & 0x3fU));
    }
  }
  return SecretBytes(std::span<const std::byte>(text.span()).first(size));
}

/// The lower byte of each UTF-16 unit of a UTF-8 text: PBKDF2withHmacSHA1And8BIT, of version 1.
SecretBytes lower_bytes(std::string_view utf8) {
  SecretBytes out(utf8.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    const auto next = [&](std::size_t k) {
      return i + k < utf8.size() ? static_cast<unsigned char>(utf8[i + k]) & 0x3fU : 0U;
    };
    if (byte < 0x80) {
      out.span()[size++] = static_cast<std::byte>(byte);
    } else if (byte >= 0xc0 && byte < 0xe0) {
      out.span()[size++] = static_cast<std::byte>(((byte & 0x1fU) << 6U | next(1)) & 0xffU);
    } else if (byte >= 0xe0 && byte < 0xf0) {
      out.span()[size++] = static_cast<std::byte>((next(1) << 6U | next(2)) & 0xffU);
    }
  }
  return SecretBytes(std::span<const std::byte>(out.span()).first(size));
}

/// The parts of the master key's block: (length, bytes) for IV, key and checksum, then padding.
struct MasterKey {
  std::span<const std::byte> iv, key, checksum;
};

std::optional<MasterKey> parse_master_key(std::span<const std::byte> plain) {
  const auto next = [&]() -> std::optional<std::span<const std::byte>> {
    if (plain.empty()) return std::nullopt;
    const auto size = std::to_integer<std::size_t>(plain.front());
    if (size > plain.size() - 1) return std::nullopt;
    const auto part = plain.subspan(1, size);
    plain = plain.subspan(1 + size);
    return part;
  };
  const auto iv = next();
  const auto key = iv ? next() : std::nullopt;
  const auto checksum = key ? next() : std::nullopt;
  if (!checksum || iv->size() != kBlock || key->size() != kKeySize || checksum->size() != kKeySize)
    return std::nullopt;
  return MasterKey{*iv, *key, *checksum};
}

bool checksum_fits(const AdbHeader& header, const MasterKey& master) {
  const auto fits = [&](std::span<const std::byte> as) {
    const SecretBytes made = derive_key(Prf::hmac_sha1, as, header.checksum_salt, header.rounds, kKeySize);
    return std::equal(made.span().begin(), made.span().end(), master.checksum.begin(), master.checksum.end());
  };
  // Which of these a phone used depends on its Android and its Java library; the checksum tells.
  return fits(as_java_utf8(master.key, true).span()) || fits(master.key) ||
         fits(as_java_utf8(master.key, false).span());
}

Status read_key_lines(std::string_view text, std::size_t& at, AdbHeader& header) {
  const Error corrupt{ErrorCode::corrupt, "the header of the encrypted Android backup is damaged"};
  const auto hex_line = [&](std::vector<std::byte>& out) {
    const auto line = next_line(text, at);
    auto bytes = line ? parse_hex(*line) : std::nullopt;
    if (!bytes) return false;
    out = std::move(*bytes);
    return true;
  };
  if (!hex_line(header.user_salt) || !hex_line(header.checksum_salt)) return corrupt;
  const auto rounds_line = next_line(text, at);
  const auto rounds = rounds_line ? parse_number<std::uint32_t>(*rounds_line) : std::nullopt;
  if (!rounds || *rounds == 0 || !hex_line(header.user_iv) || !hex_line(header.master_key_blob))
    return corrupt;
  header.rounds = *rounds;
  const std::size_t blob = header.master_key_blob.size();
  if (header.user_iv.size() != kBlock || blob == 0 || blob % kBlock != 0 || header.user_salt.empty() ||
      header.checksum_salt.empty())
    return corrupt;
  if (header.rounds > kMaxAdbRounds)
    return Error{
        ErrorCode::limit,
        fmt::format("the Android backup asks for {} rounds of key derivation, more than {}: nothing is tried",
                    header.rounds, kMaxAdbRounds)};
  return {};
}

}  // namespace

bool is_adb_backup(ByteSource& file) {
  const std::string head = read_head(file, kMagic.size());
  return head == kMagic || head.starts_with(kMiuiMagic);
}

Result<AdbHeader> read_adb_header(ByteSource& file) {
  const std::string head = read_head(file, kMaxHeader);
  AdbHeader header;
  std::size_t at = 0;
  if (std::string_view(head).starts_with(kMiuiMagic)) {
    header.miui = true;
    at = head.find(kMagic);
    std::size_t line = kMiuiMagic.size();
    (void)next_line(head, line);  // a version
    if (const auto name = next_line(head, line)) header.package = name->substr(0, name->find(' '));
  }
  const Error corrupt{ErrorCode::corrupt, "the header of the Android backup is damaged"};
  if (at == std::string::npos || head.compare(at, kMagic.size(), kMagic) != 0) return corrupt;
  at += kMagic.size();
  const auto version = next_line(head, at);
  const auto compressed = version ? next_line(head, at) : std::nullopt;
  const auto encryption = compressed ? next_line(head, at) : std::nullopt;
  if (!encryption) return corrupt;
  const auto number = parse_number<int>(*version);
  if (!number || (*compressed != "0" && *compressed != "1")) return corrupt;
  if (*number < 1 || *number > kNewestVersion)
    return Error{
        ErrorCode::unsupported,
        fmt::format("an Android backup of version {}: versions 1 to {} are read", *number, kNewestVersion)};
  header.version = *number;
  header.compressed = *compressed == "1";
  header.encryption = encryption->substr(0, 40);
  if (header.encryption == "AES-256") {
    if (auto keys = read_key_lines(head, at, header); !keys) return keys.error();
  } else if (header.encryption != "none") {
    return Error{ErrorCode::unsupported, "an Android backup with a cipher that is not known here"};
  }
  header.payload = at;
  return header;
}

std::optional<AdbKey> open_adb_key(const AdbHeader& header, std::string_view password) {
  const auto attempt = [&](std::span<const std::byte> as) -> std::optional<AdbKey> {
    const SecretBytes user = derive_key(Prf::hmac_sha1, as, header.user_salt, header.rounds, kKeySize);
    const auto plain = decrypt_cbc(user.span(), header.user_iv, header.master_key_blob);
    const auto master = plain ? parse_master_key(plain->span()) : std::nullopt;
    if (!master || !checksum_fits(header, *master)) return std::nullopt;
    return AdbKey{SecretBytes(master->key), {master->iv.begin(), master->iv.end()}};
  };
  if (auto key = attempt(as_byte_span(password))) return key;
  const SecretBytes narrow = lower_bytes(password);
  const bool same = std::equal(narrow.span().begin(), narrow.span().end(), as_byte_span(password).begin(),
                               as_byte_span(password).end());
  return same ? std::nullopt : attempt(narrow.span());
}

Result<AdbKey> unlock_adb_backup(const AdbHeader& header, const Secrets& secrets) {
  const std::string how =
      fmt::format("version {}, AES-256, PBKDF2 with {} rounds of SHA-1", header.version, header.rounds);
  if (secrets.candidates.empty())
    return Error{
        ErrorCode::encrypted,
        fmt::format("an encrypted Android backup: it opens with the password that was typed on the phone, "
                    "given with --password-file ({})",
                    how)};
  // Two derivations a password, and up to three for the checksum of one that may fit.
  const std::size_t most = std::max<std::size_t>(1, 100'000'000U / (std::size_t{2} * header.rounds));
  const std::size_t tried = std::min(most, secrets.candidates.size());
  for (std::size_t i = 0; i < tried; ++i)
    if (auto key = open_adb_key(header, secrets.candidates[i])) return std::move(*key);
  const std::string left = tried == secrets.candidates.size()
                               ? std::string()
                               : fmt::format("; {} more were not tried", secrets.candidates.size() - tried);
  return Error{ErrorCode::encrypted,
               fmt::format("an encrypted Android backup: {} ({}{})",
                           tried == 1 ? "the password given is not its password"
                                      : fmt::format("none of {} passwords given is its password", tried),
                           how, left)};
}

}  // namespace touchstone
