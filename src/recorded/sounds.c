#include "base/file.h"
#include "base/memory.h"
#include "base/prng.h"
#include "media/audio_features.h"
#include "media/feature_extractor.h"
#include "recorded/case.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const am_verify_tolerance native_tolerance = {.absolute = 2e-6, .mean_absolute = 2e-6};
static const am_verify_tolerance resampled_tolerance = {.absolute = 1e-4, .mean_absolute = 1e-4};
static const am_verify_tolerance function_tolerance = {
    .absolute = 1e-9, .relative = 1e-6, .mean_absolute = 1e-9, .mean_relative = 1e-6};
static const am_verify_tolerance feature_tolerance = {
    .absolute = 2e-4, .relative = 1e-4, .mean_absolute = 2e-4, .mean_relative = 1e-4};

static const char *text_of(am_json object, const char *key)
{
    return am_json_text(am_json_get(object, key)).bytes;
}

static char *sound_path(const am_verifier *v, const char *file)
{
    char name[300];
    snprintf(name, sizeof name, "files/%s", file);
    return am_verifier_path(v, name);
}

static am_status load_sound(const am_verifier *v, const char *file, int sampling_rate, am_audio *out)
{
    char *path = sound_path(v, file);
    am_status status = path ? am_audio_load(path, sampling_rate, NULL, out) : am_out_of_memory();
    am_free(path);
    return status;
}

/* At its own rate, with all its channels. */
static am_status load_channels(const am_verifier *v, const char *file, am_audio *out)
{
    char *path = sound_path(v, file);
    am_status status = path ? am_audio_open(path, NULL, out) : am_out_of_memory();
    am_free(path);
    return status;
}

static am_status check_loading(const am_verifier *v, am_json row, int sampling_rate, am_json expected)
{
    am_audio sound = {0};
    AM_TRY(load_sound(v, text_of(row, "file"), sampling_rate, &sound));
    am_tensor samples = {.dtype = AM_F32, .shape = am_shape_of(sound.frames), .data = sound.samples};
    bool native = am_json_int(am_json_get(row, "sampling_rate"), 0) == sampling_rate;
    am_status status = am_verify_array(expected, &samples, native ? &native_tolerance : &resampled_tolerance);
    am_audio_deinit(&sound);
    return status;
}

static am_status verify_loading(am_verifier *v, am_json rows)
{
    for (am_json_iterator i = am_json_iterate(rows); am_json_next(&i);) {
        for (am_json_iterator rate = am_json_iterate(am_json_get(i.value, "loaded")); am_json_next(&rate);) {
            am_status outcome = check_loading(v, i.value, atoi(rate.key.bytes), rate.value);
            AM_TRY(am_verify_count(v, outcome, "loading %s at %s Hz", text_of(i.value, "file"), rate.key.bytes));
        }
    }
    return NULL;
}

/* Index of a name in a list, -1 when it is not in it. */
static int find_text(const char *name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) return i;
    }
    return -1;
}

static int find_name(am_json value, const char *const *names, int count)
{
    return find_text(am_json_text(value).bytes, names, count);
}

static const char *const mel_scales[] = {"htk", "kaldi", "slaney"};
static const char *const windows[] = {"boxcar", "hamming", "hann", "povey"};

static am_status make_values(am_shape shape, am_tensor *out)
{
    if (!am_shape_check(&shape)) return am_error(AM_INVALID_FILE, "sizes out of range");
    *out = (am_tensor){.dtype = AM_F64, .shape = shape, .data = am_alloc_aligned(am_tensor_bytes(AM_F64, &shape))};
    return out->data ? NULL : am_out_of_memory();
}

/* Each computes a recorded function from its arguments into *out, whose data the caller frees. */

