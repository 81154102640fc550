#include "targets/cpu/kernels/kernels.h"

#include "base/threads.h"
#include "targets/cpu/kernels/chain.h"
#include "targets/cpu/kernels/strided.h"

#include <string.h>

enum { CHUNK = 4096 };

/* --- unary --- */

static void unary_chunks(void *context, int64_t begin, int64_t end)
{
    const am_kernel_call *call = context;
    am_unary_fn fn = (am_unary_fn)AM_ATTRIBUTES(am_unary_attributes, call)->fn;
    int64_t all = am_shape_count(&call->inputs[0].shape);
    for (int64_t at = begin * CHUNK; at < all && at < end * CHUNK; at += CHUNK) {
        int64_t count = all - at < CHUNK ? all - at : CHUNK;
        call->micro->unary(fn, (const float *)call->inputs[0].data + at, (float *)call->outputs[0].data + at, count);
        am_chain_apply(call, at, count);
    }
}

static am_status run_unary(const am_kernel_call *call)
{
    am_parallel_for((am_shape_count(&call->inputs[0].shape) + CHUNK - 1) / CHUNK, 1, unary_chunks,
                    (void *)(uintptr_t)call);
    return NULL;
}

/* Elements that all operands have at the same place lie so in any layout. */
static bool is_elementwise(const am_graph *graph, const am_node *node)
{
    const am_shape *shape = &graph->values[node->first_output.id].shape;
    for (int i = 0; i < node->input_count; i++)
        if (!am_shape_equal(&graph->values[node->inputs[i].id].shape, shape)) return false;
    return am_all_f32(graph, node);
}

static const am_kernel unary_last = {.name = "unary_f32",
                                     .op = AM_OP_UNARY,
                                     .run = run_unary,
                                     .supports = is_elementwise,
                                     .keeps_layout = is_elementwise,
                                     .all_inputs = true};

const am_kernel am_cpu_unary = {.name = "unary_f32",
                                .op = AM_OP_UNARY,
                                .run = run_unary,
                                .supports = am_all_f32,
                                .in_place = true,
                                .takes = am_chain_takes,
                                .takes_late = true,
                                .channels_last = &unary_last};

/* --- binary: rows of the last merged dimension --- */

typedef struct pairing {
    const am_kernel_call *call;
    am_strided s; /* operands 0 and 1 are the inputs */
} pairing;

static void binary_rows(void *context, int64_t begin, int64_t end)
{
    const pairing *p = context;
    am_binary_fn fn = (am_binary_fn)AM_ATTRIBUTES(am_binary_attributes, p->call)->fn;
    const am_strided *s = &p->s;
    const float *x = p->call->inputs[0].data, *y = p->call->inputs[1].data;
    float *z = p->call->outputs[0].data;
    int64_t together = 1 + CHUNK / (s->inner + 1); /* rows of a piece, on which the tail is computed at once */
    am_strided_place at = am_strided_seek(s, begin);
    for (int64_t first = begin, row = begin; row < end; first = row) {
        for (; row < end && row < first + together; row++, am_strided_next(s, &at))
            p->call->micro->binary(fn, x + at.offset[0], s->step[0] == 0, y + at.offset[1], s->step[1] == 0,
                                   z + row * s->inner, s->inner);
        am_chain_apply(p->call, first * s->inner, (row - first) * s->inner);
    }
}

static am_status run_binary(const am_kernel_call *call)
{
    pairing p = {.call = call};
    am_strided_of_broadcast(&p.s, call, 2, CHUNK);
    am_parallel_for(p.s.rows, 1 + CHUNK / (p.s.inner + 1), binary_rows, &p);
    return NULL;
}

static const am_kernel binary_last = {.name = "binary_f32",
                                      .op = AM_OP_BINARY,
                                      .run = run_binary,
                                      .supports = is_elementwise,
                                      .keeps_layout = is_elementwise,
                                      .all_inputs = true};

const am_kernel am_cpu_binary = {.name = "binary_f32",
                                 .op = AM_OP_BINARY,
                                 .run = run_binary,
                                 .supports = am_all_f32,
                                 .in_place = true,
                                 .takes = am_chain_takes,
                                 .takes_late = true,
                                 .channels_last = &binary_last};

/* --- binary on I32 or BOOL that gives BOOL --- */

