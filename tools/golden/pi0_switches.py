"""Switches of pi0: see `switches.py`."""

from switches import ABSENT, Switch

LM, MODEL = "PI0ForConditionalGeneration", "PI0Model"
IMAGE = 127
TOKENS = 4  # of a camera's picture


def robot(cameras: list[list[int]], steps: int = 4, width: int = 16, mask: list[list[int]] | None = None, model: bool = False, **more) -> dict:
    """A row a robot: which of its cameras are there. Their pictures stand between words."""
    rows = []
    for row, there in enumerate(cameras):
        ids = [20 + row]
        for _ in range(sum(there)):
            ids += [IMAGE] * TOKENS + [40 + row]
        rows.append(ids)
    longest = max(map(len, rows)) + 1
    rows = [ids + [60 + i for i in range(longest - len(ids))] for ids in rows]
    given = {"input_ids": {"values": rows}, "pixel_values": {"shape": [len(rows), len(cameras[0]), 3, 8, 8], "lo": -1.0, "hi": 1.0},
             "pixel_attention_mask": {"values": cameras, "dtype": "BOOL"},
             "attention_mask": mask and {"values": [zeros + [1] * (longest - len(zeros)) for zeros in mask]}}
    if model:
        return given | {"action_embeds": {"shape": [len(rows), steps + 1, width], "lo": -1.0, "hi": 1.0}} | more
    numbers = {name: {"shape": shape, "lo": -1.0, "hi": 1.0} for name, shape in (("state", [len(rows), 8]), ("noise", [len(rows), steps, 8]))}
    return given | numbers | {"timestep": {"shape": [len(rows)], "lo": 0.0, "hi": 0.25}, "actions": None} | more


PI0 = {"pi0": [
    Switch(LM, "acting", {"dit_config": {"hidden_size": 24, "intermediate_size": 20, "num_hidden_layers": 1}, "max_period": 2.0, "min_period": 0.5},
           inputs=robot([[0, 1, 1], [1, 0, 0]], steps=6)),
    Switch(LM, "padded", {"chunk_size": 2, "vlm_config": {"text_config": {"hidden_act": "gelu"}}}, inputs=robot([[1, 1], [0, 1]], mask=[[], [0, 0]])),
    Switch(MODEL, "blind", inputs=robot([[0, 0], [1, 0]], model=True)),
    Switch(MODEL, "places", {"dit_config": {"attention_bias": True, "rms_norm_eps": 0.01}},
           inputs=robot([[1, 1]], model=True, position_ids={"values": [[0, 1, 2, 3, 4, 9, 9, 8, 7, 6, 5, 30]]})),
    Switch(LM, "defaults", {"min_period": ABSENT, "max_period": ABSENT, "chunk_size": ABSENT, "vlm_config": {"text_config": {"rope_parameters": ABSENT,
           "hidden_act": ABSENT, "rms_norm_eps": ABSENT}, "vision_config": {"hidden_act": ABSENT, "layer_norm_eps": ABSENT}}, "dit_config": {
           "rope_parameters": ABSENT, "hidden_act": ABSENT}}, raw=True, inputs=robot([[1, 1], [0, 1]], steps=50)),
]}
PI0_KEPT = {"pi0": "acting padded blind places"}
