/* Special and added tokens of tokenizer_config.json, special_tokens_map.json, added_tokens.json and
   tokenizer.json (PreTrainedTokenizerBase._from_pretrained and TokenizersBackend.__init__). */
#include "text/tokenizer/auto.h"

#include "base/memory.h"

#include <stdlib.h>

static const char *const standard_names[] = {"bos_token", "eos_token", "unk_token",  "sep_token",
                                             "pad_token", "cls_token", "mask_token", NULL};

static am_status append(am_auto *a, am_auto_list *list, am_auto_token token)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        am_auto_token *items = am_arena_array(a->loader.arena, capacity, sizeof *items);
        if (!items) return am_out_of_memory();
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = token;
    list->set = true;
    return NULL;
}

am_status am_auto_append(am_auto *a, am_auto_list *list, am_text text)
{
    am_auto_token token = {.kind = AM_AUTO_STRING, .token.content = am_text_copy(a->loader.arena, text)};
    return token.token.content.bytes ? append(a, list, token) : am_out_of_memory();
}

am_status am_auto_append_once(am_auto *a, am_auto_list *list, am_text text)
{
    for (size_t i = 0; i < list->count; i++)
        if (am_text_equal(list->items[i].token.content, text)) return NULL;
    return am_auto_append(a, list, text);
}

am_status am_auto_append_all(am_auto *a, am_auto_list *list, const char *const *tokens)
{
    for (; *tokens; tokens++) AM_TRY(am_auto_append_once(a, list, (am_text){*tokens, strlen(*tokens)}));
    return NULL;
}

am_status am_auto_join_extra(am_auto *a)
{
    for (size_t i = 0; i < a->additional.count; i++) AM_TRY(append(a, &a->extra, a->additional.items[i]));
    a->extra.set = true;
    return NULL;
}

static am_auto_token *find_named(const am_auto_list *list, am_text name)
{
    for (size_t i = 0; i < list->count; i++)
        if (am_text_equal(list->items[i].name, name)) return &list->items[i];
    return NULL;
}

am_auto_token *am_auto_named(const am_auto *a, const char *name)
{
    return find_named(&a->named, (am_text){name, strlen(name)});
}

static bool is_given(const am_auto_token *token)
{
    return token && token->kind >= AM_AUTO_STRING;
}

am_text am_auto_text(const am_auto *a, const char *name)
{
    const am_auto_token *token = am_auto_named(a, name);
    return is_given(token) ? token->token.content : (am_text){"None", 4};
}

static am_status set_named(am_auto *a, am_auto_list *list, am_text name, am_auto_token token)
{
    am_auto_token *old = find_named(list, name);
    token.name = old ? old->name : am_text_copy(a->loader.arena, name);
    if (!token.name.bytes) return am_out_of_memory();
    if (!old) return append(a, list, token);
    *old = token;
    return NULL;
}

am_status am_auto_set_named(am_auto *a, const char *name, const char *token)
{
    am_auto_token value = {.kind = AM_AUTO_STRING,
                           .token.content = am_text_copy(a->loader.arena, (am_text){token, strlen(token)})};
    if (!value.token.content.bytes) return am_out_of_memory();
    return set_named(a, &a->named, (am_text){name, strlen(name)}, value);
}

void am_auto_make_token(am_auto *a, const char *name, bool lstrip)
{
    am_auto_token *token = am_auto_named(a, name);
    if (!token || token->kind != AM_AUTO_STRING) return;
    token->kind = AM_AUTO_TOKEN;
    token->token.lstrip = lstrip;
}

/* ---- reading ---- */

/* A token of JSON: null, a string, or an object with flags. */
static am_status read_token(am_auto *a, am_json json, am_auto_token *out)
{
    *out = (am_auto_token){.kind = am_json_kind_of(json) == AM_JSON_NULL ? AM_AUTO_NULL : AM_AUTO_STRING};
    if (out->kind == AM_AUTO_NULL) return NULL;
    AM_TRY(am_added_token_read(&a->loader, json, &out->token));
    if (am_json_kind_of(json) == AM_JSON_STRING) return NULL;
    out->kind = AM_AUTO_TOKEN;
    out->normalized_set = am_json_kind_of(am_json_get(json, "normalized")) == AM_JSON_BOOL;
    return NULL;
}

