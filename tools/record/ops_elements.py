"""Ops that make, move and change elements. See record_ops.py."""
import math

import numpy as np
import torch
import torch.nn.functional as F

from ops_recorder import FLOATS, INF, NAN, records, same


# --- sources ---

def splitmix(seed, count):
    mask, numbers = (1 << 64) - 1, []
    for i in range(count):
        z = (seed + (i + 1) * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
        numbers.append(z ^ z >> 31)
    return numbers


@records
def random(r):
    for name, seed, shape in (("small", 1, [2, 3, 5]), ("negative_seed", -77, [40]), ("scalar", 5, []), ("empty", 9, [0, 3])):
        z = splitmix(seed & (1 << 64) - 1, math.prod(shape))
        uniform = torch.tensor([(v >> 40) * 2.0**-24 for v in z], dtype=torch.float64).reshape(shape)
        between = torch.tensor([((v >> 11) + 0.5) * 2.0**-53 for v in z], dtype=torch.float64).reshape(shape)
        r.case(name, {"shape": shape, "seed": seed}, [], uniform)
        r.case(name + "_normal", {"shape": shape, "seed": seed, "normal": True}, [], torch.special.ndtri(between))


@records
def iota(r):
    for dtype, axis, start, step in (("i32", 1, 3, 2), ("i64", 0, -1, -1), ("f32", 2, 0.5, 0.25), ("f16", 1, 1, 3), ("f64", 0, 1e-3, 0.1)):
        shape = [3, 4, 2]
        line = start + step * torch.arange(shape[axis], dtype=torch.float64)
        y = line.reshape([-1 if i == axis else 1 for i in range(3)]).expand(shape)
        r.case(dtype, {"dtype": dtype, "shape": shape, "axis": axis, "start": start, "step": step}, [], y if dtype[0] == "f" else y.int())


# --- movement ---

def movement(r, name, attributes, function, *shape):
    """The same for floats, integers and truth values."""
    x = r.numbers(*shape)
    r.case(name, attributes, [x], function(x))
    x = r.integers(-100, 100, *shape)
    r.case(name + "_int", attributes, [x], function(x), variants=[["i32"], ["i64"], ["i16"], ["i8"]])
    x = r.truths(*shape)
    r.case(name + "_bool", attributes, [x], function(x))


@records
def reshape(r):
    movement(r, "split", {"shape": [2, 2, 3, 5]}, lambda x: x.reshape(2, 2, 3, 5), 4, 15)
    movement(r, "to_eight", {"shape": [1, 2, 1, 3, 1, 2, 1, 1]}, lambda x: x.reshape(1, 2, 1, 3, 1, 2, 1, 1), 12)
    movement(r, "to_scalar", {"shape": []}, lambda x: x.reshape(()), 1, 1)
    movement(r, "empty", {"shape": [0, 7]}, lambda x: x.reshape(0, 7), 3, 0, 2)


@records
def permute(r):
    for order, shape in (([1, 0], [5, 7]), ([0, 2, 1], [2, 3, 5]), ([2, 0, 1], [3, 4, 5]), ([0, 2, 1, 3], [2, 5, 3, 4]),
                         ([3, 1, 0, 2], [2, 3, 1, 5]), ([7, 6, 5, 4, 3, 2, 1, 0], [2, 1, 2, 3, 1, 2, 1, 2]), ([], []), ([1, 0, 2], [3, 0, 2])):
        movement(r, "o" + "".join(map(str, order)), {"order": order}, lambda x: x.permute(order), *shape)


@records
def broadcast(r):
    for name, shape, to in (("rows", [5], [3, 5]), ("columns", [4, 1], [4, 6]), ("scalar", [], [2, 3]), ("middle", [2, 1, 3], [2, 4, 3]),
                            ("eight", [1, 2, 1], [1, 2, 1, 2, 1, 3, 2, 4]), ("nothing", [1, 3], [0, 3]), ("same", [2, 3], [2, 3])):
        movement(r, name, {"shape": to}, lambda x: x.expand(to), *shape)


@records
def slice_(r):
    for name, shape, axis, start, count, step in (("middle", [5, 7], 1, 2, 3, 1), ("outer", [6, 3], 0, 1, 4, 1), ("stepped", [9], 0, 1, 4, 2),
                                                  ("backward", [4, 5], 1, 4, 5, -1), ("backward_stepped", [7, 2], 0, 6, 3, -3),
                                                  ("inner", [2, 5, 3], 1, 3, 2, 1), ("nothing", [3, 4], 1, 0, 0, 1)):
        index = torch.tensor([start + i * step for i in range(count)], dtype=torch.long)
        movement(r, name, {"axis": axis, "start": start, "count": count, "step": step}, lambda x: x.index_select(axis, index), *shape)


@records
def concat(r):
    for name, shapes, axis in (("rows", [[2, 3], [1, 3], [4, 3]], 0), ("columns", [[3, 1], [3, 4]], 1), ("middle", [[2, 1, 3], [2, 2, 3]], 1),
                               ("one", [[3]], 0), ("with_nothing", [[2, 0], [2, 3], [2, 0]], 1)):
        parts = [r.numbers(*s) for s in shapes]
        r.case(name, {"axis": axis}, parts, torch.cat(parts, axis))
        parts = [r.integers(-9, 9, *s) for s in shapes]
        r.case(name + "_int", {"axis": axis}, parts, torch.cat(parts, axis), variants=[same("i32", len(parts)), same("i64", len(parts))])


@records
def pad(r):
    modes = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    for mode, name in modes.items():
        for shape, before, after in (([5], [2], [3]), ([3, 4], [0, 3], [2, 1]), ([2, 3, 4], [1, 0, 3], [0, 2, 2])):
            x = r.numbers(*shape)
            y = torch.from_numpy(np.pad(x.numpy(), list(zip(before, after)), mode=name))
            r.case(f"{mode}{len(shape)}", {"mode": mode, "before": before, "after": after}, [x], y)
    x = r.numbers(3, 5)
    r.case("number", {"before": [1, 0], "after": [0, 2], "value": -1.5}, [x], F.pad(x, (0, 2, 1, 0), value=-1.5))
    r.case("minus_infinity", {"before": [0, 1], "after": [0, 0], "value": -INF}, [x], F.pad(x, (1, 0), value=-INF))
    r.case("cropped", {"before": [-1, 2], "after": [0, -3]}, [x], F.pad(x, (2, -3, -1, 0)))
    n = r.integers(-9, 9, 2, 3)
    r.case("int", {"before": [0, 1], "after": [1, 0], "value": 7}, [n], F.pad(n, (1, 0, 0, 1), value=7), variants=[["i32"], ["i64"]])
    t = r.truths(3)
    r.case("bool", {"before": [1], "after": [1], "value": 1}, [t], F.pad(t, (1, 1), value=True))
    r.case("empty", {"before": [0, 2], "after": [0, 1]}, [r.numbers(0, 3)], torch.zeros(0, 6, dtype=torch.float64))


@records
def cast(r):
    torch_types = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "f8_e4m3": torch.float8_e4m3fn,
                   "f8_e5m2": torch.float8_e5m2, "i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8,
                   "u8": torch.uint8, "bool": torch.bool}
    tricky = torch.tensor([0.0, -0.0, 1e-8, -6e-8, 1e-5, 0.1, 0.3333333, 1 + 2**-11, 1 + 3 * 2**-11, 1.0039062, 100.6, -447.9, 448, 65519, 65520,
                           -57343, 1e6, 3e38, INF, -INF, NAN]).float().double()
    small = torch.tensor([0.0, 0.9, -0.9, 1.5, 2.5, -2.5, 100.7, 127, 77]).float().double()
    for name, to in torch_types.items():
        x = tricky if to.is_floating_point else small
        x = torch.tensor([0.0, 0.5, 3.99, 255]).float().double() if name == "u8" else x
        y = x.float().to(to)
        r.case("to_" + name, {"dtype": name}, [x], y.double() if to.is_floating_point else y.long() if name != "bool" else y, floats=("f64", "f32"))
        n = torch.tensor([0, 1, 7, 100, 127])
        y = n.to(to)
        r.case("int_to_" + name, {"dtype": name}, [n], y.double() if to.is_floating_point else y.long() if name != "bool" else y,
               variants=[["i64"], ["i32"], ["i16"], ["i8"], ["u8"]])
        t = torch.tensor([True, False])
        y = t.to(to)
        r.case("bool_to_" + name, {"dtype": name}, [t], y.double() if to.is_floating_point else y.long() if name != "bool" else y)
    n = torch.tensor([300, -1, 2**31, -(2**31) - 1, 2**40 + 5])
    for name in ("i32", "i16", "i8", "u8", "bool"):
        y = n.to(torch_types[name])
        r.case("wrapped_to_" + name, {"dtype": name}, [n], y if name == "bool" else y.long())
    x = torch.tensor([1.0, 1 + 2**-7, 2**-14, 2**-24, -3.5, 448]).double()
    for name in ("f16", "bf16"):
        r.case("from_half_to_" + name, {"dtype": name}, [x], x.to(torch_types[name]).double(), floats=("f16",))


