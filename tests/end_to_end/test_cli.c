/* The program as a user drives it: commands, exit codes, answers of the models in examples/. */
#include "cli_support.h"

#include "base/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const commands[] = {
    "run",   "generate", "chat",    "embed",      "inspect", "plan",       "targets",  "target", "models", "verify",
    "bench", "help",     "version", "completion", "compile", "preprocess", "tokenize", "render", "quality"};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static am_json_document *read_json(const char *text)
{
    am_json_document *document = NULL;
    am_test_expect_ok(am_json_parse(text, strlen(text), "output", &document));
    return document;
}

/* A text of a JSON document as a string in a buffer of am_test_format. */
static const char *text_of(am_json value)
{
    am_json_string text = am_json_text(value);
    assert_non_null(text.bytes);
    return am_test_format("%.*s", (int)text.length, text.bytes);
}

/* Calls check for each recorded case of an example model. */
static void for_each_case(const char *model, void (*check)(const char *model, am_json recorded))
{
    char *text = am_test_read_file(am_test_format("%s/expected.json", model_path(model)), NULL);
    am_json_document *document = read_json(text);
    am_json cases = am_json_get(am_json_root(document), "cases");
    assert_in_range(am_json_count(cases), 1, 1000);
    for (am_json_iterator i = am_json_iterate(cases); am_json_next(&i);) check(model, i.value);
    am_json_close(document);
    free(text);
}

/* --- help and the command line --- */

static void end_to_end_cli__explains_every_command(void **state)
{
    (void)state;
    am_test_result all = am_test_anymodel(NULL, "help");
    expect_code(&all, AM_OK);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        am_test_result help = am_test_anymodel(NULL, "help", commands[i]);
        am_test_result option = am_test_anymodel(NULL, commands[i], "--help");
        expect_code(&help, AM_OK);
        expect_code(&option, AM_OK);
        expect_part(help.out, am_test_format("anymodel %s", commands[i]));
        expect_part(help.out, "--json");
        expect_part(all.out, am_test_format("\n  %s ", commands[i]));
        assert_string_equal(help.out, option.out);
        am_test_result_free(&help);
        am_test_result_free(&option);
    }
    am_test_result_free(&all);
}

static void end_to_end_cli__explains_tasks(void **state)
{
    (void)state;
    am_test_result list = am_test_anymodel(NULL, "run", "--help");
    am_test_result image = am_test_anymodel(NULL, "run", "--task", "image-classification", "--help");
    am_test_result other = am_test_anymodel(NULL, "run", "--help", "--task", "ner");
    expect_part(list.out, "\n  image-text-to-text (image)\n");
    expect_part(image.out, "\nTask image-classification: Labels an image.\nINPUT is an image: the path of a file (PNG");
    expect_part(image.out, "as transformers has it: top_k, function_to_apply\n");
    assert_null(strstr(image.out, "\n  image-text-to-text (image)\n"));
    expect_part(other.out, "ner token-classification");
    expect_part(other.out, "\n  token-classification (text)\n");
    am_test_result_free(&list);
    am_test_result_free(&image);
    am_test_result_free(&other);
}

