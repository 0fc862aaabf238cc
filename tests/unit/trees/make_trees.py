#!/usr/bin/env python3
"""Archives for the tests of trees, made with Python's own modules or byte by byte.

Usage: make_trees.py OUT. Writes the files themselves below OUT/files, OUT/expected.tsv with path, size and SHA-256
of each, and the archives beside them. Times are fixed, so the same bytes come out each time."""

import bz2
import gzip
import hashlib
import io
import lzma
import os
import struct
import sys
import tarfile
import zipfile
import zlib

TIME = 1700000000  # 2023-11-14 22:13:20 UTC


def noise(size, seed):
    out = bytearray()
    while len(out) < size:
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        out += struct.pack("<Q", seed)
    return bytes(out[:size])


FILES = {
    "a.txt": b"hello\n",
    "empty": b"",
    "sub/noise.bin": noise(200000, 1),
    "sub/deep/text.txt": b"".join(b"line %d of a long text\n" % i for i in range(40000)),
    "sub/deep/" + "long" * 40 + ".txt": b"a long name",
    "\u00fcml\u00e4ut/\u65e5\u672c.txt": b"names beyond ASCII",
}


def entry(name, data=b"", **kw):
    """One entry of a zip made by hand; what is given overrides what is true."""
    return dict(name=name, data=data, **kw)


def raw_zip(entries, comment=b"", prefix=b""):
    out = bytearray(prefix)
    central = bytearray()
    for e in entries:
        data = e["data"]
        crc = e.get("crc", zlib.crc32(data))
        method = e.get("method", 0)
        stored = e.get("stored", data)
        flags = e.get("flags", 0)
        date = e.get("date", (43 << 9) | (11 << 5) | 14)
        time = e.get("time", (22 << 11) | (13 << 5) | 10)
        size = e.get("size", len(data))
        local_name = e.get("local_name", e["name"])
        offset = len(out) - len(prefix)
        out += struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, flags, method, time, date, e.get("local_crc", crc), len(stored),
                           e.get("local_size", size), len(local_name), len(e.get("local_extra", b"")))
        out += local_name + e.get("local_extra", b"") + stored
        central += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, e.get("host", 3) << 8 | 20, 20, flags, method, time, date,
                               crc, len(stored), size, len(e["name"]), len(e.get("extra", b"")), 0, 0, 0,
                               e.get("mode", 0o100644) << 16, offset)
        central += e["name"] + e.get("extra", b"")
    at = len(out) - len(prefix)
    out += central
    out += struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(entries), len(entries), len(central), at, len(comment)) + comment
    return bytes(out)


def extra(identifier, data):
    return struct.pack("<HH", identifier, len(data)) + data


def filetime(seconds):
    return (seconds + 11644473600) * 10000000


class Pipe(io.RawIOBase):
    """A stream that cannot seek: sizes then stand behind the data."""

    def __init__(self, target):
        self.target = target

    def writable(self):
        return True

    def write(self, data):
        return self.target.write(data)


def write(path, data):
    with open(path, "wb") as out:
        out.write(data)


def zip_of(target, method=zipfile.ZIP_DEFLATED, zip64=False):
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in FILES.items():
            info = zipfile.ZipInfo(name, (2023, 11, 14, 22, 13, 20))
            info.compress_type = method
            info.external_attr = 0o100640 << 16
            with archive.open(info, "w", force_zip64=zip64) as member:
                member.write(data)


def make_zips(out):
    for name, method in (("deflated", zipfile.ZIP_DEFLATED), ("stored", zipfile.ZIP_STORED), ("bzip2", zipfile.ZIP_BZIP2),
                         ("lzma", zipfile.ZIP_LZMA)):
        zip_of(f"{out}/{name}.zip", method)
    zip_of(f"{out}/zip64.zip", zip64=True)
    with open(f"{out}/streamed.zip", "wb") as target:
        zip_of(io.BufferedWriter(Pipe(target)))
    whole = open(f"{out}/deflated.zip", "rb").read()
    write(f"{out}/prefixed.zip", b"MZ" + noise(5000, 2) + whole)
    write(f"{out}/appended.zip", whole + b"something that came behind")
    write(f"{out}/no_directory.zip", whole[:whole.index(b"PK\x01\x02")])
    streamed = open(f"{out}/streamed.zip", "rb").read()
    write(f"{out}/no_directory_streamed.zip", streamed[:streamed.index(b"PK\x01\x02")])
    damaged = bytearray(whole)
    second = whole.index(b"PK\x01\x02", whole.index(b"PK\x01\x02") + 4)
    damaged[second:second + 4] = b"XXXX"
    write(f"{out}/damaged_directory.zip", damaged)
    write(f"{out}/cut.zip", whole[:whole.index(b"sub/noise.bin") + 100000])
    parts = bytearray(raw_zip([entry(b"a.txt", b"hello\n")]))
    struct.pack_into("<HH", parts, len(parts) - 18, 3, 3)
    write(f"{out}/part4.zip", parts)
    write(f"{out}/part1.zip", b"PK\x07\x08" + raw_zip([entry(b"a.txt", noise(3000, 3))])[:2000])
    make_odd_zips(out)


