/* Reads figures from the program's own reports. */

#ifndef USAGE_H
#define USAGE_H

#include "check.h"

/* One line of mm_print_block_usage. */
struct usage {
  unsigned long all, free, live, bytes;
};

/* Returns what `print` prints to stdout, in memory from malloc. */
static inline char *printed(void (*print)(void)) {
  char *text = NULL;
  size_t length = 0;
  FILE *real = stdout;
  stdout = open_memstream(&text, &length);
  print();
  fclose(stdout);
  stdout = real;
  char *copy = strdup(text);
  free(text);
  return copy;
}

/* Returns the number of lines of `text` that start with `line`. */
static inline int times(const char *text, const char *line) {
  int found = 0;
  for (const char *at = text; at; at = strchr(at, '\n')) {
    at += *at == '\n';
    found += strncmp(at, line, strlen(line)) == 0;
  }
  return found;
}

/* Returns the line of the family, which must occur once. */
static inline struct usage usage_in(const char *text, const char *family) {
  struct usage usage = {0, 0, 0, 0};
  char first[400];
  snprintf(first, sizeof first, "%-20s   TBC : ", family);
  CHECK(times(text, first) == 1);
  int got = sscanf(strstr(text, first) + strlen(first),
                   "%lu FBC : %lu OBC : %lu AppMemUsage : %lu", &usage.all, &usage.free,
                   &usage.live, &usage.bytes);
  CHECK(got == 4 && usage.all == usage.free + usage.live);
  return usage;
}

/* Returns the figures of a family of the global instance. */
static inline struct usage usage_of(const char *family) {
  char *text = printed(mm_uapi_print_block_usage);
  struct usage usage = usage_in(text, family);
  free(text);
  return usage;
}

static inline void print_all(void) { mm_uapi_print_memory_usage(NULL); }

/* Returns the number of VM pages in use. */
static inline unsigned long vm_pages(void) {
  char *text = printed(print_all);
  unsigned long pages = 0;
  CHECK(sscanf(strstr(text, "# Of VM Pages in Use : "), "# Of VM Pages in Use : %lu", &pages) == 1);
  free(text);
  return pages;
}

#endif
