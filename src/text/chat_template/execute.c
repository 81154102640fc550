/* Statements. */
#include "text/chat_template/evaluate.h"
#include "text/chat_template/iterate.h"
#include "text/chat_template/represent.h"

#include "base/utf8.h"

#include <string.h>

static am_jflow flow(bool ok)
{
    return ok ? AM_J_GO_ON : AM_J_FAILED;
}

/* ---- variables ---- */

am_jenv *am_jenv_make(am_jinja *j, am_jenv *parent, uint32_t slots)
{
    am_jenv *env = am_jalloc(j, sizeof *env + slots * sizeof *env->slots);
    if (!env) return NULL;
    env->parent = parent;
    env->slots = (am_jvalue *)(void *)(env + 1);
    return env;
}

bool am_jscope_enter(am_jinja *j, const am_jscope *scope, am_jenv *env)
{
    for (size_t i = 0; i < scope->count; i++) {
        const am_jload *load = &scope->loads[i];
        const am_jvalue *found = NULL;
        am_jvalue name = {.kind = AM_J_STRING, .string = load->name};
        if (load->kind == AM_J_LOAD_PARAMETER) continue;
        if (load->kind == AM_J_LOAD_CONTEXT && !am_jdict_find(j, j->run->context, name, &found)) return false;
        if (load->kind == AM_J_LOAD_ALIAS) found = am_jslot_of(env, load->source);
        env->slots[load->slot] = found ? *found : (am_jvalue){.kind = AM_J_MISSING};
    }
    return true;
}

static bool assign_tuple(am_jinja *j, const am_jnode *target, am_jenv *env, am_jvalue value)
{
    am_jiterator *iterator;
    am_jvalue item;
    size_t expected = target->list.count;
    if (!am_jvalue_is_iterable(value))
        return am_jfail(j, "TypeError", "cannot unpack non-iterable %s object", am_jvalue_type(value));
    am_jvalue *items = am_jarray(j, expected, sizeof *items);
    if (!items || !am_jiterate(j, value, &iterator)) return false;
    for (size_t i = 0; i < expected; i++) {
        if (!am_jiterator_next(j, iterator, &items[i])) return false;
        if (items[i].kind == AM_J_MISSING)
            return am_jfail(j, "ValueError", "not enough values to unpack (expected %zu, got %zu)", expected, i);
    }
    if (!am_jiterator_next(j, iterator, &item)) return false;
    if (item.kind != AM_J_MISSING)
        return am_jfail(j, "ValueError", "too many values to unpack (expected %zu)", expected);
    for (size_t i = 0; i < expected; i++)
        if (!am_jassign(j, target->list.items[i], env, items[i])) return false;
    return true;
}

static bool is_namespace(am_jinja *j, const am_jnode *target, am_jenv *env)
{
    return am_jslot_of(env, target->name.slot)->kind == AM_J_NAMESPACE ||
           am_jfail(j, "TemplateRuntimeError", "cannot assign attribute on non-namespace object");
}

static bool assign_attribute(am_jinja *j, const am_jnode *target, am_jenv *env, am_jvalue value)
{
    am_jvalue name = {.kind = AM_J_STRING, .string = target->name.attribute};
    if (!is_namespace(j, target, env)) return false;
    if (name.string->bytes[0] == '_')
        return am_jfail(j, "SecurityError",
                        "Chat templates cannot store underscore-prefixed attributes on a namespace, "
                        "but got %s. Please rename the attribute.",
                        am_jrepr_text(j, name));
    return am_jdict_set(j, am_jslot_of(env, target->name.slot)->dict, name, value);
}

bool am_jassign(am_jinja *j, const am_jnode *target, am_jenv *env, am_jvalue value)
{
    if (target->kind == AM_N_TUPLE) return assign_tuple(j, target, env, value);
    if (target->kind == AM_N_NAMESPACE) return assign_attribute(j, target, env, value);
    *am_jslot_of(env, target->name.slot) = value;
    am_jvalue name = {.kind = AM_J_STRING, .string = target->name.name};
    return !target->name.exported || am_jdict_set(j, j->run->context, name, value);
}

