# Recurrences over time, and the routing of experts.
from functions import *
from gemm import multiply

# Words of every recurrence: inputs (six), y, the two states after the last step, T, whether from the end, then what the
# kind needs. States are worked on where they are given out; they hold those before the first step when a kernel begins.
comptime Y = 6
comptime STATE = 7
comptime SECOND = 8
comptime STEPS = 9
comptime BACKWARD = 10
comptime MORE = 11


@always_inline
def step_at(args: Args, b: Int, k: Int) -> Int:
    var T = integer(args, STEPS)
    return b * T + (T - 1 - k if integer(args, BACKWARD) != 0 else k)


# --- recurrence_linear: inputs x, a; more: elements of a step; elements of the states ---


def recurrence_linear(args: Args, begin: Int, end: Int):
    var n = integer(args, MORE)
    var i = begin
    while i < end:  # a stretch within one row of the batch
        var b = i // n
        var stop = min(end, (b + 1) * n)
        for k in range(integer(args, STEPS)):
            var at = step_at(args, b, k) * n - b * n
            for e in range(i, stop):
                var h = address[F32](args, 1).unsafe_load(at + e) * address[F32](args, STATE).unsafe_load(e)
                h += address[F32](args, 0).unsafe_load(at + e)
                address[F32](args, STATE).unsafe_store(e, h)
                address[F32](args, Y).unsafe_store(at + e, h)
        i = stop


# --- recurrence_lstm, recurrence_gru: inputs x, weight, bias (GRU); more: H, spare: [B, 4 H]; rows of the batch ---


@always_inline
def sigmoid_of(x: Float32) -> Float32:
    return sigmoid(V[1](x))[0]


@always_inline
def tanh_of(x: Float32) -> Float32:
    return hyperbolic_tangent(V[1](x))[0]


def recurrence_lstm(args: Args, begin: Int, end: Int):
    var H = integer(args, MORE)
    for b in range(begin, end):
        var gates = address[F32](args, MORE + 1).unsafe_offset(b * 4 * H)
        var h = address[F32](args, STATE).unsafe_offset(b * H)
        var c = address[F32](args, SECOND).unsafe_offset(b * H)
        for k in range(integer(args, STEPS)):
            var at = step_at(args, b, k)
            var x = address[F32](args, 0).unsafe_offset(at * 4 * H)
            multiply(h, H, 1, address[F32](args, 1), H, False, 0, 4 * H, H, gates, 4 * H)
            for i in range(H):
                var keep = sigmoid_of(x.unsafe_load(H + i) + gates.unsafe_load(H + i))
                var take = sigmoid_of(x.unsafe_load(i) + gates.unsafe_load(i))
                var new = tanh_of(x.unsafe_load(2 * H + i) + gates.unsafe_load(2 * H + i))
                var show = sigmoid_of(x.unsafe_load(3 * H + i) + gates.unsafe_load(3 * H + i))
                c.unsafe_store(i, keep * c.unsafe_load(i) + take * new)
                h.unsafe_store(i, show * tanh_of(c.unsafe_load(i)))
                address[F32](args, Y).unsafe_store(at * H + i, h.unsafe_load(i))


def recurrence_gru(args: Args, begin: Int, end: Int):
    var H = integer(args, MORE)
    var bias = address[F32](args, 2)
    for b in range(begin, end):
        var u = address[F32](args, MORE + 1).unsafe_offset(b * 4 * H)
        var h = address[F32](args, STATE).unsafe_offset(b * H)
        for k in range(integer(args, STEPS)):
            var at = step_at(args, b, k)
            var x = address[F32](args, 0).unsafe_offset(at * 3 * H)
            multiply(h, H, 1, address[F32](args, 1), H, False, 0, 3 * H, H, u, 3 * H)
            for i in range(H):
                var reset = sigmoid_of(x.unsafe_load(i) + (u.unsafe_load(i) + bias.unsafe_load(i)))
                var keep = sigmoid_of(x.unsafe_load(H + i) + (u.unsafe_load(H + i) + bias.unsafe_load(H + i)))
                var old = u.unsafe_load(2 * H + i) + bias.unsafe_load(2 * H + i)
                var new = tanh_of(x.unsafe_load(2 * H + i) + reset * old)
                h.unsafe_store(i, (1 - keep) * new + keep * h.unsafe_load(i))
                address[F32](args, Y).unsafe_store(at * H + i, h.unsafe_load(i))


