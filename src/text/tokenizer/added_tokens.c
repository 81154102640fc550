/* Tokens that stand beside the model's vocabulary and are cut out of the text before anything else. */
#include "text/tokenizer/internal.h"

#include "base/memory.h"

am_status am_added_tokens_init(am_added_tokens *added)
{
    *added = (am_added_tokens){.plain.empty_token = -1, .normalized.empty_token = -1};
    return am_vocabulary_init(&added->by_content, 16);
}

void am_added_tokens_deinit(am_added_tokens *added)
{
    am_vocabulary_deinit(&added->by_content);
    am_free(added->entries);
    am_free(added->by_id);
    am_free(added->plain.nodes);
    am_free(added->normalized.nodes);
    *added = (am_added_tokens){0};
}

/* ---- adding ---- */

static am_added_entry *find_entry(const am_added_tokens *added, am_text content)
{
    int32_t index = am_vocabulary_id(&added->by_content, content);
    return index < 0 ? NULL : &added->entries[index];
}

static bool same_flags(const am_added_token *a, const am_added_token *b)
{
    return a->single_word == b->single_word && a->lstrip == b->lstrip && a->rstrip == b->rstrip &&
           a->normalized == b->normalized && a->special == b->special;
}

static am_status grow(am_added_tokens *added)
{
    if (added->count < added->capacity) return NULL;
    uint32_t capacity = added->capacity ? added->capacity * 2 : 16;
    am_added_entry *entries = am_realloc(added->entries, capacity * sizeof *entries);
    if (!entries) return am_out_of_memory();
    added->entries = entries;
    added->capacity = capacity;
    return NULL;
}

/* What the normalizer makes of a text; {null, 0} when that is the text itself. */
static am_status normal_form(am_arena *arena, am_text text, const am_normalizer *normalizer, am_text *out)
{
    *out = (am_text){0};
    if (!normalizer) return NULL;
    am_scratch *s = am_scratch_create();
    if (!s) return am_out_of_memory();
    am_piece piece = {
        .text = text.bytes, .length = (uint32_t)text.length, .original_length = (uint32_t)text.length, .added_id = -1};
    am_status status = am_normalizer_apply(normalizer, s, &piece);
    if (!status) status = am_scratch_status(s);
    am_text result = {piece.text, piece.length};
    if (!status && !am_text_equal(result, text)) {
        *out = am_text_copy(arena, result);
        if (!out->bytes) status = am_out_of_memory();
    }
    am_scratch_destroy(s);
    return status;
}

/* The next id that neither the model nor an added token has. */
static int32_t next_free_id(const am_added_tokens *added, const am_model *model)
{
    int32_t size = (int32_t)model->vocabulary.count;
    return added->id_limit > size ? added->id_limit : size;
}

static am_status add_entry(am_added_tokens *added, am_arena *arena, const am_added_token *token, int32_t id)
{
    am_text content = am_text_copy(arena, token->content);
    if (!content.bytes) return am_out_of_memory();
    AM_TRY(grow(added));
    AM_TRY(am_vocabulary_add(&added->by_content, content, added->count, false, "added tokens"));
    added->entries[added->count++] = (am_added_entry){.token.content = content, .id = id};
    if (id >= added->id_limit) added->id_limit = id + 1;
    return NULL;
}

static am_status add_token(am_added_tokens *added, am_arena *arena, const am_added_token *token, const am_model *model,
                           const am_normalizer *normalizer, int32_t *next_id)
{
    am_added_entry *entry = find_entry(added, token->content);
    if (token->content.length == 0 || (entry && same_flags(&entry->token, token))) return NULL;
    if (!entry) {
        int32_t id = am_vocabulary_id(&model->vocabulary, token->content);
        if (id < 0) id = (*next_id)++;
        if (id >= AM_VOCABULARY_ID_LIMIT) return am_error(AM_INVALID_FILE, "added tokens: no ids left");
        AM_TRY(add_entry(added, arena, token, id));
        entry = &added->entries[added->count - 1];
    }
    if (token->normalized) {
        am_text form;
        AM_TRY(normal_form(arena, token->content, normalizer, &form));
        if (form.bytes) entry->normal_form = form;
    }
    am_text content = entry->token.content;
    entry->token = *token;
    entry->token.content = content;
    entry->was_special |= token->special;
    return NULL;
}

