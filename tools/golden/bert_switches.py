"""Switches of BERT's younger relatives: see `switch_table.py`. Each case turns what the class reads and no size would show."""

from decoder_switches import LINEAR
from switches import ABSENT, Switch, crossed

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
EUROBERT = [
    Switch("EuroBertForSequenceClassification", "mean", {"classifier_pooling": "mean", "num_key_value_heads": 2}, mask="left"),
    Switch("EuroBertForSequenceClassification", "bos", {"classifier_pooling": "bos"}),
    Switch("EuroBertForMaskedLM", "biased", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
]
NOMIC_BERT = [
    Switch("NomicBertModel", "rope", {"rope_parameters": LINEAR}, length=9, mask="left"),
    Switch("NomicBertModel", "absent", {"rope_parameters": ABSENT}, raw=True),
]
GTE = [
    Switch("GteModel", "no_types", {"type_vocab_size": 0}, mask="left"),
    Switch("GteModel", "absent", {"rope_parameters": ABSENT}, raw=True),
]
JINA_EMBEDDINGS_V3 = [
    Switch("JinaEmbeddingsV3Model", "absent", {"rope_parameters": ABSENT}, raw=True, mask="left"),
]

BERTS = {"ernie": ERNIE, "megatron-bert": MEGATRON_BERT, "roberta-prelayernorm": ROBERTA_PRELAYERNORM,
         "xlm-roberta-xl": XLM_ROBERTA_XL, "data2vec-text": DATA2VEC_TEXT,
         "eurobert": EUROBERT, "nomic_bert": NOMIC_BERT, "gte": GTE, "jina_embeddings_v3": JINA_EMBEDDINGS_V3}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
BERTS_KEPT = {"ernie": "tasks no_tasks", "megatron-bert": "decoder crossed", "roberta-prelayernorm": "decoder crossed",
              "xlm-roberta-xl": "crossed", "data2vec-text": "decoder", "eurobert": "mean biased",
              "nomic_bert": "rope", "gte": "no_types"}
