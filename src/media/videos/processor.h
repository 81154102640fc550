/* What a video processor's class is made of. A class is a row of its family's file here: what an image processor's
   class has (attributes of the Python class as JSON, how settings are read), which frames it samples, and how it
   processes, where that is not the common way. Frames are pictures, to which the steps of media/images apply. */
#ifndef AM_MEDIA_VIDEOS_PROCESSOR_H
#define AM_MEDIA_VIDEOS_PROCESSOR_H

#include "media/images/processor.h"
#include "media/video_processor.h"
#include "media/videos/sampling.h"

/* Frames of one video, [count], owned, all of one size. */
typedef struct am_clip {
    am_picture *frames;
    int64_t count;
    double fps, duration; /* 0: not known */
} am_clip;

/* One call, of the frames that were sampled. Clips are replaced or given away as the class likes; what is left is
   deinited by the caller. */
typedef struct am_video_run {
    const am_image_processor *processor; /* the settings */
    am_clip *clips;                      /* [count] */
    int64_t count;
    am_image_run outputs; /* what am_image_give_floats and its like take */
} am_video_run;

typedef struct am_video_class {
    am_image_class settings; /* name, defaults, standardize, new_size and details are used */
    am_status (*sample)(const am_image_processor *p, const am_video_sampling *in,
                        am_frame_list *out); /* null: uniform */
    am_status (*preprocess)(am_video_run *run);
    bool is_always_float; /* outputs are floats also when they are neither rescaled nor normalized */
} am_video_class;

/* A file of videos/ exports one: rows up to one without name. */
typedef struct am_video_family {
    const am_video_class *classes;
} am_video_family;
extern const am_video_family *const am_video_family_registry[];

/* Whether there is a class of that name. */
bool am_video_class_is_known(const char *name);

/* The class's details. */
const void *am_video_details(const am_video_run *run);

/* Calls `step` for each frame of all clips. */
am_status am_video_each_frame(am_video_run *run,
                              am_status (*step)(const am_image_processor *p, am_picture *frame)) AM_NODISCARD;

/* The common steps of a frame: resize, center crop, rescale and normalize, as the flags say. */
am_status am_video_common_steps(const am_image_processor *p, am_picture *frame) AM_NODISCARD;

/* Outputs all clips as one tensor f32 [videos, frames, channels, height, width], or as a list where they differ.
   Frames are made floats; where they are whole numbers yet, the processor makes the output u8 again. */
am_status am_video_give(am_video_run *run, const char *name) AM_NODISCARD;

/* The most frames that a clip has. */
int64_t am_video_most_frames(const am_video_run *run);

/* All frames of all clips. */
int64_t am_video_count_frames(const am_video_run *run);

#endif
