"""Other sizes for models that read images beside texts, and inputs of such sizes: see `sizes.py` and `vary.py`."""

import numpy as np
from sizes import ACTIVATIONS, at_most, bert, choose, clip_text_model, clip_vision_model, heads, vit, wav2vec2


def layoutlmv3(c: dict, rng) -> None:
    bert(c, rng)
    c["coordinate_size"], c["shape_size"] = rng.choice([(4, 4), (5, 2), (3, 9)])
    c["hidden_size"] = 4 * c["coordinate_size"] + 2 * c["shape_size"]
    choose(c, rng, num_attention_heads=[n for n in (2, 3, 4, 5, 6) if c["hidden_size"] % n == 0], max_2d_position_embeddings=range(60, 120),
           rel_pos_bins=[8, 12, 32], max_rel_pos=[10, 40], rel_2d_pos_bins=[8, 20, 64], max_rel_2d_pos=[30, 200],
           patch_size=[2, 3, 4], num_channels=[1, 3])
    c["input_size"] = c["patch_size"] * rng.choice([2, 3]) + rng.choice([0, 1])


def bros(c: dict, rng) -> None:
    """Widths whose quarter is an even number of sines and cosines for each number of a box."""
    bert(c, rng)
    choose(c, rng, dim_bbox=[8, 2, 3, 6], bbox_scale=[1.0, 3.5], n_relations=[1, 1, 2])
    c["num_attention_heads"], c["hidden_size"] = rng.choice(
        [(n, n * m) for n in (2, 3, 4, 5) for m in range(7, 24) if n * m // 4 % (2 * c["dim_bbox"]) == 0])
    for field in ("dim_bbox_sinusoid_emb_2d", "dim_bbox_sinusoid_emb_1d", "dim_bbox_projection"):
        del c[field]  # which follow from the others, unless they are given


def markuplm(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, max_depth=[1, 4, 7], xpath_unit_hidden_size=range(5, 20), max_xpath_tag_unit_embeddings=range(10, 40),
           max_xpath_subs_unit_embeddings=range(10, 40), tag_pad_id=range(5), subs_pad_id=range(5))


def visual_bert(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, visual_embedding_dim=range(8, 30))


def lxmert(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, intermediate_size=range(20, 70), vocab_size=range(60, 140), max_position_embeddings=range(40, 90),
           type_vocab_size=range(1, 6), hidden_act=ACTIVATIONS, l_layers=[1, 2, 3], x_layers=[1, 2], r_layers=[1, 2],
           visual_feat_dim=range(8, 30), visual_pos_dim=[4, 5], num_qa_labels=range(5, 20))
    del c["num_hidden_layers"]  # which follows from the others


def vilt(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, patch_size=[3, 4, 5], num_channels=[1, 3], qkv_bias=[True, False])
    c["image_size"] = c["patch_size"] * rng.choice([2, 3, 4])
    if c["num_images"] > 0:
        choose(c, rng, num_images=[1, 2, 3])
        c["modality_type_vocab_size"] = c["num_images"] + rng.choice([1, 2])


def tower(c: dict, rng, sizes) -> None:
    """CLIP's sizes, of those fields that the tower has."""
    wide = {"eos_token_id": 2, **c}
    sizes(wide, rng)
    c |= {field: wide[field] for field in c}


def text_tower(c: dict, rng) -> None:
    tower(c, rng, clip_text_model)


def image_tower(c: dict, rng) -> None:
    tower(c, rng, clip_vision_model)


def towers(text, image):
    """Sizes of a model of both."""
    def sizes(c: dict, rng) -> None:
        text(c["text_config"], rng)
        image(c["vision_config"], rng)
        choose(c, rng, projection_dim=range(16, 50), logit_scale_init_value=[2.0, 2.6592])
    return sizes


def altclip_text_model(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, project_dim=range(16, 50))


def clipseg(c: dict, rng) -> None:
    towers(text_tower, image_tower)(c, rng)
    layers = c["vision_config"]["num_hidden_layers"]
    c["extract_layers"] = [rng.randrange(layers) for _ in range(rng.choice([1, 2, 3]))]
    choose(c, rng, conditional_layer=range(len(c["extract_layers"])), decoder_num_attention_heads=[2, 3, 4],
           decoder_intermediate_size=range(20, 70))
    c["reduce_dim"] = c["decoder_num_attention_heads"] * rng.choice([4, 6, 8])


def siglip_text_model(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), vocab_size=range(60, 140),
           max_position_embeddings=range(20, 60), hidden_act=ACTIVATIONS)
    c["projection_size"] = c["hidden_size"]


def siglip_vision_model(c: dict, rng) -> None:
    clip_vision_model(c, rng)
    del c["projection_dim"]
    choose(c, rng, hidden_act=ACTIVATIONS)


def siglip(c: dict, rng) -> None:
    siglip_text_model(c["text_config"], rng)
    siglip_vision_model(c["vision_config"], rng)
    c["text_config"]["projection_size"] = c["vision_config"]["hidden_size"]


def siglip2_vision_model(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 70), num_channels=[1, 3], patch_size=[2, 3],
           num_patches=[4, 9, 25], hidden_act=ACTIVATIONS)


