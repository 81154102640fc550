#include "media/images/budgets.h"

#include <inttypes.h>
#include <math.h>

am_status am_fit_frames(am_plane_size in, const am_pixel_budget *budget, am_plane_size *out)
{
    double factor = (double)budget->unit, height = (double)in.height, width = (double)in.width,
           frames = (double)budget->frames, whole = (double)budget->whole_frames;
    if (height < factor || width < factor) {
        double scale = fmax(factor / height, factor / width);
        height = trunc(height * scale);
        width = trunc(width * scale);
    }
    if (fmax(height, width) / fmin(height, width) > 200.0)
        return am_error(AM_INVALID_ARGUMENT, "absolute aspect ratio must be smaller than 200, got %g",
                        fmax(height, width) / fmin(height, width));
    double tall = nearbyint(height / factor) * factor, wide = nearbyint(width / factor) * factor;
    if (whole * tall * wide > budget->most) {
        double beta = sqrt(frames * height * width / budget->most);
        tall = fmax(factor, floor(height / beta / factor) * factor);
        wide = fmax(factor, floor(width / beta / factor) * factor);
    } else if (whole * tall * wide < budget->least) {
        double beta = sqrt(budget->least / (frames * height * width));
        tall = ceil(height * beta / factor) * factor;
        wide = ceil(width * beta / factor) * factor;
    }
    *out = (am_plane_size){(int64_t)tall, (int64_t)wide};
    return NULL;
}

/* --- padded --- */

