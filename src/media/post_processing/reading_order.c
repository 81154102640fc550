#include "media/post_processing/reading_order.h"

#include "base/arena.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Parts that are read one after the other without a break. */
typedef struct component {
    int64_t begin, count; /* in page.nodes */
    int64_t number;
    float vote; /* how late it is */
} component;

/* Edges are those of `next` above 0 that are not removed: from a part to the one after it. */
typedef struct page {
    int64_t count;
    const float *next;
    bool *edges;   /* [count, count] */
    float *before; /* probabilities, [count, count]; 0 on the diagonal */
    float *votes;  /* [count] */
    int64_t *labels, *nodes, *degrees, *candidates, *weakest;
    int64_t *stack, *low, *found, *resume; /* of the search for circles */
    component *components;
} page;

static am_status make_page(am_arena *arena, const float *before, const float *next, int64_t count, page *out)
{
    int64_t **rows[] = {&out->labels, &out->nodes, &out->degrees, &out->candidates, &out->weakest,
                        &out->stack,  &out->low,   &out->found,   &out->resume};
    size_t n = (size_t)count;
    *out = (page){.count = count, .next = next};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!(*rows[i] = am_arena_array(arena, n, sizeof **rows[i]))) return am_out_of_memory();
    out->edges = am_arena_array(arena, n * n, sizeof *out->edges);
    out->before = am_arena_array(arena, n * n, sizeof *out->before);
    out->votes = am_arena_array(arena, n, sizeof *out->votes);
    out->components = am_arena_array(arena, n, sizeof *out->components);
    if (!out->edges || !out->before || !out->votes || !out->components) return am_out_of_memory();
    for (int64_t i = 0; i < count * count; i++) {
        bool is_self = i / count == i % count;
        float falling = expf(-fabsf(before[i]));
        out->edges[i] = !is_self && next[i] > 0.0f;
        out->before[i] = is_self ? 0.0f : before[i] >= 0.0f ? 1.0f / (1.0f + falling) : falling / (1.0f + falling);
        out->votes[i % count] += out->before[i];
    }
    return NULL;
}

/* --- circles --- */

typedef struct search {
    page *p;
    int64_t order, depth, open, labels; /* open: how many nodes of the stack have no label */
} search;

static void enter(search *s, int64_t node, int64_t *path)
{
    page *p = s->p;
    p->found[node] = p->low[node] = ++s->order;
    p->resume[node] = 0;
    p->stack[s->open++] = node;
    path[s->depth++] = node;
}

/* Labels what a finished node closes, and tells the node that led to it. */
static void leave(search *s, int64_t node, const int64_t *path)
{
    page *p = s->p;
    if (p->low[node] == p->found[node]) {
        int64_t member;
        do {
            member = p->stack[--s->open];
            p->labels[member] = s->labels;
        } while (member != node);
        s->labels++;
    }
    s->depth--;
    int64_t parent = s->depth ? path[s->depth - 1] : node;
    if (p->low[node] < p->low[parent]) p->low[parent] = p->low[node];
}

/* Tarjan's strongly connected components, into labels. */
static void label_circles(page *p, int64_t *path)
{
    search s = {.p = p};
    memset(p->found, 0, (size_t)p->count * sizeof *p->found);
    for (int64_t i = 0; i < p->count; i++) p->labels[i] = -1;
    for (int64_t root = 0; root < p->count; root++) {
        if (!p->found[root]) enter(&s, root, path);
        while (s.depth) {
            int64_t node = path[s.depth - 1], to = p->resume[node]++;
            if (to == p->count) {
                leave(&s, node, path);
                continue;
            }
            if (!p->edges[node * p->count + to]) continue;
            if (!p->found[to]) enter(&s, to, path);
            else if (p->labels[to] < 0 && p->found[to] < p->low[node]) p->low[node] = p->found[to];
        }
    }
}

/* Takes the weakest edge, the first of equal ones, out of each component that has circles. Returns whether any had. */
static bool remove_weakest(page *p)
{
    bool any = false;
    for (int64_t i = 0; i < p->count; i++) p->weakest[i] = -1;
    for (int64_t i = 0; i < p->count * p->count; i++) {
        int64_t label = p->labels[i / p->count];
        if (!p->edges[i] || label != p->labels[i % p->count]) continue;
        if (p->weakest[label] < 0 || p->next[i] < p->next[p->weakest[label]]) p->weakest[label] = i;
    }
    for (int64_t i = 0; i < p->count; i++) {
        if (p->weakest[i] < 0) continue;
        p->edges[p->weakest[i]] = false;
        any = true;
    }
    return any;
}

