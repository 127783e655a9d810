#!/usr/bin/env python3
"""Runs the image's own tools and debroot's stand-ins for them side by side: the same tree, output and exit status?

usage: stand_ins.py STAND-INS DEBROOT SUITE [--cases N] [--seed N] [--root DIR]

Each case prepares a small tree over a root of the suite (an overlay), makes some calls there, once of the real tools
and once with the stand-ins bound over them, and compares everything the calls left. The calls that debhelper's snippets
make are among the cases, and there it is also checked that no stand-in asked the real tool. The others are drawn at
random from what a tool may meet, so many of them are handed over; the summary says how many were not. Needs root; exits
with 77 where it cannot run.
"""
import argparse
import hashlib
import os
import random
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile

SKIPPED = 77
TOOLS = {
    "dpkg-maintscript-helper": "/usr/bin/dpkg-maintscript-helper",
    "deb-systemd-helper": "/usr/bin/deb-systemd-helper",
    "update-rc.d": "/usr/sbin/update-rc.d",
    "adduser": "/usr/sbin/adduser",  # which is addgroup too
    "update-ca-certificates": "/usr/sbin/update-ca-certificates",
}
MARKER = b"debroot stand-in, dialect "
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "HOME": "/root", "DPKG_ROOT": "",
    "DPKG_MAINTSCRIPT_PACKAGE": "probe", "DPKG_MAINTSCRIPT_ARCH": "amd64", "DPKG_MAINTSCRIPT_NAME": "postinst",
    "DPKG_ADMINDIR": "/var/lib/dpkg", "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT": "1",
}


class Case:
    """A tree to prepare and calls to make in it."""

    def __init__(self, name, is_usual=False):
        self.name = name
        self.is_usual = is_usual  # the stand-ins must do it all by themselves
        self.files = {}  # path: content
        self.links = {}  # path: target
        self.lines = []  # of a shell script

    def call(self, *arguments, **environment):
        settings = dict(ENVIRONMENT, **environment)
        words = [f"{name}={value}" for name, value in settings.items() if value is not None]
        number = len(self.lines)
        self.lines.append(f"env -i {shlex.join(words)} {shlex.join(arguments)} >/result/{number}.out 2>/result/{number}.err; "
                          f"echo $? >/result/{number}.status")


# What is drawn at random -------------------------------------------------------------------------------------------

UNITS = ["alpha.service", "beta.timer", "gamma@.service", "delta.socket"]
TARGETS = ["multi-user.target", "graphical.target", "timers.target", "getty.target", "beta.timer"]


def unit_text(draw, suite, position, strange):
    """A unit file; with `strange` also of lines that nobody should write."""
    also = UNITS[position + 1:] if suite == "bullseye" else UNITS  # bullseye's helper never ends in a circle
    lines = ["[Unit]", "Description=x", "[Service]", "ExecStart=/bin/true", "[Install]"]
    usual = ["WantedBy={t}", "WantedBy={t} {u}", "RequiredBy={t}", "Alias=other-{n}.service", "DefaultInstance=tty1",
             "WantedBy={t}\t{u}", "  WantedBy={t}", "#WantedBy={t}", "", "WantedBy=", "Alias=" + UNITS[position],
             "DefaultInstance=a.b", "WantedByX={t}", "WantedBy={t}\\"]
    odd = ["wantedby={t}", "WantedBy={t} ", "WantedBy= {t}", 'WantedBy="{t}"', "WantedBy='{t}' {u}", "Alias=a.service b.service",
           "Alias='q.service'", "Alias=a.service ", "DefaultInstance=\"tty 2\"", "DefaultInstance= tty3", "WantedBy={t}\r",
           "Also=missing.service", "alias=low.service", "WantedBy= ", "Also= ", "WantedBy=\u00e4.target", "WantedBy =x.target",
           "ALSO={a}", "Also='{a}'", "RequiredBy=\"{t}", "WantedBy=../x.target"]
    for _ in range(draw.randint(0, 5)):
        pool = odd if strange and draw.random() < 0.3 else usual
        if also and draw.random() < 0.25:
            pool = ["Also={a}", "Also={a} " + UNITS[position]]
        line = draw.choice(pool)
        if "{a}" in line and not also:
            continue
        lines.append(line.format(t=draw.choice(TARGETS), u=draw.choice(TARGETS), n=draw.randint(0, 3),
                                 a=draw.choice(also or UNITS)))
    return "\n".join(lines) + draw.choice(["\n", "\n", ""])


