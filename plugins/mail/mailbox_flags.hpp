// What mail programs note of a message outside its own fields: read, deleted, draft. Sources: Mozilla's
// nsMsgMessageFlags (X-Mozilla-Status), the Status fields of mbox, the flags of Maildir names, Apple Mail's
// property list, and the labels in Google's exports.
#pragma once

#include <string>
#include <string_view>

#include "message.hpp"
#include "mime_message.hpp"

namespace touchstone::mail {

/// Fills status, deleted, direction and received, where something says them. `tail`: property list of an
/// .emlx; `path`: escaped.
void add_flags(Message& message, const MimeMessage& mime, std::string_view tail, std::string_view path);

/// "123" of "…/123.partial.emlx".
std::string_view emlx_number(std::string_view path);

}  // namespace touchstone::mail
