/* MobileBERT: thin layers between bottlenecks: each narrows its input, attends, runs several feed-forward
   networks and widens again; NoNorm (a scale and a shift) stands where BERT has layer norms. Words are embedded
   with both neighbours. transformers: models/mobilebert/modeling_mobilebert.py */
#include "models/blocks/text_classes.h"

#include <string.h>

typedef struct mobilebert_config {
    am_bert_options body;
    int64_t true_hidden_size; /* of the thin layers */
    int64_t feed_forward_networks;
    bool trigram_input, use_bottleneck, use_bottleneck_attention, key_query_shared_bottleneck;
    bool no_norm; /* normalization_type */
    bool classifier_activation;
} mobilebert_config;

static mobilebert_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    mobilebert_config m = {.body = am_bert_options_read(c),
                           .feed_forward_networks = am_config_count(c, "num_feedforward_networks", 4),
                           .trigram_input = am_config_flag(c, "trigram_input", true),
                           .use_bottleneck = am_config_flag(c, "use_bottleneck", true),
                           .use_bottleneck_attention = am_config_flag(c, "use_bottleneck_attention", false),
                           .key_query_shared_bottleneck = am_config_flag(c, "key_query_shared_bottleneck", true),
                           .classifier_activation = am_config_flag(c, "classifier_activation", true)};
    m.body.hidden_size = am_config_size(c, "hidden_size", 512);
    m.body.num_hidden_layers = am_config_count(c, "num_hidden_layers", 24);
    m.body.num_attention_heads = am_config_size(c, "num_attention_heads", 4);
    m.body.intermediate_size = am_config_size(c, "intermediate_size", 512);
    m.body.hidden_act = am_config_activation(c, "hidden_act", AM_RELU);
    m.body.embedding_size = am_config_size(c, "embedding_size", 128);
    m.true_hidden_size = m.use_bottleneck ? am_config_size(c, "intra_bottleneck_size", 128) : m.body.hidden_size;
    const char *norm = am_config_text(c, "normalization_type", "no_norm");
    m.no_norm = strcmp(norm, "no_norm") == 0;
    if (!m.no_norm && strcmp(norm, "layer_norm") != 0)
        am_config_unsupported(c, "normalization_type", "\"%s\" is not supported", norm);
    am_config_check_divides(c, "num_attention_heads", m.body.num_attention_heads, "intra_bottleneck_size",
                            m.true_hidden_size);
    return m;
}

static am_value norm(am_builder *b, const char *name, am_value x, const mobilebert_config *c, double eps)
{
    if (!c->no_norm) return am_layer_norm(b, name, x, eps);
    am_shape width = am_shape_of(am_dim(b, x, -1));
    am_scope(b, "%s", name);
    x = am_add(b, am_mul(b, x, am_weight(b, "weight", width)), am_weight(b, "bias", width));
    am_end_scope(b);
    return x;
}

/* dense, then residual (or AM_NONE), then LayerNorm, below NAME: [B, T, out] */
static am_value dense_norm(am_builder *b, const char *name, am_value x, int64_t out, am_value residual,
                           const mobilebert_config *c, double eps)
{
    am_scope(b, "%s", name);
    x = am_linear(b, "dense", x, out, AM_BIAS);
    x = norm(b, "LayerNorm", residual.id ? am_add(b, x, residual) : x, c, eps);
    am_end_scope(b);
    return x;
}

static const double CLASS_EPS = 1e-5; /* where the class leaves torch's default */

static am_value embeddings(am_builder *b, const mobilebert_config *c)
{
    const am_bert_options *o = &c->body;
    am_value ids = am_flat_input(b, "input_ids");
    int64_t T = am_dim(b, ids, 1), C = o->hidden_size;
    if (!ids.id) return am_input(b, "input_ids", 2);
    am_scope(b, "embeddings");
    am_value x = am_embedding(b, "word_embeddings", ids, o->vocab_size, o->embedding_size);
    if (c->trigram_input) {
        am_value three[] = {am_pad_zero(b, am_slice(b, x, 1, 1, AM_SLICE_END), 1, 0, 1), x,
                            am_pad_zero(b, am_slice(b, x, 1, 0, -1), 1, 1, 0)};
        x = am_concat(b, three, 3, 2);
    }
    if (c->trigram_input || o->embedding_size != C) x = am_linear(b, "embedding_transformation", x, C, AM_BIAS);
    x = am_add(b, x,
               am_embedding(b, "position_embeddings", am_bert_positions(b, o, am_dim(b, ids, 1)),
                            o->max_position_embeddings, C));
    x = am_add(b, x, am_embedding(b, "token_type_embeddings", am_token_types(b, T), o->type_vocab_size, C));
    x = norm(b, "LayerNorm", x, c, CLASS_EPS);
    am_end_scope(b);
    return x;
}

/* What a layer attends with and adds to. */
typedef struct layer_inputs {
    am_value query_key, value, residual;
} layer_inputs;

static layer_inputs bottleneck(am_builder *b, am_value x, const mobilebert_config *c)
{
    double eps = c->body.layer_norm_eps;
    if (!c->use_bottleneck) return (layer_inputs){x, x, x};
    am_value thin = dense_norm(b, "bottleneck.input", x, c->true_hidden_size, AM_NONE, c, eps);
    if (c->use_bottleneck_attention) return (layer_inputs){thin, thin, thin};
    am_value shared = c->key_query_shared_bottleneck
                          ? dense_norm(b, "bottleneck.attention", x, c->true_hidden_size, AM_NONE, c, eps)
                          : x;
    return (layer_inputs){shared, x, thin};
}

