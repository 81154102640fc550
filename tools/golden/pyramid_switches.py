"""Switches of image models whose maps shrink from stage to stage: see `switch_table.py`. Each case turns what the class reads
and no size would show."""

from switches import ABSENT, Switch

MAPS = {"stage_names": ABSENT, "out_indices": ABSENT}  # they follow from out_features


def image(rows: int, channels: int, height: int, width: int) -> dict:
    return {"pixel_values": {"shape": [rows, channels, height, width], "lo": -1.0, "hi": 1.0}}


def half(architecture: str, **config) -> Switch:
    """Few weights, stored in half precision."""
    return Switch(architecture, "half", config, weights="F16")


CONVNEXTV2 = [
    Switch("ConvNextV2Model", "odd", {"hidden_act": "gelu_new"}, inputs=image(1, 3, 37, 71)),
    Switch("ConvNextV2Model", "two_stages", {"num_stages": 2, "depths": [1, 2], "hidden_sizes": [8, 12], "out_features": ABSENT,
           "layer_norm_eps": 0.1, **MAPS}, inputs=image(2, 3, 24, 24)),
    Switch("ConvNextV2Backbone", "stem", {"out_features": ["stem", "stage3"], **MAPS}, inputs=image(1, 3, 36, 34)),
    half("ConvNextV2Model"),
]
REGNET = [
    Switch("RegNetModel", "x", {"layer_type": "x", "hidden_act": "silu", "groups_width": 8, "hidden_sizes": [8, 16, 24, 40]},
           inputs=image(1, 3, 37, 70)),
    Switch("RegNetModel", "same_width", {"embedding_size": 12, "groups_width": 6,
           "downsample_in_first_stage": False, "depths": [2, 1, 0, 1], "hidden_sizes": [12, 12, 18, 36]},
           inputs=image(1, 3, 33, 47)),
    Switch("RegNetForImageClassification", "one_channel", {"num_channels": 1, "num_labels": 1}, inputs=image(3, 1, 32, 48)),
    Switch("RegNetModel", "defaults", {"layer_type": ABSENT, "downsample_in_first_stage": ABSENT, "groups_width": ABSENT,
           "hidden_act": ABSENT, "num_channels": ABSENT, "embedding_size": ABSENT}, raw=True),
    half("RegNetModel"),
]
POOLFORMER = [
    Switch("PoolFormerModel", "unscaled", {"use_layer_scale": False, "pool_size": 5, "mlp_ratio": 1.7, "hidden_act": "relu"},
           inputs=image(1, 3, 51, 70)),
    Switch("PoolFormerModel", "two_stages", {"num_encoder_blocks": 2, "depths": [1, 2], "hidden_sizes": [9, 14],
           "patch_sizes": [4, 2], "strides": [3, 1], "padding": [0, 2]}, inputs=image(2, 3, 24, 31)),
    Switch("PoolFormerForImageClassification", "pool_1", {"pool_size": 1, "num_labels": 5}, inputs=image(1, 3, 64, 33)),
    half("PoolFormerModel"),
]


def windows(prefix: str) -> list[Switch]:
    """Maps that are no multiples of windows, odd maps between stages, maps of one window, a window of one token."""
    deep = {"depths": [2, 2, 2], "num_layers": 3}
    return [
        Switch(f"{prefix}Model", "padded", {**deep, "window_size": 3, "image_size": 45}, inputs=image(2, 3, 45, 61)),
        Switch(f"{prefix}Model", "one_window", {**deep, "window_size": 4}, inputs=image(2, 3, 32, 48)),
        Switch(f"{prefix}Model", "one_token", {**deep, "window_size": 1}, inputs=image(1, 3, 16, 20)),
        Switch(f"{prefix}Model", "wide_patches", {"patch_size": [2, 3], "image_size": [24, 36], "qkv_bias": False,
               "mlp_ratio": 1.6, "hidden_act": "relu", "layer_norm_eps": 0.1}, inputs=image(2, 3, 24, 36)),
        half(f"{prefix}Model", depths=[2, 2, 1]),
    ]


