/* `anymodel preprocess` beside what transformers' processors answered: the recordings of tests/unit/processors and
   tests/unit/media. */
#include "cli_support.h"

#include "base/buffer.h"
#include "base/json.h"
#include "formats/safetensors.h"
#include "recorded/case.h"
#include "recorded_models.h"

#include <anymodel/processor.h>

#include <math.h>
#include <sys/stat.h>

/* --- a command line --- */

enum { MOST_WORDS = 96 };

typedef struct command_line {
    char *words[MOST_WORDS];
    int count;
} command_line;

static void add_word(command_line *line, const char *word)
{
    assert_true(line->count < MOST_WORDS - 1);
    line->words[line->count] = strdup(word);
    assert_non_null(line->words[line->count++]);
}

static void add_option(command_line *line, const char *name, const char *value)
{
    add_word(line, name);
    add_word(line, value);
}

static am_test_result run_line(command_line *line)
{
    am_test_result result = am_test_run((const char *const *)line->words, NULL);
    for (int i = 0; i < line->count; i++) free(line->words[i]);
    *line = (command_line){0};
    return result;
}

static command_line begin_line(const char *directory)
{
    command_line line = {0};
    add_word(&line, am_test_program());
    add_word(&line, "preprocess");
    add_word(&line, directory);
    return line;
}

/* --- files of the media of a recorded case --- */

static int64_t number_at(am_json list, int index)
{
    am_json_iterator i = am_json_iterate(list);
    for (int at = 0; am_json_next(&i); at++)
        if (at == index) return am_json_int(i.value, -1);
    return -1;
}

static const char *write_picture(const char *path, int64_t height, int64_t width, int64_t seed)
{
    am_image image;
    am_buffer file = {0};
    am_test_draw(height, width, seed, &image);
    am_test_expect_ok(am_image_encode_png(&image, &file));
    am_test_write_file(path, file.bytes, file.length);
    am_buffer_deinit(&file);
    am_image_deinit(&image);
    return path;
}

static void put_u32(am_buffer *out, uint32_t value)
{
    for (int i = 0; i < 4; i++) am_buffer_append_char(out, (char)(value >> (8 * i) & 0xFF));
}

/* A WAV file of 32-bit floats, as tools/record/record_processors.py makes sounds. */
static const char *write_sound(const char *path, uint32_t length, uint32_t rate, int64_t seed)
{
    am_buffer out = {0};
    am_buffer_append_string(&out, "RIFF");
    put_u32(&out, 36 + 4 * length);
    am_buffer_append_string(&out, "WAVEfmt ");
    put_u32(&out, 16);
    put_u32(&out, 3 | 1 << 16); /* floats, one channel */
    put_u32(&out, rate);
    put_u32(&out, rate * 4);
    put_u32(&out, 4 | 32 << 16);
    am_buffer_append_string(&out, "data");
    put_u32(&out, 4 * length);
    for (uint32_t i = 0; i < length; i++) {
        float sample = (float)((int64_t)i * (37 + seed) % 101 - 50) / 128.0f;
        am_buffer_append(&out, (const char *)&sample, sizeof sample);
    }
    am_test_write_file(path, out.bytes, out.length);
    am_buffer_deinit(&out);
    return path;
}

static void add_images(command_line *line, const char *folder, am_json samples)
{
    int number = 0;
    for (am_json_iterator s = am_json_iterate(samples); am_json_next(&s);) {
        int64_t seed = 0;
        for (am_json_iterator i = am_json_iterate(s.value); am_json_next(&i); seed++)
            add_option(line, "--image",
                       write_picture(am_test_format("%s/image-%d.png", folder, number++), number_at(i.value, 0),
                                     number_at(i.value, 1), seed));
    }
}

/* A folder of frames, or every second time their names with commas. */
static void add_video(command_line *line, const char *folder, am_json sizes, int number)
{
    am_buffer names = {0};
    const char *frames = am_test_format("%s/video-%d", folder, number);
    assert_int_equal(mkdir(frames, 0700), 0);
    for (int64_t i = 0; i < number_at(sizes, 0); i++) {
        const char *path = am_test_format("%s/%03d.png", frames, (int)i);
        write_picture(path, number_at(sizes, 1), number_at(sizes, 2), i);
        am_buffer_printf(&names, "%s%s", i ? "," : "", path);
    }
    add_option(line, "--video", number % 2 ? am_buffer_text(&names) : frames);
    am_buffer_deinit(&names);
}

