"""Tiny models of record_pipelines.py: configuration, tokenizer and processor files, and weights that are numbers made
from names, [name, shape, lo, hi], as in tests/golden/data/FORMAT.md.
"""

import json
import math
import pathlib
import tempfile

import numpy as np
import torch
import transformers as tf
from safetensors import safe_open
from safetensors.numpy import save_file
from tokenizers import ByteLevelBPETokenizer

TEXT = """The cat sat on the mat. Ann Smith lives in Paris, and Bob went to the store. One photo of a dog and a moon!
This example is about sports, politics and the park. Who lives in the city? Items two and three are unbelievable."""
WORDS = """[PAD] [UNK] [CLS] [SEP] [MASK] the cat dog sat on mat in a moon lives paris ann bob smith and went to park store is
who where this example about sports politics ##s ##ing ##ly un ##believ ##able . , ? ! ' item one two three""".split()
LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAOINSHRDLU'"]
LANGUAGES = ["en", "de", "fr"]
SMALL = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=40)
GPT = dict(n_embd=16, n_layer=2, n_head=2, n_positions=64)
SEQ2SEQ = dict(d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
               encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=64)
SPEECH = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, conv_dim=[8, 8, 8],
              conv_kernel=[10, 8, 8], conv_stride=[5, 8, 8], num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2,
              num_feat_extract_layers=3, classifier_proj_size=8)
VISION = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=24, patch_size=8)
SIZE = {"height": 24, "width": 24}


# --- weights ---

MASK64 = (1 << 64) - 1


def numbers(name, shape, lo, hi):
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & MASK64
    count = math.prod(shape)
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float64) * 2.0**-24
    return (lo + (hi - lo) * u).astype(np.float32).reshape(shape)


def bounds(name, shape):
    """Wide enough that outputs depend on inputs."""
    if name.endswith("logit_scale"):
        return 2.0, 3.0
    if name.endswith("running_var"):
        return 0.5, 2.0
    if name in ("output_weights", "column_output_weights", "aggregation_classifier.weight"):  # TAPAS chooses much by
        return -4.0, 4.0
    if name.startswith("tapas.embeddings.token_type_embeddings_") and name[39] in "456":  # ranks and relations
        return -8.0, 8.0
    if len(shape) < 2:
        is_scale = name.endswith(("weight", "gamma", "lambda_1")) and ("norm" in name.lower() or "ln" in name or "bn" in name)
        return (0.5, 1.5) if is_scale else (-0.25, 0.25)
    if "weight_g" in name or "original0" in name:
        return 1.0, 2.0
    if any(part in name for part in ("position", "wpe")):
        return -2.0, 2.0
    if any(part in name for part in ("embed", "wte", "shared", "relative_attention_bias", "token", "lm_head")):
        return -1.0, 1.0
    bound = round(2 / math.sqrt(math.prod(shape[1:])), 4)
    return -bound, bound