/* What "ns.a = ..." writes to is looked at before the value is computed. */
static bool check_namespaces(am_jinja *j, const am_jnode *target, am_jenv *env)
{
    if (target->kind == AM_N_NAMESPACE) return is_namespace(j, target, env);
    for (size_t i = 0; target->kind == AM_N_TUPLE && i < target->list.count; i++)
        if (!check_namespaces(j, target->list.items[i], env)) return false;
    return true;
}

static am_jflow execute_set(am_jinja *j, const am_jnode *node, am_jenv *env)
{
    am_jvalue value;
    return flow(check_namespaces(j, node->set.target, env) && am_jevaluate(j, node->set.value, env, &value) &&
                am_jassign(j, node->set.target, env, value));
}

/* ---- text ---- */

static bool print(am_jinja *j, am_jvalue value)
{
    return am_jstr(j->run->out, value) && !j->failed;
}

static am_jflow execute_output(am_jinja *j, const am_jnode *node, am_jenv *env)
{
    for (size_t i = 0; i < node->list.count; i++) {
        am_jvalue value;
        if (!am_jevaluate(j, node->list.items[i], env, &value) || !print(j, value)) return AM_J_FAILED;
    }
    return AM_J_GO_ON;
}

am_jflow am_jcapture(am_jinja *j, const am_jnodes *body, am_jenv *env, am_jvalue *out)
{
    am_jtext text = {.j = j, .limit_bytes = j->run->root.limit_bytes}, *before = j->run->out;
    j->run->out = &text;
    am_jflow result = am_jexecute(j, body, env);
    j->run->out = before;
    return result == AM_J_GO_ON && !am_jstring_of_text(&text, out) ? AM_J_FAILED : result;
}

static am_jflow execute_set_block(am_jinja *j, const am_jnode *node, am_jenv *env)
{
    am_jvalue value;
    if (!am_jscope_enter(j, &node->set.scope, env)) return AM_J_FAILED;
    am_jflow result = am_jcapture(j, &node->set.body, env, &value);
    if (result != AM_J_GO_ON) return result;
    if (node->set.value && !am_jevaluate_filters(j, node->set.value, env, value, &value)) return AM_J_FAILED;
    if (node->kind == AM_N_FILTER_BLOCK) return flow(print(j, value));
    return flow(am_jassign(j, node->set.target, env, value));
}

static am_jflow execute_with(am_jinja *j, const am_jnode *node, am_jenv *env)
{
    size_t count = node->with.values.count;
    am_jvalue *values = am_jarray(j, count, sizeof *values);
    if (!values) return AM_J_FAILED;
    for (size_t i = 0; i < count; i++)
        if (!am_jevaluate(j, node->with.values.items[i], env, &values[i])) return AM_J_FAILED;
    if (!am_jscope_enter(j, &node->with.scope, env)) return AM_J_FAILED;
    for (size_t i = 0; i < count; i++)
        if (!am_jassign(j, node->with.targets.items[i], env, values[i])) return AM_J_FAILED;
    return am_jexecute(j, &node->with.body, env);
}

/* ---- if and for ---- */

static am_jflow execute_if(am_jinja *j, const am_jnode *node, am_jenv *env)
{
    for (size_t i = 0; i < node->branches.tests.count; i++) {
        am_jvalue test;
        if (!am_jevaluate(j, node->branches.tests.items[i], env, &test)) return AM_J_FAILED;
        if (am_jvalue_true(test)) return am_jexecute(j, &node->branches.bodies[i], env);
    }
    return am_jexecute(j, &node->branches.otherwise, env);
}

typedef struct loop_test {
    const am_jnode *node;
    am_jenv *env;
} loop_test;

