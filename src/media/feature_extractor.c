#include "media/feature_extractor.h"

#include "base/memory.h"
#include "media/audio_features.h"
#include "media/preprocessor_config.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct am_feature_class {
    const char *name, *output;
    am_feature_extractor defaults;
    double chunk_seconds; /* default of chunk_length; 0: the class has none */
    am_status (*run)(const am_feature_extractor *e, const am_audio *sounds, int64_t count, const am_feature_options *o,
                     am_features *out);
};

void am_features_deinit(am_features *features)
{
    am_free_aligned(features->values.data);
    am_free_aligned(features->attention_mask.data);
    *features = (am_features){0};
}

static am_status make_tensor(am_dtype dtype, am_shape shape, am_tensor *out)
{
    if (!am_shape_check(&shape)) return am_out_of_memory();
    size_t bytes = am_tensor_bytes(dtype, &shape);
    void *data = am_alloc_aligned(bytes);
    if (!data) return am_out_of_memory();
    memset(data, 0, bytes);
    *out = (am_tensor){.dtype = dtype, .shape = shape, .data = data};
    return NULL;
}

static int64_t round_up(int64_t length, int64_t multiple)
{
    int64_t rest = multiple > 0 ? length % multiple : 0;
    return rest ? length + multiple - rest : length;
}

/* How many samples of a sound are kept. */
static int64_t kept_length(const am_audio *sound, const am_feature_options *o)
{
    int64_t limit = round_up(o->max_length, o->pad_to_multiple_of);
    return o->truncation == AM_CHOICE_YES && sound->frames > limit ? limit : sound->frames;
}

static am_status check_options(const am_feature_options *o)
{
    enum { LIMIT = 1 << 30 };
    if (o->max_length < 0 || o->max_length > LIMIT || o->pad_to_multiple_of < 0 || o->pad_to_multiple_of > LIMIT)
        return am_error(AM_INVALID_ARGUMENT,
                        "max_length %" PRId64 ", pad_to_multiple_of %" PRId64 "; expected 0 to %d samples",
                        o->max_length, o->pad_to_multiple_of, LIMIT);
    if (!o->max_length && (o->padding == AM_PADDING_MAX_LENGTH || o->truncation == AM_CHOICE_YES))
        return am_error(AM_INVALID_ARGUMENT, "padding to max_length, or truncation, without a max_length");
    return NULL;
}

/* SequenceFeatureExtractor.pad: the length that all sounds are padded to, 0 for none. */
static int64_t padded_length(const am_audio *sounds, int64_t count, const am_feature_options *o)
{
    int64_t longest = 0;
    if (o->padding == AM_PADDING_NONE) return 0;
    if (o->padding == AM_PADDING_MAX_LENGTH) return round_up(o->max_length, o->pad_to_multiple_of);
    for (int64_t i = 0; i < count; i++) {
        int64_t length = kept_length(&sounds[i], o);
        if (length > longest) longest = length;
    }
    return round_up(longest, o->pad_to_multiple_of);
}

/* values: f32 [count, length]; mask: i32, the same shape. */
static am_status pad_sounds(const am_feature_extractor *e, const am_audio *sounds, int64_t count,
                            const am_feature_options *o, am_tensor *values, am_tensor *mask)
{
    AM_TRY(check_options(o));
    int64_t padded = padded_length(sounds, count, o), length = kept_length(&sounds[0], o);
    if (padded > length) length = padded;
    AM_TRY(make_tensor(AM_F32, am_shape_of(count, length), values));
    AM_TRY(make_tensor(AM_I32, am_shape_of(count, length), mask));
    for (int64_t i = 0; i < count; i++) {
        int64_t kept = kept_length(&sounds[i], o), first = e->pad_left ? length - kept : 0;
        if (kept > length || (kept < length && !padded))
            return am_error(AM_INVALID_ARGUMENT,
                            "sound %" PRId64 " has %" PRId64 " samples, others %" PRId64
                            ": without padding they make no batch",
                            i, kept, length);
        float *row = (float *)values->data + i * length;
        int32_t *ones = (int32_t *)mask->data + i * length;
        for (int64_t t = 0; t < length; t++) row[t] = (float)e->padding_value;
        memcpy(row + first, sounds[i].samples, (size_t)kept * sizeof *row);
        for (int64_t t = first; t < first + kept; t++) ones[t] = 1;
    }
    return NULL;
}

