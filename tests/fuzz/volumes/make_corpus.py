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
import zlib

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


def gpt_backup():
    """The first header is gone, the one in the last sector and its entries are sound."""
    disk = bytearray(60 * SECTOR)
    disk[0:SECTOR] = boot_record([mbr_entry(0xEE, 1, 59)])
    entries = bytearray(8 * 128)
    struct.pack_into("<16s16sQQQ72s", entries, 0, b"\2" * 16, b"\1" * 16, 10, 40, 0, "kept".encode("utf-16-le"))
    header = bytearray(struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 59, 1, 4, 56, b"\1" * 16, 57, 8,
                                   128, zlib.crc32(entries)))
    struct.pack_into("<I", header, 16, zlib.crc32(header))
    disk[57 * SECTOR:57 * SECTOR + len(entries)] = entries
    disk[59 * SECTOR:59 * SECTOR + len(header)] = header
    return bytes(disk)


def apple_map():
    disk = bytearray(40 * SECTOR)
    struct.pack_into(">2sH", disk, 0, b"ER", SECTOR)
    for i, (start, length, name, kind) in enumerate([(1, 3, b"Apple", b"Apple_partition_map"), (8, 20, b"d", b"Apple_HFS")]):
        struct.pack_into(">2sHIII32s32s", disk, SECTOR * (i + 1), b"PM", 0, 2, start, length, name, kind)
    return bytes(disk)


def bsd_slice():
    disk = bytearray(60 * SECTOR)
    disk[0:SECTOR] = boot_record([mbr_entry(0xA5, 4, 50)])
    label = 5 * SECTOR
    struct.pack_into("<I36xI", disk, label, 0x82564557, SECTOR)
    struct.pack_into("<IHH", disk, label + 132, 0x82564557, 0, 4)
    for i, (start, length, kind) in enumerate([(4, 20, 7), (0, 0, 0), (0, 50, 0), (30, 10, 8)]):
        struct.pack_into("<IIIB", disk, label + 148 + 16 * i, length, start, 0, kind)
    return bytes(disk)


def md_mirror():
    disk = bytearray(200 * SECTOR)
    struct.pack_into("<III4x16s32s", disk, 4096, 0xA92B4EFC, 1, 0, b"\1" * 16, b"seed:0")
    struct.pack_into("<II", disk, 4096 + 72, 1, 0)
    struct.pack_into("<I", disk, 4096 + 92, 2)
    struct.pack_into("<QQQ", disk, 4096 + 128, 40, 120, 8)
    disk[40 * SECTOR:160 * SECTOR] = fat12()
    return bytes(disk)


def lvm():
    text = b"""vg { id = "v" extent_size = 8
physical_volumes { pv0 { id = "0123456789abcdef0123456789abcdef" pe_start = 32 pe_count = 20 } }
logical_volumes { a { id = "a" status = ["VISIBLE"] segment_count = 2
segment1 { start_extent = 0 extent_count = 8 type = "striped" stripe_count = 1 stripes = ["pv0", 0] }
segment2 { start_extent = 8 extent_count = 8 type = "striped" stripe_count = 1 stripes = ["pv0", 10] } } } }
"""
    disk = bytearray(32 * SECTOR)
    struct.pack_into("<8sQII8s", disk, SECTOR, b"LABELONE", 1, 0, 32, b"LVM2 001")
    struct.pack_into("<32sQQQQQQQQQ", disk, SECTOR + 32, b"0123456789abcdef0123456789abcdef", 200 * SECTOR, 32 * SECTOR, 0, 0, 0,
                     4096, 8192, 0, 0)
    struct.pack_into("<I16sIQQQQ", disk, 4096, 0, b" LVM2 x[5A%r0N*>", 1, 4096, 8192, 512, len(text))
    disk[4096 + 512:4096 + 512 + len(text)] = text
    image = fat12()
    return bytes(disk) + image[:64 * SECTOR] + bytes(16 * SECTOR) + image[64 * SECTOR:]


def xfs_inode(mode, form, size, extents, fork):
    core = struct.pack(">2sHBBHIIIHH6xH", b"IN", mode, 2, form, 0, 0, 0, 1, 0, 0, 0)
    core += struct.pack(">IIIIII", *([1719835200, 0] * 3)) + struct.pack(">QQIIHBBIHHI", size, 1, 0, extents, 0, 0, 2, 0, 0, 0, 7)
    return (core + b"\xff\xff\xff\xff" + fork).ljust(256, b"\0")


