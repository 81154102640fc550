"""Switches of models that read images beside texts: see `switch_table.py`. Each case turns what the class reads and no
size would show."""

from switches import ABSENT, Switch

TEXT = ("input_ids", "token_type_ids", "attention_mask")
ZERO_ROW = {"attention_mask": {"values": [[1] * 7, [0] * 7]}}


def without(*names: str) -> dict:
    return dict.fromkeys(names)


def numbers(name: str, *shape: int) -> dict:
    return {name: {"shape": list(shape), "lo": -1.0, "hi": 1.0}}


def ids(name: str, low: int, high: int, *shape: int) -> dict:
    return {name: {"shape": list(shape), "ids": [low, high]}}


BOXES = ids("bbox", 0, 999, 2, 7, 4)
LAYOUTLMV3 = [
    Switch("LayoutLMv3Model", "text", inputs=BOXES | without("pixel_values"), mask="holes"),
    Switch("LayoutLMv3Model", "image", inputs=without("bbox", *TEXT)),
    Switch("LayoutLMv3Model", "no_boxes", inputs=without("bbox", "attention_mask")),
    Switch("LayoutLMv3Model", "not_relative", {"has_relative_attention_bias": False}, inputs=BOXES),
    Switch("LayoutLMv3Model", "not_spatial", {"has_spatial_attention_bias": False}, inputs=BOXES),
    Switch("LayoutLMv3Model", "bins", {"rel_pos_bins": 8, "max_rel_pos": 5, "rel_2d_pos_bins": 12, "max_rel_2d_pos": 40,
           "input_size": 11, "patch_size": 3}, inputs=BOXES | numbers("pixel_values", 2, 3, 11, 11)),
    Switch("LayoutLMv3Model", "long", length=150, inputs=ids("bbox", 0, 999, 2, 150, 4)),
    Switch("LayoutLMv3Model", "embeds", inputs=BOXES | without("input_ids") | numbers("inputs_embeds", 2, 7, 36)),
    Switch("LayoutLMv3Model", "defaults", dict.fromkeys(
        ("has_relative_attention_bias", "has_spatial_attention_bias", "rel_pos_bins", "max_rel_pos", "rel_2d_pos_bins",
         "max_rel_2d_pos", "layer_norm_eps", "hidden_act", "pad_token_id", "max_2d_position_embeddings", "num_channels",
         "max_position_embeddings"), ABSENT), raw=True, inputs=BOXES),
    Switch("LayoutLMv3ForTokenClassification", "many_labels", {"num_labels": 11}, inputs=BOXES),
    Switch("LayoutLMv3ForTokenClassification", "text", inputs=BOXES | without("pixel_values")),
    Switch("LayoutLMv3ForSequenceClassification", "image", {"num_labels": 5}, inputs=without("bbox", *TEXT)),
]

BIG_BOXES, SMALL_BOXES = ids("bbox", 0, 60, 2, 7, 8), {"bbox_scale": 1.0}
BROS = [
    Switch("BrosModel", "four", SMALL_BOXES, inputs=ids("bbox", 0, 60, 2, 7, 4)),
    Switch("BrosModel", "zero_row", SMALL_BOXES, inputs=BIG_BOXES | ZERO_ROW),
    Switch("BrosModel", "decoder", {"is_decoder": True, **SMALL_BOXES}, inputs=BIG_BOXES, mask="left"),
    Switch("BrosModel", "embeds", SMALL_BOXES, inputs=BIG_BOXES | without("input_ids") | numbers("inputs_embeds", 2, 7, 64)),
    Switch("BrosModel", "positions", SMALL_BOXES, inputs=BIG_BOXES | ids("position_ids", 0, 40, 2, 7) | without("token_type_ids")),
    Switch("BrosModel", "defaults", dict.fromkeys(("bbox_scale", "dim_bbox", "dim_bbox_sinusoid_emb_2d", "dim_bbox_sinusoid_emb_1d",
           "dim_bbox_projection", "n_relations", "hidden_act", "layer_norm_eps", "is_decoder", "add_cross_attention"), ABSENT),
           raw=True, inputs=ids("bbox", 0, 2, 2, 7, 8)),
    Switch("BrosSpadeEEForTokenClassification", "relations", {"n_relations": 3, **SMALL_BOXES}, inputs=BIG_BOXES, mask="holes"),
    Switch("BrosSpadeEEForTokenClassification", "zero_row", SMALL_BOXES, inputs=BIG_BOXES | ZERO_ROW),
    Switch("BrosSpadeELForTokenClassification", "relations", {"n_relations": 2, **SMALL_BOXES}, inputs=BIG_BOXES),
]

