"""Switches of models that read series of numbers: see `switch_table.py`. Each case turns what the class reads and no size would show."""

from switches import ABSENT, Switch


def numbers(*shape: int, low: float = -1.0) -> dict:
    return {"shape": list(shape), "lo": low, "hi": 1.0}


def counts(rows: int, steps: int, *channels: int) -> dict:
    """Whole numbers from 0 on, of which a negative binomial distribution may be."""
    row = [[(step * 7 + c * 3) % 5 for c in range(channels[0])] if channels else step * 7 % 5 for step in range(steps)]
    return {"values": [row] * rows}


# --- decision transformer ---

STEPS = {"timesteps": {"values": [[0, 1, 2, 3, 4, 5, 6], [90, 91, 92, 93, 94, 95, 96]]}}
STATES = {"encoder_hidden_states": numbers(2, 5, 23), "encoder_attention_mask": {"values": [[1] * 5, [1, 1, 1, 0, 0]]}}
DECISION_TRANSFORMER = [
    Switch("DecisionTransformerModel", "left", {"action_tanh": False, "n_inner": 31}, mask="left", inputs=STEPS),
    Switch("DecisionTransformerModel", "unmasked", {"scale_attn_by_inverse_layer_idx": True, "scale_attn_weights": False},
           mask=None, inputs=STEPS),
    Switch("DecisionTransformerModel", "holes", {"add_cross_attention": True, "activation_function": "gelu_new"},
           mask="holes", inputs={**STEPS, "rewards": None}),
    Switch("DecisionTransformerModel", "defaults", {field: ABSENT for field in (
        "action_tanh", "activation_function", "layer_norm_epsilon", "max_ep_len", "n_head", "n_inner", "n_layer", "n_positions",
        "state_dim", "vocab_size", "hidden_size", "act_dim")}, raw=True, inputs={**STEPS, "actions": numbers(2, 7, 4)}),
    Switch("DecisionTransformerGPT2Model", "crossed", {"add_cross_attention": True}, length=21, inputs=STATES),
    Switch("DecisionTransformerGPT2Model", "tokens", mask=None, inputs={
        "inputs_embeds": None, "input_ids": {"values": [[0] * 9] * 2}, "token_type_ids": {"values": [[0] * 9] * 2},
        "position_ids": {"values": [list(range(9)), list(range(30, 39))]}}),
    Switch("DecisionTransformerGPT2Model", "unplaced", length=21, mask="left", inputs={"position_ids": None}),
]

# --- patches ---

