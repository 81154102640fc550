"""Switches of text models that are shown images: see `switch_table.py`. Golden cases fix one tower and one text model; here
are others, of other widths, with texts that have words around the image."""

import math

import torch
import transformers.models.llava_next.modeling_llava_next as next_

from switches import ABSENT, Switch

SIGLIP = {"model_type": "siglip_vision_model", "hidden_size": 24, "intermediate_size": 30, "num_hidden_layers": 3,
          "num_attention_heads": 3, "image_size": 12, "patch_size": 4, "vision_use_head": False, "hidden_act": "gelu",
          "projection_dim": ABSENT}
TEXT = {"hidden_size": 40, "intermediate_size": 52, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 10,
        "sliding_window": ABSENT, "layer_types": ABSENT}


def text(model_type: str, **more) -> dict:
    """A text model of another type and width."""
    return {"model_type": model_type, **TEXT, **more}


def shown(token: int, count: int, *pixels: int, rows: int = 2, words: int = 4) -> dict:
    """Rows of words with an image of `count` tokens at different places in each; pixels: the shape behind the rows."""
    ids = [[20 + 7 * row + i for i in range(words)] for row in range(rows)]
    for row, line in enumerate(ids):
        line[1 + row % 2:1 + row % 2] = [token] * count
    return {"pixel_values": {"shape": [rows, *pixels], "lo": -1.0, "hi": 1.0}, "input_ids": {"values": ids},
            "attention_mask": None}


def padded(given: dict, zeros: int = 2) -> dict:
    """The same with a mask, the last row of which begins with zeros where there is no image."""
    rows = len(given["input_ids"]["values"])
    width = len(given["input_ids"]["values"][0])
    mask = [[1] * width for _ in range(rows)]
    mask[-1][:zeros] = [0] * zeros
    return {**given, "attention_mask": {"values": mask}}


NO_IMAGE = {"pixel_values": None}


def llava(name: str, layers) -> list[Switch]:
    """LLaVA and ViP-LLaVA: other towers' layers, other text models."""
    lm, model = f"{name}ForConditionalGeneration", f"{name}Model"
    square = shown(0, 16, 3, 8, 8)
    return [
        Switch(lm, "layers", {"vision_feature_layer": layers, "projector_hidden_act": "relu",
               "text_config": text("qwen2", head_dim=ABSENT)}, inputs=square),
        Switch(lm, "gemma", {"text_config": text("gemma")}, inputs=square),
        Switch(lm, "granite", {"text_config": text("granite", embedding_multiplier=3.0, logits_scaling=2.0,
               head_dim=ABSENT)}, inputs=square),
        Switch(lm, "tied", {"tie_word_embeddings": True}, inputs=square),
        Switch(lm, "text_only", inputs=NO_IMAGE, mask="left"),
        Switch(model, "padded", inputs=padded(square)),
    ]


LLAVA = llava("Llava", [-2, 1]) + [
    Switch("LlavaForConditionalGeneration", "siglip", {"vision_config": SIGLIP, "vision_feature_select_strategy": "full",
           "vision_feature_layer": 1, "multimodal_projector_bias": False, "text_config": text("mistral")},
           inputs=shown(0, 9, 3, 12, 12, rows=3)),
]
VIPLLAVA = llava("VipLlava", [-1, 0, 1, -1])

# 16 patches a tile, 4 tokens.
TILES = shown(57, 8, 2, 3, 16, 16, words=5)
PART = [[[1] * 16] * 16, [[1] * 11 + [0] * 5] * 8 + [[0] * 16] * 8]
PARTLY = {**TILES, "pixel_attention_mask": {"values": [PART, [PART[1], PART[0]]]}}


def idefics3(name: str) -> list[Switch]:
    lm, model = f"{name}ForConditionalGeneration", f"{name}Model"
    return [
        Switch(lm, "tiles", {"text_config": {"sliding_window": ABSENT}}, inputs=TILES),
        Switch(lm, "partly", {"text_config": text("qwen2", head_dim=ABSENT), "tie_word_embeddings": True},
               inputs=PARTLY),
        Switch(lm, "factor", {"scale_factor": 1, "vision_config": {"patch_size": 8, "num_attention_heads": 2}},
               inputs=shown(57, 4, 1, 3, 16, 16, rows=3)),
        Switch(lm, "text_only", {"text_config": {"sliding_window": ABSENT}}, length=8, inputs=NO_IMAGE, mask="left"),
        Switch(model, "padded", inputs=padded(TILES)),
    ]


