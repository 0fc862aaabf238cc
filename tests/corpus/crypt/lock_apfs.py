#!/usr/bin/env python3
"""lock_apfs.py PLAIN LOCKED PASSWORD HINT: encrypts the one volume of a small APFS container as FileVault does, by
the Apple File System Reference (needs python3-cryptography). The trees of the volume must be single nodes."""
import hashlib
import struct
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

plain, locked, password, hint = sys.argv[1:]
SIZE = 4096
data = bytearray(open(plain, "rb").read())
VEK, KEK, SALT, ITERATIONS = bytes(range(32)), bytes(range(100, 132)), b"salt of the test", 1000
PEOPLE = bytes.fromhex("0123456789abcdef0123456789abcdef")
KEYBAG, RECORDS = len(data) // SIZE - 2, len(data) // SIZE - 1  # free blocks


def block(number):
    return data[number * SIZE:(number + 1) * SIZE]


def store(number, content):
    data[number * SIZE:(number + 1) * SIZE] = content


def sealed(content):
    """With the checksum of an object: Fletcher 64."""
    first = second = 0
    for (word,) in struct.iter_unpack("<I", bytes(content[8:])):
        first = (first + word) % 0xffffffff
        second = (second + first) % 0xffffffff
    low = 0xffffffff - (first + second) % 0xffffffff
    high = 0xffffffff - (first + low) % 0xffffffff
    return struct.pack("<II", low, high) + content[8:]


def encrypt(content, key, number):
    """AES-XTS in sectors of 512 bytes; by hand, since libraries refuse two halves that are the same."""
    first = Cipher(algorithms.AES(key[:16]), modes.ECB()).encryptor()
    second = Cipher(algorithms.AES(key[16:]), modes.ECB()).encryptor()
    out = b""
    for i in range(0, len(content), 512):
        tweak = second.update((number * (SIZE // 512) + i // 512).to_bytes(16, "little"))
        for at in range(i, i + 512, 16):
            mixed = bytes(a ^ b for a, b in zip(content[at:at + 16], tweak))
            out += bytes(a ^ b for a, b in zip(first.update(mixed), tweak))
            value = int.from_bytes(tweak, "little") << 1
            tweak = ((value & (1 << 128) - 1) ^ (0x87 if value >> 128 else 0)).to_bytes(16, "little")
    return out


def entries(node):
    """Place of key and value of each entry in a node."""
    flags, _, count, table, length = struct.unpack_from("<HHIHH", node, 0x20)
    keys = 0x38 + table + length
    end = SIZE - (40 if flags & 1 else 0)
    for i in range(count):
        if flags & 4:
            key, value = struct.unpack_from("<HH", node, 0x38 + table + 4 * i)
        else:
            key, _, value, _ = struct.unpack_from("<HHHH", node, 0x38 + table + 8 * i)
        yield keys + key, end - value


def tagged(tag, content):
    return bytes([tag, len(content)]) + content


def wrapped(key, more=b""):
    return tagged(0x30, tagged(0xa3, tagged(0x81, PEOPLE) + tagged(0x82, bytes(8)) + tagged(0x83, key) + more))


def keybag(kind, items, key, number):
    body = b""
    for uuid, tag, content in items:
        body += struct.pack("<16sHHI", uuid, tag, len(content), 0) + content
        body += bytes(-len(body) % 16)
    content = struct.pack("<QQQIIHHIQ", 0, 0, 1, kind, 0, 2, len(items), len(body), 0) + body
    store(number, encrypt(sealed(content + bytes(SIZE - len(content))), key + key, number))


container = volume = None
for number in range(len(data) // SIZE):
    content = block(number)
    if content[0x20:0x24] == b"NXSB":
        container = bytes(content[0x48:0x58])
        flags = struct.unpack_from("<Q", content, 0x4f0)[0] | 4  # encrypted by software
        struct.pack_into("<Q", content, 0x4f0, flags)
        struct.pack_into("<QQ", content, 0x510, KEYBAG, 1)
        store(number, sealed(content))
    if content[0x20:0x24] == b"APSB":
        volume = bytes(content[0xf0:0x100])
        map_at, root = struct.unpack_from("<QQ", content, 0x80)
        struct.pack_into("<Q", content, 0x108, struct.unpack_from("<Q", content, 0x108)[0] & ~1 | 8)
        store(number, sealed(content))
# The object map leads to the nodes of the file tree.
map_root = struct.unpack_from("<Q", block(map_at), 0x30)[0]
objects = block(map_root)
for key_at, value_at in entries(objects):
    number = struct.unpack_from("<Q", objects, value_at + 8)[0]
    node = block(number)
    if struct.unpack_from("<H", node, 0x22)[0] == 0:
        for key, value in entries(node):
            if node[key + 7] >> 4 != 8:
                continue
            length, place, _ = struct.unpack_from("<QQQ", node, value)
            struct.pack_into("<Q", node, value + 16, place)
            for each in range(place, place + (length & (1 << 56) - 1) // SIZE):
                store(each, encrypt(block(each), VEK, each))
    store(number, encrypt(sealed(node), VEK, number))
    struct.pack_into("<I", objects, value_at, struct.unpack_from("<I", objects, value_at)[0] | 4)
store(map_root, sealed(objects))
user_key = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT, ITERATIONS, 32)
keybag(0x6b657973, [(volume, 2, wrapped(aes_key_wrap(KEK, VEK))), (volume, 3, struct.pack("<QQ", RECORDS, 1))],
       container, KEYBAG)
keybag(0x72656373, [(PEOPLE, 3, wrapped(aes_key_wrap(user_key, KEK),
                                        tagged(0x84, struct.pack(">I", ITERATIONS)) + tagged(0x85, SALT))),
                    (volume, 4, hint.encode())], volume, RECORDS)
with open(locked, "wb") as out:
    out.write(data)
