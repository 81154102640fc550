#include "base/json.h"
#include "base/memory.h"
#include "base/threads.h"
#include "formats/safetensors.h"
#include "runtime/generate.h"
#include "runtime/golden.h"
#include "runtime/logits_processors.h"

#include "test_support.h"

#include <anymodel/anymodel.h>

#include <math.h>
#include <string.h>

enum { SCRATCH = 64, INPUTS = 8 };

static am_json_document *open_data(const char *name)
{
    am_json_document *document;
    am_test_expect_ok(am_json_open(am_test_source_path(am_test_format("tests/unit/runtime/data/%s", name)), &document));
    return document;
}

static const char *text_of(am_json object, const char *key)
{
    return am_json_text(am_json_get(object, key)).bytes;
}

static const char *json_text(am_json value)
{
    am_buffer text = {0};
    am_json_write(value, &text);
    const char *copy = am_test_format("%s", am_buffer_text(&text));
    am_buffer_deinit(&text);
    return copy;
}

/* --- processors --- */

static int64_t read_ids(am_json list, int32_t *out)
{
    int64_t count = 0;
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);)
        out[count++] = (int32_t)am_json_int(i.value, -1);
    return count;
}

static void check_processors(am_json row)
{
    int32_t ids[SCRATCH];
    float scores[SCRATCH];
    am_scored_token scratch[SCRATCH];
    am_arena arena = {0};
    am_generation_config config = am_generation_config_default();
    am_history history = {.ids = ids, .length = read_ids(am_json_get(row, "ids"), ids)};
    int64_t vocab = 0, at = 0;
    history.prompt = history.source_length = am_json_int(am_json_get(row, "prompt"), -1);
    history.source_ids = ids;
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "logits")); am_json_next(&i);)
        scores[vocab++] = (float)am_json_real(i.value, NAN);
    config.top_k = 50;
    am_test_expect_ok(
        am_generation_config_merge(am_json_get(row, "options"), "options", AM_INVALID_ARGUMENT, &arena, &config));
    am_test_expect_ok(am_process_logits(&config, &history, scores, vocab, scratch));
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "scores")); am_json_next(&i); at++) {
        double expected = am_json_real(i.value, -INFINITY);
        if (isinf(expected) ? !isinf(scores[at]) : !(fabs(expected - scores[at]) <= 2e-6 * (1 + fabs(expected))))
            fail_msg("%s: score %d: expected %g, found %g", json_text(row), (int)at, expected, (double)scores[at]);
    }
    assert_int_equal(at, vocab);
    am_arena_deinit(&arena);
}

static void runtime_generation__processes_logits_as_transformers(void **state)
{
    am_json_document *document = open_data("processors.json");
    int count = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(document), "processors")); am_json_next(&i);
         count++)
        check_processors(i.value);
    assert_true(count > 200);
    am_json_close(document);
}

/* --- models --- */

typedef struct bench {
    am_json_document *file;
    am_tensor_table arrays;
    am_golden_case golden;
    am_session *session;
    am_arena arena;
    am_session_input inputs[INPUTS];
    am_generate_request request;
} bench;

static am_json find_case(am_json root, const char *name)
{
    for (am_json_iterator i = am_json_iterate(am_json_get(root, "cases")); am_json_next(&i);)
        if (am_json_equals(am_json_get(i.value, "case"), name)) return i.value;
    fail_msg("no case %s", name);
    return (am_json){0};
}

static int32_t *read_table(bench *b, am_json rows, am_shape *shape)
{
    am_json_iterator i = am_json_iterate(rows);
    assert_true(am_json_next(&i));
    *shape = (am_shape){.rank = 2, .dims = {(int64_t)am_json_count(rows), (int64_t)am_json_count(i.value)}};
    int32_t *ids = am_arena_array(&b->arena, (size_t)(shape->dims[0] * shape->dims[1]), sizeof *ids);
    int64_t at = 0;
    for (am_json_iterator row = am_json_iterate(rows); am_json_next(&row);) at += read_ids(row.value, ids + at);
    return ids;
}

