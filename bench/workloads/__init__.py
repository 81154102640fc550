"""One workload a file, found by its name.

    TITLE       how the report calls it
    OUTPUT      the output that engines are compared on, as transformers names it
    CASES       {name: what inputs() takes}
    model()     the model of transformers, its weights still to be drawn
    inputs(...) {name: tensor} of a case

Libraries are imported inside the functions: bench.py itself needs none of them.
"""
