# Along an axis: norms, softmax, reductions.
from functions import *

# Sums of so many elements are added as doubles, so that long rows lose nothing.
comptime PIECE = 1024


# Sum of (x - shift)^2, or of x itself.
@always_inline
def sum_piece[squares: Bool](x: P[F32], shift: Float32, count: Int) -> Float64:
    var sums = Array[V[W], 4](fill=V[W](0))
    var mean = V[W](shift)
    var i = 0
    while i + 4 * W <= count:
        comptime for k in range(4):
            var v = x.unsafe_load[width=W](i + k * W)
            comptime if squares:
                var d = v - mean
                sums[k] = d.fma(d, sums[k])
            else:
                sums[k] += v
        i += 4 * W
    while i + W <= count:
        var v = x.unsafe_load[width=W](i)
        comptime if squares:
            var d = v - mean
            sums[0] = d.fma(d, sums[0])
        else:
            sums[0] += v
        i += W
    var rest = Float32(0)
    while i < count:
        var v = x.unsafe_load(i)
        comptime if squares:
            rest += (v - shift) * (v - shift)
        else:
            rest += v
        i += 1
    return (((sums[0] + sums[1]) + (sums[2] + sums[3])).reduce_add() + rest).cast[F64]()


@no_inline
def sum_row(x: P[F32], count: Int) -> Float64:
    var sum = Float64(0)
    for i in range(0, count, PIECE):
        sum += sum_piece[False](x.unsafe_offset(i), 0, min(PIECE, count - i))
    return sum


@no_inline
def sum_squares(x: P[F32], shift: Float32, count: Int) -> Float64:
    var sum = Float64(0)
    for i in range(0, count, PIECE):
        sum += sum_piece[True](x.unsafe_offset(i), shift, min(PIECE, count - i))
    return sum


# NaN wins; minus infinity of an empty row.
@no_inline
def largest_in(x: P[F32], count: Int) -> Float32:
    var best = V[W](Float32.MIN)
    var i = 0
    while i + W <= count:
        best = largest_of(x.unsafe_load[width=W](i), best)
        i += W
    var single = V[1](Float32.MIN)
    comptime for k in range(W):
        single = largest_of(V[1](best[k]), single)
    while i < count:
        single = largest_of(x.unsafe_load[width=1](i), single)
        i += 1
    return single[0]


@always_inline
def scale_row(x: P[F32], factor: Float32, term: Float32, y: P[F32], count: Int):
    var i = 0
    while i + W <= count:
        y.unsafe_store(i, x.unsafe_load[width=W](i).fma(V[W](factor), V[W](term)))
        i += W
    while i < count:
        y.unsafe_store(i, x.unsafe_load[width=1](i).fma(V[1](factor), V[1](term)))
        i += 1


# --- norm_rows: words x, weight, bias, y, C, eps, weight's offset, whether rms; rows of C ---


@always_inline
def norm_part[w: SIMDLength](args: Args, at: Int, i: Int, mean: Float32, scale: Float32):
    var v = (address[F32](args, 0).unsafe_load[width=w](at + i) - mean) * scale
    if not is_null(args, 1):
        v *= address[F32](args, 1).unsafe_load[width=w](i) + real(args, 6).cast[F32]()
    if not is_null(args, 2):
        v += address[F32](args, 2).unsafe_load[width=w](i)
    address[F32](args, 3).unsafe_store(at + i, v)


def norm_rows(args: Args, begin: Int, end: Int):
    var C = integer(args, 4)
    for row in range(begin, end):
        var x = address[F32](args, 0).unsafe_offset(row * C)
        var mean = Float32(0)
        if integer(args, 7) == 0:
            mean = (sum_row(x, C) / Float64(C)).cast[F32]()
        var variance = sum_squares(x, mean, C) / Float64(C)
        var scale = (1 / sqrt(variance + real(args, 5))).cast[F32]()
        var i = 0
        while i + W <= C:
            norm_part[W](args, row * C, i, mean, scale)
            i += W
        while i < C:
            norm_part[1](args, row * C, i, mean, scale)
            i += 1


# --- norm_groups: words x, weight, bias, mean, variance, y, C, channels of a group, inner, eps, weight's offset; with a
# mean it is given (a group is a channel then), else it is found; groups ---


def norm_groups(args: Args, begin: Int, end: Int):
    var C = integer(args, 6)
    var members = integer(args, 7)
    var inner = integer(args, 8)
    for group in range(begin, end):
        var x = address[F32](args, 0).unsafe_offset(group * members * inner)
        var mean = Float64(0)
        var variance = Float64(0)
        if is_null(args, 3):
            mean = sum_row(x, members * inner) / Float64(members * inner)
            variance = sum_squares(x, mean.cast[F32](), members * inner) / Float64(members * inner)
        else:
            mean = load_real(address[F32](args, 3), group % C)
            variance = load_real(address[F32](args, 4), group % C)
        for k in range(members):
            var channel = (group * members + k) % C
            var factor = 1 / sqrt(variance + real(args, 9))
            if not is_null(args, 1):
                factor *= load_real(address[F32](args, 1), channel) + real(args, 10)
            var term = -mean * factor
            if not is_null(args, 2):
                term += load_real(address[F32](args, 2), channel)
            scale_row(
                x.unsafe_offset(k * inner), factor.cast[F32](), term.cast[F32](),
                address[F32](args, 5).unsafe_offset((group * members + k) * inner), inner,
            )


# --- softmax: words x, y, size, inner, whether the logarithm; lines, the elements of each `inner` apart ---


