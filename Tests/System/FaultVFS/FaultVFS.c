#include "Disk.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fault_disk *disks;
static sqlite3_vfs *system_vfs;
static sqlite3_vfs fault_vfs;

typedef struct {
    sqlite3_file base;
    fault_disk *disk;
    fault_inode *inode;
    uint64_t generation;
    int level;
    bool is_read_only;
    fault_share *share;
    uint16_t shared_slots;
    uint16_t exclusive_slots;
} fault_file;

static fault_file *opened(sqlite3_file *file) { return (fault_file *)file; }

static bool is_dead(const fault_file *file) { return file->generation != file->disk->generation || file->disk->is_stopped; }

static int begin(fault_file *file, fault_kind kind) {
    return file->generation != file->disk->generation ? -1 : fault_begin(file->disk, kind);
}

// Reading and writing

static int file_read(sqlite3_file *base, void *buffer, int length, sqlite3_int64 offset) {
    fault_file *file = opened(base);
    if (begin(file, FAULT_READ) != 0) return SQLITE_IOERR_READ;
    const fault_content *seen = &file->inode->seen;
    size_t there = (size_t)offset < seen->size ? seen->size - (size_t)offset : 0;
    if (there > (size_t)length) there = (size_t)length;
    if (there) memcpy(buffer, seen->bytes + offset, there);
    if (there == (size_t)length) return SQLITE_OK;
    memset((uint8_t *)buffer + there, 0, (size_t)length - there);
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *bytes, int length, sqlite3_int64 offset) {
    fault_file *file = opened(base);
    int refusal = begin(file, FAULT_WRITE);
    if (refusal < 0) return SQLITE_IOERR_WRITE;
    size_t count = (size_t)length;
    // What fails may have been written in part.
    if (refusal > 0) count = fault_random(file->disk) % (count + 1);
    int64_t growth = (int64_t)offset + (int64_t)count - (int64_t)file->inode->seen.size;
    if (!fault_fits(file->disk, growth)) return SQLITE_FULL;
    if (!fault_write(file->inode, bytes, count, (size_t)offset)) return SQLITE_IOERR_NOMEM;
    return refusal > 0 ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    fault_file *file = opened(base);
    if (begin(file, FAULT_TRUNCATE) != 0) return SQLITE_IOERR_TRUNCATE;
    if (!fault_fits(file->disk, size - (int64_t)file->inode->seen.size)) return SQLITE_FULL;
    return fault_truncate(file->inode, (size_t)size) ? SQLITE_OK : SQLITE_IOERR_NOMEM;
}

static int file_sync(sqlite3_file *base, int flags) {
    (void)flags;
    fault_file *file = opened(base);
    int refusal = begin(file, FAULT_SYNC);
    if (refusal < 0) return SQLITE_IOERR_FSYNC;
    if (refusal > 0) {
        fault_sync_partly(file->disk, file->inode);
        return SQLITE_IOERR_FSYNC;
    }
    fault_sync(file->inode);
    if (file->inode->syncs_directory) {
        // As in SQLite's own VFS its failure is not told.
        if (fault_disk_sync_directory(file->disk)) file->inode->syncs_directory = false;
        if (is_dead(file)) return SQLITE_IOERR_FSYNC;
    }
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size) {
    fault_file *file = opened(base);
    if (is_dead(file)) return SQLITE_IOERR_FSTAT;
    *size = (sqlite3_int64)file->inode->seen.size;
    return SQLITE_OK;
}

// Locks

static int file_lock(sqlite3_file *base, int level) {
    fault_file *file = opened(base);
    fault_inode *inode = file->inode;
    if (is_dead(file)) return SQLITE_IOERR_LOCK;
    if (file->level >= level) return SQLITE_OK;
    // As fcntl(2) with F_WRLCK.
    if (level > SQLITE_LOCK_SHARED && file->is_read_only) return SQLITE_IOERR_LOCK;
    if (file->level == SQLITE_LOCK_NONE) {
        if (inode->pending_by || inode->exclusive_by) return SQLITE_BUSY;
        inode->shared_locks += 1;
        file->level = SQLITE_LOCK_SHARED;
    }
    if (level >= SQLITE_LOCK_RESERVED && file->level < SQLITE_LOCK_RESERVED) {
        if (inode->reserved_by && inode->reserved_by != file) return SQLITE_BUSY;
        inode->reserved_by = file;
        file->level = SQLITE_LOCK_RESERVED;
    }
    if (level < SQLITE_LOCK_EXCLUSIVE) return SQLITE_OK;
    if (inode->pending_by && inode->pending_by != file) return SQLITE_BUSY;
    inode->pending_by = file;
    file->level = SQLITE_LOCK_PENDING;
    if (inode->shared_locks > 1) return SQLITE_BUSY;
    inode->exclusive_by = file;
    file->level = SQLITE_LOCK_EXCLUSIVE;
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *base, int level) {
    fault_file *file = opened(base);
    fault_inode *inode = file->inode;
    if (file->generation != file->disk->generation) {
        file->level = level;
        return SQLITE_OK;
    }
    if (file->level <= level) return SQLITE_OK;
    if (inode->exclusive_by == file) inode->exclusive_by = NULL;
    if (inode->pending_by == file) inode->pending_by = NULL;
    if (inode->reserved_by == file) inode->reserved_by = NULL;
    if (level == SQLITE_LOCK_NONE && file->level > SQLITE_LOCK_NONE) inode->shared_locks -= 1;
    file->level = level;
    return SQLITE_OK;
}

