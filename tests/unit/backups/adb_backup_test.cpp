// Against headers of real phones that John the Ripper publishes as test vectors of its format
// "androidbackup": Android 6.0, 8.0 and 4.4.4, with the passwords named there.
#include "filesystem/trees/adb_backup.hpp"

#include <gtest/gtest.h>

#include "unit/backups/made_backups.hpp"

namespace touchstone {
namespace {

std::unique_ptr<ByteSource> source(std::string_view text) {
  const auto bytes = as_byte_span(text);
  return make_memory_source({bytes.begin(), bytes.end()});
}

struct Published {
  int version;
  const char *user_salt, *check_salt, *iv, *blob, *password;
};

const Published kPublished[] = {
    {3,
     "2a7c948fd7124307bca8d7ac921a9f019f32b0f74f484cfe9266f3ee0da064fc8a57b1c9e2edf66b8425448d064ef121a453c89"
     "41a024dbdfc"
     "7481bfbc47437e",
     "3bbd3f57551336c7db480cbdc3dc5ce3da4e185a586a3fd45b816007c2c41889149fbf0e292f88b1207d070d10e577c021dabd0"
     "ed8ba8ea684"
     "9b0d311942eb37",
     "469920775ce354235ad62500184754d7",
     "749ae8a777d30ea4913084a8266f9f740dfc0a78d545aafb0a39051519a610db5f3d5f68cdaff7f04a74645e8a7b0c5c965d978"
     "f4a2fa06508"
     "54ab120bb9f683b494a6dcb84d3b74960a6a413fe83648f118e152bad23ab1be294912e357b3b9",
     "openwall"},
    {3,
     "6a2b625432affe69b7bec924c643462c1bb47f8270ea32c3f4fe371f7646b51fa5bd3b13592143bd1a03f67bb73f17c0edbaa68"
     "f9de8d88190"
     "dbf2bc1a51e121",
     "4b8a71cb21ab4510ddf0fbcfa049c4f046baa492b51efbc7d12499c6d2d794443c8d1f19dee8bef088dd7e1951d1215207594f8"
     "28e53dd5734"
     "a9c1be1c0b350c",
     "161cc825bb9c3025b8f81b9a1dccd1d9",
     "9424dfd7d445e3be505a8905565ed3c4359492b0f8b079a8d4ba57d72a9489c0be6e87f51d20c6544152fded3de91bdc5a74966"
     "a54d6261190"
     "f6379bc8d0a39b2eb6ebeb1768478fdbdf241cc15137111caa00efe8e07ba2c5efcac71f91c101",
     "\u00e5bc"},
    {5,
     "ff4b9c083784b63e1724700f18fad0fac41e9a82fb4fad6b2a2efc35d77359af0e7604f83b011660724159469f2ea5206bd3dce"
     "0f7b7fe4b9b"
     "e1d2bfdb5d4c72",
     "a5ee2fb150351a4882630f71111c4619b31391069241665c81efbcd9d6696018cdbcfb412bfcc24d7e31a7fca2055892b4e64d2"
     "63a5f470731"
     "77c35257b99b41",
     "0b6b9f4463420eb0dbfeb37a90cdc362",
     "238058ca186ffc15b1f8c16d8057cb8ebca600b2971f264a31964a786ebb8af47f9e15244c3aca5403db4481c2f268d36062b92"
     "9eff12abb87"
     "b87a6f4da4de8ef76345777f99c806277123a1d9d3442a4ec7ed9669d5e237425f67454428555c",
     "hello"},
    {2,
     "3c3915681a460670d7511ddb0c080b838f1d25a473a82544d0b11d10eca66f92c182df30d576f388b2b800003ea06af55cbd59b"
     "d59cd236c99"
     "a945486f0a7c7b",
     "b1afc57259df27ff5e88acba5eaa8a92bde1a189f6eb9a865b3ba73e1b78f4eb514bfa7e67f98be6715647a708c7b0c78b2be0b"
     "263d8fae66b"
     "ddbf3bceb6eb7e",
     "fb7bc820e2880c48bfd1fd8877ad2e5f",
     "3a1deab93e3d6e0a8689adfcae9ee85a5131147e878f720d4265d9d9b3ce269a1cc01b3634f0dfed2463839b0725a586594d766"
     "54bf22e9caf"
     "411eed2437f6d7fddd0afa30e797145574b8f13659123665f2a94d21071607811b388714fae728",
     "\u00e5bc"},
};

TEST(AdbBackup, HeadersOfRealPhonesOpenWithTheirPasswords) {
  for (const Published& each : kPublished) {
    const std::string head = std::string("ANDROID BACKUP\n") + std::to_string(each.version) +
                             "\n1\nAES-256\n" + each.user_salt + "\n" + each.check_salt + "\n10000\n" +
                             each.iv + "\n" + each.blob + "\n";
    const auto file = source(head + "payload");
    ASSERT_TRUE(is_adb_backup(*file));
    const auto header = read_adb_header(*file);
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->version, each.version);
    EXPECT_EQ(header->payload, head.size());
    EXPECT_EQ(header->rounds, 10000U);
    EXPECT_TRUE(header->encrypted());
    EXPECT_FALSE(open_adb_key(*header, "Openwall"));
    const auto key = open_adb_key(*header, each.password);
    ASSERT_TRUE(key) << each.version;
    EXPECT_EQ(key->key.size(), 32U);
    EXPECT_EQ(key->iv.size(), 16U);
  }
}

TEST(AdbBackup, TheMasterKeyIsTheOneThatWasWrapped) {
  // SHAKE-256 of "master key" and "iv": what make_backups.py wrapped.
  const auto bytes = test::file_bytes(test::made_backups() / "locked.ab");
  const auto file = make_memory_source(bytes);
  const auto header = read_adb_header(*file);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_FALSE(unlock_adb_backup(*header, Secrets{{"wrong"}}));
  const auto key = unlock_adb_backup(*header, Secrets{{"wrong", test::kPassword}});
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(std::to_integer<int>(key->key.span()[0]), 0xff);
}

TEST(AdbBackup, VersionOneTakesTheLowerBytesOfThePassword) {
  const auto file = make_memory_source(test::file_bytes(test::made_backups() / "locked1.ab"));
  const auto header = read_adb_header(*file);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->version, 1);
  EXPECT_TRUE(unlock_adb_backup(*header, Secrets{{test::kPassword}}));
}