PATHS = ids("xpath_tags_seq", 0, 19, 2, 7, 10) | ids("xpath_subs_seq", 0, 29, 2, 7, 10)
SOFT_MASK = {"attention_mask": {"shape": [2, 7], "lo": 0.9996, "hi": 1.0}}
MARKUPLM = [
    Switch("MarkupLMModel", "no_paths", inputs=without("xpath_tags_seq", "xpath_subs_seq")),
    Switch("MarkupLMModel", "zero_row", inputs=PATHS | ZERO_ROW),
    Switch("MarkupLMModel", "soft_mask", inputs=PATHS | SOFT_MASK),
    Switch("MarkupLMModel", "pads", inputs=PATHS | {"input_ids": {"values": [[5, 6, 7, 0, 8, 0, 0], [0, 0, 9, 8, 7, 6, 5]]}}, mask=None),
    Switch("MarkupLMModel", "embeds", inputs=PATHS | without("input_ids") | numbers("inputs_embeds", 2, 7, 32)),
    Switch("MarkupLMModel", "defaults", dict.fromkeys(("hidden_act", "layer_norm_eps", "pad_token_id", "tag_pad_id", "subs_pad_id",
           "max_position_embeddings", "xpath_unit_hidden_size"), ABSENT), raw=True, inputs=PATHS),
    Switch("MarkupLMForSequenceClassification", "five_labels", {"num_labels": 5}, inputs=PATHS, mask="left"),
]

VISUAL_TYPES, VISUAL_MASK = ids("visual_token_type_ids", 0, 15, 2, 5), {"visual_attention_mask": {"values": [[1] * 5, [1, 0, 1, 1, 0]]}}
ALIGNED = {"image_text_alignment": {"values": [[[0, 1], [2, -1], [-1, -1], [5, 6], [3, 3]], [[-1, 4], [1, 2], [6, -1], [-1, -1], [0, 0]]]}}
VISUAL_BERT = [
    Switch("VisualBertModel", "text", inputs=without("visual_embeds", "visual_token_type_ids", "visual_attention_mask")),
    Switch("VisualBertModel", "aligned", inputs=VISUAL_TYPES | VISUAL_MASK | ALIGNED),
    Switch("VisualBertModel", "unmasked", inputs=without("visual_token_type_ids", "visual_attention_mask"), mask="holes"),
    Switch("VisualBertModel", "masked", inputs=VISUAL_TYPES | VISUAL_MASK, mask=None),
    Switch("VisualBertModel", "embeds", inputs=VISUAL_TYPES | VISUAL_MASK | without("input_ids") | numbers("inputs_embeds", 2, 7, 32)),
    Switch("VisualBertModel", "defaults", dict.fromkeys(("hidden_act", "layer_norm_eps", "bypass_transformer", "max_position_embeddings",
           "special_visual_initialize"), ABSENT), raw=True, inputs=VISUAL_TYPES | VISUAL_MASK),
    Switch("VisualBertForQuestionAnswering", "five_labels", {"num_labels": 5}, inputs=VISUAL_TYPES | VISUAL_MASK),
    Switch("VisualBertForRegionToPhraseAlignment", "nowhere", inputs=VISUAL_TYPES | VISUAL_MASK | ids("region_to_phrase_position", -1, 11, 2, 9)),
    Switch("VisualBertForPreTraining", "untied", {"tie_word_embeddings": False}, inputs=VISUAL_TYPES | VISUAL_MASK),
]

