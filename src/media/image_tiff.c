/* TIFF by libtiff: the first picture of the file, as Pillow sees it. */
#include "media/image_codecs.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <tiffio.h>

/* What libtiff may allocate at once: a strip, a tile, a table. */
enum { ALLOCATION_LIMIT_BYTES = 1 << 30 };

typedef struct tiff_state {
    const am_image_source *source;
    TIFF *tiff;
    uint64_t position;
    int64_t width, height;
    uint16_t bits, samples, photometric, alpha; /* of each sample; of a pixel; alpha: as ExtraSamples says */
    bool planes, tiles;                         /* samples lie apart; blocks are tiles */
    int kept;                                   /* samples of a pixel that count, 1 to 4 */
    uint8_t *pixels;                            /* [height, width, kept] */
    char message[160];
} tiff_state;

/* --- the file --- */

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t count)
{
    tiff_state *t = handle;
    uint64_t left = t->position < t->source->size_bytes ? t->source->size_bytes - t->position : 0;
    if (count < 0) return 0;
    if ((uint64_t)count > left) count = (tmsize_t)left;
    memcpy(to, t->source->bytes + (t->position < t->source->size_bytes ? t->position : 0), (size_t)count);
    t->position += (uint64_t)count;
    return count;
}

static tmsize_t write_bytes(thandle_t handle, void *from, tmsize_t count)
{
    (void)handle;
    (void)from;
    (void)count;
    return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence)
{
    tiff_state *t = handle;
    if (whence == SEEK_CUR) offset += t->position;
    if (whence == SEEK_END) offset += t->source->size_bytes;
    t->position = offset;
    return offset;
}

static int close_file(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t size_of_file(thandle_t handle)
{
    return ((tiff_state *)handle)->source->size_bytes;
}

static int on_error(TIFF *tiff, void *context, const char *module, const char *format, va_list arguments)
{
    tiff_state *t = context;
    (void)tiff;
    (void)module;
    if (!t->message[0]) vsnprintf(t->message, sizeof t->message, format, arguments);
    return 1;
}

static int on_warning(TIFF *tiff, void *context, const char *module, const char *format, va_list arguments)
{
    (void)tiff;
    (void)context;
    (void)module;
    (void)format;
    (void)arguments;
    return 1;
}

static am_status tiff_error(const tiff_state *t)
{
    bool memory = strstr(t->message, "memory") || strstr(t->message, "emory allocation");
    return am_error(memory ? AM_OUT_OF_MEMORY : AM_INVALID_FILE, "%s",
                    t->message[0] ? t->message : "a truncated or corrupt file");
}

/* Unmapped: libtiff then takes only what it has checked. */
static am_status open_tiff(tiff_state *t)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return am_out_of_memory();
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, ALLOCATION_LIMIT_BYTES);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, t);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, t);
    t->tiff = TIFFClientOpenExt("image", "rm", t, read_bytes, write_bytes, seek, close_file, size_of_file, NULL, NULL,
                                options);
    TIFFOpenOptionsFree(options);
    return t->tiff ? NULL : tiff_error(t);
}

/* --- the header --- */

static uint16_t tag_of(const tiff_state *t, uint32_t tag, uint16_t fallback)
{
    uint16_t value = fallback;
    return TIFFGetFieldDefaulted(t->tiff, tag, &value) ? value : fallback;
}

static am_status read_size(tiff_state *t)
{
    uint32_t width = 0, height = 0;
    TIFFGetField(t->tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(t->tiff, TIFFTAG_IMAGELENGTH, &height);
    t->width = width;
    t->height = height;
    return am_image_check_size(t->source, width, height);
}

static int colors_of(uint16_t photometric)
{
    switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_PALETTE:
        return 1;
    case PHOTOMETRIC_RGB:
        return 3;
    case PHOTOMETRIC_SEPARATED:
        return 4;
    default:
        return 0;
    }
}

