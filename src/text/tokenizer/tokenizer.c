/* The tokenizer object, and reading one from a tokenizer.json as it is. */
#include "text/tokenizer/jieba.h"
#include "text/tokenizer/python_tokenizer.h"
#include "text/tokenizer/spm_tokenizer.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdlib.h>

/* Scratch memory that no call is using. */
typedef struct am_scratch_pool {
    pthread_mutex_t lock;
    am_scratch *free;
} am_scratch_pool;

am_status am_tokenizer_create(am_tokenizer **out)
{
    am_tokenizer *t = am_alloc_zeroed(1, sizeof *t);
    *out = t;
    if (!t) return am_out_of_memory();
    t->class_name = "TokenizersBackend";
    t->language_id = -1;
    t->padding_side = t->truncation_side = AM_SIDE_RIGHT;
    t->pool = am_alloc_zeroed(1, sizeof *t->pool);
    am_status status = t->pool ? am_added_tokens_init(&t->added) : am_out_of_memory();
    if (t->pool && pthread_mutex_init(&t->pool->lock, NULL) != 0) {
        am_free(t->pool);
        t->pool = NULL;
        if (!status) status = am_out_of_memory();
    }
    if (!status) return NULL;
    am_tokenizer_close(t);
    *out = NULL;
    return status;
}

void am_tokenizer_close(am_tokenizer *t)
{
    if (!t) return;
    for (am_scratch *s = t->pool ? t->pool->free : NULL, *next; s; s = next) {
        next = s->next_free;
        am_scratch_destroy(s);
    }
    if (t->pool) pthread_mutex_destroy(&t->pool->lock);
    am_free(t->pool);
    for (am_regex_list *item = t->regexes; item; item = item->next) am_regex_destroy(item->regex);
    am_layout_destroy(t->layout);
    am_python_destroy(t->python);
    am_jieba_destroy(t->jieba);
    am_model_deinit(&t->model);
    am_spm_tokenizer_deinit(t->spm);
    am_added_tokens_deinit(&t->added);
    am_arena_deinit(&t->arena);
    am_free(t);
}

am_scratch *am_tokenizer_take_scratch(const am_tokenizer *t)
{
    pthread_mutex_lock(&t->pool->lock);
    am_scratch *s = t->pool->free;
    if (s) t->pool->free = s->next_free;
    pthread_mutex_unlock(&t->pool->lock);
    if (!s) s = am_scratch_create();
    if (s) am_scratch_reset(s);
    return s;
}

void am_tokenizer_give_scratch(const am_tokenizer *t, am_scratch *s)
{
    pthread_mutex_lock(&t->pool->lock);
    s->next_free = t->pool->free;
    t->pool->free = s;
    pthread_mutex_unlock(&t->pool->lock);
}

/* ---- tokenizer.json ---- */

am_status am_tokenizer_read_parts(am_tokenizer *t, const am_loader *loader, const am_tokenizer_parts *parts)
{
    AM_TRY(am_normalizer_parse(loader, parts->normalizer, &t->normalizer));
    AM_TRY(am_pre_tokenizer_parse(loader, parts->pre_tokenizer, &t->pre_tokenizer));
    AM_TRY(am_post_processor_parse(loader, parts->post_processor, &t->post_processor));
    return am_token_decoder_parse(loader, parts->decoder, &t->decoder);
}

am_status am_added_token_read(const am_loader *loader, am_json json, am_added_token *out)
{
    bool special = am_json_bool(am_json_get(json, "special"), false);
    *out = (am_added_token){.normalized = true};
    if (am_json_kind_of(json) == AM_JSON_STRING) {
        out->content = am_text_copy(loader->arena, am_text_of(json));
        return out->content.bytes ? NULL : am_out_of_memory();
    }
    AM_TRY(am_loader_text(loader, json, "added token", "content", &out->content));
    out->special = special;
    out->single_word = am_json_bool(am_json_get(json, "single_word"), false);
    out->lstrip = am_json_bool(am_json_get(json, "lstrip"), false);
    out->rstrip = am_json_bool(am_json_get(json, "rstrip"), false);
    out->normalized = am_json_bool(am_json_get(json, "normalized"), !special);
    return NULL;
}

am_status am_tokenizer_read_added_tokens(am_tokenizer *t, const am_loader *loader, am_json json)
{
    size_t count = 0;
    am_json_kind kind = am_json_kind_of(json);
    if (kind == AM_JSON_MISSING || kind == AM_JSON_NULL) return NULL;
    if (kind != AM_JSON_ARRAY) return am_loader_expected(loader, "added_tokens", "an array", json);
    am_added_token *tokens = am_arena_array(&t->arena, am_json_count(json) + 1, sizeof *tokens);
    if (!tokens) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);)
        AM_TRY(am_added_token_read(loader, i.value, &tokens[count++]));
    return am_added_tokens_add(&t->added, &t->arena, tokens, count, &t->model, t->normalizer);
}