static am_status read_token_list(am_auto *a, am_json json, am_auto_list *out)
{
    if (am_json_kind_of(json) != AM_JSON_ARRAY) return NULL;
    out->set = true;
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);) {
        am_auto_token token;
        AM_TRY(read_token(a, i.value, &token));
        if (token.kind >= AM_AUTO_STRING) AM_TRY(append(a, out, token));
    }
    return NULL;
}

/* {"image_token": "<image>", ...} */
static am_status read_token_object(am_auto *a, am_json json, am_auto_list *out)
{
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);) {
        am_auto_token token;
        AM_TRY(read_token(a, i.value, &token));
        AM_TRY(set_named(a, out, (am_text){i.key.bytes, i.key.length}, token));
    }
    return NULL;
}

static bool ends_in_token(am_json_string key)
{
    return key.length > 6 && memcmp(key.bytes + key.length - 6, "_token", 6) == 0;
}

static bool may_be_token(am_json json)
{
    am_json_kind kind = am_json_kind_of(json);
    return kind == AM_JSON_STRING ||
           (kind == AM_JSON_OBJECT && am_json_kind_of(am_json_get(json, "content")) == AM_JSON_STRING);
}

/* Named tokens, and lists of extra ones, of one file; later files win. special: tokens with flags are
 * special. */
static am_status read_specials(am_auto *a, am_json json, bool special)
{
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);) {
        am_text name = {i.key.bytes, i.key.length};
        bool standard = am_name_index(name, standard_names) >= 0;
        bool absent = am_json_kind_of(i.value) == AM_JSON_NULL;
        am_auto_token token;
        if (!standard && !(ends_in_token(i.key) && may_be_token(i.value))) continue;
        if (standard && !absent && !may_be_token(i.value))
            return am_loader_expected(&a->loader, i.key.bytes, "a token", i.value);
        AM_TRY(read_token(a, i.value, &token));
        token.token.special |= special && token.kind == AM_AUTO_TOKEN;
        AM_TRY(set_named(a, standard ? &a->named : &a->given, name, token));
    }
    return NULL;
}

static am_status read_config(am_auto *a)
{
    am_json extra = am_json_get(a->config, "extra_special_tokens"),
            additional = am_json_get(a->config, "additional_special_tokens");
    AM_TRY(read_specials(a, a->config, false));
    if (am_json_count(extra) == 0 && am_json_kind_of(additional) == AM_JSON_ARRAY) extra = additional;
    if (am_json_kind_of(extra) == AM_JSON_OBJECT) return read_token_object(a, extra, &a->given);
    return read_token_list(a, extra, &a->extra);
}

static am_status read_decoder_entry(am_auto *a, am_json json, int64_t id)
{
    am_auto_token token;
    AM_TRY(read_token(a, json, &token));
    if (token.kind < AM_AUTO_STRING) return NULL;
    token.kind = AM_AUTO_TOKEN;
    token.id = id;
    for (size_t i = 0; i < a->added.count; i++) {
        if (a->added.items[i].id != id) continue;
        a->added.items[i] = token;
        return NULL;
    }
    return append(a, &a->added, token);
}

static bool is_special_text(const am_auto *a, am_text text)
{
    for (size_t i = 0; standard_names[i]; i++) {
        const am_auto_token *token = am_auto_named(a, standard_names[i]);
        if (is_given(token) && am_text_equal(token->token.content, text)) return true;
    }
    for (size_t i = 0; i < a->extra.count; i++)
        if (am_text_equal(a->extra.items[i].token.content, text)) return true;
    return false;
}

