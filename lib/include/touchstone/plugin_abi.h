/* The boundary between Touchstone and its plugins: plain C11, so that any compiler and language can meet it.
 *
 * A plugin is a shared object NAME.tsp that exports one function,
 *     const ts_plugin_v1* touchstone_plugin_v1(void);
 * returning a static table. The host gives it a table of services. Both tables only ever grow at their ends:
 * a member exists if `struct_size` covers it. A plugin is refused when abi_major differs, or when its
 * abi_minor is larger than the host's.
 *
 * Calls, in order:
 * - touchstone_plugin_v1(): after loading. Returns a static table; does not allocate, log or read files.
 * - create(): once a worker, before the sandbox closes. Loads rules, sets, models; does not touch evidence or
 *   start threads.
 * - begin(), data(), text(), records(), finish(): for each item that the matcher accepts; begin first, finish
 *   last, data, text and records each in order. Poll cancelled() in long loops; keep no pointer after the
 *   return; write no file, open no socket, start no thread or process.
 * - list(), extract(): containers only (TS_ROLE_EXTRACTOR with TS_INPUT_MEMBERS); ask the host before bytes
 * are unpacked, and unpack nothing that it refused.
 * - provide(): when a facet is asked for. Emits it, or returns TS_UNSUPPORTED.
 * - destroy(): at the worker's end.
 *
 * All calls come from one thread. Strings are UTF-8 without terminator; they and all pointers given to the
 * host or the plugin are valid during the call only. A plugin never lets an exception out. A call that runs
 * beyond its CPU deadline or memory, or that crashes, ends the worker; after two such ends the (item, plugin)
 * pair is left out and recorded. All times are microseconds since 1970-01-01 UTC.
 */
#ifndef TOUCHSTONE_PLUGIN_ABI_H
#define TOUCHSTONE_PLUGIN_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TS_ABI_MAJOR 1
#define TS_ABI_MINOR 3

typedef struct ts_str {
  const char* data;
  size_t size;
} ts_str;

typedef struct ts_bytes {
  const uint8_t* data;
  size_t size;
} ts_bytes;

/* What a call came to. Anything but TS_OK and TS_DONE becomes a problem of the item, with the text given to
 * ts_host_v1.fail() if it was called. Stored nowhere; never renumber all the same. */
typedef enum ts_status {
  TS_OK = 0,
  TS_DONE = 1,        /* fine, and no more input of this item is wanted */
  TS_UNSUPPORTED = 2, /* recognised, but this variant is not read */
  TS_CORRUPT = 3,
  TS_ENCRYPTED = 4,
  TS_LIMIT = 5,         /* a bound was reached; the result is partial */
  TS_MODEL_MISSING = 6, /* create() only: the plugin stays away from this run, which says so */
  TS_MEMORY = 7,
  TS_ERROR = 8,
  TS_UNKNOWN_SCHEMA = 9
} ts_status;

typedef enum ts_role { TS_ROLE_PROVIDER = 1, TS_ROLE_EXTRACTOR = 2, TS_ROLE_CLASSIFIER = 4 } ts_role;

/* CONTENT: a pure function of bytes and rules, worked out once for equal bytes; may not ask for path or
 * neighbours. ITEM: may ask for them. */
typedef enum ts_scope { TS_SCOPE_CONTENT = 0, TS_SCOPE_ITEM = 1 } ts_scope;

/* What the plugin is fed with, or-ed. */
typedef enum ts_input {
  TS_INPUT_NONE = 0,    /* begin and finish only; asks the host for what it needs */
  TS_INPUT_DATA = 1,    /* all bytes through data(), offsets ascending */
  TS_INPUT_TEXT = 2,    /* the text facet through text(), in windows with an overlap */
  TS_INPUT_RECORDS = 4, /* records that extractors found in the item, in batches of at most 1,000 */
  TS_INPUT_MEMBERS = 8  /* is a container reader: list() and extract() */
} ts_input;

typedef enum ts_facet { TS_FACET_TEXT = 1, TS_FACET_PICTURE = 2 } ts_facet;

typedef enum ts_value_kind {
  TS_NULL = 0,
  TS_INTEGER = 1,
  TS_REAL = 2,
  TS_TEXT = 3,
  TS_BLOB = 4
} ts_value_kind;

typedef struct ts_value {
  ts_value_kind kind;
  int64_t integer;
  double real;
  ts_str text; /* TS_TEXT and TS_BLOB */
} ts_value;

typedef struct ts_field {
  ts_str name;
  ts_value value;
} ts_field;

/* A record on its way to a classifier. */
typedef struct ts_record {
  ts_str kind, key;
  const ts_field* fields;
  size_t field_count;
} ts_record;

typedef struct ts_finding {
  uint32_t struct_size;
  int32_t confidence; /* 0-1000 */
  ts_str rule, category, title, detail;
  ts_str position;                /* where: "offset 4096 length 12", "text 120-131", a column name … */
  ts_str record_kind, record_key; /* empty unless it is about a record */
} ts_finding;

