// Mails that others made. Expected values are what Python's email and mailbox modules read (mail_values.py),
// and the facts that Tika's and IPED's own tests state of their files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "content/content.hpp"
#include "support/file_contents.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

namespace fs = std::filesystem;

const std::string kMails =
    "/apache+tika/tika-parsers/tika-parsers-standard/tika-parsers-standard-modules/tika-parser-mail-module/"
    "src/test/"
    "resources/test-documents/";
const std::string kMicrosoft =
    "/apache+tika/tika-parsers/tika-parsers-standard/tika-parsers-standard-modules/"
    "tika-parser-microsoft-module/src/"
    "test/resources/test-documents/";
const std::string kPrograms = "/simsong+bulk_extractor/tests/Data/MailUserAgents/EMLmessages";
const std::string kMailbox =
    "/sepinf-inc+IPED/iped-parsers/iped-parsers-impl/src/test/resources/test-files/test_mbox.mbox";

std::string read(const fs::path& path) {
  return touchstone::test::contents_of(path);
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> found;
  std::size_t at = 0;
  for (std::size_t next = 0; (next = text.find(by, at)) != std::string::npos; at = next + 1)
    found.push_back(text.substr(at, next - at));
  found.push_back(text.substr(at));
  return found;
}

/// Rows that mail_values.py prints of files.
std::vector<std::vector<std::string>> values_of(const std::vector<std::string>& paths) {
  std::string command =
      "python3 '" + std::string(TOUCHSTONE_SOURCE_DIR) + "/tests/corpus/mail/mail_values.py'";
  for (const std::string& path : paths) command += " '" + path + "'";
  std::string output;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) output += static_cast<char>(c);
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : split(output, '\n'))
    if (!line.empty()) rows.push_back(split(line, '\t'));
  return rows;
}

std::string squeezed(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!space) out += c;
    if (space && !out.empty() && out.back() != ' ') out += ' ';
  }
  return out;
}

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

class MailsOfOthers : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(std::string(TOUCHSTONE_CORPUS_DIR) + "/apache+tika"))
      GTEST_SKIP() << "no corpus: set TOUCHSTONE_CORPUS";
    host_ = PluginHost::load("mail");
    auto typer = MediaTyper::load();
    ASSERT_TRUE(host_ && typer);
    typer_ = typer.take();
  }
  TestItem item(const std::string& bytes, const std::string& path = "/item") const {
    TestItem out;
    out.bytes = bytes;
    out.path = path;
    const auto all = std::as_bytes(std::span(out.bytes));
    out.media_type = typer_->detect(all.first(std::min(all.size(), MediaTyper::kMagicBytes)));
    return out;
  }
  TestItem file(const std::string& path) const {
    TestItem out = item(read(TOUCHSTONE_CORPUS_DIR + path));
    EXPECT_TRUE(host_->matches(out)) << path << " " << out.media_type;
    return out;
  }
  static std::vector<Record> messages(const Outcome& outcome) {
    std::vector<Record> found;
    for (const Record& record : outcome.records)
      if (record.kind == "message") found.push_back(record);
    return found;
  }
  Record message(const std::string& path) const {
    const auto found = messages(host_->examine(file(path)));
    EXPECT_EQ(found.size(), 1U) << path;
    return found.empty() ? Record() : found.front();
  }

  void expect_same(const std::vector<std::string>& row, const TestItem& mail) const {
    const auto found = messages(host_->examine(mail));
    ASSERT_EQ(found.size(), 1U);
    const Record& record = found.front();
    const std::string body = squeezed(text(record, "body"));
    // Python has no letters for bytes that stand in a subject without being encoded.
    if (row[1].find("\uFFFD") == std::string::npos && row[1].find("\\ufffd") == std::string::npos) {
      EXPECT_EQ(body.substr(0, row[1].size()), row[1]);
    }
    EXPECT_EQ(text(record, "sender"), row[2]);
    std::string recipients;
    for (const auto& each : nlohmann::json::parse(text(record, "recipients")))
      recipients += (recipients.empty() ? "" : " ") + each.get<std::string>();
    EXPECT_EQ(recipients, row[3]);
    if (row[4] != "none") {
      EXPECT_EQ(std::to_string(number(record, "sent") / 1'000'000), row[4]);
    }
    const Outcome members = host_->extract(mail);
    for (const std::string& digest : split(row[5], ' ')) {
      const auto same = [&](const auto& each) { return each.second.sha256 == digest; };
      if (digest.empty()) continue;
      EXPECT_TRUE(std::any_of(members.data.begin(), members.data.end(), same)) << digest;
    }
  }

  std::unique_ptr<PluginHost> host_;
  std::unique_ptr<MediaTyper> typer_;
};