def make_odd_zips(out):
    cafe = "caf\u00e9.txt".encode("cp437")
    write(f"{out}/names.zip", raw_zip([
        entry(cafe, b"1", host=0),
        entry("caf\u00e9-2.txt".encode(), b"2", flags=2048),
        entry("caf\u00e9-3.txt".encode(), b"3"),
        entry(b"other", b"4", extra=extra(0x7075, b"\x01" + struct.pack("<I", zlib.crc32(b"other")) + "\u20ac.txt".encode())),
        entry(b"stale", b"5", extra=extra(0x7075, b"\x01" + struct.pack("<I", 1) + b"wrong.txt")),
        entry(b"../../etc/passwd", b"6"),
        entry(b"/absolute/file", b"7"),
        entry(b"dos\\path\\file", b"8", host=0),
        entry(b"unix\\name", b"9"),
        entry(b"twin", b"first"), entry(b"twin", b"second"),
        entry(b"both", b"a file"), entry(b"both/inner", b"inside"),
        entry(b"nul\0name", b"10"),
        entry(b"hidden/", b"bytes of a directory"),
        entry(b"", b"no name"),
        entry(b"x/./y//z", b"11"),
        entry(b"link", b"a/target", mode=0o120777),
        entry(b"pipe", b"", mode=0o010644),
    ]))
    ntfs = b"\0\0\0\0" + struct.pack("<HH", 1, 24) + struct.pack("<QQQ", *(filetime(TIME + i) for i in range(3)))
    write(f"{out}/times.zip", raw_zip([
        entry(b"dos", b"1"),
        entry(b"unix", b"2", extra=extra(0x5455, b"\x07" + struct.pack("<i", TIME)),
              local_extra=extra(0x5455, b"\x07" + struct.pack("<iii", TIME, TIME + 1, TIME + 2))),
        entry(b"ntfs", b"3", extra=extra(0x000A, ntfs)),
        entry(b"before", b"4", extra=extra(0x5455, b"\x01" + struct.pack("<i", -86400))),
        entry(b"owner", b"5", extra=extra(0x7875, b"\x01\x04" + struct.pack("<I", 10234) + b"\x04" + struct.pack("<I", 20)),
              mode=0o104751),
        entry(b"none", b"6", date=0, time=0),
    ]))
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    text = b"more than the directory says " * 100
    deflated = packed.compress(text) + packed.flush()
    write(f"{out}/wrong.zip", raw_zip([
        entry(b"crc", b"its checksum is wrong", crc=0x12345678),
        entry(b"name", b"n", local_name=b"eman"),
        entry(b"size", b"five!", local_size=4),
        entry(b"local_crc", b"c", local_crc=7),
        entry(b"nothing", text, method=8, stored=deflated, size=0),
        entry(b"short", text, method=8, stored=deflated, size=100),
        entry(b"long", text, method=8, stored=deflated, size=5000),
        entry(b"damaged", text, method=8, stored=deflated[:40] + b"\xff" * 40, size=len(text)),
        entry(b"strange", b"s", method=97),
    ], comment=b"a comment"))
    # Another archive's end, of no files, in the comment of one: Info-ZIP unpacks the file all the same.
    write(f"{out}/hidden_by_comment.zip",
          raw_zip([entry(b"a.txt", b"hello\n")], comment=b"PK\x05\x06" + bytes(18)))
    write(f"{out}/empty_end_only.zip",
          raw_zip([entry(b"a.txt", b"hello\n")]).split(b"PK\x01\x02")[0] + b"PK\x05\x06" + bytes(18))
    # As libarchive writes to a pipe: the size is known, checksum and packed size follow the data.
    piped = bytearray(raw_zip([entry(b"piped", text, method=8, flags=8, stored=deflated, local_crc=0),
                               entry(b"cut", text, method=8, flags=8, stored=deflated, local_crc=0, local_size=9)]))
    for at in (0, piped.index(b"PK\x03\x04", 4)):
        struct.pack_into("<I", piped, at + 18, 0)
    write(f"{out}/piped.zip", piped)


