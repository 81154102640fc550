/* Comparing this build's images, sounds and features with recorded answers of PIL, torchvision, soundfile and
   transformers, laid out in folders as tests/unit/media/data/README.md says. */
#ifndef AM_MEDIA_VERIFY_MEDIA_H
#define AM_MEDIA_VERIFY_MEDIA_H

#include "base/status.h"

#include <stdint.h>

/* Unsupported: well-formed, but of a class, or in a way, that is not there; never counted as passed. */
typedef struct am_verify_counts {
    int64_t passed, failed, unsupported;
} am_verify_counts;

/* Receives one line, without its end, for each case that failed. */
typedef void (*am_verify_report)(void *context, const char *line);

/* A folder with images/, decoded.json + decoded.bin, resize.json + resize.bin, processors/CLASS.json,
   modes.jsonl; and post_processing.json, boxes.json and videos/, whose cases count as unsupported. What is
   not there is left out. PNG pixels and resized bytes must be equal; JPEG pixels too, or for at most 0.2 %
   one level off; floats must be within 2e-5, their mean and root mean square within 1e-5 relative. `report`
   may be null. Adds to *counts. Fails only when files cannot be read, not for cases that fail. */
am_status am_verify_image_folder(const char *folder, am_verify_report report, void *context,
                                 am_verify_counts *counts) AM_NODISCARD;

/* A folder with files/, loading.json, functions.json, extractors/CLASS.json. Samples must be within 2e-6
   (1e-4 when resampled), filter banks and the like within 1e-6 relative, features within 2e-4 absolute or
   1e-4 relative. */
am_status am_verify_audio_folder(const char *folder, am_verify_report report, void *context,
                                 am_verify_counts *counts) AM_NODISCARD;

#endif
