/* Words of a page with boxes, or with the paths of their elements (LayoutLMv2Tokenizer and its like, MarkupLM). */
#include "text/tokenizer/python_text.h"

#include "base/memory.h"

typedef struct page {
    const am_tokenizer *tokenizer;
    const am_word_marks *marks;
    size_t count; /* words */
    bool has_question;
    am_layout_encoding *out;
} page;

/* Index of the word that a token belongs to, or -1: a special token or padding. */
static int32_t word_of(const page *p, size_t token)
{
    return p->out->encoding.word_ids[token];
}

static bool is_of_question(const page *p, size_t token)
{
    return p->has_question && p->out->encoding.sequence_ids[token] == 0;
}

/* ---- boxes ---- */

static am_status find_box(const page *p, size_t token, const int32_t **out)
{
    const am_tokenizer *t = p->tokenizer;
    const am_layout *layout = t->layout;
    int32_t id = p->out->encoding.ids[token], word = word_of(p, token);
    if (word >= 0) *out = is_of_question(p, token) ? layout->pad_box : p->marks->boxes[word];
    else if (id == am_tokenizer_special_id(t, "cls_token")) *out = layout->cls_box;
    else if (id == am_tokenizer_special_id(t, "sep_token")) *out = layout->sep_box;
    else if (id == am_tokenizer_special_id(t, "pad_token")) *out = layout->pad_box;
    else if (layout->kind == AM_LAYOUT_BY_WORD) *out = layout->sep_box;
    else return am_error(AM_INVALID_ARGUMENT, "no box for the special token of the id %d", (int)id);
    return NULL;
}

/* ---- paths ---- */

static am_status bad_unit(am_text unit)
{
    return am_error(AM_INVALID_ARGUMENT, "xpath: \"%.*s\" is no element, or element[number]",
                    (int)(unit.length < 60 ? unit.length : 60), unit.bytes);
}

/* "p[2]": the tag's number, and 2. */
static am_status read_unit(const am_layout *layout, am_text unit, int32_t *tag, int32_t *sub)
{
    const char *bracket = memchr(unit.bytes, '[', unit.length);
    am_text name = {unit.bytes, bracket ? (size_t)(bracket - unit.bytes) : unit.length};
    int32_t known = am_vocabulary_id(&layout->tags, name);
    int64_t number = 0;
    *tag = known >= 0 ? known : (int32_t)layout->tags.count;
    if (bracket) {
        size_t at = name.length + 1, digits = 0;
        for (; at < unit.length && am_py_is_decimal((unsigned char)unit.bytes[at]); at++, digits++)
            if (number <= layout->max_width) number = number * 10 + (unit.bytes[at] - '0');
        if (digits == 0 || at + 1 < unit.length) return bad_unit(unit);
    }
    *sub = number < layout->max_width ? (int32_t)number : layout->max_width;
    return NULL;
}

/* get_xpath_seq; an empty path is all padding. */
static am_status read_path(const am_layout *layout, am_text path, int32_t *tags, int32_t *subs)
{
    size_t depth = 0;
    bool more = true;
    int32_t tag, sub;
    for (am_text part; am_py_next_part(&path, '/', &more, &part);) {
        am_text unit = am_py_strip(part);
        if (unit.length == 0) continue;
        AM_TRY(read_unit(layout, unit, &tag, &sub));
        if (depth < layout->max_depth) tags[depth] = tag, subs[depth] = sub;
        depth++;
    }
    for (; depth < layout->max_depth; depth++) {
        tags[depth] = (int32_t)layout->tags.count + 1;
        subs[depth] = layout->pad_width;
    }
    return NULL;
}

/* ---- labels ---- */

/* Whether a token has no text of its own. */
static am_status is_silent(const page *p, size_t token, bool *out)
{
    am_decode_options options = AM_DECODE_OPTIONS;
    char *text;
    size_t length;
    options.skip_special_tokens = false;
    AM_TRY(am_tokenizer_decode(p->tokenizer, &p->out->encoding.ids[token], 1, &options, &text, &length));
    am_free(text);
    *out = length == 0;
    return NULL;
}

