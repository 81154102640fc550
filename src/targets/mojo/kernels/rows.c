#include "targets/mojo/kernels/kernels.h"

#include "targets/cpu/reference/order.h"

static const void *optional(const am_kernel_call *call, int i)
{
    return call->input_count > i ? call->inputs[i].data : NULL;
}

/* --- norms --- */

static am_status run_norm_rows(const am_kernel_call *call)
{
    const am_norm_attributes *a = AM_ATTRIBUTES(am_norm_attributes, call);
    const am_shape *x = &call->inputs[0].shape;
    int64_t C = x->dims[x->rank - 1], count = am_shape_count(x);
    const int64_t args[] = {am_mojo_address(call->inputs[0].data),
                            am_mojo_address(optional(call, 1)),
                            am_mojo_address(optional(call, 2)),
                            am_mojo_address(call->outputs[0].data),
                            C,
                            am_mojo_real(a->eps),
                            am_mojo_real(a->weight_offset),
                            a->kind == AM_NORM_RMS};
    am_mojo_launch(AM_MOJO_NORM_ROWS, args, C ? count / C : 0, 1 + 4096 / (C + 1));
    return NULL;
}

static const char *refuses_norm_rows(const am_graph *graph, const am_node *node)
{
    const am_norm_attributes *a = node->attributes;
    if (a->kind != AM_NORM_LAYER && a->kind != AM_NORM_RMS) return "norms rows only";
    return am_mojo_refuses_all_but_f32(graph, node);
}

static am_status run_norm_groups(const am_kernel_call *call)
{
    const am_norm_attributes *a = AM_ATTRIBUTES(am_norm_attributes, call);
    const am_shape *x = &call->inputs[0].shape;
    bool is_batch = a->kind == AM_NORM_BATCH;
    int64_t C = x->dims[1], members = is_batch ? 1 : C / a->groups, inner = 1;
    for (int i = 2; i < x->rank; i++) inner *= x->dims[i];
    const int64_t args[] = {am_mojo_address(call->inputs[0].data),
                            am_mojo_address(optional(call, 1)),
                            am_mojo_address(optional(call, 2)),
                            am_mojo_address(is_batch ? optional(call, 3) : NULL),
                            am_mojo_address(is_batch ? optional(call, 4) : NULL),
                            am_mojo_address(call->outputs[0].data),
                            C,
                            members,
                            inner,
                            am_mojo_real(a->eps),
                            am_mojo_real(a->weight_offset)};
    if (am_shape_count(x)) am_mojo_launch(AM_MOJO_NORM_GROUPS, args, x->dims[0] * C / members, 1);
    return NULL;
}

static const char *refuses_norm_groups(const am_graph *graph, const am_node *node)
{
    const am_norm_attributes *a = node->attributes;
    if (a->kind != AM_NORM_GROUP && a->kind != AM_NORM_BATCH) return "norms rows of f32 only";
    return am_mojo_refuses_all_but_f32(graph, node);
}

/* --- softmax --- */

static am_status run_softmax(const am_kernel_call *call)
{
    const am_softmax_attributes *a = AM_ATTRIBUTES(am_softmax_attributes, call);
    am_rows rows = am_rows_along(&call->inputs[0].shape, a->axis);
    const int64_t args[] = {am_mojo_address(call->inputs[0].data), am_mojo_address(call->outputs[0].data), rows.size,
                            rows.inner, a->log};
    am_mojo_launch(AM_MOJO_SOFTMAX, args, rows.size ? rows.outer * rows.inner : 0, 1 + 2048 / (rows.size + 1));
    return NULL;
}

/* --- reductions --- */

