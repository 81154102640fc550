#!/usr/bin/env python3
"""Trains small sentencepiece models, and records what the library and transformers answer with them and with files of
tiktoken and Mistral.

Usage: tools/record/record_sentencepiece.py [--out FOLDER] [--all]
Writes sentencepiece/, legacy/ and python/ below tests/unit/text/data/tokenizers (format in the README there), whose
texts.json and pairs.json are the inputs; --all takes every one of them instead of a selection. The models are trained on
texts.json. Needs sentencepiece, protobuf, tiktoken, transformers.
"""
import argparse
import base64
import collections
import io
import json
import os
import shutil
import sys
import types

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as model_pb2

os.environ["TIKTOKEN_CACHE_DIR"] = ""  # which would keep the file of the last run
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(ROOT, "tests/unit/text/data/tokenizers")
NORMAL, UNUSED = 1, 5
RULES = ["FF21\t41", "FF42\t62", "2460\t28 31 29", "9\t20", "A0\t20", "AD\t", "FB01\t66 69", "1F600\t3A 29", "C9\t65 301",
         "65 301\tE9", "3000\t20"]


def corpus():
    """Lines of Latin letters, so that the models stay small."""
    with open(os.path.join(DATA, "texts.json"), encoding="utf-8") as file:
        return [line for text in json.load(file) for line in text.replace("\0", " ").splitlines()
                if line.strip() and max(line) < "\u0250"]


def train(change=None, **options):
    """A model as bytes, without the paths that training leaves in it."""
    rules = os.path.join(OUT, "rules.tsv")
    with open(rules, "w") as file:
        file.write("\n".join(RULES) + "\n")
    if options.pop("rules", False):
        options["normalization_rule_tsv"] = rules
    else:
        options.setdefault("normalization_rule_name", "identity")
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus()), model_writer=out, minloglevel=2, num_threads=1,
        hard_vocab_limit=False, character_coverage=0.98, **options)
    os.remove(rules)
    model = model_pb2.ModelProto.FromString(out.getvalue())
    for field in ("model_prefix", "input"):
        model.trainer_spec.ClearField(field)
    model.normalizer_spec.ClearField("normalization_rule_tsv")
    if change:
        change(model)
    return model.SerializeToString(deterministic=True)


def make_unused(model):
    """Long pieces are there, but not used: bpe cuts them again."""
    for piece in model.pieces:
        if piece.type == NORMAL and len(piece.piece) > 3:
            piece.type = UNUSED


def reverse_rules(model):
    """A denormalizer with the rules of the normalizer."""
    model.denormalizer_spec.CopyFrom(model.normalizer_spec)
    model.denormalizer_spec.add_dummy_prefix = False
    model.denormalizer_spec.escape_whitespaces = False


