#include "api/model_internal.h"
#include "base/memory.h"
#include "tasks/sentence_embedding.h"

#include <string.h>

static am_status embed_all(am_pipeline *p, const am_sentence_config *config, const char *const *texts, size_t count,
                           float **out, size_t *out_dims)
{
    for (size_t i = 0; i < count; i++) {
        float *one;
        size_t dims;
        if (!texts[i]) return am_error(AM_INVALID_ARGUMENT, "text %zu is null", i);
        AM_TRY(am_embed_sentence(p, config, texts[i], &one, &dims));
        if (!*out) *out = am_alloc_zeroed(count, dims * sizeof **out);
        if (*out) memcpy(*out + i * dims, one, dims * sizeof **out);
        am_free(one);
        if (!*out) return am_out_of_memory();
        *out_dims = dims;
    }
    return NULL;
}

am_status am_model_embed(am_model *model, const char *const *texts, size_t count, float **out, size_t *out_dims)
{
    am_sentence_config config;
    *out = NULL;
    *out_dims = 0;
    if (!texts || !count) return am_error(AM_INVALID_ARGUMENT, "no texts were given");
    AM_TRY(am_sentence_config_read(model->pipeline, &config));
    am_status status = embed_all(model->pipeline, &config, texts, count, out, out_dims);
    am_sentence_config_deinit(&config);
    if (status) {
        am_free(*out);
        *out = NULL;
    }
    return status;
}

void am_floats_free(float *numbers)
{
    am_free(numbers);
}
