# The product that linear, matmul and convolution share: y: [M, N] from x: [M, K] and a second operand that is packed,
# a panel of NR columns and DEPTH rows at a time, on the stack. An element is one sequence of fused multiply-adds over
# k in every piece of DEPTH, and the sum of the pieces in order: the same whatever else is computed with it.
from functions import *

comptime NR = 2 * W
comptime MR = 12 if W == 16 else 6
comptime DEPTH = 256


# Row i, column k of a square of W x W becomes row k, column i.
@always_inline
def transpose(mut rows: Array[V[W], W]):
    comptime rounds = 4 if W == 16 else (3 if W == 8 else 2)
    comptime for _ in range(rounds):
        var next = Array[V[W], W](fill=V[W](0))
        comptime for i in range(W // 2):
            var mixed = rows[i].interleave(rows[i + W // 2])
            next[2 * i] = rebind[V[W]](mixed.slice[W, offset=0]())
            next[2 * i + 1] = rebind[V[W]](mixed.slice[W, offset=W]())
        rows = next^


# Columns n..n+W-1 of w: [N, K], k..k+W-1, as W vectors along n.
@always_inline
def load_square[dt: DType](w: P[dt], pitch: Int, n: Int, k: Int) -> Array[V[W], W]:
    var rows = Array[V[W], W](fill=V[W](0))
    comptime for i in range(W):
        rows[i] = w.unsafe_load[width=W]((n + i) * pitch + k).cast[F32]()
    transpose(rows)
    return rows^


# panel: [depth, NR] from w: [N, K]; columns beyond `count` are zeros.
def pack_transposed[dt: DType](w: P[dt], pitch: Int, n: Int, count: Int, k: Int, depth: Int, panel: P[F32]):
    var i = 0
    if count == NR:
        while i + W <= depth:
            comptime for half in range(2):
                var square = load_square(w, pitch, n + half * W, k + i)
                comptime for r in range(W):
                    panel.unsafe_store((i + r) * NR + half * W, square[r])
            i += W
    while i < depth:
        for c in range(NR):
            var value = w.unsafe_load((n + c) * pitch + k + i).cast[F32]() if c < count else Float32(0)
            panel.unsafe_store(i * NR + c, value)
        i += 1


# panel: [depth, NR] from w: [K, N].
def pack_straight[dt: DType](w: P[dt], pitch: Int, n: Int, count: Int, k: Int, depth: Int, panel: P[F32]):
    for i in range(depth):
        var at = (k + i) * pitch + n
        if count == NR:
            panel.unsafe_store(i * NR, w.unsafe_load[width=W](at).cast[F32]())
            panel.unsafe_store(i * NR + W, w.unsafe_load[width=W](at + W).cast[F32]())
        else:
            for c in range(NR):
                panel.unsafe_store(i * NR + c, w.unsafe_load(at + c).cast[F32]() if c < count else Float32(0))


# Adds to, or begins, `count` columns of one row.
@always_inline
def put_row(y: P[F32], sums: Array[V[W], 2], count: Int, accumulate: Bool):
    comptime for half in range(2):
        if count >= (half + 1) * W:
            var value = sums[half]
            if accumulate:
                value += y.unsafe_load[width=W](half * W)
            y.unsafe_store(half * W, value)
        else:
            for c in range(half * W, count):
                var value = sums[half][c - half * W]
                y.unsafe_store(c, y.unsafe_load(c) + value if accumulate else value)


# y: [rows, count] from x: [rows, depth] and a panel.
@always_inline
def tile[rows: Int](
    x: P[F32], x_pitch: Int, panel: P[F32], depth: Int, y: P[F32], y_pitch: Int, count: Int, accumulate: Bool
):
    var sums = Array[V[W], 2 * rows](fill=V[W](0))
    for k in range(depth):
        var low = panel.unsafe_load[width=W](k * NR)
        var high = panel.unsafe_load[width=W](k * NR + W)
        comptime for r in range(rows):
            var a = V[W](x.unsafe_load(r * x_pitch + k))
            sums[2 * r] = a.fma(low, sums[2 * r])
            sums[2 * r + 1] = a.fma(high, sums[2 * r + 1])
    comptime for r in range(rows):
        var row = Array[V[W], 2](fill=V[W](0))
        row[0] = sums[2 * r]
        row[1] = sums[2 * r + 1]
        put_row(y.unsafe_offset(r * y_pitch), row, count, accumulate)


@no_inline
def multiply_panel(
    x: P[F32], x_pitch: Int, rows: Int, panel: P[F32], depth: Int, y: P[F32], y_pitch: Int, count: Int, accumulate: Bool
):
    var r = 0
    while r + MR <= rows:
        tile[MR](
            x.unsafe_offset(r * x_pitch), x_pitch, panel, depth, y.unsafe_offset(r * y_pitch), y_pitch, count, accumulate
        )
        r += MR
    comptime for left in range(1, MR):
        if rows - r == left:
            tile[left](
                x.unsafe_offset(r * x_pitch), x_pitch, panel, depth, y.unsafe_offset(r * y_pitch), y_pitch, count,
                accumulate,
            )


# One row of x, a whole panel of columns of w: [N, K], without packing; the sums are those of `tile`.
@always_inline
def row_times_columns[dt: DType](x: P[F32], w: P[dt], pitch: Int, n: Int, k: Int, depth: Int, y: P[F32], accumulate: Bool):
    var sums = Array[V[W], 2](fill=V[W](0))
    var i = 0
    while i + W <= depth:
        comptime for half in range(2):
            var square = load_square(w, pitch, n + half * W, k + i)
            comptime for r in range(W):
                sums[half] = V[W](x.unsafe_load(k + i + r)).fma(square[r], sums[half])
        i += W
    while i < depth:
        comptime for half in range(2):
            var column = V[W](0)
            comptime for c in range(W):
                column[c] = w.unsafe_load((n + half * W + c) * pitch + k + i).cast[F32]()
            sums[half] = V[W](x.unsafe_load(k + i)).fma(column, sums[half])
        i += 1
    put_row(y, sums, NR, accumulate)


# The same for w: [K, N].
@always_inline
def row_times_rows[dt: DType](x: P[F32], w: P[dt], pitch: Int, n: Int, k: Int, depth: Int, y: P[F32], accumulate: Bool):
    var sums = Array[V[W], 2](fill=V[W](0))
    for i in range(k, k + depth):
        var a = V[W](x.unsafe_load(i))
        sums[0] = a.fma(w.unsafe_load[width=W](i * pitch + n).cast[F32](), sums[0])
        sums[1] = a.fma(w.unsafe_load[width=W](i * pitch + n + W).cast[F32](), sums[1])
    put_row(y, sums, NR, accumulate)


# y: [rows, columns n0..n1-1] from x: [rows, K] and w: [N, K], or [K, N] where `straight`. x and y begin at their first
# row, y at column 0.
def multiply[dt: DType](
    x: P[F32], x_pitch: Int, rows: Int, w: P[dt], w_pitch: Int, straight: Bool, n0: Int, n1: Int, K: Int, y: P[F32],
    y_pitch: Int,
):
    var space = Array[Float32, DEPTH * NR](uninitialized=True)
    var panel = P[F32](unsafe_from_address=Int(space.unsafe_ptr()))
    var k = 0
    while True:  # once even where K is 0
        var depth = min(DEPTH, K - k)
        for n in range(n0, n1, NR):
            var count = min(NR, n1 - n)
            if rows == 1 and count == NR:
                if straight:
                    row_times_rows(x, w, w_pitch, n, k, depth, y.unsafe_offset(n), k > 0)
                else:
                    row_times_columns(x, w, w_pitch, n, k, depth, y.unsafe_offset(n), k > 0)
                continue
            if straight:
                pack_straight(w, w_pitch, n, count, k, depth, panel)
            else:
                pack_transposed(w, w_pitch, n, count, k, depth, panel)
            multiply_panel(
                x.unsafe_offset(k), x_pitch, rows, panel, depth, y.unsafe_offset(n), y_pitch, count, k > 0
            )
        k += DEPTH
        if k >= K:
            return
