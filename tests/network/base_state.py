#!/usr/bin/env python3
"""Base states: builds that begin with one have the bytes of builds that do not.

usage: base_state.py DEBROOT SUITE root|user [OPTION...]

All that is compared is built offline, from one set of indexes.
"""

import json
import shutil
import sys

import network_support as support

# a hook that looks at what no image shows, and changes what the state holds
HOOK = (
    'set -e; test -s "$1"/etc/machine-id; chroot "$1" adduser --system --group --home /var/lib/probe probe; '
    'echo changed >"$1"/etc/motd; rm -r "$1"/usr/share/doc/apt; ls "$1"/var/lib/apt/lists >"$1"/etc/lists'
)


def build(checks, host, account, name, options):
    """@return whether a state was used, of a build that must succeed"""
    done = host.run(["build", *options, "--progress", "json", "-o", host.output(name)], account)
    if not checks.check(f"{name} is built", done.returncode == 0, done.stderr):
        return None
    last = json.loads(done.stderr.splitlines()[-1])
    return last["base_state"]


def same_bytes(checks, host, left, right):
    contents = [host.output(name).read_bytes() for name in (left, right)]
    if not checks.check(f"{right} has the bytes of {left}", contents[0] == contents[1]):
        host.compare(checks, f"{right} has the entries of {left}", host.output(left), host.output(right))


def main():
    program, suite, who, *options = sys.argv[1:]
    support.require_mirror()
    account = support.ordinary_account() if who == "user" else None
    if who == "root":
        support.require_root()
    elif account is None:
        support.skip("no ordinary account has 65536 subordinate ids")
    with support.Host(program) as host:
        checks = support.Checks()
        build(checks, host, account, "online.tar", [suite, *options])
        shutil.rmtree(host.cache_home(account) / "debroot" / "states", ignore_errors=True)
        offline = [suite, *options, "--offline"]
        hooked = [*offline, "--customize-hook", HOOK]
        for name, arguments, is_used in (
            ("hooked-without.tar", hooked, False),
            ("plain-without.tar", offline, False),
            ("hooked-with.tar", hooked, True),
            ("plain-with.tar", offline, True),
            ("one-job-with.tar", [*offline, "--jobs", "1"], True),
        ):
            used = build(checks, host, account, name, arguments)
            checks.check(f"{name} {'begins' if is_used else 'does not begin'} with a state", used == is_used)
        same_bytes(checks, host, "hooked-without.tar", "hooked-with.tar")
        same_bytes(checks, host, "plain-without.tar", "plain-with.tar")
        same_bytes(checks, host, "plain-without.tar", "one-job-with.tar")
        same_bytes(checks, host, "online.tar", "plain-with.tar")
        support.check_status(checks, host.output("plain-with.tar"))
    checks.exit()


if __name__ == "__main__":
    main()
