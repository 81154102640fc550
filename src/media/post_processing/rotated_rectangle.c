#include "media/post_processing/rotated_rectangle.h"

#include "base/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* --- convex hulls --- */

/* A point of the input. Pixels are exact in double, other points are floats. */
typedef struct hull_point {
    double x, y;
    int64_t index;
} hull_point;

typedef struct hull {
    const hull_point *points; /* from left to right, those of one column from low to high y */
    bool is_exact;            /* pixels */
    int64_t *places;          /* the corners found, in points; room for twice as many as there are points */
    int64_t count;
} hull;

static int by_place(const void *a, const void *b)
{
    const hull_point *p = a, *q = b;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    if (p->y != q->y) return p->y < q->y ? -1 : 1;
    return (p->index > q->index) - (p->index < q->index);
}

static int sign_of(double x)
{
    return (x > 0.0) - (x < 0.0);
}

static bool is_same(const hull_point *p, const hull_point *q)
{
    return p->x == q->x && p->y == q->y;
}

/* Makes the length 1, in float, as it is stored there. */
static void normalize(double *x, double *y)
{
    double length = sqrt(*x * *x + *y * *y), scale = length != 0.0 ? 1.0 / length : 0.0;
    *x = (double)(float)(*x * scale);
    *y = (double)(float)(*y * scale);
}

/* Which way the line from a by b to c turns there; 0 also where it does not leave a. */
static int turn_of(const hull *h, const hull_point *a, const hull_point *b, const hull_point *c)
{
    double ax = b->x - a->x, ay = b->y - a->y, bx = c->x - b->x, by = c->y - b->y;
    if (!h->is_exact) {
        ax = (double)(float)ax, ay = (double)(float)ay, bx = (double)(float)bx, by = (double)(float)by;
        normalize(&ax, &ay);
        normalize(&bx, &by);
    }
    return ax == 0.0 && ay == 0.0 ? 0 : sign_of(ay * bx - ax * by);
}

/* A quarter of the hull: from an end of the row of points to the lowest or highest one (Sklansky 1982). Points that go
   back, whose y differs from that of the last corner by `backward`, are passed over. Places into out; returns how many.
 */
static int64_t find_quarter(const hull *h, int64_t begin, int64_t end, int backward, int turn, int64_t *out)
{
    const hull_point *p = h->points;
    int64_t step = end > begin ? 1 : -1, count = 2;
    out[0] = begin;
    if (begin == end || is_same(&p[begin], &p[end])) return 1;
    out[1] = begin + step;
    for (int64_t next = begin + 2 * step; next != end + step;) {
        const hull_point *last = &p[out[count - 1]];
        bool is_passed = sign_of(p[next].y - last->y) == backward;
        if (is_passed) next += step;
        else if (turn_of(h, &p[out[count - 2]], last, &p[next]) == turn) {
            out[count++] = next;
            next += step;
        } else if (count == 2) {
            out[1] = next;
            next += step;
        } else count--;
    }
    return count;
}

/* Appends quarter a but its end, then b backwards but its end, which is the begin of what follows. */
static void append_quarters(hull *h, const int64_t *a, int64_t a_count, const int64_t *b, int64_t b_count)
{
    for (int64_t i = 0; i + 1 < a_count; i++) h->places[h->count++] = a[i];
    for (int64_t i = b_count - 1; i > 0; i--) h->places[h->count++] = b[i];
}

/* Whether both halves are one line, there and back: the first corners behind their begins are one point. */
static bool is_line(const hull *h, int64_t high, int64_t low)
{
    return high >= 0 && low >= 0 && is_same(&h->points[high], &h->points[low]);
}

/* All four quarters, from the right by the highest y to the left and back by the lowest; scratch has room for total
 * + 4. */
static void find_halves(hull *h, int64_t total, int64_t *scratch)
{
    int64_t lowest = 0, highest = 0, *a = scratch, *b;
    for (int64_t i = 1; i < total; i++) {
        if (h->points[i].y < h->points[lowest].y) lowest = i;
        if (h->points[i].y > h->points[highest].y) highest = i;
    }
    int64_t a_count = find_quarter(h, 0, highest, -1, 1, a);
    b = a + a_count;
    int64_t b_count = find_quarter(h, total - 1, highest, -1, -1, b);
    append_quarters(h, b, b_count, a, a_count);
    int64_t high = a_count > 2 ? a[1] : b_count > 2 ? b[b_count - 2] : -1;
    a_count = find_quarter(h, 0, lowest, 1, -1, a);
    b = a + a_count;
    b_count = find_quarter(h, total - 1, lowest, 1, 1, b);
    int64_t low = a_count > 2 ? a[1] : a_count + b_count > 2 ? b[2 - a_count] : -1;
    if (is_line(h, high, low)) {
        a_count = a_count < 2 ? a_count : 2;
        b_count = b_count < 2 ? b_count : 2;
    }
    append_quarters(h, a, a_count, b, b_count);
}

