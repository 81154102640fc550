"""Switches of younger models that read images: see `switch_table.py`. Each case turns what the class reads and no size would
show."""

from pyramid_switches import MAPS, half, image
from switches import ABSENT, Switch
from vit_switches import masked

D = "DINOv3ViTModel"
DINOV3_VIT = [
    Switch(D, "gated", {"use_gated_mlp": True, "mlp_bias": False, "key_bias": True, "query_bias": False, "proj_bias": False,
           "value_bias": False, "hidden_act": "silu", "intermediate_size": 24}, inputs=image(1, 3, 12, 16)),
    Switch(D, "masked", {"patch_size": 5, "image_size": 25}, inputs={**image(2, 3, 25, 25), **masked(
           [[0, 1, 0, 0, 1, 1, 0, 1, 0, 0] * 2 + [1] * 5, [1, 0, 1, 0, 1, 0, 0, 1, 0, 0] * 2 + [1] * 5])}),
    Switch(D, "wide_patches", {"patch_size": [4, 5], "image_size": [16, 30], "rope_theta": 10.0},
           inputs=image(1, 3, 17, 29)),
    Switch(D, "defaults", {k: ABSENT for k in ("apply_layernorm", "hidden_act", "key_bias", "layer_norm_eps", "mlp_bias",
           "proj_bias", "query_bias", "reshape_hidden_states", "rope_theta", "use_gated_mlp", "value_bias",
           "num_channels")}, raw=True, inputs=image(1, 3, 8, 12)),
    Switch("DINOv3ViTBackbone", "tokens", {"reshape_hidden_states": False, "apply_layernorm": False, "return_class_token": True,
           "out_features": ["stage1", "stage2"], **MAPS}, inputs=image(2, 3, 8, 12)),
    Switch("DINOv3ViTBackbone", "last", {"out_features": ABSENT, **MAPS}, inputs=image(1, 3, 8, 8)),
    half(D),
]
DINOV3_CONVNEXT = [
    Switch("DINOv3ConvNextModel", "odd", {"hidden_act": "gelu_new", "layer_norm_eps": 0.1, "num_channels": 1}, inputs=image(1, 1, 37, 71)),
    Switch("DINOv3ConvNextBackbone", "stem", {"out_features": ["stem", "stage1", "stage3"], **MAPS}, inputs=image(1, 3, 36, 34)),
    Switch("DINOv3ConvNextModel", "two_stages", {"depths": [1, 2], "hidden_sizes": [8, 12], "out_features": ABSENT, **MAPS},
           inputs=image(2, 3, 24, 24)),
    half("DINOv3ConvNextModel"),
]
HIERA_SMALL = {"depths": [2, 1], "num_heads": [1, 2], "masked_unit_attention": [False, True], "num_query_pool": 1,
               "masked_unit_size": [2, 4], "image_size": [16, 32], "out_features": ABSENT, **MAPS}
