# The product that linear, matmul and convolution share: y: [M, N] from x: [M, K] and a second operand that is packed,
# a panel of NR columns and DEPTH rows at a time, on the stack. An element is one sequence of fused multiply-adds over
# k in every piece of DEPTH, and the sum of the pieces in order: the same whatever else is computed with it.
from functions import *

comptime NR = 2 * W
comptime MR = 12 if W == 16 else 6
comptime DEPTH = 256


comptime L = min(W, 8)


# Four numbers of each of L rows of w: [N, K] as four vectors along n: quarters of rows four apart are loaded side by
# side, so that what is left are transpositions of 4 x 4 within quarters.
@always_inline
def load_columns[dt: DType](w: P[dt], pitch: Int, n: Int, k: Int) -> Array[V[L], 4]:
    var rows = Array[V[L], 4](fill=V[L](0))
    comptime for i in range(4):
        var first = w.unsafe_load[width=4]((n + i) * pitch + k).cast[F32]()
        comptime if L == 8:
            rows[i] = rebind[V[L]](first.join(w.unsafe_load[width=4]((n + i + 4) * pitch + k).cast[F32]()))
        else:
            rows[i] = rebind[V[L]](first)
    var columns = Array[V[L], 4](fill=V[L](0))
    comptime for half in range(2):
        comptime i = 2 * half
        comptime if L == 8:
            var a = rows[0].shuffle[i, 8 + i, i + 1, 9 + i, 4 + i, 12 + i, 5 + i, 13 + i](rows[1])
            var b = rows[2].shuffle[i, 8 + i, i + 1, 9 + i, 4 + i, 12 + i, 5 + i, 13 + i](rows[3])
            columns[i] = a.shuffle[0, 1, 8, 9, 4, 5, 12, 13](b)
            columns[i + 1] = a.shuffle[2, 3, 10, 11, 6, 7, 14, 15](b)
        else:
            var a = rows[0].shuffle[i, 4 + i, i + 1, 5 + i](rows[1])
            var b = rows[2].shuffle[i, 4 + i, i + 1, 5 + i](rows[3])
            columns[i] = a.shuffle[0, 1, 4, 5](b)
            columns[i + 1] = a.shuffle[2, 3, 6, 7](b)
    return columns^


# Columns n..n+W-1 of w: [N, K] for k..k+3, as vectors along n.
@always_inline
def load_four[dt: DType](w: P[dt], pitch: Int, n: Int, k: Int) -> Array[V[W], 4]:
    var whole = Array[V[W], 4](fill=V[W](0))
    var low = load_columns(w, pitch, n, k)
    comptime if W == 16:
        var high = load_columns(w, pitch, n + 8, k)
        comptime for i in range(4):
            whole[i] = rebind[V[W]](low[i].join(high[i]))
    else:
        comptime for i in range(4):
            whole[i] = rebind[V[W]](low[i])
    return whole^


# panel: [depth, NR] from w: [N, K]; columns beyond `count` are zeros.
def pack_transposed[
    dt: DType, to: DType
](w: P[dt], pitch: Int, n: Int, count: Int, k: Int, depth: Int, panel: P[to]):
    var i = 0
    if count == NR:
        while i + 4 <= depth:
            comptime for half in range(2):
                var columns = load_four(w, pitch, n + half * W, k + i)
                comptime for r in range(4):
                    panel.unsafe_store((i + r) * NR + half * W, columns[r].cast[to]())
            i += 4
    while i < depth:
        for c in range(NR):
            var value = w.unsafe_load((n + c) * pitch + k + i) if c < count else Scalar[dt](0)
            panel.unsafe_store(i * NR + c, value.cast[to]())
        i += 1


