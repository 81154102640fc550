#include "models/blocks/hunyuan.h"

#include <math.h>

am_value am_hunyuan_attend(am_builder *b, const am_value qkv[3], const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_value q = am_rms_norm(b, "query_layernorm", qkv[0], o->rms_norm_eps, 0),
             k = am_rms_norm(b, "key_layernorm", qkv[1], o->rms_norm_eps, 0);
    am_value x = am_attend(b, q, k, qkv[2], layer->attention);
    return am_linear(b, "o_proj", x, o->hidden_size, o->out_bias ? AM_BIAS : AM_NO_BIAS);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_value qkv[3];
    am_attention_heads(b, x, layer->attention, qkv);
    return am_hunyuan_attend(b, qkv, layer);
}

/* Checkpoints call it "dynamic". */
static void read_alpha(const am_config *c, am_decoder_options *o)
{
    am_config rope = am_config_child(c, am_config_either(c, "rope_parameters", "rope_scaling"));
    double alpha = am_config_real(&rope, "alpha", 0), D = (double)o->head_dim;
    if (o->rope.type != AM_ROPE_DYNAMIC || alpha == 0) return;
    o->rope = am_rope_config_default(c, o->head_dim, o->rope.theta * pow(alpha, D / (D - 2)), o->rope.max_positions);
}

void am_hunyuan_adapt(const am_config *c, am_decoder_options *o)
{
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->attention = attention;
    read_alpha(c, o);
}
