#include "text/chat_template/scope.h"

#include "text/chat_template/evaluate.h"
#include "text/chat_template/represent.h"

#include <string.h>

/* A function at run time: template, macro, recursive loop, block. */
typedef struct activation {
    uint32_t depth; /* functions around it */
    uint32_t slots;
} activation;

/* A name in a scope: its slot, how it starts, whether anything is stored in it. */
typedef struct entry {
    const am_jstring *name;
    uint32_t slot;
    am_jload_kind load;
    am_jslot source;
    bool stored;
} entry;

typedef struct entries {
    entry *items;
    size_t count, capacity;
} entries;

/* Names of one scope (Symbols in Jinja2). The branches of an `if` get copies of it, with the same slots. */
typedef struct symbols {
    am_jinja *j;
    struct symbols *parent;
    activation *function;
    entries entries;
    entries *slots; /* shared with copies */
} symbols;

/* What the code of a scope is compiled with (Frame in Jinja2). */
typedef struct frame {
    symbols *symbols;
    bool soft;      /* unknown filters are no error yet */
    bool top_level; /* stores are seen by blocks */
} frame;

/* ---- names ---- */

static entry *find_entry(const entries *list, const am_jstring *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (am_jstring_equals(list->items[i].name, name)) return &list->items[i];
    return NULL;
}

static entry *push_entry(am_jinja *j, entries *list, entry value)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 8;
        entry *grown = am_jarray(j, capacity, sizeof *grown);
        if (!grown) return NULL;
        if (list->count) memcpy(grown, list->items, list->count * sizeof *grown);
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count] = value;
    return &list->items[list->count++];
}

static symbols *new_symbols(am_jinja *j, symbols *parent, activation *function)
{
    symbols *made = am_jalloc(j, sizeof *made);
    entries *slots = am_jalloc(j, sizeof *slots);
    if (!made || !slots) return NULL;
    *made = (symbols){.j = j, .parent = parent, .function = function, .slots = slots};
    return made;
}

static bool find_slot(const symbols *s, const am_jstring *name, am_jslot *out)
{
    uint32_t depth = s->function->depth;
    for (; s; s = s->parent) {
        const entry *found = find_entry(&s->entries, name);
        if (found) *out = (am_jslot){depth - s->function->depth, found->slot};
        if (found) return true;
    }
    return false;
}

/* A variable of this scope, made at first use; `load` and `source` say how it starts from now on. */
static entry *define(symbols *s, const am_jstring *name, am_jload_kind load, am_jslot source)
{
    entry *found = find_entry(&s->entries, name);
    if (!found) {
        const entry *slot = find_entry(s->slots, name);
        if (!slot) slot = push_entry(s->j, s->slots, (entry){.name = name, .slot = s->function->slots});
        if (!slot) return NULL;
        if (slot->slot == s->function->slots) s->function->slots++;
        found = push_entry(s->j, &s->entries, (entry){.name = name, .slot = slot->slot});
    }
    if (found) found->load = load;
    if (found) found->source = source;
    return found;
}

static bool declare_parameter(symbols *s, const am_jstring *name)
{
    entry *made = define(s, name, AM_J_LOAD_PARAMETER, AM_J_NO_SLOT);
    if (made) made->stored = true;
    return made != NULL;
}

static bool store(symbols *s, const am_jstring *name)
{
    am_jslot outer = AM_J_NO_SLOT;
    entry *found = find_entry(&s->entries, name);
    if (!found) {
        bool is_outside = s->parent && find_slot(s, name, &outer);
        found = define(s, name, is_outside ? AM_J_LOAD_ALIAS : AM_J_LOAD_NOTHING, outer);
    }
    if (found) found->stored = true;
    return found != NULL;
}

static bool load(symbols *s, const am_jstring *name)
{
    am_jslot slot;
    return find_slot(s, name, &slot) || define(s, name, AM_J_LOAD_CONTEXT, AM_J_NO_SLOT);
}

static symbols *copy_symbols(const symbols *s)
{
    symbols *copy = am_jalloc(s->j, sizeof *copy);
    if (!copy) return NULL;
    *copy = *s;
    copy->entries = (entries){0};
    for (size_t i = 0; i < s->entries.count; i++)
        if (!push_entry(s->j, &copy->entries, s->entries.items[i])) return NULL;
    return copy;
}

