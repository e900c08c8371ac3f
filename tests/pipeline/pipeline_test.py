"""How a pipeline test starts: it says why and exits with 77 (skipped) where something it needs is missing."""

import os
import pathlib
import sys
import unittest

import kafka_cluster

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def data(name):
    """The path of a public data set; skips the test where it is absent."""
    folder = os.environ.get("RIFFLE_DATA")
    if not folder:
        skip("RIFFLE_DATA is not set")
    path = pathlib.Path(folder) / name
    if not path.exists():
        skip(f"{path} is not there")
    return path


def serialisers():
    """The folder of the foreign serialisers, for the PYTHONPATH of a process of their own; skips the test without them."""
    folder = pathlib.Path(os.environ.get("RIFFLE_PYTHON") or HERE.parent.parent / "build" / "python")
    if not (folder / "requirements.txt").exists():
        skip(f"no serialisers in {folder}: run `sh ops/setup.sh test`")
    return folder


def main(needs_kafka=True):
    if needs_kafka:
        reason = kafka_cluster.missing()
        if reason:
            skip(reason)
    unittest.main(verbosity=2)