static int64_t align(int64_t value, int64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static bool is_within(const am_pixel_budget *budget, am_plane_size size)
{
    return (double)budget->whole_frames * (double)size.height * (double)size.width <= budget->most;
}

/* The largest content whose padded size is within the budget, by bisection of its height. */
static am_plane_size fit_within(am_plane_size in, const am_pixel_budget *budget)
{
    int64_t unit = budget->unit;
    am_plane_size best = {unit, unit};
    for (int64_t low = 1, high = in.height; low <= high;) {
        int64_t height = (low + high) / 2, width = in.width * height / in.height;
        am_plane_size padded = {align(height, unit), align(width > 1 ? width : 1, unit)};
        if (is_within(budget, padded)) {
            best = padded;
            low = height + 1;
        } else {
            high = height - 1;
        }
    }
    return best;
}

static am_status align_within(am_plane_size in, const am_pixel_budget *budget, am_plane_size *out)
{
    int64_t unit = budget->unit;
    *out = (am_plane_size){align(in.height, unit), align(in.width, unit)};
    if ((double)budget->whole_frames * (double)out->height * (double)out->width < budget->least) {
        double scale = sqrt(budget->least / ((double)budget->frames * (double)in.height * (double)in.width));
        *out = (am_plane_size){align((int64_t)ceil((double)in.height * scale), unit),
                               align((int64_t)ceil((double)in.width * scale), unit)};
    }
    if (is_within(budget, *out)) return NULL;
    if (!is_within(budget, (am_plane_size){unit, unit}))
        return am_error(AM_INVALID_ARGUMENT, "%g pixels are too few for %" PRId64 " frames of %" PRId64 "x%" PRId64,
                        budget->most, budget->whole_frames, unit, unit);
    *out = fit_within(in, budget);
    return NULL;
}

am_status am_fit_padded(am_plane_size in, const am_pixel_budget *budget, am_plane_size *content, am_plane_size *padded)
{
    double height = (double)in.height, width = (double)in.width;
    AM_TRY(align_within(in, budget, padded));
    double scale = fmin((double)padded->height / height, (double)padded->width / width);
    if ((double)budget->frames * height * width >= budget->least) scale = fmin(1.0, scale);
    content->height = (int64_t)fmax(1.0, fmin((double)padded->height, floor(height * scale)));
    content->width = (int64_t)fmax(1.0, fmin((double)padded->width, floor(width * scale)));
    return NULL;
}

am_status am_fit_navit(const am_image_processor *processor, int64_t patch, int64_t unit, am_plane_size in,
                       am_plane_size *content, am_plane_size *padded)
{
    const am_image_processor *p = processor;
    int64_t max_patches = 1, side = p->size.max_height * patch;
    AM_TRY(am_image_integer(p, "max_patches", 1, AM_IMAGE_MAX_PIXELS, &max_patches));
    if (!p->size.max_height || p->size.max_height != p->size.max_width)
        return am_error(AM_INVALID_FILE, "size: expected max_height and max_width that are the same");
    double rows = fmax(1.0, (double)(in.height / patch)), columns = fmax(1.0, (double)(in.width / patch)),
           scale = fmin(1.0, sqrt((double)max_patches / (rows * columns)));
    scale = fmin(scale, fmin((double)side / (double)in.height, (double)side / (double)in.width));
    double height = fmax(1.0, trunc((double)in.height * scale)), width = fmax(1.0, trunc((double)in.width * scale));
    *content = (am_plane_size){(int64_t)fmin(height, (double)side), (int64_t)fmin(width, (double)side)};
    *padded = (am_plane_size){align(content->height, unit), align(content->width, unit)};
    return NULL;
}

/* --- blocks --- */

/* hash((rows, columns)) of CPython: xxHash's rounds over the two. */
static uint64_t hash_pair(uint64_t rows, uint64_t columns)
{
    const uint64_t lanes[2] = {rows, columns}, prime = 2870177450012600261u;
    uint64_t hash = prime;
    for (int i = 0; i < 2; i++) {
        hash += lanes[i] * 14029467366897019727u;
        hash = (hash << 31 | hash >> 33) * 11400714785074694791u;
    }
    return hash + (2 ^ (prime ^ 3527539u));
}

/* Puts a pair into a set of 8 slots, as CPython does while it has at most 4. */
static void insert_pair(double slots[8][2], double rows, double columns)
{
    uint64_t rest = hash_pair((uint64_t)rows, (uint64_t)columns), i = rest & 7;
    while (slots[i][0] > 0.0 && (slots[i][0] != rows || slots[i][1] != columns)) {
        rest >>= 5;
        i = (i * 5 + 1 + rest) & 7;
    }
    slots[i][0] = rows;
    slots[i][1] = columns;
}

/* Of the whole numbers of blocks around the ideal ones, those whose aspect ratio is nearest. Squares make ties, such as
   of 21x21 and 22x22: the first in the order of Python's set is taken. */
static void choose_blocks(double height, double width, double ratio, double most, double out[2])
{
    double slots[8][2] = {{0}}, nearest = INFINITY;
    for (int i = 0; i < 4; i++)
        insert_pair(slots, i < 2 ? floor(height) : ceil(height), i % 2 ? ceil(width) : floor(width));
    for (int i = 0; i < 8; i++) {
        double r = slots[i][0], c = slots[i][1], distance = fabs(r / c - ratio);
        if (r < 1.0 || c < 1.0 || r * c > most || !(distance < nearest)) continue;
        nearest = distance;
        out[0] = r;
        out[1] = c;
    }
}

am_plane_size am_fit_blocks(am_plane_size in, int64_t block, int64_t max_blocks)
{
    double height = (double)in.height / (double)block, width = (double)in.width / (double)block, ratio = width / height;
    if (height * width > (double)max_blocks) {
        height = pow((double)max_blocks / ratio, 0.5);
        width = height * ratio;
    }
    double blocks[2] = {fmax(1.0, nearbyint(height)), fmax(1.0, nearbyint(width))};
    choose_blocks(height, width, (double)in.height / (double)in.width, (double)max_blocks, blocks);
    return (am_plane_size){(int64_t)blocks[0] * block, (int64_t)blocks[1] * block};
}

/* --- soft tokens --- */

am_status am_soft_tokens_read(const am_image_processor *processor, am_soft_tokens *out)
{
    *out = (am_soft_tokens){.patch = 16, .tokens = 280, .pool = 3};
    AM_TRY(am_image_integer(processor, "patch_size", 1, 1024, &out->patch));
    AM_TRY(am_image_integer(processor, "pooling_kernel_size", 1, 64, &out->pool));
    AM_TRY(am_image_integer(processor, "max_soft_tokens", 1, 1120, &out->tokens));
    for (int64_t tokens = 70; tokens <= 1120; tokens *= 2)
        if (out->tokens == tokens) return NULL;
    return am_error(AM_INVALID_FILE, "max_soft_tokens: expected 70, 140, 280, 560 or 1120, found %" PRId64,
                    out->tokens);
}

am_status am_fit_soft_tokens(am_plane_size in, const am_soft_tokens *soft, am_plane_size *out)
{
    double unit = (double)(soft->pool * soft->patch), height = (double)in.height, width = (double)in.width,
           most = (double)(soft->tokens * soft->pool * soft->pool) * (double)soft->patch * (double)soft->patch,
           factor = sqrt(most / (height * width)), tall = floor(factor * height / unit) * unit,
           wide = floor(factor * width / unit) * unit, longest = (double)soft->tokens * unit;
    if (tall == 0.0 && wide == 0.0) return am_error(AM_INVALID_ARGUMENT, "attempting to resize to a 0 x 0 image");
    if (tall == 0.0) {
        tall = unit;
        wide = fmin(floor(width / height) * unit, longest);
    } else if (wide == 0.0) {
        wide = unit;
        tall = fmin(floor(height / width) * unit, longest);
    }
    *out = (am_plane_size){(int64_t)tall, (int64_t)wide};
    if (tall * wide <= most) return NULL;
    return am_error(AM_INVALID_ARGUMENT,
                    "an image of %" PRId64 "x%" PRId64 " would become %gx%g pixels, more than %" PRId64 " tokens",
                    in.height, in.width, tall, wide, soft->tokens);
}

void am_soft_token_positions(const am_picture *picture, int64_t unit, int64_t most, int64_t *out)
{
    int64_t columns = picture->width / unit, patches = picture->height / unit * columns;
    for (int64_t k = 0; k < most; k++) {
        out[2 * k] = k < patches ? k % columns : -1;
        out[2 * k + 1] = k < patches ? k / columns : -1;
    }
}
