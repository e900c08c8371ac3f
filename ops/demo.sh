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

A generated stream of card payments goes through a Kafka broker inside the process. Every payment is scored by the model of
that moment, then learned. In its first weeks fraud becomes more frequent, up to one payment in 120. A subscriber prints some
of the payments that score high.

END
# It joins before anything is published, and leaves with the worker.
"$riffle" tail ops/demo.yaml --min-score 0.5 --every 250 &
subscriber=$!
trap 'kill "$subscriber" 2>/dev/null || true' EXIT INT TERM
"$riffle" run ops/demo.yaml --progress "$@"

cat <<END

What to try next (the model above has the same digest on every machine):
  $riffle snapshot show demo/state/embedded-*          what is in a snapshot, and how far it goes
  $riffle run ops/demo.yaml --progress --set learner.optimizer=sgd      another way to learn
  README.md: a settings file for a Kafka and a stream of your own
END
