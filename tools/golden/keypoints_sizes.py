"""Other sizes for models that find keypoints and match them, and others around images, and inputs of such sizes: see `sizes.py`
and `vary.py`."""

from sizes import ACTIVATIONS, choose


def superpoint(c: dict, rng) -> None:
    """Any number of halvings; scores of about 1/64, so that the threshold divides pixels."""
    c["encoder_hidden_sizes"] = [rng.choice([4, 6, 8, 12]) for _ in range(rng.choice([2, 3, 4]))]
    choose(c, rng, decoder_hidden_size=range(6, 30), descriptor_decoder_dim=range(6, 30), nms_radius=[1, 2, 3, 5], border_removal_distance=[2, 4, 7],
           max_keypoints=[-1, 12, 25], keypoint_threshold=[0.005, 0.016, 0.0175])


def matcher(c: dict, rng, field: str) -> None:
    superpoint(c["keypoint_detector_config"], rng)
    choose(c, rng, num_attention_heads=[1, 2, 3, 4])
    c[field] = c["num_attention_heads"] * rng.choice([4, 6, 8])
    c["keypoint_detector_config"]["descriptor_decoder_dim"] = c[field]


def superglue(c: dict, rng) -> None:
    matcher(c, rng, "hidden_size")
    c["gnn_layers_types"] = [rng.choice(["self", "cross"]) for _ in range(rng.randint(1, 4))]
    c["keypoint_encoder_sizes"] = [rng.randint(4, 20) for _ in range(rng.randint(1, 3))]
    choose(c, rng, sinkhorn_iterations=[3, 20, 50], matching_threshold=[0.0, 0.002])


def lightglue(c: dict, rng) -> None:
    matcher(c, rng, "descriptor_dim")
    if rng.random() < 0.5:
        c["keypoint_detector_config"]["descriptor_decoder_dim"] += 3
    c["num_key_value_heads"] = rng.choice([1, c["num_attention_heads"]])
    c["hidden_size"], c["intermediate_size"] = c["descriptor_dim"], 2 * c["descriptor_dim"]
    choose(c, rng, num_hidden_layers=[2, 3], filter_threshold=[0.0, 0.001], width_confidence=[0.45, 0.5, 0.95], attention_bias=[True, False])


def efficientloftr(c: dict, rng) -> None:
    """Heads of which four times as much is turned as they have, by rows and columns in turn: eight."""
    count = rng.choice([2, 3])
    c["hidden_size"] = 8 * rng.choice([2, 3])
    c["stage_num_blocks"] = [rng.choice([1, 2]) for _ in range(count)]
    c["stage_stride"] = [2, 1, 2][:count]
    c["out_features"] = [rng.choice([6, 10]), rng.choice([12, 14]), 0][:count]
    c["out_features"][-1] = c["hidden_size"]
    choose(c, rng, num_attention_layers=[1, 2], attention_bias=[True, False], fine_kernel_size=[2 ** (count - 1)], fine_matching_slice_dim=[3, 4, 8],
           coarse_matching_border_removal=[0, 1], coarse_matching_threshold=[0.0, 0.01], activation_function=["relu", "gelu", "silu"],
           coarse_matching_temperature=[0.1, 0.5], fine_matching_regress_temperature=[1.0, 10.0])
    for field in ("stage_block_in_channels", "stage_block_out_channels", "stage_block_stride", "stage_in_channels", "fine_fusion_dims", "intermediate_size"):
        c.pop(field, None)


def bridgetower(c: dict, rng) -> None:
    """Heads of the image's tower have 64 numbers or somewhat more."""
    text, picture = c["text_config"], c["vision_config"]
    text["num_attention_heads"] = rng.choice([1, 2, 3])
    text["hidden_size"] = c["hidden_size"] = text["num_attention_heads"] * rng.choice([6, 8])
    choose(text, rng, num_hidden_layers=[2, 3], intermediate_size=range(20, 40), vocab_size=range(40, 90), max_position_embeddings=[24, 30], hidden_act=ACTIVATIONS)
    choose(picture, rng, hidden_size=[64, 72], patch_size=[4, 8], num_channels=[1, 3])
    if "Contrastive" in c["architectures"][0]:  # the image's tower is as wide as the others
        text["num_attention_heads"] = rng.choice([1, 2, 4])
        text["hidden_size"] = c["hidden_size"] = picture["hidden_size"] = 64
    picture["image_size"] = picture["patch_size"] * rng.choice([2, 3])
    picture["num_hidden_layers"] = text["num_hidden_layers"]
    c["num_hidden_layers"] = rng.randint(1, text["num_hidden_layers"])
    choose(c, rng, link_tower_type=["add", "scaled_add", "interpolate"], contrastive_hidden_size=range(10, 30), hidden_act=ACTIVATIONS,
           share_cross_modal_transformer_layers=[True] if "Contrastive" in c["architectures"][0] else [True, False])
    c["num_attention_heads"] = text["num_attention_heads"]


