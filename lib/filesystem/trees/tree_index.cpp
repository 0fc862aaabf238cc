#include "filesystem/trees/tree_index.hpp"

#include <algorithm>
#include <functional>

#include "model/locator.hpp"

namespace touchstone {
namespace {

constexpr std::string_view kUnnamed = "(unnamed)";
constexpr std::size_t kFirstTable = 64;

}  // namespace

std::vector<std::string_view> tree_components(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return parts;
}

std::string escape_tree_component(std::string_view raw) {
  std::string escaped = escape_path(raw);
  for (std::size_t at = escaped.find('/'); at != std::string::npos; at = escaped.find('/', at)) {
    escaped.replace(at, 1, "%2F");
  }
  return escaped;
}

bool tree_path_changed(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.starts_with("./")) path.remove_prefix(2);
  std::size_t length = 0;
  for (const std::string_view part : tree_components(path)) length += part.size() + 1;
  return length == 0 ? !path.empty() && path != "." : length - 1 != path.size();
}

TreeIndex::TreeIndex() {
  nodes_.emplace_back();
  nodes_[kRoot].flags = kDirectory | kEntered;
  table_.assign(kFirstTable, kNone);
}

std::size_t TreeIndex::slot_of(Node parent, std::string_view name) const {
  // Open addressing with steps of one: the table is never more than half full.
  const std::size_t mask = table_.size() - 1;
  std::size_t slot =
      (std::hash<std::string_view>{}(name) ^ (std::size_t{parent} * 0x9E3779B97F4A7C15U)) & mask;
  while (table_[slot] != kNone) {
    const Node node = table_[slot];
    if (nodes_[node].parent == parent && this->name(node) == name) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

TreeIndex::Node TreeIndex::find(Node parent, std::string_view name) const {
  return table_[slot_of(parent, name)];
}

void TreeIndex::remember(Node directory) {
  if (++directories_ * 2 > table_.size()) {
    std::vector<Node> old(table_.size() * 2, kNone);
    old.swap(table_);
    for (const Node node : old) {
      if (node != kNone) table_[slot_of(nodes_[node].parent, name(node))] = node;
    }
  }
  table_[slot_of(nodes_[directory].parent, name(directory))] = directory;
}

TreeIndex::Node TreeIndex::make(Node parent, std::string_view name, std::uint32_t flags,
                                std::uint64_t place) {
  if (nodes_.size() > kMaxEntries || names_.size() + name.size() > kMaxNameBytes) return kNone;
  NodeData data;
  data.place = place;
  data.parent = parent;
  data.name_offset = static_cast<std::uint32_t>(names_.size());
  data.name_size = static_cast<std::uint32_t>(name.size());
  data.flags = flags;
  names_ += name;
  nodes_.push_back(data);
  const Node node = static_cast<Node>(nodes_.size() - 1);
  if ((flags & kEntered) != 0) remember(node);
  return node;
}

bool TreeIndex::add(std::string_view path, bool directory, std::uint64_t place) {
  std::vector<std::string_view> parts = tree_components(path);
  if (parts.empty()) {
    if (directory) return true;
    parts.push_back(kUnnamed);
  }
  Node at = kRoot;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    Node next = find(at, parts[i]);
    if (next == kNone) next = make(at, parts[i], kDirectory | kEntered, kNoPlace);
    if (next == kNone) return false;
    at = next;
  }
  if (!directory) return make(at, parts.back(), 0, place) != kNone;
  const Node known = find(at, parts.back());
  if (known == kNone) return make(at, parts.back(), kDirectory | kEntered, place) != kNone;
  if (nodes_[known].place == kNoPlace) {
    nodes_[known].place = place;
    return true;
  }
  return make(at, parts.back(), kDirectory, place) != kNone;
}

void TreeIndex::finish() {
  sorted_.resize(nodes_.size() - 1);
  for (std::size_t i = 0; i < sorted_.size(); ++i) sorted_[i] = static_cast<Node>(i + 1);
  std::sort(sorted_.begin(), sorted_.end(), [this](Node a, Node b) {
    if (nodes_[a].parent != nodes_[b].parent) return nodes_[a].parent < nodes_[b].parent;
    if (const int compared = name(a).compare(name(b)); compared != 0) return compared < 0;
    return a < b;
  });
  for (std::size_t i = 0; i < sorted_.size(); ++i) {
    NodeData& parent = nodes_[nodes_[sorted_[i]].parent];
    if (parent.children++ == 0) parent.first_child = static_cast<std::uint32_t>(i);
  }
}

std::string_view TreeIndex::name(Node node) const {
  return std::string_view(names_).substr(nodes_[node].name_offset, nodes_[node].name_size);
}

std::span<const TreeIndex::Node> TreeIndex::children(Node directory) const {
  const NodeData& data = nodes_[directory];
  return std::span(sorted_).subspan(data.first_child, data.children);
}

std::span<const TreeIndex::Node> TreeIndex::find_all(std::string_view path) const {
  const auto parts = tree_components(path);
  if (parts.empty()) return {};
  Node at = kRoot;
  for (std::size_t i = 0; i + 1 < parts.size() && at != kNone; ++i) at = find(at, parts[i]);
  if (at == kNone) return {};
  const auto all = children(at);
  const auto first = std::lower_bound(all.begin(), all.end(), parts.back(),
                                      [this](Node node, std::string_view text) { return name(node) < text; });
  auto last = first;
  while (last != all.end() && name(*last) == parts.back()) ++last;
  return all.subspan(static_cast<std::size_t>(first - all.begin()), static_cast<std::size_t>(last - first));
}

TreeIndex::Node TreeIndex::find_directory(std::string_view escaped_path) const {
  Node at = kRoot;
  while (!escaped_path.empty() && at != kNone) {
    const std::size_t slash = escaped_path.find('/');
    const auto part = unescape_path(escaped_path.substr(0, slash));
    escaped_path = slash == std::string_view::npos ? std::string_view() : escaped_path.substr(slash + 1);
    if (!part) return kNone;
    if (!(*part).empty()) at = find(at, *part);
  }
  return at;
}

}  // namespace touchstone
