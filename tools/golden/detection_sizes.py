"""Other sizes for detectors, depths, segments and poses of images, and inputs of such sizes: see `sizes.py` and `vary.py`."""

import numpy as np
from pyramid_sizes import segformer, swin
from sizes import ACTIVATIONS, bert, choose, resnet

# The sides that images of a type may have.
SIDES = {"detr": [64, 80, 97], "table-transformer": [64, 80, 97], "conditional_detr": [64, 80, 97], "dab-detr": [64, 80, 97],
         "deformable_detr": [64, 80, 97], "rt_detr": [64, 96], "rt_detr_v2": [64, 96], "d_fine": [64, 96], "rt_detr_resnet": [32, 45, 57],
         "hgnet_v2": [48, 61, 64], "lw_detr": [128, 192], "lw_detr_vit": [128, 192], "rf_detr": [64, 96], "rf_detr_dinov2": [16, 24],
         "vitdet": [20, 26, 30], "vitmatte": [32, 48], "upernet": [32, 45, 64], "glpn": [64, 96], "depth_anything": [32, 48, 57],
         "prompt_depth_anything": [32, 48, 57], "zoedepth": [32, 48, 57], "grounding-dino": [64, 96, 120],
         "mm-grounding-dino": [64, 96, 120]}
SQUARE = ("dpt", "depth_pro", "rf_detr_dinov2")
NO_PADDING = ("conditional_detr",)  # transformers cannot compute with such a mask
DERIVED = ("stage_names", "out_indices", "out_features")


def maps(backbone: dict, names: list[str]) -> None:
    """The backbone gives these; what else says so is left out."""
    for field in DERIVED:
        backbone.pop(field, None)
    backbone["out_features"] = names


def resnet_maps(backbone: dict, rng, names: list[str]) -> None:
    backbone["architectures"] = ["ResNet"]
    resnet(backbone, rng)
    del backbone["architectures"]
    backbone["hidden_sizes"] = sorted(4 * rng.choice(range(2, 9)) for _ in range(4))
    backbone["depths"] = [rng.choice([1, 2]) for _ in range(4)]
    backbone["num_channels"] = 3
    backbone["embedding_size"] = 2 * rng.choice(range(4, 16))
    maps(backbone, names)


def detr(c: dict, rng) -> None:
    choose(c, rng, num_queries=range(3, 9), encoder_layers=[1, 2], decoder_layers=[1, 2, 3], encoder_ffn_dim=range(20, 70),
           decoder_ffn_dim=range(20, 70), activation_function=ACTIVATIONS)
    width, (encoder, decoder) = rng.choice([(32, (8, 4)), (32, (8, 2)), (48, (8, 3)), (24, (8, 2))])
    c["d_model"], c["encoder_attention_heads"], c["decoder_attention_heads"] = width, encoder, decoder
    if "Segmentation" in c["architectures"][0]:
        c["d_model"], c["encoder_attention_heads"], c["decoder_attention_heads"] = 32, rng.choice([8, 16]), 4
    resnet_maps(c["backbone_config"], rng, ["stage2", "stage3", "stage4"])


def dab_detr(c: dict, rng) -> None:
    detr(c, rng)
    c["hidden_size"] = c.pop("d_model")
    choose(c, rng, activation_function=["prelu", "prelu", "gelu"], num_patterns=[0, 0, 2], keep_query_pos=[False, True],
           normalize_before=[False, True], temperature_height=[20, 35], temperature_width=[20, 10])


def deformable_detr(c: dict, rng) -> None:
    detr(c, rng)
    choose(c, rng, encoder_n_points=[1, 2, 3], decoder_n_points=[1, 3, 4], num_feature_levels=[3, 4, 5])
    c["d_model"], c["decoder_layers"] = rng.choice([32, 64]), rng.choice([2, 3])  # of one layer nothing could be tied
    c["encoder_attention_heads"], c["decoder_attention_heads"] = rng.choice([2, 4]), rng.choice([4, 8])


