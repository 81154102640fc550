#include "targets/max/program.h"

#include "base/memory.h"
#include "base/threads.h"
#include "base/warning.h"
#include "targets/cpu/isa.h"
#include "targets/max/compile.h"
#include "targets/max/lower.h"
#include "targets/max/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct program {
    const am_graph *graph;
    const am_max *max;
    am_mlir mlir; /* holds weights and places */
    max_handle *status;
    uint8_t key[AM_SHA256_BYTES]; /* of the text, see am_mx_cache_key */
    max_handle *compiled, *registry, *model;
    int input_count;      /* arguments: the graph's inputs, then its states */
    max_handle **specs;   /* by argument */
    int output_count;     /* results: the graph's outputs, then the states that are not in place */
    max_handle *results;  /* of the last run, null before it */
    max_handle **tensors; /* by result, of the last run */
    am_tensor *outputs;   /* by result: shape, and where the last run left it */
    size_t bytes;
} program;

static int max_dtype_of(am_dtype dtype)
{
    return dtype == AM_F32 ? MAX_F32 : dtype == AM_F64 ? MAX_F64 : dtype == AM_I32 ? MAX_I32 : MAX_BOOL;
}

/* The last call's error, after which the status is a new one. */
static am_status check(program *p, const char *what)
{
    am_status status = am_max_check(p->max, p->status, what);
    if (!status) return NULL;
    p->max->M_freeStatus(p->status);
    p->status = p->max->M_newStatus();
    return status;
}

/* --- opening a compiled graph --- */

/* MAX reads files only, and has read it when this returns. */
static am_status read_mef(program *p, const am_mx_entry *entry)
{
    const am_max *max = p->max;
    const char *temporary = getenv("TMPDIR");
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/anymodel-mef-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!file) {
        am_status failed = am_error_from_errno("create a temporary file", path);
        if (fd >= 0) close(fd);
        if (fd >= 0) unlink(path);
        return failed;
    }
    bool written = fwrite(entry->mef, 1, entry->length, file) == entry->length;
    am_status status = fclose(file) == 0 && written ? NULL : am_error_from_errno("write", path);
    if (!status) {
        max_handle *configuration = max->M_newCompileConfig();
        max->M_setModelPath(configuration, path);
        p->compiled = max->M_compileModelSync(max->context, &configuration, p->status);
        status = check(p, "loading the compiled graph");
    }
    unlink(path);
    return status;
}

static am_status give_weights(program *p)
{
    const am_mlir *m = &p->mlir;
    size_t count = (size_t)m->weight_count;
    const char **names = am_arena_array(&p->mlir.arena, count + 1, sizeof *names);
    const void **data = am_arena_array(&p->mlir.arena, count + 1, sizeof *data);
    if (!names || !data) return am_out_of_memory();
    for (size_t i = 0; i < count; i++) {
        names[i] = am_arena_printf(&p->mlir.arena, "w%zu", i);
        data[i] = m->weights[i].data;
        if (!names[i]) return am_out_of_memory();
    }
    p->registry = p->max->M_newWeightsRegistry(names, data, count, p->status);
    return check(p, "weights");
}

static am_status open_model(program *p, const am_mx_entry *entry)
{
    const am_max *max = p->max;
    AM_TRY(read_mef(p, entry));
    AM_TRY(give_weights(p));
    p->model = max->M_initModel(max->context, p->compiled, p->registry, p->status);
    AM_TRY(check(p, "opening the compiled graph"));
    max->M_waitForModel(p->model, p->status);
    p->bytes = entry->length;
    return check(p, "opening the compiled graph");
}

static am_status make_spec(program *p, int i, am_value value)
{
    char name[32];
    const am_value_info *info = am_graph_value(p->graph, value);
    snprintf(name, sizeof name, "input%d", i);
    p->specs[i] =
        p->max->M_newTensorSpec(info->shape.dims, info->shape.rank, max_dtype_of(info->dtype), name, p->max->device);
    return p->specs[i] ? NULL : am_out_of_memory();
}

static void add_output(program *p, am_value value)
{
    const am_value_info *info = am_graph_value(p->graph, value);
    p->outputs[p->output_count++] = (am_tensor){info->dtype, info->shape, NULL};
}

static am_status prepare_ends(program *p)
{
    const am_graph *g = p->graph;
    p->input_count = g->input_count + g->state_count;
    size_t outputs = (size_t)(g->output_count + g->state_count);
    p->specs = am_arena_array(&p->mlir.arena, (size_t)p->input_count + 1, sizeof *p->specs);
    p->tensors = am_arena_array(&p->mlir.arena, outputs + 1, sizeof *p->tensors);
    p->outputs = am_arena_array(&p->mlir.arena, outputs + 1, sizeof *p->outputs);
    if (!p->specs || !p->tensors || !p->outputs) return am_out_of_memory();
    for (int i = 0; i < g->input_count; i++) AM_TRY(make_spec(p, i, g->inputs[i].value));
    for (int i = 0; i < g->state_count; i++) AM_TRY(make_spec(p, g->input_count + i, g->states[i].value));
    for (int i = 0; i < g->output_count; i++) add_output(p, g->outputs[i].value);
    for (int i = 0; i < g->state_count; i++)
        if (!p->mlir.places[i].in_place) add_output(p, g->states[i].updated);
    return NULL;
}

