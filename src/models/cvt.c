/* CvT: stages of transformer layers over patches that overlap; queries, keys and values go through a depthwise
   convolution each before they are projected, and the last stage may have a class token. transformers:
   models/cvt/modeling_cvt.py */
#include "models/blocks/attention.h"
#include "models/blocks/convolutions.h"
#include "models/blocks/vision.h"

#include <math.h>
#include <string.h>

static const double NORM_EPS = 1e-5; /* of all norms: layer_norm_eps is not read */

typedef struct cvt_config {
    int64_t num_channels;
    int stages;
    int64_t depth[AM_STAGES_LIMIT], embed_dim[AM_STAGES_LIMIT], heads[AM_STAGES_LIMIT], patch_sizes[AM_STAGES_LIMIT],
        strides[AM_STAGES_LIMIT], padding[AM_STAGES_LIMIT], kernels[AM_STAGES_LIMIT];
    int64_t query[2][AM_STAGES_LIMIT], key[2][AM_STAGES_LIMIT]; /* padding, stride */
    double mlp_ratio[AM_STAGES_LIMIT];
    bool qkv_bias[AM_STAGES_LIMIT], cls_token[AM_STAGES_LIMIT];
} cvt_config;

static void read_list(const am_config *c, const char *key, int count, int64_t least, const int64_t fallback[3],
                      int64_t *out)
{
    am_stage_sizes(c, key, count, least, fallback, 3, out);
}

static cvt_config read_config(am_builder *b)
{
    static const int64_t ones[] = {1, 1, 1}, twos[] = {2, 2, 2}, threes[] = {3, 3, 3}, depths[] = {1, 2, 10};
    const am_config *c = am_model_config(b);
    cvt_config r = {.num_channels = am_config_size(c, "num_channels", 3)};
    int64_t layers = 0;
    int count = r.stages = am_config_sizes(c, "depth", r.depth, AM_STAGES_LIMIT, depths, 3);
    for (int i = 0; i < count; i++) layers += r.depth[i];
    if (count == 0 || layers > 65536) am_config_fail(c, "depth", "%d stages, %lld layers", count, (long long)layers);
    for (int i = 0; i < count && layers > 65536; i++) r.depth[i] = 0;
    read_list(c, "embed_dim", count, 1, (const int64_t[]){64, 192, 384}, r.embed_dim);
    read_list(c, "num_heads", count, 1, (const int64_t[]){1, 3, 6}, r.heads);
    read_list(c, "patch_sizes", count, 1, (const int64_t[]){7, 3, 3}, r.patch_sizes);
    read_list(c, "patch_stride", count, 1, (const int64_t[]){4, 2, 2}, r.strides);
    read_list(c, "patch_padding", count, 0, (const int64_t[]){2, 1, 1}, r.padding);
    read_list(c, "kernel_qkv", count, 1, threes, r.kernels);
    read_list(c, "padding_q", count, 0, ones, r.query[0]);
    read_list(c, "stride_q", count, 1, ones, r.query[1]);
    read_list(c, "padding_kv", count, 0, ones, r.key[0]);
    read_list(c, "stride_kv", count, 1, twos, r.key[1]);
    am_config_reals(c, "mlp_ratio", count, 4, r.mlp_ratio);
    am_config_flags(c, "qkv_bias", count, true, r.qkv_bias);
    am_config_flags(c, "cls_token", count, false, r.cls_token);
    if (!am_config_has(c, "cls_token") && count) r.cls_token[count - 1] = true;
    for (int i = 0; i < count; i++) {
        const char *method = am_config_list_text(c, "qkv_projection_method", i);
        if (am_config_has(c, "qkv_projection_method") && (!method || strcmp(method, "dw_bn") != 0))
            am_config_unsupported(c, "qkv_projection_method", "this class has \"dw_bn\" only");
        am_config_check_divides(c, "num_heads", r.heads[i], "embed_dim", r.embed_dim[i]);
    }
    return r;
}

/* NAME.convolution_projection of x: [B, C, H, W], a class token (or AM_NONE) before: [B, tokens, C]. */
static am_value convolve(am_builder *b, const char *name, am_value x, am_value token, int64_t kernel, int64_t padding,
                         int64_t stride)
{
    int64_t C = am_dim(b, x, 1);
    am_convolution_attributes depthwise = {.stride = am_shape_of(stride, stride),
                                           .padding_before = am_shape_of(padding, padding),
                                           .padding_after = am_shape_of(padding, padding),
                                           .groups = C};
    am_scope(b, "%s.convolution_projection", name);
    x = am_conv(b, "convolution", x, C, am_shape_of(kernel, kernel), AM_NO_BIAS, &depthwise);
    x = am_image_tokens(b, am_batch_norm(b, "normalization", x, NORM_EPS));
    am_end_scope(b);
    return token.id ? am_concat2(b, token, x, 1) : x;
}

