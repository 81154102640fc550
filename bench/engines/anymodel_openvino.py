"""This project with its target openvino required: nothing of a run is computed elsewhere."""

from engines import _target

TITLE = "anymodel on OpenVINO"


def command(build, model, case, threads):
    return _target.command("openvino", build, model, case, threads)


def reason_against(build):
    return _target.reason_against("openvino", build)
