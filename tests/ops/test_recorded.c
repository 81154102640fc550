/* Every op against values that PyTorch and NumPy gave, in double: tests/ops/data/<op>.json and .safetensors,
   written by tools/record/record_ops.py.

   A case is {"name", "attributes", "inputs": [present, ..], "outputs": count, "variants": [[dtype of each
   input], ..]}; its arrays are
   "<name>.in<i>" and "<name>.out<i>". Floating-point inputs are exact in F32. A variant in F64 and F32 is
   compared with the recorded outputs; a narrower one with the reference in F64 on the rounded inputs. */
#include "op_test.h"

#include "base/json.h"
#include "formats/safetensors.h"
#include "targets/cpu/kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

enum { ATTRIBUTES_BYTES = 1024, OUTPUTS = 4 };

typedef struct recorded {
    const char *op_name;
    am_op_kind op;
    am_json_document *document;
    am_tensor_table table;
} recorded;

typedef struct recorded_case {
    const char *name;
    am_json json;
    am_arena arena; /* of texts in the attributes */
    _Alignas(16) char attributes[ATTRIBUTES_BYTES];
    am_tensor inputs[OP_TEST_INPUTS], outputs[OUTPUTS]; /* as recorded */
    int input_count, output_count;
} recorded_case;

/* --- reading --- */

static am_op_kind kind_of(const char *name)
{
    for (int i = 0; i < AM_OP_COUNT; i++)
        if (strcmp(am_op_of((am_op_kind)i)->name, name) == 0) return (am_op_kind)i;
    fail_msg("no op is called %s", name);
    return AM_OP_COUNT;
}

static void open_recorded(recorded *r, const char *op_name)
{
    *r = (recorded){.op_name = op_name, .op = kind_of(op_name)};
    am_test_expect_ok(
        am_json_open(am_test_source_path(am_test_format("tests/ops/data/%s.json", op_name)), &r->document));
    am_test_expect_ok(
        am_safetensors_read(am_test_source_path(am_test_format("tests/ops/data/%s.safetensors", op_name)), &r->table));
}

static void close_recorded(recorded *r)
{
    am_json_close(r->document);
    am_tensor_table_deinit(&r->table);
}

static int enum_of(const am_field *field, am_json value)
{
    for (int i = 0; field->names[i]; i++)
        if (am_json_equals(value, field->names[i])) return i;
    fail_msg("%s: no such name", field->name);
    return 0;
}

static am_dtype dtype_of(am_json value)
{
    am_dtype dtype = AM_F32;
    am_json_string text = am_json_text(value);
    assert_true(am_dtype_from_name(text.bytes, text.length, &dtype));
    return dtype;
}

static am_shape ints_of(am_json value)
{
    am_shape ints = {0};
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i);) {
        assert_in_range(ints.rank, 0, AM_RANK_LIMIT - 1);
        ints.dims[ints.rank++] = am_json_int(i.value, 0);
    }
    return ints;
}

static void read_field(recorded_case *c, const am_field *field, am_json value)
{
    void *at = c->attributes + field->offset;
    switch (field->kind) {
    case AM_FIELD_INT:
        *(int64_t *)at = am_json_int(value, 0);
        break;
    case AM_FIELD_REAL:
        *(double *)at = am_json_real(value, 0);
        break;
    case AM_FIELD_BOOL:
        *(bool *)at = am_json_bool(value, false);
        break;
    case AM_FIELD_ENUM:
        *(int *)at = enum_of(field, value);
        break;
    case AM_FIELD_DTYPE:
        *(am_dtype *)at = dtype_of(value);
        break;
    case AM_FIELD_INTS:
        *(am_shape *)at = ints_of(value);
        break;
    case AM_FIELD_TEXT:
        *(const char **)at = am_arena_string(&c->arena, am_json_text(value).bytes, am_json_text(value).length);
        break;
    default:
        fail_msg("%s: attribute %s cannot be recorded", c->name, field->name);
    }
}

/* Every attribute in the file must be one of the op. */
static void read_attributes(recorded_case *c, const am_op *op)
{
    am_json attributes = am_json_get(c->json, "attributes");
    assert_in_range(op->attributes_bytes, 0, ATTRIBUTES_BYTES);
    for (am_json_iterator i = am_json_iterate(attributes); am_json_next(&i);) {
        const am_field *field = op->fields;
        while (field && field->name && strcmp(field->name, i.key.bytes) != 0) field++;
        if (!field || !field->name) fail_msg("%s: %s has no attribute %s", c->name, op->name, i.key.bytes);
        else read_field(c, field, i.value);
    }
}

