#!/usr/bin/env python3
"""One suite, made as root or as an ordinary user: does it come out complete?

usage: suite_image.py DEBROOT SUITE root|user [ARCH]

An image of another architecture is made under qemu with nothing registered on the host (Linux 6.7 and later), and
looked at from outside only.
"""

import os
import platform
import sys

import network_support as support


def kernel_version():
    major, minor = platform.release().split(".")[:2]
    return int(major), int("".join(character for character in minor if character.isdigit()))


def require_own_emulation(arch):
    support.require_program(f"qemu-{ {'arm64': 'aarch64'}[arch]}-static", "qemu-user-static or qemu-user")
    if kernel_version() < (6, 7):
        support.skip("needs Linux 6.7 or later for a binfmt_misc of its own")
    registered = "/proc/sys/fs/binfmt_misc"
    if any("aarch64" in name for name in os.listdir(registered)):
        support.skip("an emulator is registered on this host, so that the program's own registration would prove nothing")


def main():
    program, suite, who = sys.argv[1:4]
    arch = sys.argv[4] if len(sys.argv) > 4 else None
    support.require_mirror()
    if who == "root":
        support.require_root()
    account = support.ordinary_account() if who == "user" else None
    if who == "user" and account is None:
        support.skip("no ordinary account has 65536 subordinate ids")
    if arch:
        require_own_emulation(arch)

    arguments = [suite, "--hostname", f"{suite}-box"]
    if arch:
        arguments += ["--arch", arch]
    if suite == "bullseye":
        # its security archive is no longer complete at the default address
        arguments += ["-m", "http://deb.debian.org/debian"]
    checks = support.Checks()
    with support.Host(program) as host:
        image = host.build(checks, f"{suite}.tar", arguments, account)
        if image is not None:
            support.check_status(checks, image)
            names = support.read_members(image, "etc/hostname", "etc/hosts")
            checks.check("/etc/hostname names the machine", names["etc/hostname"] == f"{suite}-box\n")
            lines = (names["etc/hosts"] or "").splitlines()
            checks.check("/etc/hosts names it once", lines.count(f"127.0.1.1\t{suite}-box") == 1, "\n".join(lines))
            if not arch:
                support.check_inside(checks, image)
    checks.exit()


if __name__ == "__main__":
    main()
