#include "models/blocks/llava.h"

#include "models/blocks/layers.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PINPOINTS_LIMIT = 256, IMAGES_LIMIT = 1024 };

const am_shaping_input am_anyres_shaping_inputs[] = {{.name = "image_sizes"}, {.name = "batch_num_images"}, {0}};

am_value am_llava_project(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_text_width(b);
    int bias = am_config_flag(c, "multimodal_projector_bias", true) ? AM_BIAS : AM_NO_BIAS;
    am_unary_fn act = am_config_activation(c, "projector_hidden_act", AM_GELU);
    am_scope(b, "multi_modal_projector");
    x = am_linear(b, "linear_2", am_linear_activation(b, "linear_1", x, C, bias, act), C, bias);
    am_end_scope(b);
    return x;
}

am_value am_llava_rows(am_builder *b, am_value pixel_values, const am_llava_defaults *d)
{
    am_part_outputs tower = am_vision_tower(b, "vision_tower", d->tower_type, pixel_values);
    bool skips_first = am_vision_skips_first(b, d->select_strategy);
    return am_llava_project(b, am_vision_states(b, &tower, &d->feature_layer, 1, skips_first));
}

/* --- tiles --- */

typedef struct anyres {
    const am_llava_defaults *defaults;
    int64_t pinpoints[PINPOINTS_LIMIT][2];
    int pinpoint_count;
    int64_t tile, side;  /* pixels of a tile's side, patches of it */
    int64_t max_patches; /* tiles' worth of patches; 0: as many as there are */
    am_value newline;    /* [C] */
} anyres;

static void read_pinpoints(const am_config *c, anyres *a)
{
    am_json list = am_json_get(c->object, "image_grid_pinpoints");
    if (!am_config_has(c, "image_grid_pinpoints")) {
        memcpy(a->pinpoints, a->defaults->pinpoints, (size_t)a->defaults->pinpoint_count * sizeof *a->pinpoints);
        a->pinpoint_count = a->defaults->pinpoint_count;
        return;
    }
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); a->pinpoint_count++) {
        int at = 0;
        if (a->pinpoint_count == PINPOINTS_LIMIT) break;
        for (am_json_iterator k = am_json_iterate(i.value); am_json_next(&k); at++)
            if (at < 2) a->pinpoints[a->pinpoint_count][at] = am_json_int(k.value, 0);
        const int64_t *size = a->pinpoints[a->pinpoint_count];
        if (at != 2 || size[0] < 1 || size[1] < 1 || size[0] > INT32_MAX || size[1] > INT32_MAX)
            am_config_fail(c, "image_grid_pinpoints", "element %d is no height and width", a->pinpoint_count);
    }
    if (a->pinpoint_count == 0 || a->pinpoint_count == PINPOINTS_LIMIT)
        am_config_fail(c, "image_grid_pinpoints", "expected 1 to %d sizes", PINPOINTS_LIMIT - 1);
}

/* "anyres_max_9": 9 */
static int64_t read_max_patches(const am_config *c)
{
    const char *text = am_config_text(c, "vision_aspect_ratio", "anyres_max_9"),
               *digits = text + strcspn(text, "0123456789");
    int64_t count = strtoll(digits, NULL, 10);
    if (count < 1 || count > INT32_MAX)
        am_config_unsupported(c, "vision_aspect_ratio", "expected \"anyres_max_N\", found \"%s\"", text);
    return count < 1 ? 1 : count;
}

static anyres read_anyres(am_builder *b, const am_llava_defaults *d)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    am_image_options image = am_image_options_read(&vision, 336, 14);
    anyres a = {.defaults = d, .tile = image.image_size[0], .side = image.image_size[0] / image.patch_size[0]};
    read_pinpoints(c, &a);
    if (d->limits_patches) a.max_patches = read_max_patches(c);
    a.newline = am_weight(b, "image_newline", am_shape_of(am_text_width(b)));
    return a;
}

