#include "media/images/tiles.h"

#include "base/memory.h"
#include "media/preprocessor_config.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- the list --- */

void am_tiles_deinit(am_tiles *tiles)
{
    for (int64_t i = 0; i < tiles->count; i++) am_picture_deinit(&tiles->items[i]);
    am_free(tiles->items);
    *tiles = (am_tiles){0};
}

static am_status grow(am_tiles *tiles)
{
    int64_t capacity = tiles->capacity ? 2 * tiles->capacity : 16;
    am_picture *items = am_alloc_zeroed((size_t)capacity, sizeof *items);
    if (!items) return am_out_of_memory();
    if (tiles->count) memcpy(items, tiles->items, (size_t)tiles->count * sizeof *items);
    am_free(tiles->items);
    tiles->items = items;
    tiles->capacity = capacity;
    return NULL;
}

am_status am_tiles_take(am_tiles *tiles, am_picture *picture)
{
    am_status status = tiles->count == tiles->capacity ? grow(tiles) : NULL;
    if (status) am_picture_deinit(picture);
    else tiles->items[tiles->count++] = *picture;
    *picture = (am_picture){0};
    return status;
}

am_status am_tiles_add_resized(am_tiles *tiles, const am_image_processor *processor, const am_picture *picture,
                               am_plane_size size)
{
    am_picture resized;
    AM_TRY(am_picture_resized(picture, processor->backend, size, processor->resample, true, &resized));
    return am_tiles_take(tiles, &resized);
}

am_status am_tiles_add_part(am_tiles *tiles, const am_picture *picture, int64_t top, int64_t left, am_plane_size size)
{
    am_picture part;
    if (size.height > picture->height - top) size.height = picture->height - top;
    if (size.width > picture->width - left) size.width = picture->width - left;
    AM_TRY(am_picture_create_unset(picture->channels, size.height, size.width, picture->is_float, &part));
    size_t item = picture->is_float ? sizeof(float) : 1;
    for (int64_t row = 0; row < part.channels * size.height; row++) {
        int64_t channel = row / size.height, y = row % size.height;
        memcpy((char *)part.data + (size_t)(row * size.width) * item,
               (const char *)picture->data +
                   (size_t)((channel * picture->height + top + y) * picture->width + left) * item,
               (size_t)size.width * item);
    }
    return am_tiles_take(tiles, &part);
}

am_status am_tiles_cut(am_tiles *tiles, const am_picture *picture, am_plane_size tile)
{
    if (tile.height < 1 || tile.width < 1)
        return am_error(AM_INVALID_FILE, "tiles of %" PRId64 "x%" PRId64 " (height, width)", tile.height, tile.width);
    for (int64_t top = 0; top < picture->height; top += tile.height)
        for (int64_t left = 0; left < picture->width; left += tile.width)
            AM_TRY(am_tiles_add_part(tiles, picture, top, left, tile));
    return NULL;
}

am_status am_tiles_cut_grid(am_tiles *tiles, const am_image_processor *processor, const am_picture *picture,
                            am_plane_size tile, am_plane_size grid)
{
    am_tiles whole = {0};
    am_status status = am_tiles_add_resized(&whole, processor, picture,
                                            (am_plane_size){tile.height * grid.height, tile.width * grid.width});
    if (!status) status = am_tiles_cut(tiles, whole.items, tile);
    am_tiles_deinit(&whole);
    return status;
}

static am_status cut_all(am_image_run *run, am_status (*cut)(am_image_run *, int64_t, am_tiled *), am_tiled *out)
{
    out->counts = am_alloc_zeroed((size_t)run->count, sizeof *out->counts);
    out->grids = am_alloc_zeroed(2 * (size_t)run->count, sizeof *out->grids);
    if (!out->counts || !out->grids) return am_out_of_memory();
    for (int64_t i = 0; i < run->count; i++) {
        int64_t before = out->tiles.count;
        AM_TRY(cut(run, i, out));
        out->counts[i] = out->tiles.count - before;
        am_picture_deinit(&run->pictures[i]);
    }
    return NULL;
}

am_status am_tiled_run(am_image_run *run, am_status (*cut)(am_image_run *, int64_t, am_tiled *),
                       am_status (*give)(am_image_run *, am_tiled *))
{
    am_tiled tiled = {0};
    am_status status = cut_all(run, cut, &tiled);
    if (!status) status = give(run, &tiled);
    am_tiles_deinit(&tiled.tiles);
    am_free(tiled.counts);
    am_free(tiled.grids);
    return status;
}

am_status am_tiles_rescale_and_normalize(am_tiles *tiles, const am_image_processor *processor, int64_t first)
{
    for (int64_t i = first; i < tiles->count; i++) AM_TRY(am_image_rescale_and_normalize(processor, &tiles->items[i]));
    return NULL;
}

