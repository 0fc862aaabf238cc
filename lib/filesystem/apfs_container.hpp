// Blocks, objects and B-trees of an APFS container, as far as opening an encrypted volume needs them. Hostile
// bytes: everything is checked against its block, walks are bounded. Pure functions but for reading. Private
// to lib/filesystem. Format: Apple, "Apple File System Reference" (2020).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "evidence/byte_source.hpp"

namespace touchstone::detail::apfs {

/// The only size that The Sleuth Kit reads, too.
inline constexpr std::size_t kBlock = 4096;
using Block = std::vector<std::byte>;

/// Nothing if the container does not hold it.
std::optional<Block> read_block(ByteSource& container, std::uint64_t number);
/// Fletcher 64 of an object.
std::uint64_t checksum(std::span<const std::byte> object);
bool is_sound(std::span<const std::byte> object);

/// The newest sound superblock of the container.
std::optional<Block> find_superblock(ByteSource& container);

/// Calls `each` with key and value (up to the end of what the node has) of every entry of a node; an index
/// node's values are its children. False if the node is no sound one.
bool each_entry(
    std::span<const std::byte> node,
    const std::function<void(std::span<const std::byte> key, std::span<const std::byte> value)>& each);
bool is_leaf(std::span<const std::byte> node);

struct Mapped {
  std::uint64_t block = 0;
  bool encrypted = false;
};
/// Everything that the object map at `map` leads to, older states included. Nothing if it is damaged or has
/// more than kMaxMapped.
std::optional<std::vector<Mapped>> mapped_objects(ByteSource& container, std::uint64_t map);
inline constexpr std::size_t kMaxMapped = 4'000'000;

}  // namespace touchstone::detail::apfs