def add_units(case, draw, suite, instance, strange):
    for position, unit in enumerate(UNITS):
        if draw.random() < 0.85:
            place = draw.choice(["lib", "lib", "usr/lib", "etc"]) if strange else "lib"
            case.files[f"/{place}/systemd/{instance}/{unit}"] = unit_text(draw, suite, position, strange)


def choose_systemctl(case, draw):
    kind = draw.choice(["real", "real", "none", "fails", "says"])
    if kind == "none":
        case.lines.append("rm -f /bin/systemctl /usr/bin/systemctl")
    elif kind != "real":
        status = 3 if kind == "fails" else 0
        case.files["/fake-systemctl"] = f"#!/bin/sh\necho \"systemctl: $*\"\necho on stderr >&2\nexit {status}\n"
        case.lines.append("rm -f /bin/systemctl /usr/bin/systemctl; chmod 755 /fake-systemctl; mv /fake-systemctl /bin/systemctl")


def helper_calls(draw):
    """Calls that are one snippet of debhelper, or one call of any kind."""
    unit = draw.choice(UNITS + ["gamma@tty7.service", "missing.service"])
    user = draw.choice([[], [], ["--user"]])
    tool = ["deb-systemd-helper", *user]
    enable = [[*tool, "unmask", unit], [*tool, "--quiet", "was-enabled", unit], [*tool, "enable", unit]]
    dont_enable = [[*tool, "debian-installed", unit], [*tool, "unmask", unit], [*tool, "update-state", unit]]
    other = [[*tool, *draw.choice([[], ["--quiet"], ["--system"], ["--quie"], ["--"], ["--user", "--system"]]),
              draw.choice(["enable", "disable", "purge", "mask", "unmask", "is-enabled", "was-enabled", "debian-installed",
                           "update-state", "reenable", "strange"]),
              *draw.choice([[unit], [unit], [unit, UNITS[0]], [], ["--quiet", unit], [unit, "--quiet"], ["/x/" + unit]])]]
    return draw.choice([enable, enable, dont_enable, other, other])


def random_helper_case(draw, suite, number, strange):
    case = Case(f"deb-systemd-helper {number}")
    for instance in ("system", "user"):
        add_units(case, draw, suite, instance, strange)
    choose_systemctl(case, draw)
    state = "/var/lib/systemd/deb-systemd-helper-"
    if strange:
        for path, content in [
                (f"{state}enabled/alpha.service.dsh-also", "/etc/systemd/system/multi-user.target.wants/alpha.service\n"),
                (f"{state}enabled/beta.timer.dsh-also", "/etc/systemd/system/x\n/etc/hostname"),
                (f"{state}enabled/multi-user.target.wants/alpha.service", ""),
                (f"{state}masked/alpha.service", ""), ("/etc/systemd/system/delta.socket", "[Install]\nWantedBy=x.target\n")]:
            if draw.random() < 0.2:
                case.files[path] = content
        for path, target in [("/etc/systemd/system/alpha.service", "/dev/null"),
                             ("/etc/systemd/system/beta.timer", "/nowhere"),
                             ("/etc/systemd/system/multi-user.target.wants/alpha.service", "/lib/systemd/system/alpha.service")]:
            if draw.random() < 0.15 and path not in case.files:
                case.links[path] = target
    for _ in range(draw.randint(1, 3)):
        environment = {}
        if strange and draw.random() < 0.1:
            environment = draw.choice([{"DPKG_MAINTSCRIPT_PACKAGE": None}, {"DPKG_MAINTSCRIPT_PACKAGE": "0"},
                                       {"_DEB_SYSTEMD_HELPER_DEBUG": "1"}, {"LC_ALL": "xx_XX.UTF-8"},
                                       {"_DEB_SYSTEMD_HELPER_PURGE": "1"}, {"DPKG_ROOT": "/sub"}])
        for call in helper_calls(draw):
            case.call(*call, **environment)
    return case


