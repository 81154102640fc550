/* Perceiver IO (arXiv 2107.14795): a few latents read inputs of any kind by cross-attention, work among themselves, and
   are read by queries that say what is wanted: one vector for a class, a position for a byte or a pixel.
   transformers: models/perceiver/modeling_perceiver.py */
#include "models/blocks/attention.h"
#include "models/blocks/fourier_positions.h"
#include "models/blocks/heads.h"
#include "models/blocks/vision.h"

#include <stdio.h>
#include <string.h>

/* Norms do not follow layer_norm_eps. */
static const double EPS = 1e-5;

/* What the classes build their parts with, whatever the configuration. */
enum {
    LEARNED_CHANNELS = 256,
    CONVOLVED_CHANNELS = 64,
    IMAGE_BANDS = 64,
    VIDEO_BANDS = 32,
    AUDIO_BANDS = 192,
    INPUT_PADDING = 4,
    QUERY_PADDING = 2
};

typedef struct perceiver_config {
    const am_config *c;
    int64_t num_latents, d_latents, d_model, num_blocks, layers, self_heads, cross_heads, qk_channels, v_channels,
        self_widening, cross_widening;
    bool attends_in_query_shape, use_query_residual;
    am_unary_fn hidden_act;
} perceiver_config;

static perceiver_config read_config(am_builder *b)
{
    const am_config *c = am_model_config(b);
    const char *shape = am_config_text(c, "cross_attention_shape_for_attention", "kv");
    if (strcmp(shape, "kv") != 0 && strcmp(shape, "q") != 0)
        am_config_fail(c, "cross_attention_shape_for_attention", "expected \"kv\" or \"q\", found \"%s\"", shape);
    return (perceiver_config){
        .c = c,
        .num_latents = am_config_size(c, "num_latents", 256),
        .d_latents = am_config_size(c, "d_latents", 1280),
        .d_model = am_config_size(c, "d_model", 768),
        .num_blocks = am_config_count(c, "num_blocks", 1),
        .layers = am_config_count(c, "num_self_attends_per_block", 26),
        .self_heads = am_config_size(c, "num_self_attention_heads", 8),
        .cross_heads = am_config_size(c, "num_cross_attention_heads", 8),
        .qk_channels = am_config_size(c, "qk_channels", 0),
        .v_channels = am_config_size(c, "v_channels", 0),
        .self_widening = am_config_size(c, "self_attention_widening_factor", 1),
        .cross_widening = am_config_size(c, "cross_attention_widening_factor", 1),
        .attends_in_query_shape = strcmp(shape, "q") == 0,
        .use_query_residual = am_config_flag(c, "use_query_residual", true),
        .hidden_act = am_config_activation(c, "hidden_act", AM_GELU),
    };
}

/* --- attention --- */

typedef struct layer_options {
    int64_t heads, qk_channels, v_channels, widening; /* channels 0: those of the queries, or of the inputs */
    bool residual;
} layer_options;

static am_value heads_of(am_builder *b, const char *name, am_value x, int64_t channels, int64_t heads)
{
    if (channels % heads != 0)
        am_builder_fail(b, am_error(AM_INVALID_FILE, "%lld channels do not divide by %lld heads", (long long)channels,
                                    (long long)heads));
    return am_split_heads(b, am_linear(b, name, x, channels, AM_BIAS), heads);
}

/* Queries of x: [B, T, C] over inputs: [B, S, K], or over x itself where they are AM_NONE -> [B, T, v_channels]. */
static am_value attend(am_builder *b, am_value x, am_value inputs, am_value mask, const perceiver_config *c,
                       const layer_options *o)
{
    bool crosses = inputs.id != 0;
    am_value normed = am_layer_norm(b, "layernorm1", x, EPS);
    am_value source = crosses ? am_layer_norm(b, "layernorm2", inputs, EPS) : normed;
    int64_t own = am_dim(b, c->attends_in_query_shape ? normed : source, -1);
    int64_t qk = o->qk_channels ? o->qk_channels : own, v = o->v_channels ? o->v_channels : qk;
    am_attention_inputs attention = {.q = heads_of(b, "query", normed, qk, o->heads),
                                     .k = heads_of(b, "key", source, qk, o->heads),
                                     .v = heads_of(b, "value", source, v, o->heads),
                                     .mask = mask};
    return am_merge_heads(b, am_attention_op(b, &attention, &(am_attention_attributes){0}));
}

