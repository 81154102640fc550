/* RoCBert: BERT that reads each character's shape and pronunciation beside the character. transformers:
   models/roc_bert/modeling_roc_bert.py */
#include "models/blocks/text_classes.h"

typedef struct roc_bert {
    am_bert_options body;
    bool concat_input, enable_shape, enable_pronunciation;
    int64_t shape_vocab_size, shape_embed_dim, pronunciation_vocab_size, pronunciation_embed_dim;
} roc_bert;

static roc_bert read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    return (roc_bert){
        .body = am_bert_decoder_options_read(c),
        .concat_input = am_config_flag(c, "concat_input", true),
        .enable_shape = am_config_flag(c, "enable_shape", true),
        .enable_pronunciation = am_config_flag(c, "enable_pronunciation", true),
        .shape_vocab_size = am_config_size(c, "shape_vocab_size", 24858),
        .shape_embed_dim = am_config_size(c, "shape_embed_dim", 512),
        .pronunciation_vocab_size = am_config_size(c, "pronunciation_vocab_size", 910),
        .pronunciation_embed_dim = am_config_size(c, "pronunciation_embed_dim", 768),
    };
}

/* Rows of shapes and of pronunciations, those that the configuration has; not given, they are row 0 or, with
   `given_only`, none. Gives how many there are. */
static int senses(am_builder *b, const roc_bert *c, int64_t T, bool given_only, am_value out[2])
{
    const struct {
        const char *table, *input;
        bool enabled;
        int64_t count, width;
    } all[] = {{"shape_embed", "input_shape_ids", c->enable_shape, c->shape_vocab_size, c->shape_embed_dim},
               {"pronunciation_embed", "input_pronunciation_ids", c->enable_pronunciation, c->pronunciation_vocab_size,
                c->pronunciation_embed_dim}};
    int found = 0;
    for (int i = 0; i < 2; i++) {
        am_value ids = am_flat_input(b, all[i].input);
        if (!all[i].enabled || (!ids.id && given_only)) continue;
        if (!ids.id) ids = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 0);
        out[found++] = am_embedding(b, all[i].table, ids, all[i].count, all[i].width);
    }
    return found;
}

/* words: [B, T, C], side by side with the senses and mapped to C numbers again */
static am_value join_senses(am_builder *b, const roc_bert *c, am_value words)
{
    am_value parts[3] = {words};
    int64_t B = am_dim(b, words, 0), T = am_dim(b, words, 1);
    int count = senses(b, c, T, false, parts + 1);
    for (int i = 1; i <= count; i++) parts[i] = am_broadcast(b, parts[i], am_shape_of(B, T, am_dim(b, parts[i], 2)));
    return am_linear(b, "map_inputs_layer", am_concat(b, parts, count + 1, 2), c->body.hidden_size, AM_BIAS);
}

/* x: [B, T, C], averaged with the senses that are given */
static am_value average_senses(am_builder *b, const roc_bert *c, am_value x)
{
    am_value found[2];
    int count = senses(b, c, am_dim(b, x, 1), true, found);
    for (int i = 0; i < count; i++) x = am_add(b, x, found[i]);
    return am_mul_number(b, x, 1.0 / (1 + count));
}

static am_value embeddings(am_builder *b, const roc_bert *c)
{
    const am_bert_options *o = &c->body;
    int64_t C = o->hidden_size;
    am_scope(b, "embeddings");
    am_value x = am_input_embeddings(b, "word_embeddings", o->vocab_size, C);
    int64_t T = am_dim(b, x, 1);
    if (c->concat_input) x = join_senses(b, c, x);
    x = am_add(b, x, am_embedding(b, "token_type_embeddings", am_token_types(b, T), o->type_vocab_size, C));
    x = am_add(b, x, am_embedding(b, "position_embeddings", am_bert_positions(b, o, T), o->max_position_embeddings, C));
    x = am_layer_norm(b, "LayerNorm", x, o->layer_norm_eps);
    if (!c->concat_input) x = average_senses(b, c, x);
    am_end_scope(b);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    roc_bert c = read_config(b);
    am_scope(b, "%s", prefix);
    am_value x = am_bert_encoder(b, embeddings(b, &c), &c.body);
    am_end_scope(b);
    return x;
}

static void for_language_modeling(am_builder *b)
{
    roc_bert c = read_config(b);
    am_output(b, "logits", am_bert_lm_logits(b, body(b, "roc_bert"), &c.body, "roc_bert"));
}

static const am_architecture architectures[] = {
    {"RoCBertModel", am_text_model, "feature-extraction", 0},
    {"RoCBertForPreTraining", for_language_modeling, NULL, 0},
    {"RoCBertForMaskedLM", for_language_modeling, "fill-mask", 0},
    {"RoCBertForCausalLM", for_language_modeling, "text-generation", AM_GENERATES},
    {"RoCBertForSequenceClassification", am_text_for_sequence_classification, "text-classification", 0},
    {"RoCBertForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"RoCBertForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"RoCBertForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "roc_bert", .body = body};

const am_model_type am_model_roc_bert = {
    .name = "roc_bert", .base_prefix = "roc_bert", .architectures = architectures, .family = &family};