am_status am_added_tokens_add(am_added_tokens *added, am_arena *arena, const am_added_token *tokens, size_t count,
                              const am_model *model, const am_normalizer *normalizer)
{
    int32_t next_id = next_free_id(added, model);
    for (size_t i = 0; i < count; i++) AM_TRY(add_token(added, arena, &tokens[i], model, normalizer, &next_id));
    return NULL;
}

am_status am_added_tokens_put(am_added_tokens *added, am_arena *arena, const am_added_token *token, int64_t id)
{
    am_added_entry *entry = find_entry(added, token->content);
    if (token->content.length == 0) return NULL;
    if (id < 0 || id >= AM_VOCABULARY_ID_LIMIT)
        return am_error(AM_INVALID_FILE, "added tokens: the id %lld of \"%.*s\" is not in [0, %d)", (long long)id,
                        (int)(token->content.length < 60 ? token->content.length : 60), token->content.bytes,
                        AM_VOCABULARY_ID_LIMIT);
    if (!entry) {
        AM_TRY(add_entry(added, arena, token, (int32_t)id));
        entry = &added->entries[added->count - 1];
    }
    am_text content = entry->token.content;
    entry->token = *token;
    entry->token.content = content;
    entry->id = (int32_t)id;
    entry->was_special |= token->special;
    if (entry->id >= added->id_limit) added->id_limit = entry->id + 1;
    return NULL;
}

am_status am_added_tokens_renormalize(am_added_tokens *added, am_arena *arena, const am_normalizer *normalizer)
{
    for (uint32_t i = 0; i < added->count; i++) {
        am_added_entry *entry = &added->entries[i];
        entry->normal_form = (am_text){0};
        if (entry->token.normalized) AM_TRY(normal_form(arena, entry->token.content, normalizer, &entry->normal_form));
    }
    return NULL;
}

const am_added_entry *am_added_tokens_find(const am_added_tokens *added, am_text content)
{
    return find_entry(added, content);
}

const am_added_entry *am_added_tokens_by_id(const am_added_tokens *added, int32_t id)
{
    const am_added_entry *found = NULL;
    if (added->by_id)
        return id >= 0 && id < added->id_limit && added->by_id[id] ? &added->entries[added->by_id[id] - 1] : NULL;
    for (uint32_t i = 0; i < added->count; i++)
        if (added->entries[i].id == id) found = &added->entries[i];
    return found;
}

/* ---- tries ---- */

static am_status add_node(am_trie *trie, char byte, uint32_t *out)
{
    if (trie->count == trie->capacity) {
        uint32_t capacity = trie->capacity ? trie->capacity * 2 : 64;
        if (capacity > UINT32_MAX / 4) return am_out_of_memory();
        am_trie_node *nodes = am_realloc(trie->nodes, capacity * sizeof *nodes);
        if (!nodes) return am_out_of_memory();
        trie->nodes = nodes;
        trie->capacity = capacity;
        if (trie->count == 0) trie->nodes[trie->count++] = (am_trie_node){.token = -1}; /* 0 stands for none */
    }
    *out = trie->count++;
    trie->nodes[*out] = (am_trie_node){.token = -1, .byte = byte};
    return NULL;
}

uint32_t am_trie_child(const am_trie *trie, uint32_t node, char byte)
{
    uint32_t child = trie->nodes[node].first_child;
    while (child && trie->nodes[child].byte != byte) child = trie->nodes[child].next_sibling;
    return child;
}

am_status am_trie_add(am_trie *trie, am_text text, int32_t token)
{
    uint32_t node = 0;
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.bytes[i];
        uint32_t child = i == 0 ? trie->roots[(unsigned char)byte] : am_trie_child(trie, node, byte);
        if (!child) {
            AM_TRY(add_node(trie, byte, &child));
            if (i == 0) trie->roots[(unsigned char)byte] = child;
            else trie->nodes[child].next_sibling = trie->nodes[node].first_child, trie->nodes[node].first_child = child;
        }
        node = child;
    }
    if (text.length == 0) trie->empty_token = token;
    else trie->nodes[node].token = token;
    return NULL;
}

am_status am_added_tokens_finish(am_added_tokens *added)
{
    added->by_id = am_alloc_zeroed((size_t)added->id_limit, sizeof *added->by_id);
    if (!added->by_id) return am_out_of_memory();
    for (uint32_t i = 0; i < added->count; i++) {
        const am_added_entry *entry = &added->entries[i];
        am_text text = entry->token.normalized && entry->normal_form.bytes ? entry->normal_form : entry->token.content;
        AM_TRY(am_trie_add(entry->token.normalized ? &added->normalized : &added->plain, text, (int32_t)i));
        if (!added->by_id[entry->id]) added->by_id[entry->id] = i + 1;
    }
    return NULL;
}