static void split_dimensions(const am_kernel_call *call, am_strided *kept, am_strided *reduced)
{
    const am_reduce_attributes *a = AM_ATTRIBUTES(am_reduce_attributes, call);
    const am_shape *x = &call->inputs[0].shape;
    am_shape shapes[2] = {{0}};
    int64_t strides[AM_RANK_LIMIT], parts[2][1][AM_RANK_LIMIT];
    am_shape_strides(x, strides);
    for (int i = 0, next = 0; i < x->rank; i++) {
        int part = next < a->axes.rank && a->axes.dims[next] == i;
        parts[part][0][shapes[part].rank] = strides[i];
        shapes[part].dims[shapes[part].rank++] = x->dims[i];
        next += part;
    }
    am_strided_make(kept, &shapes[0], 1, parts[0], 0);
    am_strided_make(reduced, &shapes[1], 1, parts[1], 0);
}

static am_status run_reduce(const am_kernel_call *call)
{
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    const am_reduce_attributes *a = AM_ATTRIBUTES(am_reduce_attributes, call);
    int64_t count = am_shape_count(&y->shape), span = 1;
    int64_t kept_words[AM_MOJO_STRIDED_WORDS], reduced_words[AM_MOJO_STRIDED_WORDS];
    am_strided kept, reduced;
    for (int i = 0; i < a->axes.rank; i++) span *= x->shape.dims[a->axes.dims[i]];
    split_dimensions(call, &kept, &reduced);
    am_mojo_strided(&kept, kept_words);
    am_mojo_strided(&reduced, reduced_words);
    const int64_t args[] = {x->dtype,
                            a->fn,
                            am_mojo_address(x->data),
                            am_mojo_address(y->data),
                            span,
                            am_mojo_address(kept_words),
                            kept.inner,
                            am_mojo_address(reduced_words),
                            reduced.rows};
    bool are_rows = kept.rank == 0 && (kept.inner == 1 || kept.step[0] == span) && reduced.rank == 0 &&
                    (reduced.inner == 1 || reduced.step[0] == 1);
    bool is_fast = a->fn == AM_REDUCE_SUM || a->fn == AM_REDUCE_MEAN || a->fn == AM_REDUCE_MAX;
    am_mojo_launch(x->dtype == AM_F32 && are_rows && is_fast ? AM_MOJO_REDUCE_ROWS : AM_MOJO_REDUCE, args, count,
                   1 + 8192 / (span + 1));
    return NULL;
}

/* --- lines along an axis --- */

static am_status run_arg_reduce(const am_kernel_call *call)
{
    const am_arg_reduce_attributes *a = AM_ATTRIBUTES(am_arg_reduce_attributes, call);
    const am_tensor *x = &call->inputs[0];
    am_rows rows = am_rows_along(&x->shape, a->axis);
    const int64_t args[] = {
        x->dtype, am_mojo_address(x->data), am_mojo_address(call->outputs[0].data), rows.size, rows.inner, a->is_min};
    am_mojo_launch(AM_MOJO_ARG_REDUCE, args, rows.outer * rows.inner, 1 + 4096 / (rows.size + 1));
    return NULL;
}

static am_status run_scan(const am_kernel_call *call)
{
    const am_scan_attributes *a = AM_ATTRIBUTES(am_scan_attributes, call);
    const am_tensor *x = &call->inputs[0];
    am_rows rows = am_rows_along(&x->shape, a->axis);
    const int64_t args[] = {x->dtype,
                            am_mojo_address(x->data),
                            am_mojo_address(call->outputs[0].data),
                            rows.size,
                            rows.inner,
                            a->fn,
                            a->exclusive,
                            a->reverse};
    am_mojo_launch(AM_MOJO_SCAN, args, rows.outer * rows.inner, 1 + 4096 / (rows.size + 1));
    return NULL;
}

static const char *refuses_scan(const am_graph *graph, const am_node *node)
{
    if (graph->values[node->first_output.id].dtype == AM_BOOL) return "scans numbers only";
    return am_mojo_refuses_f8(graph, node);
}