static void end_to_end_cli__refuses_command_lines_that_make_no_sense(void **state)
{
    (void)state;
    const char *model = model_path("digits-vit");
    am_test_result bare = am_test_run((const char *const[]){am_test_program(), NULL}, NULL);
    expect_code(&bare, AM_INVALID_ARGUMENT);
    am_test_result_free(&bare);
    expect_failure(am_test_anymodel(NULL, "generat"), AM_INVALID_ARGUMENT, "\"generate\"?");
    expect_failure(am_test_anymodel(NULL, "--json"), AM_INVALID_ARGUMENT, "the command comes first");
    expect_failure(am_test_anymodel(NULL, "run"), AM_INVALID_ARGUMENT, "usage: anymodel run MODEL_DIR");
    expect_failure(am_test_anymodel(NULL, "run", model), AM_INVALID_ARGUMENT, "INPUT");
    expect_failure(am_test_anymodel(NULL, "run", model, "x", "--no-such"), AM_INVALID_ARGUMENT, "--no-such");
    expect_failure(am_test_anymodel(NULL, "run", model, "x", "--task"), AM_INVALID_ARGUMENT, "--task: needs a value");
    expect_failure(am_test_anymodel(NULL, "run", model, "x", "--json=1"), AM_INVALID_ARGUMENT,
                   "--json: takes no value");
    expect_failure(am_test_anymodel(NULL, "run", model, "x", "--option", "top_k"), AM_INVALID_ARGUMENT, "KEY=VALUE");
    expect_failure(am_test_anymodel(NULL, "models", "--threads", "two"), AM_INVALID_ARGUMENT, "\"two\"");
    expect_failure(am_test_anymodel(NULL, "models", "--threads", "-1"), AM_INVALID_ARGUMENT, "\"-1\"");
    expect_failure(am_test_anymodel(NULL, "targets", "more"), AM_INVALID_ARGUMENT, "too many");
    expect_failure(am_test_anymodel(NULL, "target", "destroy", "mojo"), AM_INVALID_ARGUMENT, "there is build");
    expect_failure(am_test_anymodel(NULL, "target", "build", "mps"), AM_UNAVAILABLE, "Metal is part of macOS");
    expect_failure(am_test_anymodel(NULL, "generate", model), AM_INVALID_ARGUMENT, "--prompt");
    expect_failure(am_test_anymodel(NULL, "generate", model, "--prompt", "x", "--top-p", "2"), AM_INVALID_ARGUMENT,
                   "--top-p");
    expect_failure(am_test_anymodel(NULL, "completion", "fish"), AM_INVALID_ARGUMENT, "bash or zsh");
}

static void end_to_end_cli__knows_the_targets_of_this_version(void **state)
{
    (void)state;
    expect_failure(am_test_anymodel(NULL, "targets", "--target", "mps", "--target-policy", "require"), AM_UNAVAILABLE,
                   "target mps is not available: Metal is part of macOS");
    expect_failure(am_test_anymodel(NULL, "run", model_path("digits-vit"), digit_path(), "--target", "tpu"),
                   AM_INVALID_ARGUMENT, "\"tpu\"");
    am_test_result cpu = am_test_anymodel(NULL, "run", model_path("digits-vit"), digit_path(), "--target", "cpu");
    am_test_result any = am_test_anymodel(NULL, "run", model_path("digits-vit"), digit_path(), "--target", "auto");
    expect_code(&cpu, AM_OK);
    expect_code(&any, AM_OK);
    assert_string_equal(cpu.out, any.out);
    am_test_result_free(&cpu);
    am_test_result_free(&any);
}

static void end_to_end_cli__tells_errors_as_json_when_asked(void **state)
{
    (void)state;
    am_test_result result = am_test_anymodel(NULL, "inspect", "/no/such/model", "--json");
    expect_code(&result, AM_NOT_FOUND);
    expect_part(result.err, "/no/such/model");
    am_json_document *document = read_json(result.out);
    am_json error = am_json_get(am_json_root(document), "error");
    assert_int_equal(am_json_int(am_json_get(error, "code"), -1), AM_NOT_FOUND);
    expect_part(text_of(am_json_get(error, "message")), "/no/such/model");
    am_json_close(document);
    am_test_result_free(&result);
}

static void end_to_end_cli__completions_are_those_of_the_program(void **state)
{
    (void)state;
    static const char *const shells[][2] = {{"bash", "scripts/completions/anymodel.bash"},
                                            {"zsh", "scripts/completions/_anymodel"}};
    for (int i = 0; i < 2; i++) {
        am_test_result result = am_test_anymodel(NULL, "completion", shells[i][0]);
        char *file = am_test_read_file(am_test_source_path(shells[i][1]), NULL);
        expect_code(&result, AM_OK);
        assert_string_equal(result.out, file);
        free(file);
        am_test_result_free(&result);
    }
}

static void end_to_end_cli__says_when_the_output_cannot_be_written(void **state)
{
    (void)state;
    const char *line = am_test_format("'%s' models > /dev/full", am_test_program());
    expect_failure(am_test_run((const char *const[]){"sh", "-c", line, NULL}, NULL), AM_IO, "No space left");
}

/* --- what is there --- */