/* False: its videos differ in what --fps says of all. */
static bool add_media(command_line *line, const char *folder, am_json row, uint32_t rate)
{
    int number = 0;
    int64_t fps = -1;
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "texts")); am_json_next(&i);)
        add_option(line, "--text", am_json_text(i.value).bytes);
    add_images(line, folder, am_json_get(row, "images"));
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "sounds")); am_json_next(&i); number++)
        add_option(line, "--audio",
                   write_sound(am_test_format("%s/sound-%d.wav", folder, number), (uint32_t)am_json_int(i.value, 0),
                               rate, number));
    number = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "videos")); am_json_next(&i); number++) {
        if (fps >= 0 && fps != number_at(i.value, 3)) return false;
        fps = number_at(i.value, 3);
        add_video(line, folder, i.value, number);
    }
    if (fps > 0) add_option(line, "--fps", am_test_format("%d", (int)fps));
    return true;
}

static void add_arguments(command_line *line, am_json arguments)
{
    for (am_json_iterator i = am_json_iterate(arguments); am_json_next(&i);) {
        am_buffer pair = {0};
        am_buffer_printf(&pair, "%s=", i.key.bytes);
        am_json_write(i.value, &pair);
        add_option(line, "--option", am_buffer_text(&pair));
        am_buffer_deinit(&pair);
    }
}

/* --- comparing --- */

static am_json find_tensor(am_json answer, const char *name)
{
    for (am_json_iterator i = am_json_iterate(am_json_get(answer, "tensors")); am_json_next(&i);)
        if (am_json_equals(am_json_get(i.value, "name"), name)) return i.value;
    fail_msg("there is no tensor %s", name);
    return (am_json){0};
}

static void expect_values(const char *name, am_json runs, am_json found)
{
    am_json_iterator at = am_json_iterate(found);
    for (am_json_iterator i = am_json_iterate(runs); am_json_next(&i);) {
        int64_t value = am_json_int(i.value, -1);
        assert_true(am_json_next(&i));
        for (int64_t times = am_json_int(i.value, 0); times > 0; times--) {
            if (!am_json_next(&at) || am_json_int(at.value, value - 1) != value)
                fail_msg("%s: a value is not %d", name, (int)value);
        }
    }
    assert_false(am_json_next(&at));
}

/* One tensor with the recorded shape, dtype of integers or floats, and values where they were recorded; the number of
   tensors that were compared. */
static int expect_tensor(const char *name, am_json expected, am_json answer)
{
    am_json found = find_tensor(answer, name), shape = am_json_get(expected, "shape"),
            runs = am_json_get(expected, "runs");
    for (int d = 0; d < (int)am_json_count(shape); d++)
        assert_int_equal(number_at(am_json_get(found, "shape"), d), number_at(shape, d));
    assert_int_equal(am_json_count(am_json_get(found, "shape")), am_json_count(shape));
    if (am_json_count(runs) && am_json_count(am_json_get(found, "values")))
        expect_values(name, runs, am_json_get(found, "values"));
    return 1;
}

static int expect_output(const char *name, am_json expected, am_json answer)
{
    am_json list = am_json_get(expected, "list");
    int count = 0;
    if (am_json_kind_of(list) == AM_JSON_MISSING) return expect_tensor(name, expected, answer);
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); count++)
        expect_tensor(am_test_format("%s.%d", name, count), i.value, answer);
    return count;
}

static void expect_answer(const char *class_name, am_json outputs, const char *text)
{
    am_json_document *document;
    int compared = 0;
    am_test_expect_ok(am_json_parse(text, strlen(text), "answer", &document));
    am_json answer = am_json_root(document);
    assert_true(am_json_equals(am_json_get(answer, "processor"), class_name));
    for (am_json_iterator i = am_json_iterate(outputs); am_json_next(&i);)
        compared += expect_output(i.key.bytes, i.value, answer);
    assert_int_equal(compared, (int)am_json_count(am_json_get(answer, "tensors")));
    am_json_close(document);
}

