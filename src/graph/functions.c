#include "graph/functions.h"

#include <math.h>
#include <string.h>

const char *const am_unary_names[] = {
#define AM_UNARY(id, name, definition) #name,
#include "graph/functions.def"
#undef AM_UNARY
    NULL};

const char *const am_binary_names[] = {
#define AM_BINARY(id, name, result, real, integer) #name,
#include "graph/functions.def"
#undef AM_BINARY
    NULL};

const char *const am_reduce_names[] = {
#define AM_REDUCE(id, name) #name,
#include "graph/functions.def"
#undef AM_REDUCE
    NULL};

bool am_unary_result(am_unary_fn fn, am_dtype dtype, am_dtype *out)
{
    bool asks = fn == AM_IS_NAN || fn == AM_IS_INF || fn == AM_LOGICAL_NOT;
    *out = asks ? AM_BOOL : dtype;
    if (am_dtype_is_float(dtype)) return true;
    if (dtype == AM_BOOL) return fn == AM_IDENTITY || fn == AM_LOGICAL_NOT;
    return fn == AM_IDENTITY || fn == AM_ABS || fn == AM_NEG || fn == AM_SIGN || fn == AM_SQUARE || fn == AM_RELU;
}

bool am_binary_result(am_binary_fn fn, am_dtype dtype, am_dtype *out)
{
    bool asks = fn >= AM_EQUAL && fn <= AM_LOGICAL_XOR, bitwise = fn >= AM_BIT_AND && fn <= AM_BIT_XOR;
    *out = asks ? AM_BOOL : dtype;
    if (am_dtype_is_float(dtype)) return !bitwise;
    if (dtype == AM_BOOL) return asks || bitwise;
    return fn != AM_ATAN2;
}

double am_unary_real(am_unary_fn fn, double x)
{
    switch (fn) {
#define AM_UNARY(id, name, definition)                                                                                 \
    case AM_##id:                                                                                                      \
        return definition;
#include "graph/functions.def"
#undef AM_UNARY
    case AM_UNARY_COUNT:
        break;
    }
    return x;
}

int64_t am_unary_int(am_unary_fn fn, int64_t x)
{
    uint64_t bits = (uint64_t)x;
    switch (fn) {
    case AM_ABS:
        return x < 0 ? (int64_t)(0 - bits) : x;
    case AM_NEG:
        return (int64_t)(0 - bits);
    case AM_SIGN:
        return (x > 0) - (x < 0);
    case AM_SQUARE:
        return (int64_t)(bits * bits);
    case AM_RELU:
        return x > 0 ? x : 0;
    case AM_LOGICAL_NOT:
        return x == 0;
    default:
        return x;
    }
}

static double am_floor_mod_real(double x, double y)
{
    double r = fmod(x, y);
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

double am_binary_real(am_binary_fn fn, double x, double y)
{
    switch (fn) {
#define AM_BINARY(id, name, result, real, integer)                                                                     \
    case AM_##id:                                                                                                      \
        return real;
#include "graph/functions.def"
#undef AM_BINARY
    case AM_BINARY_COUNT:
        break;
    }
    return x;
}

static int64_t am_wrap_add(int64_t x, int64_t y)
{
    return (int64_t)((uint64_t)x + (uint64_t)y);
}

static int64_t am_wrap_sub(int64_t x, int64_t y)
{
    return (int64_t)((uint64_t)x - (uint64_t)y);
}

static int64_t am_wrap_mul(int64_t x, int64_t y)
{
    return (int64_t)((uint64_t)x * (uint64_t)y);
}

static int64_t am_floor_div(int64_t x, int64_t y)
{
    if (y == 0) return 0;
    if (y == -1) return am_wrap_sub(0, x);
    int64_t q = x / y;
    return x % y != 0 && (x < 0) != (y < 0) ? q - 1 : q;
}

static int64_t am_floor_mod(int64_t x, int64_t y)
{
    if (y == 0 || y == -1) return 0;
    int64_t r = x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

static int64_t am_int_pow(int64_t x, int64_t y)
{
    uint64_t result = 1, base = (uint64_t)x;
    if (y < 0) return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
    for (; y; y >>= 1, base *= base)
        if (y & 1) result *= base;
    return (int64_t)result;
}

int64_t am_binary_int(am_binary_fn fn, int64_t x, int64_t y)
{
    switch (fn) {
#define AM_BINARY(id, name, result, real, integer)                                                                     \
    case AM_##id:                                                                                                      \
        return integer;
#include "graph/functions.def"
#undef AM_BINARY
    case AM_BINARY_COUNT:
        break;
    }
    return x;
}

static double horner(const double *c, int count, double x)
{
    double sum = 0;
    for (int i = 0; i < count; i++) sum = sum * x + c[i];
    return sum;
}

static double icdf_estimate(double p)
{
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                               1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02,  -1.556989798598866e+02,
                               6.680131188771972e+01,  -1.328068155288572e+01, 1};
    static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                               -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
    static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                               3.754408661907416e+00, 1};
    if (p > 0.02425 && p < 1 - 0.02425) {
        double q = p - 0.5, r = q * q;
        return horner(a, 6, r) * q / horner(b, 6, r);
    }
    double q = sqrt(-2 * log(p < 0.5 ? p : 1 - p)), tail = horner(c, 6, q) / horner(d, 5, q);
    return p < 0.5 ? tail : -tail;
}

double am_normal_icdf(double p)
{
    if (!(p >= 0 && p <= 1)) return NAN;
    if (p == 0 || p == 1) return p == 0 ? -INFINITY : INFINITY;
    double x = icdf_estimate(p);
    double error = 0.5 * erfc(-x * 0.70710678118654752440) - p;
    double step = error * 2.50662827463100050242 * exp(x * x / 2);
    return x - step / (1 + x * step / 2);
}

bool am_activation_from_name(const char *name, size_t length, am_unary_fn *out)
{
    static const struct {
        const char *name;
        am_unary_fn fn;
    } rows[] = {
        {"gelu", AM_GELU},
        {"gelu_python", AM_GELU},
        {"gelu_new", AM_GELU_TANH},
        {"gelu_fast", AM_GELU_TANH},
        {"gelu_accurate", AM_GELU_TANH},
        {"gelu_pytorch_tanh", AM_GELU_TANH},
        {"gelu_python_tanh", AM_GELU_TANH},
        {"quick_gelu", AM_QUICK_GELU},
        {"silu", AM_SILU},
        {"swish", AM_SILU},
        {"relu", AM_RELU},
        {"relu2", AM_RELU2},
        {"relu6", AM_RELU6},
        {"tanh", AM_TANH},
        {"sigmoid", AM_SIGMOID},
        {"mish", AM_MISH},
        {"hardswish", AM_HARD_SWISH},
        {"hard_swish", AM_HARD_SWISH},
        {"elu", AM_ELU},
        {"linear", AM_IDENTITY},
        {"softplus", AM_SOFTPLUS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strlen(rows[i].name) != length || memcmp(rows[i].name, name, length) != 0) continue;
        *out = rows[i].fn;
        return true;
    }
    return false;
}