def omdet(c: dict, rng) -> None:
    c["d_model"] = c["decoder_hidden_dim"] = 4 * rng.choice([2, 4])
    c["vision_features_channels"] = 3 * [c["d_model"]]
    size = rng.choice([12, 20])
    c["text_projection_in_dim"] = c["text_projection_out_dim"] = c["class_embed_dim"] = size
    c["text_config"] |= {"hidden_size": size, "vocab_size": rng.randint(40, 90), "bos_token_id": 1, "eos_token_id": 2, "max_position_embeddings": 16}
    choose(c, rng, num_queries=range(5, 30), task_encoder_hidden_dim=range(10, 40), encoder_attention_heads=[1, 2, 4], decoder_num_heads=[1, 2, 4],
           encoder_dim_feedforward=range(10, 40), decoder_dim_feedforward=range(10, 40), decoder_num_layers=[1, 2, 3], encoder_layers=[1, 2],
           decoder_num_points=[1, 2, 4], csp_activation=["silu", "relu"], conv_norm_activation=["gelu", "relu"], decoder_activation=["relu", "gelu"],
           hidden_expansion=[1, 2], class_distance_type=["cosine", "dot"])


KEYPOINTS = {"superpoint": superpoint, "superglue": superglue, "lightglue": lightglue, "efficientloftr": efficientloftr,
             "bridgetower": bridgetower, "omdet-turbo": omdet}


def texts_input(inputs, name: str) -> dict | None:
    """OmDet-Turbo's: one to three classes of each image."""
    rng, rows = inputs.rng, inputs.rows
    counts = [1 + i % 3 for i in range(rows)]
    height = sum(counts) if name.startswith("classes") else rows
    if name == "classes_structure":
        return {"values": counts}
    if name.endswith("input_ids"):
        return {"values": inputs.draw(range(3, inputs.config["text_config"]["vocab_size"]), (height, 6))}
    if name == "classes_attention_mask":
        return {"values": [[1] * 6] * height}
    if name == "tasks_attention_mask":
        return {"mask": [6] + [rng.randint(2, 6) for _ in range(rows - 1)]}
    return None


def keypoints_input(inputs, entry: dict) -> dict | None:
    """The input, or None where it is like other models' inputs."""
    c, name = inputs.config, entry["name"]
    if c["model_type"] not in KEYPOINTS:
        return None
    if c["model_type"] == "omdet-turbo" and name != "pixel_values":
        return texts_input(inputs, name)
    if name == "pixel_mask":
        size = c["vision_config"]["image_size"]
        return {"values": inputs.draw([0, 1], (inputs.rows, size, size))}
    if name != "pixel_values":
        return None
    if c["model_type"] == "bridgetower":
        picture = c["vision_config"]
        return {"shape": [inputs.rows, picture["num_channels"], picture["image_size"], picture["image_size"]], "lo": entry["lo"], "hi": entry["hi"]}
    if c["model_type"] == "omdet-turbo":
        return {"shape": [inputs.rows, 3, 64, inputs.rng.choice([64, 96])], "lo": entry["lo"], "hi": entry["hi"]}
    loftr = c["model_type"] == "efficientloftr"
    sides = [inputs.rng.choice([16, 24, 28] if loftr else [32, 37, 48, 50]) for _ in range(2)]
    pair = [2] if len(entry["shape"]) == 5 else []
    return {"shape": [inputs.rows, *pair, 3, *sides], "lo": entry["lo"], "hi": entry["hi"]}
