#!/usr/bin/env python3
"""Records what transformers' pipelines make of what a model said, without a model: logits are seeded numbers.

Usage: tools/record/record_pipeline_answers.py [--seed NAME] [--count N] [--families NAMES] [--tokenizers FOLDER] [--out FOLDER]
Writes NAME.jsonl files for `anymodel verify-text`, by default into tests/unit/text/data/pipelines with tokenizers of
tests/unit/text/data/tokenizers; other names of a seed give other cases, N of them for each kind. Needs torch,
transformers.
"""

import argparse
import json
import os
import random
import types

import numpy as np
import torch
import transformers
from transformers import AutoTokenizer
from transformers.models.whisper.english_normalizer import BasicTextNormalizer, EnglishTextNormalizer
from transformers.pipelines import document_question_answering as spans
from transformers.pipelines.text_classification import ClassificationFunction
from transformers.pipelines.text_generation import Chat, ReturnType
from transformers.pipelines.token_classification import AggregationStrategy

from pipeline_models import numbers as seeded

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(ROOT, "tests", "unit", "text", "data")
FAMILIES = ["bert_uncased", "roberta", "xlm_roberta", "deberta_v2", "albert", "t5", "gpt2", "llama", "electra", "bart"]
SLOW = ["bert_legacy", "bertweet", "siglip", "ctrl", "esm", "gpt_sw3", "prophetnet", "blenderbot_small"]
MASKED = ["bert_uncased", "roberta", "xlm_roberta", "deberta_v2", "albert", "electra", "bart"]
TEXTS = ["Ann Smith lives in Paris.", "internationalization of Tokyo-based Müller & Co", "北京 and Ann", "a  b", " lead and trail ",
         "U.S.A., O'Neil's 3rd café!\n", "x", "…☃ snow 😀 man", "Dr. Who?  No\tone", "Straße и Москва"]
WORDS = ("ann smith lives in paris the quick brown fox can't stop 12 1,000 unbelievable re-use café 北京 😀 i'm o'clock x "
         "antidisestablishmentarianism ☃ naïve straße — ... \"quoted\" (round) U.N. a").split()
SPOKEN = ("one two three four five six seven eight nine ten eleven twelve thirteen nineteen twenty thirty ninety hundred thousand "
          "million billion trillion and a half point oh o zero double triple minus negative plus positive pound pounds dollars "
          "euros cent cents percent per first second third fifth eighth nineth twelfth twentieth thirties sixes ones hundreds "
          "thousandth millions $5 £3.50 ¢7 2.5 007 1,000 50% 3rd 20 1st 1s mr. mrs dr. st won't can't ain't he's it'd been "
          "'d gone hmm um uh colour centre organise the cat, dog. [noise] (laughs) <unk> naïve façade œuvre straße ٣ ٣٫٥ 5.0 .5 $0.50 "
          "$2 ¢05 ½ x² 1960s decillion 12345678901234567890 don't we're y'all gonna i'ma 's 't é — + = twenty-one 10:30").split()


class Recorder:
    def __init__(self, options):
        self.seed, self.out, self.root = options.seed, options.out, options.tokenizers
        self.random = random.Random(options.seed)
        self.count = options.count
        self.made = 0
        self.families = options.families.split(",")
        self.tokenizers = {}

    def tokenizer(self, name):
        if name not in self.tokenizers:
            self.tokenizers[name] = AutoTokenizer.from_pretrained(os.path.join(self.root, name))
        return self.tokenizers[name]

    def numbers(self, *shape, high=4.0):
        self.made += 1
        recipe = {"prng": f"{self.seed}.{self.made}", "shape": list(shape), "lo": -high, "hi": high}
        return recipe, torch.from_numpy(seeded(recipe["prng"], shape, -high, high))

    def text(self):
        if self.random.random() < 0.3:
            return self.random.choice(TEXTS)
        return " ".join(self.random.choices(WORDS, k=self.random.randint(1, 9)))

    def pick(self, *values):
        return self.random.choice(values)

    def write(self, name, lines):
        os.makedirs(self.out, exist_ok=True)
        path = os.path.join(self.out, name + ".jsonl")
        with open(path, "w", encoding="utf-8") as file:
            for line in lines:
                file.write(json.dumps(shorten(line), separators=(",", ":"), ensure_ascii=False) + "\n")
        print(f"{name}: {len(lines)} lines, {os.path.getsize(path)} bytes")


