/* Allocates and releases at the end of threads and programs: in destructors of thread-specific data, after
 * the end of the thread that allocated, in handlers of atexit, and in a destructor function. */

#include "uapi_mm.h"

#include "usage.h"

#include <pthread.h>
#include <unistd.h>

typedef struct {
  int words[9];
} emp_t;

static pthread_key_t key;
static emp_t *left, *for_the_end;

static void of_the_thread(void *block) {
  XFREE(block);
  XFREE(XCALLOC(3, emp_t));
}

static void *work(void *unused) {
  (void)unused;
  left = XCALLOC(2, emp_t);
  left[1].words[8] = 8;
  pthread_setspecific(key, XCALLOC(1, emp_t));
  return NULL;
}

static void at_exit(void) {
  CHECK(usage_of("emp_t").live == 1);
  XFREE(for_the_end);
  for_the_end = XCALLOC(4, emp_t);
  CHECK(for_the_end && is_zero(for_the_end, sizeof *for_the_end * 4));
  mm_print_block_usage();
}

__attribute__((destructor)) static void last(void) {
  XFREE(for_the_end);
  CHECK(usage_of("emp_t").live == 0);
  mm_print_block_usage();
  fflush(stdout);
}

__attribute__((constructor)) static void first(void) {
  MM_REG_STRUCT(emp_t);
  for_the_end = XCALLOC(1, emp_t);
  CHECK(for_the_end);
}

int main(void) {
  pthread_t thread;
  atexit(at_exit);
  CHECK(!pthread_key_create(&key, of_the_thread));
  CHECK(!pthread_create(&thread, NULL, work, NULL));
  pthread_join(thread, NULL);
  CHECK(usage_of("emp_t").live == 2 && left[1].words[8] == 8);
  XFREE(left);
  return 0;
}