static am_status convert_scale(am_json args, const char *key, double (*convert)(double, am_mel_scale), am_tensor *out)
{
    am_json values = am_json_get(args, key);
    int scale = find_name(am_json_get(args, "mel_scale"), mel_scales, 3);
    if (scale < 0) return am_error(AM_INVALID_FILE, "no such mel_scale");
    AM_TRY(make_values(am_shape_of((int64_t)am_json_count(values)), out));
    double *to = out->data;
    for (am_json_iterator i = am_json_iterate(values); am_json_next(&i);)
        *to++ = convert(am_json_real(i.value, NAN), (am_mel_scale)scale);
    return NULL;
}

static am_status hertz_to_mel(am_json args, am_tensor *out)
{
    return convert_scale(args, "freqs", am_hertz_to_mel, out);
}

static am_status mel_to_hertz(am_json args, am_tensor *out)
{
    return convert_scale(args, "mels", am_mel_to_hertz, out);
}

static am_status mel_filter_bank(am_json args, am_tensor *out)
{
    int scale = find_name(am_json_get(args, "mel_scale"), mel_scales, 3);
    if (scale < 0) return am_error(AM_INVALID_FILE, "no such mel_scale");
    am_mel_options options = {.num_bins = am_json_int(am_json_get(args, "num_frequency_bins"), 0),
                              .num_filters = am_json_int(am_json_get(args, "num_mel_filters"), 0),
                              .min_hertz = am_json_real(am_json_get(args, "min_frequency"), NAN),
                              .max_hertz = am_json_real(am_json_get(args, "max_frequency"), NAN),
                              .sampling_rate = am_json_int(am_json_get(args, "sampling_rate"), 0),
                              .scale = (am_mel_scale)scale,
                              .slaney_norm = am_json_equals(am_json_get(args, "norm"), "slaney"),
                              .in_mel_space = am_json_bool(am_json_get(args, "triangularize_in_mel_space"), false)};
    AM_TRY(make_values(am_shape_of(options.num_bins, options.num_filters), out));
    return am_mel_filter_bank(&options, out->data);
}

static am_status window_function(am_json args, am_tensor *out)
{
    int window = find_name(am_json_get(args, "name"), windows, 4);
    int64_t length = am_json_int(am_json_get(args, "window_length"), 0);
    int64_t frame_length = am_json_int(am_json_get(args, "frame_length"), length);
    if (window < 0) return am_error(AM_INVALID_FILE, "no such window");
    AM_TRY(make_values(am_shape_of(frame_length), out));
    return am_window_function((am_window)window, length, am_json_bool(am_json_get(args, "periodic"), true),
                              frame_length, am_json_bool(am_json_get(args, "center"), true), out->data);
}

static am_status chroma_filter_bank(am_json args, am_tensor *out)
{
    am_chroma_options options = {.num_bins = am_json_int(am_json_get(args, "num_frequency_bins"), 0),
                                 .num_chroma = am_json_int(am_json_get(args, "num_chroma"), 0),
                                 .sampling_rate = am_json_int(am_json_get(args, "sampling_rate"), 0),
                                 .power = 2.0,
                                 .center_octave = 5.0,
                                 .half_width_octaves = 2.0};
    AM_TRY(make_values(am_shape_of(options.num_chroma, am_chroma_columns(options.num_bins)), out));
    return am_chroma_filter_bank(&options, out->data);
}

/* "prng NAME (COUNT,) LOW..HIGH": the seeded numbers of that name, in single precision. *out is freed
   with am_free. */
static am_status seeded_numbers(am_json recipe, float **out, int64_t *count)
{
    char name[64];
    double low = 0.0, high = 0.0;
    const char *text = am_json_text(recipe).bytes;
    if (sscanf(text, "prng %63s (%" SCNd64 ",) %lf..%lf", name, count, &low, &high) != 4 || *count < 1 ||
        *count > 1 << 20)
        return am_error(AM_INVALID_FILE, "\"%s\": expected \"prng NAME (COUNT,) LOW..HIGH\"", text);
    *out = am_alloc((size_t)*count * sizeof **out);
    if (!*out) return am_out_of_memory();
    am_uniform_floats(am_fnv1a(name, strlen(name)), low, high, *count, *out);
    return NULL;
}

