/* Pre-tokenizers of tokenizer.json. */
#include "text/tokenizer/jieba.h"

#include "base/utf8.h"

typedef enum kind {
    BERT,
    BYTE_LEVEL,
    DELIMITER,
    METASPACE,
    WHITESPACE,
    SEQUENCE,
    SPLIT,
    PUNCTUATION,
    WHITESPACE_SPLIT,
    DIGITS,
    UNICODE_SCRIPTS,
    FIXED_LENGTH,
    JIEBA, /* of no file: RoFormerTokenizer makes it */
} kind;

static const char *const kind_names[] = {"BertPreTokenizer",
                                         "ByteLevel",
                                         "CharDelimiterSplit",
                                         "Metaspace",
                                         "Whitespace",
                                         "Sequence",
                                         "Split",
                                         "Punctuation",
                                         "WhitespaceSplit",
                                         "Digits",
                                         "UnicodeScripts",
                                         "FixedLength",
                                         NULL};
static const char *const behavior_names[] = {"Removed",        "Isolated",   "MergedWithPrevious",
                                             "MergedWithNext", "Contiguous", NULL};

struct am_pre_tokenizer {
    kind kind;
    union {
        struct {
            bool add_prefix_space;
            am_regex *regex; /* null: no splitting */
        } byte_level;
        struct {
            am_pre_tokenizer **items;
            size_t count;
        } sequence;
        struct {
            am_regex *pattern;
            am_split_behavior behavior;
            bool invert;
        } split;
        am_split_behavior punctuation;
        am_metaspace metaspace;
        uint32_t delimiter;
        bool individual_digits;
        uint64_t length;
        struct {
            const am_jieba *dictionary;
            const am_vocabulary *whole; /* words to keep so; null: none */
        } jieba;
    };
};

/* The pattern of GPT-2's encoder. */
static const char gpt2_pattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/* ---- reading ---- */

am_status am_metaspace_parse(const am_loader *loader, am_json json, am_metaspace *out)
{
    static const char *const schemes[] = {"always", "first", "never", NULL};
    am_json scheme = am_json_get(json, "prepend_scheme"), prefix = am_json_get(json, "add_prefix_space");
    int index = AM_PREPEND_ALWAYS;
    *out = (am_metaspace){.split = am_json_bool(am_json_get(json, "split"), true)};
    AM_TRY(am_loader_char(loader, json, "Metaspace", "replacement", &out->replacement));
    if (am_json_kind_of(scheme) != AM_JSON_MISSING)
        AM_TRY(am_loader_choice(loader, json, "Metaspace", "prepend_scheme", schemes, &index));
    if (am_json_kind_of(prefix) == AM_JSON_BOOL && !am_json_bool(prefix, true)) {
        if (index != AM_PREPEND_NEVER)
            return am_error(AM_INVALID_FILE,
                            "%s: Metaspace: add_prefix_space false does not go with prepend_scheme \"%s\"",
                            loader->name, schemes[index]);
    }
    out->scheme = (am_prepend_scheme)index;
    return NULL;
}

static am_status parse_sequence(const am_loader *loader, am_json json, am_pre_tokenizer *out)
{
    am_json items = am_json_get(json, "pretokenizers");
    if (am_json_kind_of(items) != AM_JSON_ARRAY)
        return am_loader_expected(loader, "pre_tokenizer.pretokenizers", "an array", items);
    out->sequence.items = am_arena_array(loader->arena, am_json_count(items) + 1, sizeof *out->sequence.items);
    if (!out->sequence.items) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(items); am_json_next(&i);) {
        am_pre_tokenizer *item;
        AM_TRY(am_pre_tokenizer_parse(loader, i.value, &item));
        if (item) out->sequence.items[out->sequence.count++] = item;
    }
    return NULL;
}

static am_status parse_behavior(const am_loader *loader, am_json json, am_split_behavior *out)
{
    int index;
    AM_TRY(am_loader_choice(loader, json, "pre_tokenizer", "behavior", behavior_names, &index));
    *out = (am_split_behavior)index;
    return NULL;
}

