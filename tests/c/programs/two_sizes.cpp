// The same as C++, which makes sites in another way.
#include "two_sizes.c"