TEST(AdbBackup, WhatIsNeededIsSaid) {
  const auto file = make_memory_source(test::file_bytes(test::made_backups() / "locked.ab"));
  const auto header = read_adb_header(*file);
  ASSERT_TRUE(header);
  const auto none = unlock_adb_backup(*header, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::encrypted);
  EXPECT_NE(none.error().message.find("--password-file"), std::string::npos);
  EXPECT_NE(none.error().message.find("1000 rounds"), std::string::npos);
  const auto wrong = unlock_adb_backup(*header, Secrets{{"wrong"}});
  EXPECT_NE(wrong.error().message.find("the password given is not its password"), std::string::npos);
  EXPECT_EQ(wrong.error().message.find("wrong"), std::string::npos);
}

TEST(AdbBackup, UnknownAndDamagedHeadersAreNamed) {
  const auto code = [](std::string_view text) {
    const auto header = read_adb_header(*source(text));
    return header ? std::optional<ErrorCode>() : header.error().code;
  };
  EXPECT_EQ(code("ANDROID BACKUP\n6\n1\nnone\n"), ErrorCode::unsupported);
  EXPECT_EQ(code("ANDROID BACKUP\n4\n1\nAES-512\n"), ErrorCode::unsupported);
  EXPECT_EQ(code("ANDROID BACKUP\n4\n2\nnone\n"), ErrorCode::corrupt);
  EXPECT_EQ(code("ANDROID BACKUP\n4\n1"), ErrorCode::corrupt);
  EXPECT_EQ(code("ANDROID BACKUP\nx\n1\nnone\n"), ErrorCode::corrupt);
  EXPECT_EQ(code("ANDROID BACKUP\n4\n1\nAES-256\nzz\n"), ErrorCode::corrupt);
  const std::string salt(64, 'a'), iv(32, 'b');
  EXPECT_EQ(
      code("ANDROID BACKUP\n4\n1\nAES-256\n" + salt + "\n" + salt + "\n4000000000\n" + iv + "\n" + iv + "\n"),
      ErrorCode::limit);
  EXPECT_EQ(code("ANDROID BACKUP\n4\n1\nnone\n"), std::nullopt);
  EXPECT_FALSE(is_adb_backup(*source("ANDROID")));
}

TEST(AdbBackup, TheLinesThatMiuiPutsBeforeItAreSkipped) {
  const auto file =
      source("MIUI BACKUP\n2\ncom.example.chat Chat\n-1\n0\nANDROID BACKUP\n4\n0\nnone\npayload");
  ASSERT_TRUE(is_adb_backup(*file));
  const auto header = read_adb_header(*file);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_TRUE(header->miui);
  EXPECT_EQ(header->package, "com.example.chat");
  EXPECT_EQ(header->payload, file->size() - 7);
}

}  // namespace
}  // namespace touchstone
