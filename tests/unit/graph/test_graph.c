#include "graph/ops.h"
#include "targets/work.h"
#include "test_support.h"

#include <string.h>

static const float weight[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static am_builder *create(void)
{
    am_builder *b;
    am_test_expect_ok(am_builder_create(&b));
    return b;
}

static am_graph *finish(am_builder *b)
{
    am_graph *graph = NULL;
    am_test_expect_ok(am_builder_finish(b, &graph));
    am_builder_destroy(b);
    return graph;
}

static void expect_text(const am_graph *graph, const char *expected)
{
    am_buffer text = {0};
    am_graph_print(graph, &text);
    assert_string_equal(am_buffer_text(&text), expected);
    am_buffer_deinit(&text);
}

/* --- work --- */

/* 8 experts of [3, 4], of which each token names two. */
static void expect_expert_work(int64_t tokens, double experts_read)
{
    static const float experts[8 * 3 * 4];
    am_graph_work work = {0};
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(tokens, 4)),
             named = am_graph_input(b, "named", AM_I32, am_shape_of(tokens, 2)),
             weight_of_all = am_constant_lent(b, "experts", AM_F32, am_shape_of(8, 3, 4), experts);
    am_output(b, "y", am_grouped_matmul(b, x, named, weight_of_all, AM_NONE));
    am_graph *graph = finish(b);
    am_test_expect_ok(am_graph_work_add(graph, &work));
    assert_true(work.flops == (double)(tokens * 2 * 2 * 3 * 4));
    assert_true(work.weight_bytes == experts_read * 3 * 4 * 4);
    am_graph_destroy(graph);
}

static void graph_graph__a_mixture_reads_the_experts_that_rows_name(void **state)
{
    expect_expert_work(1, 2);
    expect_expert_work(3, 6);
    expect_expert_work(5, 8);
}

/* --- printing --- */

static am_graph *small_graph(am_unary_fn activation, float table, const float *lent)
{
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(3, 2)),
             s = am_graph_state_input(b, "cache", AM_F32, am_shape_of(3, 4)), places;
    am_scope(b, "encoder.layer.0");
    am_value w = am_constant_lent(b, "encoder.weight", AM_F32, am_shape_of(4, 2), lent);
    am_value y = am_linear_op(b, x, w, AM_NONE, s, &(am_linear_attributes){.activation = (int)activation});
    am_end_scope(b);
    y = am_mul(b, y, am_constant_copy(b, AM_F32, (am_shape){0}, &table));
    am_value sorted = am_sort(b, y, -1, true, &places);
    am_state_update(b, s, sorted);
    am_output(b, "places", places);
    am_output(b, "mean", am_reduce(b, AM_REDUCE_MEAN, y, am_shape_of(0, 1), false));
    return finish(b);
}

static void graph_graph__prints_one_node_a_line(void **state)
{
    am_graph *graph = small_graph(AM_GELU, 0.5f, weight);
    expect_text(graph, "%1: f32[3, 2] = input() {name=\"x\", dtype=f32, shape=[3, 2]}\n"
                       "%2: f32[3, 4] = input() {name=\"cache\", dtype=f32, shape=[3, 4], is_state=true}\n"
                       "%3: f32[4, 2] = constant() {name=\"encoder.weight\", dtype=f32, shape=[4, 2], "
                       "hash=0}  # encoder.layer.0\n"
                       "%4: f32[3, 4] = linear(%1, %3, -, %2) {activation=gelu}  # encoder.layer.0\n"
                       "%5: f32[] = constant() {dtype=f32, hash=5558927928492672024}\n"
                       "%6: f32[3, 4] = binary(%4, %5) {fn=mul}\n"
                       "%7: f32[3, 4], %8: i32[3, 4] = sort(%6) {axis=1, descending=true}\n"
                       "%9: f32[] = reduce(%6) {fn=mean, axes=[0, 1]}\n"
                       "state cache = %7\n"
                       "output places = %8\n"
                       "output mean = %9\n");
    am_graph_destroy(graph);
}

