/* HunYuan-VL: a transformer over patches of pictures of any size, squares of which, a word behind each row of them and
   words around, stand among those of a HunYuan with places of several kinds. transformers:
   models/hunyuan_vl/modeling_hunyuan_vl.py */
#include "models/blocks/attention.h"
#include "models/blocks/grids.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PICTURES_LIMIT = 1024 };

/* A tower as its configuration has it. */
typedef struct tower {
    const am_config *c;
    int64_t width, inner, heads, head_dim, depth, channels, patch, merge, edge, text_width;
    am_unary_fn act;
    am_resize_mode resize;
    double eps;
} tower;

static am_resize_mode read_resize(const am_config *c)
{
    const char *mode = am_config_text(c, "interpolate_mode", "bilinear");
    if (strcmp(mode, "bicubic") == 0) return AM_RESIZE_CUBIC;
    if (strcmp(mode, "bilinear") != 0)
        am_config_unsupported(c, "interpolate_mode", "expected \"bilinear\" or \"bicubic\", found \"%s\"", mode);
    return AM_RESIZE_LINEAR;
}

static tower read_tower(const am_config *c, int64_t text_width)
{
    tower t = {
        .c = c,
        .width = am_config_size(c, "hidden_size", 1152),
        .inner = am_config_size(c, "intermediate_size", 4304),
        .heads = am_config_size(c, am_config_either(c, "num_attention_heads", "attention_heads"), 16),
        .depth = am_config_count(c, "num_hidden_layers", 27),
        .channels = am_config_size(c, "num_channels", 3),
        .patch = am_config_size(c, "patch_size", 16),
        .merge = am_config_size(c, "spatial_merge_size", 2),
        .text_width = text_width ? text_width : am_config_size(c, "text_hidden_size", 3072),
        .act = am_config_activation(c, "hidden_act", AM_GELU),
        .resize = read_resize(c),
        .eps = am_config_real(c, am_config_either(c, "rms_norm_eps", "layer_norm_eps"), 1e-5),
    };
    t.edge = am_config_size(c, "max_image_size", 2048) / t.patch;
    if (t.edge < 1 || t.edge > INT16_MAX) am_config_fail(c, "max_image_size", "has no patch of %" PRId64, t.patch);
    if (t.edge < 1 || t.edge > INT16_MAX) t.edge = 1;
    if (!am_config_has(c, "head_dim"))
        am_config_check_divides(c, "num_attention_heads", t.heads, "hidden_size", t.width);
    t.head_dim = am_config_size(c, "head_dim", t.width < t.heads ? 1 : t.width / t.heads);
    return t;
}

/* Files of before transformers knew the model have other names. */
static const char *either(am_builder *b, const char *name, const char *old, const char *weight)
{
    char text[96];
    snprintf(text, sizeof text, "%s%s", old, weight);
    return am_has_weight(b, text) ? old : name;
}

/* Learned positions of all patches: [1, N, width]. */
static am_value positions(am_builder *b, const tower *t, const am_grids *g)
{
    am_value parts[PICTURES_LIMIT];
    am_value table = am_weight(b, "position_embedding.weight", am_shape_of(t->edge * t->edge + 1, t->width));
    table = am_slice(b, am_cast(b, table, AM_F32), 0, 1, AM_SLICE_END);
    table = am_tokens_image(b, am_unsqueeze(b, table, 0), t->edge, t->edge);
    for (int i = 0; i < g->count && !am_builder_failed(b); i++) {
        am_grid item = g->items[i];
        if (item.t != 1 || item.h < 2 || item.w < 2)
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                        "a picture of %" PRId64 " x %" PRId64 " x %" PRId64
                                        " patches: expected one moment, and two rows and columns or more",
                                        item.t, item.h, item.w));
        if (am_builder_failed(b)) return AM_NONE;
        parts[i] = am_image_tokens(
            b, am_resize(b, table, &(am_resize_attributes){.size = am_shape_of(item.h, item.w), .mode = (int)t->resize}));
    }
    return am_builder_failed(b) ? AM_NONE : am_concat(b, parts, g->count, 1);
}

