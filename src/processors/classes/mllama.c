/* Mllama: images are read by cross attention. Their placeholders stay as they are, and say which tokens see which
 * image. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <string.h>

static am_status expand(const am_placeholder *p, am_buffer *out)
{
    am_put_token(p->run, "image_token", 1, out);
    return NULL;
}

/* build_string_from_input: bos_token after the images that a text begins with, where it has none. */
static am_status begin_with_bos(am_processor_call *run)
{
    const char *bos = am_special_text(run, "bos_token");
    am_text image = am_token_text(run, "image_token");
    for (int64_t i = 0; i < run->out->text_count; i++) {
        const am_buffer *in = &run->out->texts[i];
        const char *from = am_buffer_text(in);
        size_t at = 0;
        am_buffer text = {0};
        if (!*bos || strstr(from, bos)) continue;
        while (in->length - at >= image.length && memcmp(from + at, image.bytes, image.length) == 0) at += image.length;
        am_buffer_append(&text, from, at);
        am_buffer_append_string(&text, bos);
        am_buffer_append(&text, from + at, in->length - at);
        am_set_text(run, i, &text);
    }
    return NULL;
}

/* --- cross_attention_mask --- */

/* Tokens from `start` up to `end` see an image. */
typedef struct image_span {
    int64_t start, end;
} image_span;

/* get_cross_attention_token_mask: an image is seen up to the next one, images side by side as long as the last. */
static void find_spans(const int64_t *ids, int64_t length, int32_t image_id, image_span *out)
{
    int64_t count = 0;
    for (int64_t k = 0; k < length; k++) {
        if (ids[k] != image_id) continue;
        if (count) out[count - 1].end = k;
        out[count++] = (image_span){k, length};
    }
    for (int64_t i = count - 2; i >= 0; i--)
        if (out[i].start == out[i].end - 1) out[i].end = out[i + 1].end;
}

static int64_t images_of(const am_processor_call *run, int64_t text)
{
    return run->image_of_text[text + 1] - run->image_of_text[text];
}

/* Marks the tiles of one text's images; `mask`: [length, images, tiles]. */
static am_status mark_text(am_processor_call *run, int64_t text, const am_shape *shape, int64_t *mask)
{
    const am_media_output *ids = am_media_tensors_find(&run->out->tensors, "input_ids");
    const am_tensor *x = &ids->tensors[ids->is_list ? text : 0];
    int64_t length = x->shape.dims[x->shape.rank - 1], most = shape->dims[2], tiles = shape->dims[3], used;
    image_span *spans = am_arena_array(&run->arena, (size_t)length + 1, sizeof *spans);
    if (!spans) return am_out_of_memory();
    find_spans((const int64_t *)x->data + (ids->is_list ? 0 : text * length), length,
               am_processor_find_token(run->processor, "image_token")->id, spans);
    for (int64_t i = 0; i < images_of(run, text); i++) {
        AM_TRY(am_media_number(&run->images[run->samples > 1 ? text : 0], "num_tiles", 0, i, &used));
        int64_t end = images_of(run, text) == 1 ? shape->dims[1] : spans[i].end;
        for (int64_t k = spans[i].start; k < end; k++)
            for (int64_t t = 0; t < used && t < tiles; t++) mask[(k * most + i) * tiles + t] = 1;
    }
    return NULL;
}

/* Images that only other texts of the batch have show a first tile. */
static am_status show_first_tiles(am_processor_call *run)
{
    const am_tensor *mask;
    AM_TRY(am_media_tensors_get(&run->out->tensors, "aspect_ratio_mask", &mask));
    int64_t tiles = mask->shape.dims[2];
    for (int64_t i = 0; i < am_shape_count(&mask->shape); i += tiles) ((int64_t *)mask->data)[i] = 1;
    return NULL;
}

/* [texts, length, images, tiles]: whether a token sees a tile. */
static am_status give_cross_attention(am_processor_call *run)
{
    int64_t texts = run->out->text_count, length = 0, most = 0, tiles;
    const am_media_output *ids = am_media_tensors_find(&run->out->tensors, "input_ids");
    am_tensor *mask;
    if (!run->inputs->image_count) return NULL;
    if (!ids) return am_error(AM_INTERNAL, "no input_ids");
    AM_TRY(am_processor_image_integer(run->processor, "max_image_tiles", &tiles));
    for (int64_t i = 0; i < texts; i++) {
        const am_shape *shape = &ids->tensors[ids->is_list ? i : 0].shape;
        if (shape->dims[shape->rank - 1] > length) length = shape->dims[shape->rank - 1];
        if (images_of(run, i) > most) most = images_of(run, i);
    }
    am_shape shape = am_shape_of(texts, length, most, tiles);
    AM_TRY(am_media_tensors_add(&run->out->tensors, "cross_attention_mask", AM_I64, &shape, &mask));
    for (int64_t i = 0; i < texts; i++)
        AM_TRY(mark_text(run, i, &shape, (int64_t *)mask->data + i * length * most * tiles));
    return show_first_tiles(run);
}

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "MllamaProcessor", .settings = AM_JSON({"image_token": "<|image|>"}), .tokens = "image_token*",
     .nests_images = true, .image = {.placeholder = "image_token", .expand = expand}, .prepare = begin_with_bos,
     .unused = "num_tiles", .finish = give_cross_attention},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_mllama = {classes};
