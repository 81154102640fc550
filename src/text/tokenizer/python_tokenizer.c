/* The frame of the tokenizers that transformers writes in Python: from text to ids and back. */
#include "text/tokenizer/python_tokenizer.h"

#include "base/memory.h"

am_text am_python_keep(am_scratch *s, am_buffer *buffer)
{
    char *bytes = buffer->failed ? NULL : am_scratch_alloc(s, buffer->length + 1, 1);
    am_text text = {bytes, buffer->length};
    if (buffer->failed) s->failed = true;
    if (bytes) memcpy(bytes, am_buffer_text(buffer), buffer->length + 1);
    am_buffer_deinit(buffer);
    return bytes ? text : (am_text){"", 0};
}

bool am_python_is_special_text(const am_python *p, am_text text)
{
    for (size_t i = 0; i < p->special_count; i++)
        if (am_text_equal(p->specials[i], text)) return true;
    return false;
}

bool am_python_is_special(const am_python *p, int32_t id)
{
    size_t low = 0, high = p->special_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (id > p->special_ids[middle]) low = middle + 1;
        else high = middle;
    }
    return low < p->special_count && p->special_ids[low] == id;
}

/* ---- Trie.split ---- */

/* A place where a token may have begun, and how far it is matched. */
typedef struct state {
    uint32_t start, node;
    bool over; /* the last character did not continue it */
} state;

typedef struct splitter {
    const am_trie *trie;
    am_text text;
    am_scratch *scratch;
    state *states; /* in order of their starts */
    size_t count;
    uint32_t skip;
} splitter;

/* The node behind `node` (0: the root) for the whole character at `at`; 0: none. */
static uint32_t step(const splitter *f, uint32_t node, uint32_t at)
{
    uint32_t end = at + am_char_length(f->text.bytes[at]);
    for (bool root = node == 0; at < end && (root || node); at++, root = false)
        node =
            root ? f->trie->roots[(unsigned char)f->text.bytes[at]] : am_trie_child(f->trie, node, f->text.bytes[at]);
    return node;
}

static bool ends_token(const splitter *f, uint32_t node)
{
    return f->trie->nodes[node].token >= 0;
}

/* The longest token that starts where `other` does, for one that was found to end before `current`. As in Python, an
   earlier place looks on behind `current` even where that character has just ended it. */
static void look_ahead(splitter *f, const state *other, uint32_t current, uint32_t *start, uint32_t *end)
{
    uint32_t node = other->node, length = (uint32_t)f->text.length;
    uint32_t at = other->start < *start ? current + am_char_length(f->text.bytes[current]) : current;
    *end = at;
    if (ends_token(f, node)) *start = other->start, f->skip = at;
    while (at < length && (node = step(f, node, at)) != 0) {
        at += am_char_length(f->text.bytes[at]);
        if (ends_token(f, node)) *start = other->start, *end = f->skip = at;
    }
}

static void cut(splitter *f, uint32_t at, uint32_t *last)
{
    if (at > *last) am_scratch_add_match(f->scratch, *last, at, false);
    if (at > *last) *last = at;
}

/* Moves the states over the character at `current`; true when a token was found and cut out. */
static bool advance(splitter *f, uint32_t current, uint32_t *last)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        state *now = &f->states[i];
        now->over = false;
        if (ends_token(f, now->node)) {
            uint32_t start = now->start, end = current;
            for (size_t k = 0; k <= i && f->states[k].start <= start; k++)
                look_ahead(f, &f->states[k], current, &start, &end);
            cut(f, start, last);
            cut(f, end, last);
            return true;
        }
        uint32_t next = step(f, now->node, current);
        now->over = next == 0;
        if (next) now->node = next;
    }
    for (size_t i = 0; i < f->count; i++)
        if (!f->states[i].over) f->states[kept++] = f->states[i];
    f->count = kept;
    return false;
}

