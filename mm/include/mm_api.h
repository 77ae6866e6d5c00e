/* The C interface of mm. For programs written for the library that mm grew out of there are
 * uapi_mm.h and uapi_mm_instance.h, which map its names to the functions here.
 *
 * cbindgen made this file of mm/src/capi: change it there. */

#ifndef MM_API_H
#define MM_API_H

/* What a tool writes is not in the style of every dialect: a comma ends each enumeration, and in C++ a
 * function may have the name of a struct. No warning is to say so. */
#if defined(__GNUC__)
#pragma GCC system_header
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What the fields of `struct mm_stats` and `struct mm_family_stats` mean. Later versions have more
 * fields at the end.
 */
#define MM_STATS_VERSION 1

/**
 * What a figure is that the system does not say: how much memory backs pages, where the kernel is not
 * asked or refuses to answer.
 */
#define MM_NOT_MEASURED UINT64_MAX

/**
 * What a call came to. Numbers stay what they are; later versions may have more of them.
 */
enum mm_status {
  /**
   * It was done.
   */
  MM_OK = 0,
  /**
   * A pointer is `NULL` that may not be, or a number is out of its range.
   */
  MM_BAD_ARGUMENT = 1,
  /**
   * The kernel gave no memory.
   */
  MM_OUT_OF_MEMORY = 2,
  /**
   * No block can have so many units.
   */
  MM_SIZE_OVERFLOW = 3,
  /**
   * The family, or the group that it is in, would hold more than its limit.
   */
  MM_OVER_LIMIT = 4,
  /**
   * The address belongs to no page family.
   */
  MM_FOREIGN = 5,
  /**
   * The address lies in a page family's memory, but no block starts there.
   */
  MM_INTERIOR = 6,
  /**
   * No block is live there: it was released already, or never handed out.
   */
  MM_NOT_LIVE = 7,
  /**
   * The block is of another family than the one that was told to release it.
   */
  MM_WRONG_FAMILY = 8,
  /**
   * A family of this name is registered already.
   */
  MM_DUPLICATE_NAME = 9,
  /**
   * Units of this size and alignment cannot be.
   */
  MM_BAD_LAYOUT = 10,
  /**
   * No family has this name or path.
   */
  MM_UNKNOWN_NAME = 11,
  /**
   * Several families have this name: their paths tell them apart.
   */
  MM_AMBIGUOUS_NAME = 12,
  /**
   * Two ways to derive one figure differ: mm's records are damaged.
   */
  MM_INCONSISTENT = 13,
};

/**
 * A page family: the memory, and the figures, of one type. Types of Rust have one each, and so have
 * the structs that C programs register, by this interface or by the others.
 *
 * A family stays for as long as the process.
 */
struct mm_family;

/**
 * A set of families whose names are its own; its families stay for ever.
 */
struct mm_instance_;

/**
 * Families that share a limit: what they hold together may not rise above it.
 */
struct mm_limit_group;

/**
 * Totals of all families, and figures of the process.
 *
 * The caller sets `size` and `version`. No more than `size` bytes are written: a program that was
 * built with an older header gets what it knows, and one that was built with a newer one than the
 * library finds zeros in the fields that the library does not know.
 */
