/* What ends in text: lines that PP-OCR reads, the structure of tables that SLANeXt reads. */
#include "media/images/processor.h"
#include "media/post_processing/methods.h"
#include "media/post_processing/values.h"

#include "tensor/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The likeliest of each step's classes. */
typedef struct reading {
    int64_t steps, classes;
    const float *chances; /* [steps, classes] */
    int64_t *best;        /* [steps] */
} reading;

static am_status read_image(const am_post_run *run, const am_tensor *chances, int64_t image, reading *out)
{
    const int64_t *dims = chances->shape.dims;
    *out = (reading){.steps = dims[1], .classes = dims[2]};
    if (dims[1] < 1 || dims[2] < 1)
        return am_error(AM_INVALID_ARGUMENT, "last_hidden_state: expected steps and classes");
    out->chances = am_post_floats(chances) + image * dims[1] * dims[2];
    AM_TRY(am_post_integer_array(run, dims[1], 1, &out->best));
    for (int64_t i = 0; i < dims[1]; i++) out->best[i] = am_post_largest(out->chances + i * dims[2], dims[2]);
    return NULL;
}

static float chance_of(const reading *r, int64_t step)
{
    return r->chances[step * r->classes + r->best[step]];
}

static am_status give_mean(am_post_run *run, am_post_item *item, const char *name, double sum, int64_t count)
{
    am_tensor *tensor;
    am_shape shape = {0};
    AM_TRY(am_post_add_field(run, item, name, AM_F32, &shape, &tensor));
    *(float *)tensor->data = (float)(sum / (double)count);
    return NULL;
}

static am_status make_text(am_post_run *run, const char *bytes, size_t length, am_tensor *out)
{
    am_shape shape = am_shape_of((int64_t)length);
    AM_TRY(am_post_alloc(run, AM_U8, &shape, out));
    memcpy(out->data, bytes, length);
    return NULL;
}

/* --- PP-OCR --- */

/* character_list of the configuration, a list of texts or a text of which each character is one. */
typedef struct alphabet {
    am_json_string *characters;
    int64_t count;
} alphabet;

