#include "content/functions/inflate.hpp"

#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <string>

namespace touchstone::functions {
namespace {

constexpr std::size_t kFirstOutput = 4096;
constexpr int kWindowOfEither = 15 + 32;  // zlib or gzip, as the header says

class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream_, kWindowOfEither) == Z_OK; }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  bool ready() const { return ready_; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace

Decoded inflated(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > kMaxInput) return {};
  Inflater inflater;
  if (!inflater.ready()) return {};
  z_stream& stream = inflater.stream();
  stream.next_in = reinterpret_cast<const Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out(std::clamp(bytes.size() * 4, kFirstOutput, kMaxOutput), '\0');
  for (std::size_t made = 0;;) {
    stream.next_out = reinterpret_cast<Bytef*>(out.data()) + made;
    stream.avail_out = static_cast<uInt>(out.size() - made);
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    made = out.size() - stream.avail_out;
    if (result == Z_STREAM_END) {
      out.resize(made);
      return Decoded::blob(std::move(out));
    }
    if (result != Z_OK || stream.avail_out > 0 || out.size() >= kMaxOutput) return {};
    out.resize(std::min(out.size() * 2, kMaxOutput));
  }
}

}  // namespace touchstone::functions
