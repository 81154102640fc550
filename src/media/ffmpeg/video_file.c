#include "media/video_file.h"

#include "base/memory.h"
#include "base/memory_limit.h"
#include "media/ffmpeg/input.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* DECODER_FRAMES: what a decoder may keep at once. */
enum { MAX_FRAMES = 1 << 24, DECODER_FRAMES = 20 };

struct am_video_file {
    const am_ffmpeg *f;
    const void *bytes; /* borrowed */
    size_t size_bytes;
    const char *name;
    int64_t max_pixels;
    am_video_info info;
    int64_t *times; /* [info.frames]: when each begins, ascending, in the stream's units */
    int64_t room;
    int turns; /* by how many right angles, against the clock, frames are turned to be upright */
};

bool am_video_files_are_built_in(void)
{
    return true;
}

const am_video_info *am_video_file_info(const am_video_file *file)
{
    return &file->info;
}

/* --- opening --- */

static int64_t time_of(int64_t pts, int64_t dts)
{
    return pts == AV_NOPTS_VALUE ? dts : pts;
}

static am_status add_time(am_video_file *v, int64_t time, int64_t limit)
{
    if (v->info.frames == limit) return am_error(AM_OUT_OF_MEMORY, "more than %" PRId64 " frames", limit);
    if (v->info.frames == v->room) {
        int64_t room = v->room ? v->room * 2 : 256;
        int64_t *times = am_realloc(v->times, (size_t)room * sizeof *times);
        if (!times) return am_out_of_memory();
        v->times = times;
        v->room = room;
    }
    v->times[v->info.frames++] = time;
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double seconds(const AVStream *stream, int64_t time)
{
    return (double)time * stream->time_base.num / stream->time_base.den;
}

/* Whether a duration or rate is one that a video can have. */
static double known(double value)
{
    return value > 0.0 && value < 1e9 ? value : 0.0;
}

/* Looks at every packet without decoding. */
static am_status scan(am_video_file *v, am_ffmpeg_input *in, int64_t limit)
{
    int64_t begin = INT64_MAX, end = INT64_MIN;
    for (bool is_end = false;;) {
        AM_TRY(am_ffmpeg_input_next(in, &is_end));
        if (is_end) break;
        const AVPacket *p = in->packet;
        int64_t time = time_of(p->pts, p->dts);
        if (p->flags & AV_PKT_FLAG_DISCARD) continue;
        if (time == AV_NOPTS_VALUE || llabs(time) > INT64_MAX / 4 || p->duration < 0 || p->duration > INT64_MAX / 4)
            return am_error(AM_INVALID_FILE, "it does not say when its frame %" PRId64 " is shown", v->info.frames);
        AM_TRY(add_time(v, time, limit));
        if (time < begin) begin = time;
        if (time + p->duration > end) end = time + p->duration;
    }
    if (!v->info.frames) return am_error(AM_INVALID_FILE, "its video has no frames");
    qsort(v->times, (size_t)v->info.frames, sizeof *v->times, by_time);
    AVRational rate = in->stream->r_frame_rate;
    double length = seconds(in->stream, end) - seconds(in->stream, begin);
    v->info.duration = known(length);
    v->info.fps = known(length != 0.0 ? (double)v->info.frames / length : rate.den ? (double)rate.num / rate.den : 0.0);
    return NULL;
}

/* A display matrix says how frames are turned to be shown. */
static int find_turns(const am_ffmpeg *f, const AVStream *stream)
{
    size_t size = 0;
    const uint8_t *matrix = f->av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    if (!matrix || size < 9 * sizeof(int32_t)) return 0;
    double angle = f->av_display_rotation_get((const int32_t *)(const void *)matrix);
    return isnan(angle) ? 0 : ((int)nearbyint(angle / 90.0) % 4 + 4) % 4;
}

static am_status check_size(am_video_file *v, const AVStream *stream)
{
    int64_t width = stream->codecpar->width, height = stream->codecpar->height;
    if (width < 1 || height < 1) return am_error(AM_INVALID_FILE, "its video has no size");
    if (width > v->max_pixels / height)
        return am_error(AM_OUT_OF_MEMORY,
                        "frames of %" PRId64 "x%" PRId64 ", more than the limit of %" PRId64 " pixels", width, height,
                        v->max_pixels);
    v->turns = find_turns(v->f, stream);
    v->info.width = v->turns % 2 ? height : width;
    v->info.height = v->turns % 2 ? width : height;
    return NULL;
}

static am_status look(am_video_file *v, int64_t max_frames)
{
    am_ffmpeg_input in = {0};
    AM_TRY(am_ffmpeg_load(&v->f));
    am_status status = am_ffmpeg_input_open(v->f, v->bytes, v->size_bytes, &in);
    if (!status) status = check_size(v, in.stream);
    if (!status) status = scan(v, &in, max_frames);
    am_ffmpeg_input_close(&in);
    return status;
}

am_status am_video_file_open(const void *bytes, size_t size_bytes, const char *name, const am_video_limits *limits,
                             am_video_file **out)
{
    *out = NULL;
    am_video_file *v = am_alloc_zeroed(1, sizeof *v);
    if (!v) return am_out_of_memory();
    *v = (am_video_file){.bytes = bytes, .size_bytes = size_bytes, .name = name};
    v->max_pixels = limits && limits->max_pixels ? limits->max_pixels : AM_IMAGE_MAX_PIXELS;
    am_status status = am_note(look(v, limits && limits->max_frames ? limits->max_frames : MAX_FRAMES), "%s", name);
    if (status) am_video_file_close(v);
    else *out = v;
    return status;
}

void am_video_file_close(am_video_file *file)
{
    if (!file) return;
    am_free(file->times);
    am_free(file);
}

/* --- decoding --- */

typedef struct decoding {
    const am_video_file *file;
    am_ffmpeg_input input;
    AVCodecContext *decoder;
    AVFrame *frame;
    struct SwsContext *scaler;
    int scales[4]; /* width, height, format and colours that the scaler was made for */
    uint8_t *rows; /* a frame in RGB, rows of `stride` bytes */
    int stride;
    int64_t number, time; /* of the frame that was decoded last */
} decoding;

/* From the first packet on: not every format can be set back to it, so the input is opened again. */
static am_status begin(const am_video_file *v, decoding *d)
{
    const am_ffmpeg *f = v->f;
    *d = (decoding){.file = v, .number = -1};
    AM_TRY(am_ffmpeg_input_open(f, v->bytes, v->size_bytes, &d->input));
    const AVStream *stream = d->input.stream;
    d->decoder = f->avcodec_alloc_context3(d->input.codec);
    d->frame = f->av_frame_alloc();
    if (!d->decoder || !d->frame) return am_out_of_memory();
    int code = f->avcodec_parameters_to_context(d->decoder, stream->codecpar);
    d->decoder->thread_count = 1;
    d->decoder->max_pixels = v->max_pixels;
    d->decoder->pkt_timebase = stream->time_base;
    if (code >= 0) code = f->avcodec_open2(d->decoder, d->input.codec, NULL);
    return code < 0 ? am_ffmpeg_error(f, code, "its decoder cannot be opened") : NULL;
}

static void end(decoding *d)
{
    const am_ffmpeg *f = d->file->f;
    if (d->scaler) f->sws_freeContext(d->scaler);
    if (d->frame) f->av_frame_free(&d->frame);
    if (d->decoder) f->avcodec_free_context(&d->decoder);
    am_ffmpeg_input_close(&d->input);
    am_free_aligned(d->rows);
}

/* Gives the decoder another packet, or says that there is none. */
static am_status feed(decoding *d)
{
    bool is_end;
    AM_TRY(am_ffmpeg_input_next(&d->input, &is_end));
    int code = d->file->f->avcodec_send_packet(d->decoder, is_end ? NULL : d->input.packet);
    return code < 0 ? am_ffmpeg_error(d->file->f, code, "a frame cannot be decoded") : NULL;
}

/* The number of a frame by its time, which may be that of several after each other; -1 for one that no packet spoke of.
 */
static int64_t number_of(const decoding *d, int64_t time)
{
    const int64_t *times = d->file->times;
    int64_t low = d->number >= 0 && time == d->time ? d->number + 1 : 0, high = d->file->info.frames;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (times[middle] < time) low = middle + 1;
        else high = middle;
    }
    return low < d->file->info.frames && times[low] == time ? low : -1;
}

