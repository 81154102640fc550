"""Other sizes for models that read documents, and inputs of such sizes: see `sizes.py` and `vary.py`."""

from detection_sizes import hgnet_v2, hybrid, maps
from sizes import ACTIVATIONS, choose

# The sides that images of a type may have.
SIDES = {"pp_ocrv5_mobile_det": [64, 96], "pp_ocrv5_server_det": [64, 96], "pp_ocrv6_medium_det": [64, 96], "pp_ocrv6_small_det": [64, 96],
         "slanet": [64, 75, 96], "uvdoc": [64, 80, 96], "uvdoc_backbone": [64, 75, 96], "pp_doclayout_v2": [64, 96], "pp_doclayout_v3": [64, 96],
         "pp_doclayout_v4": [64, 96], "sapiens2": [10, 14, 16]}
LINES = ("pp_ocrv5_mobile_rec", "pp_ocrv5_server_rec", "pp_ocrv6_small_rec", "pp_ocrv6_tiny_rec")
NEW_ACTIVATIONS = ["gelu_new", "silu", "relu"]


def lcnet(backbone: dict, rng, narrow: bool) -> None:
    """Other widths in stages of as many layers or fewer, at the same strides; `narrow` ones are multiples of 16."""
    widths = [16, 32, 48] if narrow else [8, 16, 24]
    before = None
    for stage in backbone["block_configs"]:
        del stage[rng.choice([3, 4, 5]):]
        for layer in stage:
            layer[1] = before or rng.choice(widths)
            layer[2] = before = layer[1] if backbone["model_type"] == "pp_lcnet_v4" and layer[3] == 1 and rng.random() < 0.7 else rng.choice(widths)
            layer[0], layer[4] = rng.choice([3, 5]), rng.choice([False, True])
    if backbone["model_type"] == "pp_lcnet_v4":
        first = backbone["block_configs"][0][0][1]
        backbone["stem_channels"], backbone["reduction"] = [3, 2 * rng.choice([3, 5, 8]), first], rng.choice([2, 4])
        backbone["stage_out_channels"] = [stage[-1][2] for stage in backbone["block_configs"]]
        backbone["stem_type"] = rng.choice(["small", "large"])
    else:
        backbone["stem_channels"] = backbone["block_configs"][0][0][1]
        backbone["scale"], backbone["divisor"] = 1, 8 if not narrow else 16
    backbone["depths"] = [len(stage) for stage in backbone["block_configs"]]


def conv_symmetric(backbone: dict, rng) -> None:
    backbone["conv_symmetric_num"] = rng.choice([1, 2, 3])


def light_det(c: dict, rng) -> None:
    choose(c, rng, reduction=[2, 3, 4], neck_out_channels=[16, 20, 32], interpolate_mode=["nearest", "bilinear"])
    c["kernel_list"] = rng.choice([[3, 2, 2], [5, 3, 2], [1, 2, 4]])
    backbone = c["backbone_config"]
    lcnet(backbone, rng, False)
    if c["model_type"] == "pp_ocrv5_mobile_det":
        conv_symmetric(backbone, rng)
        c["layer_list_out_channels"] = [rng.choice(range(8, 30)) for _ in range(4)]
    else:
        c["layer_list_out_channels"] = backbone["stage_out_channels"]
        choose(c, rng, dilated_kernel_size=[3, 5, 7])


def path_det(c: dict, rng) -> None:
    choose(c, rng, neck_out_channels=[16, 24, 32], interpolate_mode=["nearest", "bilinear"], reduce_factor=[1, 2], hidden_act=["relu", "silu"])
    c["kernel_list"] = [rng.choice([1, 3, 5]), rng.choice([2, 3]), 2]
    if c["model_type"] == "pp_ocrv5_server_det":
        hgnet_v2(c["backbone_config"], rng)
        maps(c["backbone_config"], ["stage1", "stage2", "stage3", "stage4"])
    else:
        lcnet(c["backbone_config"], rng, False)


