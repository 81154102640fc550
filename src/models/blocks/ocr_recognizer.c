#include "models/blocks/ocr_recognizer.h"

#include "models/blocks/detr.h"
#include "models/blocks/pre_norm.h"

#include <inttypes.h>

static const double NORM_EPS = 1e-5;

static const am_pre_norm_names names = {.layers = "svtr_block",
                                        .attention = "self_attn",
                                        .norm_before = "layer_norm1",
                                        .norm_after = "layer_norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

static const am_ocr_reader_family *family_of(const am_builder *b)
{
    return am_model_family(b);
}

static void kernel_of(const am_builder *b, int64_t out[2])
{
    const am_config *c = am_model_config(b);
    int64_t found[AM_STAGES_LIMIT] = {0};
    int count = am_config_sizes(c, "conv_kernel_size", found, AM_STAGES_LIMIT, family_of(b)->kernel, 2);
    bool fits = count == 2 && found[0] > 0 && found[0] < 1024 && found[1] > 0 && found[1] < 1024;
    if (!fits) am_config_fail(c, "conv_kernel_size", "expected height and width");
    for (int i = 0; i < 2; i++) out[i] = fits ? found[i] : 1;
}

am_value am_ocr_conv(am_builder *b, int i, am_value x, const am_ocr_conv_options *o)
{
    int64_t kernel[2] = {1, 1};
    if (o->wide) kernel_of(b, kernel);
    am_shape padding = am_shape_of(kernel[0] / 2, kernel[1] / 2);
    am_convolution_attributes options = {.padding_before = padding, .padding_after = padding, .groups = o->groups};
    am_scope(b, "conv_block.%d", i);
    x = am_conv(b, "convolution", x, o->out, am_shape_of(kernel[0], kernel[1]), AM_NO_BIAS, &options);
    x = am_unary(b, o->activation, am_batch_norm(b, "normalization", x, NORM_EPS));
    am_end_scope(b);
    return x;
}

/* An eighth of the backbone's channels, and then those of the layers, by convolutions i and i + 1. */
static am_value narrow(am_builder *b, am_value x, int i, int64_t eighth, int64_t C)
{
    am_ocr_conv_options first = {eighth, 0, true, AM_SILU}, second = {C, 0, false, AM_SILU};
    return am_ocr_conv(b, i + 1, am_ocr_conv(b, i, x, &first), &second);
}

am_value am_ocr_narrow(am_builder *b, am_value x, int64_t C, am_value *residual)
{
    int64_t channels = am_dim(b, x, 1);
    *residual = x;
    if (channels < 8 && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "an eighth of %" PRId64 " channels is none", channels));
    return narrow(b, x, 0, channels / 8, C);
}

am_value am_ocr_join(am_builder *b, am_value x, am_value residual)
{
    int64_t channels = am_dim(b, residual, 1), C = am_dim(b, x, 1);
    x = am_ocr_conv(b, 2, x, &(am_ocr_conv_options){channels, 0, false, AM_SILU});
    return narrow(b, am_concat2(b, residual, x, 1), 3, channels / 8, C);
}

/* states receives what goes into each layer, in the builder's arena. */
static am_value layers(am_builder *b, am_value x, am_states *states)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_dim(b, x, 2), heads = am_config_size(c, "num_attention_heads", 8);
    double eps = am_config_real(c, "layer_norm_eps", 1e-6);
    am_pre_norm_options o = {.num_hidden_layers =
                                 am_config_count(c, am_config_either(c, "depth", "num_hidden_layers"), 2),
                             .intermediate_size = am_scaled_size(c, "mlp_ratio", C, am_config_real(c, "mlp_ratio", 2)),
                             .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
                             .layer_norm_eps = eps,
                             .attention = {.heads = heads, .qkv = "qkv", .out = "projection"},
                             .names = &names,
                             .hidden_states = ""};
    *states = am_states_make(b, o.num_hidden_layers + 1);
    o.out_states = states->items;
    states->count = states->items ? (int)o.num_hidden_layers : 0;
    o.attention.no_q_bias = !am_config_flag(c, "qkv_bias", true);
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
    return am_layer_norm(b, "norm", am_pre_norm_layers(b, x, &o), eps);
}

/* x: [B, C', 1, W] -> [B, W, hidden_size], which is the last of the states, too. */
static am_value encode(am_builder *b, am_value x, am_states *states)
{
    int64_t C = am_config_size(am_model_config(b), "hidden_size", 120);
    am_value residual = AM_NONE;
    x = family_of(b)->before(b, x, C, &residual);
    int64_t H = am_dim(b, x, 2), W = am_dim(b, x, 3);
    x = am_tokens_image(b, layers(b, am_image_tokens(b, x), states), H, W);
    x = family_of(b)->behind(b, x, residual);
    if (H != 1 && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "the line's map has %" PRId64 " rows, expected 1", H));
    x = am_image_tokens(b, x);
    am_states_add(states, x);
    return x;
}

am_value am_ocr_line(am_builder *b, am_part_outputs *outputs)
{
    am_config c = am_config_child(am_model_config(b), "backbone_config");
    am_scope(b, "backbone");
    am_feature_maps maps = am_backbone_maps_of(b, &c, 1, AM_STAGES_LIMIT);
    am_end_scope(b);
    *outputs = maps.outputs;
    if (am_builder_failed(b)) return AM_NONE;
    return am_pool(b, maps.maps[maps.count - 1],
                   &(am_pool_attributes){.fn = AM_POOL_AVERAGE, .kernel = am_shape_of(3, 2)});
}

void am_ocr_recognizer_model(am_builder *b)
{
    am_part_outputs outputs;
    am_output(b, "last_hidden_state", am_ocr_line(b, &outputs));
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
}

void am_ocr_recognizer_encoder(am_builder *b)
{
    am_states states;
    am_output(b, "last_hidden_state", encode(b, am_input(b, "hidden_states", 4), &states));
    am_states_output(b, "hidden_states", &states);
}

void am_ocr_recognizer_for_text_recognition(am_builder *b)
{
    am_part_outputs outputs;
    int64_t characters = am_config_size(am_model_config(b), "head_out_channels", family_of(b)->characters);
    am_states states;
    am_scope(b, "model");
    am_value x = am_ocr_line(b, &outputs);
    am_end_scope(b);
    am_scope(b, "head");
    am_scope(b, "encoder");
    x = encode(b, x, &states);
    am_end_scope(b);
    am_output(b, "last_hidden_state", am_softmax(b, am_linear(b, "head", x, characters, AM_BIAS), 2));
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    am_states_output(b, "head_hidden_states", &states);
}
