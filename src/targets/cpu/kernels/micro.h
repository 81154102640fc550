/* What the *_tmpl.c files of one level give each other and micro_tmpl.c. Include after defining AM_ISA (the
 * build does). */
#ifndef AM_TARGETS_CPU_KERNELS_MICRO_H
#define AM_TARGETS_CPU_KERNELS_MICRO_H

#include "targets/cpu/kernels/vec.h"

#include "targets/cpu/isa.h"

/* Vectors of a tile of results and columns of a panel (am_micro), which are as many; and rows of a tile of results so
   many vectors wide: as many sums as registers hold beside the operands, and enough that none waits for the one before.
 */
#if AM_WIDTH == 16 || defined(AM_VEC_NEON)
#define AM_TILE_VECTORS       4
#define AM_TILE_ROWS(vectors) ((vectors) == 4 ? 6 : (vectors) == 3 ? 8 : 12)
#else
#define AM_TILE_VECTORS       3
#define AM_TILE_ROWS(vectors) ((vectors) == 3 ? 4 : (vectors) == 2 ? 6 : 8)
#endif
enum { AM_PANEL_COLUMNS = AM_TILE_VECTORS * AM_WIDTH };

/* See am_micro in targets/cpu/isa.h. Those of a refined level are AM_TEMPLATE, of that level's base AM_BASE. */
void AM_BASE(gemm_nt)(int64_t M, int64_t N, int64_t K, const float *a, int64_t lda, const void *b, int64_t ldb,
                      am_dtype b_dtype, float *c, int64_t ldc);
void AM_BASE(gemm_nn)(int64_t M, int64_t N, int64_t K, const float *a, int64_t lda, const float *b, int64_t ldb,
                      float *c, int64_t ldc, bool accumulate);
void AM_BASE(pack_panel)(const void *w, am_dtype dtype, int64_t row, int64_t column, int64_t K, int64_t columns,
                         void *panel);
void AM_BASE(gemm_panel)(int64_t M, int64_t columns, int64_t K, const float *a, int64_t lda, const void *panel,
                         am_dtype dtype, const void *next, float *c, int64_t ldc, bool accumulate);
void AM_BASE(gemm_panel_ending)(int64_t M, int64_t columns, int64_t K, const float *a, int64_t lda, const void *panel,
                                am_dtype dtype, const void *next, float *c, int64_t ldc, bool accumulate,
                                const am_ending *ending);
void AM_TEMPLATE(gemm_pairs)(int64_t M, int64_t columns, int64_t K, const am_pair *a, int64_t lda, const am_pair *panel,
                             const am_pair *next, float *c, int64_t ldc, bool accumulate, const am_ending *ending);
void AM_TEMPLATE(round_pairs)(const float *x, int64_t count, am_pair *pairs);
void AM_TEMPLATE(round_function)(am_unary_fn fn, const float *x, const float *z, int64_t count, am_pair *pairs);
void AM_TEMPLATE(pack_pairs)(const void *w, am_dtype dtype, int64_t row, int64_t column, int64_t K, int64_t columns,
                             am_pair *panel);
void AM_TEMPLATE(quantize)(const float *x, int64_t count, int bits, void *numbers, float *scales, int16_t *middle);
void AM_TEMPLATE(gemm_quantized)(int64_t M, int bits, const am_quantized_panel *panel, const am_quantized_rows *x,
                                 float *c, int64_t ldc);
void AM_BASE(taps)(const float *x, const int64_t *offsets, const float *weights, int64_t taps, float bias, float *y,
                   int64_t count);
void AM_BASE(filter)(const float *x, int64_t x_place, const int64_t *offsets, const float *weights, int64_t row,
                     int64_t taps, float *y, int64_t y_place, int64_t count, int64_t channels);
void AM_TEMPLATE(winograd_places)(am_dtype from, am_dtype to, const void *const *places, void *parts, int64_t part,
                                  int64_t count);
void AM_TEMPLATE(winograd_results)(const float *sums, int64_t part, int64_t count, float *to, int64_t row,
                                   int64_t place, int rows, int places, const am_ending *ending);
void AM_BASE(affine)(float *y, const float *residual, int64_t stride, int64_t rows, int64_t count, const float *factors,
                     const float *terms, bool relu);
void AM_BASE(finish)(float *c, const float *bias, const float *residual, am_unary_fn fn, int64_t count);
bool AM_BASE(unary)(am_unary_fn fn, const float *x, float *y, int64_t count);
void AM_BASE(gated)(am_unary_fn fn, const float *x, const float *z, float *y, int64_t count);
bool AM_BASE(binary)(am_binary_fn fn, const float *x, bool x_repeats, const float *y, bool y_repeats, float *z,
                     int64_t count);
void AM_BASE(layer_norm)(const float *x, const float *weight, const float *bias, float *y, int64_t count, float eps);
void AM_BASE(rms_norm)(const float *x, const float *weight, float weight_offset, float *y, int64_t count, float eps);
void AM_BASE(moments)(const float *x, int64_t count, double *mean, double *variance);
void AM_BASE(scale)(const float *x, float factor, float term, float *y, int64_t count);
void AM_BASE(softmax)(const float *x, float *y, int64_t count, bool log_form);
float AM_BASE(sum)(const float *x, int64_t count);
float AM_BASE(largest)(const float *x, int64_t count);
void AM_BASE(rope)(const float *x, const float *cos, const float *sin, float *y, int64_t half, bool interleaved);
void AM_BASE(widen)(am_dtype dtype, const void *x, float *y, int64_t count);
void AM_TEMPLATE(attention)(const am_attention_problem *problem, int64_t b, int64_t h, int64_t t0, int64_t t1);

#endif