static int file_is_reserved(sqlite3_file *base, int *result) {
    fault_file *file = opened(base);
    if (is_dead(file)) return SQLITE_IOERR_CHECKRESERVEDLOCK;
    *result = file->inode->reserved_by != NULL;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int operation, void *argument) {
    (void)base, (void)operation, (void)argument;
    return SQLITE_NOTFOUND;
}

// The same as SQLite's own VFS for Unix says.
static int file_sector_size(sqlite3_file *base) { return (void)base, 4096; }
static int file_characteristics(sqlite3_file *base) { return (void)base, SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

// Shared memory

static int share_map(sqlite3_file *base, int region, int size, int extend, void volatile **address) {
    fault_file *file = opened(base);
    *address = NULL;
    int refusal = begin(file, FAULT_SHARE);
    if (refusal != 0) return refusal > 0 ? SQLITE_IOERR_SHMSIZE : SQLITE_IOERR_SHMMAP;
    if (!file->share) {
        if (!file->inode->share) {
            file->inode->share = calloc(1, sizeof(fault_share));
            if (!file->inode->share) return SQLITE_IOERR_NOMEM;
        }
        file->share = file->inode->share;
        file->share->users += 1;
    }
    fault_share *share = file->share;
    share->size = size;
    if (region >= share->count && !extend) return SQLITE_OK;
    while (region >= share->count) {
        if (!fault_fits(file->disk, size)) return SQLITE_IOERR_SHMSIZE;
        uint8_t **regions = realloc(share->regions, (size_t)(share->count + 1) * sizeof *regions);
        if (!regions) return SQLITE_IOERR_NOMEM;
        share->regions = regions;
        regions[share->count] = calloc(1, (size_t)size);
        if (!regions[share->count]) return SQLITE_IOERR_NOMEM;
        share->count += 1;
    }
    *address = share->regions[region];
    return SQLITE_OK;
}

static void drop_slots(fault_file *file, uint16_t slots) {
    for (int slot = 0; slot < 8; slot++) {
        uint16_t bit = (uint16_t)(1 << slot);
        if (!(slots & bit)) continue;
        if (file->shared_slots & bit) file->share->holders[slot] -= 1;
        if (file->exclusive_slots & bit) file->share->holders[slot] = 0;
    }
    file->shared_slots &= (uint16_t)~slots;
    file->exclusive_slots &= (uint16_t)~slots;
}

static int share_lock(sqlite3_file *base, int first, int count, int flags) {
    fault_file *file = opened(base);
    if (!file->share) return SQLITE_IOERR_SHMLOCK;
    uint16_t slots = (uint16_t)(((1 << (first + count)) - 1) & ~((1 << first) - 1));
    if (flags & SQLITE_SHM_UNLOCK) {
        drop_slots(file, slots);
        return SQLITE_OK;
    }
    if (is_dead(file)) return SQLITE_IOERR_SHMLOCK;
    bool is_exclusive = flags & SQLITE_SHM_EXCLUSIVE;
    for (int slot = first; slot < first + count; slot++) {
        int holders = file->share->holders[slot];
        bool is_own = (is_exclusive ? file->exclusive_slots : file->shared_slots) & 1 << slot;
        if (!is_own && (is_exclusive ? holders != 0 : holders < 0)) return SQLITE_BUSY;
    }
    for (int slot = first; slot < first + count; slot++) {
        uint16_t bit = (uint16_t)(1 << slot);
        if ((is_exclusive ? file->exclusive_slots : file->shared_slots) & bit) continue;
        if (is_exclusive) {
            file->share->holders[slot] = -1;
            file->exclusive_slots |= bit;
        } else {
            file->share->holders[slot] += 1;
            file->shared_slots |= bit;
        }
    }
    return SQLITE_OK;
}

static void share_barrier(sqlite3_file *base) { (void)base; }

static int share_unmap(sqlite3_file *base, int removes) {
    (void)removes;
    fault_file *file = opened(base);
    if (!file->share) return SQLITE_OK;
    drop_slots(file, 0xFF);
    if (file->inode->share == file->share && file->share->users == 1) file->inode->share = NULL;
    fault_release_share(file->share);
    file->share = NULL;
    return SQLITE_OK;
}

static int file_close(sqlite3_file *base) {
    fault_file *file = opened(base);
    share_unmap(base, 0);
    file_unlock(base, SQLITE_LOCK_NONE);
    fault_release(file->inode);
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = share_map,
    .xShmLock = share_lock,
    .xShmBarrier = share_barrier,
    .xShmUnmap = share_unmap,
};

// Names

static fault_disk *disk_of(const char *path) {
    if (!path) return NULL;
    pthread_mutex_lock(&lock);
    fault_disk *disk = disks;
    while (disk && !(strncmp(path, disk->folder, disk->folder_length) == 0 && path[disk->folder_length] == '/')) disk = disk->next;
    pthread_mutex_unlock(&lock);
    return disk;
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *base, int flags, int *out) {
    (void)vfs;
    fault_disk *disk = disk_of(path);
    if (!disk) return system_vfs->xOpen(system_vfs, path, base, flags, out);
    fault_file *file = opened(base);
    memset(file, 0, sizeof *file);
    if (fault_begin(disk, FAULT_OPEN) != 0) return SQLITE_CANTOPEN;
    fault_name *name = fault_find(disk, path);
    fault_inode *inode = name ? name->current : NULL;
    if (inode && flags & SQLITE_OPEN_CREATE && flags & SQLITE_OPEN_EXCLUSIVE) return SQLITE_CANTOPEN;
    if (!inode) {
        if (!(flags & SQLITE_OPEN_CREATE)) return SQLITE_CANTOPEN;
        if (!fault_fits(disk, 1)) return SQLITE_CANTOPEN;
        inode = fault_make(disk, path);
        if (!inode) return SQLITE_IOERR_NOMEM;
        inode->syncs_directory = flags & (SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL);
    }
    fault_retain(inode);
    file->base.pMethods = &methods;
    file->disk = disk;
    file->inode = inode;
    file->is_read_only = flags & SQLITE_OPEN_READONLY;
    file->generation = disk->generation;
    if (out) *out = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int syncs_directory) {
    (void)vfs;
    fault_disk *disk = disk_of(path);
    if (!disk) return system_vfs->xDelete(system_vfs, path, syncs_directory);
    if (fault_begin(disk, FAULT_DELETE) != 0) return SQLITE_IOERR_DELETE;
    fault_name *name = fault_find(disk, path);
    if (!name || !name->current) return SQLITE_IOERR_DELETE_NOENT;
    fault_unlink(name);
    if (syncs_directory && !fault_disk_sync_directory(disk)) return SQLITE_IOERR_DIR_FSYNC;
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *result) {
    (void)vfs;
    fault_disk *disk = disk_of(path);
    if (!disk) return system_vfs->xAccess(system_vfs, path, flags, result);
    if (disk->is_stopped) return SQLITE_IOERR_ACCESS;
    const fault_name *name = fault_find(disk, path);
    // Like SQLite's own VFS: an empty file is as good as none.
    *result = name && name->current && (flags != SQLITE_ACCESS_EXISTS || name->current->seen.size > 0);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int size, char *result) {
    (void)vfs;
    if (!disk_of(path)) return system_vfs->xFullPathname(system_vfs, path, size, result);
    if (strlen(path) >= (size_t)size) return SQLITE_CANTOPEN;
    strcpy(result, path);
    return SQLITE_OK;
}

/// Called with the lock held.
static bool install(void) {
    if (system_vfs) return true;
    sqlite3_vfs *found = sqlite3_vfs_find(NULL);
    if (!found) return false;
    fault_vfs = *found;
    fault_vfs.pNext = NULL;
    fault_vfs.zName = "stockgate-fault";
    if (fault_vfs.szOsFile < (int)sizeof(fault_file)) fault_vfs.szOsFile = sizeof(fault_file);
    fault_vfs.xOpen = vfs_open;
    fault_vfs.xDelete = vfs_delete;
    fault_vfs.xAccess = vfs_access;
    fault_vfs.xFullPathname = vfs_full_path;
    system_vfs = found;
    return sqlite3_vfs_register(&fault_vfs, 1) == SQLITE_OK;
}

fault_disk *fault_disk_create(const char *folder, uint64_t seed) {
    fault_disk *disk = calloc(1, sizeof *disk);
    if (!disk) return NULL;
    disk->folder = strdup(folder);
    disk->folder_length = strlen(folder);
    disk->random = seed;
    disk->capacity = -1;
    pthread_mutex_lock(&lock);
    bool is_installed = disk->folder && install();
    if (is_installed) {
        disk->next = disks;
        disks = disk;
    }
    pthread_mutex_unlock(&lock);
    if (is_installed) return disk;
    free(disk->folder);
    free(disk);
    return NULL;
}

void fault_disk_destroy(fault_disk *disk) {
    pthread_mutex_lock(&lock);
    fault_disk **place = &disks;
    while (*place && *place != disk) place = &(*place)->next;
    if (*place) *place = disk->next;
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < disk->name_count; i++) {
        fault_release(disk->names[i].current);
        fault_release(disk->names[i].durable);
        free(disk->names[i].path);
    }
    free(disk->names);
    free(disk->folder);
    free(disk);
}
