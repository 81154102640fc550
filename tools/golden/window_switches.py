"""Switches of models whose tokens see windows or blocks of a text: see `switch_table.py`. Each case has a length, a mask
or a choice of global tokens that sizes would not show."""

from switches import ABSENT, Switch, mask_of

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


def masks(kind: str | None, length: int, decoder_length: int = 6) -> dict:
    """Inputs: a mask over a text, and over three rows that a decoder reads."""
    text = kind and {"values": mask_of(kind, [3, length]).tolist()}
    return {"attention_mask": text, "decoder_attention_mask": {"values": mask_of("right", [3, decoder_length]).tolist()}}


def longt5(name: str, kind: str | None, length: int, **config) -> Switch:
    """What padding attends to is lost in float32, so that masks are judged by what the decoder makes of the rest."""
    return Switch("LongT5ForConditionalGeneration", name, config, rows=3, length=length, decoder_length=6,
                  inputs=masks(kind, length))


SUMS = {"encoder_attention_type": "transient-global", "local_radius": 3}
LONGT5 = [
    longt5("local_right", "right", 33, local_radius=4),
    longt5("local_holes", "holes", 20, local_radius=1),
    longt5("sums_right", "right", 33, **SUMS, global_block_size=4),
    longt5("sums_left", "left", 30, **SUMS, global_block_size=2),
    longt5("sums_holes", "holes", 33, **SUMS, global_block_size=4),
    longt5("sums_free", None, 67, **SUMS, global_block_size=8),
    longt5("few_tokens", "right", 5, **SUMS, global_block_size=8),
    longt5("one_token", "ones", 1, **SUMS, global_block_size=1),
    longt5("gated", "ones", 31, **SUMS, global_block_size=4, feed_forward_proj="gated-gelu", dense_act_fn="gelu_new",
           is_gated_act=True, tie_word_embeddings=False, scale_decoder_outputs=False),
    Switch("LongT5EncoderModel", "defaults", {name: ABSENT for name in (
        "local_radius", "global_block_size", "encoder_attention_type", "relative_attention_num_buckets")},
        raw=True, length=300, rows=1, inputs={"attention_mask": None}),
    Switch("LongT5EncoderModel", "sums", {**SUMS, "global_block_size": 16, "local_radius": 30}, length=130, rows=1,
           inputs={"attention_mask": None}),
]


BLOCKS = {"block_size": 2, "num_random_blocks": 1}  # full attention up to 14 tokens
HIDDEN = {"kwargs": {"output_hidden_states": True}}
QUESTIONS = [[9, 8, 7, 66, *range(10, 23)], [66, *range(30, 45), 66]]


def big_bird(name: str, length: int, mask: str | None, **more) -> Switch:
    config = {**BLOCKS, **more.pop("config", {})}
    return Switch(more.pop("architecture", "BigBirdModel"), name, config, length=length, rows=more.pop("rows", 2),
                  mask=mask, **more)


BIG_BIRD = [
    big_bird("most_full", 14, "right"),
    big_bird("least_sparse", 15, "right", **HIDDEN),
    big_bird("long_decoder", 15, "right", config={"is_decoder": True}),
    big_bird("left", 23, "left", rows=3),
    big_bird("holes", 32, "holes", rows=3, config={"num_random_blocks": 3}),
    big_bird("free", 29, None, config={"num_random_blocks": 2, "block_size": 3, "use_bias": False,
                                       "rescale_embeddings": True}),
    big_bird("positions", 15, "right", **HIDDEN, inputs={"position_ids": {"values": [[*range(14, -1, -1)], [*range(20, 35)]]}}),
    big_bird("embeds", 15, "ones", **HIDDEN, config={"rescale_embeddings": True}, inputs={
        "input_ids": None, "token_type_ids": None, "inputs_embeds": {"shape": [2, 15, 32], "lo": -1.0, "hi": 1.0}}),
    big_bird("zero_row", 16, "ones", inputs={"attention_mask": {"values": [[1] * 16, [0] * 16]}}),
    big_bird("no_pad", 15, "ones", config={"pad_token_id": None}),
    big_bird("old_plan", 1024, None, rows=1, config={"block_size": 64, "num_random_blocks": 3, "num_hidden_layers": 1,
             "max_position_embeddings": 1024}, inputs={"token_type_ids": None}),
    big_bird("original_full", 40, "holes", config={"attention_type": "original_full", "use_bias": False}),
    Switch("BigBirdForCausalLM", "decoder", {"is_decoder": True, "attention_type": "original_full"}),
    Switch("BigBirdForCausalLM", "short", {"is_decoder": True, **BLOCKS}, length=12),
    Switch("BigBirdForCausalLM", "both_ways", BLOCKS, length=7),
    Switch("BigBirdForMaskedLM", "untied", {"tie_word_embeddings": False, **BLOCKS}, length=15),
    Switch("BigBirdForQuestionAnswering", "question", BLOCKS, length=17, inputs={
        "input_ids": {"values": QUESTIONS}, "token_type_ids": None}),
    Switch("BigBirdForQuestionAnswering", "lengths", BLOCKS, length=17, inputs={
        "question_lengths": {"values": [[4], [9]]}, "token_type_ids": None}),
    Switch("BigBirdForQuestionAnswering", "no_question", BLOCKS, inputs=EMBEDS),
    Switch("BigBirdForSequenceClassification", "one_label", {"num_labels": 1, "hidden_act": "relu", **BLOCKS}, length=16),
]

# By model type; see SWITCHES in switch_table.py.
WINDOWED = {"longformer": LONGFORMER, "led": LED, "longt5": LONGT5, "big_bird": BIG_BIRD}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
WINDOWED_KEPT = {
    "longformer": "long no_global free one_window zero_row embeds pads first question choices",
    "led": "long no_global free one_window shifted embeds",
    "longt5": "local_right local_holes sums_right sums_left sums_holes few_tokens gated defaults sums",
    "big_bird": "most_full least_sparse long_decoder left holes free positions embeds zero_row no_pad old_plan decoder short "
                "both_ways question lengths no_question one_label",
}
