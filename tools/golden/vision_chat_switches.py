"""Switches of younger models that read images and texts together: see `switch_table.py`."""

from image_chat_switches import IMAGE, PAGE, TALL, pixels, plain
from multimodal_switches import (
    DEEP, FILM, NO_IMAGE, PLACES, SIGLIP, SQUARES, TOKENS, WINDOWS, asked, frames_apart, grids, padded, qwen_vl, shown, text,
)
from switches import ABSENT, Switch

NO_PICTURES = {"pixel_values": None, "image_grid_thw": None, "mm_token_type_ids": None}
FEW = [[10, 20, 30, 40, 50, 60, 9], [11, 21, 31, 41, 51, 61, 8]]
WORDS = [[10, 20, 30, 40, 50, 60, 70], [11, 21, 31, 41, 51, 61, 71]]

COLMODERNVBERT = [
    Switch("ColModernVBertForRetrieval", "question", {"embedding_dim": 10}, inputs=NO_IMAGE, mask="left", length=6, rows=3),
    Switch("ColModernVBertForRetrieval", "page", {"vlm_config": {"vision_config": {"image_size": 24}, "pixel_shuffle_factor": 2}}, inputs=PAGE),
]


def both_towers(given: dict, side: int) -> dict:
    """The same with a large picture."""
    return {**given, "high_res_pixel_values": {"shape": [given["pixel_values"]["shape"][0], 3, side, side], **IMAGE}}


SAM = {"image_size": 32, "patch_size": 4, "window_size": 3, "global_attn_indexes": [1], "output_channels": 6, "mlp_dim": 20,
       "num_attention_heads": 2, "hidden_size": 24}
DEEPSEEK_VL_HYBRID = [
    Switch("DeepseekVLHybridForConditionalGeneration", "widths", {"vision_config": SIGLIP, "text_config": text("llama"),
           "high_res_vision_config": SAM}, inputs=both_towers(shown(98, 9, 3, 12, 12, rows=3), 32)),
    Switch("DeepseekVLHybridModel", "padded", {"high_res_vision_config": {**SAM, "global_attn_indexes": [0]}}, inputs=both_towers(padded(shown(98, 16, 3, 32, 32)), 32)),
    Switch("DeepseekVLHybridForConditionalGeneration", "text_only", inputs={**NO_IMAGE, "high_res_pixel_values": None}, mask="left"),
]


def pages(marks: list[list[int]], *rows: str, **more) -> dict:
    """Texts with tiles, which of which are there."""
    given = plain(asked(*rows, **more))
    return {**given, "pixel_values": {"shape": [len(marks), len(marks[0]), 3, 16, 16], **IMAGE},
            "pixel_attention_mask": {"values": marks, "dtype": "BOOL"}}


DOCLING = {"image_token_id": 4}
GRANITE_DOCLING = [
    Switch("GraniteDoclingModel", "tiles", {**DOCLING, "density_router_hidden_size": None, "vision_config": {"deepstack_visual_indexes": [2, 0]},
           "text_config": {"logits_scaling": 2.5, "num_hidden_layers": 3}}, inputs=pages([[1, 1], [1, 0]], "aiiiibiiii", "iiiiabcdef")),
    Switch("GraniteDoclingModel", "routed", {**DOCLING, "density_router_hidden_size": 7, "vision_config": {"num_attention_heads": 2, "intermediate_size": 20}},
           inputs=pages([[1, 1, 0], [0, 0, 0], [1, 1, 1]], "a" + 8 * "i" + 6 * "b", 15 * "c", "d" + 12 * "i" + "ef")),
    Switch("GraniteDoclingModel", "fine", DOCLING, inputs={**pages([[1], [1]], "a" + 16 * "i" + "bc", "d" + 16 * "i" + "--"),
           "tile_fine_mask": {"values": [[1], [1]], "dtype": "BOOL"}}),
    Switch("GraniteDoclingModel", "shallow", {**DOCLING, "vision_config": {"deepstack_visual_indexes": [], "scale_factor": 4}}, rows=2, inputs=pages([[1], [1]], "abi", "icd")),
    Switch("GraniteDoclingForConditionalGeneration", "text_only", inputs={**NO_IMAGE, "pixel_attention_mask": None}, mask="left"),
]
GRANITE_DOCLING_VISION = [
    Switch("GraniteDoclingVisionModel", "fine", {"out_hidden_size": 20, "hidden_act": "relu", "deepstack_visual_indexes": [1, 2]}, inputs=pixels(3, 3, 16, 16), kwargs={"fine": True}),
    Switch("GraniteDoclingVisionModel", "squares", {"image_size": 24, "scale_factor": 3, "use_fine_route": False}, inputs=pixels(2, 3, 24, 24)),
]


