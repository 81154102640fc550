/* Instruction sets of this cpu, and the vector routines compiled for each of them.

   Everything under kernels/ that ends in _tmpl.c is compiled once for each level and gives one am_micro
   table; a refined level has routines of its own for weights of 8 and 4 bits and for BF16, and the others of the level
   it refines. A level is used when the cpu has every feature it was compiled with.

   The environment variable ANYMODEL_CPU ("reference", "sse2", "avx2", ...) hides the features above a level, so that
   the kernels of lesser machines can be run on this one. "reference" leaves none: the kernels that define the ops run.
 */
#ifndef AM_TARGETS_CPU_ISA_H
#define AM_TARGETS_CPU_ISA_H

#include "graph/functions.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum am_isa {
    AM_ISA_ANY,          /* the best there is */
    AM_ISA_SSE2,         /* x86-64 baseline */
    AM_ISA_AVX2,         /* AVX2, FMA, F16C */
    AM_ISA_AVX2VNNI,     /* AVX2 refined: AVX-VNNI */
    AM_ISA_AVX512,       /* AVX-512 F, BW, VL, DQ */
    AM_ISA_AVX512VNNI,   /* AVX-512 refined: VNNI */
    AM_ISA_AVX512BF16,   /* AVX-512 refined: VNNI, BF16 */
    AM_ISA_AMX,          /* AVX-512 refined: VNNI, BF16, tiles of AMX for BF16 */
    AM_ISA_NEON,         /* AArch64 baseline */
    AM_ISA_NEON_DOTPROD, /* NEON refined: dot products of Armv8.2 */
    AM_ISA_NEON_BF16,    /* NEON refined: dot products, BF16 */
    AM_ISA_NEON_I8MM,    /* NEON refined: dot products, BF16, products of matrices of bytes */
    AM_ISA_COUNT
} am_isa;

typedef struct am_attention_problem am_attention_problem; /* kernels/attention.h */

/* c * factors + terms + residual, and 0 for what is below 0 where relu says so. factors and terms have a number for
   each column, residual rows as far apart as those of c; each may be null. */
typedef struct am_ending {
    const float *factors, *terms, *residual;
    bool relu;
} am_ending;

/* Two numbers of a row of x or of a column of a weight, neighbours along K, in BF16, the first in the lower half. Where
   K is odd the last pair's second is 0. */
typedef uint32_t am_pair;

/* Pairs that so many numbers make. */
static inline int64_t am_pairs_of(int64_t numbers)
{
    return (numbers + 1) / 2;
}

/* See am_micro.gemm_pairs. */
enum { AM_PAIR_STEPS = 16 };

/* So many neighbours in a row of x share a scale where x is rounded to 8 bits. */
enum { AM_ACTIVATION_GROUP = 32 };

/* Rows of x, K numbers each, K a multiple of AM_ACTIVATION_GROUP: what am_micro.quantize made of each, for a weight of
   as many bits. */
typedef struct am_quantized_rows {
    int16_t *numbers; /* room for K a row */
    float *scales;    /* one a group */
    int16_t *middle;  /* two a group: -8 times the sum of the numbers k with k % 4 < 2, and of the others */
} am_quantized_rows;

/* A panel of a weight of 8 or 4 bits and what belongs to it, as am_quantized_linear_attributes has them. */
typedef struct am_quantized_panel {
    int64_t K, group; /* multiples of AM_ACTIVATION_GROUP */
    int64_t columns;  /* that there are in this panel */
    const uint8_t *weight;
    const void *scales; /* F32, BF16 or F16 */
    am_dtype scale_dtype;
    const uint8_t *zero_points; /* null: none */
} am_quantized_panel;

/* Vector routines of one level. Float arrays need no alignment. Every element of a result is computed by the
   same operations whatever its neighbours, so results do not depend on how work is cut. */
