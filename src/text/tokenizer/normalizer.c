/* Normalizers of tokenizer.json. */
#include "text/tokenizer/internal.h"

typedef enum kind {
    BERT,
    STRIP,
    STRIP_ACCENTS,
    NFC,
    NFD,
    NFKC,
    NFKD,
    SEQUENCE,
    LOWERCASE,
    NMT,
    PRECOMPILED,
    REPLACE,
    PREPEND,
    BYTE_LEVEL,
    BERT_SHORT,
} kind;

static const char *const kind_names[] = {"BertNormalizer", "Strip",     "StripAccents", "NFC", "NFD",         "NFKC",
                                         "NFKD",           "Sequence",  "Lowercase",    "Nmt", "Precompiled", "Replace",
                                         "Prepend",        "ByteLevel", "Bert",         NULL};

struct am_normalizer {
    kind kind;
    union {
        struct {
            bool clean_text, handle_chinese_chars, strip_accents, lowercase;
        } bert;
        struct {
            bool left, right;
        } strip;
        struct {
            am_normalizer **items;
            size_t count;
        } sequence;
        struct {
            am_regex *pattern;
            am_text content;
        } replace;
        am_text prepend;
        am_precompiled *precompiled;
    };
};

/* ---- reading ---- */

static am_status parse_bert(const am_loader *loader, am_json json, am_normalizer *out)
{
    am_json strip = am_json_get(json, "strip_accents");
    AM_TRY(am_loader_bool(loader, json, "normalizer", "clean_text", &out->bert.clean_text));
    AM_TRY(am_loader_bool(loader, json, "normalizer", "handle_chinese_chars", &out->bert.handle_chinese_chars));
    AM_TRY(am_loader_bool(loader, json, "normalizer", "lowercase", &out->bert.lowercase));
    out->bert.strip_accents = am_json_bool(strip, out->bert.lowercase);
    return NULL;
}

static am_status parse_sequence(const am_loader *loader, am_json json, am_normalizer *out)
{
    am_json items = am_json_get(json, "normalizers");
    if (am_json_kind_of(items) != AM_JSON_ARRAY)
        return am_loader_expected(loader, "normalizer.normalizers", "an array", items);
    out->sequence.items = am_arena_array(loader->arena, am_json_count(items) + 1, sizeof *out->sequence.items);
    if (!out->sequence.items) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(items); am_json_next(&i);) {
        am_normalizer *item;
        AM_TRY(am_normalizer_parse(loader, i.value, &item));
        if (item) out->sequence.items[out->sequence.count++] = item;
    }
    return NULL;
}

static am_status parse_fields(const am_loader *loader, am_json json, am_normalizer *out)
{
    am_text base64;
    switch (out->kind) {
    case BERT:
        return parse_bert(loader, json, out);
    case STRIP:
        AM_TRY(am_loader_bool(loader, json, "normalizer", "strip_left", &out->strip.left));
        return am_loader_bool(loader, json, "normalizer", "strip_right", &out->strip.right);
    case SEQUENCE:
        return parse_sequence(loader, json, out);
    case REPLACE:
        AM_TRY(am_loader_text(loader, json, "normalizer", "content", &out->replace.content));
        return am_loader_pattern(loader, json, "normalizer", &out->replace.pattern);
    case PREPEND:
        return am_loader_text(loader, json, "normalizer", "prepend", &out->prepend);
    case PRECOMPILED:
        AM_TRY(am_loader_text(loader, json, "normalizer", "precompiled_charsmap", &base64));
        return am_precompiled_parse(loader, base64, &out->precompiled);
    default:
        return NULL;
    }
}

am_status am_normalizer_parse(const am_loader *loader, am_json json, am_normalizer **out)
{
    int index;
    *out = NULL;
    if (am_json_kind_of(json) == AM_JSON_NULL || am_json_kind_of(json) == AM_JSON_MISSING) return NULL;
    if (am_json_kind_of(json) != AM_JSON_OBJECT) return am_loader_expected(loader, "normalizer", "an object", json);
    AM_TRY(am_loader_choice(loader, json, "normalizer", "type", kind_names, &index));
    am_normalizer *normalizer = am_arena_alloc(loader->arena, sizeof *normalizer);
    if (!normalizer) return am_out_of_memory();
    normalizer->kind = index == BERT_SHORT ? BERT : (kind)index;
    AM_TRY(parse_fields(loader, json, normalizer));
    *out = normalizer;
    return NULL;
}

