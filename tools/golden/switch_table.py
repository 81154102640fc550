"""What `golden.py switches` turns: a list of cases for each model type. See `switches.Switch` for the fields."""

from bert_switches import BERTS, BERTS_KEPT
from cosmos3_edge_switches import COSMOS3_EDGE, COSMOS3_EDGE_KEPT
from decoder_switches import DECODERS, DECODERS_KEPT
from deepseek_ocr2_switches import DEEPSEEK_OCR2, DEEPSEEK_OCR2_KEPT
from deepseek_v4_switches import DEEPSEEK_V4, DEEPSEEK_V4_KEPT
from deimv2_switches import DEIMV2, DEIMV2_KEPT
from detection_switches import DETECTIONS, DETECTIONS_KEPT
from encoder_switches import ENCODERS, ENCODERS_KEPT
from glm_image_switches import GLM_IMAGE, GLM_IMAGE_KEPT
from hy_v4_switches import HY_V4, HY_V4_KEPT
from image_chat_switches import IMAGE_CHAT, IMAGE_CHAT_KEPT
from image_text_switches import IMAGE_TEXTS, IMAGE_TEXTS_KEPT
from image_switches import IMAGES, IMAGES_KEPT
from keypoints_switches import KEYPOINTS, KEYPOINTS_KEPT
from llama_switches import RELATIVES, RELATIVES_KEPT
from mistral_large4_switches import MISTRAL_LARGE4, MISTRAL_LARGE4_KEPT
from mixer_switches import MIXERS, MIXERS_KEPT
from multimodal_switches import MULTIMODAL, MULTIMODAL_KEPT
from omni_switches import OMNI, OMNI_KEPT
from nemotron_h_omni_switches import NEMOTRON_H_OMNI, NEMOTRON_H_OMNI_KEPT
from phi4_switches import PHI4, PHI4_KEPT
from pi0_switches import PI0, PI0_KEPT
from pyramid_switches import PYRAMIDS, PYRAMIDS_KEPT
from relatives_switches import YOUNGER, YOUNGER_KEPT
from seamless_switches import SEAMLESS, SEAMLESS_KEPT
from segments_switches import SEGMENTS, SEGMENTS_KEPT
from seq2seq_switches import SEQ2SEQ, SEQ2SEQ_KEPT
from documents_switches import DOCUMENTS, DOCUMENTS_KEPT
from sound_switches import SOUNDS, SOUNDS_KEPT
from speech_chat_switches import SPEECH_CHAT, SPEECH_CHAT_KEPT
from speech_switches import SPEECH, SPEECH_KEPT
from step3p7_switches import STEP3P7, STEP3P7_KEPT
from switches import ABSENT, Switch, crossed
from text_decoders_switches import TEXT_DECODERS, TEXT_DECODERS_KEPT
from time_series_switches import SERIES, SERIES_KEPT
from vision_switches import VISION, VISION_KEPT
from vision_chat_switches import VISION_CHAT, VISION_CHAT_KEPT
from vit_switches import VITS, VITS_KEPT
from voices_switches import VOICES, VOICES_KEPT
from window_switches import WINDOWED, WINDOWED_KEPT
from younger_text_switches import YOUNGER_TEXT, YOUNGER_TEXT_KEPT

PADDINGS = ["ones", "right", "left", "holes", None]
LENGTHS = [1, 2, 33, 130]
ROWS = {1: 1, 2: 3, 33: 1, 130: 3}


def activations(architecture: str, field: str, names: list[str], **more) -> list[Switch]:
    """The class with each activation in this field."""
    return [Switch(architecture, f"act_{name}", {field: name}, **more) for name in names]


def lengths(architecture: str, config: dict | None = None, **more) -> list[Switch]:
    """Short and long texts, one row and three, each with another mask; and every mask at 9 tokens."""
    found = [
        Switch(architecture, f"length_{n}", config or {}, rows=ROWS[n], length=n,
               mask=PADDINGS[i % len(PADDINGS)], **more)
        for i, n in enumerate(LENGTHS)
    ]
    return found + [
        Switch(architecture, f"mask_{kind}", config or {}, rows=3, length=9, mask=kind, **more)
        for kind in PADDINGS
    ]


def positions(architecture: str, config: dict | None = None, **more) -> list[Switch]:
    """Positions given: backwards, and other ones in each row."""
    rows = [[6, 5, 4, 3, 2, 1, 0], [3, 4, 5, 9, 10, 11, 12]]
    return [Switch(architecture, "position_ids", config or {}, inputs={"position_ids": {"values": rows}},
        **more)]


def one_label(architecture: str, **more) -> list[Switch]:
    return [Switch(architecture, "one_label", {"num_labels": 1, "problem_type": "regression"}, **more),
            Switch(architecture, "five_labels",
                   {"num_labels": 5, "problem_type": "multi_label_classification"}, **more)]


GELUS = ["gelu_new", "gelu_fast", "quick_gelu", "gelu_pytorch_tanh", "gelu_accurate", "gelu_python"]
OTHERS = ["relu", "silu", "swish", "mish", "relu2", "relu6", "tanh", "sigmoid", "hardswish", "linear"]

ENCODER_TYPES = {"token_type_ids": None}
ZERO_ROW = {"attention_mask": {"values": [[1] * 7, [0] * 7]}}
BOTH_ZERO_ROWS = {**ZERO_ROW, "decoder_attention_mask": ZERO_ROW["attention_mask"]}
CHOICE_POSITIONS = {"position_ids": {"shape": [2, 4, 7], "ids": [0, 7]}}
PACKED = {"position_ids": {"values": [[0, 1, 2, 0, 1, 0, 1], [4, 5, 6, 7, 1, 2, 3]]}, "attention_mask": None}
OFFSET = {"position_ids": {"values": [[3, 4, 5, 6, 7, 8, 9], [0, 1, 2, 3, 4, 5, 6]]}, "attention_mask": None}
OTHER_MASKS = {
    "bool_mask": {"attention_mask": {"values": [[1] * 7, [1] * 4 + [0] * 3], "dtype": "BOOL"}},
    "f32_mask": {"attention_mask": {"values": [[1] * 7, [1] * 4 + [0] * 3], "dtype": "F32"}},
}


def embeds(model: str, width: int) -> list[Switch]:
    """Vectors in place of tokens."""
    vectors = {"input_ids": None, "token_type_ids": None,
               "inputs_embeds": {"shape": [2, 7, width], "lo": -1.0, "hi": 1.0}}
    return [Switch(model, "embeds", inputs=vectors), Switch(model, "embeds_alone", mask=None, inputs=vectors)]


def unusual(lm: str, model: str, width: int) -> list[Switch]:
    """Positions that go on from another text, several texts in a row, a row of padding, masks of other dtypes."""
    return [Switch(lm, "packed", inputs=PACKED), Switch(lm, "offset_positions", inputs=OFFSET),
            Switch(model, "zero_row", inputs=ZERO_ROW)] + [
        Switch(model, name, inputs=mask) for name, mask in OTHER_MASKS.items()
    ] + embeds(model, width)


def stored(architecture: str, **config) -> list[Switch]:
    """The dtypes weights are stored in, with few of them."""
    return [Switch(architecture, dtype.lower(), config, weights=dtype) for dtype in ("F64", "F16", "BF16")]



