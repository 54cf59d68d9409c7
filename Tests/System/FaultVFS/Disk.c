#include "Disk.h"
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512 };

// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
static uint64_t mixed(uint64_t value) {
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
    value = (value ^ value >> 27) * 0x94D049BB133111EBu;
    return value ^ value >> 31;
}

uint64_t fault_random(fault_disk *disk) { return mixed(disk->random += 0x9E3779B97F4A7C15u); }

int fault_begin(fault_disk *disk, fault_kind kind) {
    if (disk->is_stopped) return -1;
    disk->counts.operations += 1;
    if (disk->counts.operations == disk->stop_before) {
        fault_disk_stop(disk);
        return -1;
    }
    if (!disk->plans[kind].is_set) return 0;
    if (disk->plans[kind].after > 0) {
        disk->plans[kind].after -= 1;
        return 0;
    }
    if (disk->plans[kind].times == 0) {
        disk->plans[kind].is_set = false;
        return 0;
    }
    disk->plans[kind].times -= 1;
    disk->counts.failures[kind] += 1;
    return 1;
}

// Contents

static bool reserve(fault_content *content, size_t size) {
    if (size <= content->capacity) return true;
    size_t capacity = content->capacity ? content->capacity : 4096;
    while (capacity < size) capacity *= 2;
    uint8_t *bytes = realloc(content->bytes, capacity);
    if (!bytes) return false;
    content->bytes = bytes;
    content->capacity = capacity;
    return true;
}

/// Makes it so long; what is new is zero.
static bool resize(fault_content *content, size_t size) {
    if (!reserve(content, size)) return false;
    if (size > content->size) memset(content->bytes + content->size, 0, size - content->size);
    content->size = size;
    return true;
}

static bool copy(fault_content *to, const fault_content *from) {
    if (!reserve(to, from->size)) return false;
    if (from->size) memcpy(to->bytes, from->bytes, from->size);
    to->size = from->size;
    return true;
}

// Changes

static fault_change *append(fault_inode *inode) {
    if (inode->change_count == inode->change_capacity) {
        size_t capacity = inode->change_capacity ? 2 * inode->change_capacity : 16;
        fault_change *changes = realloc(inode->changes, capacity * sizeof *changes);
        if (!changes) return NULL;
        inode->changes = changes;
        inode->change_capacity = capacity;
    }
    fault_change *change = &inode->changes[inode->change_count];
    memset(change, 0, sizeof *change);
    return change;
}

static void forget(fault_inode *inode) {
    for (size_t i = 0; i < inode->change_count; i++) free(inode->changes[i].bytes);
    inode->change_count = 0;
}

bool fault_write(fault_inode *inode, const void *bytes, size_t length, size_t offset) {
    if (length == 0) return true;
    fault_change *change = append(inode);
    uint8_t *kept = malloc(length);
    if (!change || !kept || (offset + length > inode->seen.size && !resize(&inode->seen, offset + length))) {
        free(kept);
        return false;
    }
    memcpy(kept, bytes, length);
    memcpy(inode->seen.bytes + offset, bytes, length);
    *change = (fault_change){.offset = offset, .length = length, .bytes = kept, .size = inode->seen.size};
    inode->change_count += 1;
    return true;
}

bool fault_truncate(fault_inode *inode, size_t size) {
    fault_change *change = append(inode);
    if (!change || !resize(&inode->seen, size)) return false;
    *change = (fault_change){.size = size};
    inode->change_count += 1;
    return true;
}

void fault_sync(fault_inode *inode) {
    for (size_t i = 0; i < inode->change_count; i++) {
        const fault_change *change = &inode->changes[i];
        if (!resize(&inode->durable, change->size)) abort();
        if (change->bytes) memcpy(inode->durable.bytes + change->offset, change->bytes, change->length);
    }
    forget(inode);
}

/// How much of what was not synced is found again. A sector is never torn in itself: it is as it was at some moment.
typedef struct {
    enum { NOTHING, EVERYTHING, UP_TO_A_MOMENT, ANY_SUBSET } mode;
    uint64_t salt;
    size_t moment;
    bool leaves_garbage;
} survival;

