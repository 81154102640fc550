/* ClapFeatureExtractor: mel spectrograms in decibels of max_length_s seconds. Of longer sounds either a part at random
   (truncation "rand_trunc"), or the whole, squeezed, beside three parts at random ("fusion"). transformers draws from
   numpy.random; here it is as if numpy.random.seed were called first with the argument `seed`, 0 when not given. */
#include "media/extractors/extractor.h"

#include "base/memory.h"
#include "base/torch_random.h"
#include "tensor/shape.h"

#include <string.h>

enum { FUSED = 4 };

typedef struct job {
    am_feature_run *run;
    am_twister random;
    int64_t samples, frames; /* of what a sound is cut or filled to */
    bool is_fusion, repeats, fills;
    am_spectrum spectrum;
    float *out; /* [count, layers, frames, mels] */
    bool *is_longer;
} job;

/* numpy.random.randint(0, count) */
static int64_t random_index(job *j, int64_t count)
{
    uint32_t most = (uint32_t)(count - 1), mask = most, value;
    for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    if (!most) return 0;
    do value = am_twister_draw(&j->random) & mask;
    while (value > most);
    return value;
}

/* Fills `length` samples up as the setting `padding` says: again and again, cut at the end or not. */
static float *fill(const job *j, const float *samples, int64_t length)
{
    float *filled = am_arena_array(&j->run->arena, (size_t)j->samples, sizeof *filled);
    int64_t whole = j->samples / length * length, used = j->repeats ? j->samples : j->fills ? whole : length;
    for (int64_t t = 0; filled && t < used; t++) filled[t] = samples[t % length];
    return filled;
}

/* [*frames, mels] in decibels. */
static am_status decibels(const job *j, const float *samples, int64_t length, float **out, int64_t *frames)
{
    static const am_decibel_options options = {.reference = 1.0, .min_value = 1e-10};
    double *values;
    int64_t mels = j->spectrum.rows;
    AM_TRY(am_spectrum_of(j->run, &j->spectrum, samples, length, &values, frames));
    AM_TRY(am_power_to_db(values, mels * *frames, &options));
    *out = am_arena_array(&j->run->arena, (size_t)*frames, (size_t)mels * sizeof **out);
    if (!*out) return am_out_of_memory();
    for (int64_t t = 0; t < *frames; t++)
        for (int64_t m = 0; m < mels; m++) (*out)[t * mels + m] = (float)values[m * *frames + t];
    return NULL;
}

/* torch.nn.functional.interpolate (bilinear) of [from, width] to [to, width]. */
static void squeeze(const float *in, int64_t from, int64_t to, int64_t width, float *out)
{
    for (int64_t t = 0; t < to; t++) {
        float at = ((float)t + 0.5f) * ((float)from / (float)to) - 0.5f;
        if (at < 0.0f) at = 0.0f;
        int64_t first = (int64_t)at, second = first + 1 < from ? first + 1 : first;
        float part = at - (float)first;
        for (int64_t m = 0; m < width; m++)
            out[t * width + m] = (1.0f - part) * in[first * width + m] + part * in[second * width + m];
    }
}

/* A beginning in the k-th third of the `places` where a part may begin (numpy.array_split). */
static int64_t random_beginning(job *j, int64_t places, int64_t k)
{
    int64_t size = places / 3 + (k < places % 3), first = k * (places / 3) + (k < places % 3 ? k : places % 3);
    return size ? first + random_index(j, size) : 0;
}

static void fuse(job *j, const float *mel, int64_t total, float *out)
{
    int64_t mels = j->spectrum.rows, each = j->frames * mels;
    squeeze(mel, total, j->frames, mels, out);
    for (int64_t k = 0; k < 3; k++)
        memcpy(out + (k + 1) * each, mel + random_beginning(j, total - j->frames + 1, k) * mels,
               (size_t)each * sizeof *out);
}