def hunyuan(*rows: str, sizes: list, patch: int = 4) -> dict:
    return {**asked(*rows, **grids("image", sizes)), "pixel_values": {"shape": [sum(h * w for _, h, w in sizes), 3 * patch**2], **IMAGE}}


HUNYUAN_TOWER = {"patch_size": 4, "max_image_size": 20, "spatial_merge_size": 2, "num_attention_heads": 2}
# Pictures of 6 x 10 and 2 x 4 patches: 3 rows of 5 squares, each with its end, and 1 of 2.
HUNYUAN_VL = [
    Switch("HunYuanVLForConditionalGeneration", "two_sizes", {"vision_config": HUNYUAN_TOWER, "image_token_id": 4}, inputs=hunyuan(
        "ab" + 20 * "i" + "cde", "f" + 5 * "i" + 19 * "g", sizes=[[1, 6, 10], [1, 2, 4]])),
    Switch("HunYuanVLModel", "padded", {"vision_config": {**HUNYUAN_TOWER, "interpolate_mode": "bicubic", "hidden_act": "relu"}, "image_token_id": 4,
           "text_config": {"rope_parameters": {"mrope_section": [3, 3, 2], "rope_theta": 50.0, "rope_type": "default"}}}, inputs=hunyuan(
        "---a" + 20 * "i" + "bc", "d" + 5 * "i" + 14 * "e" + 6 * "-", sizes=[[1, 6, 10], [1, 2, 4]])),
    Switch("HunYuanVLForConditionalGeneration", "two_images", {"vision_config": HUNYUAN_TOWER, "image_token_id": 4}, rows=1, inputs=hunyuan(
        "a" + 5 * "i" + "bc" + 20 * "i" + "d", sizes=[[1, 2, 4], [1, 6, 10]])),
    Switch("HunYuanVLForConditionalGeneration", "text_only", inputs=NO_PICTURES, mask="left"),
]
HUNYUAN_VL_TEXT = [
    Switch("HunYuanVLTextModel", "three", {"rope_parameters": {"mrope_section": [1, 4, 3], "rope_theta": 50.0, "rope_type": "default"}}, mask="left", inputs={
        "inputs_embeds": None, "input_ids": {"values": WORDS}, **PLACES}),
    Switch("HunYuanVLTextModel", "alpha", {"rope_parameters": {"mrope_section": [2, 2, 2, 2], "rope_theta": 50.0, "rope_type": "dynamic", "factor": 1.0, "alpha": 40.0}, "attention_bias": True},
           mask="right", inputs={"inputs_embeds": None, "position_ids": None, "input_ids": {"values": WORDS}}),
    Switch("HunYuanVLTextModel", "flat", mask=None, inputs={"inputs_embeds": None, "input_ids": {"values": WORDS}, "position_ids": {
        "values": [[0, 1, 2, 0, 1, 0, 1], [4, 5, 6, 7, 1, 2, 3]]}}),
]
HUNYUAN_VL_VISION = [
    Switch("HunYuanVLVisionTransformer", "sizes", {**HUNYUAN_TOWER, "text_hidden_size": 20}, inputs={"pixel_values": {"shape": [60 + 8, 48], **IMAGE}, "grid_thw": {
        "values": [[1, 6, 10], [1, 2, 4]]}}),
]
JANUS_TOWER = {"image_size": 12, "patch_size": 4, "num_attention_heads": 2, "depth": 3, "attention_bias": False, "hidden_act": "relu"}
JANUS = [
    Switch("JanusForConditionalGeneration", "widths", {"vision_config": {**JANUS_TOWER, "projection_dim": 40}, "text_config": text("llama"), "tie_word_embeddings": False},
           inputs=shown(0, 9, 3, 12, 12, rows=3)),
    Switch("JanusModel", "padded", {"vision_config": {**JANUS_TOWER, "depth": 1, "mlp_ratio": 3.3}}, inputs=padded(shown(0, 9, 3, 12, 12))),
    Switch("JanusForConditionalGeneration", "text_only", inputs=NO_IMAGE, mask="left"),
]
VQGAN = {"base_channels": 32, "num_res_blocks": 1, "embed_dim": 7, "num_embeddings": 30, "latent_channels": 6}
JANUS_VQGAN = [
    Switch("JanusVQVAE", "levels", {**VQGAN, "channel_multiplier": [2, 1, 1], "num_patches": 3, "out_channels": 2}, inputs=pixels(1, 3, 12, 12)),
]
CODES = {"<image>": 4, "IMGIMGAZ": 20, "IMGIMGBZ": 31, "IMGIMGCZ": 22, "IMGIMGBAZ": 40, **{f"IMGIMG{c}Z": 41 + i for i, c in enumerate("DEFGHIJ")}}
CODED = {"vocabulary_map": {**CODES, "word": 5}, "vq_config": {**VQGAN, "num_embeddings": 11, "channel_multiplier": [1, 1], "resolution": 8, "attn_resolutions": [4]}}
CHAMELEON = [
    Switch("ChameleonForConditionalGeneration", "image", CODED, inputs=shown(4, 16, 3, 8, 8)),
    Switch("ChameleonModel", "swin", {**CODED, "swin_norm": True, "attention_bias": True, "mlp_bias": True, "num_key_value_heads": 1}, inputs=padded(shown(4, 16, 3, 8, 8))),
    Switch("ChameleonForConditionalGeneration", "text_only", inputs=NO_IMAGE, mask="left", rows=3),
]
EMU_TOWER = {"attn_resolutions": [0, 2], "channel_multiplier": [1, 2, 1], "num_res_blocks": 1, "temporal_downsample_factor": 4, "num_attention_heads": 2,
             "latent_channels": 3, "embed_dim": 5}
