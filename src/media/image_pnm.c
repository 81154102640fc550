/* PBM, PGM and PPM, plain and raw, as Pillow reads them: samples are scaled to 255; grey of more than 255 levels is
   scaled to 65535, and what is above 255 of these is white. */
#include "media/image_codecs.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct pnm_state {
    const am_image_source *source;
    size_t at;
    int channels; /* 1, 3 */
    bool plain, bits;
    int64_t width, height, most;
} pnm_state;

static bool is_space(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int next_byte(pnm_state *p)
{
    return p->at < p->source->size_bytes ? p->source->bytes[p->at++] : -1;
}

/* The next byte that is no comment. */
static int next_character(pnm_state *p)
{
    int c = next_byte(p);
    while (c == '#') {
        while (c >= 0 && c != '\n' && c != '\r') c = next_byte(p);
        c = next_byte(p);
    }
    return c;
}

/* A number and the one white space behind it. */
static am_status read_number(pnm_state *p, int64_t most, int64_t *out)
{
    int c = next_character(p), digits = 0;
    *out = 0;
    while (is_space(c)) c = next_character(p);
    for (; c >= '0' && c <= '9' && digits < 10; digits++, c = next_character(p)) *out = *out * 10 + (c - '0');
    if (!digits && c < 0) return am_error(AM_INVALID_FILE, "the file is truncated");
    if (digits && *out <= most && (c < 0 || is_space(c))) return NULL;
    return am_error(AM_INVALID_FILE, "byte %zu: expected a number up to %" PRId64, p->at, most);
}

static am_status read_header(pnm_state *p)
{
    const uint8_t *bytes = p->source->bytes;
    if (p->source->size_bytes < 3 || !is_space(bytes[2]))
        return am_error(AM_INVALID_FILE, "no white space after P%c", bytes[1]);
    p->at = 3;
    p->plain = bytes[1] <= '3';
    p->bits = bytes[1] == '1' || bytes[1] == '4';
    p->channels = bytes[1] == '3' || bytes[1] == '6' ? 3 : 1;
    p->most = 1;
    AM_TRY(read_number(p, INT32_MAX, &p->width));
    AM_TRY(read_number(p, INT32_MAX, &p->height));
    if (!p->bits) AM_TRY(read_number(p, 65535, &p->most));
    if (!p->most) return am_error(AM_INVALID_FILE, "the largest sample is said to be 0");
    return am_image_check_size(p->source, p->width, p->height);
}

static uint8_t level_of(const pnm_state *p, int64_t sample)
{
    if (p->bits) return sample ? 0 : 255;
    double full = p->channels == 1 && p->most > 255 ? 65535.0 : 255.0;
    double level = nearbyint((double)sample / (double)p->most * full);
    return (uint8_t)(level > 255.0 ? 255.0 : level);
}

/* The bits of plain files need no space between them. */
static am_status read_bit(pnm_state *p, int64_t *out)
{
    int c = next_character(p);
    while (is_space(c)) c = next_character(p);
    if (c < 0) return am_error(AM_INVALID_FILE, "the file is truncated");
    if (c != '0' && c != '1') return am_error(AM_INVALID_FILE, "byte %zu: expected 0 or 1", p->at);
    *out = c - '0';
    return NULL;
}

static am_status read_plain(pnm_state *p, int64_t count, uint8_t *levels)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t sample;
        AM_TRY(p->bits ? read_bit(p, &sample) : read_number(p, p->most, &sample));
        levels[i] = level_of(p, sample);
    }
    return NULL;
}

/* Sample i of row y; rows of bits begin at whole bytes. */
static int64_t raw_sample(const pnm_state *p, int64_t y, int64_t i)
{
    const uint8_t *in = p->source->bytes + p->at;
    int64_t row = p->width * p->channels, k = y * row + i;
    if (p->bits) return in[y * ((row + 7) / 8) + i / 8] >> (7 - i % 8) & 1;
    return p->most > 255 ? in[2 * k] << 8 | in[2 * k + 1] : in[k];
}

static void read_raw(const pnm_state *p, uint8_t *levels)
{
    int64_t row = p->width * p->channels;
    for (int64_t y = 0; y < p->height; y++)
        for (int64_t i = 0; i < row; i++) levels[y * row + i] = level_of(p, raw_sample(p, y, i));
}

static am_status check_length(const pnm_state *p)
{
    int64_t row = p->width * p->channels, bytes = row * (p->most > 255 ? 2 : 1);
    if (p->bits) bytes = (row + 7) / 8;
    if ((uint64_t)(bytes * p->height) <= p->source->size_bytes - p->at) return NULL;
    return am_error(AM_INVALID_FILE, "the file is truncated");
}

/* From the end, so that the levels of one channel may lie before the pixels. */
static void spread(am_image *out)
{
    for (int64_t i = out->width * out->height - 1; i >= 0; i--) memset(out->pixels + 3 * i, out->pixels[i], 3);
}

am_status am_image_decode_pnm(const am_image_source *source, am_image *out, int *orientation)
{
    (void)orientation;
    pnm_state p = {.source = source};
    AM_TRY(read_header(&p));
    if (!p.plain) AM_TRY(check_length(&p));
    AM_TRY(am_image_create(p.width, p.height, out));
    if (source->as_stored) out->channels = p.channels;
    if (p.plain) AM_TRY(read_plain(&p, p.width * p.height * p.channels, out->pixels));
    else read_raw(&p, out->pixels);
    if (p.channels == 1) spread(out);
    return NULL;
}
