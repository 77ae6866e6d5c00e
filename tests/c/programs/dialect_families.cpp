// The same program in the other language.

#include "dialect_families.c"
