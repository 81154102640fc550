/* MobileViT: MobileNet V2's layers; in the last three stages the pixels that stand at the same place of their patches
   attend to each other as a transformer's tokens. transformers: models/mobilevit/modeling_mobilevit.py */
#include "models/blocks/convolutions.h"
#include "models/blocks/deeplab.h"
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

#include <math.h>

enum { NECK_SIZES = 7, TRANSFORMERS = 3, WIDTH_MULTIPLE = 8, SMALL_LAYERS = 3 };

static const double BATCH_NORM_EPS = 1e-5; /* not configurable */
static const am_pre_norm_names names = {.layers = "transformer.layer",
                                        .attention = "attention",
                                        .norm_before = "layernorm_before",
                                        .norm_after = "layernorm_after",
                                        .up = "intermediate.dense",
                                        .down = "output.dense"};

typedef struct mobilevit_config {
    int64_t num_channels, patch_size, heads, conv_kernel_size, output_stride;
    int64_t hidden_sizes[AM_STAGES_LIMIT], neck_hidden_sizes[AM_STAGES_LIMIT];
    double mlp_ratio, expand_ratio, layer_norm_eps;
    am_unary_fn hidden_act;
    bool qkv_bias;
    am_deeplab head;
    int64_t labels;
} mobilevit_config;

static mobilevit_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    mobilevit_config r = {
        .num_channels = am_config_size(c, "num_channels", 3),
        .patch_size = am_config_size(c, "patch_size", 2),
        .heads = am_config_size(c, "num_attention_heads", 4),
        .conv_kernel_size = am_config_size(c, "conv_kernel_size", 3),
        .output_stride = am_config_size(c, "output_stride", 32),
        .mlp_ratio = am_config_real(c, "mlp_ratio", 2),
        .expand_ratio = am_config_factor(c, "expand_ratio", 4),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5),
        .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
        .qkv_bias = am_config_flag(c, "qkv_bias", true),
        .head = am_deeplab_read(c, 256),
        .labels = am_config_labels(c),
    };
    am_stage_sizes(c, "hidden_sizes", TRANSFORMERS, 1, (const int64_t[]){144, 192, 240}, TRANSFORMERS, r.hidden_sizes);
    am_stage_sizes(c, "neck_hidden_sizes", NECK_SIZES, 1, (const int64_t[]){16, 32, 64, 96, 128, 160, 640}, NECK_SIZES,
                   r.neck_hidden_sizes);
    if (r.conv_kernel_size % 2 == 0)
        am_config_fail(c, "conv_kernel_size", "an even size gives other images than it takes, which are to be joined");
    for (int i = 0; i < TRANSFORMERS; i++)
        am_config_check_divides(c, "num_attention_heads", r.heads, "hidden_sizes", r.hidden_sizes[i]);
    return r;
}

static am_value convolve(am_builder *b, const char *name, am_value x, int64_t out, int64_t kernel,
                         am_unary_fn activation)
{
    am_normed_conv_options options = {.out = out, .kernel = kernel, .activation = activation, .eps = BATCH_NORM_EPS};
    return am_normed_conv(b, name, x, &options);
}

/* An inverted residual under the scope. */
static am_value inverted(am_builder *b, am_value x, const mobilevit_config *c, int64_t out, int64_t stride,
                         int64_t dilation)
{
    am_normed_conv_options options = {
        .out = out, .stride = stride, .dilation = dilation, .activation = c->hidden_act, .eps = BATCH_NORM_EPS};
    double expanded = nearbyint((double)am_dim(b, x, 1) * c->expand_ratio); /* half to even, as Python rounds */
    return am_inverted_residual(b, x, am_round_channels(expanded, WIDTH_MULTIPLE, WIDTH_MULTIPLE), &options);
}

static am_value mobilenet_stage(am_builder *b, am_value x, const mobilevit_config *c, int i, int layers)
{
    for (int j = 0; j < layers; j++) {
        am_scope(b, "layer.%d", j);
        x = inverted(b, x, c, c->neck_hidden_sizes[i + 1], i > 0 && j == 0 ? 2 : 1, 1);
        am_end_scope(b);
    }
    return x;
}

/* x: [B, C, H, W] through the transformer: each place within the patches is a sequence of its own, of as many tokens as
   there are patches. The image is resized to whole patches for it. */
static am_value transform(am_builder *b, am_value x, const mobilevit_config *c, const am_pre_norm_options *o)
{
    int64_t B = am_dim(b, x, 0), C = am_dim(b, x, 1), H = am_dim(b, x, 2), W = am_dim(b, x, 3), p = c->patch_size,
            rows = (H + p - 1) / p, columns = (W + p - 1) / p;
    x = am_image_resized(b, x, rows * p, columns * p);
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, C, rows, p, columns, p)), am_shape_of(0, 3, 5, 2, 4, 1));
    x = am_pre_norm_layers(b, am_reshape(b, x, am_shape_of(B * p * p, rows * columns, C)), o);
    x = am_layer_norm(b, "layernorm", x, c->layer_norm_eps);
    x = am_permute(b, am_reshape(b, x, am_shape_of(B, p, p, rows, columns, C)), am_shape_of(0, 5, 3, 1, 4, 2));
    return am_image_resized(b, am_reshape(b, x, am_shape_of(B, C, rows * p, columns * p)), H, W);
}

