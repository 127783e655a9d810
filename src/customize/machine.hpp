/// What makes a tree a machine for systemd-nspawn: host name, network, resolver.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/beneath.hpp"
#include "debroot/plan.hpp"

namespace debroot::customize {

/// Runs a program inside the root; throws when it fails.
using RunInside = std::function<void(const std::vector<std::string> &argv)>;

/// /etc/hostname, and "127.0.1.1 NAME" in /etc/hosts (made with the localhost lines where no package made it).
void set_hostname(const base::RootDirectory &root, const std::string &name);

/// Readies the network for `machinectl start`: host0 gets its address by DHCP from systemd-networkd or ifupdown.
/// @throws Error of kind usage when the tree has no systemd (networkd) or no ifupdown
void set_network(const base::RootDirectory &root, Network network, const RunInside &run);

}  // namespace debroot::customize
