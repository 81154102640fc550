/* ProcessorMixin.__call__: prepare texts, process media, expand placeholders, encode. */
#include "base/memory.h"
#include "base/utf8.h"
#include "media/preprocessor_config.h"
#include "processors/class.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <string.h>

/* --- tokens and texts --- */

am_text am_token_text(const am_processor_call *run, const char *name)
{
    const am_processor_token *token = am_processor_find_token(run->processor, name);
    return token ? token->text : (am_text){"", 0};
}

const char *am_special_text(am_processor_call *run, const char *name)
{
    am_text text = am_tokenizer_special_token(run->processor->tokenizer, name);
    const char *copy = text.length ? am_arena_string(&run->arena, text.bytes, text.length) : "";
    return copy ? copy : "";
}

void am_put_token(const am_processor_call *run, const char *name, int64_t times, am_buffer *out)
{
    am_text text = am_token_text(run, name);
    for (int64_t i = 0; i < times && !out->failed; i++) am_buffer_append(out, text.bytes, text.length);
}

void am_set_text(am_processor_call *run, int64_t text, am_buffer *from)
{
    am_buffer_deinit(&run->out->texts[text]);
    run->out->texts[text] = *from;
    *from = (am_buffer){0};
}

static void free_texts(am_processed *out)
{
    for (int64_t i = 0; i < out->text_count; i++) am_buffer_deinit(&out->texts[i]);
    am_free(out->texts);
    out->texts = NULL;
    out->text_count = 0;
}

am_status am_make_texts(am_processor_call *run, int64_t count)
{
    free_texts(run->out);
    run->out->texts = am_alloc_zeroed(count ? (size_t)count : 1, sizeof *run->out->texts);
    if (!run->out->texts) return am_out_of_memory();
    run->out->text_count = count;
    return NULL;
}

am_status am_format_texts(am_processor_call *run, const char *before, const char *after)
{
    for (int64_t i = 0; i < run->out->text_count; i++) {
        am_buffer text = {0};
        am_buffer_append_string(&text, before);
        am_buffer_append(&text, am_buffer_text(&run->out->texts[i]), run->out->texts[i].length);
        am_buffer_append_string(&text, after);
        am_set_text(run, i, &text);
        AM_TRY(am_buffer_status(&run->out->texts[i]));
    }
    return NULL;
}

static am_status take_texts(am_processor_call *run)
{
    AM_TRY(am_make_texts(run, run->inputs->text_count));
    for (int64_t i = 0; i < run->out->text_count; i++) {
        const am_text *text = &run->inputs->texts[i];
        size_t bad;
        if (!am_utf8_valid(text->bytes, text->length, &bad))
            return am_error(AM_INVALID_ARGUMENT, "text %" PRId64 ": not UTF-8 at byte %zu", i, bad);
        am_buffer_append(&run->out->texts[i], text->bytes, text->length);
    }
    return NULL;
}

/* --- placeholders --- */

static bool stands_at(const am_buffer *text, size_t at, am_text what)
{
    return what.length && what.length <= text->length - at && memcmp(text->bytes + at, what.bytes, what.length) == 0;
}

int64_t am_count_text(const am_buffer *text, am_text what)
{
    int64_t count = 0;
    for (size_t at = 0; at < text->length; at++) {
        if (!stands_at(text, at, what)) continue;
        count++;
        at += what.length - 1;
    }
    return count;
}

am_status am_replace_in_texts(am_processor_call *run, am_text what,
                              am_status (*put)(const am_processor_call *run, int64_t index, am_buffer *out))
{
    int64_t index = 0;
    am_status status = NULL;
    for (int64_t i = 0; i < run->out->text_count && !status; i++) {
        const am_buffer *in = &run->out->texts[i];
        am_buffer text = {0};
        for (size_t at = 0; at < in->length && !status;) {
            if (!stands_at(in, at, what)) {
                am_buffer_append_char(&text, in->bytes[at++]);
                continue;
            }
            status = put(run, index++, &text);
            at += what.length;
        }
        am_set_text(run, i, &text);
        if (!status) status = am_buffer_status(&run->out->texts[i]);
    }
    return status;
}

