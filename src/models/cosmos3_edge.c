/* Cosmos 3 Edge, what of it reads: squares of SigLIP 2's patches among words that have places as in Qwen3-VL, each
   frame of a video by itself. transformers: models/cosmos3_edge/modeling_cosmos3_edge.py */
#include "models/blocks/cosmos3_edge.h"
#include "models/blocks/layers.h"
#include "models/blocks/qwen3_vl.h"

static const double EPS = 1e-6; /* of the projector; not configurable */

static am_value look(am_builder *b, const char *pixels, const char *grid)
{
    const am_config *c = am_model_config(b);
    am_config vision = am_config_child(c, "vision_config");
    int64_t merge = am_config_size(&vision, "spatial_merge_size", 2),
            width = am_config_size(c, "projector_hidden_size", 11520);
    am_grids grids = am_grids_read(b, grid, merge);
    am_scope(b, "visual");
    am_value x = am_cosmos3_edge_tower(b, &vision, am_input(b, pixels, 2), &grids, false);
    am_end_scope(b);
    am_scope(b, "projector");
    x = am_layer_norm(b, "norm", x, EPS);
    x = am_reshape(b, x, am_shape_of(-1, am_dim(b, x, -1) * merge * merge));
    x = am_linear_activation(b, "linear_fc1", x, width, AM_BIAS, AM_GELU);
    x = am_linear(b, "linear_fc2", x, am_text_width(b), AM_BIAS);
    am_end_scope(b);
    return x;
}

static am_value features(am_builder *b)
{
    return look(b, "pixel_values", "image_grid_thw");
}

static am_value video_features(am_builder *b)
{
    return look(b, "pixel_values_videos", "video_grid_thw");
}

static const am_vision_language_family family = {.features = features,
                                                 .video_features = video_features,
                                                 .image_token = 19,
                                                 .video_token = 18,
                                                 .text_type = "cosmos3_edge_text",
                                                 .hides_features = true,
                                                 .text_inputs = am_qwen3_vl_text_inputs};

static const am_architecture architectures[] = {
    {"Cosmos3EdgeModel", am_vision_language_model, NULL, 0},
    {"Cosmos3EdgeForConditionalGeneration", am_vision_language_for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {0},
};

/* --- names of files --- */

static const am_renaming of_layers[] = {
    {".self_attn.q_proj.", ".self_attn.to_q."},
    {".self_attn.k_proj.", ".self_attn.to_k."},
    {".self_attn.v_proj.", ".self_attn.to_v."},
    {".self_attn.o_proj.", ".self_attn.to_out."},
    {".mlp.fc1.", ".mlp.up_proj."},
    {".mlp.fc2.", ".mlp.down_proj."},
    {0},
};

static const am_renaming of_text[] = {
    {"^model.language_model.embed_tokens.", "embed_tokens."},
    {"^model.language_model.layers.", "layers."},
    {"^model.language_model.norm.", "norm."},
    {0},
};

static const am_renaming *const renamings[] = {of_layers, of_text, NULL};

const am_model_type am_model_cosmos3_edge = {.name = "cosmos3_edge",
                                             .base_prefix = "model",
                                             .architectures = architectures,
                                             .family = &family,
                                             .shaping_inputs = am_qwen_shaping_inputs,
                                             .renamings = renamings};