LXMERT = [
    Switch("LxmertModel", "masked", inputs={"visual_attention_mask": {"values": [[1] * 10, [1, 0] * 5]}}, mask="holes"),
    Switch("LxmertModel", "unmasked", {"l_layers": 2, "x_layers": 2, "r_layers": 3, "num_hidden_layers": ABSENT}, mask=None,
           inputs=without("token_type_ids")),
    Switch("LxmertModel", "no_cross", {"l_layers": 2, "x_layers": 0, "r_layers": 1, "num_hidden_layers": ABSENT}),
    Switch("LxmertModel", "zero_row", inputs=ZERO_ROW),
    Switch("LxmertModel", "embeds", inputs=without("input_ids") | numbers("inputs_embeds", 2, 7, 28)),
    Switch("LxmertForPreTraining", "no_answers", {"task_qa": False}),
    Switch("LxmertForPreTraining", "untied", {"tie_word_embeddings": False}),
    Switch("LxmertForPreTraining", "objects", {"task_obj_predict": True}),
]

CORNERS = [[[int(y < h and x < w) for x in range(30)] for y in range(30)] for h, w in ((30, 30), (18, 22))]
WIDE = numbers("pixel_values", 2, 3, 21, 34)
VILT = [
    Switch("ViltForQuestionAnswering", "padded", inputs={"pixel_mask": {"values": CORNERS}}, mask="holes"),
    Switch("ViltForQuestionAnswering", "wide", {"qkv_bias": False, "num_labels": 5}, inputs=WIDE, mask=None),
    Switch("ViltForQuestionAnswering", "whole", {"max_image_length": 400}, inputs={"pixel_mask": {"values": [CORNERS[0]] * 2}}),
    Switch("ViltForMaskedLM", "narrow", inputs=numbers("pixel_values", 2, 3, 8, 40)),
    Switch("ViltForTokenClassification", "embeds", inputs=without("input_ids", "token_type_ids") | numbers("inputs_embeds", 2, 7, 32)),
    Switch("ViltForImageAndTextRetrieval", "defaults", dict.fromkeys(("hidden_act", "layer_norm_eps", "qkv_bias", "num_channels",
           "max_image_length", "modality_type_vocab_size"), ABSENT), raw=True),
    Switch("ViltForImagesAndTextClassification", "one", {"num_images": 1}, inputs=numbers("pixel_values", 2, 3, 30, 30)),
    Switch("ViltForImagesAndTextClassification", "padded", inputs={"pixel_mask": {"values": [CORNERS, CORNERS[::-1]]}}),
]

HOLES = {"attention_mask": {"values": [[1] * 7, [1, 0, 1, 1, 0, 1, 0]]}}
ODD = {"image_size": 11, "patch_size": 3, "num_channels": 1}
ODD_IMAGE = numbers("pixel_values", 2, 1, 11, 11)
VISION_DEFAULTS = dict.fromkeys(("hidden_act", "layer_norm_eps", "num_channels"), ABSENT)


def vision(architecture: str) -> list[Switch]:
    """What all image towers read."""
    return [Switch(architecture, "odd", ODD, inputs=ODD_IMAGE), Switch(architecture, "defaults", VISION_DEFAULTS, raw=True),
            Switch(architecture, "gelu", {"hidden_act": "gelu", "layer_norm_eps": 1e-3})]


