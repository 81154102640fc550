#include "targets/openvino/program.h"

#include "base/memory.h"
#include "graph/ops.h"
#include "targets/openvino/compiled.h"
#include "targets/openvino/lower.h"

#include <stdio.h>
#include <string.h>

/* A stage that runs: its inputs are parameters in the order of the stage, outputs the same. */
typedef struct unit {
    am_ir ir; /* holds the constants that the lowering made; does not move */
    am_ov_compiled *compiled;
    ov_infer_request_t *request; /* null: the stage has nothing to compute */
    const void **bound;          /* by input: the memory that the request reads now */
    bool was_checked;            /* that outputs come where they are wanted */
} unit;

typedef struct program {
    const am_graph *graph;
    const am_openvino *ov;
    am_target_options options; /* with its device in `device` */
    char device[32];
    am_arena arena;
    am_ov_stages stages;
    unit *units;  /* by stage */
    void **data;  /* by value: where it lies in the present run; constants too */
    void **owned; /* by value: memory of what stages give */
    void **saved; /* by state: the rows that a run overwrote */
    size_t bytes;
} program;

static int element_type(am_dtype dtype)
{
    static const int types[AM_DTYPE_COUNT] = {
        [AM_F32] = OV_F32, [AM_F64] = OV_F64, [AM_F16] = OV_F16, [AM_BF16] = OV_BF16, [AM_I64] = OV_I64,
        [AM_I32] = OV_I32, [AM_I16] = OV_I16, [AM_I8] = OV_I8,   [AM_U8] = OV_U8,     [AM_BOOL] = OV_BOOLEAN};
    return types[dtype];
}

static size_t value_bytes(const program *p, am_value v)
{
    const am_value_info *info = am_graph_value(p->graph, v);
    return am_tensor_bytes(info->dtype, &info->shape);
}

/* A tensor over memory of ours. */
static am_status wrap(const am_openvino *ov, am_dtype dtype, const am_shape *shape, void *data, ov_tensor_t **out)
{
    am_shape dims = *shape;
    return am_openvino_check(
        ov, ov->ov_tensor_create_from_host_ptr(element_type(dtype), (ov_shape_t){dims.rank, dims.dims}, data, out),
        "tensor");
}

/* Tells the request where input i lies. */
static am_status set_input(const program *p, const unit *u, int i, am_dtype dtype, const am_shape *shape,
                           const void *data)
{
    ov_tensor_t *tensor = NULL;
    AM_TRY(wrap(p->ov, dtype, shape, (void *)(uintptr_t)data, &tensor));
    am_status status = am_openvino_check(
        p->ov, p->ov->ov_infer_request_set_input_tensor_by_index(u->request, (size_t)i, tensor), "input");
    p->ov->ov_tensor_free(tensor);
    return status;
}

/* --- compiling --- */

static am_status bind_output(program *p, unit *u, int i, am_value value)
{
    const am_value_info *info = am_graph_value(p->graph, value);
    size_t bytes = am_tensor_bytes(info->dtype, &info->shape);
    ov_tensor_t *tensor = NULL;
    p->data[value.id] = p->owned[value.id] = am_alloc_aligned(bytes);
    if (!p->owned[value.id]) return am_error(AM_OUT_OF_MEMORY, "no memory for an output of %zu bytes", bytes);
    p->bytes += bytes;
    AM_TRY(wrap(p->ov, info->dtype, &info->shape, p->owned[value.id], &tensor));
    am_status status = am_openvino_check(
        p->ov, p->ov->ov_infer_request_set_output_tensor_by_index(u->request, (size_t)i, tensor), "output");
    p->ov->ov_tensor_free(tensor);
    return status;
}

/* Constants that the model takes as parameters. Those of the stage come first, for they are the first layers. */
static am_status give_constants(program *p, unit *u)
{
    for (int i = 0, parameter = 0; i < u->ir.layer_count; i++) {
        const am_ir_layer *layer = &u->ir.layers[i];
        if (layer->is_given) AM_TRY(set_input(p, u, parameter, layer->dtype, &layer->shape, layer->data));
        parameter += am_ir_is_parameter(layer);
    }
    return NULL;
}

/* Where a program comes from: the graph, or what was written of it: for each stage with outputs a number of bytes (8,
   little endian), 56 zeros, the bytes, and zeros up to a multiple of 64. */
typedef struct source {
    const char *bytes; /* null: the graph */
    size_t length, at;
    bool for_file;
} source;

enum { FILE_ALIGNMENT = 64 };