typedef struct am_micro {
    const char *name; /* "avx2" */

    /* c[m, n] = sum_k a[m, k] b[n, k]: M x N results, both operands K-contiguous, with rows lda, ldb and ldc
       elements apart. b is F32, BF16 or F16 as b_dtype says. */
    void (*gemm_nt)(int64_t M, int64_t N, int64_t K, const float *a, int64_t lda, const void *b, int64_t ldb,
                    am_dtype b_dtype, float *c, int64_t ldc);

    /* c[m, n] = (accumulate ? c[m, n] : 0) + sum_k a[m, k] b[k, n]. */
    void (*gemm_nn)(int64_t M, int64_t N, int64_t K, const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
                    int64_t ldc, bool accumulate);

    /* A panel holds panel_columns columns of a weight [K][panel_columns], in F32, BF16 or F16, zeros in columns that
       the weight does not have. pack_panel makes one of K rows that are `row` elements apart in w and `columns` (at
       most panel_columns) that are `column` apart. */
    int panel_columns;
    void (*pack_panel)(const void *w, am_dtype dtype, int64_t row, int64_t column, int64_t K, int64_t columns,
                       void *panel);

    /* c[m, n] = (accumulate ? c[m, n] : 0) + sum_k a[m, k] panel[k, n] for the first `columns` of the panel, one
       sequence over k. `next`: a panel of the same size that is needed soon, or null. */
    void (*gemm_panel)(int64_t M, int64_t columns, int64_t K, const float *a, int64_t lda, const void *panel,
                       am_dtype dtype, const void *next, float *c, int64_t ldc, bool accumulate);

    /* The same, and then what `ending` (may be null) says is done to each result while it is at hand. */
    void (*gemm_panel_ending)(int64_t M, int64_t columns, int64_t K, const float *a, int64_t lda, const void *panel,
                              am_dtype dtype, const void *next, float *c, int64_t ldc, bool accumulate,
                              const am_ending *ending);

    /* The same of numbers that were rounded to BF16, with sums in F32. K counts pairs of a row of a and of a panel
       [K][panel_columns]; lda too. A level may add AM_PAIR_STEPS of them in an order of its own: results are the same
       bits where K is cut at multiples of so many. round_pairs makes pairs of `count` numbers, to nearest even;
       pack_pairs a panel of a weight, as pack_panel does: K counts its numbers. NaN stay, numbers below 2^-126 may
       become 0. */
    void (*gemm_pairs)(int64_t M, int64_t columns, int64_t K, const am_pair *a, int64_t lda, const am_pair *panel,
                       const am_pair *next, float *c, int64_t ldc, bool accumulate, const am_ending *ending);
    void (*round_pairs)(const float *x, int64_t count, am_pair *pairs);

    /* Pairs of fn(x), times z where that is not null. fn may be off by 2^-12 of itself, or by 2^-20; of
       -infinity it may be 0. */
    void (*round_function)(am_unary_fn fn, const float *x, const float *z, int64_t count, am_pair *pairs);
    void (*pack_pairs)(const void *w, am_dtype dtype, int64_t row, int64_t column, int64_t K, int64_t columns,
                       am_pair *panel);

    /* A row of x rounded to 8 bits: in each group of AM_ACTIVATION_GROUP of `count` numbers, a multiple of it, x /
       scale to the nearest whole number, scale being the largest |x| / 127. A group with a NaN or an infinity has the
       scale NaN, one with none from 2^-100 on the scale 0; all its numbers are then 0. `numbers` has room for `count`
       numbers of 16 bits; how they lie there is what this level's gemm_quantized reads with a weight of `bits`. */
    void (*quantize)(const float *x, int64_t count, int bits, void *numbers, float *scales, int16_t *middle);

    /* c[m, n] = sum_k x[m, k] w[n, k] for the columns n of a panel of so many bits (8 or 4) a number. The same bits on
       every level. */
    void (*gemm_quantized)(int64_t M, int bits, const am_quantized_panel *panel, const am_quantized_rows *x, float *c,
                           int64_t ldc);

    /* y[i] = bias + sum_t weights[t] x[offsets[t] + i], one sequence over t. */
    void (*taps)(const float *x, const int64_t *offsets, const float *weights, int64_t taps, float bias, float *y,
                 int64_t count);

    /* y[i, c] = sum_t weights[t, c] x[offsets[t] + i * x_place + c], one sequence over t: `count` places, y_place
       apart, of `channels` channels; rows of weights are `row` apart. */
    void (*filter)(const float *x, int64_t x_place, const int64_t *offsets, const float *weights, int64_t row,
                   int64_t taps, float *y, int64_t y_place, int64_t count, int64_t channels);

    /* The transforms of F(2x2, 3x3) of Winograd's minimal filtering (kernels/convolution_winograd.c). Of `count` channels
       of 4 x 4 places, each where places[4 row + column] says: 16 parts, `part` numbers apart, of `count` numbers. Both
       are F32 or BF16, as `from` and `to` say; F32 does not come of BF16. And of 16 such parts of sums: 2 x 2 results, or
       fewer `rows` or `places` of them, rows and places so far apart, as `ending` says. */
    void (*winograd_places)(am_dtype from, am_dtype to, const void *const *places, void *parts, int64_t part,
                            int64_t count);
    void (*winograd_results)(const float *sums, int64_t part, int64_t count, float *to, int64_t row, int64_t place,
                             int rows, int places, const am_ending *ending);

    /* y = y * factors + terms + residual, and 0 for what is below 0 where relu says so: `rows` rows of `count`
       elements, those of y and residual `stride` apart. factors, terms and residual may be null. */
    void (*affine)(float *y, const float *residual, int64_t stride, int64_t rows, int64_t count, const float *factors,
                   const float *terms, bool relu);

    /* c = fn(c + bias) + residual; bias and residual may be null. */
    void (*finish)(float *c, const float *bias, const float *residual, am_unary_fn fn, int64_t count);

    /* y = fn(x), count elements; x may be y. False when that went element by element. */
    bool (*unary)(am_unary_fn fn, const float *x, float *y, int64_t count);

    /* y = fn(x) * z; y may be x or z. */
    void (*gated)(am_unary_fn fn, const float *x, const float *z, float *y, int64_t count);

    /* z = fn(x, y) for functions that give floats; an operand that repeats is one number. z may be x or y.
     * False as above. */
    bool (*binary)(am_binary_fn fn, const float *x, bool x_repeats, const float *y, bool y_repeats, float *z,
                   int64_t count);

    /* Row of `count` elements: y = x normalized, times weight (+ offset) plus bias. weight and bias may be
     * null. x may be y. Squares are floats: numbers beyond 2^60 give infinite ones, here and in moments. */
    void (*layer_norm)(const float *x, const float *weight, const float *bias, float *y, int64_t count, float eps);
    void (*rms_norm)(const float *x, const float *weight, float weight_offset, float *y, int64_t count, float eps);

    /* Mean, and mean squared distance from it. */
    void (*moments)(const float *x, int64_t count, double *mean, double *variance);

    /* y = x * factor + term; x may be y. */
    void (*scale)(const float *x, float factor, float term, float *y, int64_t count);

    /* Row softmax or its logarithm, x may be y. */
    void (*softmax)(const float *x, float *y, int64_t count, bool log_form);

    /* Of a row; NaN wins in `largest`, which is -infinity for an empty row. */
    float (*sum)(const float *x, int64_t count);
    float (*largest)(const float *x, int64_t count);

    /* One head: rotates 2 * half elements (am_rope_attributes); x may be y. */
    void (*rope)(const float *x, const float *cos, const float *sin, float *y, int64_t half, bool interleaved);

    /* BF16 or F16 to F32. */
    void (*widen)(am_dtype dtype, const void *x, float *y, int64_t count);

    /* Queries t0..t1-1 of one head. */
    void (*attention)(const am_attention_problem *problem, int64_t b, int64_t h, int64_t t0, int64_t t1);
} am_micro;

/* The table of a level, or null when it is not in this build or the cpu lacks a feature. ANY: the best. */
const am_micro *am_micro_of(am_isa isa);

/* Fails with AM_INVALID_ARGUMENT when ANYMODEL_CPU names no level of this build. */
am_status am_cpu_check_wish(void) AM_NODISCARD;

/* "avx2"; "sse2", ... */
const char *am_isa_name(am_isa isa);

/* Feature names of this cpu that matter here ("avx2 fma f16c avx512f avx512vnni ..."), separated by spaces; a
 * static string. */
const char *am_cpu_features_text(void);

/* Marketing name of the cpu, or "unknown"; a static string. */
const char *am_cpu_model_name(void);

#endif
