#include "report/previews.hpp"

#include "report/chunks.hpp"

namespace touchstone::report {
namespace {

bool is_jpeg(std::string_view bytes) {
  return bytes.starts_with("\xFF\xD8\xFF");
}

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = (group << 8) | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j <= bytes.size() ? kAlphabet[(group >> (18 - 6 * j)) & 63] : '=';
    }
  }
  return out;
}

Previews::Previews(const std::filesystem::path& database, std::filesystem::path data_folder)
    : folder_(std::move(data_folder)) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(database, ignored)) return;
  db_ = Database(database.string(), Database::Mode::read_only);
  select_.emplace(db_.prepare("SELECT width, height, blurred, clear FROM preview WHERE sha256 = ?1"));
}

nlohmann::json Previews::find(const std::string& sha256) {
  if (!select_ || sha256.empty()) return nullptr;
  select_->reset();
  select_->bind(1, sha256);
  if (!select_->step()) return nullptr;
  const std::string blurred = select_->blob(2);
  const std::string clear = select_->blob(3);
  if (!is_jpeg(blurred) || !is_jpeg(clear)) return nullptr;
  const auto [place, is_new] = numbers_.try_emplace(sha256, numbers_.size());
  if (is_new && status_) status_ = write_chunk(folder_, "clear", place->second, base64(clear));
  return {{"blur", base64(blurred)},
          {"clear", place->second},
          {"w", select_->integer(0)},
          {"h", select_->integer(1)}};
}

}  // namespace touchstone::report