/* --- compiling --- */

static am_status wrong(const am_mx_entry *entry)
{
    return am_error(AM_INTERNAL, "max: not used for this graph: %s", entry->reason);
}

/* Keeps that compiling failed where it would fail again, so that it is not tried anew each time. */
static am_status compile_text(program *p, const am_buffer *text, const am_target_options *options, am_mx_entry *out)
{
    am_max_mef mef;
    am_status status = am_max_compile(p->max->root, am_buffer_text(text), text->length, options->cancelled, &mef);
    out->mef = mef.bytes;
    out->length = mef.length;
    if (!status || !mef.is_final) return status;
    out->verdict = AM_MX_WRONG;
    snprintf(out->reason, sizeof out->reason, "%s", am_status_message(status));
    am_status_free(status);
    return NULL;
}

static am_status judge(program *p, am_mx_entry *entry)
{
    am_mx_runner runner = {p, am_mx_run, am_mx_output};
    AM_TRY(am_note(am_mx_judge(p->graph, &runner, &entry->verdict, entry->reason), "max: trying the compiled graph"));
    if (entry->verdict != AM_MX_WRONG) return NULL;
    am_free(entry->mef);
    entry->mef = NULL;
    return NULL;
}

static am_status load_or_compile(program *p, const am_buffer *text, const am_target_options *options,
                                 const am_mx_cache *cache, am_mx_entry *entry)
{
    bool kept = am_mx_cache_load(cache, entry);
    if (!kept) AM_TRY(compile_text(p, text, options, entry));
    if (entry->verdict != AM_MX_WRONG) AM_TRY(open_model(p, entry));
    if (entry->verdict == AM_MX_UNKNOWN) AM_TRY(judge(p, entry));
    if (!kept) am_mx_cache_store(cache, entry);
    return entry->verdict == AM_MX_WRONG ? wrong(entry) : NULL;
}

static am_status make(program *p, const am_buffer *text, const am_target_options *options)
{
    am_mx_cache cache;
    am_mx_entry entry = {0};
    am_status status = am_mx_cache_open(p->key, options->cancelled, &cache);
    if (!status) status = load_or_compile(p, text, options, &cache, &entry);
    am_mx_cache_close(&cache);
    am_free(entry.mef);
    return status;
}

/* What was compiled before; the text must be the same, for the same version of MAX on the same cpu. */
typedef struct exported {
    const uint8_t *bytes; /* the key, then the MEF; null: there is none */
    size_t length;
} exported;

static am_status open_exported(program *p, const exported *from)
{
    am_mx_entry entry = {.verdict = AM_MX_RIGHT, .length = from->length - AM_SHA256_BYTES};
    if (from->length <= AM_SHA256_BYTES || memcmp(from->bytes, p->key, AM_SHA256_BYTES) != 0)
        return am_error(AM_UNSUPPORTED,
                        "max: compiled for another cpu, version of MAX or of this program: this is MAX "
                        "%s on %s",
                        p->max->version, am_cpu_model_name());
    entry.mef = (char *)(uintptr_t)(from->bytes + AM_SHA256_BYTES);
    return open_model(p, &entry);
}

static am_status create(program *p, const am_target_options *options, const exported *from)
{
    am_buffer text = {0};
    if (options->device && strcmp(options->device, "cpu") != 0)
        return am_error(AM_UNSUPPORTED, "max runs on the cpu only, not on %.60s", options->device);
    AM_TRY(am_max_open(options->allow_untested, am_threads_count(), &p->max));
    p->status = p->max->M_newStatus();
    am_status status = am_mx_lower(&p->mlir, p->graph, &text);
    if (!status) status = prepare_ends(p);
    if (!status) am_mx_cache_key(am_buffer_text(&text), text.length, p->max->version, p->key);
    if (!status) status = from->bytes ? open_exported(p, from) : make(p, &text, options);
    am_buffer_deinit(&text);
    return status;
}

static am_status open_program(const am_graph *graph, const am_target_options *options, const exported *from, void **out)
{
    static const am_target_options none;
    *out = NULL;
    program *p = am_alloc_zeroed(1, sizeof *p);
    if (!p) return am_out_of_memory();
    p->graph = graph;
    am_status status = create(p, options ? options : &none, from);
    if (status) am_mx_destroy(p);
    else *out = p;
    return status;
}

am_status am_mx_create(const am_graph *graph, const am_target_options *options, void **out)
{
    return open_program(graph, options, &(exported){0}, out);
}

am_status am_mx_import(const am_graph *graph, const am_target_options *options, const void *bytes, size_t length,
                       void **out)
{
    return open_program(graph, options, &(exported){bytes, length}, out);
}

