#!/usr/bin/env python3
"""Records what video processors of transformers answer to seeded frames.

Usage: tools/record/record_videos.py FOLDER FILE...
       tools/record/record_videos.py FOLDER --random SEED CASES [CLASS...]

Runs the cases of each FILE (videos/CLASS.json) once more and writes the answers in their place; with --random adds as
many cases with random settings, sizes and arguments to FOLDER/videos/CLASS.json, of all classes where none is named.
Needs transformers, torch and torchvision.
"""

import json
import os
import random
import sys

import numpy
import record_images
import torch
import transformers

CLASSES = """CohereCompass Cosmos3Edge EmbeddingGemma2 Ernie4_5_VLMoe Gemma4 Gemma4Unified Glm46V Glm4v Glm5Next Glmga
InstructBlipVideo InternVL Kimi_K25 LlavaNextVideo LlavaOnevision MiniCPMOcr MiniCPMV4_6 MiniMaxM3VL Molmo2 MuseGlimmer
NemotronH_Omni_Reasoning_V3 PeVideo PerceptionLM Qwen2VL Qwen3VL Sam2Video SmolVLM Timesformer VJEPA2 VideoLlama3
VideoLlava VideoMAE Videomt Vivit""".split()

SAMPLES = record_images.SAMPLES = 64


def frames(text, shape):
    """"prng NAME, uint8" as [frames, height, width, 3]: the numbers of src/base/prng.h from 0 to 256, cut to bytes."""
    seed = 0xCBF29CE484222325
    for byte in text.split(" ", 1)[1].split(",")[0].encode():
        seed = (seed ^ byte) * 0x100000001B3 & (1 << 64) - 1
    u64 = numpy.uint64
    with numpy.errstate(over="ignore"):
        z = u64(seed) + numpy.arange(1, numpy.prod(shape) + 1, dtype=u64) * u64(0x9E3779B97F4A7C15)
        z = (z ^ z >> u64(30)) * u64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> u64(27)) * u64(0x94D049BB133111EB)
    return ((z ^ z >> u64(31)) >> u64(56)).astype(numpy.uint8).reshape(shape)