/* A command that gives JSON: as JSON it parses and holds `member` (or is an array), as text it holds `part`.
 */
static void check_report(const char *command, const char *operand, const char *member, const char *part)
{
    am_test_result json = am_test_run((const char *const[]){am_test_program(), command, "--json", operand, NULL}, NULL);
    am_test_result text = am_test_run((const char *const[]){am_test_program(), command, operand, NULL}, NULL);
    expect_code(&json, AM_OK);
    expect_code(&text, AM_OK);
    am_json_document *document = read_json(json.out);
    if (member) assert_int_not_equal(am_json_kind_of(am_json_get(am_json_root(document), member)), AM_JSON_MISSING);
    else assert_in_range(am_json_count(am_json_root(document)), 1, 100000);
    expect_part(text.out, part);
    am_json_close(document);
    am_test_result_free(&json);
    am_test_result_free(&text);
}

static void end_to_end_cli__reports_targets_and_models(void **state)
{
    (void)state;
    check_report("targets", NULL, NULL, "cpu");
    check_report("models", NULL, NULL, "BertForMaskedLM");
}

static void end_to_end_cli__inspects_and_plans_a_model(void **state)
{
    (void)state;
    check_report("inspect", model_path("digits-vit"), "parameters", "ViTForImageClassification");
    check_report("plan", model_path("digits-vit"), "nodes", "linear");
}

static void end_to_end_cli__plans_the_sizes_that_are_wanted(void **state)
{
    (void)state;
    const char *model = model_path("tiny-llama-text");
    am_test_result result = am_test_anymodel(NULL, "plan", model, "--shape", "batch=2,length=7", "--json");
    expect_code(&result, AM_OK);
    expect_part(result.out, "7");
    am_test_result_free(&result);
    expect_failure(am_test_anymodel(NULL, "plan", model, "--shape", "length=seven"), AM_INVALID_ARGUMENT, "seven");
}

static void end_to_end_cli__benchmarks_a_model(void **state)
{
    (void)state;
    am_test_result result = am_test_anymodel(NULL, "bench", model_path("digits-vit"), "--json");
    expect_code(&result, AM_OK);
    am_json_document *document = read_json(result.out);
    assert_int_equal(am_json_kind_of(am_json_root(document)), AM_JSON_OBJECT);
    am_json_close(document);
    am_test_result_free(&result);
}

/* --- verify --- */

static void end_to_end_cli__verifies_golden_files(void **state)
{
    (void)state;
    am_test_result result = am_test_anymodel(NULL, "verify", am_test_source_path("tests/golden/data/vit.json"));
    expect_code(&result, AM_OK);
    long long passed = 0;
    int end = 0;
    const char *last = strstr(result.out, "\ncases: ");
    assert_non_null(last);
    assert_int_equal(sscanf(last, "\ncases: %lld passed, 0 failed, 0 unsupported\n%n", &passed, &end), 1);
    assert_int_equal(last[end], 0);
    assert_in_range(passed, 1, 1000);
    long long lines = -1; /* the last line is no case */
    for (const char *c = result.out; *c; c++) lines += *c == '\n';
    assert_int_equal(lines, passed);
    am_test_result_free(&result);
}

static void end_to_end_cli__verify_without_a_case_is_an_error(void **state)
{
    (void)state;
    const char *path = am_test_source_path("tests/golden/data/vit.json");
    expect_failure(am_test_anymodel(NULL, "verify", path, "--only", "no such case"), AM_NOT_FOUND, "no such case");
    expect_failure(am_test_anymodel(NULL, "verify", "/no/such/file.json"), AM_NOT_FOUND, "/no/such/file.json");
}

/* --- kernels of lesser machines --- */

static am_test_result with_kernels(const char *level, const char *arguments)
{
    const char *line = am_test_format("ANYMODEL_CPU=%s \"%s\" %s", level, am_test_program(), arguments);
    return am_test_run((const char *const[]){"sh", "-c", line, NULL}, NULL);
}

