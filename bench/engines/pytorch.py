"""transformers on PyTorch, eager mode with its scaled dot product attention."""

TITLE = "PyTorch"


def load(model, case, inputs, threads):
    import torch
    from prepare import open_model, output_name

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    opened = open_model(model)
    output = output_name(case)
    feed = {name: torch.from_numpy(value) for name, value in inputs.items()}
    return lambda: getattr(opened(**feed), output).numpy()
