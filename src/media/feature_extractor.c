#include "media/feature_extractor.h"

#include "base/memory.h"
#include "media/extractors/extractor.h"
#include "media/preprocessor_config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- results --- */

void am_features_deinit(am_features *features)
{
    for (int i = 0; i < features->count; i++) am_free_aligned(features->items[i].tensor.data);
    *features = (am_features){0};
}

const am_tensor *am_features_get(const am_features *features, const char *name)
{
    for (int i = 0; i < features->count; i++) {
        if (strcmp(features->items[i].name, name) == 0) return &features->items[i].tensor;
    }
    return NULL;
}

/* --- settings --- */

/* What SequenceFeatureExtractor has for every class. */
static const char *const common_defaults =
    "{\"padding_side\": \"right\", \"padding_value\": 0.0, \"return_attention_mask\": true}";

/* Bounds of settings that have others than what follows from the kind of their default: of a whole number 1 to 2^24,
   of another one that it is finite. */
static const struct {
    const char *name;
    double least, most;
} bounds[] = {
    {"feature_size", 1, 4096},
    {"sampling_rate", 1, 768000},
    {"n_fft", 1, 1 << 16},
    {"fft_window_size", 1, 1 << 16},
    {"filter_length", 1, 1 << 16},
    {"win_length", 1, 1 << 16},
    {"num_mel_bins", 1, 4096},
    {"n_mels", 1, 4096},
    {"num_chroma", 1, 4096},
    {"stride", 1, 1024},
    {"num_frames_lfr", 1, 1024},
    {"max_length", 1, 1 << 20},
    {"min_length", 0, 1 << 24},
    {"n_window", 0, 1 << 20},
    {"dither", 0, 1},
    {"overlap", 0, 1},
    {"chunk_length", 1e-4, AM_AUDIO_MAX_SECONDS},
    {"chunk_length_s", 1e-4, AM_AUDIO_MAX_SECONDS},
    {"chunk_seconds", 1e-4, AM_AUDIO_MAX_SECONDS},
    {"max_length_s", 1e-4, AM_AUDIO_MAX_SECONDS},
    {"default_audio_length", 1e-4, AM_AUDIO_MAX_SECONDS},
    {"max_audio_clip_s", 1e-4, AM_AUDIO_MAX_SECONDS},
    {"overlap_chunk_second", 0, AM_AUDIO_MAX_SECONDS},
    {"audio_delay_seconds", 0, AM_AUDIO_MAX_SECONDS},
    {"audio_silence_prefix_seconds", 0, AM_AUDIO_MAX_SECONDS},
    {"audio_token_duration_s", 1e-4, 10},
    {"window_size_multiplier", 0, 1000},
    {"pause_duration", 0, AM_AUDIO_MAX_SECONDS},
    {"fade_out_duration", 0, AM_AUDIO_MAX_SECONDS},
    {"analysis_frame_duration", 0, AM_AUDIO_MAX_SECONDS},
    {"frame_length_ms", 1e-2, 4000},
    {"hop_length_ms", 1e-2, 4000},
};

/* Settings whose null means something else than their default. */
static const char *const optional[] = {"preemphasis", "global_log_mel_max", "filter_length"};

static bool is_optional(const char *name)
{
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        if (strcmp(optional[i], name) == 0) return true;
    }
    return false;
}

am_json am_feature_setting(const am_feature_extractor *extractor, const char *name)
{
    return am_json_get(am_json_root(extractor->settings), name);
}

int64_t am_feature_setting_int(const am_feature_extractor *extractor, const char *name)
{
    return am_json_int(am_feature_setting(extractor, name), 0);
}

double am_feature_setting_real(const am_feature_extractor *extractor, const char *name)
{
    return am_json_real(am_feature_setting(extractor, name), 0.0);
}

bool am_feature_setting_bool(const am_feature_extractor *extractor, const char *name)
{
    return am_json_bool(am_feature_setting(extractor, name), false);
}

int64_t am_feature_chunk_samples(const am_feature_extractor *extractor)
{
    return (int64_t)(am_feature_setting_real(extractor, "chunk_length") * (double)extractor->sampling_rate);
}

int am_feature_channels(const am_feature_extractor *extractor)
{
    return extractor->kind->stereo && extractor->feature_size == 2 ? 2 : 1;
}