EMU3 = [
    Switch("Emu3ForConditionalGeneration", "sizes", {"vq_config": EMU_TOWER}, inputs={**shown(3, 0, 3, 16, 16), "image_sizes": {"values": [[16, 12], [8, 16]]}, "input_ids": {
        "values": [[20, *[3] * 16, 21], [30, 31, *[3] * 10, *range(40, 46)]]}}),
    Switch("Emu3ForConditionalGeneration", "text_only", {"tie_word_embeddings": True}, inputs={**NO_IMAGE, "image_sizes": None}, mask="left"),
]
CLOVA_WINDOWS = {**WINDOWS, "num_heads": 4, "out_hidden_size": 20}
HYPERCLOVAX_VISION_V2 = [Switch(s.architecture, s.name, s.config, rows=s.rows, length=s.length, mask=s.mask, kwargs=s.kwargs,
                                inputs={key: value for key, value in s.inputs.items() if key != "mm_token_type_ids"})
                         for s in qwen_vl("HyperCLOVAXVisionV2", CLOVA_WINDOWS, **TOKENS, text_config={"logits_scaling": 1.5})]
COMPASS_ROPE = {"full_attention": {"mrope_section": [2, 1, 1], "rope_theta": 50.0, "rope_type": "default"},
                "sliding_attention": {"mrope_section": [1, 1, 2], "rope_theta": 20.0, "rope_type": "default"}}