def bert_text(architecture: str, *absent: str) -> list[Switch]:
    return [Switch(architecture, "holes", inputs=HOLES),
            Switch(architecture, "pads", inputs={"input_ids": {"values": [[5, 6, 1, 0, 8, 1, 0], [0, 1, 9, 8, 7, 6, 5]]}}, mask=None),
            Switch(architecture, "positions", inputs=ids("position_ids", 0, 40, 2, 7)),
            Switch(architecture, "embeds", inputs=without("input_ids") | numbers("inputs_embeds", 2, 7, 32)),
            Switch(architecture, "defaults", dict.fromkeys(("hidden_act", "layer_norm_eps", "pad_token_id", *absent), ABSENT), raw=True)]


NO_TYPES = without("token_type_ids")
CHINESE_CLIP = [
    Switch("ChineseCLIPModel", "holes", inputs=HOLES | NO_TYPES),
    Switch("ChineseCLIPModel", "defaults", {"text_config": {"hidden_act": ABSENT, "layer_norm_eps": ABSENT},
           "vision_config": VISION_DEFAULTS}, raw=True, mask=None),
    Switch("ChineseCLIPModel", "dicts", {"text_config_dict": {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 3,
           "intermediate_size": 30, "vocab_size": 99}}, raw=True),
]
ALTCLIP = [
    Switch("AltCLIPModel", "holes", inputs=HOLES),
    Switch("AltCLIPModel", "defaults", {"projection_dim": ABSENT, "text_config": {"hidden_act": ABSENT, "layer_norm_eps": ABSENT,
           "project_dim": ABSENT}, "vision_config": VISION_DEFAULTS}, raw=True, mask=None),
]
TWO_ENDS = {"input_ids": {"values": [[5, 60, 2, 90, 2, 7, 8], [4, 5, 6, 7, 8, 9, 91]]}}
METACLIP_2 = [
    Switch("MetaClip2Model", "two_ends", inputs=TWO_ENDS),
    Switch("MetaClip2Model", "other_end", {"text_config": {"eos_token_id": 7}}, inputs=TWO_ENDS, mask=None),
    Switch("MetaClip2ForImageClassification", "five_labels", {"num_labels": 5, "vision_config": ODD}, inputs=ODD_IMAGE),
]
METACLIP_2_TEXT = [
    Switch("MetaClip2TextModel", "two_ends", inputs=TWO_ENDS),
    Switch("MetaClip2TextModel", "holes", inputs=HOLES),
    Switch("MetaClip2TextModelWithProjection", "defaults", dict.fromkeys(("projection_dim", "hidden_act", "layer_norm_eps"), ABSENT), raw=True),
]
SOUGHT = without("input_ids", "attention_mask")
COMPLEX = {"use_complex_transposed_convolution": True, "reduce_dim": 12, "vision_config": {"patch_size": 8, "image_size": 24}}
CLIPSEG = [
    Switch("CLIPSegForImageSegmentation", "image", inputs=SOUGHT | numbers("conditional_pixel_values", 2, 3, 30, 30)),
    Switch("CLIPSegForImageSegmentation", "other_image", inputs=SOUGHT | numbers("conditional_pixel_values", 2, 3, 25, 36)),
    Switch("CLIPSegForImageSegmentation", "vector", inputs=SOUGHT | numbers("conditional_embeddings", 2, 64)),
    Switch("CLIPSegForImageSegmentation", "large", inputs=numbers("pixel_values", 2, 3, 36, 36)),
    Switch("CLIPSegForImageSegmentation", "complex", COMPLEX, inputs=numbers("pixel_values", 2, 3, 24, 24)),
    Switch("CLIPSegForImageSegmentation", "layers", {"extract_layers": [1, 0, 1], "conditional_layer": 2}),
    Switch("CLIPSegForImageSegmentation", "unconditional", {"extract_layers": [0, 1], "conditional_layer": 5}),
    Switch("CLIPSegForImageSegmentation", "defaults", dict.fromkeys(("conditional_layer", "decoder_num_attention_heads", "decoder_hidden_act",
           "decoder_intermediate_size", "use_complex_transposed_convolution", "reduce_dim", "projection_dim"), ABSENT), raw=True),
    Switch("CLIPSegModel", "wide", inputs=numbers("pixel_values", 2, 3, 22, 34)),
    Switch("CLIPSegModel", "old_end", {"text_config": {"eos_token_id": 2}}),
]
CLIPSEG_VISION = vision("CLIPSegVisionModel") + [Switch("CLIPSegVisionModel", "wide", inputs=numbers("pixel_values", 2, 3, 18, 50))]

