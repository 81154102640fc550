/* RoFormer: BERT's layers without learned positions; queries and keys (and values, if rotary_value) are rotated
   by angles that the file keeps as a table of sines and cosines. transformers:
   models/roformer/modeling_roformer.py */
#include "models/blocks/text_classes.h"

static am_bert_options options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_bert_options_read(c);
    o.vocab_size = am_config_size(c, "vocab_size", 50000);
    o.max_position_embeddings = am_config_size(c, "max_position_embeddings", 1536);
    o.embedding_size = am_config_size(c, "embedding_size", o.hidden_size);
    o.no_positions = true;
    return o;
}

/* Rows of encoder.embed_positions: sines of all pairs of a head, then cosines. */
static am_rope rotations(am_builder *b, const am_bert_options *o, int64_t T)
{
    int64_t D = o->hidden_size / o->num_attention_heads;
    am_value places = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1);
    if (am_has_cache(b)) places = am_add(b, places, am_cache_offset(b));
    am_value rows = am_embedding(b, "encoder.embed_positions", places, o->max_position_embeddings, D);
    return (am_rope){
        .sin = am_slice(b, rows, -1, 0, D / 2), .cos = am_slice(b, rows, -1, D / 2, AM_SLICE_END), .interleaved = true};
}

static am_value body(am_builder *b, const char *prefix)
{
    am_bert_options o = options(b);
    am_scope(b, "%s", prefix);
    am_value x = am_bert_embeddings(b, &o);
    if (o.embedding_size != o.hidden_size) x = am_linear(b, "embeddings_project", x, o.hidden_size, AM_BIAS);
    am_rope rope = rotations(b, &o, am_dim(b, x, 1));
    am_bert_attention attention = am_bert_attention_default(b, &o);
    attention.projections.rope = &rope;
    attention.projections.rotates_values = am_config_flag(am_model_config(b), "rotary_value", false);
    x = am_bert_layers(b, x, &o, &attention);
    am_end_scope(b);
    return x;
}

static void for_language_modeling(am_builder *b)
{
    am_bert_options o = options(b);
    am_output(b, "logits", am_bert_lm_logits(b, am_text_body(b), &o, "roformer"));
}

static void for_sequence_classification(am_builder *b)
{
    am_text_classify_first_token(b, options(b).hidden_act);
}

static const am_architecture architectures[] = {
    {"RoFormerModel", am_text_model, "feature-extraction", 0},
    {"RoFormerForMaskedLM", for_language_modeling, "fill-mask", 0},
    {"RoFormerForCausalLM", for_language_modeling, "text-generation", AM_GENERATES},
    {"RoFormerForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"RoFormerForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"RoFormerForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"RoFormerForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "roformer", .body = body, .pooled = am_text_summarized};

const am_model_type am_model_roformer = {
    .name = "roformer", .base_prefix = "roformer", .architectures = architectures, .family = &family};
