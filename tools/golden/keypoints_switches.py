"""Switches of models that find keypoints and match them, and of others around images: see `switch_table.py`."""

from pyramid_switches import image
from switches import ABSENT, Switch

HIDDEN = {"output_hidden_states": True}
P = "SuperPointForKeypointDetection"
DEFAULTS = {k: ABSENT for k in ("border_removal_distance", "keypoint_decoder_dim", "keypoint_threshold", "max_keypoints", "nms_radius")}
SUPERPOINT = [
    Switch(P, "best", {"max_keypoints": 30, "nms_radius": 2}, inputs=image(2, 3, 48, 40), kwargs=HIDDEN),
    Switch(P, "some", {"max_keypoints": 43, "keypoint_threshold": 0.021}, inputs=image(3, 3, 48, 48)),
    Switch(P, "wide", {"nms_radius": 0, "border_removal_distance": 60, "max_keypoints": 2000, "keypoint_threshold": 0.02}, inputs=image(1, 3, 17, 24)),
    Switch(P, "far", {"nms_radius": 90, "keypoint_threshold": 0.0, "encoder_hidden_sizes": [4, 6]}, inputs=image(2, 1, 16, 24)),
    Switch(P, "all", {"nms_radius": 1, "keypoint_threshold": -1.0, "border_removal_distance": 3, "encoder_hidden_sizes": [4, 6, 8, 6, 8]}, inputs=image(1, 3, 32, 48)),
    Switch(P, "none", {"keypoint_threshold": 0.9}, inputs=image(2, 3, 16, 24)),
    Switch(P, "zero", {"max_keypoints": 0}, inputs=image(2, 3, 16, 24)),
    Switch(P, "defaults", {**DEFAULTS, "decoder_hidden_size": ABSENT, "descriptor_decoder_dim": ABSENT, "encoder_hidden_sizes": ABSENT}, raw=True, inputs=image(1, 3, 16, 24)),
]


def pairs(*shape: int) -> dict:
    return {"pixel_values": {"shape": list(shape), "lo": -1.0, "hi": 1.0}}


DETECTOR = {"max_keypoints": 40, "nms_radius": 3, "encoder_hidden_sizes": [6, 8, 10], "decoder_hidden_size": 12}
G = "SuperGlueForKeypointMatching"
SUPERGLUE = [
    Switch(G, "matched", {"matching_threshold": 0.0, "keypoint_detector_config": DETECTOR}, inputs=pairs(2, 2, 3, 32, 40), kwargs=HIDDEN),
    Switch(G, "padded", {"matching_threshold": 0.001, "keypoint_detector_config": {**DETECTOR, "max_keypoints": -1, "keypoint_threshold": 0.0182},
           "gnn_layers_types": ["cross", "cross", "self"], "keypoint_encoder_sizes": [5], "num_attention_heads": 2}, inputs=pairs(3, 2, 3, 32, 24)),
    Switch(G, "few_iterations", {"matching_threshold": -0.1, "sinkhorn_iterations": 2, "keypoint_detector_config": DETECTOR}, inputs=pairs(1, 2, 3, 24, 32)),
    Switch(G, "no_iterations", {"sinkhorn_iterations": 0, "keypoint_detector_config": DETECTOR, "keypoint_encoder_sizes": []}, inputs=pairs(1, 2, 3, 24, 32)),
    Switch(G, "sparse", {"keypoint_detector_config": {**DETECTOR, "keypoint_threshold": 0.0185}}, inputs=pairs(4, 2, 3, 24, 32)),
    Switch(G, "none", {"keypoint_detector_config": {**DETECTOR, "keypoint_threshold": 0.9}}, inputs=pairs(2, 2, 3, 24, 32)),
    Switch(G, "defaults", {k: ABSENT for k in ("gnn_layers_types", "matching_threshold", "sinkhorn_iterations", "num_attention_heads", "keypoint_encoder_sizes")}
           | {"keypoint_detector_config": DETECTOR}, raw=True, inputs=pairs(1, 2, 3, 24, 32)),
]
L = "LightGlueForKeypointMatching"
SPARSE = {**DETECTOR, "max_keypoints": -1, "keypoint_threshold": 0.0195}
UNEVEN = {**DETECTOR, "max_keypoints": -1, "keypoint_threshold": 0.0182}


