#include "models/model.h"

#include "graph/context.h"
#include "models/names/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What am_builder_context points to while a model builds. */
typedef struct context {
    const am_model_type *type;
    const am_config *config;
    const am_signature *signature;
    am_value *inputs; /* by place in the signature; AM_NONE until asked for */
    am_value offset;
    int pauses;            /* of caches; the whole's counts */
    struct context *outer; /* of the class that this one is a part of; null: it is the whole */
    const am_part *part;   /* what the outer one says of it */
    bool *read;            /* by place in the part's inputs */
    bool features_read;    /* the part's features */
    bool *arguments_read;  /* by place among the signature's arguments */
} context;

enum { INPUT_NAME_BYTES = 256 };

static context *context_of(const am_builder *b)
{
    return am_builder_context(b);
}

/* "clip clip_text_model" lists "clip". */
static bool names_type(const char *names, const char *type)
{
    size_t length = strlen(type);
    for (const char *at = names; *at;) {
        size_t word = strcspn(at, " ");
        if (word == length && memcmp(at, type, length) == 0) return true;
        at += word + (at[word] == ' ');
    }
    return false;
}

const am_model_type *am_model_type_find(const char *name)
{
    for (const am_model_type *const *type = am_model_registry; *type; type++)
        if (names_type((*type)->name, name)) return *type;
    return NULL;
}

const am_architecture *am_architecture_find(const char *name, const am_model_type **out_type)
{
    for (const am_model_type *const *type = am_model_registry; *type; type++)
        for (const am_architecture *row = (*type)->architectures; row->name; row++)
            if (strcmp(row->name, name) == 0) {
                if (out_type) *out_type = *type;
                return row;
            }
    return NULL;
}

static void list_inputs(const am_signature *signature, char *text, size_t size)
{
    size_t length = 0;
    text[0] = 0;
    for (int i = 0; i < signature->input_count && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "", signature->inputs[i].name);
}

/* position_ids may stay unread: some models count their positions in other ways. */
static void check_all_inputs_used(am_builder *b, const context *c)
{
    for (int i = 0; i < c->signature->input_count; i++)
        if (!c->inputs[i].id && strcmp(c->signature->inputs[i].name, "position_ids") != 0)
            am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input %s is not one that this class reads",
                                        c->signature->inputs[i].name));
}

static void check_all_arguments_read(am_builder *b, const context *c)
{
    for (int i = 0; i < c->signature->argument_count; i++)
        if (!c->arguments_read[i] && !c->signature->arguments[i].may_stay_unread)
            am_builder_fail(b,
                            am_error(AM_UNSUPPORTED, "argument %s is not supported", c->signature->arguments[i].name));
}

/* What is wrong in the configuration ends the build at once: nothing is made of values that make no sense. */
static void on_config_error(void *builder)
{
    am_builder_fail(builder, am_error(AM_INVALID_FILE, "the configuration is wrong"));
}

am_status am_architecture_build(const am_model_type *type, const am_architecture *architecture, const am_config *config,
                                const am_signature *signature, am_weight_lookup lookup, void *lookup_context,
                                am_graph **out)
{
    am_builder *b;
    *out = NULL;
    AM_TRY(am_builder_create(&b));
    context c = {.type = type, .config = config, .signature = signature};
    c.inputs = am_arena_array(am_builder_arena(b), (size_t)signature->input_count + 1, sizeof *c.inputs);
    c.arguments_read =
        am_arena_array(am_builder_arena(b), (size_t)signature->argument_count + 1, sizeof *c.arguments_read);
    if (!c.inputs || !c.arguments_read) am_builder_fail(b, am_out_of_memory());
    am_builder_set_context(b, &c);
    am_builder_set_weights(b, lookup, lookup_context);
    config->root->on_error = on_config_error;
    config->root->context = b;
    if (!am_builder_failed(b)) architecture->build(b);
    config->root->on_error = NULL;
    if (!am_builder_failed(b)) check_all_inputs_used(b, &c);
    if (!am_builder_failed(b)) check_all_arguments_read(b, &c);
    am_status status = am_builder_finish(b, out);
    am_builder_destroy(b);
    if (config->root->error) { /* the cause of whatever else went wrong */
        am_status_free(status);
        am_graph_destroy(*out);
        *out = NULL;
        status = config->root->error;
        config->root->error = NULL;
    }
    return status ? am_note(status, "%s", architecture->name) : NULL;
}