/* Layer NAME: attention and an MLP; x: [B, T, C] -> [B, T, C]. */
static am_value layer(am_builder *b, const char *name, am_value x, am_value inputs, am_value mask,
                      const perceiver_config *c, const layer_options *o)
{
    int64_t C = am_dim(b, x, -1);
    am_scope(b, "%s", name);
    am_scope(b, "attention.self");
    am_value y = attend(b, x, inputs, mask, c, o);
    am_end_scope(b);
    y = am_linear(b, "attention.output.dense", y, C, AM_BIAS);
    if (o->residual) y = am_add(b, y, x);
    am_value h = am_layer_norm(b, "layernorm", y, EPS);
    h = am_linear_activation(b, "mlp.dense1", h, o->widening * C, AM_BIAS, c->hidden_act);
    y = am_add(b, am_linear(b, "mlp.dense2", h, C, AM_BIAS), y);
    am_end_scope(b);
    return y;
}

/* What the latents are after they read inputs: [B, S, K] -> [B, num_latents, d_latents]; names hidden states. */
static am_value encode(am_builder *b, const perceiver_config *c, am_value inputs)
{
    layer_options cross = {c->cross_heads, c->qk_channels, c->v_channels, c->cross_widening, c->use_query_residual},
                  self = {c->self_heads, c->qk_channels, c->v_channels, c->self_widening, true};
    am_value mask = am_padding_mask(b, "attention_mask");
    am_value x = am_parameter(b, "embeddings.latents", am_shape_of(c->num_latents, c->d_latents), inputs);
    x = am_broadcast(b, x, am_shape_of(am_dim(b, inputs, 0), c->num_latents, c->d_latents));
    am_scope(b, "encoder");
    x = layer(b, "cross_attention", x, inputs, mask, c, &cross);
    int state = 0;
    for (int64_t block = 0; block < c->num_blocks && !am_builder_failed(b); block++) {
        for (int64_t i = 0; i < c->layers && !am_builder_failed(b); i++) {
            char name[48];
            snprintf(name, sizeof name, "self_attends.%lld", (long long)i);
            am_output_hidden_state(b, "hidden_states", state++, x);
            x = layer(b, name, x, AM_NONE, AM_NONE, c, &self);
        }
        am_output_hidden_state(b, "hidden_states", state++, x);
    }
    am_end_scope(b);
    return x;
}

/* The linear final_layer, where it has channels, of what queries: [B, T, C] find in the latents. */
static am_value decode(am_builder *b, const perceiver_config *c, am_value queries, am_value latents,
                       const layer_options *o, int64_t channels)
{
    am_value x = layer(b, "decoding_cross_attention", queries, latents, AM_NONE, c, o);
    return channels ? am_linear(b, "final_layer", x, channels, AM_BIAS) : x;
}

/* The learned queries [B, count, channels]. */
static am_value learned_queries(am_builder *b, int64_t count, int64_t channels, am_value latents)
{
    am_value x =
        am_parameter(b, "output_position_encodings.position_embeddings", am_shape_of(count, channels), latents);
    return am_broadcast(b, x, am_shape_of(am_dim(b, latents, 0), count, channels));
}

/* --- what is read --- */

/* The input "inputs", or `alias` in its place. */
static am_value given(am_builder *b, const char *alias, int rank)
{
    if (!am_has_input(b, alias)) return am_input(b, "inputs", rank);
    if (am_has_input(b, "inputs"))
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "both inputs and %s are given, expected one", alias));
    return am_input(b, alias, rank);
}

