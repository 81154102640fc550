#include "tasks/answers.h"
#include "tasks/chat_prompt.h"

#include "base/memory.h"

#include <string.h>
#include <strings.h>

enum { DEFAULT_NEW_TOKENS = 256 };

typedef struct job {
    am_pipeline *p;
    am_tokenizer *tokenizer;
    am_json options, messages; /* messages: MISSING where a text is continued */
    am_arena arena;
    am_generation_config config;
    am_text_job generation;
    am_text_return wanted;
    const char *text, *prefix;
} job;

/* --- options --- */

static am_status read_return_type(am_json options, am_return_type *out)
{
    static const char *const names[] = {"FULL_TEXT", "NEW_TEXT", "TENSORS"};
    am_json given = am_json_get(options, "return_type");
    AM_TRY(am_check_option(options, "return_type", AM_JSON_STRING));
    for (int i = 0; i < 3; i++)
        if (strcasecmp(am_json_text(given).bytes, names[i]) == 0) {
            *out = (am_return_type)i;
            return NULL;
        }
    return am_json_kind_of(given) == AM_JSON_STRING
               ? am_error(AM_INVALID_ARGUMENT, "option return_type: expected full_text, new_text or tensors")
               : NULL;
}

/* return_full_text, return_text and return_tensors: of which one may be given. */
static am_status read_flags(am_json options, am_return_type *out)
{
    static const char *const names[] = {"return_full_text", "return_text", "return_tensors"};
    const char *first = NULL;
    for (int i = 0; i < 3; i++) {
        am_json given = am_json_get(options, names[i]);
        AM_TRY(am_check_option(options, names[i], AM_JSON_BOOL));
        if (am_json_kind_of(given) != AM_JSON_BOOL) continue;
        if (first) return am_error(AM_INVALID_ARGUMENT, "option %s does not go together with %s", names[i], first);
        first = names[i];
        if (i == 0) *out = am_json_bool(given, true) ? AM_RETURN_FULL_TEXT : AM_RETURN_NEW_TEXT;
        if (i == 2 && am_json_bool(given, false)) *out = AM_RETURN_TENSORS;
    }
    return NULL;
}

am_status am_text_return_read(am_json options, am_text_return *out)
{
    am_json clean_up = am_json_get(options, "clean_up_tokenization_spaces");
    *out = (am_text_return){.type = AM_RETURN_FULL_TEXT, .decoding = AM_DECODE_OPTIONS, .options = options};
    AM_TRY(am_check_option(options, "clean_up_tokenization_spaces", AM_JSON_BOOL));
    AM_TRY(am_check_option(options, "skip_special_tokens", AM_JSON_BOOL));
    AM_TRY(am_check_option(options, "continue_final_message", AM_JSON_BOOL));
    AM_TRY(read_flags(options, &out->type));
    AM_TRY(read_return_type(options, &out->type));
    if (am_json_kind_of(clean_up) == AM_JSON_BOOL) out->decoding.clean_up = am_json_bool(clean_up, false);
    out->decoding.skip_special_tokens = am_json_bool(am_json_get(options, "skip_special_tokens"), true);
    return NULL;
}

/* Texts that end the answer: `stop` ones are cut off, stop_sequence is another name of stop_strings. */
static am_status read_stops(job *j)
{
    am_texts stop = {0}, sequence = {0};
    if (am_json_kind_of(am_json_get(j->options, "stop")) > AM_JSON_NULL)
        AM_TRY(am_option_texts(j->options, "stop", false, &j->arena, &stop));
    if (am_json_kind_of(am_json_get(j->options, "stop_sequence")) > AM_JSON_NULL)
        AM_TRY(am_option_texts(j->options, "stop_sequence", false, &j->arena, &sequence));
    if (sequence.count) j->config.stop_strings = (am_stop_texts){sequence.items, sequence.count};
    j->generation = (am_text_job){.config = &j->config, .stop = stop.items, .stop_count = (size_t)stop.count};
    return NULL;
}

/* The pipeline's 256 tokens unless the model or the caller says how many; sampling only when the caller or
   the model asks for it, so that answers are the same from run to run. */
static am_status read_settings(job *j)
{
    am_generation_config base = am_generation_config_default();
    am_json hole = am_json_get(j->options, "handle_long_generation");
    base.max_new_tokens = DEFAULT_NEW_TOKENS;
    AM_TRY(am_read_generation(j->p, &base, (am_json){0}, j->options, &j->arena, &j->config));
    AM_TRY(am_text_return_read(j->options, &j->wanted));
    AM_TRY(am_option_text(j->options, "prefix", &j->arena, "", &j->prefix));
    AM_TRY(am_check_option(j->options, "handle_long_generation", AM_JSON_STRING));
    if (am_json_kind_of(hole) == AM_JSON_STRING && !am_json_equals(hole, "hole"))
        return am_error(AM_INVALID_ARGUMENT, "option handle_long_generation: expected hole, found \"%s\"",
                        am_json_text(hole).bytes);
    return read_stops(j);
}

