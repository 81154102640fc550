"""One workload a file, found by its name.

    TITLE       how the report calls it
    OUTPUT      the output that engines are compared on, as transformers names it
    CASES       {name: what inputs() takes}
    CACHED_CASES optional: {name: (batch, N)}; N tokens are in the KV cache, a run is one more
    STEP_CASES  optional, of an encoder-decoder without CACHED_CASES: {name: what inputs() takes}; a run is the encoder
                once, then decoder_input_ids one at a time with a KV cache, and its answer the last one's logits
    LAST_LOGITS optional: true for a decoder: its OUTPUT is logits, of which those of the last position alone are computed
    DTYPE       optional: the dtype its weights are saved in (float32), as such models are published
    WITHOUT     optional: {engine: why it cannot run this}
    NEEDS_GB    optional: {"memory": n, "disk": n} that making and timing it takes, where that is much: a machine that has
                less free leaves it out, which the report says; --only runs it all the same. It is timed with the most
                threads alone
    TINY        arguments of model() that make a small one, for trying the bench itself; weights of narrow layers are drawn
                larger, so that attention has something to tell apart and a wrong order of numbers shows
    model()     the model of transformers, its weights still to be drawn
    inputs(...) {name: tensor} of a case

Libraries are imported inside the functions: bench.py itself needs none of them.
"""


def all_cases(workload):
    """{name: sizes} in the order of their numbers."""
    return {**workload.CASES, **getattr(workload, "CACHED_CASES", {}), **getattr(workload, "STEP_CASES", {})}


def is_decoder(workload):
    return getattr(workload, "LAST_LOGITS", False)