static uint32_t rate_of(am_json row)
{
    am_json extractor = am_json_get(am_json_get(row, "processor_config.json"), "feature_extractor");
    return (uint32_t)am_json_int(am_json_get(extractor, "sampling_rate"), 16000);
}

/* Every case of a recorded class; how many there were. */
static int check_class(const char *class_name)
{
    am_json_document *document;
    int cases = 0;
    am_test_expect_ok(
        am_json_open(am_test_source_path(am_test_format("tests/unit/processors/data/%s.json", class_name)), &document));
    am_json row = am_json_root(document);
    const char *directory = am_test_make_processor(row);
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "cases")); am_json_next(&i);) {
        command_line line = begin_line(directory);
        bool fits = add_media(&line, am_test_temporary_directory(), i.value, rate_of(row));
        add_arguments(&line, am_json_get(i.value, "arguments"));
        add_word(&line, "--json");
        am_test_result result = run_line(&line);
        if (fits) expect_code(&result, AM_OK);
        if (fits) expect_answer(class_name, am_json_get(i.value, "outputs"), result.out);
        cases += fits;
        am_test_result_free(&result);
    }
    am_json_close(document);
    return cases;
}

static void end_to_end_preprocess__answers_as_processors_of_transformers(void **state)
{
    static const char *const classes[] = {"LlavaProcessor",    "Qwen2VLProcessor", "Qwen2AudioProcessor",
                                          "Idefics3Processor", "Llama4Processor",  "CLIPProcessor",
                                          "Siglip2Processor",  "WhisperProcessor", "Wav2Vec2Processor"};
    (void)state;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) assert_in_range(check_class(classes[i]), 2, 100);
}

/* --- parts alone, and values in a file --- */

/* The first case of tests/unit/media/data/FILE that has one input, of `from`, and no arguments: the model directory of
   its configuration, the input and what came of it. */
static am_json media_case(am_json recorded, const char *from, const char *directory, const char **input)
{
    for (am_json_iterator i = am_json_iterate(am_json_get(recorded, "cases")); am_json_next(&i);) {
        am_json inputs = am_json_get(i.value, from);
        int64_t number = am_json_int(am_json_get(i.value, "config"), 0);
        am_buffer config = {0};
        am_json_iterator only = am_json_iterate(inputs);
        if (am_json_count(inputs) != 1 || am_json_count(am_json_get(i.value, "kwargs")) || !am_json_next(&only))
            continue;
        am_json_iterator c = am_json_iterate(am_json_get(recorded, "configs"));
        for (int64_t at = 0; am_json_next(&c) && at < number;) at++;
        am_json_write(c.value, &config);
        am_test_write_text(directory, "preprocessor_config.json", am_buffer_text(&config));
        am_buffer_deinit(&config);
        *input = am_json_text(only.value).bytes;
        return am_json_get(i.value, "outputs");
    }
    fail_msg("no case with one input");
    return (am_json){0};
}

/* -o writes what was recorded, in a file that is read back. */
static void check_media(const char *file, const char *from, const char *option, const char *inputs,
                        const char *added_to_config)
{
    am_json_document *document;
    am_tensor_table table = {0};
    const char *directory = am_test_temporary_directory(), *input = NULL;
    const kept_text output = keep(am_test_format("%s/out.safetensors", directory));
    int compared = 0;
    am_test_expect_ok(am_json_open(am_test_source_path(am_test_format("tests/unit/media/data/%s", file)), &document));
    am_json outputs = media_case(am_json_root(document), from, directory, &input);
    if (added_to_config)
        replace_in_file(am_test_format("%s/preprocessor_config.json", directory), "{", added_to_config);
    const kept_text path = keep(am_test_source_path(am_test_format("tests/unit/media/data/%s/%s", inputs, input)));
    am_test_result result = am_test_anymodel(NULL, "preprocess", directory, option, path.text, "-o", output.text);
    expect_code(&result, AM_OK);
    assert_string_equal(result.out, "");
    am_test_result_free(&result);
    am_test_expect_ok(am_safetensors_read(output.text, &table));
    for (am_json_iterator i = am_json_iterate(outputs); am_json_next(&i); compared++) {
        const am_named_tensor *found = am_tensor_table_find(&table, i.key.bytes);
        assert_non_null(found);
        am_tensor x = {found->dtype, found->shape, (void *)(uintptr_t)found->data};
        am_test_expect_ok(
            am_verify_array(i.value, &x, &(am_verify_tolerance){.absolute = 2e-5, .mean_relative = 1e-5}));
    }
    assert_int_equal(compared, table.count);
    am_tensor_table_deinit(&table);
    am_json_close(document);
}

