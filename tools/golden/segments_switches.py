"""Switches of models that find segments and points, and of younger models of videos: see `switch_table.py`."""

from pyramid_switches import MAPS, image
from switches import ABSENT, Switch

SMALL_SWIN = {"depths": [1, 1, 1, 1], "embed_dim": 8, "num_heads": [1, 1, 2, 2], "window_size": 3, "hidden_size": 64}


def sized(rows: int, height: int, width: int) -> dict:
    return {**image(rows, 3, height, width), "pixel_mask": None}


MASKFORMER = [
    Switch("MaskFormerForInstanceSegmentation", "early", {"use_auxiliary_loss": True, "output_auxiliary_logits": True},
           inputs=sized(1, 64, 90), kwargs={"output_hidden_states": True}),
    Switch("MaskFormerModel", "swin", {"backbone_config": {"model_type": "swin", **SMALL_SWIN, **MAPS}, "decoder_config": {"d_model": 64}},
           inputs=sized(2, 64, 64), kwargs={"output_hidden_states": True}),
    Switch("MaskFormerForInstanceSegmentation", "resnet", {"backbone_config": {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8, 12, 16, 20],
           "depths": [1, 1, 1, 1], "layer_type": "basic", "out_features": ["stage1", "stage2", "stage3", "stage4"], **MAPS}}, inputs=sized(1, 70, 90)),
]
MASK2FORMER = [
    Switch("Mask2FormerForUniversalSegmentation", "early", {"output_auxiliary_logits": True, "pre_norm": True, "decoder_layers": 5,
           "backbone_config": SMALL_SWIN}, inputs=sized(1, 64, 96), kwargs={"output_hidden_states": True}),
    Switch("Mask2FormerModel", "projected", {"hidden_dim": 32, "enforce_input_projection": True, "feature_size": 32, "common_stride": 2,
           "backbone_config": SMALL_SWIN}, inputs=sized(2, 64, 64)),
    Switch("Mask2FormerModel", "no_fine", {"common_stride": 8, "decoder_layers": 1, "activation_function": "gelu", "backbone_config": SMALL_SWIN},
           inputs=sized(2, 64, 96), kwargs={"output_hidden_states": True}),
]
ONEFORMER = [
    Switch("OneFormerForUniversalSegmentation", "unnormed", {"use_task_norm": False, "use_auxiliary_loss": False, "pre_norm": True,
           "backbone_config": SMALL_SWIN}, inputs={**sized(1, 64, 96), "task_inputs": {"shape": [1, 77], "fill": 3}}),
    Switch("OneFormerModel", "states", {"decoder_layers": 5, "layer_norm_eps": 0.01, "backbone_config": SMALL_SWIN},
           inputs={**sized(2, 96, 64), "task_inputs": {"values": [[i % 7 for i in range(77)], [5] * 77]}}, kwargs={"output_hidden_states": True}),
    Switch("OneFormerForUniversalSegmentation", "no_early", {"output_auxiliary_logits": False, "backbone_config": SMALL_SWIN},
           inputs={**sized(1, 64, 64), "task_inputs": {"shape": [1, 77], "fill": 2}}),
]

POINTS = {"values": [[[[20.5, 30], [60, 11]], [[5, 5], [100, 90]]], [[[1, 2], [3, 4]], [[50, 60], [70.25, 80]]]], "dtype": "F32"}
LABELS = {"values": [[[1, 0], [1, -10]], [[-1, 1], [0, 3]]]}
BOXES = {"values": [[[10, 20, 60, 50], [0, 0, 127, 90]], [[5, 6, 70, 80], [30, 30, 40.5, 50]]], "dtype": "F32"}
MASKS = {"shape": [2, 1, 32, 32], "lo": -2.0, "hi": 2.0}


