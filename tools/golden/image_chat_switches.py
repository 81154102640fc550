"""Switches of further models that read images and texts together: see `switch_table.py`."""

from multimodal_switches import (
    DEEP, NO_IMAGE, NO_TILES, PLACES, SIGLIP, SQUARES, TOKENS, WINDOWS, asked, grids, padded, qwen_vl, shown, text,
)
from switches import Switch

IMAGE = {"lo": -1.0, "hi": 1.0}
TALL = {"image_size": 12, "patch_size": 4, "num_attention_heads": 2}


def pixels(*shape: int) -> dict:
    return {"pixel_values": {"shape": list(shape), **IMAGE}}


QFORMER = {"hidden_size": 24, "num_attention_heads": 3, "intermediate_size": 30, "num_hidden_layers": 3, "cross_attention_frequency": 3}
BLIP_2 = [
    Switch("Blip2ForConditionalGeneration", "widths", {"num_query_tokens": 4, "qformer_config": QFORMER, "vision_config": {**TALL, "qkv_bias": False}},
           inputs=shown(4, 4, 3, 12, 12)),
    Switch("Blip2ForConditionalGeneration", "masked", {"num_query_tokens": 4, "qformer_config": {"hidden_act": "relu"}, "vision_config": TALL},
           inputs=padded(shown(4, 4, 3, 12, 12, words=6))),
    Switch("Blip2ForImageTextRetrieval", "places", {"image_token_index": 4, "num_query_tokens": 3, "image_text_hidden_size": 10, "vision_config": TALL},
           rows=2, length=8, inputs={**pixels(2, 3, 12, 12), "input_ids": {"values": [[*range(20, 28)], [*range(40, 48)]]}}),
    Switch("Blip2TextModelWithProjection", "holes", {"qformer_config": {"hidden_act": "relu"}}, rows=2, length=6, mask="holes", inputs={
        "input_ids": {"values": [[*range(20, 26)], [*range(40, 46)]]}}),
    Switch("Blip2VisionModelWithProjection", "few", {"num_query_tokens": 2, "vision_config": TALL, "qformer_config": QFORMER}, inputs=pixels(3, 3, 12, 8)),
]
INSTRUCTBLIP = [
    Switch("InstructBlipForConditionalGeneration", "widths", {"num_query_tokens": 4, "qformer_config": QFORMER, "vision_config": {**TALL, "qkv_bias": False}},
           inputs={**shown(4, 4, 3, 12, 12), "qformer_attention_mask": None}, length=6),
    Switch("InstructBlipModel", "masked", {"num_query_tokens": 4, "vision_config": TALL, "qformer_config": {"hidden_act": "relu"}}, length=5, rows=2, mask="right",
           inputs={key: value for key, value in shown(4, 4, 3, 12, 12).items() if key != "attention_mask"} | {"attention_mask": None}),
]
INSTRUCTBLIPVIDEO = [
    Switch("InstructBlipVideoForConditionalGeneration", "frames", {"num_query_tokens": 3, "vision_config": TALL, "qformer_config": QFORMER}, length=5, rows=2,
           inputs={**shown(4, 6, 2, 3, 12, 12), "pixel_values": {"shape": [2, 2, 3, 12, 12], **IMAGE}}),
]
# 8 x 8 patches, windows of 3 that do not divide them.
SAM = {"image_size": 32, "patch_size": 4, "window_size": 3, "global_attn_indexes": [1], "output_channels": 12, "mlp_dim": 20}
GOT_OCR2 = [
    Switch("GotOcr2ForConditionalGeneration", "windows", {"vision_config": SAM}, inputs=shown(1, 4, 3, 32, 32)),
    Switch("GotOcr2ForConditionalGeneration", "bare", {"vision_config": {**SAM, "qkv_bias": False, "use_abs_pos": False, "use_rel_pos": False, "num_hidden_layers": 3},
           "text_config": {"num_key_value_heads": 4}}, inputs=shown(1, 4, 3, 32, 32, rows=3)),
    Switch("GotOcr2ForConditionalGeneration", "text_only", inputs=NO_IMAGE, mask="left"),
    Switch("GotOcr2Model", "padded", {"vision_config": {**SAM, "window_size": 0}}, inputs=padded(shown(1, 4, 3, 32, 32))),
]
VIDEO_LLAVA = [
    Switch("VideoLlavaForConditionalGeneration", "image", {"vision_feature_layer": [-2, 0], "multimodal_projector_bias": False, "vision_config": {"image_size": 8, "patch_size": 4}},
           inputs={**shown(0, 4, 3, 8, 8), "pixel_values": None, "pixel_values_images": {"shape": [2, 3, 8, 8], **IMAGE}, "pixel_values_videos": None}),
    Switch("VideoLlavaForConditionalGeneration", "video", {"vision_feature_select_strategy": "full", "projector_hidden_act": "relu", "vision_config": {"image_size": 8, "patch_size": 4}},
           inputs={**shown(1, 10, 3, 8, 8), "pixel_values": None, "pixel_values_images": None, "pixel_values_videos": {"shape": [2, 2, 3, 8, 8], **IMAGE}}),
]