/* The next frame that has a number; *is_end when there is none. */
static am_status decode_next(decoding *d, bool *is_end)
{
    for (;;) {
        int code = d->file->f->avcodec_receive_frame(d->decoder, d->frame);
        *is_end = code == AVERROR_EOF;
        if (*is_end) return NULL;
        if (code == AVERROR(EAGAIN)) {
            AM_TRY(feed(d));
            continue;
        }
        if (code < 0) return am_ffmpeg_error(d->file->f, code, "a frame cannot be decoded");
        int64_t time = time_of(d->frame->pts, d->frame->pkt_dts), number = number_of(d, time);
        if (number < 0) continue;
        d->number = number;
        d->time = time;
        return NULL;
    }
}

/* --- colours --- */

/* Bicubic steps and the frame's own colours, as torchcodec has them. */
static am_status make_scaler(decoding *d)
{
    const am_ffmpeg *f = d->file->f;
    const AVFrame *from = d->frame;
    const int wanted[4] = {from->width, from->height, from->format, (int)from->colorspace};
    int *source, *target, source_range, target_range, brightness, contrast, saturation;
    if (d->scaler && memcmp(wanted, d->scales, sizeof wanted) == 0) return NULL;
    if (d->scaler) f->sws_freeContext(d->scaler);
    memcpy(d->scales, wanted, sizeof wanted);
    d->scaler = f->sws_getContext(from->width, from->height, from->format, from->width, from->height, AV_PIX_FMT_RGB24,
                                  SWS_BICUBIC, NULL, NULL, NULL);
    if (!d->scaler) return am_error(AM_UNSUPPORTED, "its colours cannot be converted");
    f->sws_getColorspaceDetails(d->scaler, &source, &source_range, &target, &target_range, &brightness, &contrast,
                                &saturation);
    const int *table = f->sws_getCoefficients((int)from->colorspace);
    f->sws_setColorspaceDetails(d->scaler, table, source_range, table, target_range, brightness, contrast, saturation);
    return NULL;
}

