#include "tasks/text_to_text.h"

#include "base/memory.h"
#include "tasks/text_generator.h"

enum { DEFAULT_NEW_TOKENS = 256, DEFAULT_BEAMS = 4 };

static am_json section_of(const am_pipeline *p, const char *section)
{
    return am_json_get(am_json_get(am_pipeline_config(p)->object, "task_specific_params"), section);
}

/* config.json's prefix (of T5), or that of the task, before the text. */
static am_status add_prefix(const am_pipeline *p, const char *text, am_json section, am_arena *arena, const char **out)
{
    am_json prefix = am_json_get(section, "prefix");
    if (am_json_kind_of(prefix) != AM_JSON_STRING) prefix = am_json_get(am_pipeline_config(p)->object, "prefix");
    *out = am_arena_printf(arena, "%s%s", am_json_text(prefix).bytes, text);
    return *out ? NULL : am_out_of_memory();
}

/* Four beams and 256 tokens unless the model or the caller says otherwise: the defaults of the pipelines. */
static am_status read_config(am_pipeline *p, am_json section, am_json options, am_arena *arena, am_generation_config *c)
{
    am_generation_config base = am_generation_config_default();
    base.max_new_tokens = DEFAULT_NEW_TOKENS;
    base.num_beams = DEFAULT_BEAMS;
    return am_read_generation(p, &base, section, options, arena, c);
}

static am_status generate(am_pipeline *p, const char *text, am_json section, am_json options, am_arena *arena,
                          am_text_answer *out)
{
    am_generation_config config;
    am_text_job job = {.config = &config};
    const char *prompt;
    AM_TRY(read_config(p, section, options, arena, &config));
    AM_TRY(add_prefix(p, text, section, arena, &prompt));
    AM_TRY(am_text_job_prompt(p, arena, prompt, true, &job));
    return am_generate_text(p, &job, out);
}

am_status am_answer_with_text(am_pipeline *p, const char *text, am_json options, const char *section, const char *field,
                              am_buffer *out)
{
    am_arena arena = {0};
    am_text_answer answer;
    if (!(p->model->architecture->flags & AM_ENCODER_DECODER))
        return am_error(AM_UNSUPPORTED, "class %s is no encoder-decoder, which this task needs",
                        p->model->architecture->name);
    am_status status = generate(p, text, section_of(p, section), options, &arena, &answer);
    am_arena_deinit(&arena);
    if (status) return status;
    status = am_append_answer(&answer, field, "", out);
    am_text_answer_deinit(&answer);
    return status;
}