def painted(prefix: str) -> Switch:
    masked = {"bool_masked_pos": {"shape": [2, 256], "ids": [0, 2], "dtype": "BOOL"}}
    return Switch(f"{prefix}ForMaskedImageModeling", "masked", inputs=masked)


def small_maps(architecture: str, **config) -> Switch:
    """Maps smaller than a window."""
    return Switch(architecture, "small", {"window_size": 5, "depths": [2, 2, 2], **config, **MAPS}, inputs=image(1, 3, 24, 18))


SWIN = windows("Swin") + [
    painted("Swin"),
    Switch("SwinModel", "positions", {"use_absolute_embeddings": True, "num_channels": 1}, inputs=image(1, 1, 32, 32)),
    Switch("SwinForImageClassification", "wide", {"num_labels": 1, "depths": [1, 3, 2]}, inputs=image(1, 3, 34, 57)),
    small_maps("SwinBackbone", out_features=["stem", "stage1", "stage3"]),
]
DONUT_SWIN = windows("DonutSwin")
MASKFORMER_SWIN = windows("MaskFormerSwin") + [small_maps("MaskFormerSwinModel"),
                                              small_maps("MaskFormerSwinBackbone", out_features=["stage1", "stage3"])]
SWINV2 = windows("Swinv2") + [
    painted("Swinv2"),
    Switch("Swinv2Model", "clipped", {"window_size": 8, "depths": [2, 2, 2], "pretrained_window_sizes": [6, 0, 12]},
           inputs=image(2, 3, 40, 36)),
    Switch("Swinv2Backbone", "stem", {"out_features": ["stem", "stage3"], "depths": [2, 1, 2], **MAPS}, inputs=image(1, 3, 35, 44)),
]
SEGFORMER = [
    Switch("SegformerModel", "flat", {"reshape_last_stage": False}, inputs=image(2, 3, 64, 80)),
    Switch("SegformerForImageClassification", "flat", {"reshape_last_stage": False, "num_labels": 4}, inputs=image(1, 3, 70, 64)),
    Switch("SegformerForSemanticSegmentation", "odd", {"num_encoder_blocks": 3, "depths": [1, 2, 1], "hidden_sizes": [6, 9, 14],
           "num_attention_heads": [2, 3, 1], "sr_ratios": [3, 2, 1], "patch_sizes": [5, 4, 3], "strides": [3, 2, 2],
           "mlp_ratios": [2, 3, 1], "hidden_act": "relu", "num_labels": 5, "layer_norm_eps": 0.1}, inputs=image(1, 3, 53, 70)),
    Switch("SegformerModel", "reduced_odd", inputs=image(1, 3, 77, 68)),
    half("SegformerForSemanticSegmentation"),
]
MOBILENET_V1 = [
    Switch("MobileNetV1Model", "even_padding", {"tf_padding": False, "hidden_act": "silu"}, inputs=image(1, 3, 37, 50)),
    Switch("MobileNetV1Model", "odd", {"depth_multiplier": 0.3, "min_depth": 13, "layer_norm_eps": 0.1}, inputs=image(1, 3, 37, 51)),
    Switch("MobileNetV1ForImageClassification", "one_channel", {"num_channels": 1, "num_labels": 5}, inputs=image(3, 1, 33, 34)),
    half("MobileNetV1ForImageClassification"),
]
MOBILENET_V2 = [
    Switch("MobileNetV2Model", "even_padding", {"tf_padding": False, "output_stride": 8, "hidden_act": "silu"}, inputs=image(1, 3, 37, 50)),
    Switch("MobileNetV2Model", "coarse", {"finegrained_output": False, "first_layer_is_expansion": False, "expand_ratio": 2.5,
           "depth_divisible_by": 4, "min_depth": 6, "depth_multiplier": 0.3}, inputs=image(1, 3, 37, 51)),
    Switch("MobileNetV2ForSemanticSegmentation", "stride_8", {"output_stride": 8, "num_labels": 5}, inputs=image(2, 3, 41, 66)),
    Switch("MobileNetV2ForSemanticSegmentation", "stride_16", {"output_stride": 16, "layer_norm_eps": 0.1}, inputs=image(1, 3, 64, 39)),
    half("MobileNetV2ForSemanticSegmentation"),
]
MOBILEVIT = [
    Switch("MobileViTModel", "resized", {"patch_size": 3, "conv_kernel_size": 5, "qkv_bias": False, "expand_ratio": 2.5,
           "mlp_ratio": 1.7, "hidden_act": "relu"}, inputs=image(1, 3, 57, 74)),
    Switch("MobileViTForSemanticSegmentation", "stride_8", {"output_stride": 8, "atrous_rates": [1, 2, 3], "aspp_out_channels": 12,
           "num_labels": 4}, inputs=image(1, 3, 70, 46)),
    Switch("MobileViTForSemanticSegmentation", "stride_16", {"output_stride": 16, "num_attention_heads": 2}, inputs=image(2, 3, 64, 48)),
    half("MobileViTModel"),
]
BIT = [
    Switch("BitModel", "bottleneck", {"layer_type": "bottleneck", "output_stride": 4, "depths": [2, 2, 2, 1], "num_groups": 4},
           inputs=image(1, 3, 45, 38)),
    Switch("BitModel", "same", {"global_padding": "SAME", "hidden_act": "silu", "num_groups": 8}, inputs=image(1, 3, 45, 38)),
    Switch("BitModel", "same_dynamic", {"global_padding": "same", "embedding_dynamic_padding": True, "layer_type": "bottleneck",
           "output_stride": 8, "depths": [1, 2, 2, 2]}, inputs=image(1, 3, 33, 52)),
    Switch("BitModel", "dynamic", {"embedding_dynamic_padding": True, "output_stride": 8}, inputs=image(1, 3, 33, 47)),
    Switch("BitBackbone", "wide", {"layer_type": "bottleneck", "width_factor": 2, "out_features": ["stem", "stage2"], **MAPS},
           inputs=image(1, 3, 40, 34)),
    half("BitModel"),
]
EFFICIENTNET_SMALL = {"width_coefficient": 0.25, "hidden_dim": 320, "depth_coefficient": 1.0}
EFFICIENTNET = [
    Switch("EfficientNetModel", "maximum", {**EFFICIENTNET_SMALL, "pooling_type": "max", "depthwise_padding": [2, 3], "strides": [2, 1, 2],
           "hidden_act": "relu"}, inputs=image(1, 3, 45, 38)),
    Switch("EfficientNetModel", "even_kernels", {**EFFICIENTNET_SMALL, "kernel_sizes": [2, 4, 5], "batch_norm_eps": 0.1,
           "squeeze_expansion_ratio": 0.05, "depth_divisor": 6, "hidden_dim": 318}, inputs=image(1, 3, 41, 38)),
    Switch("EfficientNetForImageClassification", "one_channel", {**EFFICIENTNET_SMALL, "num_channels": 1, "num_labels": 3},
           inputs=image(2, 1, 32, 33)),
    half("EfficientNetModel", **EFFICIENTNET_SMALL),
]

PYRAMIDS = {"convnextv2": CONVNEXTV2, "regnet": REGNET, "poolformer": POOLFORMER, "swin": SWIN, "donut-swin": DONUT_SWIN,
            "maskformer-swin": MASKFORMER_SWIN, "swinv2": SWINV2, "segformer": SEGFORMER, "mobilenet_v1": MOBILENET_V1,
            "mobilenet_v2": MOBILENET_V2, "mobilevit": MOBILEVIT, "bit": BIT, "efficientnet": EFFICIENTNET}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
PYRAMIDS_KEPT = {"convnextv2": "stem half", "regnet": "x same_width", "poolformer": "unscaled", "swin": "padded masked small",
                 "donut-swin": "padded", "maskformer-swin": "small", "swinv2": "clipped masked stem", "segformer": "flat odd",
                 "mobilenet_v1": "even_padding", "mobilenet_v2": "even_padding coarse", "mobilevit": "resized stride_8",
                 "bit": "bottleneck same_dynamic", "efficientnet": "maximum"}
