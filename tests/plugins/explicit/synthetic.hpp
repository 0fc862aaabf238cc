// Three pictures drawn by whole-number arithmetic, and what the original model says of them: package
// nsfwjs 4.4.0 on TensorFlow.js 4.22 (CPU backend), model.classify() on a tensor of the same pixels. None
// shows anything.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "support/plugin_host.hpp"

namespace touchstone::test {

struct Synthetic {
  std::string name;
  TestPicture picture;
  std::array<double, 5> original;  ///< Drawing, Hentai, Neutral, Porn, Sexy
};

template <typename Colour>
TestPicture draw(int width, int height, Colour colour) {
  TestPicture picture{static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height), 0, 0, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int value : colour(x, y)) picture.pixels.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return picture;
}

/// Blocks of noise on a skin-coloured gradient: an ordinary surface that the model is wrong about.
inline Synthetic blocks() {
  std::uint32_t state = 7;
  std::vector<int> noise;
  for (int i = 0; i < 80 * 60; ++i) {
    state = state * 1664525U + 1013904223U;
    noise.push_back(static_cast<int>(state >> 24U) % 16);
  }
  const auto colour = [&](int x, int y) {
    const int v =
        noise[static_cast<std::size_t>(y / 4) * 80 + static_cast<std::size_t>(x / 4)] - 8 - 80 * x / 320;
    return std::array{190 + v, 130 + v, 100 + v};
  };
  return {"blocks",
          draw(320, 240, colour),
          {0.0010886373929679394, 0.006484415847808123, 0.19008930027484894, 0.7944853901863098,
           0.007852255366742611}};
}

inline Synthetic rings() {
  const auto colour = [](int x, int y) {
    const int ring = (((x - 250) * (x - 250) + (y - 166) * (y - 166)) >> 9) % 3;
    return std::array{ring == 0 ? 255 : 20, ring == 1 ? 220 : 30, ring == 2 ? 240 : 40};
  };
  return {"rings",
          draw(500, 333, colour),
          {0.24516087770462036, 0.0005216591525822878, 0.7543008327484131, 0.000013045812920609023,
           0.000003626483248808654}};
}

inline Synthetic checks() {
  const auto colour = [](int x, int y) {
    const bool on = ((x / 16 + y / 16) & 1) != 0;
    return std::array{on ? 240 : x * 255 / 200, on ? 240 : y * 255 / 300, on ? 235 : 90};
  };
  return {"checks",
          draw(200, 300, colour),
          {0.003931356593966484, 0.0012234593741595745, 0.9916905164718628, 0.00288605410605669,
           0.00026859017089009285}};
}

inline std::vector<Synthetic> synthetic_pictures() {
  return {blocks(), rings(), checks()};
}

}  // namespace touchstone::test
