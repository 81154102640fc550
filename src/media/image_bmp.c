/* BMP as Pillow reads it: pixels of 1, 4, 8, 16, 24 and 32 bits, run lengths, and the bit fields that are in use. */
#include "media/image_codecs.h"

#include "base/memory.h"

#include <inttypes.h>
#include <string.h>

enum { RAW, RLE8, RLE4, BIT_FIELDS };

typedef struct bmp_state {
    const am_image_source *source;
    int64_t width, height, bits, colors;
    uint32_t compression, masks[4]; /* red, green, blue, alpha; alpha 0: none */
    bool top_down;
    size_t palette_at, pixels_at, entry_bytes;
    uint8_t palette[256][3];
} bmp_state;

static uint32_t u16_at(const am_image_source *source, size_t at)
{
    return at + 2 <= source->size_bytes ? source->bytes[at] | (uint32_t)source->bytes[at + 1] << 8 : 0;
}

static uint32_t u32_at(const am_image_source *source, size_t at)
{
    return u16_at(source, at) | u16_at(source, at + 2) << 16;
}

/* --- the header --- */

static void read_core_header(bmp_state *b)
{
    b->width = u16_at(b->source, 18);
    b->height = u16_at(b->source, 20);
    b->bits = u16_at(b->source, 24);
    b->entry_bytes = 3;
}

static void read_masks(bmp_state *b, uint32_t header_bytes)
{
    for (size_t i = 0; i < 3; i++) b->masks[i] = u32_at(b->source, 54 + 4 * i);
    if (header_bytes >= 56) b->masks[3] = u32_at(b->source, 66);
    if (header_bytes < 52) b->palette_at += 12; /* they follow the header */
}

static void read_info_header(bmp_state *b, uint32_t header_bytes)
{
    uint32_t height = u32_at(b->source, 22);
    b->width = u32_at(b->source, 18);
    b->top_down = height >> 24 == 0xff;
    b->height = b->top_down ? (int64_t)(UINT32_MAX - height) + 1 : (int64_t)height;
    b->bits = u16_at(b->source, 28);
    b->compression = u32_at(b->source, 30);
    b->colors = u32_at(b->source, 46);
    b->entry_bytes = 4;
    if (b->compression == BIT_FIELDS) read_masks(b, header_bytes);
}

static am_status read_header(bmp_state *b)
{
    static const uint32_t known[] = {40, 52, 56, 64, 108, 124};
    uint32_t header_bytes = u32_at(b->source, 14);
    bool is_known = false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) is_known = is_known || header_bytes == known[i];
    if (b->source->size_bytes < 18 || b->source->size_bytes < 14 + (uint64_t)header_bytes)
        return am_error(AM_INVALID_FILE, "the file is truncated in its header");
    b->palette_at = 14 + header_bytes;
    if (header_bytes == 12) read_core_header(b);
    else if (is_known) read_info_header(b, header_bytes);
    else return am_error(AM_UNSUPPORTED, "a header of %" PRIu32 " bytes", header_bytes);
    if (!b->colors && b->bits <= 8) b->colors = INT64_C(1) << b->bits;
    if (b->bits <= 8 && (b->colors < 1 || b->colors > 65536))
        return am_error(AM_INVALID_FILE, "a palette of %" PRId64 " colours", b->colors);
    size_t palette_bytes = b->bits <= 8 ? b->entry_bytes * (size_t)b->colors : 0;
    b->pixels_at = u32_at(b->source, 10);
    if (b->pixels_at == 14 + header_bytes) b->pixels_at += palette_bytes;
    if (!b->pixels_at) b->pixels_at = b->palette_at + palette_bytes;
    return NULL;
}

static am_status check_layout(const bmp_state *b)
{
    bool runs = (b->compression == RLE8 && b->bits == 8) || (b->compression == RLE4 && b->bits == 4);
    bool fields = b->compression == BIT_FIELDS && (b->bits == 16 || b->bits == 24 || b->bits == 32);
    bool plain = b->bits == 1 || b->bits == 4 || b->bits == 8 || b->bits == 16 || b->bits == 24 || b->bits == 32;
    if (runs || fields || (b->compression == RAW && plain)) return NULL;
    return am_error(AM_UNSUPPORTED, "%" PRId64 " bits of compression %" PRIu32, b->bits, b->compression);
}

