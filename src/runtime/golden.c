#include "runtime/golden.h"

#include "base/memory.h"
#include "base/prng.h"
#include "formats/safetensors.h"
#include "runtime/generate.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_TENSOR = 1 << 28 };

/* --- numbers from names --- */

static am_status read_shape(am_json list, const char *what, am_shape *out)
{
    *out = (am_shape){0};
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);) {
        if (out->rank == AM_RANK_LIMIT)
            return am_error(AM_INVALID_FILE, "%s has more than %d dimensions", what, AM_RANK_LIMIT);
        out->dims[out->rank++] = am_json_int(i.value, -1);
    }
    if (am_json_kind_of(list) != AM_JSON_ARRAY || !am_shape_check(out) || am_shape_count(out) > LARGEST_TENSOR)
        return am_error(AM_INVALID_FILE, "%s has no valid shape", what);
    return NULL;
}

static const am_named_tensor *find_array(const am_golden_case *c, const char *kind, const char *name)
{
    char path[1024];
    int length = snprintf(path, sizeof path, "%s/%s/%s", c->name, kind, name);
    return length > 0 && length < (int)sizeof path ? am_tensor_table_find(c->arrays, path) : NULL;
}

static const char *text_of(am_json value)
{
    return am_json_text(value).bytes;
}

/* --- weights --- */

static am_json element(am_json list, int index)
{
    am_json_iterator i = am_json_iterate(list);
    for (int k = 0; am_json_next(&i); k++)
        if (k == index) return i.value;
    return (am_json){0};
}

static am_status formula_weight(const am_golden_case *c, am_json row, const char *name, const am_shape *shape,
                                am_tensor_table *table, void **out)
{
    char *seed_name = am_arena_printf(&table->arena, "%s%s", text_of(am_json_get(c->json, "salt")), name);
    float *data = am_alloc_aligned((size_t)am_shape_count(shape) * sizeof *data);
    if (!seed_name || !data) {
        am_free_aligned(data);
        return am_out_of_memory();
    }
    am_uniform_floats(am_fnv1a(seed_name, strlen(seed_name)), am_json_real(element(row, 3), 0),
                      am_json_real(element(row, 4), 0), am_shape_count(shape), data);
    *out = data;
    return am_tensor_table_take_memory(table, data);
}

static am_status add_weight(const am_golden_case *c, am_json row, am_tensor_table *table)
{
    am_json_string name = am_json_text(element(row, 0)), dtype = am_json_text(element(row, 1));
    am_named_tensor tensor = {.name = name.bytes, .file = "golden case", .dtype = AM_F32};
    void *data = NULL;
    if (!am_dtype_from_name(dtype.bytes, dtype.length, &tensor.dtype))
        return am_error(AM_INVALID_FILE, "tensor %s has dtype %s", name.bytes, dtype.bytes);
    AM_TRY(read_shape(element(row, 2), name.bytes, &tensor.shape));
    if (am_json_equals(element(row, 3), "raw")) {
        const am_named_tensor *array = find_array(c, "weight", name.bytes);
        if (!array) return am_error(AM_INVALID_FILE, "array %s/weight/%s is missing", c->name, name.bytes);
        tensor.data = array->data;
        tensor.dtype = array->dtype;
        tensor.shape = array->shape;
    } else {
        AM_TRY(formula_weight(c, row, name.bytes, &tensor.shape, table, &data));
        tensor.data = data;
    }
    return am_tensor_table_add(table, &tensor, name.length);
}

static am_status open_model(am_golden_case *c, const char *file)
{
    am_tensor_table table = {0};
    am_json_document *config = NULL;
    am_buffer text = {0};
    am_json_write(am_json_get(c->json, "config"), &text);
    am_status status = am_buffer_status(&text);
    if (!status) status = am_json_parse(am_buffer_text(&text), text.length, file, &config);
    am_buffer_deinit(&text);
    if (!status && am_architecture_find(c->architecture, NULL))
        for (am_json_iterator i = am_json_iterate(am_json_get(c->json, "tensors")); am_json_next(&i) && !status;)
            status = add_weight(c, i.value, &table);
    if (status) {
        am_json_close(config);
        am_tensor_table_deinit(&table);
        return status;
    }
    return am_loaded_model_create(config, file, &table, &(am_class_choice){.architecture = c->architecture}, &c->model);
}

/* --- inputs --- */