static survival drawn(fault_disk *disk, const fault_inode *inode) {
    survival result = {.mode = (int)(fault_random(disk) % 5), .salt = fault_random(disk)};
    if (result.mode > ANY_SUBSET) result.mode = ANY_SUBSET;
    result.moment = fault_random(disk) % (inode->change_count + 1);
    result.leaves_garbage = fault_random(disk) % 2;
    return result;
}

/// How many of the changes a sector has seen.
static size_t cutoff(survival survival, size_t sector, size_t count) {
    switch (survival.mode) {
    case NOTHING: return 0;
    case EVERYTHING: return count;
    case UP_TO_A_MOMENT: {
        // The write under way at that moment is torn.
        return survival.moment + (survival.moment < count && mixed(survival.salt + sector) % 2);
    }
    default: return mixed(survival.salt + sector) % (count + 1);
    }
}

static void fill(uint8_t *bytes, size_t count, uint64_t salt) {
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)mixed(salt + i);
}

/// A truncation happens or does not, as a whole: file systems keep it in their journal. Of what is written after it nothing is found
/// when it did not happen, for its blocks are no part of the file then.
static void persist(fault_disk *disk, fault_inode *inode) {
    size_t count = inode->change_count;
    if (count == 0) return;
    survival survival = drawn(disk, inode);
    size_t sized = cutoff(survival, SIZE_MAX / SECTOR, count);
    while (sized < count && inode->changes[sized].bytes) sized += 1;
    // Up to here, but not further, all truncations happened.
    count = sized;
    size_t grown = count ? cutoff(survival, SIZE_MAX / SECTOR - 1, count) : 0;
    fault_content *durable = &inode->durable;
    size_t old = durable->size;
    size_t size = old;
    for (size_t i = 0; i < count; i++) {
        const fault_change *change = &inode->changes[i];
        if (!change->bytes) {
            if (!resize(durable, change->size < durable->size ? change->size : durable->size)) abort();
            size = change->size;
            old = old < size ? old : size;
            continue;
        }
        if (i < grown && change->size > size) size = change->size;
        size_t offset = change->offset;
        size_t end = change->offset + change->length;
        if (end > durable->size && !resize(durable, end)) abort();
        while (offset < end) {
            size_t sector = offset / SECTOR;
            size_t piece = (sector + 1) * SECTOR < end ? (sector + 1) * SECTOR - offset : end - offset;
            if (i < cutoff(survival, sector, count)) {
                memcpy(durable->bytes + offset, change->bytes + (offset - change->offset), piece);
                disk->counts.sectors_kept += 1;
            } else {
                // Blocks that the file system gave to the file before anything was written into them.
                if (survival.leaves_garbage && offset >= old) fill(durable->bytes + offset, piece, survival.salt ^ offset);
                disk->counts.sectors_lost += 1;
            }
            offset += piece;
        }
    }
    for (size_t i = count; i < inode->change_count; i++) {
        disk->counts.sectors_lost += inode->changes[i].length / SECTOR + (inode->changes[i].length > 0);
    }
    if (!resize(durable, size)) abort();
    forget(inode);
}

void fault_sync_partly(fault_disk *disk, fault_inode *inode) {
    persist(disk, inode);
    // The kernel takes the pages for written, whether they are or not; sooner or later it reads them again.
    if (fault_random(disk) % 3 == 0) {
        if (!copy(&inode->seen, &inode->durable)) abort();
        disk->counts.evictions += 1;
    }
}

// Names

void fault_retain(fault_inode *inode) { inode->users += 1; }

void fault_release(fault_inode *inode) {
    if (!inode || --inode->users > 0) return;
    forget(inode);
    free(inode->changes);
    free(inode->seen.bytes);
    free(inode->durable.bytes);
    free(inode);
}

fault_name *fault_find(fault_disk *disk, const char *path) {
    for (size_t i = 0; i < disk->name_count; i++) {
        if (strcmp(disk->names[i].path, path) == 0) return &disk->names[i];
    }
    return NULL;
}

