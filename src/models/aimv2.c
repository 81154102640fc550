/* AIMv2: CLIP's two towers with gated mlps and norms of lengths only; the image tower pools by attention of one token.
   transformers: models/aimv2/modeling_aimv2.py */
#include "models/blocks/clip.h"
#include "models/blocks/heads.h"

#include <math.h>

static const am_pre_norm_names names = {
    .layers = "encoder.layers", .attention = "attention", .norm_before = "rms_norm1", .norm_after = "rms_norm2"};

/* What the layers' functions read of a tower. */
typedef struct aimv2_tower {
    am_pre_norm_options encoder;
    int64_t hidden_size;
    int mlp_bias;
    bool no_bias; /* of the attention's projections */
} aimv2_tower;

static am_value gated_mlp(am_builder *b, am_value x, const am_pre_norm_options *o)
{
    const aimv2_tower *tower = o->context;
    int64_t C = am_dim(b, x, -1);
    am_value gate = am_linear(b, "ffn.gate_proj", x, o->intermediate_size, tower->mlp_bias),
             up = am_linear(b, "ffn.up_proj", x, o->intermediate_size, tower->mlp_bias);
    return am_linear(b, "ffn.down_proj", am_gated_activation(b, o->hidden_act, gate, up), C, tower->mlp_bias);
}

static void read_tower(const am_config *c, const int64_t defaults[4], const char *hidden_states, aimv2_tower *t)
{
    int64_t C = am_config_size(c, "hidden_size", defaults[0]),
            heads = am_config_size(c, "num_attention_heads", defaults[3]);
    bool no_bias = !am_config_flag(c, "qkv_bias", false);
    *t = (aimv2_tower){
        .encoder = {.num_hidden_layers = am_config_count(c, "num_hidden_layers", defaults[2]),
                    .intermediate_size = am_config_size(c, "intermediate_size", defaults[1]),
                    .hidden_act = am_config_activation(c, "hidden_act", AM_SILU),
                    .layer_norm_eps = am_config_real(c, "rms_norm_eps", 1e-5),
                    .rms_norm = true,
                    .attention = {.heads = heads,
                                  .no_q_bias = no_bias,
                                  .no_k_bias = no_bias,
                                  .no_v_bias = no_bias,
                                  .no_out_bias = no_bias},
                    .names = &names,
                    .hidden_states = hidden_states,
                    .mlp = gated_mlp,
                    .context = t},
        .hidden_size = C,
        .mlp_bias = am_config_flag(c, "mlp_bias", false) ? AM_BIAS : AM_NO_BIAS,
        .no_bias = no_bias,
    };
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_size", C);
}

/* Sines and cosines of columns, then of rows: [1, N, C]. */
static am_value sinusoids(am_builder *b, const am_config *c, int64_t C, const int64_t patches[2])
{
    int64_t N = patches[0] * patches[1], quarter = C / 4;
    am_shape shape = am_shape_of(1, N, C);
    if (C % 4 != 0) am_config_fail(c, "hidden_size", "expected a multiple of 4");
    if (am_builder_failed(b)) return AM_NONE;
    float *table = am_shape_check(&shape) ? am_arena_array(am_builder_arena(b), (size_t)(N * C), sizeof *table) : NULL;
    if (!table) {
        am_builder_fail(b, am_out_of_memory());
        return AM_NONE;
    }
    for (int64_t p = 0; p < N; p++)
        for (int64_t i = 0; i < C; i++) {
            int64_t kind = i / quarter, place = kind < 2 ? p % patches[1] : p / patches[1];
            double angle = (double)place * pow(10000, -(double)(i % quarter) / (double)quarter);
            table[p * C + i] = (float)(kind % 2 ? cos(angle) : sin(angle));
        }
    return am_constant_copy(b, AM_F32, shape, table);
}

static am_value embed_image(am_builder *b, const am_config *c, const aimv2_tower *t)
{
    am_image_options image = am_image_options_read(c, 224, 14);
    bool native = am_config_flag(c, "is_native", false);
    am_value x = native ? am_pixel_values(b, image.num_channels) : am_pixel_values_sized(b, &image);
    am_scope(b, "embeddings");
    x = am_patch_convolution(b, "patch_embed", x, t->hidden_size, image.patch_size, AM_BIAS);
    const int64_t patches[] = {am_dim(b, x, 2), am_dim(b, x, 3)};
    x = am_rms_norm(b, "rms_norm", am_image_tokens(b, x), t->encoder.layer_norm_eps, 0);
    am_value places =
        native ? sinusoids(b, c, t->hidden_size, patches)
               : am_parameter(b, "position_embedding.weight", am_shape_of(patches[0] * patches[1], t->hidden_size), x);
    x = am_add(b, x, places);
    am_end_scope(b);
    return x;
}

