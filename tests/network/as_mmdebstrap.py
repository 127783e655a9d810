#!/usr/bin/env python3
"""`debroot mmdebstrap` makes the tree that mmdebstrap 1.5.7 makes with the same arguments, entry by entry.

usage: as_mmdebstrap.py DEBROOT short|whole|hooks [--only REGEX] [--twice] [--lines N]

Ends with a table of images and how many paths differ. What mmdebstrap itself does not make twice alike stands in
not_reproducible*.txt; --twice shows it: every reference is made a second time and compared with itself.
"""

import argparse
import itertools
import pathlib
import re
import time

import network_support as support  # it makes the tools importable
import compare_trees
import reference
from reference import Image

SUITES = ("bullseye", "bookworm", "trixie")
VARIANTS = {
    "extract": ("busybox-static,base-files,nginx",),
    "custom": ("?essential", "apt,hostname"),
    "essential": (),
    "apt": (),
    "minbase": (),
    "buildd": (),
    "important": (),
    "standard": (),
}
INCLUDES = (
    "dbus,systemd-resolved",
    "openssh-server,sudo",
    "nginx,postgresql,python3",
    "exim4",
    "default-jre-headless",
    "linux-image-amd64",
    "task-ssh-server",
)


def short_matrix():
    return [
        Image("bookworm", "extract", VARIANTS["extract"]),
        Image("bullseye", "custom", VARIANTS["custom"]),
        Image("trixie", "minbase"),
    ]


def whole_matrix():
    out = [Image(suite, variant, VARIANTS[variant]) for suite, variant in itertools.product(SUITES, VARIANTS)]
    # bullseye's security archive no longer holds all that its index names
    for suite, variant in itertools.product(("bookworm", "trixie"), ("minbase", "important", "standard")):
        out.append(Image(suite, variant, has_default_mirrors=True))
    for suite, include in itertools.product(SUITES, INCLUDES):
        # a part of systemd in bullseye
        name = include if suite != "bullseye" else include.replace("dbus,systemd-resolved", "dbus")
        out.append(Image(suite, "minbase", (name,)))
    out.append(Image("bookworm", "important", ("dbus,systemd-resolved",)))
    out.append(Image("bookworm", "important", ("openssh-server,sudo",), has_default_mirrors=True))
    out += [Image("bookworm", "important", architecture=one) for one in ("i386", "arm64")]
    out.append(Image("bookworm", "minbase", architecture="amd64,i386"))
    # a line that names the archive has to be one file with the URI behind it; the suite need not be known to it
    lines = (f"deb [arch=amd64] {reference.MIRROR} trixie main contrib", reference.MIRROR)
    out.append(Image("trixie", "extract", ("base-files",), mirrors=lines))
    options = ('--aptopt=Acquire::Retries "3"', "--dpkgopt=path-exclude=/usr/share/doc/*", "--components=main,contrib")
    out.append(Image("bookworm", "minbase", ("hello",), options=options))
    return out


def hook_matrix():
    """Hook scripts that were written for mmdebstrap, its own among them, and its special hooks."""
    directories = reference.hook_directories()
    out = [Image("bookworm", "minbase", options=(f"--hook-dir={directories / one}",))
           for one in ("merged-usr", "maybe-merged-usr", "no-merged-usr", "eatmydata")]
    out.append(Image("bullseye", "minbase", options=(f"--hook-dir={directories / 'maybe-merged-usr'}",)))
    busybox = ("dpkg,busybox,libc-bin,base-files,base-passwd,debianutils",)
    out.append(Image("bookworm", "custom", busybox, options=(f"--hook-dir={directories / 'busybox'}",)))
    options = (
        "--setup-hook=upload /etc/debian_version /etc/uploaded",
        '--essential-hook=APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --yes install hello',
        '--customize-hook=chroot "$1" apt-get --yes install sl',
        "--customize-hook=copy-in /etc/init.d /etc/apt /opt",
        "--customize-hook=sync-in /etc/apt /srv",
        '--customize-hook=chroot "$1" dpkg-query -W >"$1"/list',
        "--chrooted-customize-hook=id >/id",
    )
    out.append(Image("bookworm", "minbase", options=options))
    # a hook's apt has installed all or a part of what is to come
    apt = 'export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"; apt-get --yes -oDPkg::Chroot-Directory="$1" install'
    out.append(Image("bookworm", "essential", ("apt",), options=(f"--essential-hook={apt} apt",)))
    out.append(Image("bookworm", "essential", ("passwd", "libsemanage2", "sl"), options=(f"--essential-hook={apt} adduser",)))
    # what hooks do to sources, preferences and options counts for what comes after the essential set
    source = f'echo "deb {reference.MIRROR} bookworm-backports main" >"$1"/etc/apt/sources.list.d/backports.list'
    update = 'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get update'
    include = ("hello", "btrfs-progs/bookworm-backports")
    for stage in ("extract", "essential"):
        options = (f"--{stage}-hook={source}", f"--{stage}-hook={update}")
        out.append(Image("bookworm", "apt", include, options=options))
    advice = """echo 'APT::Install-Recommends "true";' >"$1"/etc/apt/apt.conf.d/99advice"""
    out.append(Image("bookworm", "minbase", ("debhelper",), options=(f"--essential-hook={advice}",)))
    prefer = 'printf "Package: *\\nPin: release n=bookworm-backports\\nPin-Priority: 600\\n" >"$1"/etc/apt/preferences.d/x'
    mirrors = tuple(f"deb {reference.MIRROR} {suite} main" for suite in ("bookworm", "bookworm-backports"))
    out.append(Image("bookworm", "apt", ("debhelper",), options=(f"--extract-hook={prefer}",), mirrors=mirrors))
    # what is asked for and there already is marked by hand
    options = (f"--essential-hook={update}", f"--essential-hook={apt} apt tree")
    out.append(Image("trixie", "important", ("ed",), options=options))
    # what may not be installed has one provider
    pin = 'printf "Package: hello\\nPin: release *\\nPin-Priority: -1\\n" >"$1"/etc/apt/preferences.d/x'
    out.append(Image("bookworm", "apt", ("hello",), options=(f"--setup-hook={pin}",)))
    return out


