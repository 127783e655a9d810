#!/usr/bin/env python3
"""One command line through both programs, mmdebstrap 1.5.7 and `debroot mmdebstrap`: do both make an image, or both
refuse with the same exit status, and are the trees equal?

usage: mmdebstrap_cases.py DEBROOT [--only REGEX] [--list]

The archive is a small one on this machine: the essential set of bookworm and what a few cases need, taken from the
mirror once, so that a case takes seconds. In a case's words ARCHIVE stands for its one-line source, ADDRESS for its address,
OUT for the output's path and WORK for a directory with the files that the case brings.
"""

import argparse
import dataclasses
import functools
import hashlib
import http.server
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import threading

import network_support as support
import compare_trees
import reference

SUITE = "bookworm"
KEPT = ("busybox-static", "hello", "apt")
#: what only one of the programs has a use for: apt's own settings under a random name, its binary caches
IGNORED = ("/tmp/mmdebstrap.apt.conf.", "/var/cache/apt/pkgcache.bin", "/var/cache/apt/srcpkgcache.bin")


@dataclasses.dataclass(frozen=True)
class Case:
    """A command line. `differs` says in a word why the trees are not compared; `status` is what both must end with,
    where any failure but 2 counts as 1."""

    name: str
    words: tuple
    status: int = 0
    files: dict = dataclasses.field(default_factory=dict)
    stdin: str = ""
    output: str = "out.tar"
    differs: str = ""
    prefix: tuple = ()  # what runs the program


def refused(name, words, status=1, **more):
    return Case(name, words, status, **more)


SMALL = ("--variant=extract", "--include=hello", "--skip=check/signed-by")
ESSENTIAL = ("--variant=essential", "--skip=check/signed-by")


def grammar_cases():
    yield Case("options behind operands", (SUITE, "OUT", "ARCHIVE", *SMALL))
    yield Case("names shortened, in any case", ("--VARI=extract", "--INCL", "hello", SUITE, "OUT", "ARCHIVE", "-qV"))
    yield Case("two dashes", (*SMALL, "--", SUITE, "OUT", "ARCHIVE"))
    yield Case("no SUITE", SMALL, stdin="ARCHIVE\n", output="-")
    yield Case("empty SUITE with a line", (*SMALL, "", "OUT", "ARCHIVE"))
    yield Case("a dash for SUITE", (*SMALL, "-", "OUT", "ARCHIVE"))
    yield Case("sources from standard input", (*SMALL, SUITE, "OUT", "-"), stdin="ARCHIVE\n")
    yield Case("standard input twice", (*SMALL, SUITE, "OUT", "-", "-"), stdin="ARCHIVE\n")
    yield Case("empty standard input beside a line", (*SMALL, SUITE, "OUT", "-", "ARCHIVE"))
    yield Case("empty MIRROR", (*SMALL, SUITE, "OUT", "", "ARCHIVE"))
    yield Case("two lines are one file", (*SMALL, SUITE, "OUT", "ARCHIVE", "ARCHIVE"))
    yield Case("a .list file", (*SMALL, SUITE, "OUT", "WORK/a.list"), files={"a.list": "ARCHIVE\n"})
    yield Case("a file without suffix", (*SMALL, SUITE, "OUT", "WORK/name"), files={"name": "# x\nARCHIVE\n"})
    deb822 = f"Types: deb\nURIs: ADDRESS\nSuites: {SUITE}\nComponents: main\nTrusted: yes\n"
    yield Case("a .sources file", (*SMALL, SUITE, "OUT", "WORK/a.sources"), files={"a.sources": deb822})
    yield Case("deb822 from standard input", (*SMALL, SUITE, "OUT", "-"), stdin=deb822)
    yield Case("kinds in turn", (*SMALL, SUITE, "OUT", "ARCHIVE", "WORK/a.sources", "ARCHIVE"), files={"a.sources": deb822})
    yield Case("empty file", (*SMALL, SUITE, "OUT", "WORK/e.list", "ARCHIVE"), files={"e.list": ""})
    yield Case("options of apt and dpkg", (*SMALL, "--aptopt=A::B \"c\"", "--aptopt", "D::E \"f\";", "--dpkgopt=no-pager",
                                           "--aptopt=WORK/o", SUITE, "OUT", "ARCHIVE"), files={"o": "G::H \"i\";\n"})
    yield Case("foreign architectures", (*SMALL, "--arch=amd64,i386", "--arch=armhf", SUITE, "OUT",
                                         f"deb [trusted=yes arch=amd64] ADDRESS {SUITE} main"))
    yield Case("empty list of architectures", (*SMALL, "--arch=,", SUITE, "OUT", "ARCHIVE"))
    yield Case("options of debootstrap", (*SMALL, "--resolve-deps", "--merged-usr", "--no-merged-usr", "--force-check-gpg",
                                          SUITE, "OUT", "ARCHIVE"))
    yield Case("empty include as a word", ("--include", "", *SMALL, SUITE, "OUT", "ARCHIVE"))
    yield Case("unknown skip", (*SMALL, "--skip=frob", SUITE, "OUT", "ARCHIVE"))
    yield Case("simulated tar", (*SMALL, "--dry-run", SUITE, "OUT", "ARCHIVE"), differs="nothing is made")
    yield Case("a directory", (*SMALL, SUITE, "OUT", "ARCHIVE"), output="tree")
    yield Case("simulated directory", ("--variant=essential", "--skip=check/signed-by", "--dry-run", SUITE, "OUT", "ARCHIVE"),
               output="tree")
    yield Case("no output", (*SMALL, SUITE, "/dev/null", "ARCHIVE"), differs="nothing is made")
    yield Case("no packages at all", ("--variant=custom", SUITE, "OUT", "ARCHIVE"))


