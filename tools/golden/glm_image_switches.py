"""Switches of GLM-Image: see `switches.py`."""

from switches import ABSENT, Switch

LM, MODEL, TEXT = "GlmImageForConditionalGeneration", "GlmImageModel", "GlmImageTextModel"
VISION = "GlmImageVisionModel"
START, END, IMAGE = 50, 51, 52
SMALL = {"image_size": 16, "patch_size": 4}
NUMBERS = 48
NOTHING = {name: None for name in ("pixel_values", "image_grid_thw", "images_per_sample")}


def patches(grids: list[list[int]]) -> dict:
    return {"shape": [sum(t * h * w for t, h, w in grids), NUMBERS], "lo": -1.0, "hi": 1.0}


def read(rows: list[list[list[int]]], padding: int = 0) -> dict:
    """In each row the pictures of these grids, and the last of them as the one asked for; padding before the first row."""
    ids, given = [], []
    for at, grids in enumerate(rows):
        row = [20 + at, 21]
        for t, h, w in grids[:-1]:
            row += [START, *[IMAGE] * (t * h * w), END, 30 + at]
            given.append([t, h, w])
        ids.append(row)
    ids[0] = [0] * padding + ids[0]
    width = max(map(len, ids)) + 2
    mask = [[0] * padding * (at == 0) + [1] * (width - padding * (at == 0)) for at in range(len(ids))]
    ids = [row + [60 + i % 30 for i in range(width - len(row))] for row in ids]
    return {"input_ids": {"values": ids}, "attention_mask": {"values": mask} if padding else None, "pixel_values": patches(given),
            "image_grid_thw": {"values": [grid for row in rows for grid in row]}, "images_per_sample": {"values": [len(row) for row in rows]}}


ASKED = {"pixel_values": None, "attention_mask": None, "input_ids": {"values": [[20, 21, 22, START], [23, 24, 25, START]]},
         "image_grid_thw": {"values": [[1, 3, 2], [1, 1, 2], [1, 1, 3], [1, 2, 1]]}, "images_per_sample": {"values": [2, 2]}}
GLM_IMAGE = {"glm_image": [
    Switch(LM, "sizes", {"vision_config": SMALL}, inputs=read([[[1, 2, 3], [1, 3, 2]], [[1, 4, 4], [1, 2, 2]]])),
    Switch(LM, "several", {"vision_config": SMALL}, rows=1, inputs=read([[[1, 2, 3], [1, 5, 2], [1, 2, 3]]])),
    Switch(LM, "asked", inputs=ASKED),
    Switch(LM, "text_only", {"text_config": {"vision_vocab_size": 40}}, inputs=NOTHING, mask="left"),
    Switch(MODEL, "padded", {"vision_config": SMALL}, inputs=read([[[1, 2, 3], [1, 3, 2]], [[1, 4, 4], [1, 2, 2]]], 2)),
    Switch(MODEL, "defaults", {"vision_config": {**SMALL, "hidden_act": ABSENT, "attention_bias": ABSENT, "in_channels": ABSENT,
           "layer_norm_eps": ABSENT, "spatial_merge_size": ABSENT}, "vq_config": {"in_channels": ABSENT}, "text_config": {"hidden_act": ABSENT,
           "attention_bias": ABSENT}}, raw=True, inputs=read([[[1, 2, 3], [1, 3, 2]], [[1, 4, 4], [1, 2, 2]]])),
], "glm_image_text": [
    Switch(TEXT, "plain", {"attention_bias": False, "num_key_value_heads": 2, "rope_parameters": {"rope_type": "default", "rope_theta": 30.0,
           "mrope_section": [0, 1, 1], "partial_rotary_factor": 0.5}}, inputs={"position_ids": {"values": [[[0, 1, 1, 1, 4, 5, 6]] * 2,
           [[0, 1, 2, 3, 4, 5, 6]] * 2, [[0, 0, 1, 1, 2, 2, 3]] * 2]}, "attention_mask": None, "inputs_embeds": {"shape": [2, 7, 16], "lo": -1.0, "hi": 1.0}}),
], "glm_image_vision": [
    Switch(VISION, "resized", {**SMALL, "attention_bias": False, "hidden_act": "relu", "layer_norm_eps": 0.1}, inputs={
        "pixel_values": patches([[1, 3, 7], [1, 5, 2]]), "grid_thw": {"values": [[1, 3, 7], [1, 5, 2]]}}),
]}
GLM_IMAGE_KEPT = {"glm_image": "sizes several asked text_only padded defaults", "glm_image_text": "plain", "glm_image_vision": "resized"}
