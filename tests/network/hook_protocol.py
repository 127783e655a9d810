#!/usr/bin/env python3
"""The two halves of mmdebstrap's protocol for hooks, debroot's and mmdebstrap 1.5.7's own, understand each other: each
inside half works with each outside half, to the same files and with the same frames.

usage: hook_protocol.py DEBROOT
"""

import difflib
import hashlib
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import network_support as support
import reference

CASES = (
    ("upload", "out/big", "/sub/big"),
    ("upload", "out/f", "link/uploaded"),
    ("download", "/etc/f", "made/deep/f"),
    ("copy-in", "out/tree", "out/f", "/sub"),
    ("copy-out", "/etc", "/sub/file", "made"),
    ("sync-in", "out/tree", "/sub"),
    ("sync-out", "/etc", "made"),
    ("tar-in", "out/t.tar", "/sub"),
    ("tar-out", "/etc/d", "made.tar"),
    ("tar-out", "/etc/.", "made.tar"),
    ("upload", "out/absent", "/sub/x"),
    ("upload", "out/f", "/absent/x"),
    ("copy-in", "out/f", "/absent"),
    ("copy-in", "out/absent", "/sub"),
    ("download", "/etc", "made"),
    ("sync-out", "/absent", "made"),
)


def make_files(place):
    """What both sides of a case start from."""
    for name in ("root/etc/d", "root/sub", "out/tree/below"):
        (place / name).mkdir(parents=True)
    (place / "root/etc/f").write_text("inside\n")
    (place / "root/etc/d/g").write_text("g")
    (place / "root/sub/file").write_text("file")
    (place / "root/link").symlink_to("/sub")
    (place / "out/f").write_text("outside\n")
    (place / "out/big").write_bytes(b"x" * 10000)
    (place / "out/tree/below/x").write_text("x")
    (place / "out/tree/link").symlink_to("/etc")
    os.link(place / "out/tree/below/x", place / "out/tree/again")
    os.setxattr(place / "out/tree/below/x", "user.note", b"kept")
    for path in sorted(place.rglob("*")):
        os.utime(path, (1000, 1000), follow_symlinks=False)
    subprocess.run(["tar", "-C", place / "out/tree", "-cf", place / "out/t.tar", "."], check=True)
    os.utime(place / "out/t.tar", (1000, 1000))


def read_frame(end):
    data = b""
    while len(data) < 7 or len(data) < 7 + struct.unpack(">H", data[:2])[0]:
        wanted = 7 if len(data) < 7 else 7 + struct.unpack(">H", data[:2])[0]
        try:
            piece = end.recv(wanted - len(data))
        except OSError:
            piece = b""
        if not piece:
            return None
        data += piece
    return data


def pass_on(source, target, name, frames):
    while (frame := read_frame(source)) is not None:
        verb = frame[2:7].decode()
        # what is read at once decides how large pieces of a tar are
        frames.append((name, verb, frame[7:].decode() if verb not in ("write", "error") else ""))
        try:
            target.sendall(frame)
        except OSError:
            break
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def run_pair(helper, listener, place, words):
    """Runs one verb; its success and the frames that went over the wire."""
    inner, inner_end = socket.socketpair()
    outer, outer_end = socket.socketpair()
    frames = []
    outside = subprocess.Popen([*listener, "--hook-listener", "1"], stdin=outer_end, stdout=outer_end,
                               stderr=subprocess.DEVNULL, cwd=place)
    inside = subprocess.Popen([*helper, "--hook-helper", "root", "root", "customize", "env", "1", *words],
                              stdin=inner_end, stdout=inner_end, stderr=subprocess.DEVNULL, cwd=place)
    inner_end.close()
    outer_end.close()
    threads = [threading.Thread(target=pass_on, args=(inner, outer, "inside", frames)),
               threading.Thread(target=pass_on, args=(outer, inner, "outside", frames))]
    for one in threads:
        one.start()
    status = inside.wait()
    for one in threads:
        one.join()
    outside.wait()
    return status == 0, frames


def told(frames):
    """The frames without those that tell how much came at once, and without what mmdebstrap says of the end."""
    return [one for one in frames if one[1] not in ("write", "okthx", "error")]


def files_in(place):
    """What a case has made, a line each."""
    out = []
    for path in sorted(place.rglob("*")):
        info = path.lstat()
        what = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        if path.suffix == ".tar" and path.name == "made.tar":
            shown = subprocess.run(["tar", "tvf", path], capture_output=True, text=True, check=False)
            what = sorted(shown.stdout.splitlines()) + [shown.stderr]
        notes = [] if path.is_symlink() else os.listxattr(path)
        time = int(info.st_mtime) if path.is_file() and info.st_mtime < 2000 else 0
        if isinstance(what, bytes) and len(what) > 100:
            what = hashlib.sha256(what).hexdigest()
        out.append(f"{path.relative_to(place)} {info.st_mode:o} {info.st_nlink} {time} {what} {notes}")
    return out


def main():
    support.require_root()
    program = os.path.abspath(sys.argv[1])
    debroot = [program, "mmdebstrap"]
    mmdebstrap = [reference.find_program()]
    checks = support.Checks()
    base = pathlib.Path(tempfile.mkdtemp(prefix="debroot-hooks-"))
    try:
        for number, words in enumerate(CASES):
            results = {}
            for name, helper, listener in (("mmdebstrap alone", mmdebstrap, mmdebstrap),
                                           ("debroot inside", debroot, mmdebstrap),
                                           ("debroot outside", mmdebstrap, debroot),
                                           ("debroot alone", debroot, debroot)):
                place = base / f"{number}-{name.replace(' ', '-')}"
                place.mkdir()
                make_files(place)
                is_done, frames = run_pair(helper, listener, place, words)
                lines = [" ".join(one) for one in told(frames)] + files_in(place) if is_done else ["failed"]
                results[name] = lines
            wanted = results.pop("mmdebstrap alone")
            for name, found in results.items():
                checks.check(f"{' '.join(words)}: {name}", found == wanted,
                             "\n" + "\n".join(one for one in difflib.ndiff(wanted, found) if one[0] != " "))
    finally:
        shutil.rmtree(base)
    checks.exit()


if __name__ == "__main__":
    main()