THREE = {"past_values": numbers(2, 14, 3, low=0.0)}
HOLES = {"values": [[[(i * 5 + c + row) % 4 > 0] for i in range(14) for c in [0]] for row in range(2)], "dtype": "BOOL"}
CHANNELS = {"num_input_channels": 3, "channel_attention": True}
HIDDEN = {"kwargs": {"output_hidden_states": True}}
PATCHTST = [
    Switch("PatchTSTModel", "channels", {**CHANNELS, "norm_type": "layernorm"}, inputs=THREE, **HIDDEN),
    Switch("PatchTSTModel", "post_norm", {**CHANNELS, "pre_norm": False, "bias": False}, inputs=THREE, **HIDDEN),
    Switch("PatchTSTModel", "own_embeddings", {"num_input_channels": 3, "share_embedding": False, "patch_stride": 2},
           inputs=THREE),
    Switch("PatchTSTModel", "token", {"use_cls_token": True, "positional_encoding_type": "random"}),
    Switch("PatchTSTModel", "last_masked", {"num_input_channels": 3, "do_mask_input": True, "mask_type": "forecast",
           "num_forecast_mask_patches": 1, "unmasked_channel_indices": [1], "mask_value": 2}, inputs=THREE),
    Switch("PatchTSTModel", "observed", {"scaling": "mean"}, inputs={"past_observed_mask": HOLES}),
    Switch("PatchTSTModel", "unobserved", {"scaling": True}, inputs={
        "past_observed_mask": {"values": [[[1]] * 14, [[0]] * 14], "dtype": "F32"}}),
    Switch("PatchTSTModel", "unscaled", {"scaling": None, "norm_eps": 0.1, "activation_function": "relu"}),
    Switch("PatchTSTForPretraining", "token", {"use_cls_token": True, "mask_type": "forecast", "num_forecast_mask_patches": [1]}),
    Switch("PatchTSTForClassification", "max", {"pooling_type": "max", "num_targets": 5}, inputs={"target_values": None}),
    Switch("PatchTSTForClassification", "token", {"use_cls_token": True, "pooling_type": None}, inputs={"target_values": None}),
    Switch("PatchTSTForRegression", "range", {"output_range": [-1, 3], "pooling_type": "max"}),
    Switch("PatchTSTForRegression", "student", {"loss": "nll", "output_range": [-1, 3]}),
    Switch("PatchTSTForRegression", "one_target", {"loss": "nll", "num_targets": 1, "distribution_output": "normal"},
           inputs={"target_values": numbers(2, 1)}),
    Switch("PatchTSTForRegression", "no_targets", {"loss": None, "num_targets": 1}, inputs={"target_values": None}),
    Switch("PatchTSTForPrediction", "unpooled", {"pooling_type": None, "num_input_channels": 3},
           inputs={**THREE, "future_values": None}),
    Switch("PatchTSTForPrediction", "token", {"use_cls_token": True, "pooling_type": None, "loss": "nll"}),
    Switch("PatchTSTForPrediction", "binomial", {"loss": "nll", "distribution_output": "negative_binomial",
           "num_input_channels": 3, "pooling_type": "max"}, inputs={**THREE, "future_values": counts(2, 7, 3)}),
    Switch("PatchTSTForPrediction", "binomial_alone", {"loss": "nll", "distribution_output": "negative_binomial"},
           inputs={"future_values": None}),
    Switch("PatchTSTModel", "defaults", {field: ABSENT for field in (
        "activation_function", "context_length", "d_model", "ffn_dim", "norm_type", "num_attention_heads", "num_hidden_layers",
        "num_input_channels", "patch_length", "patch_stride", "scaling", "pooling_type", "num_targets", "prediction_length")},
           raw=True, inputs={"past_values": numbers(2, 32, 1), "future_values": None}),
]
SELF = {"self_attn": True, "self_attn_heads": 2}
PATCHTSMIXER = [
    Switch("PatchTSMixerModel", "all", {**SELF, "mode": "mix_channel", "norm_mlp": "BatchNorm", "use_positional_encoding": True,
           "gated_attn": True}, **HIDDEN),
    Switch("PatchTSMixerModel", "ungated", {**SELF, "mode": "mix_channel", "gated_attn": False, "expansion_factor": 3,
           "norm_eps": 0.1}, **HIDDEN),
    Switch("PatchTSMixerModel", "overlapping", {"patch_stride": 3, "num_patches": ABSENT, "scaling": "mean"}, inputs={
        "observed_mask": {"values": [[[(i + c) % 4 > 0 for c in range(3)] for i in range(32)]] * 2, "dtype": "BOOL"}}),
    Switch("PatchTSMixerForPretraining", "kept_channels", {"unmasked_channel_indices": [2, 0], "num_forecast_mask_patches": 3,
           "mask_value": -1}),
    Switch("PatchTSMixerForPretraining", "unmasked", {"mask_type": "random", "random_mask_ratio": 0.0, "masked_loss": True}),
    Switch("PatchTSMixerForPrediction", "channels", {"prediction_channel_indices": [2, 0]}, inputs={"future_values": None}),
    Switch("PatchTSMixerForPrediction", "binomial", {"prediction_channel_indices": [2, 0], "loss": "nll",
           "distribution_output": "negative_binomial"}, inputs={"future_values": counts(2, 16, 3)}),
    Switch("PatchTSMixerForPrediction", "normal", {"loss": "nll", "distribution_output": "normal", "scaling": True}),
    Switch("PatchTSMixerForRegression", "last", {"head_aggregation": "use_last", "output_range": [-2, 1]}),
    Switch("PatchTSMixerForRegression", "unscaled", {"scaling": None, "head_aggregation": "avg_pool"}),
    Switch("PatchTSMixerForRegression", "student", {"loss": "nll", "num_targets": 1, "head_aggregation": "max_pool"},
           inputs={"target_values": numbers(2, 1)}),
    Switch("PatchTSMixerForTimeSeriesClassification", "nll", {"loss": "nll", "output_range": [0, 2], "head_aggregation": ABSENT},
           raw=True, inputs={"target_values": None}),
    Switch("PatchTSMixerModel", "defaults", {field: ABSENT for field in (
        "context_length", "d_model", "expansion_factor", "gated_attn", "mode", "norm_mlp", "norm_eps", "num_input_channels",
        "num_layers", "patch_length", "patch_stride", "scaling", "self_attn", "num_patches")}, raw=True,
           inputs={"past_values": numbers(2, 32, 1)}),
]

