/* GroupViT: CLIP's text tower beside an image tower that sorts its patches into ever fewer groups: learned group tokens
   read the patches, and each patch goes to the token that it fits best. transformers:
   models/groupvit/modeling_groupvit.py
 */
#include "models/blocks/clip.h"
#include "models/blocks/heads.h"

#include <inttypes.h>
#include <math.h>

enum { STAGES_LIMIT = 16 };

typedef struct groupvit_config {
    am_image_options image;
    am_pre_norm_options layer; /* of all stages; num_hidden_layers is set for each */
    int64_t hidden_size;
    int stages;
    int64_t depths[STAGES_LIMIT], group_tokens[STAGES_LIMIT], output_groups[STAGES_LIMIT];
    int64_t token_width, channel_width; /* between the linears over tokens, over channels */
    double assign_eps;
} groupvit_config;

/* What a stage hands to the next. */
typedef struct stage_output {
    am_value x;      /* [B, N, C] */
    am_value groups; /* [B, G, C], or AM_NONE */
} stage_output;

static const am_pre_norm_names names = {.layers = "layers",
                                        .attention = "self_attn",
                                        .norm_before = "layer_norm1",
                                        .norm_after = "layer_norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};

/* assign_mlp_ratio, (0.5, 4), in widths. */
static void read_ratios(const am_config *c, groupvit_config *g)
{
    double ratios[] = {0.5, 4};
    int count = 0;
    am_json found = am_json_get(c->object, "assign_mlp_ratio");
    if (am_json_kind_of(found) == AM_JSON_ARRAY) {
        for (am_json_iterator it = am_json_iterate(found); am_json_next(&it); count++)
            if (count < 2) ratios[count] = am_json_real(it.value, 0);
        if (count != 2) am_config_fail(c, "assign_mlp_ratio", "expected two numbers, found %d", count);
    } else if (am_config_has(c, "assign_mlp_ratio")) ratios[0] = ratios[1] = am_config_real(c, "assign_mlp_ratio", 1);
    for (int i = 0; i < 2; i++)
        if (!(ratios[i] * (double)g->hidden_size >= 1 && ratios[i] < 1e4)) {
            am_config_fail(c, "assign_mlp_ratio", "%g times hidden_size is no width", ratios[i]);
            ratios[i] = 1;
        }
    g->token_width = (int64_t)(ratios[0] * (double)g->hidden_size);
    g->channel_width = (int64_t)(ratios[1] * (double)g->hidden_size);
}

static groupvit_config read_config(const am_config *c, const char *hidden_states)
{
    static const int64_t depths[] = {6, 3, 3}, tokens[] = {64, 8, 0}, outputs[] = {64, 8, 8};
    groupvit_config g = {.image = am_image_options_read(c, 224, 16),
                         .hidden_size = am_config_size(c, "hidden_size", 384),
                         .assign_eps = am_config_real(c, "assign_eps", 1)};
    g.layer = am_clip_layers_read(c, g.hidden_size, 1536, 6, hidden_states);
    g.layer.hidden_act = am_config_activation(c, "hidden_act", AM_GELU);
    g.layer.names = &names;
    g.stages = am_config_sizes(c, "depths", g.depths, STAGES_LIMIT, depths, 3);
    int groups = am_config_sizes(c, "num_group_tokens", g.group_tokens, STAGES_LIMIT, tokens, 3),
        results = am_config_sizes(c, "num_output_groups", g.output_groups, STAGES_LIMIT, outputs, 3);
    if (groups < g.stages || results < g.stages)
        am_config_fail(c, "num_group_tokens", "expected a number for each of %d stages", g.stages);
    read_ratios(c, &g);
    return g;
}

/* --- a stage --- */

/* NAME.fc1, activation, NAME.fc2 over channels, `inner` and `out` wide. */
static am_value mlp(am_builder *b, const char *name, am_value x, int64_t inner, int64_t out, const groupvit_config *g)
{
    am_scope(b, "%s", name);
    x = am_linear_activation(b, "fc1", x, inner, AM_BIAS, g->layer.hidden_act);
    x = am_linear(b, "fc2", x, out, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* The same over tokens: x: [B, N, C] -> [B, out, C]. */
static am_value mix(am_builder *b, const char *name, am_value x, int64_t inner, int64_t out, const groupvit_config *g)
{
    return am_transpose(b, mlp(b, name, am_transpose(b, x, 1, 2), inner, out, g), 1, 2);
}

/* What the groups: [B, G, C] read of the patches: [B, N, C]. */
static am_value read_patches(am_builder *b, am_value groups, am_value patches, const groupvit_config *g)
{
    am_scope(b, "pre_assign_attn");
    am_scope(b, "attn");
    am_attention_options attention = {.heads = g->layer.attention.heads};
    groups = am_add(b, groups, am_cross_attention(b, groups, patches, &attention));
    am_end_scope(b);
    am_value h = am_layer_norm(b, "norm2", groups, g->layer.layer_norm_eps);
    groups = am_add(b, groups, mlp(b, "mlp", h, g->layer.intermediate_size, g->hidden_size, g));
    groups = am_layer_norm(b, "norm_post", groups, g->layer.layer_norm_eps);
    am_end_scope(b);
    return groups;
}

/* Nearly the mean of the patches: [B, N, C] that each of the groups: [B, G, C] gets, projected. */
static am_value assign(am_builder *b, am_value groups, am_value patches, const groupvit_config *g)
{
    int64_t C = g->hidden_size, G = am_dim(b, groups, 1);
    am_scope(b, "assign");
    am_value query = am_linear(b, "q_proj", groups, C, AM_BIAS), key = am_linear(b, "k_proj", patches, C, AM_BIAS),
             value = am_linear(b, "v_proj", patches, C, AM_BIAS);
    am_value scores = am_mul_number(b, am_matmul(b, query, key, false, true), 1 / sqrt((double)C));
    am_value best = am_unsqueeze(b, am_arg_reduce(b, scores, 1, false), 1); /* [B, 1, N] */
    am_value chosen = am_binary(b, AM_EQUAL, am_iota(b, AM_I32, am_shape_of(1, G, 1), 1, 0, 1), best);
    chosen = am_cast(b, chosen, AM_F32);
    chosen = am_div(b, chosen, am_add_number(b, am_reduce_last(b, AM_REDUCE_SUM, chosen), g->assign_eps));
    am_value x = am_linear(b, "proj", am_matmul(b, chosen, value, false, false), C, AM_BIAS);
    am_end_scope(b);
    return x;
}

/* x: [B, N, C] in `out` groups, by the group tokens: [B, G, C] -> [B, out, C]. */
static am_value downsample(am_builder *b, am_value x, am_value groups, int64_t out, const groupvit_config *g)
{
    double eps = g->layer.layer_norm_eps;
    am_scope(b, "downsample");
    groups = mix(b, "mlp_inter", am_layer_norm(b, "norm_tokens", groups, eps), g->token_width, out, g);
    groups = am_layer_norm(b, "norm_post_tokens", groups, eps);
    x = am_layer_norm(b, "norm_x", x, eps);
    groups = read_patches(b, groups, x, g);
    x = am_add(b, assign(b, groups, x, g), groups);
    x = am_add(b, x,
               mlp(b, "mlp_channels", am_layer_norm(b, "norm_new_x", x, eps), g->channel_width, g->hidden_size, g));
    am_end_scope(b);
    return x;
}

/* The group tokens of stage i: learned ones, to which what the stage before made of its own is added: [B, G, C]. */
static am_value group_tokens(am_builder *b, int i, const stage_output *before, const groupvit_config *g)
{
    int64_t G = g->group_tokens[i], C = g->hidden_size;
    am_value groups = am_parameter(b, "group_token", am_shape_of(1, G, C), before->x);
    groups = am_broadcast(b, groups, am_shape_of(am_dim(b, before->x, 0), G, C));
    if (i == 0 || g->output_groups[i - 1] == 0) return groups;
    am_scope(b, "group_projector");
    am_value earlier = am_layer_norm(b, "0", before->groups, g->layer.layer_norm_eps);
    groups = am_add(b, groups, mix(b, "1", earlier, C / 2, G, g));
    am_end_scope(b);
    return groups;
}

static stage_output stage(am_builder *b, int i, const stage_output *before, const groupvit_config *g)
{
    int64_t N = am_dim(b, before->x, 1);
    am_pre_norm_options layers = g->layer;
    layers.num_hidden_layers = g->depths[i];
    layers.hidden_states = "";
    am_scope(b, "stages.%d", i);
    am_value groups = g->group_tokens[i] ? group_tokens(b, i, before, g) : AM_NONE, x = before->x;
    x = am_pre_norm_layers(b, groups.id ? am_concat2(b, x, groups, 1) : x, &layers);
    stage_output out = {x, AM_NONE};
    if (groups.id) {
        out.groups = am_slice(b, x, 1, N, AM_SLICE_END);
        out.x = downsample(b, am_slice(b, x, 1, 0, N), out.groups, g->output_groups[i], g);
    }
    am_end_scope(b);
    return out;
}

/* --- image tower --- */

static am_value embed(am_builder *b, const groupvit_config *g)
{
    int64_t C = g->hidden_size;
    am_scope(b, "embeddings");
    am_value x = am_patch_convolution(b, "patch_embeddings.projection", am_pixel_values_sized(b, &g->image), C,
                                      g->image.patch_size, AM_BIAS);
    x = am_layer_norm(b, "layernorm", am_image_tokens(b, x), g->layer.layer_norm_eps);
    x = am_add(b, x, am_parameter(b, "position_embeddings", am_shape_of(1, am_image_patches(&g->image), C), x));
    am_end_scope(b);
    return x;
}

static am_clip_output image_tower(am_builder *b, const am_config *c, const char *hidden_states)
{
    groupvit_config g = read_config(c, hidden_states);
    const char *states = hidden_states ? hidden_states : "hidden_states";
    am_scope(b, "%s", am_clip_tower_scope(b, "vision_model", "layernorm.weight"));
    stage_output x = {embed(b, &g), AM_NONE};
    am_scope(b, "encoder");
    for (int i = 0; i < g.stages && !am_builder_failed(b); i++) {
        am_output_hidden_state(b, states, i, x.x);
        x = stage(b, i, &x, &g);
    }
    am_end_scope(b);
    am_output_hidden_state(b, states, g.stages, x.x);
    am_value last = am_layer_norm(b, "layernorm", x.x, g.layer.layer_norm_eps);
    am_end_scope(b);
    return (am_clip_output){last, am_reduce(b, AM_REDUCE_MEAN, last, am_shape_of(1), false)};
}

/* linear, batch norm, relu, linear */
static am_value project(am_builder *b, const char *name, am_value pooled, const am_config *c)
{
    int64_t inner = am_config_size(c, "projection_intermediate_dim", 4096);
    am_scope(b, "%s", name);
    am_value x = am_batch_norm(b, "1", am_linear(b, "0", pooled, inner, AM_BIAS), 1e-5);
    x = am_linear(b, "3", am_unary(b, AM_RELU, x), am_config_size(c, "projection_dim", 256), AM_BIAS);
    am_end_scope(b);
    return x;
}

static void model(am_builder *b)
{
    if (am_config_flag(am_model_config(b), "output_segmentation", false))
        am_config_unsupported(am_model_config(b), "output_segmentation", "masks of groups are not supported");
    am_clip_model(b);
}

static const am_architecture architectures[] = {
    {"GroupViTModel", model, NULL, 0},
    {"GroupViTTextModel", am_clip_text_model, NULL, 0},
    {"GroupViTVisionModel", am_clip_vision_model, NULL, 0},
    {0},
};

static const am_clip_family family = {.name = "groupvit",
                                      .text_hidden_size = 256,
                                      .text_intermediate_size = 1024,
                                      .text_heads = 4,
                                      .gives_unprojected = true,
                                      .image = image_tower,
                                      .project = project};

const am_model_type am_model_groupvit = {.name = "groupvit groupvit_text_model groupvit_vision_model",
                                         .base_prefix = "groupvit",
                                         .architectures = architectures,
                                         .family = &family};
