#!/usr/bin/env python3
"""The predecessor as the reference: an image without debroot's own customisations equals one of mmdebstrap, but for
the list in mmdebstrap_differences.txt.

usage: as_mmdebstrap.py DEBROOT SUITE VARIANT
"""

import os
import pathlib
import subprocess
import sys

import network_support as support

EPOCH = "1700000000"
DIFFERENCES = pathlib.Path(__file__).with_name("mmdebstrap_differences.txt")


def main():
    program, suite, variant = sys.argv[1:4]
    support.require_mirror()
    support.require_root()
    support.require_program("mmdebstrap", "mmdebstrap")
    checks = support.Checks()
    with support.Host(program) as host:
        reference = host.output("reference.tar")
        done = subprocess.run(
            ["mmdebstrap", "--quiet", f"--variant={variant}", suite, reference],
            env={"PATH": os.environ["PATH"], "HOME": "/root", "SOURCE_DATE_EPOCH": EPOCH},
            capture_output=True,
            text=True,
            check=False,
        )
        checks.check("mmdebstrap makes its image", done.returncode == 0, done.stderr)
        host.variables["SOURCE_DATE_EPOCH"] = EPOCH
        image = host.build(checks, "debroot.tar", [suite, "--plain", "--variant", variant])
        if not checks.failed:
            host.compare(checks, "the trees are equal", reference, image, "--allow-file", str(DIFFERENCES))
    checks.exit()


if __name__ == "__main__":
    main()
