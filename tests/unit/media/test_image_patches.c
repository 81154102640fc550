#include "media_support.h"

#include "media/image_processor.h"

#include <string.h>

static int64_t number_at(am_json list, int index)
{
    am_json_iterator i = am_json_iterate(list);
    for (int at = 0; am_json_next(&i); at++)
        if (at == index) return am_json_int(i.value, -1);
    return -1;
}

static void check_class(am_json row)
{
    const char *name = am_json_text(am_json_get(row, "class")).bytes;
    am_image_processor *p;
    int checked = 0;
    am_test_expect_ok(am_image_processor_create(am_json_get(row, "settings"), name, &p));
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "sizes")); am_json_next(&i); checked++) {
        am_plane_size in = {number_at(i.value, 0), number_at(i.value, 1)};
        am_image_patch_count found;
        am_test_expect_ok(am_image_processor_count_patches(p, in, &found));
        if (found.count != number_at(i.value, 2))
            fail_msg("%s: %d of an image of %dx%d (height, width), expected %d", name, (int)found.count, (int)in.height,
                     (int)in.width, (int)number_at(i.value, 2));
    }
    assert_int_equal(checked, 50);
    am_image_processor_close(p);
}

static void image_patches__are_as_many_as_recorded(void **state)
{
    am_json_document *document;
    int classes = 0;
    am_test_expect_ok(am_json_open(media_data("image_patches.json"), &document));
    for (am_json_iterator i = am_json_iterate(am_json_root(document)); am_json_next(&i); classes++)
        check_class(i.value);
    am_json_close(document);
    assert_int_equal(classes, 48);
}

static am_image_processor *processor_of(const char *json, const char *class_name)
{
    am_json_document *document = parse_json(json);
    am_image_processor *p;
    am_test_expect_ok(am_image_processor_create(am_json_root(document), class_name, &p));
    am_json_close(document);
    return p;
}

static void image_patches__are_refused_where_there_are_none(void **state)
{
    am_image_patch_count count;
    am_image_processor *p = processor_of("{}", "ViTImageProcessor");
    am_test_expect_error(am_image_processor_count_patches(p, (am_plane_size){30, 40}, &count), AM_UNSUPPORTED,
                         "one size");
    am_image_processor_close(p);
    p = processor_of("{}", "Qwen2VLImageProcessor");
    am_test_expect_error(am_image_processor_count_patches(p, (am_plane_size){0, 40}, &count), AM_INVALID_ARGUMENT,
                         "0x40");
    am_test_expect_error(am_image_processor_count_patches(p, (am_plane_size){1, 1000}, &count), AM_INVALID_ARGUMENT,
                         "aspect ratio");
    am_image_processor_close(p);
}