# --- pointwise ---

ALL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1e-3, -2e-4, 1e-20, 3.0, -3.0, 6.5, -7.25, 20.0, -20.0, 100.0, -100.0, 2.5, 3.5, -1.5, INF, -INF, NAN]
UNARY = {
    "identity": lambda x: x, "abs": torch.abs, "neg": torch.neg, "sign": lambda x: torch.from_numpy(np.sign(x.numpy())), "reciprocal": torch.reciprocal, "square": torch.square,
    "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "exp": torch.exp, "expm1": torch.expm1, "log": torch.log, "log1p": torch.log1p,
    "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "asin": torch.asin, "acos": torch.acos, "atan": torch.atan, "sinh": torch.sinh,
    "cosh": torch.cosh, "tanh": torch.tanh, "asinh": torch.asinh, "acosh": torch.acosh, "atanh": torch.atanh, "erf": torch.erf,
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "trunc": torch.trunc, "sigmoid": torch.sigmoid,
    "log_sigmoid": F.logsigmoid, "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)), "relu": F.relu, "relu6": F.relu6,
    "relu2": lambda x: F.relu(x).square(), "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x), "silu": F.silu, "mish": F.mish, "hard_sigmoid": F.hardsigmoid,
    "hard_swish": F.hardswish, "elu": F.elu, "logical_not": torch.logical_not, "is_nan": torch.isnan, "is_inf": torch.isinf,
    "normal_icdf": torch.special.ndtri,
}
LIMITS_UNDEFINED = {"gelu", "gelu_tanh", "quick_gelu", "silu", "mish", "hard_swish"}  # infinity times zero: asked of finite numbers only


