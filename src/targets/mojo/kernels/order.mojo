# What ranks elements along an axis: arg_reduce, scan, sort, top_k, search_sorted. A tensor is [outer, size, inner]; an
# item is a line of `size` elements, `inner` apart. NaN is the largest number.
from functions import *
from rows import REDUCE_MAX, REDUCE_MIN, REDUCE_PROD, REDUCE_SUM, first_real


# -1, 0 or 1.
@always_inline
def compare[dt: DType](a: Scalar[dt], b: Scalar[dt]) -> Int:
    comptime if dt.is_floating_point():
        if a != a or b != b:
            return Int(a != a) - Int(b != b)
    return Int(a > b) - Int(a < b)


# --- arg_reduce: words dtype, x, y, size, inner, whether the least ---


@always_inline
def is_better[dt: DType](a: Scalar[dt], best: Scalar[dt], least: Bool) -> Bool:
    if not least:
        return compare(a, best) > 0
    comptime if dt.is_floating_point():
        return best == best and (a != a or a < best)
    else:
        return a < best


def arg_reduce_of[dt: DType](args: Args, begin: Int, end: Int):
    var size = integer(args, 3)
    var inner = integer(args, 4)
    for line in range(begin, end):
        var x = address[dt](args, 1).unsafe_offset(line // inner * inner * size + line % inner)
        var best = 0
        for i in range(1, size):
            if is_better(x.unsafe_load(i * inner), x.unsafe_load(best * inner), integer(args, 5) != 0):
                best = i
        address[I32](args, 2).unsafe_store(line, Int32(best))


def arg_reduce(args: Args, begin: Int, end: Int):
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k):
            if integer(args, 0) == k:
                arg_reduce_of[dtype_of(k)](args, begin, end)


# --- scan: words dtype, x, y, size, inner, function of reduce, whether exclusive, whether from the end ---


@always_inline
def function_of(kind: Int) -> Int:
    if kind == REDUCE_MAX:
        return MAX
    if kind == REDUCE_MIN:
        return MIN
    return MUL if kind == REDUCE_PROD else ADD


def scan_of[dt: DType](args: Args, begin: Int, end: Int):
    var size = integer(args, 3)
    var inner = integer(args, 4)
    var kind = integer(args, 5)
    var backward = integer(args, 7) != 0
    for line in range(begin, end):
        var at = line // inner * inner * size + line % inner
        var x = address[dt](args, 1).unsafe_offset(at)
        var y = address[dt](args, 2).unsafe_offset(at)
        var sum = first_real(kind)
        var total = Int64(0)
        if kind == REDUCE_PROD:
            total = 1
        comptime if not dt.is_floating_point():
            if kind == REDUCE_MAX:
                total = Scalar[dt].MIN.cast[I64]()
            elif kind == REDUCE_MIN:
                total = Scalar[dt].MAX.cast[I64]()
        for k in range(size):
            var i = (size - 1 - k if backward else k) * inner
            var before = sum
            var total_before = total
            comptime if dt.is_floating_point():
                sum = real_binary(function_of(kind), sum, x.unsafe_load(i).cast[F64]())
                store_real(y, i, before if integer(args, 6) != 0 else sum)
            else:
                total = integer_binary(function_of(kind), total, x.unsafe_load(i).cast[I64]())
                y.unsafe_store(i, (total_before if integer(args, 6) != 0 else total).cast[dt]())


def scan(args: Args, begin: Int, end: Int):
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k) and k != BOOL:
            if integer(args, 0) == k:
                scan_of[dtype_of(k)](args, begin, end)


# --- sort: words dtype, x, y, indices, size, inner, whether descending, spare: I32 [lines, 2 size] ---


@always_inline
def merge[
    dt: DType
](x: P[dt], inner: Int, descending: Bool, order: P[I32], spare: P[I32], start: Int, middle: Int, stop: Int):
    var left = start
    var right = middle
    for i in range(start, stop):
        var take_right = left == middle
        if not take_right and right < stop:
            var a = x.unsafe_load(Int(order.unsafe_load(right)) * inner)
            var rank = compare(a, x.unsafe_load(Int(order.unsafe_load(left)) * inner))
            take_right = rank > 0 if descending else rank < 0
        if take_right:
            spare.unsafe_store(i, order.unsafe_load(right))
            right += 1
        else:
            spare.unsafe_store(i, order.unsafe_load(left))
            left += 1