/* Takes the names of a branch into the scope. What only a branch stores starts with what is outside. */
static bool merge_branch(symbols *s, const symbols *branch, const symbols *before)
{
    for (size_t i = 0; i < branch->entries.count; i++) {
        entry from = branch->entries.items[i];
        const entry *old = find_entry(&before->entries, from.name);
        if (from.stored && !(old && old->stored)) {
            bool is_outside = false;
            from.load = AM_J_LOAD_CONTEXT;
            from.source = AM_J_NO_SLOT;
            if (s->parent) {
                am_jslot outer;
                is_outside = find_slot(s->parent, from.name, &outer);
                if (is_outside) outer.hops += s->function->depth - s->parent->function->depth;
                if (is_outside) from.source = outer;
            }
            if (is_outside) from.load = AM_J_LOAD_ALIAS;
        }
        entry *to = define(s, from.name, from.load, from.source);
        if (!to) return false;
        to->stored = to->stored || from.stored;
    }
    return true;
}

/* ---- analysis: which names does a scope have (FrameSymbolVisitor) ---- */

static bool analyze(void *context, am_jnode *node);

static bool analyze_all(symbols *s, const am_jnodes *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!analyze(s, list->items[i])) return false;
    return true;
}

static bool analyze_target_as_parameter(symbols *s, const am_jnode *target)
{
    if (target->kind == AM_N_NAME) return declare_parameter(s, target->name.name);
    for (size_t i = 0; target->kind == AM_N_TUPLE && i < target->list.count; i++)
        if (!analyze_target_as_parameter(s, target->list.items[i])) return false;
    return true;
}

/* Jinja2 nests an elif in its own branch; all of them see the same names, so the result is the same side by
   side. */
static bool analyze_if(symbols *s, am_jnode *node)
{
    symbols *before;
    size_t count = node->branches.tests.count;
    if (!analyze(s, node->branches.tests.items[0]) || !(before = copy_symbols(s))) return false;
    for (size_t i = 0; i <= count; i++) {
        symbols *branch = copy_symbols(before);
        const am_jnodes *body = i < count ? &node->branches.bodies[i] : &node->branches.otherwise;
        if (!branch || (i > 0 && i < count && !analyze(branch, node->branches.tests.items[i]))) return false;
        if (!analyze_all(branch, body) || !merge_branch(s, branch, before)) return false;
    }
    return true;
}

static bool analyze(void *context, am_jnode *node)
{
    symbols *s = context;
    switch (node->kind) {
    case AM_N_NAME:
        if (node->name.use == AM_J_USE_PARAMETER) return declare_parameter(s, node->name.name);
        return node->name.use == AM_J_USE_STORE ? store(s, node->name.name) : load(s, node->name.name);
    case AM_N_NAMESPACE:
        return load(s, node->name.name);
    case AM_N_IF:
        return analyze_if(s, node);
    case AM_N_MACRO:
        return store(s, node->macro.target->name.name);
    case AM_N_SET:
        return analyze(s, node->set.value) && analyze(s, node->set.target);
    case AM_N_FOR:
        return analyze(s, node->loop.iterable);
    case AM_N_CALL_BLOCK:
        return analyze(s, node->macro.call);
    case AM_N_GENERATION:
    case AM_N_BLOCK:
        return true;
    case AM_N_FILTER_BLOCK:
        return analyze(s, node->set.value);
    case AM_N_SET_BLOCK:
        return analyze(s, node->set.target);
    case AM_N_WITH:
        return analyze_all(s, &node->with.values);
    default:
        return am_jnode_children(node, analyze, s);
    }
}

/* ---- names that a body uses without having stored them (UndeclaredNameVisitor) ---- */

typedef struct undeclared {
    const char *names[3];
    bool hidden[3], found[3]; /* hidden: stored, or mentioned, before */
} undeclared;

