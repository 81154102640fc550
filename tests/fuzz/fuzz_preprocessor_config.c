/* Any bytes as preprocessor_config.json, for images and for sounds. A configuration that can be read
   says what size an image gets. */
#include "base/json.h"
#include "media/feature_extractor.h"
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

static void use_sounds(am_json root)
{
    static const char *const classes[] = {NULL, "WhisperFeatureExtractor", "Wav2Vec2FeatureExtractor"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        am_feature_extractor extractor;
        am_status_free(am_feature_extractor_init(root, classes[i], &extractor));
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
