#include "models/blocks/pyramid.h"

enum { POOLED = 7 };

/* What keys and values are made of. */
static am_value reduce(am_builder *b, am_value x, const int64_t size[2], const am_pyramid_layer_options *o)
{
    const int64_t places[] = {o->reduction, o->reduction}, one[] = {1, 1};
    if (o->reduction == 1 && !o->pools) return x;
    am_value image = am_tokens_image(b, x, size[0], size[1]);
    if (o->pools)
        image =
            am_pool(b, image, &(am_pool_attributes){.fn = AM_POOL_AVERAGE, .adaptive = am_shape_of(POOLED, POOLED)});
    x = am_patch_convolution(b, o->names->reduction, image, am_dim(b, x, 2), o->pools ? one : places, AM_BIAS);
    x = am_layer_norm(b, o->names->reduction_norm, am_image_tokens(b, x), o->layer_norm_eps);
    return o->pools ? am_unary(b, AM_GELU, x) : x;
}

static am_value attend(am_builder *b, am_value x, const int64_t size[2], const am_pyramid_layer_options *o)
{
    am_attention_options attention = {.heads = o->heads,
                                      .q = o->names->q,
                                      .k = o->names->k,
                                      .v = o->names->v,
                                      .out = o->names->out,
                                      .no_q_bias = o->no_qkv_bias,
                                      .no_k_bias = o->no_qkv_bias,
                                      .no_v_bias = o->no_qkv_bias};
    return am_cross_attention(b, x, reduce(b, x, size, o), &attention);
}

static am_value mix(am_builder *b, am_value x, const int64_t size[2])
{
    int64_t C = am_dim(b, x, 2);
    am_shape one = am_shape_of(1, 1);
    am_convolution_attributes depthwise = {.padding_before = one, .padding_after = one, .groups = C};
    x = am_tokens_image(b, x, size[0], size[1]);
    return am_image_tokens(b, am_conv(b, "dwconv.dwconv", x, C, am_shape_of(3, 3), AM_BIAS, &depthwise));
}

static am_value mlp(am_builder *b, am_value x, const int64_t size[2], const am_pyramid_layer_options *o)
{
    int64_t C = am_dim(b, x, -1);
    am_unary_fn before = !o->mixes ? o->hidden_act : o->pools ? AM_RELU : AM_IDENTITY;
    x = am_linear_activation(b, "dense1", x, o->intermediate_size, AM_BIAS, before);
    if (o->mixes) x = am_unary(b, o->hidden_act, mix(b, x, size));
    return am_linear(b, "dense2", x, C, AM_BIAS);
}

am_value am_pyramid_layer(am_builder *b, am_value x, const int64_t size[2], const am_pyramid_layer_options *o)
{
    am_value h = am_layer_norm(b, "layer_norm_1", x, o->layer_norm_eps);
    am_scope(b, "attention");
    h = attend(b, h, size, o);
    am_end_scope(b);
    x = am_add(b, x, h);
    h = am_layer_norm(b, "layer_norm_2", x, o->layer_norm_eps);
    am_scope(b, "mlp");
    h = mlp(b, h, size, o);
    am_end_scope(b);
    return am_add(b, x, h);
}
