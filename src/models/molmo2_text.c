/* The text model of Molmo 2: LLaMA with norms on queries and keys, more words in a table of their own, and a scaled
   rotation in some layers. transformers: models/molmo2/modeling_molmo2.py */
#include "models/blocks/decoder.h"
#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"

#include <stdio.h>
#include <string.h>

/* gate_up_proj's two halves, the second of which is the gate, in files of before transformers knew the model. */
static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const am_decoder_options *o = layer->options;
    int64_t inner = o->intermediate_size;
    if (!am_has_weight(b, "ff_proj.weight")) return am_gated_mlp(b, x, inner, o->hidden_act, AM_NO_BIAS);
    x = am_linear(b, "ff_proj", x, 2 * inner, AM_NO_BIAS);
    x = am_gated_activation(b, o->hidden_act, am_slice(b, x, -1, inner, AM_SLICE_END), am_slice(b, x, -1, 0, inner));
    return am_linear(b, "ff_out", x, o->hidden_size, AM_NO_BIAS);
}

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_attention_options options = *layer->attention;
    if (am_has_weight(b, "att_proj.weight")) options.qkv = "att_proj";
    if (am_has_weight(b, "attn_out.weight")) options.out = "attn_out";
    return am_self_attention(b, x, &options);
}

/* The norm NAME, or what older files call it. */
static am_value norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    static const char *const old[][2] = {
        {"input_layernorm", "attn_norm"}, {"post_attention_layernorm", "ff_norm"}, {"norm", "ln_f"}};
    char text[32];
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "%s.weight", old[i][1]);
        if (strcmp(name, old[i][0]) == 0 && am_has_weight(b, text)) name = old[i][1];
    }
    return am_rms_norm(b, name, x, o->rms_norm_eps, 0);
}

/* Layers that are not in rope_scaling_layers, if there is such a list, rotate by the plain base. */
static void read_scaled(const am_config *c, am_decoder_options *o)
{
    am_json list = am_json_get(c->object, "rope_scaling_layers");
    bool listed = am_json_kind_of(list) == AM_JSON_ARRAY;
    for (int i = 0; listed && i < o->num_hidden_layers && i < AM_LAYERS_LIMIT; i++) o->sliding[i] = true;
    for (am_json_iterator i = am_json_iterate(list); listed && am_json_next(&i);) {
        int64_t layer = am_json_int(i.value, -1);
        if (layer >= 0 && layer < o->num_hidden_layers && layer < AM_LAYERS_LIMIT) o->sliding[layer] = false;
    }
    o->has_sliding_rope = true;
    o->sliding_rope = am_rope_config_default(c, o->head_dim, o->rope.theta, o->rope.max_positions);
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    static const am_decoder_norms after = {.after_attention = "input_layernorm",
                                           .after_mlp = "post_attention_layernorm"};
    const char *kind = am_config_text(c, "qk_norm_type", "qwen3");
    bool each = strcmp(kind, "qwen3") == 0;
    if (!each && strcmp(kind, "olmo") != 0)
        am_config_fail(c, "qk_norm_type", "expected \"qwen3\" or \"olmo\", found \"%s\"", kind);
    o->qk_norm = each ? AM_QK_NORM_HEAD : AM_QK_NORM_ALL;
    o->rms_norm_eps = am_config_real(c, am_config_either(c, "rms_norm_eps", "layer_norm_eps"), 1e-6);
    o->qkv_bias = am_config_flag(c, am_config_either(c, "attention_bias", "qkv_bias"), false);
    o->attention = attention;
    o->mlp = mlp;
    o->norm = norm;
    if (am_config_flag(c, "norm_after", false)) o->norms = &after;
    read_scaled(c, o);
}

/* Rows of both tables of words, whose files cut the whole anywhere: [B, T, C]. */
static am_value embed_words(am_builder *b, const am_decoder_options *o)
{
    int64_t all = o->vocab_size + am_config_count(o->config, "additional_vocab_size", 128), C = o->hidden_size;
    if (am_has_input(b, "inputs_embeds") || !am_has_weight(b, "wte.embedding"))
        return am_input_embeddings(b, "embed_tokens", all, C);
    am_value words = am_weight(b, "wte.embedding", am_shape_of(-1, C)),
             more = am_weight_optional(b, "wte.new_embedding", am_shape_of(-1, C));
    if (more.id) words = am_concat2(b, words, more, 0);
    if (am_dim(b, words, 0) != all && !am_builder_failed(b))
        am_config_fail(o->config, "vocab_size", "the tables have %lld rows, expected %lld",
                       (long long)am_dim(b, words, 0), (long long)all);
    return am_embedding_op(b, words, am_input(b, "input_ids", 2));
}

/* What the whole model gives of pictures, the input visual_embeds: [N, C], is added where visual_pos_masks is. */
static am_value embed(am_builder *b, const am_decoder_options *o)
{
    am_value x = embed_words(b, o), rows = am_input_optional(b, "visual_embeds", 2);
    return rows.id ? am_add(b, x, am_spread_rows(b, rows, am_input(b, "visual_pos_masks", 2))) : x;
}

static void text_model(am_builder *b)
{
    am_decoder_options o = am_decoder_options_read(am_model_config(b), am_model_family(b));
    o.embedded = embed(b, &o);
    am_output(b, "last_hidden_state", am_decoder_body(b, &o, ""));
}

static const am_architecture architectures[] = {
    {"Molmo2TextModel", text_model, "feature-extraction", 0},
    {0},
};

static const am_decoder_family family = {.defaults = {.vocab_size = 151936,
                                                      .intermediate_size = 12288,
                                                      .num_hidden_layers = 36,
                                                      .num_key_value_heads = 8,
                                                      .head_dim = 128,
                                                      .max_position_embeddings = 36864,
                                                      .whole_heads = true},
                                         .adapt = adapt};

const am_model_type am_model_molmo2_text = {
    .name = "molmo2_text", .base_prefix = "model", .architectures = architectures, .family = &family};
