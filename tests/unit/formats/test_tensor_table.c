#include "test_support.h"

#include "base/memory.h"
#include "formats/tensor_table.h"

#include <stdio.h>
#include <string.h>

static void add(am_tensor_table *table, const char *name, const void *data)
{
    am_named_tensor tensor = {.name = name, .file = "f", .dtype = AM_F32, .shape = am_shape_of(1), .data = data};
    am_test_expect_ok(am_tensor_table_add(table, &tensor, strlen(name)));
}

static void formats_tensor_table__finds_each_of_many_names(void **state)
{
    enum { COUNT = 5000 };
    static char bytes[COUNT];
    am_tensor_table table = {0};
    assert_null(am_tensor_table_find(&table, "0"));
    for (int i = 0; i < COUNT; i++) add(&table, am_test_format("layer.%d.weight", i), &bytes[i]);
    assert_int_equal(table.count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        const am_named_tensor *tensor = am_tensor_table_find(&table, am_test_format("layer.%d.weight", i));
        assert_non_null(tensor);
        assert_ptr_equal(tensor->data, &bytes[i]);
        assert_ptr_equal(tensor, &table.tensors[i]);
    }
    assert_null(am_tensor_table_find(&table, "layer.5000.weight"));
    assert_null(am_tensor_table_find(&table, "layer.1.weigh"));
    assert_null(am_tensor_table_find(&table, "layer.1.weight2"));
    assert_null(am_tensor_table_find(&table, ""));
    am_tensor_table_deinit(&table);
    assert_int_equal(table.count, 0);
}

static void formats_tensor_table__names_are_bytes_of_a_length(void **state)
{
    am_tensor_table table = {0};
    am_named_tensor tensor = {.name = "abc", .file = "f", .dtype = AM_F32, .shape = am_shape_of(0)};
    am_test_expect_ok(am_tensor_table_add(&table, &tensor, 2));
    assert_non_null(am_tensor_table_find(&table, "ab"));
    assert_null(am_tensor_table_find(&table, "abc"));
    am_test_expect_ok(am_tensor_table_add(&table, &tensor, 3));
    assert_non_null(am_tensor_table_find(&table, "abc"));
    tensor.name = "";
    am_test_expect_ok(am_tensor_table_add(&table, &tensor, 0));
    assert_string_equal(am_tensor_table_find(&table, "")->name, "");
    am_tensor_table_deinit(&table);
}

static void formats_tensor_table__rejects_a_name_twice(void **state)
{
    am_tensor_table table = {0};
    add(&table, "x", NULL);
    am_named_tensor tensor = {.name = "x", .file = "second", .dtype = AM_I64, .shape = am_shape_of(0)};
    am_test_expect_error(am_tensor_table_add(&table, &tensor, 1), AM_INVALID_FILE,
                         "second: tensor x is there twice, first in f");
    assert_int_equal(table.count, 1);
    assert_int_equal(am_tensor_table_find(&table, "x")->dtype, AM_F32);
    am_tensor_table_deinit(&table);
}

static void formats_tensor_table__rejects_a_zero_byte_in_a_name(void **state)
{
    am_tensor_table table = {0};
    am_named_tensor tensor = {.name = "a\0b", .file = "f", .dtype = AM_F32, .shape = am_shape_of(0)};
    am_test_expect_error(am_tensor_table_add(&table, &tensor, 3), AM_INVALID_FILE, "zero byte");
    am_tensor_table_deinit(&table);
}

/* Memory given to the table is released also when the table cannot take it; leaks are what the address
   sanitizer sees. */
static void formats_tensor_table__failed_allocations_lose_nothing(void **state)
{
    for (int n = 0;; n++) {
        am_tensor_table table = {0};
        void *block = am_alloc_aligned(16);
        am_named_tensor tensor = {.name = "x", .file = "f", .dtype = AM_F32, .shape = am_shape_of(4)};
        am_memory_fail_after(n);
        am_status status = am_tensor_table_take_memory(&table, block);
        tensor.data = block;
        if (!status) status = am_tensor_table_add(&table, &tensor, 1);
        am_memory_fail_after(-1);
        bool done = !status;
        if (status) am_test_expect_error(status, AM_OUT_OF_MEMORY, "");
        am_tensor_table_deinit(&table);
        if (done) break;
        assert_true(n <= 100);
    }
}