/* Generator of the items that a loop's test lets through. A tuple as target makes new tuples of them. */
static bool next_passing(am_jinja *j, am_jiterator *iterator, am_jvalue *out)
{
    const loop_test *test = iterator->extra;
    const am_jnode *target = test->node->loop.test_target;
    for (bool passed = false; !passed;) {
        am_jvalue verdict;
        if (!am_jiterator_next(j, iterator->inner, out)) return false;
        if (out->kind == AM_J_MISSING) return true;
        if (!am_jassign(j, target, test->env, *out)) return false;
        if (!am_jevaluate(j, test->node->loop.test, test->env, &verdict)) return false;
        passed = am_jvalue_true(verdict);
    }
    return target->kind != AM_N_TUPLE || am_jevaluate(j, target, test->env, out);
}

static bool filter_items(am_jinja *j, const am_jnode *node, am_jenv *env, am_jvalue *iterable)
{
    loop_test *test = am_jalloc(j, sizeof *test);
    am_jiterator filter = {.type = "generator", .next = next_passing, .source = *iterable, .extra = test};
    if (!test || !am_jiterate(j, *iterable, &filter.inner)) return false;
    *test = (loop_test){node, env};
    return am_jscope_enter(j, &node->loop.test_scope, env) && am_jiterator_make(j, filter, iterable);
}

bool am_jloop_peek(am_jinja *j, am_jloop *loop, am_jvalue *out)
{
    if (loop->after.kind == AM_J_MISSING && !am_jiterator_next(j, loop->iterator, &loop->after)) return false;
    *out = loop->after;
    return true;
}

int64_t am_jloop_index(const am_jloop *loop)
{
    return loop->index0 + 1;
}

bool am_jloop_length(am_jinja *j, am_jloop *loop, size_t *out)
{
    am_jvalue rest;
    *out = loop->length;
    if (loop->has_length) return true;
    loop->has_length = true;
    if (am_jvalue_has_length(loop->iterable)) {
        if (!am_jvalue_length(j, loop->iterable, &loop->length)) return false;
    } else {
        am_jvalue iterator = {.kind = AM_J_ITERATOR, .iterator = loop->iterator};
        if (!am_jvalue_to_list(j, iterator, AM_J_LIST, &rest) || !am_jiterate(j, rest, &loop->iterator)) return false;
        loop->length = rest.list->count + (size_t)am_jloop_index(loop) + (loop->after.kind != AM_J_MISSING);
    }
    *out = loop->length;
    return true;
}

bool am_jloop_advance(am_jinja *j, am_jloop *loop, am_jvalue *out)
{
    *out = loop->after;
    loop->after = (am_jvalue){.kind = AM_J_MISSING};
    if (out->kind == AM_J_MISSING && !am_jiterator_next(j, loop->iterator, out)) return false;
    if (out->kind == AM_J_MISSING) return true;
    loop->index0++;
    loop->before = loop->current;
    loop->current = *out;
    return true;
}

static am_jflow run_turns(am_jinja *j, const am_jnode *node, am_jloop *loop, am_jenv *env)
{
    bool any = false; /* as Jinja2 has it: a turn reached its end, without break or continue */
    for (;;) {
        am_jvalue item;
        if (!am_jloop_advance(j, loop, &item)) return AM_J_FAILED;
        if (item.kind == AM_J_MISSING) break;
        if (node->loop.extended) *am_jslot_of(env, node->loop.loop) = (am_jvalue){.kind = AM_J_LOOP, .loop = loop};
        if (!am_jassign(j, node->loop.target, env, item) || !am_jscope_enter(j, &node->loop.body_scope, env))
            return AM_J_FAILED;
        am_jflow result = am_jexecute(j, &node->loop.body, env);
        if (result == AM_J_FAILED) return result;
        any = any || result == AM_J_GO_ON;
        if (result == AM_J_BROKEN) break;
    }
    if (any || !node->loop.otherwise.count) return AM_J_GO_ON;
    return am_jscope_enter(j, &node->loop.else_scope, env) ? am_jexecute(j, &node->loop.otherwise, env) : AM_J_FAILED;
}

