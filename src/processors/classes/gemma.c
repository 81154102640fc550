/* Gemma 3 to 4: images and sounds between tokens that begin and end them. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- Gemma 3 --- */

static void put_sequence(const am_placeholder *p, const char *token, const am_wrapping *wrapping, int64_t length,
                         am_buffer *out)
{
    am_buffer_append_string(out, "\n\n");
    am_put_wrapped(p, token, length, wrapping, out);
    am_buffer_append_string(out, "\n\n");
}

static const am_wrapping image_ends = {"boi_token", "eoi_token"}, sound_ends = {"boa_token", "eoa_token"};

static am_status expand_gemma3(const am_placeholder *p, am_buffer *out)
{
    int64_t length, crops;
    AM_TRY(am_processor_integer(p->run->processor, "image_seq_length", &length));
    AM_TRY(am_media_number(p->media, "num_crops", p->row, 0, &crops));
    if (crops) am_buffer_append_string(out, "Here is the original image ");
    put_sequence(p, "image_token", &image_ends, length, out);
    if (crops) am_buffer_append_string(out, " and here are some crops to help you see better");
    for (int64_t i = 0; i < crops; i++) {
        am_buffer_append_char(out, ' ');
        put_sequence(p, "image_token", &image_ends, length, out);
    }
    return NULL;
}

/* --- Gemma 3n --- */

static am_status expand_fixed_image(const am_placeholder *p, am_buffer *out)
{
    int64_t length;
    AM_TRY(am_processor_integer(p->run->processor, "image_seq_length", &length));
    put_sequence(p, "image_token", &image_ends, length, out);
    return NULL;
}

static am_status expand_fixed_sound(const am_placeholder *p, am_buffer *out)
{
    int64_t length;
    AM_TRY(am_processor_integer(p->run->processor, "audio_seq_length", &length));
    put_sequence(p, "audio_token", &sound_ends, length, out);
    return NULL;
}

/* --- Gemma 4 --- */

static am_status expand_soft(const am_placeholder *p, am_buffer *out)
{
    return am_put_counted(p, "num_soft_tokens_per_image", "image_token", &image_ends, out);
}

/* Each frame after its minutes and seconds. */
static am_status expand_gemma4_video(const am_placeholder *p, am_buffer *out)
{
    const am_processor_clip *clip = &p->run->clips[p->index];
    for (int64_t i = 0; i < clip->count; i++) {
        double seconds = am_clip_seconds(clip, i);
        am_buffer_printf(out, "%s%02" PRId64 ":%02" PRId64 " ", i ? " " : "", (int64_t)seconds / 60,
                         (int64_t)seconds % 60);
        AM_TRY(am_put_counted(p, "num_soft_tokens_per_video", "video_token", &image_ends, out));
    }
    return NULL;
}

/* What two convolutions of stride 2 leave of the mask of a sound: each fourth place. */
static am_status count_subsampled(const am_processor_call *run, int64_t sound, int64_t *out)
{
    am_shape shape;
    *out = 0;
    AM_TRY(am_media_shape(&run->sounds, "input_features_mask", sound, &shape));
    for (int64_t i = 0; i < shape.dims[shape.rank - 1]; i += 4) {
        int64_t there;
        AM_TRY(am_media_number(&run->sounds, "input_features_mask", sound, i, &there));
        *out += there;
    }
    return NULL;
}

static am_status expand_subsampled(const am_placeholder *p, am_buffer *out)
{
    int64_t count;
    AM_TRY(count_subsampled(p->run, p->row, &count));
    am_put_wrapped(p, "audio_token", count, &sound_ends, out);
    return NULL;
}

static am_status expand_mask(const am_placeholder *p, am_buffer *out)
{
    int64_t count;
    AM_TRY(am_media_row_sum(p->media, "input_features_mask", p->row, &count));
    am_put_wrapped(p, "audio_token", count, &sound_ends, out);
    return NULL;
}

/* --- Embedding Gemma 2 --- */

