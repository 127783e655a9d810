#!/usr/bin/env python3
"""An image made with the tools of maintainer scripts themselves and with debroot's stand-ins for them: the same bytes?

usage: stand_ins.py DEBROOT SUITE [OPTION...]

The options go to all builds: as root without stand-ins, and as root and as an ordinary user with them. One package more
has a postinst that makes calls of many kinds and records what is said. What packages draw at random is left out of the comparison.
"""

import hashlib
import io
import os
import sys
import tarfile

import network_support as support

# Calls that a stand-in leaves to its tool, and some that it does not. What they say names the tool's own path.
POSTINST = """#!/bin/sh
exec >/var/lib/probe-result 2>&1
for call in "deb-systemd-helper" "deb-systemd-helper enable missing.service" "deb-systemd-helper --strange x y" \\
    "deb-systemd-helper was-enabled missing.service" "dpkg-maintscript-helper --version" \\
    "dpkg-maintscript-helper rm_conffile /etc/x 1.0 -- $*" "dpkg-maintscript-helper rm_conffile x 1.0 -- $*" \\
    "update-rc.d" "update-rc.d missing defaults" "update-rc.d missing remove"; do
  echo "$call:"
  $call
  echo "status $?"
done
stat -c '%n %U %G %a %Y' /usr/bin/dpkg-maintscript-helper /usr/bin/deb-systemd-helper /usr/sbin/update-rc.d
ls -A /dev
exit 0
"""


def tar_of(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content, mode in files:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content.encode()))
    return out.getvalue()


def write_probe(path):
    """A package whose postinst makes those calls."""
    control = ("Package: stand-ins-probe\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
               "Description: calls tools of maintainer scripts\n")
    members = [("debian-binary", b"2.0\n"),
               ("control.tar", tar_of([("./control", control, 0o644), ("./postinst", POSTINST, 0o755)])),
               ("data.tar", tar_of([]))]
    with open(path, "wb") as file:
        file.write(b"!<arch>\n")
        for name, content in members:
            file.write(f"{name:<16}{0:<12}{0:<6}{0:<6}{0o100644:<8o}{len(content):<10}`\n".encode())
            file.write(content + b"\n" * (len(content) % 2))


def digest(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main():
    program, suite, *options = sys.argv[1:]
    support.require_mirror()
    account = support.ordinary_account()
    checks = support.Checks()
    with support.Host(program) as host:
        probe = host.output("probe.deb")
        write_probe(probe)
        os.chmod(probe, 0o644)
        options = [suite, *options, "--include", str(probe)]
        tools = host.build(checks, "tools.tar", [*options, "--stand-ins=no"])
        allowed = support.random_allowances(suite, options)
        for name, who in (("stand-ins.tar", None), ("stand-ins-user.tar", account)):
            made = host.build(checks, name, options, who)
            if tools and made and host.compare(checks, f"{name} has the same entries", made, tools, *allowed):
                checks.check(f"{name} has the same bytes", bool(allowed) or digest(made) == digest(tools))
    checks.exit()


if __name__ == "__main__":
    main()
