#!/usr/bin/env python3
"""Programs of Debian that call mmdebstrap, with debroot under that name, run by an ordinary user as their users run them.

usage: callers.py DEBROOT debvm|sbuild|autopkgtest

debvm         debvm-create makes the same file system as with mmdebstrap
sbuild        builds a package in a chroot that it has made itself (unshare_mmdebstrap_auto_create, from 0.88 on)
autopkgtest   runs a package's test in a tarball, on autopkgtest-virt-unshare
"""

import os
import pathlib
import shutil
import subprocess
import sys

import network_support as support
import reference

SUITE = "bookworm"
EPOCH = "1700000000"

SOURCE = {
    "debian/changelog": "callers-probe (1) bookworm; urgency=low\n\n  * First.\n\n"
    " -- A Person <a.person@example.org>  Mon, 01 Jan 2024 00:00:00 +0000\n",
    "debian/control": "Source: callers-probe\nSection: misc\nPriority: optional\n"
    "Maintainer: A Person <a.person@example.org>\nStandards-Version: 4.6.2\nBuild-Depends: debhelper-compat (= 13)\n\n"
    "Package: callers-probe\nArchitecture: all\nDepends: ${misc:Depends}\nDescription: probe\n Has nothing in it.\n",
    "debian/rules": "#!/usr/bin/make -f\n%:\n\tdh $@\n",
    "debian/source/format": "3.0 (native)\n",
    "debian/tests/control": "Test-Command: test -e /usr/share/doc/callers-probe\nDepends: @\n",
}


class Caller:
    """Runs commands as the ordinary user, with a directory of links first in PATH."""

    def __init__(self, host, account):
        self.account = account
        self.home = host.output("home")
        self.bin = host.output("bin")
        for directory in (self.home, self.bin):
            directory.mkdir()
            directory.chmod(0o1777)

    def call_mmdebstrap(self, program):
        link = self.bin / "mmdebstrap"
        link.unlink(missing_ok=True)
        link.symlink_to(program)

    def run(self, *argv, **variables):
        environment = {"PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.home)}
        environment |= {"USER": self.account.pw_name, "SOURCE_DATE_EPOCH": EPOCH, **variables}
        if os.geteuid() == 0:
            argv = ("runuser", "-u", self.account.pw_name, "--", *argv)
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL, "text": True}
        options = {"env": environment, "cwd": self.home, "check": False, "errors": "replace"}
        return subprocess.run([str(part) for part in argv], **options, **streams)


def make_source_package(caller):
    """Path of the .dsc."""
    tree = caller.home / "callers-probe-1"
    for name, text in SOURCE.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tree / "debian/rules").chmod(0o755)
    subprocess.run(["dpkg-source", "--build", tree.name], cwd=caller.home, check=True, capture_output=True)
    return caller.home / "callers-probe_1.dsc"


def tar_of(image, scratch):
    """What a file system holds, as a tar."""
    mount = scratch / "mount"
    mount.mkdir(exist_ok=True)
    tar = image.with_suffix(".tar")
    script = 'mount -o loop,ro "$1" "$2" && tar -C "$2" --sort=name --numeric-owner --xattrs --exclude=./lost+found -cf "$3" .'
    subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", image, mount, tar], check=True)
    return tar


def check_debvm(checks, host, caller):
    support.require_program("debvm-create", "debvm")
    support.require_root()
    # the ordinary user may not be able to reach the one in the cache
    mmdebstrap = shutil.copy2(shutil.which(reference.find_program()), host.output("reference"))
    tars = {}
    for name, program in (("mmdebstrap", mmdebstrap), ("debroot", host.program)):
        caller.call_mmdebstrap(program)
        image = caller.home / f"{name}.ext4"
        done = caller.run("debvm-create", "-r", SUITE, "-o", image, "--", "--variant=apt")
        if checks.check(f"debvm-create works with {name}", done.returncode == 0, done.stdout[-3000:]):
            tars[name] = tar_of(image, host.scratch)
    if len(tars) == 2:
        host.compare(checks, "both file systems hold the same", tars["mmdebstrap"], tars["debroot"])


def check_sbuild(checks, host, caller):
    support.require_program("sbuild", "sbuild")
    library = pathlib.Path("/usr/share/perl5/Sbuild/Conf.pm").read_text(encoding="utf-8")
    if "UNSHARE_MMDEBSTRAP_AUTO_CREATE" not in library:
        support.skip("needs a sbuild that makes its chroots itself (0.88, of Debian 13 and of bookworm-backports)")
    support.require_program("ip", "iproute2")
    caller.call_mmdebstrap(host.program)
    source = make_source_package(caller)
    steps = ("--no-run-lintian", "--no-run-piuparts", "--no-run-autopkgtest")
    options = ("--chroot-mode=unshare", f"--dist={SUITE}", "--arch-all", *steps)
    done = caller.run("sbuild", "--verbose", *options, source)
    checks.check("sbuild succeeds", done.returncode == 0 and "Status: successful" in done.stdout, done.stdout[-3000:])
    checks.check("in a chroot of its own making", "I: success in" in done.stdout, done.stdout[-3000:])


def check_autopkgtest(checks, host, caller):
    support.require_program("autopkgtest", "autopkgtest")
    caller.call_mmdebstrap(host.program)
    source = make_source_package(caller)
    made = caller.run("mmdebstrap", "--variant=buildd", SUITE, "testbed.tar", TMPDIR=str(host.scratch))
    if not checks.check("the tarball is made", made.returncode == 0, made.stdout[-3000:]):
        return
    testbed = ("unshare", "--tarball", caller.home / "testbed.tar")
    done = caller.run("autopkgtest", "--apt-upgrade", source, "--", *testbed, TMPDIR=str(host.scratch))
    checks.check("the test passes in it", done.returncode == 0 and "PASS" in done.stdout, done.stdout[-3000:])


CALLERS = {"debvm": check_debvm, "sbuild": check_sbuild, "autopkgtest": check_autopkgtest}


def main():
    program, name = sys.argv[1:3]
    support.require_mirror()
    account = support.ordinary_account()
    if account is None:
        support.skip("needs an account with subordinate ids")
    checks = support.Checks()
    with support.Host(program) as host:
        CALLERS[name](checks, host, Caller(host, account))
    checks.exit()


if __name__ == "__main__":
    main()
