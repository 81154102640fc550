#include "api/model_internal.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "tasks/chat_prompt.h"
#include "tasks/image_prompt.h"
#include "text/tokenizer.h"

#include <string.h>

enum { DEFAULT_NEW_TOKENS = 256 }; /* of transformers' text-generation pipeline */

/* --- options --- */

static am_status check_options(const am_text_options *o)
{
    const struct {
        const char *name;
        int value;
    } counts[] = {
        {"max_new_tokens", o->max_new_tokens},
        {"top_k", o->top_k},
        {"num_beams", o->num_beams},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (counts[i].value < 0)
            return am_error(AM_INVALID_ARGUMENT, "%s: expected at least 0, found %d", counts[i].name, counts[i].value);
    if (!(o->temperature >= 0))
        return am_error(AM_INVALID_ARGUMENT, "temperature: expected at least 0, found %g", o->temperature);
    if (!(o->top_p >= 0 && o->top_p <= 1))
        return am_error(AM_INVALID_ARGUMENT, "top_p: expected 0 to 1, found %g", o->top_p);
    if (!(o->min_p >= 0 && o->min_p <= 1))
        return am_error(AM_INVALID_ARGUMENT, "min_p: expected 0 to 1, found %g", o->min_p);
    if (!(o->repetition_penalty >= 0))
        return am_error(AM_INVALID_ARGUMENT, "repetition_penalty: expected more than 0, found %g",
                        o->repetition_penalty);
    return NULL;
}

static void apply_sampling(const am_text_options *o, am_generation_config *c)
{
    if (o->temperature > 0) c->temperature = o->temperature;
    if (o->top_p > 0) c->top_p = o->top_p;
    if (o->min_p > 0) c->min_p = o->min_p;
    if (o->top_k > 0) c->top_k = o->top_k;
    if (o->temperature > 0 || o->top_p > 0 || o->top_k > 0 || o->min_p > 0) c->do_sample = true;
    if (o->greedy) c->do_sample = false;
}

static void apply_options(const am_text_options *o, am_generation_config *c)
{
    apply_sampling(o, c);
    if (o->max_new_tokens) c->max_new_tokens = o->max_new_tokens;
    if (o->repetition_penalty > 0) c->repetition_penalty = o->repetition_penalty;
    if (o->num_beams) c->num_beams = o->num_beams;
    if (o->seed) c->seed = o->seed;
}

/* A setting of sampling asks for it, unless do_sample says otherwise. */
static bool asks_for_sampling(am_json fields)
{
    static const char *const settings[] = {"temperature", "top_k", "top_p",          "min_p",
                                           "typical_p",   "top_h", "epsilon_cutoff", "eta_cutoff"};
    if (am_json_kind_of(am_json_get(fields, "do_sample")) > AM_JSON_NULL) return false;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (am_json_kind_of(am_json_get(fields, settings[i])) > AM_JSON_NULL) return true;
    return false;
}

/* The model's settings, then generation_json's, then the options'. */
static am_status read_config(am_model *model, const am_text_options *o, am_arena *arena, am_generation_config *c)
{
    am_generation_config base = am_generation_config_default();
    am_json_document *more = NULL;
    base.max_new_tokens = DEFAULT_NEW_TOKENS;
    if (o) AM_TRY(check_options(o));
    if (o && o->generation_json)
        AM_TRY(am_json_parse(o->generation_json, strlen(o->generation_json), "generation_json", &more));
    am_json fields = more ? am_json_root(more) : (am_json){0};
    am_status status = am_read_generation(model->pipeline, &base, (am_json){0}, fields, arena, c);
    if (!status && asks_for_sampling(fields)) c->do_sample = true;
    am_json_close(more);
    if (!status && o) apply_options(o, c);
    return status;
}

/* --- generating --- */

static am_status copy_sequence(const am_text_sequence *from, am_text_sequence_result *to)
{
    to->text = am_copy_string(from->text, from->length);
    to->ids = am_alloc_zeroed((size_t)from->id_count + 1, sizeof *to->ids);
    if (!to->text || !to->ids) return am_out_of_memory();
    for (int64_t i = 0; i < from->id_count; i++) to->ids[i] = from->ids[i];
    to->id_count = (size_t)from->id_count;
    to->finish_reason = from->finish_reason;
    to->score = from->score;
    return NULL;
}

static am_status copy_answer(const am_text_answer *answer, am_text_result *out)
{
    *out = (am_text_result){.prompt_tokens = (int)answer->prompt_tokens,
                            .prefill_ms = answer->prefill_ms,
                            .decode_ms = answer->decode_ms,
                            .has_scores = answer->has_scores};
    out->sequences = am_alloc_zeroed((size_t)answer->count, sizeof *out->sequences);
    if (!out->sequences) return am_out_of_memory();
    out->sequence_count = (size_t)answer->count;
    for (int64_t i = 0; i < answer->count; i++) AM_TRY(copy_sequence(&answer->sequences[i], &out->sequences[i]));
    out->text = out->sequences[0].text;
    out->ids = out->sequences[0].ids;
    out->id_count = out->sequences[0].id_count;
    out->finish_reason = out->sequences[0].finish_reason;
    return NULL;
}

/* Generates what *job, whose prompt is there, is told by the options. */
static am_status generate_job(am_model *model, am_text_job *job, am_arena *arena, const am_text_options *options,
                              am_text_result *out)
{
    am_generation_config config;
    am_text_answer answer = {0};
    if (options) {
        job->stop = options->stop;
        job->stop_count = options->stop_count;
        job->on_text = options->on_text;
        job->context = options->context;
    }
    AM_TRY(read_config(model, options, arena, &config));
    job->config = &config;
    am_status status = am_generate_text(model->pipeline, job, &answer);
    if (!status) status = copy_answer(&answer, out);
    if (status) am_text_result_deinit(out);
    am_text_answer_deinit(&answer);
    return status;
}

static am_status generate(am_model *model, const char *prompt, bool special, const am_text_options *options,
                          am_text_result *out)
{
    am_arena arena = {0};
    am_encode_options encode = {.add_special_tokens = special};
    am_text_job job = {0};
    am_status status = am_text_job_prompt(model->pipeline, &arena, prompt, &encode, &job);
    if (!status) status = generate_job(model, &job, &arena, options, out);
    am_arena_deinit(&arena);
    return status;
}

am_status am_model_generate(am_model *model, const char *prompt, const am_text_options *options, am_text_result *out)
{
    *out = (am_text_result){0};
    if (!prompt) return am_error(AM_INVALID_ARGUMENT, "no prompt was given");
    return generate(model, prompt, true, options, out);
}

void am_text_result_deinit(am_text_result *result)
{
    for (size_t i = 0; i < result->sequence_count; i++) {
        am_free(result->sequences[i].text);
        am_free(result->sequences[i].ids);
    }
    am_free(result->sequences);
    *result = (am_text_result){0};
}

/* --- chat --- */

am_status am_model_check_images(am_model *model)
{
    return am_check_takes_images(model->pipeline);
}

am_status am_model_check_videos(am_model *model)
{
    return am_check_takes_videos(model->pipeline);
}

/* A prompt of a conversation whose parts are images and videos, too. */
static am_status chat_about_media(am_model *model, am_json messages, const char *prompt, const am_text_options *options,
                                  am_text_result *out)
{
    am_image_prompt images = {0};
    am_text_job job = {0};
    am_arena arena = {0};
    am_status status = am_image_prompt_open(model->pipeline, messages, NULL, &images);
    if (!status) status = am_image_prompt_read(model->pipeline, prompt, true, &images, &job);
    if (!status) status = generate_job(model, &job, &arena, options, out);
    am_image_prompt_deinit(&images);
    am_arena_deinit(&arena);
    return status;
}

static am_status chat(am_model *model, am_json messages, const am_text_options *options, am_text_result *out)
{
    am_chat_text prompt = {0};
    bool has_media = am_chat_has_media(messages);
    if (has_media) AM_TRY(am_model_check_images(model));
    AM_TRY(am_render_chat(model->pipeline, messages, (am_json){0}, &prompt));
    /* templates write special tokens themselves */
    am_status status = has_media ? chat_about_media(model, messages, prompt.text, options, out)
                                 : generate(model, prompt.text, false, options, out);
    am_chat_text_deinit(&prompt);
    return status;
}

am_status am_model_chat(am_model *model, const char *messages_json, const am_text_options *options, am_text_result *out)
{
    am_json_document *messages;
    *out = (am_text_result){0};
    if (!messages_json) return am_error(AM_INVALID_ARGUMENT, "no messages were given");
    if (!am_utf8_valid(messages_json, strlen(messages_json), NULL))
        return am_error(AM_INVALID_ARGUMENT, "messages: not UTF-8");
    AM_TRY(am_json_parse(messages_json, strlen(messages_json), "messages", &messages));
    am_status status = chat(model, am_json_root(messages), options, out);
    am_json_close(messages);
    return status;
}
