"""Tests of the number generator: python -m unittest discover -s tools/golden (pytest finds them too)."""

import unittest

import numpy as np

import formula


class Generator(unittest.TestCase):
    def test_seed_of_a_known_name(self):
        self.assertEqual(formula.seed("lm_head.weight"), 0xAB67EB515E1B6F0D)

    def test_seed_of_nothing_is_the_offset_basis(self):
        self.assertEqual(formula.seed(""), 0xCBF29CE484222325)

    def test_seed_reads_utf8_bytes_not_characters(self):
        # U+00E9 is the two bytes C3 A9 in UTF-8.
        h = 0xCBF29CE484222325
        for byte in (0xC3, 0xA9):
            h = ((h ^ byte) * 0x100000001B3) % 2**64
        self.assertEqual(formula.seed("\u00e9"), h)

    def test_first_values_of_a_known_name(self):
        got = formula.values("lm_head.weight", [3], -1.0, 1.0)
        np.testing.assert_array_equal(got, np.array([0.98556006, 0.969471812, -0.916301489], np.float32))

    def test_splitmix_matches_scalar_arithmetic(self):
        start, mask = 0xFFFFFFFFFFFFFFF0, 2**64 - 1  # near the top, so that the sum wraps
        for i, got in enumerate(formula.splitmix(start, 5)):
            z = (start + (i + 1) * 0x9E3779B97F4A7C15) & mask
            z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
            z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
            self.assertEqual(int(got), z ^ z >> 31)

    def test_values_run_row_major(self):
        flat = formula.values("x", [6], -1.0, 1.0)
        np.testing.assert_array_equal(formula.values("x", [2, 3], -1.0, 1.0), flat.reshape(2, 3))

    def test_a_scalar_is_one_value(self):
        self.assertEqual(formula.values("logit_scale", [], 2.0, 3.3125).shape, ())

    def test_an_empty_shape_dimension_gives_nothing(self):
        self.assertEqual(formula.values("x", [0, 3], -1.0, 1.0).shape, (0, 3))

    def test_values_stay_within_their_bounds_and_fill_them(self):
        got = formula.values("x", [10000], 0.75, 1.25)
        self.assertGreaterEqual(got.min(), 0.75)
        self.assertLessEqual(got.max(), 1.25)
        self.assertAlmostEqual(float(got.mean()), 1.0, delta=0.01)
        self.assertAlmostEqual(float(got.std()), 0.5 / 12**0.5, delta=0.005)


class Helpers(unittest.TestCase):
    def test_round_to_bits(self):
        self.assertEqual(formula.round_to_bits((3 / 32) ** 0.5, 6), 39 / 128)
        self.assertEqual(formula.round_to_bits((3 / 128) ** 0.5, 6), 39 / 256)
        self.assertEqual(formula.round_to_bits((3 / 20) ** 0.5, 6), 50 / 128)
        self.assertEqual(formula.round_to_bits(0.0, 6), 0.0)

    def test_integers_reach_both_ends(self):
        got = formula.integers("ids", [1000], 3, 7)
        self.assertEqual((got.min(), got.max()), (3, 7))

    def test_sample_positions_are_places_in_the_output(self):
        got = formula.sample_positions("BertModel", "last_hidden_state", 2000)
        self.assertEqual(got.shape, (512,))
        self.assertTrue(((got >= 0) & (got < 2000)).all())


if __name__ == "__main__":
    unittest.main()
