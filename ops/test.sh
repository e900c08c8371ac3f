#!/bin/sh
# Builds and tests everything, and ends with a line `N passed, N failed, N skipped`.
#
#     sh ops/test.sh          release (gcc), clang, address and undefined behaviour sanitizers, thread sanitizer, format, lint
#     sh ops/test.sh quick    the unit tests of the release build
#
# Logs are in build/<configuration>/. RIFFLE_DATA names the folder of the public data sets, for the tests that read them.
# Where CI=true, a skipped test is a failure.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
mode=${1:-all}
case $mode in
all | quick) ;;
*)
    echo "usage: sh ops/test.sh [quick]" >&2
    exit 2
    ;;
esac

if [ -z "${RIFFLE_DATA:-}" ] && [ -d "$root/../shared/data" ]; then
    RIFFLE_DATA=$(cd "$root/../shared/data" && pwd)
fi
export RIFFLE_DATA="${RIFFLE_DATA:-}"
jobs=$(nproc 2>/dev/null || echo 2)
passed=0
failed=0
skipped=0
summary=
started=$(date +%s)
mkdir -p build

now() {
    date +%s.%N
}

# seconds_since TIME
seconds_since() {
    echo "$1 $(now)" | awk '{ printf "%.1f s", $2 - $1 }'
}

# add NAME PASSED FAILED SKIPPED: counts, and remembers the line for the end.
add() {
    passed=$((passed + $2))
    failed=$((failed + $3))
    skipped=$((skipped + $4))
    summary="$summary$(printf '%-12s %4d passed, %d failed, %d skipped' "$1" "$2" "$3" "$4")
"
}

# step NAME LOG COMMAND...: one line with its time; the end of the log when it fails.
step() {
    name=$1
    log=$2
    shift 2
    begun=$(now)
    mkdir -p "$(dirname "$log")"
    if "$@" </dev/null >"$log" 2>&1; then
        printf '%-36s ok      %s\n' "$name" "$(seconds_since "$begun")"
        return 0
    fi
    printf '%-36s FAILED  %s, see %s\n' "$name" "$(seconds_since "$begun")" "$log"
    grep -vE '^/[^ ]*(cc|gcc|clang) ' "$log" | grep -E 'error:|Error|FAILED|undefined reference' | head -n 60
    return 1
}

# check NAME LOG COMMAND...: a step that counts as one test.
check() {
    if step "$@"; then
        add "$1" 1 0 0
    else
        add "$1" 0 1 0
    fi
}

build() {
    step "$1: configure" "build/$1/configure.log" cmake --preset "$1" -DRF_DATA="$RIFFLE_DATA" &&
        step "$1: build" "build/$1/build.log" cmake --build --preset "$1" -j "$jobs"
}

# tests PRESET [CTEST OPTIONS...]: builds and runs; tests that meet a real broker take turns by themselves.
tests() {
    preset=$1
    shift
    if ! build "$preset"; then
        add "$preset" 0 1 0
        return
    fi
    begun=$(now)
    log=build/$preset/test.log
    report=build/$preset/tests.xml
    rm -f "$report"
    ctest --preset "$preset" -j "$jobs" --output-junit "$root/$report" "$@" </dev/null >"$log" 2>&1
    status=$?
    # The head of the report counts them: <testsuite name=... tests="12" failures="0" disabled="0" skipped="1" ...>
    total=$(sed -n 's/^[[:space:]]*tests="\([0-9]*\)".*/\1/p; s/.*<testsuite[^>]* tests="\([0-9]*\)".*/\1/p' "$report" 2>/dev/null | head -n 1)
    bad=$(sed -n 's/^[[:space:]]*failures="\([0-9]*\)".*/\1/p; s/.*<testsuite[^>]* failures="\([0-9]*\)".*/\1/p' "$report" 2>/dev/null | head -n 1)
    left=$(sed -n 's/^[[:space:]]*skipped="\([0-9]*\)".*/\1/p; s/.*<testsuite[^>]* skipped="\([0-9]*\)".*/\1/p' "$report" 2>/dev/null | head -n 1)
    # A claim that a test program skips on its own.
    claims=$(sed -n 's/.*\[  SKIPPED \] \([0-9]*\) test(s).*/\1/p' "build/$preset/Testing/Temporary/LastTest.log" 2>/dev/null |
        awk '{ sum += $1 } END { print sum + 0 }')
    total=${total:-0}
    bad=${bad:-0}
    left=${left:-0}
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1 # ctest itself failed: no test, a broken list
    fi
    add "$preset" $((total - bad - left)) "$bad" $((left + claims))
    if [ "$bad" -eq 0 ]; then
        printf '%-36s ok      %s (%d tests)\n' "$preset: test" "$(seconds_since "$begun")" "$total"
    else
        printf '%-36s FAILED  %s, see %s\n' "$preset: test" "$(seconds_since "$begun")" "$log"
        grep -E '\*\*\*(Failed|Timeout|Exception|Not Run)' "$log"
        grep -E '\[  (ERROR|FAILED)|error: |ERROR: |Error: |FAIL: |SUMMARY|WARNING: ThreadSanitizer|^E   ' "$log" | sort -u | head -n 80
    fi
    grep -E '\*\*\*Skipped' "$log"
    grep -hE '^(skipped: |\[  SKIPPED \] [a-z])' "build/$preset/Testing/Temporary/LastTest.log" 2>/dev/null | sort -u
}

sources() {
    find proto ingest learners sinks ops tests -name '*.[ch]' | sort
}

check_format() {
    sources | xargs clang-format --dry-run -Werror
}

# Looks at what changed since it last passed: a .c file on its own, all of them after a change of a header or of the rules.
check_lint() {
    for changed in .clang-tidy tests/.clang-tidy $(find proto ingest learners sinks ops tests -name '*.h'); do
        if [ ! -e build/lint/headers ] || [ "$changed" -nt build/lint/headers ]; then
            rm -f build/lint/*.ok
            touch build/lint/headers
            break
        fi
    done
    # What is compiled, and is not generated.
    grep -o '"file": "[^"]*\.c"' build/lint/compile_commands.json | cut -d '"' -f 4 | grep "^$root/[a-z]*/" | grep -v "^$root/build/" |
        sort -u | xargs -n 1 -P "$jobs" sh -c '
            ok=build/lint/$(echo "${2#"$1"/}" | tr / _).ok
            if [ ! -e "$ok" ] || [ "$2" -nt "$ok" ]; then
                define=RF_LINT
                test "$2" != "$1/proto/status.c" || define=RF_LINT_DEFINES_FAIL # see tests/lint.h
                clang-tidy -p build/lint --quiet --extra-arg=-D$define "$2" && touch "$ok"
            fi' lint "$root"
}

sh ops/setup.sh test </dev/null || exit 1
if [ "$mode" = quick ]; then
    tests release -LE "kafka|slow"
else
    tests release
    tests clang -LE kafka
    tests asan
    tests tsan
    check format build/format.log check_format
    if build lint; then
        check lint build/lint.log check_lint
    else
        add lint 0 1 0
    fi
fi

echo
printf '%s' "$summary"
echo "$(($(date +%s) - started)) s in all"
echo "$passed passed, $failed failed, $skipped skipped"
if [ "$failed" -ne 0 ]; then
    exit 1
fi
if [ "$skipped" -ne 0 ] && [ "${CI:-}" = true ]; then
    echo "a test was skipped, and CI=true" >&2
    exit 1
fi
