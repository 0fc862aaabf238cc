#!/usr/bin/env python3
"""Prints what Python's plistlib reads of the property lists below FOLDER: plist_values.py FOLDER.

One line a value of the topmost dictionary, tab-separated: file, key, kind, value. A list that plistlib refuses has the
kind "bad". Keys and texts that do not fit a line are left out.
"""
import datetime
import os
import plistlib
import sys


def lines(path):
    with open(path, "rb") as file:
        data = file.read()
    if not data.startswith(b"bplist00") and b"<plist" not in data[:300]:
        return
    try:
        values = plistlib.loads(data)
    except Exception:  # whatever it is that plistlib does not take
        yield "", "bad", ""
        return
    for key, value in values.items() if isinstance(values, dict) else ():
        if not key.isascii() or not key.isprintable():
            continue
        if isinstance(value, bool):
            yield key, "bool", int(value)
        elif isinstance(value, int):
            yield key, "int", value
        elif isinstance(value, str) and value.isprintable():
            yield key, "text", value
        elif isinstance(value, bytes):
            yield key, "data", value.hex()
        elif isinstance(value, datetime.datetime):
            yield key, "date", int(value.replace(tzinfo=datetime.timezone.utc).timestamp())
        elif isinstance(value, (list, dict)):
            yield key, "size", len(value)


for folder, _, names in sorted(os.walk(sys.argv[1])):
    for name in sorted(names):
        path = os.path.join(folder, name)
        for line in lines(path) if os.path.isfile(path) else ():
            print(path, *line, sep="\t")
