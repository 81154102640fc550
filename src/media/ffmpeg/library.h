/* FFmpeg's libraries, loaded when the first video is opened: linked, they and the hundred libraries below them would
   make each start of the program take ten times as long. Built where their headers are. */
#ifndef AM_MEDIA_FFMPEG_LIBRARY_H
#define AM_MEDIA_FFMPEG_LIBRARY_H

#include "base/status.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libswscale/swscale.h>

/* The most that they may ask for at once, for the whole process: a file of a few bytes that lies about the length of a
   table would have them take 2 GiB. A frame of AM_IMAGE_MAX_PIXELS takes 511 MiB in eight bits of RGB. */
enum { AM_FFMPEG_MAX_BLOCK = 768 << 20 };

/* What is used of them: the library and the function. */
/* clang-format off */
#define AM_FFMPEG_FUNCTIONS(X) \
    X(UTIL, av_log_set_level) X(UTIL, av_max_alloc) X(UTIL, av_malloc) X(UTIL, av_free) X(UTIL, av_strdup) \
    X(UTIL, av_strerror) X(UTIL, av_frame_alloc) X(UTIL, av_frame_free) X(UTIL, av_display_rotation_get) \
    X(CODEC, av_packet_alloc) X(CODEC, av_packet_free) X(CODEC, av_packet_unref) X(CODEC, avcodec_alloc_context3) \
    X(CODEC, avcodec_free_context) X(CODEC, avcodec_open2) X(CODEC, avcodec_parameters_to_context) \
    X(CODEC, avcodec_send_packet) X(CODEC, avcodec_receive_frame) \
    X(FORMAT, avformat_alloc_context) X(FORMAT, avformat_open_input) \
    X(FORMAT, avformat_close_input) X(FORMAT, avformat_find_stream_info) X(FORMAT, av_find_best_stream) \
    X(FORMAT, av_read_frame) X(FORMAT, avio_alloc_context) X(FORMAT, avio_context_free) \
    X(FORMAT, av_stream_get_side_data) \
    X(SCALE, sws_getContext) X(SCALE, sws_freeContext) X(SCALE, sws_scale) X(SCALE, sws_getCoefficients) \
    X(SCALE, sws_getColorspaceDetails) X(SCALE, sws_setColorspaceDetails)
/* clang-format on */

typedef struct am_ffmpeg {
#define AM_FFMPEG_FIELD(library, name) __typeof__(name) *name;
    AM_FFMPEG_FUNCTIONS(AM_FFMPEG_FIELD)
#undef AM_FFMPEG_FIELD
} am_ffmpeg;

/* The libraries of the version that this was built with; static. Fails with AM_UNSUPPORTED where they cannot be loaded.
 */
am_status am_ffmpeg_load(const am_ffmpeg **out) AM_NODISCARD;

#endif