@records
def unary(r):
    for name, function in UNARY.items():
        x = torch.tensor(ALL).float().double()
        if name == "normal_icdf":
            x = torch.tensor([0.0, 1.0, 0.5, 0.25, 1e-6, 0.02, 0.03, 0.97, 0.98, 0.999999, -0.5, 1.5, NAN]).float().double()
        if name in LIMITS_UNDEFINED:
            x = x[x.isfinite()]
        r.case(name, {"fn": name}, [x], function(x), floats=("f64", "f32") if name == "normal_icdf" else FLOATS)
        if name in ("exp", "gelu", "silu", "tanh", "sigmoid", "erf", "gelu_tanh", "relu"):
            many = r.numbers(3, 37, low=-9, high=9)
            r.case(name + "_many", {"fn": name}, [many], function(many))
    n = torch.tensor([0, 1, -1, 5, -7, 100, -100], dtype=torch.int32)
    for name in ("identity", "abs", "neg", "sign", "square", "relu"):
        variants = [["i32"], ["i64"]] if name == "square" else [["i32"], ["i64"], ["i16"], ["i8"]]
        r.case(name + "_int", {"fn": name}, [n], UNARY[name](n), variants=variants)
    r.case("logical_not_bool", {"fn": "logical_not"}, [torch.tensor([True, False])], torch.tensor([False, True]))
    r.case("scalar", {"fn": "exp"}, [torch.tensor(0.75).double()], torch.tensor(0.75).double().exp())
    r.case("empty", {"fn": "exp"}, [torch.zeros(2, 0).double()], torch.zeros(2, 0).double())


BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "mod": torch.remainder, "pow": torch.pow, "atan2": torch.atan2,
    "min": torch.minimum, "max": torch.maximum, "equal": torch.eq, "not_equal": torch.ne, "less": torch.lt, "less_equal": torch.le,
    "greater": torch.gt, "greater_equal": torch.ge, "logical_and": torch.logical_and, "logical_or": torch.logical_or,
    "logical_xor": torch.logical_xor, "bit_and": torch.bitwise_and, "bit_or": torch.bitwise_or, "bit_xor": torch.bitwise_xor,
}