static am_text placeholder_of(const am_processor_call *run, const am_modality *modality)
{
    return modality->placeholder ? am_token_text(run, modality->placeholder) : (am_text){0};
}

static am_status check_taken(const am_processor_call *run, const am_modality *modality, int64_t media, const char *what)
{
    if (!media || modality->placeholder || modality->alone) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "%s takes no %s", run->processor->kind->name, what);
}

/* Texts are there, or media that do without. */
static am_status check_texts(const am_processor_call *run)
{
    const am_processor_class *kind = run->processor->kind;
    const am_processor_inputs *in = run->inputs;
    bool any_alone = (kind->image.alone && in->image_count) || (kind->video.alone && in->video_count) ||
                     (kind->sound.alone && in->sound_count);
    AM_TRY(check_taken(run, &kind->image, in->image_count, "images"));
    AM_TRY(check_taken(run, &kind->video, in->video_count, "videos"));
    AM_TRY(check_taken(run, &kind->sound, in->sound_count, "sounds"));
    if (run->out->text_count && kind->without_texts)
        return am_error(AM_INVALID_ARGUMENT, "%s takes no texts", kind->name);
    if (run->out->text_count || any_alone) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "%s needs a text", kind->name);
}

/* validate_inputs: as many placeholders as media. */
static am_status check_count(const am_processor_call *run, const am_modality *modality, int64_t media, const char *what)
{
    int64_t found = 0;
    am_text text = placeholder_of(run, modality);
    for (int64_t i = 0; i < run->out->text_count; i++) found += am_count_text(&run->out->texts[i], text);
    if (!modality->placeholder || !modality->expand || found == media) return NULL;
    return am_error(AM_INVALID_ARGUMENT, "the texts have %" PRId64 " times \"%.*s\", but %" PRId64 " %s are given",
                    found, (int)text.length, text.bytes, media, what);
}

/* Placeholders of videos where none are taken must not pass as text. */
static am_status check_videos(am_processor_call *run)
{
    const am_processor *p = run->processor;
    if (p->video_processor) return check_count(run, &p->kind->video, run->inputs->video_count, "videos");
    if (run->inputs->video_count) return am_error(AM_INVALID_ARGUMENT, "%s takes no videos here", p->kind->name);
    if (!run->out->text_count) return NULL;
    am_text token = am_tokenizer_special_token(run->processor->tokenizer, "video_token");
    am_json_string setting = am_json_text(am_processor_setting(run->processor, "video_token"));
    if (!token.length) token = (am_text){setting.bytes, setting.length};
    for (int64_t i = 0; i < run->out->text_count; i++)
        if (am_count_text(&run->out->texts[i], token))
            return am_error(AM_UNSUPPORTED, "%s: text %" PRId64 " has \"%.*s\", but videos are not taken",
                            run->processor->kind->name, i, (int)token.length, token.bytes);
    return NULL;
}

static am_status assign_images(am_processor_call *run)
{
    int64_t texts = run->out->text_count, first = 0;
    am_text text = placeholder_of(run, &run->processor->kind->image);
    run->image_of_text = am_arena_array(&run->arena, (size_t)texts + 1, sizeof *run->image_of_text);
    if (!run->image_of_text) return am_out_of_memory();
    for (int64_t i = 0; i < texts; i++) {
        run->image_of_text[i] = first;
        first += am_count_text(&run->out->texts[i], text);
    }
    run->image_of_text[texts] = first;
    return NULL;
}

/* Images, videos and sounds. */
enum { KINDS = 3 };

/* What is expanded of a kind of media in this call; {null, 0}: nothing. */
static am_text expanded_place(const am_processor_call *run, const am_modality *modality, int64_t media)
{
    return modality->expand && media ? placeholder_of(run, modality) : (am_text){0};
}