#define TRUTH_CASE(fn, read, expression)                                                                               \
    case AM_##fn:                                                                                                      \
        for (int64_t i = 0; i < count; i++) {                                                                          \
            int32_t x = read(a[i * a_step]), y = read(c[i * c_step]);                                                  \
            z[i] = (expression);                                                                                       \
        }                                                                                                              \
        break;

#define TRUTH_ROW(name, type, read)                                                                                    \
    static void name(am_binary_fn fn, const type *a, int64_t a_step, const type *c, int64_t c_step, uint8_t *z,        \
                     int64_t count)                                                                                    \
    {                                                                                                                  \
        switch (fn) {                                                                                                  \
            TRUTH_CASE(EQUAL, read, x == y)                                                                            \
            TRUTH_CASE(NOT_EQUAL, read, x != y)                                                                        \
            TRUTH_CASE(LESS, read, x < y)                                                                              \
            TRUTH_CASE(LESS_EQUAL, read, x <= y)                                                                       \
            TRUTH_CASE(GREATER, read, x > y)                                                                           \
            TRUTH_CASE(GREATER_EQUAL, read, x >= y)                                                                    \
            TRUTH_CASE(LOGICAL_AND, read, x != 0 && y != 0)                                                            \
            TRUTH_CASE(LOGICAL_OR, read, x != 0 || y != 0)                                                             \
            TRUTH_CASE(LOGICAL_XOR, read, (x != 0) != (y != 0))                                                        \
        default:                                                                                                       \
            break;                                                                                                     \
        }                                                                                                              \
    }

#define IS_TRUE(x) ((x) != 0)
TRUTH_ROW(truth_of_i32, int32_t, (int32_t))
TRUTH_ROW(truth_of_bool, uint8_t, IS_TRUE)

static void truth_rows(void *context, int64_t begin, int64_t end)
{
    const pairing *p = context;
    am_binary_fn fn = (am_binary_fn)AM_ATTRIBUTES(am_binary_attributes, p->call)->fn;
    const am_strided *s = &p->s;
    const am_tensor *in = p->call->inputs;
    am_strided_place at = am_strided_seek(s, begin);
    for (int64_t row = begin; row < end; row++, am_strided_next(s, &at)) {
        uint8_t *z = (uint8_t *)p->call->outputs[0].data + row * s->inner;
        if (in[0].dtype == AM_BOOL)
            truth_of_bool(fn, (const uint8_t *)in[0].data + at.offset[0], s->step[0],
                          (const uint8_t *)in[1].data + at.offset[1], s->step[1], z, s->inner);
        else
            truth_of_i32(fn, (const int32_t *)in[0].data + at.offset[0], s->step[0],
                         (const int32_t *)in[1].data + at.offset[1], s->step[1], z, s->inner);
    }
}

static am_status run_truth(const am_kernel_call *call)
{
    pairing p = {.call = call};
    am_strided_of_broadcast(&p.s, call, 2, CHUNK);
    am_parallel_for(p.s.rows, 1 + CHUNK / (p.s.inner + 1), truth_rows, &p);
    return NULL;
}

static bool gives_truth(const am_graph *graph, const am_node *node)
{
    am_binary_fn fn = (am_binary_fn)((const am_binary_attributes *)node->attributes)->fn;
    am_dtype dtype = graph->values[node->inputs[0].id].dtype;
    return (dtype == AM_I32 || dtype == AM_BOOL) && fn >= AM_EQUAL && fn <= AM_LOGICAL_XOR;
}

const am_kernel am_cpu_binary_truth = {
    .name = "binary_truth", .op = AM_OP_BINARY, .run = run_truth, .supports = gives_truth};

/* --- select: any dtype --- */

#define SELECT_ROW(type)                                                                                               \
    for (int64_t i = 0; i < s->inner; i++)                                                                             \
    ((type *)to)[i] =                                                                                                  \
        condition[i * s->step[0]] ? ((const type *)yes)[i * s->step[1]] : ((const type *)no)[i * s->step[2]]

