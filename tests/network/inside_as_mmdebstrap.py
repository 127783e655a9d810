#!/usr/bin/env python3
"""dpkg and apt inside an image of `debroot mmdebstrap` say what they say inside mmdebstrap's own.

usage: inside_as_mmdebstrap.py DEBROOT SUITE VARIANT
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import network_support as support
import reference
from reference import Image

COMMANDS = (
    "dpkg --audit",
    "dpkg --verify",
    "apt-get check",
    "apt-mark showauto",
    "apt-get update",
    "apt-get autoremove -s",
    "apt-get -y install hello",
    "hello",
    "dpkg --audit",
    "apt-mark showauto",
    "cat /var/lib/apt/extended_states /var/lib/dpkg/status",
)
# how fast the mirror was
PASSING = re.compile(r"^(Get|Hit|Ign):|^Fetched ")
OUTER = """set -e
case "$2" in *.zst) zstd -dcq "$2" ;; *) cat "$2" ;; esac |
  tar -xf - -C "$1" --numeric-owner --same-owner --exclude='./dev/*'
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
exec chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive sh -c "$3"
"""


def outputs_of(image):
    """What each command prints, with its exit status at the end."""
    mark = "==== the next command"
    script = "exec 2>&1 </dev/null\n" + "".join(f"{one}; echo status $?; echo '{mark}'\n" for one in COMMANDS)
    work = tempfile.mkdtemp(prefix="debroot-inside.", dir=os.environ.get("TMPDIR", "/var/tmp"))
    try:
        # the mounts go with their namespace, before the directory does
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        done = subprocess.run(
            [*apart, "/bin/sh", "-c", OUTER, "sh", work, image, script], capture_output=True, text=True, check=False
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    texts = [
        "\n".join(line for line in text.strip().splitlines() if not PASSING.search(line))
        for text in done.stdout.split(mark)[:-1]
    ]
    return texts if len(texts) == len(COMMANDS) else [done.stdout + done.stderr]


def main():
    program, suite, variant = sys.argv[1:4]
    support.require_mirror()
    support.require_root()
    image = Image(suite, variant, has_default_mirrors=True)
    references = reference.References()
    checks = support.Checks()
    with support.Host(program) as host:
        made, _ = references.get(image)
        checks.check("mmdebstrap makes its image", made is not None)
        own = host.output("own.tar")
        host.variables |= reference.environment()
        done = host.run(["mmdebstrap", "--quiet", *image.arguments(own)])
        checks.check("debroot makes its image", done.returncode == 0, done.stderr)
        if not checks.failed:
            theirs, ours = outputs_of(made), outputs_of(own)
            if checks.check("every command ran", len(theirs) == len(ours) == len(COMMANDS), "\n".join(theirs + ours)):
                for command, one, other in zip(COMMANDS, theirs, ours):
                    checks.check(f"{command} prints the same", one == other, f"\n{one}\n---- and not\n{other}")
                checks.check("hello is installed and runs", ours[COMMANDS.index("hello")].startswith("Hello, world!"))
    checks.exit()


if __name__ == "__main__":
    main()