static void add_inputs(bench *b, am_json inputs)
{
    am_generate_request *r = &b->request;
    bool encodes = (b->golden.model->architecture->flags & AM_ENCODER_DECODER) != 0;
    r->inputs = b->inputs;
    for (am_json_iterator i = am_json_iterate(inputs); am_json_next(&i);) {
        am_session_input *input = &b->inputs[r->input_count];
        *input = (am_session_input){.name = i.key.bytes, .tensor.dtype = AM_I32};
        for (int k = 0; k < b->golden.input_count && am_json_equals(i.value, "case"); k++)
            if (strcmp(b->golden.inputs[k].name, i.key.bytes) == 0) *input = b->golden.inputs[k];
        if (!am_json_equals(i.value, "case")) input->tensor.data = read_table(b, i.value, &input->tensor.shape);
        r->batch = input->tensor.shape.dims[0];
        if (!encodes && strcmp(input->name, "input_ids") == 0) {
            r->ids = input->tensor.data;
            r->length = input->tensor.shape.dims[1];
        } else r->input_count++;
    }
}

static void open_bench(bench *b, am_json row)
{
    const char *file = am_test_format("tests/golden/data/%s", text_of(row, "file"));
    *b = (bench){0};
    am_test_expect_ok(am_json_open(am_test_source_path(am_test_format("%s.json", file)), &b->file));
    am_test_expect_ok(am_safetensors_read(am_test_source_path(am_test_format("%s.safetensors", file)), &b->arrays));
    am_test_expect_ok(
        am_golden_case_open(find_case(am_json_root(b->file), text_of(row, "case")), file, &b->arrays, &b->golden));
    am_test_expect_ok(am_session_create(b->golden.model, NULL, &b->session));
    add_inputs(b, am_json_get(row, "inputs"));
}

static void close_bench(bench *b)
{
    am_session_destroy(b->session);
    am_golden_case_close(&b->golden);
    am_tensor_table_deinit(&b->arrays);
    am_json_close(b->file);
    am_arena_deinit(&b->arena);
}

static void generate(bench *b, am_json options, am_generated *out)
{
    am_generation_config config = am_generation_config_default();
    am_test_expect_ok(am_generation_config_merge(options, "options", AM_INVALID_ARGUMENT, &b->arena, &config));
    b->request.config = &config;
    am_test_expect_ok(am_generate(b->session, &b->request, out));
}

/* Whether the options leave the probabilities as the model gives them. */
static bool keeps_probabilities(am_json options)
{
    static const char *const names[] = {"num_beams",      "num_return_sequences", "length_penalty", "early_stopping",
                                        "max_new_tokens", "max_length",           "eos_token_id",   "pad_token_id"};
    for (am_json_iterator i = am_json_iterate(options); am_json_next(&i);) {
        bool known = false;
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) known |= strcmp(i.key.bytes, names[k]) == 0;
        if (!known) return false;
    }
    return true;
}

/* Those of single tokens, beside the score of the whole. */
static void check_log_probabilities(am_json options, const am_generated *made)
{
    double length_penalty = am_json_real(am_json_get(options, "length_penalty"), 1.0);
    for (int64_t i = 0; i < made->batch; i++) {
        double sum = 0.0;
        for (int64_t t = 0; t < made->lengths[i]; t++) {
            float one = made->log_probabilities[i * made->stride + t];
            assert_true(one <= 1e-6F);
            sum += (double)one;
        }
        if (!made->scores || !keeps_probabilities(options) || made->scores[i] < -1e8F) continue;
        double score = sum / pow((double)made->lengths[i], length_penalty);
        if (fabs(score - (double)made->scores[i]) > 2e-4)
            fail_msg("%s: score %g, of the tokens %g", json_text(options), (double)made->scores[i], score);
    }
}

