#include "text/tokenizer/spm_tokenizer.h"
#include "text/tokenizer/python_text.h"

#include "base/memory.h"

static const am_text space_symbol = {"\xe2\x96\x81", 3};

static bool starts_with(am_text text, am_text start)
{
    return text.length >= start.length && memcmp(text.bytes, start.bytes, start.length) == 0;
}

/* ---- parts ---- */

/* A stretch of the text, an added token or what lies between. */
typedef struct part {
    uint32_t start, end;
    const am_added_entry *added;
} part;

typedef struct parts {
    part *items;
    size_t count, capacity;
} parts;

static void add_part(am_scratch *s, parts *list, part item)
{
    if (item.start == item.end) return;
    if (list->count == list->capacity) {
        size_t larger = list->capacity ? list->capacity * 2 : 16;
        part *items = am_scratch_alloc(s, larger, sizeof *items);
        if (!items) return;
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = larger;
    }
    list->items[list->count++] = item;
}

static void cut_text(const am_tokenizer *t, am_scratch *s, am_text text, bool whole, parts *out)
{
    uint32_t last = 0, length = (uint32_t)text.length;
    const am_trie *trie = &t->added.plain;
    for (uint32_t at = 0, end; !whole && trie->count && at < length && !s->failed; at = end) {
        int32_t token = trie->roots[(unsigned char)text.bytes[at]] ? am_trie_longest(trie, text, at, &end) : -1;
        if (token < 0) {
            end = at + 1;
            continue;
        }
        add_part(s, out, (part){last, at, NULL});
        add_part(s, out, (part){at, end, &t->added.entries[token]});
        last = end;
    }
    add_part(s, out, (part){last, length, NULL});
}

static uint32_t skip_spaces(am_text text, uint32_t at, uint32_t end)
{
    for (uint32_t length; at < end; at += length)
        if (!am_py_is_space(am_char_at(text.bytes + at, &length))) break;
    return at;
}

static uint32_t skip_spaces_back(am_text text, uint32_t at, uint32_t start)
{
    while (at > start) {
        uint32_t before = am_char_before(text.bytes, at), length;
        if (!am_py_is_space(am_char_at(text.bytes + before, &length))) break;
        at = before;
    }
    return at;
}

/* A token that must be a word of its own, and is not, belongs to the text beside it. */
static void keep_words_whole(am_text text, parts *list, size_t i)
{
    part *item = &list->items[i], *left = i > 0 ? item - 1 : NULL, *right = i + 1 < list->count ? item + 1 : NULL;
    if (left && left->start < left->end && left->end == item->start && text.bytes[left->end - 1] != ' ') {
        *left = (part){left->start, item->end, NULL};
        item->start = item->end;
    } else if (right && right->start < right->end && right->start == item->end && text.bytes[right->start] != ' ') {
        *right = (part){item->start, right->end, NULL};
        item->end = item->start;
    }
}

static void apply_flags(am_text text, parts *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const am_added_entry *added = list->items[i].added;
        part *left = i > 0 ? &list->items[i - 1] : NULL, *right = i + 1 < list->count ? &list->items[i + 1] : NULL;
        if (!added) continue;
        if (added->token.rstrip && right) right->start = skip_spaces(text, right->start, right->end);
        if (added->token.lstrip && left) left->end = skip_spaces_back(text, left->end, left->start);
        if (added->token.single_word) keep_words_whole(text, list, i);
    }
}

/* ---- pieces of a part ---- */

static void give_ids(const am_tokenizer *t, am_scratch *s, size_t first)
{
    for (size_t i = first; i < s->token_count; i++) {
        int32_t id = am_tokenizer_token_to_id(t, s->tokens[i].text);
        s->tokens[i].id = id >= 0 ? id : t->model.unk_id;
    }
}

/* Takes away `count` tokens from `first` on, where there are so many. */
static void drop_tokens(am_scratch *s, size_t first, size_t count)
{
    if (s->token_count - first < count) return;
    memmove(s->tokens + first, s->tokens + first + count, (s->token_count - first - count) * sizeof *s->tokens);
    s->token_count -= count;
}

