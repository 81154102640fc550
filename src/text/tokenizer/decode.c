/* From ids to text, all at once or as they come. */
#include "text/tokenizer/python_tokenizer.h"
#include "text/tokenizer/spm_tokenizer.h"

#include "base/memory.h"

/* Texts of the ids that have one, without special tokens where those are skipped. */
static const am_text *tokens_of_ids(const am_tokenizer *t, am_scratch *s, const int32_t *ids, size_t count,
                                    bool skip_special, size_t *out_count)
{
    am_text *tokens = am_scratch_alloc(s, count + 1, sizeof *tokens);
    *out_count = 0;
    for (size_t i = 0; tokens && i < count; i++) {
        am_text token = am_tokenizer_id_to_token(t, ids[i]);
        if (!token.bytes || (skip_special && am_tokenizer_is_special(t, ids[i]))) continue;
        tokens[(*out_count)++] = token;
    }
    return tokens;
}

am_status am_tokenizer_decode_plain(const am_tokenizer *t, const int32_t *ids, size_t count, bool skip_special,
                                    am_buffer *out)
{
    am_decode_options options = {.skip_special_tokens = skip_special};
    if (t->python) return am_python_join(t, ids, count, &options, out);
    am_scratch *s = am_tokenizer_take_scratch(t);
    if (!s) return am_out_of_memory();
    am_scratch_limit(s, count);
    if (t->spm) {
        am_status decoded = am_spm_decode_ids(t, s, ids, count, skip_special, out);
        am_tokenizer_give_scratch(t, s);
        return decoded;
    }
    size_t token_count;
    const am_text *tokens = tokens_of_ids(t, s, ids, count, skip_special, &token_count);
    am_status status = tokens ? am_token_decoder_apply(t->decoder, s, tokens, token_count, out) : am_scratch_status(s);
    am_tokenizer_give_scratch(t, s);
    return status;
}

/* ---- what classes do besides ---- */

void am_strip_like_python(am_buffer *text)
{
    size_t start = 0;
    uint32_t length;
    while (start < text->length && am_py_is_space(am_char_at(text->bytes + start, &length))) start += length;
    while (text->length > start) {
        uint32_t before = am_char_before(text->bytes, (uint32_t)text->length);
        if (!am_py_is_space(am_char_at(text->bytes + before, &length))) break;
        text->length = before;
    }
    if (start) memmove(text->bytes, text->bytes + start, text->length - start);
    text->length -= start;
}

/* CLIPTokenizer: the end of word becomes a space. */
static am_status finish_clip(const am_tokenizer *t, am_buffer *text)
{
    am_text suffix = t->model.settings.end_of_word_suffix;
    if (suffix.length) AM_TRY(am_replace_all(text, suffix, (am_text){" ", 1}));
    am_strip_like_python(text);
    return NULL;
}

/* Length of "<|12.34|>" at the start of the text, or 0. */
static size_t timestamp_length(const char *text, size_t length)
{
    size_t at = 2, digits = 0;
    if (length < 2 || text[0] != '<' || text[1] != '|') return 0;
    for (int part = 0; part < 2; part++, digits = 0) {
        for (; at < length && text[at] >= '0' && text[at] <= '9'; at++) digits++;
        if (digits == 0 || at >= length) return 0;
        if (part == 0 && text[at++] != '.') return 0;
    }
    return at + 1 < length && text[at] == '|' && text[at + 1] == '>' ? at + 2 : 0;
}

/* WhisperTokenizer: without timestamps. */
static void finish_whisper(am_buffer *text)
{
    size_t kept = 0;
    for (size_t at = 0; at < text->length;) {
        size_t length = timestamp_length(text->bytes + at, text->length - at);
        if (length == 0) text->bytes[kept++] = text->bytes[at++];
        at += length;
    }
    text->length = kept;
}

void am_tokenizer_finish_piece(const am_tokenizer *t, am_buffer *text)
{
    if (t->decode_style == AM_DECODE_WHISPER) finish_whisper(text);
}

/* WhisperTokenizer: with skip_special_tokens, a prompt before <|startoftranscript|> is left out. */
void am_tokenizer_skip_prompt(const am_tokenizer *t, const int32_t **ids, size_t *count)
{
    int32_t prompt = am_tokenizer_token_to_id(t, (am_text){"<|startofprev|>", 15});
    int32_t start = am_tokenizer_token_to_id(t, (am_text){"<|startoftranscript|>", 21});
    if (prompt < 0) prompt = am_tokenizer_special_id(t, "unk_token");
    if (start < 0) start = am_tokenizer_special_id(t, "unk_token");
    if (*count == 0 || (*ids)[0] != prompt) return;
    while (*count > 0 && (*ids)[0] != start) ++*ids, --*count;
}

