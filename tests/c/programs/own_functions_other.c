/* Calls mm, even if other functions have the original's names. */

#include "uapi_mm.h"

#include "usage.h"

typedef struct {
  int words[9];
} emp_t;

void use_mm(void);

void use_mm(void) {
  MM_REG_STRUCT(emp_t);
  emp_t *emps = XCALLOC(2, emp_t), *more = xcalloc("emp_t", 1);
  emps = xrealloc(emps, 100 * sizeof *emps);
  CHECK(usage_of("emp_t").live == 2 && usage_of("emp_t").bytes == 101 * sizeof *emps);
  XFREE(emps);
  xfree(more);
  CHECK(usage_of("emp_t").live == 0);
}
