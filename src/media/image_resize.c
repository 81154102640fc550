/* Separable resampling: the weights of one axis are made once, then applied to every row, then to every
   column. */
#include "media/image_resize.h"

#include "base/memory.h"
#include "base/threads.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static double box(double x)
{
    return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static double hamming(double x)
{
    x = fabs(x);
    if (x == 0.0) return 1.0;
    if (x >= 1.0) return 0.0;
    x *= pi;
    return sin(x) / x * ((double)0.54f + (double)0.46f * cos(x)); /* Pillow has them in single precision */
}

/* Keys' cubic convolution. */
static double cubic(double x, double a)
{
    x = fabs(x);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
    return 0.0;
}

static double cubic_half(double x)
{
    return cubic(x, -0.5);
}

static double cubic_three_quarters(double x)
{
    return cubic(x, -0.75);
}

static double sinc(double x)
{
    if (x == 0.0) return 1.0;
    x *= pi;
    return sin(x) / x;
}

static double lanczos(double x)
{
    return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
}

typedef struct filter {
    const char *name;
    double (*weight)(double x);
    double support;                  /* the weight is 0 beyond */
    double (*torch_plain)(double x); /* what PyTorch uses without antialias; null: it has not */
    bool torch;
} filter;

static const filter filters[AM_RESAMPLE_COUNT] = {
    [AM_RESAMPLE_NEAREST] = {"nearest", NULL, 0.0, NULL, true},
    [AM_RESAMPLE_LANCZOS] = {"lanczos", lanczos, 3.0, NULL, true},
    [AM_RESAMPLE_BILINEAR] = {"bilinear", triangle, 1.0, triangle, true},
    [AM_RESAMPLE_BICUBIC] = {"bicubic", cubic_half, 2.0, cubic_three_quarters, true},
    [AM_RESAMPLE_BOX] = {"box", box, 0.5, NULL, false},
    [AM_RESAMPLE_HAMMING] = {"hamming", hamming, 1.0, NULL, false},
};

const char *am_resample_name(am_resample which)
{
    return filters[which].name;
}

/* Weights of one axis: output i is the sum over t < taps of values[i, t] * input[first[i] + t]; all those
   inputs exist, and weights past the filter's end are 0. */
typedef struct axis {
    int64_t in, out, taps;
    double span;    /* of the inputs, what the outputs are made of; from 0 on */
    int64_t *first; /* [out] */
    double *values; /* [out, taps] */
    int32_t *fixed; /* [out, taps]: values * 2^bits, rounded */
    int bits;
} axis;

static void axis_deinit(axis *a)
{
    am_free(a->first);
    am_free(a->values);
    am_free(a->fixed);
}

static am_status axis_alloc(axis *a, int64_t taps)
{
    a->taps = taps < a->in ? taps : a->in;
    size_t count = (size_t)a->out * (size_t)a->taps;
    a->first = am_alloc_zeroed((size_t)a->out, sizeof *a->first);
    a->values = am_alloc_zeroed(count, sizeof *a->values);
    a->fixed = am_alloc_zeroed(count, sizeof *a->fixed);
    return a->first && a->values && a->fixed ? NULL : am_out_of_memory();
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* PyTorch makes the weights of float tensors in single precision. */
static double narrow(double x, bool single)
{
    return single ? (double)(float)x : x;
}

/* Filters that grow when shrinking. Pillow, Resample.c, precompute_coeffs; the same in PyTorch,
   _compute_indices_min_size_weights_aa. */
static am_status axis_antialias(axis *a, const filter *f, bool single)
{
    double scale = narrow(a->span / (double)a->out, single), grow = scale < 1.0 ? 1.0 : scale;
    double support = narrow(f->support * grow, single), shrink = narrow(1.0 / grow, single);
    AM_TRY(axis_alloc(a, (int64_t)ceil(support) * 2 + 1));
    for (int64_t i = 0; i < a->out; i++) {
        double center = narrow(((double)i + 0.5) * scale, single), total = 0.0, *values = a->values + i * a->taps;
        int64_t begin = clamp((int64_t)(narrow(center - support, single) + 0.5), 0, a->in - 1);
        int64_t end = clamp((int64_t)(narrow(center + support, single) + 0.5), begin, a->in);
        if (end > begin + a->taps) end = begin + a->taps;
        a->first[i] = begin < a->in - a->taps ? begin : a->in - a->taps;
        values += begin - a->first[i];
        for (int64_t j = 0; j < end - begin; j++) {
            double distance = narrow((double)(j + begin) - center, single) + 0.5;
            values[j] = narrow(f->weight(narrow(distance * shrink, single)), single);
            total = narrow(total + values[j], single);
        }
        for (int64_t j = 0; j < end - begin && total != 0.0; j++) values[j] = narrow(values[j] / total, single);
    }
    return NULL;
}

/* Filters of fixed size whose taps beyond the border count for the border. PyTorch, upsample_bilinear2d and
   upsample_bicubic2d. */
static am_status axis_plain(axis *a, const filter *f, bool single, bool align_corners)
{
    int64_t reach = (int64_t)f->support, taps = 2 * reach;
    double scale = narrow((double)a->in / (double)a->out, single), offset = align_corners ? 0.0 : 0.5;
    if (align_corners) scale = a->out > 1 ? narrow((double)(a->in - 1) / (double)(a->out - 1), single) : 0.0;
    AM_TRY(axis_alloc(a, taps));
    for (int64_t i = 0; i < a->out; i++) {
        double source = narrow(scale * ((double)i + offset) - offset, single);
        if (source < 0.0 && reach == 1) source = 0.0;
        int64_t base = (int64_t)floor(source);
        if (base > a->in - 1) base = a->in - 1;
        double fraction = fmin(fmax(source - (double)base, 0.0), 1.0);
        a->first[i] = clamp(base - reach + 1, 0, a->in - a->taps);
        for (int64_t j = 0; j < taps; j++) {
            int64_t at = clamp(base - reach + 1 + j, 0, a->in - 1) - a->first[i];
            a->values[i * a->taps + at] += f->torch_plain((double)(j + 1 - reach) - fraction);
        }
    }
    return NULL;
}

static void axis_fix(axis *a, int bits)
{
    a->bits = bits;
    for (int64_t i = 0; i < a->out * a->taps; i++) {
        double scaled = a->values[i] * (double)(1 << bits);
        a->fixed[i] = (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
}

/* The most bits with which the largest weight stays below 2^15, at most 22. */
static int torch_bits(const axis *a)
{
    double largest = 0.0;
    int bits = 0;
    for (int64_t i = 0; i < a->out * a->taps; i++) largest = fmax(largest, a->values[i]);
    while (bits < 22 && (int)(0.5 + largest * (1 << (bits + 1))) < 1 << 15) bits++;
    return bits;
}

/* One pass over bytes: out[row, i, c] = sum over t of weight[i, t] * in[row, first[i] + t, c], where columns
   are `step` bytes apart and rows `in_row` and `out_row` bytes. Down columns the roles are exchanged. */
typedef struct byte_pass {
    const axis *a;
    const uint8_t *in;
    uint8_t *out;
    int64_t width; /* bytes of a row, of the pass down the columns */
} byte_pass;

static uint8_t round_fixed(int32_t sum, int bits)
{
    return (uint8_t)clamp(sum >> bits, 0, 255);
}

static void pass_along_rows(void *context, int64_t begin, int64_t end)
{
    const byte_pass *pass = context;
    const axis *a = pass->a;
    const int32_t half = 1 << (a->bits - 1);
    for (int64_t y = begin; y < end; y++) {
        uint8_t *out = pass->out + y * a->out * 3;
        for (int64_t i = 0; i < a->out; i++, out += 3) {
            const uint8_t *in = pass->in + (y * a->in + a->first[i]) * 3;
            const int32_t *weights = a->fixed + i * a->taps;
            int32_t red = half, green = half, blue = half;
            for (int64_t t = 0; t < a->taps; t++, in += 3) {
                red += weights[t] * in[0];
                green += weights[t] * in[1];
                blue += weights[t] * in[2];
            }
            out[0] = round_fixed(red, a->bits);
            out[1] = round_fixed(green, a->bits);
            out[2] = round_fixed(blue, a->bits);
        }
    }
}

static void pass_down_columns(void *context, int64_t begin, int64_t end)
{
    const byte_pass *pass = context;
    const axis *a = pass->a;
    for (int64_t y = begin; y < end; y++) {
        const uint8_t *in = pass->in + a->first[y] * pass->width;
        const int32_t *weights = a->fixed + y * a->taps;
        for (int64_t x = 0; x < pass->width; x++) {
            int32_t sum = 1 << (a->bits - 1);
            for (int64_t t = 0; t < a->taps; t++) sum += weights[t] * in[t * pass->width + x];
            pass->out[y * pass->width + x] = round_fixed(sum, a->bits);
        }
    }
}

static am_status copy_image(const am_image *image, am_image *out)
{
    AM_TRY(am_image_create(image->width, image->height, out));
    memcpy(out->pixels, image->pixels, (size_t)(image->width * image->height * 3));
    return NULL;
}

/* One pass; one whose size stays is left out, as both libraries do: then *out has the pixels of `image`. */
static am_status run_pass(const am_image *image, const axis *a, bool across, am_image *out)
{
    *out = *image;
    if (a->in == a->out && a->span == (double)a->in) return NULL;
    AM_TRY(am_image_create(across ? a->out : image->width, across ? image->height : a->out, out));
    byte_pass pass = {.a = a, .in = image->pixels, .out = out->pixels, .width = image->width * 3};
    am_parallel_for(out->height, 16, across ? pass_along_rows : pass_down_columns, &pass);
    return NULL;
}

static am_status resample_bytes(const am_image *image, const axis *across, const axis *down, bool down_first,
                                am_image *out)
{
    am_image between = {0};
    am_status status = run_pass(image, down_first ? down : across, !down_first, &between);
    if (!status) status = run_pass(&between, down_first ? across : down, down_first, out);
    if (between.pixels != image->pixels && between.pixels != out->pixels) am_image_deinit(&between);
    return status;
}

typedef struct rules {
    bool antialias, down_first, align_corners;
    int bits; /* of the fixed point; 0: as many as PyTorch takes */
    bool single;
    double span_across, span_down; /* 0: the whole side */
} rules;

static am_status make_axis(axis *a, int64_t in, int64_t out, double span, const filter *f, const rules *r)
{
    *a = (axis){.in = in, .out = out, .span = span > 0.0 ? span : (double)in};
    AM_TRY(r->antialias ? axis_antialias(a, f, r->single) : axis_plain(a, f, r->single, r->align_corners));
    axis_fix(a, r->bits ? r->bits : torch_bits(a));
    return NULL;
}

static am_status resize_bytes(const am_image *image, int64_t width, int64_t height, const filter *f, rules r,
                              am_image *out)
{
    axis across, down = {0};
    am_status status = make_axis(&across, image->width, width, r.span_across, f, &r);
    if (!status) status = make_axis(&down, image->height, height, r.span_down, f, &r);
    if (!status) status = resample_bytes(image, &across, &down, r.down_first, out);
    axis_deinit(&across);
    axis_deinit(&down);
    return status;
}

static void nearest_pil(int64_t in, int64_t out, int64_t *from)
{
    double step = (double)in / (double)out, at = step * 0.5;
    for (int64_t i = 0; i < out; i++, at += step) from[i] = clamp((int64_t)at, 0, in - 1);
}

/* nearest_neighbor_exact_compute_source_index, in single precision. */
static void nearest_torch(int64_t in, int64_t out, int64_t *from)
{
    float scale = (float)in / (float)out;
    for (int64_t i = 0; i < out; i++) {
        float at = floorf((float)(((double)i + 0.5) * (double)scale));
        from[i] = clamp((int64_t)at, 0, in - 1);
    }
}

typedef void (*nearest_rule)(int64_t in, int64_t out, int64_t *from);

/* columns: [to.width] then rows: [to.height], one block that the caller frees; null when there is no memory.
 */
static int64_t *nearest_indices(nearest_rule rule, am_plane_size from, am_plane_size to)
{
    int64_t *indices = am_alloc_zeroed((size_t)(to.width + to.height), sizeof *indices);
    if (!indices) return NULL;
    rule(from.width, to.width, indices);
    rule(from.height, to.height, indices + to.width);
    return indices;
}

static am_status nearest_bytes(const am_image *image, nearest_rule rule, am_image *out)
{
    am_plane_size from = {image->height, image->width}, to = {out->height, out->width};
    int64_t *columns = nearest_indices(rule, from, to);
    if (!columns) return am_out_of_memory();
    const int64_t *rows = columns + to.width;
    uint8_t *pixel = out->pixels;
    for (int64_t y = 0; y < to.height; y++)
        for (int64_t x = 0; x < to.width; x++, pixel += 3)
            memcpy(pixel, image->pixels + 3 * (rows[y] * from.width + columns[x]), 3);
    am_free(columns);
    return NULL;
}

static am_status resize_nearest(const am_image *image, int64_t width, int64_t height, nearest_rule rule, am_image *out)
{
    AM_TRY(am_image_create(width, height, out));
    am_status status = nearest_bytes(image, rule, out);
    if (status) am_image_deinit(out);
    return status;
}

static am_status check_new_size(int64_t width, int64_t height)
{
    if (width > 0 && height > 0 && height <= AM_IMAGE_MAX_PIXELS / width) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "a new size of %" PRId64 "x%" PRId64 " pixels; expected 1 to %" PRId64, width,
                    height, AM_IMAGE_MAX_PIXELS);
}

/* The mean of a cell, in fixed point whose factor has the precision of a float. Pillow, Reduce.c. */
static void mean_of_cell(const am_image *image, am_plane_size at, am_plane_size cell, uint8_t *out)
{
    uint32_t count = (uint32_t)(cell.height * cell.width), sums[3] = {count / 2, count / 2, count / 2};
    uint32_t factor = (uint32_t)(4294967296.0f / (float)(count << 8));
    for (int64_t y = at.height; y < at.height + cell.height; y++) {
        const uint8_t *in = image->pixels + (y * image->width + at.width) * 3;
        for (int64_t x = 0; x < cell.width; x++)
            for (int c = 0; c < 3; c++) sums[c] += *in++;
    }
    for (int c = 0; c < 3; c++) out[c] = (uint8_t)(sums[c] * factor >> 24);
}

/* Image.reduce: cells of that size become pixels, those at the right and bottom may be smaller. */
static am_status reduce_pil(const am_image *image, am_plane_size cell, am_image *out)
{
    AM_TRY(am_image_create((image->width + cell.width - 1) / cell.width,
                           (image->height + cell.height - 1) / cell.height, out));
    uint8_t *pixel = out->pixels;
    for (int64_t y = 0; y < image->height; y += cell.height) {
        for (int64_t x = 0; x < image->width; x += cell.width, pixel += 3) {
            am_plane_size part = cell;
            if (part.height > image->height - y) part.height = image->height - y;
            if (part.width > image->width - x) part.width = image->width - x;
            mean_of_cell(image, (am_plane_size){y, x}, part, pixel);
        }
    }
    return NULL;
}

enum { PIL_BITS = 32 - 8 - 2 };

/* How many pixels become one before the filter; cells of 2^24 pixels and more have no factor in fixed point. */
static int64_t cell_side(int64_t in, int64_t out, double gap)
{
    int64_t side = (int64_t)((double)in / (double)out / gap);
    return clamp(side, 1, 4095);
}

am_status am_resize_pil_reduced(const am_image *image, int64_t width, int64_t height, am_resample which, double gap,
                                am_image *out)
{
    *out = (am_image){0};
    AM_TRY(check_new_size(width, height));
    am_plane_size cell = {cell_side(image->height, height, gap), cell_side(image->width, width, gap)};
    if (which == AM_RESAMPLE_NEAREST || (cell.height == 1 && cell.width == 1))
        return am_resize_pil(image, width, height, which, out);
    am_image reduced;
    AM_TRY(reduce_pil(image, cell, &reduced));
    rules r = {.antialias = true,
               .bits = PIL_BITS,
               .span_across = (double)(float)((double)image->width / (double)cell.width),
               .span_down = (double)(float)((double)image->height / (double)cell.height)};
    r.down_first = height < reduced.height && reduced.height - height > 2 * (reduced.width - width);
    am_status status = resize_bytes(&reduced, width, height, &filters[which], r, out);
    bool is_done =
        out->pixels == reduced.pixels; /* whole cells, as many as pixels are wanted: nothing is left to filter */
    if (!is_done) am_image_deinit(&reduced);
    return status;
}

am_status am_resize_pil(const am_image *image, int64_t width, int64_t height, am_resample which, am_image *out)
{
    *out = (am_image){0};
    AM_TRY(check_new_size(width, height));
    if (width == image->width && height == image->height) return copy_image(image, out);
    if (which == AM_RESAMPLE_NEAREST) return resize_nearest(image, width, height, nearest_pil, out);
    rules r = {.antialias = true, .bits = PIL_BITS};
    r.down_first = height < image->height && image->height - height > 2 * (image->width - width);
    return resize_bytes(image, width, height, &filters[which], r, out);
}

static am_status check_tensor(const filter *f)
{
    if (f->torch) return NULL;
    return am_error(AM_UNSUPPORTED, "resample \"%s\": torchvision does not do it to tensors", f->name);
}

static am_status check_antialias(const filter *f, bool antialias)
{
    if (antialias || !f->torch || !f->weight || f->torch_plain) return NULL;
    return am_error(AM_UNSUPPORTED, "resample \"%s\" without antialias: torchvision refuses that", f->name);
}

am_status am_resize_torch(const am_image *image, int64_t width, int64_t height, am_resample which, bool antialias,
                          am_image *out)
{
    *out = (am_image){0};
    AM_TRY(check_new_size(width, height));
    AM_TRY(check_antialias(&filters[which], antialias));
    if (width == image->width && height == image->height) return copy_image(image, out);
    AM_TRY(check_tensor(&filters[which]));
    if (which == AM_RESAMPLE_NEAREST) return resize_nearest(image, width, height, nearest_torch, out);
    return resize_bytes(image, width, height, &filters[which], (rules){.antialias = antialias}, out);
}

static am_status nearest_floats(const float *in, int64_t channels, am_plane_size from, am_plane_size to, float *out)
{
    int64_t *columns = nearest_indices(nearest_torch, from, to);
    if (!columns) return am_out_of_memory();
    const int64_t *rows = columns + to.width;
    for (int64_t c = 0; c < channels; c++, in += from.height * from.width)
        for (int64_t y = 0; y < to.height; y++)
            for (int64_t x = 0; x < to.width; x++) *out++ = in[rows[y] * from.width + columns[x]];
    am_free(columns);
    return NULL;
}

/* One channel, along rows into `between` [from.height, to.width], then down. */
static void resample_plane(const float *in, const axis *across, const axis *down, float *between, float *out)
{
    for (int64_t y = 0; y < down->in; y++) {
        for (int64_t i = 0; i < across->out; i++) {
            double sum = 0.0;
            for (int64_t t = 0; t < across->taps; t++)
                sum += across->values[i * across->taps + t] * (double)in[y * across->in + across->first[i] + t];
            between[y * across->out + i] = (float)sum;
        }
    }
    for (int64_t i = 0; i < down->out; i++) {
        for (int64_t x = 0; x < across->out; x++) {
            double sum = 0.0;
            for (int64_t t = 0; t < down->taps; t++)
                sum += down->values[i * down->taps + t] * (double)between[(down->first[i] + t) * across->out + x];
            out[i * across->out + x] = (float)sum;
        }
    }
}

static am_status resample_floats(const float *in, int64_t channels, const axis *across, const axis *down, float *out)
{
    float *between = am_alloc_zeroed((size_t)(down->in * across->out), sizeof *between);
    if (!between) return am_out_of_memory();
    for (int64_t c = 0; c < channels; c++)
        resample_plane(in + c * down->in * across->in, across, down, between, out + c * down->out * across->out);
    am_free(between);
    return NULL;
}

static am_status resample_by(const float *in, int64_t channels, am_plane_size from, am_plane_size to, const filter *f,
                             rules r, float *out)
{
    axis across, down = {0};
    am_status status = make_axis(&across, from.width, to.width, 0.0, f, &r);
    if (!status) status = make_axis(&down, from.height, to.height, 0.0, f, &r);
    if (!status) status = resample_floats(in, channels, &across, &down, out);
    axis_deinit(&across);
    axis_deinit(&down);
    return status;
}

am_status am_resize_torch_f32(const float *in, int64_t channels, am_plane_size from, am_plane_size to,
                              am_resample which, bool antialias, float *out)
{
    AM_TRY(check_new_size(from.width, from.height));
    AM_TRY(check_new_size(to.width, to.height));
    AM_TRY(check_antialias(&filters[which], antialias));
    if (from.width == to.width && from.height == to.height) {
        memcpy(out, in, (size_t)(channels * from.height * from.width) * sizeof *out);
        return NULL;
    }
    AM_TRY(check_tensor(&filters[which]));
    if (which == AM_RESAMPLE_NEAREST) return nearest_floats(in, channels, from, to, out);
    return resample_by(in, channels, from, to, &filters[which], (rules){.antialias = antialias, .single = true}, out);
}

am_status am_resize_align_corners(const float *in, int64_t channels, am_plane_size from, am_plane_size to,
                                  am_resample which, float *out)
{
    AM_TRY(check_new_size(from.width, from.height));
    AM_TRY(check_new_size(to.width, to.height));
    if (!filters[which].torch_plain)
        return am_error(AM_UNSUPPORTED, "resample \"%s\": PyTorch aligns corners of bilinear and bicubic only",
                        filters[which].name);
    return resample_by(in, channels, from, to, &filters[which], (rules){.single = true, .align_corners = true}, out);
}