/* scratch->matches = the parts of the text between the cuts. */
static void split_text(const am_trie *trie, am_scratch *s, am_text text)
{
    splitter f = {.trie = trie, .text = text, .scratch = s};
    uint32_t last = 0, length = (uint32_t)text.length;
    s->match_count = 0;
    for (uint32_t current = 0; trie->count > 0 && current < length; current += am_char_length(text.bytes[current])) {
        if (current < f.skip) continue;
        if (advance(&f, current, &last)) f.count = 0;
        uint32_t node = current >= f.skip ? step(&f, 0, current) : 0;
        if (!node) continue;
        f.states = am_scratch_work(s, 0, f.count + 1, sizeof *f.states);
        if (!f.states) return;
        f.states[f.count++] = (state){.start = current, .node = node};
    }
    for (size_t i = 0; i < f.count; i++) {
        if (!ends_token(&f, f.states[i].node)) continue;
        cut(&f, f.states[i].start, &last);
        break;
    }
    cut(&f, length, &last);
}

/* ---- tokenize ---- */

static am_text joined(am_scratch *s, am_text a, am_text b)
{
    char *bytes = am_scratch_alloc(s, a.length + b.length, 1);
    if (!bytes) return a;
    memcpy(bytes, a.bytes, a.length);
    memcpy(bytes + a.length, b.bytes, b.length);
    return (am_text){bytes, a.length + b.length};
}

/* lstrip, rstrip and single_word of an added token, which change its neighbours. */
static void apply_flags(am_scratch *s, const am_added_token *token, am_text *parts, size_t i, size_t count)
{
    am_text *left = i > 0 ? &parts[i - 1] : NULL, *right = i + 1 < count ? &parts[i + 1] : NULL;
    am_text left_text = left ? *left : (am_text){0}, right_text = right ? *right : (am_text){0};
    if (token->rstrip && right_text.length) *right = am_py_lstrip(right_text);
    if (token->lstrip && left_text.length) *left = am_py_rstrip(left_text);
    if (!token->single_word) return;
    if (left_text.length && left_text.bytes[left_text.length - 1] != ' ') {
        *left = joined(s, *left, parts[i]);
        parts[i].length = 0;
    } else if (right_text.length && right_text.bytes[0] != ' ') {
        *right = joined(s, parts[i], *right);
        parts[i].length = 0;
    }
}

static am_status tokenize_parts(const am_python *p, am_scratch *s, am_text *parts, size_t count)
{
    const am_added_tokens *added = &p->tokenizer->added;
    for (size_t i = 0; i < count; i++) {
        const am_added_entry *entry = am_added_tokens_find(added, parts[i]);
        if (entry) apply_flags(s, &entry->token, parts, i, count);
    }
    for (size_t i = 0; i < count && !s->failed; i++) {
        if (parts[i].length == 0) continue;
        if (am_added_tokens_find(added, parts[i]) || am_python_is_special_text(p, parts[i]))
            am_python_add_token(s, parts[i]);
        else AM_TRY(p->class->tokenize(p, s, parts[i]));
    }
    return NULL;
}

/* scratch->tokens = the tokens of a text. */
static am_status tokenize(const am_python *p, am_scratch *s, am_text text, bool split_special)
{
    s->token_count = 0;
    if (p->class->prepare) AM_TRY(p->class->prepare(p, s, &text));
    if (split_special) return p->class->tokenize(p, s, text);
    split_text(&p->trie, s, text);
    am_text *parts = am_scratch_alloc(s, s->match_count + 1, sizeof *parts);
    if (!parts) return NULL;
    size_t count = s->match_count;
    for (size_t i = 0; i < count; i++)
        parts[i] = (am_text){text.bytes + s->matches[i].start, s->matches[i].end - s->matches[i].start};
    return tokenize_parts(p, s, parts, count);
}

int32_t am_python_token_id(const am_python *p, am_text token)
{
    const am_added_entry *entry = am_added_tokens_find(&p->tokenizer->added, token);
    if (entry) return entry->id;
    return p->class->token_id ? p->class->token_id(p, token) : am_vocabulary_id(&p->tokenizer->model.vocabulary, token);
}

static int32_t id_of(const am_python *p, am_text token)
{
    int32_t id = am_python_token_id(p, token);
    return id < 0 ? p->unk_id : id;
}

