"""This project, through its public C interface (bench/anymodel_worker.c)."""

TITLE = "anymodel"


def command(build, model, case, threads):
    return [f"{build}/bench/anymodel_worker", model, case, str(threads)]