/* Patches x: [N, channels * patch * patch] -> [1, N, width]. */
static am_value embed(am_builder *b, const tower *t, am_value x, const am_grids *g)
{
    am_scope(b, "embeddings");
    am_value p = positions(b, t, g);
    am_shape side = am_shape_of(t->patch, t->patch);
    x = am_reshape(b, x, am_shape_of(-1, t->channels, t->patch, t->patch));
    x = am_conv(b, "patch_embedding", x, t->width, side, AM_BIAS, &(am_convolution_attributes){.stride = side});
    x = am_add(b, am_unsqueeze(b, am_flatten(b, x, 1, 3), 0), p);
    am_end_scope(b);
    return x;
}

static am_value layer(am_builder *b, am_value x, const tower *t, const am_segments *segments)
{
    const char *first = either(b, "layer_norm1", "input_layernorm", ".weight"),
               *second = either(b, "layer_norm2", "post_attention_layernorm", ".weight"),
               *up = either(b, "mlp.fc1", "mlp.dense_h_to_4h", ".weight"),
               *down = either(b, "mlp.fc2", "mlp.dense_4h_to_h", ".weight");
    am_value qkv[3], h = am_layer_norm(b, first, x, t->eps);
    am_scope(b, "self_attn");
    am_attention_heads(b, h, &(am_attention_options){.heads = t->heads, .head_dim = t->head_dim}, qkv);
    h = am_linear(b, "o_proj", am_segments_attend(b, segments, qkv, t->heads), t->width, AM_BIAS);
    am_end_scope(b);
    x = am_add(b, x, h);
    h = am_linear_activation(b, up, am_layer_norm(b, second, x, t->eps), t->inner, AM_BIAS, t->act);
    return am_add(b, x, am_linear(b, down, h, t->width, AM_BIAS));
}

/* The weight NAME of as many numbers as x: [1, n, C] has, as a row: [1, 1, C]. */
static am_value row(am_builder *b, const char *name, am_value x)
{
    int64_t C = am_dim(b, x, -1);
    return am_reshape(b, am_parameter(b, name, am_shape_of(C), x), am_shape_of(1, 1, C));
}

/* One picture, x: [1, h * w, width] -> [1, rows, text_width]. */
static am_value merge(am_builder *b, am_value x, const tower *t, const am_grid *item)
{
    am_shape side = am_shape_of(t->merge, t->merge), one = am_shape_of(1, 1);
    x = am_tokens_image(b, am_rms_norm(b, "before_rms", x, t->eps, 0), item->h, item->w);
    const char *conv = either(b, "proj_conv", "proj.0", ".weight"), *out = either(b, "proj_out", "proj.2", ".weight");
    x = am_conv(b, conv, x, 2 * t->width, side, AM_BIAS, &(am_convolution_attributes){.stride = side});
    x = am_conv(b, out, am_unary(b, t->act, x), 4 * t->width, one, AM_BIAS, &(am_convolution_attributes){0});
    if (am_builder_failed(b)) return AM_NONE;
    int64_t C = 4 * t->width, h = am_dim(b, x, 2);
    am_value ends = am_reshape(b, am_parameter(b, "image_newline", am_shape_of(C), x), am_shape_of(1, C, 1, 1));
    x = am_concat2(b, x, am_broadcast(b, ends, am_shape_of(1, C, h, 1)), 3);
    x = am_linear(b, "mlp", am_image_tokens(b, x), t->text_width, AM_BIAS);
    am_value parts[3] = {row(b, "image_begin", x), x, row(b, "image_end", x)};
    return am_rms_norm(b, "after_rms", am_concat(b, parts, 3, 1), t->eps, 0);
}

