#include "media_support.h"

#include "base/prng.h"
#include "base/threads.h"
#include "media/image_resize.h"

#include <math.h>

static am_image noise(int64_t width, int64_t height)
{
    am_image image;
    am_test_expect_ok(am_image_create(width, height, &image));
    for (int64_t i = 0; i < width * height * 3; i++) image.pixels[i] = (uint8_t)(am_uniform(42, (uint64_t)i) * 256.0);
    return image;
}

typedef am_status (*resizer)(const am_image *image, int64_t width, int64_t height, am_resample filter, am_image *out);

static am_status torch_smooth(const am_image *image, int64_t width, int64_t height, am_resample filter, am_image *out)
{
    return am_resize_torch(image, width, height, filter, true, out);
}

static am_status torch_plain(const am_image *image, int64_t width, int64_t height, am_resample filter, am_image *out)
{
    return am_resize_torch(image, width, height, filter, false, out);
}

static const resizer resizers[] = {am_resize_pil, torch_smooth, torch_plain};

static bool has_filter(resizer resize, am_resample filter)
{
    if (resize == am_resize_pil) return true;
    if (filter == AM_RESAMPLE_LANCZOS) return resize == torch_smooth;
    return filter != AM_RESAMPLE_BOX && filter != AM_RESAMPLE_HAMMING;
}

static void media_image_resize__one_color_stays_one_color(void **state)
{
    static const int64_t sizes[][2] = {{1, 1}, {7, 3}, {40, 25}, {3, 60}};
    am_image image;
    am_test_expect_ok(am_image_create(17, 23, &image));
    for (int i = 0; i < 17 * 23 * 3; i++) image.pixels[i] = (uint8_t)(i % 3 == 0 ? 255 : i % 3 == 1 ? 0 : 131);
    for (int r = 0; r < 3; r++) {
        for (int filter = 0; filter < AM_RESAMPLE_COUNT; filter++) {
            for (int s = 0; s < 4 && has_filter(resizers[r], (am_resample)filter); s++) {
                am_image out;
                am_test_expect_ok(resizers[r](&image, sizes[s][0], sizes[s][1], (am_resample)filter, &out));
                assert_int_equal(out.width, sizes[s][0]);
                assert_int_equal(out.height, sizes[s][1]);
                for (int64_t i = 0; i < out.width * out.height; i++)
                    assert_memory_equal(out.pixels + 3 * i, image.pixels, 3);
                am_image_deinit(&out);
            }
        }
    }
    am_image_deinit(&image);
}

static void media_image_resize__same_size_is_a_copy(void **state)
{
    am_image image = noise(9, 4), out;
    for (int filter = 0; filter < AM_RESAMPLE_COUNT; filter++) {
        am_test_expect_ok(am_resize_pil(&image, 9, 4, (am_resample)filter, &out));
        assert_memory_equal(out.pixels, image.pixels, 9 * 4 * 3);
        am_image_deinit(&out);
        am_test_expect_ok(am_resize_torch(&image, 9, 4, (am_resample)filter, true, &out));
        assert_memory_equal(out.pixels, image.pixels, 9 * 4 * 3);
        am_image_deinit(&out);
    }
    am_image_deinit(&image);
}

static am_image in_two_steps(const am_image *image, int64_t between_width, int64_t between_height, int64_t width,
                             int64_t height)
{
    am_image between, out;
    am_test_expect_ok(am_resize_pil(image, between_width, between_height, AM_RESAMPLE_BICUBIC, &between));
    am_test_expect_ok(am_resize_pil(&between, width, height, AM_RESAMPLE_BICUBIC, &out));
    am_image_deinit(&between);
    return out;
}

/* Pillow 13 goes down the columns first where the height shrinks by more than twice as many pixels as the
   width; the order changes the rounding between the passes. The pixels are Pillow's. */
