#!/usr/bin/env python3
"""Records what the post_process_* methods of transformers' image processors, and torchvision's box functions, answer.

Usage: tools/record/record_post_processing.py FOLDER [--seed TEXT] [--samples N] [--largest N] [--only PART]

Writes FOLDER/post_processing.json and FOLDER/boxes.json, laid out as tests/unit/media/data/README.md says. What the model
would have given is seeded numbers, whose names begin with TEXT; of arrays of more than N elements (--largest, 1024) N
(--samples, 512) are kept. --only "contours" writes the cases of that part alone, without boxes.json. Needs transformers, torch,
torchvision and opencv-python-headless 4.14 or later.
"""

import argparse
import itertools
import json
import types

import numpy
import torch
import torchvision
import transformers
from transformers import image_transforms

import record_images

MASK64 = (1 << 64) - 1
SIZES = [[40, 56], [33, 61]]
TALL = [[61, 30], [24, 24]]


# --- seeded numbers ---


def seeded(recipe):
    """The numbers of {"prng", "shape", "lo", "hi", "then"}."""
    seed = 0xCBF29CE484222325
    for byte in recipe["prng"].encode():
        seed = ((seed ^ byte) * 0x100000001B3) & MASK64
    count = int(numpy.prod(recipe["shape"]))
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(seed) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    unit = (z >> numpy.uint64(40)).astype(numpy.float64) * 2.0**-24
    x = torch.from_numpy((recipe["lo"] + (recipe["hi"] - recipe["lo"]) * unit).astype(numpy.float32)).reshape(recipe["shape"])
    then = recipe.get("then")
    if then in ("int", "positive"):
        x = torch.floor(x).long()
        return (x > 0).long() if then == "positive" else x
    if then == "smooth":
        *outer, height, width = x.shape
        flat = torch.nn.functional.interpolate(x.reshape(1, -1, height, width), scale_factor=4, mode="bilinear")
        return flat.reshape(*outer, 4 * height, 4 * width)
    return torch.sigmoid(x) if then == "sigmoid" else x


def is_recipe(value):
    return isinstance(value, dict) and "prng" in value


def made(value):
    if is_recipe(value):
        return seeded(value)
    if isinstance(value, list) and value and is_recipe(value[0]):
        return [seeded(part) for part in value]
    if isinstance(value, dict) and any(is_recipe(part) for part in value.values()):
        return types.SimpleNamespace(**{key: made(part) for key, part in value.items()})
    return value


class Outputs(dict):
    """Outputs of a model: by attribute, as ModelOutput has them."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


# --- answers ---


def described(value, options):
    if isinstance(value, (torch.Tensor, numpy.ndarray)):
        out = record_images.describe(value.numpy() if isinstance(value, torch.Tensor) else value)
        out["dtype"] = str(value.dtype).replace("torch.", "")
        out.pop("at", None)
        flat = numpy.asarray(value).reshape(-1)
        n = flat.size
        if "all" not in out and n > options.largest:
            out.pop("full", None)
            step = max(1, n // options.samples)
            out["samples"] = options.samples
            places = [min(n - 1, i * n // options.samples + (i * 7919) % step) for i in range(options.samples)]
            out["at"] = [bool(flat[p]) if flat.dtype == bool else record_images.number(flat[p]) for p in places]
        elif "all" not in out:
            out["full"] = [bool(v) if flat.dtype == bool else record_images.number(v) for v in flat]
        return out
    if isinstance(value, list) and value and all(isinstance(part, torch.Tensor) and part.dim() == 0 for part in value):
        return [part.item() for part in value]
    if isinstance(value, (list, tuple)):
        return [described(part, options) for part in value]
    if isinstance(value, (dict, transformers.BatchFeature)) or hasattr(value, "items"):
        return {key: described(part, options) for key, part in value.items()}
    if isinstance(value, numpy.integer):
        return int(value)
    return value


def make_processor(case):
    """OneFormer's constructor would look for class_info_file in a repository."""
    settings = dict(case["settings"])
    later = {key: settings.pop(key) for key in ("class_info_file", "metadata") if key in settings}
    processor = record_images.find_class(case["class"])(**settings)
    for key, value in later.items():
        setattr(processor, key, value)
    return processor


MEMBERS = {  # of answers that are tuples
    "generate_crop_boxes": ["crop_boxes", "points", "cropped_images", "input_labels"],
    "filter_masks": ["masks", "scores", "boxes"],
    "post_process_for_mask_generation": ["masks", "scores", "rle_masks", "boxes"],
}