fault_inode *fault_make(fault_disk *disk, const char *path) {
    fault_name *name = fault_find(disk, path);
    if (!name) {
        if (disk->name_count == disk->name_capacity) {
            size_t capacity = disk->name_capacity ? 2 * disk->name_capacity : 8;
            fault_name *names = realloc(disk->names, capacity * sizeof *names);
            if (!names) return NULL;
            disk->names = names;
            disk->name_capacity = capacity;
        }
        name = &disk->names[disk->name_count];
        *name = (fault_name){.path = strdup(path)};
        if (!name->path) return NULL;
        disk->name_count += 1;
    }
    name->current = calloc(1, sizeof *name->current);
    if (name->current) fault_retain(name->current);
    return name->current;
}

void fault_unlink(fault_name *name) {
    fault_release(name->current);
    name->current = NULL;
}

static void make_durable(fault_name *name, fault_inode *inode) {
    if (name->durable == inode) return;
    if (inode) fault_retain(inode);
    fault_release(name->durable);
    name->durable = inode;
}

bool fault_disk_write_again(fault_disk *disk, const char *path) {
    fault_name *name = fault_find(disk, path);
    if (!name || !name->current) return true;
    fault_inode *inode = name->current;
    if (fault_begin(disk, FAULT_READ) != 0) return false;
    size_t size = inode->seen.size;
    if (size == 0) return true;
    uint8_t *bytes = malloc(size);
    if (!bytes) return false;
    memcpy(bytes, inode->seen.bytes, size);
    bool is_written = true;
    // In pieces, as programs do: the machine may stop between any two.
    for (size_t offset = 0; is_written && offset < size; offset += 4 * SECTOR) {
        size_t length = size - offset < 4 * SECTOR ? size - offset : 4 * SECTOR;
        is_written = fault_begin(disk, FAULT_WRITE) == 0 && fault_write(inode, bytes + offset, length, offset);
    }
    free(bytes);
    if (!is_written) return false;
    int refusal = fault_begin(disk, FAULT_SYNC);
    if (refusal < 0) return false;
    if (refusal > 0) {
        fault_sync_partly(disk, inode);
        return false;
    }
    fault_sync(inode);
    return true;
}

fault_length fault_disk_lengthen(fault_disk *disk, const char *path, int64_t length) {
    enum { BLOCK = 4096, PIECE = 64 * SECTOR };
    static const uint8_t zeros[8 * SECTOR];
    fault_name *name = fault_find(disk, path);
    if (disk->is_stopped || !name || !name->current) return FAULT_LENGTH_REFUSED;
    fault_inode *inode = name->current;
    size_t old = inode->seen.size;
    size_t offset = (old + BLOCK - 1) / BLOCK * BLOCK;
    size_t wanted = length > 0 ? (size_t)length : 0;
    if (offset >= wanted) return FAULT_LENGTH_DONE;
    if (disk->capacity >= 0 && fault_used(disk) + 4 * (int64_t)(wanted - offset) > disk->capacity) return FAULT_LENGTH_REFUSED;
    size_t end = wanted - offset < PIECE ? wanted : offset + PIECE;
    while (offset < end) {
        size_t count = end - offset < sizeof zeros ? end - offset : sizeof zeros;
        int refusal = fault_begin(disk, FAULT_WRITE);
        if (refusal < 0) return FAULT_LENGTH_REFUSED;
        if (refusal > 0 || !fault_write(inode, zeros, count, offset)) {
            if (fault_begin(disk, FAULT_TRUNCATE) == 0) fault_truncate(inode, old);
            return FAULT_LENGTH_REFUSED;
        }
        offset += count;
    }
    int refusal = fault_begin(disk, FAULT_SYNC);
    if (refusal > 0) fault_sync_partly(disk, inode);
    if (refusal != 0) return FAULT_LENGTH_REFUSED;
    fault_sync(inode);
    if (end < wanted) return FAULT_LENGTH_MORE;
    disk->counts.lengthened += 1;
    return FAULT_LENGTH_DONE;
}

void fault_disk_remove(fault_disk *disk, const char *path) {
    fault_name *name = fault_find(disk, path);
    if (name && name->current) fault_unlink(name);
}

