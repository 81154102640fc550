/* Images, sounds and preprocessor_config.json that lie, through the program. */
#include "cli_support.h"

#include <stdint.h>

/* These bytes as an input of a model: fails so, and names the file. */
static void expect_media_failure(const char *model, const char *name, const void *bytes, size_t length, am_code code,
                                 const char *part)
{
    kept_text path = keep(am_test_format("%s/%s", am_test_temporary_directory(), name)), expected = keep(part);
    am_test_write_file(path.text, bytes, length);
    expect_failure(am_test_anymodel(NULL, "run", model_path(model), path.text), code, expected.text);
    expect_failure(am_test_anymodel(NULL, "run", model_path(model), path.text), code, path.text);
}

static void end_to_end_media__images_that_are_truncated(void **state)
{
    static const char *const images[] = {
        "examples/data/digits/digit-3.png",
        "examples/data/digits/photo-4.jpg",
        "tests/unit/media/data/formats/lossy.webp",
        "tests/unit/media/data/formats/lossless_alpha.webp",
        "tests/unit/media/data/formats/animated.webp",
        "tests/unit/media/data/formats/plain.gif",
        "tests/unit/media/data/formats/animated.gif",
    };
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        size_t length;
        char *bytes = am_test_read_file(am_test_source_path(images[i]), &length);
        expect_media_failure("digits-vit", "cut", bytes, 0, AM_INVALID_FILE, "an empty file");
        expect_media_failure("digits-vit", "cut", bytes, 2, AM_UNSUPPORTED,
                             "no PNG, JPEG, WebP, GIF, TIFF, BMP or PNM image");
        expect_media_failure("digits-vit", "cut", bytes, 14, AM_INVALID_FILE, "truncated");
        expect_media_failure("digits-vit", "cut", bytes, length / 3, AM_INVALID_FILE, "truncated");
        free(bytes);
    }
}

