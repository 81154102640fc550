/* CohereAsrFeatureExtractor: NeMo's log-mel spectrogram with a little noise; what is long is cut where it is quiet. */
#include "media/extractors/nemo.h"

#include "base/memory.h"
#include "base/torch_random.h"
#include "tensor/shape.h"

#include <math.h>

/* Where to cut samples [start, end): at the quietest window of min_energy_window_samples. */
static int64_t quiet_place(const am_feature_extractor *e, const float *samples, int64_t start, int64_t end)
{
    int64_t window = am_feature_setting_int(e, "min_energy_window_samples"), best = start;
    double least = INFINITY;
    if (end - start <= window) return (start + end) / 2;
    for (int64_t i = start; i < end - window; i += window) {
        double squares = 0.0;
        for (int64_t t = i; t < i + window; t++) squares += (double)samples[t] * (double)samples[t];
        if (squares >= least) continue;
        least = squares;
        best = i;
    }
    return best;
}

/* Where the chunk that begins at `first` ends. */
static int64_t chunk_end(const am_feature_extractor *e, const am_audio *sound, int64_t first)
{
    double rate = (double)e->sampling_rate, clip = am_feature_setting_real(e, "max_audio_clip_s");
    double overlap = am_feature_setting_real(e, "overlap_chunk_second");
    int64_t chunk = (int64_t)fmax(1.0, nearbyint(clip * rate)), around = (int64_t)fmax(1.0, nearbyint(overlap * rate));
    if ((double)sound->frames / rate <= fmax(0.0, clip - overlap) || first + chunk >= sound->frames)
        return sound->frames;
    int64_t start = first + chunk - around > first ? first + chunk - around : first;
    int64_t place = quiet_place(e, sound->samples, start, first + chunk);
    return place > first ? place : first + 1;
}

/* audio_chunk_index: i64 [chunks, 2], sound and chunk of it, -1 where a sound is one chunk because it is short. */
static am_status add_index(am_feature_run *run, const am_sequences *chunks)
{
    const am_feature_extractor *e = run->extractor;
    double whole =
        fmax(0.0, am_feature_setting_real(e, "max_audio_clip_s") - am_feature_setting_real(e, "overlap_chunk_second"));
    am_tensor index;
    AM_TRY(am_feature_add(run, "audio_chunk_index", AM_I64, am_shape_of(chunks->count, 2), &index));
    int64_t *to = index.data, sound = -1, number = 0;
    const float *end = NULL;
    for (int64_t i = 0; i < chunks->count; i++, to += 2) {
        number = chunks->places[i] == end && sound >= 0 ? number + 1 : 0;
        if (!number) sound++;
        end = chunks->places[i] + chunks->lengths[i];
        to[0] = sound;
        to[1] = (double)run->sounds[sound].frames / (double)e->sampling_rate <= whole ? -1 : number;
    }
    return NULL;
}

static am_status cut_sounds(am_feature_run *run, am_sequences *out)
{
    int64_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass) AM_TRY(am_sequences_init(run, count, 1, out));
        count = 0;
        for (int64_t i = 0; i < run->count; i++) {
            for (int64_t first = 0, end; first < run->sounds[i].frames; first = end, count++) {
                end = chunk_end(run->extractor, &run->sounds[i], first);
                if (!pass) continue;
                out->places[count] = run->sounds[i].samples + first;
                out->lengths[count] = end - first;
            }
        }
    }
    return NULL;
}

/* Torch's normal numbers, with the length as their seed. */
static am_status add_noise(am_feature_run *run, am_nemo_waves *waves)
{
    float dither = (float)am_feature_setting_real(run->extractor, "dither");
    const am_padded *p = &waves->padded;
    float *noise = am_arena_array(&run->arena, (size_t)p->length, sizeof *noise);
    if (!noise) return am_out_of_memory();
    for (int64_t i = 0; i < p->count && dither > 0.0f; i++) {
        int64_t used = waves->lengths[i] < p->length ? waves->lengths[i] : p->length;
        am_torch_randn((uint64_t)used, noise, (size_t)used);
        for (int64_t t = 0; t < used; t++) p->values[i * p->length + t] += dither * noise[t];
    }
    return NULL;
}

static am_status run_cohere_asr(am_feature_run *run)
{
    am_sequences chunks;
    AM_TRY(cut_sounds(run, &chunks));
    AM_TRY(am_nemo_add(run, &chunks, add_noise));
    return add_index(run, &chunks);
}

const am_feature_class am_feature_class_cohere_asr = {
    .name = "CohereAsrFeatureExtractor",
    .defaults = "{\"feature_size\": 128, \"sampling_rate\": 16000, \"hop_length\": 160, \"n_fft\": 512, "
                "\"win_length\": 400, \"preemphasis\": 0.97, \"padding_value\": 0.0, \"dither\": 1e-5, "
                "\"max_audio_clip_s\": 35.0, \"overlap_chunk_second\": 5.0, \"min_energy_window_samples\": 1600}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"cohere_asr"},
    .adds_noise = true,
    .run = run_cohere_asr,
};
