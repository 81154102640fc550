#include "tasks/sentence_embedding.h"

#include "base/file.h"
#include "base/memory.h"
#include "formats/checkpoint.h"
#include "tasks/task.h"
#include "tensor/dtype.h"
#include "text/tokenizer.h"

#include <math.h>
#include <string.h>

/* --- pooling: states [T, C], of T attended tokens, into out [C] --- */

static void pool_first(const float *states, int64_t T, int64_t C, float *out)
{
    (void)T;
    memcpy(out, states, (size_t)C * sizeof *out);
}

static void pool_last(const float *states, int64_t T, int64_t C, float *out)
{
    memcpy(out, states + (T - 1) * C, (size_t)C * sizeof *out);
}

static void pool_max(const float *states, int64_t T, int64_t C, float *out)
{
    memcpy(out, states, (size_t)C * sizeof *out);
    for (int64_t t = 1; t < T; t++)
        for (int64_t c = 0; c < C; c++) out[c] = fmaxf(out[c], states[t * C + c]);
}

static void pool_sum(const float *states, int64_t T, int64_t C, double divisor, bool by_place, float *out)
{
    for (int64_t c = 0; c < C; c++) {
        double total = 0;
        for (int64_t t = 0; t < T; t++) total += (double)states[t * C + c] * (by_place ? (double)(t + 1) : 1);
        out[c] = (float)(total / divisor);
    }
}

static void pool_mean(const float *states, int64_t T, int64_t C, float *out)
{
    pool_sum(states, T, C, (double)T, false, out);
}

static void pool_mean_sqrt(const float *states, int64_t T, int64_t C, float *out)
{
    pool_sum(states, T, C, sqrt((double)T), false, out);
}

static void pool_weighted(const float *states, int64_t T, int64_t C, float *out)
{
    pool_sum(states, T, C, (double)(T * (T + 1)) / 2, true, out);
}

