#include "graph/ops.h"
#include "targets/max/lower.h"

/* Whether the plan has looked at these indices before the run: they are an input's or a constant's. */
static bool is_checked(const am_graph *g, am_value v)
{
    const am_node *node = am_graph_producer(g, v);
    while (node->op == AM_OP_RESHAPE || node->op == AM_OP_BROADCAST || node->op == AM_OP_PERMUTE)
        node = am_graph_producer(g, node->inputs[0]);
    return node->op == AM_OP_INPUT || node->op == AM_OP_CONSTANT;
}

/* Input i as indices below `limit`, of I64. What is computed here is checked only after the run, which must not read or
   write elsewhere in the meantime. */
static am_mx_value indices(am_mlir *m, const am_node *node, int i, int64_t limit)
{
    am_mx_value x = am_mx_input(m, node, i);
    if (!is_checked(m->graph, node->inputs[i]))
        x = am_mx_with_number(m, "rmo.max", am_mx_with_number(m, "rmo.min", x, (double)(limit - 1)), 0);
    return am_mx_cast(m, x, AM_I64);
}

static am_mx_value gather(am_mlir *m, am_mx_value x, am_mx_value index, int64_t axis, am_shape shape)
{
    return am_mx_add2(m, "rmo.mo.gather", am_mx_format(" [axis = %d]", (int)axis).text, x, index, x.dtype, shape);
}

/* Row-major places of the elements of `shape` in a tensor of shape `x`, as if along `axis` all were 0; F32 has room for
   such a table of I32. */
static am_mx_value base_places(am_mlir *m, const am_shape *x, const am_shape *shape, int axis)
{
    int64_t strides[AM_RANK_LIMIT], at[AM_RANK_LIMIT] = {0}, count = am_shape_count(shape);
    int32_t *places = am_mx_room(m, *shape);
    am_shape_strides(x, strides);
    for (int64_t e = 0; places && e < count; e++) {
        int64_t place = 0;
        for (int i = 0; i < shape->rank; i++) place += i == axis ? 0 : at[i] * strides[i];
        places[e] = (int32_t)place;
        for (int i = shape->rank - 1; i >= 0 && ++at[i] == shape->dims[i]; i--) at[i] = 0;
    }
    return am_mx_cast(m, am_mx_lent(m, AM_I32, *shape, places), AM_I64);
}

/* By places in x as one row: torch.gather's index may be smaller than x along the other axes. */
static am_mx_value gather_elements(am_mlir *m, const am_node *node, int axis)
{
    am_mx_value x = am_mx_input(m, node, 0), index = indices(m, node, 1, x.shape.dims[axis]);
    int64_t strides[AM_RANK_LIMIT];
    am_shape_strides(&x.shape, strides);
    am_mx_value along = am_mx_with_number(m, "rmo.mul", index, (double)strides[axis]);
    am_mx_value place = am_mx_binary(m, "rmo.add", along, base_places(m, &x.shape, &index.shape, axis));
    return gather(m, am_mx_reshape(m, x, am_shape_of(am_shape_count(&x.shape))), place, 0, index.shape);
}

static bool supports_gather(const am_graph *graph, const am_node *node, am_reason *why)
{
    if (am_shape_count(&am_node_in(graph, node, 0)->shape) <= INT32_MAX) return true;
    return am_reason_no(why, "a table of more than 2^31 elements");
}

static void lower_gather(am_mlir *m, const am_node *node, am_mx_value *y)
{
    AM_MX_ATTRIBUTES(am_gather_attributes);
    am_mx_value x = am_mx_input(m, node, 0);
    y[0] = a->elementwise
               ? gather_elements(m, node, (int)a->axis)
               : gather(m, x, indices(m, node, 1, x.shape.dims[a->axis]), a->axis, am_node_out(m->graph, node)->shape);
}

/* Rows of the stored table, widened after they are gathered. */
static void lower_embedding(am_mlir *m, const am_node *node, am_mx_value *y)
{
    am_mx_value table = m->values[node->inputs[0].id];
    am_mx_value rows =
        gather(m, table, indices(m, node, 1, table.shape.dims[0]), 0, am_node_out(m->graph, node)->shape);
    y[0] = am_mx_cast(m, rows, AM_F32);
}

/* One index a slice: the same for each of its elements. */
static am_mx_value spread(am_mlir *m, am_mx_value index, const am_shape *updates, int axis)
{
    am_shape shape = {.rank = updates->rank};
    for (int i = 0; i < shape.rank; i++) shape.dims[i] = i == axis ? updates->dims[i] : 1;
    return am_mx_broadcast(m, am_mx_reshape(m, index, shape), *updates);
}

static bool supports_scatter(const am_graph *graph, const am_node *node, am_reason *why)
{
    if (am_node_in(graph, node, 0)->dtype != AM_BOOL) return true;
    return am_reason_no(why, "max does not scatter bool");
}

static void lower_scatter(am_mlir *m, const am_node *node, am_mx_value *y)
{
    static const char *const forms[] = {[AM_SCATTER_SET] = "rmo.mo.scatter",
                                        [AM_SCATTER_ADD] = "rmo.mo.scatter.add",
                                        [AM_SCATTER_MIN] = "rmo.mo.scatter.min",
                                        [AM_SCATTER_MAX] = "rmo.mo.scatter.max"};
    AM_MX_ATTRIBUTES(am_scatter_attributes);
    const am_mx_place *place = am_mx_place_of(m, node);
    if (place) {
        y[0] = am_mx_store_place(m, place, node);
        return;
    }
    am_mx_value x = am_mx_input(m, node, 0), updates = am_mx_input(m, node, 2);
    am_mx_value index = indices(m, node, 1, x.shape.dims[a->axis]);
    if (!a->elementwise) index = spread(m, index, &updates.shape, (int)a->axis);
    am_mx_value inputs[] = {x, updates, index, {0}};
    bool set = a->fn == AM_SCATTER_SET;
    if (!set) inputs[3] = am_mx_scalar(m, AM_I64, (double)a->axis);
    y[0] = am_mx_add(m, forms[a->fn], set ? am_mx_format(" [axis = %d]", (int)a->axis).text : "", inputs, set ? 3 : 4,
                     x.dtype, x.shape);
}

const am_mx_lowering am_mx_indexing[] = {
    {AM_OP_GATHER, supports_gather, lower_gather},
    {AM_OP_EMBEDDING, NULL, lower_embedding},
    {AM_OP_SCATTER, supports_scatter, lower_scatter},
    {AM_OP_COUNT, NULL, NULL},
};
