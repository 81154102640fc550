#include "media_support.h"

#include "media/drawing.h"

static void assert_color(const am_image *image, int64_t y, int64_t x, const uint8_t color[3])
{
    assert_memory_equal(image->pixels + 3 * (y * image->width + x), color, 3);
}

static void media_drawing__gives_neighbours_different_colors(void **state)
{
    const uint8_t red[3] = {255, 0, 0};
    uint8_t first[3], color[3], next[3];
    am_drawing_color(0, first);
    assert_memory_equal(first, red, 3);
    for (int64_t i = 0; i < 100; i++) {
        am_drawing_color(i, color);
        am_drawing_color(i + 1, next);
        int apart = abs(color[0] - next[0]) + abs(color[1] - next[1]) + abs(color[2] - next[2]);
        assert_true(apart > 200);
    }
}

/* What is drawn is in the file that is written. */
static void media_drawing__draws_the_outline_of_a_box(void **state)
{
    const uint8_t color[3] = {10, 200, 30}, black[3] = {0};
    am_image image, back;
    am_buffer file = {0};
    am_test_expect_ok(am_image_create(9, 7, &image));
    am_draw_box(&image, (am_drawn_box){2, 1, 8, 6}, 1, color);
    am_test_expect_ok(am_image_encode_png(&image, &file));
    am_test_expect_ok(am_image_decode(file.bytes, file.length, "box", 0, &back));
    for (int64_t y = 0; y < 7; y++)
        for (int64_t x = 0; x < 9; x++) {
            bool is_in = x >= 2 && x < 8 && y >= 1 && y < 6, is_edge = x == 2 || x == 7 || y == 1 || y == 5;
            assert_color(&back, y, x, is_in && is_edge ? color : black);
        }
    am_buffer_deinit(&file);
    am_image_deinit(&back);
    am_image_deinit(&image);
}

static void media_drawing__leaves_out_what_lies_outside(void **state)
{
    const uint8_t color[3] = {1, 2, 3}, black[3] = {0};
    am_image image;
    am_test_expect_ok(am_image_create(4, 4, &image));
    am_draw_box(&image, (am_drawn_box){-5, -5, 2, 2}, 1, color);
    assert_color(&image, 1, 1, color);
    assert_color(&image, 0, 0, black);
    am_draw_box(&image, (am_drawn_box){INT64_MIN / 4, 3, INT64_MAX / 4, 90}, 1, color);
    assert_color(&image, 3, 0, color);
    assert_color(&image, 2, 0, black);
    am_image_deinit(&image);
}

static void media_drawing__mixes_masks_and_spreads_greys(void **state)
{
    const uint8_t mask[4] = {0, 1, 0, 0}, color[3] = {255, 0, 100}, levels[4] = {0, 9, 200, 255};
    am_image image;
    am_test_expect_ok(am_image_of_greys(levels, 2, 2, &image));
    am_draw_mask(&image, mask, color);
    assert_color(&image, 0, 0, (uint8_t[]){0, 0, 0});
    assert_color(&image, 0, 1, (uint8_t[]){132, 5, 55});
    assert_color(&image, 1, 0, (uint8_t[]){200, 200, 200});
    assert_color(&image, 1, 1, (uint8_t[]){255, 255, 255});
    am_image_deinit(&image);
    am_test_expect_error(am_image_of_greys(levels, 0, 2, &image), AM_INVALID_ARGUMENT, "");
}
