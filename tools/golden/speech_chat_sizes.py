"""Other sizes for models that hear or speak, most of them around a text model, and inputs of such sizes: see `sizes.py` and
`vary.py`."""

import numpy as np

from sizes import ACTIVATIONS, at_most, choose, heads, llama, rope
from sound_sizes import musicgen_decoder, parakeet_encoder


# --- towers ---


def whisper_tower(c: dict, rng) -> None:
    general = "hidden_size" in c
    heads(c, rng, "hidden_size" if general else "d_model", "num_attention_heads" if general else "encoder_attention_heads")
    layers, inner = ("num_hidden_layers", "intermediate_size") if general else ("encoder_layers", "encoder_ffn_dim")
    choose(c, rng, **{layers: [1, 2, 3], inner: range(20, 50)}, activation_function=ACTIVATIONS, num_mel_bins=range(10, 30),
           max_source_positions=range(15, 30))


def voxtral_encoder(c: dict, rng) -> None:
    """A whole number of tokens for each sound."""
    whisper_tower(c, rng)
    c["intermediate_size"] = c["hidden_size"] * rng.choice([2, 3])
    c["max_source_positions"] = c["intermediate_size"] // c["hidden_size"] * rng.randint(5, 9)


def glmasr_encoder(c: dict, rng) -> None:
    c["num_key_value_heads"] = rng.choice([1, 2])
    c["num_attention_heads"] = c["num_key_value_heads"] * rng.choice([1, 2, 3])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 12])
    c["intermediate_size"] = 4 * c["hidden_size"]
    choose(c, rng, num_hidden_layers=[1, 2, 3], hidden_act=ACTIVATIONS, num_mel_bins=range(10, 30))
    choose(c["rope_parameters"], rng, rope_theta=[100.0, 10000.0], partial_rotary_factor=[0.5, 1.0])


# --- with a text model ---


def hearing(tower, key: str = "audio_config", **choices):
    """Sizes of a tower below `key`, of a text model that is LLaMA's like, and of what is around both."""
    def sizes(c: dict, rng) -> None:
        tower(c[key], rng)
        llama(c["text_config"], rng)
        choose(c, rng, **choices)
        token = "audio_token_id" if "audio_token_id" in c else "audio_token_index"
        c[token] = rng.randrange(5, c["text_config"]["vocab_size"])
        if "hidden_size" in c:
            c["hidden_size"] = c["text_config"]["hidden_size"]
    return sizes


def qwen3_asr_encoder(c: dict, rng) -> None:
    """Stretches of a hundred frames, as windows are counted."""
    c["encoder_attention_heads"] = rng.choice([1, 2, 3])
    c["d_model"] = 2 * c["encoder_attention_heads"] * rng.choice([3, 4, 5])
    choose(c, rng, encoder_layers=[1, 2, 3], encoder_ffn_dim=range(20, 50), num_mel_bins=range(10, 30), downsample_hidden_size=range(3, 8),
           n_window_infer=[100, 200, 350, 800], max_position_embeddings=[13, 20], activation_function=ACTIVATIONS)


def qwen3_asr(c: dict, rng) -> None:
    hearing(qwen3_asr_encoder)(c, rng)
    c["audio_config"]["output_dim"] = c["text_config"]["hidden_size"]


def fun_asr_nano_encoder(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, num_hidden_layers=[2, 3], num_timestamp_prediction_layers=[1, 2], intermediate_size=range(20, 50), fsmn_kernel_size=[3, 4, 5],
           num_mel_bins=[8, 10], num_stacked_frames=[2, 3], hidden_act=ACTIVATIONS)


