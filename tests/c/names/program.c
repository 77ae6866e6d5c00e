/* Uses mm and a library with functions of the same names. */
#include "uapi_mm.h"

int other_works(void);

int main(void) {
  XFREE(XCALLOC_BUFF(10));
  return other_works() ? 0 : 1;
}
