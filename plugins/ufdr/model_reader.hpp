// The models of a Cellebrite report, one after the other as the XML streams by: nothing but the model that is
// being read is in memory. Entities that the document declares are refused, depth and text are bounded. One
// thread.
// Form (namespace http://pa.cellebrite.com/report/2.0): <decodedData> has <modelType>, that has <model type
// id deleted_state>, that has <field name><value>, <multiField>, and <modelField> or <multiModelField> with
// further models. <taggedFiles> before it names the files and where they lie in the archive.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace touchstone::ufdr {

/// Elements in each other: real reports have about a dozen.
constexpr int kMaxDepth = 64;
/// Text of one field; longer text is cut.
constexpr std::size_t kMaxText = std::size_t{1} << 20;
/// Text of one model with all below it; messages of a chat are given out in between, so that chats may be
/// longer.
constexpr std::size_t kMaxModel = std::size_t{64} << 20;
/// Files whose places are remembered for attachments, and the bytes of their names.
constexpr std::size_t kMaxFiles = 2'000'000;
constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;

struct Model {
  std::string type, id, deleted_state, file_id;
  std::vector<std::pair<std::string, std::string>> fields;           ///< the first value of each
  std::vector<std::pair<std::string, std::vector<Model>>> children;  ///< by the field they stand in

  /// The field's text; empty if it is not there.
  std::string_view field(std::string_view name) const;
  const std::vector<Model>& list(std::string_view name) const;
};

/// What was left out.
struct ReadNotes {
  std::uint64_t cut_texts = 0, large_models = 0, files_forgotten = 0;
};

class ModelReader {
 public:
  /// `on_model` gets each model that stands in a <modelType>; of a chat with very many messages it may get
  /// the chat in parts, each with the fields known until then.
  explicit ModelReader(std::function<void(const Model&)> on_model);
  ~ModelReader();
  ModelReader(const ModelReader&) = delete;
  ModelReader& operator=(const ModelReader&) = delete;

  /// False: nothing more can be read; error() says why.
  bool feed(std::span<const std::uint8_t> bytes, bool last);
  const std::string& error() const;
  const ReadNotes& notes() const;
  /// Where a file lies in the archive, "/"-separated; empty if it is not known.
  std::string_view local_path(const std::string& file_id) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace touchstone::ufdr
