"""Records what transformers' pipelines answer with tiny models of many types: tests/unit/tasks/data/pipelines.json.

    python tools/record/record_pipelines.py [TASK...]

With tasks only their cases are recorded, and the others kept.

Needs torch, transformers 5.23, Pillow, pandas, num2words, sentence-transformers, soundfile, soxr and av.
What transformers 5 no longer has is computed here by the definition of transformers 4: question-answering in record_tasks.py, and text to text below.
"""

import json
import os
import pathlib
import sys
import tempfile

import av
import numpy
import pandas
import PIL.Image
import soundfile
import soxr
import torch
import transformers
from sentence_transformers import SentenceTransformer

import pipeline_models
import record_tasks

ROOT = record_tasks.ROOT
FIRST = "The cat sat on the mat."
PLACES = "Ann Smith lives in Paris, and Bob's dog sat on a mat."
LONG = " ".join(f"{PLACES} Item {w} went to the {p}." for w, p in zip(["one", "two", "three"], ["store", "park", "moon"]))
PHOTO = "examples/data/digits/photo-4.jpg"
DIGIT = "examples/data/digits/digit-7.png"
YES = "examples/data/speech/yes.wav"
WORDS = "examples/data/speech/two-five-nine.wav"
THREE = "examples/data/speech/three-one-four.wav"
FOUR = "examples/data/speech/stop-go-left-right.wav"
CLIP = "tests/unit/media/data/videos/h264.mp4"
MOVING = "tests/unit/media/data/videos/moving.gif"
FIELDS = {"summarization": "summary_text", "translation": "translation_text"}
GREEDY = {"do_sample": False, "num_beams": 1}
FEW = {"+tokenizer_config.json": {"model_max_length": 24}}
GENERATES_SPEECH = {"language", "task", "max_new_tokens", "num_beams", "top_k", "temperature", "compression_ratio_threshold",
                    "logprob_threshold", "no_speech_threshold", "condition_on_prev_tokens", "prompt_ids", "prompt_condition_type"}
LIVELY = {**GREEDY, "no_repeat_ngram_size": 1, "min_new_tokens": 8, "max_new_tokens": 10, "suppress_tokens": [1]}  # no pads


# --- answers ---


def sound(path):
    samples, rate = soundfile.read(ROOT / path, dtype="float32")
    return samples if rate == 16000 else soxr.resample(samples, rate, 16000, "HQ").astype(numpy.float32)


