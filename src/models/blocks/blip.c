#include "models/blocks/blip.h"

#include "models/blocks/heads.h"
#include "models/names/names.h"

#include <inttypes.h>

enum { CHANNELS = 3 }; /* not configurable */

const am_blip_vision am_blip_2_vision = {.hidden_size = 1408,
                                         .intermediate_size = 6144,
                                         .num_hidden_layers = 39,
                                         .num_attention_heads = 16,
                                         .image_size = 224,
                                         .patch_size = 14,
                                         .layer_norm_eps = 1e-6,
                                         .reads_qkv_bias = true};

/* --- image tower --- */

static am_pre_norm_options read_layers(const am_config *c, const am_blip_vision *d, int64_t C,
                                       const char *hidden_states)
{
    am_pre_norm_options o = {
        .num_hidden_layers = am_config_count(c, "num_hidden_layers", d->num_hidden_layers),
        .intermediate_size = am_config_size(c, "intermediate_size", d->intermediate_size),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
        .layer_norm_eps = am_config_real(c, "layer_norm_eps", d->layer_norm_eps),
        .attention = {.heads = am_config_size(c, "num_attention_heads", d->num_attention_heads),
                      .qkv = "qkv",
                      .out = "projection",
                      .no_q_bias = d->reads_qkv_bias && !am_config_flag(c, "qkv_bias", true)},
        .names = &am_clip_names,
        .hidden_states = hidden_states,
    };
    am_config_check_divides(c, "num_attention_heads", o.attention.heads, "hidden_size", C);
    return o;
}

/* Class token and patches with their positions: [B, 1 + P, C]; images with fewer patches take the first positions. */
static am_value embed(am_builder *b, const am_config *c, const am_blip_vision *d, am_value pixels, int64_t C)
{
    int64_t side = am_config_size(c, "patch_size", d->patch_size), patch[] = {side, side},
            rows = am_config_size(c, "image_size", d->image_size) / side, count = 1 + rows * rows;
    if (am_dim(b, pixels, 1) != CHANNELS)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "pixel_values has %" PRId64 " channels, expected %d",
                                    am_dim(b, pixels, 1), CHANNELS));
    am_scope(b, "embeddings");
    am_value x = am_image_tokens(b, am_patch_convolution(b, "patch_embedding", pixels, C, patch, AM_BIAS));
    x = am_prepend_token(b, "class_embedding", am_shape_of(1, 1, C), x);
    if (am_dim(b, x, 1) > count)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has %" PRId64 " patches, more than %" PRId64 " (image_size)",
                                    am_dim(b, x, 1) - 1, count - 1));
    am_value places = am_parameter(b, "position_embedding", am_shape_of(1, count, C), x);
    x = am_add(b, x, am_slice(b, places, 1, 0, am_dim(b, x, 1)));
    am_end_scope(b);
    return x;
}

am_clip_output am_blip_vision_tower(am_builder *b, const am_config *c, const am_blip_vision *d, am_value pixels,
                                    const char *hidden_states)
{
    int64_t C = am_config_size(c, "hidden_size", d->hidden_size);
    am_pre_norm_options layers = read_layers(c, d, C, hidden_states);
    am_value x = am_pre_norm_layers(b, embed(b, c, d, pixels, C), &layers);
    x = am_layer_norm(b, "post_layernorm", x, layers.layer_norm_eps);
    return (am_clip_output){x, am_layer_norm(b, "post_layernorm", am_index(b, x, 1, 0), layers.layer_norm_eps)};
}

/* --- Q-Former --- */

am_bert_options am_qformer_options(const am_config *c)
{
    am_bert_options o = am_bert_fields_read(c);
    am_config_check_divides(c, "num_attention_heads", o.num_attention_heads, "hidden_size", o.hidden_size);
    return o;
}

/* norm(x + attention(x)) below the scope NAME, to itself or to the image. */
static am_value attend(am_builder *b, const char *name, am_value x, am_value image, const am_attention_options *a,
                       double eps)
{
    am_scope(b, "%s", name);
    am_value h = image.id ? am_cross_attention(b, x, image, a) : am_self_attention(b, x, a);
    x = am_layer_norm(b, "output.LayerNorm", am_add(b, h, x), eps);
    am_end_scope(b);
    return x;
}

