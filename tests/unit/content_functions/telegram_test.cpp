// Blobs written by hand by the published schema (https://core.telegram.org/schema and its earlier layers).
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <string>

#include "connection.hpp"

namespace touchstone::test {
namespace {

std::string int32(std::uint32_t value) {
  std::string out;
  for (int i = 0; i < 4; ++i)
    out += static_cast<char>(static_cast<unsigned char>(value >> (8U * unsigned(i))));
  return out;
}
std::string int64(std::uint64_t value) {
  return int32(static_cast<std::uint32_t>(value)) + int32(static_cast<std::uint32_t>(value >> 32U));
}
std::string tl_text(const std::string& text) {
  std::string out = text.size() < 254
                        ? std::string(1, static_cast<char>(static_cast<unsigned char>(text.size())))
                        : int32(254U | static_cast<std::uint32_t>(text.size()) << 8U);
  out += text;
  while (out.size() % 4 != 0) out += '\0';
  return out;
}
std::string peer_user(std::uint64_t id) {
  return int32(0x59511722) + int64(id);
}

constexpr std::uint32_t kDate = 1700000000;

/// message#38116ee0 (layers 145 to 169) from user 501 to user 502.
std::string message(const std::string& text, const std::string& before_date = {},
                    std::uint32_t more_flags = 0) {
  return int32(0x38116ee0) + int32((1U << 8U) | more_flags) + int32(7) + peer_user(501) + peer_user(502) +
         before_date + int32(kDate) + tl_text(text);
}

class Telegram : public ::testing::Test {
 protected:
  std::string text(const std::string& blob) { return db_.value("telegram_text(?1, 1700000000)", blob); }
  Connection db_;
};

TEST_F(Telegram, GivesTheTextOfAMessage) {
  EXPECT_EQ(text(message("See you at eight")), "'See you at eight'");
  EXPECT_EQ(text(message("¿Qué tal? 🙂")), "'¿Qué tal? 🙂'");
  const std::string longer(1000, 'x');
  EXPECT_EQ(text(message(longer)), "'" + longer + "'");
  EXPECT_EQ(text(message("")), "NULL") << "a picture without a caption";
}

// messageFwdHeader#4e4df4bb with the id of a channel's post after a time of its own, which may even be the
// same.
TEST_F(Telegram, GivesTheTextOfWhatWasForwarded) {
  const std::string header =
      int32(0x4e4df4bb) + int32(1U | 4U) + peer_user(900) + int32(kDate) + int32(0x01020304);
  EXPECT_EQ(text(message("forwarded", header, 1U << 2U)), "'forwarded'");
}

TEST_F(Telegram, GivesTheTextOfOlderAndNewerLayers) {
  // message#44f9b43d: from_id is an int, to_id a Peer of 32 bits.
  const std::string old = int32(0x44f9b43d) + int32(1U << 8U) + int32(7) + int32(501) + int32(0x9db1bc6d) +
                          int32(502) + int32(kDate) + tl_text("old");
  EXPECT_EQ(text(old), "'old'");
  EXPECT_EQ(db_.value("telegram_sender(?1)", old), "501");
  // message#96fdbbe9: a second word of flags.
  const std::string newer = int32(0x96fdbbe9) + int32(1U << 8U) + int32(0) + int32(7) + peer_user(501) +
                            peer_user(502) + int32(kDate) + tl_text("new");
  EXPECT_EQ(text(newer), "'new'");
  EXPECT_EQ(db_.value("telegram_sender(?1)", newer), "501");
}

TEST_F(Telegram, SaysWhoSentIt) {
  EXPECT_EQ(db_.value("telegram_sender(?1)", message("a")), "501");
  const std::string of_channel = int32(0x38116ee0) + int32(1U << 8U) + int32(7) + int32(0xa2a5371e) +
                                 int64(77) + peer_user(502) + int32(kDate) + tl_text("a");
  EXPECT_EQ(db_.value("telegram_sender(?1)", of_channel), "-77");
  const std::string without =
      int32(0x38116ee0) + int32(0) + int32(7) + peer_user(502) + int32(kDate) + tl_text("a");
  EXPECT_EQ(db_.value("telegram_sender(?1)", without), "NULL");
}

// messageService#2b085862 … date action:MessageAction, here messageActionChatEditTitle#b5a1ce5a.
TEST_F(Telegram, HasNoTextForWhatTheServiceSays) {
  const std::string service = int32(0x2b085862) + int32(1U << 8U) + int32(7) + peer_user(501) +
                              peer_user(502) + int32(kDate) + int32(0xb5a1ce5a) + tl_text("Club");
  EXPECT_EQ(text(service), "NULL");
}

TEST_F(Telegram, GivesAPlaceLongitudeFirst) {
  // messageMediaGeo#56e0d474, geoPoint#b2a2f663 flags long lat access_hash.
  const std::string geo = int32(0x56e0d474) + int32(0xb2a2f663) + int32(0) +
                          int64(std::bit_cast<std::uint64_t>(-0.125)) +
                          int64(std::bit_cast<std::uint64_t>(51.5)) + int64(1);
  const std::string blob = message("") + geo;
  EXPECT_EQ(db_.value("telegram_latitude(?1)", blob), "51.5");
  EXPECT_EQ(db_.value("telegram_longitude(?1)", blob), "-0.125");
  EXPECT_EQ(db_.value("telegram_latitude(?1)", message("a")), "NULL");
}

// user#8f97c628 flags flags2 id access_hash first_name last_name phone (layers 151 to 165).
TEST_F(Telegram, GivesTheTelephoneOfAUser) {
  const std::string user = int32(0x8f97c628) + int32(1U | 2U | 4U | 16U) + int32(0) + int64(501) +
                           int64(0x1122334455667788) + tl_text("07700900999") + tl_text("Example") +
                           tl_text("447700900101");
  EXPECT_EQ(db_.value("telegram_phone(?1)", user), "'447700900101'");
  // user#938458c1: an int for the id, one word of flags.
  const std::string old = int32(0x938458c1) + int32(1U | 2U | 16U) + int32(501) + int64(5) + tl_text("Ben") +
                          tl_text("447700900102");
  EXPECT_EQ(db_.value("telegram_phone(?1)", old), "'447700900102'");
  EXPECT_EQ(db_.value("telegram_phone(?1)", int32(0x938458c1) + int32(2U) + int32(501) + tl_text("Ben")),
            "NULL");
}

// messageMediaDocument#9cb070d7 flags document, document#8fd4c4d8 flags id access_hash file_reference date
// mime_type size dc_id attributes; documentAttributeFilename#15590068. The app keeps it as "dc_id"_"id".ext.
std::string document(std::uint64_t id, const std::string& media_type, const std::string& attribute) {
  return int32(0x9cb070d7) + int32(1) + int32(0x8fd4c4d8) + int32(0) + int64(id) + int64(99) +
         tl_text("reference") + int32(kDate) + tl_text(media_type) + int64(123456) + int32(2) +
         int32(0x1cb5c415) + int32(1) + attribute;
}

TEST_F(Telegram, NamesTheFileOfAMessage) {
  const std::string paper = message("see page 2") + document(5388640145117151000, "application/pdf",
                                                             int32(0x15590068) + tl_text("my lease.pdf"));
  EXPECT_EQ(db_.value("telegram_file(?1, 'path')", paper), "'2_5388640145117151000.pdf'");
  EXPECT_EQ(db_.value("telegram_file(?1, 'name')", paper), "'my lease.pdf'");
  EXPECT_EQ(db_.value("telegram_file(?1, 'media_type')", paper), "'application/pdf'");
  // documentAttributeAudio#9852f9c6 flags.10 voice, duration.
  const std::string voice =
      message("") + document(77, "audio/ogg", int32(0x9852f9c6) + int32(1U << 10U) + int32(4));
  EXPECT_EQ(db_.value("telegram_file(?1, 'path')", voice), "'2_77.ogg'");
  EXPECT_EQ(db_.value("telegram_file(?1, 'name')", voice), "NULL");
  for (std::size_t size = 0; size < paper.size(); ++size)
    db_.value("telegram_file(?1, 'path')", paper.substr(0, size));
}

// messageMediaPhoto#695150d7 flags photo, photo#fb197a65 flags id access_hash file_reference date sizes
// dc_id; photoStrippedSize#e0b0bc2e, photoSize#75c78e60, photoSizeProgressive#fa3efb95. The app keeps each
// size as
// "-id"_"number of its letter".jpg: y is 121.
TEST_F(Telegram, NamesTheLargestSizeOfAPicture) {
  const std::string photo = int32(0x695150d7) + int32(1) + int32(0xfb197a65) + int32(0) + int64(6012345) +
                            int64(99) + tl_text("reference") + int32(kDate) + int32(0x1cb5c415) + int32(3);
  const std::string sizes = int32(0xe0b0bc2e) + tl_text("i") + tl_text("tiny") + int32(0x75c78e60) +
                            tl_text("m") + int32(320) + int32(240) + int32(20000) + int32(0xfa3efb95) +
                            tl_text("y") + int32(1280) + int32(960) + int32(0x1cb5c415) + int32(2) +
                            int32(10000) + int32(150000);
  EXPECT_EQ(db_.value("telegram_file(?1, 'path')", message("") + photo + sizes + int32(2)),
            "'-6012345_121.jpg'");
  // photoSize#77bfb61b type location w h size, fileLocationToBeDeprecated#bc7fc6cd volume_id local_id.
  const std::string old = int32(0x77bfb61b) + tl_text("x") + int32(0xbc7fc6cd) + int64(200063300131) +
                          int32(4711) + int32(800) + int32(600) + int32(90000);
  EXPECT_EQ(db_.value("telegram_file(?1, 'path')", message("") + photo + old), "'200063300131_4711.jpg'");
  // A picture of the page that a link leads to (messageMediaWebPage#a32dd600) is not the message's own.
  EXPECT_EQ(db_.value("telegram_file(?1, 'path')",
                      message("a link") + int32(0xa32dd600) + photo.substr(8) + sizes + int32(2)),
            "NULL");
}

// edit_date is flags.15, edit_hide flags.21.
TEST_F(Telegram, SaysWhetherTheTextWasEdited) {
  EXPECT_EQ(db_.value("telegram_edited(?1)", message("a")), "0");
  EXPECT_EQ(db_.value("telegram_edited(?1)", message("a", {}, 1U << 15U)), "1");
  EXPECT_EQ(db_.value("telegram_edited(?1)", message("a", {}, (1U << 15U) | (1U << 21U))), "0");
  EXPECT_EQ(db_.value("telegram_edited(NULL)"), "NULL");
}

TEST_F(Telegram, GivesNothingForWhatIsCutOrNone) {
  const std::string whole = message("See you at eight");
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(text(whole.substr(0, size)), "NULL") << size;
  EXPECT_EQ(db_.value("telegram_text(NULL, 5)"), "NULL");
  EXPECT_EQ(db_.value("telegram_text(?1, 0)", whole), "NULL");
  EXPECT_EQ(db_.value("telegram_text(?1, 99999999999)", whole), "NULL");
  EXPECT_EQ(db_.value("telegram_text('text', 1700000000)"), "NULL");
}

TEST(Markup, BecomesText) {
  Connection db;
  EXPECT_EQ(db.value("markup_text('<div><p>One &amp; two</p>\n <p>three<br>four</p></div>')"),
            "'One & two\nthree\nfour'");
  EXPECT_EQ(db.value("markup_text('a &lt;b&gt; &#128578; &#x41; &nosuch; & c')"),
            "'a <b> 🙂 A &nosuch; & c'");
  EXPECT_EQ(db.value("markup_text('Rent<div>and bills</div>')"), "'Rent\nand bills'");
  EXPECT_EQ(db.value("markup_text('<tr><td>a</td><td>b</td></tr><tr><td>c')"), "'a b\nc'");
  EXPECT_EQ(db.value("markup_text('2 < 3')"), "'2 < 3'");
  EXPECT_EQ(db.value("markup_text('<img src=\"x\">')"), "''");
  EXPECT_EQ(db.value("markup_text(NULL)"), "NULL");
  EXPECT_EQ(db.value("markup_text(x'ff')"), "NULL");
}

// RFC 4648, section 10.
TEST(Base64, BecomesBytes) {
  Connection db;
  EXPECT_EQ(db.value("base64_bytes('Zm9vYmFy')"), "X'666F6F626172'");
  EXPECT_EQ(db.value("base64_bytes('Zm9vYg==')"), "X'666F6F62'");
  EXPECT_EQ(db.value("base64_bytes('Zm9v\nYg')"), "X'666F6F62'");
  EXPECT_EQ(db.value("base64_bytes('Zm9=v')"), "NULL");
  EXPECT_EQ(db.value("base64_bytes('Zm9v!')"), "NULL");
  EXPECT_EQ(db.value("base64_bytes('Z')"), "NULL");
}

}  // namespace
}  // namespace touchstone::test
