"""Train examples/models/spoken-words-wav2vec2: a small Wav2Vec2ForCTC that writes down short spoken commands.

The speech is made by the Debian package espeak-ng, in many voices:

    apt-get install espeak-ng
    python train_spoken_words.py --output DIR                   # synthesis, training, evaluation
    python train_spoken_words.py --output DIR --evaluate-only   # the metrics of the model card
    python train_spoken_words.py --output DIR --samples DATA    # held-out utterances as WAV files
    python train_spoken_words.py --output DIR --expected DATA   # DIR/expected.json, from DATA/*.wav
"""

import io
import json
import string
import subprocess
import wave
from dataclasses import dataclass

import numpy as np
import torch
from scipy.signal import fftconvolve, resample_poly
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    pipeline,
)

from common import (
    Progress,
    arguments,
    cosine_schedule,
    parameter_groups,
    prepare,
    report,
    report_size,
    write_json,
)

RATE = 16000
WORDS = "zero one two three four five six seven eight nine yes no up down left right stop go on off".split()
ACCENTS = "en-us en-gb en-gb-scotland en-gb-x-gbclan en-gb-x-rp en-029 en-us-nyc".split()
HELD_OUT_ACCENT = "en-gb-x-gbcwmd"
# The voice variants of espeak-ng 1.51 without its whispers, croaks and robots.
VARIANTS = """
    adam Alex Alicia Andrea Andy anika Annie announcer antonio aunty belinda benjamin boris caleb david
    Denis Diogo ed edward edward2 f1 f2 f3 f4 f5 Gene Gene2 grandma grandpa gustave Henrique Hugo iven iven2
    iven3 iven4 Jacky john kaukovalta klatt klatt2 klatt3 klatt4 Lee linda m1 m2 m3 m4 m5 m6 m7 m8 marcelo
    Marco Mario max Michael michel miguel Mike norbert pablo paul pedro quincy rob robert sandro shelby
    steph steph2 steph3 Storm travis Tweaky victor zac
""".split()
HELD_OUT_VARIANTS = VARIANTS[4::6]
TRAIN_VARIANTS = [v for v in VARIANTS if v not in HELD_OUT_VARIANTS]
TRAIN_SPEEDS, HELD_OUT_SPEEDS = range(110, 231, 20), range(120, 221, 20)  # words a minute
PAUSES = range(2, 9)  # between words, in units of 10 ms at 175 words a minute
TRAIN_UTTERANCES = 8000
BATCH_SIZE = 16
# file: (text, accent, variant, words a minute, pitch, rate of the file); voices and speeds are held out
SAMPLES = {
    "seven.wav": ("seven", "en-us", 0, 160, 50, RATE),
    "yes.wav": ("yes", "en-gb", 3, 140, 60, RATE),
    "three-one-four.wav": ("three one four", "en-gb-x-rp", 6, 160, 45, RATE),
    "stop-go-left-right.wav": ("stop go left right", "en-us", 9, 140, 55, RATE),
    "two-five-nine.wav": ("two five nine", "en-gb", 11, 160, 40, 22050),
}


@dataclass
class Utterance:
    text: str
    samples: np.ndarray  # [n] float32 in -1..1, 16 kHz


def read_wav(data):
    """Rate and [n] float32 samples of 16-bit mono; the header that espeak-ng streams has no true length."""
    with wave.open(io.BytesIO(data)) as file:
        assert file.getnchannels() == 1 and file.getsampwidth() == 2
        raw = file.readframes(len(data))
        return file.getframerate(), np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 32768


