/* The allocator of the C library. */

#include <stdlib.h>

#define LOOPS mm_c_benches_of_glibc
#define ALLOCATE(units) ((plain *)calloc(units, sizeof(plain)))
#define RELEASE(block) free(block)

static void begin(void) {}
