#include "targets/openvino/program.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/threads.h"
#include "targets/openvino/lower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct program {
    const am_graph *graph;
    const am_openvino *ov;
    am_target_options options; /* with its device in `device` */
    char device[32];
    am_ir ir; /* holds the constants that the lowering made */
    ov_compiled_model_t *compiled;
    ov_infer_request_t *request;
    int input_count;    /* of the model: the graph's inputs, then its states */
    const void **bound; /* by input: the memory that the request reads now */
    int output_count;   /* the graph's outputs, then updated states */
    am_tensor *outputs; /* memory is owned */
    size_t bytes;
} program;

static int element_type(am_dtype dtype)
{
    return dtype == AM_F32 ? OV_F32 : dtype == AM_I32 ? OV_I32 : OV_BOOLEAN;
}

/* A tensor over memory of ours. */
static am_status wrap(const am_openvino *ov, am_dtype dtype, const am_shape *shape, void *data, ov_tensor_t **out)
{
    am_shape dims = *shape;
    return am_openvino_check(
        ov, ov->ov_tensor_create_from_host_ptr(element_type(dtype), (ov_shape_t){dims.rank, dims.dims}, data, out),
        "tensor");
}

/* --- compiling --- */

/* The reader gets the address space as its file of weights: constants are read where they lie. */
static am_status read_model(program *p, ov_model_t **out)
{
    const am_openvino *ov = p->ov;
    am_buffer text = {0};
    ov_tensor_t *weights = NULL;
    int64_t size = INT64_C(1) << 47;
    am_status status = am_ov_lower(&p->ir, p->graph);
    if (!status) status = am_ir_finish(&p->ir, &text);
    if (!status)
        status = am_openvino_check(
            ov, ov->ov_tensor_create_from_host_ptr(OV_U8, (ov_shape_t){1, &size}, (void *)AM_IR_BASE, &weights),
            "weights");
    if (!status)
        status = am_openvino_check(
            ov, ov->ov_core_read_model_from_memory_buffer(ov->core, am_buffer_text(&text), text.length, weights, out),
            "reading the graph");
    if (weights) ov->ov_tensor_free(weights);
    am_buffer_deinit(&text);
    return status;
}

enum { PROPERTIES = 5, DEVICE_PROPERTIES = 2 };

/* How models are compiled: the first DEVICE_PROPERTIES on every device, all on the cpu. */
static void list_properties(char threads[16], ov_property_t out[PROPERTIES])
{
    snprintf(threads, 16, "%d", am_threads_count());
    out[0] = (ov_property_t){"INFERENCE_PRECISION_HINT", "f32"};
    out[1] = (ov_property_t){"PERFORMANCE_HINT", "LATENCY"};
    out[2] = (ov_property_t){"NUM_STREAMS", "1"};
    out[3] = (ov_property_t){"INFERENCE_NUM_THREADS", threads};
    out[4] = (ov_property_t){"ENABLE_CPU_PINNING", "NO"};
}

static size_t property_count(const char *device)
{
    return !device || strcmp(device, "CPU") == 0 ? PROPERTIES : DEVICE_PROPERTIES;
}

static am_status compile_model(program *p, const ov_model_t *model, const char *device)
{
    char threads[16];
    ov_property_t properties[PROPERTIES];
    list_properties(threads, properties);
    return am_openvino_check(p->ov,
                             p->ov->ov_core_compile_model_props(p->ov->core, model, device ? device : "CPU",
                                                                property_count(device), properties, &p->compiled),
                             "compiling");
}

static am_status bind_output(program *p, int i, am_value value)
{
    const am_value_info *info = am_graph_value(p->graph, value);
    size_t bytes = am_tensor_bytes(info->dtype, &info->shape);
    ov_tensor_t *tensor = NULL;
    p->outputs[i] = (am_tensor){info->dtype, info->shape, am_alloc_aligned(bytes)};
    if (!p->outputs[i].data) return am_error(AM_OUT_OF_MEMORY, "no memory for an output of %zu bytes", bytes);
    p->bytes += bytes;
    AM_TRY(wrap(p->ov, info->dtype, &info->shape, p->outputs[i].data, &tensor));
    am_status status = am_openvino_check(
        p->ov, p->ov->ov_infer_request_set_output_tensor_by_index(p->request, (size_t)i, tensor), "output");
    p->ov->ov_tensor_free(tensor);
    return status;
}

static am_status bind_outputs(program *p)
{
    const am_graph *g = p->graph;
    p->output_count = g->output_count + g->state_count;
    p->input_count = g->input_count + g->state_count;
    p->outputs = am_arena_array(&p->ir.arena, (size_t)p->output_count + 1, sizeof *p->outputs);
    p->bound = am_arena_array(&p->ir.arena, (size_t)p->input_count + 1, sizeof *p->bound);
    if (!p->outputs || !p->bound) return am_out_of_memory();
    for (int i = 0; i < g->output_count; i++) AM_TRY(bind_output(p, i, g->outputs[i].value));
    for (int i = 0; i < g->state_count; i++) AM_TRY(bind_output(p, g->output_count + i, g->states[i].updated));
    return NULL;
}

static am_status make_request(program *p)
{
    AM_TRY(
        am_openvino_check(p->ov, p->ov->ov_compiled_model_create_infer_request(p->compiled, &p->request), "request"));
    return bind_outputs(p);
}

