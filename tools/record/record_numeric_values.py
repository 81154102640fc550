"""Records the numbers and dates that TAPAS finds in texts: tests/unit/text/data/numeric_values.json.

    python tools/record/record_numeric_values.py

Needs pandas and transformers 5.23. A row is a text and its values: a number, or the year, month and day of a date (null where
absent). Last comes whether the text is taken for an empty cell.
"""

import json
import pathlib
import random

from transformers.models.tapas import tokenization_tapas as tapas

DATA = pathlib.Path(__file__).resolve().parents[2] / "tests" / "unit" / "text" / "data" / "numeric_values.json"
TEXTS = """36,542|4512|1,0000|12,34|-5|+7|- 5|a-5|a -5 b|3-1|.5|-.5|0.|1.2.3|1,200.50|$1,200|50%|5th|1st|22nd|3rd|13 th|zero|twelve
thirteen|First|seventh heaven|one of 20|1e5|2e|inf|nan|1_000|12abc|abc12|v2.0|May|may 2010|MAY 5|may 5, 2010|May 5 ,2010|5 may
17 June 2014|june 31|31 june|29 feb|feb 29 2000|feb 29 1900|29 february 2000|sep 2001|sept 2001|september 2001|1990s|1699|1700|2016|2017|0000
2012-03-04|2012-13-04|03-04-2012|13-04-2012|2012-03|2012-3|4.3.2012|04.03.2012|31.02.2012|monday, may 5|Fri, May 5|friday, june 12
sunday, may 50|in 2008 and 2009|between may 2010 and june 2011|the 3rd of june 2010|ten of 2000|1  000|1,000,000 people|10:30|2/3
١٢|½|x²|3–1|5€|−4|İ 5|ſt 1ſt|one-two|second-hand 2nd|n/a|?||  |5 5 5|12 may 12|2010 may|may may 2010|july4|4july|jul 4 1776|1776 jul 4""".replace(
    "\n", "|").split("|")
WORDS = ["may", "june", "sep", "12", "31", "2010", "1999", "2,010", "-5", ",", ".", "-", "first", "ten", "a", "of", "monday", "1st", "05", "1.5"]


def texts():
    rng = random.Random("numeric values")
    yield from dict.fromkeys(TEXTS)
    for _ in range(150):
        yield rng.choice(["", " "]).join(rng.choice(WORDS) + rng.choice([" ", " ", ""]) for _ in range(rng.randint(2, 5)))


def described(value):
    return value.float_value if value.date is None else [value.date.year, value.date.month, value.date.day]


def main():
    rows = [[text, [described(v) for v in tapas._get_numeric_values(tapas.normalize_for_match(text))],
             tapas.format_text(text) == tapas.EMPTY_TEXT] for text in texts()]
    DATA.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()
