/* Numbers are those of OpenCV 5.0.0. */
#include "media_support.h"

#include "media/post_processing/rotated_rectangle.h"

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof *(array)))

/* A ring with a pixel inside, a pixel on its own and a small ring of pixels that touch by corners. */
static const char picture[] = "0000000000"
                              "0111110010"
                              "0100010000"
                              "0101010110"
                              "0100010111"
                              "0111110010"
                              "0000000001";

static void find(bool outer, am_contours *out)
{
    uint8_t mask[70];
    for (size_t i = 0; i < sizeof mask; i++) mask[i] = picture[i] == '1';
    am_test_expect_ok(am_contours_find(mask, (am_plane_size){7, 10}, outer, out));
}

static void expect_contour(const am_contours *found, int64_t i, const am_pixel *points, int64_t count, double area)
{
    int64_t length;
    const am_pixel *border = am_contours_get(found, i, &length);
    assert_int_equal(length, count);
    assert_memory_equal(border, points, (size_t)count * sizeof *points);
    assert_true(am_contour_area(border, length) == area);
}

static void media_contours__follow_the_borders_of_parts_and_holes(void **state)
{
    const am_pixel ring[] = {{1, 1}, {1, 5}, {5, 5}, {5, 1}}, single[] = {{8, 1}}, inside[] = {{3, 3}};
    const am_pixel hole[] = {{1, 2}, {2, 1}, {4, 1}, {5, 2}, {5, 4}, {4, 5}, {2, 5}, {1, 4}};
    const am_pixel other[] = {{7, 3}, {7, 4}, {9, 6}, {8, 5}, {9, 4}, {8, 3}};
    am_contours found;
    find(true, &found);
    assert_int_equal(found.count, 3);
    expect_contour(&found, 0, ring, COUNT(ring), 16.0);
    expect_contour(&found, 1, single, COUNT(single), 0.0);
    expect_contour(&found, 2, other, COUNT(other), 2.5);
    am_contours_deinit(&found);
    find(false, &found);
    assert_int_equal(found.count, 5);
    expect_contour(&found, 2, hole, COUNT(hole), 14.0);
    expect_contour(&found, 3, inside, COUNT(inside), 0.0);
    am_contours_deinit(&found);
}

static void media_contours__of_nothing_are_none(void **state)
{
    const uint8_t mask[6] = {0};
    am_contours found;
    am_test_expect_ok(am_contours_find(mask, (am_plane_size){2, 3}, false, &found));
    assert_int_equal(found.count, 0);
    am_contours_deinit(&found);
}

static void media_contours__simplify_to_the_points_that_matter(void **state)
{
    const am_pixel circle[] = {{35, 20}, {34, 23}, {32, 27}, {30, 30}, {27, 32}, {23, 34}, {20, 35}, {16, 34},
                               {12, 32}, {9, 30},  {7, 27},  {5, 23},  {5, 20},  {5, 16},  {7, 12},  {9, 9},
                               {12, 7},  {16, 5},  {19, 5},  {23, 5},  {27, 7},  {30, 9},  {32, 12}, {34, 16}};
    const am_pixel expected[] = {{35, 20}, {30, 30}, {20, 35}, {9, 30}, {5, 16}, {12, 7}, {23, 5}, {30, 9}};
    am_pixel out[COUNT(circle)];
    int64_t count;
    am_test_expect_ok(am_contour_simplify(circle, COUNT(circle), 2.0, out, &count));
    assert_int_equal(count, COUNT(expected));
    assert_memory_equal(out, expected, sizeof expected);
    am_test_expect_ok(am_contour_simplify(circle, 1, 2.0, out, &count));
    assert_int_equal(count, 1);
}

static void media_contours__lie_in_the_smallest_rectangle(void **state)
{
    const am_pixel points[] = {{3, 1}, {11, 4}, {9, 9}, {1, 6}, {4, 4}};
    const am_rotated_rectangle expected = {{6.0f, 5.0f}, 0x1.5891b4p+2f, 0x1.152748p+3f, -0x1.15c69cp+6f};
    const am_point corners[4] = {{9.109588623046875f, 9.041095733642578f},
                                 {0.9999996423721313f, 6.0f},
                                 {2.890410900115967f, 0.9589040279388428f},
                                 {11.0f, 3.999999761581421f}};
    am_rotated_rectangle found;
    am_point out[4];
    am_test_expect_ok(am_smallest_rectangle_of_pixels(points, COUNT(points), &found));
    assert_memory_equal(&found, &expected, sizeof found);
    am_rotated_rectangle_corners(&found, out);
    assert_memory_equal(out, corners, sizeof out);
    am_test_expect_ok(am_smallest_rectangle_of_pixels(points, 1, &found));
    assert_true(found.center.x == 3.0f && found.width == 0.0f && found.height == 0.0f);
}

static void media_contours__fill_quadrilaterals_that_go_beyond(void **state)
{
    const am_pixel corners[4] = {{-3, 2}, {4, -2}, {11, 3}, {3, 8}};
    static const char expected[] = "011111100"
                                   "111111110"
                                   "111111111"
                                   "111111111"
                                   "111111111"
                                   "111111110";
    uint8_t mask[54] = {0};
    am_fill_quadrilateral(corners, (am_plane_size){6, 9}, mask);
    for (size_t i = 0; i < sizeof mask; i++) assert_int_equal(mask[i], expected[i] == '1');
}