COMPASS_TEXT = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 3, "rope_parameters": COMPASS_ROPE, "logit_scale": 0.7}
COHERE_COMPASS = [switch for switch in qwen_vl("CohereCompass", DEEP, **TOKENS, text_config=COMPASS_TEXT) if switch.name not in ("video", "both")] + [
    Switch("CohereCompassModel", "both", {"vision_config": {**DEEP, "deepstack_visual_indexes": [0]}, **TOKENS, "text_config": {**COMPASS_TEXT, "rope_parameters": {
        **COMPASS_ROPE, "full_attention": None}}}, rows=1, inputs=frames_apart({**FILM, **grids("image", [[1, 2, 4]])}, "a" + 3 * "bvvvvvvc" + "iid" + 2 * "fvvg")),
]
COHERE_COMPASS_TEXT = [
    Switch("CohereCompassTextModel", "windows", {**COMPASS_TEXT, "attention_bias": True}, inputs={"input_ids": {"values": FEW}, **PLACES}, mask="left"),
    Switch("CohereCompassForCausalLM", "mixed", {**COMPASS_TEXT, "rope_parameters": {**COMPASS_ROPE, "full_attention": None}, "tie_word_embeddings": True}, length=12, mask="right"),
    Switch("CohereCompassTextModel", "packed", COMPASS_TEXT, mask=None, inputs={"input_ids": {"values": FEW}, "position_ids": {
        "values": [[0, 1, 2, 0, 1, 0, 1], [4, 5, 6, 7, 1, 2, 3]]}}),
    Switch("CohereCompassTextForSequenceClassification", "mean", {"pooling": "mean", "num_labels": 3}, rows=3, length=9, mask="holes"),
    Switch("CohereCompassTextForSequenceClassification", "mean_of_words", {"pooling": "mean"}, mask=None, inputs={"input_ids": {"values": [[10, 20, 30, 0], [0, 11, 21, 0]]}}),
    Switch("CohereCompassTextForSequenceClassification", "bos", {"pooling": "bos"}, mask="right"),
]
COHERE_COMPASS_VISION = [
    Switch("CohereCompassVisionModel", "sizes", {**DEEP, "out_hidden_size": 20, "hidden_act": "relu"}, inputs={
        "hidden_states": {"shape": [60 + 32 + 8, 96], **IMAGE}, "grid_thw": {"values": [[1, 6, 10], [2, 4, 4], [1, 2, 4]]}}),
]


def kimi(*rows: str, kind: str = "image", sizes: list) -> dict:
    name = "pixel_values" if kind == "image" else "pixel_values_videos"
    return {**plain(asked(*rows, **grids(kind, sizes))), name: {"shape": [sum(t * h * w for t, h, w in sizes), 3, 4, 4], **IMAGE}}


KIMI_TOWER = {"patch_size": 4, "merge_kernel_size": [2, 2], "pos_emb_height": 5, "pos_emb_width": 5, "pos_emb_time": 3}
KIMI = {"vision_config": KIMI_TOWER, **TOKENS}
KIMI_K25 = [
    Switch("Kimi_K25ForConditionalGeneration", "two_sizes", KIMI, inputs=kimi("ab" + 15 * "i" + "cde", "f" + 2 * "i" + 17 * "g", sizes=[[1, 6, 10], [1, 2, 4]])),
    Switch("Kimi_K25Model", "video", {**KIMI, "vision_config": {**KIMI_TOWER, "hidden_act": "relu", "num_attention_heads": 4}}, inputs={**NO_PICTURES, **kimi(
        "---a" + 6 * "v" + "bc", "d" + 2 * "v" + 9 * "e", kind="video", sizes=[[1, 4, 6], [1, 2, 4]])}),
    Switch("Kimi_K25ForConditionalGeneration", "text_only", {"text_config": {"model_type": "deepseek_v3"}}, inputs={"pixel_values": None, "image_grid_thw": None}, mask="left"),
]
KIMI_K25_VISION = [
    Switch("Kimi_K25VisionModel", "sizes", {**KIMI_TOWER, "merge_kernel_size": [1, 2]}, inputs={
        "pixel_values": {"shape": [120 + 32 + 16, 3, 4, 4], **IMAGE}, "grid_thw": {"values": [[2, 6, 10], [2, 4, 4], [2, 2, 4]]}}),
]


