#include "models/model.h"
#include "test_support.h"

static const am_renaming list[] = {
    {".mlp.experts.", ".experts."}, {".mlp.", ".ffn."}, {"^model.", ""}, {"^lm_head.", "output."}, {0},
};

static void models_renaming__renames_all_places_in_turn(void **state)
{
    (void)state;
    char name[64];
    assert_true(am_rename_weight(list, "model.layers.0.mlp.up.mlp.weight", name, sizeof name));
    assert_string_equal(name, "layers.0.ffn.up.ffn.weight");
    assert_true(am_rename_weight(list, "model.layers.0.mlp.experts.3.weight", name, sizeof name));
    assert_string_equal(name, "layers.0.experts.3.weight");
    assert_true(am_rename_weight(list, "lm_head.weight", name, sizeof name));
    assert_string_equal(name, "output.weight");
}

static void models_renaming__beginnings_are_at_the_beginning(void **state)
{
    (void)state;
    char name[64];
    assert_false(am_rename_weight(list, "a.model.lm_head.weight", name, sizeof name));
    assert_true(am_rename_weight(list, "model.model.weight", name, sizeof name));
    assert_string_equal(name, "model.weight");
}

static void models_renaming__names_that_do_not_fit_are_none(void **state)
{
    (void)state;
    char name[8] = "kept", longest[600];
    assert_false(am_rename_weight(list, "model.layers.0", name, sizeof name));
    assert_string_equal(name, "kept");
    for (size_t i = 0; i < sizeof longest - 1; i++) longest[i] = 'a';
    longest[sizeof longest - 1] = 0;
    assert_false(am_rename_weight(list, longest, name, sizeof name));
}
