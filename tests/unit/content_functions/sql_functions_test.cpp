#include <algorithm>
#include <cstring>

#include "connection.hpp"
#include "content/database.hpp"
#include "evidence/byte_source.hpp"

namespace touchstone::test {
namespace {

TEST(Phone, GivesE164InTheCountry) {
  Connection db;
  // Ofcom's numbers for drama: no library calls them valid, but they have the form.
  for (const char* call : {"phone('07700 900123')", "phone('+44 7700 900123')", "phone('+44 (0)7700 900123')",
                           "phone('0044 7700 900123')", "phone('447700900123@s.whatsapp.net')",
                           "phone('447700900123:7@s.whatsapp.net')", "phone(' tel:07700900123 ')"})
    EXPECT_EQ(db.value(call), "'+447700900123'") << call;
  EXPECT_EQ(db.value("phone('(020) 7946 0018')"), "'+442079460018'");
  EXPECT_EQ(db.value("phone('(201) 555-0123', 'US')"), "'+12015550123'");
  EXPECT_EQ(db.value("phone(442079460018)"), "'+442079460018'") << "a number that lost its +";
}

TEST(Phone, TakesTheCountryOfTheCase) {
  Connection db("FR");
  EXPECT_EQ(db.value("phone('01 99 00 12 34')"), "'+33199001234'");
  EXPECT_EQ(db.value("phone('07700 900123', 'GB')"), "'+447700900123'");
}

TEST(Phone, LeavesOtherTextsAsTheyAre) {
  Connection db;
  for (const char* text : {"Vodafone", "0800FLOWERS", "60000", "alice@example.com", "", "12-34",
                           "120363000000000000@g.us", "status@broadcast", "+", "99999999999999999999"})
    EXPECT_EQ(db.value("phone('" + std::string(text) + "')"), "'" + std::string(text) + "'");
  EXPECT_EQ(db.value("phone('  Bank  ')"), "'Bank'");
  EXPECT_EQ(db.value("phone(NULL)"), "NULL");
  EXPECT_EQ(db.value("phone(x'ff')"), "NULL");
}

TEST(Texts, OfUtf16) {
  Connection db;
  EXPECT_EQ(db.value("utf16(x'480069000000')"), "'Hi'");
  EXPECT_EQ(db.value("utf16(x'fffe48006900')"), "'Hi'");
  EXPECT_EQ(db.value("utf16(x'feff00480069')"), "'Hi'");
  EXPECT_EQ(db.value("utf16(x'3dd800de')"), "'\xf0\x9f\x98\x80'");  // U+1F600
  EXPECT_EQ(db.value("utf16(x'3dd8')"), "NULL") << "half a pair";
  EXPECT_EQ(db.value("utf16(x'00de4800')"), "NULL");
  EXPECT_EQ(db.value("utf16(x'48')"), "NULL");
  EXPECT_EQ(db.value("utf16(x'')"), "''");
}

TEST(Texts, OfBytes) {
  Connection db;
  EXPECT_EQ(db.value("hex_text(x'c3a9')"), "'\xc3\xa9'");
  for (const char* wrong : {"c0af", "eda080", "f4908080", "e28a", "80", "f5808080"})
    EXPECT_EQ(db.value("hex_text(x'" + std::string(wrong) + "')"), "NULL") << wrong;
}

TEST(Json, IsReadWithoutErrors) {
  Connection db;
  EXPECT_EQ(db.value(R"(json_get('{"a":[1,{"b":"c"}]}', '$.a[1].b'))"), "'c'");
  EXPECT_EQ(db.value(R"(json_get(CAST('{"a":1.5}' AS BLOB), '$.a'))"), "1.5");
  EXPECT_EQ(db.value(R"(json_get('{"a":[1,2]}', '$.a'))"), "'[1,2]'");
  for (const char* call : {"json_get('{', '$.a')", "json_get('', '$')", "json_get('{}', 'a')",
                           "json_get(x'ff', '$')", "json_get('{}', '$.a')", "json_get(NULL, '$')"})
    EXPECT_EQ(db.value(call), "NULL") << call;
  EXPECT_EQ(db.value("json_get(?1, '$')", std::string(1'000'000, '[')), "NULL");
}

/// A stream with one string, by the layout of those that Messages writes.
std::string typedstream(const std::string& size, const std::string& text) {
  return std::string("\x04\x0b") + "streamtyped" + "\x81\xe8\x03" + "\x84\x01@" +
         "\x84\x84\x84\x08NSString\x01" + "\x84\x84\x08NSObject" + std::string("\x00\x85\x84\x01+", 5) +
         size + text + "\x86";
}

TEST(Typedstream, GivesItsString) {
  Connection db;
  EXPECT_EQ(db.value("typedstream_text(?1)", typedstream("\x05", "hello")), "'hello'");
  EXPECT_EQ(
      db.value("typedstream_text(?1)", typedstream(std::string("\x81\x00\x01", 3), std::string(256, 'x'))),
      "'" + std::string(256, 'x') + "'");
}

TEST(Typedstream, GivesNullForDamage) {
  Connection db;
  const std::string whole = typedstream("\x05", "hello");
  for (std::size_t cut = 0; cut + 1 < whole.size(); ++cut)
    EXPECT_EQ(db.value("typedstream_text(?1)", whole.substr(0, cut)), "NULL") << cut;
  EXPECT_EQ(db.value("typedstream_text(?1)", typedstream("\x20", "hello")), "'hello'") << "a count too large";
  EXPECT_EQ(db.value("typedstream_text(?1)", typedstream("\x02", "\xff\xfe")), "NULL");
  EXPECT_EQ(db.value("typedstream_text(?1)", typedstream("\x82\xff\xff\xff\x7f", "\xff")), "NULL");
}

/// The functions reach SQL on evidence through the authorizer, and nothing else comes with them.
TEST(SqlFunctions, CanBeCalledOnEvidence) {
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &raw), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(raw, "CREATE TABLE t(x); INSERT INTO t VALUES(1714766400000)", nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_int64 size = 0;
  unsigned char* bytes = sqlite3_serialize(raw, "main", &size, 0);
  std::vector<std::byte> image(static_cast<std::size_t>(size));
  std::memcpy(image.data(), bytes, image.size());
  sqlite3_free(bytes);
  sqlite3_close(raw);
  const auto source = make_memory_source(std::move(image));
  DatabaseLimits limits;
  limits.country = "FR";
  auto database = EvidenceDatabase::open({source.get(), nullptr, nullptr}, DatabaseState::current, limits);
  ASSERT_TRUE(database);
  auto query = (*database)->query("SELECT unix_ms(x), phone('01 99 00 12 34') FROM t", {});
  ASSERT_TRUE(query) << query.error().message;
  ASSERT_TRUE(*(*query)->step());
  EXPECT_EQ((*query)->integer(0), 1714766400000000);
  EXPECT_EQ((*query)->bytes(1), "+33199001234");
  EXPECT_FALSE((*database)->query("SELECT randomblob(4) FROM t", {}));
}

TEST(SqlFunctions, AreListedInOrder) {
  const auto& names = sql_function_names();
  EXPECT_EQ(names.size(), 32U);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_TRUE(is_sql_function("plist"));
  EXPECT_FALSE(is_sql_function("load_extension"));
}

}  // namespace
}  // namespace touchstone::test