static am_status make_input(am_golden_case *c, am_json row)
{
    am_json_string name = am_json_text(am_json_get(row, "name")), dtype = am_json_text(am_json_get(row, "dtype"));
    am_session_input *input = &c->inputs[c->input_count];
    *input = (am_session_input){.name = name.bytes};
    if (!am_dtype_from_name(dtype.bytes, dtype.length, &input->tensor.dtype))
        return am_error(AM_INVALID_FILE, "input %s has dtype %s", name.bytes, dtype.bytes);
    AM_TRY(read_shape(am_json_get(row, "shape"), name.bytes, &input->tensor.shape));
    if (am_json_equals(am_json_get(row, "data"), "raw")) {
        const am_named_tensor *array = find_array(c, "input", name.bytes);
        if (!array) return am_error(AM_INVALID_FILE, "array %s/input/%s is missing", c->name, name.bytes);
        input->tensor = (am_tensor){array->dtype, array->shape, (void *)(uintptr_t)array->data};
        c->input_count++;
        return NULL;
    }
    int64_t count = am_shape_count(&input->tensor.shape);
    float *data = am_alloc_aligned((size_t)count * 8);
    if (!data) return am_out_of_memory();
    c->memory[c->input_count++] = input->tensor.data = data;
    if (am_json_kind_of(am_json_get(row, "fill")) != AM_JSON_MISSING) {
        for (int64_t i = 0; i < count; i++)
            am_store_real(input->tensor.dtype, data, i, am_json_real(am_json_get(row, "fill"), 0));
        return NULL;
    }
    char *seed =
        am_arena_printf(&c->arena, "%sinput:%s:%s", text_of(am_json_get(c->json, "salt")), c->name, name.bytes);
    if (!seed || input->tensor.dtype != AM_F32)
        return seed ? am_error(AM_INVALID_FILE, "input %s by formula must be F32", name.bytes) : am_out_of_memory();
    am_uniform_floats(am_fnv1a(seed, strlen(seed)), am_json_real(am_json_get(row, "lo"), 0),
                      am_json_real(am_json_get(row, "hi"), 0), count, data);
    return NULL;
}

/* --- files --- */

am_status am_golden_read_arrays(const char *json_path, am_tensor_table *arrays)
{
    am_arena arena = {0};
    size_t length = strlen(json_path) - strlen(".json");
    char *path = am_arena_printf(&arena, "%.*s.safetensors", (int)length, json_path);
    am_status status = !path ? am_out_of_memory() : am_file_exists(path) ? am_safetensors_read(path, arrays) : NULL;
    am_arena_deinit(&arena);
    return status;
}

static bool is_golden(const char *name)
{
    return strcmp(am_path_extension(name), ".json") == 0 && strcmp(name, "index.json") != 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

am_status am_golden_list_files(const char *folder, am_arena *arena, char ***out, size_t *out_count)
{
    size_t capacity = 0;
    *out_count = 0;
    DIR *directory = opendir(folder);
    if (!directory) return am_error_from_errno("read folder", folder);
    while (readdir(directory)) capacity++;
    rewinddir(directory);
    *out = am_arena_array(arena, capacity, sizeof **out);
    am_status status = *out ? NULL : am_out_of_memory();
    for (struct dirent *entry; !status && *out_count < capacity && (entry = readdir(directory));) {
        if (!is_golden(entry->d_name)) continue;
        char *path = am_path_join(arena, folder, entry->d_name);
        if (path) (*out)[(*out_count)++] = path;
        else status = am_out_of_memory();
    }
    closedir(directory);
    if (!status && *out_count == 0) status = am_error(AM_NOT_FOUND, "%s holds no golden files", folder);
    if (!status) qsort(*out, *out_count, sizeof **out, by_name);
    return status;
}

/* --- cases --- */

am_status am_golden_case_open(am_json json, const char *file, const am_tensor_table *arrays, am_golden_case *c)
{
    *c = (am_golden_case){.json = json, .arrays = arrays};
    c->name = text_of(am_json_get(json, "case"));
    c->architecture = text_of(am_json_get(json, "architecture"));
    if (!c->name[0] || !c->architecture[0])
        return am_error(AM_INVALID_FILE, "%s: a case has no name or architecture", file);
    AM_TRY(open_model(c, file));
    for (am_json_iterator i = am_json_iterate(am_json_get(json, "inputs")); am_json_next(&i);) {
        if (c->input_count == AM_GOLDEN_INPUTS)
            return am_error(AM_INVALID_FILE, "more than %d inputs", AM_GOLDEN_INPUTS);
        AM_TRY(make_input(c, i.value));
    }
    return NULL;
}

void am_golden_case_close(am_golden_case *c)
{
    for (int i = 0; i < c->input_count; i++) am_free_aligned(c->memory[i]);
    am_loaded_model_close(c->model);
    am_arena_deinit(&c->arena);
    *c = (am_golden_case){0};
}

/* None, False, or a list of such. */
static bool says_nothing(am_json value)
{
    if (am_json_kind_of(value) != AM_JSON_ARRAY) return !am_json_bool(value, am_json_kind_of(value) != AM_JSON_NULL);
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i);)
        if (!says_nothing(i.value)) return false;
    return true;
}

