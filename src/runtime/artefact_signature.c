#include "runtime/artefact_internal.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const am_input_spec *const *)a)->name, (*(const am_input_spec *const *)b)->name);
}

/* As they enter graphs. */
static const char *kind_of(am_dtype dtype)
{
    return am_dtype_name(dtype == AM_BOOL ? AM_BOOL : am_dtype_is_float(dtype) ? AM_F32 : AM_I32);
}

static am_status put_inputs(am_arena *arena, const am_signature *s, am_buffer *out)
{
    char text[AM_SHAPE_TEXT];
    const am_input_spec **sorted = am_arena_array(arena, (size_t)s->input_count + 1, sizeof *sorted);
    if (!sorted) return am_out_of_memory();
    for (int i = 0; i < s->input_count; i++) sorted[i] = &s->inputs[i];
    qsort(sorted, (size_t)s->input_count, sizeof *sorted, by_name);
    for (int i = 0; i < s->input_count; i++)
        am_buffer_printf(out, "%s%s %s%s", i ? ", " : "", sorted[i]->name, kind_of(sorted[i]->dtype),
                         am_shape_text(&sorted[i]->shape, text));
    return NULL;
}

const char *am_artefact_signature(am_arena *arena, const char *architecture, const am_signature *s)
{
    static const char *const stages[] = {"", " encoder", " decoder"};
    am_buffer out = {0};
    am_buffer_printf(&out, "%s(", architecture);
    am_status status = put_inputs(arena, s, &out);
    am_buffer_printf(&out, ")%s", stages[s->stage]);
    if (s->cache_capacity) am_buffer_printf(&out, ", cache of %lld", (long long)s->cache_capacity);
    if (s->cross_cached) am_buffer_append_string(&out, ", encoder's keys cached");
    if (s->encoder_length) am_buffer_printf(&out, ", encoder length %lld", (long long)s->encoder_length);
    if (s->last_logits_only) am_buffer_append_string(&out, ", last logits");
    if (s->output_hidden_states) am_buffer_append_string(&out, ", hidden states");
    for (int i = 0; i < s->argument_count; i++)
        am_buffer_printf(&out, ", %s=%lld", s->arguments[i].name, (long long)s->arguments[i].value);
    const char *text = status || out.failed ? NULL : am_arena_string(arena, am_buffer_text(&out), out.length);
    am_status_free(status);
    am_buffer_deinit(&out);
    return text;
}
