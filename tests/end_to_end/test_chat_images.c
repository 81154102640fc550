/* `anymodel chat` about images and videos, with a tiny Llama 4 and a tiny Qwen2-VL whose answers transformers gave
   (tests/unit/tasks/data/pipelines.json). */
#include "cli_support.h"

#include "base/buffer.h"
#include "base/json.h"
#include "recorded_models.h"

#include <anymodel/processor.h>

static const char *photo_path(void)
{
    return am_test_source_path("examples/data/digits/photo-4.jpg");
}

/* What the recorded answer to "The cat?" about the photo is. */
static void expect_recorded(const char *answer)
{
    am_json_document *document;
    int checked = 0;
    am_test_expect_ok(am_json_open(am_test_source_path("tests/unit/tasks/data/pipelines.json"), &document));
    for (am_json_iterator i = am_json_iterate(am_json_get(am_json_root(document), "cases")); am_json_next(&i);) {
        am_json last = {0}, messages = am_json_get(am_json_get(i.value, "options"), "messages"), said = {0};
        if (!am_json_equals(am_json_get(i.value, "model"), "llama4") || am_json_count(messages) != 1) continue;
        for (am_json_iterator a = am_json_iterate(am_json_get(i.value, "answer")); am_json_next(&a);)
            said = am_json_get(a.value, "generated_text");
        for (am_json_iterator m = am_json_iterate(said); am_json_next(&m);) last = m.value;
        am_json_string text = am_json_text(am_json_get(last, "content"));
        if (strncmp(answer, text.bytes, text.length) != 0 || strcmp(answer + text.length, "\n") != 0)
            fail_msg("\"%s\" is not \"%s\"", answer, text.bytes);
        checked += am_json_int(am_json_get(am_json_get(i.value, "options"), "max_new_tokens"), 0) == 8;
        break;
    }
    assert_int_equal(checked, 1);
    am_json_close(document);
}

/* The answer that the task image-text-to-text gives to messages; freed with free. */
static char *ask(const char *model, const char *messages)
{
    am_buffer option = {0};
    am_buffer_printf(&option, "messages=%s", messages);
    am_test_result result = am_test_anymodel(NULL, "run", model, "--option", am_buffer_text(&option), "--option",
                                             "max_new_tokens=8", "--option", "do_sample=false");
    expect_code(&result, AM_OK);
    char *answer = strdup(result.out);
    am_buffer_deinit(&option);
    am_test_result_free(&result);
    return answer;
}

#define CHAT(input, ...) am_test_anymodel(input, "chat", "--greedy", "--max-new-tokens", "8", __VA_ARGS__)

static void end_to_end_chat_images__the_first_message_has_those_of_the_command_line(void **state)
{
    (void)state;
    const kept_text photo = keep(photo_path());
    am_test_result result = CHAT("The cat?\n", am_test_recorded_model("llama4"), "--image", photo.text);
    expect_code(&result, AM_OK);
    expect_recorded(result.out);
    am_test_result_free(&result);
}

#define TEXT(text)  "{\"type\": \"text\", \"text\": \"" text "\"}"
#define IMAGE(path) "{\"type\": \"image\", \"path\": \"", path, "\"}, "

static void append_all(am_buffer *out, const char *const *parts)
{
    for (; *parts; parts++) am_buffer_append_string(out, *parts);
}

/* The second turn's messages hold the first one's image and answer, and two images of their own. */
static void end_to_end_chat_images__stay_with_the_turn_that_they_were_given_with(void **state)
{
    (void)state;
    const kept_text photo = keep(photo_path()), digit = keep(digit_path());
    const char *model = am_test_recorded_model("llama4");
    am_buffer messages = {0};
    append_all(&messages, (const char *const[]){"[{\"role\": \"system\", \"content\": [" TEXT("Be kind.") "]}, ",
                                                "{\"role\": \"user\", \"content\": [", IMAGE(photo.text),
                                                TEXT("The cat?") "]}", NULL});
    size_t begun = messages.length;
    am_buffer_append_char(&messages, ']');
    char *first = ask(model, am_buffer_text(&messages));
    messages.length = begun;
    am_buffer_append_string(&messages, ", {\"role\": \"assistant\", \"content\": [{\"type\": \"text\", \"text\": ");
    am_buffer_append_json_string(&messages, first, strlen(first) - 1);
    append_all(&messages, (const char *const[]){"}]}, {\"role\": \"user\", \"content\": [", IMAGE(digit.text),
                                                IMAGE(photo.text), TEXT("And?") "]}]", NULL});
    char *second = ask(model, am_buffer_text(&messages));
    assert_string_not_equal(first, second);
    am_test_result result = CHAT(am_test_format("The cat?\n/image %s\n/image %s\n\nAnd?\n", digit.text, photo.text),
                                 model, "--image", photo.text, "--system", "Be kind.");
    expect_code(&result, AM_OK);
    assert_string_equal(result.out, am_test_format("%s%s", first, second));
    am_test_result_free(&result);
    am_buffer_deinit(&messages);
    free(first);
    free(second);
}

