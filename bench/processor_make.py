"""Makes the files and the configurations of the processors' bench; runs in its environment.

usage: processor_make.py FOLDER      FOLDER/media/*, FOLDER/NAME/preprocessor_config.json for each of CASES
"""

import os
import sys

import numpy
import PIL.Image
import soundfile
import transformers

from processor_cases import CASES, PHOTOS, SOUNDS

JPEG_QUALITY = 90


def photo(width, height, seed):
    """Light and colour that change over every distance, as in a photo: noise of each size, the larger the stronger."""
    draw = numpy.random.default_rng(seed)
    pixels = numpy.full((height, width, 3), 128.0)
    for step in (1, 4, 16, 64, 256):
        noise = draw.normal(0, 1, (height // step + 2, width // step + 2, 3)).astype(numpy.float32)
        layers = [PIL.Image.fromarray(noise[..., channel]).resize((width, height), PIL.Image.Resampling.BICUBIC)
                  for channel in range(3)]
        pixels += numpy.stack([numpy.asarray(layer) for layer in layers], -1) * (4 + 2 * step ** 0.5)
    return PIL.Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))


def sound(seconds, rate, seed):
    """A voice's tones over noise, louder and softer several times a second."""
    draw = numpy.random.default_rng(seed)
    t = numpy.arange(seconds * rate) / rate
    pitch = 120 + 30 * numpy.sin(2 * numpy.pi * 0.7 * t)
    phase = 2 * numpy.pi * numpy.cumsum(pitch) / rate
    tones = sum(numpy.sin(phase * k) / k for k in range(1, 12))
    return (0.2 * tones * numpy.abs(numpy.sin(2 * numpy.pi * 2.1 * t)) + draw.normal(0, 0.01, len(t))).astype(numpy.float32)


def main():
    folder = sys.argv[1]
    os.makedirs(f"{folder}/media")
    for seed, (name, (width, height)) in enumerate(PHOTOS.items()):
        settings = {"quality": JPEG_QUALITY} if name.endswith("jpg") else {}
        photo(width, height, seed).save(f"{folder}/media/{name}", **settings)
    for seed, (name, (seconds, rate)) in enumerate(SOUNDS.items()):
        soundfile.write(f"{folder}/media/{name}", sound(seconds, rate, seed), rate)
    for name, case in CASES.items():
        getattr(transformers, case.class_name)(**case.settings).save_pretrained(f"{folder}/{name}")


if __name__ == "__main__":
    main()
