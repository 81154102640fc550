"""Other sizes for younger models that read images, and inputs of such sizes: see `sizes.py` and `vary.py`."""

import numpy as np

from sizes import ACTIVATIONS, choose, heads, stages

# The sides that images of a type may have, where it takes any.
SIDES = {"dinov3_convnext": [32, 40, 48], "pvt_v2": [64, 72, 80], "cvt": [32, 40, 48], "focalnet": [32, 37, 44],
         "hgnet_v2": [32, 37, 44], "textnet": [32, 37, 44], "pp_lcnet": [32, 37, 44], "pp_lcnet_v3": [32, 37, 44], "pp_lcnet_v4": [32, 37, 44],
         "mobilevitv2": [48, 64], "swiftformer": [32, 37, 44]}


def is_backbone(c: dict) -> bool:
    return c["architectures"][0].endswith("Backbone")


def pick_stages(c: dict, rng, count: int, stem: bool = True) -> None:
    """Which stages a backbone gives; other classes get no names."""
    for derived in ("stage_names", "out_features", "out_indices"):
        c.pop(derived, None)
    if is_backbone(c):
        names = ["stem"] * stem + [f"stage{i + 1}" for i in range(count)]
        c["out_features"] = [name for name in names if name in rng.sample(names, 2)]


def dinov3_vit(c: dict, rng) -> None:
    """A fourth of a head is turned by each of height and width, with its sine and cosine."""
    c["num_attention_heads"] = rng.choice([1, 2, 3, 5])
    c["hidden_size"] = 4 * c["num_attention_heads"] * rng.choice([1, 2, 3])
    choose(c, rng, num_hidden_layers=[2, 3], intermediate_size=range(20, 60), num_register_tokens=[1, 2, 3], patch_size=[3, 4],
           num_channels=[1, 3], hidden_act=ACTIVATIONS, use_gated_mlp=[False, True], key_bias=[False, True], query_bias=[False, True],
           mlp_bias=[True, False], proj_bias=[True, False], rope_theta=[100.0, 20.0])
    c["image_size"] = c["patch_size"] * rng.randint(3, 6)
    pick_stages(c, rng, c["num_hidden_layers"])


def dinov3_convnext(c: dict, rng) -> None:
    stages(c, rng, is_backbone(c))
    choose(c, rng, num_channels=[1, 3], hidden_act=ACTIVATIONS, layer_norm_eps=[1e-6, 1e-5])


def hiera(c: dict, rng) -> None:
    """Units of a whole number of the last stage's tokens."""
    count = rng.choice([2, 3])
    c["depths"], c["num_heads"] = [rng.choice([1, 2]) for _ in range(count)], [rng.choice([1, 2]) for _ in range(count)]
    choose(c, rng, embed_dim=[6, 8, 10], mlp_ratio=[1.5, 2.0], query_stride=[[2, 2], [2, 1]], num_query_pool=[count - 1],
           num_channels=[1, 3], hidden_act=ACTIVATIONS, decoder_hidden_size=[6, 10], decoder_num_heads=[1, 2], decoder_depth=[1, 2],
           patch_stride=[[2, 2], [3, 2]], mask_ratio=[0.3, 0.6], layer_norm_eps=[1e-6, 1e-5])
    if c["architectures"][0] == "HieraForPreTraining":
        c["query_stride"] = [2, 2]  # and square patches: pixels of a square are painted
        c["patch_stride"] = [2, 2]
    c["masked_unit_attention"] = [True] + [rng.choice([True, False]) for _ in range(count - 1)]
    c["masked_unit_size"] = [side ** (count - 1) for side in c["query_stride"]]
    if c["architectures"][0] != "HieraForPreTraining":
        c["masked_unit_size"] = [side * rng.choice([1, 2]) for side in c["masked_unit_size"]]
    c["patch_size"], c["patch_padding"] = [2 * s + 1 for s in c["patch_stride"]], list(c["patch_stride"])
    units = rng.choice([(2, 2), (2, 3), (3, 2)])
    c["image_size"] = [u * n * s for u, n, s in zip(c["masked_unit_size"], units, c["patch_stride"])]
    c["hidden_size"] = c["embed_dim"] * 2 ** (count - 1)
    pick_stages(c, rng, count)