static size_t character_bytes(const char *at)
{
    unsigned char first = (unsigned char)*at;
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static am_status read_alphabet(const am_post_run *run, alphabet *out)
{
    am_json list = am_image_setting(run->processor, "character_list");
    am_json_string text = am_json_text(list);
    size_t room = am_json_kind_of(list) == AM_JSON_STRING ? text.length : am_json_count(list);
    *out = (alphabet){am_arena_array(run->scratch, room + 1, sizeof *out->characters), 0};
    if (!out->characters) return am_out_of_memory();
    for (size_t at = 0; at < text.length && am_json_kind_of(list) == AM_JSON_STRING;) {
        size_t bytes = character_bytes(text.bytes + at);
        out->characters[out->count++] = (am_json_string){text.bytes + at, bytes};
        at += bytes;
    }
    for (am_json_iterator i = am_json_iterate(list); am_json_next(&i);) {
        if (am_json_kind_of(i.value) != AM_JSON_STRING)
            return am_error(AM_INVALID_FILE, "character_list: expected texts");
        out->characters[out->count++] = am_json_text(i.value);
    }
    return NULL;
}

/* Steps that repeat the one before or say nothing are passed over, as in connectionist temporal classification. */
static bool is_read(const reading *r, int64_t step)
{
    return r->best[step] && (!step || r->best[step] != r->best[step - 1]);
}

static am_status give_line(am_post_run *run, int64_t image, const reading *r, const alphabet *letters)
{
    am_buffer text = {0};
    am_post_item *item;
    am_tensor *tensor;
    double sum = 0.0;
    int64_t count = 0;
    for (int64_t i = 0; i < r->steps; i++) {
        if (!is_read(r, i)) continue;
        if (r->best[i] >= letters->count) {
            am_buffer_deinit(&text);
            return am_error(AM_INVALID_ARGUMENT, "character_list: there is no character %" PRId64 " of %" PRId64,
                            r->best[i], letters->count);
        }
        am_buffer_append(&text, letters->characters[r->best[i]].bytes, letters->characters[r->best[i]].length);
        sum += (double)chance_of(r, i);
        count++;
    }
    am_status status = am_buffer_status(&text);
    if (!status) status = am_post_add(run, image, &item);
    if (!status) status = am_post_add_list(run, item, "text", 1, &tensor);
    if (!status) item->fields[0].is_list = false;
    if (!status) status = make_text(run, am_buffer_text(&text), text.length, tensor);
    am_buffer_deinit(&text);
    return status ? status : give_mean(run, item, "score", sum, count);
}

static am_status read_lines(am_post_run *run)
{
    const am_tensor *chances;
    alphabet letters;
    reading r;
    AM_TRY(am_post_tensor(run, "last_hidden_state", 3, &chances));
    AM_TRY(read_alphabet(run, &letters));
    for (int64_t b = 0; b < chances->shape.dims[0]; b++) {
        AM_TRY(read_image(run, chances, b, &r));
        AM_TRY(give_line(run, b, &r, &letters));
    }
    return NULL;
}

/* --- SLANeXt --- */

enum { TABLE_START = 0, TABLE_SPAN = 10, TABLE_SPANS = 19, TABLE_CELL = 48, TABLE_END = 49 };

/* The HTML that a class stands for; spans are of 2 to 20 columns, then rows. */
static const char *table_token(int64_t class, char buffer[32])
{
    static const char *const tags[] = {"sos",  "<thead>", "</thead>", "<tbody>", "</tbody>",
                                       "<tr>", "</tr>",   "<td",      ">",       "</td>"};
    if (class < TABLE_SPAN) return tags[class];
    if (class == TABLE_CELL) return "<td></td>";
    int64_t span = class - TABLE_SPAN;
    snprintf(buffer, 32, " %sspan=\"%d\"", span < TABLE_SPANS ? "col" : "row", (int)(span % TABLE_SPANS) + 2);
    return buffer;
}

/* Steps of a table's HTML up to its end, into kept ([steps]). */
static am_status find_tokens(const reading *r, int64_t *kept, int64_t *count)
{
    *count = 0;
    for (int64_t i = 0; i < r->steps; i++) {
        int64_t class = r->best[i];
        if (i && class == TABLE_END) break;
        if (class == TABLE_START || class == TABLE_END) continue;
        if (class > TABLE_END)
            return am_error(AM_INVALID_ARGUMENT, "last_hidden_state: there is no class %" PRId64, class);
        kept[(*count)++] = i;
    }
    return *count ? NULL : am_error(AM_INVALID_ARGUMENT, "last_hidden_state: an empty table");
}

static am_status give_table(am_post_run *run, const reading *r, const int64_t *kept, int64_t count)
{
    static const char *const around[] = {"<html>", "<body>", "<table>", "</table>", "</body>", "</html>"};
    am_post_item *item;
    am_tensor *tokens;
    double sum = 0.0;
    AM_TRY(am_post_add(run, 0, &item));
    AM_TRY(am_post_add_list(run, item, "structure", count + 6, &tokens));
    for (int64_t i = 0; i < count + 6; i++) {
        char buffer[32];
        bool is_inside = i >= 3 && i < count + 3;
        const char *text = is_inside ? table_token(r->best[kept[i - 3]], buffer) : around[i < 3 ? i : i - count];
        AM_TRY(make_text(run, text, strlen(text), &tokens[i]));
        if (is_inside) sum += (double)chance_of(r, kept[i - 3]);
    }
    return give_mean(run, item, "structure_score", sum, count);
}

/* Of the first image alone. */
static am_status read_table(am_post_run *run)
{
    const am_tensor *chances;
    reading r;
    int64_t *kept, count;
    AM_TRY(am_post_tensor(run, "last_hidden_state", 3, &chances));
    if (chances->shape.dims[0] < 1) return am_error(AM_INVALID_ARGUMENT, "last_hidden_state: expected an image");
    AM_TRY(read_image(run, chances, 0, &r));
    AM_TRY(am_post_integer_array(run, r.steps, 1, &kept));
    AM_TRY(find_tokens(&r, kept, &count));
    return give_table(run, &r, kept, count);
}

/* clang-format off */
static const am_post_method methods[] = {
    {"post_process_text_recognition", "PPOCRV5ServerRec PPOCRV6SmallRec", read_lines, NULL},
    {"post_process_table_recognition", "SLANeXt", read_table, NULL},
    {0},
};
/* clang-format on */

const am_post_family am_post_family_text = {methods};
