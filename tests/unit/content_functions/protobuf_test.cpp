// The messages and what they mean are those of https://protobuf.dev/programming-guides/encoding/.
#include "connection.hpp"

namespace touchstone::test {
namespace {

TEST(Protobuf, ReadsTheDocumentedExamples) {
  Connection db;
  EXPECT_EQ(db.value("protobuf(x'089601', '1')"), "150");
  EXPECT_EQ(db.value("protobuf(x'120774657374696e67', '2')"), "'testing'");
  EXPECT_EQ(db.value("protobuf(x'1a03089601', '3.1')"), "150");
  // -2 as int32 has ten bytes; as sint32 (zigzag) it is 3.
  EXPECT_EQ(db.value("protobuf(x'08feffffffffffffffff01', '1')"), "-2");
  EXPECT_EQ(db.value("protobuf(x'0803', '1', 'sint')"), "-2");
  EXPECT_EQ(db.value("protobuf(x'08feffffffffffffffff01', '1', 'int')"), "-2");
  // double 25.4 and float 0.5, little-endian IEEE 754
  EXPECT_EQ(db.value("protobuf(x'096666666666663940', '1', 'double')"), "25.4");
  EXPECT_EQ(db.value("protobuf(x'0d0000003f', '1', 'float')"), "0.5");
  EXPECT_EQ(db.value("protobuf(x'0dfeffffff', '1', 'int')"), "-2");
  EXPECT_EQ(db.value("protobuf(x'0dfeffffff', '1')"), "4294967294");
}

TEST(Protobuf, TellsRepeatedFieldsApart) {
  Connection db;
  const std::string three = "x'120161120162120163'";  // 2: "a", "b", "c"
  EXPECT_EQ(db.value("protobuf(" + three + ", '2')"), "'a'");
  EXPECT_EQ(db.value("protobuf(" + three + ", '2[1]')"), "'b'");
  EXPECT_EQ(db.value("protobuf(" + three + ", '2[3]')"), "NULL");
  EXPECT_EQ(db.value("protobuf_count(" + three + ", '2')"), "3");
  EXPECT_EQ(db.value("protobuf_count(" + three + ", '5')"), "0");
  EXPECT_EQ(db.value("protobuf_count(x'1a03089601', '3.1')"), "1");
}

TEST(Protobuf, TellsTextFromBytes) {
  Connection db;
  EXPECT_EQ(db.value("protobuf(x'0a02c3a9', '1')"), "'\xc3\xa9'");
  EXPECT_EQ(db.value("protobuf(x'0a02c328', '1')"), "X'C328'") << "no UTF-8";
  EXPECT_EQ(db.value("protobuf(x'0a026101', '1')"), "X'6101'") << "a control character";
  EXPECT_EQ(db.value("protobuf(x'0a03610a62', '1')"), "'a\nb'");
  EXPECT_EQ(db.value("protobuf(x'0a026101', '1', 'text') = x'6101'"), "0");
  EXPECT_EQ(db.value("typeof(protobuf(x'0a0161', '1', 'blob'))"), "'blob'");
  EXPECT_EQ(db.value("protobuf(x'0a00', '1')"), "''");
}

TEST(Protobuf, ReadsGroups) {
  Connection db;
  EXPECT_EQ(db.value("protobuf(x'0b0896010c', '1.1')"), "150");  // group 1 { 1: 150 }
  EXPECT_EQ(db.value("protobuf(x'0b08960114', '1.1')"), "NULL") << "ends as another field's group";
}

TEST(Protobuf, GivesNullForWhatIsNoMessage) {
  Connection db;
  for (const char* call : {"protobuf(NULL, '1')", "protobuf(x'', '1')", "protobuf(x'0896', '1')",
                           "protobuf(x'120774657374', '2')", "protobuf(x'089601ff', '1')",
                           "protobuf(x'00', '0')", "protobuf(x'089601', '')", "protobuf(x'089601', '1.')",
                           "protobuf(x'089601', '1[')", "protobuf(x'089601', 'one')",
                           "protobuf(x'089601', '1', 'float')", "protobuf(x'089601', '1', 'nonsense')",
                           "protobuf(x'089601', '1.1')", "protobuf(x'08ffffffffffffffffffff01', '1')",
                           "protobuf_json(x'ff')", "protobuf_json(x'')", "protobuf_count(x'ff', '1')"})
    EXPECT_EQ(db.value(call), "NULL") << call;
}

TEST(Protobuf, ShowsTheWholeMessageAsJson) {
  Connection db;
  EXPECT_EQ(db.value("protobuf_json(x'089601120774657374696e671a0308960112026869')"),
            R"('{"1":[150],"2":["testing","hi"],"3":[{"1":[150]}]}')");
  EXPECT_EQ(db.value("protobuf_json(x'0a02ff00')"), R"('{"1":[{"hex":"ff00"}]}')");
  EXPECT_EQ(db.value("json_valid(protobuf_json(x'0a03225c0a'))"), "1");
}

TEST(Protobuf, SurvivesDeepNesting) {
  Connection db;
  std::string groups(100'000, '\x0b');
  EXPECT_EQ(db.value("protobuf(?1, '1.1')", groups), "NULL");
  std::string nested = "\x08\x01";
  for (int i = 0; i < 100; ++i) nested.insert(0, {'\x0a', static_cast<char>(nested.size())});
  nested.resize(std::min<std::size_t>(nested.size(), 120));
  EXPECT_NE(db.value("protobuf_json(?1)", nested), "");
}

}  // namespace
}  // namespace touchstone::test
