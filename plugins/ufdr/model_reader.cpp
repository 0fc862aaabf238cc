#include "model_reader.hpp"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace touchstone::ufdr {
namespace {

/// A chat's messages are given out once they are so much text.
constexpr std::size_t kFlush = std::size_t{8} << 20;
/// Names, ids and other attributes.
constexpr std::size_t kMaxAttribute = 4096;

std::string_view local_name(const char* qualified) {
  const char* colon = std::strrchr(qualified, ':');
  return colon ? colon + 1 : qualified;
}

std::string attribute(const XML_Char** attributes, std::string_view name) {
  for (; *attributes; attributes += 2)
    if (local_name(attributes[0]) == name) return std::string(attributes[1]).substr(0, kMaxAttribute);
  return {};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

struct ParserDeleter {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

}  // namespace

std::string_view Model::field(std::string_view name) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const auto& each) { return each.first == name; });
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

const std::vector<Model>& Model::list(std::string_view name) const {
  static const std::vector<Model> none;
  const auto found =
      std::find_if(children.begin(), children.end(), [&](const auto& each) { return each.first == name; });
  return found == children.end() ? none : found->second;
}

struct ModelReader::State {
  // One for each open element that matters: a model, or a field that models or a text stand in.
  struct Frame {
    enum class Kind {
      other,
      model_type,
      model,
      text_field,
      model_field,
      file,
      file_section
    } kind = Kind::other;
    std::string name;
    Model model;
  };

  explicit State(std::function<void(const Model&)> on_model_in)
      : on_model(std::move(on_model_in)), parser(XML_ParserCreate(nullptr)) {
    if (!parser) throw std::bad_alloc();
    XML_SetUserData(parser.get(), this);
    XML_SetElementHandler(parser.get(), on_start, on_end);
    XML_SetCharacterDataHandler(parser.get(), on_text);
    XML_SetEntityDeclHandler(parser.get(), on_entity);
  }

  std::function<void(const Model&)> on_model;
  std::unique_ptr<XML_ParserStruct, ParserDeleter> parser;
  std::vector<Frame> frames;
  std::string error;
  ReadNotes notes;
  std::string text;      ///< of the value that is being read
  bool in_text = false;  ///< a value, or the item of a file that names its place
  std::size_t model_bytes = 0;
  bool too_large = false;
  std::string file_id;
  std::unordered_map<std::string, std::string> places;
  std::size_t place_bytes = 0;

  void stop(std::string why) {
    if (error.empty()) error = std::move(why);
    XML_StopParser(parser.get(), XML_FALSE);
  }

  Frame* innermost(Frame::Kind kind) {
    const auto found =
        std::find_if(frames.rbegin(), frames.rend(), [&](const Frame& f) { return f.kind == kind; });
    return found == frames.rend() ? nullptr : &*found;
  }
  bool in_model_type() { return innermost(Frame::Kind::model_type) != nullptr; }

  void start(std::string_view name, const XML_Char** attributes) {
    if (frames.size() >= kMaxDepth) return stop("elements lie deeper than 64");
    Frame frame;
    if (name == "modelType") {
      frame.kind = Frame::Kind::model_type;
    } else if (name == "model" && in_model_type()) {
      frame.kind = Frame::Kind::model;
      if (!innermost(Frame::Kind::model)) model_bytes = 0, too_large = false;
      frame.model.type = attribute(attributes, "type");
      frame.model.id = attribute(attributes, "id");
      frame.model.deleted_state = attribute(attributes, "deleted_state");
      frame.model.file_id = attribute(attributes, "file_id");
      count(frame.model.id.size() + 200);
    } else if ((name == "field" || name == "multiField") && in_model_type()) {
      frame.kind = Frame::Kind::text_field;
      frame.name = attribute(attributes, "name");
    } else if ((name == "modelField" || name == "multiModelField") && in_model_type()) {
      frame.kind = Frame::Kind::model_field;
      frame.name = attribute(attributes, "name");
    } else if (name == "file" && !in_model_type()) {
      frame.kind = Frame::Kind::file;
      file_id = attribute(attributes, "id");
    } else if (name == "metadata" && innermost(Frame::Kind::file)) {
      frame.kind = Frame::Kind::file_section;
    } else if (name == "item" && innermost(Frame::Kind::file_section)) {
      in_text = attribute(attributes, "name") == "Local Path";
      text.clear();
    } else if (name == "value" && !frames.empty() && frames.back().kind == Frame::Kind::text_field) {
      in_text = true;
      text.clear();
    }
    frames.push_back(std::move(frame));
  }

  void end(std::string_view name) {
    if (frames.empty()) return;
    Frame frame = std::move(frames.back());
    frames.pop_back();
    if (name == "value" && in_text) {
      keep_value();
    } else if (name == "item" && in_text) {
      keep_place();
    } else if (frame.kind == Frame::Kind::model) {
      close_model(std::move(frame.model));
    }
    if (name == "value" || name == "item") in_text = false;
  }

