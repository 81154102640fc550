/* UDOP: T5 that reads a page: where words stand says how they attend to each other, and which patches of the page's
   picture are added to them; patches without words stand behind. transformers: models/udop/modeling_udop.py */
#include "models/blocks/deformable.h"
#include "models/blocks/t5.h"
#include "models/blocks/vision.h"

#include <stdio.h>
#include <string.h>

static const char *const ATTENDED = "encoder_attention_mask"; /* from the encoder's stage to the decoder's */

/* What the encoder reads: words, then patches. */
typedef struct udop_page {
    am_value boxes;    /* [B, S, 4], or AM_NONE */
    am_value attended; /* I32 [B, S], or AM_NONE: all */
    am_value points;   /* I32 [B, T]: the patch of each word; AM_NONE without a picture */
    am_value order;    /* I32 [B, P]: patches without words first */
    am_value free;     /* F32 [B, P, 1]: 1 at these, else 0 */
    int64_t side;      /* patches in a row and in a column */
} udop_page;

static am_value clamped(am_builder *b, am_value x, double low, double high)
{
    return am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, x, low), high);
}

/* The patch in which the middle of each box lies: I32 [B, T]. */
static am_value patch_of_boxes(am_builder *b, am_value boxes, int64_t side)
{
    am_value at[2];
    for (int i = 0; i < 2; i++) {
        am_value middle = am_mul_number(b, am_add(b, am_index(b, boxes, 2, i), am_index(b, boxes, 2, 2 + i)), 0.5);
        middle = am_unary(b, AM_FLOOR, am_mul_number(b, middle, (double)side));
        at[i] = am_cast(b, clamped(b, middle, 0, (double)(side - 1)), AM_I32);
    }
    return am_add(b, at[0], am_mul_number(b, at[1], (double)side));
}

/* Boxes of a picture's patches, row by row: [B, P, 4]. */
static am_value patch_boxes(am_builder *b, int64_t B, int64_t side)
{
    am_value given = am_input_optional(b, "visual_bbox", 3);
    if (given.id) return given;
    am_shape shape = am_shape_of(B, side, side, 1);
    double step = 1 / (double)side;
    am_value parts[4];
    for (int i = 0; i < 4; i++) parts[i] = am_iota(b, AM_F32, shape, i % 2 ? 1 : 2, i < 2 ? 0 : step, step);
    return am_flatten(b, am_concat(b, parts, 4, 3), 1, 2);
}

static int64_t picture_side(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t image = am_config_size(c, "image_size", 224), patch = am_config_size(c, "patch_size", 16);
    if (image / patch < 1) am_config_fail(c, "patch_size", "leaves no patches");
    return image / patch < 1 ? 1 : image / patch;
}

static udop_page read_page(am_builder *b)
{
    udop_page p = {.boxes = am_input_optional(b, "bbox", 3), .attended = am_input_optional(b, "attention_mask", 2)};
    if (p.attended.id) p.attended = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, p.attended, 0), AM_I32);
    if (p.boxes.id && am_dtype_of(b, p.boxes) != AM_F32) p.boxes = am_cast(b, p.boxes, AM_F32);
    if (!am_has_input(b, "pixel_values")) return p;
    if (!p.boxes.id) p.boxes = am_input(b, "bbox", 3);
    p.side = picture_side(b);
    int64_t B = am_dim(b, p.boxes, 0), T = am_dim(b, p.boxes, 1), P = p.side * p.side;
    if (am_builder_failed(b)) return p;
    p.points = patch_of_boxes(b, p.boxes, p.side);
    am_value used = am_scatter(b, am_broadcast(b, am_scalar(b, AM_I32, 0), am_shape_of(B, P)), p.points,
                               am_broadcast(b, am_scalar(b, AM_I32, 1), am_shape_of(B, T)),
                               &(am_scatter_attributes){.axis = 1, .elementwise = true, .fn = AM_SCATTER_SET});
    am_value unused = am_binary_number(b, AM_EQUAL, am_sort(b, used, 1, false, &p.order), 0);
    p.free = am_cast(b, am_unsqueeze(b, unused, 2), AM_F32);
    am_value boxes = am_mul(b, am_take_rows(b, patch_boxes(b, B, p.side), p.order), p.free);
    p.boxes = am_concat2(b, p.boxes, boxes, 1);
    if (p.attended.id) p.attended = am_concat2(b, p.attended, am_cast(b, unused, AM_I32), 1);
    return p;
}