/* Bytes with their places: [B, T, d_model]. */
static am_value read_text(am_builder *b, const perceiver_config *c)
{
    am_value ids = given(b, "input_ids", 2), places = am_iota(b, AM_I32, am_shape_of(am_dim(b, ids, 1)), 0, 0, 1);
    int64_t positions = am_config_size(c->c, "max_position_embeddings", 2048);
    am_scope(b, "input_preprocessor");
    am_value x = am_embedding(b, "embeddings", ids, am_config_size(c->c, "vocab_size", 262), c->d_model);
    x = am_add(b, x, am_embedding(b, "position_embeddings", places, positions, c->d_model));
    am_end_scope(b);
    return x;
}

static am_value channels_last(am_builder *b, am_value image)
{
    return am_permute(b, image, am_shape_of(0, 2, 3, 1));
}

/* x: [N, C] -> [B, N, C] */
static am_value for_each_row(am_builder *b, am_value features, int64_t B)
{
    return am_broadcast(b, features, am_shape_of(B, am_dim(b, features, 0), am_dim(b, features, 1)));
}

/* Pixels through a linear, beside learned positions through another: [B, H W, 512]. */
static am_value read_learned(am_builder *b, const perceiver_config *c)
{
    int64_t side = am_config_size(c->c, "image_size", 56), C = LEARNED_CHANNELS;
    am_value image = given(b, "pixel_values", 4);
    am_scope(b, "input_preprocessor");
    am_value x = am_image_tokens(
        b, am_conv(b, "convnet_1x1", image, C, am_shape_of(1, 1), AM_BIAS, &(am_convolution_attributes){0}));
    am_value places = am_parameter(b, "position_embeddings.position_embeddings", am_shape_of(side * side, C), x);
    places = for_each_row(b, am_linear(b, "positions_projection", places, C, AM_BIAS), am_dim(b, x, 0));
    am_end_scope(b);
    return am_concat2(b, x, places, 2);
}

static am_value read_pixels(am_builder *b, const perceiver_config *c)
{
    (void)c;
    const double resolution[] = {224, 224};
    return am_with_grid_positions(b, channels_last(b, given(b, "pixel_values", 4)), resolution, 2, IMAGE_BANDS);
}

static am_value read_convolved(am_builder *b, const perceiver_config *c)
{
    (void)c;
    const double resolution[] = {56, 56};
    am_convolution_attributes window = {
        .stride = am_shape_of(2, 2), .padding_before = am_shape_of(3, 3), .padding_after = am_shape_of(3, 3)};
    am_value image = given(b, "pixel_values", 4);
    am_scope(b, "input_preprocessor.convnet");
    am_value x = am_conv(b, "conv", image, CONVOLVED_CHANNELS, am_shape_of(7, 7), AM_NO_BIAS, &window);
    x = am_unary(b, AM_RELU, am_batch_norm(b, "batchnorm", x, EPS));
    am_end_scope(b);
    x = am_pool(b, x,
                &(am_pool_attributes){.fn = AM_POOL_MAX, .kernel = am_shape_of(3, 3), .stride = am_shape_of(2, 2)});
    return am_with_grid_positions(b, channels_last(b, x), resolution, 2, IMAGE_BANDS);
}

/* frames: [B, T, C, H, W] -> [B, T / t, H / s, W / s, t s s C]; the time is dropped where one frame is left. */
static am_value space_to_depth(am_builder *b, am_value frames, int64_t t, int64_t s)
{
    am_shape f = am_shape_of_value(b, frames);
    int64_t B = f.dims[0], T = f.dims[1] / t, C = f.dims[2], H = f.dims[3] / s, W = f.dims[4] / s;
    am_value x = am_reshape(b, frames, am_shape_of(B, T, t, C, H, s, W, s));
    x = am_permute(b, x, am_shape_of(0, 1, 4, 6, 2, 5, 7, 3));
    x = am_reshape(b, x, am_shape_of(B, T, H, W, t * s * s * C));
    return T == 1 ? am_squeeze(b, x, 1) : x;
}