/* Arguments that only a loss reads, and none is computed, or only Janus' generate(), which writes texts by default. */
static bool is_of_others(const char *name)
{
    return strcmp(name, "reduction") == 0 || strcmp(name, "generation_mode") == 0;
}

am_status am_golden_run_options(am_golden_case *c, am_run_options *out)
{
    am_json kwargs = am_json_get(c->json, "kwargs");
    am_argument *arguments = am_arena_array(&c->arena, am_json_count(kwargs) + 1, sizeof *arguments);
    if (!arguments) return am_out_of_memory();
    *out = (am_run_options){.output_hidden_states = am_json_bool(am_json_get(kwargs, "output_hidden_states"), false),
                            .arguments = arguments};
    for (am_json_iterator i = am_json_iterate(kwargs); am_json_next(&i);) {
        bool is_flag = am_json_kind_of(i.value) == AM_JSON_BOOL, is_off = is_flag && !am_json_bool(i.value, false);
        if (strcmp(i.key.bytes, "output_hidden_states") == 0 || is_of_others(i.key.bytes)) continue;
        if (says_nothing(i.value) && !is_off) continue;
        if (!is_flag && am_json_kind_of(i.value) != AM_JSON_INTEGER)
            return am_error(AM_UNSUPPORTED, "argument %s is not supported", i.key.bytes);
        arguments[out->argument_count++] =
            (am_argument){i.key.bytes, is_flag ? !is_off : am_json_int(i.value, 0), .may_stay_unread = is_off};
    }
    return NULL;
}

/* --- outputs --- */

static const double FAR = 1e30;

static bool is_far(double x)
{
    return !(fabs(x) <= FAR);
}

typedef struct judge {
    const char *name;
    const am_tensor *found;
    const am_named_tensor *stored;
    bool sampled;
    double tolerance, torch_err, rms;
    double *worst;
    double errors, squares; /* sums over squares of errors, and of what is expected */
} judge;

static am_status check_element(judge *j, int64_t at, int64_t stored_at)
{
    double expected = am_load_real(j->stored->dtype, j->stored->data, stored_at),
           found = am_load_real(j->found->dtype, j->found->data, at);
    if (is_far(expected) && is_far(found) && !isnan(found) && (expected > 0) == (found > 0)) return NULL;
    double error = fabs(expected - found);
    if (is_far(expected) != is_far(found) || !(error <= j->tolerance))
        return am_error(AM_FAILED, "%s[%lld]: expected %.9g, found %.9g, off by %.3g (tolerance %.3g, torch_err %.3g)",
                        j->name, (long long)at, expected, found, error, j->tolerance, j->torch_err);
    if (j->torch_err > 0 && error / j->torch_err > *j->worst) *j->worst = error / j->torch_err;
    return NULL;
}

static am_status check_integer(judge *j, int64_t at, int64_t stored_at)
{
    int64_t expected = am_load_int(j->stored->dtype, j->stored->data, stored_at),
            found = am_load_int(j->found->dtype, j->found->data, at);
    if (expected == found) return NULL;
    return am_error(AM_FAILED, "%s[%lld]: expected %lld, found %lld", j->name, (long long)at, (long long)expected,
                    (long long)found);
}

static am_status check_statistics(const judge *j, am_json row)
{
    int64_t count = am_shape_count(&j->found->shape), far = 0;
    double sum = 0, squares = 0, slack = j->tolerance + 1e-6 * j->rms;
    for (int64_t i = 0; i < count; i++) {
        double x = am_load_real(j->found->dtype, j->found->data, i);
        if (is_far(x)) {
            far++;
            continue;
        }
        sum += x;
        squares += x * x;
    }
    int64_t near = count - far, expected_far = am_json_int(am_json_get(row, "far"), 0);
    double mean = near ? sum / (double)near : 0, rms = near ? sqrt(squares / (double)near) : 0,
           expected_mean = am_json_real(am_json_get(row, "mean"), 0);
    if (far != expected_far)
        return am_error(AM_FAILED, "%s: expected %lld numbers beyond 1e30, found %lld", j->name,
                        (long long)expected_far, (long long)far);
    if (!(fabs(mean - expected_mean) <= slack))
        return am_error(AM_FAILED, "%s: expected mean %.9g, found %.9g", j->name, expected_mean, mean);
    if (!(fabs(rms - j->rms) <= slack))
        return am_error(AM_FAILED, "%s: expected rms %.9g, found %.9g", j->name, j->rms, rms);
    return NULL;
}

