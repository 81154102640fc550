#!/usr/bin/env python3
"""Records what the pipelines of image models make of outputs: FILE.jsonl, for `anymodel verify-text`.

Usage: tools/record/record_vision_pipelines.py FILE.jsonl [--seed TEXT]
       tools/record/record_vision_pipelines.py FOLDER --picture

The outputs are seeded numbers (record_post_processing.py). A mask is written as lengths of runs of 0 and 1 in turn, column by
column. With --picture FOLDER becomes a tiny model that makes pictures, photo.png one of 20x24 pixels, and expected.png what
ImageToImagePipeline of transformers 4 makes of it. Needs transformers, torch and torchvision.
"""

import argparse
import json
import types

import numpy
import PIL.Image
import torch
import transformers
from transformers.pipelines.depth_estimation import DepthEstimationPipeline
from transformers.pipelines.image_segmentation import ImageSegmentationPipeline
from transformers.pipelines.object_detection import ObjectDetectionPipeline

import record_images
import record_post_processing as post

LABELS = ["cat", "dog", "car", "tree", "road", "sky"]
SIZE = [19, 26]


def runs(mask):
    """Of a picture of 0 and 255, as the COCO data set has masks."""
    pixels = numpy.asarray(mask).T.reshape(-1) > 0
    changes = numpy.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    edges = numpy.concatenate([[0], changes, [pixels.size]])
    counts = numpy.diff(edges).tolist()
    return {"size": list(numpy.asarray(mask).shape), "counts": ([0] if pixels[0] else []) + counts}


def pipeline_of(kind, processor):
    """One without a model, to make answers of outputs."""
    pipeline = kind.__new__(kind)
    pipeline.image_processor = record_images.find_class(processor)()
    pipeline.tokenizer = None
    pipeline.model = types.SimpleNamespace(config=types.SimpleNamespace(id2label=dict(enumerate(LABELS))))
    return pipeline


def answer(case):
    outputs = post.Outputs({name: post.made(recipe) for name, recipe in case["outputs"].items()})
    size, kwargs = case["target_size"], case["kwargs"]
    if case["task"] == "object-detection":
        pipeline = pipeline_of(ObjectDetectionPipeline, case["image_processor"])
        return pipeline.postprocess(post.Outputs(outputs, target_size=torch.tensor([size])), **kwargs)
    if case["task"] == "image-segmentation":
        pipeline = pipeline_of(ImageSegmentationPipeline, case["image_processor"])
        found = pipeline.postprocess(post.Outputs(outputs, target_size=[tuple(size)]), **kwargs)
        return [{**segment, "mask": runs(segment["mask"])} for segment in found]
    pipeline = pipeline_of(DepthEstimationPipeline, case["image_processor"])
    found = pipeline.postprocess(post.Outputs(outputs, target_size=tuple(size)), **kwargs)
    return {"predicted_depth": found["predicted_depth"].tolist()}


def cases(maker):
    boxes = {"logits": maker.numbers("logits", [1, 8, 6], -4, 3), "pred_boxes": maker.numbers("boxes", [1, 8, 4], 0.1, 0.9)}
    classes, masks = maker.numbers("classes", [1, 6, 6], -5, 6), maker.numbers("masks", [1, 6, 3, 4], -6, 6, "smooth")
    detr = {"logits": classes, "pred_boxes": maker.numbers("places", [1, 6, 4], 0, 1), "pred_masks": masks}
    former = {"class_queries_logits": classes, "masks_queries_logits": masks}
    semantic = {"logits": maker.numbers("semantic", [1, 5, 6, 7], -3, 3)}
    depth = {"predicted_depth": maker.numbers("depth", [1, 7, 6], 3, 9)}
    low = {"threshold": 0.3, "overlap_mask_area_threshold": 0.1}
    for name in ("DetrImageProcessor", "YolosImageProcessor", "DeformableDetrImageProcessor", "RTDetrImageProcessor"):
        yield "object-detection", name, boxes, {}
        yield "object-detection", name, boxes, {"threshold": 0.3}
    for name, outputs in (("DetrImageProcessor", detr), ("MaskFormerImageProcessor", former), ("Mask2FormerImageProcessor", former)):
        yield "image-segmentation", name, outputs, {}
        yield "image-segmentation", name, outputs, low
        yield "image-segmentation", name, outputs, {**low, "subtask": "instance"}
        yield "image-segmentation", name, outputs, {"subtask": "semantic"}
    for name in ("SegformerImageProcessor", "BeitImageProcessor", "MobileViTImageProcessor"):
        yield "image-segmentation", name, semantic, {}
    for name in ("DPTImageProcessor", "GLPNImageProcessor", "ZoeDepthImageProcessor"):
        yield "depth-estimation", name, depth, {}


def record_picture(folder):
    torch.manual_seed(5)
    config = transformers.ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=16,
                                    patch_size=4, encoder_stride=4, initializer_range=0.3)
    model = transformers.ViTForMaskedImageModeling(config).eval()
    processor = transformers.ViTImageProcessor(size={"height": 16, "width": 16})
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    pixels = post.seeded({"prng": "photo", "shape": [24, 20, 3], "lo": 0, "hi": 256}).numpy().astype(numpy.uint8)
    photo = PIL.Image.fromarray(pixels)
    photo.save(f"{folder}/photo.png")
    with torch.no_grad():
        made = model(**processor(images=[photo], return_tensors="pt")).reconstruction[0].clamp(0, 1).numpy()
    PIL.Image.fromarray((numpy.moveaxis(made, 0, -1) * 255.0).round().astype(numpy.uint8)).save(f"{folder}/expected.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--seed", default="vision")
    parser.add_argument("--picture", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.picture:
        return record_picture(options.file)
    with open(options.file, "w", encoding="utf-8") as file:
        for task, name, outputs, kwargs in cases(post.Maker(options.seed)):
            size = [8, 11] if task == "depth-estimation" else SIZE
            case = {"task": task, "labels": LABELS, "image_processor": name, "outputs": outputs, "target_size": size, "kwargs": kwargs}
            file.write(json.dumps({**case, "output": answer(case)}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