def hybrid(c: dict, rng) -> None:
    """What RT-DETR's family has."""
    choose(c, rng, num_queries=range(5, 20), encoder_layers=[0, 1, 2], decoder_layers=[2, 3], encoder_ffn_dim=range(20, 70),
           decoder_ffn_dim=range(20, 70), activation_function=["silu", "relu"], hidden_expansion=[0.5, 1.0],
           normalize_before=[False, True], decoder_attention_heads=[2, 4], encoder_attention_heads=[2, 4], encoder_hidden_dim=[24, 32],
           d_model=[32, 40])
    c["decoder_in_channels"] = [c["encoder_hidden_dim"]] * 3
    c["encode_proj_layers"] = rng.choice([[2], [1, 2]])


def rt_detr(c: dict, rng) -> None:
    hybrid(c, rng)
    c["decoder_n_points"] = rng.choice([2, 3, 4])
    backbone = c["backbone_config"]
    resnet_maps(backbone, rng, ["stage2", "stage3", "stage4"])
    backbone["downsample_in_first_stage"] = False
    c["encoder_in_channels"] = backbone["hidden_sizes"][1:]


def rt_detr_resnet(c: dict, rng) -> None:
    resnet_maps(c, rng, ["stem", "stage3"])


def hgnet_v2(c: dict, rng) -> None:
    count = 4
    first = 2 * rng.choice(range(4, 10))
    c["stem_channels"] = [3, first, first + 2]
    out = [8 * rng.choice(range(2, 6)) for _ in range(count)]
    c["stage_in_channels"], c["stage_out_channels"] = [first + 2, *out[:-1]], out
    c["hidden_sizes"], c["embedding_size"] = out, first + 2
    c["stage_mid_channels"] = [rng.choice(range(6, 20)) for _ in range(count)]
    c["stage_num_blocks"] = [rng.choice([1, 2]) for _ in range(count)]
    c["stage_numb_of_layers"] = [rng.choice([1, 2, 3]) for _ in range(count)]
    c["stage_light_block"] = [rng.choice([False, True]) for _ in range(count)]
    c["stage_kernel_size"] = [rng.choice([3, 5]) for _ in range(count)]
    c["use_learnable_affine_block"] = rng.choice([False, True])
    if "d_fine" not in c:
        maps(c, ["stage1", "stage4"])


def d_fine(c: dict, rng) -> None:
    hybrid(c, rng)
    c["d_model"] = c["encoder_hidden_dim"] = 32
    c["decoder_in_channels"] = [32] * 3
    choose(c, rng, max_num_bins=[8, 16, 32], top_prob_values=[2, 4], lqe_hidden_dim=[20, 64], lqe_layers=[2, 3], depth_mult=[0.3, 1.0])
    c["decoder_n_points"] = rng.choice([3, [3, 6, 3], [1, 2, 4]])
    c["head_dim"] = c["d_model"] // c["decoder_attention_heads"]
    hgnet_v2(c["backbone_config"], rng)
    maps(c["backbone_config"], ["stage2", "stage3", "stage4"])
    c["encoder_in_channels"] = c["backbone_config"]["stage_out_channels"][1:]


def windowed(c: dict, rng) -> None:
    c["num_attention_heads"] = rng.choice([2, 3])
    c["hidden_size"] = 8 * c["num_attention_heads"]
    choose(c, rng, mlp_ratio=[2, 4], qkv_bias=[False, True], hidden_act=ACTIVATIONS)


def group_detr(c: dict, rng) -> None:
    choose(c, rng, num_queries=range(3, 9), decoder_layers=[1, 2, 3], decoder_ffn_dim=range(20, 70), decoder_n_points=[2, 3, 4],
           group_detr=[1, 2, 3], c2f_num_blocks=[1, 2, 3], attention_bias=[False, True, True], d_model=[32, 40],
           decoder_self_attention_heads=[2, 4], decoder_cross_attention_heads=[4, 8], hidden_expansion=[0.5, 0.6])
    windowed(c["backbone_config"], rng)


def lw_detr(c: dict, rng) -> None:
    group_detr(c, rng)
    c["projector_scale_factors"] = rng.choice([[0.5, 2.0], [1.0], [2.0, 1.0, 0.5]])
    c["num_feature_levels"] = len(c["projector_scale_factors"])
    for field in ("projector_in_channels", "projector_out_channels"):
        c.pop(field, None)