static bool visit_undeclared(void *context, am_jnode *node)
{
    undeclared *u = context;
    if (node->kind == AM_N_BLOCK) return true;
    for (size_t i = 0; node->kind == AM_N_NAME && i < 3; i++) {
        if (!u->names[i] || !am_jstring_is(node->name.name, u->names[i])) continue;
        if (node->name.use == AM_J_USE_LOAD && !u->hidden[i]) u->found[i] = true;
        else u->hidden[i] = true;
    }
    return am_jnode_children(node, visit_undeclared, u);
}

static void find_undeclared(undeclared *u, const am_jnodes *body)
{
    for (size_t i = 0; i < body->count; i++) visit_undeclared(u, body->items[i]);
}

/* ---- binding: slots and routines for every node, inner scopes on the way (CodeGenerator) ---- */

typedef struct binder {
    am_jinja *j;
    frame frame;
} binder;

static bool bind(void *context, am_jnode *node);

static bool bind_one(am_jinja *j, frame f, am_jnode *node)
{
    binder b = {j, f};
    return !node || bind(&b, node);
}

static bool bind_all(am_jinja *j, frame f, const am_jnodes *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!bind_one(j, f, list->items[i])) return false;
    return true;
}

static bool finish_scope(const symbols *s, am_jscope *out)
{
    out->count = s->entries.count;
    out->loads = am_jarray(s->j, out->count, sizeof *out->loads);
    if (!out->loads) return false;
    for (size_t i = 0; i < out->count; i++) {
        const entry *e = &s->entries.items[i];
        out->loads[i] = (am_jload){e->load, e->slot, e->source, e->name};
    }
    return true;
}

static activation *new_function(am_jinja *j, const frame *outer)
{
    activation *made = am_jalloc(j, sizeof *made);
    if (made && outer) made->depth = outer->symbols->function->depth + 1;
    return made;
}

static bool bind_name(am_jinja *j, const frame *f, am_jnode *node)
{
    if (!find_slot(f->symbols, node->name.name, &node->name.slot) && /* only in what Jinja2 forgets to look at */
        (!load(f->symbols, node->name.name) || !find_slot(f->symbols, node->name.name, &node->name.slot)))
        return false;
    node->name.exported = f->top_level && node->kind == AM_N_NAME && node->name.use == AM_J_USE_STORE;
    return !j->failed;
}

static bool bind_routine(am_jinja *j, const frame *f, am_jnode *node)
{
    bool filter = node->kind == AM_N_FILTER;
    const am_jstring *name = node->filter.name;
    node->filter.routine = filter ? am_jfilter_find(name) : am_jtest_find(name);
    if (node->filter.routine || f->soft) return true;
    am_jfail_code(j, AM_INVALID_FILE, "TemplateAssertionError", "No %s named %s.", filter ? "filter" : "test",
                  am_jrepr_text(j, (am_jvalue){.kind = AM_J_STRING, .string = name}));
    am_jfail_at(j, node->offset);
    return false;
}

static bool is_store_to_loop(void *context, am_jnode *node)
{
    if (node->kind == AM_N_NAME && node->name.use == AM_J_USE_STORE && am_jstring_is(node->name.name, "loop")) {
        am_jinja *j = context;
        am_jfail_code(j, AM_INVALID_FILE, "TemplateAssertionError",
                      "Can't assign to special loop variable in for-loop target");
        am_jfail_at(j, node->offset);
        return false;
    }
    return am_jnode_children(node, is_store_to_loop, context);
}

static am_jnode *copy_target(am_jinja *j, const am_jnode *target)
{
    am_jnode *copy = am_jalloc(j, sizeof *copy);
    if (!copy) return NULL;
    *copy = *target;
    if (target->kind != AM_N_TUPLE) return copy;
    copy->list = (am_jnodes){0};
    for (size_t i = 0; i < target->list.count; i++)
        if (!am_jnodes_push(j, &copy->list, copy_target(j, target->list.items[i]))) return NULL;
    return copy;
}