def prompted(architecture: str, config: dict, embeddings: dict) -> list[Switch]:
    """Points, boxes and masks, one mask or several, and an image that was encoded before."""
    return [
        Switch(architecture, "points", config, inputs={"input_points": POINTS, "input_labels": LABELS}),
        Switch(architecture, "unlabelled", config, inputs={"input_points": POINTS}, kwargs={"multimask_output": 0}),
        Switch(architecture, "boxes", config, inputs={"input_boxes": BOXES}, kwargs={"multimask_output": 0}),
        Switch(architecture, "stable", {"mask_decoder_config": {"dynamic_multimask_stability_thresh": 0.2}, **config}, inputs={"input_boxes": BOXES},
               kwargs={"multimask_output": 0}),
        Switch(architecture, "masks", config, inputs={"input_points": POINTS, "input_labels": LABELS, "input_boxes": BOXES, "input_masks": MASKS}),
        Switch(architecture, "large_masks", {"mask_decoder_config": {"dynamic_multimask_via_stability": False}, **config},
               inputs={"input_masks": {"shape": [2, 1, 50, 40], "lo": -2.0, "hi": 2.0}}, kwargs={"multimask_output": 0}),
        Switch(architecture, "encoded", config, inputs={"pixel_values": None, **embeddings, "input_points": POINTS}),
    ]


ENCODED = {"image_embeddings.0": {"shape": [2, 4, 32, 32], "lo": -1.0, "hi": 1.0}, "image_embeddings.1": {"shape": [2, 8, 16, 16], "lo": -1.0, "hi": 1.0},
           "image_embeddings.2": {"shape": [2, 32, 8, 8], "lo": -1.0, "hi": 1.0}}
SAM2 = prompted("Sam2Model", {}, ENCODED)
HIERA = [
    Switch("Sam2HieraDetModel", "wide", {"patch_kernel_size": [5, 7], "patch_padding": [2, 3], "global_attention_blocks": [], "num_query_pool_stages": 2,
           "embed_dim_per_stage": [12, 24, 48, 96]}, inputs=image(1, 3, 64, 96)),
]
SAM2_VISION = [
    Switch("Sam2VisionModel", "top_down", {"fpn_top_down_levels": [0, 1, 2], "num_feature_levels": 4, "fpn_kernel_size": 3, "fpn_padding": 1},
           inputs=image(1, 3, 64, 64)),
]
TRACKER = prompted("Sam3TrackerModel", {}, ENCODED)
SAM3_VIT = [
    Switch("Sam3ViTModel", "windows", {"image_size": [224, 168], "pretrain_image_size": 84, "global_attn_indexes": [1], "window_size": 5},
           inputs=image(1, 3, 224, 168)),
    Switch("Sam3ViTModel", "tall", {"image_size": [224, 168], "global_attn_indexes": [0], "hidden_act": "gelu_new",
           "rope_parameters": {"rope_type": "axial", "rope_theta": 100.0}}, inputs=image(1, 3, 168, 224)),
    Switch("Sam3ViTModel", "no_windows", {"window_size": 0, "pretrain_image_size": 224}),
]
EXAMPLES = {"values": [[[0.5, 0.4, 0.3, 0.2], [0.2, 0.6, 0.1, 0.5], [0.9, 0.9, 0.4, 0.4]], [[0.1, 0.1, 0.05, 0.02], [0.5, 0.5, 1.0, 1.0], [0.3, 0.2, 0.4, 0.1]]],
            "dtype": "F32"}
DETECTED = {"input_boxes": EXAMPLES, "input_boxes_labels": {"values": [[1, 0, -10], [1, 1, 0]]}}


def detecting(architecture: str) -> list[Switch]:
    return [
        Switch(architecture, "examples", {"geometry_encoder_config": {"num_layers": 2, "roi_size": 5}}, inputs=DETECTED),
        Switch(architecture, "unlabelled", {"detr_decoder_config": {"num_layers": 2, "hidden_act": "gelu"}}, inputs={"input_boxes": EXAMPLES}, mask=None),
        Switch(architecture, "unmasked", mask=None, length=5),
        Switch(architecture, "more_maps", {"vision_config": {"scale_factors": [4.0, 2.0, 1.0, 0.5]}}, mask="holes", length=9),
    ]


