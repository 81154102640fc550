"""Switches of codecs of sounds, of models that hear and that speak: see `switch_table.py`. Each case turns what the class
reads and no size would show."""

from switches import ABSENT, Switch


def reals(name: str, *shape: int) -> dict:
    return {name: {"shape": list(shape), "lo": -1.0, "hi": 1.0}}


def marks(name: str, lengths: list[int], width: int, **more) -> dict:
    return {name: {"values": [[1] * n + [0] * (width - n) for n in lengths], **more}}


def absent(*fields: str) -> dict:
    return {field: ABSENT for field in fields}


SMALL = {"intermediate_size": 30}
E, D = "MimiEncoderModel", "MimiDecoderModel"
MIMI_DEFAULTS = absent("pad_mode", "use_causal_conv", "trim_right_ratio", "sampling_rate", "use_conv_shortcut", "kernel_size",
                       "last_kernel_size", "residual_kernel_size", "compress", "num_residual_layers", "dilation_growth_rate",
                       "sliding_window", "hidden_act", "norm_eps", "attention_bias", "rope_parameters", "_frame_rate", "audio_channels",
                       "head_dim")
MIMI_ENCODER = [
    Switch(E, "reflect", {**SMALL, "pad_mode": "reflect", "use_conv_shortcut": True, "audio_channels": 2, "attention_bias": True},
           inputs=reals("input_values", 2, 2, 777)),
    Switch(E, "frame_rate", {**SMALL, "_frame_rate": ABSENT, "frame_rate": 150.5}, raw=True, inputs=reals("input_values", 1, 1, 600)),
    Switch(E, "defaults", {**SMALL, **MIMI_DEFAULTS}, raw=True, inputs=reals("input_values", 1, 1, 600)),
]
MIMI_DECODER = [
    Switch(D, "masked", SMALL, inputs=reals("latents", 2, 32, 5) | marks("padding_mask", [300, 200], 300)),
    Switch(D, "trimmed", {**SMALL, "trim_right_ratio": 0.4, "upsample_groups": 8}, inputs=reals("latents", 2, 32, 5)),
    Switch(D, "defaults", {**SMALL, **MIMI_DEFAULTS}, raw=True, inputs=reals("latents", 1, 32, 4)),
]