static void media_image_resize__order_of_passes_follows_pillow(void **state)
{
    static const struct {
        int64_t height;
        bool columns_first;
        uint8_t pixel[3];
    } cases[] = {{36, false, {67, 166, 212}}, {35, true, {91, 151, 193}}};
    am_image image = noise(31, 40), out;
    for (size_t i = 0; i < 2; i++) {
        int64_t height = cases[i].height;
        am_image rows = in_two_steps(&image, 29, 40, 29, height),
                 columns = in_two_steps(&image, 31, height, 29, height);
        size_t bytes = (size_t)(29 * height * 3);
        am_test_expect_ok(am_resize_pil(&image, 29, height, AM_RESAMPLE_BICUBIC, &out));
        assert_memory_equal(out.pixels + 3 * 200, cases[i].pixel, 3);
        assert_memory_equal(out.pixels, cases[i].columns_first ? columns.pixels : rows.pixels, bytes);
        assert_memory_not_equal(rows.pixels, columns.pixels, bytes);
        am_image_deinit(&rows);
        am_image_deinit(&columns);
        am_image_deinit(&out);
    }
    am_image_deinit(&image);
}

static void media_image_resize__does_not_depend_on_threads(void **state)
{
    am_image image = noise(101, 203), one, three;
    int before = am_threads_count();
    am_test_expect_ok(am_threads_set(1));
    am_test_expect_ok(am_resize_pil(&image, 67, 45, AM_RESAMPLE_LANCZOS, &one));
    am_test_expect_ok(am_threads_set(3));
    am_test_expect_ok(am_resize_pil(&image, 67, 45, AM_RESAMPLE_LANCZOS, &three));
    assert_memory_equal(one.pixels, three.pixels, 67 * 45 * 3);
    am_test_expect_ok(am_threads_set(before));
    am_image_deinit(&image);
    am_image_deinit(&one);
    am_image_deinit(&three);
}

static void media_image_resize__floats_agree_with_bytes(void **state)
{
    am_image image = noise(24, 18), bytes;
    float in[3 * 24 * 18], out[3 * 11 * 30];
    for (int i = 0; i < 24 * 18; i++)
        for (int c = 0; c < 3; c++) in[c * 24 * 18 + i] = image.pixels[3 * i + c];
    am_plane_size from = {18, 24}, to = {30, 11};
    am_test_expect_ok(am_resize_torch_f32(in, 3, from, to, AM_RESAMPLE_BILINEAR, true, out));
    am_test_expect_ok(am_resize_torch(&image, 11, 30, AM_RESAMPLE_BILINEAR, true, &bytes));
    for (int i = 0; i < 11 * 30; i++)
        for (int c = 0; c < 3; c++) assert_true(fabsf(out[c * 330 + i] - bytes.pixels[3 * i + c]) < 1.1f);
    am_image_deinit(&bytes);
    am_image_deinit(&image);
}

static void media_image_resize__refuses_sizes(void **state)
{
    am_image image = noise(3, 3), out;
    am_test_expect_error(am_resize_pil(&image, 0, 5, AM_RESAMPLE_BOX, &out), AM_INVALID_ARGUMENT, "0x5");
    am_test_expect_error(am_resize_torch(&image, -2, 5, AM_RESAMPLE_NEAREST, true, &out), AM_INVALID_ARGUMENT, "-2x5");
    am_test_expect_error(am_resize_pil(&image, 1 << 20, 1 << 20, AM_RESAMPLE_BOX, &out), AM_INVALID_ARGUMENT,
                         "1048576x1048576");
    am_image_deinit(&image);
}

static void media_image_resize__names_filters_that_torch_has_not(void **state)
{
    am_image image = noise(3, 3), out;
    am_test_expect_error(am_resize_torch(&image, 5, 5, AM_RESAMPLE_BOX, true, &out), AM_UNSUPPORTED, "\"box\"");
    am_test_expect_error(am_resize_torch(&image, 5, 5, AM_RESAMPLE_HAMMING, true, &out), AM_UNSUPPORTED, "\"hamming\"");
    am_test_expect_error(am_resize_torch(&image, 5, 5, AM_RESAMPLE_LANCZOS, false, &out), AM_UNSUPPORTED,
                         "\"lanczos\"");
    am_image_deinit(&image);
}

