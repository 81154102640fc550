/* Inputs of a model without the model: texts, images, sounds and videos to tensors, as transformers' AutoProcessor
   makes them of a model directory.

   A processor does not change after it was opened: several threads may use one at once. */
#ifndef ANYMODEL_PROCESSOR_H
#define ANYMODEL_PROCESSOR_H

#include <anymodel/encoding.h>
#include <anymodel/status.h>
#include <anymodel/tensor.h>

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct am_processor am_processor;

/* Opens the processor of a model directory; of a directory without one its tokenizer, image processor, video processor
   or feature extractor, the first that is there, as AutoProcessor does. arguments_json: an object of the calls'
   arguments ({"text_kwargs": {"padding": true}, "images_kwargs": {..}, "videos_kwargs", "audio_kwargs", and members of
   the class's own}), or null. Fails with AM_UNSUPPORTED naming a class that is not here, AM_NOT_FOUND,
   AM_INVALID_FILE, AM_INVALID_ARGUMENT. */
AM_API am_status am_processor_load(const char *path, const char *arguments_json, am_processor **out) AM_NODISCARD;
AM_API void am_processor_free(am_processor *processor);

/* "LlavaProcessor"; a static string. */
AM_API const char *am_processor_name(const am_processor *processor);

/* A video: its frames as files of images, all of one size, or a video file, of which the frames that the processor
   samples are decoded. */
typedef struct am_video_files {
    const char *const *frames;
    size_t count;
    double fps; /* frames a second; 0: not known, or as the video file says */
    const char
        *file; /* instead of frames; MP4, WebM, Matroska, AVI, GIF .., or an image, which is one frame; or null */
} am_video_files;

/* What is processed together. Images and sounds are paths of files, in the order of their places in the texts. */
typedef struct am_processor_files {
    const am_text *texts;
    size_t text_count;
    const char *const *images;
    size_t image_count;
    const char *const *sounds; /* resampled to the rate that the processor takes */
    size_t sound_count;
    const am_video_files *videos;
    size_t video_count;
} am_processor_files;

/* Whether this build decodes video files: where FFmpeg's libraries were there when it was built. */
AM_API bool am_video_files_decoded(void);

/* Tensors by the names of transformers, owned; freed with am_processor_result_deinit. All zeros is none. */
typedef struct am_processor_result {
    am_named_array *arrays;
    size_t count;
    void *storage;
} am_processor_result;

/* Gives input_ids, attention_mask, pixel_values, input_features and the like. An output of several inputs that differ
   in shape, and so make no batch, is several: NAME.0, NAME.1 and on. Fails with AM_INVALID_ARGUMENT for inputs that the
   processor does not take or that do not match the texts, and as opening the files does; *out holds nothing then. */
AM_API am_status am_processor_process(const am_processor *processor, const am_processor_files *files,
                                      am_processor_result *out) AM_NODISCARD;
AM_API void am_processor_result_deinit(am_processor_result *result);

/* Writes tensors to a safetensors file. Fails with AM_IO, AM_OUT_OF_MEMORY. */
AM_API am_status am_arrays_save(const char *path, const am_named_array *arrays, size_t count) AM_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
