/* Releases one block twice, which ends the program. `double_release CASE BYTES`: a unit has BYTES bytes,
 * and CASE says what happens before the second release. */

#include "uapi_mm.h"

#include "check.h"

#include <pthread.h>

#define MOST_BETWEEN 5000

static unsigned long bytes;

static void *allocated(int units) {
  void *block = xcalloc("unit_t", units);
  CHECK(block);
  memset(block, 0x33, bytes * units);
  return block;
}

static void again(void *block) {
  XFREE(block); /* says: no block of page family `unit_t` is live at address 0x.. */
}

static void *again_in_thread(void *block) {
  again(block);
  return NULL;
}

/* Releases a block, and a number of others after it. */
static void *released_before(int others) {
  static void *between[MOST_BETWEEN];
  void *block = allocated(1);
  for (int at = 0; at < others; at++)
    between[at] = xcalloc("unit_t", 1);
  XFREE(block);
  for (int at = 0; at < others; at++)
    XFREE(between[at]);
  return block;
}

static void *of_a_row(void) {
  void *row = allocated(5);
  XFREE(row);
  return row;
}

static void *merged_with_neighbours(void) {
  void *rows[3] = {allocated(2), allocated(2), allocated(2)};
  XFREE(rows[1]);
  XFREE(rows[0]);
  XFREE(rows[2]);
  return rows[1];
}

static void *of_a_buffer(void) {
  void *buffer = XCALLOC_BUFF(bytes);
  CHECK(buffer);
  XFREE(buffer);
  return buffer;
}

static void *reallocated(void) {
  void *block = allocated(1);
  CHECK(xrealloc(block, bytes * 40) != block);
  return block;
}

/* Many units, so that empty pages go back. */
static void *of_empty_pages(int others) {
  void *block = released_before(others);
  released_before(others);
  return block;
}

int main(int count, char **arguments) {
  CHECK(count == 3);
  const char *which = arguments[1];
  bytes = strtoul(arguments[2], NULL, 10);
  int some = bytes < 100000 ? 1000 : 20;
  mm_instantiate_new_page_family("unit_t", bytes);
  if (!strcmp(which, "at-once"))
    again(released_before(0));
  else if (!strcmp(which, "between"))
    again(released_before(some));
  else if (!strcmp(which, "row"))
    again(of_a_row());
  else if (!strcmp(which, "merged"))
    again(merged_with_neighbours());
  else if (!strcmp(which, "buffer"))
    again(of_a_buffer());
  else if (!strcmp(which, "realloc"))
    again(reallocated());
  else if (!strcmp(which, "emptied"))
    again(of_empty_pages(5 * some));
  else if (!strcmp(which, "thread")) {
    pthread_t thread;
    CHECK(!pthread_create(&thread, NULL, again_in_thread, released_before(0)));
    pthread_join(thread, NULL);
  }
  printf("still there\n");
  return 0;
}
