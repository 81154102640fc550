"""Switches of models that hear or speak: see `switch_table.py`. Each case turns what the class reads and no size would show."""

from multimodal_switches import text
from sound_switches import masked, spectra
from switches import ABSENT, Switch


def heard(token: int, counts: list[list[int]], features: list[int], lengths: list[int] | None = None, marks: str = "input_features_mask",
          words: int = 3, mask: list[list[int]] | None = None) -> dict:
    """Texts with sounds of so many tokens each, a list a row; features: the shape of all sounds; lengths: their frames that are
    no padding."""
    rows = []
    for row, sounds in enumerate(counts):
        ids = [20 + 7 * row + i for i in range(1 + row)]
        for count in sounds:
            ids += [token] * count + [40 + row]
        rows.append(ids)
    width = max(map(len, rows))
    rows = [ids + [50 + i for i in range(width - len(ids))] for ids in rows]
    given = {"input_ids": {"values": rows}, "input_features": {"shape": features, "lo": -1.0, "hi": 1.0}, "attention_mask": None}
    if lengths:
        given[marks] = {"values": [[1] * n + [0] * (features[-1] - n) for n in lengths]}
    if mask:
        given["attention_mask"] = {"values": [zeros + [1] * (width - len(zeros)) for zeros in mask]}
    return given


ONLY_TEXT = {"input_features": None, "input_features_mask": None, "feature_attention_mask": None}
QWEN2 = {"text_config": text("qwen2", head_dim=ABSENT)}
VOXTRAL_TEXT = {"text_config": text("mistral")}


def tower_defaults(*more: str) -> dict:
    return {field: ABSENT for field in ("activation_function", "scale_embedding", "layerdrop", *more)}


def whisper_tower(architecture: str, inputs: dict | None = None) -> list[Switch]:
    return [Switch(architecture, "relu", {"activation_function": "relu", "scale_embedding": True}, inputs=inputs or {}),
            Switch(architecture, "defaults", tower_defaults(), raw=True, inputs=inputs or {}),
            Switch(architecture, "no_layers", {"num_hidden_layers": 0, "encoder_layers": 0}, inputs=inputs or {})]


V, VM = "VoxtralForConditionalGeneration", "VoxtralModel"
TWO = heard(0, [[30], [30]], [2, 80, 60])
VOXTRAL = [
    Switch(V, "mistral", {**VOXTRAL_TEXT, "projector_hidden_act": "relu"}, inputs=TWO),
    Switch(V, "wide", {"audio_config": {"intermediate_size": 96}}, inputs=heard(0, [[10], [10]], [2, 80, 60])),
    Switch(V, "both_in_one", {"audio_config": {"intermediate_size": 64}}, inputs=heard(0, [[15, 15], []], [2, 80, 60], mask=[[], [0, 0]])),
    Switch(V, "text_only", inputs=ONLY_TEXT, mask="left"),
    Switch(VM, "defaults", {"projector_hidden_act": ABSENT, "audio_config": tower_defaults()}, raw=True, inputs=TWO),
]
VOXTRAL_ENCODER = whisper_tower("VoxtralEncoder") + [
    Switch("VoxtralEncoder", "biased", inputs={"attention_mask": {"shape": [2, 1, 30, 30], "lo": -2.0, "hi": 2.0}})]

Q, QM = "Qwen2AudioForConditionalGeneration", "Qwen2AudioModel"


def qwen(counts, lengths, **more) -> dict:
    return heard(0, counts, [len(lengths), 80, 60], lengths, "feature_attention_mask", **more)


QWEN2_AUDIO = [
    Switch(Q, "llama", {"text_config": text("llama")}, inputs=qwen([[15], [10]], [60, 40])),
    Switch(Q, "uneven", inputs=qwen([[15, 2], [10]], [59, 9, 40], mask=[[], [0, 0, 0]])),
    Switch(Q, "text_only", inputs=ONLY_TEXT, mask="left"),
    Switch(QM, "none_of_one", {"audio_token_index": 3}, inputs=heard(3, [[14], [0]], [2, 80, 60], [57, 1], "feature_attention_mask")),
    Switch(QM, "defaults", {"audio_config": tower_defaults()}, raw=True, inputs=qwen([[15], [15]], [60, 60])),
]
QWEN2_AUDIO_ENCODER = whisper_tower("Qwen2AudioEncoder", {"attention_mask": {"shape": [2, 1, 30, 30], "lo": -2.0, "hi": 2.0}}) + [Switch("Qwen2AudioEncoder", "unmasked", inputs={"attention_mask": None})]

AUDIO_FLAMINGO_TESTS = [
    ("llama", {"text_config": text("llama"), "projector_hidden_act": "relu", "projector_bias": False}, dict(counts=[[15], [10]], lengths=[60, 40])),
    ("uneven", {}, dict(counts=[[15, 2], [10]], lengths=[59, 9, 40], mask=[[], [0, 0, 0]])),
    ("touching", {"audio_token_id": 3}, dict(counts=[[17], [14]], lengths=[60, 9, 57])),
]


