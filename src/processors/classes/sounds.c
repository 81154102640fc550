/* Sounds, as many tokens as the encoder gives frames for them. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- Audio Flamingo 3, Music Flamingo, GLM-ASR: windows of a chunk each --- */

typedef struct window_rule {
    int64_t (*count_of)(int64_t frames);
    am_wrapping wrapping;
} window_rule;

static int64_t flamingo_count(int64_t frames)
{
    return am_floor_div(am_floor_div(frames - 1, 2) + 1 - 2, 2) + 1;
}

/* Convolutions of 3 with strides 1 and 2, then four frames together. */
static int64_t glm_count(int64_t frames)
{
    return am_floor_div(am_floor_div(frames - 1, 2) + 1 - 4, 4) + 1;
}

/* Sounds cut into windows, the samples borrowed; counts[i] of sound i. */
static am_status cut_windows(am_processor_call *run, int64_t *counts, am_audio **out, int64_t *out_count)
{
    const am_feature_extractor *e = &run->processor->feature_extractor;
    int64_t most_seconds, total = 0, chunk = am_feature_setting_int(e, "chunk_length");
    AM_TRY(am_processor_integer(run->processor, "max_audio_len", &most_seconds));
    int64_t window = e->sampling_rate * chunk;
    if (window < 1 || most_seconds < chunk)
        return am_error(AM_INVALID_FILE, "chunk_length %" PRId64 " and max_audio_len %" PRId64 " leave no window",
                        chunk, most_seconds);
    for (int64_t i = 0; i < run->inputs->sound_count; i++) {
        counts[i] = (run->inputs->sounds[i].frames + window - 1) / window;
        if (counts[i] > most_seconds / chunk) counts[i] = most_seconds / chunk;
        total += counts[i];
    }
    *out = am_arena_array(&run->arena, (size_t)total + 1, sizeof **out);
    if (!*out) return am_out_of_memory();
    *out_count = 0;
    for (int64_t i = 0; i < run->inputs->sound_count; i++) {
        for (int64_t k = 0; k < counts[i]; k++) {
            am_audio *part = &(*out)[(*out_count)++];
            *part = run->inputs->sounds[i];
            part->samples += k * window;
            part->frames -= k * window;
            if (part->frames > window) part->frames = window;
        }
    }
    return NULL;
}

static am_status extract_windows(am_processor_call *run)
{
    const window_rule *rule = run->processor->kind->details;
    int64_t windows, next = 0, *counts = am_arena_array(&run->arena, (size_t)run->inputs->sound_count, sizeof *counts);
    am_audio *parts;
    if (!counts) return am_out_of_memory();
    AM_TRY(cut_windows(run, counts, &parts, &windows));
    AM_TRY(am_processor_extract_sounds(run, parts, windows));
    am_media_rename(&run->sounds, "attention_mask", "input_features_mask");
    for (int64_t i = 0; i < run->inputs->sound_count; i++) {
        int64_t frames = 0, length;
        for (int64_t k = 0; k < counts[i]; k++) {
            AM_TRY(am_media_row_sum(&run->sounds, "input_features_mask", next++, &length));
            frames += length;
        }
        counts[i] = rule->count_of(frames);
    }
    return am_give_sound_counts(run, counts);
}

static am_status expand_windows(const am_placeholder *p, am_buffer *out)
{
    const window_rule *rule = p->run->processor->kind->details;
    return am_put_counted(p, "num_audio_tokens", "audio_token", &rule->wrapping, out);
}

/* --- counted by the mask --- */

static int64_t qwen2_count(const am_processor *p, int64_t frames)
{
    (void)p;
    return flamingo_count(frames);
}

static am_status extract_qwen2(am_processor_call *run)
{
    return am_extract_counted(run, "attention_mask", "feature_attention_mask", qwen2_count);
}