static am_status read_truncation(const am_loader *loader, am_json json, am_limits *out)
{
    static const char *const strategies[] = {"", "LongestFirst", "OnlyFirst", "OnlySecond", NULL};
    static const char *const directions[] = {"Right", "Left", NULL};
    int strategy, direction = 0;
    uint64_t stride;
    AM_TRY(am_loader_choice(loader, json, "truncation", "strategy", strategies, &strategy));
    if (am_json_kind_of(am_json_get(json, "direction")) != AM_JSON_MISSING)
        AM_TRY(am_loader_choice(loader, json, "truncation", "direction", directions, &direction));
    AM_TRY(am_loader_count(loader, json, "truncation", "max_length", &out->max_length));
    AM_TRY(am_loader_count(loader, json, "truncation", "stride", &stride));
    if (stride > UINT32_MAX)
        return am_loader_expected(loader, "truncation.stride", "a smaller number", am_json_get(json, "stride"));
    out->truncation = (am_truncation)strategy;
    out->truncate_left = direction == 1;
    out->stride = (uint32_t)stride;
    return NULL;
}

static am_status read_padding(const am_loader *loader, am_json json, am_limits *out)
{
    static const char *const directions[] = {"Right", "Left", NULL};
    int direction;
    uint64_t pad_id, pad_type_id;
    am_json strategy = am_json_get(json, "strategy"), multiple = am_json_get(json, "pad_to_multiple_of");
    out->padding = AM_PAD_LONGEST;
    if (!am_json_equals(strategy, "BatchLongest")) {
        out->padding = AM_PAD_MAX_LENGTH;
        AM_TRY(am_loader_count(loader, strategy, "padding.strategy", "Fixed", &out->pad_length));
    }
    AM_TRY(am_loader_choice(loader, json, "padding", "direction", directions, &direction));
    AM_TRY(am_loader_count(loader, json, "padding", "pad_id", &pad_id));
    AM_TRY(am_loader_count(loader, json, "padding", "pad_type_id", &pad_type_id));
    AM_TRY(am_loader_text(loader, json, "padding", "pad_token", &out->pad_token));
    if (pad_id > INT32_MAX || pad_type_id > INT32_MAX)
        return am_loader_expected(loader, "padding", "smaller ids", json);
    if (am_json_kind_of(multiple) == AM_JSON_INTEGER)
        AM_TRY(am_loader_count(loader, json, "padding", "pad_to_multiple_of", &out->pad_to_multiple_of));
    out->pad_left = direction == 1;
    out->pad_id = (int32_t)pad_id;
    out->pad_type_id = (int32_t)pad_type_id;
    return NULL;
}

am_status am_tokenizer_read_limits(const am_loader *loader, am_json root, am_limits *out)
{
    am_json truncation = am_json_get(root, "truncation"), padding = am_json_get(root, "padding");
    *out = (am_limits){0};
    if (am_json_kind_of(truncation) == AM_JSON_OBJECT) AM_TRY(read_truncation(loader, truncation, out));
    else if (am_json_kind_of(truncation) > AM_JSON_NULL)
        return am_loader_expected(loader, "truncation", "an object", truncation);
    if (am_json_kind_of(padding) == AM_JSON_OBJECT) AM_TRY(read_padding(loader, padding, out));
    else if (am_json_kind_of(padding) > AM_JSON_NULL)
        return am_loader_expected(loader, "padding", "an object", padding);
    return NULL;
}

static am_status read_file(am_tokenizer *t, const am_loader *loader, am_json root)
{
    am_json model = am_json_get(root, "model");
    am_model_settings settings;
    am_tokenizer_parts parts = {am_json_get(root, "normalizer"), am_json_get(root, "pre_tokenizer"),
                                am_json_get(root, "post_processor"), am_json_get(root, "decoder")};
    if (am_json_kind_of(root) != AM_JSON_OBJECT) return am_loader_expected(loader, "the file", "an object", root);
    AM_TRY(am_model_read_settings(loader, model, &settings));
    AM_TRY(am_model_read(loader, model, &settings, &t->model));
    AM_TRY(am_tokenizer_read_parts(t, loader, &parts));
    AM_TRY(am_tokenizer_read_added_tokens(t, loader, am_json_get(root, "added_tokens")));
    AM_TRY(am_tokenizer_read_limits(loader, root, &t->file_limits));
    return am_added_tokens_finish(&t->added);
}

