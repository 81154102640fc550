/* Separable resampling: the weights of one axis are made once, then applied to every row, then to every
   column. */
#include "media/image_resize.h"

#include "base/memory.h"
#include "base/threads.h"
#include "media/vector/vector.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
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
    int16_t *high, *low; /* [out, taps]: fixed = high * 2^AM_WEIGHT_LOW_BITS + low; low null: fixed = high */
    bool narrow;         /* sums of weighted bytes stay in 32 bits */
} axis;

static void axis_deinit(axis *a)
{
    am_free(a->first);
    am_free(a->values);
    am_free(a->fixed);
    am_free(a->high);
    am_free(a->low);
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

/* Whether half of 2^bits and weights that are all of one sign, by the largest byte, fit in 32 bits. */
static bool sums_are_narrow(const axis *a)
{
    for (int64_t i = 0; i < a->out; i++) {
        int64_t sum = 1 << (a->bits - 1);
        for (int64_t t = 0; t < a->taps; t++) sum += 255 * llabs((long long)a->fixed[i * a->taps + t]);
        if (sum > INT32_MAX) return false;
    }
    return true;
}

/* In 16 bits, by which vectors multiply: as one number, or as two, of which no low one is larger than the whole, so
   that sums of them stay in 32 bits. */
static am_status split_fixed(axis *a)
{
    int64_t count = a->out * a->taps;
    bool small = true;
    for (int64_t i = 0; i < count; i++) small = small && a->fixed[i] >= INT16_MIN && a->fixed[i] <= INT16_MAX;
    a->high = am_alloc_zeroed((size_t)count, sizeof *a->high);
    if (!small) a->low = am_alloc_zeroed((size_t)count, sizeof *a->low);
    if (!a->high || (!small && !a->low)) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) {
        int32_t high = small ? a->fixed[i] : (a->fixed[i] + (1 << (AM_WEIGHT_LOW_BITS - 1))) >> AM_WEIGHT_LOW_BITS;
        a->high[i] = (int16_t)high;
        if (!small) a->low[i] = (int16_t)(a->fixed[i] - high * (1 << AM_WEIGHT_LOW_BITS));
    }
    return NULL;
}

