#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/hidraw.h>
#include <linux/input.h>
#include <linux/serial.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <unistd.h>

#ifndef TFD_TIMER_CANCEL_ON_SET
#define TFD_TIMER_CANCEL_ON_SET (1 << 1)
#endif

int clinux_open_pty_master(char *slave_path, size_t size) {
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return -1;
    int failure = 0;
    if (grantpt(fd) != 0 || unlockpt(fd) != 0) failure = errno;
    if (failure == 0) failure = ptsname_r(fd, slave_path, size);
    if (failure != 0) {
        close(fd);
        errno = failure;
        return -1;
    }
    return fd;
}

int clinux_is_pseudo_terminal(int fd) {
    struct stat status;
    if (fstat(fd, &status) != 0) return -1;
    unsigned number = major(status.st_rdev);
    return S_ISCHR(status.st_mode) && number >= 136 && number <= 143;
}

int clinux_set_low_latency(int fd) {
    struct serial_struct settings;
    if (ioctl(fd, TIOCGSERIAL, &settings) != 0) return -1;
    settings.flags |= ASYNC_LOW_LATENCY;
    return ioctl(fd, TIOCSSERIAL, &settings);
}

int clinux_get_line_errors(int fd, struct clinux_line_errors *errors) {
    struct serial_icounter_struct counters;
    if (ioctl(fd, TIOCGICOUNT, &counters) != 0) return -1;
    errors->framing = (uint32_t)counters.frame;
    errors->parity = (uint32_t)counters.parity;
    errors->breaks = (uint32_t)counters.brk;
    errors->overruns = (uint32_t)(counters.overrun + counters.buf_overrun);
    return 0;
}

size_t clinux_input_event_size(void) { return sizeof(struct input_event); }

struct clinux_input_event clinux_parse_input_event(const void *record) {
    struct input_event raw;
    memcpy(&raw, record, sizeof raw);
    struct clinux_input_event event = {raw.type, raw.code, raw.value};
    return event;
}

void clinux_make_input_event(struct clinux_input_event event, void *record) {
    struct input_event raw;
    memset(&raw, 0, sizeof raw);
    raw.type = event.type;
    raw.code = event.code;
    raw.value = event.value;
    memcpy(record, &raw, sizeof raw);
}

int clinux_grab_input(int fd) { return ioctl(fd, EVIOCGRAB, 1); }

int clinux_input_name(int fd, char *name, size_t size) {
    if (size == 0) {
        errno = EINVAL;
        return -1;
    }
    memset(name, 0, size);
    if (ioctl(fd, EVIOCGNAME(size - 1), name) < 0) return -1;
    return 0;
}

int clinux_check_hid(int fd) {
    struct hidraw_devinfo information;
    memset(&information, 0, sizeof information);
    return ioctl(fd, HIDIOCGRAWINFO, &information) < 0 ? -1 : 0;
}

int clinux_hid_name(int fd, char *name, size_t size) {
    if (size == 0) {
        errno = EINVAL;
        return -1;
    }
    memset(name, 0, size);
    return ioctl(fd, HIDIOCGRAWNAME(size - 1), name) < 0 ? -1 : 0;
}

int clinux_set_hid_feature(int fd, const uint8_t *report, size_t count) {
    // The length is a part of the request's number; HID_MAX_BUFFER_SIZE of the kernel is 16 KiB, an ioctl's size field 14 bits.
    if (count == 0 || count > 4096) {
        errno = EINVAL;
        return -1;
    }
    // The kernel may write back.
    uint8_t copy[4096];
    memcpy(copy, report, count);
    return ioctl(fd, HIDIOCSFEATURE(count), copy) < 0 ? -1 : 0;
}

int clinux_clock_is_synchronised(void) {
    struct timex state;
    memset(&state, 0, sizeof state);
    int status = adjtimex(&state);
    if (status < 0) return -1;
    return status != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

int clinux_arm_clock_step_watch(int fd) {
    // The expiry is never meant to come: only the cancellation matters.
    struct itimerspec far;
    memset(&far, 0, sizeof far);
    far.it_value.tv_sec = 0x7fffffff;
    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

int clinux_open_clock_step_watch(void) {
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd < 0) return -1;
    if (clinux_arm_clock_step_watch(fd) != 0) {
        int failure = errno;
        close(fd);
        errno = failure;
        return -1;
    }
    return fd;
}

int clinux_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

int clinux_open_event_counter(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int clinux_name_thread(const char *name) { return pthread_setname_np(pthread_self(), name); }

const char *clinux_errno_name(int number) { return strerrorname_np(number); }

int clinux_file_kind(const char *path, uint64_t *inode) {
    struct stat status;
    if (lstat(path, &status) != 0) return -1;
    *inode = status.st_ino;
    if (S_ISSOCK(status.st_mode)) return CLINUX_FILE_SOCKET;
    return S_ISDIR(status.st_mode) ? CLINUX_FILE_FOLDER : CLINUX_FILE_OTHER;
}
