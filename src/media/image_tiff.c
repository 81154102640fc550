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
    uint16_t format;                            /* of samples: SAMPLEFORMAT_UINT .. */
    bool planes, tiles;                         /* samples lie apart; blocks are tiles */
    bool by_libtiff;                            /* colours that libtiff makes to RGB */
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
    t->format = tag_of(t, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
    if (t->photometric == PHOTOMETRIC_YCBCR && tag_of(t, TIFFTAG_COMPRESSION, 1) == COMPRESSION_JPEG &&
        TIFFSetField(t->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB))
        t->photometric = PHOTOMETRIC_RGB;
    t->by_libtiff = t->photometric == PHOTOMETRIC_YCBCR && t->bits == 8;
    if (TIFFGetField(t->tiff, TIFFTAG_EXTRASAMPLES, &extra, &kinds) && extra) t->alpha = kinds[0];
    else if (t->photometric == PHOTOMETRIC_RGB && t->samples == 4) t->alpha = EXTRASAMPLE_UNASSALPHA;
    return NULL;
}

/* Samples of 12, 16 and 32 bits, with signs and as floats, are read of grey alone. */
static bool is_known(const tiff_state *t)
{
    bool is_grey = t->photometric == PHOTOMETRIC_MINISWHITE || t->photometric == PHOTOMETRIC_MINISBLACK;
    bool is_single = t->samples == 1 && colors_of(t->photometric) == 1;
    if (t->format == SAMPLEFORMAT_IEEEFP) return t->bits == 32 && is_grey && is_single;
    if (t->format == SAMPLEFORMAT_INT) {
        bool is_black_0 = t->photometric == PHOTOMETRIC_MINISBLACK;
        return is_black_0 && (t->bits == 8 || (is_single && (t->bits == 16 || t->bits == 32)));
    }
    if (t->format != SAMPLEFORMAT_UINT) return false;
    switch (t->bits) {
    case 1:
    case 2:
    case 4:
        return is_single;
    case 8:
        return true;
    case 12:
    case 32:
        return is_single && t->photometric == PHOTOMETRIC_MINISBLACK;
    case 16:
        return colors_of(t->photometric) > 1 || (is_single && is_grey);
    default:
        return false;
    }
}

static am_status check_layout(tiff_state *t)
{
    int colors = colors_of(t->photometric);
    if (!t->by_libtiff && (!colors || !is_known(t) || t->samples < colors || t->samples > 6))
        return am_error(AM_UNSUPPORTED, "%u samples of %u bits, photometric interpretation %u, sample format %u",
                        t->samples, t->bits, t->photometric, t->format);
    bool has_alpha =
        colors < 4 && t->samples > colors && (t->alpha == EXTRASAMPLE_ASSOCALPHA || t->alpha == EXTRASAMPLE_UNASSALPHA);
    t->kept = has_alpha ? colors + 1 : colors;
    return NULL;
}

/* --- pixels --- */

static uint8_t clipped(int64_t value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Of floats what is before the point. NaN is 0. */
static uint8_t clipped_float(float value)
{
    return value >= 255.0F ? 255 : value > 0.0F ? (uint8_t)value : 0;
}

/* Samples of 12 bits, two in three bytes, the upper bits first. */
static int sample_of_12(const uint8_t *row, int64_t index)
{
    const uint8_t *at = row + index * 12 / 8;
    return index % 2 ? (at[0] & 15) << 8 | at[1] : at[0] << 4 | at[1] >> 4;
}

static uint8_t sample_of_32(const tiff_state *t, const uint8_t *bytes)
{
    int32_t value;
    float real;
    memcpy(&value, bytes, sizeof value);
    memcpy(&real, bytes, sizeof real);
    return t->format == SAMPLEFORMAT_IEEEFP ? clipped_float(real) : clipped(value);
}

/* A sample in 8 bits: the upper half of colours of 16, but grey of more than 8 is white from 255 on. */
static uint8_t sample_at(const tiff_state *t, const uint8_t *row, int64_t index)
{
    if (t->bits == 8) return row[index];
    if (t->bits == 12) return clipped(sample_of_12(row, index));
    if (t->bits == 32) return sample_of_32(t, row + 4 * index);
    if (t->bits == 16) {
        uint16_t value;
        memcpy(&value, row + 2 * index, sizeof value);
        if (colors_of(t->photometric) > 1) return (uint8_t)(value >> 8);
        return clipped(t->format == SAMPLEFORMAT_INT ? (int16_t)value : value);
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

/* Luma and chroma, whose rows may be of fewer places, as libtiff makes them to RGB: an uint32_t a pixel. */
static am_status read_by_libtiff(tiff_state *t, am_image *out)
{
    int64_t count = t->width * t->height;
    uint32_t *pixels = am_alloc_zeroed((size_t)count, sizeof *pixels);
    if (!pixels) return am_out_of_memory();
    am_status status = am_image_create(t->width, t->height, out);
    if (!status && !TIFFReadRGBAImageOriented(t->tiff, (uint32_t)t->width, (uint32_t)t->height, pixels,
                                              tag_of(t, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT), 1))
        status = tiff_error(t);
    for (int64_t i = 0; !status && i < count; i++) {
        uint8_t rgb[3] = {TIFFGetR(pixels[i]), TIFFGetG(pixels[i]), TIFFGetB(pixels[i])};
        memcpy(out->pixels + 3 * i, rgb, sizeof rgb);
    }
    if (t->source->as_stored) out->channels = 3;
    am_free(pixels);
    return status;
}

static am_status decode(tiff_state *t, am_image *out, int *orientation)
{
    AM_TRY(open_tiff(t));
    AM_TRY(read_size(t));
    AM_TRY(read_layout(t));
    AM_TRY(check_layout(t));
    *orientation = tag_of(t, TIFFTAG_ORIENTATION, 1);
    if (t->by_libtiff) return read_by_libtiff(t, out);
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