PATCHES = {"pixel_values": {"shape": [3, 24, 12], "lo": -1.0, "hi": 1.0}, "spatial_shapes": {"values": [[4, 6], [1, 5], [7, 2]]},
           "pixel_attention_mask": {"values": [[1] * 24, [1] * 5 + [0] * 19, [1] * 14 + [0] * 10]}}
UNMASKED_PATCHES = PATCHES | without("pixel_attention_mask")
ONE_PATCH = {"pixel_values": {"shape": [1, 2, 12], "lo": -1.0, "hi": 1.0}, "spatial_shapes": {"values": [[1, 1]]},
             "pixel_attention_mask": {"values": [[1, 0]]}}
SIGLIP2_DEFAULTS = dict.fromkeys(("hidden_act", "layer_norm_eps", "num_channels", "vision_use_head"), ABSENT)
SIGLIP2 = [
    Switch("Siglip2Model", "shapes", inputs=PATCHES | {"attention_mask": {"values": [[1] * 7, [1, 1, 1, 0, 0, 0, 0]]}}),
    Switch("Siglip2Model", "one_patch", inputs=ONE_PATCH, mask=None),
    Switch("Siglip2ForImageClassification", "shapes", {"num_labels": 5}, inputs=PATCHES),
]
SIGLIP2_VISION = [
    Switch("Siglip2VisionModel", "shapes", inputs=PATCHES),
    Switch("Siglip2VisionModel", "more_patches", {"num_patches": 4}, inputs=PATCHES),
    Switch("Siglip2VisionModel", "fewer_patches", {"num_patches": 144}, inputs=PATCHES),
    Switch("Siglip2VisionModel", "no_head", {"vision_use_head": False}, inputs=PATCHES),
    Switch("Siglip2VisionModel", "defaults", SIGLIP2_DEFAULTS, raw=True, inputs=PATCHES),
]
QUERIES = {"input_ids": {"values": [[5, 6, 90, 3, 0, 0, 0], [0] * 7, [9, 8, 7, 6, 5, 4, 98], [7, 98, 7, 98, 0, 0, 0]]},
           "attention_mask": {"values": [[1, 1, 1, 1, 0, 0, 0], [1] + [0] * 6, [1] * 7, [1] * 4 + [0] * 3]}}


def owl(prefix: str) -> list[Switch]:
    return [Switch(f"{prefix}ForObjectDetection", "no_text", inputs=QUERIES),
            Switch(f"{prefix}ForObjectDetection", "one_image", inputs=QUERIES | numbers("pixel_values", 1, 3, 32, 32)),
            Switch(f"{prefix}ForObjectDetection", "defaults", {"projection_dim": 64, "text_config": {"hidden_act": ABSENT,
                   "layer_norm_eps": ABSENT, "max_position_embeddings": ABSENT}, "vision_config": VISION_DEFAULTS}, raw=True, inputs=QUERIES),
            Switch(f"{prefix}Model", "odd", {"vision_config": ODD}, inputs=QUERIES | ODD_IMAGE)]


def largest(architecture: str) -> list[Switch]:
    """Texts end at the largest id."""
    return [Switch(architecture, "largest", {"eos_token_id": 7}, inputs=TWO_ENDS), Switch(architecture, "holes", inputs=HOLES)]


