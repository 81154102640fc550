/* Rows times the weights of the experts that they name: for each expert that is named, the linear layer of its rows. A
   single row is read and written where it is; more are gathered, so that a weight is read once for all of them. */
#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"

#include <string.h>

enum { ROWS_MOVED = 16 }; /* by a thread at once */

typedef struct problem {
    const am_kernel_call *call;
    const am_kernel *layer; /* of am_cpu_linear, am_cpu_linear_bf16 */
    int64_t slots, per_row, E, M, K;
    bool has_own;          /* x has a row for each slot */
    int64_t *ends;         /* in `order`, of each expert's slots */
    int64_t *order;        /* slots, those of an expert one after the other */
    float *rows, *results; /* of one expert */
    void *rounded;         /* scratch memory of the layer */
} problem;

/* Slots of one expert, `count` from place `first` of those in order on. */
typedef struct group {
    const problem *p;
    int64_t first, count;
} group;

static problem problem_of(const am_kernel_call *call, const am_kernel *layer)
{
    const am_shape *experts = &call->inputs[1].shape, *w = &call->inputs[2].shape;
    problem p = {.call = call,
                 .layer = layer,
                 .slots = am_shape_count(experts),
                 .per_row = experts->dims[1],
                 .E = w->dims[0],
                 .M = w->dims[1],
                 .K = w->dims[2],
                 .has_own = call->inputs[0].shape.rank == 3};
    p.ends = call->scratch;
    p.order = p.ends + p.E + 1;
    p.rows = (float *)(p.order + p.slots);
    p.results = p.rows + p.slots * p.K;
    p.rounded = p.results + p.slots * p.M;
    return p;
}

static size_t scratch_bytes(const am_graph *graph, const am_node *node)
{
    const am_shape *experts = &graph->values[node->inputs[1].id].shape, *w = &graph->values[node->inputs[2].id].shape;
    size_t slots = (size_t)am_shape_count(experts), E = (size_t)w->dims[0];
    size_t numbers = (size_t)(w->dims[1] + w->dims[2]) * sizeof(float);
    return (slots + E + 1) * sizeof(int64_t) + slots * numbers;
}

static size_t scratch_bytes_bf16(const am_graph *graph, const am_node *node)
{
    const am_shape *experts = &graph->values[node->inputs[1].id].shape, *w = &graph->values[node->inputs[2].id].shape;
    return scratch_bytes(graph, node) + (size_t)(am_shape_count(experts) * am_pairs_of(w->dims[2])) * sizeof(am_pair);
}

/* Fails where an expert is not there. */
static am_status sort_slots(const problem *p)
{
    const am_tensor *experts = &p->call->inputs[1];
    int64_t e;
    memset(p->ends, 0, (size_t)(p->E + 1) * sizeof *p->ends);
    for (int64_t i = 0; i < p->slots; i++) {
        AM_TRY(am_read_index(experts, i, p->E, &e));
        p->ends[e + 1]++;
    }
    for (e = 0; e < p->E; e++) p->ends[e + 1] += p->ends[e]; /* where the next one's begin, so far */
    for (int64_t i = 0; i < p->slots; i++) {
        AM_TRY(am_read_index(experts, i, p->E, &e));
        p->order[p->ends[e]++] = i;
    }
    return NULL;
}

/* --- rows --- */

static const float *row_of(const group *g, int64_t i)
{
    int64_t slot = g->p->order[g->first + i];
    return (const float *)g->p->call->inputs[0].data + (g->p->has_own ? slot : slot / g->p->per_row) * g->p->K;
}

static float *result_of(const group *g, int64_t i)
{
    return (float *)g->p->call->outputs[0].data + g->p->order[g->first + i] * g->p->M;
}

static void gather_rows(void *context, int64_t begin, int64_t end)
{
    const group *g = context;
    int64_t K = g->p->K;
    for (int64_t i = begin; i < end; i++) memcpy(g->p->rows + i * K, row_of(g, i), (size_t)K * sizeof(float));
}

static void scatter_results(void *context, int64_t begin, int64_t end)
{
    const group *g = context;
    int64_t M = g->p->M;
    for (int64_t i = begin; i < end; i++) memcpy(result_of(g, i), g->p->results + i * M, (size_t)M * sizeof(float));
}

/* --- the layer of an expert --- */

typedef struct layer_call {
    am_linear_attributes attributes;
    am_node node;
    am_tensor inputs[4], output; /* x, weight, bias, residual */
    am_kernel_call call;
} layer_call;

/* Its weight is set, its rows and results are not. */
static void begin_layer(layer_call *out, const am_kernel_call *from, am_tensor weight)
{
    *out = (layer_call){.inputs = {[1] = weight}};
    out->node = (am_node){.op = AM_OP_LINEAR, .attributes = &out->attributes, .input_count = 4, .output_count = 1};
    out->call = (am_kernel_call){.node = &out->node,
                                 .inputs = out->inputs,
                                 .input_count = 4,
                                 .outputs = &out->output,
                                 .output_count = 1,
                                 .micro = from->micro};
}

