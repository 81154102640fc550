"""Other sizes for models that find segments and points, and for younger models of videos, and inputs of such sizes: see
`sizes.py` and `vary.py`."""

import numpy as np
from detection_sizes import maps, resnet_maps
from pyramid_sizes import efficientnet
from sizes import ACTIVATIONS, bert, choose, clip_text_model

# The sides that images of a type may have.
SIDES = {"maskformer": [64, 96, 90], "mask2former": [64, 96], "oneformer": [64, 96], "sam2_vision_model": [64], "sam2": [64],
         "sam2_hiera_det_model": [64, 96], "flava_image_codebook": [16, 24, 29]}
GROUPS = 32  # of norms beside convolutions
ALL_STAGES = ["stage1", "stage2", "stage3", "stage4"]


def swin(backbone: dict, rng) -> None:
    """Four stages, whose maps are all given."""
    first = rng.choice([1, 2])
    choose(backbone, rng, window_size=[2, 3, 4], qkv_bias=[True, False], mlp_ratio=[1.5, 2.0], hidden_act=ACTIVATIONS)
    backbone["depths"] = [rng.choice([1, 2]) for _ in range(4)]
    backbone["num_heads"] = [first] + [first * rng.choice([1, 2]) for _ in range(3)]
    backbone["embed_dim"] = first * rng.choice([5, 6, 8])
    backbone["hidden_size"] = backbone["embed_dim"] * 8
    maps(backbone, ALL_STAGES)


def maskformer(c: dict, rng) -> None:
    if rng.random() < 0.5:
        swin(c["backbone_config"], rng)
    else:
        c["backbone_config"] = {"model_type": "resnet", "layer_type": "basic"}
        resnet_maps(c["backbone_config"], rng, ALL_STAGES[rng.choice([0, 1]):])
    choose(c, rng, fpn_feature_size=[32, 64], mask_feature_size=range(8, 40))
    decoder = c["decoder_config"]
    choose(decoder, rng, decoder_layers=[1, 2, 3], decoder_ffn_dim=range(20, 70), num_queries=range(3, 9), activation_function=ACTIVATIONS)
    decoder["decoder_attention_heads"], decoder["d_model"] = rng.choice([(2, 24), (3, 36), (4, 32), (2, c["backbone_config"].get("embed_dim", 8) * 4)])
    decoder["encoder_attention_heads"] = 2


def mask2former(c: dict, rng) -> None:
    """Of two widths the maps are projected."""
    swin(c["backbone_config"], rng)
    choose(c, rng, feature_size=[32, 64], hidden_dim=[32, 64, 48], mask_feature_size=range(8, 40), encoder_feedforward_dim=range(20, 70),
           dim_feedforward=range(20, 70), encoder_layers=[1, 2], decoder_layers=[2, 4, 5], num_queries=range(3, 9), pre_norm=[False, True],
           activation_function=ACTIVATIONS, num_attention_heads=[2, 4])


def oneformer(c: dict, rng) -> None:
    swin(c["backbone_config"], rng)
    choose(c, rng, conv_dim=[32, 64], encoder_feedforward_dim=range(20, 70), dim_feedforward=range(20, 70), encoder_layers=[1, 2],
           decoder_layers=[2, 4, 5], num_queries=range(3, 9), pre_norm=[False, True], num_attention_heads=[2, 4], task_seq_len=range(10, 40),
           query_dec_layers=[1, 2], use_task_norm=[True, True, False])
    c["hidden_dim"] = c["mask_dim"] = c["conv_dim"]


def hiera(c: dict, rng) -> None:
    """The map is made of windows of the first stage."""
    count = rng.choice([3, 4])
    first = rng.choice([1, 2])
    c["num_attention_heads_per_stage"] = [first * 2**i for i in range(count)]
    width = 4 * first * rng.choice([2, 3])
    c["embed_dim_per_stage"] = [width * 2**i for i in range(count)]
    c["hidden_size"], c["num_attention_heads"] = width, first
    c["blocks_per_stage"] = [rng.choice([1, 2]) for _ in range(count)]
    c["window_size_per_stage"] = [8, 4, rng.choice([4, 6]), 2][:count]
    c["num_query_pool_stages"] = count - 1
    starts = np.cumsum([0, *c["blocks_per_stage"]]).tolist()[:-1]
    c["global_attention_blocks"] = [i for i in range(sum(c["blocks_per_stage"])) if i not in starts]
    c["window_positional_embedding_background_size"] = rng.choice([[7, 7], [3, 5]])
    choose(c, rng, mlp_ratio=[2.0, 1.5], hidden_act=ACTIVATIONS)


