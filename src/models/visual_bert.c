/* VisualBERT: BERT over a text and, behind it, features of an image's regions with position and type tables of their
   own. transformers: models/visual_bert/modeling_visual_bert.py */
#include "models/blocks/text_classes.h"

#include <float.h>
#include <math.h>

static am_bert_options options(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_bert_options o = am_bert_options_read(c);
    o.is_decoder = false;
    if (am_config_flag(c, "bypass_transformer", false))
        am_config_unsupported(c, "bypass_transformer", "regions that go around the layers are not supported");
    return o;
}

/* Features of regions: [B, N, F], choices flattened; AM_NONE where none are given. */
static am_value regions(am_builder *b)
{
    am_value x = am_input_optional(b, "visual_embeds", -1);
    return am_rank(b, x) == 4 ? am_flatten(b, x, 0, 1) : x;
}

/* I32 [B, N]: `value` everywhere. */
static am_value all(am_builder *b, int64_t B, int64_t N, double value)
{
    return am_iota(b, AM_I32, am_shape_of(B, N), 1, value, 0);
}

/* The mean of the text positions that the input image_text_alignment: [B, N, A] names for each region, -1 naming none:
   [B, N, C], or AM_NONE. Below the scope of the embeddings. */
static am_value aligned_positions(am_builder *b, const am_bert_options *o, int64_t N)
{
    am_value places = am_input_optional(b, "image_text_alignment", 3);
    if (!places.id) return places;
    if (am_dim(b, places, 1) < N)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "image_text_alignment has %lld regions, expected %lld",
                                    (long long)am_dim(b, places, 1), (long long)N));
    places = am_slice(b, places, 1, 0, N);
    am_value named = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, places, -1), AM_I32);
    am_value x =
        am_embedding(b, "position_embeddings", am_mul(b, places, named), o->max_position_embeddings, o->hidden_size);
    am_value weight = am_unsqueeze(b, am_cast(b, named, AM_F32), 3);
    x = am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, weight), am_shape_of(2), false);
    am_value count = am_reduce(b, AM_REDUCE_SUM, weight, am_shape_of(2), false);
    return am_div(b, x, am_binary_number(b, AM_MAX, count, 1));
}

/* features: [B, N, F] -> [B, N, C], below the scope of the embeddings. */
static am_value embed_regions(am_builder *b, const am_bert_options *o, am_value features)
{
    int64_t B = am_dim(b, features, 0), N = am_dim(b, features, 1), C = o->hidden_size;
    am_value types = am_flat_input(b, "visual_token_type_ids"), aligned = aligned_positions(b, o, N);
    if (!types.id) types = all(b, B, N, 1);
    am_value place = am_embedding(b, "visual_position_embeddings", all(b, 1, N, 0), o->max_position_embeddings, C);
    if (aligned.id) place = am_add(b, aligned, place);
    am_value x = am_linear(b, "visual_projection", features, C, AM_BIAS);
    x = am_add(b, x, place);
    return am_add(b, x, am_embedding(b, "visual_token_type_embeddings", types, o->type_vocab_size, C));
}

static am_value body(am_builder *b, const char *prefix)
{
    am_bert_options o = options(b);
    am_value features = regions(b), mask = am_flat_input(b, "attention_mask");
    am_scope(b, "%s", prefix);
    am_scope(b, "embeddings");
    am_value x = am_bert_embedding_sum(b, &o);
    if (features.id) {
        int64_t T = am_dim(b, x, 1), N = am_dim(b, features, 1);
        x = am_concat2(b, x, embed_regions(b, &o, features), 1);
        mask = am_join_attended(b, mask, T, am_flat_input(b, "visual_attention_mask"), N);
    }
    x = am_layer_norm(b, "LayerNorm", x, o.layer_norm_eps);
    am_end_scope(b);
    am_bert_attention attention = am_bert_attention_default(b, &o);
    attention.projections.mask = am_padding_mask_of(b, mask);
    x = am_bert_layers(b, x, &o, &attention);
    am_end_scope(b);
    return x;
}

static void for_pretraining(am_builder *b)
{
    am_bert_options o = options(b);
    am_value x = am_text_body(b);
    am_output(b, "prediction_logits", am_bert_lm_logits(b, x, &o, "visual_bert"));
    am_value pooled = am_bert_pooler(b, "visual_bert", x);
    am_output(b, "seq_relationship_logits", am_linear(b, "cls.seq_relationship", pooled, 2, AM_BIAS));
}

static void for_multiple_choice(am_builder *b)
{
    am_output_choices(b, am_linear(b, "cls", am_text_pooled(b), 1, AM_BIAS));
}

static void output_labels(am_builder *b, am_value x)
{
    am_output(b, "logits", am_linear(b, "cls", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

/* Of the last word, which stands before the separator. */
static void for_question_answering(am_builder *b)
{
    am_value mask = am_cast(b, am_input(b, "attention_mask", 2), AM_I32);
    am_value last = am_add_number(b, am_reduce(b, AM_REDUCE_SUM, mask, am_shape_of(1), false), -2);
    output_labels(b, am_rows_at(b, am_text_body(b), last));
}

static void for_visual_reasoning(am_builder *b)
{
    output_labels(b, am_text_pooled(b));
}

/* Rows of x: [B, S, C] at places: I32 [B, R]: [B, R, C]; -1 is the first. */
static am_value rows(am_builder *b, am_value x, am_value places)
{
    am_shape shape = am_shape_of(am_dim(b, places, 0), am_dim(b, places, 1), am_dim(b, x, 2));
    am_value named = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, places, -1), AM_I32);
    return am_gather(b, x, am_broadcast(b, am_unsqueeze(b, am_mul(b, places, named), 2), shape), 1, true);
}

/* How well each region fits each phrase: scores of one head of attention. */
static void for_region_to_phrase_alignment(am_builder *b)
{
    am_bert_options o = options(b);
    int64_t D = o.hidden_size / o.num_attention_heads;
    am_value x = am_text_body(b), mask = am_input(b, "visual_attention_mask", 2),
             phrases = am_input(b, "region_to_phrase_position", 2);
    int64_t N = am_dim(b, regions(b), 1);
    am_scope(b, "attention");
    am_value query = am_linear(b, "query", rows(b, x, phrases), D, AM_BIAS);
    am_value key = am_linear(b, "key", am_slice(b, x, 1, -N, AM_SLICE_END), D, AM_BIAS);
    am_end_scope(b);
    am_value scores = am_mul_number(b, am_matmul(b, query, key, false, true), 1 / sqrt((double)D));
    mask = am_unsqueeze(b, am_cast(b, am_binary_number(b, AM_NOT_EQUAL, mask, 0), AM_BOOL), 1);
    am_output(b, "logits", am_select(b, mask, scores, am_scalar(b, AM_F32, -(double)FLT_MAX)));
}

static const am_architecture architectures[] = {
    {"VisualBertModel", am_text_model, "feature-extraction", 0},
    {"VisualBertForPreTraining", for_pretraining, NULL, 0},
    {"VisualBertForMultipleChoice", for_multiple_choice, NULL, 0},
    {"VisualBertForQuestionAnswering", for_question_answering, NULL, 0},
    {"VisualBertForVisualReasoning", for_visual_reasoning, NULL, 0},
    {"VisualBertForRegionToPhraseAlignment", for_region_to_phrase_alignment, NULL, 0},
    {0},
};

static const am_text_family family = {.prefix = "visual_bert", .body = body};

const am_model_type am_model_visual_bert = {
    .name = "visual_bert", .base_prefix = "visual_bert", .architectures = architectures, .family = &family};