SCORED = {"post_process_text_recognition": "score", "post_process_table_recognition": "structure_score"}  # by one number


def as_items(method, result):
    """An answer as a list of dicts. Run lengths are [height, width, *lengths]."""
    if method in MEMBERS:
        result = [dict(zip(MEMBERS[method], result))]
    if isinstance(result, dict):  # of the one image
        result = [result]
    for item in result if method in SCORED else []:
        item[SCORED[method]] = torch.tensor(item[SCORED[method]])
    for item in result if method in MEMBERS else []:
        for key in ("masks", "rle_masks"):
            if key in item and item[key] and isinstance(item[key][0], dict):
                item[key] = [[*runs["size"], *runs["counts"]] for runs in item[key]]
    return result


def answer(case, options):
    try:
        processor = make_processor(case)
        method = getattr(processor, case["method"])
        kwargs = {key: made(value) for key, value in case["kwargs"].items()}
        for key in ("target_sizes", "source_sizes"):
            if isinstance(kwargs.get(key), list) and case["method"] == "post_process_image_guided_detection":
                kwargs[key] = torch.tensor(kwargs[key])
        if "outputs_flipped" in kwargs:
            kwargs["outputs_flipped"] = Outputs(vars(kwargs["outputs_flipped"]))
        if case.get("inputs"):
            arguments = {key: made(value) for key, value in case["inputs"].items()}
            if "all_masks" in arguments:
                arguments["all_masks"] = [{"size": runs[:2], "counts": runs[2:]} for runs in arguments["all_masks"]]
                arguments["all_boxes"] = torch.tensor(arguments["all_boxes"])
            result = method(**arguments, **kwargs)
        else:
            if case["class"].startswith("PPOCR") and "target_sizes" in kwargs:
                kwargs["target_sizes"] = torch.tensor(kwargs["target_sizes"])
            result = method(Outputs({key: made(value) for key, value in case["outputs"].items()}), **kwargs)
        return {"result": described(as_items(case["method"], result), options)}
    except (ValueError, RuntimeError, TypeError, IndexError, ZeroDivisionError) as error:
        return {"error": f"{type(error).__name__}: {error}"[:160]}


# --- cases ---


class Maker:
    def __init__(self, seed):
        self.seed = seed
        self.cases = []

    def numbers(self, name, shape, low, high, then=None):
        recipe = {"prng": f"{self.seed}.{name}", "shape": shape, "lo": low, "hi": high}
        return {**recipe, "then": then} if then else recipe

    def add(self, names, method, outputs, *calls, settings=None, inputs=None):
        if not method.startswith(("filter_", "generate_")):
            method = f"post_process_{method}"
        for name, kwargs in itertools.product(names.split(), calls):
            given = {"inputs": inputs} if inputs else {"outputs": outputs}
            self.cases.append({"class": name + ("" if "ImageProcessor" in name else "ImageProcessor"), "settings": settings or {},
                               "method": method, **given, "kwargs": kwargs})


def add_boxes(m):
    outputs = {"logits": m.numbers("logits", [2, 9, 5], -4, 3), "pred_boxes": m.numbers("boxes", [2, 9, 4], 0.05, 0.9)}
    calls = [{"threshold": 0.4, "target_sizes": SIZES}, {"threshold": 0.6}]
    m.add("Detr Yolos DetrImageProcessorPil GroundingDino OwlViT Owlv2 Owlv2ImageProcessorPil", "object_detection", outputs, *calls)
    m.add("ConditionalDetr DeformableDetr RfDetr", "object_detection", outputs, *calls, {"threshold": 0.1, "top_k": 7})
    m.add("RTDetr", "object_detection", outputs, *calls, {"threshold": 0.5, "use_focal_loss": False})
    m.add("Detr RTDetr", "object_detection", outputs, {"target_sizes": [[4, 5]]})
    guided = {"logits": m.numbers("guided", [2, 14, 2], -4, 4), "target_pred_boxes": m.numbers("places", [2, 14, 4], 0.3, 0.6)}
    m.add("OwlViT Owlv2", "image_guided_detection", guided, {"threshold": 0.1, "target_sizes": SIZES}, {"nms_threshold": 1.0})
    order = {**outputs, "order_logits": m.numbers("order", [2, 9, 9], -5, 5)}
    m.add("PPDocLayoutV2", "object_detection", order, {"threshold": 0.5, "target_sizes": SIZES}, {"threshold": 0.9})
    sam = {"pred_logits": m.numbers("concept", [2, 6], -3, 3), "pred_boxes": outputs["pred_boxes"] | {"shape": [2, 6, 4]},
           "pred_masks": m.numbers("concept masks", [2, 6, 4, 5], -4, 4, "smooth"), "presence_logits": m.numbers("presence", [2, 1], 0, 2)}
    m.add("Sam3", "object_detection", sam, {"threshold": 0.3}, {"target_sizes": SIZES})
    m.add("Sam3", "object_detection", {**sam, "presence_logits": None}, {"threshold": 0.4})
    m.add("Sam3", "instance_segmentation", sam, {"target_sizes": SIZES}, {"threshold": 0.2, "mask_threshold": 0.6}, {"threshold": 0.99})


