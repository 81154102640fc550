#include "models/names/names.h"

#include <stdlib.h>
#include <string.h>

static int compare_name(const void *key, const void *row)
{
    return strcmp(key, ((const am_class_name *)row)->name);
}

const am_class_name *am_class_name_find(const char *name)
{
    return bsearch(name, am_class_names, am_class_name_count, sizeof *am_class_names, compare_name);
}

const char *am_name_kind_text(am_name_kind kind)
{
    static const char *const texts[] = {
        [AM_NAME_MODEL] = "a model",
        [AM_NAME_ABSTRACT] = "an abstract base class",
        [AM_NAME_OUTPUT] = "an output type",
        [AM_NAME_MODULE] = "an internal module",
        [AM_NAME_AUTO] = "an auto class",
        [AM_NAME_TENSORFLOW_MODEL] = "a TensorFlow model of transformers 4",
        [AM_NAME_TENSORFLOW_AUTO] = "a TensorFlow auto class of transformers 4",
        [AM_NAME_REMOVED] = "a class that transformers 5 has no more",
        [AM_NAME_CONFIG] = "a configuration",
        [AM_NAME_TOKENIZER] = "a tokenizer",
        [AM_NAME_IMAGE_PROCESSOR] = "an image processor",
        [AM_NAME_VIDEO_PROCESSOR] = "a video processor",
        [AM_NAME_FEATURE_EXTRACTOR] = "a feature extractor",
        [AM_NAME_PROCESSOR] = "a processor",
        [AM_NAME_PIPELINE] = "a pipeline",
        [AM_NAME_OTHER] = "a name of the library",
    };
    return texts[kind];
}

static int compare_auto(const void *key, const void *row)
{
    const am_auto_row *a = key, *b = row;
    int order = strcmp(a->auto_class, b->auto_class);
    return order ? order : strcmp(a->model_type, b->model_type);
}

const char *am_auto_class_of(const char *auto_class, const char *model_type)
{
    am_auto_row key = {auto_class, model_type, NULL};
    const am_auto_row *found = bsearch(&key, am_auto_rows, am_auto_row_count, sizeof *am_auto_rows, compare_auto);
    return found ? found->name : NULL;
}

int am_auto_class_exists(const char *auto_class)
{
    for (size_t i = 0; i < am_auto_row_count; i++)
        if (strcmp(am_auto_rows[i].auto_class, auto_class) == 0) return 1;
    return 0;
}
