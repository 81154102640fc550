#include "targets/cpu/kernels/attention.h"

#include "base/threads.h"
#include "targets/cpu/kernels/kernels.h"

#include <math.h>

enum { Q, K, V, MASK, BIAS, SINKS, OFFSET };

typedef struct job {
    const am_micro *micro;
    am_attention_problem problem;
    int64_t groups, bytes;        /* of the whole batch, and of all queries, keys and values */
    int64_t blocks;               /* of queries, for each head */
    int64_t k_numbers, v_numbers; /* of a group's panels */
} job;

static void work(void *context, int64_t begin, int64_t end)
{
    const job *j = context;
    const am_attention_problem *p = &j->problem;
    for (int64_t i = begin; i < end; i++) {
        int64_t head = i / j->blocks, t0 = i % j->blocks * AM_ATTENTION_QUERIES;
        int64_t t1 = t0 + AM_ATTENTION_QUERIES < p->T ? t0 + AM_ATTENTION_QUERIES : p->T;
        j->micro->attention(p, head / p->H, head % p->H, t0, t1);
    }
}

/* --- keys and values as panels: worth it where many queries meet each --- */

enum { LEAST_QUERIES = 16, LEAST_NUMBERS = 16, MOST_COLUMNS = 64 };

/* Of groups, for a thread, where each is worked on whole. */
enum { SLICES = 4 };

static bool takes_panels(const am_shape *q, const am_shape *v)
{
    return q->dims[1] >= LEAST_QUERIES && q->dims[3] >= LEAST_NUMBERS && v->dims[3] >= LEAST_NUMBERS;
}

static int64_t panels_of(const am_micro *micro, int64_t columns)
{
    return (columns + micro->panel_columns - 1) / micro->panel_columns;
}

/* Steps of a sum over so many numbers. */
static int64_t steps_of(const am_attention_problem *p, int64_t numbers)
{
    return p->has_pairs ? am_pairs_of(numbers) : numbers;
}

static void pack_one(const am_attention_problem *p, const am_micro *micro, const float *from, int64_t row,
                     int64_t column, int64_t depth, int64_t left, float *to)
{
    int64_t columns = left < micro->panel_columns ? left : micro->panel_columns;
    if (p->has_pairs) micro->pack_pairs(from, AM_F32, row, column, depth, columns, (am_pair *)to);
    else micro->pack_panel(from, AM_F32, row, column, depth, columns, to);
}

static void pack_group(const am_attention_problem *p, const am_micro *micro, int64_t item)
{
    int64_t b = item / p->G, group = item % p->G, width = micro->panel_columns;
    int64_t k_panels = panels_of(micro, p->S), v_panels = panels_of(micro, p->E);
    const float *k = p->k + (b * p->S * p->G + group) * p->D, *v = p->v + (b * p->S * p->G + group) * p->E;
    int64_t k_steps = steps_of(p, p->D), v_steps = steps_of(p, p->S);
    float *to = (float *)(uintptr_t)p->k_panels + (item - p->first_group) * k_panels * k_steps * width;
    for (int64_t i = 0; i < panels_of(micro, p->keys); i++, to += k_steps * width)
        pack_one(p, micro, k + i * width * p->G * p->D, 1, p->G * p->D, p->D, p->keys - i * width, to);
    to = (float *)(uintptr_t)p->v_panels + (item - p->first_group) * v_panels * v_steps * width;
    for (int64_t i = 0; i < v_panels; i++, to += v_steps * width)
        pack_one(p, micro, v + i * width, p->G * p->E, 1, p->keys, p->E - i * width, to);
}

static void pack(void *context, int64_t begin, int64_t end)
{
    const job *j = context;
    for (int64_t i = begin; i < end; i++) pack_group(&j->problem, j->micro, i);
}

/* --- what comes next --- */

/* What the second cache holds is not asked for. */
enum { ASKED_BYTES = 1 << 20 };

/* Block `block` of so many of a group is computed. */
typedef struct asking {
    const job *j;
    int64_t group, block, blocks;
} asking;

