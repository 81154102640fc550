"""Records what transformers' generate writes: tests/unit/runtime/data/{generation,states,processors}.json.

    python tools/record/record_generation.py

Needs torch and transformers 5.23. generation.json: golden cases of tests/golden/data generate from prompts with many
settings; ids are kept where float32 and float64 agree. states.json: the same of models whose state is not keys and
values, or not only, with the settings that reorder it. generation.json also holds texts of examples/models/tiny-llama-text with stop
strings. processors.json: scores before and after the logits processors of generate.
"""

import copy
import json
import pathlib
import random
import sys
import warnings

import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "golden"))

import case as golden  # noqa: E402
import reference  # noqa: E402

DATA = ROOT / "tests" / "unit" / "runtime" / "data"
LLAMA = "examples/models/tiny-llama-text"
MODELS = [
    ("gpt2", "GPT2LMHeadModel"),
    ("llama", "LlamaForCausalLM"),
    ("bloom", "BloomForCausalLM"),
    ("t5", "T5ForConditionalGeneration+gated"),
    ("t5", "T5ForConditionalGeneration"),
    ("bart", "BartForConditionalGeneration"),
    ("whisper", "WhisperForConditionalGeneration"),
]
# Classes made of others, with the inputs of their cases; input_ids, whose rows are the texts, come last.
WRAPPERS = [
    ("encoder-decoder", "EncoderDecoderModel", ["attention_mask", "input_ids"]),
    ("rag", "RagTokenForGeneration", ["attention_mask", "context_input_ids", "context_attention_mask", "doc_scores", "input_ids"]),
]
RECURRENT = [
    ("mamba", "MambaForCausalLM"),
    ("mamba2", "Mamba2ForCausalLM"),
    ("falcon_mamba", "FalconMambaForCausalLM"),
    ("recurrent_gemma", "RecurrentGemmaForCausalLM"),
    ("jamba", "JambaForCausalLM"),
    ("lfm2", "Lfm2ForCausalLM"),
    ("qwen3_next", "Qwen3NextForCausalLM"),
    ("falcon_h1", "FalconH1ForCausalLM"),
    ("zamba2", "Zamba2ForCausalLM"),
]
STAYING = {"RecurrentGemmaForCausalLM"}  # has a state that does not follow the beams: runs without
NEW_TOKENS = 10


def settings(rng, eos, vocab):
    """Combinations of settings; eos: tokens that the model likes to write, so that some texts end early."""
    few = {"eos_token_id": eos[:1], "max_new_tokens": NEW_TOKENS}
    many = {"eos_token_id": eos, "max_new_tokens": NEW_TOKENS}
    yield few
    yield many
    for beams in range(2, 6):
        yield {**few, "num_beams": beams}
        yield {**many, "num_beams": beams, "num_return_sequences": beams}
    for stopping in [False, True, "never"]:
        for penalty in [-1.5, 0.0, 0.5, 2.0]:
            yield {**many, "num_beams": 3, "num_return_sequences": 2, "early_stopping": stopping, "length_penalty": penalty}
    yield {"max_new_tokens": NEW_TOKENS, "num_beams": 3, "num_return_sequences": 3}
    beams = {**many, "num_beams": 3, "num_return_sequences": 2}
    for more in [
        {"repetition_penalty": 1.7},
        {"repetition_penalty": 0.6},
        {"encoder_repetition_penalty": 1.5},
        {"no_repeat_ngram_size": 2},
        {"no_repeat_ngram_size": 1},
        {"encoder_no_repeat_ngram_size": 2},
        {"encoder_no_repeat_ngram_size": 1},
        {"min_new_tokens": 5},
        {"min_length": 6},
        {"suppress_tokens": eos[:2]},
        {"begin_suppress_tokens": eos},
        {"forced_bos_token_id": eos[-1], "begin_suppress_tokens": [eos[-1], 5]},
        {"forced_eos_token_id": eos[0]},
        {"forced_eos_token_id": eos},
        {"bad_words_ids": [[eos[1]], [eos[2], eos[3]], [7, 8, 9]]},
        {"sequence_bias": [[[eos[1]], 1.5], [[eos[2], eos[3]], -4.0], [[9], 2.0]]},
        {"exponential_decay_length_penalty": [2, 1.3]},
        {"renormalize_logits": True, "no_repeat_ngram_size": 1},
        {"remove_invalid_values": True, "suppress_tokens": eos[2:]},
        {"no_repeat_ngram_size": 2, "min_new_tokens": 4, "forced_eos_token_id": eos[0], "early_stopping": True, "length_penalty": 2.0},
    ]:
        yield {**many, **more}
        if more.get("forced_eos_token_id") != eos:  # equal scores: any order is right
            yield {**beams, **more}
    for _ in range(4):
        tokens = [[rng.randrange(3, vocab) for _ in range(rng.randint(1, 2))] for _ in range(6)]
        yield {**beams, "num_beams": rng.randint(2, 5), "bad_words_ids": tokens, "repetition_penalty": 1.0 + rng.random(),
               "length_penalty": rng.choice([0.3, 1.0, 3.0]), "early_stopping": rng.choice([True, False, "never"])}


