/* One fused attention (am_attention_op), all F32; products of numbers rounded to BF16 where has_pairs says so. */
#ifndef AM_TARGETS_CPU_KERNELS_ATTENTION_H
#define AM_TARGETS_CPU_KERNELS_ATTENTION_H

#include "targets/cpu/isa.h"

/* Queries of a work item, and keys looked at together: a multiple of a panel's columns (am_micro) at every level. */
enum { AM_ATTENTION_QUERIES = 48, AM_ATTENTION_KEYS = 768 };

/* The largest D that pairs are made of. */
enum { AM_ATTENTION_PAIRED = 256 };

/* The largest E that results are rounded with. */
enum { AM_ATTENTION_ROUNDED = 256 };

struct am_attention_problem {
    const float *q, *k, *v, *bias, *sinks; /* bias and sinks may be null */
    const uint8_t *mask;                   /* may be null */
    float *y;
    am_pair *rounded;                 /* null, or where the results go in BF16 instead of y */
    int64_t y_first;                  /* with those: y is memory for the queries of one head from this one on */
    const float *k_panels, *v_panels; /* null: read from k and v. k_panels: of each group of each batch element its keys
                                         as panels [ceil(S / columns)][D][columns]; v_panels: its values as panels
                                         [ceil(E / columns)][S][columns] */
    int64_t first_group;              /* the group, counted through the batch, that the first panels are of */
    bool has_pairs;               /* panels are of pairs along D and along S (am_micro.gemm_pairs): there are such */
    int64_t T, H, D, S, G, E;     /* as in am_attention_op */
    int64_t first_position, keys; /* of query 0; how many keys exist */
    int64_t mask_strides[4], bias_strides[4];
    float scale, soft_cap; /* soft_cap 0: none */
    bool causal;
    int64_t window; /* 0: none */
    /* Called as rows first .. end - 1 of so many are weighed, to ask memory for what comes next: a few lines each time,
       as a processor drops what it is asked for in a burst. May be null. */
    void (*ask)(const void *context, int64_t first, int64_t end, int64_t rows);
    const void *ask_context;
};

#endif
