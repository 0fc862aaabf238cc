// The MobileNetV2 classifier of nsfwjs in OpenCV's DNN module: five probabilities for a picture. Loads and
// checks the file once, then touches no file. One thread. Conversion, figures and licence: docs/models.md.
#pragma once

#include <touchstone/plugin_abi.h>

#include <array>
#include <memory>
#include <string>

namespace touchstone {

/// In the order of the model's outputs.
struct Probabilities {
  float drawing = 0, hentai = 0, neutral = 0, porn = 0, sexy = 0;
};

class NsfwModel {
 public:
  /// Throws ModelMissing: no such file, or not the file with `sha256`, or OpenCV cannot run it.
  NsfwModel(const std::string& path, const std::string& sha256);
  ~NsfwModel();
  NsfwModel(const NsfwModel&) = delete;
  NsfwModel& operator=(const NsfwModel&) = delete;

  /// `picture` has pixels. Throws cv::Exception where OpenCV fails.
  Probabilities classify(const ts_picture& picture);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace touchstone
