#!/usr/bin/env python3
"""Records what Jinja2, in the environment that transformers makes for chat templates, answers to small templates.

Usage: tools/record/record_chat_templates.py        writes tests/unit/text/data/jinja_snippets.json
Needs transformers and jinja2. Each case of the file: "template", and "text" (with "spans" of generation blocks where there are
any) or "error" (class) and "message". The variables are the same for all.
"""
import json
import os
import sys

from chat_template_snippets import SNIPPETS, VARIABLES

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.join(ROOT, "tests/unit/text/data/jinja_snippets.json")
NOW = "2025-02-03T04:05:06"


def freeze_clock(utils):
    import datetime

    class Frozen(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromisoformat(NOW)

    utils.datetime = Frozen


def message_of(error):
    """Without the places that Python adds: they count lines of generated code."""
    if isinstance(error, SyntaxError):
        return error.msg
    return error.message if type(error).__name__ in ("TemplateSyntaxError", "TemplateAssertionError") else str(error)


def record(utils, template):
    case = {"template": template}
    variables = json.loads(json.dumps(VARIABLES))
    try:
        compiled = utils._compile_jinja_template(template)
        text, spans = utils._render_with_assistant_indices(
            compiled, variables["messages"], None, None, False, **variables["arguments"])
        text.encode()
        case["text"] = text
        if spans:
            case["spans"] = spans
    except Exception as error:  # what a template raises is what is recorded
        case["error"] = type(error).__name__
        case["message"] = message_of(error)
    return case


def main():
    from transformers.utils import chat_template_utils as utils

    freeze_clock(utils)
    cases = [record(utils, template) for topic in SNIPPETS.values() for template in topic]
    addresses = [case["template"] for case in cases if " at 0x" in case.get("text", "")]
    if addresses:
        sys.exit(f"these print addresses, which differ from run to run: {addresses}")
    with open(OUT, "w", encoding="utf-8") as file:
        file.write(json.dumps({"now": NOW, **VARIABLES, "cases": cases}, ensure_ascii=False, indent=0) + "\n")
    print(f"{len(cases)} cases, {sum('error' in case for case in cases)} of them errors")


if __name__ == "__main__":
    main()