/* zero_mean_unit_var_norm over the first `used` samples; the others become `padding`. */
static void normalize(float *samples, int64_t length, int64_t used, float padding)
{
    double mean = 0.0, variance = 0.0;
    for (int64_t t = 0; t < used; t++) mean += (double)samples[t];
    mean /= (double)used;
    for (int64_t t = 0; t < used; t++) variance += ((double)samples[t] - mean) * ((double)samples[t] - mean);
    double scale = 1.0 / sqrt(variance / (double)used + 1e-7);
    for (int64_t t = 0; t < used; t++) samples[t] = (float)(((double)samples[t] - mean) * scale);
    for (int64_t t = used; t < length; t++) samples[t] = padding;
}

/* With a mask, as many samples count as it has ones, and always the first ones, on whichever side the padding
   is: so has it Wav2Vec2FeatureExtractor. Without one, padding counts as sound. */
static void normalize_batch(const am_feature_extractor *e, bool by_mask, am_tensor *values, const am_tensor *mask)
{
    int64_t length = values->shape.dims[1];
    for (int64_t i = 0; i < values->shape.dims[0]; i++) {
        const int32_t *ones = (const int32_t *)mask->data + i * length;
        int64_t used = by_mask ? 0 : length;
        for (int64_t t = 0; t < length && by_mask; t++) used += ones[t];
        if (length) normalize((float *)values->data + i * length, length, used, (float)e->padding_value);
    }
}

static void drop_mask(am_features *out)
{
    am_free_aligned(out->attention_mask.data);
    out->attention_mask = (am_tensor){0};
}

static am_status run_wav2vec2(const am_feature_extractor *e, const am_audio *sounds, int64_t count,
                              const am_feature_options *options, am_features *out)
{
    am_feature_options o = *options;
    if (o.padding == AM_PADDING_DEFAULT) o.padding = AM_PADDING_NONE;
    bool masked = e->return_attention_mask;
    if (o.return_attention_mask != AM_CHOICE_DEFAULT) masked = o.return_attention_mask == AM_CHOICE_YES;
    AM_TRY(pad_sounds(e, sounds, count, &o, &out->values, &out->attention_mask));
    if (e->do_normalize) normalize_batch(e, masked && o.padding != AM_PADDING_NONE, &out->values, &out->attention_mask);
    if (!masked) drop_mask(out);
    return NULL;
}

/* What log_mel needs besides the sound. */
typedef struct mel_plan {
    am_spectrogram_options options;
    double *window, *filters, *values;
    int64_t frames; /* with one that is dropped in the end */
} mel_plan;

static void mel_plan_deinit(mel_plan *plan)
{
    am_free(plan->window);
    am_free(plan->filters);
    am_free(plan->values);
}