def idefics3_vision(name: str) -> list[Switch]:
    tower = f"{name}VisionTransformer"
    sides = [[1] * 5, [1] * 5, [1] * 5]
    corner = [[1] * 3 + [0] * 2, [1] * 3 + [0] * 2, [0] * 5]
    return [
        Switch(tower, "wide", {"hidden_act": "relu", "num_attention_heads": 2}, inputs={
            "pixel_values": {"shape": [2, 3, 13, 22], "lo": -1.0, "hi": 1.0}, "patch_attention_mask": None}),
        Switch(tower, "parts", {"image_size": 24}, inputs={"pixel_values": {"shape": [2, 3, 12, 20], "lo": -1.0, "hi": 1.0},
               "patch_attention_mask": {"values": [sides, corner], "dtype": "BOOL"}}),
    ]


INTERNVL = [
    Switch("InternVLForConditionalGeneration", "normed", {"vision_config": {"use_qk_norm": True, "norm_type": "rms_norm",
           "attention_bias": True, "num_attention_heads": 2, "image_size": [24, 24], "patch_size": [6, 6]},
           "text_config": text("llama"), "tie_word_embeddings": False}, inputs=shown(1, 4, 3, 24, 24)),
    Switch("InternVLForConditionalGeneration", "resized", {"vision_config": {"image_size": [24, 24], "use_mean_pooling": False}},
           inputs=shown(1, 16, 3, 32, 32)),
    Switch("InternVLForConditionalGeneration", "layer", {"vision_feature_layer": 1, "downsample_ratio": 0.25,
           "projector_hidden_act": "relu", "vision_config": {"image_size": [32, 32], "use_absolute_position_embeddings": False}},
           inputs=shown(1, 4, 3, 32, 32, rows=3)),
    Switch("InternVLForConditionalGeneration", "text_only", inputs=NO_IMAGE, mask="left"),
]
INTERNVL_VISION = [
    Switch("InternVLVisionModel", "wide", {"use_mean_pooling": False, "num_attention_heads": 2, "attention_bias": True}, inputs={
        "pixel_values": {"shape": [3, 3, 20, 44], "lo": -1.0, "hi": 1.0}}),
]


def cohere(name: str, **more) -> list[Switch]:
    lm, model = f"{name}ForConditionalGeneration", f"{name}Model"
    return [
        Switch(lm, "llama", {"text_config": text("llama"), "tie_word_embeddings": False, **more, "downsample_factor": 3,
               "vision_config": {**SIGLIP, "image_size": 24}}, inputs=shown(2, 4, 3, 24, 24)),
        Switch(lm, "text_only", inputs=NO_IMAGE, mask="left"),
        Switch(model, "padded", inputs=padded(shown(2, 16, 3, 64, 64))),
    ]


def typed(given: dict, types: list[list[int]]) -> dict:
    return {**given, "token_type_ids": {"values": types}}


# Two images of 4 tokens a row, or one.
TWO = {"pixel_values": {"shape": [4, 3, 20, 20], "lo": -1.0, "hi": 1.0}, "attention_mask": None,
       "input_ids": {"values": [[20, 4, 4, 4, 4, 21, 4, 4, 4, 4, 22, 23], [30, 31, 4, 4, 4, 4, 4, 4, 4, 4, 32, 33]]}}