/* Words with the patches they stand in, then the other patches: [B, T + P, C]. */
static am_value join_picture(am_builder *b, am_value x, const udop_page *p)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_dim(b, x, 2), T = am_dim(b, x, 1);
    am_image_options image = am_image_options_read(c, 224, 16);
    am_shape patch = am_shape_of(image.patch_size[0], image.patch_size[1]);
    am_value weight = am_weight_absolute(b, "patch_embed.proj.weight",
                                         am_shape_of(C, image.num_channels, patch.dims[0], patch.dims[1]));
    am_value patches = am_convolution(b, am_pixel_values_sized(b, &image), weight,
                                      am_weight_absolute(b, "patch_embed.proj.bias", am_shape_of(C)),
                                      &(am_convolution_attributes){.stride = patch});
    patches = am_image_tokens(b, patches);
    am_value sum = am_reduce(b, AM_REDUCE_SUM, am_slice(b, p->boxes, 1, 0, T), am_shape_of(2), true);
    am_value special =
        am_binary(b, AM_LOGICAL_OR, am_binary_number(b, AM_EQUAL, sum, 0), am_binary_number(b, AM_EQUAL, sum, 4));
    am_value seen = am_select(b, special, am_scalar(b, AM_F32, 0), am_take_rows(b, patches, p->points));
    return am_concat2(b, am_add(b, x, seen), am_mul(b, am_take_rows(b, patches, p->order), p->free), 1);
}

/* What is added to tokens for the corners of their boxes: [B, S, C]. */
static am_value cell_embeddings(am_builder *b, am_value boxes, int64_t C)
{
    static const char *const tables[] = {"x_position_embeddings", "y_position_embeddings"};
    int64_t count = am_config_size(am_model_config(b), "max_2d_position_embeddings", 1024);
    am_value at = am_mul_number(b, clamped(b, boxes, 0, 1), (double)(count - 1)), sum = AM_NONE;
    at = am_cast(b, at, AM_I32);
    am_scope(b, "cell_2d_embedding");
    for (int i = 0; i < 4; i++) {
        am_value rows = am_embedding(b, tables[i % 2], am_index(b, at, 2, i), count, C);
        sum = i ? am_add(b, sum, rows) : rows;
    }
    am_end_scope(b);
    return sum;
}

/* --- how tokens attend to each other --- */

/* One of relative_bias_args. */
typedef struct udop_bias {
    int axis; /* 0: along the text; 1: along the page's width, 2: its height */
    am_t5_config t5;
    double scale;
    bool both_ways;
} udop_bias;

static bool read_bias(const am_config *c, am_json found, const am_t5_config *t5, udop_bias *out)
{
    static const char *const types[] = {"1d", "horizontal", "vertical"};
    int axis = 0;
    while (axis < 3 && !am_json_equals(am_json_get(found, "type"), types[axis])) axis++;
    *out = (udop_bias){.axis = axis, .t5 = *t5};
    out->scale = am_json_real(am_json_get(found, "scaling_factor"), axis ? 100 : 1);
    out->both_ways = am_json_bool(am_json_get(found, "bidirectional"), true);
    out->t5.buckets = am_json_int(am_json_get(found, "relative_attention_num_buckets"), 32);
    out->t5.max_distance = am_json_int(am_json_get(found, "max_distance"), axis ? 100 : 128);
    bool fits = axis < 3 && (axis ? out->scale > 1 : out->scale == 1) && out->t5.buckets > 0 &&
                out->t5.buckets < 65536 && out->t5.max_distance > 0 && out->t5.max_distance < 65536;
    if (!fits) am_config_fail(c, "relative_bias_args", "no kind of distances, or a number of it is wrong");
    if (am_json_bool(am_json_get(found, "prefix_bucket"), false))
        am_config_unsupported(c, "relative_bias_args", "\"prefix_bucket\" is not supported");
    return fits;
}

/* I32 [B or 1, S, S]: key's place minus query's. */
static am_value distances(am_builder *b, const udop_bias *bias, am_value boxes, int64_t S)
{
    am_value at = am_iota(b, AM_F32, am_shape_of(1, S), 1, 0, 1);
    if (bias->axis) {
        am_value low = am_index(b, boxes, 2, bias->axis - 1), high = am_index(b, boxes, 2, bias->axis + 1);
        at = am_mul_number(b, am_add(b, low, high), 0.5);
    }
    am_value apart = am_sub(b, am_unsqueeze(b, at, 1), am_unsqueeze(b, at, 2));
    return am_cast(b, am_mul_number(b, apart, bias->scale), AM_I32);
}