def shorten(value):
    if isinstance(value, dict):
        return {key: shorten(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [shorten(part) for part in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.9g}")
    return int(value) if isinstance(value, np.integer) else value


def pipeline(kind, config=None, tokenizer=None):
    made = object.__new__(kind)
    made.model = types.SimpleNamespace(config=config, base_model_prefix="model")
    made.tokenizer = tokenizer
    return made


def config_of(labels, problem_type=None):
    return transformers.PretrainedConfig(id2label=dict(enumerate(labels)), label2id={name: i for i, name in enumerate(labels)},
                                         problem_type=problem_type)


# --- classes ---


def text_options(r, labels):
    options = {}
    if r.random.random() < 0.5:
        options["function_to_apply"] = r.pick("sigmoid", "softmax", "none")
    if r.random.random() < 0.6:
        options["top_k"] = r.pick(None, 1, 2, labels + 2)
    given = dict(options)
    if "function_to_apply" in options:
        given["function_to_apply"] = ClassificationFunction[options["function_to_apply"].upper()]
    if "top_k" in options:
        given["_legacy"] = False
    return options, given


def media_options(r, labels, by_name):
    options = {"top_k": r.random.randint(1, labels)}
    if r.random.random() < 0.5:
        options["function_to_apply"] = r.pick("sigmoid", "softmax", "none")
    given = dict(options)
    if "function_to_apply" in options and not by_name:
        given["function_to_apply"] = transformers.pipelines.image_classification.ClassificationFunction(options["function_to_apply"])
    return options, given


def record_classes(r):
    kinds = {"text-classification": transformers.TextClassificationPipeline, "image-classification": transformers.ImageClassificationPipeline,
             "audio-classification": transformers.AudioClassificationPipeline, "video-classification": transformers.VideoClassificationPipeline}
    lines = []
    for i in range(r.count):
        task = list(kinds)[i % 4]
        labels = [f"L{k}" for k in range(r.pick(1, 2, 3, 7))]
        problem = r.pick(None, "regression", "single_label_classification" if len(labels) > 1 else None, "multi_label_classification")
        is_text = task.startswith("text")
        options, given = text_options(r, len(labels)) if is_text else media_options(r, len(labels), not task.startswith("image"))
        recipe, logits = r.numbers(1, len(labels))
        outputs = transformers.modeling_outputs.SequenceClassifierOutput(logits=logits)
        answer = pipeline(kinds[task], config_of(labels, problem)).postprocess(outputs, **given)
        lines.append({"task": task, "labels": labels, "problem_type": problem, "kwargs": options, "logits": recipe, "output": answer})
    r.write("classes", lines)


def record_given_labels(r):
    lines = []
    for i in range(r.count):
        candidates = r.random.sample(["sports", "politics", "science", "food", "été"], r.random.randint(1, 5))
        if i % 2:
            task, model_type = r.pick(("image", "clip"), ("image", "siglip2"), ("audio", "clap"))
            kind = transformers.ZeroShotImageClassificationPipeline if task == "image" else transformers.ZeroShotAudioClassificationPipeline
            recipe, logits = r.numbers(1, len(candidates))
            answer = pipeline(kind, types.SimpleNamespace(model_type=model_type)).postprocess({"candidate_labels": candidates, "logits": logits})
            lines.append({"task": f"zero-shot-{task}-classification", "model_type": model_type, "candidates": candidates,
                          "logits": recipe, "output": answer})
            continue
        labels = r.pick(["contradiction", "neutral", "entailment"], ["Entailment", "no"], ["a", "b", "c"], ["not_entailment", "entailment"])
        options = r.pick({}, {"multi_label": True}, {"multi_label": False})
        recipe, logits = r.numbers(len(candidates), len(labels))
        outputs = [{"candidate_label": c, "sequence": "A text.", "logits": logits[k : k + 1]} for k, c in enumerate(candidates)]
        made = pipeline(transformers.ZeroShotClassificationPipeline, config_of(labels))
        lines.append({"task": "zero-shot-classification", "labels": labels, "candidates": candidates, "kwargs": options,
                      "logits": recipe, "output": made.postprocess(outputs, **options)})
    r.write("given_labels", lines)


# --- tokens ---


def record_tokens(r):
    labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC", "I-A-B"]
    lines = []
    for i in range(r.count):
        slow = r.random.random() < 0.15
        name = "python/" + r.pick(*SLOW) if slow else "families/" + r.families[i % len(r.families)]
        tokenizer = r.tokenizer(name)
        made = pipeline(transformers.TokenClassificationPipeline, config_of(labels), tokenizer)
        options = {"aggregation_strategy": r.pick("none", "simple", *([] if slow else ["first", "average", "max"]))}
        if r.random.random() < 0.6:
            options["ignore_labels"] = r.pick([], ["O", "PER"], ["MISC", "B-PER"], None)
        text, params, length, words = r.text(), {"is_split_into_words": False}, None, not slow and r.random.random() < 0.2
        tokenizer.model_max_length = 10**30
        if words:
            text = text.split()
            options.update(is_split_into_words=True, delimiter=r.pick(" ", "", "—"))
            params = {"is_split_into_words": True, "delimiter": options["delimiter"]}
        elif slow:
            pass
        elif r.random.random() < 0.25 and options["aggregation_strategy"] != "none":
            options["stride"] = r.pick(0, 1, 2)
            tokenizer.model_max_length = length = r.pick(7, 9, 12)
            params["tokenizer_params"] = {"return_overflowing_tokens": True, "padding": True, "stride": options["stride"]}
        if tokenizer.pad_token is None or not text:
            params.get("tokenizer_params", {}).pop("padding", None)
        if words and tokenizer.__class__.__name__ in ("RobertaTokenizer", "GPT2Tokenizer", "BartTokenizer") or not text:
            continue
        try:
            windows = list(made.preprocess(text, **params))
        except ValueError:  # windows of several lengths without a pad token
            continue
        recipes, outputs = [], []
        for window in windows:
            recipe, logits = r.numbers(1, window["input_ids"].shape[1], len(labels))
            recipes.append(recipe)
            outputs.append({"logits": logits, "offset_mapping": None, **window})
        answer = made.postprocess(outputs, AggregationStrategy(options["aggregation_strategy"]), options.get("ignore_labels"))
        line = {"task": "token-classification", "tokenizer": name, "labels": labels, "text": text, "kwargs": options}
        if length:
            line["max_length"] = length
        lines.append({**line, "logits": recipes if length else recipes[0], "output": answer})
    r.write("tokens", lines)


def record_masks(r):
    lines = []
    for i in range(r.count):
        name = "families/" + MASKED[i % len(MASKED)]
        tokenizer = r.tokenizer(name)
        tokenizer.model_max_length = 10**30
        made = pipeline(transformers.FillMaskPipeline, None, tokenizer)
        parts = r.text().split()
        for _ in range(r.pick(1, 1, 2)):
            parts.insert(r.random.randint(0, len(parts)), tokenizer.mask_token)
        options = r.pick({}, {"top_k": 2}, {"top_k": 7}, {"targets": ["the", "Hello", "a"]}, {"targets": "▁the", "top_k": 1})
        ids = tokenizer(" ".join(parts), return_tensors="pt")["input_ids"]
        recipe, logits = r.numbers(1, ids.shape[1], len(tokenizer), high=6.0)
        given = {key: value for key, value in options.items() if key != "targets"}
        if "targets" in options:
            given["target_ids"] = made.get_target_ids(options["targets"])
        answer = made.postprocess({"input_ids": ids, "logits": logits}, **given)
        lines.append({"task": "fill-mask", "tokenizer": name, "text": " ".join(parts), "kwargs": options, "logits": recipe, "output": answer})
    r.write("masks", lines)


def record_spans(r):
    lines = []
    for _ in range(r.count):
        length = r.random.randint(8, 40)
        allowed = [0] + [r.pick(0, 1, 1) for _ in range(length - 2)] + [0]
        attention = [1] * (length - 2) + [r.pick(0, 1), r.pick(0, 1)]
        options = {"top_k": r.pick(1, 2, 3), "max_answer_len": r.pick(1, 3, 15), "handle_impossible_answer": r.pick(True, False)}
        if sum(allowed) < 3:
            continue
        start, starts = r.numbers(1, length)
        end, ends = r.numbers(1, length)
        mask = [[1 - a for a in allowed]]
        found = spans.select_starts_ends(starts.numpy(), ends.numpy(), np.array(mask), np.array([attention]), **options)
        fields = {key: array_of(values) for key, values in zip(("starts", "ends", "scores"), found)}
        lines.append({"task": "span-selection", "start": start, "end": end, "p_mask": mask, "attention_mask": [attention],
                      "kwargs": options, "output": {**fields, "min_null_score": found[3]}})
    r.write("spans", lines)


def array_of(values):
    numbers = np.asarray(values, dtype=np.float64)
    return {"dtype": str(values.dtype), "shape": list(values.shape), "mean": numbers.mean(), "rms": np.sqrt((numbers**2).mean()),
            "full": values.tolist()}


# --- text ---


def record_generated(r):
    lines = []
    for i in range(r.count):
        name = "families/" + ["gpt2", "llama", "qwen2", "bert_uncased", "t5", "bart"][i % 6]
        tokenizer = r.tokenizer(name)
        made = pipeline(transformers.TextGenerationPipeline, None, tokenizer)
        options = {"return_type": r.pick("NEW_TEXT", "FULL_TEXT", "TENSORS"), "clean_up_tokenization_spaces": r.pick(None, True, False)}
        if r.random.random() < 0.4:
            options["skip_special_tokens"] = r.pick(True, False)
        prompt, line = r.text(), {"task": "text-generation", "tokenizer": name}
        if r.random.random() < 0.3:
            messages = [{"role": "user", "content": prompt}] + [{"role": "assistant", "content": "Sure"}] * r.pick(0, 1)
            if r.random.random() < 0.5:
                options["continue_final_message"] = r.pick(True, False)
            prompt, line["messages"], line["prompt_length"] = Chat(messages), messages, r.random.randint(1, 4)
            ids = [5 + k for k in range(line["prompt_length"])]
        else:
            line["prompt"] = prompt
            ids = tokenizer(prompt)["input_ids"]
        new = tokenizer(r.text() + " . it 's n't", add_special_tokens=False)["input_ids"] + r.pick([], [tokenizer.all_special_ids[0]])
        given = {**options, "return_type": ReturnType[options["return_type"]]}
        outputs = {"generated_sequence": torch.tensor([[ids + new]]), "input_ids": torch.tensor([ids]), "prompt_text": prompt}
        lines.append({**line, "sequence": ids + new, "kwargs": options, "output": made.postprocess(outputs, **given)})
    r.write("generated", lines)


def whisper_decodings(tokenizer, ids):
    return {"plain": tokenizer.decode(ids), "skip": tokenizer.decode(ids, skip_special_tokens=True),
            "with_timestamps": tokenizer.decode(ids, decode_with_timestamps=True), "offsets": tokenizer.decode(ids, output_offsets=True),
            "normalize": tokenizer.decode(ids, skip_special_tokens=True, normalize=True),
            "basic_normalize": tokenizer.decode(ids, skip_special_tokens=True, basic_normalize=True)}


def record_whisper(r):
    name = "families/whisper"
    tokenizer = r.tokenizer(name)
    begin = tokenizer.all_special_ids[-1] + 1
    english = EnglishTextNormalizer(tokenizer.english_spelling_normalizer)
    basic, plain = BasicTextNormalizer(), BasicTextNormalizer(remove_diacritics=True)
    lines = []
    for i in range(r.count):
        spoken = " ".join(r.random.choices(SPOKEN, k=r.random.randint(1, 12)))
        if i % 2:
            ids = tokenizer.convert_tokens_to_ids(r.pick([], ["<|startofprev|>", "a"])) + [tokenizer.convert_tokens_to_ids("<|startoftranscript|>")]
            for _ in range(r.random.randint(1, 5)):
                ids += r.pick([], [begin + r.random.randint(0, 90)], [begin + 100, begin + r.random.randint(0, 100)])
                ids += tokenizer(r.text(), add_special_tokens=False)["input_ids"][:6]
            ids += r.pick([], [begin + 110], [tokenizer.eos_token_id])
            lines.append({"task": "whisper-tokenizer-decode", "tokenizer": name, "ids": ids, "output": whisper_decodings(tokenizer, ids)})
        else:
            lines.append({"task": "whisper-normalize", "tokenizer": name, "text": spoken, "output": {
                "normalize": english(spoken), "basic": basic(spoken), "basic_no_diacritics": plain(spoken)}})
    r.write("whisper_text", lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", default="answers")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--families", default=",".join(FAMILIES), help="tokenizers/families of token-classification")
    parser.add_argument("--tokenizers", default=os.path.join(DATA, "tokenizers"))
    parser.add_argument("--out", default=os.path.join(DATA, "pipelines"))
    recorder = Recorder(parser.parse_args())
    for record in (record_classes, record_given_labels, record_tokens, record_masks, record_spans, record_generated, record_whisper):
        record(recorder)


if __name__ == "__main__":
    main()
