/* MPNet: BERT's layers over words and positions counted as RoBERTa's; a learned bias for the bucket of the
   distance from query to key, shared by all layers, is added to the scores. transformers:
   models/mpnet/modeling_mpnet.py */
#include "models/blocks/relative.h"
#include "models/blocks/text_classes.h"

enum { BUCKETS = 32, MAX_DISTANCE = 128, PAD = 1 }; /* fixed in the class, whatever the configuration says */

static am_bert_options options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_bert_options_read(c);
    o.vocab_size = am_config_size(c, "vocab_size", 30527);
    o.type_vocab_size = 0;
    o.positions_after_pad = PAD;
    o.is_decoder = false;
    return o;
}

/* Buckets of keys after the query are the upper half: I32 [T, T]. */
static am_value buckets(am_builder *b, int64_t T)
{
    int32_t *table = am_arena_array(am_builder_arena(b), (size_t)(T * T), sizeof *table);
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t q = 0; q < T; q++)
        for (int64_t k = 0; k < T; k++)
            table[q * T + k] =
                am_distance_bucket(q < k ? k - q : q - k, BUCKETS / 2, MAX_DISTANCE) + (q < k ? BUCKETS / 2 : 0);
    return am_constant_copy(b, AM_I32, am_shape_of(T, T), table);
}

/* [1, H, T, T] */
static am_value distance_bias(am_builder *b, int64_t T, int64_t heads)
{
    int64_t rows = am_config_size(am_model_config(b), "relative_attention_num_buckets", BUCKETS);
    am_value bias = am_embedding(b, "encoder.relative_attention_bias", buckets(b, T), rows, heads);
    return am_unsqueeze(b, am_permute(b, bias, am_shape_of(2, 0, 1)), 0);
}

static am_value body(am_builder *b, const char *prefix)
{
    am_bert_options o = options(b);
    am_scope(b, "%s", prefix);
    am_value x = am_bert_embeddings(b, &o);
    am_bert_attention attention = am_bert_attention_default(b, &o);
    attention.projections.q = "attn.q";
    attention.projections.k = "attn.k";
    attention.projections.v = "attn.v";
    attention.projections.out = "attn.o";
    attention.projections.bias = distance_bias(b, am_dim(b, x, 1), o.num_attention_heads);
    attention.norm = "LayerNorm";
    x = am_bert_layers(b, x, &o, &attention);
    am_end_scope(b);
    return x;
}

static void for_masked_lm(am_builder *b)
{
    am_bert_options o = options(b);
    am_output(b, "logits", am_roberta_lm_logits(b, am_text_body(b), &o, "mpnet"));
}

static const am_architecture architectures[] = {
    {"MPNetModel", am_text_model, "feature-extraction", 0},
    {"MPNetForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"MPNetForSequenceClassification", am_text_for_first_token_classification, "text-classification", 0},
    {"MPNetForMultipleChoice", am_text_for_multiple_choice, NULL, 0},
    {"MPNetForTokenClassification", am_text_for_token_classification, "token-classification", 0},
    {"MPNetForQuestionAnswering", am_text_for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "mpnet", .body = body};

const am_model_type am_model_mpnet = {
    .name = "mpnet", .base_prefix = "mpnet", .architectures = architectures, .family = &family};