@records
def binary(r):
    x = torch.tensor([0.0, -0.0, 1.5, -1.5, 7.25, -7.25, 3.0, INF, -INF, NAN]).float().double()
    for name, function in BINARY.items():
        if not name.startswith("bit"):
            r.case(name, {"fn": name}, [x[:, None], x], function(x[:, None], x))
            a, b = r.numbers(2, 3, 5, low=0.5, high=3), r.numbers(3, 1, low=-2, high=3)
            r.case(name + "_broadcast", {"fn": name}, [a, b], function(a, b))
        if name != "atan2":
            n = torch.tensor([1, 2, -3, 7, -7, 5], dtype=torch.int32)
            m = torch.tensor([3, 2, 1, 4] if name == "pow" else [3, -2, 1, -4], dtype=torch.int32)
            divide = {"div": lambda p, q: torch.div(p, q, rounding_mode="floor")}.get(name, function)
            r.case(name + "_int", {"fn": name}, [n[:, None], m], divide(n[:, None], m), variants=[same("i32", 2), same("i64", 2)])
        if name not in ("add", "sub", "mul", "div", "mod", "pow", "atan2", "min", "max"):
            p, q = torch.tensor([True, False])[:, None], torch.tensor([True, False])
            y = function(p.int(), q.int()).bool() if name.startswith(("less", "greater")) else function(p, q)
            r.case(name + "_bool", {"fn": name}, [p, q], y)
    for name, shapes in (("eight", ([2, 1, 1, 2, 1, 1, 2, 3], [1, 2, 1, 1, 3, 1, 2, 1])), ("scalars", ([], [])), ("scalar", ([2, 3], [])),
                         ("row", ([4, 5], [5])), ("column", ([4, 5], [4, 1])), ("channels", ([2, 3, 5, 7], [3, 1, 1])), ("empty", ([0, 3], [1, 3])),
                         ("outer", ([1, 37], [5, 1])), ("large", ([3, 67], [3, 67]))):
        a, b = (r.numbers(*s) for s in shapes)
        r.case("add_" + name, {"fn": "add"}, [a, b], a + b)
        r.case("mul_" + name, {"fn": "mul"}, [a, b], a * b)


@records
def select(r):
    for name, shapes in (("same", ([3, 5], [3, 5], [3, 5])), ("rows", ([3, 1], [5], [3, 5])), ("scalars", ([], [2, 3], [])),
                         ("eight", ([2, 1, 1, 2, 1, 2, 1, 1], [1, 3, 1, 1, 1, 1, 2, 2], [2])), ("empty", ([0, 2], [1, 2], [2]))):
        condition, x, y = r.truths(*shapes[0]), r.numbers(*shapes[1]), r.numbers(*shapes[2])
        r.case(name, {}, [condition, x, y], torch.where(condition, x, y))
    condition, x, y = r.truths(4), r.integers(-9, 9, 4), r.integers(-9, 9, 2, 4)
    r.case("int", {}, [condition, x, y], torch.where(condition, x, y), variants=[["bool", "i32", "i32"], ["bool", "i64", "i64"]])
    r.case("keeps_nan_out", {}, [torch.tensor([True, False]), torch.tensor([1.0, NAN]).double(), torch.tensor([INF, 2.0]).double()],
           torch.tensor([1.0, 2.0]).double())


# --- along an axis ---

