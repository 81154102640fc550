"""Composites. See record_ops.py."""
import numpy as np
import torch
import torch.nn.functional as F

from ops_recorder import FLOATS, INF, NAN, records


# --- composites ---

@records
def embedding(r):
    for i, (v, c, shape) in enumerate(((7, 5, [3]), (5, 33, [2, 4]), (4, 3, []), (3, 2, [0]))):
        table, ids = r.numbers(v, c), r.integers(0, v, *shape)
        r.case(f"e{i}", {}, [table, ids], F.embedding(ids.long(), table), variants=[[f, k] for f in FLOATS for k in ("i32", "i64")])


@records
def norm(r):
    def optional(present, *shape):
        return r.numbers(*shape) if present else None

    def cases(name, attributes, inputs, y):
        variants = [[f if x is not None else None for x in inputs] for f in FLOATS]
        variants += [["f32"] + ["bf16" if x is not None else None for x in inputs[1:]]]
        r.case(name, attributes, inputs, y, variants=variants)

    for i, (shape, weight, bias, eps) in enumerate((([3, 8], 1, 1, 1e-5), ([2, 3, 7], 1, 0, 1e-12), ([5], 0, 0, 1e-6), ([2, 33], 1, 1, 1e-5), ([0, 4], 1, 1, 1e-5), ([3, 1], 1, 1, 1e-5))):
        x, w, b = r.numbers(*shape), optional(weight, shape[-1]), optional(bias, shape[-1])
        cases(f"layer{i}", {"kind": "layer", "eps": eps}, [x, w, b, None, None], F.layer_norm(x, shape[-1:], w, b, eps))
        for offset in (0.0, 1.0):
            y = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps)
            y = y * (w + offset) if w is not None else y
            y = y + b if b is not None else y
            cases(f"rms{i}_{offset:.0f}", {"kind": "rms", "eps": eps, "weight_offset": offset}, [x, w, b, None, None], y)
    for i, (shape, groups, weight, bias) in enumerate((([2, 6, 5], 3, 1, 1), ([2, 4, 3, 3], 4, 0, 0), ([1, 4, 7], 1, 1, 0), ([2, 6], 2, 1, 1), ([1, 4, 2, 3, 2], 2, 1, 1))):
        x, w, b = r.numbers(*shape), optional(weight, shape[1]), optional(bias, shape[1])
        cases(f"group{i}", {"kind": "group", "eps": 1e-5, "groups": groups}, [x, w, b, None, None], F.group_norm(x, groups, w, b, 1e-5))
    for i, (shape, weight, bias) in enumerate((([2, 3, 5], 1, 1), ([2, 4, 3, 3], 0, 0), ([3, 5], 1, 1))):
        x, w, b = r.numbers(*shape), optional(weight, shape[1]), optional(bias, shape[1])
        mean, variance = r.numbers(shape[1]), r.numbers(shape[1], low=0.25, high=2)
        cases(f"batch{i}", {"kind": "batch", "eps": 1e-3}, [x, w, b, mean, variance], F.batch_norm(x, mean, variance, w, b, False, 0, 1e-3))


@records
def softmax(r):
    for i, (shape, axis) in enumerate((([5], 0), ([3, 7], 1), ([3, 7], 0), ([2, 5, 3], 1), ([4, 67], 1), ([2, 1], 1), ([0, 3], 1), ([2, 0], 1))):
        x = r.numbers(*shape, low=-8, high=8)
        r.case(f"plain{i}", {"axis": axis}, [x], F.softmax(x, axis))
        r.case(f"log{i}", {"axis": axis, "log": True}, [x], F.log_softmax(x, axis))
    x = torch.tensor([[1.0, -INF, 2.0], [-INF, -INF, 3.0], [1e4, 1e4, -1e4], [-INF, -INF, -INF], [NAN, 0.0, 1.0]]).double()
    r.case("special", {"axis": 1}, [x], F.softmax(x, 1))