def audio_flamingo(prefix: str) -> list[Switch]:
    lm, model = f"{prefix}ForConditionalGeneration", f"{prefix}Model"
    cases = [Switch(lm, name, config, inputs=heard(config.get("audio_token_id", 0), given["counts"], [len(given["lengths"]), 80, 60],
                                                   given["lengths"], mask=given.get("mask")))
             for name, config, given in AUDIO_FLAMINGO_TESTS]
    return cases + [
        Switch(lm, "text_only", inputs=ONLY_TEXT, mask="left"),
        Switch(model, "defaults", {"projector_hidden_act": ABSENT, "projector_bias": ABSENT, "audio_config": tower_defaults()}, raw=True,
               inputs=heard(0, [[15], [15]], [2, 80, 60], [60, 60])),
    ]


AUDIO_FLAMINGO_ENCODER = whisper_tower("AudioFlamingo3Encoder") + [
    Switch("AudioFlamingo3Encoder", "odd", inputs={"input_features": {"shape": [2, 80, 59], "lo": -1.0, "hi": 1.0},
           "input_features_mask": {"values": [[1] * 59, [0] * 5 + [1] * 30 + [0] * 24]}})]

G, GM = "GlmAsrForConditionalGeneration", "GlmAsrModel"
GLMASR = [
    Switch(G, "qwen2", {**QWEN2, "projector_hidden_act": "relu", "audio_config": {"intermediate_size": 128}},
           inputs=heard(0, [[12], [8]], [2, 80, 96], [96, 65])),
    Switch(G, "untied", {"tie_word_embeddings": False, "audio_config": {"intermediate_size": 128, "head_dim": 12}},
           inputs=heard(0, [[12], [8]], [2, 80, 96], [96, 65])),
    Switch(G, "whole", {"audio_config": {"rope_parameters": {"rope_type": "default", "rope_theta": 100.0}, "intermediate_size": 64,
           "hidden_act": "relu"}}, inputs=heard(0, [[12, 1], [8]], [3, 80, 96], [96, 8, 65], mask=[[], [0, 0]])),
    Switch(G, "text_only", inputs=ONLY_TEXT, mask="left"),
    Switch(GM, "defaults", {"projector_hidden_act": ABSENT, "tie_word_embeddings": ABSENT, "audio_config": {"hidden_act": ABSENT,
           "num_key_value_heads": 4, "rope_parameters": ABSENT, "max_position_embeddings": ABSENT, "intermediate_size": 128}}, raw=True,
           inputs=heard(0, [[12], [8]], [2, 80, 96], [96, 65])),
]
GLMASR_ENCODER = [
    Switch("GlmAsrEncoder", "odd", {"head_dim": 12, "num_key_value_heads": 1}, inputs={"input_features": {"shape": [2, 80, 33], "lo": -1.0, "hi": 1.0}}),
    Switch("GlmAsrEncoder", "defaults", {"rope_parameters": ABSENT, "hidden_act": ABSENT, "max_position_embeddings": ABSENT}, raw=True),
    Switch("GlmAsrEncoder", "linear", {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 100.0, "partial_rotary_factor": 0.5}}),
]

R, RM, RE = "Qwen3ASRForConditionalGeneration", "Qwen3ASRModel", "Qwen3ASREncoder"


def stretches(counts, lengths, frames: int, **more) -> dict:
    return heard(0, counts, [len(lengths), 20, frames], lengths, **more)


QWEN3_ASR = [
    Switch(R, "windows", {"audio_config": {"n_window_infer": 100, "activation_function": "relu"}}, inputs=stretches([[21], [13]], [160, 100], 200)),
    Switch(R, "two_stretches", {"audio_config": {"n_window_infer": 250}, "tie_word_embeddings": False},
           inputs=stretches([[39, 1], [26]], [300, 8, 200], 300, mask=[[], [0] * 3])),
    Switch(R, "llama", {"text_config": text("llama", hidden_size=16)}, inputs=stretches([[13], [4]], [100, 30], 100)),
    Switch(R, "text_only", inputs=ONLY_TEXT, mask="left"),
    Switch("Qwen3ASRForTokenClassification", "biased", {"token_classification_bias": True, "num_labels": 5}, inputs=stretches([[13], [4]], [100, 30], 100)),
    Switch(RM, "defaults", {"tie_word_embeddings": ABSENT, "audio_config": {"activation_function": ABSENT, "n_window": ABSENT,
           "n_window_infer": ABSENT, "max_position_embeddings": ABSENT}}, raw=True, inputs=stretches([[13], [4]], [100, 30], 100)),
]
QWEN3_ASR_ENCODER = [
    Switch(RE, "windows", {"n_window_infer": 300, "encoder_layers": 2}, inputs={"input_features": {"shape": [2, 20, 500], "lo": -1.0, "hi": 1.0},
           "input_features_mask": {"values": [[1] * 500, [1] * 333 + [0] * 167]}}),
]

