/* Voxtral Realtime: an encoder that looks back only, of which four frames side by side are added to each word so far;
   the text model's layers are weighed by how many tokens it writes behind what it hears. transformers:
   models/voxtral_realtime/modeling_voxtral_realtime.py */
#include "models/blocks/decoder.h"
#include "models/blocks/heads.h"
#include "models/blocks/pre_norm.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { DELAY_CHANNELS = 32 };

/* --- the encoder --- */

static const am_pre_norm_names names = {.layers = "layers",
                                        .attention = "self_attn",
                                        .norm_before = "self_attn_layer_norm",
                                        .norm_after = "final_layer_norm"};

/* Of its linears the last has a bias. */
static am_value gated(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    am_value gate = am_linear(b, "mlp.gate_proj", x, o->intermediate_size, AM_NO_BIAS);
    am_value up = am_linear(b, "mlp.up_proj", x, o->intermediate_size, AM_NO_BIAS);
    return am_linear(b, "mlp.down_proj", am_gated_activation(b, o->hidden_act, gate, up), am_dim(b, x, 2), AM_BIAS);
}

static am_value last_norm(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    return am_rms_norm(b, "norm", x, o->layer_norm_eps, 0);
}

static am_pre_norm_options read_encoder(const am_config *c, int64_t C)
{
    am_pre_norm_options o = {
        .num_hidden_layers = am_config_count(c, am_config_either(c, "num_hidden_layers", "encoder_layers"), 32),
        .intermediate_size = am_config_size(c, am_config_either(c, "intermediate_size", "encoder_ffn_dim"), 5120),
        .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
        .layer_norm_eps = am_config_real(c, "rms_norm_eps", 1e-5),
        .rms_norm = true,
        .names = &names,
        .mlp = gated,
        .behind = last_norm};
    am_attention_options *a = &o.attention;
    a->heads = am_config_size(c, am_config_either(c, "num_attention_heads", "encoder_attention_heads"), 32);
    if (am_config_is_null(c, "head_dim")) am_config_check_divides(c, "num_attention_heads", a->heads, "hidden_size", C);
    a->head_dim = am_config_size(c, "head_dim", am_config_is_null(c, "head_dim") ? C / a->heads : 64);
    a->out = "o_proj";
    a->no_k_bias = a->causal = true;
    a->window = am_decoder_size_or_none(c, "sliding_window", 750);
    return o;
}

/* Convolution of three taps that looks back only, and GELU: x: [B, C, T] -> [B, out, T / stride]. */
static am_value convolved(am_builder *b, const char *name, am_value x, int64_t out, int64_t stride)
{
    am_convolution_attributes options = {
        .stride = am_shape_of(stride), .padding_before = am_shape_of(3 - stride), .padding_after = am_shape_of(0)};
    return am_unary(b, AM_GELU, am_conv(b, name, x, out, am_shape_of(3), AM_BIAS, &options));
}

/* The input input_features: [B, bins, L] -> [B, L / 2, C]; or inputs_embeds. */
static am_value frames(am_builder *b, const am_config *c, int64_t C)
{
    if (am_has_input(b, "inputs_embeds")) return am_input(b, "inputs_embeds", 3);
    int64_t bins = am_config_size(c, "num_mel_bins", 128);
    am_value x = am_input(b, "input_features", 3);
    if (x.id && am_dim(b, x, 1) != bins)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input_features has %" PRId64 " bins, expected %" PRId64,
                                    am_dim(b, x, 1), bins));
    am_scope(b, "embedder");
    x = convolved(b, "conv2", convolved(b, "conv1", x, C, 1), C, 2);
    am_end_scope(b);
    return am_transpose(b, x, 1, 2);
}