def script_header(draw):
    level = lambda: draw.choice(["2 3 4 5", "S", "", "0 1 6", "2", " 3  5 ", "2345", "2 3\t4"])
    lines = ["#!/bin/sh", *draw.choice([["### BEGIN INIT INFO"], ["### BEGIN INIT INFO   "], []]), "# Provides: x",
             f"# Default-Start: {level()}", f"# Default-Stop:{level()}", *draw.choice([[], ["# Default-Start:  1"]]),
             *draw.choice([["### END INIT INFO"], []]), "# Default-Stop: 4"]
    return "\n".join(lines) + "\n"


def random_update_rc_d_case(draw, _suite, number, strange):
    case = Case(f"update-rc.d {number}")
    case.files["/etc/init.d/alpha"] = script_header(draw)
    case.files["/etc/init.d/beta.sh"] = script_header(draw)
    if strange:
        if draw.random() < 0.2:
            case.links["/etc/rc3.d/S05alpha"] = "../init.d/alpha"
        if draw.random() < 0.1:
            case.files["/etc/rc2.d"] = ""
        if draw.random() < 0.1:
            case.files["/sbin/openrc"] = "#!/bin/sh\n"
            case.lines.append("chmod 755 /sbin/openrc")
    choose_systemctl(case, draw)
    for _ in range(draw.randint(1, 3)):
        name = draw.choice(["alpha", "alpha", "beta.sh", "missing"])
        usual = [[name, "defaults"], [name, "defaults"], [name, "defaults-disabled"], [name, "defaults", "20", "80"]]
        odd = [[name, "remove"], [name, "enable"], [name, "disable"], ["-f", name, "defaults"], [name], [], [name, "start", "20"],
               ["al*", "defaults"], [name, "strange"]]
        case.call("update-rc.d", *draw.choice(odd if strange and draw.random() < 0.4 else usual))
    return case


def random_maintscript_case(draw, _suite, number, strange):
    case = Case(f"dpkg-maintscript-helper {number}")
    for path in ("/etc/old.conf", "/etc/dir/x", "/usr/share/doc/dir.dpkg-backup/y", "/usr/share/doc/dir/.dpkg-staging-dir"):
        if strange and draw.random() < 0.3:
            case.files[path] = "x\n"
    if strange and draw.random() < 0.3:
        case.links["/usr/share/doc/link.dpkg-backup"] = "dir"
    for _ in range(3):
        version = draw.choice(["1.2-3~", "1:4.7-2~", "0.5+snapshot20151106-1", "2021.1.1+deb11u1~~", "7"])
        target, path = "dir", draw.choice(["/etc/old.conf", "/usr/share/doc/link", "/usr/share/doc/dir"])
        if strange:
            version = draw.choice([version, "", "x1", "1.0-", "1_2", ":1", "1:2:3", "-1", "99999:1", "1 2"])
            path = draw.choice([path, "relative", "/", "/usr/share/doc/dir/", "", "//", "!"])
            target = draw.choice([target, "", "!", "-e", "/usr/share/doc/other"])
        command = draw.choice([["rm_conffile", path], ["mv_conffile", path, "/etc/new.conf"], ["symlink_to_dir", path, target],
                               ["dir_to_symlink", path, target]])
        tail = draw.choice([[], [version], [version, "probe"], [version, ""]])
        action = draw.choice([["configure", ""], ["configure"], ["install"], ["triggered", "/a /b"]])
        if strange:
            action = draw.choice([action, ["configure", "1.0"], ["install", "0.1"], ["upgrade", "0.1"], ["abort-install"], [],
                                  [""], ["purge"], ["upgrade"]])
        separator = draw.choice([["--"]] * 9 + [[]]) if strange else ["--"]
        arguments = [*command, *tail, *separator, *action]
        if strange and draw.random() < 0.2:
            arguments = draw.choice([["supports", "rm_conffile"], ["supports", "x"], ["supports"], [], ["--version"], ["help"],
                                     ["x"], ["rm_conffile"], ["_internal_pkg_must_own_file", "probe", "/x"]])
        environment = {"DPKG_MAINTSCRIPT_NAME": draw.choice(["preinst", "postinst"])}
        if strange and draw.random() < 0.2:
            environment = draw.choice([{"DPKG_MAINTSCRIPT_NAME": "postrm"}, {"DPKG_MAINTSCRIPT_NAME": None},
                                       {"DPKG_MAINTSCRIPT_PACKAGE": None}, {"DPKG_DEBUG": "1"}, {"DPKG_DATADIR": "/nowhere"},
                                       {"DPKG_MAINTSCRIPT_NAME": "prerm"}, {"DPKG_COLORS": "always"}, {"DPKG_ROOT": "/"}])
        case.call("dpkg-maintscript-helper", *arguments, **environment)
    return case


