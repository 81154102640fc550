#include "models/blocks/owl.h"

#include "models/blocks/heads.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

static const double SMALL = 1e-6;     /* beside lengths that divide */
static const double NEAR_EDGE = 1e-4; /* beside coordinates of which logarithms are taken */

enum { SIDES = 4 };

/* x over its length and a little more, along the last dimension. */
static am_value nearly_unit_length(am_builder *b, am_value x)
{
    am_value square = am_reduce_last(b, AM_REDUCE_SUM, am_unary(b, AM_SQUARE, x));
    return am_div(b, x, am_add_number(b, am_unary(b, AM_SQRT, square), SMALL));
}

/* Three linears with GELU between, to `out` numbers. */
static am_value predict(am_builder *b, const char *name, am_value x, int64_t out)
{
    int64_t C = am_dim(b, x, -1);
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "dense0", x, C, AM_BIAS, AM_GELU);
    x = am_linear_activation(b, "dense1", x, C, AM_BIAS, AM_GELU);
    x = am_linear(b, "dense2", x, out, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* The number whose sigmoid is nearly x. */
static float inverse_sigmoid(double x)
{
    return (float)(log(x + NEAR_EDGE) - log1p(-x + NEAR_EDGE));
}

/* Where boxes are by themselves: each at the lower right of its patch, as large as one: F32 [rows * columns, 4]. */
static am_value box_bias(am_builder *b, int64_t rows, int64_t columns)
{
    float *bias = am_arena_array(am_builder_arena(b), (size_t)(rows * columns * SIDES), sizeof *bias), *at = bias;
    if (!bias) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t i = 0; i < rows * columns; i++) {
        *at++ = inverse_sigmoid((double)(i % columns + 1) / (double)columns);
        *at++ = inverse_sigmoid((double)(i / columns + 1) / (double)rows);
        *at++ = inverse_sigmoid(1 / (double)columns);
        *at++ = inverse_sigmoid(1 / (double)rows);
    }
    return am_constant_copy(b, AM_F32, am_shape_of(rows * columns, SIDES), bias);
}

/* The image tower's states, normed, each patch times the class token, normed again: [B, N, C]. */
static am_value patch_features(am_builder *b, const am_config *vision, am_value states)
{
    const am_clip_family *f = am_model_family(b);
    double eps = am_config_real(vision, "layer_norm_eps", 1e-5);
    am_scope(b, "%s.vision_model", f->name);
    am_value x = am_layer_norm(b, "post_layernorm", states, eps);
    am_end_scope(b);
    x = am_mul(b, am_slice(b, x, 1, 1, AM_SLICE_END), am_slice(b, x, 1, 0, 1));
    return am_layer_norm(b, "layer_norm", x, eps);
}

/* texts: [B * Q, D] as the queries of each of B images, [B, Q, D]. */
static am_value queries_of(am_builder *b, am_value texts, int64_t B)
{
    int64_t count = am_dim(b, texts, 0);
    if (B < 1 || count % B)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "input_ids has %" PRId64 " texts for %" PRId64 " images, expected as many for each",
                                    count, B));
    return am_reshape(b, texts, am_shape_of(B, B ? count / B : 0, am_dim(b, texts, 1)));
}

/* Outputs logits: [B, N, Q] and class_embeds: [B, N, D]. A text that begins with padding is none. */
static void classify(am_builder *b, am_value features, am_value queries)
{
    int64_t D = am_dim(b, queries, 2);
    am_value first = am_slice(b, queries_of(b, am_input(b, "input_ids", 2), am_dim(b, queries, 0)), 2, 0, 1);
    am_scope(b, "class_head");
    am_value x = nearly_unit_length(b, am_linear(b, "dense0", features, D, AM_BIAS));
    am_value shift = am_linear(b, "logit_shift", features, 1, AM_BIAS),
             scale = am_linear(b, "logit_scale", features, 1, AM_BIAS);
    am_end_scope(b);
    am_value logits = am_matmul(b, x, nearly_unit_length(b, queries), false, true);
    logits = am_mul(b, am_add(b, logits, shift), am_add_number(b, am_unary(b, AM_ELU, scale), 1));
    am_value is_text = am_transpose(b, am_binary_number(b, AM_GREATER, first, 0), 1, 2); /* [B, 1, Q] */
    am_output(b, "logits", am_select(b, is_text, logits, am_scalar(b, AM_F32, -(double)FLT_MAX)));
    am_output(b, "class_embeds", x);
}

static void detect(am_builder *b, bool with_objectness)
{
    const am_clip_family *f = am_model_family(b);
    am_config text_config = am_clip_part_config(b, "text_config"),
              vision_config = am_clip_part_config(b, "vision_config");
    am_scope(b, "%s", f->name);
    am_clip_output text = am_clip_text(b, &text_config, "text_model_output.hidden_states"),
                   image = am_clip_image(b, &vision_config, "vision_model_output.hidden_states");
    am_value texts = am_unit_length(b, am_clip_project(b, "text_projection", text.pooled, am_model_config(b)), 0);
    am_end_scope(b);
    am_value x = patch_features(b, &vision_config, image.last_hidden_state);
    am_image_options sizes = am_image_options_read(&vision_config, f->image_size, f->patch_size);
    int64_t rows = sizes.image_size[0] / sizes.patch_size[0], columns = sizes.image_size[1] / sizes.patch_size[1];
    am_value queries = queries_of(b, texts, am_dim(b, x, 0));
    classify(b, x, queries);
    if (with_objectness) am_output(b, "objectness_logits", am_squeeze(b, predict(b, "objectness_head", x, 1), 2));
    am_value boxes = am_add(b, predict(b, "box_head", x, SIDES), box_bias(b, rows, columns));
    am_output(b, "pred_boxes", am_unary(b, AM_SIGMOID, boxes));
    am_output(b, "text_embeds", queries);
    am_output(b, "image_embeds", am_reshape(b, x, am_shape_of(am_dim(b, x, 0), rows, columns, am_dim(b, x, 2))));
    am_clip_output_tower(b, "text_model_output", &text);
    am_clip_output_tower(b, "vision_model_output", &image);
}

void am_owl_for_object_detection(am_builder *b)
{
    detect(b, false);
}

void am_owl_for_object_detection_with_objectness(am_builder *b)
{
    detect(b, true);
}
