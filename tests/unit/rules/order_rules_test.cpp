#include "rules/order_rules.hpp"

#include <gtest/gtest.h>

namespace touchstone {
namespace {

const std::string kHead = "schema = \"touchstone.order/1\"\nid = \"x\"\nversion = \"1\"\ntitle = \"X\"\n";

TEST(OrderRules, AddsUpEveryRuleThatHolds) {
  const auto rules =
      parse_order_rules(kHead +
                            "[[rule]]\nid = \"a\"\nwhy = \"w\"\npaths = [\"**/DCIM/**\"]\npoints = 100\n"
                            "[[rule]]\nid = \"b\"\nwhy = \"w\"\nextensions = [\"jpg\"]\npoints = 20\n"
                            "[[rule]]\nid = \"c\"\nwhy = \"w\"\nallocated = false\npoints = 3\n"
                            "[[rule]]\nid = \"d\"\nwhy = \"w\"\nkinds = [\"slack\"]\npoints = -500\n"
                            "[[rule]]\nid = \"e\"\nwhy = \"w\"\nmin_size = 10\nmax_size = 20\npoints = 7\n",
                        "o.toml");
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ(rules->priority("/x/dcim/1.JPG", "1.JPG", 5, ItemKind::file, true), 120);
  EXPECT_EQ(rules->priority("/x/1.jpg", "1.jpg", 5, ItemKind::file, false), 23);
  EXPECT_EQ(rules->priority("/x/1.jpg", "1.jpg", 0, ItemKind::slack, true), -480);
  EXPECT_EQ(rules->priority("/x", "x", 10, ItemKind::file, true), 7);
  EXPECT_EQ(rules->priority("/x", "x", 21, ItemKind::file, true), 0);
  EXPECT_EQ(rules->priority("/.jpg", ".jpg", 0, ItemKind::file, true), 0) << "a hidden file has no extension";
}

TEST(OrderRules, RefusesWhatCannotHold) {
  EXPECT_FALSE(parse_order_rules(kHead, "o.toml"));
  for (const char* bad : {"extensions = [\".jpg\"]", "extensions = [\"JPG\"]", "kinds = [\"picture\"]",
                          "paths = [\"\"]", "min_size = -1"}) {
    EXPECT_FALSE(
        parse_order_rules(kHead + "[[rule]]\nid = \"a\"\nwhy = \"w\"\npoints = 1\n" + bad + "\n", "o.toml"))
        << bad;
  }
}

TEST(OrderRules, ShippedOnesPutMessagesBeforePicturesBeforeSystemFilesBeforeSlack) {
  const auto rules = load_order_rules(std::string(TOUCHSTONE_SOURCE_DIR) + "/rules");
  ASSERT_TRUE(rules) << rules.error().message;
  const int messages = rules->priority("/data/data/com.whatsapp/databases/msgstore.db", "msgstore.db",
                                       1 << 20, ItemKind::file, true);
  const int photo =
      rules->priority("/data/media/0/DCIM/Camera/1.jpg", "1.jpg", 1 << 20, ItemKind::file, true);
  const int film = rules->priority("/home/x/film.mkv", "film.mkv", 8ULL << 30, ItemKind::file, true);
  const int system = rules->priority("/usr/lib/libc.so", "libc.so", 1 << 20, ItemKind::file, true);
  const int slack = rules->priority("/home/x/a", "a", 100, ItemKind::slack, true);
  EXPECT_GT(messages, photo);
  EXPECT_GT(photo, film);
  EXPECT_GT(film, system);
  EXPECT_GT(system, slack);
}

}  // namespace
}  // namespace touchstone
