/* Molmo 2: patches of pictures or frames, of a few layers of a tower beside each other, are pooled in groups by
   attention and added to words of a LLaMA, which see one another in both directions where mm_token_type_ids says so.
   transformers: models/molmo2/modeling_molmo2.py */
#include "models/blocks/attention.h"
#include "models/blocks/heads.h"
#include "models/blocks/pre_norm.h"
#include "models/blocks/vision.h"

#include <inttypes.h>

enum { LAYERS_KEPT = 16 };

/* --- the tower --- */

static const am_pre_norm_names names = {.layers = "layers",
                                        .attention = "self_attn",
                                        .norm_before = "layer_norm1",
                                        .norm_after = "layer_norm2",
                                        .up = "mlp.fc1",
                                        .down = "mlp.fc2"};
static const am_pre_norm_names old_names = {.layers = "transformer.resblocks",
                                            .attention = "attention",
                                            .norm_before = "attention_norm",
                                            .norm_after = "ffn_norm",
                                            .up = "feed_forward.w1",
                                            .down = "feed_forward.w2"};

/* Heads of the configuration c, projections named as the file names them. */
static am_attention_options read_heads(const am_config *c, bool old)
{
    bool bias = am_config_flag(c, "attention_bias", true);
    am_attention_options a = {.heads = am_config_size(c, "num_attention_heads", 16),
                              .kv_heads = am_config_size(c, "num_key_value_heads", 16),
                              .head_dim = am_config_size(c, "head_dim", 72),
                              .q = old ? "wq" : "q_proj",
                              .k = old ? "wk" : "k_proj",
                              .v = old ? "wv" : "v_proj",
                              .out = old ? "wo" : "o_proj",
                              .no_q_bias = !bias,
                              .no_k_bias = !bias,
                              .no_v_bias = !bias,
                              .no_out_bias = !bias};
    am_config_check_divides(c, "num_key_value_heads", a.kv_heads, "num_attention_heads", a.heads);
    return a;
}

/* Patches x: [N, P, numbers] -> [N, P, C] by `layers` layers, all states into *out_states; hidden_states as in
   am_pre_norm_options. */
static am_value run_tower(am_builder *b, const am_config *c, am_value x, int64_t layers, const char *hidden_states,
                          am_value **out_states)
{
    int64_t C = am_config_size(c, "hidden_size", 1152);
    bool old = am_has_weight(b, "transformer.resblocks.0.attention.wq.weight");
    am_pre_norm_options encoder = {.num_hidden_layers = layers,
                                   .intermediate_size = am_config_size(c, "intermediate_size", 4304),
                                   .hidden_act = am_config_activation(c, "hidden_act", AM_GELU_TANH),
                                   .layer_norm_eps = am_config_real(c, "layer_norm_eps", 1e-6),
                                   .attention = read_heads(c, old),
                                   .names = old ? &old_names : &names,
                                   .hidden_states = hidden_states};
    encoder.out_states = *out_states =
        am_arena_array(am_builder_arena(b), (size_t)layers + 1, sizeof *encoder.out_states);
    if (!encoder.out_states) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return AM_NONE;
    x = am_linear(b, "patch_embedding", x, C, AM_BIAS);
    am_value places = am_parameter(b, "positional_embedding", am_shape_of(am_dim(b, x, 1), C), x);
    return am_pre_norm_layers(b, am_add(b, x, places), &encoder);
}

static void vision_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_value *states, x = am_input(b, "pixel_values", 3);
    x = run_tower(b, c, x, am_config_count(c, "num_hidden_layers", 25), NULL, &states);
    am_output(b, "last_hidden_state", x);
    am_output(b, "pooler_output", am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false));
}

/* --- the adapter --- */

