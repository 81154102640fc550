"""Other sizes for models that read or write sounds, and inputs of such sizes: see `sizes.py` and `vary.py`."""

import numpy as np

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


def seanet(c: dict, rng) -> None:
    choose(c, rng, num_filters=[4, 6, 8], kernel_size=[3, 7], last_kernel_size=[3, 5], residual_kernel_size=[3, 5], compress=[1, 2],
           num_residual_layers=[1, 2], upsampling_ratios=[[8, 4], [4, 5], [3, 2, 4], [5, 4]], use_conv_shortcut=[True, False],
           codebook_size=[16, 32, 64])


def encodec(c: dict, rng) -> None:
    seanet(c, rng)
    choose(c, rng, hidden_size=range(10, 30), num_lstm_layers=[1, 2], audio_channels=[1, 2])
    c["codebook_dim"] = c["hidden_size"]


def mimi(c: dict, rng) -> None:
    seanet(c, rng)
    choose(c, rng, num_key_value_heads=[1, 2], head_dim=[4, 6, 8], num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 50),
           num_quantizers=[4, 6], num_semantic_quantizers=[1, 2], sliding_window=[2, 3, 5], hidden_act=ACTIVATIONS,
           codebook_dim=[12, 17], attention_bias=[False, True])
    c["num_attention_heads"] = c["num_key_value_heads"] * rng.choice([1, 2])
    c["hidden_size"] = c["upsample_groups"] = 2 * c["num_attention_heads"] * rng.choice([3, 5, 6])
    c["vector_quantization_hidden_dimension"] = c["codebook_dim"]


def dac(c: dict, rng) -> None:
    choose(c, rng, encoder_hidden_size=[4, 6], decoder_hidden_size=[24, 32], n_codebooks=[2, 3, 5], codebook_size=[16, 64],
           codebook_dim=[3, 5, 8], downsampling_ratios=[[2, 4], [3, 5], [4, 2, 2]])
    c["upsampling_ratios"] = c["downsampling_ratios"][::-1]
    c["hidden_size"] = c["encoder_hidden_size"] * 2 ** len(c["downsampling_ratios"])
    c["hop_length"] = int(np.prod(c["downsampling_ratios"]))


def hifigan(c: dict, rng) -> None:
    rates = rng.choice([[4, 2], [3, 2, 2], [5, 3]])
    c["upsample_rates"], c["upsample_kernel_sizes"] = rates, [rate + rng.choice([0, 2, 4]) for rate in rates]
    choose(c, rng, upsample_initial_channel=[16, 24], model_in_dim=range(5, 12), leaky_relu_slope=[0.1, 0.3],
           normalize_before=[True, False], resblock_kernel_sizes=[[3, 7], [5], [3, 5, 9]])
    c["resblock_dilation_sizes"] = [rng.choice([[1, 3], [1, 2, 5], [2]]) for _ in c["resblock_kernel_sizes"]]


def univnet(c: dict, rng) -> None:
    blocks = rng.choice([1, 2, 3])
    c["resblock_stride_sizes"] = [rng.choice([2, 3, 4]) for _ in range(blocks)]
    c["resblock_kernel_sizes"] = [rng.choice([3, 5]) for _ in range(blocks)]
    c["resblock_dilation_sizes"] = [rng.choice([[1, 3], [1, 2, 5], [2]]) for _ in range(blocks)]
    choose(c, rng, model_in_channels=[5, 7, 8], model_hidden_channels=[4, 6, 9], num_mel_bins=range(9, 20),
           kernel_predictor_num_blocks=[1, 2], kernel_predictor_conv_size=[3, 5], leaky_relu_slope=[0.1, 0.3])
    c["kernel_predictor_hidden_channels"] = c["model_in_channels"]


def fastspeech2_conformer(c: dict, rng) -> None:
    """Predictors of few channels say little of random weights: some frames for each token are all that is asked."""
    count = rng.choice([2, 3])
    c["hidden_size"] = count * rng.choice([6, 8, 10])
    choose(c, rng, vocab_size=range(60, 90), num_mel_bins=range(5, 12), speech_decoder_postnet_layers=[1, 2, 3],
           speech_decoder_postnet_units=range(10, 20), speech_decoder_postnet_kernel=[3, 5], positionwise_conv_kernel_size=[1, 3],
           duration_predictor_layers=[1, 2], energy_predictor_layers=[1, 2], pitch_predictor_layers=[1, 2],
           pitch_embed_kernel_size=[1, 3], energy_embed_kernel_size=[1, 3])
    for kind in ("duration", "energy", "pitch"):
        choose(c, rng, **{f"{kind}_predictor_channels": range(20, 60), f"{kind}_predictor_kernel_size": [3, 5]})
    for side in ("encoder", "decoder"):
        sizes = c[f"{side}_config"]
        choose(sizes, rng, layers=[1, 2], linear_units=range(20, 50), kernel_size=[3, 7], normalize_before=[False, True],
               concat_after=[False, True])
        sizes["num_attention_heads"] = count
        c |= {f"{side}_{field}": sizes[field] for field in sizes}


