/* From Whisper's tokens to text and times: _decode_asr of tokenization_whisper.py, a state machine over the tokens of
   all chunks. Text is gathered until a timestamp ends it; where chunks overlap, what both say is found by sliding one
   over the other. */
#include "tasks/speech.h"

#include "base/memory.h"
#include "tasks/whisper_words.h"
#include "text/tokenizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT_FRAMES = 1500 };

typedef struct times {
    double start, end; /* seconds */
} times;

typedef struct sequence {
    int32_t *ids;
    times *times; /* of each token; null: not known */
    int64_t count;
} sequence;

typedef struct segment {
    const char *language; /* null: not known */
    double start, end;    /* seconds; NAN: not known */
    char *text;
    size_t length;
} segment;

typedef struct word {
    am_whisper_word word;
    times times;
    const char *language; /* null: not known */
} word;

typedef struct job {
    const am_tokenizer *tokenizer;
    const am_whisper_text_options *options;
    am_arena arena;
    int32_t timestamp_begin;
    int64_t capacity; /* of all lists: no list is longer than what was generated */
    segment *segments;
    int64_t segment_count;
    segment segment; /* that is being read */
    sequence *previous;
    int64_t previous_count;
    sequence current;
    word *words; /* of all segments, where they are wanted */
    int64_t word_count;
    const char *last_language;
    double time_offset;
    bool skip;
} job;

/* Where times stand within one output. */
typedef struct clock {
    int32_t last_timestamp;                        /* -1: none */
    double first_timestamp;                        /* a token */
    double latest, before_latest, segments_length; /* seconds */
} clock;

static segment new_segment(const job *j)
{
    return (segment){.language = j->last_language, .start = NAN, .end = NAN};
}

/* --- overlaps --- */

typedef struct match {
    int64_t left_start, left_stop, right_start, right_stop;
} match;

/* The same token, not earlier on the right. */
static bool matches(const sequence *left, int64_t a, const sequence *right, int64_t b)
{
    if (left->ids[a] != right->ids[b]) return false;
    if (!left->times) return true;
    times l = left->times[a], r = right->times[b];
    return l.start < r.start || (l.start == r.start && l.end <= r.end);
}

static match best_match(const sequence *left, const sequence *right)
{
    match best = {left->count, left->count, 0, 0};
    double most = 0;
    for (int64_t i = 1; i < left->count + right->count; i++) {
        match m = {.left_start = left->count > i ? left->count - i : 0,
                   .left_stop = right->count > i ? left->count : left->count + right->count - i,
                   .right_start = i > left->count ? i - left->count : 0,
                   .right_stop = right->count < i ? right->count : i};
        if (m.left_stop > left->count) m.left_stop = left->count;
        int64_t same = 0;
        for (int64_t k = 0; k < m.left_stop - m.left_start; k++)
            same += matches(left, m.left_start + k, right, m.right_start + k);
        double matching = (double)same / (double)i + (double)i / 10000.0; /* long perfect matches win */
        if (same > 1 && matching > most) {
            most = matching;
            best = m;
        }
    }
    return best;
}

/* Room for `capacity` tokens, with times where words are wanted. */
static am_status new_sequence(job *j, int64_t capacity, sequence *out)
{
    *out = (sequence){.ids = am_arena_array(&j->arena, (size_t)capacity + 1, sizeof *out->ids)};
    if (!out->ids) return am_out_of_memory();
    if (!j->options->word_times) return NULL;
    out->times = am_arena_array(&j->arena, (size_t)capacity + 1, sizeof *out->times);
    return out->times ? NULL : am_out_of_memory();
}

static void add_tokens(sequence *to, const sequence *from, int64_t count)
{
    memcpy(to->ids + to->count, from->ids, (size_t)count * sizeof *from->ids);
    if (to->times) memcpy(to->times + to->count, from->times, (size_t)count * sizeof *from->times);
    to->count += count;
}

