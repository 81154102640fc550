#include "media/ffmpeg/input.h"

#include <string.h>

enum { BLOCK_BYTES = 1 << 15 };

/* Formats that are one file. Others, playlists and the like, name further files and addresses, which are never opened.
 */
static const char formats[] =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,apng,ogg,mpeg,mpegts,mpegvideo,flv,asf,ivf,h264,hevc,m4v,dv,"
    "mxf,nut,rm,y4m,yuv4mpegpipe,webp_anim";

am_status am_ffmpeg_error(const am_ffmpeg *f, int code, const char *what)
{
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    if (code == AVERROR(ENOMEM)) return am_out_of_memory();
    f->av_strerror(code, text, sizeof text);
    return am_error(AM_INVALID_FILE, "%s: %s", what, text);
}

/* --- bytes --- */

static int read_bytes(void *context, uint8_t *to, int size)
{
    am_ffmpeg_bytes *b = context;
    size_t left = b->size_bytes - b->at, count = (size_t)size < left ? (size_t)size : left;
    if (!count) return AVERROR_EOF;
    memcpy(to, b->bytes + b->at, count);
    b->at += count;
    return (int)count;
}

static int64_t seek_bytes(void *context, int64_t offset, int whence)
{
    am_ffmpeg_bytes *b = context;
    int64_t size = (int64_t)b->size_bytes, to;
    if (whence & AVSEEK_SIZE) return size;
    whence &= ~AVSEEK_FORCE;
    to = offset + (whence == SEEK_CUR ? (int64_t)b->at : whence == SEEK_END ? size : 0);
    if (to < 0) return AVERROR(EINVAL);
    b->at = to < size ? (size_t)to : b->size_bytes;
    return to;
}

/* Nothing beside the bytes is opened. */
static int refuse(AVFormatContext *format, AVIOContext **out, const char *url, int flags, AVDictionary **options)
{
    (void)format, (void)url, (void)flags, (void)options;
    *out = NULL;
    return AVERROR(EACCES);
}

/* --- opening --- */

static am_status make_contexts(am_ffmpeg_input *in)
{
    const am_ffmpeg *f = in->f;
    unsigned char *block = f->av_malloc(BLOCK_BYTES);
    in->packet = f->av_packet_alloc();
    in->format = f->avformat_alloc_context();
    in->io = block ? f->avio_alloc_context(block, BLOCK_BYTES, 0, &in->bytes, read_bytes, NULL, seek_bytes) : NULL;
    if (!in->io) f->av_free(block);
    if (!in->packet || !in->format || !in->io) return am_out_of_memory();
    in->format->pb = in->io;
    in->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    in->format->io_open = refuse;
    in->format->format_whitelist = f->av_strdup(formats);
    return in->format->format_whitelist ? NULL : am_out_of_memory();
}

/* The best of the videos, as FFmpeg ranks them. */
static am_status find_stream(am_ffmpeg_input *in)
{
    int found = in->f->av_find_best_stream(in->format, AVMEDIA_TYPE_VIDEO, -1, -1, &in->codec, 0);
    if (found == AVERROR_STREAM_NOT_FOUND) return am_error(AM_INVALID_FILE, "it holds no video");
    if (found == AVERROR_DECODER_NOT_FOUND)
        return am_error(AM_UNSUPPORTED, "this build of FFmpeg's libraries cannot decode its video");
    if (found < 0) return am_ffmpeg_error(in->f, found, "a video cannot be found");
    in->stream = in->format->streams[found];
    for (unsigned i = 0; i < in->format->nb_streams; i++)
        if (i != (unsigned)found) in->format->streams[i]->discard = AVDISCARD_ALL;
    return NULL;
}

static am_status open_input(am_ffmpeg_input *in)
{
    AM_TRY(make_contexts(in));
    int code = in->f->avformat_open_input(&in->format, NULL, NULL, NULL); /* frees the format when it fails */
    if (code == AVERROR_INVALIDDATA || code == AVERROR_DEMUXER_NOT_FOUND || code == AVERROR(EINVAL))
        return am_error(AM_INVALID_FILE, "not a video file of a format that is read, or damaged");
    if (code < 0) return am_ffmpeg_error(in->f, code, "it cannot be opened");
    code = in->f->avformat_find_stream_info(in->format, NULL);
    if (code < 0) return am_ffmpeg_error(in->f, code, "its streams cannot be read");
    return find_stream(in);
}

am_status am_ffmpeg_input_open(const am_ffmpeg *f, const void *bytes, size_t size_bytes, am_ffmpeg_input *out)
{
    *out = (am_ffmpeg_input){.f = f, .bytes = {bytes, size_bytes, 0}};
    return open_input(out);
}

void am_ffmpeg_input_close(am_ffmpeg_input *input)
{
    const am_ffmpeg *f = input->f;
    if (!f) return;
    if (input->format) f->avformat_close_input(&input->format);
    if (input->io) f->av_free(input->io->buffer);
    if (input->io) f->avio_context_free(&input->io);
    if (input->packet) f->av_packet_free(&input->packet);
    *input = (am_ffmpeg_input){0};
}

am_status am_ffmpeg_input_next(am_ffmpeg_input *input, bool *is_end)
{
    *is_end = false;
    do {
        input->f->av_packet_unref(input->packet);
        int code = input->f->av_read_frame(input->format, input->packet);
        *is_end = code == AVERROR_EOF;
        if (*is_end) return NULL;
        if (code < 0) return am_ffmpeg_error(input->f, code, "it cannot be read to its end");
    } while (input->packet->stream_index != input->stream->index);
    return NULL;
}
