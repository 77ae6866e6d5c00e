/* Another name for uapi_mm.h, for programs that include it by this one. */

#ifndef MM_MM_H
#define MM_MM_H

#include "uapi_mm.h"

#endif /* MM_MM_H */
