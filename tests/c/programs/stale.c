/* Uses a block after its release: `stale CASE`. */

#include "uapi_mm.h"

#include "check.h"

typedef struct {
  int words[9];
} emp_t;

/* Used, so that valgrind does not leave out the read. */
static volatile int last_read;

int main(int count, char **arguments) {
  CHECK(count == 2);
  const char *which = arguments[1];
  MM_REG_STRUCT(emp_t);
  volatile emp_t *emps = XCALLOC(2, emp_t);
  volatile char *buffer = XCALLOC_BUFF(100);
  emps[1].words[8] = buffer[99];
  if (!strcmp(which, "past-the-end"))
    emps[2].words[0] = 1;
  XFREE((void *)emps);
  XFREE((void *)buffer);
  if (!strcmp(which, "read"))
    last_read = emps[1].words[8];
  if (!strcmp(which, "write"))
    emps[0].words[0] = 1;
  if (!strcmp(which, "buffer"))
    last_read = buffer[50];
  return 0;
}