const am_config *am_model_config(const am_builder *b)
{
    return context_of(b)->config;
}

const void *am_model_family(const am_builder *b)
{
    return context_of(b)->type->family;
}

am_stage am_model_stage(const am_builder *b)
{
    return context_of(b)->signature->stage;
}

bool am_wants_hidden_states(const am_builder *b)
{
    const context *c = context_of(b);
    return c->signature->output_hidden_states || (c->part && c->part->hidden_states);
}

bool am_wants_last_logits_only(const am_builder *b)
{
    return context_of(b)->signature->last_logits_only;
}

int64_t am_model_argument(const am_builder *b, const char *name, int64_t fallback)
{
    const am_signature *s = context_of(b)->signature;
    for (int i = 0; i < s->argument_count; i++)
        if (strcmp(s->arguments[i].name, name) == 0) {
            context_of(b)->arguments_read[i] = true;
            return s->arguments[i].value;
        }
    return fallback;
}

int64_t am_shaping_number(const am_builder *b, const char *name, int64_t i)
{
    char text[INPUT_NAME_BYTES];
    snprintf(text, sizeof text, "%s.%" PRId64, name, i);
    return am_model_argument(b, text, 0);
}

static int find_input(const context *c, const char *name)
{
    const am_signature *s = c->signature;
    for (int i = 0; i < s->input_count; i++)
        if (strcmp(s->inputs[i].name, name) == 0) return i;
    return -1;
}

/* The entry of a part's input of that name, or null. */
static const am_part_input *part_input(const context *c, const char *name)
{
    for (int i = 0; i < c->part->input_count; i++)
        if (strcmp(c->part->inputs[i].name, name) == 0) return &c->part->inputs[i];
    return NULL;
}

/* The name of a part's input among those of the outer class. */
static const char *outer_name(const context *c, const am_part_input *listed, const char *name,
                              char buffer[INPUT_NAME_BYTES])
{
    if (listed) return listed->whole;
    snprintf(buffer, INPUT_NAME_BYTES, "%s%s", c->part->prefix ? c->part->prefix : "", name);
    return buffer;
}

static bool has_input(const context *c, const char *name)
{
    char buffer[INPUT_NAME_BYTES];
    if (!c->outer) return find_input(c, name) >= 0;
    const am_part_input *listed = part_input(c, name);
    if (listed && !listed->whole) return listed->value.id != 0;
    return has_input(c->outer, outer_name(c, listed, name, buffer));
}

bool am_has_input(const am_builder *b, const char *name)
{
    return has_input(context_of(b), name);
}

static am_dtype graph_dtype(am_dtype dtype)
{
    return dtype == AM_BOOL ? AM_BOOL : am_dtype_is_float(dtype) ? AM_F32 : AM_I32;
}

static am_value check_rank(am_builder *b, const char *name, const am_shape *shape, int rank, am_value v)
{
    char text[AM_SHAPE_TEXT];
    if (rank < 0 || shape->rank == rank) return v;
    am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input %s must have rank %d, found shape %s", name, rank,
                                am_shape_text(shape, text)));
    return AM_NONE;
}

static am_value input_of(am_builder *b, context *c, const char *name, int rank);

static am_value input_of_part(am_builder *b, context *c, const char *name, int rank)
{
    char buffer[INPUT_NAME_BYTES];
    const am_part_input *listed = part_input(c, name);
    if (!listed || listed->whole) return input_of(b, c->outer, outer_name(c, listed, name, buffer), rank);
    if (!listed->value.id) return AM_NONE;
    c->read[listed - c->part->inputs] = true;
    am_shape shape = am_shape_of_value(b, listed->value);
    return check_rank(b, name, &shape, rank, listed->value);
}