static am_value heads_of(am_builder *b, const char *name, am_value x, const mobilebert_config *c)
{
    return am_split_heads(b, am_linear(b, name, x, c->true_hidden_size, AM_BIAS), c->body.num_attention_heads);
}

static am_value attention(am_builder *b, const layer_inputs *in, const mobilebert_config *c, am_value mask)
{
    am_scope(b, "attention");
    am_attention_inputs inputs = {.q = heads_of(b, "self.query", in->query_key, c),
                                  .k = heads_of(b, "self.key", in->query_key, c),
                                  .v = heads_of(b, "self.value", in->value, c),
                                  .mask = mask};
    am_value x = am_merge_heads(b, am_attention_op(b, &inputs, &(am_attention_attributes){0}));
    x = dense_norm(b, "output", x, c->true_hidden_size, in->residual, c, c->body.layer_norm_eps);
    am_end_scope(b);
    return x;
}

static am_value intermediate(am_builder *b, am_value x, const mobilebert_config *c)
{
    return am_linear_activation(b, "intermediate.dense", x, c->body.intermediate_size, AM_BIAS, c->body.hidden_act);
}

static am_value layer(am_builder *b, am_value x, const mobilebert_config *c, am_value mask)
{
    layer_inputs in = bottleneck(b, x, c);
    am_value h = attention(b, &in, c, mask);
    for (int i = 0; i + 1 < c->feed_forward_networks && !am_builder_failed(b); i++) {
        am_scope(b, "ffn.%d", i);
        h = dense_norm(b, "output", intermediate(b, h, c), c->true_hidden_size, h, c, c->body.layer_norm_eps);
        am_end_scope(b);
    }
    h = dense_norm(b, "output", intermediate(b, h, c), c->true_hidden_size, h, c, CLASS_EPS);
    return c->use_bottleneck ? dense_norm(b, "output.bottleneck", h, c->body.hidden_size, x, c, c->body.layer_norm_eps)
                             : h;
}

static am_value body(am_builder *b, const char *prefix)
{
    mobilebert_config c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = embeddings(b, &c), mask = am_flat_padding_mask(b);
    am_output_hidden_state(b, "hidden_states", 0, x);
    for (int i = 0; i < c.body.num_hidden_layers && !am_builder_failed(b); i++) {
        am_scope(b, "encoder.layer.%d", i);
        x = layer(b, x, &c, mask);
        am_end_scope(b);
        am_output_hidden_state(b, "hidden_states", i + 1, x);
    }
    am_end_scope(b);
    return x;
}

static am_value pooled(am_builder *b, const char *prefix, am_value x)
{
    return read_config(b).classifier_activation ? am_bert_pooler(b, prefix, x) : am_index(b, x, 1, 0);
}

static void mobilebert_model(am_builder *b)
{
    am_value x = body(b, "");
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", pooled(b, "", x));
}

/* The word table gives the logits of the first embedding_size channels, a table of its own the others'. */
static am_value lm_logits(am_builder *b, am_value x)
{
    mobilebert_config c = read_config(b);
    int64_t C = c.body.hidden_size, E = c.body.embedding_size, V = c.body.vocab_size;
    am_scope(b, "cls.predictions");
    x = am_linear_activation(b, "transform.dense", x, C, AM_BIAS, c.body.hidden_act);
    x = am_layer_norm(b, "transform.LayerNorm", x, c.body.layer_norm_eps);
    am_value logits = am_masked_lm_decoder(b, am_slice(b, x, -1, 0, E), V,
                                           am_config_flag(am_model_config(b), "tie_word_embeddings", true),
                                           "mobilebert.embeddings.word_embeddings.weight");
    if (C > E)
        logits = am_add(
            b, logits,
            am_matmul(b, am_slice(b, x, -1, E, C), am_weight(b, "dense.weight", am_shape_of(C - E, V)), false, false));
    am_end_scope(b);
    return logits;
}

static void for_pretraining(am_builder *b)
{
    am_value x = am_text_body(b);
    am_output(b, "prediction_logits", lm_logits(b, x));
    am_output(b, "seq_relationship_logits",
              am_linear(b, "cls.seq_relationship", pooled(b, "mobilebert", x), 2, AM_BIAS));
}

static void for_masked_lm(am_builder *b)
{
    am_output(b, "logits", lm_logits(b, am_text_body(b)));
}

static const am_architecture architectures[] = {
    {"MobileBertModel", mobilebert_model, "feature-extraction", 0},
    {"MobileBertForPreTraining", for_pretraining, NULL, 0},
    {"MobileBertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"MobileBertForNextSentencePrediction", am_text_for_next_sentence_prediction, NULL, 0},
    {"MobileBertForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"MobileBertForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"MobileBertForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"MobileBertForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "mobilebert", .body = body, .pooled = pooled};

const am_model_type am_model_mobilebert = {
    .name = "mobilebert", .base_prefix = "mobilebert", .architectures = architectures, .family = &family};