/* added_tokens.json: {"token": id, ...} */
static am_status read_added_map(am_auto *a)
{
    for (am_json_iterator i = am_json_iterate(a->added_map); am_json_next(&i);) {
        am_text text = am_text_copy(a->loader.arena, (am_text){i.key.bytes, i.key.length});
        bool special = is_special_text(a, text);
        if (!text.bytes) return am_out_of_memory();
        if (am_json_kind_of(i.value) != AM_JSON_INTEGER)
            return am_loader_expected(&a->loader, "added_tokens.json", "ids", i.value);
        am_auto_token token = {.kind = AM_AUTO_TOKEN,
                               .normalized_set = true,
                               .id = am_json_int(i.value, 0),
                               .token = {.content = text, .normalized = !special, .special = special}};
        AM_TRY(append(a, &a->added, token));
    }
    return NULL;
}

/* Without added_tokens_decoder the older files and tokenizer.json say which tokens are added. */
static am_status read_older_files(am_auto *a)
{
    am_json extra = am_json_get(a->special_map, "extra_special_tokens");
    AM_TRY(read_specials(a, a->special_map, true));
    AM_TRY(read_token_list(a, am_json_get(a->special_map, "additional_special_tokens"), &a->additional));
    if (am_json_kind_of(extra) == AM_JSON_OBJECT) AM_TRY(read_token_object(a, extra, &a->given));
    else AM_TRY(read_token_list(a, extra, &a->extra));
    AM_TRY(read_added_map(a));
    for (am_json_iterator i = am_json_iterate(am_json_get(a->file, "added_tokens")); am_json_next(&i);)
        AM_TRY(read_decoder_entry(a, i.value, am_json_int(am_json_get(i.value, "id"), -1)));
    return NULL;
}

static am_status read_added_tokens_decoder(am_auto *a, am_json decoder)
{
    for (am_json_iterator i = am_json_iterate(decoder); am_json_next(&i);) {
        char *end;
        long long id = strtoll(i.key.bytes, &end, 10);
        if (end == i.key.bytes || *end || id < 0)
            return am_loader_expected(&a->loader, "added_tokens_decoder", "ids as keys", i.value);
        AM_TRY(read_decoder_entry(a, i.value, id));
    }
    return NULL;
}

/* Named tokens take the flags of the added token of the same text. */
static void take_flags(am_auto *a)
{
    for (size_t i = 0; i < a->named.count; i++) {
        am_auto_token *named = &a->named.items[i];
        if (!is_given(named)) continue;
        for (size_t k = a->added.count; k-- > 0;) {
            const am_auto_token *added = &a->added.items[k];
            if (!am_text_equal(added->token.content, named->token.content)) continue;
            named->kind = AM_AUTO_TOKEN;
            named->token = added->token;
            named->normalized_set = added->normalized_set;
            break;
        }
    }
}

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const am_auto_token *)a)->id, y = ((const am_auto_token *)b)->id;
    return (x > y) - (x < y);
}

am_status am_auto_read_tokens(am_auto *a)
{
    am_json decoder = am_json_get(a->config, "added_tokens_decoder");
    for (size_t i = 0; standard_names[i]; i++)
        AM_TRY(set_named(a, &a->named, (am_text){standard_names[i], strlen(standard_names[i])},
                         (am_auto_token){.kind = AM_AUTO_ABSENT}));
    AM_TRY(read_config(a));
    if (am_json_kind_of(decoder) == AM_JSON_OBJECT) AM_TRY(read_added_tokens_decoder(a, decoder));
    else if (am_json_kind_of(decoder) > AM_JSON_NULL)
        return am_loader_expected(&a->loader, "added_tokens_decoder", "an object", decoder);
    else AM_TRY(read_older_files(a));
    take_flags(a);
    if (a->added.count) qsort(a->added.items, a->added.count, sizeof *a->added.items, by_id);
    return NULL;
}

am_status am_auto_take_given(am_auto *a)
{
    for (size_t i = 0; i < a->given.count; i++)
        AM_TRY(set_named(a, &a->named, a->given.items[i].name, a->given.items[i]));
    return NULL;
}

/* ---- adding ---- */