def models():
    fairseq = dict(bos_id=1, eos_id=2, unk_id=0)
    t5 = dict(pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    llama = dict(unk_id=0, bos_id=1, eos_id=2, byte_fallback=True, remove_extra_whitespaces=False, split_digits=True)
    return {
        "unigram": train(model_type="unigram", vocab_size=260, rules=True, **fairseq),
        "unigram_symbols": train(model_type="unigram", vocab_size=270, rules=True, user_defined_symbols=["hello", "<x>", " w"],
                                 control_symbols=["<c>"], change=reverse_rules, **t5),
        "unigram_suffix": train(model_type="unigram", vocab_size=250, treat_whitespace_as_suffix=True, **fairseq),
        "bpe": train(model_type="bpe", vocab_size=330, **fairseq),
        "bpe_bytes": train(model_type="bpe", vocab_size=460, user_defined_symbols=["<y>", "ello"], **llama),
        "bpe_unused": train(model_type="bpe", vocab_size=400, rules=True, change=make_unused, **fairseq),
        "bpe_plain": train(model_type="bpe", vocab_size=330, add_dummy_prefix=False, **fairseq),
        "char": train(model_type="char", vocab_size=200, pad_id=1, bos_id=0, eos_id=2, unk_id=3),
        "word": train(model_type="word", vocab_size=150, **fairseq),
    }


def albert(model):
    """Special pieces where ALBERT and XLNet have them."""
    return train(model_type="unigram", vocab_size=260, rules=True, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1,
                 control_symbols=["[CLS]", "[SEP]", "[MASK]"])


def ranks():
    """The ranks of a byte-level BPE: all bytes, then pairs of the texts, the most frequent first."""
    words = collections.Counter(part for line in corpus() for part in line.split(" "))
    parts = {word: [bytes([byte]) for byte in (" " + word).encode()] for word in words}
    tokens = [bytes([byte]) for byte in range(256)]
    while len(tokens) < 300:
        pairs = collections.Counter()
        for word, count in words.items():
            for pair in zip(parts[word], parts[word][1:]):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        tokens.append(best[0] + best[1])
        for word, old in parts.items():
            new = []
            for part in old:
                if new and (new[-1], part) == best and new[-1] is not None:
                    new[-1] = new[-1] + part
                else:
                    new.append(part)
            parts[word] = new
    return tokens


def tiktoken(tokens):
    return "".join(f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(tokens))


def tekken(tokens, names_specials=True):
    """Older files name no special tokens: mistral-common has them (and has to be installed)."""
    specials = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    file = {
        "config": {"pattern": r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s+(?!\S)|\s+",
                   "num_vocab_tokens": len(tokens), "default_vocab_size": 300,
                   "default_num_special_tokens": 8 if names_specials else 24,
                   "version": "v3"},
        "vocab": [{"rank": rank, "token_bytes": base64.b64encode(token).decode()}
                  for rank, token in enumerate(tokens)]}
    if names_specials:
        file["special_tokens"] = [{"rank": rank, "token_str": text, "is_control": True} for rank, text in enumerate(specials)]
    return json.dumps(file, separators=(",", ":"))


def vocabulary(model, first, last):
    pieces = [piece.piece for piece in model_pb2.ModelProto.FromString(model).pieces if piece.type == NORMAL]
    return json.dumps({token: i for i, token in enumerate(first + pieces + last)}, ensure_ascii=False)


def folders(m):
    """Kind and name, tokenizer_config.json, files."""
    lst = ranks()
    unigram, bpe = m["unigram"], m["bpe"]
    fairseq = ["<s>", "<pad>", "</s>", "<unk>"]
    special = {"content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False, "special": True}
    legacy = [
        ("albert", {"tokenizer_class": "AlbertTokenizer"}, {"spiece.model": albert(m)}),
        ("camembert", {"tokenizer_class": "CamembertTokenizer"}, {"sentencepiece.bpe.model": m["unigram_suffix"]}),
        ("fnet", {"tokenizer_class": "FNetTokenizer"}, {"spiece.model": m["unigram_symbols"]}),
        ("gemma", {"tokenizer_class": "GemmaTokenizer"}, {"tokenizer.model": m["bpe_bytes"]}),
        ("generic_bpe", {"tokenizer_class": "TokenizersBackend"}, {"tokenizer.model": m["bpe_bytes"]}),
        ("llama", {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "add_eos_token": True, "legacy": False},
         {"tokenizer.model": m["bpe_bytes"]}),
        ("llama_tiktoken", {"tokenizer_class": "LlamaTokenizer"}, {"tokenizer.model": tiktoken(lst)}),
        ("mbart50", {"tokenizer_class": "MBart50Tokenizer", "src_lang": "fr_XX"}, {"sentencepiece.bpe.model": unigram}),
        ("nllb", {"tokenizer_class": "NllbTokenizer"}, {"sentencepiece.bpe.model": bpe}),
        ("pegasus", {"tokenizer_class": "PegasusTokenizer", "offset": 9}, {"spiece.model": m["unigram_symbols"]}),
        ("rembert", {"tokenizer_class": "RemBertTokenizer", "do_lower_case": True}, {"sentencepiece.model": albert(m)}),
        ("seamless_m4t", {"tokenizer_class": "SeamlessM4TTokenizer"}, {"sentencepiece.bpe.model": bpe}),
        ("t5", {"tokenizer_class": "T5Tokenizer", "extra_ids": 3}, {"spiece.model": m["unigram_symbols"]}),
        ("tekken", {"tokenizer_class": "TokenizersBackend"}, {"tekken.json": tekken(lst)}),
        ("tekken_older", {"tokenizer_class": "TokenizersBackend"}, {"tekken.json": tekken(lst, names_specials=False)}),
        ("tiktoken", {"tokenizer_class": "TokenizersBackend", "extra_special_tokens": ["<|a|>", "hello"],
                      "added_tokens_decoder": {"303": dict(special, content="<|b|>", lstrip=False)}},
         {"tiktoken.model": tiktoken(lst)}),
        ("xlm_roberta", {"tokenizer_class": "XLMRobertaTokenizer"}, {"sentencepiece.bpe.model": unigram}),
    ]
    python = [
        ("bartpho", {"tokenizer_class": "BartphoTokenizer"},
         {"sentencepiece.bpe.model": unigram, "dict.txt": "".join(
             f"{piece} 1\n" for piece in list(json.loads(vocabulary(unigram, [], [])))[:150])}),
        ("bert_generation", {"tokenizer_class": "BertGenerationTokenizer", "legacy": False}, {"spiece.model": m["unigram_symbols"]}),
        ("cpm", {"tokenizer_class": "CpmTokenizer"}, {"spiece.model": unigram}),
        ("gpt_sw3", {"tokenizer_class": "GPTSw3Tokenizer", "extra_special_tokens": ["<new>"],
                     "added_tokens_decoder": {"700": special}}, {"spiece.model": bpe}),
        ("m2m_100", {"tokenizer_class": "M2M100Tokenizer", "src_lang": "de"},
         {"sentencepiece.bpe.model": unigram, "vocab.json": vocabulary(unigram, fairseq, ["<madeup>"])}),
        ("marian", {"tokenizer_class": "MarianTokenizer"},
         {"source.spm": unigram, "target.spm": bpe, "vocab.json": vocabulary(unigram, ["</s>", "<unk>", ">>fr<<"], ["<pad>"])}),
        ("plbart", {"tokenizer_class": "PLBartTokenizer", "language_codes": "multi"}, {"sentencepiece.bpe.model": unigram}),
        ("siglip", {"tokenizer_class": "SiglipTokenizer"}, {"spiece.model": m["unigram_symbols"]}),
        ("speech_to_text", {"tokenizer_class": "Speech2TextTokenizer", "do_upper_case": True},
         {"sentencepiece.bpe.model": unigram, "vocab.json": vocabulary(unigram, fairseq, [])}),
        ("speecht5", {"tokenizer_class": "SpeechT5Tokenizer", "normalize": True}, {"spm_char.model": m["char"]}),
    ]
    return [("legacy", *row) for row in legacy] + [("python", *row) for row in python]


# ---- recording ----


def short(value, usual):
    return {} if value == usual else {"value": value}


def record_library(model, texts, chosen):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    for index in chosen:
        text = texts[index]
        ids, pieces = processor.encode(text), processor.encode(text, out_type=str)
        line = {"i": index, "ids": ids}
        if pieces != [processor.id_to_piece(i) for i in ids]:
            line["t"] = pieces
        if (normal := processor.normalize(text)) != text:
            line["n"] = normal
        if (decoded := processor.decode(ids)) != text:
            line["d"] = decoded
        yield line


def without_special(ids, plain):
    if plain == ids:
        return {}
    for start in range(len(ids) - len(plain) + 1):
        if ids[start:start + len(plain)] == plain:
            return {"nr": [start, start + len(plain)]}
    return {"ns": plain}


def answer(tokenizer, key, index, text, pair):
    line = {key: index}
    fast = tokenizer.is_fast
    arguments = dict(return_token_type_ids=True, **({"return_offsets_mapping": True} if fast else {}))
    try:
        out = tokenizer(text, pair, **arguments)
        ids = out["input_ids"]
        line["ids"] = ids
        line.update(without_special(ids, tokenizer(text, pair, add_special_tokens=False)["input_ids"]))
        if not fast and pair is None:
            line["tk"] = tokenizer.tokenize(text)
        if fast:
            line["o"] = [place for offsets in out["offset_mapping"] for place in offsets]
            if (tokens := out.tokens()) != tokenizer.convert_ids_to_tokens(ids):
                line["t"] = tokens
        if any(out["token_type_ids"]):
            line["ty"] = out["token_type_ids"]
        decoded = tokenizer.decode(ids, skip_special_tokens=True)
        if pair is not None or decoded != text:
            line["d"] = decoded
        if (kept := tokenizer.decode(ids, skip_special_tokens=False)) != decoded:
            line["dk"] = kept
    except (ValueError, IndexError, KeyError) as error:
        return {key: index, "err": type(error).__name__}
    return line


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def write_folder(kind, name, config, files, texts, pairs, chosen, chosen_pairs):
    from transformers import AutoTokenizer

    folder = os.path.join(OUT, kind, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for file, content in {"tokenizer_config.json": json.dumps(config) + "\n", **files}.items():
        with open(os.path.join(folder, file), "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
    if name == "cpm":  # its class wants the package to be there, and does not use it
        sys.modules.setdefault("rjieba", types.ModuleType("rjieba"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    lines = [answer(tokenizer, "i", i, texts[i], None) for i in chosen]
    write_lines(os.path.join(folder, "cases.jsonl"), lines + [answer(tokenizer, "p", i, *pairs[i]) for i in chosen_pairs])


def main():
    global OUT, DATA
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=DATA)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    OUT = options.out
    texts, pairs = ([json.load(open(os.path.join(folder, name), encoding="utf-8"))
                     for folder in [OUT if os.path.exists(os.path.join(OUT, name)) else DATA]][0]
                    for name in ("texts.json", "pairs.json"))
    chosen = range(len(texts)) if options.all else range(0, len(texts), 16)
    chosen_pairs = range(len(pairs)) if options.all else [0, 1, 3, 8]
    made = models()
    library = os.path.join(OUT, "sentencepiece")
    os.makedirs(library, exist_ok=True)
    for name, model in made.items():
        with open(os.path.join(library, name + ".model"), "wb") as file:
            file.write(model)
        write_lines(os.path.join(library, name + ".jsonl"), record_library(model, texts, chosen))
    for kind, name, config, files in folders(made):
        write_folder(kind, name, config, files, texts, pairs, chosen, chosen_pairs)


if __name__ == "__main__":
    main()
