#include "text/tokenizer/python_tokenizer.h"
const am_auto_class am_python_moses_classes[] = {{0}};
