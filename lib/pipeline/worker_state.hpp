// What the parts of a worker share: opened exhibits and file systems, the plugin session, and the gathering
// of one unit's result. Internal to lib/pipeline.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "evidence/exhibit_source.hpp"
#include "filesystem/filesystem.hpp"
#include "filesystem/free_space.hpp"
#include "filesystem/time_zone.hpp"
#include "pipeline/place.hpp"
#include "pipeline/scope_gate.hpp"
#include "pipeline/worker.hpp"
#include "rules/order_rules.hpp"

namespace touchstone {

/// Containers inside containers go no deeper.
inline constexpr int kMaxContainerDepth = 12;
/// A member is held in memory up to this size; beyond it only its digests are taken.
inline constexpr std::uint64_t kMaxMemberInMemory = 256ULL << 20;
/// Members of a group together.
inline constexpr std::uint64_t kGroupBytes = 64ULL << 20;
inline constexpr int kGroupMembers = 256;

/// An item that is itself an image.
struct NestedImage {
  std::unique_ptr<ExhibitSource> source;
  std::map<std::string, std::unique_ptr<FileSystem>> file_systems;  ///< by slot
};

struct OpenExhibit {
  std::string ref;
  VolumeOptions volume_options;
  std::unique_ptr<ExhibitSource> source;
  std::size_t problems_at_opening = 0;  ///< further ones of its info() came while it was read
  std::string error;
  std::unique_ptr<ScopeGate> gate;
  std::optional<TimeZone> time_zone;
  std::map<std::string, std::unique_ptr<FileSystem>> file_systems;  ///< by slot
  std::map<std::string, NestedImage> nested;                        ///< by locator of the item
};

/// Gathers the result of a unit and sends it in pieces of bounded size.
class UnitOutput {
 public:
  using Emit = std::function<void(wire::Result&)>;
  UnitOutput(std::uint64_t unit, const Emit& emit) : emit_(emit) { result_.set_unit(unit); }
  wire::Result& result() { return result_; }
  /// To be called after each addition of `bytes`: sends what can be sent early (rows of items, new items).
  void grew(std::size_t bytes);
  void finish();

 private:
  const Emit& emit_;
  wire::Result result_;
  std::size_t bytes_ = 0;
};

/// Turns what plugins give of one item of a unit into rows.
class ItemSink final : public ResultSink {
 public:
  ItemSink(UnitOutput& output, std::uint32_t index, std::string locator)
      : output_(output), index_(index), locator_(std::move(locator)) {}
  void record(Record&& record, const std::string& plugin) override;
  void finding(Finding&& finding, bool of_content) override;
  void problem(const std::string& plugin, ProblemKind kind, std::string_view message,
               bool of_content) override;
  /// Keys of problems of a content are made from its digest, known only after it was read.
  void set_content(const std::string& sha256);
  /// What is found of the content holds for this item alone; where `window` is given, its place on the volume
  /// is added.
  void keep_to_place(const RunMap* window) { of_place_ = true, window_ = window; }

 private:
  bool of_place_ = false;
  const RunMap* window_ = nullptr;
  UnitOutput& output_;
  std::uint32_t index_;
  std::string locator_;
  std::vector<int> content_problems_;
  std::map<std::string, int> seen_;
};

struct PulledMember;

struct Worker::State {
  Watch* watch = nullptr;
  std::function<std::string(const wire::Config&)> before_units;
  wire::Config config;
  std::vector<PluginFile> plugin_files;
  std::unique_ptr<PluginSession> session;
  std::unique_ptr<MediaTyper> typer;
  Hasher hasher;
  OrderRules order;
  std::shared_ptr<const std::vector<AppDefinition>> apps;
  std::unique_ptr<CaseFile> case_file;
  std::vector<OpenExhibit> exhibits;
  std::unordered_set<std::string> analysed;  ///< SHA-256 of contents whose content-scope results were given

  /// Digests of the last window that held but one byte value: free space is full of those, all of one size.
  std::pair<std::pair<std::byte, std::uint64_t>, Digests> uniform;

  // The container opened last: its bytes are asked for again by the next group.
  std::string container_locator;
  std::unique_ptr<Content> container;

  // The directory looked into last, for neighbours.
  std::string neighbour_directory;
  std::map<std::string, Entry, std::less<>> neighbours;

  Result<FileSystem*> file_system(const wire::Place& place);
  /// The image that the place's volume lies on: the exhibit, or an item of it.
  Result<ExhibitSource*> image_of(const wire::Place& place);
  /// Lets go of images inside images when many are open. Between units only.
  void forget_nested();
  /// Whether the bytes of an item are an image with something on it that is read or recognised.
  bool is_image(const wire::Place& place, Content& content);
  /// The unit that lists the volumes of this item comes after it.
  void follow_image(const wire::Unit& unit, const wire::Place& place, wire::Examined& examined);
  /// The bytes a place names, through all its containers.
  Result<std::unique_ptr<ByteSource>> open(const wire::Place& place, UnitOutput& output);
  std::unique_ptr<ByteSource> neighbour(const wire::Place& place,
                                        const google::protobuf::RepeatedPtrField<std::string>& ancestors,
                                        std::string_view relative);

  void list_volumes_of(const wire::Unit& unit, UnitOutput& output);
  void verify(const wire::Unit& unit, UnitOutput& output);
  void list_directory(const wire::Unit& unit, UnitOutput& output);
  void add_directory_damage(const wire::Unit& unit, FileSystem& files, UnitOutput& output);
  void examine_item(const wire::Unit& unit, UnitOutput& output);
  /// Digests alone, for bytes that are not worth or not fit to be examined; false: go on and examine them.
  bool examine_quickly(const wire::Place& place, std::uint32_t index, Content& content,
                       const std::vector<ByteRange>& overwritten, bool window, UnitOutput& output);
  void examine_members(const wire::Unit& unit, UnitOutput& output);
  /// `why`: what the reader said of its damage, if it said something.
  void examine_member(const wire::Unit& unit, int index, PulledMember member, const std::string& why,
                      UnitOutput& output);
  void make_preview_of(const wire::Unit& unit, UnitOutput& output);
  /// Reads and examines bytes that are open; lists members when they are a container.
  void examine(const wire::Unit& unit, const wire::Place& place, std::uint32_t index,
               std::unique_ptr<ByteSource> source, UnitOutput& output);
  /// True if the reader named members or said why it could not: then no other one is asked.
  bool announce_members(const wire::Unit& unit, const wire::Place& place, int reader, const ItemContext& item,
                        Content& content, const RunMap* window, ItemSink& sink, UnitOutput& output,
                        Examination& examination);
  ItemContext context(const wire::Unit& unit, const wire::Place& place);
  void add_kin(const wire::Unit& unit, ItemContext& item, UnitOutput& output);
  void add_problem(UnitOutput& output, const wire::Unit& unit, const Problem& problem, bool of_exhibit);
};

/// Unreadable and doubtful ranges of an item, for the table `damage`.
void add_damage(UnitOutput& output, std::uint32_t index, const std::vector<Gap>& gaps);
/// Size, digests and type of what was read.
void set_content(wire::Examined& examined, const Content& content);
/// A failed item: state and reason from an error.
void set_failed(wire::Examined& examined, const Error& error);
ProblemKind problem_kind(ErrorCode code);
void set_problem(wire::Problem& out, std::uint32_t index, std::string_view key, std::string_view plugin,
                 ProblemKind kind, std::string_view message);

}  // namespace touchstone