static am_tensor weight_of(const problem *p, int64_t expert)
{
    const am_tensor *all = &p->call->inputs[2];
    am_tensor weight = {all->dtype, am_shape_of(p->M, p->K), NULL};
    const am_part *parts = p->call->parts;
    size_t bytes = am_tensor_bytes(weight.dtype, &weight.shape);
    weight.data = parts ? (void *)(uintptr_t)parts[expert].data : (char *)all->data + (size_t)expert * bytes;
    return weight;
}

static am_status run_layer(const problem *p, int64_t expert, const group *g, const float *x, float *y)
{
    layer_call layer;
    const float *bias = p->call->input_count > 3 ? p->call->inputs[3].data : NULL;
    begin_layer(&layer, p->call, weight_of(p, expert));
    layer.inputs[0] = (am_tensor){AM_F32, am_shape_of(g->count, p->K), (void *)(uintptr_t)x};
    if (bias) layer.inputs[2] = (am_tensor){AM_F32, am_shape_of(p->M), (void *)(uintptr_t)(bias + expert * p->M)};
    layer.output = (am_tensor){AM_F32, am_shape_of(g->count, p->M), y};
    layer.call.prepared = p->call->parts ? p->call->parts[expert].prepared : NULL;
    layer.call.scratch = p->rounded;
    bool is_plain = !layer.call.prepared && g->count <= AM_FEW_ROWS; /* in F32 */
    return (is_plain ? &am_cpu_linear : p->layer)->run(&layer.call);
}

static am_status run_expert(const problem *p, int64_t expert)
{
    int64_t first = expert ? p->ends[expert - 1] : 0;
    group g = {p, first, p->ends[expert] - first};
    if (g.count == 0) return NULL;
    if (g.count == 1) return run_layer(p, expert, &g, row_of(&g, 0), result_of(&g, 0));
    am_parallel_for(g.count, ROWS_MOVED, gather_rows, &g);
    AM_TRY(run_layer(p, expert, &g, p->rows, p->results));
    am_parallel_for(g.count, ROWS_MOVED, scatter_results, &g);
    return NULL;
}

static am_status run(const am_kernel_call *call, const am_kernel *layer)
{
    problem p = problem_of(call, layer);
    AM_TRY(sort_slots(&p));
    for (int64_t e = 0; e < p.E; e++) AM_TRY(run_expert(&p, e));
    return NULL;
}

/* --- the kernels --- */

static size_t prepared_bytes(const am_kernel_call *call, const am_kernel *kernel)
{
    layer_call layer;
    begin_layer(&layer, call, call->inputs[2]);
    return kernel->prepared_bytes(&layer.call);
}

static void prepare(const am_kernel_call *call, const am_kernel *kernel, void *prepared)
{
    layer_call layer;
    begin_layer(&layer, call, call->inputs[2]);
    kernel->prepare(&layer.call, prepared);
}

static am_status run_f32(const am_kernel_call *call)
{
    return run(call, &am_cpu_linear);
}

static size_t prepared_bytes_f32(const am_kernel_call *call)
{
    return prepared_bytes(call, &am_cpu_linear);
}

static void prepare_f32(const am_kernel_call *call, void *prepared)
{
    prepare(call, &am_cpu_linear, prepared);
}

static am_status run_bf16(const am_kernel_call *call)
{
    return run(call, &am_cpu_linear_bf16);
}

static size_t prepared_bytes_bf16(const am_kernel_call *call)
{
    return prepared_bytes(call, &am_cpu_linear_bf16);
}

static void prepare_bf16(const am_kernel_call *call, void *prepared)
{
    prepare(call, &am_cpu_linear_bf16, prepared);
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
                                         .run = run_f32,
                                         .supports = supports,
                                         .scratch_bytes = scratch_bytes,
                                         .prepared_input = 2,
                                         .reads_parts = true,
                                         .prepared_version = 1,
                                         .prepared_bytes = prepared_bytes_f32,
                                         .prepare = prepare_f32};

const am_kernel am_cpu_grouped_matmul_bf16 = {.name = "grouped_matmul_bf16",
                                              .op = AM_OP_GROUPED_MATMUL,
                                              .is_bf16 = true,
                                              .run = run_bf16,
                                              .supports = supports,
                                              .scratch_bytes = scratch_bytes_bf16,
                                              .prepared_input = 2,
                                              .reads_parts = true,
                                              .prepared_version = 1,
                                              .prepared_bytes = prepared_bytes_bf16,
                                              .prepare = prepare_bf16};
