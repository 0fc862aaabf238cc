#!/usr/bin/env python3
"""Writes corpus/: a small valid input for each reader of backups_fuzzer.cpp, whose number is the first byte."""
import os
import sqlite3
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "..", "unit", "backups"))
import make_backups as made  # noqa: E402


def seed(name, reader, data):
    made.write(os.path.join(here, "corpus", name), bytes([reader]) + data)


with tempfile.TemporaryDirectory() as folder:
    made.mbdb(folder + "/b", True)
    with open(folder + "/b/Manifest.mbdb", "rb") as table:
        seed("mbdb", 2, table.read()[:1200])
    made.adb(folder + "/a", 5, 1, made.PASSWORD, cut=900)
    with open(folder + "/a", "rb") as backup:
        seed("adb_encrypted", 4, backup.read().replace(b"\n1000\n", b"\n10\n"))
    with open(folder + "/b/Status.plist", "rb") as status, open(folder + "/b/Info.plist", "rb") as info:
        seed("plist_binary", 1, status.read())
        seed("plist_xml", 1, info.read())
    db = sqlite3.connect(folder + "/db")
    db.execute("PRAGMA page_size = 512")
    db.execute("CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)")
    db.execute("INSERT INTO Files VALUES (?, 'HomeDomain', 'a', 1, ?)",
               ("0" * 40, made.mbfile("a", 1, b"", 0o100644, 3, None)))
    db.commit()
    db.close()
    with open(folder + "/db", "rb") as table:
        seed("manifest_db", 6, table.read())
seed("keybag", 0, made.keybag("password", True).replace((2000).to_bytes(4, "big"), (9).to_bytes(4, "big"))
     .replace((500).to_bytes(4, "big"), (9).to_bytes(4, "big")))
seed("mbfile", 3, made.mbfile("a/b", 4, b"", 0o120755, 3, b"\3\0\0\0" + bytes(40)))
seed("adb_plain", 4, b"MIUI BACKUP\n2\ncom.example.chat Chat\n-1\n0\nANDROID BACKUP\n4\n0\nnone\n")
with open(made.REPORT, "rb") as report:
    seed("ufdr_head", 5, report.read()[:2500])
