/* Ovis 2: a tower that says of each square of patches which words of its own it is like; the text model is shown the
   mixture of these words' embeddings. transformers: models/ovis2/modeling_ovis2.py */
#include "models/blocks/decoder.h"
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"
#include "models/blocks/vision_language.h"

#include <inttypes.h>
#include <string.h>

static const double HEAD_NORM_EPS = 1e-5; /* not configurable */

/* Words of the tower, and those among them that stand around images. */
typedef struct vocabulary {
    int64_t size, indicators;
} vocabulary;

static vocabulary read_vocabulary(const am_config *vision)
{
    vocabulary v = {am_config_size(vision, "vocab_size", 16384),
                    am_config_count(vision, "num_visual_indicator_tokens", 5)};
    if (v.indicators >= v.size)
        am_config_fail(vision, "num_visual_indicator_tokens", "%" PRId64 " of %" PRId64 " words", v.indicators, v.size);
    return v.indicators >= v.size ? (vocabulary){2, 1} : v;
}

/* What pre_norm layers need of the configuration beside their options. */
typedef struct gated {
    bool biased;
} gated;

static am_value feed_forward(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    const gated *g = o->context;
    am_scope(b, "ffn");
    x = am_gated_mlp(b, x, o->intermediate_size, o->hidden_act, g->biased ? AM_BIAS : AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

static am_value transformer(am_builder *b, const am_config *c)
{
    static const am_pre_norm_names names = {
        .layers = "encoder.layers", .attention = "attention", .norm_before = "rms_norm1", .norm_after = "rms_norm2"};
    const gated mlp = {am_config_flag(c, "mlp_bias", false)};
    bool unbiased = !am_config_flag(c, "qkv_bias", false);
    am_image_options image = am_image_options_read(c, 224, 14);
    int64_t C = am_config_size(c, "hidden_size", 1024), P = am_image_patches(&image);
    am_pre_norm_options o = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 24),
        .intermediate_size = am_config_size(c, "intermediate_size", 2816),
        .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
        .layer_norm_eps = am_config_real(c, "rms_norm_eps", 1e-5),
        .rms_norm = true,
        .attention = {.heads = am_config_size(c, "num_attention_heads", 8),
                      .no_q_bias = unbiased,
                      .no_k_bias = unbiased,
                      .no_v_bias = unbiased,
                      .no_out_bias = unbiased},
        .names = &names,
        .hidden_states = "",
        .mlp = feed_forward,
        .context = &mlp,
    };
    am_config_check_divides(c, "num_attention_heads", o.attention.heads, "hidden_size", C);
    am_value pixels = am_pixel_values_sized(b, &image);
    am_scope(b, "embeddings");
    am_value x = am_image_tokens(b, am_patch_convolution(b, "patch_embedding", pixels, C, image.patch_size, AM_BIAS));
    x = am_rms_norm(b, "rms_norm", x, o.layer_norm_eps, 0);
    x = am_add(b, x, am_parameter(b, "position_embedding.weight", am_shape_of(P, C), x));
    am_end_scope(b);
    return am_rms_norm(b, "rms_norm", am_pre_norm_layers(b, x, &o), o.layer_norm_eps, 0);
}

/* Squares of patches side by side; rows and columns are filled up with zeros. x: [B, P, C] -> [B, P', C * stride^2]. */
static am_value fold(am_builder *b, am_value x, int64_t stride)
{
    int64_t side = am_square_side(b, am_dim(b, x, 1)), padding = (stride - side % stride) % stride;
    am_shape square = {.rank = 4, .dims = {am_dim(b, x, 0), side, side, am_dim(b, x, 2)}};
    if (stride == 1 || am_builder_failed(b)) return x;
    x = am_pad_zero(b, am_pad_zero(b, am_reshape(b, x, square), 1, 0, padding), 2, 0, padding);
    return am_fold_patches(b, am_flatten(b, x, 1, 2), side + padding, side + padding, stride);
}

/* How much of each word a place is: logits [B, P, V] -> the same, as tokenize_function says. */
static am_value words_of(am_builder *b, const am_config *c, am_value logits)
{
    const char *function = am_config_text(c, "tokenize_function", "softmax");
    int64_t V = am_dim(b, logits, -1);
    if (strcmp(function, "softmax") == 0) return am_softmax(b, logits, -1);
    if (strcmp(function, "st_argmax") != 0)
        am_config_unsupported(c, "tokenize_function", "\"%s\" is not supported", function);
    am_value best = am_unsqueeze(b, am_arg_reduce(b, logits, -1, false), -1);
    return am_cast(b, am_binary(b, AM_EQUAL, best, am_iota(b, AM_I32, am_shape_of(1, 1, V), 2, 0, 1)), AM_F32);
}

static am_value word_table(am_builder *b, const vocabulary *v)
{
    return am_cast(b, am_weight(b, "visual_embeddings_table.weight", am_shape_of(v->size, am_text_width(b))), AM_F32);
}

static am_value features(am_builder *b)
{
    am_config c = am_config_child(am_model_config(b), "vision_config");
    vocabulary v = read_vocabulary(&c);
    int64_t words = v.size - v.indicators;
    am_scope(b, "vision_tower");
    am_scope(b, "transformer");
    am_value x = transformer(b, &c);
    am_end_scope(b);
    x = am_linear(b, "head_linear", fold(b, x, am_config_size(&c, "hidden_stride", 1)), words, AM_NO_BIAS);
    x = words_of(b, &c, am_layer_norm(b, "head_norm", x, HEAD_NORM_EPS));
    am_end_scope(b);
    return am_matmul(b, x, am_slice(b, word_table(b, &v), 0, 0, words), false, false);
}

/* The words around images: the last of the table, for visual_indicator_token_ids. */
static int indicators(am_builder *b, am_feature_rows out[AM_VISION_LANGUAGE_MORE])
{
    static const int64_t fallback[] = {151666, 151667, 151668, 151669, 151670};
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    vocabulary v = read_vocabulary(&vision);
    int64_t ids[AM_VISION_LANGUAGE_MORE], first = v.size - v.indicators;
    int count = am_config_sizes(c, "visual_indicator_token_ids", ids, AM_VISION_LANGUAGE_MORE, fallback, 5);
    if (count > v.indicators) {
        am_config_fail(c, "visual_indicator_token_ids", "%d tokens for %" PRId64 " words", count, v.indicators);
        return 0;
    }
    for (int i = 0; i < count; i++)
        out[i] = (am_feature_rows){.rows = am_slice(b, word_table(b, &v), 0, first + i, first + i + 1),
                                   .ids = am_input(b, "input_ids", 2),
                                   .token = ids[i],
                                   .repeats = true};
    return count;
}

static const am_vision_language_family family = {
    .features = features, .more_features = indicators, .image_token = 151665, .tied = true, .text_type = "qwen2"};

static const am_architecture architectures[] = {
    {"Ovis2Model", am_vision_language_model, NULL, 0},
    {"Ovis2ForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES},
    {0},
};

const am_model_type am_model_ovis2 = {
    .name = "ovis2", .base_prefix = "model", .architectures = architectures, .family = &family};