am_status am_picture_pad_square(am_picture *picture, const double fill[3])
{
    int64_t side = picture->height > picture->width ? picture->height : picture->width;
    am_margins padding = {.left = (side - picture->width) / 2, .top = (side - picture->height) / 2};
    padding.right = side - picture->width - padding.left;
    padding.bottom = side - picture->height - padding.top;
    return am_picture_pad_colored(picture, padding, fill);
}

/* --- outputs --- */

static am_status check_same(const am_tiles *tiles)
{
    const am_picture *first = tiles->items;
    for (int64_t i = 1; i < tiles->count; i++) {
        const am_picture *tile = &tiles->items[i];
        if (tile->height != first->height || tile->width != first->width)
            return am_error(AM_INVALID_ARGUMENT,
                            "tile 0 is of %" PRId64 "x%" PRId64 " pixels (height, width), tile %" PRId64 " of %" PRId64
                            "x%" PRId64 ": they make no tensor",
                            first->height, first->width, i, tile->height, tile->width);
    }
    return NULL;
}

static am_status give_list(am_image_run *run, const char *name, const am_tiles *tiles, const int64_t *counts,
                           int64_t images)
{
    am_tensor *out;
    const am_picture *tile = tiles->items;
    AM_TRY(am_media_tensors_add_list(run->out, name, images, &out));
    for (int64_t i = 0; i < images; i++) {
        am_shape shape = am_shape_of(counts[i], tiles->items->channels, tiles->items->height, tiles->items->width);
        AM_TRY(am_media_tensor_alloc(&out[i], AM_F32, &shape));
        float *values = out[i].data;
        for (int64_t k = 0; k < counts[i]; k++) values = am_image_put(tile++, values);
    }
    return NULL;
}

am_status am_tiles_give(am_image_run *run, const char *name, const am_tiles *tiles, const int64_t *counts,
                        int64_t images, bool pad)
{
    int64_t most = 0, least = INT64_MAX;
    for (int64_t i = 0; i < images; i++) {
        if (counts[i] > most) most = counts[i];
        if (counts[i] < least) least = counts[i];
    }
    for (int64_t i = 0; i < tiles->count; i++) AM_TRY(am_picture_to_floats(&tiles->items[i]));
    AM_TRY(check_same(tiles));
    if (most != least && !pad) return give_list(run, name, tiles, counts, images);
    const am_picture *tile = tiles->items;
    int64_t size = tile->channels * tile->height * tile->width;
    am_shape shape = am_shape_of(images, most, tile->channels, tile->height, tile->width);
    float *values;
    AM_TRY(am_image_give_floats(run, name, &shape, &values));
    for (int64_t i = 0; i < images; i++, values += most * size)
        for (int64_t k = 0; k < counts[i]; k++) am_image_put(tile++, values + k * size);
    return NULL;
}

static am_status pad_sample(am_image_run *run, am_tiles *tiles)
{
    am_plane_size most = {0};
    for (int64_t i = 0; i < tiles->count; i++) {
        if (tiles->items[i].height > most.height) most.height = tiles->items[i].height;
        if (tiles->items[i].width > most.width) most.width = tiles->items[i].width;
    }
    am_shape shape = am_shape_of(1, tiles->count, most.height, most.width);
    int64_t *mask;
    AM_TRY(am_image_give_integers(run, "pixel_attention_mask", &shape, &mask));
    for (int64_t i = 0; i < tiles->count; i++, mask += most.height * most.width) {
        am_picture *tile = &tiles->items[i];
        am_margins padding = {.right = most.width - tile->width, .bottom = most.height - tile->height};
        for (int64_t k = 0; k < most.height * most.width; k++)
            mask[k] = k / most.width < tile->height && k % most.width < tile->width;
        AM_TRY(am_picture_pad(tile, padding, 0.0));
    }
    return NULL;
}

am_status am_tiles_give_sample(am_image_run *run, am_tiles *tiles, bool pad)
{
    if (pad) AM_TRY(pad_sample(run, tiles));
    return am_tiles_give(run, "pixel_values", tiles, &tiles->count, 1, true);
}

am_status am_tiles_give_grids(am_image_run *run, const am_tiled *tiled)
{
    am_shape shape = am_shape_of(1, run->count);
    int64_t *rows, *columns;
    AM_TRY(am_image_give_integers(run, "rows", &shape, &rows));
    AM_TRY(am_image_give_integers(run, "cols", &shape, &columns));
    for (int64_t i = 0; i < run->count; i++) {
        rows[i] = tiled->grids[2 * i];
        columns[i] = tiled->grids[2 * i + 1];
    }
    return NULL;
}

am_status am_image_give_numbers(am_image_run *run, const char *name, int64_t rows, int64_t columns,
                                const int64_t *numbers)
{
    am_shape shape = columns ? am_shape_of(rows, columns) : am_shape_of(rows);
    int64_t *out;
    AM_TRY(am_image_give_integers(run, name, &shape, &out));
    memcpy(out, numbers, (size_t)(rows * (columns ? columns : 1)) * sizeof *out);
    return NULL;
}