def lightglue(name: str, detector: dict, shape: tuple, kwargs: dict | None = None, **config) -> Switch:
    return Switch(L, name, {"filter_threshold": 0.0, "keypoint_detector_config": detector, **config}, inputs=pairs(*shape), kwargs=kwargs or {})


LIGHTGLUE = [
    lightglue("whole", DETECTOR, (2, 2, 3, 32, 40), HIDDEN, depth_confidence=-1.0, width_confidence=-1.0),
    lightglue("whole_padded", UNEVEN, (3, 2, 3, 32, 24), depth_confidence=0.0, width_confidence=0.0, attention_bias=False, num_key_value_heads=2),
    lightglue("padded", UNEVEN, (3, 2, 3, 32, 24), depth_confidence=1.0, width_confidence=1.0, num_hidden_layers=4),
    lightglue("pruned", DETECTOR, (2, 2, 3, 32, 40), depth_confidence=1.0, width_confidence=0.5, num_hidden_layers=4, hidden_act="relu"),
    lightglue("pruned_padded", UNEVEN, (3, 2, 3, 32, 24), depth_confidence=1.0, width_confidence=0.45, num_hidden_layers=5, descriptor_dim=32),
    lightglue("stopped", UNEVEN, (2, 2, 3, 32, 24), depth_confidence=0.003, width_confidence=0.45, num_hidden_layers=8, descriptor_dim=32),
    lightglue("stopped_apart", UNEVEN, (3, 2, 3, 32, 24), depth_confidence=0.002, width_confidence=0.45, num_hidden_layers=12, descriptor_dim=24),
    lightglue("stopped_soon", UNEVEN, (1, 2, 3, 32, 24), depth_confidence=0.001, width_confidence=0.5, num_hidden_layers=7, descriptor_dim=16),
    lightglue("one_layer", UNEVEN, (2, 2, 3, 24, 32), depth_confidence=0.0, width_confidence=0.0, num_hidden_layers=1),
    lightglue("sparse", SPARSE, (6, 2, 3, 24, 32), depth_confidence=1.0, width_confidence=1.0),
    lightglue("sparse_pruned", SPARSE, (6, 2, 3, 24, 32), depth_confidence=1.0, width_confidence=0.45, num_hidden_layers=9, descriptor_dim=32),
    lightglue("sparse_stopped", SPARSE, (2, 2, 3, 24, 32), depth_confidence=0.01, width_confidence=0.45, num_hidden_layers=9, descriptor_dim=16),
    lightglue("sparser", {**SPARSE, "keypoint_threshold": 0.0191}, (8, 2, 3, 24, 32), depth_confidence=1.0, width_confidence=0.45, num_hidden_layers=5),
    lightglue("sparsest", {**SPARSE, "keypoint_threshold": 0.02}, (8, 2, 3, 24, 32), depth_confidence=1.0, width_confidence=0.45, num_hidden_layers=5),
    lightglue("sparse_whole", {**SPARSE, "keypoint_threshold": 0.0188}, (8, 2, 3, 24, 32), depth_confidence=0.0, width_confidence=0.0),
    lightglue("none", {**DETECTOR, "keypoint_threshold": 0.9}, (2, 2, 3, 24, 32)),
    Switch(L, "defaults", {k: ABSENT for k in ("filter_threshold", "width_confidence", "depth_confidence", "hidden_act", "num_hidden_layers", "num_key_value_heads",
           "num_attention_heads", "attention_bias", "intermediate_size", "hidden_size")} | {"keypoint_detector_config": DETECTOR}, raw=True, inputs=pairs(1, 2, 3, 24, 32)),
]

E = "EfficientLoFTRForKeypointMatching"
DERIVED = dict.fromkeys(("stage_block_in_channels", "stage_block_out_channels", "stage_block_stride", "stage_in_channels", "fine_fusion_dims",
                         "num_key_value_heads"), ABSENT)
FINE = {**DERIVED, "stage_num_blocks": [1, 2, 1], "stage_stride": [2, 1, 2], "out_features": [6, 12, 16], "fine_kernel_size": 4, "fine_matching_slice_dim": 4,
        "coarse_matching_threshold": 0.0, "coarse_matching_border_removal": 1}