static void read_palette(bmp_state *b)
{
    for (int64_t i = 0; i < 256 && i < b->colors; i++) {
        size_t at = b->palette_at + b->entry_bytes * (size_t)i;
        if (at + 3 > b->source->size_bytes) return;
        for (int c = 0; c < 3; c++) b->palette[i][c] = b->source->bytes[at + 2 - (size_t)c];
    }
}

/* --- pixels --- */

static uint32_t field_of(uint32_t pixel, uint32_t mask)
{
    if (!mask) return 255;
    while (!(mask & 1)) {
        mask >>= 1;
        pixel >>= 1;
    }
    return (pixel & mask) * 255U / mask;
}

/* Fields are whole bytes of 24 and 32 bits, and 5 or 6 bits of 16. */
static am_status choose_masks(bmp_state *b)
{
    static const uint32_t bytes[] = {0xff0000, 0xff00, 0xff, 0}, words[] = {0x7c00, 0x3e0, 0x1f, 0};
    const uint32_t *m = b->masks;
    if (b->compression != BIT_FIELDS || (b->bits == 32 && !m[0] && !m[1] && !m[2] && !m[3])) {
        memcpy(b->masks, b->bits == 16 ? words : bytes, sizeof bytes);
        if (b->compression == BIT_FIELDS) b->masks[3] = 0xff000000;
        return NULL;
    }
    static const uint32_t known[][5] = {
        {32, 0xff0000, 0xff00, 0xff, 0},
        {32, 0xff000000, 0xff0000, 0xff00, 0},
        {32, 0xff000000, 0xff00, 0xff, 0},
        {32, 0xff000000, 0xff0000, 0xff00, 0xff},
        {32, 0xff, 0xff00, 0xff0000, 0xff000000},
        {32, 0xff0000, 0xff00, 0xff, 0xff000000},
        {32, 0xff000000, 0xff00, 0xff, 0xff0000},
        {24, 0xff0000, 0xff00, 0xff, 0},
        {16, 0xf800, 0x7e0, 0x1f, 0},
        {16, 0x7c00, 0x3e0, 0x1f, 0},
    };
    if (b->bits != 32) b->masks[3] = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if ((uint32_t)b->bits == known[i][0] && memcmp(m, known[i] + 1, 4 * sizeof *m) == 0) return NULL;
    return am_error(AM_UNSUPPORTED, "bit fields %08" PRIx32 " %08" PRIx32 " %08" PRIx32 " %08" PRIx32, m[0], m[1], m[2],
                    m[3]);
}

static void put_color(const bmp_state *b, const uint8_t *pixel, uint8_t *out)
{
    uint32_t value = 0;
    uint8_t rgba[4];
    for (int64_t i = 0; i < b->bits / 8; i++) value |= (uint32_t)pixel[i] << 8 * i;
    for (int c = 0; c < 4; c++) rgba[c] = (uint8_t)field_of(value, b->masks[c]);
    if (b->source->as_stored) am_image_put_on_white(rgba, 1, out);
    else memcpy(out, rgba, 3);
}

static void put_row(const bmp_state *b, const uint8_t *in, uint8_t *out)
{
    for (int64_t x = 0; x < b->width; x++, out += 3) {
        if (b->bits > 8) put_color(b, in + x * b->bits / 8, out);
        else {
            int64_t shift = 8 - b->bits - x * b->bits % 8;
            memcpy(out, b->palette[in[x * b->bits / 8] >> shift & ((1 << b->bits) - 1)], 3);
        }
    }
}

static uint8_t *row_of(const bmp_state *b, const am_image *out, int64_t y)
{
    return out->pixels + (b->top_down ? y : b->height - 1 - y) * b->width * 3;
}

