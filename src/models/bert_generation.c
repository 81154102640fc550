/* BERT Generation: BERT without token types, whose decoder is followed by the table of words alone. transformers:
   models/bert_generation/modeling_bert_generation.py */
#include "models/blocks/bert_classes.h"
#include "models/blocks/heads.h"

static void adapt(const am_config *c, am_bert_options *o)
{
    o->vocab_size = am_config_size(c, "vocab_size", 50358);
    o->hidden_size = o->embedding_size = am_config_size(c, "hidden_size", 1024);
    o->num_hidden_layers = am_config_count(c, "num_hidden_layers", 24);
    o->num_attention_heads = am_config_size(c, "num_attention_heads", 16);
    o->intermediate_size = am_config_size(c, "intermediate_size", 4096);
    o->type_vocab_size = 0;
}

static void decoder(am_builder *b)
{
    const am_config *c = am_model_config(b);
    bool tied = am_config_flag(c, "tie_word_embeddings", true);
    am_bert_options o = am_bert_decoder_options_read(c);
    adapt(c, &o);
    am_value x = am_last_position_if_wanted(b, am_bert_body(b, &o, "bert"));
    am_scope(b, "lm_head");
    am_output(b, "logits", am_masked_lm_decoder(b, x, o.vocab_size, tied, "bert.embeddings.word_embeddings.weight"));
    am_end_scope(b);
}

static const am_architecture architectures[] = {
    {"BertGenerationEncoder", am_bert_model, "feature-extraction", 0},
    {"BertGenerationDecoder", decoder, "text-generation", AM_GENERATES},
    {0},
};

static const am_bert_family family = {.prefix = "bert", .adapt = adapt};

const am_model_type am_model_bert_generation = {
    .name = "bert-generation", .base_prefix = "bert", .architectures = architectures, .family = &family};
