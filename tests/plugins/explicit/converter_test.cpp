#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>
#include <string>

namespace touchstone {
namespace {

const std::string kModels = TOUCHSTONE_SOURCE_DIR "/plugins/explicit/models/";
const std::string kFixture = TOUCHSTONE_SOURCE_DIR "/tests/plugins/explicit/fixture/";

class Converter : public testing::Test {
 protected:
  void SetUp() override {
    // NOLINTBEGIN(cert-env33-c): fixed command lines
    if (std::system("node --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no node";
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  int convert(const std::string& package, const std::string& description) const {
    const auto command = "node '" + kModels + "convert.mjs' '" + package + "' '" + description + "' '" +
                         folder_ + "' >'" + folder_ + "/log' 2>&1";
    return std::system(command.c_str());
    // NOLINTEND(cert-env33-c)
  }

  // One for each test: they may run at the same time.
  std::string folder_ =
      testing::TempDir() + "/converter_" + testing::UnitTest::GetInstance()->current_test_info()->name();
};

/// The input that the expected numbers were made with: channels last, element i is (i * step % modulus) /
/// modulus.
cv::Mat input(int step, int modulus) {
  const int shape[] = {1, 3, 8, 8};
  cv::Mat blob(4, shape, CV_32F);
  for (int i = 0; i < 8 * 8 * 3; ++i) {
    const int index[] = {0, i % 3, i / 24, i / 3 % 8};
    blob.at<float>(index) = static_cast<float>(i * step % modulus) / static_cast<float>(modulus);
  }
  return blob;
}

// The expected numbers are TensorFlow.js 4.22's own, for the same layers and weights.
TEST_F(Converter, KeepsWhatAModelComputes) {
  ASSERT_EQ(convert(kFixture, kFixture + "tiny.json"), 0);
  auto net = cv::dnn::readNetFromONNX(folder_ + "/tiny.onnx");
  const std::array<std::pair<cv::Mat, std::array<float, 3>>, 2> cases{{
      {input(37, 101), {0.5068680047988892F, 0.0956859290599823F, 0.39744603633880615F}},
      {input(53, 97), {0.11405029892921448F, 0.21328721940517426F, 0.6726624369621277F}},
  }};
  for (const auto& [blob, expected] : cases) {
    net.setInput(blob);
    const cv::Mat output = net.forward();
    ASSERT_EQ(output.total(), 3U);
    for (int i = 0; i < 3; ++i)
      EXPECT_NEAR(output.at<float>(i), expected[static_cast<std::size_t>(i)], 1e-5) << i;
  }
}

TEST_F(Converter, RefusesAFileThatIsNotTheOneReviewed) {
  const auto package = folder_ + "/package";
  std::filesystem::copy(kFixture, package);
  const auto shard = package + "/group1-shard1of2.min.js";
  std::filesystem::resize_file(shard, std::filesystem::file_size(shard) - 1);
  EXPECT_NE(convert(package, kFixture + "tiny.json"), 0);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/tiny.onnx"));
}

}  // namespace
}  // namespace touchstone