/* --- classes --- */

static void model(am_builder *b)
{
    perceiver_config c = read_config(b);
    am_value inputs = am_input(b, "inputs", 3);
    if (inputs.id && am_dim(b, inputs, 2) != c.d_model)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "inputs has vectors of %lld numbers, expected %lld (d_model)",
                                    (long long)am_dim(b, inputs, 2), (long long)c.d_model));
    am_output(b, "last_hidden_state", encode(b, &c, inputs));
}

/* As many logits as there are places, however long the text. */
static void for_masked_lm(am_builder *b)
{
    perceiver_config c = read_config(b);
    int64_t vocab = am_config_size(c.c, "vocab_size", 262);
    int64_t positions = am_config_size(c.c, "max_position_embeddings", 2048);
    layer_options cross = {.heads = 8, .qk_channels = 8 * 32, .v_channels = c.d_model, .widening = 1};
    am_scope(b, "perceiver");
    am_value latents = encode(b, &c, read_text(b, &c));
    am_scope(b, "decoder");
    am_value x = decode(b, &c, learned_queries(b, positions, c.d_model, latents), latents, &cross, 0);
    am_end_scope(b);
    am_value table = am_weight(b, "input_preprocessor.embeddings.weight", am_shape_of(vocab, c.d_model));
    am_end_scope(b);
    am_output(b, "logits", am_linear_with(b, x, table, am_weight(b, "embedding_decoder.bias", am_shape_of(vocab))));
}

/* One query for the class. */
static void classify(am_builder *b, am_value (*read)(am_builder *b, const perceiver_config *c))
{
    perceiver_config c = read_config(b);
    layer_options cross = {.heads = 1, .widening = 1, .residual = true};
    am_scope(b, "perceiver");
    am_value latents = encode(b, &c, read(b, &c));
    am_scope(b, "decoder.decoder");
    am_value query = learned_queries(b, 1, c.d_latents, latents);
    am_output(b, "logits", am_squeeze(b, decode(b, &c, query, latents, &cross, am_config_labels(c.c)), 1));
    am_end_scope(b);
    am_end_scope(b);
}

static void for_sequence_classification(am_builder *b)
{
    classify(b, read_text);
}

static void for_image_classification_learned(am_builder *b)
{
    classify(b, read_learned);
}

static void for_image_classification_fourier(am_builder *b)
{
    classify(b, read_pixels);
}

static void for_image_classification_convolved(am_builder *b)
{
    classify(b, read_convolved);
}

/* Both frames' patches, [B, 2, 27, H, W], are what is read, and the queries of each pixel's flow [B, H, W, 2]. */
static void for_optical_flow(am_builder *b)
{
    static const int64_t sizes[] = {368, 496};
    perceiver_config c = read_config(b);
    layer_options cross = {.heads = 1, .widening = 1};
    int64_t size[2];
    if (am_config_sizes(c.c, "train_size", size, 2, sizes, 2) != 2)
        am_config_fail(c.c, "train_size", "expected height and width");
    am_value x = space_to_depth(b, am_input(b, "inputs", 5), 2, 1);
    am_scope(b, "perceiver");
    x = am_linear(b, "input_preprocessor.conv_after_patches", x, CONVOLVED_CHANNELS, AM_BIAS);
    x = am_with_grid_positions(b, x, (double[]){(double)size[0], (double)size[1]}, 2, IMAGE_BANDS);
    am_value latents = encode(b, &c, x);
    am_scope(b, "decoder.decoder");
    am_value flow = am_mul_number(b, decode(b, &c, x, latents, &cross, 2), 1 / 100.0);
    am_end_scope(b);
    am_end_scope(b);
    am_output(b, "logits", am_reshape(b, flow, am_shape_of(am_dim(b, x, 0), size[0], size[1], 2)));
}

