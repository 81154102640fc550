# Products: linear, matmul, grouped_matmul.
from gemm import *
from pointwise import apply_unary

# Of a block of results, which is an item of work.
comptime COLUMNS = 64


@always_inline
def add_rows(x: P[F32], y: P[F32], count: Int):
    var i = 0
    while i + W <= count:
        y.unsafe_store(i, y.unsafe_load[width=W](i) + x.unsafe_load[width=W](i))
        i += W
    while i < count:
        y.unsafe_store(i, y.unsafe_load(i) + x.unsafe_load(i))
        i += 1


# --- linear: words x, weight, bias, residual, y, M, N, K, weight's dtype, whether it is [K, N], activation, rows of a
# block, column blocks, packed weight or null; items are blocks, columns fastest ---


def linear_block[dt: DType](args: Args, m0: Int, m1: Int, n0: Int, n1: Int):
    var N = integer(args, 6)
    var K = integer(args, 7)
    var straight = integer(args, 9) != 0
    var y = address[F32](args, 4).unsafe_offset(m0 * N)
    var x = address[F32](args, 0).unsafe_offset(m0 * K)
    if is_null(args, 13):
        multiply(x, K, m1 - m0, address[dt](args, 1), N if straight else K, straight, n0, n1, K, y, N)
    else:
        multiply_packed(x, K, m1 - m0, address[dt](args, 13), n0, n1, K, y, N)
    for m in range(m1 - m0):
        var row = y.unsafe_offset(m * N + n0)
        if not is_null(args, 2):
            add_rows(address[F32](args, 2).unsafe_offset(n0), row, n1 - n0)
        if integer(args, 10) != IDENTITY:
            apply_unary(integer(args, 10), row, row, 0, n1 - n0)
        if not is_null(args, 3):
            add_rows(address[F32](args, 3).unsafe_offset((m0 + m) * N + n0), row, n1 - n0)


def linear(args: Args, begin: Int, end: Int):
    var rows = integer(args, 11)
    var column_blocks = integer(args, 12)
    for i in range(begin, end):
        var m0 = i // column_blocks * rows
        var m1 = min(m0 + rows, integer(args, 5))
        var n0 = i % column_blocks * COLUMNS
        var n1 = min(n0 + COLUMNS, integer(args, 6))
        if integer(args, 8) == 3:
            linear_block[DType.bfloat16](args, m0, m1, n0, n1)
        elif integer(args, 8) == 2:
            linear_block[DType.float16](args, m0, m1, n0, n1)
        else:
            linear_block[F32](args, m0, m1, n0, n1)


# --- pack_linear: words weight, packed weight, N, K, dtype, whether it is [K, N]; panels of NR columns ---


def pack_panels[dt: DType](args: Args, begin: Int, end: Int):
    var N = integer(args, 2)
    var K = integer(args, 3)
    for p in range(begin, end):
        var panel = address[dt](args, 1).unsafe_offset(p * NR * K)
        if integer(args, 5) != 0:
            pack_straight(address[dt](args, 0), N, p * NR, min(NR, N - p * NR), 0, K, panel)
        else:
            pack_transposed(address[dt](args, 0), K, p * NR, min(NR, N - p * NR), 0, K, panel)


def pack_linear(args: Args, begin: Int, end: Int):
    if integer(args, 4) == 3:
        pack_panels[DType.bfloat16](args, begin, end)
    elif integer(args, 4) == 2:
        pack_panels[DType.float16](args, begin, end)
    else:
        pack_panels[F32](args, begin, end)


# --- matmul: words a: [.., M, K], b: [.., K, N] or, transposed, [.., N, K], y, M, N, K, whether b is transposed, rows of
# a block, row blocks, column blocks, rank of the batch, address of its dims, of a's strides in matrices, of b's; items
# are the blocks of a matrix, matrix by matrix ---


