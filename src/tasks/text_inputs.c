#include "tasks/task.h"

#include "tensor/shape.h"
#include "text/tokenizer.h"

#include <string.h>

am_status am_check_length(am_pipeline *p, int64_t length)
{
    int64_t limit = am_pipeline_context_length(p);
    if (length <= limit) return NULL;
    return am_error(AM_OUT_OF_RANGE, "the text has %lld tokens, and the model takes %lld at most", (long long)length,
                    (long long)limit);
}

static am_status add_input(am_text_inputs *out, am_arena *arena, const char *name, int64_t count, int64_t length,
                           int32_t **data)
{
    *data = am_arena_array(arena, (size_t)(count * length) + 1, sizeof **data);
    if (!*data) return am_out_of_memory();
    out->inputs[out->count++] = (am_session_input){name, {AM_I32, am_shape_of(count, length), *data}};
    return NULL;
}

am_status am_inputs_of_encodings(const am_tokenizer *tokenizer, am_arena *arena, const am_encoding *encodings,
                                 int64_t count, am_text_inputs *out)
{
    int64_t length = (int64_t)encodings[0].count;
    int32_t *mask, *types = NULL;
    *out = (am_text_inputs){.length = length};
    if (length == 0) return am_error(AM_INVALID_ARGUMENT, "the text has no tokens");
    AM_TRY(add_input(out, arena, "input_ids", count, length, &out->ids));
    AM_TRY(add_input(out, arena, "attention_mask", count, length, &mask));
    if (am_tokenizer_has_type_ids(tokenizer)) AM_TRY(add_input(out, arena, "token_type_ids", count, length, &types));
    for (int64_t i = 0; i < count; i++) {
        size_t bytes = (size_t)length * sizeof *mask;
        if ((int64_t)encodings[i].count != length)
            return am_error(AM_INTERNAL, "a batch of texts of different lengths");
        memcpy(out->ids + i * length, encodings[i].ids, bytes);
        memcpy(mask + i * length, encodings[i].attention_mask, bytes);
        if (types) memcpy(types + i * length, encodings[i].type_ids, bytes);
    }
    return NULL;
}

static am_text text_of(const char *text)
{
    return (am_text){text, strlen(text)};
}

am_status am_encode_text(am_pipeline *p, am_arena *arena, const char *text, const char *pair, bool truncate,
                         am_text_inputs *out)
{
    am_tokenizer *tokenizer;
    am_encoding encoding = {0};
    am_encode_options options = AM_ENCODE_OPTIONS;
    AM_TRY(am_pipeline_tokenizer(p, &tokenizer));
    int64_t limit = am_pipeline_context_length(p);
    if (truncate && limit < INT64_MAX) {
        options.truncation = AM_TRUNCATE_LONGEST_FIRST;
        options.max_length = (uint64_t)limit;
    }
    am_text second = text_of(pair ? pair : "");
    am_status status = am_tokenizer_encode(tokenizer, text_of(text), pair ? &second : NULL, &options, &encoding);
    if (!status) status = am_check_length(p, (int64_t)encoding.count);
    if (!status) status = am_inputs_of_encodings(tokenizer, arena, &encoding, 1, out);
    am_encoding_deinit(&encoding);
    return status;
}
