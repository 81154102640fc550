# Attention with a running softmax (Milakov and Gimelshein, arXiv 1805.02867), as the cpu's: keys are taken in blocks
# that begin at multiples of KEYS, the result so far is rescaled when a larger score appears. A block that a query does
# not see leaves that query's numbers as they are, so a result does not depend on the queries computed with it.
from gemm import *
from pointwise import apply_unary
from rows import largest_in, scale_row

comptime QUERIES = 24
comptime KEYS = 128

# Words of a problem. An item is a block of rows: up to QUERIES queries of a head, or, where `folded` (one query), up to
# QUERIES heads that read the same keys.
comptime Q = 0
comptime KEY = 1
comptime VALUE = 2
comptime MASK = 3
comptime BIAS = 4
comptime SINKS = 5
comptime RESULT = 6
comptime T = 7
comptime H = 8
comptime D = 9
comptime S = 10
comptime G = 11
comptime E = 12
comptime FIRST_POSITION = 13
comptime PRESENT = 14
comptime SCALE = 15
comptime SOFT_CAP = 16
comptime CAUSAL = 17
comptime WINDOW = 18
comptime MASK_STRIDES = 19
comptime BIAS_STRIDES = 20
comptime BLOCKS = 21
comptime FOLDED = 22


# The first key a query at `position` may see by its position, and the one after the last.
def first_visible(args: Args, position: Int) -> Int:
    var low = 0
    if integer(args, WINDOW) != 0:
        low = max(0, position - integer(args, WINDOW) + 1)
    return min(low, end_visible(args, position))


def end_visible(args: Args, position: Int) -> Int:
    var high = integer(args, PRESENT)
    if integer(args, CAUSAL) != 0:
        high = min(high, position + 1)
    elif integer(args, WINDOW) != 0:
        high = min(high, position + integer(args, WINDOW))
    return max(high, 0)


@always_inline
def strided_place(args: Args, strides: Int, b: Int, h: Int, t: Int, s: Int) -> Int:
    var words = address[I64](args, strides)
    return b * integer(words, 0) + h * integer(words, 1) + t * integer(words, 2) + s * integer(words, 3)


# Scores of one query for keys s0..s0+count-1: scaled, capped, biased, and the lowest number where masked.
def dress(args: Args, b: Int, h: Int, t: Int, s0: Int, count: Int, scores: P[F32]):
    var cap = real(args, SOFT_CAP)
    var scale = real(args, SCALE)
    if cap != 0:
        scale_row(scores, (scale / cap).cast[F32](), 0, scores, count)
        apply_unary(TANH, scores, scores, 0, count)
        scale_row(scores, cap.cast[F32](), 0, scores, count)
    else:
        scale_row(scores, scale.cast[F32](), 0, scores, count)
    if not is_null(args, BIAS):
        var bias = address[F32](args, BIAS).unsafe_offset(strided_place(args, BIAS_STRIDES, b, h, t, s0))
        var step = integer(address[I64](args, BIAS_STRIDES), 3)
        for i in range(count):
            scores.unsafe_store(i, scores.unsafe_load(i) + bias.unsafe_load(i * step))
    if not is_null(args, MASK):
        var mask = address[DType.uint8](args, MASK).unsafe_offset(strided_place(args, MASK_STRIDES, b, h, t, s0))
        var step = integer(address[I64](args, MASK_STRIDES), 3)
        for i in range(count):
            if mask.unsafe_load(i * step) == 0:
                scores.unsafe_store(i, LOWEST)
    var position = integer(args, FIRST_POSITION) + t
    for i in range(min(count, first_visible(args, position) - s0)):
        scores.unsafe_store(i, LOWEST)
    for i in range(max(0, end_visible(args, position) - s0), count):
        scores.unsafe_store(i, LOWEST)


