#include "recorded_models.h"
#include "test_support.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "processors/processor.h"
#include "tensor/shape.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16, CLASSES = 114 };

/* --- inputs, as tools/record/record_processors.py makes them --- */

typedef struct inputs {
    am_text texts[MOST];
    am_image images[MOST];
    int64_t image_counts[MOST];
    am_video videos[MOST];
    am_audio sounds[MOST];
    am_processor_inputs call;
} inputs;

static int64_t number_at(am_json list, int index)
{
    am_json_iterator i = am_json_iterate(list);
    for (int at = 0; am_json_next(&i); at++)
        if (at == index) return am_json_int(i.value, -1);
    return -1;
}

static void add_image(inputs *in, am_json size, int64_t seed)
{
    assert_true(in->call.image_count < MOST);
    am_test_draw(number_at(size, 0), number_at(size, 1), seed, &in->images[in->call.image_count++]);
}

/* [frames, height, width, frames a second] */
static void add_video(inputs *in, am_json numbers)
{
    assert_true(in->call.video_count < MOST);
    am_video *video = &in->videos[in->call.video_count++];
    int64_t count = number_at(numbers, 0), fps = number_at(numbers, 3);
    am_image *frames = am_alloc_zeroed((size_t)count, sizeof *frames);
    assert_non_null(frames);
    for (int64_t i = 0; i < count; i++) am_test_draw(number_at(numbers, 1), number_at(numbers, 2), i, &frames[i]);
    *video = (am_video){.frames = frames, .count = count, .fps = (double)fps};
    if (fps) video->duration = (double)count / (double)fps;
}

static void add_sound(inputs *in, int64_t length, int rate)
{
    am_audio *sound = &in->sounds[in->call.sound_count];
    *sound = (am_audio){.frames = length, .channels = 1, .sampling_rate = rate};
    sound->samples = am_alloc((size_t)length * sizeof *sound->samples);
    assert_non_null(sound->samples);
    for (int64_t i = 0; i < length; i++)
        sound->samples[i] = (float)(i * (37 + in->call.sound_count) % 101 - 50) / 128.0f;
    in->call.sound_count++;
    assert_true(in->call.sound_count <= MOST);
}

static void make_inputs(am_json row, int rate, inputs *in)
{
    int samples = 0;
    *in = (inputs){.call = {.texts = in->texts, .images = in->images, .videos = in->videos, .sounds = in->sounds}};
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "texts")); am_json_next(&i);) {
        am_json_string text = am_json_text(i.value);
        in->texts[in->call.text_count++] = (am_text){text.bytes, text.length};
    }
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "images")); am_json_next(&i);) {
        int64_t *seed = &in->image_counts[samples++];
        for (am_json_iterator k = am_json_iterate(i.value); am_json_next(&k);) add_image(in, k.value, (*seed)++);
    }
    if (samples && samples == in->call.text_count) in->call.image_counts = in->image_counts;
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "videos")); am_json_next(&i);) add_video(in, i.value);
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "sounds")); am_json_next(&i);)
        add_sound(in, am_json_int(i.value, 0), rate);
}

static void free_video(const am_video *video)
{
    am_image *frames = (am_image *)video->frames;
    for (int64_t i = 0; i < video->count; i++) am_image_deinit(&frames[i]);
    am_free(frames);
}

static void free_inputs(inputs *in)
{
    for (int64_t i = 0; i < in->call.video_count; i++) free_video(&in->videos[i]);
    for (int64_t i = 0; i < in->call.image_count; i++) am_image_deinit(&in->images[i]);
    for (int64_t i = 0; i < in->call.sound_count; i++) am_audio_deinit(&in->sounds[i]);
}

/* --- answers --- */

static int failures;

static void complain(const char *where, const char *what)
{
    print_error("%s: %s\n", where, what);
    failures++;
}