def random_adduser_case(draw, _suite, number, strange):
    case = Case(f"adduser {number}")
    settings = ["# comment", "", "DSHELL=/bin/bash", "FIRST_SYSTEM_UID=100", "LAST_SYSTEM_GID=999", 'QUOTAUSER=""']
    if strange:
        settings += draw.choice([[], [], ["FIRST_SYSTEM_UID=400"], ['FIRST_SYSTEM_GID="333"'], ["LAST_SYSTEM_UID=90"], ["x"],
                                 ['NAME_REGEX="^x"'], [" DHOME = /x"], ["UNKNOWN=1"], ["FIRST_SYSTEM_UID=x"]])
        case.lines.append(draw.choice([
            ":", ":", ":", "sed -i s/files/compat/ /etc/nsswitch.conf", "rm /etc/nsswitch.conf", "echo +:: >>/etc/group",
            "echo x:x:100: >>/etc/group", "rm /etc/shadow", "mv /usr/bin/chage /usr/bin/chage.real",
            "printf '#!/bin/sh\\nexit 3\\n' >/usr/bin/chage", "printf '#!/bin/sh\\nexit 15\\n' >/usr/bin/chage",
            "printf '#!/bin/sh\\nkill -9 $$\\n' >/usr/sbin/groupadd", "printf '#!/bin/sh\\necho $* $PATH\\nexit 9\\n' >/usr/sbin/useradd",
            "printf '#!/bin/sh\\nenv | sort\\n' >/usr/sbin/groupadd", "rm /etc/adduser.conf", "sed -i /nogroup/d /etc/group"]))
    case.files["/etc/adduser.conf"] = "\n".join(settings) + "\n"
    for _ in range(draw.randint(1, 3)):
        name = draw.choice(["one", "two", "three-3", "_x"] + (["Big", "root", "daemon", "1st", "nogroup"] if strange else []))
        options = ["--system"]
        if draw.random() < 0.9:
            options.append("--quiet")
        tool = draw.choice(["adduser", "addgroup"])
        if tool == "adduser":
            options += draw.choice([["--home", "/nonexistent"], ["--home=/run/x"], ["--home", "/var/lib/x"]])
            options += draw.choice([["--no-create-home"]] * 7 + [[]])
            options += draw.choice([["--group"], ["--group"], []])
            options += draw.choice([[], ["--gecos", "A name"], ["--gecos", ""], ["--gecos", "a,b"], ["--disabled-password"],
                                    ["--disabled-login"]])
        if draw.random() < 0.2 or name == "_x":
            options.append("--force-badname")
        if strange and draw.random() < 0.3:
            options += draw.choice([["--shell", "/bin/sh"], ["--uid", "77"], ["--gid", "5"], ["--ingroup", "users"], ["--nope"],
                                    ["--debug"], ["--home", "-x"], ["extra"], ["--", "y"], ["--conf", "/x"], ["--gecos=-"]])
        draw.shuffle(options) if all(option.startswith("--") and option not in ("--home", "--gecos") for option in options) else None
        case.call(tool, *options, *([name] if draw.random() < 0.97 else []))
    return case


CERTIFICATES = "/usr/share/ca-certificates/mozilla"


