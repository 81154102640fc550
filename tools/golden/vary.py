"""`golden.py variations`: cases of the same classes that no one has seen before.

An implementation that passes the golden files may still have learnt their sizes: square weights, two layers,
seven tokens. A variation keeps the class and what the case is about and changes everything else that may
change.
"""

import copy
import random
from pathlib import Path

import numpy as np

import compare
import make
from case import Case, read, write
from detection_sizes import detection_input
from documents_sizes import documents_input
from image_text_sizes import image_text_input
from keypoints_sizes import keypoints_input
from pyramid_sizes import image_sides
from relatives_sizes import RELATIVES
from segments_sizes import segment_input
from series_sizes import series_input
from sizes import SIZES
from sound_sizes import convolutions, frames_range, sound_input
from speech_chat_sizes import speech_chat_input
from text_decoders_sizes import text_decoders_input
from vision_sizes import vision_input
from voices_sizes import voices_input

ATTEMPTS = 20
AMINO_ACIDS = 21  # and no other tokens, where proteins are folded
CODE_POINTS = 65536  # what ids are, where a configuration has no vocabulary: Unicode's first plane
# What makes the inputs of some kinds of models; None where an entry is none of theirs.
KINDS = (series_input, sound_input, speech_chat_input, vision_input, image_text_input, detection_input,
         text_decoders_input, voices_input, documents_input, segment_input, keypoints_input)
ENDED_TEXTS = ("clip_text_model", "metaclip_2_text_model", "clipseg_text_model", "groupvit_text_model")
LABELLED = (
    "SequenceClassification",
    "TokenClassification",
    "ImageClassification",
    "AudioClassification",
    "AudioFrameClassification",
    "ImageClassificationWithTeacher",
    "VideoClassification",
    "SemanticSegmentation",
    "ObjectDetection",
)


def vary_labels(config: dict, architecture: str, rng) -> None:
    """Another number of classes, for heads that may have any."""
    if architecture.endswith(LABELLED):
        names = [f"LABEL_{i}" for i in range(rng.randint(2, 6))]
        config["id2label"] = {str(i): name for i, name in enumerate(names)}
        config["label2id"] = {name: i for i, name in enumerate(names)}


def special_tokens(config: dict) -> set[int]:
    """Ids with a meaning, which random text should not contain."""
    found = [
        config.get(name)
        for name in ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")
    ]
    return {token for token in found if token is not None}


def configured_sides(config: dict) -> list[int]:
    """Height and width that a configuration has images of."""
    size = config["image_size"]
    return list(size) if isinstance(size, list) else [size, size]


