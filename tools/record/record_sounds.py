#!/usr/bin/env python3
"""Records what the feature extractors of transformers make of tests/unit/media/data/audio/files.

Usage: tools/record/record_sounds.py [CLASS...]      without arguments: all
Writes tests/unit/media/data/audio/extractors/CLASS.json in the format of src/recorded/recorded.h, with 64 samples of an
array instead of 512. Needs torch, transformers, soundfile, and torchaudio for the classes that use it.
"""

import json
import os
import sys

import numpy as np
import soundfile
import transformers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AUDIO = os.path.join(ROOT, "tests", "unit", "media", "data", "audio")
SAMPLES = 64

VOICE, NOISE, SILENCE = "voice_16k_pcm16.wav", "noise_16k_float.wav", "silence_16k_pcm16.wav"
SHORT, STEREO = "short_16k_pcm16.wav", "stereo_24k_pcm16.wav"
V22, V24, V32, V48 = "voice_22k_pcm16.wav", "voice_24k_pcm16.wav", "voice_32k_pcm16.wav", "voice_48k_pcm16.wav"
PAIR = [VOICE, NOISE]

# Class: (settings of the constructor, files, arguments of the call). Several files make a padded batch.
CASES = {
    "ASTFeatureExtractor": [({"max_length": 64, "num_mel_bins": 64}, PAIR, {}), ({}, [SILENCE], {}), ({}, [SHORT], {})],
    "ClapFeatureExtractor": [
        ({"max_length_s": 2, "truncation": "rand_trunc", "padding": "repeat"}, [V48], {}),
        ({"max_length_s": 1}, [V48, V48], {"seed": 0}),
        ({}, [V48, V48], {"seed": 0, "max_length": 12000}),
        ({}, [V48], {"seed": 7, "max_length": 12000}),
        ({"truncation": "rand_trunc"}, [V48], {"seed": 3, "max_length": 12000}),
    ],
    "ClvpFeatureExtractor": [({}, [V22], {}), ({"mel_norms": [1.0 + i / 80 for i in range(80)]}, [V22, V22], {})],
    "CohereAsrFeatureExtractor": [
        ({}, PAIR, {}), ({}, [SILENCE], {}), ({}, [SHORT], {}),
        ({"max_audio_clip_s": 0.5, "overlap_chunk_second": 0.2, "min_energy_window_samples": 400}, PAIR, {}),
    ],
    "DacFeatureExtractor": [({}, PAIR, {}), ({}, [NOISE], {"padding": False})],
    "DiaFeatureExtractor": [({}, PAIR, {}), ({}, [SHORT], {})],
    "Dots3NoteFeatureExtractor": [({"chunk_length": 1}, PAIR, {}), ({"chunk_length": 1}, [SHORT], {})],
    "EncodecFeatureExtractor": [
        ({}, [V24], {}), ({"feature_size": 2}, [STEREO], {}), ({"chunk_length_s": 0.2, "overlap": 0.01}, [V24], {}),
        ({"chunk_length_s": 0.2, "overlap": 0.01}, [V24], {"truncation": True}),
    ],
    "FunAsrNanoFeatureExtractor": [({}, PAIR, {}), ({}, [SHORT], {})],
    "Gemma3nAudioFeatureExtractor": [
        ({}, PAIR, {}), ({"preemphasis_htk_flavor": False, "per_bin_mean": [i / 128 for i in range(128)],
                          "per_bin_stddev": [1 + i / 128 for i in range(128)]}, [VOICE], {}), ({}, [SHORT], {}),
    ],
    "Gemma4AudioFeatureExtractor": [({}, PAIR, {}), ({"preemphasis": 0.9, "input_scale_factor": 2.0}, [VOICE, SHORT], {})],
    "Gemma4UnifiedAudioFeatureExtractor": [({}, [VOICE], {}), ({}, PAIR, {"max_length": 10})],
    "GraniteSpeech5FeatureExtractor": [({}, PAIR, {}), ({"delta_win_length": 5}, [VOICE], {}), ({}, [SHORT], {})],
    "GraniteSpeechFeatureExtractor": [({}, PAIR, {}), ({}, [SHORT], {})],
    "InklingFeatureExtractor": [({}, PAIR, {}), ({}, [SHORT], {"return_attention_mask": False})],
    "KyutaiSpeechToTextFeatureExtractor": [
        ({"audio_delay_seconds": 0.5, "audio_silence_prefix_seconds": 0.25}, [V24, V24], {}),
        ({"chunk_length_s": 0.2, "overlap": 0.1}, [V24], {}),
    ],
    "LasrFeatureExtractor": [({}, PAIR, {"return_attention_mask": True}), ({}, [SHORT], {})],
    "MossTranscribeDiarizeFeatureExtractor": [({"chunk_length": 1}, PAIR, {}), ({"chunk_length": 1}, [SHORT], {})],
    "MuseSparkFeatureExtractor": [({}, [V24, V24], {})],
    "MusicgenMelodyFeatureExtractor": [({}, [V32, V32], {}), ({"n_fft": 4096, "hop_length": 1024}, [V32],
                                                             {"return_attention_mask": True})],
    "NemotronAsrStreamingFeatureExtractor": [
        ({}, PAIR, {}), ({}, [VOICE], {"center": False}), ({}, [VOICE], {"center": False, "is_last_audio_chunk": True}),
    ],
    "NeuCodecFeatureExtractor": [({}, [VOICE], {}), ({}, [SILENCE], {}), ({}, [SHORT], {})],
    "ParakeetFeatureExtractor": [({}, PAIR, {}), ({"preemphasis": 0.0}, [SILENCE], {}), ({}, [SHORT], {})],
    "PeAudioFeatureExtractor": [({}, [V48, V48], {}), ({"hop_length": 7000}, [V48], {})],
    "Phi4MultimodalFeatureExtractor": [({}, PAIR, {}), ({}, [SILENCE], {}), ({}, [SHORT], {})],
    "PocketTTSFeatureExtractor": [({}, [V24], {}), ({}, [V24], {"end_on_pause": False})],
    "Qwen3ASRFeatureExtractor": [({}, PAIR, {"return_attention_mask": True}), ({"chunk_length": 1}, [SHORT], {})],
    "SeamlessM4TFeatureExtractor": [
        ({}, PAIR, {}), ({"stride": 1}, [VOICE], {}), ({}, [SILENCE], {}), ({}, PAIR, {"pad_to_multiple_of": 16}),
        ({}, [VOICE], {"do_normalize_per_mel_bins": False}),
    ],
    "Speech2TextFeatureExtractor": [
        ({}, PAIR, {}), ({"normalize_means": False}, PAIR, {"padding": "max_length", "max_length": 150}),
        ({"normalize_vars": False}, [VOICE], {}), ({}, [SILENCE], {}), ({"do_ceptral_normalize": False}, [VOICE], {}),
    ],
    "SpeechT5FeatureExtractor": [
        ({"do_normalize": True}, PAIR, {}), ({}, PAIR, {"as_target": True}), ({"win_function": "hamming_window"}, [VOICE],
                                                                             {"as_target": True}),
    ],
    "UnivNetFeatureExtractor": [
        ({}, [V24, V24], {"pad_end": True, "return_noise": False}), ({"do_normalize": True}, [V24], {}),
        ({"compression_factor": 2.0, "filter_length": None, "win_length": 1000}, [V24], {"return_noise": False}),
    ],
    "VibeVoiceAcousticTokenizerFeatureExtractor": [({}, [V24, V24], {}), ({"target_dB_FS": 5}, [V24], {})],
    "VoxtralRealtimeFeatureExtractor": [
        ({}, PAIR, {"return_attention_mask": True}), ({"global_log_mel_max": None}, PAIR, {}), ({}, [SHORT], {}),
    ],
    "Wav2Vec2FeatureExtractor": [
        ({}, [VOICE], {}), ({}, PAIR, {"padding": "max_length", "max_length": 20000}),
        ({}, PAIR, {"padding": True, "pad_to_multiple_of": 4096}), ({"do_normalize": False}, [VOICE], {}),
        ({"padding_side": "left", "padding_value": 0.5, "return_attention_mask": True}, PAIR, {}),
    ],
    "WhisperFeatureExtractor": [
        ({}, [VOICE], {}), ({}, PAIR, {"return_attention_mask": True}), ({"feature_size": 128, "chunk_length": 2}, [VOICE], {}),
        ({"chunk_length": 2, "return_attention_mask": True}, PAIR, {}), ({"chunk_length": 2}, PAIR, {"do_normalize": True}),
    ],
    "Xcodec2FeatureExtractor": [({}, PAIR, {}), ({}, [SILENCE], {}), ({}, [SHORT], {})],
}


