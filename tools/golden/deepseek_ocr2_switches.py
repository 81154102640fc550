"""Switches of DeepSeek-OCR-2: see `switches.py`."""

from switches import ABSENT, Switch

LM, MODEL, VISION = "DeepseekOcr2ForConditionalGeneration", "DeepseekOcr2Model", "DeepseekOcr2VisionModel"
PAGE = 1
QUERIES = 144


def read(tiles: list[int], page: list[int], tile: list[int] | None = None) -> dict:
    """A page in each row, of so many tiles and the whole, with a mark; sides in pixels."""
    rows = [[20 + row, *[PAGE] * (QUERIES * (count + 1) + 1), 30 + row] for row, count in enumerate(tiles)]
    width = max(map(len, rows)) + 1
    given = {"input_ids": {"values": [ids + [40 + i % 50 for i in range(width - len(ids))] for ids in rows]}, "attention_mask": None,
             "pixel_values": {"shape": [len(tiles), 3, *page], "lo": -1.0, "hi": 1.0}}
    if tile:
        given["pixel_values_local"] = {"shape": [sum(tiles), 3, *tile], "lo": -1.0, "hi": 1.0}
        given["num_local_patches"] = {"values": tiles}
    return given


def image(*shape: int) -> dict:
    return {"pixel_values": {"shape": list(shape), "lo": -1.0, "hi": 1.0}}


BARE = {"qkv_bias": False, "use_abs_pos": False, "use_rel_pos": False}
DEEPSEEK_OCR2 = {"deepseek_ocr2": [
    Switch(LM, "tiles", inputs=read([1, 2], [16, 16], [24, 24])),
    Switch(LM, "text_only", inputs={"pixel_values": None}, mask="left"),
    Switch(MODEL, "uneven", {"vision_config": {"sam_config": {"window_size": 3, "mlp_dim": None, "mlp_ratio": 1.5, "global_attn_indexes": [0]}}},
           inputs=read([0], [24, 16])),
    Switch(MODEL, "defaults", {"vision_config": {"sam_config": {"layer_norm_eps": ABSENT, "qkv_bias": ABSENT, "use_abs_pos": ABSENT, "use_rel_pos": ABSENT,
           "hidden_act": ABSENT, "mlp_dim": ABSENT, "mlp_ratio": ABSENT, "num_channels": ABSENT}, "encoder_config": {"rope_parameters": ABSENT,
           "hidden_act": ABSENT, "use_sliding_window": ABSENT}}}, raw=True, inputs=read([0, 2], [16, 16], [8, 8])),
], "deepseek_ocr2_vision": [
    Switch(VISION, "many", {"sam_config": {"patch_size": 1, "window_size": 5, "global_attn_indexes": []}}, inputs=image(1, 3, 52, 50)),
    Switch(VISION, "bare", {"sam_config": {**BARE, "window_size": 0}, "encoder_config": {"num_key_value_heads": 4, "rms_norm_eps": 1e-6}}, inputs=image(2, 3, 16, 20)),
]}
DEEPSEEK_OCR2_KEPT = {"deepseek_ocr2": "tiles uneven", "deepseek_ocr2_vision": "many bare"}
