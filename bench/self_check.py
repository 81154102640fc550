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
from engines import _llamacpp  # noqa: E402
import instructions  # noqa: E402
import measure  # noqa: E402
import processor_cases  # noqa: E402
import processor_speed  # noqa: E402
import report  # noqa: E402
import targets  # noqa: E402
import tokenizer_speed  # noqa: E402
import tokenizer_texts  # noqa: E402

MODEL = f"{os.path.dirname(HERE)}/examples/models/digits-vit"
PIXELS = (1, 3, 32, 32)


class Engine:
    TITLE = "An engine"


PEAKS = {threads: {"peak_gflop_per_s": 100.0 * threads, "peak_read_gb_per_s": 8.0, "kernels": "avx2"} for threads in (1, 2)}


def case(title, threads, medians):
    """What bench.measure_latency gives: 0.4 GFLOP, 8 MB of weights in a run."""
    return {"title": title, "threads": threads, "times": {name: [[ms]] for name, ms in medians.items()},
            "cpu_ms": dict.fromkeys(medians, 1.0), "is_cached": False, "is_decoder": False, "is_prefill": False,
            "dtype": "float32", "without": {}, "read_gb_per_s": None, "work": (4e8, 8e6, 0.0), "works": {}, "profiles": {},
            "weights_bytes": 2**23, "memory_bytes": dict.fromkeys(medians, 11 * 2**20)}


def decoder(title, kind, medians):
    """As case(), of a decoder with weights in bfloat16; kind: "is_cached" or "is_prefill"."""
    works = {name: (4e8, 3e6, 1e6) for name in medians if report.is_ours_rounded(name)}
    return {**case(title, 2, medians), "is_decoder": True, kind: True, "dtype": "bfloat16", "works": works, "read_gb_per_s": 8.0}


ENGINES = {name: bench.importlib.import_module(f"engines.{name}") for name in bench.modules_of("engines")}


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
        self.assertGreater(min(result["memory_bytes"].values()), 2**20)
        self.assertIsNone(result["work"])

    def test_reading_has_its_turns_among_them(self):
        reader = [f"{os.path.dirname(WORKER)}/read_worker", "1"]
        result = measure.measure_case(self.commands(), self.record(), rounds=2, reader=reader)
        self.assertEqual(result["times"].keys(), self.commands().keys())
        self.assertGreater(result["read_gb_per_s"], 0.01)
        worker = measure.Worker(reader)
        self.assertEqual(len(worker.run(3)), 3)
        self.assertAlmostEqual(measure.reading_rate(worker, [[1e3], [2e3], [3e3]]), worker.load_details[0] / 2e9)
        worker.close()

    def test_the_work_of_a_run_is_told(self):
        result = measure.measure_case(self.commands(), self.record(), rounds=1, ours="one", rounded=["two"])
        self.assertGreater(min(result["work"][:2]), 1000)
        self.assertEqual(result["works"], {"two": result["work"]})
        kernels = result["profiles"]["one"]["kernels"]
        self.assertIn("linear_f32", [k["kernel"] for k in kernels])
        self.assertTrue(0.1 < sum(k["share"] for k in kernels) < 1.01)

    def test_the_profile_is_of_cases_that_missed_a_goal(self):
        rows = [{"kernel": "a", "calls": 2, "ms": 4.0, "share": 0.8, "gflop_per_s": 50.0},
                {"kernel": "b", "calls": 1, "ms": 1.0, "share": 0.2, "gflop_per_s": None},
                {"kernel": "c", "calls": 1, "ms": 0.1, "share": 0.02, "gflop_per_s": None}]
        slower, faster = ({**case(title, 1, {report.OURS: ms, "onnxruntime": 3.0}), "profiles": {report.OURS: {"kernels": rows},
                                                                             f"{report.OURS}_int8": {"kernels": rows[1:]}}}
                          for title, ms in (("Slower", 4.0), ("Faster", 2.0)))
        goals = report.goal_rows([slower, faster], ENGINES, PEAKS, {})
        self.assertEqual(list(report.profile_lines([slower, faster], goals, PEAKS))[2:],
                         ["| Slower | 1 | a | 2 | 4.00 | 80% | 50.0 | 50% |", "| Slower | 1 | b | 1 | 1.00 | 20% |  |  |",
                          "| Slower, int8 weights | 1 | b | 1 | 1.00 | 20% |  |  |"])

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