def state_settings(_rng, eos, _vocab):
    """Searches whose beams change places often."""
    yield {"eos_token_id": eos[:1], "max_new_tokens": NEW_TOKENS}
    yield {"max_new_tokens": NEW_TOKENS, "num_beams": 3, "num_return_sequences": 3}
    beams = {"eos_token_id": eos, "max_new_tokens": NEW_TOKENS, "num_beams": 4, "num_return_sequences": 2}
    for more in [{"length_penalty": 2.0}, {"no_repeat_ngram_size": 1, "early_stopping": True}, {"repetition_penalty": 1.7}]:
        yield {**beams, **more}


def prompts(rng, case, model):
    """Inputs of generate by name, without and with padding."""
    if model.main_input_name == "input_features":
        yield {"input_features": "case"}
        return
    vocab = case.data["config"]["vocab_size"]
    for batch, length, padded in [(2, 5, False), (3, 6, True), (1, 1, False)]:
        ids = [[rng.randrange(4, vocab) for _ in range(length)] for _ in range(batch)]
        mask = [[1] * length for _ in range(batch)]
        for row in range(1, batch if padded else 1):
            mask[row] = [0] * row + [1] * (length - row)
            if model.config.is_encoder_decoder:
                mask[row].reverse()
        yield {"input_ids": ids, "attention_mask": mask}


def run(model, given, options, double):
    config = transformers.GenerationConfig(**{"pad_token_id": 0, **options}, return_dict_in_generate=True, output_scores=True)
    config.use_cache = type(model).__name__ not in STAYING
    model.generation_config = transformers.GenerationConfig()
    with reference.precision(double), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = reference.loop(model)(model, **given, generation_config=config)
    start = 1 if model.config.is_encoder_decoder else given["input_ids"].shape[1]
    scores = out.sequences_scores.tolist() if config.num_beams and config.num_beams > 1 else None
    return [cut(row, options) for row in out.sequences[:, start:].tolist()], scores


def cut(row, options):
    """New tokens up to the one that ends the text; what follows is padding."""
    stops = [i for i, token in enumerate(row) if token in options.get("eos_token_id", [])]
    return row[: stops[0] + 1] if stops else row


def tensors(case, inputs, double):
    given = reference.arguments(case, double)
    return {name: given[name] if value == "case" else torch.tensor(value) for name, value in inputs.items()}


def favourites(model, given, start):
    """Tokens that the model writes by itself, latest first."""
    with torch.no_grad():
        out, _ = run(model, given, {"max_new_tokens": 6, "num_beams": 3, "num_return_sequences": 3, **start}, False)
    found = [token for column in zip(*out) for token in column]
    return list(dict.fromkeys(reversed([t for t in found if t > 3])))[:4]


