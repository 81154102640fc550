#include "media/images/picture.h"

#include "base/memory.h"
#include "base/threads.h"
#include "media/vector/vector.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static int64_t plane_of(const am_picture *p)
{
    return p->height * p->width;
}

static int64_t count_of(const am_picture *p)
{
    return p->channels * plane_of(p);
}

static size_t item_bytes(const am_picture *p)
{
    return p->is_float ? sizeof(float) : 1;
}

am_status am_picture_create_unset(int64_t channels, int64_t height, int64_t width, bool is_float, am_picture *out)
{
    *out = (am_picture){.channels = channels, .height = height, .width = width, .is_float = is_float};
    if (channels < 1 || channels > 64 || height < 1 || width < 1 || height > AM_IMAGE_MAX_PIXELS / width)
        return am_error(AM_INVALID_ARGUMENT,
                        "a picture of %" PRId64 "x%" PRId64 " pixels (height, width), %" PRId64 " channels", height,
                        width, channels);
    out->data = am_alloc_aligned((size_t)count_of(out) * item_bytes(out));
    return out->data ? NULL : am_out_of_memory();
}

am_status am_picture_create(int64_t channels, int64_t height, int64_t width, bool is_float, am_picture *out)
{
    AM_TRY(am_picture_create_unset(channels, height, width, is_float, out));
    memset(out->data, 0, (size_t)count_of(out) * item_bytes(out));
    return NULL;
}

void am_picture_deinit(am_picture *picture)
{
    am_free_aligned(picture->data);
    *picture = (am_picture){0};
}

static void replace(am_picture *picture, am_picture *by)
{
    am_picture_deinit(picture);
    *picture = *by;
}

am_status am_picture_copy(const am_picture *picture, am_picture *out)
{
    AM_TRY(am_picture_create_unset(picture->channels, picture->height, picture->width, picture->is_float, out));
    memcpy(out->data, picture->data, (size_t)count_of(picture) * item_bytes(picture));
    return NULL;
}

typedef struct split_job {
    const uint8_t *pixels; /* [plane, 3] */
    uint8_t *planes;       /* [3, plane] */
    int64_t plane;
} split_job;

static void split_pixels(void *context, int64_t begin, int64_t end)
{
    const split_job *job = context;
    am_media_vector_best()->picture->split(job->pixels + 3 * begin, end - begin, job->planes + begin, job->plane);
}

/* Into a picture of three channels. */
static void planes_of_pixels(const uint8_t *pixels, am_picture *out)
{
    split_job job = {pixels, out->bytes, plane_of(out)};
    am_parallel_for(job.plane, 1 << 16, split_pixels, &job);
}

am_status am_picture_of_image(const am_image *image, bool convert_rgb, am_picture *out)
{
    if (!convert_rgb && image->channels != 0 && image->channels != 3)
        return am_error(AM_INVALID_ARGUMENT, "an image of %d channels, and do_convert_rgb does not make them 3",
                        image->channels);
    AM_TRY(am_picture_create_unset(3, image->height, image->width, false, out));
    planes_of_pixels(image->pixels, out);
    if (!convert_rgb || !image->has_transparent_color) return NULL;
    int64_t plane = plane_of(out);
    for (int64_t i = 0; i < plane; i++) {
        if (memcmp(image->pixels + 3 * i, image->transparent_color, 3) != 0) continue;
        for (int64_t c = 0; c < 3; c++) out->bytes[c * plane + i] = 255;
    }
    return NULL;
}

/* --- sizes --- */

typedef struct resize_way {
    am_image_backend backend;
    am_resample resample;
    bool antialias;
    double gap; /* of PIL's reducing_gap; 0: none */
} resize_way;

static am_status resize_planes(const am_picture *p, const resize_way *way, const am_picture *out)
{
    am_plane_size from = {p->height, p->width}, to = {out->height, out->width};
    if (way->backend == AM_IMAGE_TORCHVISION)
        return am_resize_torch_planes(p->bytes, p->channels, from, to, way->resample, way->antialias, out->bytes);
    return am_resize_pil_planes(p->bytes, p->channels, from, to, way->resample, way->gap, out->bytes);
}

static am_status resized_bytes(const am_picture *p, am_plane_size to, const resize_way *way, am_picture *out)
{
    AM_TRY(am_picture_create_unset(p->channels, to.height, to.width, false, out));
    am_status status = resize_planes(p, way, out);
    if (status) am_picture_deinit(out);
    return status;
}

