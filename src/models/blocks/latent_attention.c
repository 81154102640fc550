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

/* A part of the rotation's head is what the member rotates. */
static am_rope_config read_rope(const am_config *c, const am_latent_attention *a, const am_latent_defaults *d)
{
    double theta = d->theta != 0 ? d->theta : 10000, whole = (double)(a->nope_dim + a->rope_dim);
    int64_t max = d->max_position_embeddings;
    if (!d->whole_head) return am_rope_config_read(c, NULL, a->rope_dim, theta, 1, max);
    am_rope_config rope =
        am_rope_config_read(c, NULL, a->nope_dim + a->rope_dim, theta, (double)a->rope_dim / whole, max);
    if (rope.dims != a->rope_dim)
        am_config_fail(c, "qk_rope_head_dim", "%lld numbers of a head are rotated, found %lld", (long long)rope.dims,
                       (long long)a->rope_dim);
    return rope;
}

am_latent_attention am_latent_attention_of(const am_config *c, am_decoder_options *o, const am_latent_defaults *d)
{
    int64_t v_dim = d->v_dim ? d->v_dim : o->hidden_size / o->num_attention_heads;
    am_latent_attention a = {
        .heads = o->num_attention_heads,
        .q_lora_rank = am_decoder_size_or_none(c, "q_lora_rank", d->q_lora_rank),
        .kv_lora_rank = am_config_size(c, "kv_lora_rank", d->kv_lora_rank),
        .nope_dim = am_config_size(c, "qk_nope_head_dim", d->nope_dim),
        .rope_dim = am_config_size(c, "qk_rope_head_dim", d->rope_dim),
        .v_dim = am_config_size(c, "v_head_dim", v_dim),
        .bias = am_config_flag(c, "attention_bias", false),
    };
    o->rope = read_rope(c, &a, d);
    a.scale = scale_of(c, &o->rope, a.nope_dim + a.rope_dim);
    return a;
}

am_latent_attention am_latent_attention_read(const am_config *c, am_decoder_options *o, int64_t max_position_embeddings)
{
    const am_latent_defaults v3 = {.q_lora_rank = 1536,
                                   .kv_lora_rank = 512,
                                   .nope_dim = 128,
                                   .rope_dim = 64,
                                   .v_dim = 128,
                                   .max_position_embeddings = max_position_embeddings};
    return am_latent_attention_of(c, o, &v3);
}

static double eps_of(const am_latent_attention *o)
{
    return o->norm_eps != 0 ? o->norm_eps : LATENT_EPS;
}

static am_value scaled(am_builder *b, am_value x, double factor)
{
    return factor == 0 ? x : am_mul_number(b, x, factor);
}

am_value am_latent_query(am_builder *b, am_value x, const am_latent_attention *o)
{
    if (!o->q_lora_rank) return x;
    x = am_linear(b, "q_a_proj", x, o->q_lora_rank, o->bias ? AM_BIAS : AM_NO_BIAS);
    return am_rms_norm(b, "q_a_layernorm", x, eps_of(o), 0);
}

/* [B, T, H, nope + rope], its last part rotated */
static am_value query_heads(am_builder *b, am_value query, const am_latent_attention *o, const am_rope *rope)
{
    int64_t D = o->nope_dim + o->rope_dim;
    am_value q = o->query;
    if (!q.id) {
        q = am_linear(b, o->q_lora_rank ? "q_b_proj" : "q_proj", query, o->heads * D, AM_NO_BIAS);
        q = scaled(b, am_split_heads(b, q, o->heads), o->query_scale);
    }
    if (o->no_rope) return q;
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
    am_value latent = am_rms_norm(b, "kv_a_layernorm", am_slice(b, both, -1, 0, o->kv_lora_rank), eps_of(o), 0);
    am_value key = am_split_heads(b, am_slice(b, both, -1, o->kv_lora_rank, o->kv_lora_rank + o->rope_dim), 1);
    latent = am_cache_append(b, "latent", scaled(b, latent, o->latent_scale));
    key = am_cache_append(b, "shared_key", o->no_rope ? key : am_rope_apply(b, shared->rope, key));
    if (o->reach_beta != 0) q = am_scale_by_reach(b, q, o->reach_beta, o->reach_length);
    expand(b, latent, key, o, &k, &v);
    options.scale = o->scale;
    am_value y = am_attend_cached(b, q, k, v, &options);
    if (o->gate.id) y = am_mul(b, y, o->gate);
    return am_linear(b, o->out ? o->out : "o_proj", am_merge_heads(b, y), am_dim(b, x, -1), bias);
}
