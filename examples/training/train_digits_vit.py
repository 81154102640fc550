"""Train examples/models/digits-vit: a small ViTForImageClassification on scikit-learn's handwritten digits.

python train_digits_vit.py --output DIR                   # training, evaluation
python train_digits_vit.py --output DIR --evaluate-only   # the metrics of the model card
python train_digits_vit.py --output DIR --samples DATA    # held-out digits as image files
python train_digits_vit.py --output DIR --expected DATA   # DIR/expected.json, from the images in DATA
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil, pipeline

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

IMAGE_SIZE, PATCH_SIZE = 32, 4
HELD_OUT = 360  # the last digits of the data set in its own order, in which a writer's digits stand together
BATCH_SIZE = 32
# label: (file, side in pixels, drawn on paper and photographed)
SAMPLES = {
    0: ("digit-0.png", 32, False),
    3: ("digit-3.png", 64, False),
    5: ("digit-5.png", 100, False),
    7: ("digit-7.png", 224, False),
    4: ("photo-4.jpg", 96, True),
}


def read_digits():
    """8x8 images as [N, 8, 8] in 0 (no ink) to 1, and labels: training, held out."""
    digits = load_digits()
    images, labels = digits.images / 16.0, digits.target
    return (images[:-HELD_OUT], labels[:-HELD_OUT]), (images[-HELD_OUT:], labels[-HELD_OUT:])


def enlarge(ink, side, filter_=Image.Resampling.BICUBIC):
    """[8, 8] ink in 0..1, with a margin of one pixel, as a [side, side] array in 0..1."""
    image = Image.fromarray(np.round(np.pad(ink, 1) * 255).astype(np.uint8), "L")
    return np.asarray(image.resize((side, side), filter_), dtype=np.float64) / 255


def plain(ink, side):
    """White ink on black, grey: what scikit-learn shows."""
    return Image.fromarray(np.round(enlarge(ink, side) * 255).astype(np.uint8), "L")


def gradient(rng, side, colour, strength):
    """[side, side, 3]: a colour that grows lighter or darker along a random direction."""
    y, x = np.mgrid[-0.5 : 0.5 : side * 1j, -0.5 : 0.5 : side * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * x + np.sin(angle) * y
    return colour + strength * slope[:, :, None] * rng.uniform(0.6, 1.0, 3)


def paint(rng, ink, background, colour, noise):
    """Ink of one colour over a background, both [side, side(, 3)], with sensor noise, as an RGB image."""
    picture = background * (1 - ink[:, :, None]) + colour * ink[:, :, None]
    picture = picture + rng.normal(0, noise, picture.shape)
    return Image.fromarray(np.clip(np.round(picture), 0, 255).astype(np.uint8), "RGB")


def photo(rng, ink, side):
    """Dark ink on unevenly lit paper, slightly out of focus, with noise."""
    paper = gradient(rng, side, rng.uniform(170, 215) + rng.uniform(-15, 15, 3), rng.uniform(40, 80))
    picture = paint(rng, enlarge(ink, side), paper, rng.uniform(20, 80, 3), rng.uniform(4, 10))
    return picture.filter(ImageFilter.GaussianBlur(0.7))


def deform(rng, ink):
    """A slightly turned, slanted, scaled and shifted copy of an enlarged digit."""
    angle, shear = rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2)
    zoom = rng.uniform(0.8, 1.2, 2)
    shift = rng.uniform(-0.08, 0.08, 2) * ink.shape[0]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[1, shear], [0, 1]]) @ np.diag(zoom)
    centre = (ink.shape[0] - 1) / 2
    offset = np.array([centre, centre]) + shift - matrix @ np.array([centre, centre])
    image = Image.fromarray(np.round(ink * 255).astype(np.uint8), "L")
    coefficients = (*matrix[0], offset[0], *matrix[1], offset[1])
    moved = image.transform(image.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
    return np.asarray(moved, dtype=np.float64) / 255


def augmented(rng, ink):
    """A picture of any size: a third white on black, the rest coloured, on a gradient, with noise."""
    side = int(rng.choice([24, 32, 48, 64, 96]))
    shape = enlarge(ink, side, rng.choice([Image.Resampling.BILINEAR, Image.Resampling.BICUBIC]))
    shape = deform(rng, shape)
    if rng.random() < 0.33:
        return Image.fromarray(np.round(shape * 255).astype(np.uint8), "L").convert("RGB")
    dark, light = rng.uniform(0, 80, 3), rng.uniform(160, 255, 3)
    colour, background = (dark, light) if rng.random() < 0.7 else (light, dark)
    picture = paint(
        rng, shape, gradient(rng, side, background, rng.uniform(0, 70)), colour, rng.uniform(0, 12)
    )
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.02 * side)))


def processor():
    return ViTImageProcessorPil(
        do_resize=True,
        size={"height": IMAGE_SIZE, "width": IMAGE_SIZE},
        resample=Image.Resampling.BILINEAR,
        do_rescale=True,
        rescale_factor=1 / 255,
        do_normalize=True,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
        do_convert_rgb=True,
    )


def build_model():
    names = [str(digit) for digit in range(10)]
    return ViTForImageClassification(
        ViTConfig(
            image_size=IMAGE_SIZE,
            patch_size=PATCH_SIZE,
            num_channels=3,
            hidden_size=96,
            num_hidden_layers=4,
            num_attention_heads=4,
            intermediate_size=192,
            hidden_act="gelu",
            initializer_range=0.06,  # with the default 0.02 so narrow a model learns far more slowly
            id2label=dict(enumerate(names)),
            label2id={name: i for i, name in enumerate(names)},
        )
    )


def train(model, steps, seed):
    (images, labels), _ = read_digits()
    rng, prepare_image = np.random.default_rng(seed), processor()
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.05), lr=1e-3, betas=(0.9, 0.98))
    schedule = cosine_schedule(optimizer, steps, warmup=100)
    progress = Progress(steps, 100)
    model.train()
    for step in range(steps):
        chosen = rng.integers(len(images), size=BATCH_SIZE)
        pictures = [augmented(rng, images[i]) for i in chosen]
        pixels = prepare_image(pictures, return_tensors="pt").pixel_values
        logits = model(pixel_values=pixels).logits
        loss = torch.nn.functional.cross_entropy(
            logits, torch.from_numpy(labels[chosen]), label_smoothing=0.05
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        progress.add(step, loss.item())
    model.eval()


def create(args):
    model = build_model()
    print(f"{model.num_parameters()} parameters")
    train(model, args.steps, args.seed)
    model.save_pretrained(args.output)
    processor().save_pretrained(args.output)


def classifier(directory):
    return pipeline(
        "image-classification",
        model=str(directory),
        image_processor=ViTImageProcessorPil.from_pretrained(directory),
    )


def accuracy(classify, files, labels):
    answers = [answer[0]["label"] for answer in classify([str(file) for file in files], top_k=1)]
    return sum(answer == str(label) for answer, label in zip(answers, labels, strict=True)) / len(files)


def evaluate(directory):
    """Accuracy on the held-out digits, written as image files that the pipeline reads, as a user would."""
    (train_images, train_labels), (images, labels) = read_digits()
    classify, rng = classifier(directory), np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        small = [Path(folder) / f"{i}-small.png" for i in range(len(images))]
        large = [Path(folder) / f"{i}-large.png" for i in range(len(images))]
        photos = [Path(folder) / f"{i}.jpg" for i in range(len(images))]
        for i, ink in enumerate(images):
            plain(ink, 32).save(small[i])
            plain(ink, 128).save(large[i])
            photo(rng, ink, 96).save(photos[i], quality=85)
        known, unknown = train_images.reshape(-1, 64), images.reshape(-1, 64)
        linear = LogisticRegression(max_iter=2000).fit(known, train_labels)
        vectors = SVC(gamma=0.25).fit(known, train_labels)
        report(
            f"held-out digits ({len(images)} files of each kind)",
            {
                "accuracy, 32x32 PNG": accuracy(classify, small, labels),
                "accuracy, 128x128 PNG": accuracy(classify, large, labels),
                "accuracy, photo-like 96x96 JPEG": accuracy(classify, photos, labels),
                "logistic regression on the 64 pixels": float(linear.score(unknown, labels)),
                "support vector machine on the 64 pixels": float(vectors.score(unknown, labels)),
                "always the commonest label": float(np.bincount(labels).max() / len(labels)),
            },
        )


def write_samples(directory):
    """The first held-out digit of each label in SAMPLES."""
    directory.mkdir(parents=True, exist_ok=True)
    _, (images, labels) = read_digits()
    for label, (name, side, photographed) in SAMPLES.items():
        ink = images[np.flatnonzero(labels == label)[0]]
        picture = photo(np.random.default_rng(label), ink, side) if photographed else plain(ink, side)
        picture.save(directory / name, **({"quality": 85} if photographed else {"optimize": True}))


def write_expected(directory, data):
    classify = classifier(directory)
    cases = [
        {"file": file.name, "label": file.stem.rsplit("-", 1)[1], "scores": classify(str(file), top_k=10)}
        for file in sorted(data.iterdir())
        if file.suffix in (".png", ".jpg")
    ]
    for case in cases:
        print(case["file"], case["scores"][:2])
        if case["scores"][0]["label"] != case["label"]:
            raise SystemExit(f"{case['file']}: {case['scores'][0]} is not {case['label']}")
    write_json(
        directory / "expected.json",
        {
            "task": "image-classification",
            "dtype": "float32",
            "image_processor": "ViTImageProcessorPil",
            "cases": cases,
        },
    )


def main():
    args = arguments(__doc__, {"seed": 1, "steps": 6000})
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
