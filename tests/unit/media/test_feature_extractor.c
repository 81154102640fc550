#include "media_support.h"

#include "media/extractors/extractor.h"
#include "media/feature_extractor.h"

#include <math.h>

static am_status init_from(const char *json, am_feature_extractor *out)
{
    am_json_document *document = parse_json(json);
    am_status status = am_feature_extractor_init(am_json_root(document), NULL, out);
    am_json_close(document);
    return status;
}

static am_feature_extractor extractor_of(const char *json)
{
    am_feature_extractor e;
    am_test_expect_ok(init_from(json, &e));
    return e;
}

static void expect_init_error(const char *json, am_code code, const char *part)
{
    am_feature_extractor e;
    am_test_expect_error(init_from(json, &e), code, part);
}

static am_audio ramp(float *samples, int64_t frames)
{
    for (int64_t i = 0; i < frames; i++) samples[i] = (float)i / 100.0f;
    return (am_audio){.samples = samples, .frames = frames, .channels = 1, .sampling_rate = 16000};
}

#define WAV2VEC2 "{\"feature_extractor_type\": \"Wav2Vec2FeatureExtractor\""
#define WHISPER  "{\"feature_extractor_type\": \"WhisperFeatureExtractor\""

static void media_feature_extractor__names_a_class_that_is_not_there(void **state)
{
    expect_init_error("{\"feature_extractor_type\": \"Pop2PianoFeatureExtractor\"}", AM_UNSUPPORTED,
                      "\"Pop2PianoFeatureExtractor\"");
    expect_init_error("{}", AM_INVALID_FILE, "feature_extractor_type");
    expect_init_error("3", AM_INVALID_FILE, "expected an object, found an integer");
}

static void media_feature_extractor__refuses_values_that_make_no_sense(void **state)
{
    expect_init_error(WHISPER ", \"n_fft\": 0}", AM_INVALID_FILE,
                      "n_fft: expected an integer from 1 to 65536, found 0");
    expect_init_error(WHISPER ", \"hop_length\": -5}", AM_INVALID_FILE, "hop_length");
    expect_init_error(WHISPER ", \"feature_size\": 1e9}", AM_INVALID_FILE, "feature_size");
    expect_init_error(WHISPER ", \"chunk_length\": 1e12}", AM_INVALID_FILE, "chunk_length");
    expect_init_error(WHISPER ", \"chunk_length\": 0}", AM_INVALID_FILE, "chunk_length");
    expect_init_error(WHISPER ", \"dither\": 0.1}", AM_UNSUPPORTED, "WhisperFeatureExtractor: dither 0.1");
    expect_init_error(WAV2VEC2 ", \"padding_side\": \"up\"}", AM_INVALID_FILE, "padding_side");
    expect_init_error(WAV2VEC2 ", \"padding_value\": \"x\"}", AM_INVALID_FILE, "padding_value");
    expect_init_error(WAV2VEC2 ", \"do_normalize\": \"x\"}", AM_INVALID_FILE, "do_normalize");
}

static void media_feature_extractor__pads_on_the_side_that_is_asked(void **state)
{
    float samples[2][5];
    am_audio sounds[2] = {ramp(samples[0], 5), ramp(samples[1], 3)};
    am_feature_extractor e =
        extractor_of(WAV2VEC2 ", \"do_normalize\": false, \"padding_side\": \"left\", \"padding_value\": -1, "
                              "\"return_attention_mask\": true}");
    am_feature_options options = {.padding = AM_PADDING_LONGEST, .pad_to_multiple_of = 4};
    am_features out;
    am_test_expect_ok(am_feature_extractor_run(&e, sounds, 2, &options, &out));
    const am_tensor *found = am_features_get(&out, "input_values");
    assert_int_equal(found->shape.dims[1], 8);
    const float *values = found->data;
    const int32_t *mask = am_features_get(&out, "attention_mask")->data;
    for (int i = 0; i < 8; i++) {
        assert_true(values[8 + i] == (i < 5 ? -1.0f : samples[1][i - 5]));
        assert_int_equal(mask[8 + i], i >= 5);
        assert_int_equal(mask[i], i >= 3);
    }
    am_features_deinit(&out);
    am_feature_extractor_deinit(&e);
}

static void media_feature_extractor__truncates_to_max_length(void **state)
{
    float samples[50];
    am_audio sound = ramp(samples, 50);
    am_feature_extractor e = extractor_of(WAV2VEC2 ", \"do_normalize\": false}");
    am_feature_options options = {.truncation = AM_CHOICE_YES, .max_length = 20};
    am_features out;
    am_test_expect_ok(am_feature_extractor_run(&e, &sound, 1, &options, &out));
    const am_tensor *values = am_features_get(&out, "input_values");
    assert_int_equal(values->shape.dims[1], 20);
    assert_true(((float *)values->data)[19] == samples[19]);
    assert_null(am_features_get(&out, "attention_mask"));
    am_features_deinit(&out);
    am_feature_extractor_deinit(&e);
}

