#!/usr/bin/env python3
"""One suite, made as root or as an ordinary user: does it come out complete?

usage: suite_image.py DEBROOT SUITE root|user|nested [ARCH]

An image of another architecture is made under qemu with nothing registered on the host (Linux 6.7 and later), and
looked at from outside only. Nested: as root of a user namespace with a binfmt_misc of its own that is empty, which hides
whatever the host has registered.
"""

import os
import platform
import shutil
import sys

import network_support as support
import own_binfmt

QEMU = {"arm64": "aarch64", "armhf": "arm", "riscv64": "riscv64"}
REGISTRY = "/proc/sys/fs/binfmt_misc"


def kernel_version():
    major, minor = platform.release().split(".")[:2]
    return int(major), int("".join(character for character in minor if character.isdigit()))


def registered(arch):
    """The host's own entries for programs of this architecture."""
    if not os.path.isdir(REGISTRY):
        return []
    return [name for name in os.listdir(REGISTRY) if QEMU[arch] in name]


def require_emulation(arch, hides_host):
    if not any(shutil.which(f"qemu-{QEMU[arch]}{suffix}") for suffix in ("-static", "")):
        support.skip(f"needs a static qemu-{QEMU[arch]} (package qemu-user-static, on Debian 13 qemu-user)")
    if hides_host:
        if kernel_version() < (6, 7):
            support.skip("needs Linux 6.7 or later: before, a user namespace has no binfmt_misc of its own")
    elif registered(arch):
        print("note: an emulator is registered on this host, so it is not proven that none needs to be")
    elif kernel_version() < (6, 7):
        support.skip("needs Linux 6.7 or later, or an emulator that is registered on the host")


def main():
    program, suite, who = sys.argv[1:4]
    arch = sys.argv[4] if len(sys.argv) > 4 else None
    support.require_mirror()
    if who != "user":
        support.require_root()
    account = support.ordinary_account() if who == "user" else None
    if who == "user" and account is None:
        support.skip("no ordinary account has 65536 subordinate ids")
    if arch:
        require_emulation(arch, hides_host=who == "nested")

    arguments = [suite, "--hostname", f"{suite}-box"]
    if arch:
        arguments += ["--arch", arch]
    if suite == "bullseye":
        # its security archive is no longer complete at the default address
        arguments += ["-m", "http://deb.debian.org/debian"]
    checks = support.Checks()
    before = registered(arch) if arch else []
    with support.Host(program) as host:
        if who == "nested":
            host.launch = own_binfmt.run_below_empty_registry
        image = host.build(checks, f"{suite}.tar", arguments, account)
        if image is not None:
            support.check_status(checks, image)
            names = support.read_members(image, "etc/hostname", "etc/hosts")
            checks.check("/etc/hostname names the machine", names["etc/hostname"] == f"{suite}-box\n")
            lines = (names["etc/hosts"] or "").splitlines()
            checks.check("/etc/hosts names it once", lines.count(f"127.0.1.1\t{suite}-box") == 1, "\n".join(lines))
            if arch:
                checks.check("nothing stays registered on the host", registered(arch) == before)
            else:
                support.check_inside(checks, image)
    checks.exit()


if __name__ == "__main__":
    main()
