"""mmdebstrap 1.5.7 as the reference, and the images it made, which are kept: one takes it half a minute and more.

The program is what DEBROOT_REFERENCE names, else the mmdebstrap of PATH if it is that version, else the one of
Debian 13's own package, taken out of it into the cache. Kept images are found by all that decides their bytes: the
arguments, the Release files of the archives, and what of this machine goes into them.
"""

import dataclasses
import hashlib
import os
import pathlib
import pwd
import shutil
import subprocess
import time
import urllib.request

import network_support as support
import own_binfmt

VERSION = "1.5.7"
SUITE_OF_VERSION = "trixie"
# Later than most of what packages hold and earlier than today: both kinds of times then show in an image.
EPOCH = "1790000000"
MIRROR = "http://deb.debian.org/debian"
SECURITY = "http://security.debian.org/debian-security"
KEYRING = pathlib.Path(__file__).resolve().parents[2] / "keyrings" / "debian-archive-keyring.gpg"


@dataclasses.dataclass(frozen=True)
class Image:
    """One line of a matrix: the arguments that both programs get."""

    suite: str
    variant: str
    includes: tuple = ()
    architecture: str = ""
    has_default_mirrors: bool = False
    options: tuple = ()
    mirrors: tuple = (MIRROR,)

    @property
    def name(self):
        parts = [self.suite, self.variant, *self.includes, self.architecture, *self.options]
        parts.append("default-mirrors" if self.has_default_mirrors else "")
        parts += () if self.mirrors == (MIRROR,) else self.mirrors
        text = "+".join(part for part in parts if part)
        return "".join(c if c.isalnum() or c in "+-.=" else "_" for c in text)

    @property
    def native(self):
        """The architecture that programs of the image have; empty: this machine's."""
        return self.architecture.split(",")[0]

    def can_run(self):
        """Whether this machine runs such programs, by itself or under an emulator."""
        if not self.native:
            return True
        # mmdebstrap asks arch-test itself
        has_tester = shutil.which("arch-test") is not None
        return has_tester and bool(not own_binfmt.is_needed(self.native) or own_binfmt.emulator_of(self.native))

    def arguments(self, target):
        out = ["--format=tar", f"--variant={self.variant}", *self.options]
        out += [f"--include={one}" for one in self.includes]
        if self.architecture:
            out.append(f"--architectures={self.architecture}")
        return [*out, self.suite, str(target), *([] if self.has_default_mirrors else self.mirrors)]

    def release_urls(self):
        out = [f"{MIRROR}/dists/{self.suite}/InRelease"]
        if self.has_default_mirrors:
            out.append(f"{MIRROR}/dists/{self.suite}-updates/InRelease")
            out.append(f"{SECURITY}/dists/{self.suite}-security/InRelease")
        return out


def environment():
    """What both programs see: little, since maintainer scripts see it as well."""
    kept = ("PATH", "http_proxy", "https_proxy", "no_proxy")
    own = {"HOME": "/root", "SOURCE_DATE_EPOCH": EPOCH}
    return own | {name: os.environ[name] for name in kept if name in os.environ}


def cache_directory():
    return pathlib.Path(os.environ.get("DEBROOT_REFERENCE_CACHE", "~/.cache/debroot-references")).expanduser()


def version_of(program):
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return "none"
    return done.stdout.strip().removeprefix("mmdebstrap ")


def find_program():
    """The reference program. Ends the test as skipped where there is none."""
    support.require_program("apt-get", "apt")
    support.require_program("perl", "perl")
    if "DEBROOT_REFERENCE" in os.environ:
        program = os.environ["DEBROOT_REFERENCE"]
        if version_of(program) != VERSION:
            support.skip(f"DEBROOT_REFERENCE is not mmdebstrap {VERSION} but {version_of(program)}")
        return program
    if version_of("mmdebstrap") == VERSION:
        return "mmdebstrap"
    unpacked = cache_directory() / "program"
    if version_of(unpacked / "usr/bin/mmdebstrap") != VERSION:
        take_from_package(unpacked)
    if version_of(unpacked / "usr/bin/mmdebstrap") != VERSION:
        support.skip(f"needs mmdebstrap {VERSION}")
    return str(unpacked / "usr/bin/mmdebstrap")


def hook_directories():
    """Where the reference program's own hook directories lie."""
    return pathlib.Path(shutil.which(find_program())).resolve().parents[1] / "share/mmdebstrap/hooks"


def take_from_package(directory):
    """Has this machine's apt fetch and verify the package, with nothing of its own state touched."""
    shutil.rmtree(directory, ignore_errors=True)
    apt = directory / "apt"
    for name in ("lists/partial", "archives/partial"):
        (apt / name).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {MIRROR} {SUITE_OF_VERSION} main\n", encoding="utf-8")
    settings = {
        "Dir::State": apt,
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt,
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    steps = (["apt-get", *options, "-qq", "update"], ["apt-get", *options, "-qq", "download", "mmdebstrap"])
    if any(subprocess.run(step, cwd=directory, check=False).returncode != 0 for step in steps):
        support.skip("this machine's apt cannot fetch the package mmdebstrap")
    for package in directory.glob("mmdebstrap_*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, directory], check=True)
    shutil.rmtree(apt)


def release_date(url):
    """The Date of a Release file; the address itself where it cannot be read, which the build will tell better."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            head = answer.read(2048).decode(errors="replace")
    except (OSError, ValueError):
        return url
    return next((line for line in head.splitlines() if line.startswith("Date:")), url)


def traces_of_this_machine():
    """What mmdebstrap copies from the machine it runs on."""
    out = [os.uname().nodename]
    for name in ("/etc/resolv.conf", "/etc/hostname"):
        path = pathlib.Path(name)
        out += [path.read_text(encoding="utf-8"), oct(path.stat().st_mode)] if path.exists() else [""]
    keys = sorted(str(path) for path in pathlib.Path("/etc/apt/trusted.gpg.d").glob("*"))
    out += keys
    try:
        out.append(str(pwd.getpwnam("_apt").pw_uid))
    except KeyError:
        out.append("root")
    return out


def short(name):
    """What a file may be called: the names of images with hooks hold all of these."""
    return name if len(name) <= 120 else f"{name[:100]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


class References:
    def __init__(self):
        self.program = find_program()
        self.directory = cache_directory() / "images"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.suffix = ".tar.zst" if shutil.which("zstd") else ".tar"

    def path_of(self, image):
        parts = [EPOCH, *image.arguments(""), *map(release_date, image.release_urls()), *traces_of_this_machine()]
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
        return self.directory / f"{short(image.name)}@{digest}{self.suffix}"

    def get(self, image):
        """(path, seconds it took) of the image; path is None, with the program's output printed, when it failed."""
        path = self.path_of(image)
        if path.exists():
            return path, 0
        for stale in self.directory.glob(f"{short(image.name)}@*"):
            stale.unlink()
        return self.make(image, path)

    def make(self, image, path):
        unfinished = path.with_name(f"unfinished-{os.getpid()}-{path.name}")
        start = time.monotonic()
        try:
            done = self.run(image, unfinished)
            if done.returncode != 0:
                print(done.stdout + done.stderr)
                return None, time.monotonic() - start
            unfinished.rename(path)
            return path, time.monotonic() - start
        finally:
            unfinished.unlink(missing_ok=True)

    def run(self, image, target):
        argv = [self.program, "--quiet", *image.arguments(target)]
        options = {"env": environment(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        if image.native and own_binfmt.is_needed(image.native):
            return own_binfmt.run(image.native, argv, **options)
        return subprocess.run(argv, stdin=subprocess.DEVNULL, check=False, **options)