static am_status next_part(source *from, const void **out, size_t *out_length)
{
    uint64_t length = 0;
    if (from->length - from->at < FILE_ALIGNMENT) return am_error(AM_INVALID_FILE, "openvino: a stage is missing");
    for (int i = 7; i >= 0; i--) length = length << 8 | (unsigned char)from->bytes[from->at + (size_t)i];
    from->at += FILE_ALIGNMENT;
    if (length > from->length - from->at)
        return am_error(AM_INVALID_FILE, "openvino: a stage of %llu bytes, %zu are left", (unsigned long long)length,
                        from->length - from->at);
    *out = from->bytes + from->at;
    *out_length = (size_t)length;
    from->at += (size_t)length;
    from->at += (FILE_ALIGNMENT - from->at % FILE_ALIGNMENT) % FILE_ALIGNMENT;
    if (from->at > from->length) from->at = from->length;
    return NULL;
}

static am_status find_model(program *p, unit *u, source *from)
{
    const char *device = p->options.device;
    const void *bytes;
    size_t length;
    if (from->for_file) return am_ov_compiled_alone(p->ov, &u->ir, device, &u->compiled);
    if (!from->bytes) return am_ov_compiled_get(p->ov, &u->ir, device, &u->compiled);
    AM_TRY(next_part(from, &bytes, &length));
    return am_ov_compiled_read(p->ov, device, bytes, length, &u->compiled);
}

static am_status create_unit(program *p, int number, source *from)
{
    const am_ov_stage *stage = &p->stages.items[number];
    unit *u = &p->units[number];
    if (!stage->output_count) return NULL;
    u->ir.for_file = from->for_file || from->bytes;
    AM_TRY(am_ov_lower(&u->ir, p->graph, &p->stages, number));
    AM_TRY(find_model(p, u, from));
    AM_TRY(am_openvino_check(
        p->ov, p->ov->ov_compiled_model_create_infer_request(am_ov_compiled_model(u->compiled), &u->request),
        "request"));
    u->bound = am_arena_array(&p->arena, (size_t)stage->input_count + 1, sizeof *u->bound);
    if (!u->bound) return am_out_of_memory();
    AM_TRY(give_constants(p, u));
    for (int i = 0; i < stage->output_count; i++) AM_TRY(bind_output(p, u, i, stage->outputs[i]));
    return NULL;
}

static am_status save_room(program *p)
{
    for (int i = 0; i < p->stages.count; i++)
        for (int k = 0; k < p->stages.items[i].write_count; k++) {
            const am_ov_write *write = &p->stages.items[i].writes[k];
            size_t bytes = value_bytes(p, write->scatter->inputs[2]);
            p->saved[write->state] = am_arena_alloc(&p->arena, bytes);
            if (!p->saved[write->state]) return am_out_of_memory();
            p->bytes += bytes;
        }
    return NULL;
}

static am_status create(program *p, const am_target_options *options, source *from)
{
    const am_graph *g = p->graph;
    size_t values = (size_t)g->value_count + 1;
    p->options = *options;
    if (options->device) snprintf(p->device, sizeof p->device, "%s", options->device);
    p->options.device = options->device ? p->device : NULL;
    AM_TRY(am_openvino_open(options->allow_untested, &p->ov));
    AM_TRY(am_ov_find_stages(g, &p->arena, &p->stages));
    p->units = am_arena_array(&p->arena, (size_t)p->stages.count, sizeof *p->units);
    p->data = am_arena_array(&p->arena, values, sizeof *p->data);
    p->owned = am_arena_array(&p->arena, values, sizeof *p->owned);
    p->saved = am_arena_array(&p->arena, (size_t)g->state_count + 1, sizeof *p->saved);
    if (!p->units || !p->data || !p->owned || !p->saved) return am_out_of_memory();
    for (int i = 0; i < g->node_count; i++)
        if (g->nodes[i].op == AM_OP_CONSTANT)
            p->data[g->nodes[i].first_output.id] =
                (void *)(uintptr_t)((const am_constant_attributes *)g->nodes[i].attributes)->data;
    for (int i = 0; i < p->stages.count; i++) AM_TRY(create_unit(p, i, from));
    return save_room(p);
}

static am_status open_program(const am_graph *graph, const am_target_options *options, source *from, void **out)
{
    *out = NULL;
    program *p = am_alloc_zeroed(1, sizeof *p);
    if (!p) return am_out_of_memory();
    p->graph = graph;
    am_status status = create(p, options, from);
    if (status) am_ov_destroy(p);
    else *out = p;
    return status;
}

am_status am_ov_create(const am_graph *graph, const am_target_options *options, void **out)
{
    return open_program(graph, options, &(source){0}, out);
}

am_status am_ov_import(const am_graph *graph, const am_target_options *options, const void *bytes, size_t length,
                       void **out)
{
    return open_program(graph, options, &(source){.bytes = bytes, .length = length}, out);
}

