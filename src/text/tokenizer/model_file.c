/* The "model" object of tokenizer.json. */
#include "text/tokenizer/internal.h"

#include "base/memory.h"
#include "base/threads.h"

enum { BATCH_TOKENS = 32 };

static const char *const kind_names[] = {"BPE", "WordPiece", "Unigram", "WordLevel", NULL};

static bool has(am_json json, const char *key)
{
    return am_json_kind_of(am_json_get(json, key)) != AM_JSON_MISSING;
}

/* Old files have no type: the first kind that has all its fields. */
static am_status find_kind(const am_loader *loader, am_json json, am_model_kind *out)
{
    int index;
    if (has(json, "type")) {
        AM_TRY(am_loader_choice(loader, json, "model", "type", kind_names, &index));
        *out = (am_model_kind)index;
        return NULL;
    }
    bool list = am_json_kind_of(am_json_get(json, "vocab")) == AM_JSON_ARRAY;
    if (has(json, "merges")) *out = AM_MODEL_BPE;
    else if (list) *out = AM_MODEL_UNIGRAM;
    else *out = has(json, "continuing_subword_prefix") ? AM_MODEL_WORDPIECE : AM_MODEL_WORDLEVEL;
    return NULL;
}

/* An optional string: null and a missing one are empty. */
static am_status read_optional(const am_loader *loader, am_json json, const char *key, am_text *out)
{
    am_json_kind kind = am_json_kind_of(am_json_get(json, key));
    *out = (am_text){"", 0};
    if (kind == AM_JSON_NULL || kind == AM_JSON_MISSING) return NULL;
    return am_loader_text(loader, json, "model", key, out);
}

static am_status read_bpe(const am_loader *loader, am_json json, am_model_settings *out)
{
    am_json dropout = am_json_get(json, "dropout");
    out->has_unk_token = am_json_kind_of(am_json_get(json, "unk_token")) == AM_JSON_STRING;
    if (am_json_real(dropout, 0) > 0)
        return am_error(AM_UNSUPPORTED, "%s: model.dropout of %g: it makes tokens random", loader->name,
                        am_json_real(dropout, 0));
    AM_TRY(read_optional(loader, json, "unk_token", &out->unk_token));
    AM_TRY(read_optional(loader, json, "continuing_subword_prefix", &out->continuing_subword_prefix));
    AM_TRY(read_optional(loader, json, "end_of_word_suffix", &out->end_of_word_suffix));
    out->fuse_unk = am_json_bool(am_json_get(json, "fuse_unk"), false);
    out->byte_fallback = am_json_bool(am_json_get(json, "byte_fallback"), false);
    out->ignore_merges = am_json_bool(am_json_get(json, "ignore_merges"), false);
    return NULL;
}

static am_status read_unigram(const am_loader *loader, am_json json, am_model_settings *out)
{
    am_json unk_id = am_json_get(json, "unk_id");
    uint64_t id;
    out->byte_fallback = am_json_bool(am_json_get(json, "byte_fallback"), false);
    if (am_json_kind_of(unk_id) == AM_JSON_NULL || am_json_kind_of(unk_id) == AM_JSON_MISSING) return NULL;
    AM_TRY(am_loader_count(loader, json, "model", "unk_id", &id));
    out->unk_id = (int64_t)id;
    return NULL;
}

am_status am_model_read_settings(const am_loader *loader, am_json json, am_model_settings *out)
{
    *out = (am_model_settings){.unk_id = -1};
    if (am_json_kind_of(json) != AM_JSON_OBJECT) return am_loader_expected(loader, "model", "an object", json);
    AM_TRY(find_kind(loader, json, &out->kind));
    if (out->kind == AM_MODEL_BPE) return read_bpe(loader, json, out);
    if (out->kind == AM_MODEL_UNIGRAM) return read_unigram(loader, json, out);
    out->has_unk_token = true;
    AM_TRY(am_loader_text(loader, json, "model", "unk_token", &out->unk_token));
    if (out->kind == AM_MODEL_WORDLEVEL) return NULL;
    AM_TRY(am_loader_text(loader, json, "model", "continuing_subword_prefix", &out->continuing_subword_prefix));
    return am_loader_count(loader, json, "model", "max_input_chars_per_word", &out->max_input_chars_per_word);
}

/* A token that is about to be added. */
typedef struct new_token {
    am_text text;
    int64_t id;
    uint32_t hash;
} new_token;

static am_status add_tokens(am_model *model, const new_token *tokens, size_t count, const char *where)
{
    for (size_t i = 0; i < count; i++)
        AM_TRY(
            am_vocabulary_add_hashed(&model->vocabulary, tokens[i].text, tokens[i].hash, tokens[i].id, false, where));
    return NULL;
}

/* {"token": id, ...}. In batches, so that the memory that adding looks at is on its way before. */
static am_status read_vocabulary_object(const am_loader *loader, am_json vocab, am_model *model)
{
    new_token batch[BATCH_TOKENS];
    size_t count = 0;
    for (am_json_iterator i = am_json_iterate(vocab); am_json_next(&i);) {
        if (am_json_kind_of(i.value) != AM_JSON_INTEGER)
            return am_loader_expected(loader, "model.vocab", "whole numbers as ids", i.value);
        uint32_t hash = am_hash_bytes(AM_HASH_START, i.key.bytes, i.key.length);
        am_vocabulary_prefetch(&model->vocabulary, hash);
        batch[count++] = (new_token){{i.key.bytes, i.key.length}, am_json_int(i.value, -1), hash};
        if (count < BATCH_TOKENS) continue;
        AM_TRY(add_tokens(model, batch, count, loader->name));
        count = 0;
    }
    return add_tokens(model, batch, count, loader->name);
}

