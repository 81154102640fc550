/* GPT-Neo: GPT-2 with projections of their own for queries, keys and values, scores that are not scaled, and layers
   that in turn see all or look back through a window. transformers: models/gpt_neo/modeling_gpt_neo.py */
#include "models/blocks/attention.h"
#include "models/blocks/causal.h"

#include <string.h>

enum { LAYERS_LIMIT = 512 };

typedef struct gpt_neo {
    int64_t hidden_size, num_layers, num_heads, max_position_embeddings, intermediate_size, window_size;
    am_unary_fn activation_function;
    double eps;
    bool local[LAYERS_LIMIT];
    am_value mask;
} gpt_neo;

/* attention_types: [[["global", "local"], 12], ..], each list as often as its number says. */
static void read_attention_types(const am_config *c, gpt_neo *g)
{
    int64_t at = 0;
    bool listed = am_config_has(c, "attention_types");
    for (am_json_iterator i = am_json_iterate(am_json_get(c->object, "attention_types")); am_json_next(&i);) {
        am_json_iterator pair = am_json_iterate(i.value);
        am_json kinds = am_json_next(&pair) ? pair.value : (am_json){0};
        int64_t times = am_json_next(&pair) ? am_json_int(pair.value, 0) : 0;
        for (int64_t k = 0; k < times && at < g->num_layers && am_json_count(kinds); k++)
            for (am_json_iterator kind = am_json_iterate(kinds); am_json_next(&kind) && at < LAYERS_LIMIT; at++) {
                g->local[at] = am_json_equals(kind.value, "local");
                if (!g->local[at] && !am_json_equals(kind.value, "global"))
                    am_config_fail(c, "attention_types", "expected \"global\" or \"local\", found \"%s\"",
                                   am_json_text(kind.value).bytes);
            }
    }
    for (int64_t i = 0; !listed && i < g->num_layers; i++) g->local[i] = i % 2 == 1;
    if (listed && at != g->num_layers)
        am_config_fail(c, "attention_types", "%lld layers, num_layers says %lld", (long long)at,
                       (long long)g->num_layers);
}

static gpt_neo read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    gpt_neo g = {
        .hidden_size = am_config_size(c, "hidden_size", 2048),
        .num_layers = am_config_count(c, am_config_either(c, "num_layers", "num_hidden_layers"), 24),
        .num_heads = am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), 16),
        .max_position_embeddings = am_config_size(c, "max_position_embeddings", 2048),
        .window_size = am_config_size(c, "window_size", 256),
        .activation_function = am_config_activation(c, "activation_function", AM_GELU_TANH),
        .eps = am_config_real(c, "layer_norm_epsilon", 1e-5),
        .mask = am_packed_mask(b, am_padding_mask(b, "attention_mask"), "position_ids"),
    };
    g.intermediate_size = am_config_size(c, "intermediate_size", 4 * g.hidden_size);
    am_config_check_divides(c, "num_heads", g.num_heads, "hidden_size", g.hidden_size);
    if (g.num_layers > LAYERS_LIMIT)
        am_config_fail(c, "num_layers", "at most %d are supported, found %lld", LAYERS_LIMIT, (long long)g.num_layers);
    else read_attention_types(c, &g);
    return g;
}

static am_value layer(am_builder *b, am_value x, const void *context, int index)
{
    const gpt_neo *g = context;
    am_attention_options options = {.heads = g->num_heads,
                                    .no_q_bias = true,
                                    .no_k_bias = true,
                                    .no_v_bias = true,
                                    .causal = true,
                                    .scale = 1,
                                    .window = g->local[index] ? g->window_size : 0,
                                    .mask = g->mask};
    am_value h = am_layer_norm(b, "ln_1", x, g->eps);
    am_scope(b, "attn.attention");
    x = am_add(b, x, am_self_attention(b, h, &options));
    am_end_scope(b);
    h = am_layer_norm(b, "ln_2", x, g->eps);
    h = am_linear_activation(b, "mlp.c_fc", h, g->intermediate_size, AM_BIAS, g->activation_function);
    return am_add(b, x, am_linear(b, "mlp.c_proj", h, g->hidden_size, AM_BIAS));
}

static am_value body(am_builder *b, const char *prefix)
{
    gpt_neo g = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_causal_embeddings(b, "wte", g.hidden_size);
    am_value places = am_position_ids(b, am_dim(b, x, 1));
    x = am_add(b, x, am_embedding(b, "wpe", places, g.max_position_embeddings, g.hidden_size));
    x = am_causal_layers(b, "h", g.num_layers, x, layer, &g);
    x = am_causal_final_norm(b, "ln_f", x, g.eps, g.num_layers);
    am_end_scope(b);
    return x;
}

static const am_architecture architectures[] = {
    {"GPTNeoModel", am_causal_model, "feature-extraction", 0},
    {"GPTNeoForCausalLM", am_causal_for_causal_lm, "text-generation", AM_GENERATES},
    {"GPTNeoForSequenceClassification", am_causal_for_sequence_classification, "text-classification", 0},
    {"GPTNeoForTokenClassification", am_causal_for_token_classification, "token-classification", 0},
    {"GPTNeoForQuestionAnswering", am_causal_for_question_answering, "question-answering", 0},
    {0},
};

static const am_causal_family family = {.body = body, .vocab_size = 50257, .embedding = "transformer.wte.weight"};

const am_model_type am_model_gpt_neo = {
    .name = "gpt_neo", .base_prefix = "transformer", .architectures = architectures, .family = &family};
