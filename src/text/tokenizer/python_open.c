/* Building a tokenizer that transformers writes in Python (PreTrainedTokenizer.__init__). */
#include "text/tokenizer/python_tokenizer.h"

#include "base/memory.h"

#include <stdlib.h>

const am_auto_class *am_python_class_named(am_text name)
{
    static const am_auto_class *const tables[] = {am_python_byte_classes, am_python_bpe_classes, am_python_moses_classes,
                                                  am_python_wordpiece_classes, am_python_character_classes,
                                                  am_python_clvp_classes, am_python_cpmant_classes};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const am_auto_class *row = tables[i]; row->name; row++)
            if (am_text_is(name, row->name)) return row;
    return NULL;
}

/* ---- added tokens ---- */

/* Number of different tokens, which is the next free id. */
static int32_t next_id(const am_tokenizer *t)
{
    int32_t count = 0;
    if (t->python->class->id_limit) return t->python->class->id_limit;
    for (int32_t id = 0; id < t->model.vocabulary.id_limit; id++)
        count += am_vocabulary_text(&t->model.vocabulary, id).bytes != NULL;
    for (uint32_t i = 0; i < t->added.count; i++)
        count += !am_vocabulary_text(&t->model.vocabulary, t->added.entries[i].id).bytes;
    return count;
}

static am_status add_fixed(am_auto *a, const am_python_fixed_token *fixed)
{
    am_tokenizer *t = a->tokenizer;
    am_added_token token = {.normalized = true, .lstrip = fixed->strips, .rstrip = fixed->strips};
    if (fixed->text) token.content = (am_text){fixed->text, strlen(fixed->text)};
    const am_auto_token *named = fixed->name ? am_auto_named(a, fixed->name) : NULL;
    if (named && named->kind < AM_AUTO_STRING) return NULL;
    if (named && named->kind == AM_AUTO_STRING) token.content = named->token.content;
    if (named && named->kind == AM_AUTO_TOKEN) token = named->token;
    return am_added_tokens_put(&t->added, &t->arena, &token, fixed->id);
}

/* Tokens of the class itself, then those of added_tokens_decoder. */
static am_status add_given(am_auto *a, const am_python_class *class)
{
    am_tokenizer *t = a->tokenizer;
    for (const am_python_fixed_token *fixed = class->fixed_tokens; fixed && (fixed->name || fixed->text); fixed++)
        AM_TRY(add_fixed(a, fixed));
    for (size_t i = 0; i < a->added.count; i++) {
        if (a->added.items[i].id >= AM_VOCABULARY_ID_LIMIT)
            return am_error(AM_INVALID_FILE, "%s: added_tokens_decoder: the id %lld is too large", a->directory,
                            (long long)a->added.items[i].id);
        AM_TRY(am_added_tokens_put(&t->added, &t->arena, &a->added.items[i].token, (int32_t)a->added.items[i].id));
    }
    return NULL;
}

/* Special tokens that are not there yet get the id of the vocabulary, or the next. */
static am_status add_specials(am_auto *a, const am_python *p)
{
    am_tokenizer *t = a->tokenizer;
    int32_t next = next_id(t);
    for (size_t i = 0; i < p->special_count; i++) {
        am_added_token token = {.content = p->specials[i], .special = true};
        if (token.content.length == 0 || am_added_tokens_find(&t->added, token.content)) continue;
        int32_t id = am_tokenizer_token_to_id(t, token.content);
        bool only_cut =
            am_text_equal(token.content, p->cut_only[0]) || am_text_equal(token.content, p->cut_only[1]);
        if (only_cut) next += id < 0;
        else AM_TRY(am_added_tokens_put(&t->added, &t->arena, &token, id >= 0 ? id : next++));
    }
    return NULL;
}

static am_status take_specials(am_auto *a, am_python *p, const am_auto_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const am_auto_token *token = &list->items[i];
        if (token->kind < AM_AUTO_STRING || am_python_is_special_text(p, token->token.content)) continue;
        am_text text = am_text_copy(a->loader.arena, token->token.content);
        if (!text.bytes) return am_out_of_memory();
        p->specials[p->special_count++] = text;
    }
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* all_special_ids */
static am_status find_special_ids(am_auto *a, am_python *p)
{
    p->special_ids = am_arena_array(a->loader.arena, p->special_count + 1, sizeof *p->special_ids);
    if (!p->special_ids) return am_out_of_memory();
    for (size_t i = 0; i < p->special_count; i++) {
        int32_t id = am_tokenizer_token_to_id(a->tokenizer, p->specials[i]);
        p->special_ids[i] = id >= 0 ? id : p->unk_id;
    }
    qsort(p->special_ids, p->special_count, sizeof *p->special_ids, by_value);
    return NULL;
}

