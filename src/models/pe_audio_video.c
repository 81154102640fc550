/* Perception Encoder for sounds and videos together (PE-AV): what PE-A and PE-V make of either, the frames of the video
   stretched to those of the sound, read by one more such transformer; and products of what is heard, seen and written.
   transformers: models/pe_audio_video/modeling_pe_audio_video.py */
#include "models/blocks/heads.h"
#include "models/blocks/pe_encoder.h"
#include "models/blocks/vision.h"

#include <stdio.h>

static const double NORM_EPS = 1e-5; /* not configurable */

/* --- the encoder of both --- */

/* A class below the scope embedder.NAME, with the inputs that it takes. */
static am_part_outputs encoder(am_builder *b, const char *name, const char *class_name, const am_config *config,
                               const char *const inputs[2])
{
    am_part_input list[] = {{.name = inputs[0], .whole = inputs[0]}, {.name = inputs[1], .whole = inputs[1]}};
    am_part part = {.class_name = class_name, .config = config, .inputs = list, .input_count = 2};
    am_scope(b, "embedder.%s", name);
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    return outputs;
}

/* How many of T each row of mask: [B, T] marks: I32 [B, 1]; all of them where it is AM_NONE. */
static am_value lengths(am_builder *b, am_value mask, int64_t B, int64_t T)
{
    if (!mask.id) return am_broadcast(b, am_scalar(b, AM_I32, (double)T), am_shape_of(B, 1));
    am_value is = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, mask, 0), AM_I32);
    return am_reduce(b, AM_REDUCE_SUM, is, am_shape_of(1), true);
}

/* Whether all lengths are T: BOOL scalar of one element, [1, 1]. */
static am_value all_are(am_builder *b, am_value lengths, int64_t T)
{
    am_value is = am_cast(b, am_binary_number(b, AM_EQUAL, lengths, (double)T), AM_I32);
    return am_binary_number(b, AM_NOT_EQUAL, am_reduce(b, AM_REDUCE_MIN, is, am_shape_of(0), true), 0);
}

/* The frame that each of T places has, of `from` frames stretched over `to` places, in float as torch computes it:
   I32 [B, T]. */
static am_value nearest(am_builder *b, am_value from, am_value to, int64_t T)
{
    am_value scale = am_div(b, am_cast(b, from, AM_F32), am_cast(b, am_binary_number(b, AM_MAX, to, 1), AM_F32));
    am_value place = am_mul(b, am_iota(b, AM_F32, am_shape_of(1, T), 1, 0, 1), scale);
    am_value frame = am_cast(b, am_unary(b, AM_FLOOR, place), AM_I32);
    return am_binary_number(b, AM_MAX, am_binary(b, AM_MIN, frame, am_add_number(b, from, -1)), 0);
}

/* Rows frames: I32 [B, T] of x: [B, S, C] -> [B, T, C]. */
static am_value rows_of(am_builder *b, am_value x, am_value frames)
{
    int64_t B = am_dim(b, x, 0), S = am_dim(b, x, 1), T = am_dim(b, frames, 1);
    am_value at = am_add(b, frames, am_iota(b, AM_I32, am_shape_of(B, 1), 0, 0, (double)S));
    at = am_reshape(b, at, am_shape_of(B * T));
    return am_reshape(b, am_gather(b, am_flatten(b, x, 0, 1), at, 0, false), am_shape_of(B, T, am_dim(b, x, 2)));
}

/* Video x: [B, S, C] as T frames of the sound, each the nearest; where masks tell of padding, what is none is stretched
   to what is none, with zeros behind. */