static void graph_graph__prints_bodies_and_quotes_names(void **state)
{
    am_value y;
    am_builder *b = create(), *inner = create();
    am_graph_input(inner, "i", AM_I32, (am_shape){0});
    am_output(inner, "x", am_unary(inner, AM_EXP, am_graph_input(inner, "x", AM_F32, (am_shape){0})));
    am_graph *body = finish(inner);
    am_value x = am_graph_input(b, "a \"b\"", AM_F32, (am_shape){0});
    am_loop(b, body, &x, 1, &(am_loop_attributes){.trips = 3, .carried = 1}, &y);
    am_output(b, "y", y);
    am_graph *graph = finish(b);
    expect_text(graph, "%1: f32[] = input() {name=\"a \\\"b\\\"\", dtype=f32}\n"
                       "%2: f32[] = loop(%1) {trips=3, carried=1, body={\n"
                       "%1: i32[] = input() {name=\"i\", dtype=i32}\n"
                       "%2: f32[] = input() {name=\"x\", dtype=f32}\n"
                       "%3: f32[] = unary(%2) {fn=exp}\n"
                       "output x = %3\n"
                       "}}\n"
                       "output y = %2\n");
    am_graph_destroy(graph);
}

/* --- hashing --- */

static void graph_graph__hashes_equal_graphs_equal(void **state)
{
    float elsewhere[8] = {0};
    am_graph *a = small_graph(AM_GELU, 0.5f, weight), *b = small_graph(AM_GELU, 0.5f, elsewhere);
    assert_true(am_graph_hash(a) == am_graph_hash(b)); /* lent weights are known by name */
    am_graph_destroy(a);
    am_graph_destroy(b);
}

static void graph_graph__hashes_different_graphs_differently(void **state)
{
    am_graph *graphs[3] = {small_graph(AM_GELU, 0.5f, weight), small_graph(AM_SILU, 0.5f, weight),
                           small_graph(AM_GELU, 0.25f, weight)};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < i; k++) assert_true(am_graph_hash(graphs[i]) != am_graph_hash(graphs[k]));
    for (int i = 0; i < 3; i++) am_graph_destroy(graphs[i]);
}

static uint64_t hash_of_resize(double scale, int64_t size, const char *input)
{
    am_builder *b = create();
    am_value x = am_graph_input(b, input, AM_F32, am_shape_of(1, 1, 4, 4));
    am_output(b, "y",
              am_resize(b, x,
                        &(am_resize_attributes){
                            .size = am_shape_of(2, size), .mode = AM_RESIZE_LINEAR, .scale = {0, scale}}));
    am_graph *graph = finish(b);
    uint64_t hash = am_graph_hash(graph);
    am_graph_destroy(graph);
    return hash;
}

static void graph_graph__hashes_attributes_shapes_and_names(void **state)
{
    uint64_t hash = hash_of_resize(0.5, 2, "x");
    assert_true(hash == hash_of_resize(0.5, 2, "x"));
    assert_true(hash != hash_of_resize(0.5 + 1e-15, 2, "x"));
    assert_true(hash != hash_of_resize(0.5, 3, "x"));
    assert_true(hash != hash_of_resize(0.5, 2, "y"));
}

/* --- expanding --- */

static int count_op(const am_graph *graph, am_op_kind op)
{
    int count = 0;
    for (int i = 0; i < graph->node_count; i++) count += graph->nodes[i].op == op;
    return count;
}

static bool keep_softmax(void *context, const am_graph *graph, const am_node *node)
{
    assert_non_null(graph);
    ++*(int *)context;
    return node->op == AM_OP_SOFTMAX;
}

static am_graph *routing_graph(void)
{
    am_value experts;
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(3, 8)),
             s = am_graph_state_input(b, "s", AM_F32, am_shape_of(3, 2));
    am_scope(b, "router");
    am_value w =
        am_expert_routing(b, x, AM_NONE, &(am_expert_routing_attributes){.top_k = 2, .normalize = true}, &experts);
    am_end_scope(b);
    am_state_update(b, s, am_add(b, s, w));
    am_output(b, "weights", w);
    am_output(b, "experts", experts);
    return finish(b);
}

static void graph_graph__expands_composites_to_the_ground(void **state)
{
    am_graph *graph = routing_graph(), *expanded;
    am_test_expect_ok(am_graph_expand(graph, NULL, NULL, &expanded));
    am_graph_destroy(graph); /* the expanded graph owns what it needs */
    for (int i = 0; i < expanded->node_count; i++) {
        const am_node *node = &expanded->nodes[i];
        assert_false(am_op_of(node->op)->is_composite);
        if (node->op == AM_OP_TOP_K) assert_string_equal(node->name, "router");
    }
    assert_int_equal(count_op(expanded, AM_OP_TOP_K), 1);
    assert_int_equal(expanded->output_count, 2);
    assert_string_equal(expanded->outputs[1].name, "experts");
    assert_int_equal(am_graph_value(expanded, expanded->outputs[1].value)->dtype, AM_I32);
    assert_int_equal(expanded->state_count, 1);
    assert_int_not_equal(expanded->states[0].updated.id, 0);
    am_graph_destroy(expanded);
}