static uint32_t crc32_of(const uint8_t *from, size_t length)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++) {
        crc ^= from[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void put_big(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void expect_png_failure(uint32_t width, uint32_t height, am_code code, const char *part)
{
    size_t length;
    char *text = am_test_read_file(digit_path(), &length);
    uint8_t *bytes = (uint8_t *)text;
    put_big(bytes + 16, width); /* behind the signature, the length and the name of IHDR */
    put_big(bytes + 20, height);
    put_big(bytes + 29, crc32_of(bytes + 12, 17));
    expect_media_failure("digits-vit", "sizes.png", bytes, length, code, part);
    free(text);
}

static void end_to_end_media__images_of_impossible_sizes(void **state)
{
    expect_png_failure(0, 0, AM_INVALID_FILE, "0x0 pixels, an empty image");
    expect_png_failure(65535, 65535, AM_OUT_OF_MEMORY, "65535x65535 pixels, more than the limit of");
    expect_png_failure(0x7fffffff, 0x7fffffff, AM_OUT_OF_MEMORY, "more than the limit of");
    expect_png_failure(32, 30000, AM_INVALID_FILE, "PNG: ");
    size_t length;
    char *gif = am_test_read_file(am_test_source_path("tests/unit/media/data/formats/plain.gif"), &length);
    memset(gif + 6, 0xff, 4);
    expect_media_failure("digits-vit", "sizes.gif", gif, length, AM_OUT_OF_MEMORY, "65535x65535 pixels");
    free(gif);
    char *jpeg = am_test_read_file(am_test_source_path("examples/data/digits/photo-4.jpg"), &length);
    char *frame = find_bytes(jpeg, length, "\xff\xc0", 2);
    assert_non_null(frame);
    memset(frame + 5, 0xff, 4);
    expect_media_failure("digits-vit", "sizes.jpg", jpeg, length, AM_INVALID_FILE, "65500 pixels");
    free(jpeg);
}

static void end_to_end_media__files_that_are_no_image_or_sound(void **state)
{
    expect_media_failure("digits-vit", "text", "hello", 5, AM_UNSUPPORTED, "it begins with 68 65 6c 6c 6f");
    expect_media_failure("spoken-words-wav2vec2", "text", "hello", 5, AM_UNSUPPORTED, "the first byte is 0x68");
    expect_media_failure("spoken-words-wav2vec2", "empty", "", 0, AM_INVALID_FILE, "an empty file, expected sound");
}

typedef struct wav {
    uint16_t format, channels;
    uint32_t rate;
    uint16_t bits;
    uint32_t said_bytes; /* of the data; 0: as many as there are */
    float value;         /* of each of the samples, when they are floats */
    size_t data_bytes;
} wav;

static void put_little(uint8_t *to, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> (8 * i));
}

static void expect_wav(const wav *w, am_code code, const char *part)
{
    size_t length = 44 + w->data_bytes;
    uint8_t *bytes = calloc(length, 1);
    assert_non_null(bytes);
    uint16_t block = (uint16_t)(w->channels * w->bits / 8);
    memcpy(bytes, "RIFF....WAVEfmt ", 16);
    put_little(bytes + 4, (uint32_t)length - 8, 4);
    put_little(bytes + 16, 16, 4);
    put_little(bytes + 20, w->format, 2);
    put_little(bytes + 22, w->channels, 2);
    put_little(bytes + 24, w->rate, 4);
    put_little(bytes + 28, w->rate * block, 4);
    put_little(bytes + 32, block, 2);
    put_little(bytes + 34, w->bits, 2);
    memcpy(bytes + 36, "data", 4);
    put_little(bytes + 40, w->said_bytes ? w->said_bytes : (uint32_t)w->data_bytes, 4);
    for (size_t i = 0; w->format == 3 && i + 4 <= w->data_bytes; i += 4) memcpy(bytes + 44 + i, &w->value, 4);
    if (code) {
        expect_media_failure("spoken-words-wav2vec2", "sound.wav", bytes, length, code, part);
    } else {
        kept_text path = keep(am_test_format("%s/sound.wav", am_test_temporary_directory()));
        am_test_write_file(path.text, bytes, length);
        am_test_result result = am_test_anymodel(NULL, "run", model_path("spoken-words-wav2vec2"), path.text);
        expect_code(&result, AM_OK);
        am_test_result_free(&result);
    }
    free(bytes);
}

static void end_to_end_media__sounds_whose_header_lies(void **state)
{
    static const wav sound = {.format = 1, .channels = 1, .rate = 16000, .bits = 16, .data_bytes = 16000};
    wav w = sound;
    expect_wav(&w, AM_OK, NULL);
    w.said_bytes = 0xffffffffu; /* as a recorder writes that was stopped: what is there counts */
    expect_wav(&w, AM_OK, NULL);
    w = sound;
    w.data_bytes = 0;
    expect_wav(&w, AM_INVALID_FILE, "no sound in the file");
    w = sound;
    w.rate = 0;
    expect_wav(&w, AM_INVALID_FILE, "sound.wav");
    w.rate = 1000000000;
    expect_wav(&w, AM_UNSUPPORTED, "a sampling rate of 1000000000 Hz; expected 1000 to 768000");
    w = sound;
    w.channels = 0;
    expect_wav(&w, AM_INVALID_FILE, "Channel count is zero");
    w = sound;
    w.format = 99;
    expect_wav(&w, AM_INVALID_FILE, "sound.wav");
}

static void end_to_end_media__sounds_that_are_no_numbers(void **state)
{
    wav w = {.format = 3, .channels = 1, .rate = 16000, .bits = 32, .data_bytes = 16000};
    w.value = (float)strtod("nan", NULL);
    expect_wav(&w, AM_INVALID_FILE, "frame 0 is not a finite number");
    w.value = (float)strtod("inf", NULL);
    expect_wav(&w, AM_INVALID_FILE, "frame 0 is not a finite number");
    w.value = 0.1f;
    expect_wav(&w, AM_OK, NULL);
}

/* A copy of a model with this as its preprocessor_config.json, run on an input that is good. */
static void expect_preprocessor_failure(const char *directory, const char *input, const char *text, am_code code,
                                        const char *part)
{
    kept_text expected = keep(part), path = keep(am_test_source_path(input));
    am_test_write_text(directory, "preprocessor_config.json", text);
    expect_failure(am_test_anymodel(NULL, "run", directory, path.text), code, expected.text);
}

static void end_to_end_media__preprocessor_settings_that_are_broken(void **state)
{
    static const struct {
        const char *text, *part;
    } images[] =
        {
            {"", "preprocessor_config.json: not JSON: the text is empty"},
            {"[]", "expected an object, found an array"},
            {"{\"image_processor_type\": \"ViTImageProcessor\", \"size\": \"x\"}", "size.height: expected an integer"},
            {"{\"image_processor_type\": \"ViTImageProcessor\", \"size\": {\"height\": 0, \"width\": 0}}", "size"},
            {"{\"image_processor_type\": \"ViTImageProcessor\", \"size\": {\"height\": 1000000000, \"width\": "
             "1000000000}}",
             "size"},
            {"{\"image_processor_type\": \"ViTImageProcessor\", \"do_resize\": 3}",
             "do_resize: expected true or false, found an integer"},
            {"{\"image_processor_type\": \"ViTImageProcessor\", \"image_mean\": [1]}", "image_mean: expected"},
        },
      sounds[] = {
          {"{\"feature_extractor_type\": \"Wav2Vec2FeatureExtractor\", \"sampling_rate\": 0}",
           "sampling_rate: expected an integer from 1 to 768000, found 0"},
          {"{\"feature_extractor_type\": \"Wav2Vec2FeatureExtractor\", \"sampling_rate\": \"x\"}",
           "sampling_rate: expected an integer from 1 to 768000, found a string"},
          {"{\"feature_extractor_type\": \"Wav2Vec2FeatureExtractor\", \"padding_value\": []}",
           "padding_value: expected a number, found an array"},
      };
    const char *vit = copy_vit(), *wav2vec2 = copy_wav2vec2();
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        expect_preprocessor_failure(vit, "examples/data/digits/digit-3.png", images[i].text, AM_INVALID_FILE,
                                    images[i].part);
    for (size_t i = 0; i < sizeof sounds / sizeof *sounds; i++)
        expect_preprocessor_failure(wav2vec2, "examples/data/speech/yes.wav", sounds[i].text, AM_INVALID_FILE,
                                    sounds[i].part);
}
