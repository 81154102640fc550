#include "tasks/task.h"
#include "tasks/text_generator.h"

#include "text/tokenizer.h"

#include <string.h>

enum { DEFAULT_NEW_TOKENS = 256 };

/* The pipeline's 256 tokens unless the model or the caller says how many; sampling only when the caller or
   the model asks for it, so that answers are the same from run to run. */
static am_status read_config(am_pipeline *p, am_json options, am_generation_config *c)
{
    am_generation_config defaults = am_generation_config_default();
    AM_TRY(am_generation_config_read(p->model, c));
    if (!c->max_new_tokens && c->max_length == defaults.max_length) c->max_new_tokens = DEFAULT_NEW_TOKENS;
    if (am_json_kind_of(am_json_get(options, "max_length")) > AM_JSON_NULL) c->max_new_tokens = 0;
    AM_TRY(am_check_option(options, "seed", AM_JSON_INTEGER));
    c->seed = (uint64_t)am_json_int(am_json_get(options, "seed"), 0);
    return am_generation_config_merge(options, "options", c);
}

static am_status answer(am_pipeline *p, const char *prompt, am_json options, am_arena *arena, am_buffer *out)
{
    am_generation_config config;
    am_text_job job = {.config = &config};
    am_text_answer made;
    am_texts stop = {0};
    AM_TRY(read_config(p, options, &config));
    AM_TRY(am_check_option(options, "return_full_text", AM_JSON_BOOL));
    if (am_json_kind_of(am_json_get(options, "stop")) > AM_JSON_NULL)
        AM_TRY(am_option_texts(options, "stop", false, arena, &stop));
    job.stop = stop.items;
    job.stop_count = (size_t)stop.count;
    AM_TRY(am_text_job_prompt(p, arena, prompt, true, &job));
    AM_TRY(am_generate_text(p, &job, &made));
    am_buffer text = {0};
    if (am_json_bool(am_json_get(options, "return_full_text"), true)) am_buffer_append_string(&text, prompt);
    am_buffer_append(&text, made.text, made.length);
    am_buffer_append_string(out, "[{\"generated_text\": ");
    am_buffer_append_json_string(out, am_buffer_text(&text), text.length);
    am_buffer_append_string(out, "}]");
    am_status status = am_buffer_status(&text);
    am_buffer_deinit(&text);
    am_text_answer_deinit(&made);
    return status;
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_arena arena = {0};
    AM_TRY(am_need_text(input));
    am_status status = answer(p, input->text, options, &arena, out);
    am_arena_deinit(&arena);
    return status;
}

const am_task am_task_text_generation = {
    .name = "text-generation",
    .input = "text",
    .summary = "Continues a text.",
    .parameters = "max_new_tokens, max_length, do_sample, temperature, top_k, top_p, min_p, "
                  "repetition_penalty, num_beams, seed, stop, "
                  "return_full_text",
    .run = run,
};