static am_status resized_floats(const am_picture *p, am_plane_size to, am_resample resample, bool antialias,
                                am_picture *out)
{
    AM_TRY(am_picture_create_unset(p->channels, to.height, to.width, true, out));
    am_plane_size from = {p->height, p->width};
    am_status status = am_resize_torch_f32(p->floats, p->channels, from, to, resample, antialias, out->floats);
    if (status) am_picture_deinit(out);
    return status;
}

/* _rescale_for_pil_conversion: whole numbers are levels, others parts of one. */
static am_status scale_for_pil(const am_picture *p, double *out)
{
    bool whole = true, levels = true, parts = true;
    for (int64_t i = 0; i < count_of(p); i++) {
        double value = (double)p->floats[i], cut = trunc(value);
        whole = whole && fabs(value - cut) <= 1e-8 + 1e-5 * fabs(cut);
        levels = levels && value >= 0.0 && value <= 255.0;
        parts = parts && value >= 0.0 && value <= 1.0;
    }
    *out = whole ? 1.0 : 255.0;
    if (whole ? levels : parts) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "an image to be resized has values outside [0, %d]", whole ? 255 : 1);
}

static am_status resized_floats_pil(const am_picture *p, am_plane_size to, am_resample resample, am_picture *out)
{
    double scale;
    am_picture bytes;
    AM_TRY(scale_for_pil(p, &scale));
    AM_TRY(am_picture_create_unset(p->channels, p->height, p->width, false, &bytes));
    for (int64_t i = 0; i < count_of(p); i++) bytes.bytes[i] = (uint8_t)(float)((double)p->floats[i] * scale);
    const resize_way way = {.backend = AM_IMAGE_PIL, .resample = resample};
    am_status status = resized_bytes(&bytes, to, &way, out);
    am_picture_deinit(&bytes);
    AM_TRY(status);
    if (scale != 1.0) status = am_picture_rescale(out, AM_IMAGE_PIL, 1.0 / 255.0);
    if (status) am_picture_deinit(out);
    return status;
}

am_status am_picture_resized(const am_picture *picture, am_image_backend backend, am_plane_size to,
                             am_resample resample, bool antialias, am_picture *out)
{
    const resize_way way = {.backend = backend, .resample = resample, .antialias = antialias};
    if (!picture->is_float) return resized_bytes(picture, to, &way, out);
    if (backend == AM_IMAGE_PIL) return resized_floats_pil(picture, to, resample, out);
    return resized_floats(picture, to, resample, antialias, out);
}

am_status am_picture_resize(am_picture *picture, am_image_backend backend, am_plane_size to, am_resample resample,
                            bool antialias)
{
    bool stays = to.height == picture->height && to.width == picture->width;
    am_picture out;
    if (stays && !picture->is_float && antialias) return NULL;
    AM_TRY(am_picture_resized(picture, backend, to, resample, antialias, &out));
    replace(picture, &out);
    return NULL;
}

am_status am_picture_resize_reduced(am_picture *picture, am_plane_size to, am_resample resample, double gap)
{
    const resize_way way = {.backend = AM_IMAGE_PIL, .resample = resample, .gap = gap};
    am_picture out;
    AM_TRY(resized_bytes(picture, to, &way, &out));
    replace(picture, &out);
    return NULL;
}

/* Copies the part of `in` from (top, left) on that both have into `out` at (to_top, to_left). */
static void blit(const am_picture *in, int64_t top, int64_t left, am_picture *out, int64_t to_top, int64_t to_left)
{
    int64_t height = in->height - top, width = in->width - left;
    if (height > out->height - to_top) height = out->height - to_top;
    if (width > out->width - to_left) width = out->width - to_left;
    size_t item = item_bytes(in);
    for (int64_t c = 0; c < in->channels && width > 0; c++)
        for (int64_t y = 0; y < height; y++)
            memcpy((char *)out->data + (size_t)((c * out->height + to_top + y) * out->width + to_left) * item,
                   (const char *)in->data + (size_t)((c * in->height + top + y) * in->width + left) * item,
                   (size_t)width * item);
}

