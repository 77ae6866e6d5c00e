/* mm, as C programs call it. */

#include <uapi_mm.h>

#define LOOPS mm_c_benches_of_mm
#define ALLOCATE(units) ((plain *)XCALLOC(units, plain))
#define RELEASE(block) XFREE(block)

static void begin(void) {
  MM_REG_STRUCT(plain);
}