/* Calls back with each element that is stored, and where it is stored. */
static am_status each_stored(const am_golden_case *c, judge *j,
                             am_status (*check)(judge *j, int64_t at, int64_t stored))
{
    int64_t count = am_shape_count(&j->found->shape), stored = am_shape_count(&j->stored->shape);
    char seed_name[1024];
    snprintf(seed_name, sizeof seed_name, "sample:%s:%s", c->name, j->name);
    uint64_t seed = am_fnv1a(seed_name, strlen(seed_name));
    if (!j->sampled && stored != count)
        return am_error(AM_INVALID_FILE, "%s: %lld elements are stored of %lld", j->name, (long long)stored,
                        (long long)count);
    for (int64_t i = 0; i < stored; i++)
        AM_TRY(check(j, j->sampled ? (int64_t)(am_splitmix(seed, (uint64_t)i) % (uint64_t)count) : i, i));
    return NULL;
}

/* *found holds what j->found points to. */
static am_status read_output(const am_golden_case *c, am_json row, const am_session *session, am_tensor *found,
                             judge *j)
{
    char expected_text[AM_SHAPE_TEXT], found_text[AM_SHAPE_TEXT];
    am_shape shape;
    AM_TRY(read_shape(am_json_get(row, "shape"), j->name, &shape));
    if (!am_session_find_output(session, j->name, found)) return am_error(AM_FAILED, "output %s is missing", j->name);
    if (!am_shape_equal(&shape, &found->shape))
        return am_error(AM_FAILED, "%s: expected shape %s, found %s", j->name, am_shape_text(&shape, expected_text),
                        am_shape_text(&found->shape, found_text));
    j->found = found;
    j->stored = find_array(c, "output", j->name);
    if (!j->stored) return am_error(AM_INVALID_FILE, "array %s/output/%s is missing", c->name, j->name);
    j->torch_err = am_json_real(am_json_get(row, "torch_err"), -1);
    j->rms = am_json_real(am_json_get(row, "rms"), 0);
    j->tolerance = j->torch_err >= 0 ? fmax(10 * j->torch_err, 1e-5 * j->rms) : 1e-4 * j->rms + 1e-6;
    j->sampled = am_json_equals(am_json_get(row, "stored"), "sampled");
    return NULL;
}

static am_status check_output(const am_golden_case *c, am_json row, const am_session *session, double *worst)
{
    judge j = {.name = text_of(am_json_get(row, "name")), .worst = worst};
    am_tensor found;
    AM_TRY(read_output(c, row, session, &found, &j));
    bool real = am_dtype_is_float(j.stored->dtype);
    AM_TRY(each_stored(c, &j, real ? check_element : check_integer));
    return real ? check_statistics(&j, row) : NULL;
}

/* --- where weights were rounded --- */

static am_status add_distance(judge *j, int64_t at, int64_t stored_at)
{
    double expected = am_load_real(j->stored->dtype, j->stored->data, stored_at),
           found = am_load_real(j->found->dtype, j->found->data, at);
    if (is_far(expected) && is_far(found)) return NULL;
    j->errors += (expected - found) * (expected - found);
    j->squares += is_far(expected) ? 0 : expected * expected;
    return NULL;
}

static am_status check_distance(const am_golden_case *c, am_json row, const am_session *session, double bound,
                                double *worst)
{
    judge j = {.name = text_of(am_json_get(row, "name"))};
    am_tensor found;
    AM_TRY(read_output(c, row, session, &found, &j));
    if (!am_dtype_is_float(j.stored->dtype)) return NULL;
    AM_TRY(each_stored(c, &j, add_distance));
    double distance = j.errors > 0 || isnan(j.errors) ? sqrt(j.errors / j.squares) : 0;
    if (!(distance <= *worst)) *worst = distance;
    if (distance <= bound) return NULL;
    return am_error(AM_FAILED, "%s: errors have %.3g of the root mean square of what is expected (bound %.3g)", j.name,
                    distance, bound);
}

static am_status each_output(const am_golden_case *c, const am_session *session, double bound, double *worst)
{
    am_json outputs = am_json_get(c->json, "outputs");
    if (am_json_count(outputs) == 0) return am_error(AM_INVALID_FILE, "case %s stores no output", c->name);
    for (am_json_iterator i = am_json_iterate(outputs); am_json_next(&i);) {
        if (am_json_bool(am_json_get(i.value, "random"), false)) continue;
        if (bound > 0) AM_TRY(check_distance(c, i.value, session, bound, worst));
        else AM_TRY(check_output(c, i.value, session, worst));
    }
    return NULL;
}

