"""Switches of wav2vec 2.0's relatives: see `switch_table.py`. Each case turns what the class reads and no size would show."""

from switches import Switch


def masked(samples: int) -> dict:
    """Rows of different lengths."""
    return {"input_values": {"shape": [2, samples], "lo": -1.0, "hi": 1.0},
            "attention_mask": {"values": [[1] * samples, [1] * (samples - 400) + [0] * 400]}}


HUBERT = [
    Switch("HubertModel", "batch_norm", {"conv_pos_batch_norm": True, "feat_proj_layer_norm": False}, inputs=masked(1024)),
    Switch("HubertForSequenceClassification", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1024)),
    Switch("HubertForCTC", "stable", {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True},
           inputs=masked(1024)),
]
UNISPEECH = [
    Switch("UniSpeechForCTC", "stable", {"do_stable_layer_norm": True, "conv_bias": True}, inputs=masked(1024)),
    Switch("UniSpeechForPreTraining", "masked", inputs=masked(1024)),
]
UNISPEECH_SAT = [
    Switch("UniSpeechSatForXVector", "weighted", {"use_weighted_layer_sum": True}, inputs=masked(1024)),
    Switch("UniSpeechSatForAudioFrameClassification", "stable", {"do_stable_layer_norm": True, "feat_extract_norm": "layer"},
           inputs=masked(1024)),
]

SPEECH = {"hubert": HUBERT, "unispeech": UNISPEECH, "unispeech-sat": UNISPEECH_SAT}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
SPEECH_KEPT = {"hubert": "batch_norm weighted", "unispeech": "masked", "unispeech-sat": "stable"}