static am_tensor find_tensor(const recorded *r, const char *name, const char *suffix, int i)
{
    const am_named_tensor *found = am_tensor_table_find(&r->table, am_test_format("%s.%s%d", name, suffix, i));
    if (!found) fail_msg("%s.%s%d is not in the file", name, suffix, i);
    assert_non_null(found);
    return (am_tensor){found->dtype, found->shape, (void *)(uintptr_t)found->data};
}

static void read_case(const recorded *r, am_json json, recorded_case *c)
{
    am_json inputs = am_json_get(json, "inputs");
    *c = (recorded_case){.json = json, .name = am_json_text(am_json_get(json, "name")).bytes};
    read_attributes(c, am_op_of(r->op));
    for (am_json_iterator i = am_json_iterate(inputs); am_json_next(&i); c->input_count++) {
        assert_in_range(c->input_count, 0, OP_TEST_INPUTS - 1);
        if (am_json_bool(i.value, false)) c->inputs[c->input_count] = find_tensor(r, c->name, "in", c->input_count);
    }
    c->output_count = (int)am_json_int(am_json_get(json, "outputs"), 0);
    assert_in_range(c->output_count, 1, OUTPUTS);
    for (int i = 0; i < c->output_count; i++) c->outputs[i] = find_tensor(r, c->name, "out", i);
}

/* --- comparing --- */

/* The case's node in these dtypes; with `widen`, the rounded floating-point inputs in F64. */
static op_test_node make_node(const recorded *r, const recorded_case *c, am_json dtypes, bool widen)
{
    op_test_node node = {.op = r->op, .attributes = c->attributes, .input_count = c->input_count};
    am_json_iterator d = am_json_iterate(dtypes);
    for (int i = 0; i < c->input_count; i++) {
        const am_tensor *from = &c->inputs[i];
        assert_true(am_json_next(&d));
        if (am_json_kind_of(d.value) != AM_JSON_STRING) continue;
        am_tensor rounded = op_test_tensor(dtype_of(d.value), from->shape);
        int64_t count = am_shape_count(&from->shape);
        am_convert(rounded.dtype, rounded.data, from->dtype, from->data, count);
        node.inputs[i] = rounded;
        if (!widen || !am_dtype_is_float(rounded.dtype)) continue;
        node.inputs[i] = op_test_tensor(AM_F64, from->shape);
        am_convert(AM_F64, node.inputs[i].data, rounded.dtype, rounded.data, count);
        op_test_free(&rounded, 1);
    }
    return node;
}

static bool is_half(const op_test_node *node)
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].data && am_dtype_is_float(node->inputs[i].dtype) &&
            am_dtype_bytes(node->inputs[i].dtype) < 4)
            return true;
    return false;
}

static void run_reference(const op_test_node *node, am_tensor *outputs, int count)
{
    am_graph *graph;
    am_test_expect_ok(op_test_graph(node, &graph));
    assert_int_equal(graph->output_count, count);
    am_test_expect_ok(op_test_run(graph, node, &(am_cpu_program_options){.reference_only = true}, outputs));
    am_graph_destroy(graph);
}

/* One rounding to the dtype of the result, after arithmetic in double. */
static double rounding(am_dtype dtype)
{
    return dtype == AM_F64 ? 1e-11 : dtype == AM_F32 ? 0x1p-23 : dtype == AM_F16 ? 0x1p-11 : 0x1p-8;
}

static void compare_output(const op_test_node *node, const am_tensor *expected, const am_tensor *found,
                           const char *name)
{
    double allowed = op_test_is_exact(node->op) ? 0 : rounding(found->dtype);
    double absolute = found->dtype == AM_F64   ? op_test_absolute(node->op, expected, allowed)
                      : found->dtype == AM_F16 ? 0x1p-24
                                               : 1e-11;
    assert_int_equal(am_dtype_is_float(expected->dtype), am_dtype_is_float(found->dtype));
    if (!am_dtype_is_float(found->dtype)) {
        op_test_expect_close(expected, found, 0, 0, name);
        return;
    }
    am_tensor rounded = op_test_tensor(found->dtype, expected->shape);
    am_convert(rounded.dtype, rounded.data, expected->dtype, expected->data, am_shape_count(&expected->shape));
    op_test_expect_close(&rounded, found, allowed, allowed > 0 ? absolute : 0, name);
    op_test_free(&rounded, 1);
}

