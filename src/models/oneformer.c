/* OneFormer: Mask2Former's encoder and decoder, whose queries begin with a token that says the task, and with what they
   find of it among the pixels. transformers: models/oneformer/modeling_oneformer.py */
#include "models/blocks/masked_queries.h"
#include "models/blocks/packed_attention.h"

#include <stdio.h>

static const am_masked_names names = {.cross = "cross_attn.multihead_attn",
                                      .cross_norm = "cross_attn.norm",
                                      .self = "self_attn.self_attn",
                                      .self_norm = "self_attn.norm",
                                      .up = "ffn.linear1",
                                      .down = "ffn.linear2",
                                      .last_norm = "ffn.norm",
                                      .norm = "decoder_norm",
                                      .masks = "mask_embed.layers"};

typedef struct oneformer_config {
    am_pixel_options pixels;
    am_masked_options decoder;
    int64_t num_queries, labels, task_seq_len, query_dec_layers;
    bool use_task_norm, use_auxiliary_loss, output_auxiliary_logits;
} oneformer_config;

static void check(const am_config *c, const oneformer_config *r)
{
    int64_t heads = r->decoder.heads;
    am_config_check_divides(c, "num_attention_heads", heads, "conv_dim", r->pixels.C);
    am_config_check_divides(c, "num_attention_heads", heads, "hidden_dim", r->decoder.C);
    /* transformers draws the weights of such projections anew, since they are no part of its module */
    if (r->pixels.C != r->decoder.C || am_config_flag(c, "enforce_input_proj", false))
        am_config_unsupported(c, "conv_dim", "projections of the maps have no weights");
    if (am_config_flag(c, "is_training", false)) am_config_unsupported(c, "is_training", "results would be random");
    if (r->decoder.layers < 1) am_config_fail(c, "decoder_layers", "expected 2 or more");
    if (r->num_queries < 2) am_config_fail(c, "num_queries", "expected 2 or more: one is the task");
}

static oneformer_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    double eps = am_config_real(c, "layer_norm_eps", 1e-5);
    int64_t heads = am_config_size(c, "num_attention_heads", 8), masks = am_config_size(c, "mask_dim", 256);
    oneformer_config r = {
        .pixels = {.C = am_config_size(c, "conv_dim", 256),
                   .mask_channels = masks,
                   .heads = heads,
                   .inner = am_config_size(c, "encoder_feedforward_dim", 1024),
                   .layers = am_config_count(c, "encoder_layers", 6),
                   .fine_levels = am_fine_levels_read(c, "strides"),
                   .layer_norm_eps = eps},
        .decoder = {.names = &names,
                    .C = am_config_size(c, am_config_either(c, "hidden_dim", "hidden_size"), 256),
                    .mask_channels = masks,
                    .heads = heads,
                    .inner = am_config_size(c, "dim_feedforward", 2048),
                    .layers = am_config_count(c, am_config_either(c, "decoder_layers", "num_hidden_layers"), 10) - 1,
                    .activation = AM_RELU,
                    .pre_norm = am_config_flag(c, "pre_norm", false),
                    .layer_norm_eps = eps},
        .num_queries = am_config_size(c, "num_queries", 150),
        .labels = am_config_labels(c),
        .task_seq_len = am_config_size(c, "task_seq_len", 77),
        .query_dec_layers = am_config_count(c, "query_dec_layers", 2),
        .use_task_norm = am_config_flag(c, "use_task_norm", true),
        .use_auxiliary_loss = am_config_flag(c, "use_auxiliary_loss", true),
        .output_auxiliary_logits = am_config_flag(c, "output_auxiliary_logits", true),
    };
    check(c, &r);
    return r;
}

/* Of the input task_inputs, whose numbers are taken as they are: [B, C]. */
static am_value task_token(am_builder *b, const oneformer_config *c)
{
    am_value x = am_cast(b, am_input(b, "task_inputs", 2), AM_F32);
    if (!am_builder_failed(b) && am_dim(b, x, 1) != c->task_seq_len)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "task_inputs has %lld numbers a row, task_seq_len is %lld",
                                    (long long)am_dim(b, x, 1), (long long)c->task_seq_len));
    return am_prediction_head(b, "task_encoder.task_mlp.layers", x, c->decoder.C, c->decoder.C, 2);
}

static am_value norm_if(am_builder *b, const am_masked_options *o, bool wanted, const char *name, am_value x)
{
    return wanted ? am_layer_norm(b, name, x, o->layer_norm_eps) : x;
}

/* A layer of the query transformer. */
static am_value query_layer(am_builder *b, const am_masked_options *o, am_value x, am_value places, am_value memory,
                            am_value keys)
{
    am_value h = norm_if(b, o, o->pre_norm, "norm1", x), placed = am_add(b, h, places);
    h = am_packed_attend(b, "self_attn", placed, placed, h, o->heads, AM_NONE);
    x = norm_if(b, o, !o->pre_norm, "norm1", am_add(b, x, h));
    h = norm_if(b, o, o->pre_norm, "norm2", x);
    h = am_packed_attend(b, "multihead_attn", am_add(b, h, places), keys, memory, o->heads, AM_NONE);
    x = norm_if(b, o, !o->pre_norm, "norm2", am_add(b, x, h));
    h = norm_if(b, o, o->pre_norm, "norm3", x);
    h = am_linear_activation(b, "linear1", h, o->inner, AM_BIAS, AM_RELU);
    return norm_if(b, o, !o->pre_norm, "norm3", am_add(b, x, am_linear(b, "linear2", h, o->C, AM_BIAS)));
}

