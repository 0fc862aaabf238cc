-- The public tables of the case database (docs/case-database.md). Names and meanings are an interface: add, never
-- rename. Times: microseconds since 1970-01-01 UTC. Booleans 0/1. Confidence and scores 0-1000.
PRAGMA application_id = 1414746699;  -- "TSTK"
PRAGMA user_version = 5;

CREATE TABLE exhibit(id INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, role TEXT NOT NULL, path TEXT NOT NULL, format TEXT,
  size INTEGER, md5 TEXT, sha1 TEXT, sha256 TEXT, stored_md5 TEXT, stored_sha1 TEXT, verified INTEGER, metadata TEXT) STRICT;

CREATE TABLE volume(id INTEGER PRIMARY KEY, exhibit_id INTEGER NOT NULL, parent_id INTEGER, slot TEXT NOT NULL, offset INTEGER,
  size INTEGER, kind TEXT, filesystem TEXT, label TEXT, state TEXT NOT NULL, reason TEXT, unit_id INTEGER) STRICT;

CREATE TABLE content(id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, media_type TEXT,
  md5 BLOB, sha1 BLOB, state TEXT, reason TEXT, places INTEGER NOT NULL DEFAULT 0, unit_id INTEGER) STRICT;
  -- state, unit_id: of the unit that analysed it

CREATE TABLE item_row(id INTEGER PRIMARY KEY, locator TEXT NOT NULL, exhibit_id INTEGER NOT NULL, volume_id INTEGER,
  parent_id INTEGER, content_id INTEGER, path TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, allocated INTEGER NOT NULL,
  size INTEGER NOT NULL, created INTEGER, modified INTEGER, accessed INTEGER, changed INTEGER, time_basis TEXT,
  state TEXT NOT NULL, reason TEXT, detail TEXT, unit_id INTEGER) STRICT;

CREATE VIEW item AS SELECT i.id, i.locator, i.exhibit_id, i.volume_id, i.parent_id, i.content_id, i.path, i.name, i.kind,
  i.allocated, i.size, i.created, i.modified, i.accessed, i.changed, i.time_basis, c.media_type, lower(hex(c.md5)) AS md5,
  lower(hex(c.sha1)) AS sha1, lower(hex(c.sha256)) AS sha256, i.state, i.reason, i.detail
  FROM item_row i LEFT JOIN content c ON c.id = i.content_id;

CREATE TABLE message(id INTEGER PRIMARY KEY, key TEXT NOT NULL, item_id INTEGER NOT NULL, app TEXT, account TEXT, conversation TEXT,
  sent INTEGER, received INTEGER, time_basis TEXT, direction TEXT, sender TEXT, recipients TEXT, body TEXT,
  attachment_item_id INTEGER, status TEXT, deleted INTEGER, edited INTEGER, recovered INTEGER, source_table TEXT, source_row TEXT,
  thread TEXT, folded_into INTEGER, unit_id INTEGER, plugin TEXT) STRICT;
  -- conversation: key of the conversation; thread: as the app names it; folded_into: the message of which this is a copy
-- Rows that are missing from the table just before a message, where the row before the gap is of the same conversation.
CREATE TABLE message_gap(message_id INTEGER PRIMARY KEY, missing INTEGER NOT NULL) STRICT;
CREATE TABLE attachment(id INTEGER PRIMARY KEY, message_id INTEGER, ordinal INTEGER, item_id INTEGER, name TEXT, media_type TEXT,
  found INTEGER, key TEXT NOT NULL, message_key TEXT, path TEXT, source_item_id INTEGER, unit_id INTEGER, plugin TEXT) STRICT;
  -- item_id: the file itself where it was found; source_item_id: the database that names it
CREATE TABLE conversation(id INTEGER PRIMARY KEY, key TEXT NOT NULL, app TEXT, account TEXT, title TEXT, participants TEXT,
  first INTEGER, last INTEGER, messages INTEGER, gaps INTEGER) STRICT;
CREATE TABLE call(id INTEGER PRIMARY KEY, key TEXT NOT NULL, item_id INTEGER, app TEXT, account TEXT, started INTEGER, time_basis TEXT,
  duration_s INTEGER, direction TEXT, party TEXT, status TEXT, deleted INTEGER, recovered INTEGER, source_table TEXT,
  source_row TEXT, unit_id INTEGER, plugin TEXT) STRICT;
CREATE TABLE contact(id INTEGER PRIMARY KEY, key TEXT NOT NULL, item_id INTEGER, app TEXT, name TEXT, identifiers TEXT,
  recovered INTEGER, source_table TEXT, source_row TEXT, unit_id INTEGER, plugin TEXT) STRICT;
