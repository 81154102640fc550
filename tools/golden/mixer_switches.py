"""Switches of text encoders that mix tokens in another way than by attention of all to all: see `switch_table.py`."""

from switches import ABSENT, Switch

ZERO_ROW = {"attention_mask": {"values": [[1] * 7, [0] * 7]}}
POSITIONS = {"position_ids": {"values": [[6, 5, 4, 3, 2, 1, 0], [3, 4, 5, 9, 10, 11, 12]]}}


def embeds(width: int) -> dict:
    """Vectors in place of tokens."""
    return {"input_ids": None, "token_type_ids": None,
            "inputs_embeds": {"shape": [2, 7, width], "lo": -1.0, "hi": 1.0}}


FNET = [
    Switch("FNetModel", "far", length=130, rows=1),
    Switch("FNetModel", "one_token", length=1),
    Switch("FNetModel", "embeds", inputs={**embeds(32), **POSITIONS}),
    Switch("FNetModel", "masked", inputs={"attention_mask": {"values": [[1] * 7, [1] * 4 + [0] * 3]}}),
    Switch("FNetForMaskedLM", "untied", {"tie_word_embeddings": False, "hidden_act": ABSENT}),
]
CONVBERT = [
    Switch("ConvBertModel", "mask_holes", mask="holes", length=33),
    Switch("ConvBertModel", "zero_row", inputs=ZERO_ROW),
    Switch("ConvBertModel", "one_token", {"num_groups": 3, "hidden_size": 24, "intermediate_size": 27}, length=1),
    Switch("ConvBertModel", "embeds", {"embedding_size": 32}, inputs={**embeds(32), **POSITIONS}),
    Switch("ConvBertForMaskedLM", "one_head", {"head_ratio": 7, "tie_word_embeddings": False}),
    Switch("ConvBertForMultipleChoice", "summary", {"summary_type": "mean", "summary_use_proj": True,
                                                    "summary_activation": "tanh"}),
    Switch("ConvBertForSequenceClassification", "act", {"hidden_act": "relu", "num_labels": 3}),
]
LANDMARKS = {"num_landmarks": 3, "segment_means_seq_len": 12}
NYSTROMFORMER = [
    Switch("NystromformerModel", "landmarks", LANDMARKS, length=12, rows=3, mask="ones"),
    Switch("NystromformerModel", "more_landmarks", {"num_landmarks": 32, "segment_means_seq_len": 128}, length=128,
           rows=1, mask=None),
    Switch("NystromformerModel", "one_a_segment", {"num_landmarks": 9, "segment_means_seq_len": 11}, length=9,
           mask=None),
    Switch("NystromformerModel", "zero_row", inputs=ZERO_ROW),
    Switch("NystromformerModel", "embeds", inputs={**embeds(32), **POSITIONS}),
    Switch("NystromformerForMultipleChoice", "choices", LANDMARKS, length=12, mask="ones"),
    Switch("NystromformerForMaskedLM", "untied", {"tie_word_embeddings": False, "hidden_act": ABSENT}, length=1),
    Switch("NystromformerForSequenceClassification", "act", {"hidden_act": "relu", "num_labels": 3}),
]
YOSO = [
    Switch("YosoModel", "holes", {"conv_window": 3, "hash_code_len": 4}, length=33, mask="holes"),
    Switch("YosoModel", "additive_mask", inputs={"attention_mask": {
        "values": [[0.0] * 7, [0.0] * 4 + [-10000.0] * 3], "dtype": "F32"}}),
    Switch("YosoModel", "no_mask", {"conv_window": 7}, mask=None),
    Switch("YosoModel", "zero_row", inputs=ZERO_ROW),
    Switch("YosoModel", "embeds", inputs={**embeds(32), **POSITIONS}),
    Switch("YosoForMultipleChoice", "choices", {"conv_window": 3}),
    Switch("YosoForMaskedLM", "untied", {"tie_word_embeddings": False, "hidden_act": ABSENT}, length=1),
    Switch("YosoForSequenceClassification", "act", {"hidden_act": "relu", "num_labels": 3}),
]
MRA = [
    Switch("MraModel", "sparse", {"approx_mode": "sparse", "initial_prior_first_n_blocks": 1}, length=33, mask="holes"),
    Switch("MraModel", "embeds", inputs={**embeds(16), **POSITIONS}),
    Switch("MraForMaskedLM", "untied", {"tie_word_embeddings": False, "hidden_act": ABSENT}, length=1),
    Switch("MraForSequenceClassification", "act", {"hidden_act": "relu", "num_labels": 3}, mask=None),
]
SEGMENTS = {"values": [[0, 0, 0, 1, 1, 1, 2], [2, 1, 1, 0, 0, 0, 1]]}
FUNNEL = [
    Switch("FunnelModel", "factorized", {"attention_type": "factorized", "block_repeats": [2, 1, 2]}, length=33),
    Switch("FunnelModel", "no_cls", {"separate_cls": False, "pooling_type": "max"}, inputs={"token_type_ids": SEGMENTS}),
    Switch("FunnelModel", "whole", {"truncate_seq": False, "pool_q_only": False}, length=9, mask="holes"),
    Switch("FunnelModel", "pool_all", {"pool_q_only": False, "separate_cls": False, "attention_type": "factorized"},
           mask="left", length=10),
    Switch("FunnelModel", "two_tokens", {"attention_type": "factorized"}, length=2),
    Switch("FunnelModel", "one_token", {"attention_type": "factorized"}, length=1),
    Switch("FunnelBaseModel", "far", {"block_sizes": [1, 2, 1, 1], "block_repeats": ABSENT}, length=130, mask=None),
    Switch("FunnelBaseModel", "zero_row", inputs=ZERO_ROW),
    Switch("FunnelModel", "embeds", {"block_sizes": [2], "block_repeats": [1]}, inputs=embeds(32)),
    Switch("FunnelForMaskedLM", "untied", {"tie_word_embeddings": False, "hidden_act": ABSENT}),
    Switch("FunnelForPreTraining", "act", {"hidden_act": "relu", "num_decoder_layers": 2}),
]

# By model type; see SWITCHES in switch_table.py.
MIXERS = {"fnet": FNET, "convbert": CONVBERT, "nystromformer": NYSTROMFORMER, "yoso": YOSO, "mra": MRA,
          "funnel": FUNNEL}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
MIXERS_KEPT = {
    "funnel": "factorized no_cls whole pool_all two_tokens one_token far zero_row embeds untied act",
    "fnet": "masked far one_token embeds untied",
    "convbert": "mask_holes zero_row one_token embeds one_head summary act",
    "nystromformer": "landmarks more_landmarks one_a_segment zero_row embeds choices untied act",
    "mra": "sparse embeds untied act",
    "yoso": "holes additive_mask no_mask zero_row embeds choices untied act",
}
