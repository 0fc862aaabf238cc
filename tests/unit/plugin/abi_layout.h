/* Where each member of the plugins' interface stands, for 64-bit machines. Plugins that exist were built with
 * these numbers: a line here is added when a table grows at its end, and never changed. Read as C11 and as
 * C++. */
#ifndef TOUCHSTONE_TEST_ABI_LAYOUT_H
#define TOUCHSTONE_TEST_ABI_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <touchstone/plugin_abi.h>

#define AT(type, member, offset) static_assert(offsetof(type, member) == (offset), #type "." #member)
#define SIZE(type, size) static_assert(sizeof(type) == (size), #type)
/* Member number `n` of a table of functions that begins behind `start` bytes. */
#define FUNCTION(type, member, start, n) AT(type, member, (start) + 8 * (n))

SIZE(void*, 8);
SIZE(ts_str, 16);
AT(ts_str, data, 0);
AT(ts_str, size, 8);
SIZE(ts_bytes, 16);
SIZE(ts_status, 4);
SIZE(ts_value, 40);
AT(ts_value, kind, 0);
AT(ts_value, integer, 8);
AT(ts_value, real, 16);
AT(ts_value, text, 24);
SIZE(ts_field, 56);
AT(ts_field, value, 16);
SIZE(ts_record, 48);
AT(ts_record, kind, 0);
AT(ts_record, key, 16);
AT(ts_record, fields, 32);
AT(ts_record, field_count, 40);

SIZE(ts_finding, 120);
AT(ts_finding, struct_size, 0);
AT(ts_finding, confidence, 4);
AT(ts_finding, rule, 8);
AT(ts_finding, category, 24);
AT(ts_finding, title, 40);
AT(ts_finding, detail, 56);
AT(ts_finding, position, 72);
AT(ts_finding, record_kind, 88);
AT(ts_finding, record_key, 104);

SIZE(ts_member, 112);
AT(ts_member, struct_size, 0);
AT(ts_member, ordinal, 4);
AT(ts_member, path, 8);
AT(ts_member, size, 24);
AT(ts_member, packed_size, 32);
AT(ts_member, is_directory, 40);
AT(ts_member, is_encrypted, 44);
AT(ts_member, has_modified, 48);
AT(ts_member, modified, 56);
AT(ts_member, time_basis, 64);
AT(ts_member, is_carved, 68);
AT(ts_member, confidence, 72);
AT(ts_member, offset, 80);
AT(ts_member, length, 88);
AT(ts_member, detail, 96);

SIZE(ts_picture, 32);
AT(ts_picture, width, 4);
AT(ts_picture, source_width, 12);
AT(ts_picture, pixels, 24);

AT(ts_host_v1, struct_size, 0);
AT(ts_host_v1, abi_major, 4);
AT(ts_host_v1, abi_minor, 6);
FUNCTION(ts_host_v1, settings, 8, 0);
FUNCTION(ts_host_v1, log, 8, 1);
FUNCTION(ts_host_v1, declare_rule, 8, 2);
FUNCTION(ts_host_v1, fail, 8, 3);
FUNCTION(ts_host_v1, size, 8, 4);
FUNCTION(ts_host_v1, read_at, 8, 5);
FUNCTION(ts_host_v1, media_type, 8, 6);
FUNCTION(ts_host_v1, digest, 8, 7);
FUNCTION(ts_host_v1, cancelled, 8, 8);
FUNCTION(ts_host_v1, path, 8, 9);
FUNCTION(ts_host_v1, locator, 8, 10);
FUNCTION(ts_host_v1, neighbour_open, 8, 11);
FUNCTION(ts_host_v1, neighbour_size, 8, 12);
FUNCTION(ts_host_v1, neighbour_read_at, 8, 13);
FUNCTION(ts_host_v1, neighbour_close, 8, 14);
FUNCTION(ts_host_v1, picture, 8, 15);
FUNCTION(ts_host_v1, query, 8, 16);
FUNCTION(ts_host_v1, query_step, 8, 17);
FUNCTION(ts_host_v1, query_columns, 8, 18);
FUNCTION(ts_host_v1, query_column_name, 8, 19);
FUNCTION(ts_host_v1, query_value, 8, 20);
FUNCTION(ts_host_v1, query_close, 8, 21);
FUNCTION(ts_host_v1, emit_record, 8, 22);
FUNCTION(ts_host_v1, emit_finding, 8, 23);
FUNCTION(ts_host_v1, emit_problem, 8, 24);
FUNCTION(ts_host_v1, emit_member, 8, 25);
FUNCTION(ts_host_v1, emit_member_data, 8, 26);
FUNCTION(ts_host_v1, emit_text, 8, 27);
FUNCTION(ts_host_v1, emit_picture, 8, 28);
FUNCTION(ts_host_v1, findings, 8, 29);
FUNCTION(ts_host_v1, query_recovered, 8, 30);
FUNCTION(ts_host_v1, row_gaps, 8, 31);
FUNCTION(ts_host_v1, page_databases, 8, 32);
FUNCTION(ts_host_v1, use_page_database, 8, 33);
SIZE(ts_host_v1, 8 + 8 * 34);