/* A cache for what convolutions look back at, use_padding_cache, begins with zeros, as they do. */
static void realtime_encoder(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, am_config_either(c, "hidden_size", "d_model"), 1280);
    am_pre_norm_options layers = read_encoder(c, C);
    am_model_argument(b, "use_padding_cache", 0);
    am_rope_config config = am_rope_config_read_fields(c, &(am_rope_fields){.whole_heads = true},
                                                       layers.attention.head_dim, 10000, 1, 1500);
    am_value x = frames(b, c, C);
    am_rope rope = am_rope_tables(b, &config, am_dim(b, x, 1));
    layers.attention.rope = &rope;
    layers.attention.mask = am_packed_mask(b, am_padding_mask(b, "attention_mask"), "position_ids");
    am_output(b, "last_hidden_state", am_pre_norm_layers(b, x, &layers));
}

/* --- the text model --- */

/* Cosines, then sines, of C / 2 frequencies at the argument num_delay_tokens: [1, 1, C]. */
static am_value delay(am_builder *b, int64_t C)
{
    double tokens = (double)am_model_argument(b, "num_delay_tokens",
                                              am_config_int(am_model_config(b), "default_num_delay_tokens", 6));
    float *row = am_arena_array(am_builder_arena(b), (size_t)C, sizeof *row);
    if (!row) am_builder_fail(b, am_out_of_memory());
    for (int64_t i = 0; i < C / 2 && row; i++) {
        double angle = tokens * exp(-log(10000) * (double)i / (double)(C / 2));
        row[i] = (float)cos(angle);
        row[C / 2 + i] = (float)sin(angle);
    }
    return row ? am_constant_copy(b, AM_F32, am_shape_of(1, 1, C), row) : AM_NONE;
}

/* LLaMA's, of x weighed by what the delay says; the scope is the layer's. */
static am_value delayed_mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    am_value scale = delay(b, layer->options->hidden_size);
    scale = am_linear_activation(b, "ada_rms_norm.linear1", scale, DELAY_CHANNELS, AM_NO_BIAS, AM_GELU);
    scale = am_linear(b, "ada_rms_norm.linear2", scale, layer->options->hidden_size, AM_NO_BIAS);
    x = am_mul(b, x, am_add_number(b, scale, 1));
    am_scope(b, "mlp");
    x = am_decoder_mlp(b, x, layer);
    am_end_scope(b);
    return x;
}

static void adapt(const am_config *c, am_decoder_options *o)
{
    o->sliding_window = am_decoder_size_or_none(c, "sliding_window", 4096);
    for (int64_t i = 0; i < AM_LAYERS_LIMIT; i++) o->sliding[i] = o->sliding_window > 0;
    o->mlp = delayed_mlp;
    o->mlp_scope = "";
    if (o->hidden_size % 2) am_config_fail(c, "hidden_size", "expected an even number");
}

static const am_decoder_family text_family = {.defaults = {.vocab_size = 32000,
                                                           .hidden_size = 4096,
                                                           .intermediate_size = 14336,
                                                           .num_hidden_layers = 32,
                                                           .num_attention_heads = 32,
                                                           .num_key_value_heads = 8,
                                                           .max_position_embeddings = 4096 * 32,
                                                           .whole_heads = true},
                                              .adapt = adapt};

/* --- both --- */