/* Encodes behind the unknown token, whose own pieces are cut off. */
static am_status encode_behind_unknown(const am_tokenizer *t, am_scratch *s, am_text text)
{
    am_text unknown = am_tokenizer_special_token(t, "unk_token");
    size_t first = s->token_count;
    char *joined = am_scratch_alloc(s, unknown.length + text.length + 1, 1);
    if (!joined) return am_scratch_status(s);
    if (unknown.length) memcpy(joined, unknown.bytes, unknown.length);
    if (text.length) memcpy(joined + unknown.length, text.bytes, text.length);
    AM_TRY(am_spm_encode(&t->spm->spm, s, unknown));
    size_t alone = s->token_count - first;
    s->token_count = first;
    AM_TRY(am_spm_encode(&t->spm->spm, s, (am_text){joined, unknown.length + text.length}));
    drop_tokens(s, first, alone);
    for (size_t i = first; i < s->token_count; i++) {
        am_token *token = &s->tokens[i];
        uint32_t skipped = (uint32_t)unknown.length;
        token->start = token->start > skipped ? token->start - skipped : 0;
        token->end = token->end > skipped ? token->end - skipped : 0;
    }
    return NULL;
}

static bool is_digit(const char *text)
{
    uint32_t length;
    return am_py_is_digit(am_char_at(text, &length));
}

static bool ends_in_comma(am_text piece)
{
    if (piece.length < 2 || piece.bytes[piece.length - 1] != ',') return false;
    return is_digit(piece.bytes + am_char_before(piece.bytes, (uint32_t)piece.length - 1));
}

/* The piece without its comma, as pieces of its own, and the comma. */
static am_status add_without_comma(const am_tokenizer *t, am_scratch *s, am_token token)
{
    static const am_text comma = {",", 1};
    size_t first = s->token_count;
    am_buffer rest = {0};
    am_text piece = token.text;
    am_buffer_append(&rest, piece.bytes, piece.length - 1);
    am_status status = am_replace_all(&rest, space_symbol, (am_text){"", 0});
    char *copy = status ? NULL : am_scratch_alloc(s, rest.length + 1, 1);
    am_text text = {copy, rest.length};
    if (copy && rest.length) memcpy(copy, rest.bytes, rest.length);
    am_buffer_deinit(&rest);
    if (!status) status = copy ? am_spm_encode(&t->spm->spm, s, text) : am_scratch_status(s);
    if (status || s->failed) return status;
    am_token *head = &s->tokens[first];
    if (s->token_count > first && !starts_with(piece, space_symbol) && starts_with(head->text, space_symbol)) {
        if (head->text.length == space_symbol.length) drop_tokens(s, first, 1);
        else head->text.bytes += space_symbol.length, head->text.length -= space_symbol.length;
    }
    for (size_t i = first; i < s->token_count; i++) s->tokens[i].start = token.start, s->tokens[i].end = token.end;
    token.text = comma;
    am_scratch_add_token(s, token);
    return NULL;
}

static am_status split_commas(const am_tokenizer *t, am_scratch *s, size_t first)
{
    size_t count = s->token_count - first;
    am_token *tokens = am_scratch_alloc(s, count + 1, sizeof *tokens);
    if (!tokens || count == 0) return am_scratch_status(s);
    memcpy(tokens, s->tokens + first, count * sizeof *tokens);
    s->token_count = first;
    for (size_t i = 0; i < count && !s->failed; i++) {
        if (ends_in_comma(tokens[i].text)) AM_TRY(add_without_comma(t, s, tokens[i]));
        else am_scratch_add_token(s, tokens[i]);
    }
    return NULL;
}

/* ">>de<<": its length at the start of a text, or 0. */
static size_t code_length(am_text text)
{
    if (!starts_with(text, (am_text){">>", 2})) return 0;
    for (size_t i = 2; i + 1 < text.length; i++)
        if (text.bytes[i] == '<' && text.bytes[i + 1] == '<') return i + 2;
    return 0;
}