def random_certificates_case(draw, _suite, number, strange):
    case = Case(f"update-ca-certificates {number}")
    lines = [f"echo 'mozilla/{name}' >>/etc/ca-certificates.conf" for name in
             draw.sample(["A_Name.crt", "With blanks (and more), too.crt", "N\u00e9t.crt", "none.crt", "noend.crt", "x.pem"], 3)]
    case.lines += [f"cd {CERTIFICATES}; set -- *.crt; cp $1 A_Name.crt; cp $2 'With blanks (and more), too.crt'; cp $3 N\u00e9t.crt",
                   f"cp $4 x.pem; printf %s \"$(cat $5)\" >noend.crt; : >empty.crt", *lines, "cd /"]
    if draw.random() < 0.5:
        case.lines.append("rm -rf /etc/ssl/certs/*")
    if draw.random() < 0.4:
        case.lines.append("head -n 20 /etc/ca-certificates.conf >/x; mv /x /etc/ca-certificates.conf")
    if draw.random() < 0.4:
        case.links["/etc/ssl/certs/orphan.pem"] = "/nowhere"
    if draw.random() < 0.3:
        case.links["/etc/ssl/certs/A_Name.pem"] = "/etc/hostname"
    if strange:
        case.lines += draw.sample([
            "echo '!mozilla/A_Name.crt' >>/etc/ca-certificates.conf", "echo ' mozilla/x.pem' >>/etc/ca-certificates.conf",
            "printf mozilla/x.pem >>/etc/ca-certificates.conf", ": >/etc/ca-certificates.conf", "rm /etc/ca-certificates.conf",
            "mkdir -p /etc/ssl/certs/java", "echo mozilla/empty.crt >>/etc/ca-certificates.conf",
            f"mkdir -p /usr/local/share/ca-certificates; cp {CERTIFICATES}/x.pem /usr/local/share/ca-certificates/mine.crt",
            "printf '#!/bin/sh\\necho $0; sort\\n' >/etc/ca-certificates/update.d/hook; chmod 755 /etc/ca-certificates/update.d/hook",
            "printf '#!/bin/sh\\necho $*; exit 3\\n' >/fake; chmod 755 /fake; mv /fake /usr/bin/openssl", "rm /usr/bin/openssl",
            "echo '# a comment' >/etc/ca-certificates.conf", "rm -rf /etc/ca-certificates/update.d", "mkdir /etc/ssl/certs/x.pem",
            "echo >/etc/ssl/certs/x.pem; echo mozilla/x.pem >>/etc/ca-certificates.conf", "echo >/etc/ssl/certs/ca-certificates.crt.new"],
            draw.randint(0, 2))
    for _ in range(draw.randint(1, 2)):
        odd = [["--fresh"], ["-v"], ["--help"], ["--hooksdir", "/x"], ["--default"], ["--hooksdir"]]
        usual = [[], ["--hooksdir", ""]]
        case.call("update-ca-certificates", *draw.choice(odd if strange and draw.random() < 0.3 else usual))
    return case


# What debhelper writes ---------------------------------------------------------------------------------------------

