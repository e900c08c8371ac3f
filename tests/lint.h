#ifndef RF_TESTS_LINT_H
#define RF_TESTS_LINT_H
// Put before every file by the preset `lint`. The analyzer sees one file at a time, so it must be told that rf_fail() returns
// the status it is given; otherwise it follows paths on which a failure was answered with RF_OK. (Not where it is defined.)
#if defined(__clang_analyzer__) && !defined(RF_LINT_DEFINES_FAIL)
#include "proto/status.h"
#define rf_fail(err, status, ...) ((void)rf_fail(err, status, __VA_ARGS__), (status))
#endif

#endif
