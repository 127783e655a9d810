#!/usr/bin/env python3
"""`debroot mmdebstrap` makes the file systems and directories that mmdebstrap 1.5.7 makes with the same arguments: the
same tree inside, and the same words in the superblock where mmdebstrap's helpers choose them.

usage: formats_as_mmdebstrap.py DEBROOT
"""

import contextlib
import re
import struct
import subprocess
import sys

import network_support as support  # it makes the tools importable
import as_mmdebstrap
import reference

PROGRAMS = {
    "squashfs": ("tar2sqfs", "squashfs-tools-ng"),
    "ext2": ("genext2fs", "genext2fs"),
    "ext4": ("mke2fs", "e2fsprogs"),
}
ARGUMENTS = ["--variant=essential", "--include=iputils-ping", "bookworm"]
# offset in the superblock and type
SQUASHFS_FIELDS = {
    "time": (8, "I"),
    "block size": (12, "I"),
    "compressor": (20, "H"),
    "flags": (24, "H"),
    "version": (28, "I"),
}
EXT_LINES = ("Filesystem UUID", "Block size", "Inode size", "Directory Hash Seed", "Default directory hash")


@contextlib.contextmanager
def mounted(image, directory):
    directory.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop,ro", image, directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


def as_tar(directory, target):
    """What tells of a tree: a tar of it."""
    options = ["--sort=name", "--numeric-owner", "--format=pax", "--xattrs", "--xattrs-include=*"]
    options.append("--exclude=./lost+found")
    times = ["--pax-option=delete=atime,delete=ctime", f"--mtime=@{reference.EPOCH}", "--clamp-mtime"]
    subprocess.run(["tar", *options, *times, "-cf", target, "-C", directory, "."], check=True)
    return target


def superblock(kind, image):
    if kind == "squashfs":
        head = image.read_bytes()[:96]
        return {name: struct.unpack_from("<" + code, head, at)[0] for name, (at, code) in SQUASHFS_FIELDS.items()}
    text = subprocess.run(["dumpe2fs", "-h", image], capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"^([^:\n]+):\s+(.*)$", text, re.MULTILINE))
    # genext2fs writes none
    names = EXT_LINES if kind == "ext4" else EXT_LINES[1:3]
    return {name: found.get(name) for name in names}


def mke2fs_reads_tars():
    done = subprocess.run(["mke2fs", "-V"], capture_output=True, text=True, check=False)
    version = re.search(r"(\d+)\.(\d+)\.(\d+)", done.stderr)
    return version is not None and tuple(map(int, version.groups())) >= (1, 47, 1)


class Formats:
    def __init__(self, host, checks):
        self.host = host
        self.checks = checks
        self.program = reference.find_program()

    def make_both(self, kind):
        """(mmdebstrap's, debroot's)"""
        paths = [self.host.output(f"{name}.{kind}") for name in ("mmdebstrap", "debroot")]
        lines = [["--quiet", f"--format={kind}", *ARGUMENTS, str(path), reference.MIRROR] for path in paths]
        done = subprocess.run(
            [self.program, *lines[0]], env=reference.environment(), capture_output=True, text=True, check=False
        )
        if not self.checks.check(f"mmdebstrap makes a {kind}", done.returncode == 0, done.stderr):
            return None
        done = self.host.run(["mmdebstrap", *lines[1]])
        return paths if self.checks.check(f"debroot makes a {kind}", done.returncode == 0, done.stderr) else None

    def compare_trees(self, kind, tars):
        lines, count = as_mmdebstrap.differing(*tars, support.not_reproducible("bookworm"))
        self.checks.check(f"the tree in the {kind} is mmdebstrap's", count == 0, "\n".join(lines[:40]))

    def compare_file_system(self, kind):
        paths = self.make_both(kind)
        if paths is None:
            return
        tars = []
        for path in paths:
            with mounted(path, self.host.output("mounted")) as directory:
                tars.append(as_tar(directory, path.with_suffix(f".{kind}.tar")))
        self.compare_trees(kind, tars)
        left, right = (superblock(kind, path) for path in paths)
        self.checks.check(f"the superblock of the {kind} is mmdebstrap's", left == right, f"{left} and {right}")
        if kind != "squashfs":
            done = subprocess.run(["e2fsck", "-fn", paths[1]], capture_output=True, text=True, check=False)
            self.checks.check(f"e2fsck finds nothing in the {kind}", done.returncode == 0, done.stdout)

    def compare_directory(self):
        paths = self.make_both("directory")
        if paths is not None:
            self.compare_trees("directory", [as_tar(path, path.with_suffix(".directory.tar")) for path in paths])


def main():
    support.require_mirror()
    support.require_root()
    checks = support.Checks()
    with support.Host(sys.argv[1]) as host:
        host.variables["SOURCE_DATE_EPOCH"] = reference.EPOCH
        formats = Formats(host, checks)
        formats.compare_directory()
        for kind, (program, package) in PROGRAMS.items():
            if subprocess.run(["which", program], capture_output=True, check=False).returncode != 0:
                print(f"{kind}: left out, this needs {program} (package {package})")
            elif kind == "ext4" and not mke2fs_reads_tars():
                print("ext4: left out, this needs mke2fs 1.47.1 or later")
            else:
                formats.compare_file_system(kind)
    checks.exit()


if __name__ == "__main__":
    main()