F, FM, FE = "FunAsrNanoForConditionalGeneration", "FunAsrNanoModel", "FunAsrNanoEncoder"


def stacked(counts: list[list[int]], lengths: list[int], **more) -> dict:
    given = heard(12, counts, [len(lengths), 48, 12], lengths, **more)
    return {**given, "input_features": {"shape": [len(lengths), 12, 48], "lo": -1.0, "hi": 1.0}}


FUN_ASR_NANO = [
    Switch(F, "one_layer", {"audio_config": {"num_hidden_layers": 1, "num_timestamp_prediction_layers": 0, "hidden_size": 48, "hidden_act": "gelu"},
           "adaptor_config": {"projector_hidden_act": "gelu", "num_hidden_layers": 1, "num_attention_heads": 2, "layer_norm_eps": 0.1}},
           inputs=stacked([[12], [7]], [12, 7])),
    Switch(F, "uneven", {"audio_config": {"num_hidden_layers": 3, "num_timestamp_prediction_layers": 2, "layer_norm_eps": 0.1},
           "tie_word_embeddings": False}, inputs=stacked([[12, 1], [7]], [12, 1, 7], mask=[[], [0] * 3])),
    Switch(F, "text_only", inputs=ONLY_TEXT, mask="left"),
    Switch(FM, "defaults", {"tie_word_embeddings": ABSENT, "adaptor_config": {"hidden_act": ABSENT, "projector_hidden_act": ABSENT, "layer_norm_eps": ABSENT,
           "num_hidden_layers": ABSENT}, "audio_config": {"hidden_act": ABSENT, "layer_norm_eps": ABSENT, "max_position_embeddings": ABSENT}}, raw=True,
           inputs=stacked([[12], [7]], [12, 7])),
]
FUN_ASR_NANO_ENCODER = [
    Switch(FE, "even", {"fsmn_kernel_size": 4, "num_timestamp_prediction_layers": 2}, inputs={"input_features_mask": {"values": [[1] * 12, [1] * 4 + [0] * 8]}}),
]

# --- conformers ---


def transducer(architecture: str) -> list[Switch]:
    small = {"num_hidden_layers": 1, "scale_input": False}
    return [
        Switch(architecture, "deep", {"num_decoder_layers": 3, "hidden_act": "silu", "durations": [0, 2], "encoder_config": small},
               inputs={**spectra(70, 80), "decoder_input_ids": {"values": [[3, 5, 7], [9, 11, 2]]}}),
        Switch(architecture, "defaults", {field: ABSENT for field in ("hidden_act", "durations", "max_symbols_per_step")} | {"encoder_config": small},
               raw=True, inputs={**spectra(70, 80), "decoder_input_ids": {"values": [[3], [9]]}}),
    ]


LASR_ENCODER = [
    Switch("LasrEncoder", "biased", {"attention_bias": True, "convolution_bias": True, "hidden_act": "relu", "conv_kernel_size": 5,
           "feed_forward_residual_weights": [0.7, 0.3], "conv_residual_weights": [0.9, 0.2], "layer_norm_eps": 0.1}, inputs=spectra(70, 80)),
    Switch("LasrEncoder", "stride_3", {"subsampling_conv_stride": 3, "subsampling_conv_kernel_size": 4, "num_mel_bins": 20, "head_dim": 12},
           inputs=spectra(60, 20)),
    Switch("LasrEncoder", "unmasked", inputs={**spectra(60, 80), "attention_mask": None}, kwargs={"output_hidden_states": True}),
    Switch("LasrEncoder", "zero_row", inputs={**spectra(40, 80), "attention_mask": {"values": [[1] * 40, [0] * 40]}}),
    Switch("LasrEncoder", "defaults", {field: ABSENT for field in ("rope_parameters", "hidden_act", "attention_bias", "convolution_bias",
           "conv_kernel_size", "subsampling_conv_kernel_size", "subsampling_conv_stride", "layer_norm_eps", "feed_forward_residual_weights",
           "conv_residual_weights", "max_position_embeddings", "num_key_value_heads")}, raw=True, inputs=spectra(70, 80)),
]
LASR_CTC = [Switch("LasrForCTC", "small", {"vocab_size": 19, "encoder_config": {"num_hidden_layers": 1}}, inputs=spectra(70, 80),
                   kwargs={"output_hidden_states": True})]