# Turns scores into weights relative to the largest score so far, and rescales what was summed before.
def weigh(scores: P[F32], count: Int, most: P[F32], total: P[F64], y: P[F32], width: Int):
    var block = largest_in(scores, count)
    var before = most.unsafe_load(0)
    var next = block if block > before or block != block else before
    if next < LOWEST:
        next = LOWEST  # minus infinity so far: weights become 0, not NaN
    if next != before:
        var factor = exponential(V[1](before - next))[0]
        scale_row(y, factor, 0, y, width)
        total.unsafe_store(0, total.unsafe_load(0) * factor.cast[F64]())
        most.unsafe_store(0, next)
    var sum = V[W](0)
    var i = 0
    while i + W <= count:
        var e = exponential(scores.unsafe_load[width=W](i) - next)
        scores.unsafe_store(i, e)
        sum += e
        i += W
    if i < count:
        var part = V[W](0)
        for k in range(count - i):
            part[k] = exponential(V[1](scores.unsafe_load(i + k) - next))[0]
            scores.unsafe_store(i + k, part[k])
        sum += part
    total.unsafe_store(0, total.unsafe_load(0) + sum.reduce_add().cast[F64]())


# Rows of an item: row r is query t0 + r of head h, or, folded, query 0 of head h + r.
struct Block:
    var b: Int
    var h: Int
    var t0: Int
    var count: Int
    var folded: Bool

    def __init__(out self, b: Int, h: Int, t0: Int, count: Int, folded: Bool):
        self.b = b
        self.h = h
        self.t0 = t0
        self.count = count
        self.folded = folded

    @always_inline
    def head(self, r: Int) -> Int:
        return self.h + r if self.folded else self.h

    @always_inline
    def query(self, r: Int) -> Int:
        return self.t0 if self.folded else self.t0 + r

    # Where row r of q or of the result begins; `width` is D or E.
    @always_inline
    def place(self, args: Args, r: Int, width: Int) -> Int:
        return ((self.b * integer(args, T) + self.query(r)) * integer(args, H) + self.head(r)) * width

    @always_inline
    def pitch(self, args: Args, width: Int) -> Int:
        return width if self.folded else integer(args, H) * width


