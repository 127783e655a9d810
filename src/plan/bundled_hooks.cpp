#include "plan/bundled_hooks.hpp"

#include <algorithm>
#include <array>

namespace debroot::plan {
namespace {

constexpr std::string_view kPlace = "/usr/share/mmdebstrap/hooks/";

constexpr std::string_view kBusyboxSetup = R"sh(set -eu
mkdir -p "$1/bin"
echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
printf '%s\n' 'root:x:0:' 'mail:x:8:' 'utmp:x:43:' >"$1/etc/group"
)sh";

// by its path: without /proc busybox does not know where it is
constexpr std::string_view kBusyboxExtract = R"sh(set -eu
chroot "$1" /bin/busybox --install -s
)sh";

/// Every file: source and every .deb that was included appear inside under their own paths, so that apt there finds
/// them: as mounts, or as copies in modes without them.
constexpr std::string_view kMirrorSetup = R"sh(set -eu
root=$1
give() {
  if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$root${1%/*}"; : >>"$root$1"; fi
  case $MMDEBSTRAP_MODE in
    root | unshare) mount -o ro,bind "$1" "$root$1" 2>/dev/null || mount --bind "$1" "$root$1" ;;
    *) cp -a "$1" "$root${1%/*}" ;;
  esac
  mkdir -p "$root/run/mmdebstrap"
  printf '%s\n' "$1" >>"$root/run/mmdebstrap/file-mirror-automount"
}
cat "$root/etc/apt/sources.list" "$root"/etc/apt/sources.list.d/*.list "$root"/etc/apt/sources.list.d/*.sources \
  2>/dev/null | sed -n 's,^[^#]*[[:blank:]]file:/*\(/[^[:blank:]]*\).*,\1,p' | sort -u | while IFS= read -r path; do
  if [ -d "$path" ]; then give "${path%/}"; else echo "there is no directory '$path' to mount" >&2; fi
done
printf '%s\n' "$MMDEBSTRAP_INCLUDE" | tr , '\n' | sed -n 's/%2C/,/g; s/%25/%/g; /^\//p' | while IFS= read -r path; do
  if [ -f "$path" ]; then give "$path"; else echo "there is no file '$path' to mount" >&2; fi
done
)sh";

constexpr std::string_view kMirrorCustomize = R"sh(set -eu
list=$1/run/mmdebstrap/file-mirror-automount
[ -e "$list" ] || exit 0
while IFS= read -r path; do
  case $MMDEBSTRAP_MODE in
    root | unshare) umount "$1$path" ;;
    *) rm -rf "$1$path" ;;
  esac
done <"$list"
rm "$list"
)sh";

constexpr std::string_view kJessieExtract = R"sh(set -eu
for name in available diversions cmethopt; do : >>"$1/var/lib/dpkg/$name"; done
)sh";

constexpr std::string_view kMaybeJessieExtract = R"sh(set -eu
for deb in $MMDEBSTRAP_ESSENTIAL; do
  case $deb in */dpkg_*) ;; *) continue ;; esac
  version=${deb##*/dpkg_}
  version=${version%%_*}
  [ "$(printf '%s\n' "$version" 1.17.11 | sort -V | head -n1)" != 1.17.11 ] || exit 0
  for name in available diversions cmethopt;
do : >>"$1/var/lib/dpkg/$name"; done
done
)sh";

/// Moves what is in the directories of the root into those of /usr, links in their places; what is in both goes
/// together.
constexpr std::string_view kMergedExtract = R"sh(set -eu
merge() (
  mkdir -p "$2"
  for entry in "$1"/* "$1"/.[!.]*; do
    [ -e "$entry" ] || [ -h "$entry" ] || continue
    if [ -d "$entry" ] && [ ! -h "$entry" ] && [ -d "$2/${entry##*/}" ]; then
      merge "$entry" "$2/${entry##*/}"
    else
      mv -f "$entry" "$2/"
    fi
  done
  rmdir "$1"
)
for name in bin sbin lib lib32 lib64 libo32 libx32; do
  [ -d "$1/$name" ] && [ ! -h "$1/$name" ] || continue
  merge "$1/$name" "$1/usr/$name"
  ln -s "usr/$name" "$1/$name"
done
)sh";