HIERA = [
    Switch("HieraModel", "two_stages", HIERA_SMALL, inputs=image(2, 3, 16, 32)),
    Switch("HieraModel", "same_width", {**HIERA_SMALL, "embed_dim_multiplier": 3, "mlp_ratio": 1.7, "hidden_act": "relu",
           "layer_norm_eps": 0.1, "masked_unit_attention": [True, False]}, inputs=image(1, 3, 16, 32)),
    Switch("HieraModel", "few_pools", {"num_query_pool": 1, "depths": [1, 1, 1], "num_heads": [1, 1, 1], "embed_dim_multiplier": 1.5,
           "masked_unit_attention": [True, True, False], "out_features": ABSENT, **MAPS}, inputs=image(1, 3, 64, 64)),
    Switch("HieraModel", "defaults", {k: ABSENT for k in ("hidden_act", "layer_norm_eps", "masked_unit_attention", "masked_unit_size",
           "num_channels", "num_query_pool", "patch_padding", "patch_size", "patch_stride", "query_stride", "embed_dim_multiplier",
           "mask_ratio")}, raw=True, inputs=image(1, 3, 64, 64)),
    Switch("HieraForImageClassification", "wide", {**HIERA_SMALL, "query_stride": [1, 2], "num_labels": 5}, inputs=image(1, 3, 16, 32)),
    Switch("HieraForPreTraining", "wide", {**HIERA_SMALL, "masked_unit_size": [2, 2], "mask_ratio": 0.3, "decoder_depth": 2, "decoder_hidden_size": 6,
           "decoder_num_heads": 3}, inputs={**image(2, 3, 16, 32), "noise": {"shape": [2, 8], "lo": 0.0, "hi": 1.0}}),
    Switch("HieraBackbone", "all", {"out_features": ["stem", "stage1", "stage3"], **MAPS}, inputs=image(1, 3, 64, 64)),
    half("HieraModel"),
]
F = "FocalNetModel"
FOCALNET = [
    Switch(F, "convolved", {"use_conv_embed": True, "image_size": 64, "patch_size": 4}, inputs=image(2, 3, 61, 66)),
    Switch(F, "after", {"use_post_layernorm": True, "use_layerscale": True, "normalize_modulator": True,
           "use_post_layernorm_in_modulation": True, "hidden_act": "relu", "mlp_ratio": 1.7, "layer_norm_eps": 0.1}, inputs=image(1, 3, 33, 40)),
    Switch(F, "levels", {"focal_levels": [3, 0, 1], "focal_windows": [5, 3, 7], "patch_size": [2, 3], "image_size": [32, 48]},
           inputs=image(1, 3, 32, 48)),
    Switch(F, "defaults", {k: ABSENT for k in ("encoder_stride", "focal_levels", "focal_windows", "hidden_act", "layer_norm_eps",
           "mlp_ratio", "normalize_modulator", "num_channels", "use_conv_embed", "use_layerscale", "use_post_layernorm",
           "use_post_layernorm_in_modulation", "hidden_sizes")}, raw=True, inputs=image(1, 3, 32, 32)),
    Switch("FocalNetForMaskedImageModeling", "masked", inputs={**image(2, 3, 32, 32), "bool_masked_pos": {
           "shape": [2, 256], "ids": [0, 2], "dtype": "BOOL"}}),
    Switch("FocalNetBackbone", "stem", {"out_features": ["stem", "stage3"], **MAPS}, inputs=image(1, 3, 36, 34)),
    half(F),
]
PVT = [
    Switch("PvtModel", "two_stages", {"num_encoder_blocks": 2, "depths": [1, 2], "hidden_sizes": [8, 12], "patch_sizes": [4, 2],
           "strides": [4, 2], "num_attention_heads": [2, 3], "sequence_reduction_ratios": [2, 1], "mlp_ratios": [2, 3],
           "qkv_bias": False, "hidden_act": "relu", "layer_norm_eps": 0.1}, inputs=image(2, 3, 64, 64)),
    Switch("PvtModel", "oblong", inputs=image(1, 3, 32, 128)),
    Switch("PvtForImageClassification", "defaults", {k: ABSENT for k in ("hidden_act", "layer_norm_eps", "mlp_ratios", "num_channels",
           "num_labels", "patch_sizes", "qkv_bias", "sequence_reduction_ratios", "strides", "num_encoder_blocks", "id2label",
           "label2id")}, raw=True, inputs=image(1, 3, 64, 64)),
    half("PvtModel"),
]
PVT_V2 = [
    Switch("PvtV2Model", "linear", {"linear_attention": True, "hidden_act": "relu", "qkv_bias": False}, inputs=image(2, 3, 70, 64)),
    Switch("PvtV2Model", "odd", {"patch_sizes": [5, 4, 2, 3], "strides": [3, 2, 1, 2], "sr_ratios": [3, 2, 2, 1], "layer_norm_eps": 0.1},
           inputs=image(1, 3, 77, 68)),
    Switch("PvtV2Model", "defaults", {k: ABSENT for k in ("hidden_act", "layer_norm_eps", "linear_attention", "mlp_ratios",
           "num_channels", "num_encoder_blocks", "patch_sizes", "qkv_bias", "sr_ratios", "strides", "depths")}, raw=True,
           inputs=image(1, 3, 64, 64)),
    Switch("PvtV2Backbone", "first", {"out_features": ["stage1", "stage3"], **MAPS}, inputs=image(1, 3, 64, 64)),
    Switch("PvtV2Backbone", "indices", {"out_features": ABSENT, "stage_names": ABSENT, "out_indices": [1, -1]}, raw=True,
           inputs=image(1, 3, 64, 64)),
    half("PvtV2Model"),
]
CVT = [
    Switch("CvtModel", "no_token", {"cls_token": [False, False, False], "stride_kv": [3, 1, 2], "padding_kv": [2, 1, 0], "depth": [1, 2, 3],
           "mlp_ratio": [1.7, 2.0, 3.0], "qkv_bias": [False, True, False]}, inputs=image(1, 3, 45, 66)),
    Switch("CvtModel", "tokens", {"cls_token": [True, False, True], "embed_dim": [12, 18, 12], "depth": [2, 2, 3], "kernel_qkv": [5, 3, 3],
           "padding_q": [2, 1, 1], "padding_kv": [2, 1, 1]}, inputs=image(1, 3, 40, 48)),
    Switch("CvtModel", "defaults", {k: ABSENT for k in ("cls_token", "kernel_qkv", "mlp_ratio", "num_channels", "padding_kv", "padding_q",
           "patch_padding", "patch_sizes", "patch_stride", "qkv_bias", "qkv_projection_method", "stride_kv", "stride_q")},
           raw=True, inputs=image(1, 3, 32, 32)),
    half("CvtModel", depth=[1, 2, 3]),
]
LEVIT_SMALL = {"depths": [1, 1, 1], "down_ops": ABSENT}
LEVIT = [
    Switch("LevitModel", "no_mlp", {**LEVIT_SMALL, "mlp_ratio": [0, 1, 2], "attention_ratio": [1, 3, 2], "key_dim": [4, 5, 6]}),
    Switch("LevitModel", "down_ops", {"depths": [1, 1, 1], "down_ops": [["Subsample", 5, 3, 2, 0, 3], ["Subsample", 4, 2, 1, 3, 2]],
           "image_size": 112}, inputs=image(1, 3, 112, 112)),
    Switch("LevitModel", "odd", {**LEVIT_SMALL, "kernel_size": 5, "padding": 2, "image_size": 80, "num_channels": 1}, inputs=image(1, 1, 80, 80)),
    Switch("LevitForImageClassificationWithTeacher", "defaults", {"depths": [1, 1, 1], **{k: ABSENT for k in ("attention_ratio", "down_ops",
           "kernel_size", "mlp_ratio", "num_channels", "padding", "patch_size", "stride")}}, raw=True),
    half("LevitModel", **LEVIT_SMALL),
]

