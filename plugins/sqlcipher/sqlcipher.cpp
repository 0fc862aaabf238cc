// sqlcipher: databases that an app encrypts with a key that lies beside them, as members in the clear. Signal
// on the desktop kept its key in config.json until 2024; since then that file holds a key that the user's
// account of the computer locks, and the database is told to be encrypted.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

#include "cipher_pages.hpp"

namespace touchstone::sqlcipher {
namespace {

constexpr const char* kNames[] = {"**/Signal*/sql/db.sqlite", nullptr};
constexpr const char* kTypes[] = {"application/octet-stream", nullptr};
constexpr std::uint64_t kMaxConfig = 1U << 20U, kMaxWal = 256U << 20U;
constexpr std::size_t kHead = 4096, kWalHeader = 32, kFrameHeader = 24;

std::uint32_t big(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint32_t>(bytes[at]) << 24U | static_cast<std::uint32_t>(bytes[at + 1]) << 16U |
         static_cast<std::uint32_t>(bytes[at + 2]) << 8U | bytes[at + 3];
}

std::optional<Key> key_of(const std::string& hex) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Key key{};
  if (hex.size() != 2 * key.size()) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const char small = hex[i] >= 'A' && hex[i] <= 'F' ? static_cast<char>(hex[i] - 'A' + 'a') : hex[i];
    const std::size_t digit = kDigits.find(small);
    if (digit == std::string_view::npos) return std::nullopt;
    key[i / 2] = static_cast<std::uint8_t>(key[i / 2] << 4U | digit);
  }
  return key;
}

/// The database with what its write-ahead log has committed.
struct State {
  CipherPages pages;
  std::vector<std::uint8_t> wal;
  std::map<std::uint32_t, std::size_t> newer;  ///< page → its bytes in the log
  std::uint64_t count = 0;                     ///< pages

  /// Frames up to the last that commits; those of an older log behind them have other salts.
  void read_log() {
    const std::size_t page = pages.form().page, frame = kFrameHeader + page;
    if (wal.size() < kWalHeader || big(wal, 8) != page) return wal.clear();
    std::map<std::uint32_t, std::size_t> open;
    for (std::size_t at = kWalHeader; at + frame <= wal.size(); at += frame) {
      if (!std::equal(wal.begin() + 16, wal.begin() + 24, wal.begin() + static_cast<std::ptrdiff_t>(at) + 8))
        break;
      const std::uint32_t number = big(wal, at), pages_after = big(wal, at + 4);
      if (number == 0) break;
      open[number] = at + kFrameHeader;
      if (pages_after == 0) continue;
      for (const auto& [each, place] : open) newer[each] = place;
      open.clear();
      count = pages_after;
    }
  }
};

/// Gives a member page by page.
struct Pages {
  const Job* job;
  const State* state;
  std::uint64_t next = 0;
  std::vector<std::uint8_t> ready{};
  std::size_t given = 0;
  std::uint64_t damaged = 0;

  bool load() {
    const std::size_t size = state->pages.form().page;
    if (next >= state->count || job->cancelled()) return false;
    const auto number = static_cast<std::uint32_t>(next + 1);
    std::vector<std::uint8_t> cipher(size);
    if (const auto newer = state->newer.find(number); newer != state->newer.end()) {
      std::copy_n(state->wal.begin() + static_cast<std::ptrdiff_t>(newer->second), size, cipher.begin());
    } else if (job->read_at(next * size, cipher) != static_cast<std::int64_t>(size)) {
      cipher.clear();
    }
    auto plain = state->pages.page(cipher, number);
    damaged += !plain;
    ready = plain ? std::move(*plain) : std::vector<std::uint8_t>(size);
    given = 0;
    ++next;
    return true;
  }
  static std::int64_t pull(void* context, std::uint8_t* out, std::size_t capacity) {
    auto& self = *static_cast<Pages*>(context);
    if (self.given == self.ready.size() && !self.load()) return 0;
    const std::size_t count = std::min(capacity, self.ready.size() - self.given);
    std::copy_n(self.ready.begin() + static_cast<std::ptrdiff_t>(self.given), count, out);
    self.given += count;
    return static_cast<std::int64_t>(count);
  }
};

class SqlCipher final : public Plugin {
 public:
  static constexpr Manifest kManifest{.name = "sqlcipher",
                                      .version = "1.0",
                                      .summary = "Encrypted databases of apps whose key lies beside them",
                                      .licence = "Apache-2.0",
                                      .roles = TS_ROLE_EXTRACTOR,
                                      .scope = TS_SCOPE_ITEM,
                                      .inputs = TS_INPUT_MEMBERS,
                                      .media_types = kTypes,
                                      .name_globs = kNames,
                                      .min_size = 1024};

  explicit SqlCipher(Setup&) {}

  ts_status list(Job& job) override {
    const auto state = open(job);
    if (!state) return TS_OK;
    ts_member member{};
    member.struct_size = sizeof(ts_member);
    member.path = to_abi("Signal/sql/db.sqlite");
    member.size = state->count * state->pages.form().page;
    job.emit_member(member);
    return TS_OK;
  }

  ts_status extract(Job& job, std::uint32_t first, std::uint32_t count) override {
    const auto state = open(job);
    if (!state || first > 0 || count == 0) return TS_OK;
    Pages pages{&job, &*state};
    job.emit_member_data(0, Pages::pull, &pages);
    if (pages.damaged > 0)
      job.emit_problem("corrupt", fmt::format("member 0: {} pages do not fit their checksum and are zeros",
                                              pages.damaged));
    return TS_OK;
  }

 private:
  static void refuse(Job& job, std::string_view why) {
    job.emit_problem("encrypted",
                     fmt::format("the database of Signal is encrypted and was not read: {}", why));
  }

  static std::optional<State> open(Job& job) {
    const auto config = job.neighbour("../config.json", kMaxConfig);
    const auto json = config ? nlohmann::json::parse(config->begin(), config->end(), nullptr, false)
                             : nlohmann::json(nlohmann::json::value_t::discarded);
    if (!json.is_object()) {
      refuse(job, "it takes the key in config.json, which is not there");
      return std::nullopt;
    }
    const auto text = json.find("key");
    const auto key =
        text != json.end() && text->is_string() ? key_of(text->get<std::string>()) : std::nullopt;
    if (!key) {
      refuse(job, json.contains("encryptedKey")
                      ? "the user's account of the computer locks the key in config.json"
                      : "config.json holds no key");
      return std::nullopt;
    }
    std::vector<std::uint8_t> head(kHead);
    const auto got = job.read_at(0, head);
    head.resize(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
    auto pages = CipherPages::open(head, *key);
    if (!pages) {
      refuse(job, "the key in config.json does not open it");
      return std::nullopt;
    }
    State state{*pages, {}, {}, 0};
    state.count = job.size() / state.pages.form().page;
    if (auto wal = job.neighbour("db.sqlite-wal", kMaxWal)) {
      state.wal = std::move(*wal);
      state.read_log();
    } else if (job.has_neighbour("db.sqlite-wal")) {
      job.emit_problem("limit", "the write-ahead log is larger than 256 MiB and was not read");
    }
    return state;
  }
};

}  // namespace
}  // namespace touchstone::sqlcipher

TOUCHSTONE_PLUGIN(touchstone::sqlcipher::SqlCipher)
