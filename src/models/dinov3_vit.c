/* DINOv3's ViT. transformers: models/dinov3_vit/modeling_dinov3_vit.py */
#include "models/blocks/dinov3.h"

#include <stdio.h>

static const am_dinov3_defaults defaults = {.hidden_size = 384,
                                            .intermediate_size = 1536,
                                            .layers = 12,
                                            .heads = 6,
                                            .image_size = 224,
                                            .layer_norm_eps = 1e-5,
                                            .rope_theta = 100};

/* What comes out of the layers, not normed: [B, T, C]. */
static am_value body(am_builder *b, am_dinov3_options *o, int64_t patches[2])
{
    am_value x = am_dinov3_embed(b, o, patches);
    am_rope rope = am_dinov3_rope(b, o, 1 + o->registers, patches);
    o->encoder.attention.rope = &rope;
    x = am_pre_norm_layers(b, x, &o->encoder);
    o->encoder.attention.rope = NULL;
    return x;
}

static void dinov3_vit_model(am_builder *b)
{
    am_dinov3_options o;
    int64_t patches[2];
    am_dinov3_options_read(am_model_config(b), &defaults, &o);
    am_value x = am_layer_norm(b, "norm", body(b, &o, patches), o.encoder.layer_norm_eps);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_index(b, x, 1, 0));
}

/* A stage's feature map: x: [B, T, C], without tokens, in rows and columns as the configuration says. */
static am_value feature_map(am_builder *b, const am_dinov3_options *o, am_value x, const int64_t patches[2])
{
    x = am_slice(b, x, 1, 1 + o->registers, AM_SLICE_END);
    if (!am_config_flag(am_model_config(b), "reshape_hidden_states", true)) return x;
    return am_reshape(b, am_transpose(b, x, 1, 2),
                      am_shape_of(am_dim(b, x, 0), o->hidden_size, patches[0], patches[1]));
}

/* The last stage is normed always. */
static void backbone(am_builder *b)
{
    const am_config *config = am_model_config(b);
    am_dinov3_options o;
    int64_t patches[2];
    char output[64];
    am_dinov3_options_read(config, &defaults, &o);
    int layers = (int)o.encoder.num_hidden_layers, count = 0;
    am_value *states = am_arena_array(am_builder_arena(b), (size_t)layers + 1, 2 * sizeof *states);
    bool *wanted = am_arena_array(am_builder_arena(b), (size_t)layers + 1, sizeof *wanted);
    if (!states || !wanted) {
        am_builder_fail(b, am_out_of_memory());
        return;
    }
    am_value *classes = states + layers + 1;
    o.encoder.out_states = states;
    body(b, &o, patches);
    am_backbone_stages(config, layers, wanted);
    for (int i = 0; i <= layers && !am_builder_failed(b); i++) {
        if (!wanted[i]) continue;
        am_value x = states[i];
        if (i == layers || am_config_flag(config, "apply_layernorm", true))
            x = am_layer_norm(b, "norm", x, o.encoder.layer_norm_eps);
        classes[count] = am_index(b, x, 1, 0);
        snprintf(output, sizeof output, "feature_maps.%d", count++);
        am_output(b, output, feature_map(b, &o, x, patches));
    }
    for (int i = 0; i < count && am_config_flag(config, "return_class_token", false); i++) {
        snprintf(output, sizeof output, "cls_tokens.%d", i);
        am_output(b, output, classes[i]);
    }
}

static const am_architecture architectures[] = {
    {"DINOv3ViTModel", dinov3_vit_model, "image-feature-extraction", 0},
    {"DINOv3ViTBackbone", backbone, NULL, 0},
    {0},
};

const am_model_type am_model_dinov3_vit = {
    .name = "dinov3_vit", .base_prefix = "model", .architectures = architectures};