/* --- components --- */

static bool are_joined(const page *p, int64_t a, int64_t b)
{
    return p->edges[a * p->count + b] || p->edges[b * p->count + a];
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Groups nodes into the components of the graph without directions, nodes and components by their lowest number. */
static int64_t find_components(page *p)
{
    int64_t count = 0, filled = 0;
    for (int64_t i = 0; i < p->count; i++) p->labels[i] = -1;
    for (int64_t root = 0; root < p->count; root++) {
        if (p->labels[root] >= 0) continue;
        int64_t begin = filled;
        p->labels[root] = count;
        p->nodes[filled++] = root;
        for (int64_t at = begin; at < filled; at++)
            for (int64_t to = 0; to < p->count; to++) {
                if (p->labels[to] >= 0 || !are_joined(p, p->nodes[at], to)) continue;
                p->labels[to] = count;
                p->nodes[filled++] = to;
            }
        qsort(p->nodes + begin, (size_t)(filled - begin), sizeof *p->nodes, by_number);
        p->components[count] = (component){.begin = begin, .count = filled - begin, .number = count};
        count++;
    }
    return count;
}

/* Which of the candidates is read before the most of the others; the lowest of equal ones. Less than 0 where they have
   no numbers. */
static int64_t pick(const page *p, int64_t candidates)
{
    int64_t best = candidates == 1 ? 0 : -1;
    float best_score = -1.0f;
    for (int64_t i = 0; i < candidates && candidates > 1; i++) {
        float score = 0.0f;
        for (int64_t k = 0; k < candidates; k++)
            if (k != i) score += p->before[p->candidates[i] * p->count + p->candidates[k]];
        bool is_lower = best < 0 || p->candidates[i] < p->candidates[best];
        if (!(score > best_score) && !(score == best_score && is_lower)) continue;
        best = i;
        best_score = score;
    }
    return best;
}

/* Puts a component's nodes in an order that keeps its edges. */
static am_status sort_nodes(page *p, const component *c)
{
    int64_t *nodes = p->nodes + c->begin, waiting = 0, done = 0;
    for (int64_t i = 0; i < c->count; i++) {
        p->degrees[nodes[i]] = 0;
        for (int64_t from = 0; from < p->count; from++) p->degrees[nodes[i]] += p->edges[from * p->count + nodes[i]];
        if (!p->degrees[nodes[i]]) p->candidates[waiting++] = nodes[i];
    }
    while (waiting) {
        int64_t at = pick(p, waiting);
        if (at < 0) return am_error(AM_INVALID_ARGUMENT, "relative_order_logits: expected numbers");
        int64_t node = p->candidates[at];
        waiting--;
        memmove(p->candidates + at, p->candidates + at + 1, (size_t)(waiting - at) * sizeof *p->candidates);
        nodes[done++] = node;
        for (int64_t to = 0; to < p->count; to++)
            if (p->edges[node * p->count + to] && !--p->degrees[to]) p->candidates[waiting++] = to;
    }
    return NULL;
}

static int by_vote(const void *a, const void *b)
{
    const component *x = a, *y = b;
    if (x->vote != y->vote) return x->vote < y->vote ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static am_status rank(page *p, int64_t *ranks)
{
    int64_t count = find_components(p), at = 0;
    for (int64_t i = 0; i < count; i++) {
        component *c = &p->components[i];
        if (c->count > 1) AM_TRY(sort_nodes(p, c));
        float sum = 0.0f;
        for (int64_t k = 0; k < c->count; k++) sum += p->votes[p->nodes[c->begin + k]];
        c->vote = sum / (float)c->count;
    }
    qsort(p->components, (size_t)count, sizeof *p->components, by_vote);
    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < p->components[i].count; k++) ranks[p->nodes[p->components[i].begin + k]] = at++;
    return NULL;
}

am_status am_reading_order(const float *before, const float *next, int64_t count, int64_t *ranks)
{
    am_arena arena = {0};
    page p;
    if (count == 1) ranks[0] = 0;
    if (count <= 1) return NULL;
    am_status status = make_page(&arena, before, next, count, &p);
    if (!status) {
        do label_circles(&p, p.candidates);
        while (remove_weakest(&p));
        status = rank(&p, ranks);
    }
    am_arena_deinit(&arena);
    return status;
}