/* x: [B, tokens, C], the places of size behind a class token where the stage has one. */
static am_value attend(am_builder *b, am_value x, const cvt_config *c, const int64_t size[2], int i)
{
    static const char *const names[] = {"query", "key", "value"};
    int64_t C = am_dim(b, x, -1);
    int bias = c->qkv_bias[i] ? AM_BIAS : AM_NO_BIAS;
    am_value token = c->cls_token[i] ? am_slice(b, x, 1, 0, 1) : AM_NONE, heads[3];
    am_value image = am_tokens_image(b, c->cls_token[i] ? am_slice(b, x, 1, 1, AM_SLICE_END) : x, size[0], size[1]);
    am_attention_options options = {.heads = c->heads[i], .scale = 1 / sqrt((double)C)};
    am_scope(b, "attention.attention");
    for (int n = 0; n < 3; n++) {
        const int64_t padding = n ? c->key[0][i] : c->query[0][i], stride = n ? c->key[1][i] : c->query[1][i];
        char name[64] = "convolution_projection_", linear[64] = "projection_";
        strcat(name, names[n]);
        strcat(linear, names[n]);
        am_value h = convolve(b, name, image, token, c->kernels[i], padding, stride);
        heads[n] = am_split_heads(b, am_linear(b, linear, h, C, bias), c->heads[i]);
    }
    am_end_scope(b);
    return am_linear(b, "attention.output.dense", am_attend(b, heads[0], heads[1], heads[2], &options), C, AM_BIAS);
}

static am_value layer(am_builder *b, am_value x, const cvt_config *c, const int64_t size[2], int i)
{
    int64_t C = am_dim(b, x, -1), inner = am_scaled_size(am_model_config(b), "mlp_ratio", C, c->mlp_ratio[i]);
    x = am_add(b, x, attend(b, am_layer_norm(b, "layernorm_before", x, NORM_EPS), c, size, i));
    am_value h = am_layer_norm(b, "layernorm_after", x, NORM_EPS);
    h = am_linear_activation(b, "intermediate.dense", h, inner, AM_BIAS, AM_GELU);
    return am_add(b, x, am_linear(b, "output.dense", h, C, AM_BIAS));
}

/* x: [B, C', H, W] -> [B, C, H', W']; token: what became of the class token, [B, 1, C], or AM_NONE. */
static am_value stage(am_builder *b, am_value x, const cvt_config *c, int i, am_value *token)
{
    int64_t patch = c->patch_sizes[i];
    am_shape padding = am_shape_of(c->padding[i], c->padding[i]);
    am_convolution_attributes options = {
        .stride = am_shape_of(c->strides[i], c->strides[i]), .padding_before = padding, .padding_after = padding};
    am_scope(b, "embedding.convolution_embeddings");
    x = am_conv(b, "projection", x, c->embed_dim[i], am_shape_of(patch, patch), AM_BIAS, &options);
    const int64_t size[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    x = am_layer_norm(b, "normalization", am_image_tokens(b, x), NORM_EPS);
    am_end_scope(b);
    if (c->cls_token[i]) x = am_prepend_token(b, "cls_token", am_shape_of(1, 1, c->embed_dim[i]), x);
    for (int j = 0; j < c->depth[i] && !am_builder_failed(b); j++) {
        am_scope(b, "layers.%d", j);
        x = layer(b, x, c, size, i);
        am_end_scope(b);
    }
    *token = c->cls_token[i] ? am_slice(b, x, 1, 0, 1) : AM_NONE;
    if (c->cls_token[i]) x = am_slice(b, x, 1, 1, AM_SLICE_END);
    return am_tokens_image(b, x, size[0], size[1]);
}

static am_value body(am_builder *b, const cvt_config *c, const char *prefix, am_value *token)
{
    am_value x = am_pixel_values(b, c->num_channels);
    *token = AM_NONE;
    am_scope(b, "%s", prefix);
    for (int i = 0; i < c->stages; i++) {
        am_scope(b, "encoder.stages.%d", i);
        x = stage(b, x, c, i, token);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i, x);
    }
    am_end_scope(b);
    return x;
}

static void cvt_model(am_builder *b)
{
    cvt_config c = read_config(b);
    am_value token;
    am_output(b, "last_hidden_state", body(b, &c, "", &token));
    if (token.id) am_output(b, "cls_token_value", token);
}

static void for_image_classification(am_builder *b)
{
    cvt_config c = read_config(b);
    am_value token, x = body(b, &c, "cvt", &token);
    x = am_layer_norm(b, "layernorm", token.id ? token : am_image_tokens(b, x), NORM_EPS);
    x = am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static const am_architecture architectures[] = {
    {"CvtModel", cvt_model, NULL, 0},
    {"CvtForImageClassification", for_image_classification, "image-classification", 0},
    {0},
};

const am_model_type am_model_cvt = {.name = "cvt", .base_prefix = "cvt", .architectures = architectures};