static void end_to_end_preprocess__writes_what_image_processors_give(void **state)
{
    (void)state;
    check_media("image_processors/processors/ViTImageProcessor.json", "images", "--image", "image_processors/images",
                "{\"image_processor_type\": \"ViTImageProcessor\", ");
}

static void end_to_end_preprocess__writes_what_feature_extractors_give(void **state)
{
    (void)state;
    check_media("audio/extractors/WhisperFeatureExtractor.json", "files", "--audio", "audio/files", NULL);
}

/* --- video files --- */

static void expect_numbers(am_json found, am_json expected)
{
    am_json_iterator e = am_json_iterate(expected);
    assert_int_equal(am_json_count(found), am_json_count(expected));
    for (am_json_iterator i = am_json_iterate(found); am_json_next(&i) && am_json_next(&e);) {
        double wanted = am_json_real(e.value, NAN);
        assert_true(fabs(am_json_real(i.value, NAN) - wanted) <= 1e-5 + 1e-5 * fabs(wanted));
    }
}

/* A call of a video processor with a file, beside what transformers made of it. */
static void check_video_call(am_json row)
{
    const char *directory = am_test_temporary_directory();
    const kept_text file = keep(am_test_source_path(
        am_test_format("tests/unit/media/data/videos/%s", am_json_text(am_json_get(row, "file")).bytes)));
    am_buffer config = {0};
    am_json_write(am_json_get(row, "config"), &config);
    am_test_write_text(directory, "video_preprocessor_config.json", am_buffer_text(&config));
    am_buffer_deinit(&config);
    am_test_result result = am_test_anymodel(NULL, "preprocess", directory, "--video", file.text, "--json");
    if (!am_video_files_decoded()) {
        expect_failure(result, AM_UNSUPPORTED, "this build has no video decoding");
        return;
    }
    expect_code(&result, AM_OK);
    am_json_document *document;
    am_test_expect_ok(am_json_parse(result.out, strlen(result.out), "answer", &document));
    am_json tensor = am_verify_element(am_json_get(am_json_root(document), "tensors"), 0);
    assert_true(am_json_equals(am_json_get(tensor, "name"), "pixel_values_videos"));
    expect_numbers(am_json_get(tensor, "shape"), am_json_get(row, "shape"));
    expect_numbers(am_json_get(tensor, "values"), am_json_get(row, "values"));
    am_json_close(document);
    am_test_result_free(&result);
}

static void end_to_end_preprocess__video_files_become_what_transformers_makes(void **state)
{
    (void)state;
    size_t length;
    char *text = am_test_read_file(am_test_source_path("tests/unit/media/data/videos/expected.json"), &length);
    am_json_document *document;
    int calls = 0;
    am_test_expect_ok(am_json_parse(text, length, "expected.json", &document));
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(document), "calls")); am_json_next(&i); calls++)
        check_video_call(i.value);
    assert_int_equal(calls, 4);
    am_json_close(document);
    free(text);
}

/* --- what is said --- */

static void end_to_end_preprocess__shows_tensors_in_lines(void **state)
{
    (void)state;
    am_test_result result = am_test_anymodel(NULL, "preprocess", model_path("tiny-llama-text"), "--text", "Hello",
                                             "--padding", "max_length", "--max-length", "10");
    expect_code(&result, AM_OK);
    assert_string_equal(result.out, "the tokenizer\n"
                                    "input_ids              i64   [1, 10]   0 45 577 84 1 1 1 1 ..\n"
                                    "attention_mask         i64   [1, 10]   1 1 1 1 0 0 0 0 ..\n");
    am_test_result_free(&result);
}