def sam2_vision_model(c: dict, rng) -> None:
    hiera(c["backbone_config"], rng)
    c["backbone_channel_list"] = c["backbone_config"]["embed_dim_per_stage"][::-1]
    choose(c, rng, fpn_hidden_size=[16, 24], fpn_top_down_levels=[[2, 3], [0, 1], [1, 2]], num_feature_levels=[3, 2, 1])


def prompts_and_masks(c: dict, rng, width: int, side: int) -> None:
    prompt, decoder = c["prompt_encoder_config"], c["mask_decoder_config"]
    prompt["hidden_size"] = decoder["hidden_size"] = width
    choose(prompt, rng, mask_input_channels=[4, 8], hidden_act=ACTIVATIONS)
    choose(decoder, rng, attention_downsample_rate=[1, 2], num_attention_heads=[2, 4], mlp_dim=range(20, 70), num_hidden_layers=[1, 2, 3],
           num_multimask_outputs=[2, 3], iou_head_depth=[2, 3], iou_head_hidden_dim=range(20, 50))
    prompt["patch_size"] = 8
    prompt["image_size"] = 8 * side


def sam2(c: dict, rng) -> None:
    """The image, of 64 x 64 pixels, has a map of 4 x 4 tokens at last."""
    vision = c["vision_config"]
    sam2_vision_model(vision, rng)
    while len(vision["backbone_channel_list"]) != 3:
        sam2_vision_model(vision, rng)
    vision["num_feature_levels"] = 3
    vision["backbone_feature_sizes"] = [[16, 16], [8, 8], [4, 4]]
    prompts_and_masks(c, rng, vision["fpn_hidden_size"], 4)


def sam3_vit_model(c: dict, rng) -> None:
    """An even number of patches along each side."""
    c["num_attention_heads"] = rng.choice([2, 3])
    c["hidden_size"] = 8 * c["num_attention_heads"]
    choose(c, rng, intermediate_size=range(20, 70), num_hidden_layers=[2, 3], patch_size=[4, 6], window_size=[3, 4], hidden_act=ACTIVATIONS)
    c["global_attn_indexes"] = rng.choice([[0], [1], [0, 1]])
    c["image_size"] = c["patch_size"] * rng.choice([4, 6, 8])
    c["pretrain_image_size"] = c["patch_size"] * rng.choice([3, 4, 5])


def sam3_vision_model(c: dict, rng) -> None:
    sam3_vit_model(c["backbone_config"], rng)
    choose(c, rng, fpn_hidden_size=[16, 24], scale_factors=[[4.0, 2.0, 1.0, 0.5], [2.0, 0.5], [1.0]])


def sam3_tracker(c: dict, rng) -> None:
    vision = c["vision_config"]
    sam3_vision_model(vision, rng)
    backbone = vision["backbone_config"]
    vision["scale_factors"] = [4.0, 2.0, 1.0]
    side = backbone["image_size"] // backbone["patch_size"]
    vision["backbone_feature_sizes"] = [[4 * side] * 2, [2 * side] * 2, [side] * 2]
    prompts_and_masks(c, rng, vision["fpn_hidden_size"], side)