/* Three convolutions of stride 2 over chunks of two windows, which have 13 frames each of 100. */
static int64_t qwen3_count(const am_processor *p, int64_t frames)
{
    int64_t chunk = 2 * am_json_int(am_processor_kwarg(p, "audio_kwargs", "n_window"), 50), rest = frames % chunk;
    for (int i = 0; i < 3; i++) rest = am_floor_div(rest - 1, 2) + 1;
    return rest + frames / chunk * 13;
}

static am_status extract_qwen3(am_processor_call *run)
{
    if (am_json_int(am_processor_kwarg(run->processor, "audio_kwargs", "n_window"), 50) < 1)
        return am_error(AM_INVALID_ARGUMENT, "n_window: expected a positive integer");
    return am_extract_counted(run, "attention_mask", "input_features_mask", qwen3_count);
}

static int64_t same_count(const am_processor *p, int64_t frames)
{
    (void)p;
    return frames;
}

static am_status extract_whole(am_processor_call *run)
{
    return am_extract_counted(run, NULL, "input_features_mask", same_count);
}

/* One row of features and mask for each multiple of subsampling_factor. */
static am_status pad_frames(am_processor_call *run, const char *name, int64_t factor)
{
    am_media_output *item = NULL;
    for (int i = 0; i < run->sounds.count; i++)
        if (strcmp(run->sounds.items[i].name, name) == 0) item = &run->sounds.items[i];
    if (!item) return am_error(AM_UNSUPPORTED, "a feature extractor without %s", name);
    am_tensor *x = &item->tensors[0], *made;
    am_shape shape = x->shape;
    shape.dims[1] = (shape.dims[1] + factor - 1) / factor * factor;
    AM_TRY(am_media_tensors_add(&run->sounds, "padded", x->dtype, &shape, &made));
    size_t from = am_tensor_bytes(x->dtype, &x->shape) / (size_t)shape.dims[0],
           to = am_tensor_bytes(x->dtype, &shape) / (size_t)shape.dims[0];
    for (int64_t i = 0; i < shape.dims[0]; i++)
        memcpy((char *)made->data + (size_t)i * to, (const char *)x->data + (size_t)i * from, from);
    am_media_drop(&run->sounds, name);
    am_media_rename(&run->sounds, "padded", name);
    return NULL;
}

static int64_t subsampled_count(const am_processor *p, int64_t frames)
{
    int64_t factor = am_json_int(am_processor_setting(p, "subsampling_factor"), 8);
    return (frames + factor - 1) / factor;
}

static am_status extract_transcribe(am_processor_call *run)
{
    int64_t factor;
    AM_TRY(am_processor_integer(run->processor, "subsampling_factor", &factor));
    if (!factor) return am_error(AM_INVALID_FILE, "subsampling_factor: expected a positive integer, found 0");
    AM_TRY(am_extract_counted(run, "attention_mask", "input_features_mask", subsampled_count));
    AM_TRY(pad_frames(run, "input_features", factor));
    return pad_frames(run, "input_features_mask", factor);
}

/* VibeVoice: samples over what they are padded to a multiple of. */
static int64_t vibevoice_count(const am_processor *p, int64_t samples)
{
    int64_t multiple = am_json_int(am_processor_kwarg(p, "audio_kwargs", "pad_to_multiple_of"), 0);
    if (!multiple) multiple = am_feature_setting_int(&p->feature_extractor, "pad_to_multiple_of");
    return multiple > 0 ? (samples + multiple - 1) / multiple : 0;
}

static am_status extract_vibevoice(am_processor_call *run)
{
    return am_extract_counted(run, NULL, "padding_mask", vibevoice_count);
}

/* VibeVoice ASR: each <|AUDIO_DURATION|> becomes the seconds of the next sound. */
static am_status put_duration(const am_processor_call *run, int64_t index, am_buffer *out)
{
    if (index >= run->inputs->sound_count)
        return am_error(AM_INVALID_ARGUMENT, "more durations than sounds, which are %" PRId64,
                        run->inputs->sound_count);
    const am_audio *sound = &run->inputs->sounds[index];
    am_buffer_printf(out, "%.2f", (double)sound->frames / (double)sound->sampling_rate);
    return NULL;
}