/* Rows begin .. end - 1 of `numbers` each, `row` numbers apart. Inlined: compilers leave out calls that only ask. */
static inline __attribute__((always_inline)) void ask_for_rows(const float *from, int64_t row, int64_t begin,
                                                               int64_t end, int64_t numbers, int for_writing)
{
    enum { LINE_NUMBERS = 16 };
    for (int64_t i = begin; i < end; i++)
        for (int64_t k = 0; k < numbers; k += LINE_NUMBERS)
            if (for_writing) __builtin_prefetch(from + i * row + k, 1, 2);
            else __builtin_prefetch(from + i * row + k, 0, 2);
}

/* The share of these rows in what the next group is made of, and the same rows of the next block's results: rows of a
   head are short and far apart, so that nothing else brings them in time. */
static void ask_for_next(const void *context, int64_t first, int64_t last, int64_t rows)
{
    const asking *a = context;
    const am_attention_problem *p = &a->j->problem;
    int64_t heads = p->H / p->G, from = a->block * rows + first, to = a->block * rows + last, all = a->blocks * rows;
    int64_t b = (a->group + 1) / p->G, group = (a->group + 1) % p->G;
    if (a->group + 1 < a->j->groups) {
        const float *q = p->q + (b * p->T * p->H + group * heads) * p->D;
        const float *k = p->k + (b * p->S * p->G + group) * p->D, *v = p->v + (b * p->S * p->G + group) * p->E;
        ask_for_rows(q, p->H * p->D, p->T * from / all, p->T * to / all, heads * p->D, false);
        ask_for_rows(k, p->G * p->D, p->keys * from / all, p->keys * to / all, p->D, false);
        ask_for_rows(v, p->G * p->E, p->keys * from / all, p->keys * to / all, p->E, false);
    }
    int64_t next = a->group * a->blocks + a->block + 1, head = next / a->j->blocks;
    int64_t t0 = next % a->j->blocks * AM_ATTENTION_QUERIES, end = t0 + last < p->T ? t0 + last : p->T;
    if (p->rounded || head >= a->j->groups * heads) return;
    ask_for_rows(p->y + (head / p->H * p->T * p->H + head % p->H) * p->E, p->H * p->E, t0 + first, end, p->E, true);
}

/* Panels of a group right before they are read, all in the memory of the slice's first. */
static void work_on_groups(void *context, int64_t begin, int64_t end)
{
    job j = *(const job *)context;
    am_attention_problem *p = &j.problem;
    int64_t blocks = p->H / p->G * j.blocks;
    asking next = {.j = &j, .blocks = blocks};
    p->k_panels += begin * j.k_numbers, p->v_panels += begin * j.v_numbers;
    if (j.bytes > ASKED_BYTES) p->ask = ask_for_next, p->ask_context = &next;
    for (int64_t i = begin; i < end; i++) {
        p->first_group = next.group = i;
        pack_group(p, j.micro, i);
        for (next.block = 0; next.block < blocks; next.block++)
            work(&j, i * blocks + next.block, i * blocks + next.block + 1);
    }
}

static am_status place_in_cache(am_attention_problem *p, const am_tensor *offset)
{
    p->first_position = am_load_int(offset->dtype, offset->data, 0);
    p->keys = p->first_position + p->T;
    if (p->first_position >= 0 && p->keys <= p->S) return NULL;
    return am_error(AM_OUT_OF_RANGE, "positions %lld to %lld in a cache of %lld places", (long long)p->first_position,
                    (long long)p->keys - 1, (long long)p->S);
}

