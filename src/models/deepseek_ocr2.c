/* DeepSeek-OCR-2: what queries collect of a page's tiles and of the whole page, among the words of DeepSeek-V2's
   mixture with LLaMA's attention. transformers: models/deepseek_ocr2/modeling_deepseek_ocr2.py */
#include "models/blocks/deepseek_ocr2.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

#include <inttypes.h>
#include <stdio.h>

static const am_deepseek_ocr2_names names = {.sam = "sam_model",
                                             .encoder = "qwen2_model.model.model",
                                             .query_768 = "qwen2_model.query_768.weight",
                                             .query_1024 = "qwen2_model.query_1024.weight",
                                             .halves = {"net_2", "net_3"},
                                             .sam_names = &am_sam_original_names};

/* Of images: [B, channels, H, W], for the text: [B, queries, C]. */
static am_value look(am_builder *b, am_value images)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    am_value x = am_deepseek_ocr2_look(b, &vision, images, &names, NULL);
    return am_linear(b, "projector.layers", x, am_text_width(b), AM_BIAS);
}

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

/* Rows of each page, which are shown: its tiles, the whole of it and a mark. All of them: [rows, C]. */
static am_value page_rows(am_builder *b)
{
    int64_t C = am_text_width(b), used = 0;
    am_value pages = look(b, am_input(b, "pixel_values", 4)), local = am_input_optional(b, "pixel_values_local", 4),
             counts = am_input_optional(b, "num_local_patches", 1), tiles = local.id ? look(b, local) : local;
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
        char name[64];
        parts[i] = am_concat2(b, am_index(b, pages, 0, i), mark, 0);
        if (count)
            parts[i] = am_concat2(b, am_flatten(b, am_slice(b, tiles, 0, used, used + count), 0, 1), parts[i], 0);
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

/* Files of the class with a head have all but the head below "model". */
static am_value features(am_builder *b)
{
    am_scope(b, am_has_weight(b, "model.view_seperator") ? "model" : "");
    am_value rows = page_rows(b);
    am_end_scope(b);
    return rows;
}

static const am_vision_language_family family = {.features = features,
                                                 .image_token = 128815,
                                                 .text_type = "deepseek_ocr2_text",
                                                 .text_class = "DeepseekOcr2TextModel",
                                                 .hides_features = true};

static const am_architecture architectures[] = {
    {"DeepseekOcr2Model", am_vision_language_model, NULL, 0},
    {"DeepseekOcr2ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "num_local_patches"}, {0}};

const am_model_type am_model_deepseek_ocr2 = {.name = "deepseek_ocr2",
                                              .base_prefix = "model",
                                              .architectures = architectures,
                                              .family = &family,
                                              .shaping_inputs = shaping_inputs};
