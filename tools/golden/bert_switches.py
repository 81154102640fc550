"""Switches of BERT's younger relatives: see `switch_table.py`. Each case turns what the class reads and no size would show."""

from switches import Switch, crossed

TASKS = {"task_type_ids": {"values": [[0, 1, 2, 0, 1, 2, 0], [2, 2, 1, 1, 0, 0, 2]]}}

ERNIE = [
    Switch("ErnieModel", "tasks", {"use_task_id": True, "task_type_vocab_size": 3}, inputs=TASKS),
    Switch("ErnieForMaskedLM", "no_tasks", {"use_task_id": True, "task_type_vocab_size": 3}),
] + crossed("ErnieModel", 32, is_decoder=True)
MEGATRON_BERT = [
    Switch("MegatronBertForCausalLM", "decoder", {"is_decoder": True}, length=9, mask="left"),
] + crossed("MegatronBertModel", 32, is_decoder=True)
ROBERTA_PRELAYERNORM = [
    Switch("RobertaPreLayerNormForCausalLM", "decoder", {"is_decoder": True}, length=9),
] + crossed("RobertaPreLayerNormModel", 32, is_decoder=True)
XLM_ROBERTA_XL = [
    Switch("XLMRobertaXLForCausalLM", "decoder", {"is_decoder": True}, length=9),
] + crossed("XLMRobertaXLModel", 32, is_decoder=True)
DATA2VEC_TEXT = [
    Switch("Data2VecTextForCausalLM", "decoder", {"is_decoder": True}, length=9),
]

BERTS = {"ernie": ERNIE, "megatron-bert": MEGATRON_BERT, "roberta-prelayernorm": ROBERTA_PRELAYERNORM,
         "xlm-roberta-xl": XLM_ROBERTA_XL, "data2vec-text": DATA2VEC_TEXT}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
BERTS_KEPT = {"ernie": "tasks no_tasks", "megatron-bert": "decoder crossed", "roberta-prelayernorm": "decoder crossed",
              "xlm-roberta-xl": "crossed", "data2vec-text": "decoder"}