struct mm_stats {
  /**
   * Set by the caller: `sizeof(struct mm_stats)`.
   */
  size_t size;
  /**
   * Set by the caller: `MM_STATS_VERSION`. The library puts the version there that it filled in: its
   * own, if that is older.
   */
  uint32_t version;
  /**
   * 1 if `resident_bytes` and `records_resident_bytes` are known, as is `resident_bytes` of each
   * family; 0 if one of those is `MM_NOT_MEASURED`.
   */
  uint32_t resident_is_measured;
  /**
   * Page families.
   */
  uint64_t families;
  /**
   * Bytes of one OS page.
   */
  uint64_t os_page_bytes;
  /**
   * Resident bytes of the whole process; `MM_NOT_MEASURED` where the system does not say.
   */
  uint64_t process_resident_bytes;
  /**
   * Resident bytes of mm's own maps, records and tables, or `MM_NOT_MEASURED`.
   */
  uint64_t records_resident_bytes;
  /**
   * VM pages in use: those that may be backed by memory.
   */
  uint64_t vm_pages;
  /**
   * Bytes of address space in use by VM pages.
   */
  uint64_t mapped_bytes;
  /**
   * Bytes of VM pages that are backed by memory, or `MM_NOT_MEASURED`.
   */
  uint64_t resident_bytes;
  /**
   * Blocks handed out and not released.
   */
  uint64_t live_blocks;
  /**
   * Units of the live blocks, whatever their sizes.
   */
  uint64_t live_units;
  /**
   * Bytes of the live units.
   */
  uint64_t live_bytes;
  /**
   * Units in threads' caches, whatever their sizes.
   */
  uint64_t cached_units;
  /**
   * Bytes of the units in threads' caches.
   */
  uint64_t cached_bytes;
  /**
   * Blocks handed out since start.
   */
  uint64_t blocks_allocated;
  /**
   * Blocks released since start.
   */
  uint64_t blocks_released;
  /**
   * Calls into the kernel for families' memory since start.
   */
  uint64_t kernel_calls;
  /**
   * Bytes that `mm_trim` would return now. Locked memory counts until the kernel refused to take it.
   */
  uint64_t reclaimable_bytes;
};

/**
 * Figures of one family. `size` and `version` are as in `struct mm_stats`.
 */
struct mm_family_stats {
  /**
   * Set by the caller: `sizeof(struct mm_family_stats)`.
   */
  size_t size;
  /**
   * Set by the caller: `MM_STATS_VERSION`. The library puts the version there that it filled in: its
   * own, if that is older.
   */
  uint32_t version;
  /**
   * 1 if the family was registered while the program ran; 0 if it is that of a type of Rust.
   */
  uint32_t run_time;
  /**
   * Bytes of one unit.
   */
  uint64_t unit_size;
  /**
   * Alignment of a unit, in bytes.
   */
  uint64_t unit_align;
  /**
   * Units that fit into one VM page; 0 when units have no size, 1 when a unit is larger.
   */
  uint64_t units_per_page;
  /**
   * VM pages in use. Only those may be backed by memory.
   */
  uint64_t vm_pages;
  /**
   * Bytes of address space in use by VM pages.
   */
  uint64_t mapped_bytes;
  /**
   * Bytes of VM pages that are backed by memory. `MM_NOT_MEASURED` if the kernel does not report all of
   * them.
   */
  uint64_t resident_bytes;
  /**
   * Blocks handed out and not released.
   */
  uint64_t live_blocks;
  /**
   * Units of the live blocks.
   */
  uint64_t live_units;
  /**
   * Bytes of the live units.
   */
  uint64_t live_bytes;
  /**
   * Longest runs of free units inside VM pages in use.
   */
  uint64_t free_blocks;
  /**
   * Units of the free blocks.
   */
  uint64_t free_units;
  /**
   * Units in the caches of threads, neither live nor free.
   */
  uint64_t cached_units;
  /**
   * Highest number of live bytes seen, to within one cache per thread.
   */
  uint64_t peak_live_bytes;
  /**
   * Blocks handed out since the start of the process.
   */
  uint64_t blocks_allocated;
  /**
   * Blocks released since the start of the process.
   */
  uint64_t blocks_released;
  /**
   * Calls into the kernel for the memory of the family since the start of the process.
   */
  uint64_t kernel_calls;
  /**
   * Units of the largest free block. 0 if there is none.
   */
  uint64_t largest_free_block;
  /**
   * Bytes that a trim would give back to the system now. As in `struct mm_stats`.
   */
  uint64_t reclaimable_bytes;
  /**
   * Units that fit into the first VM page of the family. That page begins with up to 2 KiB without units,
   * so that families use different sets of the CPU's cache. Otherwise equal to `units_per_page`.
   */
  uint64_t first_page_units;
};

