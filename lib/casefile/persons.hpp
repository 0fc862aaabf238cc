// The same person across apps: identifiers of the case file and of address books are put together. Worked out
// over the whole case database, always afresh. One thread. Database failures throw CaseError.
#pragma once

#include "casefile/sqlite.hpp"

namespace touchstone {

/// Rewrites `person`: those of the case file (rows with a role) get the identifiers that address books add to
/// theirs, named in `linked` with the reason and the contact; everybody else whom an address book names is a
/// person of their own, without a role. Two entries are one person
/// - if they share a phone number, e-mail address, or handle of the same app; but not by one that two entries
/// of
///   one address book give different names (a shared line);
/// - if they have the same full name: in an address book of another app on the same exhibit, or in the case
/// file.
///   A full name has two words or more of two letters or more, and stands for one person only in either
///   place.
/// Entries that would make two persons of the case file one are left apart.
void link_persons(const Database& db);

}  // namespace touchstone
