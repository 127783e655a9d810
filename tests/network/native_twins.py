#!/usr/bin/env python3
"""An image of another architecture, made once with native twins of its tools and once fully emulated: the same bytes?

usage: native_twins.py DEBROOT SUITE ARCH [OPTION...]

The options go to both builds. The second one is made offline, from what the first put into the cache, so that the
archive cannot change in between. What packages draw at random (ssh host keys) is left out of the comparison.
"""

import hashlib
import sys
import time

import network_support as support
import suite_image


def build(checks, host, name, arguments):
    """Image and what was said meanwhile."""
    start = time.monotonic()
    done = host.run(["build", *arguments, "--verbose", "--progress", "none", "-o", host.output(name)])
    if not checks.check(f"{name} is built", done.returncode == 0, done.stderr[-4000:]):
        return None, ""
    print(f"note: {name} took {time.monotonic() - start:.0f} s", flush=True)
    return host.output(name), done.stderr


def digest(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main():
    program, suite, arch, *options = sys.argv[1:]
    support.require_mirror()
    suite_image.require_emulation(arch, hides_host=False)
    checks = support.Checks()
    arguments = [suite, "--arch", arch, *options]
    with support.Host(program) as host:
        native, said = build(checks, host, "native.tar", arguments)
        checks.check("tools run natively", " lend their tools" in said, said[:1000])
        emulated, said = build(checks, host, "emulated.tar", [*arguments, "--foreign-exec=emulate", "--offline"])
        checks.check("no tool runs natively where none is to", "twins:" not in said)
        if native and emulated:
            allowed = support.random_allowances(suite, options)
            if host.compare(checks, "both have the same entries", native, emulated, *allowed) and not allowed:
                checks.check("both have the same bytes", digest(native) == digest(emulated))
    checks.exit()


if __name__ == "__main__":
    main()
