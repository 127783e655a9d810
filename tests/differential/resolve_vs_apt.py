#!/usr/bin/env python3
"""Compares the resolver's choices and order with those of apt-get -s on a real suite.

Fetches the suite's index with apt-get update into a directory of its own, then puts the same requests to apt and to
resolve_oracle: the sets a build needs (essential, required, important, standard), typical includes, and seeded random
ones. Prints each difference and a count; exits with 1 when the agreement is below --at-least, 77 when there is no apt
or no network.
"""
import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

SKIPPED = 77
TYPICAL = [
    ["dbus"], ["systemd", "systemd-sysv", "dbus"], ["openssh-server"], ["ca-certificates", "curl"],
    ["build-essential"], ["systemd-resolved"], ["ifupdown", "iproute2"], ["linux-image-generic"], ["python3-pip"],
    ["default-mta"], ["mail-transport-agent"], ["nginx"], ["apache2", "php"], ["gnupg"], ["locales"], ["g++"],
    ["libgl1-mesa-dev"], ["default-jre-headless"], ["nodejs", "npm"], ["postgresql"], ["task-ssh-server"],
]


class Apt:
    """apt with a directory of its own. `sources`: lines of sources.list."""

    def __init__(self, directory, architectures, sources):
        self.directory = directory
        self.architectures = architectures
        self.options = []
        for name in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "var/lib/apt/lists/partial",
                     "var/cache/apt/archives/partial", "var/lib/dpkg", "var/log/apt"):
            os.makedirs(os.path.join(directory, name), exist_ok=True)
        with open(self.path("etc/apt/sources.list"), "w") as file:
            file.writelines(line + "\n" for line in sources)
        with open(self.path("apt.conf"), "w") as file:
            file.write(f'APT::Architecture "{architectures[0]}";\n#clear APT::Architectures;\n')
            for name in architectures:
                file.write(f'APT::Architectures:: "{name}";\n')
            file.write(f'Dir "{directory}";\nDir::State::Status "{self.path("var/lib/dpkg/status")}";\n'
                       'Dir::Etc::Trusted "/etc/apt/trusted.gpg";\nDir::Etc::TrustedParts "/etc/apt/trusted.gpg.d";\n'
                       'pkgCacheGen::ForceEssential ",";\nAPT::Install-Recommends false;\n'
                       'Acquire::Languages "none";\nAPT::Sandbox::User "root";\nDebug::NoLocking 1;\n'
                       'Acquire::GzipIndexes false;\n')
        self.set_installed([])

    def path(self, name):
        return os.path.join(self.directory, name)

    def run(self, arguments):
        arguments = [f"-o{option}" for option in self.options] + arguments
        environment = dict(os.environ, APT_CONFIG=self.path("apt.conf"), LC_ALL="C.UTF-8")
        return subprocess.run(["apt-get"] + arguments, env=environment, capture_output=True, text=True)

    def indexes(self):
        """(path, terms of resolve_oracle) of each Packages file, in the order of the sources."""
        form = "$(FILENAME)|$(COMPONENT)|$(SITE)"
        targets = self.run(["indextargets", "--format", form, "Created-By: Packages"]).stdout.splitlines()
        return [(path, release_terms(path, component, site))
                for path, component, site in (line.split("|") for line in targets) if os.path.exists(path)]

    def update(self):
        result = self.run(["update", "--error-on=any"])
        return result.returncode == 0 and bool(self.indexes())

    def stanzas(self):
        for index, _ in self.indexes():
            with open(index, encoding="utf-8") as file:
                for stanza in file.read().split("\n\n"):
                    if stanza.strip():
                        yield stanza.strip("\n")

    def set_installed(self, identities):
        """Path of a file that lists them for resolve_oracle."""
        listing = self.path("installed")
        with open(listing, "w") as file:
            file.write("\n".join(sorted(identities)))
        wanted = set(identities)
        with open(self.path("var/lib/dpkg/status"), "w") as file:
            for stanza in self.stanzas() if wanted else []:
                if identity(stanza) in wanted:
                    wanted.discard(identity(stanza))
                    file.write(stanza + "\nStatus: install ok installed\n\n")
        return listing

    def ask(self, items, with_order):
        """Packages, reason of a refusal, steps. The simulation shows the order but takes some 20 times as long."""
        if not with_order:
            return self.ask_quickly(items)
        result = self.run(["-s", "-y", "install"] + items)
        steps = []
        for line in result.stdout.splitlines():
            match = re.match(r"(Inst|Conf) (\S+) (?:\[\S+\] )?\((\S+) .*\[(\S+)\]\)", line)
            if match:
                kind, name, version, architecture = match.groups()
                steps.append(f"{kind[0].replace('I', 'u').replace('C', 'c')}:{name.split(':')[0]}_{version}_{architecture}")
            elif line.startswith("Remv"):
                return None, "removes " + line.split()[1], []
        if result.returncode != 0:
            errors = [line for line in result.stderr.splitlines() if line.startswith("E:")]
            return None, "; ".join(errors) or "failed", []
        return {step[2:] for step in steps if step.startswith("u:")}, "", steps


    def ask_quickly(self, items):
        result = self.run(["--print-uris", "-y", "install"] + items)
        removes = re.search(r"^The following packages will be REMOVED:\n  (.*)$", result.stdout, re.MULTILINE)
        if removes:
            return None, "removes " + removes.group(1), []
        if result.returncode != 0:
            errors = [line for line in result.stderr.splitlines() if line.startswith("E:")]
            return None, "; ".join(errors) or "failed", []
        files = re.findall(r"^'[^']*' (\S+)\.deb ", result.stdout, re.MULTILINE)
        return {urllib.parse.unquote(name) for name in files}, "", []