static am_value input_of(am_builder *b, context *c, const char *name, int rank)
{
    if (c->outer) return input_of_part(b, c, name, rank);
    int i = find_input(c, name);
    if (i < 0) return AM_NONE;
    const am_input_spec *spec = &c->signature->inputs[i];
    am_value seen = check_rank(b, name, &spec->shape, rank, (am_value){1});
    if (seen.id && !c->inputs[i].id) c->inputs[i] = am_graph_input(b, name, graph_dtype(spec->dtype), spec->shape);
    return seen.id ? c->inputs[i] : AM_NONE;
}

am_value am_input_optional(am_builder *b, const char *name, int rank)
{
    return am_builder_failed(b) ? AM_NONE : input_of(b, context_of(b), name, rank);
}

am_value am_input(am_builder *b, const char *name, int rank)
{
    char given[512];
    if (!am_has_input(b, name) && !am_builder_failed(b)) {
        list_inputs(context_of(b)->signature, given, sizeof given);
        am_builder_fail(b, am_error(AM_INVALID_ARGUMENT, "input %s is missing (given: %s)", name, given));
    }
    return am_input_optional(b, name, rank);
}

void am_output_hidden_state(am_builder *b, const char *name, int i, am_value v)
{
    char text[128];
    if (!am_wants_hidden_states(b)) return;
    snprintf(text, sizeof text, "%s.%d", name, i);
    am_output(b, text, v);
}

/* --- a class inside another --- */

static const am_architecture *class_of_part(am_builder *b, const am_part *part, const am_model_type **out_type)
{
    const char *type = am_config_text(part->config, "model_type", part->model_type);
    const char *name = part->class_name ? part->class_name : am_auto_class_of(part->auto_class, type);
    const am_architecture *found = name ? am_architecture_find(name, out_type) : NULL;
    if (!name) am_config_unsupported(part->config, "model_type", "%s makes no class of \"%s\"", part->auto_class, type);
    else if (!found) am_config_unsupported(part->config, "model_type", "class %s is not supported yet", name);
    if (!found) am_builder_fail(b, am_error(AM_UNSUPPORTED, "no class for model_type \"%s\"", type));
    return found;
}

static void check_values_read(am_builder *b, const context *c, const char *name)
{
    for (int i = 0; i < c->part->input_count; i++)
        if (c->part->inputs[i].value.id && !c->read[i])
            am_builder_fail(b, am_error(AM_UNSUPPORTED, "%s does not read %s", name, c->part->inputs[i].name));
    if (c->part->feature_count && !c->features_read)
        am_builder_fail(b, am_error(AM_UNSUPPORTED, "%s has no features among its embeddings", name));
}

am_part_outputs am_build_part(am_builder *b, const am_part *part)
{
    context *outer = context_of(b), c = {.config = part->config, .signature = outer->signature, .outer = outer};
    c.arguments_read = outer->arguments_read;
    am_part_outputs found = {0};
    const am_architecture *architecture = class_of_part(b, part, &c.type);
    c.part = part;
    c.read = am_arena_array(am_builder_arena(b), (size_t)part->input_count + 1, sizeof *c.read);
    if (!c.read) am_builder_fail(b, am_out_of_memory());
    if (am_builder_failed(b)) return found;
    int first = am_output_count(b);
    size_t root = am_weight_root_here(b);
    am_builder_set_context(b, &c);
    architecture->build(b);
    am_builder_set_context(b, outer);
    am_weight_root_restore(b, root);
    check_values_read(b, &c, architecture->name);
    found.count = am_outputs_take(b, first, &found.outputs);
    return found;
}

int am_part_features(am_builder *b, const am_feature_rows **out)
{
    context *c = context_of(b);
    c->features_read = true;
    *out = c->part ? c->part->features : NULL;
    return c->part ? c->part->feature_count : 0;
}

bool am_part_rows_may_be_left(const am_builder *b)
{
    const context *c = context_of(b);
    return c->part && c->part->rows_may_be_left;
}

