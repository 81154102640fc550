"""Other sizes for models that read series of numbers, and inputs of such sizes: see `sizes.py` and `vary.py`."""

from sizes import ACTIVATIONS, choose, heads


def decision_transformer(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "n_head")
    choose(c, rng, n_layer=[1, 2, 3], n_positions=range(40, 90), n_inner=[None, 50, 67], activation_function=ACTIVATIONS,
           layer_norm_epsilon=[1e-5, 1e-6], state_dim=range(3, 20), act_dim=range(2, 9), max_ep_len=range(20, 60),
           action_tanh=[True, False])


def patches(c: dict, rng) -> None:
    choose(c, rng, patch_length=range(4, 8), patch_stride=range(2, 8), context_length=range(26, 41),
           num_input_channels=range(1, 5), prediction_length=range(3, 12), num_targets=range(2, 5), norm_eps=[1e-5, 1e-3])


def patchtst(c: dict, rng) -> None:
    patches(c, rng)
    heads(c, rng, "d_model", "num_attention_heads", even=True)  # half of it are sines
    choose(c, rng, num_hidden_layers=[1, 2, 3], ffn_dim=range(10, 40), activation_function=ACTIVATIONS)


def patchtsmixer(c: dict, rng) -> None:
    patches(c, rng)
    del c["num_patches"]  # which follows from the others, unless it is given
    choose(c, rng, d_model=range(5, 20), num_layers=[1, 2, 3], expansion_factor=[1, 2, 3])


def forecaster(c: dict, rng) -> None:
    """An encoder of the past and a decoder of the future, both over lags and features."""
    heads(c, rng, "d_model", "encoder_attention_heads")
    choose(c, rng, decoder_attention_heads=[1, c["encoder_attention_heads"]], encoder_layers=[1, 2, 3], decoder_layers=[1, 2, 3],
           encoder_ffn_dim=range(10, 40), decoder_ffn_dim=range(10, 40), context_length=range(10, 20),
           prediction_length=range(3, 10), num_time_features=range(1, 5), input_size=[1, 1, 2, 3],
           activation_function=ACTIVATIONS, lags_sequence=[[1, 2, 3], [1, 4, 2, 7], [2, 3, 9]],
           num_static_categorical_features=[1, 2])
    c["cardinality"] = [rng.randint(3, 20) for _ in range(c["num_static_categorical_features"])]
    c["embedding_dimension"] = [rng.randint(2, 6) for _ in c["cardinality"]]
    del c["feature_size"]  # which follows from the others, unless it is given
    if c["num_static_real_features"]:
        choose(c, rng, num_static_real_features=[1, 2, 3])


def informer(c: dict, rng) -> None:
    """Few steps, so that all queries are answered: which else are is drawn at random."""
    forecaster(c, rng)
    choose(c, rng, distil=[True, False], attention_type=["prob", "full"])


def autoformer(c: dict, rng) -> None:
    forecaster(c, rng)
    choose(c, rng, label_length=range(4, 10), moving_average=[3, 7, 25], autocorrelation_factor=[1, 2, 3])


def timesfm(c: dict, rng) -> None:
    choose(c, rng, patch_length=[5, 8, 12], head_dim=[6, 8, 12], num_attention_heads=[2, 3], hidden_size=[14, 18, 26],
           intermediate_size=range(20, 40), num_hidden_layers=[1, 2], horizon_length=range(7, 15), freq_size=[3, 4])
    c["context_length"] = c["patch_length"] * rng.randint(4, 8)
    c["quantiles"] = rng.choice([[0.1, 0.5, 0.9], [0.2, 0.4, 0.6, 0.8]])


def timesfm2_5(c: dict, rng) -> None:
    c["freq_size"] = 0
    timesfm(c, rng)
    del c["freq_size"]
    c["num_attention_heads"], c["num_key_value_heads"] = rng.choice([(2, 2), (4, 2), (3, 1)])
    choose(c, rng, output_quantile_len=[5, 20], decode_index=[1, 2], activation=["swish", "gelu"])


SERIES = {"decision_transformer": decision_transformer, "patchtst": patchtst, "patchtsmixer": patchtsmixer,
          "time_series_transformer": forecaster, "informer": informer, "autoformer": autoformer, "timesfm": timesfm,
          "timesfm2_5": timesfm2_5}


def past_length(c: dict) -> int:
    return c["context_length"] + max(c.get("lags_sequence", [0]))


def padding(inputs, c: dict) -> list[list[int]]:
    """Ones before some of the rows."""
    length = past_length(c)
    starts = inputs.draw([0, 3, c["patch_length"], 2 * c["patch_length"] + 2], (inputs.rows,))
    return [[int(i < start) for i in range(length)] for start in starts]


def shapes(inputs, c: dict) -> dict[str, list[int]]:
    """Of inputs that are numbers, by name, without the rows."""
    if c["model_type"] == "decision_transformer":
        steps = inputs.width("text")
        return {"states": [steps, c["state_dim"]], "actions": [steps, c["act_dim"]], "rewards": [steps, 1], "returns_to_go": [steps, 1]}
    channels = [c["num_input_channels"]] if "num_input_channels" in c else [c["input_size"]] if c.get("input_size", 1) > 1 else []
    past, future = past_length(c), c.get("prediction_length", 0)
    times = c.get("num_time_features", 0) + c.get("num_dynamic_real_features", 0)
    if c["model_type"].startswith("timesfm") and inputs.data["architecture"].endswith("ForPrediction"):
        past += inputs.rng.choice([-11, 0, 9])
    return {"past_values": [past, *channels], "future_values": [future, *channels], "past_observed_mask": [past, *channels],
            "past_time_features": [past, times], "future_time_features": [future, times],
            "static_real_features": [c.get("num_static_real_features", 0)], "target_values": [c.get("num_targets", 0)]}


def series_input(inputs, entry: dict) -> dict | None:
    """The input, or None where it is another kind of model's."""
    c, name, rows = inputs.config, entry["name"], inputs.rows
    if c["model_type"] not in SERIES:
        return None
    if name == "timesteps":
        return {"values": inputs.draw(range(c["max_ep_len"]), (rows, inputs.width("text")))}
    if name == "position_ids":
        return {"values": inputs.draw(range(c["n_positions"]), (rows, inputs.width("text")))}
    if name == "target_values" and entry["dtype"] == "I64":
        return {"values": inputs.draw(range(c["num_targets"]), (rows,))}
    if name == "static_categorical_features":
        columns = [inputs.draw(range(size), (rows,)) for size in c["cardinality"]]
        return {"values": [list(row) for row in zip(*columns)]}
    if name == "past_values_padding":
        return {"values": padding(inputs, c)}
    if name == "freq":
        return {"values": inputs.draw(range(c["freq_size"]), (rows, *entry["shape"][1:]))}
    shape = shapes(inputs, c).get(name)
    if shape is None:
        return None
    if name == "past_observed_mask":
        return {"values": inputs.draw([True, True, True, False], (rows, *shape))}
    return {"shape": [rows, *shape], "lo": entry["lo"], "hi": entry["hi"]}
