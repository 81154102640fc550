/* Fuyu: an image before each text as rows of its patches, which end with a newline. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <string.h>

static const char begin_text[] = "<s>", begin_answer[] = "<0x04>";

static am_status put_images(am_processor_call *run)
{
    int64_t texts = run->out->text_count, images = run->inputs->image_count;
    if (images && images != texts)
        return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " images for %" PRId64 " texts", images, texts);
    const am_processor_token *image = am_processor_find_token(run->processor, "image_token");
    if (!images) return NULL;
    const char *before = am_arena_printf(&run->arena, "%s", image->text.bytes);
    return before ? am_format_texts(run, before, begin_answer) : am_out_of_memory();
}

/* --- patches --- */

/* Rows and columns of patches of an image, without those of padding alone. */
static am_status count_patches(const am_processor *p, const am_media_tensors *media, int64_t image,
                               am_plane_size *out_patch, am_plane_size *out)
{
    am_image_size patch;
    am_shape pixels;
    int64_t height, width;
    AM_TRY(am_image_read_size(p->image_processor, "patch_size", true, &patch));
    AM_TRY(am_media_shape(media, "images", image, &pixels));
    AM_TRY(am_media_number(media, "image_unpadded_heights", image, 0, &height));
    AM_TRY(am_media_number(media, "image_unpadded_widths", image, 0, &width));
    if (!patch.height || !patch.width) return am_error(AM_INVALID_FILE, "patch_size: expected height and width");
    int64_t rows = (height + patch.height - 1) / patch.height, columns = (width + patch.width - 1) / patch.width,
            most_height = pixels.dims[pixels.rank - 2], most_width = pixels.dims[pixels.rank - 1];
    bool cut_rows = rows * patch.height > most_height, cut_columns = columns * patch.width > most_width;
    if ((cut_rows && most_height % patch.height) || (cut_columns && most_width % patch.width))
        return am_error(AM_INVALID_ARGUMENT,
                        "an image of %" PRId64 "x%" PRId64 " pixels (height, width) is not made of patches",
                        most_height, most_width);
    *out_patch = (am_plane_size){patch.height, patch.width};
    out->height = cut_rows ? most_height / patch.height : rows;
    out->width = cut_columns ? most_width / patch.width : columns;
    return NULL;
}

static am_status expand(const am_placeholder *p, am_buffer *out)
{
    am_plane_size patch, count;
    AM_TRY(count_patches(p->run->processor, p->media, p->row, &patch, &count));
    for (int64_t y = 0; y < count.height; y++) {
        am_put_token(p->run, "image_token", count.width, out);
        am_put_token(p->run, "image_newline_token", 1, out);
    }
    am_buffer_append_string(out, begin_text);
    return NULL;
}

/* Patches of `images` [images, 1, channels, height, width], each [height, width, channels]. */
static float *put_patches(const am_tensor *images, int64_t image, am_plane_size patch, am_plane_size count, float *out)
{
    const int64_t *dims = images->shape.dims;
    const float *pixels = (const float *)images->data + image * dims[2] * dims[3] * dims[4];
    for (int64_t i = 0; i < count.height * count.width; i++) {
        int64_t top = i / count.width * patch.height, left = i % count.width * patch.width;
        for (int64_t k = 0; k < patch.height * patch.width * dims[2]; k++) {
            int64_t y = top + k / dims[2] / patch.width, x = left + k / dims[2] % patch.width;
            *out++ = pixels[(k % dims[2] * dims[3] + y) * dims[4] + x];
        }
    }
    return out;
}

/* image_patches: [patches of all images, values]. */
static am_status give_patches(am_processor_call *run)
{
    const char *name =
        am_processor_flag(run->processor, "return_legacy_image_output", true) ? "image_patches" : "pixel_values";
    const am_tensor *images;
    am_tensor *made;
    int64_t total = 0;
    am_plane_size patch = {0}, count;
    am_media_tensors *tensors = &run->out->tensors;
    if (!run->inputs->image_count) return NULL;
    AM_TRY(am_media_tensors_get(tensors, "images", &images));
    if (images->dtype != AM_F32) return am_error(AM_UNSUPPORTED, "patches of images that are not floats");
    for (int64_t i = 0; i < run->inputs->image_count; i++) {
        AM_TRY(count_patches(run->processor, tensors, i, &patch, &count));
        total += count.height * count.width;
    }
    am_shape shape = am_shape_of(total, patch.height * patch.width * images->shape.dims[2]);
    AM_TRY(am_media_tensors_add(tensors, name, AM_F32, &shape, &made));
    float *out = made->data;
    for (int64_t i = 0; i < run->inputs->image_count; i++) {
        AM_TRY(count_patches(run->processor, tensors, i, &patch, &count));
        out = put_patches(&am_media_tensors_find(tensors, "images")->tensors[0], i, patch, count, out);
    }
    am_media_drop(tensors, "images");
    am_media_drop(tensors, "image_unpadded_heights");
    am_media_drop(tensors, "image_unpadded_widths");
    return NULL;
}

