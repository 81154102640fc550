/* Wav2Vec2CTCTokenizer: a vocabulary of characters in vocab.json, of several languages where target_lang
 * chooses one. */
#include "text/tokenizer/auto.h"

#include "base/file.h"

static const char *const defaults[][2] = {
    {"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}};

static am_status set_tokens(am_auto *a)
{
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        if (am_auto_named(a, defaults[i][0])->kind == AM_AUTO_ABSENT)
            AM_TRY(am_auto_set_named(a, defaults[i][0], defaults[i][1]));
    AM_TRY(am_auto_set_named(a, "word_delimiter_token", "|"));
    AM_TRY(am_auto_take_given(a));
    if (!a->extra.set && a->additional.set) a->extra = a->additional;
    return NULL;
}

/* {"token": id, ...}, or that of one language. */
static am_status read_vocabulary(am_auto *a, am_json json, const char *path)
{
    am_model *model = &a->tokenizer->model;
    am_text language = am_auto_config_text(a, "target_lang", "");
    const char *name = am_arena_string(a->loader.arena, language.bytes, language.length);
    if (!name) return am_out_of_memory();
    if (am_json_kind_of(am_json_get(a->config, "target_lang")) == AM_JSON_STRING) {
        json = am_json_get(json, name);
        if (am_json_kind_of(json) != AM_JSON_OBJECT)
            return am_error(AM_INVALID_FILE, "%s: no vocabulary of the language \"%s\"", path, name);
    }
    if (am_json_kind_of(json) != AM_JSON_OBJECT) return am_error(AM_INVALID_FILE, "%s: expected an object", path);
    AM_TRY(am_model_init(model, &a->settings, am_json_count(json)));
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);) {
        if (am_json_kind_of(i.value) != AM_JSON_INTEGER)
            return am_error(AM_INVALID_FILE, "%s: expected whole numbers as ids, found %s", path,
                            am_json_kind_name(am_json_kind_of(i.value)));
        AM_TRY(am_model_add_token(model, (am_text){i.key.bytes, i.key.length}, am_json_int(i.value, -1), 0, path));
    }
    return am_model_finish(model);
}

static am_status open_vocabulary(am_auto *a)
{
    const char *path = am_path_join(a->loader.arena, a->directory, "vocab.json");
    am_json_document *document;
    if (!path) return am_out_of_memory();
    AM_TRY(am_json_open(path, &document));
    am_status status = read_vocabulary(a, am_json_root(document), path);
    am_json_close(document);
    return status;
}

static am_status add(am_auto *a, am_added_token token)
{
    am_tokenizer *t = a->tokenizer;
    return am_added_tokens_add(&t->added, &t->arena, &token, 1, &t->model, NULL);
}

static am_status add_given(am_auto *a, const am_auto_token *token)
{
    AM_TRY(add(a, token->token));
    const am_added_entry *entry = am_added_tokens_find(&a->tokenizer->added, token->token.content);
    if (!entry || entry->id == token->id) return NULL;
    return am_error(AM_UNSUPPORTED, "%s: added_tokens_decoder: \"%.*s\" has the id %lld, where %d comes next",
                    a->directory, (int)(token->token.content.length < 40 ? token->token.content.length : 40),
                    token->token.content.bytes, (long long)token->id, (int)entry->id);
}

static am_status add_special(am_auto *a, const am_auto_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        am_text content = list->items[i].token.content;
        if (list->items[i].kind < AM_AUTO_STRING || am_added_tokens_find(&a->tokenizer->added, content)) continue;
        AM_TRY(add(a, (am_added_token){.content = content, .special = true}));
    }
    return NULL;
}

/* Tokens of several characters are not to be cut. */
static am_status add_long_tokens(am_auto *a)
{
    const am_vocabulary *vocabulary = &a->tokenizer->model.vocabulary;
    for (uint32_t i = 0; i < vocabulary->count; i++) {
        am_text token = am_vocabulary_entry_text(vocabulary, &vocabulary->entries[i]);
        if (token.length == 0 || am_char_length(token.bytes[0]) == token.length) continue;
        token = am_text_copy(a->loader.arena, token);
        if (!token.bytes) return am_out_of_memory();
        AM_TRY(add(a, (am_added_token){.content = token, .lstrip = true, .rstrip = true}));
    }
    return NULL;
}

static am_status add_tokens(am_auto *a)
{
    for (size_t i = 0; i < a->added.count; i++) AM_TRY(add_given(a, &a->added.items[i]));
    AM_TRY(add_special(a, &a->named));
    AM_TRY(add_special(a, &a->extra));
    AM_TRY(add_long_tokens(a));
    return am_added_tokens_finish(&a->tokenizer->added);
}

am_status am_auto_build_ctc(am_auto *a)
{
    am_tokenizer *t = a->tokenizer;
    am_ctc *ctc = am_arena_alloc(&t->arena, sizeof *ctc);
    if (!ctc) return am_out_of_memory();
    AM_TRY(set_tokens(a));
    a->settings = (am_model_settings){
        .kind = AM_MODEL_WORDLEVEL, .has_unk_token = true, .unk_token = am_auto_text(a, "unk_token"), .unk_id = -1};
    a->settings.continuing_subword_prefix = a->settings.end_of_word_suffix = (am_text){"", 0};
    *ctc = (am_ctc){.word_delimiter = {"|", 1},
                    .pad = am_auto_text(a, "pad_token"),
                    .do_lower_case = am_auto_bool(a, "do_lower_case", false)};
    am_text replacement = am_auto_config_text(a, "replace_word_delimiter_char", " ");
    ctc->replacement = am_text_copy(&t->arena, replacement);
    if (!ctc->replacement.bytes) return am_out_of_memory();
    t->ctc = ctc;
    AM_TRY(open_vocabulary(a));
    AM_TRY(add_tokens(a));
    AM_TRY(am_auto_name_tokens(a));
    am_auto_read_settings(a);
    return NULL;
}