/* Rows are longer than a picture's: the scaler writes whole vectors. */
static am_status make_rows(decoding *d)
{
    int64_t stride = ((int64_t)d->frame->width * 3 + 127) / 64 * 64;
    if (d->rows) return NULL;
    d->stride = (int)stride;
    d->rows = am_alloc_aligned((size_t)(stride * (d->frame->height + 1)));
    return d->rows ? NULL : am_out_of_memory();
}

/* A pixel of the rows for each of the picture, turned. */
static void turn(const decoding *d, am_image *to)
{
    int64_t width = d->frame->width, height = d->frame->height;
    uint8_t *pixel = to->pixels;
    for (int64_t y = 0; y < to->height; y++)
        for (int64_t x = 0; x < to->width; x++, pixel += 3) {
            const int64_t columns[4] = {x, width - 1 - y, width - 1 - x, y};
            const int64_t lines[4] = {y, x, height - 1 - y, height - 1 - x};
            memcpy(pixel, d->rows + lines[d->file->turns] * d->stride + 3 * columns[d->file->turns], 3);
        }
}

static am_status convert(decoding *d, am_image *to)
{
    const am_video_info *info = &d->file->info;
    const AVFrame *from = d->frame;
    int64_t width = d->file->turns % 2 ? info->height : info->width;
    int64_t height = d->file->turns % 2 ? info->width : info->height;
    if (from->width != width || from->height != height)
        return am_error(AM_INVALID_FILE, "frame %" PRId64 " is of %dx%d, the video of %" PRId64 "x%" PRId64 " pixels",
                        d->number, from->width, from->height, width, height);
    AM_TRY(make_scaler(d));
    AM_TRY(make_rows(d));
    AM_TRY(am_image_create(info->width, info->height, to));
    uint8_t *const rows[4] = {d->rows};
    const int strides[4] = {d->stride};
    int made = d->file->f->sws_scale(d->scaler, (const uint8_t *const *)from->data, from->linesize, 0, from->height,
                                     rows, strides);
    if (made != from->height)
        return am_error(AM_INVALID_FILE, "the colours of frame %" PRId64 " cannot be converted", d->number);
    turn(d, to);
    return NULL;
}

/* --- reading --- */

/* wanted: [info.frames]; those that are not 0 and not made yet are made. */
static am_status read_wanted(decoding *d, const uint8_t *wanted, int64_t left, am_image *frames)
{
    bool is_end = false;
    while (left) {
        AM_TRY(decode_next(d, &is_end));
        if (is_end) break;
        if (!wanted[d->number] || frames[d->number].pixels) continue;
        AM_TRY(convert(d, &frames[d->number]));
        left--;
    }
    for (int64_t i = 0; i < d->file->info.frames && left; i++)
        if (wanted[i] && !frames[i].pixels)
            return am_error(AM_INVALID_FILE, "frame %" PRId64 " of %" PRId64 " cannot be decoded", i,
                            d->file->info.frames);
    return NULL;
}

/* Marks the frames that are asked for; *left is how many. */
static am_status mark_wanted(const am_video_file *v, const int64_t *indices, int64_t count, uint8_t *wanted,
                             int64_t *left)
{
    *left = 0;
    for (int64_t i = 0; i < count; i++) {
        if (indices[i] < 0 || indices[i] >= v->info.frames)
            return am_error(AM_INVALID_ARGUMENT, "frame %" PRId64 " of a video of %" PRId64, indices[i],
                            v->info.frames);
        if (!wanted[indices[i]]) ++*left;
        wanted[indices[i]] = 1;
    }
    return am_memory_check((size_t)(*left + DECODER_FRAMES) * (size_t)(v->info.width * v->info.height) * 3,
                           "frames of a video");
}

am_status am_video_file_read(am_video_file *file, const int64_t *indices, int64_t count, am_image *frames)
{
    decoding d = {0};
    int64_t left = 0;
    uint8_t *wanted = am_alloc_zeroed((size_t)file->info.frames, 1);
    if (!wanted) return am_out_of_memory();
    am_status status = mark_wanted(file, indices, count, wanted, &left);
    if (!status) {
        status = begin(file, &d);
        if (!status) status = read_wanted(&d, wanted, left, frames);
        end(&d);
    }
    am_free(wanted);
    return am_note(status, "%s", file->name);
}