def speech_decoder(name: str, part: str | None, bins: int, encoder: dict) -> list[Switch]:
    """Canary's decoder: of its own configuration or of the whole."""
    def decoder(**fields) -> dict:
        return {part: fields} if part else fields

    def sounds(frames: int, short: int | None = 9) -> dict:
        mask = {"attention_mask": {"values": [[1] * frames, [1] * (frames - short) + [0] * short]}} if short else {"attention_mask": None}
        return {"input_features": {"shape": [2, frames, bins], "lo": -1.0, "hi": 1.0}, **mask}

    lm, model = f"{name}ForConditionalGeneration", f"{name}Model"
    absent = {field: ABSENT for field in ("attention_bias", "hidden_act", "max_position_embeddings")}
    return [
        Switch(lm, "groups", decoder(num_key_value_heads=1, head_dim=12, hidden_act="gelu", attention_bias=False), inputs=sounds(40), decoder_length=6),
        Switch(lm, "other_tie", {"tie_word_embeddings": part is None}, inputs=sounds(33, None), decoder_length=3),
        Switch(lm, "packed", inputs={**sounds(33), "decoder_position_ids": {"values": [[0, 1, 0, 1, 2], [3, 4, 5, 6, 7]]}, "decoder_attention_mask": None},
               decoder_length=5),
        Switch(lm, "left", inputs={**sounds(33), "decoder_attention_mask": {"values": [[1] * 5, [0, 0, 1, 1, 1]]}}, decoder_length=5),
        Switch(model, "defaults", decoder(**absent) | {"encoder_config": encoder}, raw=True, inputs=sounds(41), decoder_length=4,
               kwargs={"output_hidden_states": True}),
    ]


ENCODER_DEFAULTS = {field: ABSENT for field in ("hidden_act", "conv_kernel_size", "attention_bias", "convolution_bias", "subsampling_conv_stride")}
CANARY = speech_decoder("Canary", "decoder_config", 80, ENCODER_DEFAULTS | {"num_key_value_heads": ABSENT})
COHERE_ASR = speech_decoder("CohereAsr", None, 8, ENCODER_DEFAULTS | {"num_key_value_heads": ABSENT})

POP2PIANO = [
    Switch("Pop2PianoForConditionalGeneration", "features", {"feed_forward_proj": "relu", "is_gated_act": False, "d_ff": 20},
           inputs={"input_ids": None, "input_features": {"shape": [2, 7, 64], "lo": -1.0, "hi": 1.0}}),
    Switch("Pop2PianoForConditionalGeneration", "unscaled", {"tie_word_embeddings": False, "scale_decoder_outputs": False}, mask=None),
    Switch("Pop2PianoForConditionalGeneration", "defaults", {k: ABSENT for k in ("feed_forward_proj", "dense_act_fn", "is_gated_act",
           "scale_decoder_outputs", "relative_attention_num_buckets", "relative_attention_max_distance", "num_decoder_layers")}, raw=True),
]
MS, MSM = "MoonshineStreamingForConditionalGeneration", "MoonshineStreamingModel"
MOONSHINE_STREAMING = [
    Switch(MS, "windows", {"encoder_config": {"sliding_windows": [[3, 2], [2, 0]], "hidden_act": "relu", "attention_bias": True}, "attention_bias": True,
           "tie_word_embeddings": True}, inputs=masked(1600), decoder_length=5),
    Switch(MS, "projected", {"hidden_size": 12, "pad_head_dim_to_multiple_of": 8, "hidden_act": "gelu"}, inputs=masked(1600), decoder_length=5),
    Switch(MS, "unmasked", {"rope_parameters": {"rope_theta": 100.0, "rope_type": "default"}}, inputs={**masked(1600), "attention_mask": None},
           mask=None, decoder_length=3),
    Switch(MS, "packed", inputs={**masked(1600), "decoder_position_ids": {"values": [[0, 1, 0, 1, 2], [3, 4, 5, 6, 7]]}, "decoder_attention_mask": None},
           decoder_length=5),
    Switch(MSM, "defaults", {"rope_parameters": ABSENT, "hidden_act": ABSENT, "attention_bias": ABSENT, "encoder_config": {"sliding_windows": ABSENT,
           "hidden_act": ABSENT, "frame_ms": ABSENT, "sample_rate": ABSENT, "attention_bias": ABSENT}}, raw=True, inputs=masked(1600), decoder_length=4,
           kwargs={"output_hidden_states": True}),
]


def codes(length: int = 5, books: int = 4, mask: str | None = "right") -> dict:
    marks = {"values": [[1] * length, [1] * (length - 2) + [0] * 2], "dtype": "BOOL"}
    return {"decoder_input_ids": {"shape": [2 * books, length], "ids": [0, 99]}, "decoder_attention_mask": marks if mask else None}


