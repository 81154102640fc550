# What only moves elements: copies with strides, rows, pad, gather, scatter, embedding.
from functions import *
from pointwise import widen


@always_inline
def copy_bytes(source: Int, target: Int, count: Int):
    _ = external_call["memcpy", Int](target, source, count)


# --- copy (permute, broadcast, slice): words bytes of an element, x, y, strided; rows of y ---


def copy_of[dt: DType](args: Args, begin: Int, end: Int):
    var x = address[dt](args, 1)
    var y = address[dt](args, 2)
    var s = Strided(args, 3, begin)
    for row in range(begin, end):
        if s.step(0) == 1:
            copy_bytes(
                Int(x.unsafe_offset(s.offset[0])), Int(y.unsafe_offset(row * s.inner)), s.inner * integer(args, 0)
            )
        else:
            var step = s.step(0)
            for i in range(s.inner):
                y.unsafe_store(row * s.inner + i, x.unsafe_load(s.offset[0] + i * step))
        s.advance()


def copy(args: Args, begin: Int, end: Int):
    var size = integer(args, 0)
    if size == 1:
        copy_of[DType.uint8](args, begin, end)
    elif size == 2:
        copy_of[DType.uint16](args, begin, end)
    elif size == 4:
        copy_of[DType.uint32](args, begin, end)
    else:
        copy_of[DType.uint64](args, begin, end)


# --- copy_rows (concat): words from, to, bytes of a row, pitches in bytes; rows ---


def copy_rows(args: Args, begin: Int, end: Int):
    for i in range(begin, end):
        copy_bytes(
            integer(args, 0) + i * integer(args, 3), integer(args, 1) + i * integer(args, 4), integer(args, 2)
        )


# --- pad: words bytes of an element, x, y, rank, x's dims, y's dims, before, mode, bits of the value; rows of y's last
# dimension ---

comptime PAD_CONSTANT = 0
comptime PAD_REFLECT = 1
comptime PAD_REPLICATE = 2
comptime PAD_CIRCULAR = 3


# Place in an axis that an output place shows, or -1 for the constant.
@always_inline
def padded_place(mode: Int, at: Int, size: Int) -> Int:
    if at >= 0 and at < size:
        return at
    if mode == PAD_REFLECT:
        return -at if at < 0 else 2 * (size - 1) - at
    if mode == PAD_REPLICATE:
        return 0 if at < 0 else size - 1
    if mode == PAD_CIRCULAR:
        return at + size if at < 0 else at - size
    return -1


def source_row(args: Args, row: Int) -> Int:
    var rest = row
    var at = 0
    var scale = 1
    for d in range(1, integer(args, 3)):
        var i = integer(args, 3) - 1 - d
        var size = integer(address[I64](args, 4), i)
        var place = padded_place(
            integer(args, 7), rest % integer(address[I64](args, 5), i) - integer(address[I64](args, 6), i), size
        )
        rest //= integer(address[I64](args, 5), i)
        if place < 0:
            return -1
        at += place * scale
        scale *= size
    return at


def pad_of[dt: DType](args: Args, begin: Int, end: Int):
    var last = integer(args, 3) - 1
    var size = integer(address[I64](args, 4), last)
    var width = integer(address[I64](args, 5), last)
    var before = integer(address[I64](args, 6), last)
    var value = bitcast[DType.uint64, 1](args.unsafe_load(8)).cast[dt]()
    for row in range(begin, end):
        var source = source_row(args, row)
        var x = address[dt](args, 1).unsafe_offset(source * size)
        var y = address[dt](args, 2).unsafe_offset(row * width)
        for i in range(width):
            var place = padded_place(integer(args, 7), i - before, size) if source >= 0 else -1
            y.unsafe_store(i, x.unsafe_load(place) if place >= 0 else value)


def pad(args: Args, begin: Int, end: Int):
    var size = integer(args, 0)
    if size == 1:
        pad_of[DType.uint8](args, begin, end)
    elif size == 2:
        pad_of[DType.uint16](args, begin, end)
    elif size == 4:
        pad_of[DType.uint32](args, begin, end)
    else:
        pad_of[DType.uint64](args, begin, end)


# --- gather: words bytes of an element, x, indices, whether of 64 bits, y, n, size, bytes of a row; rows of y:
# [outer, n, inner]. Indices have been checked ---


@always_inline
def index_at(args: Args, word: Int, i: Int) -> Int:
    if integer(args, word + 1) != 0:
        return Int(address[I64](args, word).unsafe_load(i))
    return Int(address[I32](args, word).unsafe_load(i))


