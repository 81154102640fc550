"""Other sizes for codecs of sounds, models that hear, and models that speak, and inputs of such sizes: see `sizes.py` and
`vary.py`."""

import numpy as np

from sizes import ACTIVATIONS, choose, heads, llama, modernbert
from sound_sizes import mimi, seanet
from speech_chat_sizes import vibevoice_tokenizer, whisper_tower

# --- codecs ---


def dac_encoder(c: dict, rng, ratios: list[list[int]]) -> None:
    choose(c, rng, encoder_hidden_size=[4, 6], downsampling_ratios=ratios, codebook_dim=[5, 8, 12])
    c["upsampling_ratios"], c["hop_length"] = c["downsampling_ratios"][::-1], int(np.prod(c["downsampling_ratios"]))
    c["decoder_hidden_size"] = rng.choice([8, 12]) * 2 ** (len(c["upsampling_ratios"]) - 1)


def xcodec(c: dict, rng) -> None:
    """The speech model's convolutions leave as many frames as the codec's."""
    acoustic, semantic = c["acoustic_model_config"], c["semantic_model_config"]
    dac_encoder(acoustic, rng, [[4, 4], [8, 2], [2, 2, 4]])
    choose(acoustic, rng, hidden_size=range(10, 20))
    heads(semantic, rng, "hidden_size", "num_attention_heads")
    semantic |= {"conv_dim": [rng.choice([5, 6]) for _ in range(2)], "conv_kernel": [4, 4], "conv_stride": [4, 4],
                 "num_feat_extract_layers": 2, "num_conv_pos_embedding_groups": 1}
    choose(semantic, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(10, 30), num_conv_pos_embeddings=[7, 8])
    choose(c, rng, kernel_size=[3, 5], unit_kernel_size=[3, 5], block_dilations=[[1], [1, 2], [2, 1, 3]], codebook_size=[16, 32])
    c["channel_ratios"] = [1] * rng.choice([1, 2])
    c["strides"] = [1] * len(c["channel_ratios"])
    c["target_bandwidths"] = [4, rng.choice([11, 16])]
    c["codebook_dim"] = acoustic["hidden_size"] + semantic["hidden_size"]


def xcodec2(c: dict, rng) -> None:
    semantic = c["semantic_model_config"]
    choose(c, rng, encoder_hidden_size=[4, 6], hidden_size=[32, 64], num_attention_heads=[1, 2, 4], head_dim=[4, 8, 10], num_hidden_layers=[1, 2],
           intermediate_size=range(20, 50), hidden_act=["silu", "gelu"], attention_bias=[False, True],
           downsampling_ratios=[[2, 4], [4, 2, 2], [3, 4]], quantization_levels=[[4, 4], [5, 3, 2], [8, 4, 7]])
    c["num_key_value_heads"] = c["num_attention_heads"]
    heads(semantic, rng, "hidden_size", "num_attention_heads", even=True)
    choose(semantic, rng, num_hidden_layers=[1, 2], intermediate_size=range(20, 50), feature_projection_input_dim=range(10, 20),
           conv_depthwise_kernel_size=[3, 7])
    semantic["output_hidden_size"] = semantic["hidden_size"]
    c["quantization_dim"] = c["hidden_size"] + semantic["hidden_size"]


# --- that hear ---


def granite_speech5_encoder(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads")
    c["num_key_value_heads"], c["head_dim"] = c["num_attention_heads"], rng.choice([5, 6, 8])
    choose(c, rng, num_hidden_layers=[1, 2, 3, 4], intermediate_size=range(20, 50), num_mel_bins=range(4, 20), context_size=[3, 5, 8],
           max_position_embeddings=[8, 20], conv_kernel_size=[3, 5, 7], conv_expansion_factor=[1, 2, 3], attention_bias=[True, False],
           hidden_act=ACTIVATIONS, vocab_size=range(30, 60), subsample_layers=[[0], [1], [0, 1], []])


def granite_speech5_ctc(c: dict, rng) -> None:
    granite_speech5_encoder(c["encoder_config"], rng)
    c["vocab_size"] = c["encoder_config"]["vocab_size"]


def pe_audio_encoder(c: dict, rng) -> None:
    dac_encoder(c["dac_config"], rng, [[2, 4], [3, 4], [4, 2, 2]])
    c["dac_config"]["hidden_size"] = c["dac_config"]["encoder_hidden_size"] * 2 ** len(c["dac_config"]["downsampling_ratios"])
    c["num_key_value_heads"] = rng.choice([1, 2])
    c["num_attention_heads"] = c["num_key_value_heads"] * rng.choice([1, 2, 3])
    choose(c, rng, hidden_size=range(20, 50), head_dim=[6, 8, 10], num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 50),
           hidden_act=ACTIVATIONS, attention_bias=[True, False])


