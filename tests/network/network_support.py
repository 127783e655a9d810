"""What the tests of this folder share: the program under test run as root or as an ordinary user, named checks, and a
look into finished images. Only Python's own library is used."""

import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tarfile
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parent.parent / "tools"
sys.path.append(str(TOOLS))

import compare_trees  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77


def skip(reason):
    """Ends the test as skipped; the line is what ctest's log and ./dev test count."""
    print(f"SKIP: {reason}", flush=True)
    sys.exit(SKIPPED)


def not_reproducible(suite):
    """Allowances (compare_trees.py) for what mmdebstrap itself does not make twice alike in images of `suite`."""
    files = [HERE / "not_reproducible.txt", HERE / f"not_reproducible_{suite}.txt"]
    return [line for path in files if path.exists() for line in compare_trees.file_lines(path)]


def random_allowances(suite, options):
    """The same as options of compare_trees.py, empty when no package of these build options draws anything at random."""
    has_random = any("openssh-server" in option for option in options)
    return [item for line in not_reproducible(suite) for item in ("--allow", line)] if has_random else []


def require_mirror():
    if subprocess.run([TOOLS / "mirror_answers"], check=False).returncode != 0:
        skip("http://deb.debian.org does not answer")


def require_root():
    if os.geteuid() != 0:
        skip("needs root")


def require_program(name, package):
    if shutil.which(name) is None:
        skip(f"needs {name} (package {package})")


def subordinate_ids(name, uid):
    """How many ids /etc/subuid gives this user."""
    count = 0
    for line in pathlib.Path("/etc/subuid").read_text(encoding="utf-8").splitlines():
        owner, _, rest = line.partition(":")
        if owner in (name, str(uid)):
            count += int(rest.partition(":")[2])
    return count


def ordinary_account():
    """The caller if it is no root, else the first account that has a range of subordinate ids. None: there is none."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    if not os.path.exists("/etc/subuid"):
        return None
    for account in pwd.getpwall():
        if account.pw_uid != 0 and subordinate_ids(account.pw_name, account.pw_uid) >= 65536:
            return account
    return None


class Checks:
    """Named checks, a line each; a failed one does not stop those behind it."""

    def __init__(self):
        self.failed = 0

    def check(self, name, is_true, text=""):
        print(f"{'ok   ' if is_true else 'FAIL '} {name}" + ("" if is_true or not text else f": {text}"), flush=True)
        self.failed += 0 if is_true else 1
        return is_true

    def exit(self):
        sys.exit(1 if self.failed else 0)


class Host:
    """The program under test and a scratch directory in which root and the ordinary user can both write."""

    def __init__(self, program):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="debroot-network.", dir=os.environ.get("TMPDIR", "/var/tmp")))
        self.scratch.chmod(0o1777)
        # the ordinary user may not be able to reach the build directory
        self.program = self.scratch / "debroot"
        shutil.copy2(program, self.program)
        self.variables = {}
        self.launch = subprocess.run  # or what runs the program in another place

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.scratch, ignore_errors=True)

    def command(self, arguments, account):
        """(argv, environment): of the caller's surroundings only PATH and proxies get to the program."""
        home = account.pw_dir if account else "/root"
        environment = {"PATH": os.environ["PATH"], "HOME": home, "XDG_CACHE_HOME": str(self.cache_home(account))}
        proxies = ("http_proxy", "https_proxy", "no_proxy")
        environment |= {name: os.environ[name] for name in proxies if name in os.environ}
        argv = [str(self.program), *map(str, arguments)]
        if account and os.geteuid() == 0:
            argv = ["runuser", "-u", account.pw_name, "--", *argv]
        return argv, environment | self.variables

    def cache_home(self, account):
        """Kept between tests, so that a package is downloaded once; root and user each have their own."""
        base = pathlib.Path(os.environ.get("DEBROOT_TEST_CACHE", "~/.cache/debroot-tests")).expanduser()
        if account and os.geteuid() == 0:
            base = pathlib.Path(account.pw_dir) / ".cache/debroot-tests"
        return base

    def run(self, arguments, account=None):
        argv, environment = self.command(arguments, account)
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return self.launch(argv, env=environment, cwd=self.scratch, **streams)

    def output(self, name):
        return self.scratch / name

    def build(self, checks, name, arguments, account=None):
        """Builds NAME below the scratch directory. @return its path; None, and a failed check, when that failed"""
        done = self.run(["build", *arguments, "--progress", "none", "-o", self.output(name)], account)
        who = account.pw_name if account else "root"
        if checks.check(f"{name} is built as {who}", done.returncode == 0, done.stderr):
            return self.output(name)
        return None

    def compare(self, checks, name, left, right, *options):
        done = subprocess.run(
            [TOOLS / "compare_trees.py", *options, left, right], capture_output=True, text=True, check=False
        )
        return checks.check(name, done.returncode == 0, done.stdout + done.stderr)


def read_members(image, *names):
    """The contents of files in a tar, by name without the leading './'; a missing one is None."""
    found = dict.fromkeys(names)
    with tarfile.open(image) as tar:
        for member in tar:
            name = member.name.removeprefix("./")
            if name in found and member.isreg():
                found[name] = tar.extractfile(member).read().decode()
    return found


def check_status(checks, image):
    """Every package is installed and no trigger is left waiting, by dpkg's own files."""
    files = read_members(image, "var/lib/dpkg/status", "var/lib/dpkg/triggers/Unincorp")
    stanzas = [stanza for stanza in (files["var/lib/dpkg/status"] or "").split("\n\n") if stanza.strip()]
    odd = [stanza.splitlines()[0] for stanza in stanzas if "\nStatus: install ok installed\n" not in stanza]
    checks.check("the image has packages", len(stanzas) > 50, f"{len(stanzas)} packages")
    checks.check("every package is installed", not odd, ", ".join(odd))
    checks.check("no trigger waits", not files["var/lib/dpkg/triggers/Unincorp"])


def run_inside(image, script):
    """Runs a shell script inside the unpacked image, for images of this machine's own architecture; as an ordinary
    user in a user namespace."""
    as_root = [] if os.geteuid() == 0 else ["unshare", "--map-auto", "--map-root-user"]
    work = tempfile.mkdtemp(prefix="debroot-inside.", dir=os.environ.get("TMPDIR", "/var/tmp"))
    outer = (
        'tar -xf "$2" -C "$1" --numeric-owner --same-owner --exclude="./dev/*" && chroot "$1" /bin/sh -c "$3"; status=$?; '
        'rm -rf --one-file-system "$1"/* ; exit $status'
    )
    try:
        return subprocess.run(
            [*as_root, "/bin/sh", "-c", outer, "sh", work, image, script], capture_output=True, text=True, check=False
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)


def check_inside(checks, image):
    """dpkg and apt of the image itself have nothing to say against it."""
    commands = ("dpkg --audit", "dpkg --verify", "apt-get -qq check")
    marker = "==== the next command"
    done = run_inside(image, "exec 2>&1\n" + f"echo '{marker}'\n".join(f"{one} || echo status $?\n" for one in commands))
    outputs = done.stdout.split(marker)
    if not checks.check("the image runs its own programs", len(outputs) == len(commands), done.stdout + done.stderr):
        return
    for command, output in zip(commands, outputs):
        checks.check(f"{command} has nothing to say", not output.strip(), output.strip())
