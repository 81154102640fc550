/* Decision Transformer (arXiv 2106.01345): GPT-2 over the steps of an episode, each of which is three tokens: the
   return still wanted, the state, the action. Places in the episode are embedded with them; GPT-2's own positions are
   all 0. transformers: models/decision_transformer/modeling_decision_transformer.py */
#include "models/blocks/attention.h"
#include "models/blocks/gpt2.h"

enum { TOKENS = 3 }; /* of a step */

static am_gpt2 read_config(am_builder *b)
{
    static const am_gpt_config defaults = {
        .n_positions = 1024, .n_embd = 128, .n_layer = 3, .n_head = 1, .layer_norm_epsilon = 1e-5};
    return am_gpt2_read(b, defaults, AM_RELU);
}

static am_value body(am_builder *b, const char *prefix)
{
    am_gpt2 m = read_config(b);
    return am_gpt2_body(b, &m, prefix);
}

/* The linear NAME of an input, [B, T, size], with the embeddings of the places: [B, T, 1, C]. */
static am_value embed(am_builder *b, const char *input, const char *name, int64_t size, am_value times)
{
    am_value x = am_input(b, input, 3);
    if (am_rank(b, x) == 3 && am_dim(b, x, 2) != size)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s: expected %lld numbers a step, found %lld", input,
                                    (long long)size, (long long)am_dim(b, x, 2)));
    x = am_linear(b, name, x, am_dim(b, times, 2), AM_BIAS);
    return am_unsqueeze(b, am_add(b, x, times), 2);
}

/* Tokens of the steps, normed: [B, 3 T, C]. */
static am_value tokens(am_builder *b, int64_t C)
{
    const am_config *c = am_model_config(b);
    int64_t longest = am_config_size(c, "max_ep_len", 4096);
    am_value times = am_embedding(b, "embed_timestep", am_input(b, "timesteps", 2), longest, C);
    const am_value parts[TOKENS] = {
        embed(b, "returns_to_go", "embed_return", 1, times),
        embed(b, "states", "embed_state", am_config_size(c, "state_dim", 17), times),
        embed(b, "actions", "embed_action", am_config_size(c, "act_dim", 4), times),
    };
    am_value x = am_flatten(b, am_concat(b, parts, TOKENS, 2), 1, 2);
    return am_layer_norm(b, "embed_ln", x, 1e-5);
}

/* The input attention_mask of the steps, [B, T], for their tokens: [B, 1, 1, 3 T] or AM_NONE. */
static am_value tokens_mask(am_builder *b)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) return AM_NONE;
    int64_t B = am_dim(b, mask, 0), T = am_dim(b, mask, 1);
    mask = am_broadcast(b, am_unsqueeze(b, mask, 2), am_shape_of(B, T, TOKENS));
    return am_padding_mask_of(b, am_flatten(b, mask, 1, 2));
}

static void output_predictions(am_builder *b, am_value x)
{
    const am_config *c = am_model_config(b);
    am_value of_state = am_index(b, x, 2, 1), of_action = am_index(b, x, 2, 2);
    am_unary_fn squash = am_config_flag(c, "action_tanh", true) ? AM_TANH : AM_IDENTITY;
    int64_t states = am_config_size(c, "state_dim", 17), actions = am_config_size(c, "act_dim", 4);
    am_output(b, "state_preds", am_linear(b, "predict_state", of_action, states, AM_BIAS));
    am_output(b, "action_preds", am_linear_activation(b, "predict_action.0", of_state, actions, AM_BIAS, squash));
    am_output(b, "return_preds", am_linear(b, "predict_return", of_action, 1, AM_BIAS));
}

static void decision_transformer_model(am_builder *b)
{
    am_gpt2 m = read_config(b);
    m.mask = tokens_mask(b);
    m.encoded = (am_encoder_states){0};  /* this class hands none on */
    am_input_optional(b, "rewards", -1); /* taken, and not looked at */
    am_value x = tokens(b, m.config.n_embd);
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1);
    am_scope(b, "encoder");
    x = am_gpt2_layers(b, x, am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 0), &m);
    am_end_scope(b);
    am_output(b, "last_hidden_state", x);
    output_predictions(b, am_reshape(b, x, am_shape_of(B, T / TOKENS, TOKENS, m.config.n_embd)));
}

static const am_architecture architectures[] = {
    {"DecisionTransformerGPT2Model", am_causal_model, NULL, 0},
    {"DecisionTransformerModel", decision_transformer_model, NULL, 0},
    {0},
};

static const am_causal_family family = {.body = body, .vocab_size = 1};

const am_model_type am_model_decision_transformer = {.name = "decision_transformer",
                                                     .base_prefix = "decision_transformer",
                                                     .architectures = architectures,
                                                     .family = &family};
