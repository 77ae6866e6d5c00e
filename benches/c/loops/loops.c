/* The loops, compiled once for each rival. The rival's header defines how it allocates. */

#include "loops.h"

#include RIVAL_HEADER

/* Makes the compiler forget all that it knows about the block. */
#define ESCAPE(block) __asm__ volatile("" : "+r"(block) : : "memory")

static inline void write_all(plain *value, uint32_t number) {
  for (size_t word = 0; word < 9; word++) {
    value->words[word] = number;
  }
}

static inline plain *made(uint32_t number) {
  plain *value = ALLOCATE(1);
  write_all(value, number);
  return value;
}

/* Writes to both ends of a row, as the Rust benches do. */
static inline plain *made_row(uint32_t length) {
  plain *row = ALLOCATE((size_t)length + 1);
  row[0].words[0] = length;
  row[length].words[8] = length;
  return row;
}

static void pair(size_t count) {
  for (size_t number = 0; number < count; number++) {
    plain *value = made((uint32_t)number);
    ESCAPE(value);
    RELEASE(value);
  }
}

static void allocate(plain **values, size_t count) {
  for (size_t number = 0; number < count; number++) {
    values[number] = made((uint32_t)number);
  }
}

static void release(plain **values, size_t count) {
  for (size_t number = 0; number < count; number++) {
    RELEASE(values[number]);
  }
}

static void replace(plain **values, const uint32_t *places, size_t count) {
  for (size_t step = 0; step < count; step++) {
    uint32_t place = places[step];
    plain *old = values[place];
    values[place] = made(place);
    RELEASE(old);
  }
}

static void replace_rows(plain **rows, const uint32_t *places, const uint32_t *lengths,
                         size_t count) {
  for (size_t step = 0; step < count; step++) {
    plain *old = rows[places[step]];
    rows[places[step]] = made_row(lengths[step]);
    RELEASE(old);
  }
}

const struct loops LOOPS = {begin, pair, allocate, release, replace, replace_rows};