static void check_text(const char *where, am_json expected, const am_buffer *found)
{
    am_buffer text = {0};
    for (am_json_iterator i = am_json_iterate(expected); am_json_next(&i);) {
        bool run = am_json_kind_of(i.value) == AM_JSON_ARRAY;
        am_json_iterator k = am_json_iterate(i.value);
        am_json_string piece = am_json_text(run && am_json_next(&k) ? k.value : i.value);
        int64_t times = run ? number_at(i.value, 1) : 1;
        for (; times > 0; times--) am_buffer_append(&text, piece.bytes, piece.length);
    }
    size_t same = 0;
    while (same < text.length && same < found->length && text.bytes[same] == found->bytes[same]) same++;
    if (same < text.length || same < found->length)
        complain(where, am_test_format("text is \"..%.1500s\" after %d characters, expected \"..%.1500s\"",
                                       am_buffer_text(found) + same, (int)same, am_buffer_text(&text) + same));
    am_buffer_deinit(&text);
}

static bool same_shape(am_json expected, const am_shape *shape)
{
    if ((int)am_json_count(expected) != shape->rank) return false;
    for (int d = 0; d < shape->rank; d++)
        if (number_at(expected, d) != shape->dims[d]) return false;
    return true;
}

static int64_t integer_at(const am_tensor *x, int64_t i)
{
    if (x->dtype == AM_I64) return ((const int64_t *)x->data)[i];
    if (x->dtype == AM_I32) return ((const int32_t *)x->data)[i];
    if (x->dtype == AM_F32) return (int64_t)((const float *)x->data)[i];
    return ((const uint8_t *)x->data)[i];
}

static void check_tensor(const char *where, am_json expected, const am_tensor *x)
{
    char shape[AM_SHAPE_TEXT];
    int64_t at = 0, count = am_shape_count(&x->shape);
    if (!same_shape(am_json_get(expected, "shape"), &x->shape)) {
        am_buffer text = {0};
        am_json_write(am_json_get(expected, "shape"), &text);
        complain(where,
                 am_test_format("shape is %s, expected %s", am_shape_text(&x->shape, shape), am_buffer_text(&text)));
        am_buffer_deinit(&text);
        return;
    }
    am_json_iterator i = am_json_iterate(am_json_get(expected, "numbers"));
    for (int64_t k = 0; am_json_next(&i) && x->dtype == AM_F32; k++)
        if (fabs((double)((const float *)x->data)[k] - am_json_real(i.value, 0.0)) > 1e-6)
            complain(where, am_test_format("number %d is %.9g, expected %.9g", (int)k,
                                           (double)((const float *)x->data)[k], am_json_real(i.value, 0.0)));
    am_json spread = am_json_get(expected, "spread");
    i = am_json_iterate(spread);
    for (int64_t k = 0; am_json_next(&i) && x->dtype == AM_F32; k++) {
        int64_t place = (int64_t)((double)k * (double)(count - 1) / (double)(am_json_count(spread) - 1));
        double found = (double)((const float *)x->data)[place], wanted = am_json_real(i.value, 0.0);
        if (!(fabs(found - wanted) <= 1e-5 * fmax(1.0, fabs(wanted))))
            complain(where, am_test_format("number %d is %.9g, expected %.9g", (int)place, found, wanted));
    }
    i = am_json_iterate(am_json_get(expected, "runs"));
    while (am_json_next(&i)) {
        int64_t value = am_json_int(i.value, -1);
        if (!am_json_next(&i)) break;
        for (int64_t times = am_json_int(i.value, 0); times > 0 && at < count; times--, at++) {
            if (integer_at(x, at) == value) continue;
            complain(where,
                     am_test_format("number %d is %d, expected %d", (int)at, (int)integer_at(x, at), (int)value));
            return;
        }
    }
}