/* Groups of patches, x: [.., C'], by their numbers: I32 [M, K], below 0 none -> [M, width of the words]. */
static am_value adapt_rows(am_builder *b, const am_config *c, am_value x, am_value groups)
{
    bool old = am_has_weight(b, "image_pooling_2d.wq.weight");
    int64_t C = am_dim(b, x, -1), M = am_dim(b, groups, 0), out = am_config_size(c, "text_hidden_size", 3584),
            width = am_config_size(c, "hidden_size", 1152), inner = am_config_size(c, "intermediate_size", 18944);
    int bias = am_config_flag(c, "mlp_bias", false) ? AM_BIAS : AM_NO_BIAS;
    am_attention_options a = read_heads(c, old);
    am_value is = am_binary_number(b, AM_GREATER_EQUAL, groups, 0);
    am_value some = am_cast(b, am_reduce(b, AM_REDUCE_ANY, is, am_shape_of(1), false), AM_I32);
    am_require_count(b, some, 1, M, "groups of patches");
    am_value marks = am_unsqueeze(b, am_cast(b, is, AM_F32), -1);
    x = am_gather(b, am_reshape(b, x, am_shape_of(-1, C)), am_binary_number(b, AM_MAX, groups, 0), 0, false);
    x = am_mul(b, x, marks); /* [M, K, C'] */
    am_value mean = am_div(b, am_reduce(b, AM_REDUCE_SUM, x, am_shape_of(1), true),
                           am_reduce(b, AM_REDUCE_SUM, marks, am_shape_of(1), true));
    a.mask = am_padding_mask_of(b, is);
    am_scope(b, "image_pooling_2d");
    am_value q = am_split_heads(b, am_linear(b, a.q, mean, a.heads * a.head_dim, !a.no_q_bias), a.heads),
             k = am_split_heads(b, am_linear(b, a.k, x, a.kv_heads * a.head_dim, !a.no_k_bias), a.kv_heads),
             v = am_split_heads(b, am_linear(b, a.v, x, a.kv_heads * a.head_dim, !a.no_v_bias), a.kv_heads);
    x = am_merge_heads(b, am_attend_cached(b, q, k, v, &a));
    x = am_squeeze(b, am_linear(b, a.out, x, width, !a.no_out_bias), 1);
    am_end_scope(b);
    am_scope(b, "image_projector");
    am_value gate = am_linear(b, old ? "w1" : "gate_proj", x, inner, bias),
             up = am_linear(b, old ? "w3" : "up_proj", x, inner, bias);
    x = am_gated_activation(b, am_config_activation(c, "hidden_act", AM_SILU), gate, up);
    x = am_linear(b, old ? "w2" : "down_proj", x, out, AM_NO_BIAS);
    am_end_scope(b);
    return x;
}

static void adapter(am_builder *b)
{
    am_value x = am_input(b, "image_features", -1), groups = am_input(b, "pooled_patches_idx", 2);
    am_output(b, "last_hidden_state", adapt_rows(b, am_model_config(b), x, groups));
}

/* --- pictures --- */

/* Layers of the tower whose states are pooled, as numbers of hidden states; how many there are in *layers. */
static int read_layers(const am_config *adapter, int64_t *layers, bool old, int64_t out[LAYERS_KEPT])
{
    const char *key = am_config_either(adapter, "vision_feature_layer", "vit_layers");
    am_json list = am_json_get(adapter->object, key);
    int64_t most = 0, all = *layers;
    int count = 0;
    if (am_json_kind_of(list) != AM_JSON_ARRAY) {
        out[count++] = 24;
        out[count++] = 18;
    }
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); count++)
        if (count < LAYERS_KEPT) out[count] = am_json_int(i.value, INT32_MIN);
    if (count < 1 || count > LAYERS_KEPT) am_config_fail(adapter, key, "expected 1 to %d layers", LAYERS_KEPT);
    for (int i = 0; i < count && i < LAYERS_KEPT; i++) {
        if (out[i] < -all || out[i] >= all) am_config_fail(adapter, key, "%" PRId64 " is none of the layers", out[i]);
        out[i] = out[i] < 0 ? all + out[i] + 1 : out[i] + 1;
        if (out[i] > most) most = out[i];
        if (out[i] < 1 || out[i] > all) out[i] = 0;
    }
    if (old && most < all) *layers = most; /* layers behind are not in use, and not in such files */
    return count < 1 || count > LAYERS_KEPT ? 0 : count;
}