static am_pre_norm_options transformer_of(am_builder *b, const mobilevit_config *c, int64_t C, int layers)
{
    return (am_pre_norm_options){
        .num_hidden_layers = layers,
        .intermediate_size = am_scaled_size(am_model_config(b), "mlp_ratio", C, c->mlp_ratio),
        .hidden_act = c->hidden_act,
        .layer_norm_eps = c->layer_norm_eps,
        .attention = {.heads = c->heads,
                      .q = "attention.query",
                      .k = "attention.key",
                      .v = "attention.value",
                      .out = "output.dense",
                      .no_q_bias = !c->qkv_bias,
                      .no_k_bias = !c->qkv_bias,
                      .no_v_bias = !c->qkv_bias},
        .names = &names,
        .hidden_states = "",
    };
}

/* Stage i of the encoder, transformer stage i - 2. dilation: 1, or how far apart kernels reach since the image no
   longer shrinks. */
static am_value transformer_stage(am_builder *b, am_value x, const mobilevit_config *c, int i, int64_t dilation)
{
    static const int layers[TRANSFORMERS] = {2, 4, 3};
    int64_t C = c->neck_hidden_sizes[i + 1], hidden = c->hidden_sizes[i - 2], kernel = c->conv_kernel_size;
    am_pre_norm_options transformer = transformer_of(b, c, hidden, layers[i - 2]);
    am_scope(b, "downsampling_layer");
    x = inverted(b, x, c, C, dilation == 1 ? 2 : 1, dilation == 1 ? 1 : dilation / 2);
    am_end_scope(b);
    am_value h = convolve(b, "conv_kxk", x, C, kernel, c->hidden_act);
    h = am_conv(b, "conv_1x1.convolution", h, hidden, am_shape_of(1, 1), AM_NO_BIAS, &(am_convolution_attributes){0});
    h = transform(b, h, c, &transformer);
    h = convolve(b, "conv_projection", h, C, 1, c->hidden_act);
    return convolve(b, "fusion", am_concat2(b, x, h, 1), C, kernel, c->hidden_act);
}

/* What the last stage gives: [B, C, H, W]. */
static am_value body(am_builder *b, const mobilevit_config *c)
{
    int64_t stride = c->output_stride;
    const int64_t dilations[] = {1, 1, 1, stride == 8 ? 2 : 1, stride == 8 ? 4 : stride == 16 ? 2 : 1};
    am_normed_conv_options stem = {
        .out = c->neck_hidden_sizes[0], .kernel = 3, .stride = 2, .activation = c->hidden_act, .eps = BATCH_NORM_EPS};
    am_value x = am_normed_conv(b, "conv_stem", am_pixel_values(b, c->num_channels), &stem);
    for (int i = 0; i < 2 + TRANSFORMERS; i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = i < 2 ? mobilenet_stage(b, x, c, i, i == 0 ? 1 : SMALL_LAYERS)
                  : transformer_stage(b, x, c, i, dilations[i]);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i, x);
    }
    return x;
}

static am_value widen(am_builder *b, am_value x, const mobilevit_config *c)
{
    return convolve(b, "conv_1x1_exp", x, c->neck_hidden_sizes[NECK_SIZES - 1], 1, c->hidden_act);
}

static void mobilevit_model(am_builder *b)
{
    mobilevit_config c = read_config(b);
    am_value x = widen(b, body(b, &c), &c);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_image_mean(b, x, false));
}

static void for_image_classification(am_builder *b)
{
    mobilevit_config c = read_config(b);
    am_scope(b, "mobilevit");
    am_value x = am_image_mean(b, widen(b, body(b, &c), &c), false);
    am_end_scope(b);
    am_output(b, "logits", am_linear(b, "classifier", x, c.labels, AM_BIAS));
}

static void for_semantic_segmentation(am_builder *b)
{
    mobilevit_config c = read_config(b);
    am_scope(b, "mobilevit");
    am_value x = body(b, &c);
    am_end_scope(b);
    am_output(b, "logits", am_deeplab_head(b, x, &c.head));
}

static const am_architecture architectures[] = {
    {"MobileViTModel", mobilevit_model, "image-feature-extraction", 0},
    {"MobileViTForImageClassification", for_image_classification, "image-classification", 0},
    {"MobileViTForSemanticSegmentation", for_semantic_segmentation, "image-segmentation", 0},
    {0},
};

const am_model_type am_model_mobilevit = {
    .name = "mobilevit", .base_prefix = "mobilevit", .architectures = architectures};
