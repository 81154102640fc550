/* Post-processors of tokenizer.json: special tokens around the texts, type ids, offsets without spaces. */
#include "text/tokenizer/internal.h"

#include "base/memory.h"

typedef enum kind { BERT, ROBERTA, BYTE_LEVEL, TEMPLATE, SEQUENCE } kind;

static const char *const kind_names[] = {"BertProcessing",     "RobertaProcessing", "ByteLevel",
                                         "TemplateProcessing", "Sequence",          NULL};

/* One or more tokens that a template puts in by one name. */
typedef struct special {
    am_text name;
    am_text *tokens;
    int32_t *ids;
    size_t count;
} special;

/* A place of a template: a sequence (0 or 1), or a special token. */
typedef struct place {
    int sequence; /* -1: a special token */
    int32_t type_id;
    const special *token; /* null: not among the special tokens of the file */
    am_text name;
} place;

typedef struct template
{
    place *places;
    size_t count;
}
template;

struct am_post_processor {
    kind kind;
    special cls, sep;
    bool trim_offsets, add_prefix_space;
    template single, pair;
    special *specials;
    size_t special_count;
    am_post_processor **items;
    size_t item_count;
};

/* ---- reading ---- */

static am_status read_id(const am_loader *loader, am_json value, int32_t *out)
{
    int64_t id = am_json_int(value, -1);
    if (id < 0 || id > INT32_MAX) return am_loader_expected(loader, "post_processor", "a token id", value);
    *out = (int32_t)id;
    return NULL;
}

static am_status make_special(const am_loader *loader, size_t count, special *out)
{
    out->tokens = am_arena_array(loader->arena, count + 1, sizeof *out->tokens);
    out->ids = am_arena_array(loader->arena, count + 1, sizeof *out->ids);
    out->count = count;
    return out->tokens && out->ids ? NULL : am_out_of_memory();
}

/* ["[SEP]", 102] */
static am_status read_pair(const am_loader *loader, am_json json, const char *key, special *out)
{
    am_json value = am_json_get(json, key);
    am_json_iterator i = am_json_iterate(value);
    AM_TRY(make_special(loader, 1, out));
    if (am_json_kind_of(value) != AM_JSON_ARRAY || am_json_count(value) != 2 || !am_json_next(&i) ||
        am_json_kind_of(i.value) != AM_JSON_STRING)
        return am_loader_expected(loader, "post_processor.sep and cls", "[token, id]", value);
    out->tokens[0] = am_text_copy(loader->arena, am_text_of(i.value));
    if (!out->tokens[0].bytes) return am_out_of_memory();
    return am_json_next(&i) ? read_id(loader, i.value, &out->ids[0]) : NULL;
}

/* {"id": name, "ids": [...], "tokens": [...]} */
static am_status read_special(const am_loader *loader, am_json_string key, am_json json, special *out)
{
    am_json ids = am_json_get(json, "ids"), tokens = am_json_get(json, "tokens");
    size_t count = am_json_count(ids), k = 0;
    if (am_json_kind_of(ids) != AM_JSON_ARRAY || am_json_kind_of(tokens) != AM_JSON_ARRAY ||
        am_json_count(tokens) != count)
        return am_loader_expected(loader, "post_processor.special_tokens", "as many ids as tokens", json);
    AM_TRY(make_special(loader, count, out));
    out->name = am_text_copy(loader->arena, (am_text){key.bytes, key.length});
    for (am_json_iterator i = am_json_iterate(ids); am_json_next(&i); k++)
        AM_TRY(read_id(loader, i.value, &out->ids[k]));
    k = 0;
    for (am_json_iterator i = am_json_iterate(tokens); am_json_next(&i); k++) {
        if (am_json_kind_of(i.value) != AM_JSON_STRING)
            return am_loader_expected(loader, "post_processor.special_tokens", "tokens", i.value);
        out->tokens[k] = am_text_copy(loader->arena, am_text_of(i.value));
        if (!out->tokens[k].bytes) return am_out_of_memory();
    }
    return out->name.bytes ? NULL : am_out_of_memory();
}

