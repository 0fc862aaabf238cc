// From objects of a Telegram Desktop export to records. Numbers become what they are numbers of ("user1",
// "chat2"), since both stand in one column. Times: UTC where date_unixtime is there (since 2021), before what
// the clock of the exporting computer showed. Whom a message is from says from_id; it is outgoing if that is
// the owner. One thread; borrows the job.
#pragma once

#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <unordered_set>
#include <vector>

namespace touchstone::exports {

class TelegramRecords {
 public:
  explicit TelegramRecords(Job& job) : job_(&job) {}
  void begin_chat() { chat_ = {}; }
  /// A property of the chat whose messages follow: name, type, id.
  void chat_has(const std::string& key, const nlohmann::json& value);
  void owner(const nlohmann::json& person);
  void contact(const nlohmann::json& person);
  void message(const nlohmann::json& message);
  /// Problems about all of the export.
  void tell();

 private:
  struct Chat {
    std::string id, type, name;
    bool is_with_one() const { return type == "personal_chat" || type == "bot_chat"; }
    bool is_own() const { return type == "saved_messages"; }
  };
  struct Fields;
  std::string conversation() const;
  std::string direction_of(const std::string& sender) const;
  void add_times(Fields& fields, const nlohmann::json& message, std::string_view column);
  void call(const nlohmann::json& message, const std::string& row);
  void attachment(const nlohmann::json& message, const std::string& row, const std::string& key);
  void location(const nlohmann::json& message, const std::string& row);
  void note_name(const std::string& id, const std::string& name);

  Job* job_;
  Chat chat_;
  std::string owner_;  ///< "user1"; empty in the export of one chat
  std::unordered_set<std::string> named_;
  std::uint64_t contacts_ = 0, others_ = 0, without_time_ = 0;
};

}  // namespace touchstone::exports
