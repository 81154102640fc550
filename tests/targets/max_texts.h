/* Graphs as MAX's Python API writes them, which MAX 26.7 gets wrong. */
#ifndef AM_TESTS_TARGETS_MAX_TEXTS_H
#define AM_TESTS_TARGETS_MAX_TEXTS_H

/* softmax(q k^T / 4 + causal mask) v over 4 heads and 32 keys, the number n of queries being symbolic and the mask made
   of ranges: q [4, n, 16], k, v [4, 32, 16]. */
static const char max_text_symbolic_mask[] =
    "mo.graph @symbolic<n>(%q: !mo.tensor<[4, n, 16], f32>, %k: !mo.tensor<[4, 32, 16], f32>, "
    "%v: !mo.tensor<[4, 32, 16], f32>) -> !mo.tensor<[4, n, 16], f32> attributes "
    "{argument_names = [\"input0\", \"input1\", \"input2\"], result_names = [\"output0\"]} {\n"
    "  %1 = mo.constant <#M.dense_array<0> : tensor<si64>> : !mo.tensor<[], si64>\n"
    "  %2 = rmo.shape_to_tensor() [shape = #mosh<ape[n]> : !mosh.ape] : () -> !mo.tensor<[1], si64>\n"
    "  %3 = rmo.reshape(%2) [newShape = #mosh<ape[]> : !mosh.ape] : (!mo.tensor<[1], si64>) -> !mo.tensor<[], si64>\n"
    "  %4 = mo.constant <#M.dense_array<1> : tensor<si64>> : !mo.tensor<[], si64>\n"
    "  %5 = rmo.mo.range(%1, %3, %4) : (!mo.tensor<[], si64>, !mo.tensor<[], si64>, !mo.tensor<[], si64>) -> "
    "!mo.tensor<[n], si64>\n"
    "  %7 = mo.constant <#M.dense_array<32> : tensor<si64>> : !mo.tensor<[], si64>\n"
    "  %9 = rmo.mo.range(%1, %7, %4) : (!mo.tensor<[], si64>, !mo.tensor<[], si64>, !mo.tensor<[], si64>) -> "
    "!mo.tensor<[32], si64>\n"
    "  %10 = rmo.reshape(%5) [newShape = #mosh<ape[n, 1]> : !mosh.ape] : (!mo.tensor<[n], si64>) -> "
    "!mo.tensor<[n, 1], si64>\n"
    "  %11 = rmo.reshape(%9) [newShape = #mosh<ape[1, 32]> : !mosh.ape] : (!mo.tensor<[32], si64>) -> "
    "!mo.tensor<[1, 32], si64>\n"
    "  %12 = rmo.greater_equal(%10, %11) : (!mo.tensor<[n, 1], si64>, !mo.tensor<[1, 32], si64>) -> "
    "!mo.tensor<[n, 32], bool>\n"
    "  %13 = mo.constant <#M.dense_array<0.000000e+00> : tensor<f32>> : !mo.tensor<[], f32>\n"
    "  %14 = mo.constant <#M.dense_array<-1.000000e+30> : tensor<f32>> : !mo.tensor<[], f32>\n"
    "  %15 = rmo.select(%12, %13, %14) : (!mo.tensor<[n, 32], bool>, !mo.tensor<[], f32>, !mo.tensor<[], f32>) -> "
    "!mo.tensor<[n, 32], f32>\n"
    "  %16 = mo.constant <#M.dense_array<0, 2, 1> : tensor<3xsi64>> : !mo.tensor<[3], si64>\n"
    "  %17 = rmo.mo.transpose(%k, %16) : (!mo.tensor<[4, 32, 16], f32>, !mo.tensor<[3], si64>) -> "
    "!mo.tensor<[4, 16, 32], f32>\n"
    "  %18 = rmo.matmul(%q, %17) : (!mo.tensor<[4, n, 16], f32>, !mo.tensor<[4, 16, 32], f32>) -> "
    "!mo.tensor<[4, n, 32], f32>\n"
    "  %19 = mo.constant <#M.dense_array<2.500000e-01> : tensor<f32>> : !mo.tensor<[], f32>\n"
    "  %20 = rmo.mul(%18, %19) : (!mo.tensor<[4, n, 32], f32>, !mo.tensor<[], f32>) -> !mo.tensor<[4, n, 32], f32>\n"
    "  %21 = rmo.add(%20, %15) : (!mo.tensor<[4, n, 32], f32>, !mo.tensor<[n, 32], f32>) -> "
    "!mo.tensor<[4, n, 32], f32>\n"
    "  %22 = rmo.mo.reduce.softmax(%21) [axis = 2] : (!mo.tensor<[4, n, 32], f32>) -> !mo.tensor<[4, n, 32], f32>\n"
    "  %23 = rmo.matmul(%22, %v) : (!mo.tensor<[4, n, 32], f32>, !mo.tensor<[4, 32, 16], f32>) -> "
    "!mo.tensor<[4, n, 16], f32>\n"
    "  mo.output %23 : !mo.tensor<[4, n, 16], f32>\n"
    "}\n";

/* Averages over 3 x 3 of [1, 8, 8, 1] with stride 2: output0 with padding 1 that is not to be counted, output1 in ceil
   mode. */
