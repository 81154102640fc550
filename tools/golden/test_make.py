"""Tests of making, comparing and varying cases: python -m unittest discover -s tools/golden (needs torch)."""

import copy
import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

import bounds
import case
import compare
import make
import reference
import vary

DATA = Path(__file__).parents[2] / "tests" / "golden" / "data"


def recipe_of(golden: case.Case) -> make.Recipe:
    """The recipe that the case could have been made from."""
    data = golden.data
    inputs = [
        entry
        if "lo" in entry
        else {"name": entry["name"], "dtype": entry["dtype"], "values": golden.input(entry)}
        for entry in data["inputs"]
    ]
    return make.Recipe(
        golden.name,
        data["architecture"],
        data["config"],
        inputs,
        data["kwargs"],
        data["salt"],
        data.get("module"),
    )


class Make(unittest.TestCase):
    def assert_remade(self, file: str, name: str):
        """A golden case made again from its configuration and inputs is the same case."""
        golden = case.find(DATA / file, name)
        remade = make.make(recipe_of(golden))
        for key in ("config", "tensors", "inputs", "kwargs"):
            self.assertEqual(remade.data[key], golden.data[key])
        self.assertEqual(
            remade.data.get("generate", {}).get("ids"), golden.data.get("generate", {}).get("ids")
        )
        self.assertEqual(
            [e["name"] for e in remade.data["outputs"]], [e["name"] for e in golden.data["outputs"]]
        )
        for entry in golden.data["outputs"]:
            np.testing.assert_allclose(remade.output(entry), golden.output(entry), rtol=2e-7, atol=1e-9)

    def test_remakes_a_decoder_that_generates(self):
        self.assert_remade("llama.json", "LlamaForCausalLM+yarn")

    def test_remakes_an_encoder_that_generates_with_a_cache(self):
        self.assert_remade("bert.json", "BertLMHeadModel")

    def test_remakes_untied_embeddings_of_t5(self):
        self.assert_remade("t5.json", "T5ForConditionalGeneration+gated")

    def test_remakes_batch_norm_with_stored_counters(self):
        self.assert_remade("resnet.json", "ResNetModel+basic")

    def test_remakes_weight_norm(self):
        self.assert_remade("wav2vec2.json", "Wav2Vec2ForPreTraining")

    def test_a_salt_gives_other_weights(self):
        golden = case.find(DATA / "bert.json", "BertModel")
        salted = case.Case({**golden.data, "salt": "other/"}, golden.arrays)
        name = "pooler.dense.weight"
        self.assertFalse(np.array_equal(golden.weights()[name], salted.weights()[name]))


