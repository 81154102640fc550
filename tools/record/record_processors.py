#!/usr/bin/env python3
"""Records what processors of transformers make of texts, images and sounds: the expanded texts, ids and other outputs.

Usage: tools/record/record_processors.py FOLDER [CLASS...]

Writes FOLDER/CLASS.json for each row of processor_rows.py (or those named) and FOLDER/tokenizer.json, the byte-level
tokenizer of all of them without added tokens. A file holds processor_config.json, tokenizer_config.json, the added
tokens (those that are not as usual with what differs), the tokenizer's normalizer if it has one, and cases. Images, videos ([frames, height, width, frames a second or 0]) and sounds are computed from their sizes, as tests/unit/processors/test_processors.c does.
Outputs are shapes, of integers runs of equal values: [value, times, value, times, ...], few floats
themselves, of pixels some that lie evenly spread. Needs transformers, torch,
torchvision, Pillow, num2words.
"""
import json
import os
import re
import sys
import tempfile

import numpy as np
import torch
import transformers
from PIL import Image
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers.models.auto.feature_extraction_auto import FEATURE_EXTRACTOR_MAPPING_NAMES
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES
from transformers.models.auto.video_processing_auto import VIDEO_PROCESSOR_MAPPING_NAMES
from transformers.tokenization_utils_base import PreTrainedTokenizerBase
from transformers.video_utils import VideoMetadata

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from processor_rows import ROWS  # noqa: E402

STANDARD = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "sep_token": "<sep>",
            "mask_token": "<mask>"}
FEW_VALUES = 1500
FEW_NUMBERS = 8
MOST_RUNS = 100
SPREAD = 6


def byte_tokenizer():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def make_tokenizer(row):
    base = byte_tokenizer()
    if "replaced" in row:
        base.normalizer = normalizers.Replace(Regex(row["replaced"][0]), row["replaced"][1])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=base, extra_special_tokens=row.get("named", {}), **STANDARD)
    tokens = [AddedToken(token, special=True, normalized="replaced" in row) for token in row.get("tokens", [])]
    tokenizer.add_special_tokens({"additional_special_tokens": tokens}, replace_extra_special_tokens=False)
    tokenizer._tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B:1", special_tokens=[("<s>", tokenizer.bos_token_id)])
    return tokenizer


def part_class(names, model_type):
    name = names.get(model_type)
    if isinstance(name, dict):
        name = name.get("torchvision") or name.get("pil")
    return getattr(transformers, name)


def make(name, row):
    cls = getattr(transformers, name)
    types = [key for key, value in PROCESSOR_MAPPING_NAMES.items() if value == name]
    model_type = row.get("model_type") or types[0]
    parts = {}
    for attribute in cls.get_attributes():
        if "tokenizer" in attribute:
            parts[attribute] = make_tokenizer(row)
        elif attribute == "image_processor":
            found = getattr(transformers, row["image_class"]) if "image_class" in row else part_class(
                IMAGE_PROCESSOR_MAPPING_NAMES, model_type)
            parts[attribute] = found(**row.get("image", {}))
        elif attribute == "video_processor":
            found = getattr(transformers, row["video_class"]) if "video_class" in row else part_class(
                VIDEO_PROCESSOR_MAPPING_NAMES, model_type)
            parts[attribute] = found(**row.get("video", {}))
        else:
            found = getattr(transformers, row["sound_class"]) if "sound_class" in row else part_class(
                FEATURE_EXTRACTOR_MAPPING_NAMES, model_type)
            parts[attribute] = found(**row.get("sound", {}))
    if "chat_template" in row:
        parts["chat_template"] = row["chat_template"]
    return cls(**parts, **row.get("settings", {}))


def picture(height, width, seed):
    y, x, c = np.ogrid[:height, :width, :3]
    return Image.fromarray(((x * 7 + y * 13 + c * 29 + seed * 31) % 256).astype(np.uint8))