am_status am_picture_crop(am_picture *picture, int64_t top, int64_t left, am_plane_size size)
{
    am_picture out;
    if (top < 0 || left < 0 || size.height > picture->height - top || size.width > picture->width - left)
        return am_error(AM_INVALID_ARGUMENT,
                        "a crop of %" PRId64 "x%" PRId64 " at %" PRId64 ", %" PRId64 " in a picture of %" PRId64
                        "x%" PRId64 " (height, width)",
                        size.height, size.width, top, left, picture->height, picture->width);
    AM_TRY(am_picture_create_unset(picture->channels, size.height, size.width, picture->is_float, &out));
    blit(picture, top, left, &out, 0, 0);
    replace(picture, &out);
    return NULL;
}

/* Where the crop begins in `in` pixels; negative where it is larger and zeros come first. torchvision puts the odd zero
   after the picture, transformers' numpy path before it. */
static int64_t crop_offset(int64_t in, int64_t crop, am_image_backend backend)
{
    if (in >= crop) return (in - crop) / 2;
    return backend == AM_IMAGE_PIL ? -((crop - in + 1) / 2) : -((crop - in) / 2);
}

am_status am_picture_center_crop(am_picture *picture, am_image_backend backend, am_plane_size to)
{
    am_picture out;
    if (to.height == picture->height && to.width == picture->width) return NULL;
    AM_TRY(am_picture_create(picture->channels, to.height, to.width, picture->is_float, &out));
    int64_t top = crop_offset(picture->height, to.height, backend),
            left = crop_offset(picture->width, to.width, backend);
    blit(picture, top > 0 ? top : 0, left > 0 ? left : 0, &out, top < 0 ? -top : 0, left < 0 ? -left : 0);
    replace(picture, &out);
    return NULL;
}

static void fill_plane(am_picture *p, int64_t channel, double value)
{
    int64_t plane = plane_of(p), at = channel * plane;
    if (p->is_float)
        for (int64_t i = 0; i < plane; i++) p->floats[at + i] = (float)value;
    else memset(p->bytes + at, (uint8_t)value, (size_t)plane);
}

am_status am_picture_pad_colored(am_picture *picture, am_margins padding, const double *fill)
{
    am_picture out;
    if (padding.left < 0 || padding.top < 0 || padding.right < 0 || padding.bottom < 0)
        return am_error(AM_INVALID_ARGUMENT,
                        "padding of %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 " (left, top, right, bottom); a "
                        "picture of %" PRId64 "x%" PRId64 " is larger than what it is to be padded to",
                        padding.left, padding.top, padding.right, padding.bottom, picture->height, picture->width);
    if (padding.left + padding.top + padding.right + padding.bottom == 0) return NULL;
    AM_TRY(am_picture_create(picture->channels, picture->height + padding.top + padding.bottom,
                             picture->width + padding.left + padding.right, picture->is_float, &out));
    for (int64_t c = 0; c < out.channels; c++)
        if (fill[c] != 0.0) fill_plane(&out, c, fill[c]);
    blit(picture, 0, 0, &out, padding.top, padding.left);
    replace(picture, &out);
    return NULL;
}

am_status am_picture_pad(am_picture *picture, am_margins padding, double fill)
{
    double colors[64];
    for (int64_t c = 0; c < 64; c++) colors[c] = fill;
    return am_picture_pad_colored(picture, padding, colors);
}

/* Where pixel i of a mirrored row lies; each period of 2 * side goes there and back. */
static int64_t mirrored(int64_t i, int64_t side)
{
    i %= 2 * side;
    if (i < 0) i += 2 * side;
    return i < side ? i : 2 * side - 1 - i;
}

am_status am_picture_pad_mirrored(am_picture *picture, am_margins margins)
{
    am_picture out;
    size_t item = item_bytes(picture);
    AM_TRY(am_picture_create_unset(picture->channels, picture->height + margins.top + margins.bottom,
                                   picture->width + margins.left + margins.right, picture->is_float, &out));
    char *to = out.data;
    for (int64_t c = 0; c < out.channels; c++)
        for (int64_t y = 0; y < out.height; y++)
            for (int64_t x = 0; x < out.width; x++, to += item) {
                int64_t row = c * picture->height + mirrored(y - margins.top, picture->height),
                        at = row * picture->width + mirrored(x - margins.left, picture->width);
                memcpy(to, (const char *)picture->data + (size_t)at * item, item);
            }
    replace(picture, &out);
    return NULL;
}