/* add_special_tokens, truncation and max_length of the options, or of tokenizer_encode_kwargs: there a max_length alone
   truncates. */
static am_status read_encoding(am_json options, bool length_truncates, am_encode_options *out)
{
    am_json truncation = am_json_get(options, "truncation");
    int64_t length = am_json_int(am_json_get(options, "max_length"), 0);
    AM_TRY(am_check_option(options, "add_special_tokens", AM_JSON_BOOL));
    AM_TRY(am_check_option(options, "truncation", AM_JSON_BOOL));
    AM_TRY(am_check_option(options, "max_length", AM_JSON_INTEGER));
    out->add_special_tokens = am_json_bool(am_json_get(options, "add_special_tokens"), out->add_special_tokens);
    if (length > 0) out->max_length = (uint64_t)length;
    if (am_json_bool(truncation, length_truncates && length > 0)) out->truncation = AM_TRUNCATE_LONGEST_FIRST;
    else if (am_json_kind_of(truncation) == AM_JSON_BOOL) out->truncation = AM_TRUNCATE_NEVER;
    return NULL;
}

/* --- the prompt --- */

/* handle_long_generation "hole": the end of the prompt, as long as the answer leaves room for. */
static am_status cut_hole(job *j)
{
    int64_t limit = am_pipeline_context_length(j->p), length = j->generation.length;
    int64_t answer = am_generation_config_end(&j->config, length) - length, kept = limit - answer;
    if (am_json_kind_of(am_json_get(j->options, "handle_long_generation")) != AM_JSON_STRING || length <= kept)
        return NULL;
    if (kept < 1)
        return am_error(AM_OUT_OF_RANGE,
                        "option handle_long_generation: the context of %lld tokens holds no answer of %lld",
                        (long long)limit, (long long)answer);
    j->generation.ids += length - kept;
    j->generation.length = kept;
    return NULL;
}

/* A length of prompt and answer together counts without the prefix. */
static am_status add_prefix(job *j, const char **prompt)
{
    am_encoding e = {0};
    am_encode_options options = {0};
    if (!*j->prefix) return NULL;
    AM_TRY(am_tokenizer_encode(j->tokenizer, (am_text){j->prefix, strlen(j->prefix)}, NULL, &options, &e));
    if (j->config.max_length && !j->config.max_new_tokens) j->config.max_length += (int64_t)e.count;
    if (j->config.min_length && j->config.min_new_tokens < 0) j->config.min_length += (int64_t)e.count;
    am_encoding_deinit(&e);
    *prompt = am_arena_printf(&j->arena, "%s%s", j->prefix, *prompt);
    return *prompt ? NULL : am_out_of_memory();
}

/* Templates write special tokens themselves. */
static am_status encode_prompt(job *j, const char *prompt, bool is_chat)
{
    am_encode_options encode = {.add_special_tokens = true};
    if (!is_chat) AM_TRY(add_prefix(j, &prompt));
    AM_TRY(read_encoding(j->options, false, &encode));
    AM_TRY(read_encoding(am_json_get(j->options, "tokenizer_encode_kwargs"), true, &encode));
    if (is_chat) encode.add_special_tokens = false;
    AM_TRY(am_text_job_prompt(j->p, &j->arena, prompt, &encode, &j->generation));
    return cut_hole(j);
}

/* --- answers --- */

static void append_ids(const int32_t *ids, int64_t count, const char *before, am_buffer *out)
{
    for (int64_t i = 0; i < count; i++) am_buffer_printf(out, "%s%d", i ? ", " : before, (int)ids[i]);
}

static void append_tokens(const am_text_prompt *prompt, const am_text_sequence *s, am_buffer *out)
{
    am_buffer_append_string(out, "{\"generated_token_ids\": [");
    append_ids(prompt->ids, prompt->length, "", out);
    append_ids(s->ids, s->id_count, prompt->length ? ", " : "", out);
    am_buffer_append_string(out, "]}");
}

/* A message with its content continued. */
static void append_continued(am_json message, am_text made, am_buffer *text, am_buffer *out)
{
    am_json_string begun = am_json_text(am_json_get(message, "content"));
    am_buffer_clear(text);
    am_buffer_append(text, begun.bytes, begun.length);
    am_buffer_append(text, made.bytes, made.length);
    am_buffer_append_string(out, "{\"role\": ");
    am_json_write(am_json_get(message, "role"), out);
    am_buffer_append_string(out, ", \"content\": ");
    am_buffer_append_json_string(out, am_buffer_text(text), text->length);
    am_buffer_append_char(out, '}');
}

