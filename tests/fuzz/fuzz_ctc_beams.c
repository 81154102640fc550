/* Scores of frames, a byte each, searched for their likeliest texts: the first line is decoder_kwargs, the second the
   labels of the classes, with blanks between ("_": no label, "|": a space). */
#include "base/utf8.h"
#include "tasks/ctc_beams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_CLASSES = 32, MOST_FRAMES = 48, MOST_BEAMS = 200, MOST_LABEL = 64 };

static void require(bool holds)
{
    if (!holds) abort();
}

static am_text next_line(am_text *rest, char end)
{
    const char *at = rest->length ? memchr(rest->bytes, end, rest->length) : NULL;
    am_text line = {rest->bytes, at ? (size_t)(at - rest->bytes) : rest->length};
    size_t used = line.length + (at ? 1 : 0);
    *rest = (am_text){rest->bytes + used, rest->length - used};
    return line;
}

static int64_t read_labels(am_text line, am_text *labels)
{
    int64_t count = 0;
    while (line.length && count < MOST_CLASSES) {
        am_text label = next_line(&line, ' ');
        if (label.length > MOST_LABEL) label.length = 0;
        if (label.length == 1 && *label.bytes == '_') label.length = 0;
        if (label.length == 1 && *label.bytes == '|') label = (am_text){" ", 1};
        labels[count++] = label;
    }
    return count;
}

/* 255 is no number, 254 and 253 are infinite. */
static float score_of(unsigned byte)
{
    if (byte == 255) return NAN;
    if (byte >= 253) return byte == 254 ? INFINITY : -INFINITY;
    return (float)byte / 8.0f - 16.0f;
}

static void search(am_text scores, const am_text *labels, int64_t classes, const am_ctc_beam_options *options)
{
    float logits[MOST_FRAMES * MOST_CLASSES];
    am_arena arena = {0};
    am_ctc_hypothesis *found;
    int64_t count, frames = (int64_t)scores.length / classes;
    if (frames > MOST_FRAMES) frames = MOST_FRAMES;
    for (int64_t i = 0; i < frames * classes; i++) logits[i] = score_of((unsigned char)scores.bytes[i]);
    am_status status = am_ctc_beam_search(logits, frames, labels, classes, options, &arena, &found, &count);
    require(!status || am_status_code(status) != AM_INTERNAL);
    require(status || (count >= 1 && count <= options->beam_width));
    for (int64_t i = 0; !status && i < count; i++) {
        require(am_utf8_valid(found[i].text.bytes, found[i].text.length, NULL));
        for (int64_t k = 0; k < found[i].word_count; k++) {
            const am_ctc_beam_word *word = &found[i].words[k];
            require(word->start >= 0 && word->start <= word->end && word->end <= frames);
        }
    }
    am_status_free(status);
    am_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    am_text rest = {(const char *)data, size}, labels[MOST_CLASSES];
    am_json_document *document = NULL;
    am_ctc_beam_options options;
    am_text kwargs = next_line(&rest, '\n'), line = next_line(&rest, '\n');
    if (!am_utf8_valid(line.bytes, line.length, NULL)) return 0;
    int64_t classes = read_labels(line, labels);
    am_status status = am_json_parse(kwargs.bytes, kwargs.length, "kwargs", &document);
    if (!status) status = am_ctc_beam_options_read(am_json_root(document), &options);
    if (!status && classes && options.beam_width <= MOST_BEAMS) search(rest, labels, classes, &options);
    am_json_close(document);
    am_status_free(status);
    return 0;
}