/* Where the corners begin: with the first of the points, or the last, where all follow each other as in the input, or
   in the opposite order. */
static int64_t find_begin(const hull *h)
{
    const hull_point *p = h->points;
    int64_t least = 0, most = 0, rises = 0, n = h->count;
    for (int64_t i = 0; i < n; i++) {
        int64_t index = p[h->places[i]].index;
        if (p[h->places[(i + 1) % n]].index > index) rises++;
        if (index < p[h->places[least]].index) least = i;
        if (index > p[h->places[most]].index) most = i;
    }
    if (n < 3) return 0;
    return rises == n - 1 ? least : rises == 1 ? most : 0;
}

/* Corners of the convex hull of sorted points into out, which has room for 2 * total. */
static am_status find_hull(const hull_point *points, int64_t total, bool is_exact, am_point *out, int64_t *count)
{
    int64_t *places = am_alloc_zeroed((size_t)total * 3 + 8, sizeof *places);
    hull h = {points, is_exact, places, 0};
    if (!places) return am_out_of_memory();
    if (is_same(&points[0], &points[total - 1])) h.places[h.count++] = 0;
    else find_halves(&h, total, places + 2 * total);
    int64_t begin = find_begin(&h);
    for (int64_t i = 0; i < h.count; i++) {
        const hull_point *p = &points[h.places[(begin + i) % h.count]];
        out[i] = (am_point){(float)p->x, (float)p->y};
    }
    *count = h.count;
    am_free(places);
    return NULL;
}

/* --- rotating calipers --- */

/* What touches the hull: four lines, at right angles, through a corner each. */
enum { BOTTOM, RIGHT, TOP, LEFT };

typedef struct calipers {
    const am_point *points; /* corners of the hull */
    am_point *sides;        /* from each corner to the next */
    int64_t count;
    int64_t at[4];
    am_point base; /* direction of the lines at BOTTOM and TOP, length 1 */
} calipers;

/* Which corner is lowest, rightmost and so on, the first of equal ones. */
static void find_extremes(calipers *c)
{
    for (int64_t i = 1; i < c->count; i++) {
        am_point p = c->points[i];
        if (p.x < c->points[c->at[LEFT]].x) c->at[LEFT] = i;
        if (p.x > c->points[c->at[RIGHT]].x) c->at[RIGHT] = i;
        if (p.y > c->points[c->at[TOP]].y) c->at[TOP] = i;
        if (p.y < c->points[c->at[BOTTOM]].y) c->at[BOTTOM] = i;
    }
}

/* The side at a line, turned back by the right angles that are between that line and BOTTOM. */
static am_point turned_side(const calipers *c, int line)
{
    am_point side = c->sides[c->at[line]];
    const am_point turned[4] = {side, {side.y, -side.x}, {-side.x, -side.y}, {-side.y, side.x}};
    return turned[line];
}

/* Turns all lines by the least angle that lays one of them on a side. */
static void rotate(calipers *c)
{
    int line = BOTTOM;
    am_point best = turned_side(c, BOTTOM);
    for (int i = RIGHT; i <= LEFT; i++) {
        am_point side = turned_side(c, i);
        if (!(side.y * best.x + -side.x * best.y < 0.0f)) continue;
        line = i;
        best = side;
    }
    am_point side = c->sides[c->at[line]];
    float scale = (float)(1.0 / sqrt((double)side.x * side.x + (double)side.y * side.y));
    c->base = (am_point){best.x * scale, best.y * scale};
    c->at[line] = (c->at[line] + 1) % c->count;
}

/* A rectangle by the corners of the hull on its left and lower sides. */
typedef struct fit {
    am_point base, left, bottom;
    float width, height;
} fit;

static fit measure(const calipers *c)
{
    am_point left = c->points[c->at[LEFT]], bottom = c->points[c->at[BOTTOM]];
    am_point right = c->points[c->at[RIGHT]], top = c->points[c->at[TOP]];
    float x = right.x - left.x, y = right.y - left.y;
    fit f = {.base = c->base, .left = left, .bottom = bottom, .width = x * c->base.x + y * c->base.y};
    x = top.x - bottom.x;
    y = top.y - bottom.y;
    f.height = -x * c->base.y + y * c->base.x;
    return f;
}

static float length_of(am_point side)
{
    return (float)sqrt((double)side.x * side.x + (double)side.y * side.y);
}

