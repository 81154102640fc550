#include "models/blocks/pages.h"

#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

/* Tiles of page i: the input num_local_patches. */
static int64_t tiles_of(am_builder *b, int64_t i, int64_t left)
{
    int64_t count = am_shaping_number(b, "num_local_patches", i);
    if (count >= 0 && count <= left) return count;
    am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                "num_local_patches: page %" PRId64 " has %" PRId64 " tiles, and %" PRId64 " are left",
                                i, count, left));
    return 0;
}

/* x: [n, P, C] as rows. */
static am_value arrange(am_builder *b, const am_pages *options, am_value x, int64_t i)
{
    return options->arrange ? options->arrange(b, x, i) : am_flatten(b, x, 0, 1);
}

/* The weight of a mark as a row, or AM_NONE. */
static am_value read_mark(am_builder *b, const am_pages *options, am_value x)
{
    int64_t C = am_text_width(b);
    return options->mark ? am_reshape(b, am_parameter(b, options->mark, am_shape_of(C), x), am_shape_of(1, C))
                         : AM_NONE;
}

static am_value page_rows(am_builder *b, const am_pages *options)
{
    am_value pages = options->look(b, am_input(b, "pixel_values", 4)),
             local = am_input_optional(b, "pixel_values_local", 4),
             counts = am_input_optional(b, "num_local_patches", 1), tiles = local.id ? options->look(b, local) : local,
             mark = read_mark(b, options, pages);
    if (am_builder_failed(b)) return AM_NONE;
    int64_t B = am_dim(b, pages, 0), all = tiles.id ? am_dim(b, tiles, 0) : 0, used = 0;
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)B, sizeof *parts);
    if (!parts) am_builder_fail(b, am_out_of_memory());
    if (tiles.id && (!counts.id || am_dim(b, counts, 0) != B))
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT, "num_local_patches must have %" PRId64 " numbers of tiles", B));
    for (int64_t i = 0; i < B && !am_builder_failed(b); i++) {
        int64_t count = tiles.id ? tiles_of(b, i, all - used) : 0;
        char name[64];
        parts[i] = arrange(b, options, am_slice(b, pages, 0, i, i + 1), -1);
        if (mark.id) parts[i] = am_concat2(b, parts[i], mark, 0);
        if (count)
            parts[i] = am_concat2(b, arrange(b, options, am_slice(b, tiles, 0, used, used + count), i), parts[i], 0);
        used += count;
        snprintf(name, sizeof name, "image_hidden_states.%" PRId64, i);
        am_output(b, name, parts[i]);
    }
    if (used != all && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "num_local_patches: %" PRId64 " tiles, and pixel_values_local has %" PRId64, used,
                                    all));
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, (int)B, 0);
}

am_value am_page_rows(am_builder *b, const am_pages *options)
{
    char name[64];
    snprintf(name, sizeof name, "model.%s", options->mark ? options->mark : "");
    am_scope(b, options->mark && am_has_weight(b, name) ? "model" : "");
    am_value rows = page_rows(b, options);
    am_end_scope(b);
    return rows;
}
