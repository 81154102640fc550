#include "models/blocks/siglip.h"

#include "models/blocks/clip.h"
#include "models/blocks/heads.h"

/* What a tower gives. */
typedef struct siglip_output {
    am_value last_hidden_state; /* [B, T, C] */
    am_value pooled;            /* [B, C]; AM_NONE where the tower has no head */
} siglip_output;

static const am_siglip_family *family_of(am_builder *b)
{
    return am_model_family(b);
}

/* The configuration of a tower: a part of the file's, or the whole. */
static am_config part_config(am_builder *b, const char *key)
{
    return am_config_part(am_model_config(b), family_of(b)->name, key);
}

static am_pre_norm_options read_encoder(const am_config *c, int64_t C, const char *hidden_states)
{
    am_pre_norm_options o = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", 12),
        .intermediate_size = am_config_size(c, "intermediate_size", 3072),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
        .attention = {.heads = am_config_size(c, "num_attention_heads", 12)},
        .names = &am_clip_names,
        .hidden_states = hidden_states,
    };
    am_config_check_divides(c, "num_attention_heads", o.attention.heads, "hidden_size", C);
    return o;
}

/* --- text tower --- */

static siglip_output text_tower(am_builder *b, const am_config *c, const char *scope, const char *hidden_states)
{
    int64_t C = am_config_size(c, "hidden_size", 768);
    am_pre_norm_options encoder = read_encoder(c, C, hidden_states);
    encoder.attention.mask = am_padding_mask(b, "attention_mask");
    am_scope(b, "%s", scope);
    am_value x = am_pre_norm_layers(b, am_clip_embed_text(b, c, C, 32000, 64), &encoder);
    x = am_layer_norm(b, "final_layer_norm", x, encoder.layer_norm_eps);
    am_value pooled = am_linear(b, "head", am_index(b, x, 1, -1), am_config_size(c, "projection_size", C), AM_BIAS);
    am_end_scope(b);
    return (siglip_output){x, pooled};
}

/* --- image tower --- */

static am_value embed_image(am_builder *b, const am_config *c, int64_t C)
{
    am_scope(b, "embeddings");
    am_value x = family_of(b)->patches(b, c, C);
    am_end_scope(b);
    return x;
}

/* Which patches are no padding: [B, N], or AM_NONE. */
static am_value patch_mask(am_builder *b)
{
    const char *name = family_of(b)->patch_mask;
    return name ? am_input_optional(b, name, 2) : AM_NONE;
}

/* Heads of x: [B, T, C] by part `part` of the three projections that in_proj_weight and in_proj_bias hold. */
static am_value project_heads(am_builder *b, am_value x, int part, int64_t heads)
{
    int64_t C = am_dim(b, x, -1);
    am_value weight = am_weight(b, "in_proj_weight", am_shape_of(3 * C, C)),
             bias = am_weight(b, "in_proj_bias", am_shape_of(3 * C));
    x = am_linear_with(b, x, am_slice(b, weight, 0, part * C, (part + 1) * C),
                       am_slice(b, bias, 0, part * C, (part + 1) * C));
    return am_split_heads(b, x, heads);
}

am_value am_siglip_pooled(am_builder *b, am_value x, const am_siglip_pool *o)
{
    int64_t C = am_dim(b, x, -1), heads = o->heads;
    am_scope(b, "head");
    am_value probe = am_parameter(b, "probe", am_shape_of(1, 1, C), x);
    probe = am_broadcast(b, probe, am_shape_of(am_dim(b, x, 0), 1, C));
    am_scope(b, "attention");
    am_value q = project_heads(b, probe, 0, heads), k = project_heads(b, x, 1, heads),
             v = project_heads(b, x, 2, heads);
    am_attention_options attention = {.heads = heads, .mask = o->mask};
    am_value h = am_merge_heads(b, am_attend_cached(b, q, k, v, &attention));
    h = am_linear(b, "out_proj", h, C, AM_BIAS);
    am_end_scope(b);
    am_value inner = am_layer_norm(b, "layernorm", h, o->layer_norm_eps);
    inner = am_linear_activation(b, "mlp.fc1", inner, o->intermediate_size, AM_BIAS, o->hidden_act);
    h = am_add(b, h, am_linear(b, "mlp.fc2", inner, C, AM_BIAS));
    am_end_scope(b);
    return am_index(b, h, 1, 0);
}