/* get_text_with_replacements of one text; `next` holds the index of the next image, video and sound. */
static am_status expand_text(const am_processor_call *run, int64_t text, int64_t next[KINDS], am_buffer *out)
{
    const am_buffer *in = &run->out->texts[text];
    const am_processor_class *kind = run->processor->kind;
    const am_modality *modalities[KINDS] = {&kind->image, &kind->video, &kind->sound};
    am_text places[KINDS] = {expanded_place(run, &kind->image, run->inputs->image_count),
                             expanded_place(run, &kind->video, run->inputs->video_count),
                             expanded_place(run, &kind->sound, run->inputs->sound_count)};
    int64_t first[KINDS] = {next[0], next[1], next[2]};
    am_status status = NULL;
    for (size_t at = 0; at < in->length && !status;) {
        int which = 0;
        while (which < KINDS && !stands_at(in, at, places[which])) which++;
        if (which == KINDS) {
            am_buffer_append_char(out, in->bytes[at++]);
            continue;
        }
        bool nested = which == 0 && kind->nests_images;
        const am_media_tensors *media[KINDS] = {run->images ? &run->images[nested ? text : 0] : NULL, &run->videos,
                                                &run->sounds};
        am_placeholder p = {.run = run, .index = next[which], .text = text, .place = next[which] - first[which]};
        if (which == KINDS - 1 && run->own_sounds) p.index = run->own_sounds[p.index];
        p.media = media[which];
        p.row = nested ? p.place : p.index;
        status = modalities[which]->expand(&p, out);
        next[which]++;
        at += places[which].length;
    }
    return status ? status : am_buffer_status(out);
}

static am_status expand_texts(am_processor_call *run)
{
    int64_t next[KINDS] = {0};
    for (int64_t i = 0; i < run->out->text_count; i++) {
        am_buffer expanded = {0};
        am_status status = expand_text(run, i, next, &expanded);
        am_set_text(run, i, &expanded);
        if (status) return status;
    }
    return NULL;
}

/* --- media --- */

static am_status process_images(am_processor_call *run)
{
    const am_processor *p = run->processor;
    bool nested = p->kind->nests_images && run->out->text_count > 0;
    run->samples = nested ? run->out->text_count : 1;
    run->images = am_arena_array(&run->arena, (size_t)run->samples, sizeof *run->images);
    if (!run->images) return am_out_of_memory();
    for (int64_t i = 0; i < run->samples; i++) {
        am_image_inputs inputs = {.images = run->inputs->images, .count = run->inputs->image_count};
        if (nested) {
            inputs.images += run->image_of_text[i];
            inputs.count = run->image_of_text[i + 1] - run->image_of_text[i];
        }
        if (inputs.count) AM_TRY(am_image_processor_run(p->image_processor, &inputs, &run->images[i]));
    }
    return NULL;
}

static am_status process_videos(am_processor_call *run)
{
    const am_processor_inputs *in = run->inputs;
    const am_video_processor *videos = run->processor->video_processor;
    am_video_options options = {0};
    run->clips = am_arena_array(&run->arena, (size_t)in->video_count, sizeof *run->clips);
    if (!run->clips) return am_out_of_memory();
    for (int64_t i = 0; i < in->video_count; i++) {
        int64_t *frames, count;
        const am_video *video = &in->videos[i];
        AM_TRY(am_video_processor_select(videos, video, &options, &frames, &count));
        am_processor_clip *clip = &run->clips[i];
        *clip = (am_processor_clip){am_arena_array(&run->arena, (size_t)count, sizeof *frames), count, video->count,
                                    video->fps, video->duration};
        if (clip->frames) memcpy(clip->frames, frames, (size_t)count * sizeof *frames);
        am_free(frames);
        if (!clip->frames) return am_out_of_memory();
    }
    return am_video_processor_run(videos, in->videos, in->video_count, &options, &run->videos);
}

static am_choice choice_of(am_json value)
{
    if (am_json_kind_of(value) != AM_JSON_BOOL) return AM_CHOICE_DEFAULT;
    return am_json_bool(value, false) ? AM_CHOICE_YES : AM_CHOICE_NO;
}

