#!/usr/bin/env python3
"""Records what AutoTokenizer answers for tokenizers that transformers writes in Python, and for classes that take the words of
a page: cases.jsonl and words.jsonl of folders below tests/unit/text/data/tokenizers (format: tests/unit/text/data/README.md).

    python tools/record/record_tokenizers.py [--every N [--first K]] FOLDER...

A folder holds tokenizer_config.json and the files of the vocabulary; texts.json and pairs.json are two folders above it.
Without --every the texts that cases.jsonl names already are recorded again; of TapasTokenizer N tables (which needs pandas).
Needs transformers 5.23, and for some classes
sacremoses 0.1.1 and rjieba 0.2.2; emoji and phonemizer are not to be installed."""
import argparse
import json
import os
import random
import warnings

warnings.filterwarnings("ignore")

from transformers import AutoTokenizer
from transformers.utils import logging

logging.set_verbosity_error()

WORDS = [["Hello", "world"], ["Invoice", "No.", "12345", "naïve"], ["日本語", "text", "", "é"], ["a"]]
LIMITS = [{}, {"padding": "max_length", "max_length": 16}, {"truncation": True, "max_length": 6}]
CELLS = ["12", "3.5", "-4", "1,000", "2 May 2010", "2012-03-04", "June 2014", "1st", "three", "n/a", "", "Ann Smith", "naïve café", "unbelievable",
         "36,542 stars", "17 may", "two of 20", "日本"]
QUESTIONS = ["how many", "who has more than 3.5?", "which began before June 2012?", "three or 1,000", "", "what is on May 2?", "Ann"]
TABLES = [{}, {"padding": "max_length", "max_length": 96}, {"truncation": "drop_rows_to_fit", "max_length": 32},
          {"truncation": True, "max_length": 24, "padding": True}, {"truncation": True}, {"max_length": 10}]
LABELS = {"MarkupLMTokenizer": "node_labels"}


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def put_decoded(tokenizer, case, ids, text):
    """d where it is not the text itself (of pairs always), dk where it is not d."""
    try:
        skipped = tokenizer.decode(ids, skip_special_tokens=True)
        kept = tokenizer.decode(ids, skip_special_tokens=False)
    except Exception as error:
        case["derr"] = type(error).__name__
        return
    if skipped != text:
        case["d"] = skipped
    if kept != skipped:
        case["dk"] = kept


def put_without_special(case, ids, plain):
    if plain == ids:
        return
    for start in range(len(ids) - len(plain) + 1):
        if ids[start:start + len(plain)] == plain:
            case["nr"] = [start, start + len(plain)]
            return
    case["ns"] = plain


def record_case(tokenizer, key, index, texts):
    case = {key: index}
    try:
        encoded = tokenizer(*texts, return_token_type_ids=True)
        ids = encoded["input_ids"]
    except Exception as error:
        return {key: index, "err": f"{type(error).__name__}: {error}"}
    case["ids"] = ids
    if key == "i":
        case["tk"] = tokenizer.tokenize(texts[0])
    put_without_special(case, ids, tokenizer(*texts, add_special_tokens=False)["input_ids"])
    types = encoded.get("token_type_ids", [])
    if any(types):
        case["ty"] = types
    if not all(encoded.get("attention_mask", [1])):
        case["am"] = encoded["attention_mask"]
    put_decoded(tokenizer, case, ids, texts[0] if key == "i" else None)
    return case


def record_cases(tokenizer, folder, first, every):
    path = os.path.join(folder, "cases.jsonl")
    texts, pairs = (read_json(os.path.join(folder, "..", "..", name)) for name in ("texts.json", "pairs.json"))
    if every:
        named = [{"i": i} for i in range(first, len(texts), every)] + [{"p": p} for p in range(len(pairs))]
    else:
        with open(path, encoding="utf-8") as file:
            named = [json.loads(line) for line in file]
    write_lines(path, [record_case(tokenizer, "i", case["i"], [texts[case["i"]]]) if "i" in case
                       else record_case(tokenizer, "p", case["p"], pairs[case["p"]]) for case in named])


def record_words(tokenizer, folder):
    lines, name = [], type(tokenizer).__name__
    for words in WORDS:
        marks = {"boxes": [[10 * k, 5, 10 * k + 9, 20] for k in range(len(words))]}
        if name == "MarkupLMTokenizer":
            marks = {"xpaths": [f"/html/body/p[{k + 1}]" for k in range(len(words))]}
        for kw in LIMITS + [{LABELS.get(name, "word_labels"): list(range(len(words)))}]:
            out = tokenizer(words, **marks, **kw)
            lines.append({"words": words, **marks, "kw": kw, "out": {key: value for key, value in out.items()}})
    write_lines(os.path.join(folder, "words.jsonl"), lines)


def record_tables(tokenizer, folder, count):
    """Tables of cells drawn by a seed, each as wide as all of its rows."""
    import pandas

    draw, lines = random.Random(count), []
    for i in range(count):
        header = draw.sample(["Name", "Stars", "Since", "City", "x y"], draw.randint(1, 4))
        pool = CELLS if i % 2 else draw.sample(CELLS, 3)  # mostly of one kind
        rows = [[draw.choice(pool) for _ in header] for _ in range(draw.randint(1, 6))]
        line = {"header": header, "rows": rows, "query": draw.choice(QUESTIONS), "kw": draw.choice(TABLES)}
        try:
            out = tokenizer(pandas.DataFrame(rows, columns=header), line["query"], **line["kw"])
        except ValueError as error:
            lines.append({**line, "err": type(error).__name__})
            continue
        lines.append({**line, "out": {key: [int(n) if isinstance(n, int) else n for n in value] for key, value in out.items()}})
    write_lines(os.path.join(folder, "cases.jsonl"), lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=0, help="record every N-th text, and all pairs")
    parser.add_argument("--first", type=int, default=0, help="index of the first of these texts")
    parser.add_argument("folders", nargs="+")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        if {"boxes", "xpaths"} & set(type(tokenizer).__call__.__code__.co_varnames):
            record_words(tokenizer, folder)
        elif type(tokenizer).__name__ == "TapasTokenizer":
            record_tables(tokenizer, folder, arguments.every or 12)
        else:
            record_cases(tokenizer, folder, arguments.first, arguments.every)


if __name__ == "__main__":
    main()