HGNET_SMALL = {"stage_in_channels": [8, 12], "stage_mid_channels": [5, 6], "stage_out_channels": [12, 14], "stage_num_blocks": [1, 2],
               "stage_downsample": [True, False], "stage_light_block": [True, False], "stage_kernel_size": [5, 3],
               "stage_numb_of_layers": [2, 1], "stage_downsample_strides": [2, 2], "hidden_sizes": [12, 14], "depths": [1, 1],
               "stem_channels": [3, 6, 8], "out_features": ABSENT, **MAPS}
HGNET_V2 = [
    Switch("HGNetV2ForImageClassification", "affine", {**HGNET_SMALL, "use_learnable_affine_block": True, "hidden_act": "silu",
           "stem_strides": [1, 1, 1, 2, 2]}, inputs=image(1, 3, 33, 40)),
    Switch("HGNetV2Backbone", "stem", {**HGNET_SMALL, "out_features": ["stem", "stage2"]}, inputs=image(1, 3, 36, 34)),
    half("HGNetV2ForImageClassification", **HGNET_SMALL),
]
TEXTNET = [
    Switch("TextNetModel", "odd", {"stem_act_func": "silu", "stem_kernel_size": 5, "stem_stride": 1, "conv_layer_kernel_sizes":
           [[[3, 3], [1, 3]], [[3, 1]], [[5, 3]], [[1, 1]]], "conv_layer_strides": [[2, 1], [1], [2], [1]]}, inputs=image(1, 3, 33, 40)),
    Switch("TextNetBackbone", "stem", {"out_features": ["stem", "stage3"], **MAPS}, inputs=image(1, 3, 36, 34)),
    Switch("TextNetForImageClassification", "defaults", {"hidden_sizes": [8, 8, 12, 12, 16], "stem_out_channels": 8, **{k: ABSENT for k in (
           "batch_norm_eps", "conv_layer_kernel_sizes", "conv_layer_strides", "stem_act_func", "stem_kernel_size", "stem_num_channels",
           "stem_stride", "depths", "stage_names", "out_features", "out_indices")}}, raw=True, inputs=image(2, 3, 33, 40)),
    half("TextNetModel"),
]
STAGES = [[[3, 16, 24, [2, 1], True]], [[3, 24, 24, 1, False]], [[5, 24, 16, 2, False]], [[3, 16, 16, 1, True]], [[3, 16, 16, 1, False]]]
PP_LCNET = [
    Switch("PPLCNetBackbone", "odd", {"block_configs": STAGES, "scale": 0.7, "divisor": 4, "reduction": 3, "hidden_act": "relu", "stem_stride": 1,
           "depths": ABSENT, "out_features": ["stem", "stage1", "stage5"], **MAPS}, inputs=image(1, 3, 33, 40)),
    Switch("PPLCNetForImageClassification", "no_dropout", {"block_configs": STAGES, "hidden_dropout_prob": 0.0, "class_expand": 30,
           "depths": ABSENT}, inputs=image(2, 3, 33, 40)),
    half("PPLCNetForImageClassification", block_configs=STAGES, class_expand=30),
]
PP_LCNET_V3 = [
    Switch("PPLCNetV3Backbone", "odd", {"block_configs": STAGES, "scale": 0.7, "conv_symmetric_num": 1, "hidden_act": "relu", "depths": ABSENT,
           "out_features": ["stem", "stage1", "stage5"], **MAPS}, inputs=image(1, 3, 33, 40)),
    Switch("PPLCNetV3Backbone", "no_branches", {"block_configs": [[[3, 16, 16, 1, False]]] + STAGES[3:] + STAGES[3:], "conv_symmetric_num": 0,
           "depths": ABSENT, "out_features": ["stage5"], **MAPS}, inputs=image(1, 3, 33, 40)),
]
PP_LCNET_V4 = [
    Switch("PPLCNetV4Backbone", "large", {"block_configs": STAGES[:4], "stem_channels": [3, 6, 16], "stem_type": "large", "hidden_act": "silu",
           "use_learnable_affine_block": True, "stem_strides": [1, 1, 1, 2, 1], "depths": ABSENT, "out_features": ["stem", "stage4"], **MAPS},
           inputs=image(1, 3, 33, 40)),
    Switch("PPLCNetV4Backbone", "half", {"block_configs": STAGES[:4]}, inputs=image(1, 3, 32, 32), weights="F16"),
]
MOBILEVITV2 = [
    Switch("MobileViTV2Model", "left_over", {"patch_size": 3, "conv_kernel_size": 5, "expand_ratio": 1.3, "ffn_multiplier": 1, "hidden_act": "relu",
           "layer_norm_eps": 0.1, "base_attn_unit_dims": [64, 72, 80]}, inputs=image(1, 3, 90, 74)),
    Switch("MobileViTV2ForSemanticSegmentation", "stride_8", {"output_stride": 8, "atrous_rates": [1, 2, 3], "aspp_out_channels": 12,
           "num_labels": 4}, inputs=image(1, 3, 70, 64)),
    Switch("MobileViTV2ForSemanticSegmentation", "stride_16", {"output_stride": 16, "n_attn_blocks": [0, 1, 1]}, inputs=image(2, 3, 64, 48)),
    half("MobileViTV2Model"),
]
SWIFTFORMER = [
    Switch("SwiftFormerModel", "unscaled", {"use_layer_scale": False, "depths": [2, 1, 3], "embed_dims": [10, 10, 12], "downsamples": [False, True,
           False], "hidden_act": "relu", "mlp_ratio": 2, "batch_norm_eps": 0.1}, inputs=image(1, 3, 37, 70), kwargs={"output_hidden_states": True}),
    Switch("SwiftFormerModel", "wide_patches", {"down_patch_size": [3, 5], "down_stride": 1, "down_pad": 2}, inputs=image(1, 3, 40, 40)),
    Switch("SwiftFormerForImageClassification", "one_channel", {"num_channels": 1, "num_labels": 5}, inputs=image(2, 1, 32, 48)),
    half("SwiftFormerModel"),
]
I = "ImageGPTForCausalImageModeling"
GIVEN = {"encoder_hidden_states": {"shape": [2, 5, 32], "lo": -1.0, "hi": 1.0}, "token_type_ids": None}
IMAGEGPT = [
    Switch(I, "scaled", {"scale_attn_by_inverse_layer_idx": True, "scale_attn_weights": False, "activation_function": "relu", "n_inner": None}),
    Switch(I, "upcast", {"reorder_and_upcast_attn": True, "scale_attn_by_inverse_layer_idx": True}),
    Switch(I, "masked", inputs={"token_type_ids": None, "attention_mask": {"values": [[1] * 7, [1] * 4 + [0] * 3]}}),
    Switch(I, "positions", inputs={"token_type_ids": None, "position_ids": {"values": [[6, 5, 4, 3, 2, 1, 0], [0, 1, 0, 1, 2, 3, 4]]}}),
    Switch("ImageGPTModel", "embeds", inputs={"input_ids": None, "token_type_ids": None, "inputs_embeds": {"shape": [2, 7, 32], "lo": -1.0, "hi": 1.0}}),
    Switch("ImageGPTModel", "crossed", {"add_cross_attention": True}, inputs=GIVEN),
    Switch("ImageGPTForImageClassification", "masked", {"num_labels": 5}, inputs={"token_type_ids": None, "attention_mask": {"values": [[1] * 7,
           [1] * 4 + [0] * 3]}}),
    Switch(I, "defaults", {k: ABSENT for k in ("activation_function", "add_cross_attention", "layer_norm_epsilon", "n_inner",
           "reorder_and_upcast_attn", "scale_attn_by_inverse_layer_idx", "scale_attn_weights", "tie_word_embeddings")}, raw=True),
]
E = "EomtForUniversalSegmentation"
EOMT_SMALL = {"patch_size": 5, "num_register_tokens": 3}
EOMT = [
    Switch(E, "gated", {**EOMT_SMALL, "use_swiglu_ffn": True, "num_blocks": 2, "num_upscale_blocks": 1, "hidden_act": "relu", "layer_norm_eps": 0.1}),
    Switch(E, "defaults", {**EOMT_SMALL, **{k: ABSENT for k in ("hidden_act", "layer_norm_eps", "mlp_ratio", "num_channels", "num_upscale_blocks",
           "use_swiglu_ffn")}}, raw=True),
]
EOMT_DINOV3 = [
    Switch("EomtDinov3ForUniversalSegmentation", "gated", {**EOMT_SMALL, "use_gated_mlp": True, "intermediate_size": 20, "num_blocks": 2,
           "mlp_bias": False, "key_bias": True, "query_bias": False, "proj_bias": False, "value_bias": False, "hidden_act": "silu"}),
    Switch("EomtDinov3ForUniversalSegmentation", "defaults", {**EOMT_SMALL, "intermediate_size": 20, **{k: ABSENT for k in ("hidden_act", "key_bias",
           "layer_norm_eps", "mlp_bias", "num_channels", "num_upscale_blocks", "proj_bias", "query_bias", "rope_parameters", "use_gated_mlp",
           "value_bias")}}, raw=True),
]
C = "CHMv2ForDepthEstimation"
CHMV2_SMALL = {"backbone_config": {"num_register_tokens": 2}}
CHMV2 = [
    Switch(C, "one_bin", {**CHMV2_SMALL, "number_output_channels": 1, "readout_type": "add"}, inputs=image(2, 3, 48, 32)),
    Switch(C, "linear", {**CHMV2_SMALL, "bins_strategy": "linear", "norm_strategy": "linear", "reassemble_factors": [1, 0.5], "min_depth": 0.0},
           inputs=image(1, 3, 48, 32)),
    Switch(C, "log", {**CHMV2_SMALL, "bins_strategy": "log", "norm_strategy": "softmax", "reassemble_factors": [2, 0.25]}, inputs=image(1, 3, 64, 64)),
    Switch(C, "sigmoid", {**CHMV2_SMALL, "norm_strategy": "sigmoid", "readout_type": "ignore", "max_depth": 10.0}, inputs=image(1, 3, 32, 32)),
]
PIXIO = [
    Switch("PixioModel", "resized", {"n_cls_tokens": 3, "qkv_bias": False, "patch_size": 5, "hidden_act": "relu", "mlp_ratio": 2},
           inputs=image(1, 3, 35, 22)),
    Switch("PixioModel", "defaults", {"hidden_size": 32, **{k: ABSENT for k in ("hidden_act", "layer_norm_eps", "mlp_ratio", "n_cls_tokens", "num_channels",
           "qkv_bias")}}, raw=True, inputs=image(1, 3, 30, 30)),
    Switch("PixioBackbone", "tokens", {"reshape_hidden_states": False, "apply_layernorm": False, "patch_size": 5, "n_cls_tokens": 2,
           "out_features": ["stem", "stage1"], **MAPS}, inputs=image(2, 3, 30, 30)),
    half("PixioModel", patch_size=5),
]
G = "MgpstrForSceneTextRecognition"
MGP_STR = [
    Switch(G, "attentions", {"image_size": [16, 24], "qkv_bias": False, "mlp_ratio": 1.7, "layer_norm_eps": 0.1}, inputs=image(2, 3, 16, 24),
           kwargs={"output_a3_attentions": 1}),
    Switch("MgpstrModel", "wide_patches", {"image_size": [16, 24], "patch_size": [4, 6]}, inputs=image(1, 3, 16, 24)),
    Switch(G, "half", {"image_size": [16, 24]}, inputs=image(1, 3, 16, 24), weights="F16"),
]
RADIO = [
    Switch("RadioModel", "oblong", {"summary_idxs": [1], "qkv_bias": False, "hidden_act": "relu"}, inputs=image(2, 3, 20, 44)),
    Switch("RadioModel", "gated", {"use_swiglu_ffn": True, "mlp_ratio": 1.5, "layer_norm_eps": 0.1}, inputs=image(1, 3, 32, 32)),
    Switch("RadioModel", "defaults", {k: ABSENT for k in ("hidden_act", "layer_norm_eps", "layerscale_value", "norm_mean", "norm_std", "num_channels",
           "qkv_bias", "summary_idxs", "use_swiglu_ffn")}, raw=True, inputs=image(1, 3, 32, 32)),
]
MLCD_VISION_MODEL = [
    Switch("MLCDVisionModel", "oblong", {"patch_size": 5, "hidden_act": "quick_gelu", "layer_norm_eps": 0.1, "rope_parameters": {"rope_theta": 50.0}},
           inputs=image(2, 3, 20, 33)),
    Switch("MLCDVisionModel", "defaults", {"patch_size": 5, **{k: ABSENT for k in ("hidden_act", "layer_norm_eps", "num_channels",
           "num_key_value_groups", "rope_parameters")}}, raw=True, inputs=image(1, 3, 30, 30)),
    half("MLCDVisionModel", patch_size=5),
]
AIMV2_VISION_MODEL = [
    Switch("Aimv2VisionModel", "native", {"is_native": True, "patch_size": 5, "qkv_bias": True, "mlp_bias": True, "hidden_act": "gelu"},
           inputs=image(2, 3, 20, 33)),
    Switch("Aimv2VisionModel", "no_head", {"use_head": False, "patch_size": 5, "rms_norm_eps": 0.1}, inputs=image(1, 3, 30, 30)),
    Switch("Aimv2VisionModel", "defaults", {"patch_size": 5, **{k: ABSENT for k in ("hidden_act", "is_native", "mlp_bias", "num_channels", "qkv_bias",
           "rms_norm_eps", "use_head")}}, raw=True, inputs=image(1, 3, 30, 30)),
]
AIMV2_TEXT_MODEL = [
    Switch("Aimv2TextModel", "unmasked", {"eos_token_id": 5, "qkv_bias": True, "mlp_bias": True},
           inputs={"input_ids": {"values": [[7, 8, 9, 5, 5, 1, 2], [5, 9, 9, 9, 9, 9, 9]]}}, mask=None),
    Switch("Aimv2TextModel", "left", {"hidden_act": "gelu"}, mask="left"),
    Switch("Aimv2TextModel", "defaults", {k: ABSENT for k in ("hidden_act", "eos_token_id", "mlp_bias", "qkv_bias", "rms_norm_eps")}, raw=True),
]
AIMV2 = [Switch("Aimv2Model", "clamped", {"max_logit_scale": 3.0, "projection_dim": 9, "vision_config": {"patch_size": 5}}, inputs=image(2, 3, 30, 30))]