static am_status check_number(am_json value, const char *name, am_json_kind kind)
{
    double least = kind == AM_JSON_INTEGER ? 1.0 : -INFINITY, most = kind == AM_JSON_INTEGER ? 1 << 24 : INFINITY;
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        if (strcmp(bounds[i].name, name) != 0) continue;
        least = bounds[i].least;
        most = bounds[i].most;
    }
    int64_t whole;
    if (kind == AM_JSON_INTEGER)
        return am_preprocessor_config_integer(value, name, (int64_t)least, (int64_t)most, &whole);
    double number = am_json_real(value, NAN);
    if (isfinite(number) && number >= least && number <= most) return NULL;
    if (isnan(number))
        return am_error(AM_INVALID_FILE, "%s: expected a number, found %s", name,
                        am_json_kind_name(am_json_kind_of(value)));
    return am_error(AM_INVALID_FILE, "%s: expected a number from %g to %g, found %g", name, least, most, number);
}

/* A setting whose default is null may be a number, with the bounds of its name, or a list of numbers. */
static am_status check_optional(am_json value, const char *name)
{
    if (am_json_kind_of(value) != AM_JSON_ARRAY) return check_number(value, name, AM_JSON_REAL);
    for (am_json_iterator i = am_json_iterate(value); am_json_next(&i);) {
        if (!isfinite(am_json_real(i.value, NAN)))
            return am_error(AM_INVALID_FILE, "%s: expected a list of numbers", name);
    }
    return NULL;
}

static am_status check_setting(am_json value, am_json normally, const char *name)
{
    am_json_kind kind = am_json_kind_of(normally);
    if (kind == AM_JSON_INTEGER || kind == AM_JSON_REAL) return check_number(value, name, kind);
    if (kind == AM_JSON_NULL) return check_optional(value, name);
    if (am_json_kind_of(value) == kind) return NULL;
    return am_error(AM_INVALID_FILE, "%s: expected %s, found %s", name,
                    kind == AM_JSON_BOOL ? "true or false" : am_json_kind_name(kind),
                    am_json_kind_name(am_json_kind_of(value)));
}

/* Appends each member of `defaults` that `over` does not have, with the configuration's value where it gives one. */
static am_status merge(am_json defaults, am_json over, am_json config, am_buffer *out)
{
    for (am_json_iterator i = am_json_iterate(defaults); am_json_next(&i);) {
        if (am_json_kind_of(am_json_get(over, i.key.bytes)) != AM_JSON_MISSING) continue;
        am_json given = am_json_get(config, i.key.bytes);
        bool is_null = am_json_kind_of(given) == AM_JSON_NULL;
        bool is_given = am_preprocessor_config_given(given) || (is_null && is_optional(i.key.bytes));
        if (is_given && !is_null) AM_TRY(check_setting(given, i.value, i.key.bytes));
        am_buffer_append_string(out, out->length ? ", " : "{");
        am_buffer_append_json_string(out, i.key.bytes, i.key.length);
        am_buffer_append_string(out, ": ");
        am_json_write(is_given ? given : i.value, out);
    }
    return NULL;
}

static am_status merge_all(am_json config, const am_json_document *common, const am_json_document *class_defaults,
                           am_json_document **out)
{
    am_buffer text = {0};
    am_status status = merge(am_json_root(class_defaults), (am_json){0}, config, &text);
    if (!status) status = merge(am_json_root(common), am_json_root(class_defaults), config, &text);
    am_buffer_append_char(&text, '}');
    if (!status) status = am_buffer_status(&text);
    if (!status) status = am_json_parse(text.bytes, text.length, "settings", out);
    am_buffer_deinit(&text);
    return status;
}

static am_status read_settings(am_json config, am_feature_extractor *out)
{
    am_json_document *common = NULL, *defaults = NULL;
    am_status status = am_json_parse(common_defaults, strlen(common_defaults), "common defaults", &common);
    if (!status) status = am_json_parse(out->kind->defaults, strlen(out->kind->defaults), out->kind->name, &defaults);
    if (!status) status = merge_all(config, common, defaults, &out->settings);
    am_json_close(common);
    am_json_close(defaults);
    return status;
}

static am_status read_common(am_feature_extractor *out)
{
    am_json side = am_feature_setting(out, "padding_side");
    out->feature_size = am_feature_setting_int(out, "feature_size");
    out->sampling_rate = am_feature_setting_int(out, "sampling_rate");
    out->padding_value = am_feature_setting_real(out, "padding_value");
    out->return_attention_mask = am_feature_setting_bool(out, "return_attention_mask");
    out->pad_left = am_json_equals(side, "left");
    if (!out->pad_left && !am_json_equals(side, "right"))
        return am_error(AM_INVALID_FILE, "padding_side: expected \"left\" or \"right\"");
    double dither = am_feature_setting_real(out, "dither");
    if (dither == 0.0 || out->kind->adds_noise) return NULL;
    return am_error(AM_UNSUPPORTED, "dither %g: noise is not added; expected 0", dither);
}