def fastspeech2_conformer_with_hifigan(c: dict, rng) -> None:
    fastspeech2_conformer(c["model_config"], rng)
    hifigan(c["vocoder_config"], rng)
    c["vocoder_config"]["model_in_dim"] = c["model_config"]["num_mel_bins"]


def vits(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads", even=True)
    hifigan_fields = {"model_in_dim": 0, "normalize_before": False, **c}
    hifigan(hifigan_fields, rng)
    c |= {field: hifigan_fields[field] for field in c}
    choose(c, rng, num_hidden_layers=[1, 2, 3], ffn_dim=range(20, 50), ffn_kernel_size=[1, 3, 4], flow_size=[8, 12], vocab_size=range(30, 60),
           window_size=[2, 4, 6], use_bias=[True, False], hidden_act=["relu", "gelu"], wavenet_kernel_size=[3, 5],
           wavenet_dilation_rate=[1, 2], prior_encoder_num_flows=[1, 2, 3], prior_encoder_num_wavenet_layers=[2, 3],
           duration_predictor_num_flows=[1, 2, 3], duration_predictor_flow_bins=[5, 8], duration_predictor_kernel_size=[3, 5],
           depth_separable_num_layers=[1, 2, 3], duration_predictor_filter_channels=range(10, 30),
           use_stochastic_duration_prediction=[True, True, False])


def speecht5(c: dict, rng) -> None:
    """Heads of one size on both sides."""
    head = rng.choice([4, 6])
    c["encoder_attention_heads"], c["decoder_attention_heads"] = rng.choice([(2, 4), (4, 2), (2, 2)])
    c["hidden_size"], c["num_conv_pos_embedding_groups"] = 4 * head, rng.choice([2, 4])
    layers = rng.choice([2, 3])
    c["num_feat_extract_layers"] = layers
    c["conv_dim"] = [rng.choice([10, 16, 24]) for _ in range(layers)]
    c["conv_kernel"] = [rng.choice([3, 4, 5, 8]) for _ in range(layers)]
    c["conv_stride"] = [rng.choice([2, 3]) for _ in range(layers)]
    choose(c, rng, encoder_layers=[1, 2, 3], encoder_ffn_dim=range(10, 30), decoder_ffn_dim=range(10, 30), vocab_size=range(60, 90),
           num_mel_bins=range(8, 20), reduction_factor=[1, 2, 3], speech_decoder_postnet_layers=[1, 2, 3],
           speech_decoder_postnet_units=range(8, 20), speech_decoder_prenet_layers=[1, 2], speech_decoder_prenet_units=range(8, 20),
           encoder_max_relative_position=[3, 8, 160], num_conv_pos_embeddings=[7, 8, 16], scale_embedding=[False, True],
           hidden_act=ACTIVATIONS)
    choose(c, rng, decoder_layers=at_most(c["encoder_layers"]))


def parakeet_encoder(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads", even=True)
    c["num_key_value_heads"] = c["num_attention_heads"]
    choose(c, rng, num_hidden_layers=[1, 2], intermediate_size=range(20, 60), conv_kernel_size=[3, 5, 9],
           subsampling_conv_channels=[5, 8], subsampling_factor=[4, 8], num_mel_bins=[16, 24, 32], attention_bias=[True, False],
           convolution_bias=[True, False], scale_input=[True, False], hidden_act=["silu", "relu"])


def parakeet_ctc(c: dict, rng) -> None:
    parakeet_encoder(c["encoder_config"], rng)
    choose(c, rng, vocab_size=range(20, 60))


def musicgen_decoder(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[1, 2, 3], ffn_dim=range(20, 60), num_codebooks=[1, 2, 3], activation_function=ACTIVATIONS,
           vocab_size=range(40, 90), audio_channels=[1])
    for field in ("bos_token_id", "pad_token_id", "decoder_start_token_id"):
        c[field] = c["vocab_size"]


SOUNDS = {"speecht5": speecht5, "parakeet_encoder": parakeet_encoder, "parakeet_ctc": parakeet_ctc,
          "musicgen_decoder": musicgen_decoder}
SOUNDS |= {"vits": vits, "fastspeech2_conformer": fastspeech2_conformer,
          "fastspeech2_conformer_with_hifigan": fastspeech2_conformer_with_hifigan}
SOUNDS |= {"univnet": univnet, "speecht5_hifigan": hifigan, "fastspeech2_conformer_hifigan": hifigan}
SOUNDS |= {"encodec": encodec, "mimi": mimi, "dac": dac}
SOUNDS |= {"moonshine": moonshine, "clap": clap, "clap_text_model": clap_text_model, "clap_audio_model": clap_audio_model}


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


def codes(inputs, c: dict) -> np.ndarray:
    """Of a few frames, from some of the codebooks."""
    shape = (inputs.rows, inputs.rng.randint(1, 4), inputs.rng.randint(2, 7))
    return inputs.draw(range(c["codebook_size"]), (1, *shape) if c["model_type"] == "encodec" else shape)


def wave(inputs, c: dict) -> list[int]:
    return [inputs.rows, c.get("audio_channels", 1), inputs.rng.randint(200, 500)]


def spoken(inputs, c: dict, entry: dict) -> dict | None:
    """What SpeechT5 reads and writes: states, frames of a spectrogram, or a wave, which is like others'."""
    if len(entry["shape"]) == 2:
        return None
    side = "decoder" if entry["name"].startswith("decoder_") else "sound" if inputs.has("input_values") else "text"
    width = c["hidden_size"] if c["architectures"][0] == "SpeechT5Model" else c["num_mel_bins"]
    return {"shape": [inputs.rows, inputs.width(side), width], "lo": entry["lo"], "hi": entry["hi"]}


def codebook_input(inputs, c: dict, entry: dict) -> dict:
    """A row for each codebook of each text."""
    name, rows = entry["name"], inputs.rows
    if name == "input_ids":
        return {"values": inputs.draw(range(c["vocab_size"] + 1), (rows * c["num_codebooks"], inputs.width("text")))}
    if name == "attention_mask":
        return {"values": inputs.mask("text"), "dtype": "BOOL"}
    if name == "encoder_attention_mask":
        return {"values": inputs.mask("decoder").astype(float), "dtype": "F32"}
    return {"shape": [rows, inputs.width("decoder"), c["hidden_size"]], "lo": entry["lo"], "hi": entry["hi"]}


def sound_input(inputs, entry: dict) -> dict | None:
    """The input, or None where it is like other models' inputs."""
    c, name = inputs.config, entry["name"]
    if c["model_type"] not in SOUNDS:
        return None
    if name == "audio_codes":
        return {"values": codes(inputs, c), "dtype": "I32"}
    if c["model_type"] == "speecht5" and entry["dtype"] == "F32":
        return spoken(inputs, c, entry)
    if c["model_type"] == "musicgen_decoder":
        return codebook_input(inputs, c, entry)
    if name == "input_ids" and "model_config" in c:
        return {"values": inputs.draw(range(1, c["model_config"]["vocab_size"]), (inputs.rows, inputs.width("text")))}
    shapes = {("clap", "input_features"): lambda: clap_features(inputs, c["audio_config"]),
              ("clap_audio_model", "input_features"): lambda: clap_features(inputs, c)}
    frames = [inputs.rows, inputs.width("text")]
    shapes |= {("univnet", "input_features"): lambda: [*frames, c["num_mel_bins"]],
               ("univnet", "noise_sequence"): lambda: [*frames, c["model_in_channels"]]}
    for kind, encoder in (("parakeet_encoder", c), ("parakeet_ctc", c.get("encoder_config"))):
        shapes[kind, "input_features"] = lambda encoder=encoder: [*frames, encoder["num_mel_bins"]]
    for kind in ("speecht5_hifigan", "fastspeech2_conformer_hifigan"):
        shapes[kind, "spectrogram"] = lambda: [inputs.rows, inputs.rng.randint(3, 9), c["model_in_dim"]][3 - len(entry["shape"]):]
    for kind in ("encodec", "mimi", "dac"):
        shapes[kind, "input_values"] = lambda: wave(inputs, c)
    found = shapes.get((c["model_type"], name))
    return found and {"shape": found(), "lo": entry["lo"], "hi": entry["hi"]}