static void check_output(const char *where, am_json expected, const am_media_tensors *found, const char *name)
{
    const am_media_output *item = am_media_tensors_find(found, name);
    am_json list = am_json_get(expected, "list");
    const char *place = am_test_format("%s, %s", where, name);
    if (!item) {
        complain(place, "is not there");
        return;
    }
    if (am_json_kind_of(list) == AM_JSON_MISSING && item->is_list && item->count == 1 &&
        am_json_count(am_json_get(expected, "shape")) == (size_t)item->tensors[0].shape.rank + 1)
        return; /* a list of one, which the class makes no tensor of */
    if (am_json_kind_of(list) == AM_JSON_MISSING) {
        check_tensor(place, expected, &item->tensors[0]);
        return;
    }
    if ((int64_t)am_json_count(list) != item->count) {
        complain(place, am_test_format("%d tensors, expected %d", (int)item->count, (int)am_json_count(list)));
        return;
    }
    int64_t at = 0;
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i); at++)
        check_tensor(place, i.value, &item->tensors[item->is_list ? at : 0]);
}

static void check_processed(const char *where, am_json row, const am_processed *found)
{
    int64_t text = 0;
    int outputs = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "expanded")); am_json_next(&i); text++)
        if (text < found->text_count) check_text(where, i.value, &found->texts[text]);
    if (text != found->text_count) complain(where, am_test_format("%d texts", (int)found->text_count));
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "outputs")); am_json_next(&i); outputs++)
        check_output(where, i.value, &found->tensors, i.key.bytes);
    for (int i = 0; i < found->tensors.count; i++)
        if (am_json_kind_of(am_json_get(am_json_get(row, "outputs"), found->tensors.items[i].name)) == AM_JSON_MISSING)
            complain(where, am_test_format("output %s is not among those recorded", found->tensors.items[i].name));
    assert_true(outputs > 0);
}

static void check_case(const char *where, const char *directory, am_json row)
{
    inputs in;
    am_processor *p;
    am_processed found = {0};
    am_status status = am_processor_open(directory, am_json_get(row, "arguments"), &p);
    if (!status) {
        make_inputs(row, am_processor_sampling_rate(p), &in);
        status = am_processor_run(p, &in.call, &found);
        if (!status) check_processed(where, row, &found);
        am_processed_deinit(&found);
        free_inputs(&in);
    }
    am_processor_close(p);
    if (status) complain(where, am_status_message(status));
    am_status_free(status);
}

static void check_file(void *context, const char *name)
{
    am_json_document *document;
    int *classes = context, number = 0;
    if (strcmp(am_path_extension(name), ".json") != 0 || strcmp(name, "tokenizer.json") == 0) return;
    am_test_expect_ok(
        am_json_open(am_test_source_path(am_test_format("tests/unit/processors/data/%s", name)), &document));
    am_json row = am_json_root(document);
    const char *directory = am_test_make_processor(row);
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "cases")); am_json_next(&i); number++)
        check_case(am_test_format("%s case %d", name, number), directory, i.value);
    assert_true(number > 0);
    am_json_close(document);
    ++*classes;
}

static void processors__answer_as_recorded(void **state)
{
    int classes = 0;
    (void)state;
    failures = 0;
    am_test_expect_ok(am_directory_each(am_test_source_path("tests/unit/processors/data"), check_file, &classes));
    assert_int_equal(failures, 0);
    assert_int_equal(classes, CLASSES);
}

/* --- what is refused --- */

/* The model directory of a recorded class, with `processor_config` in the place of processor_config.json where it is
   given. */
static const char *recorded_model(const char *class_name, const char *processor_config)
{
    am_json_document *document;
    am_test_expect_ok(
        am_json_open(am_test_source_path(am_test_format("tests/unit/processors/data/%s.json", class_name)), &document));
    const char *directory = am_test_make_processor(am_json_root(document));
    if (processor_config) am_test_write_text(directory, "processor_config.json", processor_config);
    am_json_close(document);
    return directory;
}