typedef struct tower_output {
    am_value last, pooled; /* [1, N, width], [1, rows, text_width] */
} tower_output;

static tower_output run_tower(am_builder *b, const tower *t, am_value x, const am_grids *g, bool hidden_states)
{
    tower_output out = {AM_NONE, AM_NONE};
    int64_t lengths[PICTURES_LIMIT], at = 0;
    am_value parts[PICTURES_LIMIT];
    if ((g->count < 1 || g->count > PICTURES_LIMIT || am_dim(b, x, 0) != g->patches) && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "%" PRId64 " patches, but the grids have %" PRId64 " of %d pictures; at most %d "
                                    "pictures are possible",
                                    am_dim(b, x, 0), g->patches, g->count, PICTURES_LIMIT));
    if (am_builder_failed(b)) return out;
    x = embed(b, t, x, g);
    for (int i = 0; i < g->count; i++) lengths[i] = g->items[i].h * g->items[i].w;
    am_segments segments = am_segments_make(b, lengths, g->count);
    for (int i = 0; i < t->depth && !am_builder_failed(b); i++) {
        if (hidden_states) am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, t, &segments);
        am_end_scope(b);
    }
    if (hidden_states) am_output_hidden_state(b, "hidden_states", (int)t->depth, x);
    am_scope(b, "%s", either(b, "patch_merger", "perceive", ".mlp.weight"));
    for (int i = 0; i < g->count && !am_builder_failed(b); at += lengths[i++])
        parts[i] = merge(b, am_slice(b, x, 1, at, at + lengths[i]), t, &g->items[i]);
    am_end_scope(b);
    if (am_builder_failed(b)) return out;
    return (tower_output){x, am_concat(b, parts, g->count, 1)};
}

static void vision_model(am_builder *b)
{
    tower t = read_tower(am_model_config(b), 0);
    am_grids grids = am_grids_read(b, "grid_thw", 1);
    tower_output out = run_tower(b, &t, am_input(b, "pixel_values", 2), &grids, true);
    am_output(b, "last_hidden_state", out.last);
    am_output(b, "pooler_output", out.pooled);
}

static am_value features(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "vision_config");
    tower t = read_tower(&c, am_text_width(b));
    am_grids grids = am_grids_read(b, "image_grid_thw", 1);
    am_scope(b, "%s", either(b, "vision_tower", "vit", ".embeddings.patch_embedding.weight"));
    am_value rows = run_tower(b, &t, am_input(b, "pixel_values", 2), &grids, false).pooled;
    am_end_scope(b);
    return am_flatten(b, rows, 0, 1);
}

/* --- places of the text --- */

/* Places of the tokens of all pictures in a table: I32 [3, tokens] of columns, rows and pictures, -1 where a token
   stands as the text does. */
static am_value picture_places(am_builder *b, const am_grids *g, int64_t merge, int64_t *out_count)
{
    int64_t count = 0, at = 0;
    for (int i = 0; i < g->count; i++) count += (g->items[i].h / merge) * (g->items[i].w / merge + 1) + 2;
    int32_t *table = am_arena_array(am_builder_arena(b), (size_t)(3 * count) + 1, sizeof *table);
    *out_count = count;
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < 3 * count; i++) table[i] = -1;
    for (int i = 0; i < g->count; i++, at++) {
        int64_t h = g->items[i].h / merge, w = g->items[i].w / merge + 1;
        at++;
        for (int64_t k = 0; k < h * w; k++, at++) {
            table[at] = (int32_t)(k % w);
            table[count + at] = (int32_t)(k / w);
            table[2 * count + at] = i;
        }
    }
    return am_constant_copy(b, AM_I32, am_shape_of(3, count), table);
}

/* Which tokens are attended to: I32 [B, T]. */
static am_value attended(am_builder *b, am_value types)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) return am_broadcast(b, am_scalar(b, AM_I32, 1), am_shape_of_value(b, types));
    return am_cast(b, am_binary_number(b, AM_NOT_EQUAL, am_cast(b, mask, AM_I32), 0), AM_I32);
}