/* --- sound, video and a label together --- */

enum { AUDIO, IMAGE, LABEL, MODALITIES, PLACES_LIMIT = 1 << 26 };
static const char *const MODALITY[] = {"audio", "image", "label"};

typedef struct media_config {
    int64_t frames, samples, samples_per_patch, image_size, label_channels, output_channels, output_shape[4];
} media_config;

static media_config read_media_config(const am_config *c)
{
    static const int64_t shape[] = {1, 16, 224, 224};
    media_config m = {.frames = am_config_size(c, "num_frames", 16),
                      .samples_per_patch = am_config_size(c, "samples_per_patch", 16),
                      .image_size = am_config_size(c, "image_size", 56),
                      .label_channels = am_config_size(c, "_label_trainable_num_channels", 1024),
                      .output_channels = am_config_size(c, "output_num_channels", 512)};
    m.samples = m.frames * am_config_size(c, "audio_samples_per_frame", 1920);
    if (am_config_sizes(c, "output_shape", m.output_shape, 4, shape, 4) != 4)
        am_config_fail(c, "output_shape", "expected batch, frames, height and width");
    if (m.image_size > PLACES_LIMIT / m.image_size || m.frames > PLACES_LIMIT / (m.image_size * m.image_size) ||
        m.samples > PLACES_LIMIT)
        am_config_fail(c, "num_frames", "more than %d places or samples", PLACES_LIMIT);
    if (m.samples < m.samples_per_patch) am_config_fail(c, "samples_per_patch", "more than all samples");
    return m;
}

/* x of each modality, filled up by the weights padding.MODALITY to what the widest has and `more`, one after the
   other: [B, all, channels]. */
static am_value join_modalities(am_builder *b, am_value x[MODALITIES], int64_t more)
{
    int64_t channels = 0;
    for (int i = 0; i < MODALITIES; i++)
        if (am_dim(b, x[i], 2) > channels) channels = am_dim(b, x[i], 2);
    channels += more;
    am_scope(b, "padding");
    for (int i = 0; i < MODALITIES; i++) {
        int64_t missing = channels - am_dim(b, x[i], 2);
        am_value padding = am_parameter(b, MODALITY[i], am_shape_of(1, missing), x[i]);
        padding = am_broadcast(b, padding, am_shape_of(am_dim(b, x[i], 0), am_dim(b, x[i], 1), missing));
        x[i] = am_concat2(b, x[i], padding, 2);
    }
    am_end_scope(b);
    return am_concat(b, x, MODALITIES, 1);
}

/* Inputs inputs.audio: [B, samples, 1], inputs.image: [B, T, 3, H, W] and inputs.label: [B, labels], which is hidden
   behind a mask vector. */
static am_value read_media(am_builder *b, const media_config *m)
{
    double samples[] = {(double)m->samples},
           video[] = {(double)m->frames, (double)m->image_size, (double)m->image_size};
    am_value audio = am_input(b, "inputs.audio", -1), label = am_input(b, "inputs.label", 2);
    audio = am_reshape(b, audio, am_shape_of(am_dim(b, audio, 0), -1, m->samples_per_patch));
    am_value x[MODALITIES] = {
        [AUDIO] = am_with_grid_positions(b, audio, samples, 1, AUDIO_BANDS),
        [IMAGE] =
            am_with_grid_positions(b, space_to_depth(b, am_input(b, "inputs.image", 5), 1, 4), video, 3, VIDEO_BANDS),
        [LABEL] = am_unsqueeze(b, label, 1),
    };
    am_scope(b, "input_preprocessor");
    am_value joined = join_modalities(b, x, INPUT_PADDING);
    int64_t C = am_dim(b, joined, 2);
    am_value masked = am_parameter(b, "mask.label", am_shape_of(1, C), joined);
    am_end_scope(b);
    masked = am_broadcast(b, masked, am_shape_of(am_dim(b, joined, 0), 1, C));
    return am_concat2(b, am_slice(b, joined, 1, 0, -1), masked, 1);
}

