#include "tasks/task.h"
#include "tasks/text_generator.h"

#include "text/tokenizer.h"

#include <string.h>

enum { DEFAULT_NEW_TOKENS = 256 };

/* The pipeline's 256 tokens unless the model or the caller says how many; sampling only when the caller or
   the model asks for it, so that answers are the same from run to run. */
static am_status read_config(am_pipeline *p, am_json options, am_arena *arena, am_generation_config *c)
{
    am_generation_config base = am_generation_config_default();
    base.max_new_tokens = DEFAULT_NEW_TOKENS;
    return am_read_generation(p, &base, (am_json){0}, options, arena, c);
}

static am_status answer(am_pipeline *p, const char *prompt, am_json options, am_arena *arena, am_buffer *out)
{
    am_generation_config config;
    am_text_job job = {.config = &config};
    am_text_answer made;
    am_texts stop = {0};
    AM_TRY(read_config(p, options, arena, &config));
    AM_TRY(am_check_option(options, "return_full_text", AM_JSON_BOOL));
    if (am_json_kind_of(am_json_get(options, "stop")) > AM_JSON_NULL)
        AM_TRY(am_option_texts(options, "stop", false, arena, &stop));
    job.stop = stop.items;
    job.stop_count = (size_t)stop.count;
    AM_TRY(am_text_job_prompt(p, arena, prompt, true, &job));
    AM_TRY(am_generate_text(p, &job, &made));
    bool whole = am_json_bool(am_json_get(options, "return_full_text"), true);
    am_status status = am_append_answer(&made, "generated_text", whole ? prompt : "", out);
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
    .parameters = AM_GENERATION_PARAMETERS ", stop, return_full_text",
    .run = run,
};