def line_rec(c: dict, rng) -> None:
    heads = rng.choice([2, 3, 4])
    c["num_attention_heads"], c["hidden_size"] = heads, heads * rng.choice([4, 5, 6])
    choose(c, rng, depth=[1, 2, 3], mlp_ratio=[1.5, 2.0, 3.0], head_out_channels=range(10, 40), qkv_bias=[True, False], hidden_act=["silu", "gelu"],
           layer_norm_eps=[1e-5, 1e-6])
    c["conv_kernel_size"] = rng.choice([[1, 3], [1, 5], [3, 3]])
    if c["model_type"] == "pp_ocrv5_server_rec":
        strides = c["backbone_config"]["stage_downsample_strides"]
        hgnet_v2(c["backbone_config"], rng)
        c["backbone_config"]["stage_downsample_strides"] = strides
        maps(c["backbone_config"], ["stage1", "stage4"])
    else:
        lcnet(c["backbone_config"], rng, True)
        if c["model_type"] == "pp_ocrv5_mobile_rec":
            conv_symmetric(c["backbone_config"], rng)


def slanet(c: dict, rng) -> None:
    choose(c, rng, post_conv_out_channels=[12, 16, 20], out_channels=range(5, 14), hidden_size=range(10, 30), max_text_length=[3, 4, 6],
           csp_kernel_size=[3, 5], csp_num_blocks=[1, 2], hidden_act=["hardswish", "relu"])
    lcnet(c["backbone_config"], rng, False)


def slanext(c: dict, rng) -> None:
    choose(c, rng, post_conv_out_channels=[12, 16, 20], out_channels=range(5, 14), hidden_size=range(10, 30), max_text_length=[3, 4, 6])
    v = c["vision_config"]
    v["num_attention_heads"] = rng.choice([1, 2, 3])
    v["hidden_size"] = v["num_attention_heads"] * rng.choice([4, 6])
    choose(v, rng, num_hidden_layers=[2, 3], window_size=[0, 2, 3], mlp_dim=range(10, 30), output_channels=[8, 10], patch_size=[4, 8],
           image_size=[32, 48], qkv_bias=[False, True], use_rel_pos=[False, True], use_abs_pos=[False, True])
    v["global_attn_indexes"] = [1]
    c["post_conv_in_channels"] = v["output_channels"]


def uvdoc_backbone(c: dict, rng) -> None:
    first, middle, last = (rng.choice([6, 8, 10, 12]) for _ in range(3))
    c["resnet_head"] = [[3, rng.choice([4, 6])], [0, first]]
    c["resnet_head"][1][0] = c["resnet_head"][0][1]
    c["resnet_configs"] = [[[first, first, 1, False]], [[first, middle, 1, True], [middle, middle, rng.choice([2, 3]), False]],
                           [[middle, last, 1, True], [last, last, 3, False]]]
    c["stage_configs"] = [[[last, rng.choice([1, 2, 5])] for _ in range(rng.choice([1, 2, 3]))] for _ in range(rng.choice([2, 3]))]
    c["kernel_size"] = rng.choice([5, 5])
    c["depths"] = [len(stage) for stage in c["stage_configs"]]
    maps(c, [f"stage{i + 1}" for i in range(len(c["stage_configs"]))])


def uvdoc(c: dict, rng) -> None:
    uvdoc_backbone(c["backbone_config"], rng)
    stages = c["backbone_config"]["stage_configs"]
    inner, points = rng.choice([6, 10]), rng.choice([5, 8])
    c["bridge_connector"], c["out_point_positions2D"] = [stages[0][0][0], inner], [[inner, points], [points, rng.choice([2, 3])]]
    choose(c, rng, hidden_act=["prelu", "relu"], padding_mode=["reflect", "replicate", "zeros", "circular"], kernel_size=[3, 5])


