#include "runtime/generation_config.h"

#include "base/file.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { DEFAULT_TOP_K = 50, DEFAULT_NEW_TOKENS = 20, LARGEST_BEAMS = 1024 };

am_generation_config am_generation_config_default(void)
{
    return (am_generation_config){.min_new_tokens = -1,
                                  .temperature = 1,
                                  .top_p = 1,
                                  .typical_p = 1,
                                  .repetition_penalty = 1,
                                  .encoder_repetition_penalty = 1,
                                  .decay_factor = 1,
                                  .num_beams = 1,
                                  .num_return_sequences = 1,
                                  .length_penalty = 1,
                                  .timestamp_begin = -1,
                                  .max_initial_timestamp_index = -1,
                                  .pad_token_id = -1,
                                  .bos_token_id = -1,
                                  .decoder_start_token_id = -1,
                                  .forced_bos_token_id = -1};
}

/* --- reading one field --- */

typedef struct field {
    const char *file, *key;
    am_json value;
    am_arena *arena;
    am_code wrong; /* of errors */
    double min, max;
} field;

static am_status wrong_kind(const field *f, const char *expected)
{
    return am_error(f->wrong, "%s: %s: expected %s, found %s", f->file, f->key, expected,
                    am_json_kind_name(am_json_kind_of(f->value)));
}

static bool is_number(am_json value)
{
    am_json_kind kind = am_json_kind_of(value);
    return kind == AM_JSON_INTEGER || kind == AM_JSON_REAL;
}

static am_status read_real(const field *f, void *out)
{
    double value = am_json_real(f->value, NAN);
    if (!is_number(f->value)) return wrong_kind(f, "a number");
    if (!(value >= f->min && value <= f->max))
        return am_error(f->wrong, "%s: %s: expected %g to %g, found %g", f->file, f->key, f->min, f->max, value);
    *(double *)out = value;
    return NULL;
}

static am_status read_count(const field *f, void *out)
{
    double value = am_json_real(f->value, NAN);
    if (!is_number(f->value) || value != floor(value)) return wrong_kind(f, "an integer");
    if (!(value >= f->min && value <= f->max))
        return am_error(f->wrong, "%s: %s: expected %.0f to %.0f, found %.0f", f->file, f->key, f->min, f->max, value);
    *(int64_t *)out = (int64_t)value;
    return NULL;
}

static am_status read_bool(const field *f, void *out)
{
    if (am_json_kind_of(f->value) != AM_JSON_BOOL) return wrong_kind(f, "a boolean");
    *(bool *)out = am_json_bool(f->value, false);
    return NULL;
}

static am_status token_of(const field *f, am_json value, int32_t *out)
{
    int64_t token = am_json_int(value, INT64_MIN);
    if (token < -1 || token > INT32_MAX) {
        if (!is_number(value))
            return am_error(f->wrong, "%s: %s: expected a token, found %s", f->file, f->key,
                            am_json_kind_name(am_json_kind_of(value)));
        return am_error(f->wrong, "%s: %s: expected a token, found %lld", f->file, f->key, (long long)token);
    }
    *out = (int32_t)token;
    return NULL;
}

static am_status read_token(const field *f, void *out)
{
    return token_of(f, f->value, out);
}

/* An array of tokens; Whisper's -1, which means none, is left out. */
static am_status token_array(const field *f, am_json array, am_token_list *out)
{
    int32_t *ids = am_arena_array(f->arena, am_json_count(array) + 1, sizeof *ids), token;
    if (!ids) return am_out_of_memory();
    *out = (am_token_list){.ids = ids};
    for (am_json_iterator i = am_json_iterate(array); am_json_next(&i);) {
        AM_TRY(token_of(f, i.value, &token));
        if (token >= 0) ids[out->count++] = token;
    }
    return NULL;
}

/* A token or a list of them. */
static am_status read_tokens(const field *f, void *out)
{
    if (am_json_kind_of(f->value) == AM_JSON_ARRAY) return token_array(f, f->value, out);
    int32_t *token = am_arena_array(f->arena, 1, sizeof *token);
    if (!token) return am_out_of_memory();
    AM_TRY(read_token(f, token));
    *(am_token_list *)out = (am_token_list){.ids = token, .count = *token >= 0};
    return NULL;
}