static am_status parse_byte_level(const am_loader *loader, am_json json, am_pre_tokenizer *out)
{
    AM_TRY(am_loader_bool(loader, json, "pre_tokenizer", "add_prefix_space", &out->byte_level.add_prefix_space));
    if (!am_json_bool(am_json_get(json, "use_regex"), true)) return NULL;
    return am_loader_regex(loader, (am_text){gpt2_pattern, sizeof gpt2_pattern - 1}, false, &out->byte_level.regex);
}

static am_status parse_fixed_length(const am_loader *loader, am_json json, am_pre_tokenizer *out)
{
    out->length = 5;
    if (am_json_kind_of(am_json_get(json, "length")) == AM_JSON_MISSING) return NULL;
    AM_TRY(am_loader_count(loader, json, "pre_tokenizer", "length", &out->length));
    if (out->length > 0) return NULL;
    return am_error(AM_INVALID_FILE, "%s: pre_tokenizer.length: expected at least 1, found 0", loader->name);
}

static am_status parse_fields(const am_loader *loader, am_json json, am_pre_tokenizer *out)
{
    switch (out->kind) {
    case BYTE_LEVEL:
        return parse_byte_level(loader, json, out);
    case DELIMITER:
        return am_loader_char(loader, json, "pre_tokenizer", "delimiter", &out->delimiter);
    case METASPACE:
        return am_metaspace_parse(loader, json, &out->metaspace);
    case SEQUENCE:
        return parse_sequence(loader, json, out);
    case SPLIT:
        AM_TRY(parse_behavior(loader, json, &out->split.behavior));
        AM_TRY(am_loader_bool(loader, json, "pre_tokenizer", "invert", &out->split.invert));
        return am_loader_pattern(loader, json, "pre_tokenizer", &out->split.pattern);
    case PUNCTUATION:
        out->punctuation = AM_SPLIT_ISOLATED;
        if (am_json_kind_of(am_json_get(json, "behavior")) == AM_JSON_MISSING) return NULL;
        return parse_behavior(loader, json, &out->punctuation);
    case DIGITS:
        return am_loader_bool(loader, json, "pre_tokenizer", "individual_digits", &out->individual_digits);
    case FIXED_LENGTH:
        return parse_fixed_length(loader, json, out);
    default:
        return NULL;
    }
}

am_status am_pre_tokenizer_parse(const am_loader *loader, am_json json, am_pre_tokenizer **out)
{
    int index;
    *out = NULL;
    if (am_json_kind_of(json) == AM_JSON_NULL || am_json_kind_of(json) == AM_JSON_MISSING) return NULL;
    if (am_json_kind_of(json) != AM_JSON_OBJECT) return am_loader_expected(loader, "pre_tokenizer", "an object", json);
    AM_TRY(am_loader_choice(loader, json, "pre_tokenizer", "type", kind_names, &index));
    am_pre_tokenizer *pre_tokenizer = am_arena_alloc(loader->arena, sizeof *pre_tokenizer);
    if (!pre_tokenizer) return am_out_of_memory();
    pre_tokenizer->kind = (kind)index;
    AM_TRY(parse_fields(loader, json, pre_tokenizer));
    *out = pre_tokenizer;
    return NULL;
}

am_status am_pre_tokenizer_jieba(am_arena *arena, const am_jieba *jieba, const am_vocabulary *whole,
                                 am_pre_tokenizer **out)
{
    *out = am_arena_alloc(arena, sizeof **out);
    if (!*out) return am_out_of_memory();
    **out = (am_pre_tokenizer){.kind = JIEBA, .jieba = {jieba, whole}};
    return NULL;
}

/* ---- applying: each cuts one piece into the new pieces ---- */

/* Runs of \w, and runs of what is neither that nor white space. */
static void cut_whitespace(am_scratch *s, const am_piece *piece)
{
    uint32_t length, end;
    for (uint32_t at = 0; at < piece->length; at = end) {
        uint32_t c = am_char_at(piece->text + at, &length);
        bool word = am_char_is_word(c);
        end = at + length;
        if (!word && am_char_is_whitespace(c)) continue;
        for (; end < piece->length; end += length) {
            c = am_char_at(piece->text + end, &length);
            if (am_char_is_word(c) != word || (!word && am_char_is_whitespace(c))) break;
        }
        am_scratch_add_piece(s, am_piece_slice(piece, at, end));
    }
}

