# Windows over spatial dimensions: convolution and its transpose, pool, unfold, fold. There are always three dimensions;
# missing ones come first and have size 1.
from gemm import *

# Of a block of results of a convolution, which is an item of work.
comptime POSITIONS = 64
comptime CHANNELS = 128

# Where a word points to the geometry: seven lists of three.
comptime SIZE = 0
comptime KERNEL = 3
comptime PLACES = 6
comptime STRIDE = 9
comptime DILATION = 12
comptime BEFORE = 15
comptime AFTER = 18


@always_inline
def volume(g: P[I64], at: Int) -> Int:
    return integer(g, at) * integer(g, at + 1) * integer(g, at + 2)


# Place in the input that output place `o` reads with kernel place `k` along dimension i.
@always_inline
def source_place(g: P[I64], i: Int, o: Int, k: Int) -> Int:
    return o * integer(g, STRIDE + i) - integer(g, BEFORE + i) + k * integer(g, DILATION + i)


# --- convolution: words x, weight, bias, y, C, O, groups, channel blocks, position blocks, geometry; items are blocks:
# batch, group, channels, positions, the last fastest ---


# Elements at x, x + step, .. of a line of the input: zeros outside of it.
@always_inline
def gather_line(line: P[F32], width: Int, x: Int, step: Int, count: Int, row: P[F32]):
    if step != 1:
        for n in range(count):
            var at = x + n * step
            row.unsafe_store(n, line.unsafe_load(at) if at >= 0 and at < width else Float32(0))
        return
    var first = min(count, max(0, -x))
    var stop = max(first, min(count, width - x))
    for n in range(first):
        row.unsafe_store(n, Float32(0))
    var n = first
    while n + W <= stop:
        row.unsafe_store(n, line.unsafe_load[width=W](x + n))
        n += W
    while n < stop:
        row.unsafe_store(n, line.unsafe_load(x + n))
        n += 1
    for k in range(stop, count):
        row.unsafe_store(k, Float32(0))