static am_status read_early_stopping(const field *f, void *out)
{
    bool is_never = am_json_equals(f->value, "never");
    if (am_json_kind_of(f->value) != AM_JSON_BOOL && !is_never) return wrong_kind(f, "true, false or \"never\"");
    *(am_early_stopping *)out = is_never                        ? AM_EARLY_STOPPING_NEVER
                                : am_json_bool(f->value, false) ? AM_EARLY_STOPPING_TRUE
                                                                : AM_EARLY_STOPPING_FALSE;
    return NULL;
}

/* [START, FACTOR] */
static am_status read_decay(const field *f, void *out)
{
    am_generation_config *c = out;
    am_json_iterator i = am_json_iterate(f->value);
    bool has_start = am_json_next(&i);
    am_json start = i.value;
    if (am_json_count(f->value) != 2 || !has_start || !am_json_next(&i) || !is_number(start) || !is_number(i.value))
        return wrong_kind(f, "a start and a factor");
    c->decay_start = am_json_int(start, 0);
    c->decay_factor = am_json_real(i.value, 1);
    return NULL;
}

static am_status start_sequences(const field *f, am_biased_sequence **items)
{
    if (am_json_kind_of(f->value) != AM_JSON_ARRAY) return wrong_kind(f, "an array");
    *items = am_arena_array(f->arena, am_json_count(f->value) + 1, sizeof **items);
    return *items ? NULL : am_out_of_memory();
}

static am_status add_sequence(const field *f, am_json tokens, double bias, am_biased_sequence *out)
{
    if (am_json_kind_of(tokens) != AM_JSON_ARRAY || am_json_count(tokens) == 0)
        return am_error(f->wrong, "%s: %s: expected lists of at least one token", f->file, f->key);
    out->bias = (float)bias;
    AM_TRY(token_array(f, tokens, &out->tokens));
    if (out->tokens.count == (int64_t)am_json_count(tokens)) return NULL;
    return am_error(f->wrong, "%s: %s: a token below 0", f->file, f->key);
}

/* [[TOKEN, ...], ...] */
static am_status read_bad_words(const field *f, void *out)
{
    am_biased_sequence *items;
    int64_t count = 0;
    AM_TRY(start_sequences(f, &items));
    for (am_json_iterator i = am_json_iterate(f->value); am_json_next(&i);)
        AM_TRY(add_sequence(f, i.value, -INFINITY, &items[count++]));
    *(am_biased_sequences *)out = (am_biased_sequences){items, count};
    return NULL;
}

/* [[[TOKEN, ...], BIAS], ...] */
static am_status read_biases(const field *f, void *out)
{
    am_biased_sequence *items;
    int64_t count = 0;
    AM_TRY(start_sequences(f, &items));
    for (am_json_iterator i = am_json_iterate(f->value); am_json_next(&i);) {
        am_json_iterator pair = am_json_iterate(i.value);
        bool has_tokens = am_json_next(&pair);
        am_json tokens = pair.value;
        if (!has_tokens || !am_json_next(&pair) || !is_number(pair.value))
            return wrong_kind(f, "pairs of tokens and a bias");
        AM_TRY(add_sequence(f, tokens, am_json_real(pair.value, 0), &items[count++]));
    }
    *(am_biased_sequences *)out = (am_biased_sequences){items, count};
    return NULL;
}

static am_status add_text(const field *f, am_json value, const char **items, int64_t *count)
{
    am_json_string text = am_json_text(value);
    if (am_json_kind_of(value) != AM_JSON_STRING) return wrong_kind(f, "texts");
    if (!text.length) return NULL;
    if (strlen(text.bytes) != text.length)
        return am_error(f->wrong, "%s: %s: a text with a zero byte", f->file, f->key);
    items[*count] = am_arena_string(f->arena, text.bytes, text.length);
    return items[(*count)++] ? NULL : am_out_of_memory();
}

/* A text or a list of them. */
static am_status read_texts(const field *f, void *out)
{
    int64_t count = 0;
    const char **items = am_arena_array(f->arena, am_json_count(f->value) + 1, sizeof *items);
    if (!items) return am_out_of_memory();
    if (am_json_kind_of(f->value) != AM_JSON_ARRAY) AM_TRY(add_text(f, f->value, items, &count));
    for (am_json_iterator i = am_json_iterate(f->value); am_json_next(&i);) AM_TRY(add_text(f, i.value, items, &count));
    *(am_stop_texts *)out = (am_stop_texts){items, count};
    return NULL;
}

/* --- all fields --- */

typedef struct row {
    const char *key;
    am_status (*read)(const field *f, void *out);
    size_t offset;
    double min, max;
} row;