/* The configured size that shows most of an image of height x width, and of such the one that wastes least. */
static const int64_t *best_size(const anyres *a, int64_t height, int64_t width)
{
    const int64_t *best = NULL;
    int64_t shown = 0, wasted = INT64_MAX;
    for (int i = 0; i < a->pinpoint_count; i++) {
        int64_t h = a->pinpoints[i][0], w = a->pinpoints[i][1];
        double across = (double)w / (double)width, down = (double)h / (double)height,
               scale = across < down ? across : down;
        int64_t scaled = (int64_t)((double)width * scale) * (int64_t)((double)height * scale), whole = width * height;
        int64_t effective = scaled < whole ? scaled : whole, waste = w * h - effective;
        if (effective > shown || (effective == shown && waste < wasted)) {
            best = a->pinpoints[i];
            shown = effective;
            wasted = waste;
        }
    }
    return best;
}

/* x: [rows, columns, C] without the rows or columns that an image of height x width was padded with. */
static am_value unpad(am_builder *b, am_value x, int64_t height, int64_t width)
{
    int64_t rows = am_dim(b, x, 0), columns = am_dim(b, x, 1);
    bool is_wide = (double)width / (double)height > (double)columns / (double)rows;
    double scale = is_wide ? (double)columns / (double)width : (double)rows / (double)height;
    double kept = (double)(is_wide ? height : width) * scale;
    int64_t used = (int64_t)(nearbyint(kept * 1e7) / 1e7), all = is_wide ? rows : columns, padding = (all - used) / 2;
    return am_slice(b, x, is_wide ? 0 : 1, padding, all - padding);
}

/* No more patches than max_patches tiles have: x: [rows, columns, C]. */
static am_value limit(am_builder *b, const anyres *a, am_value x)
{
    int64_t rows = am_dim(b, x, 0), columns = am_dim(b, x, 1), C = am_dim(b, x, 2);
    double ratio = sqrt((double)(rows * columns) / (double)(a->max_patches * a->side * a->side));
    if (a->max_patches == 0 || !(ratio > 1.1)) return x;
    int64_t size[2] = {(int64_t)floor((double)rows / ratio), (int64_t)floor((double)columns / ratio)};
    x = am_reshape(b, am_permute(b, x, am_shape_of(2, 0, 1)), am_shape_of(1, C, rows, columns));
    x = am_resize(b, x, &(am_resize_attributes){.size = am_shape_of(size[0], size[1]), .mode = AM_RESIZE_LINEAR});
    return am_permute(b, am_squeeze(b, x, 0), am_shape_of(1, 2, 0));
}

/* Rows of one image's tiles: x: [1 + tiles, P, C], the picture of the whole first; [rows, C]. */
static am_value pack(am_builder *b, const anyres *a, am_value x, int64_t height, int64_t width)
{
    int64_t C = am_dim(b, x, 2), s = a->side, tiles = am_dim(b, x, 0) - 1;
    const int64_t *size = best_size(a, height, width);
    am_value whole = am_index(b, x, 0, 0);
    if (tiles == 0) return am_concat2(b, whole, am_reshape(b, a->newline, am_shape_of(1, C)), 0);
    int64_t down = size[0] / a->tile, across = size[1] / a->tile;
    if (down * across != tiles || am_dim(b, x, 1) != s * s) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "image_sizes: an image of %" PRId64 " x %" PRId64 " has %" PRId64
                                    " tiles of %" PRId64 " patches, expected %" PRId64 " of %" PRId64,
                                    height, width, tiles, am_dim(b, x, 1), down * across, s * s));
        return AM_NONE;
    }
    am_shape grid = {.rank = 5, .dims = {down, across, s, s, C}};
    x = am_transpose(b, am_reshape(b, am_slice(b, x, 0, 1, AM_SLICE_END), grid), 1, 2);
    x = limit(b, a, unpad(b, am_reshape(b, x, am_shape_of(down * s, across * s, C)), height, width));
    am_value ends =
        am_broadcast(b, am_reshape(b, a->newline, am_shape_of(1, 1, C)), am_shape_of(am_dim(b, x, 0), 1, C));
    x = am_flatten(b, am_concat2(b, x, ends, 1), 0, 1);
    return am_concat2(b, whole, x, 0);
}

/* --- images --- */

/* How many tiles, the picture of the whole with them, an image has. */
static int64_t tiles_of(const anyres *a, int64_t height, int64_t width)
{
    const int64_t *size = best_size(a, height, width);
    return size ? ((size[0] + a->tile - 1) / a->tile) * ((size[1] + a->tile - 1) / a->tile) + 1 : 0;
}

