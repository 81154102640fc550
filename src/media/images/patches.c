#include "media/images/patches.h"

#include "base/threads.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

am_status am_patches_check(const am_picture *picture, am_plane_size patch, int64_t merge)
{
    if (picture->height % (patch.height * merge) == 0 && picture->width % (patch.width * merge) == 0) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "a picture of %" PRId64 "x%" PRId64 " pixels (height, width) is not made of patches of %" PRId64
                    "x%" PRId64,
                    picture->height, picture->width, patch.height * merge, patch.width * merge);
}

int64_t am_patch_values(const am_patching *patching, int64_t channels)
{
    return channels * patching->times * patching->patch.height * patching->patch.width;
}

/* A plane that came before is copied from there. */
static void put_planes(const am_picture *picture, const am_patching *p, int64_t top, int64_t left, float *out)
{
    int64_t area = p->patch.height * p->patch.width;
    bool is_time_inside = p->layout == AM_PATCH_CHANNEL_TIME;
    for (int64_t k = 0; k < picture->channels * p->times; k++, out += area) {
        int64_t channel = is_time_inside ? k / p->times : k % picture->channels,
                time = is_time_inside ? k % p->times : k / picture->channels,
                back = is_time_inside ? 1 : picture->channels;
        if (time) memcpy(out, out - back * area, (size_t)area * sizeof *out);
        else am_picture_window(picture, channel, top, left, p->patch, out);
    }
}

static void put_pixels(const am_picture *picture, const am_patching *p, int64_t top, int64_t left, float *out)
{
    int64_t plane = picture->height * picture->width;
    for (int64_t i = 0; i < p->patch.height * p->patch.width; i++) {
        int64_t at = (top + i / p->patch.width) * picture->width + left + i % p->patch.width;
        for (int64_t k = 0; k < picture->channels * p->times; k++) *out++ = picture->floats[k / p->times * plane + at];
    }
}

typedef struct patches_job {
    const am_picture *picture;
    const am_patching *patching;
    int64_t columns, values; /* blocks in a row; numbers of a patch */
    float *out;
} patches_job;

static void put_patches(void *context, int64_t begin, int64_t end)
{
    const patches_job *job = context;
    const am_patching *p = job->patching;
    for (int64_t i = begin; i < end; i++) {
        int64_t block = i / (p->merge * p->merge), inside = i % (p->merge * p->merge),
                top = (block / job->columns * p->merge + inside / p->merge) * p->patch.height,
                left = (block % job->columns * p->merge + inside % p->merge) * p->patch.width;
        if (p->layout == AM_PATCH_PIXELS) put_pixels(job->picture, p, top, left, job->out + i * job->values);
        else put_planes(job->picture, p, top, left, job->out + i * job->values);
    }
}

float *am_patches_put(const am_picture *picture, const am_patching *p, float *out)
{
    patches_job job = {.picture = picture, .patching = p, .out = out};
    job.columns = picture->width / (p->patch.width * p->merge);
    job.values = am_patch_values(p, picture->channels);
    int64_t blocks = picture->height / (p->patch.height * p->merge) * job.columns, count = blocks * p->merge * p->merge;
    am_parallel_for(count, 64, put_patches, &job);
    return out + count * job.values;
}

static double scaled_patches(double scale, int64_t side, int64_t patch)
{
    return fmax(1.0, ceil((double)side * scale / (double)patch));
}

am_plane_size am_patches_fit(am_plane_size in, int64_t patch, int64_t max_patches)
{
    const double eps = 1e-5;
    double least = eps / 10.0, most = 100.0;
    while (most - least >= eps) {
        double scale = (least + most) / 2.0;
        bool fits =
            scaled_patches(scale, in.height, patch) * scaled_patches(scale, in.width, patch) <= (double)max_patches;
        if (fits) least = scale;
        else most = scale;
    }
    return (am_plane_size){(int64_t)scaled_patches(least, in.height, patch) * patch,
                           (int64_t)scaled_patches(least, in.width, patch) * patch};
}

am_plane_size am_pooled_size(am_plane_size size, am_plane_size pool)
{
    return (am_plane_size){(size.height + pool.height - 1) / pool.height, (size.width + pool.width - 1) / pool.width};
}

bool am_pooled_patch(am_plane_size size, am_plane_size pool, int64_t i, int64_t k, int64_t *row, int64_t *column)
{
    am_plane_size windows = am_pooled_size(size, pool);
    int64_t top = (windows.height * pool.height - size.height) / 2,
            left = (windows.width * pool.width - size.width) / 2;
    *row = i / windows.width * pool.height + k / pool.width - top;
    *column = i % windows.width * pool.width + k % pool.width - left;
    return *row >= 0 && *column >= 0 && *row < size.height && *column < size.width;
}

/* --- outputs --- */

static int64_t count_of(const am_picture *picture, const am_patching *p)
{
    return picture->height / p->patch.height * (picture->width / p->patch.width);
}

static am_status give_masks(am_image_run *run, const am_picture *pictures, int64_t count, const am_patching *p,
                            int64_t most)
{
    am_tensor *mask;
    int64_t *sizes;
    am_shape shape = am_shape_of(count, most), pairs = am_shape_of(count, 2);
    AM_TRY(am_media_tensors_add(run->out, "pixel_attention_mask", AM_I32, &shape, &mask));
    AM_TRY(am_image_give_integers(run, "spatial_shapes", &pairs, &sizes));
    for (int64_t i = 0; i < count; i++) {
        int32_t *flags = (int32_t *)mask->data + i * most;
        sizes[2 * i] = pictures[i].height / p->patch.height;
        sizes[2 * i + 1] = pictures[i].width / p->patch.width;
        for (int64_t k = 0; k < most && k < count_of(&pictures[i], p); k++) flags[k] = 1;
    }
    return NULL;
}

am_status am_patches_give_padded(am_image_run *run, const am_picture *pictures, int64_t count,
                                 const am_patching *patching, int64_t most, bool masks)
{
    int64_t length = most, values = am_patch_values(patching, pictures->channels);
    for (int64_t i = 0; i < count; i++)
        if (count_of(&pictures[i], patching) > length) length = count_of(&pictures[i], patching);
    for (int64_t i = 0; i < count; i++) {
        int64_t patches = count_of(&pictures[i], patching);
        if (length > most && patches != length)
            return am_error(AM_INVALID_ARGUMENT,
                            "picture %" PRId64 " has %" PRId64 " patches, another %" PRId64
                            "; expected at most %" PRId64,
                            i, patches, length, most);
    }
    am_shape shape = am_shape_of(count, length, values);
    float *out;
    AM_TRY(am_image_give_floats(run, "pixel_values", &shape, &out));
    for (int64_t i = 0; i < count; i++) am_patches_put(&pictures[i], patching, out + i * length * values);
    return masks ? give_masks(run, pictures, count, patching, most) : NULL;
}