/* {"Sequence": {"id": "A", "type_id": 0}} or {"SpecialToken": {"id": "[CLS]", "type_id": 0}} */
static am_status read_place(const am_loader *loader, am_json json, const am_post_processor *p, place *out)
{
    am_json sequence = am_json_get(json, "Sequence"), token = am_json_get(json, "SpecialToken");
    bool is_token = am_json_kind_of(token) == AM_JSON_OBJECT;
    am_json fields = is_token ? token : sequence;
    am_text id = am_text_of(am_json_get(fields, "id"));
    int64_t type_id = am_json_int(am_json_get(fields, "type_id"), -1);
    bool is_a = am_text_is(id, "A"), is_b = am_text_is(id, "B");
    if (type_id < 0 || type_id > INT32_MAX || (!is_token && !is_a && !is_b))
        return am_loader_expected(loader, "post_processor template", "Sequence A or B, or SpecialToken, with a type_id",
                                  json);
    *out =
        (place){.sequence = is_token ? -1 : is_b, .type_id = (int32_t)type_id, .name = am_text_copy(loader->arena, id)};
    if (!out->name.bytes) return am_out_of_memory();
    for (size_t i = 0; is_token && i < p->special_count; i++)
        if (am_text_equal(p->specials[i].name, id)) out->token = &p->specials[i];
    return NULL;
}

static am_status read_template(const am_loader *loader, am_json json, const am_post_processor *p, template *out)
{
    if (am_json_kind_of(json) != AM_JSON_ARRAY)
        return am_loader_expected(loader, "post_processor.single and pair", "an array", json);
    out->places = am_arena_array(loader->arena, am_json_count(json) + 1, sizeof *out->places);
    if (!out->places) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(json); am_json_next(&i);)
        AM_TRY(read_place(loader, i.value, p, &out->places[out->count++]));
    return NULL;
}

static am_status read_templates(const am_loader *loader, am_json json, am_post_processor *out)
{
    am_json specials = am_json_get(json, "special_tokens");
    if (am_json_kind_of(specials) != AM_JSON_OBJECT)
        return am_loader_expected(loader, "post_processor.special_tokens", "an object", specials);
    out->specials = am_arena_array(loader->arena, am_json_count(specials) + 1, sizeof *out->specials);
    if (!out->specials) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(specials); am_json_next(&i);)
        AM_TRY(read_special(loader, i.key, i.value, &out->specials[out->special_count++]));
    AM_TRY(read_template(loader, am_json_get(json, "single"), out, &out->single));
    return read_template(loader, am_json_get(json, "pair"), out, &out->pair);
}

static am_status read_sequence(const am_loader *loader, am_json json, am_post_processor *out)
{
    am_json items = am_json_get(json, "processors");
    if (am_json_kind_of(items) != AM_JSON_ARRAY)
        return am_loader_expected(loader, "post_processor.processors", "an array", items);
    out->items = am_arena_array(loader->arena, am_json_count(items) + 1, sizeof *out->items);
    if (!out->items) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(items); am_json_next(&i);) {
        am_post_processor *item;
        AM_TRY(am_post_processor_parse(loader, i.value, &item));
        if (item) out->items[out->item_count++] = item;
    }
    return NULL;
}

static am_status read_fields(const am_loader *loader, am_json json, am_post_processor *out)
{
    switch (out->kind) {
    case ROBERTA:
        AM_TRY(am_loader_bool(loader, json, "post_processor", "trim_offsets", &out->trim_offsets));
        AM_TRY(am_loader_bool(loader, json, "post_processor", "add_prefix_space", &out->add_prefix_space));
        /* fall through */
    case BERT:
        AM_TRY(read_pair(loader, json, "cls", &out->cls));
        return read_pair(loader, json, "sep", &out->sep);
    case BYTE_LEVEL:
        AM_TRY(am_loader_bool(loader, json, "post_processor", "trim_offsets", &out->trim_offsets));
        return am_loader_bool(loader, json, "post_processor", "add_prefix_space", &out->add_prefix_space);
    case TEMPLATE:
        return read_templates(loader, json, out);
    case SEQUENCE:
        return read_sequence(loader, json, out);
    }
    return NULL;
}

am_status am_post_processor_parse(const am_loader *loader, am_json json, am_post_processor **out)
{
    int index;
    *out = NULL;
    if (am_json_kind_of(json) == AM_JSON_NULL || am_json_kind_of(json) == AM_JSON_MISSING) return NULL;
    if (am_json_kind_of(json) != AM_JSON_OBJECT) return am_loader_expected(loader, "post_processor", "an object", json);
    AM_TRY(am_loader_choice(loader, json, "post_processor", "type", kind_names, &index));
    am_post_processor *processor = am_arena_alloc(loader->arena, sizeof *processor);
    if (!processor) return am_out_of_memory();
    processor->kind = (kind)index;
    AM_TRY(read_fields(loader, json, processor));
    *out = processor;
    return NULL;
}

/* ---- applying: each turns a list of drafts into another ---- */

typedef struct drafts {
    am_draft *items;
    size_t count;
} drafts;

