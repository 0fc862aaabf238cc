#include "hits.hpp"

#include <nlohmann/json.hpp>

namespace touchstone::keywords {
namespace {

bool is_other_utf16(Encoding a, Encoding b) {
  return a != Encoding::utf8 && b != Encoding::utf8 && a != b;
}

}  // namespace

std::string title_of(const KeywordPack& pack, const KeywordTerm& term) {
  return pack.info.title + ": " + (term.why.empty() ? term.id : term.why);
}

void Hits::begin() {
  counts_.clear();
  raw_.clear();
  last_raw_.clear();
}

void Hits::emit(Job& job, const KeywordHit& hit, const Excerpt& excerpt, std::string_view category,
                const std::string& position, std::string_view record_kind, std::string_view record_key) {
  const KeywordPack& pack = packs_[hit.pack];
  const KeywordTerm& term = pack.terms[hit.term];
  nlohmann::json detail = {{"pack", pack.info.id},
                           {"points", term.points},
                           {"why", term.why},
                           {"match", excerpt.match},
                           {"context", excerpt.context}};
  if (hit.encoding != Encoding::utf8) detail["encoding"] = to_text(hit.encoding);
  const std::string title = title_of(pack, term);
  const std::string text = detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  job.emit_finding(1000, {.rule = term.id,
                          .category = category,
                          .title = title,
                          .detail = text,
                          .position = position,
                          .record_kind = record_kind,
                          .record_key = record_key});
}

void Hits::in_text(Job& job, const KeywordHit& hit, const Excerpt& excerpt) {
  Count& count = counts_[{hit.pack, hit.term}];
  ++count.in_text;
  if (++count.found > kMaxFindings) return;
  emit(job, hit, excerpt, packs_[hit.pack].category,
       "text " + std::to_string(hit.from) + "-" + std::to_string(hit.to));
}

void Hits::in_field(Job& job, const KeywordHit& hit, const Excerpt& excerpt, const ts_record& record,
                    std::string_view field) {
  if (++counts_[{hit.pack, hit.term}].found > kMaxFindings) return;
  emit(job, hit, excerpt, packs_[hit.pack].category,
       std::string(field) + " " + std::to_string(hit.from) + "-" + std::to_string(hit.to),
       from_abi(record.kind), from_abi(record.key));
}

void Hits::in_raw(const KeywordHit& hit, const Excerpt& excerpt) {
  const Term term{hit.pack, hit.term};
  // "a.b.c." in little-endian is ".a.b.c" in big-endian one byte before it: one match, at the even offset.
  if (const auto last = last_raw_.find(term); last != last_raw_.end()) {
    HeldBack& before = raw_[last->second];
    if (is_other_utf16(before.hit.encoding, hit.encoding) && hit.from == before.hit.from + 1 &&
        hit.to == before.hit.to + 1) {
      if (hit.from % 2 == 0) before = {hit, excerpt};
      return;
    }
  }
  Count& count = counts_[term];
  if (++count.in_raw > kMaxFindings || raw_.size() >= kMaxHeldBack) return;
  last_raw_[term] = raw_.size();
  raw_.push_back({hit, excerpt});
}

void Hits::finish(Job& job) {
  for (const HeldBack& held : raw_) {
    if (counts_[{held.hit.pack, held.hit.term}].in_text > 0) continue;
    emit(
        job, held.hit, held.excerpt, "keyword-raw",
        "offset " + std::to_string(held.hit.from) + " length " + std::to_string(held.hit.to - held.hit.from));
  }
  std::map<Term, std::uint64_t> given;
  for (const HeldBack& held : raw_) ++given[{held.hit.pack, held.hit.term}];
  for (const auto& [term, count] : counts_) {
    const bool raw_is_cut = count.in_text == 0 && count.in_raw > given[term];
    if (count.found <= kMaxFindings && !raw_is_cut) continue;
    const KeywordPack& pack = packs_[term.first];
    job.emit_problem("limit", pack.info.title + ": " + pack.terms[term.second].id + ": only the first of " +
                                  std::to_string(count.found + (count.in_text > 0 ? 0 : count.in_raw)) +
                                  " places are listed");
  }
}

}  // namespace touchstone::keywords