def layout(c: dict, rng) -> None:
    hybrid(c, rng)
    choose(c, rng, decoder_n_points=[2, 3, 4], global_pointer_head_size=range(5, 20))
    hgnet_v2(c["backbone_config"], rng)
    names = ["stage2", "stage3", "stage4"]
    if c["model_type"] == "pp_doclayout_v3":
        names = ["stage1", *names]
        c["x4_feat_dim"] = c["backbone_config"]["stage_out_channels"][0]
        choose(c, rng, num_prototypes=range(5, 20), mask_enhanced=[True, True, False])
        c["mask_feature_channels"] = [rng.choice(range(5, 20)) for _ in range(2)]
    if c["model_type"] == "pp_doclayout_v4":
        c["hidden_size"] = c["d_model"]
        choose(c, rng, s2r_steps=[1, 2, 4], s2r_damping=[0.3, 0.5])
    maps(c["backbone_config"], names)
    if c["model_type"] == "pp_doclayout_v2":
        c["num_queries"] = rng.choice(range(4, 12))
        order = c["reading_order_config"]
        order["num_attention_heads"] = rng.choice([1, 2, 4])
        order["hidden_size"] = order["num_attention_heads"] * rng.choice([5, 6, 8])
        choose(order, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(10, 30), coordinate_size=range(5, 15), shape_size=range(5, 15),
               relation_bias_embed_dim=[4, 8, 10], global_pointer_head_size=range(5, 20), hidden_act=ACTIVATIONS,
               has_spatial_attention_bias=[True, True, False])


def sapiens2(c: dict, rng) -> None:
    heads, keys = rng.choice([(4, 2), (4, 1), (6, 3), (3, 3)])
    layers = rng.choice([2, 3])
    c["num_attention_heads"], c["hidden_size"] = heads, 4 * heads * rng.choice([1, 2])
    c["num_key_value_heads_per_layer"] = [rng.choice([heads, keys]) for _ in range(layers)]
    choose(c, rng, intermediate_size=range(10, 40), num_register_tokens=[1, 3], use_qk_norm=[True, False],
           key_bias=[True, False], mlp_bias=[True, False], value_bias=[True, False], proj_bias=[True, False], normalize_backbone_outputs=[True, False],
           reshape_hidden_states=[True, False], rope_theta=[50.0, 100.0])
    c["num_hidden_layers"], c["image_size"] = layers, 16
    head = c["head_config"]
    head["use_pixel_shuffle"] = rng.choice([True, False])
    count, after = rng.choice([1, 2, 3]), rng.choice([0, 1, 2])
    head["upsample_out_channels"] = [rng.choice(range(3, 9)) for _ in range(count)]
    head["upsample_kernel_sizes"] = [rng.choice([3, 4, 5]) for _ in range(count)]
    head["conv_out_channels"] = [rng.choice(range(3, 9)) for _ in range(after)]
    head["conv_kernel_sizes"] = [rng.choice([1, 3]) for _ in range(after)]
    if head["use_pixel_shuffle"]:
        head["upsample_kernel_sizes"] = [rng.choice([3, 5]) for _ in range(count)]
    head["scale_conv_out_channels"] = [rng.choice(range(3, 9)) for _ in range(2)]
    head["scale_conv_kernel_sizes"] = [rng.choice([1, 3]) for _ in range(2)]
    head["scale_final_hidden_sizes"] = [rng.choice(range(3, 9)) for _ in range(2)]
    head.pop("scale_final_input_size", None)
    maps(c, ["stem", f"stage{layers}"])


def pix2struct_text(c: dict, rng) -> None:
    choose(c, rng, d_ff=range(20, 60), d_kv=range(3, 9), num_heads=[2, 3, 4], num_layers=[1, 2, 3], vocab_size=range(60, 110),
           dense_act_fn=NEW_ACTIVATIONS, relative_attention_num_buckets=[8, 16, 32], relative_attention_max_distance=[20, 128])
    c["hidden_size"] = c["d_kv"] * c["num_heads"]


def pix2struct_vision(c: dict, rng) -> None:
    choose(c, rng, d_ff=range(20, 60), d_kv=range(3, 9), num_attention_heads=[2, 3, 4], num_hidden_layers=[1, 2, 3], hidden_size=range(10, 30),
           dense_act_fn=NEW_ACTIVATIONS, patch_embed_hidden_size=range(6, 20), seq_len=[50, 90])