# --- forecasters ---

CATEGORIES = {"static_categorical_features": {"values": [[3], [18]]}}
ROWS = [[i % 5 != 2 for i in range(19)], [i % 7 != 1 for i in range(19)]]
SEEN = {**CATEGORIES, "past_observed_mask": {"values": ROWS, "dtype": "BOOL"}}
UNSEEN = {**CATEGORIES, "past_observed_mask": {"values": [ROWS[0], [False] * 19], "dtype": "BOOL"}}
NO_FUTURE = {"future_values": None, "future_time_features": None}
DECODER_MASK = {"decoder_attention_mask": {"values": [[1] * 7, [1, 1, 0, 1, 1, 0, 0]]}}
WIDE = {"input_size": 3, "feature_size": ABSENT}
WIDE_INPUTS = {**CATEGORIES, "past_values": numbers(2, 19, 3, low=0.0), "future_values": counts(2, 7, 3),
               "past_observed_mask": {"values": [[[v, not v, True] for v in row] for row in ROWS], "dtype": "BOOL"}}
STILL = {"num_static_categorical_features": 0, "num_static_real_features": 0, "cardinality": None, "embedding_dimension": None,
         "feature_size": ABSENT}
NO_STATICS = {"static_categorical_features": None, "static_real_features": None}
BINOMIAL = {"distribution_output": "negative_binomial"}
DEFAULTS = {field: ABSENT for field in (
    "d_model", "encoder_attention_heads", "decoder_attention_heads", "encoder_ffn_dim", "decoder_ffn_dim", "encoder_layers",
    "decoder_layers", "scaling", "activation_function", "context_length", "lags_sequence", "embedding_dimension", "feature_size",
    "distribution_output", "attention_type", "distil", "sampling_factor", "moving_average", "autocorrelation_factor")}


def defaults_inputs(prediction: int) -> dict:
    past = prediction + 7
    return {**CATEGORIES, "past_values": numbers(2, past), "past_time_features": numbers(2, past, 4), "past_observed_mask": {
        "values": [[i % 5 != 2 for i in range(past)]] * 2, "dtype": "BOOL"}, "future_values": numbers(2, prediction),
            "future_time_features": numbers(2, prediction, 4)}