TEST_F(MailsOfOthers, FieldsAndFilesAreWhatPythonReads) {
  std::vector<std::string> paths;
  for (const auto& each : fs::directory_iterator(TOUCHSTONE_CORPUS_DIR + kPrograms))
    if (each.path().extension() == ".eml") paths.push_back(each.path().string());
  for (const char* name : {"testRFC822", "testRFC822-ARC", "testRFC822-CC-BCC", "testRFC822-multipart",
                           "testRFC822-mixed-simple", "testRFC822-mixed-with-pdf-inline", "testRFC822_base64",
                           "testRFC822_dkim.eml", "testRFC822_x-.eml", "testRFC822-txt-body"})
    paths.push_back(TOUCHSTONE_CORPUS_DIR + kMails + name);
  const auto rows = values_of(paths);
  ASSERT_EQ(rows.size(), paths.size());
  ASSERT_GT(rows.size(), 30U);
  for (const auto& row : rows) {
    SCOPED_TRACE(row[0]);
    expect_same(row, item(read(row[0])));
  }
}

TEST_F(MailsOfOthers, AMailboxGivesTheMessagesThatPythonFinds) {
  const auto rows = values_of({TOUCHSTONE_CORPUS_DIR + kMailbox});
  ASSERT_EQ(rows.size(), 8U);  // as IPED's test says, too
  const TestItem mailbox = file(kMailbox);
  EXPECT_TRUE(host_->examine(mailbox).records.empty());
  const Outcome listed = host_->list(mailbox), given = host_->extract(mailbox);
  ASSERT_EQ(listed.members.size(), 8U);
  for (std::uint32_t i = 0; i < 8; ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(given.data.at(i).size, listed.members[i].size);
    expect_same(rows[i], item(given.data.at(i).bytes, "/" + listed.members[i].path));
  }
}

TEST_F(MailsOfOthers, WhatTikaStatesOfItsMailsHolds) {
  EXPECT_NE(text(message(kMails + "testRFC822_base64"), "body").find("international characters, voil\u00E0!"),
            std::string::npos);
  const std::string quoted = text(message(kMails + "testRFC822_quoted"), "body");
  EXPECT_NE(quoted.find("D\u00FCsseldorf has non-ascii."), std::string::npos);
  EXPECT_NE(quoted.find("Lines can be split like this."), std::string::npos);
  // "16 May 2016 at 09:30:32 GMT+1" is 2016-05-16T08:30:32Z.
  EXPECT_EQ(number(message(kMails + "testRFC822_date_utf8"), "sent"), 1463387432000000);
  const Record multipart = message(kMails + "testRFC822-multipart");
  EXPECT_NE(text(multipart, "body").find("body 1"), std::string::npos);
  EXPECT_EQ(text(multipart, "body").find("R0lGODlhNgE8AMQAA"), std::string::npos);
  EXPECT_EQ(text(message(kMails + "testRFC822-limitedheaders"), "sender"), "xyz");
}

TEST_F(MailsOfOthers, NamesWithoutAddressesAreParties) {
  const Record record = message(kMails + "testRFC822-big");
  EXPECT_EQ(text(record, "sender"), "Janette Elbertson");
  const auto recipients = nlohmann::json::parse(text(record, "recipients"));
  EXPECT_EQ(recipients.at(0), "Alan Aronowitz");
  EXPECT_EQ(recipients.at(1), "Sandi M Braband");
}