static void put_time(int64_t seconds, am_buffer *out)
{
    am_buffer_printf(out, "%02" PRId64 ":%02d ", seconds / 60, (int)(seconds % 60));
}

/* A frame's second, the nearest. */
static int64_t second_of(const am_processor_clip *clip, int64_t frame)
{
    return (int64_t)nearbyint(am_clip_seconds(clip, frame));
}

/* Tokens of a second of sound: those of the mel frames that lie within it, subsampled twice. */
static int64_t tokens_per_second(const am_processor *p)
{
    const am_feature_extractor *e = &p->feature_extractor;
    double rate = (double)e->sampling_rate / 1000.0;
    int64_t hop = (int64_t)nearbyint(rate * am_feature_setting_real(e, "hop_length_ms")),
            frame = (int64_t)nearbyint(rate * am_feature_setting_real(e, "frame_length_ms"));
    int64_t frames = hop > 0 ? am_floor_div(e->sampling_rate - frame / 2 - 1, hop) + 1 : 0;
    if (frames < 0) frames = 0;
    for (int i = 0; i < 2; i++) frames = am_floor_div(frames - 1, 2) + 1;
    return frames;
}

/* The sound of a video: its tokens, those of a second, and the seconds [first, end) that they are told for. */
typedef struct video_sound {
    int64_t tokens, per_second, first, end;
} video_sound;

/* Tokens of a second; the last one takes what is left. */
static int64_t tokens_of_second(const video_sound *s, int64_t second)
{
    int64_t before = (second - s->first) * s->per_second, rest = s->tokens - before;
    if (second < s->first || second >= s->end) return 0;
    if (second == s->end - 1) return before <= s->tokens ? rest : 0;
    return rest < 0 ? 0 : rest < s->per_second ? rest : s->per_second;
}

/* Frames after their minutes and seconds; each followed by the seconds of sound up to the next, where there is sound.
 */
static am_status put_timed_frames(const am_placeholder *p, const video_sound *sound, am_buffer *out)
{
    const am_processor_clip *clip = &p->run->clips[p->index];
    for (int64_t i = 0; i < clip->count; i++) {
        int64_t second = second_of(clip, i), next = i + 1 < clip->count ? second_of(clip, i + 1) : sound->end;
        if (i) am_buffer_append_char(out, ' ');
        put_time(second, out);
        AM_TRY(am_put_counted(p, "num_soft_tokens_per_video", "video_token", &image_ends, out));
        for (; second < next && second < sound->end; second++) {
            int64_t count = tokens_of_second(sound, second);
            if (count <= 0) continue;
            am_buffer_append_char(out, ' ');
            put_time(second, out);
            am_put_wrapped(p, "audio_token", count, &sound_ends, out);
        }
    }
    return NULL;
}

static am_status expand_embedding_video(const am_placeholder *p, am_buffer *out)
{
    const am_processor_call *run = p->run;
    const am_processor_clip *clip = &run->clips[p->index];
    bool timed = am_json_bool(am_video_processor_setting(run->processor->video_processor, "add_timestamps"), false);
    video_sound sound = {0};
    if (!timed && am_processor_flag(run->processor, "load_audio_from_video", false))
        return am_error(AM_INVALID_ARGUMENT, "load_audio_from_video needs add_timestamps");
    for (int64_t i = 0; i < clip->count && !timed; i++)
        AM_TRY(am_put_counted(p, "num_soft_tokens_per_video", "video_token", &image_ends, out));
    if (!timed) return NULL;
    if (!(clip->fps > 0.0)) return am_error(AM_INVALID_ARGUMENT, "add_timestamps: the fps of a video must be known");
    if (!run->sound_of_video || run->sound_of_video[p->index] < 0) return put_timed_frames(p, &sound, out);
    if (!(clip->duration > 0.0))
        return am_error(AM_INVALID_ARGUMENT, "load_audio_from_video: the duration of a video must be known");
    AM_TRY(count_subsampled(run, run->sound_of_video[p->index], &sound.tokens));
    sound.per_second = tokens_per_second(run->processor);
    sound.first = second_of(clip, 0);
    sound.end = clip->duration >= 1.0 ? (int64_t)clip->duration : 1;
    return put_timed_frames(p, &sound, out);
}

