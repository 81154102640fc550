/* Falcon-H1 (arXiv 2507.22448): layers in which attention and Mamba 2 read the same tokens side by side, with
   multipliers all over. transformers: models/falcon_h1/modeling_falcon_h1.py */
#include "models/blocks/decoder.h"
#include "models/blocks/state_space.h"

/* Element i of the list KEY, or 1. */
static double list_number(const am_config *c, const char *key, int i)
{
    for (am_json_iterator at = am_json_iterate(am_json_get(c->object, key)); am_json_next(&at); i--)
        if (i == 0) return am_json_real(at.value, 1);
    return 1;
}

static am_value scaled(am_builder *b, am_value x, double factor)
{
    return factor == 1 ? x : am_mul_number(b, x, factor);
}

static am_value scaled_by(am_builder *b, am_value x, const am_config *c, const char *key)
{
    return scaled(b, x, am_config_real(c, key, 1));
}

/* mamba_d_ssm, or where it is null a multiple of C. */
static int64_t channels(const am_config *c, int64_t C)
{
    if (am_config_is_null(c, "mamba_d_ssm")) return am_config_size(c, "mamba_expand", 2) * C;
    return am_config_size(c, "mamba_d_ssm", 1024);
}

/* ssm_multipliers of gate, x, B, C and time step, each for all of its channels. */
static am_value multipliers(am_builder *b, const am_config *c, const am_mamba2_options *m)
{
    int64_t D = m->heads * m->head_dim, N = m->groups * m->state_size, sizes[] = {D, D, N, N, m->heads};
    am_value parts[5];
    for (int i = 0; i < 5; i++)
        parts[i] = am_broadcast(b, am_scalar(b, AM_F32, list_number(c, "ssm_multipliers", i)), am_shape_of(sizes[i]));
    return am_concat(b, parts, 5, 0);
}

static am_mamba2_options mamba_options(am_builder *b, const am_config *c, const am_decoder_options *o)
{
    am_mamba2_options m = {
        .heads = am_config_size(c, "mamba_n_heads", 128),
        .state_size = am_config_size(c, "mamba_d_state", 256),
        .groups = am_config_size(c, "mamba_n_groups", 1),
        .conv_kernel = am_config_size(c, "mamba_d_conv", 4),
        .bias = am_config_flag(c, "mamba_proj_bias", false),
        .out_bias = am_config_flag(c, "projectors_bias", false),
        .conv_bias = am_config_flag(c, "mamba_conv_bias", true),
        .activation = o->hidden_act,
        .gate_only = !am_config_flag(c, "mamba_rms_norm", false),
        .norm_before_gate = am_config_flag(c, "mamba_norm_before_gate", true),
        .norm_eps = o->rms_norm_eps,
    };
    int64_t D = channels(c, o->hidden_size);
    bool whole = am_config_is(c, "mamba_d_head", "auto");
    m.head_dim = whole ? D / m.heads : am_config_size(c, "mamba_d_head", D / m.heads);
    m.norm_groups = m.groups;
    am_read_time_step_limit(c, &m);
    am_config_check_divides(c, "mamba_n_groups", m.groups, "mamba_n_heads", m.heads);
    if (m.head_dim * m.heads != D)
        am_config_fail(c, "mamba_d_head", "%lld heads of %lld do not make %lld", (long long)m.heads,
                       (long long)m.head_dim, (long long)D);
    m.in_scale = multipliers(b, c, &m);
    return m;
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    am_value qkv[3];
    am_attention_options options = *layer->attention;
    options.rope = NULL;
    am_attention_heads(b, scaled_by(b, x, c, "attention_in_multiplier"), &options, qkv);
    am_value q = am_rope_apply(b, layer->attention->rope, qkv[0]),
             k = am_rope_apply(b, layer->attention->rope, scaled_by(b, qkv[1], c, "key_multiplier"));
    x = am_attend(b, q, k, qkv[2], layer->attention);
    x = am_linear(b, "o_proj", x, layer->options->hidden_size, layer->options->out_bias);
    return scaled_by(b, x, c, "attention_out_multiplier");
}

static am_value mixers(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_config *c = layer->options->config;
    am_mamba2_options options = mamba_options(b, c, layer->options);
    am_scope(b, "mamba");
    am_value remembered = am_mamba2_mixer(b, scaled_by(b, x, c, "ssm_in_multiplier"), &options);
    am_end_scope(b);
    am_scope(b, "self_attn");
    am_value attended = attention(b, x, layer);
    am_end_scope(b);
    return am_add(b, scaled_by(b, remembered, c, "ssm_out_multiplier"), attended);
}

static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    am_value gate = am_linear(b, "gate_proj", x, o->intermediate_size, o->mlp_bias);
    am_value up = am_linear(b, "up_proj", x, o->intermediate_size, o->mlp_bias);
    gate = scaled(b, gate, list_number(o->config, "mlp_multipliers", 0));
    x = am_linear(b, "down_proj", am_gated_activation(b, o->hidden_act, gate, up), o->hidden_size, o->mlp_bias);
    return scaled(b, x, list_number(o->config, "mlp_multipliers", 1));
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms norms = {.before_attention = "input_layernorm", .before_mlp = "pre_ff_layernorm"};
    o->norms = &norms;
    o->final_norm = "final_layernorm";
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    o->embedding_scale = am_config_real(c, "embedding_multiplier", 1);
    o->logits_multiplier = am_config_real(c, "lm_head_multiplier", 1);
    o->attention = mixers;
    o->attention_scope = "";
    o->mlp = mlp;
    o->mlp_scope = "feed_forward";
}

static const am_architecture architectures[] = {
    {"FalconH1Model", am_decoder_model, "feature-extraction", 0},
    {"FalconH1ForCausalLM", am_decoder_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.vocab_size = 128000,
                 .intermediate_size = 14336,
                 .num_key_value_heads = 8,
                 .max_position_embeddings = 8192,
                 .rms_norm_eps = 1e-5,
                 .has_pad_token = true},
    .adapt = adapt,
};

const am_model_type am_model_falcon_h1 = {
    .name = "falcon_h1", .base_prefix = "model", .architectures = architectures, .family = &family};