def add_segments(m):
    plain = {"logits": m.numbers("semantic", [2, 4, 9, 7], -3, 3)}
    calls = [{"target_sizes": SIZES}, {}]
    m.add("Segformer Beit DPT CHMv2 MobileNetV2ImageProcessorPil", "semantic_segmentation", plain, *calls)
    m.add("MobileViT Sapiens2", "semantic_segmentation", plain, {"return_segmentation_scores": True, "target_sizes": [[9, 12], [8, 8]]})
    m.add("Tipsv2Dpt", "semantic_segmentation", {"segmentation_logits": plain["logits"]}, *calls)
    m.add("Segformer", "semantic_segmentation", plain, {"target_sizes": [[4, 5]]})
    m.add("Sam3", "semantic_segmentation", {"semantic_seg": m.numbers("binary", [2, 1, 9, 8], -3, 3)}, {"target_sizes": SIZES},
          {"threshold": 0.7}, {"return_segmentation_scores": True})
    classes = m.numbers("classes", [2, 7, 5], -5, 6)
    masks = m.numbers("masks", [2, 7, 5, 6], -6, 6, "smooth")
    detr = {"logits": classes, "pred_boxes": m.numbers("boxes", [2, 7, 4], 0, 1), "pred_masks": masks}
    former = {"class_queries_logits": classes, "masks_queries_logits": masks}
    instance = [{"threshold": 0.3, "overlap_mask_area_threshold": 0.1, "target_sizes": SIZES},
                {"threshold": 0.3, "mask_threshold": 0.4, "overlap_mask_area_threshold": 0.2},
                {"threshold": 0.3, "overlap_mask_area_threshold": 0.05, "return_coco_annotation": True}, {"threshold": 0.9999}]
    panoptic = [{"threshold": 0.3, "overlap_mask_area_threshold": 0.1, "label_ids_to_fuse": [1, 2], "target_sizes": SIZES},
                {"threshold": 0.4, "overlap_mask_area_threshold": 0.2}, {"threshold": 0.9999, "target_sizes": SIZES}]
    m.add("Detr ConditionalDetr DetrImageProcessorPil", "semantic_segmentation", detr, *calls)
    m.add("Detr ConditionalDetr", "instance_segmentation", detr, *instance)
    m.add("Detr ConditionalDetr", "panoptic_segmentation", detr, *panoptic)
    m.add("MaskFormer Mask2Former OneFormer OneFormerImageProcessorPil", "semantic_segmentation", former, *calls)
    m.add("MaskFormer Mask2Former OneFormer OneFormerImageProcessorPil", "panoptic_segmentation", former, *panoptic)
    painted = [{"threshold": 0.2, "target_sizes": SIZES}, {"threshold": 0.4}, {"threshold": 0.3, "return_coco_annotation": True},
               {"threshold": 0.3, "return_binary_maps": True, "target_sizes": [[12, 9], [5, 5]]}, {"threshold": 2.0, "return_binary_maps": True}]
    m.add("MaskFormer", "instance_segmentation", former, *painted)
    m.add("Mask2Former", "instance_segmentation", former, *painted[:2], *painted[3:])
    m.add("MaskFormer", "instance_segmentation", former, {"return_coco_annotation": True, "return_binary_maps": True})
    many = {"class_queries_logits": m.numbers("many classes", [1, 40, 21], -5, 7),
            "masks_queries_logits": m.numbers("many masks", [1, 40, 3, 4], -6, 6, "smooth")}
    m.add("MaskFormer", "instance_segmentation", many, {"threshold": 0.4})  # the order of torch.topk without sorting
    ade = {"class_info_file": "ade20k_panoptic.json", "metadata": {"thing_ids": [0, 2, 3, 5, 8, 13]}}
    m.add("OneFormer", "instance_segmentation", many, {"threshold": 0.3, "overlap_mask_area_threshold": 0.05}, settings=ade)
    m.add("OneFormer", "instance_segmentation", former, {"threshold": 0.1, "overlap_mask_area_threshold": 0.1, "target_sizes": SIZES},
          {"threshold": 0.1, "overlap_mask_area_threshold": 0.1, "return_coco_annotation": True}, {"threshold": 1.5},
          {"threshold": 0.1, "overlap_mask_area_threshold": 0.1, "task_type": "panoptic"},
          {"overlap_mask_area_threshold": 0.1, "task_type": "panoptic", "is_demo": False}, {"is_demo": False}, settings=ade)
    things = {"class_info_file": "ade20k_panoptic.json", "metadata": {"thing_ids": [3, 1, 0, 2]}}
    m.add("OneFormer", "instance_segmentation", former, {"overlap_mask_area_threshold": 0.1, "is_demo": False}, settings=things)
    m.add("RfDetr", "instance_segmentation", detr, {"threshold": 0.3, "target_sizes": SIZES}, {"threshold": 0.7, "mask_threshold": 2.0},
          {"threshold": 0.6, "return_coco_annotation": True}, {"threshold": 0.8, "return_binary_maps": True}, {"threshold": 1.5, "top_k": 3})
    size = {"size": {"shortest_edge": 24, "longest_edge": 40}}
    eomt = {**former, "patch_offsets": None}
    m.add("Eomt", "instance_segmentation", eomt, {"threshold": 0.3, "target_sizes": SIZES}, {"threshold": 0.2, "target_sizes": TALL}, settings=size)
    m.add("Eomt EomtImageProcessorPil", "panoptic_segmentation", eomt,
          {"threshold": 0.3, "overlap_mask_area_threshold": 0.1, "stuff_classes": [1, 2], "target_sizes": SIZES},
          {"threshold": 0.4, "overlap_mask_area_threshold": 0.1, "target_sizes": SIZES}, {"threshold": 0.9999, "target_sizes": SIZES}, settings=size)
    m.add("Eomt", "semantic_segmentation", eomt, {"target_sizes": SIZES}, settings=size)
    square = {"size": {"shortest_edge": 24, "longest_edge": None}}
    m.add("Eomt", "semantic_segmentation", {**former, "patch_offsets": [[0, 0, 24], [0, 8, 32]]}, {"target_sizes": [[30, 40]]}, settings=square)
    m.add("Eomt", "semantic_segmentation", {**former, "patch_offsets": [[0, 0, 24], [0, 12, 36]]}, {"target_sizes": [[45, 30]]}, settings=square)