def focalnet(c: dict, rng) -> None:
    count = rng.choice([2, 3])
    c["depths"] = [rng.choice([1, 2]) for _ in range(count)]
    choose(c, rng, embed_dim=[8, 12, 18], patch_size=[2, 3], num_channels=[1, 3], mlp_ratio=[1.5, 2.0], hidden_act=ACTIVATIONS,
           use_layerscale=[False, True], use_post_layernorm=[False, True], use_post_layernorm_in_modulation=[False, True],
           normalize_modulator=[False, True], layer_norm_eps=[1e-5, 1e-6])
    c["focal_levels"] = [rng.choice([1, 2, 3]) for _ in range(count)]
    c["focal_windows"] = [rng.choice([3, 5]) for _ in range(count)]
    c["hidden_sizes"] = [c["embed_dim"] * 2 ** i for i in range(count)]
    c["encoder_stride"] = c["patch_size"] * 2 ** (count - 1)
    c["image_size"] = c["encoder_stride"] * rng.choice([3, 4])
    pick_stages(c, rng, count)


def pvt(c: dict, rng) -> None:
    """Each stage takes half the side; the last one has a class token and keeps all keys."""
    count = rng.choice([2, 3])
    c.pop("num_labels", None)
    c["num_encoder_blocks"] = count
    c["depths"] = [rng.choice([1, 2]) for _ in range(count)]
    c["num_attention_heads"] = [rng.choice([1, 2, 3]) for _ in range(count)]
    c["hidden_sizes"] = [n * rng.choice([5, 6, 8]) for n in c["num_attention_heads"]]
    c["sequence_reduction_ratios"] = [rng.choice([4, 3]), 2][:count - 1] + [1]
    c["patch_sizes"] = c["strides"] = [4] + [2] * (count - 1)
    c["mlp_ratios"] = [rng.choice([1, 2, 4]) for _ in range(count)]
    choose(c, rng, image_size=[32, 48], num_channels=[1, 3], hidden_act=ACTIVATIONS, qkv_bias=[True, False])


def pvt_v2(c: dict, rng) -> None:
    count = rng.choice([3, 4])
    c["num_encoder_blocks"] = count
    c["depths"] = [rng.choice([1, 2]) for _ in range(count)]
    c["num_attention_heads"] = [rng.choice([1, 2, 3]) for _ in range(count)]
    c["hidden_sizes"] = [n * rng.choice([5, 6, 8]) for n in c["num_attention_heads"]]
    c["sr_ratios"] = [rng.choice([4, 3]), 2, rng.choice([1, 2]), 1][:count]
    c["patch_sizes"] = [rng.choice([5, 7])] + [rng.choice([3, 5]) for _ in range(count - 1)]
    c["strides"] = [4] + [rng.choice([1, 2]) for _ in range(count - 1)]
    c["mlp_ratios"] = [rng.choice([1, 2, 4]) for _ in range(count)]
    choose(c, rng, num_channels=[1, 3], hidden_act=ACTIVATIONS, qkv_bias=[True, False], linear_attention=[False, True])
    pick_stages(c, rng, count, stem=False)


def cvt(c: dict, rng) -> None:
    """A class token has the last stage's width."""
    count = rng.choice([2, 3])
    c["depth"] = [i + rng.choice([1, 2]) for i in range(count)]  # rates of dropped paths are looked up by stage
    c["num_heads"] = [rng.choice([1, 2, 3]) for _ in range(count)]
    c["embed_dim"] = [n * rng.choice([5, 6, 8]) for n in c["num_heads"]]
    c["patch_sizes"] = [rng.choice([5, 7])] + [3] * (count - 1)
    c["patch_stride"] = [rng.choice([3, 4])] + [2] * (count - 1)
    c["patch_padding"] = [2] + [1] * (count - 1)
    for field, options in {"mlp_ratio": [1.5, 2.0, 4.0], "qkv_bias": [True, False], "kernel_qkv": [3], "padding_kv": [1], "padding_q": [1],
                           "stride_kv": [1, 2], "stride_q": [1], "qkv_projection_method": ["dw_bn"], "cls_token": [False],
                           "attention_drop_rate": [0.0], "drop_rate": [0.0], "drop_path_rate": [0.0]}.items():
        c[field] = [rng.choice(options) for _ in range(count)]
    c["cls_token"][-1] = c["architectures"][0] == "CvtForImageClassification" or rng.choice([True, False])  # it asks for the token
    choose(c, rng, num_channels=[1, 3])