static am_status find_class(const char *name, size_t length, const am_feature_class **out)
{
    for (const am_feature_class *const *i = am_feature_class_registry; *i; i++) {
        if (strlen((*i)->name) != length || memcmp((*i)->name, name, length) != 0) continue;
        *out = *i;
        return NULL;
    }
    return am_error(AM_UNSUPPORTED, "feature extractor \"%.*s\" is not one of those that are implemented",
                    length > 100 ? 100 : (int)length, name);
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
    AM_TRY(find_class(name.bytes, name.length, &out->kind));
    am_status status = read_settings(config, out);
    if (!status) status = read_common(out);
    if (!status) return NULL;
    const char *kind = out->kind->name;
    am_feature_extractor_deinit(out);
    return am_note(status, "%s", kind);
}

void am_feature_extractor_deinit(am_feature_extractor *extractor)
{
    am_json_close(extractor->settings);
    *extractor = (am_feature_extractor){0};
}

const char *am_feature_extractor_name(const am_feature_extractor *extractor)
{
    return extractor->kind->name;
}

/* --- directories --- */

static am_status read_into(am_json config, const char *class_name, void *out)
{
    return am_feature_extractor_init(config, class_name, out);
}

static const char *class_of_model(am_json model_type)
{
    for (const am_feature_class *const *i = am_feature_class_registry; *i; i++) {
        for (const char *const *model = (*i)->models; *model; model++) {
            if (am_json_equals(model_type, *model)) return (*i)->name;
        }
    }
    return NULL;
}

am_status am_feature_extractor_open(const char *directory, am_feature_extractor *out)
{
    static const am_preprocessor_kind kind = {.members = {"feature_extractor", "audio_processor"},
                                              .types = {"feature_extractor_type"},
                                              .class_of_model = class_of_model,
                                              .read = read_into};
    *out = (am_feature_extractor){0};
    return am_preprocessor_config_open(directory, &kind, out);
}

/* --- a call --- */

static am_status check_sounds(const am_feature_extractor *e, const am_audio *sounds, int64_t count)
{
    int channels = am_feature_channels(e);
    if (count < 1) return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " sounds; expected at least 1", count);
    for (int64_t i = 0; i < count; i++) {
        if (sounds[i].channels == channels && sounds[i].sampling_rate == e->sampling_rate && sounds[i].frames > 0)
            continue;
        return am_error(AM_INVALID_ARGUMENT,
                        "sound %" PRId64 " has %" PRId64
                        " frames of %d channels at %d Hz; expected some of %d at %" PRId64 " Hz",
                        i, sounds[i].frames, sounds[i].channels, sounds[i].sampling_rate, channels, e->sampling_rate);
    }
    return NULL;
}

static am_status check_arguments(const am_feature_class *kind, am_json arguments)
{
    for (am_json_iterator i = am_json_iterate(arguments); am_json_next(&i);) {
        bool is_known = false;
        for (const char *const *name = kind->arguments; *name; name++)
            is_known = is_known || strcmp(*name, i.key.bytes) == 0;
        if (!is_known) return am_error(AM_UNSUPPORTED, "argument %s of a call", i.key.bytes);
    }
    return NULL;
}

static am_feature_options with_defaults(const am_feature_options *given, const am_feature_options *call)
{
    am_feature_options o = *given;
    if (o.padding == AM_PADDING_DEFAULT) o.padding = call->padding;
    if (o.padding == AM_PADDING_DEFAULT) o.padding = AM_PADDING_NONE;
    if (o.truncation == AM_CHOICE_DEFAULT) o.truncation = call->truncation;
    if (o.return_attention_mask == AM_CHOICE_DEFAULT) o.return_attention_mask = call->return_attention_mask;
    if (!o.max_length) o.max_length = call->max_length;
    if (!o.pad_to_multiple_of) o.pad_to_multiple_of = call->pad_to_multiple_of;
    return o;
}

am_status am_feature_extractor_run(const am_feature_extractor *extractor, const am_audio *sounds, int64_t count,
                                   const am_feature_options *options, am_features *out)
{
    static const am_feature_options none = {0};
    const am_feature_class *kind = extractor->kind;
    const am_feature_options *given = options ? options : &none;
    *out = (am_features){0};
    am_feature_run run = {.extractor = extractor,
                          .sounds = sounds,
                          .count = count,
                          .options = with_defaults(given, &kind->call),
                          .padding = given->padding,
                          .out = out};
    am_status status = check_sounds(extractor, sounds, count);
    if (!status) status = check_arguments(kind, given->arguments);
    if (!status) status = kind->run(&run);
    am_arena_deinit(&run.arena);
    if (!status) return NULL;
    am_features_deinit(out);
    return am_note(status, "%s", kind->name);
}
