/* The other name that programs know uapi_mm.h by. */

#ifndef MM_MM_H
#define MM_MM_H

#include "uapi_mm.h"

#endif /* MM_MM_H */
