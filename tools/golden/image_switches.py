"""Switches of ViT's younger relatives: see `switch_table.py`. Each case turns what the class reads and no size would show."""

from switches import Switch

WIDE = {"pixel_values": {"shape": [2, 3, 22, 34], "lo": -1.0, "hi": 1.0}}
SMALL = {"pixel_values": {"shape": [1, 3, 12, 12], "lo": -1.0, "hi": 1.0}}


def dinov2(prefix: str) -> list[Switch]:
    return [
        Switch(f"{prefix}Model", "wide", inputs=WIDE),
        Switch(f"{prefix}Model", "small", inputs=SMALL),
        Switch(f"{prefix}Model", "masked", inputs={"bool_masked_pos": {"shape": [2, 225], "ids": [0, 2], "dtype": "BOOL"}}),
        Switch(f"{prefix}ForImageClassification", "gated", {"use_swiglu_ffn": True, "qkv_bias": False}, inputs=WIDE),
        Switch(f"{prefix}Backbone", "stages", {"out_features": ["stem", "stage2"], "out_indices": [0, 2],
               "apply_layernorm": False}, inputs=WIDE),
        Switch(f"{prefix}Backbone", "flat", {"reshape_hidden_states": False}),
    ]


SIGLIP = [
    Switch("SiglipModel", "mask", inputs={"attention_mask": {"values": [[1] * 7, [1, 1, 1, 0, 0, 0, 0]]}}),
]
SIGLIP_VISION_MODEL = [Switch("SiglipVisionModel", "no_head", {"vision_use_head": False})]

IMAGES = {"dinov2": dinov2("Dinov2"), "dinov2_with_registers": dinov2("Dinov2WithRegisters"), "siglip": SIGLIP,
          "siglip_vision_model": SIGLIP_VISION_MODEL}

# The cases that tests/golden/variations holds; see KEPT in switch_table.py.
IMAGES_KEPT = {"dinov2": "wide masked gated stages", "dinov2_with_registers": "wide stages", "siglip": "mask",
               "siglip_vision_model": "no_head"}
