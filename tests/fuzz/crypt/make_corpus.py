#!/usr/bin/env python3
"""Writes the seed corpus of the crypt fuzzer: small encrypted volumes, the same bytes each time.

BitLocker that was decrypted and with protectors, LUKS1, LUKS2 with both headers, its JSON alone, a CoreStorage
physical volume, an Android footer. Run it in this folder.
"""
import hashlib
import json
import os
import struct
import zlib

REGION = 65536


def entry(kind, value, data):
    return struct.pack("<HHHH", 8 + len(data), kind, value, 1) + data


def bitlocker(state, on_write=False):
    boot = bytearray(8192)
    boot[0:11] = b"\xeb\x58\x90-FVE-FS-"
    struct.pack_into("<HB", boot, 11, 512, 8)
    boot[160:176] = bytes.fromhex("3b4da89280dd0e4d9e4eb1e3284eaed8" if on_write else "3bd66749292ed84a8399f6a339e3d001")
    places = [8192, 8192 + 1024, 8192 + 2048]
    struct.pack_into("<QQQ", boot, 176, *places)
    if on_write:
        struct.pack_into("<QQ", boot, 200, 12288, 12288)
    sealed = bytes(12) + bytes(16) + bytes(44)
    clear = bytes(range(16)) + bytes(8) + struct.pack("<HH", 0, 0) + entry(0, 1, bytes(36)) + entry(0, 5, sealed)
    word = bytes(range(16)) + bytes(8) + struct.pack("<HH", 0, 0x2000) + entry(0, 3, bytes(20)) + entry(0, 5, sealed)
    entries = entry(2, 8, clear) + entry(2, 8, word) + entry(3, 5, sealed) + entry(7, 2, "disk\0".encode("utf-16-le"))
    entries += entry(15, 15, struct.pack("<QQ", 8192 + 3072, 512))
    block = bytearray(64)
    block[0:8] = b"-FVE-FS-"
    struct.pack_into("<HHH", block, 10, 2, state, state)
    struct.pack_into("<QII", block, 16, 1 << 20, 0, 1)
    struct.pack_into("<QQQQ", block, 32, *places, 8192 + 3072)
    block += struct.pack("<IIII", 48 + len(entries), 1, 48, 48 + len(entries)) + bytes(16) + struct.pack("<IIQ", 0, 0x80048004, 0)
    block += entries
    block += bytes(-len(block) % 16)
    struct.pack_into("<H", block, 8, len(block) // 16)
    block += struct.pack("<HHI", 8, 2, zlib.crc32(block))
    volume = boot + (block + bytes(1024 - len(block))) * 3 + bytes(1024)
    if on_write:
        info = bytearray(64)
        info[0:8] = b"FVE-EOW\0"
        struct.pack_into("<HHIIIIII", info, 8, 56, 64, 512, 512, 4096, 0, 0, 1)
        struct.pack_into("<QQQ", info, 40, 12288, 12288, 12800)
        region = bytearray(512)
        region[0:10] = b"FVE-EOWBM\0"
        struct.pack_into("<HIIQQ", region, 10, 60, 1536, 0, 0, 16384)
        bits = bytearray(512)
        bits[0:10] = b"FVE-EOWBR\0"
        struct.pack_into("<HIII", bits, 10, 36, 512, 4, 1)
        bits[36] = 5
        struct.pack_into("<I", bits, 32, zlib.crc32(bits))
        volume += info + bytes(512 - len(info)) + region + bits + bits
    return bytes(volume + bytes(4096))


def luks1():
    head = bytearray(592)
    struct.pack_into(">6sH32s32s32sII", head, 0, b"LUKS\xba\xbe", 1, b"aes", b"xts-plain64", b"sha256", 8, 64)
    struct.pack_into(">20s32sI40s", head, 112, b"", b"", 1000, b"01234567-89ab-cdef-0123-456789abcdef")
    struct.pack_into(">II32sII", head, 208, 0x00AC71F3, 1000, b"salt", 2, 4)
    return bytes(head + bytes(8192))


LUKS2 = {
    "keyslots": {"0": {"type": "luks2", "key_size": 64, "af": {"type": "luks1", "stripes": 4, "hash": "sha256"},
                       "area": {"type": "raw", "offset": "32768", "size": "4096", "encryption": "aes-xts-plain64", "key_size": 64},
                       "kdf": {"type": "argon2id", "time": 1, "memory": 32, "cpus": 1, "salt": "AAAAAAAAAAAAAAAAAAAAAA=="}}},
    "tokens": {"0": {"type": "systemd-tpm2", "keyslots": ["0"]}},
    "segments": {"0": {"type": "crypt", "offset": "36864", "size": "dynamic", "iv_tweak": "0", "encryption": "aes-xts-plain64",
                       "sector_size": 512}},
    "digests": {"0": {"type": "pbkdf2", "keyslots": ["0"], "segments": ["0"], "hash": "sha256", "iterations": 1000,
                      "salt": "AAAA", "digest": "AAAA"}},
    "config": {"json_size": "12288", "keyslots_size": "4096"},
}


def luks2():
    def header(magic, offset):
        head = bytearray(4096)
        struct.pack_into(">6sHQQ48s32s64s40s48sQ", head, 0, magic, 2, 16384, 1, b"seed", b"sha256", b"",
                         b"01234567-89ab-cdef-0123-456789abcdef", b"", offset)
        area = json.dumps(LUKS2).encode()
        whole = head + area + bytes(12288 - len(area))
        whole[448:480] = hashlib.sha256(whole).digest()
        return bytes(whole)
    return header(b"LUKS\xba\xbe", 0) + header(b"SKUL\xba\xbe", 16384) + bytes(8192)


def corestorage():
    head = bytearray(8192)
    struct.pack_into("<HH", head, 8, 1, 0x10)
    head[88:90] = b"CS"
    struct.pack_into("<II", head, 96, 4096, 4096)
    struct.pack_into("<I", head, 172, 2)
    return bytes(head)


def android():
    footer = bytearray(0x4000)
    struct.pack_into("<IHHIIIIQI64s", footer, 0, 0xD0B5B1C4, 1, 3, 192, 0, 16, 2, 0, 3, b"aes-cbc-essiv:sha256")
    return bytes(8192 + len(footer))[: 8192] + bytes(footer)


os.makedirs("corpus", exist_ok=True)
SEEDS = {"bitlocker_decrypted": bitlocker(1), "bitlocker": bitlocker(4), "bitlocker_on_write": bitlocker(4, True),
         "luks1": luks1(), "luks2": luks2(), "luks2_json": json.dumps(LUKS2).encode(), "corestorage": corestorage(),
         "android_footer": android()}
for name, data in SEEDS.items():
    with open(os.path.join("corpus", name), "wb") as out:
        out.write(data)