/* What is asked: the points that subsampled_output_points.audio and .image name, I32 [N] each, and the label. */
static am_value media_queries(am_builder *b, const media_config *m, am_value latents, int64_t counts[MODALITIES])
{
    am_grid_axis patches[] = {{m->samples / m->samples_per_patch, (double)m->samples}},
                 pixels[] = {{m->output_shape[1], (double)m->frames},
                             {m->output_shape[2], (double)m->image_size},
                             {m->output_shape[3], (double)m->image_size}};
    am_value sound = am_input(b, "subsampled_output_points.audio", 1),
             image = am_input(b, "subsampled_output_points.image", 1);
    int64_t B = am_dim(b, latents, 0);
    am_value x[MODALITIES] = {
        [AUDIO] = for_each_row(b, am_grid_point_positions(b, sound, patches, 1, AUDIO_BANDS), B),
        [IMAGE] = for_each_row(b, am_grid_point_positions(b, image, pixels, 3, VIDEO_BANDS), B),
    };
    am_scope(b, "modalities.label.decoder");
    x[LABEL] = learned_queries(b, 1, m->label_channels, latents);
    am_end_scope(b);
    for (int i = 0; i < MODALITIES; i++) counts[i] = am_dim(b, x[i], 1);
    return join_modalities(b, x, QUERY_PADDING);
}

static void for_multimodal_autoencoding(am_builder *b)
{
    perceiver_config c = read_config(b);
    media_config m = read_media_config(c.c);
    layer_options cross = {.heads = 1, .widening = 1};
    int64_t counts[MODALITIES], channels[] = {m.samples_per_patch, 3, am_config_labels(c.c)}, start = 0;
    if (am_builder_failed(b)) return;
    am_scope(b, "perceiver");
    am_value latents = encode(b, &c, read_media(b, &m));
    am_scope(b, "decoder");
    am_value queries = media_queries(b, &m, latents, counts);
    am_scope(b, "decoder");
    am_value x = decode(b, &c, queries, latents, &cross, m.output_channels), out[MODALITIES];
    am_end_scope(b);
    am_end_scope(b);
    for (int i = 0; i < MODALITIES; start += counts[i++]) {
        am_scope(b, "output_postprocessor.modalities.%s", MODALITY[i]);
        out[i] = am_linear(b, "classifier", am_slice(b, x, 1, start, start + counts[i]), channels[i], AM_BIAS);
        am_end_scope(b);
    }
    am_end_scope(b);
    am_output(b, "logits.audio", am_flatten(b, out[AUDIO], 1, 2));
    am_output(b, "logits.image", out[IMAGE]);
    am_output(b, "logits.label", am_squeeze(b, out[LABEL], 1));
}

static const am_architecture architectures[] = {
    {"PerceiverModel", model, NULL, 0},
    {"PerceiverForMaskedLM", for_masked_lm, "fill-mask", 0},
    {"PerceiverForSequenceClassification", for_sequence_classification, "text-classification", 0},
    {"PerceiverForImageClassificationLearned", for_image_classification_learned, "image-classification", 0},
    {"PerceiverForImageClassificationFourier", for_image_classification_fourier, "image-classification", 0},
    {"PerceiverForImageClassificationConvProcessing", for_image_classification_convolved, "image-classification", 0},
    {"PerceiverForOpticalFlow", for_optical_flow, NULL, 0},
    {"PerceiverForMultimodalAutoencoding", for_multimodal_autoencoding, NULL, 0},
    {0},
};

const am_model_type am_model_perceiver = {
    .name = "perceiver", .base_prefix = "perceiver", .architectures = architectures};
