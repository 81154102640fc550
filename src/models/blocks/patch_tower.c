#include "models/blocks/patch_tower.h"

#include "models/blocks/attention.h"

am_patch_tower am_patch_tower_read(const am_config *c, const am_patch_tower *d)
{
    am_config rope = am_config_child(c, "rope_parameters");
    am_patch_tower t = {.hidden_size = am_config_size(c, "hidden_size", d->hidden_size),
                        .intermediate_size = am_config_size(c, "intermediate_size", d->intermediate_size),
                        .num_hidden_layers = am_config_count(c, "num_hidden_layers", d->num_hidden_layers),
                        .heads = am_config_size(c, "num_attention_heads", d->heads),
                        .patch_size = am_config_size(c, "patch_size", d->patch_size),
                        .num_channels = am_config_size(c, "num_channels", 3),
                        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
                        .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                        .theta = am_config_real(&rope, "rope_theta", 10000)};
    am_config_check_divides(c, "num_attention_heads", t.heads, "hidden_size", t.hidden_size);
    return t;
}

static am_segments pictures_of(am_builder *b, const am_grids *g)
{
    am_grids frames = am_grid_frames(b, g);
    int64_t *lengths = am_arena_array(am_builder_arena(b), (size_t)frames.count + 1, sizeof *lengths);
    if (!lengths) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return (am_segments){0};
    for (int i = 0; i < frames.count; i++) lengths[i] = frames.items[i].h * frames.items[i].w;
    return am_segments_make(b, lengths, frames.count);
}

/* x: [1, N, C] */
static am_value layer(am_builder *b, am_value x, const am_patch_tower *t, const am_rope *rope,
                      const am_segments *pictures)
{
    am_attention_options options = {.heads = t->heads, .rope = rope};
    am_value qkv[3], h = am_layer_norm(b, "layer_norm1", x, t->layer_norm_eps);
    am_scope(b, "self_attn");
    am_attention_heads(b, h, &options, qkv);
    h = am_linear(b, "out_proj", am_segments_attend(b, pictures, qkv, t->heads), t->hidden_size, AM_BIAS);
    am_end_scope(b);
    x = am_add(b, x, h);
    h = am_layer_norm(b, "layer_norm2", x, t->layer_norm_eps);
    h = am_linear_activation(b, "mlp.fc1", h, t->intermediate_size, AM_BIAS, t->hidden_act);
    return am_add(b, x, am_linear(b, "mlp.fc2", h, t->hidden_size, AM_BIAS));
}

am_value am_patch_tower_layers(am_builder *b, am_value x, const am_grids *g, const am_patch_places *places,
                               const am_patch_tower *t, bool hidden_states)
{
    if (!am_builder_failed(b) && am_dim(b, x, 0) != g->patches)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "%lld patches, but the grids have %lld",
                                    (long long)am_dim(b, x, 0), (long long)g->patches));
    if (am_builder_failed(b)) return AM_NONE;
    am_rope rope = am_grid_rope(b, places, g->patches, t->hidden_size / t->heads, t->theta, AM_GRID_ROPE_SAME);
    am_segments pictures = pictures_of(b, g);
    x = am_unsqueeze(b, x, 0);
    for (int i = 0; i < t->num_hidden_layers && !am_builder_failed(b); i++) {
        if (hidden_states) am_output_hidden_state(b, "hidden_states", i, am_squeeze(b, x, 0));
        am_scope(b, "encoder.layers.%d", i);
        x = layer(b, x, t, &rope, &pictures);
        am_end_scope(b);
    }
    x = am_squeeze(b, x, 0);
    if (hidden_states) am_output_hidden_state(b, "hidden_states", (int)t->num_hidden_layers, x);
    return am_layer_norm(b, "post_layernorm", x, t->layer_norm_eps);
}