static am_status run_texts(const char *directory, const char *text, int64_t images)
{
    am_processor *p;
    am_processed found = {0};
    am_image pictures[2] = {{0}};
    am_text texts[] = {{text, strlen(text)}};
    am_test_expect_ok(am_processor_open(directory, (am_json){0}, &p));
    for (int64_t i = 0; i < images; i++) am_test_expect_ok(am_image_create(30, 40, &pictures[i]));
    am_processor_inputs call = {.texts = texts, .text_count = 1, .images = pictures, .image_count = images};
    am_status status = am_processor_run(p, &call, &found);
    for (int64_t i = 0; i < images; i++) am_image_deinit(&pictures[i]);
    am_processed_deinit(&found);
    am_processor_close(p);
    return status;
}

static void processors__refuse_classes_by_name(void **state)
{
    am_processor *p;
    const char *directory = recorded_model("Qwen2VLProcessor", "{\"processor_class\": \"HiggsAudioV2Processor\"}");
    (void)state;
    am_test_expect_error(am_processor_open(directory, (am_json){0}, &p), AM_UNSUPPORTED, "HiggsAudioV2Processor");
    am_test_write_text(directory, "processor_config.json", "{}");
    am_test_write_text(directory, "tokenizer_config.json", "{\"tokenizer_class\": \"TokenizersBackend\"}");
    am_test_expect_error(am_processor_open(directory, (am_json){0}, &p), AM_NOT_FOUND, "processor_class");
    am_test_write_text(directory, "config.json", "{\"model_type\": \"voxtral\"}");
    am_test_expect_error(am_processor_open(directory, (am_json){0}, &p), AM_UNSUPPORTED, "VoxtralProcessor");
}

static void processors__are_chosen_by_model_type(void **state)
{
    am_processor *p;
    const char *directory = recorded_model("Qwen2VLProcessor", "{}");
    (void)state;
    am_test_write_text(directory, "tokenizer_config.json", "{\"tokenizer_class\": \"TokenizersBackend\"}");
    am_test_write_text(directory, "preprocessor_config.json", "{\"image_processor_type\": \"Qwen2VLImageProcessor\"}");
    am_test_write_text(directory, "config.json", "{\"model_type\": \"qwen3_5\"}");
    am_test_expect_ok(am_processor_open(directory, (am_json){0}, &p));
    assert_string_equal(am_processor_class_name(p), "Qwen3VLProcessor");
    am_text placeholder = am_processor_image_placeholder(p);
    assert_int_equal(placeholder.length, strlen("<|image_pad|>"));
    assert_memory_equal(placeholder.bytes, "<|image_pad|>", placeholder.length);
    assert_null(am_processor_sound_placeholder(p).bytes);
    am_processor_close(p);
}

#define WITHOUT_VIDEOS                                                                                                 \
    "{\"processor_class\": \"Qwen2VLProcessor\", "                                                                     \
    "\"image_processor\": {\"image_processor_type\": \"Qwen2VLImageProcessor\"}}"

static void processors__refuse_media_without_placeholders(void **state)
{
    const char *directory = recorded_model("Qwen2VLProcessor", NULL);
    (void)state;
    am_test_expect_error(run_texts(directory, "no place", 1), AM_INVALID_ARGUMENT,
                         "the texts have 0 times \"<|image_pad|>\", but 1 images are given");
    am_test_expect_error(run_texts(directory, "<|image_pad|> and <|image_pad|>", 1), AM_INVALID_ARGUMENT, "2 times");
    am_test_expect_error(run_texts(directory, "<|image_pad|>", 0), AM_INVALID_ARGUMENT, "but 0 images");
    am_test_expect_error(run_texts(directory, "no \xff", 0), AM_INVALID_ARGUMENT, "text 0: not UTF-8 at byte 3");
    am_test_expect_error(run_texts(directory, "<|video_pad|>", 0), AM_INVALID_ARGUMENT, "but 0 videos");
    am_test_expect_error(run_texts(recorded_model("Qwen2VLProcessor", WITHOUT_VIDEOS), "<|video_pad|>", 0),
                         AM_UNSUPPORTED, "<|video_pad|>");
    am_test_expect_error(run_texts(recorded_model("Qwen2AudioProcessor", NULL), "<|AUDIO|>", 1), AM_INVALID_ARGUMENT,
                         "takes no images");
}

