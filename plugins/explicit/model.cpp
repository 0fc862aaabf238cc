#include "model.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <touchstone/plugin.hpp>
#include <vector>

namespace touchstone {
namespace {

constexpr int kSide = 224;
constexpr std::streamoff kMaxModelBytes = 256 << 20;

std::vector<char> read_model(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw ModelMissing(fmt::format("the model {} cannot be read", path));
  const auto size = file.tellg();
  if (size <= 0 || size > kMaxModelBytes)
    throw ModelMissing(fmt::format("the model {} is not a model file", path));
  std::vector<char> bytes(static_cast<std::size_t>(size));
  file.seekg(0);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw ModelMissing(fmt::format("the model {} cannot be read to its end", path));
  return bytes;
}

std::string sha256_of(const std::vector<char>& bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) return {};
  std::string hex;
  for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

/// Where an output pixel takes its value from, one axis.
struct Tap {
  std::uint32_t low, high;
  float weight;  ///< of `high`
};

/// tf.image.resizeBilinear with alignCorners: the corners' centres coincide and nothing is smoothed. OpenCV's
/// resize differs from it so much that scores move by up to 0.5.
std::vector<Tap> taps(std::uint32_t size) {
  std::vector<Tap> result;
  const double step = static_cast<double>(size - 1) / (kSide - 1);
  for (int i = 0; i < kSide; ++i) {
    const double at = step * i;
    const auto low = std::min(static_cast<std::uint32_t>(at), size - 1);
    result.push_back({low, std::min(low + 1, size - 1), static_cast<float>(at - low)});
  }
  return result;
}

/// [1, 3, 224, 224], red first, 0 to 1.
cv::Mat input_of(const ts_picture& picture) {
  const int shape[] = {1, 3, kSide, kSide};
  cv::Mat blob(4, shape, CV_32F);
  const auto columns = taps(picture.width);
  const auto rows = taps(picture.height);
  auto* out = blob.ptr<float>();
  constexpr std::size_t kPlane = std::size_t{kSide} * kSide;
  const auto pixel = [&](std::uint32_t x, std::uint32_t y, std::size_t channel) {
    return static_cast<float>(picture.pixels[(std::size_t{y} * picture.width + x) * 3 + channel]) / 255.0F;
  };
  std::size_t index = 0;
  for (const Tap& row : rows) {
    for (const Tap& column : columns) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        const float top_left = pixel(column.low, row.low, channel);
        const float bottom_left = pixel(column.low, row.high, channel);
        const float top = top_left + (pixel(column.high, row.low, channel) - top_left) * column.weight;
        const float bottom =
            bottom_left + (pixel(column.high, row.high, channel) - bottom_left) * column.weight;
        out[channel * kPlane + index] = top + (bottom - top) * row.weight;
      }
      ++index;
    }
  }
  return blob;
}

}  // namespace

struct NsfwModel::State {
  cv::dnn::Net net;
};

NsfwModel::NsfwModel(const std::string& path, const std::string& sha256) : state_(std::make_unique<State>()) {
  cv::setNumThreads(1);
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  const auto bytes = read_model(path);
  if (const auto found = sha256_of(bytes); found != sha256)
    throw ModelMissing(
        fmt::format("the model {} has SHA-256 {}, not {}: fetch it again", path, found, sha256));
  try {
    state_->net = cv::dnn::readNetFromONNX(bytes.data(), bytes.size());
    state_->net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    state_->net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    // The first pass allocates and fuses layers: after this one nothing is loaded or grown any more.
    const std::vector<std::uint8_t> grey(std::size_t{kSide} * kSide * 3, 128);
    classify({sizeof(ts_picture), kSide, kSide, kSide, kSide, grey.data()});
  } catch (const cv::Exception& e) {
    throw ModelMissing(fmt::format("OpenCV cannot run the model {}: {}", path, e.what()));
  }
}

NsfwModel::~NsfwModel() = default;

Probabilities NsfwModel::classify(const ts_picture& picture) {
  state_->net.setInput(input_of(picture));
  const cv::Mat output = state_->net.forward();
  if (output.total() != 5 || output.type() != CV_32F)
    CV_Error(cv::Error::StsUnmatchedSizes, "the model does not give five numbers");
  const auto* p = output.ptr<float>();
  if (!std::all_of(p, p + 5, [](float each) { return std::isfinite(each); }))
    CV_Error(cv::Error::StsError, "the model gives numbers that are not finite");
  return {p[0], p[1], p[2], p[3], p[4]};
}

}  // namespace touchstone
