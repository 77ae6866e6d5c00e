/* mm answers a mistake with a line on standard error that names the place, and changes nothing. Only a
 * second release ends the program. */

#include <uapi_mm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  char name[32];
  int emp_id;
} emp_t;

typedef struct {
  double x, y;
} point_t;

static void aborted(int number) {
  (void)number;
  fputs("the second release called abort\n", stderr);
  _Exit(0);
}

int main(void) {
  emp_t *three;
  int local;

  MM_REG_STRUCT(emp_t);
  MM_REG_STRUCT(emp_t);

  if (!XCALLOC(1, point_t))
    fputs("XCALLOC returned NULL\n", stderr);
  if (!XCALLOC(-1, emp_t))
    fputs("XCALLOC returned NULL\n", stderr);

  three = XCALLOC(3, emp_t);
  if (!three)
    return 1;
  XFREE(&local);
  XFREE(&three[1]);
  XFREE(NULL);
  XFREE(three);

  signal(SIGABRT, aborted);
  XFREE(three);
  return 1;
}
