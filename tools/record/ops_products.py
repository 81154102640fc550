"""Products, windows, transforms and indexing. See record_ops.py."""
import math

import numpy as np
import torch
import torch.nn.functional as F

from ops_recorder import FLOATS, INF, MIXED, NAN, records


# --- products ---

@records
def matmul(r):
    for i, (x, y, tx, ty) in enumerate((([3, 5], [5, 4], 0, 0), ([5, 3], [5, 4], 1, 0), ([3, 5], [4, 5], 0, 1), ([5, 3], [4, 5], 1, 1),
                                        ([2, 3, 5], [2, 5, 4], 0, 0), ([2, 1, 3, 5], [3, 4, 5], 0, 1), ([4, 1, 7], [7, 9], 0, 0), ([1, 1], [1, 1], 0, 0),
                                        ([2, 0], [0, 3], 0, 0), ([0, 4], [4, 3], 0, 0), ([5, 33], [33, 17], 0, 0), ([2, 2, 9, 16], [2, 2, 13, 16], 0, 1),
                                        ([1, 1, 1, 2, 1, 2, 3, 4], [1, 1, 1, 1, 2, 1, 4, 2], 0, 0))):
        a, b = r.numbers(*x), r.numbers(*y)
        product = (a.mT if tx else a) @ (b.mT if ty else b)
        r.case(f"m{i}", {"transpose_a": bool(tx), "transpose_b": bool(ty)}, [a, b], product)




