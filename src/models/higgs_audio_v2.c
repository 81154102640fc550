/* Higgs Audio V2: LLaMA that reads and says sounds, a frame being codes of several codebooks whose rows are added;
   frames have norms and an MLP of their own in each layer. What is said is told by heads of all codebooks side by side.
   transformers: models/higgs_audio_v2/modeling_higgs_audio_v2.py */
#include "models/blocks/decoder.h"
#include "models/blocks/heads.h"
#include "models/blocks/multimodal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct higgs {
    am_decoder_options decoder;
    int64_t codebooks, size, audio_token, delay_token;
    am_value is_sound; /* BOOL [B, T]; AM_NONE: all are */
} higgs;

static const am_decoder_family family = {.defaults = {.vocab_size = 128256,
                                                      .hidden_size = 3072,
                                                      .intermediate_size = 8192,
                                                      .num_hidden_layers = 28,
                                                      .num_attention_heads = 24,
                                                      .num_key_value_heads = 8,
                                                      .head_dim = 128,
                                                      .max_position_embeddings = 2048,
                                                      .rms_norm_eps = 1e-5,
                                                      .rope_theta = 500000,
                                                      .whole_heads = true}};

static higgs read_config(am_builder *b)
{
    static const am_rope_llama3 scaling = {
        .factor = 32, .low_freq_factor = 0.125, .high_freq_factor = 0.5, .original_positions = 1024};
    const am_config *c = am_model_config(b);
    higgs r = {.decoder = am_decoder_options_read(c, &family),
               .codebooks = am_config_size(c, "num_codebooks", 8),
               .size = am_config_size(c, "codebook_size", 1024),
               .audio_token = am_config_int(c, "audio_token_id", 128016),
               .delay_token = am_config_int(c, "audio_delay_token_id", 128014)};
    if (r.codebooks > 4096 || r.size > INT32_MAX / r.codebooks)
        am_config_fail(c, "num_codebooks", "%" PRId64 " of codebook_size are too many", r.codebooks);
    am_config_check_divides(c, "num_attention_heads", r.decoder.num_attention_heads, "hidden_size",
                            r.decoder.hidden_size);
    r.decoder.qkv_bias = r.decoder.out_bias = am_config_flag(c, "attention_bias", false);
    r.decoder.mlp_bias = am_config_flag(c, "mlp_bias", false);
    if (!am_config_has(c, "rope_parameters") && !am_config_has(c, "rope_theta") && !am_config_has(c, "rope_scaling"))
        r.decoder.rope = am_rope_config_llama3(c, r.decoder.head_dim, 500000, &scaling, 2048);
    return r;
}

/* --- what goes in --- */

/* Sums of the rows of codes: I32 [B, F, codebooks], one table of all codebooks: [B, F, C]. */
static am_value frames_of(am_builder *b, am_value codes, const higgs *h)
{
    if (codes.id && am_dim(b, codes, 2) != h->codebooks)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "audio_input_ids of %" PRId64 " codebooks, expected %" PRId64,
                                    am_dim(b, codes, 2), h->codebooks));
    am_value first = am_iota(b, AM_I32, am_shape_of(1, 1, h->codebooks), 2, 0, (double)h->size);
    am_value rows = am_embedding(b, "embed_audio_tokens.embed_audio_tokens", am_add(b, codes, first),
                                 h->codebooks * h->size, h->decoder.hidden_size);
    return am_reduce(b, AM_REDUCE_SUM, rows, am_shape_of(2), false);
}

