// The words of office documents, made by hand after ECMA-376 and OASIS ODF: what comes out is what was put
// in, as a reader sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using Parts = std::vector<std::pair<std::string, std::string>>;

constexpr auto kWord = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
constexpr auto kSheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
constexpr auto kShow = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
constexpr auto kOdt = "application/vnd.oasis.opendocument.text";

std::string zipped(const Parts& parts) {
  zip_source_t* out = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  zip_source_keep(out);
  zip_t* zip = zip_open_from_source(out, ZIP_TRUNCATE, nullptr);
  for (const auto& [name, bytes] : parts)
    zip_file_add(zip, name.c_str(), zip_source_buffer(zip, bytes.data(), bytes.size(), 0), ZIP_FL_ENC_UTF_8);
  EXPECT_EQ(zip_close(zip), 0);
  zip_source_open(out);
  zip_source_seek(out, 0, SEEK_END);
  std::string bytes(static_cast<std::size_t>(zip_source_tell(out)), '\0');
  zip_source_seek(out, 0, SEEK_SET);
  EXPECT_EQ(zip_source_read(out, bytes.data(), bytes.size()), static_cast<zip_int64_t>(bytes.size()));
  zip_source_close(out);
  zip_source_free(out);
  return bytes;
}

class OfficeText : public ::testing::Test {
 protected:
  Outcome read(std::string bytes, const char* type) {
    TestItem item;
    item.bytes = std::move(bytes);
    item.media_type = type;
    EXPECT_TRUE(host_->matches(item)) << type;
    return host_->provide(item, TS_FACET_TEXT);
  }
  std::string word(const std::string& body) {
    return read(zipped({{"[Content_Types].xml", "<Types/>"}, {"word/document.xml", body}}), kWord).text;
  }
  std::unique_ptr<PluginHost> host_ = PluginHost::load("officetext");
};

TEST_F(OfficeText, OfOneParagraphIsJoined) {
  EXPECT_EQ(
      word("<?xml version=\"1.0\"?><w:document xmlns:w=\"x\"><w:body><w:p><w:r><w:t>call a ta</w:t></w:r>"
           "<w:r><w:rPr><w:b/></w:rPr><w:t xml:space=\"preserve\">xi "
           "</w:t></w:r><w:r><w:t>now</w:t></w:r></w:p>"
           "<w:p><w:r><w:t>second</w:t><w:tab/><w:t>line</w:t></w:r></w:p></w:body></w:document>"),
      "call a taxi now\nsecond\tline\n\n");
}

TEST_F(OfficeText, HasWhatWasDeletedAndWhereLinksLead) {
  const std::string text = word(
      "<w:p><w:del><w:r><w:delText>the old words</w:delText></w:r></w:del><w:r><w:instrText> HYPERLINK "
      "&quot;https://example.com/a&quot; </w:instrText></w:r><w:r><w:t>here</w:t></w:r></w:p>");
  EXPECT_THAT(text, HasSubstr("the old words"));
  EXPECT_THAT(text, HasSubstr("\"https://example.com/a\""));
  EXPECT_THAT(text, HasSubstr("here"));
}

TEST_F(OfficeText, HasNoMarkupAndNoNamesOfStyles) {
  EXPECT_EQ(word("<w:p><!-- <w:t>not this</w:t> --><w:pStyle w:val=\"a>b\"/><w:t>&lt;b&gt; &amp; "
                 "&#163;&#x20AC;</w:t><w:t><![CDATA[x < y]]></w:t>&unknown;<w:x>nor this</w:x></w:p>"),
            "<b> & \xC2\xA3\xE2\x82\xACx < y\n\n");
}

