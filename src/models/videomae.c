/* VideoMAE: a video is a sequence of tubelets, patches of some frames together, at fixed places, read by ViT's layers;
   it learns as a masked autoencoder. transformers: models/videomae/modeling_videomae.py */
#include "models/blocks/masked_autoencoder.h"
#include "models/blocks/sinusoids.h"
#include "models/blocks/vit.h"

#include <inttypes.h>

static const double NORM_EPS = 1e-5; /* of norms that do not follow layer_norm_eps */
static const am_mae_decoder default_decoder = {.hidden_size = 384, .heads = 6, .layers = 4, .intermediate_size = 1536};

static const am_pre_norm_names decoder_names = {.layers = "decoder_layers",
                                                .attention = "attention",
                                                .norm_before = "layernorm_before",
                                                .norm_after = "layernorm_after",
                                                .up = "intermediate.dense",
                                                .down = "output.dense"};

typedef struct videomae_config {
    am_image_options image;
    am_pre_norm_options encoder;
    int64_t hidden_size, num_frames, tubelet_size;
    bool mean_pooling;
} videomae_config;

/* What the body gives. order: I32 [B, N], the places that are seen before those that are not; AM_NONE where all are. */
typedef struct videomae_output {
    am_value last_hidden_state; /* [B, seen, C] */
    am_value order;
    int64_t count, masked; /* N, and how many of them are not seen */
} videomae_output;

static videomae_config read_config(am_builder *b)
{
    static const am_vit_family family = {.derives_head_dim = true};
    const am_config *c = am_model_config(b);
    int64_t C = am_config_size(c, "hidden_size", 768);
    bool biased = am_config_flag(c, am_config_either(c, "qv_bias", "qkv_bias"), true);
    videomae_config v = {
        .image = am_image_options_read(c, 224, 16),
        .encoder = am_vit_layers_read(c, &family, C),
        .hidden_size = C,
        .num_frames = am_config_size(c, "num_frames", 16),
        .tubelet_size = am_config_size(c, "tubelet_size", 2),
        .mean_pooling = am_config_flag(c, "use_mean_pooling", true),
    };
    v.encoder.attention.no_q_bias = v.encoder.attention.no_v_bias = !biased;
    v.encoder.attention.no_k_bias = true;
    return v;
}

/* Sines and cosines of places 0 .. N - 1, one beside the other: [N, C]. */
static am_value positions(am_builder *b, int64_t N, int64_t C)
{
    int64_t even = C + C % 2;
    if (am_builder_failed(b)) return AM_NONE; /* sizes that no weight has may be large */
    am_value x = am_sinusoid_table(b, N, even, (double)C / 2, -1);
    x = am_transpose(b, am_reshape(b, x, am_shape_of(N, 2, even / 2)), 1, 2);
    return am_slice(b, am_reshape(b, x, am_shape_of(N, even)), 1, 0, C);
}

/* Keeps of x: [B, N, C] what the input bool_masked_pos leaves to be seen. */
static am_value keep_seen(am_builder *b, am_value x, videomae_output *out)
{
    am_value masked = am_masked_patches(b, x);
    out->count = am_dim(b, x, 1);
    if (!masked.id) return x;
    out->masked = am_model_argument(b, "bool_masked_pos", -1);
    if (out->masked < 0 || out->masked >= out->count) {
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "bool_masked_pos marks %" PRId64 " of %" PRId64 " patches",
                                    out->masked, out->count));
        return AM_NONE;
    }
    am_sort(b, am_cast(b, masked, AM_I32), 1, false, &out->order);
    return am_tokens_at(b, x, am_slice(b, out->order, 1, 0, out->count - out->masked));
}

static am_value embed(am_builder *b, const videomae_config *v, videomae_output *out)
{
    am_value x = am_video_values_sized(b, &v->image);
    int64_t frames = am_dim(b, x, 1), tubelet = v->tubelet_size;
    if (x.id && frames / tubelet != v->num_frames / tubelet)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT,
                                    "pixel_values has %" PRId64 " frames, expected %" PRId64 " (num_frames)", frames,
                                    v->num_frames));
    am_scope(b, "embeddings.patch_embeddings");
    x = am_tubelet_tokens(b, "projection", x, v->hidden_size,
                          am_shape_of(tubelet, v->image.patch_size[0], v->image.patch_size[1]));
    am_end_scope(b);
    x = am_add(b, x, am_unsqueeze(b, positions(b, am_dim(b, x, 1), v->hidden_size), 0));
    return keep_seen(b, x, out);
}

