/* Instruction sets of this cpu, and the vector routines compiled for each of them.

   Everything under kernels/ that ends in _tmpl.c is compiled once for each level and gives one am_micro table. A level is used when the cpu
   has every feature it was compiled with. */
#ifndef AM_TARGETS_CPU_ISA_H
#define AM_TARGETS_CPU_ISA_H

#include "graph/functions.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum am_isa {
    AM_ISA_ANY,    /* the best there is */
    AM_ISA_SSE2,   /* x86-64 baseline */
    AM_ISA_AVX2,   /* AVX2, FMA, F16C */
    AM_ISA_AVX512, /* AVX-512 F, BW, VL, DQ */
    AM_ISA_NEON,   /* AArch64 baseline */
    AM_ISA_COUNT
} am_isa;

/* How one row of a product is finished. */
typedef struct am_epilogue {
    const float *bias;     /* [N] or null */
    const float *residual; /* same layout as the result, or null */
    am_unary_fn activation;
} am_epilogue;

typedef struct am_attention_problem am_attention_problem;

/* Vector routines of one level. Float arrays need no alignment. Every element of a result is computed by the same operations whatever
   its neighbours, so results do not depend on how work is cut. */
typedef struct am_micro {
    const char *name; /* "avx2" */

    /* c[m, n] = sum_k a[m, k] b[n, k] for rows m in [m0, m1) and columns n in [n0, n1), both operands K-contiguous with
       row strides lda and ldb, c with ldc; then the epilogue. b is f32, or bf16 / f16 when b_dtype says so. */
    void (*gemm_nt)(int64_t m0, int64_t m1, int64_t n0, int64_t n1, int64_t K, const float *a, int64_t lda, const void *b, int64_t ldb,
                    am_dtype b_dtype, float *c, int64_t ldc, const am_epilogue *epilogue);

    /* The same with b: [K, N] stored row-major (ldb = distance of rows), f32 only. */
    void (*gemm_nn)(int64_t m0, int64_t m1, int64_t n0, int64_t n1, int64_t K, const float *a, int64_t lda, const float *b, int64_t ldb,
                    float *c, int64_t ldc, const am_epilogue *epilogue);

    /* y = fn(x), count elements; x may be y. */
    void (*unary)(am_unary_fn fn, const float *x, float *y, int64_t count);

    /* y = fn(x) * z. */
    void (*gated)(am_unary_fn fn, const float *x, const float *z, float *y, int64_t count);

    /* Row of `count` elements: y = x normalized, times weight (+ offset) plus bias. weight and bias may be null. */
    void (*layer_norm)(const float *x, const float *weight, const float *bias, float *y, int64_t count, float eps);
    void (*rms_norm)(const float *x, const float *weight, float weight_offset, float *y, int64_t count, float eps);

    /* Row softmax, x may be y. */
    void (*softmax)(const float *x, float *y, int64_t count);

    /* One query row: out[E] = sum_s softmax(scores)[s] v[s]. See kernels/attention.c. */
    void (*attention_row)(const am_attention_problem *problem, int64_t b, int64_t h, int64_t t, float *scores, float *out);
} am_micro;

/* The table of a level, or null when it is not in this build or the cpu lacks a feature. ANY: the best. */
const am_micro *am_micro_of(am_isa isa);

/* "avx2"; "sse2", ... */
const char *am_isa_name(am_isa isa);

/* Feature names of this cpu that matter here ("avx2 fma f16c avx512f avx512vnni ..."), separated by spaces; a static string. */
const char *am_cpu_features_text(void);

/* Marketing name of the cpu, or "unknown"; a static string. */
const char *am_cpu_model_name(void);

#endif