def strip(*rows: str, sizes: list, suffix: str = "") -> dict:
    """Patches of 4 x 4 pixels in one strip."""
    return {**plain(asked(*rows)), "pixel_values": None, "target_sizes": None,
            f"pixel_values{suffix}": {"shape": [1, 3, 4, 4 * sum(h * w for h, w in sizes)], **IMAGE}, f"target_sizes{suffix}": {"values": sizes}}


MINICPM_TOWER = {"patch_size": 4, "image_size": 20, "num_attention_heads": 2, "num_hidden_layers": 3, "intermediate_size": 20}
MINICPM = {**TOKENS, "vision_config": MINICPM_TOWER}
MINICPMV4_6 = [
    Switch("MiniCPMV4_6ForConditionalGeneration", "two_sizes", {**MINICPM, "insert_layer_id": 1}, inputs=strip("ab" + 6 * "i" + "cde", "f" + 2 * "i" + 8 * "g", sizes=[[8, 12], [4, 8]])),
    Switch("MiniCPMV4_6Model", "unmerged", {**MINICPM, "downsample_mode": "4x", "merger_times": 2}, inputs=strip("--ab" + 6 * "i" + "cd", "f" + 2 * "i" + 9 * "g", sizes=[[8, 12], [4, 8]])),
    Switch("MiniCPMV4_6Model", "video", {**MINICPM, "insert_layer_id": 2}, inputs=strip("ab" + 6 * "v" + "cde", "f" + 2 * "v" + 8 * "g", sizes=[[8, 12], [4, 8]], suffix="_videos")),
    Switch("MiniCPMV4_6ForConditionalGeneration", "text_only", inputs={"pixel_values": None, "target_sizes": None}, mask="left"),
]
MINICPMV4_7_VISION = [
    Switch("MiniCPMV4_7VisionModel", "whole", {**MINICPM_TOWER, "insert_layer_id": -1}, inputs={
        "pixel_values": {"shape": [1, 3, 4, 4 * 33], **IMAGE}, "target_sizes": {"values": [[3, 7], [4, 3]]}}),
    Switch("MiniCPMV4_7VisionModel", "last", {**MINICPM_TOWER, "insert_layer_id": 2, "hidden_act": "relu"}, inputs={
        "pixel_values": {"shape": [1, 3, 4, 4 * 32], **IMAGE}, "target_sizes": {"values": [[4, 6], [2, 4]]}}),
]
COSMOS3_OMNI = [switch for switch in qwen_vl("Cosmos3Omni", DEEP, **TOKENS) if switch.name in ("two_sizes", "padded", "text_only")]
MARKED = {"image_embeds_position_mask": {"values": [[0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0]]}, "input_ids": {
    "values": [[20, 21, 22, 23, 24, 25], [30, 31, 32, 33, 1, 1], [1, 1, 40, 41, 42, 43]]}}
