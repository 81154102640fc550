"""Switches of models whose tokens see windows or blocks of a text: see `switch_table.py`. Each case has a length, a mask
or a choice of global tokens that sizes would not show."""

from switches import Switch

ZERO_ROW = {"attention_mask": {"values": [[1] * 7, [0] * 7]}}
NO_GLOBAL = {"global_attention_mask": None}
EMBEDS = {"input_ids": None, "token_type_ids": None,
          "inputs_embeds": {"shape": [2, 7, 32], "lo": -1.0, "hi": 1.0}}
PAIRS = [[0, 9, 8, 2, 2, 7, 6, 5, 2], [0, 11, 12, 13, 14, 2, 2, 17, 2]]
CHOICES = [[*PAIRS, PAIRS[0][::1], [0, 2, 2, 33, 34, 35, 36, 37, 2]], [PAIRS[1], *PAIRS, PAIRS[1]]]

LONGFORMER = [
    Switch("LongformerModel", "long", {"attention_window": [4, 8]}, length=37, rows=3, mask="left"),
    Switch("LongformerModel", "no_global", length=33, rows=3, mask="holes", inputs=NO_GLOBAL),
    Switch("LongformerModel", "free", {"attention_window": [12, 4]}, length=41, mask=None, inputs=NO_GLOBAL),
    Switch("LongformerModel", "one_window", {"attention_window": 6}, raw=True, length=12, mask=None),
    Switch("LongformerModel", "zero_row", inputs=ZERO_ROW),
    Switch("LongformerModel", "embeds", inputs=EMBEDS),
    Switch("LongformerModel", "pads", {"pad_token_id": 7}, inputs={
        "input_ids": {"values": [[9, 8, 7, 6, 7, 7, 7], [7, 7, 5, 7, 6, 8, 9]]}}),
    Switch("LongformerForMaskedLM", "untied", {"tie_word_embeddings": False}, length=10),
    Switch("LongformerForSequenceClassification", "first", {"num_labels": 3}, length=11, inputs=NO_GLOBAL),
    Switch("LongformerForQuestionAnswering", "question", {"attention_window": [4, 4]}, length=9, mask="ones",
           inputs={**NO_GLOBAL, "input_ids": {"values": PAIRS}}),
    Switch("LongformerForMultipleChoice", "choices", {"attention_window": [4, 4]}, length=9, mask="ones",
           inputs={**NO_GLOBAL, "input_ids": {"values": CHOICES}}),
]
SHIFTED = {"decoder_input_ids": None, "decoder_attention_mask": None}
LED = [
    Switch("LEDModel", "long", {"attention_window": [4, 8]}, length=37, decoder_length=9, rows=3, mask="left"),
    Switch("LEDForConditionalGeneration", "no_global", length=21, decoder_length=6, rows=3, mask="holes",
           inputs=NO_GLOBAL),
    Switch("LEDForConditionalGeneration", "free", {"attention_window": [12, 4]}, length=30, mask=None,
           inputs=NO_GLOBAL),
    Switch("LEDForConditionalGeneration", "untied", {"tie_word_embeddings": False, "encoder_layers": 1,
                                                     "attention_window": [4]}),
    Switch("LEDModel", "one_window", {"attention_window": 6, "scale_embedding": True}, raw=True, length=12),
    Switch("LEDModel", "shifted", inputs=SHIFTED),
    Switch("LEDModel", "embeds", inputs={"input_ids": None, "inputs_embeds": {"shape": [2, 7, 16], "lo": -1.0,
                                                                             "hi": 1.0}}),
]

# By model type; see SWITCHES in switch_table.py.
WINDOWED = {"longformer": LONGFORMER, "led": LED}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
WINDOWED_KEPT = {
    "longformer": "long no_global free one_window zero_row embeds pads first question choices",
    "led": "long no_global free one_window shifted embeds",
}
