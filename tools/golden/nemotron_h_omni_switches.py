"""Switches of Nemotron Omni: see `switches.py`."""

from switches import ABSENT, Switch

OMNI = "NemotronH_Omni_Reasoning_V3"
IMAGE, SOUND = 90, 91
EARS = {"model_type": "parakeet_encoder", "hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 30, "conv_kernel_size": 3,
        "subsampling_conv_channels": 6, "num_mel_bins": 16, "max_position_embeddings": 64, "projection_hidden_size": 20, "projection_bias": True}
NOTHING = {name: None for name in ("attention_mask", "pixel_values", "image_grid_hw")}


def text(*rows: list[tuple[int, int]]) -> dict:
    """Rows of tokens that stand so many times each, a word behind each, and words at the end."""
    made = [[5 + row] + [i for token, count in tokens for i in [token] * count + [token - 70]] for row, tokens in enumerate(rows)]
    width = max(map(len, made)) + 1
    return {**NOTHING, "input_ids": {"values": [ids + [40 + i for i in range(width - len(ids))] for ids in made]}}


def pictures(*grids: list[int]) -> dict:
    return {"pixel_values": {"shape": [sum(h * w for h, w in grids), 48], "lo": -1.0, "hi": 1.0}, "image_grid_hw": {"values": list(grids)}}


def sounds(frames: int, *lengths: int, count: int = 0) -> dict:
    mask = {"input_features_mask": {"values": [[1] * n + [0] * (frames - n) for n in lengths]}} if lengths else {}
    return {"input_features": {"shape": [count or len(lengths), frames, 16], "lo": -1.0, "hi": 1.0}} | mask


TEXT = {"text_config": {"time_step_limit": [0.0, float("inf")]}}
SEES, HEARS = TEXT | {"image_token_id": IMAGE}, TEXT | {"audio_token_id": SOUND, "audio_config": EARS}
NEMOTRON_H_OMNI = {"nemotron_h_omni": [
    Switch(OMNI, "sizes", SEES, inputs=text([(IMAGE, 2), (IMAGE, 2), (IMAGE, 4)], [(IMAGE, 6)]) | pictures([2, 4], [2, 4], [4, 4], [4, 6])),
    Switch(OMNI, "heard", HEARS, inputs=text([(SOUND, 4), (SOUND, 3)], [(SOUND, 1)]) | sounds(31, 31, 20, 5)),
    Switch(OMNI, "whole", {**HEARS, "audio_config": {**EARS, "attention_bias": True, "scale_input": True, "projection_bias": False}},
           inputs=text([(SOUND, 4)], [(SOUND, 4)]) | sounds(31, count=2)),
    Switch(OMNI, "both", {**SEES, **HEARS}, inputs=text([(IMAGE, 2), (SOUND, 2)]) | pictures([2, 4]) | sounds(12, 12)),
    Switch(OMNI, "normed", {**SEES, "text_config": {**TEXT["text_config"], "num_nextn_predict_layers": 1}}, inputs=text([(IMAGE, 2)]) | pictures([2, 4])),
    Switch(OMNI, "text_only", TEXT, inputs=NOTHING, mask=None, length=6),
]}
NEMOTRON_H_OMNI_KEPT = {"nemotron_h_omni": "sizes heard whole both normed"}