def levit(c: dict, rng) -> None:
    choose(c, rng, num_channels=[1, 3], image_size=[64, 96, 128])
    c["key_dim"] = [rng.choice([4, 6, 8]) for _ in range(3)]
    c["num_attention_heads"] = [rng.choice([1, 2, 3]) for _ in range(3)]
    c["hidden_sizes"] = sorted(8 * rng.randint(1, 5) for _ in range(3))
    c["depths"] = [rng.choice([1, 2]) for _ in range(3)]
    c["mlp_ratio"] = [rng.choice([1, 2]) for _ in range(3)]
    c["attention_ratio"] = [rng.choice([1, 2]) for _ in range(3)]
    c.pop("down_ops", None)


def hgnet_v2(c: dict, rng) -> None:
    count = rng.choice([2, 3])
    c["stage_out_channels"] = [rng.choice([12, 16, 22]) for _ in range(count)]
    c["stem_channels"] = [rng.choice([1, 3]), rng.choice([6, 10]), rng.choice([8, 12])]
    c["num_channels"] = c["stem_channels"][0]
    c["stage_in_channels"] = [c["stem_channels"][2], *c["stage_out_channels"][:-1]]
    c["hidden_sizes"], c["depths"] = list(c["stage_out_channels"]), [1] * count
    for field, options in {"stage_mid_channels": [5, 8], "stage_num_blocks": [1, 2], "stage_downsample": [True, False], "stage_light_block":
                           [True, False], "stage_kernel_size": [3, 5], "stage_numb_of_layers": [1, 2, 3], "stage_downsample_strides": [2]}.items():
        c[field] = [rng.choice(options) for _ in range(count)]
    choose(c, rng, hidden_act=["relu", "silu"], use_learnable_affine_block=[False, True])
    pick_stages(c, rng, count)


def textnet(c: dict, rng) -> None:
    c["hidden_sizes"] = [rng.choice([8, 12, 18]) for _ in range(5)]
    c["conv_layer_kernel_sizes"] = [[rng.choice([[3, 3], [1, 3], [3, 1]]) for _ in range(rng.choice([1, 2]))] for _ in range(4)]
    c["conv_layer_strides"] = [[rng.choice([1, 2])] + [1] * (len(stage) - 1) for stage in c["conv_layer_kernel_sizes"]]
    c["stem_out_channels"] = c["hidden_sizes"][0]
    c["depths"] = [len(stage) for stage in c["conv_layer_kernel_sizes"]]
    choose(c, rng, stem_num_channels=[1, 3], stem_act_func=["relu", "silu"], batch_norm_eps=[1e-5, 1e-3])
    pick_stages(c, rng, 4)


def pp_lcnet(c: dict, rng) -> None:
    """Each stage takes what the one before gives."""
    choose(c, rng, scale=[1.0, 0.5, 1.25], stem_channels=[8, 16], stem_stride=[1, 2], reduction=[2, 4], divisor=[4, 8], hidden_act=["relu", "hardswish"])
    c["block_configs"], width = [], c["stem_channels"]
    for _ in range(5):
        stage = []
        for _ in range(rng.choice([1, 2])):
            out = rng.choice([width, 16, 24])
            stage.append([rng.choice([3, 5]), width, out, rng.choice([1, 2]), rng.choice([True, False])])
            width = out
        c["block_configs"].append(stage)
    c["depths"] = [len(stage) for stage in c["block_configs"]]
    if "class_expand" in c:
        choose(c, rng, class_expand=[20, 30])
    pick_stages(c, rng, 5)


def pp_lcnet_v3(c: dict, rng) -> None:
    pp_lcnet(c, rng)
    choose(c, rng, conv_symmetric_num=[1, 2, 3])


def pp_lcnet_v4(c: dict, rng) -> None:
    pp_lcnet(c, rng)
    stem = c["block_configs"][0][0][1]
    c["block_configs"] = [[[k, i, o, [2, 1] if st == 2 else 1, se] for k, i, o, st, se in stage] for stage in c["block_configs"][:4]]
    c["depths"] = [len(stage) for stage in c["block_configs"]]
    c["stem_channels"] = [3, rng.choice([6, 10]), stem]
    choose(c, rng, stem_type=["large", "small"], use_learnable_affine_block=[True, False], hidden_act=["relu", "silu"])
    for field in ("stage_out_channels", "scale", "stem_stride", "divisor", "class_expand"):
        c.pop(field, None)
    pick_stages(c, rng, 4)