# Keys from the block that holds `low` up to `high`, for the rows of the item.
def attend_range(args: Args, rows: Block, low: Int, high: Int, most: P[F32], total: P[F64]):
    var space = Array[Float32, QUERIES * KEYS](uninitialized=True)
    var scores = P[F32](unsafe_from_address=Int(space.unsafe_ptr()))
    var depth = integer(args, D)
    var width = integer(args, E)
    var groups = integer(args, G)
    var group = rows.h // (integer(args, H) // groups)
    var y = address[F32](args, RESULT).unsafe_offset(rows.place(args, 0, width))
    var y_pitch = rows.pitch(args, width)
    for r in range(rows.count):
        most.unsafe_store(r, LOWEST if is_null(args, SINKS) else address[F32](args, SINKS).unsafe_load(rows.head(r)))
        total.unsafe_store(r, Float64(0) if is_null(args, SINKS) else Float64(1))
        for e in range(width):
            y.unsafe_store(r * y_pitch + e, Float32(0))
    for s in range(low // KEYS * KEYS, high, KEYS):
        var count = min(KEYS, integer(args, PRESENT) - s)
        var at = (rows.b * integer(args, S) + s) * groups + group
        multiply(
            address[F32](args, Q).unsafe_offset(rows.place(args, 0, depth)), rows.pitch(args, depth), rows.count,
            address[F32](args, KEY).unsafe_offset(at * depth), groups * depth, False, 0, count, depth, scores, KEYS,
        )
        for r in range(rows.count):
            var row = scores.unsafe_offset(r * KEYS)
            dress(args, rows.b, rows.head(r), rows.query(r), s, count, row)
            weigh(row, count, most.unsafe_offset(r), total.unsafe_offset(r), y.unsafe_offset(r * y_pitch), width)
        multiply(
            scores, KEYS, rows.count, address[F32](args, VALUE).unsafe_offset(at * width), groups * width, True, 0,
            width, count, y, y_pitch, True,
        )


def attend(args: Args, rows: Block):
    var most_space = Array[Float32, QUERIES](uninitialized=True)
    var total_space = Array[Float64, QUERIES](uninitialized=True)
    var most = P[F32](unsafe_from_address=Int(most_space.unsafe_ptr()))
    var total = P[F64](unsafe_from_address=Int(total_space.unsafe_ptr()))
    var width = integer(args, E)
    var low = integer(args, PRESENT)
    var high = 0
    for r in range(rows.count):
        var position = integer(args, FIRST_POSITION) + rows.query(r)
        var first = first_visible(args, position)
        if first < end_visible(args, position):
            low = min(low, first)
        high = max(high, end_visible(args, position))
    attend_range(args, rows, low, high, most, total)
    for r in range(rows.count):
        var sum = total.unsafe_load(r)
        # Nothing attended: the average of all keys, also of those outside of the range.
        if is_null(args, SINKS) and most.unsafe_load(r) <= LOWEST:
            var alone = Block(rows.b, rows.head(r), rows.query(r), 1, rows.folded)
            attend_range(args, alone, 0, integer(args, PRESENT), most.unsafe_offset(r), total.unsafe_offset(r))
            sum = total.unsafe_load(r)
        var y = address[F32](args, RESULT).unsafe_offset(rows.place(args, r, width))
        for e in range(width):
            store_real(y, e, load_real(y, e) / sum)


def attention(args: Args, begin: Int, end: Int):
    var blocks = integer(args, BLOCKS)
    var folded = integer(args, FOLDED) != 0
    var heads = integer(args, H)
    var shared = heads // integer(args, G)
    for i in range(begin, end):
        var first = i % blocks * QUERIES
        var rest = i // blocks
        if folded:
            var group = rest % integer(args, G)
            attend(
                args, Block(rest // integer(args, G), group * shared + first, 0, min(QUERIES, shared - first), True)
            )
        else:
            attend(args, Block(rest // heads, rest % heads, first, min(QUERIES, integer(args, T) - first), False))


# --- rope: words x, cos, sin, y, T, H, D, half, whether interleaved, whether all of a batch share the tables; rows of
# [B T, H, D] ---


def rotate(x: P[F32], cos: P[F32], sin: P[F32], y: P[F32], half: Int, interleaved: Bool):
    var i = 0
    while not interleaved and i + W <= half:
        var a = x.unsafe_load[width=W](i)
        var b = x.unsafe_load[width=W](half + i)
        var c = cos.unsafe_load[width=W](i)
        var s = sin.unsafe_load[width=W](i)
        y.unsafe_store(i, a * c - b * s)
        y.unsafe_store(half + i, b * c + a * s)
        i += W
    while i < half:
        var first = 2 * i if interleaved else i
        var second = first + 1 if interleaved else first + half
        var a = x.unsafe_load(first)
        var b = x.unsafe_load(second)
        y.unsafe_store(first, a * cos.unsafe_load(i) - b * sin.unsafe_load(i))
        y.unsafe_store(second, b * cos.unsafe_load(i) + a * sin.unsafe_load(i))
        i += 1


def rope(args: Args, begin: Int, end: Int):
    var heads = integer(args, 5)
    var width = integer(args, 6)
    var half = integer(args, 7)
    for row in range(begin, end):
        var table = (row % integer(args, 4) if integer(args, 9) != 0 else row) * half
        for h in range(heads):
            var x = address[F32](args, 0).unsafe_offset((row * heads + h) * width)
            var y = address[F32](args, 3).unsafe_offset((row * heads + h) * width)
            rotate(
                x, address[F32](args, 1).unsafe_offset(table), address[F32](args, 2).unsafe_offset(table), y, half,
                integer(args, 8) != 0,
            )
            for i in range(2 * half, width):
                y.unsafe_store(i, x.unsafe_load(i))