def gather(args: Args, begin: Int, end: Int):
    var n = integer(args, 5)
    var bytes = integer(args, 7)
    for i in range(begin, end):
        var source = i // n * integer(args, 6) + index_at(args, 2, i % n)
        copy_bytes(integer(args, 1) + source * bytes, integer(args, 4) + i * bytes, bytes)


# --- gather_elements: words bytes of an element, x, indices, whether of 64 bits, y, rank, y's dims, x's strides, axis;
# elements ---


def gather_elements_of[dt: DType](args: Args, begin: Int, end: Int):
    for i in range(begin, end):
        var rest = i
        var at = 0
        for d in range(integer(args, 5)):
            var k = integer(args, 5) - 1 - d
            var size = integer(address[I64](args, 6), k)
            var place = index_at(args, 2, i) if k == integer(args, 8) else rest % size
            at += place * integer(address[I64](args, 7), k)
            rest //= size
        address[dt](args, 4).unsafe_store(i, address[dt](args, 1).unsafe_load(at))


def gather_elements(args: Args, begin: Int, end: Int):
    var size = integer(args, 0)
    if size == 1:
        gather_elements_of[DType.uint8](args, begin, end)
    elif size == 2:
        gather_elements_of[DType.uint16](args, begin, end)
    elif size == 4:
        gather_elements_of[DType.uint32](args, begin, end)
    else:
        gather_elements_of[DType.uint64](args, begin, end)


# --- scatter: words dtype, function, indices, whether of 64 bits, updates, y, rank, updates' dims, y's strides, axis,
# whether elementwise; lines of updates along the axis, each in order. y holds x; indices have been checked ---

comptime SCATTER_SET = 0
comptime SCATTER_ADD = 1
comptime SCATTER_MIN = 2
comptime SCATTER_MAX = 3


@always_inline
def put[dt: DType](kind: Int, y: P[dt], at: Int, value: Scalar[dt]):
    if kind == SCATTER_SET:
        y.unsafe_store(at, value)
        return
    var function = ADD if kind == SCATTER_ADD else (MIN if kind == SCATTER_MIN else MAX)
    var old = y.unsafe_load(at)
    comptime if dt.is_floating_point():
        store_real(y, at, real_binary(function, old.cast[F64](), value.cast[F64]()))
    else:
        y.unsafe_store(at, integer_binary(function, old.cast[I64](), value.cast[I64]()).cast[dt]())


def scatter_of[dt: DType](args: Args, begin: Int, end: Int):
    var dims = address[I64](args, 7)
    var strides = address[I64](args, 8)
    var axis = integer(args, 9)
    for line in range(begin, end):
        var rest = line
        var to = 0
        var first = 0
        var scale = 1
        var step = 1
        for d in range(integer(args, 6)):
            var k = integer(args, 6) - 1 - d
            if k == axis:
                step = scale
            else:
                to += rest % integer(dims, k) * integer(strides, k)
                first += rest % integer(dims, k) * scale
                rest //= integer(dims, k)
            scale *= integer(dims, k)
        for i in range(integer(dims, axis)):
            var at = first + i * step
            var index = index_at(args, 2, at if integer(args, 10) != 0 else i)
            put(
                integer(args, 1), address[dt](args, 5), to + index * integer(strides, axis),
                address[dt](args, 4).unsafe_load(at),
            )


def scatter(args: Args, begin: Int, end: Int):
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k):
            if integer(args, 0) == k:
                scatter_of[dtype_of(k)](args, begin, end)


# --- scatter_rows: words y, indices, whether of 64 bits, updates, n, size, bytes of a row; outer: y is [outer, size,
# row], updates [outer, n, row] ---


def scatter_rows(args: Args, begin: Int, end: Int):
    var n = integer(args, 4)
    var bytes = integer(args, 6)
    for o in range(begin, end):
        for i in range(n):
            copy_bytes(
                integer(args, 3) + (o * n + i) * bytes,
                integer(args, 0) + (o * integer(args, 5) + index_at(args, 1, i)) * bytes, bytes,
            )


# --- embedding: words dtype, weight, ids, whether of 64 bits, y, C; rows ---


def embedding(args: Args, begin: Int, end: Int):
    var C = integer(args, 5)
    for i in range(begin, end):
        var at = index_at(args, 2, i) * C
        var y = address[F32](args, 4).unsafe_offset(i * C)
        if integer(args, 0) == 3:
            widen(address[DType.bfloat16](args, 1).unsafe_offset(at), y, 0, C)
        elif integer(args, 0) == 2:
            widen(address[DType.float16](args, 1).unsafe_offset(at), y, 0, C)
        else:
            copy_bytes(Int(address[F32](args, 1).unsafe_offset(at)), Int(y), 4 * C)