static am_status put_durations(am_processor_call *run)
{
    return am_replace_in_texts(run, am_token_text(run, "audio_duration_token"), put_duration);
}

/* --- granite speech: the extractor says how many --- */

static am_status expand_granite(const am_placeholder *p, am_buffer *out)
{
    return am_put_counted(p, "audio_embed_sizes", "audio_token", NULL, out);
}

/* --- MOSS: the seconds among the tokens --- */

static am_status extract_moss(am_processor_call *run)
{
    const am_processor *p = run->processor;
    int64_t sounds = run->inputs->sound_count, next = 0, merge,
            window = am_feature_chunk_samples(&p->feature_extractor);
    int64_t *counts = am_arena_array(&run->arena, (size_t)sounds, sizeof *counts);
    if (!counts) return am_out_of_memory();
    AM_TRY(am_processor_integer(p, "audio_merge_size", &merge));
    if (!merge || window < 1)
        return am_error(AM_INVALID_FILE, "audio_merge_size and chunk_length: expected none of them 0");
    AM_TRY(am_processor_extract(run));
    for (int64_t i = 0; i < sounds; i++) {
        int64_t samples;
        AM_TRY(am_media_row_sum(&run->sounds, "padding_mask", i, &samples));
        int64_t windows = samples > window ? (samples + window - 1) / window : 1;
        for (; windows > 0; windows--) {
            int64_t frames;
            AM_TRY(am_media_row_sum(&run->sounds, "input_features_mask", next++, &frames));
            counts[i] += am_floor_div(am_floor_div(frames - 1, 2) + 1 + merge - 1, merge);
        }
    }
    return am_give_sound_counts(run, counts);
}

static am_status expand_moss(const am_placeholder *p, am_buffer *out)
{
    double rate = am_json_real(am_processor_setting(p->run->processor, "audio_tokens_per_second"), 12.5);
    int64_t count, step, consumed = 0;
    AM_TRY(am_media_number(p->media, "num_audio_tokens", p->row, 0, &count));
    AM_TRY(am_processor_integer(p->run->processor, "time_marker_every_seconds", &step));
    int64_t between = (int64_t)(rate * (double)step);
    for (int64_t second = step; between > 0 && second <= (int64_t)((double)count / rate); second += step) {
        am_put_token(p->run, "audio_token", second / step * between - consumed, out);
        consumed = second / step * between;
        am_buffer_printf(out, "%" PRId64, second);
    }
    am_put_token(p->run, "audio_token", count - consumed, out);
    return NULL;
}

/* --- CSM: the frames of its codec --- */

/* _get_encoded_length with causal convolutions. */
static am_status csm_count(const am_processor *p, int64_t length, int64_t *out)
{
    am_json kwargs = am_processor_kwarg(p, "audio_kwargs", "encoded_length_kwargs");
    am_json_iterator kernels = am_json_iterate(am_json_get(kwargs, "kernel_sizes")),
                     strides = am_json_iterate(am_json_get(kwargs, "strides")),
                     dilations = am_json_iterate(am_json_get(kwargs, "dilations"));
    while (am_json_next(&kernels) && am_json_next(&strides) && am_json_next(&dilations)) {
        int64_t kernel = am_json_int(kernels.value, 0), stride = am_json_int(strides.value, 0),
                effective = (kernel - 1) * am_json_int(dilations.value, 0) + 1, padding = kernel - stride;
        if (kernel < 1 || stride < 1 || effective < 1 || kernel > 1 << 20 || stride > 1 << 20 || effective > 1 << 20)
            return am_error(AM_INVALID_ARGUMENT, "encoded_length_kwargs: a kernel or stride out of bounds");
        int64_t frames = -am_floor_div(-(length - effective + padding), stride); /* rounded up */
        int64_t extra = frames * stride + kernel - padding - length;
        length = am_floor_div(length + padding + extra - effective, stride) + 1;
    }
    *out = length;
    return NULL;
}