/* Llama 4 gives bfloat16: (2 x - 255) / 255 of a byte x, rounded to 8 bits. */
static void end_to_end_preprocess__shows_numbers_of_bfloat16(void **state)
{
    (void)state;
    const char *directory = am_test_recorded_model("llama4"), *path = am_test_format("%s/one.png", directory);
    am_image image;
    am_buffer file = {0};
    am_test_expect_ok(am_image_create(16, 16, &image));
    for (int i = 0; i < 16 * 16 * 3; i++) image.pixels[i] = 51;
    am_test_expect_ok(am_image_encode_png(&image, &file));
    am_test_write_file(path, file.bytes, file.length);
    am_buffer_deinit(&file);
    am_image_deinit(&image);
    am_test_result result =
        am_test_anymodel(NULL, "preprocess", directory, "--text", "<|image|>", "--image", path, "--json");
    expect_code(&result, AM_OK);
    expect_part(result.out, "{\"name\": \"pixel_values\", \"dtype\": \"bf16\", \"shape\": [1, 3, 16, 16], "
                            "\"values\": [-0.6015625, -0.6015625, ");
    am_test_result_free(&result);
}

static void end_to_end_preprocess__names_what_is_wrong(void **state)
{
    (void)state;
    const kept_text llama = keep(model_path("tiny-llama-text")), vit = keep(model_path("digits-vit"));
    const kept_text digit = keep(digit_path()), empty = keep(am_test_temporary_directory());
    expect_failure(am_test_anymodel(NULL, "preprocess", llama.text), AM_INVALID_ARGUMENT, "an input is missing");
    expect_failure(am_test_anymodel(NULL, "preprocess", llama.text, "--text", "a", "-o", "a.npz"), AM_UNSUPPORTED,
                   "no .npz");
    expect_failure(am_test_anymodel(NULL, "preprocess", llama.text, "--image", digit.text), AM_INVALID_ARGUMENT,
                   "the tokenizer takes no images");
    expect_failure(am_test_anymodel(NULL, "preprocess", llama.text, "--text", "a", "--image", digit.text),
                   AM_INVALID_ARGUMENT, "the tokenizer takes no images");
    expect_failure(am_test_anymodel(NULL, "preprocess", vit.text, "--text", "a"), AM_INVALID_ARGUMENT,
                   "the image processor takes no texts");
    expect_failure(am_test_anymodel(NULL, "preprocess", vit.text, "--image", "absent.png"), AM_NOT_FOUND, "absent.png");
    expect_failure(am_test_anymodel(NULL, "preprocess", vit.text, "--video", empty.text), AM_INVALID_ARGUMENT,
                   "holds no frames");
    expect_failure(am_test_anymodel(NULL, "preprocess", vit.text, "--video", digit.text), AM_INVALID_ARGUMENT,
                   "takes no videos");
    expect_failure(am_test_anymodel(NULL, "preprocess", empty.text, "--text", "a"), AM_NOT_FOUND,
                   "no processor, tokenizer, image processor");
    expect_failure(am_test_anymodel(NULL, "preprocess", "/nonexistent", "--text", "a"), AM_NOT_FOUND,
                   "no such directory");
    expect_failure(am_test_anymodel(NULL, "preprocess", llama.text, "--text", "a", "--padding", "longest", "--option",
                                    "text_kwargs={}"),
                   AM_INVALID_ARGUMENT, "--padding belongs into text_kwargs");
    expect_failure(am_test_anymodel(NULL, "preprocess", llama.text, "--text", "a", "--option", "colour=1"),
                   AM_UNSUPPORTED, "argument colour");
    am_test_write_text(empty.text, "config.json", "{\"model_type\": \"voxtral\"}");
    expect_failure(am_test_anymodel(NULL, "preprocess", empty.text, "--text", "a"), AM_UNSUPPORTED,
                   "processor class \"VoxtralProcessor\" is not here");
}
