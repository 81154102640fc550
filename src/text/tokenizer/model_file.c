/* The "model" object of tokenizer.json. */
#include "text/tokenizer/internal.h"

enum { LOOK_AHEAD = 12 };

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

/* Starts loading what adding the token at `ahead` will read. */
static void look_ahead(const am_model *model, am_json_iterator *ahead)
{
    if (am_json_next(ahead))
        am_vocabulary_prefetch(&model->vocabulary, am_hash_bytes(AM_HASH_START, ahead->key.bytes, ahead->key.length));
}

/* {"token": id, ...} */
static am_status read_vocabulary_object(const am_loader *loader, am_json vocab, am_model *model)
{
    am_json_iterator ahead = am_json_iterate(vocab);
    for (int i = 0; i < LOOK_AHEAD; i++) look_ahead(model, &ahead);
    for (am_json_iterator i = am_json_iterate(vocab); am_json_next(&i);) {
        am_text token = {i.key.bytes, i.key.length};
        look_ahead(model, &ahead);
        if (am_json_kind_of(i.value) != AM_JSON_INTEGER)
            return am_loader_expected(loader, "model.vocab", "whole numbers as ids", i.value);
        AM_TRY(am_model_add_token(model, token, am_json_int(i.value, -1), 0, loader->name));
    }
    return NULL;
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
    *out = (am_merge_text){{text.bytes, length}, {space + 1, text.length - length - 1}};
    return NULL;
}

/* "a b" or ["a", "b"]; a line with the version is passed over. */
static am_status read_merge(const am_loader *loader, am_json merge, am_merge_text *out, bool *is_merge)
{
    am_json_string parts[2];
    *is_merge = true;
    if (am_json_strings(merge, parts, 2)) {
        *out = (am_merge_text){{parts[0].bytes, parts[0].length}, {parts[1].bytes, parts[1].length}};
        return NULL;
    }
    if (am_json_kind_of(merge) != AM_JSON_STRING)
        return am_loader_expected(loader, "model.merges", "pairs of tokens", merge);
    am_text text = am_text_of(merge);
    *is_merge = text.length < 8 || memcmp(text.bytes, "#version", 8) != 0;
    return *is_merge ? split_merge(loader, text, out) : NULL;
}

static am_status read_merges(const am_loader *loader, am_json merges, am_model *model)
{
    am_merge_text batch[AM_MERGE_BATCH];
    size_t rank = 0, count = 0;
    if (model->settings.may_lack_merges && am_json_kind_of(merges) == AM_JSON_MISSING)
        return am_bpe_start_merges(model, 0);
    if (am_json_kind_of(merges) != AM_JSON_ARRAY) return am_loader_expected(loader, "model.merges", "an array", merges);
    AM_TRY(am_bpe_start_merges(model, am_json_count(merges)));
    for (am_json_iterator i = am_json_iterate(merges); am_json_next(&i);) {
        bool is_merge;
        AM_TRY(read_merge(loader, i.value, &batch[count], &is_merge));
        if (!is_merge) continue;
        if (++count < AM_MERGE_BATCH) continue;
        AM_TRY(am_bpe_add_merges(model, batch, count, rank, loader->name));
        rank += count;
        count = 0;
    }
    return am_bpe_add_merges(model, batch, count, rank, loader->name);
}

am_status am_model_read(const am_loader *loader, am_json json, const am_model_settings *settings, am_model *out)
{
    am_json vocab = am_json_get(json, "vocab");
    bool is_list = am_json_kind_of(vocab) == AM_JSON_ARRAY, is_object = am_json_kind_of(vocab) == AM_JSON_OBJECT;
    if (settings->kind == AM_MODEL_UNIGRAM ? !is_list : !is_object && !is_list)
        return am_loader_expected(loader, "model.vocab", settings->kind == AM_MODEL_UNIGRAM ? "an array" : "an object",
                                  vocab);
    AM_TRY(am_model_init(out, settings, am_json_count(vocab)));
    AM_TRY(is_list ? read_vocabulary_array(loader, vocab, out) : read_vocabulary_object(loader, vocab, out));
    if (settings->kind == AM_MODEL_BPE) AM_TRY(read_merges(loader, am_json_get(json, "merges"), out));
    return am_model_finish(out);
}
