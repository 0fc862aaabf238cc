#!/usr/bin/env python3
"""Makes the seeds of the fuzz target with SQLite: deleted rows in free space, in the freelist, in a log, in a journal.

Usage: make_seeds.py FOLDER. The format is told at the top of sqlite_recovery_fuzz.cpp.
"""
import os
import sqlite3
import sys
import tempfile

TABLE = """CREATE TABLE m(_id INTEGER PRIMARY KEY, who TEXT, at INTEGER, body TEXT);
CREATE TABLE kv(k TEXT PRIMARY KEY, v) WITHOUT ROWID;"""


def read(path):
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def main(folder):
    scratch = tempfile.TemporaryDirectory()

    def seed(name, settings, after):
        path = os.path.join(scratch.name, name)
        db = sqlite3.connect(path, isolation_level=None)
        db.executescript("PRAGMA page_size=512; PRAGMA secure_delete=OFF; PRAGMA wal_autocheckpoint=0;" + settings)
        db.executescript(TABLE)
        db.execute("BEGIN")
        for i in range(60):
            db.execute("INSERT INTO m VALUES(?,?,?,?)",
                       (i, "+447700900%03d" % i, 1700000000000 + i, "text %d " % i + "x" * (i * 11)))
            db.execute("INSERT INTO kv VALUES(?,?)", ("key %d" % i, i))
        db.execute("COMMIT")
        db.executescript(after)
        parts = read(path), read(path + "-wal")[:65535], read(path + "-journal")[:65535]
        with open(os.path.join(folder, name), "wb") as file:
            file.write(len(parts[1]).to_bytes(2, "big") + len(parts[2]).to_bytes(2, "big") + b"".join(parts))
        db.close()

    delete = "DELETE FROM m WHERE _id % 5 = 2; DELETE FROM kv WHERE v % 7 = 3;"
    seed("freeblocks", "", delete)
    seed("freelist", "", "DELETE FROM m WHERE _id > 10;")
    seed("dropped", "", delete + "DROP TABLE m;")
    seed("utf16", "PRAGMA encoding='UTF-16le';", delete)
    seed("auto_vacuum", "PRAGMA auto_vacuum=INCREMENTAL;", "DELETE FROM m WHERE _id > 10;")
    seed("log", "PRAGMA journal_mode=WAL;", delete)
    seed("old_log", "PRAGMA journal_mode=WAL;", delete + "PRAGMA wal_checkpoint(RESTART); UPDATE m SET at = 1 WHERE _id = 1;")
    seed("journal", "PRAGMA journal_mode=PERSIST;", delete)


if __name__ == "__main__":
    main(sys.argv[1])
