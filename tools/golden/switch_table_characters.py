"""What `golden.py switches` turns in RWKV and in the models of characters and bytes: see switch_table.py."""

from switches import ABSENT, Switch

RWKV = [
    Switch("RwkvModel", "narrow_attention", {"attention_hidden_size": 20, "intermediate_size": 50}, mask=None),
    Switch("RwkvModel", "default_sizes", {"attention_hidden_size": ABSENT, "intermediate_size": None,
           "layer_norm_epsilon": ABSENT}, raw=True, mask=None),
    Switch("RwkvModel", "embeds", mask=None, inputs={"input_ids": None,
           "inputs_embeds": {"shape": [2, 7, 32], "lo": -1.0, "hi": 1.0}}),
    Switch("RwkvForCausalLM", "tied", {"tie_word_embeddings": True, "rescale_every": 1}, rows=1),
    Switch("RwkvForCausalLM", "beyond_context", rows=1, length=40),
    Switch("RwkvForCausalLM", "one_token", rows=1, length=1),
]

# By model type; see SWITCHES in switch_table.py.
SWITCHES = {"rwkv": RWKV}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
KEPT = {"rwkv": "narrow_attention default_sizes embeds tied beyond_context one_token"}
