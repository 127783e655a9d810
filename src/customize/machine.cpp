#include "customize/machine.hpp"

#include <fmt/format.h>

#include "debroot/error.hpp"

namespace debroot::customize {
namespace {

constexpr std::string_view kLocalhost =
    "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\nff02::1\t\tip6-allnodes\n"
    "ff02::2\t\tip6-allrouters\n";
constexpr std::string_view kInterfaces = "/etc/network/interfaces";
constexpr std::string_view kResolver = "/etc/resolv.conf";

void use_networkd(const base::RootDirectory &root, const RunInside &run) {
  if (!root.status_followed("/lib/systemd/systemd-networkd")) {
    throw Error(ErrorKind::usage, "cannot set up systemd-networkd: the tree does not have it")
        .hint("--network none, or --include systemd");
  }
  run({"systemctl", "enable", "systemd-networkd.service", "systemd-resolved.service"});
  if (root.exists(kInterfaces)) root.rename(kInterfaces, std::string(kInterfaces) + ".save");
  if (!root.exists(kResolver)) root.make_link(kResolver, "../run/systemd/resolve/stub-resolv.conf");
}

void use_ifupdown(const base::RootDirectory &root) {
  if (!root.status_followed("/sbin/ifup")) {
    throw Error(ErrorKind::usage, "cannot set up ifupdown: the tree does not have it").hint("--include ifupdown");
  }
  root.make_directories("/etc/network/interfaces.d");
  if (!root.exists(kInterfaces)) {
    root.write(kInterfaces, "source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n");
  }
  root.write("/etc/network/interfaces.d/host0", "auto host0\niface host0 inet dhcp\n");
}

}  // namespace

void set_hostname(const base::RootDirectory &root, const std::string &name) {
  root.write("/etc/hostname", name + "\n");
  std::string hosts = root.try_read("/etc/hosts").value_or(std::string(kLocalhost));
  if (!hosts.empty() && hosts.back() != '\n') hosts += '\n';
  root.write("/etc/hosts", hosts + fmt::format("127.0.1.1\t{}\n", name));
}

void set_network(const base::RootDirectory &root, Network network, const RunInside &run) {
  switch (network) {
    case Network::networkd:
      use_networkd(root, run);
      break;
    case Network::ifupdown:
      use_ifupdown(root);
      break;
    case Network::none:
      break;
  }
}

}  // namespace debroot::customize