def number(value):
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    value = float(value)
    return float(f"{value:.9g}") if np.isfinite(value) else "nan" if np.isnan(value) else "inf" if value > 0 else "-inf"


def recorded(array):
    """The array as recorded.h has it."""
    array = np.asarray(array)
    flat, n = array.reshape(-1), array.size
    out = {"dtype": str(array.dtype), "shape": list(array.shape)}
    finite = flat[np.isfinite(flat)].astype(np.float64) if n else flat
    if finite.size:
        out.update(mean=number(finite.mean()), rms=number(np.sqrt((finite**2).mean())))
    if n and (flat == flat[0]).all():
        out["all"] = number(flat[0])
    elif n > SAMPLES:
        at = [min(n - 1, i * n // SAMPLES + i * 7919 % max(1, n // SAMPLES)) for i in range(SAMPLES)]
        out.update(samples=SAMPLES, at=[number(flat[i]) for i in at])
    elif n:
        out["full"] = [number(v) for v in flat]
    return out


def load(name):
    samples, rate = soundfile.read(os.path.join(AUDIO, "files", name), dtype="float32")
    return samples.T, rate


def answer(extractor, files, kwargs):
    """What a call gives; the arguments are those of this project (`as_target`, `seed`), which stand for how it is called."""
    kwargs = dict(kwargs)
    if "seed" in kwargs:
        np.random.seed(kwargs.pop("seed"))
    sounds = [load(name)[0] for name in files]
    if len(files) > 1:
        kwargs.setdefault("padding", True)
    first = {"audio_target": sounds if len(sounds) > 1 else sounds[0]} if kwargs.pop("as_target", False) else None
    name = type(extractor).__name__
    if name == "GraniteSpeechFeatureExtractor":
        return extractor(sounds if len(sounds) > 1 else sounds[0])
    kwargs["return_tensors"] = "pt" if name in ("VibeVoiceAcousticTokenizerFeatureExtractor", "PocketTTSFeatureExtractor",
                                               "NeuCodecFeatureExtractor", "Xcodec2FeatureExtractor") else "np"
    if not name.startswith("Gemma"):
        kwargs["sampling_rate"] = extractor.sampling_rate
    listed = len(sounds) > 1 or name == "Gemma4AudioFeatureExtractor"
    if first:
        return extractor(**first, **kwargs)
    return extractor(sounds if listed else sounds[0], **kwargs)


def outputs_of(features):
    out = {}
    for key, value in features.items():
        if key == "noise_sequence":
            continue
        is_list = isinstance(value, list) and not hasattr(value[0], "shape")
        out[key] = [list(v) if isinstance(v, tuple) else v for v in value] if is_list else recorded(np.asarray(value))
    return out


def record(name):
    extractor_class = getattr(transformers, name)
    configs, cases = [], []
    for settings, files, kwargs in CASES[name]:
        extractor = extractor_class(**settings)
        config = {k: v for k, v in extractor.to_dict().items() if isinstance(v, (bool, int, float, str, type(None)))}
        config.update(settings)
        if config not in configs:
            configs.append(config)
        case = {"files": files, "config": configs.index(config), "kwargs": kwargs}
        try:
            case["outputs"] = outputs_of(answer(extractor, files, kwargs))
        except (ValueError, RuntimeError, AssertionError) as error:
            case["error"] = f"{type(error).__name__}: {error}"[:200]
        cases.append(case)
    path = os.path.join(AUDIO, "extractors", f"{name}.json")
    with open(path, "w", encoding="utf-8") as file:
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        file.write(f'{{"class":"{name}","configs":{json.dumps(configs, separators=(",", ":"))},"cases":[\n{lines}\n]}}\n')
    print(f"{name}: {len(cases)} cases, {sum('error' in c for c in cases)} errors, {os.path.getsize(path)} bytes")


def main():
    for name in sys.argv[1:] or CASES:
        record(name)


if __name__ == "__main__":
    main()
