/* Caches in place: a state that is read by nothing but the scatter that updates it, at [offset, offset + n) along one
   axis, is a buffer of the caller's, and the scatter a store into it. */
#include "graph/ops.h"
#include "targets/max/lower.h"

static bool counts_from_zero(const am_constant_attributes *c)
{
    int64_t count = am_shape_count(&c->shape);
    if (c->dtype != AM_I32 && c->dtype != AM_I64) return false;
    for (int64_t i = 0; i < count; i++)
        if (am_load_int(c->dtype, c->data, i) != i) return false;
    return true;
}

static int find_input(const am_graph *g, am_value v)
{
    for (int i = 0; i < g->input_count; i++)
        if (g->inputs[i].value.id == v.id) return i;
    return -1;
}

/* The input whose value is the offset in "0, 1, .. n - 1 plus offset", or the only index; -1 where the indices are not
   that. */
static int find_offset(const am_graph *g, am_value indices)
{
    const am_node *sum = am_graph_producer(g, indices);
    while (sum->op == AM_OP_RESHAPE) sum = am_graph_producer(g, sum->inputs[0]);
    if (sum->op == AM_OP_INPUT && am_shape_count(&am_graph_value(g, indices)->shape) == 1)
        return find_input(g, sum->first_output);
    if (sum->op != AM_OP_BINARY || ((const am_binary_attributes *)sum->attributes)->fn != AM_ADD) return -1;
    for (int i = 0; i < 2; i++) {
        const am_node *count = am_graph_producer(g, sum->inputs[i]);
        const am_value_info *other = am_graph_value(g, sum->inputs[1 - i]);
        int input = find_input(g, sum->inputs[1 - i]);
        if (count->op == AM_OP_CONSTANT && input >= 0 && am_shape_count(&other->shape) == 1 &&
            counts_from_zero(count->attributes))
            return input;
    }
    return -1;
}

static bool is_read_once(const am_graph *g, const am_graph_state *state)
{
    int readers = 0;
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].input_count; k++) readers += g->nodes[i].inputs[k].id == state->value.id;
    for (int i = 0; i < g->output_count; i++) readers += g->outputs[i].value.id == state->value.id;
    for (int i = 0; i < g->state_count; i++) readers += g->states[i].updated.id == state->value.id;
    return readers == 1;
}

static am_mx_place find_place(const am_graph *g, const am_graph_state *state)
{
    am_mx_place place = {.offset_input = -1};
    if (!state->updated.id || !is_read_once(g, state)) return place;
    const am_node *node = am_graph_producer(g, state->updated);
    if (node->op != AM_OP_SCATTER || node->inputs[0].id != state->value.id) return place;
    const am_scatter_attributes *a = node->attributes;
    if (a->elementwise || a->fn != AM_SCATTER_SET) return place;
    place.offset_input = find_offset(g, node->inputs[1]);
    place.count = am_graph_value(g, node->inputs[2])->shape.dims[a->axis];
    place.places = am_graph_value(g, state->value)->shape.dims[a->axis];
    place.scatter_value = state->updated.id;
    place.in_place = place.offset_input >= 0;
    return place;
}

am_status am_mx_find_places(am_mlir *m)
{
    const am_graph *g = m->graph;
    m->places = am_arena_array(&m->arena, (size_t)g->state_count + 1, sizeof *m->places);
    if (!m->places) return am_out_of_memory();
    for (int i = 0; i < g->state_count; i++) m->places[i] = find_place(g, &g->states[i]);
    return NULL;
}

const am_mx_place *am_mx_place_of(const am_mlir *m, const am_node *node)
{
    for (int i = 0; i < m->graph->state_count; i++)
        if (m->places[i].in_place && m->places[i].scatter_value == node->first_output.id) return &m->places[i];
    return NULL;
}

am_mx_value am_mx_store_place(am_mlir *m, const am_mx_place *place, const am_node *node)
{
    AM_MX_ATTRIBUTES(am_scatter_attributes);
    const am_graph *g = m->graph;
    const am_value_info *info = am_graph_value(g, node->first_output);
    am_mx_value updates = am_mx_input(m, node, 2);
    int64_t along[AM_RANK_LIMIT] = {0}, ones[AM_RANK_LIMIT];
    int rank = info->shape.rank, stored = m->next_id++;
    am_buffer *out = &m->body;
    along[a->axis] = 1;
    for (int i = 0; i < rank; i++) ones[i] = 1;
    am_mx_value offset = am_mx_cast(m, m->values[g->inputs[place->offset_input].value.id], AM_I64);
    offset = am_mx_reshape(m, offset, am_shape_of(1));
    am_mx_value starts = am_mx_binary(m, "rmo.mul", am_mx_integers(m, along, rank), offset);
    am_mx_value stops = am_mx_binary(m, "rmo.add", starts, am_mx_integers(m, updates.shape.dims, rank));
    am_mx_value steps = am_mx_integers(m, ones, rank);
    am_buffer_printf(out, "  %%v%d = rmo.mo.mutable.store.slice(%%v%d, %%v%d, %%v%d, %%v%d, %%v%d, %%v%d) : (", stored,
                     place->buffer, updates.id, starts.id, stops.id, steps.id, m->chain);
    am_mx_put_buffer_type(out, info->dtype, &info->shape);
    am_buffer_append_string(out, ", ");
    am_mx_put_type(out, updates.dtype, &updates.shape);
    for (int i = 0; i < 3; i++) am_buffer_printf(out, ", !mo.tensor<[%d], si64>", rank);
    am_buffer_append_string(out, ", !mo.chain) -> !mo.chain\n");
    am_mx_value loaded = {m->next_id++, info->dtype, info->shape};
    m->chain = m->next_id++;
    am_buffer_printf(out, "  %%v%d, %%v%d = rmo.mo.mutable.load(%%v%d, %%v%d) : (", loaded.id, m->chain, place->buffer,
                     stored);
    am_mx_put_buffer_type(out, info->dtype, &info->shape);
    am_buffer_append_string(out, ", !mo.chain) -> (");
    am_mx_put_type(out, info->dtype, &info->shape);
    am_buffer_append_string(out, ", !mo.chain)\n");
    return loaded;
}
