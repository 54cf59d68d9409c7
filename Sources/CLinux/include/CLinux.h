// What the Glibc module of Swift hides: calls behind feature macros, macros with arguments, and structures that no module map
// lists. Each wrapper says why it exists; everything else is called from Swift directly. Functions that can fail return -1 and
// set errno, as the calls they wrap do.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// --- Pseudo-terminals: posix_openpt, grantpt, unlockpt and ptsname_r stand behind _XOPEN_SOURCE and _GNU_SOURCE.

/// Opens the master side of a new pseudo-terminal (close-on-exec, non-blocking) and writes the path of its slave side.
int clinux_open_pty_master(char *slave_path, size_t size);

/// Whether the descriptor is the slave side of a pseudo-terminal: device majors 136 to 143 (Linux devices.txt). major() is a macro.
int clinux_is_pseudo_terminal(int fd);

// --- Serial lines: <asm/termbits.h> clashes with <termios.h>, so this lives in SerialSpeed.c, which includes only the former.

/// Sets any line speed in baud, also one without a constant of its own (termios2 with BOTHER).
int clinux_set_line_speed(int fd, uint32_t baud);

/// The output speed that the driver really set, in baud.
int clinux_get_line_speed(int fd, uint32_t *baud);

/// Asks the driver to pass on received bytes at once instead of after its latency timer (16 ms with FTDI chips).
/// <linux/serial.h> is in no module map. Fails with ENOTTY where a driver has no such setting.
int clinux_set_low_latency(int fd);

/// What a serial driver counted since the machine was started.
struct clinux_line_errors {
    uint32_t framing;
    uint32_t parity;
    uint32_t breaks;
    uint32_t overruns;
};

/// The driver's error counters (TIOCGICOUNT); <linux/serial.h> is in no module map. Fails with ENOTTY where a driver counts nothing.
int clinux_get_line_errors(int fd, struct clinux_line_errors *errors);

// --- Input devices: the EVIOC requests are macros with arguments, and <linux/input.h> is in no module map.

/// One record of an event device. The time stamp is left out: the gateway uses its own clock.
struct clinux_input_event {
    uint16_t type;
    uint16_t code;
    int32_t value;
};

/// Bytes of one record as read() delivers it: 24 with 64-bit time stamps.
size_t clinux_input_event_size(void);

/// Takes a record apart; `record` has clinux_input_event_size() bytes and need not be aligned.
struct clinux_input_event clinux_parse_input_event(const void *record);

/// Lays a record out as read() would deliver it, with a zero time stamp; for simulated devices and tests.
void clinux_make_input_event(struct clinux_input_event event, void *record);

/// Takes the device for this descriptor alone: no key reaches a console, a desktop or another reader (EVIOCGRAB).
int clinux_grab_input(int fd);

/// The device's name as its driver gives it, terminated by a zero (EVIOCGNAME).
int clinux_input_name(int fd, char *name, size_t size);

// --- HID devices: the HIDIOC requests are macros with arguments, and <linux/hidraw.h> is in no module map.

/// Whether the descriptor is a hidraw node: fails with ENOTTY or EINVAL when it is not (HIDIOCGRAWINFO).
int clinux_check_hid(int fd);

/// The device's name as it gives it itself, terminated by a zero (HIDIOCGRAWNAME).
int clinux_hid_name(int fd, char *name, size_t size);

/// Sets a feature report, report id first (HIDIOCSFEATURE). Waits for the device.
int clinux_set_hid_feature(int fd, const uint8_t *report, size_t count);

// --- Sockets: struct tcp_info clashes between <netinet/tcp.h> and <linux/tcp.h>.

/// The first bytes of the kernel's struct tcp_info (linux/tcp.h).
struct clinux_tcp_state {
    uint8_t state;
    uint8_t congestion;
    /// Segments sent again without an answer.
    uint8_t retransmits;
    /// Keep-alive probes without an answer.
    uint8_t probes;
    uint8_t backoff;
    uint8_t options;
    uint8_t scales;
    uint8_t flags;
};

// --- Clocks: <sys/timex.h> and <sys/timerfd.h> are in no module map.

/// 1 when the kernel says that the wall clock is synchronised, 0 when it says that it is not.
int clinux_clock_is_synchronised(void);

/// A descriptor that becomes readable when the wall clock is stepped (timerfd with TFD_TIMER_CANCEL_ON_SET); its read() then fails
/// with ECANCELED, and the descriptor must be armed again.
int clinux_open_clock_step_watch(void);

/// Arms the watch for the next step.
int clinux_arm_clock_step_watch(int fd);

// --- Processes

/// Who is at the other end of a connected Unix socket; struct ucred stands behind _GNU_SOURCE.
int clinux_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid);

/// The user who opened the other end of a connected Unix socket, as the user namespace counts in which the netlink socket `diagnosis` was
/// opened (family NETLINK_SOCK_DIAG): SO_PEERCRED counts in the namespace of who asks, where most users have no number.
/// <linux/unix_diag.h> is in no module map. Not to be called on two threads with the same `diagnosis` at once.
int clinux_peer_owner(int diagnosis, int fd, uint32_t *uid);

/// A counter to wake a poll() with: non-blocking, close-on-exec; <sys/eventfd.h> is in no module map.
int clinux_open_event_counter(void);

/// Names the calling thread for top and gdb, at most 15 characters; pthread_setname_np stands behind _GNU_SOURCE.
int clinux_name_thread(const char *name);

/// The symbol of an error number, "EACCES" for 13, or NULL; strerrorname_np stands behind _GNU_SOURCE.
const char *clinux_errno_name(int number);

// --- Files

enum { CLINUX_FILE_SOCKET = 1, CLINUX_FILE_FOLDER = 2, CLINUX_FILE_OTHER = 3 };

/// What stands at a path, without following a link at its end: one of the values above, and its inode. The members of struct stat cannot be named in a target that
/// imports swift-nio: the module that the compiler takes for their owner is none of its products.
int clinux_file_kind(const char *path, uint64_t *inode);
