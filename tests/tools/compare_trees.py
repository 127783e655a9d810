#!/usr/bin/env python3
"""Compares two root filesystems packed as tars (plain, gzip, xz, bzip2, or zstd where zstd(1) exists).

usage: compare_trees.py [--no-times] [--no-order] [--allow GLOB[:ASPECT]]... [--allow-file FILE] LEFT.tar RIGHT.tar

Every path that either tar has is compared in these aspects: existence (present), kind, mode, owner, target (of a
symbolic link), device, xattrs, links (the set of paths that share one file), content, mtime. The order of the entries
that both tars have is compared as well. Owner means the numbers: names are empty or depend on the host that packed.

--allow leaves out the paths that match GLOB, or one aspect of them; '*' also matches '/'. An allowance that no
difference used is reported and counts as a difference, so that a list of allowances cannot outlive its reasons;
one that begins with '?' may go unused.

Prints one line a difference. Exit status: 0 equal, 1 different, 2 when a tar cannot be read.
"""

import argparse
import collections
import contextlib
import fnmatch
import hashlib
import subprocess
import sys
import tarfile

KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.GNUTYPE_SPARSE: "file",
    tarfile.DIRTYPE: "directory",
    tarfile.SYMTYPE: "symlink",
    tarfile.LNKTYPE: "hard link",
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.FIFOTYPE: "fifo",
}
ASPECTS = ("kind", "mode", "owner", "target", "device", "xattrs", "links", "content", "mtime")
XATTR_PREFIXES = ("SCHILY.xattr.", "LIBARCHIVE.xattr.", "SCHILY.acl.")
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class Unreadable(Exception):
    """A tar that is not one, or that contradicts itself."""


@contextlib.contextmanager
def opened(path):
    """The tar as a stream; tarfile itself knows every compression here but zstd."""
    with open(path, "rb") as file:
        is_zstd = file.read(4) == ZSTD_MAGIC
    if not is_zstd:
        with tarfile.open(path, "r:*") as tar:
            yield tar
        return
    with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE) as child:
        with tarfile.open(fileobj=child.stdout, mode="r|") as tar:
            yield tar
        # a tar is padded behind its end, and zstd shall be able to write that
        while child.stdout.read(1 << 20):
            pass
    if child.returncode != 0:
        raise Unreadable(f"zstd exited with status {child.returncode}")


def normal_path(name):
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return "/" + "/".join(parts)


def digest(stream):
    sha256 = hashlib.sha256()
    while chunk := stream.read(1 << 20):
        sha256.update(chunk)
    return sha256.hexdigest()


def describe(tar, member):
    entry = {
        "kind": KINDS.get(member.type, f"type {member.type!r}"),
        "mode": f"{member.mode & 0o7777:04o}",
        "owner": f"{member.uid}:{member.gid}",
        "mtime": float(member.mtime),
        "xattrs": {key: value for key, value in member.pax_headers.items() if key.startswith(XATTR_PREFIXES)},
    }
    if member.isreg():
        entry["content"] = digest(tar.extractfile(member))
    elif member.issym():
        entry["target"] = member.linkname
    elif member.ischr() or member.isblk():
        entry["device"] = f"{member.devmajor}:{member.devminor}"
    return entry


def read_tree(path):
    """All entries by path, in the order of the tar. Which name of a shared file carries its content is a matter of
    order alone, so every name gets the file's own description and the set of its names."""
    entries = {}
    names_of = collections.defaultdict(set)
    with opened(path) as tar:
        for member in tar:
            name = normal_path(member.name)
            if name in entries:
                raise Unreadable(f"'{name}' appears twice")
            if not member.islnk():
                entries[name] = describe(tar, member)
                continue
            first = normal_path(member.linkname)
            if first not in entries:
                raise Unreadable(f"'{name}' is a hard link to '{first}', which does not come before it")
            first = entries[first].get("first", first)
            names_of[first] |= {first, name}
            entries[name] = dict(entries[first], first=first)
    for names in names_of.values():
        for name in names:
            entries[name].pop("first", None)
            entries[name]["links"] = sorted(names)
    return entries


def differences(left, right, aspects):
    for path in sorted(left.keys() | right.keys()):
        if path not in right:
            yield path, "present", "left only"
        elif path not in left:
            yield path, "present", "right only"
        else:
            for aspect in aspects:
                one, other = left[path].get(aspect), right[path].get(aspect)
                if one != other:
                    yield path, aspect, f"{one} != {other}"


def order_difference(left, right):
    common_left = [path for path in left if path in right]
    common_right = [path for path in right if path in left]
    for position, (one, other) in enumerate(zip(common_left, common_right)):
        if one != other:
            yield "/", "order", f"entry {position} is '{one}' != '{other}'"
            return


class Allowances:
    """Differences that are known, and which of them were met."""

    def __init__(self, lines):
        self.rules = []
        for line in lines:
            is_optional = line.startswith("?")
            glob, _, aspect = line.removeprefix("?").partition(":")
            self.rules.append({"line": line, "glob": glob, "aspect": aspect, "used": is_optional})

    def cover(self, path, aspect):
        covered = False
        for rule in self.rules:
            if fnmatch.fnmatchcase(path, rule["glob"]) and rule["aspect"] in ("", aspect):
                rule["used"] = covered = True
        return covered

    def unused(self):
        return [rule["line"] for rule in self.rules if not rule["used"]]


def file_lines(path):
    """What an --allow-file says."""
    with open(path, encoding="utf-8") as file:
        return [text for line in file if (text := line.split("#")[0].strip())]


def allowance_lines(options):
    return options.allow + (file_lines(options.allow_file) if options.allow_file else [])


def main():
    parser = argparse.ArgumentParser(description="compare two root filesystems packed as tars")
    parser.add_argument("--no-times", action="store_true", help="leave modification times out")
    parser.add_argument("--no-order", action="store_true", help="leave the order of entries out")
    parser.add_argument("--allow", action="append", default=[], metavar="GLOB[:ASPECT]")
    parser.add_argument("--allow-file", metavar="FILE", help="allowances, one a line; '#' begins a comment")
    parser.add_argument("--lines", type=int, default=100, help="differences printed at most")
    parser.add_argument("left")
    parser.add_argument("right")
    options = parser.parse_args()

    trees = []
    for path in (options.left, options.right):
        try:
            trees.append(read_tree(path))
        except (OSError, EOFError, tarfile.TarError, Unreadable) as error:
            print(f"cannot read '{path}': {error}")
            return 2
    left, right = trees

    aspects = [aspect for aspect in ASPECTS if aspect != "mtime" or not options.no_times]
    allowances = Allowances(allowance_lines(options))
    found = list(differences(left, right, aspects))
    if not options.no_order:
        found += order_difference(left, right)
    lines = [f"{aspect:8} {path}: {text}" for path, aspect, text in found if not allowances.cover(path, aspect)]
    lines += [f"unused   allowance '{line}' met no difference" for line in allowances.unused()]

    for line in lines[: options.lines]:
        print(line)
    if len(lines) > options.lines:
        print(f"... and {len(lines) - options.lines} more")
    print(f"{len(left)} and {len(right)} entries, {len(lines)} differences, {len(found)} before allowances")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