/* The table of bias i below the encoder; the first may be that of the first block. */
static const char *table_of(am_builder *b, int i, char *name, size_t size)
{
    snprintf(name, size, "relative_bias.biases.%d.relative_attention_bias.weight", i);
    if (i == 0 && !am_has_weight(b, name)) return "block.0.layer.0.SelfAttention.relative_attention_bias";
    name[strlen(name) - strlen(".weight")] = 0;
    return name;
}

/* Of all kinds together: [B or 1, H, S, S]. */
static am_value relative_bias(am_builder *b, const am_t5_config *c, am_value boxes, int64_t S)
{
    static const char defaults[] = "[{\"type\":\"1d\"},{\"type\":\"horizontal\"},{\"type\":\"vertical\"}]";
    const am_config *config = am_model_config(b);
    am_json_document *document = NULL;
    am_json list = am_json_get(config->object, "relative_bias_args");
    if (!am_config_has(config, "relative_bias_args")) {
        am_status status = am_json_parse(defaults, strlen(defaults), "relative_bias_args", &document);
        if (status) am_builder_fail(b, status);
        if (status) return AM_NONE;
        list = am_json_root(document);
    }
    am_value sum = AM_NONE;
    int i = 0;
    for (am_json_iterator it = am_json_iterate(list); am_json_next(&it) && !am_builder_failed(b); i++) {
        char name[96];
        udop_bias bias;
        if (!read_bias(config, it.value, c, &bias)) break;
        if (bias.axis && !boxes.id) boxes = am_input(b, "bbox", 3);
        am_value x = am_t5_distance_bias(b, &bias.t5, table_of(b, i, name, sizeof name), distances(b, &bias, boxes, S),
                                         bias.both_ways);
        sum = i ? am_add(b, sum, x) : x;
    }
    am_json_close(document);
    return sum.id ? am_permute(b, sum, am_shape_of(0, 3, 1, 2)) : AM_NONE;
}

/* --- encoder, decoder --- */

/* state: the options */
static am_value attend(am_builder *b, am_value x, const am_t5_config *c, const void *state)
{
    (void)c;
    am_scope(b, "SelfAttention");
    x = am_self_attention(b, x, state);
    am_end_scope(b);
    return x;
}

static am_value encoder_blocks(am_builder *b, am_value x, const am_t5_config *c)
{
    udop_page p = read_page(b);
    if (p.points.id) x = join_picture(b, x, &p);
    if (p.boxes.id) x = am_add(b, x, cell_embeddings(b, p.boxes, c->d_model));
    am_attention_options options = am_t5_attention_options(c);
    options.mask = am_padding_mask_of(b, p.attended);
    options.bias = relative_bias(b, c, p.boxes, am_dim(b, x, 1));
    if (am_model_stage(b) == AM_STAGE_ENCODE && p.attended.id) am_output(b, ATTENDED, p.attended);
    return am_t5_encoder_blocks(b, x, c, attend, &options);
}

static am_value cross_mask(am_builder *b)
{
    if (am_model_stage(b) != AM_STAGE_DECODE) return am_padding_mask_of(b, read_page(b).attended);
    am_input_optional(b, "attention_mask", 2);
    return am_padding_mask(b, ATTENDED);
}

static void encoder_model(am_builder *b)
{
    am_t5_encoder_model(b);
    am_value attended = read_page(b).attended, ids = am_input(b, "input_ids", 2);
    int64_t P = am_has_input(b, "pixel_values") ? picture_side(b) * picture_side(b) : 0;
    if (!attended.id)
        attended = am_broadcast(b, am_scalar(b, AM_F32, 1), am_shape_of(am_dim(b, ids, 0), am_dim(b, ids, 1) + P));
    am_output(b, "attention_mask", attended);
}

static const am_architecture architectures[] = {
    {"UdopModel", am_t5_model, NULL, AM_ENCODER_DECODER},
    {"UdopForConditionalGeneration", am_t5_for_conditional_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {"UdopEncoderModel", encoder_model, NULL, 0},
    {0},
};

static const am_t5_family family = {.vocab_size = 33201,
                                    .d_model = 1024,
                                    .d_ff = 4096,
                                    .num_layers = 24,
                                    .num_heads = 16,
                                    .names_activation = true,
                                    .always_scales = true,
                                    .encoder_blocks = encoder_blocks,
                                    .cross_mask = cross_mask};

const am_model_type am_model_udop = {
    .name = "udop", .base_prefix = "transformer", .architectures = architectures, .family = &family};
