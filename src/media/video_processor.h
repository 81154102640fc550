/* Video processors: from frames and video_preprocessor_config.json to the tensors that a model takes, as the classes of
   transformers do (video_processing_utils.py). Classes are files of videos/; what they share is in videos/processor.h.
 */
#ifndef AM_MEDIA_VIDEO_PROCESSOR_H
#define AM_MEDIA_VIDEO_PROCESSOR_H

#include "base/json.h"
#include "media/image.h"
#include "media/media_tensors.h"

typedef struct am_video_processor am_video_processor;

/* Reads `config`, the object of a video_preprocessor_config.json, which is copied. `class_name` null: as
   `video_processor_type` says. Fails with AM_UNSUPPORTED for a class or option that is not there, AM_INVALID_FILE for
   values that make no sense. */
am_status am_video_processor_create(am_json config, const char *class_name, am_video_processor **out) AM_NODISCARD;

/* The same with arguments of its calls (an object, copied; MISSING: none), which go before the configuration. */
am_status am_video_processor_create_with(am_json config, const char *class_name, am_json arguments,
                                         am_video_processor **out) AM_NODISCARD;

/* The one of a model directory, as AutoVideoProcessor finds it: of video_preprocessor_config.json, processor_config.json
   or preprocessor_config.json; of the class that is named, or that goes with the image processor or the model type.
   AM_NOT_FOUND where no file is there, AM_UNSUPPORTED where no class is known. */
am_status am_video_processor_open(const char *directory, am_json arguments, am_video_processor **out) AM_NODISCARD;

/* A setting: of the arguments, else of the configuration, else of the class; else MISSING. */
am_json am_video_processor_setting(const am_video_processor *processor, const char *key);

/* Null is allowed. */
void am_video_processor_close(am_video_processor *processor);

typedef struct am_video {
    const am_image *frames; /* [count], all of one size */
    int64_t count;          /* at least 1 */
    double fps, duration;   /* frames a second, seconds; 0: not known */
} am_video;

/* Arguments of the call; others are taken from the configuration. */
typedef struct am_video_options {
    const bool *do_sample_frames; /* null: as the configuration says */
    int64_t num_frames;           /* 0: as the configuration says */
    double fps;                   /* 0: as the configuration says */
} am_video_options;

/* sample_frames: which frames of a video are taken, *out_indices, from 0 up, freed with am_free. Fails with
   AM_INVALID_ARGUMENT where the class cannot tell, or would take none. */
am_status am_video_processor_sample(const am_video_processor *processor, const am_video *video,
                                    const am_video_options *options, int64_t **out_indices,
                                    int64_t *out_count) AM_NODISCARD;

/* Which frames a run takes: as above where do_sample_frames says so, else all. */
am_status am_video_processor_select(const am_video_processor *processor, const am_video *video,
                                    const am_video_options *options, int64_t **out_indices,
                                    int64_t *out_count) AM_NODISCARD;

/* The outputs of the class: pixel_values_videos and others. *out is deinited also after a failure. Fails with
   AM_INVALID_ARGUMENT for videos that the class cannot take. */
am_status am_video_processor_run(const am_video_processor *processor, const am_video *videos, int64_t count,
                                 const am_video_options *options, am_media_tensors *out) AM_NODISCARD;

#endif
