#include "runtime/generate.h"

#include "base/file.h"

#include <limits.h>

enum { DEFAULT_TOP_K = 50 };

/* --- fields --- */

typedef struct reader {
    const char *file;
    am_json object;
    am_status error; /* the first one */
} reader;

static am_json field(reader *r, const char *key, am_json_kind kind)
{
    am_json value = am_json_get(r->object, key);
    am_json_kind found = am_json_kind_of(value);
    if (found == AM_JSON_MISSING || found == AM_JSON_NULL) return (am_json){0};
    bool fits = found == kind || (kind == AM_JSON_REAL && found == AM_JSON_INTEGER) ||
                (kind == AM_JSON_INTEGER && found == AM_JSON_REAL);
    if (fits) return value;
    if (!r->error)
        r->error = am_error(AM_INVALID_FILE, "%s: %s: expected %s, found %s", r->file, key, am_json_kind_name(kind),
                            am_json_kind_name(found));
    return (am_json){0};
}

static void read_count(reader *r, const char *key, int64_t *out)
{
    int64_t value = am_json_int(field(r, key, AM_JSON_INTEGER), *out);
    if (value >= 0 && value <= INT_MAX) *out = value;
    else if (!r->error)
        r->error =
            am_error(AM_INVALID_FILE, "%s: %s: expected 0 to %d, found %lld", r->file, key, INT_MAX, (long long)value);
}

static void read_real(reader *r, const char *key, double *out)
{
    *out = am_json_real(field(r, key, AM_JSON_REAL), *out);
}

static int32_t token_of(reader *r, const char *key, am_json value)
{
    int64_t token = am_json_int(value, -2);
    if (token >= -1 && token <= INT32_MAX) return (int32_t)token;
    if (token == -2 && am_json_kind_of(value) != AM_JSON_INTEGER && !r->error)
        r->error = am_error(AM_INVALID_FILE, "%s: %s: expected a token, found %s", r->file, key,
                            am_json_kind_name(am_json_kind_of(value)));
    if (!r->error)
        r->error = am_error(AM_INVALID_FILE, "%s: %s: expected a token, found %lld", r->file, key, (long long)token);
    return -1;
}

static void read_token(reader *r, const char *key, int32_t *out)
{
    am_json value = am_json_get(r->object, key);
    if (am_json_kind_of(value) > AM_JSON_NULL) *out = token_of(r, key, value);
}

/* A token or a list of them. */
static void read_tokens(reader *r, const char *key, int32_t *out, int limit, int *out_count)
{
    am_json value = am_json_get(r->object, key);
    if (am_json_kind_of(value) <= AM_JSON_NULL) return;
    *out_count = 0;
    if (am_json_kind_of(value) != AM_JSON_ARRAY) {
        int32_t token = token_of(r, key, value);
        if (token >= 0) out[(*out_count)++] = token;
        return;
    }
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i);) {
        int32_t token = token_of(r, key, i.value);
        if (token < 0) continue; /* Whisper's -1: nothing */
        if (*out_count == limit) {
            if (!r->error) r->error = am_error(AM_UNSUPPORTED, "%s: %s: more than %d tokens", r->file, key, limit);
            return;
        }
        out[(*out_count)++] = token;
    }
}

/* top_k is 50 in transformers unless a file says otherwise; null says 50, too. */
static void read_fields(reader *r, am_generation_config *c)
{
    read_count(r, "max_new_tokens", &c->max_new_tokens);
    read_count(r, "max_length", &c->max_length);
    read_count(r, "min_new_tokens", &c->min_new_tokens);
    read_count(r, "min_length", &c->min_length);
    read_count(r, "top_k", &c->top_k);
    read_count(r, "no_repeat_ngram_size", &c->no_repeat_ngram_size);
    read_count(r, "num_beams", &c->num_beams);
    read_real(r, "temperature", &c->temperature);
    read_real(r, "top_p", &c->top_p);
    read_real(r, "min_p", &c->min_p);
    read_real(r, "typical_p", &c->typical_p);
    read_real(r, "repetition_penalty", &c->repetition_penalty);
    read_real(r, "length_penalty", &c->length_penalty);
    c->do_sample = am_json_bool(field(r, "do_sample", AM_JSON_BOOL), c->do_sample);
    c->early_stopping = am_json_bool(am_json_get(r->object, "early_stopping"), c->early_stopping);
    read_tokens(r, "eos_token_id", c->eos_token_id, AM_STOP_TOKENS, &c->eos_count);
    read_tokens(r, "suppress_tokens", c->suppress_tokens, AM_SUPPRESSED_TOKENS, &c->suppress_count);
    read_tokens(r, "begin_suppress_tokens", c->begin_suppress_tokens, AM_STOP_TOKENS, &c->begin_suppress_count);
    read_token(r, "pad_token_id", &c->pad_token_id);
    read_token(r, "bos_token_id", &c->bos_token_id);
    read_token(r, "decoder_start_token_id", &c->decoder_start_token_id);
    read_token(r, "forced_bos_token_id", &c->forced_bos_token_id);
    read_token(r, "forced_eos_token_id", &c->forced_eos_token_id);
}

am_status am_generation_config_merge(am_json object, const char *name, am_generation_config *c)
{
    reader r = {.file = name, .object = object};
    if (am_json_kind_of(object) > AM_JSON_NULL && am_json_kind_of(object) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "%s: expected an object, found %s", name,
                        am_json_kind_name(am_json_kind_of(object)));
    read_fields(&r, c);
    return r.error;
}

/* --- files --- */

static void finish(am_generation_config *c)
{
    if (c->num_beams < 1) c->num_beams = 1;
    if (c->decoder_start_token_id < 0) c->decoder_start_token_id = c->bos_token_id;
    if (c->pad_token_id < 0 && c->eos_count) c->pad_token_id = c->eos_token_id[0];
}

/* generation_config.json alone counts where it is there, as in transformers; only tokens that it does not
 * name come from config.json. */
static void fill_tokens(const am_generation_config *config, am_generation_config *c)
{
    if (!c->eos_count) {
        c->eos_count = config->eos_count;
        for (int i = 0; i < config->eos_count; i++) c->eos_token_id[i] = config->eos_token_id[i];
    }
    if (c->bos_token_id < 0) c->bos_token_id = config->bos_token_id;
    if (c->pad_token_id < 0) c->pad_token_id = config->pad_token_id;
    if (c->decoder_start_token_id < 0) c->decoder_start_token_id = config->decoder_start_token_id;
}

static am_status read_file(const char *path, am_generation_config *out)
{
    am_json_document *document;
    AM_TRY(am_json_open(path, &document));
    am_status status = am_generation_config_merge(am_json_root(document), path, out);
    am_json_close(document);
    return status;
}

am_status am_generation_config_read(const am_loaded_model *model, am_generation_config *out)
{
    am_arena arena = {0};
    am_generation_config config = am_generation_config_default();
    char *path = model->directory ? am_path_join(&arena, model->directory, "generation_config.json") : NULL;
    config.top_k = DEFAULT_TOP_K;
    *out = config;
    am_status status = am_generation_config_merge(model->config.object, model->config_root.file, &config);
    if (!status && path && am_file_exists(path)) {
        status = read_file(path, out);
        fill_tokens(&config, out);
    } else *out = config;
    finish(out);
    am_arena_deinit(&arena);
    return status;
}