static void cut_bert(am_scratch *s, const am_piece *piece)
{
    for (uint32_t at = 0, start = 0, length; at <= piece->length; at += length) {
        uint32_t c = ' ';
        length = 1;
        if (at < piece->length) c = am_char_at(piece->text + at, &length);
        bool space = am_char_is_whitespace(c);
        if (!space && !am_char_is_punctuation(c)) continue;
        if (start < at) am_scratch_add_piece(s, am_piece_slice(piece, start, at));
        if (!space) am_scratch_add_piece(s, am_piece_slice(piece, at, at + length));
        start = at + length;
    }
}

static void cut_scripts(am_scratch *s, const am_piece *piece)
{
    uint8_t last = 0;
    uint32_t start = UINT32_MAX;
    for (uint32_t at = 0, length; at < piece->length; at += length) {
        uint8_t script = am_char_script(am_char_at(piece->text + at, &length));
        if (script == 0) continue;
        if (script != last) {
            if (start != UINT32_MAX) am_scratch_add_piece(s, am_piece_slice(piece, start, at));
            start = at;
        }
        last = script;
    }
    if (start != UINT32_MAX) am_scratch_add_piece(s, am_piece_slice(piece, start, piece->length));
}

static void cut_fixed_length(am_scratch *s, const am_piece *piece, uint64_t chars)
{
    uint64_t count = 0;
    uint32_t start = 0;
    for (uint32_t at = 0; at < piece->length; at += am_char_length(piece->text[at])) {
        if (count++ < chars) continue;
        am_scratch_add_piece(s, am_piece_slice(piece, start, at));
        start = at, count = 1;
    }
    if (start < piece->length) am_scratch_add_piece(s, am_piece_slice(piece, start, piece->length));
}

static bool starts_with_char(const am_piece *piece, uint32_t c)
{
    uint32_t length;
    return piece->length && am_char_at(piece->text, &length) == c;
}

static void cut_metaspace(am_scratch *s, am_piece piece, const am_metaspace *metaspace)
{
    char bytes[4];
    am_text replacement = {bytes, am_utf8_put(metaspace->replacement, bytes)};
    am_piece_match_char(s, &piece, ' ');
    am_piece_replace(s, &piece, replacement);
    bool prepend =
        metaspace->scheme == AM_PREPEND_ALWAYS || (metaspace->scheme == AM_PREPEND_FIRST && piece.original_start == 0);
    if (prepend && !starts_with_char(&piece, metaspace->replacement)) am_piece_prepend(s, &piece, replacement);
    if (!metaspace->split) {
        am_scratch_add_piece(s, piece);
        return;
    }
    am_piece_match_char(s, &piece, metaspace->replacement);
    am_piece_split(s, &piece, AM_SPLIT_MERGED_WITH_NEXT);
}

static am_status cut_byte_level(const am_pre_tokenizer *p, am_scratch *s, am_piece piece, bool raw_bytes)
{
    size_t first = s->new_piece_count;
    if (p->byte_level.add_prefix_space && !starts_with_char(&piece, ' '))
        am_piece_prepend(s, &piece, (am_text){" ", 1});
    if (p->byte_level.regex) {
        AM_TRY(am_regex_match_all(p->byte_level.regex, s, piece.text, piece.length));
        am_piece_split(s, &piece, AM_SPLIT_ISOLATED);
    } else {
        am_scratch_add_piece(s, piece);
    }
    for (size_t i = first; i < s->new_piece_count; i++) {
        am_piece *part = &s->new_pieces[i];
        if (raw_bytes && !am_piece_starts_without_source(part)) part->raw_bytes = true;
        else am_piece_byte_level(s, part);
    }
    return NULL;
}

static am_status cut_split(const am_pre_tokenizer *p, am_scratch *s, const am_piece *piece)
{
    AM_TRY(am_regex_match_all(p->split.pattern, s, piece->text, piece->length));
    for (size_t i = 0; p->split.invert && i < s->match_count; i++) s->matches[i].matched = !s->matches[i].matched;
    am_piece_split(s, piece, p->split.behavior);
    return NULL;
}

