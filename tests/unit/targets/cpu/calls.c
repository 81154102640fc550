#include "calls.h"

#include "base/prng.h"
#include "graph/ops.h"
#include "targets/cpu/kernels/attention.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 1 << 18 };

struct micro_memory {
    float a[NUMBERS], b[NUMBERS], c[NUMBERS], d[NUMBERS], panels[NUMBERS];
    uint16_t halves[NUMBERS]; /* BF16 and F16 alike: magnitudes near one */
    double mean, variance;
};

static size_t bytes_of(const micro_call *call)
{
    return call->dtype == AM_F32 ? sizeof(float) : sizeof(uint16_t);
}

static const void *weight(const micro_call *call, const micro_memory *memory)
{
    return call->dtype == AM_F32 ? (const void *)memory->b : memory->halves;
}

/* [K][N] as panels, from rows that hold a row of it, or from rows that hold a column. */
static void pack(const micro_call *call, const am_micro *micro, micro_memory *memory, bool from_columns)
{
    const char *w = weight(call, memory);
    char *panel = (char *)memory->panels;
    int64_t row = from_columns ? 1 : call->N, column = from_columns ? call->K : 1;
    for (int64_t n = 0; n < call->N; n += micro->panel_columns) {
        int64_t left = call->N - n;
        micro->pack_panel(w + (size_t)(n * column) * bytes_of(call), call->dtype, row, column, call->K,
                          left < micro->panel_columns ? left : micro->panel_columns, panel);
        panel += (size_t)(call->K * micro->panel_columns) * bytes_of(call);
    }
}

static void pack_rows(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    pack(call, micro, memory, false);
}

static void pack_columns(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    pack(call, micro, memory, true);
}

static void gemm_panel(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    const char *panel = (const char *)memory->panels;
    size_t size = (size_t)(call->K * micro->panel_columns) * bytes_of(call);
    for (int64_t n = 0; n < call->N; n += micro->panel_columns, panel += size) {
        int64_t left = call->N - n, columns = left < micro->panel_columns ? left : micro->panel_columns;
        micro->gemm_panel(call->M, columns, call->K, memory->a, call->K, panel, call->dtype,
                          left > columns ? panel + size : NULL, memory->c + n, call->N, false);
    }
}

/* All that an ending may do; factors and terms are the weight's numbers, the residual a's. */
static void gemm_panel_ending(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    const char *panel = (const char *)memory->panels;
    size_t size = (size_t)(call->K * micro->panel_columns) * bytes_of(call);
    for (int64_t n = 0; n < call->N; n += micro->panel_columns, panel += size) {
        int64_t left = call->N - n, columns = left < micro->panel_columns ? left : micro->panel_columns;
        am_ending ending = {memory->b + n, memory->d + n, memory->a + n, true};
        micro->gemm_panel_ending(call->M, columns, call->K, memory->a, call->K, panel, call->dtype,
                                 left > columns ? panel + size : NULL, memory->c + n, call->N, false, &ending);
    }
}

static void pack_pairs(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    am_pair *panel = (am_pair *)memory->panels;
    for (int64_t n = 0; n < call->N; n += micro->panel_columns, panel += am_pairs_of(call->K) * micro->panel_columns) {
        int64_t left = call->N - n;
        micro->pack_pairs(memory->b + n * call->K, AM_F32, 1, call->K, call->K,
                          left < micro->panel_columns ? left : micro->panel_columns, panel);
    }
}

static void round_function(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->round_function((am_unary_fn)call->fn, memory->a, call->N ? memory->b : NULL, call->M * call->K,
                          (am_pair *)memory->d);
}

static void round_pairs(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->round_pairs(memory->a, call->M * call->K, (am_pair *)memory->d);
}

static void gemm_pairs(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    const am_pair *panel = (const am_pair *)memory->panels;
    int64_t steps = am_pairs_of(call->K), size = steps * micro->panel_columns;
    for (int64_t n = 0; n < call->N; n += micro->panel_columns, panel += size) {
        int64_t left = call->N - n, columns = left < micro->panel_columns ? left : micro->panel_columns;
        micro->gemm_pairs(call->M, columns, steps, (const am_pair *)memory->d, steps, panel,
                          left > columns ? panel + size : NULL, memory->c + n, call->N, false, NULL);
    }
}

/* fn: bits of the weight, whose bytes and scales are whatever is there. */
static am_quantized_rows rounded_rows(const micro_call *call, micro_memory *memory)
{
    int64_t groups = call->M * call->K / AM_ACTIVATION_GROUP;
    float *scales = memory->d;
    int16_t *middle = (int16_t *)(scales + groups);
    return (am_quantized_rows){middle + 2 * groups, scales, middle};
}

