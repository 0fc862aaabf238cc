// Searches the terms of keyword packs. Settings: {"files": ["/…/pack.toml", "/…/words.txt"]}.
// Three places are searched: the text facet, each text field of records, and the raw bytes in UTF-8 and both
// UTF-16. What a finding says is laid down in rules/keyword_pack.hpp; docs/plugins.md tells how raw and text
// matches go together.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <touchstone/plugin.hpp>
#include <utility>
#include <vector>

#include "excerpt.hpp"
#include "hits.hpp"
#include "model/locator.hpp"
#include "rules/keyword_matcher.hpp"
#include "rules/keyword_pack.hpp"

namespace {

using namespace touchstone;
using namespace touchstone::keywords;

// Columns that say how a record is filed, not what anybody wrote.
constexpr std::array<std::string_view, 11> kNotSearched = {
    "app",    "direction",  "key",          "kind",       "media_type", "pdq",
    "source", "source_row", "source_table", "time_basis", "status"};

template <typename T>
T checked(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return result.take();
}

std::vector<KeywordPack> load_packs(const Setup& setup) {
  std::vector<KeywordPack> packs;
  const auto settings = nlohmann::json::parse(setup.settings());
  for (const auto& file : settings.value("files", nlohmann::json::array())) {
    // The host ran the examples before it started any worker.
    packs.push_back(checked(load_keyword_pack(file.get<std::string>(), false)));
  }
  return packs;
}

std::optional<KeywordMatcher> compile(const std::vector<KeywordPack>& packs,
                                      const KeywordMatcher::Options& options) {
  if (packs.empty()) return std::nullopt;
  return checked(KeywordMatcher::compile(packs, options));
}

/// A stream of one item with what is needed to quote from it.
class Search {
 public:
  explicit Search(const KeywordMatcher& matcher) : matcher_(matcher) { stream_.emplace(matcher_); }

  void begin() {
    // A stream that was not finished still holds the item before.
    if (std::exchange(dirty_, false)) stream_.emplace(matcher_);
    recent_.clear(0);
    limited_ = false;
  }

  template <typename OnHit>
  void write(std::string_view bytes, OnHit on_hit) {
    dirty_ = true;
    recent_.add(bytes);
    note(stream_->write(bytes,
                        [&](const KeywordHit& hit) { return on_hit(hit, recent_.excerpt(hit)), true; }));
    recent_.trim();
  }

  template <typename OnHit>
  void finish(OnHit on_hit) {
    if (!dirty_) return;
    note(stream_->finish([&](const KeywordHit& hit) { return on_hit(hit, recent_.excerpt(hit)), true; }));
    dirty_ = false;
  }

  bool limited() const { return limited_; }

 private:
  void note(const Status& status) {
    if (status) return;
    if (status.error().code != ErrorCode::limit) throw Failure(TS_ERROR, status.error().message);
    limited_ = true;
  }

  const KeywordMatcher& matcher_;
  std::optional<KeywordMatcher::Stream> stream_;
  Recent recent_;
  bool dirty_ = false, limited_ = false;
};

/// Offset in `raw` of what stands at `offset` in `valid`, which is to_valid_utf8(raw).
std::uint64_t offset_in_raw(std::string_view raw, std::string_view valid, std::uint64_t offset) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::size_t at = 0;
  for (std::size_t i = 0; i < offset && i < valid.size();) {
    const bool replaced =
        valid.substr(i).starts_with(kReplacement) && !raw.substr(at).starts_with(kReplacement);
    i += replaced ? kReplacement.size() : 1;
    ++at;
  }
  return at;
}

class Keywords final : public Plugin {
 public:
  static constexpr Manifest kManifest{
      .name = "keywords",
      .version = "1.0",
      .summary = "Finds the words of keyword packs in text, records and raw bytes",
      .licence = "Apache-2.0",
      .roles = TS_ROLE_CLASSIFIER,
      .scope = TS_SCOPE_CONTENT,
      .inputs = TS_INPUT_DATA | TS_INPUT_TEXT | TS_INPUT_RECORDS,
      .min_size = 1};