def usual_cases(suite):
    for unit, text in {
            "plain.service": "[Install]\nWantedBy=multi-user.target\n",
            "aliased.service": "[Install]\nWantedBy=multi-user.target\nAlias=syslog.service\n",
            "paired.service": "[Install]\nAlias=first.service\nWantedBy=multi-user.target\nAlso=paired.socket\n",
            "getty@.service": "[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n",
            "static.service": "[Unit]\nDescription=none\n"}.items():
        for user in ([], ["--user"]):
            for has_systemctl in (True, False):
                case = Case(f"snippet {unit} {user} {has_systemctl}", is_usual=True)
                instance = "user" if user else "system"
                case.files[f"/lib/systemd/{instance}/{unit}"] = text
                case.files[f"/lib/systemd/{instance}/paired.socket"] = "[Install]\nWantedBy=sockets.target\n"
                if not has_systemctl:
                    case.lines.append("rm -f /bin/systemctl /usr/bin/systemctl")
                tool = ["deb-systemd-helper", *user]
                case.call(*tool, "debian-installed", unit)
                case.call(*tool, "unmask", unit)
                case.call(*tool, "--quiet", "was-enabled", unit)
                case.call(*tool, "enable", unit)
                case.call(*tool, "is-enabled", unit)
                case.call(*tool, "enable", unit)
                case.call(*tool, "update-state", unit)
                case.call(*tool, "was-enabled", unit)
                case.call(*tool, "debian-installed", unit)
                yield case
    case = Case("snippets of update-rc.d", is_usual=True)
    case.files["/etc/init.d/x"] = "#!/bin/sh\n### BEGIN INIT INFO\n# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n### END INIT INFO\n"
    case.files["/etc/init.d/y"] = case.files["/etc/init.d/x"]
    case.call("update-rc.d", "x", "defaults")
    case.call("update-rc.d", "y", "defaults-disabled")
    case.call("update-rc.d", "x", "defaults")
    yield case
    for makes_anew in (False, True):
        case = Case(f"update-ca-certificates, anew: {makes_anew}", is_usual=True)
        if makes_anew:
            case.lines.append("rm -rf /etc/ssl/certs/*")
        case.call("update-ca-certificates", "--hooksdir", "")
        case.call("update-ca-certificates")
        yield case
    case = Case("snippets of dpkg-maintscript-helper", is_usual=True)
    for name, action in (("preinst", ["install"]), ("postinst", ["configure", ""]), ("postinst", ["triggered", "/usr/x"])):
        for arguments in (["rm_conffile", "/etc/x", "1.0~"], ["mv_conffile", "/etc/x", "/etc/y", "1.0~", "probe"],
                          ["symlink_to_dir", "/usr/share/doc/x", "../y", "1:1.0-1~"], ["dir_to_symlink", "/usr/x", "/usr/y", "1"]):
            case.call("dpkg-maintscript-helper", *arguments, "--", *action, DPKG_MAINTSCRIPT_NAME=name)
    case.call("dpkg-maintscript-helper", "supports", "rm_conffile")
    yield case
    if suite != "bullseye":
        return
    case = Case("system accounts", is_usual=True)
    case.files["/etc/adduser.conf"] = "# usual\nFIRST_SYSTEM_UID=100\nSKEL_IGNORE_REGEX=\"dpkg-(old|new)\"\n"
    case.call("addgroup", "--quiet", "--system", "input")
    case.call("addgroup", "--system", "crontabs")
    case.call("adduser", "--quiet", "--system", "--group", "--no-create-home", "--home", "/run/systemd", "--gecos", "The Name",
              "network-x")
    case.call("adduser", "--force-badname", "--system", "--home", "/nonexistent", "--no-create-home", "--quiet", "_other")
    case.call("adduser", "--system", "--quiet", "--home", "/nonexistent", "--no-create-home", "--disabled-password", "--group", "bus")
    yield case


# Running and comparing ---------------------------------------------------------------------------------------------

def write(root, path, content):
    full = root + path
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8", newline="") as file:
        file.write(content)


RUN = r"""
set -e
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/merged"
mount -t overlay none -o "lowerdir=$2:$3,upperdir=$1/upper,workdir=$1/work" "$1/merged"
mkdir -p "$1/merged/result"
mount --bind /dev "$1/merged/dev"
cp -a "$5/." "$1/stand-ins" 2>/dev/null || mkdir "$1/stand-ins"
for tool in $4; do
  name=${tool##*/}
  if [ "$6" = probe ]; then
    printf '#!/bin/sh\necho "%s $*" >>/result/handed-over\n' "$name" >"$1/merged$tool"
  fi
  if [ "$6" != real ]; then mount --bind "$1/stand-ins/$name" "$1/merged$tool"; fi
done
chroot "$1/merged" /bin/sh /cases/script
umount "$1/merged/dev"
cp -a "$1/upper" "$7"
"""