def siglip2(c: dict, rng) -> None:
    siglip_text_model(c["text_config"], rng)
    siglip2_vision_model(c["vision_config"], rng)
    c["text_config"]["projection_size"] = c["vision_config"]["hidden_size"]


def owl(c: dict, rng) -> None:
    """Texts are compared with patches at the width of their tower."""
    towers(text_tower, image_tower)(c, rng)
    c["projection_dim"] = c["text_config"]["hidden_size"]


def blip_text_model(c: dict, rng) -> None:
    tower(c, rng, bert)
    choose(c, rng, encoder_hidden_size=range(16, 50))


def blip_vision_model(c: dict, rng) -> None:
    image_tower(c, rng)
    choose(c, rng, hidden_act=ACTIVATIONS)
    c["num_channels"] = 3  # which is no field


def blip(c: dict, rng) -> None:
    towers(blip_text_model, blip_vision_model)(c, rng)
    text, vision = c["text_config"], c["vision_config"]
    text["encoder_hidden_size"] = vision["hidden_size"]
    if c["architectures"] == ["BlipForQuestionAnswering"]:  # whose decoder reads a text with the weights for images
        text["hidden_size"], text["num_attention_heads"] = vision["hidden_size"], vision["num_attention_heads"]
    choose(c, rng, image_text_hidden_size=range(16, 50))


def groupvit_vision_model(c: dict, rng) -> None:
    image_tower(c, rng)
    stages = [([1, 1, 1], [6, 3, 0], [6, 3, 3]), ([2, 1], [4, 0], [4, 4]), ([1, 2], [5, 3], [5, 2]), ([2], [3], [4])]
    c["depths"], c["num_group_tokens"], c["num_output_groups"] = rng.choice(stages)
    c["num_hidden_layers"] = sum(c["depths"])
    choose(c, rng, assign_eps=[1.0, 0.1], assign_mlp_ratio=[[0.5, 4], [1, 2], [0.25, 1.5]], hidden_act=ACTIVATIONS)


def groupvit(c: dict, rng) -> None:
    towers(text_tower, groupvit_vision_model)(c, rng)
    choose(c, rng, projection_intermediate_dim=range(20, 50))


def xclip_vision_model(c: dict, rng) -> None:
    image_tower(c, rng)
    choose(c, rng, num_frames=[1, 2, 3])


def xclip(c: dict, rng) -> None:
    towers(text_tower, xclip_vision_model)(c, rng)
    v = c["vision_config"]
    heads(v, rng, "mit_hidden_size", "mit_num_attention_heads")
    choose(v, rng, mit_num_hidden_layers=[1, 2], mit_intermediate_size=range(20, 70))
    c["projection_dim"], c["prompt_num_attention_heads"] = v["mit_hidden_size"], rng.choice([1, v["mit_num_attention_heads"]])
    choose(c, rng, prompt_layers=[1, 2, 3], prompt_hidden_act=["quick_gelu", "relu"])