def vitdet(c: dict, rng) -> None:
    windowed(c, rng)
    choose(c, rng, num_hidden_layers=[2, 3], use_relative_position_embeddings=[False, True], window_size=[0, 3, 4])
    c["window_block_indices"], c["residual_block_indices"] = [0], rng.choice([[], [1]])
    if "Backbone" in c["architectures"][0]:
        maps(c, ["stage1", "stage2"])


def vitmatte(c: dict, rng) -> None:
    c["convstream_hidden_sizes"] = [rng.choice(range(6, 20)) for _ in range(3)]
    c["fusion_hidden_sizes"] = [rng.choice(range(6, 20)) for _ in range(4)]
    windowed(c["backbone_config"], rng)
    c["hidden_size"] = c["backbone_config"]["hidden_size"]


def vitpose_backbone(c: dict, rng) -> None:
    windowed(c, rng)
    c["image_size"] = rng.choice([[64, 48], [48, 64], [40, 40]])
    if "VitPoseBackbone" in c["architectures"]:
        maps(c, ["stem", "stage2"])


def vitpose(c: dict, rng) -> None:
    c["backbone_config"]["architectures"] = []
    vitpose_backbone(c["backbone_config"], rng)
    choose(c, rng, scale_factor=[2, 3, 4], use_simple_decoder=[True, False])


def upernet(c: dict, rng) -> None:
    choose(c, rng, hidden_size=range(8, 30), auxiliary_channels=range(8, 30), pool_scales=[[1, 2, 3, 6], [1, 4]])
    backbone = c["backbone_config"]
    backbone["hidden_sizes"] = sorted(rng.choice(range(8, 40)) for _ in range(4))
    maps(backbone, rng.choice([["stage2", "stage3", "stage4"], ["stage1", "stage2", "stage3", "stage4"]]))
    c["auxiliary_in_channels"] = None


def glpn(c: dict, rng) -> None:
    """The decoder doubles each map."""
    segformer(c, rng)
    c["strides"], c["patch_sizes"] = [4, 2, 2, 2][: len(c["depths"])], [7, 3, 3, 3][: len(c["depths"])]
    choose(c, rng, max_depth=[1, 10], head_in_index=[-1, -1, -2])
    c["decoder_hidden_size"] = rng.choice([12, 20, c["hidden_sizes"][0]])


def dpt_neck(c: dict, rng, count: int) -> None:
    c["neck_hidden_sizes"] = [rng.choice(range(4, 20)) for _ in range(count)]
    c["reassemble_factors"] = rng.choice([[4, 2, 1, 0.5], [2, 1, 0.5, 0.5]])
    choose(c, rng, fusion_hidden_size=range(6, 30), head_in_index=[-1, -1, 0])


def dpt(c: dict, rng) -> None:
    choose(c, rng, num_hidden_layers=[2, 3], intermediate_size=range(20, 70), qkv_bias=[False, True], patch_size=[8, 16],
           readout_type=["project", "add", "ignore"], use_batch_norm_in_fusion_residual=[False, True], hidden_act=ACTIVATIONS)
    c["num_attention_heads"] = rng.choice([2, 3])
    c["hidden_size"] = 8 * c["num_attention_heads"]
    c["pooler_output_size"] = c["hidden_size"]
    c["backbone_out_indices"] = rng.choice([[0, 1], [1]])
    dpt_neck(c, rng, len(c["backbone_out_indices"]))
    if c["readout_type"] == "add":  # which transformers only computes where patches are as many as channels
        c["readout_type"] = "ignore"


def depth_anything(c: dict, rng) -> None:
    backbone = c["backbone_config"]
    backbone["num_attention_heads"] = rng.choice([2, 3])
    c["reassemble_hidden_size"] = backbone["hidden_size"] = 4 * backbone["num_attention_heads"]
    dpt_neck(c, rng, 2)
    choose(c, rng, head_hidden_size=range(6, 30), max_depth=[1, 20], depth_estimation_type=["relative", "metric"])


