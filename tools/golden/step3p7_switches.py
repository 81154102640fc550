"""Switches of Step 3.7: see `switches.py`."""

from switches import ABSENT, Switch

LM, MODEL, VISION = "Step3p7ForConditionalGeneration", "Step3p7Model", "Step3p7VisionModel"
IMAGE, PATCH = 10, 4


def rows_of(height: int, width: int) -> int:
    """Rows for the text of an image: its patches, halved twice."""
    return -(-(height // PATCH) // 4) * -(-(width // PATCH) // 4)


def read(tiles: list[int], page: list[int], tile: list[int] | None = None) -> dict:
    """A page in each row, of so many tiles and the whole; sides in pixels."""
    rows = [[20 + row, *[IMAGE] * (count * rows_of(*tile or [0, 0]) + rows_of(*page)), 30 + row] for row, count in enumerate(tiles)]
    width = max(map(len, rows)) + 1
    given = {"input_ids": {"values": [ids + [40 + i % 50 for i in range(width - len(ids))] for ids in rows]}, "attention_mask": None,
             "pixel_values": {"shape": [len(tiles), 3, *page], "lo": -1.0, "hi": 1.0}}
    if tile:
        given["pixel_values_local"] = {"shape": [sum(tiles), 3, *tile], "lo": -1.0, "hi": 1.0}
        given["num_local_patches"] = {"values": tiles, "list": True}
    return given


def image(*shape: int) -> dict:
    return {"pixel_values": {"shape": list(shape), "lo": -1.0, "hi": 1.0}}


STEP3P7 = {"step3p7": [
    Switch(LM, "tiles", inputs=read([1, 2], [16, 16], [24, 24])),
    Switch(LM, "uneven", {"projector_bias": True, "vision_config": {"mlp_ratio": 2.1, "hidden_act": "gelu"}}, inputs=read([2, 0], [36, 20], [8, 28])),
    Switch(LM, "text_only", inputs={"pixel_values": None}, mask="left"),
    Switch(LM, "tied", {"text_config": {"tie_word_embeddings": True}}, inputs=read([0, 0], [16, 16])),
    Switch(MODEL, "whole", inputs=read([0, 0], [40, 40])),
    Switch(MODEL, "defaults", {"projector_bias": ABSENT, "vision_config": {"model_type": ABSENT, "hidden_act": ABSENT, "layer_norm_eps": ABSENT,
           "rope_parameters": ABSENT, "num_channels": ABSENT}, "text_config": {"model_type": ABSENT}}, raw=True, inputs=read([0, 1], [16, 16], [8, 8])),
], "step3p5_vision": [
    Switch(VISION, "resized", {"layer_norm_eps": 0.1}, inputs=image(1, 3, 20, 44)),
    Switch(VISION, "turned", {"rope_parameters": {"rope_type": "axial", "rope_theta": 30.0}, "hidden_act": "relu", "num_channels": 2},
           inputs=image(2, 2, 16, 16)),
    Switch(VISION, "names", {"hidden_size": ABSENT, "num_hidden_layers": ABSENT, "num_attention_heads": ABSENT, "layer_scale_init_value": ABSENT,
           "width": 32, "layers": 2, "heads": 2, "ls_init_value": 0.1}, raw=True),
]}
STEP3P7_KEPT = {"step3p7": "tiles uneven text_only defaults", "step3p5_vision": "resized turned names"}
