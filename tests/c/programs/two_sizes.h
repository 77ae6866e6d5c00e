/* Shared by the files of `two_sizes.c`, which have a struct of one name each. */

#include "uapi_mm.h"

#ifdef __cplusplus
extern "C" {
#endif

void *register_small(void);
void release_small(void *small);

#ifdef __cplusplus
}
#endif
