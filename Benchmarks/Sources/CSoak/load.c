#define _GNU_SOURCE
#include "soak.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { tick_ns = 1000000, frames_per_round = 96, most_readers = 64, tags = 200 };

typedef struct {
    int descriptor;
    uint8_t received[256];
    int received_count;
    /// Frames left of the round that was asked for; 0: waiting for a command.
    int round_left;
    uint8_t round_command;
    /// Frames that time has brought and that are not written yet.
    int due;
    uint64_t random;
} reader;

struct soak_load {
    reader readers[most_readers];
    int count;
    atomic_bool is_stopping;
    _Atomic uint64_t frames;
    _Atomic uint64_t dropped;
    atomic_int waiting;
};

soak_load *soak_load_create(const char *folder, int count) {
    if (count < 1 || count > most_readers) { errno = EINVAL; return NULL; }
    soak_load *load = calloc(1, sizeof *load);
    if (!load) return NULL;
    load->count = count;
    for (int i = 0; i < count; i++) {
        int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || grantpt(fd) || unlockpt(fd)) return NULL;
        struct termios line;
        tcgetattr(fd, &line);
        cfmakeraw(&line);
        tcsetattr(fd, TCSANOW, &line);
        char path[4096];
        snprintf(path, sizeof path, "%s/reader-%d", folder, i);
        unlink(path);
        if (symlink(ptsname(fd), path)) return NULL;
        // Held open, so that the line does not hang up between two openings.
        open(ptsname(fd), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        load->readers[i] = (reader){.descriptor = fd, .random = (uint64_t)i * 7919 + 1};
    }
    return load;
}

static int put_frame(uint8_t *to, uint8_t command, const uint8_t *data, int length) {
    to[0] = 0xA0;
    to[1] = (uint8_t)(length + 3);
    to[2] = 1;
    to[3] = command;
    memcpy(to + 4, data, (size_t)length);
    uint8_t sum = 0;
    for (int i = 0; i < length + 4; i++) sum += to[i];
    to[length + 4] = (uint8_t)-sum;
    return length + 5;
}

static void put(reader *r, const uint8_t *bytes, int length) {
    while (length > 0) {
        ssize_t n = write(r->descriptor, bytes, (size_t)length);
        if (n <= 0) return;
        bytes += n;
        length -= (int)n;
    }
}

static void answer(reader *r, const uint8_t *frame, bool begins_rounds) {
    uint8_t out[64];
    uint8_t command = frame[3];
    switch (command) {
    case 0x72: put(r, out, put_frame(out, command, (uint8_t[]){1, 9}, 2)); break;
    case 0x77: put(r, out, put_frame(out, command, (uint8_t[]){26}, 1)); break;
    case 0x79: put(r, out, put_frame(out, command, (uint8_t[]){2, 0, 6}, 3)); break;
    case 0x63: put(r, out, put_frame(out, command, (uint8_t[]){0}, 1)); break;
    case 0x89:
    case 0x8A:
    case 0x8B:
        if (!begins_rounds) break;
        r->round_command = command;
        r->round_left = frames_per_round;
        break;
    default: put(r, out, put_frame(out, command, (uint8_t[]){0x10}, 1));
    }
}

static void take(reader *r, bool begins_rounds) {
    ssize_t n = read(r->descriptor, r->received + r->received_count, sizeof r->received - (size_t)r->received_count);
    if (n > 0) r->received_count += (int)n;
    int at = 0;
    while (r->received_count - at >= 2) {
        int length = r->received[at + 1] + 2;
        if (r->received[at] != 0xA0 || length < 5 || length > 64) { at++; continue; }
        if (r->received_count - at < length) break;
        answer(r, r->received + at, begins_rounds);
        at += length;
    }
    memmove(r->received, r->received + at, (size_t)(r->received_count - at));
    r->received_count -= at;
}

static int tag_frame(reader *r, uint8_t *to) {
    r->random = r->random * 6364136223846793005u + 1442695040888963407u;
    unsigned tag = (unsigned)(r->random >> 33) % tags;
    uint8_t data[16] = {1 << 2 | (uint8_t)(tag & 3), 0x30, 0, 0x34, 0x76, 0x45, 0x1F, 0xD4, 0, 0, 0, 0, 0, (uint8_t)(tag >> 8), (uint8_t)tag,
        (uint8_t)(60 + tag % 30)};
    return put_frame(to, r->round_command, data, 16);
}

/// Writes what is due, at most `limit` frames a write; the end of a round goes with its last frames.
static void report(soak_load *load, reader *r, int limit) {
    uint8_t out[4096];
    while (r->due > 0 && r->round_left > 0) {
        int length = 0, frames = 0;
        while (frames < limit && r->due > 0 && r->round_left > 0) {
            length += tag_frame(r, out + length);
            frames++;
            r->due--;
            r->round_left--;
        }
        if (r->round_left == 0) {
            uint8_t end[7] = {0, 0, frames_per_round, 0, 0, 0, 96};
            length += put_frame(out + length, r->round_command, end, 7);
        }
        if (write(r->descriptor, out, (size_t)length) == length) {
            load->frames += (uint64_t)frames;
        } else {
            load->dropped += (uint64_t)frames;
        }
    }
}

void soak_load_run(soak_load *load, int frames_per_write) {
    // Readers are spread over the period: they do not all write at the same instant.
    int period = frames_per_write;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long tick = 0;; tick++) {
        next.tv_nsec += tick_ns;
        if (next.tv_nsec >= 1000000000) { next.tv_nsec -= 1000000000; next.tv_sec++; }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        struct pollfd polls[most_readers];
        for (int i = 0; i < load->count; i++) polls[i] = (struct pollfd){load->readers[i].descriptor, POLLIN, 0};
        bool is_stopping = load->is_stopping;
        if (poll(polls, (nfds_t)load->count, 0) > 0) {
            for (int i = 0; i < load->count; i++) {
                if (polls[i].revents & POLLIN) take(&load->readers[i], !is_stopping);
            }
        }
        int waiting = 0;
        for (int i = 0; i < load->count; i++) {
            reader *r = &load->readers[i];
            if (r->round_left == 0) waiting++;
            if ((tick + i) % period == 0) {
                // What a reader without a command would have read is not read.
                if (r->round_left > 0) r->due += period;
                if (r->due > 64) r->due = 64;
                report(load, r, frames_per_write);
            }
        }
        load->waiting = waiting;
        if (is_stopping && waiting == load->count) return;
    }
}

void soak_load_stop(soak_load *load) { load->is_stopping = true; }
uint64_t soak_load_frames(const soak_load *load) { return load->frames; }
uint64_t soak_load_dropped(const soak_load *load) { return load->dropped; }
int soak_load_waiting(const soak_load *load) { return load->waiting; }

void soak_load_destroy(soak_load *load) {
    for (int i = 0; i < load->count; i++) close(load->readers[i].descriptor);
    free(load);
}
