// Notes large pictures: the least that a plugin of use can be.
#include <string>
#include <touchstone/plugin.hpp>

namespace {

constexpr const char* kTypes[] = {"image/*", nullptr};

class MyPlugin final : public touchstone::Plugin {
 public:
  static constexpr touchstone::Manifest kManifest{.name = "my_plugin",
                                                  .version = "1.0",
                                                  .summary = "Notes pictures of more than a million bytes",
                                                  .licence = "Apache-2.0",
                                                  .roles = TS_ROLE_CLASSIFIER,
                                                  .media_types = kTypes,
                                                  .min_size = 1'000'001};

  explicit MyPlugin(touchstone::Setup& setup) { setup.declare_rule("large-picture", "1", "Large picture"); }

  ts_status begin(touchstone::Job& job) override {
    const std::string detail = std::to_string(job.size()) + " bytes of " + std::string(job.media_type());
    job.emit_finding(1000, {.rule = "large-picture",
                            .category = "example",
                            .title = "Large picture",
                            .detail = detail,
                            .position = {},
                            .record_kind = {},
                            .record_key = {}});
    return TS_DONE;
  }
};

}  // namespace

TOUCHSTONE_PLUGIN(MyPlugin)