def reduced(fn, x, axes, keep):
    axes = tuple(axes)
    if not axes:
        return x
    if fn == "prod":
        for axis in reversed(axes):
            x = x.prod(axis, keepdim=keep)
        return x
    return {"sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin, "any": torch.any, "all": torch.all}[fn](x, axes, keepdim=keep)


@records
def reduce(r):
    places = (([3, 5], [1]), ([3, 5], [0]), ([2, 3, 4], [0, 2]), ([2, 3, 4], [0, 1, 2]), ([2, 7, 5], [1]), ([4, 67], [1]), ([2, 3], []),
              ([1, 2, 1, 3, 2, 1, 2, 2], [1, 3, 6]), ([0, 3], [1]))
    for fn in ("sum", "mean", "max", "min", "prod"):
        for i, (shape, axes) in enumerate(places):
            x, keep = r.numbers(*shape), i % 2 == 0
            r.case(f"{fn}{i}", {"fn": fn, "axes": axes, "keep_dims": keep}, [x], reduced(fn, x, axes, keep))
        x = torch.tensor([[1.0, NAN, 2.0], [INF, 1.0, 3.0], [-INF, 2.0, 0.5]]).double()
        r.case(f"{fn}_special", {"fn": fn, "axes": [1]}, [x], reduced(fn, x, [1], False))
        if fn != "mean":
            n = r.integers(-5, 6, 3, 4)
            r.case(f"{fn}_int", {"fn": fn, "axes": [0]}, [n], reduced(fn, n, [0], False).int(), variants=[["i32"], ["i64"]])
    for fn, value in (("sum", 0.0), ("prod", 1.0), ("mean", NAN)):
        r.case(f"{fn}_of_nothing", {"fn": fn, "axes": [1]}, [torch.zeros(2, 0).double()], torch.full((2,), value).double())
    for fn in ("any", "all"):
        t = torch.tensor([[True, True], [True, False], [False, False]])
        r.case(fn, {"fn": fn, "axes": [1], "keep_dims": True}, [t], reduced(fn, t, [1], True))
        r.case(fn + "_of_nothing", {"fn": fn, "axes": [0]}, [torch.zeros(0, 2).bool()], torch.full((2,), fn == "all"))


@records
def arg_reduce(r):
    for is_min in (False, True):
        pick = torch.argmin if is_min else torch.argmax
        name = "min" if is_min else "max"
        for i, (shape, axis) in enumerate((([5], 0), ([3, 7], 1), ([3, 7], 0), ([2, 5, 3], 1), ([4, 67], 1), ([0, 3], 1))):
            x = r.numbers(*shape)
            r.case(f"{name}{i}", {"is_min": is_min, "axis": axis}, [x], pick(x, axis).int(), floats=("f64", "f32"))
        ties = torch.tensor([[1.0, 2.0, 2.0, 1.0], [NAN, 5.0, NAN, 1.0], [-INF, -INF, INF, INF], [0.0, -0.0, 0.0, -0.0]]).double()
        r.case(f"{name}_ties", {"is_min": is_min, "axis": 1}, [ties], pick(ties, 1).int())
        n = r.integers(-3, 4, 4, 6)
        r.case(f"{name}_int", {"is_min": is_min, "axis": 1}, [n], torch.from_numpy((np.argmin if is_min else np.argmax)(n.numpy(), 1)).int(),
               variants=[["i32"], ["i64"]])


@records
def scan(r):
    functions = {"sum": lambda x, a: x.cumsum(a, dtype=x.dtype), "prod": lambda x, a: x.cumprod(a, dtype=x.dtype),
                 "max": lambda x, a: x.cummax(a)[0], "min": lambda x, a: x.cummin(a)[0]}
    first = {"sum": 0, "prod": 1, "max": -INF, "min": INF}

    def scanned(fn, x, axis, exclusive, reverse, begin):
        x = x.flip(axis) if reverse else x
        y = functions[fn](x, axis)
        if exclusive:
            y = torch.cat([torch.full_like(x.narrow(axis, 0, 1), begin), y.narrow(axis, 0, x.shape[axis] - 1)], axis)
        return y.flip(axis) if reverse else y

    for fn in functions:
        for i, (shape, axis) in enumerate((([7], 0), ([3, 5], 1), ([3, 5], 0), ([2, 4, 3], 1))):
            for exclusive in (False, True):
                for reverse in (False, True):
                    x = r.numbers(*shape)
                    attributes = {"fn": fn, "axis": axis, "exclusive": exclusive, "reverse": reverse}
                    r.case(f"{fn}{i}{exclusive:d}{reverse:d}", attributes, [x], scanned(fn, x, axis, exclusive, reverse, first[fn]),
                           floats=FLOATS if i == 0 else ("f64", "f32"))
        x = torch.tensor([1.0, 3.0, NAN, 2.0]).double()
        r.case(fn + "_nan", {"fn": fn, "axis": 0}, [x], functions[fn](x, 0))
        n = r.integers(-3, 4, 5)
        r.case(fn + "_int", {"fn": fn, "axis": 0, "reverse": True}, [n], scanned(fn, n, 0, False, True, 0), variants=[["i32"], ["i64"]])
    r.case("max_int_exclusive", {"fn": "max", "axis": 0, "exclusive": True}, [torch.tensor([3, 1, 5])], torch.tensor([-(2**63), 3, 3]))
    r.case("min_byte_exclusive", {"fn": "min", "axis": 0, "exclusive": True}, [torch.tensor([3, 1, 5])], torch.tensor([255, 3, 1]), variants=[["u8"]])
    r.case("empty", {"fn": "sum", "axis": 1}, [torch.zeros(2, 0).double()], torch.zeros(2, 0).double())


@records
def sort(r):
    for descending in (False, True):
        name = "descending" if descending else "ascending"
        for i, (shape, axis) in enumerate((([9], 0), ([3, 7], 1), ([7, 3], 0), ([2, 5, 3], 1), ([0, 3], 0))):
            x = (r.numbers(*shape) * 2).round() / 2  # many equals
            y = torch.sort(x, dim=axis, descending=descending, stable=True)
            r.case(f"{name}{i}", {"axis": axis, "descending": descending}, [x], [y[0], y[1].int()])
        x = torch.tensor([1.0, NAN, -INF, INF, 0.0, -0.0, NAN, -2.0, 0.0]).double()
        y = torch.sort(x, descending=descending, stable=True)
        r.case(name + "_special", {"axis": 0, "descending": descending}, [x], [y[0], y[1].int()])
        n = r.integers(-4, 5, 2, 11)
        y = torch.sort(n, descending=descending, stable=True)
        r.case(name + "_int", {"axis": 1, "descending": descending}, [n], [y[0], y[1].int()], variants=[["i32"], ["i64"], ["i8"]])
        t = r.truths(7)
        y = torch.sort(t, descending=descending, stable=True)
        r.case(name + "_bool", {"axis": 0, "descending": descending}, [t], [y[0], y[1].int()])


@records
def top_k(r):
    for smallest in (False, True):
        name = "smallest" if smallest else "largest"
        for i, (shape, axis, k) in enumerate((([9], 0, 3), ([3, 7], 1, 7), ([7, 3], 0, 2), ([2, 5, 3], 1, 1), ([3, 4], 1, 0), ([4, 67], 1, 5))):
            x = (r.numbers(*shape) * 3).round() / 3
            x = x.float().double()
            y = torch.sort(x, dim=axis, descending=not smallest, stable=True)
            r.case(f"{name}{i}", {"axis": axis, "k": k, "smallest": smallest}, [x], [y[0].narrow(axis, 0, k), y[1].narrow(axis, 0, k).int()],
                   floats=("f64", "f32"))
        x = torch.tensor([1.0, NAN, -INF, INF, 0.0, -0.0, NAN, -2.0]).double()
        y = torch.sort(x, descending=not smallest, stable=True)
        r.case(name + "_special", {"axis": 0, "k": 8, "smallest": smallest}, [x], [y[0], y[1].int()])
        n = r.integers(-4, 5, 2, 6)
        y = torch.sort(n, descending=not smallest, stable=True)
        r.case(name + "_int", {"axis": 1, "k": 4, "smallest": smallest}, [n], [y[0][:, :4], y[1][:, :4].int()], variants=[["i32"], ["i64"]])


@records
def search_sorted(r):
    for right in (False, True):
        name = "right" if right else "left"
        row = torch.tensor([-2.0, -0.5, 0.25, 0.25, 1.0, 3.0]).double()
        values = torch.tensor([[-9.0, -2.0, 0.25], [0.3125, 3.0, 99.0], [NAN, INF, -INF]]).double()
        r.case(name, {"right": right}, [row, values], torch.searchsorted(row, values, right=right).int())
        rows = r.numbers(2, 3, 5).sort(-1)[0]
        values = r.numbers(2, 3, 4)
        r.case(name + "_rows", {"right": right}, [rows, values], torch.searchsorted(rows, values, right=right).int(), floats=("f64", "f32"))
        n, m = torch.tensor([1, 3, 3, 9], dtype=torch.int32), torch.tensor([0, 1, 3, 4, 10], dtype=torch.int32)
        r.case(name + "_int", {"right": right}, [n, m], torch.searchsorted(n, m, right=right).int(), variants=[same("i32", 2), same("i64", 2)])
        r.case(name + "_scalar", {"right": right}, [row, torch.tensor(0.25).double()], torch.searchsorted(row, 0.25, right=right).int().reshape(()))
        r.case(name + "_in_nothing", {"right": right}, [row[:0], row[:2]], torch.zeros(2).int())