def pe_audio(c: dict, rng) -> None:
    modernbert(c["text_config"], rng)
    pe_audio_encoder(c["audio_config"], rng)


def moss_transcribe_diarize(c: dict, rng) -> None:
    """Whole groups of frames in each sound."""
    whisper_tower(c["audio_config"], rng)
    llama(c["text_config"], rng)
    choose(c, rng, audio_merge_size=[2, 3, 4], projector_bias=[True, False], projector_hidden_act=ACTIVATIONS)
    c["audio_config"]["max_source_positions"] = c["audio_merge_size"] * rng.randint(4, 7)
    c["audio_token_id"] = rng.randrange(5, c["text_config"]["vocab_size"])


def vibevoice(c: dict, rng) -> None:
    """Both encoders shorten a sound as much."""
    asr = "acoustic_tokenizer_encoder_config" in c
    sound = c["acoustic_tokenizer_encoder_config" if asr else "audio_config"]
    meaning = c["semantic_tokenizer_encoder_config" if asr else "semantic_model_config"]
    vibevoice_tokenizer(sound, rng)
    llama(c["text_config"], rng)
    sound["channels"], sound["kernel_size"] = 1, rng.choice([5, 7])
    meaning |= {field: sound[field] for field in ("downsampling_ratios", "depths", "kernel_size", "num_filters")}
    choose(meaning, rng, hidden_size=range(8, 20), ffn_expansion=[2, 4])
    c["audio_token_id"] = rng.randrange(5, c["text_config"]["vocab_size"])
    if asr:
        c["acoustic_tokenizer_chunk_size"] = int(np.prod(sound["downsampling_ratios"])) * rng.choice([5, 100])
    else:
        head = c["diffusion_head_config"]
        head["hidden_size"], head["latent_size"] = c["text_config"]["hidden_size"], sound["hidden_size"]
        c["vocab_size"] = c["text_config"]["vocab_size"]


def nemotron3_encoder(c: dict, rng) -> None:
    heads(c, rng, "hidden_size", "num_attention_heads", even=True)
    c["num_key_value_heads"] = c["num_attention_heads"]
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 50), hidden_act=ACTIVATIONS)
    if "num_mel_bins" in c:
        choose(c, rng, num_mel_bins=range(8, 20), subsampling_factor=[2, 4, 8])
    c["rope_parameters"]["rope_theta"] = rng.choice([100.0, 10000.0])


def word_timestamp(c: dict, rng) -> None:
    nemotron3_encoder(c, rng)
    choose(c, rng, upsampling_factor=[1, 2, 3], residual_scale=[0.1, 0.5])


def nemotron3_diarization(c: dict, rng) -> None:
    audio, head, cache = c["audio_config"], c["head_config"], c["streaming_config"]
    nemotron3_encoder(audio, rng)
    choose(head, rng, hidden_size=range(10, 30), num_speakers=[2, 3, 4])
    head |= {"audio_hidden_size": audio["hidden_size"], "subsampling_factor": audio["subsampling_factor"]}
    cache |= {"num_speakers": head["num_speakers"], "subsampling_factor": audio["subsampling_factor"],
              "speaker_cache_length": head["num_speakers"] * rng.choice([2, 3])}
    choose(c, rng, chunk_length=[3, 4, 5], chunk_left_context=[0, 1, 2], chunk_right_context=[0, 1, 2], fifo_length=[2, 4], speaker_cache_update_period=[2, 3])


def transcribe_audio(c: dict, rng) -> None:
    nemotron3_diarization(c["diarization_config"], rng)
    nemotron3_encoder(c["asr_config"], rng)
    other = c["diarization_config"]["audio_config"]
    c["asr_config"] |= {"subsampling_factor": other["subsampling_factor"], "num_mel_bins": other["num_mel_bins"]}


def pocket_tokenizer(c: dict, rng) -> None:
    seanet(c, rng)
    c.pop("codebook_size")
    choose(c, rng, num_key_value_heads=[1, 2], head_dim=[4, 6, 8], num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 50),
           sliding_window=[2, 3, 5], hidden_act=ACTIVATIONS, attention_bias=[False, True], latent_stride=[2, 3, 4], latent_dim=range(5, 12))
    c["num_attention_heads"] = c["num_key_value_heads"] * rng.choice([1, 2])
    c["hidden_size"] = c["upsample_groups"] = 2 * c["num_attention_heads"] * rng.choice([3, 5, 6])