SAM3 = detecting("Sam3Model")
LITE = detecting("Sam3LiteTextModel") + [
    Switch("Sam3LiteTextModel", "mixers", {"text_config": {"use_repmixer_blocks": True, "num_hidden_layers": 3}}, length=9),
]
LITE_TEXT = [
    Switch("Sam3LiteTextTextModel", "mixers", {"use_repmixer_blocks": True, "num_hidden_layers": 4, "repmixer_kernel_size": 5}, length=16),
    Switch("Sam3LiteTextTextModel", "stretched", length=25, mask="holes"),
    Switch("Sam3LiteTextTextModel", "shrunk", {"use_repmixer_blocks": True, "num_hidden_layers": 3}, length=5, mask=None),
]


def video(rows: int, frames: int, side: int) -> dict:
    return {"pixel_values_videos": {"shape": [rows, frames, 3, side, side], "lo": -1.0, "hi": 1.0}}


VJEPA2 = [
    Switch("VJEPA2Model", "masked", {"crop_size": 48, "hidden_size": 36, "pred_hidden_size": 24},
           inputs={**video(2, 4, 48), "context_mask.0": {"values": [[0, 3, 5, 17], [1, 2, 9, 10]]}, "target_mask.0": {"values": [[1, 16], [0, 11]]}}),
    Switch("VJEPA2Model", "skipped", {"qkv_bias": False, "hidden_act": "relu"}, kwargs={"skip_predictor": True}),
    Switch("VJEPA2ForVideoClassification", "one_frame", {"num_labels": 5, "num_pooler_layers": 1, "tubelet_size": 3}, inputs=video(1, 2, 32)),
    Switch("VJEPA2Model", "odd", {"hidden_size": 26, "pred_hidden_size": 14, "pred_num_mask_tokens": 1, "crop_size": 32}, inputs=video(1, 5, 32)),
]
ALIGN = [
    Switch("AlignModel", "projected", {"text_config": {"hidden_size": 40}, "vision_config": {"pooling_type": "max"}}, mask="holes"),
]
ALIGN_TEXT = [
    Switch("AlignTextModel", "embeds", inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 7, 32], "lo": -1.0, "hi": 1.0}}, mask="left"),
    Switch("AlignTextModel", "pads", {"pad_token_id": 3}, inputs={"input_ids": {"values": [[3, 3, 5, 6], [7, 8, 9, 3]]}, "token_type_ids": None,
           "position_ids": {"values": [[3, 2, 1, 0], [5, 6, 7, 8]]}}, length=4),
]
ALIGN_VISION = [
    Switch("AlignVisionModel", "padded", {"depthwise_padding": [9], "pooling_type": "max", "squeeze_expansion_ratio": 0.5, "hidden_act": "relu",
           "depth_divisor": 4, "width_coefficient": 1.1}, inputs=image(1, 3, 37, 45)),
]
SMALL_TVP = {"max_img_size": 64, "visual_prompt_size": 12, "backbone_config": {"embedding_size": 8, "hidden_sizes": [8, 16]}}


def grounded(height: int, width: int, frames: int = 2) -> dict:
    return {"pixel_values": {"shape": [1, frames, 3, height, width], "lo": -1.0, "hi": 1.0}}


