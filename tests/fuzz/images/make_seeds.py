#!/usr/bin/env python3
"""make_seeds.py FOLDER: small images of every format that is read, as seeds (needs qemu-img, ewfacquire, affconvert)."""
import os
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.abspath(sys.argv[1])
os.makedirs(out, exist_ok=True)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    with open("raw.dd", "wb") as raw:
        raw.write(bytes(range(256)) * 64 + bytes(32768) + b"text of a disk\n" * 1000 + bytes(1080))
    for name, options in {
            "qcow1": ["qcow"], "qcow2": ["qcow2"], "qcow2-packed": ["qcow2", "-c"],
            "qcow2-zstd": ["qcow2", "-c", "-o", "compression_type=zstd"],
            "qcow2-extended": ["qcow2", "-o", "extended_l2=on,cluster_size=16k"],
            "qcow2-small": ["qcow2", "-o", "cluster_size=512"],
            "vmdk-stream": ["vmdk", "-o", "subformat=streamOptimized"], "vmdk-sparse": ["vmdk"],
    }.items():
        run("qemu-img", "convert", "-O", *options, "raw.dd", os.path.join(out, name))
    run("qemu-img", "convert", "-O", "vmdk", "-o", "subformat=monolithicFlat", "raw.dd", "flat.vmdk")
    os.replace("flat.vmdk", os.path.join(out, "vmdk-text"))
    run("qemu-img", "convert", "-O", "parallels", "-o", "cluster_size=64k", "raw.dd", os.path.join(out, "parallels"))
    for name, options in {"vdi": ["vdi"], "vhd": ["vpc", "-o", "force_size=on"],
                          "vhd-fixed": ["vpc", "-o", "subformat=fixed,force_size=on"]}.items():
        run("qemu-img", "convert", "-O", *options, "raw.dd", name)
        with open(name, "rb") as image, open(os.path.join(out, name), "wb") as seed:
            data = image.read()
            # A dynamic VHD has its footer at the start as well; what lies behind its tables is zeros.
            seed.write(data if len(data) < 200_000 else data[:200_000])
    run("qemu-img", "create", "-f", "qcow2", "-u", "-b", "image.E01", "-F", "qcow2", os.path.join(out, "qcow2-loop"), "64k")
    for kind in ("none", "best"):
        run("ewfacquire", "-u", "-q", "-c", kind, "-t", kind, "raw.dd")
        os.replace(kind + ".E01", os.path.join(out, "ewf-" + kind))
    run("ewfacquire", "-u", "-q", "-f", "smart", "-t", "smart", "raw.dd")
    os.replace("smart.s01", os.path.join(out, "ewf-smart"))
    os.link("raw.dd", "small.raw")
    for kind, options in {"aff-zlib": ["-X9"], "aff-lzma": ["-L"], "aff-none": ["-x"]}.items():
        run("affconvert", "-q", *options, "-s16k", "-o", kind + ".aff", "small.raw")
        os.replace(kind + ".aff", os.path.join(out, kind))
    run(sys.executable, os.path.join(here, "../../unit/evidence/make_ex01.py"), ".", "small")
    for kind in ("ex01-zlib", "ex01-bzip2"):
        os.replace(kind + ".Ex01", os.path.join(out, kind))
    run(sys.executable, os.path.join(here, "../../unit/trees/make_l01.py"), ".", "small")
    os.replace("small.L01", os.path.join(out, "l01"))
    for kinds in ("zlib", "raw,adc", "bz2,lzma"):
        run(sys.executable, os.path.join(here, "../../unit/evidence/make_dmg.py"), "raw.dd",
            os.path.join(out, "dmg-" + kinds.replace(",", "-")), kinds)
