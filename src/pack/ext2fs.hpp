/// libext2fs and com_err, without what their headers do to C++.
#pragma once

// clang-format off
#include <algorithm>

#include <ext2fs/ext2fs.h>
extern "C" {  // the header does not say so itself
#include <com_err.h>
}
// clang-format on

#undef clamp  // a macro from 1.47.1 on, in the way of std::clamp