PADDED_TEXT = {"attention_mask": {"values": [[1] * 7, [1] * 4 + [0] * 3]}}
MG, MM, MD = "MusicgenForConditionalGeneration", "MusicgenMelodyForConditionalGeneration", "MusicgenMelodyForCausalLM"
MUSICGEN = [
    Switch(MG, "projected", {"text_encoder": {"d_model": 12}}, inputs=codes() | PADDED_TEXT),
    Switch(MG, "heard", {"decoder": {"num_codebooks": 2}}, inputs={"decoder_input_ids": None, "decoder_attention_mask": None, "input_values": {"shape": [2, 1, 700], "lo": -1.0, "hi": 1.0}}
           | PADDED_TEXT, kwargs={"output_hidden_states": True}),
]
MUSICGEN_MELODY = [
    Switch(MM, "hummed", {"text_encoder": {"d_model": 12}}, inputs=codes() | PADDED_TEXT | {"input_features": {"shape": [2, 5, 12], "lo": 0.0, "hi": 1.0}}),
    Switch(MM, "long", {"chroma_length": 3, "num_chroma": 16}, inputs=codes(mask=None) | {"input_features": {"shape": [2, 5, 16], "lo": 0.0, "hi": 1.0}}),
    Switch(MM, "hummed_only", inputs=codes() | {"input_ids": None, "input_features": {"shape": [2, 5, 12], "lo": 0.0, "hi": 1.0}}),
]
MUSICGEN_MELODY_DECODER = [
    Switch(MD, "alone", {"ffn_dim": 20, "num_codebooks": 2}, inputs={"input_ids": {"shape": [4, 5], "ids": [0, 99]}, "encoder_hidden_states": None,
           "encoder_attention_mask": None, "attention_mask": {"values": [[1] * 5, [1, 1, 1, 0, 0]]}}),
    Switch(MD, "described", {"ffn_dim": 20}, inputs={"input_ids": {"shape": [8, 5], "ids": [0, 99]}, "attention_mask": None,
           "encoder_attention_mask": {"values": [[1, 1, 1, 1], [1, 1, 0, 0]]}}),
    Switch(MD, "odd", {"ffn_dim": 20, "hidden_size": 15, "num_attention_heads": 3}, inputs={"input_ids": {"shape": [8, 5], "ids": [0, 99]},
           "encoder_hidden_states": {"shape": [2, 3, 15], "lo": -1.0, "hi": 1.0}, "encoder_attention_mask": None, "attention_mask": None}),
]

def bark(architecture: str) -> list[Switch]:
    small = {"block_size": 16}
    return [
        Switch(architecture, "unbiased", {"bias": False, "output_vocab_size": 21, **small}, mask="holes",
               inputs={"input_ids": {"shape": [2, 7], "ids": [0, 32]}}),
        Switch(architecture, "given", {"hidden_size": 12, "num_heads": 3, **small}, inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 5, 12],
               "lo": -1.0, "hi": 1.0}, "attention_mask": None, "position_ids": {"values": [[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]]}}),
    ]


def coded(rows: int, length: int, books: int, high: int) -> dict:
    return {"input_ids": {"shape": [rows, length, books], "ids": [0, high]}}


FINE = "BarkFineModel"
FINE_ACOUSTICS = [
    Switch(FINE, "untied", {"tie_word_embeddings": False, "n_codes_given": 2, "n_codes_total": 4, "bias": False, "output_vocab_size": 21},
           inputs=coded(2, 5, 4, 32) | {"attention_mask": {"values": [[1] * 5, [1, 0, 1, 1, 0]]}}, kwargs={"codebook_idx": 2}),
    Switch(FINE, "defaults", {"n_codes_given": ABSENT, "n_codes_total": ABSENT, "tie_word_embeddings": ABSENT, "bias": ABSENT}, raw=True,
           inputs=coded(2, 5, 8, 32) | {"attention_mask": None}, kwargs={"codebook_idx": 1}),
]
C, CB, CD = "CsmForConditionalGeneration", "CsmBackboneModel", "CsmDepthDecoderForCausalLM"
CSM = [
    Switch(CB, "biased", {"attention_bias": True, "mlp_bias": True, "head_dim": 8, "hidden_act": "gelu"}, inputs=coded(2, 5, 10, 5)
           | {"attention_mask": {"values": [[1] * 5, [0, 0, 1, 1, 1]]}}),
    Switch(CB, "given", inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 5, 64], "lo": -1.0, "hi": 1.0}, "attention_mask": None}),
    Switch(C, "words", inputs={"input_ids": {"shape": [2, 5], "ids": [5, 90]}, "attention_mask": None}),
    Switch(C, "untied", {"tie_codebooks_embeddings": False}, inputs=coded(2, 5, 10, 5) | {"attention_mask": None}),
]
CSM_DEPTH = [
    Switch(CD, "without", {"hidden_size": 24, "head_dim": 6, "attention_bias": True, "mlp_bias": True}, inputs={"input_ids": {"shape": [2, 5], "ids": [0, 5]},
           "backbone_last_hidden_state": None}),
    Switch(CD, "llama3", {"rope_parameters": {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
           "original_max_position_embeddings": 4, "rope_theta": 100.0}}, inputs={"input_ids": {"shape": [2, 8], "ids": [0, 5]}}),
    Switch(CD, "defaults", {k: ABSENT for k in ("rope_parameters", "hidden_act", "rms_norm_eps", "attention_bias", "mlp_bias", "max_position_embeddings")},
           raw=True, inputs={"input_ids": {"shape": [2, 4], "ids": [0, 5]}}),
]