static const char max_text_average[] =
    "mo.graph @average(%x: !mo.tensor<[1, 8, 8, 1], f32>) -> (!mo.tensor<[1, 4, 4, 1], f32>, "
    "!mo.tensor<[1, 4, 4, 1], f32>) attributes {argument_names = [\"input0\"], result_names = [\"output0\", "
    "\"output1\"]} {\n"
    "  %1 = rmo.avg_pool(%x) [filter_shape = #mosh<ape[3, 3]> : !mosh.ape, strides = #mosh<ape[2, 2]> : !mosh.ape, "
    "dilations = #mosh<ape[1, 1]> : !mosh.ape, paddings = #mosh<ape[1, 1, 1, 1]> : !mosh.ape, ceil_mode = false, "
    "count_boundary = false] : (!mo.tensor<[1, 8, 8, 1], f32>) -> !mo.tensor<[1, 4, 4, 1], f32>\n"
    "  %2 = rmo.avg_pool(%x) [filter_shape = #mosh<ape[3, 3]> : !mosh.ape, strides = #mosh<ape[2, 2]> : !mosh.ape, "
    "dilations = #mosh<ape[1, 1]> : !mosh.ape, paddings = #mosh<ape[0, 0, 0, 0]> : !mosh.ape, ceil_mode = true, "
    "count_boundary = true] : (!mo.tensor<[1, 8, 8, 1], f32>) -> !mo.tensor<[1, 4, 4, 1], f32>\n"
    "  mo.output %1, %2 : !mo.tensor<[1, 4, 4, 1], f32>, !mo.tensor<[1, 4, 4, 1], f32>\n"
    "}\n";

/* softmax(x + mask) v, x being an argument: its compiler ends its process. */
static const char max_text_input_plus_mask[] =
    "mo.graph @crash(%x: !mo.tensor<[2, 2, 4, 4], f32>, %m: !mo.tensor<[4, 4], f32>, "
    "%v: !mo.tensor<[2, 2, 4, 5], f32>) -> !mo.tensor<[2, 2, 4, 5], f32> attributes "
    "{argument_names = [\"input0\", \"input1\", \"input2\"], result_names = [\"output0\"]} {\n"
    "  %1 = rmo.add(%x, %m) : (!mo.tensor<[2, 2, 4, 4], f32>, !mo.tensor<[4, 4], f32>) -> "
    "!mo.tensor<[2, 2, 4, 4], f32>\n"
    "  %2 = rmo.mo.reduce.softmax(%1) [axis = 3] : (!mo.tensor<[2, 2, 4, 4], f32>) -> !mo.tensor<[2, 2, 4, 4], f32>\n"
    "  %3 = rmo.matmul(%2, %v) : (!mo.tensor<[2, 2, 4, 4], f32>, !mo.tensor<[2, 2, 4, 5], f32>) -> "
    "!mo.tensor<[2, 2, 4, 5], f32>\n"
    "  mo.output %3 : !mo.tensor<[2, 2, 4, 5], f32>\n"
    "}\n";

/* A convolution of one place, [2, 10] by [10, 40], and its 40 channels multiplied by a factor each. */
static const char max_text_one_place[] =
    "mo.graph @place(%x: !mo.tensor<[2, 1, 1, 10], f32>, %w: !mo.tensor<[1, 1, 10, 40], f32>, "
    "%s: !mo.tensor<[40, 1, 1], f32>) -> !mo.tensor<[2, 40, 1, 1], f32> attributes "
    "{argument_names = [\"input0\", \"input1\", \"input2\"], result_names = [\"output0\"]} {\n"
    "  %1 = rmo.rebind_tensor_shape(%w) [message = \"\"] : (!mo.tensor<[1, 1, 10, 40], f32>) -> "
    "!mo.tensor<[1, 1, 10, 40], f32, {layout = #mo.layout<RSCF>}>\n"
    "  %2 = rmo.conv(%x, %1) [strides = #mosh<ape[1, 1]> : !mosh.ape, dilations = #mosh<ape[1, 1]> : !mosh.ape, "
    "paddings = #mosh<ape[0, 0, 0, 0]> : !mosh.ape, num_groups = 1] : (!mo.tensor<[2, 1, 1, 10], f32>, "
    "!mo.tensor<[1, 1, 10, 40], f32, {layout = #mo.layout<RSCF>}>) -> !mo.tensor<[2, 1, 1, 40], f32>\n"
    "  %3 = mo.constant <#M.dense_array<0, 3, 1, 2> : tensor<4xsi64>> : !mo.tensor<[4], si64>\n"
    "  %4 = rmo.mo.transpose(%2, %3) : (!mo.tensor<[2, 1, 1, 40], f32>, !mo.tensor<[4], si64>) -> "
    "!mo.tensor<[2, 40, 1, 1], f32>\n"
    "  %5 = rmo.mul(%4, %s) : (!mo.tensor<[2, 40, 1, 1], f32>, !mo.tensor<[40, 1, 1], f32>) -> "
    "!mo.tensor<[2, 40, 1, 1], f32>\n"
    "  mo.output %5 : !mo.tensor<[2, 40, 1, 1], f32>\n"
    "}\n";

#endif
