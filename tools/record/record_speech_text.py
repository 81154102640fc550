#!/usr/bin/env python3
"""Records what transformers makes of frames that a model labelled, and of Whisper's tokens.

Usage: tools/record/record_speech_text.py
Writes tests/unit/text/data/pipelines/ctc.jsonl (pipelines' postprocess), beams.jsonl (pyctcdecode, without a language
model) and whisper.jsonl (_decode_asr), which name tokenizers of tests/unit/text/data/tokenizers. Needs torch,
transformers, pyctcdecode.
"""

import json
import os
import types

import numpy as np
import torch
from pyctcdecode import build_ctcdecoder
from transformers import AutoTokenizer
from transformers.pipelines import AutomaticSpeechRecognitionPipeline

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(ROOT, "tests", "unit", "text", "data")
CTC, WHISPER = "python/wav2vec2_ctc", "families/whisper"
NOTE = "column 0 += 3, column 4 of every third frame += 2"
MASK = (1 << 64) - 1


def seeded(name, shape, low, high):
    """Numbers of src/base/prng.h."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & MASK
    out = []
    for i in range(int(np.prod(shape))):
        z = (seed + (i + 1) * 0x9E3779B97F4A7C15) & MASK
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        out.append(low + (high - low) * ((z ^ z >> 31) >> 40) * 2.0**-24)
    return np.array(out, dtype=np.float32).reshape(shape)


def logits_of(recipe):
    logits = seeded(recipe["prng"], recipe["shape"], recipe["lo"], recipe["hi"])
    logits[..., 0] += np.float32(3)
    logits[:, ::3, 4] += np.float32(2)
    return logits


def recipe(name, frames, high=3):
    return {"prng": name, "shape": [1, frames, 32], "lo": -high, "hi": high}


def write(name, lines):
    path = os.path.join(DATA, "pipelines", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
    print(f"{name}: {len(lines)} lines, {os.path.getsize(path)} bytes")


def record_ctc():
    pipeline = object.__new__(AutomaticSpeechRecognitionPipeline)
    pipeline.tokenizer = AutoTokenizer.from_pretrained(os.path.join(DATA, "tokenizers", CTC))
    pipeline.feature_extractor = types.SimpleNamespace(sampling_rate=16000)
    pipeline.model = types.SimpleNamespace(config=types.SimpleNamespace(inputs_to_logits_ratio=320, model_type="wav2vec2"))
    pipeline.type = "ctc"
    inputs = [([recipe("speech.ctc.0", 35)], [None]), ([recipe("speech.ctc.1", 50)], [None]),
              ([recipe(f"speech.ctc.2.{i}", 24) for i in range(3)], [[24, 0, 5], [24, 5, 5], [17, 5, 0]])]
    lines = []
    for logits, strides in inputs:
        for times in (None, "char", "word"):
            outputs = []
            for r, stride in zip(logits, strides):
                outputs.append({"tokens": torch.from_numpy(logits_of(r)).argmax(-1)})
                if stride:
                    outputs[-1]["stride"] = tuple(stride)
            answer = pipeline.postprocess(outputs, return_timestamps=times)
            lines.append({"task": "automatic-speech-recognition", "type": "ctc", "tokenizer": CTC, "logits": logits,
                          "logits_note": NOTE + ", then argmax", "strides": strides, "align_to": 320,
                          "kwargs": {"return_timestamps": times}, "output": dict(answer)})
    return lines


def record_beams():
    vocabulary = AutoTokenizer.from_pretrained(os.path.join(DATA, "tokenizers", CTC)).get_vocab()
    decoder = build_ctcdecoder([token for token, _ in sorted(vocabulary.items(), key=lambda item: item[1])])
    lines = []
    for name, frames, high, kwargs in [("speech.beams.0", 30, 3, {}), ("speech.beams.1", 60, 4, {"beam_width": 8}),
                                       ("speech.beams.2", 40, 2, {"beam_width": 25, "token_min_logp": -3.5}),
                                       ("speech.beams.3", 45, 5, {"beam_prune_logp": -4.0}),
                                       ("speech.beams.4", 1, 3, {}), ("speech.beams.5", 40, 6, {"beam_width": 1})]:
        logits = recipe(name, frames, high)
        beams = decoder.decode_beams(logits_of(logits)[0], **kwargs)
        best = [{"text": b[0], "score": float(f"{b[-1]:.9g}"), "words": [[w, int(s), int(e)] for w, (s, e) in b[2]]}
                for b in beams[:5]]
        lines.append({"task": "ctc-beam-search", "tokenizer": CTC, "logits": logits, "logits_note": NOTE, "kwargs": kwargs,
                      "output": {"count": len(beams), "beams": best}})
    return lines


# Name: outputs of the model for one sound after another, as text; (output, stride in seconds or null).
WHISPER_CASES = {
    "plain": [("<|startoftranscript|><|en|><|transcribe|><|notimestamps|> Hello, \"big\" world.<|endoftext|>", None)],
    "segments": [("<|startoftranscript|><|en|><|transcribe|><|0.00|> First (part),<|0.70|><|0.70|> it's second.<|1.98|>"
                  "<|endoftext|>", None)],
    "open": [("<|startoftranscript|><|de|><|transcribe|><|0.20|> Nicht zu Ende", None)],
    "japanese": [("<|startoftranscript|><|ja|><|transcribe|><|0.00|>日本語、です。😀<|1.00|><|endoftext|>", None)],
    "prompt": [("<|startofprev|> earlier words<|startoftranscript|><|en|><|transcribe|><|0.00|> now then<|0.40|>"
                "<|endoftext|>", None)],
    "overlap": [("<|0.00|> the quick brown<|1.20|><|1.20|> fox jumps<|2.00|>", [2.0, 0.0, 0.7]),
                ("<|0.00|> fox jumps<|0.60|><|0.60|> over the dog.<|1.60|>", [2.0, 0.7, 0.0])],
    "overlap_without_times": [("<|notimestamps|> the quick brown fox jumps", [2.0, 0.0, 0.7]),
                              ("<|notimestamps|> brown fox jumps over the dog.", [2.0, 0.7, 0.0])],
    "languages": [("<|en|><|0.00|> hello<|0.50|><|fr|><|0.50|> bonjour<|1.00|>", None)],
    "empty": [("<|startoftranscript|><|en|><|transcribe|><|notimestamps|><|endoftext|>", None)],
}


def token_ids(tokenizer, text):
    """The ids of a text with special tokens and times written out."""
    begin, ids = tokenizer.convert_tokens_to_ids("<|notimestamps|>") + 1, []
    for piece in text.replace("<|", "\0<|").replace("|>", "|>\0").split("\0"):
        if piece.startswith("<|") and piece[2:3].isdigit():
            ids.append(begin + round(float(piece[2:-2]) / 0.02))
        elif piece.startswith("<|"):
            ids.append(tokenizer.convert_tokens_to_ids(piece))
        elif piece:
            ids.extend(tokenizer.encode(piece, add_special_tokens=False))
    return ids


def record_whisper():
    tokenizer = AutoTokenizer.from_pretrained(os.path.join(DATA, "tokenizers", WHISPER))
    lines = []
    for name, outputs in WHISPER_CASES.items():
        for times in (False, True, "word"):
            for language in (False, True):
                given, tensors = [], []
                for number, (text, stride) in enumerate(outputs):
                    ids = token_ids(tokenizer, text)
                    steps = seeded(f"speech.whisper.{name}.{number}", [len(ids)], 0, 0.2)
                    ends = np.round(np.cumsum(steps), 2).astype(np.float32)
                    given.append({"tokens": [ids]})
                    if stride:
                        given[-1]["stride"] = stride
                    if times == "word":
                        given[-1]["token_timestamps"] = [[float(f"{v:.9g}") for v in ends]]
                    tensors.append({**given[-1], "tokens": torch.tensor([ids])})
                    if times == "word":
                        tensors[-1]["token_timestamps"] = torch.from_numpy(ends)[None]
                kwargs = {"return_timestamps": times, "return_language": language, "time_precision": 0.02}
                text, optional = tokenizer._decode_asr(tensors, **kwargs)
                lines.append({"task": "whisper-decode", "tokenizer": WHISPER, "name": name, "model_outputs": given,
                              "kwargs": kwargs, "output": {"text": text, **optional}})
    return lines


def main():
    write("ctc.jsonl", record_ctc())
    write("beams.jsonl", record_beams())
    write("whisper.jsonl", record_whisper())


if __name__ == "__main__":
    main()