class Targets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.makedirs(f"{self.folder}/vit/0")
        os.symlink(MODEL, f"{self.folder}/vit/model")
        write_case(f"{self.folder}/vit/0")
        worker = measure.Worker(worker_command(f"{self.folder}/vit/0", 1))
        with open(f"{self.folder}/vit/0/expected.bin", "wb") as file:
            worker.answer().tofile(file)
        worker.close()

    def test_a_case_is_measured_with_an_empty_and_a_full_cache(self):
        class Own:
            TITLE = "ours"

            @staticmethod
            def command(build, model, case, threads):
                return [WORKER, model, case, str(threads)]

        context = bench.Context(".", "", 2)
        results = targets.measure_case({report.OURS: Own, "other": Own}, context, "vit", 0, 1, self.folder)
        for own in results.values():
            self.assertGreater(min(own["load"], own["cold"], own["cached"], own["first"], own["memory_bytes"]), 0)
            self.assertGreater(own["first"], own["load"] + own["cached"])
            self.assertEqual(len(own["rounds"]), 2)
        lines = list(targets.case_lines(results, {report.OURS: "cpu", "other": "other", "max": "MAX"}, {"max": "no file"}))
        self.assertEqual([line.count("|") for line in lines], [9] * 5)
        self.assertIn("| MAX | not here: no file |", lines[-1])

    def test_last_logits_and_those_after_cached_tokens_are_the_end_of_the_whole_text(self):
        ids = array.array("q", (3, 17, 42, 5, 11))
        answers = []
        for lines in ([], ["last_logits"], ["last_logits", "cached 4"]):
            lines = ["output logits", *lines]
            case = f"{self.folder}/text{len(lines)}"
            os.makedirs(case)
            with open(f"{case}/ids.bin", "wb") as file:
                ids.tofile(file)
            with open(f"{case}/case.txt", "w") as file:
                file.write("\n".join([f"input input_ids i64 1,{len(ids)} ids.bin", *lines]) + "\n")
            worker = measure.Worker([WORKER, f"{os.path.dirname(MODEL)}/tiny-llama-text", case, "1"])
            self.assertGreater(float(worker.ask("compile", "compiled")[0]), 0)
            worker.run(2)  # the same place again
            answers.append(worker.answer())
            worker.close()
        for answer in answers[1:]:
            self.assertEqual(len(answers[0]), len(answer) * len(ids))
            self.assertLess(measure.largest_difference(answers[0][-len(answer):], answer), 1e-4)

    def test_detection(self):
        self.assertIn("all 9 targets (`anymodel targets`), which every start may do, took 0.400 ms (0.300 - 2.000)",
                      targets.detection_line([0.3, 0.4, 2], 9))
        self.assertIn(": below 1 ms", targets.detection_line([0.3, 0.4, 2], 9))
        self.assertIn(": NOT below 1 ms", targets.detection_line([1.3, 1.4, 2], 9))


class Tokenizers(unittest.TestCase):
    TOKENIZER = f"{os.path.dirname(HERE)}/examples/models/tiny-llama-text/tokenizer.json"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.documents = f"{folder.name}/documents.bin"
        tokenizer_texts.write_documents(self.documents, ["Once upon a time", "", "née 東京\n"])

    def command(self, documents, threads=1):
        return [f"{os.path.dirname(WORKER)}/tokenizer_worker", self.TOKENIZER, documents, str(threads)]

    def test_documents_are_read_as_written(self):
        self.assertEqual(list(tokenizer_texts.read_documents(self.documents)), ["Once upon a time", "", "née 東京\n"])

    def test_documents_are_the_same_again_and_of_all_kinds(self):
        texts = tokenizer_texts.documents(1, 100_000)
        self.assertEqual(texts, tokenizer_texts.documents(1, 100_000))
        self.assertFalse(set(texts) & set(tokenizer_texts.documents(0, 100_000)))
        draw = tokenizer_texts.random.Random(0)
        for kind in tokenizer_texts.SHARES:
            self.assertEqual(len(tokenizer_texts.document(draw, kind, 100, 0)), 100, kind)

    def test_engines_take_turns(self):
        result = tokenizer_speed.measure_case({tokenizer_speed.OURS: self.command(self.documents),
                                               "encode_batch": self.command(self.documents, 2)}, rounds=2)
        self.assertGreater(result["ids"], 3)
        self.assertEqual([len(times) for times in result["times"].values()], [2, 2])
        loads = tokenizer_speed.measure_loads({"one": self.command(self.documents)}, rounds=2)
        self.assertEqual([len(times) for times in loads["one"]], [2, 2])

    def test_other_ids_fail(self):
        other = f"{self.documents}.other"
        tokenizer_texts.write_documents(other, ["Once upon a time", "", "nee 東京\n"])
        with self.assertRaisesRegex(measure.Failure, "ids of document 2 by anymodel and other differ"):
            tokenizer_speed.measure_case({tokenizer_speed.OURS: self.command(self.documents),
                                          "other": self.command(other)}, rounds=1)

    def test_the_verdict_is_of_the_least_ratio(self):
        result = {"times": {"anymodel": [1, 2, 9], "encode_batch": [4, 8, 9], "encode_batch_fast": [4, 3, 5]},
                  "cpu_ms": {"anymodel": [1], "encode_batch": [3], "encode_batch_fast": [1.5]}}
        self.assertEqual(tokenizer_speed.ratios_of(result, "encode_batch"), (4, 3))
        self.assertIn("is 1.50: NOT at least 2", tokenizer_speed.verdict_line([("bert", 1, result)]))
        result["cpu_ms"]["encode_batch_fast"] = [2]
        self.assertIn("is 2.00: at least 2", tokenizer_speed.verdict_line([("bert", 1, result)]))