TIME_SERIES_TRANSFORMER = [
    Switch("TimeSeriesTransformerModel", "past", inputs={**SEEN, **NO_FUTURE}, **HIDDEN),
    Switch("TimeSeriesTransformerModel", "unseen", {"scaling": "mean"}, inputs=UNSEEN),
    Switch("TimeSeriesTransformerModel", "default_scale", {"scaling": True, "default_scale": 0.7, "minimum_scale": 0.75},
           inputs=UNSEEN),
    Switch("TimeSeriesTransformerModel", "unscaled", {"scaling": False}, inputs=SEEN),
    Switch("TimeSeriesTransformerModel", "still", STILL, inputs={**SEEN, **NO_STATICS}),
    Switch("TimeSeriesTransformerModel", "masked", {"lags_sequence": [0, 5, 2, 3, 1], "activation_function": "relu"},
           inputs={**SEEN, **DECODER_MASK}),
    Switch("TimeSeriesTransformerModel", "two_ways", {"is_causal": False}, inputs=SEEN),
    Switch("TimeSeriesTransformerForPrediction", "binomial", BINOMIAL, inputs={**SEEN, "future_values": counts(2, 7)}),
    Switch("TimeSeriesTransformerForPrediction", "wide", {**WIDE, **BINOMIAL, "minimum_scale": 0.1}, inputs=WIDE_INPUTS),
    Switch("TimeSeriesTransformerForPrediction", "normal", {"distribution_output": "normal"}, inputs=SEEN),
    Switch("TimeSeriesTransformerForPrediction", "past", inputs={**SEEN, **NO_FUTURE}),
    Switch("TimeSeriesTransformerForPrediction", "defaults", DEFAULTS, raw=True, inputs=defaults_inputs(7)),
]
INFORMER = [
    Switch("InformerModel", "distilled", {"distil": True, "encoder_layers": 3, "context_length": 14}, inputs=SEEN, **HIDDEN),
    Switch("InformerModel", "full", {"attention_type": "full", "scaling": "std"}, inputs={**SEEN, **DECODER_MASK}, **HIDDEN),
    Switch("InformerModel", "masked", inputs={**UNSEEN, **DECODER_MASK}, **HIDDEN),
    Switch("InformerForPrediction", "wide", {**WIDE, **BINOMIAL}, inputs=WIDE_INPUTS),
    Switch("InformerForPrediction", "past", inputs={**SEEN, **NO_FUTURE}),
    Switch("InformerForPrediction", "defaults", DEFAULTS, raw=True, inputs=defaults_inputs(7)),
]
AUTOFORMER = [
    Switch("AutoformerModel", "short", {"label_length": 3, "moving_average": 3, "scaling": True}, inputs=SEEN, **HIDDEN),
    Switch("AutoformerModel", "one_delay", {"autocorrelation_factor": 1, "moving_average": 1, "scaling": False}, inputs=SEEN),
    Switch("AutoformerModel", "past", inputs={**SEEN, **NO_FUTURE}, **HIDDEN),
    Switch("AutoformerForPrediction", "wide", {**WIDE, **BINOMIAL, "label_length": 14}, inputs=WIDE_INPUTS),
    Switch("AutoformerForPrediction", "normal", {"distribution_output": "normal", "activation_function": "relu"}, inputs=UNSEEN),
    Switch("AutoformerForPrediction", "defaults", {**DEFAULTS, "label_length": 5}, raw=True, inputs=defaults_inputs(7)),
]

# --- TimesFM ---

SMALL = {"patch_length": 8, "context_length": 40, "horizon_length": 11}
MARK = 1024.0  # which float32 holds, as it does not the default
WAVES = [[round(((i * 37 + row * 11) % 50) / 25 - 1, 2) for i in range(40)] for row in range(3)]
FREQ = {"freq": {"values": [[0], [2], [1]], "dtype": "I32"}}


def padded(*lengths: int) -> dict:
    """Ones before each row's series."""
    return {"past_values_padding": {"values": [[int(i < n) for i in range(40)] for n in lengths], "dtype": "F32"}}


def marked() -> dict:
    rows = [[MARK if 18 < i < 26 else value for i, value in enumerate(row)] for row in WAVES]
    return {"past_values": {"values": rows, "dtype": "F32"}}