def mobilevitv2(c: dict, rng) -> None:
    choose(c, rng, num_channels=[1, 3], patch_size=[1, 2], conv_kernel_size=[3, 5], expand_ratio=[2.0, 1.5], output_stride=[8, 16, 32],
           hidden_act=["swish", "relu"], layer_norm_eps=[1e-5, 1e-4], aspp_out_channels=range(10, 30), ffn_multiplier=[2, 3])
    c["base_attn_unit_dims"] = [rng.choice([32, 48, 72]) for _ in range(3)]
    c["n_attn_blocks"] = [rng.choice([1, 2]) for _ in range(3)]
    c["atrous_rates"] = [rng.randint(1, 4) for _ in range(3)]


def swiftformer(c: dict, rng) -> None:
    count = rng.choice([2, 3, 4])
    c["depths"] = [rng.choice([1, 2]) for _ in range(count)]
    c["embed_dims"] = [rng.choice([10, 16, 22]) for _ in range(count)]
    c["downsamples"] = [rng.choice([True, False]) for _ in range(count)]
    choose(c, rng, num_channels=[1, 3], mlp_ratio=[1, 2, 4], hidden_act=ACTIVATIONS, use_layer_scale=[True, False], batch_norm_eps=[1e-5, 1e-3])


def imagegpt(c: dict, rng) -> None:
    heads(c, rng, "n_embd", "n_head")
    choose(c, rng, n_layer=[1, 2, 3], n_positions=range(40, 90), vocab_size=range(60, 140), n_inner=[None, 50, 67],
           activation_function=["quick_gelu", "gelu", "relu"], layer_norm_epsilon=[1e-5, 1e-6], scale_attn_by_inverse_layer_idx=[False, True])


def eomt(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[2, 3], num_blocks=[1, 2], num_upscale_blocks=[1, 2], num_queries=[3, 7], num_register_tokens=[1, 2, 4],
           patch_size=[3, 4], num_channels=[1, 3], hidden_act=ACTIVATIONS, use_swiglu_ffn=[False, True], mlp_ratio=[2, 4])
    c["image_size"] = c["patch_size"] * rng.randint(4, 7)


def eomt_dinov3(c: dict, rng) -> None:
    dinov3_vit(c, rng)
    choose(c, rng, num_blocks=[1, 2], num_upscale_blocks=[1, 2], num_queries=[3, 7])
    del c["rope_theta"]
    c["rope_parameters"]["rope_theta"] = rng.choice([100.0, 20.0])


def chmv2(c: dict, rng) -> None:
    """As many feature maps as are reassembled, of tokens that are known one by one."""
    backbone = c["backbone_config"]
    backbone["architectures"] = ["DINOv3ViTBackbone"]
    dinov3_vit(backbone, rng)
    backbone["num_channels"] = 3
    backbone["out_features"] = ["stage1", "stage2"]
    backbone["architectures"] = None
    choose(c, rng, fusion_hidden_size=[12, 16], head_hidden_size=[10, 16], number_output_channels=[1, 4, 7],
           readout_type=["project", "add", "ignore"], bins_strategy=["linear", "log", "chmv2_mixlog"],
           norm_strategy=["linear", "softmax", "sigmoid", "chmv2_mixlog"], reassemble_factors=[[4, 2], [2, 1], [1, 0.5]])
    c["post_process_channels"], c["patch_size"] = [rng.choice([10, 14]) for _ in range(2)], backbone["patch_size"]


def pixio(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[2, 3], n_cls_tokens=[1, 3, 8], patch_size=[3, 4], num_channels=[1, 3], hidden_act=ACTIVATIONS,
           qkv_bias=[True, False], mlp_ratio=[2, 4])
    c["image_size"] = c["patch_size"] * rng.randint(3, 6)
    pick_stages(c, rng, c["num_hidden_layers"])


def mgp_str(c: dict, rng) -> None:
    c["num_attention_heads"] = rng.choice([2, 4])
    c["hidden_size"] = 8 * c["num_attention_heads"] * rng.choice([1, 2])
    choose(c, rng, num_hidden_layers=[1, 2], max_token_length=range(5, 12), num_bpe_labels=range(50, 90), num_character_labels=range(20, 40),
           num_wordpiece_labels=range(50, 90), mlp_ratio=[2.0, 3.5], qkv_bias=[True, False], num_channels=[1, 3], patch_size=[4, [4, 3]],
           image_size=[[16, 24], [12, 36]])