EFFICIENTLOFTR = [
    Switch(E, "three_stages", {**FINE, "attention_bias": True, "batch_norm_eps": 0.01, "intermediate_size": 20, "fine_matching_regress_temperature": 2.0}, inputs=pairs(3, 2, 3, 20, 24), kwargs=HIDDEN),
    Switch(E, "groups", {**FINE, "q_aggregation_kernel_size": 2, "q_aggregation_stride": 2, "kv_aggregation_kernel_size": 2, "kv_aggregation_stride": 2,
           "mlp_activation_function": "gelu", "activation_function": "silu", "num_attention_layers": 1}, inputs=pairs(2, 2, 1, 24, 32)),
    Switch(E, "unsoftened", {**FINE, "coarse_matching_skip_softmax": True, "coarse_matching_temperature": 2.0, "coarse_matching_border_removal": 0}, inputs=pairs(1, 2, 3, 20, 24)),
    Switch(E, "border", {**FINE, "coarse_matching_border_removal": 9}, inputs=pairs(2, 2, 3, 20, 24)),
    Switch(E, "few_channels", {**FINE, "fine_matching_slice_dim": 9}, inputs=pairs(2, 2, 3, 20, 24)),
    Switch("EfficientLoFTRModel", "three_stages", {**FINE, "rope_parameters": {"rope_type": "default", "rope_theta": 100.0, "partial_rotary_factor": 2.0},
           "num_attention_heads": 4}, inputs=pairs(2, 2, 3, 18, 26), kwargs=HIDDEN),
    Switch(E, "defaults", {k: ABSENT for k in ("q_aggregation_kernel_size", "kv_aggregation_kernel_size", "q_aggregation_stride", "kv_aggregation_stride",
           "num_attention_layers", "num_attention_heads", "attention_bias", "mlp_activation_function", "activation_function", "coarse_matching_skip_softmax",
           "coarse_matching_threshold", "coarse_matching_temperature", "coarse_matching_border_removal", "batch_norm_eps", "rope_parameters", "fine_kernel_size",
           "fine_matching_slice_dim", "fine_matching_regress_temperature", "stage_stride")} | {"stage_num_blocks": [1, 1, 1, 1], "out_features": [4, 24, 12, 16], **DERIVED, "intermediate_size": ABSENT},
           raw=True, inputs=pairs(1, 2, 3, 64, 96)),
]

T = "BridgeTowerModel"
UNMASKED = {"pixel_mask": None}
FEW = {"text_config": {"vocab_size": 60, "max_position_embeddings": 20, "num_hidden_layers": 3}, "vision_config": {"num_hidden_layers": 3, "image_size": 32}}
SMALL = {"pixel_values": {"shape": [2, 3, 32, 32], "lo": -1.0, "hi": 1.0}, **UNMASKED}
BRIDGETOWER = [
    Switch(T, "scaled", {**FEW, "link_tower_type": "scaled_add", "share_cross_modal_transformer_layers": False, "num_hidden_layers": 3}, mask="left", inputs=SMALL),
    Switch(T, "interpolated", {**FEW, "link_tower_type": "interpolate", "hidden_act": "relu", "vision_config": {"num_hidden_layers": 4, "remove_last_layer": True,
           "image_size": 32, "share_layernorm": False, "hidden_size": 144}}, mask=None, inputs=SMALL),
    Switch(T, "one_layer", {**FEW, "num_hidden_layers": 1, "vision_config": {"num_hidden_layers": 2, "image_size": 32}}, mask="holes", inputs=SMALL, kwargs={"image_token_type_idx": 1}),
    Switch(T, "all_layers", {**FEW, "num_hidden_layers": 4, "layer_norm_eps": 0.1}, inputs={**SMALL, "token_type_ids": {"values": [[0, 1, 0, 1, 0, 1, 0]] * 2}}),
    Switch(T, "resized", FEW, inputs={"pixel_values": {"shape": [2, 3, 48, 33], "lo": -1.0, "hi": 1.0}, **UNMASKED}, kwargs={"interpolate_pos_encoding": True}),
    Switch(T, "embedded", FEW, inputs={"pixel_values": None, **UNMASKED, "image_embeds": {"shape": [2, 6, 64], "lo": -1.0, "hi": 1.0}}),
    Switch(T, "padded", FEW, rows=3, inputs={"input_ids": {"values": [[0, 5, 6, 7, 2], [0, 5, 2, 1, 1], [1, 1, 0, 8, 2]]}, "attention_mask": {"values": [[1] * 5, [1, 1, 1, 0, 0], [0, 0, 1, 1, 1]]},
           "pixel_values": {"shape": [3, 3, 32, 32], "lo": -1.0, "hi": 1.0}, **UNMASKED}),
    Switch("BridgeTowerForMaskedLM", "tied", {**FEW, "tie_word_embeddings": True, "hidden_act": "silu"}, inputs=SMALL),
    Switch("BridgeTowerForContrastiveLearning", "narrow", {**FEW, "contrastive_hidden_size": 20}, inputs=SMALL),
    Switch("BridgeTowerForImageAndTextRetrieval", "padded", FEW, mask="right", inputs=SMALL),
]
O = "OmDetTurboForObjectDetection"
NAMED = {"text_config": {"vocab_size": 60, "eos_token_id": 59, "bos_token_id": 58}}


