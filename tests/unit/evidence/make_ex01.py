#!/usr/bin/env python3
"""make_ex01.py FOLDER: Ex01 images (EWF version 2) of media.raw by the published description of the format.

zlib.Ex01 has deflated, stored and pattern-filled chunks in three segments; bzip2.Ex01 bzip2 streams, blocks.Ex01
bzip2 blocks without the head and the end of a stream; stored.Ex01 no compression; damaged.Ex01 one chunk whose checksum
does not fit and one that cannot be unpacked; errors.Ex01 a list of read errors; locked.Ex01 the mark of encryption."""
import bz2
import hashlib
import os
import struct
import sys
import zlib

OUT = sys.argv[1]
CHUNK = 32768
SET = bytes(range(16))


def noise(size):
    data, seed = b"", b"seed"
    while len(data) < size:
        seed = hashlib.sha256(seed).digest()
        data += seed
    return data[:size]


MEDIA = noise(100000) + bytes(200000) + b"text on a disk. " * 9000 + b"\x12\x34\x56\x78\x9a\xbc\xde\xf0" * 20000
MEDIA += noise(70000)
MEDIA = MEDIA[:len(MEDIA) // 512 * 512]


def sealed(data):
    return data + struct.pack("<I", zlib.adler32(data))


class Segment:
    def __init__(self, name, number, method):
        self.out = open(os.path.join(OUT, name), "wb")
        self.out.write(struct.pack("<8sBBHI16s", b"EVF2\x0d\x0a\x81\x00", 2, 1, method, number, SET))
        self.previous = 0

    def section(self, kind, data=b"", flags=0):
        padding = -len(data) % 16
        data += bytes(padding)
        self.out.write(data)
        at = self.out.tell()
        digest = hashlib.md5(data).digest() if flags & 1 else bytes(16)
        self.out.write(sealed(struct.pack("<IIQQII16s12s", kind, flags, self.previous, len(data), 64, padding, digest, b"")))
        self.previous = at


def text(names, values, method):
    data = "\ufeff1\nmain\n%s\n%s\n\n" % ("\t".join(names.split()), "\t".join(values))
    return compress(data.encode("utf-16-le"), method)


def compress(data, method):
    return zlib.compress(data) if method == 1 else bz2.compress(data) if method == 2 else data


def write(name, method=1, segments=1, pattern=True, blocks=False, change=None, errors=(), flags=0):
    chunks = [MEDIA[i:i + CHUNK] for i in range(0, len(MEDIA), CHUNK)]
    share = -(-len(chunks) // segments)
    for number in range(segments):
        one = Segment("%s.Ex%02d" % (name, number + 1), number + 1, method)
        one.section(1, text("sn md lb ts hs dc dt pid rs ls bp ph",
                            ["SER-1", "Model \u00e4", "", str(len(MEDIA) // 512), "", "", "f", "", "", "", "512", "1"], method), 1 | flags)
        one.section(2, text("nm cn en ex nt av os tt at tb cp sb gr wb",
                            ["a disk", "C-9", "E-1", "A. Example", "line one\1line two", "8.1", "Windows", "1342200000", "1342200001",
                             str(len(chunks)), str(method or ""), str(CHUNK // 512), "1", "2"], method), 1 | flags)
        data, entries = b"", []
        start = one.out.tell()
        for index in range(number * share, min(len(chunks), (number + 1) * share)):
            chunk = chunks[index]
            small = compress(chunk, method)
            if blocks:
                small = small[4:]
            if pattern and method and chunk == chunk[:8] * (len(chunk) // 8):
                entries.append((struct.unpack("<Q", chunk[:8])[0], 0, 5))
                continue
            place = start + len(data)
            if method and len(small) < len(chunk):
                if change == index:
                    small = small[:4] + bytes([small[4] ^ 0x55]) + small[5:]
                entries.append((place, len(small), 1))
                data += small
            else:
                stored = sealed(chunk)
                if change is not None and index == 0:
                    stored = stored[:100] + b"?" + stored[101:]
                entries.append((place, len(stored), 2))
                data += stored
            data += bytes(-len(data) % 16)
        one.section(3, data, flags)
        listed = b"".join(struct.pack("<QII", *entry) for entry in entries)
        one.section(4, sealed(struct.pack("<QII", number * share, len(entries), 0)) + bytes(12) + sealed(listed) + bytes(12), flags)
        if number + 1 < segments:
            one.section(13)
        else:
            if errors:
                listed = b"".join(struct.pack("<QII", first, count, 0) for first, count in errors)
                one.section(5, sealed(struct.pack("<I12s", len(errors), b"")) + bytes(12) + sealed(listed) + bytes(12))
            one.section(8, sealed(hashlib.md5(MEDIA).digest()) + bytes(12), flags)
            one.section(9, sealed(hashlib.sha1(MEDIA).digest()) + bytes(8), flags)
            one.section(15)
        one.out.close()


if len(sys.argv) > 2:
    MEDIA = noise(2048) + bytes(512) + b"text of a disk. " * 96
    CHUNK = 512
    write("ex01-zlib")
    write("ex01-bzip2", method=2, errors=[(1, 2)])
    sys.exit()
with open(os.path.join(OUT, "media.raw"), "wb") as raw:
    raw.write(MEDIA)
write("zlib", segments=3)
write("bzip2", method=2)
write("blocks", method=2, blocks=True)
write("stored", method=0)
write("damaged", pattern=False, change=11)
write("errors", errors=[(10, 3), (20, 1)])
write("locked", flags=2)