/* The test of a loop is a generator with variables of its own. */
static bool bind_loop_test(am_jinja *j, const frame *outer, am_jnode *node)
{
    frame f = {.symbols = new_symbols(j, outer->symbols, outer->symbols->function)};
    if (!node->loop.test) return true;
    if (!f.symbols || !(node->loop.test_target = copy_target(j, node->loop.target))) return false;
    return analyze_target_as_parameter(f.symbols, node->loop.target) && analyze(f.symbols, node->loop.test) &&
           bind_one(j, f, node->loop.test_target) && bind_one(j, f, node->loop.test) &&
           finish_scope(f.symbols, &node->loop.test_scope);
}

static bool bind_loop_body(am_jinja *j, const frame *outer, activation *function, am_jnode *node)
{
    frame f = {.symbols = new_symbols(j, outer->symbols, function)};
    am_jvalue loop;
    if (!f.symbols || !am_jstring_literal(j, "loop", &loop)) return false;
    node->loop.loop = AM_J_NO_SLOT;
    if (node->loop.extended && !declare_parameter(f.symbols, loop.string)) return false;
    if (!analyze_target_as_parameter(f.symbols, node->loop.target) || !analyze_all(f.symbols, &node->loop.body))
        return false;
    if (node->loop.extended && !find_slot(f.symbols, loop.string, &node->loop.loop)) return false;
    return bind_one(j, f, node->loop.target) && bind_all(j, f, &node->loop.body) &&
           finish_scope(f.symbols, &node->loop.body_scope);
}

static bool bind_loop_else(am_jinja *j, const frame *outer, activation *function, am_jnode *node)
{
    frame f = {.symbols = new_symbols(j, outer->symbols, function)};
    return f.symbols && analyze_all(f.symbols, &node->loop.otherwise) && bind_all(j, f, &node->loop.otherwise) &&
           finish_scope(f.symbols, &node->loop.else_scope);
}

static bool bind_for(am_jinja *j, const frame *f, am_jnode *node)
{
    undeclared u = {.names = {"loop"}};
    activation *function = node->loop.recursive ? new_function(j, f) : f->symbols->function;
    if (!function) return false;
    find_undeclared(&u, &node->loop.body);
    node->loop.extended = node->loop.recursive || u.found[0];
    if (!bind_loop_test(j, f, node) || !am_jnode_children(node, is_store_to_loop, j)) return false;
    if (!bind_one(j, *f, node->loop.iterable)) return false;
    if (!bind_loop_body(j, f, function, node) || !bind_loop_else(j, f, function, node)) return false;
    node->loop.slots = function->slots;
    return true;
}

/* A name that a macro has only when its body asks for it. */
static bool special_parameter(symbols *s, const char *name, bool wanted, am_jslot *out)
{
    am_jvalue string;
    *out = AM_J_NO_SLOT;
    if (!wanted) return true;
    return am_jstring_literal(s->j, name, &string) && declare_parameter(s, string.string) &&
           find_slot(s, string.string, out);
}

static bool has_parameter(const am_jmacro_node *macro, const char *name, size_t *position)
{
    for (size_t i = 0; i < macro->parameters.count; i++) {
        *position = i;
        if (am_jstring_is(macro->parameters.items[i]->name.name, name)) return true;
    }
    return false;
}

static bool bind_macro(am_jinja *j, const frame *outer, am_jmacro_node *macro, size_t offset)
{
    size_t position;
    undeclared u = {.names = {"caller", "kwargs", "varargs"}};
    activation *function = new_function(j, outer);
    frame f = {.symbols = function ? new_symbols(j, outer->symbols, function) : NULL};
    if (!f.symbols) return false;
    find_undeclared(&u, &macro->body);
    macro->explicit_caller = has_parameter(macro, "caller", &position);
    if (u.found[0] && macro->explicit_caller && macro->parameters.count - position > macro->defaults.count) {
        am_jfail_code(j, AM_INVALID_FILE, "TemplateAssertionError",
                      "When defining macros or call blocks the special \"caller\" argument must be omitted or be given "
                      "a default.");
        am_jfail_at(j, offset);
        return false;
    }
    bool kwargs = u.found[1] && !has_parameter(macro, "kwargs", &position);
    bool varargs = u.found[2] && !has_parameter(macro, "varargs", &position);
    return analyze_all(f.symbols, &macro->parameters) &&
           special_parameter(f.symbols, "caller", u.found[0] && !macro->explicit_caller, &macro->caller) &&
           special_parameter(f.symbols, "kwargs", kwargs, &macro->kwargs) &&
           special_parameter(f.symbols, "varargs", varargs, &macro->varargs) &&
           analyze_all(f.symbols, &macro->defaults) && analyze_all(f.symbols, &macro->body) &&
           bind_all(j, f, &macro->parameters) && bind_all(j, f, &macro->defaults) && bind_all(j, f, &macro->body) &&
           finish_scope(f.symbols, &macro->scope) && ((macro->slots = function->slots), true);
}