static void select_rows(void *context, int64_t begin, int64_t end)
{
    const pairing *p = context;
    const am_strided *s = &p->s;
    int64_t bytes = (int64_t)am_dtype_bytes(p->call->outputs[0].dtype);
    am_strided_place at = am_strided_seek(s, begin);
    for (int64_t row = begin; row < end; row++, am_strided_next(s, &at)) {
        const uint8_t *condition = (const uint8_t *)p->call->inputs[0].data + at.offset[0];
        const void *yes = (const char *)p->call->inputs[1].data + at.offset[1] * bytes;
        const void *no = (const char *)p->call->inputs[2].data + at.offset[2] * bytes;
        void *to = (char *)p->call->outputs[0].data + row * s->inner * bytes;
        switch (bytes) {
        case 1:
            SELECT_ROW(uint8_t);
            break;
        case 2:
            SELECT_ROW(uint16_t);
            break;
        case 4:
            SELECT_ROW(uint32_t);
            break;
        default:
            SELECT_ROW(uint64_t);
            break;
        }
    }
}

static am_status run_select(const am_kernel_call *call)
{
    pairing p = {.call = call};
    am_strided_of_broadcast(&p.s, call, 3, CHUNK);
    am_parallel_for(p.s.rows, 1 + CHUNK / (p.s.inner + 1), select_rows, &p);
    return NULL;
}

const am_kernel am_cpu_select = {.name = "select", .op = AM_OP_SELECT, .run = run_select};

/* --- gated activation --- */

static void gated_rows(void *context, int64_t begin, int64_t end)
{
    const am_kernel_call *call = context;
    am_unary_fn fn = (am_unary_fn)AM_ATTRIBUTES(am_gated_activation_attributes, call)->fn;
    const am_tensor *y = &call->outputs[0];
    bool packed = call->input_count < 2 || !call->inputs[1].data;
    int64_t n = y->shape.rank ? y->shape.dims[y->shape.rank - 1] : 1;
    const float *gate = call->inputs[0].data, *up = packed ? gate + n : call->inputs[1].data;
    for (int64_t i = begin; i < end; i++) {
        const float *g = gate + i * n * (packed ? 2 : 1), *u = up + i * n * (packed ? 2 : 1);
        if (!call->output_rounded) call->micro->gated(fn, g, u, (float *)y->data + i * n, n);
        else call->micro->round_function(fn, g, u, n, (am_pair *)y->data + i * n / 2);
    }
}

static am_status run_gated(const am_kernel_call *call)
{
    const am_shape *y = &call->outputs[0].shape;
    int64_t n = y->rank ? y->dims[y->rank - 1] : 1, count = am_shape_count(y);
    am_parallel_for(n ? count / n : 0, 1 + CHUNK / (n + 1), gated_rows, (void *)(uintptr_t)call);
    return NULL;
}

const am_kernel am_cpu_gated_activation = {.name = "gated_activation_f32",
                                           .op = AM_OP_GATED_ACTIVATION,
                                           .writes_rounded = am_rounds_even_rows,
                                           .run = run_gated,
                                           .supports = am_all_f32,
                                           .in_place = true};

/* --- rope --- */

static void rope_rows(void *context, int64_t begin, int64_t end)
{
    const am_kernel_call *call = context;
    const int64_t *x = call->inputs[0].shape.dims, *table = call->inputs[1].shape.dims;
    bool interleaved = AM_ATTRIBUTES(am_rope_attributes, call)->interleaved;
    int64_t half = table[2], rest = x[3] - 2 * half;
    for (int64_t row = begin; row < end; row++) {
        int64_t table_at = (table[0] == 1 ? row % x[1] : row) * half;
        const float *cos = (const float *)call->inputs[1].data + table_at,
                    *sin = (const float *)call->inputs[2].data + table_at;
        for (int64_t h = 0; h < x[2]; h++) {
            const float *from = (const float *)call->inputs[0].data + (row * x[2] + h) * x[3];
            float *to = (float *)call->outputs[0].data + (row * x[2] + h) * x[3];
            call->micro->rope(from, cos, sin, to, half, interleaved);
            if (rest > 0 && to != from) memcpy(to + 2 * half, from + 2 * half, (size_t)rest * sizeof *to);
        }
    }
}

static am_status run_rope(const am_kernel_call *call)
{
    const int64_t *x = call->inputs[0].shape.dims;
    am_parallel_for(x[0] * x[1], 1 + CHUNK / (x[2] * x[3] + 1), rope_rows, (void *)(uintptr_t)call);
    return NULL;
}

const am_kernel am_cpu_rope = {
    .name = "rope_f32", .op = AM_OP_ROPE, .run = run_rope, .supports = am_all_f32, .in_place = true};