/* The MEF is in the cache folder since the program was made, and was judged then. */
am_status am_mx_export(const void *context, am_buffer *out)
{
    const program *p = context;
    am_mx_cache cache;
    am_mx_entry entry = {0};
    AM_TRY(am_mx_cache_open(p->key, NULL, &cache));
    bool is_right = am_mx_cache_load(&cache, &entry) && entry.verdict == AM_MX_RIGHT;
    am_mx_cache_close(&cache);
    am_buffer_append(out, p->key, sizeof p->key);
    if (is_right) am_buffer_append(out, entry.mef, entry.length);
    am_free(entry.mef);
    return is_right ? am_buffer_status(out)
                    : am_error(AM_IO, "max: the compiled graph is not in the cache folder, where it was kept");
}

static void free_results(program *p)
{
    for (int i = 0; i < p->output_count; i++) {
        if (p->tensors[i]) p->max->M_freeTensor(p->tensors[i]);
        p->tensors[i] = NULL;
    }
    if (p->results) p->max->M_freeAsyncTensorMap(p->results);
    p->results = NULL;
}

void am_mx_destroy(void *context)
{
    program *p = context;
    if (!p) return;
    free_results(p);
    for (int i = 0; p->specs && i < p->input_count; i++)
        if (p->specs[i]) p->max->M_freeTensorSpec(p->specs[i]);
    if (p->model) p->max->M_freeModel(p->model);
    if (p->registry) p->max->M_freeWeightsRegistry(p->registry);
    if (p->compiled) p->max->M_freeCompiledModel(p->compiled);
    if (p->status) p->max->M_freeStatus(p->status);
    am_mx_deinit(&p->mlir);
    am_free(p);
}

/* --- running --- */

/* MAX stores where it is told to without looking. */
static am_status check_places(const program *p, const am_tensor *inputs)
{
    for (int i = 0; i < p->graph->state_count; i++) {
        const am_mx_place *place = &p->mlir.places[i];
        if (!place->in_place) continue;
        int64_t offset = am_load_int(inputs[place->offset_input].dtype, inputs[place->offset_input].data, 0);
        if (offset < 0 || offset > place->places - place->count)
            return am_error(AM_OUT_OF_RANGE, "%s: places %lld to %lld of %lld", p->graph->states[i].name,
                            (long long)offset, (long long)(offset + place->count - 1), (long long)place->places);
    }
    return NULL;
}

static am_status lend(program *p, max_handle *map, int i, const void *data)
{
    p->max->M_borrowTensorInto(map, (void *)(uintptr_t)data, p->specs[i], p->status);
    return check(p, "input");
}

static am_status execute(program *p, max_handle *map, const am_tensor *inputs, void *const *states)
{
    const am_graph *g = p->graph;
    for (int i = 0; i < g->input_count; i++) AM_TRY(lend(p, map, i, inputs[i].data));
    for (int i = 0; i < g->state_count; i++) AM_TRY(lend(p, map, g->input_count + i, states[i]));
    p->results = p->max->M_executeModelSync(p->max->context, p->model, map, p->status);
    return check(p, "running");
}

static am_status take_result(program *p, int i)
{
    char name[32];
    am_tensor *y = &p->outputs[i];
    snprintf(name, sizeof name, "output%d", i);
    p->tensors[i] = p->max->M_getTensorByNameFrom(p->results, name, p->status);
    AM_TRY(check(p, "output"));
    size_t count = p->max->M_getTensorNumElements(p->tensors[i]);
    int dtype = p->max->M_getTensorType(p->tensors[i]);
    if (dtype != max_dtype_of(y->dtype) || count != (size_t)am_shape_count(&y->shape))
        return am_error(AM_INTERNAL, "max: output %d has %zu elements of dtype %d, expected %lld of %d", i, count,
                        dtype, (long long)am_shape_count(&y->shape), max_dtype_of(y->dtype));
    y->data = (void *)(uintptr_t)p->max->M_getTensorData(p->tensors[i]);
    return NULL;
}

am_status am_mx_run(void *context, const am_tensor *inputs, void *const *states)
{
    program *p = context;
    const am_graph *g = p->graph;
    AM_TRY(check_places(p, inputs));
    free_results(p);
    max_handle *map = p->max->M_newAsyncTensorMap(p->max->context);
    am_status status = execute(p, map, inputs, states);
    for (int i = 0; !status && i < p->output_count; i++) status = take_result(p, i);
    p->max->M_freeAsyncTensorMap(map);
    for (int i = 0, at = g->output_count; !status && i < g->state_count; i++) {
        if (p->mlir.places[i].in_place) continue;
        const am_tensor *updated = &p->outputs[at++];
        memcpy(states[i], updated->data, am_tensor_bytes(updated->dtype, &updated->shape));
    }
    return status;
}

am_tensor am_mx_output(const void *context, int i)
{
    return ((const program *)context)->outputs[i];
}

size_t am_mx_bytes(const void *context)
{
    return ((const program *)context)->bytes;
}