static void expect_kernels(const char *level, const char *absent_feature)
{
    am_test_result targets = with_kernels(level, "targets --json");
    const char *verify = am_test_format("verify %s", am_test_source_path("tests/golden/data/vit.json"));
    am_test_result verified = with_kernels(level, verify);
    expect_code(&targets, AM_OK);
    expect_code(&verified, AM_OK);
    assert_non_null(strstr(targets.out, am_test_format("\"kernels\": \"%s\"", level)));
    assert_null(strstr(targets.out, am_test_format("\"%s\"", absent_feature)));
    am_test_result_free(&targets);
    am_test_result_free(&verified);
}

static void end_to_end_cli__an_environment_variable_chooses_lesser_kernels(void **state)
{
    (void)state;
    static const char *const levels[][2] = {{"sse2", "avx"}, {"avx2", "avx512f"}, {"neon", "none"}};
    int known = 0;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        am_test_result targets = with_kernels(levels[i][0], "targets --json");
        bool is_here =
            targets.exit_code == 0 && strstr(targets.out, am_test_format("\"kernels\": \"%s\"", levels[i][0]));
        am_test_result_free(&targets);
        if (!is_here) continue;
        expect_kernels(levels[i][0], levels[i][1]);
        known++;
    }
    assert_in_range(known, 1, 2);
    expect_kernels("reference", "sse2");
}

static void end_to_end_cli__a_level_of_kernels_that_is_not_known_is_an_error(void **state)
{
    (void)state;
    expect_failure(with_kernels("mmx", "targets"), AM_INVALID_ARGUMENT, "found \"mmx\"");
    expect_failure(with_kernels("", "targets"), AM_INVALID_ARGUMENT, "expected one of reference");
    const char *generate =
        am_test_format("generate %s --prompt It", am_test_source_path("examples/models/tiny-llama-text"));
    expect_failure(with_kernels("mmx", generate), AM_INVALID_ARGUMENT, "ANYMODEL_CPU");
}

/* --- answers of the example models --- */

static void check_digit(const char *model, am_json recorded)
{
    const char *image =
        am_test_source_path(am_test_format("examples/data/digits/%s", text_of(am_json_get(recorded, "file"))));
    am_test_result result = am_test_anymodel(NULL, "run", model_path(model), image, "--json");
    expect_code(&result, AM_OK);
    am_json_document *document = read_json(result.out);
    am_json_iterator best = am_json_iterate(am_json_root(document));
    am_json_iterator expected = am_json_iterate(am_json_get(recorded, "scores"));
    assert_true(am_json_next(&best) && am_json_next(&expected));
    assert_string_equal(text_of(am_json_get(best.value, "label")), text_of(am_json_get(recorded, "label")));
    double difference =
        am_json_real(am_json_get(best.value, "score"), 0) - am_json_real(am_json_get(expected.value, "score"), 2);
    assert_true(difference < 1e-4 && difference > -1e-4);
    am_json_close(document);
    am_test_result_free(&result);
}

static void end_to_end_cli__classifies_the_digits(void **state)
{
    (void)state;
    for_each_case("digits-vit", check_digit);
}

static void check_recording(const char *model, am_json recorded)
{
    const char *sound =
        am_test_source_path(am_test_format("examples/data/speech/%s", text_of(am_json_get(recorded, "file"))));
    am_test_result result = am_test_anymodel(NULL, "run", model_path(model), sound);
    expect_code(&result, AM_OK);
    assert_string_equal(result.out, am_test_format("%s\n", text_of(am_json_get(recorded, "text"))));
    am_test_result_free(&result);
}

static void end_to_end_cli__transcribes_the_recordings(void **state)
{
    (void)state;
    for_each_case("spoken-words-wav2vec2", check_recording);
}

static void check_text(const char *model, am_json recorded)
{
    am_json prompt_json = am_json_get(recorded, "prompt");
    if (am_json_kind_of(prompt_json) != AM_JSON_STRING) return; /* a conversation */
    const char *prompt = text_of(prompt_json), *expected = text_of(am_json_get(recorded, "generated_text"));
    const char *path = model_path(model);
    am_test_result whole =
        am_test_anymodel(NULL, "generate", path, "--prompt", prompt, "--max-new-tokens", "40", "--greedy");
    am_test_result pieces =
        am_test_anymodel(prompt, "generate", path, "--prompt", "-", "--max-new-tokens", "40", "--greedy", "--stream");
    expect_code(&whole, AM_OK);
    expect_code(&pieces, AM_OK);
    assert_string_equal(whole.out, am_test_format("%s\n", expected));
    assert_string_equal(pieces.out, whole.out);
    am_test_result_free(&whole);
    am_test_result_free(&pieces);
}