/* _find_longest_common_sequence: the sequences as one, what they share once. */
static am_status join(job *j, sequence *out)
{
    int64_t total = 0;
    for (int64_t i = 0; i < j->previous_count; i++) total += j->previous[i].count;
    AM_TRY(new_sequence(j, total, out));
    sequence left = j->previous[0];
    for (int64_t i = 1; i <= j->previous_count; i++) {
        bool is_end = i == j->previous_count;
        match m = is_end ? (match){0} : best_match(&left, &j->previous[i]);
        int64_t kept = is_end ? left.count : (m.left_start + m.left_stop) / 2;
        int64_t from = (m.right_start + m.right_stop) / 2;
        add_tokens(out, &left, kept);
        if (is_end) break;
        left = j->previous[i];
        left.ids += from;
        if (left.times) left.times += from;
        left.count -= from;
    }
    return NULL;
}

/* --- segments --- */

static am_status keep_current(job *j)
{
    sequence *kept = &j->previous[j->previous_count++];
    AM_TRY(new_sequence(j, j->current.count, kept));
    add_tokens(kept, &j->current, j->current.count);
    return NULL;
}

/* _collate_word_timestamps */
static am_status add_words(job *j, const sequence *tokens)
{
    am_whisper_word *found;
    int64_t count;
    AM_TRY(am_whisper_words(j->tokenizer, tokens->ids, tokens->count, j->last_language, &j->arena, &found, &count));
    for (int64_t i = 0; i < count; i++)
        j->words[j->word_count++] = (word){
            found[i], {tokens->times[found[i].first].start, tokens->times[found[i].end - 1].end}, j->last_language};
    return NULL;
}

/* The text of what was gathered becomes a segment. */
static am_status end_segment(job *j)
{
    am_decode_options options = {.skip_special_tokens = false, .clean_up = -1};
    sequence joined;
    char *text;
    size_t length;
    AM_TRY(join(j, &joined));
    AM_TRY(am_tokenizer_decode(j->tokenizer, joined.ids, (size_t)joined.count, &options, &text, &length));
    j->segment.text = am_arena_string(&j->arena, text, length);
    j->segment.length = length;
    am_free(text);
    if (!j->segment.text) return am_out_of_memory();
    if (j->options->word_times) AM_TRY(add_words(j, &joined));
    j->segments[j->segment_count++] = j->segment;
    j->segment = new_segment(j);
    j->previous_count = 0;
    j->current.count = 0;
    return NULL;
}

static const char *language_of(const job *j, int32_t token)
{
    am_text text = am_tokenizer_id_to_token(j->tokenizer, token);
    return text.length > 4 ? am_whisper_language(text.bytes + 2, text.length - 4) : NULL;
}

static am_status read_special(job *j, int32_t token)
{
    const char *language = language_of(j, token);
    if (!language) return NULL;
    if (j->last_language && strcmp(language, j->last_language) != 0 && !j->options->return_timestamps) {
        AM_TRY(keep_current(j));
        AM_TRY(end_segment(j));
    }
    j->segment.language = j->last_language = language;
    return NULL;
}

/* As Python's round(seconds, 2). */
static double round_to_hundredths(double seconds)
{
    char text[64];
    snprintf(text, sizeof text, "%.2f", seconds);
    return strtod(text, NULL);
}

/* Long sounds come as segments one after another, each of whose times begin anew. */
static void advance(const job *j, clock *c, double timestamp, bool single_ending)
{
    if (timestamp < c->latest) {
        if (!single_ending) c->latest = c->before_latest;
        c->segments_length += single_ending ? j->options->time_precision * SEGMENT_FRAMES : c->before_latest;
    }
    c->before_latest = c->latest;
    c->latest = timestamp;
}

static am_status read_timestamp(job *j, clock *c, const am_whisper_output *output, int64_t i)
{
    int32_t token = output->ids[i], begin = j->timestamp_begin;
    double timestamp = (double)(token - begin) * j->options->time_precision;
    advance(j, c, timestamp, i >= 2 && !(output->ids[i - 1] >= begin && output->ids[i - 2] >= begin));
    double time = round_to_hundredths(timestamp + j->time_offset + c->segments_length);
    if (c->last_timestamp >= 0 && token >= c->last_timestamp)
        j->skip = true; /* in the part that the next chunk has too */
    else if (j->skip || (j->previous_count && token < c->first_timestamp)) j->skip = false;
    else if (isnan(j->segment.start)) j->segment.start = time;
    else if (time != j->segment.start) {
        j->segment.end = time;
        AM_TRY(keep_current(j));
        return end_segment(j);
    }
    return NULL;
}

