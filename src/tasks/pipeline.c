#include "tasks/pipeline.h"

#include "base/file.h"
#include "base/memory.h"
#include "formats/checkpoint.h"
#include "media/feature_extractor.h"
#include "media/image_processor.h"
#include "media/video_processor.h"
#include "processors/processor.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

#include <stdio.h>
#include <string.h>

/* --- opening --- */

am_status am_pipeline_open(const char *directory, const am_class_choice *choice, const am_session_options *options,
                           am_pipeline **out)
{
    *out = NULL;
    am_pipeline *p = am_alloc_zeroed(1, sizeof *p);
    if (!p) return am_out_of_memory();
    if (options) p->options = *options;
    am_status status = am_loaded_model_open(directory, choice, &p->model);
    if (!status) status = am_session_create(p->model, &p->options, &p->session);
    if (status) {
        am_pipeline_close(p);
        return status;
    }
    p->directory = p->model->directory;
    *out = p;
    return NULL;
}

void am_pipeline_close(am_pipeline *p)
{
    if (!p) return;
    am_processor_close(p->processor);
    am_chat_template_close(p->chat_template);
    if (p->feature_extractor) am_feature_extractor_deinit(p->feature_extractor);
    am_free(p->feature_extractor);
    am_video_processor_close(p->video_processor);
    am_image_processor_close(p->image_processor);
    am_tokenizer_close(p->tokenizer);
    am_session_destroy(p->base_session);
    am_loaded_model_close(p->base_model);
    am_session_destroy(p->session);
    am_loaded_model_close(p->model);
    am_free(p);
}

/* --- the class without a head --- */

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), tail = strlen(ending);
    return length >= tail && strcmp(text + length - tail, ending) == 0;
}

static bool is_base(const char *name)
{
    return ends_with(name, "Model") && !ends_with(name, "LMHeadModel") && !ends_with(name, "HeadsModel");
}

/* Of the classes of one type the base is the one with the shortest name: CLIPModel, not CLIPTextModel. */
static const char *base_name(const am_model_type *type)
{
    const char *name = NULL;
    for (const am_architecture *row = type->architectures; row->name; row++)
        if (is_base(row->name) && (!name || strlen(row->name) < strlen(name))) name = row->name;
    return name;
}

am_status am_pipeline_base(am_pipeline *p, am_session **out)
{
    const char *name = base_name(p->model->type);
    *out = p->session;
    if (is_base(p->model->architecture->name)) return NULL;
    if (!name)
        return am_error(AM_UNSUPPORTED, "there is no class without a head beside %s", p->model->architecture->name);
    if (!p->base_session) {
        if (!p->base_model)
            AM_TRY(am_loaded_model_open(p->directory, &(am_class_choice){.architecture = name}, &p->base_model));
        AM_TRY(am_session_create(p->base_model, &p->options, &p->base_session));
    }
    *out = p->base_session;
    return NULL;
}

/* --- parts --- */

am_status am_pipeline_tokenizer(am_pipeline *p, am_tokenizer **out)
{
    am_tokenizer_mode mode = p->tokenizer_as_file ? AM_TOKENIZER_FILE : AM_TOKENIZER_AUTO;
    if (!p->tokenizer) AM_TRY(am_tokenizer_open(p->directory, mode, &p->tokenizer));
    *out = p->tokenizer;
    return NULL;
}

am_status am_pipeline_image_processor(am_pipeline *p, am_image_processor **out)
{
    if (!p->image_processor) AM_TRY(am_image_processor_open(p->directory, &p->image_processor));
    *out = p->image_processor;
    return NULL;
}

am_status am_pipeline_video_processor(am_pipeline *p, am_video_processor **out)
{
    if (!p->video_processor) AM_TRY(am_video_processor_open(p->directory, (am_json){0}, &p->video_processor));
    *out = p->video_processor;
    return NULL;
}

am_status am_pipeline_feature_extractor(am_pipeline *p, am_feature_extractor **out)
{
    if (!p->feature_extractor) {
        am_feature_extractor *read = am_alloc(sizeof *read);
        if (!read) return am_out_of_memory();
        am_status status = am_feature_extractor_open(p->directory, read);
        if (status) {
            am_free(read);
            return status;
        }
        p->feature_extractor = read;
    }
    *out = p->feature_extractor;
    return NULL;
}

am_status am_pipeline_chat_template(am_pipeline *p, am_chat_template **out)
{
    if (!p->chat_template) AM_TRY(am_chat_template_open(p->directory, NULL, false, &p->chat_template));
    *out = p->chat_template;
    return NULL;
}

am_status am_pipeline_processor(am_pipeline *p, am_processor **out)
{
    if (!p->processor) AM_TRY(am_processor_open(p->directory, (am_json){0}, &p->processor));
    *out = p->processor;
    return NULL;
}

/* --- what config.json says --- */

const am_config *am_pipeline_config(const am_pipeline *p)
{
    return &p->model->config;
}

const char *am_label(am_json config, am_arena *arena, int64_t id)
{
    char key[32];
    snprintf(key, sizeof key, "%lld", (long long)id);
    am_json label = am_json_get(am_json_get(config, "id2label"), key);
    am_json_string text = am_json_text(label);
    const char *copy = am_json_kind_of(label) == AM_JSON_STRING ? am_arena_string(arena, text.bytes, text.length)
                                                                : am_arena_printf(arena, "LABEL_%lld", (long long)id);
    return copy ? copy : "";
}

/* Places that an embedding of positions has for tokens, as one object of a configuration says: those of RoBERTa count
   from behind the padding token's id. */
static int64_t positions_of(am_json config)
{
    static const char *const keys[] = {"max_position_embeddings", "n_positions", "max_target_positions"};
    static const char *const shifted[] = {"roberta", "camembert", "mpnet", "longformer", "esm"};
    am_json_string type = am_json_text(am_json_get(config, "model_type"));
    int64_t limit = INT64_MAX;
    if (am_json_int(am_json_get(config, "relative_attention_num_buckets"), 0)) return limit; /* T5 counts distances */
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        int64_t found = am_json_int(am_json_get(config, keys[i]), 0);
        if (found > 0 && found < limit) limit = found;
    }
    for (size_t i = 0; i < sizeof shifted / sizeof shifted[0] && limit < INT64_MAX; i++)
        if (strstr(type.bytes, shifted[i])) {
            int64_t pad = am_json_int(am_json_get(config, "pad_token_id"), 1);
            return limit > pad + 1 ? limit - pad - 1 : limit;
        }
    return limit;
}

/* The least of the configuration and of those inside it that read texts. */
static int64_t position_limit(const am_config *config)
{
    static const char *const parts[] = {"text_config", "encoder", "decoder", "generator"};
    int64_t limit = positions_of(config->object);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int64_t found = positions_of(am_json_get(config->object, parts[i]));
        if (found < limit) limit = found;
    }
    return limit;
}

int64_t am_pipeline_context_length(am_pipeline *p)
{
    am_tokenizer *tokenizer;
    int64_t limit = position_limit(am_pipeline_config(p));
    am_status status = am_pipeline_tokenizer(p, &tokenizer);
    uint64_t most = status ? 0 : am_tokenizer_model_max_length(tokenizer);
    am_status_free(status);
    return most && most < (uint64_t)limit ? (int64_t)most : limit;
}
