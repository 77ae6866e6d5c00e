/* Prints a report, which has colours on a terminal. */

#include "uapi_mm.h"

typedef struct {
  int words[9];
} emp_t;

int main(void) {
  MM_REG_STRUCT(emp_t);
  void *emp = XCALLOC(1, emp_t);
  mm_print_memory_usage("emp_t");
  XFREE(emp);
  return 0;
}
