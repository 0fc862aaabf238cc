#!/usr/bin/env python3
"""make_l01.py FOLDER [small]: logical evidence files (L01) by the published description of the format, and
expected.tsv (path, size, MD5 of each file by hashlib); with "small" the seeds of the fuzzers.

plain.L01 has stored chunks, packed.L01 … is compressed and in segments, cut_list.L01 ends within its list,
wrong_list.L01 has a changed name in it, wrong_hash.L01 a wrong MD5 of one file, lost_runs.L01 runs outside."""
import hashlib
import os
import struct
import sys
import zlib

OUT = sys.argv[1]
CHUNK = 32768
# EnCase 7 and EnCase 6 have them in another order.
COLUMNS7 = "mid ls be id cr ac wr mo dl sig ha sha ent snh p n du lo po pm oes opr src sub cid jq alt ep aq cfi sg ea lpt"
COLUMNS6 = "p n id opr src sub cid jq cr ac wr mo dl aq ha ls du lo po be pm"
expected = []


def noise(size, seed):
    data = b""
    while len(data) < size:
        seed = hashlib.sha256(str(seed).encode()).hexdigest()
        data += bytes.fromhex(seed)
    return data[:size]


def node(name, data=None, below=(), **values):
    return dict(name=name, data=data, below=below, values=values)


def sample():
    shared = noise(5000, 3)
    return [node("C", below=[
        node("notes.txt", b"meeting at the usual place\n", cr="1142163845", wr="1142163846", ac="1142163847",
             mo="1142163848", opr="10", snh="10 NOTES~1.TXT"),
        node("gone.jpg", noise(100000, 1), opr=str(0x80), dl="1300000000"),
        node("empty.txt", b"", ls="0"),
        node("zeros.bin", b"\0", ls="4096", opr=str(0x4000000)),
        node("first.bin", shared),
        node("second.bin", b"x", ls="5000", opr=str(0x4000000), du="SHARED", content=shared),
        node("record.plist", b"\x02\0\0\0 the record", below=[node("record.plist", b"bplist00" + b"A" * 90)], p="1"),
        node("a/b.txt", b"a slash in a name\n"),
        node("\u00fcml\u00e4ut \U0001f600.txt", b"names\n"),
        node("folder", below=[node("deep", below=[node("file.bin", noise(70001, 2))])]),
        node("nothing inside"),
    ])]


