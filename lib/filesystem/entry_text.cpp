#include "filesystem/entry_text.hpp"

#include <array>

namespace touchstone::detail {

std::string mode_text(unsigned mode) {
  constexpr std::array<char, 3> kLetters = {'r', 'w', 'x'};
  std::string text(9, '-');
  for (unsigned i = 0; i < 9; ++i) {
    if ((mode >> (8 - i) & 1) != 0) text[i] = kLetters[i % 3];
  }
  const auto special = [&](unsigned bit, std::size_t at, char set, char set_without_x) {
    if ((mode & bit) != 0) text[at] = text[at] == 'x' ? set : set_without_x;
  };
  special(04000, 2, 's', 'S');
  special(02000, 5, 's', 'S');
  special(01000, 8, 't', 'T');
  return text;
}

const char* special_type(unsigned mode) {
  switch (mode & 0170000) {
    case 0010000:
      return "fifo";
    case 0020000:
      return "character_device";
    case 0060000:
      return "block_device";
    case 0140000:
      return "socket";
    default:
      return nullptr;
  }
}

}  // namespace touchstone::detail
