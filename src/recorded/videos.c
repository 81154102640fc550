#include "recorded/videos.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/prng.h"
#include "media/video_processor.h"
#include "recorded/images.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_VIDEOS = 4, MAX_FRAMES = 1024, MAX_SIDE = 4096 };

/* Videos of a case, [count], with frames of their own. */
typedef struct seeded_videos {
    am_video videos[MAX_VIDEOS];
    int64_t count;
} seeded_videos;

static const char *text_of(am_json object, const char *key)
{
    return am_json_text(am_json_get(object, key)).bytes;
}

static bool is_there(am_json object, const char *key)
{
    am_json_kind kind = am_json_kind_of(am_json_get(object, key));
    return kind != AM_JSON_MISSING && kind != AM_JSON_NULL;
}

/* --- frames --- */

/* "prng NAME, uint8": the seeded numbers of that name, from 0 up to 255, [frames, height, width, 3]. */
static am_status fill_frames(const char *text, am_image *frames, int64_t count)
{
    char name[64];
    if (sscanf(text, "prng %63[^,], uint8", name) != 1)
        return am_error(AM_INVALID_FILE, "\"%s\": expected \"prng NAME, uint8\"", text);
    uint64_t seed = am_fnv1a(name, strlen(name));
    int64_t bytes = frames->height * frames->width * 3;
    for (int64_t i = 0; i < count * bytes; i++)
        frames[i / bytes].pixels[i % bytes] = (uint8_t)(256.0 * am_uniform(seed, (uint64_t)i));
    return NULL;
}

static am_status make_video(const char *text, am_json shape, am_json metadata, am_video *out)
{
    int64_t dims[4] = {0};
    for (int i = 0; i < 4; i++) dims[i] = am_json_int(am_verify_element(shape, i), 0);
    if (dims[0] < 1 || dims[1] < 1 || dims[2] < 1 || dims[3] != 3 || dims[0] > MAX_FRAMES || dims[1] > MAX_SIDE ||
        dims[2] > MAX_SIDE)
        return am_error(AM_INVALID_FILE, "shape: expected [frames, height, width, 3]");
    am_image *frames = am_alloc_zeroed((size_t)dims[0], sizeof *frames);
    if (!frames) return am_out_of_memory();
    *out = (am_video){.frames = frames,
                      .count = dims[0],
                      .fps = am_json_real(am_json_get(metadata, "fps"), 0.0),
                      .duration = am_json_real(am_json_get(metadata, "duration"), 0.0)};
    for (int64_t i = 0; i < dims[0]; i++) AM_TRY(am_image_create(dims[2], dims[1], &frames[i]));
    return fill_frames(text, frames, dims[0]);
}

/* "video", "shape" and "metadata" are of one video, or lists of those of several. */
static am_status make_videos(am_json row, seeded_videos *out)
{
    am_json videos = am_json_get(row, "video"), shapes = am_json_get(row, "shape"),
            metadata = am_json_get(row, "metadata");
    if (am_json_kind_of(videos) != AM_JSON_ARRAY) {
        out->count = 1;
        return make_video(am_json_text(videos).bytes, shapes, metadata, out->videos);
    }
    for (am_json_iterator i = am_json_iterate(videos); am_json_next(&i); out->count++) {
        if (out->count == MAX_VIDEOS) return am_error(AM_INVALID_FILE, "more than %d videos", MAX_VIDEOS);
        AM_TRY(make_video(am_json_text(i.value).bytes, am_verify_element(shapes, out->count),
                          am_verify_element(metadata, out->count), &out->videos[out->count]));
    }
    return NULL;
}

static void deinit_videos(seeded_videos *videos)
{
    for (int i = 0; i < MAX_VIDEOS; i++) {
        am_image *frames = (am_image *)videos->videos[i].frames;
        for (int64_t k = 0; frames && k < videos->videos[i].count; k++) am_image_deinit(&frames[k]);
        am_free(frames);
    }
}

/* --- cases --- */

/* What is sampled of the first video: "frames_indices", null where nothing was. */
static am_status check_indices(const am_video_processor *p, const am_video *video, const am_video_options *options,
                               am_json expected)
{
    int64_t *found, count, at = 0;
    AM_TRY(am_video_processor_sample(p, video, options, &found, &count));
    am_status status = NULL;
    if (count != (int64_t)am_json_count(expected))
        status = am_error(AM_FAILED, "%" PRId64 " frames are sampled, expected %zu", count, am_json_count(expected));
    for (am_json_iterator i = am_json_iterate(expected); !status && am_json_next(&i); at++)
        if (am_json_int(i.value, -1) != found[at])
            status = am_error(AM_FAILED, "sampled frame %" PRId64 " is %" PRId64 ", expected %" PRId64, at, found[at],
                              am_json_int(i.value, -1));
    am_free(found);
    return status;
}

static am_status compare(const am_video_processor *p, const seeded_videos *videos, const am_video_options *options,
                         am_json row)
{
    am_media_tensors found = {0};
    am_status status = NULL;
    if (is_there(row, "frames_indices") && videos->count == 1)
        status = check_indices(p, videos->videos, options, am_json_get(row, "frames_indices"));
    if (!status) status = am_video_processor_run(p, videos->videos, videos->count, options, &found);
    if (is_there(row, "error")) status = am_verify_expect_failure(status);
    else if (!status) status = am_verify_media(am_json_get(row, "outputs"), &found);
    am_media_tensors_deinit(&found);
    return status;
}

static am_status read_options(am_json arguments, bool *samples, am_video_options *out)
{
    for (am_json_iterator i = am_json_iterate(arguments); am_json_next(&i);) {
        if (strcmp(i.key.bytes, "do_sample_frames") == 0) {
            *samples = am_json_bool(i.value, false);
            out->do_sample_frames = samples;
        } else if (strcmp(i.key.bytes, "num_frames") == 0) {
            out->num_frames = am_json_int(i.value, 0);
        } else if (strcmp(i.key.bytes, "fps") == 0) {
            out->fps = am_json_real(i.value, 0.0);
        } else {
            return am_error(AM_UNSUPPORTED, "argument %s of the call", i.key.bytes);
        }
    }
    return NULL;
}

static am_status check_case(am_json config, const char *class_name, am_json row)
{
    am_video_processor *p;
    seeded_videos videos = {0};
    am_video_options options = {0};
    bool samples = false;
    am_status status = am_video_processor_create(config, class_name, &p);
    if (status) return is_there(row, "error") ? am_verify_expect_failure(status) : status;
    status = read_options(am_json_get(row, "kwargs"), &samples, &options);
    if (!status) status = make_videos(row, &videos);
    if (!status) status = compare(p, &videos, &options, row);
    deinit_videos(&videos);
    am_video_processor_close(p);
    return status;
}

am_status am_verify_videos(am_verifier *verifier, const char *path)
{
    if (strcmp(am_path_base(path), "index.json") == 0) return NULL;
    if (!am_recorded_part(verifier->recorded, "videos/%s", am_path_base(path))) return NULL;
    am_json_document *document = NULL;
    AM_TRY(am_json_open(path, &document));
    am_json root = am_json_root(document);
    const char *class_name = text_of(root, "class");
    am_status status = NULL;
    int number = 0;
    for (am_json_iterator i = am_json_iterate(am_json_get(root, "cases")); !status && am_json_next(&i); number++) {
        am_json config = is_there(i.value, "settings") ? am_json_get(i.value, "settings") : am_json_get(root, "config");
        status =
            am_verify_count(verifier, check_case(config, class_name, i.value), "%s video case %d", class_name, number);
    }
    am_json_close(document);
    return status;
}