static am_status mel_plan_init(mel_plan *plan, const am_feature_extractor *e, int64_t samples)
{
    am_mel_options mels = {.num_bins = e->n_fft / 2 + 1,
                           .num_filters = e->feature_size,
                           .max_hertz = 8000.0,
                           .sampling_rate = e->sampling_rate,
                           .scale = AM_MEL_SLANEY,
                           .slaney_norm = true};
    plan->window = am_alloc_zeroed((size_t)e->n_fft, sizeof *plan->window);
    plan->filters = am_alloc_zeroed((size_t)(mels.num_bins * mels.num_filters), sizeof *plan->filters);
    if (!plan->window || !plan->filters) return am_out_of_memory();
    AM_TRY(am_window_function(AM_WINDOW_HANN, e->n_fft, true, e->n_fft, true, plan->window));
    AM_TRY(am_mel_filter_bank(&mels, plan->filters));
    plan->options = (am_spectrogram_options){.frame_length = e->n_fft,
                                             .hop_length = e->hop_length,
                                             .fft_length = e->n_fft,
                                             .window = plan->window,
                                             .power = 2.0,
                                             .center = true,
                                             .mel_filters = plan->filters,
                                             .mel_count = e->feature_size,
                                             .mel_floor = 1e-10,
                                             .log_mel = AM_LOG_10};
    plan->frames = am_spectrogram_frames(&plan->options, samples);
    if (plan->frames < 2)
        return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " samples are less than a hop of %" PRId64, samples,
                        e->hop_length);
    plan->values = am_alloc_zeroed((size_t)plan->frames, (size_t)e->feature_size * sizeof *plan->values);
    return plan->values ? NULL : am_out_of_memory();
}

/* Whisper's log-mel spectrogram: the last frame is dropped, what is more than 8 (80 dB) below the loudest is
   raised to that, and the rest brought near [-1, 1]. out: [feature_size, frames - 1] */
static am_status log_mel(mel_plan *plan, const float *samples, int64_t length, float *out)
{
    int64_t rows = plan->options.mel_count, kept = plan->frames - 1;
    AM_TRY(am_spectrogram(samples, length, &plan->options, plan->values));
    double loudest = -INFINITY;
    for (int64_t m = 0; m < rows; m++)
        for (int64_t t = 0; t < kept; t++) loudest = fmax(loudest, plan->values[m * plan->frames + t]);
    for (int64_t m = 0; m < rows; m++)
        for (int64_t t = 0; t < kept; t++)
            *out++ = (float)((fmax(plan->values[m * plan->frames + t], loudest - 8.0) + 4.0) / 4.0);
    return NULL;
}

/* Keeps every hop_length-th column, without the one that belongs to the frame that was dropped. */
static void mask_of_frames(am_tensor *mask, int64_t hop_length, int64_t frames)
{
    int32_t *to = mask->data;
    const int32_t *from = mask->data;
    int64_t samples = mask->shape.dims[1];
    for (int64_t i = 0; i < mask->shape.dims[0]; i++)
        for (int64_t t = 0; t < frames; t++) *to++ = from[i * samples + t * hop_length];
    mask->shape.dims[1] = frames;
}

static am_status fill_log_mels(const am_feature_extractor *e, const am_tensor *padded, am_tensor *out)
{
    int64_t count = padded->shape.dims[0], samples = padded->shape.dims[1];
    mel_plan plan = {0};
    am_status status = mel_plan_init(&plan, e, samples);
    int64_t frames = plan.frames - 1;
    if (!status) status = make_tensor(AM_F32, am_shape_of(count, e->feature_size, frames), out);
    for (int64_t i = 0; i < count && !status; i++)
        status = log_mel(&plan, (const float *)padded->data + i * samples, samples,
                         (float *)out->data + i * e->feature_size * frames);
    mel_plan_deinit(&plan);
    return status;
}

/* The mask that the configuration asks for is one of samples; the one that the caller asks for, of frames: so
   has it WhisperFeatureExtractor, which does not look at the configuration's do_normalize either. */
static am_status run_whisper(const am_feature_extractor *e, const am_audio *sounds, int64_t count,
                             const am_feature_options *options, am_features *out)
{
    am_feature_options o = *options;
    if (o.padding == AM_PADDING_DEFAULT) o.padding = AM_PADDING_MAX_LENGTH;
    if (o.truncation == AM_CHOICE_DEFAULT) o.truncation = AM_CHOICE_YES;
    if (!o.max_length) o.max_length = e->chunk_samples;
    am_tensor padded = {0};
    am_status status = pad_sounds(e, sounds, count, &o, &padded, &out->attention_mask);
    if (!status) status = fill_log_mels(e, &padded, &out->values);
    am_free_aligned(padded.data);
    if (status) return status;
    if (o.return_attention_mask == AM_CHOICE_YES)
        mask_of_frames(&out->attention_mask, e->hop_length, out->values.shape.dims[2]);
    else if (!e->return_attention_mask) drop_mask(out);
    return NULL;
}