/**
 * Who wants to know that a family holds more than its soft limit, with the pointer that was given
 * along.
 */
typedef void (*mm_soft_limit_call)(struct mm_family *family, void *context);

/**
 * What a program may know of a page family.
 */
struct vm_page_family_ {
  /**
   * The whole name, of any length.
   */
  const char *struct_name;
  /**
   * Bytes of one unit; `UINT32_MAX` if they are more.
   */
  uint32_t struct_size;
};

/**
 * One place of a program that allocates: made by `XCALLOC`, and used by nobody else.
 *
 * It remembers the family that was found there by its name, so that a call that is made again needs
 * no look-up.
 */
struct mm_site {
  /**
   * The family, once it was found, if calls take few steps with it. Starts as null.
   */
  struct vm_page_family_ *near;
  /**
   * The family, once it was found. Starts as null.
   */
  struct vm_page_family_ *family;
  /**
   * Name of the struct.
   */
  const char *name;
  /**
   * File of the source.
   */
  const char *file;
  /**
   * Line in it, from 1.
   */
  uint32_t line;
  /**
   * Bytes of the struct as the place knows it; `UINT32_MAX` if they are more, 0 if it does not say.
   */
  uint32_t struct_size;
};

/**
 * Returns what a status means, in a few words that stay for ever. Of a number that is no status it
 * says so.
 */
const char *mm_status_text(int status);

/**
 * Returns what the calling thread's last refused call came to; `MM_OK` if none was refused. Calls that
 * succeed leave it as it is, as they do `errno`.
 */
enum mm_status mm_last_status(void);

/**
 * Writes the sentence that says why the calling thread's last refused call was refused, with the
 * name of the family, into the `room` bytes at `text`; an empty one if none was refused.
 *
 * As `snprintf` does, it cuts the sentence where there is no room, ends it with a zero byte in any
 * case, and returns how long it is as a whole. `text` may be `NULL` if `room` is 0.
 *
 * # Safety
 *
 * 1. `text` is null, or `room` bytes there may be written.
 */
size_t mm_last_error(char *text, size_t room);

/**
 * Registers a page family of units of `size` bytes, each aligned to `align`; an `align` of 0 is the
 * largest that a struct of this size can have.
 *
 * The name is UTF-8, not empty, and no other family's. Refused with `MM_DUPLICATE_NAME`,
 * `MM_BAD_LAYOUT` if the size is 0 or the alignment no power of 2, or `MM_OUT_OF_MEMORY`.
 *
 * # Safety
 *
 * 1. `name` is null or a string of C.
 */
struct mm_family *mm_family_register(const char *name, size_t size, size_t align);

/**
 * As `mm_family_register`, for `MM_REGISTER`, which knows its place in the source.
 *
 * # Safety
 *
 * 1. `name` is null or a string of C.
 * 2. `file` is null or a string of C.
 */
struct mm_family *mm_family_register_at(const char *name,
                                        size_t size,
                                        size_t align,
                                        const char *file,
                                        uint32_t line);

/**
 * Returns the family of exactly this key or path, or else the only one of exactly this name.
 *
 * Where no path and no name is this text, the only one of whose path it is the end, in whole parts:
 * `b::Node` of `a::b::Node`.
 *
 * Refused with `MM_UNKNOWN_NAME`, or with `MM_AMBIGUOUS_NAME` if several families have the name, as
 * types of several modules may.
 *
 * # Safety
 *
 * 1. `name_or_path` is null or a string of C.
 */
struct mm_family *mm_family_find(const char *name_or_path);

/**
 * Writes handles of families to the `room` places at `out`, as many as there is room for, in the order
 * of their paths; returns how many families there are.
 *
 * `out` may be `NULL` if `room` is 0.
 *
 * # Safety
 *
 * 1. `out` is null, or `room` handles may be written there.
 */
