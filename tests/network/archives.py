#!/usr/bin/env python3
"""What archives really answer: files that are listed but gone, a Release file that is past its date.

usage: archives.py DEBROOT
"""

import sys

import network_support as support


def check_missing_packages(checks, host):
    """bullseye's security archive still lists arm64 packages that it no longer carries: an error, not a lesser image."""
    done = host.run(["build", "bullseye", "--arch", "arm64", "--progress", "none", "-o", "/dev/null"])
    if not checks.check("bullseye arm64 from the default sources is refused", done.returncode == 1, done.stderr):
        return
    for what, text in (
        ("the URL of the file", "_arm64.deb"),
        ("the answer of the server", "404"),
        ("the source that lists it", "bullseye-security/main, which lists "),
    ):
        checks.check(f"the refusal shows {what}", text in done.stderr, done.stderr)


def check_past_its_date(checks, host):
    """Mirrors that stand still serve testing past its Valid-Until: refused, unless the caller says otherwise as apt's
    users do."""
    plain = host.run(["plan", "testing", "--progress", "none"])
    if plain.returncode == 0:
        print("note: this mirror's testing is current, so its date has nothing to refuse")
    else:
        checks.check("an expired Release file is named as such", "expired" in plain.stderr, plain.stderr)
    for suite in ("testing", "sid"):
        image = host.build(
            checks, f"{suite}.tar", [suite, "--variant", "minbase", "--aptopt", 'Acquire::Check-Valid-Until "false"']
        )
        if image is not None:
            support.check_status(checks, image)
            support.check_inside(checks, image)


def main():
    support.require_mirror()
    support.require_root()
    checks = support.Checks()
    with support.Host(sys.argv[1]) as host:
        check_missing_packages(checks, host)
        check_past_its_date(checks, host)
    checks.exit()


if __name__ == "__main__":
    main()