static am_status encode_input(const am_python *p, am_scratch *s, const am_input *in, int32_t source, bool split_special,
                              am_draft *out)
{
    size_t capacity = 0;
    *out = (am_draft){0};
    for (size_t i = 0; i < in->count && !s->failed; i++) {
        AM_TRY(tokenize(p, s, in->words[i], split_special));
        AM_TRY(am_scratch_status(s));
        if (out->count + s->token_count > capacity) {
            capacity = (out->count + s->token_count) * (in->is_words ? 2 : 1);
            am_draft_token *tokens = am_scratch_alloc(s, capacity, sizeof *tokens);
            if (!tokens) return am_scratch_status(s);
            if (out->count) memcpy(tokens, out->tokens, out->count * sizeof *tokens);
            out->tokens = tokens;
        }
        for (size_t k = 0; k < s->token_count; k++)
            out->tokens[out->count++] = (am_draft_token){.id = id_of(p, s->tokens[k].text),
                                                         .word = in->is_words ? (int32_t)i : -1,
                                                         .source = (int8_t)source,
                                                         .text = s->tokens[k].text,
                                                         .attended = true,
                                                         .transient = s->tokens[k].transient};
    }
    return NULL;
}

/* ---- truncation ---- */

static void drop(am_draft *draft, uint64_t count, bool left)
{
    size_t dropped = count < draft->count ? (size_t)count : draft->count;
    if (left) draft->tokens += dropped;
    draft->count -= dropped;
}

/* truncate_sequences */
static void truncate(am_draft drafts[2], size_t count, const am_limits *limits, size_t special)
{
    uint64_t total = drafts[0].count + (count == 2 ? drafts[1].count : 0) + special;
    if (limits->truncation == AM_TRUNCATE_NEVER || total <= limits->max_length) return;
    uint64_t removed = total - limits->max_length, longer, rest;
    bool left = limits->truncate_left;
    if (limits->truncation == AM_TRUNCATE_ONLY_SECOND) {
        if (count == 2) drop(&drafts[1], removed, left);
        return;
    }
    if (limits->truncation == AM_TRUNCATE_ONLY_FIRST || count == 1) {
        drop(&drafts[0], removed, left);
        return;
    }
    bool first_is_longer = drafts[0].count > drafts[1].count;
    longer = first_is_longer ? drafts[0].count - drafts[1].count : drafts[1].count - drafts[0].count;
    if (longer > removed) longer = removed;
    rest = removed - longer;
    drop(&drafts[0], (first_is_longer ? longer : 0) + rest / 2, left);
    drop(&drafts[1], (first_is_longer ? 0 : longer) + rest - rest / 2, left);
}

/* ---- special tokens ---- */

static am_status put_special(const am_python *p, am_draft *out, am_text name, am_text token, bool if_lacking)
{
    if (!token.bytes)
        return am_error(AM_INVALID_ARGUMENT, "special tokens are to be added, but there is no %.*s_token",
                        (int)name.length, name.bytes);
    int32_t id = id_of(p, token);
    if (if_lacking && out->count > 0 && out->tokens[out->count - 1].id == id && !out->tokens[out->count - 1].special)
        return NULL;
    out->tokens[out->count++] =
        (am_draft_token){.id = id, .word = -1, .source = -1, .text = token, .special = true, .attended = true};
    return NULL;
}

/* Puts the drafts together; ranges of the sequences are those of their tokens. */
static am_status build(const am_python *p, const am_python_template *template, am_scratch *s, const am_draft *drafts,
                       size_t count, am_draft *out)
{
    size_t total = template->count + drafts[0].count + (count == 2 ? drafts[1].count : 0);
    *out = (am_draft){.tokens = am_scratch_alloc(s, total, sizeof *out->tokens),
                      .ranges = am_scratch_alloc(s, 2, sizeof *out->ranges)};
    if (!out->tokens || !out->ranges) return am_scratch_status(s);
    for (size_t i = 0; i < template->count; i++) {
        char side = template->items[i].side;
        const am_draft *draft = side ? &drafts[side - 'A'] : NULL;
        if (!draft) {
            AM_TRY(
                put_special(p, out, template->items[i].name, template->items[i].token, template->items[i].if_lacking));
            continue;
        }
        uint32_t first = (uint32_t)out->count;
        if (draft->count) memcpy(out->tokens + first, draft->tokens, draft->count * sizeof *out->tokens);
        out->count += draft->count;
        out->ranges[out->range_count++] = (am_draft_range){(uint32_t)(side - 'A'), {first, (uint32_t)out->count}};
    }
    return NULL;
}