/* x: [B, N, C] as one token sees it: [B, C]. */
static am_value pool(am_builder *b, am_value x, const aimv2_tower *t)
{
    int64_t C = t->hidden_size, H = t->encoder.attention.heads, B = am_dim(b, x, 0);
    int bias = t->no_bias ? AM_NO_BIAS : AM_BIAS;
    am_scope(b, "head");
    am_value token = am_broadcast(b, am_parameter(b, "cls_token", am_shape_of(1, 1, C), x), am_shape_of(B, 1, C));
    am_value k = am_split_heads(b, am_linear(b, "k_proj", x, C, bias), H),
             v = am_split_heads(b, am_linear(b, "v_proj", x, C, bias), H);
    x = am_attend(b, am_split_heads(b, token, H), k, v, &(am_attention_options){0});
    x = am_linear(b, "output_proj", am_index(b, x, 1, 0), C, AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_clip_output image_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    static const int64_t defaults[] = {1024, 2816, 24, 8};
    aimv2_tower t;
    am_clip_output out = {AM_NONE, AM_NONE};
    read_tower(c, defaults, hidden_states, &t);
    am_scope(b, "%s", am_clip_tower_scope(b, "vision_model", "rms_norm.weight"));
    am_value x = am_pre_norm_layers(b, embed_image(b, c, &t), &t.encoder);
    out.last_hidden_state = am_rms_norm(b, "rms_norm", x, t.encoder.layer_norm_eps, 0);
    if (am_config_flag(c, "use_head", true)) out.pooled = pool(b, out.last_hidden_state, &t);
    am_end_scope(b);
    return out;
}

/* Without a mask, tokens see the whole text. */
static am_clip_output text_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    static const int64_t defaults[] = {768, 2048, 12, 6};
    aimv2_tower t;
    read_tower(c, defaults, hidden_states, &t);
    t.encoder.attention.mask = am_padding_mask(b, "attention_mask");
    t.encoder.attention.causal = t.encoder.attention.mask.id != 0;
    am_scope(b, "%s", am_clip_tower_scope(b, "text_model", "rms_norm.weight"));
    am_value x = am_clip_embed_text(b, c, t.hidden_size, 49408, 77);
    x = am_rms_norm(b, "rms_norm", am_pre_norm_layers(b, x, &t.encoder), t.encoder.layer_norm_eps, 0);
    am_end_scope(b);
    int64_t eos = am_config_int(c, "eos_token_id", 49407);
    am_value ends = am_cast(b, am_binary_number(b, AM_EQUAL, am_input(b, "input_ids", 2), (double)eos), AM_I32);
    return (am_clip_output){x, am_rows_at(b, x, am_arg_reduce(b, ends, 1, false))};
}

static void aimv2_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text_config = am_config_child(c, "text_config"), vision_config = am_config_child(c, "vision_config");
    int64_t width = am_config_size(c, "projection_dim", 512);
    am_clip_output text = text_tower(b, &text_config, "text_model_output.hidden_states");
    am_clip_output image = image_tower(b, &vision_config, "vision_model_output.hidden_states");
    if (!image.pooled.id) am_config_fail(&vision_config, "use_head", "this class needs what is pooled");
    if (am_builder_failed(b)) return;
    am_value words = am_unit_length(b, am_linear(b, "text_projection", text.pooled, width, AM_NO_BIAS), 0),
             pictures = am_unit_length(b, am_linear(b, "visual_projection", image.pooled, width, AM_NO_BIAS), 0);
    am_value scale = am_parameter(b, "logit_scale", (am_shape){0}, words);
    scale = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, scale, 0),
                             log(am_config_real(c, "max_logit_scale", 100)));
    am_value logits = am_matmul(b, am_mul(b, words, am_unary(b, AM_EXP, scale)), pictures, false, true);
    am_output(b, "logits_per_image", am_transpose(b, logits, 0, 1));
    am_output(b, "logits_per_text", logits);
    am_output(b, "text_embeds", words);
    am_output(b, "image_embeds", pictures);
    am_clip_output_tower(b, "text_model_output", &text);
    am_clip_output_tower(b, "vision_model_output", &image);
}

static void text_model(am_builder *b)
{
    am_config c = am_clip_part_config(b, "text_config");
    am_clip_output text = text_tower(b, &c, NULL);
    am_output(b, "last_hidden_state", text.last_hidden_state);
    am_output(b, "pooler_output", text.pooled);
}

static void vision_model(am_builder *b)
{
    am_config c = am_clip_part_config(b, "vision_config");
    am_clip_output image = image_tower(b, &c, NULL);
    am_output(b, "last_hidden_state", image.last_hidden_state);
    if (image.pooled.id) am_output(b, "pooler_output", image.pooled);
}

static const am_architecture architectures[] = {
    {"Aimv2Model", aimv2_model, "zero-shot-image-classification", 0},
    {"Aimv2TextModel", text_model, NULL, 0},
    {"Aimv2VisionModel", vision_model, "image-feature-extraction", 0},
    {0},
};

static const am_clip_family family = {.name = "aimv2"};

const am_model_type am_model_aimv2 = {.name = "aimv2 aimv2_text_model aimv2_vision_model",
                                      .base_prefix = "aimv2",
                                      .architectures = architectures,
                                      .family = &family};