def zoedepth(c: dict, rng) -> None:
    backbone = c["backbone_config"]
    backbone["num_attention_heads"] = rng.choice([2, 3])
    c["backbone_hidden_size"] = backbone["hidden_size"] = 4 * backbone["num_attention_heads"]
    dpt_neck(c, rng, 2)
    choose(c, rng, num_relative_features=range(6, 30), bin_embedding_dim=[20, 40],
           bin_centers_type=["softplus", "normed"], attractor_kind=["mean", "sum"])
    c["bottleneck_features"] = c["fusion_hidden_size"]
    c["num_attractors"] = [rng.choice(range(1, 9)) for _ in range(4)]
    c["num_out_features"] = [c["fusion_hidden_size"]] * 4


def grounding_dino(c: dict, rng) -> None:
    choose(c, rng, num_queries=range(3, 9), encoder_layers=[1, 2], decoder_layers=[2, 3], encoder_ffn_dim=[24, 40, 48],
           decoder_ffn_dim=range(20, 70), activation_function=ACTIVATIONS, encoder_n_points=[1, 2, 3], decoder_n_points=[1, 3, 4],
           num_feature_levels=[3, 4], max_text_len=[40, 60], encoder_attention_heads=[4, 8], decoder_attention_heads=[4, 8])
    bert(c["text_config"], rng)
    c["text_config"]["vocab_size"], c["text_config"]["max_position_embeddings"] = 30522, 70
    c["text_config"]["num_hidden_layers"], c["text_config"]["hidden_size"] = 1, 2 * c["text_config"]["num_attention_heads"]


DETECTION = {"detr": detr, "table-transformer": detr, "conditional_detr": detr, "dab-detr": dab_detr, "deformable_detr": deformable_detr,
             "rt_detr": rt_detr, "rt_detr_v2": rt_detr, "rt_detr_resnet": rt_detr_resnet, "d_fine": d_fine, "hgnet_v2": hgnet_v2,
             "lw_detr": lw_detr, "lw_detr_vit": windowed, "rf_detr": group_detr, "rf_detr_dinov2": windowed}
DETECTION |= {"vitdet": vitdet, "vitmatte": vitmatte, "vitpose": vitpose, "vitpose_backbone": vitpose_backbone, "upernet": upernet,
              "glpn": glpn, "dpt": dpt, "depth_anything": depth_anything, "prompt_depth_anything": depth_anything,
              "zoedepth": zoedepth, "grounding-dino": grounding_dino, "mm-grounding-dino": grounding_dino}


def padded(inputs, shape: list[int]) -> np.ndarray:
    """Images that fill the upper left of theirs; the first row is whole."""
    mask = np.ones(shape, int)
    for row in mask[1:]:
        row[inputs.rng.randint(shape[1] // 2, shape[1]) :] = 0
        row[:, inputs.rng.randint(shape[2] // 2, shape[2]) :] = 0
    return mask


def detection_input(inputs, entry: dict) -> dict | None:
    """The entry of such a model's input; None: it is none of them."""
    c, kind = inputs.config, inputs.config["model_type"]
    if kind not in DETECTION or entry["name"] == "input_ids":
        return None
    if not hasattr(inputs, "sides"):
        own = c.get("backbone_config") or c
        sides = SIDES.get(kind) or [own["image_size"]]
        inputs.sides = [inputs.rng.choice(sides), inputs.rng.choice(sides)]
        if kind in SQUARE:
            inputs.sides[1] = inputs.sides[0]
        if kind.startswith("vitpose"):
            inputs.sides = list(own["image_size"])
    if entry["name"] == "pixel_mask" and kind in NO_PADDING:
        return {"shape": [inputs.rows, *inputs.sides], "fill": 1.0}
    if entry["name"] == "pixel_mask":
        return {"values": padded(inputs, [inputs.rows, *inputs.sides]), "dtype": "BOOL"}
    if entry["name"] == "prompt_depth":
        return {"shape": [inputs.rows, 1, 6, 9], "lo": entry["lo"], "hi": entry["hi"]}
    channels = (c.get("backbone_config") or c).get("num_channels", 3)
    return {"shape": [inputs.rows, channels, *inputs.sides], "lo": entry["lo"], "hi": entry["hi"]}
