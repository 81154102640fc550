"""What the engines anymodel_int8 and anymodel_int4 have in common: weights as docs/weights.md says they are rounded, written
here once more, so that answers are compared with those of the numbers that are meant."""

GROUP = 32  # neighbours along K that share a scale, or the whole row where 32 does not divide K
MINIMUM = 64  # rows and columns of a weight that is rounded
REACHES = (8, 7.6, 8.4, 7.2, 8.8, 9.2)  # what the number that is furthest from 0, of two the positive one, becomes


def to_bf16(scale):
    import torch
    return scale.to(torch.bfloat16).float()


def scales_of_8_bits(groups):
    return groups.abs().amax(-1, keepdim=True) / 127


def scales_of_4_bits(groups):
    """Of some scales the one that leaves the least squared error, each fitted to the numbers that it gives."""
    import torch
    low, high = groups.amin(-1, keepdim=True).clamp(max=0), groups.amax(-1, keepdim=True).clamp(min=0)
    furthest = torch.where(-low > high, low, high)
    shares = groups / furthest
    best, fits = torch.zeros_like(furthest), torch.zeros_like(furthest)
    for reach in REACHES:
        numbers = (shares * -reach).round().clamp(-8, 7)
        products, squares = ((numbers * x).sum(-1, keepdim=True) for x in (shares, numbers))
        fit = products * products / squares
        best = torch.where(fit > fits, products / squares, best)
        fits = torch.maximum(fit, fits)
    return best * furthest


def round_matrix(weight, bits):
    """weight: [N, K], float32."""
    group = GROUP if weight.shape[1] % GROUP == 0 else weight.shape[1]
    groups = weight.reshape(len(weight), -1, group)
    scales = to_bf16((scales_of_8_bits if bits == 8 else scales_of_4_bits)(groups))
    limits = (-127, 127) if bits == 8 else (-8, 7)
    numbers = (groups / scales).round().clamp(*limits)
    return numbers.mul(scales).where(scales != 0, 0).reshape(weight.shape)


def round_linear_layers(model, bits):
    """Embeddings that a head is tied to stay as they are."""
    import torch
    from transformers.pytorch_utils import Conv1D
    for module in model.modules():
        if not isinstance(module, (torch.nn.Linear, Conv1D)):
            continue
        weight = module.weight.data
        weight = weight if isinstance(module, torch.nn.Linear) else weight.T
        if min(weight.shape) >= MINIMUM and weight.shape[1] % (32 // bits) == 0:
            rounded = torch.cat([round_matrix(rows.contiguous(), bits) for rows in weight.split(1024)])
            rounded = rounded if isinstance(module, torch.nn.Linear) else rounded.T.contiguous()
            module.weight = torch.nn.Parameter(rounded, requires_grad=False)