def attention_of(q, k, v, mask, bias, sinks, offset, scale=0.0, soft_cap=0.0, causal=False, window=0):
    b, t, h, d = q.shape
    s, g = k.shape[1], k.shape[2]
    k, v = (x.repeat_interleave(h // g, 2).transpose(1, 2) for x in (k, v))
    scores = q.transpose(1, 2) @ k.mT * (scale or d**-0.5)
    if soft_cap:
        scores = soft_cap * torch.tanh(scores / soft_cap)
    if bias is not None:
        scores = scores + bias
    begin = int(offset) if offset is not None else s - t
    i, j = torch.arange(t)[:, None] + begin, torch.arange(s)[None]
    seen = torch.ones(t, s, dtype=torch.bool)
    if causal:
        seen &= j <= i
    if window:
        seen &= (i - j < window) & (torch.tensor(causal) | (j - i < window))
    if mask is not None:
        seen = seen & mask
    scores = scores.masked_fill(~seen, -3.4028234663852886e38)
    if offset is not None:
        scores = scores.masked_fill(j >= begin + t, -INF)
    if sinks is not None:
        scores = torch.cat([scores, sinks.reshape(1, h, 1, 1).expand(b, h, t, 1)], -1)
    return (scores.softmax(-1)[..., :s] @ v).transpose(1, 2)


@records
def attention(r):
    rows = (  # B T H D S G E, what is given, attributes
        ("plain", (2, 3, 2, 4, 3, 2, 4), "", {}),
        ("causal", (1, 5, 2, 4, 5, 2, 4), "", {"causal": True}),
        ("grouped", (1, 4, 4, 8, 6, 2, 8), "", {"causal": True, "scale": 0.3}),
        ("cross", (2, 3, 2, 4, 7, 1, 5), "mask", {}),
        ("window", (1, 7, 2, 4, 7, 2, 4), "", {"causal": True, "window": 3}),
        ("both_sides", (1, 7, 1, 4, 7, 1, 4), "", {"window": 2}),
        ("biased", (2, 4, 2, 4, 4, 2, 4), "bias", {"scale": 1.0}),
        ("capped", (1, 4, 2, 8, 4, 2, 8), "mask", {"soft_cap": 5.0, "causal": True}),
        ("sinks", (1, 5, 4, 4, 5, 2, 4), "sinks", {"causal": True, "window": 4}),
        ("cached", (1, 2, 2, 4, 9, 1, 4), "offset", {"causal": True}),
        ("cached_one", (2, 1, 4, 8, 16, 2, 8), "offset mask", {"causal": True, "window": 3}),
        ("all", (2, 3, 4, 6, 8, 2, 3), "mask bias sinks offset", {"causal": True, "soft_cap": 20.0, "scale": 0.2}),
        ("long", (1, 9, 2, 16, 41, 1, 16), "", {"causal": True}),
        ("nothing_seen", (1, 2, 1, 4, 3, 1, 4), "nothing", {}),
        ("no_queries", (1, 0, 2, 4, 3, 2, 4), "", {}),
    )
    for name, (b, t, h, d, s, g, e), given, attributes in rows:
        q, k, v = r.numbers(b, t, h, d), r.numbers(b, s, g, d), r.numbers(b, s, g, e)
        mask = r.truths(b, 1, 1, s, part=0.7) if "mask" in given else None
        if mask is not None:
            mask[..., 0] = True
        if "nothing" in given:
            mask = torch.tensor([[True, True, False], [False, False, False]])
        bias = r.numbers(1, h, t, s) if "bias" in given else None
        sinks = r.numbers(h) if "sinks" in given else None
        offset = torch.tensor(3, dtype=torch.int32) if "offset" in given else None
        inputs = [q, k, v, mask, bias, sinks, offset]
        y = attention_of(*inputs, **attributes)
        if name == "plain":
            torch.testing.assert_close(y, F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)).transpose(1, 2))
        variants = [[r.dtype(x, f) for x in inputs] for f in FLOATS]
        variants += [["f32", c, c] + [r.dtype(x, "f32") for x in inputs[3:]] for c in ("bf16", "f16")]
        r.case(name, attributes, inputs, y, variants=variants)


@records
def rope(r):
    for i, (b, t, h, d, half, tables) in enumerate(((2, 3, 2, 8, 4, 1), (1, 5, 3, 10, 3, 1), (2, 4, 1, 6, 3, 2), (1, 1, 2, 34, 17, 1), (1, 0, 2, 4, 2, 1))):
        x, angle = r.numbers(b, t, h, d), r.numbers(tables, t, half, low=-6, high=6)
        cos, sin = angle.cos().float().double(), angle.sin().float().double()
        for interleaved in (False, True):
            part, rest = x[..., :2 * half], x[..., 2 * half:]
            first, second = (part[..., 0::2], part[..., 1::2]) if interleaved else (part[..., :half], part[..., half:])
            c, s = cos[:, :, None], sin[:, :, None]
            u, v = first * c - second * s, second * c + first * s
            y = torch.stack([u, v], -1).flatten(-2) if interleaved else torch.cat([u, v], -1)
            r.case(f"r{i}{interleaved:d}", {"interleaved": interleaved}, [x, cos, sin], torch.cat([y, rest], -1))


