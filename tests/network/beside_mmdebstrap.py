#!/usr/bin/env python3
"""Exactly in these paths an image of `debroot build` differs from mmdebstrap's with the same packages.

usage: beside_mmdebstrap.py DEBROOT plain|machine

plain: `build --plain`, which differs where mmdebstrap lets the machine it runs on show. machine: `build` as it is, for
which mmdebstrap gets the packages that debroot adds by itself; then what makes the tree a machine differs as well.
"""

import pathlib
import pwd
import re
import sys

import network_support as support  # it makes the tools importable
import compare_trees
import reference
from reference import Image

HERE = pathlib.Path(__file__).parent
IMAGES = {
    "plain": (Image("bookworm", "minbase"), ["bookworm", "--variant=minbase", "--plain", "-m", reference.MIRROR]),
    "machine": (Image("bookworm", "important", ("dbus,systemd-resolved",)), ["bookworm", "-m", reference.MIRROR]),
}


def apt_user_ids(image):
    """(of this machine, of the image); None where there is none."""
    passwd = support.read_members(image, "etc/passwd")["etc/passwd"] or ""
    inside = re.search(r"^_apt:[^:]*:(\d+):", passwd, re.MULTILINE)
    try:
        outside = pwd.getpwnam("_apt").pw_uid
    except KeyError:
        outside = 0
    return outside, int(inside[1]) if inside else 0


def expected_differences(kind, image):
    lines = compare_trees.file_lines(HERE / f"beside_mmdebstrap_{kind}.txt")
    expected = {tuple(line.rsplit(":", 1)) for line in lines}
    outside, inside = apt_user_ids(image)
    if outside == inside:
        expected = {one for one in expected if one[1] != "owner"}
    return expected


def main():
    program, kind = sys.argv[1:3]
    image, arguments = IMAGES[kind]
    support.require_mirror()
    support.require_root()
    references = reference.References()
    checks = support.Checks()
    with support.Host(program) as host:
        made, _ = references.get(image)
        checks.check("mmdebstrap makes its image", made is not None)
        host.variables["SOURCE_DATE_EPOCH"] = reference.EPOCH
        own = host.build(checks, "own.tar", arguments)
        if not checks.failed:
            trees = [compare_trees.read_tree(path) for path in (made, own)]
            found = set()
            for path, aspect, text in compare_trees.differences(*trees, compare_trees.ASPECTS):
                found.add((path, aspect))
                print(f"{aspect:8} {path}: {text}")
            expected = expected_differences(kind, own)
            for path, aspect in sorted(found | expected):
                name = f"{path} differs in {aspect}"
                checks.check(name, (path, aspect) in found and (path, aspect) in expected, "only " + (
                    "found" if (path, aspect) in found else "expected"
                ))
            checks.check("the order of the entries is the same", not list(compare_trees.order_difference(*trees)))
    checks.exit()


if __name__ == "__main__":
    main()
