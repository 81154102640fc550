"""Switches of Cosmos 3 Edge: see `switches.py`."""

from switches import ABSENT, Switch

LM, MODEL, TEXT, VISION = "Cosmos3EdgeForConditionalGeneration", "Cosmos3EdgeModel", "Cosmos3EdgeTextModel", "Cosmos3EdgeVisionModel"
IMAGE, VIDEO = 3, 4
NOTHING = {name: None for name in ("pixel_values", "image_grid_thw", "mm_token_type_ids")}


def pixels(name: str, grids: list[list[int]], numbers: int = 12) -> dict:
    return {name: {"shape": [sum(t * h * w for t, h, w in grids), numbers], "lo": -1.0, "hi": 1.0}}


def read(rows: list[list[int]], images: list[list[int]], videos: list[list[int]] = ()) -> dict:
    """Token ids by row; grids of images and of videos in patches."""
    width = max(map(len, rows))
    rows = [row + [40 + i for i in range(width - len(row))] for row in rows]
    given = {**NOTHING, "attention_mask": None, "input_ids": {"values": rows},
             "mm_token_type_ids": {"values": [[1 if i == IMAGE else 2 if i == VIDEO else 0 for i in row] for row in rows]}}
    if images:
        given |= {**pixels("pixel_values", images), "image_grid_thw": {"values": images}}
    if videos:
        given |= {**pixels("pixel_values_videos", videos), "video_grid_thw": {"values": videos}}
    return given


TWO = read([[20, *[IMAGE] * 6, 21, 22], [23, 24, *[IMAGE] * 2, 25]], [[1, 6, 4], [1, 2, 4]])
ROW = read([[23, 24, *[IMAGE] * 2, 25, *[IMAGE] * 4, 26]], [[1, 2, 4], [1, 4, 4]])
FILM = read([[20, *[VIDEO] * 2, 21, *[VIDEO] * 2, 22], [23, *[IMAGE], 24, *[VIDEO], 25]], [[1, 2, 2]], [[2, 2, 4], [1, 2, 2]])
COSMOS3_EDGE = {"cosmos3_edge": [
    Switch(LM, "two_sizes", inputs=TWO),
    Switch(LM, "film", inputs=FILM),
    Switch(LM, "text_only", {"text_config": {"attention_bias": True, "mlp_bias": True}}, inputs=NOTHING, mask="left"),
    Switch(MODEL, "wide", {"projector_hidden_size": 24, "vision_config": {"num_patches": 49, "hidden_act": "gelu", "layer_norm_eps": 0.1}}, rows=1, inputs=ROW),
    Switch(MODEL, "defaults", {"vision_config": {"hidden_act": ABSENT, "layer_norm_eps": ABSENT, "num_channels": ABSENT, "spatial_merge_size": ABSENT},
           "text_config": {"attention_bias": ABSENT, "mlp_bias": ABSENT, "hidden_act": ABSENT}}, raw=True, inputs=TWO),
], "cosmos3_edge_text": [
    Switch(TEXT, "biased", {"attention_bias": True, "mlp_bias": True, "hidden_act": "silu"}, mask="left"),
    Switch(TEXT, "places", {"rope_parameters": {"rope_type": "default", "rope_theta": 30.0, "mrope_section": [1, 2, 1]}},
           inputs={"position_ids": {"values": [[[0, 1, 1, 1, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6]], [[0, 1, 1, 2, 4, 5, 6], [3, 4, 5, 6, 7, 8, 9]],
                                               [[0, 1, 2, 1, 4, 5, 6], [0, 0, 1, 1, 2, 2, 3]]]}}),
], "cosmos3_edge_vision": [
    Switch(VISION, "films", {"num_patches": 25}, inputs={**pixels("pixel_values", [[3, 4, 2], [1, 2, 6]]), "grid_thw": {"values": [[3, 4, 2], [1, 2, 6]]}}),
    Switch(VISION, "small", {"num_patches": 100, "spatial_merge_size": 1, "num_channels": 1},
           inputs={**pixels("pixel_values", [[1, 3, 5]], 4), "grid_thw": {"values": [[1, 3, 5]]}}),
]}
COSMOS3_EDGE_KEPT = {"cosmos3_edge": "two_sizes film text_only wide defaults", "cosmos3_edge_text": "biased places", "cosmos3_edge_vision": "films small"}