def clip(frames, height, width):
    return np.stack([np.asarray(picture(height, width, seed)) for seed in range(frames)])


def metadata(frames, height, width, fps):
    return {"total_num_frames": frames, "fps": fps or None, "duration": frames / fps if fps else None,
            "height": height, "width": width, "frames_indices": list(range(frames))}


def sound(length, seed):
    i = np.arange(length, dtype=np.int64)
    return (((i * (37 + seed)) % 101 - 50).astype(np.float32) / np.float32(128)).astype(np.float32)


def runs(values):
    out = []
    for value in values:
        if out and out[-2] == value:
            out[-1] += 1
        else:
            out += [value, 1]
    return out


def describe(value, name):
    if isinstance(value, list) and value and isinstance(value[0], torch.Tensor):
        return {"list": [describe(part, name) for part in value]}
    if isinstance(value, torch.Tensor) and value.dtype == torch.bfloat16:
        value = value.float()
    array = value.numpy() if isinstance(value, torch.Tensor) else None
    if array is None:
        try:
            array = np.array(value)
        except ValueError:
            return {"list": [describe(part, name) for part in value]}
    out = {"shape": list(array.shape)}
    if array.dtype.kind in "iub" and array.size <= FEW_VALUES:
        values = runs(array.reshape(-1).astype(np.int64).tolist())
        if len(values) <= MOST_RUNS:
            out["runs"] = values
    if array.dtype.kind == "f" and array.size <= FEW_NUMBERS:
        out["numbers"] = array.reshape(-1).astype(float).tolist()
    elif array.dtype.kind == "f" and ("pixel" in name or "patches" in name):
        places = np.linspace(0, array.size - 1, SPREAD).astype(int)
        out["spread"] = [float(f"{value:.6g}") for value in array.reshape(-1)[places]]
    return out


