"""Switches of detectors, depths, segments and poses of images: see `switch_table.py`."""

from pyramid_switches import MAPS, half, image
from switches import ABSENT, Switch


def masked(rows: int, height: int, width: int, *sizes: tuple[int, int]) -> dict:
    """Images that fill the upper left of theirs, each by its size."""
    mask = [[[int(y < h and x < w) for x in range(width)] for y in range(height)] for h, w in sizes]
    return {**image(rows, 3, height, width), "pixel_mask": {"values": mask, "dtype": "BOOL"}}


def unmasked(rows: int, height: int, width: int) -> dict:
    return {**image(rows, 3, height, width), "pixel_mask": None}


DETR = [
    Switch("DetrModel", "masked", inputs=masked(2, 97, 70, (97, 40), (50, 70))),
    Switch("DetrModel", "unmasked", inputs=unmasked(1, 70, 97)),
    Switch("DetrModel", "learned", {"position_embedding_type": "learned", "auxiliary_loss": True},
           inputs=masked(2, 97, 97, (97, 97), (60, 80))),
    Switch("DetrModel", "given_queries", inputs={**unmasked(2, 64, 64), "decoder_inputs_embeds": {"shape": [2, 12, 32], "lo": -1.0, "hi": 1.0},
           "decoder_attention_mask": {"values": [[1] * 12, [1] * 7 + [0] * 5]}}),
    Switch("DetrModel", "tokens", inputs={"pixel_values": None, "pixel_mask": None, "inputs_embeds": {"shape": [2, 9, 32], "lo": -1.0, "hi": 1.0}}),
    Switch("DetrForSegmentation", "masked_segments", inputs=masked(2, 96, 64, (96, 64), (64, 40))),
]
TABLE = [
    Switch("TableTransformerModel", "masked", {"auxiliary_loss": True}, inputs=masked(2, 97, 70, (97, 40), (50, 70))),
    Switch("TableTransformerModel", "learned", {"position_embedding_type": "learned"}, inputs=unmasked(1, 70, 97)),
]
CONDITIONAL = [
    Switch("ConditionalDetrModel", "unmasked", {"auxiliary_loss": True}, inputs=unmasked(1, 70, 97)),
    Switch("ConditionalDetrForObjectDetection", "learned", {"position_embedding_type": "learned"}, inputs=unmasked(2, 64, 97)),
]
DAB = [
    Switch("DabDetrModel", "patterns", {"num_patterns": 3, "keep_query_pos": True, "sine_position_embedding_scale": 5.5},
           inputs=masked(2, 97, 70, (97, 40), (50, 70))),
    Switch("DabDetrForObjectDetection", "normed", {"normalize_before": True, "activation_function": "gelu", "temperature_width": 10},
           inputs=unmasked(1, 70, 97)),
]
DEFORMABLE = [
    Switch("DeformableDetrModel", "learned", {"position_embedding_type": "learned", "num_feature_levels": 5},
           inputs=masked(2, 97, 70, (97, 40), (50, 70))),
    Switch("DeformableDetrForObjectDetection", "refined", {"with_box_refine": True}, inputs=unmasked(1, 70, 97)),
    Switch("DeformableDetrForObjectDetection", "two_stage", {"with_box_refine": True, "two_stage": True, "two_stage_num_proposals": 9},
           inputs=masked(2, 97, 70, (97, 40), (50, 70))),
    Switch("DeformableDetrModel", "one_level", {"num_feature_levels": 1, "backbone_config": {"out_features": ["stage4"], **MAPS}},
           inputs=unmasked(2, 64, 97)),
]
RT = [
    Switch("RTDetrModel", "no_places", {"eval_size": 64, "normalize_before": True, "encode_proj_layers": [2, 1]},
           inputs=image(2, 3, 64, 96)),
    Switch("RTDetrForObjectDetection", "more_levels", {"num_feature_levels": 5, "hidden_expansion": 0.5, "encoder_layers": 0},
           inputs=image(1, 3, 96, 64)),
    Switch("RTDetrForObjectDetection", "anchors", {"anchor_image_size": [64, 96], "decoder_activation_function": "gelu"},
           inputs=image(1, 3, 64, 96)),
]
RT_V2 = [
    Switch("RTDetrV2ForObjectDetection", "discrete", {"decoder_method": "discrete", "decoder_offset_scale": 0.8}, inputs=image(2, 3, 64, 96)),
]
RT_RESNET = [
    Switch("RTDetrResNetBackbone", "basic", {"layer_type": "basic", "hidden_sizes": [64, 80, 80, 96], "depths": [2, 1, 2, 1],
           "out_features": ["stem", "stage4"], **MAPS}, inputs=image(1, 3, 45, 38)),
    Switch("RTDetrResNetBackbone", "early", {"downsample_in_bottleneck": True, "downsample_in_first_stage": True, "hidden_act": "silu"},
           inputs=image(2, 3, 45, 64)),
]
D_FINE = [
    Switch("DFineForObjectDetection", "one_count", {"decoder_n_points": 3, "depth_mult": 1.0, "max_num_bins": 8, "decoder_method": "discrete",
           "top_prob_values": 2}, inputs=image(1, 3, 64, 96)),
    Switch("DFineModel", "wider", {"encoder_hidden_dim": 24, "decoder_in_channels": [24, 24, 24]}, inputs=image(2, 3, 64, 64)),
]
HGNET = [
    Switch("HGNetV2ForImageClassification", "affine", {"use_learnable_affine_block": True, "hidden_act": "silu", "stage_kernel_size": [3, 5, 3, 3]},
           inputs=image(1, 3, 61, 47)),
]
LW = [
    Switch("LwDetrModel", "one_scale", {"projector_scale_factors": [1.0], "attention_bias": False, "num_feature_levels": 1,
           "projector_in_channels": ABSENT, "projector_out_channels": ABSENT}, inputs=masked(2, 128, 64, (128, 40), (70, 64))),
    Switch("LwDetrForObjectDetection", "wide", {"backbone_config": {"hidden_size": 516, "num_attention_heads": 4, "mlp_ratio": 1}},
           inputs=unmasked(1, 64, 64)),
]
RF = [
    Switch("RfDetrForInstanceSegmentation", "masked", {"attention_bias": False, "mask_downsample_ratio": 3,
           "segmentation_head_activation_function": "relu"}, inputs=masked(2, 96, 64, (96, 40), (70, 64))),
]
RF_VIT = [
    Switch("RfDetrDinov2Backbone", "gated", {"use_swiglu_ffn": True, "apply_layernorm": False, "num_windows": 1}, inputs=image(2, 3, 24, 32)),
    Switch("RfDetrDinov2Backbone", "tokens", {"reshape_hidden_states": False, "qkv_bias": False, "window_block_indexes": ABSENT,
           "out_features": ["stem", "stage1"], **MAPS}, inputs=image(1, 3, 24, 16)),
]
VITDET = [
    Switch("VitDetModel", "windows", {"window_size": 4, "window_block_indices": [0], "use_relative_position_embeddings": True,
           "residual_block_indices": [1]}, inputs=image(2, 3, 30, 22)),
]
VITPOSE = [
    Switch("VitPoseForPoseEstimation", "flipped", {"use_simple_decoder": False, "num_labels": 5},
           inputs={"flip_pairs": {"values": [[0, 3], [1, 2]]}}),
]
VITPOSE_BACKBONE = [
    Switch("VitPoseBackbone", "experts", {"num_experts": 3, "part_features": 10, "out_features": ["stem", "stage1"], **MAPS},
           inputs={"dataset_index": {"values": [2, 0]}}),
]
UPERNET = [
    Switch("UperNetForSemanticSegmentation", "one_map", {"use_auxiliary_head": False, "pool_scales": [2, 3],
           "backbone_config": {"out_features": ["stage3"], **MAPS}}, inputs=image(1, 3, 45, 64)),
    Switch("UperNetForSemanticSegmentation", "four_maps", {"auxiliary_in_channels": None, "backbone_config": {"out_features": ["stage1", "stage2", "stage3", "stage4"], **MAPS}},
           inputs=image(1, 3, 64, 70)),
]
DPT = [
    Switch("DPTForDepthEstimation", "ignored", {"readout_type": "ignore", "add_projection": True, "fusion_hidden_size": 256,
           "use_batch_norm_in_fusion_residual": True}, inputs=image(1, 3, 48, 48)),
    Switch("DPTForDepthEstimation", "backbone", {"backbone_out_indices": ABSENT, "backbone_config": {"model_type": "dinov2", "hidden_size": 32,
           "num_attention_heads": 4, "num_hidden_layers": 2, "image_size": 32, "patch_size": 16, "reshape_hidden_states": False,
           "out_features": ["stage1", "stage2"]}}, inputs=image(1, 3, 32, 64)),
    Switch("DPTForDepthEstimation", "hybrid", {"is_hybrid": True, "neck_ignore_stages": [0, 1], "neck_hidden_sizes": [16, 24, 32],
           "backbone_out_indices": [0, 0, 1], "backbone_featmap_shape": [1, 32, 2, 2], "reassemble_factors": [1, 1, 1],
           "backbone_config": {"model_type": "bit", "embedding_size": 16, "hidden_sizes": [16, 24, 32], "depths": [1, 1, 1],
           "layer_type": "bottleneck", "global_padding": "same", "embedding_dynamic_padding": True, "num_groups": 4,
           "out_features": ["stage1", "stage2", "stage3"]}}),
]
DEPTH_ANYTHING = [
    Switch("DepthAnythingForDepthEstimation", "metric", {"depth_estimation_type": "metric", "max_depth": 80, "head_in_index": 0},
           inputs=image(2, 3, 48, 33)),
]
PROMPT = [
    Switch("PromptDepthAnythingForDepthEstimation", "unprompted", {"depth_estimation_type": "metric"},
           inputs={**image(2, 3, 48, 33), "prompt_depth": None}),
]
BINS = [{"name": "nyu", "n_bins": 16, "min_depth": 0.001, "max_depth": 10.0}, {"name": "kitti", "n_bins": 20, "min_depth": 0.001, "max_depth": 80.0}]
ZOE = [
    Switch("ZoeDepthForDepthEstimation", "normed", {"bin_centers_type": "normed", "attractor_kind": "sum", "add_projection": False},
           inputs=image(1, 3, 48, 33)),
    Switch("ZoeDepthForDepthEstimation", "two_domains", {"bin_configurations": BINS, "num_patch_transformer_layers": 4, "bin_embedding_dim": 16,
           "patch_transformer_hidden_size": 128, "patch_transformer_intermediate_size": 30, "patch_transformer_num_attention_heads": 4},
           inputs=image(2, 3, 32, 48)),
]
# "a cat. two red dogs? a" with padding, a row that begins and ends with what ends phrases, and tokens of none.
PHRASES = {"input_ids": {"values": [[101, 1037, 4937, 1012, 2048, 2417, 6077, 1029, 1037, 102, 0, 0],
                                    [1012, 1037, 1029, 1029, 4937, 102, 2048, 1012, 6077, 2417, 2417, 102]]},
           "attention_mask": {"values": [[1] * 10 + [0] * 2, [1] * 12]},
           "token_type_ids": {"values": [[0] * 8 + [1] * 4, [1] * 12]}}
