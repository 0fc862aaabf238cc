// `explicit`: ranks pictures by how likely a neural network holds them to be sexual. A finding says what the
// model put out, never what the picture shows. Figures and limits: docs/models.md.
#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <touchstone/plugin.hpp>

#include "model.hpp"

namespace touchstone {
namespace {

constexpr const char* kSha256 = TOUCHSTONE_NSFW_SHA256;
constexpr const char* kRule = "nsfw_mobilenet_v2";
constexpr const char* kTitle = "The model ranks this picture as possibly sexual";

/// Icons and thumbnails below this side are blown up to 224 pixels: what the model says of them is noise.
constexpr std::uint32_t kMinSide = 32;
/// Thousandths. The lower, the more ordinary photographs are named: docs/models.md has the counts.
constexpr int kThreshold = 300;

int thousandths(double value) {
  return static_cast<int>(std::lround(value * 1000));
}

std::string model_path(std::string_view settings) {
  const auto json = nlohmann::json::parse(settings, nullptr, false);
  if (!json.is_object() || !json.contains("model") || !json["model"].is_string()) return {};
  return json["model"].get<std::string>();
}

std::string load_path(Setup& setup) {
  auto path = model_path(setup.settings());
  if (path.empty())
    throw ModelMissing("no model for explicit pictures is installed: run plugins/explicit/models/fetch");
  return path;
}

}  // namespace

class Explicit final : public Plugin {
 public:
  static constexpr const char* kMedia[] = {"image/*", nullptr};
  static constexpr const char* kAfter[] = {"hashes", "pictures", nullptr};
  static constexpr Manifest kManifest{.name = "explicit",
                                      .version = "1.0",
                                      .summary = "Ranks pictures by a model's score for sexual content",
                                      .licence = "Apache-2.0",
                                      .roles = TS_ROLE_CLASSIFIER,
                                      .scope = TS_SCOPE_CONTENT,
                                      .inputs = TS_INPUT_NONE,
                                      .costly = true,
                                      .media_types = kMedia,
                                      .after = kAfter};

  explicit Explicit(Setup& setup) : model_(load_path(setup), kSha256) {
    setup.declare_rule(kRule, std::string_view(kSha256).substr(0, 12), kTitle);
  }

  ts_status begin(Job& job) override {
    ts_picture picture{sizeof(ts_picture), 0, 0, 0, 0, nullptr};
    // All of its pixels: a picture decoded at a fraction of its size gets another score, and the score must
    // not depend on what other plugins asked for.
    const auto status = job.host()->picture(job.raw(), std::numeric_limits<std::uint32_t>::max(), &picture);
    if (status != TS_OK) return TS_UNSUPPORTED;  // the host has recorded why there is no picture
    if (picture.pixels == nullptr || picture.width < kMinSide || picture.height < kMinSide) return TS_DONE;
    try {
      report(job, model_.classify(picture));
    } catch (const cv::Exception& e) {
      throw Failure(TS_ERROR, fmt::format("the model failed: {}", e.what()));
    }
    return TS_DONE;
  }

 private:
  static void report(Job& job, const Probabilities& p) {
    const int score = thousandths(double{p.porn} + double{p.hentai} + 0.5 * double{p.sexy});
    if (score < kThreshold) return;
    const auto detail = fmt::format(
        R"({{"drawing":{},"hentai":{},"neutral":{},"porn":{},"sexy":{},"unit":"thousandths","model_sha256":"{}"}})",
        thousandths(p.drawing), thousandths(p.hentai), thousandths(p.neutral), thousandths(p.porn),
        thousandths(p.sexy), kSha256);
    job.emit_finding(score, {.rule = kRule,
                             .category = "explicit-picture",
                             .title = kTitle,
                             .detail = detail,
                             .position = {},
                             .record_kind = {},
                             .record_key = {}});
  }

  NsfwModel model_;
};

}  // namespace touchstone

TOUCHSTONE_PLUGIN(touchstone::Explicit)
