/* A video in bytes, packet by packet. */
#ifndef AM_MEDIA_FFMPEG_INPUT_H
#define AM_MEDIA_FFMPEG_INPUT_H

#include "media/ffmpeg/library.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct am_ffmpeg_bytes {
    const uint8_t *bytes;
    size_t size_bytes, at;
} am_ffmpeg_bytes;

typedef struct am_ffmpeg_input {
    const am_ffmpeg *f;
    am_ffmpeg_bytes bytes;
    AVIOContext *io;
    AVFormatContext *format;
    AVStream *stream; /* the one that counts; packets of others are passed over */
    const AVCodec *codec;
    AVPacket *packet;
} am_ffmpeg_input;

/* From the first packet on. *out is closed also after a failure. Fails with AM_UNSUPPORTED, AM_INVALID_FILE,
   AM_OUT_OF_MEMORY. */
am_status am_ffmpeg_input_open(const am_ffmpeg *f, const void *bytes, size_t size_bytes,
                               am_ffmpeg_input *out) AM_NODISCARD;
void am_ffmpeg_input_close(am_ffmpeg_input *input);

/* The next packet of the video into input->packet; *is_end when there is none. Fails with AM_INVALID_FILE. */
am_status am_ffmpeg_input_next(am_ffmpeg_input *input, bool *is_end) AM_NODISCARD;

/* AM_INVALID_FILE with what FFmpeg says of `code`, AM_OUT_OF_MEMORY where that is it. */
am_status am_ffmpeg_error(const am_ffmpeg *f, int code, const char *what) AM_NODISCARD;

#endif