/* Marks the images that are the only ones of their text; all where nothing tells. */
static void mark_tiled(am_builder *b, int64_t images, bool *tiled)
{
    am_value counts = am_input_optional(b, "batch_num_images", 1);
    int64_t texts = counts.id ? am_dim(b, counts, 0) : 0, at = 0;
    for (int64_t i = 0; i < images; i++) tiled[i] = true;
    for (int64_t t = 0; t < texts; t++) {
        int64_t count = am_shaping_number(b, "batch_num_images", t);
        for (int64_t k = 0; k < count && at < images; k++) tiled[at++] = count == 1;
    }
}

/* Sizes of images and how many tiles each has; false, with the builder failed, for sizes that make no sense. */
static bool read_images(am_builder *b, const anyres *a, int64_t images, int64_t room, int64_t (*sizes)[2],
                        int64_t *tiles)
{
    bool tiled[IMAGES_LIMIT];
    mark_tiled(b, images, tiled);
    for (int64_t i = 0; i < images && !am_builder_failed(b); i++) {
        sizes[i][0] = am_shaping_number(b, "image_sizes", 2 * i);
        sizes[i][1] = am_shaping_number(b, "image_sizes", 2 * i + 1);
        bool fits = sizes[i][0] >= 1 && sizes[i][1] >= 1 && sizes[i][0] <= INT16_MAX && sizes[i][1] <= INT16_MAX;
        tiles[i] = !fits ? 0 : tiled[i] ? tiles_of(a, sizes[i][0], sizes[i][1]) : 1;
        if (tiles[i] < 1 || tiles[i] > room)
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                        "image_sizes: image %" PRId64 " of %" PRId64 " x %" PRId64
                                        " pixels has %" PRId64 " tiles, pixel_values has %" PRId64,
                                        i, sizes[i][0], sizes[i][1], tiles[i], room));
    }
    return !am_builder_failed(b);
}

struct am_anyres_images {
    anyres tiles_of;
    int64_t sizes[IMAGES_LIMIT][2], tiles[IMAGES_LIMIT];
    int count;
};

am_value am_anyres_tiles(am_builder *b, const am_llava_defaults *d, am_anyres_images **out)
{
    am_value pixels = am_input(b, "pixel_values", 5), sizes_given = am_input(b, "image_sizes", 2), parts[IMAGES_LIMIT];
    int64_t images = am_dim(b, sizes_given, 0);
    am_anyres_images *all = am_arena_array(am_builder_arena(b), 1, sizeof *all);
    *out = NULL;
    if (!all) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return AM_NONE;
    all->tiles_of = read_anyres(b, d);
    if (images != am_dim(b, pixels, 0) || images > IMAGES_LIMIT || images < 1 || am_dim(b, sizes_given, 1) != 2)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has %" PRId64 " images, image_sizes %" PRId64
                                    "; at most %d are possible",
                                    am_dim(b, pixels, 0), images, IMAGES_LIMIT));
    if (am_builder_failed(b) || !read_images(b, &all->tiles_of, images, am_dim(b, pixels, 1), all->sizes, all->tiles))
        return AM_NONE;
    all->count = (int)images;
    for (int i = 0; i < all->count; i++) parts[i] = am_slice(b, am_index(b, pixels, 0, i), 0, 0, all->tiles[i]);
    *out = all;
    return am_concat(b, parts, all->count, 0);
}

int am_anyres_count(const am_anyres_images *images)
{
    return images->count;
}

void am_anyres_pack(am_builder *b, const am_anyres_images *images, am_value x, int64_t side, am_value *out)
{
    anyres a = images->tiles_of;
    int64_t at = 0;
    a.side = side;
    for (int i = 0; i < images->count && !am_builder_failed(b); at += images->tiles[i++])
        out[i] = pack(b, &a, am_slice(b, x, 0, at, at + images->tiles[i]), images->sizes[i][0], images->sizes[i][1]);
}

am_value am_anyres_rows(am_builder *b, const am_llava_defaults *d)
{
    am_anyres_images *images;
    am_value parts[IMAGES_LIMIT], tiles = am_anyres_tiles(b, d, &images);
    if (!images || am_builder_failed(b)) return AM_NONE;
    am_anyres_pack(b, images, am_llava_rows(b, tiles, d), images->tiles_of.side, parts);
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, images->count, 0);
}