static am_feature_padding feature_padding(am_json value)
{
    if (am_json_kind_of(value) == AM_JSON_BOOL)
        return am_json_bool(value, false) ? AM_PADDING_LONGEST : AM_PADDING_NONE;
    if (am_json_equals(value, "longest")) return AM_PADDING_LONGEST;
    return am_json_equals(value, "max_length") ? AM_PADDING_MAX_LENGTH : AM_PADDING_DEFAULT;
}

static am_status add_feature(am_processor_call *run, am_feature *feature)
{
    am_tensor *to;
    AM_TRY(am_media_tensors_add_list(&run->sounds, feature->name, 1, &to));
    run->sounds.items[run->sounds.count - 1].is_list = false;
    *to = feature->tensor;
    feature->tensor.data = NULL;
    return NULL;
}

am_status am_processor_extract_sounds(am_processor_call *run, const am_audio *sounds, int64_t count)
{
    const am_processor *p = run->processor;
    am_features made = {0};
    am_feature_options options = {
        .padding = feature_padding(am_processor_kwarg(p, "audio_kwargs", "padding")),
        .truncation = choice_of(am_processor_kwarg(p, "audio_kwargs", "truncation")),
        .return_attention_mask = choice_of(am_processor_kwarg(p, "audio_kwargs", "return_attention_mask")),
        .max_length = am_json_int(am_processor_kwarg(p, "audio_kwargs", "max_length"), 0),
        .pad_to_multiple_of = am_json_int(am_processor_kwarg(p, "audio_kwargs", "pad_to_multiple_of"), 0),
    };
    am_status status = am_feature_extractor_run(&p->feature_extractor, sounds, count, &options, &made);
    for (int i = 0; i < made.count && !status; i++) status = add_feature(run, &made.items[i]);
    am_features_deinit(&made);
    return status;
}

am_status am_processor_extract(am_processor_call *run)
{
    return am_processor_extract_sounds(run, run->inputs->sounds, run->inputs->sound_count);
}

/* --- outputs of media --- */

bool am_is_listed(const char *names, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = names; at && *at; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == length && memcmp(at, name, length) == 0) return true;
    return false;
}

/* Moves what is not left out; a name that is there already keeps its place. */
static am_status move_outputs(am_processor_call *run, am_media_tensors *from)
{
    am_media_tensors *to = &run->out->tensors;
    for (int i = 0; i < from->count; i++) {
        am_media_output *item = &from->items[i];
        if (am_is_listed(run->processor->kind->unused, item->name)) continue;
        am_media_drop(to, item->name);
        if (to->count == AM_MEDIA_TENSORS) return am_error(AM_INTERNAL, "more than %d outputs", AM_MEDIA_TENSORS);
        to->items[to->count++] = *item;
        *item = (am_media_output){0};
    }
    return NULL;
}

/* Copies x to row `row` of a larger tensor, whose other dimensions are at least those of x. */
static void copy_into(const am_tensor *x, const am_tensor *to, int64_t row)
{
    size_t bytes = am_dtype_bytes(x->dtype);
    int rank = x->shape.rank;
    int64_t last = x->shape.dims[rank - 1], runs = last ? am_shape_count(&x->shape) / last : 0;
    for (int64_t i = 0; i < runs; i++) {
        int64_t rest = i, place = 0, step = 1;
        for (int d = rank - 1; d >= 0; d--) {
            int64_t at = d == rank - 1 ? 0 : rest % x->shape.dims[d];
            if (d < rank - 1) rest /= x->shape.dims[d];
            place += (d ? at : at + row) * step;
            step *= to->shape.dims[d];
        }
        memcpy((char *)to->data + (size_t)place * bytes, (const char *)x->data + (size_t)(i * last) * bytes,
               (size_t)last * bytes);
    }
}