static am_status create_from_file(const am_json_document *document, const char *name, am_tokenizer **out)
{
    AM_TRY(am_tokenizer_create(out));
    am_tokenizer *t = *out;
    am_loader loader = {.arena = &t->arena, .regexes = &t->regexes, .name = name};
    am_status status = read_file(t, &loader, am_json_root(document));
    if (!status) return NULL;
    am_tokenizer_close(t);
    *out = NULL;
    return status;
}

am_status am_tokenizer_parse(const char *json, size_t length, const char *name, am_tokenizer **out)
{
    am_json_document *document;
    *out = NULL;
    AM_TRY(am_json_parse(json, length, name, &document));
    am_status status = create_from_file(document, name, out);
    am_json_close(document);
    return status;
}

am_status am_tokenizer_open_file(const char *path, am_tokenizer **out)
{
    am_json_document *document;
    *out = NULL;
    AM_TRY(am_json_open(path, &document));
    am_status status = create_from_file(document, path, out);
    am_json_close(document);
    return status;
}

/* ---- looking things up ---- */

int32_t am_tokenizer_token_to_id(const am_tokenizer *t, am_text token)
{
    if (t->python) return am_python_token_id(t->python, token);
    const am_added_entry *entry = am_added_tokens_find(&t->added, token);
    return entry ? entry->id : am_vocabulary_id(&t->model.vocabulary, token);
}

am_text am_tokenizer_id_to_token(const am_tokenizer *t, int32_t id)
{
    if (t->python) return am_python_id_text(t->python, id);
    const am_added_entry *entry = am_added_tokens_by_id(&t->added, id);
    if (entry) return entry->normal_form.bytes ? entry->normal_form : entry->token.content;
    return am_vocabulary_text(&t->model.vocabulary, id);
}

size_t am_tokenizer_vocab_size(const am_tokenizer *t, bool with_added_tokens)
{
    size_t size = t->model.vocabulary.count;
    if (t->python && t->python->class->id_limit) return (size_t)t->python->class->id_limit;
    for (uint32_t i = 0; with_added_tokens && i < t->added.count; i++)
        size += am_vocabulary_id(&t->model.vocabulary, t->added.entries[i].token.content) < 0;
    return size;
}

int32_t am_tokenizer_id_limit(const am_tokenizer *t)
{
    int32_t limit = t->model.vocabulary.id_limit;
    if (t->python && t->python->class->id_limit) return t->python->class->id_limit;
    return t->added.id_limit > limit ? t->added.id_limit : limit;
}

am_text am_tokenizer_special_token(const am_tokenizer *t, const char *name)
{
    for (size_t i = 0; i < t->named_count; i++)
        if (am_text_is(t->named[i].name, name)) return t->named[i].token;
    return (am_text){0};
}

int32_t am_tokenizer_special_id(const am_tokenizer *t, const char *name)
{
    am_text token = am_tokenizer_special_token(t, name);
    if (!token.bytes) return -1;
    int32_t id = am_tokenizer_token_to_id(t, token);
    return id < 0 && strcmp(name, "unk_token") != 0 ? am_tokenizer_special_id(t, "unk_token") : id;
}

bool am_tokenizer_is_special(const am_tokenizer *t, int32_t id)
{
    if (t->spm && !t->spm->is_library) return am_spm_is_special(t, id);
    if (t->python) return am_python_is_special(t->python, id);
    const am_added_entry *entry = am_added_tokens_find(&t->added, am_tokenizer_id_to_token(t, id));
    return entry && entry->was_special;
}

uint64_t am_tokenizer_model_max_length(const am_tokenizer *t)
{
    return t->model_max_length;
}

am_side am_tokenizer_padding_side(const am_tokenizer *t)
{
    return t->padding_side;
}

am_side am_tokenizer_truncation_side(const am_tokenizer *t)
{
    return t->truncation_side;
}

bool am_tokenizer_has_type_ids(const am_tokenizer *t)
{
    return t->has_type_ids;
}

int32_t am_tokenizer_language_id(const am_tokenizer *t)
{
    return t->language_id;
}

bool am_tokenizer_is_fast(const am_tokenizer *t)
{
    return !t->python && !t->ctc && (!t->spm || t->spm->is_library);
}

bool am_tokenizer_marks_subwords(const am_tokenizer *t)
{
    return am_tokenizer_is_fast(t) && t->model.settings.continuing_subword_prefix.length > 0;
}

const char *am_tokenizer_class(const am_tokenizer *t)
{
    return t->class_name;
}
