/* What the decoders of image.c share; for src/media/image_*.c alone. */
#ifndef AM_MEDIA_IMAGE_CODECS_H
#define AM_MEDIA_IMAGE_CODECS_H

#include "media/image.h"

typedef struct am_image_source {
    const uint8_t *bytes;
    size_t size_bytes;
    int64_t max_pixels;
    bool as_stored; /* alpha is put on white, and `channels` is told */
} am_image_source;

/* Decode into *out (all zeros before), whose pixels the caller frees also when it failed. *orientation is 1
   before; a decoder puts what the file says there, 1 to 8 as in Exif. */
am_status am_image_decode_png(const am_image_source *source, am_image *out, int *orientation) AM_NODISCARD;
am_status am_image_decode_jpeg(const am_image_source *source, am_image *out, int *orientation) AM_NODISCARD;
am_status am_image_decode_webp(const am_image_source *source, am_image *out, int *orientation) AM_NODISCARD;
am_status am_image_decode_gif(const am_image_source *source, am_image *out, int *orientation) AM_NODISCARD;
am_status am_image_decode_tiff(const am_image_source *source, am_image *out, int *orientation) AM_NODISCARD;
am_status am_image_decode_bmp(const am_image_source *source, am_image *out, int *orientation) AM_NODISCARD;
am_status am_image_decode_pnm(const am_image_source *source, am_image *out, int *orientation) AM_NODISCARD;

/* Whether width x height pixels may be decoded: AM_INVALID_FILE when there are none, AM_OUT_OF_MEMORY
   over the limit. */
am_status am_image_check_size(const am_image_source *source, int64_t width, int64_t height) AM_NODISCARD;

/* Pixels red, green, blue, alpha on white as PIL.Image.alpha_composite has it, to [count, 3]. */
void am_image_put_on_white(const uint8_t *pixels, int64_t count, uint8_t *out);

/* Inverted CMYK, 255 - ink, [count, 4] to red, green, blue [count, 3] as PIL makes it. */
void am_image_inks_to_rgb(const uint8_t *inks, int64_t count, uint8_t *rgb);

/* The orientation in a TIFF structure (with "Exif\0\0" before it or not), 0 when there is none. Exif
   2.32, 4.6.4. */
int am_exif_orientation(const uint8_t *bytes, size_t size_bytes);

/* tiff:Orientation in an XMP packet, 0 when there is none. */
int am_xmp_orientation(const uint8_t *bytes, size_t size_bytes);

#endif
