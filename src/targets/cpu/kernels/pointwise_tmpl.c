/* Functions of single elements over arrays. */
#include "targets/cpu/kernels/micro.h"

/* x times the share of a normal distribution below x, which is half of erfc(t), t = |x| / sqrt(2), or 1 less that:
   erfc(t) = e^(t P(t) - t^2), P fitted to log erfcx(t) / t up to 4.3, from where on it does not matter. */
AM_INLINE vf gelu(vf x)
{
    vf t = vmin(vabs(x) * 0.70710678f, vset(4.3f)), p = vset(-6.1607682e-7f);
    p = vfma(p, t, vset(1.3128855e-5f));
    p = vfma(p, t, vset(-0.00011951818f));
    p = vfma(p, t, vset(0.00059195957f));
    p = vfma(p, t, vset(-0.0015324837f));
    p = vfma(p, t, vset(-2.9742085e-5f));
    p = vfma(p, t, vset(0.019290991f));
    p = vfma(p, t, vset(-0.10282875f));
    p = vfma(p, t, vset(0.3633891f));
    p = vfma(p, t, vset(-1.1283796f));
    vf beyond = 0.5f * vexp_falling(vfma(p, t, -0.5f * x * x));
    return x * vselect((vi)(x > 0.0f), 1.0f - beyond, beyond);
}
AM_INLINE vf sigmoid(vf x)
{
    return 1.0f / (1.0f + vexp(-x));
}

AM_INLINE vf gelu_tanh(vf x)
{
    vf cubed = 0.044715f * x * x * x;
    return x / (1.0f + vexp(-1.5957691f * (x + cubed))); /* (1 + tanh(u)) / 2 = 1 / (1 + e^-2u) */
}

AM_INLINE vf apply(am_unary_fn fn, vf x)
{
    switch (fn) {
    case AM_ABS:
        return vabs(x);
    case AM_NEG:
        return -x;
    case AM_SQUARE:
        return x * x;
    case AM_RECIPROCAL:
        return 1.0f / x;
    case AM_EXP:
        return vexp(x);
    case AM_TANH:
        return vtanh(x);
    case AM_ERF:
        return verf(x);
    case AM_RELU:
        return vrelu(x);
    case AM_RELU2:
        return vrelu(x) * vrelu(x);
    case AM_SIGMOID:
        return sigmoid(x);
    case AM_GELU:
        return gelu(x);
    case AM_GELU_TANH:
        return gelu_tanh(x);
    case AM_QUICK_GELU:
        return x / (1.0f + vexp(-1.702f * x));
    case AM_SILU:
        return x / (1.0f + vexp(-x));
    default:
        return x;
    }
}

AM_INLINE void run_unary(am_unary_fn fn, const float *x, float *y, int64_t count)
{
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) vstore(y + i, apply(fn, vload(x + i)));
    if (i < count) vstore_part(y + i, apply(fn, vload_part(x + i, count - i)), count - i);
}

bool AM_TEMPLATE(unary)(am_unary_fn fn, const float *x, float *y, int64_t count)
{
    switch (fn) {
#define CASE(id)                                                                                                       \
    case id:                                                                                                           \
        run_unary(id, x, y, count);                                                                                    \
        return true;
        /* clang-format off: it takes the rows for one expression */
        CASE(AM_IDENTITY)
        CASE(AM_ABS)
        CASE(AM_NEG)
        CASE(AM_SQUARE)
        CASE(AM_RECIPROCAL)
        CASE(AM_EXP)
        CASE(AM_TANH)
        CASE(AM_ERF)
        CASE(AM_RELU)
        CASE(AM_RELU2)
        CASE(AM_SIGMOID)
        CASE(AM_GELU)
        CASE(AM_GELU_TANH)
        CASE(AM_QUICK_GELU)
        CASE(AM_SILU)
#undef CASE
    default:
        break;
        /* clang-format on */
    }
    for (int64_t i = 0; i < count; i++) y[i] = (float)am_unary_real(fn, (double)x[i]);
    return false;
}

static void multiply(const float *x, const float *y, float *z, int64_t count)
{
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) vstore(z + i, vload(x + i) * vload(y + i));
    if (i < count) vstore_part(z + i, vload_part(x + i, count - i) * vload_part(y + i, count - i), count - i);
}

static void add(const float *x, const float *y, float *z, int64_t count)
{
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) vstore(z + i, vload(x + i) + vload(y + i));
    if (i < count) vstore_part(z + i, vload_part(x + i, count - i) + vload_part(y + i, count - i), count - i);
}

void AM_TEMPLATE(gated)(am_unary_fn fn, const float *x, const float *z, float *y, int64_t count)
{
    float part[256];
    for (int64_t i = 0; i < count; i += 256) {
        int64_t n = count - i < 256 ? count - i : 256;
        AM_TEMPLATE(unary)(fn, x + i, part, n);
        multiply(part, z + i, y + i, n);
    }
}

void AM_TEMPLATE(finish)(float *c, const float *bias, const float *residual, am_unary_fn fn, int64_t count)
{
    if (bias) add(c, bias, c, count);
    if (fn != AM_IDENTITY) AM_TEMPLATE(unary)(fn, c, c, count);
    if (residual) add(c, residual, c, count);
}

AM_INLINE vf affine_part(bool scales, bool adds, bool relus, vf y, vf factor, vf term, vf residual)
{
    y = scales ? vfma(y, factor, term) : y + term;
    if (adds) y += residual;
    return relus ? vrelu(y) : y;
}

