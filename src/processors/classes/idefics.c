/* Idefics and what came of it: tiles of an image in rows that are named, then all of it. */
#include "processors/rules.h"
#include "tensor/shape.h"

#include <inttypes.h>
#include <string.h>

/* Rows and columns of an image among those of its text. */
static am_status read_grid(const am_placeholder *p, int64_t *rows, int64_t *columns)
{
    AM_TRY(am_media_number(p->media, "rows", 0, p->row, rows));
    return am_media_number(p->media, "cols", 0, p->row, columns);
}

static void put_tiles(const am_placeholder *p, int64_t rows, int64_t columns, int64_t length, am_buffer *out)
{
    for (int64_t y = 0; y < rows; y++) {
        for (int64_t x = 0; x < columns; x++) {
            am_put_token(p->run, "fake_image_token", 1, out);
            am_buffer_printf(out, "<row_%" PRId64 "_col_%" PRId64 ">", y + 1, x + 1);
            am_put_token(p->run, "image_token", length, out);
        }
        am_buffer_append_char(out, '\n');
    }
}

static void put_whole(const am_placeholder *p, int64_t length, am_buffer *out)
{
    am_put_token(p->run, "fake_image_token", 1, out);
    am_put_token(p->run, "global_image_token", 1, out);
    am_put_token(p->run, "image_token", length, out);
    am_put_token(p->run, "fake_image_token", 1, out);
}

static am_status expand_idefics3(const am_placeholder *p, am_buffer *out)
{
    int64_t rows, columns, length;
    AM_TRY(read_grid(p, &rows, &columns));
    AM_TRY(am_processor_integer(p->run->processor, "image_seq_len", &length));
    put_tiles(p, rows, columns, length, out);
    if (rows || columns) am_buffer_append_char(out, '\n');
    put_whole(p, length, out);
    return NULL;
}

static am_status expand_docling(const am_placeholder *p, am_buffer *out)
{
    int64_t rows, columns, length;
    AM_TRY(read_grid(p, &rows, &columns));
    AM_TRY(am_processor_integer(p->run->processor, "image_seq_len", &length));
    if (am_media_tensors_find(p->media, "tile_fine_mask")) length *= 4;
    put_tiles(p, rows, columns, length, out);
    if (rows * columns <= 1) return NULL;
    am_buffer_append_char(out, '\n');
    put_whole(p, length, out);
    return NULL;
}

/* --- SmolVLM --- */

static const char *const small_numbers[] = {
    "zero", "one",    "two",    "three",    "four",     "five",    "six",     "seven",     "eight",    "nine",
    "ten",  "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"",      "",      "twenty",  "thirty", "forty",
                                   "fifty", "sixty", "seventy", "eighty", "ninety"};

static void put_below_thousand(int64_t number, am_buffer *out)
{
    if (number >= 100) am_buffer_printf(out, "%s hundred%s", small_numbers[number / 100], number % 100 ? " and " : "");
    if (number >= 100 && number % 100 == 0) return;
    number %= 100;
    if (number < 20) am_buffer_append_string(out, small_numbers[number]);
    else if (number % 10) am_buffer_printf(out, "%s-%s", tens[number / 10], small_numbers[number % 10]);
    else am_buffer_append_string(out, tens[number / 10]);
}

/* num2words of a number below 10^9: "one thousand, two hundred and three". */
static void put_words(int64_t number, am_buffer *out)
{
    static const char *const units[] = {" million", " thousand"};
    int64_t unit = 1000000, rest = number;
    for (int i = 0; i < 2; i++, unit /= 1000) {
        if (rest < unit) continue;
        put_below_thousand(rest / unit, out);
        am_buffer_append_string(out, units[i]);
        rest %= unit;
        if (rest) am_buffer_append_string(out, rest < 100 ? " and " : ", ");
    }
    if (rest || !number) put_below_thousand(rest, out);
}

/* str(timedelta) */
static void put_duration(int64_t seconds, am_buffer *out)
{
    int64_t days = seconds / 86400;
    if (days) am_buffer_printf(out, "%" PRId64 " day%s, ", days, days == 1 ? "" : "s");
    am_buffer_printf(out, "%" PRId64 ":%02d:%02d", seconds % 86400 / 3600, (int)(seconds / 60 % 60),
                     (int)(seconds % 60));
}

