/* GPT-2: learned positions, pre-norm layers: x + attention(ln_1(x)), x + mlp(ln_2(x)); queries, keys and
   values come from one projection, weights are stored [in, out]; token types, where given, are embedded by
   the word table. transformers: models/gpt2/modeling_gpt2.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"

#include <math.h>

typedef struct gpt2_config {
    int64_t vocab_size, n_positions, n_embd, n_layer, n_head, n_inner;
    am_unary_fn activation_function;
    double layer_norm_epsilon;
    bool scale_attn_weights, scale_attn_by_inverse_layer_idx, is_causal, tied;
    int64_t labels, pad_token_id;
} gpt2_config;

static gpt2_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    gpt2_config g = {
        .vocab_size = am_config_size(c, "vocab_size", 50257),
        .n_positions = am_config_size(c, am_config_either(c, "n_positions", "max_position_embeddings"), 1024),
        .n_embd = am_config_size(c, am_config_either(c, "n_embd", "hidden_size"), 768),
        .n_layer = am_config_count(c, am_config_either(c, "n_layer", "num_hidden_layers"), 12),
        .n_head = am_config_size(c, am_config_either(c, "n_head", "num_attention_heads"), 12),
        .activation_function = am_config_activation(c, "activation_function", AM_GELU_TANH),
        .layer_norm_epsilon = am_config_real(c, "layer_norm_epsilon", 1e-5),
        .scale_attn_weights = am_config_flag(c, "scale_attn_weights", true),
        .scale_attn_by_inverse_layer_idx = am_config_flag(c, "scale_attn_by_inverse_layer_idx", false),
        .is_causal = am_config_flag(c, "is_causal", true),
        .tied = am_config_flag(c, "tie_word_embeddings", true),
        .labels = am_config_labels(c),
        .pad_token_id = am_pad_token(c, -1),
    };
    g.n_inner = am_config_size(c, "n_inner", 4 * g.n_embd);
    am_config_check_divides(c, "n_head", g.n_head, "n_embd", g.n_embd);
    if (am_config_flag(c, "add_cross_attention", false))
        am_config_unsupported(c, "add_cross_attention", "cross-attention is not supported in this class");
    return g;
}

static double attention_scale(const gpt2_config *c, int layer)
{
    double scale = c->scale_attn_weights ? 1 / sqrt((double)(c->n_embd / c->n_head)) : 1;
    return c->scale_attn_by_inverse_layer_idx ? scale / (layer + 1) : scale;
}

static am_value attention(am_builder *b, am_value x, const gpt2_config *c, am_value mask, int layer)
{
    am_attention_options options = {.causal = c->is_causal, .mask = mask, .scale = attention_scale(c, layer)};
    am_value qkv[3];
    am_scope(b, "attn");
    am_split_fused(b, am_linear_in_out(b, "c_attn", x, 3 * c->n_embd), c->n_head, false, qkv);
    x = am_linear_in_out(b, "c_proj", am_attend(b, qkv[0], qkv[1], qkv[2], &options), c->n_embd);
    am_end_scope(b);
    return x;
}

static am_value mlp(am_builder *b, am_value x, const gpt2_config *c)
{
    am_scope(b, "mlp");
    x = am_unary(b, c->activation_function, am_linear_in_out(b, "c_fc", x, c->n_inner));
    x = am_linear_in_out(b, "c_proj", x, c->n_embd);
    am_end_scope(b);
    return x;
}

static am_value block(am_builder *b, am_value x, const gpt2_config *c, am_value mask, int layer)
{
    am_scope(b, "h.%d", layer);
    x = am_add(b, x, attention(b, am_layer_norm(b, "ln_1", x, c->layer_norm_epsilon), c, mask, layer));
    x = am_add(b, x, mlp(b, am_layer_norm(b, "ln_2", x, c->layer_norm_epsilon), c));
    am_end_scope(b);
    return x;
}

static am_value embeddings(am_builder *b, const gpt2_config *c)
{
    am_value x = am_input_embeddings(b, "wte", c->vocab_size, c->n_embd), types = am_flat_input(b, "token_type_ids");
    x = am_add(b, x, am_embedding(b, "wpe", am_position_ids(b, am_dim(b, x, 1)), c->n_positions, c->n_embd));
    return types.id ? am_add(b, x, am_embedding(b, "wte", types, c->vocab_size, c->n_embd)) : x;
}

/* prefix "transformer" in classes with heads, "" in GPT2Model itself. -> [B, T, C]; choices are flattened
   into B */
