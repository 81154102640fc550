#include "tasks/chat_prompt.h"
#include "tasks/task.h"
#include "tasks/text_generator.h"

#include "text/tokenizer.h"

#include <string.h>

enum { DEFAULT_NEW_TOKENS = 256 };

typedef struct job {
    am_pipeline *p;
    am_json options, messages; /* messages: MISSING where a text is continued */
    am_arena arena;
    am_generation_config config;
    am_text_job generation;
    const char *prompt;
    bool whole, tensors; /* return_full_text, return_tensors */
} job;

/* The pipeline's 256 tokens unless the model or the caller says how many; sampling only when the caller or
   the model asks for it, so that answers are the same from run to run. */
static am_status read_settings(job *j)
{
    am_generation_config base = am_generation_config_default();
    am_texts stop = {0};
    base.max_new_tokens = DEFAULT_NEW_TOKENS;
    AM_TRY(am_read_generation(j->p, &base, (am_json){0}, j->options, &j->arena, &j->config));
    AM_TRY(am_check_option(j->options, "return_full_text", AM_JSON_BOOL));
    AM_TRY(am_check_option(j->options, "return_tensors", AM_JSON_BOOL));
    if (am_json_kind_of(am_json_get(j->options, "stop")) > AM_JSON_NULL)
        AM_TRY(am_option_texts(j->options, "stop", false, &j->arena, &stop));
    j->whole = am_json_bool(am_json_get(j->options, "return_full_text"), true);
    j->tensors = am_json_bool(am_json_get(j->options, "return_tensors"), false);
    j->generation = (am_text_job){.config = &j->config, .stop = stop.items, .stop_count = (size_t)stop.count};
    return NULL;
}

/* --- answers --- */

static void append_ids(const int32_t *ids, int64_t count, const char *before, am_buffer *out)
{
    for (int64_t i = 0; i < count; i++) am_buffer_printf(out, "%s%d", i ? ", " : before, (int)ids[i]);
}

static void append_tensors(const job *j, const am_text_answer *made, am_buffer *out)
{
    for (int64_t i = 0; i < made->count; i++) {
        const am_text_sequence *s = &made->sequences[i];
        am_buffer_append_string(out, i ? ", {\"generated_token_ids\": [" : "[{\"generated_token_ids\": [");
        append_ids(j->generation.ids, j->generation.length, "", out);
        append_ids(s->ids, s->id_count, j->generation.length ? ", " : "", out);
        am_buffer_append_string(out, "]}");
    }
    am_buffer_append_char(out, ']');
}

/* A message with its content continued. */
static am_status append_continued(am_json message, const am_text_sequence *s, am_buffer *out)
{
    am_buffer text = {0};
    am_json_string begun = am_json_text(am_json_get(message, "content"));
    am_buffer_append(&text, begun.bytes, begun.length);
    am_buffer_append(&text, s->text, s->length);
    am_buffer_append_string(out, "{\"role\": ");
    am_json_write(am_json_get(message, "role"), out);
    am_buffer_append_string(out, ", \"content\": ");
    am_buffer_append_json_string(out, am_buffer_text(&text), text.length);
    am_buffer_append_char(out, '}');
    am_status status = am_buffer_status(&text);
    am_buffer_deinit(&text);
    return status;
}

static am_status append_conversation(const job *j, const am_text_sequence *s, am_buffer *out)
{
    size_t left = am_json_count(j->messages);
    bool begun = am_chat_is_begun(j->messages);
    am_buffer_append_char(out, '[');
    for (am_json_iterator i = am_json_iterate(j->messages); am_json_next(&i); left--) {
        if (left < am_json_count(j->messages)) am_buffer_append_string(out, ", ");
        if (left == 1 && begun) AM_TRY(append_continued(i.value, s, out));
        else am_json_write(i.value, out);
    }
    if (!begun) {
        am_buffer_append_string(out, ", {\"role\": \"assistant\", \"content\": ");
        am_buffer_append_json_string(out, s->text, s->length);
        am_buffer_append_char(out, '}');
    }
    am_buffer_append_char(out, ']');
    return NULL;
}

static am_status append_conversations(const job *j, const am_text_answer *made, am_buffer *out)
{
    for (int64_t i = 0; i < made->count; i++) {
        am_buffer_append_string(out, i ? ", {\"generated_text\": " : "[{\"generated_text\": ");
        AM_TRY(append_conversation(j, &made->sequences[i], out));
        am_buffer_append_char(out, '}');
    }
    am_buffer_append_char(out, ']');
    return NULL;
}

static am_status append_answer(const job *j, const am_text_answer *made, am_buffer *out)
{
    bool is_chat = am_json_kind_of(j->messages) != AM_JSON_MISSING;
    if (j->tensors) append_tensors(j, made, out);
    else if (is_chat && j->whole) return append_conversations(j, made, out);
    else return am_append_answer(made, "generated_text", j->whole ? j->prompt : "", out);
    return NULL;
}

/* --- */

static am_status generate(job *j, am_buffer *out)
{
    bool is_chat = am_json_kind_of(j->messages) != AM_JSON_MISSING;
    am_chat_text rendered = {0};
    am_text_answer made;
    AM_TRY(read_settings(j));
    if (is_chat) AM_TRY(am_render_chat(j->p, j->messages, &rendered));
    const char *prompt = is_chat ? rendered.text : j->prompt; /* templates write special tokens themselves */
    am_status status = am_text_job_prompt(j->p, &j->arena, prompt, !is_chat, &j->generation);
    am_chat_text_deinit(&rendered);
    if (!status) status = am_generate_text(j->p, &j->generation, &made);
    if (status) return status;
    status = append_answer(j, &made, out);
    am_text_answer_deinit(&made);
    return status;
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    job j = {.p = p, .options = options, .messages = am_json_get(options, "messages")};
    if (am_json_kind_of(j.messages) == AM_JSON_MISSING) {
        AM_TRY(am_need_text(input));
        j.prompt = input->text;
    }
    am_status status = generate(&j, out);
    am_arena_deinit(&j.arena);
    return status;
}

const am_task am_task_text_generation = {
    .name = "text-generation",
    .input = "text",
    .summary = "Continues a text, or a conversation: the option messages instead of a text.",
    .parameters = AM_GENERATION_PARAMETERS ", stop, return_full_text, return_tensors, messages",
    .run = run,
};