def write_wav(path, samples, rate):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def resample(samples, rate, to):
    divisor = np.gcd(rate, to)
    return resample_poly(samples, to // divisor, rate // divisor).astype(np.float32)


def speak(text, accent, variant, speed, pitch, pause):
    """Rate and samples of what espeak-ng says; it answers the same every time."""
    command = ["espeak-ng", "-v", f"{accent}+{variant}", "-s", str(speed), "-p", str(pitch), "-g", str(pause)]
    command += ["--stdout", text]
    return read_wav(subprocess.run(command, check=True, capture_output=True).stdout)


def trim(samples):
    """Without the silence before and after."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]


def utterances(rng, count, most_words, accents, variants, speeds):
    """Random phrases of up to `most_words` words in random voices; a third are single words."""
    made = []
    for _ in range(count):
        length = 1 if rng.random() < 1 / 3 else int(rng.integers(1, most_words + 1))
        text = " ".join(rng.choice(WORDS, length))
        voice = rng.choice(accents), rng.choice(variants)
        rate, samples = speak(text, *voice, rng.choice(speeds), rng.integers(20, 81), rng.choice(PAUSES))
        made.append(Utterance(text, trim(resample(samples, rate, RATE))))
    return made


def coloured_noise(rng, length):
    """White to brown noise of unit power."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum /= np.maximum(np.arange(len(spectrum)), 1) ** rng.uniform(0, 1)
    noise = np.fft.irfft(spectrum, length)
    return noise / (noise.std() + 1e-9)


def surround(rng, samples, longest):
    """Silence of up to `longest` seconds on both sides."""
    before, after = (int(rng.uniform(0.03, longest) * RATE) for _ in range(2))
    return np.pad(samples, (before, after))


def add_noise(rng, samples, decibels):
    """Noise `decibels` below the speech."""
    power = np.sqrt(np.mean(samples**2)) * 10 ** (-decibels / 20)
    return samples + power * coloured_noise(rng, len(samples))


def room(rng, samples):
    """An echoing room and a cheap microphone."""
    length = int(rng.uniform(0.01, 0.12) * RATE)
    tail = rng.standard_normal(length) * np.exp(-6 * np.arange(length) / length) * rng.uniform(0.02, 0.15)
    tail[0] = 1
    return fftconvolve(samples, tail)[: len(samples)]


def augmented(rng, samples):
    """Another tempo and pitch, room, silence around, noise of 5 to 40 dB below."""
    if rng.random() < 0.5:
        length = int(len(samples) * rng.uniform(0.88, 1.14))
        samples = np.interp(np.linspace(0, len(samples) - 1, length), np.arange(len(samples)), samples)
    if rng.random() < 0.4:
        samples = room(rng, samples)
    samples = surround(rng, samples, 0.3)
    if rng.random() < 0.8:
        samples = add_noise(rng, samples, rng.uniform(5, 40))
    return samples.astype(np.float32)


def build_processors(directory):
    """Feature extractor and character tokenizer, saved into `directory`; <pad> is the blank of CTC."""
    directory.mkdir(parents=True, exist_ok=True)
    characters = ["<pad>", "<s>", "</s>", "<unk>", "|", *string.ascii_lowercase, "'"]
    vocabulary = directory / "vocab.json"
    vocabulary.write_text(json.dumps({c: i for i, c in enumerate(characters)}), encoding="utf-8")
    tokenizer = Wav2Vec2CTCTokenizer(
        str(vocabulary), pad_token="<pad>", unk_token="<unk>", word_delimiter_token="|"
    )
    extractor = Wav2Vec2FeatureExtractor(
        feature_size=1, sampling_rate=RATE, padding_value=0.0, do_normalize=True, return_attention_mask=True
    )
    tokenizer.save_pretrained(directory)
    extractor.save_pretrained(directory)
    return extractor, tokenizer


def build_model(tokenizer):
    return Wav2Vec2ForCTC(
        Wav2Vec2Config(
            vocab_size=len(tokenizer),
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            conv_dim=(48, 96, 96, 96, 96),
            conv_kernel=(16, 8, 4, 4, 4),
            conv_stride=(8, 5, 2, 2, 2),
            conv_bias=True,
            feat_extract_norm="layer",
            do_stable_layer_norm=True,
            hidden_size=96,
            initializer_range=0.06,  # with the default 0.02 so narrow a model learns more slowly
            num_hidden_layers=4,
            num_attention_heads=4,
            intermediate_size=256,
            num_conv_pos_embeddings=32,
            num_conv_pos_embedding_groups=8,
            hidden_dropout=0.05,
            attention_dropout=0.0,
            activation_dropout=0.0,
            feat_proj_dropout=0.0,
            final_dropout=0.0,
            layerdrop=0.0,
            apply_spec_augment=False,
            mask_time_prob=0.0,
            mask_feature_prob=0.0,
            ctc_loss_reduction="mean",
            ctc_zero_infinity=True,
        )
    )


def batches(rng, data, steps):
    """Utterances of like length together, every one once in an epoch, in random order."""
    order = []
    for _ in range(steps):
        if not order:
            lengths = np.array([len(u.samples) for u in data]) * rng.uniform(0.9, 1.1, len(data))
            by_length = np.argsort(lengths)
            whole = by_length[: len(data) // BATCH_SIZE * BATCH_SIZE].reshape(-1, BATCH_SIZE)
            order = list(rng.permutation(whole))
        yield [data[i] for i in order.pop()]


def train(model, extractor, tokenizer, data, steps, seed):
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.02), lr=1.5e-3, betas=(0.9, 0.98))
    schedule = cosine_schedule(optimizer, steps, warmup=200)
    progress = Progress(steps, 100)
    model.train()
    for step, batch in enumerate(batches(rng, data, steps)):
        inputs = extractor(
            [augmented(rng, u.samples) for u in batch], sampling_rate=RATE, padding=True, return_tensors="pt"
        )
        labels = tokenizer([u.text for u in batch], padding=True, return_tensors="pt")
        targets = labels.input_ids.masked_fill(labels.attention_mask == 0, -100)
        loss = model(**inputs, labels=targets).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        progress.add(step, loss.item())
    model.eval()


