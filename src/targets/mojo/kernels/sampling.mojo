# Resampling: resize, grid_sample; and the discrete Fourier transform.
from functions import *

# --- resize: words x, y, then for each of three dimensions (missing ones have one tap of weight 1): elements of x, of y,
# taps at most, addresses of counts, indices and weights (0 to 2: 2 + 6 i on); elements of y: [planes, ..] ---


@always_inline
def weighted(args: Args, x: P[F32], i0: Int, i1: Int, i2: Int) -> Float64:
    var sum0 = Float64(0)
    var t0 = i0 * integer(args, 4)
    var t1 = i1 * integer(args, 10)
    var t2 = i2 * integer(args, 16)
    for a in range(integer(address[I64](args, 5), i0)):
        var sum1 = Float64(0)
        for b in range(integer(address[I64](args, 11), i1)):
            var sum2 = Float64(0)
            var line = integer(address[I64](args, 6), t0 + a) * integer(args, 8) + integer(
                address[I64](args, 12), t1 + b
            )
            for c in range(integer(address[I64](args, 17), i2)):
                var at = line * integer(args, 14) + integer(address[I64](args, 18), t2 + c)
                sum2 += address[F64](args, 19).unsafe_load(t2 + c) * load_real(x, at)
            sum1 += address[F64](args, 13).unsafe_load(t1 + b) * sum2
        sum0 += address[F64](args, 7).unsafe_load(t0 + a) * sum1
    return sum0


