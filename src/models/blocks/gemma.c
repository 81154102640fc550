#include "models/blocks/gemma.h"

#include "models/blocks/vision.h"

#include <math.h>

static void adapt_gemma(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH);
    if (o->hidden_act == AM_GELU) o->hidden_act = AM_GELU_TANH; /* what the first files meant by "gelu" */
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->norm_weight_offset = 1;
    o->embedding_scale = sqrt((double)o->hidden_size);
    o->both_ways = am_config_flag(c, "use_bidirectional_attention", false);
}

const am_decoder_family am_gemma_family = {
    .defaults = {.vocab_size = 256000,
                 .hidden_size = 3072,
                 .intermediate_size = 24576,
                 .num_hidden_layers = 28,
                 .num_attention_heads = 16,
                 .num_key_value_heads = 16,
                 .head_dim = 256,
                 .max_position_embeddings = 8192,
                 .tied = true,
                 .has_pad_token = true},
    .adapt = adapt_gemma,
};

void am_gemma2_adapt(const am_config *c, am_decoder_options *o)
{
    o->hidden_act = am_config_activation(c, "hidden_activation", AM_GELU_TANH);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->norm_weight_offset = 1;
    o->embedding_scale = sqrt((double)o->hidden_size);
    o->attention_scale = 1 / sqrt((double)am_config_size(c, "query_pre_attn_scalar", 256));
    o->attention_soft_cap = am_decoder_real_or_none(c, "attn_logit_softcapping", 50);
    o->final_soft_cap = am_decoder_real_or_none(c, "final_logit_softcapping", 30);
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    am_decoder_read_sliding(c, o, 0, 2);
}

/* x: [B, P, C] -> [B, tokens, C]: means of squares of patches, mm_tokens_per_image of them. */
static am_value average(am_builder *b, const am_config *c, am_value x, const am_config *vision)
{
    am_image_options image = am_image_options_read(vision, 224, 16);
    int64_t side = image.image_size[0] / image.patch_size[0], B = am_dim(b, x, 0), C = am_dim(b, x, -1);
    int64_t tokens = am_config_size(c, "mm_tokens_per_image", 256), square = side / (int64_t)sqrt((double)tokens);
    if (square < 1 || side * side != am_dim(b, x, 1)) {
        am_config_fail(c, "mm_tokens_per_image", "%lld tokens of %lld x %lld patches", (long long)tokens,
                       (long long)side, (long long)side);
        return AM_NONE;
    }
    x = am_reshape(b, am_transpose(b, x, 1, 2), am_shape_of(B, C, side, side));
    am_shape window = am_shape_of(square, square);
    return am_image_tokens(
        b, am_pool(b, x, &(am_pool_attributes){.fn = AM_POOL_AVERAGE, .kernel = window, .stride = window}));
}

am_value am_gemma3_image_rows(am_builder *b, const am_config *c, am_value x, int64_t width)
{
    am_config vision = am_config_child(c, "vision_config");
    x = average(b, c, x, &vision);
    am_scope(b, "multi_modal_projector");
    x = am_rms_norm(b, "mm_soft_emb_norm", x, am_config_real(&vision, "layer_norm_eps", 1e-6), 1);
    am_value weight = am_weight(b, "mm_input_projection_weight", am_shape_of(am_dim(b, x, -1), width));
    x = am_linear_with(b, x, am_transpose(b, weight, 0, 1), AM_NONE);
    am_end_scope(b);
    return x;
}