def kosmos(c: dict, rng) -> None:
    t, v = c["text_config"], c["vision_config"]
    t["attention_heads"] = rng.choice([2, 3, 4])
    t["embed_dim"] = t["attention_heads"] * rng.choice([4, 6, 8])
    choose(t, rng, ffn_dim=range(20, 60), layers=[1, 2, 3], vocab_size=range(60, 110), activation_function=ACTIVATIONS, scale_embedding=[True, False],
           layer_norm_eps=[1e-5, 1e-6])
    choose(v, rng, intermediate_size=range(20, 60), head_dim=range(3, 9), num_attention_heads=[2, 3, 4], num_hidden_layers=[1, 2, 3],
           hidden_size=range(10, 30), dense_act_fn=NEW_ACTIVATIONS, patch_embed_hidden_size=range(6, 20), max_num_patches=[50, 90])
    c["latent_query_num"] = rng.choice([2, 3, 4])


def udop(c: dict, rng) -> None:
    choose(c, rng, d_kv=range(4, 10), d_ff=range(20, 60), num_layers=[1, 2, 3], num_decoder_layers=[1, 2, 3], num_heads=[2, 3, 4],
           relative_attention_max_distance=[20, 128], max_2d_position_embeddings=[50, 101, 1024],
           d_model=range(10, 40), layer_norm_epsilon=[1e-5, 1e-6], feed_forward_proj=["relu", "gated-gelu", "gated-silu"])
    c["image_size"], c["patch_size"] = 16, 4


def formulanet_vision(c: dict, rng) -> None:
    c["num_attention_heads"] = rng.choice([1, 2, 3])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([4, 6])
    choose(c, rng, num_hidden_layers=[2, 3], window_size=[0, 2, 3], mlp_dim=range(10, 30), output_channels=[8, 10], patch_size=[4, 8],
           image_size=[32, 48], qkv_bias=[False, True], use_rel_pos=[False, True], use_abs_pos=[False, True], post_conv_mid_channels=range(5, 12),
           post_conv_out_channels=range(5, 12))
    c["global_attn_indexes"], c["post_conv_in_channels"] = [1], c["output_channels"]


def formulanet_text(c: dict, rng) -> None:
    c["decoder_attention_heads"] = rng.choice([2, 3, 4])
    c["d_model"] = c["decoder_attention_heads"] * rng.choice([4, 6, 8])
    choose(c, rng, decoder_ffn_dim=range(20, 60), decoder_layers=[1, 2, 3], vocab_size=range(60, 110), activation_function=ACTIVATIONS,
           scale_embedding=[True, False], max_position_embeddings=[40, 60])


def formulanet(c: dict, rng) -> None:
    formulanet_text(c["text_config"], rng)
    formulanet_vision(c["vision_config"], rng)
    c["vision_config"]["decoder_hidden_size"] = c["text_config"]["d_model"]
    c["decoder_start_token_id"] = 2  # where texts begin; transformers looks for it here


def pix2struct(c: dict, rng) -> None:
    pix2struct_text(c["text_config"], rng)
    pix2struct_vision(c["vision_config"], rng)
    c["vision_config"]["hidden_size"] = c["text_config"]["hidden_size"]


DOCUMENTS = {"pp_ocrv5_mobile_det": light_det, "pp_ocrv6_small_det": light_det, "pp_ocrv5_server_det": path_det, "pp_ocrv6_medium_det": path_det,
             "slanet": slanet, "slanext": slanext, "uvdoc": uvdoc, "uvdoc_backbone": uvdoc_backbone, "pp_doclayout_v2": layout,
             "pp_doclayout_v3": layout, "pp_doclayout_v4": layout, "sapiens2": sapiens2, "pix2struct": pix2struct,
             "pix2struct_text_model": pix2struct_text, "pix2struct_vision_model": pix2struct_vision}
DOCUMENTS |= {"kosmos-2.5": kosmos, "udop": udop, "pp_formulanet": formulanet, "pp_formulanet_text": formulanet_text,
              "pp_formulanet_vision": formulanet_vision}
DOCUMENTS |= {kind: line_rec for kind in LINES}


def channels_of(inputs, kind: str) -> int:
    """Of the map or the tokens that a class reads in place of an image."""
    c = inputs.config
    if kind in ("slanet", "slanext"):
        return c["post_conv_out_channels"]
    if kind == "uvdoc_backbone":
        return c["stage_configs"][0][0][0]
    backbone = c["backbone_config"]
    return backbone["stage_out_channels"][-1] if "stage_out_channels" in backbone else backbone["block_configs"][-1][-1][2]


