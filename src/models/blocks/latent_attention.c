#include "models/blocks/latent_attention.h"

#include <math.h>

/* The class's own epsilon: these norms do not follow rms_norm_eps. */
static const double LATENT_EPS = 1e-6;

/* yarn also sharpens attention where mscale_all_dim says so. */
static double scale_of(const am_config *c, const am_rope_config *rope, int64_t dims)
{
    const char *key = am_config_has(c, "rope_parameters") ? "rope_parameters" : "rope_scaling";
    am_config p = am_config_child(c, key);
    double all = am_config_real(&p, "mscale_all_dim", 0), scale = 1 / sqrt((double)dims);
    if (rope->type == AM_ROPE_DEFAULT || all == 0 || rope->factor <= 1) return scale;
    double mscale = 0.1 * all * log(rope->factor) + 1;
    return scale * mscale * mscale;
}

am_latent_attention am_latent_attention_read(const am_config *c, am_decoder_options *o, int64_t max_position_embeddings)
{
    am_latent_attention a = {
        .heads = o->num_attention_heads,
        .q_lora_rank = am_decoder_size_or_none(c, "q_lora_rank", 1536),
        .kv_lora_rank = am_config_size(c, "kv_lora_rank", 512),
        .nope_dim = am_config_size(c, "qk_nope_head_dim", 128),
        .rope_dim = am_config_size(c, "qk_rope_head_dim", 64),
        .v_dim = am_config_size(c, "v_head_dim", 128),
        .bias = am_config_flag(c, "attention_bias", false),
    };
    o->rope = am_rope_config_read(c, NULL, a.rope_dim, 10000, 1, max_position_embeddings);
    a.scale = scale_of(c, &o->rope, a.nope_dim + a.rope_dim);
    return a;
}

am_value am_latent_query(am_builder *b, am_value x, const am_latent_attention *o)
{
    if (!o->q_lora_rank) return x;
    x = am_linear(b, "q_a_proj", x, o->q_lora_rank, o->bias ? AM_BIAS : AM_NO_BIAS);
    return am_rms_norm(b, "q_a_layernorm", x, LATENT_EPS, 0);
}

/* [B, T, H, nope + rope], its last part rotated */
static am_value query_heads(am_builder *b, am_value query, const am_latent_attention *o, const am_rope *rope)
{
    int64_t D = o->nope_dim + o->rope_dim;
    am_value q = am_linear(b, o->q_lora_rank ? "q_b_proj" : "q_proj", query, o->heads * D, AM_NO_BIAS);
    q = am_split_heads(b, q, o->heads);
    am_value rotated = am_rope_apply(b, rope, am_slice(b, q, -1, o->nope_dim, D));
    return am_concat2(b, am_slice(b, q, -1, 0, o->nope_dim), rotated, -1);
}

/* Keys [B, S, H, nope + rope] and values [B, S, H, v] of the cached latents [B, S, R] and shared keys [B, S, 1, rope].
 */
static void expand(am_builder *b, am_value latent, am_value shared_key, const am_latent_attention *o, am_value *k,
                   am_value *v)
{
    int64_t D = o->nope_dim + o->v_dim;
    am_value heads = am_split_heads(b, am_linear(b, "kv_b_proj", latent, o->heads * D, AM_NO_BIAS), o->heads);
    am_shape shape = am_shape_of_value(b, shared_key);
    shape.dims[2] = o->heads;
    *k = am_concat2(b, am_slice(b, heads, -1, 0, o->nope_dim), am_broadcast(b, shared_key, shape), -1);
    *v = am_slice(b, heads, -1, o->nope_dim, D);
}

am_value am_latent_attend(am_builder *b, am_value x, am_value query, const am_latent_attention *o,
                          const am_attention_options *shared)
{
    int bias = o->bias ? AM_BIAS : AM_NO_BIAS;
    am_attention_options options = *shared;
    am_value k, v, q = query_heads(b, query, o, shared->rope);
    am_value both = am_linear(b, "kv_a_proj_with_mqa", x, o->kv_lora_rank + o->rope_dim, bias);
    am_value latent = am_rms_norm(b, "kv_a_layernorm", am_slice(b, both, -1, 0, o->kv_lora_rank), LATENT_EPS, 0);
    am_value key = am_split_heads(b, am_slice(b, both, -1, o->kv_lora_rank, o->kv_lora_rank + o->rope_dim), 1);
    latent = am_cache_append(b, "latent", latent);
    key = am_cache_append(b, "shared_key", am_rope_apply(b, shared->rope, key));
    expand(b, latent, key, o, &k, &v);
    options.scale = o->scale;
    am_value heads = am_attend_cached(b, q, k, v, &options);
    return am_linear(b, "o_proj", am_merge_heads(b, heads), am_dim(b, x, -1), bias);
}
