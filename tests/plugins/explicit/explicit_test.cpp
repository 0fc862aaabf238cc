#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "../plugins/explicit/model.hpp"
#include "plugins/explicit/synthetic.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

std::string model_path() {
  const char* folder = std::getenv("TOUCHSTONE_MODELS");
  return (folder ? std::string(folder) : std::string(TOUCHSTONE_SOURCE_DIR "/build/models")) +
         "/nsfw_mobilenet_v2.onnx";
}
std::string settings(const std::string& model) {
  return nlohmann::json{{"model", model}}.dump();
}
std::string plugin_path() {
  return TOUCHSTONE_BINARY_DIR "/plugins/explicit.tsp";
}

/// Tests of the model itself need it; where plugins/explicit/models/fetch could not get it they are skipped.
class ExplicitModel : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(model_path())) GTEST_SKIP() << "no model at " << model_path();
  }
  static TestItem item(const std::string& media_type) {
    TestItem item;
    item.bytes = "encoded";
    item.media_type = media_type;
    return item;
  }
  static TestItem item(const TestPicture& picture) {
    auto shown = item("image/png");
    shown.picture = picture;
    return shown;
  }
};

TEST_F(ExplicitModel, GivesTheNumbersOfTheOriginal) {
  NsfwModel model(model_path(), TOUCHSTONE_NSFW_SHA256);
  for (const auto& each : synthetic_pictures()) {
    const auto p = model.classify(
        {sizeof(ts_picture), each.picture.width, each.picture.height, 0, 0, each.picture.pixels.data()});
    // Two backends of the original differ by 1.2e-5 among themselves.
    constexpr double kNear = 2e-5;
    EXPECT_NEAR(p.drawing, each.original[0], kNear) << each.name;
    EXPECT_NEAR(p.hentai, each.original[1], kNear) << each.name;
    EXPECT_NEAR(p.neutral, each.original[2], kNear) << each.name;
    EXPECT_NEAR(p.porn, each.original[3], kNear) << each.name;
    EXPECT_NEAR(p.sexy, each.original[4], kNear) << each.name;
  }
}

TEST_F(ExplicitModel, ReportsAPictureThatScoresHighWithItsFiveNumbers) {
  const auto host = PluginHost::load("explicit", settings(model_path()));
  ASSERT_TRUE(host);
  const auto picture = blocks();
  const auto outcome = host->examine(item(picture.picture));
  EXPECT_EQ(outcome.status, TS_OK) << outcome.reason;
  ASSERT_EQ(outcome.findings.size(), 1U);
  const auto& finding = outcome.findings[0];
  const auto& p = picture.original;
  EXPECT_EQ(finding.confidence, std::lround((p[3] + p[1] + 0.5 * p[4]) * 1000));
  EXPECT_EQ(finding.rule, "nsfw_mobilenet_v2");
  EXPECT_EQ(finding.category, "explicit-picture");
  EXPECT_EQ(finding.title, "The model ranks this picture as possibly sexual");
  const auto detail = nlohmann::json::parse(finding.detail);
  EXPECT_EQ(detail["drawing"], std::lround(p[0] * 1000));
  EXPECT_EQ(detail["hentai"], std::lround(p[1] * 1000));
  EXPECT_EQ(detail["neutral"], std::lround(p[2] * 1000));
  EXPECT_EQ(detail["porn"], std::lround(p[3] * 1000));
  EXPECT_EQ(detail["sexy"], std::lround(p[4] * 1000));
  EXPECT_EQ(detail["model_sha256"], TOUCHSTONE_NSFW_SHA256);
  EXPECT_TRUE(finding.record_kind.empty());
}

TEST_F(ExplicitModel, ReportsNothingBelowTheThreshold) {
  const auto host = PluginHost::load("explicit", settings(model_path()));
  ASSERT_TRUE(host);
  for (const auto& each : {rings(), checks()}) {
    const auto outcome = host->examine(item(each.picture));
    EXPECT_EQ(outcome.status, TS_OK) << outcome.reason;
    EXPECT_TRUE(outcome.findings.empty()) << each.name;
    EXPECT_TRUE(outcome.problems.empty()) << each.name;
  }
}

TEST_F(ExplicitModel, LeavesIconsOut) {
  const auto host = PluginHost::load("explicit", settings(model_path()));
  ASSERT_TRUE(host);
  const auto tone = [](int x, int y) { return std::array{190 + x % 4, 130 + y % 4, 100}; };
  for (const auto& [width, height] : {std::pair{31, 400}, {400, 31}, {1, 1}}) {
    const auto outcome = host->examine(item(draw(width, height, tone)));
    EXPECT_EQ(outcome.status, TS_OK);
    EXPECT_TRUE(outcome.findings.empty());
  }
}

TEST_F(ExplicitModel, LeavesAPictureThatCannotBeDecodedToTheHostToReport) {
  const auto host = PluginHost::load("explicit", settings(model_path()));
  ASSERT_TRUE(host);
  const auto outcome = host->examine(item("image/gif"));
  EXPECT_EQ(outcome.status, TS_UNSUPPORTED);
  EXPECT_TRUE(outcome.findings.empty());
}

TEST_F(ExplicitModel, NamesTheModelAsTheVersionOfItsRule) {
  const auto host = PluginHost::load("explicit", settings(model_path()));
  ASSERT_TRUE(host);
  ASSERT_EQ(host->rules().size(), 1U);
  EXPECT_EQ(host->rules()[0].version, std::string(TOUCHSTONE_NSFW_SHA256).substr(0, 12));
  EXPECT_EQ(host->table().costly, 1U);
  EXPECT_EQ(host->table().scope, TS_SCOPE_CONTENT);
  EXPECT_TRUE(host->matches(item("image/heic")));
  EXPECT_FALSE(host->matches(item("video/mp4")));
}

TEST(Explicit, StaysAwayWithoutItsModel) {
  for (const std::string& given :
       {std::string("{}"), std::string("no json"), settings("/nonexistent/model.onnx"), settings("/"),
        std::string(R"({"model":7})")}) {
    const auto host = PluginHost::open(plugin_path(), given);
    ASSERT_TRUE(host);
    EXPECT_EQ(host->create_status(), TS_MODEL_MISSING) << given;
    EXPECT_NE(host->create_reason().find("model"), std::string::npos) << host->create_reason();
    EXPECT_TRUE(host->rules().empty());
  }
}

TEST(Explicit, StaysAwayFromAnotherModel) {
  const auto path = testing::TempDir() + "/other.onnx";
  std::ofstream(path, std::ios::binary) << "not the model";
  const auto host = PluginHost::open(plugin_path(), settings(path));
  ASSERT_TRUE(host);
  EXPECT_EQ(host->create_status(), TS_MODEL_MISSING);
  EXPECT_NE(host->create_reason().find(TOUCHSTONE_NSFW_SHA256), std::string::npos) << host->create_reason();
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace touchstone::test