@always_inline
def matrix_of(args: Args, strides: Int, batch: Int) -> Int:
    var rest = batch
    var at = 0
    for d in range(integer(args, 10)):
        var i = integer(args, 10) - 1 - d
        var size = integer(address[I64](args, 11), i)
        at += rest % size * integer(address[I64](args, strides), i)
        rest //= size
    return at


def matmul(args: Args, begin: Int, end: Int):
    var M = integer(args, 3)
    var N = integer(args, 4)
    var K = integer(args, 5)
    var transposed = integer(args, 6) != 0
    var rows = integer(args, 7)
    var column_blocks = integer(args, 9)
    var blocks = integer(args, 8) * column_blocks
    for i in range(begin, end):
        var batch = i // blocks
        var m0 = i % blocks // column_blocks * rows
        var n0 = i % blocks % column_blocks * COLUMNS
        multiply(
            address[F32](args, 0).unsafe_offset(matrix_of(args, 12, batch) * M * K + m0 * K), K, min(rows, M - m0),
            address[F32](args, 1).unsafe_offset(matrix_of(args, 13, batch) * N * K), K if transposed else N,
            not transposed, n0, min(n0 + COLUMNS, N), K,
            address[F32](args, 2).unsafe_offset((batch * M + m0) * N), N,
        )


# --- matmul_reals: words as of matmul to 13 (7 to 9 unused), then dtype, whether a is transposed; rows of results, each
# sum as doubles ---


def matmul_reals_of[dt: DType](args: Args, begin: Int, end: Int):
    var M = integer(args, 3)
    var N = integer(args, 4)
    var K = integer(args, 5)
    var b_k = 1 if integer(args, 6) != 0 else N
    var b_n = K if integer(args, 6) != 0 else 1
    var a_k = M if integer(args, 15) != 0 else 1
    for row in range(begin, end):
        var m = row % M
        var a = address[dt](args, 0).unsafe_offset(
            matrix_of(args, 12, row // M) * M * K + (m if integer(args, 15) != 0 else m * K)
        )
        var b = address[dt](args, 1).unsafe_offset(matrix_of(args, 13, row // M) * N * K)
        for n in range(N):
            var sum = Float64(0)
            for k in range(K):
                sum += load_real(a, k * a_k) * load_real(b, k * b_k + n * b_n)
            store_real(address[dt](args, 2), row * N + n, sum)


def matmul_reals(args: Args, begin: Int, end: Int):
    if integer(args, 14) == 0:
        matmul_reals_of[F64](args, begin, end)
    elif integer(args, 14) == 2:
        matmul_reals_of[DType.float16](args, begin, end)
    else:
        matmul_reals_of[DType.bfloat16](args, begin, end)


# --- grouped_matmul: words x, experts, weight: [E, M, K], bias, y, S, whether each slot has an input of its own, M, K,
# weight's dtype, dtype of experts; items are the rows of y: [N * S, M] ---


def grouped_rows[dt: DType](args: Args, begin: Int, end: Int):
    var S = integer(args, 5)
    var M = integer(args, 7)
    var K = integer(args, 8)
    for i in range(begin, end):
        var expert = Int(address[I32](args, 1).unsafe_load(i)) if integer(args, 10) == 7 else Int(
            address[I64](args, 1).unsafe_load(i)
        )
        var from_row = i if integer(args, 6) != 0 else i // S
        var y = address[F32](args, 4).unsafe_offset(i * M)
        multiply(
            address[F32](args, 0).unsafe_offset(from_row * K), K, 1,
            address[dt](args, 2).unsafe_offset(expert * M * K), K, False, 0, M, K, y, M,
        )
        if not is_null(args, 3):
            add_rows(address[F32](args, 3).unsafe_offset(expert * M), y, M)


def grouped_matmul(args: Args, begin: Int, end: Int):
    if integer(args, 9) == 3:
        grouped_rows[DType.bfloat16](args, begin, end)
    elif integer(args, 9) == 2:
        grouped_rows[DType.float16](args, begin, end)
    else:
        grouped_rows[F32](args, begin, end)