/* Bodies of set and filter blocks have a scope of their own in the same function. */
static bool bind_set_block(am_jinja *j, const frame *outer, am_jnode *node)
{
    frame f = {.symbols = new_symbols(j, outer->symbols, outer->symbols->function)};
    if (!f.symbols || !analyze_all(f.symbols, &node->set.body)) return false;
    if (node->set.value && !analyze(f.symbols, node->set.value)) return false;
    return bind_all(j, f, &node->set.body) && bind_one(j, f, node->set.value) &&
           bind_one(j, *outer, node->kind == AM_N_SET_BLOCK ? node->set.target : NULL) &&
           finish_scope(f.symbols, &node->set.scope);
}

static bool bind_with(am_jinja *j, const frame *outer, am_jnode *node)
{
    frame f = {.symbols = new_symbols(j, outer->symbols, outer->symbols->function)};
    return f.symbols && analyze_all(f.symbols, &node->with.targets) && analyze_all(f.symbols, &node->with.body) &&
           bind_all(j, *outer, &node->with.values) && bind_all(j, f, &node->with.targets) &&
           bind_all(j, f, &node->with.body) && finish_scope(f.symbols, &node->with.scope);
}

/* A block sees only the context, not the variables around it. */
static bool bind_block(am_jinja *j, am_jnode *node)
{
    activation *function = new_function(j, NULL);
    frame f = {.symbols = function ? new_symbols(j, NULL, function) : NULL};
    return f.symbols && analyze_all(f.symbols, &node->block.body) && bind_all(j, f, &node->block.body) &&
           finish_scope(f.symbols, &node->block.scope) && ((node->block.slots = function->slots), true);
}

static bool bind_softly(binder *b, am_jnode *node)
{
    binder soft = *b;
    soft.frame.soft = true;
    return am_jnode_children(node, bind, &soft);
}

static bool bind(void *context, am_jnode *node)
{
    binder *b = context;
    const frame *f = &b->frame;
    switch (node->kind) {
    case AM_N_NAME:
    case AM_N_NAMESPACE:
        return bind_name(b->j, f, node);
    case AM_N_FILTER:
    case AM_N_TEST:
        return bind_routine(b->j, f, node) && am_jnode_children(node, bind, b);
    case AM_N_CONDITION:
    case AM_N_IF:
        return bind_softly(b, node);
    case AM_N_FOR:
        return bind_for(b->j, f, node);
    case AM_N_MACRO:
        return bind_macro(b->j, f, &node->macro.macro, node->offset) && bind_one(b->j, *f, node->macro.target);
    case AM_N_CALL_BLOCK:
    case AM_N_GENERATION:
        return bind_macro(b->j, f, &node->macro.macro, node->offset) && bind_one(b->j, *f, node->macro.call);
    case AM_N_SET_BLOCK:
    case AM_N_FILTER_BLOCK:
        return bind_set_block(b->j, f, node);
    case AM_N_WITH:
        return bind_with(b->j, f, node);
    case AM_N_BLOCK:
        return bind_block(b->j, node);
    default:
        return am_jnode_children(node, bind, b);
    }
}

bool am_jresolve(am_jinja *j, am_jprogram *program)
{
    activation *function = new_function(j, NULL);
    frame f = {.symbols = function ? new_symbols(j, NULL, function) : NULL, .top_level = true};
    if (!f.symbols || !analyze_all(f.symbols, &program->body) || !bind_all(j, f, &program->body)) return false;
    program->slots = function->slots;
    return finish_scope(f.symbols, &program->scope);
}
