/* The kernel refuses memory: mm prints a line and returns NULL, and all else still works. */

#include "uapi_mm.h"

#include "usage.h"

#include <sys/resource.h>

typedef struct {
  char bytes[1 << 20];
} mib_t;

typedef struct {
  int words[9];
} emp_t;

#define MOST 4096

static void limit(unsigned long more) {
  unsigned long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  CHECK(fscanf(statm, "%lu", &pages) == 1);
  fclose(statm);
  struct rlimit limit;
  CHECK(!getrlimit(RLIMIT_AS, &limit));
  limit.rlim_cur = pages * 4096 + more;
  CHECK(!setrlimit(RLIMIT_AS, &limit));
}

static void no_limit(void) {
  struct rlimit limit;
  CHECK(!getrlimit(RLIMIT_AS, &limit));
  limit.rlim_cur = limit.rlim_max;
  CHECK(!setrlimit(RLIMIT_AS, &limit));
}

int main(void) {
  static mib_t *all[MOST];
  int got = 0;
  /* Set before the first call: address space that is reserved already is not limited. */
  limit(200 << 20);
  MM_REG_STRUCT(mib_t);
  MM_REG_STRUCT(emp_t);
  emp_t *emp = XCALLOC(1, emp_t);
  emp->words[8] = 8;
  char *buffer = XCALLOC_BUFF(100);
  for (got = 0; got < MOST; got++) {
    all[got] = XCALLOC(8, mib_t); /* says: out of memory for 8 units of 1048576 bytes of page family `mib_t` */
    if (!all[got])
      break;
    memset(all[got], 1, sizeof *all[got]);
  }
  CHECK(got > 0 && got < 26);
  CHECK(!xrealloc(all[0], sizeof(mib_t) * 500)); /* says in xrealloc: out of memory for 500 units of 1048576 bytes of page family `mib_t` */
  CHECK(!XCALLOC_BUFF(500 << 20)); /* says: out of memory for 32768000 units of 16 bytes of page family `Misc` */
  CHECK(all[0]->bytes[77] == 1 && usage_of("mib_t").live == (unsigned)got);
  emp_t *more = XCALLOC(1, emp_t);
  CHECK(more && emp->words[8] == 8);
  XFREE(more);
  XFREE(all[--got]);
  all[got] = XCALLOC(8, mib_t);
  CHECK(all[got] && is_zero(all[got], sizeof(mib_t) * 8));
  no_limit();
  void *again = XCALLOC(20, mib_t);
  CHECK(again);
  XFREE(again);
  for (int at = 0; at <= got; at++)
    XFREE(all[at]);
  XFREE(emp);
  XFREE(buffer);
  CHECK(usage_of("mib_t").live == 0 && usage_of("emp_t").live == 0);
  return 0;
}