static am_status run_sort(const am_kernel_call *call)
{
    const am_sort_attributes *a = AM_ATTRIBUTES(am_sort_attributes, call);
    const am_tensor *x = &call->inputs[0];
    am_rows rows = am_rows_along(&x->shape, a->axis);
    const int64_t args[] = {x->dtype,
                            am_mojo_address(x->data),
                            am_mojo_address(call->outputs[0].data),
                            am_mojo_address(call->outputs[1].data),
                            rows.size,
                            rows.inner,
                            a->descending,
                            am_mojo_address(call->scratch)};
    am_mojo_launch(AM_MOJO_SORT, args, rows.outer * rows.inner, 1 + 1024 / (rows.size + 1));
    return NULL;
}

static size_t sort_scratch(const am_graph *graph, const am_node *node)
{
    return 2 * am_tensor_bytes(AM_I32, &graph->values[node->inputs[0].id].shape);
}

static am_status run_top_k(const am_kernel_call *call)
{
    const am_top_k_attributes *a = AM_ATTRIBUTES(am_top_k_attributes, call);
    const am_tensor *x = &call->inputs[0];
    am_rows rows = am_rows_along(&x->shape, a->axis);
    const int64_t args[] = {x->dtype,
                            am_mojo_address(x->data),
                            am_mojo_address(call->outputs[0].data),
                            am_mojo_address(call->outputs[1].data),
                            rows.size,
                            rows.inner,
                            a->k,
                            a->smallest};
    am_mojo_launch(AM_MOJO_TOP_K, args, rows.outer * rows.inner, 1 + 1024 / (rows.size + 1));
    return NULL;
}

static const char *refuses_top_k(const am_graph *graph, const am_node *node)
{
    const am_top_k_attributes *a = node->attributes;
    return a->torch_equals ? "takes others of equals than torch" : am_mojo_refuses_f8(graph, node);
}

static am_status run_search_sorted(const am_kernel_call *call)
{
    const am_tensor *row = &call->inputs[0], *values = &call->inputs[1];
    int64_t count = am_shape_count(&values->shape);
    const int64_t args[] = {row->dtype,
                            am_mojo_address(row->data),
                            am_mojo_address(values->data),
                            am_mojo_address(call->outputs[0].data),
                            row->shape.dims[row->shape.rank - 1],
                            row->shape.rank > 1 ? values->shape.dims[values->shape.rank - 1] : count,
                            AM_ATTRIBUTES(am_search_sorted_attributes, call)->right};
    am_mojo_launch(AM_MOJO_SEARCH_SORTED, args, count, 64);
    return NULL;
}

static const am_mojo_kernel
    norm_rows = {{.name = "norm_rows_mojo", .op = AM_OP_NORM, .run = run_norm_rows, .in_place = true},
                 refuses_norm_rows},
    norm_groups = {{.name = "norm_groups_mojo", .op = AM_OP_NORM, .run = run_norm_groups, .in_place = true},
                   refuses_norm_groups},
    softmax = {{.name = "softmax_mojo", .op = AM_OP_SOFTMAX, .run = run_softmax, .in_place = true},
               am_mojo_refuses_all_but_f32},
    reduce = {{.name = "reduce_mojo", .op = AM_OP_REDUCE, .run = run_reduce}, am_mojo_refuses_f8},
    arg_reduce = {{.name = "arg_reduce_mojo", .op = AM_OP_ARG_REDUCE, .run = run_arg_reduce}, am_mojo_refuses_f8},
    scan = {{.name = "scan_mojo", .op = AM_OP_SCAN, .run = run_scan}, refuses_scan},
    sort = {{.name = "sort_mojo", .op = AM_OP_SORT, .run = run_sort, .scratch_bytes = sort_scratch},
            am_mojo_refuses_f8},
    top_k = {{.name = "top_k_mojo", .op = AM_OP_TOP_K, .run = run_top_k}, refuses_top_k},
    search = {{.name = "search_sorted_mojo", .op = AM_OP_SEARCH_SORTED, .run = run_search_sorted}, am_mojo_refuses_f8};

const am_mojo_kernel *const am_mojo_rows[] = {&norm_rows, &norm_groups, &softmax, &reduce, &arg_reduce,
                                              &scan,      &sort,        &top_k,   &search, NULL};