def record_case(file, name, settings=settings):
    case = golden.find(ROOT / "tests" / "golden" / "data" / f"{file}.json", name)
    rng = random.Random(name)
    narrow, wide = reference.load(case), reference.load(case, True)
    start = {"decoder_start_token_id": case.data["generate"]["start"][0]} if narrow.config.is_encoder_decoder else {}
    for inputs in prompts(rng, case, narrow):
        eos = favourites(narrow, tensors(case, inputs, False), start)
        while len(eos) < 4:
            eos.append(rng.randrange(4, case.data["config"]["vocab_size"]))
        runs = []
        for options in settings(rng, eos, case.data["config"]["vocab_size"]):
            if "input_features" in inputs and any(key.startswith("encoder_") for key in options):
                continue
            options = {**options, **start}
            ids, scores = run(narrow, tensors(case, inputs, False), copy.deepcopy(options), False)
            check, exact = run(wide, tensors(case, inputs, True), copy.deepcopy(options), True)
            if ids == check:
                runs.append({"options": options, "ids": ids, **({"scores": [round(s, 5) for s in exact]} if exact else {})})
        yield {"file": file, "case": name, "inputs": inputs, "runs": thinned(runs)}


def record_wrapper(file, name, inputs):
    case = golden.find(ROOT / "tests" / "golden" / "data" / f"{file}.json", name)
    narrow, wide = reference.load(case), reference.load(case, True)
    given = {entry: "case" for entry in inputs}
    base = {"decoder_start_token_id": case.data["generate"]["start"][0], "max_length": 12}
    eos = favourites(narrow, tensors(case, given, False), base)
    runs = []
    for options in [{}, {"num_beams": 2}, {"num_beams": 3, "num_return_sequences": 2},
                    {"num_beams": 4, "num_return_sequences": 4, "eos_token_id": eos, "length_penalty": 0.5}]:
        options = {**options, **base}
        ids, _ = run(narrow, tensors(case, given, False), options, False)
        check, scores = run(wide, tensors(case, given, True), options, True)
        if ids == check:
            runs.append({"options": options, "ids": ids, **({"scores": [round(s, 5) for s in scores]} if scores else {})})
    return {"file": file, "case": name, "inputs": given, "runs": runs}


def thinned(runs):
    """All of the first kinds, and every second of the rest, to keep the file small."""
    return [run for i, run in enumerate(runs) if i < 12 or i % 2 == 0]


