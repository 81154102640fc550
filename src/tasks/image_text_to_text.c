/* ImageTextToTextPipeline of transformers: a text with a place for an image, or a conversation, is continued. */
#include "tasks/chat_prompt.h"
#include "tasks/image_prompt.h"

#include <string.h>

enum { DEFAULT_NEW_TOKENS = 256 };

typedef struct job {
    am_pipeline *p;
    am_json options, messages; /* messages: MISSING where a text is continued */
    am_arena arena;
    am_generation_config config;
    am_text_job generation;
    const char *prompt;
    bool whole; /* return_full_text */
} job;

static bool is_chat(const job *j)
{
    return am_json_kind_of(j->messages) != AM_JSON_MISSING;
}

static am_status read_settings(job *j)
{
    am_generation_config base = am_generation_config_default();
    base.max_new_tokens = DEFAULT_NEW_TOKENS;
    AM_TRY(am_read_generation(j->p, &base, (am_json){0}, j->options, &j->arena, &j->config));
    AM_TRY(am_check_option(j->options, "return_full_text", AM_JSON_BOOL));
    j->whole = am_json_bool(am_json_get(j->options, "return_full_text"), true);
    j->generation.config = &j->config;
    return NULL;
}

/* --- answers --- */

static void append_conversation(const job *j, const am_text_sequence *s, am_buffer *out)
{
    am_buffer_append_char(out, '[');
    for (am_json_iterator i = am_json_iterate(j->messages); am_json_next(&i);) {
        am_json_write(i.value, out);
        am_buffer_append_string(out, ", ");
    }
    am_buffer_append_string(out, "{\"role\": \"assistant\", \"content\": ");
    am_buffer_append_json_string(out, s->text, s->length);
    am_buffer_append_string(out, "}]");
}

static am_status append_text(const job *j, const am_text_sequence *s, am_buffer *out)
{
    am_buffer text = {0};
    if (j->whole && !is_chat(j)) am_buffer_append_string(&text, j->prompt);
    am_buffer_append(&text, s->text, s->length);
    am_buffer_append_json_string(out, am_buffer_text(&text), text.length);
    am_status status = am_buffer_status(&text);
    am_buffer_deinit(&text);
    return status;
}

static am_status append_answer(const job *j, const am_text_answer *made, am_buffer *out)
{
    for (int64_t i = 0; i < made->count; i++) {
        am_buffer_append_string(out, i ? ", {\"input_text\": " : "[{\"input_text\": ");
        if (is_chat(j)) am_json_write(j->messages, out);
        else am_buffer_append_json_string(out, j->prompt, strlen(j->prompt));
        am_buffer_append_string(out, ", \"generated_text\": ");
        if (is_chat(j) && j->whole) append_conversation(j, &made->sequences[i], out);
        else AM_TRY(append_text(j, &made->sequences[i], out));
        am_buffer_append_char(out, '}');
    }
    am_buffer_append_char(out, ']');
    return NULL;
}

/* --- */

static am_status open_images(const job *j, const am_task_input *input, am_image_prompt *out)
{
    const am_task_input *given = input->path || input->bytes ? input : NULL;
    if (is_chat(j)) return am_image_prompt_open(j->p, j->messages, given, out);
    return given ? am_image_prompt_open_input(given, out) : NULL;
}

static am_status generate(job *j, am_image_prompt *images, am_buffer *out)
{
    am_chat_text rendered = {0};
    am_text_answer answer = {0};
    AM_TRY(read_settings(j));
    if (is_chat(j)) AM_TRY(am_render_chat(j->p, j->messages, j->options, &rendered));
    am_status status =
        am_image_prompt_read(j->p, is_chat(j) ? rendered.text : j->prompt, is_chat(j), images, &j->generation);
    am_chat_text_deinit(&rendered);
    if (!status) status = am_generate_text(j->p, &j->generation, &answer);
    if (!status) status = append_answer(j, &answer, out);
    am_text_answer_deinit(&answer);
    return status;
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    job j = {.p = p, .options = options, .messages = am_json_get(options, "messages"), .prompt = input->text};
    am_image_prompt images = {0};
    if (!is_chat(&j)) AM_TRY(am_need_text(input));
    if (is_chat(&j) && am_chat_is_begun(j.messages, options))
        return am_error(AM_UNSUPPORTED, "messages: an answer that is begun cannot be continued beside images");
    am_status status = open_images(&j, input, &images);
    if (!status) status = generate(&j, &images, out);
    am_image_prompt_deinit(&images);
    am_arena_deinit(&j.arena);
    return status;
}

const am_task am_task_image_text_to_text = {
    .name = "image-text-to-text",
    .input = "image",
    .summary =
        "Continues a text that speaks of an image, or a conversation: the option messages instead of a text. The "
        "text has the model's placeholder where the image belongs; a message has parts {\"type\": \"image\", "
        "\"path\": FILE}, or \"video\".",
    .parameters = AM_GENERATION_PARAMETERS ", return_full_text, messages",
    .run = run,
};
