// Who takes part in a record, in facts and in words.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ranking/ranker.hpp"

namespace touchstone::ranking {
namespace {

std::string person_text(const CasePerson* person) {
  return person ? fmt::format("{} ({})", person->id, to_text(person->role)) : "an unnamed party";
}

}  // namespace

void Ranker::set_parties(Facts& facts, const ExhibitFacts* exhibit, const std::string& direction,
                         const std::string& app, const std::string& sender,
                         const std::vector<std::string>& others) {
  std::vector<std::string> texts;
  if (exhibit)
    texts.push_back(exhibit->owner.empty()
                        ? fmt::format("the user of {}", exhibit->ref)
                        : fmt::format("{} ({})", exhibit->owner, to_text(exhibit->owner_role)));
  const CasePerson* from = context_.person(sender, app);
  if (direction == "out" && exhibit) {
    facts.author = exhibit->owner_role;
    facts.author_text = fmt::format("sent from exhibit {}", exhibit->ref);
  } else {
    facts.author = from ? from->role : PersonRole::other;
    facts.author_text =
        fmt::format("{} {}", direction == "in" ? "received from" : "written by", person_text(from));
  }
  std::vector<const CasePerson*> people = {direction == "out" ? nullptr : from};
  for (const std::string& other : others) people.push_back(context_.person(other, app));
  bool unnamed = direction != "out" && !from && !sender.empty();
  for (const CasePerson* person : people) {
    if (!person || (exhibit && person->id == exhibit->owner)) continue;
    facts.parties.push_back(person->role);
    const std::string text = person_text(person);
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
  }
  unnamed = unnamed || (texts.size() < 2 && !others.empty());
  if (unnamed) texts.emplace_back("an unnamed party");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    facts.parties_text += (i == 0 ? "" : i + 1 == texts.size() ? " and " : ", ") + texts[i];
  }
}

std::string Ranker::name_text(const ExhibitFacts* exhibit, const std::string& identifier,
                              const std::string& app) {
  if (identifier.empty()) return "an unnamed party";
  const CasePerson* person = context_.person(identifier, app);
  std::string name = exhibit ? names_.of(exhibit->id, identifier, app).contact : std::string();
  if (name.empty() && person) name = person->names.empty() ? person->id : person->names.front();
  if (name.empty()) name = identifier;
  return person && person->role != PersonRole::other ? name + ", " + to_text(person->role) : name;
}

std::string Ranker::route_text(const ExhibitFacts* exhibit, const std::string& direction,
                               const std::string& app, const std::string& sender,
                               const std::vector<std::string>& recipients) {
  const std::string device = exhibit ? exhibit->ref : "an unknown exhibit";
  if (direction != "out") {
    return fmt::format(" {} {}{}", direction == "in" ? "from" : "written by", name_text(exhibit, sender, app),
                       direction == "in" ? " to " + device : "");
  }
  std::string others = name_text(exhibit, recipients.empty() ? std::string() : recipients.front(), app);
  if (recipients.size() > 1) others += fmt::format(" and {} more", recipients.size() - 1);
  return fmt::format(" from {} to {}", device, others);
}

std::vector<std::string> Ranker::json_texts(const std::string& json) {
  std::vector<std::string> out;
  const auto array = nlohmann::json::parse(json, nullptr, false);
  if (!array.is_array()) return out;
  for (const auto& entry : array) {
    if (entry.is_string()) out.push_back(entry.get<std::string>());
  }
  return out;
}

}  // namespace touchstone::ranking
