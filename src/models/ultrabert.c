/* UltraBERT: LLaMA that looks both ways, through windows in most layers, which have a rotary base of their own, with
   the heads of an encoder. transformers: models/ultrabert/modeling_ultrabert.py */
#include "models/blocks/decoder.h"
#include "models/blocks/heads.h"

/* Element i of the list KEY, or 0. */
static double list_number(const am_config *c, const char *key, int i)
{
    for (am_json_iterator at = am_json_iterate(am_json_get(c->object, key)); am_json_next(&at); i--)
        if (i == 0) return am_json_real(at.value, 0);
    return 0;
}

/* layer_types, the windows of attention_windows, or where there is neither one before all but each third layer. */
static void read_windows(const am_config *c, am_decoder_options *o)
{
    o->sliding_window = am_config_size(c, "sliding_window", 128);
    am_decoder_read_sliding(c, o, 0, 3);
    if (!am_config_has(c, "attention_windows")) return;
    int64_t first = 0;
    for (int i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++) {
        int64_t window = (int64_t)list_number(c, "attention_windows", i);
        if (!first) first = window;
        if (!am_config_has(c, "layer_types")) o->sliding[i] = window != 0;
    }
    if (first > 0) o->sliding_window = first;
}

/* Older files list a base for each layer, of which the last of a kind is that kind's. */
static am_rope_config read_rope(const am_config *c, const am_decoder_options *o, bool sliding)
{
    double theta = sliding ? 10000 : 2560000;
    am_rope_fields fields = {.layer_type = sliding ? "sliding_attention" : "full_attention", .theta = "no_theta"};
    bool listed = am_json_kind_of(am_json_get(c->object, "rope_theta")) == AM_JSON_ARRAY;
    for (int i = 0; listed && i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++)
        if (o->sliding[i] == sliding) theta = list_number(c, "rope_theta", i);
    fields.whole_heads = true;
    return am_rope_config_read_fields(c, &fields, o->head_dim, theta, 1, 32768);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->causal = false;
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->mlp_bias = am_config_flag(c, "mlp_bias", false);
    read_windows(c, o);
    o->rope = read_rope(c, o, false);
    o->sliding_rope = read_rope(c, o, true);
    o->has_sliding_rope = true;
}

static am_decoder_options options_of(am_builder *b)
{
    return am_decoder_options_read(am_model_config(b), am_model_family(b));
}

static void for_masked_lm(am_builder *b)
{
    am_decoder_options o = options_of(b);
    int64_t inner = am_config_size(o.config, "prediction_head_size", 768);
    am_value x = am_decoder_body(b, &o, "ultrabert");
    x = am_linear_activation(b, "head.linear1", x, inner, AM_NO_BIAS, AM_GELU_TANH);
    x = am_linear_activation(b, "head.linear2", x, o.hidden_size, AM_NO_BIAS, AM_GELU_TANH);
    am_output(
        b, "logits",
        am_lm_head(b, "cls", x, o.vocab_size, o.tie_word_embeddings, "ultrabert.embed_tokens.weight", AM_NO_BIAS));
}

/* Mean over the tokens that the input attention_mask has, x: [B, T, C] -> [B, C]. */
static am_value mean_of_tokens(am_builder *b, am_value x)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id) return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    mask = am_unsqueeze(b, am_cast(b, mask, AM_F32), 2);
    am_value sum = am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, mask), am_shape_of(1), false);
    return am_div(b, sum, am_reduce(b, AM_REDUCE_SUM, mask, am_shape_of(1), false));
}

static void for_sequence_classification(am_builder *b)
{
    am_decoder_options o = options_of(b);
    am_value x = am_decoder_body(b, &o, "ultrabert");
    bool mean = am_config_is(o.config, "classifier_pooling", "mean");
    if (!mean && am_config_has(o.config, "classifier_pooling") && !am_config_is(o.config, "classifier_pooling", "cls"))
        am_config_fail(o.config, "classifier_pooling", "expected cls or mean");
    x = mean ? mean_of_tokens(b, x) : am_index(b, x, 1, 0);
    am_output(b, "logits", am_linear(b, "classifier", x, o.labels, AM_BIAS));
}

static void for_token_classification(am_builder *b)
{
    am_decoder_options o = options_of(b);
    am_generic_token_classification(b, "classifier", am_decoder_body(b, &o, "ultrabert"), o.labels);
}

static const am_architecture architectures[] = {
    {"UltrabertModel", am_decoder_model, "feature-extraction", 0},
    {"UltrabertForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"UltrabertForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"UltrabertForTokenClassification", for_token_classification, "token-classification", 0},
    {"UltrabertForQuestionAnswering", am_decoder_for_question_answering, "question-answering", 0},
    {0},
};

static const am_decoder_family family = {
    .defaults = {.max_position_embeddings = 32768, .whole_heads = true, .own_theta = true, .has_pad_token = true},
    .adapt = adapt,
    .question_answering_prefix = "ultrabert",
};

const am_model_type am_model_ultrabert = {
    .name = "ultrabert", .base_prefix = "ultrabert", .architectures = architectures, .family = &family};