size_t mm_families(struct mm_family **out,
                   size_t room);

/**
 * Returns the family's short name, which stays for ever.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
const char *mm_family_name(const struct mm_family *family);

/**
 * Returns the full path of the family's type, which stays for ever; of a family that was registered
 * while the program runs, its name, and in an instance of `uapi_mm_instance.h` which one that is.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
const char *mm_family_path(const struct mm_family *family);

/**
 * Returns what tells the family from every other one, which stays for ever: path and place, as in
 * `struct emp (emp.c:17)`. Of families that share both, the second that mm met ends with ` #2`, and so
 * on. What would act on a terminal, or cannot be seen, is escaped, and a `~` stands before what in a
 * path or file would look like the next part. `mm_family_find` finds the family by it.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
const char *mm_family_key(const struct mm_family *family);

/**
 * Returns the bytes of one unit: the size rounded up to the alignment.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
size_t mm_family_unit_size(const struct mm_family *family);

/**
 * Returns what a unit is aligned to, in bytes.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
size_t mm_family_unit_align(const struct mm_family *family);

/**
 * Allocates a block of `units` units. What is in it is unspecified.
 *
 * Refused with `MM_SIZE_OVERFLOW`, `MM_OUT_OF_MEMORY` or `MM_OVER_LIMIT`. A block of 0 units is no
 * `NULL`, has no memory, and may be released.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
void *mm_family_alloc(struct mm_family *family, size_t units);

/**
 * Allocates a block of `units` units, all bytes zero; else as `mm_family_alloc`.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
void *mm_family_alloc_zeroed(struct mm_family *family, size_t units);

/**
 * As `mm_family_alloc`, for `MM_ALLOC`, which knows its place in the source: reports of leaks name it.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 * 2. `file` is null or a string of C.
 */
void *mm_family_alloc_at(struct mm_family *family,
                         size_t units,
                         const char *file,
                         uint32_t line);

/**
 * As `mm_family_alloc_zeroed`, for `MM_ALLOC_ZEROED`, which knows its place in the source.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 * 2. `file` is null or a string of C.
 */
void *mm_family_alloc_zeroed_at(struct mm_family *family,
                                size_t units,
                                const char *file,
                                uint32_t line);

/**
 * As `mm_family_alloc_at`, for `MM_ALLOC_OF`: only if the family's units have `size` bytes and are
 * aligned to `align`, or to more. An `align` of 0 is not compared.
 *
 * Else it is refused with `MM_BAD_LAYOUT`.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 * 2. `file` is null or a string of C.
 */
void *mm_family_alloc_of_at(struct mm_family *family,
                            size_t units,
                            size_t size,
                            size_t align,
                            const char *file,
                            uint32_t line);

/**
 * As `mm_family_alloc_of_at`, for `MM_ALLOC_ZEROED_OF`: all bytes are zero.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 * 2. `file` is null or a string of C.
 */
void *mm_family_alloc_zeroed_of_at(struct mm_family *family,
                                   size_t units,
                                   size_t size,
                                   size_t align,
                                   const char *file,
                                   uint32_t line);

/**
 * Releases a block of whatever family. `NULL` is none.
 *
 * Refused with `MM_FOREIGN`, `MM_INTERIOR` or `MM_NOT_LIVE`, and then nothing changes. A block that
 * was released is recognised until its memory is handed out again, unless the program wrote to it
 * meanwhile.
 *
 * # Safety
 *
 * 1. The program does not use the block any more.
 * 2. No value of Rust owns the block.
 * 3. No other thread releases the block at the same time.
 */
enum mm_status mm_release(void *block);

/**
 * Releases a block of this family; one of another is refused with `MM_WRONG_FAMILY`. Else as
 * `mm_release`.
 *
 * # Safety
 *
 * 1. The program does not use the block any more.
 * 2. No value of Rust owns the block.
 * 3. No other thread releases the block at the same time.
 * 4. `family` is null or a family.
 */
