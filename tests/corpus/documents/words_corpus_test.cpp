// The words of documents that others made. Expected are those that pdftotext prints of the same PDF files,
// and the paragraphs that Python's zipfile and ElementTree give of the Word files and OpenDocument texts.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "support/file_contents.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;

const std::string kTika = TOUCHSTONE_CORPUS_DIR "/apache+tika";
constexpr std::size_t kMostBytes = 400'000;  // of a file: the test must be quick

// One line a paragraph, blanks as one; only such as have no break, tab or spaces of OpenDocument's own in
// them.
constexpr auto kParagraphs = R"(
import sys, zipfile, xml.etree.ElementTree as E
z = zipfile.ZipFile(sys.argv[1])
word = 'word/document.xml' in z.namelist()
root = E.fromstring(z.read('word/document.xml' if word else 'content.xml'))
def local(e): return e.tag.rsplit('}', 1)[-1]
for p in root.iter():
    if local(p) != 'p' or '}' not in p.tag: continue
    inner = [local(e) for e in p.iter()][1:]
    if any(n in ('tab', 'br', 's', 'line-break', 'p', 'txbxContent', 'noBreakHyphen', 'instrText', 'cr', 'delText', 'ruby', 'note', 'annotation', 'sym', 'frame') for n in inner): continue
    if word: text = ''.join(e.text or '' for e in p.iter() if local(e) == 't')
    else: text = ''.join(p.itertext())
    text = ' '.join(text.split())
    if text: print(text)
)";

std::string output_of(const std::string& command) {
  std::string output;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) output += static_cast<char>(c);
  return output;
}

std::set<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

std::string with_single_blanks(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0 && c != '\n';
    if (!blank || (!result.empty() && result.back() != ' ')) result += blank ? ' ' : c;
  }
  return result;
}

class WordsOfOthers : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(kTika)) GTEST_SKIP() << "no corpus";
  }
  static std::vector<fs::path> files(const std::string& extension) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(kTika))
      if (entry.is_regular_file() && entry.path().extension() == extension && entry.file_size() < kMostBytes)
        found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
  static Outcome words(PluginHost& host, const fs::path& path, const std::string& type) {
    TestItem item;
    item.bytes = contents_of(path);
    item.media_type = type;
    return host.provide(item, TS_FACET_TEXT);
  }
  /// The paragraphs of all such files that are in the words, of how many.
  static std::pair<std::size_t, std::size_t> paragraphs(PluginHost& host, const std::string& extension,
                                                        const std::string& type) {
    const fs::path script =
        fs::path(testing::TempDir()) / ("paragraphs-" + std::to_string(getpid()) + extension + ".py");
    std::ofstream(script) << kParagraphs;
    std::size_t found = 0, all = 0;
    for (const fs::path& path : files(extension)) {
      std::istringstream lines(
          output_of("python3 '" + script.string() + "' '" + path.string() + "' 2>/dev/null"));
      const std::string text = with_single_blanks(words(host, path, type).text);
      for (std::string line; std::getline(lines, line);) {
        ++all;
        if (text.find(line) != std::string::npos)
          ++found;
        else
          std::printf("%s lacks: %s\n", path.filename().c_str(), line.c_str());
      }
    }
    fs::remove(script);
    return {found, all};
  }
};

TEST_F(WordsOfOthers, OfWordAreItsParagraphs) {
  const auto host = PluginHost::load("officetext");
  const auto [found, all] =
      paragraphs(*host, ".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
  EXPECT_EQ(found, all);
  EXPECT_GT(all, 100U);
}

TEST_F(WordsOfOthers, OfOpenDocumentAreItsParagraphs) {
  const auto host = PluginHost::load("officetext");
  const auto [found, all] = paragraphs(*host, ".odt", "application/vnd.oasis.opendocument.text");
  EXPECT_EQ(found, all);
  EXPECT_GT(all, 20U);
}

TEST_F(WordsOfOthers, OfPdfAreThoseThatPdftotextPrints) {
  const auto host = PluginHost::load("pdftext");
  if (!host) GTEST_SKIP() << "built without GPL plugins";
  std::size_t documents = 0;
  for (const fs::path& path : files(".pdf")) {
    const std::set<std::string> expected =
        words_of(output_of("pdftotext -q '" + path.string() + "' - 2>/dev/null"));
    if (expected.empty()) continue;
    ++documents;
    const std::set<std::string> got = words_of(words(*host, path, "application/pdf").text);
    std::size_t missing = 0;
    for (const std::string& word : expected) missing += got.contains(word) ? 0 : 1;
    EXPECT_LE(missing * 100, expected.size())
        << path.filename() << ": " << missing << " of " << expected.size();
  }
  EXPECT_GE(documents, 9U);
}

}  // namespace
}  // namespace touchstone::test
