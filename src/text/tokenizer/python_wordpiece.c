#include "text/tokenizer/python_tokenizer.h"
const am_auto_class am_python_wordpiece_classes[] = {{0}};
