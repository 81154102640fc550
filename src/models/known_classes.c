#include "models/known_classes.h"

#include "models/model.h"

#include <string.h>

enum { NAME_LIMIT = 128, NEAR_LIMIT = 3 };

/* The least number of letters to insert, remove or replace (Levenshtein); NAME_LIMIT for names that are as long. */
static int distance(const char *a, const char *b)
{
    size_t rows = strlen(a), columns = strlen(b);
    int row[NAME_LIMIT];
    if (rows >= NAME_LIMIT || columns >= NAME_LIMIT) return NAME_LIMIT;
    for (size_t j = 0; j <= columns; j++) row[j] = (int)j;
    for (size_t i = 1; i <= rows; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= columns; j++) {
            int replaced = diagonal + (a[i - 1] != b[j - 1]), less = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = replaced < less + 1 ? replaced : less + 1;
        }
    }
    return row[columns];
}

static const char *add_name(am_arena *arena, const char *names, const char *name)
{
    return names ? am_arena_printf(arena, "%s%s%s", names, *names ? ", " : "", name) : NULL;
}

static const char *classes_of(am_arena *arena, const am_model_type *type)
{
    const char *names = "";
    for (const am_architecture *row = type->architectures; row->name; row++) names = add_name(arena, names, row->name);
    return names;
}

/* The nearest names first. Counts all classes. */
static const char *near_names(am_arena *arena, const char *name, int *out_count)
{
    const char *near[NEAR_LIMIT] = {0}, *names = "";
    int distances[NEAR_LIMIT], most = (int)strlen(name) / 3;
    *out_count = 0;
    for (const am_model_type *const *type = am_model_registry; *type; type++)
        for (const am_architecture *row = (*type)->architectures; row->name; row++, (*out_count)++) {
            int d = distance(name, row->name), at = NEAR_LIMIT;
            while (at > 0 && (!near[at - 1] || d < distances[at - 1])) at--;
            if (d > most || at == NEAR_LIMIT) continue;
            for (int i = NEAR_LIMIT - 1; i > at; i--) {
                near[i] = near[i - 1];
                distances[i] = distances[i - 1];
            }
            near[at] = row->name;
            distances[at] = d;
        }
    for (int i = 0; i < NEAR_LIMIT && near[i]; i++) names = add_name(arena, names, near[i]);
    return names;
}

const char *am_known_classes_text(am_arena *arena, const char *class_name, const char *model_type)
{
    const am_model_type *type = am_model_type_find(model_type);
    int count;
    if (type) {
        const char *names = classes_of(arena, type);
        return names ? am_arena_printf(arena, "of model type %s there are %s", model_type, names) : NULL;
    }
    const char *names = near_names(arena, class_name, &count);
    if (!names) return NULL;
    return am_arena_printf(arena, "%s%s%sthere are %d classes of other model types", *names ? "similar names are " : "",
                           names, *names ? "; " : "", count);
}
