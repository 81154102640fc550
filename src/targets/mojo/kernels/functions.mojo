# Functions of vectors of floats; the polynomials are those of targets/cpu/kernels/vec.h.
from common import *
from std.ffi import external_call
from std.math import sqrt, floor, ceil, trunc


@always_inline
def bits[w: SIMDLength, //](v: V[w]) -> SIMD[I32, w]:
    return bitcast[I32, w](v)


# By the bits: the compiler takes a.ne(a) for false.
@always_inline
def is_no_number[w: SIMDLength, //](v: V[w]) -> SIMD[DType.bool, w]:
    return (bits(v) & 0x7FFFFFFF).gt(0x7F800000)


@always_inline
def largest_of[w: SIMDLength, //](a: V[w], b: V[w]) -> V[w]:  # NaN wins
    return (a.gt(b) | is_no_number(a)).select(a, b)


@always_inline
def least_of[w: SIMDLength, //](a: V[w], b: V[w]) -> V[w]:
    return (a.lt(b) | is_no_number(a)).select(a, b)


@always_inline
def magnitude[w: SIMDLength, //](v: V[w]) -> V[w]:
    return bitcast[F32, w](bits(v) & 0x7FFFFFFF)


@always_inline
def with_sign[w: SIMDLength, //](v: V[w], sign: V[w]) -> V[w]:
    return bitcast[F32, w]((bits(v) & 0x7FFFFFFF) | (bits(sign) & Int32.MIN))


@always_inline
def nearest[w: SIMDLength, //](v: V[w]) -> V[w]:  # of |v| < 2^22
    return (v + 12582912.0) - 12582912.0


@always_inline
def power2[w: SIMDLength, //](n: V[w]) -> V[w]:  # of whole n in -126..127
    return bitcast[F32, w]((n.cast[I32]() + 127) << 23)


# e^x within about 1 ulp. std.math.exp is not used: it gives 4e-39 for minus infinity.
@always_inline
def exponential[w: SIMDLength, //](x: V[w]) -> V[w]:
    var nan = is_no_number(x)
    var clamped = nan.select(V[w](0), min(max(x, V[w](-104.0)), V[w](89.0)))
    var n = nearest(clamped * 1.44269502162933349609375)
    var r = n.fma(V[w](-0.693145751953125), clamped)
    r = n.fma(V[w](-1.428606765330187045037746429443359375e-06), r)
    var p = V[w](0.00019899391918443143)
    p = p.fma(r, V[w](0.0013933733571320772))
    p = p.fma(r, V[w](0.0083332983776927))
    p = p.fma(r, V[w](0.041666463017463684))
    p = p.fma(r, V[w](0.1666666716337204))
    p = p.fma(r, V[w](0.5))
    p = (p * r).fma(r, r) + 1.0
    var half = nearest(n * 0.5)
    return nan.select(x, p * power2(half) * power2(n - half))


@always_inline
def hyperbolic_tangent[w: SIMDLength, //](x: V[w]) -> V[w]:
    var t = magnitude(x)
    var s = x * x
    var large = 1.0 - 2.0 / (exponential(t + t) + 1.0)
    var p = V[w](0.0022724370937794447)
    p = p.fma(s, V[w](-0.008326107636094093))
    p = p.fma(s, V[w](0.0217635165899992))
    p = p.fma(s, V[w](-0.053958602249622345))
    p = p.fma(s, V[w](0.1333330124616623))
    p = p.fma(s, V[w](-0.3333333432674408))
    return t.lt(V[w](0.625)).select((p * s).fma(x, x), with_sign(large, x))


@always_inline
def error_function[w: SIMDLength, //](x: V[w]) -> V[w]:
    var t = min(magnitude(x), V[w](4.0))
    var s = t * t
    var p = V[w](0.00019788564532063901)
    p = p.fma(t, V[w](-0.003062134375795722))
    p = p.fma(t, V[w](0.022301645949482918))
    p = p.fma(t, V[w](-0.10408538579940796))
    p = p.fma(t, V[w](-0.6370082497596741))
    p = p.fma(t, V[w](-1.12777841091156))
    p = p.fma(t, V[w](-0.00017094393842853606))
    var large = with_sign(1.0 - exponential(p), x)
    var q = V[w](7.8824938100297e-05)
    q = q.fma(s, V[w](-0.0008018853841349483))
    q = q.fma(s, V[w](0.005189311690628529))
    q = q.fma(s, V[w](-0.02685432881116867))
    q = q.fma(s, V[w](0.11283597350120544))
    q = q.fma(s, V[w](-0.3761262595653534))
    q = q.fma(s, V[w](0.12837916612625122))
    return is_no_number(x).select(x, t.lt(V[w](0.9)).select(q.fma(x, x), large))


@always_inline
def rectified[w: SIMDLength, //](x: V[w]) -> V[w]:
    return (x.gt(V[w](0)) | is_no_number(x)).select(x, V[w](0))


# Numbers of am_unary_fn, in the order of graph/functions.def; the tests of the op compare each of them with C.
comptime IDENTITY = 0
comptime ABS = 1
comptime NEG = 2
comptime SIGN = 3
comptime RECIPROCAL = 4
comptime SQUARE = 5
comptime SQRT = 6
comptime RSQRT = 7
comptime EXP = 8
comptime EXPM1 = 9
comptime LOG = 10
comptime LOG1P = 11
comptime SIN = 12
comptime COS = 13
comptime TAN = 14
comptime ASIN = 15
comptime ACOS = 16
comptime ATAN = 17
comptime SINH = 18
comptime COSH = 19
comptime TANH = 20
comptime ASINH = 21
comptime ACOSH = 22
comptime ATANH = 23
comptime ERF = 24
comptime FLOOR = 25
comptime CEIL = 26
comptime ROUND = 27
comptime TRUNC = 28
comptime SIGMOID = 29
comptime LOG_SIGMOID = 30
comptime SOFTPLUS = 31
comptime RELU = 32
comptime RELU6 = 33
comptime RELU2 = 34
comptime GELU = 35
comptime GELU_TANH = 36
comptime QUICK_GELU = 37
comptime SILU = 38
comptime MISH = 39
comptime HARD_SIGMOID = 40
comptime HARD_SWISH = 41
comptime ELU = 42
comptime LOGICAL_NOT = 43
comptime IS_NAN = 44
comptime IS_INF = 45
comptime NORMAL_ICDF = 46
comptime UNARY_COUNT = 47


# Whether `activate` has it; the others are computed as doubles, one by one.
def is_vector_function(kind: Int) -> Bool:
    return (
        kind <= EXP
        or kind == TANH
        or kind == ERF
        or (kind >= FLOOR and kind <= TRUNC)
        or kind == SIGMOID
        or (kind >= RELU and kind <= SILU)
        or kind == HARD_SIGMOID
        or kind == HARD_SWISH
    )


@always_inline
def activate[kind: Int, w: SIMDLength, //, dt: DType = F32](x: V[w]) -> V[w]:
    return x
@always_inline
def sigmoid[w: SIMDLength, //](x: V[w]) -> V[w]:
    return 1.0 / (1.0 + exponential(-x))


@always_inline
def gelu[w: SIMDLength, //](x: V[w]) -> V[w]:
    return 0.5 * x * (1.0 + error_function(x * 0.70710678))


@always_inline
def gelu_tanh[w: SIMDLength, //](x: V[w]) -> V[w]:
    var cubed = 0.044715 * x * x * x
    return 0.5 * x * (1.0 + hyperbolic_tangent(0.79788456 * (x + cubed)))


@always_inline
def hard_sigmoid[w: SIMDLength, //](x: V[w]) -> V[w]:
    var y = x / 6.0 + 0.5
    return x.le(V[w](-3)).select(V[w](0), x.ge(V[w](3)).select(V[w](1), y))


@always_inline
def hard_swish[w: SIMDLength, //](x: V[w]) -> V[w]:
    var y = x * (x + 3.0) / 6.0
    return x.le(V[w](-3)).select(V[w](0), x.ge(V[w](3)).select(x, y))


# Half to even, of numbers of any size.
@always_inline
def rounded[w: SIMDLength, //](x: V[w]) -> V[w]:
    var t = magnitude(x)
    var y = (t + 8388608.0) - 8388608.0
    return t.lt(V[w](8388608.0)).select(with_sign(y, x), x)


@always_inline
def activate[kind: Int, w: SIMDLength](x: V[w]) -> V[w]:
    comptime if kind == ABS:
        return magnitude(x)
    elif kind == NEG:
        return -x
    elif kind == SIGN:
        return x.gt(V[w](0)).select(V[w](1), x.lt(V[w](0)).select(V[w](-1), x))
    elif kind == RECIPROCAL:
        return 1.0 / x
    elif kind == SQUARE:
        return x * x
    elif kind == SQRT:
        return sqrt(x)
    elif kind == RSQRT:
        return 1.0 / sqrt(x)
    elif kind == EXP:
        return exponential(x)
    elif kind == TANH:
        return hyperbolic_tangent(x)
    elif kind == ERF:
        return error_function(x)
    elif kind == FLOOR:
        return floor(x)
    elif kind == CEIL:
        return ceil(x)
    elif kind == ROUND:
        return rounded(x)
    elif kind == TRUNC:
        return trunc(x)
    elif kind == SIGMOID:
        return sigmoid(x)
    elif kind == RELU:
        return rectified(x)
    elif kind == RELU6:
        return x.gt(V[w](6)).select(V[w](6), rectified(x))
    elif kind == RELU2:
        return rectified(x) * rectified(x)
    elif kind == GELU:
        return gelu(x)
    elif kind == GELU_TANH:
        return gelu_tanh(x)
    elif kind == QUICK_GELU:
        return x / (1.0 + exponential(-1.702 * x))
    elif kind == SILU:
        return x / (1.0 + exponential(-x))
    elif kind == HARD_SIGMOID:
        return hard_sigmoid(x)
    elif kind == HARD_SWISH:
        return hard_swish(x)
    else:
        return x


# --- doubles, by the C library, as graph/functions.def defines them ---


@always_inline
def libm[name: StaticString](x: Float64) -> Float64:
    return external_call[name, Float64](x)


@always_inline
def softplus(x: Float64) -> Float64:
    if x > 0:
        return x + libm["log1p"](libm["exp"](-x))
    return libm["log1p"](libm["exp"](x))


@always_inline
def positive_part(x: Float64) -> Float64:
    return x if x > 0 or x != x else Float64(0)


def horner[count: Int](coefficients: Array[Float64, count], x: Float64) -> Float64:
    var sum = Float64(0)
    for i in range(count):
        sum = sum * x + coefficients[i]
    return sum


def icdf_estimate(p: Float64) -> Float64:
    var a: Array[Float64, 6] = [
        -3.969683028665376e01, 2.209460984245205e02, -2.759285104469687e02,
        1.383577518672690e02, -3.066479806614716e01, 2.506628277459239e00,
    ]
    var b: Array[Float64, 6] = [
        -5.447609879822406e01, 1.615858368580409e02, -1.556989798598866e02,
        6.680131188771972e01, -1.328068155288572e01, 1.0,
    ]
    var c: Array[Float64, 6] = [
        -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e00,
        -2.549732539343734e00, 4.374664141464968e00, 2.938163982698783e00,
    ]
    var d: Array[Float64, 5] = [
        7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e00, 3.754408661907416e00, 1.0,
    ]
    if p > 0.02425 and p < 1 - 0.02425:
        var q = p - 0.5
        var r = q * q
        return horner(a, r) * q / horner(b, r)
    var q = sqrt(-2 * libm["log"](p if p < 0.5 else 1 - p))
    var tail = horner(c, q) / horner(d, q)
    return tail if p < 0.5 else -tail


# Inverse of the normal distribution function: Acklam's approximation refined by one Halley step.
def normal_icdf(p: Float64) -> Float64:
    if not (p >= 0 and p <= 1):
        return INFINITE - INFINITE
    if p == 0 or p == 1:
        return -INFINITE if p == 0 else INFINITE
    var x = icdf_estimate(p)
    var error = 0.5 * libm["erfc"](-x * 0.70710678118654752440) - p
    var step = error * 2.50662827463100050242 * libm["exp"](x * x / 2)
    return x - step / (1 + x * step / 2)


@always_inline
def real_activation[kind: Int](x: Float64) -> Float64:
    comptime if kind == RELU:
        return positive_part(x)
    elif kind == RELU6:
        return Float64(6) if x > 6 else positive_part(x)
    elif kind == RELU2:
        return x * x if x > 0 else positive_part(x)
    elif kind == GELU:
        return 0.5 * x * (1 + libm["erf"](x * 0.70710678118654752440))
    elif kind == GELU_TANH:
        return 0.5 * x * (1 + libm["tanh"](0.79788456080286535588 * (x + 0.044715 * x * x * x)))
    elif kind == QUICK_GELU:
        return x / (1 + libm["exp"](-1.702 * x))
    elif kind == SILU:
        return x / (1 + libm["exp"](-x))
    elif kind == MISH:
        return x * libm["tanh"](softplus(x))
    elif kind == HARD_SIGMOID:
        return Float64(0) if x <= -3 else (Float64(1) if x >= 3 else x / 6 + 0.5)
    elif kind == HARD_SWISH:
        return Float64(0) if x <= -3 else (x if x >= 3 else x * (x + 3) / 6)
    elif kind == ELU:
        return x if x > 0 else libm["expm1"](x)
    elif kind == SIGMOID:
        return 1 / (1 + libm["exp"](-x))
    elif kind == LOG_SIGMOID:
        return x - libm["log1p"](libm["exp"](x)) if x < 0 else -libm["log1p"](libm["exp"](-x))
    elif kind == SOFTPLUS:
        return softplus(x)
    elif kind == LOGICAL_NOT:
        return Float64(1) if x == 0 else Float64(0)
    elif kind == IS_NAN:
        return Float64(1) if x != x else Float64(0)
    elif kind == IS_INF:
        return Float64(1) if x - x != x - x and x == x else Float64(0)
    else:
        return normal_icdf(x)


@always_inline
def real_unary[kind: Int](x: Float64) -> Float64:
    comptime if kind == IDENTITY:
        return x
    elif kind == ABS:
        return libm["fabs"](x)
    elif kind == NEG:
        return -x
    elif kind == SIGN:
        return Float64(1) if x > 0 else (Float64(-1) if x < 0 else x)
    elif kind == RECIPROCAL:
        return 1 / x
    elif kind == SQUARE:
        return x * x
    elif kind == SQRT:
        return sqrt(x)
    elif kind == RSQRT:
        return 1 / sqrt(x)
    elif kind == EXP:
        return libm["exp"](x)
    elif kind == EXPM1:
        return libm["expm1"](x)
    elif kind == LOG:
        return libm["log"](x)
    elif kind == LOG1P:
        return libm["log1p"](x)
    elif kind == SIN:
        return libm["sin"](x)
    elif kind == COS:
        return libm["cos"](x)
    elif kind == TAN:
        return libm["tan"](x)
    elif kind == ASIN:
        return libm["asin"](x)
    elif kind == ACOS:
        return libm["acos"](x)
    elif kind == ATAN:
        return libm["atan"](x)
    elif kind == SINH:
        return libm["sinh"](x)
    elif kind == COSH:
        return libm["cosh"](x)
    elif kind == TANH:
        return libm["tanh"](x)
    elif kind == ASINH:
        return libm["asinh"](x)
    elif kind == ACOSH:
        return libm["acosh"](x)
    elif kind == ATANH:
        return libm["atanh"](x)
    elif kind == ERF:
        return libm["erf"](x)
    elif kind == FLOOR:
        return floor(x)
    elif kind == CEIL:
        return ceil(x)
    elif kind == ROUND:
        return libm["nearbyint"](x)
    elif kind == TRUNC:
        return trunc(x)
    else:
        return real_activation[kind](x)


# The same with the function known at run time only: one body for all dtypes but single precision.
@no_inline
def real_function(kind: Int, x: Float64) -> Float64:
    comptime for f in range(UNARY_COUNT):
        if kind == f:
            return real_unary[f](x)
    return x


def integer_unary(kind: Int, x: Int64) -> Int64:
    if kind == ABS:
        return -x if x < 0 else x
    if kind == NEG:
        return -x
    if kind == SIGN:
        return Int64(1) if x > 0 else (Int64(-1) if x < 0 else Int64(0))
    if kind == SQUARE:
        return x * x
    if kind == RELU:
        return x if x > 0 else Int64(0)
    if kind == LOGICAL_NOT:
        return Int64(1) if x == 0 else Int64(0)
    return x


# --- two operands: numbers of am_binary_fn, in the order of graph/functions.def ---

comptime ADD = 0
comptime SUB = 1
comptime MUL = 2
comptime DIV = 3
comptime MOD = 4
comptime POW = 5
comptime ATAN2 = 6
comptime MIN = 7
comptime MAX = 8
comptime EQUAL = 9
comptime NOT_EQUAL = 10
comptime LESS = 11
comptime LESS_EQUAL = 12
comptime GREATER = 13
comptime GREATER_EQUAL = 14
comptime LOGICAL_AND = 15
comptime LOGICAL_OR = 16
comptime LOGICAL_XOR = 17
comptime BIT_AND = 18
comptime BIT_OR = 19
comptime BIT_XOR = 20
comptime BINARY_COUNT = 21


def is_vector_pair(kind: Int) -> Bool:
    return kind <= DIV or kind == MIN or kind == MAX


@always_inline
def combine[kind: Int, w: SIMDLength](x: V[w], y: V[w]) -> V[w]:
    comptime if kind == ADD:
        return x + y
    elif kind == SUB:
        return x - y
    elif kind == MUL:
        return x * y
    elif kind == DIV:
        return x / y
    elif kind == MIN:
        return least_of(x, y)
    else:
        return largest_of(x, y)


@always_inline
def floor_mod(x: Float64, y: Float64) -> Float64:
    var r = external_call["fmod", Float64](x, y)
    return r + y if r != 0 and (r < 0) != (y < 0) else r


@always_inline
def truth(value: Bool) -> Float64:
    return Float64(1) if value else Float64(0)


@no_inline
def real_binary(kind: Int, x: Float64, y: Float64) -> Float64:
    if kind == ADD:
        return x + y
    if kind == SUB:
        return x - y
    if kind == MUL:
        return x * y
    if kind == DIV:
        return x / y
    if kind == MOD:
        return floor_mod(x, y)
    if kind == POW:
        return external_call["pow", Float64](x, y)
    if kind == ATAN2:
        return external_call["atan2", Float64](x, y)
    if kind == MIN:
        return x + y if x != x or y != y else (x if x < y else y)
    if kind == MAX:
        return x + y if x != x or y != y else (x if x > y else y)
    if kind == EQUAL:
        return truth(x == y)
    if kind == NOT_EQUAL:
        return truth(x != y)
    if kind == LESS:
        return truth(x < y)
    if kind == LESS_EQUAL:
        return truth(x <= y)
    if kind == GREATER:
        return truth(x > y)
    if kind == GREATER_EQUAL:
        return truth(x >= y)
    if kind == LOGICAL_AND:
        return truth(x != 0 and y != 0)
    if kind == LOGICAL_OR:
        return truth(x != 0 or y != 0)
    return truth((x != 0) != (y != 0))


# Quotients round down and remainders have the sign of the divisor; by zero both are 0. Written with the quotient
# toward zero, so that -1 as divisor, of which the hardware would trap, is apart.
def floor_quotient(x: Int64, y: Int64) -> Int64:
    if y == 0:
        return 0
    if y == -1:
        return -x
    return x // y


def floor_remainder(x: Int64, y: Int64) -> Int64:
    if y == 0 or y == -1:
        return 0
    return x % y


def integer_power(x: Int64, y: Int64) -> Int64:
    if y < 0:
        if x == 1:
            return 1
        return (Int64(1) if y % 2 == 0 else Int64(-1)) if x == -1 else Int64(0)
    var result = Int64(1)
    var base = x
    var rest = y
    while rest != 0:
        if rest & 1 != 0:
            result *= base
        base *= base
        rest >>= 1
    return result


@no_inline
def integer_binary(kind: Int, x: Int64, y: Int64) -> Int64:
    if kind == ADD:
        return x + y
    if kind == SUB:
        return x - y
    if kind == MUL:
        return x * y
    if kind == DIV:
        return floor_quotient(x, y)
    if kind == MOD:
        return floor_remainder(x, y)
    if kind == POW:
        return integer_power(x, y)
    if kind == MIN:
        return x if x < y else y
    if kind == MAX:
        return x if x > y else y
    if kind == BIT_AND:
        return x & y
    if kind == BIT_OR:
        return x | y
    if kind == BIT_XOR:
        return x ^ y
    var holds = False
    if kind == EQUAL:
        holds = x == y
    elif kind == NOT_EQUAL:
        holds = x != y
    elif kind == LESS:
        holds = x < y
    elif kind == LESS_EQUAL:
        holds = x <= y
    elif kind == GREATER:
        holds = x > y
    elif kind == GREATER_EQUAL:
        holds = x >= y
    elif kind == LOGICAL_AND:
        holds = x != 0 and y != 0
    elif kind == LOGICAL_OR:
        holds = x != 0 or y != 0
    elif kind == LOGICAL_XOR:
        holds = (x != 0) != (y != 0)
    return Int64(1) if holds else Int64(0)
