/* ModernBERT: pre-norm layers with gated feed-forward and rotary positions; layers see the whole text or a
   window of it, each kind with rotations of its own. transformers: models/modernbert/modeling_modernbert.py */
#include "models/blocks/attention.h"
#include "models/blocks/modernbert.h"
#include "models/blocks/multimodal.h"
#include "models/blocks/text_classes.h"

static am_value attention(am_builder *b, am_value x, const am_modernbert_config *c, const am_rope *rope, am_value mask,
                          bool local)
{
    am_value qkv[3];
    am_scope(b, "attn");
    am_split_fused(b, am_linear(b, "Wqkv", x, 3 * c->hidden_size, c->attention_bias), c->num_attention_heads, false,
                   qkv);
    am_attention_inputs inputs = {
        .q = am_rope_apply(b, rope, qkv[0]), .k = am_rope_apply(b, rope, qkv[1]), .v = qkv[2], .mask = mask};
    am_attention_attributes attributes = {.window = local ? c->sliding_window + 1 : 0};
    x = am_merge_heads(b, am_attention_op(b, &inputs, &attributes));
    x = am_linear(b, "Wo", x, c->hidden_size, c->attention_bias);
    am_end_scope(b);
    return x;
}

static am_value body(am_builder *b, const char *prefix)
{
    am_modernbert_config c = am_modernbert_config_read(b);
    am_value ids = am_flat_input(b, "input_ids"), mask = am_flat_padding_mask(b);
    if (!ids.id) return am_input(b, "input_ids", 2);
    am_rope whole = am_modernbert_rotations(b, &c, false, am_dim(b, ids, 1)),
            windowed = am_modernbert_rotations(b, &c, true, am_dim(b, ids, 1));
    am_scope(b, "%s", prefix);
    am_value x = am_embedding(b, "embeddings.tok_embeddings", ids, c.vocab_size, c.hidden_size);
    x = am_merge_part_features(b, x);
    x = am_modernbert_norm(b, "embeddings.norm", x, &c);
    for (int i = 0; i < c.num_hidden_layers && !am_builder_failed(b); i++) {
        bool local = am_modernbert_is_local(b, &c, i);
        am_output_hidden_state(b, "hidden_states", i, x);
        am_scope(b, "layers.%d", i);
        am_value h = i > 0 ? am_modernbert_norm(b, "attn_norm", x, &c) : x; /* the first has the embeddings' */
        x = am_add(b, x, attention(b, h, &c, local ? &windowed : &whole, mask, local));
        x = am_add(b, x, am_modernbert_feed_forward(b, am_modernbert_norm(b, "mlp_norm", x, &c), &c));
        am_end_scope(b);
    }
    x = am_modernbert_norm(b, "final_norm", x, &c);
    am_output_hidden_state(b, "hidden_states", (int)c.num_hidden_layers, x);
    am_end_scope(b);
    return x;
}

/* --- heads --- */

/* mean over attended tokens: x: [B, T, C] -> [B, C] */
static am_value attended_mean(am_builder *b, am_value x)
{
    am_value mask = am_flat_padding_mask(b);
    if (!mask.id) return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    am_value weight = am_cast(b, am_reshape(b, mask, am_shape_of(am_dim(b, x, 0), am_dim(b, x, 1), 1)), AM_F32);
    return am_div(b, am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, weight), am_shape_of(1), false),
                  am_reduce(b, AM_REDUCE_SUM, weight, am_shape_of(1), false));
}

/* the first attended token: [B, C] */
static am_value first_attended(am_builder *b, am_value x)
{
    am_value mask = am_flat_input(b, "attention_mask");
    return mask.id ? am_rows_at(b, x, am_arg_reduce(b, mask, 1, false)) : am_index(b, x, 1, 0);
}

static void for_masked_lm(am_builder *b)
{
    am_modernbert_config c = am_modernbert_config_read(b);
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    am_output(b, "logits",
              am_lm_head(b, "decoder", am_modernbert_head(b, "head", am_text_body(b)), c.vocab_size, tied,
                         "model.embeddings.tok_embeddings.weight", c.decoder_bias));
}

static void for_sequence_classification(am_builder *b)
{
    am_value x = am_text_body(b);
    x = am_modernbert_config_read(b).pools_mean ? attended_mean(b, x) : am_index(b, x, 1, 0);
    am_output(
        b, "logits",
        am_linear(b, "classifier", am_modernbert_head(b, "head", x), am_config_labels(am_model_config(b)), AM_BIAS));
}

static void for_multiple_choice(am_builder *b)
{
    am_value x = am_text_body(b);
    x = am_modernbert_config_read(b).pools_mean ? attended_mean(b, x) : first_attended(b, x);
    am_output_choices(b, am_linear(b, "classifier", am_modernbert_head(b, "head", x), 1, AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    am_value x = am_modernbert_head(b, "head", am_text_body(b));
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

static void for_question_answering(am_builder *b)
{
    am_output_span_logits(b, "classifier", am_modernbert_head(b, "head", am_text_body(b)));
}

static const am_architecture architectures[] = {
    {"ModernBertModel", am_text_model, "feature-extraction", 0},
    {"ModernBertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"ModernBertForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"ModernBertForMultipleChoice", for_multiple_choice, NULL, 0},
    {"ModernBertForTokenClassification", for_token_classification, "token-classification", 0},
    {"ModernBertForQuestionAnswering", for_question_answering, "question-answering", 0},
    {0},
};

static const am_text_family family = {.prefix = "model", .body = body};

const am_model_type am_model_modernbert = {
    .name = "modernbert", .base_prefix = "model", .architectures = architectures, .family = &family};
