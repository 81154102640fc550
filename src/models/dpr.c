/* DPR: BERT whose first token stands for a question or for a passage, and a reader that marks an answer in each
   passage and says how relevant it is. transformers: models/dpr/modeling_dpr.py */
#include "models/blocks/encoder.h"
#include "models/blocks/heads.h"

/* Without a mask the encoders see no padding, and the reader all of it. */
static am_value mask(am_builder *b, bool hides_padding)
{
    am_value given = am_padding_mask(b, "attention_mask");
    int64_t pad = am_pad_token(am_model_config(b), 0);
    if (given.id || !hides_padding || pad < 0 || am_has_input(b, "inputs_embeds")) return given;
    return am_padding_mask_of(b, am_binary_number(b, AM_NOT_EQUAL, am_input(b, "input_ids", 2), (double)pad));
}

/* Last hidden state of the BERT below the scope: [B, T, C]. */
static am_value encode(am_builder *b, bool hides_padding)
{
    am_bert_options o = am_bert_options_read(am_model_config(b));
    am_scope(b, "bert_model");
    am_bert_attention attention = am_bert_attention_default(b, &o);
    attention.projections.mask = mask(b, hides_padding);
    am_value x = am_bert_layers(b, am_bert_embeddings(b, &o), &o, &attention);
    am_end_scope(b);
    return x;
}

static void encoder(am_builder *b, const char *name)
{
    int64_t projected = am_config_count(am_model_config(b), "projection_dim", 0);
    am_scope(b, "%s", name);
    am_value first = am_index(b, encode(b, true), 1, 0);
    if (projected) first = am_linear(b, "encode_proj", first, projected, AM_BIAS);
    am_end_scope(b);
    am_output(b, "pooler_output", first);
}

static void context_encoder(am_builder *b)
{
    encoder(b, "ctx_encoder");
}

static void question_encoder(am_builder *b)
{
    encoder(b, "question_encoder");
}

static void reader(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t projected = am_config_count(c, "projection_dim", 0);
    if (projected && projected != am_config_size(c, "hidden_size", 768))
        am_config_fail(c, "projection_dim", "the reader reads what is not projected, and needs hidden_size or 0");
    am_scope(b, "span_predictor");
    am_scope(b, "encoder");
    am_value x = encode(b, false);
    am_end_scope(b);
    am_output_span_logits(b, "qa_outputs", x);
    am_value relevance = am_linear(b, "qa_classifier", am_index(b, x, 1, 0), 1, AM_BIAS);
    am_end_scope(b);
    am_output(b, "relevance_logits", am_squeeze(b, relevance, 1));
}

static const am_architecture architectures[] = {
    {"DPRQuestionEncoder", question_encoder, "feature-extraction", 0},
    {"DPRContextEncoder", context_encoder, NULL, 0},
    {"DPRReader", reader, NULL, 0},
    {0},
};

const am_model_type am_model_dpr = {.name = "dpr", .architectures = architectures};
