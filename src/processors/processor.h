/* Processors of models that read text beside images or sounds: from texts with placeholders ("<image>") and media to
   what the model takes, as the classes of transformers (processing_*.py) do. A placeholder becomes as many tokens as
   the model's tower gives rows for that image or sound. Classes are files of classes/. */
#ifndef AM_PROCESSORS_PROCESSOR_H
#define AM_PROCESSORS_PROCESSOR_H

#include "base/json.h"
#include "media/audio.h"
#include "media/image.h"
#include "media/media_tensors.h"
#include "media/video_open.h"
#include "text/tokenizer.h"

#include <stdbool.h>

typedef struct am_processor am_processor;

/* Opens a model directory as AutoProcessor does: the class that processor_config.json, preprocessor_config.json,
   tokenizer_config.json or config.json names as processor_class, else that of the model_type. `arguments` are those of
   its calls, an object or MISSING: {"images_kwargs": {..}, "videos_kwargs": {..}, "text_kwargs": {..}, "audio_kwargs":
   {..}} and members of the class's own; copied. Fails with AM_UNSUPPORTED for a class that is not there, whose name is
   in the message, AM_INVALID_FILE for settings or tokens that are missing, and as its parts do. */
am_status am_processor_open(const char *directory, am_json arguments, am_processor **out) AM_NODISCARD;

/* The same, and of a directory without a class what AutoProcessor then takes: the tokenizer, the image processor, the
   video processor or the feature extractor, the first that is there, which takes nothing beside its own inputs.
   AM_NOT_FOUND where there is none of them. */
am_status am_processor_open_auto(const char *directory, am_json arguments, am_processor **out) AM_NODISCARD;

/* Null is allowed. */
void am_processor_close(am_processor *processor);

/* "Qwen2VLProcessor"; a static string. Of a part that was opened alone that of its class, where it has one. */
const char *am_processor_class_name(const am_processor *processor);

/* Its tokenizer; borrowed. Null: a part that was opened alone. */
const am_tokenizer *am_processor_tokenizer(const am_processor *processor);

/* The text that stands for an image, a video or a sound before anything is done ("<|image_pad|>"); {null, 0} where the
   class takes none of that kind. Borrowed. */
am_text am_processor_image_placeholder(const am_processor *processor);
am_text am_processor_video_placeholder(const am_processor *processor);
am_text am_processor_sound_placeholder(const am_processor *processor);

/* am_video_open with those frames that a run takes; none where the class takes no videos. */
am_status am_processor_open_video(const am_processor *processor, const am_video_source *source, am_arena *arena,
                                  am_video *out) AM_NODISCARD;

/* The rate that sounds must have, in Hz, and how many channels; 0 where the class takes none. */
int am_processor_sampling_rate(const am_processor *processor);
int am_processor_sound_channels(const am_processor *processor);

/* A call. Images, videos and sounds in the order of their placeholders, through all texts. */
typedef struct am_processor_inputs {
    const am_text *texts;
    int64_t text_count; /* 0: none, of classes whose media stand beside texts, or what the class makes of the images */
    const am_image *images;
    int64_t image_count;
    const int64_t *image_counts; /* [text_count]: images of each text, for classes whose texts have no placeholders
                                    (PI0); null: all are of one text */
    const am_video *videos;
    int64_t video_count;
    const am_audio *sounds; /* mono or of as many channels as the extractor takes, at its rate */
    int64_t sound_count;
    bool no_special_tokens; /* a chat template has written them: none are added */
} am_processor_inputs;

/* What a call gives. All zeros is nothing; freed with am_processed_deinit. */
typedef struct am_processed {
    am_buffer *texts; /* [text_count], placeholders expanded, as they went to the tokenizer */
    int64_t text_count;
    am_media_tensors tensors; /* input_ids and attention_mask: i64 [texts, T], lists where T differs and nothing pads;
                                 and what the class gives beside them */
} am_processed;

void am_processed_deinit(am_processed *processed);

/* Fails with AM_INVALID_ARGUMENT, naming both numbers, where placeholders and media differ in number, and as the parts
   do. *out is deinited also after a failure. */
am_status am_processor_run(const am_processor *processor, const am_processor_inputs *inputs,
                           am_processed *out) AM_NODISCARD;

#endif