/* Rows for the words: [M, C], of the inputs of that kind. */
static am_value see(am_builder *b, const char *pixels, const char *groups)
{
    const am_config *c = am_model_config(b);
    bool old = !am_config_has(c, "vision_config") && am_config_has(c, "vit_config");
    am_config vision = am_config_child(c, old ? "vit_config" : "vision_config"),
              adapter_config = am_config_child(c, "adapter_config");
    int64_t layers = am_config_count(&vision, "num_hidden_layers", 25), kept[LAYERS_KEPT];
    int count = read_layers(&adapter_config, &layers, old, kept);
    am_value *states, parts[LAYERS_KEPT], x = am_input(b, pixels, -1);
    if (am_builder_failed(b)) return AM_NONE;
    if (am_rank(b, x) == 4) x = am_flatten(b, x, 0, 1);
    bool backbone = am_has_weight(b, "vision_backbone.image_vit.patch_embedding.weight");
    am_scope(b, "%s", backbone ? "vision_backbone.image_vit" : "vision_tower");
    run_tower(b, &vision, x, layers, "", &states);
    am_end_scope(b);
    if (am_builder_failed(b) || count == 0) return AM_NONE;
    for (int i = 0; i < count; i++) parts[i] = states[kept[i]];
    x = am_concat(b, parts, count, -1);
    am_scope(b, "%s", backbone ? "vision_backbone" : "multi_modal_projector");
    x = adapt_rows(b, &adapter_config, x, am_input(b, groups, 2));
    am_end_scope(b);
    return x;
}

/* --- the text --- */

/* Final hidden states: [B, T, C]. */
static am_value body(am_builder *b)
{
    am_config text = am_config_child(am_model_config(b), "text_config");
    bool nested = am_has_weight(b, "model.transformer.wte.embedding") ||
                  am_has_weight(b, "model.language_model.embed_tokens.weight");
    am_part_input inputs[3];
    am_part part = {.class_name = "Molmo2TextModel", .config = &text, .inputs = inputs};
    am_value types = am_input_optional(b, "mm_token_type_ids", 2), rows = AM_NONE;
    static const char *const ignored[] = {"image_grids", "video_grids", "image_num_crops"};
    for (int i = 0; i < 3; i++) am_input_optional(b, ignored[i], -1);
    if (types.id) {
        am_value is = am_binary_number(b, AM_EQUAL, types, 1);
        inputs[part.input_count++] = (am_part_input){
            .name = "block_sequence_ids", .value = am_select(b, is, am_scalar(b, AM_I32, 0), am_scalar(b, AM_I32, -1))};
    }
    am_scope(b, "%s", nested ? "model" : "");
    am_pause_cache(b);
    if (am_has_input(b, "pixel_values")) rows = see(b, "pixel_values", "image_token_pooling");
    else if (am_has_input(b, "pixel_values_videos")) rows = see(b, "pixel_values_videos", "video_token_pooling");
    am_resume_cache(b);
    am_scope(b, "%s", am_has_weight(b, "transformer.ln_f.weight") ? "transformer" : "language_model");
    if (rows.id) {
        const am_config *c = am_model_config(b);
        int64_t token = am_config_int(c, am_config_either(c, "image_patch_id", "image_token_id"), 151938);
        am_value ids = am_input(b, "input_ids", 2);
        am_require_count(b, ids, token, am_dim(b, rows, 0), "rows of features");
        inputs[part.input_count++] = (am_part_input){.name = "visual_embeds", .value = rows};
        inputs[part.input_count++] =
            (am_part_input){.name = "visual_pos_masks", .value = am_binary_number(b, AM_EQUAL, ids, (double)token)};
        am_output(b, "image_hidden_states", rows);
    }
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    am_end_scope(b);
    am_output_part_list(b, &outputs, "hidden_states", "hidden_states");
    return am_part_output(&outputs, "last_hidden_state");
}

static void model(am_builder *b)
{
    am_output(b, "last_hidden_state", body(b));
}

static void for_conditional_generation(am_builder *b)
{
    am_config text = am_config_child(am_model_config(b), "text_config");
    am_value x = body(b);
    am_output(b, "logits",
              am_lm_head(b, "lm_head", x, am_config_size(&text, "vocab_size", 151936), false, "", AM_NO_BIAS));
}

static const am_architecture architectures[] = {
    {"Molmo2Model", model, NULL, 0},
    {"Molmo2ForConditionalGeneration", for_conditional_generation, "image-text-to-text",
     AM_GENERATES | AM_READS_AT_ONCE},
    {"Molmo2VisionModel", vision_model, NULL, 0},
    {"Molmo2Adapter", adapter, NULL, 0},
    {0},
};

const am_model_type am_model_molmo2 = {
    .name = "molmo2 molmo2_vision molmo2_adapter", .base_prefix = "model", .architectures = architectures};
