// The decoders of `mail` over any bytes; the first byte chooses. What comes out is bounded by what went in.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "plugins/mail/html_text.hpp"
#include "plugins/mail/mail_form.hpp"
#include "plugins/mail/mime_message.hpp"
#include "plugins/mail/outlook_items.hpp"
#include "plugins/mail/rtf_text.hpp"
#include "support/plugin_host.hpp"

extern "C" const ts_plugin_v1* touchstone_plugin_v1();

namespace touchstone::mail {
// libpff is not linked here.
bool walk_personal_store(const Job& /*job*/, const OutlookVisitor& /*visitor*/) {
  return false;
}
}  // namespace touchstone::mail

namespace {

using namespace touchstone::mail;

void split(std::string_view bytes) {
  MboxSplitter splitter;
  // In two pieces: a message may not depend on where they end.
  splitter.feed(bytes.substr(0, bytes.size() / 2));
  splitter.feed(bytes.substr(bytes.size() / 2));
  std::uint64_t end = 0;
  for (const MboxEntry& entry : splitter.finish()) {
    if (entry.offset < end || entry.offset + entry.length > bytes.size()) std::abort();
    end = entry.offset + entry.length;
  }
}

void read_mail(std::string_view bytes) {
  GByteArray* array = g_byte_array_new();
  g_byte_array_append(array, reinterpret_cast<const guint8*>(bytes.data()), static_cast<guint>(bytes.size()));
  const auto mime = MimeMessage::parse(array);
  if (!mime) return;
  mime->read();
  for (const auto& part : mime->parts()) {
    bool is_whole = true;
    if (part.path.empty() || part.path.front() == '/') std::abort();
    mime->decode(part, is_whole);
  }
}

void whole_plugin(std::string_view bytes) {
  using namespace touchstone::test;
  static const auto host = PluginHost::of(touchstone_plugin_v1());
  TestItem item;
  item.bytes = bytes;
  item.media_type = "application/vnd.ms-outlook";
  host->examine(item);
  if (host->list(item).members.size() < host->extract(item).data.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = [] {
    g_mime_init();
    return true;
  }();
  if (!ready || size == 0 || size > (1U << 20U)) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      html_text(bytes);
      break;
    case 1:
      split(bytes);
      break;
    case 2:
      read_mail(bytes);
      break;
    case 3:
      rtf_text(bytes, 1U << 20U);
      break;
    case 4:
      if (const auto out = unpack_rtf(bytes, 1U << 20U); out && out->size() > (1U << 20U)) std::abort();
      break;
    case 5:
      whole_plugin(bytes);
      break;
    default:
      form_of(bytes, "text/plain");
      emlx_extent(bytes);
  }
  return 0;
}