POINTS = {"input_points": {"shape": [2, 2, 3, 2], "lo": 0.0, "hi": 24.0}}
LABELS = {"input_labels": {"values": [[[1, 0, 1], [0, -10, 1]], [[1, 1, -1], [0, 0, 1]]]}}
BOXES = {"input_boxes": {"shape": [2, 2, 4], "lo": 0.0, "hi": 24.0}}


def sam(architecture: str, **config) -> list[Switch]:
    """Prompts of each kind, and images in windows."""
    return [
        Switch(architecture, "points", config, inputs={**image(2, 3, 24, 24), **POINTS, **LABELS}),
        Switch(architecture, "unlabelled", config, inputs={**image(2, 3, 24, 24), **POINTS}, kwargs={"multimask_output": 0}),
        Switch(architecture, "boxes", config, inputs={**image(2, 3, 24, 24), **BOXES}),
        Switch(architecture, "all", {**config, "vision_config": {"window_size": 5, "num_hidden_layers": 3, "global_attn_indexes": [1],
               "use_abs_pos": False}}, inputs={**image(2, 3, 24, 24), **POINTS, **LABELS, **BOXES, "input_masks": {
               "shape": [2, 1, 48, 48], "lo": -1.0, "hi": 1.0}}),
    ]


SAM, SAM_HQ = sam("SamModel"), sam("SamHQModel", mask_decoder_config={"num_hidden_layers": 2})
SWIN2SR = [
    Switch("Swin2SRForImageSuperResolution", "aux", {"upsampler": "pixelshuffle_aux", "num_channels_out": 3, "window_size": 4, "upscale": 4,
           "img_range": 2.0, "resi_connection": "3conv"}, inputs=image(1, 3, 8, 12)),
    Switch("Swin2SRForImageSuperResolution", "direct", {"upsampler": "pixelshuffledirect", "upscale": 3, "qkv_bias": False}, inputs=image(1, 3, 6, 8)),
    Switch("Swin2SRForImageSuperResolution", "nearest", {"upsampler": "nearest+conv", "upscale": 4, "image_size": 2}, inputs=image(1, 3, 6, 8)),
    Switch("Swin2SRForImageSuperResolution", "same_size", {"upsampler": "", "upscale": 1, "num_channels_out": 3}, inputs=image(1, 3, 6, 8)),
]
SEGGPT = [
    Switch("SegGptForImageSegmentation", "masked", {"use_relative_position_embeddings": False, "qkv_bias": False, "num_hidden_layers": 3,
           "merge_index": 1, "intermediate_hidden_state_indices": [1, 2], "hidden_act": "relu"}),
]