static am_decibel_options decibel_options(am_json args, double min_value)
{
    return (am_decibel_options){.reference = am_json_real(am_json_get(args, "reference"), 1.0),
                                .min_value = am_json_real(am_json_get(args, "min_value"), min_value),
                                .db_range = am_json_real(am_json_get(args, "db_range"), 0.0)};
}

static am_status to_decibels(am_json args, double min_value,
                             am_status (*convert)(double *, int64_t, const am_decibel_options *), am_tensor *out)
{
    float *numbers = NULL;
    int64_t count = 0;
    am_decibel_options options = decibel_options(args, min_value);
    AM_TRY(seeded_numbers(am_json_get(args, "spectrogram"), &numbers, &count));
    am_status status = make_values(am_shape_of(count), out);
    for (int64_t i = 0; i < count && !status; i++) ((double *)out->data)[i] = (double)numbers[i];
    am_free(numbers);
    return status ? status : convert(out->data, count, &options);
}

static am_status power_to_db(am_json args, am_tensor *out)
{
    return to_decibels(args, 1e-10, am_power_to_db, out);
}

static am_status amplitude_to_db(am_json args, am_tensor *out)
{
    return to_decibels(args, 1e-5, am_amplitude_to_db, out);
}

/* "mel_filter_bank(BINS,FILTERS,MIN,MAX,RATE,slaney,slaney)" */
static am_status read_mel_recipe(am_json recipe, am_mel_options *out)
{
    *out = (am_mel_options){.scale = AM_MEL_SLANEY, .slaney_norm = true};
    const char *text = am_json_text(recipe).bytes;
    int end = 0;
    if (sscanf(text, "mel_filter_bank(%" SCNd64 ",%" SCNd64 ",%lf,%lf,%" SCNd64 ",slaney,slaney)%n", &out->num_bins,
               &out->num_filters, &out->min_hertz, &out->max_hertz, &out->sampling_rate, &end) == 5 &&
        end > 0)
        return NULL;
    return am_error(AM_INVALID_FILE, "\"%s\": expected mel_filter_bank(...)", text);
}

static am_status read_spectrogram(am_json args, am_spectrogram_options *out)
{
    static const char *const pad_modes[] = {"reflect", "constant", "edge"}, *const logs[] = {"", "log", "log10", "dB"};
    int pad_mode = find_name(am_json_get(args, "pad_mode"), pad_modes, 3);
    int log_mel = find_name(am_json_get(args, "log_mel"), logs, 4);
    *out = (am_spectrogram_options){.frame_length = am_json_int(am_json_get(args, "frame_length"), 0),
                                    .hop_length = am_json_int(am_json_get(args, "hop_length"), 0),
                                    .power = am_json_real(am_json_get(args, "power"), 1.0),
                                    .center = am_json_bool(am_json_get(args, "center"), true),
                                    .pad_mode = pad_mode < 0 ? AM_PAD_REFLECT : (am_pad_mode)pad_mode,
                                    .remove_dc_offset = am_json_bool(am_json_get(args, "remove_dc_offset"), false),
                                    .preemphasis = am_json_real(am_json_get(args, "preemphasis"), 0.0),
                                    .mel_floor = am_json_real(am_json_get(args, "mel_floor"), 1e-10),
                                    .log_mel = log_mel < 0 ? AM_LOG_NONE : (am_log_mel)log_mel,
                                    .decibel = decibel_options(args, 1e-10)};
    out->fft_length = am_json_int(am_json_get(args, "fft_length"), out->frame_length);
    char window[32];
    snprintf(window, sizeof window, "hann %" PRId64, out->frame_length);
    if (am_json_equals(am_json_get(args, "window"), window)) return NULL;
    return am_error(AM_INVALID_FILE, "window \"%s\": expected \"%s\"", text_of(args, "window"), window);
}

typedef struct spectrogram_inputs {
    float *waveform;
    int64_t length;
    double *window, *filters;
} spectrogram_inputs;