def tensors_of(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with safe_open(pathlib.Path(folder) / "model.safetensors", "np") as file:
            shapes = {name: list(file.get_slice(name).get_shape()) for name in file.keys()}
            dtypes = {name: file.get_slice(name).get_dtype() for name in file.keys()}
        config = json.loads((pathlib.Path(folder) / "config.json").read_text())
    return config, [[name, shape, *bounds(name, shape)] for name, shape in shapes.items() if dtypes[name] == "F32"]


def write(folder, model, files):
    """A model directory of what was recorded, with the files of a case over those of its model."""
    for name, content in {**model["files"], **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    save_file({name: numbers(name, shape, lo, hi) for name, shape, lo, hi in model["tensors"]}, folder / "model.safetensors",
              metadata={"format": "pt"})
    for extra, tensors in model.get("modules", {}).items():
        (folder / extra).parent.mkdir(exist_ok=True)
        save_file({name: numbers(extra + name, shape, lo, hi) for name, shape, lo, hi in tensors}, folder / extra,
                  metadata={"format": "pt"})


# --- tokenizers ---


def files_of(tokenizer):
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        return {path.name: json.loads(path.read_text()) if path.suffix == ".json" else path.read_text()
                for path in sorted(pathlib.Path(folder).iterdir())}


def byte_level():
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator([TEXT], vocab_size=300, show_progress=False)
    state = json.loads(trained.to_str())["model"]
    return state["vocab"], [tuple(merge) for merge in state["merges"]]


def word_piece():
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 40}
    return {"vocab.txt": "\n".join(WORDS) + "\n", "tokenizer_config.json": settings}, len(WORDS)


def tapas():
    pieces = [*"abcdefghijklmnopqrstuvwxyz0123456789", *("##" + c for c in "abcdefghijklmnopqrstuvwxyz0123456789"), "-", "of", "may", "201"]
    files, size = word_piece()
    words = [*WORDS, "[EMPTY]", *(piece for piece in pieces if piece not in WORDS)]
    settings = {"tokenizer_class": "TapasTokenizer", "do_lower_case": True, "model_max_length": 120, "cell_trim_length": -1}
    return {**files, "vocab.txt": "\n".join(words) + "\n", "tokenizer_config.json": settings}, len(words)


def with_specials(kind, specials, **more):
    vocab, merges = byte_level()
    vocab = {**{token: i for i, token in enumerate(specials)}, **{token: i + len(specials) for token, i in vocab.items()}}
    return files_of(kind(vocab=vocab, merges=merges, **more)), len(vocab)


def gpt2():
    vocab, merges = byte_level()
    vocab["<|endoftext|>"] = len(vocab)
    return files_of(tf.GPT2Tokenizer(vocab=vocab, merges=merges, pad_token="<|endoftext|>", model_max_length=64)), len(vocab)


def roberta(kind=tf.RobertaTokenizer):
    return with_specials(kind, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], model_max_length=40)


def clip():
    letters = [chr(c) for c in range(97, 123)] + list(".,!?")
    vocab = [*letters, *(letter + "</w>" for letter in letters), "th", "the</w>", "ca", "cat</w>", "do", "dog</w>"]
    merges = [("t", "h"), ("th", "e</w>"), ("c", "a"), ("ca", "t</w>"), ("d", "o"), ("do", "g</w>")]
    vocab = {token: i for i, token in enumerate([*vocab, "<|startoftext|>", "<|endoftext|>"])}
    return files_of(tf.CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=32)), len(vocab)


def t5():
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    words = sorted({word.strip(".,!?").lower() for word in TEXT.split()})
    pieces += [("▁" + word, -5.0 - i / 100) for i, word in enumerate(words)]
    pieces += [(c, -9.0 - i / 100) for i, c in enumerate("▁abcdefghijklmnopqrstuvwxyz.,!?:")]
    return files_of(tf.T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=64)), len(pieces)


def words_with_scores():
    words = sorted({word.strip(".,!?") for word in TEXT.split()})
    return [("▁" + word, -5.0 - i / 100) for i, word in enumerate(words)] + [
        (c, -9.0 - i / 100) for i, c in enumerate("▁abcdefghijklmnopqrstuvwxyzABP.,!?:'")]


def mbart():
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *words_with_scores()]
    tokenizer = tf.MBartTokenizer(vocab=pieces, model_max_length=64, src_lang="en_XX")
    return files_of(tokenizer), len(tokenizer)


def nllb():
    letters = "▁abcdefghijklmnopqrstuvwxyzABP.,!?:'"
    pairs = [("▁", "t"), ("▁t", "h"), ("▁th", "e"), ("▁", "c"), ("a", "t"), ("▁c", "at"), ("o", "n")]
    vocab = ["<s>", "<pad>", "</s>", "<unk>", *letters, *(a + b for a, b in pairs)]
    tokenizer = tf.NllbTokenizer(vocab={token: i for i, token in enumerate(vocab)}, merges=pairs, model_max_length=64,
                                 additional_special_tokens=["eng_Latn", "fra_Latn", "deu_Latn"])
    return files_of(tokenizer), len(tokenizer)


def pegasus():
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<mask_1>", 0.0), ("<mask_2>", 0.0), ("<unk>", 0.0), *words_with_scores()]
    return files_of(tf.PegasusTokenizer(vocab=pieces, offset=3, model_max_length=64)), len(pieces)


def whisper(seconds):
    vocab, merges = byte_level()
    tokenizer = tf.WhisperTokenizer(vocab=vocab, merges=merges, model_max_length=64)
    specials = ["<|startoftranscript|>", *(f"<|{code}|>" for code in LANGUAGES), "<|translate|>", "<|transcribe|>",
                "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": specials})
    tokenizer.add_tokens([f"<|{i * 0.02:.2f}|>" for i in range(seconds * 50 + 1)])
    return files_of(tokenizer), len(tokenizer), tokenizer


