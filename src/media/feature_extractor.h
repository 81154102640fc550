/* Feature extractors: from sounds and preprocessor_config.json to the tensor that a speech model takes, as
   the classes of transformers (feature_extraction_sequence_utils.py) do. A class is a row of a table in
   feature_extractor.c. */
#ifndef AM_MEDIA_FEATURE_EXTRACTOR_H
#define AM_MEDIA_FEATURE_EXTRACTOR_H

#include "base/json.h"
#include "media/audio.h"

#include <anymodel/tensor.h>

#include <stdbool.h>

typedef struct am_feature_class am_feature_class;

/* Plain values: copied freely, nothing to free. */
typedef struct am_feature_extractor {
    const am_feature_class *kind;        /* static */
    int64_t feature_size, sampling_rate; /* Hz */
    double padding_value;
    bool pad_left, return_attention_mask, do_normalize;
    int64_t n_fft, hop_length; /* samples */
    int64_t chunk_samples;     /* what Whisper pads and cuts to: chunk_length seconds */
} am_feature_extractor;

/* Reads `config`, the object of a preprocessor_config.json. `class_name` null: as `feature_extractor_type`
   says. Fails with AM_UNSUPPORTED for a class or option that is not there, AM_INVALID_FILE for values that
   make no sense. */
am_status am_feature_extractor_init(am_json config, const char *class_name, am_feature_extractor *out) AM_NODISCARD;

/* Reads the model directory's processor_config.json (member "feature_extractor"), or else
   preprocessor_config.json. Where that names no class, it is the one that transformers has for the model_type
   of config.json. */
am_status am_feature_extractor_open(const char *directory, am_feature_extractor *out) AM_NODISCARD;

/* "WhisperFeatureExtractor"; a static string. */
const char *am_feature_extractor_name(const am_feature_extractor *extractor);

typedef enum am_choice { AM_CHOICE_DEFAULT, AM_CHOICE_NO, AM_CHOICE_YES } am_choice;
typedef enum am_feature_padding {
    AM_PADDING_DEFAULT,
    AM_PADDING_NONE,
    AM_PADDING_LONGEST,
    AM_PADDING_MAX_LENGTH
} am_feature_padding;

/* Arguments of a call; zeros take the class's defaults: Whisper pads and cuts to its chunk, Wav2Vec2 does
   neither. */
typedef struct am_feature_options {
    am_feature_padding padding;
    am_choice truncation, return_attention_mask;
    int64_t max_length, pad_to_multiple_of; /* samples */
} am_feature_options;

/* input_values [count, samples] of Wav2Vec2, input_features [count, feature_size, frames] of Whisper, f32.
   attention_mask: i32 [count, samples or frames], 1 where there is sound; its data is null when none is
   returned. */
typedef struct am_features {
    const char *name; /* static */
    am_tensor values, attention_mask;
} am_features;

void am_features_deinit(am_features *features);

/* Makes a batch of `count` sounds, at least 1, which must be mono at the extractor's rate; `options` may be
   null. Fails with AM_INVALID_ARGUMENT for another rate, for sounds that come out in different lengths. */
am_status am_feature_extractor_run(const am_feature_extractor *extractor, const am_audio *sounds, int64_t count,
                                   const am_feature_options *options, am_features *out) AM_NODISCARD;

#endif
