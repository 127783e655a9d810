#!/usr/bin/env python3
"""compare_trees.py against tars made here, each pair with one thing changed."""

import io
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

TOOL = pathlib.Path(__file__).with_name("compare_trees.py")


def entry(name, kind=tarfile.REGTYPE, content=b"", **fields):
    member = tarfile.TarInfo(name)
    member.type = kind
    member.size = len(content)
    member.mode = 0o644
    member.mtime = 1700000000
    for field, value in fields.items():
        setattr(member, field, value)
    return member, content


def tree():
    """Small, but with one entry of every kind that images have."""
    return {
        "etc": entry("./etc", tarfile.DIRTYPE, mode=0o755),
        "etc/motd": entry("./etc/motd", content=b"hello\n"),
        "etc/motd.copy": entry("./etc/motd.copy", tarfile.LNKTYPE, linkname="./etc/motd"),
        "etc/other": entry("./etc/other", tarfile.SYMTYPE, linkname="motd"),
        "ping": entry("./ping", content=b"elf", pax_headers={"SCHILY.xattr.security.capability": "a"}),
        "null": entry("./null", tarfile.CHRTYPE, devmajor=1, devminor=3),
    }


class CompareTrees(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def pack(self, name, entries, mode="w"):
        path = self.scratch / name
        with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as tar:
            for member, content in entries:
                tar.addfile(member, io.BytesIO(content))
        return path

    def compare(self, left, right, *options):
        done = subprocess.run(
            [sys.executable, TOOL, *options, left, right], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout.splitlines()

    def compare_changed(self, path, changed, *options):
        left = tree()
        right = tree() | {path: changed}
        return self.compare(self.pack("l.tar", left.values()), self.pack("r.tar", right.values()), *options)

    def test_equal_trees_in_different_compressions(self):
        left = self.pack("l.tar", tree().values())
        right = self.pack("r.tar.xz", tree().values(), "w:xz")
        self.assertEqual(self.compare(left, right), (0, ["6 and 6 entries, 0 differences, 0 before allowances"]))

    @unittest.skipUnless(shutil.which("zstd"), "needs zstd")
    def test_a_zstd_stream_is_read_to_its_end(self):
        left = self.pack("l.tar", tree().values())
        with open(left, "ab") as file:  # as GNU tar pads, and more than a pipe holds
            file.write(bytes(4 << 20))
        subprocess.run(["zstd", "-q", left, "-o", self.scratch / "r.tar.zst"], check=True)
        self.assertEqual(self.compare(left, self.scratch / "r.tar.zst")[0], 0)

    def test_each_aspect_is_seen(self):
        cases = {
            "mode     /etc: 0755 != 0700": ("etc", entry("./etc", tarfile.DIRTYPE, mode=0o700)),
            "owner    /etc: 0:0 != 0:42": ("etc", entry("./etc", tarfile.DIRTYPE, mode=0o755, gid=42)),
            "mtime    /etc: 1700000000.0 != 5.0": ("etc", entry("./etc", tarfile.DIRTYPE, mode=0o755, mtime=5)),
            "target   /etc/other: motd != issue": ("etc/other", entry("./etc/other", tarfile.SYMTYPE, linkname="issue")),
            "device   /null: 1:3 != 1:5": ("null", entry("./null", tarfile.CHRTYPE, devmajor=1, devminor=5)),
            "kind     /null: character device != fifo": ("null", entry("./null", tarfile.FIFOTYPE)),
            "xattrs   /ping: {'SCHILY.xattr.security.capability': 'a'} != {}": ("ping", entry("./ping", content=b"elf")),
        }
        for line, (path, changed) in cases.items():
            status, lines = self.compare_changed(path, changed)
            self.assertEqual((status, line in lines), (1, True), lines)

    def test_content_is_compared_under_every_name_of_a_file(self):
        status, lines = self.compare_changed("etc/motd", entry("./etc/motd", content=b"bye\n"))
        self.assertEqual(status, 1)
        self.assertEqual([line.split(":")[0] for line in lines[:2]], ["content  /etc/motd", "content  /etc/motd.copy"])

    def test_a_link_that_became_a_copy(self):
        status, lines = self.compare_changed("etc/motd.copy", entry("./etc/motd.copy", content=b"hello\n"))
        self.assertEqual(status, 1)
        self.assertIn("links    /etc/motd.copy: ['/etc/motd', '/etc/motd.copy'] != None", lines)

    def test_missing_entries_and_order(self):
        left = list(tree().values())
        status, lines = self.compare(self.pack("l.tar", left), self.pack("r.tar", left[:4] + [left[5]]))
        self.assertEqual((status, lines[0]), (1, "present  /ping: left only"))
        status, lines = self.compare(self.pack("l.tar", left), self.pack("r.tar", left[1:] + left[:1]))
        self.assertEqual((status, lines[0]), (1, "order    /: entry 0 is '/etc' != '/etc/motd'"))

    def test_allowances_cover_what_they_name_and_nothing_else(self):
        changed = entry("./etc", tarfile.DIRTYPE, mode=0o700)
        self.assertEqual(self.compare_changed("etc", changed, "--allow", "/etc:mode")[0], 0)
        self.assertEqual(self.compare_changed("etc", changed, "--allow", "/etc:owner")[0], 1)

    def test_an_allowance_without_a_difference_is_a_difference(self):
        same = tree()["etc"]
        status, lines = self.compare_changed("etc", same, "--allow", "/etc/*")
        self.assertEqual((status, lines[0]), (1, "unused   allowance '/etc/*' met no difference"))
        self.assertEqual(self.compare_changed("etc", same, "--allow", "?/etc/*")[0], 0)

    def test_what_is_no_tar(self):
        path = self.scratch / "no.tar"
        path.write_text("no tar")
        status, lines = self.compare(path, path)
        self.assertEqual(status, 2)
        self.assertTrue(lines[0].startswith(f"cannot read '{path}': "), lines)


if __name__ == "__main__":
    unittest.main()