  void keep_value() {
    Frame* model = innermost(Frame::Kind::model);
    const std::string_view value = trimmed(text);
    if (!model || value.empty() || frames.empty() || frames.back().kind != Frame::Kind::text_field) return;
    if (!model->model.field(frames.back().name).empty()) return;
    count(value.size() + 64);
    if (!too_large) model->model.fields.emplace_back(frames.back().name, value);
  }

  void keep_place() {
    std::string place(trimmed(text));
    std::replace(place.begin(), place.end(), '\\', '/');
    if (file_id.empty() || place.empty()) return;
    if (places.size() >= kMaxFiles || place_bytes + place.size() + file_id.size() > kMaxFileBytes) {
      ++notes.files_forgotten;
      return;
    }
    place_bytes += place.size() + file_id.size();
    places.emplace(file_id, std::move(place));
  }

  void close_model(Model&& model) {
    Frame* above = innermost(Frame::Kind::model);
    if (!above) {
      if (too_large) ++notes.large_models;
      on_model(model);
      return;
    }
    if (too_large) return;
    const Frame* field = innermost(Frame::Kind::model_field);
    const std::string name = field ? field->name : std::string();
    auto& children = above->model.children;
    auto found =
        std::find_if(children.begin(), children.end(), [&](const auto& each) { return each.first == name; });
    if (found == children.end()) found = children.insert(children.end(), {name, {}});
    found->second.push_back(std::move(model));
    const bool of_chat = above->model.type == "Chat" && name == "Messages" && is_outermost(*above);
    if (!of_chat || model_bytes < kFlush) return;
    on_model(above->model);
    found->second.clear();
    model_bytes = 0;
  }

  bool is_outermost(const Frame& model) {
    const auto first = std::find_if(frames.begin(), frames.end(),
                                    [](const Frame& f) { return f.kind == Frame::Kind::model; });
    return first != frames.end() && &*first == &model;
  }

  void count(std::size_t bytes) {
    model_bytes += bytes;
    if (model_bytes > kMaxModel) too_large = true;
  }

  void add_text(std::string_view more) {
    if (!in_text || text.size() >= kMaxText) return;
    if (text.size() + more.size() > kMaxText) {
      ++notes.cut_texts;
      std::size_t room = kMaxText - text.size();
      while (room > 0 && (static_cast<unsigned char>(more[room]) & 0xc0U) == 0x80U) --room;
      more = more.substr(0, room);
      text.append(more);
      text.resize(kMaxText, ' ');  // nothing more is taken
      return;
    }
    text.append(more);
  }

  // Exceptions must not pass through Expat: they stop it and are thrown by feed().
  bool out_of_memory = false;
  template <typename Call>
  static void guarded(void* self, Call call) {
    auto& state = *static_cast<State*>(self);
    if (!state.error.empty()) return;
    try {
      call(state);
    } catch (const std::bad_alloc&) {
      state.out_of_memory = true;
      state.stop("out of memory");
    } catch (const std::exception& e) {
      state.stop(e.what());
    }
  }
  static void on_start(void* self, const XML_Char* name, const XML_Char** attributes) {
    guarded(self, [&](State& state) { state.start(local_name(name), attributes); });
  }
  static void on_end(void* self, const XML_Char* name) {
    guarded(self, [&](State& state) { state.end(local_name(name)); });
  }
  static void on_text(void* self, const XML_Char* more, int size) {
    guarded(self, [&](State& state) { state.add_text({more, static_cast<std::size_t>(size)}); });
  }
  static void on_entity(void* self, const XML_Char*, int, const XML_Char*, int, const XML_Char*,
                        const XML_Char*, const XML_Char*, const XML_Char*) {
    guarded(self, [](State& state) { state.stop("it declares entities, which no report does"); });
  }
};

ModelReader::ModelReader(std::function<void(const Model&)> on_model)
    : state_(std::make_unique<State>(std::move(on_model))) {}
ModelReader::~ModelReader() = default;

bool ModelReader::feed(std::span<const std::uint8_t> bytes, bool last) {
  if (!state_->error.empty()) return false;
  const XML_Status status = XML_Parse(state_->parser.get(), reinterpret_cast<const char*>(bytes.data()),
                                      static_cast<int>(bytes.size()), last ? 1 : 0);
  if (state_->out_of_memory) throw std::bad_alloc();
  if (status == XML_STATUS_ERROR && state_->error.empty())
    state_->error = fmt::format("line {}: {}", XML_GetCurrentLineNumber(state_->parser.get()),
                                XML_ErrorString(XML_GetErrorCode(state_->parser.get())));
  return state_->error.empty();
}

const std::string& ModelReader::error() const {
  return state_->error;
}
const ReadNotes& ModelReader::notes() const {
  return state_->notes;
}

std::string_view ModelReader::local_path(const std::string& file_id) const {
  const auto found = state_->places.find(file_id);
  return found == state_->places.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace touchstone::ufdr
