/* GLM-Image, what of it writes the tokens of pictures: those of the given ones, which a codebook makes of what a tower
   sees, among the words of a GLM-4; what it writes has places in the pictures that it is asked for. transformers:
   models/glm_image/modeling_glm_image.py */
#include "models/blocks/glm_image.h"
#include "models/blocks/heads.h"
#include "models/blocks/layers.h"

#include <inttypes.h>

enum { TARGETS = 8, PICTURES_LIMIT = 1024 }; /* pictures that a text asks for, and all together */

/* --- which pictures are given, and which are asked for --- */

typedef struct pictures {
    am_grids all, given;
    int64_t rows;                  /* of the batch */
    int first[PICTURES_LIMIT + 1]; /* of a row's pictures among all */
    bool has_pixels;
} pictures;

/* Pictures of row i: images_per_sample, or all of them where there is one row. */
static int64_t count_of(am_builder *b, am_value counts, int64_t i, int64_t all)
{
    if (!counts.id) return all;
    int64_t count = am_shaping_number(b, "images_per_sample", i);
    if (count >= 0 && count <= all) return count;
    am_builder_fail(
        b, am_error(AM_INVALID_ARGUMENT, "images_per_sample: row %" PRId64 " has %" PRId64 " pictures", i, count));
    return 0;
}

/* Where pixels are given, all pictures of a row but the last are. */
static pictures read_pictures(am_builder *b, int64_t rows)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    int64_t merge = am_config_size(&vision, "spatial_merge_size", 1);
    pictures p = {.all = am_grids_read(b, "image_grid_thw", merge), .rows = rows};
    am_value counts = am_input_optional(b, "images_per_sample", 1);
    int used = 0, given = 0;
    p.has_pixels = am_has_input(b, "pixel_values");
    if (rows > PICTURES_LIMIT || p.all.count > PICTURES_LIMIT || (!counts.id && p.all.count && rows != 1) ||
        (counts.id && am_dim(b, counts, 0) != rows))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "images_per_sample has to say how many of the %d pictures each "
                                    "of %" PRId64 " texts has, %d at most",
                                    p.all.count, rows, PICTURES_LIMIT));
    am_grid *items = am_arena_array(am_builder_arena(b), (size_t)p.all.count + 1, sizeof *items);
    if (!items) am_builder_fail(b, am_out_of_memory());
    p.given = (am_grids){.items = items, .merge = merge};
    for (int64_t i = 0; i < rows && !am_builder_failed(b); i++) {
        int64_t count = count_of(b, counts, i, p.all.count - used);
        p.first[i] = used;
        for (int64_t k = 0; k + 1 < count && p.has_pixels; k++, given++) {
            items[given] = p.all.items[used + k];
            p.given.patches += items[given].t * items[given].h * items[given].w;
        }
        used += (int)count;
        p.first[i + 1] = used;
    }
    p.given.count = given;
    if (used != p.all.count && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "images_per_sample: %d pictures, and image_grid_thw has %d",
                                    used, p.all.count));
    return p;
}

static am_value features(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config"), codebook = am_config_child(c, "vq_config"),
              text = am_text_config(b);
    am_qwen_vision v = am_glm_image_vision_read(&vision);
    pictures p = read_pictures(b, am_dim(b, am_input(b, "input_ids", 2), 0));
    if (am_builder_failed(b)) return AM_NONE;
    am_scope(b, "visual");
    am_value x = am_qwen_vision_tower(b, am_input(b, "pixel_values", 2), &p.given, &v, false).pooler_output;
    am_end_scope(b);
    am_scope(b, "vqmodel");
    am_value codes = am_glm_image_quantize(b, &codebook, x).codes;
    am_end_scope(b);
    am_scope(b, "language_model");
    x = am_embedding(b, "embed_tokens", codes, am_config_size(&text, "vocab_size", 168064), am_text_width(b));
    am_end_scope(b);
    return x;
}

/* --- places --- */

/* What a new token has to know of the prompt, for each row: F32 [B, 3 + 2 * TARGETS]: where its last picture ends, how
   many tokens it had, whether it names pictures, and rows and columns of those it asks for, in turn. */
static am_value plan_of(am_builder *b, const pictures *p, am_value end, int64_t T)
{
    int64_t width = 2 + 2 * TARGETS;
    float *numbers = am_arena_array(am_builder_arena(b), (size_t)(p->rows * width) + 1, sizeof *numbers);
    if (!numbers) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < p->rows; i++) {
        float *row = numbers + i * width;
        int first = p->has_pixels && p->first[i + 1] > p->first[i] ? p->first[i + 1] - 1 : p->first[i], n = 0;
        for (int64_t k = 0; k < width; k++) row[k] = 0;
        row[0] = (float)T;
        row[1] = p->first[i + 1] > p->first[i];
        for (int k = p->first[i + 1] - 1; k >= first && n < TARGETS; k--, n++) {
            row[2 + 2 * n] = (float)p->all.items[k].h;
            row[3 + 2 * n] = (float)p->all.items[k].w;
        }
        if (p->first[i + 1] - first > TARGETS)
            am_builder_fail(b, am_error(AM_UNSUPPORTED, "a text asks for %d pictures, at most %d are supported",
                                        p->first[i + 1] - first, TARGETS));
    }
    if (am_builder_failed(b)) return AM_NONE;
    am_value rest = am_constant_copy(b, AM_F32, am_shape_of(p->rows, width), numbers);
    return am_concat2(b, am_cast(b, end, AM_F32), rest, 1);
}