/* Each Chinese character of [start, end) alone, what is between together, without white space. */
static void cut_characters(am_scratch *s, const am_piece *piece, uint32_t start, uint32_t end)
{
    uint32_t size;
    for (uint32_t at = start; at < end; at += size) {
        uint32_t c = am_char_at(piece->text + at, &size);
        bool space = am_char_is_whitespace(c);
        if (!space && !am_char_is_chinese(c)) continue;
        if (start < at) am_scratch_add_piece(s, am_piece_slice(piece, start, at));
        if (!space) am_scratch_add_piece(s, am_piece_slice(piece, at, at + size));
        start = at + size;
    }
    if (start < end) am_scratch_add_piece(s, am_piece_slice(piece, start, end));
}

static am_status cut_jieba(const am_pre_tokenizer *p, am_scratch *s, const am_piece *piece)
{
    am_jieba_cut cut = am_jieba_begin(p->jieba.dictionary, (am_text){piece->text, piece->length});
    am_text word;
    am_status status = am_jieba_next(&cut, &word);
    for (; !status && word.length; status = am_jieba_next(&cut, &word)) {
        uint32_t start = (uint32_t)(word.bytes - piece->text), end = start + (uint32_t)word.length;
        if (p->jieba.whole && am_vocabulary_id(p->jieba.whole, word) >= 0)
            am_scratch_add_piece(s, am_piece_slice(piece, start, end));
        else cut_characters(s, piece, start, end);
    }
    am_jieba_end(&cut);
    return status;
}

static am_status cut(const am_pre_tokenizer *p, am_scratch *s, const am_piece *piece, bool raw_bytes)
{
    switch (p->kind) {
    case BERT:
        cut_bert(s, piece);
        return NULL;
    case BYTE_LEVEL:
        return cut_byte_level(p, s, *piece, raw_bytes);
    case DELIMITER:
        am_piece_match_char(s, piece, p->delimiter);
        am_piece_split(s, piece, AM_SPLIT_REMOVED);
        return NULL;
    case METASPACE:
        cut_metaspace(s, *piece, &p->metaspace);
        return NULL;
    case WHITESPACE:
        cut_whitespace(s, piece);
        return NULL;
    case SPLIT:
        return cut_split(p, s, piece);
    case PUNCTUATION:
        am_piece_match_chars(s, piece, am_char_is_punctuation);
        am_piece_split(s, piece, p->punctuation);
        return NULL;
    case WHITESPACE_SPLIT:
        am_piece_match_chars(s, piece, am_char_is_whitespace);
        am_piece_split(s, piece, AM_SPLIT_REMOVED);
        return NULL;
    case DIGITS:
        am_piece_match_chars(s, piece, am_char_is_numeric);
        am_piece_split(s, piece, p->individual_digits ? AM_SPLIT_ISOLATED : AM_SPLIT_CONTIGUOUS);
        return NULL;
    case UNICODE_SCRIPTS:
        cut_scripts(s, piece);
        return NULL;
    case FIXED_LENGTH:
        cut_fixed_length(s, piece, p->length);
        return NULL;
    case JIEBA:
        return cut_jieba(p, s, piece);
    case SEQUENCE:
        break;
    }
    return NULL;
}

am_status am_pre_tokenizer_apply(const am_pre_tokenizer *p, am_scratch *s, bool raw_bytes)
{
    if (!p || s->failed) return NULL;
    if (p->kind == SEQUENCE) {
        for (size_t i = 0; i < p->sequence.count; i++)
            AM_TRY(am_pre_tokenizer_apply(p->sequence.items[i], s, raw_bytes && i + 1 == p->sequence.count));
        return NULL;
    }
    s->new_piece_count = 0;
    for (size_t i = 0; i < s->piece_count; i++) {
        if (s->pieces[i].added_id >= 0) am_scratch_add_piece(s, s->pieces[i]);
        else if (s->pieces[i].length) AM_TRY(cut(p, s, &s->pieces[i], raw_bytes));
    }
    am_scratch_take_new_pieces(s);
    return NULL;
}