X = "XcodecModel"
FEW_HOPS = {"acoustic_model_config": {"downsampling_ratios": [4, 4], "upsampling_ratios": [4, 4], "hop_length": 16},
            "semantic_model_config": {"conv_dim": [4, 4], "conv_kernel": [4, 4], "conv_stride": [4, 4], "num_feat_extract_layers": 2,
                                      "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2},
            "codebook_size": 16, "target_bandwidths": [4, 9, 12]}


def sounds(rows: int, length: int) -> dict:
    return reals("input_values", rows, 1, length) | {"audio_codes": None}


XCODEC = [
    Switch(X, "encode", FEW_HOPS, inputs=sounds(2, 160)),
    Switch(X, "bandwidth", FEW_HOPS, inputs=sounds(1, 100), kwargs={"bandwidth": 9}),
    Switch(X, "odd", {**FEW_HOPS, "acoustic_model_config": {"downsampling_ratios": [5, 3], "upsampling_ratios": [5, 3], "hop_length": 15},
           "semantic_model_config": {**FEW_HOPS["semantic_model_config"], "conv_stride": [5, 3], "conv_kernel": [5, 3]},
           "target_bandwidths": [5, 9]}, inputs=sounds(2, 150)),
    Switch(X, "wide", {**FEW_HOPS, "channel_ratios": [2, 1], "block_dilations": [2, 3, 1], "unit_kernel_size": 5, "kernel_size": 5},
           inputs=sounds(2, 160)),
    Switch(X, "wavlm", {**FEW_HOPS, "semantic_model_config": {**FEW_HOPS["semantic_model_config"], "model_type": "wavlm"}},
           inputs=sounds(2, 160)),
    Switch(X, "defaults", {**FEW_HOPS, **absent("channel_ratios", "strides", "block_dilations", "unit_kernel_size", "kernel_size",
           "sample_rate", "codebook_dim", "initializer_range")}, raw=True, inputs=sounds(1, 64)),
]


def codec(architecture: str) -> list[Switch]:
    small = {"semantic_model_config": {"num_hidden_layers": 1, "feature_projection_input_dim": 12, "conv_depthwise_kernel_size": 5},
             "downsampling_ratios": [2, 4], "intermediate_size": 30}

    def read(rows: int, frames: int) -> dict:
        return reals("input_values", rows, 1, 8 * frames) | reals("input_features", rows, frames, 12)

    return [
        Switch(architecture, "levels", {**small, "quantization_levels": [2, 3, 5], "attention_bias": True, "hidden_act": "gelu"},
               inputs=read(2, 9)),
        Switch(architecture, "masked", small, inputs=read(2, 10) | marks("input_features_mask", [10, 6], 10)),
        Switch(architecture, "padded", small, inputs=read(2, 10) | marks("padding_mask", [80, 41], 80)),
        Switch(architecture, "latents", small, inputs=read(1, 7), kwargs={"output_latents": True}),
        Switch(architecture, "one_frame", small, inputs=read(2, 1)),
        Switch(architecture, "rope", {**small, "rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 50.0},
               "num_hidden_layers": 1}, inputs=read(2, 5)),
        Switch(architecture, "defaults", {**small, **absent("hidden_act", "rms_norm_eps", "attention_bias", "rope_parameters",
               "max_position_embeddings", "sampling_rate", "input_sampling_rate", "output_sampling_rate")}, raw=True, inputs=read(1, 5)),
    ]


G, GC = "GraniteSpeech5Encoder", "GraniteSpeech5ForCTC"


def frames(rows: int, length: int, lengths: list[int] | None = None, bins: int = 64) -> dict:
    return reals("input_features", rows, length, bins) | (marks("attention_mask", lengths, length) if lengths else {"attention_mask": None})


GRANITE_SPEECH5_ENCODER = [
    Switch(G, "unmasked", {"attention_bias": False, "hidden_act": "relu"}, inputs=frames(2, 21), kwargs={"output_hidden_states": True}),
    Switch(G, "whole_blocks", inputs=frames(2, 32), kwargs={"output_hidden_states": True}),
    Switch(G, "odd", {"subsample_layers": [0, 2], "context_size": 5}, inputs=frames(2, 23, [23, 10]), kwargs={"output_hidden_states": True}),
    Switch(G, "holes", inputs=reals("input_features", 2, 24, 64) | {"attention_mask": {"values": [[1] * 24, [0] * 10 + [1, 0] * 7]}}),
    Switch(G, "none", {"subsample_layers": []}, inputs=frames(1, 9)),
    Switch(G, "defaults", absent("hidden_act", "num_key_value_heads", "conv_kernel_size", "conv_expansion_factor", "attention_bias",
           "subsample_layers", "head_dim"), raw=True, inputs=frames(2, 24, [24, 13])),
]
GRANITE_SPEECH5_CTC = [
    Switch(GC, "untied", {"tie_word_embeddings": False}, inputs=frames(2, 24, [24, 13])),
    Switch(GC, "states", inputs=frames(2, 24), kwargs={"output_hidden_states": True}),
    Switch(GC, "no_middle", {"encoder_config": {"num_hidden_layers": 1, "subsample_layers": [0]}}, inputs=frames(2, 24, [24, 13])),
]

P = "PeAudioEncoder"


def waves(rows: int, length: int, lengths: list[int] | None = None) -> dict:
    return reals("input_values", rows, 1, length) | (marks("padding_mask", lengths, length, dtype="I32") if lengths else {"padding_mask": None})


PE_AUDIO_ENCODER = [
    Switch(P, "unmasked", {"attention_bias": True, "hidden_act": "gelu"}, inputs=waves(2, 160), kwargs={"output_hidden_states": True}),
    Switch(P, "left", inputs=reals("input_values", 2, 1, 160) | {"padding_mask": {"values": [[1] * 160, [0] * 64 + [1] * 96], "dtype": "I32"}}),
    Switch(P, "rope", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 100.0}, "num_key_value_heads": 4},
           inputs=waves(1, 96)),
    Switch(P, "defaults", absent("hidden_act", "num_key_value_heads", "rms_norm_eps", "rope_parameters", "attention_bias",
           "max_position_embeddings"), raw=True, inputs=waves(2, 160, [160, 70])),
]
PE_AUDIO = [
    Switch("PeAudioModel", "plain", inputs=waves(3, 96), length=5, mask="left"),
    Switch("PeAudioFrameLevelModel", "plain", inputs=waves(3, 96, [96, 50, 33]), mask=None),
    Switch("PeAudioModel", "states", inputs=waves(1, 96), kwargs={"output_hidden_states": True}),
]

VOICES = {"mimi_encoder": MIMI_ENCODER, "mimi_decoder": MIMI_DECODER, "xcodec": XCODEC, "xcodec2": codec("Xcodec2Model"),
          "neucodec": codec("NeuCodecModel"), "granite_speech5_encoder": GRANITE_SPEECH5_ENCODER,
          "granite_speech5_ctc": GRANITE_SPEECH5_CTC, "pe_audio_encoder": PE_AUDIO_ENCODER, "pe_audio": PE_AUDIO}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
VOICES_KEPT = {"mimi_encoder": "reflect", "mimi_decoder": "masked", "xcodec": "encode wide", "xcodec2": "masked", "neucodec": "padded",
               "granite_speech5_encoder": "odd holes", "granite_speech5_ctc": "untied", "pe_audio_encoder": "left", "pe_audio": "plain"}