CREATE TABLE account(id INTEGER PRIMARY KEY, key TEXT NOT NULL, item_id INTEGER, app TEXT, identifier TEXT, name TEXT,
  recovered INTEGER, source_table TEXT, source_row TEXT, unit_id INTEGER, plugin TEXT) STRICT;
CREATE TABLE person(id INTEGER PRIMARY KEY, key TEXT NOT NULL, name TEXT, role TEXT, identifiers TEXT, names TEXT,
  linked TEXT) STRICT;  -- role: NULL for those whom only address books name; linked: identifiers that address books added
CREATE TABLE location(id INTEGER PRIMARY KEY, key TEXT NOT NULL, item_id INTEGER, taken INTEGER, time_basis TEXT, latitude REAL,
  longitude REAL, accuracy_m REAL, source TEXT, recovered INTEGER, source_table TEXT, source_row TEXT, unit_id INTEGER, plugin TEXT) STRICT;
CREATE TABLE visit(id INTEGER PRIMARY KEY, key TEXT NOT NULL, item_id INTEGER, app TEXT, visited INTEGER, time_basis TEXT, url TEXT,
  title TEXT, kind TEXT, recovered INTEGER, source_table TEXT, source_row TEXT, unit_id INTEGER, plugin TEXT) STRICT;
-- Entries of calendars: participants without the owner; repeats: the rule as stored, with the times of the first entry.
CREATE TABLE event(id INTEGER PRIMARY KEY, key TEXT NOT NULL, item_id INTEGER, app TEXT, account TEXT, calendar TEXT, title TEXT,
  starts INTEGER, ends INTEGER, all_day INTEGER, time_basis TEXT, place TEXT, organiser TEXT, participants TEXT, notes TEXT,
  repeats TEXT, created INTEGER, modified INTEGER, status TEXT, deleted INTEGER, recovered INTEGER, source_table TEXT,
  source_row TEXT, unit_id INTEGER, plugin TEXT) STRICT;
CREATE TABLE note(id INTEGER PRIMARY KEY, key TEXT NOT NULL, item_id INTEGER, app TEXT, account TEXT, folder TEXT, title TEXT,
  body TEXT, created INTEGER, modified INTEGER, time_basis TEXT, locked INTEGER, status TEXT, deleted INTEGER, recovered INTEGER,
  source_table TEXT, source_row TEXT, unit_id INTEGER, plugin TEXT) STRICT;  -- locked: by a password, so that the body is not read

-- One row a content; the public views show one row for each item of it.
CREATE TABLE picture_row(id INTEGER PRIMARY KEY, content_id INTEGER NOT NULL, width INTEGER, height INTEGER, taken INTEGER,
  time_basis TEXT, camera TEXT, latitude REAL, longitude REAL, pdq TEXT, pdq_quality INTEGER, plugin TEXT) STRICT;
CREATE TABLE video_row(id INTEGER PRIMARY KEY, content_id INTEGER NOT NULL, width INTEGER, height INTEGER, duration_s REAL,
  taken INTEGER, time_basis TEXT, camera TEXT, plugin TEXT) STRICT;
CREATE TABLE document_row(id INTEGER PRIMARY KEY, content_id INTEGER NOT NULL, title TEXT, author TEXT, language TEXT,
  characters INTEGER, plugin TEXT) STRICT;
CREATE VIEW picture AS SELECT i.id, 'picture|' || i.locator AS key, i.id AS item_id, p.width, p.height, p.taken, p.time_basis, p.camera,
  p.latitude, p.longitude, p.pdq, p.pdq_quality FROM picture_row p JOIN item_row i ON i.content_id = p.content_id;
CREATE VIEW video AS SELECT i.id, 'video|' || i.locator AS key, i.id AS item_id, v.width, v.height, v.duration_s, v.taken, v.time_basis,
  v.camera FROM video_row v JOIN item_row i ON i.content_id = v.content_id;
CREATE VIEW document AS SELECT i.id, 'document|' || i.locator AS key, i.id AS item_id, d.title, d.author, d.language, d.characters
  FROM document_row d JOIN item_row i ON i.content_id = d.content_id;

CREATE TABLE finding(id INTEGER PRIMARY KEY, content_id INTEGER, item_id INTEGER, record_kind TEXT, record_id INTEGER, plugin TEXT NOT NULL,
  plugin_version TEXT, rule TEXT NOT NULL, category TEXT, confidence INTEGER, title TEXT, detail TEXT, position TEXT,
  key TEXT NOT NULL, record_key TEXT, unit_id INTEGER) STRICT;