/* ---- applying ---- */

static bool bert_keeps(uint32_t c)
{
    return !am_char_is_bert_removed(c);
}

static uint32_t bert_space(uint32_t c)
{
    return am_char_is_whitespace(c) ? ' ' : c;
}

static bool is_not_nonspacing(uint32_t c)
{
    return !am_char_is_nonspacing(c);
}

static bool is_not_mark(uint32_t c)
{
    return !am_char_is_mark(c);
}

static void space_chinese(am_scratch *s, am_piece *piece)
{
    if (am_text_is_ascii(piece->text, piece->length) && !am_piece_starts_without_source(piece)) return;
    am_rewrite r = am_rewrite_begin(s, piece, 0);
    for (uint32_t at = 0, length; at < piece->length; at += length) {
        uint32_t c = am_char_at(piece->text + at, &length);
        if (!am_char_is_chinese(c)) {
            am_rewrite_put(&r, c, 0);
            continue;
        }
        am_rewrite_put(&r, ' ', 0);
        am_rewrite_put(&r, c, 1);
        am_rewrite_put(&r, ' ', 1);
    }
    am_rewrite_end(&r, piece);
}

static void apply_bert(const am_normalizer *n, am_scratch *s, am_piece *piece)
{
    if (n->bert.clean_text) {
        am_piece_filter(s, piece, bert_keeps);
        am_piece_map(s, piece, bert_space);
    }
    if (n->bert.handle_chinese_chars) space_chinese(s, piece);
    if (n->bert.strip_accents) {
        am_piece_normalize(s, piece, false, false);
        am_piece_filter(s, piece, is_not_nonspacing);
    }
    if (n->bert.lowercase) am_piece_lowercase(s, piece);
}

static bool nmt_keeps(uint32_t c)
{
    return !((c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F || c == 0x9F);
}

static uint32_t nmt_space(uint32_t c)
{
    bool space = c == 9 || c == 0xA || c == 0xC || c == 0xD || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
                 c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
    return space ? ' ' : c;
}

static am_status apply_sequence(const am_normalizer *n, am_scratch *s, am_piece *piece)
{
    for (size_t i = 0; i < n->sequence.count; i++) AM_TRY(am_normalizer_apply(n->sequence.items[i], s, piece));
    return NULL;
}

am_status am_normalizer_apply(const am_normalizer *n, am_scratch *s, am_piece *piece)
{
    if (!n || s->failed) return NULL;
    switch (n->kind) {
    case BERT_SHORT:
    case BERT:
        apply_bert(n, s, piece);
        break;
    case STRIP:
        am_piece_strip(s, piece, n->strip.left, n->strip.right);
        break;
    case STRIP_ACCENTS:
        am_piece_filter(s, piece, is_not_mark);
        break;
    case NFC:
        am_piece_normalize(s, piece, false, true);
        break;
    case NFD:
        am_piece_normalize(s, piece, false, false);
        break;
    case NFKC:
        am_piece_normalize(s, piece, true, true);
        break;
    case NFKD:
        am_piece_normalize(s, piece, true, false);
        break;
    case SEQUENCE:
        return apply_sequence(n, s, piece);
    case LOWERCASE:
        am_piece_lowercase(s, piece);
        break;
    case NMT:
        am_piece_filter(s, piece, nmt_keeps);
        am_piece_map(s, piece, nmt_space);
        break;
    case PRECOMPILED:
        am_precompiled_apply(n->precompiled, s, piece);
        break;
    case REPLACE:
        AM_TRY(am_regex_match_all(n->replace.pattern, s, piece->text, piece->length));
        am_piece_replace(s, piece, n->replace.content);
        break;
    case PREPEND:
        am_piece_prepend(s, piece, n->prepend);
        break;
    case BYTE_LEVEL:
        if (piece->length) am_piece_byte_level(s, piece);
        break;
    }
    return NULL;
}