static am_status make_spectrogram(am_json args, spectrogram_inputs *in, am_tensor *out)
{
    am_spectrogram_options o;
    am_mel_options mels;
    AM_TRY(read_spectrogram(args, &o));
    AM_TRY(read_mel_recipe(am_json_get(args, "mel_filters"), &mels));
    AM_TRY(seeded_numbers(am_json_get(args, "waveform"), &in->waveform, &in->length));
    in->window = am_alloc_zeroed((size_t)o.frame_length, sizeof *in->window);
    in->filters = am_alloc_zeroed((size_t)mels.num_bins, (size_t)mels.num_filters * sizeof *in->filters);
    if (!in->window || !in->filters) return am_out_of_memory();
    AM_TRY(am_window_function(AM_WINDOW_HANN, o.frame_length, true, o.frame_length, true, in->window));
    AM_TRY(am_mel_filter_bank(&mels, in->filters));
    o.window = in->window;
    o.mel_filters = in->filters;
    o.mel_count = mels.num_filters;
    AM_TRY(make_values(am_shape_of(o.mel_count, am_spectrogram_frames(&o, in->length)), out));
    return am_spectrogram(in->waveform, in->length, &o, out->data);
}

static am_status spectrogram(am_json args, am_tensor *out)
{
    spectrogram_inputs in = {0};
    am_status status = make_spectrogram(args, &in, out);
    am_free(in.waveform);
    am_free(in.window);
    am_free(in.filters);
    return status;
}

static const struct {
    const char *name;
    am_status (*compute)(am_json args, am_tensor *out);
} functions[] = {
    {"hertz_to_mel", hertz_to_mel},       {"mel_to_hertz", mel_to_hertz},
    {"mel_filter_bank", mel_filter_bank}, {"window_function", window_function},
    {"spectrogram", spectrogram},         {"power_to_db", power_to_db},
    {"amplitude_to_db", amplitude_to_db}, {"chroma_filter_bank", chroma_filter_bank},
};

static am_status check_function(am_json row)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (!am_json_equals(am_json_get(row, "function"), functions[i].name)) continue;
        am_tensor found = {0};
        am_status status = functions[i].compute(am_json_get(row, "args"), &found);
        if (!status) status = am_verify_array(am_json_get(row, "result"), &found, &function_tolerance);
        am_free_aligned(found.data);
        return status;
    }
    return am_error(AM_UNSUPPORTED, "no such function");
}

static am_status verify_functions(am_verifier *v, am_json rows)
{
    int number = 0;
    for (am_json_iterator i = am_json_iterate(rows); am_json_next(&i); number++)
        AM_TRY(am_verify_count(v, check_function(i.value), "%s case %d", text_of(i.value, "function"), number));
    return NULL;
}

enum { MAX_BATCH = 16 };

/* Several files make a padded batch. */
static am_feature_options read_options(am_json kwargs, int64_t count)
{
    am_json padding = am_json_get(kwargs, "padding"), mask = am_json_get(kwargs, "return_attention_mask");
    am_json truncation = am_json_get(kwargs, "truncation");
    am_feature_options o = {.max_length = am_json_int(am_json_get(kwargs, "max_length"), 0),
                            .pad_to_multiple_of = am_json_int(am_json_get(kwargs, "pad_to_multiple_of"), 0)};
    if (count > 1 || am_json_bool(padding, false) || am_json_equals(padding, "longest")) o.padding = AM_PADDING_LONGEST;
    if (am_json_equals(padding, "max_length")) o.padding = AM_PADDING_MAX_LENGTH;
    if (am_json_kind_of(padding) == AM_JSON_BOOL && !am_json_bool(padding, true)) o.padding = AM_PADDING_NONE;
    if (am_json_kind_of(mask) == AM_JSON_BOOL)
        o.return_attention_mask = am_json_bool(mask, false) ? AM_CHOICE_YES : AM_CHOICE_NO;
    if (am_json_kind_of(truncation) == AM_JSON_BOOL)
        o.truncation = am_json_bool(truncation, false) ? AM_CHOICE_YES : AM_CHOICE_NO;
    return o;
}