# A kernel place of one channel, at output positions from (o0, o1, o2) on.
def gather_row(g: P[I64], plane: P[F32], tap: Int, o0: Int, o1: Int, o2: Int, count: Int, row: P[F32]):
    var lines = integer(g, KERNEL + 2)
    var z = source_place(g, 0, o0, tap // (integer(g, KERNEL + 1) * lines))
    var y = source_place(g, 1, o1, tap // lines % integer(g, KERNEL + 1))
    var x = source_place(g, 2, o2, tap % lines)
    var width = integer(g, SIZE + 2)
    var height = integer(g, SIZE + 1)
    var line = o1
    var place = o2
    var i = 0
    while i < count:
        var length = min(integer(g, PLACES + 2) - place, count - i)
        if z >= 0 and z < integer(g, SIZE) and y >= 0 and y < height:
            gather_line(
                plane.unsafe_offset((z * height + y) * width), width, x, integer(g, STRIDE + 2), length,
                row.unsafe_offset(i),
            )
        else:
            for n in range(i, i + length):
                row.unsafe_store(n, Float32(0))
        i += length
        x -= place * integer(g, STRIDE + 2)
        place = 0
        line += 1
        y += integer(g, STRIDE + 1)
        if line == integer(g, PLACES + 1):
            line = 0
            y -= integer(g, PLACES + 1) * integer(g, STRIDE + 1)
            z += integer(g, STRIDE)


# Panels of a whole block of positions, so that lines are read for all of them at once.
def convolve(g: P[I64], x: P[F32], weight: P[F32], rows: Int, K: Int, p0: Int, count: Int, y: P[F32], y_pitch: Int):
    var space = Array[Float32, DEPTH * POSITIONS](uninitialized=True)
    var row_space = Array[Float32, POSITIONS](fill=Float32(0))
    var panels = P[F32](unsafe_from_address=Int(space.unsafe_ptr()))
    var row = P[F32](unsafe_from_address=Int(row_space.unsafe_ptr()))
    var taps = volume(g, KERNEL)
    var plane = volume(g, SIZE)
    var o0 = p0 // (integer(g, PLACES + 1) * integer(g, PLACES + 2))
    var o1 = p0 // integer(g, PLACES + 2) % integer(g, PLACES + 1)
    var o2 = p0 % integer(g, PLACES + 2)
    var k = 0
    while True:
        var depth = min(DEPTH, K - k)
        for i in range(depth):
            gather_row(g, x.unsafe_offset((k + i) // taps * plane), (k + i) % taps, o0, o1, o2, count, row)
            comptime for n in range(0, POSITIONS, W):
                panels.unsafe_store(
                    (n // NR * DEPTH + i) * NR + n % NR, row.unsafe_load[width=W](n)
                )
        for n in range(0, count, NR):
            multiply_panel(
                weight.unsafe_offset(k), K, rows, panels.unsafe_offset(n * DEPTH), depth, y.unsafe_offset(n), y_pitch,
                min(NR, count - n), k > 0,
            )
        k += DEPTH
        if k >= K:
            return


def convolution(args: Args, begin: Int, end: Int):
    var g = address[I64](args, 9)
    var groups = integer(args, 6)
    var channels = integer(args, 4) // groups
    var results = integer(args, 5) // groups
    var K = channels * volume(g, KERNEL)
    var positions = volume(g, PLACES)
    for i in range(begin, end):
        var p0 = i % integer(args, 8) * POSITIONS
        var rest = i // integer(args, 8)
        var o0 = rest % integer(args, 7) * CHANNELS
        var group = rest // integer(args, 7) % groups
        var batch = rest // integer(args, 7) // groups
        var first = group * results + o0
        var rows = min(CHANNELS, results - o0)
        var count = min(POSITIONS, positions - p0)
        var y = address[F32](args, 3).unsafe_offset((batch * integer(args, 5) + first) * positions + p0)
        convolve(
            g, address[F32](args, 0).unsafe_offset((batch * groups + group) * channels * volume(g, SIZE)),
            address[F32](args, 1).unsafe_offset(first * K), rows, K, p0, count, y, positions,
        )
        if not is_null(args, 2):
            for r in range(rows):
                var bias = address[F32](args, 2).unsafe_load(first + r)
                for n in range(count):
                    y.unsafe_store(r * positions + n, y.unsafe_load(r * positions + n) + bias)


# --- conv_transpose: words x, weight, bias, y, C, O, groups, geometry (PLACES of the result); elements ---


# Place in the input's channel that result place `p` reads with kernel place `tap`; -1: none.
def spread_place(g: P[I64], p: Int, tap: Int) -> Int:
    var at = 0
    var rest_p = p
    var rest_k = tap
    var scale = 1
    for d in range(3):
        var i = 2 - d
        var place = rest_p % integer(g, PLACES + i) + integer(g, BEFORE + i) - integer(g, DILATION + i) * (
            rest_k % integer(g, KERNEL + i)
        )
        rest_p //= integer(g, PLACES + i)
        rest_k //= integer(g, KERNEL + i)
        if place < 0 or place % integer(g, STRIDE + i) != 0 or place // integer(g, STRIDE + i) >= integer(g, SIZE + i):
            return -1
        at += place // integer(g, STRIDE + i) * scale
        scale *= integer(g, SIZE + i)
    return at


def conv_transpose(args: Args, begin: Int, end: Int):
    var g = address[I64](args, 7)
    var C = integer(args, 4)
    var O = integer(args, 5)
    var channels = C // integer(args, 6)
    var results = O // integer(args, 6)
    var taps = volume(g, KERNEL)
    var plane = volume(g, SIZE)
    var positions = volume(g, PLACES)
    for i in range(begin, end):
        var o = i // positions % O
        var first = o // results * channels
        var x = address[F32](args, 0).unsafe_offset((i // positions // O * C + first) * plane)
        var w = address[F32](args, 1).unsafe_offset((first * results + o % results) * taps)
        var sum = Float64(0) if is_null(args, 2) else load_real(address[F32](args, 2), o)
        for tap in range(taps):
            var at = spread_place(g, i % positions, tap)
            if at < 0:
                continue
            for c in range(channels):
                sum += load_real(x, c * plane + at) * load_real(w, c * results * taps + tap)
        store_real(address[F32](args, 3), i, sum)


# --- pool: words x, y, whether averages, whether padding counts, adaptive sizes or null, geometry; lines of the last
# dimension of the result ---


@fieldwise_init
struct Span(ImplicitlyCopyable, Movable):
    var first: Int
    var stop: Int
    var step: Int
    var counted: Int


def span_of(args: Args, i: Int, place: Int) -> Span:
    var g = address[I64](args, 5)
    var size = integer(g, SIZE + i)
    if not is_null(args, 4):
        var n = integer(address[I64](args, 4), i)
        var first = place * size // n
        var stop = ((place + 1) * size + n - 1) // n
        return Span(first, stop, 1, stop - first)
    var dilation = integer(g, DILATION + i)
    var first = source_place(g, i, place, 0)
    var stop = first + (integer(g, KERNEL + i) - 1) * dilation + 1
    var counted = (min(stop, size + integer(g, AFTER + i)) - first + dilation - 1) // dilation
    stop = min(stop, size)
    if first < 0:
        first += (dilation - 1 - first) // dilation * dilation
    if integer(args, 3) == 0:
        counted = (stop - first + dilation - 1) // dilation if first < stop else 0
    return Span(first, stop, dilation, counted)


def pool_window(args: Args, x: P[F32], a: Span, b: Span, c: Span) -> Float64:
    var g = address[I64](args, 5)
    var averages = integer(args, 2) != 0
    var result = Float64(0) if averages else -INFINITE
    for i in range(a.first, a.stop, a.step):
        for j in range(b.first, b.stop, b.step):
            for k in range(c.first, c.stop, c.step):
                var value = load_real(x, (i * integer(g, SIZE + 1) + j) * integer(g, SIZE + 2) + k)
                if averages:
                    result += value
                elif value > result or value != value:
                    result = value
    return result / Float64(a.counted * b.counted * c.counted) if averages else result


def pool(args: Args, begin: Int, end: Int):
    var g = address[I64](args, 5)
    var width = integer(g, PLACES + 2)
    var lines = integer(g, PLACES) * integer(g, PLACES + 1)
    for line in range(begin, end):
        var x = address[F32](args, 0).unsafe_offset(line // lines * volume(g, SIZE))
        var a = span_of(args, 0, line // integer(g, PLACES + 1) % integer(g, PLACES))
        var b = span_of(args, 1, line % integer(g, PLACES + 1))
        for k in range(width):
            store_real(address[F32](args, 1), line * width + k, pool_window(args, x, a, b, span_of(args, 2, k)))


# --- unfold: words bytes of an element, x, y, geometry; rows of y: [B C, taps, positions] ---


def unfold_of[dt: DType](args: Args, begin: Int, end: Int):
    var g = address[I64](args, 3)
    var taps = volume(g, KERNEL)
    var positions = volume(g, PLACES)
    for row in range(begin, end):
        var x = address[dt](args, 1).unsafe_offset(row // taps * volume(g, SIZE))
        for p in range(positions):
            var rest_p = p
            var rest_k = row % taps
            var at = 0
            var scale = 1
            var inside = True
            for d in range(3):
                var i = 2 - d
                var place = source_place(g, i, rest_p % integer(g, PLACES + i), rest_k % integer(g, KERNEL + i))
                rest_p //= integer(g, PLACES + i)
                rest_k //= integer(g, KERNEL + i)
                inside = inside and place >= 0 and place < integer(g, SIZE + i)
                at += place * scale
                scale *= integer(g, SIZE + i)
            address[dt](args, 2).unsafe_store(row * positions + p, x.unsafe_load(at) if inside else Scalar[dt](0))


def unfold(args: Args, begin: Int, end: Int):
    var size = integer(args, 0)
    if size == 1:
        unfold_of[DType.uint8](args, begin, end)
    elif size == 2:
        unfold_of[DType.uint16](args, begin, end)
    elif size == 4:
        unfold_of[DType.uint32](args, begin, end)
    else:
        unfold_of[DType.uint64](args, begin, end)


# --- fold: words dtype, x: [B C, taps, columns], y, geometry (SIZE of the columns' places, PLACES of y); elements ---


def fold_of[dt: DType](args: Args, begin: Int, end: Int):
    var g = address[I64](args, 3)
    var taps = volume(g, KERNEL)
    var columns = volume(g, SIZE)
    var positions = volume(g, PLACES)
    for i in range(begin, end):
        var x = address[dt](args, 1).unsafe_offset(i // positions * taps * columns)
        var sum = Float64(0)
        var total = Int64(0)
        for tap in range(taps):
            var at = spread_place(g, i % positions, tap)
            if at < 0:
                continue
            comptime if dt.is_floating_point():
                sum += load_real(x, tap * columns + at)
            else:
                total += x.unsafe_load(tap * columns + at).cast[I64]()
        comptime if dt.is_floating_point():
            store_real(address[dt](args, 2), i, sum)
        else:
            address[dt](args, 2).unsafe_store(i, total.cast[dt]())


def fold(args: Args, begin: Int, end: Int):
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k) and k != BOOL:
            if integer(args, 0) == k:
                fold_of[dtype_of(k)](args, begin, end)
