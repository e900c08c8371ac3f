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
riffle=build/release/ops/riffle

rm -rf demo
mkdir demo
cat <<END

A generated stream of card payments, one in about 130 of them fraud, goes through a Kafka broker inside the process. Every
payment is scored by the model of that moment, then learned. A subscriber prints one in 100,000 of the scores.

END
# It joins before anything is published, and leaves with the worker.
"$riffle" tail ops/demo.yaml --every 100000 &
subscriber=$!
trap 'kill "$subscriber" 2>/dev/null || true' EXIT INT TERM
"$riffle" run ops/demo.yaml --progress "$@"

cat <<END

What to try next:
  $riffle snapshot show demo/state/embedded-*          what was learned, and how far
  $riffle run ops/demo.yaml --progress --set learner.optimizer=sgd    another way to learn
  docs/SETTINGS.md and README.md: point bootstrap.servers to a Kafka of your own
END
