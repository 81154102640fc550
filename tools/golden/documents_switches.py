"""Switches of models that read documents: see `switch_table.py`."""

from pyramid_switches import image
from switches import ABSENT, Switch, crossed

THREE = {"intraclass_block_number": 3, "interpolate_mode": "bicubic", "reduce_factor": 1}
SERVER_DET = [Switch("PPOCRV5ServerDetModel", "three_blocks", THREE, inputs=image(1, 3, 64, 64))]
MEDIUM_DET = [Switch("PPOCRV6MediumDetModel", "three_blocks", THREE, inputs=image(1, 3, 64, 64))]
LAYOUT_V3 = [
    Switch("PPDocLayoutV3ForObjectDetection", "more_levels", {"num_feature_levels": 4, "tie_word_embeddings": False},
           inputs=image(1, 3, 96, 64)),
]
SAPIENS = [
    Switch("Sapiens2ForPoseEstimation", "flipped", inputs={**image(2, 3, 10, 14), "flip_pairs": {"values": [[0, 3], [1, 2]]}}),
    Switch("Sapiens2Model", "masked", {"use_mask_token": True, "num_key_value_heads_per_layer": ABSENT, "num_first_full_attention_layers": 1,
           "num_last_full_attention_layers": 0, "num_key_value_attention_heads": 2},
           inputs={**image(1, 3, 6, 4), "bool_masked_pos": {"values": [[True, False, False, True, True, False]], "dtype": "BOOL"}}),
]
PATCHES = {"values": [[[r, c, 0.5, -0.3, 0.1 * r, 0.7, 0.2, -0.9, 0.25 * c, 0.8, -0.1, 0.6, -0.4, 0.3] for r in range(2) for c in range(3)],
                      [[r, c, -0.5, 0.3, 0.1 * c, 0.2, 0.9, 0.4, 0.15 * r, 0.1, -0.6, 0.5, 0.45, 0.3] for r in range(3) for c in range(1)]
                      + [[0.0] * 14] * 3], "dtype": "F32"}
PIX2STRUCT = [Switch("Pix2StructForConditionalGeneration", "unmasked", {"text_config": {"d_ff": 30}, "vision_config": {"d_ff": 30}},
                     inputs={"flattened_patches": PATCHES, "attention_mask": None, "decoder_attention_mask": None})]
PIX2STRUCT_TEXT = [*crossed("Pix2StructTextModel", 12, d_ff=30)[:1],
                   Switch("Pix2StructTextModel", "both_ways", {"is_decoder": False, "d_ff": 30}, mask="left")]
KOSMOS = [
    Switch("Kosmos2_5ForConditionalGeneration", "text_only", inputs={"flattened_patches": None, "image_embeds_position_mask": None, "attention_mask": None}),
    Switch("Kosmos2_5Model", "given_rows", {"text_config": {"scale_embedding": False}},
           inputs={"flattened_patches": None, "image_embeds": {"shape": [2, 3, 32], "lo": -1.0, "hi": 1.0},
                   "attention_mask": {"values": [[1.0] * 7, [1.0] * 5 + [0.0] * 2], "dtype": "F32"},
                   "image_embeds_position_mask": {"values": [[0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]] * 2, "dtype": "F32"}}),
]
BOXES = {"values": [[[0.1013, 0.2041, 0.3124, 0.2739], [0.3527, 0.2037, 0.5219, 0.2812], [0.6043, 0.5528, 0.9331, 0.7114], [0, 0, 0, 0], [1, 1, 1, 1]],
                    [[0.0219, 0.9037, 0.2041, 0.9733], [0.4021, 0.3014, 0.4413, 0.3617], [0.4037, 0.3033, 0.4719, 0.3931], [0.8019, 0.1043, 0.9037, 0.1214],
                     [0, 0, 0, 0]]], "dtype": "F32"}
PAGE = {"bbox": BOXES, "pixel_values": {"shape": [2, 3, 16, 16], "lo": -1.0, "hi": 1.0}}
SMALL_PAGE = {"image_size": 16, "patch_size": 4}
UDOP = [
    Switch("UdopForConditionalGeneration", "picture", SMALL_PAGE, length=5, decoder_length=4, inputs=PAGE),
    Switch("UdopEncoderModel", "unmasked", {**SMALL_PAGE, "feed_forward_proj": "gated-gelu", "dense_act_fn": ABSENT, "is_gated_act": ABSENT, "relative_bias_args": [
        {"type": "1d", "max_distance": 20, "bidirectional": False}, {"type": "vertical", "scaling_factor": 50, "relative_attention_num_buckets": 16}]},
        length=5, mask=None, inputs=PAGE),
]
SMALL_VISION = {"image_size": 32, "patch_size": 4, "window_size": 3, "num_hidden_layers": 2}
FORMULANET = [
    Switch("PPFormulaNetModel", "shifted", {"vision_config": SMALL_VISION}, length=5,
           inputs={**image(2, 3, 32, 32), "decoder_input_ids": None}),
]
FORMULANET_TEXT = [Switch("PPFormulaNetTextModel", "alone", {"scale_embedding": False}, inputs={"encoder_hidden_states": None}, mask="right")]

DOCUMENTS = {"pp_ocrv5_server_det": SERVER_DET, "pp_ocrv6_medium_det": MEDIUM_DET, "pp_doclayout_v3": LAYOUT_V3, "sapiens2": SAPIENS,
             "pix2struct": PIX2STRUCT, "pix2struct_text_model": PIX2STRUCT_TEXT, "kosmos-2.5": KOSMOS, "udop": UDOP, "pp_formulanet": FORMULANET,
             "pp_formulanet_text": FORMULANET_TEXT}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
DOCUMENTS_KEPT = {"sapiens2": "masked", "pix2struct": "unmasked", "pix2struct_text_model": "crossed both_ways", "kosmos-2.5": "given_rows",
                  "udop": "picture unmasked", "pp_formulanet": "shifted", "pp_formulanet_text": "alone"}