def add_maps(m):
    depth = {"predicted_depth": m.numbers("depth", [2, 9, 11], 0.2, 9)}
    m.add("DPT PromptDepthAnything GLPN CHMv2 Tipsv2Dpt GLPNImageProcessorPil", "depth_estimation", depth, {"target_sizes": SIZES},
          {"target_sizes": [[1, 5], [7, 1]]})
    m.add("DPT", "depth_estimation", depth, {}, {"target_sizes": [[4, 5]]})
    m.add("ZoeDepth ZoeDepthImageProcessorPil", "depth_estimation", depth, {"source_sizes": TALL, "target_sizes": SIZES}, {"source_sizes": SIZES},
          {"source_sizes": SIZES, "outputs_flipped": {"predicted_depth": m.numbers("mirrored", [2, 9, 11], 0.2, 9)}},
          {"do_remove_padding": False}, {"target_sizes": SIZES})
    depth = {"predicted_depth": m.numbers("inverse depth", [2, 9, 11], 3, 9)}  # far from 0, of which it is the inverse
    view = {**depth, "field_of_view": m.numbers("view", [2], 20, 70)}
    m.add("DepthPro", "depth_estimation", view, {"target_sizes": SIZES}, {})
    m.add("DepthPro", "depth_estimation", {**depth, "field_of_view": None}, {"target_sizes": SIZES}, settings={"resample": 3})
    m.add("DepthPro", "depth_estimation", view, {"target_sizes": SIZES}, settings={"resample": 0})
    normals = {"normals": m.numbers("normals", [2, 3, 12, 10], -1, 1)}
    m.add("Tipsv2Dpt", "normal_estimation", normals, {}, {"target_sizes": [[9, 8], [8, 9]]})
    framed = {"size": {"height": 12, "width": 10}}
    calls = [{}, {"source_sizes": SIZES}, {"source_sizes": TALL, "target_sizes": [[9, 8], [8, 9]]}, {"target_sizes": [[6, 6], [6, 6]]},
             {"source_sizes": [[40, 56]]}]
    m.add("Sapiens2", "normal_estimation", normals, *calls, settings=framed)
    points = {"pointmaps": m.numbers("points", [2, 3, 12, 10], -2, 5), "scales": m.numbers("scales", [2, 1], 0.5, 3)}
    m.add("Sapiens2", "pointmap_estimation", points, *calls[:3], settings=framed)
    m.add("Sapiens2", "pointmap_estimation", {**points, "scales": None}, {}, settings=framed)
    m.add("UVDoc", "document_rectification", None, {"original_images": [m.numbers("page", [3, 14, 11], 0, 1)]}, {
        "original_images": [m.numbers("page", [3, 14, 11], 0, 1)], "scale": 200.0},
        inputs={"prediction": m.numbers("mesh", [1, 2, 5, 4], -1.1, 1.1)})
    masks = {"masks": [m.numbers("sam 0", [2, 3, 8, 8], -4, 4), m.numbers("sam 1", [1, 3, 8, 8], -4, 4)]}
    m.add("Sam SamImageProcessorPil", "masks", None, {"original_sizes": SIZES, "reshaped_input_sizes": [[24, 32], [17, 32]],
          "pad_size": {"height": 32, "width": 32}}, {"original_sizes": [[9, 7], [5, 5]], "reshaped_input_sizes": [[32, 20], [32, 32]],
          "pad_size": {"height": 32, "width": 32}, "binarize": False}, inputs=masks)
    m.add("Sam2 Sam3", "masks", None, {"original_sizes": SIZES, "mask_threshold": 0.5}, {"original_sizes": [[9, 7], [5, 5]], "binarize": False,
          "apply_non_overlapping_constraints": True}, inputs=masks)


