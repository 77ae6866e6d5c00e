/* Sequences of releases and allocations at which the original crashed or counted wrongly. */

#include "uapi_mm.h"

#include "usage.h"

typedef struct node_ {
  struct node_ *next;
  char text[12];
} node_t;

typedef struct {
  char bytes[100];
} hundred_t;

static void allocate_release_allocate(void) {
  node_t *first = XCALLOC(1, node_t);
  CHECK(first);
  XFREE(first);
  node_t *again = XCALLOC(1, node_t);
  CHECK(again && is_zero(again, sizeof *again));
  XFREE(again);
  CHECK(usage_of("node_t").live == 0);
}

static void list_of_120(void) {
  node_t *head = NULL;
  for (int made = 0; made < 120; made++) {
    node_t *node = XCALLOC(1, node_t);
    node->next = head;
    head = node;
  }
  CHECK(usage_of("node_t").live == 120 && usage_of("node_t").bytes == 120 * sizeof(node_t));
  while (head) {
    node_t *next = head->next;
    XFREE(head);
    head = next;
  }
  CHECK(usage_of("node_t").live == 0 && usage_of("node_t").bytes == 0);
}

/* Blocks released in the middle first, then before and after it, become one free block. */
static void neighbours_merge(void) {
  hundred_t *a = XCALLOC(3, hundred_t);
  hundred_t *b = XCALLOC(3, hundred_t);
  hundred_t *c = XCALLOC(3, hundred_t);
  CHECK(a && b && c);
  XFREE(b);
  XFREE(a);
  XFREE(c);
  CHECK(usage_of("hundred_t").live == 0);
  unsigned long pages = vm_pages();
  hundred_t *all = XCALLOC(9, hundred_t);
  CHECK(all && is_zero(all, sizeof *all * 9));
  CHECK(vm_pages() == pages);
  memset(all, 0xff, sizeof *all * 9);
  XFREE(all);
}

static void largest_that_fits_is_found(void) {
  hundred_t *ten = XCALLOC(10, hundred_t);
  hundred_t *five = XCALLOC(5, hundred_t);
  hundred_t *one = XCALLOC(1, hundred_t);
  hundred_t *three = XCALLOC(3, hundred_t);
  XFREE(ten);
  XFREE(five);
  XFREE(one);
  XFREE(three);
  unsigned long pages = vm_pages();
  ten = XCALLOC(10, hundred_t);
  five = XCALLOC(5, hundred_t);
  hundred_t *two = XCALLOC(2, hundred_t);
  CHECK(ten && five && two && vm_pages() == pages);
  CHECK(usage_of("hundred_t").bytes == 1700);
  XFREE(ten);
  XFREE(five);
  XFREE(two);
}

/* 84 bytes are live all the time, and only they are counted. */
static void pairs_are_counted_exactly(void) {
  typedef struct {
    char bytes[84];
  } pair_t;
  MM_REG_STRUCT(pair_t);
  pair_t *kept = XCALLOC(1, pair_t);
  for (int pair = 0; pair < 10; pair++)
    XFREE(XCALLOC(1, pair_t));
  CHECK(usage_of("pair_t").live == 1 && usage_of("pair_t").bytes == 84);
  XFREE(kept);
}

static void released_neighbours_are_counted_exactly(void) {
  hundred_t *a = XCALLOC(2, hundred_t);
  hundred_t *b = XCALLOC(3, hundred_t);
  hundred_t *c = XCALLOC(4, hundred_t);
  XFREE(a);
  XFREE(b);
  CHECK(usage_of("hundred_t").live == 1 && usage_of("hundred_t").bytes == 400);
  XFREE(c);
  CHECK(usage_of("hundred_t").live == 0 && usage_of("hundred_t").bytes == 0);
}

int main(void) {
  mm_init();
  MM_REG_STRUCT(node_t);
  MM_REG_STRUCT(hundred_t);
  allocate_release_allocate();
  list_of_120();
  list_of_120();
  neighbours_merge();
  largest_that_fits_is_found();
  pairs_are_counted_exactly();
  released_neighbours_are_counted_exactly();
  return 0;
}
