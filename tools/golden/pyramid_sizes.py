"""Other sizes for image models whose maps shrink from stage to stage: see `sizes.py`."""

from sizes import ACTIVATIONS, choose, stages

# The sides that images of a type may have, where it takes any.
SIDES = {"convnextv2": [32, 40, 48], "regnet": [32, 40, 48], "poolformer": [32, 40, 48], "segformer": [64, 72, 80],
         "mobilenet_v2": [32, 37, 48], "mobilenet_v1": [32, 37, 48], "mobilevit": [32, 40, 48], "bit": [32, 40, 48],
         "efficientnet": [32, 37, 48]}


def image_sides(config: dict, architecture: str, rng) -> list[int]:
    """Height and width of a case's images. Swin takes any, unless it has a position for each patch or paints squares."""
    kind = config["model_type"]
    if kind in SIDES:
        return [rng.choice(SIDES[kind]), rng.choice(SIDES[kind])]
    size = config["image_size"]
    if "swin" in kind and not config["use_absolute_embeddings"] and "Masked" not in architecture:
        return [size, size + rng.choice([0, 1, config["patch_size"], 2 * config["patch_size"] + 1])]
    return list(size) if isinstance(size, list) else [size, size]


def is_backbone(c: dict) -> bool:
    return c["architectures"][0].endswith("Backbone")


def convnextv2(c: dict, rng) -> None:
    stages(c, rng, is_backbone(c))
    choose(c, rng, patch_size=[2, 4], num_channels=[1, 3], hidden_act=ACTIVATIONS)


def regnet(c: dict, rng) -> None:
    """Widths are multiples of those of groups."""
    stages(c, rng, False)
    choose(c, rng, embedding_size=range(8, 40), num_channels=[1, 3], groups_width=[4, 5, 6], layer_type=["x", "y"],
           downsample_in_first_stage=[False, True], hidden_act=["relu", "silu"])
    c["hidden_sizes"] = [c["groups_width"] * rng.randint(1, 5) for _ in c["depths"]]


def poolformer(c: dict, rng) -> None:
    stages(c, rng, False)
    count = len(c["depths"])
    choose(c, rng, num_channels=[1, 3], pool_size=[3, 5], mlp_ratio=[1.5, 2.0, 4.0], use_layer_scale=[True, True, False],
           hidden_act=ACTIVATIONS)
    c["num_encoder_blocks"] = count
    c["patch_sizes"] = [rng.choice([5, 7])] + [rng.choice([2, 3]) for _ in range(count - 1)]
    c["strides"] = [rng.choice([2, 4])] + [rng.choice([1, 2]) for _ in range(count - 1)]
    c["padding"] = [rng.choice([1, 2])] + [1] * (count - 1)


def swin(c: dict, rng) -> None:
    """No map is smaller than a window."""
    count, first = rng.choice([2, 3]), rng.choice([1, 2, 3])
    choose(c, rng, patch_size=[2, 3], window_size=[2, 3, 4], num_channels=[1, 3], qkv_bias=[True, False],
           mlp_ratio=[1.5, 2.0, 4.0], hidden_act=ACTIVATIONS, layer_norm_eps=[1e-5, 1e-6], encoder_stride=[4, 6])
    c["depths"] = [rng.choice([1, 2]) for _ in range(count)]
    c["num_heads"] = [first] + [first * rng.choice([1, 2]) for _ in range(count - 1)]
    c["embed_dim"] = first * rng.choice([5, 6, 8])
    c["hidden_size"] = c["embed_dim"] * 2 ** (count - 1)
    c["image_size"] = c["patch_size"] * (c["window_size"] * 2 ** (count - 1) + rng.choice([0, 1, 2]))
    if "num_layers" in c:
        c["num_layers"] = count
    if "stage_names" in c:
        c["stage_names"] = ["stem"] + [f"stage{i + 1}" for i in range(count)]
        c["out_indices"] = [count - 1, count]
        c["out_features"] = [c["stage_names"][i] for i in c["out_indices"]]


def swinv2(c: dict, rng) -> None:
    swin(c, rng)
    c["pretrained_window_sizes"] = [rng.choice([0, 2, 4, 6]) for _ in c["depths"]]


