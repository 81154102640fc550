#include "media_support.h"

#include <stdio.h>

static const char *const samples[] = {
    "adam7.png",
    "animated.gif",
    "animated.webp",
    "big.tiff",
    "bilevel.bmp",
    "bilevel_group4.tiff",
    "cmyk.tiff",
    "core_header.bmp",
    "depth16_type0.png",
    "depth16_type2.png",
    "depth16_type4.png",
    "depth16_type6.png",
    "depth1_type0.png",
    "depth2_type0.png",
    "depth2_type3.png",
    "depth4_type0.png",
    "exif6.webp",
    "float.tiff",
    "float_white_is_zero.tiff",
    "frame_beyond_screen.gif",
    "gray.bmp",
    "gray.tiff",
    "gray12.tiff",
    "gray16.tiff",
    "interlaced.gif",
    "la.tiff",
    "lossless_alpha.webp",
    "lossy.webp",
    "orientation1.png",
    "orientation2.png",
    "orientation3.png",
    "orientation4.png",
    "orientation5.png",
    "orientation6.png",
    "orientation6.tiff",
    "orientation7.png",
    "orientation8.png",
    "palette.bmp",
    "palette.tiff",
    "palette4.bmp",
    "plain.gif",
    "plain.pbm",
    "plain.pgm",
    "plain.ppm",
    "plain16.pgm",
    "planes.tiff",
    "premultiplied.tiff",
    "raw.pbm",
    "raw.pgm",
    "raw.ppm",
    "raw16.pgm",
    "raw16.ppm",
    "raw_exif3.png",
    "raw_exif6.png",
    "raw_of_3000.pgm",
    "raw_of_50.pgm",
    "raw_of_7.ppm",
    "rgb.bmp",
    "rgb16_big_endian.tiff",
    "rgb_packbits.tiff",
    "rgb_raw.tiff",
    "rgb_tiff_adobe_deflate.tiff",
    "rgb_tiff_lzw.tiff",
    "rgba.bmp",
    "rgba.tiff",
    "rgbx32.bmp",
    "rle4.bmp",
    "rle8.bmp",
    "signed16.tiff",
    "signed16_big_endian.tiff",
    "signed32.tiff",
    "signed32_big_endian.tiff",
    "signed8.tiff",
    "strips.tiff",
    "tiles.tiff",
    "top_down.bmp",
    "transparent.gif",
    "unsigned32.tiff",
    "white_is_zero1.tiff",
    "white_is_zero2.tiff",
    "white_is_zero4.tiff",
    "white_is_zero8.tiff",
    "words555.bmp",
    "words565.bmp",
    "xmp8.jpg",
    "ycbcr.tiff",
    "ycbcr_lzw.tiff",
};

enum { SAMPLES = sizeof samples / sizeof *samples };

static am_image open_sample(const char *name)
{
    am_image image;
    am_test_expect_ok(am_image_open(media_data(am_test_format("formats/%s", name)), 0, &image));
    return image;
}

static void expect_same_pixels(const am_image *a, const am_image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_memory_equal(a->pixels, b->pixels, (size_t)(a->width * a->height * 3));
}

static void expect_as_recorded(const char *name)
{
    am_image found = open_sample(name), expected = open_sample(am_test_format("%s.expected.png", name));
    expect_same_pixels(&found, &expected);
    am_image_deinit(&found);
    am_image_deinit(&expected);
}

static void media_image__decodes_webp(void **state)
{
    expect_as_recorded("lossy.webp");
    expect_as_recorded("lossless_alpha.webp");
    expect_as_recorded("animated.webp");
}

static void media_image__decodes_gif(void **state)
{
    expect_as_recorded("interlaced.gif");
    expect_as_recorded("plain.gif");
    expect_as_recorded("transparent.gif");
    expect_as_recorded("animated.gif");
}

static void media_image__puts_a_gif_frame_where_it_belongs(void **state)
{
    expect_as_recorded("frame_beyond_screen.gif");
    am_image image = open_sample("frame_beyond_screen.gif");
    assert_int_equal(image.width, 13); /* the screen is 9x7, the frame 10x4 from (3, 2) */
    assert_int_equal(image.height, 7);
    am_image_deinit(&image);
}

static void media_image__decodes_every_depth_of_png(void **state)
{
    for (int i = 0; i < SAMPLES; i++) {
        if (strncmp(samples[i], "depth", 5) == 0) expect_as_recorded(samples[i]);
    }
}

static void expect_all_as_recorded(const char *ending)
{
    int count = 0;
    for (int i = 0; i < SAMPLES; i++) {
        if (!strstr(samples[i], ending)) continue;
        expect_as_recorded(samples[i]);
        count++;
    }
    assert_true(count > 0);
}

