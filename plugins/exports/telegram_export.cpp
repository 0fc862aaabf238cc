#include "telegram_export.hpp"

#include <fmt/format.h>

namespace touchstone::exports {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDepth = 64;
/// Values of one message or contact; no message comes near it.
constexpr std::size_t kMaxValues = 20'000;

}  // namespace

bool TelegramExport::is_one(std::string_view head) {
  const std::size_t start = head.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (start == std::string_view::npos || head[start] != '{') return false;
  if (head.find("\"personal_information\"") != std::string_view::npos) return true;
  const bool is_account = head.find("\"chats\"") != std::string_view::npos;
  const bool is_chat = head.find("\"messages\"") != std::string_view::npos;
  if (!is_account && !is_chat) return false;
  for (const std::string_view type :
       {"personal_chat", "bot_chat", "saved_messages", "private_group", "private_supergroup",
        "private_channel", "public_supergroup", "public_channel", "verification_codes", "replies"})
    if (head.find(fmt::format("\"{}\"", type)) != std::string_view::npos) return true;
  return false;
}

void TelegramExport::read() {
  JobBytes bytes(*job_);
  bytes_ = &bytes;
  json::sax_parse(ByteIterator(bytes), ByteIterator(), this, json::input_format_t::json, false);
  bytes_ = nullptr;
}

/// Where the value that comes next stands.
TelegramExport::Place TelegramExport::place() const {
  const auto is = [this](std::size_t at, std::string_view key) {
    return at < path_.size() && path_[at] == key;
  };
  const bool in_list =
      path_.size() >= 4 && (is(0, "chats") || is(0, "left_chats")) && is(1, "list") && is(2, "");
  const std::size_t chat = in_list ? 3 : 0;
  if (path_.size() == chat + 1) {
    if (!in_list && is(0, "personal_information")) return Place::owner;
    return Place::chat;
  }
  if (path_.size() == chat + 2 && is(chat, "messages") && is(chat + 1, "")) return Place::message;
  if (path_.size() == 3 && is(0, "contacts") && is(1, "list") && is(2, "")) return Place::contact;
  return Place::elsewhere;
}

bool TelegramExport::key(string_t& name) {
  bytes_->note_token();
  if (name.size() > 1000) name.resize(1000);
  if (!building_.empty()) {
    building_key_ = name;
  } else if (!path_.empty()) {
    path_.back() = name;
  }
  return true;
}

/// Puts a value into the object that is kept.
bool TelegramExport::add(json value) {
  if (building_.empty() || ++kept_values_ > kMaxValues) return false;
  json& parent = *building_.back();
  json* added = nullptr;
  if (parent.is_array()) {
    added = &parent.emplace_back(std::move(value));
  } else {
    added = &(parent[building_key_] = std::move(value));
  }
  if (added->is_structured()) building_.push_back(added);
  return true;
}

bool TelegramExport::too_many() {
  job_->emit_problem(
      "limit",
      fmt::format("an object of the export has more than {} values: what follows is not read", kMaxValues));
  return false;
}

bool TelegramExport::value(json value) {
  bytes_->note_token();
  if (!building_.empty()) {
    if (!add(std::move(value))) return too_many();
  } else if (place() == Place::chat && !is_array_.empty()) {
    records_->chat_has(path_.back(), value);
  }
  return !job_->cancelled();
}

bool TelegramExport::begin(json empty) {
  bytes_->note_token();
  if (is_array_.size() >= kMaxDepth) {
    job_->emit_problem("limit", fmt::format("the export is nested deeper than {}", kMaxDepth));
    return false;
  }
  const bool is_array = empty.is_array();
  if (building_.empty()) {
    kept_place_ = is_array ? Place::elsewhere : place();
    if (kept_place_ == Place::owner || kept_place_ == Place::contact || kept_place_ == Place::message) {
      kept_ = std::move(empty);
      kept_values_ = 0;
      building_.push_back(&kept_);
      kept_depth_ = is_array_.size();
    } else if (!is_array && (path_.empty() || path_ == std::vector<std::string>{path_.front(), "list", ""})) {
      records_->begin_chat();
    }
  } else if (!add(std::move(empty))) {
    return too_many();
  }
  is_array_.push_back(is_array);
  if (building_.empty()) path_.emplace_back();
  return true;
}

bool TelegramExport::end() {
  bytes_->note_token();
  is_array_.pop_back();
  if (building_.empty()) {
    path_.pop_back();
    return !job_->cancelled();
  }
  building_.pop_back();
  if (is_array_.size() == kept_depth_) hand_on();
  return !job_->cancelled();
}

void TelegramExport::hand_on() {
  building_.clear();
  if (kept_place_ == Place::owner) records_->owner(kept_);
  if (kept_place_ == Place::contact) records_->contact(kept_);
  if (kept_place_ == Place::message) records_->message(kept_);
  kept_ = nullptr;
}

bool TelegramExport::parse_error(std::size_t position, const std::string&, const json::exception&) {
  if (bytes_->token_too_long()) {
    job_->emit_problem("limit",
                       fmt::format("a text of the export is longer than {} MiB: what follows is not read",
                                   JobBytes::kMaxToken >> 20U));
  } else {
    job_->emit_problem(
        "corrupt", fmt::format("the export is no JSON from byte {} on: what follows is not read", position));
  }
  return false;
}

}  // namespace touchstone::exports
