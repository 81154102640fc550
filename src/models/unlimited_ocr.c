/* Unlimited-OCR: a page's tiles in rows and the whole page, among the words of DeepSeek-V2's mixture, whose answer may
   be of any length: it sees the page and the last few words. transformers:
   models/unlimited_ocr/modeling_unlimited_ocr.py */
#include "models/blocks/layers.h"
#include "models/blocks/pages.h"
#include "models/blocks/unlimited_ocr.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

static am_value look(am_builder *b, am_value images)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    am_value x = am_unlimited_ocr_look(b, &vision, images, "sam_model", "vision_model", "");
    return am_linear(b, "projector.layers", x, am_text_width(b), AM_BIAS);
}

/* Columns and rows of tiles of page i: the input patches_grid. */
static void read_grid(am_builder *b, int64_t i, int64_t tiles, int64_t out[2])
{
    am_value grid = am_input(b, "patches_grid", 2);
    for (int k = 0; k < 2; k++) out[k] = am_shaping_number(b, "patches_grid", 2 * i + k);
    bool is = grid.id && am_dim(b, grid, 0) > i && am_dim(b, grid, 1) == 2 && out[0] > 0 && out[1] > 0 &&
              out[0] <= tiles && out[1] <= tiles && out[0] * out[1] == tiles;
    if (!is)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "patches_grid: page %" PRId64 " has %" PRId64 " x %" PRId64
                                    " tiles, and num_local_patches says %" PRId64,
                                    i, out[0], out[1], tiles));
}

/* Tiles side by side, and a mark behind every row of their places. */
static am_value in_lines(am_builder *b, am_value x, int64_t page)
{
    int64_t n = am_dim(b, x, 0), C = am_dim(b, x, 2), side = am_square_side(b, am_dim(b, x, 1)), grid[2] = {1, 1};
    if (page >= 0) read_grid(b, page, n, grid);
    else am_input_optional(b, "patches_grid", 2);
    if (am_builder_failed(b)) return AM_NONE;
    am_shape tiles = {.rank = 5, .dims = {grid[1], grid[0], side, side, C}};
    x = am_transpose(b, am_reshape(b, x, tiles), 1, 2);
    x = am_reshape(b, x, am_shape_of(grid[1] * side, grid[0] * side, C));
    am_value mark = am_reshape(b, am_parameter(b, "image_newline", am_shape_of(C), x), am_shape_of(1, 1, C));
    mark = am_broadcast(b, mark, am_shape_of(grid[1] * side, 1, C));
    return am_flatten(b, am_concat2(b, x, mark, 1), 0, 1);
}

static am_value features(am_builder *b)
{
    return am_page_rows(b, &(am_pages){.look = look, .arrange = in_lines, .mark = "view_seperator"});
}

static const am_vision_language_family family = {.features = features,
                                                 .image_token = 128815,
                                                 .text_type = "unlimited_ocr_text",
                                                 .text_class = "UnlimitedOcrTextModel",
                                                 .text_key = "language_config",
                                                 .hides_features = true};

static const am_architecture architectures[] = {
    {"UnlimitedOcrModel", am_vision_language_model, NULL, 0},
    {"UnlimitedOcrForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "num_local_patches"}, {.name = "patches_grid"}, {0}};

const am_model_type am_model_unlimited_ocr = {.name = "unlimited_ocr",
                                              .base_prefix = "model",
                                              .architectures = architectures,
                                              .family = &family,
                                              .shaping_inputs = shaping_inputs};
