// Pages of messages that Discord's app has cached as files (fsCachedData/UUID): a JSON array of messages,
// each with its id, channel and author. No owner is known, so no direction. One thread; borrows the job.
#pragma once

#include <string_view>
#include <touchstone/plugin.hpp>

namespace touchstone::exports {

/// Whether a file with this start may be such a page.
bool is_discord_page(std::string_view head);
void read_discord_page(Job& job);

}  // namespace touchstone::exports