TEST_F(MailsOfOthers, AFormOfTheTextThatIsNotTheBodyIsAMember) {
  const TestItem mail = file(kMails + "testRFC822-mixed-simple");
  EXPECT_NE(text(messages(host_->examine(mail)).front(), "body").find("body 1"), std::string::npos);
  const Outcome members = host_->extract(mail);
  const auto has_second = [](const auto& each) {
    return each.second.bytes.find("body 2") != std::string::npos;
  };
  EXPECT_TRUE(std::any_of(members.data.begin(), members.data.end(), has_second));
}

TEST_F(MailsOfOthers, AppleMailsFilesAreReadToTheLengthTheyState) {
  const Record apple = message(kMicrosoft + "testEMLX.emlx");
  EXPECT_EQ(text(apple, "sender"), "jira@apache.org");
  EXPECT_EQ(text(apple, "body").find("<plist"), std::string::npos);
  EXPECT_EQ(text(apple, "status"), "unread");
}

TEST_F(MailsOfOthers, APageThatABrowserSavedIsNoMessage) {
  const TestItem page = file(
      "/sepinf-inc+IPED/iped-parsers/iped-parsers-impl/src/test/resources/test-files/test_rfc822OddFrom");
  EXPECT_TRUE(host_->examine(page).records.empty());
  EXPECT_FALSE(host_->list(page).members.empty());
}

TEST_F(MailsOfOthers, OtherTextFilesAreNoMails) {
  std::size_t looked_at = 0;
  for (const auto& each : fs::recursive_directory_iterator(TOUCHSTONE_CORPUS_DIR)) {
    const auto ending = each.path().extension();
    if (each.path().filename() == "testMessageNews.txt") continue;  // is one
    if (!each.is_regular_file() ||
        (ending != ".csv" && ending != ".json" && ending != ".xml" && ending != ".plist" &&
         ending != ".txt" && ending != ".log" && ending != ".html" && ending != ".toml"))
      continue;
    if (each.file_size() > (4U << 20U) || each.file_size() < 16) continue;
    ++looked_at;
    const TestItem other = item(read(each.path()));
    if (!host_->matches(other)) continue;
    EXPECT_TRUE(host_->examine(other).records.empty()) << each.path();
  }
  EXPECT_GT(looked_at, 100U);
}

/// What a command prints, without the last line's end.
std::string output_of(const std::string& command) {
  std::string output;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) output += static_cast<char>(c);
  while (output.ends_with('\n')) output.pop_back();
  return output;
}

TEST_F(MailsOfOthers, AnOutlookMessageIsReadWithItsFiles) {
  const TestItem mail = file(kMicrosoft + "testMSG_att_doc.msg");
  const auto found = messages(host_->examine(mail));
  ASSERT_EQ(found.size(), 1U);
  const Outcome listed = host_->list(mail), given = host_->extract(mail);
  ASSERT_EQ(listed.members.size(), 2U);
  for (std::uint32_t i = 0; i < 2; ++i) {
    // 7-Zip reads compound files on its own.
    const std::string path = TOUCHSTONE_CORPUS_DIR + kMicrosoft + "testMSG_att_doc.msg";
    const std::string digest =
        output_of("7z x -so '" + path + "' '__attach_version1.0_#0000000" + std::to_string(i) +
                  "/__substg1.0_37010102' | sha256sum | cut -c1-64");
    EXPECT_EQ(given.data.at(i).sha256, digest) << listed.members[i].path;
  }
}

TEST_F(MailsOfOthers, AnOutlookMessageThatWasCutOffIsStillRead) {
  const Record whole = message(kMicrosoft + "testMSG_att_doc.msg");
  TestItem cut = file(kMicrosoft + "testMSG_att_doc.msg");
  // libmagic follows the chains of sectors and gives up where they leave the file.
  cut.bytes.resize(cut.bytes.size() / 2);
  cut.media_type = "application/x-ole-storage";
  const Outcome outcome = host_->examine(cut);
  ASSERT_EQ(messages(outcome).size(), 1U);
  EXPECT_EQ(text(messages(outcome).front(), "sender"), text(whole, "sender"));
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems.front().kind, "corrupt");
  EXPECT_EQ(host_->list(cut).members.size(), 2U);
}