/* Conversations of one message; the others have answers in them that are not the model's. */
static void check_chat(const char *model, am_json recorded)
{
    am_json messages = am_json_get(recorded, "messages");
    am_json_iterator message = am_json_iterate(messages);
    if (am_json_kind_of(messages) != AM_JSON_ARRAY || am_json_count(messages) != 1 || !am_json_next(&message)) return;
    const char *said = am_test_format("%s\n", text_of(am_json_get(message.value, "content")));
    am_test_result result = am_test_anymodel(said, "chat", model_path(model), "--greedy", "--max-new-tokens", "40");
    expect_code(&result, AM_OK);
    assert_string_equal(result.out, am_test_format("%s\n", text_of(am_json_get(recorded, "generated_text"))));
    am_test_result_free(&result);
}

static void end_to_end_cli__writes_the_recorded_text(void **state)
{
    (void)state;
    for_each_case("tiny-llama-text", check_text);
}

static void end_to_end_cli__gives_the_recorded_answers_in_a_chat(void **state)
{
    (void)state;
    for_each_case("tiny-llama-text", check_chat);
}

static void end_to_end_cli__reads_several_inputs_and_stdin(void **state)
{
    (void)state;
    const char *model = model_path("digits-vit"), *image = digit_path();
    am_test_result one = am_test_anymodel(NULL, "run", model, image, "--json", "--option", "top_k=2");
    am_test_result two = am_test_anymodel(NULL, "run", model, image, image, "--json", "--option", "top_k=2");
    const char *line =
        am_test_format("'%s' run '%s' - --json --option top_k=2 < '%s'", am_test_program(), model, image);
    am_test_result piped = am_test_run((const char *const[]){"sh", "-c", line, NULL}, NULL);
    expect_code(&one, AM_OK);
    expect_code(&two, AM_OK);
    expect_code(&piped, AM_OK);
    assert_string_equal(piped.out, one.out);
    am_json_document *single = read_json(one.out), *array = read_json(two.out);
    assert_int_equal(am_json_count(am_json_root(single)), 2); /* labels */
    assert_int_equal(am_json_count(am_json_root(array)), 2);  /* answers */
    for (am_json_iterator i = am_json_iterate(am_json_root(array)); am_json_next(&i);)
        assert_int_equal(am_json_count(i.value), 2);
    am_json_close(single);
    am_json_close(array);
    am_test_result_free(&one);
    am_test_result_free(&two);
    am_test_result_free(&piped);
}

static void end_to_end_cli__embeds_a_text_a_line(void **state)
{
    (void)state;
    const char *model = model_path("tiny-llama-text");
    am_test_result result =
        am_test_anymodel("A walk in the garden.\nA letter.\nA walk in the garden.\n", "embed", model, "--json");
    expect_code(&result, AM_OK);
    am_json_document *document = read_json(result.out);
    assert_int_equal(am_json_count(am_json_root(document)), 3);
    for (am_json_iterator i = am_json_iterate(am_json_root(document)); am_json_next(&i);) {
        double square = 0;
        for (am_json_iterator j = am_json_iterate(i.value); am_json_next(&j);)
            square += am_json_real(j.value, 0) * am_json_real(j.value, 0);
        assert_true(square > 0.999 && square < 1.001);
    }
    am_json_close(document);
    am_test_result_free(&result);
    const char *file = am_test_write_text(am_test_temporary_directory(), "lines.txt", "A letter.");
    am_test_result lines = am_test_anymodel(NULL, "embed", model, file);
    expect_code(&lines, AM_OK);
    assert_ptr_equal(strchr(lines.out, '\n'), lines.out + lines.out_length - 1);
    am_test_result_free(&lines);
}

