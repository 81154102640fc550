/* LongCat Flash: layers of two multi-head latent attentions and two MLPs, one after the other, past which a mixture of
   experts leads from the first attention to the layer's end; some of the experts give what they read. transformers:
   models/longcat_flash/modeling_longcat_flash.py */
#include "models/blocks/experts.h"
#include "models/blocks/latent_attention.h"

#include <math.h>

static const am_latent_defaults defaults = {.q_lora_rank = 1536,
                                            .kv_lora_rank = 512,
                                            .nope_dim = 128,
                                            .rope_dim = 64,
                                            .v_dim = 128,
                                            .theta = 10000000,
                                            .max_position_embeddings = 131072};

static am_latent_attention read_attention(const am_config *c, am_decoder_options *o)
{
    am_latent_attention a = am_latent_attention_of(c, o, &defaults);
    if (!a.q_lora_rank) am_config_fail(c, "q_lora_rank", "expected a size, found none");
    a.query_scale = sqrt((double)o->hidden_size / (double)(a.q_lora_rank ? a.q_lora_rank : 1));
    a.latent_scale = sqrt((double)o->hidden_size / (double)a.kv_lora_rank);
    return a;
}

/* Weights and experts: [N, top_k] of x: [N, C]; the first `count` experts have weights, the others have none. */
static am_value choose(am_builder *b, am_value x, const am_config *c, int64_t count, int64_t zero,
                       am_value *out_experts)
{
    am_expert_routing_attributes routing = {
        .top_k = am_config_size(c, am_config_either(c, "moe_topk", "num_experts_per_tok"), 12),
        .scale = am_config_real(c, "routed_scaling_factor", 6)};
    am_scope(b, "router");
    am_value logits = am_linear(b, "classifier", x, count + zero, AM_NO_BIAS);
    am_value bias = am_weight(b, "e_score_correction_bias", am_shape_of(count + zero));
    am_end_scope(b);
    return am_expert_routing(b, logits, bias, &routing, out_experts);
}

static am_value mixture(am_builder *b, am_value x, const am_decoder_options *o)
{
    const am_config *c = o->config;
    int64_t zero = am_config_is_null(c, "zero_expert_num") ? 0 : am_config_count(c, "zero_expert_num", 256);
    am_experts_options options = {
        .count = am_config_size(c, am_config_either(c, "n_routed_experts", "num_local_experts"), 512),
        .intermediate_size =
            am_config_size(c, am_config_either(c, "expert_ffn_hidden_size", "moe_intermediate_size"), 2048),
        .activation = o->hidden_act};
    am_value experts, rows = am_flatten(b, x, 0, 1);
    am_value weights = choose(b, rows, c, options.count, zero, &experts), none = am_scalar(b, AM_F32, 0);
    am_value real = am_binary_number(b, AM_LESS, experts, (double)options.count);
    am_value kept = am_reduce_last(b, AM_REDUCE_SUM, am_select(b, real, none, weights));
    experts = am_binary_number(b, AM_MIN, experts, (double)(options.count - 1));
    am_value routed = am_chosen_experts(b, rows, experts, am_select(b, real, weights, none), &options);
    return am_reshape(b, am_add(b, routed, am_mul(b, rows, kept)), am_shape_of_value(b, x));
}

/* x + attention(norm(x)) of attention `number` of the layer. */
static am_value attend(am_builder *b, am_value x, const am_decoder_layer *layer, int number)
{
    am_decoder_options options = *layer->options;
    am_latent_attention a = read_attention(options.config, &options);
    am_value h = am_rms_norm(b, number ? "input_layernorm.1" : "input_layernorm.0", x, options.rms_norm_eps, 0);
    am_scope(b, "self_attn.%d", number);
    h = am_latent_attend(b, h, am_latent_query(b, h, &a), &a, layer->attention);
    am_end_scope(b);
    return am_add(b, x, h);
}

static am_value in_scope(am_builder *b, const char *scope, am_value x, const am_decoder_layer *layer)
{
    am_scope(b, "%s", scope);
    x = am_decoder_mlp(b, x, layer);
    am_end_scope(b);
    return x;
}

static am_value whole_layer(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    x = attend(b, x, layer, 0);
    am_value h = am_rms_norm(b, "post_attention_layernorm.0", x, o->rms_norm_eps, 0);
    am_scope(b, "mlp");
    am_value shortcut = mixture(b, h, o);
    am_end_scope(b);
    x = attend(b, am_add(b, x, in_scope(b, "mlps.0", h, layer)), layer, 1);
    h = am_rms_norm(b, "post_attention_layernorm.1", x, o->rms_norm_eps, 0);
    return am_add(b, am_add(b, x, in_scope(b, "mlps.1", h, layer)), shortcut);
}

static am_value nothing(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    (void)b, (void)layer;
    return x;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms none = {0};
    o->num_hidden_layers = am_config_count(c, "num_layers", am_config_count(c, "num_hidden_layers", 56) / 2);
    if (o->num_hidden_layers > AM_LAYERS_LIMIT) {
        am_config_unsupported(c, "num_layers", "at most %d are supported, found %lld", AM_LAYERS_LIMIT,
                              (long long)o->num_hidden_layers);
        o->num_hidden_layers = 0;
    }
    o->intermediate_size = am_config_size(c, am_config_either(c, "ffn_hidden_size", "intermediate_size"), 12288);
    read_attention(c, o);
    o->rotary_interleaved = true;
    o->norms = &none;
    o->attention = whole_layer;
    o->attention_scope = "";
    o->mlp = nothing;
    o->parts_add_residual = true;
}

static const am_architecture architectures[] = {
    {"LongcatFlashModel", am_decoder_model, "feature-extraction", 0},
    {"LongcatFlashForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 131072,
                 .hidden_size = 6144,
                 .num_attention_heads = 64,
                 .head_dim = 64,
                 .max_position_embeddings = 131072,
                 .rms_norm_eps = 1e-5},
    .adapt = adapt,
};

const am_model_type am_model_longcat_flash = {
    .name = "longcat_flash", .base_prefix = "model", .architectures = architectures, .family = &family};