static void quantize(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    am_quantized_rows to = rounded_rows(call, memory);
    int64_t groups = call->K / AM_ACTIVATION_GROUP;
    for (int64_t m = 0; m < call->M; m++)
        micro->quantize(memory->a + m * call->K, call->K, call->fn, to.numbers + m * call->K, to.scales + m * groups,
                        to.middle + m * groups * 2);
}

static void gemm_quantized(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    am_quantized_rows x = rounded_rows(call, memory);
    for (int64_t n = 0; n < call->N; n += AM_QUANTIZED_COLUMNS) {
        am_quantized_panel panel = {.K = call->K,
                                    .group = AM_ACTIVATION_GROUP,
                                    .columns = AM_QUANTIZED_COLUMNS,
                                    .weight = (const uint8_t *)memory->panels + n * call->K * call->fn / 8,
                                    .scales = memory->b + n * call->K / AM_ACTIVATION_GROUP,
                                    .scale_dtype = AM_F32};
        micro->gemm_quantized(call->M, call->fn, &panel, &x, memory->c + n, call->N);
    }
}

static void gemm_nt(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->gemm_nt(call->M, call->N, call->K, memory->a, call->K, weight(call, memory), call->K, call->dtype, memory->c,
                   call->N);
}

static void gemm_nn(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->gemm_nn(call->M, call->N, call->K, memory->a, call->K, memory->b, call->N, memory->c, call->N, false);
}

/* K taps at distances of a row of an image 64 wide. */
static void taps(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    int64_t offsets[32];
    for (int64_t t = 0; t < call->K; t++) offsets[t] = t / 3 * 64 + t % 3;
    micro->taps(memory->a, offsets, memory->b, call->K, 0.5f, memory->c, call->N);
}

/* K taps of an image of M channels with N places in a row. */
static void filter(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    int64_t offsets[32];
    for (int64_t t = 0; t < call->K; t++) offsets[t] = (t / 3 * (call->N + 2) + t % 3) * call->M;
    micro->filter(memory->a, call->M, offsets, memory->b, call->M, call->K, memory->c, call->M, call->N, call->M);
}

/* M tiles of N channels, whose places follow each other; parts of all of them as of one. */
static void winograd_places(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    for (int64_t m = 0; m < call->M; m++) {
        const void *places[16];
        for (int64_t k = 0; k < 16; k++) places[k] = memory->a + (2 * m + k % 4 + k / 4 * 100) * call->N;
        micro->winograd_places(AM_F32, call->dtype, places, memory->c, call->N, call->N);
    }
}

static void winograd_results(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    const am_ending ending = {memory->b, memory->d, NULL, true};
    for (int64_t m = 0; m < call->M; m++)
        micro->winograd_results(memory->a + m * call->N, (call->M + 1) * call->N, call->N, memory->c + 2 * m * call->N,
                                (2 * call->M + 1) * call->N, call->N, 2, 2, &ending);
}

/* M rows of N. */
static void affine(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->affine(memory->c, memory->a, call->N, call->M, call->N, memory->b, memory->d, call->fn);
}

static void unary(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->unary((am_unary_fn)call->fn, memory->a, memory->c, call->N);
}

static void gated(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->gated((am_unary_fn)call->fn, memory->a, memory->b, memory->c, call->N);
}

static void finish(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->finish(memory->d, memory->a, memory->b, (am_unary_fn)call->fn, call->N);
}

static void binary(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->binary((am_binary_fn)call->fn, memory->a, false, memory->b, false, memory->c, call->N);
}

static void scale(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->scale(memory->a, 1.5f, 0.25f, memory->c, call->N);
}

static void widen(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->widen(call->dtype, memory->halves, memory->c, call->N);
}

/* M heads of 2 N elements. */
static void rope(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    for (int64_t m = 0; m < call->M; m++)
        micro->rope(memory->a + m * 2 * call->N, memory->b, memory->d, memory->c + m * 2 * call->N, call->N, call->fn);
}

static void layer_norm(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    for (int64_t m = 0; m < call->M; m++)
        micro->layer_norm(memory->a + m * call->N, memory->b, memory->d, memory->c + m * call->N, call->N, 1e-5f);
}

static void rms_norm(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    for (int64_t m = 0; m < call->M; m++)
        micro->rms_norm(memory->a + m * call->N, memory->b, 0, memory->c + m * call->N, call->N, 1e-5f);
}

static void softmax(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    for (int64_t m = 0; m < call->M; m++)
        micro->softmax(memory->a + m * call->N, memory->c + m * call->N, call->N, call->fn);
}

