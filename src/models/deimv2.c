/* DEIMv2: D-FINE with a gated mlp and RMSNorm in its decoder, whose maps are added on their way; of a DINOv3, with fine
   details beside it by convolutions, or of a convolutional backbone, the smallest of which have a small encoder.
   transformers: models/deimv2/modeling_deimv2.py */
#include "models/blocks/d_fine.h"
#include "models/blocks/decoder.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

enum { SCALES = 3, LITE_MAPS = 2 };

static const double NORM_EPS = 1e-6; /* not configurable */

/* --- maps --- */

/* Convolution LIST.i of single pixels with its norm. */
static am_value project(am_builder *b, const am_hybrid_options *o, const char *list, int i, am_value x)
{
    am_scope(b, "%s", list);
    am_scope(b, "%d", i);
    x = am_hybrid_conv(b, o, "", x, o->C, 1, 1, AM_IDENTITY);
    am_end_scope(b);
    am_end_scope(b);
    return x;
}

/* Details of the image at an eighth, a 16th and a 32nd of its sides. */
static void read_details(am_builder *b, const am_hybrid_options *o, am_value out[SCALES])
{
    static const char *const names[] = {"conv2", "conv3", "conv4"};
    int64_t planes = am_config_size(am_model_config(b), "spatial_tuning_adapter_inplanes", 16);
    am_shape one = am_shape_of(1, 1);
    am_pool_attributes pool = {.fn = AM_POOL_MAX,
                               .kernel = am_shape_of(3, 3),
                               .stride = am_shape_of(2, 2),
                               .padding_before = one,
                               .padding_after = one};
    am_scope(b, "spatial_tuning_adapter");
    am_value x = am_hybrid_conv(b, o, "stem_conv", am_pixel_values(b, 3), planes, 3, 2, AM_GELU);
    x = am_pool(b, x, &pool);
    for (int i = 0; i < SCALES; i++) {
        x = out[i] = am_hybrid_conv(b, o, names[i], x, planes * (i ? 4 : 2), 3, 2, AM_IDENTITY);
        x = am_unary(b, AM_GELU, x);
    }
    am_end_scope(b);
}

/* DINOv3's maps at the sizes of the details, joined with them. */
static void read_dino_maps(am_builder *b, const am_rt_detr_options *o, am_value *out)
{
    am_config vit = am_config_child(am_model_config(b), "backbone_config");
    am_image_options image = am_image_options_read(&vit, 224, 16);
    am_value details[SCALES], pixels = am_pixel_values(b, 3);
    am_scope(b, "backbone");
    am_feature_maps found = am_backbone_maps(b, SCALES, SCALES);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    read_details(b, &o->encoder, details);
    int64_t rows = am_dim(b, pixels, 2) / image.patch_size[0], columns = am_dim(b, pixels, 3) / image.patch_size[1];
    for (int i = 0; i < SCALES && !am_builder_failed(b); i++) { /* twice as many, as many, half as many */
        am_value x = am_image_resized(b, found.maps[i], i ? rows / i : 2 * rows, i ? columns / i : 2 * columns);
        out[i] = project(b, &o->encoder, "fusion_proj", i, am_concat2(b, x, details[i], 1));
    }
}

static bool is_lite(const am_config *c)
{
    return am_config_is(c, "encoder_type", "lite");
}

/* Maps that encoder_in_channels lists. */
static int listed_maps(const am_config *c)
{
    size_t count = am_json_count(am_json_get(c->object, "encoder_in_channels"));
    if (!am_config_has(c, "encoder_in_channels")) return SCALES;
    if (count >= 1 && count <= LITE_MAPS) return (int)count;
    am_config_fail(c, "encoder_in_channels", "expected 1 or %d numbers where encoder_type is \"lite\"", LITE_MAPS);
    return 1;
}

static void read_maps(am_builder *b, const am_rt_detr_options *o, am_value *out)
{
    const am_config *c = am_model_config(b);
    am_config backbone = am_config_child(c, "backbone_config");
    am_scope(b, "conv_encoder");
    if (am_config_is(&backbone, "model_type", "dinov3_vit")) {
        read_dino_maps(b, o, out);
    } else {
        int count = is_lite(c) ? listed_maps(c) : o->encoder.count;
        am_scope(b, "model");
        am_feature_maps found = am_backbone_maps(b, count, count);
        am_end_scope(b);
        for (int i = 0; i < count && !am_builder_failed(b); i++)
            out[i] = is_lite(c) ? found.maps[i] : project(b, &o->encoder, "encoder_input_proj", i, found.maps[i]);
    }
    am_end_scope(b);
}

/* --- the small encoder --- */

