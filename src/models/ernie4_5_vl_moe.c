/* ERNIE 4.5 VL: Qwen2-VL's tower, whose squares of patches, of videos two frames of them at once, are tokens of a text
   with places in time, height and width. transformers: models/ernie4_5_vl_moe/modeling_ernie4_5_vl_moe.py */
#include "models/blocks/layers.h"
#include "models/blocks/qwen_vl.h"

#include <string.h>

static void leave(am_builder *b, am_value x, const am_qwen_vision *v, am_qwen_vision_output *out)
{
    out->last_hidden_state = am_layer_norm(b, "ln", x, v->norm_eps);
}

static am_qwen_vision read_tower(const am_config *c)
{
    am_config rope = am_config_child(c, "rope_parameters");
    am_qwen_vision v = {
        .depth = am_config_count(c, am_config_either(c, "depth", "num_hidden_layers"), 32),
        .width = am_config_size(c, "hidden_size", 1280),
        .intermediate_size = am_config_size(c, "intermediate_size", 5120),
        .heads = am_config_size(c, am_config_either(c, "num_heads", "num_attention_heads"), 16),
        .in_channels = am_config_size(c, "in_channels", 3),
        .patch_size = am_config_size(c, "patch_size", 14),
        .temporal_patch_size = 1,
        .merge = am_config_size(c, "spatial_merge_size", 2),
        .c = c,
        .hidden_act = am_config_activation(c, "hidden_act", AM_QUICK_GELU),
        .theta = am_config_real(&rope, "rope_theta", 10000),
        .norm_eps = am_config_real(c, "rms_norm_eps", 1e-6),
        .flat_embedding = true,
        .leave = leave,
    };
    if (strcmp(am_config_text(&rope, "rope_type", "axial"), "axial") != 0)
        am_config_unsupported(&rope, "rope_type", "only axial rotation is supported");
    am_config_check_divides(c, "num_heads", v.heads, "hidden_size", v.width);
    return v;
}

static int64_t frames_of_token(const am_builder *b)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    return am_config_size(&vision, "temporal_merge_size", 2);
}

static void vision_model(am_builder *b)
{
    am_qwen_vision v = read_tower(am_model_config(b));
    am_grids grids = am_grids_read(b, "grid_thw", v.merge);
    am_value x = am_input(b, "hidden_states", 2);
    am_output(b, "last_hidden_state", am_qwen_vision_tower(b, x, &grids, &v, true).last_hidden_state);
}

/* NAME.0, GELU, NAME.2 and the norm NAME.3: [.., out]. */
static am_value mlp(am_builder *b, const char *name, am_value x, int64_t out, double eps)
{
    am_scope(b, "%s", name);
    x = am_linear(b, "2", am_linear_activation(b, "0", x, out, AM_BIAS, AM_GELU), out, AM_BIAS);
    x = am_layer_norm(b, "3", x, eps);
    am_end_scope(b);
    return x;
}

/* Tokens of even frames, then those of the odd ones behind them, which of a picture are its own: I32 [n] each. */
static bool pair_frames(am_builder *b, const am_grids *g, am_value out[2])
{
    int64_t unit = g->merge * g->merge, tokens = g->patches / unit, begin = 0, count = 0;
    int32_t *places[2];
    for (int k = 0; k < 2; k++) {
        places[k] = am_arena_array(am_builder_arena(b), (size_t)tokens + 1, sizeof **places);
        if (!places[k]) am_builder_fail(b, am_out_of_memory());
    }
    for (int i = 0; i < g->count && !am_builder_failed(b); i++) {
        int64_t t = g->items[i].t, frame = g->items[i].h * g->items[i].w / unit, odd = t > 1 ? 1 : 0;
        for (int64_t k = 0; k < t && k + odd < t; k += 2)
            for (int64_t n = 0; n < frame; n++, count++) {
                places[0][count] = (int32_t)(begin + k * frame + n);
                places[1][count] = (int32_t)(begin + (k + odd) * frame + n);
            }
        begin += t * frame;
    }
    for (int k = 0; k < 2 && !am_builder_failed(b); k++)
        out[k] = am_constant_copy(b, AM_I32, am_shape_of(count), places[k]);
    return !am_builder_failed(b);
}

