/* Sound files, and what follows when they can be read: mixing down, resampling, features. Input that begins
   with '{' is a preprocessor_config.json instead. */
#include "base/json.h"
#include "base/memory.h"
#include "media/feature_extractor.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const am_audio_limits limits = {.max_samples = 1 << 18, .max_seconds = 20.0};

static void read_config(const uint8_t *data, size_t size)
{
    static const char *const classes[] = {"WhisperFeatureExtractor", "Wav2Vec2FeatureExtractor", NULL};
    am_json_document *document = NULL;
    am_status status = am_json_parse((const char *)data, size, "config", &document);
    for (int i = 0; i < 3 && !status; i++) {
        am_feature_extractor extractor;
        am_status_free(am_feature_extractor_init(am_json_root(document), classes[i], &extractor));
        am_feature_extractor_deinit(&extractor);
    }
    am_json_close(document);
    am_status_free(status);
}

static void make_features(const am_audio *sound)
{
    am_json_document *document = NULL;
    const char *config = "{\"n_fft\": 30, \"hop_length\": 20, \"feature_size\": 5, \"chunk_length\": 0.01}";
    am_feature_extractor extractor;
    am_features out = {0};
    am_status status = am_json_parse(config, strlen(config), "config", &document);
    if (!status) status = am_feature_extractor_init(am_json_root(document), "WhisperFeatureExtractor", &extractor);
    if (!status) status = am_feature_extractor_run(&extractor, sound, 1, NULL, &out);
    if (status) abort();
    am_features_deinit(&out);
    am_feature_extractor_deinit(&extractor);
    am_json_close(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size && data[0] == '{') {
        read_config(data, size);
        return 0;
    }
    am_audio sound;
    am_status status = am_audio_decode(data, size, "input", &limits, &sound);
    if (!status) {
        if (sound.frames < 1 || sound.channels < 1) abort();
        am_audio_mix_down(&sound);
        status = am_audio_resample(&sound, 16000, &limits);
    }
    if (!status) make_features(&sound);
    am_status_free(status);
    am_audio_deinit(&sound);
    return 0;
}