static void graph_graph__keeps_composites_that_a_target_takes(void **state)
{
    int asked = 0;
    am_graph *graph = routing_graph(), *expanded;
    am_test_expect_ok(am_graph_expand(graph, keep_softmax, &asked, &expanded));
    assert_int_equal(count_op(expanded, AM_OP_SOFTMAX), 1);
    assert_int_equal(count_op(expanded, AM_OP_EXPERT_ROUTING), 0);
    assert_true(asked > 0);
    am_graph_destroy(expanded);
    am_graph_destroy(graph);
}

static void graph_graph__expands_bodies_of_loops(void **state)
{
    am_value y;
    am_graph *expanded;
    am_builder *b = create(), *inner = create();
    am_graph_input(inner, "i", AM_I32, (am_shape){0});
    am_output(inner, "x", am_softmax(inner, am_graph_input(inner, "x", AM_F32, am_shape_of(3)), 0));
    am_graph *body = finish(inner);
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(3));
    am_loop(b, body, &x, 1, &(am_loop_attributes){.trips = 3, .carried = 1}, &y);
    am_output(b, "y", y);
    am_graph *graph = finish(b);
    am_test_expect_ok(am_graph_expand(graph, NULL, NULL, &expanded));
    am_graph_destroy(graph);
    const am_loop_attributes *loop = am_graph_producer(expanded, expanded->outputs[0].value)->attributes;
    assert_int_equal(count_op(loop->body, AM_OP_SOFTMAX), 0);
    assert_int_equal(count_op(loop->body, AM_OP_REDUCE), 2);
    am_graph_destroy(expanded);
}

static void graph_graph__expands_a_graph_of_core_ops_to_itself(void **state)
{
    am_graph *expanded;
    am_builder *b = create();
    am_value x = am_graph_input(b, "x", AM_F32, am_shape_of(3));
    am_scope(b, "a.b");
    am_output(b, "y", am_scan(b, AM_REDUCE_SUM, am_add_number(b, x, 0.1), 0, true, false));
    am_graph *graph = finish(b);
    am_test_expect_ok(am_graph_expand(graph, NULL, NULL, &expanded));
    assert_true(am_graph_hash(graph) == am_graph_hash(expanded));
    am_graph_destroy(graph);
    am_graph_destroy(expanded);
}

/* --- descriptors --- */

static void expect_fields(const am_op *op)
{
    for (const am_field *field = op->fields; field && field->name; field++) {
        assert_true(field->offset < op->attributes_bytes);
        assert_true((field->kind == AM_FIELD_ENUM) == (field->names != NULL));
        for (const am_field *other = op->fields; other < field; other++) {
            assert_string_not_equal(other->name, field->name);
            assert_int_not_equal(other->offset, field->offset);
        }
    }
}

static void graph_graph__describes_every_op(void **state)
{
    for (int kind = 0; kind < AM_OP_COUNT; kind++) {
        const am_op *op = am_op_of((am_op_kind)kind);
        assert_non_null(op->infer);
        assert_int_equal(op->is_composite, op->expand != NULL);
        assert_in_range(op->min_inputs, 0, op->max_inputs);
        assert_in_range(op->max_inputs, 0, AM_INPUT_LIMIT);
        assert_int_equal(op->attributes_bytes != 0, op->fields != NULL);
        assert_true(strlen(op->summary) > 10 && op->summary[strlen(op->summary) - 1] == '.');
        expect_fields(op);
    }
}

static void graph_graph__names_ops_as_the_list_does(void **state)
{
#define AM_OP(id, op_name, class)                                                                                      \
    assert_string_equal(am_op_of(AM_OP_##id)->name, #op_name);                                                         \
    assert_int_equal(am_op_of(AM_OP_##id)->is_composite, strcmp(#class, "COMPOSITE") == 0);
#include "graph/ops.def"
#undef AM_OP
}

static void graph_graph__destroys_nothing(void **state)
{
    am_graph_destroy(NULL);
}