static am_added_token plain(const am_auto_token *token, bool special)
{
    am_added_token out = token->token;
    if (special) out.special = true;
    if (!token->normalized_set) out.normalized = !out.special;
    return out;
}

static bool is_named_text(const am_auto *a, am_text text)
{
    for (size_t i = 0; i < a->named.count; i++)
        if (is_given(&a->named.items[i]) && am_text_equal(a->named.items[i].token.content, text)) return true;
    return false;
}

/* Tokens about to be added. */
typedef struct pending {
    const am_auto_token **given;
    am_added_token *tokens;
    size_t count;
} pending;

static bool same_token(const am_auto_token *a, const am_auto_token *b)
{
    am_added_token x = plain(a, false), y = plain(b, false);
    if (a->kind != b->kind || !am_text_equal(x.content, y.content)) return false;
    return a->kind == AM_AUTO_STRING ||
           (x.single_word == y.single_word && x.lstrip == y.lstrip && x.rstrip == y.rstrip &&
            x.normalized == y.normalized && x.special == y.special);
}

/* Whether a token of this text is added already, or will be by added_tokens_decoder. */
static bool is_known(const am_auto *a, am_text text)
{
    for (size_t i = 0; i < a->added.count; i++)
        if (am_text_equal(a->added.items[i].token.content, text)) return true;
    return am_added_tokens_find(&a->tokenizer->added, text) != NULL;
}

/* Takes those special tokens that are not known; the same text with other flags comes again, and then counts. Named
   tokens, and strings, are special. */
static void take_missing(const am_auto *a, const am_auto_list *list, pending *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const am_auto_token *token = &list->items[i];
        bool there = !is_given(token) || is_known(a, token->token.content);
        for (size_t k = 0; k < out->count && !there; k++) there = same_token(out->given[k], token);
        if (there) continue;
        bool special = token->kind == AM_AUTO_STRING || is_named_text(a, token->token.content);
        out->given[out->count] = token;
        out->tokens[out->count++] = plain(token, special);
    }
}

static am_status add(am_auto *a, const am_added_token *tokens, size_t count)
{
    am_tokenizer *t = a->tokenizer;
    return am_added_tokens_add(&t->added, &t->arena, tokens, count, &t->model, t->normalizer);
}

am_status am_auto_add_tokens(am_auto *a)
{
    size_t most = a->added.count + a->named.count + a->extra.count;
    pending all = {am_arena_array(a->loader.arena, most + 1, sizeof *all.given),
                   am_arena_array(a->loader.arena, most + 1, sizeof *all.tokens), 0};
    if (!all.given || !all.tokens) return am_out_of_memory();
    for (size_t i = 0; i < a->added.count; i++) {
        all.given[i] = &a->added.items[i];
        all.tokens[all.count++] = plain(&a->added.items[i], is_named_text(a, a->added.items[i].token.content));
    }
    take_missing(a, &a->named, &all);
    take_missing(a, &a->extra, &all);
    return add(a, all.tokens, all.count);
}

/* Every named and extra token; strings get `normalized` as given, tokens keep theirs where `keep_flags`. */
static am_status add_all(am_auto *a, bool keep_flags)
{
    const am_auto_list *lists[] = {&a->named, &a->extra};
    size_t count = 0;
    am_added_token *tokens = am_arena_array(a->loader.arena, a->named.count + a->extra.count + 1, sizeof *tokens);
    if (!tokens) return am_out_of_memory();
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < lists[k]->count; i++) {
            const am_auto_token *token = &lists[k]->items[i];
            if (!is_given(token)) continue;
            tokens[count++] = keep_flags && token->kind == AM_AUTO_TOKEN
                                  ? plain(token, true)
                                  : (am_added_token){.content = token->token.content, .special = true};
        }
    }
    return add(a, tokens, count);
}

am_status am_auto_post_init(am_auto *a)
{
    return add_all(a, true);
}

am_status am_auto_add_all_special(am_auto *a)
{
    return add_all(a, false);
}