TWO_TYPES = [[0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]]
GEMMA3 = [
    Switch("Gemma3Model", "two_images", {"mm_tokens_per_image": 4, "text_config": {"sliding_window": 3}},
           inputs=typed(TWO, TWO_TYPES)),
    Switch("Gemma3ForConditionalGeneration", "beyond", {"image_token_index": 99, "mm_tokens_per_image": 4,
           "text_config": {"sliding_window": 3}}, rows=1, inputs=typed({**shown(99, 4, 3, 20, 20, rows=1)}, [[0, 1, 1, 1, 1, 0, 0, 0]])),
    Switch("Gemma3ForConditionalGeneration", "untyped", {"tie_word_embeddings": True}, inputs={
        **shown(4, 1, 3, 20, 20), "token_type_ids": None}),
    Switch("Gemma3ForSequenceClassification", "padded", {"num_labels": 3}, inputs=typed(
        padded(shown(4, 1, 3, 20, 20)), [[0, 1, 0, 0, 0], [0, 0, 1, 0, 0]])),
    Switch("Gemma3ForConditionalGeneration", "text_only", inputs={**NO_IMAGE, "token_type_ids": None}, mask="left"),
]
ASKED = shown(0, 16, 3, 20, 20)
ASKED_TYPES = [[0] * 18 + [1] * 2, [0] * 19 + [1]]
PALIGEMMA = [
    Switch("PaliGemmaForConditionalGeneration", "answered", inputs=typed(ASKED, ASKED_TYPES)),
    Switch("PaliGemmaForConditionalGeneration", "untyped", {"text_config": {"use_bidirectional_attention": False,
           "final_logit_softcapping": None}}, inputs={**ASKED, "token_type_ids": None}),
    Switch("PaliGemmaForConditionalGeneration", "beyond", {"image_token_index": 120}, inputs=typed(
        shown(120, 16, 3, 20, 20), ASKED_TYPES)),
    Switch("PaliGemmaModel", "padded", {"projection_dim": 32}, inputs=typed(padded(ASKED), ASKED_TYPES)),
    Switch("PaliGemmaModel", "llama", {"projection_dim": 40, "text_config": text("llama")}, inputs=typed(ASKED, ASKED_TYPES)),
]

# Squares of 2 x 2 patches of 4 pixels, two frames each.
SQUARES = {"spatial_merge_size": 2, "patch_size": 4}


def grids(kind: str, rows: list[list[int]]) -> dict:
    """Images or videos of these sizes: patches and what is known of them."""
    pixels = "pixel_values_videos" if kind == "video" else "pixel_values"
    return {pixels: {"shape": [sum(t * h * w for t, h, w in rows), 96], "lo": -1.0, "hi": 1.0},
            f"{kind}_grid_thw": {"values": rows}}


def asked(*rows: str, **more) -> dict:
    """Texts in letters: i a token of an image, v of a video, - padding, others words."""
    ids = [[{"i": 4, "v": 5, "-": 2}.get(c, 10 + ord(c) % 60) for c in row] for row in rows]
    types = [[{"i": 1, "v": 2}.get(c, 0) for c in row] for row in rows]
    mask = [[int(c != "-") for c in row] for row in rows]
    masked = {"attention_mask": {"values": mask} if "-" in "".join(rows) else None}
    return {"input_ids": {"values": ids}, "mm_token_type_ids": {"values": types}, **masked, **more}


def qwen_vl(name: str, vision: dict, **more) -> list[Switch]:
    lm, model = f"{name}ForConditionalGeneration", f"{name}Model"
    sizes = [[1, 6, 10], [1, 2, 4]]
    video = {"pixel_values": None, "image_grid_thw": None, **grids("video", [[3, 4, 6], [2, 4, 2]])}
    text_only = {name: None for name in ("pixel_values", "image_grid_thw", "mm_token_type_ids")}
    return [
        Switch(lm, "two_sizes", {"vision_config": vision, **more}, inputs=asked("ab" + 15 * "i" + "cde", "f" + 2 * "i" + 17 * "g",
               **grids("image", sizes))),
        Switch(lm, "two_images", {"vision_config": vision, **more, "tie_word_embeddings": False}, rows=1, inputs=asked(
            "a" + 2 * "i" + "bc" + 15 * "i" + "d", **grids("image", sizes[::-1]))),
        Switch(model, "padded", {"vision_config": vision, **more}, inputs=asked("-" * 3 + "a" + 15 * "i" + "bc", "d" + 2 * "i" + 12 * "e" + "-" * 6,
               **grids("image", sizes))),
        Switch(model, "video", {"vision_config": vision, **more}, inputs=asked("ab" + 18 * "v" + "c", "d" + 4 * "v" + 16 * "e", **video)),
        Switch(model, "both", {"vision_config": vision, **more}, rows=1, inputs=asked(
            "ab" + 18 * "v" + "c" + 2 * "i" + "de" + 4 * "v" + "f", **{**video, **grids("image", sizes[1:])})),
        Switch(lm, "text_only", inputs=text_only, mask="left"),
        Switch(lm, "text_longer", inputs=text_only, mask=None, length=12),
    ]


