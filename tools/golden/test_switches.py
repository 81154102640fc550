"""Tests of making switches: python -m unittest discover -s tools/golden (needs torch)."""

import tempfile
import unittest
from pathlib import Path

import numpy as np

import case
import reference
import switches
from switches import ABSENT, Switch

SWITCHES, KEPT = switches.tables()
DATA = Path(__file__).parents[2] / "tests" / "golden" / "data"


class Merging(unittest.TestCase):
    def test_changes_and_takes_away(self):
        base = {"a": 1, "b": 2, "inner": {"x": 1, "y": 2}}
        found = switches.merged(base, {"a": ABSENT, "inner": {"x": 5}})
        self.assertEqual(found, {"b": 2, "inner": {"x": 5, "y": 2}})
        self.assertEqual(base["inner"], {"x": 1, "y": 2})

    def test_kinds_of_rotary_scaling_replace_one_another(self):
        base = {"rope_parameters": {"rope_type": "default", "rope_theta": 1.0}}
        found = switches.merged(base, {"rope_parameters": {"rope_type": "linear", "factor": 2.0}})
        self.assertEqual(found["rope_parameters"], {"rope_type": "linear", "factor": 2.0})


class Masks(unittest.TestCase):
    def test_sides(self):
        np.testing.assert_array_equal(switches.mask_of("right", [2, 4]), [[1, 1, 1, 1], [1, 1, 1, 0]])
        np.testing.assert_array_equal(switches.mask_of("left", [2, 4]), [[1, 1, 1, 1], [0, 1, 1, 1]])

    def test_every_row_keeps_a_token(self):
        for kind in ("ones", "right", "left", "holes"):
            for length in (1, 2, 7):
                self.assertTrue(switches.mask_of(kind, [3, length]).any(axis=-1).all())


class Table(unittest.TestCase):
    def test_names_are_unique(self):
        for model_type, table in SWITCHES.items():
            names = [f"{switch.architecture}+{switch.name}" for switch in table]
            self.assertEqual(len(names), len(set(names)), model_type)

    def test_kept_names_exist(self):
        for model_type, names in KEPT.items():
            self.assertLessEqual(set(names.split()), {switch.name for switch in SWITCHES[model_type]})


class Making(unittest.TestCase):
    def made(self, switch: Switch) -> case.Case:
        made = switches.make_switch(switch, case.find(DATA / "llama.json", switch.architecture))
        with tempfile.TemporaryDirectory() as folder:
            case.write(Path(folder) / "x.json", [made])
            return case.Case(made.data, dict((key, made.arrays[key]) for key in made.arrays))

    def test_raw_configuration_stays(self):
        found = self.made(
            Switch("LlamaModel", "old", {"rope_parameters": ABSENT, "rope_theta": 50.0}, raw=True)
        )
        self.assertEqual(found.data["config"]["rope_theta"], 50.0)
        self.assertNotIn("rope_parameters", found.data["config"])

    def test_stored_weights_are_what_was_run(self):
        found = self.made(Switch("LlamaModel", "half", {"hidden_size": 8, "vocab_size": 20}, weights="BF16"))
        weights = found.weights()
        self.assertTrue(all(str(array.dtype) == "bfloat16" for array in weights.values()))
        model = reference.load(found)
        np.testing.assert_array_equal(
            model.embed_tokens.weight.detach().numpy(), weights["embed_tokens.weight"].astype(np.float32)
        )


if __name__ == "__main__":
    unittest.main()
