/* RAG: an encoder-decoder that answers a question from n documents each. Every document is read by an encoder of its
   own, together with the question, and the decoder runs once for each of them; RAG-token adds up their probabilities
   of the next token, weighted by the documents' scores. Retrieval is not part of it: documents and scores are given,
   and the question's encoder has nothing to do then. transformers: models/rag/modeling_rag.py */
#include "models/blocks/seq2seq.h"

typedef struct rag {
    am_config generator;
    int64_t n_docs;
    const char *scope; /* of the generator's weights */
} rag;

static rag read_config(am_builder *b, const char *scope)
{
    const am_config *c = am_model_config(b);
    /* what retrieval starts from, which may be given beside its results */
    (void)am_input_optional(b, "input_ids", 2);
    (void)am_input_optional(b, "attention_mask", 2);
    return (rag){
        .generator = am_config_child(c, "generator"), .n_docs = am_config_size(c, "n_docs", 5), .scope = scope};
}

/* An input of the whole, [B, ..], for each document: [B * n, ..]; AM_NONE where it is not given. */
static am_value for_each_document(am_builder *b, const rag *r, const char *input)
{
    am_value x = am_input_optional(b, input, 2);
    if (!x.id) return AM_NONE;
    am_shape shape = am_shape_of(am_dim(b, x, 0), r->n_docs, am_dim(b, x, 1));
    return am_flatten(b, am_broadcast(b, am_unsqueeze(b, x, 1), shape), 0, 1);
}

/* x: [B * n, S, ..] of documents as a row of the whole has them, [B, n * S, ..]; and back. Caches and searches know
   rows of the whole. */
static am_value join_documents(am_builder *b, const rag *r, am_value x)
{
    am_shape shape = am_shape_of_value(b, x);
    shape.dims[0] /= r->n_docs;
    shape.dims[1] *= r->n_docs;
    return am_reshape(b, x, shape);
}

static am_value part_documents(am_builder *b, const rag *r, am_value x)
{
    am_shape shape = am_shape_of_value(b, x);
    shape.dims[0] *= r->n_docs;
    shape.dims[1] /= r->n_docs;
    return am_reshape(b, x, shape);
}

static am_part_outputs run_generator(am_builder *b, const rag *r)
{
    bool decodes = am_model_stage(b) == AM_STAGE_DECODE, has_states = decodes && !am_cross_cached(b);
    am_value mask = decodes ? part_documents(b, r, am_input(b, "encoder_attention_mask", 2))
                            : am_input(b, "context_attention_mask", 2);
    am_value states = has_states ? part_documents(b, r, am_input(b, "encoder_hidden_states", 3)) : AM_NONE;
    am_part_input inputs[] = {
        {.name = "input_ids", .whole = "context_input_ids"},
        {.name = "attention_mask", .value = mask},
        {.name = "encoder_hidden_states", .value = states},
        {.name = "decoder_input_ids", .value = for_each_document(b, r, "decoder_input_ids")},
        {.name = "decoder_attention_mask", .value = for_each_document(b, r, "decoder_attention_mask")},
    };
    am_part part = {.auto_class = "AutoModelForSeq2SeqLM",
                    .model_type = "bart",
                    .config = &r->generator,
                    .inputs = inputs,
                    .input_count = sizeof inputs / sizeof *inputs,
                    .rows = r->n_docs};
    am_scope(b, "%s", r->scope);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return outputs;
}

/* What the decoder will need. */
static void output_encoded(am_builder *b, const rag *r, am_value states)
{
    am_output(b, "encoder_last_hidden_state", join_documents(b, r, states));
    am_output(b, "encoder_attention_mask", join_documents(b, r, am_input(b, "context_attention_mask", 2)));
    am_output(b, "doc_scores", am_input(b, "doc_scores", 2));
}

/* Logits [B * n, T, V] of documents with doc_scores: [B, n] as the logarithms of probabilities: [B, T, V]. */
static am_value marginalize(am_builder *b, am_value logits, am_value doc_scores)
{
    int64_t B = am_dim(b, doc_scores, 0), n = am_dim(b, doc_scores, 1), T = am_dim(b, logits, 1);
    am_value tokens = am_reshape(b, am_log_softmax(b, logits, -1), am_shape_of(B, n, T, am_dim(b, logits, 2)));
    am_value documents = am_reshape(b, am_log_softmax(b, doc_scores, 1), am_shape_of(B, n, 1, 1));
    am_value both = am_add(b, tokens, documents), most = am_reduce(b, AM_REDUCE_MAX, both, am_shape_of(1), true);
    am_value sum = am_reduce(b, AM_REDUCE_SUM, am_unary(b, AM_EXP, am_sub(b, both, most)), am_shape_of(1), false);
    return am_add(b, am_unary(b, AM_LOG, sum), am_squeeze(b, most, 1));
}

static void build(am_builder *b, const char *scope, bool marginalizes)
{
    rag r = read_config(b, scope);
    am_part_outputs outputs = run_generator(b, &r);
    am_value logits = am_part_output(&outputs, "logits"),
             states = am_part_output(&outputs, "encoder_last_hidden_state");
    if (am_builder_failed(b)) return;
    if (am_model_stage(b) == AM_STAGE_ENCODE) {
        output_encoded(b, &r, states);
        return;
    }
    am_value doc_scores = am_input(b, "doc_scores", 2);
    am_output(b, "logits", marginalizes ? marginalize(b, logits, doc_scores) : logits);
    am_output(b, "doc_scores", doc_scores);
    if (states.id) am_output(b, "generator_enc_last_hidden_state", states);
}

static void rag_model(am_builder *b)
{
    build(b, "generator", false);
}

static void rag_sequence_for_generation(am_builder *b)
{
    build(b, "rag.generator", false);
}

/* Generating always adds up; a forward does where the configuration says so. */
static void rag_token_for_generation(am_builder *b)
{
    bool forward = am_model_stage(b) == AM_STAGE_FORWARD;
    build(b, "rag.generator", !forward || am_config_flag(am_model_config(b), "do_marginalize", false));
}

static const am_architecture architectures[] = {
    {"RagModel", rag_model, NULL, AM_ENCODER_DECODER},
    {"RagSequenceForGeneration", rag_sequence_for_generation, NULL, AM_ENCODER_DECODER},
    {"RagTokenForGeneration", rag_token_for_generation, NULL, AM_GENERATES | AM_ENCODER_DECODER},
    {0},
};

const am_model_type am_model_rag = {.name = "rag", .base_prefix = "rag", .architectures = architectures};