def streamed(words: int = 5) -> dict:
    return {"input_ids": {"shape": [2, words], "ids": [5, 90]}, "attention_mask": {"values": [[1] * words, [0] + [1] * (words - 1)]},
            "input_features": {"shape": [2, 80, 8 * words], "lo": -1.0, "hi": 1.0}}


VR, VRM, VRE = "VoxtralRealtimeForConditionalGeneration", "VoxtralRealtimeModel", "VoxtralRealtimeEncoder"
VOXTRAL_REALTIME = [
    Switch(VR, "late", {"tie_word_embeddings": False, "audio_config": {"hidden_act": "gelu"}, "text_config": {"sliding_window": None}},
           inputs=streamed(), kwargs={"num_delay_tokens": 11}),
    Switch(VR, "frames", inputs=streamed() | {"input_features": None, "encoder_inputs_embeds": {"shape": [2, 20, 32], "lo": -1.0, "hi": 1.0}}),
    Switch(VRM, "defaults", {"default_num_delay_tokens": ABSENT, "downsample_factor": ABSENT, "projector_hidden_act": ABSENT, "audio_config": {
           "rope_parameters": ABSENT, "hidden_act": ABSENT, "rms_norm_eps": ABSENT, "sliding_window": ABSENT}, "text_config": {"hidden_act": ABSENT}},
           raw=True, inputs=streamed()),
]
VOXTRAL_REALTIME_ENCODER = [
    Switch(VRE, "padded", {"hidden_act": "gelu"}, inputs={"input_features": {"shape": [2, 80, 21], "lo": -1.0, "hi": 1.0},
           "attention_mask": {"values": [[1] * 10, [0] * 3 + [1] * 7]}}),
    Switch(VRE, "given", inputs={"input_features": None, "inputs_embeds": {"shape": [2, 9, 32], "lo": -1.0, "hi": 1.0},
           "position_ids": {"values": [[3, 4, 5, 6, 7, 8, 9, 10, 11], [0, 1, 2, 3, 4, 5, 6, 7, 8]]}}),
]
MOSHI = [
    Switch("MoshiForCausalLM", "wide", {"head_dim": 6, "hidden_act": "gelu", "sliding_window": 20}, mask="left", length=9),
    Switch("MoshiModel", "given", {"num_key_value_heads": 2}, inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 5, 32], "lo": -1.0, "hi": 1.0},
           "attention_mask": None}),
    Switch("MoshiForCausalLM", "defaults", {k: ABSENT for k in ("rope_parameters", "hidden_act", "rms_norm_eps", "head_dim", "num_key_value_heads",
           "sliding_window", "max_position_embeddings")}, raw=True),
]
KM = "KyutaiSpeechToTextModel"
KYUTAI = [
    Switch(KM, "pads", {"codebook_vocab_size": 12, "num_codebooks": 3, "audio_pad_token_id": 7, "num_key_value_heads": 2}, inputs=coded(2, 6, 4, 11)
           | {"attention_mask": {"values": [[1] * 6, [0, 0, 1, 1, 1, 1]]}}),
    Switch("KyutaiSpeechToTextForConditionalGeneration", "few", {"codebook_vocab_size": 12, "num_codebooks": 3, "audio_pad_token_id": 7,
           "hidden_act": "gelu"}, inputs=coded(2, 6, 4, 11) | {"attention_mask": None}),
]
D = "DiaForConditionalGeneration"
DIA = [
    Switch(D, "started", {"encoder_config": {"num_key_value_heads": 1, "hidden_act": "gelu"}, "decoder_config": {"hidden_act": "gelu"}},
           inputs={"decoder_input_ids": None, "decoder_attention_mask": None}, mask="left"),
Switch("DiaModel", "places", inputs={"decoder_input_ids": {"shape": [2, 4, 3], "ids": [0, 96]}, "decoder_attention_mask": {"values": [[1] * 4, [0, 1, 1, 1]]},
           "decoder_position_ids": {"values": [[3, 4, 5, 9], [0, 0, 1, 2]]}}),
    Switch(D, "defaults", {side: {k: ABSENT for k in ("rope_parameters", "hidden_act", "norm_eps", "max_position_embeddings")} for side in
           ("encoder_config", "decoder_config")}, raw=True, inputs={"decoder_input_ids": {"shape": [2, 4, 3], "ids": [0, 96]}, "decoder_attention_mask": None}),
]