static const am_feature_class classes[] = {
    {.name = "Wav2Vec2FeatureExtractor",
     .output = "input_values",
     .defaults = {.feature_size = 1, .sampling_rate = 16000, .do_normalize = true},
     .run = run_wav2vec2},
    {.name = "WhisperFeatureExtractor",
     .output = "input_features",
     .defaults = {.feature_size = 80, .sampling_rate = 16000, .n_fft = 400, .hop_length = 160},
     .chunk_seconds = 30.0,
     .run = run_whisper},
};

const char *am_feature_extractor_name(const am_feature_extractor *extractor)
{
    return extractor->kind->name;
}

static am_status find_class(const char *name, size_t length, am_feature_extractor *out)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strlen(classes[i].name) != length || memcmp(classes[i].name, name, length) != 0) continue;
        *out = classes[i].defaults;
        out->kind = &classes[i];
        return NULL;
    }
    return am_error(AM_UNSUPPORTED, "feature extractor \"%.*s\" is not one of those that are implemented",
                    length > 100 ? 100 : (int)length, name);
}

static am_status read_count(am_json config, const char *key, int64_t most, int64_t *out)
{
    return am_preprocessor_config_integer(am_json_get(config, key), key, 1, most, out);
}

static am_status read_side(am_json config, bool *pad_left)
{
    am_json side = am_json_get(config, "padding_side");
    if (!am_preprocessor_config_given(side)) return NULL;
    *pad_left = am_json_equals(side, "left");
    if (*pad_left || am_json_equals(side, "right")) return NULL;
    return am_error(AM_INVALID_FILE, "padding_side: expected \"left\" or \"right\"");
}

static am_status read_padding_value(am_json config, double *out)
{
    am_json value = am_json_get(config, "padding_value");
    if (!am_preprocessor_config_given(value)) return NULL;
    *out = am_json_real(value, NAN);
    if (isfinite(*out)) return NULL;
    return am_error(AM_INVALID_FILE, "padding_value: expected a number, found %s",
                    am_json_kind_name(am_json_kind_of(value)));
}

static am_status read_chunk(am_json config, am_feature_extractor *out)
{
    if (out->kind->chunk_seconds == 0.0) return NULL;
    double seconds = am_json_real(am_json_get(config, "chunk_length"), out->kind->chunk_seconds);
    double samples = seconds * (double)out->sampling_rate;
    if (!(samples >= (double)out->hop_length && seconds <= AM_AUDIO_MAX_SECONDS))
        return am_error(AM_INVALID_FILE, "chunk_length: expected up to %g seconds, at least a hop; found %g",
                        AM_AUDIO_MAX_SECONDS, seconds);
    out->chunk_samples = (int64_t)samples;
    return NULL;
}

static am_status read_config(am_json config, am_feature_extractor *out)
{
    AM_TRY(read_count(config, "feature_size", 4096, &out->feature_size));
    AM_TRY(read_count(config, "sampling_rate", 768000, &out->sampling_rate));
    AM_TRY(read_count(config, "n_fft", 1 << 16, &out->n_fft));
    AM_TRY(read_count(config, "hop_length", 1 << 24, &out->hop_length));
    AM_TRY(am_preprocessor_config_bool(config, "return_attention_mask", &out->return_attention_mask));
    AM_TRY(am_preprocessor_config_bool(config, "do_normalize", &out->do_normalize));
    AM_TRY(read_side(config, &out->pad_left));
    AM_TRY(read_padding_value(config, &out->padding_value));
    AM_TRY(read_chunk(config, out));
    if (am_json_real(am_json_get(config, "dither"), 0.0) != 0.0)
        return am_error(AM_UNSUPPORTED, "dither %g: noise is not added; expected 0",
                        am_json_real(am_json_get(config, "dither"), 0.0));
    return NULL;
}