enum mm_status mm_family_release(struct mm_family *family, void *block);

/**
 * Returns the bytes of the live block that starts at `block`; 0 for one of 0 units, and for `NULL`.
 * Where no live block starts it is refused as `mm_release` is, and returns 0.
 */
size_t mm_block_bytes(const void *block);

/**
 * Returns the family of the live block that starts at `block`; `NULL` for one of 0 units, and for
 * `NULL`. Where no live block starts it is refused as `mm_release` is, and returns `NULL`.
 */
struct mm_family *mm_block_family(const void *block);

/**
 * Fills in the totals of all families. Exact while no other thread allocates or releases.
 *
 * Refused with `MM_BAD_ARGUMENT` if `size` has no room for `version`, or `version` is 0.
 *
 * # Safety
 *
 * 1. `stats` is null, or its `size` and `version` are set, as far as it has them, and `stats->size` bytes
 *    may be read and written there.
 */
enum mm_status mm_stats(struct mm_stats *stats);

/**
 * Fills in the figures of one family; else as `mm_stats`.
 *
 * # Safety
 *
 * 1. `stats` is null, or its `size` and `version` are set, as far as it has them, and `stats->size` bytes
 *    may be read and written there.
 * 2. `family` is null or a family.
 */
enum mm_status mm_family_stats(const struct mm_family *family,
                               struct mm_family_stats *stats);

/**
 * Returns every figure of every family as JSON; `mm/schemas/snapshot.schema.json` says what is in
 * it. To be released by `mm_text_release`.
 */
char *mm_snapshot_json(void);

/**
 * Returns what is live of every family, and who allocated it, as JSON; `mm/schemas/profile.schema.json`
 * says what is in it. To be released by `mm_text_release`.
 */
char *mm_profile_json(void);

/**
 * Returns what is live, and who allocated it as far as that was recorded (see `mm_track`), for people
 * to read; an empty text if nothing is live. To be released by `mm_text_release`.
 */
char *mm_leaks_text(void);

/**
 * Returns every figure in the format OpenMetrics, for Prometheus and the like. To be released by
 * `mm_text_release`.
 */
char *mm_openmetrics(void);

/**
 * Releases a text that mm returned. `NULL` is none.
 *
 * # Safety
 *
 * 1. `text` is null, or mm returned it for the program to release.
 * 2. The program does not use the text any more.
 */
void mm_text_release(char *text);

/**
 * Prints what `mm_leaks_text` returns to `stdout`, with a line end; nothing if nothing is live.
 */
void mm_print_leaks(void);

/**
 * Records who allocates, for reports of leaks: place in the source, thread and time, of one block in
 * `every` of each family. 1 is each, 0 none, and forgets what was recorded.
 *
 * While it is recorded, each call takes a lock.
 */
void mm_track(uint32_t every);

/**
 * The same for one family.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
enum mm_status mm_family_track(struct mm_family *family, uint32_t every);

/**
 * Has the process report what is live when it ends, to standard error, if anything is. If `exit_code`
 * is not 0, it then ends with this one, and functions given to `atexit` before are not called.
 *
 * Refused with `MM_BAD_ARGUMENT` if the code is not from 0 to 255.
 */
enum mm_status mm_report_leaks_at_exit(int exit_code);

/**
 * Gives back to the kernel what can be given back; returns how many bytes that were, in whole OS pages.
 *
 * What the caches of other threads hold is given back after their next call.
 */
size_t mm_trim(void);

/**
 * Walks all VM pages and caches, derives every figure again, and compares. Exact while no other thread
 * allocates or releases; takes time in proportion to the heap.
 *
 * Answers `MM_INCONSISTENT` if figures differ: `mm_last_error` says which.
 */
enum mm_status mm_check(void);