def vision_encoder_decoder(c: dict, rng) -> None:
    vit(c["encoder"], rng)
    bert(c["decoder"], rng)
    c["decoder"]["num_hidden_layers"] = rng.choice(at_most(c["encoder"]["num_hidden_layers"]))
    c["vocab_size"] = c["decoder"]["vocab_size"]


def vision_text_dual_encoder(c: dict, rng) -> None:
    towers(bert, vit)(c, rng)
    c["vision_config"]["pooler_output_size"] = c["vision_config"]["hidden_size"]


def speech_encoder_decoder(c: dict, rng) -> None:
    wav2vec2(c["encoder"], rng)
    bert(c["decoder"], rng)
    c["vocab_size"] = c["decoder"]["vocab_size"]


IMAGE_TEXT = {"layoutlmv3": layoutlmv3, "bros": bros, "markuplm": markuplm, "visual_bert": visual_bert, "lxmert": lxmert, "vilt": vilt}
IMAGE_TEXT |= {"chinese_clip": towers(bert, image_tower), "chinese_clip_text_model": bert, "chinese_clip_vision_model": image_tower,
               "altclip": towers(altclip_text_model, image_tower), "altclip_text_model": altclip_text_model,
               "altclip_vision_model": image_tower, "metaclip_2": towers(text_tower, image_tower),
               "metaclip_2_text_model": text_tower, "metaclip_2_vision_model": image_tower, "clipseg": clipseg,
               "clipseg_text_model": text_tower, "clipseg_vision_model": image_tower}
IMAGE_TEXT |= {"siglip": siglip, "siglip_text_model": siglip_text_model, "siglip_vision_model": siglip_vision_model, "siglip2": siglip2,
               "siglip2_text_model": siglip_text_model, "siglip2_vision_model": siglip2_vision_model}
IMAGE_TEXT |= {"owlvit": owl, "owlvit_text_model": text_tower, "owlvit_vision_model": image_tower, "owlv2": owl,
               "owlv2_text_model": text_tower, "owlv2_vision_model": image_tower, "blip": blip, "blip_text_model": blip_text_model,
               "blip_vision_model": blip_vision_model, "groupvit": groupvit, "groupvit_text_model": text_tower,
               "groupvit_vision_model": groupvit_vision_model, "xclip": xclip, "xclip_text_model": text_tower,
               "xclip_vision_model": xclip_vision_model}
IMAGE_TEXT |= {"vision-encoder-decoder": vision_encoder_decoder, "vision-text-dual-encoder": vision_text_dual_encoder,
               "speech-encoder-decoder": speech_encoder_decoder}


def regions(inputs) -> int:
    """How many regions an image has; one number a case."""
    return vars(inputs).setdefault("region_count", inputs.rng.randint(2, 7))


def phrases(inputs) -> np.ndarray:
    """Where each token's phrase stands, or -1."""
    places = inputs.width("text") + regions(inputs)
    return inputs.draw(range(-1, places), (inputs.rows, places))


def numbers(inputs, c: dict) -> dict[str, list[int]]:
    """Shapes of inputs that are numbers, by name, without the rows."""
    side, n = c.get("input_size", c.get("image_size")), regions(inputs)
    images = [c["num_images"]] if c.get("num_images", 0) > 0 else []
    return {"visual_embeds": [n, c.get("visual_embedding_dim")], "visual_feats": [n, c.get("visual_feat_dim")],
            "visual_pos": [n, c.get("visual_pos_dim")], "pixel_values": [*images, c.get("num_channels"), side, side]}


def picture(rows: list[int], c: dict, entry: dict) -> dict:
    """Images of the size that the image tower c has."""
    return {"shape": [*rows, c["num_channels"], c["image_size"], c["image_size"]], "lo": entry["lo"], "hi": entry["hi"]}