def named(structure: list[int], height: int, width: int, mask: list | None = None) -> dict:
    """Classes of each image, and an image."""
    count, rows = sum(structure), len(structure)
    return {"classes_input_ids": {"ids": [0, 59], "shape": [count, 5]}, "classes_attention_mask": {"values": [[1] * 5] * count},
            "tasks_input_ids": {"ids": [0, 59], "shape": [rows, 7]}, "tasks_attention_mask": {"values": mask or [[1] * 7] * rows},
            "classes_structure": {"values": structure}, "pixel_values": {"shape": [rows, 3, height, width], "lo": -1.0, "hi": 1.0}}


OMDET = [
    Switch(O, "dot", {**NAMED, "class_distance_type": "dot", "csp_activation": "relu", "conv_norm_activation": "silu", "decoder_activation": "gelu",
           "encoder_feedforward_activation": "silu", "hidden_expansion": 2}, inputs=named([1, 4], 64, 64, [[1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0, 0]]), kwargs=HIDDEN),
    Switch(O, "learned", {**NAMED, "learn_initial_query": True, "encoder_projection_indices": [1, -1], "layer_norm_eps": 0.01, "batch_norm_eps": 0.01, "num_queries": 9},
           inputs=named([2, 1, 3], 64, 96, [[0, 1, 1, 0, 1, 0, 0], [0, 0, 0, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0, 0]]), kwargs=HIDDEN),
    Switch(O, "no_places", {**NAMED, "eval_size": 640, "decoder_num_points": 2, "decoder_num_heads": 4}, inputs=named([2], 64, 64)),
    Switch(O, "no_layers", {**NAMED, "encoder_layers": 0, "decoder_num_layers": 1, "positional_encoding_temperature": 100}, inputs=named([2, 2], 64, 64), kwargs=HIDDEN),
    Switch(O, "one_map", {**NAMED, "encoder_in_channels": [16], "num_feature_levels": 1, "vision_features_channels": [8], "encoder_projection_indices": [0],
           "apply_layernorm_after_vision_backbone": True, "backbone_config": {"out_features": ["stage2"], "out_indices": [2]}}, inputs=named([1, 2], 64, 128)),
]

# These two are made where timm is there.
V = "FastVlmModel"
OWN = dict.fromkeys(("downsamples", "se_downsamples", "token_mixers", "pos_embs", "lkc_use_act", "stem_use_scale_branch"), ABSENT)
FOUR = {"layers": [1, 1, 1, 1], "embed_dims": [8, 16, 32, 64], "mlp_ratios": [2, 2, 2, 2], **OWN}


def shown(height: int, width: int, *ids: list[int]) -> dict:
    """Texts with a picture each."""
    return {"pixel_values": {"shape": [len(ids), 3, height, width], "lo": -1.0, "hi": 1.0}, "input_ids": {"values": list(ids)}, "attention_mask": None}


