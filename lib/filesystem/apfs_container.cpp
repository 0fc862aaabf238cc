#include "filesystem/apfs_container.hpp"

#include <algorithm>

#include "evidence/integers.hpp"

namespace touchstone::detail::apfs {
namespace {

constexpr std::size_t kNodeData = 0x38;
constexpr std::size_t kRootInfo = 40;
constexpr std::uint64_t kMaxCheckpoints = 65536;
constexpr std::uint32_t kContainerMagic = 0x4253584e;  // "NXSB"
constexpr std::uint64_t kRoot = 1, kFixed = 4;
constexpr std::uint64_t kDeleted = 1, kEncrypted = 4;
constexpr std::size_t kMaxTreeDepth = 16;

std::span<const std::byte> tail(std::span<const std::byte> bytes, std::size_t from, std::size_t to) {
  return from < to && to <= bytes.size() ? bytes.subspan(from, to - from) : std::span<const std::byte>();
}

}  // namespace

std::optional<Block> read_block(ByteSource& container, std::uint64_t number) {
  if (number >= container.size() / kBlock) return std::nullopt;
  Block block(kBlock);
  const auto got = container.read_at(number * kBlock, block);
  if (!got || *got < kBlock) return std::nullopt;
  return block;
}

std::uint64_t checksum(std::span<const std::byte> object) {
  constexpr std::uint64_t kModulus = 0xffff'ffff;
  std::uint64_t first = 0, second = 0;
  for (std::size_t at = 8; at + 4 <= object.size(); at += 4) {
    first = (first + little(object, at, 4)) % kModulus;
    second = (second + first) % kModulus;
  }
  const std::uint64_t low = kModulus - (first + second) % kModulus;
  const std::uint64_t high = kModulus - (first + low) % kModulus;
  return high << 32 | low;
}

bool is_sound(std::span<const std::byte> object) {
  return object.size() == kBlock && little(object, 0, 8) == checksum(object);
}

std::optional<Block> find_superblock(ByteSource& container) {
  std::optional<Block> newest;
  const auto consider = [&](std::uint64_t number) {
    auto block = read_block(container, number);
    if (!block || little(*block, 0x20, 4) != kContainerMagic || !is_sound(*block)) return;
    if (!newest || little(*block, 0x10, 8) > little(*newest, 0x10, 8)) newest = std::move(*block);
  };
  consider(0);
  if (!newest || little(*newest, 0x24, 4) != kBlock) return std::nullopt;
  const std::uint64_t count = std::min(little(*newest, 0x68, 4), kMaxCheckpoints);
  const std::uint64_t base = little(*newest, 0x70, 8);
  for (std::uint64_t i = 0; i < count && base < container.size() / kBlock; ++i) consider(base + i);
  return newest;
}

bool is_leaf(std::span<const std::byte> node) {
  return little(node, 0x22, 2) == 0;
}

bool each_entry(std::span<const std::byte> node,
                const std::function<void(std::span<const std::byte>, std::span<const std::byte>)>& each) {
  if (node.size() != kBlock) return false;
  const std::uint64_t flags = little(node, 0x20, 2), count = little(node, 0x24, 4);
  const std::size_t table = kNodeData + little(node, 0x28, 2);
  const std::size_t keys = table + little(node, 0x2a, 2);
  const std::size_t end = kBlock - ((flags & kRoot) != 0 ? kRootInfo : 0);
  const std::size_t step = (flags & kFixed) != 0 ? 4 : 8;
  if (keys > end || count > (keys - table) / step) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = table + i * step;
    const std::size_t key = keys + little(node, at, 2);
    const std::uint64_t back = little(node, at + (step == 4 ? 2 : 4), 2);
    // An entry without a value is one of a tree that needs none.
    const auto value = back == 0 || back > end ? std::span<const std::byte>() : tail(node, end - back, end);
    each(tail(node, key, end), value);
  }
  return true;
}

std::optional<std::vector<Mapped>> mapped_objects(ByteSource& container, std::uint64_t map) {
  const auto object = read_block(container, map);
  if (!object || !is_sound(*object)) return std::nullopt;
  struct Step {
    std::uint64_t block = 0;
    std::size_t depth = 0;
  };
  std::vector<Step> waiting = {{little(*object, 0x30, 8), 0}};
  std::vector<Mapped> all;
  std::size_t nodes = 0;
  while (!waiting.empty()) {
    const Step step = waiting.back();
    waiting.pop_back();
    const auto node = read_block(container, step.block);
    if (!node || !is_sound(*node) || step.depth > kMaxTreeDepth || ++nodes > kMaxMapped) return std::nullopt;
    const bool leaf = is_leaf(*node);
    const bool sound =
        each_entry(*node, [&](std::span<const std::byte> /*key*/, std::span<const std::byte> value) {
          if (!leaf) {
            waiting.push_back({little(value, 0, 8), step.depth + 1});
            return;
          }
          const std::uint64_t flags = little(value, 0, 4);
          if ((flags & kDeleted) == 0) all.push_back({little(value, 8, 8), (flags & kEncrypted) != 0});
        });
    if (!sound || all.size() > kMaxMapped || waiting.size() > kMaxMapped) return std::nullopt;
  }
  return all;
}

}  // namespace touchstone::detail::apfs