static void end_to_end_cli__chats_over_a_pipe(void **state)
{
    (void)state;
    const char *model = model_path("tiny-llama-text");
    const char *input = "It was a fine morning.\n/clear\n\nIt was a fine morning.\n";
    am_test_result result = am_test_anymodel(input, "chat", model, "--greedy", "--max-new-tokens", "8", "--json");
    expect_code(&result, AM_OK);
    char *second = strchr(result.out, '\n');
    assert_non_null(second);
    *second++ = 0;
    expect_part(result.out, "\"text\": ");
    second[strlen(second) - 1] = 0;
    assert_string_equal(result.out, second); /* what was cleared has no part in the answer */
    am_test_result_free(&result);
}

static void end_to_end_cli__gives_the_same_bytes_again_and_with_more_threads(void **state)
{
    (void)state;
    /* Longer-lived than the buffers of am_test_format, which the runs use too. */
    char text[4096], prompts[4096], vit[4096], digit[4096];
    snprintf(text, sizeof text, "%s", model_path("tiny-llama-text"));
    snprintf(prompts, sizeof prompts, "%s", am_test_source_path("examples/data/text/prompts.json"));
    snprintf(vit, sizeof vit, "%s", model_path("digits-vit"));
    snprintf(digit, sizeof digit, "%s", digit_path());
    const char *const lines[][12] = {
        {am_test_program(), "generate", text, "--prompt", "She", "--temperature", "0.9", "--seed", "5", "--json",
         "--threads", NULL},
        {am_test_program(), "embed", text, prompts, "--threads", NULL},
        {am_test_program(), "run", vit, digit, "--json", "--threads", NULL},
    };
    for (int i = 0; i < 3; i++) {
        am_test_result results[3];
        for (int j = 0; j < 3; j++) {
            const char *line[14] = {0};
            int count = 0;
            for (; lines[i][count]; count++) line[count] = lines[i][count];
            line[count] = j < 2 ? "1" : "2";
            results[j] = am_test_run(line, NULL);
            expect_code(&results[j], AM_OK);
        }
        assert_string_equal(results[0].out, results[1].out);
        assert_string_equal(results[0].out, results[2].out);
        assert_in_range(results[0].out_length, 2, 1 << 24);
        for (int j = 0; j < 3; j++) am_test_result_free(&results[j]);
    }
}

/* --- what is wrong with a model or an input --- */

static void end_to_end_cli__names_an_unsupported_class(void **state)
{
    (void)state;
    const char *directory = am_test_temporary_directory();
    am_test_write_text(directory, "config.json",
                       "{\"architectures\": [\"NoSuchForMaskedLM\"], \"model_type\": \"no_such\"}");
    expect_failure(am_test_anymodel(NULL, "run", directory, "x"), AM_UNSUPPORTED, "NoSuchForMaskedLM");
    expect_failure(am_test_anymodel(NULL, "run", directory, "x"), AM_UNSUPPORTED, "anymodel models");
}

static void end_to_end_cli__names_the_file_that_is_missing(void **state)
{
    (void)state;
    expect_failure(am_test_anymodel(NULL, "run", "/no/such/model", "x"), AM_NOT_FOUND, "/no/such/model");
    expect_failure(am_test_anymodel(NULL, "run", model_path("digits-vit"), "/no/such/image.png"), AM_NOT_FOUND,
                   "/no/such/image.png");
    expect_failure(am_test_anymodel(NULL, "embed", model_path("tiny-llama-text"), "/no/such/text"), AM_NOT_FOUND,
                   "/no/such/text");
}

static void end_to_end_cli__names_the_file_that_is_spoilt(void **state)
{
    (void)state;
    const char *directory = copy_vit();
    const char *weights = am_test_format("%s/model.safetensors", directory);
    size_t length;
    char *bytes = am_test_read_file(weights, &length);
    am_test_write_file(weights, bytes, length / 2);
    expect_failure(am_test_anymodel(NULL, "run", directory, digit_path()), AM_INVALID_FILE, weights);
    memset(bytes, 0xff, 8);
    am_test_write_file(weights, bytes, length);
    expect_failure(am_test_anymodel(NULL, "run", directory, digit_path()), AM_INVALID_FILE, weights);
    free(bytes);
    const char *config = am_test_write_text(directory, "config.json", "{\"model_type\": ");
    expect_failure(am_test_anymodel(NULL, "run", directory, digit_path()), AM_INVALID_FILE, config);
}