/* What queries find among the pixels before they look for segments: places are read by what stands there. */
static am_value begin_queries(am_builder *b, const oneformer_config *c, am_value pixels, am_value task, am_value places)
{
    const am_masked_options *o = &c->decoder;
    int64_t B = am_dim(b, pixels, 0);
    am_shape all = am_shape_of(B, am_dim(b, places, 1), o->C);
    am_convolution_attributes options = {0};
    am_value found = am_conv(b, "query_input_projection", pixels, o->C, am_shape_of(1, 1), AM_BIAS, &options);
    found = am_image_tokens(b, found);
    am_value memory = am_broadcast(b, am_map_places(b, pixels, o->C), am_shape_of_value(b, found));
    am_value x = am_broadcast(b, c->use_task_norm ? am_unsqueeze(b, task, 1) : am_scalar(b, AM_F32, 0), all);
    am_value keys = am_add(b, memory, found);
    am_scope(b, "query_transformer.decoder");
    for (int64_t i = 0; i < c->query_dec_layers && !am_builder_failed(b); i++) {
        am_scope(b, "layers.%d", (int)i);
        x = query_layer(b, o, x, places, memory, keys);
        am_end_scope(b);
    }
    x = am_layer_norm(b, "norm", x, o->layer_norm_eps);
    am_end_scope(b);
    return x;
}

typedef struct result {
    am_pixels pixels;
    am_masked_decoding decoding;
    am_states classes;
    am_value task, x; /* [B, C], [B, Q, C] */
} result;

static void decode(am_builder *b, const oneformer_config *c, result *r)
{
    am_masked_decoding *d = &r->decoding;
    int64_t B = am_dim(b, r->task, 0);
    am_scope(b, "transformer_module");
    am_masked_read(b, &c->decoder, &r->pixels, d);
    d->query_places = am_repeated_rows(b, "queries_embedder.weight", B, c->num_queries, c->decoder.C);
    am_scope(b, "decoder");
    am_value task = norm_if(b, &c->decoder, c->use_task_norm, "decoder_norm", r->task);
    am_value places = am_slice(b, d->query_places, 1, 0, c->num_queries - 1);
    d->queries = am_concat2(b, begin_queries(b, c, d->pixels, task, places), am_unsqueeze(b, task, 1), 1);
    r->x = am_masked_decode(b, &c->decoder, d);
    r->classes = am_states_make(b, d->normed.count);
    for (int i = 0; i < d->normed.count; i++)
        am_states_add(&r->classes, am_linear(b, "class_embed", d->normed.items[i], c->labels + 1, AM_BIAS));
    am_end_scope(b);
    am_end_scope(b);
}

static result run(am_builder *b, const oneformer_config *c, const char *prefix)
{
    result r = {0};
    am_scope(b, "%s", prefix);
    r.pixels = am_read_pixels(b, &c->pixels);
    r.task = task_token(b, c);
    if (!am_builder_failed(b)) decode(b, c, &r);
    am_end_scope(b);
    return r;
}

/* What hidden states are: maps of the backbone, of the encoder, and what early layers say. */
static void output_states(am_builder *b, const oneformer_config *c, const result *r, bool wanted)
{
    const am_states found = {(am_value *)r->pixels.found.maps, r->pixels.found.count};
    char name[48];
    if (!wanted) return;
    for (int i = 0; i < found.count; i++) {
        snprintf(name, sizeof name, "encoder_hidden_states.%d", i);
        am_output(b, name, found.items[i]);
    }
    am_output(b, "pixel_decoder_hidden_states.0", r->pixels.vectors);
    for (int i = 0; i < AM_PIXEL_LEVELS; i++) {
        snprintf(name, sizeof name, "pixel_decoder_hidden_states.%d", i + 1);
        am_output(b, name, r->pixels.maps[i]);
    }
    if (c->use_auxiliary_loss)
        am_output_early_masks(b, "transformer_decoder_hidden_states", &r->classes, &r->decoding.masks);
}

static void output_all(am_builder *b, const oneformer_config *c, const result *r, bool states_wanted)
{
    const am_states *masks = &r->decoding.masks;
    output_states(b, c, r, states_wanted);
    am_output(b, "transformer_decoder_object_queries", r->x);
    am_output(b, "transformer_decoder_contrastive_queries", r->decoding.queries);
    am_output(b, "transformer_decoder_mask_predictions", masks->items[masks->count - 1]);
    am_output(b, "transformer_decoder_class_predictions", r->classes.items[masks->count - 1]);
    if (c->use_auxiliary_loss)
        am_output_early_masks(b, "transformer_decoder_auxiliary_predictions", &r->classes, masks);
    am_output(b, "task_token", r->task);
}

static void oneformer_model(am_builder *b)
{
    oneformer_config c = read_config(b);
    result r = run(b, &c, "");
    if (!am_builder_failed(b)) output_all(b, &c, &r, am_wants_hidden_states(b));
}

static void for_universal_segmentation(am_builder *b)
{
    oneformer_config c = read_config(b);
    result r = run(b, &c, "model");
    const am_states *masks = &r.decoding.masks;
    if (am_builder_failed(b)) return;
    am_output(b, "class_queries_logits", r.classes.items[masks->count - 1]);
    am_output(b, "masks_queries_logits", masks->items[masks->count - 1]);
    if (c.use_auxiliary_loss && c.output_auxiliary_logits)
        am_output_early_masks(b, "auxiliary_predictions", &r.classes, masks);
    output_all(b, &c, &r, c.use_auxiliary_loss || am_wants_hidden_states(b));
}

static const am_architecture architectures[] = {
    {"OneFormerModel", oneformer_model, NULL, 0},
    {"OneFormerForUniversalSegmentation", for_universal_segmentation, NULL, 0},
    {0},
};

const am_model_type am_model_oneformer = {.name = "oneformer", .base_prefix = "model", .architectures = architectures};
