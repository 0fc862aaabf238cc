// Thumbnail stores of phones that nothing but their names tells: Android's .thumbdata files begin with an
// empty slot, iOS's .ithmb with pixels. What has a signature is read by the plugin archives.
#include <string_view>
#include <touchstone/plugin.hpp>

#include "picture_caches.hpp"

namespace {

constexpr const char* kNames[] = {"**/.thumbdata*", "**/*.ithmb", nullptr};

class Thumbnails final : public touchstone::Plugin {
 public:
  static constexpr touchstone::Manifest kManifest{
      .name = "thumbnails",
      .version = "1.0",
      .summary = "Lists the pictures in thumbnail stores of Android and iOS",
      .licence = "Apache-2.0",
      .roles = TS_ROLE_EXTRACTOR,
      .scope = TS_SCOPE_ITEM,
      .inputs = TS_INPUT_MEMBERS,
      .name_globs = kNames,
      .min_size = 16};

  explicit Thumbnails(touchstone::Setup&) {}

  ts_status list(touchstone::Job& job) override {
    auto cache = read(job);
    if (cache.pictures.empty()) {
      cache.problems.emplace_back(
          "unsupported", "no JPEG in it: pixels without a header (RGB565, YUV) are not made into pictures");
    }
    return list_pictures(job, cache);
  }
  ts_status extract(touchstone::Job& job, std::uint32_t first, std::uint32_t count) override {
    return extract_pictures(job, read(job), first, count);
  }

 private:
  /// A store whose slots were damaged may still hold whole pictures.
  static touchstone::archives::PictureCache read(const touchstone::Job& job) {
    auto slots = touchstone::archives::read_thumbdata(job);
    return slots.pictures.empty() ? touchstone::archives::carve_jpegs(job) : slots;
  }
};

}  // namespace

TOUCHSTONE_PLUGIN(Thumbnails)