/* An output of all samples, one after another, with 0 where one is smaller than others. */
static am_status stack(am_processor_call *run, const char *name)
{
    am_shape shape = {0};
    am_tensor *made;
    am_dtype dtype = AM_F32;
    for (int64_t i = 0; i < run->samples; i++) {
        const am_media_output *item = am_media_tensors_find(&run->images[i], name);
        if (!item) {
            if (shape.rank) shape.dims[0]++;
            continue;
        }
        const am_shape *s = &item->tensors[0].shape;
        int64_t rows = (shape.rank ? shape.dims[0] : i) + s->dims[0];
        if (!shape.rank) shape = *s;
        for (int d = 1; d < s->rank && d < shape.rank; d++)
            if (s->dims[d] > shape.dims[d]) shape.dims[d] = s->dims[d];
        shape.dims[0] = rows;
        dtype = item->tensors[0].dtype;
    }
    AM_TRY(am_media_tensors_add(&run->out->tensors, name, dtype, &shape, &made));
    for (int64_t i = 0, row = 0; i < run->samples; i++) {
        const am_media_output *item = am_media_tensors_find(&run->images[i], name);
        if (item) copy_into(&item->tensors[0], made, row);
        row += item ? item->tensors[0].shape.dims[0] : 1;
    }
    return NULL;
}

static am_status move_images(am_processor_call *run)
{
    if (run->samples == 1) return move_outputs(run, &run->images[0]);
    for (int64_t i = 0; i < run->samples; i++) {
        for (int k = 0; k < run->images[i].count; k++) {
            const char *name = run->images[i].items[k].name;
            if (am_is_listed(run->processor->kind->unused, name)) continue;
            if (!am_media_tensors_find(&run->out->tensors, name)) AM_TRY(stack(run, name));
        }
    }
    return NULL;
}

/* --- */

static am_status encode(am_processor_call *run)
{
    const am_processor_class *kind = run->processor->kind;
    if (!run->out->text_count) return NULL;
    AM_TRY(kind->encode ? kind->encode(run) : am_processor_encode(run));
    AM_TRY(am_processor_check_ids(run, &kind->image));
    AM_TRY(am_processor_check_ids(run, &kind->video));
    AM_TRY(am_processor_check_ids(run, &kind->sound));
    return kind->type_ids ? am_processor_mark_ids(run) : NULL;
}

static am_status process(am_processor_call *run)
{
    const am_processor_class *kind = run->processor->kind;
    AM_TRY(take_texts(run));
    if (kind->prepare) AM_TRY(kind->prepare(run));
    const am_processor_inputs *in = run->inputs; /* as prepared */
    AM_TRY(check_texts(run));
    AM_TRY(check_count(run, &kind->image, in->image_count, "images"));
    AM_TRY(check_count(run, &kind->sound, run->own_sounds ? run->own_sound_count : in->sound_count, "sounds"));
    AM_TRY(check_videos(run));
    AM_TRY(assign_images(run));
    if (in->image_count) AM_TRY(process_images(run));
    if (in->video_count) AM_TRY(process_videos(run));
    if (in->sound_count) AM_TRY(kind->extract ? kind->extract(run) : am_processor_extract(run));
    AM_TRY(expand_texts(run));
    AM_TRY(encode(run));
    if (in->image_count) AM_TRY(move_images(run));
    if (in->video_count) AM_TRY(move_outputs(run, &run->videos));
    if (in->sound_count) AM_TRY(move_outputs(run, &run->sounds));
    return kind->finish ? kind->finish(run) : NULL;
}

am_status am_processor_run(const am_processor *processor, const am_processor_inputs *inputs, am_processed *out)
{
    *out = (am_processed){0};
    am_processor_call run = {.processor = processor, .inputs = inputs, .out = out};
    am_status status = process(&run);
    for (int64_t i = 0; i < run.samples && run.images; i++) am_media_tensors_deinit(&run.images[i]);
    am_media_tensors_deinit(&run.videos);
    am_media_tensors_deinit(&run.sounds);
    am_arena_deinit(&run.arena);
    return status;
}

void am_processed_deinit(am_processed *processed)
{
    free_texts(processed);
    am_media_tensors_deinit(&processed->tensors);
    *processed = (am_processed){0};
}
