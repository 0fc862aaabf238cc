# The phone's databases, from story/*.tsv by story/*.sql.
# shellcheck shell=bash

# Text of the story with its escapes resolved (\n and \u202E), for the databases.
story_prelude() {
  cat <<SQL
.bail on
.testctrl prng_seed 42
ATTACH ':memory:' AS story;
.mode tabs
.import --schema story "$here/story/messages.tsv" messages
.import --schema story "$here/story/contacts.tsv" contacts
.import --schema story "$here/story/calls.tsv" calls
.import --schema story "$here/story/quotes.tsv" quotes
.import --schema story "$work/media.tsv" media
UPDATE story.messages SET body = replace(replace(body, '\n', char(10)), '\u202E', char(0x202E));
CREATE TABLE story.phase (name TEXT);
INSERT INTO story.phase VALUES ('db');
SQL
}

# What the story knows of the media files: media FILE NAME WIDTH HEIGHT. One of them need not be on the device.
media() {
  [[ -s $work/media.tsv ]] || printf 'name\tsize\twidth\theight\tsha256_base64\n' >"$work/media.tsv"
  printf '%s\t%s\t%s\t%s\t%s\n' "$2" "$(stat -c %s "$1")" "$3" "$4" "$(base64_hash "$1")" >>"$work/media.tsv"
}

make_mmssms() {  # DIRECTORY
  { story_prelude; echo 'BEGIN;'; sed '/^PRAGMA/d' "$here/story/mmssms.sql"; echo 'COMMIT;'; } >"$work/mmssms.body"
  { echo '.bail on'; sed -n '/^PRAGMA/p' "$here/story/mmssms.sql"; cat "$work/mmssms.body"; } >"$work/mmssms.all"
  sqlite3 -batch -init /dev/null "$1/mmssms.db" <"$work/mmssms.all" >"$work/mmssms.log" || fail "mmssms.db"
  file_check "$1/mmssms.db"
}

make_wa() {  # DIRECTORY
  { story_prelude; cat "$here/story/wa.sql"; } | sqlite3 -batch -init /dev/null "$1/wa.db" >"$work/wa.log" || fail "wa.db"
  file_check "$1/wa.db"
}

# The newest messages are only in the -wal: it is copied away, with its index, before the last connection closes.
make_msgstore() {  # DIRECTORY
  mkdir -p "$work/live"
  rm -f "$work/live"/*
  {
    story_prelude
    echo 'BEGIN;'
    cat "$here/story/msgstore.sql" "$here/story/msgstore_rows.sql"
    echo 'COMMIT;'
    echo 'PRAGMA user_version = 1;'
    echo 'PRAGMA journal_mode = WAL;'
    echo 'PRAGMA wal_autocheckpoint = 0;'
    echo "UPDATE story.phase SET name = 'wal';"
    echo 'BEGIN;'
    cat "$here/story/msgstore_rows.sql"
    echo 'COMMIT;'
    printf '.shell cp %q/live/msgstore.db* %q/\n' "$work" "$1"
  } >"$work/msgstore.all"
  sqlite3 -batch -init /dev/null "$work/live/msgstore.db" <"$work/msgstore.all" >"$work/msgstore.log" || fail "msgstore.db"
  [[ -s $1/msgstore.db-wal ]] || fail "msgstore.db-wal is missing"
}

file_check() {
  [[ $(sqlite3 -init /dev/null "$1" 'PRAGMA integrity_check;') == ok ]] || fail "$1 is damaged"
}