def add_tar(archive, name, data, **kw):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mtime = TIME
    info.mode = 0o640
    info.uid, info.gid, info.uname, info.gname = 1000, 1001, "ann", "staff"
    for key, value in kw.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(data) if data else None)


def tar_of(target, style, mode="w"):
    with tarfile.open(target, mode, format=style, encoding="utf-8") as archive:
        for name, data in FILES.items():
            if style != tarfile.USTAR_FORMAT or len(name) < 100:
                add_tar(archive, name, data)


def header(name, size=0, kind=b"0", mtime=TIME, magic=b"ustar\x0000", fields=()):
    block = bytearray(512)
    block[0:len(name)] = name
    block[100:108] = b"0000644\0"
    block[108:116] = block[116:124] = b"0000000\0"
    block[124:136] = size if isinstance(size, bytes) else b"%011o\0" % size
    block[136:148] = mtime if isinstance(mtime, bytes) else b"%011o\0" % mtime
    block[156:157] = kind
    block[257:257 + len(magic)] = magic
    for at, value in fields:
        block[at:at + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def member(name, data, **kw):
    return header(name, len(data), **kw) + data + b"\0" * (-len(data) % 512)


def make_tars(out):
    for name, style in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
        tar_of(f"{out}/{name}.tar", style)
    whole = open(f"{out}/pax.tar", "rb").read()
    write(f"{out}/pax.tar.gz", gzip.compress(whole, mtime=0))
    write(f"{out}/members.tar.gz", b"".join(gzip.compress(whole[i:i + 60000], mtime=0) for i in range(0, len(whole), 60000)))
    bad = bytearray(gzip.compress(whole, mtime=0))
    bad[-5] ^= 1
    bad[-6] ^= 1
    write(f"{out}/wrong_crc.tar.gz", bad)
    write(f"{out}/cut.tar.gz", gzip.compress(whole, mtime=0)[:-20000])
    write(f"{out}/pax.tar.xz", lzma.compress(whole))
    write(f"{out}/pax.tar.bz2", bz2.compress(whole))
    end = b"\0" * 1024
    write(f"{out}/v7.tar", member(b"old/file", b"v7", magic=b"") + header(b"old/empty/", magic=b"", kind=b"\0") + end)
    write(f"{out}/two.tar", member(b"first", b"1") + end + b"\0" * 8192 + member(b"second", b"22") + end)
    write(f"{out}/cut.tar", member(b"whole", b"1") + header(b"half", 4000) + b"x" * 1500)
    write(f"{out}/damaged.tar", member(b"one", b"1") + noise(1024, 5) + member(b"two", b"2") + end)
    write(f"{out}/no_end.tar", member(b"one", b"1"))
    big = b"\x80" + struct.pack(">Q", 9 * 2**30).rjust(11, b"\0")
    write(f"{out}/base256.tar", header(b"huge", big, magic=b"ustar  \0", mtime=b"\xff" * 8 + struct.pack(">i", -86400)))
    with tarfile.open(f"{out}/odd.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        add_tar(archive, "target", b"the bytes of both")
        add_tar(archive, "hard", b"", type=tarfile.LNKTYPE, linkname="target")
        add_tar(archive, "loose", b"", type=tarfile.LNKTYPE, linkname="not there")
        add_tar(archive, "circle1", b"", type=tarfile.LNKTYPE, linkname="circle2")
        add_tar(archive, "circle2", b"", type=tarfile.LNKTYPE, linkname="circle1")
        add_tar(archive, "soft", b"", type=tarfile.SYMTYPE, linkname="../../etc/passwd")
        add_tar(archive, "fifo", b"", type=tarfile.FIFOTYPE)
        add_tar(archive, "device", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=3)
        add_tar(archive, "folder", b"", type=tarfile.DIRTYPE, mode=0o755)
        add_tar(archive, "../../outside", b"o")
        add_tar(archive, "/root", b"r")
        add_tar(archive, "twin", b"first")
        add_tar(archive, "twin", b"second")
        add_tar(archive, "times", b"t", pax_headers={"mtime": "1700000000.25", "atime": "1700000001.5", "ctime": "-1.5",
                                                      "LIBARCHIVE.creationtime": "1600000000",
                                                      "SCHILY.xattr.user.note": "value"})


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    with open(f"{out}/expected.tsv", "w", encoding="utf-8") as expected:
        for name, data in sorted(FILES.items()):
            os.makedirs(os.path.dirname(f"{out}/files/{name}"), exist_ok=True)
            write(f"{out}/files/{name}", data)
            os.utime(f"{out}/files/{name}", (TIME, TIME))
            expected.write(f"/{name}\t{len(data)}\t{hashlib.sha256(data).hexdigest()}\n")
    make_zips(out)
    make_tars(out)


main()
