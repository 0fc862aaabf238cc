#!/usr/bin/env python3
"""The seeds of the fuzzers of zip and tar, tiny and the same each time. Usage: make_seeds.py FOLDER"""

import io
import os
import struct
import sys
import tarfile
import zipfile


def zip_seed(method, zip64=False):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        info = zipfile.ZipInfo("d/a.txt")
        info.compress_type = method
        with archive.open(info, "w", force_zip64=zip64) as member:
            member.write(b"some text, some text, some text")
        archive.writestr(zipfile.ZipInfo("../b"), b"b")
    return out.getvalue()


def tar_seed(style, **headers):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=style) as archive:
        info = tarfile.TarInfo("d/" + "n" * 120)
        info.size = 4
        info.pax_headers = headers
        archive.addfile(info, io.BytesIO(b"text"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.LNKTYPE, "d/" + "n" * 120
        archive.addfile(link)
    return out.getvalue()[:5120]


def main():
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s", "GNU.sparse.realsize": "100"}
    seeds = {
        "zip/stored": zip_seed(zipfile.ZIP_STORED),
        "zip/deflated": zip_seed(zipfile.ZIP_DEFLATED),
        "zip/zip64": zip_seed(zipfile.ZIP_DEFLATED, True),
        "zip/no_directory": zip_seed(zipfile.ZIP_DEFLATED)[:80],
        "zip/extra": zip_seed(zipfile.ZIP_STORED).replace(struct.pack("<H", 20), struct.pack("<H", 45)),
        "tar/gnu": tar_seed(tarfile.GNU_FORMAT),
        "tar/pax": tar_seed(tarfile.PAX_FORMAT, mtime="1.5", atime="-2"),
        "tar/sparse": tar_seed(tarfile.PAX_FORMAT, **sparse),
        "tar/map": tar_seed(tarfile.PAX_FORMAT, **{"GNU.sparse.map": "0,2,10,2", "GNU.sparse.size": "12"}),
    }
    for name, data in seeds.items():
        path = os.path.join(sys.argv[1], name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data)


main()
