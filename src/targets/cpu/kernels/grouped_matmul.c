/* Rows times the weights of the experts that they name. Rows of the same expert lie together in scratch memory, so that
   its weight is read once for as many of them as a block has; it is read as it is, as no row may name an expert. */
#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"

#include <string.h>

/* Results are cut into blocks of so many rows of one expert and so many columns. */
enum { ROWS = 96, COLUMNS = 64 };

/* Rows of one expert: `count` from row `first` of those in order on. */
typedef struct block {
    int64_t expert, first, count;
} block;

typedef struct problem {
    const am_kernel_call *call;
    int64_t slots, per_row, E, M, K, column_blocks;
    bool has_own;   /* x has a row for each slot */
    int64_t *order; /* slots, those of an expert one after the other */
    block *blocks;
    float *rows; /* of x in that order */
} problem;

static int64_t most_blocks(int64_t slots, int64_t E)
{
    return slots / ROWS + (slots < E ? slots : E);
}

static size_t scratch_bytes(const am_graph *graph, const am_node *node)
{
    const am_shape *experts = &graph->values[node->inputs[1].id].shape, *w = &graph->values[node->inputs[2].id].shape;
    size_t slots = (size_t)am_shape_count(experts), E = (size_t)w->dims[0];
    return slots * (size_t)w->dims[2] * sizeof(float) + (slots + E + 1) * sizeof(int64_t) +
           (size_t)most_blocks((int64_t)slots, (int64_t)E) * sizeof(block);
}

/* Fills `order` and gives the number of blocks; fails where an expert is not there. */
static am_status sort_slots(const problem *p, int64_t *starts, int64_t *out_blocks)
{
    const am_tensor *experts = &p->call->inputs[1];
    int64_t e, found = 0;
    memset(starts, 0, (size_t)(p->E + 1) * sizeof *starts);
    for (int64_t i = 0; i < p->slots; i++) {
        AM_TRY(am_read_index(experts, i, p->E, &e));
        starts[e + 1]++;
    }
    for (e = 0; e < p->E; e++) {
        for (int64_t at = 0; at < starts[e + 1]; at += ROWS) {
            int64_t left = starts[e + 1] - at;
            p->blocks[found++] = (block){e, starts[e] + at, left < ROWS ? left : ROWS};
        }
        starts[e + 1] += starts[e];
    }
    for (int64_t i = 0; i < p->slots; i++) {
        AM_TRY(am_read_index(experts, i, p->E, &e));
        p->order[starts[e]++] = i;
    }
    *out_blocks = found;
    return NULL;
}

static void gather_rows(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    const float *x = p->call->inputs[0].data;
    for (int64_t i = begin; i < end; i++) {
        int64_t row = p->has_own ? p->order[i] : p->order[i] / p->per_row;
        memcpy(p->rows + i * p->K, x + row * p->K, (size_t)p->K * sizeof *x);
    }
}

static void compute_block(const problem *p, const block *b, int64_t m0)
{
    const am_tensor *w = &p->call->inputs[2];
    const float *bias = p->call->inputs[3].data;
    int64_t columns = p->M - m0 < COLUMNS ? p->M - m0 : COLUMNS, at = b->expert * p->M + m0;
    float results[ROWS * COLUMNS];
    p->call->micro->gemm_nt(b->count, columns, p->K, p->rows + b->first * p->K, p->K,
                            (const char *)w->data + (size_t)(at * p->K) * am_dtype_bytes(w->dtype), p->K, w->dtype,
                            results, columns);
    for (int64_t i = 0; i < b->count; i++) {
        float *y = (float *)p->call->outputs[0].data + p->order[b->first + i] * p->M + m0;
        memcpy(y, results + i * columns, (size_t)columns * sizeof *y);
        if (bias) p->call->micro->finish(y, bias + at, NULL, AM_IDENTITY, columns);
    }
}

static void work(void *context, int64_t begin, int64_t end)
{
    const problem *p = context;
    for (int64_t i = begin; i < end; i++)
        compute_block(p, &p->blocks[i / p->column_blocks], i % p->column_blocks * COLUMNS);
}

static am_status run_grouped_matmul(const am_kernel_call *call)
{
    const am_shape *experts = &call->inputs[1].shape, *w = &call->inputs[2].shape;
    problem p = {.call = call, .per_row = experts->dims[1], .E = w->dims[0], .M = w->dims[1], .K = w->dims[2]};
    int64_t blocks;
    p.slots = am_shape_count(experts), p.has_own = call->inputs[0].shape.rank == 3;
    p.column_blocks = (p.M + COLUMNS - 1) / COLUMNS;
    p.blocks = call->scratch, p.order = (int64_t *)(p.blocks + most_blocks(p.slots, p.E));
    int64_t *starts = p.order + p.slots;
    p.rows = (float *)(starts + p.E + 1);
    AM_TRY(sort_slots(&p, starts, &blocks));
    am_parallel_for(p.slots, 16, gather_rows, &p);
    am_parallel_for(blocks * p.column_blocks, 1, work, &p);
    return NULL;
}

static bool supports(const am_graph *graph, const am_node *node)
{
    am_dtype w = graph->values[node->inputs[2].id].dtype;
    for (int i = 0; i < node->input_count; i += 3) /* x and bias */
        if (node->inputs[i].id && graph->values[node->inputs[i].id].dtype != AM_F32) return false;
    return graph->values[node->first_output.id].dtype == AM_F32 && (w == AM_F32 || w == AM_BF16 || w == AM_F16);
}

const am_kernel am_cpu_grouped_matmul = {.name = "grouped_matmul_f32",
                                         .op = AM_OP_GROUPED_MATMUL,
                                         .run = run_grouped_matmul,
                                         .supports = supports,
                                         .scratch_bytes = scratch_bytes};
