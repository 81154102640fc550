#include "graph/ops/window.h"
#include "targets/cpu/kernel.h"

#include <string.h>

/* y as [B, C, kernel.., positions..]: the element of x in the window at those positions, or zero outside. */
am_status am_reference_unfold(const am_kernel_call *call)
{
    const am_unfold_attributes *a = AM_ATTRIBUTES(am_unfold_attributes, call);
    const am_tensor *x = &call->inputs[0], *y = &call->outputs[0];
    size_t bytes = am_dtype_bytes(x->dtype);
    int spatial = x->shape.rank - 2;
    am_window windows[3];
    am_shape view = {.rank = 2 + 2 * spatial, .dims = {x->shape.dims[0], x->shape.dims[1]}};
    for (int i = 0; i < spatial; i++) {
        windows[i] = am_unfold_window(a, i, x->shape.dims[2 + i]);
        view.dims[2 + i] = windows[i].kernel;
        AM_TRY(am_window_places(&windows[i], &view.dims[2 + spatial + i]));
    }
    for (am_walk w = am_walk_begin(&view); am_walk_more(&w); am_walk_next(&w)) {
        int64_t from = w.index[0] * x->shape.dims[1] + w.index[1];
        bool inside = true;
        for (int i = 0; i < spatial; i++) {
            int64_t p =
                w.index[2 + spatial + i] * windows[i].stride - windows[i].before + w.index[2 + i] * windows[i].dilation;
            inside = inside && p >= 0 && p < windows[i].size;
            from = from * windows[i].size + p;
        }
        char *to = (char *)y->data + (size_t)w.flat * bytes;
        if (inside) memcpy(to, (const char *)x->data + (size_t)from * bytes, bytes);
        else memset(to, 0, bytes);
    }
    return NULL;
}