FAST_VLM = [
    Switch(V, "attention", {"vision_config": {"hidden_size": 64, "model_args": {"layers": [1, 1, 2], "embed_dims": [8, 16, 32], "mlp_ratios": [2, 3, 4],
           "token_mixers": ["repmixer", "repmixer", "attention"], "downsamples": [False, True, True], "se_downsamples": [False, True, False], "pos_embs": [None] * 3,
           "lkc_use_act": False}}}, inputs=shown(32, 32, [5, 0, 0, 0, 0, 7], [0, 0, 0, 0, 9, 3])),
    Switch(V, "places", {"vision_config": {"architecture": "fastvit_sa12", "hidden_size": 128, "model_args": {**FOUR, "repmixer_kernel_size": 5}}}, inputs=shown(64, 96, [0] * 6 + [4, 5])),
    Switch(V, "squeezed", {"vision_config": {"architecture": "fastvit_mci0.apple_mclip", "hidden_size": 128, "model_args": {**FOUR, "layer_scale_init_value": None}}},
           inputs=shown(64, 64, [3] + [0] * 4, [0] * 4 + [4])),
    Switch("FastVlmForConditionalGeneration", "wide", {"vision_config": {"hidden_size": 64, "model_args": {"cls_ratio": 4.0}}, "multimodal_projector_bias": False,
           "projector_hidden_act": "relu"}, inputs=shown(16, 24, [5, 6] + [0] * 6)),
]
W = "PerceptionLMModel"


def watched(height: int, width: int, tiles: int, *ids: list[int]) -> dict:
    """Texts with a picture of some tiles each."""
    return {**shown(height, width, *ids), "pixel_values": {"shape": [len(ids), tiles, 3, height, width], "lo": -1.0, "hi": 1.0}, "pixel_values_videos": None}


def perceived(architecture: str = "vit_pe_core_large_patch14_336", **args) -> dict:
    return {"vision_config": {"architecture": architecture, "model_args": args}}


PERCEPTION_LM = [
    Switch(W, "wide", perceived(img_size=[42, 28], ref_feat_shape=[5, 4], num_heads=2), inputs=watched(42, 28, 1, [5] + [0] * 6, [0] * 6 + [4])),
    Switch(W, "pooled", {**perceived(img_size=[56, 70], ref_feat_shape=ABSENT, use_post_transformer_norm=ABSENT, init_values=ABSENT, num_heads=4), "projector_pooling_ratio": 1},
           inputs=watched(56, 70, 1, [0] * 20 + [5])),
    Switch(W, "tiles", {**perceived(img_size=56, num_heads=4, rope_grid_indexing="ij", rope_temperature=50.0, rope_grid_offset=0.5, qkv_bias=False, mlp_ratio=2.5),
           "projector_pooling_ratio": 2}, inputs=watched(56, 56, 2, [0] * 8 + [5], [7] + [0] * 8)),
    Switch(W, "no_class", {**perceived("vit_pe_core_gigantic_patch14_448", img_size=[28, 28], num_heads=4, depth=1), "vision_use_cls_token": False}, inputs=watched(28, 28, 1, [5] + [0] * 4)),
    Switch(W, "language", perceived("vit_pe_lang_large_patch14_448", img_size=[28, 28], num_heads=4, global_pool=ABSENT, use_post_transformer_norm=ABSENT, init_values=ABSENT,
           ref_feat_shape=ABSENT), inputs=watched(28, 28, 1, [5] + [0] * 4)),
    Switch("PerceptionLMForConditionalGeneration", "videos", {**perceived(img_size=[28, 28], num_heads=4, use_pre_transformer_norm=False, patch_size=7), "projector_pooling_ratio": 3},
           inputs={"pixel_values": None, "input_ids": {"values": [[2, 5, 2, 6], [4, 2, 3, 2]]}, "attention_mask": None,
                   "pixel_values_videos": {"shape": [2, 2, 3, 28, 28], "lo": -1.0, "hi": 1.0}}),
]

KEYPOINTS = {"superpoint": SUPERPOINT, "superglue": SUPERGLUE, "lightglue": LIGHTGLUE, "efficientloftr": EFFICIENTLOFTR, "bridgetower": BRIDGETOWER, "omdet-turbo": OMDET,
             "fast_vlm": FAST_VLM, "perception_lm": PERCEPTION_LM}
KEYPOINTS_KEPT = {"superpoint": "best some all", "superglue": "matched padded", "lightglue": "whole padded pruned_padded sparser sparse_stopped",
                  "efficientloftr": "three_stages groups", "bridgetower": "scaled interpolated", "omdet-turbo": "dot learned", "fast_vlm": "attention squeezed",
                  "perception_lm": "wide tiles"}