def vibevoice_tokenizer(part: str, name: str, channels: int) -> list[Switch]:
    architecture = f"VibeVoiceAcousticTokenizer{part}Model"
    given = {name: {"shape": [1, channels, 24], "lo": -1.0, "hi": 1.0}}
    kwargs = {} if part else {"sample": False}
    return [
        Switch(architecture, "odd", {"num_filters": 5, "downsampling_ratios": [2, 3], "depths": [1, 2, 1], "kernel_size": 4, "ffn_expansion": 1,
               "hidden_act": "relu"}, inputs=given, kwargs=kwargs),
        Switch(architecture, "defaults", {k: ABSENT for k in ("channels", "hidden_act", "rms_norm_eps", "ffn_expansion")}, raw=True, inputs=given, kwargs=kwargs),
    ]


CLVP_ENCODER = [
    Switch("ClvpEncoder", "last", {"summary_type": "last", "use_attention_bias": True, "hidden_act": "relu"}, mask="left"),
    Switch("ClvpEncoder", "first", {"summary_type": "first", "use_rotary_embedding": False, "layer_norm_eps": 0.1}, mask=None),
    Switch("ClvpEncoder", "given", {"summary_type": "cls_index"}, inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 5, 128], "lo": -1.0, "hi": 1.0},
           "attention_mask": None, "position_ids": {"values": [[3, 1, 4, 1, 0], [0, 1, 2, 3, 4]]}}),
    Switch("ClvpEncoder", "defaults", {k: ABSENT for k in ("summary_type", "use_attention_bias", "use_rotary_embedding", "hidden_act", "layer_norm_eps")},
           raw=True),
]
CLVP_DECODER = [
    Switch("ClvpDecoder", "unbiased", {"use_attention_bias": False, "n_inner": 30, "activation_function": "relu", "layer_norm_epsilon": 0.1}, mask="holes"),
    Switch("ClvpModel", "types", inputs={"token_type_ids": {"values": [[1, 0, 5, 2, 3, 4, 6], [7, 8, 9, 1, 0, 2, 3]]}, "position_ids": {"values":
           [[3, 1, 4, 1, 5, 9, 2], [0, 1, 2, 3, 4, 5, 6]]}}),
    Switch("ClvpForCausalLM", "defaults", {k: ABSENT for k in ("n_inner", "use_attention_bias", "activation_function", "layer_norm_epsilon")}, raw=True,
           mask="left"),
]

def frames_of(*shape: int) -> dict:
    return {"shape": list(shape), "lo": -1.0, "hi": 1.0}


def granite_speech(prefix: str, plus: dict) -> list[Switch]:
    lm, model = f"{prefix}ForConditionalGeneration", f"{prefix}Model"
    small = {"context_size": 20, "max_pos_emb": 30}

    def said(counts: list[list[int]], sounds: int, marks: list[int] | None = None) -> dict:
        given = heard(3, counts, [sounds, 33, 80])
        mask = {"input_features_mask": {"values": [[1] * n + [0] * (9 - n) for n in marks], "dtype": "BOOL"}} if marks else {}
        return given | {"input_features": frames_of(sounds, 33, 80)} | mask

    return [
        Switch(lm, "beyond_words", {"audio_token_index": 200, "tie_word_embeddings": False, "encoder_config": small, **plus},
               inputs=heard(200, [[9], [9]], [2, 33, 80]) | {"input_features": frames_of(2, 33, 80)}),
        Switch(lm, "marked", {"audio_token_index": 3, "encoder_config": {**small, "conv_kernel_size": 4}}, inputs=said([[9, 2], [4]], 3, [9, 2, 4])),
        Switch(lm, "qwen2", {"audio_token_index": 3, **QWEN2, "encoder_config": {**small, "num_layers": 3}}, inputs=said([[9], [9]], 2)),
        Switch(lm, "text_only", inputs=ONLY_TEXT, mask="left"),
        Switch(model, "defaults", {"audio_token_index": 3, "window_size": ABSENT, "downsample_rate": ABSENT, "tie_word_embeddings": ABSENT, "encoder_config": {
               "context_size": ABSENT, "max_pos_emb": ABSENT, "conv_kernel_size": ABSENT, "conv_expansion_factor": ABSENT, "feedforward_mult": ABSENT,
               "output_dim": ABSENT}}, raw=True, inputs=said([[9], [9]], 2)),
    ]


def granite_encoder(prefix: str, **plus) -> list[Switch]:
    return [Switch(f"{prefix}CTCEncoder", "blocks", {"context_size": 11, "max_pos_emb": 20, "conv_kernel_size": 4, "num_layers": 3, **plus},
                   inputs={"hidden_states": frames_of(2, 33, 80)}),
            Switch(f"{prefix}CTCEncoder", "one_layer", {"context_size": 11, "max_pos_emb": 20, "num_layers": 1, "dim_head": None},
                   inputs={"hidden_states": frames_of(2, 30, 80)})]