def resize(args: Args, begin: Int, end: Int):
    var plane = integer(args, 2) * integer(args, 8) * integer(args, 14)
    var height = integer(args, 9)
    var width = integer(args, 15)
    for i in range(begin, end):
        var x = address[F32](args, 0).unsafe_offset(i // width // height // integer(args, 3) * plane)
        var value = weighted(args, x, i // width // height % integer(args, 3), i // width % height, i % width)
        store_real(address[F32](args, 1), i, value)


# --- grid_sample: words x, grid, y, spatial dimensions, x's sizes, channels, places of a plane of y, mode, padding,
# whether corners are aligned; elements of y: [B, C, places] ---

comptime SAMPLE_NEAREST = 0
comptime SAMPLE_LINEAR = 2
comptime SAMPLE_CUBIC = 3
comptime PAD_ZEROS = 0
comptime PAD_REFLECTED = 1


@always_inline
def size_of(args: Args, i: Int) -> Int:
    return integer(address[I64](args, 4), i)


def reflected(place: Float64, low: Float64, high: Float64) -> Float64:
    var span = high - low
    if span <= 0:
        return 0
    var distance = libm["fabs"](place - low)
    var extra = external_call["fmod", Float64](distance, span)
    if external_call["fmod", Float64](floor(distance / span), Float64(2)) == 0:
        return extra + low
    return high - extra


# A place brought inside as the padding says; what is no number goes to element 0. With zeros it stays.
def inside_place(args: Args, place: Float64, size: Int) -> Float64:
    var last = Float64(size - 1)
    var result = place
    if integer(args, 8) == PAD_ZEROS:
        return place
    if integer(args, 8) == PAD_REFLECTED:
        if integer(args, 9) != 0:
            result = reflected(place, 0, last)
        else:
            result = reflected(place, -0.5, Float64(size) - 0.5)
    if not (result > 0):
        return 0
    return result if result < last else last


# Element at whole numbers, 0 outside.
def sampled(args: Args, x: P[F32], place: Array[Float64, 3]) -> Float64:
    var at = 0
    for i in range(integer(args, 3)):
        if not (place[i] >= 0 and place[i] <= Float64(size_of(args, i) - 1)):
            return 0
        at = at * size_of(args, i) + Int(place[i])
    return load_real(x, at)


def sample_linear(args: Args, x: P[F32], place: Array[Float64, 3]) -> Float64:
    var sum = Float64(0)
    for corner in range(1 << integer(args, 3)):
        var weight = Float64(1)
        var at = Array[Float64, 3](fill=Float64(0))
        for i in range(integer(args, 3)):
            var low = floor(place[i])
            if (corner >> i) & 1 != 0:
                at[i] = low + 1
                weight *= place[i] - low
            else:
                at[i] = low
                weight *= low + 1 - place[i]
        sum += weight * sampled(args, x, at)
    return sum


# Of the elements at -1, 0, 1 and 2 from the one below a place that is t above it: Keys' kernel with a = -0.75.
@always_inline
def cubic_weight(k: Int, t: Float64) -> Float64:
    var x = t + 1 - Float64(k) if k < 2 else Float64(k) - 1 - t
    if k == 1 or k == 2:
        return (1.25 * x - 2.25) * x * x + 1
    return ((-0.75 * x + 3.75) * x - 6) * x + 3


def sample_cubic(args: Args, x: P[F32], place: Array[Float64, 3]) -> Float64:
    var sum = Float64(0)
    var low0 = floor(place[0])
    var low1 = floor(place[1])
    for i in range(4):
        for k in range(4):
            var at = Array[Float64, 3](fill=Float64(0))
            at[0] = inside_place(args, low0 + Float64(i) - 1, size_of(args, 0))
            at[1] = inside_place(args, low1 + Float64(k) - 1, size_of(args, 1))
            sum += cubic_weight(i, place[0] - low0) * cubic_weight(k, place[1] - low1) * sampled(args, x, at)
    return sum


def sample(args: Args, x: P[F32], place: Array[Float64, 3]) -> Float64:
    if integer(args, 7) == SAMPLE_CUBIC:
        return sample_cubic(args, x, place)
    var padded = Array[Float64, 3](fill=Float64(0))
    for i in range(integer(args, 3)):
        padded[i] = inside_place(args, place[i], size_of(args, i))
        if integer(args, 7) == SAMPLE_NEAREST:
            padded[i] = libm["nearbyint"](padded[i])
    return sampled(args, x, padded) if integer(args, 7) == SAMPLE_NEAREST else sample_linear(args, x, padded)


def grid_sample(args: Args, begin: Int, end: Int):
    var spatial = integer(args, 3)
    var places = integer(args, 6)
    var plane = 1
    for i in range(spatial):
        plane *= size_of(args, i)
    for e in range(begin, end):
        var grid = address[F32](args, 1).unsafe_offset(
            (e // places // integer(args, 5) * places + e % places) * spatial
        )
        var place = Array[Float64, 3](fill=Float64(0))
        for i in range(spatial):  # the grid names the innermost dimension first
            var value = load_real(grid, spatial - 1 - i)
            var size = Float64(size_of(args, i))
            if integer(args, 9) != 0:
                place[i] = (value + 1) / 2 * (size - 1)
            else:
                place[i] = ((value + 1) * size - 1) / 2
        store_real(
            address[F32](args, 2), e, sample(args, address[F32](args, 0).unsafe_offset(e // places * plane), place)
        )


# --- fourier: words x, y, inner, elements of x along the axis, of y, how many of x count, length, whether inverse,
# whether x is real, whether y is, table of cos and sin of 2 pi k / length: F64 [length, 2]; elements of y ---


def fourier(args: Args, begin: Int, end: Int):
    var inner = integer(args, 2)
    var length = integer(args, 6)
    var inverse = integer(args, 7) != 0
    var from_real = integer(args, 8) != 0
    var to_real = integer(args, 9) != 0
    var table = address[F64](args, 10)
    var x = address[F32](args, 0)
    for e in range(begin, end):
        var k = e // inner % integer(args, 4)
        var first = e // inner // integer(args, 4) * integer(args, 3) * inner + e % inner
        var re = Float64(0)
        var im = Float64(0)
        for i in range(integer(args, 5)):
            var at = first + i * inner
            var a = load_real(x, at if from_real else 2 * at)
            var b = Float64(0) if from_real else load_real(x, 2 * at + 1)
            var c = table.unsafe_load(i * k % length * 2)
            var s = table.unsafe_load(i * k % length * 2 + 1)
            if not inverse:
                s = -s
            if to_real:  # element i stands for its mirror image too
                var alone = i == 0 or 2 * i == length
                re += a * c if alone else 2 * (a * c - b * s)
            else:
                re += a * c - b * s
                im += a * s + b * c
        if inverse:
            re /= Float64(length)
            im /= Float64(length)
        store_real(address[F32](args, 1), e if to_real else 2 * e, re)
        if not to_real:
            store_real(address[F32](args, 1), 2 * e + 1, im)