# --- models ---


def labels(*names):
    return dict(id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)}, num_labels=len(names))


def model(kind, config, files, **more):
    torch.manual_seed(0)
    config, tensors = tensors_of(kind(config))
    return {"files": {"config.json": config, **files, **more}, "tensors": tensors}


NAMES = labels("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
NLI = labels("contradiction", "neutral", "entailment")


def text_models():
    files, size = word_piece()
    bert = tf.BertConfig(vocab_size=size, **SMALL)
    dense = [["linear.weight", [6, 16], -0.5, 0.5], ["linear.bias", [6], -0.25, 0.25]]
    yield "bert", {**model(tf.BertModel, bert, files), "modules": {f"{i}_Dense/model.safetensors": dense for i in (2, 3)}}
    yield "bert-nli", model(tf.BertForSequenceClassification, tf.BertConfig(vocab_size=size, **SMALL, **NLI), files)
    yield "bert-names", model(tf.BertForTokenClassification, tf.BertConfig(vocab_size=size, **SMALL, **NAMES), files)
    yield "electra-mask", model(tf.ElectraForMaskedLM, tf.ElectraConfig(vocab_size=size, embedding_size=8, **SMALL), files)
    distil = dict(vocab_size=size, dim=16, n_layers=1, n_heads=2, hidden_dim=32, max_position_embeddings=40)
    yield "distilbert-answers", model(tf.DistilBertForQuestionAnswering, tf.DistilBertConfig(**distil), files)
    yield "distilbert-labels", model(tf.DistilBertForSequenceClassification, tf.DistilBertConfig(**distil, **labels("a", "b", "c")), files)

    layout = tf.LayoutLMConfig(vocab_size=size, max_2d_position_embeddings=1024, **SMALL)
    yield "layoutlm-answers", model(tf.LayoutLMForQuestionAnswering, layout, files)

    files, size = tapas()
    table = dict(vocab_size=size, type_vocab_sizes=[3, 16, 32, 2, 32, 32, 10], **{**SMALL, "max_position_embeddings": 64})
    operators = dict(num_aggregation_labels=4, aggregation_labels={0: "NONE", 1: "SUM", 2: "AVERAGE", 3: "COUNT"},
                     no_aggregation_label_index=0)
    yield "tapas-answers", model(tf.TapasForQuestionAnswering, tf.TapasConfig(**table), files)
    yield "tapas-operators", model(tf.TapasForQuestionAnswering, tf.TapasConfig(**table, **operators), files)

    files, size = roberta()
    more = dict(vocab_size=size, pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1)
    yield "roberta-mask", model(tf.RobertaForMaskedLM, tf.RobertaConfig(**SMALL | {"max_position_embeddings": 42}, **more), files)
    yield "roberta-names", model(tf.RobertaForTokenClassification,
                                 tf.RobertaConfig(**SMALL | {"max_position_embeddings": 42}, **more, **NAMES), files)
    yield "roberta-answers", model(tf.RobertaForQuestionAnswering, tf.RobertaConfig(**SMALL | {"max_position_embeddings": 42}, **more), files)
    yield "roberta-score", model(tf.RobertaForSequenceClassification,
                                 tf.RobertaConfig(**SMALL | {"max_position_embeddings": 42}, **more, **labels("score")), files)

    files, size = roberta(tf.BartTokenizer)
    bart = dict(vocab_size=size, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=2, **SEQ2SEQ)
    yield "bart-nli", model(tf.BartForSequenceClassification, tf.BartConfig(**bart, **NLI), files)
    yield "bart", model(tf.BartForConditionalGeneration, tf.BartConfig(**bart), files)

    files, size = gpt2()
    gpt = dict(vocab_size=size, bos_token_id=size - 1, eos_token_id=size - 1, pad_token_id=size - 1, **GPT)
    yield "gpt2", model(tf.GPT2LMHeadModel, tf.GPT2Config(**gpt), files)
    yield "gpt2-labels", model(tf.GPT2ForSequenceClassification, tf.GPT2Config(**gpt, **labels("bad", "good")), files)

    files, size = t5()
    config = tf.T5Config(vocab_size=size, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0)
    yield "t5", model(tf.T5ForConditionalGeneration, config, files)

    more = dict(pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=2)
    files, size = mbart()
    yield "mbart", model(tf.MBartForConditionalGeneration, tf.MBartConfig(vocab_size=size, **more, **SEQ2SEQ), files)
    files, size = nllb()
    yield "nllb", model(tf.M2M100ForConditionalGeneration, tf.M2M100Config(vocab_size=size, **more, **SEQ2SEQ), files)
    files, size = pegasus()
    more = dict(pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, forced_eos_token_id=1)
    yield "pegasus", model(tf.PegasusForConditionalGeneration, tf.PegasusConfig(vocab_size=size, **more, **SEQ2SEQ), files)


def vision_models():
    image = {"image_processor_type": "ViTImageProcessor", "size": SIZE, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    three = labels("cat", "dog", "moon")
    files = {"preprocessor_config.json": image}
    yield "vit-labels", model(tf.ViTForImageClassification, tf.ViTConfig(**VISION, **three), files)
    yield "vit", model(tf.ViTModel, tf.ViTConfig(**VISION), files)
    deit = {**image, "image_processor_type": "DeiTImageProcessor", "crop_size": SIZE, "size": {"height": 28, "width": 28}, "resample": 3}
    yield "deit-labels", model(tf.DeiTForImageClassification, tf.DeiTConfig(**VISION, **three), {"preprocessor_config.json": deit})
    convnext = {**image, "image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 32}, "crop_pct": 0.875}
    config = dict(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2)
    yield "convnext-labels", model(tf.ConvNextForImageClassification, tf.ConvNextConfig(**config, **three), {"preprocessor_config.json": convnext})
    config = dict(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    yield "resnet", model(tf.ResNetModel, tf.ResNetConfig(**config), {"preprocessor_config.json": convnext})

    files, size = clip()
    text = dict(vocab_size=size, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, max_position_embeddings=32,
                bos_token_id=size - 2, eos_token_id=size - 1, pad_token_id=size - 1)
    config = tf.CLIPConfig(text_config=text, vision_config=VISION, projection_dim=8)
    seen = {**image, "image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 24}, "crop_size": SIZE}
    yield "clip", model(tf.CLIPModel, config, {**files, "preprocessor_config.json": seen})


CHAT = """{{ bos_token }}{% for m in messages %}{{ m.role }}: {% if m.content is string %}{{ m.content }}{% else %}{% for part in m.content %}{% if part.type == "image" %}<|image|>{% else %}{{ part.text }}{% endif %}{% endfor %}{% endif %}
{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"""


def llama4():
    """Tiles of 16 pixels, which become four rows each."""
    vocab, merges = byte_level()
    specials = ["<|image|>", "<|image_start|>", "<|image_end|>", "<|patch|>", "<|tile_x_separator|>", "<|tile_y_separator|>"]
    tokenizer = tf.GPT2Tokenizer(vocab=vocab, merges=merges, bos_token="<|begin|>", eos_token="<|end|>", pad_token="<|pad|>",
                                 unk_token="<|end|>", additional_special_tokens=specials)
    images = tf.Llama4ImageProcessor(size={"height": 16, "width": 16}, max_patches=4)
    processor = tf.Llama4Processor(images, tokenizer, patch_size=4, pixel_shuffle_ratio=0.5, chat_template=CHAT)
    vision = dict(hidden_size=32, num_attention_heads=4, num_hidden_layers=1, intermediate_size=128, image_size=16, patch_size=4,
                  pixel_shuffle_ratio=0.5, projector_input_dim=24, projector_output_dim=24, vision_output_dim=24)
    text = dict(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=24, intermediate_size_mlp=32, num_hidden_layers=2,
                num_attention_heads=2, num_key_value_heads=1, head_dim=8, num_local_experts=2, max_position_embeddings=512,
                pad_token_id=None, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id)
    config = tf.Llama4Config(vision_config=vision, text_config=text, boi_token_index=tokenizer.convert_tokens_to_ids("<|image_start|>"),
                             eoi_token_index=tokenizer.convert_tokens_to_ids("<|image_end|>"),
                             image_token_index=tokenizer.convert_tokens_to_ids("<|patch|>"))
    return model(tf.Llama4ForConditionalGeneration, config, files_of(processor))


def seeing(kind, config, processor, text, vision, **more):
    """A text model that is shown images: towers and texts of few channels, the processor's ids."""
    tokenizer = processor.tokenizer
    text = dict(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
                num_key_value_heads=1, head_dim=8, max_position_embeddings=512, pad_token_id=None,
                bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, **text)
    vision = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, **vision)
    return model(kind, config(text_config=text, vision_config=vision, **more), files_of(processor))


def bytes_and(named, *tokens):
    """Byte-level tokens, and special ones: named as the tokenizer's attributes, or not."""
    vocab, merges = byte_level()
    special = {"additional_special_tokens": list(tokens)} if tokens else {"extra_special_tokens": named}
    return tf.GPT2Tokenizer(vocab=vocab, merges=merges, bos_token="<|begin|>", eos_token="<|end|>", pad_token="<|pad|>",
                            unk_token="<|end|>", **special)


def llava():
    tokenizer = bytes_and({}, "<image>")
    images = tf.CLIPImageProcessor(size={"shortest_edge": 24}, crop_size=SIZE)
    processor = tf.LlavaProcessor(images, tokenizer, patch_size=8, num_additional_image_tokens=1, image_token="<image>",
                                  vision_feature_select_strategy="default", chat_template=CHAT.replace("<|image|>", "<image>"))
    return seeing(tf.LlavaForConditionalGeneration, tf.LlavaConfig, processor, {"model_type": "qwen3"},
                  dict(model_type="clip_vision_model", image_size=24, patch_size=8), image_token_index=processor.image_token_id)


def smolvlm():
    """Tiles of 32 pixels, which become four rows each."""
    rows = [f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)]
    tokenizer = bytes_and({}, "<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", "<video>", *rows)
    images = tf.SmolVLMImageProcessor(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    processor = tf.SmolVLMProcessor(images, tokenizer, tf.SmolVLMVideoProcessor(), image_seq_len=4,
                                    chat_template=CHAT.replace("<|image|>", "<image>"))
    return seeing(tf.SmolVLMForConditionalGeneration, tf.SmolVLMConfig, processor, {"model_type": "llama"},
                  dict(image_size=32, patch_size=8), image_token_id=processor.image_token_id)


def gemma3():
    """Images of 24 pixels, which become four rows each, whose tokens see one another."""
    named = {"image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>"}
    tokenizer = bytes_and(named)
    processor = tf.Gemma3Processor(tf.Gemma3ImageProcessor(size=SIZE), tokenizer, image_seq_length=4,
                                   chat_template=CHAT.replace("<|image|>", "<start_of_image>"))
    text = {"sliding_window": 6, "layer_types": ["sliding_attention", "full_attention"]}
    ids = {f"{name.removesuffix('_token')}_token_index": tokenizer.convert_tokens_to_ids(token) for name, token in named.items()}
    return seeing(tf.Gemma3ForConditionalGeneration, tf.Gemma3Config, processor, text,
                  dict(model_type="siglip_vision_model", image_size=24, patch_size=6, vision_use_head=False), mm_tokens_per_image=4, **ids)


def qwen2_vl():
    """Images of any size, whose squares of 2 x 2 patches of 4 pixels become a row each."""
    named = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>", "begin_token": "<|vision_start|>", "end_token": "<|vision_end|>"}
    tokenizer = bytes_and(named)
    images = tf.Qwen2VLImageProcessor(patch_size=4, size={"shortest_edge": 256, "longest_edge": 1024})
    processor = tf.Qwen2VLProcessor(images, tokenizer, tf.Qwen2VLVideoProcessor(patch_size=4, size={"shortest_edge": 512, "longest_edge": 4096}),
                                    chat_template=CHAT.replace("<|image|>", "<|vision_start|><|image_pad|><|vision_end|>").replace(
                                        "{% else %}{{ part.text", "{% elif part.type == 'video' %}<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ part.text"))
    rope = {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}}
    size = dict(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
                num_key_value_heads=1, max_position_embeddings=512, pad_token_id=None, bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id, **rope)
    vision = dict(depth=2, embed_dim=16, hidden_size=16, mlp_ratio=2, num_heads=2, patch_size=4)
    config = tf.Qwen2VLConfig(text_config=size, vision_config=vision, image_token_id=processor.image_token_id,
                              video_token_id=processor.video_token_id)
    return model(tf.Qwen2VLForConditionalGeneration, config, files_of(processor))


def image_text_models():
    yield "llama4", llama4()
    yield "llava", llava()
    yield "smolvlm", smolvlm()
    yield "gemma3", gemma3()
    yield "qwen2-vl", qwen2_vl()


def video_models():
    """Their files name image processors, as those on the hub do."""
    three = labels("walk", "jump", "fall")
    size = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=16, patch_size=8)
    image = {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    files = {"preprocessor_config.json": {"image_processor_type": "VideoMAEImageProcessor", **image}}
    yield "videomae", model(tf.VideoMAEForVideoClassification, tf.VideoMAEConfig(**size, num_frames=4, tubelet_size=2, **three), files)
    files = {"preprocessor_config.json": {"image_processor_type": "VivitImageProcessor", **image, "offset": True, "rescale_factor": 1 / 127.5}}
    yield "vivit", model(tf.VivitForVideoClassification, tf.VivitConfig(**size, num_frames=4, tubelet_size=[2, 8, 8], **three), files)


def speech_models():
    extractor = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 16000, "feature_size": 1, "padding_value": 0.0,
                 "do_normalize": True, "return_attention_mask": False}
    files = {"preprocessor_config.json": extractor, "vocab.json": {letter: i for i, letter in enumerate(LETTERS)},
             "tokenizer_config.json": {"tokenizer_class": "Wav2Vec2CTCTokenizer", "pad_token": "<pad>", "bos_token": "<s>",
                                       "eos_token": "</s>", "unk_token": "<unk>", "word_delimiter_token": "|"}}
    yield "wav2vec2-ctc", model(tf.Wav2Vec2ForCTC, tf.Wav2Vec2Config(vocab_size=len(LETTERS), pad_token_id=0, **SPEECH), files)
    more = dict(feat_extract_norm="layer", do_stable_layer_norm=True)
    files = {"preprocessor_config.json": {**extractor, "return_attention_mask": True}}
    yield "wav2vec2-labels", model(tf.Wav2Vec2ForSequenceClassification,
                                   tf.Wav2Vec2Config(**SPEECH, **more, **labels("yes", "no", "stop", "go", "left", "right")), files)

    files, size, tokenizer = whisper(1)
    extractor = {"feature_extractor_type": "WhisperFeatureExtractor", "sampling_rate": 16000, "feature_size": 20, "chunk_length": 1,
                 "hop_length": 160, "n_fft": 400, "padding_value": 0.0, "return_attention_mask": False}
    of = tokenizer.convert_tokens_to_ids
    config = dict(vocab_size=size, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
                  encoder_ffn_dim=32, decoder_ffn_dim=32, num_mel_bins=20, max_source_positions=50, max_target_positions=64,
                  decoder_start_token_id=of("<|startoftranscript|>"), bos_token_id=of("<|endoftext|>"), eos_token_id=of("<|endoftext|>"),
                  pad_token_id=of("<|endoftext|>"), suppress_tokens=None, begin_suppress_tokens=None)
    generation = {"is_multilingual": True, "lang_to_id": {f"<|{code}|>": of(f"<|{code}|>") for code in LANGUAGES},
                  "task_to_id": {name: of(f"<|{name}|>") for name in ("translate", "transcribe")},
                  "no_timestamps_token_id": of("<|notimestamps|>"), "prev_sot_token_id": of("<|startofprev|>"), "max_length": 40,
                  "begin_suppress_tokens": [220, of("<|endoftext|>")], "suppress_tokens": [1, 2, of("<|translate|>"), of("<|transcribe|>"),
                  of("<|startoflm|>"), of("<|startofprev|>"), of("<|nospeech|>")],
                  "decoder_start_token_id": of("<|startoftranscript|>"), "eos_token_id": of("<|endoftext|>"), "num_beams": 1,
                  "pad_token_id": of("<|endoftext|>"), "max_initial_timestamp_index": 50, "return_timestamps": False}
    files = {**files, "preprocessor_config.json": extractor, "generation_config.json": generation}
    yield "whisper", model(tf.WhisperForConditionalGeneration, tf.WhisperConfig(**config), files)
    yield "whisper-labels", model(tf.WhisperForAudioClassification, tf.WhisperConfig(**config, **labels("a", "b", "c")),
                                  {"preprocessor_config.json": extractor})


def all_models():
    return {**dict(text_models()), **dict(vision_models()), **dict(image_text_models()), **dict(video_models()),
            **dict(speech_models())}
