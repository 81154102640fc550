/* OWLv2: padded to a square, blurred as much as it is to shrink, and resized without a filter; torchvision and SciPy
   each in its own way. */
#include "media/images/processor.h"

#include "base/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

static int64_t side_of(const am_picture *picture, bool down)
{
    return down ? picture->height : picture->width;
}

/* Index i of a row that is mirrored at the middle of its first and last pixel. */
static int64_t mirrored(int64_t i, int64_t side)
{
    if (side == 1) return 0;
    i %= 2 * side - 2;
    if (i < 0) i += 2 * side - 2;
    return i < side ? i : 2 * side - 2 - i;
}

/* --- blurring --- */

typedef struct blur {
    bool down;       /* along columns */
    bool whole;      /* cut to whole numbers, as SciPy stores in bytes */
    int64_t radius;  /* at most BLUR_LIMIT */
    double *weights; /* [2 * radius + 1] */
} blur;

enum { BLUR_LIMIT = 1 << 20 };

/* A line of `count` values that are `step` apart, in place; `copy`: [count + 2 * radius]. */
static void blur_line(const blur *b, float *line, int64_t count, int64_t step, double *copy)
{
    int64_t taps = 2 * b->radius + 1;
    for (int64_t i = 0; i < count + 2 * b->radius; i++) copy[i] = (double)line[mirrored(i - b->radius, count) * step];
    for (int64_t i = 0; i < count; i++) {
        double sum = 0.0;
        for (int64_t t = 0; t < taps; t++) sum += b->weights[t] * copy[i + t];
        line[i * step] = (float)(b->whole ? trunc(sum) : sum);
    }
}

static am_status blur_lines(const blur *b, am_picture *picture)
{
    int64_t side = side_of(picture, b->down), other = side_of(picture, !b->down), step = b->down ? picture->width : 1;
    double *copy = am_alloc_zeroed((size_t)(side + 2 * b->radius), sizeof *copy);
    if (!copy) return am_out_of_memory();
    for (int64_t c = 0; c < picture->channels; c++)
        for (int64_t i = 0; i < other; i++)
            blur_line(b, picture->floats + c * side * other + i * (b->down ? 1 : picture->width), side, step, copy);
    am_free(copy);
    return NULL;
}

static am_status blur_by_sigma(blur b, double sigma, am_picture *picture)
{
    double total = 0.0;
    if (b.radius > BLUR_LIMIT) return am_error(AM_INVALID_ARGUMENT, "the size is too small for such a large picture");
    b.weights = am_alloc_zeroed((size_t)(2 * b.radius + 1), sizeof *b.weights);
    if (!b.weights) return am_out_of_memory();
    for (int64_t i = -b.radius; i <= b.radius; i++) {
        double weight = exp(-0.5 / (sigma * sigma) * (double)(i * i));
        b.weights[b.radius + i] = weight;
        total += weight;
    }
    for (int64_t i = 0; i <= 2 * b.radius; i++) b.weights[i] /= total;
    am_status status = blur_lines(&b, picture);
    am_free(b.weights);
    return status;
}

/* --- torchvision --- */

/* A kernel of 3 sigma to each side, made in single precision. */
static am_status blur_torch(bool down, float sigma, am_picture *picture)
{
    blur b = {.down = down, .radius = (int64_t)ceilf(3.0f * sigma)};
    if (b.radius >= side_of(picture, down))
        return am_error(AM_INVALID_ARGUMENT, "a blur of %" PRId64 " pixels to each side of a picture of %" PRId64,
                        b.radius, side_of(picture, down));
    return blur_by_sigma(b, (double)sigma, picture);
}

static am_status round_to_bytes(am_picture *picture)
{
    am_picture bytes;
    AM_TRY(am_picture_create(picture->channels, picture->height, picture->width, false, &bytes));
    int64_t count = picture->channels * picture->height * picture->width;
    for (int64_t i = 0; i < count; i++) bytes.bytes[i] = (uint8_t)nearbyintf(picture->floats[i]);
    am_picture_deinit(picture);
    *picture = bytes;
    return NULL;
}

/* gaussian_blur takes the kernel of the rows first, and is given that of the height. */
static am_status resize_torch(am_picture *picture, am_plane_size to)
{
    float across = ((float)picture->height / (float)to.height - 1.0f) / 2.0f,
          down = ((float)picture->width / (float)to.width - 1.0f) / 2.0f;
    if (across > 0.0f && down > 0.0f) {
        bool was_float = picture->is_float;
        AM_TRY(am_picture_to_floats(picture));
        AM_TRY(blur_torch(false, across, picture));
        AM_TRY(blur_torch(true, down, picture));
        if (!was_float) AM_TRY(round_to_bytes(picture));
    }
    return am_picture_resize(picture, AM_IMAGE_TORCHVISION, to, AM_RESAMPLE_BILINEAR, false);
}

/* --- SciPy --- */

