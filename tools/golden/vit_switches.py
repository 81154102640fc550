"""Switches of what reads images and videos as ViT does: see `switch_table.py`. Each case turns what the class reads and no
size would show."""

from switches import ABSENT, Switch


def images(rows: int, height: int, width: int) -> dict:
    return {"pixel_values": {"shape": [rows, 3, height, width], "lo": -1.0, "hi": 1.0}}


def videos(rows: int, frames: int, height: int, width: int) -> dict:
    return {"pixel_values": {"shape": [rows, frames, 3, height, width], "lo": -1.0, "hi": 1.0}}


def masked(rows: list[list[int]], dtype: str = "BOOL") -> dict:
    return {"bool_masked_pos": {"values": rows, "dtype": dtype}}


SOME = masked([[0, 1, 0, 0, 1, 1, 0, 1, 0, 0] * 2 + [1] * 5, [1, 0, 1, 0, 1, 0, 0, 1, 0, 0] * 2 + [1] * 5])
VIDEOMAE = [
    Switch("VideoMAEModel", "masked", inputs=SOME),
    Switch("VideoMAEModel", "normed", {"use_mean_pooling": False, "qv_bias": False}, inputs=SOME),
    Switch("VideoMAEModel", "old_bias", {"qv_bias": ABSENT, "qkv_bias": False}, raw=True),
    Switch("VideoMAEModel", "odd", {"num_frames": 5, "image_size": [11, 15], "patch_size": [3, 4]}, inputs=videos(2, 5, 11, 15)),
    Switch("VideoMAEModel", "defaults", {"qv_bias": ABSENT, "use_mean_pooling": ABSENT, "layer_norm_eps": ABSENT,
           "hidden_act": ABSENT, "num_channels": ABSENT, "tubelet_size": ABSENT}, raw=True),
    Switch("VideoMAEForVideoClassification", "first", {"use_mean_pooling": False, "num_labels": 5}),
    Switch("VideoMAEForPreTraining", "odd_width", {"decoder_hidden_size": 25, "decoder_num_attention_heads": 5,
           "hidden_size": 21, "num_attention_heads": 3}, inputs=SOME),
    Switch("VideoMAEForPreTraining", "one_seen", {"qv_bias": False, "use_mean_pooling": False},
           inputs=masked([[1] * 24 + [0], [0] + [1] * 24])),
]
VIVIT = [
    Switch("VivitModel", "nine_frames", {"image_size": [10, 15], "tubelet_size": [2, 4, 3]}, inputs=videos(2, 9, 10, 15)),
    Switch("VivitModel", "head_dim", {"head_dim": 6, "qkv_bias": False}),
    Switch("VivitModel", "defaults", {"hidden_act": ABSENT, "layer_norm_eps": ABSENT, "qkv_bias": ABSENT, "pooler_act": ABSENT,
           "pooler_output_size": ABSENT, "num_channels": ABSENT}, raw=True),
    Switch("VivitForVideoClassification", "pooled", {"pooler_output_size": 11, "pooler_act": "relu", "num_labels": 1}),
]
TIMESFORMER = [
    Switch("TimesformerModel", "space", {"attention_type": "space_only"}),
    Switch("TimesformerModel", "joint", {"attention_type": "joint_space_time", "qkv_bias": False}),
    Switch("TimesformerModel", "frames", {"attention_type": "joint_space_time"}, inputs=videos(2, 5, 10, 10)),
    Switch("TimesformerModel", "wide", inputs=videos(2, 2, 12, 20)),
    Switch("TimesformerModel", "small", {"num_frames": 3}, inputs=videos(1, 3, 8, 10)),
    Switch("TimesformerForVideoClassification", "space", {"attention_type": "space_only"}),
    Switch("TimesformerForVideoClassification", "defaults", {"attention_type": ABSENT, "hidden_act": ABSENT,
           "layer_norm_eps": ABSENT, "qkv_bias": ABSENT}, raw=True),
]
HOLES = {"attention_mask": {"values": [[1] * 226, [1, 0] * 113]}}
VIT_MSN = [
    Switch("ViTMSNModel", "head_dim", {"head_dim": 6, "qkv_bias": False, "image_size": [9, 16], "patch_size": [3, 5]},
           inputs=images(2, 9, 16)),
    Switch("ViTMSNModel", "hole", inputs=HOLES),
    Switch("ViTMSNForImageClassification", "defaults", {"hidden_act": ABSENT, "layer_norm_eps": ABSENT, "qkv_bias": ABSENT,
           "num_channels": ABSENT}, raw=True),
]
IJEPA = [
    Switch("IJepaModel", "wide", {"image_size": [9, 16], "patch_size": [3, 5], "qkv_bias": False}, inputs=images(2, 9, 16)),
    Switch("IJepaForImageClassification", "five_labels", {"num_labels": 5, "layer_norm_eps": ABSENT, "hidden_act": ABSENT},
           raw=True),
]
YOLOS = [
    Switch("YolosModel", "wide", inputs=images(2, 22, 34)),
    Switch("YolosModel", "three_layers", {"num_hidden_layers": 3, "image_size": [12, 20], "patch_size": 4},
           inputs=images(2, 21, 33)),
    Switch("YolosForObjectDetection", "no_mid", {"use_mid_position_embeddings": False, "qkv_bias": False}, inputs=images(1, 30, 20)),
    Switch("YolosForObjectDetection", "defaults", {"use_mid_position_embeddings": ABSENT, "hidden_act": ABSENT,
           "layer_norm_eps": ABSENT, "qkv_bias": ABSENT}, raw=True),
]
VIT_MAE = [
    Switch("ViTMAEModel", "all", {"mask_ratio": 0.0}),
    Switch("ViTMAEModel", "hole", inputs={"attention_mask": {"values": [[1] * 113, [1, 1, 0] * 37 + [1, 0]]}}),
    Switch("ViTMAEForPreTraining", "all", {"mask_ratio": 0.0, "qkv_bias": False}),
    Switch("ViTMAEForPreTraining", "few", {"mask_ratio": 0.99, "norm_pix_loss": True}),
    Switch("ViTMAEForPreTraining", "defaults", {"mask_ratio": ABSENT, "hidden_act": ABSENT, "layer_norm_eps": ABSENT,
           "qkv_bias": ABSENT}, raw=True),
]


