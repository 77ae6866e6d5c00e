/* jemalloc, with the names of tikv-jemalloc-sys. */

#define LOOPS mm_c_benches_of_jemalloc
#define ALLOCATE(units) ((plain *)_rjem_calloc(units, sizeof(plain)))
#define RELEASE(block) _rjem_free(block)

void *_rjem_calloc(size_t count, size_t bytes);
void _rjem_free(void *block);

static void begin(void) {}