VISION = {"dinov3_vit": DINOV3_VIT, "dinov3_convnext": DINOV3_CONVNEXT, "hiera": HIERA, "focalnet": FOCALNET, "pvt": PVT,
          "pvt_v2": PVT_V2, "cvt": CVT, "levit": LEVIT, "hgnet_v2": HGNET_V2, "textnet": TEXTNET, "pp_lcnet": PP_LCNET,
          "pp_lcnet_v3": PP_LCNET_V3, "pp_lcnet_v4": PP_LCNET_V4, "mobilevitv2": MOBILEVITV2, "swiftformer": SWIFTFORMER}
VISION |= {"imagegpt": IMAGEGPT, "eomt": EOMT, "eomt_dinov3": EOMT_DINOV3, "chmv2": CHMV2, "pixio": PIXIO, "mgp-str": MGP_STR, "radio": RADIO,
           "mlcd_vision_model": MLCD_VISION_MODEL, "aimv2": AIMV2, "aimv2_text_model": AIMV2_TEXT_MODEL, "aimv2_vision_model": AIMV2_VISION_MODEL}
VISION |= {"sam": SAM, "sam_hq": SAM_HQ, "swin2sr": SWIN2SR, "seggpt": SEGGPT}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
VISION_KEPT = {"dinov3_vit": "gated tokens", "dinov3_convnext": "stem", "hiera": "two_stages wide", "focalnet": "convolved after",
               "pvt": "two_stages", "pvt_v2": "linear indices", "cvt": "no_token", "levit": "no_mlp down_ops", "hgnet_v2": "affine",
               "textnet": "odd", "pp_lcnet": "odd", "pp_lcnet_v3": "no_branches", "pp_lcnet_v4": "large", "mobilevitv2": "left_over",
               "swiftformer": "unscaled"}
VISION_KEPT |= {"imagegpt": "upcast crossed", "eomt": "", "eomt_dinov3": "", "chmv2": "linear sigmoid", "pixio": "resized", "mgp-str": "attentions",
                "radio": "oblong", "mlcd_vision_model": "oblong", "aimv2": "clamped", "aimv2_text_model": "unmasked", "aimv2_vision_model": "native"}
VISION_KEPT |= {"sam": "points all", "sam_hq": "all", "swin2sr": "aux nearest", "seggpt": "masked"}