static am_status attend(const am_kernel_call *call, bool is_bf16)
{
    const am_attention_attributes *a = AM_ATTRIBUTES(am_attention_attributes, call);
    const am_tensor *in = call->inputs;
    const int64_t *q = in[Q].shape.dims, *k = in[K].shape.dims;
    job j = {.micro = call->micro};
    am_attention_problem *p = &j.problem;
    *p = (am_attention_problem){.q = in[Q].data,
                                .k = in[K].data,
                                .v = in[V].data,
                                .bias = in[BIAS].data,
                                .sinks = in[SINKS].data,
                                .mask = in[MASK].data,
                                .y = call->outputs[0].data,
                                .rounded = call->output_rounded ? call->outputs[0].data : NULL,
                                .T = q[1],
                                .H = q[2],
                                .D = q[3],
                                .S = k[1],
                                .G = k[2],
                                .E = in[V].shape.dims[3],
                                .first_position = k[1] - q[1],
                                .keys = k[1],
                                .soft_cap = (float)a->soft_cap,
                                .causal = a->causal,
                                .window = a->window};
    p->scale = (float)(a->scale != 0 ? a->scale : 1 / sqrt((double)p->D));
    if (in[OFFSET].data) AM_TRY(place_in_cache(p, &in[OFFSET]));
    am_shape scores = am_shape_of(q[0], p->H, p->T, p->S);
    int64_t strides[AM_RANK_LIMIT];
    am_shape_broadcast_strides(&in[MASK].shape, &scores, strides);
    for (int i = 0; i < 4; i++) p->mask_strides[i] = strides[i];
    am_shape_broadcast_strides(&in[BIAS].shape, &scores, strides);
    for (int i = 0; i < 4; i++) p->bias_strides[i] = strides[i];
    j.blocks = (p->T + AM_ATTENTION_QUERIES - 1) / AM_ATTENTION_QUERIES;
    if (takes_panels(&in[Q].shape, &in[V].shape)) {
        p->has_pairs = is_bf16 && p->D <= AM_ATTENTION_PAIRED;
        p->k_panels = call->scratch;
        j.k_numbers = panels_of(j.micro, p->S) * steps_of(p, p->D) * j.micro->panel_columns;
        j.v_numbers = panels_of(j.micro, p->E) * steps_of(p, p->S) * j.micro->panel_columns;
        int64_t threads = am_threads_count();
        j.groups = q[0] * p->G;
        j.bytes = q[0] * (p->T * p->H * p->D + p->S * p->G * (p->D + p->E)) * (int64_t)sizeof *p->q;
        p->v_panels = p->k_panels + j.groups * j.k_numbers;
        if (j.groups % threads == 0 || j.groups >= SLICES * threads) {
            am_parallel_for(j.groups, j.groups / (SLICES * threads), work_on_groups, &j);
            return NULL;
        }
        am_parallel_for(j.groups, 1, pack, &j);
    }
    am_parallel_for(q[0] * p->H * j.blocks, 1, work, &j);
    return NULL;
}

static bool supports(const am_graph *graph, const am_node *node)
{
    for (int i = 0; i < node->input_count; i++) {
        if (!node->inputs[i].id || i == MASK || i == OFFSET) continue;
        if (graph->values[node->inputs[i].id].dtype != AM_F32) return false;
    }
    if (node->input_count > BIAS && node->inputs[BIAS].id) {
        const am_shape *bias = &graph->values[node->inputs[BIAS].id].shape;
        if (bias->rank > 4) return false;
    }
    return graph->values[node->first_output.id].dtype == AM_F32;
}

static size_t scratch_bytes(const am_graph *graph, const am_node *node)
{
    const am_shape *q = &graph->values[node->inputs[Q].id].shape, *k = &graph->values[node->inputs[K].id].shape,
                   *v = &graph->values[node->inputs[V].id].shape;
    if (!takes_panels(q, v)) return 0;
    int64_t S = k->dims[1], groups = k->dims[0] * k->dims[2];
    return (size_t)(groups * ((S + MOST_COLUMNS) * k->dims[3] + S * (v->dims[3] + MOST_COLUMNS))) * sizeof(float);
}

static unsigned writes_rounded(const am_graph *graph, const am_node *const *nodes, int count)
{
    const am_shape *v = &graph->values[nodes[0]->inputs[V].id].shape;
    return v->dims[3] <= AM_ATTENTION_ROUNDED ? am_rounds_even_rows(graph, nodes, count) : 0;
}

static am_status run_f32(const am_kernel_call *call)
{
    return attend(call, false);
}

static am_status run_bf16(const am_kernel_call *call)
{
    return attend(call, true);
}

const am_kernel am_cpu_attention = {.name = "attention_f32",
                                    .op = AM_OP_ATTENTION,
                                    .run = run_f32,
                                    .supports = supports,
                                    .scratch_bytes = scratch_bytes};

const am_kernel am_cpu_attention_bf16 = {.name = "attention_bf16",
                                         .op = AM_OP_ATTENTION,
                                         .is_bf16 = true,
                                         .writes_rounded = writes_rounded,
                                         .run = run_bf16,
                                         .supports = supports,
                                         .scratch_bytes = scratch_bytes};
