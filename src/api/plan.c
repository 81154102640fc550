#include "api/example_inputs.h"
#include "api/graph_work.h"
#include "api/json_writer.h"
#include "api/model_internal.h"

/* --- nodes --- */

static void put_value(am_buffer *out, const char *name, const am_value_info *info)
{
    am_put_open(out, NULL, '{');
    if (name) am_put_text(out, "name", name);
    am_put_text(out, "dtype", am_dtype_name(info->dtype));
    am_put_shape(out, "shape", &info->shape);
    am_put_close(out, '}');
}

static void put_node(am_buffer *out, const am_graph *graph, const am_node *node, const char *kernel)
{
    am_put_open(out, NULL, '{');
    am_put_text(out, "op", am_op_of(node->op)->name);
    am_put_text(out, "name", node->name);
    am_put_open(out, "outputs", '[');
    for (int i = 0; i < node->output_count; i++)
        put_value(out, NULL, am_graph_value(graph, (am_value){node->first_output.id + i}));
    am_put_close(out, ']');
    am_put_text(out, "kernel", kernel);
    am_put_text(out, "target", "cpu");
    am_put_close(out, '}');
}

/* Steps keep the order of nodes; a node that is no step (constants, inputs, views, what was computed
 * beforehand) has no kernel. */
static void put_nodes(am_buffer *out, const am_graph *graph, const am_cpu_program *program)
{
    int step = 0, steps = am_cpu_program_step_count(program);
    am_put_open(out, "nodes", '[');
    for (int i = 0; i < graph->node_count; i++) {
        const char *kernel = "";
        if (step < steps && am_cpu_program_step(program, step).node == &graph->nodes[i])
            kernel = am_cpu_program_step(program, step++).kernel;
        put_node(out, graph, &graph->nodes[i], kernel);
    }
    am_put_close(out, ']');
}

static void put_ends(am_buffer *out, const char *name, const am_graph *graph, const am_named_value *values, int count)
{
    am_put_open(out, name, '[');
    for (int i = 0; i < count; i++) put_value(out, values[i].name, am_graph_value(graph, values[i].value));
    am_put_close(out, ']');
}

static void put_totals(am_buffer *out, const am_graph *graph, const am_cpu_program *program, am_graph_work work)
{
    am_put_open(out, "totals", '{');
    am_put_integer(out, "nodes", graph->node_count);
    am_put_integer(out, "steps", am_cpu_program_step_count(program));
    am_put_integer(out, "memory_bytes", (int64_t)am_cpu_program_bytes(program));
    am_put_real(out, "gflop", work.flops * 1e-9);
    am_put_integer(out, "weight_bytes_read", (int64_t)work.weight_bytes);
    am_put_close(out, '}');
}

am_status am_model_plan(am_model *model, const char *shapes, char **out_json)
{
    am_example_inputs inputs;
    am_graph_work work;
    am_session *session = model->pipeline->session;
    am_buffer out = {0};
    *out_json = NULL;
    AM_TRY(
        am_example_inputs_choose(model->pipeline->model, shapes, am_pipeline_context_length(model->pipeline), &inputs));
    AM_TRY(am_session_prepare(session, inputs.items, inputs.count, NULL));
    const am_graph *graph = am_session_graph(session);
    const am_cpu_program *program = am_session_program(session);
    AM_TRY(am_graph_work_count(graph, program, &work));
    am_put_open(&out, NULL, '{');
    am_put_text(&out, "architecture", am_model_architecture(model));
    am_put_text(&out, "target", "cpu");
    put_ends(&out, "inputs", graph, graph->inputs, graph->input_count);
    put_ends(&out, "outputs", graph, graph->outputs, graph->output_count);
    put_nodes(&out, graph, program);
    put_totals(&out, graph, program, work);
    am_put_close(&out, '}');
    return am_put_finish(&out, NULL, out_json);
}
