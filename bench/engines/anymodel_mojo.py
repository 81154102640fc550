"""This project with its target mojo required: nothing of a run is computed elsewhere."""

from engines import _target

TITLE = "anymodel on Mojo"


def command(build, model, case, threads):
    return _target.command("mojo", build, model, case, threads)


def reason_against(build):
    return _target.reason_against("mojo", build)
