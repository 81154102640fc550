"""Trains the tokenizers of the tokenizers' bench and writes the documents; runs in its environment.

usage: tokenizer_make.py FOLDER      FOLDER/NAME/tokenizer.json for each of CASES, FOLDER/documents.bin
"""

import os
import sys

import tokenizer_texts

TRAINING_BYTES, UNIGRAM_TRAINING_BYTES, MEASURED_BYTES = 12_000_000, 3_000_000, 2_000_000
LLAMA3_PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                  r"|\s*[\r\n]+|\s+(?!\S)|\s+")
BERT_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def part_of(texts, total_bytes):
    """The first texts, of together about that many bytes."""
    done = 0
    for text in texts:
        if done >= total_bytes:
            return
        yield text
        done += len(text.encode())


def byte_level_bpe(texts, vocab_size, **settings):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    tokenizer = Tokenizer(models.BPE(**settings))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if settings.get("ignore_merges"):
        from tokenizers import Regex
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(LLAMA3_PATTERN), "isolated"),
             pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocab_size, min_frequency=1, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def gpt2(texts):
    return byte_level_bpe(texts, 50257)


def llama3(texts):
    return byte_level_bpe(texts, 128000, ignore_merges=True)


def bert(texts):
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(
        vocab_size=30522, min_frequency=2, special_tokens=BERT_TOKENS, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")])
    return tokenizer


def unigram(texts):
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(part_of(texts, UNIGRAM_TRAINING_BYTES), trainers.UnigramTrainer(
        vocab_size=32000, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False, n_sub_iterations=1,
        shrinking_factor=0.5))
    return tokenizer


CASES = {"gpt2": gpt2, "llama3": llama3, "bert": bert, "unigram": unigram}


def main():
    folder = sys.argv[1]
    wanted = sys.argv[2:] or CASES
    training = tokenizer_texts.documents(0, TRAINING_BYTES)
    for name in wanted:
        os.makedirs(f"{folder}/{name}", exist_ok=True)
        print(f"training {name} ...", file=sys.stderr, flush=True)
        CASES[name](training).save(f"{folder}/{name}/tokenizer.json", pretty=True)
    tokenizer_texts.write_documents(f"{folder}/documents.bin", tokenizer_texts.documents(1, MEASURED_BYTES))


if __name__ == "__main__":
    main()
