#include "tasks/text_to_text.h"

#include "base/memory.h"
#include "tasks/text_generator.h"
#include "text/tokenizer.h"

#include <string.h>

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

/* Id of a language's code, which must be a special token. */
static am_status find_language(const am_tokenizer *tokenizer, const char *option, const char *code, int32_t *out)
{
    if (!code)
        return am_error(AM_INVALID_ARGUMENT, "translation with this model needs the options src_lang and tgt_lang");
    *out = am_tokenizer_token_to_id(tokenizer, (am_text){code, strlen(code)});
    return *out >= 0 && am_tokenizer_is_special(tokenizer, *out)
               ? NULL
               : am_error(AM_INVALID_ARGUMENT, "option %s: the tokenizer has no language \"%s\"", option, code);
}

/* The text's language code, last or first of its tokens, becomes that of src_lang; the answer begins with that of
   tgt_lang (MBartTokenizer._build_translation_inputs). */
static am_status set_languages(am_pipeline *p, const am_text_to_text *task, am_generation_config *config,
                               am_text_job *job)
{
    am_tokenizer *tokenizer;
    int32_t from, *ids = (int32_t *)job->inputs[0].tensor.data;
    int64_t last = job->inputs[0].tensor.shape.dims[1] - 1;
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    int32_t configured = am_tokenizer_language_id(tokenizer);
    if (configured < 0) return NULL;
    AM_TRY(find_language(tokenizer, "src_lang", task->from, &from));
    AM_TRY(find_language(tokenizer, "tgt_lang", task->to, &config->forced_bos_token_id));
    ids[ids[last] == configured ? last : 0] = from;
    return NULL;
}

static am_status generate(am_pipeline *p, const char *text, const am_text_to_text *task, am_json options,
                          am_arena *arena, am_text_answer *out)
{
    am_generation_config config;
    am_text_job job = {.config = &config};
    am_json section = section_of(p, task->section);
    const char *prompt;
    AM_TRY(read_config(p, section, options, arena, &config));
    AM_TRY(add_prefix(p, text, section, arena, &prompt));
    AM_TRY(am_text_job_prompt(p, arena, prompt, &AM_ENCODE_OPTIONS, &job));
    if (task->is_translation) AM_TRY(set_languages(p, task, &config, &job));
    return am_generate_text(p, &job, out);
}

am_status am_answer_with_text(am_pipeline *p, const char *text, am_json options, const am_text_to_text *task,
                              am_buffer *out)
{
    am_arena arena = {0};
    am_text_answer answer;
    if (!(p->model->architecture->flags & AM_ENCODER_DECODER))
        return am_error(AM_UNSUPPORTED, "class %s is no encoder-decoder, which this task needs",
                        p->model->architecture->name);
    am_status status = generate(p, text, task, options, &arena, &answer);
    am_arena_deinit(&arena);
    if (status) return status;
    status = am_append_answer(&answer, task->field, "", out);
    am_text_answer_deinit(&answer);
    return status;
}
