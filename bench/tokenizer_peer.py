"""The `tokenizers` package in a process of its own; the protocol is that of tokenizer_worker.c.

usage: tokenizer_peer.py TOKENIZER_JSON DOCUMENTS METHOD      METHOD: encode_batch or encode_batch_fast (without offsets)
How many threads it takes is RAYON_NUM_THREADS.
"""

import array
import sys
import time

from tokenizers import Tokenizer

import tokenizer_texts


def timed(run):
    start = time.perf_counter()
    result = run()
    return (time.perf_counter() - start) * 1e3, result


def reply(*words):
    print(*words, flush=True)


def write_ids(path, encodings):
    with open(path, "wb") as file:
        for encoding in encodings:
            array.array("i", [len(encoding.ids), *encoding.ids]).tofile(file)


def main():
    path, documents, method = sys.argv[1:]
    texts = list(tokenizer_texts.read_documents(documents))
    before = time.process_time()
    load_ms, tokenizer = timed(lambda: Tokenizer.from_file(path))
    encode = getattr(tokenizer, method)
    reply("ready", f"{load_ms:.4f}", f"{(time.process_time() - before) * 1e3:.4f}")
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "run":
            reply("times", *(f"{timed(lambda: encode(texts))[0]:.4f}" for _ in range(int(argument))))
        elif command == "ids":
            encodings = encode(texts)
            write_ids(argument, encodings)
            reply("wrote", sum(len(e.ids) for e in encodings))
        else:
            break


if __name__ == "__main__":
    main()