TEST_F(OfficeText, HasNotesCommentsHeadersAndTheTitle) {
  const auto paragraph = [](const std::string& text) {
    return "<w:p><w:r><w:t>" + text + "</w:t></w:r></w:p>";
  };
  const std::string text =
      read(zipped({{"docProps/core.xml",
                    "<c:p><dc:title>a title</dc:title><dc:creator>A. Example</dc:creator></c:p>"},
                   {"word/comments.xml", paragraph("a comment")},
                   {"word/header1.xml", paragraph("a header")},
                   {"word/footnotes.xml", paragraph("a note")},
                   {"word/styles.xml", paragraph("a style")},
                   {"word/document.xml", paragraph("the body")},
                   {"[Content_Types].xml", "<Types/>"}}),
           kWord)
          .text;
  EXPECT_TRUE(text.starts_with("the body\n")) << text;
  for (const char* words : {"a comment", "a header", "a note", "a title", "A. Example"})
    EXPECT_THAT(text, HasSubstr(words));
  EXPECT_THAT(text, Not(HasSubstr("a style")));
}

TEST_F(OfficeText, OfSheetsIsStringsAndNumbersOfCells) {
  const std::string text =
      read(zipped({{"[Content_Types].xml", "<Types/>"},
                   {"xl/sharedStrings.xml",
                    "<sst><si><r><t>pay</t></r><r><t>ment</t></r></si><si><t>zero</t></si></sst>"},
                   {"xl/worksheets/sheet1.xml",
                    "<sheetData><row><c r=\"A1\" t=\"s\"><v>7</v></c><c r=\"B1\"><v>447700900123</v></c>"
                    "<c t=\"inlineStr\"><is><t>in place</t></is></c></row></sheetData>"}}),
           kSheet)
          .text;
  EXPECT_EQ(text, "payment\nzero\n\n447700900123\tin place\t\n\n");
}

TEST_F(OfficeText, OfSlidesIsInTheirOrder) {
  const auto slide = [](const std::string& text) {
    return "<p:sld><a:p><a:r><a:t>" + text + "</a:t></a:r></a:p></p:sld>";
  };
  EXPECT_EQ(read(zipped({{"[Content_Types].xml", "<Types/>"},
                         {"ppt/slides/slide10.xml", slide("ten")},
                         {"ppt/slides/slide9.xml", slide("nine")},
                         {"ppt/notesSlides/notesSlide1.xml", slide("notes")}}),
                 kShow)
                .text,
            "nine\n\nten\n\nnotes\n\n");
}

TEST_F(OfficeText, OfOpenDocumentIsItsParagraphs) {
  EXPECT_EQ(read(zipped({{"mimetype", kOdt},
                         {"content.xml",
                          "<office:body><text:h>A title</text:h><text:p>ta<text:span>xi</text:span><text:s "
                          "text:c=\"2\"/>now<text:tab/>x<text:line-break/>y</text:p></office:body>"},
                         {"META-INF/manifest.xml", "<m/>"}}),
                 kOdt)
                .text,
            "A title\ntaxi  now\tx\ny\n\n");
}

TEST_F(OfficeText, OfUtf16IsRead) {
  std::string part = "\xFF\xFE";
  for (const char c : std::string("<w:p><w:t>wide</w:t></w:p>")) part += {c, '\0'};
  EXPECT_EQ(word(part), "wide\n\n");
}

TEST_F(OfficeText, IsNotClaimedOfOtherArchives) {
  const Outcome other = read(zipped({{"notes.xml", "<t>x</t>"}, {"b", "x"}}), "application/zip");
  EXPECT_EQ(other.status, TS_UNSUPPORTED);
  EXPECT_EQ(other.text, "");
  const Outcome named =
      read(zipped({{"word/list.txt", "x"}, {"word/other.txt", std::string(100, 'x')}}), "application/zip");
  EXPECT_EQ(named.status, TS_UNSUPPORTED);
}

TEST_F(OfficeText, IsReadAsFarAsADamagedPartGoes) {
  std::string words;
  for (int i = 0; i < 5000; ++i)
    words += "<w:p><w:t>line " + std::to_string(i * 7919 % 5000) + "</w:t></w:p>";
  std::string bytes = zipped({{"[Content_Types].xml", "<Types/>"}, {"word/document.xml", words}});
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 200; ++i) bytes[i] = '\x55';
  const Outcome outcome = read(bytes, kWord);
  EXPECT_THAT(outcome.text, HasSubstr("line 0\n"));
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "corrupt");
}

}  // namespace
}  // namespace touchstone::test
