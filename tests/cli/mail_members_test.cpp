// Mails whose type libmagic cannot tell, as recovered ones often are: their attachments are items all the
// same.
#include <gtest/gtest.h>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

using Rows = std::vector<std::string>;

// Python's own parser of mails says what is attached.
constexpr const char* kAttached =
    "import email, hashlib, sys\n"
    "m = email.message_from_binary_file(open(sys.argv[1], 'rb'))\n"
    "for p in m.walk():\n"
    "  if p.get_filename(): print(p.get_filename() + '|' + "
    "hashlib.sha256(p.get_payload(decode=True)).hexdigest())";

TEST(MailMembers, OfAMailWithoutAKnownTypeAreItems) {
  if (!have("file") || !have("python3")) GTEST_SKIP() << "file or python3 is not installed";
  const FreshFolder folder;
  std::filesystem::create_directory(folder.path("files"));
  // A zero byte in the text, as bytes of a slack or of a broken mail program leave it.
  std::string mail =
      "X-Sent-By: a program\r\nFrom: a@example.com\r\nTo: b@example.com\r\nSubject: two files\r\n"
      "Date: Fri, 03 May 2024 21:00:00 +0100\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/mixed; boundary=xx\r\n\r\n--xx\r\nContent-Type: text/plain\r\n\r\nsee ";
  mail.append(3, '\0').append(
      "below\r\n--xx\r\nContent-Type: application/octet-stream; name=plan.bin\r\nContent-Disposition: "
      "attachment; "
      "filename=plan.bin\r\nContent-Transfer-Encoding: "
      "base64\r\n\r\nAAECAwQFBgcICQ==\r\n--xx\r\nContent-Type: "
      "text/plain; name=note.txt\r\nContent-Disposition: attachment; filename=note.txt\r\n\r\nmeet at "
      "nine\r\n"
      "--xx--\r\n");
  write_file(folder.path("files/f0000001"), mail);
  const RunResult type = run({"file", "-b", "--mime-type", folder.text("files/f0000001")});
  ASSERT_EQ(type.out, "application/octet-stream\n");
  const RunResult triage = run({program(), "triage", "--quiet", "--without", "explicit", "--out",
                                folder.text("case"), "X/1=" + folder.text("files")});
  EXPECT_EQ(triage.exit_code, 0) << triage.out << triage.error;
  EXPECT_EQ(query(folder.path("case"), "SELECT count(*) FROM message"), Rows{"1"});
  const RunResult attached = run({"python3", "-c", kAttached, folder.text("files/f0000001")});
  std::string found;
  for (const std::string& row :
       query(folder.path("case"),
             "SELECT name || '|' || sha256 FROM item WHERE kind = 'member' AND name LIKE "
             "'%.%' AND parent_id = (SELECT id FROM item WHERE name = 'f0000001') ORDER BY id"))
    found.append(row).append("\n");
  EXPECT_EQ(found, attached.out);
  EXPECT_EQ(query(folder.path("case"), "SELECT count(*) FROM problem"), Rows{"0"});
}

}  // namespace
}  // namespace touchstone::testing
