/* The text model of Cohere Compass: attention and MLP read the same LayerNorm (without bias) and are added together;
   each kind of layers, with a window or without, has its own rotation by places in time, height and width, or none.
   transformers: models/cohere_compass/modeling_cohere_compass.py */
#include "models/blocks/heads.h"
#include "models/blocks/qwen3_vl.h"
#include "models/blocks/decoder.h"

#include <string.h>

/* Rotations of layers that see all and of those that look through a window; cos is AM_NONE where they have none. */
typedef struct rotations {
    am_rope kinds[2];
} rotations;

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    const rotations *r = o->context;
    const am_rope *rope = &r->kinds[o->sliding[layer->index] ? 1 : 0];
    am_attention_options options = *layer->attention;
    options.rope = rope->cos.id ? rope : NULL;
    return am_self_attention(b, x, &options);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->rms_norm_eps = am_config_real(c, "layer_norm_eps", 1e-5);
    o->qkv_bias = o->out_bias = am_config_flag(c, "attention_bias", false);
    o->parallel = true;
    o->norm = am_decoder_layer_norm_no_bias;
    o->attention = attention;
    o->own_rope = o->flat_places_pack = true;
    o->mrope.count = 3; /* their sections are those of each kind of layers */
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    if (am_config_has(c, "layer_types")) am_decoder_read_sliding(c, o, 0, 0);
    if (am_config_has(c, "logit_scale")) o->logits_multiplier = am_config_real(c, "logit_scale", 1);
    o->after_layer = am_qwen3_vl_add_visual_states;
}

/* Tables of layers of this type for T tokens. */
static am_rope tables(am_builder *b, const am_decoder_options *o, const char *type, int64_t T)
{
    static const int64_t fallback[3] = {24, 20, 20};
    am_config all = am_config_child(o->config, "rope_parameters"), own = am_config_child(&all, type);
    if (am_config_is_null(&all, type)) return (am_rope){0};
    am_rope_config rope = am_rope_config_read(o->config, type, o->head_dim, 10000, 1, 8192);
    am_value places = am_input_optional(b, "position_ids", -1);
    if (!places.id || am_rank(b, places) != 3) return am_rope_tables(b, &rope, T);
    am_mrope_sections sections = {.interleaved = true};
    sections.count = am_config_sizes(&own, "mrope_section", sections.pairs, AM_MROPE_SECTIONS, fallback, 3);
    if (sections.count != 3) am_config_fail(&own, "mrope_section", "expected 3 sections");
    if (am_dim(b, places, 0) != 3 && !am_builder_failed(b))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "position_ids has %lld kinds of places, expected 3",
                                    (long long)am_dim(b, places, 0)));
    if (sections.count != 3 || am_builder_failed(b)) return (am_rope){0};
    return am_mrope_tables(b, &rope, places, &sections);
}

/* Final hidden states of the body below `prefix`: [B, T, C]. */
static am_value body(am_builder *b, am_decoder_options *o, const char *prefix)
{
    am_value given = am_has_input(b, "inputs_embeds") ? am_input(b, "inputs_embeds", 3) : am_input(b, "input_ids", 2);
    int64_t T = am_dim(b, given, 1);
    bool has[2] = {false, false};
    rotations r = {.kinds = {(am_rope){.interleaved = false}}};
    for (int64_t i = 0; i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++) has[o->sliding[i]] = true;
    if (has[0]) r.kinds[0] = tables(b, o, "full_attention", T);
    if (has[1]) r.kinds[1] = tables(b, o, "sliding_attention", T);
    o->context = &r;
    return am_decoder_body(b, o, prefix);
}

static am_decoder_options read_options(const am_builder *b)
{
    return am_decoder_options_read(am_model_config(b), am_model_family(b));
}

static void model(am_builder *b)
{
    am_decoder_options o = read_options(b);
    am_output(b, "last_hidden_state", body(b, &o, ""));
}

static void for_causal_lm(am_builder *b)
{
    am_decoder_options o = read_options(b);
    am_value x = body(b, &o, "model");
    am_value logits =
        am_lm_head(b, "lm_head", x, o.vocab_size, o.tie_word_embeddings, "model.embed_tokens.weight", AM_NO_BIAS);
    am_output(b, "logits", o.logits_multiplier != 0 ? am_mul_number(b, logits, o.logits_multiplier) : logits);
}

/* Which tokens are no padding: F32 [B, T, 1], or AM_NONE. */
static am_value kept(am_builder *b, int64_t pad)
{
    am_value mask = am_input_optional(b, "attention_mask", 2);
    if (!mask.id && am_has_input(b, "input_ids") && pad >= 0)
        mask = am_binary_number(b, AM_NOT_EQUAL, am_input(b, "input_ids", 2), (double)pad);
    return mask.id ? am_unsqueeze(b, am_cast(b, mask, AM_F32), -1) : AM_NONE;
}

static void for_sequence_classification(am_builder *b)
{
    am_decoder_options o = read_options(b);
    const char *pooling = am_config_text(o.config, "pooling", "eos");
    am_value x = body(b, &o, "model");
    if (strcmp(pooling, "eos") == 0) {
        am_generic_sequence_classification(b, x, am_input(b, "input_ids", 2), o.labels, o.pad_token_id);
        return;
    }
    if (strcmp(pooling, "bos") != 0 && strcmp(pooling, "mean") != 0)
        am_config_fail(o.config, "pooling", "expected \"bos\", \"eos\" or \"mean\", found \"%s\"", pooling);
    am_value logits = am_linear(b, "score", x, o.labels, AM_NO_BIAS);
    if (strcmp(pooling, "bos") == 0) {
        am_output(b, "logits", am_index(b, logits, 1, 0));
        return;
    }
    am_value weights = kept(b, o.pad_token_id);
    if (weights.id) {
        am_value count = am_reduce(b, AM_REDUCE_SUM, weights, am_shape_of(1), false);
        logits = am_reduce(b, AM_REDUCE_SUM, am_mul(b, logits, weights), am_shape_of(1), false);
        am_output(b, "logits", am_div(b, logits, am_binary_number(b, AM_MAX, count, 1)));
    } else am_output(b, "logits", am_reduce(b, AM_REDUCE_MEAN, logits, am_shape_of(1), false));
}

static const am_architecture architectures[] = {
    {"CohereCompassTextModel", model, "feature-extraction", 0},
    {"CohereCompassForCausalLM", for_causal_lm, "text-generation", AM_GENERATES},
    {"CohereCompassTextForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {0},
};

static const am_decoder_family family = {.defaults = {.vocab_size = 256000,
                                                      .hidden_size = 8192,
                                                      .intermediate_size = 22528,
                                                      .num_hidden_layers = 40,
                                                      .num_attention_heads = 64,
                                                      .max_position_embeddings = 8192,
                                                      .whole_heads = true,
                                                      .tied = true,
                                                      .has_pad_token = true},
                                         .adapt = adapt};

const am_model_type am_model_cohere_compass_text = {
    .name = "cohere_compass_text", .base_prefix = "model", .architectures = architectures, .family = &family};
