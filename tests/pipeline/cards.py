"""The 1.75 million card transactions of the public data set, as JSON lines in a file and in a Kafka topic."""

import json
import pathlib
import subprocess

import pipeline_test

FOLDER = pipeline_test.data("fraud-handbook-simulated")
PARTS = ("transactions_2018-04_06.csv.zst", "transactions_2018-07_09.csv.zst")
RECORDS = 1754155

MODEL = """
features: {id: TRANSACTION_ID, time: TX_DATETIME, label: TX_FRAUD, numbers: [TX_AMOUNT], categories: [CUSTOMER_ID, TERMINAL_ID]}
learner: {type: linear, loss: logistic, optimizer: {type: momentum, rate: 0.05, momentum: 0.9}, hash_bits: 18}
"""


def json_lines(folder, count=RECORDS):
    """The first `count` transactions, one JSON object a line, without the column that tells the fraud's scenario."""
    path = pathlib.Path(folder) / "cards.json"
    written = 0
    with open(path, "w", encoding="ascii", buffering=1 << 20) as lines:
        for part in PARTS:
            rows = subprocess.Popen(["zstdcat", str(FOLDER / part)], stdout=subprocess.PIPE, text=True)
            names = next(rows.stdout).rstrip("\n").split(",")
            assert names[:8] == ["TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_TIME_SECONDS",
                                 "TX_TIME_DAYS", "TX_FRAUD"], names
            for row in rows.stdout:
                if written == count:
                    break
                number, when, customer, terminal, amount, _, _, fraud, _ = row.split(",")
                lines.write(f'{{"TRANSACTION_ID":{number},"TX_DATETIME":{json.dumps(when)},"CUSTOMER_ID":{customer},'
                            f'"TERMINAL_ID":{terminal},"TX_AMOUNT":{amount},"TX_FRAUD":{fraud}}}\n')
                written += 1
            rows.stdout.close()
            rows.wait()
    assert written == count
    return path


def settings(name, bootstrap, topic, more=""):
    return f"""
name: {name}
kafka: {{bootstrap.servers: {bootstrap}}}
source: {{topics: [{topic}], format: json}}
{MODEL}
{more}
"""
