/* The text model of Mistral Large 4: GLM-5's sparse attention on latents, which layers may share, without positions in
   some layers; the further a query stands, the sharper it attends, as each head has learned; and Mistral 4's experts.
   transformers: models/mistral_large4/modeling_mistral_large4.py */
#include "models/blocks/experts.h"
#include "models/blocks/indexer.h"
#include "models/blocks/latent_attention.h"
#include "models/blocks/mistral_large4.h"
#include "models/blocks/vision.h"

#include <math.h>

static const am_latent_defaults defaults = {
    .kv_lora_rank = 512, .nope_dim = 64, .rope_dim = 64, .v_dim = 128, .max_position_embeddings = 1048576};

/* What the rotation is where nothing is said. */
static const am_rope_yarn yarn = {.theta = 10000, .factor = 2048, .original_positions = 512, .attention_factor = 1};

/* What the layers of a run share. */
typedef struct run {
    am_rope rope;
    am_value reach;             /* log(1 + position): [1 or B, T, 1] */
    am_value latent[2], key[2]; /* of the last layer that lends its own, without positions or with them */
} run;

static am_latent_attention read_attention(const am_config *c, am_decoder_options *o)
{
    am_latent_attention a = am_latent_attention_of(c, o, &defaults);
    a.q_lora_rank = 0;
    if (!am_config_has(c, "rope_parameters") && !am_config_has(c, "rope_scaling"))
        o->rope = am_rope_config_yarn(c, a.rope_dim, &yarn, o->rope.max_positions);
    if (o->rope.type == AM_ROPE_DYNAMIC || o->rope.type == AM_ROPE_LONGROPE)
        am_config_unsupported(c, "rope_parameters", "a rotation that follows the length is not supported");
    return a;
}

/* --- layers --- */

/* Whether a layer has positions: 1 and not 0 in no_rope_layers, or not each no_rope_layer_interval-th. */
static bool is_rotated(const am_config *c, int layer)
{
    if (am_config_has(c, "no_rope_layers")) return am_config_list_int(c, "no_rope_layers", layer, 1) != 0;
    return (layer + 1) % am_config_size(c, "no_rope_layer_interval", 4) != 0;
}

/* The layer whose latents a layer attends: itself, or one before it that is its own source. */
static int64_t source_of(const am_config *c, int layer)
{
    const char *key = "kv_source_layers";
    int64_t source = am_config_list_int(c, key, layer, layer);
    if (source < 0 || source > layer || am_config_list_int(c, key, (int)source, source) != source)
        am_config_fail(c, key, "layer %d reads those of layer %lld, which has none of its own", layer,
                       (long long)source);
    return source;
}

/* Whether a later layer reads those of this one. */
static bool lends(const am_decoder_options *o, int layer)
{
    for (int i = layer + 1; i < o->num_hidden_layers; i++)
        if (am_config_list_int(o->config, "kv_source_layers", i, i) == layer) return true;
    return false;
}

/* --- attention --- */

/* Frequencies times what the file has learned of them: see am_rope_tables. */
static am_rope make_rope(am_builder *b, const am_rope_config *r, am_value places)
{
    float frequency[AM_ROPE_LIMIT];
    for (int64_t i = 0; i < r->pairs; i++) frequency[i] = (float)r->inverse_frequency[i];
    am_value alpha = am_unary(b, AM_EXP, am_parameter(b, "rotary_emb.alpha", am_shape_of(r->pairs), places)),
             turns = am_mul(b, am_constant_copy(b, AM_F32, am_shape_of(r->pairs), frequency), alpha),
             angle = am_mul(b, places, turns);
    return (am_rope){.cos = am_mul_number(b, am_unary(b, AM_COS, angle), r->attention_factor),
                     .sin = am_mul_number(b, am_unary(b, AM_SIN, angle), r->attention_factor),
                     .interleaved = true};
}