am_status am_image_give_sizes(am_image_run *run, const char *name)
{
    am_shape shape = am_shape_of(run->count, 2);
    int64_t *out;
    AM_TRY(am_image_give_integers(run, name, &shape, &out));
    for (int64_t i = 0; i < run->count; i++) {
        out[2 * i] = run->inputs->images[i].height;
        out[2 * i + 1] = run->inputs->images[i].width;
    }
    return NULL;
}

/* --- grids --- */

am_plane_size am_tile_grid_of_ratio(am_plane_size in, am_plane_size tile, int64_t least, int64_t most)
{
    return am_tile_grid_within(in, tile, least, most, most);
}

am_plane_size am_tile_grid_within(am_plane_size in, am_plane_size tile, int64_t least, int64_t most, int64_t side)
{
    double ratio = (double)in.width / (double)in.height, area = (double)in.width * (double)in.height,
           nearest = INFINITY;
    am_plane_size best = {1, 1};
    for (int64_t tiles = least; tiles <= most; tiles++) {
        for (int64_t columns = 1; columns <= tiles; columns++) {
            if (tiles % columns || columns > side || tiles / columns > side) continue;
            int64_t rows = tiles / columns;
            double distance = fabs(ratio - (double)columns / (double)rows);
            bool enough = area > 0.5 * (double)tile.height * (double)tile.width * (double)columns * (double)rows;
            if (distance < nearest || (distance == nearest && enough)) best = (am_plane_size){rows, columns};
            if (distance < nearest) nearest = distance;
        }
    }
    return best;
}

am_plane_size am_tile_fit(am_plane_size in, am_plane_size target)
{
    double wide = (double)target.width / (double)in.width, tall = (double)target.height / (double)in.height;
    am_plane_size out = target;
    if (wide < tall) out.height = (int64_t)fmin(ceil((double)in.height * wide), (double)target.height);
    else out.width = (int64_t)fmin(ceil((double)in.width * tall), (double)target.width);
    return out;
}

static am_status read_pair(am_json pair, const char *key, am_plane_size *out)
{
    am_json_iterator i = am_json_iterate(pair);
    if (am_json_kind_of(pair) != AM_JSON_ARRAY || am_json_count(pair) != 2 || !am_json_next(&i))
        return am_error(AM_INVALID_FILE, "%s: expected pairs of height and width", key);
    AM_TRY(am_preprocessor_config_integer(i.value, key, 1, AM_IMAGE_MAX_PIXELS, &out->height));
    am_json_next(&i);
    return am_preprocessor_config_integer(i.value, key, 1, AM_IMAGE_MAX_PIXELS, &out->width);
}

am_status am_tile_best_resolution(const am_image_processor *processor, const char *key, am_plane_size in,
                                  am_plane_size *out)
{
    am_json pairs = am_image_setting(processor, key);
    double most = 0.0, least_wasted = INFINITY, area = (double)in.height * (double)in.width;
    if (am_json_kind_of(pairs) != AM_JSON_ARRAY || am_json_count(pairs) == 0)
        return am_error(AM_INVALID_FILE, "%s: expected a list of possible resolutions", key);
    for (am_json_iterator i = am_json_iterate(pairs); am_json_next(&i);) {
        am_plane_size size = {0};
        AM_TRY(read_pair(i.value, key, &size));
        double scale = fmin((double)size.width / (double)in.width, (double)size.height / (double)in.height);
        double kept = fmin(trunc((double)in.width * scale) * trunc((double)in.height * scale), area),
               wasted = (double)size.width * (double)size.height - kept;
        if (kept < most || (kept == most && wasted >= least_wasted)) continue;
        most = kept;
        least_wasted = wasted;
        *out = size;
    }
    return NULL;
}

am_status am_tiles_cut_resolution(am_tiles *tiles, const am_image_processor *processor, const char *key,
                                  const am_picture *picture, int64_t side)
{
    am_plane_size in = {picture->height, picture->width}, target;
    am_tiles whole = {0};
    AM_TRY(am_tile_best_resolution(processor, key, in, &target));
    am_plane_size inside = am_tile_fit(in, target);
    am_margins padding = {.left = (target.width - inside.width) / 2, .top = (target.height - inside.height) / 2};
    padding.right = target.width - inside.width - padding.left;
    padding.bottom = target.height - inside.height - padding.top;
    am_status status = am_tiles_add_resized(&whole, processor, picture, inside);
    if (!status) status = am_picture_pad(whole.items, padding, 0.0);
    if (!status) status = am_tiles_cut(tiles, whole.items, (am_plane_size){side, side});
    am_tiles_deinit(&whole);
    return status;
}
