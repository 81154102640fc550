"""One engine a file, found by its name.

    TITLE               how the report calls it
    prepare(...)        optional: makes what it needs of a case, such as an exported graph; runs once
    command(...)        optional: the program that answers bench's protocol (see worker.py); without it, worker.py
                        runs and calls
    CACHED              optional: true where it runs CACHED_CASES and STEP_CASES (workloads/__init__.py)
    TOLERANCE           optional: how far from the others its answers may be (measure.py has what else holds)
    round_weights(...)  optional: makes a model's weights what the engine rounds them to; its answers are then compared
                        with PyTorch's of that model alone
    DECODERS_ONLY       optional: true where it runs decoders only (LAST_LOGITS of workloads/__init__.py)
    ROUNDS_WEIGHTS      optional: true where it rounds weights to fewer bits than the files have, and is compared with
                        its like alone
    reason_against(...) optional: why it cannot run here, or None
    details()           optional: what the report says of how the library was built
    load(...)           returns a function of no arguments that computes the output as a float32 array

All libraries are imported inside the functions: bench.py itself needs none of them.
"""
