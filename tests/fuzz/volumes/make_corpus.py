#!/usr/bin/env python3
"""Writes the seed corpus of the volumes fuzzer: tiny images, the same bytes each time.

FAT12 bare and in a partition table with an extended partition, a GPT, signatures of what is not read, plain text.
An ext2 image is added where mke2fs is installed (fixed UUID and times). Run it in this folder.
"""
import os
import shutil
import struct
import subprocess
import tempfile

SECTOR = 512
DATE = (2024 - 1980) << 9 | 7 << 5 | 1


def entry(name, attributes, cluster, size):
    return struct.pack("<11sBBBHHHHHHHI", name, attributes, 0, 0, 0, DATE, DATE, 0, 0, DATE, cluster, size)


def fat12():
    """120 sectors: one file, one deleted file, one directory that holds a file and a loop to itself."""
    boot = bytearray(SECTOR)
    struct.pack_into("<3s8sHBHBHHBHHHII", boot, 0, b"\xeb\x3c\x90", b"MSDOS5.0", SECTOR, 1, 1, 1, 16, 120, 0xF8, 1, 1, 1, 0, 0)
    struct.pack_into("<BBBI11s8s", boot, 36, 0x80, 0, 0x29, 0x12345678, b"SEED       ", b"FAT12   ")
    boot[510:512] = b"\x55\xaa"
    fat = bytearray(SECTOR)
    for cluster, value in enumerate([0xFF8, 0xFFF, 0xFFF, 0, 0xFFF, 0xFFF]):
        at = cluster * 3 // 2
        word = fat[at] | fat[at + 1] << 8
        word = word & 0x0F | value << 4 if cluster & 1 else word & 0xF000 | value
        fat[at], fat[at + 1] = word & 0xFF, word >> 8
    root = b"".join([entry(b"SEED       ", 8, 0, 0), entry(b"HELLO   TXT", 32, 2, 5), entry(b"\xe5ONE    TXT", 32, 3, 4),
                     entry(b"FOLDER     ", 16, 4, 0)])
    folder = b"".join([entry(b".          ", 16, 4, 0), entry(b"..         ", 16, 0, 0),
                       entry(b"INSIDE  TXT", 32, 5, 6), entry(b"LOOP       ", 16, 4, 0)])
    data = [b"hello", b"gone", folder, b"inside"]
    image = bytes(boot) + bytes(fat) + root.ljust(SECTOR, b"\0") + b"".join(d.ljust(SECTOR, b"\0") for d in data)
    return image.ljust(120 * SECTOR, b"\0")


def mbr_entry(kind, start, length):
    return struct.pack("<B3sB3sII", 0, b"\0\0\0", kind, b"\0\0\0", start, length)


def boot_record(entries):
    return (b"\0" * 446 + b"".join(entries)).ljust(510, b"\0") + b"\x55\xaa"


def partitioned():
    disk = bytearray(130 * SECTOR)
    disk[0:SECTOR] = boot_record([mbr_entry(0x0C, 4, 60), mbr_entry(0x05, 70, 60)])
    disk[70 * SECTOR:71 * SECTOR] = boot_record([mbr_entry(0x06, 2, 20), mbr_entry(0x05, 30, 20)])
    disk[100 * SECTOR:101 * SECTOR] = boot_record([mbr_entry(0x83, 2, 10)])
    disk[4 * SECTOR:64 * SECTOR] = fat12()[:60 * SECTOR]
    return bytes(disk)


def gpt():
    disk = bytearray(60 * SECTOR)
    disk[0:SECTOR] = boot_record([mbr_entry(0xEE, 1, 59)])
    header = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, 59, 4, 58, b"\1" * 16, 2, 8, 128, 0)
    disk[SECTOR:SECTOR + len(header)] = header
    for i, (first, last) in enumerate([(10, 19), (20, 50)]):
        struct.pack_into("<16s16sQQQ72s", disk, 2 * SECTOR + 128 * i, b"\2" * 16, bytes([i + 1]) * 16, first, last, 0,
                         "seed".encode("utf-16-le"))
    return bytes(disk)


def ext2():
    if not shutil.which("mke2fs", path=os.environ["PATH"] + ":/sbin:/usr/sbin"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        tree, image = os.path.join(folder, "tree"), os.path.join(folder, "image")
        os.makedirs(os.path.join(tree, "inner"))
        with open(os.path.join(tree, "inner", "file"), "w") as out:
            out.write("inside")
        os.symlink("inner/file", os.path.join(tree, "link"))
        for root, folders, files in os.walk(tree, topdown=False):
            for name in folders + files:
                os.utime(os.path.join(root, name), (1719835200, 1719835200), follow_symlinks=False)
        os.utime(tree, (1719835200, 1719835200))
        uuid = "00000000-0000-0000-0000-000000000001"
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext2", "-N", "16", "-b", "1024", "-U", uuid, "-E",
                        "hash_seed=" + uuid + ",root_owner=0:0", "-d", tree, image, "64"], check=True,
                       env={**os.environ, "E2FSPROGS_FAKE_TIME": "1719835200",
                            "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"})
        with open(image, "rb") as result:
            return fixed_times(bytearray(result.read().ljust(64 * 1024, b"\0")))


def fixed_times(image):
    """Change times come from the clock whatever mke2fs is told: they are set afterwards."""
    when = struct.pack("<I", 1719835200)
    image[1024 + 48:1024 + 52] = when
    inodes = struct.unpack_from("<I", image, 1024)[0]
    inode_size = struct.unpack_from("<H", image, 1024 + 88)[0]
    table = struct.unpack_from("<I", image, 2048 + 8)[0] * 1024
    for at in range(table, table + inodes * inode_size, inode_size):
        if struct.unpack_from("<I", image, at + 12)[0] != 0:
            image[at + 12:at + 16] = when
            if inode_size > 128:
                image[at + 132:at + 144] = bytes(12)
    return bytes(image)


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
    os.makedirs(folder, exist_ok=True)
    seeds = {"fat12": fat12(), "partitioned": partitioned(), "gpt": gpt(), "text": b"A shopping list: bread, milk.\n",
             "luks": b"LUKS\xba\xbe\x00\x02".ljust(1024, b"\0"), "bitlocker": b"\xeb\x58\x90-FVE-FS-".ljust(1024, b"\0")}
    image = ext2()
    if image is not None:
        seeds["ext2"] = image
    for name, data in seeds.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)


if __name__ == "__main__":
    main()
