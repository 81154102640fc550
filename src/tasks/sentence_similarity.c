#include "tasks/sentence_embedding.h"
#include "tasks/task.h"

#include "base/memory.h"

#include <math.h>

static double cosine(const float *a, const float *b, size_t count)
{
    double product = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < count; i++) {
        product += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return product / (fmax(sqrt(aa), 1e-12) * fmax(sqrt(bb), 1e-12));
}

static am_status compare(am_pipeline *p, const am_sentence_config *config, const float *source, const char *sentence,
                         am_buffer *out)
{
    float *other;
    size_t dims;
    AM_TRY(am_embed_sentence(p, config, sentence, &other, &dims));
    am_append_float(out, (float)cosine(source, other, dims));
    am_free(other);
    return NULL;
}

static am_status compare_all(am_pipeline *p, const char *text, am_json options, am_arena *arena, am_buffer *out)
{
    am_sentence_config config;
    am_texts sentences;
    float *source;
    size_t dims;
    AM_TRY(am_option_texts(options, "sentences", false, arena, &sentences));
    AM_TRY(am_sentence_config_read(p, &config));
    am_status status = am_embed_sentence(p, &config, text, &source, &dims);
    if (status) {
        am_sentence_config_deinit(&config);
        return status;
    }
    am_buffer_append_char(out, '[');
    for (int64_t i = 0; i < sentences.count && !status; i++) {
        if (i) am_buffer_append_string(out, ", ");
        status = compare(p, &config, source, sentences.items[i], out);
    }
    am_buffer_append_char(out, ']');
    am_free(source);
    am_sentence_config_deinit(&config);
    return status;
}

static am_status run(am_pipeline *p, const am_task_input *input, am_json options, am_buffer *out)
{
    am_arena arena = {0};
    AM_TRY(am_need_text(input));
    am_status status = compare_all(p, input->text, options, &arena, out);
    am_arena_deinit(&arena);
    return status;
}

const am_task am_task_sentence_similarity = {
    .name = "sentence-similarity",
    .input = "text",
    .summary = "Says how near sentences are to a text: cosines of their embeddings.",
    .parameters = "sentences",
    .run = run,
};