static am_status write_part(const unit *u, am_buffer *out)
{
    static const char zeros[FILE_ALIGNMENT] = {0};
    size_t head = out->length;
    am_buffer_append(out, zeros, FILE_ALIGNMENT);
    AM_TRY(am_ov_compiled_write(u->compiled, out));
    uint64_t length = out->length - head - FILE_ALIGNMENT;
    while (out->length % FILE_ALIGNMENT != head % FILE_ALIGNMENT) am_buffer_append_char(out, 0);
    AM_TRY(am_buffer_status(out));
    for (size_t i = 0; i < 8; i++) out->bytes[head + i] = (char)(length >> (8 * i) & 255);
    return NULL;
}

/* Compiled anew, for a file. */
am_status am_ov_write_program(const void *context, am_buffer *out)
{
    const program *p = context;
    void *made;
    AM_TRY(open_program(p->graph, &p->options, &(source){.for_file = true}, &made));
    const program *for_file = made;
    am_status status = NULL;
    for (int i = 0; i < for_file->stages.count && !status; i++)
        if (for_file->units[i].compiled) status = write_part(&for_file->units[i], out);
    am_ov_destroy(made);
    return status;
}

const am_graph *am_ov_graph(const void *context)
{
    return ((const program *)context)->graph;
}

const am_target_options *am_ov_options(const void *context)
{
    return &((const program *)context)->options;
}

void am_ov_destroy(void *context)
{
    program *p = context;
    if (!p) return;
    for (int i = 0; p->units && i < p->stages.count; i++) {
        unit *u = &p->units[i];
        if (u->request) p->ov->ov_infer_request_free(u->request);
        am_ov_compiled_release(u->compiled, &u->ir);
        am_ir_deinit(&u->ir);
    }
    for (int v = 0; p->owned && v < p->graph->value_count; v++) am_free_aligned(p->owned[v]);
    am_arena_deinit(&p->arena);
    am_free(p);
}

/* --- rows of states --- */

/* The rows of a write as memory: `outer` blocks, each of `places` rows in the state, `count` of which are set. */
typedef struct rows {
    const am_value_info *index;
    const void *at;
    int64_t outer, places, count;
    size_t bytes;
    char *state, *updates;
} rows;

static rows rows_of(const program *p, const am_ov_write *write, void *const *states)
{
    const am_node *node = write->scatter;
    const am_shape *shape = &am_node_in(p->graph, node, 0)->shape;
    int64_t axis = ((const am_scatter_attributes *)node->attributes)->axis;
    rows r = {.index = am_node_in(p->graph, node, 1),
              .at = p->data[node->inputs[1].id],
              .outer = 1,
              .places = shape->dims[axis],
              .count = am_node_in(p->graph, node, 2)->shape.dims[axis],
              .bytes = am_dtype_bytes(am_node_in(p->graph, node, 0)->dtype),
              .state = states[write->state],
              .updates = p->data[node->inputs[2].id]};
    for (int64_t i = 0; i < axis; i++) r.outer *= shape->dims[i];
    for (int64_t i = axis + 1; i < shape->rank; i++) r.bytes *= (size_t)shape->dims[i];
    return r;
}

static am_status check_rows(const rows *r, const am_node *node)
{
    for (int64_t i = 0; i < r->count; i++) {
        int64_t place = am_load_int(r->index->dtype, r->at, i);
        if (place >= 0 && place < r->places) continue;
        return am_error(AM_OUT_OF_RANGE, "%s: scatter: index %lld at place %lld is not in [0, %lld)", node->name,
                        (long long)place, (long long)i, (long long)r->places);
    }
    return NULL;
}

static void each_row(const rows *r, char *list, bool to_state)
{
    for (int64_t o = 0; o < r->outer; o++)
        for (int64_t k = 0; k < r->count; k++) {
            char *row = r->state + (size_t)(o * r->places + am_load_int(r->index->dtype, r->at, k)) * r->bytes;
            char *entry = list + (size_t)(o * r->count + k) * r->bytes;
            memcpy(to_state ? row : entry, to_state ? entry : row, r->bytes);
        }
}

static am_status write_rows(program *p, int stage, void *const *states)
{
    const am_ov_stage *s = &p->stages.items[stage];
    for (int i = 0; i < s->write_count; i++) {
        rows r = rows_of(p, &s->writes[i], states);
        AM_TRY(check_rows(&r, s->writes[i].scatter));
    }
    for (int i = 0; i < s->write_count; i++) {
        rows r = rows_of(p, &s->writes[i], states);
        each_row(&r, p->saved[s->writes[i].state], false);
        each_row(&r, r.updates, true);
    }
    return NULL;
}