/* Below the parts' scope: a row for each word so far, [B, T, C]; AM_NONE where nothing is heard. */
static am_value heard(am_builder *b, int64_t C)
{
    const am_config *c = am_model_config(b);
    am_config config = am_config_child(c, "audio_config");
    am_part_input inputs[] = {{.name = "inputs_embeds", .whole = "encoder_inputs_embeds"},
                              {.name = "attention_mask"},
                              {.name = "position_ids"}};
    am_part part = {.auto_class = "AutoModel",
                    .class_name = "VoxtralRealtimeEncoder",
                    .config = &config,
                    .inputs = inputs,
                    .input_count = 3};
    if (!am_has_input(b, "input_features") && !am_has_input(b, "encoder_inputs_embeds")) return AM_NONE;
    am_scope(b, "audio_tower");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_value x = am_part_output(&outputs, "last_hidden_state");
    int64_t factor = am_config_size(c, "downsample_factor", 4), T = am_dim(b, x, 1);
    if (x.id && T % factor != 0)
        am_config_fail(c, "downsample_factor", "%" PRId64 " does not divide %" PRId64 " frames", factor, T);
    x = am_reshape(b, x, am_shape_of(am_dim(b, x, 0), T / factor, factor * am_dim(b, x, 2)));
    am_scope(b, "multi_modal_projector");
    x = am_linear_activation(b, "linear_1", x, C, AM_NO_BIAS, am_config_activation(c, "projector_hidden_act", AM_GELU));
    x = am_linear(b, "linear_2", x, C, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* Where files keep the text model, and before what the other parts' names lie. */
static const char *const places[][2] = {
    {"language_model.model", ""}, {"model.language_model", "model"}, {"language_model", ""}};

typedef struct realtime {
    am_config text;
    am_decoder_options options;
    const char *place, *parts;
    am_value heard;
} realtime;

/* The text's fields that stand for others than the text model's where they are absent must be given. */
static am_config read_text(const am_config *c)
{
    static const char *const fields[] = {
        "vocab_size",          "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "head_dim",    "rms_norm_eps",      "sliding_window",    "max_position_embeddings"};
    am_config text = am_config_child(c, "text_config");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!am_config_has(&text, fields[i]) && !am_config_is_null(&text, fields[i]))
            am_config_fail(&text, fields[i], "expected to be given, found none");
    if (!am_config_has(&text, "rope_parameters") && !am_config_has(&text, "rope_theta"))
        am_config_fail(&text, "rope_parameters", "expected to be given, found none");
    return text;
}

/* The states of the text model: [B, T, C]. */
static am_value body(am_builder *b, realtime *m)
{
    const am_config *c = am_model_config(b);
    char table[64];
    m->text = read_text(c);
    m->options = am_decoder_options_read(&m->text, &text_family);
    for (int i = 2; i >= 0; i--) {
        snprintf(table, sizeof table, "%s.embed_tokens.weight", places[i][0]);
        if (i && !am_has_weight(b, table)) continue;
        m->place = places[i][0];
        m->parts = places[i][1];
        if (am_has_weight(b, table)) break;
    }
    am_scope(b, "%s", m->parts);
    m->heard = heard(b, m->options.hidden_size);
    am_end_scope(b);
    am_scope(b, "%s", m->place);
    am_value x = am_input_embeddings(b, "embed_tokens", m->options.vocab_size, m->options.hidden_size);
    am_end_scope(b);
    m->options.embedded = m->heard.id ? am_add(b, x, m->heard) : x;
    return am_decoder_body(b, &m->options, m->place);
}

static void realtime_model(am_builder *b)
{
    realtime m = {0};
    am_output(b, "last_hidden_state", body(b, &m));
    if (m.heard.id) am_output(b, "audio_hidden_states", m.heard);
}

static void for_conditional_generation(am_builder *b)
{
    realtime m = {0};
    char table[64];
    am_value x = body(b, &m);
    bool tied = am_config_flag(am_model_config(b), "tie_word_embeddings", true);
    const char *head = am_has_weight(b, "language_model.lm_head.weight") ? "language_model.lm_head" : "lm_head";
    snprintf(table, sizeof table, "%s.embed_tokens.weight", m.place);
    am_output(b, "logits", am_lm_head(b, head, x, m.options.vocab_size, tied, table, AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"VoxtralRealtimeModel", realtime_model, NULL, 0},
    /* it does not generate here: each token is written beside further frames of the sound */
    {"VoxtralRealtimeForConditionalGeneration", for_conditional_generation, NULL, 0},
    {"VoxtralRealtimeEncoder", realtime_encoder, NULL, 0},
    {0},
};

const am_model_type am_model_voxtral_realtime = {
    .name = "voxtral_realtime voxtral_realtime_encoder", .base_prefix = "model", .architectures = architectures};
