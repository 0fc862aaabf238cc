#!/usr/bin/env python3
"""Makes small phone backups with fictional data: make_backups.py FOLDER.

Written from the descriptions of the formats, apart from the program's own readers: key derivation by hashlib, AES by
the rules of FIPS 197 (checked against its example before use), key wrap by RFC 3394, property lists by plistlib.
Everything is the same on each run.
"""
import hashlib
import io
import os
import plistlib
import sqlite3
import struct
import sys
import tarfile
import zipfile
import zlib

PASSWORD = "Ship-Shape 42 £"
UDID = "00008030-001122334455667A"


# --- AES, RFC 3394 ---------------------------------------------------------------------------------------------
def _tables():
    box, power = [0] * 256, 1
    inverse = {1: 1}
    multiply = lambda a, b: _multiply(a, b)
    for a in range(1, 256):
        for b in range(1, 256):
            if multiply(a, b) == 1:
                inverse[a] = b
                break
    for value in range(256):
        x = inverse.get(value, 0)
        y = x
        for _ in range(4):
            x = ((x << 1) | (x >> 7)) & 0xFF
            y ^= x
        box[value] = y ^ 0x63
    return box


def _multiply(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


SBOX = _tables()
DOUBLE = [_multiply(i, 2) for i in range(256)]
TRIPLE = [_multiply(i, 3) for i in range(256)]


class Aes:
    def __init__(self, key):
        words = [list(key[i:i + 4]) for i in range(0, len(key), 4)]
        count, self.rounds = len(words), len(words) + 6
        constant = 1
        for i in range(count, 4 * (self.rounds + 1)):
            word = list(words[-1])
            if i % count == 0:
                word = [SBOX[b] for b in word[1:] + word[:1]]
                word[0] ^= constant
                constant = _multiply(constant, 2)
            elif count > 6 and i % count == 4:
                word = [SBOX[b] for b in word]
            words.append([a ^ b for a, b in zip(words[i - count], word)])
        self.keys = [sum(words[4 * r:4 * r + 4], []) for r in range(self.rounds + 1)]

    def encrypt(self, block):
        s = [a ^ b for a, b in zip(block, self.keys[0])]
        for r in range(1, self.rounds + 1):
            s = [SBOX[s[(i + 4 * (i % 4)) % 16]] for i in range(16)]
            if r < self.rounds:
                mixed = []
                for c in range(0, 16, 4):
                    a, b, x, d = s[c:c + 4]
                    mixed += [DOUBLE[a] ^ TRIPLE[b] ^ x ^ d, a ^ DOUBLE[b] ^ TRIPLE[x] ^ d,
                              a ^ b ^ DOUBLE[x] ^ TRIPLE[d], TRIPLE[a] ^ b ^ x ^ DOUBLE[d]]
                s = mixed
            s = [a ^ b for a, b in zip(s, self.keys[r])]
        return bytes(s)


assert Aes(bytes(range(32))).encrypt(bytes.fromhex("00112233445566778899aabbccddeeff")).hex() == \
    "8ea2b7ca516745bfeafc49904b496089"  # FIPS 197, C.3


def cbc(key, iv, plain):
    aes, previous, out = Aes(key), iv, []
    pad = 16 - len(plain) % 16
    plain += bytes([pad]) * pad
    for at in range(0, len(plain), 16):
        previous = aes.encrypt(bytes(a ^ b for a, b in zip(plain[at:at + 16], previous)))
        out.append(previous)
    return b"".join(out)


def wrap(kek, key):
    aes, a, r = Aes(kek), 0xA6A6A6A6A6A6A6A6, [key[i:i + 8] for i in range(0, len(key), 8)]
    for j in range(6):
        for i in range(len(r)):
            block = aes.encrypt(struct.pack(">Q", a) + r[i])
            a = struct.unpack(">Q", block[:8])[0] ^ (len(r) * j + i + 1)
            r[i] = block[8:]
    return struct.pack(">Q", a) + b"".join(r)


def some_bytes(label, count):
    return hashlib.shake_256(label.encode()).digest(count)


# --- iTunes ----------------------------------------------------------------------------------------------------
NOTE = b"Meet me by the harbour at nine.\n" * 1500
FILES = [  # domain, path, flags, bytes, mode, class
    ("HomeDomain", "", 2, None, 0o40755, 0),
    ("HomeDomain", "Library", 2, None, 0o40755, 0),
    ("HomeDomain", "Library/Notes/harbour.txt", 1, NOTE, 0o100644, 3),
    ("HomeDomain", "Library/Notes/empty", 1, b"", 0o100600, 3),
    ("HomeDomain", "Library/Notes/sixteen", 1, b"0123456789abcdef", 0o100600, 4),
    ("CameraRollDomain", "Media/DCIM/100APPLE/IMG_0001.JPG", 1, some_bytes("picture", 70001), 0o100644, 4),
    ("AppDomain-com.example.chat", "Documents/caf\u00e9.db", 1, b"SQLite-like text", 0o100644, 3),
    ("AppDomain-com.example.chat", "Documents/current", 4, None, 0o120755, 0),
    ("AppDomain-com.example.chat", "../outside", 1, b"climbs", 0o100644, 3),
    ("HomeDomain", "Library/Notes/lost", 1, b"its bytes are not in the backup", 0o100644, 3),
]
TIMES = {"Birth": 1714760000, "LastModified": 1714770000, "LastStatusChange": 1714780000}


def file_id(domain, path):
    return hashlib.sha1((domain + "-" + path).encode()).hexdigest()


def mbfile(path, flags, data, mode, protection, key):
    uid = plistlib.UID
    root = {"$class": uid(3), "Birth": TIMES["Birth"], "LastModified": TIMES["LastModified"],
            "LastStatusChange": TIMES["LastStatusChange"], "Flags": 0, "GroupID": 501, "UserID": 501,
            "InodeNumber": 4242, "Mode": mode, "ProtectionClass": protection, "RelativePath": uid(2),
            "Size": len(data or b"")}
    objects = ["$null", root, path, {"$classname": "MBFile", "$classes": ["MBFile", "NSObject"]}]
    if flags == 4:
        root["Target"] = uid(len(objects))
        objects.append("Documents/caf\u00e9.db")
    if key:
        root["EncryptionKey"] = uid(len(objects))
        objects.append({"$class": uid(len(objects) + 1), "NS.data": key})
        objects.append({"$classname": "NSMutableData", "$classes": ["NSMutableData", "NSData", "NSObject"]})
    archive = {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": {"root": uid(1)}, "$objects": objects}
    return plistlib.dumps(archive, fmt=plistlib.FMT_BINARY)


def tag(name, value):
    if isinstance(value, int):
        value = struct.pack(">I", value)
    return name.encode() + struct.pack(">I", len(value)) + value


CLASS_KEYS = {number: some_bytes("class %d" % number, 32) for number in (1, 2, 3, 4, 11)}


def keybag(password, double):
    salt, first_salt, rounds, first_rounds = some_bytes("salt", 20), some_bytes("first salt", 20), 500, 2000
    key = password.encode()
    if double:
        key = hashlib.pbkdf2_hmac("sha256", key, first_salt, first_rounds, 32)
    key = hashlib.pbkdf2_hmac("sha1", key, salt, rounds, 32)
    bag = tag("VERS", 3) + tag("TYPE", 1) + tag("UUID", some_bytes("bag", 16)) + tag("HMCK", some_bytes("hmck", 40))
    bag += tag("WRAP", 0) + tag("SALT", salt) + tag("ITER", rounds)
    if double:
        bag += tag("DPWT", 1) + tag("DPIC", first_rounds) + tag("DPSL", first_salt)
    for number, class_key in CLASS_KEYS.items():
        bag += tag("UUID", some_bytes("uuid %d" % number, 16)) + tag("CLAS", number)
        bag += tag("WRAP", 3 if number == 11 else 2) + tag("KTYP", 0) + tag("WPKY", wrap(key, class_key))
    return bag


def file_key(path, protection):
    key = some_bytes("key of " + path, 32)
    return key, struct.pack("<I", protection) + wrap(CLASS_KEYS[protection], key)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data)


def plists(folder, encrypted, double, ios, manifest_key=None):
    lockdown = {"DeviceName": "Example\u2019s phone", "ProductType": "iPhone12,1", "ProductVersion": ios,
                "SerialNumber": "F00EXAMPLE01", "UniqueDeviceID": UDID, "BuildVersion": "20A362"}
    manifest = {"IsEncrypted": encrypted, "Version": "10.0", "WasPasscodeSet": True, "Lockdown": lockdown,
                "BackupKeyBag": keybag(PASSWORD, double), "Applications": {}}
    if manifest_key:
        manifest["ManifestKey"] = manifest_key
    write(folder + "/Manifest.plist", plistlib.dumps(manifest, fmt=plistlib.FMT_BINARY))
    info = {"Device Name": "Example\u2019s phone", "Product Name": "iPhone 11", "Product Type": "iPhone12,1",
            "Product Version": ios, "Serial Number": "F00EXAMPLE01", "Unique Identifier": UDID,
            "Phone Number": "+44 7700 900123", "IMEI": "490154203237518"}
    import datetime
    info["Last Backup Date"] = datetime.datetime(2024, 5, 4, 9, 30, 0)
    write(folder + "/Info.plist", plistlib.dumps(info, fmt=plistlib.FMT_XML))
    status = {"IsFullBackup": False, "SnapshotState": "finished", "UUID": "11111111-2222-3333-4444-555555555555"}
    write(folder + "/Status.plist", plistlib.dumps(status, fmt=plistlib.FMT_BINARY))


def store(folder, domain, path, data, flat=False):
    name = file_id(domain, path)
    write(folder + "/" + (name if flat else name[:2] + "/" + name), data)


def itunes(folder, encrypted):
    os.makedirs(folder)
    database = folder + "/Manifest.db"
    db = sqlite3.connect(database)
    db.execute("CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)")
    db.execute("CREATE TABLE Properties (key TEXT PRIMARY KEY, value BLOB)")
    for domain, path, flags, data, mode, protection in FILES:
        key = wrapped = None
        if encrypted and flags == 1:
            key, wrapped = file_key(path, protection)
        db.execute("INSERT INTO Files VALUES (?, ?, ?, ?, ?)",
                   (file_id(domain, path), domain, path, flags, mbfile(path, flags, data, mode, protection, wrapped)))
        if flags == 1 and not path.endswith("lost"):
            store(folder, domain, path, cbc(key, bytes(16), data) if key else data)
    db.commit()
    db.close()
    write(folder + "/ab/" + "ab" * 20, b"named nowhere")
    manifest_key = None
    if encrypted:
        key = some_bytes("manifest key", 32)
        manifest_key = struct.pack("<I", 4) + wrap(CLASS_KEYS[4], key)
        with open(database, "rb") as plain:
            table = plain.read()
        write(database, cbc(key, bytes(16), table)[:len(table)])
    plists(folder, encrypted, True, "16.1", manifest_key)


def mbdb(folder, encrypted):
    os.makedirs(folder)
    text = lambda value: b"\xff\xff" if value is None else struct.pack(">H", len(value)) + value
    out = b"mbdb\x05\x00"
    for domain, path, flags, data, mode, protection in FILES:
        key = wrapped = None
        if encrypted and flags == 1:
            key, wrapped = file_key(path, protection)
        target = "Documents/caf\u00e9.db".encode() if flags == 4 else None
        out += text(domain.encode()) + text(path.encode()) + text(target) + text(None) + text(wrapped)
        out += struct.pack(">HQIIIIIQBB", mode, 4242, 501, 501, TIMES["LastModified"], 1714790000, TIMES["Birth"],
                           len(data or b""), protection, 1)
        out += text(b"com.example.attribute") + text(b"value")
        if flags == 1 and not path.endswith("lost"):
            store(folder, domain, path, cbc(key, bytes(16), data) if key else data, flat=True)
    write(folder + "/Manifest.mbdb", out)
    plists(folder, encrypted, False, "9.3.5")


# --- Android ---------------------------------------------------------------------------------------------------
def android_tar():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        def add(name, data, mode=0o600):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime, info.uid, info.gid = len(data), mode, 1714770000, 10061, 10061
            tar.addfile(info, io.BytesIO(data))
        add("apps/com.example.chat/_manifest", b"1\ncom.example.chat\n7\n33\n\n0\n0\n")
        add("apps/com.example.chat/db/msgs.db", some_bytes("database", 40000))
        add("apps/com.example.chat/f/note.txt", NOTE)
        add("shared/0/Pictures/caf\u00e9.jpg", some_bytes("jpeg", 3000))
    return out.getvalue()


def java_text(data, eight_bit):
    """Bytes as Java's signed bytes made characters, then given to PBKDF2."""
    return data if eight_bit else b"".join(
        bytes([b]) if b < 0x80 else chr(0xFF00 | b).encode("utf-8") for b in data)


def adb(path, version, compressed, password=None, cut=None):
    payload = android_tar()
    if compressed:
        payload = zlib.compress(payload)
    header = "ANDROID BACKUP\n%d\n%d\n" % (version, compressed)
    if password is None:
        data = (header + "none\n").encode() + payload
    else:
        eight_bit = version == 1
        user_salt, check_salt, rounds = some_bytes("user salt", 64), some_bytes("check salt", 64), 1000
        user_iv, iv, key = some_bytes("user iv", 16), some_bytes("iv", 16), some_bytes("master key", 32)
        secret = password.encode("latin-1") if eight_bit else password.encode()
        user_key = hashlib.pbkdf2_hmac("sha1", secret, user_salt, rounds, 32)
        check = hashlib.pbkdf2_hmac("sha1", java_text(key, eight_bit), check_salt, rounds, 32)
        blob = cbc(user_key, user_iv, b"\x10" + iv + b"\x20" + key + b"\x20" + check)
        lines = ["AES-256", user_salt.hex().upper(), check_salt.hex().upper(), str(rounds), user_iv.hex().upper(),
                 blob.hex().upper()]
        data = (header + "\n".join(lines) + "\n").encode() + cbc(key, iv, payload)
    write(path, data[:cut] if cut else data)


# --- Cellebrite ------------------------------------------------------------------------------------------------
REPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.xml")


def ufdr(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, open(REPORT, "rb") as report:
        archive.writestr(zipfile.ZipInfo("report.xml", (2024, 5, 4, 9, 30, 0)), report.read())
        archive.writestr(zipfile.ZipInfo("files/Image/harbour.jpg", (2024, 5, 4, 9, 30, 0)), some_bytes("jpeg", 3000))


def pack(folder, path, below=""):
    names = sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, files in os.walk(folder) for name in files)
    if path.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                with open(os.path.join(folder, name), "rb") as data:
                    archive.writestr(zipfile.ZipInfo(below + name, (2024, 5, 4, 9, 30, 0)), data.read())
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name in names:
                archive.add(os.path.join(folder, name), below + name)


def main(folder):
    itunes(folder + "/itunes", False)
    itunes(folder + "/itunes_encrypted/" + UDID, True)
    pack(folder + "/itunes", folder + "/itunes.zip", UDID + "/")
    pack(folder + "/itunes_encrypted", folder + "/itunes_encrypted.tar.gz")
    mbdb(folder + "/mbdb", False)
    mbdb(folder + "/mbdb_encrypted", True)
    adb(folder + "/plain.ab", 5, 0)
    adb(folder + "/packed.ab", 4, 1)
    adb(folder + "/locked.ab", 5, 1, PASSWORD)
    adb(folder + "/locked1.ab", 1, 1, PASSWORD)
    adb(folder + "/locked_unpacked.ab", 3, 0, PASSWORD)
    adb(folder + "/cut.ab", 4, 1, cut=20000)
    ufdr(folder + "/report.ufdr")


if __name__ == "__main__":
    main(sys.argv[1])