static void media_image__decodes_tiff(void **state)
{
    expect_all_as_recorded(".tiff");
}

static void media_image__decodes_bmp(void **state)
{
    expect_all_as_recorded(".bmp");
}

static void media_image__decodes_portable_maps(void **state)
{
    expect_all_as_recorded(".pbm");
    expect_all_as_recorded(".pgm");
    expect_all_as_recorded(".ppm");
}

static void media_image__decodes_interlaced_png(void **state)
{
    expect_as_recorded("adam7.png");
}

static void media_image__turns_pictures_upright(void **state)
{
    for (int orientation = 1; orientation <= 8; orientation++)
        expect_as_recorded(am_test_format("orientation%d.png", orientation));
    expect_as_recorded("exif6.webp");
    expect_as_recorded("raw_exif3.png");
    expect_as_recorded("raw_exif6.png");
    expect_as_recorded("xmp8.jpg");
    am_image image = open_sample("orientation6.png");
    assert_int_equal(image.width, 5); /* stored as 8x5 */
    assert_int_equal(image.height, 8);
    am_image_deinit(&image);
}

static am_image open_recorded(const char *name)
{
    am_image image;
    am_test_expect_ok(am_image_open(media_data(am_test_format("image_processors/images/%s", name)), 0, &image));
    return image;
}

static void media_image__decodes_progressive_jpeg(void **state)
{
    am_image image = open_recorded("progressive_64x48.jpg");
    assert_int_equal(image.width, 64);
    assert_int_equal(image.height, 48);
    am_image_deinit(&image);
}

static void media_image__remembers_the_transparent_color(void **state)
{
    am_image image = open_sample("transparent.gif");
    assert_true(image.has_transparent_color);
    am_image_deinit(&image);
    image = open_recorded("palette_trns_32x20.png");
    assert_true(image.has_transparent_color);
    am_image_deinit(&image);
    image = open_sample("plain.gif");
    assert_false(image.has_transparent_color);
    am_image_deinit(&image);
    image = open_recorded("rgba_33x21.png"); /* alpha that has been dropped is no such color */
    assert_false(image.has_transparent_color);
    am_image_deinit(&image);
}

static void media_image__png_comes_back_as_it_was_written(void **state)
{
    am_image image, again;
    am_buffer file = {0};
    am_test_expect_ok(am_image_create(37, 11, &image));
    for (int i = 0; i < 37 * 11 * 3; i++) image.pixels[i] = (uint8_t)(i * i % 251);
    am_test_expect_ok(am_image_encode_png(&image, &file));
    am_test_expect_ok(am_image_decode(file.bytes, file.length, "again", 0, &again));
    expect_same_pixels(&image, &again);
    am_image_deinit(&image);
    am_image_deinit(&again);
    am_buffer_deinit(&file);
}

static void media_image__writing_passes_on_the_buffers_limit(void **state)
{
    am_image image;
    am_buffer file = {.limit_bytes = 20};
    am_test_expect_ok(am_image_create(4, 4, &image));
    am_test_expect_error(am_image_encode_png(&image, &file), AM_OUT_OF_MEMORY, "20 bytes");
    am_buffer_deinit(&file);
    am_image_deinit(&image);
}

static void expect_decode_error(const void *bytes, size_t size_bytes, am_code code, const char *part)
{
    am_image image;
    am_test_expect_error(am_image_decode(bytes, size_bytes, "x.img", 0, &image), code, part);
    assert_null(image.pixels);
}

static void media_image__names_what_it_does_not_know(void **state)
{
    expect_decode_error("", 0, AM_INVALID_FILE, "x.img: an empty file");
    expect_decode_error("B!\x01\xff", 4, AM_UNSUPPORTED,
                        "x.img: no PNG, JPEG, WebP, GIF, TIFF, BMP or PNM image: it begins with 42 21 01 ff");
    expect_decode_error("RIFF\x04\0\0\0WAVE", 12, AM_UNSUPPORTED, "52 49 46 46");
    am_image image;
    am_test_expect_error(am_image_open("/nowhere/a.png", 0, &image), AM_NOT_FOUND, "/nowhere/a.png");
}

