/* Bark's three models: GPT's pre-norm layers over a text's or a sound's tokens that write the next (semantic, coarse),
   or over tokens of several codebooks, of which they tell one (fine). transformers: models/bark/modeling_bark.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"

#include <inttypes.h>
#include <stdio.h>

static const double NORM_EPS = 1e-5; /* not configurable */
enum { CODES_LIMIT = 1024 };

typedef struct bark_config {
    int64_t positions, vocab, out_vocab, layers, heads, width;
    int bias;
    bool norm_bias;
} bark_config;

static bark_config read_config(am_builder *b, bool causal)
{
    const am_config *c = am_model_config(b);
    bark_config r = {.positions = am_config_size(c, "block_size", 1024),
                     .vocab = am_config_size(c, "input_vocab_size", 10048),
                     .out_vocab = am_config_size(c, "output_vocab_size", 10048),
                     .layers = am_config_count(c, am_config_either(c, "num_layers", "num_hidden_layers"), 12),
                     .heads = am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), 12),
                     .width = am_config_size(c, "hidden_size", 768),
                     .bias = am_config_flag(c, "bias", true) ? AM_BIAS : AM_NO_BIAS};
    r.norm_bias = r.bias || !causal;
    am_config_check_divides(c, "num_heads", r.heads, "hidden_size", r.width);
    return r;
}

static am_value norm(am_builder *b, const char *name, am_value x, const bark_config *c)
{
    return c->norm_bias ? am_layer_norm(b, name, x, NORM_EPS) : am_layer_norm_no_bias(b, name, x, NORM_EPS);
}

static am_value layer(am_builder *b, am_value x, const am_attention_options *options, const bark_config *c)
{
    am_value qkv[3], h = norm(b, "layernorm_1", x, c);
    am_scope(b, "attn");
    am_split_fused(b, am_linear(b, "att_proj", h, 3 * c->width, c->bias), c->heads, false, qkv);
    h = am_linear(b, "out_proj", am_attend(b, qkv[0], qkv[1], qkv[2], options), c->width, c->bias);
    am_end_scope(b);
    x = am_add(b, x, h);
    h = am_linear_activation(b, "mlp.in_proj", norm(b, "layernorm_2", x, c), 4 * c->width, c->bias, AM_GELU);
    return am_add(b, x, am_linear(b, "mlp.out_proj", h, c->width, c->bias));
}

/* The states of x: [B, T, C], embedded, named as hidden states. */
static am_value body(am_builder *b, am_value x, bool causal, const bark_config *c)
{
    am_attention_options options = {.causal = causal, .mask = am_padding_mask(b, "attention_mask")};
    am_value places = am_position_ids(b, am_dim(b, x, 1));
    x = am_add(b, x, am_embedding(b, "position_embeds_layer", places, c->positions, c->width));
    for (int i = 0; i < c->layers && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        x = layer(b, x, &options, c);
        am_end_scope(b);
    }
    x = norm(b, "layernorm_final", x, c);
    am_output_hidden_state(b, "hidden_states", (int)c->layers, x);
    return x;
}

static void causal_model(am_builder *b)
{
    bark_config c = read_config(b, true);
    am_value x = body(b, am_input_embeddings(b, "input_embeds_layer", c.vocab, c.width), true, &c);
    am_output(b, "logits", am_linear(b, "lm_head", am_last_position_if_wanted(b, x), c.out_vocab, AM_NO_BIAS));
}

/* Rows of the first `count` codebooks of the input input_ids: [B, T, codebooks], summed; or inputs_embeds. */
static am_value embed_codes(am_builder *b, int64_t codebooks, int64_t count, const bark_config *c)
{
    am_value sum = AM_NONE, ids = AM_NONE;
    if (am_has_input(b, "inputs_embeds")) return am_input(b, "inputs_embeds", 3);
    ids = am_input(b, "input_ids", 3);
    if (ids.id && am_dim(b, ids, 2) < codebooks)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_ids has %" PRId64 " codebooks, expected %" PRId64,
                                    am_dim(b, ids, 2), codebooks));
    for (int i = 0; i < count && !am_builder_failed(b); i++) {
        char name[48];
        snprintf(name, sizeof name, "input_embeds_layers.%d", i);
        am_value x = am_embedding(b, name, am_index(b, ids, 2, i), c->vocab, c->width);
        sum = sum.id ? am_add(b, sum, x) : x;
    }
    return sum;
}

/* The argument codebook_idx: which codebook is told, by itself and those before it. */
static void fine_model(am_builder *b)
{
    const am_config *config = am_model_config(b);
    bark_config c = read_config(b, false);
    int64_t codebooks = am_config_size(config, "n_codes_total", 8), given = am_config_count(config, "n_codes_given", 1);
    int64_t told = am_model_argument(b, "codebook_idx", 0), head = told - given;
    bool tied = am_config_flag(config, "tie_word_embeddings", true);
    char name[48], table[64];
    if (codebooks > CODES_LIMIT) am_config_fail(config, "n_codes_total", "expected %d or fewer", CODES_LIMIT);
    if (told < 1 || head < 0 || told >= codebooks) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "codebook_idx is %" PRId64 ", expected 1 or more, from n_codes_given, %" PRId64
                                    ", to less than n_codes_total, %" PRId64,
                                    told, given, codebooks));
        return;
    }
    am_value x = body(b, embed_codes(b, codebooks, told + 1, &c), false, &c);
    snprintf(name, sizeof name, "lm_heads.%" PRId64, head);
    snprintf(table, sizeof table, "input_embeds_layers.%" PRId64 ".weight", head + 1);
    am_output(b, "logits", am_lm_head(b, name, x, c.out_vocab, tied, table, AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"BarkSemanticModel", causal_model, NULL, AM_GENERATES},
    {"BarkCoarseModel", causal_model, NULL, AM_GENERATES},
    {"BarkFineModel", fine_model, NULL, 0},
    {0},
};

const am_model_type am_model_bark = {.name = "semantic coarse_acoustics fine_acoustics",
                                     .architectures = architectures};
