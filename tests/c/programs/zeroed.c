/* Memory is zeroed, no matter how often and by which thread it was used before. */

#include "uapi_mm.h"

#include "check.h"

#include <pthread.h>

typedef struct {
  char bytes[40];
} cell_t;

#define CELLS 500

static void *work(void *unused) {
  static const int units[] = {1, 1, 1, 2, 3, 7, 30, 200};
  cell_t *cells[CELLS];
  (void)unused;
  for (int round = 0; round < 4; round++) {
    for (int at = 0; at < CELLS; at++) {
      size_t bytes = units[(at + round) % 8] * sizeof(cell_t);
      cells[at] = XCALLOC(units[(at + round) % 8], cell_t);
      CHECK(is_zero(cells[at], bytes));
      memset(cells[at], 0x5a, bytes);
    }
    for (int at = 0; at < CELLS; at++)
      XFREE(cells[(at * 7) % CELLS]);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  MM_REG_STRUCT(cell_t);
  for (int at = 0; at < 2; at++)
    CHECK(!pthread_create(&threads[at], NULL, work, NULL));
  work(NULL);
  for (int at = 0; at < 2; at++)
    CHECK(!pthread_join(threads[at], NULL));
  work(NULL);
  return 0;
}