def patches(inputs, entry: dict) -> dict:
    """Flattened patches: row, column and pixels of each."""
    vision = inputs.config.get("vision_config", inputs.config)
    if not hasattr(inputs, "patch_count"):
        inputs.patch_count = inputs.rng.randint(5, 12)
    if entry["name"] == "attention_mask":
        kept = [inputs.patch_count] + [inputs.rng.randint(3, inputs.patch_count) for _ in range(inputs.rows - 1)]
        return {"values": [[int(i < count) for i in range(inputs.patch_count)] for count in kept]}
    rng, width = inputs.rng, vision["patch_embed_hidden_size"]
    rows = [[[float(rng.randint(0, 9)), float(rng.randint(0, 9))] + [round(rng.uniform(-1, 1), 3) for _ in range(width)]
             for _ in range(inputs.patch_count)] for _ in range(inputs.rows)]
    return {"values": rows, "dtype": "F32"}


def words_on_page(inputs) -> dict:
    """Boxes of words as parts of the page, edges in order."""
    rng = inputs.rng
    boxes = [[[0, 0, 0, 0] for _ in range(inputs.width("text"))] for _ in range(inputs.rows)]
    for box in (box for row in boxes for box in row):
        (box[0], box[2]), (box[1], box[3]) = (sorted(round(rng.random(), 4) for _ in range(2)) for _ in range(2))
    return {"values": boxes, "dtype": "F32"}


def picture_places(inputs) -> dict:
    """As many words of each row as there are rows of its picture."""
    count = inputs.config["latent_query_num"]
    return {"values": [[int(1 <= i <= count) for i in range(inputs.width("text"))] for _ in range(inputs.rows)], "dtype": "F32"}


def documents_input(inputs, entry: dict) -> dict | None:
    """The entry of such a model's input; None: it is none of them."""
    c, kind = inputs.config, inputs.config["model_type"]
    if kind == "kosmos-2.5" and entry["name"] == "flattened_patches":
        return patches(inputs, entry)
    if kind == "kosmos-2.5" and entry["name"] == "image_embeds_position_mask":
        return picture_places(inputs)
    if kind == "kosmos-2.5" and entry["name"] == "attention_mask":
        return {"values": inputs.mask("text").astype(float), "dtype": "F32"}
    if kind == "udop" and entry["name"] == "bbox":
        return words_on_page(inputs)
    if entry["name"] == "encoder_hidden_states" and kind == "pp_formulanet_text":
        return {"shape": [inputs.rows, inputs.rng.randint(3, 9), c["d_model"]], "lo": -1.0, "hi": 1.0}
    if kind in ("pix2struct", "pix2struct_vision_model") and entry["name"] in ("flattened_patches", "attention_mask"):
        return patches(inputs, entry)
    if kind not in DOCUMENTS or entry["dtype"] != "F32":
        return None
    rng, shape = inputs.rng, [inputs.rows]
    if entry["name"] == "hidden_states" and len(entry["shape"]) == 3:
        shape += [rng.randint(5, 30), channels_of(inputs, kind)]
    elif entry["name"] == "hidden_states" and kind in LINES:
        shape += [channels_of(inputs, kind), 1, rng.randint(5, 30)]
    elif entry["name"] == "hidden_states" and kind == "uvdoc_backbone":
        shape += [channels_of(inputs, kind), rng.randint(5, 9), rng.randint(5, 9)]
    elif kind in LINES:
        shape += [3, rng.choice([48, 60]), rng.choice([64, 80, 100])]
    elif kind in ("pp_formulanet", "pp_formulanet_vision"):
        vision = c.get("vision_config", c)
        shape += [3, vision["image_size"], vision["image_size"]]
    elif kind == "slanext":
        shape += [3, c["vision_config"]["image_size"], c["vision_config"]["image_size"]]
    else:
        shape += [3, rng.choice(SIDES[kind]), rng.choice(SIDES[kind])]
    return {"shape": shape, "lo": entry["lo"], "hi": entry["hi"]}