static am_status blur_scipy(bool down, bool whole, double factor, am_picture *picture)
{
    double sigma = (factor - 1.0) / 2.0;
    if (sigma <= 1e-15) return NULL;
    blur b = {.down = down, .whole = whole, .radius = (int64_t)(4.0 * sigma + 0.5)};
    return blur_by_sigma(b, sigma, picture);
}

typedef struct range {
    float least, most;
} range;

static range range_of(const am_picture *picture)
{
    range out = {picture->floats[0], picture->floats[0]};
    int64_t count = picture->channels * picture->height * picture->width;
    for (int64_t i = 1; i < count; i++) {
        out.least = fminf(out.least, picture->floats[i]);
        out.most = fmaxf(out.most, picture->floats[i]);
    }
    return out;
}

/* ndimage.zoom of first order with grid_mode. */
static double zoomed(const am_picture *in, int64_t channel, double y, double x)
{
    int64_t top = (int64_t)floor(y), left = (int64_t)floor(x);
    double sum = 0.0, down = y - floor(y), across = x - floor(x);
    for (int k = 0; k < 4; k++) {
        int64_t row = mirrored(top + k / 2, in->height), column = mirrored(left + k % 2, in->width);
        double weight = (k / 2 ? down : 1.0 - down) * (k % 2 ? across : 1.0 - across);
        sum += weight * (double)in->floats[(channel * in->height + row) * in->width + column];
    }
    return sum;
}

/* Values stay in the range of the picture that was not blurred. */
static am_status zoom(am_picture *picture, am_plane_size to, bool whole, range bounds)
{
    am_picture out;
    AM_TRY(am_picture_create(picture->channels, to.height, to.width, true, &out));
    double tall = (double)picture->height / (double)to.height, wide = (double)picture->width / (double)to.width;
    float *value = out.floats;
    for (int64_t c = 0; c < out.channels; c++)
        for (int64_t y = 0; y < to.height; y++)
            for (int64_t x = 0; x < to.width; x++) {
                double made = zoomed(picture, c, ((double)y + 0.5) * tall - 0.5, ((double)x + 0.5) * wide - 0.5);
                *value++ = fminf(fmaxf((float)(whole ? floor(made + 0.5) : made), bounds.least), bounds.most);
            }
    am_picture_deinit(picture);
    *picture = out;
    return NULL;
}

static am_status resize_scipy(am_picture *picture, am_plane_size to, bool antialias)
{
    bool whole = !picture->is_float;
    AM_TRY(am_picture_to_floats(picture));
    range bounds = range_of(picture);
    double tall = (double)picture->height / (double)to.height, wide = (double)picture->width / (double)to.width;
    if (antialias) {
        AM_TRY(blur_scipy(true, whole, tall, picture));
        AM_TRY(blur_scipy(false, whole, wide, picture));
    }
    if (tall == 1.0 && wide == 1.0) return NULL;
    return zoom(picture, to, whole, bounds);
}

/* --- the class --- */

static am_status pad_to_square(am_picture *picture)
{
    int64_t side = picture->height > picture->width ? picture->height : picture->width;
    am_margins margins = {.right = side - picture->width, .bottom = side - picture->height};
    return am_picture_pad(picture, margins, 0.0);
}

/* torchvision's class gives back nothing but what it resized; the Pil class takes `resample` for anti_aliasing. */
static am_status resize(const am_image_processor *p, am_picture *picture)
{
    am_plane_size to = {p->size.height, p->size.width};
    if (!p->do_resize && p->backend == AM_IMAGE_PIL) return NULL;
    if (!p->do_resize) return am_error(AM_INVALID_ARGUMENT, "do_resize: the class does nothing without");
    if (!to.height || !to.width) return am_error(AM_INVALID_FILE, "size: expected height and width");
    if (p->backend == AM_IMAGE_TORCHVISION) return resize_torch(picture, to);
    return resize_scipy(picture, to, p->resample != AM_RESAMPLE_NEAREST);
}

static am_status steps(const am_image_processor *p, am_picture *picture)
{
    if (p->do_rescale) AM_TRY(am_picture_rescale(picture, p->backend, p->rescale_factor));
    if (p->do_pad) AM_TRY(pad_to_square(picture));
    AM_TRY(resize(p, picture));
    return p->do_normalize ? am_picture_normalize(picture, p->image_mean, p->image_std) : NULL;
}

/* `rescale` of old is do_rescale. */
static am_status read_rescale(am_image_processor *p)
{
    return am_image_flag(p, "rescale", &p->do_rescale);
}

/* clang-format off */
static const am_image_class classes[] = {
    {.name = "Owlv2ImageProcessor",
     .defaults = AM_JSON({
         "do_convert_rgb": true, "do_resize": true, "size": {"height": 960, "width": 960}, "resample": 2,
         "do_rescale": true, "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
         "image_std": [0.26862954, 0.26130258, 0.27577711], "do_pad": true
     }), .steps = steps, .standardize = read_rescale},
    {0},
};
/* clang-format on */

const am_image_family am_image_family_owlv2 = {classes};