def refused_cases():
    yield refused("unknown option", ("--frob", SUITE, "OUT"), 2)
    yield refused("no value", (SUITE, "OUT", "--include"), 2)
    yield refused("empty value", ("--include=", SUITE, "OUT"), 2)
    yield refused("value for a switch", ("--quiet=1", SUITE, "OUT"), 2)
    yield refused("ambiguous name", ("--c", "main", SUITE, "OUT"), 2)
    yield refused("keyring that is not there", ("--keyring=WORK/no", SUITE, "OUT"), 2)
    yield refused("empty keyring", ("--keyring", "", SUITE, "OUT"), 2)
    yield refused("hook directory that is not there", ("--hook-dir=WORK/no", SUITE, "OUT"), 2)
    yield refused("package file that is not there", ("--include=./no.deb", SUITE, "OUT"), 2)
    yield refused("package file that is a directory", ("--include=/", SUITE, "OUT"), 2)
    yield refused("unknown variant", ("--variant=frob", SUITE, "OUT"))
    yield refused("unknown mode", ("--mode=frob", SUITE, "OUT"))
    yield refused("unknown format", ("--format=frob", SUITE, "OUT"))
    yield refused("unknown architecture", ("--arch=frob", SUITE, "OUT"))
    yield refused("no mirror", (SUITE, "OUT", "nowhere"))
    yield refused("file that is no sources", (SUITE, "OUT", "WORK/bad"), files={"bad": "foo bar\n"})
    yield refused("URI without SUITE", ("", "OUT", "ADDRESS"))
    yield refused("no sources at all", ("--variant=custom", "", "OUT"))
    yield refused("no directory for the target", (SUITE, "WORK/no/out.tar", "ARCHIVE"))
    yield refused("the root as target", (SUITE, "/", "ARCHIVE"))
    yield refused("directory with something in it", (SUITE, "WORK", "ARCHIVE"), files={"x": ""})
    yield refused("tar into a directory", ("--format=tar", SUITE, "WORK", "ARCHIVE"))
    yield refused("package that is not there", ("--variant=custom", "--include=frob", SUITE, "OUT", "ARCHIVE"))
    yield refused("suite that the mirror lacks", ("--variant=custom", "--include=hello", "frob", "OUT", "ADDRESS"))
    yield refused("log file that cannot be written", ("--logfile=WORK/no/log", SUITE, "OUT"))