class Processors(unittest.TestCase):
    SCRIPT = """
import sys
folder, kind, threads, *files = sys.argv[1:]
print("ready 1", flush=True)
for line in sys.stdin:
    command = line.split()[0]
    answers = {"run": "times" + " 1.5" * int(line.split()[1]) if command == "run" else "", "compare": "differ %s 0 9"}
    print(answers[command], flush=True)
"""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def commands(self, difference):
        """Ours with a folder that the project has, and a peer that finds the tensors different by so much."""
        examples = f"{os.path.dirname(HERE)}/examples"
        script = f"{self.folder}/peer.py"
        with open(script, "w") as file:
            file.write(self.SCRIPT.replace("%s", difference))
        arguments = [MODEL, "images", "1", f"{examples}/data/digits/digit-0.png"]
        return {processor_speed.OURS: [f"{os.path.dirname(WORKER)}/processor_worker", *arguments],
                processor_speed.PEER: [sys.executable, script, *arguments]}

    def test_engines_take_turns(self):
        result = processor_speed.measure_case(self.commands("0.01"), rounds=2)
        self.assertEqual([len(times) for times in result["times"].values()], [2, 2])
        self.assertEqual(result["differences"], (0.01, 0, 9))

    def test_other_tensors_fail(self):
        for difference in ("0.03", "nan"):
            with self.assertRaisesRegex(measure.Failure, f"tensors of anymodel and transformers differ by {difference}"):
                processor_speed.measure_case(self.commands(difference), rounds=1)

    def test_the_verdict_counts_who_is_slower(self):
        result = {"times": {"anymodel": [[1, 2, 9]], "transformers": [[4, 8, 9]]}, "cpu_ms": {"anymodel": 1, "transformers": 3}}
        slower = {**result, "times": {"anymodel": [[4]], "transformers": [[2]]}}
        self.assertEqual(processor_speed.ratios_of(result), (0.25, 0.25, 1 / 3))
        self.assertIn("the largest 0.25; all are below 1", processor_speed.verdict_line([("vit", 1, result)]))
        self.assertIn("the largest 2.00; 1 are NOT below 1",
                      processor_speed.verdict_line([("vit", 1, result), ("sam", 1, slower)]))

    def test_titles_tell_cases_apart(self):
        titles = [case.title for case in processor_cases.CASES.values()]
        self.assertEqual(len(set(titles)), len(titles))
        self.assertIn("CLIPImageProcessor, 8 x JPEG of 640 x 480", titles)
        self.assertIn("WhisperFeatureExtractor, 30 s of 16 kHz WAV", titles)

    def test_versions_come_from_the_file_that_constrains(self):
        pins = report.pins_of(f"{HERE}/requirements-processors.txt")
        self.assertEqual(pins["torch"], report.pins_of(f"{HERE}/requirements.txt")["torch"])
        self.assertEqual(set(pins), {"numpy", "pillow", "safetensors", "soundfile", "torch", "torchvision", "transformers"})


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

    def test_an_engine_that_does_not_run_a_case_has_a_dash(self):
        result = case("Model", 2, {report.OURS: 4.0, "onnxruntime": 8.0})
        lines = list(report.latency_lines([result], dict.fromkeys([report.OURS, "onnxruntime", "openvino"], Engine)))
        self.assertEqual(lines[2], "| Model | 2 | 4.0 (4.0 - 4.0) | 0.50 | 8.0 (8.0 - 8.0) | 0.50, 0.50, 1.00 | - | - |")

    def test_rates_are_of_the_peaks(self):
        results = [case("Model", 1, {report.OURS: 10.0}), decoder("Step", "is_cached", {report.OURS: 4.0})]
        lines = list(report.rate_lines(results, PEAKS))
        self.assertEqual(lines[2:], ["| Model | 1 | 0.40 | 40.0 | 40% |  |  |  |", "| Step | 2 | 0.40 | 100.0 | 50% | 2.0 | 8.0 | 25% |"])

    def test_rates_of_rounded_weights_are_of_fewer_bytes(self):
        name = f"{report.OURS}_int4"
        step = {**decoder("Step", "is_cached", {report.OURS: 2.0, name: 1.0}), "dtype": "float32", "works": {name: (4e8, 2e6, 0.0)}}
        lines = list(report.rate_lines([step], PEAKS))
        self.assertEqual(lines[3], "| Step, int4 | 2 | 0.40 | 400.0 | 200% | 2.0 | 8.0 | 25% |")
        step["times"][report.OURS_BF16], step["works"] = [[1.0]], {report.OURS_BF16: (4e8, 8e6, 1e6)}
        self.assertIn("| 5.0 | 8.0 | 62% |", list(report.rate_lines([step], PEAKS))[3])  # packed in half as many bytes
        self.assertTrue(math.isnan(report.ratio_to_best(step["times"], [name])))

    def test_some_engines_are_for_decoders(self):
        engines = {"plain": Engine, "some": type("Some", (Engine,), {"CACHED": True, "DECODERS_ONLY": True})}
        one = type("One", (), {"CASES": {"1": ()}})
        self.assertEqual(list(bench.engines_for(engines, one, 0)), ["plain"])
        one.LAST_LOGITS = True
        self.assertEqual(list(bench.engines_for(engines, one, 0)), ["plain", "some"])

    def test_rounded_weights_are_known(self):
        rounds = {name for name, engine in ENGINES.items() if getattr(engine, "ROUNDS_WEIGHTS", False)}
        self.assertEqual({name for name in ENGINES if report.is_rounded(name)}, rounds)
        self.assertEqual({name for name in ENGINES if report.is_ours_rounded(name)}, {"anymodel_int8", "anymodel_int4"})

    def test_peaks_are_the_most_that_was_seen(self):
        before = {"peak_gflop_per_s": None, "peak_read_gb_per_s": 8.5, "kernels": "avx2"}
        self.assertEqual(bench.larger(before, {**before, "peak_read_gb_per_s": 9.5})["peak_read_gb_per_s"], 9.5)
        self.assertEqual(bench.larger(before, {**before, "peak_read_gb_per_s": 7.5}), before)

    def test_kinds_of_cases(self):
        one = type("One", (), {"CASES": {"128": (1, 128), "1": (1, 1)}, "CACHED_CASES": {"more": (1, 128)},
                               "LAST_LOGITS": True, "DTYPE": "bfloat16"})
        kinds = [bench.kind_of_case(one, number) for number in range(3)]
        self.assertEqual([kind["is_prefill"] for kind in kinds], [True, False, False])
        self.assertEqual([kind["is_cached"] for kind in kinds], [False, False, True])
        self.assertEqual([kind["dtype"] for kind in kinds], ["bfloat16"] * 3)
        steps = type("Steps", (), {"CASES": {"1": (1, 64, 1)}, "STEP_CASES": {"64": (1, 64, 64)}})
        self.assertEqual([bench.kind_of_case(steps, number)["is_cached"] for number in (0, 1)], [False, True])
        self.assertEqual([c[2] for c in bench.cases_of({"steps": type("Titled", (steps,), {"TITLE": "T"})},
                                                       bench.Context(".", "", 1))], ["T, 1", "T, 64"])
        encoder = bench.kind_of_case(type("Two", (), {"CASES": {"1": (1, 128)}}), 0)
        self.assertEqual(encoder, {"is_cached": False, "is_decoder": False, "is_prefill": False, "dtype": "float32"})

    def test_decoders_are_beside_their_like(self):
        names = [report.OURS, "anymodel_int8", "onnxruntime", "llamacpp", "llamacpp_q8"]
        step = decoder("Step", "is_cached", dict(zip(names, (8.0, 3.0, 4.0, 16.0, 6.0))))
        engines = {name: ENGINES[name] for name in names}
        lines = list(report.all_latency_lines([case("Model", 2, {report.OURS: 4.0, "onnxruntime": 8.0}), step], engines))
        self.assertEqual(lines[2], "| Model | 2 | 4.0 (4.0 - 4.0) | 8.0 (8.0 - 8.0) | 0.50, 0.50, 1.00 |")
        self.assertEqual(lines[3:6], ["", "Decoders:", ""])
        self.assertEqual(lines[8:], ["| Step | 2 | bfloat16 | 8.0 (8.0 - 8.0) | 2.00 | 16.0 (16.0 - 16.0) | 0.50, 0.50, 1.00 "
                                     "| 4.0 (4.0 - 4.0) | 2.00, 2.00, 1.00 |",
                                     "| Step | 2 | int8 | 3.0 (3.0 - 3.0) |  | 6.0 (6.0 - 6.0) | 0.50, 0.50, 1.00 |  |  |"])

    def test_differences_are_from_what_was_recorded(self):
        results = [{**case("Model", threads, {report.OURS: 1.0, "onnxruntime": 1.0}),
                    "differences": {("expected", report.OURS): 0.1 * threads, ("expected", "onnxruntime"): 0.3,
                                    (report.OURS, "onnxruntime"): 9.0}} for threads in (1, 2)]
        engines = {name: ENGINES[name] for name in (report.OURS, "onnxruntime", "llamacpp")}
        self.assertEqual(list(report.difference_lines(results, engines))[2:], ["| Model | 2.0e-01 | 3.0e-01 | - |"])

    def test_memory_is_beyond_the_weights(self):
        lines = list(report.memory_lines([case("Model", 1, {report.OURS: 1.0})], {report.OURS: Engine, "peer": Engine}))
        self.assertEqual(lines[2], "| Model | 1 | 8 | 3 | - |")

    def goals(self, results, left_out={}):
        """What each goal's row ends with."""
        return [" ".join(row[-2:]).strip() for row in report.goal_rows(results, ENGINES, PEAKS, left_out)]

    def test_goals_of_a_token_are_beside_llamacpp_and_of_the_bandwidth(self):
        step = decoder("Step", "is_cached", {report.OURS: 1.0, "anymodel_int8": 1.0, "llamacpp": 1.0, "llamacpp_q8": 0.5})
        self.assertEqual(self.goals([step]), ["1.00 reached", "2.00 NOT reached", "100% reached", "50% NOT reached"])
        step["dtype"] = "float32"  # llama.cpp reads half as much then
        self.assertEqual(self.goals([step]), ["2.00 NOT reached", "100% reached", "50% NOT reached"])

    def test_goals_of_a_prompt_are_with_rounded_weights(self):
        times = {report.OURS: 9.0, "anymodel_int4": 1.0, "anymodel_int8": 1.0, "llamacpp": 1.0, "llamacpp_q8": 2.0,
                 "llamacpp_q4": 1.9}
        self.assertEqual(self.goals([decoder("Prompt", "is_prefill", times)]), ["0.50 reached", "0.53 NOT reached"])
        single = {**decoder("Prompt", "is_prefill", times), "is_prefill": False}
        self.assertEqual(self.goals([single]), [])

    def test_names_of_gguf(self):
        for names, name, expected in (
                (_llamacpp.LLAMA, "model.layers.3.self_attn.q_proj.weight", "blk.3.attn_q.weight"),
                (_llamacpp.LLAMA, "model.layers.3.mlp.gate.weight", "blk.3.ffn_gate_inp.weight"),
                (_llamacpp.LLAMA, "model.layers.12.mlp.experts.down_proj", "blk.12.ffn_down_exps.weight"),
                (_llamacpp.LLAMA, "model.norm.weight", "output_norm.weight"),
                (_llamacpp.GPT2, "transformer.h.0.attn.c_attn.bias", "blk.0.attn_qkv.bias"),
                (_llamacpp.MAMBA, "backbone.layers.0.norm.weight", "blk.0.attn_norm.weight"),
                (_llamacpp.MAMBA, "backbone.layers.0.mixer.A_log", "blk.0.ssm_a"),
                (_llamacpp.MAMBA, "backbone.layers.0.mixer.dt_proj.bias", "blk.0.ssm_dt.bias")):
            self.assertEqual(_llamacpp.gguf_name(name, names), expected)

    def test_types_of_gguf(self):
        for name, shape, expected in (("blk.0.ffn_up.weight", (64, 32), "Q8_0"), ("blk.0.ssm_dt.weight", (64, 48), "BF16"),
                                      ("blk.0.attn_norm.weight", (64,), "F32"), ("blk.0.ssm_a", (64, 32), "F32"),
                                      ("blk.0.ffn_gate_inp.weight", (8, 64), "F32"),
                                      ("blk.0.ffn_gate.weight", (8, 64), "Q8_0")):
            self.assertEqual(_llamacpp.type_of(name, shape, "Q8_0"), expected, name)

    def test_rotary_halves_become_neighbours(self):
        self.assertEqual(_llamacpp.rotary_order(12, 2), [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])

    def test_goals_are_of_the_best_peer(self):
        slower = case("Model", 2, {report.OURS: 9.0, "onnxruntime": 10.0, "openvino": 8.0, "pytorch": 1.0})
        faster = case("Model", 2, {report.OURS: 8.0, "onnxruntime": 10.0, "openvino": 8.0, "openvino_bf16": 8.0,
                                   report.OURS_BF16: 8.0})
        self.assertEqual(self.goals([slower]), ["1.12 NOT reached"])
        self.assertEqual(self.goals([faster]), ["1.00 reached", "1.00 NOT reached"])
        self.assertEqual(self.goals([slower], {"openvino_bf16": "no bf16"})[1], "no bf16")

    def test_goals_of_threads_are_of_work_that_arithmetic_bounds(self):
        def times(one, two):
            return [case("Model", 1, {report.OURS: one}), case("Model", 2, {report.OURS: two})]
        self.assertEqual(self.goals(times(10, 5)), ["2.00 reached"])
        self.assertEqual(self.goals(times(10, 6)), ["1.67 NOT reached"])
        self.assertEqual(self.goals(times(100, 60)), [])

    def test_goals_of_batches_are_for_an_item(self):
        single, many = "Model, batch 1", "Model, batch 32"
        self.assertEqual(self.goals([case(single, 2, {report.OURS: 2}), case(many, 2, {report.OURS: 64})]), ["1.00 reached"])
        self.assertEqual(self.goals([case(single, 2, {report.OURS: 2}), case(many, 2, {report.OURS: 96})]),
                         ["1.50 NOT reached"])

    def test_less_exact_engines_have_their_own_tolerance(self):
        answers = {"one": array.array("f", [1, 10]), "bf16": array.array("f", [1, 11])}
        measure.compare(answers, answers["one"], {"bf16": 0.2})
        with self.assertRaisesRegex(measure.Failure, "expected and bf16 differ by 1, more than 0.5"):
            measure.compare(answers, answers["one"], {"bf16": 0.05})

    def test_a_goal_in_bfloat16_says_what_of_the_peak_it_takes(self):
        peaks = {2: {**PEAKS[2], "peak_bf16_gflop_per_s": 400.0}}
        for ours, text in ((8.0, "0.80"), (10.0, "1.00 (it takes 11% of the peak)")):
            r = {**case("Model", 2, {report.OURS: 8.0, "openvino_bf16": 10.0, report.OURS_BF16: ours}),
                 "works": {report.OURS_BF16: (4e8, 0, 0)}}
            self.assertEqual(report.bf16_row(r, "Model", "goal", peaks)[2], text)

    def test_engines_that_round_weights_are_held_to_what_these_give(self):
        answers = {"one": array.array("f", [1, 10]), "q4": array.array("f", [1, 18])}
        own = {"q4": array.array("f", [1, 20])}
        differences = measure.compare(answers, answers["one"], {"q4": 0.2}, own)
        self.assertEqual(differences["expected", "q4"], 8)
        with self.assertRaisesRegex(measure.Failure, "expected and q4 differ by 2, more than 1"):
            measure.compare(answers, answers["one"], {"q4": 0.05}, own)
        with self.assertRaisesRegex(measure.Failure, "expected and one differ by 1"):
            measure.compare(answers, array.array("f", [1, 9]), {"q4": 0.2}, own)

    def test_workloads_that_ask_for_much_need_a_machine_that_has_it(self):
        class Big:
            NEEDS_GB = {"memory": 20, "disk": 7}
        for free, made, reason in (({"memory": 20.5, "disk": 7.5}, False, None),
                                   ({"memory": 20.5, "disk": 6.5}, False, "needs 7 GB of disk, of which 6 are free"),
                                   ({"memory": 20.5, "disk": 0.5}, True, None),
                                   ({"memory": 15.8, "disk": 1.2}, False, "needs 20 GB of memory, of which 16 are free "
                                                                          "and 7 GB of disk, of which 1 are free")):
            self.assertEqual(bench.reason_too_big(Big, made, free), reason)
        self.assertIsNone(bench.reason_too_big(object, False, {"memory": 0, "disk": 0}))
        self.assertEqual(bench.thread_counts_of(Big, [1, 2]), [2])
        self.assertEqual(bench.thread_counts_of(object, [1, 2]), [1, 2])
        self.assertEqual(bench.reasons_too_big({"big": Big}, bench.Context(".", "Big", 1)), {})
        self.assertGreater(min(bench.free_gb().values()), 0)

    def test_what_a_case_is_run_on(self):
        class Big:
            TITLE, CASES, CACHED_CASES, WITHOUT = "Big", {"128": (1,)}, {"1": (1, 2)}, {"other": "no"}
        self.assertEqual(bench.cases_of({"big": Big}, bench.Context(".", "other", 1)), [])
        self.assertEqual([c[1:] for c in bench.cases_of({"big": Big}, bench.Context(".", "Big", 1))],
                         [(0, "Big, 128"), (1, "Big, 1")])
        cached = type("Cached", (Engine,), {"CACHED": True})
        engines = {"ours": cached, "plain": Engine, "other": cached}
        self.assertEqual([list(bench.engines_for(engines, Big, n)) for n in (0, 1)], [["ours", "plain"], ["ours"]])
        without = bench.reasons_against(engines, Big, 1)
        self.assertEqual(without, {"plain": "it has no KV cache here", "other": "no"})
        lines = list(report.without_lines([{"title": "Big, 1", "without": without}], engines))
        self.assertEqual(lines, ["", "- Big, 1, not on An engine: it has no KV cache here", "- Big, 1, not on An engine: no"])

    def test_counts_of_instructions_are_held_to_those_recorded(self):
        record = {"gcc-1": {("a run, of all", "sse2"): 1000, ("gone", "sse2"): 5, ("of another level", "avx2"): 7}}
        self.assertEqual(instructions.parse_record(instructions.format_record(record)), record)
        counts = {("a run, of all", "sse2"): 1020, ("new", "sse2"): 6}
        rows, failed = instructions.compare(record["gcc-1"], counts, ["sse2"])
        self.assertEqual([row[4] for row in rows], ["", "no longer there", "not recorded"])
        self.assertEqual(failed, 2)
        for counted, remark in ((1021, ("worse", True)), (981, ("", False)), (979, ("better", False))):
            self.assertEqual(instructions.judge(1000, counted), remark)
        dump = "desc: Trigger: Client Request: a run, of all\n\nevents: Ir\ntotals: 1020\n"
        self.assertEqual(instructions.parse_dump(dump), ("a run, of all", 1020))
        self.assertIsNone(instructions.parse_dump(dump.replace("Client Request: a run, of all", "Program termination")))

    def test_counts_of_instructions_are_recorded(self):
        with open(instructions.RECORD, encoding="utf-8") as file:
            record = instructions.parse_record(file.read())
        for counts in record.values():
            levels = {level for _, level in counts}
            self.assertEqual({(piece, level) for piece, _ in counts for level in levels}, counts.keys())
            self.assertGreater(len(counts), 20)

    def test_every_engine_and_workload_is_found(self):
        for folder, needed in (("engines", ["TITLE"]), ("workloads", ["TITLE", "OUTPUT", "CASES", "TINY", "model", "inputs"])):
            names = bench.modules_of(folder)
            self.assertGreater(len(names), 1)
            for name in names:
                module = bench.importlib.import_module(f"{folder}.{name}")
                self.assertEqual([n for n in needed if not hasattr(module, n)], [], name)
        self.assertIn(report.OURS, bench.modules_of("engines"))


if __name__ == "__main__":
    WORKER = os.path.abspath(sys.argv.pop(1))
    unittest.main()