/* The first of the timestamps that lie in the right stride, and all behind it are left to the next chunk. */
static int32_t find_last_timestamp(const job *j, const am_whisper_output *output)
{
    int32_t last = -1;
    double limit = output->length_s - output->right_s;
    for (int64_t i = output->count - 1; i >= 0; i--) {
        int32_t token = output->ids[i];
        if (token < j->timestamp_begin) continue;
        if (last >= 0 && (double)(token - j->timestamp_begin) * j->options->time_precision < limit) break;
        last = token;
    }
    return last;
}

/* What stands before the transcript is of earlier sounds (_strip_prompt). The times of tokens stay where they are, as
   they do in transformers. */
static am_whisper_output without_prompt(const job *j, am_whisper_output output)
{
    int32_t previous = am_tokenizer_token_to_id(j->tokenizer, (am_text){"<|startofprev|>", 15}),
            start = am_tokenizer_token_to_id(j->tokenizer, (am_text){"<|startoftranscript|>", 21});
    if (!output.count || previous < 0 || output.ids[0] != previous) return output;
    while (output.count && output.ids[0] != start) {
        output.ids++;
        output.count--;
    }
    return output;
}

/* A token lasts from where the one before it ends. */
static void add_token(job *j, const am_whisper_output *output, int64_t i)
{
    if (j->current.times)
        j->current.times[j->current.count] =
            (times){round_to_hundredths((i ? output->token_times[i - 1] : 0.0) + j->time_offset),
                    round_to_hundredths(output->token_times[i] + j->time_offset)};
    j->current.ids[j->current.count++] = output->ids[i];
}

static am_status read_output(job *j, const am_whisper_output *given)
{
    am_whisper_output stripped = without_prompt(j, *given);
    const am_whisper_output *output = &stripped;
    clock c = {.last_timestamp = -1, .first_timestamp = j->timestamp_begin};
    if (output->has_stride) {
        j->time_offset -= output->left_s;
        if (output->left_s > 0) c.first_timestamp += output->left_s / j->options->time_precision;
        if (output->right_s > 0) c.last_timestamp = find_last_timestamp(j, output);
    }
    j->current.count = 0;
    for (int64_t i = 0; i < output->count; i++) {
        int32_t token = output->ids[i];
        if (am_tokenizer_is_special(j->tokenizer, token)) AM_TRY(read_special(j, token));
        else if (token >= j->timestamp_begin) AM_TRY(read_timestamp(j, &c, output, i));
        else add_token(j, output, i);
    }
    if (output->has_stride) j->time_offset += output->length_s - output->right_s;
    if (j->current.count) return keep_current(j);
    bool is_empty = true;
    for (int64_t i = 0; i < j->previous_count; i++) is_empty &= j->previous[i].count == 0;
    if (is_empty) {
        j->segment = new_segment(j);
        j->previous_count = 0;
    }
    return NULL;
}

/* --- */

static void append_time(double seconds, am_buffer *out)
{
    if (isnan(seconds)) am_buffer_append_string(out, "null");
    else am_append_real(out, seconds);
}

static void append_segment(const job *j, const segment *s, am_buffer *out)
{
    am_buffer_append_char(out, '{');
    if (j->options->return_language) {
        am_buffer_append_string(out, "\"language\": ");
        if (s->language) am_buffer_append_json_string(out, s->language, strlen(s->language));
        else am_buffer_append_string(out, "null");
        am_buffer_append_string(out, ", ");
    }
    if (j->options->return_timestamps) {
        am_buffer_append_string(out, "\"timestamp\": [");
        append_time(s->start, out);
        am_buffer_append_string(out, ", ");
        append_time(s->end, out);
        am_buffer_append_string(out, "], ");
    }
    am_buffer_append_string(out, "\"text\": ");
    am_buffer_append_json_string(out, s->text, s->length);
    am_buffer_append_char(out, '}');
}

