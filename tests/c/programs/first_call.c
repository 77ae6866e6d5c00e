/* Makes one call, the program's first. The argument selects it. */

#include <mm_families.h>

#include "check.h"

struct first {
  char name[24];
};

int main(int count, char **arguments) {
  CHECK(count == 2);
  struct mm_stats stats = MM_STATS_INIT;
  switch (arguments[1][0]) {
  case 'r':
    CHECK(MM_REGISTER(struct first));
    break;
  case 'f':
    CHECK(!mm_family_find("no such family"));
    break;
  case 'a':
    CHECK(mm_families(0, 0) == 0);
    break;
  case 's':
    CHECK(mm_stats(&stats) == MM_OK);
    break;
  case 'o':
    mm_text_release(mm_openmetrics());
    break;
  }
  return 0;
}