/* In the order in which sentence-transformers puts them one after another. */
static const struct pooling {
    const char *field, *mode; /* of older and newer files */
    void (*pool)(const float *states, int64_t T, int64_t C, float *out);
} poolings[] = {
    {"pooling_mode_cls_token", "cls", pool_first},
    {"pooling_mode_max_tokens", "max", pool_max},
    {"pooling_mode_mean_tokens", "mean", pool_mean},
    {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", pool_mean_sqrt},
    {"pooling_mode_weightedmean_tokens", "weightedmean", pool_weighted},
    {"pooling_mode_lasttoken", "lasttoken", pool_last},
};

enum { POOLINGS = sizeof poolings / sizeof poolings[0], MEAN = 1 << 2 };

/* --- configuration --- */

static unsigned named_mode(am_json mode)
{
    for (unsigned i = 0; i < POOLINGS; i++)
        if (am_json_equals(mode, poolings[i].mode)) return 1u << i;
    return 0;
}

static am_status read_pooling(const char *path, am_sentence_config *out)
{
    am_json_document *document;
    AM_TRY(am_json_open(path, &document));
    am_json config = am_json_root(document), mode = am_json_get(config, "pooling_mode");
    out->pooling = 0;
    if (am_json_kind_of(mode) == AM_JSON_STRING) out->pooling = named_mode(mode);
    for (am_json_iterator i = am_json_iterate(mode); am_json_next(&i);) out->pooling |= named_mode(i.value);
    for (unsigned i = 0; i < POOLINGS; i++)
        if (am_json_bool(am_json_get(config, poolings[i].field), false)) out->pooling |= 1u << i;
    am_json_close(document);
    return out->pooling ? NULL : am_error(AM_UNSUPPORTED, "%s: no way of pooling that is known", path);
}

static bool has_ending(am_json_string text, const char *ending)
{
    size_t length = strlen(ending);
    return text.length >= length && memcmp(text.bytes + text.length - length, ending, length) == 0;
}

static double same(double x)
{
    return x;
}

static double relu(double x)
{
    return x > 0 ? x : 0;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double gelu(double x)
{
    return x * 0.5 * (1 + erf(x * sqrt(0.5)));
}

static am_status read_activation(const char *path, am_sentence_module *out)
{
    static const struct {
        const char *ending;
        double (*function)(double x);
    } known[] = {{".Tanh", tanh}, {".Identity", same}, {".ReLU", relu}, {".GELU", gelu}, {".Sigmoid", sigmoid}};
    am_json_document *document;
    AM_TRY(am_json_open(path, &document));
    am_json_string name = am_json_text(am_json_get(am_json_root(document), "activation_function"));
    if (!name.length) out->activation = tanh;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (has_ending(name, known[i].ending)) out->activation = known[i].function;
    am_status status =
        out->activation ? NULL : am_error(AM_UNSUPPORTED, "%s: activation_function: %s", path, name.bytes);
    am_json_close(document);
    return status;
}

static float *copy_floats(const am_named_tensor *tensor)
{
    int64_t count = am_shape_count(&tensor->shape);
    float *copy = am_alloc_zeroed((size_t)count + 1, sizeof *copy);
    for (int64_t i = 0; copy && i < count; i++) copy[i] = (float)am_load_real(tensor->dtype, tensor->data, i);
    return copy;
}

static am_status copy_weights(const am_tensor_table *table, const char *folder, am_sentence_module *out)
{
    const am_named_tensor *weight = am_tensor_table_find(table, "linear.weight"),
                          *bias = am_tensor_table_find(table, "linear.bias");
    if (!weight || weight->shape.rank != 2)
        return am_error(AM_INVALID_FILE, "%s: expected linear.weight of two dimensions", folder);
    out->outputs = weight->shape.dims[0];
    out->inputs = weight->shape.dims[1];
    if (bias && am_shape_count(&bias->shape) != out->outputs)
        return am_error(AM_INVALID_FILE, "%s: linear.bias: expected %lld numbers, found %lld", folder,
                        (long long)out->outputs, (long long)am_shape_count(&bias->shape));
    out->weight = copy_floats(weight);
    out->bias = bias ? copy_floats(bias) : NULL;
    return out->weight && (!bias || out->bias) ? NULL : am_out_of_memory();
}

static am_status read_dense(const char *folder, const char *config, am_sentence_module *out)
{
    am_tensor_table table = {0};
    AM_TRY(read_activation(config, out));
    AM_TRY(am_checkpoint_read(folder, &table));
    am_status status = copy_weights(&table, folder, out);
    am_tensor_table_deinit(&table);
    return status;
}

static am_status check_module(am_json module, am_json_string folder)
{
    if (am_json_kind_of(module) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "modules.json: expected objects, found %s",
                        am_json_kind_name(am_json_kind_of(module)));
    if (strlen(folder.bytes) != folder.length || folder.bytes[0] == '/' || strstr(folder.bytes, ".."))
        return am_error(AM_INVALID_FILE, "modules.json: path: expected a folder of the model, found \"%s\"",
                        folder.bytes);
    return NULL;
}

static am_status read_module(am_arena *arena, const char *directory, am_json module, am_sentence_config *out)
{
    am_json_string type = am_json_text(am_json_get(module, "type")), path = am_json_text(am_json_get(module, "path"));
    bool is_dense = has_ending(type, ".Dense");
    AM_TRY(check_module(module, path));
    const char *folder = am_path_join(arena, directory, path.bytes);
    const char *config = folder ? am_path_join(arena, folder, "config.json") : NULL;
    if (!config) return am_out_of_memory();
    if (has_ending(type, ".Transformer")) return NULL;
    if (has_ending(type, ".Pooling")) return read_pooling(config, out);
    if (!is_dense && !has_ending(type, ".Normalize"))
        return am_error(AM_UNSUPPORTED,
                        "modules.json: module %s; Transformer, Pooling, Dense and Normalize are supported", type.bytes);
    if (out->module_count == AM_SENTENCE_MODULES)
        return am_error(AM_UNSUPPORTED, "modules.json: more than %d modules behind pooling", AM_SENTENCE_MODULES);
    am_sentence_module *added = &out->modules[out->module_count++];
    *added = (am_sentence_module){0};
    return is_dense ? read_dense(folder, config, added) : NULL;
}

static am_status read_modules(am_arena *arena, const char *directory, const char *path, am_sentence_config *out)
{
    am_json_document *document;
    am_status status = NULL;
    AM_TRY(am_json_open(path, &document));
    if (am_json_kind_of(am_json_root(document)) != AM_JSON_ARRAY)
        status = am_error(AM_INVALID_FILE, "%s: expected an array of modules, found %s", path,
                          am_json_kind_name(am_json_kind_of(am_json_root(document))));
    out->module_count = 0;
    for (am_json_iterator i = am_json_iterate(am_json_root(document)); am_json_next(&i) && !status;)
        status = read_module(arena, directory, i.value, out);
    am_json_close(document);
    return status;
}

static am_status read_length(const char *path, am_sentence_config *out)
{
    am_json_document *document;
    AM_TRY(am_json_open(path, &document));
    int64_t length = am_json_int(am_json_get(am_json_root(document), "max_seq_length"), 0);
    bool lower = am_json_bool(am_json_get(am_json_root(document), "do_lower_case"), false);
    if (length > 0) out->max_seq_length = length;
    am_json_close(document);
    return lower ? am_error(AM_UNSUPPORTED, "%s: do_lower_case", path) : NULL;
}

am_status am_sentence_config_read(am_pipeline *p, am_sentence_config *out)
{
    am_arena arena = {0};
    char *modules = am_path_join(&arena, p->directory, "modules.json");
    char *length = am_path_join(&arena, p->directory, "sentence_bert_config.json");
    am_status status = modules && length ? NULL : am_out_of_memory();
    *out = (am_sentence_config){.pooling = MEAN, .max_seq_length = INT64_MAX, .module_count = 1};
    if (!status && am_file_exists(modules)) status = read_modules(&arena, p->directory, modules, out);
    if (!status && am_file_exists(length)) status = read_length(length, out);
    am_arena_deinit(&arena);
    if (status) am_sentence_config_deinit(out);
    return status;
}

void am_sentence_config_deinit(am_sentence_config *config)
{
    for (int i = 0; i < config->module_count; i++) {
        am_free(config->modules[i].weight);
        am_free(config->modules[i].bias);
    }
    config->module_count = 0;
}

/* --- embedding --- */

/* Texts are stripped first, as sentence-transformers does. */
static am_text strip(const char *text)
{
    static const char spaces[] = " \t\n\r\f\v";
    size_t start = strspn(text, spaces), end = strlen(text);
    while (end > start && strchr(spaces, text[end - 1])) end--;
    return (am_text){text + start, end - start};
}

static am_status encode(am_pipeline *p, const am_sentence_config *config, const char *text, am_arena *arena,
                        am_text_inputs *out)
{
    am_tokenizer *tokenizer;
    am_encoding encoding = {0};
    am_encode_options options = AM_ENCODE_OPTIONS;
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    int64_t limit = am_pipeline_context_length(p);
    if (config->max_seq_length < limit) limit = config->max_seq_length;
    if (limit < INT64_MAX) {
        options.truncation = AM_TRUNCATE_LONGEST_FIRST;
        options.max_length = (uint64_t)limit;
    }
    AM_TRY(am_tokenizer_encode(tokenizer, strip(text), NULL, &options, &encoding));
    am_status status = am_inputs_of_encodings(tokenizer, arena, &encoding, 1, out);
    am_encoding_deinit(&encoding);
    return status;
}

static void normalize(float *x, size_t count)
{
    double total = 0;
    for (size_t i = 0; i < count; i++) total += (double)x[i] * (double)x[i];
    double length = fmax(sqrt(total), 1e-12);
    for (size_t i = 0; i < count; i++) x[i] = (float)((double)x[i] / length);
}

static am_status apply_dense(const am_sentence_module *m, float **x, size_t *count)
{
    if (*count != (size_t)m->inputs)
        return am_error(AM_INVALID_FILE, "modules.json: a Dense module takes %lld numbers, and is given %zu",
                        (long long)m->inputs, *count);
    float *y = am_alloc_zeroed((size_t)m->outputs + 1, sizeof *y);
    if (!y) return am_out_of_memory();
    for (int64_t o = 0; o < m->outputs; o++) {
        double total = m->bias ? (double)m->bias[o] : 0;
        for (int64_t i = 0; i < m->inputs; i++) total += (double)m->weight[o * m->inputs + i] * (double)(*x)[i];
        y[o] = (float)m->activation(total);
    }
    am_free(*x);
    *x = y;
    *count = (size_t)m->outputs;
    return NULL;
}

static am_status apply_modules(const am_sentence_config *config, float **x, size_t *count)
{
    for (int i = 0; i < config->module_count; i++) {
        if (config->modules[i].weight) AM_TRY(apply_dense(&config->modules[i], x, count));
        else normalize(*x, *count);
    }
    return NULL;
}

static am_status pool(const am_sentence_config *config, const am_tensor *states, float **out, size_t *out_dims)
{
    int64_t T = states->shape.dims[1], C = states->shape.dims[2];
    size_t at = 0;
    *out = am_alloc_zeroed((size_t)C * POOLINGS, sizeof **out);
    if (!*out) return am_out_of_memory();
    for (unsigned i = 0; i < POOLINGS; i++) {
        if (!(config->pooling & 1u << i)) continue;
        poolings[i].pool(states->data, T, C, *out + at);
        at += (size_t)C;
    }
    *out_dims = at;
    am_status status = apply_modules(config, out, out_dims);
    if (status) am_free(*out);
    return status;
}

am_status am_embed_sentence(am_pipeline *p, const am_sentence_config *config, const char *text, float **out,
                            size_t *out_dims)
{
    am_arena arena = {0};
    am_text_inputs inputs;
    am_tensor states;
    am_status status = encode(p, config, text, &arena, &inputs);
    if (!status) status = am_run_base(p, inputs.inputs, inputs.count, "last_hidden_state", &states);
    if (!status) status = pool(config, &states, out, out_dims);
    am_arena_deinit(&arena);
    return status;
}
