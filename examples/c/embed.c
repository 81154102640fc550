/* Embeds a sentence: what it means as a list of numbers. Sentences of like meaning have embeddings whose dot
   product is near 1.

   cc embed.c $(pkg-config --cflags --libs anymodel) -o embed
   ./embed MODEL_DIRECTORY "A sentence." */
#include <anymodel/anymodel.h>

#include <stdio.h>

static int report(am_status status)
{
    int code = (int)am_status_code(status);
    fprintf(stderr, "embed: %s: %s\n", am_code_text(am_status_code(status)), am_status_message(status));
    am_status_free(status);
    return code;
}

static am_status embed(const char *directory, const char *sentence, float **out, size_t *out_dims)
{
    am_model *model;
    am_status status = am_model_open(directory, NULL, &model);
    if (status) return status;
    status = am_model_embed(model, &sentence, 1, out, out_dims);
    am_model_close(model);
    return status;
}

int main(int argc, char **argv)
{
    float *numbers;
    size_t dims;
    if (argc != 3) {
        fprintf(stderr, "usage: embed MODEL_DIRECTORY SENTENCE\n");
        return AM_INVALID_ARGUMENT;
    }
    am_status status = embed(argv[1], argv[2], &numbers, &dims);
    if (status) return report(status);
    for (size_t i = 0; i < dims; i++) printf("%.6f\n", (double)numbers[i]);
    am_floats_free(numbers);
    return 0;
}