def differing(left, right, allowances):
    """Lines that say what differs between two tars, and on how many paths."""
    trees = [compare_trees.read_tree(path) for path in (left, right)]
    found = list(compare_trees.differences(*trees, compare_trees.ASPECTS))
    found += compare_trees.order_difference(*trees)
    allowed = compare_trees.Allowances(allowances)
    found = [one for one in found if not allowed.cover(one[0], one[1])]
    return [f"{aspect:8} {path}: {text}" for path, aspect, text in found], len({path for path, _, _ in found})


class Matrix:
    def __init__(self, options, host):
        self.options = options
        self.host = host
        self.references = reference.References()
        self.rows = []

    def compare(self, image, account=None):
        made, seconds = self.references.get(image)
        if made is None:
            return "mmdebstrap failed", seconds, 0
        target = self.host.output("image.tar")
        start = time.monotonic()
        mode = ["--mode=unshare"] if account else []
        done = self.host.run(["mmdebstrap", "--quiet", *mode, *image.arguments(target)], account)
        took = time.monotonic() - start
        if done.returncode != 0:
            print(done.stdout + done.stderr)
            return "debroot failed", seconds, took
        return self.verdict(made, target, support.not_reproducible(image.suite)), seconds, took

    def verdict(self, left, right, allowances):
        lines, paths = differing(left, right, allowances)
        right.unlink()
        for line in lines[: self.options.lines]:
            print(f"    {line}")
        if len(lines) > self.options.lines:
            print(f"    ... and {len(lines) - self.options.lines} more")
        return paths

    def compare_with_itself(self, image):
        made, seconds = self.references.get(image)
        again, took = self.references.make(image, self.host.output("again" + self.references.suffix))
        return ("mmdebstrap failed" if made is None or again is None else self.verdict(made, again, [])), seconds, took

    def run(self, image, account=None):
        name = image.name + (" as user" if account else "")
        print(f"{name}:", flush=True)
        result = self.compare_with_itself(image) if self.options.twice else self.compare(image, account)
        verdict, seconds, took = result
        self.rows.append((name, verdict))
        print(f"    {verdict} paths differ; mmdebstrap {seconds:.0f} s, then {took:.0f} s", flush=True)

    def print_table(self):
        width = max(len(name) for name, _ in self.rows)
        print(f"\n{'image':{width}}  paths that differ")
        for name, verdict in self.rows:
            print(f"{name:{width}}  {verdict}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("matrix", choices=("short", "whole", "hooks"))
    parser.add_argument("--only", default="", metavar="REGEX", help="images whose name it is found in")
    parser.add_argument("--twice", action="store_true", help="compare mmdebstrap with itself")
    parser.add_argument("--lines", type=int, default=40, help="differences printed of an image at most")
    options = parser.parse_args()
    support.require_mirror()
    support.require_root()
    images = {"short": short_matrix, "whole": whole_matrix, "hooks": hook_matrix}[options.matrix]()
    account = support.ordinary_account()
    with support.Host(options.program) as host:
        host.variables["SOURCE_DATE_EPOCH"] = reference.EPOCH
        matrix = Matrix(options, host)
        for image in images:
            if not re.search(options.only, image.name):
                continue
            if not image.can_run():
                print(f"{image.name}: left out, this needs arch-test and a static qemu")
                continue
            matrix.run(image)
            # the privileges that debroot has do not show; once is enough to see it
            if image == images[-1] and account is not None and not options.twice:
                matrix.run(image, account)
        if matrix.rows:
            matrix.print_table()
    checks = support.Checks()
    for name, verdict in matrix.rows:
        checks.check(name, verdict == 0, f"{verdict} paths differ")
    checks.exit()


if __name__ == "__main__":
    main()
