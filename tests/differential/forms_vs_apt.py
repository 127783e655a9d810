#!/usr/bin/env python3
"""Compares what debroot's resolver and apt-get make of every form of a request, under pins and options.

Where resolve_vs_apt.py asks for plain names of one suite, this asks name=version, name/release, name-, name:arch, globs,
regular expressions and apt patterns of a release with its updates, security and backports, once for each policy: none,
APT::Default-Release, APT::Install-Recommends, and files of preferences. The requests are seeded random ones. Prints each
difference and a count for each policy; exits with 1 when anything differs, 77 when there is no apt or no network.
"""
import argparse
import os
import random
import shutil
import sys
import tempfile

from resolve_vs_apt import Apt, Oracle, Tally, field, identity, skip

SECURITY = "deb http://security.debian.org/debian-security {0}-security main"
ARCHIVE = "deb http://deb.debian.org/debian {0}{1} main"

# name: (Default-Release, with Recommends, preferences); {0} is the codename
POLICIES = {
    "none": ("", False, ""),
    "recommends": ("", True, ""),
    "default-release": ("{0}-backports", False, ""),
    "pinned-release": ("", False, "Package: *\nPin: release n={0}-backports\nPin-Priority: 500\n"),
    "pinned-packages": ("", False, "Package: lib* python3*\nPin: release a=*-backports\nPin-Priority: 900\n\n"
                                   "Package: /^g/\nPin: version *\nPin-Priority: 700\n\n"
                                   "Package: src:linux:any src:systemd\nPin: release o=Debian Backports\n"
                                   "Pin-Priority: 990\n"),
    "never": ("", False, "Package: *\nPin: release l=Debian-Security\nPin-Priority: never\n\n"
                         "Package: *-doc\nPin: release n={0}\nPin-Priority: -1\n"),
    "origin": ("", False, "Package: *\nPin: origin security.debian.org\nPin-Priority: 1\n\n"
                          "Package: linux-*\nPin: version 6.*\nPin-Priority: 600\n"),
}

KINDS = ("plain", "version", "release", "architecture", "refusal", "glob", "regex", "pattern")


