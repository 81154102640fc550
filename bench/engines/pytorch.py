"""transformers on PyTorch, eager mode with its scaled dot product attention."""

TITLE = "PyTorch"
CACHED = True


def step_after(opened, ids, cached, output, arguments):
    """A function that reads the rest of `ids` after `cached` of them, which are read once."""
    cache = opened(input_ids=ids[:, :cached], use_cache=True).past_key_values

    def run():
        answer = getattr(opened(input_ids=ids[:, cached:], past_key_values=cache, use_cache=True, **arguments), output)
        cache.crop(cached - ids.shape[1])  # takes as many off
        return answer.float().numpy()

    return run


def steps_of(opened, feed, output):
    """A function that reads decoder_input_ids one at a time after the encoder."""
    ids, encoder_feed = feed["decoder_input_ids"], {k: v for k, v in feed.items() if k != "decoder_input_ids"}

    def run():
        encoded, cache = opened.get_encoder()(**encoder_feed), None
        for t in range(ids.shape[1]):
            answer = opened(encoder_outputs=encoded, decoder_input_ids=ids[:, t:t + 1], past_key_values=cache,
                            use_cache=True)
            cache = answer.past_key_values
        return getattr(answer, output).float().numpy()

    return run


def load(model, case, inputs, threads):
    import torch
    from prepare import arguments_of, cached_of, has_steps, open_model, output_name

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    opened = open_model(model)
    output, cached, arguments = output_name(case), cached_of(case), arguments_of(case)
    feed = {name: torch.from_numpy(value) for name, value in inputs.items()}
    if has_steps(case):
        return steps_of(opened, feed, output)
    if cached:
        return step_after(opened, feed["input_ids"], cached, output, arguments)
    return lambda: getattr(opened(**feed, **arguments), output).float().numpy()