def place(i, count):
    return min(count - 1, i * count // SAMPLES + i * 7919 % max(1, count // SAMPLES))


def sampled(described):
    """Fewer elements than images are recorded with: frames are many, and alike."""
    if isinstance(described, list):
        return [sampled(part) for part in described]
    full = described.get("full", [])
    if len(full) > SAMPLES:
        described["at"] = [full[place(i, len(full))] for i in range(SAMPLES)]
        del described["full"]
    return {**described, "samples": SAMPLES} if "at" in described else described


def run(processor, videos, metadata, arguments):
    arguments = dict(arguments, return_metadata=True)
    if metadata is not None:
        arguments["video_metadata"] = [dict(one) for one in metadata]
    try:
        return processor(videos, return_tensors="pt", **arguments)
    except ValueError as error:  # videos that make no batch stay a list
        if "Unable to convert output" not in str(error) or len(videos) < 2:
            raise
    if metadata is not None:
        arguments["video_metadata"] = [dict(one) for one in metadata]
    made = processor(videos, return_tensors=None, **arguments)
    return {key: value if key == "video_metadata" else batch(value) for key, value in made.items()}


def batch(values):
    """A tensor where it can be one, as return_tensors="pt" would make it of this output alone."""
    parts = [torch.as_tensor(value) for value in values]
    return torch.stack(parts) if len({part.shape for part in parts}) == 1 else parts


def answer(name, config, case):
    many = isinstance(case["video"], list)
    texts, shapes = (case["video"], case["shape"]) if many else ([case["video"]], [case["shape"]])
    metadata = case.get("metadata")
    if metadata is not None and not many:
        metadata = [metadata]
    try:
        settings = case.get("settings", config)
        settings = {key: value for key, value in settings.items() if key != "video_processor_type"}
        processor = getattr(transformers, name)(**settings)
        videos = [torch.from_numpy(frames(text, shape)) for text, shape in zip(texts, shapes)]
        made = run(processor, videos, metadata, case["kwargs"])
    except Exception as error:  # the answer is that it fails
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    indices = made.pop("video_metadata")[0].frames_indices
    samples = case["kwargs"].get("do_sample_frames", processor.do_sample_frames)
    out = {"frames_indices": [int(index) for index in indices] if samples and not many else None}
    return {**out, "outputs": {key: sampled(record_images.output(value)) for key, value in made.items()}}


# --- random cases ---


def maybe(chance):
    return random.random() < chance


def common_settings(defaults):
    """Of any class; what each takes of them is its own."""
    out = {}
    for key in ("do_resize", "do_rescale", "do_normalize", "do_convert_rgb", "do_sample_frames"):
        if maybe(0.25):
            out[key] = maybe(0.5)
    if maybe(0.3):
        out["resample"] = random.choice([1, 2, 3])
    if maybe(0.2):
        out["image_mean"] = [random.uniform(0, 1) for _ in range(3)]
        out["image_std"] = [random.uniform(0.1, 1) for _ in range(3)]
    if maybe(0.2):
        out["rescale_factor"] = random.choice([1 / 127.5, 0.01])
    for key, least, most in (
        ("patch_size", 4, 16),
        ("temporal_patch_size", 1, 4),
        ("merge_size", 1, 3),
        ("min_frames", 1, 6),
        ("max_frames", 4, 20),
        ("max_video_tokens", 4, 300),
        ("max_duration", 1, 6),
        ("patch_expand_factor", 1, 2),
        ("min_image_tokens", 1, 20),
        ("max_image_tokens", 1, 60),
        ("max_patches", 4, 60),
        ("max_video_frame_tokens", 2, 40),
        ("vision_segment_max_frames", 1, 5),
        ("scale_resolution", 20, 90),
        ("max_slice_nums", 1, 9),
        ("max_num_frames", 1, 12),
        ("stack_frames", 1, 5),
        ("pooling_kernel_size", 1, 3),
        ("max_fps", 1, 5),
        ("video_target_num_patches", 4, 60),
    ):
        if key in defaults and maybe(0.6):
            out[key] = random.randint(least, most)
    for key, values in (
        ("downsample_mode", ["4x", "16x"]),
        ("overflow_strategy", ["uniform", "truncate"]),
        ("use_token_compression", [True, False]),
        ("cap_pixels_per_frame", [True, False]),
        ("initial_shift", [True, False, 1, 2.5]),
        ("slice_mode", [True, False]),
        ("downsample_ratio", [1.0, 0.5, 0.34]),
        ("video_maintain_aspect_ratio", [True, False]),
        ("do_pad", [True, False]),
        ("max_soft_tokens", [70, 140, 71]),
        ("pooling_size", [[2, 2], [2, 3], [3, 1]]),
    ):
        if key in defaults and maybe(0.5):
            out[key] = random.choice(values)
    return out


def size_of(name, defaults):
    size = dict(defaults.get("size") or {})
    if "shortest_edge" in size and "longest_edge" in size:
        low = random.randint(200, 6000)
        return {"shortest_edge": low, "longest_edge": low + random.randint(0, 60000)}
    if "max_height" in size:
        side = random.randint(2, 9)
        return {"max_height": side, "max_width": side}
    if name == "SmolVLM":
        return random.choice([{"longest_edge": random.randint(10, 90)}, {"height": 40, "width": 31}])
    if name == "Sam2Video":
        return {"height": random.randint(20, 70), "width": random.randint(20, 70)}
    if name == "Molmo2":
        side = 14 * random.randint(2, 5)
        return {"height": side, "width": side}
    return random.choice([{"height": random.randint(20, 70), "width": random.randint(20, 70)},
                          {"shortest_edge": random.randint(16, 60)}])


def random_settings(name, defaults):
    out = common_settings(defaults)
    if defaults.get("size") and (maybe(0.9) or name in ("Sam2Video", "Videomt", "PerceptionLM")):
        out["size"] = size_of(name, defaults)
    if maybe(0.4):
        out["do_center_crop"] = True
        out["crop_size"] = {"height": random.randint(16, 70), "width": random.randint(16, 70)}
    if name == "SmolVLM":
        out["max_image_size"] = {"longest_edge": random.randint(12, 40)}
    if name == "VJEPA2":
        out["crop_size"] = {"height": random.randint(16, 70), "width": random.randint(16, 70)}
    out.update(NEEDED.get(name, {}))
    if name == "Ernie4_5_VLMoe":
        out.pop("temporal_patch_size", None)
    if name == "PeVideo":
        out.update({"do_resize": maybe(0.5), "size": {"height": 24, "width": 30}})
    if name == "Cosmos3Edge" and maybe(0.8):
        out.pop("temporal_patch_size", None)
    if "max_soft_tokens" in out and maybe(0.7):
        out["max_soft_tokens"] = 70
    return out


def random_video():
    shape = [random.randint(1, 40) if maybe(0.7) else random.randint(1, 6), random.randint(8, 90), random.randint(8, 90), 3]
    fps = random.choice([None, 1, 2, 4.0, 12.5, 24, 29.97, 30])
    duration = shape[0] / fps if fps and maybe(0.8) else None
    if duration and maybe(0.2):
        duration = round(duration + random.uniform(-0.3, 0.3), 2)
        duration = duration if duration > 0 else None
    return shape, {"fps": fps, "total_num_frames": shape[0], "duration": duration}


NEEDED = {
    "Ernie4_5_VLMoe": {"draw_on_frames": False},
    "NemotronH_Omni_Reasoning_V3": {"norm_mean": [0.4, 0.5, 0.6], "norm_std": [0.3, 0.25, 0.2]},
}


def first_case(name):
    """As the class is without settings, save for those without which it does nothing."""
    shape = [random.randint(4, 6), random.randint(8, 50), random.randint(8, 50), 3]
    metadata = {"fps": 2.0, "total_num_frames": shape[0], "duration": shape[0] / 2}
    arguments = {"do_sample_frames": False} if name.startswith("Gemma4") else {}
    return {"video": f"prng {name}.0.0, uint8", "shape": shape, "kwargs": arguments, "metadata": metadata,
            "settings": NEEDED.get(name, {})}


def random_case(name, defaults, number):
    if number == 0:
        return first_case(name)
    shapes, metadata = zip(*[random_video() for _ in range(2 if maybe(0.2) else 1)])
    if len(shapes) > 1 and maybe(0.5):
        shapes = [shapes[0], [shapes[1][0], *shapes[0][1:]]]
    texts = [f"prng {name}.{number}.{i}, uint8" for i in range(len(shapes))]
    arguments = {"do_sample_frames": True} if maybe(0.6) else {}
    which = random.choice(["num_frames", "fps", None])
    other = {"num_frames": "fps", "fps": "num_frames"}.get(which)
    if other and defaults.get(other) and maybe(0.8):  # most classes refuse both
        which = other
    if which == "num_frames":
        arguments["num_frames"] = random.randint(1, 12)
    elif which:
        arguments["fps"] = random.choice([0.5, 1, 2, 3, 5, 10])
    one = len(shapes) == 1
    return {"video": texts[0] if one else texts, "shape": shapes[0] if one else list(shapes), "kwargs": arguments,
            "metadata": None if maybe(0.1) else metadata[0] if one else list(metadata),
            "settings": random_settings(name, defaults)}


def defaults_of(name):
    cls = getattr(transformers, name + "VideoProcessor")
    keys = list(cls.valid_kwargs.__annotations__) + ["min_frames", "max_frames"]
    return {key: getattr(cls, key, None) for key in keys if hasattr(cls, key)}


# --- files ---


def read(path, name):
    if not os.path.exists(path):
        return {"class": name, "config": {}, "cases": []}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def record(path, new=()):
    name = os.path.basename(path)[: -len(".json")]
    document = read(path, name)
    fresh = list(new)
    for case in fresh or document["cases"]:
        for key in ("frames_indices", "outputs", "error"):
            case.pop(key, None)
        case.update(answer(name, document["config"], case))
    # A video of which no frame is sampled becomes tensors without elements in Python; here it is refused.
    document["cases"] += [case for case in fresh if case.get("frames_indices") != []]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")
    print(f"{name}: {len(document['cases'])} cases")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    folder = os.path.join(sys.argv[1], "videos")
    os.makedirs(folder, exist_ok=True)
    if sys.argv[2] != "--random":
        for path in sys.argv[2:]:
            record(path)
        return
    random.seed(int(sys.argv[3]))
    for name in sys.argv[5:] or CLASSES:
        name = name.removesuffix("VideoProcessor")
        path = os.path.join(folder, name + "VideoProcessor.json")
        first = len(read(path, name)["cases"])
        record(path, [random_case(name, defaults_of(name), first + i) for i in range(int(sys.argv[4]))])


if __name__ == "__main__":
    main()
