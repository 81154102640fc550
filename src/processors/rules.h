/* Rules of expansion that families of classes share; each appends what stands in the place of a placeholder. */
#ifndef AM_PROCESSORS_RULES_H
#define AM_PROCESSORS_RULES_H

#include "processors/class.h"

/* Tokens around those that stand for rows; null: none. */
typedef struct am_wrapping {
    const char *before, *after;
} am_wrapping;

/* `token` count times, in `wrapping` (may be null). */
void am_put_wrapped(const am_placeholder *p, const char *token, int64_t count, const am_wrapping *wrapping,
                    am_buffer *out);

/* How many rows image_grid_thw gives: the product of the three, over merge_size squared where `merges`. */
am_status am_grid_count(const am_placeholder *p, bool merges, int64_t *out) AM_NODISCARD;

/* image_token as often as that. */
am_status am_expand_grid(const am_placeholder *p, am_buffer *out) AM_NODISCARD;

/* video_token as often as the product of video_grid_thw over merge_size squared. */
am_status am_expand_video_grid(const am_placeholder *p, am_buffer *out) AM_NODISCARD;

/* What video_grid_thw says: its first number, and patches of one of those after merging. */
am_status am_video_grid(const am_placeholder *p, int64_t *out_times, int64_t *out_each) AM_NODISCARD;

/* Muse: times after their seconds, as frame_timestamp_format of the video processor writes them, with video_sep_token
   between them, video_start_token and video_end_token around all. */
am_status am_expand_separated_video(const am_placeholder *p, am_buffer *out) AM_NODISCARD;

/* The frame rate by which a video's times are counted: its own, or 24. */
double am_clip_fps(const am_processor_clip *clip);

/* Seconds of one of the frames that were taken; at most 10^15, which integers hold. */
double am_clip_seconds(const am_processor_clip *clip, int64_t frame);

/* The token as often as the output `name` says for this image or sound. */
am_status am_put_counted(const am_placeholder *p, const char *name, const char *token, const am_wrapping *wrapping,
                         am_buffer *out) AM_NODISCARD;

/* audio_token as often as num_audio_tokens says. */
am_status am_expand_sound(const am_placeholder *p, am_buffer *out) AM_NODISCARD;

/* Outputs num_audio_tokens among those of the feature extractor, one for each sound of the call. */
am_status am_give_sound_counts(am_processor_call *run, const int64_t *counts) AM_NODISCARD;

/* Runs the extractor, gives its mask `from` (null: none is renamed) the name `mask`, and num_audio_tokens, which
   `count_of` makes of the mask's sums. */
am_status am_extract_counted(am_processor_call *run, const char *from, const char *mask,
                             int64_t (*count_of)(const am_processor *p, int64_t length)) AM_NODISCARD;

/* Where the call says load_audio_from_video: which sounds are those of videos. audio_from_video_indices holds for each
   sound the number of its video, null where it has a placeholder of its own. Fails with AM_UNSUPPORTED where the sounds
   of videos are not among those that are given. */
am_status am_take_video_sounds(am_processor_call *run) AM_NODISCARD;

/* Python's //, which rounds down; b is positive. */
int64_t am_floor_div(int64_t a, int64_t b);

#endif