def record_texts():
    model = transformers.AutoModelForCausalLM.from_pretrained(ROOT / LLAMA, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(ROOT / LLAMA)
    for prompt in ["Once upon a time", "It is a truth"]:
        for options in [
            {"stop_strings": ["she"]},
            {"stop_strings": ["could not", "upon"], "num_beams": 3},
            {"stop_strings": ["she", "the"], "num_beams": 4, "num_return_sequences": 2, "length_penalty": 2.0},
            {"stop_strings": "e", "num_beams": 2, "early_stopping": True, "num_return_sequences": 2},
            {"num_beams": 5, "no_repeat_ngram_size": 2, "num_return_sequences": 5, "early_stopping": "never"},
        ]:
            options = {**options, "max_new_tokens": 16, "do_sample": False}
            encoded = tokenizer(prompt, return_tensors="pt")
            with torch.no_grad():
                out = model.generate(**encoded, **options, tokenizer=tokenizer)
            ids = out[:, encoded["input_ids"].shape[1] :].tolist()
            pad = model.generation_config.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
            yield {"prompt": prompt, "options": options, "ids": [unpadded(row, pad) for row in ids]}


def unpadded(row, pad):
    while row and row[-1] == pad:
        row = row[:-1]
    return row


def processor_settings(rng):
    eos = {"eos_token_id": [2, 5]}
    for value in [1.3, 0.7]:
        yield {"repetition_penalty": value}
        yield {"encoder_repetition_penalty": value}
        yield {"do_sample": True, "top_k": 0, "temperature": value}
    for n in [1, 2, 3]:
        yield {"no_repeat_ngram_size": n}
        yield {"encoder_no_repeat_ngram_size": n}
    yield {"bad_words_ids": [[3], [5], [1, 4], [9, 1, 4, 7], [1, 6]], **eos}
    yield {"sequence_bias": [[[3], 1.25], [[1, 4], -2.5], [[4, 8], 0.75], [[9, 1, 4, 7], -1.0], [[4, 7], -0.5]]}
    for n in [3, 20]:
        yield {"min_length": n, **eos}
        yield {"min_new_tokens": n, **eos}
    yield {"forced_bos_token_id": 6}
    yield {"forced_eos_token_id": 6, "max_new_tokens": 3}
    yield {"forced_eos_token_id": [6, 7], "max_new_tokens": 3}
    yield {"exponential_decay_length_penalty": [1, 1.4], **eos}
    yield {"suppress_tokens": [1, 2, 3]}
    yield {"begin_suppress_tokens": [1, 2, 3]}
    yield {"renormalize_logits": True}
    yield {"remove_invalid_values": True, "forced_bos_token_id": 3}
    for beams in [1, 3]:
        base = {"do_sample": True, "top_k": 0, "num_beams": beams, **eos}
        for name, values in {"top_k": [1, 2, 7, 500], "top_p": [0.05, 0.4, 0.9], "min_p": [0.05, 0.3, 0.9], "top_h": [0.2, 0.6, 0.97],
                             "typical_p": [0.1, 0.5, 0.95], "epsilon_cutoff": [0.02, 0.1, 0.9], "eta_cutoff": [0.02, 0.2, 0.9]}.items():
            for value in values:
                yield {**base, name: value}
        yield {**base, "temperature": 0.6, "top_k": 12, "top_p": 0.8, "typical_p": 0.9, "renormalize_logits": True}
        yield {**base, "suppress_tokens": [0, 1, 2, 3, 4, 5, 6, 7], "temperature": 1.5, "top_p": 0.7, "min_p": 0.1}


def record_processors():
    rng = random.Random("processors")
    model = reference.load(golden.find(ROOT / "tests" / "golden" / "data" / "gpt2.json", "GPT2LMHeadModel"))
    for options in processor_settings(rng):
        for ids, prompt in [([4, 1, 4, 9, 1, 4], 4), ([7], 1), ([2, 9, 1, 4, 7, 9, 1, 4], 3)]:
            config = transformers.GenerationConfig(**options)
            config.update(**config._get_default_generation_params(), defaults_only=True)
            if config.max_new_tokens:
                config.max_length = prompt + config.max_new_tokens
            if config.min_new_tokens:
                config.min_length = prompt + config.min_new_tokens
            eos = options.get("eos_token_id")
            config._eos_token_tensor = torch.tensor(eos) if eos else None
            logits = [round(rng.gauss(0, 2), 2) for _ in range(16)]
            source = torch.tensor([ids[:prompt]])
            processors = model._get_logits_processor(config, prompt, source, device="cpu", model_kwargs={})
            after = processors(torch.tensor([ids]), torch.tensor([logits]))[0].tolist()
            yield {"options": options, "ids": ids, "prompt": prompt, "logits": logits,
                   "scores": [None if score == float("-inf") else float(f"{score:.7g}") for score in after]}


def write(name, document):
    lines = [f'"{key}": [\n' + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]" for key, rows in document.items()]
    (DATA / name).write_text("{" + ",\n".join(lines) + "}\n")


def main():
    DATA.mkdir(parents=True, exist_ok=True)
    transformers.logging.set_verbosity_error()
    write("processors.json", {"processors": list(record_processors())})
    write("generation.json", {"cases": [row for model in MODELS for row in record_case(*model)] + [record_wrapper(*model) for model in WRAPPERS], "texts": list(record_texts())})
    write("states.json", {"cases": [row for model in RECURRENT for row in record_case(*model, state_settings)]})


if __name__ == "__main__":
    main()