int32_t am_trie_longest(const am_trie *trie, am_text text, uint32_t at, uint32_t *end)
{
    uint32_t node = trie->roots[(unsigned char)text.bytes[at]];
    int32_t token = trie->empty_token;
    *end = at;
    while (node) {
        at++;
        if (trie->nodes[node].token >= 0) token = trie->nodes[node].token, *end = at;
        if (at == text.length) break;
        node = am_trie_child(trie, node, text.bytes[at]);
    }
    return token;
}

/* ---- cutting ---- */

static bool is_single_word(const am_piece *piece, uint32_t start, uint32_t end)
{
    uint32_t length;
    if (start > 0 && am_char_is_word(am_char_at(piece->text + am_char_before(piece->text, start), &length)))
        return false;
    return end == piece->length || !am_char_is_word(am_char_at(piece->text + end, &length));
}

static uint32_t skip_spaces_back(const am_piece *piece, uint32_t at, uint32_t stop)
{
    while (at > stop) {
        uint32_t before = am_char_before(piece->text, at), length;
        if (!am_char_is_whitespace(am_char_at(piece->text + before, &length))) break;
        at = before;
    }
    return at < stop ? stop : at;
}

static uint32_t skip_spaces(const am_piece *piece, uint32_t at)
{
    uint32_t length;
    for (; at < piece->length; at += length)
        if (!am_char_is_whitespace(am_char_at(piece->text + at, &length))) break;
    return at;
}

static void add_slice(am_scratch *s, const am_piece *piece, uint32_t start, uint32_t end, int32_t id)
{
    if (start >= end) return;
    am_piece slice = am_piece_slice(piece, start, end);
    slice.added_id = id;
    am_scratch_add_piece(s, slice);
}

/* Where a token that was found is cut: with the spaces it takes along. */
static void cut_token(am_scratch *s, const am_piece *piece, const am_added_entry *entry, uint32_t start, uint32_t end,
                      uint32_t *last)
{
    if (entry->token.lstrip) start = skip_spaces_back(piece, start, *last);
    if (entry->token.rstrip) end = skip_spaces(piece, end);
    if (*last < start) add_slice(s, piece, *last, start, -1);
    add_slice(s, piece, start, end, entry->id);
    *last = end;
}

static void cut_piece(const am_added_tokens *added, const am_trie *trie, am_scratch *s, const am_piece *piece,
                      bool split_special)
{
    uint32_t last = 0;
    for (uint32_t at = 0, end; (trie->count > 0 || trie->empty_token >= 0) && at < piece->length; at = end) {
        if (!trie->roots[(unsigned char)piece->text[at]] && trie->empty_token < 0) {
            end = at + 1;
            continue;
        }
        int32_t token = am_trie_longest(trie, (am_text){piece->text, piece->length}, at, &end);
        uint32_t match_end = end;
        if (end == at) end = at + am_char_length(piece->text[at]);
        if (token < 0) continue;
        const am_added_entry *entry = &added->entries[token];
        if (split_special && entry->was_special) continue;
        if (entry->token.single_word && !is_single_word(piece, at, match_end)) continue;
        cut_token(s, piece, entry, at, match_end, &last);
    }
    add_slice(s, piece, last, piece->length, -1);
}

static am_status cut_all(const am_added_tokens *added, const am_trie *trie, const am_normalizer *normalizer,
                         am_scratch *s, bool split_special)
{
    s->new_piece_count = 0;
    for (size_t i = 0; i < s->piece_count; i++) {
        am_piece piece = s->pieces[i];
        if (piece.added_id >= 0) {
            am_scratch_add_piece(s, piece);
            continue;
        }
        AM_TRY(am_normalizer_apply(normalizer, s, &piece));
        if (!s->failed) cut_piece(added, trie, s, &piece, split_special);
    }
    am_scratch_take_new_pieces(s);
    return NULL;
}

am_status am_added_tokens_extract(const am_added_tokens *added, const am_normalizer *normalizer, am_scratch *s,
                                  bool split_special)
{
    AM_TRY(cut_all(added, &added->plain, NULL, s, split_special));
    return cut_all(added, &added->normalized, normalizer, s, split_special);
}
