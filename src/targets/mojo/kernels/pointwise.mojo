# Element by element: unary, binary, select, gated activation, cast, iota, random.
from functions import *


# --- unary: words dtype, fn, x, y; x: [count] -> y: [count] ---


@always_inline
def map_vectors[kind: Int](x: P[F32], y: P[F32], begin: Int, end: Int):
    var i = begin
    while i + W <= end:
        y.unsafe_store(i, activate[kind, W](x.unsafe_load[width=W](i)))
        i += W
    while i < end:
        y.unsafe_store(i, activate[kind, 1](x.unsafe_load[width=1](i)))
        i += 1


def map_reals[dt: DType, to: DType](kind: Int, x: P[dt], y: P[to], begin: Int, end: Int):
    for i in range(begin, end):
        store_real(y, i, real_function(kind, load_real(x, i)))


# y = fn(x) of floats, also for the rows of other kernels.
@no_inline
def apply_unary(kind: Int, x: P[F32], y: P[F32], begin: Int, end: Int):
    comptime for f in range(UNARY_COUNT):
        comptime if is_vector_function(f):
            if kind == f:
                map_vectors[f](x, y, begin, end)
                return
    map_reals(kind, x, y, begin, end)


def unary_of[dt: DType](args: Args, kind: Int, begin: Int, end: Int):
    var x = address[dt](args, 2)
    comptime if dt.is_floating_point():
        if kind == LOGICAL_NOT or kind == IS_NAN or kind == IS_INF:
            map_reals(kind, x, address[DType.uint8](args, 3), begin, end)
        else:
            map_reals(kind, x, address[dt](args, 3), begin, end)
    else:
        if kind == LOGICAL_NOT:
            var y = address[DType.uint8](args, 3)
            for i in range(begin, end):
                y.unsafe_store(i, UInt8(1) if x.unsafe_load(i) == 0 else UInt8(0))
            return
        var y = address[dt](args, 3)
        for i in range(begin, end):
            y.unsafe_store(i, integer_unary(kind, x.unsafe_load(i).cast[I64]()).cast[dt]())


def unary(args: Args, begin: Int, end: Int):
    var dtype = integer(args, 0)
    var kind = integer(args, 1)
    if dtype == 1 and kind < LOGICAL_NOT:
        apply_unary(kind, address[F32](args, 2), address[F32](args, 3), begin, end)
        return
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k):
            if dtype == k:
                unary_of[dtype_of(k)](args, kind, begin, end)


# --- binary: words dtype, fn, x, y, z, strided; z is dense, its rows are [begin, end) ---


@always_inline
def pair_vectors[kind: Int](x: P[F32], x_step: Int, y: P[F32], y_step: Int, z: P[F32], count: Int):
    var i = 0
    var first = V[W](x.unsafe_load(0))
    var second = V[W](y.unsafe_load(0))
    while i + W <= count:
        if x_step != 0:
            first = x.unsafe_load[width=W](i)
        if y_step != 0:
            second = y.unsafe_load[width=W](i)
        z.unsafe_store(i, combine[kind, W](first, second))
        i += W
    while i < count:
        z.unsafe_store(i, combine[kind, 1](x.unsafe_load[width=1](i * x_step), y.unsafe_load[width=1](i * y_step)))
        i += 1


def binary_rows[kind: Int](args: Args, begin: Int, end: Int):
    var s = Strided(args, 5, begin)
    for row in range(begin, end):
        pair_vectors[kind](
            address[F32](args, 2).unsafe_offset(s.offset[0]), s.step(0), address[F32](args, 3).unsafe_offset(s.offset[1]), s.step(1),
            address[F32](args, 4).unsafe_offset(row * s.inner), s.inner,
        )
        s.advance()


