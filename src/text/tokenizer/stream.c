/* Text of ids that come one at a time. The last ids whose text went out are kept as context, because how a
   token reads depends on what stands before it; new text is what decoding context and new ids gives beyond
   the context's own. */
#include "text/tokenizer/python_tokenizer.h"
#include "text/tokenizer/spm_tokenizer.h"

#include "base/memory.h"

struct am_token_stream {
    const am_tokenizer *tokenizer;
    bool skip_special_tokens;
    int32_t *ids; /* context, then new ones */
    size_t count, capacity, context_count;
    size_t context_length;           /* bytes of the context's text */
    am_buffer decoded, pending, out; /* pending: what spaces may still be taken from */
};

/* Ids that may wait for the rest of a character; broken bytes could wait for ever. */
enum { LONGEST_WAIT = 24 };

am_status am_token_stream_create(const am_tokenizer *tokenizer, bool skip_special_tokens, am_token_stream **out)
{
    *out = am_alloc_zeroed(1, sizeof **out);
    if (!*out) return am_out_of_memory();
    (*out)->tokenizer = tokenizer;
    (*out)->skip_special_tokens = skip_special_tokens;
    return NULL;
}

void am_token_stream_destroy(am_token_stream *stream)
{
    if (!stream) return;
    am_free(stream->ids);
    am_buffer_deinit(&stream->decoded);
    am_buffer_deinit(&stream->pending);
    am_buffer_deinit(&stream->out);
    am_free(stream);
}

static am_status add_id(am_token_stream *stream, int32_t id)
{
    if (stream->count == stream->capacity) {
        size_t capacity = stream->capacity ? stream->capacity * 2 : 64;
        int32_t *ids = am_realloc(stream->ids, capacity * sizeof *ids);
        if (!ids) return am_out_of_memory();
        stream->ids = ids;
        stream->capacity = capacity;
    }
    stream->ids[stream->count++] = id;
    return NULL;
}

static am_status decode(am_token_stream *stream, size_t first, size_t count)
{
    am_buffer_clear(&stream->decoded);
    return am_tokenizer_decode_plain(stream->tokenizer, stream->ids + first, count, stream->skip_special_tokens,
                                     &stream->decoded);
}

static bool ends_in_replacement(const am_buffer *text)
{
    return text->length >= 3 && memcmp(text->bytes + text->length - 3, "\xef\xbf\xbd", 3) == 0;
}

/* Moves what decoding gives beyond the context to `pending`, and makes the new ids the context. */
static am_status take_new_text(am_token_stream *stream)
{
    size_t known = stream->context_length < stream->decoded.length ? stream->context_length : stream->decoded.length;
    while (known > 0 && known < stream->decoded.length && !am_is_char_start(stream->decoded.bytes[known])) known--;
    am_buffer_append(&stream->pending, am_buffer_text(&stream->decoded) + known, stream->decoded.length - known);
    size_t fresh = stream->count - stream->context_count;
    memmove(stream->ids, stream->ids + stream->context_count, fresh * sizeof *stream->ids);
    stream->count = stream->context_count = fresh;
    AM_TRY(decode(stream, 0, fresh));
    stream->context_length = stream->decoded.length;
    return am_buffer_status(&stream->pending);
}

/* Whether the text may be the start of something that clean-up changes: a space with part of "n't" behind it.
 */
static bool may_be_cleaned(const char *text, size_t length)
{
    static const char *const patterns[] = {" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (length < strlen(patterns[i]) && memcmp(text, patterns[i], length) == 0) return true;
    return false;
}

/* Bytes of `pending` that nothing that comes can change. */
static size_t certain_length(const am_token_stream *stream)
{
    const am_buffer *pending = &stream->pending;
    for (size_t behind = 3; stream->tokenizer->clean_up && behind > 0; behind--)
        if (behind <= pending->length && may_be_cleaned(pending->bytes + pending->length - behind, behind))
            return pending->length - behind;
    return pending->length;
}

/* Gives out the first `length` bytes of `pending`. */
static am_status give_out(am_token_stream *stream, size_t length, am_text *out)
{
    am_buffer_clear(&stream->out);
    am_buffer_append(&stream->out, am_buffer_text(&stream->pending), length);
    if (length) memmove(stream->pending.bytes, stream->pending.bytes + length, stream->pending.length - length);
    stream->pending.length -= length;
    am_tokenizer_finish_piece(stream->tokenizer, &stream->out);
    *out = (am_text){am_buffer_text(&stream->out), stream->out.length};
    return am_buffer_status(&stream->out);
}

/* Whether what an id gives depends on all the others, so that text comes at the end only. */
static bool waits_for_all(const am_tokenizer *t)
{
    return t->ctc || (t->python && !t->python->class->joins_piecewise) || (t->spm && am_spm_waits_for_all(t)) ||
           t->decode_style == AM_DECODE_CLIP || t->decode_style == AM_DECODE_GROUPED;
}

am_status am_token_stream_feed(am_token_stream *stream, int32_t id, am_text *out)
{
    const am_tokenizer *t = stream->tokenizer;
    *out = (am_text){"", 0};
    bool silent =
        !am_tokenizer_id_to_token(t, id).bytes || (stream->skip_special_tokens && am_tokenizer_is_special(t, id));
    if (silent && !waits_for_all(t)) return NULL;
    AM_TRY(add_id(stream, id));
    if (waits_for_all(t)) return NULL;
    AM_TRY(decode(stream, 0, stream->count));
    if (ends_in_replacement(&stream->decoded) && stream->count - stream->context_count < LONGEST_WAIT) return NULL;
    AM_TRY(take_new_text(stream));
    if (t->clean_up) AM_TRY(am_clean_up(&stream->pending, false));
    return give_out(stream, certain_length(stream), out);
}

static am_status flush_all_ids(am_token_stream *stream, am_text *out)
{
    am_decode_options options = AM_DECODE_OPTIONS;
    char *text;
    size_t length;
    options.skip_special_tokens = stream->skip_special_tokens;
    AM_TRY(am_tokenizer_decode(stream->tokenizer, stream->ids, stream->count, &options, &text, &length));
    am_buffer_clear(&stream->out);
    am_buffer_append(&stream->out, text, length);
    am_free(text);
    *out = (am_text){am_buffer_text(&stream->out), stream->out.length};
    return am_buffer_status(&stream->out);
}

am_status am_token_stream_flush(am_token_stream *stream, am_text *out)
{
    am_status status = NULL;
    *out = (am_text){"", 0};
    if (waits_for_all(stream->tokenizer)) {
        status = flush_all_ids(stream, out);
    } else {
        if (stream->count > stream->context_count) status = decode(stream, 0, stream->count);
        if (!status && stream->count > stream->context_count) status = take_new_text(stream);
        if (!status && stream->tokenizer->clean_up) status = am_clean_up(&stream->pending, false);
        if (!status) status = give_out(stream, stream->pending.length, out);
    }
    stream->count = stream->context_count = stream->context_length = 0;
    return status;
}