def film(tokens: int, frames: int, side: int) -> dict:
    """A video of `tokens` tokens in each row."""
    ids = [[20, *[1] * tokens, 21, 22], [23, 24, *[1] * tokens, 25]]
    return {"pixel_values": None, "image_sizes": None, "attention_mask": None, "input_ids": {"values": ids},
            "pixel_values_videos": {"shape": [2, frames, 3, side, side], **IMAGE}}


NEXT_VIDEO = [
    Switch("LlavaNextVideoForConditionalGeneration", "max", {"spatial_pool_mode": "max", "spatial_pool_stride": 2, "vision_config": {"image_size": 16, "patch_size": 4}},
           inputs=film(12, 3, 16)),
    Switch("LlavaNextVideoModel", "average", {"vision_config": {"image_size": 20, "patch_size": 4}}, inputs=film(8, 2, 20)),
    Switch("LlavaNextVideoForConditionalGeneration", "text_only", inputs={**NO_TILES, "pixel_values_videos": None}, mask="left"),
]
TILED = {"image_size": 12, "patch_size": 4, "max_num_tiles": 2, "supported_aspect_ratios": [[1, 1], [1, 2], [2, 1]]}


def tiles(ids: list, masks: list, seen: list) -> dict:
    """Two texts with images of two tiles; which of them each token sees."""
    images = len(ids[0])
    return {"pixel_values": {"shape": [2, images, 2, 3, 12, 12], **IMAGE}, "aspect_ratio_ids": {"values": ids},
            "aspect_ratio_mask": {"values": masks}, "cross_attention_mask": seen and {"values": seen},
            "input_ids": {"values": [[20, 21, 22, 23, 24], [30, 31, 32, 33, 34]]}, "attention_mask": None}


ONE = tiles([[1], [2]], [[[1, 0]], [[1, 1]]], [[[[0, 0]], [[1, 0]], [[1, 0]], [[1, 0]], [[1, 0]]], [[[0, 0]], [[0, 0]], [[1, 1]], [[1, 1]], [[0, 1]]]])
BOTH = tiles([[1, 3], [2, 0]], [[[1, 0], [1, 1]], [[1, 1], [0, 0]]], [[[[1, 0], [0, 0]]] * 2 + [[[1, 0], [1, 1]]] * 3, [[[1, 1], [0, 0]]] * 5])
MLLAMA_LAYERS = {"cross_attention_layers": [1, 2], "num_hidden_layers": 3}
MLLAMA = [
    Switch("MllamaModel", "shown_late", {"text_config": MLLAMA_LAYERS, "vision_config": TILED}, inputs=ONE),
    Switch("MllamaModel", "two_images", {"text_config": MLLAMA_LAYERS, "vision_config": {**TILED, "num_hidden_layers": 3,
           "intermediate_layers_indices": [0, 2], "vision_output_dim": 48, "hidden_act": "relu"}}, inputs=BOTH),
    Switch("MllamaModel", "unmasked", {"text_config": MLLAMA_LAYERS, "vision_config": TILED}, inputs={**ONE, "cross_attention_mask": None}),
    Switch("MllamaForConditionalGeneration", "text_only", {"text_config": MLLAMA_LAYERS, "vision_config": TILED}, mask="left", inputs={
        "pixel_values": None, "aspect_ratio_ids": None, "aspect_ratio_mask": None, "cross_attention_mask": None}),
    Switch("MllamaModel", "padding", {"text_config": MLLAMA_LAYERS, "vision_config": {**TILED, "image_size": 28}}, inputs={**ONE, "pixel_values": {
        "shape": [2, 1, 2, 3, 28, 28], **IMAGE}}),
]
MLLAMA_TEXT = [
    Switch("MllamaTextModel", "states", {"cross_attention_layers": [1]}, rows=2, length=5, mask="left", inputs={
        "cross_attention_states": {"shape": [2, 6, 32], **IMAGE}}),
    Switch("MllamaForCausalLM", "states", {"cross_attention_layers": [1]}, rows=2, length=5, mask=None, inputs={
        "cross_attention_states": {"shape": [2, 6, 32], **IMAGE}}),
    Switch("MllamaTextModel", "no_states", {"cross_attention_layers": [0]}, rows=2, length=5, mask="holes"),
]
MLLAMA_VISION = [
    Switch("MllamaVisionModel", "small", {**TILED, "attention_heads": 2}, inputs={
        "pixel_values": {"shape": [3, 2, 2, 3, 12, 12], **IMAGE}, "aspect_ratio_ids": {"values": [[1, 2], [3, 0], [2, 2]]},
        "aspect_ratio_mask": {"values": [[[1, 0], [1, 1]], [[1, 1], [0, 0]], [[1, 1], [1, 1]]]}}),
]