static void enter(am_builder *b, am_value x, const am_decoder_options *o)
{
    run *r = (run *)o->context;
    am_value places = am_cast(b, am_position_ids(b, am_dim(b, x, 1)), AM_F32);
    places = am_unsqueeze(b, places, -1);
    r->rope = make_rope(b, &o->rope, places);
    r->reach = am_unary(b, AM_LOG, am_add_number(b, places, 1));
}

/* scale * log(1 + position) + bias of each head: [1 or B, T, heads, 1]. */
static am_value sharpness(am_builder *b, const run *r, int64_t heads)
{
    am_scope(b, "softmax_scaling");
    am_value scale = am_parameter(b, "scale", am_shape_of(heads), r->reach),
             bias = am_parameter(b, "bias", am_shape_of(heads), r->reach);
    am_end_scope(b);
    return am_unsqueeze(b, am_add(b, am_mul(b, r->reach, scale), bias), -1);
}

/* The keys that each query attends, chosen by this layer, or by the last one before it that has an indexer. */
static am_value choose_keys(am_builder *b, am_value x, const am_decoder_layer *layer,
                            const am_attention_options *shared)
{
    const am_config *c = layer->options->config;
    am_indexer o = {.heads = am_config_size(c, "index_n_heads", 32),
                    .head_dim = am_config_size(c, "index_head_dim", 128),
                    .top_k = am_config_size(c, "index_topk", 2048),
                    .interleaved = true};
    if (am_layer_has_indexer(c, layer->index)) {
        am_scope(b, "indexer");
        am_value query = am_layer_norm(b, "q_input_norm", x, 1e-6);
        o.factor = sharpness(b, layer->options->context, o.heads);
        am_end_scope(b);
        *layer->carried = am_index_keys(b, x, query, &o, shared);
    } else if (layer->index == 0) {
        am_config_fail(c, "indexer_types", "the first layer has no layer before it");
    }
    return *layer->carried;
}

/* Latents: [B, S, R], and keys that all heads share: [B, S, 1, rope] (AM_NONE of none), of x. */
static void own_latents(am_builder *b, am_value x, const am_latent_attention *a, double eps, const am_rope *rope,
                        am_value out[2])
{
    int64_t R = a->kv_lora_rank;
    am_value both = am_linear(b, "kv_a_proj_with_mqa", x, R + a->rope_dim, a->bias ? AM_BIAS : AM_NO_BIAS);
    out[0] = am_cache_append(b, "latent", am_rms_norm(b, "kv_a_layernorm", am_slice(b, both, -1, 0, R), eps, 0));
    out[1] = AM_NONE;
    if (!rope) return;
    am_value key = am_split_heads(b, am_slice(b, both, -1, R, R + a->rope_dim), 1);
    out[1] = am_cache_append(b, "shared_key", am_rope_apply(b, rope, key));
}