# --- that speak ---


def pocket_tts(c: dict, rng) -> None:
    """The last tokens are places for latents; the other fields are those of training."""
    c["num_attention_heads"] = c["num_key_value_heads"] = rng.choice([1, 2, 3])
    c["head_dim"] = rng.choice([4, 6, 8])
    c["hidden_size"] = c["num_attention_heads"] * c["head_dim"]
    choose(c, rng, num_hidden_layers=[1, 2, 3], intermediate_size=range(20, 50), vocab_size=range(60, 99), latent_dim=range(5, 12), hidden_act=ACTIVATIONS)
    c["audio_prompt_token_id"], c["audio_latent_token_id"], c["audio_bos_token_id"] = rng.sample(range(40, c["vocab_size"]), 3)
    c["flow_head_config"] |= {"condition_dim": c["hidden_size"], "latent_dim": c["latent_dim"]}
    if "audio_prompt_dim" in c:
        choose(c, rng, audio_prompt_dim=range(8, 20), num_speakers_embedding_dim=range(5, 12), duration_delta=[-0.2, 0.1],
               duration_delta_embedding_dim=[8, 12], num_speakers=[0, 1, 2])


def higgs_audio_v2(c: dict, rng) -> None:
    llama(c, rng)
    c["hidden_size"] = c["num_attention_heads"] * rng.choice([8, 10])
    c["audio_token_id"], c["audio_delay_token_id"] = rng.sample(range(20, c["vocab_size"]), 2)
    choose(c, rng, num_codebooks=[1, 2, 3], codebook_size=[12, 16], attention_bias=[True, False], mlp_bias=[True, False])


# --- Qwen's that hear and speak ---


def omni_text(c: dict, rng) -> None:
    """Sections of as many pairs as a head has."""
    llama(c, rng)
    half = (c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]) // 2
    least = half // 3
    c["rope_parameters"]["mrope_section"] = [half - 2 * least, least, least]
    if "embedding_size" in c:
        choose(c, rng, embedding_size=range(10, 40))
        c["tts_codec_start_token_id"], c["tts_codec_pad_token_id"] = rng.sample(range(20, c["vocab_size"]), 2)


def omni_experts(c: dict, rng) -> None:
    omni_text(c, rng)
    field = "num_experts" if "num_experts" in c else "num_local_experts"
    choose(c, rng, **{field: [4, 6]}, num_experts_per_tok=[1, 2, 3], moe_intermediate_size=range(10, 30), norm_topk_prob=[True, False],
           attention_bias=[True, False], decoder_sparse_step=[1, 1, 2], mlp_only_layers=[[], [0]])
    if "shared_expert_intermediate_size" in c:
        choose(c, rng, shared_expert_intermediate_size=range(10, 30))


def code_predictor(c: dict, rng) -> None:
    llama(c, rng)
    choose(c, rng, num_code_groups=[3, 5, 6], attention_bias=[True, False])


def bigvgan(c: dict, rng) -> None:
    c["upsample_rates"] = rng.choice([[2, 3], [4], [2, 2, 3]])
    c["upsample_kernel_sizes"] = [rate + 2 * rng.choice([0, 1, 2]) for rate in c["upsample_rates"]]
    choose(c, rng, mel_dim=range(8, 20), upsample_initial_channel=[16, 24], resblock_kernel_sizes=[[3], [5, 3], [3, 7, 5]])
    c["resblock_dilation_sizes"] = [rng.choice([[1, 3, 5], [2, 1, 3]]) for _ in c["resblock_kernel_sizes"]]


def dit(c: dict, rng) -> None:
    c["num_attention_heads"], c["enc_res2net_scale"] = rng.choice([1, 2, 3]), rng.choice([1, 2, 3])
    inner, count = 6 * rng.choice([2, 3]), rng.choice([1, 2, 3])
    c["enc_channels"] = [inner] * (count + 1) + [inner * count]
    c["enc_kernel_sizes"], c["enc_dilations"] = [5] + [3] * count + [1], [1] + [rng.choice([1, 2]) for _ in range(count)] + [1]
    choose(c, rng, hidden_size=range(20, 40), head_dim=[4, 6, 8], num_hidden_layers=[1, 2, 3], ff_mult=[1, 2, 3], emb_dim=range(10, 20),
           block_size=[2, 3, 5], repeats=[1, 2, 3], num_embeds=range(20, 40), mel_dim=range(8, 20), enc_emb_dim=range(8, 20), enc_dim=range(8, 20),
           enc_attention_channels=range(4, 10), enc_se_channels=range(4, 10), look_ahead_layers=[[0], [1, 2], []], look_backward_layers=[[0], [1]])