CREATE TABLE lead(id INTEGER PRIMARY KEY, key TEXT NOT NULL, subject_kind TEXT NOT NULL, subject_id INTEGER, item_id INTEGER, lane TEXT NOT NULL,
  band TEXT NOT NULL, score INTEGER NOT NULL, reasons TEXT NOT NULL, title TEXT, places INTEGER) STRICT;
CREATE TABLE search(id INTEGER PRIMARY KEY, exhibit_id INTEGER, plugin TEXT NOT NULL, rule TEXT NOT NULL, rule_version TEXT, title TEXT,
  ran_over INTEGER, hits INTEGER, not_run INTEGER, reasons TEXT) STRICT;
CREATE TABLE problem(id INTEGER PRIMARY KEY, key TEXT NOT NULL, item_id INTEGER, exhibit_id INTEGER, plugin TEXT, kind TEXT NOT NULL,
  message TEXT, content_id INTEGER, unit_id INTEGER) STRICT;
-- Ranges that could not be read or do not fit their checksum. item_id NULL: a range of the exhibit, as reading all of it found
-- it; else the part of one that lies in an item, at item_offset. offset: on the exhibit; NULL: not known (in a tree, in a packed file).
CREATE TABLE damage(id INTEGER PRIMARY KEY, exhibit_id INTEGER NOT NULL, item_id INTEGER, offset INTEGER, length INTEGER NOT NULL,
  item_offset INTEGER, reason TEXT NOT NULL, unit_id INTEGER) STRICT;
-- One row for each damaged range of an exhibit and each item that has bytes in it; item_id NULL: no item has.
CREATE VIEW damaged_item AS SELECT r.exhibit_id, r.offset AS range_offset, r.length AS range_length, r.reason, i.item_id, i.item_offset,
  i.offset, i.length FROM damage r LEFT JOIN damage i ON i.exhibit_id = r.exhibit_id AND i.item_id IS NOT NULL
  AND i.offset < r.offset + r.length AND r.offset < i.offset + i.length WHERE r.item_id IS NULL;
CREATE TABLE decision(id INTEGER PRIMARY KEY, subject_key TEXT NOT NULL, decision TEXT NOT NULL, note TEXT, who TEXT, at INTEGER) STRICT;
CREATE TABLE run(id INTEGER PRIMARY KEY, started INTEGER NOT NULL, finished INTEGER, version TEXT, command TEXT, operator TEXT, settings TEXT,
  fingerprint TEXT, components TEXT, complete INTEGER) STRICT;
CREATE TABLE plugin(name TEXT PRIMARY KEY, version TEXT, summary TEXT, licence TEXT, roles TEXT, scope TEXT, sha256 TEXT, path TEXT,
  state TEXT, reason TEXT) STRICT;
CREATE TABLE rule_file(path TEXT PRIMARY KEY, sha256 TEXT NOT NULL, kind TEXT, id TEXT, version TEXT, title TEXT) STRICT;

-- What was left out by the scope of an exhibit: counts only, never a name.
CREATE TABLE out_of_scope(id INTEGER PRIMARY KEY, exhibit_id INTEGER NOT NULL, volume_slot TEXT, rule TEXT NOT NULL, items INTEGER NOT NULL,
  unit_id INTEGER) STRICT;
-- CPU time and calls per stage and plugin, for --stats; apart from results.
CREATE TABLE timing(run_id INTEGER NOT NULL, stage TEXT NOT NULL, calls INTEGER NOT NULL, cpu_us INTEGER NOT NULL, bytes INTEGER NOT NULL,
  PRIMARY KEY(run_id, stage)) STRICT;

-- The coordinator's own book. Resume = the units that are not 'done'.
CREATE TABLE unit(id INTEGER PRIMARY KEY, exhibit_id INTEGER NOT NULL, kind INTEGER NOT NULL, level INTEGER NOT NULL,
  priority INTEGER NOT NULL, state INTEGER NOT NULL, item_id INTEGER, charges TEXT, spec BLOB NOT NULL) STRICT;
  -- state: 0 pending, 1 held (a container's members, until its level is reached), 2 done; charges: {"plugin": attempts}
CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT) STRICT;
-- Rules declared by plugins, and over how many items of each exhibit each plugin ran: what the table `search` is made of.
CREATE TABLE declared_rule(plugin TEXT NOT NULL, rule TEXT NOT NULL, version TEXT, title TEXT, PRIMARY KEY(plugin, rule)) STRICT;
CREATE TABLE plugin_run(exhibit_id INTEGER NOT NULL, plugin TEXT NOT NULL, ran INTEGER NOT NULL, not_run INTEGER NOT NULL,
  PRIMARY KEY(exhibit_id, plugin)) STRICT;