static void processors__need_the_tokens_of_their_class(void **state)
{
    am_processor *p;
    const char *directory = recorded_model("PixtralProcessor", NULL);
    (void)state;
    am_test_write_text(directory, "processor_config.json",
                       "{\"processor_class\": \"PixtralProcessor\", \"image_break_token\": \"[ROW]\", "
                       "\"image_processor\": {\"image_processor_type\": \"PixtralImageProcessor\"}}");
    am_test_expect_error(am_processor_open(directory, (am_json){0}, &p), AM_INVALID_FILE,
                         "\"[ROW]\" (image_break_token)");
}

/* A call that is refused: media of one size, of `videos` with `fps` frames a second. */
typedef struct refusal {
    const char *class_name, *arguments, *text;
    int64_t images, videos, sounds, fps;
    am_code code;
    const char *message;
} refusal;

enum { MOST_MEDIA = 2, FRAMES = 3, SAMPLES = 8000 };

static void expect_refusal(const refusal *r)
{
    am_processor *p;
    am_processed found = {0};
    am_json_document *arguments;
    am_image frames[FRAMES], images[MOST_MEDIA];
    am_video videos[MOST_MEDIA];
    am_audio sounds[MOST_MEDIA];
    float samples[SAMPLES] = {0};
    am_text text = {r->text, r->text ? strlen(r->text) : 0};
    const char *given = r->arguments ? r->arguments : "{}";
    am_test_expect_ok(am_json_parse(given, strlen(given), "arguments", &arguments));
    am_test_expect_ok(am_processor_open(recorded_model(r->class_name, NULL), am_json_root(arguments), &p));
    for (int i = 0; i < FRAMES; i++) am_test_draw(40, 30, i, &frames[i]);
    for (int i = 0; i < MOST_MEDIA; i++) {
        images[i] = frames[i];
        videos[i] = (am_video){.frames = frames, .count = FRAMES, .fps = (double)r->fps};
        sounds[i] = (am_audio){.samples = samples, .frames = SAMPLES, .channels = 1, .sampling_rate = 16000};
    }
    am_processor_inputs call = {.texts = &text,
                                .text_count = r->text ? 1 : 0,
                                .images = images,
                                .image_count = r->images,
                                .videos = videos,
                                .video_count = r->videos,
                                .sounds = sounds,
                                .sound_count = r->sounds};
    am_test_expect_error(am_processor_run(p, &call, &found), r->code, r->message);
    for (int i = 0; i < FRAMES; i++) am_image_deinit(&frames[i]);
    am_processed_deinit(&found);
    am_processor_close(p);
    am_json_close(arguments);
}

#define HEARD "{\"load_audio_from_video\": true, \"audio_from_video_indices\": "