/* [["token", score], ...], or of a file that is read for another kind of model also ["token", ...] */
static am_status read_vocabulary_array(const am_loader *loader, am_json vocab, am_model *model)
{
    int64_t id = 0;
    for (am_json_iterator i = am_json_iterate(vocab); am_json_next(&i);) {
        am_json_iterator fields = am_json_iterate(i.value);
        am_json token = i.value, score = {0};
        if (am_json_kind_of(i.value) == AM_JSON_ARRAY && am_json_next(&fields)) {
            token = fields.value;
            if (am_json_next(&fields)) score = fields.value;
        }
        bool scored = am_json_kind_of(score) == AM_JSON_REAL || am_json_kind_of(score) == AM_JSON_INTEGER;
        if (am_json_kind_of(token) != AM_JSON_STRING || (model->settings.kind == AM_MODEL_UNIGRAM && !scored))
            return am_loader_expected(loader, "model.vocab", "[token, score]", i.value);
        AM_TRY(am_model_add_token(model, am_text_of(token), id++, am_json_real(score, 0), loader->name));
    }
    return NULL;
}

/* "a b" */
static am_status split_merge(const am_loader *loader, am_text text, am_merge_text *out)
{
    const char *space = memchr(text.bytes, ' ', text.length);
    size_t length = space ? (size_t)(space - text.bytes) : 0;
    if (!space || memchr(space + 1, ' ', text.length - length - 1))
        return am_error(AM_INVALID_FILE, "%s: model.merges: \"%.*s\" is not two tokens with a space between",
                        loader->name, (int)(text.length < 60 ? text.length : 60), text.bytes);
    *out = am_merge_of((am_text){text.bytes, length}, (am_text){space + 1, text.length - length - 1});
    return NULL;
}

/* "a b" or ["a", "b"]; a line with the version is passed over. */
static am_status read_merge(const am_loader *loader, am_json merge, am_merge_text *out, bool *is_merge)
{
    am_json_string parts[2];
    *is_merge = true;
    if (am_json_strings(merge, parts, 2)) {
        *out = am_merge_of((am_text){parts[0].bytes, parts[0].length}, (am_text){parts[1].bytes, parts[1].length});
        return NULL;
    }
    if (am_json_kind_of(merge) != AM_JSON_STRING)
        return am_loader_expected(loader, "model.merges", "pairs of tokens", merge);
    am_text text = am_text_of(merge);
    *is_merge = text.length < 8 || memcmp(text.bytes, "#version", 8) != 0;
    return *is_merge ? split_merge(loader, text, out) : NULL;
}

/* What is read side by side: the vocabulary goes into the model, merges wait until it is there. */
typedef struct tables {
    const am_loader *loader;
    am_json vocab, merges;
    am_model *model;
    am_merge_text *texts; /* of the merges */
    size_t count;
    am_status vocab_status, merges_status;
} tables;

static am_status read_vocabulary(tables *t)
{
    bool is_list = am_json_kind_of(t->vocab) == AM_JSON_ARRAY;
    return is_list ? read_vocabulary_array(t->loader, t->vocab, t->model)
                   : read_vocabulary_object(t->loader, t->vocab, t->model);
}

static am_status collect_merges(tables *t)
{
    size_t expected = am_json_count(t->merges);
    bool is_array = am_json_kind_of(t->merges) == AM_JSON_ARRAY, is_merge;
    if (!is_array && !(t->model->settings.may_lack_merges && am_json_kind_of(t->merges) == AM_JSON_MISSING))
        return am_loader_expected(t->loader, "model.merges", "an array", t->merges);
    AM_TRY(am_bpe_start_merges(t->model, expected));
    t->texts = am_alloc_table(expected, sizeof *t->texts);
    if (!t->texts) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(t->merges); am_json_next(&i); t->count += is_merge)
        AM_TRY(read_merge(t->loader, i.value, &t->texts[t->count], &is_merge));
    return NULL;
}

static void read_tables(void *context, int64_t begin, int64_t end)
{
    tables *t = context;
    for (int64_t i = begin; i < end; i++) {
        if (i == 0) t->vocab_status = read_vocabulary(t);
        else t->merges_status = collect_merges(t);
    }
}

am_status am_model_read(const am_loader *loader, am_json json, const am_model_settings *settings, am_model *out)
{
    tables t = {.loader = loader, .vocab = am_json_get(json, "vocab"), .model = out};
    am_json_kind kind = am_json_kind_of(t.vocab);
    bool has_merges = settings->kind == AM_MODEL_BPE;
    if (kind != AM_JSON_ARRAY && (settings->kind == AM_MODEL_UNIGRAM || kind != AM_JSON_OBJECT))
        return am_loader_expected(loader, "model.vocab", settings->kind == AM_MODEL_UNIGRAM ? "an array" : "an object",
                                  t.vocab);
    AM_TRY(am_model_init(out, settings, am_json_count(t.vocab)));
    if (has_merges) t.merges = am_json_get(json, "merges");
    am_parallel_for(has_merges ? 2 : 1, 1, read_tables, &t);
    am_status status = t.vocab_status;
    if (status) am_status_free(t.merges_status);
    else status = t.merges_status;
    if (!status && has_merges) status = am_bpe_add_merges(out, t.texts, t.count, 0, loader->name);
    am_free(t.texts);
    return status ? status : am_model_finish(out);
}
