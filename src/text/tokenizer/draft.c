/* Truncating and joining of encodings that are not handed out yet (the library's Encoding). */
#include "text/tokenizer/internal.h"

enum { PAD_LIMIT = 1 << 26 };

/* The tokens [start, stop), copied where pieces overlap. */
static am_draft slice(am_scratch *s, const am_draft *draft, size_t start, size_t stop, bool copy)
{
    am_draft out = {.tokens = draft->tokens + start, .count = stop - start};
    am_draft_token *tokens = copy ? am_scratch_alloc(s, out.count, sizeof *tokens) : NULL;
    if (tokens) out.tokens = memcpy(tokens, out.tokens, out.count * sizeof *tokens);
    return out;
}

/* The first piece of `max` tokens; each next one starts `max - stride` further (from the end when `left`). */
static am_status cut_pieces(am_scratch *s, am_draft *draft, size_t max, size_t stride, bool left)
{
    size_t total = draft->count, step = max - stride;
    if (stride >= max)
        return am_error(AM_INVALID_ARGUMENT,
                        "truncation: a stride of %zu is not below the length of %zu that special tokens leave", stride,
                        max);
    size_t pieces = total > max ? 1 + (total - max + step - 1) / step : 1;
    am_draft whole = *draft;
    am_draft *overflowing = am_scratch_alloc(s, pieces, sizeof *overflowing);
    if (!overflowing) return NULL;
    for (size_t i = 0; i < pieces; i++) {
        size_t start = i * step, stop = start + max < total ? start + max : total;
        if (left) {
            stop = total - i * step;
            start = stop > max ? stop - max : 0;
        }
        if (i == 0) *draft = slice(s, &whole, start, stop, stride > 0);
        else overflowing[i - 1] = slice(s, &whole, start, stop, stride > 0);
    }
    draft->overflowing = overflowing;
    draft->overflowing_count = pieces - 1;
    return NULL;
}

static am_status truncate_one(am_scratch *s, am_draft *draft, uint64_t max, const am_limits *limits)
{
    if (max >= draft->count) return NULL;
    if (max > 0) return cut_pieces(s, draft, (size_t)max, limits->stride, limits->truncate_left);
    am_draft *overflowing = am_scratch_alloc(s, 1, sizeof *overflowing);
    if (!overflowing) return NULL;
    *overflowing = *draft;
    *draft = (am_draft){.overflowing = overflowing, .overflowing_count = 1};
    return NULL;
}

/* Lengths of two sequences that together have `max` tokens, taken from the longer first. */
static void share_length(uint64_t max, uint64_t *first, uint64_t *second)
{
    bool swap = *first > *second;
    uint64_t shorter = swap ? *second : *first, longer;
    if (shorter > max) longer = shorter;
    else longer = shorter > max - shorter ? shorter : max - shorter;
    if (shorter + longer > max) {
        shorter = max / 2;
        longer = shorter + max % 2;
    }
    *first = swap ? longer : shorter;
    *second = swap ? shorter : longer;
}

static am_status truncate_longest(am_scratch *s, am_draft *drafts, size_t count, uint64_t max, const am_limits *limits)
{
    if (count == 1) return truncate_one(s, &drafts[0], max, limits);
    uint64_t first = drafts[0].count, second = drafts[1].count;
    share_length(max, &first, &second);
    AM_TRY(truncate_one(s, &drafts[0], first, limits));
    return truncate_one(s, &drafts[1], second, limits);
}

am_status am_draft_truncate(am_scratch *s, am_draft *drafts, size_t count, const am_limits *limits, size_t added)
{
    if (limits->truncation == AM_TRUNCATE_NEVER) return NULL;
    if (limits->max_length < added) return NULL; /* as the library, which takes it for a very large length */
    uint64_t max = limits->max_length - added, total = 0;
    for (size_t i = 0; i < count; i++) total += drafts[i].count;
    if (max == 0) {
        for (size_t i = 0; i < count; i++) AM_TRY(truncate_one(s, &drafts[i], 0, limits));
        return NULL;
    }
    if (total <= max) return NULL;
    if (limits->truncation == AM_TRUNCATE_LONGEST_FIRST) return truncate_longest(s, drafts, count, max, limits);
    am_draft *target = &drafts[0];
    if (limits->truncation == AM_TRUNCATE_ONLY_SECOND) {
        if (count < 2) return am_error(AM_INVALID_ARGUMENT, "truncation of the second text: there is none");
        target = &drafts[1];
    }
    if (target->count <= total - max)
        return am_error(AM_INVALID_ARGUMENT,
                        "truncation: the text to cut has %zu tokens, too few to leave %llu of %llu in all",
                        target->count, (unsigned long long)max, (unsigned long long)total);
    return truncate_one(s, target, target->count - (total - max), limits);
}

/* ---- padding ---- */