def build(tree, columns, first):
    """The text of the list and the bytes of the media."""
    media = bytearray(b"\0")
    rows = []
    columns = columns.split()
    shared_at = [0]

    def emit(one, path):
        values = dict.fromkeys(columns, "")
        values.update(p="" if one["data"] is not None else "1", n=one["name"], opr="0", ha="0" * 32, pm="-1",
                      lo="-1", po="-1")
        data = one["data"]
        content = one["values"].pop("content", None)
        if one["name"] == "first.bin":
            shared_at[0] = len(media)
        if data is None:
            values["be"] = "1 %x 1" % len(media)
            media.extend(b"\0")
        else:
            values["ls"] = str(len(data))
            values["be"] = "1 %x %x" % (len(media), max(1, len(data)))
            media.extend(data or b"\0")
        values.update(one["values"])
        if values.get("du") == "SHARED":
            values["du"] = str(shared_at[0])
        if data is not None:
            size = int(values["ls"])
            content = content or (data if size == len(data) else data * size)
            values["ha"] = hashlib.md5(content).hexdigest().upper()
            if size:
                name = path + "/" + one["name"].replace("/", "\u2215") + (":data" if one["below"] else "")
                expected.append((name, size, hashlib.md5(content).hexdigest()))
        rows.append("%d\t%d" % (first, len(one["below"])))
        rows.append("\t".join(values[c] for c in columns if c in values))
        for child in one["below"]:
            emit(child, path + "/" + one["name"].replace("/", "\u2215"))

    root = dict.fromkeys(columns, "")
    root.update(p="1", n="LogicalEntries" if first else "", be="1 0 1")
    rows.append("%d\t%d" % (first, len(tree)))
    rows.append("\t".join(root[c] for c in columns))
    for one in tree:
        emit(one, "")
    text = "\n".join(
        ["5", "rec", "tb\tcl\tn\tfp\tpg", "%d\t1\t1\t\t" % len(media), "",
         "perm", "0\t1", "p\tn\ts\tpr\tnta\tnti", "0\t0", "1\t\t\t10\t\t", "",
         "srce", "1\t1", "p\tn\tid\tev\ttb\tlo\tpo", "0\t1", "1\t\t\t\t\t\t", "0\t0", "\tentry\t1\tevidence 1\t\t-1\t-1", "",
         "sub", "0\t1", "p\tn\tid\tnu\tco\tgu", "0\t0", "\t\t\t\t1\t", "",
         "entry", "%d\t1" % (len(rows) // 2), "\t".join(columns)] + rows + ["", ""])
    return text, bytes(media)


def sealed(data):
    return data + struct.pack("<I", zlib.adler32(data))


def section(out, kind, data=b"", last=False):
    at = out.tell()
    size = 76 + len(data)
    out.write(sealed(struct.pack("<16sQQ40s", kind.encode(), at if last else at + size, size, b"")))
    out.write(data)


def write(name, text, media, packed=False, segments=1, tamper=None):
    body = text.encode("utf-16-le")
    head = struct.pack("<16sQI20s", hashlib.md5(body).digest(), len(body), 0, b"")
    head = head[:24] + struct.pack("<I", zlib.adler32(head)) + head[28:]
    if tamper:
        body = tamper(body)
    volume = bytearray(1048)
    volume[0] = 0x0e
    struct.pack_into("<IIIQ", volume, 4, 0, CHUNK // 512, 512, 524160)
    chunks = [media[i:i + CHUNK] for i in range(0, len(media), CHUNK)]
    share = -(-len(chunks) // segments)
    about = "1\r\nmain\r\nc\tn\ta\te\tt\tav\tov\tm\tu\tp\r\nC-1\tE-1\tlogical\tA. Example\tnone\t7\tWindows\t\t\t0\r\n\r\n"
    for number in range(segments):
        with open(os.path.join(OUT, name + ".L%02d" % (number + 1)), "wb") as out:
            out.write(struct.pack("<8sBHH", b"LVF\x09\x0d\x0a\xff\x00", 1, number + 1, 0))
            if number == 0:
                section(out, "header", zlib.compress(about.encode()))
                section(out, "volume", sealed(bytes(volume)))
            stored, entries = b"", []
            start = out.tell() + 76
            for chunk in chunks[number * share:(number + 1) * share]:
                small = zlib.compress(chunk)
                if packed and len(small) < len(chunk):
                    entries.append(0x80000000 | (start + len(stored)))
                    stored += small
                else:
                    entries.append(start + len(stored))
                    stored += sealed(chunk)
            section(out, "sectors", stored)
            table = sealed(struct.pack("<IIQI", len(entries), 0, 0, 0)) + sealed(
                struct.pack("<%dI" % len(entries), *entries))
            section(out, "table", table)
            section(out, "table2", table)
            if number + 1 < segments:
                section(out, "next", last=True)
                continue
            section(out, "ltypes", bytes(6))
            section(out, "ltree", head + body)
            section(out, "data", sealed(bytes(volume)))
            section(out, "done", last=True)


if len(sys.argv) > 2:
    small = [node("a.txt", b"text", cr="1142163845"), node("d", below=[node("z", b"\0", ls="99", opr="67108864")]),
             node("both", b"own", below=[node("x/y", b"1")], p="1")]
    text, media = build(small, COLUMNS7, 26)
    write("small", text, media, packed=True)
    with open(os.path.join(OUT, "small.L01"), "rb") as whole, open(os.path.join(OUT, "list"), "wb") as out:
        data = whole.read()
        start = data.index(b"ltree") + 76
        out.write(data[start:data.index(b"data\0", start)])
    sys.exit()

text, media = build(sample(), COLUMNS7, 26)
with open(os.path.join(OUT, "expected.tsv"), "w") as out:
    for row in expected:
        out.write("%s\t%d\t%s\n" % row)
write("plain", text, media)
write("packed", text, media, packed=True, segments=3)
old, old_media = build(sample(), COLUMNS6, 0)
write("encase6", old, old_media, packed=True)
write("cut_list", text[:text.index("first.bin")], media)
write("wrong_list", text, media, tamper=lambda body: body.replace("notes.txt".encode("utf-16-le"), "motes.txt".encode("utf-16-le")))
write("wrong_hash", text.replace(hashlib.md5(noise(100000, 1)).hexdigest().upper(), "12" * 16), media)
write("lost_runs", text.replace("1 2 1b", "1 ffffff 1b"), media)
write("no_total", text.replace("%d\t1\t1\t\t" % len(media), "\t1\t1\t\t"), media)