VOICES = {"mimi_encoder": mimi, "mimi_decoder": mimi, "xcodec": xcodec, "xcodec2": xcodec2, "neucodec": xcodec2,
          "granite_speech5_encoder": granite_speech5_encoder, "granite_speech5_ctc": granite_speech5_ctc,
          "pe_audio_encoder": pe_audio_encoder, "pe_audio": pe_audio}
VOICES |= {"moss_transcribe_diarize": moss_transcribe_diarize, "moss_transcribe_diarize_audio": whisper_tower, "vibevoice": vibevoice,
           "vibevoice_asr": vibevoice}
VOICES |= {"nemotron3_diarization": nemotron3_diarization, "nemotron3_diarization_audio": nemotron3_encoder,
           "nemotron3_5_transcribe_audio": transcribe_audio, "nemotron3_5_transcribe_asr_audio": nemotron3_encoder,
           "nemotron3_5_transcribe_word_timestamp": word_timestamp}
VOICES |= {"pocket_tts": pocket_tts, "gradium_phonon_tts": pocket_tts, "higgs_audio_v2": higgs_audio_v2}
VOICES |= {f"pocket_tts_audio_tokenizer{part}": pocket_tokenizer for part in ("", "_encoder", "_decoder")}
VOICES |= {"qwen2_5_omni_text": omni_text, "qwen2_5_omni_talker": omni_text, "qwen2_5_omni_bigvgan": bigvgan, "qwen2_5_omni_dit": dit,
           "qwen3_omni_moe_text": omni_experts, "qwen3_omni_moe_talker_text": omni_experts,
           "qwen3_omni_moe_talker_code_predictor": code_predictor}


# --- inputs ---


def codec_hop(c: dict) -> int:
    return int(np.prod(c["downsampling_ratios"]))


