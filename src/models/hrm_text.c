/* HRM-Text: two stacks of LLaMA's layers without weights in their norms and with gated attention, which run in cycles:
   the low one several times, reading what the high one gave, then the high one. transformers:
   models/hrm_text/modeling_hrm_text.py */
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"

enum { CALLS_LIMIT = 4096 };

typedef struct hrm {
    int64_t hidden_size, intermediate_size, layers; /* layers of each stack */
    double eps;
    am_unary_fn activation;
    int bias, mlp_bias;
    am_attention_options attention;
    int calls;     /* of layers so far: each has a cache of its own, and is a hidden state */
    int last_call; /* the state after it is normed */
} hrm;

static am_value norm(am_builder *b, am_value x, const hrm *h)
{
    const am_norm_attributes options = {.kind = AM_NORM_RMS, .eps = h->eps};
    return am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &options);
}

/* NAME.weight of `count` projections in one, each to `width` numbers; their biases, where there are any, stand by
   themselves. */
static am_value fused(am_builder *b, const char *name, const char *const *biases, int count, am_value x, int64_t width,
                      bool biased)
{
    am_value bias = AM_NONE, parts[4];
    am_scope(b, "%s", name);
    am_value weight = am_weight(b, "weight", am_shape_of(count * width, am_dim(b, x, -1)));
    am_end_scope(b);
    for (int i = 0; biased && i < count; i++) parts[i] = am_weight(b, biases[i], am_shape_of(width));
    if (biased) bias = am_concat(b, parts, count, 0);
    return am_linear_with(b, x, weight, bias);
}

/* Gates, queries, keys and values come of one projection. */
static am_value attend(am_builder *b, am_value x, const hrm *h)
{
    const am_attention_options *o = &h->attention;
    int64_t width = o->heads * o->head_dim;
    static const char *const biases[] = {"self_attn.gate_proj.bias", "self_attn.q_proj.bias", "self_attn.k_proj.bias",
                                         "self_attn.v_proj.bias"};
    am_value parts[4], all = fused(b, "attn.gqkv_proj", biases, 4, x, width, h->bias);
    for (int i = 0; i < 4; i++) {
        parts[i] = am_slice(b, all, -1, i * width, (i + 1) * width);
        if (i) parts[i] = am_split_heads(b, parts[i], o->heads);
        if (i == 1 || i == 2) parts[i] = am_rope_apply(b, o->rope, parts[i]);
    }
    am_scope(b, "call.%d", h->calls);
    am_value y = am_attend(b, parts[1], parts[2], parts[3], o);
    am_end_scope(b);
    return am_linear(b, "attn.o_proj", am_gated_activation(b, AM_SIGMOID, parts[0], y), h->hidden_size, h->bias);
}

static am_value mlp(am_builder *b, am_value x, const hrm *h)
{
    int64_t inner = h->intermediate_size;
    static const char *const biases[] = {"mlp.gate_proj.bias", "mlp.up_proj.bias"};
    am_value both = fused(b, "mlp.gate_up_proj", biases, 2, x, inner, h->mlp_bias);
    both = am_gated_activation(b, h->activation, both, AM_NONE);
    return am_linear(b, "mlp.down_proj", both, h->hidden_size, h->mlp_bias);
}

static am_value stack(am_builder *b, const char *name, am_value x, hrm *h)
{
    for (int i = 0; i < h->layers && !am_builder_failed(b); i++) {
        if (h->calls == 0) am_output_hidden_state(b, "hidden_states", 0, x);
        am_scope(b, "%s.layers.%d", name, i);
        x = am_add(b, x, attend(b, norm(b, x, h), h));
        x = am_add(b, x, mlp(b, norm(b, x, h), h));
        am_end_scope(b);
        h->calls++;
        if (h->last_call != h->calls) am_output_hidden_state(b, "hidden_states", h->calls, x);
    }
    return norm(b, x, h);
}