class Inputs:
    """Other inputs for a varied configuration, of the kinds that the case had."""

    def __init__(self, case: Case, config: dict, rng):
        self.data, self.config, self.rng = case.data, config, rng
        self.text_config = config.get("text_config", config)
        self.rows = rng.choice([1, 2, 2, 3, 3])
        if all(entry["shape"][0] == 1 for entry in self.data["inputs"]):
            self.rows = 1  # the case has one row for a reason
        self.choices = [rng.randint(2, 4)] if case.data["architecture"].endswith("MultipleChoice") else []
        self.lengths: dict[str, np.ndarray] = {}  # of each row, by side: text, decoder, sound

    def all(self) -> list[dict]:
        return [
            {"name": entry["name"], "dtype": entry["dtype"], **self.one(entry)}
            for entry in self.data["inputs"]
        ]

    def one(self, entry: dict) -> dict:
        name = entry["name"]
        side = "decoder" if name.startswith("decoder_") else "sound" if self.has("input_values") else "text"
        side = "document" if name.startswith("context_") else side
        for kind in KINDS:
            if (special := kind(self, entry)) is not None:
                return special
        if name.startswith("entity_"):
            return {"values": self.entities(name)}
        if name == "global_attention_mask":
            return {"values": self.draw([0, 0, 1], self.mask("text").shape)}
        if name.endswith("attention_mask"):
            return {"values": self.mask(side).astype(int)}
        if name.split(".")[0] == "inputs" and entry["dtype"] == "F32":
            return {"shape": self.perceived_shape(entry), "lo": -1.0, "hi": 1.0}
        if name.startswith("subsampled_output_points."):
            return {"values": self.draw(range(self.points(name)), (self.rng.randint(2, 9),))}
        if name.endswith("input_ids") or name == "inputs":
            return {"values": self.tokens(side)}
        if name == "inputs_embeds":
            shape = [self.rows, self.width(side), self.config["hidden_size"]]
            return {"shape": shape, "lo": entry["lo"], "hi": entry["hi"]}
        if name == "doc_scores":
            return {"shape": [self.rows, self.config["n_docs"]], "lo": entry["lo"], "hi": entry["hi"]}
        if name == "vision_mask":
            return {"values": self.draw([False, True], (self.rows, self.width(side), 1))}
        if name == "token_type_ids" and "type_vocab_sizes" in self.config:
            return {"values": self.table_types()}
        if name == "token_type_ids":
            high = max(1, self.config.get("type_vocab_size", self.config.get("vocab_size")))
            return {"values": self.draw(range(high), self.row_lengths("text").shape + (self.width("text"),))}
        if name in ("input_shape_ids", "input_pronunciation_ids"):
            high = self.config[f"{name.split('_')[1]}_vocab_size"]
            return {"values": self.draw(range(high), self.row_lengths("text").shape + (self.width("text"),))}
        if name == "bbox":
            return {"values": self.boxes()}
        if name == "lengths":
            return {"values": self.row_lengths("text").reshape(self.rows, -1)[:, 0]}
        if name == "bool_masked_pos":
            return {"values": self.patch_mask(), "dtype": "BOOL"}
        if name == "noise":
            return {"shape": [self.rows, self.patches()], "lo": entry["lo"], "hi": entry["hi"]}
        if name == "pixel_values" and len(entry["shape"]) == 5:
            return {"shape": self.video_shape(), "lo": entry["lo"], "hi": entry["hi"]}
        shape = {
            "pixel_values": self.image_shape,
            "input_values": self.sound_shape,
            "input_features": self.feature_shape,
        }[name]()
        return {"shape": shape, "lo": entry["lo"], "hi": entry["hi"]}

    def has(self, name: str) -> bool:
        return any(entry["name"] == name for entry in self.data["inputs"])

    def draw(self, options, shape) -> np.ndarray:
        options = list(options)
        return np.array([self.rng.choice(options) for _ in range(int(np.prod(shape)))]).reshape(shape)

    def width(self, side: str) -> int:
        return int(self.row_lengths(side).max())

    def row_lengths(self, side: str) -> np.ndarray:
        """How many tokens (samples) each row has before its padding; one row at least has none."""
        if side == "decoder" and self.data["architecture"].endswith("SequenceClassification"):
            side = "text"  # the end of the given text is looked up in what the decoder made of it
        if side not in self.lengths:
            low, high = self.sound_range() if side == "sound" else (3, 16)
            longest = self.rng.randint((low + high) // 2, high)
            if self.has("lengths") and self.data["architecture"].endswith("ForQuestionAnswering"):
                low = longest  # the best places are asked for, and those at padding are all as good
            if self.config["model_type"] == "longt5":
                low = longest  # what padding attends to is lost in float32
            rows = self.rows * (self.config["n_docs"] if side == "document" else 1)
            lengths = self.draw(range(low, longest + 1), (rows, *self.choices))
            lengths.flat[self.rng.randrange(lengths.size)] = longest
            self.lengths[side] = lengths
        return self.lengths[side]

    def mask(self, side: str) -> np.ndarray:
        return np.arange(self.width(side)) < self.row_lengths(side)[..., None]

    def tokens(self, side: str) -> np.ndarray:
        """Random ids. Padding is marked by its own id where no text is continued; the text ends with its end
        token where the class looks for that."""
        config, mask = self.text_config, self.mask(side)
        if config.get("is_folding_model"):
            return self.draw(range(AMINO_ACIDS), mask.shape)
        ids = self.draw(set(range(config.get("vocab_size", CODE_POINTS))) - special_tokens(config), mask.shape)
        if (
            config.get("eos_token_id") is not None
            and side == "text"
            and (config["model_type"] in ENDED_TEXTS or config.get("is_encoder_decoder"))
        ):
            np.put_along_axis(ids, self.row_lengths(side)[..., None] - 1, config["eos_token_id"], axis=-1)
        if "question_token_id" in config:
            ids[:, 1] = ids[0, 2] = config["question_token_id"]  # a question in each row, two in the first
        if config.get("pad_token_id") is not None and "generate" not in self.data and self.rng.random() < 0.7:
            ids[~mask] = config["pad_token_id"]
        return ids

    def boxes(self) -> np.ndarray:
        """Left, top, right and bottom of each token's word, edges in order."""
        high = self.config["max_2d_position_embeddings"]
        edges = self.draw(range(high), (*self.row_lengths("text").shape, self.width("text"), 2, 2))
        return np.sort(edges, axis=-2).reshape(*edges.shape[:-2], 4)

    def table_types(self) -> np.ndarray:
        """Of every kind of token type; column and row are small, so that cells have several tokens."""
        shape = (*self.row_lengths("text").shape, self.width("text"))
        sizes = self.config["type_vocab_sizes"]
        return np.stack([self.draw(range(min(size, 4)), shape) for size in sizes], axis=-1)

    def entities(self, name: str) -> np.ndarray:
        """Three entities a row, each of up to four words."""
        shape = (*self.row_lengths("text").shape, 3)
        if name == "entity_ids":
            return self.draw(range(1, self.config["entity_vocab_size"]), shape)
        if name == "entity_token_type_ids":
            return self.draw(range(self.config["type_vocab_size"]), shape)
        if name == "entity_attention_mask":
            return np.concatenate([np.ones((*shape[:-1], 2), int), self.draw([0, 1], (*shape[:-1], 1))], axis=-1)
        if name == "entity_position_ids":
            places = self.draw(range(self.width("text")), (*shape, 4))
            return np.where(np.arange(4) < self.draw(range(1, 5), shape)[..., None], places, -1)
        return self.draw(range(self.width("text")), shape)

    def image_shape(self) -> list[int]:
        """Images of the size that a model with learned positions needs; of any size for convolutions."""
        config = self.config.get("vision_config", self.config)
        rows = self.rng.randint(1, 3) if self.has("input_ids") else self.rows
        if config["model_type"] in ("convnext", "resnet"):
            return [
                rows,
                config["num_channels"],
                self.rng.choice([32, 40, 48]),
                self.rng.choice([32, 40, 48]),
            ]
        return [rows, config["num_channels"], *image_sides(config, self.data["architecture"], self.rng)]

    def video_shape(self) -> list[int]:
        return [self.rows, self.config["num_frames"], self.config["num_channels"], *configured_sides(self.config)]

    def patches(self) -> int:
        """Of an image, or tubelets of a video."""
        c = self.config
        height, width = configured_sides(c)
        tubelets = c["num_frames"] // c["tubelet_size"] if "tubelet_size" in c else 1
        return tubelets * (height // c["patch_size"]) * (width // c["patch_size"])

    def patch_mask(self) -> np.ndarray:
        """As many patches of each row, at places of their own."""
        count = self.patches()
        masked = self.rng.randint(1, count - 1)
        places = [self.rng.sample(range(count), masked) for _ in range(self.rows)]
        return np.array([[i in row for i in range(count)] for row in places])

    def perceived_shape(self, entry: dict) -> list[int]:
        """Whatever Perceiver reads: a sequence of vectors, an image, pairs of frames; sound, video and a label."""
        c, kind = self.config, entry["name"].removeprefix("inputs").removeprefix(".")
        if kind:
            return [self.rows] + {
                "audio": [c["num_frames"] * c["audio_samples_per_frame"], 1],
                "image": [c["num_frames"], 3, c["image_size"], c["image_size"]],
                "label": [len(c["id2label"])],
            }[kind]
        if len(entry["shape"]) == 4:
            size = c["image_size"]
            return [self.rows, 3, size, size if "Learned" in self.data["architecture"] else size + 5]
        return [self.rows, self.width("text"), c["d_model"]] if len(entry["shape"]) == 3 else [
            self.rows, 2, 27, *c["train_size"]]

    def points(self, name: str) -> int:
        """How many points of sound or video Perceiver may be asked for."""
        c = self.config
        if name.endswith("image"):
            return int(np.prod(c["output_shape"][1:]))
        return c["num_frames"] * c["audio_samples_per_frame"] // c["samples_per_patch"]

    def sound_range(self) -> tuple[int, int]:
        """How many samples give as few and as many frames as a sound is to have after the convolutions."""
        ends = []
        for frames in frames_range(self.config):
            for kernel, stride in convolutions(self.config):
                frames = (frames - 1) * stride + kernel
            ends.append(frames)
        return ends[0], ends[1]

    def sound_shape(self) -> list[int]:
        """Samples, or the spectrogram of a model with learned positions."""
        if "max_length" in self.config:
            return [self.rows, self.config["max_length"], self.config["num_mel_bins"]]
        return [self.rows, self.width("sound")]

    def feature_shape(self) -> list[int]:
        """Whisper's thirty seconds; as many frames as the mask has for the others."""
        c = self.config
        if "num_mel_bins" in c:
            return [self.rows, c["num_mel_bins"], 2 * c["max_source_positions"]]
        per_frame = c.get("feature_projection_input_dim") or c["input_feat_per_channel"] * c["input_channels"]
        return [self.rows, self.width("text"), per_frame]


def flaws(case: Case, original: Case) -> list[str]:
    """Why a case is a poor test: values out of range (where the original's are not: masks are), too much lost in
    float32, two tokens too close."""
    found = []
    wide = {entry["name"] for entry in original.data["outputs"] if entry.get("rms", 0.0) > 1e3 or entry.get("rms") == 0.0}
    for entry in case.data["outputs"]:
        if entry["dtype"] == "F32" and not 1e-3 < entry["rms"] < 1e3 and entry["name"] not in wide:
            found.append(f"{entry['name']}: rms {entry['rms']}")
        if entry.get("torch_err", 0.0) > 1e-4 * entry["rms"]:
            found.append(f"{entry['name']}: torch_err {entry['torch_err']} at rms {entry['rms']}")
    if case.data.get("generate", {}).get("min_margin", 1.0) < 2 * compare.MARGIN:
        found.append(f"generate: min_margin {case.data['generate']['min_margin']}")
    return found


def vary(case: Case, seed: int) -> Case:
    """A new case like this one. Poor ones are thrown away and drawn again."""
    data = case.data
    for attempt in range(ATTEMPTS):
        rng = random.Random(f"{seed}:{attempt}:{case.name}")
        config = copy.deepcopy(data["config"])
        (SIZES | RELATIVES)[config["model_type"]](config, rng)
        vary_labels(config, data["architecture"], rng)
        inputs = Inputs(case, config, rng).all()
        recipe = make.Recipe(
            case.name + ("_v" if "+" in case.name else "+v") + str(seed),
            data["architecture"],
            config,
            inputs,
            data["kwargs"],
            f"v{seed}.{attempt}/",
            data.get("module"),
            single=make.is_single(case, inputs),
            attention=data.get("attention"),
        )
        varied = make.make(recipe)
        found = flaws(varied, case)
        if not found:
            return varied
    raise ValueError(
        f"{case.name}: no good variation in {ATTEMPTS} attempts; of the last: {'; '.join(found)}"
    )


def variations(paths: list[str], folder: Path, seed: int, only: str | None) -> int:
    """Writes a file of variations for each golden file."""
    for path in paths:
        if path.endswith("index.json"):
            continue
        cases = []
        for case in read(path):
            if only in (None, case.name):
                cases.append(vary(case, seed))
                inputs = ", ".join(f"{entry['name']} {entry['shape']}" for entry in cases[-1].data["inputs"])
                print(f"{cases[-1].name}: {inputs}", flush=True)
        if cases:
            write(folder / Path(path).name, cases)
    return 0
