-- previews.db: renditions made in the worker, apart from case.db so that everything else can be handed over without
-- pixels. `blurred`: 32 pixels, grey; `clear`: at most 512 pixels. Both JPEG, re-encoded, without metadata.
PRAGMA user_version = 5;
CREATE TABLE preview(sha256 TEXT PRIMARY KEY, width INTEGER NOT NULL, height INTEGER NOT NULL, blurred BLOB NOT NULL,
  clear BLOB NOT NULL) STRICT;