ODD_BLIP = {"image_size": 11, "patch_size": 3}
BLIP_ODD_IMAGE = numbers("pixel_values", 2, 3, 11, 11)
BLIP_DEFAULTS = {"text_config": dict.fromkeys(("hidden_act", "layer_norm_eps", "is_decoder", "tie_word_embeddings"), ABSENT),
                 "vision_config": dict.fromkeys(("hidden_act", "layer_norm_eps"), ABSENT)}
BLIP = [
    Switch("BlipForImageTextRetrieval", "apart", kwargs={"use_itm_head": 0}),
    Switch("BlipForImageTextRetrieval", "odd", {"vision_config": ODD_BLIP}, inputs=HOLES | BLIP_ODD_IMAGE),
    Switch("BlipForConditionalGeneration", "untied", {"tie_word_embeddings": False, "text_config": {"tie_word_embeddings": False}}),
    Switch("BlipForConditionalGeneration", "defaults", BLIP_DEFAULTS, raw=True, mask=None),
    Switch("BlipForConditionalGeneration", "left", mask="left"),
    Switch("BlipForQuestionAnswering", "unmasked", mask=None),
    Switch("BlipModel", "holes", inputs=HOLES),
]
BLIP_STATES = numbers("encoder_hidden_states", 2, 5, 32)
BLIP_TEXT = [
    Switch("BlipTextModel", "crossed", {"encoder_hidden_size": 32}, inputs=BLIP_STATES),
    Switch("BlipTextModel", "encoder", {"is_decoder": False}, mask="holes"),
    Switch("BlipTextModel", "positions", inputs=ids("position_ids", 0, 40, 2, 7)),
    Switch("BlipTextLMHeadModel", "alone", inputs=without("encoder_hidden_states", "encoder_attention_mask")),
    Switch("BlipTextLMHeadModel", "unmasked", inputs=BLIP_STATES | without("encoder_attention_mask")),
]
BLIP_VISION = [Switch("BlipVisionModel", "odd", ODD_BLIP, inputs=BLIP_ODD_IMAGE),
               Switch("BlipVisionModel", "defaults", {"hidden_act": ABSENT, "layer_norm_eps": ABSENT}, raw=True)]
GROUPS = {"depths": [1, 2], "num_hidden_layers": 3, "num_group_tokens": [6, 4], "num_output_groups": [6, 3], "assign_eps": 0.25,
          "assign_mlp_ratio": [1.5, 2]}
GROUPVIT = [
    Switch("GroupViTModel", "groups", {"vision_config": GROUPS}, inputs=HOLES),
    Switch("GroupViTModel", "defaults", {"vision_config": dict.fromkeys(("hidden_act", "layer_norm_eps", "assign_eps", "assign_mlp_ratio",
           "depths", "num_group_tokens", "num_output_groups"), ABSENT), "projection_intermediate_dim": ABSENT}, raw=True),
]
GROUPVIT_VISION = [Switch("GroupViTVisionModel", "groups", {**GROUPS, **ODD}, inputs=ODD_IMAGE),
                   Switch("GroupViTVisionModel", "no_groups", {"depths": [2], "num_hidden_layers": 2, "num_group_tokens": [0],
                          "num_output_groups": [3]})]
XCLIP = [
    Switch("XCLIPModel", "holes", {"prompt_layers": 1, "prompt_num_attention_heads": 2}, inputs=HOLES),
    Switch("XCLIPModel", "largest", {"text_config": {"eos_token_id": 7}}, inputs=TWO_ENDS),
    Switch("XCLIPModel", "one_video", inputs=numbers("pixel_values", 1, 8, 3, 30, 30)),
    Switch("XCLIPModel", "defaults", {"text_config": {"hidden_act": ABSENT, "layer_norm_eps": ABSENT}, "vision_config": {**VISION_DEFAULTS,
           "num_frames": ABSENT, "mit_intermediate_size": ABSENT, "mit_num_hidden_layers": ABSENT, "mit_num_attention_heads": ABSENT},
           "prompt_layers": ABSENT, "prompt_hidden_act": ABSENT, "prompt_num_attention_heads": ABSENT}, raw=True),
]
XCLIP_VISION = [Switch("XCLIPVisionModel", "frames", {"num_frames": 3, **ODD}, inputs=numbers("pixel_values", 6, 1, 11, 11))]