def mark(inputs, rows: int, length: int) -> np.ndarray:
    """Which of so many samples are no padding: all of one row, at least a third of the others."""
    lengths = [length] + [inputs.rng.randint(length // 3, length) for _ in range(rows - 1)]
    return (np.arange(length) < np.array(lengths)[:, None]).astype(int)


def words_around(inputs, token: int, vocab_size: int, counts: list[int]) -> np.ndarray:
    """A row for each count: so many of a token among a few words."""
    words = [i for i in range(3, vocab_size) if i != token]
    rows = [[inputs.rng.choice(words) for _ in range(2)] + [token] * count for count in counts]
    width = max(map(len, rows)) + 2
    return np.array([row + [inputs.rng.choice(words) for _ in range(width - len(row))] for row in rows])


def sound_lengths(inputs, most: int) -> list[int]:
    """How long the sound of each row is, the same for all inputs of a case."""
    inputs.sounds = getattr(inputs, "sounds", None) or [most] + [inputs.rng.randint(most // 2, most) for _ in range(inputs.rows - 1)]
    return inputs.sounds


def marked(lengths: list[int], width: int) -> np.ndarray:
    return (np.arange(width) < np.array(lengths)[:, None]).astype(int)


def moss_input(inputs, entry: dict) -> dict:
    c, name = inputs.config, entry["name"]
    frames, merge = 2 * c["audio_config"]["max_source_positions"], c["audio_merge_size"]
    lengths = sound_lengths(inputs, frames)
    if name == "input_features":
        return {"shape": [inputs.rows, c["audio_config"]["num_mel_bins"], frames], "lo": entry["lo"], "hi": entry["hi"]}
    if name == "input_features_mask":
        return {"values": marked(lengths, frames)}
    if name == "padding_mask":
        return {"values": marked([160 * n for n in lengths], 160 * frames)[:, :20]}
    inputs.ids = getattr(inputs, "ids", None)
    if inputs.ids is None:
        counts = [((n - 1) // 2 + 1 + merge - 1) // merge for n in lengths]
        inputs.ids = words_around(inputs, c["audio_token_id"], c["text_config"]["vocab_size"], counts)
    return {"values": inputs.ids if name == "input_ids" else np.ones_like(inputs.ids)}


def vibevoice_input(inputs, entry: dict) -> dict:
    c, name = inputs.config, entry["name"]
    sound = c.get("acoustic_tokenizer_encoder_config") or c["audio_config"]
    hop = int(np.prod(sound["downsampling_ratios"]))
    most = getattr(inputs, "most", None) or hop * inputs.rng.randint(3, 7)
    inputs.most = most
    lengths = sound_lengths(inputs, most)
    if name == "input_values":
        return {"shape": [inputs.rows, sound["channels"], most], "lo": entry["lo"], "hi": entry["hi"]}
    if name == "padding_mask":
        return {"values": marked(lengths, most), "dtype": entry["dtype"]}
    inputs.ids = getattr(inputs, "ids", None)
    if inputs.ids is None:
        inputs.ids = words_around(inputs, c["audio_token_id"], c["text_config"]["vocab_size"], [-(-n // hop) for n in lengths])
    return {"values": inputs.ids if name == "input_ids" else np.ones_like(inputs.ids)}


def omni_input(inputs, entry: dict) -> dict | None:
    """Embeddings and places; two rows of a picture's states."""
    c, name, rows, T = inputs.config, entry["name"], inputs.rows, inputs.width("text")
    uniform = {"lo": entry.get("lo"), "hi": entry.get("hi")}
    if name == "inputs_embeds":
        single = c["architectures"][0] == "Qwen2_5OmniTalkerForConditionalGeneration"
        if "num_code_groups" in c:
            T = inputs.rng.randint(2, c["num_code_groups"])
        return {"shape": [rows, T, c["embedding_size"] if single else c["hidden_size"]], **uniform}
    if name == "position_ids":
        return {"shape": [3, rows, T], **uniform} if entry["dtype"] == "F32" else {"values": inputs.draw(range(30), (3, rows, T))}
    if name == "visual_pos_masks":
        flat = np.zeros(rows * T, bool)
        flat[inputs.rng.sample(range(rows * T), 2)] = True
        return {"values": flat.reshape(rows, T), "dtype": "BOOL"}
    if name.startswith("deepstack"):
        return {"shape": [2, c["hidden_size"]], **uniform}
    return {"values": inputs.draw(range(20, 60), (rows, T))} if name == "input_text_ids" else None


def nemotron3_input(inputs, entry: dict) -> dict | None:
    """Sounds of a whole number of stacked frames, as the transcription asks for."""
    c = inputs.config
    audio = c.get("asr_config") or c.get("audio_config") or c
    if entry["name"] == "inputs_embeds":
        return {"shape": [inputs.rows, inputs.width("text"), c["hidden_size"]], "lo": entry["lo"], "hi": entry["hi"]}
    if "subsampling_factor" not in audio:
        return None
    length = audio["subsampling_factor"] * (inputs.width("text") + 8)
    if entry["name"] == "input_features":
        return {"shape": [inputs.rows, length, audio["num_mel_bins"]], "lo": entry["lo"], "hi": entry["hi"]}
    return {"values": marked(sound_lengths(inputs, length), length)}


def tts_input(inputs, entry: dict) -> dict:
    """Words, a voice of one to three latents, a start, and latents of three frames."""
    c, name, rows = inputs.config, entry["name"], inputs.rows
    uniform = {"lo": entry.get("lo"), "hi": entry.get("hi")}
    lengths = sound_lengths(inputs, 3)
    tokens = [c["audio_prompt_token_id"], c["audio_bos_token_id"], c["audio_latent_token_id"]]
    if name == "audio_prompt_latents":
        return {"shape": [rows, 3, c.get("audio_prompt_dim", c["latent_dim"])], **uniform}
    if name == "audio_prompt_latents_mask":
        return {"values": marked(lengths, 3), "dtype": "BOOL"}
    if name == "audio_latents":
        return {"shape": [rows, 3, c["latent_dim"]], **uniform}
    if name == "attention_mask":
        return {"values": np.ones((rows, 10), int)}
    words = [i for i in range(5, 40) if i not in tokens]
    return {"values": np.array([[inputs.rng.choice(words) for _ in range(6 - n)] + tokens[:1] * n + tokens[1:2] + tokens[2:] * 3 for n in lengths])}


def higgs_input(inputs, entry: dict) -> dict:
    """Four frames among words, and padding behind."""
    c, name, rows = inputs.config, entry["name"], inputs.rows
    lengths = sound_lengths(inputs, 4)
    if name == "audio_input_ids":
        return {"values": inputs.draw(range(c["codebook_size"]), (rows, 4, c["num_codebooks"]))}
    if name == "audio_input_ids_mask":
        return {"values": marked(lengths, 4), "dtype": "BOOL"}
    if name == "attention_mask":
        return {"values": np.ones((rows, 9), int)}
    words = [i for i in range(3, 20)]
    tokens = [c["audio_token_id"], c["audio_delay_token_id"]]
    return {"values": np.array([[inputs.rng.choice(words) for _ in range(9 - n)] + [inputs.rng.choice(tokens) for _ in range(n)] for n in lengths])}


def token2wav_input(inputs, entry: dict) -> dict:
    c, name, rows = inputs.config, entry["name"], inputs.rows
    uniform, frames = {"lo": entry.get("lo"), "hi": entry.get("hi")}, inputs.width("text")
    if name == "mel_spectrogram":
        return {"shape": [rows, c["mel_dim"], frames], **uniform}
    if name == "time_step":
        return {"values": np.array([inputs.rng.random() for _ in range(rows)]), "dtype": "F32"}
    if name == "quantized_code":
        return {"values": inputs.draw(range(c["num_embeds"]), (rows, frames))}
    if name == "condition_vector":
        return {"shape": [rows, frames + 4, c["mel_dim"]], **uniform}
    return {"shape": [rows, frames * c["repeats"], c["mel_dim" if name == "hidden_states" else "enc_emb_dim"]], **uniform}


def voices_input(inputs, entry: dict) -> dict | None:
    """The input, or None where it is like other models' inputs."""
    c, name, rows, kind = inputs.config, entry["name"], inputs.rows, inputs.config["model_type"]
    if kind not in VOICES:
        return None
    uniform = {"lo": entry.get("lo"), "hi": entry.get("hi")}
    if kind.startswith("pocket_tts_audio_tokenizer"):
        latents = [rows, c["hidden_size"], inputs.rng.randint(3, 9)]
        return {"shape": latents if name == "latents" else [rows, c["audio_channels"], inputs.rng.randint(200, 500)], **uniform}
    if kind == "mimi_encoder":
        return {"shape": [rows, c["audio_channels"], inputs.rng.randint(200, 500)], **uniform}
    if kind == "mimi_decoder":
        return {"shape": [rows, c["hidden_size"], inputs.rng.randint(3, 9)], **uniform}
    if kind in ("pocket_tts", "gradium_phonon_tts"):
        return tts_input(inputs, entry)
    if kind == "higgs_audio_v2":
        return higgs_input(inputs, entry)
    if kind.startswith("nemotron3"):
        return nemotron3_input(inputs, entry)
    if kind.startswith("vibevoice"):
        return vibevoice_input(inputs, entry)
    if kind == "moss_transcribe_diarize":
        return moss_input(inputs, entry)
    if kind == "moss_transcribe_diarize_audio":
        return {"shape": [rows, c["num_mel_bins"], 2 * c["max_source_positions"]], **uniform}
    if kind in ("qwen2_5_omni_dit", "qwen2_5_omni_bigvgan"):
        return token2wav_input(inputs, entry)
    if "_omni_" in kind:
        return omni_input(inputs, entry)
    frames = inputs.width("text")
    if kind == "xcodec":
        if name == "audio_codes":
            return {"values": inputs.draw(range(c["codebook_size"]), (rows, 2, frames))}
        return {"shape": [rows, 1, 16 * frames], **uniform}
    if kind in ("xcodec2", "neucodec"):
        bins = c["semantic_model_config"]["feature_projection_input_dim"]
        return {"shape": [rows, frames, bins] if name == "input_features" else [rows, 1, frames * codec_hop(c)], **uniform}
    if name == "input_features":
        return {"shape": [rows, frames + 4, 4 * c.get("encoder_config", c)["num_mel_bins"]], **uniform}
    if kind.startswith("granite"):
        return {"values": mark(inputs, rows, frames + 4)}
    if kind.startswith("pe_audio") and name in ("input_values", "padding_mask"):
        inputs.samples = getattr(inputs, "samples", inputs.rng.randint(3, 9) * codec_hop(c.get("audio_config", c)["dac_config"]))
        values = {"shape": [rows, 1, inputs.samples], **uniform}
        return values if name == "input_values" else {"values": mark(inputs, rows, inputs.samples), "dtype": "I32"}
    if kind.startswith("pe_audio"):
        return {"values": inputs.tokens("text") if name == "input_ids" else inputs.mask("text").astype(int)}
    return None