static size_t template_added(const template *t)
{
    size_t count = 0;
    for (size_t i = 0; i < t->count; i++)
        if (t->places[i].sequence < 0 && t->places[i].token) count += t->places[i].token->count;
    return count;
}

size_t am_post_processor_added(const am_post_processor *p, bool pair)
{
    size_t count = 0;
    if (!p) return 0;
    switch (p->kind) {
    case BERT:
        return pair ? 3 : 2;
    case ROBERTA:
        return pair ? 4 : 2;
    case BYTE_LEVEL:
        return 0;
    case TEMPLATE:
        return template_added(pair ? &p->pair : &p->single);
    case SEQUENCE:
        for (size_t i = 0; i < p->item_count; i++) count += am_post_processor_added(p->items[i], pair);
        return count;
    }
    return 0;
}

static bool is_space(uint32_t c)
{
    return c == 0x120 || am_char_is_whitespace(c); /* U+0120 is the space of byte-level tokens */
}

static void count_spaces(am_text text, uint32_t *leading, uint32_t *trailing)
{
    uint32_t length;
    *leading = *trailing = 0;
    for (size_t at = 0; at < text.length && is_space(am_char_at(text.bytes + at, &length)); at += length) ++*leading;
    for (size_t at = text.length; at > 0; ++*trailing) {
        at = am_char_before(text.bytes, (uint32_t)at);
        if (!is_space(am_char_at(text.bytes + at, &length))) break;
    }
}

/* Takes spaces out of the offsets, but not the one that add_prefix_space put in. */
static void trim_offsets(am_draft *draft, bool add_prefix_space)
{
    for (size_t i = 0; i < draft->count; i++) {
        am_text_range *o = &draft->tokens[i].offsets;
        uint32_t leading, trailing;
        count_spaces(draft->tokens[i].text, &leading, &trailing);
        if (leading == 1 && add_prefix_space && (i == 0 || o->start == 0)) leading = 0;
        if (leading > 0) o->start = o->start + leading < o->end ? o->start + leading : o->end;
        if (trailing > 0 && o->end >= trailing) o->end = o->end - trailing > o->start ? o->end - trailing : o->start;
    }
}

static void trim_all(const am_post_processor *p, drafts *list)
{
    for (size_t i = 0; p->trim_offsets && i < list->count; i++) {
        trim_offsets(&list->items[i], p->add_prefix_space);
        for (size_t k = 0; k < list->items[i].overflowing_count; k++)
            trim_offsets(&list->items[i].overflowing[k], p->add_prefix_space);
    }
}

static am_draft_token special_token(const special *token, size_t i, int32_t type_id)
{
    return (am_draft_token){.id = token->ids[i],
                            .type_id = type_id,
                            .word = -1,
                            .source = -1,
                            .text = token->tokens[i],
                            .special = true,
                            .attended = true};
}

/* before, the tokens of the draft, after. Overflowing parts are not kept. */
static am_draft surround(am_scratch *s, const am_draft *draft, const special *before, const special *after,
                         int32_t type_id, uint32_t sequence)
{
    size_t first = before ? 1 : 0, count = first + draft->count + 1;
    am_draft out = {.tokens = am_scratch_alloc(s, count, sizeof *out.tokens), .count = count};
    if (!out.tokens) return (am_draft){0};
    if (before) out.tokens[0] = special_token(before, 0, type_id);
    if (draft->count) memcpy(out.tokens + first, draft->tokens, draft->count * sizeof *out.tokens);
    for (size_t i = first; i + 1 < count; i++) out.tokens[i].special = false, out.tokens[i].attended = true;
    out.tokens[count - 1] = special_token(after, 0, type_id);
    am_draft_set_sequence(s, &out, sequence);
    if (out.range_count) out.ranges[0].tokens = (am_text_range){(uint32_t)first, (uint32_t)(count - 1)};
    return out;
}

/* BERT: cls A sep, B sep with type 1. RoBERTa: cls A sep, sep B sep. */
static void surround_all(const am_post_processor *p, am_scratch *s, drafts *list)
{
    for (size_t i = 0; i < list->count && !s->failed; i++) {
        am_draft *draft = &list->items[i];
        const special *before = i == 0 ? &p->cls : p->kind == ROBERTA ? &p->sep : NULL;
        int32_t type_id = i > 0 && p->kind == BERT ? 1 : 0;
        am_draft out = surround(s, draft, before, &p->sep, type_id, i > 0);
        out.overflowing = draft->overflowing;
        out.overflowing_count = draft->overflowing_count;
        for (size_t k = 0; k < out.overflowing_count; k++) {
            if (p->kind == ROBERTA) am_draft_set_types(&out.overflowing[k], 0);
            out.overflowing[k] = surround(s, &out.overflowing[k], before, &p->sep, type_id, i > 0);
        }
        if (out.overflowing_count == 0) am_scratch_give_back(s, draft->tokens); /* else its parts are there */
        *draft = out;
    }
}

