/* One vector for a text, as sentence-transformers makes it. */
#ifndef AM_TASKS_SENTENCE_EMBEDDING_H
#define AM_TASKS_SENTENCE_EMBEDDING_H

#include "tasks/pipeline.h"

enum { AM_SENTENCE_MODULES = 8 };

/* A module behind pooling: Dense, y = activation(weight x + bias), or Normalize, which has no weight. */
typedef struct am_sentence_module {
    float *weight, *bias; /* [outputs, inputs], owned; bias: [outputs], owned, or null */
    int64_t inputs, outputs;
    double (*activation)(double x);
} am_sentence_module;

/* What modules.json, the configurations of its modules and sentence_bert_config.json say. */
typedef struct am_sentence_config {
    unsigned pooling;       /* bits, by the row of a table in sentence_embedding.c; several are put one after another */
    int64_t max_seq_length; /* tokens; INT64_MAX: none */
    am_sentence_module modules[AM_SENTENCE_MODULES]; /* in their order */
    int module_count;
} am_sentence_config;

/* Without modules.json: the mean of the attended tokens, normalized. Fails with AM_UNSUPPORTED for a module of
   another kind. Freed with am_sentence_config_deinit. */
am_status am_sentence_config_read(am_pipeline *p, am_sentence_config *out) AM_NODISCARD;
void am_sentence_config_deinit(am_sentence_config *config);

/* The vector of one text, of *out_dims numbers; freed with am_free. Texts that are too long are cut. */
am_status am_embed_sentence(am_pipeline *p, const am_sentence_config *config, const char *text, float **out,
                            size_t *out_dims) AM_NODISCARD;

#endif
