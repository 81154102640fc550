/* Classes of transformers that are written in Python around a sentencepiece model: BartphoTokenizer,
   BertGenerationTokenizer, CpmTokenizer, GPTSw3Tokenizer, M2M100Tokenizer, MarianTokenizer, PLBartTokenizer,
   SiglipTokenizer, Speech2TextTokenizer, SpeechT5Tokenizer. */
#ifndef AM_TEXT_TOKENIZER_SPM_CLASSES_H
#define AM_TEXT_TOKENIZER_SPM_CLASSES_H

#include "text/tokenizer/auto.h"

/* Whether a class of this name is here. */
bool am_spm_class_exists(const char *name);

/* Builds the class that a->tokenizer->class_name names, which is one of them. Fails with AM_NOT_FOUND where a file is
   not there, AM_INVALID_FILE, AM_UNSUPPORTED. */
am_status am_auto_build_spm_class(am_auto *a) AM_NODISCARD;

#endif
