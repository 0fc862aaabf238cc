#include "model/types.hpp"

#include <string_view>
#include <utility>

namespace touchstone {
namespace {

template <typename Enum>
using Names = std::pair<Enum, const char*>;

constexpr Names<TimeBasis> kTimeBases[] = {
    {TimeBasis::utc, "utc"}, {TimeBasis::offset, "offset"}, {TimeBasis::assumed, "assumed"}};
constexpr Names<Role> kRoles[] = {{Role::suspect, "suspect"},
                                  {Role::complainant, "complainant"},
                                  {Role::witness, "witness"},
                                  {Role::unknown, "unknown"}};
constexpr Names<ItemKind> kItemKinds[] = {{ItemKind::file, "file"},
                                          {ItemKind::directory, "directory"},
                                          {ItemKind::link, "link"},
                                          {ItemKind::stream, "stream"},
                                          {ItemKind::attachment, "attachment"},
                                          {ItemKind::member, "member"},
                                          {ItemKind::carved, "carved"},
                                          {ItemKind::slack, "slack"},
                                          {ItemKind::unallocated, "unallocated"},
                                          {ItemKind::virtual_, "virtual"}};
constexpr Names<ItemState> kItemStates[] = {{ItemState::pending, "pending"},
                                            {ItemState::examined, "examined"},
                                            {ItemState::partly_examined, "partly_examined"},
                                            {ItemState::timed_out, "timed_out"},
                                            {ItemState::failed, "failed"},
                                            {ItemState::encrypted, "encrypted"},
                                            {ItemState::unsupported, "unsupported"}};
constexpr Names<VolumeState> kVolumeStates[] = {
    {VolumeState::read, "read"},           {VolumeState::partly_read, "partly_read"},
    {VolumeState::encrypted, "encrypted"}, {VolumeState::unsupported, "unsupported"},
    {VolumeState::corrupt, "corrupt"},     {VolumeState::unallocated, "unallocated"}};
constexpr Names<ProblemKind> kProblemKinds[] = {{ProblemKind::crash, "crash"},
                                                {ProblemKind::timeout, "timeout"},
                                                {ProblemKind::memory, "memory"},
                                                {ProblemKind::limit, "limit"},
                                                {ProblemKind::corrupt, "corrupt"},
                                                {ProblemKind::encrypted, "encrypted"},
                                                {ProblemKind::unsupported, "unsupported"},
                                                {ProblemKind::unknown_schema, "unknown_schema"},
                                                {ProblemKind::integrity, "integrity"},
                                                {ProblemKind::unreadable, "unreadable"},
                                                {ProblemKind::sandbox, "sandbox"},
                                                {ProblemKind::model_missing, "model_missing"}};

template <typename Enum, std::size_t N>
const char* name_of(const Names<Enum> (&names)[N], Enum value) {
  for (const auto& [each, name] : names) {
    if (each == value) return name;
  }
  return "";
}

template <typename Enum, std::size_t N>
std::optional<Enum> value_of(const Names<Enum> (&names)[N], std::string_view text) {
  for (const auto& [each, name] : names) {
    if (text == name) return each;
  }
  return std::nullopt;
}

}  // namespace

const char* to_text(TimeBasis value) {
  return name_of(kTimeBases, value);
}
const char* to_text(Role value) {
  return name_of(kRoles, value);
}
const char* to_text(ItemKind value) {
  return name_of(kItemKinds, value);
}
const char* to_text(ItemState value) {
  return name_of(kItemStates, value);
}
const char* to_text(VolumeState value) {
  return name_of(kVolumeStates, value);
}
const char* to_text(ProblemKind value) {
  return name_of(kProblemKinds, value);
}
std::optional<Role> parse_role(std::string_view text) {
  return value_of(kRoles, text);
}
std::optional<ItemKind> parse_item_kind(std::string_view text) {
  return value_of(kItemKinds, text);
}
std::optional<ItemState> parse_item_state(std::string_view text) {
  return value_of(kItemStates, text);
}
std::optional<ProblemKind> parse_problem_kind(std::string_view text) {
  return value_of(kProblemKinds, text);
}
std::optional<TimeBasis> parse_time_basis(std::string_view text) {
  return value_of(kTimeBases, text);
}

const Value* Record::find(std::string_view column) const {
  for (const auto& [name, value] : fields) {
    if (name == column) return &value;
  }
  return nullptr;
}

}  // namespace touchstone
