#include "media/drawing.h"

#include <math.h>
#include <string.h>

/* Hues a golden section of the circle apart, fully saturated. */
void am_drawing_color(int64_t i, uint8_t out[3])
{
    double hue = fmod((double)i * 0.61803398874989485, 1.0) * 6.0;
    for (int c = 0; c < 3; c++) {
        double away = fabs(fmod(hue - 2.0 * c + 9.0, 6.0) - 3.0); /* from the primary colour c, 0 to 3 */
        double level = fmin(fmax(2.0 - away, 0.0), 1.0);
        out[c] = (uint8_t)(255.0 * level + 0.5);
    }
}

static int64_t clip(int64_t at, int64_t end)
{
    return at < 0 ? 0 : at > end ? end : at;
}

static void fill(am_image *image, am_drawn_box box, const uint8_t color[3])
{
    int64_t left = clip(box.left, image->width), right = clip(box.right, image->width);
    for (int64_t y = clip(box.top, image->height); y < clip(box.bottom, image->height); y++)
        for (int64_t x = left; x < right; x++) memcpy(image->pixels + 3 * (y * image->width + x), color, 3);
}

void am_draw_box(am_image *image, am_drawn_box box, int64_t thickness, const uint8_t color[3])
{
    int64_t t = thickness;
    fill(image, (am_drawn_box){box.left, box.top, box.right, box.top + t}, color);
    fill(image, (am_drawn_box){box.left, box.bottom - t, box.right, box.bottom}, color);
    fill(image, (am_drawn_box){box.left, box.top, box.left + t, box.bottom}, color);
    fill(image, (am_drawn_box){box.right - t, box.top, box.right, box.bottom}, color);
}

void am_draw_mask(am_image *image, const uint8_t *mask, const uint8_t color[3])
{
    for (int64_t i = 0; i < image->width * image->height; i++)
        for (int c = 0; c < 3 && mask[i]; c++)
            image->pixels[3 * i + c] = (uint8_t)((image->pixels[3 * i + c] + color[c] + 1) / 2);
}

am_status am_image_of_greys(const uint8_t *levels, int64_t height, int64_t width, am_image *out)
{
    AM_TRY(am_image_create(width, height, out));
    for (int64_t i = 0; i < width * height; i++) memset(out->pixels + 3 * i, levels[i], 3);
    return NULL;
}
