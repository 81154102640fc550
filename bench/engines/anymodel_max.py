"""This project with its target max required: nothing of a run is computed elsewhere."""

from engines import _target

TITLE = "anymodel on MAX"


def command(build, model, case, threads):
    return _target.command("max", build, model, case, threads)


def reason_against(build):
    return _target.reason_against("max", build)