def squeeze(text, tokens):
    """A text as a list: strings, and [string, times] for those that are there several times in a row."""
    out, begin = [], 0
    pattern = "|".join(f"(?:{re.escape(t)}){{3,}}" for t in sorted(tokens, key=len, reverse=True))
    for match in re.finditer(pattern, text) if tokens else []:
        token = next(t for t in sorted(tokens, key=len, reverse=True) if match.group().startswith(t))
        if match.start() > begin:
            out.append(text[begin:match.start()])
        out.append([token, len(match.group()) // len(token)])
        begin = match.end()
    return out + ([text[begin:]] if begin < len(text) else [])


def call(processor, row, case, seen):
    usual = {} if row.get("plain") else {"text_kwargs": {"padding": True}}  # plain: as the class says
    arguments = {**usual, **row.get("arguments", {}), **case.get("arguments", {})}
    images = [[picture(*size, seed) for seed, size in enumerate(sizes)] for sizes in case.get("images", [])]
    if not row.get("nested"):
        images = [image for sample in images for image in sample]
    sounds = [sound(length, seed) for seed, length in enumerate(case.get("sounds", []))]
    videos = case.get("videos", [])
    keywords = {**arguments, **row.get("python", lambda arguments: {})(arguments)}
    if videos:
        keywords["videos"] = [clip(*video[:3]) for video in videos]
        told = [metadata(*video) for video in videos]
        if row.get("one_video"):
            told = VideoMetadata(**told[0])
        keywords["videos_kwargs"] = {**keywords.get("videos_kwargs", {}), **row.get("unrecorded_videos_kwargs", {}),
                                     "video_metadata": told}
    if case.get("texts") is not None:
        keywords["text"] = list(case["texts"])
    if images:
        keywords["images"] = images
    if sounds:
        keywords["audio"] = sounds if len(sounds) > 1 or not row.get("single") else sounds[0]
    keywords.update(row.get("unrecorded", {}))
    failure = None
    for tensors in ("pt", None):
        try:
            seen.clear()
            fresh = {k: {**v} if k == "text_kwargs" else v for k, v in keywords.items()}
            if row.get("flat"):  # arguments of the texts are the call's own, and videos are called images
                fresh = {"text": keywords["text"], "images": keywords.get("videos"), **keywords["text_kwargs"]}
            return arguments, processor(**fresh, return_tensors=tensors)
        except (ValueError, TypeError, RuntimeError) as error:
            failure = failure or error
    raise failure


def contents(added):
    """Added tokens are special, not normalized, and numbered from 256 on; what else differs is told. The places of
    boxes that PaliGemma adds after them stand in no case."""
    usual = {"special": True, "normalized": False, "lstrip": False, "rstrip": False, "single_word": False}
    out = []
    for number, entry in enumerate(e for e in added if not re.fullmatch("<(loc|seg)[0-9]+>", e["content"])):
        assert entry["id"] == 256 + number, entry
        differs = {k: v for k, v in entry.items() if k != "id" and usual.get(k) != v}
        out.append(entry["content"] if len(differs) == 1 else differs)
    return out


def record(name, row):
    processor = make(name, row)
    with tempfile.TemporaryDirectory() as folder:
        processor.save_pretrained(folder)
        processor = transformers.AutoProcessor.from_pretrained(folder)
        assert type(processor).__name__ == name, type(processor)
        read = {file: json.load(open(os.path.join(folder, file))) for file in (
            "processor_config.json", "tokenizer_config.json", "tokenizer.json")}
    filmed = any(case.get("videos") for case in row["cases"])
    config = {k: v for k, v in read["processor_config.json"].items() if filmed or k != "video_processor"}
    for part in ("image_processor", "feature_extractor", "audio_processor"):
        if part in config:
            config[part].pop("mel_filters", None)
    if "chat_template" in row:
        config["chat_template"] = row["chat_template"]
    normalizer = read["tokenizer.json"]["normalizer"]
    tokens = [entry["content"] for entry in read["tokenizer.json"]["added_tokens"]]
    seen = []
    original = PreTrainedTokenizerBase.__call__

    def spy(self, text=None, *arguments, **keywords):
        if isinstance(text, list):  # a single text is what BLIP-2 puts before all
            seen.append(list(text))
        return original(self, text, *arguments, **keywords)

    def replace_and_tell(*arguments):
        text, offsets = replace(*arguments)
        seen.append(list(text))
        return text, offsets

    cases = []
    PreTrainedTokenizerBase.__call__ = spy
    replace = processor.get_text_with_replacements
    if name == "FuyuProcessor":  # it tokenizes parts of texts
        processor.get_text_with_replacements = replace_and_tell
    try:
        for case in row["cases"]:
            arguments, made = call(processor, row, case, seen)
            out = {"arguments": arguments, "texts": case.get("texts") or [], "images": case.get("images", []),
                   **({"videos": case["videos"]} if "videos" in case else {}),
                   "sounds": case.get("sounds", []), "expanded": [
                       squeeze(text, tokens) for text in max(reversed(seen or [[]]), key=len)],  # Kosmos-2 measures one again
                   "outputs": {k: describe(v, k) for k, v in made.items()}}
            cases.append(out)
    finally:
        PreTrainedTokenizerBase.__call__ = original
    return {"class": name, "processor_config.json": config, "tokenizer_config.json": read["tokenizer_config.json"],
            "added_tokens": contents(read["tokenizer.json"]["added_tokens"]), **({"normalizer": normalizer} if normalizer else {}),
            "cases": cases}


def write(folder, name, document):
    with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


def main():
    folder, names = sys.argv[1], sys.argv[2:] or list(ROWS)
    base = json.loads(make_tokenizer({})._tokenizer.to_str())
    write(folder, "tokenizer", {**base, "added_tokens": []})
    for name in names:
        try:
            write(folder, name, record(name, ROWS[name]))
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
            if os.environ.get("TRACE"):
                raise


if __name__ == "__main__":
    main()
