// The plugin `mail` and its own decoders. Expected values are those of the formats' documents, or what stands
// in the mail that a test writes itself.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plugins/mail/html_text.hpp"
#include "plugins/mail/mail_form.hpp"
#include "plugins/mail/rtf_text.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

using namespace std::string_literals;

std::string text(const Record& record, std::string_view name) {
  const Value* value = record.find(name);
  const auto* found = value ? std::get_if<std::string>(value) : nullptr;
  return found ? *found : "";
}
std::int64_t number(const Record& record, std::string_view name) {
  const Value* value = record.find(name);
  const auto* found = value ? std::get_if<std::int64_t>(value) : nullptr;
  return found ? *found : -1;
}

const std::string kFields = "From: Ann <ann@example.com>\nTo: bob@example.com\n";

class Mail : public testing::Test {
 protected:
  void SetUp() override {
    host_ = PluginHost::load("mail");
    ASSERT_TRUE(host_);
  }
  static TestItem item(std::string bytes, std::string path = "/item") {
    TestItem out;
    out.bytes = std::move(bytes);
    out.path = std::move(path);
    out.media_type = "message/rfc822";
    return out;
  }
  Record message(const TestItem& mail) {
    outcome_ = host_->examine(mail);
    EXPECT_FALSE(outcome_.records.empty());
    return outcome_.records.empty() ? Record() : outcome_.records.front();
  }
  std::vector<std::string> split(const std::string& bytes) {
    std::vector<std::string> found;
    for (const auto& [ordinal, data] : host_->extract(item(bytes)).data) found.push_back(data.bytes);
    return found;
  }
  bool has_problem(std::string_view kind) const {
    return std::any_of(outcome_.problems.begin(), outcome_.problems.end(),
                       [&](const auto& p) { return p.kind == kind; });
  }

  std::unique_ptr<PluginHost> host_;
  Outcome outcome_;
};

TEST_F(Mail, AMessageIsOneRecordWithItsParties) {
  const Record record = message(
      item("Received: from a by b; Tue, 3 Mar 2026 10:00:05 +0000\nReceived: from x by a; Tue, 3 Mar 2026 "
           "10:00:01 +0000\n"
           "From: Ann <ann@example.com>\nTo: Bob <bob@example.com>, \"C, D\" <cd@example.com>\nCc: "
           "eve@example.com\n"
           "Bcc: fay@example.com\nSubject: =?utf-8?q?caf=C3=A9?=\nDate: Tue, 3 Mar 2026 12:00:00 +0200\n"
           "Message-ID: <3@example.com>\nIn-Reply-To: <2@example.com>\nReferences: <1@example.com> "
           "<2@example.com>\n\nhello\n"));
  EXPECT_EQ(outcome_.records.size(), 1U);
  EXPECT_EQ(text(record, "app"), "email");
  EXPECT_EQ(text(record, "sender"), "ann@example.com");
  EXPECT_EQ(text(record, "recipients"),
            R"(["bob@example.com","cd@example.com","eve@example.com","fay@example.com"])");
  EXPECT_EQ(number(record, "sent"), 1772532000000000);      // 2026-03-03T10:00:00Z
  EXPECT_EQ(number(record, "received"), 1772532005000000);  // of the topmost field
  EXPECT_EQ(text(record, "time_basis"), "offset");
  EXPECT_EQ(text(record, "body"), "caf\u00E9\nhello\n");
  EXPECT_EQ(text(record, "conversation"), "<1@example.com>");
  EXPECT_EQ(text(record, "direction"), "in");
}

TEST_F(Mail, HtmlIsReadAsTextWhereThereIsNoOther) {
  const Record record =
      message(item(kFields + "Content-Type: text/html; "
                             "charset=iso-8859-1\n\n<html><head><style>p{}</style><script>x()</script></head>"
                             "<p>A &amp; B</p><p>caf\xE9&nbsp;&#8364;</p></html>\n"));
  EXPECT_EQ(text(record, "body"), "A & B\ncaf\u00E9 \u20AC");
}

