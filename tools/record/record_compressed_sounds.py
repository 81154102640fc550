#!/usr/bin/env python3
"""Makes small MP3, Vorbis, Opus and FLAC files and records what load_audio of transformers reads from them.

Usage: tools/record/record_compressed_sounds.py [--answers]      --answers: the files stay, the answers are made anew
Writes tests/unit/media/data/compressed/files/ and loading.json in the format of src/recorded/recorded.h. Sounds are sums
of sines that glide, made here. Needs numpy, soundfile and transformers.
"""

import json
import os
import sys

import numpy as np
import soundfile
from transformers.audio_utils import load_audio

from record_sounds import ROOT, recorded

FOLDER = os.path.join(ROOT, "tests", "unit", "media", "data", "compressed")
# Name: (format, subtype, rate in Hz, channels, seconds)
FILES = {
    "mono_16k.mp3": ("MP3", "MPEG_LAYER_III", 16000, 1, 0.6),
    "stereo_44k.mp3": ("MP3", "MPEG_LAYER_III", 44100, 2, 0.3),
    "mono_16k.ogg": ("OGG", "VORBIS", 16000, 1, 0.6),
    "stereo_44k.ogg": ("OGG", "VORBIS", 44100, 2, 0.3),
    "mono_16k.opus": ("OGG", "OPUS", 16000, 1, 0.6),
    "stereo_48k.opus": ("OGG", "OPUS", 48000, 2, 0.3),
    "stereo_22k.flac": ("FLAC", "PCM_16", 22050, 2, 0.1),
}


def make(rate, channels, seconds):
    t = np.arange(int(rate * seconds)) / rate
    return np.stack([sum(np.sin(2 * np.pi * (f * (1 + 0.1 * c) * t + 60 * k * t**2)) / (4 + k)
                         for k, f in enumerate((220, 660, 1500))) for c in range(channels)], axis=1)


def main():
    os.makedirs(os.path.join(FOLDER, "files"), exist_ok=True)
    rows = []
    for name, (container, subtype, rate, channels, seconds) in FILES.items():
        path = os.path.join(FOLDER, "files", name)
        if "--answers" not in sys.argv:
            soundfile.write(path, make(rate, channels, seconds), rate, format=container, subtype=subtype)
        native = soundfile.info(path).samplerate
        loaded = {str(r): recorded(load_audio(path, sampling_rate=r)) for r in sorted({native, 16000})}
        rows.append({"file": name, "sampling_rate": native, "loaded": loaded})
    with open(os.path.join(FOLDER, "loading.json"), "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")


if __name__ == "__main__":
    main()
