/* mimalloc, with its own names. */

#define LOOPS mm_c_benches_of_mimalloc
#define ALLOCATE(units) ((plain *)mi_calloc(units, sizeof(plain)))
#define RELEASE(block) mi_free(block)

void *mi_calloc(size_t count, size_t bytes);
void mi_free(void *block);

static void begin(void) {}
