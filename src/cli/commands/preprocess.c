#include "cli/command.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SHOWN_NUMBERS = 8, SMALL_TENSOR = 1024 };

typedef struct preprocess_values {
    am_cli_list texts, images, sounds, videos, options;
    am_cli_fields fields;
    double fps;
    const char *output;
} preprocess_values;

static const am_option options[] = {
    {"text", AM_OPTION_LIST, offsetof(preprocess_values, texts), "TEXT",
     "a text, with the model's placeholder where an image belongs; again: a batch", 0, 0},
    {"image", AM_OPTION_LIST, offsetof(preprocess_values, images), "FILE",
     "an image; again: more, in the order of their places", 0, 0},
    {"audio", AM_OPTION_LIST, offsetof(preprocess_values, sounds), "FILE", "a sound; again: more", 0, 0},
    {"video", AM_OPTION_LIST, offsetof(preprocess_values, videos), "FILE",
     "a video: MP4, WebM, MKV, AVI, GIF .., a folder of images in the order of their names, or IMAGE,IMAGE,..; again: "
     "more",
     0, 0},
    {"fps", AM_OPTION_REAL, offsetof(preprocess_values, fps), "N",
     "frames a second of the videos (of a video file: as it says)", 1e-6, 1e6},
    AM_FIELD_OPTION(preprocess_values, "padding", "HOW", "of texts: longest, max_length or false", 0, 0),
    AM_FIELD_OPTION(preprocess_values, "max-length", "N", "of texts: N tokens, for padding and truncation", 1, 1e9),
    AM_FIELD_OPTION(preprocess_values, "truncation", "HOW", "of texts: true or false", 0, 0),
    {"option", AM_OPTION_LIST, offsetof(preprocess_values, options), "KEY=VALUE",
     "another argument of the call, as transformers names it: images_kwargs={..}", 0, 0},
    {"output", AM_OPTION_TEXT, offsetof(preprocess_values, output), "FILE",
     "write the tensors to a safetensors file; -o FILE is the same", 0, 0},
    {NULL, AM_OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static int run(int argc, char **argv, am_globals *globals);

const am_command am_command_preprocess = {
    .name = "preprocess",
    .summary = "texts, images, sounds and videos to the tensors that the model takes",
    .usage = "MODEL_DIR [--text TEXT] [--image FILE] [--audio FILE] [--video FILE] [-o FILE.safetensors]",
    .help =
        "What transformers' AutoProcessor makes of the inputs: the processor of MODEL_DIR, or where it has none its "
        "tokenizer, image\n"
        "processor, video processor or feature extractor. The model itself is not opened, and need not be there. "
        "Prints the class,\n"
        "then name, dtype, shape and first numbers of each tensor, or writes them to a file.\n\n"
        "  anymodel preprocess my-vit --image cat.jpg\n"
        "  anymodel preprocess my-llava --text \"<image> What is it?\" --image cat.jpg -o inputs.safetensors\n"
        "  anymodel preprocess my-clip --text \"a cat\" --text \"two dogs\" --padding longest --image cat.jpg --json\n"
        "  anymodel preprocess my-whisper --audio speech.wav\n"
        "  anymodel preprocess my-qwen2-vl --text \"<|video_pad|> What happens?\" --video clip.mp4\n"
        "  anymodel preprocess my-qwen2-vl --text \"<|video_pad|> What happens?\" --video frames/ --fps 2 "
        "--option 'videos_kwargs={\"do_sample_frames\": false}'\n\n"
        "A placeholder in a text (\"<image>\", \"<|image_pad|>\" ..: what the model's processor files name) stands for "
        "one image, and becomes\n"
        "as many tokens as the model gives rows for it. Inputs that differ in shape make no batch: their tensors are "
        "NAME.0, NAME.1 and on.\n\n"
        "Of a video file the frames are decoded that the processor samples. That needs FFmpeg's libraries when the "
        "program is built\n"
        "(make video).\n\n"
        "With --json: {\"processor\", \"tensors\": [{\"name\", \"dtype\", \"shape\", \"values\"}, ..]}, values in one "
        "list, outermost first,\n"
        "of tensors of at most 1024 numbers; with -o also \"file\".\n",
    .options = options,
    .run = run,
};

/* --- what is printed --- */

static int64_t count_of(const am_tensor *x)
{
    int64_t count = 1;
    for (int d = 0; d < x->shape.rank; d++) count *= x->shape.dims[d];
    return count;
}

/* A number of a floating type; 0 of the others. */
static double real_at(const am_tensor *x, int64_t i)
{
    float narrow = 0;
    uint32_t bits = x->dtype == AM_BF16 ? (uint32_t)((const uint16_t *)x->data)[i] << 16 : 0;
    if (x->dtype == AM_F64) return ((const double *)x->data)[i];
    if (x->dtype == AM_F32) return (double)((const float *)x->data)[i];
    memcpy(&narrow, &bits, sizeof narrow);
    return (double)narrow;
}

/* null where JSON has no such number. */
static void put_number(const am_tensor *x, int64_t i)
{
    double real = real_at(x, i);
    switch (x->dtype) {
    case AM_F64:
    case AM_F32:
    case AM_BF16:
        if (isfinite(real)) printf(x->dtype == AM_F64 ? "%.17g" : "%.9g", real);
        else fputs("null", stdout);
        break;
    case AM_I64:
        printf("%" PRId64, ((const int64_t *)x->data)[i]);
        break;
    case AM_I32:
        printf("%" PRId32, ((const int32_t *)x->data)[i]);
        break;
    case AM_U8:
    case AM_BOOL:
        printf("%d", ((const uint8_t *)x->data)[i]);
        break;
    default:
        fputs("null", stdout);
    }
}

static void put_shape(const am_tensor *x)
{
    putchar('[');
    for (int d = 0; d < x->shape.rank; d++) printf("%s%" PRId64, d ? ", " : "", x->shape.dims[d]);
    putchar(']');
}

static void put_json(const am_processor *processor, const am_processor_result *made, const char *file)
{
    fputs("{\"processor\": ", stdout);
    am_cli_put_json_string(stdout, am_processor_name(processor));
    if (file) fputs(", \"file\": ", stdout);
    if (file) am_cli_put_json_string(stdout, file);
    fputs(", \"tensors\": [", stdout);
    for (size_t i = 0; i < made->count; i++) {
        const am_tensor *x = &made->arrays[i].tensor;
        int64_t count = count_of(x);
        fputs(i ? ",\n {\"name\": " : "{\"name\": ", stdout);
        am_cli_put_json_string(stdout, made->arrays[i].name);
        printf(", \"dtype\": \"%s\", \"shape\": ", am_dtype_name(x->dtype));
        put_shape(x);
        if (count <= SMALL_TENSOR) {
            fputs(", \"values\": [", stdout);
            for (int64_t k = 0; k < count; k++) {
                if (k) fputs(", ", stdout);
                put_number(x, k);
            }
            putchar(']');
        }
        putchar('}');
    }
    puts("]}");
}

/* name, dtype, shape and the first numbers, in columns. */
static void put_table(const am_processor *processor, const am_processor_result *made)
{
    puts(am_processor_name(processor));
    for (size_t i = 0; i < made->count; i++) {
        const am_tensor *x = &made->arrays[i].tensor;
        int64_t count = count_of(x);
        printf("%-22s %-4s  ", made->arrays[i].name, am_dtype_name(x->dtype));
        put_shape(x);
        fputs("  ", stdout);
        for (int64_t k = 0; k < count && k < SHOWN_NUMBERS; k++) {
            putchar(' ');
            put_number(x, k);
        }
        puts(count > SHOWN_NUMBERS ? " .." : "");
    }
}

/* --- the call's arguments --- */

/* Those of texts that have options of their own go into text_kwargs. */
static int make_arguments(const am_globals *globals, const preprocess_values *values, char **out)
{
    char *texts = NULL, *others = NULL;
    size_t length;
    *out = NULL;
    for (int i = 0; i < values->options.count && values->fields.count; i++)
        if (strncmp(values->options.items[i], "text_kwargs=", 12) == 0)
            return am_cli_fail(globals, AM_INVALID_ARGUMENT,
                               "preprocess: --%s belongs into text_kwargs, which is given",
                               values->fields.options[0]->name);
    int code = am_cli_make_object(globals, &values->fields, &(am_cli_list){.count = 0}, &texts);
    if (!code) code = am_cli_make_object(globals, &(am_cli_fields){.count = 0}, &values->options, &others);
    FILE *file = code ? NULL : open_memstream(out, &length);
    if (file) {
        fputc('{', file);
        if (values->fields.count) fprintf(file, "\"text_kwargs\": %s%s", texts, values->options.count ? ", " : "");
        fputs(others + 1, file);
    }
    if (!code && (!file || fclose(file))) code = am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the options");
    free(texts);
    free(others);
    return code;
}

/* --- videos --- */

/* Names of frames, each owned. */
typedef struct frame_list {
    char **items;
    size_t count;
} frame_list;

static void free_frames(frame_list *list)
{
    for (size_t i = 0; i < list->count; i++) free(list->items[i]);
    free(list->items);
    *list = (frame_list){0};
}

/* Takes the name, which may be null: false without memory. */
static bool add_frame(frame_list *list, char *name)
{
    char **grown = name ? realloc(list->items, (list->count + 1) * sizeof *grown) : NULL;
    if (grown) {
        list->items = grown;
        grown[list->count++] = name;
    } else free(name);
    return grown != NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(const char *folder, const char *name)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    if (path) snprintf(path, room, "%s/%s", folder, name);
    return path;
}

/* Everything in a folder whose name does not begin with a dot. */
static int list_folder(const am_globals *globals, const char *folder, frame_list *out)
{
    bool has_memory = true;
    DIR *stream = opendir(folder);
    if (!stream) return am_cli_fail(globals, AM_IO, "cannot read the folder %s: %s", folder, strerror(errno));
    for (const struct dirent *entry; has_memory && (entry = readdir(stream));)
        if (*entry->d_name != '.') has_memory = add_frame(out, join(folder, entry->d_name));
    closedir(stream);
    if (!has_memory) return am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the names of frames");
    if (!out->count) return am_cli_fail(globals, AM_INVALID_ARGUMENT, "--video: %s holds no frames", folder);
    qsort(out->items, out->count, sizeof *out->items, by_name);
    return AM_OK;
}

/* A folder and a list are frames, anything else is a file. */
static int find_video(const am_globals *globals, const char *given, frame_list *frames, am_video_files *out)
{
    struct stat info;
    bool is_there = stat(given, &info) == 0;
    int code = AM_OK;
    if (is_there && S_ISDIR(info.st_mode)) code = list_folder(globals, given, frames);
    else if (is_there || !strchr(given, ',')) out->file = given;
    else
        for (const char *at = given; at && !code; at = strchr(at, ','), at += at ? 1 : 0)
            if (!add_frame(frames, strndup(at, strcspn(at, ","))))
                code = am_cli_fail(globals, AM_OUT_OF_MEMORY, "no memory for the names of frames");
    out->frames = (const char *const *)frames->items;
    out->count = frames->count;
    return code;
}

/* --- the call --- */

static int process(const am_globals *globals, const am_processor *processor, const preprocess_values *values,
                   const am_processor_files *files)
{
    am_processor_result made;
    am_status status = am_processor_process(processor, files, &made);
    if (!status && values->output) status = am_arrays_save(values->output, made.arrays, made.count);
    if (!status && globals->json) put_json(processor, &made, values->output);
    else if (!status && !values->output) put_table(processor, &made);
    if (!status && values->output) am_cli_note(globals, "%zu tensors to %s", made.count, values->output);
    am_processor_result_deinit(&made);
    return am_cli_fail_status(globals, status);
}

static int process_values(const am_globals *globals, const am_processor *processor, const preprocess_values *values)
{
    am_text texts[AM_CLI_LIST_LIMIT];
    frame_list frames[AM_CLI_LIST_LIMIT] = {{0}};
    am_video_files videos[AM_CLI_LIST_LIMIT] = {{0}};
    int code = AM_OK;
    for (int i = 0; i < values->texts.count; i++)
        texts[i] = (am_text){values->texts.items[i], strlen(values->texts.items[i])};
    for (int i = 0; i < values->videos.count && !code; i++) {
        videos[i].fps = values->fps;
        code = find_video(globals, values->videos.items[i], &frames[i], &videos[i]);
    }
    am_processor_files files = {.texts = texts,
                                .text_count = (size_t)values->texts.count,
                                .images = values->images.items,
                                .image_count = (size_t)values->images.count,
                                .sounds = values->sounds.items,
                                .sound_count = (size_t)values->sounds.count,
                                .videos = videos,
                                .video_count = (size_t)values->videos.count};
    if (!code) code = process(globals, processor, values, &files);
    for (int i = 0; i < values->videos.count; i++) free_frames(&frames[i]);
    return code;
}

static int check(const am_globals *globals, const preprocess_values *values)
{
    const char *ending = values->output ? strrchr(values->output, '.') : NULL;
    if (ending && strcmp(ending, ".npz") == 0)
        return am_cli_fail(globals, AM_UNSUPPORTED, "preprocess: -o writes safetensors files, no .npz");
    if (values->texts.count || values->images.count || values->sounds.count || values->videos.count) return AM_OK;
    return am_cli_fail(globals, AM_INVALID_ARGUMENT,
                       "preprocess: an input is missing: --text, --image, --audio or --video");
}

static int run(int argc, char **argv, am_globals *globals)
{
    preprocess_values values = {0};
    am_operands operands;
    am_processor *processor = NULL;
    char *arguments = NULL;
    int code = am_cli_parse(&am_command_preprocess, argc, argv, globals, &values, 1, 1, &operands);
    if (code != AM_CLI_CONTINUE) return code;
    code = check(globals, &values);
    if (!code) code = make_arguments(globals, &values, &arguments);
    if (!code) code = am_cli_fail_status(globals, am_processor_load(operands.items[0], arguments, &processor));
    if (!code) code = process_values(globals, processor, &values);
    am_processor_free(processor);
    free(arguments);
    return code;
}