  explicit Keywords(Setup& setup)
      : packs_(load_packs(setup)),
        searches_(keyword_searches(nlohmann::json::parse(setup.settings()).value("cache", ""))),
        text_matcher_(compile(packs_, searches_.text)),
        field_matcher_(compile(packs_, searches_.fields)),
        raw_matcher_(compile(packs_, searches_.raw)),
        hits_(packs_) {
    if (packs_.empty()) return;
    text_.emplace(*text_matcher_);
    raw_.emplace(*raw_matcher_);
    for (const KeywordPack& pack : packs_) {
      for (const KeywordTerm& term : pack.terms) {
        setup.declare_rule(term.id, pack.info.version, title_of(pack, term));
      }
    }
    for (const NotSearched& gap : raw_matcher_->not_searched()) {
      const KeywordPack& pack = packs_[gap.pack];
      setup.log(pack.info.path + ": " + pack.terms[gap.term].id + " is not searched in raw bytes as " +
                to_text(gap.encoding) + ": " + gap.reason);
    }
  }

  ts_status begin(Job&) override {
    if (packs_.empty()) return TS_DONE;
    hits_.begin();
    text_->begin();
    raw_->begin();
    fields_limited_ = false;
    return TS_OK;
  }

  ts_status data(Job&, std::uint64_t, std::span<const std::uint8_t> bytes) override {
    raw_->write({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                [&](const KeywordHit& hit, const Excerpt& excerpt) { hits_.in_raw(hit, excerpt); });
    return TS_OK;
  }

  ts_status text(Job& job, std::uint64_t, std::size_t overlap, std::string_view window) override {
    text_->write(window.substr(std::min(overlap, window.size())),
                 [&](const KeywordHit& hit, const Excerpt& excerpt) { hits_.in_text(job, hit, excerpt); });
    return TS_OK;
  }

  ts_status records(Job& job, std::span<const ts_record> records) override {
    for (const ts_record& record : records) {
      for (const ts_field& field : std::span(record.fields, record.field_count)) {
        const auto name = from_abi(field.name);
        if (field.value.kind != TS_TEXT || field.value.text.size == 0) continue;
        if (std::find(kNotSearched.begin(), kNotSearched.end(), name) != kNotSearched.end()) continue;
        search_field(job, record, name, from_abi(field.value.text));
      }
    }
    return TS_OK;
  }

  ts_status finish(Job& job) override {
    if (packs_.empty()) return TS_OK;
    text_->finish([&](const KeywordHit& hit, const Excerpt& excerpt) { hits_.in_text(job, hit, excerpt); });
    raw_->finish([&](const KeywordHit& hit, const Excerpt& excerpt) { hits_.in_raw(hit, excerpt); });
    hits_.finish(job);
    if (text_->limited() || raw_->limited() || fields_limited_) {
      job.emit_problem("limit", "so many places match keywords that some were not looked at");
    }
    return TS_OK;
  }

 private:
  void search_field(Job& job, const ts_record& record, std::string_view name, std::string_view raw) {
    const std::string valid = to_valid_utf8(raw);
    const auto status = field_matcher_->scan(valid, [&](const KeywordHit& hit) {
      const Excerpt excerpt = make_excerpt(valid, hit.from, hit.to, Encoding::utf8);
      KeywordHit stored = hit;
      if (valid.size() != raw.size()) {
        stored.from = offset_in_raw(raw, valid, hit.from);
        stored.to = offset_in_raw(raw, valid, hit.to);
      }
      hits_.in_field(job, stored, excerpt, record, name);
      return true;
    });
    if (status) return;
    if (status.error().code != ErrorCode::limit) throw Failure(TS_ERROR, status.error().message);
    fields_limited_ = true;
  }

  std::vector<KeywordPack> packs_;
  KeywordSearches searches_;
  std::optional<KeywordMatcher> text_matcher_, field_matcher_, raw_matcher_;
  std::optional<Search> text_, raw_;
  Hits hits_;
  bool fields_limited_ = false;
};

}  // namespace

TOUCHSTONE_PLUGIN(Keywords)
