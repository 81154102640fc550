#include "targets/cpu/prepared.h"

#include "base/memory.h"
#include "base/memory_limit.h"
#include "base/prng.h"
#include "targets/cpu/weight_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct am_prepared {
    am_prepared *next;
    const am_kernel *kernel;
    void *attributes; /* of the node, copied */
    am_tensor source;
    const void *data;
    void *own;           /* the same where it is memory of this process */
    size_t mapped_bytes; /* else, of the cache's */
    int users;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static am_prepared *lists[1024]; /* by where the weight is: experts are thousands */

static am_prepared **list_of(const am_tensor *source)
{
    uint64_t place = (uint64_t)(uintptr_t)source->data;
    return &lists[am_splitmix(0, place) % (sizeof lists / sizeof *lists)];
}

static bool is_same(const am_prepared *p, const am_kernel *kernel, const am_node *node, const am_tensor *source)
{
    size_t attributes = am_op_of(node->op)->attributes_bytes;
    return p->kernel == kernel && p->source.data == source->data && p->source.dtype == source->dtype &&
           am_shape_equal(&p->source.shape, &source->shape) &&
           (attributes == 0 || memcmp(p->attributes, node->attributes, attributes) == 0);
}

static am_prepared *find(const am_kernel *kernel, const am_kernel_call *call)
{
    const am_tensor *source = &call->inputs[kernel->prepared_input];
    for (am_prepared *p = *list_of(source); p; p = p->next)
        if (is_same(p, kernel, call->node, source)) return p;
    return NULL;
}

static void destroy(am_prepared *p)
{
    am_weight_cache_end(p->data, p->own, p->mapped_bytes);
    am_free(p->attributes);
    am_free(p);
}

/* All that decides about the bytes but the weight itself. */
static am_weight_form form_of(const am_kernel *kernel, const am_kernel_call *call, size_t bytes)
{
    const am_tensor *source = &call->inputs[kernel->prepared_input];
    am_weight_form form = {source->data, am_tensor_bytes(source->dtype, &source->shape), {0}, bytes};
    size_t attributes = am_op_of(call->node->op)->attributes_bytes;
    char text[256];
    am_sha256 hash;
    int length = snprintf(text, sizeof text, "%s %d %s %d %s", kernel->name, kernel->prepared_version,
                          call->micro ? call->micro->name : "", call->micro ? call->micro->panel_columns : 0,
                          am_dtype_name(source->dtype));
    am_sha256_begin(&hash);
    am_sha256_add(&hash, text, (size_t)length + 1);
    for (int i = 0; i < source->shape.rank; i++)
        am_sha256_add(&hash, &source->shape.dims[i], sizeof source->shape.dims[i]);
    if (attributes) am_sha256_add(&hash, call->node->attributes, attributes);
    am_sha256_end(&hash, form.form);
    return form;
}

/* False where there is no memory for it. */
static bool fill(am_prepared *p, const am_kernel *kernel, const am_kernel_call *call, size_t bytes)
{
    am_weight_form form = form_of(kernel, call, bytes);
    p->data = am_weight_cache_map(&form);
    p->mapped_bytes = bytes;
    if (p->data) return true;
    am_status status = am_memory_check(bytes, "a weight in the form of a kernel");
    p->data = p->own = status ? NULL : am_alloc_large(bytes);
    am_status_free(status);
    if (!p->own) return false;
    kernel->prepare(call, p->own);
    am_weight_cache_keep(&form, p->own);
    return true;
}

static am_prepared *make(const am_kernel *kernel, const am_kernel_call *call, size_t bytes)
{
    size_t attributes = am_op_of(call->node->op)->attributes_bytes;
    am_prepared *p = am_alloc_zeroed(1, sizeof *p);
    if (!p) return NULL;
    *p = (am_prepared){
        .kernel = kernel, .source = call->inputs[kernel->prepared_input], .attributes = am_alloc(attributes + 1)};
    if (!p->attributes || !fill(p, kernel, call, bytes)) {
        destroy(p);
        return NULL;
    }
    if (attributes) memcpy(p->attributes, call->node->attributes, attributes);
    am_prepared **list = list_of(&p->source);
    p->next = *list;
    *list = p;
    return p;
}

am_prepared *am_prepared_share(const am_kernel *kernel, const am_kernel_call *call, size_t bytes, bool *out_new)
{
    pthread_mutex_lock(&lock);
    am_prepared *p = find(kernel, call);
    *out_new = !p;
    if (!p) p = make(kernel, call, bytes);
    if (p) p->users++;
    pthread_mutex_unlock(&lock);
    return p;
}

void am_prepared_release(am_prepared *p)
{
    if (!p) return;
    pthread_mutex_lock(&lock);
    bool last = --p->users == 0;
    for (am_prepared **at = list_of(&p->source); last && *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    pthread_mutex_unlock(&lock);
    if (last) destroy(p);
}

const void *am_prepared_data(const am_prepared *p)
{
    return p->data;
}