am_status am_golden_check_outputs(const am_golden_case *c, const am_session *session, double *worst)
{
    return each_output(c, session, 0, worst);
}

am_status am_golden_check_distance(const am_golden_case *c, const am_session *session, double bound, double *worst)
{
    return each_output(c, session, bound, worst);
}

/* --- generation --- */

static const am_session_input *find_input(const am_golden_case *c, const char *name)
{
    for (int i = 0; i < c->input_count; i++)
        if (strcmp(c->inputs[i].name, name) == 0) return &c->inputs[i];
    return NULL;
}

static am_status compare_ids(const am_golden_case *c, const am_generated *g, const char *how)
{
    am_json rows = am_json_get_path(c->json, "generate.ids");
    int64_t r = 0;
    for (am_json_iterator row = am_json_iterate(rows); am_json_next(&row); r++) {
        int64_t k = 0, count = (int64_t)am_json_count(row.value);
        if (r >= g->batch || g->lengths[r] != count)
            return am_error(AM_FAILED, "%s row %lld: expected %lld tokens, found %lld", how, (long long)r,
                            (long long)count, r < g->batch ? (long long)g->lengths[r] : 0LL);
        for (am_json_iterator id = am_json_iterate(row.value); am_json_next(&id); k++)
            if (g->ids[r * g->stride + k] != am_json_int(id.value, -1))
                return am_error(AM_FAILED, "%s row %lld, token %lld: expected %lld, found %d", how, (long long)r,
                                (long long)k, (long long)am_json_int(id.value, -1), (int)g->ids[r * g->stride + k]);
    }
    return r == g->batch
               ? NULL
               : am_error(AM_FAILED, "%s: expected %lld rows, found %lld", how, (long long)r, (long long)g->batch);
}

static am_status prompt_ids(am_golden_case *c, const am_session_input *input, int32_t **out)
{
    int64_t count = am_shape_count(&input->tensor.shape);
    *out = am_arena_array(&c->arena, (size_t)count + 1, sizeof **out);
    if (!*out) return am_out_of_memory();
    am_convert(AM_I32, *out, input->tensor.dtype, input->tensor.data, count);
    return NULL;
}

/* Whether what was generated are tokens in a row, and not those of several codebooks, or the sound that is made of
 * them. */
static bool has_tokens(am_json generate)
{
    am_json first = element(element(am_json_get(generate, "ids"), 0), 0);
    return am_json_kind_of(first) == AM_JSON_INTEGER;
}

am_status am_golden_check_generation(const am_golden_case *const_case, am_session *session)
{
    am_golden_case *c = (am_golden_case *)(uintptr_t)const_case;
    am_json generate = am_json_get(c->json, "generate");
    if (am_json_kind_of(generate) != AM_JSON_OBJECT || am_json_real(am_json_get(generate, "min_margin"), 1) < 1e-3)
        return NULL;
    if (!has_tokens(generate))
        return am_error(AM_UNSUPPORTED, "generation of anything but tokens in a row is not supported");
    bool encoder_decoder = (c->model->architecture->flags & AM_ENCODER_DECODER) != 0;
    am_generation_config config = am_generation_config_default();
    am_session_input inputs[AM_GOLDEN_INPUTS];
    am_generate_request request = {.inputs = inputs, .config = &config};
    int32_t *ids = NULL;
    am_generated generated;
    config.max_new_tokens = (int64_t)am_json_count(element(am_json_get(generate, "ids"), 0));
    config.decoder_start_token_id = (int32_t)am_json_int(element(am_json_get(generate, "start"), 0), -1);
    for (am_json_iterator i = am_json_iterate(am_json_get(generate, "inputs")); am_json_next(&i);) {
        const am_session_input *input = find_input(c, text_of(i.value));
        if (!input)
            return am_error(AM_INVALID_FILE, "generation from input %s, which the case lacks", text_of(i.value));
        if (!encoder_decoder && strcmp(input->name, "input_ids") == 0) {
            AM_TRY(prompt_ids(c, input, &ids));
            request.batch = input->tensor.shape.dims[0];
            request.length = input->tensor.shape.dims[1];
        } else inputs[request.input_count++] = *input;
        if (encoder_decoder) request.batch = input->tensor.shape.dims[0];
    }
    request.ids = ids;
    AM_TRY(am_generate(session, &request, &generated));
    am_status status = compare_ids(c, &generated, "generated");
    am_generated_deinit(&generated);
    return status;
}