@records
def gated_activation(r):
    functions = {"silu": F.silu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "relu": F.relu, "sigmoid": torch.sigmoid}
    for fn, function in functions.items():
        for i, shape in enumerate(([3, 8], [2, 3, 37], [6], [0, 4])):
            gate, up = r.numbers(*shape, low=-6, high=6), r.numbers(*shape)
            r.case(f"{fn}{i}", {"fn": fn}, [gate, up], function(gate) * up)
            packed = torch.cat([gate, up], -1)
            r.case(f"{fn}_packed{i}", {"fn": fn}, [packed, None], function(gate) * up)


@records
def expert_routing(r):
    def route(logits, bias, top_k, groups=0, group_top_k=0, group_best=0, sigmoid=False, normalize=False, softmax_after=False, scale=0.0):
        scores = logits if softmax_after else logits.sigmoid() if sigmoid else logits.softmax(-1)
        choice = scores if bias is None else scores + bias
        if groups:
            grouped = choice.unflatten(-1, (groups, -1))
            worth = grouped.topk(group_best or 2, -1)[0].sum(-1)
            best = worth.topk(group_top_k, -1)[1]
            kept = torch.zeros_like(worth).scatter(1, best, 1).bool()
            choice = grouped.masked_fill(~kept[..., None], -INF).flatten(-2)
        experts = choice.sort(dim=-1, descending=True, stable=True)[1][:, :top_k]
        weights = scores.gather(1, experts)
        weights = weights.softmax(-1) if softmax_after else weights
        weights = weights / (weights.sum(-1, keepdim=True) + 1e-20) if normalize else weights
        return [weights * (scale or 1), experts.int()]

    rows = (("softmax", 5, 8, 0, {"top_k": 2}), ("normalized", 4, 6, 0, {"top_k": 3, "normalize": True, "scale": 2.5}),
            ("after", 4, 8, 0, {"top_k": 4, "softmax_after": True}), ("sigmoid", 3, 8, 1, {"top_k": 2, "sigmoid": True, "normalize": True}),
            ("groups", 5, 12, 1, {"top_k": 3, "groups": 4, "group_top_k": 2, "sigmoid": True, "normalize": True, "scale": 2.5}),
            ("groups_of_best", 5, 8, 0, {"top_k": 2, "groups": 4, "group_top_k": 2, "group_best": 1}), ("one", 3, 1, 0, {"top_k": 1}),
            ("all", 2, 4, 0, {"top_k": 4}), ("biased_after", 3, 5, 1, {"top_k": 2, "softmax_after": True}), ("no_rows", 0, 4, 0, {"top_k": 2}))
    for name, n, e, bias, attributes in rows:
        # Far enough apart that rounding to half precision changes no choice.
        logits = torch.from_numpy(np.stack([r.random.permutation(e) for _ in range(n)]).astype(np.float64) * 0.5 if n else np.zeros((0, e)))
        b = torch.from_numpy(r.random.permutation(e).astype(np.float64) * 2.0**-5) if bias else None
        r.case(name, attributes, [logits, b], route(logits, b, **attributes))
    ties = torch.tensor([[1.0, 2.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]]).double()
    r.case("ties", {"top_k": 3}, [ties, None], route(ties, None, 3))