CAT = {"encoder_config": {"cat_hidden_layers": [0, 1], "context_size": 20, "max_pos_emb": 30}, "projector_config": {"encoder_hidden_size": 96}}
SPEECH_CHAT = {"granite_speech": granite_speech("GraniteSpeech", {}), "granite_speech_encoder": granite_encoder("GraniteSpeech"),
               "granite_speech_plus": granite_speech("GraniteSpeechPlus", CAT),
               "granite_speech_plus_encoder": granite_encoder("GraniteSpeechPlus", cat_hidden_layers=[0, 2])}
SPEECH_CHAT |= {"clvp_encoder": CLVP_ENCODER, "clvp_decoder": CLVP_DECODER}
SPEECH_CHAT |= {"vibevoice_acoustic_tokenizer": vibevoice_tokenizer("", "input_values", 1),
               "vibevoice_acoustic_tokenizer_encoder": vibevoice_tokenizer("Encoder", "hidden_states", 1),
               "vibevoice_acoustic_tokenizer_decoder": vibevoice_tokenizer("Decoder", "hidden_states", 32)}
SPEECH_CHAT |= {"voxtral_realtime": VOXTRAL_REALTIME, "voxtral_realtime_encoder": VOXTRAL_REALTIME_ENCODER, "moshi": MOSHI,
               "kyutai_speech_to_text": KYUTAI, "dia": DIA}
SPEECH_CHAT |= {"semantic": bark("BarkSemanticModel"), "coarse_acoustics": bark("BarkCoarseModel"), "fine_acoustics": FINE_ACOUSTICS, "csm": CSM,
               "csm_depth_decoder_model": CSM_DEPTH}
SPEECH_CHAT |= {"pop2piano": POP2PIANO, "moonshine_streaming": MOONSHINE_STREAMING, "musicgen": MUSICGEN, "musicgen_melody": MUSICGEN_MELODY,
               "musicgen_melody_decoder": MUSICGEN_MELODY_DECODER}
SPEECH_CHAT |= {"qwen3_asr": QWEN3_ASR, "qwen3_asr_encoder": QWEN3_ASR_ENCODER, "fun_asr_nano": FUN_ASR_NANO, "fun_asr_nano_encoder": FUN_ASR_NANO_ENCODER,
               "musicflamingo": audio_flamingo("MusicFlamingo"), "parakeet_rnnt": transducer("ParakeetForRNNT"),
               "parakeet_tdt": transducer("ParakeetForTDT"), "lasr_encoder": LASR_ENCODER, "lasr_ctc": LASR_CTC, "canary": CANARY,
               "cohere_asr": COHERE_ASR}
SPEECH_CHAT |= {"voxtral": VOXTRAL, "voxtral_encoder": VOXTRAL_ENCODER, "qwen2_audio": QWEN2_AUDIO, "qwen2_audio_encoder": QWEN2_AUDIO_ENCODER,
               "audioflamingo3": audio_flamingo("AudioFlamingo3"), "audioflamingo3_encoder": AUDIO_FLAMINGO_ENCODER, "glmasr": GLMASR,
               "glmasr_encoder": GLMASR_ENCODER}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
SPEECH_CHAT_KEPT = {"voxtral": "mistral both_in_one", "voxtral_encoder": "biased", "qwen2_audio": "uneven none_of_one",
                    "qwen2_audio_encoder": "unmasked", "audioflamingo3": "llama uneven", "audioflamingo3_encoder": "odd", "glmasr": "untied whole",
                    "glmasr_encoder": "odd",
                    "qwen3_asr": "two_stretches biased", "qwen3_asr_encoder": "windows", "fun_asr_nano": "one_layer uneven",
                    "fun_asr_nano_encoder": "even", "musicflamingo": "touching", "parakeet_rnnt": "deep", "parakeet_tdt": "deep",
                    "lasr_encoder": "biased stride_3", "lasr_ctc": "small", "canary": "groups packed", "cohere_asr": "groups other_tie",
                    "pop2piano": "features", "moonshine_streaming": "windows projected", "musicgen": "projected", "musicgen_melody": "hummed",
                    "musicgen_melody_decoder": "odd", "semantic": "unbiased", "coarse_acoustics": "given", "fine_acoustics": "untied",
                    "csm": "words untied", "csm_depth_decoder_model": "without",
                    "voxtral_realtime": "late", "voxtral_realtime_encoder": "padded given", "moshi": "wide", "kyutai_speech_to_text": "pads",
                    "dia": "started places", "vibevoice_acoustic_tokenizer": "odd", "vibevoice_acoustic_tokenizer_encoder": "odd",
                    "vibevoice_acoustic_tokenizer_decoder": "odd", "clvp_encoder": "last given", "granite_speech": "marked", "granite_speech_encoder": "blocks",
                    "granite_speech_plus": "beyond_words", "granite_speech_plus_encoder": "blocks", "clvp_decoder": "unbiased types"}