@records
def linear(r):
    activations = {"identity": lambda x: x, "gelu": F.gelu, "silu": F.silu, "relu": F.relu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh")}
    for i, (shape, n, bias, residual, activation, in_out) in enumerate((
            ([3, 5], 4, 1, 0, "identity", 0), ([2, 3, 8], 7, 1, 1, "gelu", 0), ([5], 3, 1, 0, "relu", 0), ([1, 16], 33, 0, 0, "identity", 0),
            ([4, 6], 5, 1, 1, "identity", 1), ([2, 3, 9], 4, 0, 1, "silu", 1), ([0, 4], 3, 1, 0, "gelu", 0), ([7, 37], 19, 1, 0, "gelu_tanh", 0),
            ([1, 40], 24, 1, 1, "silu", 0))):
        k = shape[-1]
        x, w = r.numbers(*shape), r.numbers(*([k, n] if in_out else [n, k]), low=-0.5, high=0.5)
        b, s = (r.numbers(n) if bias else None), (r.numbers(*shape[:-1], n) if residual else None)
        y = activations[activation](F.linear(x, w.T if in_out else w, b))
        variants = [[m[0], m[1], m[1] if bias else None, m[0] if residual else None] for m in MIXED]
        r.case(f"l{i}", {"in_out": bool(in_out), "activation": activation}, [x, w, b, s], y + s if residual else y, variants=variants)


def panels(q, bits):
    """Rows of whole numbers as am_quantized_linear_attributes has them; beyond the last row there are zeros."""
    q = F.pad(q, (0, 0, 0, -len(q) % 16))
    q = q.reshape(len(q) // 16, 16, -1, 4 if bits == 8 else 8).permute(0, 2, 1, 3)
    return (q if bits == 8 else q[..., :4] + 16 * q[..., 4:]).to(torch.uint8)


def of_groups(x):
    """[N, groups] as [P, groups, 16]."""
    return F.pad(x, (0, 0, 0, -len(x) % 16)).reshape(-1, 16, x.shape[1]).permute(0, 2, 1)


@records
def quantized_linear(r):
    """x holds 1/64 of whole numbers with 127 in each group, so that rounding it to 8 bits changes nothing."""
    for i, (rows, n, k, group, bits, zeros, bias, residual, activation) in enumerate((
            ([3], 19, 64, 32, 8, 0, 1, 0, "identity"), ([1], 40, 96, 32, 8, 1, 1, 1, "gelu"), ([2, 2], 16, 64, 64, 4, 0, 0, 1, "relu"),
            ([5], 33, 64, 32, 4, 1, 1, 0, "identity"), ([2], 3, 8, 4, 8, 1, 0, 0, "identity"), ([2], 17, 24, 8, 4, 0, 1, 0, "silu"))):
        x = r.integers(-127, 128, *rows, k).to(torch.float64) / 64
        x[..., ::32] = 127 / 64
        q, z = r.integers(0, 2**bits, n, k), (r.integers(0, 2**bits, n, k // group) if zeros else None)
        scale = r.integers(1, 32, n, k // group).to(torch.float64) / 256
        b, s = (r.numbers(n) if bias else None), (r.numbers(*rows, n) if residual else None)
        middle = z if zeros else torch.full_like(q[:, : k // group], 2 ** (bits - 1))
        w = (q - middle.repeat_interleave(group, 1)).to(torch.float64) * scale.repeat_interleave(group, 1)
        y = {"identity": lambda x: x, "gelu": F.gelu, "silu": F.silu, "relu": F.relu}[activation](F.linear(x, w, b))
        inputs = [x, panels(q, bits), of_groups(scale).contiguous(), of_groups(z).to(torch.uint8).contiguous() if zeros else None, b, s]
        variants = [[m[0], "u8", m[1], "u8" if zeros else None, m[1] if bias else None, m[0] if residual else None] for m in MIXED]
        r.case(f"q{i}", {"bits": bits, "columns": n, "group": group, "activation": activation}, inputs, y + s if residual else y, variants=variants)


@records
def grouped_matmul(r):
    for i, (n, s, k, e, m, bias, own) in enumerate(((3, 2, 5, 4, 6, 1, 0), (4, 3, 7, 3, 2, 0, 1), (1, 1, 16, 2, 33, 1, 0), (0, 2, 3, 2, 4, 0, 0), (5, 2, 9, 8, 11, 0, 0))):
        x, experts = r.numbers(*([n, s, k] if own else [n, k])), r.integers(0, e, n, s)
        w, b = r.numbers(e, m, k), r.numbers(e, m) if bias else None
        each = x if own else x[:, None].expand(n, s, k)
        y = torch.einsum("nsk,nsmk->nsm", each, w[experts.long()]) + (b[experts.long()] if bias else 0)
        variants = [[a, "i32", c, c if bias else None] for a, c in MIXED] + [["f32", "i64", "f32", "f32" if bias else None]]
        r.case(f"g{i}", {}, [x, experts, w, b], y, variants=variants)


def padded(x, before, after):
    return F.pad(x, [p for pair in reversed(list(zip(before, after))) for p in pair]) if before else x


CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


@records
def convolution(r):
    rows = (  # input, output channels, kernel, attributes, bias
        ([2, 3, 9], 4, [3], {}, 1),
        ([1, 4, 10], 6, [3], {"stride": [2], "padding_before": [1], "padding_after": [1]}, 1),
        ([1, 4, 11], 4, [3], {"dilation": [2], "groups": 4, "padding_before": [4]}, 0),
        ([2, 3, 8, 8], 5, [4, 4], {"stride": [4, 4]}, 1),
        ([2, 3, 7, 6], 4, [3, 3], {"padding_before": [1, 1], "padding_after": [1, 1]}, 1),
        ([1, 4, 6, 7], 6, [3, 2], {"stride": [2, 1], "dilation": [1, 2], "groups": 2, "padding_before": [0, 2], "padding_after": [1, 0]}, 1),
        ([1, 6, 5, 5], 6, [3, 3], {"groups": 6, "padding_before": [1, 1], "padding_after": [1, 1]}, 1),
        ([2, 5, 4, 4], 7, [1, 1], {}, 0),
        ([1, 2, 4, 5, 4], 3, [2, 3, 2], {"stride": [2, 1, 1], "padding_before": [0, 1, 0], "padding_after": [0, 1, 1]}, 1),
        ([0, 3, 5], 2, [2], {}, 1),
        ([1, 17, 19], 21, [5], {"padding_before": [2], "padding_after": [2]}, 1),
    )
    for i, (shape, o, kernel, attributes, bias) in enumerate(rows):
        dims, groups = len(kernel), attributes.get("groups", 1)
        x, w, b = r.numbers(*shape), r.numbers(o, shape[1] // groups, *kernel), r.numbers(o) if bias else None
        zeros, ones = [0] * dims, [1] * dims
        wide = padded(x, attributes.get("padding_before", zeros), attributes.get("padding_after", zeros))
        if shape[0]:
            y = CONVOLUTIONS[dims](wide, w, b, attributes.get("stride", ones), 0, attributes.get("dilation", ones), groups)
        else:
            y = torch.zeros(0, o, shape[2] - kernel[0] + 1).double()
        variants = [[f, f, f if bias else None] for f in FLOATS] + [["f32", "bf16", "bf16" if bias else None], ["f32", "f16", "f32" if bias else None]]
        r.case(f"c{i}", attributes, [x, w, b], y, variants=variants)


@records
def conv_transpose(r):
    rows = (
        ([2, 3, 5], 4, [3], {}, 1),
        ([1, 4, 6], 2, [4], {"stride": [2], "padding_before": [1], "padding_after": [1]}, 1),
        ([1, 4, 5], 1, [3], {"stride": [3], "groups": 4, "output_padding": [2], "dilation": [2]}, 0),
        ([2, 3, 4, 5], 5, [2, 2], {"stride": [2, 2]}, 1),
        ([1, 4, 3, 4], 3, [3, 2], {"stride": [2, 1], "dilation": [1, 2], "groups": 2, "padding_before": [1, 0], "padding_after": [1, 0],
                                   "output_padding": [1, 0]}, 1),
        ([1, 2, 3, 2, 3], 3, [2, 3, 2], {"stride": [1, 2, 2]}, 1),
    )
    for i, (shape, o, kernel, attributes, bias) in enumerate(rows):
        dims, groups = len(kernel), attributes.get("groups", 1)
        x, w, b = r.numbers(*shape), r.numbers(shape[1], o, *kernel), r.numbers(o * groups) if bias else None
        zeros, ones = [0] * dims, [1] * dims
        y = TRANSPOSED[dims](x, w, b, attributes.get("stride", ones), attributes.get("padding_before", zeros),
                             attributes.get("output_padding", zeros), groups, attributes.get("dilation", ones))
        variants = [[f, f, f if bias else None] for f in FLOATS] + [["f32", "bf16", "bf16" if bias else None]]
        r.case(f"t{i}", attributes, [x, w, b], y, variants=variants)
    x, w = r.numbers(1, 2, 6), r.numbers(2, 3, 4)
    y = F.conv_transpose1d(x, w, stride=2)
    r.case("uneven", {"stride": [2], "padding_before": [3], "padding_after": [1]}, [x, w, None], y[..., 3:-1])


# --- windows ---

@records
def pool(r):
    MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
    AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
    rows = (  # shape, kernel, stride, padding, dilation, ceil
        ([2, 3, 9], [3], None, [0], [1], 0), ([1, 2, 10], [3], [2], [1], [1], 1), ([1, 2, 7, 8], [2, 3], None, [0, 1], [1, 1], 0),
        ([2, 2, 8, 7], [3, 3], [2, 2], [1, 1], [1, 1], 1), ([1, 1, 9, 9], [2, 2], [3, 1], [0, 0], [2, 3], 0), ([1, 2, 4, 5, 4], [2, 2, 3], [1, 2, 1], [1, 0, 1], [1, 1, 1], 0),
        ([1, 1, 5], [2], [3], [0], [1], 1))
    for i, (shape, kernel, stride, padding, dilation, ceil) in enumerate(rows):
        x, dims = r.numbers(*shape), len(kernel)
        attributes = {"kernel": kernel, "padding_before": padding, "padding_after": padding, "dilation": dilation, "ceil_mode": bool(ceil)}
        if stride:
            attributes["stride"] = stride
        r.case(f"max{i}", {"fn": "max", **attributes}, [x], MAX[dims](x, kernel, stride, padding, dilation, bool(ceil)))
        for count in (False, True):
            if max(dilation) == 1:
                y = AVERAGE[dims](x, kernel, stride, padding, bool(ceil), count)
                r.case(f"average{i}{count:d}", {"fn": "average", "count_padding": count, **attributes}, [x], y)
    for i, (shape, size) in enumerate((([2, 3, 7], [3]), ([1, 2, 5, 8], [1, 1]), ([1, 2, 5, 8], [3, 5]), ([1, 2, 3, 4], [5, 6]), ([1, 1, 4, 5, 6], [2, 3, 4]))):
        x = r.numbers(*shape)
        average = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}[len(size)](x, size)
        largest = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}[len(size)](x, size)
        r.case(f"adaptive_average{i}", {"fn": "average", "adaptive": size}, [x], average)
        r.case(f"adaptive_max{i}", {"fn": "max", "adaptive": size}, [x], largest)
    x = torch.tensor([[[1.0, NAN, 2.0, -INF, 3.0]]]).double()
    r.case("max_nan", {"fn": "max", "kernel": [2], "stride": [1]}, [x], F.max_pool1d(x, 2, 1))


@records
def unfold(r):
    for i, (shape, kernel, stride, dilation, padding) in enumerate((([2, 3, 5, 6], [2, 3], [1, 1], [1, 1], [0, 0]), ([1, 2, 7, 7], [3, 3], [2, 2], [1, 2], [1, 1]),
                                                                    ([1, 1, 4, 4], [1, 1], [1, 1], [1, 1], [0, 0]))):
        x = r.numbers(*shape)
        y = F.unfold(x, kernel, dilation, padding, stride)
        attributes = {"kernel": kernel, "stride": stride, "dilation": dilation, "padding_before": padding, "padding_after": padding}
        r.case(f"u{i}", attributes, [x], y)
    x = r.numbers(2, 3, 9)
    y = F.unfold(F.pad(x, (2, 0))[:, :, None], (1, 3)).reshape(2, 9, 9)
    r.case("line", {"kernel": [3], "padding_before": [2]}, [x], y)
    n = r.integers(-9, 9, 1, 2, 4)
    y = torch.stack([n[..., i:i + 3] for i in range(2)], 2).reshape(1, 4, 3)
    r.case("int", {"kernel": [2]}, [n], y)


@records
def fold(r):
    for i, (output, channels, kernel, stride, dilation, padding) in enumerate((([5, 6], 3, [2, 3], [1, 1], [1, 1], [0, 0]), ([7, 7], 2, [3, 3], [2, 2], [1, 2], [1, 1]),
                                                                               ([4, 4], 2, [2, 2], [2, 2], [1, 1], [0, 0]))):
        columns = F.unfold(torch.zeros(2, channels, *output).double(), kernel, dilation, padding, stride)
        x = r.numbers(*columns.shape)
        y = F.fold(x, output, kernel, dilation, padding, stride)
        attributes = {"kernel": kernel, "stride": stride, "dilation": dilation, "padding_before": padding, "padding_after": padding, "output": output}
        r.case(f"f{i}", attributes, [x], y)
    x = r.numbers(1, 4, 6)
    r.case("line", {"kernel": [4], "stride": [2], "output": [14]}, [x], F.fold(x, (1, 14), (1, 4), stride=(1, 2)).reshape(1, 1, 14))


@records
def resize(r):
    linear = {1: "linear", 2: "bilinear", 3: "trilinear"}
    sizes = (([1, 2, 7], [13]), ([1, 2, 13], [5]), ([1, 2, 5, 6], [9, 4]), ([2, 1, 8, 7], [3, 14]), ([1, 1, 4, 4], [4, 4]), ([1, 1, 3, 4, 5], [5, 3, 7]), ([1, 1, 1, 3], [4, 1]))
    for i, (shape, size) in enumerate(sizes):
        x, dims = r.numbers(*shape), len(size)
        for mode, name in (("nearest", "nearest"), ("nearest_exact", "nearest-exact")):
            r.case(f"{mode}{i}", {"mode": mode, "size": size}, [x], F.interpolate(x.float(), size, mode=name))
        r.case(f"area{i}", {"mode": "area", "size": size}, [x], F.interpolate(x, size, mode="area"))
        for corners in (False, True):
            attributes = {"size": size, "align_corners": corners}
            r.case(f"linear{i}{corners:d}", {"mode": "linear", **attributes}, [x], F.interpolate(x, size, mode=linear[dims], align_corners=corners))
            if dims == 2:
                r.case(f"cubic{i}{corners:d}", {"mode": "cubic", **attributes}, [x], F.interpolate(x, size, mode="bicubic", align_corners=corners))
                for mode, name in (("linear", "bilinear"), ("cubic", "bicubic")):
                    y = F.interpolate(x, size, mode=name, align_corners=corners, antialias=True)
                    r.case(f"smooth_{mode}{i}{corners:d}", {"mode": mode, "antialias": True, **attributes}, [x], y)
    for i, (size, to) in enumerate(((6, 14), (14, 6), (3, 21), (10, 7), (49, 224), (224, 49), (37, 518), (100, 37), (30, 90))):
        x = torch.arange(size).double().reshape(1, 1, size)
        for mode, name in (("nearest", "nearest"), ("nearest_exact", "nearest-exact")):
            r.case(f"{mode}_boundaries{i}", {"mode": mode, "size": [to]}, [x], F.interpolate(x.float(), to, mode=name), floats=("f64", "f32"))
    x = r.numbers(1, 1, 5, 7)
    for i, scale in enumerate(((2.3, 1.7), (0.61, 0.5), (1.05, 1.1))):
        size = [math.floor(5 * scale[0]), math.floor(7 * scale[1])]
        for mode, name in (("nearest", "nearest"), ("nearest_exact", "nearest-exact"), ("linear", "bilinear"), ("cubic", "bicubic")):
            y = F.interpolate(x.float() if "nearest" in mode else x, scale_factor=scale, mode=name)
            r.case(f"{mode}_scaled{i}", {"mode": mode, "size": size, "scale_0": scale[0], "scale_1": scale[1]}, [x], y)
    n = torch.arange(6).reshape(1, 1, 2, 3).int()
    r.case("int", {"mode": "nearest", "size": [4, 3]}, [n], n.repeat_interleave(2, 2))


@records
def grid_sample(r):
    paddings = {"constant": "zeros", "replicate": "border", "reflect": "reflection"}
    modes = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}
    for mode, torch_mode in modes.items():
        for padding, torch_padding in paddings.items():
            for corners in (False, True):
                attributes = {"mode": mode, "padding": padding, "align_corners": corners}
                x, grid = r.numbers(2, 2, 4, 5), r.numbers(2, 3, 4, 2, low=-1.7, high=1.7)
                grid[0, 0, 0] = torch.tensor([1.0, -1.0])
                y = F.grid_sample(x, grid, torch_mode, torch_padding, corners)
                r.case(f"{mode}_{padding}{corners:d}", attributes, [x, grid], y, floats=FLOATS if mode != "nearest" else ("f64", "f32"))
                if mode != "cubic":
                    x, grid = r.numbers(1, 2, 3, 4, 3), r.numbers(1, 2, 2, 3, 3, low=-1.5, high=1.5)
                    r.case(f"volume_{mode}_{padding}{corners:d}", attributes, [x, grid], F.grid_sample(x, grid, torch_mode, torch_padding, corners),
                           floats=("f64", "f32"))
    x = r.numbers(1, 1, 3, 4)
    grid = torch.tensor([[[[NAN, 0.0], [0.0, NAN], [INF, 0.0], [-INF, 0.5], [1e10, 0.0]]]]).float().double()
    for mode in modes:
        for padding in ("constant", "replicate"):
            y = F.grid_sample(x, grid, modes[mode], paddings[padding], False)
            r.case(f"{mode}_{padding}_special", {"mode": mode, "padding": padding}, [x, grid], y, floats=("f64", "f32"))
    x = r.numbers(1, 2, 1, 1)
    r.case("one_pixel", {"mode": "linear", "padding": "reflect", "align_corners": True}, [x, r.numbers(1, 2, 2, 2)], x.expand(1, 2, 2, 2))


@records
def fourier(r):
    real = lambda y: torch.view_as_real(y)  # noqa: E731
    for i, (shape, axis, n) in enumerate((([2, 8], 1, 8), ([7, 3], 0, 7), ([2, 5, 3], 1, 9), ([3, 10], 1, 6), ([4], 0, 1), ([2, 25], 1, 25))):
        x = r.numbers(*shape)
        r.case(f"rfft{i}", {"real_input": True, "axis": axis, "length": n}, [x], real(torch.fft.rfft(x, n, axis)), floats=("f64", "f32", "f16"))
        z = r.numbers(*shape, 2)
        complex_z = torch.view_as_complex(z.contiguous())
        r.case(f"fft{i}", {"axis": axis, "length": n}, [z], real(torch.fft.fft(complex_z, n, axis)), floats=("f64", "f32"))
        r.case(f"ifft{i}", {"axis": axis, "length": n, "inverse": True}, [z], real(torch.fft.ifft(complex_z, n, axis)), floats=("f64", "f32"))
        half = r.numbers(*[(n // 2 + 1 if d == axis else s) for d, s in enumerate(shape)], 2)
        y = torch.fft.irfft(torch.view_as_complex(half.contiguous()), n, axis)
        r.case(f"irfft{i}", {"axis": axis, "length": n, "inverse": True, "real_output": True}, [half], y, floats=("f64", "f32"))
    z = r.numbers(3, 2)
    r.case("irfft_padded", {"axis": 0, "length": 12, "inverse": True, "real_output": True}, [z], torch.fft.irfft(torch.view_as_complex(z.contiguous()), 12), floats=("f64", "f32"))


# --- indexing ---

@records
def gather(r):
    for i, (shape, index, axis) in enumerate((([7, 3], [4], 0), ([2, 5, 3], [2, 2], 1), ([4, 6], [], 1), ([3, 5], [0], 0), ([5], [3, 1, 2], 0), ([9, 33], [2, 5], 0))):
        x, indices = r.numbers(*shape), r.integers(0, shape[axis], *index)
        y = x.index_select(axis, indices.long().reshape(-1)).reshape(shape[:axis] + index + shape[axis + 1:])
        r.case(f"slices{i}", {"axis": axis}, [x, indices], y, variants=[[f, k] for f in FLOATS for k in ("i32", "i64")])
    for i, (shape, index, axis) in enumerate((([4, 5], [4, 2], 1), ([4, 5], [3, 5], 0), ([2, 3, 4], [1, 3, 6], 2), ([3, 4], [2, 0], 1))):
        x, indices = r.numbers(*shape), r.integers(0, shape[axis], *index)
        r.case(f"elements{i}", {"axis": axis, "elementwise": True}, [x, indices], x.gather(axis, indices.long()))
    n, indices = r.integers(-9, 9, 3, 4), r.integers(0, 3, 2)
    r.case("int", {"axis": 0}, [n, indices], n[indices.long()], variants=[["i32", "i32"], ["i64", "i32"], ["i8", "i64"]])
    t = r.truths(5)
    r.case("bool", {"axis": 0}, [t, indices], t[indices.long()])


@records
def scatter(r):
    reductions = {"add": "sum", "min": "amin", "max": "amax"}
    for fn in ("set", "add", "min", "max"):
        for i, (shape, count, axis) in enumerate((([5, 3], 4, 0), ([2, 6, 3], 3, 1), ([4, 5], 0, 1))):
            x = r.numbers(*shape)
            index = torch.from_numpy(r.random.permutation(shape[axis])[:count].astype(np.int32)) if fn == "set" else r.integers(0, shape[axis], count)
            updates = r.numbers(*[count if d == axis else s for d, s in enumerate(shape)])
            wide = index.long().reshape([-1 if d == axis else 1 for d in range(len(shape))]).expand(updates.shape)
            y = x.scatter(axis, wide, updates) if fn == "set" else x.scatter_reduce(axis, wide, updates, reductions[fn])
            floats = FLOATS if fn != "add" else ("f64",)  # every addition rounds
            r.case(f"{fn}{i}", {"axis": axis, "fn": fn}, [x, index, updates], y, variants=[[f, k, f] for f in floats for k in ("i32", "i64")])
        for i, (shape, index_shape, axis) in enumerate((([4, 5], [4, 2], 1), ([4, 5], [3, 5], 0), ([2, 3, 4], [1, 3, 4], 2))):
            x, updates = r.numbers(*shape), r.numbers(*index_shape)
            if fn == "set":
                index = torch.from_numpy(np.argsort(r.random.uniform(0, 1, [shape[axis] if d == axis else s for d, s in enumerate(index_shape)]), axis).astype(np.int32))
                index = index.narrow(axis, 0, index_shape[axis]).contiguous()
            else:
                index = r.integers(0, shape[axis], *index_shape)
            y = x.scatter(axis, index.long(), updates) if fn == "set" else x.scatter_reduce(axis, index.long(), updates, reductions[fn])
            r.case(f"{fn}_elements{i}", {"axis": axis, "fn": fn, "elementwise": True}, [x, index, updates], y,
                   floats=FLOATS if fn != "add" else ("f64",))
        n, index, updates = r.integers(-9, 9, 5), torch.tensor([1, 3], dtype=torch.int32), r.integers(-9, 9, 2)
        y = n.scatter(0, index.long(), updates) if fn == "set" else n.scatter_reduce(0, index.long(), updates, reductions[fn])
        r.case(fn + "_int", {"axis": 0, "fn": fn}, [n, index, updates], y, variants=[["i32", "i32", "i32"], ["i64", "i32", "i64"]])
    x, index, updates = r.numbers(6, 3), torch.tensor([4, 0, 3], dtype=torch.int32), r.numbers(3, 3)
    r.case("add_once", {"axis": 0, "fn": "add"}, [x, index, updates], x.index_add(0, index, updates))
    x, index, updates = r.numbers(4), torch.tensor([2, 1, 2, 2], dtype=torch.int32), r.numbers(4)
    y = x.clone()
    for at, value in zip(index.tolist(), updates):
        y[at] = value
    r.case("last_wins", {"axis": 0}, [x, index, updates], y)
