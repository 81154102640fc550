/* Classes that put something before or after texts themselves: queries of BLIP-2, the image of Kosmos-2.5, the size of
   the picture that GLM-Image is to paint. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- BLIP-2, InstructBLIP --- */

/* Puts `count` times `value` before each row of an output of the texts. */
static am_status put_before(am_processor_call *run, const char *name, int64_t count, int64_t value)
{
    const am_media_output *item = am_media_tensors_find(&run->out->tensors, name);
    int64_t texts = run->out->text_count, *lengths = am_arena_array(&run->arena, (size_t)texts, sizeof *lengths);
    int64_t **rows = am_arena_array(&run->arena, (size_t)texts, sizeof *rows);
    if (!item) return am_error(AM_INTERNAL, "no %s", name);
    if (!lengths || !rows) return am_out_of_memory();
    for (int64_t i = 0; i < texts; i++) {
        const am_tensor *x = &item->tensors[item->is_list ? i : 0];
        int64_t length = x->shape.dims[x->shape.rank - 1];
        lengths[i] = count + length;
        rows[i] = am_arena_array(&run->arena, (size_t)lengths[i] + 1, sizeof **rows);
        if (!rows[i]) return am_out_of_memory();
        for (int64_t k = 0; k < count; k++) rows[i][k] = value;
        memcpy(rows[i] + count, (const int64_t *)x->data + (item->is_list ? 0 : i * length),
               (size_t)length * sizeof **rows);
    }
    am_media_drop(&run->out->tensors, name);
    return am_give_rows(run, name, texts, lengths, rows);
}

static am_status put_queries(am_processor_call *run, const char *token, int64_t times)
{
    int64_t queries;
    AM_TRY(am_processor_integer(run->processor, "num_query_tokens", &queries));
    AM_TRY(put_before(run, "input_ids", times * queries, am_processor_find_token(run->processor, token)->id));
    return put_before(run, "attention_mask", times * queries, 1);
}

/* max_length counts num_query_tokens, too. */
static am_status encode_beside_queries(am_processor_call *run)
{
    int64_t queries;
    am_encode_options options;
    AM_TRY(am_processor_encode_options(run->processor, &options));
    if (run->inputs->no_special_tokens) options.add_special_tokens = false;
    if (options.max_length) {
        AM_TRY(am_processor_integer(run->processor, "num_query_tokens", &queries));
        if ((uint64_t)queries >= options.max_length)
            return am_error(AM_INVALID_ARGUMENT, "max_length %" PRIu64 " leaves no place beside %" PRId64 " queries",
                            options.max_length, queries);
        options.max_length -= (uint64_t)queries;
    }
    return am_processor_encode_with(run, run->processor->tokenizer, &options);
}

static am_status encode_blip2(am_processor_call *run)
{
    bool known = am_json_kind_of(am_processor_setting(run->processor, "num_query_tokens")) != AM_JSON_MISSING;
    AM_TRY(encode_beside_queries(run));
    return run->inputs->image_count && known ? put_queries(run, "image_token", 1) : NULL;
}

/* What the Q-Former reads. */
static am_status encode_qformer(am_processor_call *run)
{
    AM_TRY(am_processor_encode_by(run, run->processor->second_tokenizer));
    am_media_rename(&run->out->tensors, "input_ids", "qformer_input_ids");
    am_media_rename(&run->out->tensors, "attention_mask", "qformer_attention_mask");
    am_media_drop(&run->out->tensors, "token_type_ids");
    return NULL;
}

static am_status encode_instructblip(am_processor_call *run)
{
    AM_TRY(encode_qformer(run));
    return encode_blip2(run);
}

/* Queries of four frames. */
static am_status encode_instructblip_video(am_processor_call *run)
{
    enum { FRAMES = 4 };
    AM_TRY(encode_qformer(run));
    AM_TRY(encode_beside_queries(run));
    return run->inputs->video_count ? put_queries(run, "video_token", FRAMES) : NULL;
}

/* --- Kosmos-2.5 --- */

static am_status put_image(am_processor_call *run)
{
    int64_t count;
    am_buffer before = {0};
    if (!run->inputs->image_count) return am_error(AM_INVALID_ARGUMENT, "%s needs images", run->processor->kind->name);
    AM_TRY(am_processor_integer(run->processor, "num_image_tokens", &count));
    am_buffer_append_string(&before, am_special_text(run, "bos_token"));
    am_put_token(run, "boi_token", 1, &before);
    am_put_token(run, "image_token", count, &before);
    am_put_token(run, "eoi_token", 1, &before);
    am_status status = am_buffer_status(&before);
    if (!status) status = am_format_texts(run, am_buffer_text(&before), "");
    am_buffer_deinit(&before);
    return status;
}

/* image_embeds_position_mask: 1 where image tokens are, -1 around them. */
static am_status give_image_places(am_processor_call *run)
{
    int64_t count;
    const am_tensor *ids;
    am_tensor *made;
    AM_TRY(am_processor_integer(run->processor, "num_image_tokens", &count));
    AM_TRY(am_media_tensors_get(&run->out->tensors, "input_ids", &ids));
    am_shape shape = ids->shape;
    if (shape.dims[1] < count + 3)
        return am_error(AM_INVALID_ARGUMENT, "a text of %" PRId64 " tokens holds no image of %" PRId64, shape.dims[1],
                        count);
    AM_TRY(am_media_tensors_add(&run->out->tensors, "image_embeds_position_mask", AM_I64, &shape, &made));
    for (int64_t i = 0; i < shape.dims[0]; i++) {
        int64_t *row = (int64_t *)made->data + i * shape.dims[1];
        row[1] = row[count + 2] = -1;
        for (int64_t k = 0; k < count; k++) row[2 + k] = 1;
    }
    return NULL;
}

