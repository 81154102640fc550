#include "models/blocks/alias_free.h"

#include "models/blocks/vision.h"

#include <math.h>

enum { RATIO = 2, TAPS = 12 }; /* not configurable */
static const double PI = 3.14159265358979323846;

/* The modified Bessel function of the first kind of order 0. */
static double bessel_i0(double x)
{
    double sum = 1, term = 1;
    for (int k = 1; k < 64; k++) {
        term *= x / (2 * k) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

/* A sinc that keeps what is slower than half of the samples, in a Kaiser window, of sum 1: [1, 1, TAPS]. */
static am_value filter(am_builder *b)
{
    double cutoff = 0.5 / RATIO, width = 4 * 0.6 / RATIO, values[TAPS], sum = 0;
    double attenuation = 2.285 * (TAPS / 2 - 1) * PI * width + 7.95;
    double beta = attenuation > 50    ? 0.1102 * (attenuation - 8.7)
                  : attenuation >= 21 ? 0.5842 * pow(attenuation - 21, 0.4) + 0.07886 * (attenuation - 21)
                                      : 0;
    float rounded[TAPS];
    for (int i = 0; i < TAPS; i++) {
        double place = 2.0 * i / (TAPS - 1) - 1, t = 2 * cutoff * (i - TAPS / 2 + 0.5);
        values[i] = bessel_i0(beta * sqrt(1 - place * place)) / bessel_i0(beta) * sin(PI * t) / (PI * t);
        sum += values[i];
    }
    for (int i = 0; i < TAPS; i++) rounded[i] = (float)(values[i] / sum);
    return am_constant_copy(b, AM_F32, am_shape_of(1, 1, TAPS), rounded);
}

/* x: [N, 1, T] with copies of its ends. */
static am_value extended(am_builder *b, am_value x, int64_t before, int64_t after)
{
    am_pad_attributes pad = {
        .before = am_shape_of(0, 0, before), .after = am_shape_of(0, 0, after), .mode = AM_PAD_REPLICATE};
    return am_pad(b, x, &pad);
}

/* x + sin(e^alpha x)^2 / e^beta below the scope: x: [B, C, T]. */
static am_value snake_beta(am_builder *b, am_value x)
{
    am_shape shape = am_shape_of(am_dim(b, x, 1));
    am_value alpha = am_unsqueeze(b, am_unary(b, AM_EXP, am_parameter(b, "alpha", shape, x)), 1);
    am_value beta = am_unsqueeze(b, am_unary(b, AM_EXP, am_parameter(b, "beta", shape, x)), 1);
    am_value wave = am_unary(b, AM_SQUARE, am_unary(b, AM_SIN, am_mul(b, x, alpha)));
    return am_add(b, x, am_mul(b, am_unary(b, AM_RECIPROCAL, am_add_number(b, beta, 1e-9)), wave));
}

am_value am_alias_free_snake(am_builder *b, const char *name, am_value x)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 1), T = am_dim(b, x, 2);
    int64_t pad = TAPS / RATIO - 1, cut = pad * RATIO + (TAPS - RATIO) / 2;
    am_convolution_attributes options = {.stride = am_shape_of(RATIO)};
    am_value taps = filter(b);
    x = extended(b, am_reshape(b, x, am_shape_of(B * C, 1, T)), pad, pad);
    x = am_slice(b, am_conv_transpose(b, x, taps, AM_NONE, &options), 2, cut, cut + RATIO * T);
    x = am_mul_number(b, am_reshape(b, x, am_shape_of(B, C, RATIO * T)), RATIO);
    am_scope(b, "%s.act", name);
    x = am_reshape(b, snake_beta(b, x), am_shape_of(B * C, 1, RATIO * T));
    am_end_scope(b);
    x = am_convolution(b, extended(b, x, TAPS / 2 - 1, TAPS / 2), taps, AM_NONE, &options);
    return am_reshape(b, x, am_shape_of(B, C, T));
}
