#include "targets/cpu/prepared.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/memory_limit.h"

#include <pthread.h>
#include <string.h>

struct am_prepared {
    am_prepared *next;
    const am_kernel *kernel;
    void *attributes; /* of the node, copied */
    am_tensor source;
    void *data;
    int users;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static am_prepared *all;

static bool is_same(const am_prepared *p, const am_kernel *kernel, const am_node *node, const am_tensor *source)
{
    return p->kernel == kernel && p->source.data == source->data && p->source.dtype == source->dtype &&
           am_shape_equal(&p->source.shape, &source->shape) &&
           memcmp(p->attributes, node->attributes, am_op_of(node->op)->attributes_bytes) == 0;
}

static am_prepared *find(const am_kernel *kernel, const am_kernel_call *call)
{
    for (am_prepared *p = all; p; p = p->next)
        if (is_same(p, kernel, call->node, &call->inputs[kernel->prepared_input])) return p;
    return NULL;
}

static void destroy(am_prepared *p)
{
    am_free_aligned(p->data);
    am_free(p->attributes);
    am_free(p);
}

static am_prepared *make(const am_kernel *kernel, const am_kernel_call *call, size_t bytes)
{
    size_t attributes = am_op_of(call->node->op)->attributes_bytes;
    am_status status = am_memory_check(bytes, "a weight in the form of a kernel");
    am_prepared *p = status ? NULL : am_alloc_zeroed(1, sizeof *p);
    am_status_free(status);
    if (!p) return NULL;
    *p = (am_prepared){.kernel = kernel,
                       .source = call->inputs[kernel->prepared_input],
                       .attributes = am_alloc(attributes + 1),
                       .data = am_alloc_large(bytes)};
    if (!p->attributes || !p->data) {
        destroy(p);
        return NULL;
    }
    if (attributes) memcpy(p->attributes, call->node->attributes, attributes);
    kernel->prepare(call, p->data);
    am_file_give_back(p->source.data, am_tensor_bytes(p->source.dtype, &p->source.shape));
    p->next = all;
    all = p;
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
    for (am_prepared **at = &all; last && *at; at = &(*at)->next)
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