/* ParakeetTokenizer, LasrTokenizer: repeated ids once, then without padding. *out is freed by the caller. */
static am_status group_ids(const am_tokenizer *t, const int32_t *ids, size_t *count, int32_t **out)
{
    int32_t pad = am_tokenizer_special_id(t, "pad_token"), last = -1;
    size_t kept = 0;
    *out = am_alloc((*count + 1) * sizeof **out);
    if (!*out) return am_out_of_memory();
    for (size_t i = 0; i < *count; i++) {
        if ((i == 0 || ids[i] != last) && ids[i] != pad) (*out)[kept++] = ids[i];
        last = ids[i];
    }
    *count = kept;
    return NULL;
}

/* Classes that transformers writes in Python. */
static am_status decode_python(const am_tokenizer *t, const int32_t *ids, size_t count,
                               const am_decode_options *options, am_buffer *out)
{
    const am_python *p = t->python;
    AM_TRY(am_python_join(t, ids, count, options, out));
    if (!(options->clean_up < 0 ? t->clean_up : options->clean_up)) return NULL;
    return p->class->clean_up ? p->class->clean_up(p, out) : am_clean_up(out, false);
}

am_status am_tokenizer_decode_cleaned(const am_tokenizer *t, const int32_t *ids, size_t count,
                                      const am_decode_options *options, am_buffer *out)
{
    am_buffer text = {0};
    am_status status = am_tokenizer_decode_plain(t, ids, count, options->skip_special_tokens, &text);
    if (!status && t->decode_style == AM_DECODE_CLIP) status = finish_clip(t, &text);
    bool cleans = options->clean_up < 0 ? t->clean_up : options->clean_up && !t->never_cleans_up;
    if (!status && cleans) status = am_clean_up(&text, false);
    am_buffer_append(out, text.bytes, text.length);
    am_buffer_deinit(&text);
    return status ? status : am_buffer_status(out);
}

static am_status decode_into(const am_tokenizer *t, const int32_t *ids, size_t count, const am_decode_options *options,
                             am_buffer *out)
{
    int32_t *grouped = NULL;
    if (t->decode_style == AM_DECODE_WHISPER && options->skip_special_tokens) am_tokenizer_skip_prompt(t, &ids, &count);
    if (t->decode_style == AM_DECODE_GROUPED && !options->keep_repeated_tokens) {
        AM_TRY(group_ids(t, ids, &count, &grouped));
        ids = grouped;
    }
    am_status status = am_tokenizer_decode_cleaned(t, ids, count, options, out);
    am_free(grouped);
    am_tokenizer_finish_piece(t, out);
    return status;
}

/* Gives the text to the caller, or frees it where there is an error. */
static am_status hand_out(am_status status, am_buffer *text, char **out, size_t *out_length)
{
    *out = NULL;
    *out_length = 0;
    am_buffer_append_char(text, 0);
    if (!status) status = am_buffer_status(text);
    if (!status) {
        *out_length = text->length - 1;
        *out = am_buffer_take(text);
    }
    am_buffer_deinit(text);
    return status;
}

am_status am_tokenizer_decode(const am_tokenizer *t, const int32_t *ids, size_t count, const am_decode_options *options,
                              char **out, size_t *out_length)
{
    am_decode_options defaults = AM_DECODE_OPTIONS;
    am_buffer text = {0};
    if (!options) options = &defaults;
    am_status status = t->ctc      ? am_ctc_decode(t, ids, count, options, &text)
                       : t->python ? decode_python(t, ids, count, options, &text)
                                   : decode_into(t, ids, count, options, &text);
    return hand_out(status, &text, out, out_length);
}

static am_status join_tokens(const am_tokenizer *t, const am_text *tokens, size_t count, am_buffer *out)
{
    am_decode_options options = {0};
    size_t bytes = 0;
    if (t->ctc) return am_error(AM_UNSUPPORTED, "text of tokens with the tokenizer %s", am_tokenizer_class(t));
    if (t->python) return t->python->class->join(t->python, tokens, count, &options, out);
    am_scratch *s = am_tokenizer_take_scratch(t);
    if (!s) return am_out_of_memory();
    for (size_t i = 0; i < count; i++) bytes += tokens[i].length;
    am_scratch_limit(s, bytes);
    am_status status =
        t->spm ? am_spm_join(t, s, tokens, count, out) : am_token_decoder_apply(t->decoder, s, tokens, count, out);
    am_tokenizer_give_scratch(t, s);
    return status;
}

am_status am_tokenizer_join(const am_tokenizer *t, const am_text *tokens, size_t count, char **out, size_t *out_length)
{
    am_buffer text = {0};
    am_status status = join_tokens(t, tokens, count, &text);
    return hand_out(status, &text, out, out_length);
}