static void compare(const recorded_case *c, const am_tensor *expected, const op_test_node *node)
{
    am_tensor found[OUTPUTS];
    run_reference(node, found, c->output_count);
    for (int i = 0; i < c->output_count; i++)
        compare_output(node, &expected[i], &found[i], am_test_format("%s.out%d", c->name, i));
    op_test_free(found, c->output_count);
}

static void check_variant(const recorded *r, const recorded_case *c, am_json dtypes)
{
    op_test_node node = make_node(r, c, dtypes, false);
    if (is_half(&node)) {
        am_tensor wide[OUTPUTS];
        op_test_node widened = make_node(r, c, dtypes, true);
        run_reference(&widened, wide, c->output_count);
        compare(c, wide, &node);
        op_test_free(wide, c->output_count);
        op_test_free(widened.inputs, widened.input_count);
    } else compare(c, c->outputs, &node);
    op_test_agree(&node);
    op_test_free(node.inputs, node.input_count);
}

static void check_op(const char *op_name)
{
    recorded r;
    int cases = 0;
    open_recorded(&r, op_name);
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(r.document), "cases")); am_json_next(&i);
         cases++) {
        recorded_case c;
        read_case(&r, i.value, &c);
        assert_true(am_json_count(am_json_get(i.value, "variants")) > 0);
        for (am_json_iterator v = am_json_iterate(am_json_get(i.value, "variants")); am_json_next(&v);)
            check_variant(&r, &c, v.value);
        am_arena_deinit(&c.arena);
    }
    assert_true(cases > 0);
    close_recorded(&r);
}

/* --- every fast kernel is among what the above compares --- */

static void mark_kernels(const op_test_node *node, bool *seen)
{
    am_graph *graph;
    am_cpu_program *program;
    am_test_expect_ok(op_test_graph(node, &graph));
    for (int rounds = 0; rounds < 2; rounds++) {
        am_test_expect_ok(am_cpu_program_create(graph, &(am_cpu_program_options){.allows_bf16 = rounds}, &program));
        for (int s = 0; s < am_cpu_program_step_count(program); s++)
            for (int k = 0; am_cpu_kernels[k]; k++)
                if (strcmp(am_cpu_program_step(program, s).kernel, am_cpu_kernels[k]->name) == 0) seen[k] = true;
        am_cpu_program_destroy(program);
    }
    am_graph_destroy(graph);
}

static void mark_op(const char *op_name, bool *seen)
{
    recorded r;
    open_recorded(&r, op_name);
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(r.document), "cases")); am_json_next(&i);) {
        recorded_case c;
        read_case(&r, i.value, &c);
        for (am_json_iterator v = am_json_iterate(am_json_get(i.value, "variants")); am_json_next(&v);) {
            op_test_node node = make_node(&r, &c, v.value, false);
            mark_kernels(&node, seen);
            op_test_free(node.inputs, node.input_count);
        }
        am_arena_deinit(&c.arena);
    }
    close_recorded(&r);
}

/* constant, input and loop cannot be recorded: test_constant.c, test_input.c, test_loop.c. */
static const char *const recorded_ops[] = {
    "random",         "iota",           "reshape",     "permute",
    "broadcast",      "slice",          "concat",      "pad",
    "cast",           "unary",          "binary",      "select",
    "reduce",         "arg_reduce",     "scan",        "sort",
    "top_k",          "search_sorted",  "matmul",      "grouped_matmul",
    "convolution",    "conv_transpose", "pool",        "unfold",
    "fold",           "resize",         "grid_sample", "fourier",
    "gather",         "scatter",        "linear",      "norm",
    "softmax",        "attention",      "rope",        "gated_activation",
    "expert_routing", "recurrence",     "embedding",   "quantized_linear",
};