#define FIELD(name, read, min, max)                                                                                    \
    {                                                                                                                  \
#name, read, offsetof(am_generation_config, name), min, max                                                    \
    }

static const row rows[] = {
    FIELD(max_new_tokens, read_count, 0, INT_MAX),
    FIELD(max_length, read_count, 0, INT_MAX),
    FIELD(min_new_tokens, read_count, 0, INT_MAX),
    FIELD(min_length, read_count, 0, INT_MAX),
    FIELD(do_sample, read_bool, 0, 0),
    FIELD(renormalize_logits, read_bool, 0, 0),
    FIELD(remove_invalid_values, read_bool, 0, 0),
    FIELD(temperature, read_real, 0, 1e30),
    FIELD(top_p, read_real, 0, 1e30),
    FIELD(min_p, read_real, 0, 1),
    FIELD(typical_p, read_real, 0, 1e30),
    FIELD(top_h, read_real, 0, 1),
    FIELD(epsilon_cutoff, read_real, 0, 1e30),
    FIELD(eta_cutoff, read_real, 0, 1e30),
    FIELD(top_k, read_count, 0, INT_MAX),
    FIELD(repetition_penalty, read_real, 1e-30, 1e30),
    FIELD(encoder_repetition_penalty, read_real, 1e-30, 1e30),
    FIELD(no_repeat_ngram_size, read_count, 0, INT_MAX),
    FIELD(encoder_no_repeat_ngram_size, read_count, 0, INT_MAX),
    FIELD(num_beams, read_count, 1, LARGEST_BEAMS),
    FIELD(num_return_sequences, read_count, 1, LARGEST_BEAMS),
    FIELD(length_penalty, read_real, -1e3, 1e3),
    FIELD(early_stopping, read_early_stopping, 0, 0),
    FIELD(pad_token_id, read_token, 0, 0),
    FIELD(bos_token_id, read_token, 0, 0),
    FIELD(decoder_start_token_id, read_token, 0, 0),
    FIELD(forced_bos_token_id, read_token, 0, 0),
    FIELD(eos_token_id, read_tokens, 0, 0),
    FIELD(forced_eos_token_id, read_tokens, 0, 0),
    FIELD(suppress_tokens, read_tokens, 0, 0),
    FIELD(begin_suppress_tokens, read_tokens, 0, 0),
    FIELD(bad_words_ids, read_bad_words, 0, 0),
    FIELD(sequence_bias, read_biases, 0, 0),
    FIELD(stop_strings, read_texts, 0, 0),
    {"exponential_decay_length_penalty", read_decay, 0, 0, 0},
};

/* Fields that change what is generated in ways that this build does not know; harmless at these values, false or
   null. Settings of an assistant model that is given to generate, of caches and of what is returned change nothing. */
static const struct {
    const char *key;
    double harmless;
    const char *what;
} unsupported[] = {
    {"guidance_scale", 1, "classifier-free guidance"},
    {"penalty_alpha", 0, "contrastive search"},
    {"num_beam_groups", 1, "group beam search"},
    {"force_words_ids", 0, "constrained beam search"},
    {"constraints", 0, "constrained beam search"},
    {"dola_layers", 0, "decoding by contrasting layers"},
    {"prompt_lookup_num_tokens", 0, "assisted generation"},
    {"assistant_early_exit", 0, "assisted generation"},
    {"use_mtp", 0, "assisted generation"},
    {"watermarking_config", 0, "watermarking"},
    {"token_healing", 0, "token healing"},
    {"max_time", 0, "a limit of time"},
    {"low_memory", 0, "sequential beam search"},
};

static bool is_harmless(am_json value, double harmless)
{
    am_json_kind kind = am_json_kind_of(value);
    if (kind <= AM_JSON_NULL) return true;
    if (kind == AM_JSON_BOOL) return !am_json_bool(value, true);
    return is_number(value) && am_json_real(value, NAN) == harmless;
}

static am_status check_unsupported(am_json object, const char *name)
{
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++)
        if (!is_harmless(am_json_get(object, unsupported[i].key), unsupported[i].harmless))
            return am_error(AM_UNSUPPORTED, "%s: %s: %s is not in this build", name, unsupported[i].key,
                            unsupported[i].what);
    return NULL;
}