def skip_cases():
    for skip in ("setup,update,cleanup", "update,cleanup", "update"):
        yield Case(f"skip {skip}", ("--variant=custom", f"--skip=check/signed-by,{skip}", SUITE, "OUT", "ARCHIVE"))
    for skip in ("cleanup/apt", "cleanup/apt/lists", "cleanup/apt/cache", "cleanup/mmdebstrap", "output/dev", "output/mknod"):
        yield Case(f"skip {skip}", (*SMALL, f"--skip={skip}", SUITE, "OUT", "ARCHIVE"))
    for skip in ("chroot/mount", "chroot/mount/proc", "chroot/policy-rc.d", "chroot/start-stop-daemon",
                 "cleanup/apt/cache,essential/unlink", "essential/unlink", "cleanup/run", "cleanup/tmp",
                 "cleanup/reproducible/machine-id"):
        yield Case(f"skip {skip}", (*ESSENTIAL, f"--skip={skip}", SUITE, "OUT", "ARCHIVE"))


def mode_cases():
    yield Case("essential", (*ESSENTIAL, SUITE, "OUT", "ARCHIVE"))
    yield Case("mode unshare", (*ESSENTIAL, "--mode=unshare", SUITE, "OUT", "ARCHIVE"))
    yield Case("mode sudo", (*SMALL, "--mode=sudo", SUITE, "OUT", "ARCHIVE"))
    one_id = ("unshare", "--user", "--map-root-user", "--mount")
    yield Case("root of one id", (*SMALL, "--extract-hook=true", SUITE, "OUT", "ARCHIVE"), prefix=one_id)
    without = ("setpriv", "--bounding-set=-sys_admin")
    yield Case("root without privileges", (*SMALL, SUITE, "OUT", "ARCHIVE"), prefix=without)
    yield refused("mode unshare without privileges", (*SMALL, "--mode=unshare", SUITE, "OUT", "ARCHIVE"), prefix=without)
    yield refused("mode chrootless as root", ("--mode=chrootless", SUITE, "OUT", "ARCHIVE"))


def all_cases():
    for make in (grammar_cases, refused_cases, skip_cases, mode_cases):
        yield from make()


class SmallArchive:
    """Serves the essential set and a few packages on a port of this machine, unsigned."""

    def __init__(self, host, directory):
        self.directory = directory
        pool = directory / "pool"
        pool.mkdir(parents=True)
        self.take_packages(host, pool)
        self.write_indexes(sorted(pool.glob("*.deb")))
        handler = functools.partial(QuietHandler, directory=str(directory))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.uri = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.line = f"deb [trusted=yes] {self.uri} {SUITE} main"

    @staticmethod
    def take_packages(host, pool):
        """debroot itself leaves them in a cache of apt's form."""
        tree = host.output("packages.tar")
        done = host.run(["build", SUITE, "--quiet", "-m", reference.MIRROR, "-o", tree, "--variant=extract",
                         "--include=?essential", *(f"--include={name}" for name in KEPT), "--skip=cleanup/apt/cache"])
        if done.returncode != 0:
            support.skip(f"cannot fetch the packages: {done.stderr}")
        with tarfile.open(tree) as tar:
            for member in tar:
                if member.name.endswith(".deb"):
                    # as Debian's archive names them, without the epoch
                    name = re.sub("_[0-9]+%3a", "_", pathlib.Path(member.name).name)
                    (pool / name).write_bytes(tar.extractfile(member).read())
        tree.unlink()

    def write_indexes(self, packages):
        stanzas = []
        for path in packages:
            control = subprocess.run(["dpkg-deb", "-f", path], capture_output=True, text=True, check=True).stdout
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            place = f"Filename: pool/{path.name}\nSize: {path.stat().st_size}\nSHA256: {digest}\n"
            stanzas.append(control.rstrip("\n") + "\n" + place)
        text = "\n".join(stanzas).encode()
        suite = self.directory / "dists" / SUITE
        index = suite / "main/binary-amd64/Packages"
        index.parent.mkdir(parents=True)
        index.write_bytes(text)
        line = f" {hashlib.sha256(text).hexdigest()} {len(text)} main/binary-amd64/Packages\n"
        head = f"Suite: {SUITE}\nCodename: {SUITE}\nDate: Sat, 01 Jun 2024 00:00:00 UTC\n"
        release = head + "Architectures: amd64 i386 armhf all\nComponents: main\nSHA256:\n" + line
        (suite / "Release").write_text(release, encoding="utf-8")


