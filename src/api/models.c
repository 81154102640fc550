#include "api/json_writer.h"
#include "models/model.h"

#include <anymodel/anymodel.h>

#include <string.h>

/* "clip clip_text_model" is listed under its first name. */
static void put_class(am_buffer *out, const am_model_type *type, const am_architecture *row)
{
    am_put_open(out, NULL, '{');
    am_put_text(out, "class", row->name);
    am_put_text_part(out, "model_type", type->name, strcspn(type->name, " "));
    am_put_text(out, "task", row->task);
    am_put_text(out, "state", "implemented");
    am_put_close(out, '}');
}

am_status am_models(char **out_json)
{
    am_buffer out = {0};
    am_put_open(&out, NULL, '[');
    for (const am_model_type *const *type = am_model_registry; *type; type++)
        for (const am_architecture *row = (*type)->architectures; row->name; row++) put_class(&out, *type, row);
    am_put_close(&out, ']');
    return am_put_finish(&out, NULL, out_json);
}
