/* Forks while other threads allocate and release. The child continues alone. */

#include "uapi_mm.h"

#include "usage.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  char bytes[50];
} cell_t;

static int is_over;

static void *work(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&is_over, __ATOMIC_ACQUIRE)) {
    cell_t *all[40];
    for (int at = 0; at < 40; at++)
      all[at] = XCALLOC(1 + at % 9, cell_t);
    for (int at = 0; at < 40; at++)
      XFREE(all[at]);
    XFREE(XCALLOC_BUFF(500));
  }
  return NULL;
}

static int child(cell_t *of_parent) {
  alarm(30);
  CHECK(of_parent[1].bytes[7] == 'p');
  XFREE(of_parent);
  for (int round = 0; round < 300; round++) {
    cell_t *cells = XCALLOC(1 + round % 12, cell_t);
    CHECK(cells && is_zero(cells, sizeof *cells * (1 + round % 12)));
    memset(cells, 'c', sizeof *cells);
    XFREE(cells);
  }
  mm_instantiate_new_page_family("of the child", 8);
  XFREE(XCALLOC_BUFF(100));
  char *text = printed(mm_print_block_usage);
  CHECK(times(text, "cell_t ") == 1);
  return 0;
}

int main(void) {
  pthread_t threads[3];
  MM_REG_STRUCT(cell_t);
  cell_t *of_parent = XCALLOC(2, cell_t);
  of_parent[1].bytes[7] = 'p';
  for (int at = 0; at < 3; at++)
    CHECK(!pthread_create(&threads[at], NULL, work, NULL));
  for (int round = 0; round < 15; round++) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
      _exit(child(of_parent));
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
  for (int at = 0; at < 3; at++)
    pthread_join(threads[at], NULL);
  CHECK(usage_of("cell_t").live == 1 && of_parent[1].bytes[7] == 'p');
  XFREE(of_parent);
  return 0;
}
