/* Any bytes as preprocessor_config.json, for images and for sounds. A configuration that can be read
   says what size an image gets, and makes features of a sound. */
#include "base/json.h"
#include "media/extractors/extractor.h"
#include "media/images/processor.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_images(am_json root)
{
    am_plane_size from = {.width = 6, .height = 5}, to = {0};
    am_image_processor *processor;
    am_status status = am_image_processor_create(root, NULL, &processor);
    if (!status) status = am_image_fit(&processor->size, from, &to);
    if (!status && (to.width < 1 || to.height < 1)) abort();
    am_image_processor_close(processor);
    am_status_free(status);
}

static int64_t greatest(const am_feature_extractor *extractor, const char *const *names, size_t count)
{
    double most = 0.0;
    for (size_t i = 0; i < count; i++) {
        double value = am_feature_setting_real(extractor, names[i]);
        if (value > most) most = value;
    }
    return (int64_t)most;
}

/* A short sound under the settings, unless they ask for more than a fuzzer has time for. */
static am_status use_extractor(const am_feature_extractor *extractor)
{
    static const char *const seconds[] = {
        "chunk_length",  "max_length_s",   "default_audio_length", "chunk_length_s",
        "chunk_seconds", "pause_duration", "audio_delay_seconds",  "audio_silence_prefix_seconds"};
    static const char *const sizes[] = {"n_fft",      "fft_window_size", "win_length",   "filter_length",
                                        "n_mels",     "max_length",      "num_mel_bins", "feature_size",
                                        "num_chroma", "min_length",      "hop_length"};
    static float samples[2][600];
    am_features out = {0};
    if (extractor->sampling_rate > 48000 || greatest(extractor, seconds, sizeof seconds / sizeof *seconds) > 1 ||
        greatest(extractor, sizes, sizeof sizes / sizeof *sizes) > 600)
        return NULL;
    am_audio sounds[2] = {{samples[0], 300, 1, (int)extractor->sampling_rate},
                          {samples[1], 300, 1, (int)extractor->sampling_rate}};
    for (int i = 0; i < 600; i++) samples[i / 300][i % 300] = (float)(i % 7) / 8.0f;
    for (int i = 0; i < 2; i++) sounds[i].channels = am_feature_channels(extractor);
    am_feature_options options = {.padding = AM_PADDING_LONGEST};
    am_status status = am_feature_extractor_run(extractor, sounds, 2, &options, &out);
    am_features_deinit(&out);
    return status;
}

static void use_sounds(am_json root)
{
    am_feature_extractor extractor;
    am_status_free(am_feature_extractor_init(root, NULL, &extractor));
    am_feature_extractor_deinit(&extractor);
    for (const am_feature_class *const *i = am_feature_class_registry; *i; i++) {
        am_status status = am_feature_extractor_init(root, (*i)->name, &extractor);
        if (!status) status = use_extractor(&extractor);
        am_status_free(status);
        am_feature_extractor_deinit(&extractor);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_json_document *document = NULL;
    am_status status = am_json_parse((const char *)data, size, "preprocessor_config.json", &document);
    if (!status) use_images(am_json_root(document));
    if (!status) use_sounds(am_json_root(document));
    am_status_free(status);
    am_json_close(document);
    return 0;
}