def fun_asr_nano(c: dict, rng) -> None:
    hearing(fun_asr_nano_encoder)(c, rng)
    adaptor, width = c["adaptor_config"], c["text_config"]["hidden_size"]
    adaptor |= {"hidden_size": width, "intermediate_size": width // 4}
    choose(adaptor, rng, num_hidden_layers=[0, 1, 2], num_attention_heads=[1, 2], projector_hidden_size=range(20, 50), hidden_act=ACTIVATIONS,
           projector_hidden_act=ACTIVATIONS)


def musicflamingo(c: dict, rng) -> None:
    """Widths of which a half, of them half, is turned."""
    hearing(whisper_tower, projector_hidden_act=ACTIVATIONS, projector_bias=[True, False])(c, rng)
    audio = c["audio_config"]
    audio["hidden_size"] = audio["num_attention_heads"] * rng.choice([8, 12])
    c["rope_parameters"] = {"rope_type": "default", "rope_theta": rng.choice([200.0, 1200.0]), "partial_rotary_factor": rng.choice([0.25, 0.5])}
    c["head_dim"], c["max_position_embeddings"] = audio["hidden_size"], c["rope_parameters"]["rope_theta"]
    choose(c, rng, audio_frame_step=[0.01, 0.02])


# --- conformers ---


def transducer(c: dict, rng) -> None:
    parakeet_encoder(c["encoder_config"], rng)
    choose(c, rng, decoder_hidden_size=range(10, 40), num_decoder_layers=[1, 2], vocab_size=range(30, 60), hidden_act=["relu", "silu"])
    c["blank_token_id"] = c["vocab_size"] - 1
    if "durations" in c:
        choose(c, rng, durations=[[0, 1], [0, 1, 2, 3, 4, 8]])


def lasr_encoder(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads", even=True)
    c["num_key_value_heads"] = c["num_attention_heads"]
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 60), conv_kernel_size=[3, 4, 8, 9], subsampling_conv_channels=range(5, 20),
           subsampling_conv_kernel_size=[3, 4], num_mel_bins=range(10, 30), attention_bias=[True, False], convolution_bias=[True, False],
           hidden_act=["silu", "relu"], feed_forward_residual_weights=[[1.5, 0.5], [0.8, 0.4]], conv_residual_weights=[[2.0, 1.0], [0.7, 0.5]])
    rope(c["rope_parameters"], c["hidden_size"] // c["num_attention_heads"], rng)


def lasr_ctc(c: dict, rng) -> None:
    lasr_encoder(c["encoder_config"], rng)
    choose(c, rng, vocab_size=range(20, 60))


def speech_decoder(part: str | None):
    def sizes(c: dict, rng) -> None:
        """The encoder's states go into the decoder as they are where nothing projects them."""
        parakeet_encoder(c["encoder_config"], rng)
        d = c[part] if part else c
        d["num_key_value_heads"] = rng.choice([1, 2])
        d["num_attention_heads"] = d["num_key_value_heads"] * rng.choice([1, 2])
        d["hidden_size"] = c["encoder_config"]["hidden_size"] if part else d["num_attention_heads"] * rng.choice([5, 6, 8])
        if d["hidden_size"] % d["num_attention_heads"]:
            d["num_key_value_heads"] = d["num_attention_heads"] = 1
        choose(d, rng, num_hidden_layers=[1, 2], intermediate_size=range(20, 60), head_dim=[5, 6, 8], max_position_embeddings=range(30, 60),
               attention_bias=[True, False], hidden_act=ACTIVATIONS, vocab_size=range(100, 150))
        c["vocab_size"] = d["vocab_size"]
    return sizes


def pop2piano(c: dict, rng) -> None:
    c["num_heads"], c["d_kv"] = rng.choice([2, 3, 4]), rng.choice([5, 6, 8])
    choose(c, rng, d_model=range(20, 50), d_ff=range(20, 50), num_layers=[1, 2, 3], vocab_size=range(60, 140),
           relative_attention_num_buckets=[8, 16, 32], relative_attention_max_distance=[20, 128], dense_act_fn=["relu", "gelu_new"])
    choose(c, rng, num_decoder_layers=at_most(c["num_layers"]))


def moonshine_streaming(c: dict, rng) -> None:
    """Nine tenths of each head are rotated, and one more where these are odd."""
    e = c["encoder_config"]
    for side in (c, e):
        side["num_attention_heads"] = rng.choice([2, 3, 4])
        side["head_dim"] = rng.choice([4, 6, 7])
        choose(side, rng, intermediate_size=range(20, 50), hidden_act=["gelu", "silu", "relu"], attention_bias=[True, False], num_hidden_layers=[2, 3])
    e["hidden_size"], c["hidden_size"] = rng.choice([(12, 12), (10, 15), (14, 9)])
    c["num_key_value_heads"] = e["num_key_value_heads"] = c["num_attention_heads"]
    e["num_attention_heads"] = c["num_attention_heads"] * rng.choice([1, 2])
    choose(c, rng, vocab_size=range(100, 150), max_position_embeddings=range(40, 60))
    choose(e, rng, frame_ms=[2.0, 5.0], sliding_windows=[[[3, 2], [4, 0], [2, 3]], [[16, 4]] * 3])


def musicgen_text(c: dict, width: int, rng) -> None:
    c |= {"d_model": width, "num_heads": rng.choice([2, 3]), "d_kv": rng.choice([5, 6, 8])}
    choose(c, rng, d_ff=range(20, 50), num_layers=[1, 2], vocab_size=range(60, 140))


def musicgen(c: dict, rng) -> None:
    """Texts of the decoder's width or another."""
    d = c["decoder"]
    musicgen_decoder(d, rng)
    musicgen_text(c["text_encoder"], d["hidden_size"] + rng.choice([0, 3]), rng)
    if "num_chroma" in c:
        choose(c, rng, num_chroma=[12, d["hidden_size"]], chroma_length=range(3, 20))


def bark(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_heads")
    choose(c, rng, block_size=range(24, 30), input_vocab_size=range(40, 60), num_layers=[1, 2, 3], bias=[True, False])
    c["output_vocab_size"] = c["input_vocab_size"]
    c["bos_token_id"] = c["eos_token_id"] = c["pad_token_id"] = 32
    if "n_codes_total" in c:
        choose(c, rng, n_codes_total=[7, 8, 9])


def csm_depth(c: dict, rng) -> None:
    llama(c, rng)
    choose(c, rng, num_codebooks=[9, 10, 12], backbone_hidden_size=range(20, 40), vocab_size=range(6, 20))


def csm(c: dict, rng) -> None:
    """The tables of both decoders are one."""
    llama(c, rng)
    choose(c, rng, num_codebooks=[3, 4, 6], vocab_size=range(6, 20), text_vocab_size=range(60, 90))
    d = c["depth_decoder_config"]
    csm_depth(d, rng)
    d |= {"num_codebooks": c["num_codebooks"], "backbone_hidden_size": c["hidden_size"], "vocab_size": c["vocab_size"]}


def voxtral_realtime_encoder(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads", even=True)
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 50), num_mel_bins=range(10, 30), head_dim=[6, 8, 10],
           sliding_window=[2, 3, 5], hidden_act=["silu", "gelu"], rms_norm_eps=[1e-5, 1e-6])
    rope(c["rope_parameters"], c["head_dim"], rng)


def voxtral_realtime(c: dict, rng) -> None:
    voxtral_realtime_encoder(c["audio_config"], rng)
    llama(c["text_config"], rng)
    choose(c, rng, default_num_delay_tokens=[1, 6, 9], downsample_factor=[2, 3, 4], projector_hidden_act=ACTIVATIONS)
    c["hidden_size"] = c["text_config"]["hidden_size"]


def moshi(c: dict, rng) -> None:
    """Heads are as many as keys have, and the cache keeps a window."""
    c["num_attention_heads"] = c["num_key_value_heads"] = rng.choice([1, 2, 3])
    choose(c, rng, head_dim=[4, 6, 8], num_hidden_layers=[1, 2, 3], ffn_dim=range(20, 50, 2), vocab_size=range(60, 140), hidden_act=["silu", "gelu"],
           rms_norm_eps=[1e-3, 1e-5], sliding_window=[20, 30])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([6, 9, 12])
    rope(c["rope_parameters"], c["head_dim"], rng)
    if "codebook_vocab_size" in c:
        choose(c, rng, codebook_vocab_size=range(10, 20), num_codebooks=[2, 3, 5], audio_pad_token_id=range(5, 9))


def dia(c: dict, rng) -> None:
    e, d = c["encoder_config"], c["decoder_config"]
    for side in (e, d):
        side["num_key_value_heads"] = rng.choice([1, 2])
        side["num_attention_heads"] = side["num_key_value_heads"] * rng.choice([1, 2])
        choose(side, rng, hidden_size=range(12, 40), head_dim=[4, 6, 8], intermediate_size=range(20, 50), num_hidden_layers=[1, 2, 3],
               hidden_act=["silu", "gelu"], norm_eps=[1e-5, 1e-3])
        rope(side["rope_parameters"], side["head_dim"], rng)
    d["cross_num_key_value_heads"], d["cross_hidden_size"] = rng.choice([1, 2]), e["hidden_size"]
    d["cross_num_attention_heads"] = d["cross_num_key_value_heads"] * rng.choice([1, 2])
    choose(d, rng, cross_head_dim=[3, 5, 8], num_channels=[2, 3, 4])
    c["delay_pattern"] = list(range(d["num_channels"]))


def vibevoice_tokenizer(c: dict, rng) -> None:
    count = rng.choice([1, 2, 3])
    c["downsampling_ratios"] = [rng.choice([2, 3, 4]) for _ in range(count)]
    c["depths"] = [rng.choice([1, 2]) for _ in range(count + 1)]
    choose(c, rng, hidden_size=range(8, 20), kernel_size=[3, 4, 7], num_filters=[3, 4, 6], ffn_expansion=[2, 3], hidden_act=ACTIVATIONS,
           rms_norm_eps=[1e-5, 1e-3], channels=[1, 2])


def clvp_encoder(c: dict, rng) -> None:
    """Heads of 32 or more, of which so many numbers are turned."""
    c["num_attention_heads"] = rng.choice([1, 2, 3])
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([32, 36, 40])
    choose(c, rng, intermediate_size=range(20, 50), num_hidden_layers=[1, 2, 3], projection_dim=range(10, 30), vocab_size=range(60, 99),
           hidden_act=ACTIVATIONS, layer_norm_eps=[1e-5, 1e-3], use_attention_bias=[True, False], summary_type=["mean", "last"])


def clvp_decoder(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    choose(c, rng, n_inner=[None, 30], num_hidden_layers=[1, 2, 3], vocab_size=range(200, 300), max_position_embeddings=range(40, 90),
           activation_function=ACTIVATIONS, layer_norm_epsilon=[1e-5, 1e-3], use_attention_bias=[True, False])


def granite_speech_encoder(c: dict, rng) -> None:
    """Blocks that a sound fills, and longer ones."""
    choose(c, rng, num_heads=[1, 2, 3], dim_head=[4, 6, 8], hidden_dim=range(12, 30), num_layers=[1, 2, 3, 4], feedforward_mult=[2, 3],
           conv_expansion_factor=[1, 2], conv_kernel_size=[3, 4, 15], output_dim=range(10, 30), context_size=[7, 20, 60], max_pos_emb=[60, 80],
           input_dim=range(10, 30))
    if "cat_hidden_layers" in c:
        c["cat_hidden_layers"] = rng.choice([[0], None, sorted({0, c["num_layers"] - 1})])


def granite_speech(c: dict, rng) -> None:
    hearing(granite_speech_encoder, "encoder_config")(c, rng)
    choose(c["text_config"], rng, embedding_multiplier=[1.0, 3.0], residual_multiplier=[1.0, 0.5], attention_multiplier=[0.2, 0.5])
    e, p = c["encoder_config"], c["projector_config"]
    heads(p, rng, "hidden_size", "num_attention_heads")
    p["encoder_hidden_size"] = e["hidden_dim"] * (1 + len(e.get("cat_hidden_layers") or []))
    choose(p, rng, intermediate_size=range(20, 50), num_hidden_layers=[1, 2], cross_attention_frequency=[1, 2])
    c["downsample_rate"] = rng.choice([2, 3, 5])
    c["window_size"] = c["downsample_rate"] * rng.choice([2, 3])


GRANITE = {f"granite_speech{plus}{part}": sizes for plus in ("", "_plus") for part, sizes in (("", granite_speech), ("_encoder", granite_speech_encoder))}
VIBEVOICE = {f"vibevoice_acoustic_tokenizer{part}": vibevoice_tokenizer for part in ("", "_encoder", "_decoder")}
SPEECH_CHAT = GRANITE | VIBEVOICE | {"clvp_encoder": clvp_encoder, "clvp_decoder": clvp_decoder, "voxtral_realtime": voxtral_realtime, "voxtral_realtime_encoder": voxtral_realtime_encoder, "moshi": moshi,
               "kyutai_speech_to_text": moshi, "dia": dia}
SPEECH_CHAT |= {"semantic": bark, "coarse_acoustics": bark, "fine_acoustics": bark, "csm": csm, "csm_depth_decoder_model": csm_depth}
SPEECH_CHAT |= {"musicgen": musicgen, "musicgen_melody": musicgen, "musicgen_melody_decoder": musicgen_decoder, "pop2piano": pop2piano,
               "moonshine_streaming": moonshine_streaming}
SPEECH_CHAT |= {"qwen3_asr": qwen3_asr, "qwen3_asr_encoder": qwen3_asr_encoder, "fun_asr_nano": fun_asr_nano, "fun_asr_nano_encoder": fun_asr_nano_encoder,
               "musicflamingo": musicflamingo, "parakeet_rnnt": transducer, "parakeet_tdt": transducer, "lasr_encoder": lasr_encoder,
               "lasr_ctc": lasr_ctc, "canary": speech_decoder("decoder_config"), "cohere_asr": speech_decoder(None)}
SPEECH_CHAT |= {"voxtral_encoder": voxtral_encoder, "qwen2_audio_encoder": whisper_tower, "audioflamingo3_encoder": whisper_tower,
               "glmasr_encoder": glmasr_encoder}
SPEECH_CHAT |= {"voxtral": hearing(voxtral_encoder, projector_hidden_act=ACTIVATIONS), "qwen2_audio": hearing(whisper_tower),
                "audioflamingo3": hearing(whisper_tower, projector_hidden_act=ACTIVATIONS, projector_bias=[True, False]),
                "glmasr": hearing(glmasr_encoder, projector_hidden_act=ACTIVATIONS)}


# --- inputs ---


def positions(c: dict, rng) -> tuple[int, list[int]]:
    """Frames of a sound with as many as there are places for, and bounds of how many of them are no padding."""
    return 2 * c["max_source_positions"], [8, 2 * c["max_source_positions"]]


def whole_tokens(c: dict, rng) -> tuple[int, list[int]]:
    """Of four frames each, after the convolutions."""
    frames = 8 * rng.randint(3, 6) - rng.choice([0, 1])
    return frames, [12, frames]


# How many tokens a sound of so many frames is.
TOKENS = {"voxtral": lambda c, frames: c["max_source_positions"] * c["hidden_size"] // c["intermediate_size"],
          "qwen2_audio": lambda c, frames: (frames + 1) // 2 // 2, "audioflamingo3": lambda c, frames: (frames + 1) // 2 // 2,
          "glmasr": lambda c, frames: (frames + 1) // 2 // 4, "musicflamingo": lambda c, frames: (frames + 1) // 2 // 2,
          "qwen3_asr": lambda c, frames: frames // 100 * 13 + (frames % 100 + 7) // 8, "fun_asr_nano": lambda c, frames: frames}


def whole_stretches(c: dict, rng) -> tuple[int, list[int]]:
    frames = 100 * rng.choice([1, 2, 3])
    return frames, [20, frames]


def few_frames(c: dict, rng) -> tuple[int, list[int]]:
    frames = rng.randint(4, 15)
    return frames, [2, frames]


FRAMES = {"glmasr": whole_tokens, "glmasr_encoder": whole_tokens, "qwen3_asr": whole_stretches, "qwen3_asr_encoder": whole_stretches,
          "fun_asr_nano": few_frames, "fun_asr_nano_encoder": few_frames}
FRAMES |= {kind: few_frames for kind in ("granite_speech", "granite_speech_plus", "granite_speech_encoder", "granite_speech_plus_encoder")}
TOKENS |= {kind: lambda c, frames: -(-frames // c["window_size"]) * (c["window_size"] // c["downsample_rate"])
           for kind in ("granite_speech", "granite_speech_plus")}
FRAMES |= {kind: lambda c, rng: (rng.randint(40, 90), [30, 40])
           for kind in ("parakeet_rnnt", "parakeet_tdt", "lasr_encoder", "lasr_ctc", "canary", "cohere_asr")}
MARKS = ("feature_attention_mask", "input_features_mask")
TIME_FIRST = ("granite", "fun_asr", "parakeet", "lasr", "canary", "cohere_asr")


def audio_config(c: dict) -> dict:
    return c.get("audio_config") or c.get("encoder_config") or c


class Heard:
    """Sounds of different lengths, and texts in which they stand, some several, some at the beginning, some at the end."""

    def __init__(self, inputs, kind: str):
        rng, c = inputs.rng, audio_config(inputs.config)
        text = any(entry["name"] == "input_ids" for entry in inputs.data["inputs"])
        self.frames, (low, high) = FRAMES.get(kind, positions)(c, rng)
        marked = any(inputs.has(name) for name in (*MARKS, "attention_mask"))
        sounds = rng.randint(1, 3) if text else inputs.rows
        self.lengths = [rng.randint(low, high) if marked else self.frames for _ in range(sounds)]
        self.lengths[rng.randrange(sounds)] = self.frames
        if text:
            whole = inputs.config if "window_size" in inputs.config else c
            self.write(inputs, [TOKENS[kind](whole, self.frames if whole is not c else length) for length in self.lengths])

    def write(self, inputs, tokens: list[int]) -> None:
        rng, c, words = inputs.rng, inputs.config, inputs.text_config
        token = c["audio_token_id"] if "audio_token_id" in c else c["audio_token_index"]
        special = {token, *(words.get(name) for name in ("pad_token_id", "bos_token_id", "eos_token_id"))}
        options = [i for i in range(words["vocab_size"]) if i not in special]
        owners = sorted(rng.randrange(inputs.rows) for _ in tokens)
        rows = []
        for row in range(inputs.rows):
            ids = [rng.choice(options) for _ in range(rng.randint(1, 3))]
            for count, owner in zip(tokens, owners):
                if owner == row:
                    ids += [token] * count + [rng.choice(options) for _ in range(rng.randint(1, 4))]
            rows.append(ids)
        self.width = max(map(len, rows))
        pad = words.get("pad_token_id") or 0
        pad = pad if pad != token else options[0]
        self.ids = [[pad] * (self.width - len(ids)) + ids for ids in rows]
        self.mask = [[0] * (self.width - len(ids)) + [1] * len(ids) for ids in rows]


def realtime_input(inputs, c: dict, entry: dict) -> dict | None:
    """A word for each of so many frames."""
    audio, name = c.get("audio_config", c), entry["name"]
    if not hasattr(inputs, "words"):
        inputs.words = inputs.rng.randint(3, 8)
    if name == "input_ids":
        return {"values": inputs.draw(range(3, c["text_config"]["vocab_size"]), (inputs.rows, inputs.words))}
    if name == "attention_mask":
        return {"values": [[0] * row + [1] * (inputs.words - row) for row in range(inputs.rows)]}
    frames = 2 * c.get("downsample_factor", 4) * inputs.words
    return {"shape": [inputs.rows, audio["num_mel_bins"], frames], "lo": entry["lo"], "hi": entry["hi"]}


def channel_input(inputs, c: dict, entry: dict) -> dict:
    """Of a decoder a token for each channel."""
    side = "decoder" if entry["name"].startswith("decoder_") else "text"
    if entry["name"].endswith("mask"):
        return {"values": inputs.mask(side), "dtype": "BOOL"}
    channels = [c["decoder_config"]["num_channels"]] if side == "decoder" else []
    return {"values": inputs.draw(range(97), (inputs.rows, inputs.width(side), *channels))}


def coded_input(inputs, c: dict, entry: dict) -> dict | None:
    """Tokens of one codebook, or of several in the last dimension; what a larger model says of them."""
    name, high = entry["name"], c.get("input_vocab_size") or c["vocab_size"]
    if name == "backbone_last_hidden_state":
        return {"shape": [inputs.rows, c["backbone_hidden_size"]], "lo": entry["lo"], "hi": entry["hi"]}
    if name != "input_ids":
        return None
    if c["model_type"] == "csm_depth_decoder_model":
        return {"values": inputs.draw(range(high), (inputs.rows, inputs.rng.randint(2, c["num_codebooks"] - 1)))}
    if "codebook_vocab_size" in c:
        words, codes = inputs.draw(range(c["codebook_vocab_size"]), (inputs.rows, inputs.width("text"), 1)), inputs.draw(
            range(c["codebook_vocab_size"]), (inputs.rows, inputs.width("text"), c["num_codebooks"]))
        return {"values": np.concatenate([words, codes], axis=2)}
    books = [c.get("n_codes_total") or c["num_codebooks"]] if len(entry["shape"]) == 3 else []
    return {"values": inputs.draw(range(high), (inputs.rows, inputs.width("text"), *books))}


def music_input(inputs, c: dict, entry: dict) -> dict | None:
    """A row for each codebook of each text; what is described stands before."""
    name, d = entry["name"], c.get("decoder", c)
    codes, text = ("decoder_input_ids", "input_ids") if "decoder" in c else ("input_ids", "")
    if name == codes:
        return {"values": inputs.draw(range(d["vocab_size"] + 1), (inputs.rows * d["num_codebooks"], inputs.width("decoder")))}
    if name == text:
        return {"values": inputs.draw(range(c["text_encoder"]["vocab_size"]), (inputs.rows, inputs.width("text")))}
    if name == "decoder_attention_mask" or (name == "attention_mask" and not text):
        return {"values": inputs.mask("decoder"), "dtype": "BOOL"}
    if name == "encoder_attention_mask":
        return {"values": inputs.mask("text").astype(float), "dtype": "F32"}
    return {"shape": [inputs.rows, inputs.width("text"), d["hidden_size"]], "lo": entry["lo"], "hi": entry["hi"]}


def framed_wave(inputs, c: dict, entry: dict) -> dict:
    """Samples that are whole frames."""
    e = c["encoder_config"]
    frame = round(e["sample_rate"] * e["frame_ms"] / 1000)
    if not hasattr(inputs, "wave"):
        inputs.wave = inputs.rng.randint(12, 30) * frame
        inputs.wave_lengths = [inputs.wave] + [inputs.rng.randint(inputs.wave // 2, inputs.wave) for _ in range(inputs.rows - 1)]
    if entry["name"] == "attention_mask":
        return {"values": (np.arange(inputs.wave) < np.array(inputs.wave_lengths)[:, None]).astype(int)}
    return {"shape": [inputs.rows, inputs.wave], "lo": entry["lo"], "hi": entry["hi"]}


def speech_chat_input(inputs, entry: dict) -> dict | None:
    """The input, or None where it is another kind of model's."""
    c, name = inputs.config, entry["name"]
    kind = c["model_type"]
    if kind not in SPEECH_CHAT or kind in ("pop2piano", "clvp_encoder", "clvp_decoder"):
        return None
    if kind.startswith("voxtral_realtime"):
        return realtime_input(inputs, c, entry)
    if kind in ("moshi", "kyutai_speech_to_text") and name == "attention_mask":
        return {"values": inputs.mask("text"), "dtype": "BOOL"}
    if kind == "moshi":
        return None
    if kind in VIBEVOICE:
        length = inputs.rng.randint(2, 5) * (1 if kind.endswith("decoder") else int(np.prod(c["downsampling_ratios"])))
        return {"shape": [inputs.rows, c["hidden_size" if kind.endswith("decoder") else "channels"], length], "lo": entry["lo"], "hi": entry["hi"]}
    if kind == "dia":
        return channel_input(inputs, c, entry)
    if kind.startswith(("csm", "kyutai")) or "block_size" in c:
        return coded_input(inputs, c, entry)
    if kind.startswith("musicgen"):
        return music_input(inputs, c, entry)
    if kind == "moonshine_streaming":
        return framed_wave(inputs, c, entry) if name in ("input_values", "attention_mask") else None
    if not hasattr(inputs, "heard"):
        inputs.heard = Heard(inputs, kind)
    heard = inputs.heard
    audio = audio_config(c)
    marks = (np.arange(heard.frames) < np.array(heard.lengths)[:, None]).astype(int)
    if name == "input_ids":
        return {"values": heard.ids}
    if name == "decoder_input_ids":
        return {"values": inputs.draw(range(8, c["vocab_size"] - 1), (inputs.rows, inputs.width("decoder")))}
    if name == "attention_mask" and len(entry["shape"]) == 2:
        return {"values": heard.mask if inputs.has("input_ids") else marks}
    if name == "attention_mask":
        return {"shape": [inputs.rows, 1, heard.frames // 2, heard.frames // 2], "lo": entry.get("lo", -1.0), "hi": entry.get("hi", 1.0)}
    if name in MARKS:
        return {"values": marks}
    if name == "input_features" or (name == "hidden_states" and "input_dim" in audio):
        bins = audio.get("input_dim") or audio["num_mel_bins"] * audio.get("num_stacked_frames", 1)
        shape = [heard.frames, bins] if kind.startswith(TIME_FIRST) else [bins, heard.frames]
        return {"shape": [len(heard.lengths), *shape], "lo": entry["lo"], "hi": entry["hi"]}
    return None