BERT = (
    activations("BertForMaskedLM", "hidden_act", GELUS + OTHERS)
    + lengths("BertModel")
    + embeds("BertModel", 32)
    + positions("BertModel")
    + one_label("BertForSequenceClassification")
    + crossed("BertModel", 32, is_decoder=True)
    + [
        Switch("BertModel", "no_types", inputs=ENCODER_TYPES),
        Switch("BertModel", "chunked", {"chunk_size_feed_forward": 7}),
        Switch("BertModel", "one_type", {"type_vocab_size": 1}),
        Switch("BertModel", "no_layers", {"num_hidden_layers": 0}),
        Switch("BertModel", "eps", {"layer_norm_eps": 0.1}),
        Switch("BertForMaskedLM", "untied", {"tie_word_embeddings": False}),
        Switch("BertForPreTraining", "untied", {"tie_word_embeddings": False}),
        Switch("BertLMHeadModel", "untied", {"tie_word_embeddings": False, "is_decoder": True}),
        Switch("BertLMHeadModel", "left", {"is_decoder": True}, mask="left", rows=3),
        Switch("BertModel", "decoder", {"is_decoder": True}, mask="holes", rows=3),
        Switch("BertForTokenClassification", "one_label", {"num_labels": 1}),
        Switch("BertModel", "zero_row", inputs=ZERO_ROW),
        Switch("BertModel", "zero_row_decoder", {"is_decoder": True}, inputs=ZERO_ROW),
        Switch("BertModel", "decoder_positions", {"is_decoder": True}, inputs=PACKED),
        Switch("BertForMultipleChoice", "positions", inputs=CHOICE_POSITIONS),
        Switch("BertModel", "defaults", {k: ABSENT for k in
               ("hidden_act", "layer_norm_eps", "pad_token_id", "is_decoder", "tie_word_embeddings",
                   "use_cache",
                "add_cross_attention", "max_position_embeddings", "dtype", "transformers_version")}, raw=True),
    ]
)
ROBERTA = (
    activations("RobertaForMaskedLM", "hidden_act", ["relu", "gelu_new"])
    + lengths("RobertaModel")
    + embeds("RobertaModel", 32)
    + positions("RobertaModel")
    + one_label("RobertaForSequenceClassification")
    + crossed("RobertaModel", 32, is_decoder=True)
    + [
        Switch("RobertaModel", "pads", inputs={"input_ids": {"values": [[9, 8, 1, 7, 1, 1, 1], [1, 1, 5, 1,
               6, 7, 8]]}}),
        Switch("RobertaModel", "pad_zero", {"pad_token_id": 0}, inputs={"input_ids": {"values": [[9, 8, 0,
               7, 1, 1, 0], [0, 0, 5, 1, 6, 7, 8]]}}),
        Switch("RobertaForMaskedLM", "untied", {"tie_word_embeddings": False}),
        Switch("RobertaForCausalLM", "decoder", {"is_decoder": True}, mask="ones"),
        Switch("RobertaForCausalLM", "untied", {"is_decoder": True, "tie_word_embeddings": False}),
        Switch("RobertaModel", "no_types", inputs=ENCODER_TYPES),
        Switch("RobertaForMultipleChoice", "positions", inputs=CHOICE_POSITIONS),
        Switch("RobertaModel", "defaults", {k: ABSENT for k in
               ("hidden_act", "layer_norm_eps", "pad_token_id", "is_decoder", "tie_word_embeddings",
                "add_cross_attention", "max_position_embeddings", "vocab_size")}, raw=True, length=3),
    ]
)
ELECTRA = (
    activations("ElectraForMaskedLM", "hidden_act", ["relu", "silu"])
    + lengths("ElectraModel")
    + embeds("ElectraModel", 32)
    + positions("ElectraModel")
    + one_label("ElectraForSequenceClassification")
    + [
        Switch("ElectraForMultipleChoice", "proj", {"summary_activation": "tanh", "summary_type": "last"}),
        Switch("ElectraForMultipleChoice", "last", {"summary_activation": "relu", "summary_type": "last"}),
        Switch("ElectraForMultipleChoice", "mean", {"summary_proj_to_labels": False, "summary_type": "mean"}),
        Switch("ElectraForMultipleChoice", "positions", inputs=CHOICE_POSITIONS),
        Switch("ElectraForMultipleChoice", "no_proj", {"summary_use_proj": False}),
        Switch("ElectraForMaskedLM", "untied", {"tie_word_embeddings": False, "embedding_size": 12}),
        Switch("ElectraForCausalLM", "decoder", {"is_decoder": True, "embedding_size": 20}),
        Switch("ElectraModel", "no_types", inputs=ENCODER_TYPES),
    ]
)
ALBERT_LONG = {"max_position_embeddings": 140}
ALBERT = (
    activations("AlbertForMaskedLM", "hidden_act", ["relu", "gelu", "silu"])
    + lengths("AlbertModel", ALBERT_LONG)
    + embeds("AlbertModel", 8)
    + positions("AlbertModel", ALBERT_LONG)
    + one_label("AlbertForSequenceClassification")
    + [
        Switch("AlbertModel", "groups", {"num_hidden_layers": 5, "num_hidden_groups": 2,
               "inner_group_num": 3}),
        Switch("AlbertModel", "groups_3_of_7", {"num_hidden_layers": 7, "num_hidden_groups": 3}),
        Switch("AlbertModel", "groups_6_of_7", {"num_hidden_layers": 7, "num_hidden_groups": 6}),
        Switch("AlbertForMaskedLM", "untied", {"tie_word_embeddings": False}),
        Switch("AlbertForPreTraining", "untied", {"tie_word_embeddings": False, "num_labels": 3}),
        Switch("AlbertModel", "no_types", inputs=ENCODER_TYPES),
        Switch("AlbertForMultipleChoice", "positions", inputs=CHOICE_POSITIONS),
        Switch("AlbertModel", "chunked", {"chunk_size_feed_forward": 7}),
    ]
)
DISTILBERT = (
    activations("DistilBertForMaskedLM", "activation", ["relu", "gelu_new", "silu"])
    + lengths("DistilBertModel")
    + embeds("DistilBertModel", 32)
    + one_label("DistilBertForSequenceClassification")
    + [
        Switch("DistilBertForMaskedLM", "untied", {"tie_word_embeddings": False}),
        Switch("DistilBertModel", "sinusoidal", {"sinusoidal_pos_embds": True}),
        Switch("DistilBertModel", "position_ids", inputs={"position_ids": {"values": [[6, 5, 4, 3, 2, 1,
               0]] * 2}}),
        Switch("DistilBertForMaskedLM", "aliases", {"dim": ABSENT, "n_heads": ABSENT, "n_layers": ABSENT,
               "hidden_size": 20, "num_attention_heads": 5, "num_hidden_layers": 1}, raw=True),
        Switch("DistilBertModel", "chunked", {"chunk_size_feed_forward": 7}),
    ]
)
GPT2 = (
    activations("GPT2LMHeadModel", "activation_function", GELUS + OTHERS)
    + lengths("GPT2Model")
    + unusual("GPT2LMHeadModel", "GPT2Model", 32)
    + positions("GPT2LMHeadModel")
    + one_label("GPT2ForSequenceClassification")
    + crossed("GPT2LMHeadModel", 32, scale_attn_by_inverse_layer_idx=True)
    + [
        Switch("GPT2LMHeadModel", "tied", {"tie_word_embeddings": True}),
        Switch("GPT2LMHeadModel", "no_types", inputs=ENCODER_TYPES, mask="left", rows=3, length=11),
        Switch("GPT2LMHeadModel", "upcast", {"reorder_and_upcast_attn": True}),
        Switch("GPT2LMHeadModel", "scales", {"reorder_and_upcast_attn": True,
               "scale_attn_by_inverse_layer_idx": True,
               "scale_attn_weights": False, "n_layer": 3}),
        Switch("GPT2LMHeadModel", "inner", {"n_inner": 17}),
        Switch("GPT2LMHeadModel", "aliases", {"n_embd": ABSENT, "n_head": ABSENT, "n_layer": ABSENT,
               "n_positions": ABSENT,
               "hidden_size": 20, "num_attention_heads": 5, "num_hidden_layers": 1, "max_position_embeddings": 40}, raw=True),
        Switch("GPT2DoubleHeadsModel", "labels", {"num_labels": 3}),
        Switch("GPT2DoubleHeadsModel", "summary", {"num_labels": 3, "summary_proj_to_labels": False,
               "summary_activation": "tanh", "summary_type": "last"}),
        Switch("GPT2DoubleHeadsModel", "mean", {"summary_type": "mean", "summary_use_proj": False}),
        Switch("GPT2DoubleHeadsModel", "choices", kwargs={"output_hidden_states": True}, inputs={
            "input_ids": {"shape": [2, 3, 5], "ids": [6, 90]}, "attention_mask": None, "token_type_ids": None,
            "mc_token_ids": {"values": [[4, 2, 1], [0, 3, 4]]}}),
        Switch("GPT2ForSequenceClassification", "pads", {"pad_token_id": 0}, rows=3,
               inputs={"input_ids": {"values": [[5, 6, 7, 0, 0], [0, 0, 8, 9, 0], [0, 0, 0, 0, 0]]},
                   "attention_mask": None, "token_type_ids": None}),
        Switch("GPT2ForSequenceClassification", "no_pad", {"pad_token_id": None}, rows=1),
    ]
)
ROPES = {
    "linear": {"rope_type": "linear", "factor": 3.0},
    "dynamic": {"rope_type": "dynamic", "factor": 3.0},
    "yarn": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8},
    "yarn_scaled": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 8.0,
                    "beta_slow": 2.0, "mscale": 0.7, "mscale_all_dim": 1.3, "truncate": False},
    "yarn_factor": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "attention_factor": 0.8},
    "llama3": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
               "original_max_position_embeddings": 16},
}