static am_status encode_prepared(const am_tokenizer *t, am_scratch *s, am_text text)
{
    const am_spm_tokenizer *spm = t->spm;
    size_t first = s->token_count, code = spm->has_target_code ? code_length(text) : 0;
    bool behind = spm->behind_unknown &&
                  (!spm->spaces_behind_only || starts_with(text, space_symbol) || starts_with(text, (am_text){" ", 1}));
    if (behind) return encode_behind_unknown(t, s, text);
    if (code) am_scratch_add_token(s, (am_token){0, 0, (uint32_t)code, true, {text.bytes, code}});
    AM_TRY(am_spm_encode(&spm->spm, s, (am_text){text.bytes + code, text.length - code}));
    for (size_t i = first + (code ? 1 : 0); code && i < s->token_count; i++)
        s->tokens[i].start += (uint32_t)code, s->tokens[i].end += (uint32_t)code;
    return spm->splits_commas ? split_commas(t, s, first) : NULL;
}

/* A text that was rewritten, in memory that stays until the next call. */
static am_status prepare(const am_tokenizer *t, am_spm_prepare by, am_scratch *s, am_text text, am_text *out)
{
    am_buffer buffer = {0};
    am_status status = by(t, s, text, &buffer);
    if (!status) status = am_buffer_status(&buffer);
    char *copy = status ? NULL : am_scratch_alloc(s, buffer.length + 1, 1);
    if (copy && buffer.length) memcpy(copy, buffer.bytes, buffer.length);
    *out = (am_text){copy, buffer.length};
    am_buffer_deinit(&buffer);
    if (status) return status;
    return copy ? NULL : am_scratch_status(s);
}

/* Tokens of a part, with the places of the whole part where it was rewritten. */
static am_status encode_part(const am_tokenizer *t, am_scratch *s, am_text text, const part *item)
{
    size_t first = s->token_count;
    am_text prepared = {text.bytes + item->start, item->end - item->start};
    am_spm_prepare by = t->spm->prepare_part;
    if (by) AM_TRY(prepare(t, by, s, prepared, &prepared));
    AM_TRY(encode_prepared(t, s, prepared));
    for (size_t i = first; i < s->token_count; i++) {
        am_token *token = &s->tokens[i];
        token->start = by ? item->start : token->start + item->start;
        token->end = by ? item->end : token->end + item->start;
    }
    if (!t->spm->is_library) give_ids(t, s, first);
    return NULL;
}

static void drop_first_space(const am_tokenizer *t, am_scratch *s)
{
    if (s->token_count < 2 || !am_text_equal(s->tokens[0].text, space_symbol)) return;
    for (size_t i = 0; i < t->named_count; i++) {
        if (!am_text_equal(t->named[i].token, s->tokens[1].text)) continue;
        drop_tokens(s, 0, 1);
        return;
    }
}

am_status am_spm_run(const am_tokenizer *t, am_scratch *s, am_text text, bool split_special)
{
    const am_spm_tokenizer *spm = t->spm;
    am_text whole = text;
    parts list = {0};
    if (spm->prepare_text) AM_TRY(prepare(t, spm->prepare_text, s, text, &whole));
    cut_text(t, s, whole, split_special, &list);
    apply_flags(whole, &list);
    for (size_t i = 0; i < list.count && !s->failed; i++) {
        const part *item = &list.items[i];
        if (item->start >= item->end) continue;
        if (!item->added) AM_TRY(encode_part(t, s, whole, item));
        else
            am_scratch_add_token(
                s, (am_token){item->added->id, item->start, item->end, false, item->added->token.content});
    }
    if (spm->drops_first_space) drop_first_space(t, s);
    for (size_t i = 0; spm->prepare_text && i < s->token_count; i++)
        s->tokens[i].start = 0, s->tokens[i].end = (uint32_t)text.length;
    am_scratch_add_piece(s, (am_piece){.text = text.bytes,
                                       .length = (uint32_t)text.length,
                                       .original_length = (uint32_t)text.length,
                                       .added_id = -1,
                                       .token_count = (uint32_t)s->token_count});
    am_scratch_take_new_pieces(s);
    return NULL;
}

/* ---- the end token that comes once ---- */

