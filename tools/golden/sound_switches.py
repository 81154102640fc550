"""Switches of models that read or write sounds: see `switch_table.py`. Each case turns what the class reads and no size would
show."""

from switches import ABSENT, Switch


def masked(samples: int) -> dict:
    """Rows of different lengths."""
    return {"input_values": {"shape": [2, samples], "lo": -1.0, "hi": 1.0},
            "attention_mask": {"values": [[1] * samples, [1] * (samples - 600) + [0] * 600]}}


def positions(values: list[list[int]]) -> dict:
    return {"decoder_position_ids": {"values": values}, "decoder_attention_mask": None}


M = "MoonshineForConditionalGeneration"
MOONSHINE = [
    Switch(M, "biased", {"attention_bias": True, "encoder_hidden_act": "relu", "decoder_hidden_act": "gelu",
           "pad_head_dim_to_multiple_of": 8}, inputs=masked(2000), decoder_length=5),
    Switch(M, "other_heads", {"decoder_num_attention_heads": 4, "decoder_num_key_value_heads": 4}, inputs=masked(2000),
           decoder_length=5),
    Switch(M, "head_dim", {"head_dim": 7, "tie_word_embeddings": False}, inputs=masked(1900), decoder_length=4),
    Switch(M, "whole", {"rope_parameters": {"rope_theta": 100.0, "rope_type": "default", "partial_rotary_factor": 1.0}},
           inputs=masked(2000), decoder_length=5),
    Switch(M, "linear", {"rope_parameters": {"rope_theta": 100.0, "rope_type": "linear", "factor": 3.0,
           "partial_rotary_factor": 0.9}}, inputs=masked(2000), decoder_length=5),
    Switch(M, "positions", inputs={**masked(2000), **positions([[3, 2, 1, 0, 5], [7, 8, 9, 10, 11]])}, decoder_length=5),
    Switch(M, "packed", inputs={**masked(2000), **positions([[0, 1, 0, 1, 2], [3, 4, 5, 6, 7]])}, decoder_length=5),
    Switch(M, "left", inputs={**masked(2500), "attention_mask": {"values": [[1] * 2500, [0] * 500 + [1] * 2000]}},
           decoder_length=5, mask="left"),
    Switch(M, "unmasked", inputs={**masked(1500), "attention_mask": None}, mask=None, decoder_length=3),
    Switch("MoonshineModel", "layers", {"encoder_num_hidden_layers": 1, "decoder_num_hidden_layers": 3}, inputs=masked(1000),
           decoder_length=1, kwargs={"output_hidden_states": True}),
    Switch("MoonshineModel", "no_encoder_layers", {"encoder_num_hidden_layers": 0, "decoder_num_attention_heads": 4,
           "decoder_num_key_value_heads": 4}, inputs=masked(1000), decoder_length=4),
    Switch("MoonshineModel", "defaults", {k: ABSENT for k in ("rope_parameters", "attention_bias", "encoder_hidden_act",
           "decoder_hidden_act", "encoder_num_key_value_heads", "decoder_num_key_value_heads", "max_position_embeddings",
           "tie_word_embeddings")}, raw=True, inputs=masked(1500), decoder_length=5),
]


def spectrograms(channels: int, frames: int, bins: int, longer: list[bool] | None = None) -> dict:
    """Sounds, and which of them are long."""
    marks = {"is_longer": {"values": [[mark] for mark in longer], "dtype": "BOOL"}} if longer else {}
    return {"input_features": {"shape": [2, channels, frames, bins], "lo": -1.0, "hi": 1.0}, **marks}


CLAP_AUDIO_MODEL = [
    Switch("ClapAudioModel", "fusion", {"enable_fusion": True}, inputs=spectrograms(4, 100, 16, [True, False])),
    Switch("ClapAudioModel", "fusion_all", {"enable_fusion": True, "aff_block_r": 3, "patch_size": 4, "fusion_type": "aff_2d"},
           inputs=spectrograms(4, 256, 16, [True, True])),
    Switch("ClapAudioModel", "fusion_none", {"enable_fusion": True}, inputs=spectrograms(4, 256, 16, [False, False])),
    Switch("ClapAudioModel", "wide_patches", {"patch_size": [4, 2], "patch_stride": [2, 2], "window_size": 5},
           inputs=spectrograms(1, 256, 16)),
    Switch("ClapAudioModel", "one_window", {"window_size": 16}, inputs=spectrograms(1, 256, 16)),
    Switch("ClapAudioModel", "few_bins", {"num_mel_bins": 15}, inputs=spectrograms(1, 256, 15)),
    Switch("ClapAudioModel", "two_channels", {"patch_embed_input_channels": 2, "enable_patch_layer_norm": False,
           "qkv_bias": False, "layer_norm_eps": 0.1, "hidden_act": "relu", "mlp_ratio": 1.3}, inputs=spectrograms(2, 50, 16)),
    Switch("ClapAudioModelWithProjection", "relu", {"projection_hidden_act": "silu", "projection_dim": 7},
           inputs=spectrograms(1, 77, 16)),
    Switch("ClapAudioModelWithProjection", "half", {"depths": [1, 1]}, inputs=spectrograms(1, 256, 16), weights="F16"),
    Switch("ClapAudioModel", "defaults", {k: ABSENT for k in ("hidden_act", "qkv_bias", "mlp_ratio", "layer_norm_eps",
           "enable_fusion", "enable_patch_layer_norm", "flatten_patch_embeds", "patch_embed_input_channels", "fusion_type",
           "aff_block_r")}, raw=True, inputs=spectrograms(1, 256, 16)),
]
PADS = {"input_ids": {"values": [[9, 8, 1, 7, 1, 1, 1], [1, 1, 5, 1, 6, 7, 8]]}}
CLAP_TEXT_MODEL = [
    Switch("ClapTextModel", "pads", inputs=PADS, mask="holes"),
    Switch("ClapTextModel", "pad_zero", {"pad_token_id": 0}, mask=None),
    Switch("ClapTextModel", "types", {"type_vocab_size": 3}, inputs={"token_type_ids": {"values": [[0, 1, 2, 0, 1, 2, 1]] * 2}}),
    Switch("ClapTextModel", "positions", inputs={"position_ids": {"values": [[6, 5, 4, 3, 2, 1, 0]] * 2}}),
    Switch("ClapTextModel", "embeds", inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 7, 32], "lo": -1.0, "hi": 1.0}}),
    Switch("ClapTextModelWithProjection", "act", {"projection_hidden_act": "gelu", "projection_dim": 7, "hidden_act": "relu"},
           mask="left"),
    Switch("ClapTextModel", "decoder", {"is_decoder": True}, mask="right"),
    Switch("ClapTextModel", "defaults", {k: ABSENT for k in ("hidden_act", "layer_norm_eps", "pad_token_id", "type_vocab_size",
           "projection_dim")}, raw=True),
]
CLAP = [
    Switch("ClapModel", "projections", {"projection_dim": 9, "projection_hidden_act": "gelu"}, inputs=spectrograms(1, 256, 16),
           rows=2),
    Switch("ClapModel", "fusion", {"audio_config": {"enable_fusion": True}}, inputs=spectrograms(4, 200, 16, [False, True]),
           rows=2),
]

SOUNDS = {"moonshine": MOONSHINE, "clap": CLAP, "clap_audio_model": CLAP_AUDIO_MODEL, "clap_text_model": CLAP_TEXT_MODEL}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
SOUNDS_KEPT = {"moonshine": "other_heads head_dim positions", "clap": "fusion", "clap_audio_model": "wide_patches few_bins",
               "clap_text_model": "pads"}