/* Cells of whole pixels, as many as are wanted: their means are the answer, as in Pillow. */
static void media_image_resize__reducing_may_be_all(void **state)
{
    am_image image = noise(8, 6), out;
    am_test_expect_ok(am_resize_pil_reduced(&image, 4, 3, AM_RESAMPLE_BICUBIC, 1.0, &out));
    assert_int_equal(out.width, 4);
    assert_int_equal(out.height, 3);
    for (int64_t i = 0; i < 4 * 3 * 3; i++) {
        const uint8_t *cell = image.pixels + (i / 12 * 2 * 8 + i / 3 % 4 * 2) * 3 + i % 3;
        assert_int_equal(out.pixels[i], (cell[0] + cell[3] + cell[24] + cell[27] + 2) / 4);
    }
    am_image_deinit(&out);
    am_image_deinit(&image);
}

static am_status resize_once(void *context)
{
    am_image out;
    am_status status = am_resize_pil(context, 5, 30, AM_RESAMPLE_HAMMING, &out);
    am_image_deinit(&out);
    if (!status) status = am_resize_torch(context, 30, 5, AM_RESAMPLE_NEAREST, true, &out);
    am_image_deinit(&out);
    if (status) return status;
    float in[12] = {0}, result[8];
    am_plane_size from = {3, 4}, to = {2, 4};
    return am_resize_torch_f32(in, 1, from, to, AM_RESAMPLE_BICUBIC, false, result);
}

static void media_image_resize__leaks_nothing_when_memory_is_short(void **state)
{
    am_image image = noise(12, 13);
    am_test_expect_ok(am_threads_set(1));
    expect_clean_failures(resize_once, &image);
    am_test_expect_ok(am_threads_set(0));
    am_image_deinit(&image);
}

static void expect_same_planes(const am_image *image, am_plane_size to, am_resample filter, resizer resize)
{
    am_image out;
    am_plane_size from = {image->height, image->width};
    uint8_t *in = malloc((size_t)(from.height * from.width)), *plane = malloc((size_t)(to.height * to.width));
    am_test_expect_ok(resize(image, to.width, to.height, filter, &out));
    for (int c = 0; c < 3; c++) {
        for (int64_t i = 0; i < from.height * from.width; i++) in[i] = image->pixels[3 * i + c];
        am_test_expect_ok(resize == am_resize_pil
                              ? am_resize_pil_planes(in, 1, from, to, filter, 0.0, plane)
                              : am_resize_torch_planes(in, 1, from, to, filter, resize == torch_smooth, plane));
        for (int64_t i = 0; i < to.height * to.width; i++) assert_int_equal(plane[i], out.pixels[3 * i + c]);
    }
    am_image_deinit(&out);
    free(in);
    free(plane);
}

/* Rows are made sixteen at a time, in windows, of planes only; the largest shrinks more than a window at once. */
static void media_image_resize__planes_agree_with_pixels(void **state)
{
    static const am_plane_size sizes[][2] = {{{33, 50}, {17, 21}},  {{16, 1400}, {16, 700}}, {{35, 1300}, {40, 3}},
                                             {{5, 9}, {31, 64}},    {{20, 2600}, {18, 2}},   {{2100, 17}, {2, 33}},
                                             {{48, 640}, {48, 641}}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        am_image image = noise(sizes[s][0].width, sizes[s][0].height);
        for (int r = 0; r < 3; r++)
            for (int filter = 0; filter < AM_RESAMPLE_COUNT; filter++)
                if (has_filter(resizers[r], (am_resample)filter))
                    expect_same_planes(&image, sizes[s][1], (am_resample)filter, resizers[r]);
        am_image_deinit(&image);
    }
}