def patch_list(inputs, c: dict, entry: dict) -> dict:
    """Images of some rows and columns of patches in lists of one length. Never of one column: torch resizes to several rows
    of one column wrongly, so that all are as the first (2.15, bilinear with antialias)."""
    if not hasattr(inputs, "shapes"):
        inputs.shapes = np.concatenate([inputs.draw([1, 2, 3, 5], (inputs.rows, 1)), inputs.draw([2, 3, 5], (inputs.rows, 1))], axis=1)
    shapes = inputs.shapes
    counts = np.prod(shapes, axis=1)
    length = vars(inputs).setdefault("list_length", int(counts.max()) + inputs.rng.choice([0, 2]))
    if entry["name"] == "spatial_shapes":
        return {"values": shapes}
    if entry["name"] == "pixel_attention_mask":
        return {"values": (np.arange(length) < counts[:, None]).astype(int)}
    return {"shape": [inputs.rows, length, c["patch_size"] ** 2 * c["num_channels"]], "lo": entry["lo"], "hi": entry["hi"]}


def samples(inputs, c: dict) -> int:
    """Of a sound with a few frames."""
    count = inputs.rng.randint(5, 15)
    for kernel, stride in zip(reversed(c["conv_kernel"]), reversed(c["conv_stride"])):
        count = (count - 1) * stride + kernel
    return count


def tower_input(inputs, entry: dict) -> dict | None:
    """The input of a model of two towers, or of one of them, or None where it is as CLIP's."""
    c, name, architecture = inputs.config, entry["name"], inputs.data["architecture"]
    vision = c.get("vision_config") or c.get("encoder") or c
    if name == "token_type_ids" and "text_config" in c:
        return {"values": inputs.draw(range(inputs.text_config["type_vocab_size"]), inputs.mask("text").shape)}
    if name == "input_values":
        return {"shape": [inputs.rows, samples(inputs, vision)], "lo": entry["lo"], "hi": entry["hi"]}
    if name == "encoder_hidden_states":
        return {"shape": [inputs.rows, inputs.width("text"), c["encoder_hidden_size"]], "lo": entry["lo"], "hi": entry["hi"]}
    if name not in ("pixel_values", "pixel_attention_mask", "spatial_shapes"):
        return None
    if "num_patches" in vision:
        return patch_list(inputs, vision, entry)
    if "num_frames" in vision:
        rows = [inputs.rows, vision["num_frames"]]
        return picture(rows if len(entry["shape"]) == 5 else [rows[0] * rows[1]], vision, entry)
    if "ObjectDetection" in architecture:
        return picture([inputs.rng.choice([1, inputs.rows])], vision, entry)
    if architecture in SAME_ROWS or "encoder" in c:
        return picture([inputs.rows], vision, entry)
    return None


TOWERS = ("chinese_clip", "altclip", "metaclip_2", "clipseg", "siglip", "owlv", "blip", "groupvit", "xclip", "vision-", "speech-")
SAME_ROWS = ("CLIPSegForImageSegmentation", "BlipForConditionalGeneration", "BlipForQuestionAnswering", "BlipForImageTextRetrieval")


def image_text_input(inputs, entry: dict) -> dict | None:
    """The input, or None where it is another kind of model's, or one that all have."""
    c, name, rows = inputs.config, entry["name"], (inputs.rows, *inputs.choices)
    if c["model_type"] not in IMAGE_TEXT:
        return None
    if c["model_type"].startswith(TOWERS):
        return tower_input(inputs, entry)
    words = (*rows, inputs.width("text"))
    if name == "bbox" and c["model_type"] == "bros":
        return {"values": inputs.draw(range(12), (*words, c["dim_bbox"]))}
    if name in ("xpath_tags_seq", "xpath_subs_seq"):
        high = c["max_xpath_tag_unit_embeddings" if "tags" in name else "max_xpath_subs_unit_embeddings"]
        return {"values": inputs.draw(range(high), (*words, c["max_depth"]))}
    if name == "visual_token_type_ids":
        return {"values": inputs.draw(range(c["type_vocab_size"]), (*rows, regions(inputs)))}
    if name == "visual_attention_mask":
        return {"values": inputs.draw([0, 1, 1, 1], (*rows, regions(inputs)))}
    if name == "region_to_phrase_position":
        return {"values": phrases(inputs)}
    if (shape := numbers(inputs, c).get(name)) is None:
        return None
    return {"shape": [*rows, *shape], "lo": entry["lo"], "hi": entry["hi"]}
