/* OPT: learned positions that count attended tokens and start at row 2 of their table; layers of attention
   and feed-forward with the norm before (do_layer_norm_before) or after each; word embeddings of another
   width are projected in and, at the end, out. transformers: models/opt/modeling_opt.py */
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"

enum { POSITION_OFFSET = 2 };

static const double LAYER_NORM_EPS = 1e-5; /* not configurable */

typedef struct opt_config {
    int64_t hidden_size, num_hidden_layers, num_attention_heads, ffn_dim, max_position_embeddings, word_embed_proj_dim;
    am_unary_fn activation_function;
    bool do_layer_norm_before, final_layer_norm, enable_bias, layer_norm_elementwise_affine, is_causal;
    am_value mask;
} opt_config;

static opt_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    opt_config o = {
        .hidden_size = am_config_size(c, "hidden_size", 768),
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
        .num_attention_heads = am_config_size(c, "num_attention_heads", 12),
        .ffn_dim = am_config_size(c, "ffn_dim", 3072),
        .max_position_embeddings = am_config_size(c, "max_position_embeddings", 2048),
        .activation_function = am_config_activation(c, "activation_function", AM_RELU),
        .do_layer_norm_before = am_config_flag(c, "do_layer_norm_before", true),
        .enable_bias = am_config_flag(c, "enable_bias", true),
        .layer_norm_elementwise_affine = am_config_flag(c, "layer_norm_elementwise_affine", true),
        .is_causal = am_config_flag(c, "is_causal", true),
        .mask = am_padding_mask(b, "attention_mask"),
    };
    o.word_embed_proj_dim = am_config_size(c, "word_embed_proj_dim", o.hidden_size);
    o.final_layer_norm = o.do_layer_norm_before && !am_config_flag(c, "_remove_final_layer_norm", false);
    am_config_check_divides(c, "num_attention_heads", o.num_attention_heads, "hidden_size", o.hidden_size);
    return o;
}

static am_value norm(am_builder *b, const char *name, am_value x, const opt_config *c)
{
    if (c->layer_norm_elementwise_affine) return am_layer_norm(b, name, x, LAYER_NORM_EPS);
    am_norm_attributes options = {.kind = AM_NORM_LAYER, .eps = LAYER_NORM_EPS};
    return am_norm_op(b, x, AM_NONE, AM_NONE, AM_NONE, AM_NONE, &options);
}

static am_value attention(am_builder *b, am_value x, const opt_config *c)
{
    bool bare = !c->enable_bias;
    am_attention_options options = {.heads = c->num_attention_heads,
                                    .causal = c->is_causal,
                                    .mask = c->mask,
                                    .no_q_bias = bare,
                                    .no_k_bias = bare,
                                    .no_v_bias = bare,
                                    .no_out_bias = bare};
    am_scope(b, "self_attn");
    x = am_self_attention(b, x, &options);
    am_end_scope(b);
    return x;
}

static am_value feed_forward(am_builder *b, am_value x, const opt_config *c)
{
    int bias = c->enable_bias ? AM_BIAS : AM_NO_BIAS;
    x = am_linear_activation(b, "fc1", x, c->ffn_dim, bias, c->activation_function);
    return am_linear(b, "fc2", x, c->hidden_size, bias);
}

static am_value layer(am_builder *b, am_value x, const void *context, int index)
{
    const opt_config *c = context;
    (void)index;
    if (c->do_layer_norm_before) {
        x = am_add(b, x, attention(b, norm(b, "self_attn_layer_norm", x, c), c));
        return am_add(b, x, feed_forward(b, norm(b, "final_layer_norm", x, c), c));
    }
    x = norm(b, "self_attn_layer_norm", am_add(b, x, attention(b, x, c)), c);
    return norm(b, "final_layer_norm", am_add(b, x, feed_forward(b, x, c)), c);
}

/* rows of the position table: [1 or B, T] */
static am_value positions(am_builder *b, int64_t T)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id || am_has_cache(b) || am_has_input(b, "position_ids"))
        return am_add_number(b, am_position_ids(b, T), POSITION_OFFSET);
    mask = am_cast(b, mask, AM_I32);
    am_value seen = am_mul(b, am_scan(b, AM_REDUCE_SUM, mask, 1, false, false), mask);
    return am_add_number(b, seen, POSITION_OFFSET - 1);
}

static am_value embeddings(am_builder *b, const opt_config *c)
{
    am_value x = am_causal_words(b, "embed_tokens", c->word_embed_proj_dim), rows = positions(b, am_dim(b, x, 1));
    if (c->word_embed_proj_dim != c->hidden_size) x = am_linear(b, "project_in", x, c->hidden_size, AM_NO_BIAS);
    return am_add(
        b, x, am_embedding(b, "embed_positions", rows, c->max_position_embeddings + POSITION_OFFSET, c->hidden_size));
}

/* -> [B, T, word_embed_proj_dim] */
static am_value body(am_builder *b, const char *prefix)
{
    opt_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_causal_layers(b, "layers", c.num_hidden_layers, embeddings(b, &c), layer, &c);
    if (c.final_layer_norm) x = norm(b, "final_layer_norm", x, &c);
    if (c.word_embed_proj_dim != c.hidden_size) x = am_linear(b, "project_out", x, c.word_embed_proj_dim, AM_NO_BIAS);
    am_output_hidden_state(b, "hidden_states", (int)c.num_hidden_layers, x);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"OPTModel", am_causal_model, "feature-extraction", 0},
    {"OPTForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"OPTForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {"OPTForQuestionAnswering", am_causal_for_question_answering, "question-answering", 0},
    {0},
};

static const am_causal_family family = {.body = body,
                                        .vocab_size = 50272,
                                        .has_pad_token = true,
                                        .pad_token_id = 1,
                                        .prefix = "model.decoder",
                                        .base = "decoder",
                                        .embedding = "model.decoder.embed_tokens.weight"};

const am_model_type am_model_opt = {
    .name = "opt", .base_prefix = "model", .architectures = architectures, .family = &family};