# Stable; the result is in the pointer given back, which is `order` or `spare`.
def sort_line[dt: DType](x: P[dt], inner: Int, size: Int, descending: Bool, order: P[I32], spare: P[I32]) -> P[I32]:
    var from_here = order
    var to_there = spare
    for i in range(size):
        from_here.unsafe_store(i, Int32(i))
    var run = 1
    while run < size:
        for start in range(0, size, 2 * run):
            merge(
                x, inner, descending, from_here, to_there, start, min(start + run, size), min(start + 2 * run, size)
            )
        var other = from_here
        from_here = to_there
        to_there = other
        run *= 2
    return from_here


def sort_of[dt: DType](args: Args, begin: Int, end: Int):
    var size = integer(args, 4)
    var inner = integer(args, 5)
    for line in range(begin, end):
        var at = line // inner * inner * size + line % inner
        var x = address[dt](args, 1).unsafe_offset(at)
        var spare = address[I32](args, 7).unsafe_offset(line * 2 * size)
        var order = sort_line(x, inner, size, integer(args, 6) != 0, spare, spare.unsafe_offset(size))
        for i in range(size):
            var index = order.unsafe_load(i)
            address[I32](args, 3).unsafe_store(at + i * inner, index)
            address[dt](args, 2).unsafe_store(at + i * inner, x.unsafe_load(Int(index) * inner))


def sort(args: Args, begin: Int, end: Int):
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k):
            if integer(args, 0) == k:
                sort_of[dtype_of(k)](args, begin, end)


# --- top_k: words dtype, x, y, indices, size, inner, k, whether the smallest ---


@always_inline
def goes_before[dt: DType](x: P[dt], inner: Int, smallest: Bool, i: Int, k: Int) -> Bool:
    var rank = compare(x.unsafe_load(i * inner), x.unsafe_load(k * inner))
    if rank == 0:
        return i < k
    return rank < 0 if smallest else rank > 0


# The best element after `previous` (-1: the best of all).
def next_best[dt: DType](x: P[dt], inner: Int, size: Int, smallest: Bool, previous: Int) -> Int:
    var best = -1
    for i in range(size):
        if previous >= 0 and not goes_before(x, inner, smallest, previous, i):
            continue
        if best < 0 or goes_before(x, inner, smallest, i, best):
            best = i
    return best


def top_k_of[dt: DType](args: Args, begin: Int, end: Int):
    var size = integer(args, 4)
    var inner = integer(args, 5)
    var wanted = integer(args, 6)
    for line in range(begin, end):
        var x = address[dt](args, 1).unsafe_offset(line // inner * inner * size + line % inner)
        var to = line // inner * inner * wanted + line % inner
        var best = -1
        for i in range(wanted):
            best = next_best(x, inner, size, integer(args, 7) != 0, best)
            address[I32](args, 3).unsafe_store(to + i * inner, Int32(best))
            address[dt](args, 2).unsafe_store(to + i * inner, x.unsafe_load(best * inner))


def top_k(args: Args, begin: Int, end: Int):
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k):
            if integer(args, 0) == k:
                top_k_of[dtype_of(k)](args, begin, end)


# --- search_sorted: words dtype, sorted, values, y, size, values of a row, whether right; values ---


def search_of[dt: DType](args: Args, begin: Int, end: Int):
    var size = integer(args, 4)
    var right = integer(args, 6) != 0
    for k in range(begin, end):
        var row = address[dt](args, 1).unsafe_offset(k // integer(args, 5) * size)
        var value = address[dt](args, 2).unsafe_load(k)
        var low = 0
        var high = size
        while low < high:
            var middle = low + (high - low) // 2
            var element = row.unsafe_load(middle)
            var stays = not (element > value) if right else not (element >= value)  # NaN compares false
            if stays:
                low = middle + 1
            else:
                high = middle
        address[I32](args, 3).unsafe_store(k, Int32(low))


def search_sorted(args: Args, begin: Int, end: Int):
    comptime for k in range(DTYPE_COUNT):
        comptime if is_known(k):
            if integer(args, 0) == k:
                search_of[dtype_of(k)](args, begin, end)