static am_value body(am_builder *b, const gpt2_config *c, const char *prefix)
{
    am_value mask = am_flat_padding_mask(b);
    if (c->is_causal) mask = am_packed_mask(b, mask, "position_ids");
    am_scope(b, "%s", prefix);
    am_value x = embeddings(b, c);
    for (int i = 0; i < c->n_layer && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        x = block(b, x, c, mask, i);
    }
    x = am_layer_norm(b, "ln_f", x, c->layer_norm_epsilon);
    am_output_hidden_state(b, "hidden_states", (int)c->n_layer, am_unflatten_choices(b, x));
    am_end_scope(b);
    return x;
}

static am_value lm_logits(am_builder *b, const gpt2_config *c, am_value x)
{
    return am_lm_head(b, "lm_head", x, c->vocab_size, c->tied, "transformer.wte.weight", AM_NO_BIAS);
}

static void gpt2_model(am_builder *b)
{
    gpt2_config c = read_config(b);
    am_output(b, "last_hidden_state", am_unflatten_choices(b, body(b, &c, "")));
}

static void for_causal_lm(am_builder *b)
{
    gpt2_config c = read_config(b);
    am_output(b, "logits", am_unflatten_choices(b, lm_logits(b, &c, body(b, &c, "transformer"))));
}

/* logits of the text, and one score of each choice: [B, N], or [B] of a single text */
static void double_heads(am_builder *b)
{
    gpt2_config c = read_config(b);
    am_summary_options summary = {.type = "cls_index", .projected = true, .projected_to_labels = true};
    summary = am_summary_options_read(am_model_config(b), summary);
    am_value x = body(b, &c, "transformer"), positions = am_input_optional(b, "mc_token_ids", -1);
    am_output(b, "logits", am_unflatten_choices(b, lm_logits(b, &c, x)));
    if (positions.id) positions = am_reshape(b, positions, am_shape_of(-1));
    am_value scores = am_sequence_summary(b, "multiple_choice_head", x, positions, 1, &summary);
    if (am_dim(b, scores, -1) == 1) scores = am_squeeze(b, scores, -1);
    am_output(b, "mc_logits", am_unflatten_choices(b, scores));
}

static void for_sequence_classification(am_builder *b)
{
    gpt2_config c = read_config(b);
    am_value x = body(b, &c, "transformer");
    am_generic_sequence_classification(b, x, am_input(b, "input_ids", 2), c.labels, c.pad_token_id);
}

static void for_token_classification(am_builder *b)
{
    gpt2_config c = read_config(b);
    am_generic_token_classification(b, "classifier", body(b, &c, "transformer"), c.labels);
}

static void for_question_answering(am_builder *b)
{
    gpt2_config c = read_config(b);
    am_output_span_logits(b, "qa_outputs", body(b, &c, "transformer"));
}

static const am_architecture architectures[] = {
    {"GPT2Model", gpt2_model, "feature-extraction", 0},
    {"GPT2LMHeadModel", for_causal_lm, "text-generation", AM_GENERATES},
    {"GPT2DoubleHeadsModel", double_heads, NULL, AM_GENERATES},
    {"GPT2ForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"GPT2ForTokenClassification", for_token_classification, "token-classification", 0},
    {"GPT2ForQuestionAnswering", for_question_answering, "question-answering", 0},
    {0},
};

const am_model_type am_model_gpt2 = {.name = "gpt2", .base_prefix = "transformer", .architectures = architectures};