WINDOWS = {**SQUARES, "window_size": 16, "fullatt_block_indexes": [1]}
QWEN2_5_VL = qwen_vl("Qwen2_5_VL", WINDOWS) + [
    Switch("Qwen2_5_VLModel", "seconds", {"vision_config": {**WINDOWS, "tokens_per_second": 3}}, rows=1, inputs=asked(
        "ab" + 18 * "v" + "c" + 4 * "v" + "f", pixel_values=None, image_grid_thw=None, **grids("video", [[3, 4, 6], [2, 4, 2]]),
        second_per_grid_ts={"values": [0.5, 1.7], "dtype": "F32"})),
]
QWEN2_5_VL_VISION = [
    Switch("Qwen2_5_VisionTransformerPretrainedModel", "windows", {**WINDOWS, "out_hidden_size": 20}, inputs={
        "hidden_states": {"shape": [60 + 32 + 8, 96], "lo": -1.0, "hi": 1.0}, "grid_thw": {"values": [[1, 6, 10], [2, 4, 4], [1, 2, 4]]}}),
    Switch("Qwen2_5_VisionTransformerPretrainedModel", "equal", {**WINDOWS, "hidden_act": "gelu"}, inputs={
        "hidden_states": {"shape": [64, 96], "lo": -1.0, "hi": 1.0}, "grid_thw": {"values": [[1, 4, 8], [1, 8, 4]]}}),
]
PLACES = {"position_ids": {"values": [[[0, 1, 2, 2, 2, 5, 6], [0, 3, 3, 4, 5, 6, 7]], [[0, 1, 2, 3, 3, 5, 6], [0, 3, 4, 4, 5, 6, 7]],
                                      [[0, 1, 2, 2, 4, 5, 6], [0, 3, 3, 4, 5, 6, 7]]]}}


def qwen_vl_text(name: str) -> list[Switch]:
    embeds = {"inputs_embeds": None, "input_ids": {"values": [[10, 20, 30, 40, 50, 60, 70], [11, 21, 31, 41, 51, 61, 71]]}}
    return [
        Switch(name, "sections", {"rope_parameters": {"mrope_section": [1, 2, 1], "rope_theta": 50.0, "rope_type": "default"},
               "num_key_value_heads": 1}, inputs={**embeds, **PLACES}),
        Switch(name, "four", {"rope_parameters": {"mrope_section": [1, 1, 1, 1], "rope_theta": 50.0, "rope_type": "default"}},
               inputs={**embeds, **PLACES}, mask="left"),
        Switch(name, "window", {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1, "layer_types": ABSENT},
               inputs={**embeds, "position_ids": None}),
        Switch(name, "plain", inputs={**embeds, "position_ids": {"values": [[3, 4, 5, 6, 7, 8, 9], [0, 1, 2, 3, 4, 5, 6]]}}, mask=None),
    ]


def frames_apart(given: dict, rows: str) -> dict:
    """The frames of videos between words, as Qwen3-VL has them."""
    return {**given, **asked(*rows.split("/"))}


