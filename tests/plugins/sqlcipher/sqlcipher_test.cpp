// The plugin `sqlcipher` on databases that Zetetic's own program encrypts (version 3), and on one that the
// test encrypts by the published design with the parameters of version 4, which Debian does not have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "support/file_contents.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;

const std::string kKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

class SqlCipher : public testing::Test {
 protected:
  void SetUp() override {
    host_ = PluginHost::load("sqlcipher");
    ASSERT_TRUE(host_);
    std::string name = (fs::temp_directory_path() / "sqlcipher.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static TestItem item(std::string bytes, const std::string& config) {
    TestItem made;
    made.bytes = std::move(bytes);
    made.path = "/home/user/.config/Signal/sql/db.sqlite";
    made.media_type = "application/octet-stream";
    if (!config.empty()) made.neighbours["../config.json"] = config;
    return made;
  }
  static std::string config(const std::string& key) { return R"({"key":")" + key + R"("})"; }

  /// The column of all rows of a query of the database, one a line.
  std::string rows(const std::string& database, const std::string& sql) {
    const std::string path = folder_ / "plain.db";
    std::FILE* file = std::fopen(path.c_str(), "wb");
    std::fwrite(database.data(), 1, database.size(), file);
    std::fclose(file);
    sqlite3* db = nullptr;
    std::string text;
    EXPECT_EQ(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    char* error = nullptr;
    sqlite3_exec(
        db, sql.c_str(),
        [](void* out, int, char** values, char**) {
          *static_cast<std::string*>(out) += std::string(values[0]) + "\n";
          return 0;
        },
        &text, &error);
    EXPECT_EQ(error, nullptr) << error;
    sqlite3_close(db);
    return text;
  }
  /// False where the program is not installed.
  bool encrypt(const std::string& script) {
    const std::string commands = folder_ / "commands";
    std::FILE* file = std::fopen(commands.c_str(), "wb");
    std::fputs(script.c_str(), file);
    std::fclose(file);
    const std::string command = "cd '" + folder_.string() + "' && sqlcipher db < commands > said 2>&1";
    return std::system("command -v sqlcipher > /dev/null") == 0 && std::system(command.c_str()) == 0;
  }

  std::unique_ptr<PluginHost> host_;
  fs::path folder_;
};

TEST_F(SqlCipher, OpensWhatItsOwnProgramEncrypted) {
  if (!encrypt("PRAGMA key = \"x'" + kKey +
               "'\";\nCREATE TABLE t(a);\nWITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
               "SELECT i+1 FROM n WHERE i<300) INSERT INTO t SELECT 'row ' || i FROM n;\n"))
    GTEST_SKIP() << "sqlcipher is not installed";
  const std::string bytes = contents_of(folder_ / "db");
  ASSERT_GT(bytes.size(), 4096U);
  const TestItem database = item(bytes, config(kKey));
  const auto listed = host_->list(database);
  ASSERT_EQ(listed.members.size(), 1U);
  EXPECT_EQ(listed.members[0].path, "Signal/sql/db.sqlite");
  EXPECT_EQ(listed.members[0].size, bytes.size());
  const auto given = host_->extract(database);
  ASSERT_EQ(given.data.size(), 1U);
  EXPECT_TRUE(given.problems.empty());
  EXPECT_EQ(rows(given.data.at(0).bytes, "SELECT count(*) || min(a) || max(a) FROM t"), "300row 1row 99\n");
  EXPECT_EQ(rows(given.data.at(0).bytes, "PRAGMA integrity_check"), "ok\n");
}

TEST_F(SqlCipher, ReadsWhatTheLogHasCommitted) {
  if (!encrypt("PRAGMA key = \"x'" + kKey +
               "'\";\nPRAGMA journal_mode = WAL;\nPRAGMA wal_autocheckpoint = 0;\n"
               "CREATE TABLE t(a);\nINSERT INTO t VALUES('kept');\nPRAGMA wal_checkpoint(TRUNCATE);\n"
               "INSERT INTO t VALUES('in the log');\n.shell cp db copy; cp db-wal copy-wal\n"))
    GTEST_SKIP() << "sqlcipher is not installed";
  TestItem database = item(contents_of(folder_ / "copy"), config(kKey));
  EXPECT_EQ(rows(host_->extract(database).data.at(0).bytes, "SELECT a FROM t"), "kept\n");
  database.neighbours["db.sqlite-wal"] = contents_of(folder_ / "copy-wal");
  EXPECT_EQ(rows(host_->extract(database).data.at(0).bytes, "SELECT a FROM t"), "kept\nin the log\n");
}

/// Encrypts by https://www.zetetic.net/sqlcipher/design/: AES-256-CBC, HMAC-SHA512 over what is encrypted,
/// the IV and the number of the page; its key by two rounds of PBKDF2 from the key and the salt with each
/// byte ^ 0x3a.
std::string encrypted_as_version_4(const std::string& plain) {
  const std::size_t page = 4096, content = page - 80;
  std::string key, salt(16, 'S'), mac_salt(16, static_cast<char>('S' ^ 0x3a)), mac_key(32, '\0');
  for (int i = 0; i < 32; ++i) key += static_cast<char>(i);
  const auto* raw = reinterpret_cast<const unsigned char*>(key.data());
  PKCS5_PBKDF2_HMAC(key.data(), 32, reinterpret_cast<const unsigned char*>(mac_salt.data()), 16, 2,
                    EVP_sha512(), 32, reinterpret_cast<unsigned char*>(mac_key.data()));
  std::string out;
  for (std::size_t number = 1; number * page <= plain.size(); ++number) {
    const std::size_t from = number == 1 ? 16 : 0;
    const std::string iv(16, static_cast<char>('a' + number));
    std::string cipher(content - from, '\0');
    int length = 0;
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(context, EVP_aes_256_cbc(), nullptr, raw,
                       reinterpret_cast<const unsigned char*>(iv.data()));
    EVP_CIPHER_CTX_set_padding(context, 0);
    EVP_EncryptUpdate(context, reinterpret_cast<unsigned char*>(cipher.data()), &length,
                      reinterpret_cast<const unsigned char*>(plain.data() + (number - 1) * page + from),
                      static_cast<int>(cipher.size()));
    EVP_CIPHER_CTX_free(context);
    std::string text = cipher;
    text += iv;
    for (unsigned shift = 0; shift < 32; shift += 8) text += static_cast<char>(number >> shift);
    unsigned char mac[EVP_MAX_MD_SIZE];
    HMAC(EVP_sha512(), mac_key.data(), 32, reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         mac, nullptr);
    if (number == 1) out += salt;
    out.append(cipher).append(iv).append(reinterpret_cast<char*>(mac), 64);
  }
  return out;
}

TEST_F(SqlCipher, OpensVersion4AndSaysWhichPagesAreDamaged) {
  const std::string path = folder_ / "made.db";
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  int reserved = 80;
  sqlite3_file_control(db, nullptr, SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  sqlite3_exec(db, "PRAGMA page_size = 4096; CREATE TABLE t(a); INSERT INTO t VALUES('version 4')", nullptr,
               nullptr, nullptr);
  sqlite3_close(db);
  const std::string plain = contents_of(path);
  ASSERT_EQ(plain[20], 80);
  std::string bytes = encrypted_as_version_4(plain);
  EXPECT_EQ(rows(host_->extract(item(bytes, config(kKey))).data.at(0).bytes, "SELECT a FROM t"),
            "version 4\n");
  bytes[5000] = static_cast<char>(bytes[5000] ^ 1);
  const auto damaged = host_->extract(item(bytes, config(kKey)));
  ASSERT_EQ(damaged.problems.size(), 1U);
  EXPECT_EQ(damaged.problems[0].kind, "corrupt");
}

TEST_F(SqlCipher, SaysWhatItTakesWhereThereIsNoKey) {
  const std::string bytes = encrypted_as_version_4(std::string(8192, 'x'));
  const std::string other = "ff" + kKey.substr(2);
  for (const auto& [text, why] :
       std::vector<std::pair<std::string, std::string>>{{"", "not there"},
                                                        {R"({"encryptedKey":"76313122"})", "locks the key"},
                                                        {R"({"key":"00"})", "no key"},
                                                        {R"({"key":[1]})", "no key"},
                                                        {config(other), "does not open it"}}) {
    const auto outcome = host_->list(item(bytes, text));
    EXPECT_TRUE(outcome.members.empty());
    ASSERT_EQ(outcome.problems.size(), 1U) << why;
    EXPECT_EQ(outcome.problems[0].kind, "encrypted");
    EXPECT_THAT(outcome.problems[0].message, testing::HasSubstr(why));
  }
}

}  // namespace
}  // namespace touchstone::test
