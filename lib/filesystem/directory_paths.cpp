#include "filesystem/directory_paths.hpp"

#include <unordered_map>

namespace touchstone::detail {

bool paths_within(const DirectoryNode& root,
                  const std::function<std::vector<DirectoryNode>(const DirectoryNode&)>& children,
                  std::uint64_t limit) {
  constexpr std::uint64_t kOnTheWay = 0;  // being counted: a path back to it is a loop
  std::unordered_map<std::string, std::uint64_t> paths;
  struct Frame {
    DirectoryNode node;
    std::vector<DirectoryNode> children;
    std::size_t next = 0;
    std::uint64_t count = 1;
  };
  std::vector<Frame> stack;
  const auto enter = [&](const DirectoryNode& node) {
    paths[node.identity] = kOnTheWay;
    stack.push_back({node, children(node)});
  };
  enter(root);
  while (!stack.empty()) {
    Frame& frame = stack.back();
    if (frame.next < frame.children.size()) {
      const DirectoryNode child = frame.children[frame.next];
      const auto known = paths.find(child.identity);
      if (known == paths.end()) {
        enter(child);  // counted when it is met again below
        continue;
      }
      frame.count += known->second;
      if (frame.count > limit) return false;
      ++frame.next;
      continue;
    }
    paths[frame.node.identity] = frame.count;
    stack.pop_back();
  }
  return true;
}

}  // namespace touchstone::detail
