/* What Whisper's tokenizer makes of ids, and its normalizers of texts. */
#include "recorded/pipelines.h"
#include "tasks/task.h"
#include "text/whisper_decode.h"

static void append_string(const char *name, const am_buffer *text, am_buffer *out)
{
    am_buffer_printf(out, "\"%s\": ", name);
    am_buffer_append_json_string(out, am_buffer_text(text), text->length);
}

static am_status open_normalizer(const am_pipeline_case *c, am_whisper_normalizer **out)
{
    *out = NULL;
    if (!c->tokenizer) return am_error(AM_INVALID_FILE, "tokenizer: expected a name");
    return am_whisper_normalizer_open(c->tokenizer_directory, out);
}

/* --- whisper-tokenizer-decode --- */

typedef struct ids {
    int32_t *items;
    size_t count;
} ids;

static am_status append_decoded(const am_pipeline_case *c, const ids *tokens, const char *name,
                                const am_whisper_decode_options *options, am_buffer *out)
{
    am_buffer text = {0};
    am_status status = am_whisper_decode(c->tokenizer, tokens->items, tokens->count, options, &text);
    if (!status) append_string(name, &text, out);
    am_buffer_deinit(&text);
    return status;
}

static am_status append_segments(am_pipeline_case *c, const ids *tokens, am_buffer *out)
{
    am_whisper_segment *segments;
    am_whisper_decode_options options = AM_WHISPER_DECODE_OPTIONS;
    size_t count;
    AM_TRY(am_whisper_segments(c->tokenizer, tokens->items, tokens->count, options.time_precision, &c->arena, &segments,
                               &count));
    am_buffer_append_string(out, ", \"offsets\": {");
    AM_TRY(append_decoded(c, tokens, "text", &options, out));
    am_buffer_append_string(out, ", \"offsets\": [");
    for (size_t i = 0; i < count; i++) {
        am_buffer_append_string(out, i ? ", {\"text\": " : "{\"text\": ");
        am_buffer_append_json_string(out, segments[i].text.bytes, segments[i].text.length);
        am_buffer_append_string(out, ", \"timestamp\": [");
        am_append_real(out, segments[i].start);
        am_buffer_append_string(out, ", ");
        am_append_real(out, segments[i].end);
        am_buffer_append_string(out, "]}");
    }
    am_buffer_append_string(out, "]}");
    return NULL;
}

static am_status append_decodings(am_pipeline_case *c, const am_whisper_normalizer *normalizer, const ids *tokens,
                                  am_buffer *out)
{
    static const struct {
        const char *name;
        bool skip, times, normalize, basic_normalize;
    } ways[] = {{.name = "plain"},
                {.name = "skip", .skip = true},
                {.name = "with_timestamps", .times = true},
                {.name = "normalize", .skip = true, .normalize = true},
                {.name = "basic_normalize", .skip = true, .basic_normalize = true}};
    am_buffer_append_char(out, '{');
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        am_whisper_decode_options options = AM_WHISPER_DECODE_OPTIONS;
        options.skip_special_tokens = ways[i].skip;
        options.times = ways[i].times;
        options.normalize = ways[i].normalize;
        options.basic_normalize = ways[i].basic_normalize;
        options.normalizer = normalizer;
        if (i) am_buffer_append_string(out, ", ");
        AM_TRY(append_decoded(c, tokens, ways[i].name, &options, out));
    }
    AM_TRY(append_segments(c, tokens, out));
    am_buffer_append_char(out, '}');
    return NULL;
}

am_status am_pipeline_whisper_tokens(am_pipeline_case *c, am_buffer *out)
{
    am_json given = am_json_get(c->line, "ids");
    am_whisper_normalizer *normalizer;
    ids tokens = {am_arena_array(&c->arena, am_json_count(given) + 1, sizeof *tokens.items), 0};
    if (!tokens.items) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(given); am_json_next(&i);)
        tokens.items[tokens.count++] = (int32_t)am_json_int(i.value, -1);
    AM_TRY(open_normalizer(c, &normalizer));
    am_status status = append_decodings(c, normalizer, &tokens, out);
    am_whisper_normalizer_close(normalizer);
    return status;
}

/* --- whisper-normalize --- */

static am_status append_normal_forms(const am_whisper_normalizer *normalizer, am_text text, am_buffer *out)
{
    am_buffer english = {0}, basic = {0}, plain = {0};
    am_status status = am_whisper_normalize_english(normalizer, text, &english);
    if (!status) status = am_whisper_normalize_basic(normalizer, text, false, &basic);
    if (!status) status = am_whisper_normalize_basic(normalizer, text, true, &plain);
    am_buffer_append_char(out, '{');
    append_string("normalize", &english, out);
    am_buffer_append_string(out, ", ");
    append_string("basic", &basic, out);
    am_buffer_append_string(out, ", ");
    append_string("basic_no_diacritics", &plain, out);
    am_buffer_append_char(out, '}');
    am_buffer_deinit(&english);
    am_buffer_deinit(&basic);
    am_buffer_deinit(&plain);
    return status;
}

am_status am_pipeline_whisper_normal_forms(am_pipeline_case *c, am_buffer *out)
{
    am_json_string text = am_json_text(am_json_get(c->line, "text"));
    am_whisper_normalizer *normalizer;
    AM_TRY(open_normalizer(c, &normalizer));
    am_status status = append_normal_forms(normalizer, (am_text){text.bytes, text.length}, out);
    am_whisper_normalizer_close(normalizer);
    return status;
}