size_t am_spm_added(const am_tokenizer *t, size_t count)
{
    return t->spm && t->spm->ends_once ? count : 0;
}

void am_spm_set_types(const am_tokenizer *t, am_draft *draft, size_t first_count)
{
    size_t start = first_count + am_post_processor_added(t->post_processor, false);
    for (size_t i = start; t->spm->types_by_length && i < draft->count; i++) draft->tokens[i].type_id = 1;
}

void am_spm_end_drafts(const am_tokenizer *t, am_scratch *s, am_draft *drafts, size_t count)
{
    am_text eos = am_tokenizer_special_token(t, "eos_token");
    int32_t id = am_tokenizer_special_id(t, "eos_token");
    for (size_t i = 0; t->spm->ends_once && i < count; i++) {
        am_draft *draft = &drafts[i];
        if (draft->count && draft->tokens[draft->count - 1].id == id) continue;
        am_draft_token *tokens = am_scratch_alloc(s, draft->count + 1, sizeof *tokens);
        if (!tokens) return;
        if (draft->count) memcpy(tokens, draft->tokens, draft->count * sizeof *tokens);
        tokens[draft->count++] =
            (am_draft_token){.id = id, .word = -1, .source = -1, .text = eos, .special = true, .attended = true};
        draft->tokens = tokens;
    }
}

/* ---- decoding ---- */

bool am_spm_is_special(const am_tokenizer *t, int32_t id)
{
    for (size_t i = 0; i < t->named_count; i++) {
        int32_t named = am_tokenizer_token_to_id(t, t->named[i].token);
        if ((named < 0 ? t->model.unk_id : named) == id) return true;
    }
    return false;
}

bool am_spm_waits_for_all(const am_tokenizer *t)
{
    return !t->spm->is_library;
}

static bool is_special_text(const am_tokenizer *t, am_text token)
{
    for (size_t i = 0; i < t->named_count; i++)
        if (am_text_equal(t->named[i].token, token)) return true;
    return false;
}

/* Appends what the model makes of some tokens. */
static am_status decode_stretch(const am_tokenizer *t, am_scratch *s, const am_text *tokens, size_t count,
                                am_buffer *out)
{
    am_buffer text = {0};
    am_status status = am_spm_decode(&t->spm->spm, s, tokens, count, &text);
    for (uint32_t at = 0, length; t->spm->do_upper_case && at < text.length; at += length)
        am_py_append_upper(am_char_at(text.bytes + at, &length), out);
    if (!t->spm->do_upper_case) am_buffer_append(out, am_buffer_text(&text), text.length);
    am_buffer_deinit(&text);
    return status ? status : am_buffer_status(out);
}

static am_status join_by_model(const am_tokenizer *t, am_scratch *s, const am_text *tokens, size_t count,
                               am_buffer *out)
{
    const am_spm_joining *joining = &t->spm->joining;
    size_t first = 0;
    bool after_special = false;
    for (size_t i = 0; i < count; i++) {
        bool special = is_special_text(t, tokens[i]);
        if (special) {
            if (joining->space_before && !after_special) am_buffer_append_char(out, ' ');
            AM_TRY(decode_stretch(t, s, tokens + first, i - first, out));
            am_buffer_append(out, tokens[i].bytes, tokens[i].length);
            if (joining->space_behind) am_buffer_append_char(out, ' ');
            first = i + 1;
        }
        after_special = special;
    }
    return decode_stretch(t, s, tokens + first, count - first, out);
}

am_status am_spm_join(const am_tokenizer *t, am_scratch *s, const am_text *tokens, size_t count, am_buffer *out)
{
    const am_spm_joining *joining = &t->spm->joining;
    if (t->spm->is_library) return am_spm_decode(&t->spm->spm, s, tokens, count, out);
    if (joining->by_model) AM_TRY(join_by_model(t, s, tokens, count, out));
    else
        for (size_t i = 0; i < count; i++) am_buffer_append(out, tokens[i].bytes, tokens[i].length);
    AM_TRY(am_buffer_status(out));
    if (joining->replaces_spaces) AM_TRY(am_replace_all(out, space_symbol, (am_text){" ", 1}));
    if (joining->strips) am_strip_like_python(out);
    if (!joining->visible_breaks) return NULL;
    AM_TRY(am_replace_all(out, (am_text){" ", 1}, (am_text){"", 0}));
    AM_TRY(am_replace_all(out, (am_text){"\xe2\x96\x82", 3}, (am_text){" ", 1}));
    return am_replace_all(out, (am_text){"\xe2\x96\x83", 3}, (am_text){"\n", 1});
}

