"""This project with the cpu's kernels, through its public C interface (bench/anymodel_worker.c)."""

from engines import _target

TITLE = "anymodel"
CACHED = True


def command(build, model, case, threads):
    return _target.command("cpu", build, model, case, threads)
