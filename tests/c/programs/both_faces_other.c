/* This file uses the interface with instances. */

#include "uapi_mm_instance.h"

typedef struct {
  long words[3];
} shared_t;

void register_in_instance(void);
void *allocate_in_instance(void);
void release_in_instance(void *block);

void register_in_instance(void) { MM_REG_STRUCT(0, shared_t); }

void *allocate_in_instance(void) { return XCALLOC(0, 3, shared_t); }

void release_in_instance(void *block) { XFREE_INST(0, block); }