am_status am_spm_decode_ids(const am_tokenizer *t, am_scratch *s, const int32_t *ids, size_t count, bool skip_special,
                            am_buffer *out)
{
    am_buffer text = {0};
    size_t kept = 0, bytes = 0;
    am_text *tokens = am_scratch_alloc(s, count + 1, sizeof *tokens);
    if (!tokens) return am_scratch_status(s);
    for (size_t i = 0; i < count; i++) {
        am_text token = am_tokenizer_id_to_token(t, ids[i]);
        bool skipped = skip_special && !t->spm->is_library && am_spm_is_special(t, ids[i]);
        if (!token.bytes || skipped) continue;
        tokens[kept++] = token;
        bytes += token.length;
    }
    am_scratch_limit(s, bytes);
    am_status status = am_spm_join(t, s, tokens, kept, &text);
    am_buffer_append(out, am_buffer_text(&text), text.length);
    am_buffer_deinit(&text);
    return status ? status : am_buffer_status(out);
}

/* ---- a model file ---- */

static am_status add_pieces(am_tokenizer *t, const am_spm_file *file, const char *path)
{
    am_model_settings settings = {.kind = AM_MODEL_WORDLEVEL,
                                  .has_unk_token = true,
                                  .unk_token = file->pieces[t->spm->spm.unk_id].text,
                                  .continuing_subword_prefix = {"", 0},
                                  .end_of_word_suffix = {"", 0},
                                  .unk_id = -1};
    AM_TRY(am_model_init(&t->model, &settings, file->count));
    for (uint32_t i = 0; i < file->count; i++) AM_TRY(am_model_add_token(&t->model, file->pieces[i].text, i, 0, path));
    return am_model_finish(&t->model);
}

static am_status name_pieces(am_tokenizer *t, const am_spm_file *file)
{
    const struct {
        const char *name;
        int32_t id;
    } named[] = {{"bos_token", file->bos_id}, {"eos_token", file->eos_id}, {"unk_token", t->spm->spm.unk_id}};
    t->named = am_arena_array(&t->arena, sizeof named / sizeof *named, sizeof *t->named);
    if (!t->named) return am_out_of_memory();
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (named[i].id >= 0 && (uint32_t)named[i].id < file->count)
            t->named[t->named_count++] =
                (am_named_token){{named[i].name, strlen(named[i].name)}, file->pieces[named[i].id].text};
    return NULL;
}

static am_status open_library(am_tokenizer *t, const char *path)
{
    am_loader loader = {.arena = &t->arena, .regexes = &t->regexes, .name = path};
    am_spm_file file;
    t->class_name = "SentencePieceProcessor";
    AM_TRY(am_spm_file_open(&t->arena, path, &file));
    t->spm = am_arena_alloc(&t->arena, sizeof *t->spm);
    if (!t->spm) return am_out_of_memory();
    t->spm->is_library = true;
    AM_TRY(am_spm_init(&t->spm->spm, &file, &loader));
    AM_TRY(add_pieces(t, &file, path));
    AM_TRY(name_pieces(t, &file));
    return am_added_tokens_finish(&t->added);
}

am_status am_tokenizer_open_spm(const char *path, am_tokenizer **out)
{
    AM_TRY(am_tokenizer_create(out));
    am_status status = open_library(*out, path);
    if (!status) return NULL;
    am_tokenizer_close(*out);
    *out = NULL;
    return status;
}

void am_spm_tokenizer_deinit(am_spm_tokenizer *spm)
{
    if (spm) am_spm_deinit(&spm->spm);
}