# --- recurrence_selective_scan: inputs x, delta, A, B, C; more: D, N, G; channels of all rows of the batch ---


def recurrence_selective_scan(args: Args, begin: Int, end: Int):
    var D = integer(args, MORE)
    var N = integer(args, MORE + 1)
    var G = integer(args, MORE + 2)
    for item in range(begin, end):
        var d = item % D
        var decay = address[F32](args, 2).unsafe_offset(d * N)
        var h = address[F32](args, STATE).unsafe_offset(item * N)
        for k in range(integer(args, STEPS)):
            var at = step_at(args, item // D, k)
            var x = address[F32](args, 0).unsafe_load(at * D + d)
            var delta = address[F32](args, 1).unsafe_load(at * D + d)
            var shared = (at * G + d // (D // G)) * N
            var B = address[F32](args, 3).unsafe_offset(shared)
            var C = address[F32](args, 4).unsafe_offset(shared)
            var sums = V[W](0)
            var n = 0
            while n + W <= N:
                var new = exponential(delta * decay.unsafe_load[width=W](n)) * h.unsafe_load[width=W](n)
                new += delta * B.unsafe_load[width=W](n) * x
                h.unsafe_store(n, new)
                sums += C.unsafe_load[width=W](n) * new
                n += W
            var y = sums.reduce_add()
            while n < N:
                var new = exponential(V[1](delta * decay.unsafe_load(n)))[0] * h.unsafe_load(n)
                new += delta * B.unsafe_load(n) * x
                h.unsafe_store(n, new)
                y += C.unsafe_load(n) * new
                n += 1
            address[F32](args, Y).unsafe_store(at * D + d, y)


# --- recurrence_gated_delta: inputs q, k, v, decay, beta; more: H, K, V, whether a decay for each k, spare: [B H, V];
# heads of all rows of the batch ---


# target += source * factor
@always_inline
def add_scaled(source: P[F32], factor: Float32, target: P[F32], count: Int):
    var i = 0
    while i + W <= count:
        target.unsafe_store(
            i, source.unsafe_load[width=W](i).fma(V[W](factor), target.unsafe_load[width=W](i))
        )
        i += W
    while i < count:
        target.unsafe_store(i, source.unsafe_load[width=1](i).fma(V[1](factor), target.unsafe_load[width=1](i)))
        i += 1


def delta_step(args: Args, head_at: Int, h: P[F32], change: P[F32]):
    var keys = integer(args, MORE + 1)
    var values = integer(args, MORE + 2)
    var by_key = integer(args, MORE + 3) != 0
    var beta = address[F32](args, 4).unsafe_load(head_at)
    var y = address[F32](args, Y).unsafe_offset(head_at * values)
    for j in range(values):
        change.unsafe_store(j, Float32(0))
        y.unsafe_store(j, Float32(0))
    for i in range(keys):
        var row = h.unsafe_offset(i * values)
        var decay = address[F32](args, 3).unsafe_load(head_at * keys + i if by_key else head_at)
        var factor = exponential(V[1](decay))[0]
        for j in range(values):
            row.unsafe_store(j, row.unsafe_load(j) * factor)
        add_scaled(row, address[F32](args, 1).unsafe_load(head_at * keys + i), change, values)
    for j in range(values):
        var value = address[F32](args, 2).unsafe_load(head_at * values + j)
        change.unsafe_store(j, beta * (value - change.unsafe_load(j)))
    for i in range(keys):
        var row = h.unsafe_offset(i * values)
        add_scaled(change, address[F32](args, 1).unsafe_load(head_at * keys + i), row, values)
        add_scaled(row, address[F32](args, 0).unsafe_load(head_at * keys + i), y, values)


def recurrence_gated_delta(args: Args, begin: Int, end: Int):
    var H = integer(args, MORE)
    var keys = integer(args, MORE + 1)
    var values = integer(args, MORE + 2)
    for item in range(begin, end):
        var h = address[F32](args, STATE).unsafe_offset(item * keys * values)
        var change = address[F32](args, MORE + 4).unsafe_offset(item * values)
        for k in range(integer(args, STEPS)):
            delta_step(args, step_at(args, item // H, k) * H + item % H, h, change)


# --- expert_routing: words logits, bias, weights, experts, E, k, groups, groups kept, best of a group, whether sigmoid,
# whether softmax after, whether normalized, scale, spare: F64 [N, 4 E]; rows ---


def soften(x: P[F64], count: Int):
    var most = -INFINITE
    var sum = Float64(0)
    for i in range(count):
        most = real_binary(MAX, most, x.unsafe_load(i))
    for i in range(count):
        x.unsafe_store(i, libm["exp"](x.unsafe_load(i) - most))
        sum += x.unsafe_load(i)
    for i in range(count):
        x.unsafe_store(i, x.unsafe_load(i) / sum)


# The larger first, NaN being the largest number, of equals the lower index.
@always_inline
def ranks_before(x: P[F64], i: Int, k: Int) -> Bool:
    var a = x.unsafe_load(i)
    var b = x.unsafe_load(k)
    if a != a or b != b:
        return b == b or (a != a and i < k)
    return a > b or (a == b and i < k)


def next_ranked(x: P[F64], count: Int, previous: Int) -> Int:
    var best = -1
    for i in range(count):
        if (previous < 0 or ranks_before(x, previous, i)) and (best < 0 or ranks_before(x, i, best)):
            best = i
    return best


# Sets the ranks of all experts outside of the best groups to minus infinity.
def keep_groups(args: Args, ranks: P[F64], spare: P[F64]):
    var E = integer(args, 4)
    var groups = integer(args, 6)
    var members = E // groups
    var worth = spare.unsafe_offset(E)
    for g in range(groups):
        var best = -1
        var sum = Float64(0)
        for _ in range(integer(args, 8)):
            best = next_ranked(ranks.unsafe_offset(g * members), members, best)
            sum += ranks.unsafe_load(g * members + best)
        worth.unsafe_store(g, sum)
    for i in range(E):
        spare.unsafe_store(i, -INFINITE)
    var g = -1
    for _ in range(integer(args, 7)):
        g = next_ranked(worth, groups, g)
        for i in range(g * members, (g + 1) * members):
            spare.unsafe_store(i, ranks.unsafe_load(i))
    for i in range(E):
        ranks.unsafe_store(i, spare.unsafe_load(i))


def route_row(args: Args, row: Int, scores: P[F64], ranks: P[F64], spare: P[F64]):
    var E = integer(args, 4)
    var wanted = integer(args, 5)
    var after = integer(args, 10) != 0
    for i in range(E):
        var logit = load_real(address[F32](args, 0), row * E + i)
        scores.unsafe_store(i, real_unary[SIGMOID](logit) if integer(args, 9) != 0 and not after else logit)
    if integer(args, 9) == 0 and not after:
        soften(scores, E)
    for i in range(E):
        var bias = Float64(0) if is_null(args, 1) else load_real(address[F32](args, 1), i)
        ranks.unsafe_store(i, scores.unsafe_load(i) + bias if not is_null(args, 1) else scores.unsafe_load(i))
    if integer(args, 6) != 0:
        keep_groups(args, ranks, spare)
    var best = -1
    for k in range(wanted):
        best = next_ranked(ranks, E, best)
        address[I32](args, 3).unsafe_store(row * wanted + k, Int32(best))
        spare.unsafe_store(k, scores.unsafe_load(best))
    if after:
        soften(spare, wanted)
    var sum = Float64(1e-20)
    for k in range(wanted):
        sum += spare.unsafe_load(k)
    for k in range(wanted):
        var factor = real(args, 12) / (sum if integer(args, 11) != 0 else Float64(1))
        store_real(address[F32](args, 2), row * wanted + k, spare.unsafe_load(k) * factor)


def expert_routing(args: Args, begin: Int, end: Int):
    var E = integer(args, 4)
    for row in range(begin, end):
        var scores = address[F64](args, 13).unsafe_offset(row * 4 * E)
        route_row(args, row, scores, scores.unsafe_offset(E), scores.unsafe_offset(2 * E))