# panel: [depth, NR] from w: [K, N].
def pack_straight[
    dt: DType, to: DType
](w: P[dt], pitch: Int, n: Int, count: Int, k: Int, depth: Int, panel: P[to]):
    for i in range(depth):
        var at = (k + i) * pitch + n
        if count == NR:
            panel.unsafe_store(i * NR, w.unsafe_load[width=W](at).cast[to]())
            panel.unsafe_store(i * NR + W, w.unsafe_load[width=W](at + W).cast[to]())
        else:
            for c in range(NR):
                var value = w.unsafe_load(at + c) if c < count else Scalar[dt](0)
                panel.unsafe_store(i * NR + c, value.cast[to]())


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
def tile[
    dt: DType, rows: Int
](x: P[F32], x_pitch: Int, panel: P[dt], depth: Int, y: P[F32], y_pitch: Int, count: Int, accumulate: Bool):
    var sums = Array[V[W], 2 * rows](fill=V[W](0))
    for k in range(depth):
        var low = panel.unsafe_load[width=W](k * NR).cast[F32]()
        var high = panel.unsafe_load[width=W](k * NR + W).cast[F32]()
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
def multiply_panel[
    dt: DType
](
    x: P[F32], x_pitch: Int, rows: Int, panel: P[dt], depth: Int, y: P[F32], y_pitch: Int, count: Int, accumulate: Bool
):
    var tiles = (rows + MR - 1) // MR
    for t in range(tiles):  # of about the same height: low ones wait for their own sums
        var r = rows * t // tiles
        comptime for height in range(1, MR + 1):
            if rows * (t + 1) // tiles - r == height:
                tile[dt, height](
                    x.unsafe_offset(r * x_pitch), x_pitch, panel, depth, y.unsafe_offset(r * y_pitch), y_pitch, count,
                    accumulate,
                )


# One row of x and `panels` whole panels of columns of w: [N, K], without packing; the sums are those of `tile`. Several
# panels at once, as each sum waits for itself.
@always_inline
def row_times_columns[
    dt: DType, panels: Int
](x: P[F32], w: P[dt], pitch: Int, n: Int, k: Int, depth: Int, y: P[F32], accumulate: Bool):
    var sums = Array[V[W], 2 * panels](fill=V[W](0))
    var i = 0
    while i + 4 <= depth:
        comptime for part in range(2 * panels):
            var columns = load_four(w, pitch, n + part * W, k + i)
            comptime for r in range(4):
                sums[part] = V[W](x.unsafe_load(k + i + r)).fma(columns[r], sums[part])
        i += 4
    while i < depth:
        comptime for part in range(2 * panels):
            var column = V[W](0)
            comptime for c in range(W):
                column[c] = w.unsafe_load((n + part * W + c) * pitch + k + i).cast[F32]()
            sums[part] = V[W](x.unsafe_load(k + i)).fma(column, sums[part])
        i += 1
    put_panels(y, sums, accumulate)


# The same for w: [K, N].
@always_inline
def row_times_rows[
    dt: DType, panels: Int
](x: P[F32], w: P[dt], pitch: Int, n: Int, k: Int, depth: Int, y: P[F32], accumulate: Bool):
    var sums = Array[V[W], 2 * panels](fill=V[W](0))
    for i in range(k, k + depth):
        var a = V[W](x.unsafe_load(i))
        comptime for part in range(2 * panels):
            sums[part] = a.fma(w.unsafe_load[width=W](i * pitch + n + part * W).cast[F32](), sums[part])
    put_panels(y, sums, accumulate)