TIMESFM = [
    Switch("TimesFmModel", "padded", SMALL, rows=3, inputs={**FREQ, **padded(0, 22, 40), "past_values": numbers(3, 40)}, **HIDDEN),
    Switch("TimesFmModel", "marked", {**SMALL, "pad_val": MARK}, rows=3, inputs={**FREQ, **padded(0, 14, 16), **marked()}, **HIDDEN),
    Switch("TimesFmModel", "few", {**SMALL, "use_positional_embedding": False, "rms_norm_eps": 0.01, "tolerance": 0.5}, rows=3,
           inputs={**FREQ, **padded(6, 21, 38), "past_values": numbers(3, 40)}),
    Switch("TimesFmModelForPrediction", "window", SMALL, rows=3, inputs={"past_values": numbers(3, 40), "freq": {
        "values": [0, 2, 1]}}, kwargs={"window_size": 4}),
    Switch("TimesFmModelForPrediction", "short", SMALL, rows=3, inputs={"past_values": numbers(3, 47), "freq": None},
           kwargs={"forecast_context_len": 24, "output_hidden_states": True}),
    Switch("TimesFmModelForPrediction", "on_context", SMALL, rows=3, inputs={"past_values": numbers(3, 33), "freq": None},
           kwargs={"return_forecast_on_context": 1}),
    Switch("TimesFmModelForPrediction", "narrow", {**SMALL, "horizon_length": 5}, rows=3, inputs={
        "past_values": numbers(3, 60), "freq": None}, kwargs={"return_forecast_on_context": 1, "forecast_context_len": 50}),
    Switch("TimesFmModelForPrediction", "positive", SMALL, rows=3, inputs={"past_values": numbers(3, 33, low=0.0), "freq": None},
           kwargs={"truncate_negative": 1}),
]
SMALLER = {**SMALL, "horizon_length": 6}
TIMESFM2_5 = [
    Switch("TimesFm2_5Model", "padded", SMALLER, rows=3, inputs={**padded(0, 22, 40), "past_values": numbers(3, 40)}, **HIDDEN),
    Switch("TimesFm2_5Model", "far", SMALLER, rows=3, inputs={**padded(0, 16, 3), "past_values": {
        "values": [[100 + value for value in row] for row in WAVES], "dtype": "F32"}}),
    Switch("TimesFm2_5Model", "unpadded", {**SMALLER, "attention_bias": True, "use_bias": True, "activation": "gelu",
           "num_key_value_heads": 1, "rms_norm_eps": 0.01}, inputs={"past_values_padding": None, "past_values": numbers(2, 40)}),
    Switch("TimesFm2_5Model", "rope_dynamic", {**SMALLER, "max_position_embeddings": 3, "rope_parameters": {
        "rope_type": "dynamic", "factor": 2.0, "rope_theta": 500.0}}, rows=3, inputs={**padded(0, 16, 9), "past_values": numbers(3, 40)}),
    Switch("TimesFm2_5ModelForPrediction", "window", SMALLER, inputs={"past_values": numbers(2, 33)}, kwargs={"window_size": 5}),
    Switch("TimesFm2_5ModelForPrediction", "short", {**SMALLER, "output_quantile_len": 4, "decode_index": 1}, inputs={
        "past_values": numbers(2, 47)}, kwargs={"forecast_context_len": 24, "output_hidden_states": True}),
    Switch("TimesFm2_5ModelForPrediction", "unflipped", {**SMALLER, "force_flip_invariance": False, "decode_index": 0},
           inputs={"past_values": numbers(2, 40)}),
    Switch("TimesFm2_5ModelForPrediction", "even", {**SMALLER, "use_continuous_quantile_head": False, "infer_is_positive": False},
           inputs={"past_values": numbers(2, 40, low=0.0)}),
    Switch("TimesFm2_5ModelForPrediction", "positive", {**SMALLER, "quantiles": [0.5]}, inputs={
        "past_values": numbers(2, 37, low=0.0)}),
    Switch("TimesFm2_5ModelForPrediction", "zeros", {**SMALLER, "rope_parameters": ABSENT, "quantiles": [0.1, 0.3, 0.5, 0.7, 0.9],
           "decode_index": 3}, inputs={"past_values": {"values": [[0.0] * 40, WAVES[0]], "dtype": "F32"}}),
]

SERIES = {"decision_transformer": DECISION_TRANSFORMER, "patchtst": PATCHTST, "patchtsmixer": PATCHTSMIXER,
          "time_series_transformer": TIME_SERIES_TRANSFORMER, "informer": INFORMER, "autoformer": AUTOFORMER, "timesfm": TIMESFM,
          "timesfm2_5": TIMESFM2_5}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
SERIES_KEPT = {
    "decision_transformer": "left tokens", "patchtst": "post_norm last_masked binomial", "patchtsmixer": "all binomial last",
    "time_series_transformer": "past default_scale wide", "informer": "distilled masked", "autoformer": "short wide",
    "timesfm": "marked window on_context", "timesfm2_5": "padded short positive",
}
