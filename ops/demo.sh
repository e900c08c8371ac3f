#!/bin/sh
# From nothing to a model that learns: installs what is missing, builds, and runs ops/demo.yaml. Arguments go to the program.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

sh ops/setup.sh run </dev/null

mkdir -p build/release
log=build/release/demo-build.log
echo "building build/release (log: $log)"
if ! { cmake --preset release && cmake --build --preset release --target riffle; } </dev/null >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "the build failed, see $log" >&2
    exit 1
fi

rm -rf demo # the embedded broker forgets at exit, so a model of an earlier demonstration would not fit its log
mkdir demo
exec build/release/ops/riffle run ops/demo.yaml --progress "$@"