TOKENS = {"image_token_id": 4, "video_token_id": 5}
DEEP = {**SQUARES, "num_position_embeddings": 25, "deepstack_visual_indexes": [1, 0]}
FILM = {"pixel_values": None, "image_grid_thw": None, **grids("video", [[3, 4, 6], [2, 4, 2]])}
QWEN3_VL = [switch for switch in qwen_vl("Qwen3VL", DEEP, **TOKENS) if switch.name not in ("video", "both")] + [
    Switch("Qwen3VLModel", "video", {"vision_config": DEEP, **TOKENS}, inputs=frames_apart(FILM, "a" + 3 * "bvvvvvvc" + "d/e" + 2 * "fvvg" + 17 * "h")),
    Switch("Qwen3VLModel", "both", {"vision_config": {**DEEP, "deepstack_visual_indexes": [0]}, **TOKENS}, rows=1, inputs=frames_apart(
        {**FILM, **grids("image", [[1, 2, 4]])}, "a" + 3 * "bvvvvvvc" + "iid" + 2 * "fvvg")),
    Switch("Qwen3VLModel", "shallow", {"vision_config": {**DEEP, "deepstack_visual_indexes": []}, **TOKENS}, rows=1, inputs=asked(
        "aiib", **grids("image", [[1, 2, 4]]))),
]
QWEN3_VL_VISION = [
    Switch("Qwen3VLVisionModel", "sizes", {**DEEP, "out_hidden_size": 20, "hidden_act": "relu"}, inputs={
        "hidden_states": {"shape": [60 + 32 + 8, 96], "lo": -1.0, "hi": 1.0}, "grid_thw": {"values": [[1, 6, 10], [2, 4, 4], [1, 2, 4]]}}),
]
QWEN3_VL_TEXT = [
    Switch("Qwen3VLTextModel", "interleaved", {"rope_parameters": {"mrope_section": [1, 2, 1], "rope_theta": 50.0, "rope_type": "default",
           "mrope_interleaved": True}, "head_dim": 16, "attention_bias": True}, inputs={**PLACES, "input_ids": {"values": [
               [10, 20, 30, 40, 50, 60, 70], [11, 21, 31, 41, 51, 61, 71]]}, "inputs_embeds": None, "visual_pos_masks": {"values": [
                   [0, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1]], "dtype": "BOOL"},
               "deepstack_visual_embeds.0": {"shape": [5, 32], "lo": -1.0, "hi": 1.0}, "deepstack_visual_embeds.1": {"shape": [5, 32], "lo": -1.0, "hi": 1.0}}),
    Switch("Qwen3VLTextModel", "plain", inputs={"input_ids": {"values": [[10, 20, 30, 40, 50, 60, 70], [11, 21, 31, 41, 51, 61, 71]]},
           "inputs_embeds": None, "position_ids": None, "visual_pos_masks": None, "deepstack_visual_embeds.0": None,
           "deepstack_visual_embeds.1": None}, mask="left"),
]

