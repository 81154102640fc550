/* sentencepiece's Normalizer. */
#include "text/tokenizer/spm.h"

/* Text being written, in work arrays 0 and 1. */
typedef struct writer {
    am_scratch *scratch;
    char *text;
    uint32_t *origins;
    size_t length;
} writer;

/* What a prefix of the input becomes, and its length. */
typedef struct prefix {
    am_text text;
    size_t used;
} prefix;

static bool reserve(writer *w, size_t more)
{
    am_scratch *s = w->scratch;
    if (w->length + more > s->text_limit) am_scratch_overflow(s);
    w->text = am_scratch_work(s, 0, w->length + more + 1, 1);
    w->origins = am_scratch_work(s, 1, w->length + more + 1, sizeof *w->origins);
    return w->text && w->origins;
}

static void put(writer *w, const char *bytes, size_t length, size_t origin)
{
    if (!reserve(w, length)) return;
    memcpy(w->text + w->length, bytes, length);
    for (size_t i = 0; i < length; i++) w->origins[w->length + i] = (uint32_t)origin;
    w->length += length;
}

static void put_space(writer *w, const am_spm_rules *rules, size_t origin)
{
    if (rules->escape_whitespaces) put(w, "\xe2\x96\x81", 3, origin);
    else put(w, " ", 1, origin);
}

static prefix next_prefix(const am_spm_rewriter *r, am_text text)
{
    prefix out;
    uint32_t end;
    if (r->symbols && am_trie_longest(r->symbols, text, 0, &end) >= 0) return (prefix){{text.bytes, end}, end};
    if (r->map && am_precompiled_longest(r->map, text, &out.text, &out.used)) return out;
    uint32_t length = am_char_length(text.bytes[0]);
    return (prefix){{text.bytes, length}, length};
}

static am_text behind(am_text text, size_t used)
{
    return (am_text){text.bytes + used, text.length - used};
}

static void put_prefix(writer *w, const am_spm_rules *rules, am_text text, size_t origin)
{
    for (size_t at = 0; at < text.length; at++) {
        if (text.bytes[at] == ' ') put_space(w, rules, origin);
        else put(w, text.bytes + at, 1, origin);
    }
}

static void drop_spaces_behind(writer *w, const am_spm_rules *rules, size_t *consumed)
{
    am_text space = rules->escape_whitespaces ? (am_text){"\xe2\x96\x81", 3} : (am_text){" ", 1};
    while (w->length >= space.length && memcmp(w->text + w->length - space.length, space.bytes, space.length) == 0) {
        w->length -= space.length;
        *consumed = w->origins[w->length];
    }
}

static void put_all(const am_spm_rewriter *r, writer *w, am_text text, size_t *consumed)
{
    const am_spm_rules *rules = r->rules;
    bool after_space = rules->remove_extra_whitespaces;
    if (!r->space_behind && rules->add_dummy_prefix) put_space(w, rules, *consumed);
    while (text.length && !w->scratch->failed) {
        prefix p = next_prefix(r, text);
        while (after_space && p.text.length && p.text.bytes[0] == ' ') p.text = behind(p.text, 1);
        put_prefix(w, rules, p.text, *consumed);
        if (p.text.length) after_space = rules->remove_extra_whitespaces && p.text.bytes[p.text.length - 1] == ' ';
        *consumed += p.used;
        text = behind(text, p.used);
    }
    if (w->scratch->failed) return;
    if (rules->remove_extra_whitespaces) drop_spaces_behind(w, rules, consumed);
    if (r->space_behind && rules->add_dummy_prefix) put_space(w, rules, *consumed);
}

am_status am_spm_rewrite(const am_spm_rewriter *r, am_scratch *s, am_text text, am_spm_normal *out)
{
    writer w = {.scratch = s};
    size_t consumed = 0;
    *out = (am_spm_normal){.text = {"", 0}};
    while (text.length && r->rules->remove_extra_whitespaces) {
        prefix p = next_prefix(r, text);
        if (p.text.length != 1 || p.text.bytes[0] != ' ') break;
        text = behind(text, p.used);
        consumed += p.used;
    }
    if (text.length) put_all(r, &w, text, &consumed);
    AM_TRY(am_scratch_status(s));
    if (w.length == 0) return NULL;
    w.origins[w.length] = (uint32_t)consumed;
    *out = (am_spm_normal){{w.text, w.length}, w.origins};
    return NULL;
}

am_status am_spm_normalize(const am_spm *spm, am_scratch *s, am_text text, am_spm_normal *out)
{
    am_spm_rewriter rewriter = {.rules = &spm->file.normalizer,
                                .map = spm->normalizer,
                                .symbols = spm->symbols.count ? &spm->symbols : NULL,
                                .space_behind = spm->file.whitespace_as_suffix};
    return am_spm_rewrite(&rewriter, s, text, out);
}
