// From models of a Cellebrite report to records. Each says that another tool parsed it: its app is "ufdr:"
// and the source that the report names, and where a record has a status it ends in "as parsed by Cellebrite".
// One thread; borrows the reader for its life and the job from use() on.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <vector>

#include "model_reader.hpp"
#include "values.hpp"

namespace touchstone::ufdr {

class RecordMaker {
 public:
  explicit RecordMaker(const ModelReader& reader) : reader_(&reader) {}
  /// The job of the call that is going on: it is valid only during that.
  void use(Job& job) { job_ = &job; }
  void take(const Model& model);
  /// Problems about all of the report.
  void tell();

 private:
  struct Fields;
  struct Parties;
  void chat(const Model& model);
  void message(const Model& model, const Model* chat, const Parties& participants);
  void text_message(const Model& model);
  void email(const Model& model);
  void call(const Model& model);
  void contact(const Model& model);
  void account(const Model& model);
  void location(const Model& model);
  void visit(const Model& model, std::string_view kind);
  void attachments(const Model& model, const std::string& message_key);
  std::string emit(std::string_view kind, const Model& model, std::string_view source, Fields& fields);
  void add_time(Fields& fields, std::string_view column, std::string_view text);

  Job* job_ = nullptr;
  const ModelReader* reader_;
  std::map<std::string, std::uint64_t> not_taken_;  ///< by type
  std::uint64_t bad_times_ = 0;
};

}  // namespace touchstone::ufdr
