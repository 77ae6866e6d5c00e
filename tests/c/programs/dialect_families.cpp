// The same program as C++.

#include "dialect_families.c"