def add_keypoints(m):
    # Few peaks on a flat ground: of other maps the Hessian is often mostly rounding of single precision.
    pose = {"heatmaps": m.numbers("pose", [3, 4, 16, 12], -120, 2, "sigmoid")}
    boxes = [[[5.0, 6.0, 40.0, 60.0], [10.0, 3.0, 20.0, 30.0]], [[1.0, 0.5, 12.0, 48.0]]]
    size = {"size": {"height": 64, "width": 48}}
    m.add("VitPose VitPoseImageProcessorPil", "pose_estimation", pose, {"boxes": boxes}, {"boxes": boxes, "kernel_size": 5, "threshold": 0.7},
          {"boxes": [[[0.1, 0.2, 0.5, 0.4]], [[0.3, 0.3, 0.3, 0.6], [0.0, 0.1, 0.9, 0.2]]], "target_sizes": [[50, 40], [30, 60], [64, 64]]},
          settings=size)
    flipped = {"heatmaps": m.numbers("flipped", [3, 4, 16, 12], -120, 2, "sigmoid")}
    m.add("Sapiens2", "pose_estimation", pose, {"boxes": boxes, "threshold": 0.7}, {"boxes": boxes, "outputs_flipped": flipped, "kernel_size": 5},
          {"boxes": boxes, "source_sizes": SIZES, "target_sizes": TALL, "kernel_size": 7}, {"boxes": boxes, "kernel_size": 4},
          {"boxes": boxes, "target_sizes": TALL}, settings=size)
    points = {"mask": m.numbers("mask", [2, 9], 0, 2, "positive"), "keypoints": m.numbers("points", [2, 9, 2], 0, 1),
              "scores": m.numbers("scores", [2, 9], 0, 1), "descriptors": m.numbers("descriptors", [2, 9, 6], -1, 1)}
    m.add("SuperPoint SuperPointImageProcessorPil", "keypoint_detection", points, {"target_sizes": SIZES})
    pairs = {"mask": m.numbers("masks", [2, 2, 9], 0, 4, "positive"), "keypoints": m.numbers("pairs", [2, 2, 9, 2], 0, 1),
             "matches": m.numbers("matches", [2, 2, 9], -2, 8, "int"), "matching_scores": m.numbers("match scores", [2, 2, 9], 0, 1)}
    sizes = [[SIZES[0], SIZES[1]], [TALL[0], SIZES[0]]]
    m.add("SuperGlue LightGlue EfficientLoFTR EfficientLoFTRImageProcessorPil", "keypoint_matching", pairs,
          {"target_sizes": sizes, "threshold": 0.3}, {"target_sizes": sizes[:1]})


