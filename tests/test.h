#ifndef RF_TESTS_TEST_H
#define RF_TESTS_TEST_H
// cmocka, with what it needs before it. Tests include only this.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#endif