/* Runs a loop over `iterable`; `outer` has the variables around it, `env` its own (the same unless it is
   recursive). */
static am_jflow run_loop(am_jinja *j, const am_jnode *node, am_jvalue iterable, int depth0, am_jenv *outer,
                         am_jenv *env)
{
    am_jloop *loop = am_jalloc(j, sizeof *loop);
    if (!loop) return AM_J_FAILED;
    if (node->loop.test && !filter_items(j, node, outer, &iterable)) return AM_J_FAILED;
    *loop = (am_jloop){.iterable = iterable, .index0 = -1, .env = outer, .depth0 = depth0};
    loop->node = node->loop.recursive ? node : NULL;
    if (!am_jiterate(j, iterable, &loop->iterator)) return AM_J_FAILED;
    return run_turns(j, node, loop, env);
}

static am_jflow run_recursive(am_jinja *j, const am_jnode *node, am_jvalue iterable, int depth0, am_jenv *outer,
                              am_jvalue *out)
{
    am_jenv *env = am_jenv_make(j, outer, node->loop.slots);
    am_jtext text = {.j = j, .limit_bytes = j->run->root.limit_bytes}, *before = j->run->out;
    if (!env || !am_jenter(j)) return AM_J_FAILED;
    j->run->out = &text;
    am_jflow result = run_loop(j, node, iterable, depth0, outer, env);
    j->run->out = before;
    am_jleave(j);
    return result == AM_J_GO_ON && am_jstring_of_text(&text, out) ? AM_J_GO_ON : AM_J_FAILED;
}

bool am_jloop_recurse(am_jinja *j, const am_jloop *loop, am_jvalue iterable, am_jvalue *out)
{
    if (!loop->node)
        return am_jfail(j, "TypeError", "The loop must have the 'recursive' marker to be called recursively.");
    return run_recursive(j, loop->node, iterable, loop->depth0 + 1, loop->env, out) == AM_J_GO_ON;
}

static am_jflow execute_for(am_jinja *j, const am_jnode *node, am_jenv *env)
{
    am_jvalue iterable, text;
    if (!am_jevaluate(j, node->loop.iterable, env, &iterable)) return AM_J_FAILED;
    if (!node->loop.recursive) return run_loop(j, node, iterable, 0, env, env);
    return flow(run_recursive(j, node, iterable, 0, env, &text) == AM_J_GO_ON && print(j, text));
}

/* ---- macros and blocks ---- */

static am_jflow execute_macro(am_jinja *j, const am_jnode *node, am_jenv *env)
{
    am_jvalue macro;
    return flow(am_jmacro_make(j, &node->macro.macro, env, &macro) && am_jassign(j, node->macro.target, env, macro));
}

static bool with_caller(am_jinja *j, am_jarguments *arguments, am_jvalue caller)
{
    size_t count = arguments->named_count;
    const am_jstring **names = am_jarray(j, count + 1, sizeof *names);
    am_jvalue *values = am_jarray(j, count + 1, sizeof *values), name;
    if (!names || !values || !am_jstring_literal(j, "caller", &name)) return false;
    for (size_t i = 0; i < count; i++) {
        names[i] = arguments->names[i];
        values[i] = arguments->named[i];
    }
    names[count] = name.string;
    values[count] = caller;
    arguments->names = names;
    arguments->named = values;
    arguments->named_count++;
    return true;
}