AM_INLINE void affine_rows(bool scales, bool adds, bool relus, float *y, const float *residual, int64_t stride,
                           int64_t rows, int64_t count, const float *factors, const float *terms)
{
    for (int64_t row = 0; row < rows; row++, y += stride) {
        for (int64_t i = 0; i < count; i += AM_WIDTH) {
            int64_t n = count - i < AM_WIDTH ? count - i : AM_WIDTH;
            vf zero = vset(0);
            if (n == AM_WIDTH)
                vstore(y + i, affine_part(scales, adds, relus, vload(y + i), scales ? vload(factors + i) : zero,
                                          terms ? vload(terms + i) : zero, adds ? vload(residual + i) : zero));
            else
                vstore_n(y + i,
                         affine_part(scales, adds, relus, vload_n(y + i, n), scales ? vload_n(factors + i, n) : zero,
                                     terms ? vload_n(terms + i, n) : zero, adds ? vload_n(residual + i, n) : zero),
                         n);
        }
        if (adds) residual += stride;
    }
}

void AM_TEMPLATE(affine)(float *y, const float *residual, int64_t stride, int64_t rows, int64_t count,
                         const float *factors, const float *terms, bool relu)
{
    int which = (factors ? 4 : 0) + (residual ? 2 : 0) + relu;
#define CASE(n)                                                                                                        \
    case n:                                                                                                            \
        affine_rows((n) >= 4, (n) / 2 % 2, (n) % 2, y, residual, stride, rows, count, factors, terms);                 \
        break
    switch (which) {
        CASE(0);
        CASE(1);
        CASE(2);
        CASE(3);
        CASE(4);
        CASE(5);
        CASE(6);
        CASE(7);
    }
#undef CASE
}

AM_INLINE vf apply2(am_binary_fn fn, vf x, vf y)
{
    switch (fn) {
    case AM_ADD:
        return x + y;
    case AM_SUB:
        return x - y;
    case AM_MUL:
        return x * y;
    case AM_DIV:
        return x / y;
    case AM_MIN:
        return vmin(x, y);
    default:
        return vmax(x, y);
    }
}

AM_INLINE void run_binary(am_binary_fn fn, const float *x, bool x_repeats, const float *y, bool y_repeats, float *z,
                          int64_t count)
{
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH)
        vstore(z + i, apply2(fn, x_repeats ? vset(*x) : vload(x + i), y_repeats ? vset(*y) : vload(y + i)));
    int64_t n = count - i;
    if (n)
        vstore_part(
            z + i, apply2(fn, x_repeats ? vset(*x) : vload_part(x + i, n), y_repeats ? vset(*y) : vload_part(y + i, n)),
            n);
}

bool AM_TEMPLATE(binary)(am_binary_fn fn, const float *x, bool x_repeats, const float *y, bool y_repeats, float *z,
                         int64_t count)
{
    switch (fn) {
#define CASE(id)                                                                                                       \
    case id:                                                                                                           \
        if (x_repeats) run_binary(id, x, true, y, y_repeats, z, count);                                                \
        else if (y_repeats) run_binary(id, x, false, y, true, z, count);                                               \
        else run_binary(id, x, false, y, false, z, count);                                                             \
        return true;
        CASE(AM_ADD)
        CASE(AM_SUB)
        CASE(AM_MUL)
        CASE(AM_DIV)
        CASE(AM_MIN)
        CASE(AM_MAX)
#undef CASE
    default:
        break;
    }
    for (int64_t i = 0; i < count; i++)
        z[i] = (float)am_binary_real(fn, (double)x[x_repeats ? 0 : i], (double)y[y_repeats ? 0 : i]);
    return false;
}

void AM_TEMPLATE(scale)(const float *x, float factor, float term, float *y, int64_t count)
{
    vf f = vset(factor), t = vset(term);
    int64_t i = 0;
    for (; i + AM_WIDTH <= count; i += AM_WIDTH) vstore(y + i, vfma(vload(x + i), f, t));
    if (i < count) vstore_part(y + i, vfma(vload_part(x + i, count - i), f, t), count - i);
}

void AM_TEMPLATE(rope)(const float *x, const float *cos, const float *sin, float *y, int64_t half, bool interleaved)
{
    int64_t i = 0;
    for (; !interleaved && i + AM_WIDTH <= half; i += AM_WIDTH) {
        vf a = vload(x + i), b = vload(x + half + i), c = vload(cos + i), s = vload(sin + i);
        vstore(y + i, a * c - b * s);
        vstore(y + half + i, b * c + a * s);
    }
    for (; i < half; i++) {
        int64_t first = interleaved ? 2 * i : i, second = interleaved ? first + 1 : first + half;
        float a = x[first], b = x[second];
        y[first] = a * cos[i] - b * sin[i];
        y[second] = b * cos[i] + a * sin[i];
    }
}

void AM_TEMPLATE(widen)(am_dtype dtype, const void *x, float *y, int64_t count)
{
    const uint16_t *from = x;
    int64_t i = 0;
    if (dtype == AM_BF16)
        for (; i + AM_WIDTH <= count; i += AM_WIDTH) vstore(y + i, vwiden_bf16(from + i));
    else
        for (; i + AM_WIDTH <= count; i += AM_WIDTH) vstore(y + i, vwiden_f16(from + i));
    for (; i < count; i++) y[i] = dtype == AM_BF16 ? am_bf16_to_f32(from[i]) : am_f16_to_f32(from[i]);
}
