#include "op_target.h"

#include "targets/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const am_target *wanted_target(void)
{
    const char *name = getenv("ANYMODEL_TEST_TARGET");
    const am_target *target = name ? am_target_find(name, strlen(name)) : NULL;
    if (name && (!target || !target->supports)) fail_msg("no target %s runs graphs", name);
    return target;
}

bool op_target_is_wanted(void)
{
    return wanted_target() != NULL;
}

static const am_node *find_node(const am_graph *graph, am_op_kind op)
{
    for (int i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].op == op) return &graph->nodes[i];
    return NULL;
}

/* --- comparing without ending the test --- */

static double tolerance_of(const op_test_node *node, const am_tensor *expected)
{
    return op_test_is_exact(node->op) || !am_dtype_is_float(expected->dtype) ? 0 : 2e-5;
}

static bool is_close(double expected, double found, double allowed)
{
    if (isnan(expected) || isnan(found)) return isnan(expected) && isnan(found);
    if (isinf(expected) || isinf(found)) return expected == found;
    return fabs(expected - found) <= allowed;
}

static bool compare(const op_test_node *node, const am_tensor *expected, const am_tensor *found, int output,
                    am_reason *why)
{
    double relative = tolerance_of(node, expected), absolute = op_test_absolute(node->op, expected, relative);
    if (expected->dtype != found->dtype || !am_shape_equal(&expected->shape, &found->shape))
        return am_reason_no(why, "output %d has another dtype or shape", output);
    for (int64_t i = 0, count = am_shape_count(&expected->shape); i < count; i++) {
        double e = am_load_real(expected->dtype, expected->data, i), f = am_load_real(found->dtype, found->data, i);
        if (!is_close(e, f, isfinite(e) ? relative * fabs(e) + absolute : 0))
            return am_reason_no(why, "output %d, element %lld is %.9g, expected %.9g", output, (long long)i, f, e);
    }
    return true;
}

static bool run(const am_target *target, const am_graph *graph, const op_test_node *node, const am_tensor *expected,
                am_reason *why)
{
    am_program *program;
    am_tensor inputs[OP_TEST_INPUTS];
    int count = 0;
    const am_target_choice choice = {.picks = {{.target = target}}, .count = 1, .policy = AM_TARGET_REQUIRE};
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].data) inputs[count++] = node->inputs[i];
    am_status status = am_program_create(graph, &choice, NULL, &program);
    bool right = !status;
    if (!status) status = am_program_run(program, inputs, NULL);
    for (int i = 0; right && !status && i < graph->output_count; i++) {
        am_tensor found = am_program_output(program, i);
        right = compare(node, &expected[i], &found, i, why);
    }
    if (status) right = am_reason_no(why, "%s", am_status_message(status));
    am_status_free(status);
    am_program_destroy(program);
    return right;
}

/* --- reporting --- */

/* One line, whatever is in the texts. */
static void put_text(FILE *file, const char *text, char end)
{
    for (; *text; text++) fputc(*text == '\t' || *text == '\n' ? ' ' : *text, file);
    fputc(end, file);
}

static void report(const op_test_node *node, const am_graph *graph, const char *verdict, const am_reason *why)
{
    const char *path = getenv("ANYMODEL_TEST_REPORT");
    am_buffer text = {0};
    FILE *file = path ? fopen(path, "ae") : NULL;
    if (!file) fail_msg("ANYMODEL_TEST_REPORT cannot be written");
    for (int i = 0; i < graph->input_count; i++) {
        char shape[AM_SHAPE_TEXT];
        const am_value_info *info = am_graph_value(graph, graph->inputs[i].value);
        am_buffer_printf(&text, "%s%s ", am_dtype_name(info->dtype), am_shape_text(&info->shape, shape));
    }
    am_graph_print_node(graph, find_node(graph, node->op), &text);
    put_text(file, am_op_of(node->op)->name, '\t');
    put_text(file, verdict, '\t');
    put_text(file, why->text, '\t');
    put_text(file, am_buffer_text(&text), '\n');
    fclose(file);
    am_buffer_deinit(&text);
}

void op_target_try(const am_graph *graph, const op_test_node *node, const am_tensor *expected)
{
    const am_target *target = wanted_target();
    const am_node *in_graph = find_node(graph, node->op);
    am_reason why = {0};
    if (!in_graph) return;
    if (!target->supports(graph, in_graph, &why)) report(node, graph, "elsewhere", &why);
    else if (run(target, graph, node, expected, &why)) report(node, graph, "native", &why);
    else report(node, graph, "wrong", &why);
}