static void check_run(bench *b, am_json row, am_json run)
{
    am_generated made;
    int64_t at = 0;
    b->request.wants_log_probabilities = true;
    generate(b, am_json_get(run, "options"), &made);
    check_log_probabilities(am_json_get(run, "options"), &made);
    for (am_json_iterator i = am_json_iterate(am_json_get(run, "ids")); am_json_next(&i); at++) {
        int32_t expected[SCRATCH];
        int64_t count = read_ids(i.value, expected);
        assert_true(at < made.batch);
        const int32_t *found = made.ids + at * made.stride;
        if (made.lengths[at] != count || memcmp(found, expected, (size_t)count * sizeof *found) != 0)
            fail_msg("%s %s: sequence %d has %d tokens, beginning with %d %d %d", text_of(row, "case"), json_text(run),
                     (int)at, (int)made.lengths[at], found[0], found[1], found[2]);
    }
    assert_int_equal(at, made.batch);
    at = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(run, "scores")); am_json_next(&i); at++)
        if (fabs(am_json_real(i.value, NAN) - made.scores[at]) > 2e-4)
            fail_msg("%s %s: score %d is %g", text_of(row, "case"), json_text(run), (int)at, (double)made.scores[at]);
    am_generated_deinit(&made);
}

static void check_file(const char *name, int least)
{
    am_json_document *document = open_data(name);
    int count = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(document), "cases")); am_json_next(&i);) {
        bench b;
        open_bench(&b, i.value);
        for (am_json_iterator run = am_json_iterate(am_json_get(i.value, "runs")); am_json_next(&run); count++)
            check_run(&b, i.value, run.value);
        close_bench(&b);
    }
    print_message("%d generations\n", count);
    assert_true(count >= least);
    am_json_close(document);
}

/* What config.json leaves out stands in the configuration of its generator. */
static void runtime_generation__reads_the_configuration_of_a_part(void **state)
{
    bench b = {0};
    am_generation_config base = am_generation_config_default(), config;
    const char *file = "tests/golden/data/rag.json";
    am_test_expect_ok(am_json_open(am_test_source_path(file), &b.file));
    am_json row = find_case(am_json_root(b.file), "RagTokenForGeneration");
    am_test_expect_ok(am_safetensors_read(am_test_source_path("tests/golden/data/rag.safetensors"), &b.arrays));
    am_test_expect_ok(am_golden_case_open(row, file, &b.arrays, &b.golden));
    am_test_expect_ok(am_generation_config_read(b.golden.model, &base, &b.arena, &config));
    assert_int_equal(config.decoder_start_token_id, 2);
    assert_int_equal(config.eos_token_id.count, 1);
    assert_int_equal(config.pad_token_id, 1);
    close_bench(&b);
}

static void runtime_generation__writes_the_ids_of_transformers(void **state)
{
    check_file("generation.json", 500);
}

static void runtime_generation__carries_other_states_along_with_beams(void **state)
{
    check_file("states.json", 135);
}

/* --- beams: place in the batch, threads, chance --- */

/* The case of that class whose prompts have `rows` rows, with beams that end early; *options are those of a run. */
static am_json find_batch(am_json_document *document, const char *class_name, size_t rows, am_json *options)
{
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(document), "cases")); am_json_next(&i);) {
        if (!am_json_equals(am_json_get(i.value, "case"), class_name)) continue;
        if (am_json_count(am_json_get_path(i.value, "inputs.input_ids")) != rows) continue;
        for (am_json_iterator run = am_json_iterate(am_json_get(i.value, "runs")); am_json_next(&run);) {
            *options = am_json_get(run.value, "options");
            if (am_json_int(am_json_get(*options, "num_beams"), 1) == 5) return i.value;
        }
    }
    fail_msg("no case of %s", class_name);
    return (am_json){0};
}