static am_status take_sound(job *j, int64_t i)
{
    const am_audio *sound = &j->run->sounds[i];
    int64_t each = j->frames * j->spectrum.rows, layers = j->is_fusion ? FUSED : 1, frames;
    float *out = j->out + i * layers * each, *mel, *samples = sound->samples;
    int64_t length = sound->frames;
    bool is_longer = length > j->samples;
    if (is_longer && !j->is_fusion) samples += random_index(j, length - j->samples + 1);
    if (!is_longer) samples = fill(j, samples, length);
    if (!samples) return am_out_of_memory();
    AM_TRY(decibels(j, samples, is_longer && j->is_fusion ? length : j->samples, &mel, &frames));
    j->is_longer[i] = is_longer && !(j->is_fusion && frames == j->frames);
    if (j->is_longer[i] && j->is_fusion) fuse(j, mel, frames, out);
    else
        for (int64_t k = 0; k < layers; k++) memcpy(out + k * each, mel, (size_t)each * sizeof *out);
    return NULL;
}

static am_status read_settings(job *j)
{
    const am_feature_extractor *e = j->run->extractor;
    am_json truncation = am_feature_setting(e, "truncation"), padding = am_feature_setting(e, "padding");
    bool default_padding = j->run->padding == AM_PADDING_DEFAULT || j->run->padding == AM_PADDING_LONGEST;
    j->is_fusion = am_json_equals(truncation, "fusion");
    j->repeats = default_padding && am_json_equals(padding, "repeat");
    j->fills = default_padding && am_json_equals(padding, "repeatpad");
    j->samples = j->run->options.max_length;
    if (!j->samples) j->samples = (int64_t)(am_feature_setting_real(e, "max_length_s") * (double)e->sampling_rate);
    j->frames = j->samples / am_feature_setting_int(e, "hop_length") + 1;
    if (j->samples < 1 || j->samples > 1 << 28)
        return am_error(AM_INVALID_ARGUMENT, "max_length: expected 1 to 2^28 samples");
    if (j->is_fusion || am_json_equals(truncation, "rand_trunc")) return NULL;
    return am_error(AM_UNSUPPORTED, "truncation \"%.40s\"; expected fusion or rand_trunc",
                    am_json_text(truncation).bytes);
}

static am_status prepare(job *j)
{
    const am_feature_extractor *e = j->run->extractor;
    am_spectrum_recipe recipe = {
        .frame_length = am_feature_setting_int(e, "fft_window_size"),
        .hop_length = am_feature_setting_int(e, "hop_length"),
        .window = AM_WINDOW_HANN,
        .center = true,
        .mel_floor = 1e-10,
        .mels = {.num_filters = e->feature_size,
                 .min_hertz = am_feature_setting_real(e, "frequency_min"),
                 .max_hertz = am_feature_setting_real(e, "frequency_max"),
                 .scale = j->is_fusion ? AM_MEL_HTK : AM_MEL_SLANEY,
                 .slaney_norm = !j->is_fusion},
    };
    am_tensor features, longer;
    am_shape shape = am_shape_of(j->run->count, j->is_fusion ? FUSED : 1, j->frames, e->feature_size);
    AM_TRY(am_spectrum_init(j->run, &recipe, &j->spectrum));
    AM_TRY(am_feature_add(j->run, "input_features", AM_F32, shape, &features));
    AM_TRY(am_feature_add(j->run, "is_longer", AM_BOOL, am_shape_of(j->run->count, 1), &longer));
    j->out = features.data;
    j->is_longer = longer.data;
    return NULL;
}

/* Where no sound of a batch is longer, one counts as if it were: what transformers does so that fusion is used. */
static am_status run_clap(am_feature_run *run)
{
    job j = {.run = run};
    int64_t longer = 0;
    am_twister_seed(&j.random, (uint64_t)am_feature_argument_int(run, "seed", 0));
    AM_TRY(read_settings(&j));
    AM_TRY(prepare(&j));
    for (int64_t i = 0; i < run->count; i++) AM_TRY(take_sound(&j, i));
    for (int64_t i = 0; i < run->count; i++) longer += j.is_longer[i];
    if (j.is_fusion && !longer) j.is_longer[random_index(&j, run->count)] = true;
    return NULL;
}

const am_feature_class am_feature_class_clap = {
    .name = "ClapFeatureExtractor",
    .defaults = "{\"feature_size\": 64, \"sampling_rate\": 48000, \"hop_length\": 480, \"max_length_s\": 10.0, "
                "\"fft_window_size\": 1024, \"padding_value\": 0.0, \"return_attention_mask\": false, "
                "\"frequency_min\": 0.0, \"frequency_max\": 14000.0, \"top_db\": null, \"truncation\": \"fusion\", "
                "\"padding\": \"repeatpad\"}",
    .arguments = {"seed"},
    .models = {"clap"},
    .run = run_clap,
};
