#include "targets/mojo/kernels/kernels.h"

#include <string.h>

int64_t am_mojo_address(const void *data)
{
    return (int64_t)(intptr_t)data;
}

int64_t am_mojo_real(double value)
{
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

typedef struct launch {
    am_mojo_work work;
    const int64_t *args;
} launch;

static void run(void *context, int64_t begin, int64_t end)
{
    const launch *l = context;
    l->work(l->args, begin, end);
}

void am_mojo_launch(am_mojo_function function, const int64_t *args, int64_t count, int64_t grain)
{
    launch l = {am_mojo_function_of(function), args};
    am_parallel_for(count, grain, run, &l);
}

void am_mojo_strided(const am_strided *s, int64_t words[AM_MOJO_STRIDED_WORDS])
{
    int64_t *to = words;
    *to++ = s->rank;
    *to++ = s->operands;
    *to++ = s->inner;
    for (int i = 0; i <= AM_RANK_LIMIT; i++) *to++ = i < s->rank ? s->dims[i] : 1;
    for (int k = 0; k < AM_STRIDED_OPERANDS; k++) {
        bool is_there = k < s->operands;
        *to++ = is_there ? s->step[k] : 0;
        for (int i = 0; i <= AM_RANK_LIMIT; i++) *to++ = is_there && i < s->rank ? s->strides[k][i] : 0;
    }
}

/* Whether a present input or output is of a dtype that the predicate names. */
static bool has(const am_graph *graph, const am_node *node, bool (*is)(am_dtype))
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].id && is(graph->values[node->inputs[i].id].dtype)) return true;
    for (int i = 0; i < node->output_count; i++)
        if (is(graph->values[node->first_output.id + i].dtype)) return true;
    return false;
}

static bool is_f8(am_dtype dtype)
{
    return dtype == AM_F8_E4M3 || dtype == AM_F8_E5M2;
}

static bool is_not_f32(am_dtype dtype)
{
    return dtype != AM_F32;
}

static bool is_f8_or_integer(am_dtype dtype)
{
    return is_f8(dtype) || !am_dtype_is_float(dtype);
}

const char *am_mojo_refuses_f8(const am_graph *graph, const am_node *node)
{
    return has(graph, node, is_f8) ? "numbers of eight bits are not computed with" : NULL;
}

const char *am_mojo_refuses_all_but_f32(const am_graph *graph, const am_node *node)
{
    return has(graph, node, is_not_f32) ? "works on f32 only" : NULL;
}

const char *am_mojo_refuses_f8_and_integers(const am_graph *graph, const am_node *node)
{
    return has(graph, node, is_f8_or_integer) ? "works on floats of 16 to 64 bits only" : NULL;
}