static am_status axis_fix(axis *a, int bits)
{
    a->bits = bits;
    for (int64_t i = 0; i < a->out * a->taps; i++) {
        double scaled = a->values[i] * (double)(1 << bits);
        a->fixed[i] = (int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
    a->narrow = sums_are_narrow(a);
    return split_fixed(a);
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

/* Bytes [planes, height, width, channels]. */
typedef struct raster {
    uint8_t *bytes;
    int64_t width, height, channels, planes;
} raster;

static raster raster_of(const am_image *image)
{
    return (raster){image->pixels, image->width, image->height, 3, 1};
}

static size_t raster_bytes(const raster *r)
{
    return (size_t)(r->width * r->height * r->channels * r->planes);
}

/* One pass: out[row, i, c] = sum over t of weight[i, t] * in[row, first[i] + t, c] along rows; down columns the roles
   are exchanged. */
typedef struct byte_pass {
    const axis *a;
    raster in, out;
} byte_pass;

static uint8_t round_fixed(int64_t sum, int bits)
{
    return (uint8_t)clamp(sum >> bits, 0, 255);
}

static void pixel_of_row(const axis *a, const int32_t *weights, const uint8_t *in, uint8_t *out)
{
    int64_t red = 1 << (a->bits - 1), green = red, blue = red;
    for (int64_t t = 0; t < a->taps; t++, in += 3) {
        red += (int64_t)weights[t] * in[0];
        green += (int64_t)weights[t] * in[1];
        blue += (int64_t)weights[t] * in[2];
    }
    out[0] = round_fixed(red, a->bits);
    out[1] = round_fixed(green, a->bits);
    out[2] = round_fixed(blue, a->bits);
}

static uint8_t byte_of_row(const axis *a, const int32_t *weights, const uint8_t *in)
{
    int64_t sum = 1 << (a->bits - 1);
    for (int64_t t = 0; t < a->taps; t++) sum += (int64_t)weights[t] * in[t];
    return round_fixed(sum, a->bits);
}

/* Rows that are turned together, so that they lie side by side: of a window of the columns, in tiles of the results. */
enum { ROWS = 64, WINDOW = 512 };

typedef struct turned_rows {
    uint8_t window[WINDOW * ROWS], tile[ROWS * ROWS];
} turned_rows;

static void turn_back(const byte_pass *pass, const turned_rows *turned, int64_t y, int64_t rows, int64_t begin,
                      int64_t end)
{
    am_media_vector_best()->picture->turn(turned->tile, ROWS, end - begin, rows,
                                          pass->out.bytes + y * pass->a->out + begin, pass->a->out);
}

/* Rows from y on, at most ROWS; taps <= WINDOW. Lanes past the last row hold anything, which nobody reads. */
static void pass_along_turned(const byte_pass *pass, int64_t y, int64_t rows, turned_rows *turned)
{
    const am_picture_routines *vector = am_media_vector_best()->picture;
    const axis *a = pass->a;
    for (int64_t i = 0, next; i < a->out; i = next) {
        int64_t first = a->first[i], end = first, begin = i;
        for (next = i; next < a->out && a->first[next] + a->taps - first <= WINDOW; next++)
            end = a->first[next] + a->taps > end ? a->first[next] + a->taps : end;
        vector->turn(pass->in.bytes + y * a->in + first, a->in, rows, end - first, turned->window, ROWS);
        for (int64_t k = i; k < next; k++) {
            const int16_t *low = a->low ? a->low + k * a->taps : NULL;
            vector->weigh(a->high + k * a->taps, low, a->taps, turned->window + (a->first[k] - first) * ROWS, ROWS,
                          ROWS, a->bits, turned->tile + (k - begin) * ROWS);
            if (k + 1 < next && k + 1 - begin < ROWS) continue;
            turn_back(pass, turned, y, rows, begin, k + 1);
            begin = k + 1;
        }
    }
}

static void pass_along_row(const byte_pass *pass, int64_t y)
{
    const axis *a = pass->a;
    int64_t channels = pass->in.channels;
    const uint8_t *in = pass->in.bytes + y * a->in * channels;
    uint8_t *out = pass->out.bytes + y * a->out * channels;
    for (int64_t i = 0; i < a->out && channels == 1; i++)
        out[i] = byte_of_row(a, a->fixed + i * a->taps, in + a->first[i]);
    for (int64_t i = 0; i < a->out && channels == 3; i++)
        pixel_of_row(a, a->fixed + i * a->taps, in + 3 * a->first[i], out + 3 * i);
}

static void pass_along_rows(void *context, int64_t begin, int64_t end)
{
    const byte_pass *pass = context;
    bool turns = pass->in.channels == 1 && pass->a->narrow && pass->a->taps <= WINDOW;
    turned_rows turned = {0};
    for (int64_t y = begin, rows; y < end; y += rows) {
        rows = turns && end - y > ROWS ? ROWS : turns ? end - y : 1;
        if (turns) pass_along_turned(pass, y, rows, &turned);
        else pass_along_row(pass, y);
    }
}

static void pass_down_columns(void *context, int64_t begin, int64_t end)
{
    const byte_pass *pass = context;
    const axis *a = pass->a;
    int64_t width = pass->in.width * pass->in.channels;
    for (int64_t row = begin; row < end; row++) {
        int64_t y = row % a->out;
        const uint8_t *in = pass->in.bytes + (row / a->out * a->in + a->first[y]) * width;
        const int16_t *high = a->high + y * a->taps, *low = a->low ? a->low + y * a->taps : NULL;
        uint8_t *out = pass->out.bytes + row * width;
        if (a->narrow) am_media_vector_best()->picture->weigh(high, low, a->taps, in, width, width, a->bits, out);
        for (int64_t x = 0; x < width && !a->narrow; x++) {
            int64_t sum = 1 << (a->bits - 1);
            for (int64_t t = 0; t < a->taps; t++) sum += (int64_t)a->fixed[y * a->taps + t] * in[t * width + x];
            out[x] = round_fixed(sum, a->bits);
        }
    }
}

/* A pass whose size stays is left out, as both libraries do. */
static bool stays(const axis *a)
{
    return a->in == a->out && a->span == (double)a->in;
}

static void run_pass(const raster *in, const axis *a, bool across, const raster *out)
{
    byte_pass pass = {.a = a, .in = *in, .out = *out};
    am_parallel_for(out->planes * out->height, ROWS, across ? pass_along_rows : pass_down_columns, &pass);
}

static am_status resample_bytes(const raster *in, const axis *across, const axis *down, bool down_first,
                                const raster *out)
{
    const axis *first = down_first ? down : across, *second = down_first ? across : down;
    if (stays(first) && stays(second)) memcpy(out->bytes, in->bytes, raster_bytes(out));
    else if (stays(first)) run_pass(in, second, down_first, out);
    else if (stays(second)) run_pass(in, first, !down_first, out);
    if (stays(first) || stays(second)) return NULL;
    raster between = {.width = down_first ? in->width : out->width,
                      .height = down_first ? out->height : in->height,
                      .channels = in->channels,
                      .planes = in->planes};
    between.bytes = am_alloc(raster_bytes(&between));
    if (!between.bytes) return am_out_of_memory();
    run_pass(in, first, !down_first, &between);
    run_pass(&between, second, down_first, out);
    am_free(between.bytes);
    return NULL;
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
    return axis_fix(a, r->bits ? r->bits : torch_bits(a));
}

static am_status resize_bytes(const raster *in, const filter *f, rules r, const raster *out)
{
    axis across, down = {0};
    am_status status = make_axis(&across, in->width, out->width, r.span_across, f, &r);
    if (!status) status = make_axis(&down, in->height, out->height, r.span_down, f, &r);
    if (!status) status = resample_bytes(in, &across, &down, r.down_first, out);
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

static am_status nearest_bytes(const raster *in, nearest_rule rule, const raster *out)
{
    am_plane_size from = {in->height, in->width}, to = {out->height, out->width};
    int64_t *columns = nearest_indices(rule, from, to);
    if (!columns) return am_out_of_memory();
    const int64_t *rows = columns + to.width;
    uint8_t *pixel = out->bytes;
    for (int64_t plane = 0; plane < in->planes; plane++) {
        const uint8_t *first = in->bytes + plane * in->height * in->width * in->channels;
        for (int64_t y = 0; y < to.height; y++)
            for (int64_t x = 0; x < to.width; x++, pixel += in->channels)
                memcpy(pixel, first + in->channels * (rows[y] * from.width + columns[x]), (size_t)in->channels);
    }
    am_free(columns);
    return NULL;
}

static am_status check_new_size(int64_t width, int64_t height)
{
    if (width > 0 && height > 0 && height <= AM_IMAGE_MAX_PIXELS / width) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "a new size of %" PRId64 "x%" PRId64 " pixels; expected 1 to %" PRId64, width,
                    height, AM_IMAGE_MAX_PIXELS);
}

/* The mean of a channel of a cell, in fixed point whose factor has the precision of a float. Pillow, Reduce.c. */
static uint8_t mean_of_cell(const raster *in, am_plane_size at, am_plane_size cell, int64_t channel)
{
    uint32_t count = (uint32_t)(cell.height * cell.width), sum = count / 2;
    uint32_t factor = (uint32_t)(4294967296.0f / (float)(count << 8));
    for (int64_t y = at.height; y < at.height + cell.height; y++) {
        const uint8_t *row = in->bytes + (y * in->width + at.width) * in->channels + channel;
        for (int64_t x = 0; x < cell.width; x++) sum += row[x * in->channels];
    }
    return (uint8_t)(sum * factor >> 24);
}

static raster plane_of(const raster *r, int64_t plane)
{
    return (raster){r->bytes + plane * r->height * r->width * r->channels, r->width, r->height, r->channels, 1};
}

static void reduce_plane(const raster *in, am_plane_size cell, const raster *out)
{
    uint8_t *pixel = out->bytes;
    for (int64_t y = 0; y < in->height; y += cell.height) {
        for (int64_t x = 0; x < in->width; x += cell.width) {
            am_plane_size part = cell;
            if (part.height > in->height - y) part.height = in->height - y;
            if (part.width > in->width - x) part.width = in->width - x;
            for (int64_t c = 0; c < in->channels; c++) *pixel++ = mean_of_cell(in, (am_plane_size){y, x}, part, c);
        }
    }
}

/* Image.reduce: cells of that size become pixels, those at the right and bottom may be smaller. */
static am_status reduce_pil(const raster *in, am_plane_size cell, raster *out)
{
    *out = (raster){.width = (in->width + cell.width - 1) / cell.width,
                    .height = (in->height + cell.height - 1) / cell.height,
                    .channels = in->channels,
                    .planes = in->planes};
    out->bytes = am_alloc(raster_bytes(out));
    if (!out->bytes) return am_out_of_memory();
    for (int64_t k = 0; k < in->planes; k++) {
        raster from = plane_of(in, k), to = plane_of(out, k);
        reduce_plane(&from, cell, &to);
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

static bool copy_where_size_stays(const raster *in, const raster *out)
{
    bool same = in->width == out->width && in->height == out->height;
    if (same) memcpy(out->bytes, in->bytes, raster_bytes(out));
    return same;
}

static am_status resize_pil(const raster *in, am_resample which, const raster *out)
{
    if (copy_where_size_stays(in, out)) return NULL;
    if (which == AM_RESAMPLE_NEAREST) return nearest_bytes(in, nearest_pil, out);
    rules r = {.antialias = true, .bits = PIL_BITS};
    r.down_first = out->height < in->height && in->height - out->height > 2 * (in->width - out->width);
    return resize_bytes(in, &filters[which], r, out);
}

static am_status resize_pil_reduced(const raster *in, am_resample which, double gap, const raster *out)
{
    am_plane_size cell = {cell_side(in->height, out->height, gap), cell_side(in->width, out->width, gap)};
    if (which == AM_RESAMPLE_NEAREST || (cell.height == 1 && cell.width == 1)) return resize_pil(in, which, out);
    raster reduced;
    AM_TRY(reduce_pil(in, cell, &reduced));
    rules r = {.antialias = true,
               .bits = PIL_BITS,
               .span_across = (double)(float)((double)in->width / (double)cell.width),
               .span_down = (double)(float)((double)in->height / (double)cell.height)};
    r.down_first = out->height < reduced.height && reduced.height - out->height > 2 * (reduced.width - out->width);
    am_status status = resize_bytes(&reduced, &filters[which], r, out);
    am_free(reduced.bytes);
    return status;
}

/* The status that it is given; after a failure there is no image. */
static am_status finish_image(am_status status, am_image *image)
{
    if (status) am_image_deinit(image);
    return status;
}

static am_status create_resized(int64_t width, int64_t height, am_image *out)
{
    *out = (am_image){0};
    AM_TRY(check_new_size(width, height));
    return am_image_create(width, height, out);
}

am_status am_resize_pil_reduced(const am_image *image, int64_t width, int64_t height, am_resample which, double gap,
                                am_image *out)
{
    AM_TRY(create_resized(width, height, out));
    raster in = raster_of(image), to = raster_of(out);
    return finish_image(resize_pil_reduced(&in, which, gap, &to), out);
}

am_status am_resize_pil(const am_image *image, int64_t width, int64_t height, am_resample which, am_image *out)
{
    AM_TRY(create_resized(width, height, out));
    raster in = raster_of(image), to = raster_of(out);
    return finish_image(resize_pil(&in, which, &to), out);
}

am_status am_resize_pil_planes(const uint8_t *in, int64_t planes, am_plane_size from, am_plane_size to,
                               am_resample which, double gap, uint8_t *out)
{
    raster source = {(uint8_t *)(uintptr_t)in, from.width, from.height, 1, planes},
           target = {out, to.width, to.height, 1, planes};
    AM_TRY(check_new_size(to.width, to.height));
    return gap > 0.0 ? resize_pil_reduced(&source, which, gap, &target) : resize_pil(&source, which, &target);
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

static am_status resize_torch(const raster *in, am_resample which, bool antialias, const raster *out)
{
    AM_TRY(check_antialias(&filters[which], antialias));
    if (copy_where_size_stays(in, out)) return NULL;
    AM_TRY(check_tensor(&filters[which]));
    if (which == AM_RESAMPLE_NEAREST) return nearest_bytes(in, nearest_torch, out);
    return resize_bytes(in, &filters[which], (rules){.antialias = antialias}, out);
}

am_status am_resize_torch(const am_image *image, int64_t width, int64_t height, am_resample which, bool antialias,
                          am_image *out)
{
    AM_TRY(create_resized(width, height, out));
    raster in = raster_of(image), to = raster_of(out);
    return finish_image(resize_torch(&in, which, antialias, &to), out);
}

am_status am_resize_torch_planes(const uint8_t *in, int64_t planes, am_plane_size from, am_plane_size to,
                                 am_resample which, bool antialias, uint8_t *out)
{
    raster source = {(uint8_t *)(uintptr_t)in, from.width, from.height, 1, planes},
           target = {out, to.width, to.height, 1, planes};
    AM_TRY(check_new_size(to.width, to.height));
    return resize_torch(&source, which, antialias, &target);
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
