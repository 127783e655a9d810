#!/usr/bin/env python3
"""The whole life of a machine made from one suite: tests/tools/walkthrough over a freshly built image.

usage: walk_image.py DEBROOT SUITE networkd|ifupdown [pipe]

With 'pipe' the image goes from `build -o -` into `machinectl import-tar -` without ever being a file.
"""

import os
import subprocess
import sys

import network_support as support


def main():
    program, suite, network = sys.argv[1:4]
    through_pipe = sys.argv[4:] == ["pipe"]
    support.require_mirror()
    support.require_root()
    support.require_program("systemd-nspawn", "systemd-container")
    name = f"{suite}-machine"
    arguments = [suite, "--hostname", name, "--network", network]
    if suite == "bullseye":
        arguments += ["-m", "http://deb.debian.org/debian"]
    checks = support.Checks()
    with support.Host(program) as host:
        environment = os.environ | {"DEBROOT": str(host.program), "NETWORK": network}
        walkthrough = str(support.TOOLS / "walkthrough")
        if through_pipe:
            # under pipe the machine is named by its import alone
            build, build_environment = host.command(["build", suite, "--network", network, "--quiet", "-o", "-"], None)
            walk = [walkthrough, "--pipe", name, *build]
            environment |= build_environment
        else:
            image = host.build(checks, f"{suite}.tar", arguments)
            if image is None:
                checks.exit()
            walk = [walkthrough, str(image), name]
        sys.stdout.flush()
        status = subprocess.run(walk, env=environment, check=False).returncode
        checks.check("every step of the walk", status == 0)
    checks.exit()


if __name__ == "__main__":
    main()