static void expect_same(const am_generated *a, int64_t from, const am_generated *b, int64_t at)
{
    assert_int_equal(a->lengths[from], b->lengths[at]);
    assert_memory_equal(a->ids + from * a->stride, b->ids + at * b->stride, (size_t)a->lengths[from] * sizeof *a->ids);
    assert_memory_equal(&a->scores[from], &b->scores[at], sizeof *a->scores);
}

/* One row of an input, in its place. */
static am_session_input row_of(const am_session_input *input, int64_t row)
{
    am_session_input one = *input;
    one.tensor.shape.dims[0] = 1;
    one.tensor.data = (char *)input->tensor.data + (size_t)row * am_tensor_bytes(one.tensor.dtype, &one.tensor.shape);
    return one;
}

static void check_rows_alone(bench *b, am_json options)
{
    am_generated all, alone;
    am_generate_request whole = b->request;
    am_session_input inputs[INPUTS];
    generate(b, options, &all);
    int64_t each = all.batch / whole.batch;
    for (int64_t row = 0; row < whole.batch; row++) {
        for (int i = 0; i < whole.input_count; i++) inputs[i] = row_of(&whole.inputs[i], row);
        b->request = whole;
        b->request.inputs = inputs;
        b->request.batch = 1;
        if (whole.ids) b->request.ids = whole.ids + row * whole.length;
        generate(b, options, &alone);
        for (int64_t i = 0; i < each; i++) expect_same(&all, row * each + i, &alone, i);
        am_generated_deinit(&alone);
    }
    b->request = whole;
    am_generated_deinit(&all);
}

static const char *const batch_classes[] = {"GPT2LMHeadModel", "LlamaForCausalLM", "T5ForConditionalGeneration+gated"};

static void runtime_generation__place_in_the_batch_changes_no_beam(void **state)
{
    am_json_document *document = open_data("generation.json");
    for (size_t i = 0; i < sizeof batch_classes / sizeof batch_classes[0]; i++) {
        bench b;
        am_json options;
        open_bench(&b, find_batch(document, batch_classes[i], 3, &options));
        check_rows_alone(&b, options);
        close_bench(&b);
    }
    am_json_close(document);
}

static void runtime_generation__threads_change_no_bit_of_beams(void **state)
{
    am_json_document *document = open_data("generation.json");
    int before = am_threads_count();
    for (size_t i = 0; i < sizeof batch_classes / sizeof batch_classes[0]; i++) {
        bench b;
        am_json options;
        am_generated one, two;
        open_bench(&b, find_batch(document, batch_classes[i], 3, &options));
        am_test_expect_ok(am_threads_set(1));
        generate(&b, options, &one);
        am_test_expect_ok(am_threads_set(2));
        generate(&b, options, &two);
        assert_int_equal(one.batch, two.batch);
        for (int64_t k = 0; k < one.batch; k++) expect_same(&one, k, &two, k);
        am_generated_deinit(&one);
        am_generated_deinit(&two);
        close_bench(&b);
    }
    am_test_expect_ok(am_threads_set(before));
    am_json_close(document);
}

static void generate_sampled(bench *b, double temperature, uint64_t seed, am_generated *out)
{
    am_generation_config config = am_generation_config_default();
    config.max_new_tokens = 8;
    config.num_beams = config.num_return_sequences = 4;
    config.do_sample = temperature > 0;
    if (temperature > 0) config.temperature = temperature;
    config.seed = seed;
    b->request.config = &config;
    am_test_expect_ok(am_generate(b->session, &b->request, out));
}

static bool same_ids(const am_generated *a, const am_generated *b)
{
    return a->batch == b->batch && memcmp(a->ids, b->ids, (size_t)(a->batch * a->stride) * sizeof *a->ids) == 0;
}

