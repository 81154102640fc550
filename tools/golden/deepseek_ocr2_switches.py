"""Switches of DeepSeek-OCR-2 and Unlimited-OCR: see `switches.py`."""

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
U_LM, U_MODEL, U_VISION, U_TEXT = "UnlimitedOcrForConditionalGeneration", "UnlimitedOcrModel", "UnlimitedOcrVisionModel", "UnlimitedOcrTextModel"


def lines(grids: list[list[int]], page: int, tile: int, side: int) -> dict:
    """A page in each row, of so many columns and rows of tiles and the whole, of side x side places; [0, 0]: of no tiles."""
    rows = []
    for row, (columns, down) in enumerate(grids):
        rows.append([20 + row, *[10] * (down * tile * (columns * tile + 1) * (columns > 0) + page * (page + 1) + 1), 30 + row])
    width = max(map(len, rows)) + 1
    return {"input_ids": {"values": [ids + [40 + i % 50 for i in range(width - len(ids))] for ids in rows]}, "attention_mask": None,
            "pixel_values": {"shape": [len(grids), 3, side * page, side * page], "lo": -1.0, "hi": 1.0},
            "pixel_values_local": {"shape": [sum(x * y for x, y in grids), 3, side * tile, side * tile], "lo": -1.0, "hi": 1.0},
            "num_local_patches": {"values": [x * y for x, y in grids], "list": True},
            "patches_grid": {"values": [[max(x, 1), max(y, 1)] for x, y in grids], "list": True}}


# Sixteen pixels a place.
DEEPSEEK_OCR2 |= {"unlimited_ocr": [
    Switch(U_LM, "tiles", inputs=lines([[1, 2], [2, 1]], 2, 1, 16)),
    Switch(U_LM, "wide", {"text_config": {"sliding_window": 2, "layer_types": ["full_attention", "reference_sliding_attention"]}},
           inputs=lines([[0, 0], [2, 2]], 2, 3, 16)),
    Switch(U_LM, "text_only", {"text_config": {"sliding_window": 3}}, inputs={"pixel_values": None}, mask="left"),
    Switch(U_MODEL, "defaults", {"text_config": {"layer_types": ABSENT, "mlp_layer_types": ABSENT, "sliding_window": ABSENT, "n_group": ABSENT,
           "topk_group": ABSENT, "topk_method": ABSENT, "rope_parameters": ABSENT}, "vision_config": {"encoder_config": {"hidden_act": ABSENT,
           "layer_norm_eps": ABSENT}, "sam_config": {"qkv_bias": ABSENT, "use_abs_pos": ABSENT, "use_rel_pos": ABSENT, "hidden_act": ABSENT,
           "layer_norm_eps": ABSENT, "num_channels": ABSENT}}}, raw=True, inputs=lines([[0, 0], [2, 1]], 2, 1, 16)),
], "unlimited_ocr_vision": [
    Switch(U_VISION, "resized", {"sam_config": BARE, "encoder_config": {"hidden_act": "relu", "layer_norm_eps": 0.1}}, inputs=image(2, 3, 48, 16)),
], "unlimited_ocr_text": [
    Switch(U_TEXT, "sparse", {"mlp_layer_types": ["sparse", "dense"], "mlp_bias": True, "attention_bias": True, "num_key_value_heads": 1}, length=9, mask="left"),
]}
DEEPSEEK_OCR2_KEPT = {"deepseek_ocr2": "tiles uneven", "deepseek_ocr2_vision": "many bare", "unlimited_ocr": "tiles wide text_only defaults",
                      "unlimited_ocr_vision": "resized", "unlimited_ocr_text": "sparse"}