/* The sounds of a text one after another, and where each ends. */
static am_status join_sounds(am_processor_call *run, const int64_t *per_text, am_audio *joined, am_tensor *ends)
{
    int64_t next = 0, most = ends->shape.dims[1];
    for (int64_t i = 0; i < run->out->text_count; i++) {
        int64_t frames = 0;
        const am_audio *sounds = run->inputs->sounds + next;
        for (int64_t k = 0; k < most; k++) {
            if (k < per_text[i]) frames += sounds[k].frames;
            ((int64_t *)ends->data)[i * most + k] = k < per_text[i] ? frames : -1;
        }
        joined[i] = run->inputs->sounds[0];
        joined[i].frames = 0;
        joined[i].samples = am_arena_array(&run->arena, (size_t)frames + 1, sizeof(float));
        if (!joined[i].samples) return am_out_of_memory();
        for (int64_t k = 0; k < per_text[i]; k++) {
            memcpy(joined[i].samples + joined[i].frames, sounds[k].samples, (size_t)sounds[k].frames * sizeof(float));
            joined[i].frames += sounds[k].frames;
        }
        next += per_text[i];
    }
    return NULL;
}

static am_status extract_csm(am_processor_call *run)
{
    int64_t texts = run->out->text_count, most = 1;
    int64_t *per_text = am_arena_array(&run->arena, (size_t)texts, sizeof *per_text);
    int64_t *counts = am_arena_array(&run->arena, (size_t)run->inputs->sound_count, sizeof *counts);
    am_audio *joined = am_arena_array(&run->arena, (size_t)texts, sizeof *joined);
    am_tensor *ends;
    if (!per_text || !counts || !joined) return am_out_of_memory();
    for (int64_t i = 0; i < texts; i++) {
        per_text[i] = am_count_text(&run->out->texts[i], am_token_text(run, "audio_token"));
        if (per_text[i] > most) most = per_text[i];
        if (!per_text[i]) return am_error(AM_UNSUPPORTED, "text %" PRId64 " without sounds among others with them", i);
    }
    am_shape shape = am_shape_of(texts, most);
    AM_TRY(am_media_tensors_add(&run->sounds, "input_values_cutoffs", AM_I64, &shape, &ends));
    AM_TRY(join_sounds(run, per_text, joined, ends));
    for (int64_t i = 0; i < run->inputs->sound_count; i++)
        AM_TRY(csm_count(run->processor, run->inputs->sounds[i].frames, &counts[i]));
    AM_TRY(am_processor_extract_sounds(run, joined, texts));
    return am_give_sound_counts(run, counts);
}

/* --- rows of the table --- */

static const window_rule flamingo = {flamingo_count, {0}};
static const window_rule music_flamingo = {flamingo_count, {"audio_bos_token", "audio_eos_token"}};
static const window_rule glm = {glm_count, {0}};