static void append_conversation(const am_text_prompt *prompt, am_json options, am_text made, am_buffer *text,
                                am_buffer *out)
{
    size_t left = am_json_count(prompt->messages);
    bool begun = am_chat_is_begun(prompt->messages, options);
    am_buffer_append_char(out, '[');
    for (am_json_iterator i = am_json_iterate(prompt->messages); am_json_next(&i); left--) {
        if (left < am_json_count(prompt->messages)) am_buffer_append_string(out, ", ");
        if (left == 1 && begun) append_continued(i.value, made, text, out);
        else am_json_write(i.value, out);
    }
    if (!begun) {
        am_buffer_append_string(out, ", {\"role\": \"assistant\", \"content\": ");
        am_buffer_append_json_string(out, made.bytes, made.length);
        am_buffer_append_char(out, '}');
    }
    am_buffer_append_char(out, ']');
}

static void append_text(const am_text_prompt *prompt, const am_text_return *wanted, am_text made, am_buffer *text,
                        am_buffer *out)
{
    bool whole = wanted->type == AM_RETURN_FULL_TEXT;
    am_buffer_append_string(out, "{\"generated_text\": ");
    if (whole && !prompt->text) append_conversation(prompt, wanted->options, made, text, out);
    else {
        am_buffer_clear(text);
        if (whole) am_buffer_append_string(text, prompt->text);
        am_buffer_append(text, made.bytes, made.length);
        am_buffer_append_json_string(out, am_buffer_text(text), text->length);
    }
    am_buffer_append_char(out, '}');
}

/* An answer that a stop text has cut stays as it is, else its tokens are decoded as wanted. */
static am_status append_sequence(const am_tokenizer *tokenizer, const am_text_prompt *prompt,
                                 const am_text_return *wanted, const am_text_sequence *s, am_buffer *out)
{
    am_buffer text = {0};
    am_text made = {s->text, s->length};
    char *decoded = NULL;
    if (wanted->type == AM_RETURN_TENSORS) {
        append_tokens(prompt, s, out);
        return NULL;
    }
    if (!s->is_cut) {
        AM_TRY(am_tokenizer_decode(tokenizer, s->ids, (size_t)s->id_count, &wanted->decoding, &decoded, &made.length));
        made.bytes = decoded;
    }
    append_text(prompt, wanted, made, &text, out);
    am_status status = am_buffer_status(&text);
    am_buffer_deinit(&text);
    am_free(decoded);
    return status;
}

am_status am_append_generated(const am_tokenizer *tokenizer, const am_text_prompt *prompt, const am_text_return *wanted,
                              const am_text_answer *made, am_buffer *out)
{
    am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < made->count; i++) {
        if (i) am_buffer_append_string(out, ", ");
        AM_TRY(append_sequence(tokenizer, prompt, wanted, &made->sequences[i], out));
    }
    am_buffer_append_char(out, ']');
    return NULL;
}

/* --- */

static am_status generate(job *j, am_buffer *out)
{
    am_chat_text rendered = {0};
    am_text_answer made;
    AM_TRY(am_pipeline_tokenizer(j->p, &j->tokenizer));
    AM_TRY(read_settings(j));
    if (!j->text) AM_TRY(am_render_chat(j->p, j->messages, j->options, &rendered));
    am_status status = encode_prompt(j, j->text ? j->text : rendered.text, !j->text);
    am_chat_text_deinit(&rendered);
    if (!status) status = am_generate_text(j->p, &j->generation, &made);
    if (status) return status;
    am_text_prompt prompt = {
        .text = j->text, .messages = j->messages, .ids = j->generation.ids, .length = j->generation.length};
    status = am_append_generated(j->tokenizer, &prompt, &j->wanted, &made, out);
    am_text_answer_deinit(&made);
    return status;
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    job j = {.p = p, .options = options, .messages = am_json_get(options, "messages")};
    if (am_json_kind_of(j.messages) == AM_JSON_MISSING) {
        AM_TRY(am_need_text(input));
        j.text = input->text;
    }
    am_status status = generate(&j, out);
    am_arena_deinit(&j.arena);
    return status;
}

const am_task am_task_text_generation = {
    .name = "text-generation",
    .input = "text",
    .summary = "Continues a text, or a conversation: the option messages instead of a text.",
    .parameters = AM_GENERATION_PARAMETERS
    ", stop, stop_sequence, return_type, return_full_text, return_text, return_tensors, clean_up_tokenization_spaces, "
    "skip_special_tokens, add_special_tokens, truncation, tokenizer_encode_kwargs, prefix, handle_long_generation, "
    "messages, continue_final_message, tools, documents",
    .run = run,
};
