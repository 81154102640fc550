"""Other sizes for models that read or write sounds, and inputs of such sizes: see `sizes.py` and `vary.py`."""

from sizes import ACTIVATIONS, at_most, bert, choose, heads


def moonshine(c: dict, rng) -> None:
    """Nine tenths of each head are rotated, and one more where these are odd."""
    count = rng.choice([2, 3, 4])
    for field in ("encoder_num_attention_heads", "decoder_num_attention_heads", "encoder_num_key_value_heads",
                  "decoder_num_key_value_heads"):
        c[field] = count
    c["hidden_size"] = count * rng.choice([6, 8, 11])
    choose(c, rng, encoder_num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 50), vocab_size=range(100, 150),
           attention_bias=[False, True], encoder_hidden_act=ACTIVATIONS, decoder_hidden_act=["silu", "gelu"])
    choose(c, rng, decoder_num_hidden_layers=at_most(c["encoder_num_hidden_layers"]))


def clap_text_model(c: dict, rng) -> None:
    bert(c, rng)
    choose(c, rng, projection_dim=range(10, 40), projection_hidden_act=["relu", "gelu"])


def clap_audio_model(c: dict, rng) -> None:
    """The last stage has a whole number of rows for each of the stretches of time that an image is folded of."""
    stages, fold, stride = rng.choice([2, 3]), rng.choice([2, 3]), rng.choice([2, 3])
    c["depths"], c["num_attention_heads"] = [rng.choice([1, 2]) for _ in range(stages)], [rng.choice([1, 2, 3]) for _ in range(stages)]
    c["num_hidden_layers"], c["freq_ratio"] = stages, fold
    c["spec_size"] = stride * 2 ** (stages - 1) * fold * 2
    c["num_mel_bins"], c["patch_stride"], c["patch_size"] = c["spec_size"] // fold, stride, stride + rng.choice([0, 2])
    choose(c, rng, patch_embeds_hidden_size=[12, 18], window_size=[2, 3, 4], mlp_ratio=[1.5, 2.0, 4.0], qkv_bias=[True, False],
           enable_patch_layer_norm=[True, False], hidden_act=ACTIVATIONS, projection_dim=range(10, 40))
    c["hidden_size"] = c["patch_embeds_hidden_size"] * 2 ** (stages - 1)


def clap(c: dict, rng) -> None:
    clap_text_model(c["text_config"], rng)
    clap_audio_model(c["audio_config"], rng)
    choose(c, rng, projection_dim=range(10, 40), logit_scale_init_value=[2.0, 14.0])


SOUNDS = {"moonshine": moonshine, "clap": clap, "clap_text_model": clap_text_model, "clap_audio_model": clap_audio_model}


def convolutions(c: dict) -> list[tuple[int, int]]:
    """Kernel and stride of each convolution that makes frames of samples, the last first."""
    if c["model_type"] == "moonshine":
        return [(3, 2), (7, 3), (127, 64)]
    return list(zip(reversed(c["conv_kernel"]), reversed(c["conv_stride"])))


def frames_range(c: dict) -> tuple[int, int]:
    """Of how many frames a sound is: as few as a mask of samples is not large for."""
    return (2, 6) if c["model_type"] == "moonshine" else (12, 30)


def clap_features(inputs, c: dict) -> list[int]:
    rows = inputs.rng.randint(1, 3) if inputs.has("input_ids") else inputs.rows
    frames = c["spec_size"] ** 2 // c["num_mel_bins"]
    return [rows, 1, inputs.rng.randint(frames // 2, frames), c["num_mel_bins"]]


def sound_input(inputs, entry: dict) -> dict | None:
    """The input, or None where it is like other models' inputs."""
    c, name = inputs.config, entry["name"]
    if c["model_type"] not in SOUNDS or "lo" not in entry:
        return None
    shapes = {("clap", "input_features"): lambda: clap_features(inputs, c["audio_config"]),
              ("clap_audio_model", "input_features"): lambda: clap_features(inputs, c)}
    found = shapes.get((c["model_type"], name))
    return found and {"shape": found(), "lo": entry["lo"], "hi": entry["hi"]}
