#!/usr/bin/env python3
"""Prints each property list below FOLDER as Python's plistlib reads it: path, tab, JSON. Archives of NSKeyedArchiver and
what plistlib refuses are left out. Data in base64, dates as microseconds, UIDs as {"CF$UID": n}."""
import base64
import datetime
import json
import os
import plistlib
import sys


def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, plistlib.UID):
        return {"CF$UID": value.data}
    if isinstance(value, datetime.datetime):
        since = value.replace(tzinfo=datetime.timezone.utc) - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return since // datetime.timedelta(microseconds=1)
    return value


for folder, _, names in sorted(os.walk(sys.argv[1])):
    for name in sorted(names):
        path = os.path.join(folder, name)
        if not name.endswith(".plist") or not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            data = file.read()
        try:
            values = plistlib.loads(data)
        except Exception:  # whatever it is that plistlib does not take
            continue
        if isinstance(values, dict) and values.get("$archiver") == "NSKeyedArchiver":
            continue
        print(path, json.dumps(plain(values)), sep="\t")