static siglip_output image_tower(am_builder *b, const am_config *c, const char *scope, const char *hidden_states)
{
    int64_t C = am_config_size(c, "hidden_size", 768);
    am_pre_norm_options encoder = read_encoder(c, C, hidden_states);
    siglip_output out = {AM_NONE, AM_NONE};
    encoder.attention.mask = am_padding_mask_of(b, patch_mask(b));
    am_scope(b, "%s", scope);
    am_value x = am_pre_norm_layers(b, embed_image(b, c, C), &encoder);
    out.last_hidden_state = am_layer_norm(b, "post_layernorm", x, encoder.layer_norm_eps);
    am_siglip_pool pool = {.heads = encoder.attention.heads,
                           .intermediate_size = encoder.intermediate_size,
                           .hidden_act = encoder.hidden_act,
                           .layer_norm_eps = encoder.layer_norm_eps,
                           .mask = encoder.attention.mask};
    if (am_config_flag(c, "vision_use_head", true)) out.pooled = am_siglip_pooled(b, out.last_hidden_state, &pool);
    am_end_scope(b);
    return out;
}

/* --- classes --- */

void am_siglip_model(am_builder *b)
{
    am_config text_config = part_config(b, "text_config"), vision_config = part_config(b, "vision_config");
    siglip_output text = text_tower(b, &text_config, "text_model", "text_model_output.hidden_states");
    siglip_output image = image_tower(b, &vision_config, "vision_model", "vision_model_output.hidden_states");
    if (!image.pooled.id) {
        am_config_fail(&vision_config, "vision_use_head", "this class compares what the head gives");
        return;
    }
    am_value words = am_unit_length(b, text.pooled, 0), images = am_unit_length(b, image.pooled, 0);
    am_value scale = am_unary(b, AM_EXP, am_parameter(b, "logit_scale", am_shape_of(1), words));
    am_value logits = am_mul(b, am_matmul(b, words, images, false, true), scale);
    logits = am_add(b, logits, am_parameter(b, "logit_bias", am_shape_of(1), words));
    am_output(b, "logits_per_image", am_transpose(b, logits, 0, 1));
    am_output(b, "logits_per_text", logits);
    am_output(b, "text_embeds", words);
    am_output(b, "image_embeds", images);
    am_output(b, "text_model_output.last_hidden_state", text.last_hidden_state);
    am_output(b, "text_model_output.pooler_output", text.pooled);
    am_output(b, "vision_model_output.last_hidden_state", image.last_hidden_state);
    am_output(b, "vision_model_output.pooler_output", image.pooled);
}

void am_siglip_text_model(am_builder *b)
{
    am_config c = part_config(b, "text_config");
    siglip_output text = text_tower(b, &c, am_clip_tower_scope(b, "text_model", "head.weight"), NULL);
    am_output(b, "last_hidden_state", text.last_hidden_state);
    am_output(b, "pooler_output", text.pooled);
}

void am_siglip_vision_model(am_builder *b)
{
    am_config c = part_config(b, "vision_config");
    siglip_output image = image_tower(b, &c, am_clip_tower_scope(b, "vision_model", "post_layernorm.weight"), NULL);
    am_output(b, "last_hidden_state", image.last_hidden_state);
    if (image.pooled.id) am_output(b, "pooler_output", image.pooled);
}

/* The mean of all patches that are no padding: x: [B, N, C] -> [B, C]. */
static am_value mean_patch(am_builder *b, am_value x)
{
    am_value mask = patch_mask(b);
    if (!mask.id) return am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false);
    am_value weight = am_unsqueeze(b, am_cast(b, mask, AM_F32), 2);
    x = am_reduce(b, AM_REDUCE_SUM, am_mul(b, x, weight), am_shape_of(1), false);
    return am_div(b, x, am_reduce(b, AM_REDUCE_SUM, weight, am_shape_of(1), false));
}

void am_siglip_for_image_classification(am_builder *b)
{
    am_config c = part_config(b, "vision_config");
    am_value mean = mean_patch(b, image_tower(b, &c, "vision_model", NULL).last_hidden_state);
    am_output(b, "logits", am_linear(b, "classifier", mean, am_config_labels(am_model_config(b)), AM_BIAS));
}