/* --- GLM-Image --- */

enum { GLM_FACTOR = 32 };

/* Rows and columns of the picture to paint, and of the small one that goes before it. */
static am_status read_target(const am_processor *p, int64_t out[4])
{
    int64_t height, width;
    AM_TRY(am_processor_integer(p, "target_h", &height));
    AM_TRY(am_processor_integer(p, "target_w", &width));
    out[0] = height / GLM_FACTOR;
    out[1] = width / GLM_FACTOR;
    if (!out[0] || !out[1])
        return am_error(AM_INVALID_ARGUMENT, "target_h %" PRId64 " and target_w %" PRId64 ": expected at least %d",
                        height, width, GLM_FACTOR);
    double ratio = (double)out[0] / (double)out[1];
    out[2] = (int64_t)(sqrt(ratio) * (GLM_FACTOR / 2));
    out[3] = (int64_t)(sqrt(1.0 / ratio) * (GLM_FACTOR / 2));
    return NULL;
}

static am_status put_target(am_processor_call *run)
{
    int64_t target[4];
    am_buffer after = {0};
    AM_TRY(read_target(run->processor, target));
    for (int i = 0; i < (run->inputs->image_count ? 2 : 4); i += 2) {
        am_put_token(run, "grid_bos_token", 1, &after);
        am_buffer_printf(&after, "%" PRId64 " %" PRId64, target[i], target[i + 1]);
        am_put_token(run, "grid_eos_token", 1, &after);
    }
    am_buffer_append_string(&after, am_special_text(run, "bos_token"));
    am_status status = am_buffer_status(&after);
    if (!status) status = am_format_texts(run, "", am_buffer_text(&after));
    am_buffer_deinit(&after);
    return status;
}

/* image_grid_thw of each text's images and then of what is to be painted; images_per_sample. */
static am_status give_targets(am_processor_call *run)
{
    int64_t texts = run->out->text_count, sources = run->image_of_text[1], targets = run->inputs->image_count ? 1 : 2;
    int64_t target[4], each = sources + targets;
    am_shape grids = am_shape_of(texts * each, 3), flat = am_shape_of(texts);
    am_tensor *made, *counts;
    AM_TRY(read_target(run->processor, target));
    for (int64_t i = 0; i < texts; i++)
        if (run->image_of_text[i + 1] - run->image_of_text[i] != sources)
            return am_error(AM_INVALID_ARGUMENT, "texts have to have as many images each");
    AM_TRY(am_media_tensors_add(&run->out->tensors, "grids", AM_I64, &grids, &made));
    for (int64_t i = 0; i < texts * each; i++) {
        int64_t *row = (int64_t *)made->data + 3 * i, at = i % each;
        row[0] = 1;
        for (int64_t d = 0; d < 2 && at >= sources; d++) row[1 + d] = target[2 * (at - sources) + d];
        for (int64_t d = 0; d < 3 && at < sources; d++)
            AM_TRY(am_media_number(&run->out->tensors, "image_grid_thw", i / each * sources + at, d, &row[d]));
    }
    am_media_drop(&run->out->tensors, "image_grid_thw");
    am_media_rename(&run->out->tensors, "grids", "image_grid_thw");
    AM_TRY(am_media_tensors_add(&run->out->tensors, "images_per_sample", AM_I64, &flat, &counts));
    for (int64_t i = 0; i < texts; i++) ((int64_t *)counts->data)[i] = each;
    return NULL;
}

/* --- rows of the table --- */

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "Blip2Processor",
     .settings = AM_JSON({"image_token": "<image>", "text_kwargs": {"return_token_type_ids": false}}),
     .tokens = "image_token*", .image = {.placeholder = "image_token"}, .encode = encode_blip2},
    {.name = "InstructBlipProcessor",
     .settings = AM_JSON({"image_token": "<image>", "text_kwargs": {"return_token_type_ids": false}}),
     .tokens = "image_token*", .image = {.placeholder = "image_token"}, .second_tokenizer = "qformer_tokenizer",
     .encode = encode_instructblip},
    {.name = "InstructBlipVideoProcessor",
     .settings = AM_JSON({"video_token": "<video>", "text_kwargs": {"return_token_type_ids": false}}),
     .tokens = "video_token*", .video = {.placeholder = "video_token"},
     .video_processor = "InstructBlipVideoVideoProcessor", .second_tokenizer = "qformer_tokenizer",
     .encode = encode_instructblip_video},
    {.name = "Kosmos2_5Processor",
     .settings = AM_JSON({"num_image_tokens": 2048, "images_kwargs": {"max_patches": 4096},
                          "text_kwargs": {"padding": true, "return_token_type_ids": false, "truncation": true}}),
     .tokens = "image_token* boi_token* eoi_token*", .image = {.placeholder = "image_token"}, .prepare = put_image,
     .finish = give_image_places, .unused = "rows cols attention_mask"},
    {.name = "GlmImageProcessor", .settings = AM_JSON({"target_h": 1152, "target_w": 768}),
     .tokens = "image_token* grid_bos_token* grid_eos_token*",
     .image = {.placeholder = "image_token", .expand = am_expand_grid}, .prepare = put_target,
     .finish = give_targets},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_prefixed = {classes};
