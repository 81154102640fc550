/* ParakeetFeatureExtractor: NeMo's log-mel spectrogram, normalized by sound. */
#include "media/extractors/nemo.h"

static am_status run_parakeet(am_feature_run *run)
{
    am_sequences sounds;
    AM_TRY(am_sequences_of_sounds(run, &sounds));
    return am_nemo_add(run, &sounds, NULL);
}

const am_feature_class am_feature_class_parakeet = {
    .name = "ParakeetFeatureExtractor",
    .defaults = "{\"feature_size\": 80, \"sampling_rate\": 16000, \"hop_length\": 160, \"n_fft\": 512, "
                "\"win_length\": 400, \"preemphasis\": 0.97, \"padding_value\": 0.0}",
    .call = {.padding = AM_PADDING_LONGEST},
    .models = {"canary", "parakeet_ctc", "parakeet_encoder", "parakeet_rnnt", "parakeet_tdt"},
    .run = run_parakeet,
};