/* The arguments of a call that are the class's own: all but those of am_feature_options. *out may be null: none. */
static am_status read_arguments(am_json kwargs, am_json_document **out)
{
    static const char *const common[] = {"padding", "max_length", "truncation", "pad_to_multiple_of",
                                         "return_attention_mask"};
    am_buffer text = {0};
    for (am_json_iterator i = am_json_iterate(kwargs); am_json_next(&i);) {
        if (find_text(i.key.bytes, common, 5) >= 0) continue;
        am_buffer_append_string(&text, text.length ? ", " : "{");
        am_buffer_append_json_string(&text, i.key.bytes, i.key.length);
        am_buffer_append_string(&text, ": ");
        am_json_write(i.value, &text);
    }
    bool is_empty = !text.length;
    am_buffer_append_char(&text, '}');
    am_status status = am_buffer_status(&text);
    if (!status && !is_empty) status = am_json_parse(text.bytes, text.length, "kwargs", out);
    am_buffer_deinit(&text);
    return status;
}

static am_status check_dtype(am_json expected, am_dtype found)
{
    static const struct {
        const char *name;
        am_dtype dtype;
    } names[] = {{"float32", AM_F32}, {"int32", AM_I32}, {"int64", AM_I64}, {"bool", AM_BOOL}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (am_json_equals(expected, names[i].name) && found == names[i].dtype) return NULL;
    }
    return am_error(AM_FAILED, "%s, expected %s", am_dtype_name(found), am_json_text(expected).bytes);
}

/* A recorded list, of numbers or of lists, beside a tensor's elements; a null stands for -1. */
static am_status check_list(am_json expected, const am_tensor *found, int64_t *at)
{
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i);) {
        if (am_json_kind_of(i.value) == AM_JSON_ARRAY) {
            AM_TRY(check_list(i.value, found, at));
            continue;
        }
        double number = am_json_real(i.value, -1.0);
        if (*at >= am_shape_count(&found->shape) || am_load_real(found->dtype, found->data, *at) != number)
            return am_error(AM_FAILED, "element %" PRId64 " is another than %g", *at, number);
        ++*at;
    }
    return NULL;
}

static am_status check_feature(am_json expected, const am_tensor *found)
{
    static const am_verify_tolerance exact = {.mean_absolute = 1e-8, .mean_relative = 1e-7};
    int64_t at = 0;
    if (am_json_kind_of(expected) == AM_JSON_OBJECT) {
        AM_TRY(check_dtype(am_json_get(expected, "dtype"), found->dtype));
        return am_verify_array(expected, found, found->dtype == AM_F32 ? &feature_tolerance : &exact);
    }
    AM_TRY(check_list(expected, found, &at));
    if (at == am_shape_count(&found->shape)) return NULL;
    return am_error(AM_FAILED, "%" PRId64 " elements, expected %" PRId64, am_shape_count(&found->shape), at);
}

/* As many outputs as were recorded, each with its values. What is drawn at random was not recorded. */
static am_status compare_features(am_json outputs, const am_features *found)
{
    int count = found->count - (am_features_get(found, "noise_sequence") ? 1 : 0);
    if (am_json_count(outputs) != (size_t)count)
        return am_error(AM_FAILED, "%d outputs, expected %zu", count, am_json_count(outputs));
    for (am_json_iterator i = am_json_iterate(outputs); am_json_next(&i);) {
        const am_tensor *tensor = am_features_get(found, i.key.bytes);
        if (!tensor) return am_error(AM_FAILED, "there is no %s", i.key.bytes);
        AM_TRY(am_note(check_feature(i.value, tensor), "%s", i.key.bytes));
    }
    return NULL;
}

/* Sounds are taken at their own rates for what the extractor expects, as they were when the answers were
   recorded. */