static void moments(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    micro->moments(memory->a, call->N, &memory->mean, &memory->variance);
}

static void sum(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    memory->c[0] = micro->sum(memory->a, call->N);
}

static void largest(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    memory->c[0] = micro->largest(memory->a, call->N);
}

/* One head: M queries, N keys, K numbers each. */
static void attention(const micro_call *call, const am_micro *micro, micro_memory *memory)
{
    am_attention_problem p = {
        .q = memory->a, .k = memory->b, .v = memory->d, .y = memory->c, .T = call->M, .S = call->N};
    p.D = p.E = call->K, p.H = p.G = 1, p.keys = call->N, p.first_position = call->N - call->M, p.scale = 0.125f;
    p.causal = true;
    micro->attention(&p, 0, 0, 0, call->M);
}

/* clang-format off: a table */
const micro_call micro_calls[] = {
    {"gemm_panel", "128x192x256 f32", gemm_panel, 128, 192, 256, AM_F32, 0, 2.0 * 128 * 192 * 256},
    {"gemm_panel", "128x192x256 bf16", gemm_panel, 128, 192, 256, AM_BF16, 0, 2.0 * 128 * 192 * 256},
    {"gemm_panel", "128x192x256 f16", gemm_panel, 128, 192, 256, AM_F16, 0, 2.0 * 128 * 192 * 256},
    {"gemm_panel", "1x192x768 f32", gemm_panel, 1, 192, 768, AM_F32, 0, 2.0 * 192 * 768},
    {"gemm_panel", "7x100x100 f32", gemm_panel, 7, 100, 100, AM_F32, 0, 2.0 * 7 * 100 * 100},
    {"gemm_panel_ending", "128x192x256 f32", gemm_panel_ending, 128, 192, 256, AM_F32, 0, 2.0 * 128 * 192 * 256},
    {"gemm_pairs", "128x192x256 bf16", gemm_pairs, 128, 192, 256, AM_F32, 0, 2.0 * 128 * 192 * 256},
    {"gemm_pairs", "1x192x768 bf16", gemm_pairs, 1, 192, 768, AM_F32, 0, 2.0 * 192 * 768},
    {"round_pairs", "128x256", round_pairs, 128, 0, 256, AM_F32, 0, 0},
    {"round_function", "gelu, 128x256", round_function, 128, 0, 256, AM_F32, AM_GELU, 0},
    {"round_function", "silu times, 128x256", round_function, 128, 1, 256, AM_F32, AM_SILU, 0},
    {"pack_pairs", "256x192 f32, columns", pack_pairs, 0, 192, 256, AM_F32, 0, 0},
    {"quantize", "128x256 for 8 bits", quantize, 128, 0, 256, AM_F32, 8, 0},
    {"quantize", "128x256 for 4 bits", quantize, 128, 0, 256, AM_F32, 4, 0},
    {"gemm_quantized", "128x192x256 of 8 bits", gemm_quantized, 128, 192, 256, AM_F32, 8, 2.0 * 128 * 192 * 256},
    {"gemm_quantized", "128x192x256 of 4 bits", gemm_quantized, 128, 192, 256, AM_F32, 4, 2.0 * 128 * 192 * 256},
    {"gemm_quantized", "1x192x768 of 8 bits", gemm_quantized, 1, 192, 768, AM_F32, 8, 2.0 * 192 * 768},
    {"gemm_quantized", "1x192x768 of 4 bits", gemm_quantized, 1, 192, 768, AM_F32, 4, 2.0 * 192 * 768},
    {"gemm_nt", "1x192x768 f32", gemm_nt, 1, 192, 768, AM_F32, 0, 2.0 * 192 * 768},
    {"gemm_nt", "1x192x768 bf16", gemm_nt, 1, 192, 768, AM_BF16, 0, 2.0 * 192 * 768},
    {"gemm_nt", "1x192x768 f16", gemm_nt, 1, 192, 768, AM_F16, 0, 2.0 * 192 * 768},
    {"gemm_nt", "128x192x256 f32", gemm_nt, 128, 192, 256, AM_F32, 0, 2.0 * 128 * 192 * 256},
    {"gemm_nn", "128x192x256 f32", gemm_nn, 128, 192, 256, AM_F32, 0, 2.0 * 128 * 192 * 256},
    {"gemm_nn", "7x100x100 f32", gemm_nn, 7, 100, 100, AM_F32, 0, 2.0 * 7 * 100 * 100},
    {"pack_panel", "256x192 f32, rows", pack_rows, 0, 192, 256, AM_F32, 0, 0},
    {"pack_panel", "256x192 f32, columns", pack_columns, 0, 192, 256, AM_F32, 0, 0},
    {"pack_panel", "256x192 bf16, columns", pack_columns, 0, 192, 256, AM_BF16, 0, 0},
    {"attention", "32 of 256, 64 each", attention, 32, 256, 64, AM_F32, 0, 4.0 * 32 * 256 * 64},
    {"attention", "1 of 512, 64 each", attention, 1, 512, 64, AM_F32, 0, 4.0 * 512 * 64},
    {"taps", "3x3 of 3840", taps, 0, 3840, 9, AM_F32, 0, 2.0 * 3840 * 9},
    {"filter", "3x3 of 100 x 64", filter, 64, 100, 9, AM_F32, 0, 2.0 * 64 * 100 * 9},
    {"winograd_places", "28 tiles of 64 f32", winograd_places, 28, 64, 0, AM_F32, 0, 0},
    {"winograd_places", "28 tiles of 64 bf16", winograd_places, 28, 64, 0, AM_BF16, 0, 0},
    {"winograd_results", "28 tiles of 64, relu", winograd_results, 28, 64, 0, AM_F32, 0, 0},
    {"affine", "64 of 64, relu", affine, 64, 64, 0, AM_F32, true, 0},
    {"layer_norm", "4 of 768", layer_norm, 4, 768, 0, AM_F32, 0, 0},
    {"rms_norm", "4 of 768", rms_norm, 4, 768, 0, AM_F32, 0, 0},
    {"softmax", "4 of 1000", softmax, 4, 1000, 0, AM_F32, false, 0},
    {"softmax", "4 of 1000, log", softmax, 4, 1000, 0, AM_F32, true, 0},
    {"moments", "4096", moments, 0, 4096, 0, AM_F32, 0, 0},
    {"sum", "4096", sum, 0, 4096, 0, AM_F32, 0, 0},
    {"largest", "4096", largest, 0, 4096, 0, AM_F32, 0, 0},
    {"unary", "exp of 4096", unary, 0, 4096, 0, AM_F32, AM_EXP, 0},
    {"unary", "tanh of 4096", unary, 0, 4096, 0, AM_F32, AM_TANH, 0},
    {"unary", "gelu of 4096", unary, 0, 4096, 0, AM_F32, AM_GELU, 0},
    {"unary", "gelu_tanh of 4096", unary, 0, 4096, 0, AM_F32, AM_GELU_TANH, 0},
    {"unary", "silu of 4096", unary, 0, 4096, 0, AM_F32, AM_SILU, 0},
    {"unary", "relu of 4096", unary, 0, 4096, 0, AM_F32, AM_RELU, 0},
    {"gated", "silu of 4096", gated, 0, 4096, 0, AM_F32, AM_SILU, 0},
    {"finish", "gelu of 4096", finish, 0, 4096, 0, AM_F32, AM_GELU, 0},
    {"binary", "add of 4096", binary, 0, 4096, 0, AM_F32, AM_ADD, 0},
    {"scale", "4096", scale, 0, 4096, 0, AM_F32, 0, 0},
    {"rope", "32 heads of 64", rope, 32, 32, 0, AM_F32, false, 0},
    {"rope", "32 heads of 64, interleaved", rope, 32, 32, 0, AM_F32, true, 0},
    {"widen", "4096 bf16", widen, 0, 4096, 0, AM_BF16, 0, 0},
    {"widen", "4096 f16", widen, 0, 4096, 0, AM_F16, 0, 0},
    {0},
};
/* clang-format on */

micro_memory *micro_memory_create(void)
{
    micro_memory *memory = malloc(sizeof *memory);
    if (!memory) return NULL;
    float *const arrays[] = {memory->a, memory->b, memory->c, memory->d, memory->panels};
    for (uint64_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
        for (uint64_t i = 0; i < NUMBERS; i++) arrays[k][i] = (float)(am_uniform(k, i) - 0.5);
    for (uint64_t i = 0; i < NUMBERS; i++) memory->halves[i] = (uint16_t)((i * 40503 & 0x83ff) | 0x3800);
    return memory;
}

void micro_memory_destroy(micro_memory *memory)
{
    free(memory);
}

void micro_memory_prepare(micro_memory *memory, const micro_call *call, const am_micro *micro)
{
    if (call->run == gemm_panel || call->run == gemm_panel_ending) pack_columns(call, micro, memory);
    if (call->run == gemm_quantized) quantize(call, micro, memory);
    if (call->run == gemm_pairs) {
        round_pairs(call, micro, memory);
        pack_pairs(call, micro, memory);
    }
}
