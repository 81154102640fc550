#include "tasks/sentence_embedding.h"

#include "base/file.h"
#include "base/memory.h"
#include "tasks/task.h"
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

static am_status read_module(am_arena *arena, const char *directory, am_json module, am_sentence_config *out)
{
    am_json_string type = am_json_text(am_json_get(module, "type")), folder = am_json_text(am_json_get(module, "path"));
    if (has_ending(type, ".Transformer")) return NULL;
    if (has_ending(type, ".Normalize")) {
        out->normalize = true;
        return NULL;
    }
    if (am_json_kind_of(module) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "modules.json: expected objects, found %s",
                        am_json_kind_name(am_json_kind_of(module)));
    if (strlen(folder.bytes) != folder.length || folder.bytes[0] == '/' || strstr(folder.bytes, ".."))
        return am_error(AM_INVALID_FILE, "modules.json: path: expected a folder of the model, found \"%s\"",
                        folder.bytes);
    if (!has_ending(type, ".Pooling"))
        return am_error(AM_UNSUPPORTED, "modules.json: module %s; Transformer, Pooling and Normalize are supported",
                        type.bytes);
    char *path = am_arena_printf(arena, "%s/%s/config.json", directory, folder.bytes);
    return path ? read_pooling(path, out) : am_out_of_memory();
}

static am_status read_modules(am_arena *arena, const char *directory, const char *path, am_sentence_config *out)
{
    am_json_document *document;
    am_status status = NULL;
    AM_TRY(am_json_open(path, &document));
    out->normalize = false;
    if (am_json_kind_of(am_json_root(document)) != AM_JSON_ARRAY)
        status = am_error(AM_INVALID_FILE, "%s: expected an array of modules, found %s", path,
                          am_json_kind_name(am_json_kind_of(am_json_root(document))));
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
    *out = (am_sentence_config){MEAN, true, INT64_MAX};
    if (!status && am_file_exists(modules)) status = read_modules(&arena, p->directory, modules, out);
    if (!status && am_file_exists(length)) status = read_length(length, out);
    am_arena_deinit(&arena);
    return status;
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
    if (config->normalize) normalize(*out, at);
    *out_dims = at;
    return NULL;
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