static void ops_kernels__are_all_compared_with_recorded_values(void **state)
{
    bool seen[256] = {false};
    if (!am_micro_of(AM_ISA_ANY)) {
        print_message("no vector kernels in this build\n");
        skip();
    }
    for (size_t i = 0; i < sizeof recorded_ops / sizeof recorded_ops[0]; i++) mark_op(recorded_ops[i], seen);
    for (int k = 0; am_cpu_kernels[k]; k++)
        if (!seen[k] && am_cpu_kernels[k]->op != AM_OP_LOOP)
            fail_msg("no case of tests/ops/data runs %s", am_cpu_kernels[k]->name);
}

static void ops_quantized_linear__matches_recorded_values(void **state)
{
    check_op("quantized_linear");
}

static void ops_random__matches_recorded_values(void **state)
{
    check_op("random");
}

static void ops_iota__matches_recorded_values(void **state)
{
    check_op("iota");
}

static void ops_reshape__matches_recorded_values(void **state)
{
    check_op("reshape");
}

static void ops_permute__matches_recorded_values(void **state)
{
    check_op("permute");
}

static void ops_broadcast__matches_recorded_values(void **state)
{
    check_op("broadcast");
}

static void ops_slice__matches_recorded_values(void **state)
{
    check_op("slice");
}

static void ops_concat__matches_recorded_values(void **state)
{
    check_op("concat");
}

static void ops_pad__matches_recorded_values(void **state)
{
    check_op("pad");
}

static void ops_cast__matches_recorded_values(void **state)
{
    check_op("cast");
}

static void ops_unary__matches_recorded_values(void **state)
{
    check_op("unary");
}

static void ops_binary__matches_recorded_values(void **state)
{
    check_op("binary");
}

static void ops_select__matches_recorded_values(void **state)
{
    check_op("select");
}

static void ops_reduce__matches_recorded_values(void **state)
{
    check_op("reduce");
}

static void ops_arg_reduce__matches_recorded_values(void **state)
{
    check_op("arg_reduce");
}

static void ops_scan__matches_recorded_values(void **state)
{
    check_op("scan");
}

static void ops_sort__matches_recorded_values(void **state)
{
    check_op("sort");
}

static void ops_top_k__matches_recorded_values(void **state)
{
    check_op("top_k");
}

static void ops_search_sorted__matches_recorded_values(void **state)
{
    check_op("search_sorted");
}

static void ops_matmul__matches_recorded_values(void **state)
{
    check_op("matmul");
}

static void ops_grouped_matmul__matches_recorded_values(void **state)
{
    check_op("grouped_matmul");
}

static void ops_convolution__matches_recorded_values(void **state)
{
    check_op("convolution");
}

static void ops_conv_transpose__matches_recorded_values(void **state)
{
    check_op("conv_transpose");
}

static void ops_pool__matches_recorded_values(void **state)
{
    check_op("pool");
}

static void ops_unfold__matches_recorded_values(void **state)
{
    check_op("unfold");
}

static void ops_fold__matches_recorded_values(void **state)
{
    check_op("fold");
}

static void ops_resize__matches_recorded_values(void **state)
{
    check_op("resize");
}

static void ops_grid_sample__matches_recorded_values(void **state)
{
    check_op("grid_sample");
}

static void ops_fourier__matches_recorded_values(void **state)
{
    check_op("fourier");
}

static void ops_gather__matches_recorded_values(void **state)
{
    check_op("gather");
}

static void ops_scatter__matches_recorded_values(void **state)
{
    check_op("scatter");
}

static void ops_linear__matches_recorded_values(void **state)
{
    check_op("linear");
}

static void ops_norm__matches_recorded_values(void **state)
{
    check_op("norm");
}

static void ops_softmax__matches_recorded_values(void **state)
{
    check_op("softmax");
}

static void ops_attention__matches_recorded_values(void **state)
{
    check_op("attention");
}

static void ops_rope__matches_recorded_values(void **state)
{
    check_op("rope");
}

static void ops_gated_activation__matches_recorded_values(void **state)
{
    check_op("gated_activation");
}

static void ops_expert_routing__matches_recorded_values(void **state)
{
    check_op("expert_routing");
}

static void ops_recurrence__matches_recorded_values(void **state)
{
    check_op("recurrence");
}

static void ops_embedding__matches_recorded_values(void **state)
{
    check_op("embedding");
}
