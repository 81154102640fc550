#include "api/arguments.h"

#include <string.h>

am_status am_read_object(const char *json, const char *name, am_json_document **document, am_json *out)
{
    *document = NULL;
    *out = (am_json){0};
    if (!json) return NULL;
    AM_TRY(am_json_parse(json, strlen(json), name, document));
    *out = am_json_root(*document);
    if (am_json_kind_of(*out) == AM_JSON_OBJECT) return NULL;
    am_status status = am_error(AM_INVALID_ARGUMENT, "%s: expected an object, found %s", name,
                                am_json_kind_name(am_json_kind_of(*out)));
    am_json_close(*document);
    *document = NULL;
    *out = (am_json){0};
    return status;
}

am_status am_read_tokenizer_mode(const char *how, am_tokenizer_mode *out)
{
    *out = AM_TOKENIZER_AUTO;
    if (!how || strcmp(how, "auto") == 0) return NULL;
    *out = AM_TOKENIZER_FILE;
    if (strcmp(how, "file") == 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "tokenizer: expected auto or file, found \"%s\"", how);
}

/* "auto", null or "float32"; "bf16" or "bfloat16": *out_bf16. */
static am_status read_dtype(const char *dtype, bool *out_bf16)
{
    *out_bf16 = dtype && (strcmp(dtype, "bf16") == 0 || strcmp(dtype, "bfloat16") == 0);
    if (*out_bf16 || !dtype || strcmp(dtype, "auto") == 0 || strcmp(dtype, "float32") == 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "dtype: expected auto, float32 or bf16, found \"%s\"", dtype);
}

am_status am_read_precision(const char *weights, const char *dtype, am_session_options *options)
{
    AM_TRY(am_weight_format_read(weights, &options->weights.format));
    AM_TRY(read_dtype(dtype, &options->program.allows_bf16));
    if ((options->weights.format.bits || options->program.allows_bf16) && options->targets.policy == AM_TARGET_AUTO)
        options->targets = (am_target_choice){0};
    return NULL;
}