static am_status set_labels(const page *p)
{
    const am_layout *layout = p->tokenizer->layout;
    const am_encoding *e = &p->out->encoding;
    bool silent_before = false;
    for (size_t i = 0; i < e->count; i++) {
        int32_t word = word_of(p, i), before = i > 0 ? word_of(p, i - 1) : -1;
        bool first = layout->kind == AM_LAYOUT_BY_WORD ? word != before : e->offsets[i].start == 0 && !silent_before;
        p->out->labels[i] = layout->pad_label;
        if (word < 0) continue;
        if ((size_t)word >= p->count)
            return am_error(AM_INVALID_ARGUMENT, "labels: the question has more words than there are labels");
        if (first || !layout->only_first) p->out->labels[i] = p->marks->labels[word];
        if (layout->kind == AM_LAYOUT_UDOP) AM_TRY(is_silent(p, i, &silent_before));
    }
    return NULL;
}

/* ---- all together ---- */

static am_status place(const page *p)
{
    const am_layout *layout = p->tokenizer->layout;
    am_layout_encoding *out = p->out;
    bool markup = layout->kind == AM_LAYOUT_MARKUP;
    size_t columns = (markup ? 2 * layout->max_depth : 4) + 1, rows = out->encoding.count, bytes;
    if (!am_multiply_size(rows + 1, columns * sizeof(int32_t), &bytes)) return am_out_of_memory();
    int32_t *at = out->storage = am_alloc(bytes);
    if (!at) return am_out_of_memory();
    if (p->marks->labels) out->labels = at;
    at += rows;
    if (!markup) {
        out->boxes = (int32_t(*)[4])at;
        return NULL;
    }
    out->max_depth = layout->max_depth;
    out->xpath_tags = at;
    out->xpath_subs = at + rows * layout->max_depth;
    return NULL;
}

static am_status fill(const page *p)
{
    const am_layout *layout = p->tokenizer->layout;
    am_layout_encoding *out = p->out;
    AM_TRY(place(p));
    for (size_t i = 0; i < out->encoding.count; i++) {
        if (layout->kind == AM_LAYOUT_MARKUP) {
            bool padded = word_of(p, i) < 0 || is_of_question(p, i);
            am_text path = padded ? (am_text){"", 0} : p->marks->xpaths[word_of(p, i)];
            AM_TRY(read_path(layout, path, out->xpath_tags + i * layout->max_depth,
                             out->xpath_subs + i * layout->max_depth));
        } else {
            const int32_t *box;
            AM_TRY(find_box(p, i, &box));
            memcpy(out->boxes[i], box, sizeof out->boxes[i]);
        }
    }
    return out->labels ? set_labels(p) : NULL;
}

/* text.split(), in memory freed by the caller. */
static am_status split_question(am_text question, am_text **out, size_t *count)
{
    am_text rest = question, word;
    *count = 0;
    while (am_py_next_word(&rest, &word)) ++*count;
    *out = am_alloc((*count + 1) * sizeof **out);
    if (!*out) return am_out_of_memory();
    rest = question;
    for (size_t i = 0; am_py_next_word(&rest, &word); i++) (*out)[i] = word;
    return NULL;
}

static am_status encode(const page *p, const am_text *question, const am_text *words, const am_encode_options *options)
{
    am_text *asked;
    size_t asked_count;
    if (!question) return am_tokenizer_encode_words(p->tokenizer, words, p->count, NULL, 0, options, &p->out->encoding);
    AM_TRY(split_question(*question, &asked, &asked_count));
    am_status status =
        am_tokenizer_encode_words(p->tokenizer, asked, asked_count, words, p->count, options, &p->out->encoding);
    am_free(asked);
    return status;
}

am_status am_tokenizer_encode_layout(const am_tokenizer *t, const am_text *question, const am_text *words, size_t count,
                                     const am_word_marks *marks, const am_encode_options *options,
                                     am_layout_encoding *out)
{
    *out = (am_layout_encoding){0};
    page p = {.tokenizer = t, .marks = marks, .count = count, .has_question = question, .out = out};
    if (!t->layout) return am_error(AM_UNSUPPORTED, "%s takes no words with boxes or paths", t->class_name);
    bool markup = t->layout->kind == AM_LAYOUT_MARKUP;
    if (count > 0 && !(markup ? (const void *)marks->xpaths : (const void *)marks->boxes))
        return am_error(AM_INVALID_ARGUMENT, "%s takes words with %s, of which there are none", t->class_name,
                        markup ? "xpaths" : "boxes");
    am_status status = encode(&p, question, words, options);
    if (!status) status = fill(&p);
    if (status) am_layout_encoding_deinit(out);
    return status;
}

void am_layout_encoding_deinit(am_layout_encoding *encoding)
{
    am_encoding_deinit(&encoding->encoding);
    am_free(encoding->storage);
    *encoding = (am_layout_encoding){0};
}