def beit(prefix: str) -> list[Switch]:
    return [
        Switch(f"{prefix}Model", "relative", {"use_relative_position_bias": True}),
        Switch(f"{prefix}Model", "resized", {"use_relative_position_bias": True, "use_shared_relative_position_bias": True},
               inputs=images(2, 22, 34)),
        Switch(f"{prefix}Model", "wide_window", {"use_relative_position_bias": True, "image_size": [12, 20], "patch_size": 4},
               inputs=images(2, 12, 20)),
        Switch(f"{prefix}Model", "absolute", {"use_absolute_position_embeddings": True, "use_mean_pooling": False},
               inputs=images(2, 22, 34)),
        Switch(f"{prefix}Model", "masked", {"use_mask_token": True, "image_size": 10, "patch_size": 2},
               inputs=images(2, 10, 10) | SOME),
        Switch(f"{prefix}Model", "no_scale", {"layer_scale_init_value": 0.0, "use_absolute_position_embeddings": True}),
        Switch(f"{prefix}Model", "patches", {"image_size": [9, 16], "patch_size": [3, 5]}, inputs=images(2, 9, 16)),
        Switch(f"{prefix}ForImageClassification", "first", {"use_mean_pooling": False, "num_labels": 5}, inputs=images(1, 22, 34)),
        Switch(f"{prefix}ForImageClassification", "defaults", {key: ABSENT for key in (
               "hidden_act", "layer_norm_eps", "layer_scale_init_value", "use_mean_pooling", "use_relative_position_bias",
               "use_shared_relative_position_bias", "use_absolute_position_embeddings", "num_channels")}, raw=True),
    ]


STAGES = ["stem", "stage1", "stage2", "stage3", "stage4"]
BEIT = beit("Beit") + [
    Switch("BeitModel", "head_dim", {"head_dim": 6}),
    Switch("BeitModel", "hole", inputs=HOLES),
    Switch("BeitModel", "relative_hole", {"use_relative_position_bias": True}, inputs=HOLES),
    Switch("BeitForMaskedImageModeling", "masked", {"use_mask_token": True, "image_size": 10, "use_shared_relative_position_bias":
           True}, inputs=images(2, 10, 10) | SOME),
    Switch("BeitForSemanticSegmentation", "stem", {"out_indices": [0, 1, 2, 4], "out_features": STAGES[:3] + STAGES[4:],
           "pool_scales": [2, 5], "num_labels": 3, "auxiliary_channels": 8}, inputs=images(1, 22, 34)),
    Switch("BeitForSemanticSegmentation", "indices", {"out_features": ABSENT, "out_indices": [-4, -3, -2, -1], "add_fpn": False,
           "use_auxiliary_head": False, "image_size": 12}, inputs=images(1, 12, 12), raw=True),
    Switch("BeitBackbone", "flat", {"add_fpn": False, "reshape_hidden_states": False, "out_features": ["stem", "stage3"],
           "out_indices": [0, 3]}, inputs=images(1, 22, 34)),
    Switch("BeitBackbone", "last", {"add_fpn": ABSENT, "reshape_hidden_states": ABSENT, "out_features": ABSENT, "out_indices":
           ABSENT}, inputs=images(1, 22, 34), raw=True),
]
DATA2VEC_VISION = beit("Data2VecVision") + [
    Switch("Data2VecVisionForSemanticSegmentation", "four", {"out_indices": [1, 3, 4, 5], "num_hidden_layers": 4,
           "pool_scales": ABSENT, "auxiliary_channels": 8, "image_size": 16}, inputs=images(1, 17, 16)),
    Switch("Data2VecVisionForSemanticSegmentation", "default_maps", {"out_indices": ABSENT, "num_hidden_layers": 6,
           "use_auxiliary_head": False, "image_size": 12}, inputs=images(1, 12, 12), raw=True),
]

VITS = {"videomae": VIDEOMAE, "vivit": VIVIT, "timesformer": TIMESFORMER, "vit_msn": VIT_MSN, "ijepa": IJEPA, "yolos": YOLOS,
        "vit_mae": VIT_MAE, "beit": BEIT, "data2vec-vision": DATA2VEC_VISION}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
VITS_KEPT = {"videomae": "normed odd odd_width", "vivit": "nine_frames head_dim", "timesformer": "space frames small",
             "beit": "resized wide_window absolute masked stem flat", "data2vec-vision": "relative no_scale four",
             "vit_msn": "head_dim", "ijepa": "wide", "yolos": "three_layers no_mid", "vit_mae": "hole few"}
