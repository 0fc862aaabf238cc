#!/usr/bin/env python3
"""make_dmg.py RAW DMG KIND,...: a UDIF image of RAW whose blocks of 64 KiB are of these kinds by turns."""
import base64
import bz2
import lzma
import struct
import sys
import zlib

BLOCK = 64 * 1024


def adc(data):
    """Literal runs only."""
    return b"".join(bytes([0x80 | (len(data[i:i + 128]) - 1)]) + data[i:i + 128] for i in range(0, len(data), 128))


KINDS = {
    "zero": (2, lambda data: b""),
    "raw": (1, lambda data: data),
    "adc": (0x80000004, adc),
    "zlib": (0x80000005, zlib.compress),
    "bz2": (0x80000006, bz2.compress),
    "lzfse": (0x80000007, lambda data: b"bvx$"),
    "lzma": (0x80000008, lzma.compress),
}


def main():
    raw = open(sys.argv[1], "rb").read()
    kinds = sys.argv[3].split(",")
    body, entries = bytearray(), []
    for at in range(0, len(raw), BLOCK):
        block = raw[at:at + BLOCK]
        kind = kinds[at // BLOCK % len(kinds)]
        if kind == "zero" and any(block):
            kind = "raw"
        method, pack = KINDS[kind]
        packed = pack(block)
        entries.append(struct.pack(">IIQQQQ", method, 0, at // 512, len(block) // 512, len(body), len(packed)))
        body += packed
    entries.append(struct.pack(">IIQQQQ", 0xFFFFFFFF, 0, len(raw) // 512, 0, len(body), 0))
    table = b"mish" + struct.pack(">IQQQII", 1, 0, len(raw) // 512, 0, 520, 0) + bytes(24 + 136)
    table += struct.pack(">I", len(entries)) + b"".join(entries)
    xml = (b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict><key>resource-fork</key><dict>'
           b"<key>blkx</key><array><dict><key>Data</key><data>\n" + base64.encodebytes(table) +
           b"</data><key>ID</key><string>0</string></dict></array></dict></dict></plist>")
    trailer = bytearray(512)
    trailer[0:4] = b"koly"
    struct.pack_into(">III", trailer, 4, 4, 512, 1)
    struct.pack_into(">QQ", trailer, 24, 0, len(body))
    struct.pack_into(">II", trailer, 56, 1, 1)
    struct.pack_into(">QQ", trailer, 216, len(body), len(xml))
    struct.pack_into(">IQ", trailer, 488, 1, len(raw) // 512)
    with open(sys.argv[2], "wb") as out:
        out.write(body + xml + trailer)


main()