am_status am_generation_config_merge(am_json object, const char *name, am_code wrong, am_arena *arena,
                                     am_generation_config *c)
{
    if (am_json_kind_of(object) > AM_JSON_NULL && am_json_kind_of(object) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "%s: expected an object, found %s", name,
                        am_json_kind_name(am_json_kind_of(object)));
    AM_TRY(check_unsupported(object, name));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        field f = {name, rows[i].key, am_json_get(object, rows[i].key), arena, wrong, rows[i].min, rows[i].max};
        if (am_json_kind_of(f.value) > AM_JSON_NULL) AM_TRY(rows[i].read(&f, (char *)c + rows[i].offset));
    }
    return NULL;
}

/* --- files --- */

/* A token that generation_config.json does not name is that of config.json. */
static void fill_tokens(const am_generation_config *config, am_generation_config *c)
{
    if (!c->eos_token_id.count) c->eos_token_id = config->eos_token_id;
    if (c->bos_token_id < 0) c->bos_token_id = config->bos_token_id;
    if (c->pad_token_id < 0) c->pad_token_id = config->pad_token_id;
    if (c->decoder_start_token_id < 0) c->decoder_start_token_id = config->decoder_start_token_id;
    if (c->decoder_start_token_id < 0) c->decoder_start_token_id = c->bos_token_id;
    if (c->pad_token_id < 0 && c->eos_token_id.count) c->pad_token_id = c->eos_token_id.ids[0];
}

static am_status read_file(const char *path, am_arena *arena, am_generation_config *out)
{
    am_json_document *document;
    AM_TRY(am_json_open(path, &document));
    am_status status = am_generation_config_merge(am_json_root(document), path, AM_INVALID_FILE, arena, out);
    am_json_close(document);
    return status;
}

/* The configuration inside config.json whose fields stand for those that it leaves out itself (get_text_config). */
static am_json decoder_config(am_json config)
{
    static const char *const keys[] = {"decoder", "generator", "text_config"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        am_json found = am_json_get(config, keys[i]);
        if (am_json_kind_of(found) == AM_JSON_OBJECT) return found;
    }
    return (am_json){0};
}

static am_status read_config(const am_loaded_model *model, am_arena *arena, am_generation_config *out)
{
    const char *file = model->config_root.file;
    am_json config = model->config.object;
    AM_TRY(am_generation_config_merge(decoder_config(config), file, AM_INVALID_FILE, arena, out));
    return am_generation_config_merge(config, file, AM_INVALID_FILE, arena, out);
}

am_status am_generation_config_read(const am_loaded_model *model, const am_generation_config *base, am_arena *arena,
                                    am_generation_config *out)
{
    am_generation_config config = *base;
    char *path = model->directory ? am_path_join(arena, model->directory, "generation_config.json") : NULL;
    if (model->directory && !path) return am_out_of_memory();
    config.top_k = DEFAULT_TOP_K; /* of transformers, where no file says otherwise */
    *out = config;
    AM_TRY(read_config(model, arena, &config));
    if (path && am_file_exists(path)) AM_TRY(read_file(path, arena, out));
    else *out = config;
    fill_tokens(&config, out);
    return NULL;
}

/* --- what follows from the fields --- */

bool am_generation_config_stops(const am_generation_config *c, int32_t token)
{
    for (int64_t i = 0; i < c->eos_token_id.count; i++)
        if (c->eos_token_id.ids[i] == token) return true;
    return false;
}

int64_t am_generation_config_end(const am_generation_config *c, int64_t prompt)
{
    if (c->max_new_tokens) return prompt + c->max_new_tokens;
    return c->max_length ? c->max_length : prompt + DEFAULT_NEW_TOKENS;
}

am_status am_generation_config_check(const am_generation_config *c, int64_t prompt)
{
    bool beams = c->num_beams > 1;
    if (c->num_beams < 1 || c->num_return_sequences < 1)
        return am_error(AM_INVALID_ARGUMENT, "num_beams is %lld and num_return_sequences %lld; both are at least 1",
                        (long long)c->num_beams, (long long)c->num_return_sequences);
    if (beams && c->num_return_sequences > c->num_beams)
        return am_error(AM_INVALID_ARGUMENT, "num_return_sequences is %lld, and there are %lld beams to return",
                        (long long)c->num_return_sequences, (long long)c->num_beams);
    if (!beams && !c->do_sample && c->num_return_sequences > 1)
        return am_error(AM_INVALID_ARGUMENT,
                        "num_return_sequences is %lld; greedily there is one answer: use beams or sampling",
                        (long long)c->num_return_sequences);
    if (am_generation_config_end(c, prompt) <= prompt)
        return am_error(AM_INVALID_ARGUMENT, "max_length is %lld, and the prompt has %lld tokens",
                        (long long)c->max_length, (long long)prompt);
    return NULL;
}