def xfs():
    """Version 4, blocks of 512 bytes: a short directory, a file, a directory of one block with a deleted name, a link."""
    block = 512
    disk = bytearray(64 * block)
    struct.pack_into(">4sIQ", disk, 0, b"XFSB", block, 64)
    struct.pack_into(">Q", disk, 56, 64)
    struct.pack_into(">II", disk, 84, 64, 1)
    struct.pack_into(">HHHH12s", disk, 100, 4, block, 256, 2, b"seed")
    disk[120:125] = bytes([9, 9, 8, 1, 6])

    def extent(place, count):
        return struct.pack(">QQ", place >> 43, (place & (1 << 43) - 1) << 21 | count)

    def put_inode(number, data):
        disk[number * 256:number * 256 + 256] = data

    names = [(b"file", 65), (b"dir", 66), (b"link", 67)]
    short = struct.pack(">BBI", len(names), 0, 64)
    for name, inode in names:
        short += struct.pack(">BH", len(name), 0) + name + struct.pack(">I", inode)
    put_inode(64, xfs_inode(0o40755, 1, len(short), 0, short))
    put_inode(65, xfs_inode(0o100644, 2, 700, 1, extent(40, 2)))
    put_inode(66, xfs_inode(0o40755, 2, block, 1, extent(44, 1)))
    put_inode(67, xfs_inode(0o120777, 1, 4, 0, b"file"))
    directory = bytearray(block)
    struct.pack_into(">4s12x", directory, 0, b"XD2D")
    struct.pack_into(">QB5sH", directory, 16, 65, 5, b"again", 16)
    struct.pack_into(">HHIB4sxH", directory, 32, 0xFFFF, block - 32, 65, 4, b"gone", 32)
    disk[44 * block:45 * block] = directory
    disk[40 * block:40 * block + 6] = b"inside"
    struct.pack_into(">4sIII", disk, block, b"XAGF", 1, 0, 64)
    struct.pack_into(">III4xIII", disk, block + 16, 50, 50, 0, 1, 1, 0)
    struct.pack_into(">4sHHIIII", disk, 50 * block, b"ABTB", 0, 1, 0xFFFFFFFF, 0xFFFFFFFF, 52, 10)
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


def both(value, size):
    return value.to_bytes(size, "little") + value.to_bytes(size, "big")


def iso_record(name, block, size, directory):
    body = b"\0" + both(block, 4) + both(size, 4) + bytes(7) + bytes([2 if directory else 0, 0, 0]) + both(1, 2)
    record = body + bytes([len(name)]) + name
    record += bytes((len(record) + 1) % 2)
    return bytes([len(record) + 1]) + record


def iso_session(start, size, names):
    """A volume descriptor, its end, a root directory and a sector of content; blocks counted from the disc's start."""
    root, content = start + 18, start + 19
    descriptor = bytearray(2048)
    descriptor[:7] = b"\x01CD001\x01"
    descriptor[80:88], descriptor[128:132] = both(size, 4), both(2048, 2)
    descriptor[156:190] = iso_record(b"\0", root, 2048, True)
    records = iso_record(b"\0", root, 2048, True) + iso_record(b"\1", root, 2048, True)
    for name in names:
        records += iso_record(name, content, 20, False)
    end = b"\xffCD001\x01".ljust(2048, b"\0")
    return bytes(descriptor) + end + records.ljust(2048, b"\0") + b"a file of a session\n".ljust(2048, b"\0")


def two_sessions():
    """From the first descriptor on, as the fuzzer takes it."""
    return iso_session(0, 20, [b"OLD.TXT;1"]) + bytes(16 * 2048) + iso_session(20, 20, [b"NEW.TXT;1"])


def main():
    iso = os.path.join(os.path.dirname(os.path.abspath(__file__)), "iso")
    with open(os.path.join(iso, "two_sessions"), "wb") as out:
        out.write(two_sessions())
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
    os.makedirs(folder, exist_ok=True)
    seeds = {"fat12": fat12(), "partitioned": partitioned(), "gpt": gpt(), "text": b"A shopping list: bread, milk.\n",
             "gpt_backup": gpt_backup(), "apple_map": apple_map(), "bsd_slice": bsd_slice(), "md_mirror": md_mirror(),
             "lvm": lvm(), "xfs": xfs(),
             "luks": b"LUKS\xba\xbe\x00\x02".ljust(1024, b"\0"), "bitlocker": b"\xeb\x58\x90-FVE-FS-".ljust(1024, b"\0")}
    image = ext2()
    if image is not None:
        seeds["ext2"] = image
    for name, data in seeds.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)


if __name__ == "__main__":
    main()
