#!/usr/bin/env python3
"""Makes the seeds of the fuzz target: small SQLite databases, one with a write-ahead log, one with a hot journal.

Usage: make_corpus.py FOLDER. The format is told at the top of database_fuzz.cpp.
"""
import os
import sqlite3
import sys
import tempfile


def read(path):
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def main(folder):
    scratch = tempfile.TemporaryDirectory()

    def fresh(name, sql):
        path = os.path.join(scratch.name, name)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA page_size=512")
        connection.executescript(sql)
        return path, connection

    def seed(name, state, path, wal=b"", journal=b""):
        head = bytes([state]) + len(wal).to_bytes(2, "big") + len(journal).to_bytes(2, "big")
        with open(os.path.join(folder, name), "wb") as file:
            file.write(head + read(path) + wal + journal)

    path, db = fresh("plain", """
        CREATE TABLE sms(_id INTEGER PRIMARY KEY, address TEXT, date INTEGER, body TEXT);
        CREATE INDEX i ON sms(date); CREATE VIEW v AS SELECT * FROM sms;
        CREATE TRIGGER t AFTER DELETE ON sms BEGIN SELECT 1; END;""")
    for i in range(20):
        db.execute("INSERT INTO sms VALUES(?,?,?,?)",
                   (i, "+447700900%03d" % i, 1700000000000 + i, "text %d " % i + "x" * (i * 40)))
    db.close()
    seed("plain", 0, path)

    path, db = fresh("types", """
        PRAGMA encoding='UTF-16be'; PRAGMA auto_vacuum=FULL;
        CREATE TABLE a(x, y REAL, z AS (x||'!'), CHECK(x<>'q')); CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID;
        INSERT INTO a(x,y) VALUES(x'00ff',1.5),('e',NULL),(-1,9e99); INSERT INTO w VALUES('k',zeroblob(3000));""")
    db.close()
    seed("types", 2, path)

    path, db = fresh("wal", """
        PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE m(a,b);
        INSERT INTO m VALUES(1,'in main'); PRAGMA wal_checkpoint(TRUNCATE);""")
    for i in range(8):
        db.execute("INSERT INTO m VALUES(?,?)", (i, "in wal " * 10))
    db.execute("DELETE FROM m WHERE a=3")
    seed("wal", 0, path, wal=read(path + "-wal"))
    db.close()

    rows = "".join("INSERT INTO m VALUES(%d,'%s');" % (i, ("committed %d " % i) * 8) for i in range(40))
    path, db = fresh("hot", "PRAGMA journal_mode=DELETE; CREATE TABLE m(a INTEGER PRIMARY KEY,b);" + rows +
                     "PRAGMA cache_size=2; PRAGMA cache_spill=1; BEGIN; UPDATE m SET b='half '||b;")
    seed("hot_journal", 0, path, journal=read(path + "-journal")[:65535])
    db.close()

    path, db = fresh("virtual", """
        CREATE VIRTUAL TABLE words USING fts4(b); INSERT INTO words VALUES('indexed words');
        CREATE TABLE "odd ""name"(a); INSERT INTO "odd ""name" VALUES(1);""")
    db.close()
    seed("virtual", 1, path)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
