#include "media/image_codecs.h"

#include <string.h>

typedef struct tiff {
    const uint8_t *bytes;
    size_t size_bytes;
    bool big_endian;
} tiff;

static uint32_t tiff_u16(const tiff *t, size_t at)
{
    const uint8_t *p = t->bytes + at;
    return t->big_endian ? (uint32_t)(p[0] << 8 | p[1]) : (uint32_t)(p[1] << 8 | p[0]);
}

static uint32_t tiff_u32(const tiff *t, size_t at)
{
    uint32_t first = tiff_u16(t, at), second = tiff_u16(t, at + 2);
    return t->big_endian ? first << 16 | second : second << 16 | first;
}

/* The value of a 12-byte directory entry, when it is the orientation: one BYTE, SHORT or LONG. */
static int entry_orientation(const tiff *t, size_t at)
{
    enum { ORIENTATION = 0x0112, BYTE = 1, SHORT = 3, LONG = 4 };
    if (tiff_u16(t, at) != ORIENTATION || tiff_u32(t, at + 4) != 1) return 0;
    uint32_t type = tiff_u16(t, at + 2), value = 0;
    if (type == BYTE) value = t->bytes[at + 8];
    if (type == SHORT) value = tiff_u16(t, at + 8);
    if (type == LONG) value = tiff_u32(t, at + 8);
    return value >= 1 && value <= 8 ? (int)value : 0;
}

int am_exif_orientation(const uint8_t *bytes, size_t size_bytes)
{
    for (int prefixes = 0; prefixes < 2 && size_bytes >= 6 && memcmp(bytes, "Exif\0", 6) == 0; prefixes++) {
        bytes += 6;
        size_bytes -= 6;
    }
    if (size_bytes < 8) return 0;
    tiff t = {.bytes = bytes, .size_bytes = size_bytes, .big_endian = bytes[0] == 'M'};
    if (memcmp(bytes, t.big_endian ? "MM\0*" : "II*", 4) != 0) return 0;
    size_t directory = tiff_u32(&t, 4);
    if (directory > size_bytes - 2) return 0;
    size_t count = tiff_u16(&t, directory), at = directory + 2;
    for (size_t i = 0; i < count && size_bytes - at >= 12; i++, at += 12) {
        int orientation = entry_orientation(&t, at);
        if (orientation) return orientation;
    }
    return 0;
}

int am_xmp_orientation(const uint8_t *bytes, size_t size_bytes)
{
    static const char key[] = "tiff:Orientation";
    enum { KEY = sizeof key - 1 };
    for (size_t i = 0; i + KEY + 2 <= size_bytes; i++) {
        if (memcmp(bytes + i, key, KEY) != 0) continue;
        const uint8_t *value = bytes + i + KEY, *end = bytes + size_bytes;
        if (*value == '>') value += 1;
        else if (end - value >= 3 && value[0] == '=' && value[1] == '"') value += 2;
        else continue;
        if (*value >= '1' && *value <= '8') return *value - '0';
    }
    return 0;
}