static am_status apply_bert(const am_post_processor *p, am_scratch *s, drafts *list, bool add_special_tokens)
{
    if (p->kind == ROBERTA) {
        trim_all(p, list);
        for (size_t i = 0; i < list->count; i++) am_draft_set_types(&list->items[i], 0);
    }
    if (add_special_tokens) surround_all(p, s, list);
    return NULL;
}

static am_draft copy_tokens(am_scratch *s, am_draft draft)
{
    am_draft_token *tokens = am_scratch_alloc(s, draft.count, sizeof *tokens);
    if (tokens && draft.count) memcpy(tokens, draft.tokens, draft.count * sizeof *tokens);
    if (tokens) draft.tokens = tokens;
    return draft;
}

/* used: the sequences that the template had before; it may hold one twice, with different types. */
static am_status apply_place(am_scratch *s, const place *at, drafts *list, bool add_special_tokens, bool used[2],
                             drafts *out)
{
    if (at->sequence >= 0) {
        if ((size_t)at->sequence >= list->count)
            return am_error(AM_INVALID_FILE, "post_processor: the template for one text has the second sequence in it");
        am_draft *draft = &list->items[at->sequence];
        if (used[at->sequence]) *draft = copy_tokens(s, *draft);
        used[at->sequence] = true;
        am_draft_set_types(draft, at->type_id);
        am_draft_set_sequence(s, draft, (uint32_t)at->sequence);
        out->items[out->count++] = *draft;
        return NULL;
    }
    if (!add_special_tokens) return NULL;
    if (!at->token)
        return am_error(AM_INVALID_FILE, "post_processor: \"%.*s\" is not among its special tokens",
                        (int)at->name.length, at->name.bytes);
    am_draft draft = {.tokens = am_scratch_alloc(s, at->token->count, sizeof *draft.tokens), .count = at->token->count};
    if (!draft.tokens) return NULL;
    for (size_t i = 0; i < draft.count; i++) draft.tokens[i] = special_token(at->token, i, at->type_id);
    out->items[out->count++] = draft;
    return NULL;
}

static am_status apply_template(const am_post_processor *p, am_scratch *s, drafts *list, bool add_special_tokens)
{
    if (list->count > 2 || list->count == 0)
        return am_error(AM_INVALID_FILE, "post_processor: a template behind another that left %zu parts", list->count);
    const template *t = list->count == 2 ? &p->pair : &p->single;
    drafts out = {.items = am_scratch_alloc(s, t->count, sizeof *out.items)};
    bool used[2] = {false, false};
    if (!out.items) return NULL;
    for (size_t i = 0; i < t->count && !s->failed; i++)
        AM_TRY(apply_place(s, &t->places[i], list, add_special_tokens, used, &out));
    *list = out;
    return NULL;
}

static am_status apply(const am_post_processor *p, am_scratch *s, drafts *list, bool add_special_tokens)
{
    if (s->failed) return NULL;
    switch (p->kind) {
    case BERT:
    case ROBERTA:
        return apply_bert(p, s, list, add_special_tokens);
    case BYTE_LEVEL:
        trim_all(p, list);
        for (size_t i = 0; i < list->count; i++) am_draft_set_sequence(s, &list->items[i], (uint32_t)i);
        return NULL;
    case TEMPLATE:
        return apply_template(p, s, list, add_special_tokens);
    case SEQUENCE:
        for (size_t i = 0; i < p->item_count; i++) AM_TRY(apply(p->items[i], s, list, add_special_tokens));
        return NULL;
    }
    return NULL;
}

am_status am_post_processor_apply(const am_post_processor *p, am_scratch *s, am_draft *input, size_t count,
                                  bool add_special_tokens, am_draft *out)
{
    drafts list = {input, count};
    for (size_t i = 0; i < count; i++) {
        if (!p && count == 1) break;
        am_draft_set_sequence(s, &input[i], (uint32_t)i);
        for (size_t k = 0; p && k < input[i].overflowing_count; k++)
            am_draft_set_sequence(s, &input[i].overflowing[k], (uint32_t)i);
        if (p) am_draft_set_types(&input[i], (int32_t)i);
    }
    if (p) AM_TRY(apply(p, s, &list, add_special_tokens));
    *out = am_draft_join(s, list.items, list.count);
    return NULL;
}
