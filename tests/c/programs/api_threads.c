/* Four threads, the end of threads, and the end of the process. */

#undef NDEBUG
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mm_families.h"

enum { THREADS = 4, ROUNDS = 20000, HELD = 64 };

static struct mm_family *shared;
static pthread_key_t at_thread_end;

/* Calls work before main and before any registration. */
__attribute__((constructor)) static void before_main(void) {
  struct mm_stats all = MM_STATS_INIT;
  assert(mm_families(NULL, 0) == 0 && mm_last_status() == MM_OK);
  assert(mm_stats(&all) == MM_OK && all.live_bytes == 0);
  assert(mm_check() == MM_OK && mm_trim() == 0 && mm_family_find("shared") == NULL);
  assert(mm_release(&all) == MM_FOREIGN);
  mm_text_release(mm_snapshot_json());
}

/* At the end of a thread, its last error and mm still work. */
static void ends(void *block) {
  char text[100];
  assert(mm_last_status() == MM_NOT_LIVE && mm_last_error(text, sizeof text) > 0);
  assert(mm_release(block) == MM_OK);
  assert(mm_release(mm_family_alloc(shared, 2)) == MM_OK);
  assert(mm_family_alloc(NULL, 1) == NULL && mm_last_status() == MM_BAD_ARGUMENT);
}

static void *work(void *argument) {
  uint64_t seed = (uint64_t)(size_t)argument;
  uint64_t *held[HELD] = {NULL};
  for (int round = 0; round < ROUNDS; round++) {
    seed = seed * UINT64_C(6364136223846793005) + 1;
    const size_t place = (size_t)(seed >> 58);
    if (held[place] != NULL) {
      assert(*held[place] == (uint64_t)(size_t)held[place]);
      *held[place] = 0;
      assert(round % 2 ? mm_release(held[place]) == MM_OK
                       : mm_family_release(shared, held[place]) == MM_OK);
    }
    held[place] = (uint64_t *)MM_ALLOC(shared, (seed >> 40) % 8 + 1);
    assert(held[place] != NULL);
    *held[place] = (uint64_t)(size_t)held[place];
  }
  for (size_t place = 0; place < HELD; place++)
    assert(mm_release(held[place]) == MM_OK);
  assert(mm_last_status() == MM_OK);
  void *once = mm_family_alloc(shared, 1);
  assert(mm_release(once) == MM_OK && mm_release(once) == MM_NOT_LIVE);
  assert(pthread_setspecific(at_thread_end, mm_family_alloc(shared, 3)) == 0);
  return NULL;
}

static void threads(void) {
  pthread_t all[THREADS];
  assert(pthread_key_create(&at_thread_end, ends) == 0);
  for (size_t i = 0; i < THREADS; i++)
    assert(pthread_create(&all[i], NULL, work, (void *)(i + 1)) == 0);
  for (size_t i = 0; i < THREADS; i++)
    assert(pthread_join(all[i], NULL) == 0);
  struct mm_family_stats stats = MM_FAMILY_STATS_INIT;
  assert(mm_family_stats(shared, &stats) == MM_OK);
  assert(stats.live_blocks == 0 && stats.live_units == 0);
  assert(stats.blocks_allocated == stats.blocks_released);
  assert(stats.blocks_allocated == THREADS * (ROUNDS + 3));
  assert(mm_check() == MM_OK && mm_last_status() == MM_FOREIGN);
}

/* A child that leaks a block ends with the chosen exit code, and reports the call site. */
static void reports_at_exit(void) {
  char text[2000], line[200];
  int ends_of_pipe[2], status;
  fflush(NULL);
  assert(pipe(ends_of_pipe) == 0);
  const pid_t child = fork();
  assert(child >= 0);
  if (child == 0) {
    dup2(ends_of_pipe[1], 2);
    mm_track(1);
    if (mm_report_leaks_at_exit(7) != MM_OK || MM_ALLOC(shared, 2) == NULL)
      _exit(1);
    exit(0);
  }
  const int line_of_leak = __LINE__ - 4;
  close(ends_of_pipe[1]);
  size_t length = 0;
  for (ssize_t got; (got = read(ends_of_pipe[0], text + length, sizeof text - 1 - length)) > 0;)
    length += (size_t)got;
  text[length] = 0;
  close(ends_of_pipe[0]);
  assert(waitpid(child, &status, 0) == child);
  assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  snprintf(line, sizeof line, "at %s:%d", __FILE__, line_of_leak);
  assert(strstr(text, "at exit, 1 page family holds 1 block") && strstr(text, line));
  assert(mm_report_leaks_at_exit(-1) == MM_BAD_ARGUMENT);
  assert(mm_report_leaks_at_exit(256) == MM_BAD_ARGUMENT);
}

static pid_t parent;

static void at_exit(void) {
  char text[10];
  if (getpid() != parent) /* The child's last call had another status. */
    return;
  assert(mm_release(mm_family_alloc(shared, 5)) == MM_OK);
  assert(mm_last_status() == MM_BAD_ARGUMENT && mm_last_error(text, sizeof text) > 0);
  struct mm_family *late = mm_family_register("late", 8, 8);
  assert(mm_release(mm_family_alloc_zeroed(late, 1)) == MM_OK);
}

int main(void) {
  assert(mm_last_status() == MM_FOREIGN); /* From the constructor, on this thread. */
  parent = getpid();
  assert(atexit(at_exit) == 0);
  shared = mm_family_register("shared", 24, 8);
  threads();
  reports_at_exit();
  return 0;
}
