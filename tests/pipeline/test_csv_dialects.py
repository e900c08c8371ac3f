"""The same rows in files of many dialects of CSV give the same model, to the bit."""

import csv
import random
import unittest

import pipeline_test
from riffle_process import Workspace

ROWS = 3000
COLUMNS = ["id", "amount", "city", "note", "fraud"]
CITIES = ["Zürich", "São Paulo; SP", "O'Fallon, IL", 'the "Hub"', "a\ttab", "two\nlines", "C:\\temp", None, "NA", "N"]


def rows():
    chance = random.Random(7)
    for number in range(ROWS):
        amount = chance.choice([None, round(chance.uniform(-50, 5000), 2), chance.randrange(100)])
        city = chance.choice(CITIES)
        yield [f"t{number}", amount, city, chance.choice(["x", "y z", "#"]), int(city == CITIES[1] or (amount or 0) > 2500)]


def shown(value, null="", point="."):
    return null if value is None else str(value).replace(".", point) if isinstance(value, float) else str(value)


def postgres_text(value):
    """As COPY writes it."""
    if value is None:
        return "\\N"
    escapes = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
    return "".join(escapes.get(character, character) for character in str(value))


class CsvDialects(unittest.TestCase):
    def setUp(self):
        self.workspace = Workspace()
        self.addCleanup(self.workspace.close)

    def written(self, null="", point=".", head=True, before="", **dialect):
        """A file by Python's csv."""
        path = self.workspace.folder / "rows.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(before)
            writer = csv.writer(file, **{"lineterminator": "\n", **dialect})
            if head:
                writer.writerow(COLUMNS)
            for row in rows():
                writer.writerow([shown(value, null, point) for value in row])
        return path

    def model(self, path, source=""):
        settings = self.workspace.write("model.yaml", f"""
name: csv
source: {{file: {path}, format: csv{source}}}
features: {{id: id, label: fraud, numbers: [amount], categories: [city], ignore: [note]}}
learner: {{type: linear, hash_bits: 12}}
""")
        result = self.workspace.run_riffle("evaluate", settings, "--json").json()
        self.assertEqual((result["records"], result["learned"], result["rejected"]), (ROWS, ROWS, 0))
        return result["model_sha256"]

    def test_every_dialect_gives_the_same_model(self):
        wanted = self.model(self.written())
        columns = f", columns: [{', '.join(COLUMNS)}]"
        cases = [
            (self.written, {"delimiter": ";", "lineterminator": "\r\n", "point": ",", "before": "\ufeff"},
             ", delimiter: ;, csv: {decimal: ','}"),
            (self.written, {"delimiter": "\t"}, ", delimiter: tab"),
            (self.written, {"quotechar": "'", "null": "NULL"}, """, csv: {quote: "'", null: ['NULL']}"""),
            (self.written, {"quoting": csv.QUOTE_NONE, "escapechar": "\\"}, ", csv: {quote: none, escape: '\\'}"),
            (self.written, {"doublequote": False, "escapechar": "\\", "head": False}, ", csv: {escape: '\\'}" + columns),
            (self.written, {"before": "# made by hand,\n#\n"}, ", csv: {comment: '#'}"),
            (self.written, {}, ", csv: {header: skip}" + columns),
        ]
        for write, options, source in cases:
            with self.subTest(source=source):
                self.assertEqual(self.model(write(**options), source), wanted)

    def test_what_a_database_copies_out_is_read_as_it_was(self):
        path = self.workspace.write("rows.txt", "".join("\t".join(map(postgres_text, row)) + "\n" for row in rows()))
        source = f", delimiter: tab, columns: [{', '.join(COLUMNS)}], csv: {{quote: none, escape: '\\', control_escapes: true, null: ['\\N']}}"
        self.assertEqual(self.model(path, source), self.model(self.written()))


if __name__ == "__main__":
    pipeline_test.main(needs_kafka=False)