TEST_F(Mail, AttachmentsAndAttachedMessagesAreMembers) {
  const TestItem mail =
      item(kFields +
           "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nsee both\n--b\n"
           "Content-Type: image/png; name=\"../a.png\"\nContent-Transfer-Encoding: "
           "base64\nContent-Disposition: attachment\n\n"
           "iVBORw0=\n--b\nContent-Type: message/rfc822\n\nFrom: eve@example.com\nSubject: inner\n\ninner "
           "text\n--b--\n");
  const Record record = message(mail);
  EXPECT_EQ(text(record, "body"), "see both");
  ASSERT_EQ(outcome_.records.size(), 3U);
  EXPECT_EQ(text(outcome_.records[1], "message_key"), record.key);
  const Outcome listed = host_->list(mail), given = host_->extract(mail);
  ASSERT_EQ(listed.members.size(), 2U);
  EXPECT_EQ(listed.members[0].path, ".._a.png");
  EXPECT_EQ(text(outcome_.records[1], "path"), listed.members[0].path);
  EXPECT_EQ(given.data.at(0).bytes, "\x89PNG\r");
  EXPECT_EQ(listed.members[0].size, 5U);
  EXPECT_EQ(listed.members[1].path, "attached/inner.eml");
  EXPECT_NE(given.data.at(1).bytes.find("inner text"), std::string::npos);
}

TEST_F(Mail, EncryptedMailIsReportedAsSuch) {
  const std::string pgp =
      kFields +
      "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\n"
      "Content-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: "
      "application/octet-stream\n\nxx\n--b--\n";
  EXPECT_EQ(text(message(item(pgp)), "status"), "encrypted");
  EXPECT_TRUE(has_problem("encrypted"));
  message(item(kFields + "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nxx\n"));
  EXPECT_TRUE(has_problem("encrypted"));
  message(item(kFields + "\n-----BEGIN PGP MESSAGE-----\n\nxx\n-----END PGP MESSAGE-----\n"));
  EXPECT_TRUE(has_problem("encrypted"));
}

TEST_F(Mail, FlagsOfProgramsSayWhatWasDeleted) {
  EXPECT_EQ(number(message(item("X-Mozilla-Status: 0009\n" + kFields + "\nx\n")), "deleted"), 1);
  EXPECT_EQ(number(message(item("X-Mozilla-Status: 0001\n" + kFields + "\nx\n")), "deleted"), 0);
  const Record trashed = message(item(kFields + "\nx\n", "/Maildir/cur/1700000000.1.host:2%2CST"));
  EXPECT_EQ(number(trashed, "deleted"), 1);
  EXPECT_EQ(text(trashed, "status"), "read");
}

TEST_F(Mail, AnEmlxHasItsFlagsBehindAndItsAttachmentsBeside) {
  const std::string mail =
      kFields +
      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: image/jpeg; name=p.jpg\n"
      "Content-Disposition: attachment; filename=p.jpg\nX-Apple-Content-Length: 900\n\n\n--b--\n";
  const std::string plist =
      "<?xml version=\"1.0\"?><plist><dict><key>date-received</key><integer>1700000000</integer>"
      "<key>flags</key><integer>3</integer></dict></plist>";
  const TestItem apple =
      item(std::to_string(mail.size()) + "      \n" + mail + plist, "/Messages/123.partial.emlx");
  const Record record = message(apple);
  EXPECT_EQ(number(record, "deleted"), 1);
  EXPECT_EQ(number(record, "received"), 1700000000000000);
  ASSERT_EQ(outcome_.records.size(), 2U);
  EXPECT_EQ(text(outcome_.records[1], "path"), "Attachments/123/2/p.jpg");
  EXPECT_TRUE(host_->list(apple).members.empty());
}

TEST_F(Mail, ADateWithoutAZoneIsTheClocks) {
  const Record record = message(item(kFields + "Date: 3 Mar 2026 10:00:00\n\nx\n"));
  EXPECT_EQ(number(record, "sent_local") >= 0 ? number(record, "sent_local") : number(record, "sent"),
            1772532000000000);
  EXPECT_NE(text(record, "time_basis"), "offset");
}

TEST_F(Mail, MailboxOfOneLineHasOneMessageHoweverOftenItIsAsked) {
  const TestItem mailbox = item("From bob@example.com Thu Jan  1 00:00:01 1970");
  EXPECT_EQ(host_->list(mailbox).members.size(), 1U);
  EXPECT_EQ(host_->extract(mailbox).data.size(), 1U);
}

TEST_F(Mail, AMailboxIsSplitWhereAMessageBegins) {
  const std::string one = "Subject: 1\n\nFrom here on\n>From there\n\n From \n", two = "Subject: 2\n\nend\n";
  const std::string mark = "From ann@example.com Tue Mar  3 10:00:00 2026\n";
  EXPECT_EQ(split(mark + one + "\n" + mark + two), (std::vector<std::string>{one, two}));
}