/* ---- the frame ---- */

static am_status read_template(am_auto *a, const char *words, am_python_template *out)
{
    am_text rest = {words, strlen(words)}, word;
    while (am_py_next_word(&rest, &word)) {
        size_t at = out->count++;
        if (am_text_is(word, "A") || am_text_is(word, "B")) {
            out->items[at].side = word.bytes[0];
            continue;
        }
        out->items[at].if_lacking = word.bytes[word.length - 1] == '?';
        word.length -= out->items[at].if_lacking;
        out->items[at].name = word;
        const char *name = am_arena_printf(a->loader.arena, "%.*s_token", (int)word.length, word.bytes);
        if (!name) return am_out_of_memory();
        const am_auto_token *token = am_auto_named(a, name);
        if (token && token->kind >= AM_AUTO_STRING) out->items[at].token = token->token.content;
    }
    return NULL;
}

static am_status take_extra(am_auto *a, const am_python_class *class)
{
    AM_TRY(am_auto_take_given(a));
    if (!a->extra.set && a->additional.set) a->extra = a->additional;
    return a->extra.set || !class->extra_tokens ? NULL : am_auto_append_all(a, &a->extra, class->extra_tokens);
}

static am_status fill_trie(am_python *p)
{
    const am_added_tokens *added = &p->tokenizer->added;
    for (size_t i = 0; i < 2; i++)
        if (p->cut_only[i].length) AM_TRY(am_trie_add(&p->trie, p->cut_only[i], 0));
    for (uint32_t i = 0; i < added->count; i++)
        if (added->entries[i].token.content.length)
            AM_TRY(am_trie_add(&p->trie, added->entries[i].token.content, (int32_t)i));
    return NULL;
}

static void find_unknown(am_auto *a, am_python *p)
{
    const am_tokenizer *t = a->tokenizer;
    const am_auto_token *token = am_auto_named(a, "unk_token");
    p->unk_id = -1;
    if (token->kind < AM_AUTO_STRING) return;
    p->unk_token = token->token.content;
    if (p->class->unknown == AM_PYTHON_UNK_OF_VOCABULARY)
        p->unk_id = am_vocabulary_id(&t->model.vocabulary, p->unk_token);
    if (p->class->unknown == AM_PYTHON_UNK_TOKEN) p->unk_id = am_tokenizer_token_to_id(t, p->unk_token);
}

static am_status add_tokens(am_auto *a, am_python *p)
{
    p->specials = am_arena_array(a->loader.arena, a->named.count + a->extra.count + 1, sizeof *p->specials);
    if (!p->specials) return am_out_of_memory();
    AM_TRY(take_specials(a, p, &a->named));
    AM_TRY(take_specials(a, p, &a->extra));
    AM_TRY(add_given(a, p->class));
    AM_TRY(add_specials(a, p));
    AM_TRY(am_added_tokens_finish(&a->tokenizer->added));
    find_unknown(a, p);
    AM_TRY(find_special_ids(a, p));
    return fill_trie(p);
}

am_status am_python_build(am_auto *a)
{
    am_tokenizer *t = a->tokenizer;
    am_python *p = t->python = am_arena_alloc(&t->arena, sizeof *p);
    if (!p) return am_out_of_memory();
    *p = (am_python){.class = a->class->python, .tokenizer = t, .trie.empty_token = -1, .unk_id = -1};
    AM_TRY(take_extra(a, p->class));
    AM_TRY(p->class->open(a, p));
    AM_TRY(am_vocabulary_finish(&t->model.vocabulary));
    AM_TRY(add_tokens(a, p));
    AM_TRY(read_template(a, p->class->single, &p->single));
    AM_TRY(read_template(a, p->class->pair, &p->pair));
    AM_TRY(am_auto_name_tokens(a));
    am_auto_read_settings(a);
    return NULL;
}

void am_python_destroy(am_python *p)
{
    if (!p) return;
    if (p->class->close) p->class->close(p);
    am_py_bpe_destroy(p->bpe);
    am_free(p->trie.nodes);
}
