/* Images: decoding by content, as `load_image` of transformers (PIL) does, and writing PNG. */
#ifndef AM_MEDIA_IMAGE_H
#define AM_MEDIA_IMAGE_H

#include "base/buffer.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pixels of the largest image that is read or made, 178956970: where PIL refuses, too (2 *
   Image.MAX_IMAGE_PIXELS). */
#define AM_IMAGE_MAX_PIXELS ((int64_t)178956970)

/* Rows from top to bottom without padding, pixels: [height, width, 3], red, green, blue. Pixels are owned;
   all zeros is an image that holds nothing. PIL remembers which colour a file without alpha calls
   transparent, and transformers paints it white where do_convert_rgb is set: so it is kept here. */
typedef struct am_image {
    int64_t width, height;
    uint8_t *pixels;
    int channels;   /* of an image that was opened as it is stored; else 0, as if they were 3 */
    uint16_t *wide; /* [height, width]; of such an image of 16-bit grey: what is clipped in pixels; owned */
    bool has_transparent_color;
    uint8_t transparent_color[3];
} am_image;

/* A black image. Fails with AM_INVALID_ARGUMENT when a side is not positive or there are more than
   AM_IMAGE_MAX_PIXELS, AM_OUT_OF_MEMORY. */
am_status am_image_create(int64_t width, int64_t height, am_image *out) AM_NODISCARD;
void am_image_deinit(am_image *image);

/* What the first bytes say that a file is ("PNG", "GIF" ..), a static string; null when it is no image that is read. */
const char *am_image_format(const void *bytes, size_t size_bytes);

/* Decodes PNG, JPEG, WebP, GIF (its first frame), TIFF (its first picture), BMP or PBM, PGM and PPM, told apart by
   their first bytes, to upright RGB: the orientation in Exif (or else XMP) is applied, alpha is dropped, palettes and
   grey are spread, CMYK (inverted, as Adobe writes it) becomes RGB, 16 bits are cut to their upper 8, save for grey
   without alpha, which is clipped at 255: all as PIL.ImageOps.exif_transpose and Image.convert("RGB") do. `name` stands
   for the file in messages; `max_pixels` 0 is AM_IMAGE_MAX_PIXELS. Sizes are checked before anything of their size is
   allocated. Fails with AM_INVALID_FILE (truncated, corrupt, no pixels), AM_UNSUPPORTED (another format or feature),
   AM_OUT_OF_MEMORY (also: more pixels than the limit). */
am_status am_image_decode(const void *bytes, size_t size_bytes, const char *name, int64_t max_pixels,
                          am_image *out) AM_NODISCARD;

/* Maps a file and decodes it. */
am_status am_image_open(const char *path, int64_t max_pixels, am_image *out) AM_NODISCARD;

/* Several files on all threads; out: [count]. Fails as the first of those that fail; the others are there then. */
am_status am_image_open_all(const char *const *paths, int64_t count, int64_t max_pixels, am_image *out) AM_NODISCARD;

/* The same as PIL.Image.open and convert_to_rgb of transformers have it: not turned upright, what is transparent lies
   on white, and `channels` says how many there were: 1 (grey, palettes), 2 (grey with alpha), 3, or 4 (with alpha,
   CMYK). */
am_status am_image_decode_stored(const void *bytes, size_t size_bytes, const char *name, int64_t max_pixels,
                                 am_image *out) AM_NODISCARD;
am_status am_image_open_stored(const char *path, int64_t max_pixels, am_image *out) AM_NODISCARD;

/* Appends the image as an 8-bit RGB PNG file. */
am_status am_image_encode_png(const am_image *image, am_buffer *out) AM_NODISCARD;

#endif
