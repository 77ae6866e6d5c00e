/* Compiled with -DMM_UAPI_INSTANCE, which selects the interface with instances. */

#include "mm.h"
#include "uapi_mm.h"
#include "uapi_mm_instance.h"

#include "check.h"

typedef struct {
  int words[9];
} emp_t;

int main(void) {
  mm_instance_t *own = mm_init_new_instance();
  MM_REG_STRUCT(own, emp_t);
  emp_t *emps = XCALLOC(own, 3, emp_t);
  CHECK(emps && is_zero(emps, sizeof *emps * 3));
  XFREE(emps);
  XFREE(XCALLOC_BUFF(own, 5));
  return 0;
}