def tiles_and_rows(size, pinpoints, tile: int, side: int, most: int | None) -> tuple[int, int]:
    """How many tiles an image has, and how many rows of the text, as the classes count them."""
    height, width = next_.get_anyres_image_grid_shape(tuple(size), pinpoints, tile)
    shape = next_.unpad_image(torch.zeros(1, height * side, width * side), tuple(size)).shape[1:]
    ratio = math.sqrt(shape[0] * shape[1] / (most * side**2)) if most else 0
    if ratio > 1.1:
        shape = [int(edge // ratio) for edge in shape]
    return height * width + 1, side * side + shape[0] * (shape[1] + 1)


def anyres(prefix: str, token: int, side: int, sizes: list, pinpoints: list, most: int | None = None, **config) -> Switch:
    """A text for each image, in tiles of side x side patches of 4 pixels."""
    tile = 4 * side
    counts = [tiles_and_rows(size, pinpoints, tile, side, most) for size in sizes]
    longest = max(rows for _, rows in counts) + 4
    ids = [[20, *[token] * rows, *range(21, 21 + longest - rows - 1)] for _, rows in counts]
    given = {"pixel_values": {"shape": [len(sizes), max(tiles for tiles, _ in counts), 3, tile, tile], "lo": -1.0, "hi": 1.0},
             "image_sizes": {"values": sizes}, "input_ids": {"values": ids}, "attention_mask": None}
    config["vision_config"] = {"image_size": tile, "patch_size": 4, **config.get("vision_config", {})}
    if most:
        config["vision_aspect_ratio"] = f"anyres_max_{most}"
    return Switch(f"{prefix}ForConditionalGeneration", config.pop("name"), {"image_grid_pinpoints": pinpoints, **config}, inputs=given,
                  rows=len(sizes))


NO_TILES = {"pixel_values": None, "image_sizes": None}
SMALL_PINPOINTS = [[8, 16], [16, 8], [16, 16], [24, 8], [8, 24]]
LLAVA_NEXT = [
    anyres("LlavaNext", 3, 2, [[10, 16], [7, 30], [25, 9]], SMALL_PINPOINTS, name="sizes"),
    anyres("LlavaNext", 3, 3, [[31, 32], [90, 20]], [[12, 24], [24, 24], [36, 12]], name="odd", vision_feature_layer=[-1, 0],
           multimodal_projector_bias=False, text_config=text("qwen2", head_dim=ABSENT)),
    anyres("LlavaNext", 3, 2, [[8, 8], [20, 20]], [[16, 16]], name="square", vision_feature_layer=-2, tie_word_embeddings=True),
    Switch("LlavaNextForConditionalGeneration", "text_only", inputs=NO_TILES, mask="left"),
]
SEVERAL = {"pixel_values": {"shape": [3, 5, 3, 16, 16], "lo": -1.0, "hi": 1.0}, "image_sizes": {"values": [[16, 20], [9, 30], [50, 50]]},
           "batch_num_images": {"values": [2, 1]}, "attention_mask": None, "input_ids": {"values": [
               [20, *[1] * 5, 21, *[1] * 5, *range(30, 44)], [22, *[1] * 24, 23]]}}
ONEVISION_VIDEO = {"pixel_values_videos": {"shape": [2, 3, 3, 12, 12], "lo": -1.0, "hi": 1.0}, "pixel_values": None, "image_sizes": None,
                   "attention_mask": None, "input_ids": {"values": [[20, *[2] * 13, 21, 22], [23, 24, *[2] * 13, 25]]}}
LLAVA_ONEVISION = [
    anyres("LlavaOnevision", 1, 2, [[10, 16], [7, 30]], SMALL_PINPOINTS, 9, name="sizes"),
    anyres("LlavaOnevision", 1, 4, [[64, 60], [90, 30]], [[32, 32], [64, 64], [48, 16], [80, 32]], 2, name="limited",
           vision_config={"num_attention_heads": 2}),
    Switch("LlavaOnevisionModel", "several", {"image_grid_pinpoints": [[32, 32]], "vision_aspect_ratio": "anyres_max_9"}, inputs=SEVERAL),
    Switch("LlavaOnevisionModel", "video", {"vision_config": {"image_size": 12, "patch_size": 4}}, inputs=ONEVISION_VIDEO),
    Switch("LlavaOnevisionForConditionalGeneration", "text_only", inputs=NO_TILES, mask="left"),
]

def sized(token: int, sides: list[int], sizes: list[list[int]], counts: list[int]) -> dict:
    """Images of these sizes in pictures of `sides`, one a text, and how many tokens each has."""
    longest = max(counts) + 3
    ids = [[20, *[token] * count, *range(21, 21 + longest - count - 1)] for count in counts]
    return {"pixel_values": {"shape": [len(sizes), 3, *sides], "lo": -1.0, "hi": 1.0}, "image_sizes": {"values": sizes},
            "input_ids": {"values": ids}, "attention_mask": None}


PIXTRAL = [
    Switch("PixtralVisionModel", "sizes", {"hidden_act": "silu"}, inputs={"pixel_values": {"shape": [3, 3, 20, 30], "lo": -1.0, "hi": 1.0},
           "image_sizes": {"values": [[12, 30], [20, 7], [12, 30]]}}),
    Switch("PixtralVisionModel", "whole", {"rope_parameters": {"rope_theta": 99.0, "rope_type": "axial"}}, inputs={
        "pixel_values": {"shape": [2, 3, 12, 22], "lo": -1.0, "hi": 1.0}, "image_sizes": None}),
]
TOWER = {"model_type": "pixtral", "hidden_size": 24, "intermediate_size": 30, "num_hidden_layers": 2, "num_attention_heads": 3,
         "patch_size": 2, "hidden_act": "gelu", "projection_dim": ABSENT, "image_size": 8}
LLAVA += [Switch("LlavaForConditionalGeneration", "pixtral", {"vision_config": TOWER, "vision_feature_select_strategy": "full",
                 "vision_feature_layer": -1}, inputs=sized(0, [8, 8], [[8, 8], [4, 7]], [16, 6]))]
MISTRAL3 = [
    Switch("Mistral3ForConditionalGeneration", "sizes", {"vision_feature_layer": 1, "multimodal_projector_bias": True,
           "projector_hidden_act": "relu", "text_config": text("llama", rms_norm_eps=1e-3)}, inputs=sized(1, [30, 30], [[24, 30], [13, 26]], [4, 2])),
    Switch("Mistral3ForConditionalGeneration", "thirds", {"spatial_merge_size": 3, "tie_word_embeddings": False}, rows=1,
           inputs=sized(1, [54, 40], [[54, 40]], [6])),
    Switch("Mistral3ForConditionalGeneration", "text_only", inputs=NO_TILES, mask="left"),
]
LIGHTON_OCR = [
    Switch("LightOnOcrForConditionalGeneration", "sizes", {"text_config": text("llama")}, inputs=sized(10, [56, 70], [[56, 70], [28, 60]], [4, 2])),
    Switch("LightOnOcrForConditionalGeneration", "text_only", inputs=NO_TILES, mask="left"),
]

# 3 x 4 patches in pictures of 20 x 22, partly empty; a few latents a picture.
CORNER = [[[1] * 22] * 20, [[1] * 13 + [0] * 9] * 10 + [[0] * 22] * 10]
LATENTS = shown(99, 6, 2, 3, 20, 22, words=5)
FINE = {"image_size": 24, "patch_size": 6, "num_attention_heads": 2}
IDEFICS2 = [
    Switch("Idefics2ForConditionalGeneration", "partly", {"vision_config": FINE, "perceiver_config": {"resampler_n_latents": 3, "hidden_act": "gelu",
           "resampler_n_heads": 4, "num_key_value_heads": 2}}, inputs={**LATENTS, "pixel_attention_mask": {"values": [CORNER, [CORNER[1], CORNER[0]]]}}),
    Switch("Idefics2ForConditionalGeneration", "resized", {"vision_config": FINE, "text_config": text("mistral", rms_norm_eps=1e-2),
           "perceiver_config": {"resampler_n_latents": 3, "resampler_depth": 1}, "tie_word_embeddings": True}, inputs=LATENTS),
    Switch("Idefics2ForConditionalGeneration", "text_only", {"text_config": {"sliding_window": ABSENT}}, inputs=NO_IMAGE, mask="left"),
    Switch("Idefics2Model", "padded", {"vision_config": FINE, "perceiver_config": {"resampler_n_latents": 3}}, inputs=padded(LATENTS)),
]

MULTIMODAL = {
    "idefics2": IDEFICS2,
    "pixtral": PIXTRAL, "mistral3": MISTRAL3, "lighton_ocr": LIGHTON_OCR,
    "llava_next": LLAVA_NEXT, "llava_onevision": LLAVA_ONEVISION,
    "qwen3_vl": QWEN3_VL, "qwen3_vl_vision": QWEN3_VL_VISION, "qwen3_vl_text": QWEN3_VL_TEXT,
    "qwen2_vl": qwen_vl("Qwen2VL", SQUARES), "qwen2_5_vl": QWEN2_5_VL, "qwen2_5_vl_vision": QWEN2_5_VL_VISION,
    "qwen2_vl_text": qwen_vl_text("Qwen2VLTextModel"), "qwen2_5_vl_text": qwen_vl_text("Qwen2_5_VLTextModel"),
    "gemma3": GEMMA3, "paligemma": PALIGEMMA,
    "llava": LLAVA, "vipllava": VIPLLAVA, "idefics3": idefics3("Idefics3"), "idefics3_vision": idefics3_vision("Idefics3"),
    "smolvlm": idefics3("SmolVLM"), "smolvlm_vision": idefics3_vision("SmolVLM"), "internvl": INTERNVL,
    "internvl_vision": INTERNVL_VISION,
    "aya_vision": cohere("AyaVision", vision_feature_layer=1, adapter_layer_norm_eps=1e-3),
    "cohere2_vision": cohere("Cohere2Vision", alignment_intermediate_size=26),
}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
MULTIMODAL_KEPT = {
    "idefics2": "partly resized",
    "pixtral": "sizes whole", "mistral3": "sizes thirds", "lighton_ocr": "sizes",
    "llava_next": "sizes odd", "llava_onevision": "limited several video",
    "qwen3_vl": "two_sizes padded both", "qwen3_vl_vision": "sizes", "qwen3_vl_text": "interleaved",
    "qwen2_vl": "two_sizes padded both", "qwen2_5_vl": "two_images video seconds text_only", "qwen2_5_vl_vision": "windows equal",
    "qwen2_vl_text": "sections window", "qwen2_5_vl_text": "four",
    "gemma3": "two_images beyond padded", "paligemma": "answered untyped beyond",
    "llava": "layers granite siglip text_only pixtral", "vipllava": "layers padded", "idefics3": "partly factor",
    "idefics3_vision": "wide", "smolvlm": "tiles padded", "smolvlm_vision": "parts", "internvl": "normed resized layer",
    "internvl_vision": "wide", "aya_vision": "llama", "cohere2_vision": "llama padded",
}