#define SOUND                                                                                                          \
    {                                                                                                                  \
        .placeholder = "audio_token", .expand = am_expand_sound                                                        \
    }

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "AudioFlamingo3Processor",
     .settings = AM_JSON({"audio_token": "<sound>", "max_audio_len": 600, "text_kwargs": {"padding": true,
                          "padding_side": "left"},
                          "audio_kwargs": {"return_attention_mask": true}}),
     .tokens = "audio_token", .sound = {.placeholder = "audio_token", .expand = expand_windows},
     .extract = extract_windows, .unused = "num_audio_tokens", .details = &flamingo},
    {.name = "MusicFlamingoProcessor",
     .settings = AM_JSON({"audio_token": "<sound>", "audio_bos_token": "<|sound_bos|>",
                          "audio_eos_token": "<|sound_eos|>", "max_audio_len": 1200, "text_kwargs": {"padding": true,
                          "padding_side": "left"},
                          "audio_kwargs": {"return_attention_mask": true}}),
     .tokens = "audio_token audio_bos_token audio_eos_token",
     .sound = {.placeholder = "audio_token", .expand = expand_windows}, .extract = extract_windows,
     .unused = "num_audio_tokens", .details = &music_flamingo},
    {.name = "GlmAsrProcessor",
     .settings = AM_JSON({"audio_token": "<|pad|>", "max_audio_len": 655, "text_kwargs": {"padding": true,
                          "padding_side": "left"},
                          "audio_kwargs": {"return_attention_mask": true}}),
     .tokens = "audio_token", .sound = {.placeholder = "audio_token", .expand = expand_windows},
     .extract = extract_windows, .unused = "num_audio_tokens", .details = &glm},
    {.name = "Qwen2AudioProcessor",
     .settings = AM_JSON({"audio_token": "<|AUDIO|>",
                          "audio_kwargs": {"return_attention_mask": true, "padding": "max_length"}}),
     .tokens = "audio_token*", .sound = SOUND, .extract = extract_qwen2, .unused = "num_audio_tokens"},
    {.name = "Qwen3ASRProcessor",
     .settings = AM_JSON({"text_kwargs": {"padding": true, "padding_side": "left"}, "audio_kwargs": {"padding": true,
                          "return_attention_mask": true, "n_window": 50}}),
     .tokens = "audio_token*", .sound = SOUND, .extract = extract_qwen3, .unused = "num_audio_tokens"},
    {.name = "FunAsrNanoProcessor", .settings = AM_JSON({"audio_token": "<|object_ref_start|>"}),
     .tokens = "audio_token", .sound = SOUND, .extract = extract_whole, .unused = "num_audio_tokens"},
    {.name = "Nemotron3_5TranscribeProcessor",
     .settings = AM_JSON({"audio_token": "<|audio|>", "subsampling_factor": 8}), .tokens = "audio_token",
     .sound = SOUND, .extract = extract_transcribe, .unused = "num_audio_tokens"},
    {.name = "GraniteSpeechProcessor",
     .settings = AM_JSON({"audio_token": "<|audio|>", "text_kwargs": {"padding": true}}), .tokens = "audio_token*",
     .sound = {.placeholder = "audio_token", .expand = expand_granite}, .unused = "audio_embed_sizes"},
    {.name = "VibeVoiceProcessor", .settings = AM_JSON({"audio_token": "<|vision_pad|>"}), .tokens = "audio_token",
     .sound = SOUND, .extract = extract_vibevoice, .unused = "num_audio_tokens"},
    {.name = "VibeVoiceAsrProcessor",
     .settings = AM_JSON({"audio_token": "<|box_start|>", "audio_duration_token": "<|AUDIO_DURATION|>",
                          "audio_kwargs": {"pad_to_multiple_of": 3200},
                          "text_kwargs": {"padding": true, "padding_side": "left", "add_special_tokens": false}}),
     .tokens = "audio_token audio_duration_token?", .sound = SOUND, .prepare = put_durations,
     .extract = extract_vibevoice, .unused = "num_audio_tokens"},
    {.name = "MossTranscribeDiarizeProcessor",
     .settings = AM_JSON({"audio_token": "<|audio_pad|>", "audio_tokens_per_second": 12.5, "audio_merge_size": 4,
                          "time_marker_every_seconds": 2}),
     .tokens = "audio_token", .sound = {.placeholder = "audio_token", .expand = expand_moss},
     .extract = extract_moss, .unused = "num_audio_tokens"},
    {.name = "CsmProcessor",
     .settings = AM_JSON({"audio_token": "<|AUDIO|>",
                          "text_kwargs": {"padding": true, "padding_side": "left", "add_special_tokens": false},
                          "audio_kwargs": {"encoded_length_kwargs": {
                              "kernel_sizes": [7, 3, 1, 8, 3, 1, 10, 3, 1, 12, 3, 1, 16, 3, 4],
                              "strides": [1, 1, 1, 4, 1, 1, 5, 1, 1, 6, 1, 1, 8, 1, 2],
                              "dilations": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}}}),
     .tokens = "audio_token*", .sound = SOUND, .extract = extract_csm, .unused = "num_audio_tokens padding_mask"},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_sounds = {classes};