SIZE(ts_matcher, 40);
AT(ts_matcher, media_types, 0);
AT(ts_matcher, name_globs, 8);
AT(ts_matcher, min_size, 16);
AT(ts_matcher, max_size, 24);
AT(ts_matcher, record_kinds, 32);

AT(ts_plugin_v1, struct_size, 0);
AT(ts_plugin_v1, abi_major, 4);
AT(ts_plugin_v1, abi_minor, 6);
AT(ts_plugin_v1, name, 8);
AT(ts_plugin_v1, version, 16);
AT(ts_plugin_v1, summary, 24);
AT(ts_plugin_v1, licence, 32);
AT(ts_plugin_v1, roles, 40);
AT(ts_plugin_v1, scope, 44);
AT(ts_plugin_v1, inputs, 48);
AT(ts_plugin_v1, costly, 52);
AT(ts_plugin_v1, provides, 56);
AT(ts_plugin_v1, matcher, 64);
AT(ts_plugin_v1, after, 104);
FUNCTION(ts_plugin_v1, create, 112, 0);
FUNCTION(ts_plugin_v1, destroy, 112, 1);
FUNCTION(ts_plugin_v1, begin, 112, 2);
FUNCTION(ts_plugin_v1, data, 112, 3);
FUNCTION(ts_plugin_v1, text, 112, 4);
FUNCTION(ts_plugin_v1, records, 112, 5);
FUNCTION(ts_plugin_v1, finish, 112, 6);
FUNCTION(ts_plugin_v1, list, 112, 7);
FUNCTION(ts_plugin_v1, extract, 112, 8);
FUNCTION(ts_plugin_v1, provide, 112, 9);
SIZE(ts_plugin_v1, 112 + 8 * 10);

/* Numbers that cross the boundary. */
static_assert(TS_OK == 0 && TS_DONE == 1 && TS_UNSUPPORTED == 2 && TS_CORRUPT == 3 && TS_ENCRYPTED == 4,
              "ts_status");
static_assert(TS_LIMIT == 5 && TS_MODEL_MISSING == 6 && TS_MEMORY == 7 && TS_ERROR == 8 &&
                  TS_UNKNOWN_SCHEMA == 9,
              "ts_status");
static_assert(TS_ROLE_PROVIDER == 1 && TS_ROLE_EXTRACTOR == 2 && TS_ROLE_CLASSIFIER == 4, "ts_role");
static_assert(TS_SCOPE_CONTENT == 0 && TS_SCOPE_ITEM == 1, "ts_scope");
static_assert(TS_INPUT_DATA == 1 && TS_INPUT_TEXT == 2 && TS_INPUT_RECORDS == 4 && TS_INPUT_MEMBERS == 8,
              "ts_input");
static_assert(TS_FACET_TEXT == 1 && TS_FACET_PICTURE == 2, "ts_facet");
static_assert(TS_NULL == 0 && TS_INTEGER == 1 && TS_REAL == 2 && TS_TEXT == 3 && TS_BLOB == 4,
              "ts_value_kind");
static_assert(TS_DB_CURRENT == 0 && TS_DB_WITHOUT_WAL == 1 && TS_DB_BEFORE_ROLLBACK == 2,
              "ts_database_state");

#endif
