/* No allocator: always the same block, and one call of a function that does nothing. */

#define LOOPS mm_c_benches_of_call
#define ALLOCATE(units) ((plain *)mm_c_benches_call(&block[0], (units)))
#define RELEASE(value) ((void)(value))

static plain block[31];

void *mm_c_benches_call(void *block, size_t units);

static void begin(void) {}
