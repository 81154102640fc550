#include "api/api_support.h"

#include "base/memory.h"

static am_model *open_model(const char *path)
{
    am_model *model;
    am_test_expect_ok(am_model_open(am_test_source_path(path), NULL, &model));
    return model;
}

static am_json_document *plan(am_model *model, const char *shapes)
{
    char *json;
    am_test_expect_ok(am_model_plan(model, shapes, &json));
    return parse_answer(json);
}

static am_json input(const am_json_document *document, const char *name)
{
    return am_json_get(find_row(am_json_get(root_of(document), "inputs"), "name", name), "shape");
}

static void api_plan__a_text_model_of_given_shapes(void **state)
{
    am_model *model = open_model(LLAMA);
    am_json_document *document = plan(model, "batch=2,length=9");
    assert_int_equal(item(input(document, "input_ids"), 0), 2);
    assert_int_equal(item(input(document, "input_ids"), 1), 9);
    am_json logits = find_row(am_json_get(root_of(document), "outputs"), "name", "logits");
    assert_int_equal(item(am_json_get(logits, "shape"), 1), 9);
    assert_int_equal(item(am_json_get(logits, "shape"), 2), 2048);
    am_json_close(document);
    am_model_close(model);
}

static void api_plan__nodes_have_op_name_shape_and_kernel(void **state)
{
    am_model *model = open_model(LLAMA);
    am_json_document *document = plan(model, "length=5");
    am_json nodes = am_json_get(root_of(document), "nodes"), node = find_row(nodes, "op", "attention");
    int64_t with_kernel = 0;
    for (am_json_iterator i = am_json_iterate(nodes); am_json_next(&i);) {
        with_kernel += am_json_text(am_json_get(i.value, "kernel")).length > 0;
        assert_true(am_json_equals(am_json_get(i.value, "target"), "cpu"));
    }
    assert_true(am_json_text(am_json_get(node, "kernel")).length > 0);
    assert_non_null(strstr(am_json_text(am_json_get(node, "name")).bytes, "layers.0"));
    assert_int_equal(am_json_count(am_json_get(node, "outputs")), 1);
    assert_int_equal(int_at(root_of(document), "totals.nodes"), (int64_t)am_json_count(nodes));
    assert_int_equal(int_at(root_of(document), "totals.steps"), with_kernel);
    assert_true(int_at(root_of(document), "totals.memory_bytes") > 0);
    am_json_close(document);
    am_model_close(model);
}

/* By hand: 5 tokens, 4 layers of q [160, 160], k and v [80, 160], o [160, 160], gate, up, down [384, 160],
   and the head [2048, 160], in bf16; attention of 4 heads of 40 over 1 + 2 + 3 + 4 + 5 pairs. */
static void api_plan__work_is_counted(void **state)
{
    int64_t weights = 4 * (2 * 160 * 160 + 2 * 80 * 160 + 3 * 384 * 160) + 2048 * 160,
            attention = 4 * (15 * 4 * (40 + 40));
    am_model *model = open_model(LLAMA);
    am_json_document *document = plan(model, "length=5");
    assert_int_equal(int_at(root_of(document), "totals.weight_bytes_read"), 2 * weights);
    double expected = 2e-9 * (double)(5 * weights + attention), found = real_at(root_of(document), "totals.gflop");
    assert_true(found > 0.9999 * expected && found < 1.0001 * expected);
    am_json_close(document);
    am_model_close(model);
}

static void api_plan__an_image_model_takes_its_image_size(void **state)
{
    am_model *model = open_model(VIT);
    am_json_document *document = plan(model, NULL);
    assert_int_equal(item(input(document, "pixel_values"), 1), 3);
    assert_int_equal(item(input(document, "pixel_values"), 2), 32);
    assert_int_equal(item(input(document, "pixel_values"), 3), 32);
    am_json_close(document);
    am_model_close(model);
}

static void api_plan__a_sound_model_takes_samples(void **state)
{
    am_model *model = open_model(WAV2VEC2);
    am_json_document *document = plan(model, "samples=8000");
    assert_int_equal(item(input(document, "input_values"), 1), 8000);
    am_json_close(document);
    am_model_close(model);
}

static void api_plan__bad_shapes_are_errors(void **state)
{
    char *json;
    am_model *model = open_model(VIT);
    am_test_expect_error(am_model_plan(model, "image=33", &json), AM_INVALID_ARGUMENT, "33");
    am_test_expect_error(am_model_plan(model, "colour=3", &json), AM_INVALID_ARGUMENT, "colour");
    am_test_expect_error(am_model_plan(model, "batch", &json), AM_INVALID_ARGUMENT, "name=number");
    am_test_expect_error(am_model_plan(model, "batch=", &json), AM_INVALID_ARGUMENT, "batch");
    am_test_expect_error(am_model_plan(model, "batch=0", &json), AM_INVALID_ARGUMENT, "from 1");
    am_test_expect_error(am_model_plan(model, "batch=2x", &json), AM_INVALID_ARGUMENT, "2x");
    am_test_expect_error(am_model_plan(model, "batch=99999999999999999999", &json), AM_INVALID_ARGUMENT, "9999");
    assert_null(json);
    am_model_close(model);
}

/* Where the tokenizer is only asked for its limit, want of memory may pass for having none: then the plan is
 * made. */
static void api_plan__survives_want_of_memory(void **state)
{
    int64_t failures = 0, allocations = 1;
    for (int64_t n = -1; n < allocations; n++) {
        char *json;
        am_model *model = open_model(VIT);
        int64_t before = am_memory_allocations();
        am_memory_fail_after(n);
        am_status status = am_model_plan(model, NULL, &json);
        am_memory_fail_after(-1);
        if (n < 0) allocations = am_memory_allocations() - before;
        am_model_close(model);
        assert_true(!status == (json != NULL));
        am_string_free(json);
        if (!status) continue;
        am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
        failures++;
    }
    assert_true(failures > 10);
}
