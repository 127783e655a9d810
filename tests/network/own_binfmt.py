"""Programs of another architecture without anything registered on this machine: a user namespace may have a
binfmt_misc of its own from Linux 6.7 on. Its ids are those of the machine, so that what runs there is root."""

import os
import pathlib
import shutil
import subprocess
import time

# Debian's name: (qemu's name, ELF class, machine as e_machine has it)
ARCHITECTURES = {"arm64": ("aarch64", 2, b"\xb7\x00"), "i386": ("i386", 1, b"\x03\x00")}
MOUNT_POINT = "/proc/sys/fs/binfmt_misc"
# the maps are written from outside; until then this waits
INNER = f"""read go && mount -t binfmt_misc binfmt_misc {MOUNT_POINT} || exit 125
[ "$(echo $(ls {MOUNT_POINT}))" = "register status" ] || exit 125
[ -z "$1" ] || printf %s "$1" >{MOUNT_POINT}/register || exit 125
shift && exec "$@" </dev/null"""


def is_needed(architecture):
    return subprocess.run(["arch-test", "-n", architecture], capture_output=True, check=False).returncode != 0


def emulator_of(architecture):
    """Path of the static qemu, or None."""
    name = ARCHITECTURES.get(architecture, ("none",))[0]
    return shutil.which(f"qemu-{name}-static") or shutil.which(f"qemu-{name}")


def registration(architecture):
    """The line that hands ELF executables of this architecture to its emulator, which is opened now (flag F)."""
    name, elf_class, machine = ARCHITECTURES[architecture]
    magic = b"\x7fELF" + bytes([elf_class, 1, 1]) + bytes(9) + b"\x02\x00" + machine
    mask = b"\xff" * 7 + b"\x00" + b"\xff" * 8 + b"\xfe\xff\xff\xff"
    texts = ["".join(f"\\x{byte:02x}" for byte in part) for part in (magic, mask)]
    return f":qemu-{name}:M::{texts[0]}:{texts[1]}:{emulator_of(architecture)}:F"


def run(architecture, argv, **options):
    """As subprocess.run() of argv, with an emulator for `architecture`; standard input is empty."""
    return run_registered(registration(architecture), argv, **options)


def run_below_empty_registry(argv, **options):
    """The same with no emulator, whatever the machine has registered."""
    return run_registered("", argv, **options)


def run_registered(line, argv, **options):
    outer = ["unshare", "--user", "--mount", "--keep-caps", "sh", "-c", INNER, "sh", line]
    here = os.readlink("/proc/self/ns/user")
    with subprocess.Popen([*outer, *argv], stdin=subprocess.PIPE, **options) as process:
        while process.poll() is None and os.readlink(f"/proc/{process.pid}/ns/user") == here:
            time.sleep(0.01)
        for name in ("uid_map", "gid_map"):
            pathlib.Path(f"/proc/{process.pid}/{name}").write_text("0 0 4294967295\n", encoding="ascii")
        out, err = process.communicate("go\n")
    return subprocess.CompletedProcess(argv, process.returncode, out, err)
