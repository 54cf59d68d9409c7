#define _GNU_SOURCE
#include "soak.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t is_stopping;
static void stop(int number) { (void)number; is_stopping = 1; }

typedef struct {
    int descriptor;
    uint8_t bytes[8192];
    int count;
} line;

static line lines[64];

int soak_peer_main(const char *folder, int count) {
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    static const uint8_t round[] = {0xA0, 0x04, 0x01, 0x89, 0x01, 0xD1};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/reader-%d", folder, i);
        lines[i].descriptor = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (lines[i].descriptor < 0) return perror(path), 1;
        struct termios settings;
        tcgetattr(lines[i].descriptor, &settings);
        cfmakeraw(&settings);
        tcsetattr(lines[i].descriptor, TCSANOW, &settings);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(epoll, EPOLL_CTL_ADD, lines[i].descriptor, &event);
        if (write(lines[i].descriptor, round, sizeof round) < 0) return perror(path), 1;
    }
    unsigned long long reads = 0;
    while (!is_stopping) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, 1000);
        for (int e = 0; e < ready; e++) {
            line *l = &lines[events[e].data.u32];
            ssize_t n = read(l->descriptor, l->bytes + l->count, 4096);
            if (n <= 0) continue;
            l->count += (int)n;
            int at = 0;
            while (l->count - at >= 2) {
                int length = l->bytes[at + 1] + 2;
                if (l->bytes[at] != 0xA0 || length < 5) { at++; continue; }
                if (l->count - at < length) break;
                uint8_t sum = 0;
                for (int i = 0; i < length; i++) sum += l->bytes[at + i];
                if (sum) { at++; continue; }
                if (length == 21) reads++;
                if (length == 12 && write(l->descriptor, round, sizeof round) < 0) return perror("write"), 1;
                at += length;
            }
            memmove(l->bytes, l->bytes + at, (size_t)(l->count - at));
            l->count -= at;
        }
    }
    printf("%llu\n", reads);
    return 0;
}