/* How many kinds of places the text has. */
static int count_kinds(am_builder *b)
{
    am_config text = am_text_config(b),
              rope = am_config_child(&text, am_config_either(&text, "rope_parameters", "rope_scaling"));
    am_json sections = am_json_get(rope.object, am_config_either(&rope, "mrope_section", "xdrope_section"));
    size_t count = am_json_count(sections);
    if (count < 3 || count > AM_MROPE_SECTIONS)
        am_config_fail(&rope, "mrope_section", "expected 3 to %d sections", AM_MROPE_SECTIONS);
    return count < 3 || count > AM_MROPE_SECTIONS ? 3 : (int)count;
}

/* I32 [kinds, B, T]: tokens in a row, but those of pictures at their columns, rows and pictures in the last kinds. */
static am_value places(am_builder *b, const am_grids *g, am_value types)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    am_value planes[AM_MROPE_SECTIONS], used = attended(b, types);
    int64_t tokens;
    int kinds = count_kinds(b);
    am_shape shape = am_shape_of_value(b, types);
    am_value table = picture_places(b, g, am_config_size(&vision, "spatial_merge_size", 2), &tokens);
    am_value is = am_mul(b, am_cast(b, am_binary_number(b, AM_EQUAL, types, 1), AM_I32), used);
    if (am_builder_failed(b)) return AM_NONE;
    am_require_count(b, is, 1, tokens, "tokens of pictures in image_grid_thw");
    am_value text = am_scan(b, AM_REDUCE_SUM, used, 1, true, false);
    am_value token = am_add_number(b, am_scan(b, AM_REDUCE_SUM, am_flatten(b, is, 0, 1), 0, false, false), -1);
    token = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, token, 0), (double)(tokens - 1));
    for (int i = 0; i < kinds; i++) {
        am_value at = text;
        if (i >= kinds - 3) {
            am_value own = am_gather(b, am_index(b, table, 0, i - (kinds - 3)), token, 0, false);
            own = am_reshape(b, own, shape);
            am_value stands = am_mul(b, is, am_cast(b, am_binary_number(b, AM_GREATER_EQUAL, own, 0), AM_I32));
            at = am_select(b, am_binary_number(b, AM_NOT_EQUAL, stands, 0), own, text);
        }
        planes[i] = am_unsqueeze(b, am_mul(b, at, used), 0);
    }
    return am_concat(b, planes, kinds, 0);
}

static int text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_value types = am_input_optional(b, "mm_token_type_ids", 2), given = am_input_optional(b, "position_ids", -1);
    if (given.id || !am_has_input(b, "image_grid_thw")) return 0;
    am_grids grids = am_grids_read(b, "image_grid_thw", 1);
    if (!types.id)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input mm_token_type_ids is missing beside images"));
    if (am_builder_failed(b) || grids.count == 0) return 0;
    out[0] = (am_part_input){.name = "position_ids", .value = places(b, &grids, types)};
    return 1;
}

static const am_vision_language_family family = {.features = features,
                                                 .image_token = 120120,
                                                 .tied = true,
                                                 .text_type = "hunyuan_vl_text",
                                                 .model_shows_features = true,
                                                 .hides_features = true,
                                                 .flat_text_config = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"HunYuanVLModel", am_vision_language_model, NULL, 0},
    {"HunYuanVLForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"HunYuanVLVisionTransformer", vision_model, NULL, 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = "image_grid_thw"}, {.name = "grid_thw"}, {0}};

const am_model_type am_model_hunyuan_vl = {.name = "hunyuan_vl hunyuan_vl_vision",
                                           .base_prefix = "model",
                                           .architectures = architectures,
                                           .family = &family,
                                           .shaping_inputs = shaping_inputs};
