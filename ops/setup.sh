#!/bin/sh
# Installs what is missing on a Debian 12 machine, and says what and why. Does nothing where all is there.
#
#     sh ops/setup.sh run     what building and running needs (the default)
#     sh ops/setup.sh test    all of that, and what the tests need; also fetches a real Kafka broker into build/kafka and
#                             foreign serialisers into build/python
#
# What is there is asked of the machine, not of its package list: a compiler or a Java from elsewhere is as good.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
set_name=${1:-run}
case $set_name in
run | test) ;;
*)
    echo "usage: sh ops/setup.sh [run|test]" >&2
    exit 2
    ;;
esac

missing=

# need PACKAGE WHY TEST...: the package is missing when the test, a command, fails.
need() {
    package=$1
    why=$2
    shift 2
    if ! "$@" >/dev/null 2>&1; then
        missing="$missing $package"
        echo "missing: $package ($why)"
    fi
}

is_command() {
    command -v "$1"
}

is_library() {
    is_command pkg-config && pkg-config --exists "$1"
}

has_c_headers() {
    test -e /usr/include/stdio.h
}

# True for the Java of a machine that is new enough for the broker.
is_java_17() {
    is_command java || return 1
    version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
    test "${version:-0}" -ge 17
}

is_python_module() {
    test -x /usr/bin/python3 && /usr/bin/python3 -c "import $1"
}

has_clang_runtime() {
    is_command clang && ls "$(clang -print-resource-dir)"/lib/linux/libclang_rt.fuzzer-*.a
}

need gcc "C compiler" is_command gcc
need libc6-dev "headers of the C library" has_c_headers
need cmake "build" is_command cmake
need ninja-build "build" is_command ninja
need pkg-config "finds libraries" is_command pkg-config
need librdkafka-dev "Kafka client" is_library rdkafka
need libzmq3-dev "ZeroMQ" is_library libzmq
need libprotobuf-c-dev "Protocol Buffers in C" is_library libprotobuf-c
need protobuf-c-compiler "generates the messages" is_command protoc-c
need libssl-dev "SHA-256" is_library libcrypto
need libopenblas-dev "products of matrices" is_library openblas
need zlib1g-dev "reads .gz files" is_library zlib
need libzstd-dev "reads .zst files" is_library libzstd
need libsnappy-dev "reads blocks of Avro files" is_library snappy
need libyaml-dev "settings files" is_library yaml-0.1
need libcmocka-dev "unit tests" is_library cmocka
need libjansson-dev "reads schemas" is_library jansson
need libcurl4-openssl-dev "asks schema registries" is_library libcurl
need libprotobuf-dev "the descriptors of protobuf schemas" test -e /usr/include/google/protobuf/descriptor.proto

if [ "$set_name" = test ]; then
    need clang "second compiler, fuzzing" is_command clang
    need clang-format "checks the format" is_command clang-format
    need clang-tidy "checks for bug patterns and size" is_command clang-tidy
    need libclang-rt-14-dev "sanitizers and fuzzer of clang" has_clang_runtime
    need gnuplot-nox "draws the pictures of riffle evaluate" is_command gnuplot
    need kcat "a foreign Kafka client" is_command kcat
    need python3 "runs the pipeline tests" test -x /usr/bin/python3
    need python3-zmq "a foreign ZeroMQ client" is_python_module zmq
    need python3-protobuf "a foreign reader of messages" is_python_module google.protobuf
    need protobuf-compiler "messages for Python" is_command protoc
    need python3-pip "fetches foreign serialisers" is_python_module pip
    need openjdk-17-jre-headless "runs a real Kafka broker" is_java_17
    need maven "fetches a real Kafka broker" is_command mvn
fi

install_missing() {
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null 2>&1; then
            echo "cannot install without root or sudo; please install:$missing" >&2
            exit 1
        fi
        as_root=sudo
    fi
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "not a Debian machine; please install what its packages of these names hold:$missing" >&2
        exit 1
    fi
    echo "installing:$missing"
    log=$(mktemp)
    if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null >"$log" 2>&1 ||
        ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing </dev/null >>"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        echo "apt-get failed, see above; please install:$missing" >&2
        exit 1
    fi
    rm -f "$log"
}

if [ -n "$missing" ]; then
    install_missing
fi

# The broker's jars, copied once; again when pom.xml changes. Without them the tests that need a broker skip, and say so.
fetch_kafka() {
    pom=$root/tests/pipeline/kafka/pom.xml
    kafka=$root/build/kafka
    if [ -d "$kafka/lib" ] && cmp -s "$pom" "$kafka/pom.xml"; then
        return 0
    fi
    echo "fetching: Apache Kafka into build/kafka (a real broker for the pipeline tests, 46 MB)"
    rm -rf "$kafka"
    mkdir -p "$kafka"
    if ! mvn -q -B -f "$pom" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$kafka/partial" </dev/null >"$kafka/fetch.log" 2>&1; then
        grep -m 1 ERROR "$kafka/fetch.log" >&2
        echo "could not fetch Apache Kafka, see build/kafka/fetch.log: tests that need a real broker will skip" >&2
        return 0
    fi
    mv "$kafka/partial" "$kafka/lib"
    cp "$pom" "$kafka/pom.xml"
}

# Serialisers that are not ours. Without them the tests that compare with them skip, and say so.
fetch_python() {
    wanted=$root/tests/requirements.txt
    python=$root/build/python
    if cmp -s "$wanted" "$python/requirements.txt"; then
        return 0
    fi
    echo "fetching: foreign serialisers into build/python (tests/requirements.txt, 66 MB)"
    rm -rf "$python"
    mkdir -p "$python"
    if ! /usr/bin/python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$python" \
        --requirement "$wanted" </dev/null >"$python/fetch.log" 2>&1; then
        grep -m 1 ERROR "$python/fetch.log" >&2
        echo "could not fetch them, see build/python/fetch.log: tests that compare with them will skip" >&2
        return 0
    fi
    cp "$wanted" "$python/requirements.txt"
}

if [ "$set_name" = test ]; then
    fetch_kafka
    fetch_python
fi
