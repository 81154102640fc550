"""The passing rule: when an output is close enough to the reference."""

import dataclasses

import numpy as np

import formula

FAR = 1e30  # numbers beyond stand for masked places: their value does not matter
MARGIN = 1e-3  # two tokens this close may come out in either order


@dataclasses.dataclass
class Verdict:
    """What came of comparing. `error` is the largest difference, `worst` that over the stored torch_err."""

    problems: list[str] = dataclasses.field(default_factory=list)
    error: float = 0.0
    worst: float = 0.0

    def add(self, other: "Verdict") -> None:
        self.problems += other.problems
        self.error, self.worst = max(self.error, other.error), max(self.worst, other.worst)


def statistics(array: np.ndarray) -> dict[str, float]:
    """rms, mean and largest absolute value of all elements that are not far, and how many are."""
    flat = array.astype(np.float64).ravel()
    near = flat[np.abs(flat) <= FAR]
    if near.size == 0:
        return {"rms": 0.0, "mean": 0.0, "max": 0.0, "far": flat.size}
    return {
        "rms": float(np.sqrt(np.mean(near**2))),
        "mean": float(near.mean()),
        "max": float(np.abs(near).max()),
        "far": flat.size - near.size,
    }


def stored_part(case: str, entry: dict, whole: np.ndarray) -> np.ndarray:
    """The elements of a whole output that the golden file keeps."""
    if entry["stored"] == "full":
        return whole
    return whole.ravel()[formula.sample_positions(case, entry["name"], whole.size)]


def tolerance(entry: dict) -> float:
    """How far an element may be from the reference."""
    if "torch_err" in entry:
        return max(10 * entry["torch_err"], 1e-5 * entry["rms"])
    return 1e-4 * entry["rms"] + 1e-6


def compare(case: str, entry: dict, reference: np.ndarray, got: np.ndarray | None) -> Verdict:
    """One output against its entry in the golden file. `reference` is the stored array, `got` the whole
    tensor."""
    name = entry["name"]
    if entry.get("random"):
        return Verdict()
    if got is None:
        return Verdict([f"{name}: expected, and not in the output"])
    if list(got.shape) != entry["shape"]:
        return Verdict([f"{name}: shape: expected {entry['shape']}, found {list(got.shape)}"])
    part = stored_part(case, entry, got)
    if not entry["dtype"].startswith("F"):
        unequal = int((part != reference).sum())
        return Verdict([f"{name}: {unequal} elements differ"] if unequal else [])
    return compare_floats(entry, reference.astype(np.float64), part.astype(np.float64), statistics(got))


def compare_floats(entry: dict, reference: np.ndarray, part: np.ndarray, whole: dict[str, float]) -> Verdict:
    """Stored elements, far places, mean and rms of a floating-point output."""
    verdict, allowed, name = Verdict(), tolerance(entry), entry["name"]
    if whole["far"] != entry.get("far", 0):
        verdict.problems.append(
            f"{name}: elements beyond 1e30: expected {entry.get('far', 0)}, found {whole['far']}"
        )
    far = np.abs(reference) > FAR
    if not np.array_equal(far, np.abs(part) > FAR):
        verdict.problems.append(f"{name}: elements beyond 1e30 stand in other places")
        return verdict
    difference = np.abs(part[~far] - reference[~far])
    verdict.error = float(difference.max()) if difference.size else 0.0
    verdict.worst = verdict.error / entry["torch_err"] if entry.get("torch_err") else 0.0
    if not verdict.error <= allowed:  # written so that a NaN fails
        verdict.problems.append(f"{name}: error {verdict.error:.3e}, allowed {allowed:.3e}")
    for key in ("mean", "rms"):
        off = abs(whole[key] - entry[key])
        if not off <= allowed + 1e-6 * entry["rms"]:
            verdict.problems.append(f"{name}: {key}: expected {entry[key]:.7g}, found {whole[key]:.7g}")
    return verdict


def compare_tokens(entry: dict, ids: list[list[int]]) -> Verdict:
    """Generated ids: equal, unless the choice between two tokens was a close one."""
    if ids == entry["ids"] or entry["min_margin"] < MARGIN:
        return Verdict()
    return Verdict([f"generate: expected {entry['ids']}, found {ids}"])