/* A member of a container, named before its bytes are asked for. */
typedef struct ts_member {
  uint32_t struct_size;
  uint32_t ordinal;     /* from 0, in the order of the container; stable between list() and extract() */
  ts_str path;          /* raw bytes as stored, "/"-separated; the host escapes them */
  uint64_t size;        /* bytes when unpacked, UINT64_MAX if unknown */
  uint64_t packed_size; /* 0 if unknown */
  int32_t is_directory, is_encrypted;
  int32_t has_modified;
  int64_t modified;
  int32_t time_basis; /* 0 utc, 1 offset, 2 assumed */
  /* Since minor 1. A carved file: it was found by its form, and nothing on the exhibit names it. `offset` and
   * `length`: its first run of bytes, in those of the container, for the locator; `confidence`: 0-1000;
   * `detail`: canonical JSON of further facts ({"runs":[[offset,length],…],…}). `path` is a name for people.
   */
  int32_t is_carved;
  int32_t confidence;
  uint64_t offset, length;
  ts_str detail;
} ts_member;

/* Pulls the next bytes of a member: fills up to `capacity` bytes, returns how many; 0 is the end, negative is
 * damage. */
typedef int64_t (*ts_pull)(void* context, uint8_t* out, size_t capacity);

/* 8-bit RGB, rows top to bottom without padding; upright (EXIF orientation applied). */
typedef struct ts_picture {
  uint32_t struct_size;
  uint32_t width, height;               /* of `pixels` */
  uint32_t source_width, source_height; /* of the original, as decoded at full size */
  const uint8_t* pixels;
} ts_picture;

typedef struct ts_job ts_job;       /* one item on its way through the plugins */
typedef struct ts_source ts_source; /* bytes of a neighbour, see neighbour_open() */
typedef struct ts_query ts_query;   /* a running query of the database facet */

/* State of an evidence database (docs/plugins.md): as the app would open it; without its write-ahead log;
 * before the roll-back of a hot journal. */
typedef enum ts_database_state {
  TS_DB_CURRENT = 0,
  TS_DB_WITHOUT_WAL = 1,
  TS_DB_BEFORE_ROLLBACK = 2
} ts_database_state;