/**
 * Limits the live units of a family to as many as fit into `bytes` bytes. A call that would hold more
 * is refused with `MM_OVER_LIMIT`; what is live already stays so, even if it is more.
 *
 * While a family has a limit, each of its calls takes a lock.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
enum mm_status mm_family_set_limit_bytes(struct mm_family *family,
                                         uint64_t bytes);

/**
 * Limits the live units of a family to `units`; else as `mm_family_set_limit_bytes`.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
enum mm_status mm_family_set_limit_units(struct mm_family *family, uint64_t units);

/**
 * Ends the limit of a family. Groups and soft limits stay.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
enum mm_status mm_family_clear_limit(struct mm_family *family);

/**
 * Returns how many units may be live of a family; `UINT64_MAX` if it has no limit.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
uint64_t mm_family_limit_units(const struct mm_family *family);

/**
 * Has `call` called whenever what is live of a family rises above `bytes` bytes: once for each time
 * that it does, by the thread whose allocation does it, before that allocation returns.
 *
 * The call may use mm, and must return. It takes the place of the soft limit before, whose call may
 * still be under way on another thread: what `context` leads to has to stay.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 * 2. `call` is null or a function that any thread may call with `context`, at any time from now on.
 */
enum mm_status mm_family_set_soft_limit_bytes(struct mm_family *family,
                                              uint64_t bytes,
                                              mm_soft_limit_call call,
                                              void *context);

/**
 * The same for `units` live units.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 * 2. `call` is null or a function that any thread may call with `context`, at any time from now on.
 */
enum mm_status mm_family_set_soft_limit_units(struct mm_family *family,
                                              uint64_t units,
                                              mm_soft_limit_call call,
                                              void *context);

/**
 * Ends the soft limit of a family.
 *
 * # Safety
 *
 * 1. `family` is null or a family.
 */
enum mm_status mm_family_clear_soft_limit(struct mm_family *family);

/**
 * Makes a group without families that may hold `bytes` bytes of live units. It stays for as long as
 * the process. Refused with `MM_OUT_OF_MEMORY`.
 */
struct mm_limit_group *mm_limit_group_new(uint64_t bytes);

/**
 * Puts a family into the group, with what it holds, and out of the one that it was in.
 *
 * # Safety
 *
 * 1. `group` is null or a group.
 * 2. `family` is null or a family.
 */
enum mm_status mm_limit_group_add(struct mm_limit_group *group, struct mm_family *family);

/**
 * Takes a family out of the group, if it is in it.
 *
 * # Safety
 *
 * 1. `group` is null or a group.
 * 2. `family` is null or a family.
 */
enum mm_status mm_limit_group_remove(struct mm_limit_group *group, struct mm_family *family);

/**
 * Sets the limit of the group, for every call that begins after this one returns.
 *
 * # Safety
 *
 * 1. `group` is null or a group.
 */
enum mm_status mm_limit_group_set_bytes(struct mm_limit_group *group, uint64_t bytes);

/**
 * Returns what the families of the group hold together, in bytes of live units.
 *
 * # Safety
 *
 * 1. `group` is null or a group.
 */
uint64_t mm_limit_group_live_bytes(const struct mm_limit_group *group);

/**
 * Makes an instance: a set of families of its own, which stays. `NULL`, and a line on standard error,
 * without memory for it.
 */
struct mm_instance_ *mm_inst_init_new_instance(void);

/**
 * Registers a family of structs of `struct_size` bytes.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a string of C.
 */
void mm_inst_instantiate_new_page_family(struct mm_instance_ *instance,
                                         const char *struct_name,
                                         uint32_t struct_size);

/**
 * As `mm_instantiate_new_page_family`, for `MM_REG_STRUCT`, which knows its place in the source.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a string of C.
 * 3. `file` is null or a string of C.
 */
void mm_inst_register_at(struct mm_instance_ *instance,
                         const char *struct_name,
                         size_t struct_size,
                         const char *file,
                         uint32_t line);

