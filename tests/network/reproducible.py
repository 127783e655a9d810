#!/usr/bin/env python3
"""Same inputs, same bytes: one suite built over and over, each time with something changed that must not matter.

usage: reproducible.py DEBROOT SUITE brief|full

The archive may change between two builds. So the digests of its Release files are asked for before and after; if they
differ, everything is built once more, offline, from what is in the cache by then.
"""

import gzip
import hashlib
import json
import lzma
import shutil
import subprocess
import sys

import network_support as support


def digest_of(stream):
    return hashlib.file_digest(stream, "sha256").hexdigest()


def tar_digest(path):
    """Of the tar itself, decompressed by other programs than the one under test."""
    if path.suffix == ".gz":
        with gzip.open(path) as stream:
            return digest_of(stream)
    if path.suffix == ".xz":
        with lzma.open(path) as stream:
            return digest_of(stream)
    if path.suffix == ".zst":
        with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE) as child:
            return digest_of(child.stdout)
    with open(path, "rb") as stream:
        return digest_of(stream)


def release_digests(host, suite):
    plan = host.run(["plan", suite, "--json", "--progress", "none"])
    if plan.returncode != 0:
        return None
    return [release["sha256"] for release in json.loads(plan.stdout)["releases"]]


def variations(extent, account):
    """(name of the output, options, account): the first is what the others are compared with."""
    yield "first.tar", [], None
    if account is not None:
        yield "user-one-job-no-cache.tar", ["--jobs", "1", "--no-cache"], account
    if extent == "brief":
        return
    yield "again.tar", [], None
    yield "one-job.tar", ["--jobs", "1"], None
    yield "no-cache.tar", ["--no-cache"], None
    yield "compressed.tar.gz", [], None
    yield "compressed.tar.xz", [], None
    if shutil.which("zstd"):
        yield "compressed.tar.zst", [], None
    if account is not None:
        yield "user-two-jobs.tar", ["--jobs", "2"], account


def build_all(checks, host, suite, extent, account, options):
    """Digest of each variation; of the images only the first is kept, and the one that differs from it."""
    first = None
    for name, arguments, who in variations(extent, account):
        if "--offline" in options and "--no-cache" in arguments:
            continue
        image = host.build(checks, name, [suite, *arguments, *options], who)
        if image is None:
            continue
        if first is None:
            first = (image, tar_digest(image))
            continue
        if not checks.check(f"{name} has the bytes of {first[0].name}", tar_digest(image) == first[1]):
            host.compare(checks, f"{name} has the entries of {first[0].name}", first[0], image)
        image.unlink()


def main():
    program, suite, extent = sys.argv[1:4]
    support.require_mirror()
    support.require_root()
    account = support.ordinary_account()
    if account is None:
        print("note: no ordinary account has 65536 subordinate ids: root is compared with itself only")
    with support.Host(program) as host:
        checks = support.Checks()
        before = release_digests(host, suite)
        build_all(checks, host, suite, extent, account, [])
        if checks.failed and release_digests(host, suite) != before:
            print("note: the archive changed meanwhile, so everything is built again from the cache")
            checks = support.Checks()
            build_all(checks, host, suite, extent, None, ["--offline"])
        checks.check("the plan lists its Release files", bool(before))
    checks.exit()


if __name__ == "__main__":
    main()