static void end_to_end_cli__names_an_image_that_is_none(void **state)
{
    (void)state;
    const char *image = am_test_write_text(am_test_temporary_directory(), "image.png", "\x89PNG\r\n\x1a\n and no more");
    expect_failure(am_test_anymodel(NULL, "run", model_path("digits-vit"), image), AM_INVALID_FILE, image);
}

static void end_to_end_cli__refuses_a_prompt_beyond_the_context(void **state)
{
    (void)state;
    enum { WORDS = 6000 };
    char *prompt = malloc(WORDS * 5 + 1);
    assert_non_null(prompt);
    for (int i = 0; i < WORDS; i++) memcpy(prompt + (size_t)i * 5, "walk ", 6);
    am_test_result result = am_test_anymodel(prompt, "generate", model_path("tiny-llama-text"), "--prompt", "-");
    free(prompt);
    expect_failure(result, AM_OUT_OF_RANGE, "tokens");
}

/* --- beams --- */

static void end_to_end_cli__searches_with_beams(void **state)
{
    (void)state;
    const char *model = model_path("tiny-llama-text");
    am_test_result one = am_test_anymodel(NULL, "generate", model, "--prompt", "It is a truth", "--num-beams", "3",
                                          "--max-new-tokens", "8", "--num-return-sequences", "2", "--length-penalty",
                                          "2", "--early-stopping", "never", "--json", "--greedy", "--threads", "1");
    am_test_result two =
        am_test_anymodel(NULL, "generate", model, "--prompt", "It is a truth", "--json", "--threads", "2", "--greedy",
                         "--option", "num_beams=3", "--option", "max_new_tokens=8", "--option",
                         "num_return_sequences=2", "--option", "length_penalty=2", "--option", "early_stopping=never");
    expect_code(&one, AM_OK);
    expect_code(&two, AM_OK);
    assert_string_equal(one.out, two.out);
    am_json_document *document = read_json(one.out);
    am_json sequences = am_json_get(am_json_root(document), "sequences");
    assert_int_equal(am_json_count(sequences), 2);
    double before = 0;
    for (am_json_iterator i = am_json_iterate(sequences); am_json_next(&i);) {
        assert_int_equal(am_json_count(am_json_get(i.value, "ids")), 8);
        double score = am_json_real(am_json_get(i.value, "score"), 1);
        assert_true(score < before);
        before = before < 0 ? before : score;
    }
    am_json_close(document);
    am_test_result_free(&one);
    am_test_result_free(&two);
}

static void end_to_end_cli__runs_a_task_with_settings_of_generation(void **state)
{
    (void)state;
    const char *model = am_test_source_path("tests/unit/tasks/data/text_to_text");
    am_test_result result = am_test_anymodel(NULL, "run", model, "The cat sat on the mat .", "--task", "summarization",
                                             "--num-beams", "3", "--num-return-sequences", "3", "--max-new-tokens", "9",
                                             "--no-repeat-ngram-size", "1", "--min-new-tokens", "4", "--json");
    expect_code(&result, AM_OK);
    am_json_document *document = read_json(result.out);
    assert_int_equal(am_json_count(am_json_root(document)), 3);
    am_json_close(document);
    am_test_result_free(&result);
}

static void end_to_end_cli__refuses_settings_of_generation_that_make_no_sense(void **state)
{
    (void)state;
    static const char *const wrong[][3] = {
        {"--early-stopping", "always", "early_stopping"},   {"--length-penalty", "much", "--length-penalty"},
        {"--option", "num_beams=0", "num_beams"},           {"--min-new-tokens", "1.5", "min_new_tokens"},
        {"--option", "eos_token_id=\"a\"", "eos_token_id"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_failure(am_test_anymodel(NULL, "generate", model_path("tiny-llama-text"), "--prompt", "x", wrong[i][0],
                                        wrong[i][1]),
                       AM_INVALID_ARGUMENT, wrong[i][2]);
    expect_failure(am_test_anymodel(NULL, "generate", model_path("tiny-llama-text"), "--prompt", "x", "--option",
                                    "guidance_scale=2"),
                   AM_UNSUPPORTED, "classifier-free guidance");
}
