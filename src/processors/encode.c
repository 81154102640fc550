/* From expanded texts to ids, and what is said about them. */
#include "media/preprocessor_config.h"
#include "processors/class.h"

#include <inttypes.h>

static am_status read_padding(am_json value, am_encode_options *out)
{
    if (am_json_kind_of(value) == AM_JSON_BOOL)
        out->padding = am_json_bool(value, false) ? AM_PAD_LONGEST : AM_PAD_NEVER;
    else if (am_json_equals(value, "longest")) out->padding = AM_PAD_LONGEST;
    else if (am_json_equals(value, "max_length")) out->padding = AM_PAD_MAX_LENGTH;
    else if (am_preprocessor_config_given(value) && !am_json_equals(value, "do_not_pad"))
        return am_error(AM_INVALID_ARGUMENT, "text_kwargs: padding is neither a flag nor \"longest\", \"max_length\"");
    return NULL;
}

am_status am_processor_encode_options(const am_processor *p, am_encode_options *out)
{
    am_json side = am_processor_kwarg(p, "text_kwargs", "padding_side");
    am_json truncation = am_processor_kwarg(p, "text_kwargs", "truncation");
    *out = AM_ENCODE_OPTIONS;
    out->add_special_tokens = am_json_bool(am_processor_kwarg(p, "text_kwargs", "add_special_tokens"), true);
    out->max_length = (uint64_t)am_json_int(am_processor_kwarg(p, "text_kwargs", "max_length"), 0);
    if (am_json_equals(side, "left")) out->padding_side = AM_SIDE_LEFT;
    if (am_json_equals(side, "right")) out->padding_side = AM_SIDE_RIGHT;
    if (am_json_bool(truncation, am_json_equals(truncation, "longest_first")))
        out->truncation = AM_TRUNCATE_LONGEST_FIRST;
    return read_padding(am_processor_kwarg(p, "text_kwargs", "padding"), out);
}

static am_status give_column(am_processor_call *run, const char *name, const am_encoding *encodings, int which)
{
    int64_t count = run->out->text_count, *lengths = am_arena_array(&run->arena, (size_t)count, sizeof *lengths);
    int64_t **rows = am_arena_array(&run->arena, (size_t)count, sizeof *rows);
    if (!lengths || !rows) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) {
        const am_encoding *e = &encodings[i];
        const int32_t *from = which == 0 ? e->ids : which == 1 ? e->attention_mask : e->type_ids;
        lengths[i] = (int64_t)e->count;
        rows[i] = am_arena_array(&run->arena, e->count + 1, sizeof **rows);
        if (!rows[i]) return am_out_of_memory();
        for (size_t k = 0; k < e->count; k++) rows[i][k] = from[k];
    }
    return am_give_rows(run, name, count, lengths, rows);
}

static am_status give_encodings(am_processor_call *run, const am_encoding *encodings)
{
    const am_processor *p = run->processor;
    am_json types = am_processor_kwarg(p, "text_kwargs", "return_token_type_ids");
    AM_TRY(give_column(run, "input_ids", encodings, 0));
    AM_TRY(give_column(run, "attention_mask", encodings, 1));
    if (!am_json_bool(types, am_tokenizer_has_type_ids(p->tokenizer))) return NULL;
    return give_column(run, "token_type_ids", encodings, 2);
}

am_status am_processor_encode(am_processor_call *run)
{
    return am_processor_encode_by(run, run->processor->tokenizer);
}

am_status am_processor_encode_by(am_processor_call *run, const am_tokenizer *tokenizer)
{
    am_encode_options options;
    AM_TRY(am_processor_encode_options(run->processor, &options));
    if (run->inputs->no_special_tokens) options.add_special_tokens = false;
    return am_processor_encode_with(run, tokenizer, &options);
}

