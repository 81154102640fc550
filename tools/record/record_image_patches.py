#!/usr/bin/env python3
"""Records how many patches, tiles or tokens image processors of transformers make of images of random sizes.

Usage: tools/record/record_image_patches.py OUT.json

Needs torch, torchvision, Pillow. Where a class has get_number_of_image_patches, that is asked; else, and of
Idefics3 and SmolVLM, where it does not say what comes out, images are processed
and the outputs counted.
"""
import json
import random
import sys

import numpy as np
import transformers
from PIL import Image

NUMBER_OF_SIZES = 50
SMALL = {"height": 56, "width": 56}
PINPOINTS = [[28, 56], [56, 28], [56, 56], [84, 28], [28, 84]]


def asked(processor, height, width):
    count = processor.get_number_of_image_patches(height, width, {})
    if isinstance(count, tuple):
        count = count[0] * count[1] if len(count) == 2 else count[0] or 1
    return count


def tiles_and_whole(processor, height, width):
    return asked(processor, height, width) + 1


def processed(count):
    def run(processor, height, width):
        image = Image.fromarray(np.full((height, width, 3), 90, dtype=np.uint8))
        return int(count(processor(image, return_tensors="pt")))

    return run


first = processed(lambda out: out["pixel_values"].shape[0])
second = processed(lambda out: out["pixel_values"].shape[1])
mask = processed(lambda out: out["pixel_attention_mask"].sum())
soft = processed(lambda out: out["num_soft_tokens_per_image"][0])
flat = processed(lambda out: out["attention_mask"].sum())
cells = processed(lambda out: out["image_sizes"][0].prod() // 256)
latents = processed(lambda out: out["image_sizes"][0].prod() // 64)
blocks = processed(lambda out: -(-out["image_unpadded_heights"][0, 0] // 30) * -(-out["image_unpadded_widths"][0, 0] // 30))
tokens = processed(lambda out: out["num_img_tokens"][0])
slices = processed(lambda out: out["num_patches_per_image"][0])
crops = processed(lambda out: out["num_crops"][0] + 1)
tiled = processed(lambda out: out["num_tiles"][0][0])

BUDGET = {"size": {"shortest_edge": 3136, "longest_edge": 200704}}
CLASSES = [
    *[(name, BUDGET, asked) for name in (
        "CohereCompass", "Cosmos3Edge", "Ernie4_5_VLMoe", "Glm46V", "Glm4v", "Glmga", "HunYuanVL", "MiniMaxM3VL",
        "PaddleOCRVL", "Qwen2VL", "VideoLlama3")],
    ("Glm5Next", {"max_image_tokens": 200}, asked),
    ("Kimi_K25", {"max_patches": 900}, asked),
    ("MuseGlimmer", {"max_image_tokens": 300}, asked),
    ("NeoMME", {"size": {"min_pixels": 40000, "max_pixels": 90000}}, asked),
    ("Aria", {"split_image": True, "max_image_size": 490}, asked),
    ("Cohere2Vision", {"size": SMALL}, asked),
    ("GotOcr2", {"size": SMALL, "crop_to_patches": True}, asked),
    ("DeepseekOcr2", {"tile_size": 300}, asked),
    ("UnlimitedOcr", {"tile_size": 200}, asked),
    ("GraniteDocling", {}, asked),
    ("Idefics3", {"size": {"longest_edge": 200}, "max_image_size": {"longest_edge": 64}}, second),
    ("SmolVLM", {"size": {"longest_edge": 220}, "max_image_size": {"longest_edge": 64}}, second),
    ("UltraVBert", {}, asked),
    ("Molmo2", {}, asked),
    ("Step3p7", {"size": {"height": 300, "width": 300}, "patch_size": 150}, tiles_and_whole),
    ("LlavaNext", {"size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28},
                   "image_grid_pinpoints": PINPOINTS}, second),
    ("LlavaOnevision", {"size": {"height": 28, "width": 28}, "image_grid_pinpoints": PINPOINTS}, second),
    ("Ovis2", {"size": SMALL, "crop_to_patches": True}, first),
    ("Siglip2", {"max_num_patches": 64}, mask),
    ("Lfm2Vl", {"tile_size": 96, "max_image_tokens": 16, "min_image_tokens": 4}, first),
    ("Pixtral", {"size": {"longest_edge": 300}}, cells),
    ("Gemma3", {"size": SMALL, "do_pan_and_scan": True, "pan_and_scan_min_crop_size": 60,
                "pan_and_scan_max_num_crops": 4, "pan_and_scan_min_ratio_to_activate": 1.2}, crops),
    ("Gemma4", {"max_soft_tokens": 70}, soft),
    ("Gemma4Unified", {"max_soft_tokens": 70}, soft),
    ("Mllama", {"size": SMALL}, tiled),
    ("Llama4", {"size": SMALL, "max_patches": 9}, first),
    ("Phi4Multimodal", {"size": SMALL, "dynamic_hd": 9}, tokens),
    ("PerceptionLM", {"tile_size": 56, "max_num_tiles": 12}, second),
    ("Emu3", {"min_pixels": 10000, "max_pixels": 40000}, latents),
    ("MiniCPMV4_6", {"scale_resolution": 112}, slices),
    ("MiniCPMOcr", {"scale_resolution": 112}, slices),
    ("Fuyu", {"size": {"height": 300, "width": 400}}, blocks),
    ("Inkling", {}, first),
    ("Inkling2", {}, first),
    ("NemotronH_Omni_Reasoning_V3", {"min_num_patches": 64, "max_num_patches": 400}, first),
    ("Pix2Struct", {"max_patches": 100}, flat),
    ("Kosmos2_5", {"max_patches": 100}, flat),
]


def record(name, settings, count):
    chosen, out = random.Random(name), []
    processor = getattr(transformers, name + "ImageProcessor")(**settings)
    while len(out) < NUMBER_OF_SIZES:
        height, width = chosen.randint(24, 700), chosen.randint(24, 700)
        if len(out) % 10 == 9:
            height = width
        out.append([height, width, count(processor, height, width)])
    return {"class": name + "ImageProcessor", "settings": settings, "sizes": out}


rows = []
for row in CLASSES:
    try:
        rows.append(json.dumps(record(*row), separators=(",", ":")))
    except Exception as error:
        print(f"{row[0]}: {type(error).__name__}: {error}", file=sys.stderr)
with open(sys.argv[1], "w") as file:
    file.write("[" + ",\n".join(rows) + "]\n")
