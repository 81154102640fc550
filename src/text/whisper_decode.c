#include "text/whisper_decode.h"

#include "base/memory.h"
#include "text/tokenizer/internal.h"

/* Features that the model hears at once, two for each position of a time: times of long sounds begin anew after them.
 */
enum { SEGMENT_SIZE = 1500 };

/* The id behind the last of all_special_tokens, of which each counts where it comes first. */
static int32_t first_timestamp(const am_tokenizer *t)
{
    am_text last = {0};
    for (size_t i = 0; i < t->named_count; i++) {
        bool is_new = true;
        for (size_t k = 0; k < i; k++) is_new = is_new && !am_text_equal(t->named[k].token, t->named[i].token);
        if (is_new) last = t->named[i].token;
    }
    return last.bytes ? am_tokenizer_token_to_id(t, last) + 1 : INT32_MAX;
}

/* ---- text ---- */

static am_status normalize(const am_whisper_decode_options *options, am_buffer *text)
{
    am_buffer made = {0};
    am_text view = {am_buffer_text(text), text->length};
    if (!options->normalizer || !(options->normalize || options->basic_normalize)) return NULL;
    am_status status = options->normalize
                           ? am_whisper_normalize_english(options->normalizer, view, &made)
                           : am_whisper_normalize_basic(options->normalizer, view, options->remove_diacritics, &made);
    am_buffer_deinit(status ? &made : text);
    if (!status) *text = made;
    return status;
}

static am_status decode_text(const am_tokenizer *t, const int32_t *ids, size_t count,
                             const am_whisper_decode_options *options, am_buffer *out)
{
    am_buffer text = {0};
    am_decode_options decode = {.skip_special_tokens = options->skip_special_tokens, .clean_up = options->clean_up};
    am_status status = am_tokenizer_decode_cleaned(t, ids, count, &decode, &text);
    if (!status) status = normalize(options, &text);
    am_tokenizer_finish_piece(t, &text);
    am_buffer_append(out, text.bytes, text.length);
    am_buffer_deinit(&text);
    return status ? status : am_buffer_status(out);
}

/* A stretch of ids, or a time. */
typedef struct part {
    const int32_t *ids;
    size_t count;
    bool is_time;
    double time;
} part;

typedef struct job {
    const am_tokenizer *tokenizer;
    int32_t begin;
    double precision;
    part *parts;
    size_t count;
    double latest, before_latest, earlier; /* earlier: seconds of the segments before */
} job;

/* A time before the latest one begins another segment. */
static void advance(job *j, double time, bool single_ending)
{
    if (time < j->latest && single_ending) j->earlier += j->precision * SEGMENT_SIZE;
    if (time < j->latest && !single_ending) {
        j->latest = j->before_latest;
        j->earlier += j->before_latest;
        j->count -= j->count < 2 ? j->count : 2;
    }
    j->before_latest = j->latest;
    j->latest = time;
}

static void add_id(job *j, const int32_t *ids, size_t i)
{
    if (ids[i] < j->begin) {
        part *last = j->count ? &j->parts[j->count - 1] : NULL;
        if (last && !last->is_time) last->count++;
        else j->parts[j->count++] = (part){.ids = &ids[i], .count = 1};
        return;
    }
    double time = (double)(ids[i] - j->begin) * j->precision;
    advance(j, time, i >= 2 && !(ids[i - 1] >= j->begin && ids[i - 2] >= j->begin));
    j->parts[j->count++] = (part){.is_time = true, .time = time + j->earlier};
    j->parts[j->count++] = (part){.ids = &ids[i] + 1};
}

static am_status append_parts(const job *j, const am_whisper_decode_options *options, am_buffer *out)
{
    am_decode_options decode = {.skip_special_tokens = options->skip_special_tokens, .clean_up = -1};
    for (size_t i = 0; i < j->count; i++) {
        const part *p = &j->parts[i];
        if (p->is_time) am_buffer_printf(out, "<|%.2f|>", p->time);
        else if (p->count) AM_TRY(am_tokenizer_decode_cleaned(j->tokenizer, p->ids, p->count, &decode, out));
    }
    return am_buffer_status(out);
}