TVP = [
    Switch("TvpForVideoGrounding", "resized", {**SMALL_TVP, "max_grid_col_position_embeddings": 3, "max_grid_row_position_embeddings": 4}, rows=1,
           inputs=grounded(96, 80), kwargs={"interpolate_pos_encoding": True}, length=5),
    Switch("TvpModel", "removed", {**SMALL_TVP, "visual_prompter_apply": "remove"}, rows=1, inputs=grounded(64, 64, 3)),
]
PRISM = [
    Switch("VideoPrismClipModel", "plain", {"text_config": {"apply_l2norm": False}, "vision_config": {"apply_l2norm": False}}, mask=None),
]
PRISM_TEXT = [
    Switch("VideoPrismTextModel", "unmasked", {"qkv_bias": False}, mask=None, length=9),
    Switch("VideoPrismTextModel", "holes", {"attn_logit_softcapping": 1.5}, mask="holes", length=9),
    Switch("VideoPrismTextModel", "embeds", inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 7, 32], "lo": -1.0, "hi": 1.0},
           "position_ids": {"values": [[6, 5, 4, 3, 2, 1, 0]]}}, mask="left"),
]
PRISM_VISION = [
    Switch("VideoPrismVisionModel", "resized", inputs={"pixel_values_videos": {"shape": [2, 5, 3, 12, 16], "lo": -1.0, "hi": 1.0}},
           kwargs={"interpolate_pos_encoding": True, "output_hidden_states": True}),
    Switch("VideoPrismForVideoClassification", "tall", {"image_size": [8, 16], "num_labels": 3, "hidden_act": "relu"},
           inputs={"pixel_values_videos": {"shape": [1, 3, 3, 8, 16], "lo": -1.0, "hi": 1.0}}),
]

GATED = {"use_swiglu_ffn": True, "num_register_tokens": 4, "qkv_bias": False}
TIPS = [
    Switch("Tipsv2Model", "resized", {"vision_config": GATED, "text_config": {"scale_sqrt_depth": False}}, inputs=image(2, 3, 42, 56), mask=None),
]
TIPS_TEXT = [
    Switch("Tipsv2TextModel", "holes", {"pooling_epsilon": 0.5}, mask="holes", length=9),
    Switch("Tipsv2TextModel", "embeds", inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 7, 16], "lo": -1.0, "hi": 1.0},
           "position_ids": {"values": [[6, 5, 4, 3, 2, 1, 0]]}}, mask=None),
]
TIPS_VISION = [
    Switch("Tipsv2VisionModel", "masked", GATED, inputs={**image(2, 3, 28, 28), "bool_masked_pos": {"values": [[1, 0, 0, 1], [0, 1, 1, 1]], "dtype": "BOOL"}}),
    Switch("Tipsv2VisionBackbone", "tokens", {"reshape_hidden_states": False, "apply_layernorm": False, "out_features": ["stem", "stage1"], **MAPS},
           inputs=image(1, 3, 42, 28)),
    Switch("Tipsv2VisionModel", "attended", inputs={**image(2, 3, 28, 28), "attention_mask": {"values": [[1, 1, 0, 1, 1, 1], [1, 0, 1, 1, 0, 1]]}}),
]
TIPS_DPT = [
    Switch("Tipsv2DptForDensePrediction", "tall", {"reassemble_factors": [1, 0.5], "num_depth_bins": 1, "readout_activation": "relu"},
           inputs=image(1, 3, 56, 42)),
    Switch("Tipsv2DptForNormalEstimation", "states", {"backbone_config": {"num_register_tokens": 3}}, inputs=image(1, 3, 42, 56),
           kwargs={"output_hidden_states": True}),
]

VIDEOMT = [
    Switch("VideomtForUniversalSegmentation", "frames", {"use_swiglu_ffn": True, "num_blocks": 2, "num_labels": 2},
           inputs=video(2, 3, 40), kwargs={"output_hidden_states": True}),
]

