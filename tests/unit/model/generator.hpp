// Made-up locators and hostile bytes, the same on every machine: xorshift64 with a fixed seed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/locator.hpp"

namespace touchstone::test {

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <typename Array>
  const auto& any_of(const Array& choices) {
    return choices[static_cast<std::size_t>(below(std::size(choices)))];
  }

  /// Bytes of any value, often punctuation of locators and pieces of invalid UTF-8; never empty.
  std::string bytes(std::size_t most) {
    static constexpr std::array<std::string_view, 25> kPieces = {"%",
                                                                 "!",
                                                                 "@",
                                                                 ";",
                                                                 ",",
                                                                 "#",
                                                                 ":",
                                                                 "+",
                                                                 "%41",
                                                                 "%2",
                                                                 "\xC3\xA9",
                                                                 "\xC0\x80",
                                                                 "\xED\xA0\x80",
                                                                 "\xF4\x90",
                                                                 "\xFF",
                                                                 "\xE2\x80\xAE",
                                                                 "\xE2\x81\xA6",
                                                                 "\xEF\xBB\xBF",
                                                                 "\n",
                                                                 "\x7F",
                                                                 "\xC2\x85",
                                                                 "\xF0\x9F\x98\x80",
                                                                 ",slack",
                                                                 "..",
                                                                 "\\"};
    std::string out;
    const std::uint64_t wanted = 1 + below(most);
    while (out.size() < wanted) {
      if (one_in(2)) {
        out += any_of(kPieces);
      } else if (one_in(2)) {
        out += static_cast<char>(below(256));
      } else {
        out += static_cast<char>('a' + below(26));
      }
    }
    return out;
  }
  /// A path of raw components, with its leading "/".
  std::string path() {
    std::string out;
    for (std::uint64_t n = 1 + below(4); n > 0; --n) out += '/' + bytes(12);
    return out;
  }

  LocatorStep step(bool first) {
    static constexpr std::array<const char*, 7> kVolumes = {"p0",       "p2", "p2.1", "p3~1",
                                                            "p10.2~14", "u1", "p1.10"};
    static constexpr std::array<const char*, 6> kAddresses = {"12", "64-128-1", "0", "5.2", "a_b", "D131-4"};
    LocatorStep step;
    if (first || one_in(3)) step.volume = any_of(kVolumes);
    if (step.volume.empty() || !one_in(4)) step.path = escape_path(path());
    if (!one_in(3)) step.address = any_of(kAddresses);
    step.slack = one_in(5);
    if (one_in(4)) {
      step.offset = one_in(3) ? ~std::uint64_t{0} : below(1000) * below(1'000'000'000);
      step.length = one_in(5) ? 0 : next();
    }
    if (one_in(4)) step.ordinal = static_cast<std::uint32_t>(one_in(10) ? UINT32_MAX : 2 + below(40));
    return step;
  }
  Locator locator() {
    static constexpr std::array<const char*, 6> kReferences = {"ABC/1", "phone", "X!Y",
                                                               "É/2;3", "a#2",   "%41"};
    Locator locator;
    locator.exhibit = any_of(kReferences);
    for (std::uint64_t n = 1 + below(4); n > 0; --n) locator.steps.push_back(step(locator.steps.empty()));
    return locator;
  }

 private:
  std::uint64_t state_;
};

}  // namespace touchstone::test
