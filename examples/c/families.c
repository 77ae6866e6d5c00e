/* The interface for new programs: families by handle, errors as a status, figures as numbers, a limit,
 * and a report of leaks with call sites. */

#include <mm_families.h>
#include <stdio.h>

struct session {
  char user[24];
  unsigned long id;
};

static struct session *log_in(struct mm_family *sessions, unsigned long id) {
  struct session *session = MM_ALLOC_ZEROED_OF(sessions, struct session, 1);
  if (session)
    session->id = id;
  return session;
}

int main(void) {
  struct mm_family *sessions = MM_REGISTER(struct session);
  struct mm_family_stats stats = MM_FAMILY_STATS_INIT;
  struct session *first, *second;
  char why[256];

  if (!sessions || mm_family_set_limit_units(sessions, 2) != MM_OK)
    return 1;
  mm_track(1);
  first = log_in(sessions, 1);
  second = log_in(sessions, 2);
  if (!log_in(sessions, 3)) {
    mm_last_error(why, sizeof why);
    printf("third: %s\n", why);
  }

  printf("one byte too far: %s\n", mm_status_text(mm_release((char *)first + 1)));
  mm_release(first);
  printf("again: %s\n", mm_status_text(mm_release(first)));

  if (mm_family_stats(sessions, &stats) == MM_OK)
    printf("%s: %u live of %u bytes each, %u allocated in all\n", mm_family_name(sessions),
           (unsigned)stats.live_units, (unsigned)stats.unit_size, (unsigned)stats.blocks_allocated);
  mm_print_leaks();
  mm_release(second);
  return 0;
}