static am_value aligned(am_builder *b, am_value x, int64_t T, am_value heard, am_value seen)
{
    int64_t B = am_dim(b, x, 0), S = am_dim(b, x, 1);
    if (S == T || am_builder_failed(b)) return x;
    am_value from = lengths(b, seen, B, S), to = lengths(b, heard, B, T);
    am_value whole = am_binary(b, AM_LOGICAL_OR, all_are(b, to, S), all_are(b, from, T));
    from = am_select(b, whole, am_scalar(b, AM_I32, (double)S), from);
    to = am_select(b, whole, am_scalar(b, AM_I32, (double)T), to);
    am_value is = am_binary(b, AM_LESS, am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1), to);
    is = am_binary(b, AM_LOGICAL_AND, is, am_binary_number(b, AM_GREATER, from, 0));
    x = rows_of(b, x, nearest(b, from, to, T));
    return am_select(b, am_unsqueeze(b, is, 2), x, am_scalar(b, am_dtype_of(b, x), 0));
}

/* x: [B, T, C] by the convolution of one tap embedder.video_proj. */
static am_value video_projected(am_builder *b, am_value x, int64_t width)
{
    x = am_conv(b, "video_proj", am_transpose(b, x, 1, 2), width, am_shape_of(1), AM_BIAS,
                &(am_convolution_attributes){0});
    return am_transpose(b, x, 1, 2);
}

static void audio_video_encoder(am_builder *b)
{
    static const char *const sound_inputs[] = {"input_values", "padding_mask"}, *const video_inputs[] = {
                                                                                    "pixel_values_videos",
                                                                                    "padding_mask_videos"};
    const am_config *c = am_model_config(b);
    am_config audio = am_config_child(c, "audio_config"), video = am_config_child(c, "video_config");
    am_pe_encoder e = am_pe_encoder_read(c);
    am_part_outputs heard = encoder(b, "audio_encoder", "PeAudioEncoder", &audio, sound_inputs);
    am_part_outputs seen = encoder(b, "video_encoder", "PeVideoEncoder", &video, video_inputs);
    if (am_builder_failed(b)) return;
    am_value x = am_part_output(&heard, "last_hidden_state"), mask = am_part_output(&heard, "output_mask");
    am_value frames = am_part_output(&seen, "last_hidden_state");
    am_scope(b, "embedder");
    frames = video_projected(b, frames, am_dim(b, x, 2));
    frames = aligned(b, frames, am_dim(b, x, 1), mask, am_input_optional(b, "padding_mask_videos", 2));
    x = am_concat2(b, x, am_layer_norm(b, "video_norm", frames, NORM_EPS), 2);
    x = am_linear(b, "data_proj", am_linear(b, "concat_modality_proj", x, e.width, AM_BIAS), e.width, AM_BIAS);
    am_end_scope(b);
    am_pe_encode(b, x, mask, &e);
    static const char *const names[] = {"last_hidden_state", "pooler_output", "output_mask"};
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "audio_model_output.%s", names[i]);
        if (am_part_output(&heard, names[i]).id) am_output(b, name, am_part_output(&heard, names[i]));
        snprintf(name, sizeof name, "video_model_output.%s", names[i]);
        if (am_part_output(&seen, names[i]).id) am_output(b, name, am_part_output(&seen, names[i]));
    }
}

/* --- with texts --- */

typedef struct modality {
    am_value pooled, embeds; /* [B, C] of a tower; of the head that all meet behind */
} modality;

/* NAME_embeds of the outputs, by the head of that name below `model`. */
static am_value embeds_of(am_builder *b, const char *model, const char *name, am_value x, int64_t width)
{
    char head[64], output[64];
    snprintf(head, sizeof head, "%s_head", name);
    snprintf(output, sizeof output, "%s_embeds", name);
    am_scope(b, "%s", model);
    x = am_pe_head(b, head, x, width);
    am_end_scope(b);
    am_output(b, output, x);
    return x;
}

static void give_logits(am_builder *b, const char *model, const char *weights, const char *name, am_value x, am_value y)
{
    am_scope(b, "%s", model);
    am_value logits = am_pe_logits(b, x, y, weights);
    am_end_scope(b);
    am_output(b, name, logits);
}

