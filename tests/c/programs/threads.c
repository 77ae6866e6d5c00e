/* Eight threads with blocks of all sizes. Each releases some of its own and some of others. At the end the
 * figures are exact. */

#include "uapi_mm.h"

#include "usage.h"

#include <pthread.h>

#define THREADS 8
#define ROUNDS 60
#define BLOCKS 100
#define KEPT 3

typedef struct {
  int owner, units;
  char rest[32];
} cell_t;

typedef struct {
  char bytes[3000];
} large_t;

/* The blocks that a thread leaves to the next one. */
static void *handed[THREADS][BLOCKS];
static void *kept[THREADS][KEPT];

static cell_t *made(int owner, int units) {
  cell_t *cells = XCALLOC(units, cell_t);
  CHECK(cells && is_zero(cells, sizeof *cells * units));
  for (int at = 0; at < units; at++)
    cells[at].owner = owner, cells[at].units = units;
  return cells;
}

static void released(cell_t *cells) {
  if (!cells)
    return;
  for (int at = 0; at < cells->units; at++)
    CHECK(cells[at].owner == cells->owner && cells[at].units == cells->units);
  XFREE(cells);
}

static void *work(void *number) {
  int me = (int)(intptr_t)number;
  for (int round = 0; round < ROUNDS; round++) {
    for (int at = 0; at < BLOCKS; at++) {
      cell_t *cells = made(me, 1 + (at * (round % 5)) % 40);
      released(__atomic_exchange_n(&handed[(me + round) % THREADS][at], cells, __ATOMIC_ACQ_REL));
    }
    large_t *large = XCALLOC(1 + round % 30, large_t);
    memset(large, me, sizeof *large);
    XFREE(large);
    XFREE(XCALLOC_BUFF(round * 77));
  }
  for (int at = 0; at < KEPT; at++)
    kept[me][at] = made(me, 2);
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  MM_REG_STRUCT(cell_t);
  MM_REG_STRUCT(large_t);
  for (intptr_t at = 0; at < THREADS; at++)
    CHECK(!pthread_create(&threads[at], NULL, work, (void *)at));
  for (int at = 0; at < THREADS; at++)
    pthread_join(threads[at], NULL);
  for (int thread = 0; thread < THREADS; thread++) {
    for (int at = 0; at < BLOCKS; at++)
      released(handed[thread][at]);
  }
  CHECK(usage_of("cell_t").live == THREADS * KEPT);
  CHECK(usage_of("cell_t").bytes == THREADS * KEPT * 2 * sizeof(cell_t));
  CHECK(usage_of("large_t").live == 0 && usage_of("large_t").bytes == 0);
  for (int thread = 0; thread < THREADS; thread++) {
    for (int at = 0; at < KEPT; at++)
      released(kept[thread][at]);
  }
  CHECK(usage_of("cell_t").live == 0 && usage_of("cell_t").bytes == 0);
  return 0;
}
