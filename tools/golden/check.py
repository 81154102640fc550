"""`golden.py check`: are the golden files what transformers computes?"""

import collections

import reference
from case import Case, read
from compare import Verdict, compare, compare_tokens


def check_case(case: Case, double: bool) -> Verdict:
    """Every stored output, and `generate`, of one case in one precision."""
    model = reference.load(case, double)
    got = reference.run(case, double, model)
    verdict = Verdict()
    for entry in case.data["outputs"]:
        verdict.add(compare(case.name, entry, case.output(entry), got.get(entry["name"])))
    extra = set(got) - {entry["name"] for entry in case.data["outputs"]}
    if extra:
        verdict.problems.append(f"outputs that the file does not have: {', '.join(sorted(extra))}")
    if "generate" in case.data:
        entry = case.data["generate"]
        ids, _ = reference.generate(case, entry["inputs"], entry.get("start"), double, model)
        verdict.add(compare_tokens(entry, ids))
    return verdict


def report_case(case: Case) -> str:
    """Runs a case in both precisions, prints a line, returns `passed`, `failed` or `unsupported`."""
    try:
        double = check_case(case, double=case.data["reference"] == "f64")
        single = check_case(case, double=False)
    except reference.Unsupported as error:
        print(f"unsupported  {case.name}: {error}", flush=True)
        return "unsupported"
    except Exception as error:
        print(f"failed       {case.name}: {type(error).__name__}: {error}", flush=True)
        return "failed"
    problems = double.problems + [f"float32: {problem}" for problem in single.problems]
    outcome = "failed" if problems else "passed"
    stored = max((entry.get("torch_err", 0.0) for entry in case.data["outputs"]), default=0.0)
    print(
        f"{outcome:12} {case.name}: error of float64 {double.error:.2e}, of float32 {single.error:.2e} "
        f"(torch_err {stored:.2e}, worst {single.worst:.2f})",
        flush=True,
    )
    for problem in problems:
        print(f"             {problem}", flush=True)
    return outcome


def check(paths: list[str], only: str | None) -> int:
    """Checks all cases, or the one named. The exit status: 0 when none failed and some passed."""
    outcomes: collections.Counter = collections.Counter()
    for path in paths:
        if path.endswith("index.json"):
            continue
        for case in read(path):
            if only in (None, case.name):
                outcomes[report_case(case)] += 1
    print(
        f"cases: {outcomes['passed']} passed, {outcomes['failed']} failed, "
        f"{outcomes['unsupported']} unsupported"
    )
    return 0 if outcomes["passed"] and not outcomes["failed"] else 1
