// Windows of unallocated space and slack, and deleted files whose blocks others use now: bytes that stand for
// their place alone. Internal to lib/pipeline.
#pragma once

#include <string>
#include <string_view>

#include "filesystem/free_space.hpp"
#include "pipeline/worker_state.hpp"

namespace touchstone {

/// The media type of every window: its first bytes say nothing of the rest.
inline constexpr const char* kWindowMediaType = "application/x-touchstone-unallocated";

/// Page, swap and hibernation files, by their names: memory as it stood, searched as windows are.
bool is_memory_file(std::string_view name);

/// REF:p2@offset+length; of slack REF:p2/$Slack@offset+length, with `owner` REF:p2;OWNER,slack@offset+length.
/// Offsets count from the start of the volume.
std::string window_locator(const std::string& exhibit, const std::string& slot, bool slack,
                           const std::string& owner, ByteRange range);

/// "offset 12 length 5" with where that is on the volume: "offset 12 length 5, volume 4108+5". A position of
/// another form stays as it is.
std::string window_position(const RunMap& window, const std::string& position);

/// The reason that a file system gave for an entry becomes that of this place, where the examination has
/// found nothing worse.
void set_note(wire::Examined& examined, const std::string& note, bool overwritten);

}  // namespace touchstone