def ropes(architecture: str, half: int, theta: float = 10000.0, beyond: int = 40) -> list[Switch]:
    """Every kind of scaling, new form and old, with a text longer than what the model was made for."""
    longrope = {"rope_type": "longrope", "original_max_position_embeddings": 16,
                "short_factor": [1.0 + 0.1 * i for i in range(half)],
                "long_factor": [2.0 + 0.3 * i for i in range(half)]}
    kinds = ROPES | {"longrope": longrope, "longrope_factor": {**longrope, "factor": 4.0},
                     "longrope_attention": {**longrope, "attention_factor": 1.4}}
    found = []
    for name, parameters in kinds.items():
        limits = {"max_position_embeddings": 20}
        found.append(Switch(architecture, f"rope_{name}", limits | {"rope_parameters": {**parameters,
            "rope_theta": theta}},
                            rows=1, length=beyond, mask="ones"))
        found.append(Switch(architecture, f"rope_{name}_short", limits | {"rope_parameters": {**parameters,
            "rope_theta": theta}},
                            rows=2, length=10, mask="right"))
        old = {("type" if key == "rope_type" and name in ("linear", "dynamic", "yarn") else key): value
               for key, value in parameters.items()}
        found.append(Switch(architecture, f"rope_{name}_old", limits | {"rope_parameters": ABSENT,
            "rope_theta": 5000.0,
                            "rope_scaling": old}, raw=True, rows=2, length=24, mask=None))
    found.append(Switch(architecture, "rope_old", {"rope_parameters": ABSENT, "rope_theta": 500.0,
        "rope_scaling": None},
                        raw=True, rows=2, length=24, mask=None))
    found.append(Switch(architecture, "rope_both", {"rope_parameters": {"rope_theta": 500.0,
        "rope_type": "default"},
                        "rope_scaling": {"type": "linear", "factor": 2.0, "rope_theta": 300.0}}, raw=True, rows=1, length=9, mask=None))
    for name in ("dynamic", "longrope"):
        found.append(Switch(architecture, f"rope_{name}_crossing", {"max_position_embeddings": 20,
                     "rope_parameters": {**kinds[name], "rope_theta": theta}}, length=16, mask=None))
        found.append(Switch(architecture, f"rope_{name}_positions", {"max_position_embeddings": 20,
                     "rope_parameters": {**kinds[name], "rope_theta": theta}}, rows=2, length=7,
                     inputs={"position_ids": {"values": [[20, 21, 22, 23, 24, 25, 26], [1, 2, 3, 4, 5, 6,
                         7]]}}))
    return found


def causal(lm: str, model: str, classify: str, width: int = 32) -> list[Switch]:
    """What every causal model type has."""
    found = lengths(model) + positions(lm) + unusual(lm, model, width)
    found += [
        Switch(lm, "other_tie", {"tie_word_embeddings": True}, mask="holes", rows=3, length=10),
        Switch(lm, "one_token", {}, rows=3, length=1, mask=None),
        Switch(lm, "left_positions", rows=2, length=6, mask=None, inputs={
            "attention_mask": {"values": [[1] * 6, [0, 0, 1, 1, 1, 1]]},
            "position_ids": {"values": [[0, 1, 2, 3, 4, 5], [1, 1, 0, 1, 2, 3]]}}),
        Switch(model, "not_causal", {"is_causal": False}),
    ]
    found += one_label(classify) + [
        Switch(classify, "pads", {"pad_token_id": 0}, rows=3, mask=None,
               inputs={"input_ids": {"values": [[5, 6, 7, 0, 0], [0, 0, 8, 9, 0], [0, 0, 0, 0, 0]]}}),
        Switch(classify, "no_pad", {"pad_token_id": None}, rows=1),
    ]
    return found


GPT_NEOX = (
    activations("GPTNeoXForCausalLM", "hidden_act", GELUS + OTHERS)
    + causal("GPTNeoXForCausalLM", "GPTNeoXModel", "GPTNeoXForSequenceClassification", 64)
    + ropes("GPTNeoXForCausalLM", 2)
    + [
        Switch("GPTNeoXForCausalLM", f"partial_{part}", {"rope_parameters": {"rope_type": "default",
               "rope_theta": 900.0,
               "partial_rotary_factor": part}}) for part in (0.5, 0.75, 1.0)
    ]
    + [
        Switch("GPTNeoXForCausalLM", "old_partial", {"rope_parameters": ABSENT, "rotary_pct": 0.5,
               "rotary_emb_base": 700}, raw=True),
        Switch("GPTNeoXForCausalLM", "old_default", {"rope_parameters": ABSENT}, raw=True),
        Switch("GPTNeoXForCausalLM", "old_theta", {"rope_parameters": ABSENT, "rope_theta": 77.0,
               "rotary_pct": 1.0}, raw=True),
        Switch("GPTNeoXForCausalLM", "no_bias", {"attention_bias": False, "use_parallel_residual": False}),
    ]
)


