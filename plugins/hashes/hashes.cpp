// Looks an item's digests up in lists of known and notable files. Settings:
//   {"sets": [{"path": "/…/list.csv", "category": "known", "name": "NSRL"}]}
// `category` is "known" (ordinary files: costly plugins then leave them out), "notable", or the name of a
// grading; `name` is the file's name without extension where it is left out. The formats are those of
// rules/hash_list.hpp.
#include <nlohmann/json.hpp>
#include <string>
#include <touchstone/plugin.hpp>
#include <utility>
#include <vector>

#include "rules/hash_list.hpp"

namespace {

using touchstone::DigestKind;
using touchstone::HashList;

class Hashes final : public touchstone::Plugin {
 public:
  static constexpr touchstone::Manifest kManifest{
      .name = "hashes",
      .version = "1.0",
      .summary = "Finds files whose digest is in a hash list",
      .licence = "Apache-2.0",
      .roles = TS_ROLE_CLASSIFIER,
      .min_size = 1};  // the digests of no bytes are in many lists and say nothing

  explicit Hashes(touchstone::Setup& setup) {
    const auto settings = nlohmann::json::parse(setup.settings());
    for (const auto& entry : settings.value("sets", nlohmann::json::array())) add(setup, entry);
  }

  ts_status begin(touchstone::Job& job) override {
    if (job.size() == 0) return TS_DONE;
    const auto md5 = job.digest("md5"), sha1 = job.digest("sha1"), sha256 = job.digest("sha256");
    for (const HashList& list : lists_) {
      DigestKind kind = DigestKind::sha256;
      if (!list.contains(md5, sha1, sha256, &kind)) continue;
      const auto matched = kind == DigestKind::md5 ? md5 : kind == DigestKind::sha1 ? sha1 : sha256;
      const std::string title = "In hash set " + list.name;
      const std::string detail = std::string(touchstone::to_text(kind)) + " " + std::string(matched);
      job.emit_finding(1000, {.rule = list.name,
                              .category = list.category,
                              .title = title,
                              .detail = detail,
                              .position = {},
                              .record_kind = {},
                              .record_key = {}});
    }
    return TS_DONE;
  }

 private:
  void add(touchstone::Setup& setup, const nlohmann::json& entry) {
    const std::string path = entry.at("path");
    auto loaded = touchstone::load_hash_list(path, entry.value("category", "notable"));
    if (!loaded) throw std::runtime_error(loaded.error().message);
    HashList list = loaded.take();
    list.name = entry.value("name", list.name);
    if (list.refused > 0) {
      setup.log(path + ": " + std::to_string(list.refused) + " lines give no digest, first " +
                list.first_refused);
    }
    constexpr std::size_t kVersionDigits = 12;  // enough to tell lists apart; the whole is in rule_file
    setup.declare_rule(list.name, list.sha256.substr(0, kVersionDigits), "In hash set " + list.name);
    lists_.push_back(std::move(list));
  }

  std::vector<HashList> lists_;
};

}  // namespace

TOUCHSTONE_PLUGIN(Hashes)