/* Which places of x: [B, T, C] or of the input input_ids are frames: BOOL [B, T]. */
static am_value places_of(am_builder *b, am_value x, const higgs *h)
{
    if (am_has_input(b, "input_ids")) {
        am_value ids = am_input(b, "input_ids", 2);
        return am_binary(b, AM_LOGICAL_OR, am_binary_number(b, AM_EQUAL, ids, (double)h->audio_token),
                         am_binary_number(b, AM_EQUAL, ids, (double)h->delay_token));
    }
    if (h->audio_token < 0 || h->audio_token >= h->decoder.vocab_size)
        am_config_fail(am_model_config(b), "audio_token_id", "no token of vocab_size");
    am_value id = am_reshape(b, am_scalar(b, AM_I32, (double)h->audio_token), am_shape_of(1, 1));
    am_value row = am_embedding(b, "embed_tokens", id, h->decoder.vocab_size, h->decoder.hidden_size);
    am_value same = am_cast(b, am_binary(b, AM_EQUAL, x, row), AM_I32);
    return am_cast(b, am_reduce(b, AM_REDUCE_MIN, same, am_shape_of(2), false), AM_BOOL);
}

/* Words and frames among them, or frames alone: [B, T, C]. */
static am_value embedded(am_builder *b, higgs *h)
{
    am_value codes = am_input_optional(b, "audio_input_ids", 3), marks = AM_NONE;
    if (!am_has_input(b, "input_ids") && !am_has_input(b, "inputs_embeds"))
        return frames_of(b, am_input(b, "audio_input_ids", 3), h);
    am_value x = am_input_embeddings(b, "embed_tokens", h->decoder.vocab_size, h->decoder.hidden_size);
    h->is_sound = places_of(b, x, h);
    if (!codes.id) return x;
    am_value rows = am_flatten(b, frames_of(b, codes, h), 0, 1);
    if (am_has_input(b, "audio_input_ids_mask")) marks = am_flatten(b, am_input(b, "audio_input_ids_mask", 2), 0, 1);
    if (marks.id && !am_builder_failed(b) && am_dim(b, marks, 0) != am_dim(b, rows, 0))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "audio_input_ids_mask has other frames than audio_input_ids"));
    return am_merge_marked(b, x, h->is_sound, rows, marks);
}

/* --- layers --- */

/* What frames, and what words are: [B, T, C]. */
static am_value chosen(am_builder *b, am_value sound, am_value word, const higgs *h)
{
    return am_select(b, am_unsqueeze(b, h->is_sound, 2), sound, word);
}

static am_value norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    const higgs *h = o->context;
    char own[64];
    if (strcmp(name, "norm") == 0) return am_rms_norm(b, name, x, o->rms_norm_eps, 0);
    snprintf(own, sizeof own, "audio_%s", name);
    am_value sound = am_rms_norm(b, own, x, o->rms_norm_eps, 0);
    return h->is_sound.id ? chosen(b, sound, am_rms_norm(b, name, x, o->rms_norm_eps, 0), h) : sound;
}

static am_value gated(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    am_scope(b, "%s", name);
    x = am_gated_mlp(b, x, o->intermediate_size, o->hidden_act, o->mlp_bias ? AM_BIAS : AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

/* x: [B, T, C], normed: frames by the frames' norm */
static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const higgs *h = layer->options->context;
    am_value sound = gated(b, "audio_mlp", x, layer->options);
    return h->is_sound.id ? chosen(b, sound, gated(b, "mlp", x, layer->options), h) : sound;
}

static am_value body(am_builder *b, higgs *h, const char *prefix)
{
    am_scope(b, "%s", prefix);
    h->decoder.embedded = embedded(b, h);
    am_end_scope(b);
    h->decoder.norm = norm;
    h->decoder.mlp = mlp;
    h->decoder.mlp_scope = "";
    h->decoder.context = h;
    return am_decoder_body(b, &h->decoder, prefix);
}

static void higgs_model(am_builder *b)
{
    higgs h = read_config(b);
    am_output(b, "last_hidden_state", body(b, &h, ""));
}

static void for_conditional_generation(am_builder *b)
{
    higgs h = read_config(b);
    am_value x = body(b, &h, "model");
    am_output(b, "logits", am_linear(b, "audio_lm_head", x, h.codebooks * h.size, AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"HiggsAudioV2Model", higgs_model, NULL, 0},
    {"HiggsAudioV2ForConditionalGeneration", for_conditional_generation, NULL, 0},
    {0},
};

const am_model_type am_model_higgs_audio_v2 = {
    .name = "higgs_audio_v2", .base_prefix = "model", .architectures = architectures};
