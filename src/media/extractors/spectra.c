/* Spectra of sounds, as classes share them. */
#include "media/extractors/extractor.h"

#include "media/extractors/torch_sum.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>

int64_t am_optimal_fft_length(int64_t length)
{
    int64_t power = 1;
    while (power < length) power *= 2;
    return power;
}

am_status am_window_named(am_json name, am_window *out)
{
    static const struct {
        const char *names[3];
        am_window window;
    } windows[] = {{{"hann", "hann_window", "hanning"}, AM_WINDOW_HANN},
                   {{"hamming", "hamming_window"}, AM_WINDOW_HAMMING},
                   {{"povey"}, AM_WINDOW_POVEY},
                   {{"boxcar", "rectangular"}, AM_WINDOW_BOXCAR}};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        for (int k = 0; k < 3 && windows[i].names[k]; k++) {
            if (!am_json_equals(name, windows[i].names[k])) continue;
            *out = windows[i].window;
            return NULL;
        }
    }
    return am_error(AM_UNSUPPORTED, "window \"%.40s\"; expected hann, hamming, povey or boxcar",
                    am_json_text(name).bytes);
}

static am_status make_filters(am_feature_run *run, const am_mel_options *mels, int64_t bins, double **out)
{
    am_mel_options o = *mels;
    o.num_bins = bins;
    o.sampling_rate = run->extractor->sampling_rate;
    *out = am_arena_array(&run->arena, (size_t)bins, (size_t)o.num_filters * sizeof **out);
    return *out ? am_mel_filter_bank(&o, *out) : am_out_of_memory();
}

am_status am_spectrum_init(am_feature_run *run, const am_spectrum_recipe *recipe, am_spectrum *out)
{
    int64_t frame = recipe->frame_length, fft = recipe->fft_length ? recipe->fft_length : frame;
    *out = (am_spectrum){.like_torch = recipe->like_torch, .bins = fft / 2 + 1};
    out->rows = recipe->mels.num_filters ? recipe->mels.num_filters : out->bins;
    double *window = am_arena_array(&run->arena, (size_t)frame, sizeof *window);
    if (!window) return am_out_of_memory();
    AM_TRY(am_window_function(recipe->window, recipe->window_length ? recipe->window_length : frame, !recipe->symmetric,
                              frame, true, window));
    if (recipe->mels.num_filters) AM_TRY(make_filters(run, &recipe->mels, out->bins, &out->filters));
    out->options = (am_spectrogram_options){.frame_length = frame,
                                            .hop_length = recipe->hop_length,
                                            .fft_length = fft,
                                            .window = window,
                                            .power = recipe->magnitude ? 1.0 : 2.0,
                                            .center = recipe->center,
                                            .pad_mode = recipe->pad_mode,
                                            .remove_dc_offset = recipe->remove_dc_offset,
                                            .preemphasis = recipe->preemphasis,
                                            .mel_filters = out->filters,
                                            .mel_count = recipe->mels.num_filters,
                                            .mel_floor = recipe->mel_floor};
    return NULL;
}

static am_status check_length(const am_spectrum *s, int64_t length, int64_t frames)
{
    int64_t reflected = s->options.frame_length / 2;
    if (s->like_torch && s->options.center && s->options.pad_mode == AM_PAD_REFLECT && length <= reflected)
        return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " samples are too few to reflect %" PRId64 " of them", length,
                        reflected);
    if (frames > 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "%" PRId64 " samples are too few for a frame of %" PRId64, length,
                    s->options.frame_length);
}

am_status am_spectrum_of(am_feature_run *run, const am_spectrum *spectrum, const float *samples, int64_t length,
                         double **out, int64_t *frames)
{
    *frames = am_spectrogram_frames(&spectrum->options, length);
    AM_TRY(check_length(spectrum, length, *frames));
    *out = am_arena_array(&run->arena, (size_t)*frames, (size_t)spectrum->rows * sizeof **out);
    return *out ? am_spectrogram(samples, length, &spectrum->options, *out) : am_out_of_memory();
}