def create(args):
    extractor, tokenizer = build_processors(args.output)
    model = build_model(tokenizer)
    data = utterances(
        np.random.default_rng(args.seed), TRAIN_UTTERANCES, 4, ACCENTS, TRAIN_VARIANTS, TRAIN_SPEEDS
    )
    print(
        f"{model.num_parameters()} parameters, {len(data)} utterances, "
        f"{sum(len(u.samples) for u in data) / RATE:.0f} s of speech, {len(TRAIN_VARIANTS)} variants"
    )
    train(model, extractor, tokenizer, data, args.steps, args.seed)
    model.save_pretrained(args.output)


def recogniser(directory):
    return pipeline("automatic-speech-recognition", model=str(directory))


def transcribe(recognise, samples):
    return recognise({"raw": samples, "sampling_rate": RATE})["text"]


def edits(a, b):
    """Levenshtein distance of two sequences."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def score(recognise, data):
    """Share of utterances exactly right, word error rate."""
    answers = [transcribe(recognise, u.samples) for u in data]
    exact = sum(a == u.text for a, u in zip(answers, data, strict=True)) / len(data)
    errors = sum(edits(a.split(), u.text.split()) for a, u in zip(answers, data, strict=True))
    return exact, errors / sum(len(u.text.split()) for u in data)


def evaluate(directory):
    """Right transcriptions of utterances in voice variants and at speeds that training never heard."""
    recognise, rng = recogniser(directory), np.random.default_rng(1000)

    def held_out(count, most_words, accents, decibels=None):
        data = utterances(rng, count, most_words, accents, HELD_OUT_VARIANTS, HELD_OUT_SPEEDS)
        for u in data:
            u.samples = surround(rng, u.samples, 0.3).astype(np.float32)
            if decibels is not None:
                u.samples = add_noise(rng, u.samples, decibels).astype(np.float32)
        return score(recognise, data)

    words, _ = held_out(500, 1, ACCENTS)
    phrases, phrases_wer = held_out(300, 4, ACCENTS)
    noisy, noisy_wer = held_out(300, 4, ACCENTS, 10)
    accent, accent_wer = held_out(300, 4, [HELD_OUT_ACCENT])
    report(
        f"held-out voices ({len(HELD_OUT_VARIANTS)} variants)",
        {
            "single words exactly right, of 500": words,
            "phrases of 1 to 4 words exactly right, of 300": phrases,
            "their word error rate": phrases_wer,
            "phrases with noise at 10 dB exactly right, of 300": noisy,
            "their word error rate, noise": noisy_wer,
            "phrases in an unheard accent exactly right, of 300": accent,
            "their word error rate, accent": accent_wer,
            "chance of a single word, by guessing": 1 / len(WORDS),
        },
    )


def write_samples(directory):
    directory.mkdir(parents=True, exist_ok=True)
    for name, (text, accent, variant, speed, pitch, rate) in SAMPLES.items():
        made_at, samples = speak(text, accent, HELD_OUT_VARIANTS[variant], speed, pitch, PAUSES[4])
        samples = np.pad(trim(samples), made_at // 10)
        write_wav(directory / name, resample(samples, made_at, rate) if rate != made_at else samples, rate)


def write_expected(directory, data):
    recognise, cases = recogniser(directory), []
    for file in sorted(data.glob("*.wav")):
        rate, samples = read_wav(file.read_bytes())
        text = transcribe(recognise, samples if rate == RATE else resample(samples, rate, RATE))
        cases.append(
            {"file": file.name, "sampling_rate": rate, "spoken": file.stem.replace("-", " "), "text": text}
        )
        print(cases[-1])
        if text != cases[-1]["spoken"]:
            raise SystemExit(f"{file.name}: heard {text!r}")
    write_json(
        directory / "expected.json",
        {"task": "automatic-speech-recognition", "dtype": "float32", "cases": cases},
    )


def main():
    args = arguments(__doc__, {"seed": 1, "steps": 4000})
    prepare(args.seed, args.threads)
    if args.samples or args.expected:
        if args.samples:
            write_samples(args.samples)
        if args.expected:
            write_expected(args.output, args.expected)
        return
    if not args.evaluate_only:
        create(args)
    evaluate(args.output)
    report_size(args.output)


if __name__ == "__main__":
    main()