/* The same, or those of the layer that it reads. */
static void latents_of(am_builder *b, am_value x, const am_latent_attention *a, const am_decoder_layer *layer,
                       const am_rope *rope, am_value out[2])
{
    const am_decoder_options *o = layer->options;
    run *r = (run *)o->context;
    if (source_of(o->config, layer->index) == layer->index) {
        own_latents(b, x, a, o->rms_norm_eps, rope, out);
        if (!lends(o, layer->index)) return;
        r->latent[rope != NULL] = out[0];
        r->key[rope != NULL] = out[1];
        return;
    }
    out[0] = r->latent[rope != NULL];
    out[1] = r->key[rope != NULL];
    if (!out[0].id && !am_builder_failed(b))
        am_config_fail(o->config, "kv_source_layers", "layer %d reads those of a layer %s positions", layer->index,
                       rope ? "without" : "with");
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_decoder_options options = *layer->options;
    const am_config *c = options.config;
    const run *r = options.context;
    am_latent_attention a = read_attention(c, &options);
    am_attention_options sparse = *layer->attention;
    int64_t H = a.heads, D = a.nope_dim + a.rope_dim;
    am_value parts[2], q = am_split_heads(b, am_linear(b, "q_proj", x, H * D, AM_NO_BIAS), H);
    sparse.rope = is_rotated(c, layer->index) ? &r->rope : NULL;
    if (!sparse.rope) a.nope_dim = D, a.rope_dim = 0;
    else
        q = am_concat2(b, am_slice(b, q, -1, 0, a.nope_dim),
                       am_rope_apply(b, sparse.rope, am_slice(b, q, -1, a.nope_dim, D)), -1);
    latents_of(b, x, &a, layer, sparse.rope, parts);
    if (am_builder_failed(b)) return AM_NONE;
    q = am_mul(b, q, sharpness(b, r, H));
    int64_t width = a.nope_dim + a.v_dim;
    am_value heads = am_split_heads(b, am_linear(b, "kv_b_proj", parts[0], H * width, AM_NO_BIAS), H),
             k = am_slice(b, heads, -1, 0, a.nope_dim), v = am_slice(b, heads, -1, a.nope_dim, width);
    if (parts[1].id) {
        am_shape shape = am_shape_of_value(b, parts[1]);
        shape.dims[2] = H;
        k = am_concat2(b, k, am_broadcast(b, parts[1], shape), -1);
    }
    sparse.mask = choose_keys(b, x, layer, &sparse);
    sparse.scale = a.scale;
    x = am_merge_heads(b, am_attend_cached(b, q, k, v, &sparse));
    return am_linear(b, "o_proj", x, options.hidden_size, a.bias ? AM_BIAS : AM_NO_BIAS);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    static const am_deepseek_fields fields = {.experts = "n_routed_experts",
                                              .experts_alias = "num_experts",
                                              .shared = "n_shared_experts",
                                              .count = 128,
                                              .intermediate_size = 6144,
                                              .top_k = 4,
                                              .groups = 1,
                                              .group_top_k = 1,
                                              .scale = 1,
                                              .softmax = true,
                                              .always_normalized = true,
                                              .gate = "w1",
                                              .up = "w3",
                                              .down = "w2"};
    const am_config *c = layer->options->config;
    if (!am_is_mixture_layer(c, layer->index, am_config_int(c, "first_k_dense_replace", 1)))
        return am_decoder_mlp(b, x, layer);
    return am_deepseek_mixture_of(b, x, layer->options->hidden_act, &fields);
}

/* --- the class --- */

static void adapt(const am_config *c, am_decoder_options *o)
{
    read_attention(c, o);
    o->own_rope = true;
    o->mlp_bias = false;
    o->attention = attention;
    o->mlp = mixture;
    o->enter = enter;
}

static const am_decoder_family family = {
    .defaults = {.vocab_size = 204800,
                 .hidden_size = 6144,
                 .intermediate_size = 24576,
                 .num_hidden_layers = 72,
                 .num_attention_heads = 64,
                 .num_key_value_heads = 64,
                 .head_dim = 64,
                 .max_position_embeddings = 1048576,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

static void text_model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), &family);
    run r = {0};
    o.context = &r;
    am_output(b, "last_hidden_state", am_decoder_body(b, &o, ""));
}

static const am_architecture architectures[] = {
    {"MistralLarge4TextModel", text_model, "feature-extraction", 0},
    {0},
};

const am_renaming am_mistral_large4_text_names[] = {
    {".self_attn.", ".attention."},
    {".q_proj.", ".wq."},
    {".kv_a_proj_with_mqa.", ".wkv_a_with_mqa."},
    {".kv_b_proj.", ".wkv_b."},
    {".kv_a_layernorm.", ".kv_a_norm."},
    {".softmax_scaling.scale", ".ssmax_scaling.s"},
    {".softmax_scaling.bias", ".ssmax_scaling.b"},
    {".input_layernorm.", ".attention_norm."},
    {".post_attention_layernorm.", ".ffn_norm."},
    {".mlp.gate.", ".gate."},
    {".mlp.experts.", ".experts."},
    {".mlp.shared_experts.", ".shared_experts."},
    {".mlp.", ".feed_forward."},
    {0},
};

static const am_renaming *const renamings[] = {am_mistral_large4_text_names, NULL};

const am_model_type am_model_mistral_large4_text = {
    .name = "mistral_large4_text", .architectures = architectures, .renamings = renamings};
