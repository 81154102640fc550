/* ImageTextToTextPipeline of transformers: a text with a place for an image, or a conversation, is continued. */
#include "tasks/chat_prompt.h"
#include "tasks/task.h"
#include "tasks/text_generator.h"

#include "processors/processor.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"
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

/* --- inputs --- */

/* A chat template that writes the token that begins a text leaves none to add. */
static bool begins_itself(const am_processor *processor, const char *text)
{
    am_text bos = am_tokenizer_special_token(am_processor_tokenizer(processor), "bos_token");
    return bos.length && strncmp(text, bos.bytes, bos.length) == 0;
}

static am_status process(job *j, const am_image *image, const char *prompt, am_processed *out)
{
    am_processor *processor;
    am_text text = {prompt, strlen(prompt)};
    AM_TRY(am_pipeline_processor(j->p, &processor));
    am_processor_inputs inputs = {.texts = &text,
                                  .text_count = 1,
                                  .images = image,
                                  .image_count = image ? 1 : 0,
                                  .no_special_tokens = is_chat(j) && begins_itself(processor, prompt)};
    return am_processor_run(processor, &inputs, out);
}

static am_status take_ids(job *j, const am_tensor *x)
{
    int64_t count = am_shape_count(&x->shape);
    int32_t *ids = am_arena_array(&j->arena, (size_t)count + 1, sizeof *ids);
    if (!ids) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) ids[i] = (int32_t)am_load_int(x->dtype, x->data, i);
    j->generation.ids = ids;
    j->generation.length = count;
    return NULL;
}

/* input_ids are the prompt; all else goes to the model beside them. */
static am_status take_inputs(job *j, const am_processed *made)
{
    am_session_input *inputs = am_arena_array(&j->arena, (size_t)made->tensors.count + 1, sizeof *inputs);
    if (!inputs) return am_out_of_memory();
    for (int i = 0; i < made->tensors.count; i++) {
        const am_tensor *x;
        const char *name = made->tensors.items[i].name;
        AM_TRY(am_media_tensors_get(&made->tensors, name, &x));
        if (strcmp(name, "input_ids") == 0) AM_TRY(take_ids(j, x));
        else inputs[j->generation.input_count++] = (am_session_input){name, *x};
    }
    j->generation.inputs = inputs;
    return j->generation.ids ? NULL : am_error(AM_UNSUPPORTED, "a processor without input_ids");
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

static am_status generate(job *j, const am_image *image, am_buffer *out)
{
    am_chat_text rendered = {0};
    am_processed made = {0};
    am_text_answer answer = {0};
    AM_TRY(read_settings(j));
    if (is_chat(j)) AM_TRY(am_render_chat(j->p, j->messages, j->options, &rendered));
    am_status status = process(j, image, is_chat(j) ? rendered.text : j->prompt, &made);
    am_chat_text_deinit(&rendered);
    if (!status) status = take_inputs(j, &made);
    if (!status) status = am_generate_text(j->p, &j->generation, &answer);
    if (!status) status = append_answer(j, &answer, out);
    am_text_answer_deinit(&answer);
    am_processed_deinit(&made);
    return status;
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    job j = {.p = p, .options = options, .messages = am_json_get(options, "messages"), .prompt = input->text};
    am_image image = {0};
    bool has_image = input->path || input->bytes;
    if (!is_chat(&j)) AM_TRY(am_need_text(input));
    if (is_chat(&j) && am_chat_is_begun(j.messages, options))
        return am_error(AM_UNSUPPORTED, "messages: an answer that is begun cannot be continued beside images");
    if (has_image) AM_TRY(am_open_image(input, &image));
    am_status status = generate(&j, has_image ? &image : NULL, out);
    am_image_deinit(&image);
    am_arena_deinit(&j.arena);
    return status;
}

const am_task am_task_image_text_to_text = {
    .name = "image-text-to-text",
    .input = "image",
    .summary =
        "Continues a text that speaks of an image, or a conversation: the option messages instead of a text. The "
        "text has the model's placeholder where the image belongs.",
    .parameters = AM_GENERATION_PARAMETERS ", return_full_text, messages",
    .run = run,
};