/* Cold, sampled beams are those of the search; warm, they are those of the seed. */
static void runtime_generation__samples_beams_by_seed(void **state)
{
    am_json_document *document = open_data("generation.json");
    am_json options;
    am_generated searched, cold, warm, again, other;
    bench b;
    open_bench(&b, find_batch(document, "LlamaForCausalLM", 2, &options));
    generate_sampled(&b, 0, 1, &searched);
    generate_sampled(&b, 1e-4, 1, &cold);
    generate_sampled(&b, 1, 1, &warm);
    generate_sampled(&b, 1, 1, &again);
    generate_sampled(&b, 1, 2, &other);
    assert_true(same_ids(&searched, &cold));
    assert_false(same_ids(&searched, &warm));
    assert_true(same_ids(&warm, &again));
    assert_false(same_ids(&warm, &other));
    am_generated *const all[] = {&searched, &cold, &warm, &again, &other};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) am_generated_deinit(all[i]);
    close_bench(&b);
    am_json_close(document);
}

/* Two of three without replacement: (a, b) has the probability a * b / (1 - a). */
static void runtime_generation__draws_continuations_without_replacement(void **state)
{
    enum { DRAWS = 40000 };
    const double weights[] = {0.5, 0.3, 0.2};
    float scores[3], scratch[3];
    int counts[3][3] = {0};
    am_sampler *sampler;
    am_scored_token found[2];
    am_generation_config config = am_generation_config_default();
    config.do_sample = true;
    for (int i = 0; i < 3; i++) scores[i] = (float)(log(weights[i]) + 2);
    am_test_expect_ok(am_sampler_create(&config, &sampler));
    for (int i = 0; i < DRAWS; i++) {
        assert_int_equal(am_sampler_continuations(sampler, scores, 3, 2, (uint64_t)i, 5, scratch, found), 2);
        counts[found[0].token][found[1].token]++;
        assert_true(found[0].score == scores[found[0].token]);
    }
    for (int a = 0; a < 3; a++)
        for (int b = 0; b < 3; b++) {
            double expected = a == b ? 0 : weights[a] * weights[b] / (1 - weights[a]);
            assert_true(fabs(counts[a][b] / (double)DRAWS - expected) < 0.01);
        }
    am_sampler_destroy(sampler);
}

/* --- texts --- */

static void check_text(am_model *model, am_json row)
{
    am_text_result result;
    am_text_options options = {.generation_json = json_text(am_json_get(row, "options"))};
    size_t at = 0;
    am_test_expect_ok(am_model_generate(model, text_of(row, "prompt"), &options, &result));
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "ids")); am_json_next(&i); at++) {
        int32_t expected[SCRATCH];
        int64_t count = read_ids(i.value, expected);
        assert_true(at < result.sequence_count);
        const am_text_sequence_result *found = &result.sequences[at];
        if (found->id_count != (size_t)count || memcmp(found->ids, expected, found->id_count * sizeof *expected) != 0)
            fail_msg("%s: sequence %zu is \"%s\"", json_text(row), at, found->text);
        assert_string_equal(found->finish_reason, count < 16 ? "stop" : "length");
    }
    assert_int_equal(at, result.sequence_count);
    am_text_result_deinit(&result);
}

static void runtime_generation__ends_at_the_stop_strings_of_transformers(void **state)
{
    am_json_document *document = open_data("generation.json");
    am_model *model;
    int count = 0;
    am_test_expect_ok(am_model_open(am_test_source_path("examples/models/tiny-llama-text"), NULL, &model));
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(document), "texts")); am_json_next(&i); count++)
        check_text(model, i.value);
    assert_int_equal(count, 10);
    am_model_close(model);
    am_json_close(document);
}

static bool take_text(void *context, const char *text, size_t length)
{
    am_buffer_append(context, text, length);
    return true;
}