am_value am_part_output(const am_part_outputs *o, const char *name)
{
    for (int i = 0; i < o->count; i++)
        if (strcmp(o->outputs[i].name, name) == 0) return o->outputs[i].value;
    return AM_NONE;
}

void am_output_part_list(am_builder *b, const am_part_outputs *o, const char *name, const char *whole)
{
    char text[INPUT_NAME_BYTES];
    size_t length = strlen(name);
    for (int i = 0; i < o->count; i++) {
        if (strncmp(o->outputs[i].name, name, length) != 0 || o->outputs[i].name[length] != '.') continue;
        snprintf(text, sizeof text, "%s%s", whole, o->outputs[i].name + length);
        am_output(b, text, o->outputs[i].value);
    }
}

bool am_is_part(const am_builder *b)
{
    return context_of(b)->outer != NULL;
}

/* --- caches --- */

static context *whole_of(const am_builder *b)
{
    context *c = context_of(b);
    while (c->outer) c = c->outer;
    return c;
}

void am_pause_cache(am_builder *b)
{
    whole_of(b)->pauses++;
}

void am_resume_cache(am_builder *b)
{
    whole_of(b)->pauses--;
}

bool am_has_cache(const am_builder *b)
{
    return am_cache_capacity(b) > 0;
}

int64_t am_cache_capacity(const am_builder *b)
{
    const context *whole = whole_of(b);
    return whole->pauses ? 0 : whole->signature->cache_capacity;
}

am_value am_cache_offset(am_builder *b)
{
    context *c = whole_of(b);
    if (!am_has_cache(b)) return AM_NONE;
    if (!c->offset.id) c->offset = am_graph_input(b, "cache_offset", AM_I32, (am_shape){0});
    return c->offset;
}

static am_value cache_state(am_builder *b, const char *name, am_shape shape)
{
    char path[1024];
    snprintf(path, sizeof path, "%s.%s", am_scope_path(b), name);
    return am_graph_state_input(b, path, AM_F32, shape);
}

am_value am_cache_write(am_builder *b, const char *name, am_value x, am_value places)
{
    if (!am_has_cache(b) || am_builder_failed(b)) return x;
    am_shape shape = am_shape_of_value(b, x);
    shape.dims[1] = am_cache_capacity(b);
    am_value state = cache_state(b, name, shape);
    am_value updated = am_scatter(b, state, places, x, &(am_scatter_attributes){.axis = 1, .fn = AM_SCATTER_SET});
    am_state_update(b, state, updated);
    return updated;
}

am_value am_cache_append(am_builder *b, const char *name, am_value x)
{
    if (!am_has_cache(b) || am_builder_failed(b)) return x;
    am_value places = am_add(b, am_iota(b, AM_I32, am_shape_of(am_dim(b, x, 1)), 0, 0, 1), am_cache_offset(b));
    return am_cache_write(b, name, x, places);
}

bool am_cross_cached(const am_builder *b)
{
    return context_of(b)->signature->cross_cached;
}

void am_cache_store(am_builder *b, const char *name, am_value x)
{
    if (!am_has_cache(b) || am_builder_failed(b)) return;
    am_state_update(b, cache_state(b, name, am_shape_of_value(b, x)), x);
}

am_value am_cache_load(am_builder *b, const char *name, am_shape shape)
{
    return cache_state(b, name, shape);
}

int64_t am_encoder_length(const am_builder *b)
{
    const context *c = context_of(b);
    int64_t length = c->signature->encoder_length;
    for (; c->outer; c = c->outer) length /= c->part->rows ? c->part->rows : 1;
    return length;
}

am_value am_position_ids(am_builder *b, int64_t T)
{
    am_value given = am_input_optional(b, "position_ids", 2);
    if (given.id) return given;
    am_value places = am_iota(b, AM_I32, am_shape_of(1, T), 1, 0, 1);
    return am_has_cache(b) ? am_add(b, places, am_cache_offset(b)) : places;
}