/* Rows are of whole 32-bit words. */
static am_status read_rows(const bmp_state *b, am_image *out)
{
    size_t stride = (size_t)((b->width * b->bits + 31) / 32 * 4), row_bytes = (size_t)((b->width * b->bits + 7) / 8);
    size_t end = b->pixels_at + stride * (size_t)(b->height - 1) + row_bytes;
    if (b->pixels_at > b->source->size_bytes || end > b->source->size_bytes)
        return am_error(AM_INVALID_FILE, "the file is truncated");
    for (int64_t y = 0; y < b->height; y++)
        put_row(b, b->source->bytes + b->pixels_at + stride * (size_t)y, row_of(b, out, y));
    return NULL;
}

/* --- run lengths --- */

typedef struct runs {
    const bmp_state *b;
    size_t at;
    uint8_t *indices; /* [total] row by row from the bottom; those up to `count` are known */
    int64_t count, total, x;
} runs;

static int next_byte(runs *r)
{
    return r->at < r->b->source->size_bytes ? r->b->source->bytes[r->at++] : -1;
}

static void put_index(runs *r, int index)
{
    if (r->count < r->total) r->indices[r->count++] = (uint8_t)index;
}

static void skip(runs *r, int64_t count)
{
    r->count += count < r->total - r->count ? count : r->total - r->count;
}

/* `count` pixels of the index `value`, or of its two halves by turns; not beyond the row. */
static void put_run(runs *r, int64_t count, int value)
{
    int64_t room = r->x < r->b->width ? r->b->width - r->x : 0;
    if (count > room) count = room;
    for (int64_t i = 0; i < count; i++)
        put_index(r, r->b->compression == RLE8 ? value : i % 2 ? value & 15 : value >> 4);
    r->x += count;
}

/* Pixels as they are; ends at an even place of the file. */
static void put_literal(runs *r, int count)
{
    for (int i = 0; i < count; i++) {
        int value = next_byte(r);
        if (value < 0) return;
        if (r->b->compression == RLE4) put_index(r, value >> 4);
        if (r->b->compression == RLE8) put_index(r, value);
        else if (++i < count) put_index(r, value & 15);
    }
    r->x += count;
    if (r->at % 2) r->at++;
}

/* False at the end of the picture. */
static bool follow(runs *r)
{
    int count = next_byte(r), value = next_byte(r);
    if (count < 0 || value < 0 || (!count && value == 1)) return false;
    if (count) {
        put_run(r, count, value);
    } else if (value == 0) {
        skip(r, (r->b->width - r->count % r->b->width) % r->b->width);
        r->x = 0;
    } else if (value == 2) {
        int right = next_byte(r), up = next_byte(r);
        if (up < 0) return false;
        skip(r, right + up * r->b->width);
        r->x = r->count % r->b->width;
    } else {
        put_literal(r, value);
    }
    return r->count < r->total;
}

static am_status read_runs(const bmp_state *b, am_image *out)
{
    runs r = {.b = b, .at = b->pixels_at, .total = b->height * b->width};
    r.indices = am_alloc_zeroed((size_t)r.total, 1);
    if (!r.indices) return am_out_of_memory();
    for (bool more = true; more;) more = follow(&r);
    for (int64_t i = 0; i < r.count; i++)
        memcpy(row_of(b, out, i / b->width) + i % b->width * 3, b->palette[r.indices[i]], 3);
    am_free(r.indices);
    return r.count == r.total ? NULL : am_error(AM_INVALID_FILE, "the file is truncated");
}

am_status am_image_decode_bmp(const am_image_source *source, am_image *out, int *orientation)
{
    (void)orientation;
    bmp_state b = {.source = source};
    AM_TRY(read_header(&b));
    AM_TRY(check_layout(&b));
    AM_TRY(am_image_check_size(source, b.width, b.height));
    AM_TRY(choose_masks(&b));
    read_palette(&b);
    AM_TRY(am_image_create(b.width, b.height, out));
    if (source->as_stored) out->channels = b.bits <= 8 ? 1 : b.masks[3] ? 4 : 3;
    return b.compression == RLE8 || b.compression == RLE4 ? read_runs(&b, out) : read_rows(&b, out);
}