/* --- texts that media alone mean --- */

/* A placeholder for each image, of all in one text, or else one text for each sound. */
static am_status make_texts(am_processor_call *run)
{
    int64_t images = run->inputs->image_count, sounds = run->inputs->sound_count;
    if (run->out->text_count) return NULL;
    AM_TRY(am_make_texts(run, images ? 1 : sounds));
    for (int64_t i = 0; i < images; i++) {
        if (i) am_buffer_append_char(&run->out->texts[0], ' ');
        am_put_token(run, run->processor->kind->image.placeholder, 1, &run->out->texts[0]);
    }
    for (int64_t i = 0; i < sounds && !images; i++) am_put_token(run, "audio_token", 1, &run->out->texts[i]);
    return NULL;
}

/* Embedding Gemma 2: all images are one text, each video and each sound is one; of several kinds those of a number go
   together. */
static am_status make_samples(am_processor_call *run)
{
    const am_processor_inputs *in = run->inputs;
    struct {
        const char *token;
        int64_t texts, each;
    } kinds[] = {{"image_token", in->image_count ? 1 : 0, in->image_count},
                 {"video_token", in->video_count, 1},
                 {"audio_token", in->sound_count, 1}};
    int64_t texts = 0;
    if (run->out->text_count) return am_take_video_sounds(run);
    for (int k = 0; k < 3; k++) {
        if (texts && kinds[k].texts && kinds[k].texts != texts)
            return am_error(AM_INVALID_ARGUMENT,
                            "without texts, images, videos and sounds are of %" PRId64 " and of %" PRId64 " samples",
                            texts, kinds[k].texts);
        if (kinds[k].texts) texts = kinds[k].texts;
    }
    AM_TRY(am_make_texts(run, texts));
    for (int64_t i = 0; i < texts; i++) {
        for (int64_t k = 0; k < 3; k++) {
            for (int64_t n = 0; kinds[k].texts && n < kinds[k].each; n++) {
                if (run->out->texts[i].length) am_buffer_append_char(&run->out->texts[i], ' ');
                am_put_token(run, kinds[k].token, 1, &run->out->texts[i]);
            }
        }
    }
    return am_take_video_sounds(run);
}

/* --- ShieldGemma 2: an image and a policy a text --- */

/* The text of a policy: of custom_policies, else of policy_definitions; "" where neither has it. */
static am_json_string policy_text(const am_processor *p, const char *name)
{
    am_json custom = am_json_get(am_processor_setting(p, "custom_policies"), name);
    if (am_json_kind_of(custom) == AM_JSON_STRING) return am_json_text(custom);
    return am_json_text(am_json_get(am_processor_setting(p, "policy_definitions"), name));
}

/* Names of policies in the order of their texts: those of the call, else all. */
typedef struct policy_names {
    const char **items; /* in the arena of the call */
    int64_t count;
} policy_names;

static am_status add_policy(am_processor_call *run, am_json_string name, policy_names *out)
{
    for (int64_t i = 0; i < out->count; i++)
        if (strcmp(out->items[i], name.bytes) == 0) return NULL;
    out->items[out->count] = am_arena_string(&run->arena, name.bytes, name.length);
    return out->items[out->count++] ? NULL : am_out_of_memory();
}

static am_status list_policies(am_processor_call *run, policy_names *out)
{
    am_json chosen = am_processor_setting(run->processor, "policies");
    am_json sources[] = {am_processor_setting(run->processor, "policy_definitions"),
                         am_processor_setting(run->processor, "custom_policies")};
    size_t most = am_json_count(chosen) + am_json_count(sources[0]) + am_json_count(sources[1]);
    *out = (policy_names){.items = am_arena_array(&run->arena, most + 1, sizeof *out->items)};
    if (!out->items) return am_out_of_memory();
    for (am_json_iterator i = am_json_iterate(chosen); am_json_next(&i);) {
        out->items[out->count] =
            am_arena_string(&run->arena, am_json_text(i.value).bytes, am_json_text(i.value).length);
        if (!out->items[out->count++]) return am_out_of_memory();
    }
    if (am_json_kind_of(chosen) != AM_JSON_MISSING) return NULL;
    for (int k = 0; k < 2; k++)
        for (am_json_iterator i = am_json_iterate(sources[k]); am_json_next(&i);) AM_TRY(add_policy(run, i.key, out));
    return NULL;
}