def release_terms(packages_file, component, site):
    """What the Release beside a Packages file in apt's lists says, as resolve_oracle takes it."""
    with open(re.match(r".*_dists_[^_]*_", packages_file).group() + "InRelease", encoding="utf-8") as file:
        release = file.read()
    letters = {"a": "Suite", "n": "Codename", "o": "Origin", "l": "Label", "r": "Version"}
    terms = [f"{letter}={field(release, name)}" for letter, name in letters.items()]
    terms += [f"c={component}", f"s={urllib.parse.urlsplit(site).hostname or ''}"]
    terms += [name.lower() for name in ("NotAutomatic", "ButAutomaticUpgrades") if field(release, name) == "yes"]
    return ",".join(terms)


def field(stanza, name):
    match = re.search(rf"^{name}: (.*)$", stanza, re.MULTILINE)
    return match.group(1) if match else ""


def identity(stanza):
    return "_".join(field(stanza, name) for name in ("Package", "Version", "Architecture"))


class Oracle:
    def __init__(self, program, apt, options=(), installed_file=None):
        arguments = [program, ",".join(apt.architectures)] + [f"{terms}={path}" for path, terms in apt.indexes()]
        arguments += options
        if installed_file:
            arguments.append(f"--installed={installed_file}")
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, items):
        self.process.stdin.write("\t".join(items) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().rstrip("\n")
        if not line.startswith("ok"):
            return None, line[3:], []
        packages, _, steps = line[3:].partition("|")
        return {name.lstrip("+") for name in packages.split()}, "", steps.split()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Tally:
    def __init__(self):
        self.asked = self.same = self.simulated = self.ordered = self.refused = self.removed = 0

    def compare(self, label, apt_answer, own_answer, is_verbose):
        self.asked += 1
        theirs, their_reason, their_steps = apt_answer
        ours, our_reason, our_steps = own_answer
        if theirs is None and their_reason.startswith("removes"):
            self.removed += 1
            self.asked -= 1
            return
        if theirs is None and ours is None:
            self.refused += 1
            self.same += 1
            if is_verbose:
                print(f"REFUSED {label}\n  apt: {their_reason}\n  resolver: {our_reason}")
            return
        if theirs != ours:
            only_theirs = sorted((theirs or set()) - (ours or set()))
            only_ours = sorted((ours or set()) - (theirs or set()))
            print(f"DIFFERS {label}\n  apt only: {' '.join(only_theirs) if theirs is not None else 'refused: ' + their_reason}"
                  f"\n  resolver only: {' '.join(only_ours) if ours is not None else 'refused: ' + our_reason}")
            return
        self.same += 1
        if not their_steps:
            return
        self.simulated += 1
        if their_steps == our_steps:
            self.ordered += 1
            return
        place = next((i for i, (a, b) in enumerate(zip(their_steps, our_steps)) if a != b), -1)
        print(f"ORDER {label}: step {place} of {len(their_steps)}: apt {their_steps[place:place + 4]}, "
              f"resolver {our_steps[place:place + 4]}")


def skip(reason):
    print(f"SKIP: {reason}", flush=True)
    sys.exit(SKIPPED)


def sets_of(suite, architecture):
    here = f"?or(?archive(^{suite}$),?codename(^{suite}$)),?architecture({architecture})"
    yield "required", ["apt", f"?narrow({here},?and(?priority(required),?not(?essential)))"]
    important = "?or(?priority(required),?priority(important))"
    yield "important", ["apt", f"?narrow({here},?and({important},?not(?essential)))"]
    yield "important+dbus", ["dbus", "apt", f"?narrow({here},?and({important},?not(?essential)))"]
    standard = "?or(?priority(required),?priority(important),?priority(standard))"
    yield "standard", ["apt", f"?narrow({here},?and({standard},?not(?essential)))"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("oracle")
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--arch", default="amd64", help="native first, then foreign ones, separated by commas")
    parser.add_argument("--mirror", default="http://deb.debian.org/debian")
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-with", metavar="FIELD", help="draw only packages with this field, such as Conflicts")
    parser.add_argument("--largest", type=int, default=6, help="most packages in a random request")
    parser.add_argument("--recommends", action="store_true", help="install Recommends as well")
    parser.add_argument("--order-every", type=int, default=8, metavar="N", help="compare the order of each Nth request")
    parser.add_argument("--at-least", type=float, default=0.98)
    parser.add_argument("--work", help="directory to keep the index in between runs")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if not shutil.which("apt-get"):
        skip("no apt-get on this host")
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.work or temporary
        os.makedirs(directory, exist_ok=True)
        source = f"deb {options.mirror} {options.suite} main"
        run(options, Apt(os.path.abspath(directory), options.arch.split(","), [source]))


def run(options, apt):
    if not apt.indexes() and not apt.update():
        skip(f"apt-get cannot fetch {options.suite} from {options.mirror}")
    tally = Tally()
    native = apt.architectures[0]
    oracle = Oracle(options.oracle, apt)
    essential = [f"?narrow(?or(?archive(^{options.suite}$),?codename(^{options.suite}$)),?architecture({native}),?essential)"]
    answer = oracle.ask(essential)
    tally.compare("essential", apt.ask(essential, True), answer, options.verbose)
    oracle.close()
    if answer[0] is None:
        print("the resolver finds no essential set:", answer[1])
        sys.exit(1)

    installed_file = apt.set_installed(answer[0])
    if options.recommends:
        apt.options.append("APT::Install-Recommends=true")
    oracle = Oracle(options.oracle, apt, ["--recommends"] if options.recommends else [], installed_file)
    requests = list(sets_of(options.suite, native)) + [(" ".join(items), items) for items in TYPICAL]
    names = sorted({field(stanza, "Package") for stanza in apt.stanzas()
                    if not options.only_with or field(stanza, options.only_with)})
    generator = random.Random(options.seed)
    for _ in range(options.requests):
        items = generator.sample(names, generator.randint(1, options.largest))
        if len(apt.architectures) > 1 and generator.random() < 0.5:
            items[0] += ":" + apt.architectures[1]
        requests.append((" ".join(items), items))
    for number, (label, items) in enumerate(requests):
        with_order = number < 2 or (options.order_every and number % options.order_every == 0)
        tally.compare(label, apt.ask(items, with_order), oracle.ask(items), options.verbose)
        sys.stdout.flush()
    oracle.close()
    print(f"{options.suite} {options.arch}: {tally.same} of {tally.asked} selections agree ({tally.refused} refused by both), "
          f"{tally.ordered} of {tally.simulated} orders; {tally.removed} left out because apt would remove packages")
    sys.exit(0 if tally.same >= options.at_least * tally.asked else 1)


if __name__ == "__main__":
    main()