def add_generation(m):
    image = {"image": m.numbers("image", [3, 30, 41], 0, 255)}
    m.add("Sam Sam2 Sam3", "generate_crop_boxes", None, {"target_size": 64, "points_per_crop": 4},
          {"target_size": 50, "points_per_crop": 3, "crop_n_layers": 2, "overlap_ratio": 0.25}, inputs=image)
    m.add("Sam SamImageProcessorPil", "generate_crop_boxes", None, {"target_size": 64, "crop_n_layers": 1, "points_per_crop": 1},
          {"target_size": 64, "crop_n_layers": 1, "crop_n_points_downscale_factor": 2}, {"target_size": 64, "points_per_crop": 0},
          inputs=image)
    m.add("Sam", "generate_crop_boxes", None, {"target_size": 64, "crop_n_layers": 3}, inputs={"image": m.numbers("dot", [1, 3, 3], 0, 1)})
    # Steep, so that their stability is high.
    masks = {"masks": m.numbers("many masks", [5, 3, 9, 12], -60, 40, "smooth"), "iou_scores": m.numbers("iou", [5, 3], 0.7, 1)}
    whole = {"original_size": [36, 48], "cropped_box_image": [0, 0, 48, 36], "stability_score_thresh": 0.3}
    parts = [{"original_size": [90, 130], "cropped_box_image": [30.0, 25.0, 78.0, 61.0], "stability_score_thresh": 0.3, "mask_threshold": 1.4},
             {"original_size": [36, 100], "cropped_box_image": [52, 0, 100, 36], "pred_iou_thresh": 0, "stability_score_thresh": 0.75},
             {"original_size": [30, 40], "cropped_box_image": [-3, -2, 45, 34], "stability_score_thresh": 0, "stability_score_offset": 0.2},
             {"original_size": [36, 48], "cropped_box_image": [0, 0, 48, 36], "pred_iou_thresh": 2.0},
             {"original_size": [10, 10], "cropped_box_image": [0, 0, 90, 90]}]
    m.add("Sam Sam2 Sam3 SamImageProcessorPil", "filter_masks", None, whole, *parts[:2], inputs=masks)
    m.add("Sam", "filter_masks", None, {**whole, "mask_threshold": 9, "stability_score_thresh": 0}, {**whole, "mask_threshold": -9},
          *parts[2:], inputs=masks)
    # No, one or few pixels, some of them far from every border.
    spots = {"masks": m.numbers("spots", [8, 3, 56, 64], -20000, 10), "iou_scores": m.numbers("spot iou", [8, 3], 0.7, 1)}
    m.add("Sam SamImageProcessorPil", "filter_masks", None, {"original_size": [90, 130], "cropped_box_image": [30.0, 25.0, 94.0, 81.0],
          "stability_score_thresh": 0.5, "pred_iou_thresh": 0.75}, {"original_size": [56, 130], "cropped_box_image": [66, 0, 130, 56],
          "stability_score_thresh": 0.5, "pred_iou_thresh": 0, "mask_threshold": 1.5}, inputs=spots)
    m.add("Sam", "filter_masks", None, whole, inputs={**masks, "iou_scores": m.numbers("iou", [4, 3], 0.7, 1)})
    filtered = make_processor({"class": "SamImageProcessor", "settings": {}}).filter_masks(
        **{key: seeded(value) for key, value in masks.items()}, **whole, pred_iou_thresh=0)
    filtered = as_items("filter_masks", filtered)[0]
    count = len(filtered["masks"])
    all_of_it = {"all_masks": filtered["masks"], "all_scores": m.numbers("all scores", [count], 0, 1), "all_boxes": filtered["boxes"].tolist()}
    m.add("Sam Sam2 Sam3 SamImageProcessorPil", "for_mask_generation", None, {"crops_nms_thresh": 0.7}, inputs=all_of_it)
    m.add("Sam", "for_mask_generation", None, {"crops_nms_thresh": 0.95}, inputs=all_of_it)


