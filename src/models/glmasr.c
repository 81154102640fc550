/* GLM-ASR: two convolutions and pre-norm layers with rotary positions over log-mel features, of which four frames side
   by side, through two linear layers, are a token among the words of a text model.
   transformers: models/glmasr/modeling_glmasr.py */
#include "models/blocks/audio_language.h"
#include "models/blocks/whisper.h"

#include <inttypes.h>

static const double NORM_EPS = 1e-5; /* not configurable */
static const char marks[] = "input_features_mask";
enum { MERGED = 4 }; /* frames of a token, as lengths are counted whatever their widths are */

static const am_pre_norm_names names = {.layers = "layers",
                                        .attention = "self_attn",
                                        .norm_before = "input_layernorm",
                                        .norm_after = "post_attention_layernorm",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

static am_pre_norm_options read_layers(const am_config *c, int64_t C)
{
    am_pre_norm_options o = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 32),
        .intermediate_size = am_config_size(c, "intermediate_size", 5120),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = NORM_EPS,
        .attention = {.heads = am_config_size(c, "num_attention_heads", 20), .out = "o_proj", .no_k_bias = true},
        .names = &names,
        .final_norm = "norm",
        .final_norm_eps = NORM_EPS};
    am_attention_options *a = &o.attention;
    a->kv_heads = am_config_size(c, "num_key_value_heads", a->heads);
    if (!am_config_has(c, "head_dim")) am_config_check_divides(c, "num_attention_heads", a->heads, "hidden_size", C);
    a->head_dim = am_config_size(c, "head_dim", C / a->heads);
    am_config_check_divides(c, "num_key_value_heads", a->kv_heads, "num_attention_heads", a->heads);
    return o;
}

static void glmasr_encoder(am_builder *b)
{
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 1280);
    am_pre_norm_options layers = read_layers(c, C);
    am_rope_config config = am_rope_config_read(c, NULL, layers.attention.head_dim, 10000, 0.5, 1500);
    am_value x = am_whisper_frames(b, am_config_size(c, "num_mel_bins", 128), C);
    am_rope rope = am_rope_tables(b, &config, am_dim(b, x, 1));
    layers.attention.rope = &rope;
    layers.attention.bias = am_input_optional(b, "attention_mask", 4);
    am_output(b, "last_hidden_state", am_pre_norm_layers(b, x, &layers));
}

/* x: [B, T, C] as rows of intermediate_size numbers. */
static am_value merged(am_builder *b, am_value x)
{
    am_config audio = am_config_child(am_model_config(b), "audio_config");
    int64_t width = am_config_size(&audio, "intermediate_size", 5120), B = am_dim(b, x, 0);
    int64_t numbers = am_dim(b, x, 1) * am_dim(b, x, 2);
    if (!am_builder_failed(b) && numbers % width != 0)
        am_config_fail(&audio, "intermediate_size", "%" PRId64 " does not divide the %" PRId64 " numbers of a sound",
                       width, numbers);
    return am_reshape(b, x, am_shape_of(B, numbers / width, width));
}

static am_audio_rows features(am_builder *b)
{
    am_part_input inputs[] = {{.name = "attention_mask"}};
    int64_t *lengths = am_audio_lengths(b, marks);
    for (int64_t i = 0; lengths && i < am_dim(b, am_input(b, marks, 2), 0); i++)
        lengths[i] = (lengths[i] + 1) / 2 / MERGED;
    am_part_outputs tower = am_audio_tower(b, "audio_tower", "audio_config", "glmasr_encoder", inputs, 1);
    am_value x = merged(b, am_part_output(&tower, "last_hidden_state"));
    x = am_audio_projector(b, x, 2 * am_audio_text_width(b), AM_BIAS);
    return (am_audio_rows){.rows = am_audio_frames(b, x, lengths)};
}

static const char *const text_fields[] = {"vocab_size",
                                          "hidden_size",
                                          "intermediate_size",
                                          "num_hidden_layers",
                                          "num_attention_heads",
                                          "num_key_value_heads",
                                          "max_position_embeddings",
                                          "rms_norm_eps",
                                          NULL};

static const am_audio_language_family family = {.features = features,
                                                .audio_token = 59260,
                                                .text_type = "llama",
                                                .has_tied_head = true,
                                                .model_shows = true,
                                                .head_shows = true,
                                                .text_fields = text_fields};

static const am_architecture architectures[] = {
    {"GlmAsrModel", am_audio_language_model, NULL, 0},
    {"GlmAsrForConditionalGeneration", am_audio_language_for_conditional_generation, NULL, AM_GENERATES},
    {"GlmAsrEncoder", glmasr_encoder, NULL, 0},
    {0},
};

static const am_shaping_input shaping_inputs[] = {{.name = marks, .kind = AM_SHAPED_BY_ROWS}, {0}};

const am_model_type am_model_glmasr = {.name = "glmasr glmasr_encoder",
                                       .base_prefix = "model",
                                       .architectures = architectures,
                                       .family = &family,
                                       .shaping_inputs = shaping_inputs};