static void media_feature_extractor__normalizes_what_the_mask_covers(void **state)
{
    float samples[2][6];
    am_audio sounds[2] = {ramp(samples[0], 6), ramp(samples[1], 4)};
    am_feature_extractor e = extractor_of(WAV2VEC2 ", \"return_attention_mask\": true, \"padding_value\": 9}");
    am_features out;
    am_test_expect_ok(
        am_feature_extractor_run(&e, sounds, 2, &(am_feature_options){.padding = AM_PADDING_LONGEST}, &out));
    const float *row = (const float *)out.items[0].tensor.data + 6;
    assert_true(fabsf(row[0] + row[1] + row[2] + row[3]) < 1e-6f);
    assert_true(row[4] == 9.0f && row[5] == 9.0f);
    am_features_deinit(&out);
    am_feature_extractor_deinit(&e);
}

static void media_feature_extractor__needs_padding_for_unequal_lengths(void **state)
{
    float samples[2][5];
    am_audio sounds[2] = {ramp(samples[0], 3), ramp(samples[1], 5)};
    am_feature_extractor e = extractor_of(WAV2VEC2 "}");
    am_features out;
    am_test_expect_error(am_feature_extractor_run(&e, sounds, 2, NULL, &out), AM_INVALID_ARGUMENT,
                         "Wav2Vec2FeatureExtractor: sound 1 has 5 samples, others 3");
    am_test_expect_error(am_feature_extractor_run(&e, sounds, 0, NULL, &out), AM_INVALID_ARGUMENT, "0 sounds");
    am_feature_options options = {.padding = AM_PADDING_MAX_LENGTH};
    am_test_expect_error(am_feature_extractor_run(&e, sounds, 2, &options, &out), AM_INVALID_ARGUMENT, "max_length");
    options.max_length = 4; /* shorter than the second sound, which is not cut */
    am_test_expect_error(am_feature_extractor_run(&e, sounds, 2, &options, &out), AM_INVALID_ARGUMENT, "sound 1");
    am_feature_extractor_deinit(&e);
}

static void media_feature_extractor__wants_its_own_sampling_rate(void **state)
{
    float samples[5];
    am_audio sound = ramp(samples, 5);
    am_feature_extractor e = extractor_of(WAV2VEC2 "}");
    am_features out;
    sound.sampling_rate = 8000;
    am_test_expect_error(am_feature_extractor_run(&e, &sound, 1, NULL, &out), AM_INVALID_ARGUMENT,
                         "5 frames of 1 channels at 8000 Hz; expected some of 1 at 16000 Hz");
    sound.sampling_rate = 16000;
    sound.channels = 2;
    am_test_expect_error(am_feature_extractor_run(&e, &sound, 1, NULL, &out), AM_INVALID_ARGUMENT, "2 channels");
    am_feature_extractor_deinit(&e);
}

static void media_feature_extractor__whisper_pads_and_cuts_to_its_chunk(void **state)
{
    static float samples[40000];
    am_audio sound = ramp(samples, 40000);
    am_feature_extractor e = extractor_of(WHISPER ", \"chunk_length\": 1}");
    am_features out;
    for (int i = 0; i < 2; i++) {
        sound.frames = i ? 300 : 40000;
        am_test_expect_ok(am_feature_extractor_run(&e, &sound, 1, NULL, &out));
        const am_tensor *values = am_features_get(&out, "input_features");
        assert_int_equal(values->shape.dims[1], 80);
        assert_int_equal(values->shape.dims[2], 100);
        am_features_deinit(&out);
    }
    am_feature_options options = {.return_attention_mask = AM_CHOICE_YES, .padding = AM_PADDING_LONGEST};
    sound.frames = 1000; /* 6 frames and a rest */
    am_test_expect_ok(am_feature_extractor_run(&e, &sound, 1, &options, &out));
    assert_int_equal(am_features_get(&out, "input_features")->shape.dims[2], 6);
    assert_int_equal(am_features_get(&out, "attention_mask")->shape.dims[1], 6);
    am_features_deinit(&out);
    sound.frames = 100;
    am_test_expect_error(am_feature_extractor_run(&e, &sound, 1, &options, &out), AM_INVALID_ARGUMENT, "100 samples");
    am_feature_extractor_deinit(&e);
}

static void media_feature_extractor__opens_a_directory(void **state)
{
    const char *directory = am_test_temporary_directory();
    am_feature_extractor e;
    am_test_write_text(directory, "preprocessor_config.json", WAV2VEC2 "}");
    am_test_expect_ok(am_feature_extractor_open(directory, &e));
    assert_string_equal(am_feature_extractor_name(&e), "Wav2Vec2FeatureExtractor");
    am_feature_extractor_deinit(&e);
    am_test_write_text(directory, "processor_config.json",
                       "{\"feature_extractor\": " WHISPER ", \"feature_size\": 128}}");
    am_test_expect_ok(am_feature_extractor_open(directory, &e));
    assert_string_equal(am_feature_extractor_name(&e), "WhisperFeatureExtractor");
    assert_int_equal(e.feature_size, 128);
    am_feature_extractor_deinit(&e);
}

