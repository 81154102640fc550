/* What the class names of transformers are, and which class an auto class makes of a model type: tables made from its
   sources by tools/make_class_tables.py. */
#ifndef AM_MODELS_NAMES_NAMES_H
#define AM_MODELS_NAMES_NAMES_H

#include <stddef.h>

typedef enum am_name_kind {
    AM_NAME_MODEL,
    AM_NAME_ABSTRACT, /* a base class without a forward */
    AM_NAME_OUTPUT,   /* what a forward returns */
    AM_NAME_MODULE,   /* a part inside a modeling file */
    AM_NAME_AUTO,
    AM_NAME_TENSORFLOW_MODEL, /* of transformers 4: the class without TF reads the same files */
    AM_NAME_TENSORFLOW_AUTO,
    AM_NAME_REMOVED, /* a model of transformers 4 that 5 has no more */
    AM_NAME_CONFIG,
    AM_NAME_TOKENIZER,
    AM_NAME_IMAGE_PROCESSOR,
    AM_NAME_VIDEO_PROCESSOR,
    AM_NAME_FEATURE_EXTRACTOR,
    AM_NAME_PROCESSOR,
    AM_NAME_PIPELINE,
    AM_NAME_OTHER, /* exported, and none of these */
} am_name_kind;

typedef struct am_class_name {
    const char *name; /* "BertModel" */
    am_name_kind kind;
    const char *model_type; /* "bert"; "" where it belongs to none */
} am_class_name;

typedef struct am_auto_row {
    const char *auto_class, *model_type, *name; /* "AutoModelForMaskedLM", "bert", "BertForMaskedLM" */
} am_auto_row;

/* Both sorted, by name and by auto class with model type. */
extern const am_class_name am_class_names[];
extern const size_t am_class_name_count;
extern const am_auto_row am_auto_rows[];
extern const size_t am_auto_row_count;

/* What a name is; null for one that transformers 5.23 and 4.52 do not know. */
const am_class_name *am_class_name_find(const char *name);

/* What a kind is called: "an output type", "a model". Static. */
const char *am_name_kind_text(am_name_kind kind);

/* The class that an auto class makes of a model type, or null. */
const char *am_auto_class_of(const char *auto_class, const char *model_type);

/* Whether there is an auto class of this name with a mapping of models. */
int am_auto_class_exists(const char *auto_class);

#endif
