#include "models/blocks/pocket_tts.h"

#include "models/blocks/multimodal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct pocket_tts {
    const am_pocket_tts_family *family;
    const am_pocket_tts_names *names;
    am_decoder_options decoder;
    int64_t latent_dim, voice_dim;
    bool has_head;
} pocket_tts;

static pocket_tts read_config(am_builder *b, bool has_head)
{
    const am_config *c = am_model_config(b);
    pocket_tts r = {.family = am_model_family(b), .has_head = has_head};
    am_config flow = am_config_child(c, "flow_head_config");
    r.names = r.family->names(b, has_head);
    r.decoder = am_decoder_options_read(c, &r.family->decoder);
    r.latent_dim = am_config_size(c, "latent_dim", r.family->latent_dim);
    r.voice_dim = r.family->voice_dim ? am_config_size(c, r.family->voice_dim, r.family->voice_width) : r.latent_dim;
    if (am_config_has(&flow, "condition_dim") && am_config_size(&flow, "condition_dim", 1) != r.decoder.hidden_size)
        am_config_fail(&flow, "condition_dim", "expected hidden_size, %" PRId64, r.decoder.hidden_size);
    if (am_config_has(&flow, "latent_dim") && am_config_size(&flow, "latent_dim", 1) != r.latent_dim)
        am_config_fail(&flow, "latent_dim", "expected latent_dim, %" PRId64, r.latent_dim);
    return r;
}

/* --- what goes in --- */

static am_value projected(am_builder *b, const char *name, am_value x, int64_t width, const pocket_tts *p)
{
    if (x.id && am_dim(b, x, -1) != width)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "latents of %" PRId64 " numbers, expected %" PRId64,
                                    am_dim(b, x, -1), width));
    return am_linear(b, name, x, p->decoder.hidden_size, AM_NO_BIAS);
}

static am_value latent_rows(am_builder *b, am_value x, const pocket_tts *p)
{
    x = projected(b, p->names->latent, x, p->latent_dim, p);
    return p->family->condition ? am_add(b, x, p->family->condition(b, p->has_head)) : x;
}

/* Where a token stands: BOOL [B, T]; where embeddings are given, those that are its own. */
static am_value places_of(am_builder *b, am_value x, const char *key, int64_t fallback, const pocket_tts *p)
{
    const am_decoder_options *o = &p->decoder;
    int64_t token = am_config_int(am_model_config(b), key, fallback);
    if (!am_has_input(b, "inputs_embeds"))
        return am_binary_number(b, AM_EQUAL, am_input(b, "input_ids", 2), (double)token);
    if (token < 0 || token >= o->vocab_size) am_config_fail(am_model_config(b), key, "no token of vocab_size");
    am_value id = am_reshape(b, am_scalar(b, AM_I32, (double)token), am_shape_of(1, 1));
    am_value row = am_embedding(b, p->names->words, id, o->vocab_size, o->hidden_size);
    am_value same = am_cast(b, am_binary(b, AM_EQUAL, x, row), AM_I32);
    return am_cast(b, am_reduce(b, AM_REDUCE_MIN, same, am_shape_of(2), false), AM_BOOL);
}

/* x: [B, T, C] with rows: [B, N, C] at the places `is`; marks: the input of which count, or null. */
static am_value merged(am_builder *b, am_value x, am_value is, am_value rows, const char *marks)
{
    am_value counted = marks ? am_input_optional(b, marks, 2) : AM_NONE;
    if (counted.id) counted = am_flatten(b, counted, 0, 1);
    if (counted.id && !am_builder_failed(b) && am_dim(b, counted, 0) != am_dim(b, rows, 0) * am_dim(b, rows, 1))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%s and what it marks differ in shape", marks));
    return am_merge_marked(b, x, is, am_flatten(b, rows, 0, 1), counted);
}

static am_value with_latents(am_builder *b, am_value x, const pocket_tts *p)
{
    am_value latents = am_input_optional(b, "audio_latents", 3);
    if (!latents.id) return x;
    am_value is = places_of(b, x, "audio_latent_token_id", p->family->latent_token, p);
    am_value rows = latent_rows(b, latents, p);
    bool each = am_dim(b, rows, 0) == am_dim(b, x, 0) && am_dim(b, rows, 1) == am_dim(b, x, 1);
    bool marked = !p->has_head && am_has_input(b, "audio_latents_mask");
    if (each && !marked) return am_select(b, am_unsqueeze(b, is, 2), rows, x);
    return merged(b, x, is, rows, marked ? "audio_latents_mask" : NULL);
}