class Bench:
    def __init__(self, directory, root, stand_ins):
        self.directory = directory
        self.root = root
        self.stand_ins = stand_ins

    def run(self, case, how):
        prepared = tempfile.mkdtemp(dir=self.directory)
        for path, content in case.files.items():
            # the root's own links among directories must stay what they are
            real = path
            first = "/" + path.split("/")[1]
            if os.path.islink(self.root + first):
                real = "/usr" + path
            write(prepared, real, content)
        for path, target in case.links.items():
            os.makedirs(os.path.dirname(prepared + path), exist_ok=True)
            os.symlink(target, prepared + path)
        write(prepared, "/cases/script", "\n".join(case.lines) + "\n")
        place, out = tempfile.mkdtemp(dir=self.directory), tempfile.mkdtemp(dir=self.directory)
        done = subprocess.run(["unshare", "-m", "sh", "-c", RUN, "sh", place, prepared, self.root, " ".join(TOOLS.values()),
                               self.stand_ins, how, out + "/tree"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{case.name}: the bench failed: {done.stderr}")
        entries = snapshot(out + "/tree")
        for each in (prepared, place, out):
            shutil.rmtree(each)
        return entries


def snapshot(tree):
    entries = {}
    for directory, names, files in os.walk(tree):
        for name in names + files:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            what = [stat.filemode(info.st_mode), info.st_uid, info.st_gid]
            if stat.S_ISLNK(info.st_mode):
                what.append(os.readlink(path))
            elif stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    content = file.read()
                if path.endswith(".err"):  # debugging words: names drawn at random, in an order that perl draws
                    content = re.sub(rb"/\.state\w{5}\.tmp", b"/.state.tmp", content)
                    content = b"".join(sorted(content.splitlines(keepends=True)))
                what.append(content[:600] if len(content) < 600 else hashlib.sha256(content).hexdigest())
            entries[path[len(tree):]] = what
    return entries


def differences(left, right):
    for path in sorted(set(left) | set(right)):
        if left.get(path) != right.get(path):
            yield f"{path}\n      tool:     {left.get(path)}\n      stand-in: {right.get(path)}"


def dialect_of(name, suite, root):
    """Bullseye's updates have brought it a later update-ca-certificates."""
    if name != "update-ca-certificates":
        return "1" if suite == "bullseye" else "2"
    with open(root + TOOLS[name], "rb") as file:
        return "1" if b'\nrm -f "$CERTBUNDLE"' in file.read() else "2"


def make_stand_ins(program, suite, root, directory):
    """The program as debroot lays it over each tool."""
    with open(program, "rb") as file:
        content = bytearray(file.read())
    at = content.find(MARKER)
    os.makedirs(directory)
    for name in TOOLS:
        content[at + len(MARKER)] = ord(dialect_of(name, suite, root))
        with open(os.path.join(directory, name), "wb") as file:
            file.write(content)
        os.chmod(os.path.join(directory, name), 0o755)


def make_root(debroot, suite, directory):
    made = subprocess.run([debroot, "build", suite, "--variant", "essential", "--include", "systemd,ca-certificates", "--format", "directory",
                           "--progress", "none", "-o", directory], capture_output=True, text=True)
    if made.returncode != 0:
        print(f"SKIP: no root of {suite}: {made.stderr.strip().splitlines()[:1]}")
        sys.exit(SKIPPED)


def all_cases(suite, count, seed):
    yield from usual_cases(suite)
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        kinds = [random_helper_case, random_helper_case, random_update_rc_d_case, random_maintscript_case,
                 random_certificates_case]
        kind = draw.choice(kinds + [random_adduser_case, random_adduser_case] * (suite == "bullseye"))
        yield kind(draw, suite, number, strange=number % 3 != 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("stand_ins")
    parser.add_argument("debroot")
    parser.add_argument("suite")
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--root", help="a root that was made before")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("SKIP: overlays need root")
        sys.exit(SKIPPED)
    failed = calls = handed_over = count = 0
    with tempfile.TemporaryDirectory() as directory:
        root = options.root or os.path.join(directory, "root")
        if not options.root:
            make_root(options.debroot, options.suite, root)
        if options.suite != "bullseye":
            del TOOLS["adduser"]  # only bullseye's has a stand-in
        make_stand_ins(options.stand_ins, options.suite, root, os.path.join(directory, "stand-ins"))
        bench = Bench(directory, os.path.abspath(root), os.path.join(directory, "stand-ins"))
        for case in all_cases(options.suite, options.cases, options.seed):
            count += 1
            found = list(differences(bench.run(case, "real"), bench.run(case, "stand-in")))
            asked = bench.run(case, "probe").get("/result/handed-over")
            asked = asked[3] if asked else b""
            if case.is_usual and asked:
                found.append(f"handed over: {asked}")
            calls += sum(line.startswith("env -i") for line in case.lines)
            handed_over += asked.count(b"\n")
            if found:
                failed += 1
                print(f"FAILED {case.name}\n   " + "\n   ".join(case.lines))
                for text in found:
                    print(f"   {text}", flush=True)
    print(f"{options.suite}: {count} cases, {calls} calls, {handed_over} handed over; {failed} cases differ")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
