/* Texts with placeholders. The first two bytes choose a recorded processor; six choose what images, videos and sounds
   there are; then follow, with zero bytes between, two texts, arguments of the calls, and a processor_config.json in
   place of the recorded one. */
#include "base/buffer.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "processors/processor.h"
#include "tensor/shape.h"

#include "fuzz_data.h"
#include "fuzz_parts.h"
#include "fuzz_settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHOICE = 2, HEAD = 6, TEXTS = 2, PARTS = 4, MOST_MEDIA = 6, FRAMES = 4, MOST_SAMPLES = 4000, FIRST_ADDED = 256 };

static void require(bool holds)
{
    if (!holds) abort();
}

static void fail(am_status status)
{
    require(!status || am_status_code(status) != AM_INTERNAL);
    am_status_free(status);
}

/* --- recorded processors --- */

enum { CONFIG, TOKENIZER_CONFIG, TOKENIZER, FILES };

typedef struct recorded {
    am_buffer files[FILES];
    am_processor *processor;
} recorded;

/* A token's text, or an object that says what else is not as usual. */
static void write_token(am_json token, int id, am_buffer *out)
{
    static const char *const flags[] = {"single_word", "lstrip", "rstrip", "normalized", "special"};
    bool alone = am_json_kind_of(token) == AM_JSON_STRING;
    am_buffer_printf(out, "%s{\"id\":%d,\"content\":", id > FIRST_ADDED ? "," : "", id);
    am_json_write(alone ? token : am_json_get(token, "content"), out);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        bool flag = am_json_bool(am_json_get(token, flags[i]), strcmp(flags[i], "special") == 0);
        am_buffer_printf(out, ",\"%s\":%s", flags[i], flag ? "true" : "false");
    }
    am_buffer_append_char(out, '}');
}

/* The common tokenizer.json with the row's tokens added, and its normalizer where it has one. */
static void write_tokenizer(am_json row, am_buffer *out)
{
    static const char place[] = "\"added_tokens\":[", none[] = "\"normalizer\":null";
    static char base[1 << 16];
    am_json replaced = am_json_get(row, "normalizer");
    int id = FIRST_ADDED;
    if (!*base) {
        FILE *file = fopen(FUZZ_DATA "processors/data/tokenizer.json", "rb");
        require(file && fread(base, 1, sizeof base - 1, file) > 0 && fclose(file) == 0);
    }
    const char *at = strstr(base, place), *normalizer = strstr(base, none);
    require(at && normalizer > at);
    at += sizeof place - 1;
    am_buffer_append(out, base, (size_t)(at - base));
    for (am_json_iterator i = am_json_iterate(am_json_get(row, "added_tokens")); am_json_next(&i); id++)
        write_token(i.value, id, out);
    if (am_json_kind_of(replaced) == AM_JSON_OBJECT) {
        am_buffer_append(out, at, (size_t)(normalizer - at));
        am_buffer_append_string(out, "\"normalizer\":");
        am_json_write(replaced, out);
        at = normalizer + sizeof none - 1;
    }
    am_buffer_append_string(out, at);
}

static void read_recorded(const char *path, recorded *out)
{
    am_json_document *document;
    require(!am_json_open(path, &document));
    am_json root = am_json_root(document);
    am_json_write(am_json_get(root, "processor_config.json"), &out->files[CONFIG]);
    am_json_write(am_json_get(root, "tokenizer_config.json"), &out->files[TOKENIZER_CONFIG]);
    write_tokenizer(root, &out->files[TOKENIZER]);
    am_json_close(document);
}

static recorded *choose(const uint8_t *bytes)
{
    static fuzz_paths paths;
    static recorded *rows;
    if (!rows) {
        fuzz_list(FUZZ_DATA "processors/data", &paths);
        rows = calloc(paths.count, sizeof *rows);
        require(rows != NULL);
    }
    size_t number = fuzz_choose(&paths, bytes);
    /* GraniteDocling makes sides of 2048 of any image, which takes seconds. */
    if (!strstr(paths.items[number], "Processor.json") || strstr(paths.items[number], "GraniteDocling")) return NULL;
    if (!rows[number].files[CONFIG].length) read_recorded(paths.items[number], &rows[number]);
    return &rows[number];
}