am_status am_draft_pad_length(const am_limits *limits, size_t longest, size_t *out)
{
    uint64_t length = limits->padding == AM_PAD_MAX_LENGTH ? limits->pad_length : longest;
    uint64_t multiple = limits->pad_to_multiple_of, rest = multiple ? length % multiple : 0;
    if (rest) length = length > UINT64_MAX - multiple ? UINT64_MAX : length + (multiple - rest);
    if (length > PAD_LIMIT)
        return am_error(AM_INVALID_ARGUMENT, "padding to %llu tokens, more than the limit of %d",
                        (unsigned long long)length, PAD_LIMIT);
    *out = (size_t)length;
    return NULL;
}

/* ---- joining ---- */

static void set_range(am_scratch *s, am_draft *draft, am_draft_range range)
{
    for (size_t i = 0; i < draft->range_count; i++) {
        if (draft->ranges[i].sequence != range.sequence) continue;
        draft->ranges[i] = range;
        return;
    }
    am_draft_range *ranges = am_scratch_alloc(s, draft->range_count + 1, sizeof *ranges);
    if (!ranges) return;
    if (draft->range_count) memcpy(ranges, draft->ranges, draft->range_count * sizeof *ranges);
    ranges[draft->range_count++] = range;
    draft->ranges = ranges;
}

void am_draft_set_sequence(am_scratch *s, am_draft *draft, uint32_t sequence)
{
    set_range(s, draft, (am_draft_range){sequence, {0, (uint32_t)draft->count}});
}

void am_draft_set_types(am_draft *draft, int32_t type_id)
{
    for (size_t i = 0; i < draft->count; i++) draft->tokens[i].type_id = type_id;
}

/* A copy of the ranges that may be changed. */
static void copy_ranges(am_scratch *s, am_draft *draft)
{
    am_draft_range *ranges = am_scratch_alloc(s, draft->range_count, sizeof *ranges);
    if (!ranges) {
        draft->range_count = 0;
        return;
    }
    if (draft->range_count) memcpy(ranges, draft->ranges, draft->range_count * sizeof *ranges);
    draft->ranges = ranges;
}

/* Of drafts of which no part overflows. */
static am_draft concatenate(am_scratch *s, const am_draft *drafts, size_t count)
{
    am_draft out = {0};
    size_t total = 0;
    for (size_t i = 0; i < count; i++) total += drafts[i].count;
    out.tokens = am_scratch_alloc(s, total, sizeof *out.tokens);
    if (!out.tokens) return (am_draft){0};
    for (size_t i = 0; i < count; i++) {
        const am_draft *d = &drafts[i];
        if (d->count) memcpy(out.tokens + out.count, d->tokens, d->count * sizeof *out.tokens);
        for (size_t k = 0; k < d->range_count; k++) {
            am_text_range tokens = d->ranges[k].tokens;
            uint32_t first = (uint32_t)out.count;
            set_range(s, &out, (am_draft_range){d->ranges[k].sequence, {tokens.start + first, tokens.end + first}});
        }
        out.count += d->count;
        am_scratch_give_back(s, d->tokens);
    }
    return out;
}

am_draft am_draft_join(am_scratch *s, const am_draft *drafts, size_t count)
{
    am_draft out = {0};
    bool overflows = false;
    if (count == 1) return drafts[0];
    for (size_t i = 0; i < count; i++) overflows |= drafts[i].overflowing_count > 0;
    if (!overflows) return concatenate(s, drafts, count);
    for (size_t i = 0; i < count && !s->failed; i++) out = am_draft_merge(s, &out, &drafts[i]);
    return out;
}

am_draft am_draft_merge(am_scratch *s, const am_draft *a, const am_draft *b)
{
    size_t over = a->overflowing_count * (1 + b->overflowing_count) + b->overflowing_count;
    am_draft out = {.tokens = am_scratch_alloc(s, a->count + b->count, sizeof *out.tokens),
                    .count = a->count + b->count,
                    .ranges = a->ranges,
                    .range_count = a->range_count,
                    .overflowing = am_scratch_alloc(s, over, sizeof *out.overflowing)};
    if (!out.tokens || !out.overflowing) return (am_draft){0};
    for (size_t i = 0; i < a->overflowing_count; i++) {
        out.overflowing[out.overflowing_count++] = am_draft_merge(s, &a->overflowing[i], b);
        for (size_t k = 0; k < b->overflowing_count; k++)
            out.overflowing[out.overflowing_count++] = am_draft_merge(s, &a->overflowing[i], &b->overflowing[k]);
    }
    for (size_t k = 0; k < b->overflowing_count; k++)
        out.overflowing[out.overflowing_count++] = am_draft_merge(s, a, &b->overflowing[k]);
    if (a->count) memcpy(out.tokens, a->tokens, a->count * sizeof *out.tokens);
    if (b->count) memcpy(out.tokens + a->count, b->tokens, b->count * sizeof *out.tokens);
    copy_ranges(s, &out);
    for (size_t i = 0; i < b->range_count; i++) {
        am_draft_range range = b->ranges[i];
        range.tokens.start += (uint32_t)a->count;
        range.tokens.end += (uint32_t)a->count;
        set_range(s, &out, range);
    }
    return out;
}