/* Column i of a plan: [B, 1]. */
static am_value planned(am_builder *b, am_value plan, int64_t i)
{
    return am_slice(b, plan, 1, i, i + 1);
}

/* Places of the new token: [3, B, 1]. Tokens of a picture stand in rows, and behind the last picture none moves on. */
static am_value next_places(am_builder *b, int64_t B)
{
    am_value plan = am_cache_load(b, "rope_plan", am_shape_of(B, 3 + 2 * TARGETS));
    am_value offset = am_cast(b, am_cache_offset(b), AM_F32), begin = planned(b, plan, 0);
    am_value step = am_sub(b, offset, planned(b, plan, 1)), planes[3], zero = am_mul_number(b, begin, 0);
    am_value row = zero, column = zero, left = step;
    for (int64_t i = 0; i < TARGETS; i++) {
        am_value h = planned(b, plan, 3 + 2 * i), w = planned(b, plan, 4 + 2 * i), size = am_mul(b, h, w);
        am_value here = am_binary(b, AM_LOGICAL_AND, am_binary(b, AM_LESS, left, size),
                                  am_binary_number(b, AM_GREATER_EQUAL, left, 0));
        am_value down = am_unary(b, AM_FLOOR, am_div(b, left, am_binary_number(b, AM_MAX, w, 1)));
        row = am_select(b, here, down, row);
        column = am_select(b, here, am_sub(b, left, am_mul(b, down, w)), column);
        am_value passed = am_binary(b, AM_GREATER_EQUAL, left, size);
        begin = am_select(b, passed, am_add(b, begin, am_binary(b, AM_MAX, h, w)), begin);
        left = am_sub(b, left, size);
    }
    am_value named = am_binary_number(b, AM_NOT_EQUAL, planned(b, plan, 2), 0), kinds[] = {zero, row, column};
    for (int i = 0; i < 3; i++) {
        am_value at = am_select(b, named, am_add(b, begin, kinds[i]), am_add(b, zero, offset));
        planes[i] = am_unsqueeze(b, am_cast(b, at, AM_I32), 0);
    }
    return am_concat(b, planes, 3, 0);
}

/* Places of a prompt; padding stands at 1. */
static am_value prompt_places(am_builder *b, const pictures *p, am_value ids, am_value *end)
{
    int64_t token = am_config_int(am_model_config(b), "image_token_id", 167855), T = am_dim(b, ids, 1);
    am_value is = am_binary_number(b, AM_EQUAL, ids, (double)token), delta;
    am_place_inputs in = {.types = am_cast(b, is, AM_I32), .images = p->given, .attended = am_qwen_attended(b, T)};
    am_value places = am_text_places(b, &in, &delta),
             count = am_broadcast(b, am_scalar(b, AM_I32, (double)T), am_shape_of_value(b, delta));
    if (in.attended.id) {
        count = am_reduce_last(b, AM_REDUCE_SUM, am_cast(b, in.attended, AM_I32));
        places = am_select(b, am_unsqueeze(b, in.attended, 0), places, am_scalar(b, AM_I32, 1));
    }
    *end = am_add(b, delta, count);
    return places;
}

static int text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_value ids = am_input_optional(b, "input_ids", 2), given = am_input_optional(b, "position_ids", -1), end;
    if (!ids.id || (given.id && am_shape_of_value(b, given).rank == 3) || am_builder_failed(b)) return 0;
    int64_t B = am_dim(b, ids, 0), T = am_dim(b, ids, 1);
    bool is_next = T == 1 && am_has_cache(b) && !am_has_input(b, "image_grid_thw");
    if (is_next) {
        out[0] = (am_part_input){.name = "position_ids", .value = next_places(b, B)};
        return 1;
    }
    pictures p = read_pictures(b, B);
    if (am_builder_failed(b)) return 0;
    am_value places = prompt_places(b, &p, ids, &end);
    am_cache_store(b, "rope_plan", plan_of(b, &p, end, T));
    out[0] = (am_part_input){.name = "position_ids", .value = places};
    return p.all.count > 0;
}

/* --- classes --- */

static void for_conditional_generation(am_builder *b)
{
    am_config text = am_text_config(b);
    am_value x = am_vision_language_body(b);
    int64_t tokens = am_config_size(&text, "vision_vocab_size", 16512);
    am_output(b, "logits", am_lm_head(b, "lm_head", x, tokens, false, NULL, AM_NO_BIAS));
}

static const am_vision_language_family family = {.features = features,
                                                 .image_token = 167855,
                                                 .text_type = "glm_image_text",
                                                 .hides_features = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"GlmImageModel", am_vision_language_model, NULL, 0},
    {"GlmImageForConditionalGeneration", for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "image_grid_thw"}, {.name = "images_per_sample"}, {0}};

const am_model_type am_model_glm_image = {.name = "glm_image",
                                          .base_prefix = "model",
                                          .architectures = architectures,
                                          .family = &family,
                                          .shaping_inputs = shaping_inputs};
