// Lists as Apple's XML form states them, and archives in the layout of NSKeyedArchiver.
#include "connection.hpp"

namespace touchstone::test {
namespace {

std::string xml(const std::string& inside) {
  return R"(<?xml version="1.0" encoding="UTF-8"?><plist version="1.0">)" + inside + "</plist>";
}

TEST(PropertyList, IsReadByKeyPath) {
  Connection db;
  const std::string list =
      xml("<dict><key>name</key><string>Ann &amp; Bo</string><key>n</key><integer>-7</integer>"
          "<key>yes</key><true/><key>r</key><real>1.5</real><key>when</key><date>2024-05-03T20:00:00Z</date>"
          "<key>raw</key><data>/wAB</data><key>a/b</key><integer>2</integer><key>list</key><array>"
          "<dict><key>url</key><string>https://example.com/</string></dict></array></dict>");
  EXPECT_EQ(db.value("plist(?1, 'name')", list), "'Ann & Bo'");
  EXPECT_EQ(db.value("plist(?1, 'n')", list), "-7");
  EXPECT_EQ(db.value("plist(?1, 'yes')", list), "1");
  EXPECT_EQ(db.value("plist(?1, 'r')", list), "1.5");
  EXPECT_EQ(db.value("plist(?1, 'when')", list), "1714766400000000");
  EXPECT_EQ(db.value("plist(?1, 'raw')", list), "X'FF0001'");
  EXPECT_EQ(db.value("plist(?1, 'a~1b')", list), "2");
  EXPECT_EQ(db.value("plist(?1, 'list/0/url')", list), "'https://example.com/'");
  EXPECT_EQ(db.value("plist(?1, 'list')", list), R"('[{"url":"https://example.com/"}]')");
  for (const char* path : {"none", "list/1", "list/x", "name/0", "list/0/url/z"})
    EXPECT_EQ(db.value("plist(?1, '" + std::string(path) + "')", list), "NULL") << path;
  EXPECT_EQ(db.value("json_extract(plist_json(?1), '$.raw')", list), "'/wAB'");
}

/// $objects of an archive whose top is object 1.
std::string archive(const std::string& objects) {
  const auto uid = [](int n) {
    return "<dict><key>CF$UID</key><integer>" + std::to_string(n) + "</integer></dict>";
  };
  return xml(
      "<dict><key>$archiver</key><string>NSKeyedArchiver</string><key>$version</key><integer>100000</integer>"
      "<key>$top</key><dict><key>root</key>" +
      uid(1) + "</dict><key>$objects</key><array><string>$null</string>" + objects + "</array></dict>");
}
std::string uid(int n) {
  return "<dict><key>CF$UID</key><integer>" + std::to_string(n) + "</integer></dict>";
}
std::string class_of(const std::string& name) {
  return "<dict><key>$classname</key><string>" + name + "</string></dict>";
}

TEST(PropertyList, ResolvesArchives) {
  Connection db;
  const std::string list =
      archive("<dict><key>$class</key>" + uid(2) + "<key>NS.keys</key><array>" + uid(3) + uid(4) + uid(9) +
              "</array><key>NS.objects</key><array>" + uid(5) + uid(6) + uid(0) + "</array></dict>" +
              class_of("NSDictionary") + "<string>text</string><string>when</string>" +
              "<dict><key>$class</key>" + uid(7) + "<key>NS.string</key><string>hello</string></dict>" +
              "<dict><key>$class</key>" + uid(8) + "<key>NS.time</key><real>736459200.5</real></dict>" +
              class_of("NSMutableString") + class_of("NSDate") + "<string>nothing</string>");
  EXPECT_EQ(db.value("plist(?1, 'text')", list), "'hello'");
  EXPECT_EQ(db.value("cocoa_s(plist(?1, 'when'))", list), "1714766400500000");
  EXPECT_EQ(db.value("plist(?1, 'nothing')", list), "NULL");
  EXPECT_EQ(db.value("plist_json(?1)", list), R"('{"text":"hello","when":736459200.5,"nothing":null}')");
}

TEST(PropertyList, EndsWhereAnArchiveRefersToItself) {
  Connection db;
  const std::string circle = archive("<dict><key>$class</key>" + uid(2) + "<key>NS.objects</key><array>" +
                                     uid(1) + uid(1) + "</array></dict>" + class_of("NSArray"));
  EXPECT_EQ(db.value("plist_json(?1)", circle), "'[null,null]'");
  EXPECT_EQ(db.value("plist(?1, '0/0/0/0')", circle), "'[null,null]'");
  // Each array holds the next twice: 2^40 values were it written out.
  std::string objects;
  for (int i = 1; i <= 40; ++i)
    objects += "<dict><key>$class</key>" + uid(42) + "<key>NS.objects</key><array>" + uid(i + 1) +
               uid(i + 1) + "</array></dict>";
  EXPECT_EQ(db.value("plist_json(?1)", archive(objects + "<string>x</string>" + class_of("NSArray"))),
            "NULL");
  EXPECT_EQ(db.value("plist(?1, '')", archive(uid(2) + uid(1))), "NULL") << "names that lead to each other";
}

TEST(PropertyList, GivesNullForWhatIsNone) {
  Connection db;
  for (const char* bytes : {"", "bplist00", "<plist>", "hello"})
    EXPECT_EQ(db.value("plist(?1, 'a')", bytes), "NULL") << bytes;
  std::string deep, end;
  for (int i = 0; i < 1'000'000; ++i) deep += "<array>", end += "</array>";
  EXPECT_EQ(db.value("plist_json(?1)", xml(deep + end)), "NULL");
  EXPECT_EQ(db.value("plist_json(?1)", xml(deep.substr(0, 700) + end.substr(0, 800))), "NULL")
      << "nested 100 times";
}

}  // namespace
}  // namespace touchstone::test
