#!/usr/bin/env python3
"""What may only be tried where nothing can be lost: both programs run the same command line in a container that is
thrown away (systemd-nspawn --volatile=overlay), and end alike, with the same tree. Of mode chrootless, in which
maintainer scripts run on the system itself, and of the modes inside a container and inside a chroot in it.

usage: in_container.py DEBROOT chrootless|nested [--only REGEX]
"""

import argparse
import dataclasses
import pathlib
import platform
import re
import shutil
import subprocess
import sys

import network_support as support
import reference

# of mmdebstrap, and for what maintainer scripts call
TOOLS = "perl,python3,gpg,gpgv,arch-test,fakeroot,uidmap,debootstrap,zstd,adduser,debconf,ca-certificates,mount"
# behind / as a file system of its own, and with /proc, is what a chroot of a build machine looks like
INNER = "mkdir -p /inner && mount --rbind / /inner"
CHROOT = f"{INNER} && exec chroot /inner"
# {program} is the one that is tried
UNSHARE_CHROOT = f"{INNER} && exec runuser -u person -- {{program}} --unshare-helper chroot /inner"


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    arguments: tuple
    prefix: str = "exec"
    fails: bool = False


def chrootless_cases():
    mode = "--mode=chrootless"
    checked = (mode, "--skip=check/chrootless")
    return [
        Case("root who could damage the host is refused", (mode, "--variant=essential", "trixie"), fails=True),
        Case("essential as root", (*checked, "--variant=essential", "trixie")),
        Case("essential under fakeroot", (mode, "--variant=essential", "trixie"), "exec runuser -u person -- fakeroot"),
        Case("apt with a package", (*checked, "--variant=apt", "--include=tzdata", "trixie")),
        Case("minbase", (*checked, "--variant=minbase", "trixie")),
        Case("custom", (*checked, "--variant=custom", "--include=base-files,base-passwd,debconf,dpkg", "trixie")),
        Case("extract", (*checked, "--variant=extract", "--include=hello,busybox", "trixie")),
        Case("an older suite", (*checked, "--variant=minbase", "bookworm")),
        Case(
            "options of dpkg, which it does not read",
            (*checked, "--variant=apt", "--dpkgopt=path-exclude=/usr/share/doc/*", "trixie"),
        ),
        Case("important, whose scripts need a chroot", (*checked, "--variant=important", "trixie"), fails=True),
    ]


def nested_cases():
    apt = ("--variant=apt", "bookworm")
    out = [Case(f"mode {mode} in the container", (f"--mode={mode}", *apt)) for mode in ("root", "unshare", "auto")]
    user = "exec runuser -u person --"
    out.append(Case("mode unshare as a user of the container", ("--mode=unshare", *apt), user))
    for place, prefix in (("a chroot", CHROOT), ("an unshare chroot", UNSHARE_CHROOT)):
        for mode in ("root", "unshare", "auto"):
            out.append(Case(f"mode {mode} in {place}", (f"--mode={mode}", *apt), prefix))
    return out


def libraries_of(program):
    """The packages of this machine that a program needs."""
    lines = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout.splitlines()
    files = [line.split("=>")[1].split()[0] for line in lines if "=> /" in line]
    out = set()
    for path in files:
        for spelling in (path, path.removeprefix("/usr"), f"/usr{path}"):
            found = subprocess.run(["dpkg-query", "-S", spelling], capture_output=True, text=True, check=False)
            if found.returncode == 0:
                out.add(found.stdout.split(":")[0])
                break
    return sorted(out)


class Container:
    """A system like this machine's with both programs in it. Nothing that is done there stays."""

    def __init__(self, host, checks):
        self.shared = host.output("shared")
        self.shared.mkdir()
        self.shared.chmod(0o1777)
        self.root = host.output("container")
        codename = platform.freedesktop_os_release()["VERSION_CODENAME"]
        includes = ",".join([TOOLS, *libraries_of(host.program)])
        done = host.run(["build", codename, "-o", self.root, "--variant=minbase", "--plain", f"--include={includes}"])
        checks.check("the container is made", done.returncode == 0, done.stderr)
        theirs = pathlib.Path(shutil.which(reference.find_program())).resolve()
        for name, program in (("debroot", host.program), ("reference", theirs)):
            (self.root / "opt" / name).mkdir()
            shutil.copy2(program, self.root / "opt" / name / "mmdebstrap")
        shutil.copy2(theirs.with_name("mmtarfilter"), self.root / "usr/bin")

    def run(self, name, case):
        """(exit status, what was said, the image or None)"""
        target = self.shared / f"{name}.tar"
        target.unlink(missing_ok=True)
        program = f"/opt/{name}/mmdebstrap"
        words = [program, *case.arguments, f"/shared/{name}.tar", reference.MIRROR]
        quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
        accounts = "useradd --create-home person"
        script = f"{accounts}; cd /tmp; {case.prefix.format(program=program)} {quoted}"
        variables = [f"--setenv={key}={value}" for key, value in reference.environment().items() if key != "HOME"]
        argv = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--volatile=overlay", "--pipe"]
        argv += ["--resolv-conf=replace-host", f"--bind={self.shared}:/shared", *variables, "-D", self.root]
        done = subprocess.run(
            [*argv, "/bin/sh", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        return done.returncode, done.stdout, target if target.exists() and target.stat().st_size else None


def check_case(checks, host, container, case):
    (theirs, words, left), (ours, own_words, right) = (container.run(name, case) for name in ("reference", "debroot"))
    is_alike = theirs == ours and (theirs != 0) == case.fails
    said = f"{theirs} and {ours}\n{words[-1500:]}\n---- and\n{own_words[-1500:]}"
    if not checks.check(f"{case.name}: both end {'badly' if case.fails else 'well'}", is_alike, said) or case.fails:
        return
    if checks.check(f"{case.name}: both write an image", left is not None and right is not None):
        host.compare(checks, f"{case.name}: the same tree", left, right)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("cases", choices=("chrootless", "nested"))
    parser.add_argument("--only", default="", help="cases whose names have this regular expression")
    options = parser.parse_args()
    support.require_mirror()
    support.require_root()
    support.require_program("systemd-nspawn", "systemd-container")
    cases = {"chrootless": chrootless_cases, "nested": nested_cases}[options.cases]()
    checks = support.Checks()
    with support.Host(options.program) as host:
        container = Container(host, checks)
        if not checks.failed:
            for case in cases:
                if re.search(options.only, case.name):
                    check_case(checks, host, container, case)
    checks.exit()


if __name__ == "__main__":
    sys.exit(main())