def binary_of[dt: DType, to: DType](args: Args, kind: Int, begin: Int, end: Int):
    var x = address[dt](args, 2)
    var y = address[dt](args, 3)
    var z = address[to](args, 4)
    var s = Strided(args, 5, begin)
    for row in range(begin, end):
        for i in range(s.inner):
            var a = x.unsafe_load(s.offset[0] + i * s.step(0))
            var b = y.unsafe_load(s.offset[1] + i * s.step(1))
            comptime if dt.is_floating_point():
                store_real(z, row * s.inner + i, real_binary(kind, a.cast[F64](), b.cast[F64]()))
            else:
                z.unsafe_store(row * s.inner + i, integer_binary(kind, a.cast[I64](), b.cast[I64]()).cast[to]())
        s.advance()


def binary(args: Args, begin: Int, end: Int):
    var dtype = integer(args, 0)
    var kind = integer(args, 1)
    if dtype == 1 and is_vector_pair(kind):
        comptime for f in range(BINARY_COUNT):
            comptime if is_vector_pair(f):
                if kind == f:
                    binary_rows[f](args, begin, end)
        return
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k):
            if dtype == k:
                if kind >= EQUAL and kind <= LOGICAL_XOR:
                    binary_of[dtype_of(k), DType.uint8](args, kind, begin, end)
                else:
                    binary_of[dtype_of(k), dtype_of(k)](args, kind, begin, end)


# --- select: words bytes of an element, condition, x, y, z, strided ---


def select_of[dt: DType](args: Args, begin: Int, end: Int):
    var condition = address[DType.uint8](args, 1)
    var x = address[dt](args, 2)
    var y = address[dt](args, 3)
    var z = address[dt](args, 4)
    var s = Strided(args, 5, begin)
    for row in range(begin, end):
        for i in range(s.inner):
            var yes = condition.unsafe_load(s.offset[0] + i * s.step(0)) != 0
            var a = x.unsafe_load(s.offset[1] + i * s.step(1))
            var b = y.unsafe_load(s.offset[2] + i * s.step(2))
            z.unsafe_store(row * s.inner + i, a if yes else b)
        s.advance()


def select(args: Args, begin: Int, end: Int):
    var size = integer(args, 0)
    if size == 1:
        select_of[DType.uint8](args, begin, end)
    elif size == 2:
        select_of[DType.uint16](args, begin, end)
    elif size == 4:
        select_of[DType.uint32](args, begin, end)
    else:
        select_of[DType.uint64](args, begin, end)


# --- gated activation: words dtype, fn, gate, up, y, n, pitch; rows of n, gate and up `pitch` elements apart ---


@always_inline
def multiply_rows(x: P[F32], y: P[F32], z: P[F32], count: Int):
    var i = 0
    while i + W <= count:
        z.unsafe_store(i, x.unsafe_load[width=W](i) * y.unsafe_load[width=W](i))
        i += W
    while i < count:
        z.unsafe_store(i, x.unsafe_load(i) * y.unsafe_load(i))
        i += 1


# `up` may be y, so fn(gate) goes through a part of its own.
def gate_rows(args: Args, kind: Int, begin: Int, end: Int):
    comptime PART = 256
    var part = Array[Float32, PART](uninitialized=True)
    var spare = P[F32](unsafe_from_address=Int(part.unsafe_ptr()))
    var n = integer(args, 5)
    var pitch = integer(args, 6)
    for row in range(begin, end):
        for i in range(0, n, PART):
            var count = min(PART, n - i)
            var gate = address[F32](args, 2).unsafe_offset(row * pitch + i)
            apply_unary(kind, gate, spare, 0, count)
            multiply_rows(
                spare, address[F32](args, 3).unsafe_offset(row * pitch + i), address[F32](args, 4).unsafe_offset(row * n + i), count
            )


def gate_reals[dt: DType](args: Args, kind: Int, begin: Int, end: Int):
    var gate = address[dt](args, 2)
    var up = address[dt](args, 3)
    var y = address[dt](args, 4)
    var n = integer(args, 5)
    var pitch = integer(args, 6)
    for row in range(begin, end):
        for i in range(n):
            var value = real_function(kind, load_real(gate, row * pitch + i)) * load_real(up, row * pitch + i)
            store_real(y, row * n + i, value)


