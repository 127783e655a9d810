#include "sandbox/namespace_failure.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace debroot::sandbox {
namespace {

NamespaceFacts ordinary() {
  NamespaceFacts facts;
  facts.max_user_namespaces = 60000;
  facts.program = "/usr/bin/debroot";
  return facts;
}

TEST(NamespaceFailure, NamesDebiansSwitch) {
  NamespaceFacts facts = ordinary();
  facts.unprivileged_userns_clone = 0;
  Error error = explain_namespace_failure(facts, NamespaceStep::user_namespace, EPERM);
  EXPECT_EQ(error.kind(), ErrorKind::sandbox);
  EXPECT_EQ(error.message(), "ordinary users may not make user namespaces on this host");
  EXPECT_EQ(error.details().at(0).value, "kernel.unprivileged_userns_clone = 0");
  EXPECT_EQ(error.hint(), "as root: sysctl -w kernel.unprivileged_userns_clone=1");
}

TEST(NamespaceFailure, NamesTheLimitOfZero) {
  NamespaceFacts facts = ordinary();
  facts.max_user_namespaces = 0;
  Error error = explain_namespace_failure(facts, NamespaceStep::user_namespace, ENOSPC);
  EXPECT_EQ(error.message(), "user namespaces are switched off on this host");
  EXPECT_EQ(error.hint(), "as root: sysctl -w user.max_user_namespaces=15000");
}

TEST(NamespaceFailure, NamesNesting) {
  Error error = explain_namespace_failure(ordinary(), NamespaceStep::user_namespace, ENOSPC);
  EXPECT_EQ(error.message(), "no further user namespace can be made: a limit of their number or nesting is met");
}

TEST(NamespaceFailure, SeesUbuntusRestrictionAtAnyStep) {
  NamespaceFacts facts = ordinary();
  facts.apparmor_restriction = 1;
  for (NamespaceStep step : {NamespaceStep::user_namespace, NamespaceStep::identity, NamespaceStep::other_namespaces,
                             NamespaceStep::propagation}) {
    Error error = explain_namespace_failure(facts, step, EPERM);
    EXPECT_EQ(error.message(), "AppArmor takes the rights of user namespaces away on this host");
    EXPECT_NE(error.hint().find("profile debroot /usr/bin/debroot flags=(unconfined) { userns, }"), std::string::npos)
        << error.hint();
    EXPECT_NE(error.hint().find("sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"), std::string::npos);
  }
}

TEST(NamespaceFailure, NamesAChroot) {
  NamespaceFacts facts = ordinary();
  facts.is_in_chroot = true;
  Error error = explain_namespace_failure(facts, NamespaceStep::user_namespace, EPERM);
  EXPECT_EQ(error.message(), "a user namespace cannot be made inside a chroot");
}

TEST(NamespaceFailure, SuspectsTheContainerOtherwise) {
  Error error = explain_namespace_failure(ordinary(), NamespaceStep::user_namespace, EPERM);
  EXPECT_EQ(error.message(), "user namespaces are refused, as containers and service managers do");
}

TEST(NamespaceFailure, NamesAKernelWithout) {
  Error error = explain_namespace_failure(ordinary(), NamespaceStep::user_namespace, EINVAL);
  EXPECT_EQ(error.message(), "this kernel was built without user namespaces");
}

TEST(NamespaceFailure, NamesTheCapabilityThatRootLacks) {
  NamespaceFacts facts = ordinary();
  facts.is_root = true;
  Error error = explain_namespace_failure(facts, NamespaceStep::other_namespaces, EPERM);
  EXPECT_EQ(error.message(), "root may not make mount namespaces here: CAP_SYS_ADMIN is missing");
}

TEST(NamespaceFailure, NamesTheOtherLimits) {
  Error error = explain_namespace_failure(ordinary(), NamespaceStep::other_namespaces, ENOSPC);
  EXPECT_EQ(error.message(), "no further mount, ipc or uts namespace can be made: a limit of their number is met");
}

TEST(NamespaceFailure, FallsBackToStepAndCause) {
  auto text = [](NamespaceStep step) { return explain_namespace_failure(ordinary(), step, ENOMEM).message(); };
  EXPECT_EQ(text(NamespaceStep::user_namespace), "cannot make a user namespace: cannot allocate memory");
  EXPECT_EQ(text(NamespaceStep::id_map),
            "cannot map user and group ids into the user namespace: cannot allocate memory");
  EXPECT_EQ(text(NamespaceStep::identity), "cannot become root of the user namespace: cannot allocate memory");
  EXPECT_EQ(text(NamespaceStep::other_namespaces), "cannot make mount, ipc and uts namespaces: cannot allocate memory");
  EXPECT_EQ(text(NamespaceStep::propagation), "cannot make the mounts of the build private: cannot allocate memory");
  EXPECT_EQ(text(NamespaceStep::hostname), "cannot set the host name of the build: cannot allocate memory");
  EXPECT_EQ(text(NamespaceStep::body), "cannot start the builder process: cannot allocate memory");
}

TEST(MapHelper, IsMissedByName) {
  Error error = missing_map_helper("newuidmap");
  EXPECT_EQ(error.message(), "cannot find 'newuidmap', which maps subordinate ids");
  EXPECT_EQ(error.hint(), "install it; on Debian: apt install uidmap");
}

TEST(MapHelper, IsQuotedWhenItRefuses) {
  Error error = refused_map("/usr/bin/newuidmap", 1, "newuidmap: uid range [0-1) -> [5-6) not allowed\n");
  EXPECT_EQ(error.message(), "'/usr/bin/newuidmap' refused the map of ids with status 1");
  ASSERT_EQ(error.details().size(), 1U);
  EXPECT_EQ(error.details()[0].label, "output");
  EXPECT_EQ(error.details()[0].value, "newuidmap: uid range [0-1) -> [5-6) not allowed");
}

}  // namespace
}  // namespace debroot::sandbox