/* Layers in each stack: num_hidden_layers of older files; else that counts all calls. */
static int64_t stack_layers(const am_config *c)
{
    return am_config_count(c, "num_layers_per_stack", am_config_count(c, "num_hidden_layers", 16));
}

/* Tokens of type 1 see one another in both directions where prefix_lm says so. */
static void read_blocks(am_builder *b, const am_config *c, hrm *h)
{
    am_value types = am_input_optional(b, "token_type_ids", 2);
    if (!types.id || !am_config_flag(c, "prefix_lm", true) || am_dim(b, types, 1) == 1) return;
    am_value first = am_binary_number(b, AM_EQUAL, types, 1);
    am_value blocks = am_add_number(b, am_cast(b, first, AM_I32), -1);
    h->attention.mask = am_block_mask(b, blocks, &(am_block_mask_options){.mask = h->attention.mask});
    h->attention.causal = false;
}

static hrm read_options(am_builder *b, const am_config *c)
{
    hrm h = {.hidden_size = am_config_size(c, "hidden_size", 1536),
             .intermediate_size = am_config_size(c, "intermediate_size", 4096),
             .layers = stack_layers(c),
             .eps = am_config_real(c, "rms_norm_eps", 1e-6),
             .activation = am_config_activation(c, "hidden_act", AM_SILU),
             .bias = am_config_flag(c, "attention_bias", false),
             .mlp_bias = am_config_flag(c, "mlp_bias", false),
             .attention = {.heads = am_config_size(c, "num_attention_heads", 12),
                           .head_dim = am_config_size(c, "head_dim", 128),
                           .causal = true,
                           .mask = am_packed_mask(b, am_padding_mask(b, "attention_mask"), "position_ids")}};
    read_blocks(b, c, &h);
    return h;
}

static am_value body(am_builder *b, const char *prefix)
{
    const am_config *c = am_model_config(b);
    hrm h = read_options(b, c);
    int64_t high_cycles = am_config_count(c, "H_cycles", 2), low_cycles = am_config_count(c, "L_cycles", 3);
    if (high_cycles * (low_cycles + 1) > CALLS_LIMIT / (h.layers + 1)) {
        am_config_unsupported(c, "H_cycles", "at most %d calls of layers are supported", CALLS_LIMIT);
        return AM_NONE;
    }
    am_rope_config rope =
        am_rope_config_read_fields(c, &(am_rope_fields){.whole_heads = true}, h.attention.head_dim, 10000, 1, 2048);
    double scale = am_config_real(c, "embedding_scale", 1 / am_config_real(c, "initializer_range", 0.02));
    h.last_call = (int)(high_cycles * (low_cycles + 1) * h.layers);
    am_scope(b, "%s", prefix);
    am_value high = am_mul_number(b, am_causal_words(b, "embed_tokens", h.hidden_size), scale);
    am_rope tables = am_rope_tables(b, &rope, am_dim(b, high, 1));
    h.attention.rope = &tables;
    am_value low = am_cast(b, am_weight(b, "z_L_init", am_shape_of(h.hidden_size)), AM_F32);
    for (int i = 0; i < high_cycles && !am_builder_failed(b); i++) {
        for (int j = 0; j < low_cycles && !am_builder_failed(b); j++)
            low = stack(b, "L_module", am_add(b, high, low), &h);
        high = stack(b, "H_module", am_add(b, high, low), &h);
    }
    am_output_hidden_state(b, "hidden_states", h.last_call, high);
    am_end_scope(b);
    return high;
}

static const am_architecture architectures[] = {
    {"HrmTextModel", am_causal_model, "feature-extraction", 0},
    {"HrmTextForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {0},
};

static const am_causal_family family = {
    .body = body, .vocab_size = 151808, .untied = true, .prefix = "model", .embedding = "model.embed_tokens.weight"};

const am_model_type am_model_hrm_text = {
    .name = "hrm_text", .base_prefix = "model", .architectures = architectures, .family = &family};