bool fault_disk_sync_directory(fault_disk *disk) {
    int refusal = fault_begin(disk, FAULT_SYNC_DIRECTORY);
    if (refusal < 0) return false;
    for (size_t i = 0; i < disk->name_count; i++) {
        if (refusal == 0 || fault_random(disk) % 2) make_durable(&disk->names[i], disk->names[i].current);
    }
    return refusal == 0;
}

static void set_current(fault_name *name, fault_inode *inode) {
    if (name->current == inode) return;
    if (inode) fault_retain(inode);
    fault_release(name->current);
    name->current = inode;
}

// Space

int64_t fault_used(const fault_disk *disk) {
    int64_t used = disk->taken;
    for (size_t i = 0; i < disk->name_count; i++) {
        const fault_inode *inode = disk->names[i].current;
        if (!inode) continue;
        used += (int64_t)inode->seen.size;
        if (inode->share) used += (int64_t)inode->share->count * inode->share->size;
    }
    return used;
}

bool fault_fits(fault_disk *disk, int64_t bytes) {
    if (bytes <= 0 || disk->capacity < 0 || fault_used(disk) + bytes <= disk->capacity) return true;
    disk->counts.full += 1;
    return false;
}

void fault_disk_limit(fault_disk *disk, int64_t free_bytes) {
    disk->capacity = free_bytes < 0 ? -1 : fault_used(disk) + free_bytes;
}

bool fault_disk_take(fault_disk *disk, int64_t bytes) {
    if (disk->is_stopped || (disk->capacity >= 0 && fault_used(disk) + bytes > disk->capacity)) return false;
    disk->taken += bytes;
    return true;
}

void fault_disk_give(fault_disk *disk, int64_t bytes) { disk->taken -= bytes; }

// Stopping and starting

void fault_disk_stop_before(fault_disk *disk, uint64_t operation) { disk->stop_before = operation; }

void fault_disk_stop(fault_disk *disk) {
    if (disk->is_stopped) return;
    disk->is_stopped = true;
    disk->counts.stops += 1;
}

bool fault_disk_is_stopped(const fault_disk *disk) { return disk->is_stopped; }

void fault_release_share(fault_share *share) {
    if (--share->users > 0) return;
    for (int i = 0; i < share->count; i++) free(share->regions[i]);
    free(share->regions);
    free(share);
}

/// Nobody holds anything any more; dead files keep the shared memory that they point into.
static void start(fault_disk *disk) {
    disk->generation += 1;
    disk->is_stopped = false;
    disk->stop_before = 0;
    for (size_t i = 0; i < disk->name_count; i++) {
        fault_inode *inode = disk->names[i].current;
        if (!inode) continue;
        inode->share = NULL;
        inode->shared_locks = 0;
        inode->reserved_by = inode->pending_by = inode->exclusive_by = NULL;
    }
}

void fault_disk_kill(fault_disk *disk) {
    disk->counts.kills += 1;
    start(disk);
}

void fault_disk_cut_power(fault_disk *disk) {
    disk->counts.power_cuts += 1;
    for (size_t i = 0; i < disk->name_count; i++) {
        fault_name *name = &disk->names[i];
        if (name->current == name->durable) continue;
        // Removed and made anew: the file of before, the new one, or neither.
        uint64_t chance = fault_random(disk) % (name->current && name->durable ? 3 : 2);
        if (chance != 1) disk->counts.names_reverted += 1;
        if (chance == 0) set_current(name, name->durable);
        if (chance == 2) set_current(name, NULL);
    }
    for (size_t i = 0; i < disk->name_count; i++) {
        fault_name *name = &disk->names[i];
        make_durable(name, name->current);
        if (!name->current) continue;
        persist(disk, name->current);
        if (!copy(&name->current->seen, &name->current->durable)) abort();
        name->current->syncs_directory = false;
    }
    start(disk);
}

void fault_disk_fail(fault_disk *disk, fault_kind kind, uint32_t after, uint32_t times) {
    disk->plans[kind].is_set = true;
    disk->plans[kind].after = after;
    disk->plans[kind].times = times;
}

void fault_disk_heal(fault_disk *disk) { memset(disk->plans, 0, sizeof disk->plans); }

fault_counts fault_disk_counts(const fault_disk *disk) { return disk->counts; }