def sam3_detector(c: dict, rng) -> None:
    sam3_vision_model(c["vision_config"], rng)
    c["vision_config"]["scale_factors"] = rng.choice([[2.0, 1.0, 0.5], [4.0, 2.0, 1.0, 0.5], [1.0, 1.0]])
    width = c["vision_config"]["fpn_hidden_size"]
    for key in ("geometry_encoder_config", "detr_encoder_config", "detr_decoder_config", "mask_decoder_config"):
        part = c[key]
        part["hidden_size"], part["num_attention_heads"] = width, rng.choice([2, 4])
        if "intermediate_size" in part:
            choose(part, rng, intermediate_size=range(20, 70), num_layers=[1, 2], hidden_act=["relu", "gelu"])
    choose(c["detr_decoder_config"], rng, num_queries=range(3, 9))
    c["mask_decoder_config"]["num_upsampling_stages"] = 3


def sam3(c: dict, rng) -> None:
    sam3_detector(c, rng)
    clip_text_model(c["text_config"], rng)


def sam3_lite_text_text_model(c: dict, rng) -> None:
    c["num_attention_heads"] = rng.choice([2, 3])
    c["hidden_size"] = 8 * c["num_attention_heads"]
    choose(c, rng, intermediate_size=range(20, 70), vocab_size=range(60, 140), max_position_embeddings=range(16, 30), projection_dim=range(10, 40),
           num_hidden_layers=[2, 3, 4], use_repmixer_blocks=[True, True, False], repmixer_kernel_size=[3, 5, 11], hidden_act=ACTIVATIONS)
    if c["num_hidden_layers"] == 2:
        c["use_repmixer_blocks"] = False  # such a text has no hidden states


def sam3_lite_text(c: dict, rng) -> None:
    sam3_detector(c, rng)
    sam3_lite_text_text_model(c["text_config"], rng)


def vjepa2(c: dict, rng) -> None:
    c["num_attention_heads"], c["pred_num_attention_heads"] = rng.choice([2, 3]), rng.choice([2, 3])
    c["hidden_size"], c["pred_hidden_size"] = rng.choice([12, 18, 30, 36]), rng.choice([12, 24, 36])
    choose(c, rng, num_hidden_layers=[1, 2, 3], pred_num_hidden_layers=[1, 2], mlp_ratio=[2.0, 1.5], pred_mlp_ratio=[2.0, 3.0], patch_size=[4, 5],
           tubelet_size=[1, 2], num_pooler_layers=[1, 2], qkv_bias=[True, False], hidden_act=ACTIVATIONS, pred_num_mask_tokens=[1, 2, 3])
    c["crop_size"] = c["patch_size"] * rng.choice([2, 3])


def align_vision_model(c: dict, rng) -> None:
    efficientnet(c, rng)
    c["hidden_dim"] = 64
    c["num_hidden_layers"] = sum(int(np.ceil(c["depth_coefficient"] * n)) for n in c["num_block_repeats"])


