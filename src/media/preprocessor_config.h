/* preprocessor_config.json: finding it and reading its members, for image processors and feature extractors. */
#ifndef AM_MEDIA_PREPROCESSOR_CONFIG_H
#define AM_MEDIA_PREPROCESSOR_CONFIG_H

#include "base/json.h"

/* Calls read(config, context) with the member `member` of the directory's processor_config.json, where there is one, or
   else with preprocessor_config.json. Errors name the file. */
am_status am_preprocessor_config_open(const char *directory, const char *member,
                                      am_status (*read)(am_json config, void *context), void *context) AM_NODISCARD;

/* Whether a member is there and not null: what is not given keeps its default. */
bool am_preprocessor_config_given(am_json value);

/* Reads a boolean that may be left out. Fails with AM_INVALID_FILE when it is something else. */
am_status am_preprocessor_config_bool(am_json config, const char *key, bool *out) AM_NODISCARD;

#endif
