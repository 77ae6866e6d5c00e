/* The functions by their own names, as objects see them that were compiled before mm existed. */

#include <stdint.h>
#include <stddef.h>

void mm_init();
void mm_instantiate_new_page_family(char *struct_name, uint32_t struct_size);
void *xcalloc(char *struct_name, int units);
void *xcalloc_buff(uint32_t bytes);
void *xrealloc(void *block, size_t bytes);
void xfree(void *block);
void mm_print_registered_page_families();
void mm_print_memory_usage(char *struct_name);
void mm_print_block_usage();
void mm_print_variable_buffers();

struct vm_page_family_;
struct vm_page_family_ *lookup_page_family_by_name(char *struct_name);
