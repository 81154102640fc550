/* One vector for a text, as sentence-transformers makes it. */
#ifndef AM_TASKS_SENTENCE_EMBEDDING_H
#define AM_TASKS_SENTENCE_EMBEDDING_H

#include "tasks/pipeline.h"

/* What modules.json, the pooling module's config.json and sentence_bert_config.json say. */
typedef struct am_sentence_config {
    unsigned pooling; /* bits, by the row of a table in sentence_embedding.c; several are put one after another */
    bool normalize;
    int64_t max_seq_length; /* tokens; INT64_MAX: none */
} am_sentence_config;

/* Without modules.json: the mean of the attended tokens, normalized. Fails with AM_UNSUPPORTED for a module
 * of another kind. */
am_status am_sentence_config_read(am_pipeline *p, am_sentence_config *out) AM_NODISCARD;

/* The vector of one text, of *out_dims numbers; freed with am_free. Texts that are too long are cut. */
am_status am_embed_sentence(am_pipeline *p, const am_sentence_config *config, const char *text, float **out,
                            size_t *out_dims) AM_NODISCARD;

#endif