/* By two sides at right angles. The width is that of the side which goes to the right and towards lower y. */
static am_rotated_rectangle turned_rectangle(am_point center, am_point wide, am_point high)
{
    am_rotated_rectangle r = {center, length_of(wide), length_of(high), 0.0f};
    am_point side = wide;
    for (int i = 0; i < 3 && !(side.x >= 0.0f && side.y < 0.0f); i++) {
        side = (am_point){-side.y, side.x};
        float width = r.width;
        r.width = r.height;
        r.height = width;
    }
    r.angle = (float)(atan2((double)side.y, (double)side.x) * 180.0 / pi);
    return r;
}

static am_rotated_rectangle rectangle_of(const fit *f)
{
    float a = f->base.x, b = f->base.y;
    float along = a * f->left.x + f->left.y * b, across = -b * f->bottom.x + f->bottom.y * a;
    float scale = 1.0f / (a * a - -b * b);
    am_point corner = {(along * a - across * b) * scale, (a * across - -b * along) * scale};
    am_point wide = {a * f->width, b * f->width}, high = {-b * f->height, a * f->height};
    am_point center = {corner.x + (wide.x + high.x) * 0.5f, corner.y + (wide.y + high.y) * 0.5f};
    return turned_rectangle(center, wide, high);
}

/* The last of the smallest rectangles; sides has room for count, which is at least 3. */
static am_rotated_rectangle fit_hull(const am_point *points, int64_t count, am_point *sides)
{
    calipers c = {.points = points, .sides = sides, .count = count, .base = {1.0f, 0.0f}};
    fit best = {0};
    float least = FLT_MAX;
    for (int64_t i = 0; i < count; i++) {
        am_point next = points[(i + 1) % count];
        sides[i] = (am_point){next.x - points[i].x, next.y - points[i].y};
    }
    find_extremes(&c);
    for (int64_t i = 0; i < count; i++) {
        rotate(&c);
        fit f = measure(&c);
        if (!(f.width * f.height <= least)) continue;
        least = f.width * f.height;
        best = f;
    }
    return rectangle_of(&best);
}

/* Of two points or one. */
static am_rotated_rectangle rectangle_of_line(const am_point *points, int64_t count)
{
    am_point a = points[0], b = points[count - 1];
    if (count == 1) return (am_rotated_rectangle){.center = a, .angle = -90.0f};
    am_point center = {(a.x + b.x) * 0.5f, (a.y + b.y) * 0.5f};
    return turned_rectangle(center, (am_point){b.x - a.x, b.y - a.y}, (am_point){0.0f, 0.0f});
}

static am_status fit_points(hull_point *points, int64_t total, bool is_exact, am_rotated_rectangle *out)
{
    am_point *corners = am_alloc_zeroed((size_t)total * 4, sizeof *corners);
    int64_t count = 0;
    qsort(points, (size_t)total, sizeof *points, by_place);
    am_status status = corners ? find_hull(points, total, is_exact, corners, &count) : am_out_of_memory();
    if (!status) *out = count > 2 ? fit_hull(corners, count, corners + count) : rectangle_of_line(corners, count);
    am_free(corners);
    return status;
}

am_status am_smallest_rectangle_of_pixels(const am_pixel *points, int64_t count, am_rotated_rectangle *out)
{
    hull_point *row = am_alloc_zeroed((size_t)count, sizeof *row);
    if (!row) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) row[i] = (hull_point){points[i].x, points[i].y, i};
    am_status status = fit_points(row, count, true, out);
    am_free(row);
    return status;
}

am_status am_smallest_rectangle(const am_point *points, int64_t count, am_rotated_rectangle *out)
{
    hull_point *row = am_alloc_zeroed((size_t)count, sizeof *row);
    if (!row) return am_out_of_memory();
    for (int64_t i = 0; i < count; i++) row[i] = (hull_point){(double)points[i].x, (double)points[i].y, i};
    am_status status = fit_points(row, count, false, out);
    am_free(row);
    return status;
}

void am_rotated_rectangle_corners(const am_rotated_rectangle *r, am_point out[4])
{
    double angle = (double)r->angle * pi / 180.0;
    float b = (float)cos(angle) * 0.5f, a = (float)sin(angle) * 0.5f;
    float x = r->center.x, y = r->center.y, width = r->width, height = r->height;
    out[0] = (am_point){x - a * height - b * width, y + b * height - a * width};
    out[1] = (am_point){x + a * height - b * width, y - b * height - a * width};
    out[2] = (am_point){x + a * height + b * width, y - b * height + a * width};
    out[3] = (am_point){x - a * height + b * width, y + b * height + a * width};
}

/* --- filling --- */

static int64_t least_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

typedef struct line {
    int64_t x0, y0, x1, y1;
} line;

/* Which sides of the plane a point is beyond: 1 left, 2 right, 4 above, 8 below. */
static int beyond(am_plane_size size, int64_t x, int64_t y)
{
    return (x < 0 ? 1 : x >= size.width ? 2 : 0) + (y < 0 ? 4 : y >= size.height ? 8 : 0);
}