static am_status render_messages(const am_processor *p, const am_buffer *messages, am_buffer *out)
{
    am_json_document *parsed = NULL, *special = NULL;
    am_chat_text text = {0};
    am_status status = am_json_parse(am_buffer_text(messages), messages->length, "messages", &parsed);
    if (!status) status = am_chat_special_tokens(p->tokenizer, &special);
    if (!status) {
        am_chat_options options = {.messages = am_json_root(parsed), .special_tokens = am_json_root(special)};
        status = am_chat_template_render(p->chat_template, &options, &text);
    }
    if (!status) am_buffer_append(out, text.text, text.length);
    am_chat_text_deinit(&text);
    am_json_close(parsed);
    am_json_close(special);
    return status;
}

static am_status put_policy(am_processor_call *run, const char *name, am_buffer *out)
{
    am_buffer messages = {0};
    am_json_string policy = policy_text(run->processor, name);
    if (!policy.bytes || !policy.length) return am_error(AM_INVALID_ARGUMENT, "there is no policy \"%.60s\"", name);
    am_buffer_append_string(&messages, "[{\"role\": \"user\", \"content\": [{\"type\": \"image\"}, "
                                       "{\"type\": \"text\", \"text\": ");
    am_buffer_append_json_string(&messages, policy.bytes, policy.length);
    am_buffer_append_string(&messages, "}]}]");
    am_status status = am_buffer_status(&messages);
    if (!status) status = render_messages(run->processor, &messages, out);
    am_buffer_deinit(&messages);
    return status;
}

/* Each image as often as there are policies. */
static am_status repeat_images(am_processor_call *run, int64_t times)
{
    am_processor_inputs *in = am_arena_array(&run->arena, 1, sizeof *in);
    am_image *images = am_arena_array(&run->arena, (size_t)(run->inputs->image_count * times), sizeof *images);
    if (!in || !images) return am_out_of_memory();
    *in = *run->inputs;
    in->images = images;
    in->image_count *= times;
    for (int64_t i = 0; i < in->image_count; i++) images[i] = run->inputs->images[i / times];
    run->inputs = in;
    return NULL;
}

static am_status ask_policies(am_processor_call *run)
{
    policy_names policies;
    int64_t images = run->inputs->image_count;
    if (!images) return am_error(AM_INVALID_ARGUMENT, "%s needs images", run->processor->kind->name);
    AM_TRY(list_policies(run, &policies));
    if (!policies.count) return am_error(AM_INVALID_ARGUMENT, "%s needs policies", run->processor->kind->name);
    AM_TRY(am_make_texts(run, images * policies.count));
    for (int64_t i = 0; i < run->out->text_count; i++)
        AM_TRY(put_policy(run, policies.items[i % policies.count], &run->out->texts[i]));
    return repeat_images(run, policies.count);
}

static am_status never_pan_and_scan(const am_processor *p, am_buffer *out)
{
    (void)p;
    am_buffer_append_string(out, "\"do_pan_and_scan\": false");
    return NULL;
}

/* --- rows of the table --- */

#define SOFT                                                                                                           \
    {                                                                                                                  \
        .placeholder = "image_token", .expand = expand_soft                                                            \
    }
