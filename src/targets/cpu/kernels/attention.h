/* One fused attention (am_attention_op), all F32. */
#ifndef AM_TARGETS_CPU_KERNELS_ATTENTION_H
#define AM_TARGETS_CPU_KERNELS_ATTENTION_H

#include "targets/cpu/isa.h"

/* Queries of a work item, and keys looked at together. */
enum { AM_ATTENTION_QUERIES = 24, AM_ATTENTION_KEYS = 128 };

struct am_attention_problem {
    const float *q, *k, *v, *bias, *sinks; /* bias and sinks may be null */
    const uint8_t *mask;                   /* may be null */
    float *y;
    int64_t T, H, D, S, G, E;     /* as in am_attention_op */
    int64_t first_position, keys; /* of query 0; how many keys exist */
    int64_t mask_strides[4], bias_strides[4];
    float scale, soft_cap; /* soft_cap 0: none */
    bool causal;
    int64_t window; /* 0: none */
};

#endif