/* Cuts a line to the plane, first above and below (Cohen and Sutherland); false when nothing is left. Quotients are
   rounded towards 0. */
static bool clip(am_plane_size size, line *l)
{
    for (int pass = 0; pass < 2; pass++) {
        int a = beyond(size, l->x0, l->y0), b = beyond(size, l->x1, l->y1), sides = pass ? 3 : 12;
        if (a & b) return false;
        if (a & sides) {
            int64_t x = a & 1 ? 0 : size.width - 1, y = a & 4 ? 0 : size.height - 1;
            if (pass) l->y0 += (x - l->x0) * (l->y1 - l->y0) / (l->x1 - l->x0), l->x0 = x;
            else l->x0 += (y - l->y0) * (l->x1 - l->x0) / (l->y1 - l->y0), l->y0 = y;
        }
        if (b & sides) {
            int64_t x = b & 1 ? 0 : size.width - 1, y = b & 4 ? 0 : size.height - 1;
            if (pass) l->y1 += (x - l->x1) * (l->y1 - l->y0) / (l->x1 - l->x0), l->x1 = x;
            else l->x1 += (y - l->y1) * (l->x1 - l->x0) / (l->y1 - l->y0), l->y1 = y;
        }
    }
    return !(beyond(size, l->x0, l->y0) | beyond(size, l->x1, l->y1));
}

/* A line within the plane, from left to right (Bresenham 1965). */
static void draw_line(line l, am_plane_size size, uint8_t *mask)
{
    if (l.x0 > l.x1) l = (line){l.x1, l.y1, l.x0, l.y0};
    int64_t dx = l.x1 - l.x0, dy = llabs(l.y1 - l.y0), along = 1, across = l.y1 < l.y0 ? -size.width : size.width;
    if (dy > dx) {
        int64_t kept = dx;
        dx = dy;
        dy = kept;
        along = across;
        across = 1;
    }
    int64_t error = dx - 2 * dy, at = l.y0 * size.width + l.x0;
    for (int64_t i = 0; i <= dx; i++) {
        mask[at] = 1;
        at += along + (error < 0 ? across : 0);
        error += -2 * dy + (error < 0 ? 2 * dx : 0);
    }
}

enum { FRACTION_BITS = 16, ONE = 1 << FRACTION_BITS };

/* Where a side crosses rows, from `top` to before `bottom`: at `x` in the first, then by `slope` further, in 1 / ONE of
   a pixel. */
typedef struct crossing {
    int64_t top, bottom, x, slope;
} crossing;

/* Of the line as it is cut to the plane; where a single row is left of it, as if it went through all of its own. */
static crossing cross(line whole, line cut)
{
    if (cut.y0 == cut.y1) cut = (line){cut.x0, whole.y0, cut.x1, whole.y1};
    if (whole.y0 == whole.y1) return (crossing){0};
    int64_t slope = (cut.x1 - cut.x0) * ONE / (cut.y1 - cut.y0);
    if (whole.y0 < whole.y1) return (crossing){whole.y0, whole.y1, cut.x0 * ONE + (whole.y0 - cut.y0) * slope, slope};
    return (crossing){whole.y1, whole.y0, cut.x1 * ONE + (whole.y1 - cut.y1) * slope, slope};
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void fill_row(const crossing sides[4], int64_t y, am_plane_size size, uint8_t *mask)
{
    int64_t places[4];
    size_t count = 0;
    for (const crossing *s = sides; s < sides + 4; s++)
        if (y >= s->top && y < s->bottom) places[count++] = s->x + (y - s->top) * s->slope;
    qsort(places, count, sizeof *places, by_number);
    for (size_t i = 0; i + 1 < count; i += 2) {
        int64_t left = most_of((places[i] + ONE - 1) >> FRACTION_BITS, 0);
        int64_t right = least_of(places[i + 1] >> FRACTION_BITS, size.width - 1);
        if (left <= right) memset(mask + y * size.width + left, 1, (size_t)(right - left + 1));
    }
}

void am_fill_quadrilateral(const am_pixel corners[4], am_plane_size size, uint8_t *mask)
{
    crossing sides[4];
    int64_t top = size.height, bottom = 0;
    for (int i = 0; i < 4; i++) {
        am_pixel a = corners[(i + 3) % 4], b = corners[i];
        line whole = {a.x, a.y, b.x, b.y}, cut = whole;
        if (clip(size, &cut)) draw_line(cut, size, mask);
        sides[i] = cross(whole, cut);
        top = least_of(top, b.y);
        bottom = most_of(bottom, b.y);
    }
    for (int64_t y = most_of(top, 0); y < least_of(bottom, size.height); y++) fill_row(sides, y, size, mask);
}