typedef struct ts_host_v1 {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;

  /* This plugin's settings as one JSON object, e.g. {"files":["/…/a.toml"],"sets":[…],"model":"/…"}. During
   * create(). */
  ts_str (*settings)(const struct ts_host_v1*);
  void (*log)(const struct ts_host_v1*, ts_str line);
  /* Declares a rule for the table `search`, so that a rule without hits is listed too. During create(). */
  void (*declare_rule)(const struct ts_host_v1*, ts_str rule, ts_str version, ts_str title);
  /* Why the call about to return something else than TS_OK did so. `job` may be NULL during create(). */
  void (*fail)(const struct ts_host_v1*, ts_job*, ts_str reason);

  /* --- the item's bytes --- */
  uint64_t (*size)(ts_job*);
  int64_t (*read_at)(ts_job*, uint64_t offset, uint8_t* out,
                     size_t capacity); /* bytes read; negative: cannot be read */
  /* list() and extract() of a window of free space (application/x-touchstone-unallocated) may read_at()
   * beyond its size: there the next windows follow. */
  ts_str (*media_type)(ts_job*);
  ts_str (*digest)(ts_job*, ts_str algorithm); /* "md5" "sha1" "sha256": hex; empty if unknown */
  int (*cancelled)(ts_job*);
  /* Scope ITEM only; empty otherwise. The locator's escaped path. */
  ts_str (*path)(ts_job*);
  ts_str (*locator)(ts_job*);
  /* A sibling by name ("wa.db", or "../x"); NULL if there is none or the scope forbids it. Freed by
   * neighbour_close. */
  ts_source* (*neighbour_open)(ts_job*, ts_str relative_path);
  uint64_t (*neighbour_size)(ts_source*);
  int64_t (*neighbour_read_at)(ts_source*, uint64_t offset, uint8_t* out, size_t capacity);
  void (*neighbour_close)(ts_source*);

  /* --- facets --- */
  /* The picture facet with at least `min_side` pixels on its shorter side where the original has them. */
  ts_status (*picture)(ts_job*, uint32_t min_side, ts_picture* out);
  /* Runs one SELECT on the item as an SQLite database. Parameters ?1, ?2 … NULL: it failed, the reason is the
   * problem. */
  ts_query* (*query)(ts_job*, ts_database_state, ts_str sql, const ts_value* parameters,
                     size_t parameter_count);
  /* 1: a row; 0: the end; -1: damaged or a limit. Columns live until the next call. */
  int (*query_step)(ts_query*);
  size_t (*query_columns)(ts_query*);
  ts_str (*query_column_name)(ts_query*, size_t column);
  ts_value (*query_value)(ts_query*, size_t column);
  void (*query_close)(ts_query*);

  /* --- results --- */
  /* `kind`: message attachment call contact account location visit, and since minor 2 event and note.
   * `source` names where the row stands ("sms", "_id=12"); the host makes the key of it and returns it. */
  ts_str (*emit_record)(ts_job*, ts_str kind, ts_str app, ts_str source_table, ts_str source_row,
                        const ts_field*, size_t);
  void (*emit_finding)(ts_job*, const ts_finding*);
  void (*emit_problem)(ts_job*, ts_str kind, ts_str message); /* kind as in the table `problem` */
  /* list(): announces a member; nonzero: a limit was reached, stop. */
  int (*emit_member)(ts_job*, const ts_member*);
  /* extract(): gives a member's bytes; the host pulls them under its budget. Nonzero: stop extracting. */
  int (*emit_member_data)(ts_job*, uint32_t ordinal, ts_pull, void* context);
  /* provide(): the facet asked for. Text in UTF-8, piece by piece. */
  void (*emit_text)(ts_job*, ts_str text);
  void (*emit_picture)(ts_job*, const ts_picture*);
  /* Findings that earlier plugins made of this item's content: calls back until it returns nonzero. */
  void (*findings)(ts_job*, int (*each)(void* context, ts_str plugin, const ts_finding*), void* context);
  /* Since minor 1. Scope ITEM only. */
  /* The SELECT, which reads `table`, over rows of it that were deleted and are still in the bytes: the name
   * means them alone, other tables have their live rows and what was recovered of them. Columns more at the
   * end: ts_place, ts_source (text), ts_confidence (0-1000), ts_certain, ts_partial, ts_older (0/1: a live
   * row has the number now). NULL without a problem where nothing was recovered or the scope does not grant
   * it. */
  ts_query* (*query_recovered)(ts_job*, ts_str table, ts_str sql, const ts_value* parameters,
                               size_t parameter_count);
  /* Numbers that are missing among the rows of a table with an INTEGER PRIMARY KEY: rows of (after, before,
   * missing, at_end), the largest first 1,000 in their order, then one with NULL, NULL, all that are missing,
   * and the count of gaps. NULL without a problem where rows are not numbered. */
  ts_query* (*row_gaps)(ts_job*, ts_str table);
  /* Since minor 3. Scope ITEM only. */
  /* Of an item of application/x-sqlite3-pages, pages of tables without their database: how many databases
   * there are to whose tables rows in the pages fit. They are those of apps on the same exhibit; the last may
   * be of the tables that the pages themselves define. 0 where the scope does not grant recovery. */
  uint32_t (*page_databases)(ts_job*);
  /* From now on query() reads that database and query_recovered() the pages' rows by its tables; where a row
   * of the database has the number of one of them, it is listed before, with the ts_source "live row". Close
   * all queries first. The database's path; empty for the pages' own. */
  ts_str (*use_page_database)(ts_job*, uint32_t index);
} ts_host_v1;

/* When a plugin is called at all. Empty lists match everything. */
typedef struct ts_matcher {
  const char* const* media_types;  /* NULL-terminated; a trailing star matches the rest: "image/…" */
  const char* const* name_globs;   /* NULL-terminated, against the path (scope ITEM only) */
  uint64_t min_size, max_size;     /* bytes; max_size 0: no bound */
  const char* const* record_kinds; /* NULL-terminated; for TS_INPUT_RECORDS */
} ts_matcher;

typedef struct ts_plugin_v1 {
  uint32_t struct_size;
  uint16_t abi_major, abi_minor;
  const char* name; /* [a-z][a-z0-9_]*, the file's name */
  const char* version;
  const char* summary; /* one line, claims no more than it does */
  const char* licence; /* SPDX */
  uint32_t roles;      /* ts_role, or-ed */
  ts_scope scope;
  uint32_t inputs;   /* ts_input, or-ed */
  uint32_t costly;   /* nonzero: left out for content that a hash set knows as ordinary */
  uint32_t provides; /* ts_facet, or-ed; for TS_ROLE_PROVIDER */
  ts_matcher matcher;
  const char* const* after; /* NULL-terminated names of plugins that come first where present */

  ts_status (*create)(const ts_host_v1*, void** self);
  void (*destroy)(void* self);
  ts_status (*begin)(void* self, ts_job*);
  ts_status (*data)(void* self, ts_job*, uint64_t offset, ts_bytes);
  /* `offset`: of the window in the text, in bytes of UTF-8; the first `overlap` bytes were in the window
   * before. */
  ts_status (*text)(void* self, ts_job*, uint64_t offset, size_t overlap, ts_str);
  ts_status (*records)(void* self, ts_job*, const ts_record*, size_t count);
  ts_status (*finish)(void* self, ts_job*);
  ts_status (*list)(void* self, ts_job*);
  ts_status (*extract)(void* self, ts_job*, uint32_t first, uint32_t count);
  ts_status (*provide)(void* self, ts_job*, ts_facet);
} ts_plugin_v1;

#ifdef __cplusplus
}
#endif
#endif