/* norm(x + mlp(x)) of the words, or of the queries. */
static am_value feed_forward(am_builder *b, am_value x, const am_bert_options *o, bool of_queries)
{
    am_value h = am_linear_activation(b, of_queries ? "intermediate_query.dense" : "intermediate.dense", x,
                                      o->intermediate_size, AM_BIAS, o->hidden_act);
    am_scope(b, "%s", of_queries ? "output_query" : "output");
    x = am_layer_norm(b, "LayerNorm", am_add(b, am_linear(b, "dense", h, o->hidden_size, AM_BIAS), x),
                      o->layer_norm_eps);
    am_end_scope(b);
    return x;
}

static am_value qformer_layer(am_builder *b, am_value x, const am_bert_options *o, const am_qformer *q, bool sees_image)
{
    am_attention_options a = {.heads = o->num_attention_heads,
                              .q = "attention.query",
                              .k = "attention.key",
                              .v = "attention.value",
                              .out = "output.dense",
                              .mask = q->mask};
    int64_t T = am_dim(b, x, 1);
    x = attend(b, "attention", x, AM_NONE, &a, o->layer_norm_eps);
    if (q->queries == 0) return feed_forward(b, x, o, false);
    am_value queries = am_slice(b, x, 1, 0, q->queries);
    a.mask = q->image_mask;
    if (sees_image) queries = attend(b, "crossattention", queries, q->image, &a, o->layer_norm_eps);
    queries = feed_forward(b, queries, o, true);
    if (q->queries >= T) return queries;
    return am_concat2(b, queries, feed_forward(b, am_slice(b, x, 1, q->queries, T), o, false), 1);
}

am_clip_output am_qformer_layers(am_builder *b, am_value x, const am_qformer *q)
{
    am_bert_options o = am_qformer_options(q->config);
    int64_t period = am_config_size(q->config, "cross_attention_frequency", 2);
    const char *states = q->hidden_states ? q->hidden_states : "hidden_states";
    if (q->queries && !q->image.id && o.num_hidden_layers)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input encoder_hidden_states is missing beside queries"));
    for (int i = 0; i < o.num_hidden_layers && !am_builder_failed(b); i++) {
        if (states[0]) am_output_hidden_state(b, states, i, x);
        am_scope(b, "encoder.layer.%d", i);
        x = qformer_layer(b, x, &o, q, i % period == 0);
        am_end_scope(b);
    }
    if (states[0]) am_output_hidden_state(b, states, (int)o.num_hidden_layers, x);
    return (am_clip_output){x, am_index(b, x, 1, 0)};
}

am_value am_blip_queries(am_builder *b, int64_t B)
{
    const am_config *c = am_model_config(b);
    am_config qformer = am_config_child(c, "qformer_config");
    int64_t N = am_config_size(c, "num_query_tokens", 32), C = am_config_size(&qformer, "hidden_size", 768);
    am_value x = am_cast(b, am_weight(b, "query_tokens", am_shape_of(1, N, C)), AM_F32);
    return am_broadcast(b, x, am_shape_of(B, N, C));
}

/* --- text model --- */

/* The auto class that a text model with a head is of: encoder-decoders are those that are no causal ones. */
static const char *auto_class(const am_config *text)
{
    const char *type = am_config_text(text, "model_type", "opt");
    return am_auto_class_of("AutoModelForCausalLM", type) ? "AutoModelForCausalLM" : "AutoModelForSeq2SeqLM";
}

/* The token whose places the rows take, under either of its names. */
static int64_t feature_token(const am_config *c, const char *id, const char *index)
{
    const char *key = am_config_either(c, index, id);
    if (!am_config_has(c, key)) am_config_fail(c, key, "missing, and there are images");
    return am_config_int(c, key, -1);
}

void am_blip_write(am_builder *b, am_value rows, bool is_video, bool with_head)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config");
    am_feature_rows features = {.rows = rows, .may_be_left = true};
    am_part part = {.auto_class = with_head ? auto_class(&text) : "AutoModel",
                    .model_type = "opt",
                    .config = &text,
                    .features = &features,
                    .feature_count = rows.id ? 1 : 0};
    if (rows.id) {
        features.rows = am_reshape(b, rows, am_shape_of(-1, am_dim(b, rows, -1)));
        features.ids = am_input(b, "input_ids", 2);
        features.token = is_video ? feature_token(c, "video_token_id", "video_token_index")
                                  : feature_token(c, "image_token_id", "image_token_index");
    }
    am_scope(b, "language_model");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    for (int i = 0; i < outputs.count; i++) {
        const char *name = am_arena_printf(am_builder_arena(b), "language_model_outputs.%s", outputs.outputs[i].name);
        if (!name) am_builder_fail(b, am_out_of_memory());
        else am_output(b, name, outputs.outputs[i].value);
    }
    if (with_head) am_output(b, "logits", am_part_output(&outputs, "logits"));
}
