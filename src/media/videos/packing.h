/* Videos as lists of patches of all frames, one video after another, as Qwen2-VL and its kin take them: a patch holds
   temporal_patch_size frames, the last of which is repeated where they do not divide. */
#ifndef AM_MEDIA_VIDEOS_PACKING_H
#define AM_MEDIA_VIDEOS_PACKING_H

#include "media/images/budgets.h"
#include "media/images/patches.h"
#include "media/videos/processor.h"

typedef struct am_packing_settings {
    int64_t patch, times, merge; /* patch_size, temporal_patch_size, merge_size */
} am_packing_settings;

/* Where frames are resized to, and what is padded to at the right and bottom. */
typedef struct am_packing_sizes {
    am_plane_size content, padded;
} am_packing_sizes;

/* How a class differs; the details of its row. */
typedef struct am_packing {
    am_status (*fit)(const am_image_processor *p, const am_packing_settings *s, int64_t frames, am_plane_size in,
                     am_packing_sizes *out);
    am_patch_layout layout;
    bool by_rows; /* patches come row by row, not in the order in which the model merges them */
    bool chunks;  /* what temporal_patch_size says is how many frames a row of video_grid_thw is about, not a patch;
                     patches are [channels, height, width], and num_chunks_per_video is output */
    bool single_frames;  /* a patch is of one frame, though an odd number of frames is made even */
    const char *segment; /* a setting with the most patches in time of a row of video_grid_thw; null: all */
} am_packing;

/* smart_resize of frames alone; of GLM-4V and its kin, by pixels of all frames. */
am_status am_packing_fit_plain(const am_image_processor *p, const am_packing_settings *s, int64_t frames,
                               am_plane_size in, am_packing_sizes *out) AM_NODISCARD;
am_status am_packing_fit_frames(const am_image_processor *p, const am_packing_settings *s, int64_t frames,
                                am_plane_size in, am_packing_sizes *out) AM_NODISCARD;

/* Outputs pixel_values_videos [patches, values] and video_grid_thw [rows, 3]. Fails with AM_INVALID_ARGUMENT for frames
   that are not made of patches. */
am_status am_packing_preprocess(am_video_run *run) AM_NODISCARD;

/* Settings patch_size, temporal_patch_size (at most 21) and merge_size. */
am_status am_packing_read(const am_image_processor *p, am_packing_settings *out) AM_NODISCARD;

/* Fails with AM_INVALID_FILE where size.shortest_edge and size.longest_edge are not given. */
am_status am_packing_check_edges(const am_image_processor *p) AM_NODISCARD;

/* frames rounded to a multiple of `times`, half to even. */
int64_t am_packing_whole_frames(int64_t frames, int64_t times);

#endif