MOE_TOKENS = {**TOKENS, "text_config": {"rope_parameters": {"mrope_section": [2, 1, 1], "rope_theta": 50.0, "rope_type": "default"}}}
QWEN3_VL_MOE = [switch for switch in qwen_vl("Qwen3VLMoe", DEEP, **TOKENS) if switch.name in ("two_sizes", "two_images", "padded", "text_only")] + [
    Switch("Qwen3VLMoeForConditionalGeneration", "dense", {"vision_config": DEEP, **TOKENS, "text_config": {"mlp_only_layers": [0], "num_experts_per_tok": 2,
           "moe_intermediate_size": 10, "attention_bias": True}}, rows=1, inputs=asked("aiib", **grids("image", [[1, 2, 4]]))),
]
QWEN3_VL_MOE_TEXT = [
    Switch("Qwen3VLMoeTextModel", "sparse", {"decoder_sparse_step": 2, "num_local_experts": 5, "num_experts_per_tok": 1, "head_dim": 16}, mask="left", length=7, inputs={
        "input_ids": {"values": [[10, 20, 30, 40, 50, 60, 70], [11, 21, 31, 41, 51, 61, 71]]}, "inputs_embeds": None, "position_ids": None,
        "visual_pos_masks": None, "deepstack_visual_embeds.0": None, "deepstack_visual_embeds.1": None}),
]
GLM_SQUARES = {**SQUARES, "image_size": 20, "num_heads": 4}
GLM_TOKENS = {"image_token_id": 4, "video_token_id": 5}


def glm(name: str, **vision) -> list[Switch]:
    """Images as in Qwen2-VL; videos take the places of images."""
    found = [switch for switch in qwen_vl(name, {**GLM_SQUARES, **vision}, **GLM_TOKENS) if switch.name not in ("video", "both")]
    frames = grids("video", [[3, 4, 6], [2, 4, 2]])
    given = asked("a" + 3 * "biiiiiic" + "d", "e" + 2 * "fiig" + 17 * "h", pixel_values=None, image_grid_thw=None, **frames)
    given["mm_token_type_ids"] = {"values": [[2 * kind for kind in row] for row in given["mm_token_type_ids"]["values"]]}
    return found + [Switch(f"{name}Model", "video", {"vision_config": {**GLM_SQUARES, **vision}, **GLM_TOKENS}, inputs=given)]


GLM_VISION_INPUT = {"hidden_states": {"shape": [60 + 8 + 24, 96], **IMAGE}, "grid_thw": {"values": [[1, 6, 10], [1, 2, 4], [1, 4, 6]]}}
WITHOUT_EMBEDS = {"inputs_embeds": None, "input_ids": {"values": [[10, 20, 30, 40, 50, 60, 70], [11, 21, 31, 41, 51, 61, 71]]}}


def places_of(name: str, sections: list[int], **config) -> Switch:
    return Switch(name, "sections", {"rope_parameters": {"mrope_section": sections, "rope_theta": 50.0, "rope_type": "default"}, **config},
                  inputs={**WITHOUT_EMBEDS, **PLACES}, mask="left")


EXAONE_WINDOWS = {**WINDOWS, "num_heads": 4, "num_key_value_heads": 1}
EXAONE = [Switch(s.architecture, s.name, s.config, rows=s.rows, length=s.length, mask=s.mask, kwargs=s.kwargs,
                 inputs={key: value for key, value in s.inputs.items() if key != "mm_token_type_ids"})
          for s in qwen_vl("Exaone4_5_", EXAONE_WINDOWS, **TOKENS)]
EXAONE_VISION = [
    Switch("Exaone4_5_VisionModel", "windows", {**EXAONE_WINDOWS, "out_hidden_size": 20}, inputs={
        "hidden_states": {"shape": [60 + 32 + 8, 96], **IMAGE}, "grid_thw": {"values": [[1, 6, 10], [2, 4, 4], [1, 2, 4]]}}),
]
SMALL_PATCH = {"patch_size": 4, "image_size": 20, "hidden_size": 32}