/* Opens a row's processor, under another configuration where there is one. */
static am_processor *open_processor(const recorded *row, am_text config, am_json arguments)
{
    static const char *const names[] = {"processor_config.json", "tokenizer_config.json", "tokenizer.json",
                                        "qformer_tokenizer/tokenizer_config.json", "qformer_tokenizer/tokenizer.json"};
    am_text files[5];
    am_processor *processor;
    for (int i = 0; i < 5; i++) {
        const am_buffer *file = &row->files[i < FILES ? i : i - 2];
        files[i] = (am_text){file->bytes, file->length};
    }
    if (config.length) files[CONFIG] = config;
    am_mount *mount = fuzz_mount(names, files, 5);
    am_status status = am_processor_open(am_mount_path(mount), arguments, &processor);
    require((status == NULL) == (processor != NULL));
    require(!status || config.length || am_json_kind_of(arguments) != AM_JSON_MISSING);
    fail(status);
    am_unmount(mount);
    return processor;
}

/* --- a call --- */

static int64_t count_in(const am_text *texts, am_text placeholder)
{
    int64_t count = 0;
    for (int i = 0; i < TEXTS && placeholder.length; i++)
        for (size_t at = 0; at + placeholder.length <= texts[i].length && count < MOST_MEDIA; at++)
            count += memcmp(texts[i].bytes + at, placeholder.bytes, placeholder.length) == 0;
    return count;
}

static void check(const am_processed *out)
{
    for (int64_t i = 0; i < out->text_count; i++)
        require(am_utf8_valid(am_buffer_text(&out->texts[i]), out->texts[i].length, NULL));
    for (int i = 0; i < out->tensors.count; i++)
        for (int64_t k = 0; k < out->tensors.items[i].count; k++)
            require(am_shape_check(&out->tensors.items[i].tensors[k].shape));
}

static void run(const am_processor *p, const uint8_t *head, const am_text *texts)
{
    static float samples[MOST_SAMPLES];
    am_image images[MOST_MEDIA + 1], frames[FRAMES];
    am_video videos[MOST_MEDIA];
    am_audio sounds[MOST_MEDIA];
    am_processed out = {0};
    am_processor_inputs in = {.texts = texts,
                              .text_count = texts[1].length ? 2 : 1,
                              .images = images,
                              .image_count = count_in(texts, am_processor_image_placeholder(p)) + (head[0] & 1),
                              .videos = videos,
                              .video_count = count_in(texts, am_processor_video_placeholder(p)),
                              .sounds = sounds,
                              .sound_count = count_in(texts, am_processor_sound_placeholder(p)),
                              .no_special_tokens = head[0] & 2};
    for (int64_t i = 0; i < in.image_count; i++)
        fuzz_draw(1 + head[1 + i % 4] % 80, 1 + head[2 + i % 4], head[5], &images[i]);
    for (int i = 0; i < FRAMES; i++) fuzz_draw(1 + head[3] % 48, 1 + head[4] % 64, (unsigned)i, &frames[i]);
    for (int64_t i = 0; i < in.video_count; i++)
        videos[i] = (am_video){.frames = frames, .count = 1 + (head[0] >> 2) % FRAMES, .fps = head[5] / 16.0};
    for (int64_t i = 0; i < in.sound_count; i++)
        sounds[i] = (am_audio){samples, 1 + head[1 + i % 4] * 15, 1, am_processor_sampling_rate(p)};
    am_status status = am_processor_run(p, &in, &out);
    if (!status) check(&out);
    fail(status);
    am_processed_deinit(&out);
    for (int64_t i = 0; i < in.image_count; i++) am_image_deinit(&images[i]);
    for (int i = 0; i < FRAMES; i++) am_image_deinit(&frames[i]);
}

/* Whether the text, if there is any, is JSON with small numbers; *out is then to be closed. */
static bool read_settings(am_text text, am_json_document **out)
{
    *out = NULL;
    if (!text.length) return true;
    am_status_free(am_json_parse(text.bytes, text.length, "settings", out));
    return *out && fuzz_is_small(am_json_root(*out), FUZZ_MOST_SETTING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_text parts[PARTS];
    am_json_document *arguments = NULL, *config = NULL;
    if (size < CHOICE + HEAD) return 0;
    recorded *row = choose(data);
    fuzz_cut(data + CHOICE + HEAD, size - CHOICE - HEAD, parts, PARTS);
    bool is_small = row && read_settings(parts[2], &arguments) && read_settings(parts[3], &config);
    if (is_small && !arguments && !config) {
        if (!row->processor) row->processor = open_processor(row, (am_text){"", 0}, (am_json){0});
        run(row->processor, data + CHOICE, parts);
    } else if (is_small) {
        am_processor *processor = open_processor(row, parts[3], arguments ? am_json_root(arguments) : (am_json){0});
        if (processor) run(processor, data + CHOICE, parts);
        am_processor_close(processor);
    }
    am_json_close(arguments);
    am_json_close(config);
    return 0;
}
