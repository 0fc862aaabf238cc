// The words of PDF documents, made by hand after ISO 32000-1: what comes out is what a reader sees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A document with a page for each of these streams of instructions, in Helvetica of 12 points.
std::string pdf(const std::vector<std::string>& pages, const std::string& info = "<</Title(a title)>>") {
  std::string kids, objects;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const std::string page = std::to_string(10 + 2 * i), content = std::to_string(11 + 2 * i);
    kids.append(page).append(" 0 R ");
    objects.append(page).append(
        " 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F 4 0 R>>>>/Contents ");
    objects.append(content).append(" 0 R>>endobj\n").append(content).append(" 0 obj<</Length ");
    objects.append(std::to_string(pages[i].size()))
        .append(">>stream\n")
        .append(pages[i])
        .append("\nendstream endobj\n");
  }
  return "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[" + kids +
         "]/Count " + std::to_string(pages.size()) +
         ">>endobj\n4 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n" + "5 0 obj" + info +
         "endobj\n" + objects + "trailer<</Root 1 0 R/Info 5 0 R>>\n%%EOF\n";
}

class PdfText : public ::testing::Test {
 protected:
  Outcome read(std::string bytes) {
    TestItem item;
    item.bytes = std::move(bytes);
    item.media_type = "application/pdf";
    EXPECT_TRUE(host_->matches(item));
    return host_->provide(item, TS_FACET_TEXT);
  }
  std::unique_ptr<PluginHost> host_ = PluginHost::load("pdftext");
};

TEST_F(PdfText, IsWordsThoughTheLettersArePlacedOneByOne) {
  const Outcome outcome = read(pdf(
      {"BT /F 12 Tf 50 700 Td [(call a ta)-20(x)10(i)] TJ ET", "BT /F 12 Tf 50 700 Td (second page) Tj ET"}));
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_THAT(outcome.text, HasSubstr("call a taxi"));
  EXPECT_THAT(outcome.text, HasSubstr("second page"));
  EXPECT_TRUE(outcome.text.starts_with("a title\n"));
  EXPECT_LT(outcome.text.find("taxi"), outcome.text.find("second"));
}

TEST_F(PdfText, HasWhatIsInvisibleAsScannersPutIt) {
  EXPECT_THAT(read(pdf({"BT 3 Tr /F 12 Tf 50 700 Td (recognised words) Tj ET"})).text,
              HasSubstr("recognised words"));
}

TEST_F(PdfText, OfWhatIsNoPdfIsNothing) {
  EXPECT_EQ(read("%PDF-1.4\n" + std::string(100, 'x')).text, "");
  const std::string whole = pdf({"BT /F 12 Tf 50 700 Td (some words) Tj ET"});
  for (std::size_t size = 32; size < whole.size(); size += 37) read(whole.substr(0, size));
}

}  // namespace
}  // namespace touchstone::test