TEST_F(MailsOfOthers, WhatTikaStatesOfAnOutlookMessageHolds) {
  const Record forwarded = message(kMicrosoft + "testMSG_forwarded.msg");
  EXPECT_EQ(text(forwarded, "conversation"),
            "<C8508767C15DBF40A21693142739EA8D564D18FDA1@EXVMBX018-1.exch018.msoutlookonline.net>");
}

TEST_F(MailsOfOthers, AContactOfOutlookIsNoMessage) {
  const Outcome contact = host_->examine(file(kMicrosoft + "testMSG_Contact.msg"));
  EXPECT_TRUE(contact.records.empty());
  ASSERT_EQ(contact.problems.size(), 1U);
  EXPECT_EQ(contact.problems.front().kind, "unsupported");
}

class DataFiles : public MailsOfOthers {
 protected:
  /// Subjects that pffexport writes of the messages that are in folders, sorted.
  static std::string exported(const std::string& path, const std::string& kind) {
    const std::string folder = testing::TempDir() + "touchstone-pff-" + std::to_string(getpid());
    return output_of("rm -rf '" + folder + "'.*; pffexport -q -m items -t '" + folder + "' '" + path +
                     "' >/dev/null 2>&1; cd '" + folder + ".export' && " + kind + "; rm -rf '" + folder +
                     "'.*");
  }
};

TEST_F(DataFiles, MessagesAreThoseThatPffexportWrites) {
  for (const std::string name : {"testPST.pst", "testPST_variousBodyTypes.pst"}) {
    SCOPED_TRACE(name);
    std::string path = TOUCHSTONE_CORPUS_DIR + kMicrosoft;
    const std::string wanted = exported(
        path.append(name),
        "grep -rahE '^Subject:' --include=OutlookHeaders.txt . | sed 's/^Subject:[[:space:]]*//' | sort");
    std::vector<std::string> subjects;
    for (const Record& record : messages(host_->examine(file(kMicrosoft + name)))) {
      if (number(record, "recovered") != 1) subjects.push_back(split(text(record, "body"), '\n').front());
    }
    std::sort(subjects.begin(), subjects.end());
    EXPECT_EQ(subjects, split(wanted, '\n'));
  }
}

TEST_F(DataFiles, WhatTikaStatesOfTheFirstMessageHolds) {
  const auto found = messages(host_->examine(file(kMicrosoft + "testPST.pst")));
  const auto first = std::find_if(found.begin(), found.end(), [](const Record& each) {
    return text(each, "body").starts_with("Re: Feature Generators\n");
  });
  ASSERT_NE(first, found.end());
  EXPECT_THAT(text(*first, "sender"), testing::EndsWith("@gmail.com"));
  EXPECT_EQ(number(*first, "sent"), 1393401004000000);  // 2014-02-26T07:50:04Z
}

TEST_F(DataFiles, AttachmentsOfNestedMessagesComeOutWhole) {
  const std::string wanted = exported(TOUCHSTONE_CORPUS_DIR + kMicrosoft + "testPST.pst",
                                      "find . -name '*_attachment.docx' -exec sha256sum {} + | cut -c1-64");
  const TestItem store = file(kMicrosoft + "testPST.pst");
  const Outcome listed = host_->list(store), given = host_->extract(store);
  ASSERT_EQ(listed.members.size(), 1U);
  EXPECT_EQ(given.data.at(0).sha256, wanted);
  EXPECT_EQ(given.data.at(0).size, listed.members[0].size);
}

TEST_F(DataFiles, NoRecoveredMessageRepeatsALiveOne) {
  for (const std::string name : {"testPST.pst", "testPST_variousBodyTypes.pst"}) {
    const auto found = messages(host_->examine(file(kMicrosoft + name)));
    for (const Record& recovered : found) {
      if (number(recovered, "recovered") != 1) continue;
      for (const Record& live : found) {
        if (number(live, "recovered") == 1) continue;
        EXPECT_FALSE(number(live, "sent") == number(recovered, "sent") &&
                     text(live, "body") == text(recovered, "body"));
      }
    }
  }
}

}  // namespace
}  // namespace touchstone::test
