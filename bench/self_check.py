#!/usr/bin/env python3
"""Checks of the bench's own code: fast, without the engines' packages. Usage: self_check.py ANYMODEL_WORKER"""

import array
import math
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import bench  # noqa: E402
import measure  # noqa: E402
import report  # noqa: E402

MODEL = f"{os.path.dirname(HERE)}/examples/models/digits-vit"
PIXELS = (1, 3, 32, 32)


class Engine:
    TITLE = "An engine"


def write_case(folder):
    """A picture of a gradient for MODEL."""
    pixels = array.array("f", (i % 32 / 16 - 1 for i in range(math.prod(PIXELS))))
    with open(f"{folder}/pixels.bin", "wb") as file:
        pixels.tofile(file)
    with open(f"{folder}/case.txt", "w") as file:
        file.write(f"input pixel_values f32 {','.join(map(str, PIXELS))} pixels.bin\noutput logits\n")


def worker_command(case, threads):
    return [WORKER, MODEL, case, str(threads)]


class Workers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.case = folder.name
        write_case(self.case)

    def record(self, change=0.0):
        worker = measure.Worker(worker_command(self.case, 1))
        answer = worker.answer()
        worker.close()
        answer[0] += change
        with open(f"{self.case}/expected.bin", "wb") as file:
            answer.tofile(file)
        return f"{self.case}/expected.bin"

    def commands(self):
        return {"one": worker_command(self.case, 1), "two": worker_command(self.case, 2)}

    def test_engines_take_turns_and_agree(self):
        result = measure.measure_case(self.commands(), self.record(), rounds=2)
        self.assertEqual([len(turns) for turns in result["times"].values()], [2, 2])
        self.assertEqual(len({len(turn) for turns in result["times"].values() for turn in turns}), 1)
        self.assertEqual(set(result["differences"].values()), {0.0})
        self.assertGreater(min(result["cpu_ms"].values()), 0)

    def test_a_wrong_answer_fails(self):
        with self.assertRaisesRegex(measure.Failure, "expected and one differ by 0.0"):
            measure.measure_case(self.commands(), self.record(change=0.01), rounds=1)

    def test_a_worker_that_cannot_load_fails(self):
        os.remove(f"{self.case}/case.txt")
        with self.assertRaisesRegex(measure.Failure, "expected \"ready"):
            measure.Worker(worker_command(self.case, 1))

    def test_starts_are_measured(self):
        times = measure.measure_start(self.commands(), rounds=2)
        self.assertEqual([len(t) for t in times.values()], [2, 2])


class Figures(unittest.TestCase):
    def test_differences(self):
        difference = measure.largest_difference
        self.assertEqual(difference(array.array("f", [1, 2]), array.array("f", [1, 2.5])), 0.5)
        self.assertEqual(difference(array.array("f", [1]), array.array("f", [1, 2])), math.inf)
        self.assertEqual(difference(array.array("f", [1, math.nan]), array.array("f", [1, math.nan])), math.inf)
        self.assertEqual(difference(array.array("f"), array.array("f")), math.inf)

    def test_ratios(self):
        middle, least = measure.ratios([[4, 6, 2], [8, 4]], [[1, 2], [2, 2, 9]])
        self.assertEqual((middle, least), (2, 2))

    def test_table(self):
        result = {"title": "Model", "threads": 2, "times": {report.OURS: [[2.0], [4.0]], "peer": [[4.0], [8.0]]},
                  "cpu_ms": {report.OURS: 3.0, "peer": 4.0}}
        lines = list(report.latency_lines([result], {report.OURS: Engine, "peer": Engine}))
        self.assertEqual(lines[2], "| Model | 2 | 3.0 (2.0 - 4.0) | 6.0 (4.0 - 8.0) | 0.50, 0.50, 0.75 |")

    def test_every_engine_and_workload_is_found(self):
        for folder, needed in (("engines", ["TITLE"]), ("workloads", ["TITLE", "OUTPUT", "CASES", "model", "inputs"])):
            names = bench.modules_of(folder)
            self.assertGreater(len(names), 1)
            for name in names:
                module = bench.importlib.import_module(f"{folder}.{name}")
                self.assertEqual([n for n in needed if not hasattr(module, n)], [], name)
        self.assertIn(report.OURS, bench.modules_of("engines"))


if __name__ == "__main__":
    WORKER = os.path.abspath(sys.argv.pop(1))
    unittest.main()