def align(c: dict, rng) -> None:
    """A text's vector is as wide as an image's."""
    bert(c["text_config"], rng)
    align_vision_model(c["vision_config"], rng)
    vision = c["vision_config"]
    divisor, wide = vision["depth_divisor"], vision["out_channels"][-1] * vision["width_coefficient"]
    width = max(divisor, int(wide + divisor / 2) // divisor * divisor)
    c["projection_dim"] = int(width + divisor if width < 0.9 * wide else width)


def tvp(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, max_img_size=[128, 160], visual_prompt_size=[8, 12], num_frames=[2, 3], max_grid_col_position_embeddings=[6, 9],
           max_grid_row_position_embeddings=[6, 9], visual_prompter_apply=["add", "replace", "remove"])
    resnet_maps(c["backbone_config"], rng, ["stage4"])


def videoprism_layers(c: dict, rng) -> None:
    c["num_attention_heads"] = rng.choice([2, 3])
    c["hidden_size"] = 8 * c["num_attention_heads"]
    choose(c, rng, intermediate_size=range(20, 70), hidden_act=ACTIVATIONS, apply_l2norm=[True, False], attn_logit_softcapping=[50.0, 2.0],
           qkv_bias=[True, False])


def videoprism_text_model(c: dict, rng) -> None:
    videoprism_layers(c, rng)
    choose(c, rng, vocab_size=range(60, 140), max_position_embeddings=range(16, 30), num_hidden_layers=[1, 2, 3])


def videoprism_vision_model(c: dict, rng) -> None:
    videoprism_layers(c, rng)
    choose(c, rng, num_spatial_layers=[1, 2], num_temporal_layers=[1, 2], num_auxiliary_layers=[1, 2], num_frames=[2, 3])
    patch = [rng.choice([3, 4]), rng.choice([3, 4])]
    c["tubelet_size"], c["image_size"] = [1, *patch], [patch[0] * rng.choice([2, 3]), patch[1] * rng.choice([2, 3])]


def videoprism(c: dict, rng) -> None:
    videoprism_text_model(c["text_config"], rng)
    videoprism_vision_model(c["vision_config"], rng)
    for field in ("hidden_size", "num_attention_heads"):
        c["text_config"][field] = c["vision_config"][field]


def dino_layers(c: dict, rng) -> None:
    """DINOv2's, of a square image."""
    c["num_attention_heads"] = rng.choice([2, 3])
    c["hidden_size"] = 8 * c["num_attention_heads"]
    choose(c, rng, num_hidden_layers=[2, 3], mlp_ratio=[2, 1.5], patch_size=[4, 6], num_register_tokens=[1, 2, 3], use_swiglu_ffn=[False, True],
           qkv_bias=[True, False], hidden_act=ACTIVATIONS)
    c["image_size"] = c["patch_size"] * rng.choice([2, 3])
    maps(c, ["stem", "stage2"])


def tipsv2_text_model(c: dict, rng) -> None:
    c["num_attention_heads"] = rng.choice([2, 3])
    c["hidden_size"] = 8 * c["num_attention_heads"]
    choose(c, rng, intermediate_size=range(20, 70), vocab_size=range(60, 140), max_position_embeddings=range(16, 30), num_hidden_layers=[1, 2, 3],
           hidden_act=ACTIVATIONS, scale_sqrt_depth=[True, False], layer_norm_eps=[1e-5, 1e-6])


def tipsv2(c: dict, rng) -> None:
    dino_layers(c["vision_config"], rng)
    tipsv2_text_model(c["text_config"], rng)
    for field in ("hidden_size", "num_attention_heads"):
        c["text_config"][field] = c["vision_config"][field]


def tipsv2_dpt(c: dict, rng) -> None:
    dino_layers(c["backbone_config"], rng)
    maps(c["backbone_config"], ["stage1", "stage2"])
    c["neck_hidden_sizes"] = [rng.choice(range(4, 20)) for _ in range(2)]
    c["reassemble_factors"] = rng.choice([[4, 2], [2, 1], [1, 0.5]])
    choose(c, rng, fusion_hidden_size=range(6, 30), num_depth_bins=range(5, 40), min_depth=[0.001, 0.5], max_depth=[4.0, 10.0],
           readout_activation=["gelu", "relu"], depth_decoder_activation=["relu", "gelu"])


def videomt(c: dict, rng) -> None:
    dino_layers(c, rng)
    for field in ("out_features", "qkv_bias"):
        c.pop(field, None)
    choose(c, rng, num_blocks=[1, 2], num_upscale_blocks=[1, 2], num_queries=range(3, 9), mlp_ratio=[2, 4])


def flava_tower(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, qkv_bias=[True, False])


def flava_image_model(c: dict, rng) -> None:
    flava_tower(c, rng)
    choose(c, rng, patch_size=[3, 4, 5], num_channels=[1, 3])
    c["image_size"] = c["patch_size"] * rng.choice([2, 3, 4])


def flava_multimodal_model(c: dict, rng) -> None:
    flava_tower(c, rng)
    choose(c, rng, use_cls_token=[True, False])


def flava_image_codebook(c: dict, rng) -> None:
    choose(c, rng, hidden_size=range(4, 14), num_blocks_per_group=[1, 2, 3], num_groups=[2, 4], vocab_size=range(20, 60))


def flava(c: dict, rng) -> None:
    flava_tower(c["text_config"], rng)
    flava_image_model(c["image_config"], rng)
    flava_multimodal_model(c["multimodal_config"], rng)


SEGMENTS = {"maskformer": maskformer, "mask2former": mask2former, "oneformer": oneformer, "sam2_hiera_det_model": hiera,
            "sam2_vision_model": sam2_vision_model, "sam2": sam2, "sam3_vit_model": sam3_vit_model, "sam3_vision_model": sam3_vision_model,
            "sam3_tracker": sam3_tracker, "sam3": sam3, "sam3_lite_text": sam3_lite_text,
            "sam3_lite_text_text_model": sam3_lite_text_text_model}
SEGMENTS |= {"vjepa2": vjepa2, "align": align, "align_text_model": bert, "align_vision_model": align_vision_model, "tvp": tvp,
             "videoprism": videoprism, "videoprism_text_model": videoprism_text_model, "videoprism_vision_model": videoprism_vision_model}
SEGMENTS |= {"tipsv2": tipsv2, "tipsv2_text_model": tipsv2_text_model, "tipsv2_vision_model": dino_layers, "tipsv2_dpt": tipsv2_dpt,
             "videomt": videomt}
SEGMENTS |= {"flava": flava, "flava_text_model": flava_tower, "flava_image_model": flava_image_model,
             "flava_multimodal_model": flava_multimodal_model, "flava_image_codebook": flava_image_codebook}


def vision_part(c: dict) -> dict:
    """Where the sizes of images stand: the innermost of the towers' configurations."""
    for key in ("vision_config", "image_config", "backbone_config"):
        c = c.get(key) or c
    return c


def image_sides(inputs) -> list[int]:
    c, kind = inputs.config, inputs.config["model_type"]
    if kind == "tvp":
        return [c["max_img_size"]] * 2
    if kind == "vjepa2":
        return [c["crop_size"]] * 2
    if kind.startswith("align"):
        return [inputs.rng.choice([32, 37, 48]), inputs.rng.choice([32, 48])]
    if kind in SIDES:
        sides = SIDES[kind]
        return [inputs.rng.choice(sides), inputs.rng.choice(sides)]
    side = vision_part(c)["image_size"]
    return list(side) if isinstance(side, list) else [side, side]


def segment_input(inputs, entry: dict) -> dict | None:
    """The entry of such a model's input; None: it is none of them."""
    c, kind, name = inputs.config, inputs.config["model_type"], entry["name"]
    if kind in ("align", "flava") and name == "token_type_ids":
        return {"values": inputs.draw(range(c["text_config"]["type_vocab_size"]), inputs.mask("text").shape)}
    if kind == "flava" and name == "bool_masked_pos":
        rows = vision_part(c)["image_size"] // vision_part(c)["patch_size"]
        return {"values": inputs.draw([0, 1], (inputs.rows, rows, rows))}
    if kind == "flava_multimodal_model" and name == "hidden_states":
        shape = [inputs.rows, inputs.width("text") - c["use_cls_token"], c["hidden_size"]]
        return {"shape": shape, "lo": entry["lo"], "hi": entry["hi"]}
    if kind not in SEGMENTS or not (name.startswith("pixel_") or name == "task_inputs"):
        return None
    if not hasattr(inputs, "sides"):
        inputs.sides = image_sides(inputs)
    if name == "task_inputs":
        return {"values": inputs.draw(range(20), (inputs.rows, c["task_seq_len"]))}
    if name == "pixel_mask":
        return {"shape": [inputs.rows, *inputs.sides], "fill": 1} if kind == "oneformer" else {"shape": [inputs.rows, *inputs.sides], "fill": 1.0}
    channels = vision_part(c).get("num_channels", 3)
    frames = {"tvp": "num_frames", "videoprism": "num_frames", "videoprism_vision_model": "num_frames"}.get(kind)
    if name in ("pixel_values", "pixel_values_videos") and len(entry["shape"]) == 5:
        count = (c.get("vision_config") or c)[frames] if frames else c.get("tubelet_size", 1) * inputs.rng.choice([1, 2, 3])
        return {"shape": [inputs.rows, count, channels, *inputs.sides], "lo": entry["lo"], "hi": entry["hi"]}
    if name == "pixel_values":
        return {"shape": [inputs.rows, channels, *inputs.sides], "lo": entry["lo"], "hi": entry["hi"]}
    return None
