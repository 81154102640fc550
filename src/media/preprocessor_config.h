/* preprocessor_config.json: finding it and reading its members, for image processors and feature extractors.
 */
#ifndef AM_MEDIA_PREPROCESSOR_CONFIG_H
#define AM_MEDIA_PREPROCESSOR_CONFIG_H

#include "base/json.h"

typedef struct am_model_class {
    const char *model_type, *class_name;
} am_model_class;

/* What to look for in a model directory, and who reads it. */
typedef struct am_preprocessor_kind {
    const char *members[2]; /* of processor_config.json: the first that is there holds the configuration; the second may
                               be null */
    const char *types[2];   /* members that name its class; the second may be null */
    /* For those that do not, by model_type of config.json: a table up to a null, or a function that gives null for what
       it does not know. */
    const am_model_class *models;
    const char *(*class_of_model)(am_json model_type);
    am_status (*read)(am_json config, const char *class_name, void *out);
} am_preprocessor_kind;

/* Calls read with the nested configuration of the directory's processor_config.json, or else with
   preprocessor_config.json. class_name is null where the configuration names its class. Errors name the file.
 */
am_status am_preprocessor_config_open(const char *directory, const am_preprocessor_kind *kind, void *out) AM_NODISCARD;

/* Whether a member is there and not null: what is not given keeps its default. */
bool am_preprocessor_config_given(am_json value);

/* Takes an integer between two bounds, unless it is not given. `name` stands for it in messages.
   Fails with AM_INVALID_FILE when it is something else. */
am_status am_preprocessor_config_integer(am_json value, const char *name, int64_t least, int64_t most,
                                         int64_t *out) AM_NODISCARD;

/* Reads a boolean that may be left out. Fails with AM_INVALID_FILE when it is something else. */
am_status am_preprocessor_config_bool(am_json config, const char *key, bool *out) AM_NODISCARD;

#endif