TEST_F(Mail, ALengthThatHoldsKeepsFromLinesInTheText) {
  const std::string mark = "From ann@example.com Tue Mar  3 10:00:00 2026\n";
  const std::string body = "text\n\n" + mark + "is quoted here\n";
  const std::string one = "Content-Length: " + std::to_string(body.size()) + "\nSubject: 1\n\n" + body;
  const std::string two = "Subject: 2\n\nend\n";
  EXPECT_EQ(split(mark + one + "\n" + mark + two), (std::vector<std::string>{one, two}));
  // A wrong one does not swallow the messages that follow.
  const std::string wrong = "Content-Length: 90\nSubject: 1\n\nshort\n";
  EXPECT_EQ(split(mark + wrong + "\n" + mark + two + "\n" + mark + two),
            (std::vector<std::string>{wrong, two, two}));
}

TEST_F(Mail, NestingAndPartsAreBounded) {
  std::string deep = kFields;
  for (int i = 0; i < 3000; ++i) {
    const std::string boundary = "b" + std::to_string(i);
    deep.append("Content-Type: multipart/mixed; boundary=").append(boundary);
    deep.append("\n\n--").append(boundary).append("\n");
  }
  EXPECT_EQ(host_->examine(item(deep + "\nx\n")).records.size(), 1U);
  std::string wide = kFields + "Content-Type: multipart/mixed; boundary=b\n\n";
  for (int i = 0; i < 10'100; ++i) wide += "--b\nContent-Type: image/png\n\n\n";
  message(item(wide));
  EXPECT_TRUE(has_problem("limit"));
}

TEST_F(Mail, TextThatIsNoMailGivesNothing) {
  for (const std::string& other :
       {"Date: today\nlevel: info\nrequest: /\n"s, "HTTP/1.1 200 OK\nDate: x\nServer: y\n"s,
        "From here on it rains\nTo be fair\n"s, "key: value\nother: value\n"s}) {
    TestItem plain = item(other + std::string(20, '\n'));
    plain.media_type = "text/plain";
    EXPECT_TRUE(host_->examine(plain).records.empty()) << other;
    EXPECT_TRUE(host_->list(plain).members.empty()) << other;
  }
}

TEST(HtmlText, DropsWhatIsNoTextAndDecodesEntities) {
  EXPECT_EQ(mail::html_text("a<!-- <b>no</b> -->b<br>c &lt;d&gt; &eacute;&#x41;&bogus; &"),
            "ab\nc <d> \u00E9A&bogus; &");
  EXPECT_EQ(mail::html_text("<table><tr><td>1<td>2</tr><tr><td>3</table>"), "1\t2\n3");
  EXPECT_EQ(mail::html_text("<a title=\"x>y\">in</a> 1 < 2"), "in 1 < 2");
  EXPECT_EQ(mail::html_text("x<script>if (a</b) {}</script>y"), "xy");
}

TEST(UnpackRtf, GivesWhatTheFormatsDocumentSays) {
  // [MS-OXRTFCP] 4.1.1 and 4.1.2.
  const std::string simple =
      "\x2d\x00\x00\x00\x2b\x00\x00\x00\x4c\x5a\x46\x75\xf1\xc5\xc7\xa7\x03\x00\x0a\x00\x72\x63\x70\x67\x31"
      "\x32\x35\x42"
      "\x32\x0a\xf3\x20\x68\x65\x6c\x09\x00\x20\x62\x77\x05\xb0\x6c\x64\x7d\x0a\x80\x0f\xa0"s;
  EXPECT_EQ(mail::unpack_rtf(simple, 1000), "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
  const std::string crossing =
      "\x1a\x00\x00\x00\x1c\x00\x00\x00\x4c\x5a\x46\x75\xe2\xd4\x4b\x51\x41\x00\x04\x20\x57\x58\x59\x5a\x0d"
      "\x6e\x7d\x01"
      "\x0e\xb0"s;
  EXPECT_EQ(mail::unpack_rtf(crossing, 1000), "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
  EXPECT_EQ(mail::unpack_rtf("no", 1000), std::nullopt);
}

TEST(RtfText, GivesTheWordsAlone) {
  EXPECT_EQ(mail::rtf_text("{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}\\pard caf\\'e9\\par "
                           "\\u8364?\\'80 {\\*\\x no}end}",
                           1000),
            "caf\u00E9\n\u20AC\u20AC end");
  EXPECT_EQ(mail::rtf_text("{\\rtf1\\fromhtml1{\\*\\htmltag64 <p>}\\htmlrtf {\\par\\htmlrtf0 "
                           "hello{\\*\\htmltag72 </p>}\\htmlrtf "
                           "x}\\htmlrtf0 {\\*\\htmltag84 &amp;}}",
                           1000),
            "hello\n&");
}

}  // namespace
}  // namespace touchstone::test
