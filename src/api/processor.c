#include "processors/processor.h"
#include "api/arguments.h"
#include "base/file.h"
#include "base/memory.h"
#include "formats/safetensors.h"
#include "media/video_file.h"
#include "tensor/shape.h"

#include <anymodel/processor.h>

#include <inttypes.h>
#include <string.h>

am_status am_processor_load(const char *path, const char *arguments_json, am_processor **out)
{
    am_json_document *document;
    am_json arguments;
    *out = NULL;
    if (!path) return am_error(AM_INVALID_ARGUMENT, "no model directory was given");
    AM_TRY(am_read_object(arguments_json, "arguments", &document, &arguments));
    am_status status = am_processor_open_auto(path, arguments, out);
    am_json_close(document);
    return status;
}

void am_processor_free(am_processor *processor)
{
    am_processor_close(processor);
}

const char *am_processor_name(const am_processor *processor)
{
    return am_processor_class_name(processor);
}

/* --- opening files --- */

/* Everything that is opened for a call. */
typedef struct opened {
    am_arena arena;
    am_image *images;
    am_video *videos; /* with frames of their own */
    am_audio *sounds;
} opened;

bool am_video_files_decoded(void)
{
    return am_video_files_are_built_in();
}

static am_status open_sounds(const am_processor *p, const am_processor_files *files, am_audio *out)
{
    int rate = am_processor_sampling_rate(p);
    bool as_it_is = am_processor_sound_channels(p) > 1;
    for (size_t i = 0; i < files->sound_count; i++) {
        if (!as_it_is) AM_TRY(am_audio_load(files->sounds[i], rate, NULL, &out[i]));
        if (as_it_is) AM_TRY(am_audio_open(files->sounds[i], NULL, &out[i]));
        if (as_it_is) AM_TRY(am_audio_resample(&out[i], rate, NULL));
    }
    return NULL;
}

static am_status open_videos(const am_processor *p, const am_processor_files *files, opened *o)
{
    for (size_t i = 0; i < files->video_count; i++) {
        const am_video_files *from = &files->videos[i];
        if (!from->file && !from->count) return am_error(AM_INVALID_ARGUMENT, "video %zu has no frames", i);
        am_video_source source = {.file = from->file, .frames = from->frames, .count = from->count, .fps = from->fps};
        AM_TRY(am_processor_open_video(p, &source, &o->arena, &o->videos[i]));
    }
    return NULL;
}

static am_status open_files(const am_processor *p, const am_processor_files *files, opened *o)
{
    o->images = am_arena_array(&o->arena, files->image_count + 1, sizeof *o->images);
    o->videos = am_arena_array(&o->arena, files->video_count + 1, sizeof *o->videos);
    o->sounds = am_arena_array(&o->arena, files->sound_count + 1, sizeof *o->sounds);
    if (!o->images || !o->videos || !o->sounds) return am_out_of_memory();
    AM_TRY(am_image_open_all(files->images, (int64_t)files->image_count, 0, o->images));
    AM_TRY(open_videos(p, files, o));
    return open_sounds(p, files, o->sounds);
}

static void close_files(const am_processor_files *files, opened *o)
{
    for (size_t i = 0; o->images && i < files->image_count; i++) am_image_deinit(&o->images[i]);
    for (size_t i = 0; o->videos && i < files->video_count; i++) am_video_deinit(&o->videos[i]);
    for (size_t i = 0; o->sounds && i < files->sound_count; i++) am_audio_deinit(&o->sounds[i]);
    am_arena_deinit(&o->arena);
}

/* --- results --- */

typedef struct result_storage {
    am_processed made;
    am_arena names;
} result_storage;

/* A batch is one tensor; a list one for each input. */
static am_status list_arrays(result_storage *s, am_processor_result *out)
{
    size_t room = 0;
    for (int i = 0; i < s->made.tensors.count; i++) room += (size_t)s->made.tensors.items[i].count;
    out->arrays = am_arena_array(&s->names, room + 1, sizeof *out->arrays);
    if (!out->arrays) return am_out_of_memory();
    for (int i = 0; i < s->made.tensors.count; i++) {
        const am_media_output *item = &s->made.tensors.items[i];
        for (int64_t k = 0; k < item->count; k++) {
            const char *name = item->is_list ? am_arena_printf(&s->names, "%s.%" PRId64, item->name, k) : item->name;
            if (!name) return am_out_of_memory();
            out->arrays[out->count++] = (am_named_array){name, item->tensors[k]};
        }
    }
    return NULL;
}

void am_processor_result_deinit(am_processor_result *result)
{
    result_storage *s = result->storage;
    if (s) am_processed_deinit(&s->made);
    if (s) am_arena_deinit(&s->names);
    am_free(s);
    *result = (am_processor_result){0};
}

am_status am_processor_process(const am_processor *processor, const am_processor_files *files, am_processor_result *out)
{
    opened o = {0};
    *out = (am_processor_result){0};
    result_storage *s = am_alloc_zeroed(1, sizeof *s);
    if (!s) return am_out_of_memory();
    out->storage = s;
    am_status status = open_files(processor, files, &o);
    am_processor_inputs inputs = {.texts = files->texts,
                                  .text_count = (int64_t)files->text_count,
                                  .images = o.images,
                                  .image_count = (int64_t)files->image_count,
                                  .videos = o.videos,
                                  .video_count = (int64_t)files->video_count,
                                  .sounds = o.sounds,
                                  .sound_count = (int64_t)files->sound_count};
    if (!status) status = am_processor_run(processor, &inputs, &s->made);
    if (!status) status = list_arrays(s, out);
    if (status) am_processor_result_deinit(out);
    close_files(files, &o);
    return status;
}

/* --- files --- */

am_status am_arrays_save(const char *path, const am_named_array *arrays, size_t count)
{
    am_named_tensor *tensors = am_alloc_zeroed(count ? count : 1, sizeof *tensors);
    if (!tensors) return am_out_of_memory();
    for (size_t i = 0; i < count; i++)
        tensors[i] = (am_named_tensor){.name = arrays[i].name,
                                       .dtype = arrays[i].tensor.dtype,
                                       .shape = arrays[i].tensor.shape,
                                       .data = arrays[i].tensor.data};
    am_status status = am_safetensors_write(path, tensors, count);
    am_free(tensors);
    return status;
}