static void runtime_generation__cuts_stop_texts_off_beams(void **state)
{
    am_model *model;
    am_text_result result;
    am_buffer given = {0};
    const char *const stop[] = {"not"};
    am_text_options options = {.num_beams = 3, .max_new_tokens = 16, .greedy = true, .stop = stop, .stop_count = 1};
    options.generation_json = "{\"num_return_sequences\": 3, \"length_penalty\": -1}";
    options.on_text = take_text;
    options.context = &given;
    am_test_expect_ok(am_model_open(am_test_source_path("examples/models/tiny-llama-text"), NULL, &model));
    am_test_expect_ok(am_model_generate(model, "Once upon a time", &options, &result));
    assert_int_equal(result.sequence_count, 3);
    assert_string_equal(am_buffer_text(&given), result.text);
    for (size_t i = 0; i < result.sequence_count; i++) assert_null(strstr(result.sequences[i].text, "not"));
    assert_string_equal(result.finish_reason, "stop");
    am_buffer_deinit(&given);
    am_text_result_deinit(&result);
    am_model_close(model);
}

/* --- settings --- */

static am_status merge(const char *json, am_generation_config *config)
{
    am_json_document *document;
    am_arena arena = {0};
    am_test_expect_ok(am_json_parse(json, strlen(json), "settings", &document));
    *config = am_generation_config_default();
    am_status status = am_generation_config_merge(am_json_root(document), "settings", AM_INVALID_FILE, &arena, config);
    am_arena_deinit(&arena);
    am_json_close(document);
    return status;
}

static void runtime_generation__refuses_settings_that_it_does_not_know(void **state)
{
    static const char *const refused[] = {
        "{\"guidance_scale\": 1.5}",    "{\"penalty_alpha\": 0.6}",          "{\"num_beam_groups\": 2}",
        "{\"force_words_ids\": [[1]]}", "{\"watermarking_config\": {}}",     "{\"dola_layers\": \"low\"}",
        "{\"token_healing\": true}",    "{\"prompt_lookup_num_tokens\": 3}", "{\"use_mtp\": true}",
    };
    am_generation_config config;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        am_test_expect_error(merge(refused[i], &config), AM_UNSUPPORTED, "settings: ");
    am_test_expect_ok(merge("{\"guidance_scale\": 1.0, \"num_beam_groups\": 1, \"penalty_alpha\": null, "
                            "\"token_healing\": false, \"use_cache\": true}",
                            &config));
}

static void runtime_generation__says_which_setting_is_wrong(void **state)
{
    static const char *const wrong[][2] = {
        {"{\"num_beams\": 0}", "num_beams: expected 1 to 1024, found 0"},
        {"{\"num_beams\": \"4\"}", "num_beams: expected an integer, found a string"},
        {"{\"top_k\": 1.5}", "top_k: expected an integer"},
        {"{\"early_stopping\": \"always\"}", "early_stopping: expected true, false or \"never\""},
        {"{\"eos_token_id\": [1, \"a\"]}", "eos_token_id: expected a token"},
        {"{\"bad_words_ids\": [[]]}", "bad_words_ids: expected lists of at least one token"},
        {"{\"sequence_bias\": [[1, 2]]}", "sequence_bias: expected lists"},
        {"{\"exponential_decay_length_penalty\": [1]}", "expected a start and a factor"},
        {"{\"stop_strings\": [1]}", "stop_strings: expected texts"},
    };
    am_generation_config config;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        am_test_expect_error(merge(wrong[i][0], &config), AM_INVALID_FILE, wrong[i][1]);
    am_test_expect_ok(merge("{\"num_return_sequences\": 2}", &config));
    am_test_expect_error(am_generation_config_check(&config, 1), AM_INVALID_ARGUMENT, "greedily there is one answer");
    config.num_beams = 1024;
    am_test_expect_ok(am_generation_config_check(&config, 1));
    config.num_return_sequences = 1025;
    am_test_expect_error(am_generation_config_check(&config, 1), AM_INVALID_ARGUMENT, "1024 beams to return");
    am_test_expect_ok(merge("{\"max_length\": 5}", &config));
    am_test_expect_error(am_generation_config_check(&config, 5), AM_INVALID_ARGUMENT, "the prompt has 5 tokens");
}
