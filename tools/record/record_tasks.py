"""Records what transformers' pipelines answer: tests/unit/tasks/data/expected.json, and the tiny models it is made with.

    python tools/record/record_tasks.py

Needs torch, transformers 5.23 and Pillow. question-answering, summarization and translation, which transformers 5 no
longer has, are computed here by the definition of transformers 4.57.
"""

import json
import pathlib
import wave

import numpy
import tokenizers
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "unit" / "tasks" / "data"
SHAPE = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=64)
WORDS = """[PAD] [UNK] [CLS] [SEP] [MASK] the cat dog sat on mat in a moon lives paris ann bob smith and went to park store is
who where this example about sports politics ##s ##ing ##ly un ##believ ##able . , ? ! ' item one two three""".split()
NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
ENTAILMENT = ["contradiction", "neutral", "entailment"]
TEXT = "Ann Smith lives in Paris, and Bob's unbelievable cats sat on the zebra!"
LONG = " ".join(f"{TEXT} Item {w} went to the {p}." for w, p in zip(["one", "two", "three"], ["store", "park", "moon"]))


def save(name, kind, **more):
    directory = DATA / name
    directory.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(len(name))
    model = kind(transformers.BertConfig(vocab_size=len(WORDS), **SHAPE, **more)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(12)
    model.save_pretrained(directory)
    (directory / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64}
    (directory / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def probabilities(logits, allowed):
    x = numpy.where(allowed, logits, numpy.float32(-10000))
    x = numpy.exp(x - x.max())
    return x / x.sum()


def answer(directory, question, context, top_k=1, max_answer_len=15, max_seq_len=64, doc_stride=None, align_to_words=True,
           handle_impossible_answer=False):
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(directory).eval()
    encoded = tokenizer(question, context, truncation="only_second", max_length=max_seq_len,
                        stride=doc_stride or min(max_seq_len // 2, 128), return_overflowing_tokens=True, return_offsets_mapping=True)
    answers, none = [], 1000000
    for window, ids in enumerate(encoded["input_ids"]):
        inside = numpy.array([s == 1 for s in encoded.sequence_ids(window)])
        inside[numpy.array(ids) == tokenizer.cls_token_id] = True
        with torch.no_grad():
            out = model(**{name: torch.tensor([encoded[name][window]]) for name in tokenizer.model_input_names})
        start = probabilities(out.start_logits[0].numpy(), inside)
        end = probabilities(out.end_logits[0].numpy(), inside)
        none = min(none, float(start[0] * end[0]))
        start[0] = end[0] = 0
        scores = numpy.tril(numpy.triu(start[:, None] * end[None]), max_answer_len - 1)
        for flat in numpy.argsort(-scores.flatten(), kind="stable")[: 2 * top_k + 10 if align_to_words else top_k]:
            first, last = numpy.unravel_index(flat, scores.shape)
            if not (inside[first] and inside[last]) or scores[first, last] == 0:
                continue
            if align_to_words:
                begin = encoded.word_to_chars(window, encoded.token_to_word(window, int(first)), sequence_index=1)[0]
                finish = encoded.word_to_chars(window, encoded.token_to_word(window, int(last)), sequence_index=1)[1]
            else:
                begin, finish = encoded["offset_mapping"][window][first][0], encoded["offset_mapping"][window][last][1]
            text = context[begin:finish]
            same = [a for a in answers if a["answer"].lower() == text.lower()]
            if same:
                same[0]["score"] += float(scores[first, last])
            else:
                answers.append({"score": float(scores[first, last]), "start": begin, "end": finish, "answer": text})
    if handle_impossible_answer:
        answers.append({"score": none, "start": 0, "end": 0, "answer": ""})
    answers = sorted(answers, key=lambda a: -a["score"])[:top_k]
    return answers[0] if top_k == 1 else answers


def save_text_to_text():
    """A T5 of words, with the settings of tasks that t5-small's config.json has."""
    directory = DATA / "text_to_text"
    words = ["<pad>", "</s>", "<unk>"] + [w for w in WORDS if w.isalpha()] + [".", ":", "summarize", "translate", "english", "german"]
    words = {word: i for i, word in enumerate(dict.fromkeys(words))}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    tokenizer.normalizer = tokenizers.normalizers.Lowercase()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
                                         model_max_length=64).save_pretrained(directory)
    torch.manual_seed(5)
    config = transformers.T5Config(vocab_size=len(words), d_model=16, d_kv=8, d_ff=24, num_layers=1, num_heads=2,
                                   relative_attention_num_buckets=8, decoder_start_token_id=0)
    model = transformers.T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(2)
    model.save_pretrained(directory)
    path = directory / "config.json"
    settings = json.loads(path.read_text())
    settings["task_specific_params"] = {
        "summarization": {"early_stopping": True, "length_penalty": 2.0, "max_length": 200, "min_length": 8,
                          "no_repeat_ngram_size": 3, "num_beams": 4, "prefix": "summarize : "},
        "translation_en_to_de": {"early_stopping": True, "max_length": 300, "num_beams": 3, "prefix": "translate english to german : "},
    }
    path.write_text(json.dumps(settings, indent=2) + "\n")


def text_to_text(directory, task, text, options):
    """Text2TextGenerationPipeline: its defaults, then the model's settings, the task's of config.json and the caller's."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(directory).eval()
    section = dict((model.config.task_specific_params or {}).get(task, {}))
    prefix = section.pop("prefix", "")
    chosen = {"max_new_tokens": 256, "num_beams": 4, **section, **options}
    if "max_length" in options:
        del chosen["max_new_tokens"]
    with torch.no_grad():
        out = model.generate(**tokenizer(prefix + text, return_tensors="pt"), **chosen)
    field = "summary_text" if task == "summarization" else "translation_text"
    return [{field: tokenizer.decode(row, skip_special_tokens=True)} for row in out]


def run(case):
    directory = ROOT / case["model"]
    options = case.get("options", {})
    if case["task"].startswith(("summarization", "translation")):
        return text_to_text(directory, case["task"], case["text"], options)
    if case["task"] == "question-answering":
        return answer(directory, case["text"], case["pair"], **options)
    call = transformers.pipeline(case["task"], str(directory))
    given = str(ROOT / case["path"]) if "path" in case else case["text"]
    if given.endswith(".wav"):
        with wave.open(given) as sound:
            samples = numpy.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(numpy.float32) / 32768
            given = {"raw": samples, "sampling_rate": sound.getframerate()}
    if "pair" in case:
        given = {"text": given, "text_pair": case["pair"]}
    result = call(given, **options)
    return [result] if isinstance(result, dict) and case["task"] == "text-classification" else result


def cases():
    here = "tests/unit/tasks/data/"
    yield {"model": here + "masked", "task": "fill-mask", "text": "The [MASK] sat on the mat."}
    yield {"model": here + "masked", "task": "fill-mask", "text": "The [MASK] [MASK] sat.", "options": {"top_k": 2}}
    yield {"model": here + "masked", "task": "fill-mask", "text": "A [MASK].", "options": {"targets": ["cat", "dogs", "on"]}}
    yield {"model": here + "masked", "task": "feature-extraction", "text": "The cat."}
    for strategy in ["none", "simple", "first", "average", "max"]:
        yield {"model": here + "names", "task": "token-classification", "text": TEXT, "options": {"aggregation_strategy": strategy}}
    yield {"model": here + "names", "task": "token-classification", "text": TEXT,
           "options": {"aggregation_strategy": "simple", "ignore_labels": []}}
    yield {"model": here + "entailment", "task": "text-classification", "text": TEXT, "options": {"top_k": 3}}
    yield {"model": here + "entailment", "task": "text-classification", "text": TEXT, "pair": "A cat.",
           "options": {"top_k": 2, "function_to_apply": "sigmoid"}}
    yield {"model": here + "entailment", "task": "zero-shot-classification", "text": TEXT,
           "options": {"candidate_labels": "sports, politics,cat"}}
    yield {"model": here + "entailment", "task": "zero-shot-classification", "text": TEXT,
           "options": {"candidate_labels": ["sports", "politics"], "multi_label": True, "hypothesis_template": "About {}!"}}
    yield {"model": here + "answers", "task": "question-answering", "text": "Who lives in Paris?", "pair": TEXT}
    yield {"model": here + "answers", "task": "question-answering", "text": "Who lives in Paris?", "pair": LONG,
           "options": {"top_k": 3, "max_seq_len": 32, "max_answer_len": 6}}
    yield {"model": "examples/models/tiny-llama-text", "task": "text-generation", "text": "Once upon a time",
           "options": {"max_new_tokens": 8, "do_sample": False}}
    for options in [{}, {"num_return_sequences": 3}, {"num_beams": 1, "min_length": 0}, {"max_length": 12, "num_beams": 2},
                    {"repetition_penalty": 1.5, "early_stopping": "never", "length_penalty": -1.0, "max_new_tokens": 9}]:
        yield {"model": here + "text_to_text", "task": "summarization", "text": TEXT, "options": options}
        yield {"model": here + "text_to_text", "task": "translation_en_to_de", "text": "The cat lives in Paris .", "options": options}
    yield {"model": here + "text_to_text", "task": "translation", "text": "The cat lives in Paris ."}
    yield {"model": "examples/models/tiny-llama-text", "task": "text-generation", "text": "It is a truth",
           "options": {"max_new_tokens": 12, "do_sample": False, "num_beams": 4, "num_return_sequences": 3, "length_penalty": 0.5}}
    yield {"model": "examples/models/digits-vit", "task": "image-classification", "path": "examples/data/digits/digit-3.png"}
    yield {"model": "examples/models/digits-vit", "task": "image-classification", "path": "examples/data/digits/digit-7.png",
           "options": {"top_k": 2}}
    yield {"model": "examples/models/spoken-words-wav2vec2", "task": "automatic-speech-recognition", "path": "examples/data/speech/yes.wav"}


def main():
    save("masked", transformers.BertForMaskedLM)
    save("names", transformers.BertForTokenClassification, id2label=dict(enumerate(NAMES)), label2id={n: i for i, n in enumerate(NAMES)})
    save("entailment", transformers.BertForSequenceClassification, id2label=dict(enumerate(ENTAILMENT)),
         label2id={n: i for i, n in enumerate(ENTAILMENT)})
    save("answers", transformers.BertForQuestionAnswering)
    save_text_to_text()
    recorded = [{**case, "answer": run(case)} for case in cases()]
    (DATA / "expected.json").write_text(json.dumps(recorded, indent=1, default=float, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