TINY = {"hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 30,
    "intermediate_size": 8}


def llama_like(lm: str, model: str, classify: str, half: int = 8) -> list[Switch]:
    return (
        activations(lm, "hidden_act", GELUS + OTHERS)
        + causal(lm, model, classify)
        + ropes(lm, half)
        + stored(lm, **TINY)
        + [
            Switch(lm, "groups", {"num_attention_heads": 6, "num_key_value_heads": 3, "head_dim": 10,
                   "hidden_size": 36}),
            Switch(lm, "multi_query", {"num_key_value_heads": 1, "head_dim": 6}),
            Switch(lm, "all_heads", {"num_key_value_heads": 4}),
            Switch(lm, "partial", {"rope_parameters": {"rope_type": "default", "rope_theta": 900.0,
                   "partial_rotary_factor": 0.5}}),
            Switch(lm, "wide_heads", {"head_dim": 24}),
        ]
    )


LLAMA = llama_like("LlamaForCausalLM", "LlamaModel", "LlamaForSequenceClassification") + [
    Switch("LlamaForCausalLM", "biases", {"attention_bias": True, "mlp_bias": True}),
    Switch("LlamaForCausalLM", "attention_bias", {"attention_bias": True}),
    Switch("LlamaForCausalLM", "mlp_bias", {"mlp_bias": True}),
    Switch("LlamaForCausalLM", "null_heads", {"head_dim": None, "num_key_value_heads": None}, raw=True),
    Switch("LlamaForCausalLM", "absent_heads", {"head_dim": ABSENT, "num_key_value_heads": ABSENT}, raw=True),
]


def windows(lm: str, more: dict | None = None) -> list[Switch]:
    found = []
    for window in (2, 5, 8):
        for length in (4, 12, 33):
            found.append(Switch(lm, f"window_{window}_of_{length}", {**(more or {}),
                "sliding_window": window},
                                length=length, mask="ones", rows=2))
    found.append(Switch(lm, "window_packed", {**(more or {}), "sliding_window": 2}, inputs=PACKED))
    found.append(Switch(lm, "window_left", {**(more or {}), "sliding_window": 4}, length=12, mask="left",
        rows=3))
    found.append(Switch(lm, "window_holes", {**(more or {}), "sliding_window": 4}, length=12, mask="holes",
        rows=3))
    found.append(Switch(lm, "window_positions", {**(more or {}), "sliding_window": 4}, length=7, mask=None,
        rows=2,
                        inputs={"position_ids": {"values": [[6, 5, 4, 3, 2, 1, 0], [3, 4, 5, 9, 10, 11,
                            12]]}}))
    return found


MISTRAL = llama_like("MistralForCausalLM", "MistralModel",
    "MistralForSequenceClassification") + windows("MistralForCausalLM") + [
    Switch("MistralForCausalLM", "no_window", {"sliding_window": None}, length=12),
    Switch("MistralModel", "window_both_ways", {"is_causal": False}, length=12),
    Switch("MistralForCausalLM", "absent_heads", {"head_dim": ABSENT}, raw=True),
]
QWEN_WINDOW = {"use_sliding_window": True, "layer_types": ["sliding_attention", "full_attention",
    "sliding_attention"],
               "num_hidden_layers": 3}
QWEN2 = llama_like("Qwen2ForCausalLM", "Qwen2Model", "Qwen2ForSequenceClassification",
    4) + windows("Qwen2ForCausalLM", QWEN_WINDOW) + [
    Switch("Qwen2ForCausalLM", "old_window", {"use_sliding_window": True, "layer_types": ABSENT,
           "sliding_window": 3,
           "max_window_layers": 1}, raw=True, length=12),
    Switch("Qwen2ForCausalLM", "unused_window", {"use_sliding_window": False, "layer_types": ABSENT,
           "sliding_window": 3,
           "max_window_layers": 0}, raw=True, length=12),
    Switch("Qwen2ForCausalLM", "null_window", {"use_sliding_window": True, "layer_types": ABSENT,
           "sliding_window": None,
           "max_window_layers": 0}, raw=True, length=12),
]
QWEN3 = llama_like("Qwen3ForCausalLM", "Qwen3Model",
    "Qwen3ForSequenceClassification") + windows("Qwen3ForCausalLM", QWEN_WINDOW) + [
    Switch("Qwen3ForCausalLM", "attention_bias", {"attention_bias": True}),
    Switch("Qwen3ForCausalLM", "old_window", {"use_sliding_window": True, "layer_types": ABSENT,
           "sliding_window": 3,
           "max_window_layers": 1}, raw=True, length=12),
]


def gemma(switch: Switch) -> Switch:
    if "hidden_act" in switch.config:
        switch.config = {"hidden_activation": switch.config["hidden_act"]}
    return switch


GEMMA2 = [gemma(switch) for switch in
          llama_like("Gemma2ForCausalLM", "Gemma2Model", "Gemma2ForSequenceClassification")
          + windows("Gemma2ForCausalLM")] + [
    Switch("Gemma2ForCausalLM", "caps", {"attn_logit_softcapping": 2.0, "final_logit_softcapping": 1.5,
           "query_pre_attn_scalar": 9}),
    Switch("Gemma2ForCausalLM", "no_caps", {"attn_logit_softcapping": None, "final_logit_softcapping": None}),
    Switch("Gemma2ForCausalLM", "attention_bias", {"attention_bias": True}),
    Switch("Gemma2ForCausalLM", "all_sliding", {"layer_types": ["sliding_attention"] * 2,
           "sliding_window": 3}, length=12),
    Switch("Gemma2ForCausalLM", "absent", {"layer_types": ABSENT, "num_hidden_layers": 3, "sliding_window": 3,
           "hidden_activation": ABSENT, "attn_logit_softcapping": ABSENT, "final_logit_softcapping": ABSENT,
           "query_pre_attn_scalar": ABSENT, "rope_parameters": ABSENT, "rms_norm_eps": ABSENT,
           "pad_token_id": ABSENT, "tie_word_embeddings": ABSENT}, raw=True, length=12),
    Switch("Gemma2ForCausalLM", "old_act", {"hidden_act": "gelu_pytorch_tanh"}, raw=True),
]
OPT_LONG = {"max_position_embeddings": 140}
OPT = (
    activations("OPTForCausalLM", "activation_function", GELUS + OTHERS)
    + causal("OPTForCausalLM", "OPTModel", "OPTForSequenceClassification", 16)
    + [
        Switch("OPTForCausalLM", "post_projected", {"do_layer_norm_before": False,
               "word_embed_proj_dim": 12}),
        Switch("OPTForCausalLM", "untied_projected", {"tie_word_embeddings": False,
               "word_embed_proj_dim": 12}),
        Switch("OPTForCausalLM", "no_final_norm", {"_remove_final_layer_norm": True}),
        Switch("OPTForCausalLM", "no_bias", {"enable_bias": False}),
        Switch("OPTForCausalLM", "no_affine", {"layer_norm_elementwise_affine": False}),
        Switch("OPTModel", "post_holes", {"do_layer_norm_before": False}, mask="holes", rows=3),
    ]
)
for switch in OPT:
    if switch.length > 40:
        switch.config = switch.config | OPT_LONG
