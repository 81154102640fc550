/* Which frames of a video are taken. */
#ifndef AM_MEDIA_VIDEOS_SAMPLING_H
#define AM_MEDIA_VIDEOS_SAMPLING_H

#include "base/status.h"

#include <stdint.h>

/* A growing list of numbers of frames; all zeros is empty. Freed with am_frame_list_deinit. */
typedef struct am_frame_list {
    int64_t *items;
    int64_t count, capacity;
} am_frame_list;

void am_frame_list_deinit(am_frame_list *list);

/* Fails with AM_INVALID_ARGUMENT beyond 2^24 frames. */
am_status am_frame_list_add(am_frame_list *list, int64_t frame) AM_NODISCARD;

/* What is known of a video, and what the call or the settings ask for. */
typedef struct am_video_sampling {
    int64_t total;        /* frames, at least 1 */
    double fps, duration; /* of the video; 0: not known */
    int64_t num_frames;   /* 0: not given */
    double target_fps;    /* 0: not given */
} am_video_sampling;

/* Fails with AM_INVALID_ARGUMENT where both num_frames and fps are given, and where the video's fps is needed. */
am_status am_sampling_check_exclusive(const am_video_sampling *in) AM_NODISCARD;
am_status am_sampling_check_fps(const am_video_sampling *in) AM_NODISCARD;

/* default_sample_indices_fn: num_frames of the video evenly, or as many as fps says, or all. */
am_status am_sample_uniformly(const am_video_sampling *in, am_frame_list *out) AM_NODISCARD;

typedef enum am_whole { AM_WHOLE_FLOOR, AM_WHOLE_NEAREST } am_whole;

/* Appends np.linspace(start, stop, count) made whole. */
am_status am_frames_linspace(am_frame_list *out, double start, double stop, int64_t count, am_whole whole) AM_NODISCARD;

/* Appends torch.arange(start, total, total / count).int(), in single precision. Fails with AM_INVALID_ARGUMENT where
   count is not positive or more than total. */
am_status am_frames_arange(am_frame_list *out, double start, int64_t total, double count) AM_NODISCARD;

/* Replaces the list by `count` of its items, evenly from first to last. */
am_status am_frames_thin(am_frame_list *list, int64_t count) AM_NODISCARD;

/* Drops what repeats the item before it. */
void am_frames_unique(am_frame_list *list);

#endif
