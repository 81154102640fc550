#include "media/image.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/threads.h"
#include "media/image_codecs.h"

#include <inttypes.h>
#include <string.h>

am_status am_image_create(int64_t width, int64_t height, am_image *out)
{
    *out = (am_image){0};
    if (width < 1 || height < 1 || height > AM_IMAGE_MAX_PIXELS / width)
        return am_error(AM_INVALID_ARGUMENT, "an image of %" PRId64 "x%" PRId64 " pixels; expected 1 to %" PRId64,
                        width, height, AM_IMAGE_MAX_PIXELS);
    uint8_t *pixels = am_alloc_zeroed((size_t)(width * height), 3);
    if (!pixels) return am_out_of_memory();
    *out = (am_image){.width = width, .height = height, .pixels = pixels};
    return NULL;
}

void am_image_deinit(am_image *image)
{
    am_free(image->pixels);
    am_free(image->wide);
    *image = (am_image){0};
}

am_status am_image_check_size(const am_image_source *source, int64_t width, int64_t height)
{
    if (width < 1 || height < 1)
        return am_error(AM_INVALID_FILE, "the header says %" PRId64 "x%" PRId64 " pixels, an empty image", width,
                        height);
    if (height > source->max_pixels / width)
        return am_error(AM_OUT_OF_MEMORY,
                        "the header says %" PRId64 "x%" PRId64 " pixels, more than the limit of %" PRId64, width,
                        height, source->max_pixels);
    return NULL;
}

/* value / 255, rounded, of numbers with 7 bits after the point. */
static uint8_t whole_part(int32_t value)
{
    value += 0x80 << 7;
    return (uint8_t)((((value >> 8) + value) >> 8) >> 7);
}

void am_image_put_on_white(const uint8_t *pixels, int64_t count, uint8_t *out)
{
    for (int64_t i = 0; i < count; i++, pixels += 4)
        for (int c = 0; c < 3; c++) *out++ = whole_part(pixels[c] * pixels[3] * 128 + 255 * (255 - pixels[3]) * 128);
}

/* a * b / 255, rounded, as PIL's MULDIV255. */
static int multiply_fraction(int a, int b)
{
    int product = a * b + 128;
    return (product + (product >> 8)) >> 8;
}

void am_image_inks_to_rgb(const uint8_t *inks, int64_t count, uint8_t *rgb)
{
    for (int64_t i = 0; i < count; i++, inks += 4) {
        for (int c = 0; c < 3; c++) *rgb++ = (uint8_t)(inks[3] - multiply_fraction(255 - inks[c], inks[3]));
    }
}

/* How the pixel at (x, y) of the upright image is found in the stored one: mirrored left to right, top to
   bottom, and then, rows and columns exchanged. Exif 2.32, 4.6.4 A, tag 0x0112. */
static const struct {
    bool mirror_x, mirror_y, transposed;
} orientations[9] = {
    [2] = {.mirror_x = true},
    [3] = {.mirror_x = true, .mirror_y = true},
    [4] = {.mirror_y = true},
    [5] = {.transposed = true},
    [6] = {.mirror_y = true, .transposed = true},
    [7] = {.mirror_x = true, .mirror_y = true, .transposed = true},
    [8] = {.mirror_x = true, .transposed = true},
};

/* The stored pixel of the upright one at (0, 0), and how far those of its neighbours to the right and below lie. */
typedef struct turn {
    const uint8_t *first;
    int64_t right, below; /* bytes */
    am_image *upright;
} turn;

enum { TILE = 32 };

/* Rows of tiles, which stay in the nearest cache also where rows become columns. */
static void turn_tiles(void *context, int64_t begin, int64_t end)
{
    const turn *t = context;
    int64_t width = t->upright->width, height = t->upright->height;
    for (int64_t top = begin * TILE; top < end * TILE && top < height; top += TILE)
        for (int64_t left = 0; left < width; left += TILE)
            for (int64_t y = top; y < top + TILE && y < height; y++) {
                uint8_t *to = t->upright->pixels + 3 * (y * width + left);
                for (int64_t x = left; x < left + TILE && x < width; x++, to += 3)
                    memcpy(to, t->first + (y * t->below + x * t->right), 3);
            }
}

static am_status make_upright(am_image *image, int orientation)
{
    if (orientation < 2 || orientation > 8) return NULL;
    bool transposed = orientations[orientation].transposed;
    bool mirror_x = orientations[orientation].mirror_x, mirror_y = orientations[orientation].mirror_y;
    am_image upright;
    AM_TRY(am_image_create(transposed ? image->height : image->width, transposed ? image->width : image->height,
                           &upright));
    int64_t column = mirror_x ? -3 : 3, row = mirror_y ? -3 * image->width : 3 * image->width;
    turn t = {.right = transposed ? row : column, .below = transposed ? column : row, .upright = &upright};
    t.first = image->pixels + (mirror_x ? 3 * (image->width - 1) : 0) +
              (mirror_y ? 3 * image->width * (image->height - 1) : 0);
    am_parallel_for((upright.height + TILE - 1) / TILE, 4, turn_tiles, &t);
    upright.has_transparent_color = image->has_transparent_color;
    memcpy(upright.transparent_color, image->transparent_color, sizeof upright.transparent_color);
    am_image_deinit(image);
    *image = upright;
    return NULL;
}

/* Formats and the bytes that tell them. */
typedef struct image_format {
    const char *name;
    size_t offset, length;
    const char *magic;
    am_status (*decode)(const am_image_source *source, am_image *out, int *orientation);
} image_format;