static am_status check_sounds(const am_feature_extractor *e, am_json row, am_audio *sounds, int64_t count)
{
    am_json kwargs = am_json_get(row, "kwargs");
    am_feature_options options = read_options(kwargs, count);
    am_json_document *arguments = NULL;
    am_features found = {0};
    AM_TRY(read_arguments(kwargs, &arguments));
    if (arguments) options.arguments = am_json_root(arguments);
    for (int64_t i = 0; i < count; i++) sounds[i].sampling_rate = (int)e->sampling_rate;
    am_status status = am_feature_extractor_run(e, sounds, count, &options, &found);
    if (am_json_kind_of(am_json_get(row, "error")) != AM_JSON_MISSING) status = am_verify_expect_failure(status);
    else if (!status) status = compare_features(am_json_get(row, "outputs"), &found);
    am_features_deinit(&found);
    am_json_close(arguments);
    return status;
}

/* All channels where the extractor takes them, else their mean. */
static am_status load_for(const am_feature_extractor *e, const am_verifier *v, const char *file, am_audio *out)
{
    AM_TRY(load_channels(v, file, out));
    if (am_feature_channels(e) == 1) am_audio_mix_down(out);
    return NULL;
}

static am_status check_loaded(const am_feature_extractor *e, const am_verifier *v, am_json row)
{
    am_audio sounds[MAX_BATCH] = {{0}};
    int64_t count = 0;
    am_status status = NULL;
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "files")); !status && am_json_next(&i); count++) {
        if (count == MAX_BATCH) status = am_error(AM_INVALID_FILE, "more than %d files", MAX_BATCH);
        else status = load_for(e, v, am_json_text(i.value).bytes, &sounds[count]);
    }
    if (!status) status = check_sounds(e, row, sounds, count);
    for (int64_t i = 0; i < MAX_BATCH; i++) am_audio_deinit(&sounds[i]);
    return status;
}

static am_status check_extractor_case(const am_verifier *v, am_json config, const char *class_name, am_json row)
{
    am_feature_extractor e;
    AM_TRY(am_feature_extractor_init(config, class_name, &e));
    am_status status = check_loaded(&e, v, row);
    am_feature_extractor_deinit(&e);
    return status;
}

static am_status verify_extractor(am_verifier *v, const char *path)
{
    if (strncmp(am_path_base(path), "index.", 6) == 0) return NULL;
    if (!am_recorded_part(v->recorded, "extractors/%s", am_path_base(path))) return NULL;
    am_json_document *document = NULL;
    AM_TRY(am_json_open(path, &document));
    am_json root = am_json_root(document), configs = am_json_get(root, "configs");
    const char *class_name = text_of(root, "class");
    am_status status = NULL;
    int number = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(root, "cases")); !status && am_json_next(&i); number++) {
        am_json config = am_verify_element(configs, am_json_int(am_json_get(i.value, "config"), -1));
        if (am_json_kind_of(config) == AM_JSON_MISSING) config = am_json_get(i.value, "settings");
        am_status outcome = check_extractor_case(v, config, class_name, i.value);
        status = am_verify_count(v, outcome, "%s case %d", class_name, number);
    }
    am_json_close(document);
    return status;
}

static am_status verify_rows(am_verifier *v, const char *name, am_status (*verify)(am_verifier *, am_json))
{
    am_json_document *document = NULL;
    AM_TRY(am_verify_open(v, name, &document));
    if (!document) return NULL;
    am_status status = verify(v, am_json_root(document));
    am_json_close(document);
    return status;
}

am_status am_recorded_sounds(const char *folder, am_recorded *recorded)
{
    am_verifier v = {.folder = folder, .recorded = recorded};
    if (!am_directory_exists(folder)) return am_error(AM_NOT_FOUND, "there is no folder %s", folder);
    if (am_recorded_part(recorded, "loading")) AM_TRY(verify_rows(&v, "loading.json", verify_loading));
    if (am_recorded_part(recorded, "functions")) AM_TRY(verify_rows(&v, "functions.json", verify_functions));
    AM_TRY(am_verify_each_file(&v, "extractors", ".json", verify_extractor));
    am_recorded_end_part(recorded);
    return NULL;
}
