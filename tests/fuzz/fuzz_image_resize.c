/* Resizing between any sizes by every filter. The first eight bytes choose filter, way and sizes; the rest are pixels.
 */
#include "base/memory.h"
#include "media/image_resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 8 };

/* One in four sizes is large, so that scales are, too. */
static int64_t side_of(unsigned byte)
{
    return byte % 4 ? 1 + byte / 4 : 1 + byte * 4;
}

static void resize_bytes(const am_image *image, am_plane_size to, am_resample filter, unsigned way, double gap)
{
    am_image out = {0};
    am_status status;
    if (way == 0) status = am_resize_pil(image, to.width, to.height, filter, &out);
    else if (way == 1) status = am_resize_pil_reduced(image, to.width, to.height, filter, gap, &out);
    else status = am_resize_torch(image, to.width, to.height, filter, way == 2, &out);
    if (!status && (out.width != to.width || out.height != to.height)) abort();
    if (status && am_status_code(status) == AM_INTERNAL) abort();
    am_status_free(status);
    am_image_deinit(&out);
}

static void resize_floats(const am_image *image, am_plane_size to, am_resample filter, unsigned way)
{
    am_plane_size from = {image->height, image->width};
    size_t count = (size_t)(from.height * from.width), wanted = (size_t)(to.height * to.width);
    float *in = am_alloc(count * sizeof *in), *out = am_alloc(wanted * sizeof *out);
    if (!in || !out) abort();
    for (size_t i = 0; i < count; i++) in[i] = image->pixels[i] == 255 ? INFINITY : (float)image->pixels[i];
    am_status status = way == 4 ? am_resize_align_corners(in, 1, from, to, filter, out)
                                : am_resize_torch_f32(in, 1, from, to, filter, way == 5, out);
    if (status && am_status_code(status) == AM_INTERNAL) abort();
    am_status_free(status);
    am_free(in);
    am_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_image image;
    if (size <= HEAD) return 0;
    am_plane_size to = {side_of(data[2]), side_of(data[3])};
    if (am_image_create(side_of(data[4]), side_of(data[5]), &image)) abort();
    for (int64_t i = 0; i < image.width * image.height * 3; i++)
        image.pixels[i] = data[HEAD + (size_t)i % (size - HEAD)];
    am_resample filter = (am_resample)(data[0] % AM_RESAMPLE_COUNT);
    unsigned way = data[1] % 7;
    if (way < 4) resize_bytes(&image, to, filter, way, 1.0 + data[6] / 16.0);
    else resize_floats(&image, to, filter, way);
    am_image_deinit(&image);
    return 0;
}
