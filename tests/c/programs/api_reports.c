/* Reports: live blocks with the file and line of their allocation; JSON; OpenMetrics. */

#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mm_families.h"

static struct mm_family *tracked, *other;

static void has(char *text, const char *part) {
  assert(text != NULL);
  if (strstr(text, part) == NULL) {
    fprintf(stderr, "no `%s` in:\n%s\n", part, text);
    abort();
  }
  mm_text_release(text);
}

static void has_not(char *text, const char *part) {
  assert(text != NULL && strstr(text, part) == NULL);
  mm_text_release(text);
}

/* Returns what a call writes to stdout. */
static char *printed(void (*print)(void)) {
  static char text[10000];
  FILE *file = tmpfile();
  fflush(stdout);
  int saved = dup(1);
  assert(file != NULL && saved > 2 && dup2(fileno(file), 1) == 1);
  print();
  fflush(stdout);
  assert(dup2(saved, 1) == 1);
  close(saved);
  rewind(file);
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  return text;
}

static void leaks(void) {
  char line[200];
  has_not(mm_leaks_text(), "page");
  assert(strlen(printed(mm_print_leaks)) == 0);

  mm_track(1);
  void *a = MM_ALLOC(tracked, 3);
  const int line_a = __LINE__ - 1;
  void *b = MM_ALLOC_ZEROED(tracked, 1);
  const int line_b = __LINE__ - 1;
  void *c = mm_family_alloc(tracked, 1);
  has(mm_leaks_text(), "1 page family holds 3 blocks");
  snprintf(line, sizeof line, "in 1 block of 3 units at %s:%d, the oldest", __FILE__, line_a);
  has(mm_leaks_text(), line);
  snprintf(line, sizeof line, "in 1 block at %s:%d, the oldest", __FILE__, line_b);
  has(mm_leaks_text(), line);
  has(mm_leaks_text(), "in 1 block at mm_family_alloc, the oldest");
  assert(strstr(printed(mm_print_leaks), line) != NULL);
  snprintf(line, sizeof line, "\"line\":%d", line_a);
  has(mm_profile_json(), line);
  has(mm_profile_json(), __FILE__);

  mm_track(0);
  has(mm_leaks_text(), "not recorded, since the family is not tracked");
  assert(mm_family_track(other, 2) == MM_OK);
  void *d = MM_ALLOC(other, 1);
  void *e = MM_ALLOC(other, 1);
  has(mm_leaks_text(), "of 2 blocks one is recorded");
  assert(mm_family_track(other, 0) == MM_OK);
  assert(mm_family_track(NULL, 1) == MM_BAD_ARGUMENT);
  void *all[] = {a, b, c, d, e};
  for (size_t i = 0; i < 5; i++)
    assert(mm_release(all[i]) == MM_OK);
  has_not(mm_leaks_text(), "page");
}

static void documents(void) {
  void *block = mm_family_alloc(tracked, 4);
  has(mm_snapshot_json(), "\"schema\":\"mm-snapshot\",\"version\":2");
  has(mm_snapshot_json(), "\"name\":\"tracked\"");
  has(mm_snapshot_json(), "\"live_bytes\":400");
  has(mm_profile_json(), "\"schema\":\"mm-profile\",\"version\":1");
  has(mm_openmetrics(), "family=\"tracked\"");
  has(mm_openmetrics(), "# EOF");
  mm_text_release(NULL);
  assert(mm_release(block) == MM_OK);
}

int main(void) {
  tracked = mm_family_register("tracked", 100, 4);
  other = mm_family_register("other", 8, 8);
  leaks();
  documents();
  return 0;
}
