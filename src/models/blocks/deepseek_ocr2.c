#include "models/blocks/deepseek_ocr2.h"

#include "models/blocks/layers.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

enum { FEW = 144, MANY = 256 }; /* queries, for images of 768 and of 1024 pixels */

am_value am_deepseek_ocr2_map(am_builder *b, const am_config *c, am_value images, const am_deepseek_ocr2_names *names,
                              const int64_t channels[2])
{
    am_convolution_attributes options = {
        .stride = am_shape_of(2, 2), .padding_before = am_shape_of(1, 1), .padding_after = am_shape_of(1, 1)};
    am_config sam = am_config_child(c, "sam_config");
    am_sam_encoder encoder = {.scope = names->sam, .images = images, .names = names->sam_names};
    int64_t widths[AM_STAGES_LIMIT];
    const char *key = "downsample_channels";
    if (am_config_sizes(&sam, key, widths, AM_STAGES_LIMIT, channels, 2) != 2)
        am_config_fail(&sam, key, "expected two numbers");
    if (am_builder_failed(b)) return AM_NONE;
    am_value x = am_sam_encode(b, &sam, &encoder).embeddings;
    am_scope(b, "%s", names->sam);
    for (int i = 0; i < 2; i++) x = am_conv(b, names->halves[i], x, widths[i], am_shape_of(3, 3), AM_NO_BIAS, &options);
    am_end_scope(b);
    return x;
}

am_value am_deepseek_ocr2_look(am_builder *b, const am_config *c, am_value images, const am_deepseek_ocr2_names *names,
                               am_part_outputs *out_encoder)
{
    am_config encoder = am_config_child(c, "encoder_config");
    int64_t C = am_config_size(&encoder, "hidden_size", 4096);
    am_value x = am_image_tokens(b, am_deepseek_ocr2_map(b, c, images, names, (const int64_t[]){512, 896}));
    if (am_builder_failed(b)) return AM_NONE;
    int64_t B = am_dim(b, x, 0), P = am_dim(b, x, 1), N = P <= FEW ? FEW : MANY;
    am_value queries = am_parameter(b, P <= FEW ? names->query_768 : names->query_1024, am_shape_of(N, C), x);
    x = am_concat2(b, x, am_broadcast(b, am_unsqueeze(b, queries, 0), am_shape_of(B, N, C)), 1);
    am_value place = am_iota(b, AM_I32, am_shape_of(B, P + N), 1, 0, 1);
    am_part_input inputs[] = {{.name = "inputs_embeds", .value = x},
                              {.name = "block_sequence_ids",
                               .value = am_select(b, am_binary_number(b, AM_LESS, place, (double)P),
                                                  am_scalar(b, AM_I32, 0), am_scalar(b, AM_I32, -1))}};
    am_part part = {.class_name = "Qwen2Model",
                    .config = &encoder,
                    .inputs = inputs,
                    .input_count = 2,
                    .prefix = "vision_",
                    .hidden_states = out_encoder != NULL};
    am_scope(b, "%s", names->encoder);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    if (out_encoder) *out_encoder = outputs;
    return am_slice(b, am_part_output(&outputs, "last_hidden_state"), 1, P, AM_SLICE_END);
}

/* --- pages --- */

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

static am_value page_rows(am_builder *b, const am_ocr_pages *options)
{
    int64_t C = am_text_width(b), used = 0;
    am_value pages = options->look(b, am_input(b, "pixel_values", 4)),
             local = am_input_optional(b, "pixel_values_local", 4),
             counts = am_input_optional(b, "num_local_patches", 1), tiles = local.id ? options->look(b, local) : local;
    am_value mark = am_reshape(b, am_parameter(b, "view_seperator", am_shape_of(C), pages), am_shape_of(1, C));
    if (am_builder_failed(b)) return AM_NONE;
    int64_t B = am_dim(b, pages, 0), all = tiles.id ? am_dim(b, tiles, 0) : 0;
    am_value *parts = am_arena_array(am_builder_arena(b), (size_t)B, sizeof *parts);
    if (!parts) am_builder_fail(b, am_out_of_memory());
    if (tiles.id && (!counts.id || am_dim(b, counts, 0) != B))
        am_builder_fail(b,
                        am_error(AM_INVALID_ARGUMENT, "num_local_patches must have %" PRId64 " numbers of tiles", B));
    for (int64_t i = 0; i < B && !am_builder_failed(b); i++) {
        int64_t count = tiles.id ? tiles_of(b, i, all - used) : 0;
        am_value whole = options->arrange(b, am_slice(b, pages, 0, i, i + 1), -1);
        char name[64];
        parts[i] = am_concat2(b, whole, mark, 0);
        if (count)
            parts[i] = am_concat2(b, options->arrange(b, am_slice(b, tiles, 0, used, used + count), i), parts[i], 0);
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

am_value am_ocr_page_rows(am_builder *b, const am_ocr_pages *options)
{
    am_scope(b, am_has_weight(b, "model.view_seperator") ? "model" : "");
    am_value rows = page_rows(b, options);
    am_end_scope(b);
    return rows;
}
