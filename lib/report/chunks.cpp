#include "report/chunks.hpp"

#include "report/output.hpp"
#include "report/text.hpp"

namespace touchstone::report {
namespace {

std::string dump(const nlohmann::json& value) {
  return script_safe(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

Status write_script(const std::filesystem::path& folder, const std::string& name, std::uint64_t number,
                    std::string_view payload) {
  OutputFile file(folder / (name + "-" + std::to_string(number) + ".js"));
  file.write("touchstone.register(\"" + name + "\"," + std::to_string(number) + ",");
  file.write(payload);
  file.write(");\n");
  return file.finish();
}

}  // namespace

ChunkWriter::ChunkWriter(std::filesystem::path folder, std::string name, std::size_t max_rows)
    : folder_(std::move(folder)), name_(std::move(name)), max_rows_(max_rows) {}

void ChunkWriter::add(const nlohmann::json& row) {
  if (!status_) return;
  const std::string text = dump(row);
  if (buffered_ == max_rows_ || (buffered_ > 0 && buffer_.size() + text.size() > kMaxBytes)) flush();
  if (buffered_ == 0) starts_.push_back(rows_);
  buffer_ += buffered_ == 0 ? "[" : ",\n";
  buffer_ += text;
  ++buffered_;
  ++rows_;
}

void ChunkWriter::flush() {
  if (buffered_ == 0 || !status_) return;
  buffer_ += ']';
  status_ = write_script(folder_, name_, starts_.size() - 1, buffer_);
  buffer_.clear();
  buffered_ = 0;
}

Status ChunkWriter::finish() {
  flush();
  return status_;
}

nlohmann::json ChunkWriter::index() const {
  return {{"rows", rows_}, {"starts", starts_}};
}

Status write_chunk(const std::filesystem::path& folder, const std::string& name, std::uint64_t number,
                   const nlohmann::json& payload) {
  return write_script(folder, name, number, dump(payload));
}

}  // namespace touchstone::report