def segformer(c: dict, rng) -> None:
    count = rng.choice([3, 4])
    choose(c, rng, num_channels=[1, 3], hidden_act=ACTIVATIONS, decoder_hidden_size=range(10, 40))
    c["num_encoder_blocks"] = count
    c["depths"] = [rng.choice([1, 2]) for _ in range(count)]
    c["num_attention_heads"] = [rng.choice([1, 2, 3]) for _ in range(count)]
    c["hidden_sizes"] = [n * rng.choice([5, 6, 8]) for n in c["num_attention_heads"]]
    c["sr_ratios"] = [rng.choice([4, 3]), 2, rng.choice([1, 2]), 1][:count]
    c["patch_sizes"] = [rng.choice([5, 7])] + [rng.choice([3, 5]) for _ in range(count - 1)]
    c["strides"] = [4] + [rng.choice([1, 2]) for _ in range(count - 1)]
    c["mlp_ratios"] = [rng.choice([1, 2, 4]) for _ in range(count)]


def mobilenet_v1(c: dict, rng) -> None:
    choose(c, rng, depth_multiplier=[0.25, 0.3, 0.4], num_channels=[1, 3], min_depth=[8, 11], tf_padding=[True, False],
           hidden_act=["relu6", "relu", "silu"], layer_norm_eps=[1e-3, 1e-5])


def mobilenet_v2(c: dict, rng) -> None:
    mobilenet_v1(c, rng)
    choose(c, rng, depth_divisible_by=[4, 8], expand_ratio=[2, 3.5, 6], output_stride=[8, 16, 32],
           first_layer_is_expansion=[True, False], finegrained_output=[True, False])


def mobilevit(c: dict, rng) -> None:
    choose(c, rng, num_attention_heads=[2, 3, 4], num_channels=[1, 3], patch_size=[2, 3], conv_kernel_size=[3, 5],
           mlp_ratio=[1.5, 2.0], expand_ratio=[2.0, 3.0], output_stride=[8, 16, 32], qkv_bias=[True, False],
           hidden_act=ACTIVATIONS, layer_norm_eps=[1e-5, 1e-6], aspp_out_channels=range(10, 30))
    c["hidden_sizes"] = [c["num_attention_heads"] * rng.choice([3, 4, 5]) for _ in range(3)]
    c["neck_hidden_sizes"] = [rng.randint(5, 24) for _ in range(7)]
    c["atrous_rates"] = [rng.randint(1, 4) for _ in range(3)]


def bit(c: dict, rng) -> None:
    """Widths are multiples of 8, as the class rounds them."""
    stages(c, rng, is_backbone(c))
    choose(c, rng, embedding_size=[8, 16, 24], num_channels=[1, 3], num_groups=[1, 2, 4, 8], output_stride=[8, 16, 32],
           layer_type=["preactivation", "bottleneck"], global_padding=[None, "SAME"],
           embedding_dynamic_padding=[False, True], hidden_act=["relu", "silu"])
    c["hidden_sizes"] = [8 * rng.randint(1, 6) for _ in c["depths"]]


def efficientnet(c: dict, rng) -> None:
    """Each stage takes what the one before gives; hidden_dim follows the width."""
    count = rng.choice([2, 3, 4])
    choose(c, rng, num_channels=[1, 3], width_coefficient=[0.25, 0.5], depth_coefficient=[1.0, 1.2], depth_divisor=[4, 8],
           squeeze_expansion_ratio=[0.25, 0.5], pooling_type=["mean", "max"], hidden_act=["swish", "relu", "gelu"],
           batch_norm_eps=[1e-3, 1e-5])
    c["hidden_dim"] = int(1280 * c["width_coefficient"])
    c["out_channels"] = [rng.randint(12, 60) for _ in range(count)]
    c["in_channels"] = [32, *c["out_channels"][:-1]]
    c["kernel_sizes"] = [rng.choice([3, 5]) for _ in range(count)]
    c["strides"] = [rng.choice([1, 2]) for _ in range(count)]
    c["num_block_repeats"] = [rng.choice([1, 2]) for _ in range(count)]
    c["expand_ratios"] = [rng.choice([1, 3, 4]) for _ in range(count)]
    c["depthwise_padding"] = rng.choice([[], [0], [1, 2]])
    c["num_hidden_layers"] = 4 * sum(c["num_block_repeats"])


PYRAMIDS = {"convnextv2": convnextv2, "regnet": regnet, "poolformer": poolformer, "swin": swin, "donut-swin": swin,
            "maskformer-swin": swin, "swinv2": swinv2, "segformer": segformer, "mobilenet_v1": mobilenet_v1,
            "mobilenet_v2": mobilenet_v2, "mobilevit": mobilevit, "bit": bit, "efficientnet": efficientnet}