am_status am_processor_encode_with(am_processor_call *run, const am_tokenizer *tokenizer,
                                   const am_encode_options *options)
{
    size_t count = (size_t)run->out->text_count;
    am_text *texts = am_arena_array(&run->arena, count, sizeof *texts);
    am_encoding *encodings = am_arena_array(&run->arena, count, sizeof *encodings);
    if (!texts || !encodings) return am_out_of_memory();
    for (size_t i = 0; i < count; i++)
        texts[i] = (am_text){am_buffer_text(&run->out->texts[i]), run->out->texts[i].length};
    AM_TRY(am_tokenizer_encode_batch(tokenizer, texts, NULL, count, options, encodings));
    am_status status = give_encodings(run, encodings);
    for (size_t i = 0; i < count; i++) am_encoding_deinit(&encodings[i]);
    return status;
}

/* --- checks and marks of ids --- */

static void row_of(const am_media_output *ids, int64_t row, const int64_t **out, int64_t *out_count)
{
    const am_tensor *x = &ids->tensors[ids->is_list ? row : 0];
    int64_t count = ids->is_list ? x->shape.dims[0] : x->shape.dims[1];
    *out = (const int64_t *)x->data + (ids->is_list ? 0 : row * count);
    *out_count = count;
}

/* _check_special_mm_tokens: what stands in the text is in the ids, too. */
am_status am_processor_check_ids(const am_processor_call *run, const am_modality *modality)
{
    const char *name = modality->counted ? modality->counted : modality->placeholder;
    const am_processor_token *token = name ? am_processor_find_token(run->processor, name) : NULL;
    const am_media_output *ids = am_media_tensors_find(&run->out->tensors, "input_ids");
    if (!modality->expand || !token || token->id < 0 || !ids) return NULL;
    for (int64_t i = 0; i < run->out->text_count; i++) {
        const int64_t *row;
        int64_t count, found = 0, expected = am_count_text(&run->out->texts[i], token->text);
        row_of(ids, i, &row, &count);
        for (int64_t k = 0; k < count; k++) found += row[k] == token->id;
        if (found == expected) continue;
        return am_error(AM_INVALID_ARGUMENT,
                        "text %" PRId64 " has \"%.*s\" %" PRId64 " times, its ids %" PRId64 " times; was it truncated?",
                        i, (int)token->text.length, token->text.bytes, expected, found);
    }
    return NULL;
}

/* The number of the kind of media that an id stands for; 0: none. */
static int64_t kind_of_id(const am_processor *p, int64_t id)
{
    const am_modality *modalities[] = {&p->kind->image, &p->kind->video, &p->kind->sound};
    int64_t kind = 0;
    for (int m = 0; m < 3; m++) {
        const char *names = modalities[m]->marked ? modalities[m]->marked : modalities[m]->placeholder;
        for (int64_t i = 0; i < p->token_count; i++)
            if (p->tokens[i].id == id && am_is_listed(names, p->tokens[i].name)) kind = m + 1;
    }
    return kind;
}

am_status am_processor_mark_ids(am_processor_call *run)
{
    const am_media_output *ids = am_media_tensors_find(&run->out->tensors, "input_ids");
    int64_t count = run->out->text_count, *lengths = am_arena_array(&run->arena, (size_t)count, sizeof *lengths);
    int64_t **rows = am_arena_array(&run->arena, (size_t)count, sizeof *rows);
    if (!lengths || !rows) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) {
        const int64_t *row;
        row_of(ids, i, &row, &lengths[i]);
        rows[i] = am_arena_array(&run->arena, (size_t)lengths[i] + 1, sizeof **rows);
        if (!rows[i]) return am_out_of_memory();
        for (int64_t k = 0; k < lengths[i]; k++) rows[i][k] = kind_of_id(run->processor, row[k]);
    }
    am_media_drop(&run->out->tensors, run->processor->kind->type_ids);
    return am_give_rows(run, run->processor->kind->type_ids, count, lengths, rows);
}
