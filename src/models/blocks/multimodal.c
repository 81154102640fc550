#include "models/blocks/multimodal.h"

am_value am_merge_features(am_builder *b, am_value x, const am_feature_rows *f)
{
    int64_t N = am_dim(b, f->rows, 0);
    if (f->repeats) {
        am_value is = am_unsqueeze(b, am_binary_number(b, AM_EQUAL, f->ids, (double)f->token), -1);
        return am_select(b, is, am_unsqueeze(b, f->rows, 0), x);
    }
    if (!f->may_be_left) am_require_count(b, f->ids, f->token, N, "rows of features");
    am_value is_feature = am_binary_number(b, AM_EQUAL, am_flatten(b, f->ids, 0, 1), (double)f->token); /* [B * T] */
    am_value count = am_scan(b, AM_REDUCE_SUM, am_cast(b, is_feature, AM_I32), 0, false, false);
    am_value row = am_binary_number(b, AM_MAX, am_add_number(b, count, -1), 0);
    am_value differs = am_binary_number(b, AM_NOT_EQUAL, am_slice(b, count, 0, -1, AM_SLICE_END), (double)N);
    if (!f->may_be_left) /* beyond the last, then */
        row = am_add(b, row, am_mul_number(b, am_cast(b, differs, AM_I32), (double)N));
    am_value rows =
        am_select(b, am_unsqueeze(b, is_feature, -1), am_gather(b, f->rows, row, 0, false), am_flatten(b, x, 0, 1));
    return am_reshape(b, rows, am_shape_of_value(b, x));
}

am_value am_spread_rows(am_builder *b, am_value rows, am_value is)
{
    am_shape shape = am_shape_of_value(b, is);
    am_value flat = am_flatten(b, is, 0, 1);
    am_value row = am_add_number(b, am_scan(b, AM_REDUCE_SUM, am_cast(b, flat, AM_I32), 0, false, false), -1);
    row = am_binary_number(b, AM_MIN, am_binary_number(b, AM_MAX, row, 0), (double)(am_dim(b, rows, 0) - 1));
    am_value x = am_select(b, am_unsqueeze(b, flat, -1), am_gather(b, rows, row, 0, false), am_scalar(b, AM_F32, 0));
    return am_builder_failed(b) ? AM_NONE
                                : am_reshape(b, x, am_shape_of(shape.dims[0], shape.dims[1], am_dim(b, rows, 1)));
}

am_value am_merge_marked(am_builder *b, am_value x, am_value is, am_value rows, am_value marks)
{
    int64_t B = am_dim(b, x, 0), T = am_dim(b, x, 1), C = am_dim(b, x, 2);
    am_value number = am_reshape(b, am_cast(b, is, AM_I32), am_shape_of(B * T)), place;
    number = am_scan(b, AM_REDUCE_SUM, number, 0, false, false); /* from 1 */
    if (marks.id) {
        am_value counted = am_cast(b, am_binary_number(b, AM_NOT_EQUAL, marks, 0), AM_I32);
        place = am_search_sorted(b, am_scan(b, AM_REDUCE_SUM, counted, 0, false, false), number, false);
    } else place = am_binary_number(b, AM_MAX, am_add_number(b, number, -1), 0);
    rows = am_reshape(b, am_gather(b, rows, place, 0, false), am_shape_of(B, T, C));
    return am_select(b, am_unsqueeze(b, is, 2), rows, x);
}

am_value am_merge_part_features(am_builder *b, am_value x)
{
    const am_feature_rows *features;
    int count = am_part_features(b, &features);
    for (int i = 0; i < count; i++) x = am_merge_features(b, x, &features[i]);
    return x;
}
