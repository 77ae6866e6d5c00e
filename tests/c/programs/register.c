/* Four threads register the same families, and others, at the same time. */

#include "uapi_mm.h"

#include "usage.h"

#include <pthread.h>
#include <unistd.h>

#define THREADS 4
#define FAMILIES 100

static pthread_barrier_t together;

static void *work(void *number) {
  pthread_barrier_wait(&together);
  for (int family = 0; family < FAMILIES; family++) {
    char shared[40], own[40];
    sprintf(shared, "shared%d", family);
    sprintf(own, "own%d of %d", family, *(int *)number);
    mm_instantiate_new_page_family(shared, 24);
    mm_instantiate_new_page_family(own, 8);
    void *block = xcalloc(shared, 3);
    CHECK(block && is_zero(block, 72));
    memset(block, 1, 72);
    xfree(block);
    xfree(xcalloc(own, 1));
  }
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  int numbers[THREADS];
  /* Three of four threads get the message that the name is taken, in any order. */
  FILE *lines = tmpfile();
  int real = dup(2);
  dup2(fileno(lines), 2);
  pthread_barrier_init(&together, NULL, THREADS);
  for (int at = 0; at < THREADS; at++) {
    numbers[at] = at;
    CHECK(!pthread_create(&threads[at], NULL, work, &numbers[at]));
  }
  for (int at = 0; at < THREADS; at++)
    pthread_join(threads[at], NULL);
  dup2(real, 2);
  rewind(lines);
  int refused = 0;
  char line[200];
  while (fgets(line, sizeof line, lines)) {
    CHECK(strstr(line, "mm: mm_instantiate_new_page_family: page family `shared") == line);
    CHECK(strstr(line, "is registered already\n"));
    refused++;
  }
  CHECK(refused == (THREADS - 1) * FAMILIES);
  char *text = printed(mm_print_registered_page_families);
  CHECK(times(text, "Page Family : ") == (THREADS + 1) * FAMILIES);
  free(text);
  fclose(lines);
  return 0;
}