static am_jflow execute_call_block(am_jinja *j, const am_jnode *node, am_jenv *env)
{
    am_jvalue caller, callee, text;
    am_jarguments arguments;
    const am_jnode *call = node->macro.call;
    return flow(am_jmacro_make(j, &node->macro.macro, env, &caller) &&
                am_jevaluate(j, call->call.callee, env, &callee) &&
                am_jevaluate_arguments(j, &call->call.arguments, env, &arguments) &&
                with_caller(j, &arguments, caller) && am_jvalue_call(j, callee, &arguments, &text) && print(j, text));
}

static bool push_span(am_jinja *j, size_t characters)
{
    am_jrun *run = j->run;
    const char *uncounted = run->root.length ? run->root.bytes + run->counted_bytes : "";
    run->counted_characters += am_utf8_count(uncounted, run->root.length - run->counted_bytes);
    run->counted_bytes = run->root.length;
    if (run->span_count == run->span_capacity) {
        size_t capacity = run->span_capacity ? run->span_capacity * 2 : 16;
        am_jspan *grown = am_jarray(j, capacity, sizeof *grown);
        if (!grown) return false;
        if (run->span_count) memcpy(grown, run->spans, run->span_count * sizeof *grown);
        run->spans = grown;
        run->span_capacity = capacity;
    }
    run->spans[run->span_count++] = (am_jspan){run->counted_characters, run->counted_characters + characters};
    return true;
}

/* The start of the span is the end of what the template has given out: inside of a macro that is where the
   macro was called, as in transformers. */
static am_jflow execute_generation(am_jinja *j, const am_jnode *node, am_jenv *env)
{
    const am_jarguments none = {0};
    am_jmacro body = {&node->macro.macro, env};
    am_jvalue text;
    return flow(am_jmacro_call(j, &body, &none, &text) && push_span(j, text.string->characters) && print(j, text));
}

static am_jflow execute_block(am_jinja *j, const am_jnode *node)
{
    am_jenv *env = am_jenv_make(j, NULL, node->block.slots);
    if (!env || !am_jscope_enter(j, &node->block.scope, env)) return AM_J_FAILED;
    return am_jexecute(j, &node->block.body, env);
}

static am_jflow refuse_other_template(am_jinja *j, const am_jnode *node, am_jenv *env)
{
    am_jvalue name;
    if (am_jevaluate(j, node->set.value, env, &name))
        am_jfail(j, "TypeError", "no loader for this environment specified");
    return AM_J_FAILED;
}

static am_jflow execute_kind(am_jinja *j, const am_jnode *node, am_jenv *env)
{
    switch (node->kind) {
    case AM_N_OUTPUT:
        return execute_output(j, node, env);
    case AM_N_FOR:
        return execute_for(j, node, env);
    case AM_N_IF:
        return execute_if(j, node, env);
    case AM_N_SET:
        return execute_set(j, node, env);
    case AM_N_SET_BLOCK:
    case AM_N_FILTER_BLOCK:
        return execute_set_block(j, node, env);
    case AM_N_WITH:
        return execute_with(j, node, env);
    case AM_N_MACRO:
        return execute_macro(j, node, env);
    case AM_N_CALL_BLOCK:
        return execute_call_block(j, node, env);
    case AM_N_GENERATION:
        return execute_generation(j, node, env);
    case AM_N_BLOCK:
        return execute_block(j, node);
    case AM_N_BREAK:
        return AM_J_BROKEN;
    case AM_N_CONTINUE:
        return AM_J_CONTINUED;
    default:
        return refuse_other_template(j, node, env);
    }
}

am_jflow am_jexecute(am_jinja *j, const am_jnodes *body, am_jenv *env)
{
    am_jflow result = AM_J_GO_ON;
    if (!am_jenter(j)) return AM_J_FAILED;
    for (size_t i = 0; result == AM_J_GO_ON && i < body->count; i++) {
        const am_jnode *node = body->items[i];
        result = am_jcharge(j, 1) ? execute_kind(j, node, env) : AM_J_FAILED;
        if (result == AM_J_FAILED) am_jfail_at(j, node->offset);
    }
    am_jleave(j);
    return result;
}
