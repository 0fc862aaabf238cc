// Puts messages together as people had them: copies of one message that several databases hold are folded
// into the one that is shown, and messages become conversations. Worked out over the whole case database,
// always afresh and from rows alone. One thread. Database failures throw CaseError.
#pragma once

#include "casefile/sqlite.hpp"

namespace touchstone {

/// Sets message.folded_into: the id of the message of which a row is another copy, NULL for those that are
/// shown. A copy is a message of the same exhibit and app in another file (a backup, a snapshot, a carved
/// database) with the same time, direction, sender and text; without a text, also of the same table and row.
/// What one database says twice was said twice. The copy that is shown is live rather than recovered, of an
/// allocated file, and has the smallest locator. Messages without a time are never folded.
void fold_copies(const Database& db);

/// Fills `conversation` and message.conversation. Messages of one thread of one database belong together;
/// so do threads (of the same exhibit, app and account)
/// - that hold copies of the same message,
/// - that have the same identifier (a phone number in any notation), if that is more than a number counted by
/// one
///   database, or
/// - that have the same single other party, if outgoing messages name it (a thread that was deleted and begun
///   again).
/// `gaps` counts the runs of missing rows (findings of category "gap") that lie between two messages of the
/// conversation: what was there may have belonged to another one all the same.
void make_conversations(const Database& db);

}  // namespace touchstone
