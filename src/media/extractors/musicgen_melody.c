/* MusicgenMelodyFeatureExtractor: for each frame the one of num_chroma pitch classes that is strongest. */
#include "media/extractors/extractor.h"

#include "tensor/shape.h"

#include <math.h>
#include <string.h>

/* Zeros around sounds that are shorter than a frame. */
static am_status widen(am_feature_run *run, int64_t least, am_padded *p)
{
    am_padded out = *p;
    if (p->length >= least) return NULL;
    out.length = least;
    out.values = am_arena_array(&run->arena, (size_t)(p->count * least), sizeof *out.values);
    if (!out.values) return am_out_of_memory();
    for (int64_t i = 0; i < p->count; i++)
        memcpy(out.values + i * least + (least - p->length) / 2, p->values + i * p->length,
               (size_t)p->length * sizeof *p->values);
    *p = out;
    return NULL;
}

static am_status chroma_filters(am_feature_run *run, am_chroma_options *options, double **out)
{
    const am_feature_extractor *e = run->extractor;
    *options = (am_chroma_options){.num_bins = am_feature_setting_int(e, "n_fft"),
                                   .num_chroma = am_feature_setting_int(e, "num_chroma"),
                                   .sampling_rate = e->sampling_rate,
                                   .power = 2.0,
                                   .center_octave = 5.0,
                                   .half_width_octaves = 2.0};
    *out =
        am_arena_array(&run->arena, (size_t)(options->num_chroma * am_chroma_columns(options->num_bins)), sizeof **out);
    return *out ? am_chroma_filter_bank(options, *out) : am_out_of_memory();
}

/* The strongest class of frame t of bins [columns, frames]. */
static int64_t strongest(const am_chroma_options *o, const double *filters, const double *bins, int64_t frames,
                         int64_t t)
{
    int64_t columns = am_chroma_columns(o->num_bins), best = 0;
    double most = -INFINITY;
    for (int64_t c = 0; c < o->num_chroma; c++) {
        double sum = 0.0;
        for (int64_t k = 0; k < columns; k++) sum += filters[c * columns + k] * bins[k * frames + t];
        if (sum > most) best = c;
        most = fmax(most, sum);
    }
    return best;
}

static am_status add_classes(am_feature_run *run, const am_spectra *s)
{
    am_chroma_options options;
    double *filters;
    am_tensor out;
    AM_TRY(chroma_filters(run, &options, &filters));
    AM_TRY(am_feature_add(run, "input_features", AM_F32, am_shape_of(s->count, s->frames, options.num_chroma), &out));
    for (int64_t i = 0; i < s->count; i++) {
        for (int64_t t = 0; t < s->frames; t++) {
            int64_t best = strongest(&options, filters, s->values + i * s->rows * s->frames, s->frames, t);
            ((float *)out.data)[(i * s->frames + t) * options.num_chroma + best] = 1.0f;
        }
    }
    return NULL;
}

static am_status run_musicgen_melody(am_feature_run *run)
{
    const am_feature_extractor *e = run->extractor;
    am_spectrum_recipe recipe = {.frame_length = am_feature_setting_int(e, "n_fft"),
                                 .hop_length = am_feature_setting_int(e, "hop_length"),
                                 .window = AM_WINDOW_HANN,
                                 .center = true,
                                 .like_torch = true};
    am_sequences sounds;
    am_padded samples, wide;
    am_spectra spectra;
    if (!run->options.max_length) run->options.max_length = am_feature_chunk_samples(e);
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    AM_TRY(am_sequences_pad(run, &sounds, &run->options, e->padding_value, &samples));
    wide = samples;
    AM_TRY(widen(run, recipe.frame_length, &wide));
    AM_TRY(am_spectra_of(run, &recipe, &wide, &spectra));
    AM_TRY(add_classes(run, &spectra));
    if (!am_feature_wants_mask(run)) return NULL;
    am_mask_columns columns = {.step = recipe.hop_length, .limit = INT64_MAX};
    bool by_frame = run->options.return_attention_mask == AM_CHOICE_YES; /* the configuration's is one of samples */
    return am_feature_add_mask(run, "attention_mask", AM_I32, &samples, by_frame ? &columns : &am_all_columns);
}

const am_feature_class am_feature_class_musicgen_melody = {
    .name = "MusicgenMelodyFeatureExtractor",
    .defaults = "{\"feature_size\": 12, \"sampling_rate\": 32000, \"hop_length\": 4096, \"chunk_length\": 30.0, "
                "\"n_fft\": 16384, \"num_chroma\": 12, \"padding_value\": 0.0, \"return_attention_mask\": false}",
    .call = {.padding = AM_PADDING_LONGEST, .truncation = AM_CHOICE_YES},
    .models = {"musicgen_melody"},
    .run = run_musicgen_melody,
};