KOSMOS_2 = [
    Switch("Kosmos2Model", "small", {"latent_query_num": 2, "vision_config": {"image_size": 12, "hidden_size": 24, "num_attention_heads": 3, "hidden_act": "gelu"},
           "text_config": {"embed_dim": 40, "attention_heads": 5, "layers": 3, "scale_embedding": False, "activation_function": "relu"}}, inputs={
               **MARKED, **pixels(3, 3, 12, 12), "attention_mask": {"values": [[1] * 6, [1] * 4 + [0] * 2, [1] * 6]}}),
    Switch("Kosmos2Model", "places", inputs={**MARKED, "pixel_values": None, "attention_mask": None, "image_embeds": {"shape": [3, 2, 32], **IMAGE}, "position_ids": {
        "values": [[5, 4, 3, 2, 1, 0], [2, 3, 4, 5, 6, 7], [9, 8, 1, 2, 3, 4]]}}),
]
LOOKED = {"image_attention_mask": {"values": [[[1, 0]] * 2 + [[1, 1]] * 3, [[0, 0]] * 3 + [[0, 1]] * 2, [[1, 1]] * 5]}, "input_ids": {
    "values": [[20, 21, 22, 23, 24], [30, 31, 32, 33, 34], [40, 41, 101, 99, 44]]}}
IDEFICS_TOWER = {"image_size": 12, "patch_size": 4, "embed_dim": 24, "num_attention_heads": 3}
IDEFICS_MORE = {"additional_vocab_size": 4, "vision_config": IDEFICS_TOWER}
PERCEIVER = {"use_resampler": True, "perceiver_config": {"use_resampler": True, "resampler_n_latents": 3, "resampler_depth": 2, "resampler_n_heads": 2, "resampler_head_dim": 5,
             "qk_layer_norms_perceiver": True}}
IDEFICS = [
    Switch("IdeficsModel", "gates", {**IDEFICS_MORE, "alpha_type": "vector", "qk_layer_norms": True, "cross_layer_interval": 2, "num_hidden_layers": 4}, rows=3, length=5, mask="left",
           inputs={**LOOKED, **pixels(3, 2, 3, 12, 12)}),
    Switch("IdeficsModel", "resampled", {**IDEFICS_MORE, **PERCEIVER, "tie_word_embeddings": True}, rows=3, length=5, mask="right", inputs={**LOOKED, **pixels(3, 2, 3, 12, 12)}),
    Switch("IdeficsModel", "collected", {**IDEFICS_MORE, **PERCEIVER}, rows=3, length=5, mask="right", inputs={**LOOKED, "pixel_values": None, "perceiver_embeddings": {
        "shape": [3, 2, 3, 24], **IMAGE}}),
    Switch("IdeficsModel", "encoded", IDEFICS_MORE, rows=3, length=5, mask="holes", inputs={**LOOKED, "pixel_values": None, "image_encoder_embeddings": {"shape": [3, 2, 7, 24], **IMAGE}}),
]
GRANITE4 = {"deepstack_layer_map": [[2, 0], [-1, 1], [1, 2]], "spatial_vision_layer": 1, "spatial_target_layers": [0, 2], "downsample_rate": "1/2",
            "image_grid_pinpoints": [[8, 16], [16, 8]], "text_config": {"num_hidden_layers": 3, "embedding_multiplier": 2.0, "logits_scaling": 3.0}}
# Whole pictures of 4 tokens; tiles of 2 x 4 tokens, each row with its end, or of 4 x 2 of which columns were padded.
GRANITE4_PICTURES = {"pixel_values": {"shape": [2, 3, 3, 8, 8], **IMAGE}, "image_sizes": {"values": [[8, 16], [16, 8]]}}
GRANITE4_VISION = [
    Switch("Granite4VisionForConditionalGeneration", "tiles", GRANITE4, inputs={**GRANITE4_PICTURES, "attention_mask": None, "input_ids": {
        "values": [[20, *[3] * 14, 21, 22, 23], [30, 31, *[3] * 16]]}}),
    Switch("Granite4VisionModel", "thirds", {**GRANITE4, "vision_feature_select_strategy": "default", "spatial_target_layers": [], "downsample_rate": "3/4", "tie_word_embeddings": True},
           rows=1, inputs={"pixel_values": {"shape": [1, 3, 3, 8, 8], **IMAGE}, "image_sizes": {"values": [[8, 16]]}, "attention_mask": None, "input_ids": {
               "values": [[20, *[3] * (9 + 3 * 7), 21]]}}),
    Switch("Granite4VisionForConditionalGeneration", "text_only", GRANITE4, inputs={"pixel_values": None, "image_sizes": None}, mask="left"),
]
POOLED = {"image_token_pooling": {"values": [[0, 1, 4, -1], [2, -1, -1, -1], [17, 16, 31, 30], [5, 5, 6, 20], [-1, 9, -1, 8]]}, "image_grids": {"values": [[1, 2, 0, 0], [1, 1, 1, 2]]}}
MOLMO2_TEXT = {"qk_norm_type": "olmo", "norm_after": True, "attention_bias": True, "rope_scaling_layers": [1], "num_key_value_heads": 4,
               "rope_parameters": {"rope_type": "linear", "factor": 3.0, "rope_theta": 100.0}}