/**
 * Allocates a block of `units` zeroed units of the instance's family of this name.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a string of C.
 */
void *mm_inst_xcalloc(struct mm_instance_ *instance, const char *struct_name, int units);

/**
 * As `xcalloc`, for `XCALLOC`: the name is looked up the first time only.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `XCALLOC` made the site.
 */
void *mm_inst_xcalloc_at(struct mm_instance_ *instance, struct mm_site *site, int64_t units);

/**
 * As `xcalloc`, for `XCALLOC` where compilers know no sites: it knows its place in the source, and how
 * many bytes the struct has there; 0 is not known.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a string of C.
 * 3. `file` is null or a string of C.
 */
void *mm_inst_xcalloc_sized(struct mm_instance_ *instance,
                            const char *struct_name,
                            size_t struct_size,
                            int64_t units,
                            const char *file,
                            uint32_t line);

/**
 * Allocates a zeroed buffer of `bytes` bytes, aligned to 16, of the instance's family of plain bytes.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 */
void *mm_inst_xcalloc_buff(struct mm_instance_ *instance,
                           uint32_t bytes);

/**
 * As `xcalloc_buff`, for `XCALLOC_BUFF`, which knows its place in the source.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `file` is null or a string of C.
 */
void *mm_inst_xcalloc_buff_at(struct mm_instance_ *instance,
                              size_t bytes,
                              const char *file,
                              uint32_t line);

/**
 * Returns the instance's family of exactly this name, or `NULL`.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a string of C.
 */
struct vm_page_family_ *mm_inst_lookup_page_family_by_name(struct mm_instance_ *instance,
                                                           const char *struct_name);

/**
 * Prints each family that is registered in the instance to `stdout`.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 */
void mm_inst_print_registered_page_families(struct mm_instance_ *instance);

/**
 * Prints each VM page and each block of the instance's family of exactly this name, or of all for
 * `NULL`, to `stdout`.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. `struct_name` is null or a string of C.
 */
void mm_inst_print_memory_usage(struct mm_instance_ *instance, const char *struct_name);

/**
 * Prints one line for each family of the instance to `stdout`.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 */
void mm_inst_print_block_usage(struct mm_instance_ *instance);

/**
 * Prints the same for the instance's buffers.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 */
void mm_inst_print_variable_buffers(struct mm_instance_ *instance);

/**
 * Releases a block or a buffer, if it is of this instance; else it gets a line on standard error, and
 * nothing changes.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. The program does not use the block any more.
 * 3. No other thread releases the block at the same time.
 */
void mm_inst_xfree(struct mm_instance_ *instance,
                   void *block);

/**
 * As `xfree_inst`, for `XFREE_INST`, which knows its place in the source.
 *
 * # Safety
 *
 * 1. `instance` is null, or `mm_init_new_instance` returned it.
 * 2. The program does not use the block any more.
 * 3. No other thread releases the block at the same time.
 * 4. `file` is null or a string of C.
 */
void mm_inst_xfree_at(struct mm_instance_ *instance, void *block, const char *file, uint32_t line);

/**
 * Does nothing: mm needs no start. Programs may call it any number of times, or never.
 */
void mm_uapi_init(void);

/**
 * Registers a family of structs of `struct_size` bytes.
 *
 * A name that is taken, an empty one, or a size of 0 get a line on standard error, and change nothing.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a string of C.
 */
void mm_uapi_instantiate_new_page_family(const char *struct_name,
                                         uint32_t struct_size);

/**
 * As `mm_instantiate_new_page_family`, for `MM_REG_STRUCT`, which knows its place in the source.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a string of C.
 * 2. `file` is null or a string of C.
 */
void mm_uapi_register_at(const char *struct_name,
                         size_t struct_size,
                         const char *file,
                         uint32_t line);

