/* The later variant of the interface in uapi_mm.h. Its functions take an instance as first argument. An
 * instance is a set of page families of its own; 0 is the global one.
 *
 *     MM_REG_STRUCT(0, emp_t);
 *     emp_t *emps = XCALLOC(0, 3, emp_t);
 *     XFREE(emps);
 *     mm_print_block_usage(0); */

#if defined(MM_UAPI_MM_H)
#error "uapi_mm.h and uapi_mm_instance.h give the same names to different functions: include one"
#elif !defined(MM_UAPI_MM_INSTANCE_H)
#define MM_UAPI_MM_INSTANCE_H

#include "mm_places.h"

typedef struct mm_instance_ mm_instance_t;
typedef struct vm_page_family_ vm_page_family_t;

/* The names are those of uapi_mm.h, so the symbols in object files have another prefix. */
#define mm_init mm_uapi_init
#define mm_init_new_instance mm_inst_init_new_instance
#define mm_instantiate_new_page_family mm_inst_instantiate_new_page_family
#define lookup_page_family_by_name mm_inst_lookup_page_family_by_name
#define xcalloc mm_inst_xcalloc
#define xcalloc_buff mm_inst_xcalloc_buff
#define xrealloc mm_uapi_xrealloc
#define xfree mm_uapi_xfree
#define xfree_inst mm_inst_xfree
#define mm_print_registered_page_families mm_inst_print_registered_page_families
#define mm_print_memory_usage mm_inst_print_memory_usage
#define mm_print_block_usage mm_inst_print_block_usage
#define mm_print_variable_buffers mm_inst_print_variable_buffers

/* Registers the page family of a struct; its name is the text of the argument. */
#define MM_REG_STRUCT(mm_inst, struct_name)                                                        \
  (mm_inst_register_at((mm_inst), #struct_name, MM_SIZE_OF(struct_name), __FILE__, __LINE__))

/* Allocates a block of zeroed structs. Returns NULL and prints a line on standard error if a struct
 * of another size is registered with this name, and in all cases in which xcalloc does. */
#if defined(MM_SITE)
#define XCALLOC(mm_inst, units, struct_name)                                                       \
  (mm_inst_xcalloc_at((mm_inst), MM_SITE(#struct_name, MM_SIZE_HERE(struct_name)), (units)))
#else
#define XCALLOC(mm_inst, units, struct_name)                                                       \
  (mm_inst_xcalloc_sized((mm_inst), #struct_name, MM_SIZE_HERE(struct_name), (units), __FILE__,    \
                         __LINE__))
#endif

/* Allocates a zeroed buffer. */
#define XCALLOC_BUFF(mm_inst, size_in_bytes)                                                       \
  (mm_inst_xcalloc_buff_at((mm_inst), (size_in_bytes), __FILE__, __LINE__))

/* Releases a block or a buffer of any instance. */
#define XFREE(ptr) (mm_uapi_xfree_at((ptr), __FILE__, __LINE__))

/* Releases a block or a buffer of this instance. For one of another instance it prints a line on
 * standard error and changes nothing. */
#define XFREE_INST(mm_inst, ptr) (mm_inst_xfree_at((mm_inst), (ptr), __FILE__, __LINE__))

#endif /* MM_UAPI_MM_INSTANCE_H */