def radio(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], num_cls_tokens=[2, 3], num_registers=[1, 4], patch_size=[3, 4], hidden_act=ACTIVATIONS,
           qkv_bias=[True, False], mlp_ratio=[1.5, 2.0], summary_idxs=[[0], [1, 0], [0, 1]])
    c["max_img_size"] = c["patch_size"] * rng.choice([5, 8])
    c["patch_dim"] = 3 * c["patch_size"] ** 2


def mlcd_vision_model(c: dict, rng) -> None:
    c["num_attention_heads"] = rng.choice([2, 3, 5])
    c["hidden_size"] = 4 * c["num_attention_heads"] * rng.choice([2, 3])
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 60), patch_size=[3, 4], num_channels=[1, 3], hidden_act=ACTIVATIONS)
    c["rope_parameters"]["rope_theta"] = rng.choice([10000.0, 100.0])
    c["image_size"] = c["patch_size"] * rng.randint(3, 6)


def aimv2_vision_model(c: dict, rng) -> None:
    c["num_attention_heads"] = rng.choice([2, 3, 5])
    c["hidden_size"] = 4 * c["num_attention_heads"] * rng.choice([2, 3])
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 60), patch_size=[3, 4], num_channels=[1, 3], hidden_act=["silu", "gelu"],
           qkv_bias=[True, False], mlp_bias=[True, False], is_native=[True, False])
    c["image_size"] = c["patch_size"] * rng.randint(3, 6)


def aimv2_text_model(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 60), vocab_size=range(60, 140), max_position_embeddings=range(20, 40),
           hidden_act=["silu", "gelu"], qkv_bias=[True, False], mlp_bias=[True, False])


def aimv2(c: dict, rng) -> None:
    aimv2_text_model(c["text_config"], rng)
    aimv2_vision_model(c["vision_config"], rng)
    choose(c, rng, projection_dim=range(10, 40), max_logit_scale=[100.0, 5.0])


VISION = {"dinov3_vit": dinov3_vit, "dinov3_convnext": dinov3_convnext, "hiera": hiera, "focalnet": focalnet, "pvt": pvt,
          "pvt_v2": pvt_v2, "cvt": cvt, "levit": levit, "hgnet_v2": hgnet_v2, "textnet": textnet, "pp_lcnet": pp_lcnet,
          "pp_lcnet_v3": pp_lcnet_v3, "pp_lcnet_v4": pp_lcnet_v4, "mobilevitv2": mobilevitv2, "swiftformer": swiftformer}
VISION |= {"imagegpt": imagegpt, "eomt": eomt, "eomt_dinov3": eomt_dinov3, "chmv2": chmv2, "pixio": pixio, "mgp-str": mgp_str,
           "radio": radio, "mlcd_vision_model": mlcd_vision_model, "aimv2": aimv2, "aimv2_text_model": aimv2_text_model,
           "aimv2_vision_model": aimv2_vision_model}


def sides(c: dict, architecture: str, rng) -> list[int]:
    """Height and width of a case's images."""
    kind = c["model_type"]
    if kind in SIDES and "MaskedImage" not in architecture:
        return [rng.choice(SIDES[kind]), rng.choice(SIDES[kind])]
    if kind == "radio":
        return [c["patch_size"] * rng.randint(3, 7) for _ in range(2)]
    size = c.get("backbone_config", c)["image_size"]
    if kind in ("dinov3_vit", "pixio", "mlcd_vision_model") or c.get("is_native"):
        return [size, size + rng.choice([0, 1, c["patch_size"]])]
    return list(size) if isinstance(size, list) else [size, size]


def units(c: dict) -> int:
    """Of Hiera's image."""
    return int(np.prod([i // s // u for i, s, u in zip(c["image_size"], c["patch_stride"], c["masked_unit_size"])]))


def vision_input(inputs, entry: dict) -> dict | None:
    """The input, or None where it is like other models' inputs."""
    c, name = inputs.config, entry["name"]
    if c["model_type"] not in VISION:
        return None
    ends = {"lo": entry.get("lo"), "hi": entry.get("hi")}
    if name == "noise":
        return {"shape": [inputs.rows, units(c)], **ends}
    if name == "pixel_values":
        c = c.get("vision_config", c)
        return {"shape": [inputs.rows, c.get("num_channels", c.get("stem_num_channels", 3)), *sides(c, inputs.data["architecture"], inputs.rng)], **ends}
    if name == "token_type_ids":
        return {"values": inputs.draw(range(c["vocab_size"]), (inputs.rows, inputs.width("text")))}
    return None