static void processors__refuse_calls_that_make_no_sense(void **state)
{
    static const refusal refusals[] = {
        {"SmolVLMProcessor", NULL, "<video>", 0, 0, 0, 2, AM_INVALID_ARGUMENT, "but 0 videos are given"},
        {"SmolVLMProcessor", NULL, "none", 0, 1, 0, 2, AM_INVALID_ARGUMENT, "0 times \"<video>\", but 1 videos"},
        {"InstructBlipVideoProcessor", NULL, "one", 1, 0, 0, 2, AM_INVALID_ARGUMENT, "takes no images"},
        {"Molmo2Processor", NULL, "<|video|><|video|>", 0, 2, 0, 2, AM_INVALID_ARGUMENT, "expected at most one"},
        {"HyperCLOVAXVisionV2Processor", NULL, "<|video_duration|><|video_duration|><|video_pad|>", 0, 1, 0, 2,
         AM_INVALID_ARGUMENT, "more durations than videos"},
        {"NemotronH_Omni_Reasoning_V3Processor", NULL, "<video><video>", 0, 2, 0, 2, AM_INVALID_ARGUMENT,
         "expected one in one"},
        {"EmbeddingGemma2Processor", "{\"videos_kwargs\": {\"add_timestamps\": true, \"do_sample_frames\": false}}",
         "<|video|>", 0, 1, 0, 0, AM_INVALID_ARGUMENT, "the fps of a video must be known"},
        {"EmbeddingGemma2Processor", NULL, NULL, 1, 0, 2, 0, AM_INVALID_ARGUMENT, "of 1 and of 2 samples"},
        {"Qwen2_5OmniProcessor", "{\"load_audio_from_video\": true}", "<|VIDEO|>", 0, 1, 0, 2, AM_UNSUPPORTED,
         "audio_from_video_indices"},
        {"Qwen2_5OmniProcessor", HEARD "[1]}", "<|VIDEO|>", 0, 1, 1, 2, AM_INVALID_ARGUMENT, "numbers below 1"},
        {"Qwen3OmniMoeProcessor", HEARD "[0, null]}", "<|VIDEO|>", 0, 1, 2, 2, AM_INVALID_ARGUMENT, "but 1 sounds"},
        {"FuyuProcessor", NULL, "one", 2, 0, 0, 0, AM_INVALID_ARGUMENT, "2 images for 1 texts"},
        {"FuyuProcessor", NULL, "|SPEAKER|", 1, 0, 0, 0, AM_INVALID_ARGUMENT, "2 times \"|SPEAKER|\""},
        {"Kosmos2Processor", NULL, "one", 2, 0, 0, 0, AM_INVALID_ARGUMENT, "2 images for 1 texts"},
        {"Kosmos2Processor", "{\"bboxes\": [[[0, 1]]]}", "no phrase", 1, 0, 0, 0, AM_INVALID_ARGUMENT,
         "bboxes of 1 phrases, but the text has 0"},
        {"Kosmos2Processor", "{\"bboxes\": [[[0, 1, 2]]]}", "<phrase>a</phrase>", 1, 0, 0, 0, AM_INVALID_ARGUMENT,
         "2 patches or 4 coordinates"},
        {"Kosmos2Processor", "{\"bboxes\": [[[0.5, 0.5, 0.4, 0.9]]]}", "<phrase>a</phrase>", 1, 0, 0, 0,
         AM_INVALID_ARGUMENT, "x1 < x2"},
        {"Kosmos2Processor", "{\"bboxes\": [[[3, 16]]]}", "<phrase>a</phrase>", 1, 0, 0, 0, AM_INVALID_ARGUMENT,
         "patches below 16"},
        {"PI0Processor", NULL, "one", 0, 0, 0, 0, AM_INVALID_ARGUMENT, "needs images"},
        {"PI0Processor", "{\"state\": [[1, 2, 3, 4]]}", "one", 1, 0, 0, 0, AM_INVALID_ARGUMENT, "statistics of 3"},
        {"PI0Processor", "{\"actions\": [[1, 2], [3]]}", "one", 1, 0, 0, 0, AM_INVALID_ARGUMENT, "lists of 2 and of 1"},
        {"PI0Processor", "{\"actions\": [[1, 2]]}", "one", 1, 0, 0, 0, AM_INVALID_ARGUMENT, "a multiple of 2"},
        {"ShieldGemma2Processor", NULL, NULL, 0, 0, 0, 0, AM_INVALID_ARGUMENT, "needs images"},
        {"ShieldGemma2Processor", "{\"policies\": [\"none\"]}", NULL, 1, 0, 0, 0, AM_INVALID_ARGUMENT,
         "no policy \"none\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) expect_refusal(&refusals[i]);
}

static void processors__need_the_chat_template_that_they_ask_by(void **state)
{
    am_processor *p;
    const char *directory = recorded_model(
        "ShieldGemma2Processor", "{\"processor_class\": \"ShieldGemma2Processor\", "
                                 "\"image_processor\": {\"image_processor_type\": \"Gemma3ImageProcessor\"}}");
    (void)state;
    am_test_expect_error(am_processor_open(directory, (am_json){0}, &p), AM_NOT_FOUND, "chat template");
}