DECODER = {"is_decoder": True, "add_cross_attention": True}
GPT2 = {"model_type": "gpt2", "n_embd": 20, "hidden_size": 20, "n_layer": 2, "n_head": 2, "num_attention_heads": 2, "n_positions": 40,
        "add_cross_attention": True}
TROCR = {"model_type": "trocr", "d_model": 20, "hidden_size": 20, "decoder_layers": 2, "decoder_attention_heads": 4, "decoder_ffn_dim": 21,
         "cross_attention_hidden_size": 32, "is_decoder": True}
TYPES = ids("decoder_token_type_ids", 0, 2, 2, 5)
VISION_ENCODER_DECODER = [
    Switch("VisionEncoderDecoderModel", "types", inputs=TYPES | {"decoder_attention_mask": {"values": [[1] * 5, [1, 1, 1, 0, 0]]}}, length=5),
    Switch("VisionEncoderDecoderModel", "gpt2_after_deit", {"decoder": GPT2, "encoder": {"model_type": "deit"}}),
    Switch("VisionEncoderDecoderModel", "trocr_after_vit", {"decoder": TROCR}),
    Switch("VisionEncoderDecoderModel", "roberta_after_beit", {"decoder": {**DECODER, "model_type": "roberta", "pad_token_id": 1,
           "max_position_embeddings": 40, "type_vocab_size": 1}, "encoder": {"model_type": "beit", "hidden_size": 24,
           "num_attention_heads": 3, "use_absolute_position_embeddings": True}}),
]
DUAL = [
    Switch("VisionTextDualEncoderModel", "holes", inputs=HOLES | ids("token_type_ids", 0, 2, 2, 7)),
    Switch("VisionTextDualEncoderModel", "roberta_and_clip", {"text_config": {"model_type": "roberta", "pad_token_id": 1},
           "vision_config": {"model_type": "clip_vision_model"}}, inputs={"attention_mask": {"values": [[1] * 7, [1] * 5 + [0] * 2]}}),
    Switch("VisionTextDualEncoderModel", "electraless_deit", {"vision_config": {"model_type": "deit"}}, mask=None),
    Switch("VisionTextDualEncoderModel", "defaults", {"projection_dim": ABSENT, "vision_config": {"hidden_act": ABSENT, "layer_norm_eps": ABSENT}},
           raw=True),
]
SOUND_MASK = {"attention_mask": {"values": [[1] * 512, [1] * 390 + [0] * 122]}}
ADAPTER = {"encoder": {"add_adapter": True, "output_hidden_size": 16, "num_adapter_layers": 1, "adapter_stride": 2, "adapter_kernel_size": 3}}
SPEECH_ENCODER_DECODER = [
    Switch("SpeechEncoderDecoderModel", "mask", inputs=SOUND_MASK, length=5),
    Switch("SpeechEncoderDecoderModel", "adapter", ADAPTER, inputs=SOUND_MASK, length=5),
    Switch("SpeechEncoderDecoderModel", "gpt2_after_hubert", {"decoder": GPT2, "encoder": {"model_type": "hubert"}}, length=5, inputs=SOUND_MASK),
    Switch("SpeechEncoderDecoderModel", "same_width", {"decoder": {"hidden_size": 16}}, length=5),
]

IMAGE_TEXTS = {"layoutlmv3": LAYOUTLMV3, "bros": BROS, "markuplm": MARKUPLM, "visual_bert": VISUAL_BERT, "lxmert": LXMERT, "vilt": VILT}

