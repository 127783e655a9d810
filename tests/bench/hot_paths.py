#!/usr/bin/env python3
"""Runs the benchmarks of the hot paths on what the archive has now, beside the figures that are recorded.

usage: hot_paths.py DEBROOT HOT_PATHS [--record]

The index is all of sid (its Release file may be past its date here), the packages are bullseye's important set. Where
apt-cache is installed, its own reading of the same index stands beside (`apt-cache gencaches`).

  --record    write the figures to baseline.json, beside this file
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

BASELINE = pathlib.Path(__file__).resolve().parent / "baseline.json"
MIRROR = "http://deb.debian.org/debian"


def run(*argv, **options):
    return subprocess.run([str(part) for part in argv], check=True, capture_output=True, text=True, **options).stdout


def keep_debs(debroot, directory):
    """The .debs of bullseye's important set, as apt would have left them."""
    image = directory / "debs.tar"
    includes = [f"--include={word}" for word in ("?priority(required)", "?priority(important)", "dbus")]
    run(debroot, "mmdebstrap", "--quiet", "--variant=extract", *includes, "--skip=cleanup/apt", "bullseye", image, MIRROR)
    run("tar", "-xf", image, "-C", directory, "--strip-components=5", "./var/cache/apt/archives")
    image.unlink()


def keep_lists(debroot, directory):
    """sid's indexes as apt keeps them, without compression."""
    image = directory / "lists.tar"
    run(debroot, "mmdebstrap", "--quiet", "--variant=extract", "--include=base-files", "--skip=cleanup/apt",
        '--aptopt=Acquire::Check-Valid-Until "false"', "sid", image, MIRROR)
    run("tar", "-xf", image, "-C", directory, "--strip-components=5", "./var/lib/apt/lists")
    image.unlink()


def fetch_index(directory, architecture):
    """sid's Packages file as it is downloaded."""
    path = directory / "Packages.xz"
    urllib.request.urlretrieve(f"{MIRROR}/dists/sid/main/binary-{architecture}/Packages.xz", path)
    return path


def time_of_apt(lists):
    """Seconds that apt takes to make its caches from the same index; None without apt."""
    if shutil.which("apt-cache") is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        state = pathlib.Path(name)
        (state / "partial").mkdir()
        (state / "status").touch()
        (state / "sources.list").write_text(f"deb [trusted=yes] {MIRROR} sid main\n", encoding="utf-8")
        settings = {"Dir::Etc::sourcelist": state / "sources.list", "Dir::Etc::sourceparts": "/dev/null",
                    "Dir::State::lists": lists, "Dir::State::status": state / "status", "Dir::Cache": state}
        begin = time.monotonic()
        run("apt-cache", *(f"-o{key}={value}" for key, value in settings.items()), "gencaches")
        return time.monotonic() - begin


def measure(program, packages, architecture, debs):
    text = run(program, packages, architecture, debs, "--benchmark_format=json")
    return {one["name"].removesuffix("/real_time"): one for one in json.loads(text)["benchmarks"]}


def rate(one):
    if "bytes_per_second" in one:
        return f"{one['bytes_per_second'] / 1e6:.0f} MB/s"
    return f"{one['items_per_second']:,.0f} a second" if "items_per_second" in one else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("debroot", type=pathlib.Path)
    parser.add_argument("hot_paths", type=pathlib.Path)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    architecture = run("dpkg", "--print-architecture").strip() if shutil.which("dpkg") else "amd64"
    with tempfile.TemporaryDirectory(prefix="debroot-hot-paths.") as name:
        debs, lists = pathlib.Path(name) / "debs", pathlib.Path(name) / "lists"
        debs.mkdir()
        lists.mkdir()
        keep_debs(options.debroot.resolve(), debs)
        keep_lists(options.debroot.resolve(), lists)
        packages = fetch_index(pathlib.Path(name), architecture)
        figures = measure(options.hot_paths.resolve(), packages, architecture, debs)
        apt = time_of_apt(lists)
    recorded = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    print("| path | milliseconds | rate | recorded |\n|---|---|---|---|")
    for path, one in figures.items():
        print(f"| {path} | {one['real_time']:.2f} | {rate(one)} | {recorded.get(path, '')} |")
    if apt is not None:
        print(f"\napt's own reading of that index: {apt * 1000:.0f} ms")
    if options.record:
        BASELINE.write_text(json.dumps({path: round(one["real_time"], 2) for path, one in figures.items()}, indent=2) + "\n",
                            encoding="utf-8")


sys.exit(main())
