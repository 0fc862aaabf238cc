// Whether a plugin is called for an item at all: ts_matcher of plugin_abi.h. Internal to lib/plugin.
#pragma once

#include <touchstone/plugin_abi.h>

#include <string_view>

#include "plugin/session.hpp"

namespace touchstone {

/// Media type, size and (scope ITEM only) path.
bool matches(const ts_plugin_v1& table, const ItemContext& item, const Content& content);
bool matches_media_type(const ts_matcher& matcher, std::string_view media_type);
bool matches_record_kind(const ts_matcher& matcher, std::string_view kind);

}  // namespace touchstone
