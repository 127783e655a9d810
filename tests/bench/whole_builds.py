#!/usr/bin/env python3
"""Times whole builds: debroot beside mmdebstrap, in turn, so that a machine that slows down slows both; both from one
mirror on the loopback interface that holds the files. Prints one table, in Markdown.

usage: whole_builds.py DEBROOT [--only ROWS] [--runs N] [--others]

  --only A,C    these rows (default: all); see ROWS below for what each is
  --runs N      runs of each program (default 5)
  --others      debootstrap and cdebootstrap too, once each, where they are installed and the caller is root

Called by root it builds as an ordinary account with subordinate ids, which is what the figures are about.

environment: MMDEBSTRAP (default: the one in PATH), TMPDIR (several GB), DEBROOT_BENCH_MIRROR: directory that keeps the
files of the mirror for the next time (default ~/.cache/debroot-bench)
"""

import argparse
import dataclasses
import functools
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "network"))

import loopback_mirror  # noqa: E402
import network_support as support  # noqa: E402
import own_binfmt  # noqa: E402

# what users of mmdebstrap type for the machine that plain `debroot build` makes
MACHINE_HOOKS = (
    '--customize-hook=chroot "$1" systemctl enable systemd-networkd systemd-resolved',
    '--customize-hook=mv "$1"/etc/network/interfaces "$1"/etc/network/interfaces.save',
)
MACHINE = ("--variant=important", "--include=dbus", *MACHINE_HOOKS)


@dataclasses.dataclass
class Row:
    """One line of the table. `debroot` and `mmdebstrap` are the options beside suite, output and mirror."""

    title: str
    suite: str
    debroot: tuple = ()
    mmdebstrap: tuple = MACHINE
    aim: float = 0  # how many times faster debroot has to be
    is_repeated: bool = False  # the cache is full, the hook is another one each time
    beside: str = ""  # letter of the row whose debroot figure this one's is measured against, not mmdebstrap
    suffix: str = ".tar"
    architecture: str = ""  # not this machine's


ROWS = {
    "A": Row("bullseye machine", "bullseye", aim=5),
    "B": Row("bullseye machine, arm64", "bullseye", ("--arch=arm64",), ("--architectures=arm64", *MACHINE), aim=12, architecture="arm64"),
    "C": Row("bookworm minbase", "bookworm", ("--variant=minbase",), ("--variant=minbase",), aim=5),
    "D": Row(
        "bookworm task-gnome-desktop",
        "bookworm",
        ("--plain", "--include=task-gnome-desktop"),
        ("--variant=important", "--include=task-gnome-desktop"),
        aim=4,
    ),
    "E": Row("bullseye machine again, another hook", "bullseye", aim=25, is_repeated=True),
    "F": Row("bullseye machine, .tar.zst", "bullseye", beside="A", suffix=".tar.zst"),
}