/**
 * Allocates a block of `units` zeroed units of the family of this name.
 *
 * `NULL`, and a line on standard error, if there is no such family, `units` is negative, or there is
 * no memory. A block of 0 units has no memory, and may be released.
 *
 * It gets no size, so it cannot tell that another source has another struct of this name: `XCALLOC`
 * can.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a string of C.
 */
void *mm_uapi_xcalloc(const char *struct_name,
                      int units);

/**
 * As `xcalloc`, for `XCALLOC`: the name is looked up the first time only.
 *
 * # Safety
 *
 * 1. `XCALLOC` made the site.
 */
void *mm_uapi_xcalloc_at(struct mm_site *site, int64_t units);

/**
 * As `xcalloc`, for `XCALLOC` where compilers know no sites: it knows its place in the source, and how
 * many bytes the struct has there; 0 is not known.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a string of C.
 * 2. `file` is null or a string of C.
 */
void *mm_uapi_xcalloc_sized(const char *struct_name,
                            size_t struct_size,
                            int64_t units,
                            const char *file,
                            uint32_t line);

/**
 * Allocates a zeroed buffer of `bytes` bytes, aligned to 16, of the family of plain bytes.
 *
 * `NULL`, and a line on standard error, if there is no memory.
 */
void *mm_uapi_xcalloc_buff(uint32_t bytes);

/**
 * As `xcalloc_buff`, for `XCALLOC_BUFF`, which knows its place in the source.
 *
 * # Safety
 *
 * 1. `file` is null or a string of C.
 */
void *mm_uapi_xcalloc_buff_at(size_t bytes, const char *file, uint32_t line);

/**
 * Releases a block or a buffer, of any instance. `NULL` is none.
 *
 * A pointer that is no block of mm, or does not point to its start, gets a line on standard error,
 * and nothing changes. A second release gets a line, and ends the process by `abort`.
 *
 * # Safety
 *
 * 1. The program does not use the block any more.
 * 2. No other thread releases the block at the same time.
 */
void mm_uapi_xfree(void *block);

/**
 * As `xfree`, for `XFREE`, which knows its place in the source.
 *
 * # Safety
 *
 * 1. The program does not use the block any more.
 * 2. No other thread releases the block at the same time.
 * 3. `file` is null or a string of C.
 */
void mm_uapi_xfree_at(void *block, const char *file, uint32_t line);

/**
 * Makes a block longer or shorter: to `bytes` bytes, rounded up to whole units of its family. Its
 * contents move along, and what is new is zeroed.
 *
 * Of `NULL`, and of a block of 0 units, which is nobody's, it makes a buffer of the global instance; with 0
 * bytes it releases the block and returns `NULL`. Without memory
 * it returns `NULL`, with a line on standard error, and the block stays as it is.
 *
 * # Safety
 *
 * 1. The program does not use the block any more. It may use the one that is returned.
 * 2. No other thread releases the block at the same time.
 */
void *mm_uapi_xrealloc(void *block,
                       size_t bytes);

/**
 * Returns the family of exactly this name, or `NULL`.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a string of C.
 */
struct vm_page_family_ *mm_uapi_lookup_page_family_by_name(const char *struct_name);

/**
 * Prints each registered family, with the bytes of its struct, to `stdout`.
 */
void mm_uapi_print_registered_page_families(void);

/**
 * Prints each VM page and each block of the family of exactly this name, or of all for `NULL`, to
 * `stdout`.
 *
 * # Safety
 *
 * 1. `struct_name` is null or a string of C.
 */
void mm_uapi_print_memory_usage(const char *struct_name);

/**
 * Prints one line for each family to `stdout`: its blocks in all (`TBC`), free ones (`FBC`), live ones
 * (`OBC`), and bytes of the live ones.
 */
void mm_uapi_print_block_usage(void);

/**
 * Prints the same for buffers.
 */
void mm_uapi_print_variable_buffers(void);

#ifdef __cplusplus
}
#endif

#endif /* MM_API_H */