/// A suite without that package has no merged /usr by itself.
constexpr std::string_view kMaybeMergedPreface = R"sh(
case $MMDEBSTRAP_ESSENTIAL in */usr-is-merged_*) ;; *) exit 0 ;; esac
)sh";

/// usr-is-merged's own word for a system that is to stay as it is.
constexpr std::string_view kUnmergedSetup = R"sh(set -eu
mkdir -p "$1/etc"
echo 'this system will not be supported in the future' >"$1/etc/unsupported-skip-usrmerge-conversion"
)sh";

constexpr std::string_view kHostSourcesSetup = R"sh(set -eu
copy() {
  [ -s "$1" ] || return 0
  [ ! -s "$2" ] || echo >>"$2"
  cat "$1" >>"$2"
}
copy /etc/apt/sources.list "$1/etc/apt/sources.list"
copy /etc/apt/preferences "$1/etc/apt/preferences"
for file in /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources /etc/apt/preferences.d/*; do copy "$file" "$1$file"; done
)sh";

constexpr std::string_view kHostSourcesCustomize = R"sh(set -eu
command -v dpkg-query >/dev/null || { echo 'dpkg-query of the host is needed to compare versions' >&2; exit 1; }
installed() { dpkg-query --admindir="$1/var/lib/dpkg" -W -f '${db:Status-Abbrev}${binary:Package} ${Version}\n'; }
installed "" | sed -n 's/^ii //p' | sort >"$1/tmp/host-packages"
installed "$1" | sed -n 's/^ii //p' | sort | join - "$1/tmp/host-packages" | {
  is_same=true
  while read -r name inside host; do
    [ "$inside" != "$host" ] || continue
    echo "package $name is $inside in the image and $host on the host" >&2
    is_same=false
  done
  rm "$1/tmp/host-packages"
  $is_same
}
)sh";

constexpr std::array<BundledHook, 2> kBusybox = {
    {{HookStage::setup, kBusyboxSetup}, {HookStage::extract, kBusyboxExtract}}};
constexpr std::array<BundledHook, 2> kMirror = {
    {{HookStage::setup, kMirrorSetup}, {HookStage::customize, kMirrorCustomize}}};
constexpr std::array<BundledHook, 1> kJessie = {{{HookStage::extract, kJessieExtract}}};
constexpr std::array<BundledHook, 1> kMaybeJessie = {{{HookStage::extract, kMaybeJessieExtract}}};
constexpr std::array<BundledHook, 1> kMerged = {{{HookStage::extract, kMergedExtract}}};
constexpr std::array<BundledHook, 1> kMaybeMerged = {{{HookStage::extract, kMergedExtract, kMaybeMergedPreface}}};
constexpr std::array<BundledHook, 1> kUnmerged = {{{HookStage::setup, kUnmergedSetup}}};
constexpr std::array<BundledHook, 2> kHostSources = {
    {{HookStage::setup, kHostSourcesSetup}, {HookStage::customize, kHostSourcesCustomize}}};

constexpr std::array<std::string_view, 1> kIsMerged = {"usr-is-merged"};

/// eatmydata is there to make fsync cheap, which costs nothing here; old suites install by themselves, but for the
/// files that their dpkg would have made.
constexpr std::array<BundledHookDirectory, 9> kDirectories = {
    {{"busybox", kBusybox, {}},
     {"copy-host-apt-sources-and-preferences", kHostSources, {}},
     {"eatmydata", {}, {}},
     {"file-mirror-automount", kMirror, {}},
     {"jessie-or-older", kJessie, {}},
     {"maybe-jessie-or-older", kMaybeJessie, {}},
     {"maybe-merged-usr", kMaybeMerged, kIsMerged},
     {"merged-usr", kMerged, kIsMerged},
     {"no-merged-usr", kUnmerged, kIsMerged}}};

}  // namespace

const BundledHookDirectory *find_bundled_hooks(std::string_view directory) noexcept {
  while (directory.ends_with('/')) directory.remove_suffix(1);
  if (!directory.starts_with(kPlace)) return nullptr;
  std::string_view name = directory.substr(kPlace.size());
  const auto *found = std::find_if(kDirectories.begin(), kDirectories.end(),
                                   [&](const BundledHookDirectory &one) { return one.name == name; });
  return found == kDirectories.end() ? nullptr : found;
}

}  // namespace debroot::plan