/* What each tower gave. */
static void give_towers(am_builder *b, const am_part_outputs *both)
{
    static const char *const names[] = {"last_hidden_state", "pooler_output", "output_mask"};
    am_pe_output_all(b, both, "audio_video_outputs.");
    for (int i = 0; i < 3; i++) {
        char name[64], output[64];
        snprintf(name, sizeof name, "audio_model_output.%s", names[i]);
        snprintf(output, sizeof output, "audio_outputs.%s", names[i]);
        if (am_part_output(both, name).id) am_output(b, output, am_part_output(both, name));
        snprintf(name, sizeof name, "video_model_output.%s", names[i]);
        snprintf(output, sizeof output, "video_outputs.%s", names[i]);
        if (am_part_output(both, name).id) am_output(b, output, am_part_output(both, name));
    }
}

/* All that meets a text. */
static void with_text(am_builder *b, const am_config *text, const modality *sound, const modality *video, am_value both,
                      int64_t width)
{
    am_part_outputs outputs = am_pe_text(b, text);
    am_value words = am_index(b, am_part_output(&outputs, "last_hidden_state"), 1, 0);
    am_value of_sound = embeds_of(b, "audio_model", "text_audio", words, width);
    am_value of_video = embeds_of(b, "video_model", "text_video", words, width);
    am_value of_both = embeds_of(b, "", "text_audio_video", words, width);
    am_value sound_text = embeds_of(b, "", "audio_plus_text", am_concat2(b, sound->pooled, words, 1), width);
    am_value video_text = embeds_of(b, "", "video_plus_text", am_concat2(b, video->pooled, words, 1), width);
    give_logits(b, "audio_model", "text_audio", "logits_audio_text", sound->embeds, of_sound);
    give_logits(b, "video_model", "text_video", "logits_video_text", video->embeds, of_video);
    give_logits(b, "", "text_audio_video", "logits_audio_video_text", both, of_both);
    give_logits(b, "", "audio_plus_text", "logits_audio_plus_text_video", sound_text, video->embeds);
    give_logits(b, "", "video_plus_text", "logits_video_plus_text_audio", video_text, sound->embeds);
    am_pe_output_text(b, &outputs, text);
}

static void pe_audio_video_model(am_builder *b)
{
    const am_config *c = am_model_config(b);
    am_config text = am_config_child(c, "text_config"), config = am_config_child(c, "audio_video_config");
    int64_t width = am_config_size(&text, "hidden_size", 1024);
    if (!am_has_input(b, "input_values") || !am_has_input(b, "pixel_values_videos"))
        am_builder_fail(b, am_error(AM_UNSUPPORTED, "input_values and pixel_values_videos: both must be given"));
    am_part part = {.class_name = "PeAudioVideoEncoder", .config = &config};
    am_scope(b, "audio_video_encoder");
    am_part_outputs outputs = am_build_part(b, &part);
    am_end_scope(b);
    if (am_builder_failed(b)) return;
    modality sound = {.pooled = am_part_output(&outputs, "audio_model_output.pooler_output")};
    modality video = {.pooled = am_part_output(&outputs, "video_model_output.pooler_output")};
    sound.embeds = embeds_of(b, "audio_model", "audio", sound.pooled, width);
    video.embeds = embeds_of(b, "video_model", "video", video.pooled, width);
    am_value both = embeds_of(b, "", "audio_video", am_part_output(&outputs, "pooler_output"), width);
    give_logits(b, "", "audio_video", "logits_audio_video", sound.embeds, video.embeds);
    if (!am_has_input(b, "input_ids")) return;
    with_text(b, &text, &sound, &video, both, width);
    give_towers(b, &outputs);
}

static const am_architecture architectures[] = {
    {"PeAudioVideoModel", pe_audio_video_model, NULL, 0},
    {"PeAudioVideoEncoder", audio_video_encoder, NULL, 0},
    {0},
};

const am_model_type am_model_pe_audio_video = {.name = "pe_audio_video pe_audio_video_encoder",
                                               .base_prefix = "audio_video_model",
                                               .architectures = architectures};