static am_status read_layout(tiff_state *t)
{
    uint16_t extra = 0, *kinds = NULL;
    t->bits = tag_of(t, TIFFTAG_BITSPERSAMPLE, 1);
    t->samples = tag_of(t, TIFFTAG_SAMPLESPERPIXEL, 1);
    t->planes = tag_of(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE && t->samples > 1;
    t->tiles = TIFFIsTiled(t->tiff);
    t->photometric = tag_of(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    if (t->photometric == PHOTOMETRIC_YCBCR && tag_of(t, TIFFTAG_COMPRESSION, 1) == COMPRESSION_JPEG &&
        TIFFSetField(t->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB))
        t->photometric = PHOTOMETRIC_RGB;
    if (TIFFGetField(t->tiff, TIFFTAG_EXTRASAMPLES, &extra, &kinds) && extra) t->alpha = kinds[0];
    else if (t->photometric == PHOTOMETRIC_RGB && t->samples == 4) t->alpha = EXTRASAMPLE_UNASSALPHA;
    return NULL;
}

static am_status check_layout(tiff_state *t)
{
    int colors = colors_of(t->photometric);
    uint16_t format = tag_of(t, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
    bool few = t->bits == 1 || t->bits == 2 || t->bits == 4, whole = t->bits == 8 || t->bits == 16;
    bool known = whole || (few && colors == 1 && t->samples == 1);
    if (t->bits == 16 && (t->photometric == PHOTOMETRIC_PALETTE || (colors == 1 && t->samples > 1))) known = false;
    if (!colors || !known || t->samples < colors || t->samples > 6 || format != SAMPLEFORMAT_UINT)
        return am_error(AM_UNSUPPORTED, "%u samples of %u bits, photometric interpretation %u, sample format %u",
                        t->samples, t->bits, t->photometric, format);
    bool has_alpha =
        colors < 4 && t->samples > colors && (t->alpha == EXTRASAMPLE_ASSOCALPHA || t->alpha == EXTRASAMPLE_UNASSALPHA);
    t->kept = has_alpha ? colors + 1 : colors;
    return NULL;
}

/* --- pixels --- */

/* A sample in 8 bits: the upper half of colours of 16, but grey of 16 is white from 255 on. */
static uint8_t sample_at(const tiff_state *t, const uint8_t *row, int64_t index)
{
    if (t->bits == 8) return row[index];
    if (t->bits == 16) {
        uint16_t value;
        memcpy(&value, row + 2 * index, sizeof value);
        if (colors_of(t->photometric) > 1) return (uint8_t)(value >> 8);
        return (uint8_t)(value > 255 ? 255 : value);
    }
    int most = (1 << t->bits) - 1, value = row[index * t->bits / 8] >> (8 - t->bits - index * t->bits % 8) & most;
    return (uint8_t)(t->photometric == PHOTOMETRIC_PALETTE ? value : value * (255 / most));
}

typedef struct block {
    int64_t left, top, width, height, stride_bytes;
    int plane;
} block;

static void put_block(tiff_state *t, const block *b, const uint8_t *bytes)
{
    int64_t step = t->planes ? 1 : t->samples;
    for (int64_t y = 0; y < b->height && b->top + y < t->height; y++) {
        const uint8_t *row = bytes + y * b->stride_bytes;
        uint8_t *out = t->pixels + ((b->top + y) * t->width + b->left) * t->kept;
        for (int64_t x = 0; x < b->width && b->left + x < t->width; x++, out += t->kept) {
            if (t->planes) out[b->plane] = sample_at(t, row, x);
            for (int k = 0; k < t->kept && !t->planes; k++) out[k] = sample_at(t, row, x * step + k);
        }
    }
}

static int64_t row_bytes(const tiff_state *t, int64_t width)
{
    return (width * (t->planes ? 1 : t->samples) * t->bits + 7) / 8;
}

static am_status read_strips(tiff_state *t, uint8_t *buffer)
{
    uint32_t rows = 0, per_plane;
    TIFFGetFieldDefaulted(t->tiff, TIFFTAG_ROWSPERSTRIP, &rows);
    if (!rows || rows > t->height) rows = (uint32_t)t->height;
    per_plane = (uint32_t)((t->height + rows - 1) / rows);
    for (uint32_t i = 0; i < per_plane * (uint32_t)(t->planes ? t->kept : 1); i++) {
        block b = {.top = (int64_t)(i % per_plane) * rows, .width = t->width, .plane = (int)(i / per_plane)};
        b.height = t->height - b.top < rows ? t->height - b.top : rows;
        b.stride_bytes = row_bytes(t, t->width);
        if (TIFFReadEncodedStrip(t->tiff, i, buffer, b.height * b.stride_bytes) != b.height * b.stride_bytes)
            return tiff_error(t);
        put_block(t, &b, buffer);
    }
    return NULL;
}

static am_status read_tiles(tiff_state *t, uint8_t *buffer, tmsize_t size)
{
    uint32_t width = 0, height = 0;
    TIFFGetField(t->tiff, TIFFTAG_TILEWIDTH, &width);
    TIFFGetField(t->tiff, TIFFTAG_TILELENGTH, &height);
    block b = {.width = width, .height = height, .stride_bytes = row_bytes(t, width)};
    if (!width || !height || size < b.stride_bytes * b.height) return am_error(AM_INVALID_FILE, "tiles of no size");
    for (b.plane = 0; b.plane < (t->planes ? t->kept : 1); b.plane++)
        for (b.top = 0; b.top < t->height; b.top += height)
            for (b.left = 0; b.left < t->width; b.left += width) {
                uint32_t tile = TIFFComputeTile(t->tiff, (uint32_t)b.left, (uint32_t)b.top, 0, (uint16_t)b.plane);
                if (TIFFReadEncodedTile(t->tiff, tile, buffer, size) != size) return tiff_error(t);
                put_block(t, &b, buffer);
            }
    return NULL;
}

static am_status read_blocks(tiff_state *t)
{
    tmsize_t size = t->tiles ? TIFFTileSize(t->tiff) : TIFFStripSize(t->tiff);
    if (size <= 0 || size > ALLOCATION_LIMIT_BYTES) return tiff_error(t);
    if (!t->tiles && size < row_bytes(t, t->width)) return am_error(AM_INVALID_FILE, "strips of no size");
    uint8_t *buffer = am_alloc_zeroed((size_t)size, 1);
    if (!buffer) return am_out_of_memory();
    am_status status = t->tiles ? read_tiles(t, buffer, size) : read_strips(t, buffer);
    am_free(buffer);
    return status;
}

/* --- colours --- */

/* Palettes are of 16 bits, red, green and blue apart. */
static am_status spread_palette(const tiff_state *t, am_image *out)
{
    uint16_t *tables[3];
    if (!TIFFGetField(t->tiff, TIFFTAG_COLORMAP, &tables[0], &tables[1], &tables[2]))
        return am_error(AM_INVALID_FILE, "there is no palette");
    for (int64_t i = 0; i < t->width * t->height; i++)
        for (int c = 0; c < 3; c++) out->pixels[3 * i + c] = (uint8_t)(tables[c][t->pixels[i * t->kept]] >> 8);
    return NULL;
}

/* Of colours that were multiplied by alpha. */
static uint8_t divided(uint8_t value, uint8_t alpha)
{
    int whole = alpha ? 255 * value / alpha : value;
    return (uint8_t)(whole > 255 ? 255 : whole);
}

static void put_color(const tiff_state *t, const uint8_t *pixel, uint8_t *out)
{
    int colors = colors_of(t->photometric);
    uint8_t rgba[4] = {0, 0, 0, t->kept > colors ? pixel[colors] : 255};
    bool invert = t->photometric == PHOTOMETRIC_MINISWHITE && t->bits < 16;
    for (int c = 0; c < 3; c++) {
        uint8_t value = pixel[colors == 1 ? 0 : c];
        if (t->kept > colors && t->alpha == EXTRASAMPLE_ASSOCALPHA) value = divided(value, rgba[3]);
        rgba[c] = invert ? (uint8_t)(255 - value) : value;
    }
    if (t->source->as_stored) am_image_put_on_white(rgba, 1, out);
    else memcpy(out, rgba, 3);
}

static am_status put_colors(const tiff_state *t, am_image *out)
{
    if (t->source->as_stored) out->channels = t->kept;
    if (t->photometric == PHOTOMETRIC_PALETTE) return spread_palette(t, out);
    for (int64_t i = 0; i < t->width * t->height; i++) {
        uint8_t *pixel = t->pixels + i * t->kept, *to = out->pixels + 3 * i;
        if (t->photometric != PHOTOMETRIC_SEPARATED) {
            put_color(t, pixel, to);
            continue;
        }
        for (int k = 0; k < 4; k++) pixel[k] = (uint8_t)(255 - pixel[k]);
        am_image_inks_to_rgb(pixel, 1, to);
    }
    return NULL;
}

static am_status decode(tiff_state *t, am_image *out, int *orientation)
{
    AM_TRY(open_tiff(t));
    AM_TRY(read_size(t));
    AM_TRY(read_layout(t));
    AM_TRY(check_layout(t));
    *orientation = tag_of(t, TIFFTAG_ORIENTATION, 1);
    t->pixels = am_alloc_zeroed((size_t)(t->width * t->height), (size_t)t->kept);
    if (!t->pixels) return am_out_of_memory();
    AM_TRY(read_blocks(t));
    AM_TRY(am_image_create(t->width, t->height, out));
    return put_colors(t, out);
}

am_status am_image_decode_tiff(const am_image_source *source, am_image *out, int *orientation)
{
    tiff_state t = {.source = source};
    am_status status = decode(&t, out, orientation);
    if (t.tiff) TIFFClose(t.tiff);
    am_free(t.pixels);
    return status;
}
