// result.json of Telegram Desktop ("Export Telegram data", "Export chat history"): finds the owner, the
// contacts and each chat's messages in the stream and hands them on one at a time, so that an export of any
// size takes the memory of its longest message. Layout: what the program writes since 2019, all of the
// account
// ({personal_information, contacts, chats, left_chats}) or one chat ({name, type, id, messages}). One thread;
// borrows all it is given.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <vector>

#include "job_bytes.hpp"
#include "telegram_records.hpp"

namespace touchstone::exports {

class TelegramExport final : public nlohmann::json_sax<nlohmann::json> {
 public:
  /// Whether the first bytes of a file are of one.
  static bool is_one(std::string_view head);

  TelegramExport(Job& job, TelegramRecords& records) : job_(&job), records_(&records) {}
  void read();

  bool null() override { return value(nullptr); }
  bool boolean(bool flag) override { return value(flag); }
  bool number_integer(number_integer_t number) override { return value(number); }
  bool number_unsigned(number_unsigned_t number) override { return value(number); }
  bool number_float(number_float_t number, const string_t&) override { return value(number); }
  bool string(string_t& text) override { return value(std::move(text)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return begin(nlohmann::json::object()); }
  bool key(string_t& name) override;
  bool end_object() override { return end(); }
  bool start_array(std::size_t) override { return begin(nlohmann::json::array()); }
  bool end_array() override { return end(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override;

 private:
  enum class Place { elsewhere, chat, owner, contact, message };
  Place place() const;
  bool value(nlohmann::json value);
  bool begin(nlohmann::json empty);
  bool end();
  bool add(nlohmann::json value);
  bool too_many();
  void hand_on();

  Job* job_;
  TelegramRecords* records_;
  JobBytes* bytes_ = nullptr;
  std::vector<std::string> path_;          ///< keys that lead here; elements of arrays have the empty one
  std::vector<bool> is_array_;             ///< of the containers that are open
  std::vector<nlohmann::json*> building_;  ///< open containers of the object that is kept
  std::string building_key_;
  nlohmann::json kept_;
  std::size_t kept_values_ = 0;
  std::size_t kept_depth_ = 0;
  Place kept_place_ = Place::elsewhere;
};

}  // namespace touchstone::exports