LONGER = {"max_text_len": 15, "text_config": {"max_position_embeddings": 16}}
GROUNDING = [
    Switch("GroundingDinoForObjectDetection", "phrases", LONGER, inputs={**masked(2, 64, 96, (64, 96), (40, 70)), **PHRASES}),
    Switch("GroundingDinoModel", "learned", {"position_embedding_type": "learned", "num_queries": 5},
           inputs={**unmasked(2, 64, 96), **PHRASES}),
]
MM_GROUNDING = [
    Switch("MMGroundingDinoForObjectDetection", "phrases", {**LONGER, "decoder_bbox_embed_share": False, "decoder_cls_embed_share": False},
           inputs={**masked(2, 64, 96, (64, 96), (40, 70)), **PHRASES}),
]
PRO = [
    Switch("DepthProForDepthEstimation", "view", {"use_fov_model": True, "merge_padding_value": 1}),
]

DETECTIONS = {"detr": DETR, "table-transformer": TABLE, "conditional_detr": CONDITIONAL, "dab-detr": DAB, "deformable_detr": DEFORMABLE,
              "rt_detr": RT, "rt_detr_v2": RT_V2, "rt_detr_resnet": RT_RESNET, "d_fine": D_FINE, "hgnet_v2": HGNET, "lw_detr": LW,
              "rf_detr": RF, "rf_detr_dinov2": RF_VIT}
DETECTIONS |= {"vitdet": VITDET, "vitpose": VITPOSE, "vitpose_backbone": VITPOSE_BACKBONE, "upernet": UPERNET, "dpt": DPT,
               "depth_anything": DEPTH_ANYTHING, "prompt_depth_anything": PROMPT, "zoedepth": ZOE, "depth_pro": PRO,
               "grounding-dino": GROUNDING, "mm-grounding-dino": MM_GROUNDING,
               "vitmatte": [half("VitMatteForImageMatting")], "glpn": [half("GLPNModel")]}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
DETECTIONS_KEPT = {"detr": "masked tokens", "table-transformer": "masked", "dab-detr": "patterns", "deformable_detr": "two_stage learned",
                   "rt_detr": "anchors", "rt_detr_v2": "discrete", "rt_detr_resnet": "basic", "rf_detr_dinov2": "gated tokens",
                   "vitdet": "windows", "vitpose": "flipped", "vitpose_backbone": "experts", "upernet": "one_map", "dpt": "ignored hybrid",
                   "zoedepth": "two_domains", "depth_pro": "view", "grounding-dino": "phrases learned", "mm-grounding-dino": "phrases"}