am_status am_spectra_of(am_feature_run *run, const am_spectrum_recipe *recipe, const am_padded *padded, am_spectra *out)
{
    am_spectrum s;
    AM_TRY(am_spectrum_init(run, recipe, &s));
    *out = (am_spectra){.count = padded->count, .rows = s.rows};
    out->frames = am_spectrogram_frames(&s.options, padded->length);
    AM_TRY(check_length(&s, padded->length, out->frames));
    size_t each = (size_t)(s.rows * out->frames);
    out->values = am_arena_array(&run->arena, (size_t)padded->count, each * sizeof *out->values);
    if (!out->values) return am_out_of_memory();
    for (int64_t i = 0; i < padded->count; i++)
        AM_TRY(am_spectrogram(padded->values + i * padded->length, padded->length, &s.options,
                              out->values + (size_t)i * each));
    return NULL;
}

am_status am_spectra_filter(am_feature_run *run, const am_mel_options *mels, const am_spectra *bins, am_spectra *out)
{
    double *filters;
    AM_TRY(make_filters(run, mels, bins->rows, &filters));
    *out = (am_spectra){.count = bins->count, .rows = mels->num_filters, .frames = bins->frames};
    out->values =
        am_arena_array(&run->arena, (size_t)(out->count * out->rows), (size_t)out->frames * sizeof *out->values);
    if (!out->values) return am_out_of_memory();
    for (int64_t i = 0; i < out->count; i++) {
        for (int64_t m = 0; m < out->rows; m++) {
            double *row = out->values + (i * out->rows + m) * out->frames;
            for (int64_t k = 0; k < bins->rows; k++) {
                double weight = filters[k * out->rows + m];
                const double *from = bins->values + (i * bins->rows + k) * bins->frames;
                for (int64_t t = 0; t < out->frames && weight != 0.0; t++) row[t] += weight * from[t];
            }
        }
    }
    return NULL;
}

am_status am_feature_add_spectra(am_feature_run *run, const char *name, const am_spectra *spectra, int64_t frames)
{
    am_tensor tensor;
    AM_TRY(am_feature_add(run, name, AM_F32, am_shape_of(spectra->count, spectra->rows, frames), &tensor));
    float *to = tensor.data;
    for (int64_t row = 0; row < spectra->count * spectra->rows; row++)
        for (int64_t t = 0; t < frames; t++) *to++ = (float)spectra->values[row * spectra->frames + t];
    return NULL;
}

am_status am_feature_add_frames(am_feature_run *run, const char *name, const am_spectra *spectra, int64_t frames)
{
    am_tensor tensor;
    int64_t rows = spectra->rows;
    AM_TRY(am_feature_add(run, name, AM_F32, am_shape_of(spectra->count, frames, rows), &tensor));
    float *to = tensor.data;
    for (int64_t i = 0; i < spectra->count; i++)
        for (int64_t t = 0; t < frames; t++)
            for (int64_t m = 0; m < rows; m++) *to++ = (float)spectra->values[(i * rows + m) * spectra->frames + t];
    return NULL;
}

void am_spectra_log_mel(am_spectra *spectra, int64_t frames, double most, double range)
{
    for (int64_t i = 0; i < spectra->count; i++) {
        double *values = spectra->values + i * spectra->rows * spectra->frames,
               greatest = isnan(most) ? -INFINITY : most;
        am_logarithms(values, spectra->rows * spectra->frames, 1e-10, AM_LOG_10);
        for (int64_t m = 0; m < spectra->rows; m++) {
            double *row = values + m * spectra->frames;
            for (int64_t t = 0; t < spectra->frames; t++) row[t] = (double)(float)row[t];
            for (int64_t t = 0; t < frames && isnan(most); t++) greatest = row[t] > greatest ? row[t] : greatest;
        }
        double least = greatest - range;
        for (int64_t k = 0; k < spectra->rows * spectra->frames; k++)
            values[k] = ((values[k] > least ? values[k] : least) + 4.0) / 4.0;
    }
}

am_spectrum_recipe am_whisper_recipe(const am_feature_extractor *extractor)
{
    return (am_spectrum_recipe){
        .frame_length = am_feature_setting_int(extractor, "n_fft"),
        .hop_length = am_feature_setting_int(extractor, "hop_length"),
        .window = AM_WINDOW_HANN,
        .center = true,
        .like_torch = true,
        .mels = {.num_filters = extractor->feature_size,
                 .max_hertz = 8000.0,
                 .scale = AM_MEL_SLANEY,
                 .slaney_norm = true},
    };
}

