"""Switches of DEIMv2: see `switches.py`."""

from switches import ABSENT, Switch

FOUND, MODEL = "Deimv2ForObjectDetection", "Deimv2Model"
HGNET = {"model_type": "hgnet_v2", "depths": [1, 1, 1, 1], "embedding_size": 8, "hidden_act": "relu", "hidden_sizes": [8, 8, 12, 16], "out_features": ["stage4"], "out_indices": ABSENT,
         "stem_channels": [3, 6, 6], "stage_in_channels": [6, 8, 8, 12], "stage_mid_channels": [4, 4, 6, 6], "stage_out_channels": [8, 8, 12, 16],
         "stage_num_blocks": [1, 1, 1, 1], "stage_numb_of_layers": [2, 2, 2, 2], "stage_light_block": [False, False, True, True], "stage_kernel_size": [3, 3, 5, 5]}
DINO = {"model_type": "dinov3_vit", "hidden_size": 16, "intermediate_size": 20, "num_attention_heads": 2, "num_hidden_layers": 3, "patch_size": 16, "image_size": 64,
        "num_register_tokens": 2, "out_features": ["stage1", "stage2", "stage3"], "out_indices": ABSENT, "apply_layernorm": True, "reshape_hidden_states": True}


def image(*shape: int) -> dict:
    return {"pixel_values": {"shape": list(shape), "lo": -1.0, "hi": 1.0}}


LITE = {"backbone_config": HGNET, "encoder_type": "lite", "encoder_in_channels": [16], "decoder_in_channels": [32, 32], "num_feature_levels": 2, "decoder_n_levels": 2,
        "decoder_n_points": [4, 2], "feat_strides": [16, 32], "num_queries": 5, "use_gateway": False}
VIT = {"backbone_config": DINO, "encoder_has_trailing_conv": False, "num_queries": 12, "spatial_tuning_adapter_inplanes": 3}
# Whole configurations in place of the given ones, which are HGNet's of three maps.
DEIMV2 = {"deimv2": [
    Switch(FOUND, "lite", LITE, inputs=image(2, 3, 64, 128)),
    Switch(MODEL, "lite_states", {**LITE, "activation_function": "relu", "depth_mult": 1.0}, inputs=image(1, 3, 64, 64)),
    Switch(FOUND, "vit", VIT, inputs=image(2, 3, 64, 96)),
    Switch(MODEL, "vit_wide", {**VIT, "encoder_hidden_dim": 24, "decoder_in_channels": [24, 24, 24], "hidden_expansion": 0.5}, inputs=image(1, 3, 64, 64)),
    Switch(FOUND, "discrete", {"decoder_method": "discrete", "decoder_n_points": 2, "normalize_before": True, "max_num_bins": 8,
           "decoder_ffn_dim": 20, "encoder_activation_function": "relu"}, inputs=image(2, 3, 64, 64)),
    Switch(FOUND, "defaults", {k: ABSENT for k in ("encoder_type", "encoder_fuse_op", "encoder_has_trailing_conv", "use_gateway", "share_bbox_head",
           "decoder_method", "decoder_offset_scale", "positional_encoding_temperature", "encoder_activation_function", "activation_function",
           "decoder_activation_function", "batch_norm_eps", "layer_norm_eps", "top_prob_values", "max_num_bins", "reg_scale", "up")}, raw=True,
           inputs=image(2, 3, 64, 64)),
]}
DEIMV2_KEPT = {"deimv2": "lite vit discrete lite_states"}
