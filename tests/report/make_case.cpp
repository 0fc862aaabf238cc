// Makes an output folder with an invented case: case.db, previews.db, and expected.json with what was put in,
// for the test of the page to compare with. The schema is that of lib/casefile; the rows are written here,
// without the code under test.
//   make_case DIR [--items N] [--messages N] [--leads N]
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>

#include "casefile/sqlite.hpp"

namespace {

using nlohmann::json;
using touchstone::Database;

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMay2024 = 1'714'770'000 * kSecond;  // 2024-05-03 21:00 UTC

struct Sizes {
  int items = 4000, messages = 3000, leads = 160;
};

/// Texts that a page, a spreadsheet or a terminal might take for more than text.
const std::vector<std::string>& hostile() {
  static const std::vector<std::string> texts = {
      "<script>document.title='owned'</script>marker-script",
      "<img src=x onerror=\"document.title='owned'\">marker-image",
      "</script><script src=\"https://example.com/x.js\"></script>marker-close",
      "\"><svg onload=alert(1)>marker-svg",
      "=HYPERLINK(\"https://example.com\",\"marker-formula\")",
      "@SUM(1+1)*cmd|' /C calc'!A0 marker-at",
      "holiday\u202Egpj.exe marker-rtl",
      "bell\u0007and\u0001start marker-control",
      "line\u2028separator\u2029 marker-separator",
      "javascript:alert('marker-url')",
      "{{constructor.constructor('alert(1)')()}} marker-template",
      "emoji \U0001F44B\U0001F3FD and \u05E9\u05DC\u05D5\u05DD marker-hebrew",
      std::string(3000, 'W') + " marker-long"};
  return texts;
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string fake_digest(int seed, int bytes) {
  std::string out;
  std::uint32_t state = static_cast<std::uint32_t>(seed) * 2654435761U + 12345U;
  for (int i = 0; i < bytes; ++i) {
    state = state * 1664525U + 1013904223U;
    out += static_cast<char>(state >> 24);
  }
  return out;
}

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

class Maker {
 public:
  Maker(const std::filesystem::path& dir, Sizes sizes)
      : sizes_(sizes),
        db_((dir / "case.db").string(), Database::Mode::create),
        previews_((dir / "previews.db").string(), Database::Mode::create) {
    const std::filesystem::path schema = std::filesystem::path(TOUCHSTONE_SOURCE_DIR) / "lib" / "casefile";
    db_.execute(read_text(schema / "schema.sql"));
    previews_.execute(read_text(schema / "previews.sql"));
  }

  json make() {
    db_.execute("BEGIN");
    previews_.execute("BEGIN");
    exhibits();
    items();
    pictures();
    messages();
    leads();
    diary();
    rest();
    // As a finished case has them.
    db_.execute(
        "CREATE INDEX item_content ON item_row(content_id); CREATE INDEX item_name ON item_row(exhibit_id, "
        "name); CREATE INDEX picture_content ON picture_row(content_id); CREATE INDEX message_key ON "
        "message(key); CREATE INDEX message_folded ON message(folded_into) WHERE folded_into IS NOT NULL; "
        "CREATE INDEX message_conversation ON message(conversation, sent); CREATE INDEX finding_key ON "
        "finding(key); CREATE INDEX finding_item ON finding(item_id); CREATE INDEX finding_content ON "
        "finding(content_id)");
    db_.execute("COMMIT");
    previews_.execute("COMMIT");
    expected_["hostile"] = hostile();
    return expected_;
  }

 private:
  void exhibits() {
    db_.execute(R"(
      INSERT INTO exhibit VALUES(1,'ABC/1','suspect','/cases/example/phone one''s.E01','ewf',64023257088,
        '5d41402abc4b2a76b9719d911017c592',NULL,NULL,'5d41402abc4b2a76b9719d911017c592',NULL,1,
        '{"acquisition_date":"2024-05-09T10:12:00Z","case_number":"EXAMPLE/24","examiner":"A. Examiner","notes":"<b>seized</b>"}');
      INSERT INTO exhibit VALUES(2,'ABC/2','unknown','/cases/example/laptop.dd','raw',250059350016,NULL,NULL,
        'aa11',NULL,NULL,NULL,NULL);
      INSERT INTO volume(id,exhibit_id,slot,offset,size,kind,filesystem,label,state,reason) VALUES
        (1,1,'p0',0,64023257088,'no partition table','ext4','userdata','read',NULL),
        (2,2,'p1',1048576,104857600,'EFI System','fat32','EFI','read',NULL),
        (3,2,'p2',105906176,200000000000,'Basic data partition','ntfs','Windows','read',NULL),
        (4,2,'p3',200105906176,49000000000,'Linux filesystem','btrfs',NULL,'unsupported',
          'btrfs is recognised but nothing here reads it'),
        (5,2,'p4',249105906176,900000000,'Basic data partition','bitlocker',NULL,'encrypted','BitLocker, needs a key');)");
  }

  void content(int id, const std::string& type, int places) {
    db_.prepare(
           "INSERT INTO content(id,sha256,size,media_type,md5,sha1,state,places) "
           "VALUES(?1,?2,?3,?4,?5,?6,'examined',?7)")
        .bind(1, id)
        .bind_blob(2, fake_digest(id, 32))
        .bind(3, 1000 + id * 37)
        .bind(4, type)
        .bind_blob(5, fake_digest(id + 7, 16))
        .bind_blob(6, fake_digest(id + 9, 20))
        .bind(7, places)
        .run();
  }

  void item(int id, int exhibit, int volume, const std::string& path, const std::string& name,
            const std::string& kind, bool allocated, const std::string& state, const char* reason) {
    const std::string ref = exhibit == 1 ? "ABC/1" : "ABC/2";
    const std::string slot = volume == 1 ? "p0" : volume == 2 ? "p1" : "p2";
    db_.prepare(
           "INSERT INTO "
           "item_row(id,locator,exhibit_id,volume_id,content_id,path,name,kind,allocated,size,created,"
           "modified,"
           "accessed,time_basis,state,reason) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)")
        .bind(1, id)
        .bind(2, fmt::format("{}:{}{};{}", ref, slot, path,
                             volume == 3 ? fmt::format("{}-128-1", id) : std::to_string(id)))
        .bind(3, exhibit)
        .bind(4, volume)
        .bind(5, id)
        .bind(6, path)
        .bind(7, name)
        .bind(8, kind)
        .bind(9, allocated ? 1 : 0)
        .bind(10, 1000 + id * 37)
        .bind(11, kMay2024 - id * 3600 * kSecond)
        .bind(12, kMay2024 - id * 1800 * kSecond)
        .bind(13, kMay2024)
        .bind(14, exhibit == 1 ? "utc" : "assumed")
        .bind(15, state)
        .bind(16, reason ? touchstone::Value(std::string(reason)) : touchstone::Value())
        .run();
    ++states_[ref][state];
  }

  /// A name as it stands in a locator: all but plain letters as %XX, which is more than the rule asks for.
  static std::string escaped(const std::string& name) {
    std::string out;
    for (const char c : name) {
      const bool plain =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
      out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
  }

  void items() {
    const char* folders[] = {"DCIM/Camera", "Download", "WhatsApp/Media", "Documents",
                             "Pictures/Screenshots"};
    int id = 1;
    // 1: the messages' database; 2-: the hostile names.
    content(1, "application/vnd.sqlite3", 1);
    item(1, 1, 1, "/data/com.whatsapp/databases/msgstore.db", "msgstore.db", "file", true, "examined",
         nullptr);
    for (const auto& name : hostile()) {
      ++id;
      const std::string shorter = name.substr(0, 250);
      content(id, "text/plain", 1);
      item(id, 1, 1, "/sdcard/Download/" + escaped(shorter), name, "file", true, "examined", nullptr);
    }
    for (++id; id <= sizes_.items; ++id) {
      const bool picture = id % 3 == 0;
      const bool phone = id % 5 != 0;
      const bool deleted = id % 11 == 0;
      const char* state = id % 97 == 0    ? "failed"
                          : id % 89 == 0  ? "partly_examined"
                          : id % 151 == 0 ? "encrypted"
                          : id % 499 == 0 ? "timed_out"
                                          : "examined";
      const char* reason = std::string_view(state) == "failed" ? "the archive is damaged at byte 4096"
                           : std::string_view(state) == "partly_examined"
                               ? "plugin documents ended by signal 11 twice"
                           : std::string_view(state) == "encrypted" ? "zip with a password"
                           : std::string_view(state) == "timed_out" ? "more than 120 s of CPU time"
                                                                    : nullptr;
      content(id, picture ? "image/jpeg" : "text/plain", id % 13 == 0 ? 12 : 1);
      const std::string name =
          picture ? fmt::format("IMG_20240503_{:06}.jpg", id) : fmt::format("note {:05}.txt", id);
      const int volume = phone ? 1 : 3;
      item(id, phone ? 1 : 2, volume, fmt::format("/sdcard/{}/{}", folders[id % 5], name), name, "file",
           !deleted, state, reason);
    }
    expected_["states"] = states_;
  }

  std::string jpeg(const cv::Mat& image, int quality) {
    std::vector<unsigned char> bytes;
    cv::imencode(".jpg", image, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
    return {bytes.begin(), bytes.end()};
  }

  void preview(int id) {
    cv::Mat image(384, 512, CV_8UC3, cv::Scalar(200 - id % 90, 170, 120 + id % 100));
    cv::rectangle(image, {0, 250}, {512, 384}, cv::Scalar(70, 120 + id % 60, 80), cv::FILLED);
    cv::circle(image, {100 + id % 300, 90}, 45, cv::Scalar(90, 210, 250), cv::FILLED);
    cv::rectangle(image, {150 + id % 100, 170}, {330 + id % 100, 300}, cv::Scalar(90, 90, 170), cv::FILLED);
    cv::putText(image, fmt::format("picture {}", id), {20, 360}, cv::FONT_HERSHEY_SIMPLEX, 1,
                cv::Scalar(255, 255, 255), 2);
    cv::Mat grey, blurred;
    cv::cvtColor(image, grey, cv::COLOR_BGR2GRAY);
    cv::resize(grey, blurred, {32, 24}, 0, 0, cv::INTER_AREA);
    cv::GaussianBlur(blurred, blurred, {7, 7}, 0);
    previews_.prepare("INSERT INTO preview VALUES(?1,512,384,?2,?3)")
        .bind(1, hex(fake_digest(id, 32)))
        .bind_blob(2, jpeg(blurred, 70))
        .bind_blob(3, jpeg(image, 85))
        .run();
  }

  void pictures() {
    int count = 0;
    for (int id = 15; id <= sizes_.items; ++id) {
      if (id % 3 != 0) continue;
      const bool gps = id % 4 == 0;
      db_.prepare(
             "INSERT INTO picture_row(content_id,width,height,taken,time_basis,camera,latitude,longitude) "
             "VALUES(?1,4032,3024,?2,'assumed',?3,?4,?5)")
          .bind(1, id)
          .bind(2, kMay2024 + id * 60 * kSecond)
          .bind(3, id % 2 ? "Example Phone 9" : "")
          .bind(4, gps ? touchstone::Value(50.905 + id * 1e-5) : touchstone::Value())
          .bind(5, gps ? touchstone::Value(-1.404) : touchstone::Value())
          .run();
      ++count;
      if (count <= 150) preview(id);
    }
    expected_["pictures"] = count;
  }

  void message(int id, int chat, std::int64_t sent, const std::string& direction, const std::string& body) {
    const bool out = direction == "out";
    db_.prepare(
           "INSERT INTO "
           "message(id,key,item_id,app,account,conversation,sent,time_basis,direction,sender,recipients,body,"
           "deleted,"
           "edited,recovered,source_table,source_row,plugin) "
           "VALUES(?1,?2,1,'whatsapp','+447700900123',?3,?4,'utc',?5,?6,?7,?8,?9,?10,?11,"
           "'message',?12,'appdata')")
        .bind(1, id)
        .bind(2, fmt::format("ABC/1:p0/data/msgstore.db;1|whatsapp|message|{:07}", id))
        .bind(3, fmt::format("44770090{:04}@s.whatsapp.net", 200 + chat))
        .bind(4, sent)
        .bind(5, direction)
        .bind(6, out ? "+447700900123" : fmt::format("+44770090{:04}", 200 + chat))
        .bind(7, out ? fmt::format("[\"+44770090{:04}\"]", 200 + chat) : std::string("[\"+447700900123\"]"))
        .bind(8, body)
        .bind(9, id % 41 == 0 ? 1 : 0)
        .bind(10, id % 67 == 0 ? 1 : 0)
        .bind(11, id % 83 == 0 ? 1 : 0)
        .bind(12, std::to_string(id + 100))
        .run();
  }

  void messages() {
    const char* lines[] = {"are you coming later?",
                           "yes about 9",
                           "bring the charger please",
                           "ok",
                           "did you get home alright",
                           "I told you not to tell anyone about this",
                           "please stop messaging me",
                           "running late, sorry",
                           "delete that when you've read it",
                           "See you tomorrow at the usual place. The bus gets in at ten past."};
    const int chats = 4;
    int id = 0;
    for (int chat = 0; chat < chats; ++chat) {
      const int n = chat == 0 ? sizes_.messages * 7 / 10 : sizes_.messages / 10;
      for (int i = 0; i < n; ++i) {
        ++id;
        std::string body = lines[(id * 7 + chat) % 10];
        if (chat == 1 && i < static_cast<int>(hostile().size()))
          body = hostile()[static_cast<std::size_t>(i)];
        if (chat == 0 && i == n / 2) body = "the needle in the middle";
        message(id, chat,
                kMay2024 - static_cast<std::int64_t>(chat) * 86'400 * kSecond +
                    static_cast<std::int64_t>(i) * 300 * kSecond,
                i % 3 == 1    ? "out"
                : i % 50 == 7 ? "unknown"
                              : "in",
                body);
        if (i == n / 2) needle_[chat] = id;
      }
      db_.prepare(
             "INSERT INTO conversation(id,key,app,account,title,participants,first,last,messages,gaps) VALUES"
             "(?1,?2,'whatsapp','+447700900123',?3,?4,0,0,?5,?6)")
          .bind(1, chat + 1)
          .bind(2, fmt::format("44770090{:04}@s.whatsapp.net", 200 + chat))
          .bind(3, chat == 1   ? hostile()[0]
                   : chat == 0 ? "Sam Example"
                               : fmt::format("Group {}", chat))
          .bind(4, fmt::format("[\"+447700900123\",\"+44770090{:04}\"]", 200 + chat))
          .bind(5, n)
          .bind(6, chat == 0 ? 2 : 0)
          .run();
    }
    expected_["messages"] = id;
    expected_["copies"] = 1;
    // Rows are missing before the fourth message, and the fifth stands in a backup as well.
    db_.execute("INSERT INTO message_gap VALUES(4, 3)");
    db_.execute(
        "INSERT INTO message(key,item_id,app,account,conversation,sent,time_basis,direction,sender,body,"
        "folded_into,source_table,source_row,plugin) SELECT "
        "'copy',2,app,account,conversation,sent,time_basis,"
        "direction,sender,body,id,source_table,source_row,plugin FROM message WHERE id = 5");
    // One attachment that is there, one that is not.
    db_.execute(
        fmt::format("INSERT INTO attachment(message_id,ordinal,item_id,name,media_type,found,key) VALUES"
                    "(2,1,18,'IMG_20240503_000018.jpg','image/jpeg',1,'a1'),(3,1,NULL,'VID-gone "
                    "<b>.mp4','video/mp4',0,'a2'),"
                    "({0},1,21,'IMG.jpg','image/jpeg',1,'a3')",
                    needle_[0]));
  }

  void lead(const std::string& key, const std::string& kind, int subject, int item, const std::string& lane,
            int score, const std::string& title, const json& reasons) {
    const char* band = score >= 700 ? "critical" : score >= 400 ? "high" : score >= 200 ? "medium" : "low";
    db_.prepare(
           "INSERT INTO lead(key,subject_kind,subject_id,item_id,lane,band,score,reasons,title,places) "
           "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")
        .bind(1, key)
        .bind(2, kind)
        .bind(3, subject)
        .bind(4, item)
        .bind(5, lane)
        .bind(6, band)
        .bind(7, score)
        .bind(8, reasons.dump())
        .bind(9, title)
        .bind(10, item % 13 == 0 ? 12 : 1)
        .run();
    order_.push_back({lane, -score, key});
  }

  void leads() {
    lead("lead|001", "message", needle_[0], 1, "towards", 870,
         "A message 40 minutes after the alleged time asks for it to be kept quiet",
         json::array({{{"rule", "keywords/keep-quiet"},
                       {"points", 420},
                       {"text", "Words that ask for silence are present"},
                       {"finding", "f|39"}},
                      {{"rule", "context/window"},
                       {"points", 300},
                       {"text", "It was sent within an alleged window, night of 3 May"}},
                      {{"rule", "context/parties"},
                       {"points", 150},
                       {"text", "It is between two people named in the case"}}}));
    lead("lead|002", "conversation", 1, 1, "towards", 640, "Sam Example: 9 messages around the alleged time",
         json::array({{{"rule", "conversation/burst"},
                       {"points", 640},
                       {"text", "Messages were deleted within an hour of the alleged window"}}}));
    lead("lead|003", "item", 2, 2, "towards", 610, hostile()[0],
         json::array({{{"rule", "hashes/notable"}, {"points", 610}, {"text", hostile()[1]}}}));
    lead("lead|004", "content", 39, 39, "towards", 590,
         "A picture taken within an alleged window, at the place",
         json::array({{{"rule", "context/place"},
                       {"points", 700},
                       {"text", "Its position is 60 m from the place named in the case"}},
                      {{"rule", "cap"}, {"points", -110}, {"text", "Points over the limit of this rule"}}}));
    lead(
        "lead|005", "message", 5, 1, "away", 520,
        "A message that places the owner of the device elsewhere at the alleged time",
        json::array({{{"rule", "away/presence"},
                      {"points", 520},
                      {"text", "It names a place 40 km from the place in the case, in an alleged window"}}}));
    for (int i = 6; i <= sizes_.leads; ++i) {
      const int item = 15 + (i * 3) % std::max(20, sizes_.items - 20);
      const int score = 580 - (i * 577) % 560;
      lead(fmt::format("lead|{:03}", i), "content", item, item, i % 7 == 0 ? "away" : "towards", score,
           item % 3 == 0 ? "A picture taken on the day"
                         : "Words of the theme \"coercion\" are present in a document",
           json::array({{{"rule", "context/day"},
                         {"points", score - score / 3},
                         {"text", "Made within 24 hours of an alleged window"}},
                        {{"rule", "keywords/coercion"},
                         {"points", score / 3},
                         {"text", "Words that press somebody are present"}}}));
    }
    std::sort(order_.begin(), order_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.score, a.key) < std::tie(b.score, b.key);
    });
    for (const auto& one : order_) expected_["leads"][one.lane].push_back(one.key);
  }

  void diary() {
    auto note = db_.prepare(
        "INSERT INTO note(key,item_id,app,folder,title,body,modified,time_basis,deleted,recovered) "
        "VALUES(?1,1,'notes',?2,?2,?2,?3,'utc',?4,0)");
    int number = 0;
    for (const auto& text : hostile()) {
      note.bind(1, fmt::format("note|{}", number)).bind(2, text).bind(3, kMay2024 + number * kSecond);
      note.bind(4, number++ == 0).run();
    }
    db_.execute(fmt::format(
        "INSERT INTO "
        "event(key,item_id,app,calendar,title,starts,ends,time_basis,place,organiser,participants,"
        "notes,repeats) VALUES('event|1',1,'whatsapp','Home','Diary marker-entry',{0},{1},'assumed','The "
        "flat',"
        "'447700900200','[\"447700900202\",\"k@example.com\"]','bring the key','FREQ=WEEKLY')",
        kMay2024 - 60 * kSecond, kMay2024));
    expected_["diary"] = number + 1;
  }

  void rest() {
    db_.execute(R"(
      INSERT INTO finding(content_id,plugin,plugin_version,rule,category,confidence,title,key) VALUES
        (39,'pictures','0.1.0','exif/gps','place',900,'Position in the picture','f|39'),
        (2,'hashes','0.1.0','notable.csv','notable',1000,'On a list','f|2');
      INSERT INTO search(exhibit_id,plugin,rule,rule_version,title,ran_over,hits,not_run,reasons) VALUES
        (1,'keywords','coercion','1','Words that press somebody',3900,41,3,'{"encrypted":3}'),
        (1,'keywords','threat-to-share','1','Words about sharing intimate images',3900,0,3,'{"encrypted":3}'),
        (1,'hashes','notable.csv','2024-05-01','Files on the notable list',4000,1,0,NULL),
        (2,'hashes','notable.csv','2024-05-01','Files on the notable list',800,0,0,NULL),
        (1,'appdata','whatsapp','1','WhatsApp for Android',2,0,0,NULL),
        (2,'appdata','whatsapp','1','WhatsApp for Android',0,0,0,NULL),
        (2,'keywords','coercion','1','Words that press somebody',0,0,2,'{"failed":2}');
      INSERT INTO person(key,name,role,identifiers) VALUES
        ('person|C1','A. Complainant','complainant','["447700900200"]'),
        ('person|W1','B. Witness','witness','["447700900202"]');
      INSERT INTO contact(key,item_id,app,name,identifiers) VALUES
        ('contact|1',1,'whatsapp','Sam (work)','[{"kind":"phone","value":"07700 900200"}]');
      INSERT INTO problem(key,item_id,exhibit_id,plugin,kind,message) VALUES
        ('p1',NULL,NULL,'explicit','model_missing','opennsfw2.onnx is not installed'),
        ('p2',89,1,'documents','crash','ended by signal 11 <b>twice</b>'),
        ('p3',97,1,'archives','corrupt','the archive is damaged at byte 4096');
      INSERT INTO run(started,finished,version,command,operator,settings,fingerprint,components,complete) VALUES
        (1715250000000000,1715251860000000,'0.1.0','touchstone triage --case case.toml --out out','R. Reviewer',
        '{"reference":"EXAMPLE/24","title":"An invented case","time_zone":"Europe/London","previews":"leads","jobs":2}',
        'f00dfeed','{"sqlite":"3.40.1","tsk":"4.11.1","sandbox":{"seccomp":true,"landlock":true},"kernel":"6.1"}',1);
      INSERT INTO plugin(name,version,summary,licence,roles,scope,sha256,state) VALUES
        ('hashes','0.1.0','Hash sets: known and notable files','Apache-2.0','classifier','content',
         'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855','loaded'),
        ('explicit','0.1.0','Ranks pictures by a model','Apache-2.0','classifier','content',
         'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad','not run'),
        ('appdata','0.1.0','Messages of known apps','Apache-2.0','extractor','content',
         '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae','loaded');
      INSERT INTO rule_file(path,sha256,kind,id,version,title) VALUES
        ('rules/keywords/coercion.toml','2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae','keywords','coercion','1','Coercion');
      INSERT INTO out_of_scope(exhibit_id,volume_slot,rule,items) VALUES(2,'p2','path',120),(2,'p2','path',5);)");
  }

  struct Order {
    std::string lane;
    int score;
    std::string key;
  };
  Sizes sizes_;
  Database db_, previews_;
  json expected_ = json::object();
  std::map<std::string, std::map<std::string, int>> states_;
  std::map<int, int> needle_;
  std::vector<Order> order_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "make_case DIR [--items N] [--messages N] [--leads N]\n";
    return 2;
  }
  Sizes sizes;
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    int* size = name == "--items"      ? &sizes.items
                : name == "--messages" ? &sizes.messages
                : name == "--leads"    ? &sizes.leads
                                       : nullptr;
    if (size) *size = std::atoi(argv[i + 1]);
  }
  const std::filesystem::path dir = argv[1];
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  std::ofstream(dir / "expected.json") << Maker(dir, sizes).make().dump(1) << "\n";
  return 0;
}
