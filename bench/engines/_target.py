"""What the engines anymodel_<target>.py have in common: this project with another target required."""

import json
import subprocess


def command(target, build, model, case, threads, *weights):
    return ["env", f"ANYMODEL_TARGET={target}", "ANYMODEL_TARGET_POLICY=require", f"ANYMODEL_LIBEXEC={build}",
            f"{build}/bench/anymodel_worker", model, case,
            str(threads), *weights]


def reason_against(target, build):
    """None where the target can run, else why not."""
    answer = subprocess.run([f"{build}/anymodel", "targets", "--json"], capture_output=True, text=True, check=True)
    row = next(row for row in json.loads(answer.stdout) if row["name"] == target)
    return None if row["available"] else row["reason"]