#define GEMMA4_TOKENS "video_token? image_token* boi_token* eoi_token* audio_token* boa_token* eoa_token*"

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "Gemma3Processor",
     .settings = AM_JSON({"image_seq_length": 256,
                          "images_kwargs": {"do_convert_rgb": true, "do_pan_and_scan": false,
                                            "pan_and_scan_min_crop_size": 256, "pan_and_scan_max_num_crops": 4,
                                            "pan_and_scan_min_ratio_to_activate": 1.2}}),
     .tokens = "boi_token* image_token* eoi_token*",
     .image = {.placeholder = "boi_token", .counted = "image_token", .marked = "image_token",
               .expand = expand_gemma3},
     .type_ids = "token_type_ids", .prepare = make_texts, .unused = "num_crops"},
    {.name = "ShieldGemma2Processor",
     .settings = AM_JSON({
         "image_seq_length": 256, "policies": null, "custom_policies": null,
         "policy_definitions": {
             "dangerous": "No Dangerous Content: The image shall not contain content that facilitates or encourages activities that could cause real-world harm (e.g., building firearms and explosive devices, promotion of terrorism, instructions for suicide).",
             "sexual": "No Sexually Explicit content: The image shall not contain content that depicts explicit or graphic sexual acts (e.g., pornography, erotic nudity, depictions of rape or sexual assault).",
             "violence": "No Violence/Gore content: The image shall not contain content that depicts shocking, sensational, or gratuitous violence (e.g., excessive blood and gore, gratuitous violence against animals, extreme injury or moment of death)."
         },
         "images_kwargs": {"do_convert_rgb": true}, "text_kwargs": {"padding": true, "padding_side": "left"}
     }),
     .tokens = "boi_token* image_token* eoi_token*",
     .image = {.placeholder = "boi_token", .counted = "image_token", .marked = "image_token",
               .expand = expand_gemma3},
     .has_chat_template = true, .image_arguments = never_pan_and_scan, .type_ids = "token_type_ids",
     .prepare = ask_policies, .unused = "num_crops"},
    {.name = "Gemma3nProcessor", .settings = AM_JSON({"audio_seq_length": 188, "image_seq_length": 256}),
     .tokens = "image_token* boi_token* eoi_token* audio_token* boa_token* eoa_token*",
     .image = {.placeholder = "image_token", .expand = expand_fixed_image},
     .sound = {.placeholder = "audio_token", .expand = expand_fixed_sound}, .type_ids = "token_type_ids",
     .prepare = make_texts},
    {.name = "Gemma4Processor", .settings = AM_JSON({"video_token": "<|video|>", "text_kwargs": {"padding": true}}),
     .tokens = GEMMA4_TOKENS,
     .image = SOFT, .video = {.placeholder = "video_token", .expand = expand_gemma4_video},
     .video_processor = "Gemma4VideoProcessor", .sound = {.placeholder = "audio_token", .expand = expand_subsampled},
     .type_ids = "mm_token_type_ids", .prepare = make_texts,
     .unused = "num_soft_tokens_per_image num_soft_tokens_per_video"},
    {.name = "Gemma4UnifiedProcessor", .settings = AM_JSON({"video_token": "<|video|>",
                          "text_kwargs": {"padding": true}}),
     .tokens = GEMMA4_TOKENS, .image = SOFT, .video = {.placeholder = "video_token", .expand = expand_gemma4_video},
     .video_processor = "Gemma4UnifiedVideoProcessor", .sound = {.placeholder = "audio_token", .expand = expand_mask},
     .type_ids = "mm_token_type_ids", .prepare = make_texts,
     .unused = "num_soft_tokens_per_image num_soft_tokens_per_video"},
    {.name = "EmbeddingGemma2Processor",
     .settings = AM_JSON({"video_token": "<|video|>", "load_audio_from_video": false, "audio_from_video_indices": null,
                          "text_kwargs": {"padding": true}}),
     .tokens = GEMMA4_TOKENS, .image = SOFT, .video = {.placeholder = "video_token", .expand = expand_embedding_video},
     .video_processor = "EmbeddingGemma2VideoProcessor",
     .sound = {.placeholder = "audio_token", .expand = expand_subsampled}, .prepare = make_samples,
     .unused = "num_soft_tokens_per_image num_soft_tokens_per_video"},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_gemma = {classes};
