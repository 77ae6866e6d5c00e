/* What the loops of every rival look like to the program that times them. */

#ifndef LOOPS_H
#define LOOPS_H

#include <stddef.h>
#include <stdint.h>

/* The value of the Rust rows: 36 bytes, which is no size class of any allocator. */
typedef struct plain {
  uint32_t words[9];
} plain;

/* The loops of one rival; `src/loops.rs` has the same. */
struct loops {
  /* Prepares the rival, once. */
  void (*begin)(void);
  /* Allocates, writes and releases one, `count` times. */
  void (*pair)(size_t count);
  /* Allocates `count`, in order. */
  void (*allocate)(plain **values, size_t count);
  /* Releases them, in order. */
  void (*release)(plain **values, size_t count);
  /* Replaces those at the places. */
  void (*replace)(plain **values, const uint32_t *places, size_t count);
  /* Replaces those at the places by rows of one more than the length says. */
  void (*replace_rows)(plain **rows, const uint32_t *places, const uint32_t *lengths, size_t count);
};

#endif /* LOOPS_H */
