"""Switches of text encoders: see `switch_table.py`. Each case turns what the class reads and no size would show."""

from switches import ABSENT, Switch

ZERO_ROW = {"attention_mask": {"values": [[1] * 7, [0] * 7]}}
ROFORMER = [
    Switch("RoFormerModel", "rotary_value", {"rotary_value": True}),
    Switch("RoFormerForCausalLM", "decoder", {"is_decoder": True, "rotary_value": True}),
    Switch("RoFormerForMultipleChoice", "summary", {"summary_type": "mean", "summary_use_proj": True,
                                                    "summary_activation": "tanh"}),
]
SQUARE_MASK = [[[1.0 if key > query or key == query == 3 else 0.0 for key in range(7)] for query in range(7)]] * 2
TARGETS = [[[1.0 if key == place else 0.0 for key in range(7)] for place in (3, 6)]] * 2
SEGMENTS = {"values": [[0, 0, 0, 1, 1, 1, 2], [0, 1, 1, 0, 0, 0, 2]]}
XLNET = [
    Switch("XLNetModel", "segments", inputs={"token_type_ids": SEGMENTS}),
    Switch("XLNetModel", "mask", inputs={"attention_mask": {"values": [[1] * 7, [1] * 4 + [0] * 3]}}),
    Switch("XLNetModel", "input_mask", inputs={"input_mask": {"values": [[0.0] * 7, [0.0] * 5 + [1.0] * 2]}}),
    Switch("XLNetModel", "permuted", inputs={"perm_mask": {"values": SQUARE_MASK}, "token_type_ids": SEGMENTS}),
    Switch("XLNetModel", "targets", {"clamp_len": 3},
           inputs={"perm_mask": {"values": SQUARE_MASK, "dtype": "F32"},
                   "target_mapping": {"values": TARGETS, "dtype": "F32"}}),
    Switch("XLNetModel", "same_length", {"attn_type": "uni", "same_length": True}),
    Switch("XLNetLMHeadModel", "no_mem_len", {"mem_len": None, "reuse_len": None}),
    Switch("XLNetLMHeadModel", "short_memory", {"mem_len": 4, "reuse_len": None}),
    Switch("XLNetLMHeadModel", "one_token", {"reuse_len": None}, length=1),
]
DEBERTA = [
    Switch("DebertaForMaskedLM", "new_head", {"legacy": False}),
    Switch("DebertaModel", "far", {"relative_attention": True, "pos_att_type": "c2p|p2c", "max_relative_positions": 5,
                                   "position_biased_input": False}, length=33),
    Switch("DebertaModel", "mask_holes", {"relative_attention": True, "pos_att_type": ["c2p"]}, mask="holes"),
    Switch("DebertaModel", "zero_row", inputs=ZERO_ROW),
]
V3 = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8, "share_att_key": True,
      "max_relative_positions": -1, "norm_rel_ebd": "layer_norm", "position_biased_input": False}