def gated_activation(args: Args, begin: Int, end: Int):
    var dtype = integer(args, 0)
    var kind = integer(args, 1)
    if dtype == 1:
        gate_rows(args, kind, begin, end)
    elif dtype == 0:
        gate_reals[F64](args, kind, begin, end)
    elif dtype == 2:
        gate_reals[DType.float16](args, kind, begin, end)
    else:
        gate_reals[DType.bfloat16](args, kind, begin, end)


# --- cast: words from, x, to, y ---


# Toward zero, saturating; what is no number is 0.
@always_inline
def whole_of[to: DType](value: Float64) -> Scalar[to]:
    if value != value:
        return Scalar[to](0)
    if value <= Scalar[to].MIN.cast[F64]():
        return Scalar[to].MIN
    if value >= Scalar[to].MAX.cast[F64]():
        return Scalar[to].MAX
    return value.cast[to]()


def cast_elements[dt: DType, to: DType](x: P[dt], y: P[to], to_bool: Bool, begin: Int, end: Int):
    for i in range(begin, end):
        var value = x.unsafe_load(i)
        if to_bool:
            y.unsafe_store(i, Scalar[to](0) if value == 0 else Scalar[to](1))
            continue
        comptime if to.is_floating_point():
            store_real(y, i, value.cast[F64]())
        elif dt.is_floating_point():
            y.unsafe_store(i, whole_of[to](value.cast[F64]()))
        else:
            y.unsafe_store(i, value.cast[to]())


def widen[dt: DType](x: P[dt], y: P[F32], begin: Int, end: Int):
    var i = begin
    while i + W <= end:
        y.unsafe_store(i, x.unsafe_load[width=W](i).cast[F32]())
        i += W
    while i < end:
        y.unsafe_store(i, x.unsafe_load(i).cast[F32]())
        i += 1


def cast_from[dt: DType](args: Args, begin: Int, end: Int):
    var to = integer(args, 2)
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k) and k != BOOL:
            if to == k or (k == 10 and to == BOOL):
                cast_elements[dt, dtype_of(k)](
                    address[dt](args, 1), address[dtype_of(k)](args, 3), to == BOOL, begin, end
                )


def cast(args: Args, begin: Int, end: Int):
    var dtype = integer(args, 0)
    if integer(args, 2) == 1 and dtype == 3:
        widen(address[DType.bfloat16](args, 1), address[F32](args, 3), begin, end)
        return
    if integer(args, 2) == 1 and dtype == 2:
        widen(address[DType.float16](args, 1), address[F32](args, 3), begin, end)
        return
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k):
            if dtype == k:
                cast_from[dtype_of(k)](args, begin, end)


# --- iota: words dtype, y, start, step, size, inner; element i is start + step * (i / inner % size) ---


def iota(args: Args, begin: Int, end: Int):
    var start = real(args, 2)
    var step = real(args, 3)
    var size = integer(args, 4)
    var inner = integer(args, 5)
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k) and k != BOOL:
            if integer(args, 0) == k:
                var y = address[dtype_of(k)](args, 1)
                for i in range(begin, end):
                    var value = start + step * Float64(i // inner % size)
                    comptime if is_float(k):
                        store_real(y, i, value)
                    else:
                        y.unsafe_store(i, whole_of[dtype_of(k)](value))


# --- random: words y, seed, whether normal ---


@always_inline
def splitmix(seed: UInt64, i: UInt64) -> UInt64:
    var z = seed + (i + 1) * 0x9E3779B97F4A7C15
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB
    return z ^ (z >> 31)


def random(args: Args, begin: Int, end: Int):
    var y = address[F32](args, 0)
    var seed = bitcast[DType.uint64, 1](args.unsafe_load(1))
    for i in range(begin, end):
        var number = splitmix(seed, UInt64(i))
        if integer(args, 2) != 0:
            var p = ((number >> 11).cast[F64]() + 0.5) * 1.1102230246251565e-16
            y.unsafe_store(i, normal_icdf(p).cast[F32]())
        else:
            y.unsafe_store(i, (number >> 40).cast[F32]() * 5.9604644775390625e-08)