BLOOM = (
    causal("BloomForCausalLM", "BloomModel", "BloomForSequenceClassification")
    + [Switch("BloomForCausalLM", f"heads_{n}", {"n_head": n, "hidden_size": 6 * n}) for n in (1, 3, 5, 6,
        7, 12)]
    + [
        Switch("BloomForCausalLM", "slow", {"pretraining_tp": 2, "slow_but_exact": True}),
        Switch("BloomForCausalLM", "slow_one", {"pretraining_tp": 1, "slow_but_exact": True}),
        Switch("BloomForCausalLM", "tp", {"pretraining_tp": 2}),
        Switch("BloomForCausalLM", "post", {"apply_residual_connection_post_layernorm": True}),
        Switch("BloomForCausalLM", "eps", {"layer_norm_epsilon": 0.01}),
        Switch("BloomForCausalLM", "aliases", {"hidden_size": ABSENT, "n_embed": 24, "n_layer": ABSENT,
               "n_head": ABSENT,
               "num_hidden_layers": 1, "num_attention_heads": 3}, raw=True),
    ]
)
T5_ACTS = ["relu", "gated-gelu", "gated-relu", "gated-silu", "gelu", "gelu_new", "silu"]
T5 = (
    activations("T5ForConditionalGeneration", "feed_forward_proj", T5_ACTS,
                raw=True)
    + lengths("T5Model", decoder_length=5)
    + one_label("T5ForSequenceClassification")
    + [
        Switch("T5EncoderModel", f"encoder_{n}", length=n, rows=1, mask="ones") for n in (1, 130, 300)
    ]
    + [
        Switch("T5ForConditionalGeneration", f"buckets_{b}_{m}", {"relative_attention_num_buckets": b,
               "relative_attention_max_distance": m}, length=33, decoder_length=40) for b, m in ((32, 128), (8, 20), (16, 9), (7, 12), (5, 20), (4, 64))
    ]
    + [
        Switch("T5ForConditionalGeneration", "untied", {"tie_word_embeddings": False}),
        Switch("T5ForConditionalGeneration", "untied_scaled", {"tie_word_embeddings": False,
               "scale_decoder_outputs": True}),
        Switch("T5ForConditionalGeneration", "tied_unscaled", {"scale_decoder_outputs": False}),
        Switch("T5ForConditionalGeneration", "old_tied", {"scale_decoder_outputs": ABSENT}, raw=True),
        Switch("T5ForConditionalGeneration", "old_untied", {"scale_decoder_outputs": ABSENT,
               "tie_word_embeddings": False}, raw=True),
        Switch("T5Model", "zero_row", inputs=BOTH_ZERO_ROWS),
        Switch("T5ForConditionalGeneration", "long", rows=1, length=300, decoder_length=200, mask="ones"),
        Switch("T5Model", "layers", {"num_layers": 1, "num_decoder_layers": 3}),
        Switch("T5ForConditionalGeneration", "decoder_default", {"num_decoder_layers": None}, raw=True),
        Switch("T5ForConditionalGeneration", "left", mask="left", rows=3, length=9, decoder_length=6),
        Switch("T5ForConditionalGeneration", "eps", {"layer_norm_epsilon": 0.1}),
        Switch("T5ForSequenceClassification", "shifted", inputs={"decoder_input_ids": None,
               "decoder_attention_mask": None}),
        Switch("T5ForQuestionAnswering", "shifted", inputs={"decoder_input_ids": None,
               "decoder_attention_mask": None}),
        Switch("T5ForTokenClassification", "three", {"num_labels": 3}),
    ]
)
BART = (
    activations("BartForConditionalGeneration", "activation_function", GELUS + OTHERS)
    + lengths("BartModel", {"max_position_embeddings": 140}, decoder_length=5)
    + one_label("BartForSequenceClassification")
    + [
        Switch("BartForConditionalGeneration", "untied", {"tie_word_embeddings": False}),
        Switch("BartForConditionalGeneration", "scaled", {"scale_embedding": True, "decoder_layers": 3,
               "encoder_layers": 1}),
        Switch("BartForConditionalGeneration", "heads", {"encoder_attention_heads": 2,
               "decoder_attention_heads": 8}),
        Switch("BartForConditionalGeneration", "left", mask="left", rows=3, length=9, decoder_length=6),
        Switch("BartForConditionalGeneration", "shifted", inputs={"decoder_input_ids": None,
               "decoder_attention_mask": None}),
        Switch("BartModel", "shifted", inputs={"decoder_input_ids": None, "decoder_attention_mask": None}),
        Switch("BartModel", "shifted_pads", inputs={"input_ids": {"values": [[5, 6, 7, 8, 2, 0, 0], [9, 8,
               0, 4, 5, 6, 2]]},
               "decoder_input_ids": None, "decoder_attention_mask": None}),
        Switch("BartModel", "zero_row", inputs=BOTH_ZERO_ROWS),
        Switch("BartForSequenceClassification", "two_ends", inputs={
               "input_ids": {"values": [[5, 6, 2, 7, 8, 2, 9], [2, 5, 6, 7, 8, 9, 2]]}}),
        Switch("BartForCausalLM", "untied", {"tie_word_embeddings": False}),
        Switch("BartForCausalLM", "scaled", {"scale_embedding": True}),
        Switch("BartForCausalLM", "left", mask="left", rows=3),
        Switch("BartForQuestionAnswering", "shifted", inputs={"decoder_input_ids": None,
               "decoder_attention_mask": None}),
        Switch("BartForSequenceClassification", "shifted", inputs={"decoder_input_ids": None,
               "decoder_attention_mask": None}),
        Switch("BartModel", "aliases", {"encoder_layers": ABSENT, "num_hidden_layers": 1,
               "d_model": ABSENT, "hidden_size": 24,
               "encoder_attention_heads": ABSENT, "num_attention_heads": 6}, raw=True),
    ]
)


def vit(model: str, classify: str, masked: str) -> list[Switch]:
    image = {"shape": [2, 3, 12, 20], "lo": -1.0, "hi": 1.0}
    small = {"image_size": 12, "patch_size": 4, "encoder_stride": 4}
    square = {"pixel_values": {"shape": [2, 3, 12, 12], "lo": -1.0, "hi": 1.0}}
    one = {"pixel_values": {"shape": [1, 3, 12, 12], "lo": -1.0, "hi": 1.0}}
    return [Switch(model, f"act_{name}", {**small, "hidden_act": name}, inputs=one)
        for name in GELUS + OTHERS] + [
        Switch(model, "wide", {"image_size": [12, 20], "patch_size": 4}, inputs={"pixel_values": image}),
        Switch(model, "wide_patches", {"image_size": [12, 20], "patch_size": [3, 5]},
               inputs={"pixel_values": image}),
        Switch(model, "odd", {"image_size": [14, 23], "patch_size": [3, 5]},
               inputs={"pixel_values": {"shape": [1, 3, 14, 23], "lo": -1.0, "hi": 1.0}}),
        Switch(model, "no_bias", {**small, "qkv_bias": False}, inputs=square),
        Switch(model, "pooler", {**small, "pooler_output_size": 11, "pooler_act": "relu"}, inputs=square),
        Switch(model, "eps", {**small, "layer_norm_eps": 0.1}, inputs=square),
        Switch(model, "one_layer", {**small, "num_hidden_layers": 1, "num_attention_heads": 1},
               inputs=square),
        Switch(classify, "one_label", {**small, "num_labels": 1}, inputs=square),
        Switch(classify, "five_labels", {**small, "num_labels": 5}, inputs=square),
        Switch(classify, "wide", {"image_size": [12, 20], "patch_size": 4}, inputs={"pixel_values": image}),
        Switch(masked, "square", small, inputs=square),
        Switch(masked, "masked", small, inputs={**square, "bool_masked_pos": {"values": [[0, 1, 1, 0, 0, 1,
               0, 0, 1], [1] * 9], "dtype": "BOOL"}}),
    ]