static am_status decode_with_times(const am_tokenizer *t, const int32_t *ids, size_t count,
                                   const am_whisper_decode_options *options, am_buffer *out)
{
    job j = {.tokenizer = t, .begin = first_timestamp(t), .precision = options->time_precision};
    j.parts = am_alloc((2 * count + 1) * sizeof *j.parts);
    if (!j.parts) return am_out_of_memory();
    j.parts[j.count++] = (part){.ids = ids};
    for (size_t i = 0; i < count; i++) add_id(&j, ids, i);
    am_status status = append_parts(&j, options, out);
    am_free(j.parts);
    return status;
}

am_status am_whisper_decode(const am_tokenizer *t, const int32_t *ids, size_t count,
                            const am_whisper_decode_options *options, am_buffer *out)
{
    if (options->skip_special_tokens) am_tokenizer_skip_prompt(t, &ids, &count);
    return options->times ? decode_with_times(t, ids, count, options, out) : decode_text(t, ids, count, options, out);
}

/* ---- segments ---- */

typedef struct slices {
    const am_tokenizer *tokenizer;
    const int32_t *ids;
    int32_t begin;
    double precision;
    int64_t latest, earlier; /* timestamp tokens */
    am_arena *arena;
    am_whisper_segment *segments;
    size_t count;
} slices;

/* Ids [first, end), which begin and end with a timestamp. */
static am_status add_slice(slices *s, size_t first, size_t end)
{
    am_buffer text = {0};
    am_whisper_decode_options options = AM_WHISPER_DECODE_OPTIONS;
    int64_t from = s->ids[first] - s->begin, to = s->ids[end - 1] - s->begin;
    if (end - first < 2) return NULL;
    if (from < s->latest) {
        bool single_ending = first >= 2 && !(s->ids[first - 2] >= s->begin && s->ids[first - 1] >= s->begin);
        s->earlier += single_ending ? SEGMENT_SIZE : s->latest;
    }
    s->latest = to;
    am_status status = decode_text(s->tokenizer, s->ids + first, end - first, &options, &text);
    am_whisper_segment *segment = &s->segments[s->count++];
    *segment =
        (am_whisper_segment){.text = {am_arena_string(s->arena, am_buffer_text(&text), text.length), text.length},
                             .start = (double)from * s->precision + (double)s->earlier * s->precision,
                             .end = (double)to * s->precision + (double)s->earlier * s->precision};
    am_buffer_deinit(&text);
    return status || segment->text.bytes ? status : am_out_of_memory();
}

/* Cuts between two timestamps that stand together, and behind the last one. */
static am_status cut(slices *s, size_t count)
{
    size_t first = count, last = 0, timestamps = 0, pairs = 0;
    for (size_t i = 0; i < count; i++) {
        if (s->ids[i] < s->begin) continue;
        if (!timestamps++) first = i;
        pairs += i > 0 && s->ids[i - 1] >= s->begin;
        last = i;
    }
    if (!pairs && timestamps <= 1) return NULL;
    size_t start = first;
    for (size_t i = first + 1; i <= last; i++) {
        if (s->ids[i] < s->begin || s->ids[i - 1] < s->begin) continue;
        AM_TRY(add_slice(s, start, i));
        start = i;
    }
    return add_slice(s, start, last + 1);
}

am_status am_whisper_segments(const am_tokenizer *t, const int32_t *ids, size_t count, double time_precision,
                              am_arena *arena, am_whisper_segment **out, size_t *out_count)
{
    slices s = {.tokenizer = t, .ids = ids, .begin = first_timestamp(t), .precision = time_precision, .arena = arena};
    s.segments = am_arena_array(arena, count + 1, sizeof *s.segments);
    if (!s.segments) return am_out_of_memory();
    am_status status = cut(&s, count);
    *out = s.segments;
    *out_count = s.count;
    return status;
}
