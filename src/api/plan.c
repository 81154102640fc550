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

static void put_node(am_buffer *out, const am_graph *graph, const am_node *node, const char *kernel, const char *target)
{
    am_put_open(out, NULL, '{');
    am_put_text(out, "op", am_op_of(node->op)->name);
    am_put_text(out, "name", node->name);
    am_put_open(out, "outputs", '[');
    for (int i = 0; i < node->output_count; i++)
        put_value(out, NULL, am_graph_value(graph, (am_value){node->first_output.id + i}));
    am_put_close(out, ']');
    am_put_text(out, "kernel", kernel);
    am_put_text(out, "target", target);
    am_put_close(out, '}');
}

static bool is_source(const am_node *node)
{
    return node->op == AM_OP_INPUT || node->op == AM_OP_CONSTANT;
}

/* Where several pieces repeat inputs and constants, those are left out. */
static bool is_listed(const am_plan *plan, const am_node *node)
{
    return !plan->cut || !is_source(node);
}

/* A node that is computed in no run (constants, inputs, views, what was computed beforehand) has no kernel. */
static void put_nodes(am_buffer *out, const am_program *program)
{
    const am_plan *plan = am_program_plan(program);
    am_put_open(out, "nodes", '[');
    for (int p = 0; p < plan->piece_count; p++) {
        const am_graph *graph = am_program_piece_graph(program, p);
        for (int i = 0; i < graph->node_count; i++)
            if (is_listed(plan, &graph->nodes[i]))
                put_node(out, graph, &graph->nodes[i], am_program_kernel(program, p, &graph->nodes[i]),
                         am_program_piece_target(program, p)->name);
    }
    am_put_close(out, ']');
}

static void put_pieces(am_buffer *out, const am_program *program)
{
    const am_plan *plan = am_program_plan(program);
    am_put_open(out, "pieces", '[');
    for (int p = 0; p < plan->piece_count; p++) {
        const am_piece *piece = &plan->pieces[p];
        am_put_open(out, NULL, '{');
        am_put_integer(out, "piece", p);
        am_put_text(out, "target", am_program_piece_target(program, p)->name);
        am_put_integer(out, "nodes", piece->node_count);
        am_put_integer(out, "in_bytes", (int64_t)piece->bytes_in);
        am_put_integer(out, "out_bytes", (int64_t)piece->bytes_out);
        am_put_close(out, '}');
    }
    am_put_close(out, ']');
}

/* Every node that is not on the first target of the line, and why. */
static void put_elsewhere(am_buffer *out, const am_program *program)
{
    const am_plan *plan = am_program_plan(program);
    am_put_open(out, "elsewhere", '[');
    for (int i = 0; plan->cut && i < plan->cut->node_count; i++) {
        if (plan->piece_of[i] < 0 || !plan->reasons[i]) continue;
        am_put_open(out, NULL, '{');
        am_put_text(out, "op", am_op_of(plan->cut->nodes[i].op)->name);
        am_put_text(out, "name", plan->cut->nodes[i].name);
        am_put_text(out, "target", am_program_piece_target(program, plan->piece_of[i])->name);
        am_put_text(out, "reason", plan->reasons[i]);
        am_put_close(out, '}');
    }
    am_put_close(out, ']');
}

static void put_ends(am_buffer *out, const char *name, const am_graph *graph, const am_named_value *values, int count)
{
    am_put_open(out, name, '[');
    for (int i = 0; i < count; i++) put_value(out, values[i].name, am_graph_value(graph, values[i].value));
    am_put_close(out, ']');
}

static void count_nodes(const am_program *program, int64_t *nodes, int64_t *steps)
{
    const am_plan *plan = am_program_plan(program);
    *nodes = *steps = 0;
    for (int p = 0; p < plan->piece_count; p++) {
        const am_graph *graph = am_program_piece_graph(program, p);
        bool tells = am_program_piece_target(program, p)->kernel != NULL;
        for (int i = 0; i < graph->node_count; i++) {
            if (!is_listed(plan, &graph->nodes[i])) continue;
            ++*nodes;
            *steps += !tells || am_program_kernel(program, p, &graph->nodes[i])[0];
        }
    }
}

static void put_totals(am_buffer *out, const am_program *program, am_graph_work work)
{
    int64_t nodes, steps, computed = 0, native = 0;
    count_nodes(program, &nodes, &steps);
    am_program_count(program, &computed, &native);
    am_put_open(out, "totals", '{');
    am_put_integer(out, "nodes", nodes);
    am_put_integer(out, "steps", steps);
    if (am_program_plan(program)->cut) am_put_integer(out, "native_nodes", native);
    am_put_integer(out, "memory_bytes", (int64_t)am_program_bytes(program));
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
    AM_TRY(am_session_plan(session, inputs.items, inputs.count, NULL));
    const am_graph *graph = am_session_graph(session);
    am_program *program = am_session_program(session);
    const am_target_choice *choice = &am_program_plan(program)->choice;
    AM_TRY(am_graph_work_count(program, &work));
    am_put_open(&out, NULL, '{');
    am_put_text(&out, "architecture", am_model_architecture(model));
    am_put_text(&out, "target", choice->picks[0].target->name);
    am_put_text(&out, "target_policy",
                am_target_policy_name(am_program_state(program) ? AM_TARGET_AUTO : choice->policy));
    if (am_program_state(program)) am_put_text(&out, "auto", am_program_state(program));
    put_ends(&out, "inputs", graph, graph->inputs, graph->input_count);
    put_ends(&out, "outputs", graph, graph->outputs, graph->output_count);
    put_nodes(&out, program);
    put_pieces(&out, program);
    put_elsewhere(&out, program);
    put_totals(&out, program, work);
    am_put_close(&out, '}');
    return am_put_finish(&out, NULL, out_json);
}

const char *am_model_auto_state(am_model *model)
{
    am_program *program = am_session_program(model->pipeline->session);
    return program ? am_program_state(program) : NULL;
}