def softmax_row(x: P[F32], y: P[F32], count: Int, log_form: Bool):
    var most = largest_in(x, count)
    var total = Float64(0)
    var sum = V[W](0)
    var i = 0
    while i + W <= count:
        var d = x.unsafe_load[width=W](i) - most
        var e = exponential(d)
        sum += e
        y.unsafe_store(i, d if log_form else e)
        if i // W % 64 == 63:
            total += sum.reduce_add().cast[F64]()
            sum = V[W](0)
        i += W
    while i < count:
        var d = x.unsafe_load[width=1](i) - most
        var e = exponential(d)
        total += e[0].cast[F64]()
        y.unsafe_store(i, d if log_form else e)
        i += 1
    total += sum.reduce_add().cast[F64]()
    if log_form:
        scale_row(y, 1, -libm["log"](total).cast[F32](), y, count)
    else:
        scale_row(y, (1 / total).cast[F32](), 0, y, count)


def softmax_line(x: P[F32], y: P[F32], count: Int, step: Int, log_form: Bool):
    var most = V[1](Float32.MIN)
    for i in range(count):
        most = largest_of(x.unsafe_load[width=1](i * step), most)
    var total = Float64(0)
    for i in range(count):
        var d = x.unsafe_load[width=1](i * step) - most
        var e = exponential(d)
        total += e[0].cast[F64]()
        y.unsafe_store(i * step, d if log_form else e)
    for i in range(count):
        var v = y.unsafe_load(i * step).cast[F64]()
        store_real(y, i * step, v - libm["log"](total) if log_form else v / total)


def softmax(args: Args, begin: Int, end: Int):
    var size = integer(args, 2)
    var inner = integer(args, 3)
    var log_form = integer(args, 4) != 0
    for line in range(begin, end):
        var at = line // inner * inner * size + line % inner
        var x = address[F32](args, 0).unsafe_offset(at)
        var y = address[F32](args, 1).unsafe_offset(at)
        if inner == 1:
            softmax_row(x, y, size, log_form)
        else:
            softmax_line(x, y, size, inner, log_form)


# --- reduce: words dtype, function, x, y, elements of a result, strided of the kept dimensions, their rows' length,
# strided of the reduced ones, their rows; results. Strided operand 0 is x ---

comptime REDUCE_SUM = 0
comptime REDUCE_MEAN = 1
comptime REDUCE_MAX = 2
comptime REDUCE_MIN = 3
comptime REDUCE_PROD = 4
comptime REDUCE_ANY = 5
comptime REDUCE_ALL = 6


def first_real(kind: Int) -> Float64:
    if kind == REDUCE_MAX:
        return -INFINITE
    if kind == REDUCE_MIN:
        return INFINITE
    return Float64(1) if kind == REDUCE_PROD or kind == REDUCE_ALL else Float64(0)


@always_inline
def join_reals(kind: Int, x: Float64, y: Float64) -> Float64:
    if kind <= REDUCE_MEAN:
        return x + y
    if kind == REDUCE_MAX:
        return real_binary(MAX, x, y)
    if kind == REDUCE_MIN:
        return real_binary(MIN, x, y)
    if kind == REDUCE_PROD:
        return x * y
    return real_binary(LOGICAL_OR if kind == REDUCE_ANY else LOGICAL_AND, x, y)


def first_integer(kind: Int) -> Int64:
    if kind == REDUCE_MAX:
        return Int64.MIN
    if kind == REDUCE_MIN:
        return Int64.MAX
    return Int64(1) if kind == REDUCE_PROD else Int64(0)


@always_inline
def join_integers(kind: Int, x: Int64, y: Int64) -> Int64:
    if kind == REDUCE_MAX:
        return x if x > y else y
    if kind == REDUCE_MIN:
        return x if x < y else y
    return x * y if kind == REDUCE_PROD else x + y


def reduce_of[dt: DType](args: Args, through_reals: Bool, begin: Int, end: Int):
    var kind = integer(args, 1)
    var y = address[dt](args, 3)
    for item in range(begin, end):
        var length = integer(args, 6)
        var kept = Strided(args, 5, item // length)
        var x = address[dt](args, 2).unsafe_offset(kept.offset[0] + item % length * kept.step(0))
        var sum = first_real(kind)
        var total = first_integer(kind)
        var s = Strided(args, 7, 0)
        for _ in range(integer(args, 8)):
            for i in range(s.inner):
                var value = x.unsafe_load(s.offset[0] + i * s.step(0))
                if through_reals:
                    sum = join_reals(kind, sum, value.cast[F64]())
                else:
                    total = join_integers(kind, total, value.cast[I64]())
            s.advance()
        if kind == REDUCE_MEAN:
            sum /= Float64(integer(args, 4))
        if through_reals:
            store_real(y, item, sum)
        else:
            y.unsafe_store(item, total.cast[dt]())


# Rows of f32 that lie one after the other.
def reduce_rows(args: Args, begin: Int, end: Int):
    var kind = integer(args, 1)
    var span = integer(args, 4)
    for item in range(begin, end):
        var x = address[F32](args, 2).unsafe_offset(item * span)
        if kind == REDUCE_MAX:
            address[F32](args, 3).unsafe_store(item, largest_in(x, span))
            continue
        var sum = sum_row(x, span)
        store_real(address[F32](args, 3), item, sum / Float64(span) if kind == REDUCE_MEAN else sum)


def reduce(args: Args, begin: Int, end: Int):
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k):
            if integer(args, 0) == k:
                reduce_of[dtype_of(k)](args, is_float(k) or k == BOOL, begin, end)
