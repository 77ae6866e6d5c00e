/* Calls that are refused with a line on standard error, and change nothing. */

#include "uapi_mm.h"

#include "usage.h"

#include <limits.h>

typedef struct {
  int words[9];
} emp_t;

typedef struct {
  char bytes[65448];
} large_t;

/* Never registered. */
typedef struct {
  void *next;
} node_t;

static void pointers(void) {
  emp_t *emps = XCALLOC(3, emp_t);
  emps[2].words[8] = 7;
  XFREE(NULL);
  xfree(NULL);
  XFREE(emps + 1); /* says: address 0x.. is inside page family `emp_t`, but no block starts there */
  XFREE((char *)emps + 1); /* says: address 0x.. is inside page family `emp_t`, but no block starts there */
  xfree(emps + 2); /* says in xfree: address 0x.. is inside page family `emp_t`, but no block starts there */
  void *volatile foreign = malloc(36);
  XFREE(foreign); /* says: address 0x.. belongs to no page family */
  free(foreign);
  int on_the_stack = 5;
  XFREE(&on_the_stack); /* says: address 0x.. belongs to no page family */
  XFREE((void *)8); /* says: address 0x.. belongs to no page family */
  XFREE((void *)-1L); /* says: address 0x.. belongs to no page family */
  CHECK(usage_of("emp_t").live == 1 && emps[2].words[8] == 7 && on_the_stack == 5);
  XFREE(emps);
}

static void units(void) {
  emp_t *none = XCALLOC(0, emp_t);
  CHECK(none);
  XFREE(none);
  none = xcalloc("emp_t", 0);
  CHECK(none);
  xfree(none);
  CHECK(!XCALLOC(-1, emp_t)); /* says: -1 units of page family `emp_t` */
  CHECK(!XCALLOC(INT_MIN, emp_t)); /* says: -2147483648 units of page family `emp_t` */
  CHECK(!xcalloc("emp_t", -7)); /* says in xcalloc: -7 units of page family `emp_t` */
  CHECK(!XCALLOC(LLONG_MAX, emp_t)); /* says: 9223372036854775807 units of 36 bytes overflow the size of a block of page family `emp_t` */
  CHECK(!XCALLOC(1LL << 48, large_t)); /* says: 281474976710656 units of 65448 bytes overflow the size of a block of page family `large_t` */
  CHECK(usage_of("emp_t").live == 0 && usage_of("large_t").live == 0);
}

static void names(void) {
  CHECK(!XCALLOC(1, node_t)); /* says: no page family `node_t` is registered */
  CHECK(!xcalloc("emp", 1)); /* says in xcalloc: no page family `emp` is registered */
  CHECK(!xcalloc(NULL, 1)); /* says in xcalloc: no page family `` is registered */
  mm_print_memory_usage("emp"); /* says in mm_print_memory_usage: no page family `emp` is registered */
}

static void registrations(void) {
  MM_REG_STRUCT(emp_t); /* says: page family `emp_t` is registered already */
  mm_instantiate_new_page_family("emp_t", 8); /* says in mm_instantiate_new_page_family: `emp_t` has 8 bytes here, and 36 where its page family was registered, at c/programs/refusals.c:74 */
  CHECK(lookup_page_family_by_name("emp_t")->struct_size == 36);
  mm_instantiate_new_page_family("nothing_t", 0); /* says in mm_instantiate_new_page_family: a page family cannot have units of 0 bytes aligned to 4096 */
  mm_instantiate_new_page_family("", 8); /* says in mm_instantiate_new_page_family: a page family needs a name */
  mm_instantiate_new_page_family(NULL, 8); /* says in mm_instantiate_new_page_family: a page family needs a name */
  CHECK(!lookup_page_family_by_name("nothing_t"));
}

int main(void) {
  MM_REG_STRUCT(emp_t);
  MM_REG_STRUCT(large_t);
  pointers();
  units();
  names();
  registrations();
  return 0;
}