/* create_token_type_ids_from_sequences: the second type begins where the first text alone would have ended. */
static void set_types(const am_python *p, const am_draft *drafts, size_t count, am_draft *out)
{
    size_t first = p->single.count - 1 + drafts[0].count;
    for (size_t i = 0; count == 2 && !p->class->one_type && i < out->count; i++) out->tokens[i].type_id = i >= first;
}

static am_status assemble(const am_python *p, am_scratch *s, const am_draft *drafts, size_t count, bool add_special,
                          am_draft *out)
{
    static const am_python_template bare[2] = {{.items = {{.side = 'A'}}, .count = 1},
                                               {.items = {{.side = 'A'}, {.side = 'B'}}, .count = 2}};
    const am_python_template *template = add_special ? (count == 2 ? &p->pair : &p->single) : &bare[count - 1];
    AM_TRY(build(p, template, s, drafts, count, out));
    if (add_special) set_types(p, drafts, count, out);
    if (out->count > 0 && out->tokens[0].id < 0)
        return am_error(AM_OUT_OF_RANGE, "the token \"%.*s\" has no id, and the class has none for unknown tokens",
                        (int)(out->tokens[0].text.length < 60 ? out->tokens[0].text.length : 60),
                        out->tokens[0].text.bytes);
    return NULL;
}

static am_status encode_with(const am_python *p, am_scratch *s, const am_input inputs[2], size_t count,
                             const am_encode_options *options, const am_limits *limits, am_encoding *out)
{
    am_draft drafts[2] = {{0}, {0}}, whole;
    bool split_special = options->split_special_tokens || p->tokenizer->split_special_tokens;
    for (size_t i = 0; i < count; i++) AM_TRY(encode_input(p, s, &inputs[i], (int32_t)i, split_special, &drafts[i]));
    size_t special = !options->add_special_tokens ? 0 : count == 2 ? p->pair.count - 2 : p->single.count - 1;
    truncate(drafts, count, limits, special);
    AM_TRY(assemble(p, s, drafts, count, options->add_special_tokens, &whole));
    AM_TRY(am_scratch_status(s));
    return am_encoding_from_draft(&whole, inputs, out);
}

am_status am_python_encode(const am_tokenizer *t, const am_input inputs[2], size_t count,
                           const am_encode_options *options, const am_limits *limits, am_encoding *out)
{
    am_scratch *s = am_tokenizer_take_scratch(t);
    if (!s) return am_out_of_memory();
    am_scratch_limit(s, am_input_bytes(inputs, count));
    am_status status = encode_with(t->python, s, inputs, count, options, limits, out);
    am_tokenizer_give_scratch(t, s);
    return status;
}

/* ---- decode ---- */

am_text am_python_id_text(const am_python *p, int32_t id)
{
    const am_added_entry *entry = am_added_tokens_by_id(&p->tokenizer->added, id);
    if (entry) return entry->token.content;
    return p->class->id_text ? p->class->id_text(p, id) : am_vocabulary_text(&p->tokenizer->model.vocabulary, id);
}

static am_text text_of(const am_python *p, int32_t id)
{
    am_text text = am_python_id_text(p, id);
    return text.bytes || p->class->skips_unknown_ids ? text : p->unk_token;
}

am_status am_python_join(const am_tokenizer *t, const int32_t *ids, size_t count, const am_decode_options *options,
                         am_buffer *out)
{
    const am_python *p = t->python;
    am_text *tokens = am_alloc((count + 1) * sizeof *tokens);
    size_t kept = 0;
    if (!tokens) return am_out_of_memory();
    for (size_t i = 0; i < count; i++) {
        if (options->skip_special_tokens && am_python_is_special(p, ids[i])) continue;
        am_text text = text_of(p, ids[i]);
        if (text.bytes) tokens[kept++] = text;
    }
    am_status status = p->class->join(p, tokens, kept, options, out);
    am_free(tokens);
    return status ? status : am_buffer_status(out);
}
