// For tests of the sandbox, and of what it limits.
#pragma once

#include <gtest/gtest.h>

// Sanitizers need system calls and memory that the sandbox refuses: a build with them has none.
#if defined(__SANITIZE_ADDRESS__)
#define SKIP_UNDER_SANITIZERS() GTEST_SKIP() << "the sandbox is off under sanitizers"
#else
#define SKIP_UNDER_SANITIZERS() static_cast<void>(0)
#endif