def paddled(*rows: str, sizes: list) -> dict:
    given = asked(*rows, **grids("image", sizes))
    return {**given, "pixel_values": {"shape": [sum(t * h * w for t, h, w in sizes), 3, 4, 4], **IMAGE}}


PADDLE = [
    Switch("PaddleOCRVLModel", "two_sizes", {"image_token_id": 4, "vision_config": SMALL_PATCH}, inputs=paddled("ab" + 15 * "i" + "c", "d" + 2 * "i" + 15 * "e", sizes=[[1, 6, 10], [1, 2, 4]])),
    Switch("PaddleOCRVLModel", "thirds", {"image_token_id": 4, "vision_config": {**SMALL_PATCH, "spatial_merge_size": 3, "hidden_act": "relu"}, "text_config": {"use_bias": True}}, rows=1,
           inputs=paddled("abiiiiiic", sizes=[[1, 6, 9]])),
]
PADDLE_VISION = [
    Switch("PaddleOCRVisionModel", "sizes", SMALL_PATCH, inputs={"pixel_values": {"shape": [1, 60 + 32 + 8, 3, 4, 4], **IMAGE},
           "grid_thw": {"values": [[1, 6, 10], [2, 4, 4], [1, 2, 4]]}}),
]


def merged(kind: str, sizes: list, merges: list) -> dict:
    pixels_name = "pixel_values_videos" if kind == "video" else "pixel_values"
    return {pixels_name: {"shape": [sum(t * h * w for t, h, w in sizes), 48], **IMAGE}, f"{kind}_grid_thw": {"values": sizes}, f"{kind}_merge_sizes": {"values": merges}}


def plain(given: dict) -> dict:
    """Without types of tokens."""
    return {key: value for key, value in given.items() if key != "mm_token_type_ids"}


LLAMA3_VISION = {"vision_config": {"patch_size": 4}, "image_token_id": 4, "video_token_id": 5}
NO_PICTURES = {"pixel_values": None, "image_grid_thw": None, "image_merge_sizes": None}
VIDEO_LLAMA_3 = [
    Switch("VideoLlama3ForConditionalGeneration", "merges", LLAMA3_VISION, inputs=plain(asked("ab" + 15 * "i" + "c", "d" + 8 * "i" + 9 * "e", **merged("image", [[1, 6, 10], [1, 2, 4]], [2, 1])))),
    Switch("VideoLlama3Model", "video", LLAMA3_VISION, inputs={**plain(asked("ab" + 18 * "v" + "c", "d" + 16 * "v" + 4 * "e")), **NO_PICTURES, **merged("video", [[3, 4, 6], [2, 4, 2]], [2, 1])}),
    Switch("VideoLlama3Model", "compressed", LLAMA3_VISION, rows=1, inputs={**plain(asked("abvvvvc")), **NO_PICTURES, **merged("video", [[2, 4, 6]], [2]),
           "video_compression_mask": {"values": [1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1], "dtype": "BOOL"}}),
    Switch("VideoLlama3ForConditionalGeneration", "text_only", inputs=NO_PICTURES, mask="left"),
]
OVIS_SQUARES = {"image_size": 20, "patch_size": 4, "hidden_stride": 2, "hidden_size": 32, "num_attention_heads": 2}
OVIS2 = [
    Switch("Ovis2ForConditionalGeneration", "argmax", {"vision_config": {**OVIS_SQUARES, "hidden_stride": 1, "tokenize_function": "st_argmax", "qkv_bias": True, "mlp_bias": True}},
           inputs=shown(1, 25, 3, 20, 20)),
    Switch("Ovis2ForConditionalGeneration", "text_only", inputs=NO_IMAGE, mask="left"),
]
DEEPSEEK_VL = [
    Switch("DeepseekVLForConditionalGeneration", "widths", {"vision_config": SIGLIP, "text_config": text("llama"), "tie_word_embeddings": True}, inputs=shown(3, 9, 3, 12, 12, rows=3)),
    Switch("DeepseekVLModel", "padded", inputs=padded(shown(3, 4, 3, 8, 8))),
    Switch("DeepseekVLForConditionalGeneration", "text_only", inputs=NO_IMAGE, mask="left"),
]
LFM2_VL = [
    Switch("Lfm2VlForConditionalGeneration", "text_only", inputs={"pixel_values": None, "spatial_shapes": None, "pixel_attention_mask": None}, mask="left"),
]
PAGE = {"pixel_values": {"shape": [2, 1, 3, 24, 24], **IMAGE}, "input_ids": {"values": [[20, *[98] * 9, 21], [22, 23, *[98] * 9]]}, "attention_mask": {
    "values": [[1] * 11, [0] + [1] * 10]}}