@records
def recurrence(r):
    def ordered(series, reverse):
        return [x.flip(1) for x in series] if reverse else series

    def run(name, kind, series, others, states, step, like=0, reverse=False, order=None, narrow=True):
        """step(inputs at t, others, states) -> y, states. order: the node's inputs as (list, index)."""
        given, held, outputs = ordered(series, reverse), states, []
        for t in range(series[0].shape[1]):
            y, held = step([x[:, t] for x in given], others, held)
            outputs.append(y)
        y = torch.stack(outputs, 1)
        y = y.flip(1) if reverse else y
        inputs = order(series, others) + states
        variants = [[f] * len(inputs) for f in (FLOATS if narrow else ("f64", "f32"))]
        if narrow:
            variants += [["bf16"] * (len(inputs) - len(states)) + ["f32"] * len(states)]
        r.case(name, {"kind": kind, "reverse": reverse}, inputs, [y, *held], variants=variants)
        return y, held

    def linear(x, _, h):
        h = x[1] * h[0] + x[0]
        return h, [h]

    def lstm(x, o, s):
        i, f, g, out = (x[0] + s[0] @ o[0].T).chunk(4, -1)
        c = f.sigmoid() * s[1] + i.sigmoid() * g.tanh()
        h = out.sigmoid() * c.tanh()
        return h, [h, c]

    def gru(x, o, s):
        (xr, xz, xn), (hr, hz, hn) = x[0].chunk(3, -1), (s[0] @ o[0].T + o[1]).chunk(3, -1)
        z, n = (xz + hz).sigmoid(), (xn + (xr + hr).sigmoid() * hn).tanh()
        h = (1 - z) * n + z * s[0]
        return h, [h]

    def selective(x, o, s):
        u, delta, b, c = x
        if b.dim() == 3:
            b, c = (v.repeat_interleave(u.shape[1] // b.shape[1], 1) for v in (b, c))
        else:
            b, c = b[:, None], c[:, None]
        h = (delta[..., None] * o[0]).exp() * s[0] + (delta * u)[..., None] * b
        return (h * c).sum(-1), [h]

    def delta_rule(x, _, s):
        q, k, v, decay, beta = x
        h = s[0] * (decay if decay.dim() == 3 else decay[..., None])[..., None].exp()
        change = (v - (h * k[..., None]).sum(-2)) * beta[..., None]
        h = h + k[..., None] * change[..., None, :]
        return (h * q[..., None]).sum(-2), [h]

    for reverse in (False, True):
        tag = "_reverse" if reverse else ""
        run("linear" + tag, "linear", [r.numbers(2, 5, 3, 2), r.numbers(2, 5, 3, 2, low=0, high=1)], [], [r.numbers(2, 3, 2)], linear, reverse=reverse,
            order=lambda s, o: s)
        x, w, h, c = r.numbers(2, 4, 12), r.numbers(12, 3), r.numbers(2, 3), r.numbers(2, 3)
        y, held = run("lstm" + tag, "lstm", [x], [w], [h, c], lstm, reverse=reverse, order=lambda s, o: s + o)
        if not reverse:  # the input side made by an identity
            net = torch.nn.LSTM(12, 3, batch_first=True).double()
            net.weight_ih_l0.data, net.weight_hh_l0.data = torch.eye(12).double(), w
            net.bias_ih_l0.data.zero_(), net.bias_hh_l0.data.zero_()
            theirs = net(x, (h[None], c[None]))
            torch.testing.assert_close(theirs[0], y), torch.testing.assert_close(theirs[1][1][0], held[1])
        x, w, bias, h = r.numbers(2, 4, 9), r.numbers(9, 3), r.numbers(9), r.numbers(2, 3)
        y, held = run("gru" + tag, "gru", [x], [w, bias], [h], gru, reverse=reverse, order=lambda s, o: s + o)
        if not reverse:
            net = torch.nn.GRU(9, 3, batch_first=True).double()
            net.weight_ih_l0.data, net.weight_hh_l0.data, net.bias_hh_l0.data = torch.eye(9).double(), w, bias
            net.bias_ih_l0.data.zero_()
            torch.testing.assert_close(net(x, h[None])[0], y)
        series = [r.numbers(2, 4, 6), r.numbers(2, 4, 6, low=0.1, high=1), r.numbers(2, 4, 3), r.numbers(2, 4, 3)]
        run("selective_scan" + tag, "selective_scan", series, [r.numbers(6, 3, low=-2, high=-0.1)], [r.numbers(2, 6, 3)], selective, reverse=reverse,
            order=lambda s, o: [s[0], s[1], o[0], s[2], s[3]])
        series = [r.numbers(2, 4, 2, 3, low=-1, high=1), r.numbers(2, 4, 2, 3, low=-1, high=1), r.numbers(2, 4, 2, 5), r.numbers(2, 4, 2, low=-1, high=0),
                  r.numbers(2, 4, 2, low=0, high=1)]
        run("gated_delta" + tag, "gated_delta", series, [], [r.numbers(2, 2, 3, 5)], delta_rule, reverse=reverse, order=lambda s, o: s)
    series = [r.numbers(1, 3, 6), r.numbers(1, 3, 6, low=0.1, high=1), r.numbers(1, 3, 2, 4), r.numbers(1, 3, 2, 4)]
    run("selective_scan_groups", "selective_scan", series, [r.numbers(6, 4, low=-2, high=-0.1)], [r.numbers(1, 6, 4)], selective,
        order=lambda s, o: [s[0], s[1], o[0], s[2], s[3]])
    series = [r.numbers(1, 3, 2, 3, low=-1, high=1), r.numbers(1, 3, 2, 3, low=-1, high=1), r.numbers(1, 3, 2, 4), r.numbers(1, 3, 2, 3, low=-1, high=0),
              r.numbers(1, 3, 2, low=0, high=1)]
    run("gated_delta_by_key", "gated_delta", series, [], [r.numbers(1, 2, 3, 4)], delta_rule, order=lambda s, o: s)