/* Files have biases of queries and values beside the projections. */
static void name_biases(am_attention_options *o)
{
    if (o->no_q_bias) return;
    o->q_bias = "attention.q_bias";
    o->v_bias = "attention.v_bias";
}

/* The body under `prefix` ("" in the base model), normed unless means are pooled. */
static videomae_output body(am_builder *b, videomae_config *v, const char *prefix)
{
    videomae_output out = {0};
    am_scope(b, "%s", prefix);
    if (am_has_weight(b, "encoder.layer.0.attention.attention.q_bias")) name_biases(&v->encoder.attention);
    am_value x = am_pre_norm_layers(b, embed(b, v, &out), &v->encoder);
    if (!v->mean_pooling) x = am_layer_norm(b, "layernorm", x, v->encoder.layer_norm_eps);
    am_end_scope(b);
    out.last_hidden_state = x;
    return out;
}

static void videomae_model(am_builder *b)
{
    videomae_config v = read_config(b);
    am_output(b, "last_hidden_state", body(b, &v, "").last_hidden_state);
}

static void for_video_classification(am_builder *b)
{
    videomae_config v = read_config(b);
    am_value x = body(b, &v, "videomae").last_hidden_state;
    if (v.mean_pooling)
        x = am_layer_norm(b, "fc_norm", am_reduce(b, AM_REDUCE_MEAN, x, am_shape_of(1), false), NORM_EPS);
    else x = am_index(b, x, 1, 0);
    am_output(b, "logits", am_linear(b, "classifier", x, am_config_labels(am_model_config(b)), AM_BIAS));
}

/* The pixels of the patches that are not seen: [B, masked, tubelet's pixels]. */
static am_value decode(am_builder *b, am_value x, const videomae_config *v, const am_mae_decoder *decoder,
                       int64_t masked)
{
    am_pre_norm_options layers = am_mae_decoder_layers(decoder, &v->encoder, &decoder_names);
    if (am_builder_failed(b)) return AM_NONE;
    int64_t pixels = v->image.num_channels * v->tubelet_size * v->image.patch_size[0] * v->image.patch_size[1];
    am_scope(b, "decoder");
    x = am_pre_norm_layers(b, x, &layers);
    x = am_layer_norm(b, "norm", am_slice(b, x, 1, -masked, AM_SLICE_END), NORM_EPS);
    x = am_linear(b, "head", x, pixels, AM_BIAS);
    am_end_scope(b);
    return x;
}

static void for_pre_training(am_builder *b)
{
    const am_config *c = am_model_config(b);
    videomae_config v = read_config(b);
    am_mae_decoder decoder = am_mae_decoder_read(c, &default_decoder);
    if (v.image.patch_size[0] != v.image.patch_size[1])
        am_config_fail(c, "patch_size", "this class takes squares of pixels");
    videomae_output seen = body(b, &v, "videomae");
    if (seen.masked == 0)
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "bool_masked_pos marks no patch that this class could paint"));
    int64_t split = seen.count - seen.masked;
    am_value x = am_linear(b, "encoder_to_decoder", seen.last_hidden_state, decoder.hidden_size, AM_NO_BIAS);
    am_value table = positions(b, seen.count, decoder.hidden_size);
    am_value places = am_gather(b, table, seen.order, 0, false); /* [B, N, C] */
    am_value token = am_parameter(b, "mask_token", am_shape_of(1, 1, decoder.hidden_size), x);
    x = am_add(b, x, am_slice(b, places, 1, 0, split));
    x = am_concat2(b, x, am_add(b, am_slice(b, places, 1, split, AM_SLICE_END), token), 1);
    am_output(b, "logits", decode(b, x, &v, &decoder, seen.masked));
}

static const am_architecture architectures[] = {
    {"VideoMAEModel", videomae_model, NULL, 0},
    {"VideoMAEForPreTraining", for_pre_training, NULL, 0},
    {"VideoMAEForVideoClassification", for_video_classification, "video-classification", 0},
    {0},
};

/* Which patches are left away decides how many an encoder reads. */
static const am_shaping_input shaping_inputs[] = {{.name = "bool_masked_pos", .kind = AM_SHAPED_BY_MARKS}, {0}};

const am_model_type am_model_videomae = {
    .name = "videomae", .base_prefix = "videomae", .architectures = architectures, .shaping_inputs = shaping_inputs};