/* A map of half the height and width. */
static am_value halve(am_builder *b, const am_hybrid_options *o, const char *name, am_value x)
{
    am_shape one = am_shape_of(1, 1);
    am_pool_attributes pool = {.fn = AM_POOL_AVERAGE,
                               .kernel = am_shape_of(3, 3),
                               .stride = am_shape_of(2, 2),
                               .padding_before = one,
                               .padding_after = one,
                               .count_padding = true};
    return am_hybrid_conv(b, o, name, am_pool(b, x, &pool), o->C, 1, 1, o->act);
}

/* The backbone's map and half of it, brought together and back; LITE_MAPS of them. */
static void encode_lite(am_builder *b, const am_hybrid_options *o, const am_value *maps, am_value *out,
                        am_states *states)
{
    am_value own[LITE_MAPS + 1];
    int count = listed_maps(am_model_config(b));
    for (int i = 0; i < count; i++) am_states_add(states, own[i] = project(b, o, "input_proj", i, maps[i]));
    am_value x = halve(b, o, "down_conv1", own[count - 1]);
    x = am_add(b, x, am_image_mean(b, x, true));
    am_states_add(states, own[count] = am_hybrid_conv(b, o, "bi_fusion_conv", x, o->C, 1, 1, o->act));
    if (am_builder_failed(b)) return;
    am_shape twice = am_shape_of(2 * am_dim(b, own[1], 2), 2 * am_dim(b, own[1], 3));
    x = am_resize(b, own[1], &(am_resize_attributes){.size = twice, .mode = AM_RESIZE_NEAREST});
    am_scope(b, "fpn_block");
    out[0] = am_hybrid_simple_elan(b, o, am_add(b, own[0], x));
    am_end_scope(b);
    x = am_add(b, own[1], halve(b, o, "down_conv2", out[0]));
    am_scope(b, "pan_block");
    out[1] = am_hybrid_simple_elan(b, o, x);
    am_end_scope(b);
}

/* --- decoder --- */

static am_value norm(am_builder *b, const char *name, am_value x)
{
    return am_rms_norm(b, name, x, NORM_EPS, 0);
}

static am_value layer(am_builder *b, const am_rt_detr_options *o, const am_rt_detr_start *s, am_value x,
                      am_value places, am_value reference)
{
    am_detr_attention attention = {.heads = o->heads, .out = "o_proj"};
    am_value placed = am_add(b, x, places);
    x = norm(b, "self_attn_layer_norm", am_add(b, x, am_detr_attend(b, "self_attn", placed, placed, x, &attention)));
    am_value h = am_deformable_attend(b, "encoder_attn", am_add(b, x, places), s->tokens, am_unsqueeze(b, reference, 2),
                                      &s->levels, &o->attention);
    if (am_config_flag(am_model_config(b), "use_gateway", true)) {
        am_value gates = am_linear_activation(b, "gateway.gate", am_concat2(b, x, h, 2), 2 * o->C, AM_BIAS, AM_SIGMOID);
        x = am_mul(b, am_slice(b, gates, 2, 0, o->C), x);
        x = norm(b, "gateway.norm", am_add(b, x, am_mul(b, am_slice(b, gates, 2, o->C, AM_SLICE_END), h)));
    } else x = norm(b, "encoder_attn_layer_norm", am_add(b, x, h));
    am_scope(b, "mlp");
    h = am_gated_mlp(b, x, o->inner / 2, AM_SILU, AM_BIAS);
    am_end_scope(b);
    return norm(b, "final_layer_norm", am_add(b, x, h));
}

static void adapt(const am_config *c, am_rt_detr_options *o)
{
    o->read_maps = read_maps;
    o->named_input = true;
    o->encoder.is_simple = true;
    o->encoder.trails = am_config_flag(c, "encoder_has_trailing_conv", true);
    o->encoder.sums = true;
    o->encoder.attention = "aifi";
    o->encoder.attention_out = "o_proj";
    o->encoder.up = "mlp.layers.0";
    o->encoder.down = "mlp.layers.1";
    if (is_lite(c)) o->encode = encode_lite;
    else if (am_config_has(c, "encoder_type") && !am_config_is(c, "encoder_type", "hybrid"))
        am_config_fail(c, "encoder_type", "expected \"hybrid\" or \"lite\"");
    if (am_config_has(c, "encoder_fuse_op") && !am_config_is(c, "encoder_fuse_op", "sum"))
        am_config_unsupported(c, "encoder_fuse_op", "expected \"sum\": transformers' weights fit nothing else");
    if (o->act != AM_RELU) am_config_unsupported(c, "decoder_activation_function", "expected \"relu\"");
    if (o->inner < 2) am_config_fail(c, "decoder_ffn_dim", "expected 2 or more");
}

static const am_fine_family family = {.adapt = adapt, .layer = layer};

static const am_architecture architectures[] = {
    {"Deimv2Model", am_fine_model, NULL, 0},
    {"Deimv2ForObjectDetection", am_fine_for_object_detection, "object-detection", 0},
    {0},
};

const am_model_type am_model_deimv2 = {
    .name = "deimv2", .base_prefix = "model", .architectures = architectures, .family = &family};