/* A PNG that ends after its header chunk. */
static size_t png_header(uint8_t out[33], uint32_t width, uint32_t height)
{
    memcpy(out, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    for (int i = 0; i < 4; i++) {
        out[16 + i] = (uint8_t)(width >> (24 - 8 * i));
        out[20 + i] = (uint8_t)(height >> (24 - 8 * i));
    }
    memcpy(out + 24, "\x08\x02\0\0\0CRC!", 9);
    return 33;
}

static void media_image__refuses_sizes_in_png_headers(void **state)
{
    uint8_t file[33];
    size_t length = png_header(file, 0, 0);
    expect_decode_error(file, length, AM_INVALID_FILE, "0x0 pixels, an empty image");
    length = png_header(file, 65535, 65535);
    int64_t allocations = am_memory_allocations();
    expect_decode_error(file, length, AM_OUT_OF_MEMORY, "65535x65535 pixels, more than the limit of 178956970");
    assert_in_range(am_memory_allocations() - allocations, 0, 8); /* of the message alone */
    length = png_header(file, 4000000000u, 4000000000u);
    expect_decode_error(file, length, AM_OUT_OF_MEMORY, "4000000000x4000000000");
}

static void media_image__refuses_sizes_in_jpeg_headers(void **state)
{
    am_image image;
    size_t length;
    char *file = am_test_read_file(media_data("formats/xmp8.jpg"), &length);
    size_t at = 0;
    while (memcmp(file + at, "\xff\xc0", 2) != 0) at++; /* SOF0: length, precision, height, width */
    memcpy(file + at + 5, "\xff\xdc\xff\xdc", 4);
    am_test_expect_error(am_image_decode(file, length, "huge.jpg", 0, &image), AM_OUT_OF_MEMORY,
                         "huge.jpg: JPEG: the header");
    memcpy(file + at + 5, "\xff\xff\xff\xff", 4);
    am_test_expect_error(am_image_decode(file, length, "huge.jpg", 0, &image), AM_INVALID_FILE, "65500");
    memcpy(file + at + 5, "\0\0\0\0", 4);
    am_test_expect_error(am_image_decode(file, length, "none.jpg", 0, &image), AM_UNSUPPORTED, "none.jpg: JPEG: Empty");
    free(file);
}

static void media_image__refuses_sizes_in_gif_headers(void **state)
{
    /* screen, no palette, then a frame of the same size */
    static const char huge[] = "GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;";
    static const char none[] = "GIF89a\0\0\0\0\0\0\0,\0\0\0\0\0\0\0\0\0\x02\x02\x4c\x01\0;";
    expect_decode_error(huge, sizeof huge - 1, AM_OUT_OF_MEMORY, "65535x65535");
    expect_decode_error(none, sizeof none - 1, AM_INVALID_FILE, "0x0");
}

static void media_image__refuses_sizes_in_webp_headers(void **state)
{
    static const uint8_t huge[] = "RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0\0\0\0\0";
    am_image image;
    am_test_expect_error(am_image_decode(huge, sizeof huge - 1, "huge.webp", 1000, &image), AM_OUT_OF_MEMORY,
                         "16384x16384 pixels, more than the limit of 1000");
}

/* A few bytes that claim 60000 x 60000 pixels. */
static void media_image__refuses_sizes_in_headers_of_plain_formats(void **state)
{
    static const uint8_t bmp[] = "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x60\xea\0\0\x60\xea\0\0\1\0\x18\0\0\0\0"
                                 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    static const uint8_t tiff[] = "II*\0\x08\0\0\0\3\0\0\1\4\0\1\0\0\0\x60\xea\0\0\1\1\4\0\1\0\0\0\x60\xea\0\0"
                                  "\x11\1\4\0\1\0\0\0\x08\0\0\0\0\0\0";
    static const char ppm[] = "P6 60000 60000 255\n", none[] = "P4\n0 7\n", long_number[] = "P5 12345678901 1 255\n";
    int64_t allocations = am_memory_allocations();
    expect_decode_error(bmp, sizeof bmp - 1, AM_OUT_OF_MEMORY, "60000x60000 pixels, more than the limit");
    expect_decode_error(ppm, sizeof ppm - 1, AM_OUT_OF_MEMORY, "60000x60000 pixels, more than the limit");
    expect_decode_error(tiff, sizeof tiff - 1, AM_OUT_OF_MEMORY, "60000x60000 pixels, more than the limit");
    assert_in_range(am_memory_allocations() - allocations, 0, 24); /* of the messages alone */
    expect_decode_error(none, sizeof none - 1, AM_INVALID_FILE, "an empty image");
    expect_decode_error(long_number, sizeof long_number - 1, AM_INVALID_FILE, "expected a number");
}

static void media_image__keeps_to_the_callers_limit(void **state)
{
    am_image image;
    const char *path = media_data("formats/adam7.png"); /* 9x11 */
    am_test_expect_error(am_image_open(path, 98, &image), AM_OUT_OF_MEMORY, "9x11 pixels, more than the limit of 98");
    am_test_expect_ok(am_image_open(path, 99, &image));
    am_image_deinit(&image);
}

/* Every beginning of a file either fails, saying so, or holds all pixels. */
static void expect_truncation_is_seen(const char *path)
{
    size_t length, good = 0;
    char *file = am_test_read_file(path, &length);
    am_image whole;
    am_test_expect_ok(am_image_decode(file, length, "whole", 0, &whole));
    for (size_t cut = 0; cut < length; cut++) {
        am_image image;
        uint8_t *copy = exact_copy(file, cut);
        am_status status = am_image_decode(copy, cut, "cut", 0, &image);
        if (!status) {
            expect_same_pixels(&image, &whole);
            am_image_deinit(&image);
            good++;
        } else {
            am_code code = am_status_code(status);
            assert_true(code == AM_INVALID_FILE || (code == AM_UNSUPPORTED && cut < 12));
            am_status_free(status);
        }
        free(copy);
    }
    assert_true(good * 3 < length); /* the end of a PNG or an animation may go unmissed, its picture not */
    am_image_deinit(&whole);
    free(file);
}

static void media_image__sees_truncated_files(void **state)
{
    static const char *const names[] = {"lossy.webp",        "lossless_alpha.webp", "interlaced.gif", "plain.gif",
                                        "xmp8.jpg",          "depth16_type6.png",   "adam7.png",      "strips.tiff",
                                        "rgb_tiff_lzw.tiff", "palette4.bmp",        "rle4.bmp",       "rgb.bmp",
                                        "raw.pbm",           "raw16.ppm",           "plain.pbm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        expect_truncation_is_seen(media_data(am_test_format("formats/%s", names[i])));
    expect_truncation_is_seen(media_data("image_processors/images/progressive_64x48.jpg"));
    expect_truncation_is_seen(media_data("image_processors/images/cmyk_40x30.jpg"));
}

static void media_image__survives_changed_bytes(void **state)
{
    int failures = 0;
    for (int s = 0; s < SAMPLES; s++) {
        size_t length;
        char *file = am_test_read_file(media_data(am_test_format("formats/%s", samples[s])), &length);
        for (size_t at = 0; at < length; at++) {
            uint8_t *copy = exact_copy(file, length);
            copy[at] ^= (uint8_t)(1u << (at * 5 % 8));
            am_image image;
            am_status status = am_image_decode(copy, length, "changed", 1 << 20, &image);
            failures += status != NULL;
            am_status_free(status);
            am_image_deinit(&image);
            free(copy);
        }
        free(file);
    }
    assert_true(failures > 1000);
}

typedef struct decode_call {
    const char *file;
    size_t length;
} decode_call;

static am_status decode_once(void *context)
{
    const decode_call *call = context;
    am_image image;
    am_status status = am_image_decode(call->file, call->length, "file", 0, &image);
    if (status) assert_null(image.pixels);
    am_image_deinit(&image);
    return status;
}

static void media_image__leaks_nothing_when_memory_is_short(void **state)
{
    static const char *const names[] = {"formats/exif6.webp",
                                        "formats/animated.webp",
                                        "formats/plain.gif",
                                        "formats/xmp8.jpg",
                                        "formats/depth16_type0.png",
                                        "formats/adam7.png",
                                        "formats/orientation6.png",
                                        "image_processors/images/cmyk_40x30.jpg",
                                        "formats/rle8.bmp",
                                        "formats/rgba.bmp",
                                        "formats/raw.ppm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        decode_call call;
        char *file = am_test_read_file(media_data(names[i]), &call.length);
        call.file = file;
        expect_clean_failures(decode_once, &call);
        free(file);
    }
}

static am_status encode_once(void *context)
{
    am_buffer file = {0};
    am_status status = am_image_encode_png(context, &file);
    am_buffer_deinit(&file);
    return status;
}

static void media_image__writing_leaks_nothing_when_memory_is_short(void **state)
{
    am_image image = open_sample("plain.gif");
    expect_clean_failures(encode_once, &image);
    am_image_deinit(&image);
}

static void media_image__makes_no_image_without_pixels(void **state)
{
    am_image image;
    am_test_expect_error(am_image_create(0, 5, &image), AM_INVALID_ARGUMENT, "0x5");
    am_test_expect_error(am_image_create(5, -1, &image), AM_INVALID_ARGUMENT, "5x-1");
    am_test_expect_error(am_image_create(INT64_MAX, INT64_MAX, &image), AM_INVALID_ARGUMENT, "178956970");
}