def as_tar(path):
    """A directory as the tar of it, without times, which are those of the run."""
    if not path.is_dir():
        return path
    target = path.with_name(path.name + ".tar")
    options = ["--sort=name", "--numeric-owner", "--format=pax", "--xattrs", "--xattrs-include=*", "--mtime=@0"]
    options.append("--pax-option=delete=atime,delete=ctime")
    subprocess.run(["tar", *options, "-cf", target, "-C", path, "."], check=True)
    return target


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Runner:
    def __init__(self, host, archive, program):
        self.host = host
        self.archive = archive
        self.program = program
        self.work = host.scratch / "work"

    def text(self, word, output):
        pairs = (("ARCHIVE", self.archive.line), ("ADDRESS", self.archive.uri), ("OUT", str(output)), ("WORK", str(self.work)))
        for name, value in pairs:
            word = word.replace(name, value)
        return word

    def run(self, case, argv, variables):
        """(status, path of what was made, standard error) with the files of the case written anew."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        for name, content in case.files.items():
            (self.work / name).write_text(self.text(content, ""), encoding="utf-8")
        output = self.host.scratch / ("from-" + pathlib.Path(argv[0]).name) / case.output
        shutil.rmtree(output.parent, ignore_errors=True)
        output.parent.mkdir()
        words = [self.text(word, output) for word in case.words]
        made = output if case.output != "-" else output.parent / "stdout.tar"
        with made.open("wb") if case.output == "-" else open(os.devnull, "wb") as out:
            done = subprocess.run([*case.prefix, *argv, *words], input=self.text(case.stdin, output).encode(), stdout=out,
                                  stderr=subprocess.PIPE, env=variables, cwd=self.host.scratch, check=False)
        return done.returncode, made, done.stderr.decode(errors="replace")

    def compare(self, checks, case):
        variables = reference.environment() | {"XDG_CACHE_HOME": str(self.host.scratch / "cache")}
        theirs = self.run(case, [self.program], variables)
        ours = self.run(case, [str(self.host.program), "mmdebstrap"], variables)
        statuses = [one[0] if one[0] in (0, 2) else 1 for one in (theirs, ours)]
        text = f"mmdebstrap ended with {theirs[0]}, debroot with {ours[0]}\n{theirs[2]}----\n{ours[2]}"
        if not checks.check(case.name, statuses == [case.status, case.status], text):
            return
        if case.status != 0 and not re.search(r"^E: ", ours[2], re.MULTILINE) and "--logfile" not in str(case.words):
            checks.check(f"{case.name}: says so", False, ours[2])
        if case.status == 0 and not case.differs:
            lines = self.differences(theirs[1], ours[1])
            checks.check(f"{case.name}: trees are equal", not lines, "\n    " + "\n    ".join(lines[:20]))

    @staticmethod
    def differences(left, right):
        if not (left.exists() and right.exists()):
            return [f"{path} was not made" for path in (left, right) if not path.exists()]
        trees = [compare_trees.read_tree(as_tar(path)) for path in (left, right)]
        found = compare_trees.differences(*trees, compare_trees.ASPECTS)
        return [f"{aspect:8} {path}: {text}" for path, aspect, text in found if not path.startswith(IGNORED)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("debroot")
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    cases = [case for case in all_cases() if re.search(options.only, case.name)]
    if options.list:
        print("\n".join(case.name for case in cases))
        return
    support.require_mirror()
    support.require_root()
    program = reference.find_program()
    checks = support.Checks()
    with support.Host(options.debroot) as host:
        archive = SmallArchive(host, host.scratch / "archive")
        runner = Runner(host, archive, program)
        for case in cases:
            runner.compare(checks, case)
    checks.exit()


if __name__ == "__main__":
    main()
