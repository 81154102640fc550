/* The processor's tokens for an image are as many as the rows that the model's tower gives for it. */
#include "test_support.h"

#include "recorded.h"

#include "graph/graph.h"
#include "processors/processor.h"
#include "tasks/pipeline.h"
#include "tensor/shape.h"

#include <string.h>

static am_pipeline *open_model(const char *name)
{
    am_json_document *recorded;
    am_pipeline *p;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tasks/data/pipelines.json"), &recorded));
    am_json model = am_json_get(am_json_get(am_json_root(recorded), "models"), name);
    am_test_expect_ok(am_pipeline_open(am_test_make_model(model, (am_json){0}), NULL, NULL, &p));
    am_json_close(recorded);
    return p;
}

static void process(am_pipeline *p, int64_t height, int64_t width, int images, am_processed *out)
{
    am_processor *processor;
    am_image pictures[2] = {{0}};
    am_text text = images == 2 ? (am_text){"<|image|> or <|image|>", 22} : (am_text){"See <|image|>", 13};
    am_test_expect_ok(am_pipeline_processor(p, &processor));
    for (int i = 0; i < images; i++)
        am_test_expect_ok(am_image_create(i ? height : width, i ? width : height, &pictures[i]));
    am_processor_inputs inputs = {.texts = &text, .text_count = 1, .images = pictures, .image_count = images};
    am_test_expect_ok(am_processor_run(processor, &inputs, out));
    for (int i = 0; i < images; i++) am_image_deinit(&pictures[i]);
}

static int take(const am_processed *made, am_session_input inputs[3])
{
    static const char *const names[] = {"input_ids", "attention_mask", "pixel_values"};
    for (int i = 0; i < 3; i++) {
        const am_tensor *x;
        am_test_expect_ok(am_media_tensors_get(&made->tensors, names[i], &x));
        inputs[i] = (am_session_input){names[i], *x};
    }
    return 3;
}

static int64_t count_of(const am_tensor *ids, int64_t token)
{
    int64_t count = 0;
    for (int64_t i = 0; i < am_shape_count(&ids->shape); i++) count += ((const int64_t *)ids->data)[i] == token;
    return count;
}

static void image_tokens__are_as_many_as_rows_of_the_tower(void **state)
{
    static const int64_t sizes[][2] = {{16, 16}, {5, 7}, {40, 150}, {151, 20}, {33, 31}, {64, 64}, {1, 90}, {700, 501}};
    am_pipeline *p = open_model("llama4");
    int64_t least = INT64_MAX, most = 0;
    (void)state;
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        am_processed made;
        am_session_input inputs[3];
        process(p, sizes[i / 2][0], sizes[i / 2][1], 1 + (int)(i % 2), &made);
        int count = take(&made, inputs);
        am_test_expect_ok(am_session_plan(p->session, inputs, count, NULL));
        const am_graph *graph = am_session_graph(p->session);
        assert_int_equal(graph->check_count, 1);
        int64_t rows = graph->checks[0].count, tokens = count_of(&inputs[0].tensor, graph->checks[0].value);
        if (rows != tokens)
            fail_msg("%d images of %dx%d: %d tokens, %d rows", 1 + (int)(i % 2), (int)sizes[i / 2][0],
                     (int)sizes[i / 2][1], (int)tokens, (int)rows);
        least = rows < least ? rows : least;
        most = rows > most ? rows : most;
        am_processed_deinit(&made);
    }
    assert_true(least < most);
    am_pipeline_close(p);
}

static void image_tokens__of_another_number_than_rows_are_refused(void **state)
{
    am_pipeline *p = open_model("llama4");
    am_processed made;
    am_session_input inputs[3];
    (void)state;
    process(p, 16, 16, 1, &made);
    int count = take(&made, inputs);
    am_test_expect_ok(am_session_run(p->session, inputs, count, NULL));
    int64_t *ids = inputs[0].tensor.data, token = am_session_graph(p->session)->checks[0].value;
    int64_t rows = am_session_graph(p->session)->checks[0].count;
    int64_t first = 0;
    while (ids[first] != token) first++;
    ids[first] = 0;
    am_test_expect_error(am_session_run(p->session, inputs, count, NULL), AM_OUT_OF_RANGE,
                         am_test_format("input_ids has %d tokens %d, but there are %d rows of features", (int)rows - 1,
                                        (int)token, (int)rows));
    am_processed_deinit(&made);
    am_pipeline_close(p);
}
