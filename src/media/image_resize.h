/* Resizing as Pillow and as torchvision do it: images of bytes to the same bytes, floats to rounding. */
#ifndef AM_MEDIA_IMAGE_RESIZE_H
#define AM_MEDIA_IMAGE_RESIZE_H

#include "media/image.h"

#include <stdbool.h>

/* Filters under PIL's numbers (Image.Resampling), which preprocessor_config.json uses. */
typedef enum am_resample {
    AM_RESAMPLE_NEAREST,
    AM_RESAMPLE_LANCZOS,
    AM_RESAMPLE_BILINEAR,
    AM_RESAMPLE_BICUBIC,
    AM_RESAMPLE_BOX,
    AM_RESAMPLE_HAMMING,
    AM_RESAMPLE_COUNT
} am_resample;

/* "bilinear"; a static string. */
const char *am_resample_name(am_resample filter);

typedef struct am_plane_size {
    int64_t height, width;
} am_plane_size;

/* PIL.Image.resize of an RGB image: filters whose support grows with the scale, in two passes of 22-bit fixed
   point with bytes between (Pillow, Resample.c), along rows first, save where the height loses more than
   twice as many pixels as the width (Pillow 13); nearest takes centres (Geometry.c). *out is a new image of
   width x height. Fails with AM_INVALID_ARGUMENT (see am_image_create), AM_OUT_OF_MEMORY. */
am_status am_resize_pil(const am_image *image, int64_t width, int64_t height, am_resample filter,
                        am_image *out) AM_NODISCARD;

/* The same with `reducing_gap`, at least 1: where a side shrinks more than twice as much, whole pixels are averaged
   first, and the filter does the rest of the way. */
am_status am_resize_pil_reduced(const am_image *image, int64_t width, int64_t height, am_resample filter, double gap,
                                am_image *out) AM_NODISCARD;

/* The same of channels one after another; gap 0: none. in: [planes, from.height, from.width], out: [planes, to.height,
   to.width]. */
am_status am_resize_pil_planes(const uint8_t *in, int64_t planes, am_plane_size from, am_plane_size to,
                               am_resample filter, double gap, uint8_t *out) AM_NODISCARD;

/* torchvision.transforms.v2.functional.resize of a uint8 tensor, as on CPUs with AVX2: two passes with
   weights of 16 bits, as precise as the largest of them lets (PyTorch, UpSampleKernelAVXAntialias.h). Without
   `antialias` the filter does not grow, and bicubic has a = -0.75 instead of -0.5; NEAREST is PyTorch's
   nearest-exact, and takes no notice. Fails with AM_UNSUPPORTED for what they have not: lanczos without
   antialias, and box and hamming unless the size stays. */
am_status am_resize_torch(const am_image *image, int64_t width, int64_t height, am_resample filter, bool antialias,
                          am_image *out) AM_NODISCARD;

/* The same of channels one after another. in: [planes, from.height, from.width], out: [planes, to.height, to.width]. */
am_status am_resize_torch_planes(const uint8_t *in, int64_t planes, am_plane_size from, am_plane_size to,
                                 am_resample filter, bool antialias, uint8_t *out) AM_NODISCARD;

/* The same for float tensors, in: [channels, from.height, from.width], out: [channels, to.height, to.width],
   which do not overlap. Values are not clamped. */
am_status am_resize_torch_f32(const float *in, int64_t channels, am_plane_size from, am_plane_size to,
                              am_resample filter, bool antialias, float *out) AM_NODISCARD;

/* torch.nn.functional.interpolate with align_corners: bilinear or bicubic, the pixels at the corners stay. Fails with
   AM_UNSUPPORTED for other filters. */
am_status am_resize_align_corners(const float *in, int64_t channels, am_plane_size from, am_plane_size to,
                                  am_resample filter, float *out) AM_NODISCARD;

#endif
