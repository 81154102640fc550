/* Feature extractors: from sounds and preprocessor_config.json to the tensors that a speech model takes, as the classes
   of transformers (feature_extraction_*.py) make them. A class is a file of extractors/.

   AST and Speech2Text compute their filter bank by torchaudio where it is installed and by NumPy elsewhere; both have
   the same definition (Kaldi's), in single and in double precision. Here it is computed in double precision, which lies
   within the rounding of either, so there is nothing to choose. */
#ifndef AM_MEDIA_FEATURE_EXTRACTOR_H
#define AM_MEDIA_FEATURE_EXTRACTOR_H

#include "base/json.h"
#include "media/audio.h"

#include <anymodel/tensor.h>

#include <stdbool.h>

typedef struct am_feature_class am_feature_class;

/* Freed with am_feature_extractor_deinit. */
typedef struct am_feature_extractor {
    const am_feature_class *kind;        /* static */
    am_json_document *settings;          /* owned: the class's defaults with the configuration's members over them */
    int64_t feature_size, sampling_rate; /* Hz */
    double padding_value;
    bool pad_left, return_attention_mask;
} am_feature_extractor;

/* Reads `config`, the object of a preprocessor_config.json, which may be closed after. `class_name` null: as
   `feature_extractor_type` says. Fails with AM_UNSUPPORTED for a class or option that is not there, AM_INVALID_FILE for
   values that make no sense. */
am_status am_feature_extractor_init(am_json config, const char *class_name, am_feature_extractor *out) AM_NODISCARD;

/* Reads the model directory's processor_config.json (member "feature_extractor" or "audio_processor"), or else
   preprocessor_config.json. Where that names no class, it is the one that transformers has for the model_type
   of config.json. */
am_status am_feature_extractor_open(const char *directory, am_feature_extractor *out) AM_NODISCARD;

/* Frees the settings; all zeros is nothing to free. */
void am_feature_extractor_deinit(am_feature_extractor *extractor);

/* "WhisperFeatureExtractor"; a static string. */
const char *am_feature_extractor_name(const am_feature_extractor *extractor);

/* Settings by their names in transformers; of those that the class has. A null is 0. */
int64_t am_feature_setting_int(const am_feature_extractor *extractor, const char *name);
double am_feature_setting_real(const am_feature_extractor *extractor, const char *name);
bool am_feature_setting_bool(const am_feature_extractor *extractor, const char *name);

/* The samples of a chunk: chunk_length seconds; 0 for a class that has none. */
int64_t am_feature_chunk_samples(const am_feature_extractor *extractor);

/* How many channels a sound has to have: 2 for codecs of stereo, else 1. */
int am_feature_channels(const am_feature_extractor *extractor);

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
    int64_t max_length, pad_to_multiple_of; /* samples; frames of classes that pad features */
    am_json arguments; /* an object of the class's own arguments by their names, such as "pad_end"; MISSING: none */
} am_feature_options;

enum { AM_FEATURES_LIMIT = 4 };

typedef struct am_feature {
    const char *name; /* static: "input_features" */
    am_tensor tensor; /* owned */
} am_feature;

/* What a model takes under the names of transformers. What is computed is f32, first the main input (input_values
   [count, samples], input_features [count, mels, frames] or [count, frames, mels] ...); masks have 1 where there is
   sound, and the dtype that they have in transformers. */
typedef struct am_features {
    am_feature items[AM_FEATURES_LIMIT];
    int count;
} am_features;

/* Frees the tensors; there are none then. */
void am_features_deinit(am_features *features);

/* The tensor of that name; null when there is none. */
const am_tensor *am_features_get(const am_features *features, const char *name);

/* Makes a batch of `count` sounds, at least 1, which must be at the extractor's rate; `options` may be null. Fails with
   AM_INVALID_ARGUMENT for another rate, for sounds that come out in different lengths, AM_UNSUPPORTED for an argument
   that the class does not have. */
am_status am_feature_extractor_run(const am_feature_extractor *extractor, const am_audio *sounds, int64_t count,
                                   const am_feature_options *options, am_features *out) AM_NODISCARD;

#endif