/* Each frame after its minutes and seconds. The number of frames that is told is that of the longest video. */
static am_status expand_smolvlm_video(const am_placeholder *p, am_buffer *out)
{
    const am_processor_clip *clip = &p->run->clips[p->index];
    double last = am_clip_seconds(clip, clip->count - 1);
    int64_t length;
    am_shape pixels;
    AM_TRY(am_processor_integer(p->run->processor, "image_seq_len", &length));
    AM_TRY(am_media_shape(p->media, "pixel_values", p->row, &pixels));
    if (pixels.rank != 5) return am_error(AM_INVALID_ARGUMENT, "videos that differ in frames or sizes need do_pad");
    am_buffer_append_string(out, "You are provided the following series of ");
    put_words(pixels.dims[1], out);
    am_buffer_append_string(out, " frames from a ");
    put_duration((int64_t)(clip->duration > 0.0 ? clip->duration : last), out);
    am_buffer_append_string(out, " [H:MM:SS] video.\n");
    for (int64_t i = 0; i < clip->count; i++) {
        int64_t seconds = (int64_t)am_clip_seconds(clip, i);
        am_buffer_printf(out, "\nFrame from %02" PRId64 ":%02d:", seconds / 60, (int)(seconds % 60));
        put_whole(p, length, out);
    }
    am_buffer_append_string(out, "\n\n");
    return NULL;
}

/* --- Idefics 2 --- */

static am_status expand_idefics2(const am_placeholder *p, am_buffer *out)
{
    const am_processor *processor = p->run->processor;
    int64_t length;
    bool splits = am_json_bool(am_image_setting(processor->image_processor, "do_image_splitting"), false);
    AM_TRY(am_processor_integer(processor, "image_seq_len", &length));
    am_put_token(p->run, "fake_image_token", 1, out);
    for (int i = 0; i < (splits ? 5 : 1); i++) {
        am_put_token(p->run, "image_token", length, out);
        am_put_token(p->run, "fake_image_token", 1, out);
    }
    return NULL;
}

/* Between images there is one fake token, and one before a word is followed by a blank. */
static am_status tidy_fake_tokens(am_processor_call *run)
{
    am_text fake = am_token_text(run, "fake_image_token");
    for (int64_t i = 0; i < run->out->text_count; i++) {
        const char *at = am_buffer_text(&run->out->texts[i]), *end = at + run->out->texts[i].length;
        am_buffer text = {0};
        while (at < end) {
            bool is_fake = (size_t)(end - at) >= fake.length && memcmp(at, fake.bytes, fake.length) == 0;
            if (!is_fake) {
                am_buffer_append_char(&text, *at++);
                continue;
            }
            am_buffer_append(&text, fake.bytes, fake.length);
            at += fake.length;
            if ((size_t)(end - at) >= fake.length && memcmp(at, fake.bytes, fake.length) == 0) at += fake.length;
            if (at < end && !strchr(" \t\n\r\v\f<", *at)) am_buffer_append_char(&text, ' ');
        }
        am_set_text(run, i, &text);
    }
    return am_processor_encode(run);
}

/* --- Idefics --- */

/* bos_token, the image of the text where there are any, the text without blanks around it. */
static am_status put_idefics_images(am_processor_call *run)
{
    const char *bos = am_special_text(run, "bos_token"), *eos = am_special_text(run, "eos_token");
    int64_t texts = run->out->text_count, images = run->inputs->image_count;
    if (images ? images != texts : texts > 1)
        return am_error(AM_INVALID_ARGUMENT,
                        "%" PRId64 " texts and %" PRId64 " images; expected an image for each, or one text", texts,
                        images);
    for (int64_t i = 0; i < texts; i++) {
        const char *begin = am_buffer_text(&run->out->texts[i]), *end = begin + run->out->texts[i].length;
        am_buffer text = {0};
        while (begin < end && *begin == ' ') begin++;
        while (begin < end && end[-1] == ' ') end--;
        am_buffer_append_string(&text, bos);
        if (images) am_put_token(run, "fake_image_token", 1, &text);
        if (images) am_put_token(run, "image_token", 1, &text);
        if (images) am_put_token(run, "fake_image_token", 1, &text);
        am_buffer_append(&text, begin, (size_t)(end - begin));
        if (am_processor_flag(run->processor, "add_eos_token", false)) am_buffer_append_string(&text, eos);
        am_set_text(run, i, &text);
    }
    return NULL;
}

/* Pixels of 0 where there are no images. */
static am_status give_idefics_pixels(am_processor_call *run)
{
    int64_t size;
    am_tensor *pixels;
    const am_media_output *made = am_media_tensors_find(&run->out->tensors, "pixel_values");
    if (made && !made->is_list) {
        const int64_t *dims = made->tensors[0].shape.dims;
        made->tensors[0].shape = am_shape_of(dims[0], 1, dims[1], dims[2], dims[3]);
        return NULL;
    }
    AM_TRY(am_processor_image_integer(run->processor, "image_size", &size));
    am_shape shape = am_shape_of(run->out->text_count, 1, 3, size, size);
    return am_media_tensors_add(&run->out->tensors, "pixel_values", AM_F32, &shape, &pixels);
}