static void undo_rows(program *p, int stage, void *const *states)
{
    const am_ov_stage *s = &p->stages.items[stage];
    for (int i = 0; i < s->write_count; i++) {
        rows r = rows_of(p, &s->writes[i], states);
        each_row(&r, p->saved[s->writes[i].state], true);
    }
}

/* --- running --- */

static void find_ends(program *p, const am_tensor *inputs, void *const *states)
{
    const am_graph *g = p->graph;
    for (int i = 0; i < g->input_count; i++) p->data[g->inputs[i].value.id] = inputs[i].data;
    for (int i = 0; i < g->state_count; i++) {
        p->data[g->states[i].value.id] = states[i];
        if (p->stages.is_written[i]) p->data[g->states[i].updated.id] = states[i];
    }
}

static bool has_dims(const ov_shape_t *found, const am_shape *wanted)
{
    bool same = found->rank == wanted->rank;
    for (int i = 0; i < wanted->rank && same; i++) same = found->dims[i] == wanted->dims[i];
    return same;
}

/* What a model computed must have the graph's sizes and be in the graph's memory, also where OpenVINO hands on an input
   as it is and names the input's place. */
static am_status check_outputs(const program *p, unit *u, const am_ov_stage *stage)
{
    am_status status = NULL;
    for (int i = 0; i < stage->output_count && !status; i++) {
        const am_value_info *info = am_graph_value(p->graph, stage->outputs[i]);
        ov_tensor_t *tensor = NULL;
        ov_shape_t shape = {0};
        void *data = NULL;
        AM_TRY(am_openvino_check(
            p->ov, p->ov->ov_infer_request_get_output_tensor_by_index(u->request, (size_t)i, &tensor), "output"));
        if (info->shape.rank) /* of none, OpenVINO gives an error */
            status = am_openvino_check(p->ov, p->ov->ov_tensor_get_shape(tensor, &shape), "shape");
        if (!status) status = am_openvino_check(p->ov, p->ov->ov_tensor_data(tensor, &data), "data");
        const void *ours = p->owned[stage->outputs[i].id];
        bool same = !status && has_dims(&shape, &info->shape) &&
                    (data == ours || memcmp(data, ours, am_tensor_bytes(info->dtype, &info->shape)) == 0);
        if (!status && !same) status = am_error(AM_INTERNAL, "openvino: output %d is not what was asked for", i);
        if (shape.dims) p->ov->ov_shape_free(&shape);
        p->ov->ov_tensor_free(tensor);
    }
    u->was_checked = !status;
    return status;
}

static am_status run_unit(program *p, int number)
{
    const am_ov_stage *stage = &p->stages.items[number];
    unit *u = &p->units[number];
    if (!u->request) return NULL;
    for (int i = 0; i < stage->input_count; i++) {
        am_value v = stage->inputs[i];
        const am_value_info *info = am_graph_value(p->graph, v);
        if (u->bound[i] == p->data[v.id]) continue;
        AM_TRY(set_input(p, u, i, info->dtype, &info->shape, p->data[v.id]));
        u->bound[i] = p->data[v.id];
    }
    AM_TRY(am_openvino_check(p->ov, p->ov->ov_infer_request_infer(u->request), "running"));
    return u->was_checked ? NULL : check_outputs(p, u, stage);
}

am_status am_ov_run(void *context, const am_tensor *inputs, void *const *states)
{
    program *p = context;
    const am_graph *g = p->graph;
    am_status status = NULL;
    int written = 0;
    find_ends(p, inputs, states);
    for (int i = 0; i < p->stages.count && !status; i++) {
        status = run_unit(p, i);
        if (!status) status = write_rows(p, i, states);
        written += !status;
    }
    for (int i = written - 1; i >= 0 && status; i--) undo_rows(p, i, states);
    for (int i = 0; i < g->state_count && !status; i++)
        if (!p->stages.is_written[i]) {
            am_value updated = g->states[i].updated;
            memcpy(states[i], p->data[updated.id], value_bytes(p, updated));
        }
    return status;
}

am_tensor am_ov_output(const void *context, int i)
{
    const program *p = context;
    am_value v = p->graph->outputs[i].value;
    const am_value_info *info = am_graph_value(p->graph, v);
    return (am_tensor){info->dtype, info->shape, p->data[v.id]};
}

size_t am_ov_bytes(const void *context)
{
    return ((const program *)context)->bytes;
}

const char *am_ov_kernel(const void *context, const am_node *node)
{
    const program *p = context;
    int stage = p->stages.stage_of[node - p->graph->nodes];
    if (node->op == AM_OP_SCATTER && stage < 0) return "rows_in_place";
    if (stage < 0 || !p->units[stage].compiled) return "";
    return am_ov_compiled_is_shared(p->units[stage].compiled) ? "openvino_of_any_size" : "openvino";
}