static am_value resample(am_builder *b, am_value x, const am_grids *g, const am_qwen_vision *v)
{
    am_config text = am_text_config(b);
    am_value frames[2];
    if (am_builder_failed(b) || !pair_frames(b, g, frames)) return AM_NONE;
    int64_t wide = v->width * v->merge * v->merge;
    am_scope(b, "resampler_model");
    x = mlp(b, "spatial_linear", am_reshape(b, x, am_shape_of(-1, wide)), wide, v->norm_eps);
    x = am_concat2(b, am_gather(b, x, frames[0], 0, false), am_gather(b, x, frames[1], 0, false), -1);
    x = mlp(b, "temporal_linear", x, wide, v->norm_eps);
    x = am_linear(b, "mlp", x, am_config_size(&text, "hidden_size", 2560), AM_BIAS);
    x = am_rms_norm(b, "after_norm", x, am_config_real(&text, "rms_norm_eps", 1e-5), 0);
    am_end_scope(b);
    return x;
}

static am_value rows_of(am_builder *b, const char *pixels, const char *grid)
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    am_qwen_vision v = read_tower(&vision);
    am_grids grids = am_grids_read(b, grid, v.merge);
    if (!am_has_input(b, grid))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input %s is missing beside %s", grid, pixels));
    if (frames_of_token(b) != 2) am_config_unsupported(&vision, "temporal_merge_size", "only 2 is supported");
    bool below = am_has_weight(b, "model.resampler_model.mlp.weight"); /* files have the text's parts beside it */
    am_scope(b, "%s", below ? "model" : "");
    am_scope(b, "%s", am_has_weight(b, "vision_tower.ln.weight") ? "vision_tower" : "vision_model");
    am_qwen_vision_output out = am_qwen_vision_tower(b, am_input(b, pixels, 2), &grids, &v, false);
    am_end_scope(b);
    am_value rows = resample(b, out.last_hidden_state, &grids, &v);
    am_end_scope(b);
    return rows;
}

static am_value features(am_builder *b)
{
    return rows_of(b, "pixel_values", "image_grid_thw");
}

static am_value video_features(am_builder *b)
{
    return rows_of(b, "pixel_values_videos", "video_grid_thw");
}

static int text_inputs(am_builder *b, am_part_input out[AM_VISION_LANGUAGE_INPUTS])
{
    am_config vision = am_config_child(am_model_config(b), "vision_config");
    const am_qwen_places places = {.merge = am_config_size(&vision, "spatial_merge_size", 2),
                                   .video_frames = frames_of_token(b)};
    return am_qwen_text_inputs(b, &places, out);
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 100295,
                                                 .video_token = 103367,
                                                 .tied = true,
                                                 .text_class = "Ernie4_5_VLMoeTextModel",
                                                 .hides_features = true,
                                                 .text_inputs = text_inputs};

static const am_architecture architectures[] = {
    {"Ernie4_5_VLMoeModel", am_vision_language_model, NULL, 0},
    {"Ernie4_5_VLMoeForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"Ernie4_5_VLMoeVisionTransformerPretrainedModel", vision_model, NULL, 0},
    {"Ernie4_5_VL_MoeModel", am_vision_language_model, NULL, 0},
    {"Ernie4_5_VL_MoeForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"Ernie4_5_VL_MoeVisionTransformerPretrainedModel", vision_model, NULL, 0},
    {0},
};

const am_model_type am_model_ernie4_5_vl_moe = {.name = "ernie4_5_vl_moe ernie4_5_vl_moe_vision",
                                                .base_prefix = "model",
                                                .architectures = architectures,
                                                .family = &family,
                                                .shaping_inputs = am_qwen_shaping_inputs};
