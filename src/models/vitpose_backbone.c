/* ViTPose's backbone: ViT over patches of a padded image; the place of a class token is added to all, and a part of
   each mlp may be an expert for the data set that a row is of. transformers:
   models/vitpose_backbone/modeling_vitpose_backbone.py */
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

#include <inttypes.h>
#include <stdio.h>

enum { LAYERS_LIMIT = 256, PADDING = 2 };

static const am_pre_norm_names names = {.layers = "encoder.layer",
                                        .attention = "attention",
                                        .norm_before = "layernorm_before",
                                        .norm_after = "layernorm_after",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

typedef struct pose_config {
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t C, experts, part_features;
    am_value index; /* I32 [B, 1, 1]: the expert of each row */
} pose_config;

/* fc2 gives what all rows share, one expert for each row the rest: the sum over experts, of which one counts. */
static am_value expert_mlp(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    const pose_config *c = o->context;
    char name[32];
    am_value rest = AM_NONE;
    x = am_linear_activation(b, "mlp.fc1", x, o->intermediate_size, AM_BIAS, o->hidden_act);
    am_value shared = am_linear(b, "mlp.fc2", x, c->C - c->part_features, AM_BIAS);
    for (int64_t i = 0; i < c->experts && !am_builder_failed(b); i++) {
        snprintf(name, sizeof name, "mlp.experts.%" PRId64, i);
        am_value counts = am_cast(b, am_binary_number(b, AM_EQUAL, c->index, (double)i), AM_F32);
        am_value own = am_mul(b, am_linear(b, name, x, c->part_features, AM_BIAS), counts);
        rest = rest.id ? am_add(b, rest, own) : own;
    }
    return am_concat2(b, shared, rest, 2);
}

static void read_experts(am_builder *b, const am_config *c, pose_config *r)
{
    am_value index = am_input_optional(b, "dataset_index", -1);
    r->experts = am_config_size(c, "num_experts", 1);
    r->part_features = am_config_size(c, "part_features", 256);
    if (r->experts == 1) return;
    if (!index.id) am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input dataset_index is missing"));
    if (r->part_features >= r->C) am_config_fail(c, "part_features", "expected less than hidden_size, %" PRId64, r->C);
    r->index = am_reshape(b, index, am_shape_of(-1, 1, 1));
    r->encoder.mlp = expert_mlp;
}

static pose_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t heads = am_config_size(c, "num_attention_heads", 12);
    bool no_bias = !am_config_flag(c, "qkv_bias", true);
    pose_config r = {
        .image = am_image_options_read(c, 256, 16),
        .C = am_config_size(c, "hidden_size", 768),
        .encoder = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
                    .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
                    .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-12),
                    .attention = {.heads = heads,
                                  .q = "attention.query",
                                  .k = "attention.key",
                                  .v = "attention.value",
                                  .out = "output.dense",
                                  .no_q_bias = no_bias,
                                  .no_k_bias = no_bias,
                                  .no_v_bias = no_bias},
                    .names = &names},
    };
    if (!am_config_has(c, "image_size")) r.image.image_size[1] = 192;
    r.encoder.intermediate_size = am_scaled_size(c, "mlp_ratio", r.C, am_config_real(c, "mlp_ratio", 4));
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", r.C);
    read_experts(b, c, &r);
    if (r.encoder.num_hidden_layers > LAYERS_LIMIT)
        am_config_unsupported(c, "num_hidden_layers", "at most %d are supported", LAYERS_LIMIT);
    return r;
}

static am_value embed(am_builder *b, const pose_config *c)
{
    const int64_t *patch = c->image.patch_size;
    am_shape padding = am_shape_of(PADDING, PADDING), kernel = am_shape_of(patch[0], patch[1]);
    am_convolution_attributes options = {.stride = kernel, .padding_before = padding, .padding_after = padding};
    am_value x = am_pixel_values_sized(b, &c->image);
    am_scope(b, "embeddings");
    x = am_image_tokens(b, am_conv(b, "patch_embeddings.projection", x, c->C, kernel, AM_BIAS, &options));
    am_shape all = am_shape_of(1, 1 + am_image_patches(&c->image), c->C);
    am_value places = am_parameter(b, "position_embeddings", all, x);
    x = am_add(b, x, am_add(b, am_slice(b, places, 1, 1, AM_SLICE_END), am_slice(b, places, 1, 0, 1)));
    am_end_scope(b);
    return x;
}

static void backbone(am_builder *b)
{
    pose_config c = read_config(b);
    am_value states[LAYERS_LIMIT + 1];
    bool wanted[LAYERS_LIMIT + 1];
    char output[64];
    int count = (int)c.encoder.num_hidden_layers;
    if (count > LAYERS_LIMIT || am_builder_failed(b)) return;
    am_pre_norm_options encoder = c.encoder;
    encoder.out_states = states;
    encoder.context = &c;
    am_pre_norm_layers(b, embed(b, &c), &encoder);
    am_backbone_stages(am_model_config(b), count, wanted);
    for (int i = 0, map = 0; i <= count && !am_builder_failed(b); i++) {
        if (!wanted[i]) continue;
        snprintf(output, sizeof output, "feature_maps.%d", map++);
        am_output(b, output, am_layer_norm(b, "layernorm", states[i], c.encoder.layer_norm_eps));
    }
}

static const am_architecture architectures[] = {{"VitPoseBackbone", backbone, NULL, 0}, {0}};

const am_model_type am_model_vitpose_backbone = {.name = "vitpose_backbone", .architectures = architectures};
