#!/usr/bin/env python3
"""Records which characters sets of regular expressions match in the tokenizers library (Oniguruma).

    python tools/record/record_regex_sets.py        writes tests/unit/text/data/regex_sets.json

"text" has Latin-1, the first and the last of each range of code points that src/text/tokenizer/unicode_tables.h says Unicode 15 and 16
changed, and a character of each category and of many scripts. Each of "cases" has a pattern and the parts of the text that it leaves over,
first and last characters one after the other. "graphemes" has a text of letters, marks, signs and pictures by chance and the parts that \\X
matches in it. Needs tokenizers 0.23.
"""
import json
import os
import random
import re
import unicodedata

from tokenizers import Regex
from tokenizers import pre_tokenizers as P

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
OUT = os.path.join(ROOT, "tests/unit/text/data/regex_sets.json")
NAMES = """alpha alnum digit upper lower punct cntrl blank xdigit space word graph print ascii any
L Lu Ll Lt LC Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Co Cn Letter
Han Hiragana Katakana Latin Greek Cyrillic Arabic Hebrew Thai Devanagari Hangul Common Inherited Lao Myanmar Kannada
Alphabetic Uppercase Lowercase White_Space Ideographic Emoji Emoji_Presentation Extended_Pictographic Math ID_Start ID_Continue XID_Start
XID_Continue Cased Case_Ignorable Dash Diacritic Extender Default_Ignorable_Code_Point""".split()
BRACKETS = "alpha alnum digit upper lower punct cntrl blank xdigit space word graph print ascii".split()


def patterns():
    for letter in "wWsSdDhH":
        yield from (f"\\{letter}", f"[\\{letter}]", f"[^\\{letter}]")
    for name in NAMES:
        yield from (rf"\p{{{name}}}", rf"\P{{{name}}}", rf"[\p{{{name}}}]", rf"[^\p{{{name}}}]")
    for name in BRACKETS:
        yield from (f"[[:{name}:]]", f"[^[:{name}:]]", f"[[:^{name}:]]")
    yield from (r"[^\w\s]", r"[\w&&\W]", r"\w|[^\w\s]", r"[\p{L}&&[^\p{Lu}]]", r"[^\p{L}\p{N}]", r"\p{^C}", r"[\p{C}a]", r"\b\w+\b")


def characters():
    with open(os.path.join(ROOT, "src/text/tokenizer/unicode_tables.h"), encoding="utf-8") as file:
        tables = file.read()
    out = set(range(0x100))
    for name in ("changed_after_14", "added_to_sets"):
        body = tables[tables.index(name + "["):].split("};")[0]
        for first, last in re.findall(r"\{0x([0-9a-f]+), 0x([0-9a-f]+)", body):
            out.update((int(first, 16), int(last, 16)))
    out.discard(0x1171E)  # has moved from Mn to Mc; PCRE2's Mn keeps it
    seen = set()
    for c in range(0x100, 0x20000):
        kind = (unicodedata.category(chr(c)), unicodedata.name(chr(c), "?").split()[0])
        if not 0xD800 <= c < 0xE000 and kind not in seen and len(seen) < 400:
            seen.add(kind)
            out.add(c)
    return "".join(map(chr, sorted(out)))


JOINED = ("a", "\r", "\n", "\t", "e\u0301", "\u0903", "\u200c", "\u200d", "\ufe0f", "\u1100", "\u1161", "\u11a8", "\uac00", "\uac01", "\u0600", "\u0e33",
          "\U0001f468", "\u2764", "\U0001f3fd", "\U0001f1e9", "\U0001f1ea", "\u00ad", "\u2028", "\u2065", "\U000e0002", "\U000e0020", "\U000110bd",
          "\U00011f02", "\U000113c2", "\U00013439", "\U00013440", "\U00016d63", "\u1b44", "\u0cc0", "\u102b")


def graphemes():
    chance = random.Random(5)
    text = "".join(chance.choice(JOINED) for _ in range(3000))
    parts = P.Split(Regex(r"\X"), "removed", invert=True).pre_tokenize_str(text)
    return {"text": text, "parts": [place for _, part in parts for place in part]}


def main():
    text, cases = characters(), []
    for pattern in patterns():
        parts = P.Split(Regex(f"(?:{pattern})+"), "removed").pre_tokenize_str(text)
        cases.append({"pattern": pattern, "left": [place for _, part in parts for place in part]})
    with open(OUT, "w", encoding="utf-8") as file:
        file.write(json.dumps({"text": text, "graphemes": graphemes(), "cases": cases}, separators=(",", ":")).replace('{"pattern"', '\n{"pattern"') + "\n")
    print(f"{len(text)} characters, {len(cases)} patterns")


if __name__ == "__main__":
    main()
