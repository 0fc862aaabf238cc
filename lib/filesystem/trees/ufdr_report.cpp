#include "filesystem/trees/ufdr_report.hpp"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "filesystem/trees/tree_file_system.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;
constexpr std::size_t kMaxFacts = 200, kMaxFact = 1000;
constexpr int kMaxDepth = 64;

struct ParserDeleter {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using Parser = std::unique_ptr<XML_ParserStruct, ParserDeleter>;

/// "DeviceInfoPhoneModel" and "Phone Model" as device_info_phone_model and phone_model.
std::string fact_name(std::string_view name) {
  std::string out;
  char before = ' ';
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool letter = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (upper && before >= 'a' && before <= 'z') out += '_';
    before = c;
    if (letter) {
      out += upper ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (out.ends_with('_')) out.pop_back();
  return out.substr(0, 60);
}

std::string_view local_name(const char* qualified) {
  const char* colon = std::strrchr(qualified, ':');
  return colon ? colon + 1 : qualified;
}

class Head {
 public:
  Head() : parser_(XML_ParserCreate(nullptr)) {
    if (!parser_) throw std::bad_alloc();
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), on_start, on_end);
    XML_SetCharacterDataHandler(parser_.get(), on_text);
    XML_SetEntityDeclHandler(parser_.get(), on_entity);
  }

  /// False once nothing more is wanted.
  bool feed(std::span<const std::byte> bytes, bool last) {
    if (ended_) return false;
    const XML_Status status = XML_Parse(parser_.get(), reinterpret_cast<const char*>(bytes.data()),
                                        static_cast<int>(bytes.size()), last ? 1 : 0);
    if (status == XML_STATUS_ERROR && !ended_) {
      error_ = fmt::format("report.xml is damaged at line {}: {}", XML_GetCurrentLineNumber(parser_.get()),
                           XML_ErrorString(XML_GetErrorCode(parser_.get())));
      ended_ = true;
    }
    return !ended_;
  }
  const std::string& error() const { return error_; }
  bool complete() const { return ended_ && error_.empty(); }
  std::map<std::string, std::string>& facts() { return facts_; }

 private:
  using Attributes = const XML_Char**;
  static std::string attribute(Attributes attributes, std::string_view name) {
    for (; *attributes; attributes += 2)
      if (local_name(attributes[0]) == name) return attributes[1];
    return {};
  }

  void stop(std::string error) {
    ended_ = true;
    error_ = std::move(error);
    XML_StopParser(parser_.get(), XML_FALSE);
  }

  void keep(std::string name, std::string_view text) {
    while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
    if (name.empty() || text.empty() || facts_.size() >= kMaxFacts) return;
    facts_.emplace(std::move(name), to_valid_utf8(text.substr(0, kMaxFact)));
  }

  void start(const char* qualified, Attributes attributes) {
    const std::string_view name = local_name(qualified);
    if (++depth_ > kMaxDepth) return stop("report.xml: elements lie deeper than 64");
    if (name == "taggedFiles" || name == "decodedData") return stop({});
    text_.clear();
    item_.clear();
    if (name == "project") {
      keep("project_name", attribute(attributes, "name"));
      keep("extraction_type", attribute(attributes, "extractionType"));
      keep("report_version", attribute(attributes, "reportVersion"));
      keep("project_id", attribute(attributes, "id"));
    } else if (name == "extractionInfo") {
      const std::string prefix = fmt::format("extraction_{}_", ++extractions_);
      for (const char* each : {"name", "type", "deviceName", "fullName"})
        keep(prefix + fact_name(each), attribute(attributes, each));
    } else if (name == "metadata") {
      section_ = attribute(attributes, "section");
    } else if (name == "item") {
      item_ = fact_name(attribute(attributes, "name"));
    } else if (name == "field") {
      item_ = "case_" + fact_name(attribute(attributes, "name"));
    }
  }

  void end(const char* qualified) {
    --depth_;
    const std::string_view name = local_name(qualified);
    if ((name == "item" || name == "field") && !item_.empty()) keep(item_, text_);
    item_.clear();
    text_.clear();
  }

  static void on_start(void* self, const XML_Char* name, Attributes attributes) {
    static_cast<Head*>(self)->start(name, attributes);
  }
  static void on_end(void* self, const XML_Char* name) { static_cast<Head*>(self)->end(name); }
  static void on_text(void* self, const XML_Char* text, int size) {
    auto& head = *static_cast<Head*>(self);
    if (!head.item_.empty() && head.text_.size() < kMaxFact * 2)
      head.text_.append(text, static_cast<std::size_t>(size));
  }
  static void on_entity(void* self, const XML_Char*, int, const XML_Char*, int, const XML_Char*,
                        const XML_Char*, const XML_Char*, const XML_Char*) {
    static_cast<Head*>(self)->stop("report.xml declares entities, which no report does: it is not read");
  }

  Parser parser_;
  std::map<std::string, std::string> facts_;
  std::string section_, item_, text_, error_;
  int depth_ = 0, extractions_ = 0;
  bool ended_ = false;
};

std::string first_of(const std::map<std::string, std::string>& facts,
                     std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const auto found = facts.find(name); found != facts.end()) return found->second;
  return {};
}

bool is_report_name(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower == "report.xml";
}

}  // namespace

bool is_ufdr_report(ByteSource& report) {
  std::string head(4096, '\0');
  const auto got = report.read_at(0, std::as_writable_bytes(std::span(head)));
  if (!got) return false;
  head.resize(*got);
  const std::size_t at = head.find("<project");
  return at != std::string::npos && (head.find("pa.cellebrite.com", at) != std::string::npos ||
                                     head.find("extractionType=", at) != std::string::npos);
}

std::map<std::string, std::string> read_ufdr_head(ByteSource& report, std::vector<Problem>& problems) {
  Head head;
  std::vector<std::byte> piece(kPiece);
  std::uint64_t at = 0;
  while (at < kMaxUfdrHead) {
    const auto got = report.read_at(at, piece);
    if (!got || *got == 0) break;
    at += *got;
    if (!head.feed(std::span<const std::byte>(piece).first(*got), false)) break;
  }
  if (!head.error().empty())
    problems.push_back(tree_problem(ProblemKind::corrupt, "", head.error()));
  else if (at >= kMaxUfdrHead && !head.complete())
    problems.push_back(
        tree_problem(ProblemKind::limit, "",
                     fmt::format("the head of report.xml is longer than {} bytes; facts of the device "
                                 "behind them are not listed",
                                 kMaxUfdrHead)));
  return std::move(head.facts());
}

bool describe_ufdr(FileSystem& tree, Volume& volume, std::vector<Problem>& problems) {
  std::string address;
  std::vector<Problem> ignored;  // told when the tree is listed
  const auto look = [&](Entry&& entry) {
    if (entry.has_content && is_report_name(entry.name)) address = entry.address;
    return address.empty();
  };
  if (!tree.list({}, look, ignored) || address.empty()) return false;
  auto report = tree.open(address);
  if (!report || !is_ufdr_report(**report)) return false;
  volume.kind = "UFDR (Cellebrite report)";
  volume.metadata = read_ufdr_head(**report, problems);
  volume.metadata["made_by"] = "Cellebrite";
  volume.label =
      first_of(volume.metadata, {"device_info_phone_device_name", "device_name", "extraction_1_device_name",
                                 "device_info_selected_device_name", "project_name"});
  return true;
}

}  // namespace touchstone