am_status am_picture_resize_corners(am_picture *picture, am_plane_size to, am_resample resample)
{
    am_plane_size from = {picture->height, picture->width};
    am_picture out;
    AM_TRY(am_picture_to_floats(picture));
    AM_TRY(am_picture_create_unset(picture->channels, to.height, to.width, true, &out));
    am_status status = am_resize_align_corners(picture->floats, picture->channels, from, to, resample, out.floats);
    if (status) am_picture_deinit(&out);
    else replace(picture, &out);
    return status;
}

/* --- values --- */

void am_picture_flip_channels(am_picture *picture)
{
    size_t bytes = (size_t)plane_of(picture) * item_bytes(picture);
    char *first = picture->data, *last = first + 2 * bytes;
    for (size_t i = 0; i < bytes && picture->channels >= 3; i++) {
        char kept = first[i];
        first[i] = last[i];
        last[i] = kept;
    }
}

/* What is done to each number of a picture, which is of floats afterwards. */
typedef struct values_job {
    const am_picture *in;
    float *out;
    void (*work)(const struct values_job *job, int64_t channel, int64_t begin, int64_t end);
    am_image_backend backend;
    double scale;
    const double *mean, *std;
} values_job;

/* Numbers begin to end of all channels, which follow each other. */
static void work_on_values(void *context, int64_t begin, int64_t end)
{
    const values_job *job = context;
    int64_t plane = plane_of(job->in);
    for (int64_t next; begin < end; begin = next) {
        int64_t channel = begin / plane;
        next = (channel + 1) * plane < end ? (channel + 1) * plane : end;
        job->work(job, channel, begin, next);
    }
}

static am_status change_values(am_picture *picture, values_job job)
{
    am_picture out = *picture;
    if (!picture->is_float)
        AM_TRY(am_picture_create_unset(picture->channels, picture->height, picture->width, true, &out));
    job.in = picture;
    job.out = out.floats;
    am_parallel_for(count_of(picture), 1 << 16, work_on_values, &job);
    if (!picture->is_float) replace(picture, &out);
    return NULL;
}

static void widen_values(const values_job *job, int64_t channel, int64_t begin, int64_t end)
{
    (void)channel;
    am_media_vector_best()->picture->widen(job->in->bytes + begin, end - begin, job->out + begin);
}

am_status am_picture_to_floats(am_picture *picture)
{
    if (picture->is_float) return NULL;
    return change_values(picture, (values_job){.work = widen_values});
}

static void rescale_values(const values_job *job, int64_t channel, int64_t begin, int64_t end)
{
    const am_picture_routines *vector = am_media_vector_best()->picture;
    const am_picture *in = job->in;
    (void)channel;
    if (job->backend == AM_IMAGE_PIL) {
        for (int64_t i = begin; i < end; i++)
            job->out[i] = (float)((in->is_float ? (double)in->floats[i] : (double)in->bytes[i]) * job->scale);
        return;
    }
    float scale = (float)job->scale;
    if (in->is_float) vector->rescale(in->floats + begin, end - begin, scale, job->out + begin);
    else vector->rescale_bytes(in->bytes + begin, end - begin, scale, job->out + begin);
}

am_status am_picture_rescale(am_picture *picture, am_image_backend backend, double scale)
{
    return change_values(picture, (values_job){.work = rescale_values, .backend = backend, .scale = scale});
}

static void normalize_values(const values_job *job, int64_t channel, int64_t begin, int64_t end)
{
    const am_picture_routines *vector = am_media_vector_best()->picture;
    am_channel_scale scale = {(float)job->mean[channel], (float)job->std[channel]};
    if (job->in->is_float) vector->normalize(job->in->floats + begin, end - begin, scale, job->out + begin);
    else vector->normalize_bytes(job->in->bytes + begin, end - begin, scale, job->out + begin);
}

am_status am_picture_normalize(am_picture *picture, const double *mean, const double *std)
{
    return change_values(picture, (values_job){.work = normalize_values, .mean = mean, .std = std});
}

void am_picture_normalize_into(const am_picture *picture, const double *mean, const double *std, float *out)
{
    values_job job = {.in = picture, .out = out, .work = normalize_values, .mean = mean, .std = std};
    am_parallel_for(count_of(picture), 1 << 16, work_on_values, &job);
}

void am_picture_window(const am_picture *picture, int64_t channel, int64_t top, int64_t left, am_plane_size size,
                       float *out)
{
    const float *in = picture->floats + (channel * picture->height + top) * picture->width + left;
    for (int64_t y = 0; y < size.height; y++, in += picture->width, out += size.width)
        memcpy(out, in, (size_t)size.width * sizeof *out);
}