def add_text(m):
    letters = ["blank", "a", "ß", "漢", " ", "e\u0301", "Z"]
    lines = {"last_hidden_state": m.numbers("lines", [3, 12, 7], 0, 1)}
    for names, characters in (("PPOCRV5ServerRec PPOCRV6SmallRec", letters), ("PPOCRV5ServerRec", "-aß漢 öZ"), ("PPOCRV5ServerRec", letters[:3])):
        m.add(names, "text_recognition", lines, {}, settings={"character_list": characters})
    m.add("PPOCRV5ServerRec", "text_recognition", {"last_hidden_state": m.numbers("blank", [1, 2, 1], 0, 1)}, {}, settings={"character_list": letters})
    tables = {"last_hidden_state": m.numbers("table", [2, 40, 50], 0, 1)}
    m.add("SLANeXt", "table_recognition", tables, {})
    m.add("SLANeXt", "table_recognition", {"last_hidden_state": m.numbers("large table", [1, 300, 50], 0, 1)}, {})
    m.add("SLANeXt", "table_recognition", {"last_hidden_state": m.numbers("unknown", [1, 30, 80], 0, 1)}, {})
    m.add("SLANeXt", "table_recognition", {"last_hidden_state": m.numbers("start", [1, 3, 1], 0, 1)}, {})


def add_pictures(m):
    painted = {"pred_masks": m.numbers("painted", [2, 3, 17, 9], -3, 3)}
    m.add("SegGpt SegGptImageProcessorPil", "semantic_segmentation", painted, {}, {"num_labels": 9, "target_sizes": SIZES},
          {"num_labels": 7, "return_segmentation_scores": True})
    m.add("SegGpt", "semantic_segmentation", painted, {"return_segmentation_scores": True, "target_sizes": [[5, 4], [12, 20]]},
          {"num_labels": 0}, {"num_labels": 27}, {"num_labels": -1}, {"target_sizes": SIZES[:1]})
    matte = {"foregrounds": m.numbers("foreground", [2, 3, 12, 10], -0.1, 1.1), "alphas": m.numbers("alpha", [2, 1, 12, 10], -0.1, 1.1)}
    grounds = [m.numbers("ground", [3, 12, 10], 0, 1), m.numbers("ground 1", [3, 9, 14], 0, 1)]
    m.add("Sapiens2", "image_matting", matte, {}, {"target_sizes": SIZES}, {"target_sizes": [[9, 8], [9, 8]], "backgrounds": grounds[1:]},
          {"backgrounds": grounds}, {"backgrounds": grounds[:1], "target_sizes": TALL}, {"backgrounds": grounds + grounds[:1]}, {"target_sizes": TALL[:1]})
    m.add("Sapiens2", "image_matting", {**matte, "alphas": m.numbers("alpha", [2, 1, 12, 9], 0, 1)}, {})
    for number, spread in enumerate((0.05, 0.6, 3.0)):  # of trees, and of graphs with more and more circles
        quads = {"logits": m.numbers(f"quads {number}", [2, 14, 3], -3, 3), "pred_boxes": m.numbers("corners", [2, 14, 10], 0.2, 0.8),
                 "relative_order_logits": m.numbers(f"relative {number}", [2, 14, 14], -4, 4),
                 "successor_order_logits": m.numbers(f"successor {number}", [2, 14, 14], -3, spread)}
        m.add("PPDocLayoutV4", "object_detection", quads, {"target_sizes": SIZES}, {"target_sizes": SIZES, "threshold": 0.8})
    m.add("PPDocLayoutV4", "object_detection", quads, {"target_sizes": SIZES, "threshold": 0.95}, {"target_sizes": SIZES, "threshold": 1.0}, {},
          {"target_sizes": SIZES[:1]})
    m.add("PPDocLayoutV4", "object_detection", {**quads, "pred_boxes": m.numbers("corners", [2, 14, 4], 0.2, 0.8)}, {"target_sizes": SIZES})