class Bench:
    """Runs both programs and keeps what they took."""

    def __init__(self, program, mirror, account, scratch):
        self.mirror = mirror
        self.account = account
        self.scratch = scratch
        self.program = scratch / "debroot"
        shutil.copy2(program, self.program)
        self.mmdebstrap = os.environ.get("MMDEBSTRAP") or shutil.which("mmdebstrap")
        self.turn = 0

    def run(self, argv, as_root=False, launch=functools.partial(subprocess.run, check=False)):
        """Seconds of wall time."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.scratch), "TMPDIR": str(self.scratch)}
        if os.geteuid() == 0 and not as_root:
            argv = ["runuser", "-u", self.account.pw_name, "--", *argv]
        begin = time.monotonic()
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        done = launch(argv, env=environment, cwd=self.scratch, **streams)
        took = time.monotonic() - begin
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, argv))}\nended with {done.returncode}:\n{done.stderr[-2000:]}")
        return took

    def hook(self, row):
        """A customize hook that no build had before, for rows that are about that."""
        self.turn += 1
        return [f"--customize-hook=echo {self.turn} >\"$1\"/etc/turn"] if row.is_repeated else []

    def debroot(self, row, extra=()):
        cache = self.scratch / f"cache-{os.urandom(4).hex()}"
        if row.is_repeated:
            cache = self.scratch / "cache-full"
        argv = [self.program, "build", row.suite, *row.debroot, *extra, "-m", f"{self.mirror}/debian"]
        took = self.run([*argv, *self.hook(row), "--cache", cache, "--quiet", "-o", self.scratch / f"a{row.suffix}"])
        if not row.is_repeated:
            shutil.rmtree(cache, ignore_errors=True)
        return took

    def mmdebstrap_as_it_is(self, row):
        """Where the host has no emulator registered, as root with one of its own, which only debroot brings itself."""
        is_foreign = bool(row.architecture) and own_binfmt.is_needed(row.architecture)
        options = ["--mode=root" if is_foreign else "--mode=unshare", "--quiet", *row.mmdebstrap, *self.hook(row)]
        argv = [self.mmdebstrap, *options, row.suite, self.scratch / f"b{row.suffix}", f"{self.mirror}/debian"]
        if not is_foreign:
            return self.run(argv)
        register = functools.partial(own_binfmt.run, row.architecture)
        return self.run([str(part) for part in argv], as_root=True, launch=register)

    def other(self, name, row):
        """debootstrap or cdebootstrap, with a tar of the tree at the end, as its users make one."""
        tree = self.scratch / name
        script = f'{name} "$@" && tar -C "$0" -cf "$0.tar" . && rm -rf --one-file-system "$0"'
        arguments = ["--include=dbus", row.suite, tree, f"{self.mirror}/debian"]
        if name == "cdebootstrap":
            arguments.insert(0, "--allow-unauthenticated")
        return self.run(["sh", "-euc", script, tree, *arguments], as_root=True)

    def fill(self, row):
        """The files are in the mirror, and in the cache for a row that is about that, before the time counts."""
        for _ in range(3 if row.is_repeated else 1):
            self.debroot(row)


def resident_kilobytes(program):
    """What the processes of that program have in memory now, shared pages counted once for each."""
    total = 0
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "exe") == str(program):
                total += int((entry / "statm").read_text().split()[1]) * (os.sysconf("SC_PAGESIZE") // 1024)
        except (OSError, IndexError):
            continue
    return total


def peak_megabytes(bench, row):
    """Looked at every few milliseconds in a run of its own."""
    peak = 0
    is_over = threading.Event()
    runner = threading.Thread(target=lambda: (bench.debroot(row), is_over.set()))
    runner.start()
    while not is_over.wait(0.02):
        peak = max(peak, resident_kilobytes(bench.program))
    runner.join()
    return peak / 1024


def measure(bench, letter, runs):
    """({program: seconds of each run}) of one row."""
    row = ROWS[letter]
    bench.fill(row)
    took = {"debroot": [], "mmdebstrap": [], "beside": []}
    for _ in range(runs):
        if row.beside:
            took["beside"].append(bench.debroot(ROWS[row.beside]))
        took["debroot"].append(bench.debroot(row))
        if bench.mmdebstrap and not row.beside:
            took["mmdebstrap"].append(bench.mmdebstrap_as_it_is(row))
        print(f"{letter}: {json.dumps(took)}", file=sys.stderr, flush=True)
    return took


def cells(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})" if values else ""


def line(letter, took):
    row = ROWS[letter]
    own = statistics.median(took["debroot"])
    if row.beside:
        verdict = f"{own - statistics.median(took['beside']):+.2f} s beside {row.beside}"
    elif took["mmdebstrap"]:
        ratio = statistics.median(took["mmdebstrap"]) / own
        verdict = f"{ratio:.1f} times{'' if ratio >= row.aim else f' (aim: {row.aim})'}"
    else:
        verdict = "no mmdebstrap here"
    return f"| {letter}. {row.title} | {cells(took['debroot'])} | {cells(took['mmdebstrap'])} | {verdict} |"


def machine():
    model = ""
    for text in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if text.startswith("model name"):
            model = text.partition(":")[2].strip() + ", "
    return f"{model}{len(os.sched_getaffinity(0))} processors, Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("debroot")
    parser.add_argument("--only", default=",".join(ROWS))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--others", action="store_true")
    options = parser.parse_args()
    account = support.ordinary_account()
    if account is None:
        sys.exit("whole_builds: needs an account with subordinate ids")
    kept = os.environ.get("DEBROOT_BENCH_MIRROR") or os.path.expanduser("~/.cache/debroot-bench")
    with tempfile.TemporaryDirectory(prefix="debroot-bench.", ignore_cleanup_errors=True) as name:
        scratch = pathlib.Path(name)
        scratch.chmod(0o1777)
        with loopback_mirror.LoopbackMirror(kept) as mirror:
            bench = Bench(options.debroot, mirror.url, account, scratch)
            letters = options.only.split(",")
            lines = [line(letter, measure(bench, letter, options.runs)) for letter in letters]
            print(f"Seconds, median of {options.runs} runs (least to most), on {machine()}:\n")
            print("| work | debroot | mmdebstrap | |\n|---|---|---|---|")
            print("\n".join(lines))
            if "A" in letters:
                print(f"\nPeak memory of debroot's own processes for A: {peak_megabytes(bench, ROWS['A']):.0f} MB")
            for other in ("debootstrap", "cdebootstrap"):
                if options.others and os.geteuid() == 0 and shutil.which(other):
                    print(f"\n{other} for A, once: {bench.other(other, ROWS['A']):.1f} s")


main()