class Forms:
    """Draws requests from all packages of the indexes."""

    def __init__(self, apt, suite, generator, kinds):
        self.kinds = kinds
        self.suite, self.generator, self.architectures = suite, generator, apt.architectures
        self.versions, self.sections = {}, set()
        for stanza in apt.stanzas():
            self.versions.setdefault(field(stanza, "Package"), []).append(field(stanza, "Version"))
            self.sections.add(field(stanza, "Section"))
        self.names = sorted(self.versions)
        self.sections = sorted(self.sections)
        # packages of which there is a choice are the ones that pins and releases are about
        self.chosen_from = sorted(name for name, versions in self.versions.items() if len(set(versions)) > 1)

    def name(self):
        return self.generator.choice(self.chosen_from if self.generator.random() < 0.6 else self.names)

    def request(self):
        kinds = [getattr(self, name) for name in self.kinds]
        return [self.generator.choice(kinds)() for _ in range(self.generator.randint(1, 3))]

    def plain(self):
        return self.name()

    def version(self):
        name = self.name()
        versions = sorted(set(self.versions[name])) + ["0:absent"]
        return f"{name}={self.generator.choice(versions)}"

    def release(self):
        releases = [self.suite, f"{self.suite}-backports", f"{self.suite}-security", f"{self.suite}-updates", "oldstable",
                    "stable", "n=" + self.suite, "a=absent"]
        return f"{self.name()}/{self.generator.choice(releases)}"

    def architecture(self):
        return f"{self.name()}:{self.generator.choice(self.architectures + ['all', 'any', 'native'])}"

    def refusal(self):
        return self.name() + "-"

    def prefix(self):
        """Of a name, as long as few names begin with it: large sets take apt minutes."""
        name = self.name()
        for length in range(4, len(name)):
            if sum(1 for other in self.names if other.startswith(name[:length])) <= 6:
                return name[:length]
        return name

    def glob(self):
        return self.generator.choice([self.prefix() + "*", "?" + self.name()[1:], self.prefix() + "[a-f]*"])

    def regex(self):
        return "^" + self.prefix().replace("+", "[+]").replace(".", "[.]") + self.generator.choice(["", ".*", "[a-m]+$"])

    def pattern(self):
        prefix = "^" + self.prefix().replace("+", "[+]")
        return self.generator.choice([
            f"?exact-name({self.name()})",
            f"?name({prefix})",
            f"~n{prefix}",
            f"?and(?name({prefix}),?section({self.generator.choice(self.sections)}))",
            f"?name({prefix})?not(?name(dbg))",
            f"~n{prefix}!~n-doc",
            f"?narrow(?name({prefix}),?archive(backports))",
            f"?narrow(?codename(^{self.suite}$),?name({prefix}),?architecture({self.architectures[0]}))",
            f"?or(?exact-name({self.name()}),?exact-name({self.name()}))",
            f"?any-version(?name({prefix}),?archive(security))",
            f"?and(?essential,?name({prefix}))",
            f"?and(?name({prefix}),?provides(^lib))",
            f"?and(?name({prefix}),?virtual)",
            f"?and(?name({prefix}),?not(?installed))",
            f"?and(?name({prefix}),?source-package({self.name()}))",
            f"?and(?name({prefix}),?origin(Debian))",
            f"?and(?name({prefix}),?version(deb12))",
            f"?and(?name({prefix}),?depends(?name(^libc6$)))",
            f"?and(?name({prefix}),?multi-arch(same))",
        ])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("oracle")
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--arch", default="amd64,arm64")
    parser.add_argument("--requests", type=int, default=40, help="for each policy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--policy", choices=sorted(POLICIES), action="append")
    parser.add_argument("--form", choices=KINDS, action="append", help="of the requests; default: all of them")
    parser.add_argument("--work", help="directory to keep the indexes in between runs")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if not shutil.which("apt-get"):
        skip("no apt-get on this host")
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.work or temporary
        os.makedirs(directory, exist_ok=True)
        sources = [ARCHIVE.format(options.suite, part) for part in ("", "-updates", "-backports")]
        apt = Apt(os.path.abspath(directory), options.arch.split(","), sources + [SECURITY.format(options.suite)])
        if not apt.indexes() and not apt.update():
            skip(f"apt-get cannot fetch {options.suite} with its updates, security and backports")
        if len(apt.indexes()) < 4:
            skip(f"not every part of {options.suite} is there")
        install_essential(options, apt)
        differing = sum(compare(options, apt, name) for name in options.policy or POLICIES)
    sys.exit(1 if differing else 0)


def install_essential(options, apt):
    """Essential packages are installed in both worlds, in the versions that the resolver chooses without any pin."""
    oracle = Oracle(options.oracle, apt)
    chosen, reason, _ = oracle.ask([f"?narrow(?architecture({apt.architectures[0]}),?essential)"])
    oracle.close()
    if chosen is None:
        sys.exit(f"the resolver finds no essential set: {reason}")
    apt.set_installed(chosen)


def compare(options, apt, policy):
    """Number of requests that the two answer differently."""
    default_release, has_recommends, preferences = POLICIES[policy]
    default_release = default_release.format(options.suite)
    path = apt.path("etc/apt/preferences")
    with open(path, "w") as file:
        file.write(preferences.format(options.suite))
    apt.options = [f"APT::Default-Release={default_release}"] if default_release else []
    own = [f"--default-release={default_release}"] if default_release else []
    if has_recommends:
        apt.options.append("APT::Install-Recommends=true")
        own.append("--recommends")
    if preferences:
        own.append(f"--preferences={path}")
    oracle = Oracle(options.oracle, apt, own, apt.path("installed"))
    tally = Tally()
    forms = Forms(apt, options.suite, random.Random(f"{options.seed} {policy}"),
                  options.form or KINDS)
    for _ in range(options.requests):
        request = forms.request()
        tally.compare(f"[{policy}] " + " ".join(request), apt.ask(request, False), oracle.ask(request), options.verbose)
        sys.stdout.flush()
    oracle.close()
    print(f"{policy}: {tally.same} of {tally.asked} agree ({tally.refused} refused by both), {tally.removed} left out "
          "because apt would remove packages", flush=True)
    return tally.asked - tally.same


if __name__ == "__main__":
    main()