PAGES = {"vision_config": {"image_size": 24}, "pixel_shuffle_factor": 2}
MODERNVBERT = [
    Switch("ModernVBertForSequenceClassification", "mean", {**PAGES, "classifier_pooling": "mean", "num_labels": 3, "text_config": {"classifier_bias": True, "norm_bias": True,
           "classifier_activation": "relu"}}, inputs=PAGE),
    Switch("ModernVBertForMaskedLM", "untied", {**PAGES, "tie_word_embeddings": False, "text_config": {"decoder_bias": False}}, inputs=PAGE),
]
COLPALI = [
    Switch("ColPaliForRetrieval", "question", {"embedding_dim": 10}, inputs={"pixel_values": None, "token_type_ids": None}, mask="left", length=6, rows=3),
    Switch("ColPaliForRetrieval", "page", inputs={**padded(shown(0, 16, 3, 20, 20)), "token_type_ids": {"values": [[0] * 20] * 2}}),
]
COLQWEN2 = [
    Switch("ColQwen2ForRetrieval", "page", {"vlm_config": {"vision_config": {**SQUARES}}}, inputs={"pixel_values": {"shape": [2, 24, 96], **IMAGE}, "image_grid_thw": {
        "values": [[1, 4, 6], [1, 2, 4]]}, "attention_mask": None, "input_ids": {"values": [[20, *[4] * 6, 21], [22, *[4] * 2, *range(23, 28)]]}}),
    Switch("ColQwen2ForRetrieval", "question", inputs={"pixel_values": None, "image_grid_thw": None}, mask="left", length=6, rows=3),
]

IMAGE_CHAT = {
    "blip-2": BLIP_2, "instructblip": INSTRUCTBLIP, "instructblipvideo": INSTRUCTBLIPVIDEO,
    "got_ocr2": GOT_OCR2, "video_llava": VIDEO_LLAVA,
    "llava_next_video": NEXT_VIDEO,
    "mllama": MLLAMA, "mllama_text_model": MLLAMA_TEXT, "mllama_vision_model": MLLAMA_VISION,
    "qwen3_vl_moe": QWEN3_VL_MOE, "qwen3_vl_moe_text": QWEN3_VL_MOE_TEXT,
    "glm4v": glm("Glm4v"), "glm4v_moe": glm("Glm4vMoe", attention_bias=True), "glm46v": glm("Glm46V"), "glm_ocr": glm("GlmOcr"),
    "glm4v_vision": [Switch("Glm4vVisionModel", "sizes", {**GLM_SQUARES, "attention_bias": True, "out_hidden_size": 20}, inputs=GLM_VISION_INPUT)],
    "glm_ocr_vision": [Switch("GlmOcrVisionModel", "sizes", {**GLM_SQUARES, "attention_bias": False, "hidden_act": "gelu"}, inputs=GLM_VISION_INPUT)],
    "glm4v_text": [places_of("Glm4vTextModel", [2, 1, 1])], "glm_ocr_text": [places_of("GlmOcrTextModel", [2, 1, 1])],
    "exaone4_5": EXAONE, "exaone4_5_vision": EXAONE_VISION, "paddleocr_vl": PADDLE, "paddleocr_vl_vision": PADDLE_VISION,
    "video_llama_3": VIDEO_LLAMA_3, "ovis2": OVIS2, "deepseek_vl": DEEPSEEK_VL, "lfm2_vl": LFM2_VL, "modernvbert": MODERNVBERT,
    "colpali": COLPALI, "colqwen2": COLQWEN2,
}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
IMAGE_CHAT_KEPT = {"blip-2": "widths masked", "instructblip": "masked", "got_ocr2": "windows bare padded", "video_llava": "image", "llava_next_video": "max"}
IMAGE_CHAT_KEPT |= {"mllama": "shown_late two_images", "mllama_text_model": "states", "mllama_vision_model": "small", "glm4v_vision": "sizes", "glm_ocr_vision": "sizes"}
IMAGE_CHAT_KEPT |= {"exaone4_5_vision": "windows", "paddleocr_vl_vision": "sizes", "video_llama_3": "merges video compressed", "ovis2": "argmax"}
IMAGE_CHAT_KEPT |= {"deepseek_vl": "padded", "modernvbert": "mean"}
IMAGE_CHAT_KEPT |= {"glm4v": "video", "paddleocr_vl": "thirds", "qwen3_vl_moe": "padded", "instructblipvideo": "frames"}