VIT = vit("ViTModel", "ViTForImageClassification", "ViTForMaskedImageModeling")
DEIT = vit("DeiTModel", "DeiTForImageClassification", "DeiTForMaskedImageModeling") + [
    Switch("DeiTForImageClassificationWithTeacher", "three", {"num_labels": 3, "image_size": 12,
           "patch_size": 4},
           inputs={"pixel_values": {"shape": [3, 3, 12, 12], "lo": -1.0, "hi": 1.0}}),
]


def image(rows: int, channels: int, height: int, width: int) -> dict:
    return {"pixel_values": {"shape": [rows, channels, height, width], "lo": -1.0, "hi": 1.0}}


CONVNEXT = [Switch("ConvNextModel", f"act_{name}", {"hidden_act": name}, inputs=image(1, 3, 32, 32))
    for name in GELUS + OTHERS] + [
    Switch("ConvNextModel", "wide", inputs=image(1, 3, 40, 66)),
    Switch("ConvNextModel", "odd", inputs=image(1, 3, 37, 71)),
    Switch("ConvNextModel", "patch_2", {"patch_size": 2}, inputs=image(1, 3, 20, 30)),
    Switch("ConvNextModel", "no_scale", {"layer_scale_init_value": 0.0}, inputs=image(1, 3, 32, 32)),
    Switch("ConvNextModel", "null_scale", {"layer_scale_init_value": -1.0}, inputs=image(1, 3, 32, 32)),
    Switch("ConvNextModel", "two_stages", {"num_stages": 2, "depths": [1, 2], "hidden_sizes": [8, 12],
           "out_features": ABSENT,
           "out_indices": ABSENT, "stage_names": ABSENT}, inputs=image(2, 3, 24, 24)),
    Switch("ConvNextModel", "eps", {"layer_norm_eps": 0.1}, inputs=image(1, 3, 32, 32)),
    Switch("ConvNextModel", "defaults", {"num_stages": ABSENT, "hidden_act": ABSENT, "layer_norm_eps": ABSENT,
           "layer_scale_init_value": ABSENT, "num_channels": ABSENT, "patch_size": ABSENT, "out_features": ABSENT,
           "out_indices": ABSENT, "stage_names": ABSENT}, raw=True, inputs=image(1, 3, 32, 32)),
    Switch("ConvNextBackbone", "stem", {"out_features": ["stem", "stage4"], "out_indices": ABSENT,
           "stage_names": ABSENT}, inputs=image(1, 3, 32, 32)),
    Switch("ConvNextBackbone", "indices", {"out_features": ABSENT, "out_indices": [1, -1],
           "stage_names": ABSENT}, raw=True, inputs=image(1, 3, 32, 32)),
    Switch("ConvNextBackbone", "none", {"out_features": ABSENT, "out_indices": ABSENT,
           "stage_names": ABSENT}, raw=True, inputs=image(1, 3, 32, 32)),
    Switch("ConvNextForImageClassification", "one_label", {"num_labels": 1}, inputs=image(1, 3, 32, 32)),
]
RESNET = [Switch("ResNetModel", f"act_{name}", {"hidden_act": name}, inputs=image(1, 3, 32, 32))
    for name in GELUS + OTHERS] + [
    Switch("ResNetModel", "wide", inputs=image(1, 3, 40, 66)),
    Switch("ResNetModel", "odd", inputs=image(1, 3, 37, 71)),
    Switch("ResNetModel", "basic", {"layer_type": "basic"}, inputs=image(1, 3, 33, 32)),
    Switch("ResNetModel", "first", {"downsample_in_first_stage": True}, inputs=image(1, 3, 64, 47)),
    Switch("ResNetModel", "in_bottleneck", {"downsample_in_bottleneck": True}, inputs=image(1, 3, 47, 64)),
    Switch("ResNetModel", "basic_first", {"layer_type": "basic", "downsample_in_first_stage": True,
           "hidden_act": "silu"}, inputs=image(1, 3, 47, 64)),
    Switch("ResNetModel", "embedding", {"embedding_size": 12}, inputs=image(1, 3, 32, 32)),
    Switch("ResNetModel", "same_width", {"embedding_size": 12, "hidden_sizes": [12, 12, 24, 24]},
           inputs=image(1, 3, 32, 32)),
    Switch("ResNetModel", "odd_width", {"embedding_size": 9, "hidden_sizes": [13, 18, 23, 29]},
           inputs=image(1, 3, 32, 32)),
    Switch("ResNetBackbone", "indices", {"out_features": ABSENT, "out_indices": [0, 3],
           "stage_names": ABSENT}, raw=True, inputs=image(1, 3, 32, 32)),
    Switch("ResNetForImageClassification", "one_label", {"num_labels": 1}, inputs=image(1, 3, 32, 32)),
    Switch("ResNetForImageClassification", "labels", {"num_labels": 7}, inputs=image(3, 3, 40, 32)),
]
CLIP_SMALL = {"text_config": {"eos_token_id": 98}, "vision_config": {"image_size": 12, "patch_size": 4}}
CLIP = [
    Switch("CLIPModel", "small", CLIP_SMALL, inputs=image(3, 3, 12, 12)),
    Switch("CLIPModel", "eos_2", {**CLIP_SMALL, "text_config": {"eos_token_id": 2}}, inputs=image(1, 3, 12,
           12)),
    Switch("CLIPModel", "projection", {**CLIP_SMALL, "projection_dim": 9}, inputs=image(1, 3, 12, 12),
           rows=3),
    Switch("CLIPModel", "towers", {"projection_dim": 9, "text_config": {"eos_token_id": 98,
           "hidden_size": 20, "num_attention_heads": 5, "hidden_act": "gelu",
           "layer_norm_eps": 0.01, "num_hidden_layers": 1}, "vision_config": {"image_size": 12, "patch_size": 4, "hidden_size": 24, "num_attention_heads": 3,
           "hidden_act": "gelu_new", "layer_norm_eps": 0.02}}, inputs=image(1, 3, 12, 12), rows=3),
    Switch("CLIPForImageClassification", "one_label", {**CLIP_SMALL, "num_labels": 1}, inputs=image(1, 3,
           12, 12)),
    Switch("CLIPForImageClassification", "five", {**CLIP_SMALL, "num_labels": 5}, inputs=image(3, 3, 12, 12)),
    Switch("CLIPModel", "old_dicts", {"text_config_dict": {"hidden_size": 20, "num_attention_heads": 5,
           "vocab_size": 99, "num_hidden_layers": 1, "eos_token_id": 98, "intermediate_size": 8},
           "vision_config_dict": {"hidden_size": 24, "num_attention_heads": 3, "image_size": 12, "patch_size": 4, "num_hidden_layers": 1, "intermediate_size": 8}},
           raw=True, inputs=image(1, 3, 12, 12)),
]
CLIP_TEXT_MODEL = (
    lengths("CLIPTextModel", {"eos_token_id": 98})
    + positions("CLIPTextModel", {"eos_token_id": 98})
    + [
        Switch("CLIPTextModelWithProjection", f"act_{a}", {"hidden_act": a, "eos_token_id": 98})
               for a in ("gelu", "relu", "gelu_new")
    ]
    + [
        Switch("CLIPTextModelWithProjection", "two_ends", {"eos_token_id": 98},
               inputs={"input_ids": {"values": [[5, 98, 7, 98, 9, 98, 98], [7, 6, 5, 4, 3, 8, 9]]}}),
        Switch("CLIPTextModel", "old_ends", {"eos_token_id": 2}, inputs={"input_ids": {"values": [[5, 98,
               7, 98, 9, 98, 98], [7, 6, 5, 4, 3, 8, 8]]}}),
        Switch("CLIPTextModelWithProjection", "projection", {"projection_dim": 9, "eos_token_id": 98}),
    ]
)
CLIP_VISION_MODEL = [
    Switch("CLIPVisionModel", "small", {"image_size": 12, "patch_size": 4}, inputs=image(3, 3, 12, 12)),
    Switch("CLIPVisionModel", "odd", {"image_size": 13, "patch_size": 4}, inputs=image(1, 3, 13, 13)),
    Switch("CLIPVisionModelWithProjection", "projection", {"image_size": 12, "patch_size": 4,
           "projection_dim": 9, "hidden_act": "gelu"}, inputs=image(1, 3, 12, 12)),
]