static void media_feature_extractor__takes_the_class_from_the_model_type(void **state)
{
    const char *directory = am_test_temporary_directory();
    am_feature_extractor e;
    am_test_write_text(directory, "preprocessor_config.json", "{\"do_normalize\": false}");
    am_test_expect_error(am_feature_extractor_open(directory, &e), AM_INVALID_FILE,
                         "feature_extractor_type is not given");
    am_test_write_text(directory, "config.json", "{\"model_type\": \"hubert\"}");
    am_test_expect_ok(am_feature_extractor_open(directory, &e));
    assert_string_equal(am_feature_extractor_name(&e), "Wav2Vec2FeatureExtractor");
    assert_false(am_feature_setting_bool(&e, "do_normalize"));
    am_feature_extractor_deinit(&e);
    am_test_write_text(directory, "config.json", "{\"model_type\": \"bert\"}");
    am_test_expect_error(am_feature_extractor_open(directory, &e), AM_INVALID_FILE,
                         "feature_extractor_type is not given");
}

static am_status run_once(void *context)
{
    am_features out;
    am_feature_options options = {.return_attention_mask = AM_CHOICE_YES};
    float samples[900];
    am_audio sound = ramp(samples, 900);
    am_status status = am_feature_extractor_run(context, &sound, 1, &options, &out);
    am_features_deinit(&out);
    return status;
}

static void media_feature_extractor__leaks_nothing_when_memory_is_short(void **state)
{
    am_feature_extractor e = extractor_of(WHISPER ", \"chunk_length\": 0.1}");
    expect_clean_failures(run_once, &e);
    am_feature_extractor_deinit(&e);
    e = extractor_of(WAV2VEC2 "}");
    expect_clean_failures(run_once, &e);
    am_feature_extractor_deinit(&e);
}

static am_status run_class(void *context)
{
    static float samples[9000];
    const am_feature_extractor *e = context;
    am_features out;
    am_audio sound = ramp(samples, 9000);
    sound.sampling_rate = (int)e->sampling_rate;
    am_status status = am_feature_extractor_run(e, &sound, 1, NULL, &out);
    am_features_deinit(&out);
    return status;
}

/* Every class: its defaults are settings that can be read, it runs with them, and says so when memory is short. */
static void media_feature_extractor__every_class_runs_with_its_defaults(void **state)
{
    for (const am_feature_class *const *i = am_feature_class_registry; *i; i++) {
        am_feature_extractor e;
        am_json_document *document = parse_json("{\"chunk_length\": 1.0, \"max_length_s\": 1.0}");
        am_test_expect_ok(am_feature_extractor_init(am_json_root(document), (*i)->name, &e));
        am_json_close(document);
        am_test_expect_ok(run_class(&e));
        expect_clean_failures(run_class, &e);
        am_feature_extractor_deinit(&e);
    }
}

static void media_feature_extractor__a_null_is_a_default_unless_it_means_something(void **state)
{
    am_feature_extractor e = extractor_of("{\"feature_extractor_type\": \"VoxtralRealtimeFeatureExtractor\", "
                                          "\"hop_length\": null, \"global_log_mel_max\": null}");
    assert_int_equal(am_feature_setting_int(&e, "hop_length"), 160);
    assert_int_equal(am_json_kind_of(am_feature_setting(&e, "global_log_mel_max")), AM_JSON_NULL);
    am_feature_extractor_deinit(&e);
}

static void media_feature_extractor__refuses_arguments_that_a_class_does_not_have(void **state)
{
    float samples[5];
    am_audio sound = ramp(samples, 5);
    am_feature_extractor e = extractor_of(WAV2VEC2 "}");
    am_json_document *arguments = parse_json("{\"pad_end\": true}");
    am_feature_options options = {.arguments = am_json_root(arguments)};
    am_features out;
    am_test_expect_error(am_feature_extractor_run(&e, &sound, 1, &options, &out), AM_UNSUPPORTED,
                         "Wav2Vec2FeatureExtractor: argument pad_end");
    am_json_close(arguments);
    am_feature_extractor_deinit(&e);
}

static void media_feature_extractor__codecs_of_stereo_want_two_channels(void **state)
{
    float samples[10];
    am_audio sound = ramp(samples, 10);
    am_feature_extractor e = extractor_of("{\"feature_extractor_type\": \"EncodecFeatureExtractor\", "
                                          "\"feature_size\": 2, \"sampling_rate\": 16000}");
    am_features out;
    assert_int_equal(am_feature_channels(&e), 2);
    am_test_expect_error(am_feature_extractor_run(&e, &sound, 1, NULL, &out), AM_INVALID_ARGUMENT,
                         "10 frames of 1 channels at 16000 Hz; expected some of 2");
    sound.frames = 5;
    sound.channels = 2;
    am_test_expect_ok(am_feature_extractor_run(&e, &sound, 1, NULL, &out));
    const float *values = am_features_get(&out, "input_values")->data;
    for (int i = 0; i < 5; i++) assert_true(values[i] == samples[2 * i] && values[5 + i] == samples[2 * i + 1]);
    am_features_deinit(&out);
    am_feature_extractor_deinit(&e);
}