static am_status compile(program *p, const am_target_options *options)
{
    ov_model_t *model = NULL;
    am_status status = read_model(p, &model);
    if (!status) status = compile_model(p, model, options->device);
    if (model) p->ov->ov_model_free(model);
    return status;
}

/* Properties are those of the device then: reading takes none. */
static am_status read_compiled(program *p, const am_target_options *options, const void *bytes, size_t length)
{
    const char *device = options->device ? options->device : "CPU";
    char threads[16];
    ov_property_t properties[PROPERTIES];
    list_properties(threads, properties);
    for (size_t i = 0; i < property_count(device); i++)
        AM_TRY(am_openvino_check(
            p->ov, p->ov->ov_core_set_property(p->ov->core, device, properties[i].key, properties[i].value),
            properties[i].key));
    return am_openvino_check(p->ov, p->ov->ov_core_import_model(p->ov->core, bytes, length, device, &p->compiled),
                             "opening what was compiled");
}

/* Where a program comes from: the graph, or what was compiled of it before. */
typedef struct source {
    const void *bytes; /* null: the graph */
    size_t length;
    bool for_file;
} source;

static am_status make(program *p, const am_target_options *options, const source *from)
{
    p->options = *options;
    p->ir.for_file = from->for_file;
    if (options->device) snprintf(p->device, sizeof p->device, "%s", options->device);
    p->options.device = options->device ? p->device : NULL;
    AM_TRY(am_openvino_open(options->allow_untested, &p->ov));
    AM_TRY(from->bytes ? read_compiled(p, options, from->bytes, from->length) : compile(p, options));
    return make_request(p);
}

static am_status open_program(const am_graph *graph, const am_target_options *options, const source *from, void **out)
{
    *out = NULL;
    program *p = am_alloc_zeroed(1, sizeof *p);
    if (!p) return am_out_of_memory();
    p->graph = graph;
    am_status status = make(p, options, from);
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
    return open_program(graph, options, &(source){bytes, length, false}, out);
}

/* --- what was compiled before --- */

/* OpenVINO writes files only. */
static am_status write_file(const program *p, am_buffer *out)
{
    const char *temporary = getenv("TMPDIR");
    char path[PATH_MAX], *bytes = NULL;
    size_t length = 0;
    snprintf(path, sizeof path, "%s/anymodel-openvino-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    int fd = mkstemp(path);
    if (fd < 0) return am_error_from_errno("create a temporary file", path);
    close(fd);
    am_status status =
        am_openvino_check(p->ov, p->ov->ov_compiled_model_export_model(p->compiled, path), "writing what was compiled");
    if (!status) status = am_file_read(path, SIZE_MAX, &bytes, &length);
    unlink(path);
    am_buffer_append(out, bytes, length);
    am_free(bytes);
    return status ? status : am_buffer_status(out);
}

/* Compiled anew, for a file. What is written holds the weights too. */
am_status am_ov_write(const void *context, am_buffer *out)
{
    const program *p = context;
    void *made;
    AM_TRY(open_program(p->graph, &p->options, &(source){.for_file = true}, &made));
    am_status status = write_file(made, out);
    am_ov_destroy(made);
    return status;
}

void am_ov_destroy(void *context)
{
    program *p = context;
    if (!p) return;
    if (p->request) p->ov->ov_infer_request_free(p->request);
    if (p->compiled) p->ov->ov_compiled_model_free(p->compiled);
    for (int i = 0; p->outputs && i < p->output_count; i++) am_free_aligned(p->outputs[i].data);
    am_ir_deinit(&p->ir);
    am_free(p);
}

/* --- running --- */

/* Tells the request where an input lies, if that is elsewhere than in the last run. */
static am_status bind_input(program *p, int i, am_value value, const void *data)
{
    const am_value_info *info = am_graph_value(p->graph, value);
    ov_tensor_t *tensor = NULL;
    if (p->bound[i] == data) return NULL;
    AM_TRY(wrap(p->ov, info->dtype, &info->shape, (void *)(uintptr_t)data, &tensor));
    am_status status = am_openvino_check(
        p->ov, p->ov->ov_infer_request_set_input_tensor_by_index(p->request, (size_t)i, tensor), "input");
    p->ov->ov_tensor_free(tensor);
    if (!status) p->bound[i] = data;
    return status;
}

am_status am_ov_run(void *context, const am_tensor *inputs, void *const *states)
{
    program *p = context;
    const am_graph *g = p->graph;
    for (int i = 0; i < g->input_count; i++) AM_TRY(bind_input(p, i, g->inputs[i].value, inputs[i].data));
    for (int i = 0; i < g->state_count; i++) AM_TRY(bind_input(p, g->input_count + i, g->states[i].value, states[i]));
    AM_TRY(am_openvino_check(p->ov, p->ov->ov_infer_request_infer(p->request), "running"));
    for (int i = 0; i < g->state_count; i++) {
        const am_tensor *updated = &p->outputs[g->output_count + i];
        memcpy(states[i], updated->data, am_tensor_bytes(updated->dtype, &updated->shape));
    }
    return NULL;
}

am_tensor am_ov_output(const void *context, int i)
{
    return ((const program *)context)->outputs[i];
}

size_t am_ov_bytes(const void *context)
{
    return ((const program *)context)->bytes;
}

const am_graph *am_ov_graph(const void *context)
{
    return ((const program *)context)->graph;
}

const am_target_options *am_ov_options(const void *context)
{
    return &((const program *)context)->options;
}