MOLMO2 = [
    Switch("Molmo2ForConditionalGeneration", "both_ways", {"adapter_config": {"vision_feature_layer": [1, -3, 2], "num_key_value_heads": 2}}, inputs={**POOLED, "attention_mask": None,
           "input_ids": {"values": [[20, 10, 10, 21, 22, 23], [30, 31, 10, 10, 10, 32]]}, "mm_token_type_ids": {"values": [[0, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 0]]}}),
    Switch("Molmo2Model", "padded", {"text_config": MOLMO2_TEXT, "vision_config": {"hidden_act": "relu", "num_key_value_heads": 2}}, inputs={**POOLED, "attention_mask": {
        "values": [[1] * 6, [0] + [1] * 5]}, "input_ids": {"values": [[20, 10, 10, 21, 105, 23], [30, 31, 10, 10, 10, 98]]}}),
    Switch("Molmo2ForConditionalGeneration", "text_only", {"text_config": MOLMO2_TEXT}, inputs={"pixel_values": None, "image_token_pooling": None, "image_grids": None,
           "image_num_crops": None}, mask="left"),
]

VISION_CHAT = {
    "colmodernvbert": COLMODERNVBERT, "deepseek_vl_hybrid": DEEPSEEK_VL_HYBRID, "granite_docling": GRANITE_DOCLING, "granite_docling_vision": GRANITE_DOCLING_VISION,
    "hunyuan_vl": HUNYUAN_VL, "hunyuan_vl_text": HUNYUAN_VL_TEXT, "hunyuan_vl_vision": HUNYUAN_VL_VISION, "janus": JANUS, "janus_vqgan": JANUS_VQGAN,
    "chameleon": CHAMELEON, "emu3": EMU3, "hyperclovax_vision_v2": HYPERCLOVAX_VISION_V2,
    "cohere_compass": COHERE_COMPASS, "cohere_compass_text": COHERE_COMPASS_TEXT, "cohere_compass_vision": COHERE_COMPASS_VISION, "kimi_k25": KIMI_K25,
    "kimi_k25_vision": KIMI_K25_VISION, "minicpmv4_6": MINICPMV4_6, "minicpmv4_7_vision": MINICPMV4_7_VISION,
    "cosmos3_omni": COSMOS3_OMNI, "kosmos-2": KOSMOS_2, "idefics": IDEFICS, "granite4_vision": GRANITE4_VISION, "molmo2": MOLMO2,
}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
VISION_CHAT_KEPT = {"colmodernvbert": "page", "deepseek_vl_hybrid": "padded", "granite_docling": "routed fine", "hunyuan_vl": "padded two_images", "hunyuan_vl_text": "three flat",
                    "hunyuan_vl_vision": "sizes", "janus": "padded", "chameleon": "swin", "cohere_compass": "both",
                    "cohere_compass_text": "windows mixed packed mean", "kimi_k25": "video", "kimi_k25_vision": "sizes", "minicpmv4_6": "unmerged", "minicpmv4_7_vision": "whole", "kosmos-2": "small places", "idefics": "gates resampled", "granite4_vision": "tiles", "molmo2": "both_ways padded"}
