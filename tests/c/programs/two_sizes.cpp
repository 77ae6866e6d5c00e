// The same as C++, which makes its sites otherwise.
#include "two_sizes.c"
