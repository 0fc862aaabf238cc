#!/usr/bin/env python3
"""Writes an entry into the log of a VHDX that reaches the log's end and goes on at its start, as of a disk that was not
closed (MS-VHDX 2.3). Usage: vhdx_log.py FILE TARGET BYTE: the 4 KiB at TARGET of the file are to become BYTE."""

import struct
import sys

SECTOR = 4096
GUID = bytes(range(1, 17))


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def with_sum(data):
    data = bytearray(data)
    data[4:8] = bytes(4)
    data[4:8] = struct.pack("<I", crc32c(data))
    return bytes(data)


def main():
    name, target, byte = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(name, "r+b") as file:
        headers = []
        for at in (64 * 1024, 128 * 1024):
            file.seek(at)
            data = file.read(SECTOR)
            headers.append((struct.unpack_from("<Q", data, 8)[0], at, data))
        _, at, header = max(headers)
        size, place = struct.unpack_from("<I", header, 68)[0], struct.unpack_from("<Q", header, 72)[0]
        header = bytearray(header)
        header[48:64] = GUID
        file.seek(at)
        file.write(with_sum(header))
        file.seek(0, 2)
        end = file.tell()
        sequence, data = 7, bytes([byte]) * SECTOR
        first = size - SECTOR
        entry = struct.pack("<4sIIIQII16sQQ", b"loge", 0, 2 * SECTOR, first, sequence, 1, 0, GUID, end, end)
        entry += struct.pack("<4s4s8sQQ", b"desc", data[-4:], data[:8], target, sequence)
        entry = entry.ljust(SECTOR, b"\0") + struct.pack("<4sI", b"data", sequence >> 32) + data[8:-4]
        entry = with_sum(entry + struct.pack("<I", sequence & 0xFFFFFFFF))
        file.seek(place + first)
        file.write(entry[:SECTOR])
        file.seek(place)
        file.write(entry[SECTOR:])


main()