def sound(rows: int, samples: int, mask: list[int] | None = None) -> dict:
    return {"input_values": {"shape": [rows, samples], "lo": -1.0, "hi": 1.0},
            "attention_mask": {"mask": mask} if mask else None}


WAV2VEC2 = [Switch("Wav2Vec2Model", f"act_{a}", {"hidden_act": a, "feat_extract_activation": a},
    inputs=sound(1, 700)) for a in ("relu", "gelu_new", "silu", "quick_gelu")] + [
    Switch("Wav2Vec2Model", "group", {"feat_extract_norm": "group", "do_stable_layer_norm": False},
           inputs=sound(3, 701, [701, 400, 333])),
    Switch("Wav2Vec2Model", "group_stable", {"feat_extract_norm": "group", "do_stable_layer_norm": True,
           "conv_bias": True}, inputs=sound(2, 701, [701, 400])),
    Switch("Wav2Vec2Model", "layer_post", {"feat_extract_norm": "layer", "do_stable_layer_norm": False,
           "conv_bias": True}, inputs=sound(2, 701)),
    Switch("Wav2Vec2Model", "shortest", inputs=sound(1, 200)),
    Switch("Wav2Vec2Model", "adapter", {"add_adapter": True, "num_adapter_layers": 2, "adapter_stride": 3,
           "output_hidden_size": 12}, inputs=sound(2, 1900, [1900, 1200])),
    Switch("Wav2Vec2Model", "adapter_kernel", {"add_adapter": True, "num_adapter_layers": 1,
           "adapter_kernel_size": 5, "adapter_stride": 1}, inputs=sound(2, 1100, [1100, 700])),
    Switch("Wav2Vec2Model", "layer_adapter", {"adapter_attn_dim": 6, "do_stable_layer_norm": True},
           inputs=sound(2, 1100)),
    Switch("Wav2Vec2Model", "layer_adapter_post", {"adapter_attn_dim": 6, "do_stable_layer_norm": False},
           inputs=sound(2, 1100)),
    Switch("Wav2Vec2Model", "even_positions", {"num_conv_pos_embeddings": 7,
           "num_conv_pos_embedding_groups": 4}, inputs=sound(2, 1100)),
    Switch("Wav2Vec2Model", "one_position", {"num_conv_pos_embeddings": 1,
           "num_conv_pos_embedding_groups": 1}, inputs=sound(2, 1100)),
    Switch("Wav2Vec2ForCTC", "adapter", {"add_adapter": True, "num_adapter_layers": 1,
           "output_hidden_size": 12}, inputs=sound(2, 1100, [1100, 800])),
    Switch("Wav2Vec2ForCTC", "same_width_adapter", {"add_adapter": True, "num_adapter_layers": 1},
           inputs=sound(2, 1100)),
    Switch("Wav2Vec2ForSequenceClassification", "weighted", {"use_weighted_layer_sum": True,
           "num_labels": 1}, inputs=sound(3, 701, [701, 400, 350])),
    Switch("Wav2Vec2ForSequenceClassification", "no_mask", {"num_labels": 5}, inputs=sound(2, 701)),
    Switch("Wav2Vec2ForAudioFrameClassification", "weighted", {"use_weighted_layer_sum": True},
           inputs=sound(2, 701, [701, 600])),
    Switch("Wav2Vec2ForXVector", "weighted", {"use_weighted_layer_sum": True}, inputs=sound(2, 1901, [1901,
           1700])),
    Switch("Wav2Vec2ForXVector", "layers", {"tdnn_dim": [8, 9, 10], "tdnn_kernel": [3, 1, 3],
           "tdnn_dilation": [2, 1, 3]}, inputs=sound(2, 1901)),
    Switch("Wav2Vec2ForPreTraining", "groups", {"num_codevector_groups": 3, "codevector_dim": 24,
           "num_codevectors_per_group": 11}, inputs=sound(2, 1000)),
    Switch("Wav2Vec2Model", "left", inputs={**sound(2, 900), "attention_mask": {"values": [[1] * 900,
           [0] * 300 + [1] * 600]}}),
    Switch("Wav2Vec2Model", "masked_time", inputs={**sound(1, 500),
           "mask_time_indices": {"values": [[i % 4 == 1 for i in range(6)]], "dtype": "BOOL"}}),
    Switch("Wav2Vec2Model", "hole", inputs={**sound(2, 900), "attention_mask": {"values": [[1] * 900,
           [1] * 300 + [0] * 100 + [1] * 500]}}),
    Switch("Wav2Vec2ForXVector", "masked", inputs=sound(2, 1901, [1901, 1700])),
    Switch("Wav2Vec2ForPreTraining", "masked", inputs=sound(2, 1000, [1000, 800])),
    Switch("Wav2Vec2Model", "eps", {"layer_norm_eps": 0.1}, inputs=sound(1, 700)),
]


def features(rows: int) -> dict:
    return {"input_features": {"shape": [rows, 20, 24], "lo": -1.0, "hi": 1.0}}