/* --- ids --- */

/* The pieces of a text: the image with what begins a text, and the rest; the first is empty where there is none. */
static void split(const am_buffer *text, am_text pieces[2])
{
    const char *bytes = am_buffer_text(text), *found = strstr(bytes, begin_text);
    size_t length = found ? (size_t)(found - bytes) + sizeof begin_text - 1 : 0;
    pieces[0] = (am_text){bytes, length};
    pieces[1] = (am_text){bytes + length, text->length - length};
}

/* The row of a text after `length - count` ids 0. The first token of the image's piece is the blank that the tokenizer
   puts before it, which goes. */
static am_status join(am_processor_call *run, const am_encoding pieces[2], int64_t length, int64_t **ids,
                      int64_t **mask)
{
    int64_t skip = pieces[0].count ? 1 : 0, at = length - ((int64_t)(pieces[0].count + pieces[1].count) - skip);
    *ids = am_arena_array(&run->arena, (size_t)length + 1, sizeof **ids);
    *mask = am_arena_array(&run->arena, (size_t)length + 1, sizeof **mask);
    if (!*ids || !*mask) return am_out_of_memory();
    for (int piece = 0; piece < 2; piece++) {
        for (size_t k = piece == 0 ? (size_t)skip : 0; k < pieces[piece].count; k++, at++) {
            (*ids)[at] = pieces[piece].ids[k];
            (*mask)[at] = pieces[piece].attention_mask[k];
        }
    }
    return NULL;
}

static am_status give_rows(am_processor_call *run, const am_encoding *pieces)
{
    int64_t texts = run->out->text_count, most = 0;
    int64_t *lengths = am_arena_array(&run->arena, (size_t)texts, sizeof *lengths);
    int64_t **ids = am_arena_array(&run->arena, (size_t)texts, sizeof *ids);
    int64_t **masks = am_arena_array(&run->arena, (size_t)texts, sizeof *masks);
    if (!lengths || !ids || !masks) return am_out_of_memory();
    for (int64_t i = 0; i < texts; i++) {
        int64_t count = (int64_t)(pieces[2 * i].count + pieces[2 * i + 1].count) - (pieces[2 * i].count ? 1 : 0);
        if (count > most) most = count;
    }
    for (int64_t i = 0; i < texts; i++) {
        lengths[i] = most;
        AM_TRY(join(run, &pieces[2 * i], most, &ids[i], &masks[i]));
    }
    AM_TRY(am_give_rows(run, "input_ids", texts, lengths, ids));
    return am_give_rows(run, "attention_mask", texts, lengths, masks);
}

static am_status encode_pieces(am_processor_call *run, am_encode_options *options)
{
    size_t count = 2 * (size_t)run->out->text_count;
    am_text *texts = am_arena_array(&run->arena, count, sizeof *texts);
    am_encoding *pieces = am_arena_array(&run->arena, count, sizeof *pieces);
    if (!texts || !pieces) return am_out_of_memory();
    options->add_special_tokens = false;
    options->padding = AM_PAD_NEVER;
    for (size_t i = 0; i < count; i += 2) split(&run->out->texts[i / 2], texts + i);
    AM_TRY(am_tokenizer_encode_batch(run->processor->tokenizer, texts, NULL, count, options, pieces));
    am_status status = give_rows(run, pieces);
    for (size_t i = 0; i < count; i++) am_encoding_deinit(&pieces[i]);
    return status;
}

/* Whatever the tokenizer pads with, it is id 0 here. */
static am_status pad_with_zero(am_processor_call *run)
{
    const am_media_output *ids = am_media_tensors_find(&run->out->tensors, "input_ids"),
                          *mask = am_media_tensors_find(&run->out->tensors, "attention_mask");
    if (!ids || !mask) return am_error(AM_INTERNAL, "no input_ids or attention_mask");
    for (int64_t i = 0; i < ids->count; i++) {
        int64_t *values = ids->tensors[i].data;
        const int64_t *kept = mask->tensors[i].data;
        for (int64_t k = 0; k < am_shape_count(&ids->tensors[i].shape); k++)
            if (!kept[k]) values[k] = 0;
    }
    return NULL;
}

static am_status encode(am_processor_call *run)
{
    am_encode_options options;
    AM_TRY(am_processor_encode_options(run->processor, &options));
    if (run->inputs->image_count) return encode_pieces(run, &options);
    AM_TRY(am_processor_encode(run));
    return pad_with_zero(run);
}

/* --- rows of the table --- */

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "FuyuProcessor",
     .settings = AM_JSON({"image_token": "|SPEAKER|", "image_newline_token": "|NEWLINE|",
                          "return_legacy_image_output": true, "text_kwargs": {"return_token_type_ids": false}}),
     .tokens = "image_token image_newline_token", .image = {.placeholder = "image_token", .expand = expand},
     .prepare = put_images, .encode = encode, .unused = "image_scale_factors image_sizes", .finish = give_patches},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_fuyu = {classes};
