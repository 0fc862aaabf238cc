#include "plugin/matcher.hpp"

#include "rules/glob.hpp"

namespace touchstone {

bool matches_media_type(const ts_matcher& matcher, std::string_view media_type) {
  if (!matcher.media_types || !*matcher.media_types) return true;
  for (const char* const* each = matcher.media_types; *each; ++each) {
    const std::string_view pattern(*each);
    if (pattern.ends_with('*') ? media_type.starts_with(pattern.substr(0, pattern.size() - 1))
                               : media_type == pattern)
      return true;
  }
  return false;
}

bool matches_record_kind(const ts_matcher& matcher, std::string_view kind) {
  if (!matcher.record_kinds || !*matcher.record_kinds) return true;
  for (const char* const* each = matcher.record_kinds; *each; ++each) {
    if (kind == *each) return true;
  }
  return false;
}

bool matches(const ts_plugin_v1& table, const ItemContext& item, const Content& content) {
  const ts_matcher& matcher = table.matcher;
  if (content.size() < matcher.min_size || (matcher.max_size != 0 && content.size() > matcher.max_size))
    return false;
  if (!matches_media_type(matcher, content.media_type())) return false;
  if (table.scope != TS_SCOPE_ITEM || !matcher.name_globs || !*matcher.name_globs) return true;
  for (const char* const* each = matcher.name_globs; *each; ++each) {
    const auto glob = Glob::compile(*each, true);
    if (glob && glob->matches(item.path)) return true;
  }
  return false;
}

}  // namespace touchstone