WHISPER_SMALL = {"num_mel_bins": 20, "max_source_positions": 12, "max_target_positions": 140}
WHISPER = (
    [Switch("WhisperForConditionalGeneration", f"act_{a}", {**WHISPER_SMALL, "activation_function": a},
        inputs=features(2), decoder_length=6) for a in ("relu", "gelu_new", "silu", "quick_gelu")]
    + [
        Switch("WhisperModel", f"decoder_{n}", WHISPER_SMALL, inputs=features(1), rows=1, decoder_length=n,
               mask=m, kwargs={})
        for n, m in ((1, None), (2, "ones"), (33, "right"), (130, "holes"))
    ]
    + [
        Switch("WhisperForConditionalGeneration", "scaled", {**WHISPER_SMALL, "scale_embedding": True},
               inputs=features(2), decoder_length=6),
        Switch("WhisperForConditionalGeneration", "untied", {**WHISPER_SMALL,
               "tie_word_embeddings": False}, inputs=features(2), decoder_length=6),
        Switch("WhisperForConditionalGeneration", "layers", {**WHISPER_SMALL, "encoder_layers": 1,
               "decoder_layers": 3, "decoder_attention_heads": 2}, inputs=features(3), rows=3, decoder_length=6),
        Switch("WhisperForConditionalGeneration", "left", WHISPER_SMALL, inputs=features(3), rows=3,
               decoder_length=8, mask="left"),
        Switch("WhisperForConditionalGeneration", "positions", WHISPER_SMALL, inputs={**features(2),
               "decoder_position_ids": {"values": [[3, 2, 1, 0, 5], [7, 8, 9, 10, 11]]}, "decoder_attention_mask": None}, decoder_length=5),
        Switch("WhisperForAudioClassification", "weighted", {**WHISPER_SMALL,
               "use_weighted_layer_sum": True, "num_labels": 3}, inputs=features(2)),
        Switch("WhisperForAudioClassification", "one_label", {**WHISPER_SMALL, "num_labels": 1},
               inputs=features(2)),
        Switch("WhisperModel", "zero_row", WHISPER_SMALL, inputs={**features(2),
               "decoder_attention_mask": {"values": [[1] * 5, [0] * 5]}}, decoder_length=5),
        Switch("WhisperDecoder", "packed", WHISPER_SMALL, length=5, inputs={"attention_mask": None,
               "position_ids": {"values": [[0, 1, 0, 1, 2], [3, 4, 5, 6, 7]]}}),
        Switch("WhisperDecoder", "crossed", WHISPER_SMALL, length=5,
               inputs={"encoder_hidden_states": {"shape": [2, 9, 16], "lo": -1.0, "hi": 1.0}}),
        Switch("WhisperForCausalLM", "untied", {**WHISPER_SMALL, "tie_word_embeddings": False}, length=5),
    ]
)
SWITCHES = {
    "bert": BERT, "roberta": ROBERTA, "electra": ELECTRA, "albert": ALBERT, "distilbert": DISTILBERT, "gpt2": GPT2,
    "gpt_neox": GPT_NEOX, "opt": OPT, "bloom": BLOOM, "llama": LLAMA, "mistral": MISTRAL, "qwen2": QWEN2,
    "qwen3": QWEN3, "gemma2": GEMMA2, "t5": T5, "bart": BART, "vit": VIT, "deit": DEIT, "convnext": CONVNEXT,
    "resnet": RESNET, "clip": CLIP, "clip_text_model": CLIP_TEXT_MODEL, "clip_vision_model": CLIP_VISION_MODEL,
    "wav2vec2": WAV2VEC2, "whisper": WHISPER,
}
SWITCHES |= DECODERS | ENCODERS
SWITCHES |= MIXERS | WINDOWED | SEQ2SEQ | RELATIVES | BERTS | IMAGES | SPEECH | MULTIMODAL | VITS | SERIES | PYRAMIDS
SWITCHES |= YOUNGER | SOUNDS | IMAGE_TEXTS | VOICES | DOCUMENTS
SWITCHES |= YOUNGER_TEXT | SPEECH_CHAT | DETECTIONS | VISION | IMAGE_CHAT
SWITCHES |= TEXT_DECODERS | SEGMENTS | VISION_CHAT | OMNI | SEAMLESS | DEEPSEEK_V4 | KEYPOINTS | HY_V4 | PHI4 | DEEPSEEK_OCR2 | PI0
SWITCHES |= NEMOTRON_H_OMNI | DEIMV2 | STEP3P7 | MISTRAL_LARGE4 | COSMOS3_EDGE | GLM_IMAGE

# The cases that tests/golden/variations holds: by model type, the names after the class.
KEPT = {
    "bert": "crossed length_1 mask_left positions zero_row_decoder act_relu2 one_label defaults embeds",
    "roberta": "crossed pads pad_zero embeds_alone",
    "electra": "no_proj mean",
    "albert": "groups_6_of_7",
    "distilbert": "aliases mask_holes",
    "gpt2": "crossed scales choices offset_positions",
    "gpt_neox": "old_partial old_theta rope_longrope_positions packed",
    "opt": "post_projected mask_holes left_positions",
    "bloom": "heads_7 mask_left mask_holes aliases embeds",
    "llama": "rope_both rope_dynamic_positions rope_yarn_scaled rope_longrope_crossing rope_dynamic_crossing "
             "partial packed position_ids left_positions f64 f16 bf16 null_heads zero_row",
    "mistral": "window_left window_packed window_both_ways",
    "qwen2": "old_window unused_window",
    "qwen3": "attention_bias",
    "gemma2": "caps absent window_holes embeds",
    "t5": "act_gated-silu buckets_7_12 encoder_130 layers zero_row",
    "bart": "shifted_pads left two_ends",
    "vit": "wide_patches masked",
    "deit": "wide",
    "convnext": "odd stem",
    "resnet": "basic_first odd_width",
    "clip": "old_dicts",
    "clip_text_model": "two_ends old_ends",
    "clip_vision_model": "odd",
    "wav2vec2": "group_stable layer_adapter hole",
    "whisper": "positions crossed zero_row",
}
KEPT |= DECODERS_KEPT | ENCODERS_KEPT
KEPT |= MIXERS_KEPT | WINDOWED_KEPT | SEQ2SEQ_KEPT | RELATIVES_KEPT | BERTS_KEPT | IMAGES_KEPT | SPEECH_KEPT | MULTIMODAL_KEPT
KEPT |= VITS_KEPT | SERIES_KEPT | PYRAMIDS_KEPT | YOUNGER_KEPT | SOUNDS_KEPT | IMAGE_TEXTS_KEPT | DOCUMENTS_KEPT
KEPT |= YOUNGER_TEXT_KEPT | SPEECH_CHAT_KEPT | DETECTIONS_KEPT | VISION_KEPT | IMAGE_CHAT_KEPT
KEPT |= VOICES_KEPT | TEXT_DECODERS_KEPT | SEGMENTS_KEPT | VISION_CHAT_KEPT | OMNI_KEPT | SEAMLESS_KEPT | DEEPSEEK_V4_KEPT | KEYPOINTS_KEPT | HY_V4_KEPT | PHI4_KEPT
KEPT |= DEEPSEEK_OCR2_KEPT | PI0_KEPT | NEMOTRON_H_OMNI_KEPT | DEIMV2_KEPT | STEP3P7_KEPT | MISTRAL_LARGE4_KEPT | COSMOS3_EDGE_KEPT | GLM_IMAGE_KEPT
