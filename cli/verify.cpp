#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "evidence/exhibit_source.hpp"
#include "report/audit.hpp"
#include "report/manifest.hpp"

namespace touchstone::cli {
namespace {

constexpr const char* kHelp =
    "Check an image against its stored hash, or a case folder against its manifest and audit.\n\n"
    "Usage: touchstone verify IMAGE|DIR\n\n"
    "Example: touchstone verify phone.E01\n"
    "Exit codes: 0 all agrees; 3 it does not, or cannot be opened; 1 nothing is stored to compare with.\n";

int verify_folder(const std::string& folder, bool as_json) {
  if (!std::filesystem::exists(folder + "/manifest.sha256") &&
      !std::filesystem::exists(folder + "/case.db")) {
    complain(folder + ": is neither an image nor a case folder: there is nothing to verify it by");
    return kIncomplete;
  }
  if (!std::filesystem::exists(folder + "/manifest.sha256") && std::filesystem::exists(folder + "/case.db")) {
    complain(folder +
             ": its run has not ended, so there is no manifest yet; the same triage command resumes it");
    return kStopped;
  }
  auto differences = verify_manifest(folder);
  auto chain = verify_audit(folder);
  if (!differences || !chain) {
    complain(!differences ? differences.error().message : chain.error().message);
    return kExhibit;
  }
  nlohmann::json lines = nlohmann::json::array();
  for (const auto& each : *differences) lines.push_back(each.message);
  for (const auto& each : *chain) lines.push_back(each);
  if (as_json) {
    fmt::print("{}\n",
               nlohmann::json{{"folder", folder}, {"agrees", lines.empty()}, {"differences", lines}}.dump(
                   2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    for (const auto& line : lines) fmt::print("{}\n", inert(line.get<std::string>()));
    if (lines.empty())
      fmt::print("{}: every file is as the manifest says, and the audit's chain is whole\n", folder);
  }
  return lines.empty() ? kComplete : kExhibit;
}

int verify_file(const std::string& path, bool as_json) {
  auto image = open_exhibit(path);
  if (!image) {
    complain(image.error().message);
    return kExhibit;
  }
  ProgressLine line(as_json);
  const std::uint64_t size = (*image)->size();
  const auto done = verify_image(**image, [&](std::uint64_t bytes) {
    line.show(fmt::format("{} of {}", human_bytes(bytes), human_bytes(size)));
    return true;
  });
  line.end();
  if (!done) {
    complain(done.error().message);
    return kExhibit;
  }
  const ImageInfo& info = (*image)->info();
  const char* verdict = !done->matches   ? "nothing is stored in the image to compare with"
                        : *done->matches ? "the stored hash agrees"
                                         : "THE STORED HASH DIFFERS";
  const bool bad = (done->matches && !*done->matches) || !done->gaps.empty() || !info.problems.empty();
  if (as_json) {
    nlohmann::json gaps = nlohmann::json::array();
    for (const Gap& gap : done->gaps)
      gaps.push_back({{"offset", gap.offset}, {"length", gap.length}, {"reason", gap.reason}});
    nlohmann::json text = {{"path", path},
                           {"format", info.format},
                           {"size", size},
                           {"md5", done->computed.md5},
                           {"sha1", done->computed.sha1},
                           {"sha256", done->computed.sha256},
                           {"stored_md5", info.stored_md5},
                           {"stored_sha1", info.stored_sha1},
                           {"gaps", gaps}};
    text["matches"] = done->matches ? nlohmann::json(*done->matches) : nlohmann::json();
    fmt::print("{}\n", text.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{} ({}, {})\n  md5     {}\n  sha1    {}\n  sha256  {}\n", inert(path), info.format,
               human_bytes(size), done->computed.md5, done->computed.sha1, done->computed.sha256);
    if (!info.stored_md5.empty()) fmt::print("  stored md5   {}\n", info.stored_md5);
    if (!info.stored_sha1.empty()) fmt::print("  stored sha1  {}\n", info.stored_sha1);
    for (const Problem& problem : info.problems) fmt::print("  {}\n", inert(problem.message));
    for (const Gap& gap : done->gaps)
      fmt::print("  {} bytes at {}: {}\n", gap.length, gap.offset, inert(gap.reason));
    fmt::print("{}\n", verdict);
  }
  if (bad) return kExhibit;
  return done->matches ? kComplete : kIncomplete;
}

int body(const std::vector<std::string>& arguments) {
  options::options_description visible("Options");
  visible.add_options()("json", "print as JSON");
  const auto values = parse(arguments, visible, "path", kHelp);
  if (!values) return kComplete;
  if (values->count("path") == 0) throw UsageError("name an image or a case folder");
  const std::string path = (*values)["path"].as<std::vector<std::string>>().front();
  const bool as_json = values->count("json") != 0;
  return std::filesystem::is_directory(path) ? verify_folder(path, as_json) : verify_file(path, as_json);
}

}  // namespace

int run_verify(const std::vector<std::string>& arguments) {
  return guarded(body, arguments);
}

}  // namespace touchstone::cli