static void end_to_end_chat_images__are_forgotten_with_the_conversation(void **state)
{
    (void)state;
    const kept_text photo = keep(photo_path());
    const char *model = am_test_recorded_model("llama4");
    am_test_result plain = CHAT("The cat?\n", model, "--json");
    am_test_result cleared = CHAT("/clear\nThe cat?\n", model, "--json", "--image", photo.text);
    am_test_result shown = CHAT("The cat?\n", model, "--json", "--image", photo.text);
    expect_code(&plain, AM_OK);
    expect_code(&cleared, AM_OK);
    expect_code(&shown, AM_OK);
    assert_string_equal(plain.out, cleared.out);
    assert_string_not_equal(plain.out, shown.out);
    am_test_result_free(&plain);
    am_test_result_free(&cleared);
    am_test_result_free(&shown);
}

static void end_to_end_chat_images__that_cannot_be_shown_are_errors(void **state)
{
    (void)state;
    static const char refusal[] = "model type llama (class LlamaForCausalLM) takes no images in a conversation";
    const kept_text photo = keep(photo_path()), llama = keep(model_path("tiny-llama-text"));
    const char *llama4 = am_test_recorded_model("llama4");
    expect_failure(CHAT("Hello\n", llama.text, "--image", photo.text), AM_UNSUPPORTED, refusal);
    expect_failure(CHAT(am_test_format("/image %s\nHello\n", photo.text), llama.text), AM_UNSUPPORTED, refusal);
    expect_failure(CHAT("Hello\n", llama4, "--image", "absent.png"), AM_NOT_FOUND, "absent.png");
    expect_failure(CHAT("/image\n", llama4), AM_NOT_FOUND, "there is no image \"\"");
    expect_failure(CHAT("Hello\n", llama4, "--image", am_test_source_path("README.md")), AM_UNSUPPORTED, "README.md");
    expect_failure(am_test_anymodel(NULL, "run", llama4, "--option",
                                    "messages=[{\"role\": \"user\", \"content\": [{\"type\": \"image\"}]}]"),
                   AM_INVALID_ARGUMENT, "an image without its file");
    expect_failure(am_test_anymodel(NULL, "run", llama4, "--option",
                                    "messages=[{\"role\": \"user\", \"content\": [{\"type\": \"image\", \"url\": "
                                    "\"https://example.org/a.png\"}]}]"),
                   AM_UNSUPPORTED, "images are read from files only");
    expect_failure(am_test_anymodel(NULL, "run", llama4, photo.text, "--option",
                                    "messages=[{\"role\": \"user\", \"content\": \"Hello\"}]"),
                   AM_INVALID_ARGUMENT, "no part {\"type\": \"image\"} is left");
}

/* --- videos --- */

static const char *clip_path(void)
{
    return am_test_source_path("tests/unit/media/data/videos/h264.mp4");
}

static bool decodes_videos(void)
{
    if (am_video_files_decoded()) return true;
    print_message("this build has no video decoding\n");
    return false;
}

static void end_to_end_chat_images__videos_go_with_a_message_as_images_do(void **state)
{
    (void)state;
    if (!decodes_videos()) skip();
    const kept_text clip = keep(clip_path());
    const char *model = am_test_recorded_model("qwen2-vl");
    am_buffer messages = {0};
    append_all(&messages,
               (const char *const[]){"[{\"role\": \"user\", \"content\": [{\"type\": \"video\", \"path\": \"",
                                     clip.text, "\"}, " TEXT("The cat?") "]}]", NULL});
    char *answer = ask(model, am_buffer_text(&messages));
    am_test_result option = CHAT("The cat?\n", model, "--video", clip.text);
    am_test_result line = CHAT(am_test_format("/video %s\nThe cat?\n", clip.text), model);
    am_test_result without = CHAT("The cat?\n", model);
    expect_code(&option, AM_OK);
    expect_code(&line, AM_OK);
    expect_code(&without, AM_OK);
    assert_string_equal(option.out, answer);
    assert_string_equal(line.out, answer);
    assert_string_not_equal(without.out, answer);
    am_test_result_free(&option);
    am_test_result_free(&line);
    am_test_result_free(&without);
    am_buffer_deinit(&messages);
    free(answer);
}

static void end_to_end_chat_images__videos_that_cannot_be_shown_are_errors(void **state)
{
    (void)state;
    const kept_text clip = keep(clip_path());
    const char *llama4 = am_test_recorded_model("llama4"), *qwen = am_test_recorded_model("qwen2-vl");
    expect_failure(CHAT("Hello\n", llama4, "--video", clip.text), AM_UNSUPPORTED, "Llama4Processor, takes no videos");
    expect_failure(CHAT("Hello\n", qwen, "--video", "absent.mp4"), AM_NOT_FOUND, "there is no video \"absent.mp4\"");
    expect_failure(am_test_anymodel(NULL, "run", qwen, "--option",
                                    "messages=[{\"role\": \"user\", \"content\": [{\"type\": \"video\"}]}]"),
                   AM_INVALID_ARGUMENT, "a video without its file");
    if (!decodes_videos()) skip();
    expect_failure(CHAT("Hello\n", qwen, "--video", am_test_source_path("README.md")), AM_INVALID_FILE, "README.md");
}