def text_to_text(folder, case):
    """Text2TextGenerationPipeline of transformers 4."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    options = dict(case.get("options", {}))
    section = case["task"]
    if section == "translation" and "src_lang" in options:
        source, target = options.pop("src_lang"), options.pop("tgt_lang")
        section = f"translation_{source}_to_{target}"
        if hasattr(tokenizer, "_build_translation_inputs"):
            tokenizer.src_lang = source
            options["forced_bos_token_id"] = tokenizer.convert_tokens_to_ids(target)
    given = json.loads((folder / "config.json").read_text()).get("task_specific_params", {}).get(section, {})
    encoded = tokenizer(given.pop("prefix", "") + case["text"], return_tensors="pt")
    ids = model.generate(**encoded, **{**given, **options})[0]
    text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return [{FIELDS[case["task"]]: text}]


def embed(folder, case):
    return SentenceTransformer(str(folder), device="cpu").encode(case["text"]).tolist()


def input_of(case):
    if case["task"] == "image-text-to-text" and "messages" not in case.get("options", {}):
        return {"images": PIL.Image.open(ROOT / case["path"]), "text": case["text"]}
    if case["task"] == "image-text-to-text" and "path" not in case:  # parts name files, from the root folder
        return case["options"]["messages"]
    if case["task"] == "image-text-to-text":
        return messages_with(case["options"]["messages"], PIL.Image.open(ROOT / case["path"]))
    if "path" in case:
        return sound(case["path"]) if case["path"].endswith(".wav") else PIL.Image.open(ROOT / case["path"])
    if "pair" in case:
        return {"text": case["text"], "text_pair": case["pair"]}
    if case.get("options", {}).get("is_split_into_words"):
        return json.loads(case["text"])
    return case["options"]["messages"] if "messages" in case.get("options", {}) else case["text"]


def messages_with(messages, image):
    """Each part that stands for the image of the case holds it."""
    return [{**m, "content": [{**part, "image": image} if part["type"] == "image" else part for part in m["content"]]} for m in messages]


def without_images(value):
    """The answer as it stands beside the messages of the case."""
    if isinstance(value, dict):
        return {name: without_images(part) for name, part in value.items() if name != "image"}
    return [without_images(part) for part in value] if isinstance(value, list) else value


def look(folder, case):
    options = {name: value for name, value in case["options"].items() if name not in ("messages", "return_full_text")}
    ask = transformers.pipeline("image-text-to-text", str(folder))
    given = input_of(case)
    whole = case["options"].get("return_full_text", True)
    if isinstance(given, dict):
        return ask(images=given["images"], text=given["text"], generate_kwargs=options, return_full_text=whole)
    return without_images(ask(text=given, generate_kwargs=options, return_full_text=whole))


def answer_on_page(folder, case):
    ask = transformers.pipeline("document-question-answering", str(folder))
    words = json.loads(case["pair"])
    return ask({"image": None, "question": case["text"], "word_boxes": words}, **case.get("options", {}))


def answer_in_table(folder, case):
    ask = transformers.pipeline("table-question-answering", str(folder))
    return ask(table=pandas.DataFrame(json.loads(case["pair"])), query=case["text"])


def frames_of(path):
    """All frames of a video, as PyAV decodes them, and what is known of it."""
    with av.open(str(ROOT / path)) as file:
        rate = float(file.streams.video[0].average_rate)
        frames = numpy.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])
    return frames, {"total_num_frames": len(frames), "fps": rate, "duration": len(frames) / rate}


def watch(folder, case):
    """The pipeline of a video."""
    frames, known = frames_of(case["path"])
    options = dict(case.get("options", {}))
    ask = transformers.pipeline("video-classification", str(folder))
    count = options.pop("num_frames", ask.model.config.num_frames)
    made = ask.video_processor(frames, video_metadata=known, num_frames=count, do_sample_frames=True, return_tensors="pt")
    return ask.postprocess(ask.model(**made), **options)


def talk_about_video(folder, case):
    """The pipeline of a conversation with videos and images, whose files it would decode with torchcodec."""
    processor = transformers.AutoProcessor.from_pretrained(str(folder))
    model = transformers.AutoModelForImageTextToText.from_pretrained(str(folder)).eval()
    options = dict(case["options"])
    messages = options.pop("messages")
    parts = [part for message in messages if isinstance(message["content"], list) for part in message["content"]]
    videos = [frames_of(part["path"]) for part in parts if part["type"] == "video"]
    images = [PIL.Image.open(ROOT / part["path"]) for part in parts if part["type"] == "image"]
    text = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    made = processor(text=[text], images=images or None, videos=[frames for frames, _ in videos], return_tensors="pt",
                     videos_kwargs={"video_metadata": [known for _, known in videos]})
    ids = model.generate(**made, **options)[0, made["input_ids"].shape[1]:]
    answer = {"role": "assistant", "content": processor.decode(ids, skip_special_tokens=True)}
    return [{"input_text": messages, "generated_text": [*messages, answer]}]


def prompt_ids(folder, prompt):
    if isinstance(prompt, list):
        return torch.tensor(prompt)
    return transformers.AutoTokenizer.from_pretrained(str(folder)).get_prompt_ids(prompt, return_tensors="pt")


def run(folder, case):
    if case["task"] == "table-question-answering":
        return answer_in_table(folder, case)
    if case["task"] == "image-text-to-text" and '"type": "video"' in json.dumps(case):
        return talk_about_video(folder, case)
    if case["task"] == "image-text-to-text":
        return look(folder, case)
    if case["task"] == "video-classification":
        return watch(folder, case)
    if case["task"] == "document-question-answering":
        return answer_on_page(folder, case)
    if case["task"] == "sentence-embedding":
        return embed(folder, case)
    if case["task"] in FIELDS:
        return text_to_text(folder, case)
    if case["task"] == "question-answering":
        return record_tasks.answer(folder, case["text"], case["pair"], **case.get("options", {}))
    options = {name: value for name, value in case.get("options", {}).items() if name != "messages"}
    if case["task"] == "automatic-speech-recognition":
        named = {name: options.pop(name) for name in list(options) if name in GENERATES_SPEECH}
        if "prompt_ids" in named:
            named["prompt_ids"] = prompt_ids(folder, named["prompt_ids"])
        if named:
            options["generate_kwargs"] = named
    if case["task"] == "fill-mask" and "truncation" in options:
        options["tokenizer_kwargs"] = {"truncation": options.pop("truncation")}
    normal = {name: options.pop(name) for name in list(options) if name in ("normalize", "basic_normalize", "remove_diacritics")}
    ask = transformers.pipeline(case["task"], str(folder))
    answer = ask(input_of(case), **options)
    if normal.pop("normalize", False):
        answer["text"] = ask.tokenizer.normalize(answer["text"])
    elif normal.pop("basic_normalize", False):
        answer["text"] = ask.tokenizer.basic_normalize(answer["text"], **normal)
    return answer[0] if options.get("is_split_into_words") else answer


def shorten(value):
    """Numbers of seven digits, which is more than a test looks at."""
    if isinstance(value, dict):
        return {name: shorten(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [shorten(part) for part in value]
    if isinstance(value, (float, numpy.floating)):
        return float(f"{value:.7g}")
    return int(value) if isinstance(value, numpy.integer) else value


# --- cases ---


def case(model, pipeline, text=None, files=None, **more):
    options = {name: more.pop(name) for name in list(more) if name not in ("pair", "path")}
    found = {"model": model, "task": pipeline, "text": text, **more, "files": files, "options": options}
    return {name: value for name, value in found.items() if value}


def module(index, name, kind):
    return {"idx": index, "name": str(index), "path": f"{index}_{name}" if index else "", "type": f"sentence_transformers.models.{kind}"}


def sentence_files(pooling, *more):
    kinds = ["Transformer", "Pooling", *more]
    files = {"modules.json": [module(i, kind, kind) for i, kind in enumerate(kinds)],
             "sentence_bert_config.json": {"max_seq_length": 16, "do_lower_case": False}}
    files["1_Pooling/config.json"] = {"word_embedding_dimension": 16, **{"pooling_mode_" + name: name in pooling for name in
                                      ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")}}
    for i, kind in enumerate(kinds):
        if kind == "Dense":
            activation = "torch.nn.modules.activation.Tanh" if i == 2 else "torch.nn.modules.linear.Identity"
            files[f"{i}_Dense/config.json"] = {"in_features": 16, "out_features": 6, "bias": True, "activation_function": activation}
    return files


def features():
    yield case("bert", "feature-extraction", FIRST)
    yield case("bert", "feature-extraction", LONG, truncation=True)
    yield case("gpt2", "feature-extraction", "The cat")
    yield case("distilbert-labels", "feature-extraction", "The dog.")
    yield case("bart", "feature-extraction", "The dog.")
    for pooling in (["cls_token"], ["mean_tokens"], ["max_tokens"], ["mean_sqrt_len_tokens"], ["weightedmean_tokens"], ["lasttoken"]):
        yield case("bert", "sentence-embedding", PLACES, sentence_files(pooling))
    yield case("bert", "sentence-embedding", " The  cat sat. ", sentence_files(["mean_tokens"], "Normalize"))
    yield case("bert", "sentence-embedding", LONG, sentence_files(["cls_token", "max_tokens", "mean_tokens"], "Normalize"))
    yield case("bert", "sentence-embedding", FIRST, sentence_files(["mean_tokens"], "Dense", "Normalize"))
    yield case("bert", "sentence-embedding", FIRST, sentence_files(["mean_tokens"], "Normalize", "Dense"))


def masks():
    yield case("electra-mask", "fill-mask", "The [MASK] sat on the mat.", top_k=3)
    yield case("electra-mask", "fill-mask", "[MASK] and [MASK] and [MASK]", targets=["cat", "dog"])
    yield case("roberta-mask", "fill-mask", "The<mask> sat on the mat.")
    yield case("roberta-mask", "fill-mask", "The <mask> sat on <mask>.", top_k=2)
    yield case("roberta-mask", "fill-mask", "A <mask>.", targets=[" cat", "cat", "unbelievable", "Ġthe"], top_k=3)
    yield case("roberta-mask", "fill-mask", "A <mask>.", targets="Ġa")
    yield case("bart", "fill-mask", "The <mask> sat.", top_k=2)
    yield case("electra-mask", "fill-mask", f"The [MASK] sat. {LONG} {LONG}", truncation=True, top_k=1)


def texts():
    yield case("bert-nli", "text-classification", FIRST)
    yield case("bert-nli", "text-classification", FIRST, pair="The dog sat.")
    yield case("bert-nli", "text-classification", FIRST, pair="The dog sat.", top_k=1)
    yield case("bert-nli", "text-classification", FIRST, top_k=None)
    yield case("bert-nli", "text-classification", FIRST, top_k=2, function_to_apply="none")
    yield case("bert-nli", "text-classification", LONG, truncation=True, top_k=5)
    for problem in ("multi_label_classification", "regression", "single_label_classification"):
        yield case("distilbert-labels", "text-classification", FIRST, {"+config.json": {"problem_type": problem}}, top_k=None)
    yield case("roberta-score", "text-classification", FIRST, {"+config.json": {"problem_type": "regression"}})
    yield case("roberta-score", "text-classification", FIRST)
    yield case("roberta-score", "text-classification", FIRST, function_to_apply="softmax", top_k=3)
    yield case("bart-nli", "text-classification", FIRST, pair="A dog.", top_k=2, function_to_apply="sigmoid")
    yield case("gpt2-labels", "text-classification", FIRST, top_k=2)
    for labels in ("sports, politics", ["dog", "cat", "park", "moon"]):
        yield case("bart-nli", "zero-shot-classification", FIRST, candidate_labels=labels)
        yield case("bart-nli", "zero-shot-classification", FIRST, candidate_labels=labels, multi_label=True)
    yield case("bert-nli", "zero-shot-classification", FIRST, candidate_labels="dog")
    yield case("bert-nli", "zero-shot-classification", LONG, candidate_labels=["dog", "cat"], hypothesis_template="It is {} and {{}}.")
    first = {"+config.json": {"id2label": {"0": "Entailment", "1": "no", "2": "neutral"}, "label2id": {"Entailment": 0, "no": 1, "neutral": 2}}}
    yield case("bert-nli", "zero-shot-classification", FIRST, first, candidate_labels=["dog", "cat"], multi_label=True)
    none = {"+config.json": {"id2label": {"0": "a", "1": "b", "2": "c"}, "label2id": {"a": 0, "b": 1, "c": 2}}}
    yield case("bert-nli", "zero-shot-classification", FIRST, none, candidate_labels=["dog", "cat"], multi_label=True)


def tokens():
    for strategy in ("none", "simple", "first", "average", "max"):
        yield case("roberta-names", "token-classification", "Ann Smith  lives in Paris, Bób.", aggregation_strategy=strategy)
    yield case("bert-names", "token-classification", LONG)
    yield case("bert-names", "token-classification", LONG, aggregation_strategy="simple", ignore_labels=["O", "PER"])
    for strategy in ("simple", "first", "max"):
        yield case("bert-names", "token-classification", LONG, aggregation_strategy=strategy, stride=8)
    yield case("bert-names", "token-classification", PLACES, aggregation_strategy="average", stride=4)
    yield case("roberta-names", "token-classification", LONG[:120], aggregation_strategy="average", stride=12, ignore_labels=[])
    for strategy, delimiter in (("none", " "), ("simple", "-"), ("first", ", ")):
        yield case("bert-names", "token-classification", json.dumps(PLACES.split()), is_split_into_words=True, delimiter=delimiter,
                   aggregation_strategy=strategy, ignore_labels=[])


def answers():
    for model in ("distilbert-answers", "roberta-answers"):
        yield case(model, "question-answering", "Who lives in Paris?", pair="Ann Smith lives in Paris.", max_seq_len=40)
        yield case(model, "question-answering", "Who lives in Paris?", pair=LONG, max_seq_len=36, doc_stride=10, top_k=4)
        yield case(model, "question-answering", "Who went?", pair=LONG, max_seq_len=30, max_answer_len=2, top_k=3, handle_impossible_answer=True)
        yield case(model, "question-answering", "Who went?", pair=PLACES, max_seq_len=40, align_to_words=False, top_k=2)


def pages():
    """Words in lines of five, each word a box."""
    for text, question, options in [
        ("Ann Smith lives in Paris.", "Who lives  in Paris?", {}),
        (LONG, "Who went to the store?", {"top_k": 4}),
        (LONG, "Who went?", {"top_k": 3, "max_seq_len": 24, "doc_stride": 6, "handle_impossible_answer": True}),
        (LONG, "Where is it?", {"top_k": 5, "max_seq_len": 30, "max_answer_len": 2}),
    ]:
        words = [[word, [200 * (i % 5), 40 * (i // 5), 200 * (i % 5) + 150, 40 * (i // 5) + 30]] for i, word in enumerate(text.split())]
        yield case("layoutlm-answers", "document-question-answering", question, pair=json.dumps(words), **options)


STARS = {"Repository": ["Transformers", "Datasets", "Tokenizers", "n/a"], "Stars": ["36,542", "4512", "3,934", "4512"],
         "Since": ["May 2010", "2012-03-04", "June 2014", ""], "Place": ["1st", "third", "two", "?"]}
CITIES = {"City": ["Paris", "Rome", "Oslo"], "Day": ["17 may", "3 may", "21 june"], "Rain": ["-1.5", "12 of 20", ".5"]}
MIXED = {"Name": ["one", "dog", "cat", "moon"], "Year": ["2008", "2010", "2009", "2010"], "Part": ["3", "a", "b", "2"]}
LONG_TABLE = {"Item": [f"item {i}" for i in range(12)], "Count": [str(i * i) for i in range(12)], "Where": ["the store"] * 12}


def tables():
    for table, question in [
        (STARS, "How many stars does Transformers have?"), (STARS, "Which has more than 4,000 stars?"), (STARS, "Who came first?"),
        (STARS, "Which began before June 2012?"), (CITIES, "Where was it on May 17?"), (CITIES, "Where is it above -2 or 0.5?"),
        (MIXED, "Which had 3 parts in 2009?"), (MIXED, "Who went?"), (MIXED, "Which has 2010, 3 and 2?"),
        (LONG_TABLE, "How many are in the store?"), ({"A": ["Bob", "Ann", "a dog"]}, "?"),
    ]:
        for model in ("tapas-answers", "tapas-operators"):
            yield case(model, "table-question-answering", question, pair=json.dumps(table))
    few = {"+tokenizer_config.json": {"model_max_length": 40}}
    yield case("tapas-operators", "table-question-answering", "Which has 3,934 stars?", few, pair=json.dumps(STARS))
    yield case("tapas-answers", "table-question-answering", "Which has 9 or more?", few, pair=json.dumps(LONG_TABLE))


def generated():
    yield case("gpt2", "text-generation", "The cat sat", max_new_tokens=12, **GREEDY)
    yield case("gpt2", "text-generation", "The cat sat", max_new_tokens=12, return_full_text=False, **GREEDY)
    yield case("gpt2", "text-generation", "The dog", max_length=9, **GREEDY)
    yield case("gpt2", "text-generation", "The dog", return_tensors=True, max_new_tokens=4, **GREEDY)
    chat = {"chat_template.jinja": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"}
    said = [{"role": "user", "content": "The cat?"}]
    yield case("gpt2", "text-generation", None, chat, messages=said, max_new_tokens=6, **GREEDY)
    yield case("gpt2", "text-generation", None, chat, messages=said, max_new_tokens=6, return_full_text=False, **GREEDY)
    yield case("gpt2", "text-generation", None, chat, messages=[*said, {"role": "assistant", "content": "The cat sat"}], max_new_tokens=6, **GREEDY)
    more = {"max_new_tokens": 6, **GREEDY}
    yield case("gpt2", "text-generation", "The cat", prefix="A dog and ", **more)
    yield case("gpt2", "text-generation", "The cat", prefix="A dog and ", max_length=12, **GREEDY)
    yield case("gpt2", "text-generation", "The cat", clean_up_tokenization_spaces=True, skip_special_tokens=False, **more)
    yield case("gpt2", "text-generation", "The cat", return_text=True, add_special_tokens=True, **more)
    yield case("gpt2", "text-generation", LONG, handle_long_generation="hole", return_full_text=False, files=FEW, **more)
    yield case("gpt2", "text-generation", LONG, tokenizer_encode_kwargs={"truncation": True, "max_length": 7}, **more)
    yield case("gpt2", "text-generation", None, chat, messages=[*said, {"role": "assistant", "content": "The cat sat"}],
               continue_final_message=False, **more)
    tools = {"chat_template.jinja": "{% for t in tools %}{{ t.function.name }} {% endfor %}{% for d in documents %}{{ d.title }} {% endfor %}{{ messages[0].content }}"}
    yield case("gpt2", "text-generation", None, tools, messages=said, documents=[{"title": "Moon", "text": "A moon."}],
               tools=[{"type": "function", "function": {"name": "park"}}], **more)
    yield case("t5", "summarization", FIRST, max_new_tokens=8, **GREEDY)
    prefixes = {"+config.json": {"task_specific_params": {"summarization": {"prefix": "about: ", "max_new_tokens": 9},
                                                          "translation_en_to_de": {"prefix": "paris: ", "max_new_tokens": 7}}}}
    yield case("t5", "summarization", FIRST, prefixes, **GREEDY)
    yield case("t5", "translation", FIRST, prefixes, src_lang="en", tgt_lang="de", **GREEDY)
    yield case("bart", "summarization", FIRST, max_new_tokens=10, **GREEDY)
    yield case("bart", "translation", FIRST, max_new_tokens=10, **GREEDY)
    for model, source, target in [("mbart", "en_XX", "de_DE"), ("mbart", "ro_RO", "en_XX"), ("nllb", "eng_Latn", "fra_Latn"),
                                  ("nllb", "fra_Latn", "deu_Latn")]:
        yield case(model, "translation", FIRST, src_lang=source, tgt_lang=target, **LIVELY)
    legacy = {"+tokenizer_config.json": {"legacy_behaviour": True}}
    yield case("nllb", "translation", PLACES, legacy, src_lang="fra_Latn", tgt_lang="eng_Latn", **LIVELY)
    yield case("mbart", "summarization", FIRST, max_new_tokens=6, num_beams=3, do_sample=False)
    yield case("pegasus", "summarization", FIRST, max_new_tokens=9, num_beams=4, length_penalty=0.8, do_sample=False)
    yield case("bart", "summarization", PLACES, max_new_tokens=12, num_beams=4, min_length=6, no_repeat_ngram_size=2, do_sample=False)


def images():
    for model in ("vit-labels", "deit-labels", "convnext-labels"):
        yield case(model, "image-classification", path=PHOTO)
    yield case("vit-labels", "image-classification", path=DIGIT, top_k=2, function_to_apply="sigmoid")
    yield case("vit-labels", "image-classification", path=DIGIT, files={"+config.json": {"problem_type": "multi_label_classification"}})
    yield case("vit-labels", "image-classification", path=DIGIT, function_to_apply="none")
    for model in ("vit", "resnet"):
        yield case(model, "image-feature-extraction", path=PHOTO)
        yield case(model, "image-feature-extraction", path=PHOTO, pool=True)
    yield case("clip", "zero-shot-image-classification", path=PHOTO, candidate_labels=["a cat", "dogs", "the moon"])
    yield case("clip", "zero-shot-image-classification", path=DIGIT, candidate_labels=["cat", "dog"], hypothesis_template="the {}!")
    yield case("clip", "zero-shot-image-classification", path=DIGIT, candidate_labels=["cat"])


def looks():
    yield case("llama4", "image-text-to-text", "<|image|>The cat", path=PHOTO, max_new_tokens=8, **GREEDY)
    yield case("llama4", "image-text-to-text", "The cat sat on <|image|>", path=DIGIT, max_new_tokens=8, return_full_text=False, **GREEDY)
    yield case("llama4", "image-text-to-text", "Who lives in <|image|>?", path=PHOTO, max_new_tokens=5, no_repeat_ngram_size=1, **GREEDY)
    said = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "The cat?"}]}]
    yield case("llama4", "image-text-to-text", None, path=PHOTO, messages=said, max_new_tokens=8, **GREEDY)
    said = [{"role": "user", "content": [{"type": "image", "path": PHOTO}, {"type": "text", "text": "The cat?"}]}]
    yield case("llama4", "image-text-to-text", None, messages=said, max_new_tokens=6, **GREEDY)
    two = [{"type": "image", "path": DIGIT}, {"type": "image", "path": PHOTO}, {"type": "text", "text": "And?"}]
    said = [*said, {"role": "assistant", "content": "A mat."}, {"role": "user", "content": two}]
    yield case("llama4", "image-text-to-text", None, messages=said, max_new_tokens=8, **GREEDY)
    said = [{"role": "system", "content": [{"type": "text", "text": "Be kind."}]}, {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Ho"}]}, *said[2:]]
    yield case("llama4", "image-text-to-text", None, messages=said, max_new_tokens=8, return_full_text=False, **GREEDY)


    for name, token in {"llava": "<image>", "smolvlm": "<image>", "gemma3": "<start_of_image>",
                        "qwen2-vl": "<|image_pad|>"}.items():
        yield case(name, "image-text-to-text", f"{token}The cat", path=PHOTO, max_new_tokens=8, **GREEDY)
        yield case(name, "image-text-to-text", f"Who lives in {token}?", path=DIGIT, max_new_tokens=8, **GREEDY)
        yield case(name, "image-text-to-text", None, messages=said, max_new_tokens=8, **GREEDY)


    film = [{"role": "user", "content": [{"type": "video", "path": CLIP}, {"type": "text", "text": "The cat?"}]}]
    both = [{"type": "video", "path": MOVING}, {"type": "image", "path": DIGIT}, {"type": "text", "text": "And?"}]
    both = [*film, {"role": "assistant", "content": [{"type": "text", "text": "A mat."}]}, {"role": "user", "content": both}]
    yield case("qwen2-vl", "image-text-to-text", None, messages=film, max_new_tokens=8, **GREEDY)
    yield case("qwen2-vl", "image-text-to-text", None, messages=both, max_new_tokens=8, **GREEDY)


def videos():
    for name in ("videomae", "vivit"):
        yield case(name, "video-classification", path=CLIP)
        yield case(name, "video-classification", path=MOVING, top_k=2, function_to_apply="none")
    yield case("videomae", "video-classification", path=CLIP, function_to_apply="sigmoid", num_frames=4)
    yield case("videomae", "video-classification", path=CLIP, files={"+config.json": {"problem_type": "multi_label_classification"}})


def sounds():
    yield case("wav2vec2-labels", "audio-classification", path=YES)
    yield case("wav2vec2-labels", "audio-classification", path=WORDS, top_k=3)
    yield case("wav2vec2-labels", "audio-classification", path=YES, top_k=9, function_to_apply="sigmoid")
    yield case("wav2vec2-labels", "audio-classification", path=YES, top_k=2, function_to_apply="none")
    yield case("wav2vec2-labels", "audio-classification", path=YES, files={"+config.json": {"problem_type": "multi_label_classification"}})
    yield case("whisper-labels", "audio-classification", path=YES, top_k=2)
    for model in ("wav2vec2-ctc", "examples/models/spoken-words-wav2vec2"):
        yield case(model, "automatic-speech-recognition", path=FOUR)
        yield case(model, "automatic-speech-recognition", path=FOUR, return_timestamps="char")
        yield case(model, "automatic-speech-recognition", path=WORDS, return_timestamps="word")
        yield case(model, "automatic-speech-recognition", path=FOUR, chunk_length_s=1)
        yield case(model, "automatic-speech-recognition", path=FOUR, chunk_length_s=0.8, stride_length_s=[0.2, 0.1], return_timestamps="word")
    yield case("whisper", "automatic-speech-recognition", path=YES)
    yield case("whisper", "automatic-speech-recognition", path=YES, language="german", task="translate")
    yield case("whisper", "automatic-speech-recognition", path=YES, language="<|fr|>", max_new_tokens=8)
    yield case("whisper", "automatic-speech-recognition", path=YES, return_timestamps=True, language="en")
    yield case("whisper", "automatic-speech-recognition", path=YES, return_timestamps=True, return_language=True)
    yield case("whisper", "automatic-speech-recognition", path=FOUR, return_timestamps=True, language="en")
    yield case("whisper", "automatic-speech-recognition", path=THREE, return_timestamps=True)
    yield case("whisper", "automatic-speech-recognition", path=FOUR, chunk_length_s=1, language="en")
    yield case("whisper", "automatic-speech-recognition", path=FOUR, chunk_length_s=0.9, stride_length_s=0.2, return_timestamps=True, language="en")
    spelled = {"normalizer.json": {"cat": "kat"}}
    yield case("whisper", "automatic-speech-recognition", files=spelled, path=YES, language="en", normalize=True)
    yield case("whisper", "automatic-speech-recognition", files=spelled, path=YES, language="en", basic_normalize=True)
    yield case("whisper", "automatic-speech-recognition", path=YES, language="en", basic_normalize=True, remove_diacritics=True)
    aligned = {"+generation_config.json": {"alignment_heads": [[0, 0], [0, 1]]}}
    yield case("whisper", "automatic-speech-recognition", files=aligned, path=YES, return_timestamps="word", language="en")
    yield case("whisper", "automatic-speech-recognition", files=aligned, path=FOUR, return_timestamps="word", language="en")
    yield case("whisper", "automatic-speech-recognition", files=aligned, path=FOUR, chunk_length_s=0.9, stride_length_s=0.2,
               return_timestamps="word", language="en")
    yield case("whisper", "automatic-speech-recognition", files=aligned, path=THREE, return_timestamps="word", language="en",
               num_beams=3, max_new_tokens=12)
    timed = {"return_timestamps": True, "language": "en"}
    beams = {**timed, "num_beams": 3, "max_new_tokens": 12}
    again = {"temperature": [0.0, 0.4], "top_k": 1}  # what is drawn is the likeliest
    said = {"condition_on_prev_tokens": True}
    for path, options in [
        (FOUR, {**timed, **said}),
        (THREE, {**timed, **said, "prompt_ids": "The cat sat"}),
        (THREE, {**beams, **said, "prompt_ids": " A mat\n", "prompt_condition_type": "all-segments"}),
        (FOUR, {**timed, "prompt_ids": [40, 41, 42]}),
        (FOUR, {**timed, **said, "temperature": 0.7, "top_k": 1, "prompt_ids": "On the mat"}),
        (THREE, {**beams, **again, "compression_ratio_threshold": 1.0}),
        (THREE, {**beams, **again, "logprob_threshold": -1.12}),
        (FOUR, {**timed, "temperature": 0.0, "logprob_threshold": -1.3, "no_speech_threshold": 0.0013}),
        (FOUR, {**timed, "temperature": 0.0, "logprob_threshold": -1.25, "no_speech_threshold": 0.0014}),
        (FOUR, {**beams, **again, **said, "compression_ratio_threshold": 1.0, "logprob_threshold": -1.12, "no_speech_threshold": 0.6}),
        (FOUR, {**timed, **said, "chunk_length_s": 0.9}),
    ]:
        yield case("whisper", "automatic-speech-recognition", path=path, **options)
    yield case("whisper", "automatic-speech-recognition", files=aligned, path=FOUR, return_timestamps="word", language="en", prompt_ids="The cat",
               **said)


def cases():
    for part in (features, masks, texts, tokens, answers, pages, tables, generated, images, looks, videos, sounds):
        yield from part()


# --- recording ---


def write_case(folder, models, one):
    """The folder that a case runs in: its model, with its files written over; "+NAME" changes members of a JSON file."""
    if one["model"] not in models:
        return ROOT / one["model"]
    model = models[one["model"]]
    files = {}
    for name, content in one.get("files", {}).items():
        files[name.lstrip("+")] = {**model["files"][name[1:]], **content} if name.startswith("+") else content
    pipeline_models.write(folder, model, files)
    return folder


def main():
    models = pipeline_models.all_models()
    recorded, tasks = [], sys.argv[1:]
    kept = json.loads((record_tasks.DATA / "pipelines.json").read_text())["cases"] if tasks else []
    for one in cases():
        same = [k for k in kept if k["task"] not in tasks and {n: v for n, v in k.items() if n != "answer"} == one]
        if same:
            recorded.append(same[0])
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                answer = run(write_case(pathlib.Path(folder), models, one), one)
            except Exception as error:
                raise RuntimeError(f"case {one}") from error
        recorded.append({**one, "answer": shorten(answer)})
    lines = {"models": [f"{json.dumps(name)}: {json.dumps(model)}" for name, model in models.items()],
             "cases": [json.dumps(one, ensure_ascii=False) for one in recorded]}
    text = '{"models": {\n' + ",\n".join(lines["models"]) + '\n},\n"cases": [\n' + ",\n".join(lines["cases"]) + "\n]}\n"
    (record_tasks.DATA / "pipelines.json").write_text(text)


if __name__ == "__main__":
    torch.set_num_threads(1)
    os.chdir(ROOT)
    main()
