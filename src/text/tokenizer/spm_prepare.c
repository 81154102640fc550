/* What the classes around sentencepiece do to a text before it: SiglipTokenizer, GPTSw3Tokenizer, CpmTokenizer. */
#include "text/tokenizer/python_text.h"
#include "text/tokenizer/spm_tokenizer.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <utf8proc.h>

static const am_text space_symbol = {"\xe2\x96\x81", 3};

/* ---- SigLIP ---- */

am_status am_spm_prepare_siglip_text(const am_tokenizer *t, am_scratch *s, am_text text, am_buffer *out)
{
    (void)t, (void)s;
    am_buffer rest = {0};
    am_buffer_append(&rest, text.bytes, text.length);
    am_status status = am_replace_all(&rest, space_symbol, (am_text){" ", 1});
    am_buffer_append(out, space_symbol.bytes, space_symbol.length);
    am_buffer_append(out, am_buffer_text(&rest), rest.length);
    am_buffer_deinit(&rest);
    return status ? status : am_buffer_status(out);
}

static bool is_ascii_punctuation(char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

static void drop_punctuation(am_buffer *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < text->length; i++)
        if (!is_ascii_punctuation(text->bytes[i])) text->bytes[kept++] = text->bytes[i];
    text->length = kept;
}

/* Each run of white space as one space; none at the ends. */
static void append_words(am_buffer *out, am_text text)
{
    bool space = false, any = false;
    for (uint32_t at = 0, length; at < text.length; at += length) {
        if (am_py_is_space(am_char_at(text.bytes + at, &length))) {
            space = any;
            continue;
        }
        if (space) am_buffer_append_char(out, ' ');
        am_buffer_append(out, text.bytes + at, length);
        any = true, space = false;
    }
}

am_status am_spm_prepare_siglip_part(const am_tokenizer *t, am_scratch *s, am_text text, am_buffer *out)
{
    (void)s;
    am_buffer copy = {0};
    am_buffer_append(&copy, text.bytes, text.length);
    if (t->spm->do_lower_case && copy.length) am_py_lower_in_place(&copy);
    drop_punctuation(&copy);
    append_words(out, (am_text){am_buffer_text(&copy), copy.length});
    am_status status = am_buffer_status(&copy);
    am_buffer_deinit(&copy);
    return status ? status : am_buffer_status(out);
}

/* ---- GPT-SW3 ---- */

static bool is_dropped(uint32_t c)
{
    return c < 9 || (c >= 11 && c < 32) || (c >= 127 && c <= 160) || c == 173 || c == 8203;
}

static bool is_space(uint32_t c)
{
    static const uint32_t spaces[] = {0x2002, 0x2003, 0x2005, 0x2008, 0x2009, 0x200A, 0x202F, 0x3000, 0xFFFC};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (c == spaces[i]) return true;
    return false;
}

am_status am_spm_prepare_gpt_sw3(const am_tokenizer *t, am_scratch *s, am_text text, am_buffer *out)
{
    (void)t, (void)s;
    am_buffer kept = {0};
    for (uint32_t at = 0, length; at < text.length; at += length) {
        uint32_t c = am_char_at(text.bytes + at, &length);
        if (is_dropped(c)) continue;
        if (is_space(c)) am_buffer_append_char(&kept, ' ');
        else am_buffer_append(&kept, text.bytes + at, length);
    }
    am_status status = am_buffer_status(&kept);
    if (!status) status = am_py_normalize((am_text){am_buffer_text(&kept), kept.length}, AM_PY_NFC, out);
    am_buffer_deinit(&kept);
    return status ? status : am_buffer_status(out);
}

/* ---- CPM ---- */

static am_status strip_accents(am_buffer *text)
{
    am_buffer parts = {0};
    size_t kept = 0;
    am_status status = am_py_normalize((am_text){am_buffer_text(text), text->length}, AM_PY_NFKD, &parts);
    if (!status) status = am_buffer_status(&parts);
    for (uint32_t at = 0, length; !status && at < parts.length; at += length) {
        uint32_t c = am_char_at(parts.bytes + at, &length);
        if (!am_char_is_younger(c) && utf8proc_get_property((utf8proc_int32_t)c)->combining_class != 0) continue;
        memmove(parts.bytes + kept, parts.bytes + at, length);
        kept += length;
    }
    parts.length = kept;
    am_buffer_deinit(text);
    *text = parts;
    return status;
}

am_status am_spm_prepare_cpm(const am_tokenizer *t, am_scratch *s, am_text text, am_buffer *out)
{
    (void)s;
    if (t->spm->remove_space) append_words(out, text);
    else am_buffer_append(out, text.bytes, text.length);
    AM_TRY(am_buffer_status(out));
    AM_TRY(am_replace_all(out, (am_text){"``", 2}, (am_text){"\"", 1}));
    AM_TRY(am_replace_all(out, (am_text){"''", 2}, (am_text){"\"", 1}));
    if (!t->spm->keep_accents) AM_TRY(strip_accents(out));
    if (t->spm->do_lower_case && out->length) am_py_lower_in_place(out);
    return am_buffer_status(out);
}