static am_value embedded(am_builder *b, const pocket_tts *p)
{
    const am_decoder_options *o = &p->decoder;
    am_value x = am_has_input(b, "inputs_embeds")
                     ? am_input(b, "inputs_embeds", 3)
                     : am_embedding(b, p->names->words, am_input(b, "input_ids", 2), o->vocab_size, o->hidden_size);
    am_value start = am_cast(b, am_weight(b, p->names->start, am_shape_of(p->latent_dim)), AM_F32);
    am_value is = places_of(b, x, "audio_bos_token_id", p->family->bos_token, p);
    start = latent_rows(b, am_reshape(b, start, am_shape_of(1, 1, p->latent_dim)), p);
    x = am_select(b, am_unsqueeze(b, is, 2), start, x);
    am_value voice = am_input_optional(b, "audio_prompt_latents", 3);
    if (voice.id) {
        is = places_of(b, x, "audio_prompt_token_id", p->family->prompt_token, p);
        x = merged(b, x, is, projected(b, p->names->voice, voice, p->voice_dim, p), "audio_prompt_latents_mask");
    }
    return with_latents(b, x, p);
}

/* --- layers --- */

static am_value attention(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const pocket_tts *p = layer->options->context;
    am_attention_options options = *layer->attention;
    options.qkv = p->names->qkv;
    options.out = p->names->out;
    return am_self_attention(b, x, &options);
}

static am_value mlp(am_builder *b, am_value x, const am_decoder_layer *layer)
{
    const pocket_tts *p = layer->options->context;
    const am_decoder_options *o = layer->options;
    x = am_linear_activation(b, p->names->up, x, o->intermediate_size, AM_NO_BIAS, o->hidden_act);
    return am_linear(b, p->names->down, x, o->hidden_size, AM_NO_BIAS);
}

static am_value norm(am_builder *b, const char *name, am_value x, const am_decoder_options *o)
{
    const pocket_tts *p = o->context;
    int64_t C = o->hidden_size;
    char weight[96], bias[96];
    if (!p->names->final_norm || strcmp(name, "norm") != 0) return am_layer_norm(b, name, x, o->rms_norm_eps);
    snprintf(weight, sizeof weight, "%s.weight", p->names->final_norm);
    snprintf(bias, sizeof bias, "%s.bias", p->names->final_norm);
    return am_norm_op(b, x, am_weight_absolute(b, weight, am_shape_of(C)), am_weight_absolute(b, bias, am_shape_of(C)),
                      AM_NONE, AM_NONE, &(am_norm_attributes){.kind = AM_NORM_LAYER, .eps = o->rms_norm_eps});
}

static am_value body(am_builder *b, pocket_tts *p)
{
    am_decoder_options *o = &p->decoder;
    am_decoder_norms norms = {.before_attention = p->names->norms[0], .before_mlp = p->names->norms[1]};
    o->rms_norm_eps = am_config_real(am_model_config(b), "layer_norm_eps", 1e-5);
    o->qkv_bias = o->out_bias = am_config_flag(am_model_config(b), "attention_bias", false);
    o->hidden_act = am_config_activation(am_model_config(b), "hidden_act", p->family->activation);
    o->embedded = embedded(b, p);
    o->norms = &norms;
    o->attention = attention;
    o->mlp = mlp;
    o->mlp_scope = p->names->mlp;
    o->norm = norm;
    o->rotary_interleaved = p->names->qkv != NULL; /* the library moves the rows of what it takes apart */
    o->context = p;
    return am_decoder_body(b, o, p->names->prefix);
}

void am_pocket_tts_model(am_builder *b)
{
    pocket_tts p = read_config(b, false);
    am_output(b, "last_hidden_state", body(b, &p));
}

void am_pocket_tts_for_conditional_generation(am_builder *b)
{
    pocket_tts p = read_config(b, true);
    am_value x = body(b, &p);
    am_output(b, "logits", am_linear(b, p.names->end, x, 1, AM_BIAS));
    am_output(b, "last_hidden_state", x);
}