static void append_word(const job *j, const word *w, am_buffer *out)
{
    am_buffer_append_string(out, "{\"text\": ");
    am_buffer_append_json_string(out, w->word.text, w->word.length);
    am_buffer_append_string(out, ", \"timestamp\": [");
    append_time(w->times.start, out);
    am_buffer_append_string(out, ", ");
    append_time(w->times.end, out);
    am_buffer_append_char(out, ']');
    if (j->options->return_language) {
        am_buffer_append_string(out, ", \"language\": ");
        if (w->language) am_buffer_append_json_string(out, w->language, strlen(w->language));
        else am_buffer_append_string(out, "null");
    }
    am_buffer_append_char(out, '}');
}

static void append_chunks(const job *j, am_buffer *out)
{
    int64_t count = j->options->word_times ? j->word_count : j->segment_count;
    am_buffer_append_string(out, ", \"chunks\": [");
    for (int64_t i = 0; i < count; i++) {
        if (i) am_buffer_append_string(out, ", ");
        if (j->options->word_times) append_word(j, &j->words[i], out);
        else append_segment(j, &j->segments[i], out);
    }
    am_buffer_append_char(out, ']');
}

static am_status normalize(const am_whisper_text_options *options, am_buffer *text)
{
    am_buffer made = {0};
    am_text view = {am_buffer_text(text), text->length};
    if (!options->normalizer) return NULL;
    am_status status = options->basic_normalize
                           ? am_whisper_normalize_basic(options->normalizer, view, options->remove_diacritics, &made)
                           : am_whisper_normalize_english(options->normalizer, view, &made);
    am_buffer_deinit(status ? &made : text);
    if (!status) *text = made;
    return status;
}

static am_status append_answer(const job *j, am_buffer *out)
{
    am_buffer text = {0};
    for (int64_t i = 0; i < j->segment_count; i++) am_buffer_append(&text, j->segments[i].text, j->segments[i].length);
    am_status status = am_buffer_status(&text);
    if (!status) status = normalize(j->options, &text);
    am_buffer_append_string(out, "{\"text\": ");
    am_buffer_append_json_string(out, am_buffer_text(&text), text.length);
    am_buffer_deinit(&text);
    if (status) return status;
    if (j->options->return_timestamps || j->options->return_language) append_chunks(j, out);
    am_buffer_append_char(out, '}');
    return NULL;
}

static am_status read_outputs(job *j, const am_whisper_output *outputs, int64_t count)
{
    am_text marker = {"<|notimestamps|>", 16};
    int32_t before_times = am_tokenizer_token_to_id(j->tokenizer, marker);
    j->timestamp_begin = before_times >= 0 ? before_times + 1 : INT32_MAX;
    j->capacity = 1;
    for (int64_t i = 0; i < count; i++) j->capacity += outputs[i].count + 1;
    j->segments = am_arena_array(&j->arena, (size_t)j->capacity, sizeof *j->segments);
    j->previous = am_arena_array(&j->arena, (size_t)j->capacity, sizeof *j->previous);
    j->words = am_arena_array(&j->arena, (size_t)j->capacity, sizeof *j->words);
    if (!j->segments || !j->previous || !j->words) return am_out_of_memory();
    AM_TRY(new_sequence(j, j->capacity, &j->current));
    j->segment = new_segment(j);
    for (int64_t i = 0; i < count; i++) AM_TRY(read_output(j, &outputs[i]));
    return j->previous_count ? end_segment(j) : NULL;
}

am_status am_append_whisper_text(const am_tokenizer *tokenizer, const am_whisper_output *outputs, int64_t count,
                                 const am_whisper_text_options *options, am_buffer *out)
{
    job j = {.tokenizer = tokenizer, .options = options};
    for (int64_t i = 0; i < count && options->word_times; i++)
        if (!outputs[i].token_times) return am_error(AM_INVALID_ARGUMENT, "times of words without times of tokens");
    am_status status = read_outputs(&j, outputs, count);
    if (!status) status = append_answer(&j, out);
    am_arena_deinit(&j.arena);
    return status;
}