/* image_attention_mask, [texts, T, 1]: tokens from the image on, up to the end of the text, see it. */
static am_status give_idefics_mask(am_processor_call *run)
{
    const am_tensor *ids;
    am_tensor *mask;
    const am_processor_token *image = am_processor_find_token(run->processor, "image_token");
    bool any = run->inputs->image_count > 0;
    int32_t eos = am_tokenizer_token_to_id(run->processor->tokenizer,
                                           am_tokenizer_special_token(run->processor->tokenizer, "eos_token"));
    AM_TRY(am_media_tensors_get(&run->out->tensors, "input_ids", &ids));
    int64_t texts = ids->shape.dims[0], T = ids->shape.dims[1];
    am_shape shape = am_shape_of(texts, T, 1);
    AM_TRY(am_media_tensors_add(&run->out->tensors, "image_attention_mask", any ? AM_I64 : AM_BOOL, &shape, &mask));
    for (int64_t i = 0; i < texts && any; i++) {
        const int64_t *row = (const int64_t *)ids->data + i * T;
        int64_t seen = 0;
        bool ended = false;
        for (int64_t k = 0; k < T; k++) {
            if (row[k] == image->id) ended = false;
            seen += row[k] == image->id;
            ((int64_t *)mask->data)[i * T + k] = seen == 1 && !ended;
            ended = ended || row[k] == eos;
        }
    }
    return give_idefics_pixels(run);
}

/* --- rows of the table --- */

#define IMAGE(rule)                                                                                                    \
    {                                                                                                                  \
        .placeholder = "image_token", .expand = rule                                                                   \
    }

/* clang-format off */
static const am_processor_class classes[] = {
    {.name = "IdeficsProcessor",
     .settings = AM_JSON({"add_eos_token": false, "image_token": "<image>",
                          "fake_image_token": "<fake_token_around_image>",
                          "text_kwargs": {"add_special_tokens": false, "padding": "longest"}}),
     .tokens = "image_token* fake_image_token", .image = {.placeholder = "image_token"},
     .prepare = put_idefics_images, .finish = give_idefics_mask},
    {.name = "Idefics2Processor",
     .settings = AM_JSON({"image_seq_len": 64, "image_token": "<image>",
                          "fake_image_token": "<fake_token_around_image>"}),
     .tokens = "image_token* fake_image_token", .nests_images = true, .image = IMAGE(expand_idefics2),
     .encode = tidy_fake_tokens},
    {.name = "Idefics3Processor",
     .settings = AM_JSON({"image_seq_len": 169, "image_token": "<image>",
                          "fake_image_token": "<fake_token_around_image>", "global_image_token": "<global-img>",
                          "images_kwargs": {"return_row_col_info": true}}),
     .tokens = "image_token fake_image_token global_image_token?", .nests_images = true,
     .image = IMAGE(expand_idefics3), .unused = "rows cols"},
    {.name = "ColModernVBertProcessor",
     .settings = AM_JSON({"image_seq_len": 64, "image_token": "<image>",
                          "fake_image_token": "<fake_token_around_image>", "global_image_token": "<global-img>",
                          "images_kwargs": {"return_row_col_info": true}, "text_kwargs": {"padding": "longest"}}),
     .tokens = "image_token fake_image_token global_image_token?", .nests_images = true,
     .image = IMAGE(expand_idefics3), .unused = "rows cols"},
    {.name = "SmolVLMProcessor",
     .settings = AM_JSON({"image_seq_len": 169, "image_token": "<image>", "video_token": "<video>",
                          "fake_image_token": "<fake_token_around_image>", "global_image_token": "<global-img>",
                          "images_kwargs": {"return_row_col_info": true}}),
     .tokens = "image_token* fake_image_token* global_image_token*? video_token*?", .nests_images = true,
     .image = IMAGE(expand_idefics3), .video = {.placeholder = "video_token", .expand = expand_smolvlm_video},
     .video_processor = "SmolVLMVideoProcessor", .unused = "rows cols"},
    {.name = "GraniteDoclingProcessor",
     .settings = AM_JSON({"image_seq_len": 64, "image_token": "<image>",
                          "fake_image_token": "<fake_token_around_image>", "global_image_token": "<global-img>"}),
     .tokens = "image_token* fake_image_token global_image_token?", .nests_images = true,
     .image = IMAGE(expand_docling), .unused = "rows cols"},
    {0},
};
/* clang-format on */

const am_processor_family am_processor_family_idefics = {classes};