@always_inline
def put_panels[parts: Int, //](y: P[F32], sums: Array[V[W], parts], accumulate: Bool):
    comptime for part in range(parts):
        var value = sums[part]
        if accumulate:
            value += y.unsafe_load[width=W](part * W)
        y.unsafe_store(part * W, value)


# The whole panels of columns n0..n1-1 of one row; gives the first column that is left.
def multiply_row[
    dt: DType
](x: P[F32], w: P[dt], pitch: Int, straight: Bool, n0: Int, n1: Int, k: Int, depth: Int, y: P[F32], accumulate: Bool) -> Int:
    var n = n0
    while n + NR <= n1:
        var pair = n + 2 * NR <= n1
        var to = y.unsafe_offset(n)
        if straight and pair:
            row_times_rows[dt, 2](x, w, pitch, n, k, depth, to, accumulate)
        elif straight:
            row_times_rows[dt, 1](x, w, pitch, n, k, depth, to, accumulate)
        elif pair:
            row_times_columns[dt, 2](x, w, pitch, n, k, depth, to, accumulate)
        else:
            row_times_columns[dt, 1](x, w, pitch, n, k, depth, to, accumulate)
        n += 2 * NR if pair else NR
    return n


# y: [rows, columns n0..n1-1] from x: [rows, K] and w: [N, K], or [K, N] where `straight`. x and y begin at their first
# row, y at column 0. `begun`: added to y instead of replacing it.
def multiply[dt: DType](
    x: P[F32], x_pitch: Int, rows: Int, w: P[dt], w_pitch: Int, straight: Bool, n0: Int, n1: Int, K: Int, y: P[F32],
    y_pitch: Int, begun: Bool = False,
):
    var space = Array[Float32, DEPTH * NR](uninitialized=True)
    var panel = P[F32](unsafe_from_address=Int(space.unsafe_ptr()))
    var k = 0
    while True:  # once even where K is 0
        var depth = min(DEPTH, K - k)
        var first = n0
        if rows == 1:
            first = multiply_row(x, w, w_pitch, straight, n0, n1, k, depth, y, begun or k > 0)
        for n in range(first, n1, NR):
            var count = min(NR, n1 - n)
            if straight:
                pack_straight(w, w_pitch, n, count, k, depth, panel)
            else:
                pack_transposed(w, w_pitch, n, count, k, depth, panel)
            multiply_panel(
                x.unsafe_offset(k), x_pitch, rows, panel, depth, y.unsafe_offset(n), y_pitch, count,
                begun or k > 0,
            )
        k += DEPTH
        if k >= K:
            return


# --- a second operand packed once: panel after panel, each [K, NR], in its own dtype ---


# One row of x and `panels` packed ones.
@always_inline
def row_times_panels[
    dt: DType, panels: Int
](x: P[F32], packed: P[dt], K: Int, k: Int, depth: Int, y: P[F32], count: Int, accumulate: Bool):
    var sums = Array[V[W], 2 * panels](fill=V[W](0))
    for i in range(k, k + depth):
        var a = V[W](x.unsafe_load(i))
        comptime for p in range(panels):
            comptime for half in range(2):
                var b = packed.unsafe_load[width=W]((p * K + i) * NR + half * W).cast[F32]()
                sums[2 * p + half] = a.fma(b, sums[2 * p + half])
    comptime for p in range(panels):
        var row = Array[V[W], 2](fill=V[W](0))
        row[0] = sums[2 * p]
        row[1] = sums[2 * p + 1]
        put_row(y.unsafe_offset(p * NR), row, count - p * NR, accumulate)


# As `multiply`, and with its sums; n0 is a multiple of NR.
def multiply_packed[
    dt: DType
](x: P[F32], x_pitch: Int, rows: Int, packed: P[dt], n0: Int, n1: Int, K: Int, y: P[F32], y_pitch: Int):
    var k = 0
    while True:  # once even where K is 0
        var depth = min(DEPTH, K - k)
        var n = n0
        while n < n1:
            var panel = packed.unsafe_offset(n * K)
            var to = y.unsafe_offset(n)
            if rows == 1 and n + 4 * NR <= n1:
                row_times_panels[dt, 4](x, panel, K, k, depth, to, 4 * NR, k > 0)
                n += 4 * NR
                continue
            multiply_panel(
                x.unsafe_offset(k), x_pitch, rows, panel.unsafe_offset(k * NR), depth, to, y_pitch, min(NR, n1 - n),
                k > 0,
            )
            n += NR
        k += DEPTH
        if k >= K:
            return