am_spectrum_recipe am_torchaudio_recipe(const am_feature_extractor *extractor, int64_t mels)
{
    am_spectrum_recipe recipe = am_whisper_recipe(extractor);
    recipe.window_length = am_feature_setting_int(extractor, "win_length");
    recipe.mels =
        (am_mel_options){.num_filters = mels, .max_hertz = (double)(extractor->sampling_rate / 2), .scale = AM_MEL_HTK};
    return recipe;
}

/* --- Kaldi's filter bank --- */

static const double fbank_floor = 1.1920928955078125e-07;

static am_status fbank_row(am_feature_run *run, const am_spectrum *s, const am_sequences *samples, int64_t i,
                           am_sequences *out)
{
    double *values;
    int64_t frames;
    AM_TRY(am_spectrum_of(run, s, samples->places[i], samples->lengths[i], &values, &frames));
    AM_TRY(am_sequences_add(run, out, i, frames));
    am_logarithms(values, s->rows * frames, fbank_floor, AM_LOG_NATURAL);
    for (int64_t t = 0; t < frames; t++)
        for (int64_t m = 0; m < s->rows; m++) out->places[i][t * s->rows + m] = (float)values[m * frames + t];
    return NULL;
}

static am_status scale_samples(am_feature_run *run, double scale, const am_sequences *samples, am_sequences *out)
{
    AM_TRY(am_sequences_init(run, samples->count, 1, out));
    for (int64_t i = 0; i < samples->count; i++) {
        AM_TRY(am_sequences_add(run, out, i, samples->lengths[i]));
        for (int64_t t = 0; t < samples->lengths[i]; t++)
            out->places[i][t] = (float)((double)samples->places[i][t] * scale);
    }
    return NULL;
}

am_status am_fbank_of(am_feature_run *run, const am_fbank_options *options, const am_sequences *samples,
                      am_sequences *out)
{
    int64_t frame = options->frame_length ? options->frame_length : 400;
    am_spectrum_recipe recipe = {.frame_length = frame,
                                 .hop_length = options->frame_shift ? options->frame_shift : 160,
                                 .fft_length = am_optimal_fft_length(frame),
                                 .window = options->window,
                                 .symmetric = true,
                                 .preemphasis = 0.97,
                                 .remove_dc_offset = true,
                                 .mels = {.num_filters = options->num_mel_bins,
                                          .min_hertz = 20.0,
                                          .max_hertz = (double)(run->extractor->sampling_rate / 2),
                                          .scale = AM_MEL_KALDI,
                                          .in_mel_space = true}};
    am_spectrum spectrum;
    am_sequences scaled;
    AM_TRY(am_spectrum_init(run, &recipe, &spectrum));
    AM_TRY(scale_samples(run, options->scale, samples, &scaled));
    AM_TRY(am_sequences_init(run, samples->count, options->num_mel_bins, out));
    for (int64_t i = 0; i < samples->count; i++) AM_TRY(fbank_row(run, &spectrum, &scaled, i, out));
    return NULL;
}

void am_normalize_columns(float *values, int64_t length, int64_t width, const am_column_norm *norm)
{
    for (int64_t c = 0; c < width; c++) {
        double mean = 0.0, squares = 0.0;
        for (int64_t t = 0; t < norm->used; t++) mean += (double)values[t * width + c];
        mean /= (double)norm->used;
        if (norm->like_torch) mean = (double)(am_torch_column_sum(values, norm->used, width, c) / (float)norm->used);
        for (int64_t t = 0; t < norm->used; t++) {
            double distance = (double)values[t * width + c] - mean;
            squares += distance * distance;
        }
        double scale = sqrt(squares / (double)(norm->used - norm->correction) + norm->epsilon);
        for (int64_t t = 0; t < length; t++) {
            double value = (double)values[t * width + c] - (norm->keep_mean ? 0.0 : mean);
            values[t * width + c] = (float)(norm->keep_variance ? value : value / scale);
        }
    }
}