static const image_format formats[] = {
    {"PNG", 0, 8, "\x89PNG\r\n\x1a\n", am_image_decode_png},
    {"JPEG", 0, 3, "\xff\xd8\xff", am_image_decode_jpeg},
    {"WebP", 8, 4, "WEBP", am_image_decode_webp},
    {"GIF", 0, 6, "GIF87a", am_image_decode_gif},
    {"GIF", 0, 6, "GIF89a", am_image_decode_gif},
    {"TIFF", 0, 4, "II*\0", am_image_decode_tiff},
    {"TIFF", 0, 4, "MM\0*", am_image_decode_tiff},
    {"TIFF", 0, 4, "II+\0", am_image_decode_tiff}, /* BigTIFF */
    {"TIFF", 0, 4, "MM\0+", am_image_decode_tiff},
    {"BMP", 0, 2, "BM", am_image_decode_bmp},
    {"PBM", 0, 2, "P1", am_image_decode_pnm},
    {"PGM", 0, 2, "P2", am_image_decode_pnm},
    {"PPM", 0, 2, "P3", am_image_decode_pnm},
    {"PBM", 0, 2, "P4", am_image_decode_pnm},
    {"PGM", 0, 2, "P5", am_image_decode_pnm},
    {"PPM", 0, 2, "P6", am_image_decode_pnm},
};

static const image_format *find_format(const uint8_t *bytes, size_t size_bytes)
{
    for (const image_format *f = formats; f < formats + sizeof formats / sizeof *formats; f++)
        if (size_bytes >= f->offset + f->length && memcmp(bytes + f->offset, f->magic, f->length) == 0) return f;
    return NULL;
}

const char *am_image_format(const void *bytes, size_t size_bytes)
{
    const image_format *format = find_format(bytes, size_bytes);
    return format ? format->name : NULL;
}

static am_status decode(const am_image_source *source, am_image *out)
{
    if (!source->size_bytes) return am_error(AM_INVALID_FILE, "an empty file, expected an image");
    const image_format *format = find_format(source->bytes, source->size_bytes);
    if (format) {
        int orientation = 1;
        am_status status = format->decode(source, out, &orientation);
        if (status) return am_note(status, "%s", format->name);
        return source->as_stored ? NULL : make_upright(out, orientation);
    }
    char first[16 * 3 + 1] = "";
    for (size_t i = 0; i < source->size_bytes && i < 16; i++) {
        const char *digits = "0123456789abcdef";
        char text[4] = {' ', digits[source->bytes[i] >> 4], digits[source->bytes[i] & 15], 0};
        memcpy(first + 3 * i, text, sizeof text);
    }
    return am_error(AM_UNSUPPORTED, "no PNG, JPEG, WebP, GIF, TIFF, BMP or PNM image: it begins with%s", first);
}

static am_status decode_source(am_image_source source, const char *name, am_image *out)
{
    *out = (am_image){0};
    if (source.max_pixels <= 0 || source.max_pixels > AM_IMAGE_MAX_PIXELS) source.max_pixels = AM_IMAGE_MAX_PIXELS;
    am_status status = decode(&source, out);
    if (!status) return NULL;
    am_image_deinit(out);
    return am_note(status, "%s", name);
}

am_status am_image_decode(const void *bytes, size_t size_bytes, const char *name, int64_t max_pixels, am_image *out)
{
    am_image_source source = {.bytes = bytes, .size_bytes = size_bytes, .max_pixels = max_pixels};
    return decode_source(source, name, out);
}

am_status am_image_decode_stored(const void *bytes, size_t size_bytes, const char *name, int64_t max_pixels,
                                 am_image *out)
{
    am_image_source source = {.bytes = bytes, .size_bytes = size_bytes, .max_pixels = max_pixels, .as_stored = true};
    return decode_source(source, name, out);
}

static am_status open_file(const char *path, int64_t max_pixels, bool as_stored, am_image *out)
{
    *out = (am_image){0};
    am_mapped_file file;
    AM_TRY(am_file_map(path, &file));
    am_image_source source = {
        .bytes = file.bytes, .size_bytes = file.size_bytes, .max_pixels = max_pixels, .as_stored = as_stored};
    am_status status = decode_source(source, path, out);
    am_file_unmap(&file);
    return status;
}

am_status am_image_open(const char *path, int64_t max_pixels, am_image *out)
{
    return open_file(path, max_pixels, false, out);
}

typedef struct open_job {
    const char *const *paths;
    int64_t max_pixels;
    am_image *images;
    am_status *statuses;
} open_job;

static void open_some(void *context, int64_t begin, int64_t end)
{
    const open_job *job = context;
    for (int64_t i = begin; i < end; i++)
        job->statuses[i] = am_image_open(job->paths[i], job->max_pixels, &job->images[i]);
}

am_status am_image_open_all(const char *const *paths, int64_t count, int64_t max_pixels, am_image *out)
{
    if (count < 2) return count ? am_image_open(*paths, max_pixels, out) : NULL;
    open_job job = {paths, max_pixels, out, am_alloc_zeroed((size_t)count, sizeof *job.statuses)};
    am_status first = NULL;
    if (!job.statuses) return am_out_of_memory();
    am_parallel_for(count, 1, open_some, &job);
    for (int64_t i = 0; i < count; i++) {
        if (first) am_status_free(job.statuses[i]);
        else first = job.statuses[i];
    }
    am_free(job.statuses);
    return first;
}

am_status am_image_open_stored(const char *path, int64_t max_pixels, am_image *out)
{
    return open_file(path, max_pixels, true, out);
}