am_status am_feature_extractor_init(am_json config, const char *class_name, am_feature_extractor *out)
{
    *out = (am_feature_extractor){0};
    if (am_json_kind_of(config) != AM_JSON_OBJECT)
        return am_error(AM_INVALID_FILE, "a feature extractor's configuration: expected an object, found %s",
                        am_json_kind_name(am_json_kind_of(config)));
    am_json_string name = {class_name, class_name ? strlen(class_name) : 0};
    if (!class_name) name = am_json_text(am_json_get(config, "feature_extractor_type"));
    if (!name.length) return am_error(AM_INVALID_FILE, "feature_extractor_type is not given");
    AM_TRY(find_class(name.bytes, name.length, out));
    return am_note(read_config(config, out), "%s", out->kind->name);
}

static am_status read_into(am_json config, const char *class_name, void *out)
{
    return am_feature_extractor_init(config, class_name, out);
}

/* transformers/models/auto/feature_extraction_auto.py, the rows with classes from above. */
static const am_model_class models[] = {
    {"audioflamingo3", "WhisperFeatureExtractor"},
    {"data2vec-audio", "Wav2Vec2FeatureExtractor"},
    {"glmasr", "WhisperFeatureExtractor"},
    {"hubert", "Wav2Vec2FeatureExtractor"},
    {"moonshine", "Wav2Vec2FeatureExtractor"},
    {"qwen2_5_omni", "WhisperFeatureExtractor"},
    {"qwen2_audio", "WhisperFeatureExtractor"},
    {"qwen3_omni_moe", "WhisperFeatureExtractor"},
    {"sew", "Wav2Vec2FeatureExtractor"},
    {"sew-d", "Wav2Vec2FeatureExtractor"},
    {"unispeech", "Wav2Vec2FeatureExtractor"},
    {"unispeech-sat", "Wav2Vec2FeatureExtractor"},
    {"voxtral", "WhisperFeatureExtractor"},
    {"wav2vec2", "Wav2Vec2FeatureExtractor"},
    {"wav2vec2-bert", "Wav2Vec2FeatureExtractor"},
    {"wav2vec2-conformer", "Wav2Vec2FeatureExtractor"},
    {"wavlm", "Wav2Vec2FeatureExtractor"},
    {"whisper", "WhisperFeatureExtractor"},
    {NULL, NULL},
};

am_status am_feature_extractor_open(const char *directory, am_feature_extractor *out)
{
    static const am_preprocessor_kind kind = {
        .member = "feature_extractor", .types = {"feature_extractor_type"}, .models = models, .read = read_into};
    *out = (am_feature_extractor){0};
    return am_preprocessor_config_open(directory, &kind, out);
}

static am_status check_sounds(const am_feature_extractor *e, const am_audio *sounds, int64_t count)
{
    if (count < 1) return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " sounds; expected at least 1", count);
    for (int64_t i = 0; i < count; i++) {
        if (sounds[i].channels == 1 && sounds[i].sampling_rate == e->sampling_rate && sounds[i].frames > 0) continue;
        return am_error(AM_INVALID_ARGUMENT,
                        "sound %" PRId64 " has %" PRId64
                        " frames of %d channels at %d Hz; expected some of 1 at %" PRId64 " Hz",
                        i, sounds[i].frames, sounds[i].channels, sounds[i].sampling_rate, e->sampling_rate);
    }
    return NULL;
}

am_status am_feature_extractor_run(const am_feature_extractor *extractor, const am_audio *sounds, int64_t count,
                                   const am_feature_options *options, am_features *out)
{
    *out = (am_features){.name = extractor->kind->output};
    am_feature_options defaults = {0};
    am_status status = check_sounds(extractor, sounds, count);
    if (!status) status = extractor->kind->run(extractor, sounds, count, options ? options : &defaults, out);
    if (!status) return NULL;
    am_features_deinit(out);
    return am_note(status, "%s", extractor->kind->name);
}