class Write(unittest.TestCase):
    def test_append_keeps_other_cases_and_replaces_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bert.json"
            first = case.find(DATA / "bert.json", "BertModel")
            second = case.find(DATA / "bert.json", "BertForMaskedLM")
            arrays = {key: first.arrays[key] for key in first.arrays.keys()}
            case.write(path, [case.Case(first.data, arrays)])
            case.write(path, [case.Case(second.data, arrays)], append=True)
            case.write(path, [case.Case(first.data, arrays)], append=True)
            self.assertEqual([found.name for found in case.read(path)], ["BertForMaskedLM", "BertModel"])
            entry = first.data["outputs"][0]
            np.testing.assert_array_equal(case.find(path, "BertModel").output(entry), first.output(entry))

    def test_arrays_are_written_row_major_whatever_their_strides(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.safetensors"
            turned = np.arange(6, dtype=np.float64).reshape(2, 3).T
            case.save_arrays({"x": turned, "scalar": np.array(2.0)}, path)
            np.testing.assert_array_equal(case.LazyArrays(path)["x"], turned)
            self.assertEqual(case.LazyArrays(path)["scalar"].shape, ())

    def test_another_format_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.json"
            path.write_text(json.dumps({"format": 2, "cases": []}))
            with self.assertRaisesRegex(ValueError, "expected 1, found 2"):
                case.read(path)


class Compare(unittest.TestCase):
    entry = {
        "name": "x",
        "dtype": "F32",
        "shape": [3],
        "stored": "full",
        "rms": 1.0,
        "mean": 1.0,
        "max": 1.0,
        "torch_err": 1e-5,
    }
    stored = np.ones(3, np.float32)

    def problems(self, got, **changes) -> list[str]:
        return compare.compare("C", {**self.entry, **changes}, self.stored, np.array(got)).problems

    def test_within_ten_times_torch_err_passes(self):
        self.assertEqual(self.problems([1.0, 1.0, 1.00009]), [])

    def test_beyond_fails(self):
        self.assertEqual(len(self.problems([1.0, 1.0, 1.00011])), 1)

    def test_nan_fails(self):
        self.assertTrue(self.problems([1.0, 1.0, float("nan")]))

    def test_another_shape_fails(self):
        self.assertIn("shape", self.problems([1.0, 1.0])[0])

    def test_far_elements_must_be_announced(self):
        self.assertTrue(self.problems([1.0, 1.0, -1e38]))

    def test_far_elements_in_the_same_place_pass_whatever_their_value(self):
        stored = np.array([1.0, 1.0, -3.4e38], np.float32)
        found = compare.compare("C", {**self.entry, "far": 1}, stored, np.array([1.0, 1.0, -np.inf]))
        self.assertEqual(found.problems, [])

    def test_a_wrong_mean_fails_although_stored_elements_agree(self):
        self.assertTrue(self.problems([1.0, 1.0, 1.0], mean=1.1))

    def test_close_choices_of_tokens_are_excused(self):
        entry = {"ids": [[1, 2]], "min_margin": 1e-2}
        self.assertTrue(compare.compare_tokens(entry, [[1, 3]]).problems)
        self.assertFalse(compare.compare_tokens({**entry, "min_margin": 1e-4}, [[1, 3]]).problems)


class Bounds(unittest.TestCase):
    def test_initial_values_decide_where_no_rule_does(self):
        self.assertEqual(bounds.bounds_of_initial(torch.zeros(2, 3)), (-0.25, 0.25))
        self.assertEqual(bounds.bounds_of_initial(torch.full([4], 1e-6)), (0.5, 1.0))
        self.assertEqual(bounds.bounds_of_initial(torch.tensor(2.0)), (1.5, 2.5))
        self.assertEqual(bounds.bounds_of_initial(torch.tensor([-0.01, 0.02])), (-0.5, 0.5))
        self.assertEqual(bounds.bounds_of_initial(torch.tensor([-0.25, 0.5])), (-0.25, 0.5))


class Vary(unittest.TestCase):
    def test_the_same_seed_gives_the_same_case_and_another_does_not(self):
        golden = case.find(DATA / "gpt2.json", "GPT2LMHeadModel")
        one, same, other = vary.vary(golden, 1), vary.vary(golden, 1), vary.vary(golden, 2)
        self.assertEqual(one.data, same.data)
        self.assertNotEqual(one.data["config"], other.data["config"])

    def test_leaves_the_case_it_varies_alone(self):
        golden = case.find(DATA / "t5.json", "T5Model")
        before = copy.deepcopy(golden.data)
        vary.vary(golden, 1)
        self.assertEqual(golden.data, before)

    def test_masks_have_zeros_at_the_end_of_rows_only(self):
        varied = vary.vary(case.find(DATA / "bert.json", "BertForMultipleChoice"), 1)
        mask = varied.inputs()["attention_mask"]
        self.assertTrue((np.diff(mask, axis=-1) <= 0).all())
        self.assertTrue(mask.all(axis=-1).any())


class Double(unittest.TestCase):
    def test_float32_means_float64_within_and_no_longer_after(self):
        with reference.every_step_in_double():
            self.assertEqual(torch.ones(1).float().dtype, torch.float64)
            self.assertEqual(torch.ones(1).to(torch.float32).element_size(), 8)
        self.assertEqual(torch.ones(1).to(torch.float32).element_size(), 4)
        self.assertEqual(torch.ones(1).dtype, torch.float32)


if __name__ == "__main__":
    unittest.main()