def add_contours(m):
    # Blobs, pixels on their own, nothing, everything, many small parts with holes.
    maps = (("blobs", [2, 1, 16, 14], -0.6, 1.3, "smooth"), ("pixels", [1, 1, 40, 56], -9, 1, None), ("none", [1, 1, 9, 7], 0, 0.3, None),
            ("all", [1, 1, 9, 30], 0.31, 1, None), ("holes", [1, 1, 34, 50], -0.4, 1, None), ("page", [1, 2, 40, 44], -1.5, 1.2, "smooth"))
    for name, shape, low, high, then in maps:
        regions = {"last_hidden_state": m.numbers(f"text {name}", shape, low, high, then)}
        sizes = [[90, 131], [33, 61]][: shape[0]]
        m.add("PPOCRV5ServerDet", "object_detection", regions, {"target_sizes": sizes},
              {"target_sizes": sizes, "threshold": 0.4, "box_threshold": 0.2, "min_size": 1, "unclip_ratio": 2.5})
    m.add("PPOCRV5ServerDet", "object_detection", regions, {"target_sizes": [[4000, 40000]], "max_candidates": 9, "box_threshold": 0.3}, {},
          {"target_sizes": sizes, "threshold": 0.1, "box_threshold": 0.1}, {"target_sizes": sizes, "min_size": 0, "box_threshold": 0})
    size = {"size": {"height": 96, "width": 128}}
    for name, low, high, grid in (("blobs", -5, 5, [6, 8]), ("thin", -9, 3, [6, 8]), ("fine", -5, 6, [24, 32])):
        parts = {"logits": m.numbers(f"parts {name}", [2, 9, 3], -3, 3), "pred_boxes": m.numbers("part boxes", [2, 9, 4], 0.1, 0.8),
                 "order_logits": m.numbers("part order", [2, 9, 9], -5, 5),
                 "out_masks": m.numbers(f"part masks {name}", [2, 9, *grid], low, high, None if name == "fine" else "smooth")}
        m.add("PPDocLayoutV3", "object_detection", parts, {"target_sizes": [[90, 131], [400, 610]]},
              {"target_sizes": SIZES, "threshold": 0.7}, settings=size)
    m.add("PPDocLayoutV3", "object_detection", parts, {"target_sizes": SIZES, "threshold": 0.99}, {}, {"target_sizes": SIZES[:1]})
    grains = {**parts, "out_masks": m.numbers("part masks grains", [2, 9, 96, 128], -3000, 10)}  # lost in smaller boxes
    m.add("PPDocLayoutV3", "object_detection", grains, {"target_sizes": SIZES}, settings={"size": {"height": 384, "width": 512}})
    tiny = {**parts, "pred_boxes": m.numbers("tiny boxes", [2, 9, 4], -0.02, 0.03)}
    m.add("PPDocLayoutV3", "object_detection", tiny, {"target_sizes": [[300, 40], [56, 60]]}, settings=size)


# --- boxes ---


def box_group(seed, count, threshold, options):
    """As tests/unit/media/data/README.md says of boxes.json."""
    def numbers(name, shape, low, high):
        return seeded({"prng": f"{seed}.{name}{count}", "shape": shape, "lo": low, "hi": high})

    centers, scores = numbers("box", [count, 4], 0.1, 0.5), numbers("score", [count], 0, 1)
    labels = numbers("label", [count], 0, 3).floor().long()
    corners = image_transforms.center_to_corners_format(centers)
    ops = torchvision.ops
    return {
        "n": count,
        "iou_threshold": threshold,
        "boxes_center": f"prng {seed}.box{count} (n,4) 0.1..0.5",
        "scores": f"prng {seed}.score{count} 0..1",
        "labels": f"floor(prng {seed}.label{count} 0..3)",
        "corners": described(corners, options),
        "back": described(image_transforms.corners_to_center_format(corners), options),
        "nms": ops.nms(corners, scores, threshold).tolist(),
        "batched_nms": ops.batched_nms(corners, scores, labels, threshold).tolist(),
        "iou": described(ops.box_iou(corners, corners), options),
        "giou": described(ops.generalized_box_iou(corners, corners), options),
    }


def write(path, rows):
    text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"[{text}]\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--seed", default="post")
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--largest", type=int, default=1024)
    parser.add_argument("--only")
    options = parser.parse_args()
    torch.set_num_threads(1)
    maker = Maker(options.seed)
    parts = (add_boxes, add_segments, add_maps, add_keypoints, add_generation, add_text, add_pictures, add_contours)
    for add in [part for part in parts if options.only in (None, part.__name__[len("add_"):])]:
        add(maker)
    write(f"{options.folder}/post_processing.json", [{**case, **answer(case, options)} for case in maker.cases])
    if not options.only:
        write(f"{options.folder}/boxes.json", [box_group(options.seed, n, t, options) for n, t in ((12, 0.3), (30, 0.2))])
    print(f"{len(maker.cases)} cases")


if __name__ == "__main__":
    main()