FLAVA = [
    Switch("FlavaModel", "text", inputs={"pixel_values": None, "bool_masked_pos": None}),
    Switch("FlavaModel", "image", inputs={"bool_masked_pos": None, "input_ids": None, "token_type_ids": None, "attention_mask": None}),
    Switch("FlavaModel", "unmasked", {"multimodal_config": {"use_cls_token": False}}, inputs={"bool_masked_pos": None, "attention_mask": None}),
]
FLAVA_CODES = [Switch("FlavaImageCodebook", "odd", {"hidden_size": 10, "num_groups": 4, "num_blocks_per_group": 1}, inputs=image(2, 3, 21, 30))]
FLAVA_JOINT = [Switch("FlavaMultimodalModel", "tokenless", {"use_cls_token": False, "qkv_bias": False}, inputs={"attention_mask": None})]
FLAVA_IMAGE = [Switch("FlavaImageModel", "flat", {"image_size": 6, "qkv_bias": False}, inputs={**image(2, 3, 6, 6),
               "bool_masked_pos": {"values": [[1, 0, 0, 1, 1, 0, 0, 0, 1], [0, 1, 1, 1, 0, 0, 0, 0, 0]], "dtype": "BOOL"}})]

CLVP = [
    Switch("ClvpModelForConditionalGeneration", "ended", {"decoder_config": {"vocab_size": 3, "eos_token_id": 1, "decoder_fixing_codes": [5, 6, 7]}},
           inputs={"input_ids": {"values": [[3, 4, 5, 0, 0, 0, 0], [3, 4, 5, 6, 7, 8, 9]]}, "input_features": {"shape": [2, 80, 20], "lo": -1.0, "hi": 1.0},
                   "attention_mask": {"values": [[1, 1, 1, 0, 0, 0, 0], [1] * 7]}}),
    Switch("ClvpModelForConditionalGeneration", "voices", {"decoder_config": {"vocab_size": 2, "eos_token_id": 1, "num_mel_attn_blocks": 1, "hidden_size": 40}},
           inputs={"input_ids": {"values": [[3, 4, 5, 0, 7]]}, "input_features": {"shape": [3, 80, 9], "lo": -1.0, "hi": 1.0}, "attention_mask": None}),
]

SEGMENTS = {"maskformer": MASKFORMER, "mask2former": MASK2FORMER, "oneformer": ONEFORMER, "sam2": SAM2, "sam2_hiera_det_model": HIERA,
            "sam2_vision_model": SAM2_VISION, "sam3_tracker": TRACKER, "sam3_vit_model": SAM3_VIT, "sam3": SAM3, "sam3_lite_text": LITE,
            "sam3_lite_text_text_model": LITE_TEXT}
SEGMENTS |= {"vjepa2": VJEPA2, "align": ALIGN, "align_text_model": ALIGN_TEXT, "align_vision_model": ALIGN_VISION, "tvp": TVP, "videoprism": PRISM,
             "videoprism_text_model": PRISM_TEXT, "videoprism_vision_model": PRISM_VISION}
SEGMENTS |= {"tipsv2": TIPS, "tipsv2_text_model": TIPS_TEXT, "tipsv2_vision_model": TIPS_VISION, "tipsv2_dpt": TIPS_DPT,
             "videomt": VIDEOMT}
SEGMENTS |= {"clvp": CLVP, "flava": FLAVA, "flava_image_codebook": FLAVA_CODES, "flava_multimodal_model": FLAVA_JOINT, "flava_image_model": FLAVA_IMAGE}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
SEGMENTS_KEPT = {"mask2former": "early", "oneformer": "unnormed", "sam2": "masks stable", "sam3_vit_model": "windows", "sam3": "examples",
                 "sam3_lite_text_text_model": "mixers stretched", "vjepa2": "masked odd", "align_text_model": "pads", "tvp": "resized",
                 "videoprism_vision_model": "resized", "videoprism_text_model": "unmasked", "tipsv2_vision_model": "masked tokens",
                 "tipsv2_dpt": "tall", "videomt": "frames", "flava": "text unmasked", "flava_image_codebook": "odd", "clvp": "ended voices",
                 "flava_image_model": "flat"}