IMAGE_TEXTS |= {"chinese_clip": CHINESE_CLIP, "chinese_clip_text_model": bert_text("ChineseCLIPTextModel"),
                "chinese_clip_vision_model": vision("ChineseCLIPVisionModel"), "altclip": ALTCLIP,
                "altclip_text_model": bert_text("AltCLIPTextModel", "type_vocab_size", "project_dim"),
                "altclip_vision_model": vision("AltCLIPVisionModel"), "metaclip_2": METACLIP_2, "metaclip_2_text_model": METACLIP_2_TEXT,
                "metaclip_2_vision_model": vision("MetaClip2VisionModel"), "clipseg": CLIPSEG,
                "clipseg_text_model": [Switch("CLIPSegTextModel", "holes", inputs=HOLES), Switch("CLIPSegTextModel", "old_end", {"eos_token_id": 2})],
                "clipseg_vision_model": CLIPSEG_VISION}

IMAGE_TEXTS |= {"siglip2": SIGLIP2, "siglip2_text_model": [Switch("Siglip2TextModel", "holes", inputs=HOLES),
                Switch("Siglip2TextModel", "narrow", {"projection_size": 21})], "siglip2_vision_model": SIGLIP2_VISION,
                "owlvit": owl("OwlViT"), "owlvit_text_model": largest("OwlViTTextModel"), "owlvit_vision_model": vision("OwlViTVisionModel"),
                "owlv2": owl("Owlv2"), "owlv2_text_model": largest("Owlv2TextModel"), "owlv2_vision_model": vision("Owlv2VisionModel"),
                "blip": BLIP, "blip_text_model": BLIP_TEXT, "blip_vision_model": BLIP_VISION, "groupvit": GROUPVIT,
                "groupvit_text_model": [Switch("GroupViTTextModel", "old_end", {"eos_token_id": 2})], "groupvit_vision_model": GROUPVIT_VISION,
                "xclip": XCLIP, "xclip_text_model": largest("XCLIPTextModel"), "xclip_vision_model": XCLIP_VISION,
                "vision-encoder-decoder": VISION_ENCODER_DECODER, "vision-text-dual-encoder": DUAL,
                "speech-encoder-decoder": SPEECH_ENCODER_DECODER}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
IMAGE_TEXTS_KEPT = {"layoutlmv3": "text image bins many_labels", "bros": "four relations", "markuplm": "no_paths zero_row",
                    "visual_bert": "aligned nowhere", "lxmert": "masked no_answers", "vilt": "padded wide"}
IMAGE_TEXTS_KEPT |= {"chinese_clip": "holes", "chinese_clip_text_model": "pads", "chinese_clip_vision_model": "odd", "altclip": "holes",
                     "altclip_text_model": "pads embeds", "altclip_vision_model": "odd", "metaclip_2": "two_ends",
                     "metaclip_2_text_model": "two_ends", "metaclip_2_vision_model": "odd", "clipseg": "image complex layers wide",
                     "clipseg_text_model": "old_end", "clipseg_vision_model": "wide"}
IMAGE_TEXTS_KEPT |= {"siglip2": "shapes", "siglip2_text_model": "narrow", "siglip2_vision_model": "more_patches", "owlvit": "no_text one_image",
                     "owlvit_text_model": "largest", "owlvit_vision_model": "odd", "owlv2": "no_text", "owlv2_text_model": "holes",
                     "owlv2_vision_model": "odd", "blip": "apart odd untied", "blip_text_model": "crossed alone", "blip_vision_model": "odd",
                     "groupvit": "groups", "groupvit_text_model": "old_end", "groupvit_vision_model": "groups no_groups", "xclip": "holes one_video",
                     "xclip_text_model": "largest", "xclip_vision_model": "frames",
                     "vision-encoder-decoder": "types gpt2_after_deit trocr_after_vit", "vision-text-dual-encoder": "holes roberta_and_clip",
                     "speech-encoder-decoder": "mask adapter"}