DEBERTA_V2 = [
    Switch("DebertaV2ForMaskedLM", "new_head", {"legacy": False}),
    Switch("DebertaV2Model", "far", V3, length=130),
    Switch("DebertaV2Model", "conv_mask", {**V3, "conv_kernel_size": 5, "conv_act": "tanh"}, mask="left"),
]
LUKE = [
    Switch("LukeModel", "words", inputs={name: None for name in (
        "entity_ids", "entity_token_type_ids", "entity_attention_mask", "entity_position_ids")}),
]
MODERNBERT = [
    Switch("ModernBertModel", "no_types", {"layer_types": ABSENT, "num_hidden_layers": 4, "local_attention": 4}, length=33),
    Switch("ModernBertForSequenceClassification", "mean", {"classifier_pooling": "mean"}),
    Switch("ModernBertForMultipleChoice", "mean", {"classifier_pooling": "mean"}),
    Switch("ModernBertForMaskedLM", "biases", {f"{part}_bias": True for part in (
        "norm", "attention", "mlp", "classifier")}),
]
MOBILEBERT = [
    Switch("MobileBertModel", "plain", {"use_bottleneck": False, "true_hidden_size": 64, "trigram_input": False,
                                        "normalization_type": "layer_norm"}),
    Switch("MobileBertModel", "bottleneck_attention", {"use_bottleneck_attention": True}),
    Switch("MobileBertForSequenceClassification", "no_activation", {"classifier_activation": False}),
    Switch("MobileBertForMaskedLM", "one_network", {"num_feedforward_networks": 1}, length=1),
]
TAPAS = [
    Switch("TapasModel", "no_types", inputs={"token_type_ids": None}),
]
XLM = [
    Switch("XLMModel", "langs", inputs={"langs": {"values": [[0, 1, 1, 0, 1, 0, 1]] * 2}, "lengths": None,
                                        "attention_mask": {"values": [[1] * 7, [1] * 3 + [0] * 4]}}),
    Switch("XLMModel", "causal", {"causal": True, "use_lang_emb": False, "n_langs": 1}, inputs={"lengths": None}),
    Switch("XLMWithLMHeadModel", "free", inputs={"lengths": None, "token_type_ids": None}),
    Switch("XLMWithLMHeadModel", "lang", {"lang_id": 1, "gelu_activation": False},
           inputs={"lengths": None, "token_type_ids": None}),
]
ESM = [
    Switch("EsmModel", "dropout", {"token_dropout": True, "mask_token_id": 9, "emb_layer_norm_before": True}),
    Switch("EsmModel", "no_mask", {"token_dropout": True, "mask_token_id": 9}, mask=None),
    Switch("EsmForProteinFolding", "one_pass", rows=1, length=22, mask=None, kwargs={"num_recycles": 0},
           inputs={"input_ids": {"shape": [1, 22], "ids": [0, 20]}}),
    Switch("EsmForProteinFolding", "recycled",
           {"esmfold_config": {"embed_aa": False, "trunk": {"max_recycles": 1, "num_blocks": 1}}}, length=5,
           kwargs={"num_recycles": 1},
           inputs={"input_ids": {"shape": [2, 5], "ids": [0, 20]},
                   "position_ids": {"values": [[0, 1, 2, 7, 8], [3, 4, 5, 6, 7]]}}),
    Switch("EsmForProteinFolding", "rotary_holes",
           {"position_embedding_type": "rotary", "token_dropout": True, "mask_token_id": 32, "vocab_list": ABSENT,
            "emb_layer_norm_before": True, "esmfold_config": {"trunk": {"max_recycles": 2, "num_blocks": 1}}},
           mask="holes", inputs={"input_ids": {"shape": [2, 7], "ids": [0, 20]}}),
    Switch("EsmForProteinFolding", "ablated",
           {"esmfold_config": {"esm_ablate_sequence": True, "trunk": {"max_recycles": 1, "num_blocks": 1}}}, rows=1,
           length=3, mask=None, inputs={"input_ids": {"shape": [1, 3], "ids": [0, 20]}}),
]
MPNET = [Switch("MPNetModel", "far", length=130)]
LAYOUTLM = [Switch("LayoutLMModel", "no_boxes", inputs={"bbox": None})]
LILT = [Switch("LiltModel", "no_boxes", inputs={"bbox": None})]

# By model type; see SWITCHES in switch_table.py.
ENCODERS = {
    "roformer": ROFORMER, "xlnet": XLNET, "deberta": DEBERTA, "deberta-v2": DEBERTA_V2, "luke": LUKE,
    "modernbert": MODERNBERT, "mobilebert": MOBILEBERT, "tapas": TAPAS, "xlm": XLM, "esm": ESM, "mpnet": MPNET,
    "layoutlm": LAYOUTLM, "lilt": LILT,
}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
ENCODERS_KEPT = {
    "roformer": "rotary_value decoder summary",
    "xlnet": "segments mask input_mask permuted targets same_length no_mem_len short_memory one_token",
    "deberta": "new_head far mask_holes zero_row",
    "deberta-v2": "new_head far conv_mask",
    "luke": "words",
    "modernbert": "no_types mean biases",
    "mobilebert": "plain bottleneck_attention no_activation one_network",
    "tapas": "no_types",
    "xlm": "langs causal free lang",
    "esm": "dropout no_mask one_pass recycled rotary_holes ablated",
    "mpnet": "far",
    "layoutlm": "no_boxes",
    "lilt": "no_boxes",
}
