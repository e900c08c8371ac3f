"""Writes rows of CSV in many dialects, and what Python's csv module makes of them: csv_oracle.py SEED COUNT FILE

For each row a line `DELIMITER QUOTE ESCAPE VERDICT SIZE FIELD ...`, the characters and fields in hexadecimal (- for none), then the row's
bytes, SIZE of them and a line end. VERDICT is `must` for rows that the module's writer wrote; `may` for damaged ones that its strict
reader takes, and `bad` for those that it does not.
"""
import csv
import io
import random
import sys

DELIMITERS = ",;\t|:"
QUOTES = ["\"", "\"", "\"", "'", None]
ESCAPES = [None, None, "\\", "^"]
LETTERS = ["a", "b", "1", "2.5", " ", ",", ";", "\t", "|", ":", "\"", "'", "\\", "^", "\n", "\r\n", "ü", "日", "#", "-", "NA"]


def text(chance):
    return "".join(chance.choice(LETTERS) for _ in range(chance.choice([0, 0, 1, 1, 2, 3, 5, 9])))


def written(fields, dialect, chance):
    """The row, or None where the dialect cannot write it."""
    line = io.StringIO(newline="")
    quoting = csv.QUOTE_NONE if dialect["quotechar"] is None else chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
    try:
        csv.writer(line, quoting=quoting, lineterminator="", **dialect).writerow(fields)
    except csv.Error:
        return None
    return line.getvalue()


def read(row, dialect):
    """Its fields, or None where it is no row."""
    quoting = csv.QUOTE_NONE if dialect["quotechar"] is None else csv.QUOTE_MINIMAL
    try:
        rows = list(csv.reader(io.StringIO(row, newline=""), strict=True, quoting=quoting, **dialect))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 and rows[0] else None


def damaged(row, chance):
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(row) + 1)
        cut = chance.randrange(2)
        row = row[:at] + chance.choice(LETTERS + [""]) + row[at + cut:]
    return row


def show(text_or_none):
    return text_or_none.encode().hex() if text_or_none else "-"


def main():
    seed, count, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    chance = random.Random(seed)
    with open(path, "wb") as file:
        while count:
            dialect = {"delimiter": chance.choice(DELIMITERS), "quotechar": chance.choice(QUOTES), "escapechar": chance.choice(ESCAPES)}
            fields = [text(chance) for _ in range(chance.randrange(2, 6))]
            row = written(fields, dialect, chance)
            if row is None or read(row, dialect) != fields:  # a few that its own reader does not take back
                continue
            verdict = "must"
            if chance.randrange(2):
                row = damaged(row, chance)
                fields = read(row, dialect)
                verdict = "may" if fields else "bad"
            count -= 1
            places = " ".join(show(field) for field in fields or [])
            head = f"{show(dialect['delimiter'])} {show(dialect['quotechar'])} {show(dialect['escapechar'])} {verdict}"
            file.write(f"{head} {len(row.encode())} {places}\n".encode() + row.encode() + b"\n")


main()
